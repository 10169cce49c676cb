/*
 * Filters on CUDA frames: what cudafilter.c and cudafilter_more.c share
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

#ifndef AVFILTER_CUDAFILTER_INTERNAL_H
#define AVFILTER_CUDAFILTER_INTERNAL_H

#include "libavutil/hwcontext_cuda_internal.h"

#include "cudafilter.h"

#define CUDA_OUT_OF_MEMORY 2        ///< ffnvcodec's header names few results

struct CudaFilter {
    AVFilterContext     *ctx;
    AVBufferRef         *device;
    AVCUDADeviceContext *hw;
    CudaFunctions       *cu;
    const CudaModule    *module;
    CUmodule             loaded;
    CUfunction          *kernels;
};

/** 0, or an error after a line of log; what, name: as in "cannot load 'x'" */
int ff_cf_check(const CudaFilter *f, CUresult err, const char *what, const char *name);

/** The device's context is current between these two. */
int ff_cf_push(const CudaFilter *f);
/** @return err, or what went wrong meanwhile */
int ff_cf_pop(const CudaFilter *f, int err);

/** A kernel may take all the shared memory that the device gives to a block. */
int ff_cf_allow_shared(const CudaFilter *f, CUfunction kernel);

#endif /* AVFILTER_CUDAFILTER_INTERNAL_H */
