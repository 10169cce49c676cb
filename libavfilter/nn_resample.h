/*
 * Separable polyphase resampler
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


#ifndef AVFILTER_NN_RESAMPLE_H
#define AVFILTER_NN_RESAMPLE_H

#include <stddef.h>

/**
 * @file
 * One axis of a resampler: every output sample is a weighted sum of neighbouring
 * input samples. When it shrinks, the kernel is widened by the ratio, so that
 * nothing aliases. At the borders the edge sample is repeated. Weights of a
 * sample sum to 1: a flat input stays flat.
 *
 * Positions are in units of input samples, sample centres at whole numbers:
 * output sample i lies at start + i * ratio.
 */

enum NNKernel {
    NN_KERNEL_LANCZOS,      ///< three lobes
    NN_KERNEL_BICUBIC,      ///< Catmull-Rom
    NN_KERNEL_BILINEAR,
    NN_KERNEL_AREA,         ///< mean over the area covered; linear when enlarging
    NN_KERNEL_NB
};

typedef struct NNFilter {
    int    n_in, n_out;
    int    taps;            ///< weights per output sample, <= n_in
    int    identity;        ///< output i is input i
    int   *pos;             ///< [n_out] first input sample, 0 .. n_in - taps; never decreases
    float *coef;            ///< [n_out][taps]
    int    step;            ///< outputs run_start .. run_end-1 share one set of
    int    run_start;       ///< weights, step input samples apart; 0 = no such run
    int    run_end;
} NNFilter;

/**
 * @param f zeroed or used before (its old contents are freed)
 * @param ratio > 0
 * @return 0, AVERROR(EINVAL), AVERROR(ENOMEM)
 */
int ff_nn_filter_init(NNFilter *f, enum NNKernel kernel, int n_in, int n_out,
                      double ratio, double start);
void ff_nn_filter_free(NNFilter *f);

/** dst[0..n_out-1] from src[0..n_in-1]; they do not overlap. */
void ff_nn_filter_row(const NNFilter *f, float *dst, const float *src);

/**
 * The same down columns: output row i, n samples.
 * @param src input row f->pos[i]; f->taps rows, stride floats apart, are read
 */
void ff_nn_filter_column(const NNFilter *f, int i, float *dst, const float *src,
                         ptrdiff_t stride, int n);

#endif /* AVFILTER_NN_RESAMPLE_H */
