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


#include <math.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "crop_render.h"
#include "filters.h"

/** What the jobs of one frame share. */
typedef struct Job {
    CropRender *r;
    const AVFrame *in;
    AVFrame *out;
    int turn;                   ///< rotated
    int use_pad;
    uint16_t pad[4];            ///< by component
} Job;

static int subsampled(int size, int chroma, int log2)
{
    return chroma ? AV_CEIL_RSHIFT(size, log2) : size;
}

static int plane_w(const PxLayout *l, const AVFrame *f, int p)
{
    return subsampled(f->width, l->plane[p].chroma, l->desc->log2_chroma_w);
}

static int plane_h(const PxLayout *l, const AVFrame *f, int p)
{
    return subsampled(f->height, l->plane[p].chroma, l->desc->log2_chroma_h);
}

/* ---- tables ------------------------------------------------------------------ */

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

static int build_set(CropRender *r, CropSet *s, const CropGrid *g, const Job *job,
                     const CropRect *rect, double degrees, int chroma)
{
    const int ow = subsampled(job->out->width,  chroma, g->log2_x);
    const int oh = subsampled(job->out->height, chroma, g->log2_y);
    const int iw = subsampled(job->in->width,   chroma, g->log2_x);
    const int ih = subsampled(job->in->height,  chroma, g->log2_y);
    const CropMap mx = ff_crop_map(rect->x, rect->w, job->out->width,  g->log2_x, g->off_x);
    const CropMap my = ff_crop_map(rect->y, rect->h, job->out->height, g->log2_y, g->off_y);
    double x, y;
    int ret;

    if (!job->turn) {
        ret = ff_crop_axis_build(&s->x, &r->kernel, mx.start, mx.step, ow, iw);
        return ret < 0 ? ret : ff_crop_axis_build(&s->y, &r->kernel, my.start, my.step, oh, ih);
    }
    if ((ret = turned_axis(&s->x, &r->kernel, mx, ow, iw, &x, &s->rot_w)) < 0 ||
        (ret = turned_axis(&s->y, &r->kernel, my, oh, ih, &y, &s->rot_h)) < 0)
        return ret;
    s->rot = ff_crop_rotation(g, degrees, job->in->width, job->in->height, x, y);
    return 0;
}

static int build_sets(CropRender *r, const Job *job, const CropRect *rect, double degrees)
{
    const AVPixFmtDescriptor *d = r->layout.desc;
    const CropGrid luma   = { 0, 0, 0.5, 0.5 };
    const CropGrid chroma = ff_crop_chroma_grid(d->log2_chroma_w, d->log2_chroma_h,
                                                ff_px_location(d, job->in));
    int ret = build_set(r, &r->set[0], &luma, job, rect, degrees, 0);

    if (ret >= 0 && (d->log2_chroma_w || d->log2_chroma_h))
        ret = build_set(r, &r->set[1], &chroma, job, rect, degrees, 1);
    return ret;
}

/* ---- jobs ---------------------------------------------------------------------- */

static ptrdiff_t turned_stride(const CropRender *r, int p)
{
    const PxLayoutPlane *lp = &r->layout.plane[p];

    return FFALIGN(r->set[lp->chroma].rot_w * lp->nc * r->layout.bytes, 64);
}

static int rotate_job(AVFilterContext *ctx, void *arg, int nr, int nb)
{
    const Job *job = arg;
    const CropRender *r = job->r;
    const PxLayout *l = &r->layout;

    for (int p = 0; p < l->nb_planes; p++) {
        const PxLayoutPlane *lp = &l->plane[p];
        const CropSet *s = &r->set[lp->chroma];
        for (int c = 0; c < lp->nc; c++) {
            const CropPxPlane px = {
                .data   = job->in->data[p] + c * l->bytes,
                .stride = job->in->linesize[p],
                .w = plane_w(l, job->in, p), .h = plane_h(l, job->in, p),
                .step = lp->nc, .bytes = l->bytes, .depth = l->depth, .shift = l->shift,
                .pad = lp->comp[c] >= 0 ? job->pad[lp->comp[c]] : 0,
            };
            ff_crop_rotate(&px, &s->rot, &r->kernel, r->turned[p] + c * l->bytes,
                           turned_stride(r, p), s->rot_w, (int64_t)s->rot_h * nr / nb,
                           (int64_t)s->rot_h * (nr + 1) / nb);
        }
    }
    return 0;
}

