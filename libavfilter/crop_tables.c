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

#include <math.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"

#include "crop_tables.h"

static int subsampled(int size, int chroma, int log2)
{
    return chroma ? AV_CEIL_RSHIFT(size, log2) : size;
}

/* Samples of a plane that lie in [pos, pos + size) of the luma pixels, at least one. */
static void part(int pos, int size, int total, int log2, int *first, int *nb)
{
    const int end = AV_CEIL_RSHIFT(pos + size, log2);

    *first = FFMIN(AV_CEIL_RSHIFT(pos, log2), AV_CEIL_RSHIFT(total, log2) - 1);
    *nb    = FFMAX(end - *first, 1);
}

/* Axis over the rotated picture, of which only [*first, *first + *nb) is made.
 * Without zoom the rotated samples are put where the crop wants them, so that
 * nothing is interpolated twice. */
static int turned_axis(CropAxis *a, const CropKernel *k, CropMap m, int out, int size,
                       double *origin, int *nb)
{
    const double frac = fabs(m.step - 1) * out < 1e-4 ? m.start - floor(m.start) : 0;
    int ret, first, end;

    if ((ret = ff_crop_axis_build(a, k, m.start - frac, m.step, out, size)) < 0)
        return ret;
    first = av_clip(a->lo, 0, size - 1);
    end   = av_clip(a->hi, first + 1, size);
    for (int i = 0; i < a->nb; i++)
        a->pos[i] -= first;
    a->lo  -= first;
    a->hi  -= first;
    *origin = first + frac;
    *nb     = end - first;
    return 0;
}

static int build_set(CropTables *t, CropSet *s, const CropGrid *g, const AVFrame *out, const AVFrame *in,
                     const CropArea *area, const CropRect *rect, double degrees)
{
    const int ow = AV_CEIL_RSHIFT(out->width, g->log2_x), oh = AV_CEIL_RSHIFT(out->height, g->log2_y);
    CropGrid sited = *g;
    CropMap mx, my;
    double x, y;
    int ret;

    part(area->x, area->w, in->width,  g->log2_x, &s->src_x, &s->src_w);
    part(area->y, area->h, in->height, g->log2_y, &s->src_y, &s->src_h);
    /* a picture that begins between chroma samples sites them differently */
    sited.off_x += s->src_x * (1 << g->log2_x) - area->x;
    sited.off_y += s->src_y * (1 << g->log2_y) - area->y;
    mx = ff_crop_map(rect->x + (g->off_x - sited.off_x), rect->w, out->width,  g->log2_x, g->off_x);
    my = ff_crop_map(rect->y + (g->off_y - sited.off_y), rect->h, out->height, g->log2_y, g->off_y);
    if (!t->turn) {
        ret = ff_crop_axis_build(&s->x, &t->kernel, mx.start, mx.step, ow, s->src_w);
        return ret < 0 ? ret : ff_crop_axis_build(&s->y, &t->kernel, my.start, my.step, oh, s->src_h);
    }
    if ((ret = turned_axis(&s->x, &t->kernel, mx, ow, s->src_w, &x, &s->rot_w)) < 0 ||
        (ret = turned_axis(&s->y, &t->kernel, my, oh, s->src_h, &y, &s->rot_h)) < 0)
        return ret;
    s->rot = ff_crop_rotation(&sited, degrees, area->w, area->h, x, y);
    return 0;
}

int ff_crop_tables_build(CropTables *t, const AVFrame *out, const AVFrame *in, const CropArea *area,
                         const CropRect *rect, double degrees, enum CropEdge edge, const uint8_t color[4])
{
    const AVPixFmtDescriptor *d = t->layout.desc;
    const CropGrid luma   = { 0, 0, 0.5, 0.5 };
    const CropGrid chroma = ff_crop_chroma_grid(d->log2_chroma_w, d->log2_chroma_h, ff_px_location(d, in));
    int ret;

    t->turn    = degrees != 0;
    t->use_pad = edge == CROP_EDGE_PAD;
    ff_px_colour(t->pad, color, &t->layout, in);
    ret = build_set(t, &t->set[0], &luma, out, in, area, rect, degrees);
    if (ret >= 0 && (d->log2_chroma_w || d->log2_chroma_h))
        ret = build_set(t, &t->set[1], &chroma, out, in, area, rect, degrees);
    return ret;
}

CropPlane ff_crop_tables_plane(const CropTables *t, int p, AVFrame *out, const AVFrame *in)
{
    const PxLayout *l = &t->layout;
    const PxLayoutPlane *lp = &l->plane[p];
    const CropSet *s = &t->set[lp->chroma];
    CropPlane cp = {
        .src = in->data[p] + s->src_y * (ptrdiff_t)in->linesize[p] + s->src_x * (ptrdiff_t)lp->nc * l->bytes,
        .src_stride = in->linesize[p], .src_w = s->src_w, .src_h = s->src_h,
        .dst = out->data[p], .dst_stride = out->linesize[p],
        .dst_w = subsampled(out->width,  lp->chroma, l->desc->log2_chroma_w),
        .dst_h = subsampled(out->height, lp->chroma, l->desc->log2_chroma_h),
        .nc = lp->nc, .bytes = l->bytes, .depth = l->depth, .shift = l->shift,
        .use_pad = t->use_pad, .ax = &s->x, .ay = &s->y,
    };

    for (int c = 0; c < lp->nc; c++)
        cp.pad[c] = lp->comp[c] >= 0 ? t->pad[lp->comp[c]] : 0;
    return cp;
}

ptrdiff_t ff_crop_turned_stride(const CropTables *t, int p)
{
    const PxLayoutPlane *lp = &t->layout.plane[p];

    return FFALIGN(t->set[lp->chroma].rot_w * lp->nc * t->layout.bytes, 64);
}

void ff_crop_plane_turn(CropPlane *cp, const CropTables *t, int p, const uint8_t *turned)
{
    const CropSet *s = &t->set[t->layout.plane[p].chroma];

    cp->src        = turned;
    cp->src_stride = ff_crop_turned_stride(t, p);
    cp->src_w      = s->rot_w;
    cp->src_h      = s->rot_h;
}

int ff_crop_tables_init(CropTables *t, enum AVPixelFormat fmt, enum CropKernelType kernel)
{
    ff_crop_tables_free(t);
    ff_crop_kernel_init(&t->kernel, kernel);
    return ff_px_layout(&t->layout, fmt);
}

void ff_crop_tables_free(CropTables *t)
{
    for (int i = 0; i < 2; i++) {
        ff_crop_axis_free(&t->set[i].x);
        ff_crop_axis_free(&t->set[i].y);
    }
}
