/*
 * Super-resolution: what the filters for software and CUDA frames share
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

#ifndef AVFILTER_ESRGAN_H
#define AVFILTER_ESRGAN_H

/**
 * @file
 * What esrgan (vf_esrgan.c) and esrgan_cuda (vf_esrgan_cuda.c) have in common:
 * options, the model, sizes.
 */

#include "avfilter.h"
#include "esrgan_pic.h"
#include "nn_engine.h"

/** First in the context of either filter. */
typedef struct ESRGANContext {
    const AVClass *class;

    /* options */
    char  *model, *wdn, *engine, *device, *kernels;
    int    precision;
    double scale;
    char  *w_expr, *h_expr;
    float  denoise, strength;
    int    tile, halo;
    int    dedup, skip, prescale, kernel;

    const NNGraph *graph;           ///< give back with ff_nn_model_unref()
    int            warned_interlaced;
} ESRGANContext;

extern const AVClass ff_esrgan_class;

/** Checks options; opens nothing. */
int  ff_esrgan_init(AVFilterContext *ctx);

/**
 * The model, the output's size and aspect, and what the net sees.
 * @param g   iw, ih, ow, oh, nw, nh and kernel are set
 * @param net receives 0 where the output is not larger than the input: plain resampling
 */
int  ff_esrgan_config(AVFilterLink *inlink, AVFilterLink *outlink, ESRGANGeometry *g, int *net);

/** What becomes of a frame's sample aspect ratio. */
AVRational ff_esrgan_sar(const ESRGANContext *s, const AVFilterLink *in, const AVFilterLink *out, AVRational sar);

/** Says once that interlaced frames had better be deinterlaced. */
void ff_esrgan_warn_interlaced(AVFilterContext *ctx, const AVFrame *in);

#endif /* AVFILTER_ESRGAN_H */
