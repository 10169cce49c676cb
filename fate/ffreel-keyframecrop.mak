# keyframecrop: whole-binary tests against text references
# (fate-run.sh splits at blanks: the fields of a key are apart by escaped commas)
comma   := ,
KFC_SRC  = testsrc2=s=352x288:r=10:d=1
KFC_DEPS = KEYFRAMECROP TESTSRC2 FORMAT

KFC_TESTS = pan zoom-in zoom-out identity edge-shift edge-clamp edge-pad rotate reel ref t0 no-keys half
KFC_pan         = keys=0\,10.3\,20.7\,160\,120|1\,60.1\,31.9\,160\,120
KFC_zoom-in     = keys=0\,10.3\,20.7\,160\,120|1\,60.1\,31.9\,80\,60:w=320:h=240:kind=ease:log=1
KFC_zoom-out    = keys=0\,0\,0\,352\,288|1\,20\,10\,300\,250:w=120:h=100:kernel=lanczos
KFC_identity    = keys=0\,0\,0\,352\,288
KFC_edge-shift  = keys=0\,-50\,-20\,160\,120|1\,300\,250\,160\,120:kind=monotone
KFC_edge-clamp  = keys=0\,-50\,-20\,160\,120|1\,300\,250\,160\,120:edge=clamp:kind=catmull
KFC_edge-pad    = keys=0\,-50.3\,-20\,160\,120|1\,300\,250\,160\,120:edge=pad:color=orange:kernel=area
KFC_rotate      = keys=0\,40\,30\,160\,120\,rotation=-5|1\,60\,50\,160\,120\,rotation=30:w=200:h=150
KFC_reel        = keys=0\,40\,30\,45\,80|1\,60\,50\,50\,90:aspect=9/16:size=reel:kernel=bilinear
KFC_ref         = keys=0\,10\,10\,80\,60|1\,30\,20\,80\,60:ref=176x144
KFC_t0          = keys=100\,10\,10\,160\,120|101\,30\,20\,160\,120\,hold|101.5\,0\,0\,160\,120:t0=100.5
KFC_no-keys     = aspect=9/16
# frames that pass untouched before others of the same size
KFC_half        = keys=0\,0\,0\,352\,288\,hold|0.5\,-10.3\,20.7\,352\,288\,hold:edge=pad
# a picture that is a part of another; on CUDA frames crop only marks it, so keys are for the whole
KFC_CROP        = crop=176:144:100:80
KFC_cropped     = keys=0\,10\,10\,80\,60|1\,120\,100\,80\,60:w=160:h=120:edge=pad
KFC_cropped2    = keys=0\,20\,20\,160\,120|1\,240\,200\,160\,120:w=160:h=120:edge=pad

FATE_FFREEL-$(call FILTERFRAMECRC, $(KFC_DEPS)) += $(addprefix fate-ffreel-keyframecrop-, $(KFC_TESTS))
$(foreach T,$(KFC_TESTS),$(eval fate-ffreel-keyframecrop-$(T): CMD = framecrc -lavfi "$$(KFC_SRC)$(comma)format=yuv420p$(comma)keyframecrop=$$(KFC_$(T))"))

FATE_FFREEL-$(call FILTERFRAMECRC, $(KFC_DEPS) CROP) += fate-ffreel-keyframecrop-cropped
fate-ffreel-keyframecrop-cropped: CMD = framecrc -lavfi "$(KFC_SRC),format=yuv420p,$(KFC_CROP),keyframecrop=$(KFC_cropped)"

# every kind of layout: planar, semi-planar, packed, with alpha, gray, 8 to 16 bits
KFC_FORMATS = yuv420p nv12 nv21 yuv422p nv16 yuv440p yuv444p nv24 yuv411p yuv410p yuvj420p yuva420p \
              gray gray10le gray16le ya8 gbrp gbrap gbrp12le rgb24 bgra \
              yuv420p9le yuv420p10le yuv422p12le yuv444p14le yuv420p16le yuva444p10le p010le p210le p416le
KFC_FMT_SRC  = testsrc2=s=97x75:r=5:d=0.6
KFC_FMT      = keys=0\,10.3\,20.7\,41\,30|1\,50\,30\,47\,37:w=52:h=40
KFC_FMT_TESTS = $(addprefix fate-ffreel-keyframecrop-fmt-, $(KFC_FORMATS))
FATE_FFREEL-$(call FILTERFRAMECRC, $(KFC_DEPS)) += $(KFC_FMT_TESTS)
$(foreach F,$(KFC_FORMATS),$(eval fate-ffreel-keyframecrop-fmt-$(F): CMD = framecrc -lavfi "$$(KFC_FMT_SRC)$(comma)format=$(F)$(comma)keyframecrop=$$(KFC_FMT)" -pix_fmt $(F)))

FATE_FFREEL-$(call ALLYES, KEYFRAMECROP_FILTER TESTSRC2_FILTER FORMAT_FILTER LAVFI_INDEV FFPROBE) += fate-ffreel-keyframecrop-metadata
fate-ffreel-keyframecrop-metadata: CMD = run $(FILTER_METADATA_COMMAND) "$(KFC_SRC),format=yuv420p,keyframecrop=keys=0\,10\,20\,160\,120|1\,60\,32\,80\,60\,rotation=3:w=80:h=60"
