# Our objects. Included by libavfilter/Makefile; one line a feature.

# CUDA frames: with kernels where FFmpeg builds its own, else a stub that says so
FFREEL-CUDA := $(if $(CONFIG_FFNVCODEC),$(CONFIG_CUDA_LLVM)$(CONFIG_CUDA_NVCC))
CUDA-OBJS   := cudaframes.o $(if $(FFREEL-CUDA),cudafilter.o cudafilter_more.o cuda/load_helper.o,cudafilter_stub.o)
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

NN-OBJS := nn_graph.o nn_arch.o nn_load.o nn_load_safetensors.o nn_load_pth.o nn_load_yolo.o nn_yolo_pt.o nn_yolo_block.o nn_yolo_head.o \
           nn_unpickle.o nn_pkl.o nn_zip.o nn_load_ncnn.o nn_ncnn.o nn_number.o nn_cache.o \
           nn_engine.o nn_ref.o nn_builtin.o nn_torch.o nn_torch_load.o nn_torch_probe.o \
           nn_cuda.o nn_cuda_engine.o nn_cuda_file.o nn_cuda_memory.o nn_cuda_pack.o nn_cuda_plan.o $(CUDA-OBJS)
# nets of any shape: detectors, ONNX
NN-OBJS += nn_proto.o nn_onnx.o nn_onnx_graph.o nn_onnx_tensor.o nn_onnx_attr.o nn_onnx_op.o nn_onnx_constant.o \
           nn_net.o nn_net_shape.o nn_net_fuse.o nn_net_ref.o nn_net_engine.o nn_net_cache.o nn_graph_from_net.o nn_from_net_conv.o nn_from_net_size.o \
           nn_op.o nn_op_math.o nn_op_conv.o nn_op_pool.o nn_op_move.o nn_op_shape.o nn_op_index.o \
           nn_op_resize.o nn_op_reduce.o nn_op_select.o
NN-OBJS-$(CONFIG_LIBDNNL)          += nn_onednn.o nn_onednn_chain.o nn_onednn_graph.o \
                                      nn_dnnl.o nn_dnnl_net.o nn_strip.o \
                                      nn_net_onednn.o nn_net_plan.o nn_net_plan_op.o nn_net_plan_conv.o \
                                      nn_net_plan_move.o nn_net_plan_pic.o nn_net_plan_quant.o nn_net_block.o nn_net_plain.o \
                                      nn_net_rows.o nn_net_quant.o nn_net_quant_rows.o
ESRGAN-OBJS := esrgan_opt.o esrgan_pic.o esrgan_tile.o esrgan_props.o nn_frame.o nn_resample.o px_format.o scale_eval.o \
               $(NN-OBJS) $(NN-OBJS-yes)
OBJS-$(CONFIG_ESRGAN_FILTER)       += vf_esrgan.o esrgan_run.o $(ESRGAN-OBJS)
OBJS-$(CONFIG_ESRGAN_CUDA_FILTER)  += vf_esrgan_cuda.o esrgan_cuda.o $(ESRGAN-OBJS) $(call cuda-kernels,vf_esrgan_cuda)
libavfilter/vf_esrgan_cuda.ptx: $(addprefix libavfilter/,esrgan_kernel.h px.h px_cuda.h)
OBJS-$(CONFIG_YOLODETECT_FILTER)   += vf_yolodetect.o yolo_opt.o yolo_run.o yolo_pic.o yolo_head.o yolo_decode.o \
                                      yolo_nms.o yolo_tiles.o yolo_labels.o yolo_out.o yolo_file.o frame_clock.o \
                                      nn_frame.o px_format.o $(NN-OBJS) $(NN-OBJS-yes)

# the embedded weights; overlay.sh lays models/builtin.safetensors here by that name
libavfilter/nn_builtin.c: $(SRC_PATH)/libavfilter/nn_builtin.safetensors $(BIN2CEXE)
	$(BIN2C) $(patsubst $(SRC_PATH)/%,$(SRC_LINK)/%,$<) $@ nn_builtin

# boxes, tracks and keys: small, and wanted by ffreel and tests whatever filters are built
OBJS += yolo.o yolo_assign.o yolo_kalman.o yolo_track.o keytrack.o
