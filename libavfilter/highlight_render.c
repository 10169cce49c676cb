/*
 * highlight: one frame, all planes, by slice threads
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

#include <string.h>

#include "libavutil/attributes.h"
#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/imgutils.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "filters.h"
#include "highlight_render.h"
#include "slice_jobs.h"

/** What the jobs of one frame share. */
typedef struct Job {
    HighlightRender *r;
    const AVFrame *in;
    AVFrame *out;
    const HighlightScene *s;
} Job;

static void get_plane(const Job *job, int p, HighlightPlane *h)
{
    const PxLayout *l = &job->r->layout;
    const PxLayoutPlane *lp = &l->plane[p];

    *h = (HighlightPlane){
        .src = job->in->data[p],  .src_stride = job->in->linesize[p],
        .dst = job->out->data[p], .dst_stride = job->out->linesize[p],
        .w = lp->chroma ? AV_CEIL_RSHIFT(job->in->width,  l->desc->log2_chroma_w) : job->in->width,
        .h = lp->chroma ? AV_CEIL_RSHIFT(job->in->height, l->desc->log2_chroma_h) : job->in->height,
        .nc = lp->nc, .bytes = l->bytes, .depth = l->depth, .shift = l->shift, .set = lp->chroma,
    };
    h->look = ff_highlight_components(h->comp, l, p);
}

/* ---- second sources ------------------------------------------------------------------ */

static ptrdiff_t blurred_stride(const HighlightPlane *h)
{
    return FFALIGN(h->w * h->nc * h->bytes, 64);
}

static int blur_job(AVFilterContext *ctx, void *arg, int nr, int nb)
{
    const Job *job = arg;
    const AVPixFmtDescriptor *d = job->r->layout.desc;
    int ret = 0;

    for (int p = 0; p < job->r->layout.nb_planes && ret >= 0; p++) {
        HighlightPlane h;
        HighlightBlur b;
        get_plane(job, p, &h);
        b = (HighlightBlur){
            .src = h.src, .src_stride = h.src_stride, .dst = job->r->blurred[p], .dst_stride = blurred_stride(&h),
            .w = h.w, .h = h.h, .nc = h.nc, .bytes = h.bytes, .depth = h.depth, .shift = h.shift,
            .rx = ff_highlight_radius(job->s->blur, h.set ? d->log2_chroma_w : 0),
            .ry = ff_highlight_radius(job->s->blur, h.set ? d->log2_chroma_h : 0),
        };
        ret = ff_highlight_blur(&b, &job->r->scratch[nr].blur, (int64_t)h.h * nr / nb, (int64_t)h.h * (nr + 1) / nb);
    }
    return ret;
}

/* luma of a row of RGB, once for each sample of a pixel. in: by sample of a
 * packed pixel, or by plane; its weights likewise */
static av_always_inline void luma_n(uint8_t *restrict q, const uint8_t *const in[4], const int weight[4], int w,
                                    int shift, const int bytes, const int step)
{
    for (int x = 0; x < w; x++) {
        unsigned sum = HL_ONE / 2;
        for (int c = 0; c < (step == 1 ? 3 : step); c++) {
            const uint8_t *row = step == 1 ? in[c] : in[0] + c * bytes;
            const unsigned v = bytes == 1 ? row[x * step] : ((const uint16_t *)row)[x * step] >> shift;
            sum += v * weight[c];
        }
        for (int c = 0; c < step; c++)
            if (bytes == 1)
                q[x * step + c] = sum >> 15;
            else
                ((uint16_t *)q)[x * step + c] = sum >> 15;
    }
}

PX_HOT static void luma8(uint8_t *restrict q, const uint8_t *const in[4], const int weight[4], int w, int step)
{
    switch (step) {
    case 1:  luma_n(q, in, weight, w, 0, 1, 1); break;
    case 3:  luma_n(q, in, weight, w, 0, 1, 3); break;
    default: luma_n(q, in, weight, w, 0, 1, 4);
    }
}

PX_HOT static void luma16(uint8_t *restrict q, const uint8_t *const in[4], const int weight[4], int w, int shift, int step)
{
    switch (step) {
    case 1:  luma_n(q, in, weight, w, shift, 2, 1); break;
    case 3:  luma_n(q, in, weight, w, shift, 2, 3); break;
    default: luma_n(q, in, weight, w, shift, 2, 4);
    }
}

/* hl_px_luma() of each pixel of a row */
static void luma_row(const Job *job, uint8_t *q, int y)
{
    const PxLayout *l = &job->r->layout;
    const int step = l->plane[0].nc;
    const uint8_t *in[4] = { NULL };
    int weight[4] = { 0 };

    for (int c = 0; c < 3; c++) {
        const AVComponentDescriptor *d = &l->desc->comp[c];
        weight[step == 1 ? c : d->offset / l->bytes] = job->r->tables.frame.luma[c];
        in[c] = job->in->data[d->plane] + y * (ptrdiff_t)job->in->linesize[d->plane];
    }
    if (l->bytes == 1)
        luma8(q, in, weight, job->in->width, step);
    else
        luma16(q, in, weight, job->in->width, l->shift, step);
}

