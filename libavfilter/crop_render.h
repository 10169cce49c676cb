/*
 * Crop: one frame from another, all planes, by slice threads
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


#ifndef AVFILTER_CROP_RENDER_H
#define AVFILTER_CROP_RENDER_H

/**
 * @file
 * Puts the parts together: geometry -> tables -> loops. Rotation comes first
 * and only where asked for: the part of the rotated picture that the crop
 * reads is made at the source's resolution, and the crop then reads that.
 */

#include "libavutil/frame.h"

#include "avfilter.h"
#include "crop_geom.h"
#include "crop_resample.h"
#include "crop_taps.h"
#include "px_format.h"

/** Luma [0] or chroma [1]: they share tables. */
typedef struct CropSet {
    CropAxis  x, y;
    CropPxRot rot;
    int       rot_w, rot_h;     ///< samples of the rotated part
} CropSet;

typedef struct CropRender {
    PxLayout   layout;
    CropKernel   kernel;
    CropSet      set[2];
    CropScratch *scratch;       ///< one a thread
    int          nb_scratch;
    uint8_t     *turned[4];     ///< rotated part of each plane
    unsigned     turned_size[4];
} CropRender;

/** r is zeroed, or was initialised before. @return 0, AVERROR(ENOSYS) or AVERROR(ENOMEM) */
int ff_crop_render_init(CropRender *r, enum AVPixelFormat fmt, enum CropKernelType kernel,
                        int nb_threads);

/**
 * @param rect     luma pixels of in
 * @param degrees  rotation of in about its middle, counter-clockwise
 * @param edge     CROP_EDGE_PAD: what lies outside of in has the colour pad; otherwise that
 *                 of the nearest pixel, except for what the rotation brings in, which is
 *                 always pad
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_crop_render(CropRender *r, AVFilterContext *ctx, AVFrame *out, const AVFrame *in,
                   const CropRect *rect, double degrees, enum CropEdge edge,
                   const uint8_t pad[4]);
void ff_crop_render_free(CropRender *r);

/**
 * Rows [y0, y1) of a rotated plane, one component of it.
 * @param dst  first sample of the component, samples p->step apart
 */
void ff_crop_rotate(const CropPxPlane *p, const CropPxRot *rot, const CropKernel *k,
                    uint8_t *dst, ptrdiff_t stride, int w, int y0, int y1);

#endif /* AVFILTER_CROP_RENDER_H */
