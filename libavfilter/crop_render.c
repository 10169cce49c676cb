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

#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "crop_render.h"
#include "filters.h"
#include "slice_jobs.h"

/** What the jobs of one frame share. */
typedef struct Job {
    CropRender *r;
    const CropTables *t;
    const AVFrame *in;
    AVFrame *out;
} Job;

static int rotate_job(AVFilterContext *ctx, void *arg, int nr, int nb)
{
    const Job *job = arg;
    const CropTables *t = job->t;

    for (int p = 0; p < t->layout.nb_planes; p++) {
        const CropPlane cp = ff_crop_tables_plane(t, p, job->out, job->in);
        const CropSet *s = &t->set[t->layout.plane[p].chroma];
        for (int c = 0; c < cp.nc; c++) {
            const CropPxPlane px = {
                .data = cp.src + c * cp.bytes, .stride = cp.src_stride, .w = cp.src_w, .h = cp.src_h,
                .step = cp.nc, .bytes = cp.bytes, .depth = cp.depth, .shift = cp.shift, .pad = cp.pad[c],
            };
            ff_crop_rotate(&px, &s->rot, &t->kernel, job->r->turned[p] + c * cp.bytes,
                           ff_crop_turned_stride(t, p), s->rot_w, (int64_t)s->rot_h * nr / nb,
                           (int64_t)s->rot_h * (nr + 1) / nb);
        }
    }
    return 0;
}

static int crop_job(AVFilterContext *ctx, void *arg, int nr, int nb)
{
    const Job *job = arg;
    const CropTables *t = job->t;

    for (int p = 0; p < t->layout.nb_planes; p++) {
        CropPlane cp = ff_crop_tables_plane(t, p, job->out, job->in);
        int ret;
        if (t->turn)
            ff_crop_plane_turn(&cp, t, p, job->r->turned[p]);
        ret = ff_crop_plane(&cp, &job->r->scratch[nr], (int64_t)cp.dst_h * nr / nb,
                            (int64_t)cp.dst_h * (nr + 1) / nb);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int alloc_turned(CropRender *r, const CropTables *t)
{
    for (int p = 0; p < t->layout.nb_planes; p++) {
        const size_t size = ff_crop_turned_stride(t, p) * (size_t)t->set[t->layout.plane[p].chroma].rot_h;
        av_fast_malloc(&r->turned[p], &r->turned_size[p], size);
        if (!r->turned[p])
            return AVERROR(ENOMEM);
    }
    return 0;
}

int ff_crop_render(CropRender *r, AVFilterContext *ctx, const CropTables *t, AVFrame *out, const AVFrame *in)
{
    Job job = { r, t, in, out };
    int ret;

    if (t->turn && ((ret = alloc_turned(r, t)) < 0 ||
                    (ret = ff_slice_jobs(ctx, rotate_job, &job, t->set[0].rot_h, r->nb_scratch)) < 0))
        return ret;
    return ff_slice_jobs(ctx, crop_job, &job, out->height, r->nb_scratch);
}

int ff_crop_render_init(CropRender *r, int nb_threads)
{
    ff_crop_render_free(r);
    if (!(r->scratch = av_calloc(nb_threads, sizeof(*r->scratch))))
        return AVERROR(ENOMEM);
    r->nb_scratch = nb_threads;
    return 0;
}

void ff_crop_render_free(CropRender *r)
{
    for (int i = 0; i < r->nb_scratch; i++)
        ff_crop_scratch_free(&r->scratch[i]);
    for (int i = 0; i < 4; i++)
        av_freep(&r->turned[i]);
    memset(r->turned_size, 0, sizeof(r->turned_size));
    av_freep(&r->scratch);
    r->nb_scratch = 0;
}
