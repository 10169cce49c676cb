/*
 * Nets on the GPU
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

#ifndef AVFILTER_NN_CUDA_H
#define AVFILTER_NN_CUDA_H

/**
 * @file
 * Runs graphs on tensor cores: fp16 in memory, fp32 sums. What NNTile is to an
 * engine on the CPU, NNCudaTile is here, with addresses of the device; a run is
 * queued on FFmpeg's stream and nothing waits for it.
 *
 *   ff_nn_cuda_open()     kernels of this GPU's kind, packed weights
 *   ff_nn_cuda_reserve()  memory for tiles of up to w x h
 *   ff_nn_cuda_run()      any number of tiles
 *
 * Kernels are files (nn.sm_90.cubin, nn.compute_80.ptx, ...), looked for in the folder
 * given, else in "kernels" and "../share/ffreel/kernels" beside the program.
 */

#include <stddef.h>

#include "libavutil/buffer.h"

#include "avfilter.h"
#include "cudafilter.h"
#include "nn_engine.h"

typedef struct NNCuda NNCuda;

typedef struct NNCudaTile {
    const float *in[4];         ///< one fp32 plane a channel
    ptrdiff_t    in_stride;     ///< floats
    int          w, h;          ///< multiples of NNGraph.align
    int          left, top, right, bottom;  ///< margins, as in NNTile
    float       *out[4];        ///< (w - left - right) * scale wide, (h - top - bottom) * scale high
    ptrdiff_t    out_stride;
    int          codes;         ///< clip to 0..1, and out[i] = m[i][0..2] * rgb + m[i][3]
    float        m[3][4];
    int         *flag;          ///< set to mark if a result is not finite; NULL: not looked for
    int          mark;
} NNCudaTile;

/**
 * @param ctx     for log lines; borrowed
 * @param device  borrowed
 * @param g       borrowed; outlives the object
 * @param kernels folder of the kernels, or NULL
 * @return AVERROR(ENOSYS): not this graph, precision or GPU
 */
int  ff_nn_cuda_open(NNCuda **n, AVFilterContext *ctx, AVBufferRef *device, const NNGraph *g,
                     enum NNPrecision precision, const char *kernels);
void ff_nn_cuda_close(NNCuda **n);

/** bytes of the device that tiles of w x h need */
size_t ff_nn_cuda_bytes(NNCuda *n, int w, int h);

/** Take that memory. @return AVERROR(ENOMEM) without a message: try smaller tiles */
int  ff_nn_cuda_reserve(NNCuda *n, int w, int h);

int  ff_nn_cuda_run(NNCuda *n, const NNCudaTile *t);

/** borrowed: for buffers, launches' end, times */
CudaFilter *ff_nn_cuda_filter(NNCuda *n);

/** What kernels were loaded from, for log lines. */
const char *ff_nn_cuda_file(const NNCuda *n);

/* ---- kernel files (nn_cuda_file.c) ------------------------------------------------- */

/**
 * The i-th best file of kernels for a device, in the folder given or in those
 * beside the program; NULL: there are no more.
 * @param data, size  receive its content, with a 0 behind it; av_free()
 * @return its path, av_free(), with *err 0, or the error with which it cannot be read;
 *         NULL with *err 0 or AVERROR(ENOMEM)
 */
char *ff_nn_cuda_find(int i, int capability, const char *kernels, unsigned char **data, unsigned *size, int *err);

#endif /* AVFILTER_NN_CUDA_H */
