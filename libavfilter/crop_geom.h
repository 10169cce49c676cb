/*
 * Geometry of a crop: from a rectangle to sample coordinates
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


#ifndef AVFILTER_CROP_GEOM_H
#define AVFILTER_CROP_GEOM_H

/**
 * @file
 * Rectangles are in luma pixels of the source, in double, edges convention:
 * pixel i covers [i, i + 1). One rectangle serves all planes: a plane maps
 * its sample positions to luma pixels by its subsampling and siting, goes
 * through the rectangle, and maps back.
 */

#include "crop_px.h"

typedef struct CropRect {
    double x, y, w, h;
} CropRect;

/** The picture in a frame, in luma pixels: the whole frame but its crop_*. */
typedef struct CropArea {
    int x, y, w, h;
} CropArea;

enum CropEdge {
    CROP_EDGE_SHIFT,    ///< moved inside, size kept (made smaller only if larger than the picture)
    CROP_EDGE_CLAMP,    ///< the part that lies inside
    CROP_EDGE_PAD,      ///< left as it is
    CROP_EDGES
};

#define CROP_OVERSIZE 64    ///< pictures that a rectangle may be wide or high

/** Narrow r about its middle to width / height = aspect. aspect <= 0: leave it. */
void ff_crop_rect_lock(CropRect *r, double aspect);

/**
 * Bring r into a picture of w x h. After it, r is at least one pixel wide and
 * high, and at most CROP_OVERSIZE times the picture.
 * @param aspect  as for ff_crop_rect_lock(), kept by CROP_EDGE_CLAMP where a
 *                pixel either way leaves room for it
 */
void ff_crop_rect_fit(CropRect *r, enum CropEdge edge, double aspect, int w, int h);

/** The largest rectangle of that aspect in the middle of a picture of w x h. */
CropRect ff_crop_rect_centred(double aspect, int w, int h);

/** How the samples of a plane lie among the luma pixels. */
typedef struct CropGrid {
    int    log2_x, log2_y;      ///< subsampling
    double off_x, off_y;        ///< of sample 0, in luma pixels: 0.5 is on the first luma sample
} CropGrid;

/** @param loc  enum AVChromaLocation; unspecified is taken as left */
CropGrid ff_crop_chroma_grid(int log2_x, int log2_y, int loc);

/** One axis: output sample i lies at source sample start + i * step. */
typedef struct CropMap {
    double start, step;
} CropMap;

/**
 * @param pos, size  of the rectangle along the axis
 * @param out        luma pixels of the output along the axis
 */
CropMap ff_crop_map(double pos, double size, int out, int log2, double off);

/**
 * Rotation of a plane about the middle of a picture of w x h luma pixels.
 * @param degrees  positive: counter-clockwise
 * @param x, y     sample of the rotated plane that is to be sample (0, 0)
 */
CropPxRot ff_crop_rotation(const CropGrid *g, double degrees, int w, int h, double x, double y);

#endif /* AVFILTER_CROP_GEOM_H */
