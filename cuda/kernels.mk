# Kernels of nets as files: BUILD/kernels/nn.*.  make -f cuda/kernels.mk BUILD=build/9.0.2-release
#
# PTX by clang (by nvcc where there is no clang): for every chip from its capability on; the driver
# compiles it when it is loaded. Its version is low, so that drivers of 2020 take it.
# cubin by nvcc, where there is one: machine code for one kind of chip, loaded at once.
# None of this is linked into ffmpeg: a binary that finds no kernels runs all but esrgan_cuda.

TOP   := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))..
BUILD ?= $(error BUILD is not set: a build of ours)
OUT   := $(BUILD)/kernels
TREE  := $(TOP)/$(shell sed -n 's/^FFTREE *= *//p' $(BUILD)/config.mk)
CLANG ?= clang
NVCC  ?= nvcc
Q     := $(if $(filter 1,$(V)),,@)

have = $(shell command -v $(1) 2> /dev/null)

DEPS := $(addprefix $(TOP)/,cuda/nn.cu cuda/nn_conv3.h cuda/nn_ops.h cuda/cuda_mma.h \
          libavfilter/nn_cuda_kernel.h libavfilter/px.h libavfilter/px_cuda.h cuda/kernels.mk)
INC  := -I$(TOP)/libavfilter -I$(TOP)/cuda

CUBINS := $(if $(call have,$(NVCC)),$(foreach A,75 80 86 89 90,$(OUT)/nn.sm_$(A).cubin))
PTX    := $(OUT)/nn.compute_75.ptx $(OUT)/nn.compute_80.ptx

all: $(PTX) $(CUBINS)

# the first version of PTX that knows the instructions of a capability
$(OUT)/nn.compute_75.ptx: PTXV := 65
$(OUT)/nn.compute_80.ptx: PTXV := 70

CLANGFLAGS = -x cuda --cuda-gpu-arch=sm_$* -O3 -std=c++11 -S -nocudalib -nocudainc --cuda-device-only \
             -Xclang -target-feature -Xclang +ptx$(PTXV) -Wall -Wno-unknown-cuda-version -Wno-c++11-narrowing \
             -Wno-unused-function -include $(TREE)/compat/cuda/cuda_runtime.h

# two lines, so that a compiler that fails leaves no file
$(OUT)/nn.compute_%.ptx: $(DEPS)
	$(Q)mkdir -p $(OUT)
	$(Q)$(if $(call have,$(CLANG)),$(CLANG) $(CLANGFLAGS),$(NVCC) -ptx -arch=compute_$* -O3) -DNN_CUDA_ARCH=$* $(INC) $< -o $@.new
	$(Q)mv $@.new $@

$(OUT)/nn.sm_%.cubin: $(DEPS)
	$(Q)mkdir -p $(OUT)
	$(Q)$(NVCC) -cubin -arch=sm_$* -O3 -DNN_CUDA_ARCH=$* $(INC) $< -o $@.new
	$(Q)mv $@.new $@

# what each kernel takes on each chip, as ptxas says it: the table in docs/engines.md
report:
	$(Q)for a in 75 80 86 89 90; do \
	    $(NVCC) -cubin -arch=sm_$$a -O3 -Xptxas -v -DNN_CUDA_ARCH=$$a $(INC) $(TOP)/cuda/nn.cu -o /dev/null 2>&1 | awk -v chip=sm_$$a ' \
	        /Compiling/ { split($$0, q, "\047"); name = q[2] } \
	        /bytes stack/ { stack = $$1; spill = $$5 + $$9 } \
	        / Used / { match($$0, /Used [0-9]+/); print chip, name, substr($$0, RSTART + 5, RLENGTH - 5), stack, spill }'; \
	done

.PHONY: all report