/* ---- rows ------------------------------------------------------------------------------ */

static int touches(const Job *job, const HighlightPlane *h)
{
    int any = 0;

    for (int c = 0; c < h->nc; c++)
        any |= h->comp[c] >= 0;
    return any && ff_highlight_touches(&job->r->tables.frame, job->r->tables.mem, h);
}

/* Planes row by row side by side: where the luma of RGB is wanted, a row of
 * all planes is read before one of them is written. */
static void draw_rows(const Job *job, HighlightPlane *planes, int nb, HighlightScratch *s, int y0, int y1)
{
    const HighlightTables *t = &job->r->tables;
    const int luma = t->frame.luma[1] && t->frame.look[0].w_out;

    for (int p = 0; p < nb; p++)
        ff_highlight_row_reset(&s->row[p]);
    for (int y = y0; y < y1; y++) {
        if (luma)
            luma_row(job, s->q, y);
        for (int p = 0; p < nb; p++) {
            HighlightPlane *h = &planes[p];
            const uint8_t *q = luma ? s->q : h->q ? h->q + y * h->q_stride : NULL;
            if (touches(job, h))
                ff_highlight_row(h, &t->frame, t->mem, &s->row[p], y, q);
            else if (h->dst != h->src)
                memcpy(h->dst + y * h->dst_stride, h->src + y * h->src_stride, (size_t)h->w * h->nc * h->bytes);
        }
    }
}

static int draw_job(AVFilterContext *ctx, void *arg, int nr, int nb)
{
    const Job *job = arg;
    HighlightScratch *s = &job->r->scratch[nr];
    HighlightPlane planes[4];
    const int nb_planes = job->r->layout.nb_planes;

    av_fast_malloc(&s->q, &s->q_size, (size_t)job->in->width * 8);
    if (!s->q)
        return AVERROR(ENOMEM);
    for (int p = 0; p < nb_planes; p++) {
        get_plane(job, p, &planes[p]);
        if (job->s->base == HL_BASE_BLUR) {
            planes[p].q        = job->r->blurred[p];
            planes[p].q_stride = blurred_stride(&planes[p]);
        }
    }
    for (int p = 0, side_by_side; p < nb_planes; p += side_by_side) {
        const int h = planes[p].h;
        /* the planes of a size */
        for (side_by_side = 1; p + side_by_side < nb_planes && planes[p + side_by_side].set == planes[p].set; side_by_side++)
            ;
        draw_rows(job, planes + p, side_by_side, s, (int64_t)h * nr / nb, (int64_t)h * (nr + 1) / nb);
    }
    return 0;
}

static int alloc_blurred(const Job *job)
{
    HighlightRender *r = job->r;

    for (int p = 0; p < r->layout.nb_planes; p++) {
        HighlightPlane h;
        get_plane(job, p, &h);
        av_fast_malloc(&r->blurred[p], &r->blurred_size[p], blurred_stride(&h) * (size_t)h.h);
        if (!r->blurred[p])
            return AVERROR(ENOMEM);
    }
    return 0;
}

int ff_highlight_render(HighlightRender *r, AVFilterContext *ctx, AVFrame *out, const AVFrame *in,
                        const HighlightScene *s, int dither)
{
    Job job = { r, in, out, s };
    int ret;

    if ((ret = ff_highlight_tables(&r->tables, s, dither, &r->layout, in)) < 0)
        return ret;
    if (s->base == HL_BASE_BLUR && ((ret = alloc_blurred(&job)) < 0 ||
                                    (ret = ff_slice_jobs(ctx, blur_job, &job, in->height, r->nb_scratch)) < 0))
        return ret;
    return ff_slice_jobs(ctx, draw_job, &job, in->height, r->nb_scratch);
}

int ff_highlight_render_init(HighlightRender *r, enum AVPixelFormat fmt, int nb_threads)
{
    int ret;

    ff_highlight_render_free(r);
    if ((ret = ff_highlight_layout(&r->layout, fmt)) < 0)
        return ret;
    if (!(r->scratch = av_calloc(nb_threads, sizeof(*r->scratch))))
        return AVERROR(ENOMEM);
    r->nb_scratch = nb_threads;
    return 0;
}

void ff_highlight_render_free(HighlightRender *r)
{
    for (int i = 0; i < r->nb_scratch; i++) {
        ff_highlight_blur_free(&r->scratch[i].blur);
        av_freep(&r->scratch[i].q);
    }
    for (int i = 0; i < 4; i++)
        av_freep(&r->blurred[i]);
    memset(r->blurred_size, 0, sizeof(r->blurred_size));
    ff_highlight_tables_free(&r->tables);
    av_freep(&r->scratch);
    r->nb_scratch = 0;
}
