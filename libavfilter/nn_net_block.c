/*
 * Engine onednn for nets of any shape: steps on blocks of channels
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
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_onednn.h"
#include "nn_net_rows.h"

#define CHUNK   2048            /* values converted at a time: they stay in the first-level cache */
#define WORK   32768            /* values that are worth another thread */

static const NNRep *rep(const NNNetSlot *s, int i)
{
    return &s->ctx->reps[i];
}

static int threads_for(const NNNetSlot *s, int64_t values)
{
    return av_clip64(values / WORK, 1, s->ctx->threads);
}

/* ---- convolution --------------------------------------------------------------------- */

typedef struct Act {
    float  *x;
    int64_t nb;
    int     act;
    NNRangeJobs *range;         ///< NULL: nobody asks for it
} Act;

static void act(void *arg, int job, int nb_jobs)
{
    const Act *t = arg;
    const int64_t from = t->nb * job / nb_jobs, to = t->nb * (job + 1) / nb_jobs;

    if (t->range && t->act == NN_NACT_SILU && !(t->nb % 16)) {
        ff_nn_range_silu(t->range, job, t->x + t->nb / 16 * job / nb_jobs * 16,
                         (t->nb / 16 * (job + 1) / nb_jobs - t->nb / 16 * job / nb_jobs) * 16);
        return;
    }
    for (int64_t i = from, nb; i < to; i += nb) {
        nb = t->range ? FFMIN(CHUNK, to - i) : to - i;
        ff_nn_row_act(t->x + i, t->x + i, nb, t->act, 0, 0);
        if (t->range)
            ff_nn_range_add(t->range, job, t->x + i, nb);
    }
}

int ff_nn_step_conv(NNNetSlot *s, const NNStep *st)
{
    const NNNetContext *ctx = s->ctx;
    const NNPlanConv *c = &ctx->convs[st->conv];
    const NNNetConvShape *sh = &c->shape;
    const NNView dst = ff_nn_view(s, st->reps[0]), src = ff_nn_view(s, st->reps[1]);
    const int64_t plane_in = (int64_t)sh->ic * sh->h * sh->w, plane_out = (int64_t)sh->oc * sh->oh * sh->ow;
    const int64_t src_img = sh->src_layout == NN_LAYOUT_NCHW ? plane_in  * 4 : src.img;
    const int64_t dst_img = sh->dst_layout == NN_LAYOUT_NCHW ? plane_out * 4 : dst.img;

    for (int i = 0; i < ctx->n; i++) {
        const void *in = src.data + i * src_img;
        int ret;
        if (sh->src_layout == NN_LAYOUT_NCHW && sh->src == NN_BF16) {
            uint16_t *half = (uint16_t *)(s->scratch + FFALIGN(c->scratch, 64));
            ctx->dsp->narrow(half, in, plane_in);
            in = half;
        }
        ret = ff_dnnl_conv_run(s->convs[st->conv], s->dnnl, in, c->data, c->bias, dst.data + i * dst_img, s->scratch);
        if (ret < 0) {
            av_log(ctx->log, AV_LOG_ERROR, "oneDNN failed in node '%s'\n", ctx->net->nodes[st->node].name);
            return ret;
        }
        if (c->act != NN_NACT_NONE || st->track) {
            NNRangeJobs r;
            Act t = { (float *)(dst.data + i * dst_img), plane_out, c->act, st->track ? &r : NULL };
            ff_nn_range_start(&r);
            ff_dnnl_parallel(act, &t, threads_for(s, plane_out));
            if (st->track)
                ff_nn_range_note(s, st, i, &r);
        }
    }
    return 0;
}

int ff_nn_step_prelu(NNNetSlot *s, const NNStep *st)
{
    const NNSlopeParams *p = st->p;
    const NNRep *r = rep(s, st->reps[0]);
    const NNView v = ff_nn_view(s, st->reps[0]);

    for (int n = 0; n < s->ctx->n; n++)
        for (int i = 0; i < r->nb; i++) {
            uint8_t *x = v.data + n * v.img + (int64_t)i * r->b * p->hw * NN_TYPE_SIZE(r->type);
            if (r->type == NN_BF16)
                s->ctx->dsp->act_bf16((uint16_t *)x, p->slope + i * r->b, p->hw, r->b);
            else
                s->ctx->dsp->act_f32((float *)x, p->slope + i * r->b, p->hw, r->b);
        }
    return 0;
}

/* ---- element by element ---------------------------------------------------------------- */

typedef struct Elem {
    const NNNetSlot *s;
    const NNStep *st;
    NNView v[3];
    int64_t chunks;             ///< of an image
    int first, images;
    NNRangeJobs *range;
} Elem;

