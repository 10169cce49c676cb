# esrgan: whole-binary tests against text references
#
# A net in floats gives other last bits on another CPU, so no checksum of its
# pictures can be a reference. What is exact is listed: times, sizes, formats,
# color tags; samples where no arithmetic touches them. What is bounded is
# gated: a frame that is closer to its comparison than the bound is listed, as a
# picture painted over; one that is not would be missing from the list.

ESRGAN_SRC  = testsrc2=s=64x48:r=5:d=1,scale,format=yuv444p
ESRGAN_NET  = esrgan=engine=ref:precision=fp32:dedup=0
ESRGAN_GATE = metadata=select:key=lavfi.psnr.psnr_avg:function=greater
ESRGAN_COMMA := ,
ESRGAN_BLANK = lutyuv=y=16:u=128:v=128
ESRGAN_LIST = run ffprobe$(PROGSSUF)$(EXESUF) -v 0 -of compact=p=0 -f lavfi -show_entries frame=pts,duration,width,height,pix_fmt,color_range,color_space,color_primaries,color_transfer,chroma_location,sample_aspect_ratio

# times, sizes, formats and tags, with frames that repeat
FATE_ESRGAN_LIST = fate-ffreel-esrgan-frames fate-ffreel-esrgan-size fate-ffreel-esrgan-skip
fate-ffreel-esrgan-frames: CMD = $(ESRGAN_LIST) "$(ESRGAN_SRC),loop=2:1:1,setpts=N*N,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709:chroma_location=topleft,setsar=12/11,esrgan"
fate-ffreel-esrgan-size:   CMD = $(ESRGAN_LIST) "testsrc2=s=74x46:r=5:d=0.4,scale,format=yuv444p10,crop=37:23,setsar=1,esrgan=w=100:h=-1"
fate-ffreel-esrgan-skip:   CMD = $(ESRGAN_LIST) "$(ESRGAN_SRC),esrgan=w=32:h=48"

# the input comes back bit for bit where nothing is to be done: these checksums
# are those of the same graph without esrgan (testsrc2 draws all these formats
# itself: swscale's conversions to some differ between FFmpeg versions)
FATE_ESRGAN_CRC = $(addprefix fate-ffreel-esrgan-copy-, yuv420p yuv422p10le nv12 p010le gray16le gbrap yuva444p rgb24)
fate-ffreel-esrgan-copy-%: CMD = framecrc -lavfi testsrc2=s=64x48:r=5:d=1,format=$(@:fate-ffreel-esrgan-copy-%=%),esrgan=scale=1
fate-ffreel-esrgan-copy-p010le: CMD = framecrc -lavfi testsrc2=s=64x48:r=5:d=1,format=yuv420p10le,scale,format=p010le,esrgan=scale=1

# A against B through the gate
esrgan_gate = framecrc -lavfi "$(ESRGAN_SRC),split[a][b];[a]$(1)[x];[b]$(2)[y];[x][y]psnr,$(ESRGAN_GATE):value=$(3),$(ESRGAN_BLANK)"
FATE_ESRGAN_GATE = $(addprefix fate-ffreel-esrgan-, tile engine strength net resize)
fate-ffreel-esrgan-tile:     CMD = $(call esrgan_gate,$(ESRGAN_NET),$(ESRGAN_NET):tile=16,70)
fate-ffreel-esrgan-engine:   CMD = $(call esrgan_gate,$(ESRGAN_NET),esrgan=dedup=0,45)
fate-ffreel-esrgan-strength: CMD = $(call esrgan_gate,esrgan=strength=0,scale=iw*4:ih*4:flags=lanczos+accurate_rnd,40)
fate-ffreel-esrgan-net:      CMD = $(call esrgan_gate,$(ESRGAN_NET),scale=iw*4:ih*4:flags=bicubic+accurate_rnd,20)
fate-ffreel-esrgan-resize:   CMD = $(call esrgan_gate,$(ESRGAN_NET):scale=2,$(ESRGAN_NET)$(ESRGAN_COMMA)scale=iw/2:ih/2:flags=lanczos+accurate_rnd,40)

FATE_FFREEL-$(call FILTERFRAMECRC, TESTSRC2 SCALE FORMAT SPLIT PSNR METADATA LUTYUV ESRGAN) += $(FATE_ESRGAN_CRC) $(FATE_ESRGAN_GATE)
FATE_FFREEL-$(call ALLYES, FFPROBE LAVFI_INDEV WRAPPED_AVFRAME_DECODER TESTSRC2_FILTER SCALE_FILTER FORMAT_FILTER LOOP_FILTER SETPARAMS_FILTER SETSAR_FILTER SETPTS_FILTER CROP_FILTER ESRGAN_FILTER) += $(FATE_ESRGAN_LIST)
