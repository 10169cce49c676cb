# highlight: whole-binary tests against text references
# (fate-run.sh splits at blanks: the fields of a key are apart by escaped commas)
HL_SRC  = testsrc2=s=352x288:r=10:d=1
HL_DEPS = HIGHLIGHT TESTSRC2 FORMAT
HL_KEYS = keys=0\,100\,120\,40\,60|1\,200.5\,150.3\,30\,50

HL_EFFECTS = dark_overlay brightness_boost ring ground spot desaturate blur original
HL_TESTS   = $(HL_EFFECTS) tint hard dither soft edge feb head head-ground head-tint enable fast
$(foreach E,$(HL_EFFECTS),$(eval HL_$(E) = $$(HL_KEYS):effect=$(E):color=yellow))
HL_tint        = $(HL_KEYS)\,color=red\,fill=0.4\,stroke=0.9:stroke=12:kind=catmull
HL_hard        = $(HL_KEYS):feather=0:color=white:outside=0.6
HL_dither      = $(HL_KEYS):dither=1:outside=0.6:color=white
HL_soft        = $(HL_KEYS):feather=300:outside=0.8
HL_edge        = keys=0\,-20\,-10\,60\,60|1\,370\,300\,60\,60:color=cyan:outside=0.5
HL_feb         = $(HL_KEYS)\,opacity=0.4:rules=feb
HL_head        = $(HL_KEYS):rules=head:color=white
HL_head-ground = $(HL_KEYS):rules=head:shape=ground
HL_head-tint   = $(HL_KEYS):rules=head:color=0xFF9800:inside=0.3:stroke=5
HL_enable      = $(HL_KEYS):enable=lt(t\,0.5)
HL_fast        = keys=0\,0\,0\,40\,60|0.2\,352\,288\,1\,2\,jump|0.5\,10\,10\,300\,300\,hold|0.8\,100\,100\,0\,0:color=lime

FATE_FFREEL-$(call FILTERFRAMECRC, $(HL_DEPS)) += $(addprefix fate-ffreel-highlight-, $(HL_TESTS) tiny)
$(foreach T,$(HL_TESTS),$(eval fate-ffreel-highlight-$(T): CMD = framecrc -lavfi "$$(HL_SRC)$(comma)format=yuv420p$(comma)highlight=$$(HL_$(T))"))
fate-ffreel-highlight-tiny: CMD = framecrc -lavfi "testsrc2=s=17x9:r=5:d=0.6,format=yuv420p,highlight=keys=0\,8\,4\,3\,2:color=white:outside=0.5"

# a picture that is a part of another: on CUDA frames crop only marks it
HL_CROP = crop=176:144:100:80
FATE_FFREEL-$(call FILTERFRAMECRC, $(HL_DEPS) CROP) += fate-ffreel-highlight-cropped
fate-ffreel-highlight-cropped: CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,$(HL_CROP),highlight=$(HL_dark_overlay)"

# every kind of layout: planar, semi-planar, packed, with alpha, gray, 8 to 16 bits
HL_FORMATS = yuv420p nv12 nv21 yuv422p nv16 yuv440p yuv444p nv24 yuv411p yuv410p yuvj420p yuva420p \
             gray gray10le gray16le ya8 gbrp gbrap gbrp12le rgb24 bgra rgb48le \
             yuv420p9le yuv420p10le yuv422p12le yuv444p14le yuv420p16le yuva444p10le p010le p210le p416le
HL_FMT_SRC   = testsrc2=s=97x75:r=5:d=0.8
HL_FMT1      = keys=0\,40.3\,30.7\,21\,30|1\,60\,40\,27\,17:color=orange:inside=0.2:outside=0.4:stroke=40
HL_FMT2      = keys=0\,30\,40\,20\,20:effect=desaturate:enable=gt(n\,1)
HL_FMT_TESTS = $(addprefix fate-ffreel-highlight-fmt-, $(HL_FORMATS))
FATE_FFREEL-$(call FILTERFRAMECRC, $(HL_DEPS)) += $(HL_FMT_TESTS)
$(foreach F,$(HL_FORMATS),$(eval fate-ffreel-highlight-fmt-$(F): CMD = framecrc -lavfi "$$(HL_FMT_SRC)$(comma)format=$(F)$(comma)highlight=$$(HL_FMT1)$(comma)highlight=$$(HL_FMT2)" -pix_fmt $(F)))