static const float *load(const NNStripDSP *dsp, float *tmp, const uint8_t *src, int type, int64_t at, int nb)
{
    if (type == NN_F32)
        return (const float *)src + at;
    dsp->widen(tmp, (const uint16_t *)src + at, nb);
    return tmp;
}

static void elem(void *arg, int job, int nb_jobs)
{
    const Elem *e = arg;
    const NNElemParams *p = e->st->p;
    const NNStripDSP *dsp = e->s->ctx->dsp;
    const int64_t all = e->chunks * e->images;
    int type[3];
    float ta[CHUNK], tb[CHUNK], td[CHUNK];

    for (int i = 0; i < e->st->nb_reps; i++)
        type[i] = rep(e->s, e->st->reps[i])->type;
    for (int64_t k = all * job / nb_jobs; k < all * (job + 1) / nb_jobs; k++) {
        const int64_t n = e->first + k / e->chunks, at = k % e->chunks * CHUNK;
        const int nb = FFMIN(CHUNK, p->nb - at);
        uint8_t *out = e->v[0].data + n * e->v[0].img;
        float *dst = type[0] == NN_F32 ? (float *)out + at : td;
        const float *a = load(dsp, ta, e->v[1].data + n * e->v[1].img, type[1], at, nb);
        if (p->op == NN_ROW_NONE) {
            ff_nn_row_act(dst, a, nb, p->act, p->alpha, p->beta);
        } else {
            const float *b = load(dsp, tb, e->v[2].data + n * e->v[2].img, type[2], at, nb);
            ff_nn_row_op(dst, a, b, 1, 1, nb, p->op);
            ff_nn_row_act(dst, dst, nb, p->act, p->alpha, p->beta);
        }
        if (type[0] != NN_F32)
            dsp->narrow((uint16_t *)out + at, dst, nb);
        if (e->range)
            ff_nn_range_add(e->range, job, dst, nb);
    }
}

int ff_nn_step_block_elem(NNNetSlot *s, const NNStep *st)
{
    const NNElemParams *p = st->p;
    Elem e = { s, st, { { 0 } }, (p->nb + CHUNK - 1) / CHUNK };
    NNRangeJobs r;

    for (int i = 0; i < st->nb_reps; i++)
        e.v[i] = ff_nn_view(s, st->reps[i]);
    if (!st->track) {
        e.images = s->ctx->n;
        ff_dnnl_parallel(elem, &e, threads_for(s, p->nb * s->ctx->n));
        return 0;
    }
    e.range  = &r;
    e.images = 1;
    for (; e.first < s->ctx->n; e.first++) {
        ff_nn_range_start(&r);
        ff_dnnl_parallel(elem, &e, threads_for(s, p->nb));
        ff_nn_range_note(s, st, e.first, &r);
    }
    return 0;
}

/* ---- pools: first down the columns, then along the row ------------------------------------ */

typedef struct Rows {
    NNNetSlot *s;
    const NNStep *st;
    NNView dst, src;
} Rows;

/* rows or columns of the input under output i */
static int under(const NNNetNode *n, int d, int i, int size, int *from, int *window)
{
    const int start = i * n->stride[d] - n->pad[d], end = start + n->kernel[d];

    *from   = av_clip(start, 0, size - 1);
    *window = FFMIN(end, size + n->pad[2 + d]) - start;     /* with padding, without what ceil_mode added */
    return FFMAX(FFMIN(end, size) - *from, 1);
}

static void pool(void *arg, int job, int nb_jobs)
{
    const Rows *r = arg;
    const NNNetContext *ctx = r->s->ctx;
    const NNNetNode *n = &ctx->net->nodes[r->st->node];
    const NNPoolParams *p = r->st->p;
    const NNRep *in = rep(r->s, r->st->reps[1]), *out = rep(r->s, r->st->reps[0]);
    const int b = in->b, es = NN_TYPE_SIZE(in->type), os = NN_TYPE_SIZE(out->type), sum = n->op == NN_OP_AVG_POOL;
    const int64_t all = (int64_t)ctx->n * in->nb * p->oh, row = (int64_t)p->w * b;
    float *col = (float *)(r->s->scratch + job * ff_nn_pool_scratch(p, b)), *wide = col + row, *line = wide + row;

    for (int64_t k = all * job / nb_jobs; k < all * (job + 1) / nb_jobs; k++) {
        const int oy = k % p->oh, i = k / p->oh % in->nb, img = k / p->oh / in->nb;
        uint8_t *dst = r->dst.data + img * r->dst.img + (((int64_t)i * p->oh + oy) * p->ow * b) * os;
        float *to = out->type == NN_F32 ? (float *)dst : line;
        int y, wy, ny = under(n, 0, oy, p->h, &y, &wy);
        for (int j = 0; j < ny; j++) {
            const uint8_t *from = r->src.data + img * r->src.img + (((int64_t)i * p->h + y + j) * row) * es;
            const float *f = load(ctx->dsp, wide, from, in->type, 0, row);
            if (!j)
                memcpy(col, f, row * sizeof(*col));
            else if (sum)
                ff_nn_row_add(col, f, row);
            else
                ff_nn_row_max(col, f, row);
        }
        for (int ox = 0; ox < p->ow; ox++) {
            int x, wx, nx = under(n, 1, ox, p->w, &x, &wx);
            ff_nn_row_fold(to + (int64_t)ox * b, col + (int64_t)x * b, b, nx, sum);
            if (sum)
                ff_nn_row_scale(to + (int64_t)ox * b, 1.0f / (n->count_pad ? wy * wx : ny * nx), b);
        }
        if (out->type != NN_F32)
            ctx->dsp->narrow((uint16_t *)dst, to, (int64_t)p->ow * b);
    }
}

