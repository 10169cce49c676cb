# Our objects. Included by libavfilter/Makefile; one line a feature.

# CUDA frames: with kernels where FFmpeg builds its own, else a stub that says so
FFREEL-CUDA := $(if $(CONFIG_FFNVCODEC),$(CONFIG_CUDA_LLVM)$(CONFIG_CUDA_NVCC))
CUDA-OBJS   := cudaframes.o $(if $(FFREEL-CUDA),cudafilter.o cuda/load_helper.o,cudafilter_stub.o)
cuda-kernels = $(if $(FFREEL-CUDA),$(1:%=%.ptx.o))

OBJS-$(CONFIG_KEYFRAMECROP_FILTER) += vf_keyframecrop.o keyframecrop_size.o keytrack.o keytrack_text.o \
                                      keytrack_json.o crop_cuda.o crop_frame.o crop_geom.o crop_load.o \
                                      crop_render.o crop_resample.o crop_rot.o crop_tables.o crop_taps.o slice_jobs.o \
                                      frame_clock.o px_format.o $(CUDA-OBJS) $(call cuda-kernels,vf_keyframecrop_cuda)

# FFmpeg's rule for kernels knows the .cu alone: without these an edited header leaves them stale
libavfilter/vf_keyframecrop_cuda.ptx: $(addprefix libavfilter/,crop_kernel.h crop_px.h px.h px_cuda.h)

HIGHLIGHT-OBJS := highlight_opt.o highlight_load.o highlight_follow.o highlight_look.o highlight_old.o \
                  highlight_tab.o highlight_layout.o highlight_cv.o frame_clock.o keytrack.o keytrack_text.o keytrack_json.o \
                  crop_geom.o px_format.o
OBJS-$(CONFIG_HIGHLIGHT_FILTER)    += vf_highlight.o highlight_render.o highlight_row.o highlight_blur.o slice_jobs.o \
                                      $(HIGHLIGHT-OBJS)
OBJS-$(CONFIG_HIGHLIGHT_CUDA_FILTER) += vf_highlight_cuda.o highlight_cuda.o $(HIGHLIGHT-OBJS) \
                                      $(CUDA-OBJS) $(call cuda-kernels,vf_highlight_cuda)
libavfilter/vf_highlight_cuda.ptx: $(addprefix libavfilter/,highlight_kernel.h highlight_blur_px.h highlight_px.h px.h px_cuda.h)

# what is computed in double for the exact filters: one rounding an operation on every machine, while
# clang makes one of a * b + c where it can (AArch64)
EXACT-OBJS := keytrack.o frame_clock.o px_format.o crop_geom.o crop_rot.o crop_tables.o crop_taps.o \
              highlight_tab.o highlight_look.o highlight_old.o highlight_follow.o highlight_cv.o
$(addprefix libavfilter/,$(EXACT-OBJS)): CFLAGS += -ffp-contract=off

NN-OBJS := nn_graph.o nn_arch.o nn_load.o nn_load_safetensors.o nn_load_pth.o \
           nn_unpickle.o nn_pkl.o nn_zip.o nn_load_ncnn.o nn_ncnn.o nn_number.o nn_cache.o \
           nn_engine.o nn_ref.o nn_builtin.o nn_torch.o nn_torch_load.o nn_torch_probe.o
NN-OBJS-$(CONFIG_LIBDNNL)          += nn_onednn.o nn_onednn_chain.o nn_onednn_graph.o \
                                      nn_dnnl.o nn_strip.o
OBJS-$(CONFIG_ESRGAN_FILTER)       += vf_esrgan.o esrgan_run.o esrgan_pic.o esrgan_tile.o \
                                      esrgan_props.o nn_frame.o nn_resample.o px_format.o scale_eval.o \
                                      $(NN-OBJS) $(NN-OBJS-yes)

# the embedded weights; overlay.sh lays models/builtin.safetensors here by that name
libavfilter/nn_builtin.c: $(SRC_PATH)/libavfilter/nn_builtin.safetensors $(BIN2CEXE)
	$(BIN2C) $(patsubst $(SRC_PATH)/%,$(SRC_LINK)/%,$<) $@ nn_builtin
