# Our FATE tests; lies as tests/fate/extra.mak in the FFmpeg tree.
include $(SRC_PATH)/tests/fate/ffreel-keyframecrop.mak
include $(SRC_PATH)/tests/fate/ffreel-esrgan.mak
include $(SRC_PATH)/tests/fate/ffreel-highlight.mak
include $(SRC_PATH)/tests/fate/ffreel-yolodetect.mak
include $(SRC_PATH)/tests/fate/ffreel-cuda.mak

FATE_FFMPEG += $(FATE_FFREEL-yes)
fate-ffreel: $(FATE_FFREEL-yes)