size_t ff_nn_pool_scratch(const NNPoolParams *p, int b)
{
    return FFALIGN(((size_t)2 * p->w + p->ow) * b * sizeof(float), 64);
}

int ff_nn_step_pool(NNNetSlot *s, const NNStep *st)
{
    const NNPoolParams *p = st->p;
    const NNRep *in = rep(s, st->reps[1]);
    Rows r = { s, st, ff_nn_view(s, st->reps[0]), ff_nn_view(s, st->reps[1]) };

    ff_dnnl_parallel(pool, &r, threads_for(s, (int64_t)s->ctx->n * in->nb * in->b * p->h * p->w));
    return 0;
}

/* ---- nearest neighbour ---------------------------------------------------------------------- */

static void near_row(uint8_t *dst, const uint8_t *src, const int *x, int nb, int size)
{
    if (size == 64) {           /* 16 floats */
        for (int i = 0; i < nb; i++)
            memcpy(dst + 64 * (int64_t)i, src + 64 * (int64_t)x[i], 64);
    } else {
        for (int i = 0; i < nb; i++)
            memcpy(dst + (int64_t)size * i, src + (int64_t)size * x[i], size);
    }
}

static void nearest(void *arg, int job, int nb_jobs)
{
    const Rows *r = arg;
    const NNNearParams *p = r->st->p;
    const NNRep *in = rep(r->s, r->st->reps[1]);
    const int size = in->b * NN_TYPE_SIZE(in->type);
    const int64_t all = (int64_t)r->s->ctx->n * in->nb, src_row = (int64_t)p->w * size, dst_row = (int64_t)p->ow * size;

    for (int64_t k = all * job / nb_jobs; k < all * (job + 1) / nb_jobs; k++) {
        const uint8_t *src = r->src.data + k / in->nb * r->src.img + k % in->nb * p->h * src_row;
        uint8_t *dst = r->dst.data + k / in->nb * r->dst.img + k % in->nb * p->oh * dst_row;
        for (int y = 0; y < p->oh; y++, dst += dst_row) {
            if (y && p->y[y] == p->y[y - 1])
                memcpy(dst, dst - dst_row, dst_row);
            else
                near_row(dst, src + p->y[y] * src_row, p->x, p->ow, size);
        }
    }
}

int ff_nn_step_nearest(NNNetSlot *s, const NNStep *st)
{
    const NNNearParams *p = st->p;
    const NNRep *in = rep(s, st->reps[1]);
    Rows r = { s, st, ff_nn_view(s, st->reps[0]), ff_nn_view(s, st->reps[1]) };

    ff_dnnl_parallel(nearest, &r, threads_for(s, (int64_t)s->ctx->n * in->nb * in->b * p->oh * p->ow));
    return 0;
}

/* ---- plain <-> blocks --------------------------------------------------------------------------- */

/* pixels at a time: CHUNK values, multiples of 16 where that is possible */
static int pixels(int b)
{
    return b <= CHUNK / 16 ? CHUNK / b / 16 * 16 : 1;
}

