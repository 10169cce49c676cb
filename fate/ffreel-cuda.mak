# Filters on CUDA frames: the pictures of the tests on software frames, against the same references.
# They need a GPU, or the driver of tests/fakecuda, so they are in FATE_HW and run by tests/run with
# the latter, and by tests/gpu/run with the former.
CUDA_DEPS = HWUPLOAD_CUDA_FILTER HWDOWNLOAD_FILTER FORMAT_FILTER TESTSRC2_FILTER LAVFI_INDEV RAWVIDEO_ENCODER FRAMECRC_MUXER
CUDA_ON   = $(if $(CONFIG_CUDA_LLVM)$(CONFIG_CUDA_NVCC),$(call ALLYES, FFMPEG $(CUDA_DEPS) $(1)))

# on_cuda NAME, SOURCE, FORMAT, FILTERS, REFERENCE: a test of its own, up and down by hwupload_cuda and hwdownload
define on_cuda
fate-ffreel-cuda-$(1): CMD = framecrc -lavfi "$(2)$(comma)format=$(3)$(comma)hwupload_cuda$(comma)$(4)$(comma)hwdownload$(comma)format=$(3)" -pix_fmt $(3)
fate-ffreel-cuda-$(1): REF = $(SRC_PATH)/tests/ref/fate/ffreel-$(5)
endef

$(foreach T,$(KFC_TESTS),$(eval $(call on_cuda,keyframecrop-$(T),$$(KFC_SRC),yuv420p,keyframecrop=$$(KFC_$(T)),keyframecrop-$(T))))
FATE_CUDA-$(call CUDA_ON, KEYFRAMECROP_FILTER) += $(addprefix fate-ffreel-cuda-keyframecrop-, $(KFC_TESTS))

$(eval $(call on_cuda,keyframecrop-cropped,$$(KFC_SRC),yuv420p,$$(KFC_CROP)$(comma)keyframecrop=$$(KFC_cropped2),keyframecrop-cropped))
FATE_CUDA-$(call CUDA_ON, KEYFRAMECROP_FILTER CROP_FILTER) += fate-ffreel-cuda-keyframecrop-cropped

# the other way up, with the device that ffmpeg gives to filters
fate-ffreel-cuda-keyframecrop-hwupload: CMD = framecrc -init_hw_device cuda=gpu -filter_hw_device gpu -lavfi "$(KFC_SRC),format=yuv420p,hwupload,keyframecrop=$(KFC_pan),hwdownload,format=yuv420p"
fate-ffreel-cuda-keyframecrop-hwupload: REF = $(SRC_PATH)/tests/ref/fate/ffreel-keyframecrop-pan
FATE_CUDA-$(call CUDA_ON, KEYFRAMECROP_FILTER HWUPLOAD_FILTER) += fate-ffreel-cuda-keyframecrop-hwupload

# formats that hwupload_cuda takes; FFmpeg 7.1 has the first line only, as it has no pad_cuda
KFC_CUDA_FORMATS-yes                       = yuv420p nv12 yuva420p yuv444p p010le
KFC_CUDA_FORMATS-$(CONFIG_PAD_CUDA_FILTER) += bgra nv16 yuv422p p210le yuv420p10le
KFC_CUDA_FORMATS := $(KFC_CUDA_FORMATS-yes)
$(foreach F,$(KFC_CUDA_FORMATS),$(eval $(call on_cuda,keyframecrop-fmt-$(F),$$(KFC_FMT_SRC),$(F),keyframecrop=$$(KFC_FMT),keyframecrop-fmt-$(F))))
FATE_CUDA-$(call CUDA_ON, KEYFRAMECROP_FILTER) += $(addprefix fate-ffreel-cuda-keyframecrop-fmt-, $(KFC_CUDA_FORMATS))

$(foreach T,$(HL_TESTS),$(eval $(call on_cuda,highlight-$(T),$$(HL_SRC),yuv420p,highlight_cuda=$$(HL_$(T)),highlight-$(T))))
$(foreach F,$(KFC_CUDA_FORMATS),$(eval $(call on_cuda,highlight-fmt-$(F),$$(HL_FMT_SRC),$(F),highlight_cuda=$$(HL_FMT1)$(comma)highlight_cuda=$$(HL_FMT2),highlight-fmt-$(F))))
FATE_CUDA-$(call CUDA_ON, HIGHLIGHT_CUDA_FILTER) += $(addprefix fate-ffreel-cuda-highlight-, $(HL_TESTS) $(addprefix fmt-, $(KFC_CUDA_FORMATS)))
$(eval $(call on_cuda,highlight-cropped,$$(HL_SRC),yuv420p,$$(HL_CROP)$(comma)highlight_cuda=$$(HL_dark_overlay),highlight-cropped))
fate-ffreel-cuda-highlight-cropped: CMD = framecrc -lavfi "$(HL_SRC),format=yuv420p,hwupload_cuda,$(HL_CROP),highlight_cuda=$(HL_dark_overlay),hwdownload,format=yuv420p,$(HL_CROP)"
FATE_CUDA-$(call CUDA_ON, HIGHLIGHT_CUDA_FILTER CROP_FILTER) += fate-ffreel-cuda-highlight-cropped

FATE_HW-yes += $(FATE_CUDA-yes)
fate-ffreel-cuda: $(FATE_CUDA-yes)
