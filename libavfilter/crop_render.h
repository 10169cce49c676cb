/*
 * Crop: one software frame from another, by slice threads
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

#include "libavutil/frame.h"

#include "avfilter.h"
#include "crop_tables.h"

/** Buffers of the slice threads. */
typedef struct CropRender {
    CropScratch *scratch;       ///< one a thread
    int          nb_scratch;
    uint8_t     *turned[4];     ///< rotated part of each plane
    unsigned     turned_size[4];
} CropRender;

/** r is zeroed, or was initialised before. @return 0 or AVERROR(ENOMEM) */
int ff_crop_render_init(CropRender *r, int nb_threads);

/**
 * Make out by the tables, which were built for these two frames.
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_crop_render(CropRender *r, AVFilterContext *ctx, const CropTables *t, AVFrame *out, const AVFrame *in);
void ff_crop_render_free(CropRender *r);

/**
 * Rows [y0, y1) of a rotated plane, one component of it.
 * @param dst  first sample of the component, samples p->step apart
 */
void ff_crop_rotate(const CropPxPlane *p, const CropPxRot *rot, const CropKernel *k,
                    uint8_t *dst, ptrdiff_t stride, int w, int y0, int y1);

#endif /* AVFILTER_CROP_RENDER_H */