static void change(const Rows *r, int job, int nb_jobs, int to_blocks)
{
    const NNPackParams *p = r->st->p;
    const NNStripDSP *dsp = r->s->ctx->dsp;
    const NNRep *blk = rep(r->s, r->st->reps[!to_blocks]);
    const NNView *bv = to_blocks ? &r->dst : &r->src;
    float *plain = (float *)(to_blocks ? r->src.data : r->dst.data) + p->offset;
    const int hw = p->h * p->w, es = NN_TYPE_SIZE(blk->type), step = pixels(blk->b);
    const int64_t all = (int64_t)r->s->ctx->n * blk->nb;
    float tmp[NN_MAX_C];

    for (int64_t k = all * job / nb_jobs; k < all * (job + 1) / nb_jobs; k++) {
        const int i = k % blk->nb, used = FFMIN(blk->b, p->c - i * blk->b);
        uint8_t *b = bv->data + k / blk->nb * bv->img + (int64_t)i * blk->b * hw * es;
        float *f = plain + k / blk->nb * p->img + (int64_t)i * blk->b * p->ch;
        for (int x = 0; x < hw; x += step, b += (int64_t)step * blk->b * es) {
            const int nb = FFMIN(step, hw - x);
            if (to_blocks) {
                float *dst = blk->type == NN_F32 ? (float *)b : tmp;
                ff_nn_row_block(dst, f + x, p->ch, blk->b, used, nb);
                if (blk->type != NN_F32)
                    dsp->narrow((uint16_t *)b, dst, (size_t)nb * blk->b);
            } else {
                ff_nn_row_unblock(f + x, p->ch, load(dsp, tmp, b, blk->type, 0, nb * blk->b), blk->b, used, nb);
            }
        }
    }
}

static void do_unpack(void *arg, int job, int nb_jobs)
{
    change(arg, job, nb_jobs, 0);
}

static void do_pack(void *arg, int job, int nb_jobs)
{
    change(arg, job, nb_jobs, 1);
}

int ff_nn_step_unpack(NNNetSlot *s, const NNStep *st)
{
    const NNPackParams *p = st->p;
    Rows r = { s, st, ff_nn_view(s, st->reps[0]), ff_nn_view(s, st->reps[1]) };

    ff_dnnl_parallel(do_unpack, &r, threads_for(s, (int64_t)s->ctx->n * p->c * p->h * p->w));
    return 0;
}

int ff_nn_step_pack(NNNetSlot *s, const NNStep *st)
{
    const NNPackParams *p = st->p;
    Rows r = { s, st, ff_nn_view(s, st->reps[0]), ff_nn_view(s, st->reps[1]) };

    ff_dnnl_parallel(do_pack, &r, threads_for(s, (int64_t)s->ctx->n * p->c * p->h * p->w));
    return 0;
}

/* ---- some channels to other ones ------------------------------------------------------------------ */

static void copy_values(const NNStripDSP *dsp, uint8_t *dst, int dst_type, const uint8_t *src, int src_type, int64_t nb)
{
    if (dst_type == src_type)
        memcpy(dst, src, nb * NN_TYPE_SIZE(dst_type));
    else if (dst_type == NN_F32)
        dsp->widen((float *)dst, (const uint16_t *)src, nb);
    else
        dsp->narrow((uint16_t *)dst, (const float *)src, nb);
}

static void copy_channels(const NNNetSlot *s, const NNChanParams *p, const NNRep *d, uint8_t *dst,
                          const NNRep *r, const uint8_t *src)
{
    const int ds = NN_TYPE_SIZE(d->type), ss = NN_TYPE_SIZE(r->type);
    int nb;

    for (int k = 0; k < p->c; k += nb) {
        const int ci = (p->c0 + k) % r->b, co = (p->d0 + k) % d->b;
        const uint8_t *from = src + ((int64_t)((p->c0 + k) / r->b) * r->b * p->hw + ci) * ss;
        uint8_t *to = dst + ((int64_t)((p->d0 + k) / d->b) * d->b * p->hw + co) * ds;
        nb = FFMIN3(p->c - k, r->b - ci, d->b - co);
        if (nb == r->b && nb == d->b) {
            copy_values(s->ctx->dsp, to, d->type, from, r->type, (int64_t)nb * p->hw);
            continue;
        }
        for (int x = 0; x < p->hw; x++, from += (int64_t)r->b * ss, to += (int64_t)d->b * ds)
            copy_values(s->ctx->dsp, to, d->type, from, r->type, nb);
    }
}

/* the channels that do not exist, behind the last one copied */
static void clear_rest(const NNChanParams *p, const NNRep *d, uint8_t *dst)
{
    const int end = p->d0 + p->c, rest = d->nb * d->b - end, es = NN_TYPE_SIZE(d->type);

    for (int x = 0; x < p->hw && p->last && rest; x++)
        memset(dst + ((int64_t)end / d->b * d->b * p->hw + (int64_t)x * d->b + end % d->b) * es, 0, rest * es);
}

int ff_nn_step_channels(NNNetSlot *s, const NNStep *st)
{
    const NNChanParams *p = st->p;
    const NNView dst = ff_nn_view(s, st->reps[0]), src = ff_nn_view(s, st->reps[1]);

    for (int n = 0; n < s->ctx->n; n++) {
        copy_channels(s, p, rep(s, st->reps[0]), dst.data + n * dst.img, rep(s, st->reps[1]), src.data + n * src.img);
        clear_rest(p, rep(s, st->reps[0]), dst.data + n * dst.img);
    }
    return 0;
}
