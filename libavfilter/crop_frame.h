/*
 * Crop: how the planes of a pixel format are laid out, and frames of it
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


#ifndef AVFILTER_CROP_FRAME_H
#define AVFILTER_CROP_FRAME_H

#include <stdint.h>

#include "libavutil/frame.h"
#include "libavutil/pixdesc.h"

#include "crop_geom.h"

/** One plane of a pixel format. */
typedef struct CropLayoutPlane {
    int nc;                     ///< interleaved samples per pixel, 1..4
    int comp[4];                ///< component of each, or -1 (the unused byte of rgb0)
    int chroma;                 ///< 1: subsampled as the format says
} CropLayoutPlane;

typedef struct CropLayout {
    const AVPixFmtDescriptor *desc;
    int nb_planes;
    int bytes, depth, shift;    ///< of a sample, the same in all planes
    CropLayoutPlane plane[4];
} CropLayout;

/** @return 0, or AVERROR(ENOSYS) for a format that is not ours: float, foreign
 *  endianness, palette, packed below a byte or with subsampled chroma, ... */
int ff_crop_layout(CropLayout *l, enum AVPixelFormat fmt);

/**
 * An RGBA colour as the samples of a frame, for each component; takes matrix
 * and range from the frame (unspecified: BT.601, limited).
 */
void ff_crop_colour(uint16_t out[4], const uint8_t rgba[4], const CropLayout *l,
                    const AVFrame *frame);

/**
 * Side data that depends on the size of the picture: boxes of detections go
 * through the crop, what is then outside is dropped; other kinds are removed.
 * @param r       the rectangle, of a source of w x h luma pixels
 * @param told    kinds that were logged already, a bit each
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_crop_side_data(AVFrame *out, const CropRect *r, double degrees, int w, int h,
                      uint64_t *told, void *log);

#endif /* AVFILTER_CROP_FRAME_H */
