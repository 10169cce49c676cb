/*
 * Runs the text of a CUDA kernel over its grid on the CPU
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

#ifndef FFREEL_TESTS_CUDA_HOST_H
#define FFREEL_TESTS_CUDA_HOST_H

/**
 * @file
 * Include this, then a libavfilter/vf_*_cuda.cu, then make a table of its
 * kernels from the list in its header:
 *
 *   #include "cuda_host.h"
 *   #include "libavfilter/vf_keyframecrop_cuda.cu"
 *   CROP_CUDA_KERNELS(CUDA_HOST_FN)
 *   static const CudaHostKernel kernels[] = { CROP_CUDA_KERNELS(CUDA_HOST_ROW) };
 *
 * Blocks run one after the other, and so do the threads of a block. That is
 * sound: threads of a launch may not talk but through CUDA_SHARED, and a
 * kernel that uses it does all in CUDA_THREADS phases, each of which the first
 * thread's call runs for the whole block (px_cuda.h). threadIdx in a phase would
 * not compile into what a GPU does, so kernels have t there. What a warp does as
 * one (tensor cores): cuda_host_mma.h.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PX_CUDA_HOST

typedef struct CudaHostDim {
    unsigned x, y, z;
} CudaHostDim;

/* ffmpeg runs filters of several graphs at once */
static _Thread_local CudaHostDim blockIdx, blockDim, threadIdx;

/* a block's dynamic shared memory, of exactly the size of the launch */
static _Thread_local unsigned char *cuda_host_dynamic;

#define CUDA_KERNEL static void
#define CUDA_KERNEL_OF(threads, name) static void name
#define CUDA_SHARED
#define CUDA_SYNC() ((void)0)
#define CUDA_UNROLL
#define CUDA_THREADS(t) \
    for (int t = 0, t ## _end = !threadIdx.x && !threadIdx.y ? (int)(blockDim.x * blockDim.y) : 0; t < t ## _end; t++)

/** grid, block: in blocks, in threads */
typedef struct CudaHostKernel {
    const char *name;
    size_t size;                ///< of its params
    void (*run)(CudaHostDim grid, CudaHostDim block, size_t dynamic, const void *params);
} CudaHostKernel;

static inline void cuda_host_run(void (*fn)(const void *params), CudaHostDim grid, CudaHostDim block, size_t dynamic,
                                 const void *params)
{
    blockDim = block;
    cuda_host_dynamic = dynamic ? malloc(dynamic) : NULL;
    if (dynamic && !cuda_host_dynamic)
        abort();
    for (blockIdx.z = 0; blockIdx.z < grid.z; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++)
                for (threadIdx.y = 0; threadIdx.y < block.y; threadIdx.y++)
                    for (threadIdx.x = 0; threadIdx.x < block.x; threadIdx.x++)
                        fn(params);
    free(cuda_host_dynamic);
}

#define CUDA_HOST_FN(name, type)                                                                    \
    static void cuda_host_thread_ ## name(const void *params)                                       \
    {                                                                                               \
        type p;                                                                                     \
        memcpy(&p, params, sizeof(p));                                                              \
        name(p);                                                                                    \
    }                                                                                               \
    static void cuda_host_ ## name(CudaHostDim grid, CudaHostDim block, size_t dynamic,             \
                                   const void *params)                                              \
    {                                                                                               \
        cuda_host_run(cuda_host_thread_ ## name, grid, block, dynamic, params);                     \
    }
#define CUDA_HOST_ROW(name, type) { #name, sizeof(type), cuda_host_ ## name },

#endif /* FFREEL_TESTS_CUDA_HOST_H */