static int crop_job(AVFilterContext *ctx, void *arg, int nr, int nb)
{
    const Job *job = arg;
    const CropRender *r = job->r;
    const PxLayout *l = &r->layout;

    for (int p = 0; p < l->nb_planes; p++) {
        const PxLayoutPlane *lp = &l->plane[p];
        const CropSet *s = &r->set[lp->chroma];
        CropPlane cp = {
            .src   = job->turn ? r->turned[p] : job->in->data[p],
            .src_stride = job->turn ? turned_stride(r, p) : job->in->linesize[p],
            .src_w = job->turn ? s->rot_w : plane_w(l, job->in, p),
            .src_h = job->turn ? s->rot_h : plane_h(l, job->in, p),
            .dst = job->out->data[p], .dst_stride = job->out->linesize[p],
            .dst_w = plane_w(l, job->out, p), .dst_h = plane_h(l, job->out, p),
            .nc = lp->nc, .bytes = l->bytes, .depth = l->depth, .shift = l->shift,
            .use_pad = job->use_pad, .ax = &s->x, .ay = &s->y,
        };
        int ret;
        for (int c = 0; c < lp->nc; c++)
            cp.pad[c] = lp->comp[c] >= 0 ? job->pad[lp->comp[c]] : 0;
        ret = ff_crop_plane(&cp, &r->scratch[nr], (int64_t)cp.dst_h * nr / nb,
                            (int64_t)cp.dst_h * (nr + 1) / nb);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/* @return the first error of the jobs */
static int execute(AVFilterContext *ctx, avfilter_action_func *fn, Job *job, int rows)
{
    const int nb = FFMAX(1, FFMIN(job->r->nb_scratch, rows / 16));
    int *ret = av_calloc(nb, sizeof(*ret)), err = 0;

    if (!ret)
        return AVERROR(ENOMEM);
    ff_filter_execute(ctx, fn, job, ret, nb);
    for (int i = 0; i < nb && !err; i++)
        err = ret[i];
    av_free(ret);
    return err;
}

static int alloc_turned(CropRender *r)
{
    for (int p = 0; p < r->layout.nb_planes; p++) {
        const size_t size = turned_stride(r, p) * (size_t)r->set[r->layout.plane[p].chroma].rot_h;
        av_fast_malloc(&r->turned[p], &r->turned_size[p], size);
        if (!r->turned[p])
            return AVERROR(ENOMEM);
    }
    return 0;
}

int ff_crop_render(CropRender *r, AVFilterContext *ctx, AVFrame *out, const AVFrame *in,
                   const CropRect *rect, double degrees, enum CropEdge edge,
                   const uint8_t pad[4])
{
    Job job = { r, in, out, .turn = degrees != 0, .use_pad = edge == CROP_EDGE_PAD };
    int ret;

    ff_px_colour(job.pad, pad, &r->layout, in);
    if ((ret = build_sets(r, &job, rect, degrees)) < 0)
        return ret;
    if (job.turn && ((ret = alloc_turned(r)) < 0 ||
                     (ret = execute(ctx, rotate_job, &job, r->set[0].rot_h)) < 0))
        return ret;
    return execute(ctx, crop_job, &job, out->height);
}

int ff_crop_render_init(CropRender *r, enum AVPixelFormat fmt, enum CropKernelType kernel,
                        int nb_threads)
{
    int ret;

    ff_crop_render_free(r);
    if ((ret = ff_px_layout(&r->layout, fmt)) < 0)
        return ret;
    ff_crop_kernel_init(&r->kernel, kernel);
    if (!(r->scratch = av_calloc(nb_threads, sizeof(*r->scratch))))
        return AVERROR(ENOMEM);
    r->nb_scratch = nb_threads;
    return 0;
}

void ff_crop_render_free(CropRender *r)
{
    for (int i = 0; i < 2; i++) {
        ff_crop_axis_free(&r->set[i].x);
        ff_crop_axis_free(&r->set[i].y);
    }
    for (int i = 0; i < r->nb_scratch; i++)
        ff_crop_scratch_free(&r->scratch[i]);
    for (int i = 0; i < 4; i++)
        av_freep(&r->turned[i]);
    memset(r->turned_size, 0, sizeof(r->turned_size));
    av_freep(&r->scratch);
    r->nb_scratch = 0;
}
