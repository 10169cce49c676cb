/*
 * Engine onednn for nets of any shape: the vector loops of int8
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

#ifndef AVFILTER_NN_NET_QUANT_H
#define AVFILTER_NN_NET_QUANT_H

/**
 * @file
 * Values lie in blocks of 16 channels. A range only grows; where a value is not a finite
 * number, hi becomes infinite.
 */

#include <stdint.h>

#define NN_LANES 16

/**
 * From sums of bytes to values, by channel:
 *     (sum - zero of x * sum of w's bytes) * scale of x * scale of w + bias
 */
typedef struct NNFactors {
    const float *zero, *mul, *bias;
} NNFactors;

/** @return 1 if this CPU and this build have these loops */
int  ff_nn_quant_cpu(void);
/** Before any of them. */
void ff_nn_quant_init(void);
/** 0 counts as one of the values. */
void ff_nn_quant_range(float *lo, float *hi, const float *src, int64_t nb);
/**
 * byte = round(x * inv) + zero, of a row of one block.
 * @param used  channels of the block that are wanted
 * @param pitch from one pixel's bytes to the next's
 * @param sum   of the bytes, by channel; grows
 */
void ff_nn_quant_bytes(uint8_t *dst, int pitch, const float *src, int used, int nb, float inv, int zero, int64_t *sum);
/** Sums to values, nb pixels of one block; src: pitch from one pixel to the next, dst: in a row. */
void ff_nn_quant_sums(float *dst, const float *src, int pitch, const NNFactors *f, int nb);
/** The same, SILU within 7e-4, and the range. src and dst may be the same. */
void ff_nn_quant_silu(float *dst, const float *src, int pitch, const NNFactors *f, int nb, float *lo, float *hi);

#endif /* AVFILTER_NN_NET_QUANT_H */
