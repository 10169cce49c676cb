/*
 * Vector loops over rows of floats
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

#ifndef AVFILTER_NN_NET_ROWS_H
#define AVFILTER_NN_NET_ROWS_H

#include <stdint.h>

#include "nn_net.h"

enum NNRowOp { NN_ROW_NONE, NN_ROW_ADD, NN_ROW_SUB, NN_ROW_MUL, NN_ROW_DIV, NN_ROW_MIN, NN_ROW_MAX };

/** dst = op(a, b); sa, sb: 0 = one value for the whole row, 1 = one each. dst is neither. */
void ff_nn_row_op(float *dst, const float *a, const float *b, int sa, int sb, int64_t nb, int op);

/** What can be done to a row in place, NNNetAct and these */
enum { NN_RACT_EXP = 100, NN_RACT_NEG, NN_RACT_ABS, NN_RACT_SQRT, NN_RACT_HARD_SIGMOID, NN_RACT_RECIPROCAL };

/** @return 1 if a pass of ff_nn_row_act() over values in cache is faster than oneDNN's
 *  sigmoid and SILU with a convolution */
int  ff_nn_row_fast_sigmoid(void);
/** @return 1 if ff_nn_row_act() knows it */
int  ff_nn_row_knows(int act);
/** dst = act(src); dst may be src. SILU, SIGMOID and EXP are within 1e-5 of their values. */
void ff_nn_row_act(float *dst, const float *src, int64_t nb, int act, float alpha, float beta);

/** dst = max(dst, src), dst += src, dst += f * src, dst *= src, dst *= f; dst is not src */
void ff_nn_row_max(float *dst, const float *src, int64_t nb);
void ff_nn_row_add(float *dst, const float *src, int64_t nb);
void ff_nn_row_axpy(float *dst, const float *src, float f, int64_t nb);
void ff_nn_row_times(float *dst, const float *src, int64_t nb);
void ff_nn_row_scale(float *dst, float f, int64_t nb);
/** dst[b] = the largest, or the sum, of nb rows of b values */
void ff_nn_row_fold(float *dst, const float *src, int b, int nb, int sum);
/** dst = exp(src - m); m one each */
void ff_nn_row_exp_minus(float *dst, const float *src, const float *m, int64_t nb);
/** softmax of one row, dst may be src */
void ff_nn_row_softmax(float *dst, const float *src, int64_t nb);
float ff_nn_row_largest(const float *src, int64_t nb);
/** dst[k * dst_stride] for b columns of a [nb][b] block, and back */
void ff_nn_row_unblock(float *dst, int64_t dst_stride, const float *src, int b, int used, int nb);
void ff_nn_row_block(float *dst, const float *src, int64_t src_stride, int b, int used, int nb);

#endif /* AVFILTER_NN_NET_ROWS_H */
