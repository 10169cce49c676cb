/*
 * Resampling of a crop window: one plane, by strips of rows
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


#ifndef AVFILTER_CROP_RESAMPLE_H
#define AVFILTER_CROP_RESAMPLE_H

/**
 * @file
 * The C loops over the formulas of crop_px.h. Columns are weighted first, or
 * rows where that leaves less to do (ff_crop_rows_first()).
 * Where neighbouring output samples read neighbouring source samples with the
 * same weights (a pan without zoom), that is a plain filter along the row.
 * Otherwise a block of source rows is transposed, so that a source column
 * becomes a row of a vector's length and the weights are the same all along
 * it, and the result is transposed back. Rows pass through a ring, from which
 * they are summed.
 */

#include <stddef.h>
#include <stdint.h>

#include "crop_taps.h"

/** One plane: all that the loops know. Borrows everything. */
typedef struct CropPlane {
    const uint8_t *src;
    ptrdiff_t      src_stride;
    int            src_w, src_h;    ///< in pixels
    uint8_t       *dst;
    ptrdiff_t      dst_stride;
    int            dst_w, dst_h;    ///< as in the axes
    int            nc;              ///< interleaved samples per pixel, 1..4
    int            bytes;           ///< per sample: 1 or 2 (native endian)
    int            depth, shift;    ///< bits that count, and how far up they sit
    int            use_pad;         ///< outside is pad[]; else the nearest pixel
    uint16_t       pad[4];          ///< by sample of the pixel, not shifted up
    const CropAxis *ax, *ay;
} CropPlane;

/** Buffers of one thread; zeroed before first use. */
typedef struct CropScratch {
    uint8_t *cols, *block, *turn, *ring, *line, *edge;
    const void **rows;
    unsigned cols_size, block_size, turn_size, ring_size, line_size, edge_size, rows_size;
} CropScratch;

/** @return the rows_first of crop_px_sample(): rows shrink, and columns are not a plain filter */
int ff_crop_rows_first(const CropAxis *ax, const CropAxis *ay);

/**
 * Write rows [y0, y1) of dst and nothing else.
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_crop_plane(const CropPlane *p, CropScratch *s, int y0, int y1);
void ff_crop_scratch_free(CropScratch *s);

#endif /* AVFILTER_CROP_RESAMPLE_H */
