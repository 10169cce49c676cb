/*
 * Transposition of small tiles, by vectors where the compiler has them
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


#ifndef AVFILTER_CROP_TILE_H
#define AVFILTER_CROP_TILE_H

/**
 * @file
 * in[i] are rows; column j goes to out + j * stride. Strides in elements.
 * Element order only, no arithmetic beyond the widening of samples: the
 * versions with and without vectors give the same.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "px.h"

#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define CROP_TILE_VECTORS 1
#else
#define CROP_TILE_VECTORS 0
#endif

#if CROP_TILE_VECTORS
typedef uint8_t  CropU8x16  __attribute__((vector_size(16)));
typedef int16_t  CropI16x16 __attribute__((vector_size(32)));
typedef uint16_t CropU16x8  __attribute__((vector_size(16)));
typedef int16_t  CropI16x8  __attribute__((vector_size(16)));
typedef int32_t  CropI32x8  __attribute__((vector_size(32)));
typedef int32_t  CropI32x4  __attribute__((vector_size(16)));

#define CROP_LO16(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define CROP_HI16(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define CROP_LO8(a, b)  __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define CROP_HI8(a, b)  __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define CROP_LO4(a, b)  __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define CROP_HI4(a, b)  __builtin_shufflevector(a, b, 2, 6, 3, 7)

/* One round pairs row i with row i + n/2, element by element; after log2(n)
 * rounds row i holds column i. */
#define CROP_ROUND(to, from, n, LO, HI)                          \
    for (int i_ = 0; i_ < n / 2; i_++) {                         \
        to[2 * i_]     = LO(from[i_], from[i_ + n / 2]);         \
        to[2 * i_ + 1] = HI(from[i_], from[i_ + n / 2]);         \
    }
#endif

/** 16 rows of 16 samples -> 16 columns, each sample << up */
PX_FN void crop_tile_u8(int16_t *out, ptrdiff_t stride, const uint8_t *const *in,
                        ptrdiff_t x, int up)
{
#if CROP_TILE_VECTORS
    CropU8x16 a[16], b[16];

    for (int i = 0; i < 16; i++)
        memcpy(&a[i], in[i] + x, 16);
    CROP_ROUND(b, a, 16, CROP_LO16, CROP_HI16)
    CROP_ROUND(a, b, 16, CROP_LO16, CROP_HI16)
    CROP_ROUND(b, a, 16, CROP_LO16, CROP_HI16)
    CROP_ROUND(a, b, 16, CROP_LO16, CROP_HI16)
    for (int i = 0; i < 16; i++) {
        CropI16x16 v = __builtin_convertvector(a[i], CropI16x16) << up;
        memcpy(out + i * stride, &v, 32);
    }
#else
    for (int j = 0; j < 16; j++)
        for (int i = 0; i < 16; i++)
            out[j * stride + i] = in[i][x + j] << up;
#endif
}

/** 8 rows of 8 samples -> 8 columns, each sample >> down */
PX_FN void crop_tile_u16(int32_t *out, ptrdiff_t stride, const uint16_t *const *in,
                         ptrdiff_t x, int down)
{
#if CROP_TILE_VECTORS
    CropU16x8 a[8], b[8];

    for (int i = 0; i < 8; i++)
        memcpy(&a[i], in[i] + x, 16);
    CROP_ROUND(b, a, 8, CROP_LO8, CROP_HI8)
    CROP_ROUND(a, b, 8, CROP_LO8, CROP_HI8)
    CROP_ROUND(b, a, 8, CROP_LO8, CROP_HI8)
    for (int i = 0; i < 8; i++) {
        CropI32x8 v = __builtin_convertvector(b[i], CropI32x8) >> down;
        memcpy(out + i * stride, &v, 32);
    }
#else
    for (int j = 0; j < 8; j++)
        for (int i = 0; i < 8; i++)
            out[j * stride + i] = in[i][x + j] >> down;
#endif
}

/** 8 x 8, rows in_stride apart */
PX_FN void crop_tile_i16(int16_t *out, ptrdiff_t stride, const int16_t *in, ptrdiff_t in_stride)
{
#if CROP_TILE_VECTORS
    CropI16x8 a[8], b[8];

    for (int i = 0; i < 8; i++)
        memcpy(&a[i], in + i * in_stride, 16);
    CROP_ROUND(b, a, 8, CROP_LO8, CROP_HI8)
    CROP_ROUND(a, b, 8, CROP_LO8, CROP_HI8)
    CROP_ROUND(b, a, 8, CROP_LO8, CROP_HI8)
    for (int i = 0; i < 8; i++)
        memcpy(out + i * stride, &b[i], 16);
#else
    for (int j = 0; j < 8; j++)
        for (int i = 0; i < 8; i++)
            out[j * stride + i] = in[i * in_stride + j];
#endif
}

/** 4 x 4, rows in_stride apart */
PX_FN void crop_tile_i32(int32_t *out, ptrdiff_t stride, const int32_t *in, ptrdiff_t in_stride)
{
#if CROP_TILE_VECTORS
    CropI32x4 a[4], b[4];

    for (int i = 0; i < 4; i++)
        memcpy(&a[i], in + i * in_stride, 16);
    CROP_ROUND(b, a, 4, CROP_LO4, CROP_HI4)
    CROP_ROUND(a, b, 4, CROP_LO4, CROP_HI4)
    for (int i = 0; i < 4; i++)
        memcpy(out + i * stride, &a[i], 16);
#else
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++)
            out[j * stride + i] = in[i * in_stride + j];
#endif
}

#endif /* AVFILTER_CROP_TILE_H */
