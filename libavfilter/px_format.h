/*
 * Pixel formats of the exact filters: planes, colour, siting, side data
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

#ifndef AVFILTER_PX_FORMAT_H
#define AVFILTER_PX_FORMAT_H

#include <stdint.h>

#include "libavutil/csp.h"
#include "libavutil/frame.h"
#include "libavutil/pixdesc.h"

/** One plane of a pixel format. */
typedef struct PxLayoutPlane {
    int nc;                     ///< interleaved samples per pixel, 1..4
    int comp[4];                ///< component of each, or -1 (the unused byte of rgb0)
    int chroma;                 ///< 1: subsampled as the format says
} PxLayoutPlane;

typedef struct PxLayout {
    const AVPixFmtDescriptor *desc;
    int nb_planes;
    int bytes, depth, shift;    ///< of a sample, the same in all planes
    PxLayoutPlane plane[4];
} PxLayout;

/** @return 0, or AVERROR(ENOSYS) for a format that is not ours: float, foreign
 *  endianness, palette, packed below a byte or with subsampled chroma, ... */
int ff_px_layout(PxLayout *l, enum AVPixelFormat fmt);

/** @return whether a component is a colour difference */
int ff_px_is_chroma(const AVPixFmtDescriptor *d, int comp);

/**
 * An RGBA colour as the samples of a frame, for each component; takes matrix
 * and range from the frame.
 */
void ff_px_colour(uint16_t out[4], const uint8_t rgba[4], const PxLayout *l,
                  const AVFrame *frame);

/** Luma weights of the frame's matrix; BT.601 where it has none or says RGB. */
const AVLumaCoefficients *ff_px_coefficients(const AVFrame *f);

/** @return 1: full range. Unspecified: RGB, gray and yuvj are full, YUV is limited. */
int ff_px_is_full(const AVPixFmtDescriptor *d, const AVFrame *f);

/** Where chroma samples sit. Unspecified: left, as MPEG-2 and H.264 have it; yuvj: centre,
 *  as JPEG does. */
enum AVChromaLocation ff_px_location(const AVPixFmtDescriptor *d, const AVFrame *f);

/** @return whether side data of that kind is about pixels of the picture, so
 *  that it does not outlive a change of size */
int ff_px_size_dependent(enum AVFrameSideDataType type);

#endif /* AVFILTER_PX_FORMAT_H */
