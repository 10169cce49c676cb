/*
 * Crop: what one frame asks for, as tables for all planes
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

#ifndef AVFILTER_CROP_TABLES_H
#define AVFILTER_CROP_TABLES_H

/**
 * @file
 * From a rectangle and two frames to what the loops of a plane, or a kernel on
 * a GPU, work by. Nothing here reads a sample, so frames may be anywhere.
 *
 * Rotation comes first and only where asked for: the part of the rotated
 * picture that the crop reads is made at the source's resolution, and the crop
 * then reads that.
 */

#include <stdint.h>

#include "libavutil/frame.h"
#include "libavutil/pixfmt.h"

#include "crop_geom.h"
#include "crop_resample.h"
#include "crop_taps.h"
#include "px_format.h"

/** Luma [0] or chroma [1]: planes of a kind share tables. */
typedef struct CropSet {
    CropAxis  x, y;
    CropPxRot rot;
    int       rot_w, rot_h;             ///< samples of the rotated part
    int       src_x, src_y;             ///< first sample of the picture in a plane of the frame
    int       src_w, src_h;             ///< and how many there are
} CropSet;

typedef struct CropTables {
    PxLayout   layout;
    CropKernel kernel;
    /* of the frame at hand */
    CropSet    set[2];
    int        turn;                    ///< rotated
    int        use_pad;                 ///< outside is pad, not the nearest pixel
    uint16_t   pad[4];                  ///< by component
} CropTables;

/** t is zeroed, or was initialised before. @return 0 or AVERROR(ENOSYS): no format of ours */
int ff_crop_tables_init(CropTables *t, enum AVPixelFormat fmt, enum CropKernelType kernel);

/**
 * Tables for one frame.
 * @param out, in  sizes, colour tags and siting; samples are not looked at
 * @param area     the picture: that part of in
 * @param rect     luma pixels of the picture
 * @param degrees  rotation of the picture about its middle, counter-clockwise
 * @param edge     CROP_EDGE_PAD: what lies outside of the picture has the colour; otherwise
 *                 that of the nearest pixel, except for what the rotation brings in, which is
 *                 always the colour
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_crop_tables_build(CropTables *t, const AVFrame *out, const AVFrame *in, const CropArea *area,
                         const CropRect *rect, double degrees, enum CropEdge edge, const uint8_t color[4]);

/** Plane p of the frames; reads the picture as it is, not rotated. Borrows t and the frames. */
CropPlane ff_crop_tables_plane(const CropTables *t, int p, AVFrame *out, const AVFrame *in);

/** Bytes from row to row of plane p of the rotated part, whole 64s. */
ptrdiff_t ff_crop_turned_stride(const CropTables *t, int p);

/** Have cp, which is plane p, read the rotated part from there. */
void ff_crop_plane_turn(CropPlane *cp, const CropTables *t, int p, const uint8_t *turned);

void ff_crop_tables_free(CropTables *t);

#endif /* AVFILTER_CROP_TABLES_H */
