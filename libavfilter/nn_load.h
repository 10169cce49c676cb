/*
 * Nets: what the weight-file loaders share
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

#ifndef AVFILTER_NN_LOAD_H
#define AVFILTER_NN_LOAD_H

#include "nn.h"

/** Number formats of weights; all become fp32. */
enum NNType { NN_F32, NN_F16, NN_BF16, NN_F64 };

/** bytes of one number */
int ff_nn_type_size(enum NNType t);

/**
 * Convert n little-endian numbers.
 * @return the index of the first that is NaN, infinite or beyond fp32; n = none
 */
size_t ff_nn_convert(float *dst, const uint8_t *src, size_t n, enum NNType t);

/**
 * Fill a tensor from p->nb numbers in row-major order.
 * @return AVERROR_INVALIDDATA with a message if one is not finite
 */
int ff_nn_fill(NNParam *p, const uint8_t *src, enum NNType t, const char *file, void *log);

/** largest weight file that is read; RRDBNet's .pth has 64 MiB */
#define NN_MAX_FILE (1 << 30)

/**
 * Read a regular file of 16 bytes to NN_MAX_FILE into memory.
 * @param b    its data are *data
 * @param data to be freed by the caller
 */
int ff_nn_read_file(NNBlob *b, uint8_t **data, const char *path, void *log);

/** @return 1 if it begins as ONNX files do, or is called so */
int ff_nn_is_onnx(const NNBlob *b);

/** What something that is no model at all is ("is a web page: ..."), or NULL. */
const char *ff_nn_what_instead(const NNBlob *b);

#endif /* AVFILTER_NN_LOAD_H */
