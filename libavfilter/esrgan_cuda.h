/*
 * Super-resolution on CUDA frames: one frame
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

#ifndef AVFILTER_ESRGAN_CUDA_H
#define AVFILTER_ESRGAN_CUDA_H

#include <stdint.h>

#include "libavutil/buffer.h"
#include "libavutil/frame.h"

#include "avfilter.h"
#include "cudafilter.h"
#include "esrgan_kernel.h"
#include "esrgan_pic.h"
#include "esrgan_tile.h"
#include "nn_cuda.h"

/**
 * @file
 * frame --esrgan_in--> fp32 RGB --tiles through the net--> fp32 codes
 * --esrgan_out--> frame, all on the device and queued on FFmpeg's stream.
 */

typedef struct ESRGANCudaParams {
    AVFilterContext *ctx;
    AVBufferRef     *device;    ///< borrowed while opening
    ESRGANGeometry   geo;       ///< scale and align are taken from the graph
    enum AVPixelFormat format;  ///< of the samples
    const NNGraph   *graph;     ///< borrowed; NULL = plain resampling only
    enum NNPrecision precision;
    int              tile, halo;///< as in ESRGANRunParams
    const char      *kernels;   ///< borrowed while opening
} ESRGANCudaParams;

enum ESRGANCudaStage { ESRGAN_CUDA_IN, ESRGAN_CUDA_NET, ESRGAN_CUDA_OUT, ESRGAN_CUDA_STAGES };

/** Zeroed before first use. */
typedef struct ESRGANCuda {
    ESRGANCudaParams par;
    ESRGANPic   pic;            ///< format, color and filters; its memory for pictures is not used
    ESRGANPlan  plan;
    CudaFilter *cuda;
    NNCuda     *net;
    CudaBuffer  rgb, result;    ///< three planes each: what the net sees, codes of what it gives
    ptrdiff_t   rgb_stride, result_stride;  ///< floats
    CudaBuffer  tables;
    SrFilters   in, out, plain; ///< tables on the device
    double      siting[2];      ///< for which they were made
    int        *flag;           ///< of the host: last frame whose result was not finite
    int         frames;         ///< made
    CudaClock  *clock;
    int         timing;         ///< marks of a frame are on their way
    int         timed;          ///< frames measured
    double      ms[ESRGAN_CUDA_STAGES];     ///< of these together
} ESRGANCuda;

/** Open the engine, plan tiles, take memory. ff_esrgan_cuda_close() in any case. */
int  ff_esrgan_cuda_open(ESRGANCuda *c, const ESRGANCudaParams *par);
void ff_esrgan_cuda_close(ESRGANCuda *c);

/**
 * Queue what makes out of in.
 * @param strength 0..1; 0 without a graph
 * @return 0, or an error after a line of log
 */
int  ff_esrgan_cuda_frame(ESRGANCuda *c, AVFrame *out, const AVFrame *in, float strength);

/** Waits for all frames. @return 0, or an error if one of them was not finite */
int  ff_esrgan_cuda_finish(ESRGANCuda *c);

#endif /* AVFILTER_ESRGAN_CUDA_H */
