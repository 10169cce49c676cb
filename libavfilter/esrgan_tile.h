/*
 * How a picture is cut into tiles for a net
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


#ifndef AVFILTER_ESRGAN_TILE_H
#define AVFILTER_ESRGAN_TILE_H

#include <stddef.h>

/**
 * @file
 * The picture (net input, w x h, multiples of align) is cut into a grid of
 * tiles. A tile's core is what it contributes; cores cover the picture exactly
 * once. Around the core lies a margin of up to halo pixels, less where the
 * picture ends: there the engine's zero padding is the real one. So with
 * halo >= the net's receptive radius tiled and untiled results agree.
 *
 * Without a given tile size the picture becomes as many bands as there are
 * threads, unless these are thinner than the halo that each must carry; they
 * are cut further when the engine's scratch memory would pass the budget.
 *
 * Rows of tiles are run in groups, so that only a part of the enlarged picture
 * is in memory at a time.
 */

typedef struct ESRGANPlanParams {
    int    w, h;                ///< net input
    int    align;               ///< of all sizes and positions
    int    halo;                ///< pixels; rounded up to align
    int    tile;                ///< width and height of a core; 0 = chosen here
    int    nb_threads;
    size_t scratch_budget;      ///< bytes for all threads together; 0 = no limit
    /** bytes an engine needs for a w x h tile; NULL = nothing */
    size_t (*scratch)(const void *opaque, int w, int h);
    const void *opaque;
    size_t row_bytes;           ///< memory of the net's result per input row
    size_t result_budget;       ///< bytes for the result kept at a time; 0 = no limit
} ESRGANPlanParams;

typedef struct ESRGANPlan {
    int w, h, align, halo;
    int tile_w, tile_h;         ///< core; the last column and row may be smaller
    int cols, rows;
    int group;                  ///< rows of tiles run at a time
} ESRGANPlan;

typedef struct ESRGANTile {
    int x, y, w, h;                 ///< core
    int left, top, right, bottom;   ///< margins around it
} ESRGANTile;

/** @return 0 or AVERROR(EINVAL) */
int ff_esrgan_plan(ESRGANPlan *p, const ESRGANPlanParams *in);

/** Tile i of cols * rows, row by row. */
void ff_esrgan_plan_tile(const ESRGANPlan *p, int i, ESRGANTile *t);

#endif /* AVFILTER_ESRGAN_TILE_H */
