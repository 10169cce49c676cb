/*
 * Engine onednn for nets of any shape: steps of int8
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

#include <float.h>
#include <math.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"

#include "nn_net_onednn.h"
#include "nn_net_quant.h"
#include "nn_net_rows.h"

#define WORK 32768              /* values that are worth another thread */

static int threads_for(const NNNetSlot *s, int64_t values)
{
    return av_clip64(values / WORK, 1, s->ctx->threads);
}

static NNRange *range_of(const NNNetSlot *s, int value, int n)
{
    return &s->ranges[(int64_t)value * s->ctx->n + n];
}

/* SILU in place and its range, of whole blocks */
void ff_nn_range_silu(NNRangeJobs *r, int job, float *x, int64_t nb)
{
    static const float one[NN_LANES] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, none[NN_LANES];
    const NNFactors f = { none, one, none };

    ff_nn_quant_silu(x, x, NN_LANES, &f, nb / NN_LANES, &r->lo[job], &r->hi[job]);
}

/* ---- ranges ------------------------------------------------------------------------------------- */

void ff_nn_range_start(NNRangeJobs *r)
{
    memset(r, 0, sizeof(*r));
}

void ff_nn_range_add(NNRangeJobs *r, int job, const float *src, int64_t nb)
{
    ff_nn_quant_range(&r->lo[job], &r->hi[job], src, nb);
}

static void note(NNRange *to, const NNRangeJobs *r)
{
    to->lo = to->hi = 0;
    for (int i = 0; i < NN_MAX_THREADS; i++) {
        to->lo = FFMIN(to->lo, r->lo[i]);
        to->hi = FFMAX(to->hi, r->hi[i]);
    }
}

void ff_nn_range_note(NNNetSlot *s, const NNStep *st, int n, const NNRangeJobs *r)
{
    note(range_of(s, st->reps[0] / NN_NB_LAYOUTS, n), r);
}

/* ---- fp32 -> bytes ------------------------------------------------------------------------------ */

typedef struct Quant {
    const NNQuantParams *p;
    const float *src;
    uint8_t     *dst;
    int64_t      nb;            ///< floats of the image
    NNRange     *range;
    int64_t     *sum;           ///< by job and channel
    NNRangeJobs  jobs;
} Quant;

static void search(void *arg, int job, int nb_jobs)
{
    Quant *q = arg;
    const int64_t from = q->nb * job / nb_jobs, to = q->nb * (job + 1) / nb_jobs;

    ff_nn_range_add(&q->jobs, job, q->src + from, to - from);
}

static void bytes(void *arg, int job, int nb_jobs)
{
    const Quant *q = arg;
    const NNQuantParams *p = q->p;
    const int m = p->margin * p->c, all = p->h + 2 * p->margin, zero = q->range->zero;
    const int64_t row = (int64_t)(p->w + 2 * p->margin) * p->c, line = (int64_t)p->w * NN_LANES;
    const float inv = 1 / q->range->scale;

    for (int k = (int64_t)all * job / nb_jobs; k < (int64_t)all * (job + 1) / nb_jobs; k++) {
        const int y = k - p->margin;
        uint8_t *dst = q->dst + k * row;
        if (y < 0 || y >= p->h) {
            memset(dst, zero, row);
            continue;
        }
        memset(dst, zero, m);
        memset(dst + row - m, zero, m);
        for (int c = 0; c < p->c; c += NN_LANES)
            ff_nn_quant_bytes(dst + m + c, p->c, q->src + ((int64_t)(c / NN_LANES) * p->h + y) * line,
                              FFMIN(p->c - c, NN_LANES), p->w, inv, zero, q->sum + (int64_t)job * p->c + c);
    }
}

size_t ff_nn_quant_scratch(const NNQuantParams *p, int threads)
{
    return (size_t)threads * p->c * sizeof(int64_t);
}

static void quantise(NNNetSlot *s, Quant *q)
{
    const NNQuantParams *p = q->p;
    float *mean = (float *)(q->dst + p->means);

    q->sum = (int64_t *)s->scratch;
    memset(q->sum, 0, ff_nn_quant_scratch(p, s->ctx->threads));
    ff_dnnl_parallel(bytes, q, threads_for(s, q->nb));
    for (int c = 0; c < p->c; c++) {
        int64_t all = 0;
        for (int t = 0; t < s->ctx->threads; t++)
            all += q->sum[(int64_t)t * p->c + c];
        mean[c] = (double)all / ((int64_t)p->h * p->w) - q->range->zero;
    }
}

/* 0 is one of the bytes' values, so that padding is exact */
static int set_scale(NNNetSlot *s, const NNStep *st, NNRange *r)
{
    r->scale = (r->hi - r->lo) / 255;
    if (!isfinite(r->scale)) {
        av_log(s->ctx->log, AV_LOG_ERROR, "onednn: values before node '%s' are not finite\n",
               s->ctx->net->nodes[st->node].name);
        return AVERROR_EXTERNAL;
    }
    if (r->scale < FLT_MIN)             /* all are 0, or as good as */
        r->scale = 1;
    r->zero = av_clip_uint8(lrintf(-r->lo / r->scale));
    return 0;
}

