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

# esrgan_cuda is bounded, not exact: frames that come as close to those of engine ref as docs/engines.md has
# it are listed, painted over, as in ffreel-esrgan.mak
SR_SRC = testsrc2=s=34x26:r=5:d=0.4,scale
SR_REF = esrgan=engine=ref:precision=fp32:dedup=0
# (hwdownload of FFmpeg leaves out the last row of chroma where a height is odd: these are even)
# sr_gate NAME, FORMAT, OPTIONS OF BOTH, OPTIONS OF esrgan_cuda ALONE, FILTERS AND CONDITION
# psnr does not take all these formats
sr_wide  = scale,format=yuv444p16le
sr_psnr  = psnr,metadata=select:key=lavfi.psnr.psnr_avg:function=greater:value=50
sr_codes = lut2=abs(x-y):abs(x-y):abs(x-y),signalstats,metadata=select:key=lavfi.signalstats.YMAX:function=less:value=3,metadata=select:key=lavfi.signalstats.UMAX:function=less:value=3,metadata=select:key=lavfi.signalstats.VMAX:function=less:value=3
define sr_gate
fate-ffreel-cuda-esrgan-$(1): CMD = framecrc -lavfi "$$(SR_SRC),format=$(2),split[a][b];[a]hwupload_cuda,esrgan_cuda=dedup=0$(3)$(4),hwdownload,format=$(2)$(if $(filter sr_psnr,$(5)),$(comma)$$(sr_wide))[x];[b]$$(SR_REF)$(3)$(if $(filter sr_psnr,$(5)),$(comma)$$(sr_wide))[y];[x][y]$$($(5)),$$(ESRGAN_BLANK)"
fate-ffreel-cuda-esrgan-$(1): REF = $(SRC_PATH)/tests/ref/fate/ffreel-esrgan-cuda-$(1)
SR_TESTS += $(1)
endef
$(foreach F,yuv420p nv12 p010le p016le yuv444p yuv444p16le rgb0 bgr0,$(eval $(call sr_gate,fmt-$(F),$(F),,,sr_psnr)))
$(eval $(call sr_gate,codes,yuv420p,,,sr_codes))
$(eval $(call sr_gate,codes444,yuv444p,,,sr_codes))
$(eval $(call sr_gate,tile,yuv420p,,:tile=16,sr_psnr))
$(eval $(call sr_gate,resize,yuv420p,:w=84:h=62,,sr_psnr))
$(eval $(call sr_gate,prescale,nv12,:scale=2:prescale=auto,,sr_psnr))
$(eval $(call sr_gate,strength,yuv420p,:strength=0.4,,sr_psnr))
$(eval $(call sr_gate,skip,yuv420p,:w=30:h=20,,sr_psnr))
FATE_CUDA-$(call CUDA_ON, ESRGAN_FILTER ESRGAN_CUDA_FILTER SPLIT_FILTER PSNR_FILTER METADATA_FILTER LUTYUV_FILTER SCALE_FILTER LUT2_FILTER SIGNALSTATS_FILTER) += $(addprefix fate-ffreel-cuda-esrgan-, $(SR_TESTS))

FATE_HW-yes += $(FATE_CUDA-yes)
fate-ffreel-cuda: $(FATE_CUDA-yes)
