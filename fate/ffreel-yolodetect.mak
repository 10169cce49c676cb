# yolodetect: whole-binary tests against text references
#
# The net, fate/squares.onnx, is written by tests/yolo_net.c: 96x64, it finds squares of 24x24, red or blue.
# Its scores are 0 or 1 to five digits, so that references hold for every engine and CPU.
YD_NET  = yolodetect=model=$(SRC_PATH)/tests/fate/squares.onnx
# Boxes are listed in the filter's own words: the order of metadata differs between FFmpeg versions.
YD_LIST = run ffmpeg$(PROGSSUF)$(EXESUF) -v error -nostdin
# red walks to the right by 8 pixels a frame, blue stands
YD_SCENE = color=black:s=96x64:r=10:d=0.8,format=gbrp[bg];color=red:s=24x24:r=10,format=gbrp[r];[bg][r]overlay=x=8*(n-1):y=8:shortest=1:format=gbrp,drawbox=64:40:24:24:blue:fill
YD_SMALL = color=black:s=192x128:r=10:d=0.2,format=gbrp,drawbox=16:16:24:24:red:fill,drawbox=152:88:24:24:blue:fill

YD_boxes    = $(YD_SCENE),$(YD_NET):batch=3
YD_interval = $(YD_SCENE),$(YD_NET):interval=3:batch=2:classes=red
YD_enable   = $(YD_SCENE),$(YD_NET):enable=between(n\,2\,4):batch=2:max_det=1
YD_iou      = $(YD_SCENE),$(YD_NET):track=iou:interval=2
YD_byte     = $(YD_SCENE),$(YD_NET):track=byte:track_hits=1
YD_tiles    = $(YD_SMALL),$(YD_NET):tiles=2x2:overlap=0
YD_roi      = $(YD_SMALL),$(YD_NET):roi=96|64|96|64
YD_none     = $(YD_SMALL),$(YD_NET)
YD_fmt      = $(YD_SCENE),scale=flags=accurate_rnd+bitexact,format=yuv420p,$(YD_NET):classes=blue

YD_TESTS = boxes interval enable iou byte tiles roi none fmt
$(foreach T,$(YD_TESTS),$(eval fate-ffreel-yolodetect-$(T): CMD = $$(YD_LIST) -lavfi "$$(YD_$(T)):out=-" -f null -))
FATE_FFREEL-$(call ALLYES, FFMPEG LAVFI_INDEV WRAPPED_AVFRAME_ENCODER NULL_MUXER YOLODETECT_FILTER COLOR_FILTER FORMAT_FILTER OVERLAY_FILTER DRAWBOX_FILTER SCALE_FILTER) += \
    $(addprefix fate-ffreel-yolodetect-, $(YD_TESTS))