int ff_nn_step_quant(NNNetSlot *s, const NNStep *st)
{
    const NNQuantParams *p = st->p;
    const NNRep *blk = &s->ctx->reps[st->reps[1]];
    const NNView dst = ff_nn_view(s, st->reps[0]), src = ff_nn_view(s, st->reps[1]);
    const int64_t nb = (int64_t)blk->nb * blk->b * p->h * p->w;

    for (int n = 0; n < s->ctx->n; n++) {
        NNRange *r = range_of(s, st->reps[0] / NN_NB_LAYOUTS, n);
        Quant q = { p, (const float *)(src.data + n * src.img), dst.data + n * dst.img, nb, r };
        int ret;
        if (p->nb_from) {
            NNRange all = { 0 };
            for (int i = 0; i < p->nb_from; i++) {
                all.lo = FFMIN(all.lo, range_of(s, p->from[i], n)->lo);
                all.hi = FFMAX(all.hi, range_of(s, p->from[i], n)->hi);
            }
            r->lo = all.lo;
            r->hi = all.hi;
        } else {
            ff_dnnl_parallel(search, &q, threads_for(s, nb));
            note(r, &q.jobs);
        }
        if ((ret = set_scale(s, st, r)) < 0)
            return ret;
        quantise(s, &q);
    }
    return 0;
}

/* ---- convolution --------------------------------------------------------------------------------- */

typedef struct Finish {
    const NNPlanConv *c;
    const float *strip;
    NNFactors    f;
    float       *dst;           ///< the image's first row of the strip, first block
    NNRangeJobs *range;
    int          track;         ///< somebody asks for it
} Finish;

/* a strip's sums, pixel by pixel, to rows of blocks: each row stays in the first-level cache */
static void finish(void *arg, int job, int nb_jobs)
{
    const Finish *f = arg;
    const NNNetConvShape *s = &f->c->shape;
    const NNQuantConv *q = f->c->q;
    const int all = s->oc / NN_LANES * s->oh, row = q->ow * NN_LANES;
    float lo = f->range->lo[job], hi = f->range->hi[job];

    for (int k = (int64_t)all * job / nb_jobs; k < (int64_t)all * (job + 1) / nb_jobs; k++) {
        const int block = k / s->oh, y = k % s->oh, c = block * NN_LANES;
        float *dst = f->dst + ((int64_t)block * q->oh + y) * row;
        const NNFactors by = { f->f.zero + c, f->f.mul + c, f->f.bias + c };
        const float *src = f->strip + ((int64_t)y * s->ow + q->x0) * s->oc + c;
        if (q->act == NN_NACT_SILU) {
            ff_nn_quant_silu(dst, src, s->oc, &by, q->ow, &lo, &hi);
            continue;
        }
        ff_nn_quant_sums(dst, src, s->oc, &by, q->ow);
        ff_nn_row_act(dst, dst, row, q->act, q->alpha, q->beta);
        if (f->track)
            ff_nn_quant_range(&lo, &hi, dst, row);
    }
    f->range->lo[job] = lo;
    f->range->hi[job] = hi;
}

/* of this image: the bias with what rounded weights shift taken back */
static void factors(float *zero, float *mul, float *bias, const NNPlanConv *c, const NNRange *r, const float *mean)
{
    const int oc = c->shape.oc;

    for (int i = 0; i < oc; i++) {
        zero[i] = r->zero * c->q->sum[i];
        mul[i]  = r->scale * c->q->scale[i];
    }
    memcpy(bias, c->q->bias, oc * sizeof(*bias));
    for (int i = 0; i < c->shape.ic; i++)
        ff_nn_row_axpy(bias, c->q->lost + (int64_t)i * oc, mean[i] * r->scale, oc);
}

static int one_image(NNNetSlot *s, const NNStep *st, const NNRange *r, const uint8_t *src, float *dst,
                     NNRangeJobs *jobs)
{
    const NNPlanConv *c = &s->ctx->convs[st->conv];
    const NNNetConvShape *sh = &c->shape;
    float *strip = (float *)(s->scratch + FFALIGN(c->scratch, 64)), *zero = strip + (int64_t)sh->oc * sh->oh * sh->ow;
    Finish f = { c, strip, { zero, zero + sh->oc, zero + 2 * sh->oc }, NULL, jobs, st->track };
    int ret;

    factors(zero, zero + sh->oc, zero + 2 * sh->oc, c, r, (const float *)(src + c->q->means));
    for (int next = 0; next < c->q->oh; next += sh->oh) {
        const int y = FFMIN(next, c->q->oh - sh->oh);       /* the last one overlaps that before */
        ret = ff_dnnl_conv_run(s->convs[st->conv], s->dnnl,
                               src + ((int64_t)y * sh->stride[0] + c->q->y0) * sh->w * sh->ic, c->data, c->bias, strip,
                               s->scratch);
        if (ret < 0) {
            av_log(s->ctx->log, AV_LOG_ERROR, "oneDNN failed in node '%s'\n", s->ctx->net->nodes[st->node].name);
            return ret;
        }
        f.dst = dst + (int64_t)y * c->q->ow * NN_LANES;
        ff_dnnl_parallel(finish, &f, threads_for(s, (int64_t)sh->oc * sh->oh * sh->ow));
    }
    return 0;
}

int ff_nn_step_qconv(NNNetSlot *s, const NNStep *st)
{
    const NNView dst = ff_nn_view(s, st->reps[0]), src = ff_nn_view(s, st->reps[1]);
    NNRangeJobs jobs;

    for (int n = 0; n < s->ctx->n; n++) {
        const NNRange *r = range_of(s, st->reps[1] / NN_NB_LAYOUTS, n);
        int ret;
        ff_nn_range_start(&jobs);
        ret = one_image(s, st, r, src.data + n * src.img, (float *)(dst.data + n * dst.img), &jobs);
        if (ret < 0)
            return ret;
        if (st->track)
            ff_nn_range_note(s, st, n, &jobs);
    }
    return 0;
}
