/*
 * The words that CUDA kernels over *_px.h are written in
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

#ifndef AVFILTER_PX_CUDA_H
#define AVFILTER_PX_CUDA_H

/**
 * @file
 * Kernels (vf_*_cuda.cu) keep to what C and CUDA C++ have in common, so that
 * three compilers take the same text: clang with FFmpeg's own small
 * cuda_runtime.h, nvcc, and a C compiler, for which tests/cuda_host.h defines
 * these words and runs the kernel over its grid.
 *
 * CUDA_KERNEL name(const XParams p)
 *                 one struct by value; sizes are in it, as a grid is rounded up
 * CUDA_SHARED     memory of a block
 * CUDA_THREADS(t) { ... }
 *                 a phase of a kernel that uses CUDA_SHARED: t numbers the
 *                 threads of the block, along x first. On a GPU each thread runs
 *                 it once for itself; on the host one call runs it for all, so
 *                 nothing may be carried from phase to phase but through
 *                 CUDA_SHARED. All that such a kernel does is in phases.
 * CUDA_SYNC()     between phases, outside of them
 *
 * CUDA_UNROLL     before a loop over an array that is to stay in registers
 *
 * A kernel without shared memory may as well use threadIdx.
 */

#include "px.h"

#ifndef PX_CUDA_HOST

#ifdef __CUDACC__
#define CUDA_KERNEL extern "C" __global__ void
#define CUDA_SHARED __shared__
#else
#define CUDA_KERNEL extern "C" __attribute__((global)) void
#define CUDA_SHARED __attribute__((shared))
#endif
#define CUDA_THREADS(t) \
    for (int t = (int)(threadIdx.x + threadIdx.y * blockDim.x), t ## _end = t + 1; t < t ## _end; t++)
#define CUDA_SYNC() __syncthreads()
#define CUDA_UNROLL _Pragma("unroll")

#endif /* PX_CUDA_HOST */

/** four bytes of samples, read or written at once; the address is a multiple of 4 */
#if defined(__GNUC__) && !defined(__CUDACC__)
typedef unsigned __attribute__((may_alias)) px_word;
#else
typedef unsigned px_word;
#endif

/** four bytes from byte shift (0..3) of lo on, hi being the word after it */
PX_FN unsigned px_word_at(unsigned lo, unsigned hi, int shift)
{
    return (unsigned)(((unsigned long long)hi << 32 | lo) >> (8 * shift));
}

#endif /* AVFILTER_PX_CUDA_H */
