/*
 * LibTorch behind a C interface
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */

#ifndef FFREEL_TORCH_SHIM_H
#define FFREEL_TORCH_SHIM_H

#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * libffreel_torch.so runs TorchScript files by LibTorch. It is a shared object of
 * its own, loaded when a filter asks for it (libavfilter/nn_torch_load.c), so that
 * ffmpeg needs no LibTorch to start and no C++ to build. Nothing of C++ passes
 * through here: no type, no exception.
 *
 * A function that can fail returns 0 or one of the codes below and then writes one
 * line into err (size bytes, terminated). A net is used by one thread at a time;
 * different nets by different threads at once.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Changes with anything below; looked at before all else. */
#define FFREEL_TORCH_ABI  1
#define FFREEL_TORCH_DIMS 8

enum {
    FFREEL_TORCH_FILE   = -1,   ///< not there, broken, or no TorchScript
    FFREEL_TORCH_MEMORY = -2,
    FFREEL_TORCH_DEVICE = -3,   ///< not there, or not in this LibTorch
    FFREEL_TORCH_NET    = -4,   ///< the net does not run on what it was given
    FFREEL_TORCH_RESULT = -5,   ///< what it gives is no tensor, or of no use here
    FFREEL_TORCH_OTHER  = -6,
};

enum FFreelTorchType {
    FFREEL_TORCH_F32,
    FFREEL_TORCH_F16,
    FFREEL_TORCH_BF16,
    FFREEL_TORCH_I64,
};

/** Strides count elements and may be anything: tensors are used where they lie. */
typedef struct FFreelTorchTensor {
    void   *data;
    int     type;                       ///< enum FFreelTorchType
    int     on_device;                  ///< 1: an address of the net's CUDA device; 0: of the host
    int     nb_dims;
    int64_t dims[FFREEL_TORCH_DIMS], strides[FFREEL_TORCH_DIMS]; ///< outermost first
} FFreelTorchTensor;

typedef struct FFreelTorchOptions {
    const char *path;
    const char *device;                 ///< "cpu", "cuda" or "cuda:N"
    int         type;                   ///< weights and arithmetic; not I64
    int         threads;                ///< that a run on the CPU may use; >= 1
    int         channels_last;          ///< 1: weights and inputs pixel by pixel, which convolutions run faster on;
                                        ///< a net that insists on planes (Tensor.view) fails then
} FFreelTorchOptions;

typedef struct FFreelTorch FFreelTorch;

/** FFREEL_TORCH_ABI of the header it was built with */
int ffreel_torch_abi(void);

/** for people: "LibTorch 2.6.0" */
const char *ffreel_torch_version(void);

/** CUDA devices that LibTorch can use; 0 also where it was built without CUDA */
int ffreel_torch_nb_cuda(void);

/** Read a file. *net is NULL on failure. */
int ffreel_torch_open(FFreelTorch **net, const FFreelTorchOptions *opt, char *err, size_t size);
void ffreel_torch_close(FFreelTorch **net);

/** parameters (not buffers) */
int64_t ffreel_torch_nb_params(const FFreelTorch *net);

/**
 * Run. The inputs are borrowed until the results are dropped; they become of the
 * net's type (without a copy where they are so already).
 * @param stream CUstream on which inputs are ready and work is queued, without waiting
 *               for it; NULL = the default stream. Ignored on the CPU
 */
int ffreel_torch_run(FFreelTorch *net, const FFreelTorchTensor *in, int nb_in, void *stream,
                     char *err, size_t size);

/** tensors of the last run: 1, or those of a tuple, list or dict in its order */
int ffreel_torch_nb_results(const FFreelTorch *net);

/**
 * Look at a result; the net owns it until its next run or close.
 * @param host 1: in host memory and F32 or I64, waited for;
 *             0: where and as it is (on the net's stream)
 */
int ffreel_torch_result(FFreelTorch *net, int i, int host, FFreelTorchTensor *t, char *err, size_t size);

/** most bytes that the last run held at once on the CPU, beside weights and inputs */
int64_t ffreel_torch_peak(const FFreelTorch *net);

#ifdef __cplusplus
}
#endif

#endif /* FFREEL_TORCH_SHIM_H */
