# highlight: whole-binary tests against text references
# (fate-run.sh splits at blanks: the fields of a key are apart by escaped commas)
HL_SRC  = testsrc2=s=352x288:r=10:d=1
HL_DEPS = HIGHLIGHT TESTSRC2 FORMAT
HL_KEYS = keys=0\,100\,120\,40\,60|1\,200.5\,150.3\,30\,50

HL_EFFECTS = dark_overlay brightness_boost ring ground spot desaturate blur original
HL_TESTS   = $(addprefix fate-ffreel-highlight-, $(HL_EFFECTS) tint hard dither soft edge feb head head-ground head-tint enable fast tiny)
FATE_FFREEL-$(call FILTERFRAMECRC, $(HL_DEPS)) += $(HL_TESTS)

$(foreach E,$(HL_EFFECTS),$(eval fate-ffreel-highlight-$(E): CMD = framecrc -lavfi "$$(HL_SRC)$$(comma)format=yuv420p$$(comma)highlight=$$(HL_KEYS):effect=$(E):color=yellow"))
fate-ffreel-highlight-tint:        CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS)\,color=red\,fill=0.4\,stroke=0.9:stroke=12:kind=catmull"
fate-ffreel-highlight-hard:        CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS):feather=0:color=white:outside=0.6"
fate-ffreel-highlight-dither:      CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS):dither=1:outside=0.6:color=white"
fate-ffreel-highlight-soft:        CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS):feather=300:outside=0.8"
fate-ffreel-highlight-edge:        CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=keys=0\,-20\,-10\,60\,60|1\,370\,300\,60\,60:color=cyan:outside=0.5"
fate-ffreel-highlight-feb:         CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS)\,opacity=0.4:rules=feb"
fate-ffreel-highlight-head:        CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS):rules=head:color=white"
fate-ffreel-highlight-head-ground: CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS):rules=head:shape=ground"
fate-ffreel-highlight-head-tint:   CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS):rules=head:color=0xFF9800:inside=0.3:stroke=5"
fate-ffreel-highlight-enable:      CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=$(HL_KEYS):enable=lt(t\,0.5)"
fate-ffreel-highlight-fast:        CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,highlight=keys=0\,0\,0\,40\,60|0.2\,352\,288\,1\,2\,jump|0.5\,10\,10\,300\,300\,hold|0.8\,100\,100\,0\,0:color=lime"
fate-ffreel-highlight-tiny:        CMD = framecrc -lavfi "testsrc2=s=17x9:r=5:d=0.6,format=yuv420p,highlight=keys=0\,8\,4\,3\,2:color=white:outside=0.5"

# every kind of layout: planar, semi-planar, packed, with alpha, gray, 8 to 16 bits
HL_FORMATS = yuv420p nv12 nv21 yuv422p nv16 yuv440p yuv444p nv24 yuv411p yuv410p yuvj420p yuva420p \
             gray gray10le gray16le ya8 gbrp gbrap gbrp12le rgb24 bgra rgb48le \
             yuv420p9le yuv420p10le yuv422p12le yuv444p14le yuv420p16le yuva444p10le p010le p210le p416le
HL_FMT_TESTS = $(foreach F,$(HL_FORMATS),fate-ffreel-highlight-fmt-$(F))
FATE_FFREEL-$(call FILTERFRAMECRC, $(HL_DEPS)) += $(HL_FMT_TESTS)
$(foreach F,$(HL_FORMATS),$(eval fate-ffreel-highlight-fmt-$(F): CMD = framecrc -lavfi "testsrc2=s=97x75:r=5:d=0.8$$(comma)format=$(F)$$(comma)highlight=keys=0\\,40.3\\,30.7\\,21\\,30|1\\,60\\,40\\,27\\,17:color=orange:inside=0.2:outside=0.4:stroke=40$$(comma)highlight=keys=0\\,30\\,40\\,20\\,20:effect=desaturate:enable=gt(n\\,1)" -pix_fmt $(F)))
