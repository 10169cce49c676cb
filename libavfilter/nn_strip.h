/*
 * Nets on the CPU: what is done to tensors between convolutions
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

#ifndef AVFILTER_NN_STRIP_H
#define AVFILTER_NN_STRIP_H

/**
 * @file
 * Activations, conversions and shuffles over strips of NHWC tensors that are
 * still in cache. bf16 is the upper half of a float, rounded to nearest even.
 */

#include <stddef.h>
#include <stdint.h>

/**
 * The activation of all of them: x < 0 ? slope[channel] * x : x, for any slope
 * (no max(): slopes lie outside [0,1]). NaN stays NaN.
 */
typedef struct NNStripDSP {
    const char *name;
    /** in place, nb pixels of c channels */
    void (*act_f32)(float *x, const float *slope, size_t nb, int c);
    void (*act_bf16)(uint16_t *x, const float *slope, size_t nb, int c);
    /** dst = bf16(act(src)) */
    void (*act_narrow)(uint16_t *dst, const float *src, const float *slope, size_t nb, int c);
    void (*narrow)(uint16_t *dst, const float *src, size_t nb);
    void (*widen)(float *dst, const uint16_t *src, size_t nb);
    /** dst = a * sa + b * sb; dst may be a or b */
    void (*add)(float *dst, const float *a, float sa, const float *b, float sb, size_t nb);
} NNStripDSP;

/** The fastest for this CPU and -cpuflags. */
const NNStripDSP *ff_nn_strip_dsp(void);
/** The same by rising speed, for tests and benches; NULL past the last that this CPU has. */
const NNStripDSP *ff_nn_strip_variant(int i);

/** dst[x * c + k] = in[k][x] for x < w */
void ff_nn_interleave(float *dst, const float *const *in, int c, int w);

/**
 * One row of pixels of c * f * f channels, in the channel order of a pixel
 * shuffle, becomes f rows of each of c planes; with skip (c rows of w floats)
 * each of the f * f samples has the pixel's skip value added.
 * @param out where the first of the f rows begins in each plane
 */
void ff_nn_shuffle_row(float *const *out, ptrdiff_t out_stride, const float *src,
                       const float *const *skip, int c, int f, int w);

#endif /* AVFILTER_NN_STRIP_H */
