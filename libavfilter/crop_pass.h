/*
 * Resampling of a crop window: what the loops of one plane share
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


#ifndef AVFILTER_CROP_PASS_H
#define AVFILTER_CROP_PASS_H

#include <stddef.h>
#include <stdint.h>

#include "crop_resample.h"

#define CROP_VECTOR 64          ///< bytes of a block's row, of either width of intermediate
#define CROP_CHUNK 128          ///< output pixels that are transposed back at a time

/** What the passes of one call have in common. An intermediate is int16_t if
 *  narrow, else int32_t; lanes of them are CROP_VECTOR bytes. */
typedef struct CropPass {
    const CropPlane *p;
    CropScratch *s;
    int narrow, lanes;          ///< set of formulas; rows of a block
    int up, max;
    int nb;                     ///< samples of an output row
    int span;                   ///< samples of the source columns that are read
    int cap;                    ///< rows of the ring, a power of two
    ptrdiff_t row_bytes;        ///< of the ring
    int base;                   ///< source row in slot 0 of the ring
} CropPass;

/** Columns [lo, hi) of a source row as intermediates; what lies outside of the
 *  plane is filled in. */
void ff_crop_load_line(const CropPass *q, int row, void *line);

/** The same of lanes rows from row on, transposed: span rows of CROP_VECTOR bytes. */
void ff_crop_load_cols(const CropPass *q, int row, void *cols);

/** nb rows of lanes intermediates -> lanes rows, stride bytes apart. nb is
 *  rounded up to 8: there must be room. */
void ff_crop_to_rows(const CropPass *q, void *rows, ptrdiff_t stride, const void *block, int nb);

/** The opposite. */
void ff_crop_to_cols(const CropPass *q, void *block, const void *rows, ptrdiff_t stride, int nb);

#endif /* AVFILTER_CROP_PASS_H */
