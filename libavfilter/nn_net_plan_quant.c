/*
 * Engine onednn for nets of any shape: which convolutions run in int8
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
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_onednn.h"
#include "nn_net_rows.h"

#define MIN_CHANNELS     32     /* fewer: nothing is gained, and the noise is the most */
#define MAX_MARGIN        8
#define MAX_SUM       65000     /* products of 255 * 127 that an int32 holds */
#define STRIP    (256 << 10)    /* bytes of a strip of output: it stays in the second-level cache */
#define MAX_VISITS       64

/* ---- ranges ------------------------------------------------------------------------------ */

/* the step that notes a value's range, if it can; -1: no step makes it from other values; -2: it cannot */
static int maker(const NNNetContext *ctx, int value)
{
    for (int i = ctx->nb_steps - 1; i >= 0; i--) {
        const NNStep *st = &ctx->steps[i];
        if (st->node < 0 || st->reps[0] / NN_NB_LAYOUTS != value)
            continue;
        if (st->run == ff_nn_step_conv || st->run == ff_nn_step_qconv || st->run == ff_nn_step_block_elem)
            return i;
        return ctx->net->nodes[st->node].act == NN_NACT_PRELU ? -2 : -1;
    }
    return -1;
}

static int add_range(NNQuantParams *p, int value)
{
    for (int i = 0; i < p->nb_from; i++)
        if (p->from[i] == value)
            return 1;
    if (p->nb_from == NN_MAX_RANGES)
        return 0;
    p->from[p->nb_from++] = value;
    return 1;
}

/* all of a node's outputs are some of its inputs' elements; @return how many inputs count */
static int only_moves(const NNNetNode *n)
{
    if (n->act != NN_NACT_NONE)
        return 0;
    switch (n->op) {
    case NN_OP_CONCAT:   return n->nb_in;
    case NN_OP_SPLIT: case NN_OP_SLICE: case NN_OP_MAX_POOL: case NN_OP_IDENTITY: return 1;
    case NN_OP_RESIZE:   return n->mode == NN_RESIZE_NEAREST;
    default:             return 0;
    }
}

/*
 * Which noted ranges hold all of a value's elements. That of the whole holds a part's.
 * @return 0 if some are not noted
 */
static int find_ranges(NNNetContext *ctx, NNQuantParams *p, int value, int *visits)
{
    const int step = maker(ctx, value), node = ctx->net->values[value].node;
    const NNNetNode *n = node >= 0 ? &ctx->net->nodes[node] : NULL;
    int nb;

    if (step >= 0) {
        ctx->steps[step].track = 1;
        return add_range(p, value);
    }
    if (step < -1 || !n || ++*visits > MAX_VISITS || !(nb = only_moves(n)))
        return 0;
    for (int i = 0; i < nb; i++)
        if (n->in[i] < 0 || !find_ranges(ctx, p, n->in[i], visits))
            return 0;
    return 1;
}

/* ---- a value in bytes ---------------------------------------------------------------------- */

/* the most padding of the dense convolutions that read it: one copy is for all of them */
static int margin_of(const NNNetContext *ctx, int value)
{
    int margin = 0;

    for (int i = 0; i < ctx->net->nb_nodes; i++) {
        const NNNetNode *n = &ctx->net->nodes[i];
        for (int k = 0; k < 4 && n->op == NN_OP_CONV && n->group == 1 && n->in[0] == value; k++)
            margin = FFMAX(margin, n->pad[k]);
    }
    return margin;
}

static int64_t means_at(int c, int h, int w, int margin)
{
    return FFALIGN((int64_t)(h + 2 * margin) * (w + 2 * margin) * c, 64);
}

/* @return its rep, AVERROR */
static int need_bytes(NNNetContext *ctx, int node, int value, int margin)
{
    const NNTensor *t = &ctx->net->values[value].t;
    const int reps[2] = { NN_REP(value, NN_QUANT), ff_nn_plan_need(ctx, value, NN_BLOCK) };
    NNRep *r = &ctx->reps[reps[0]];
    NNQuantParams *p;
    int ret, visits = 0;

    if (reps[1] < 0)
        return reps[1];
    if (r->made)
        return reps[0];
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    *p = (NNQuantParams){ FFALIGN(t->dims[1], 4), 0, t->dims[2], t->dims[3], margin };
    p->means = means_at(p->c, p->h, p->w, margin);
    if (!find_ranges(ctx, p, value, &visits))
        p->nb_from = 0;
    if ((ret = ff_nn_plan_step(ctx, ff_nn_step_quant, node, reps, 2, 1, p)) < 0)
        return ret;
    r->made = r->nb = 1;
    r->type = NN_U8;
    r->b    = p->c;
    r->size = p->means + p->c * sizeof(float);
    return reps[0];
}

/* ---- a convolution -------------------------------------------------------------------------- */

/*
 * The convolution of one strip, its output in L2, over bytes with their padding around
 * them: the strips differ by an address.
 */
static void strip_shape(const NNNetContext *ctx, NNNetConvShape *s, const NNNetConvShape *whole, int margin)
{
    const int kh = (whole->kernel[0] - 1) * whole->dilation[0] + 1;
    const int kw = (whole->kernel[1] - 1) * whole->dilation[1] + 1;
    int64_t rows;

    *s = *whole;
    s->ic  = FFALIGN(whole->ic, 4);
    s->oc  = FFALIGN(whole->oc, ctx->b);
    s->src = NN_U8;
    s->dst = NN_F32;
    s->act = NN_CACT_NONE;
    s->alpha = s->beta = 0;
    memset(s->pad, 0, sizeof(s->pad));
    s->w   = whole->w + 2 * margin;
    s->ow  = (s->w - kw) / s->stride[1] + 1;
    rows   = av_clip64((int64_t)STRIP * ctx->threads / ((int64_t)s->ow * s->oc * sizeof(float)), 1, whole->oh);
    rows   = (whole->oh + rows - 1) / rows;         /* strips */
    s->oh  = (whole->oh + rows - 1) / rows;
    s->h   = (s->oh - 1) * s->stride[0] + kh;
}

static int eligible(const NNNetContext *ctx, const NNNetNode *n, const NNNetConvShape *s, int margin)
{
    const int x = margin - s->pad[1];

    return ctx->b == 16 && s->groups == 1 && s->ic >= MIN_CHANNELS && margin <= MAX_MARGIN &&
           (int64_t)s->ic * s->kernel[0] * s->kernel[1] <= MAX_SUM && x % s->stride[1] == 0 &&
           /* the last convolutions before a detector's boxes and scores stay exact */
           ctx->want[n->out[0]] && ff_nn_row_knows(n->act);
}

/* of all output pixels, those that read the picture, not its border, by tap k of dimension d */
static double inside(const NNNetConvShape *whole, int d, int k)
{
    const int in = d ? whole->w : whole->h, out = d ? whole->ow : whole->oh;
    int n = 0;

    for (int i = 0; i < out; i++) {
        const int at = i * whole->stride[d] - whole->pad[d] + k * whole->dilation[d];
        n += at >= 0 && at < in;
    }
    return (double)n / out;
}

/* one output channel's weights to bytes, [ic][kh][kw]; share: inside() of each tap */
static int quantise_weights(NNQuantConv *q, const NNNetConvShape *s, float *to, const float *from, int o, int nb,
                            const float *share)
{
    const int taps = s->kernel[0] * s->kernel[1];
    float most = 0, scale;
    double sum = 0;

    for (int i = 0; i < nb; i++) {
        if (!isfinite(from[i]))
            return AVERROR(ENOSYS);
        most = FFMAX(most, fabsf(from[i]));
    }
    scale = most / 127;
    if (!isfinite(q->bias[o]) || (most && !isnormal(scale)))
        return AVERROR(ENOSYS);
    for (int i = 0; i < nb && most; i++) {
        sum += to[i] = rintf(from[i] / scale);
        q->lost[(int64_t)i / taps * s->oc + o] += (from[i] - to[i] * scale) * share[i % taps];
    }
    q->scale[o] = scale;
    q->sum[o]   = sum;          /* below 2^24: exact */
    return 0;
}

static NNQuantConv *make_conv(const NNNetNode *n, const NNNetConvShape *s, const NNNetConvShape *whole, int margin)
{
    NNQuantConv *q = av_mallocz(sizeof(*q) + (size_t)(3 + s->ic) * s->oc * sizeof(float));

    if (!q)
        return NULL;
    *q = (NNQuantConv){ (margin - whole->pad[1]) / s->stride[1], margin - whole->pad[0], whole->oh, whole->ow, 0,
                        n->act, n->act_alpha, n->act_beta };
    q->means = means_at(s->ic, whole->h, whole->w, margin);
    q->scale = (float *)(q + 1);
    q->sum   = q->scale + s->oc;
    q->bias  = q->sum + s->oc;
    q->lost  = q->bias + s->oc;
    return q;
}

static int fill_conv(NNPlanConv *p, const NNNetConvShape *whole, const float *weight, const float *bias)
{
    const int nb = whole->ic * whole->kernel[0] * whole->kernel[1];
    const int taps = whole->kernel[0] * whole->kernel[1], nb_to = p->shape.ic * taps;
    float *share = av_malloc_array(taps, sizeof(*share));
    int ret = 0;

    p->weight = av_calloc((size_t)p->shape.oc * nb_to, sizeof(*p->weight));
    p->bias   = av_calloc(p->shape.oc, sizeof(*p->bias));       /* oneDNN's: none */
    if (!p->weight || !p->bias || !share) {
        av_free(share);
        return AVERROR(ENOMEM);
    }
    for (int k = 0; k < taps; k++)
        share[k] = inside(whole, 0, k / whole->kernel[1]) * inside(whole, 1, k % whole->kernel[1]);
    if (bias)
        memcpy(p->q->bias, bias, whole->oc * sizeof(*bias));
    for (int o = 0; o < whole->oc && ret >= 0; o++)
        ret = quantise_weights(p->q, &p->shape, p->weight + (size_t)o * nb_to, weight + (size_t)o * nb, o, nb, share);
    av_free(share);
    return ret;
}

static void drop_conv(NNPlanConv *p)
{
    ff_dnnl_packed_free(&p->packed);
    av_freep(&p->weight);
    av_freep(&p->bias);
    av_freep(&p->q);
}

static int pack_conv(NNNetContext *ctx, NNDnnl *dnnl, NNPlanConv *p, const char *name)
{
    const NNNetConvShape *s = &p->shape;
    NNConv *conv = NULL;
    int ret = ff_dnnl_netconv_create(&conv, dnnl, s, ctx->log);

    if (ret < 0)
        return ret;
    av_log(ctx->log, AV_LOG_DEBUG, "onednn: %d->%d %dx%d k%d, strips of %d rows: %s (%s)\n", s->ic, s->oc, p->q->ow,
           p->q->oh, s->kernel[0], s->oh, ff_dnnl_conv_impl(conv), name);
    p->scratch = ff_dnnl_conv_scratch(conv);
    p->extra   = (size_t)s->oc * (s->oh * s->ow + 3) * sizeof(float);
    ret = ff_dnnl_pack(&p->data, &p->packed, dnnl, conv, p->weight);
    ff_dnnl_conv_free(&conv);
    av_freep(&p->weight);
    return ret;
}

static int add_conv(NNNetContext *ctx, NNDnnl *dnnl, const NNNetNode *n, const NNNetConvShape *whole, int margin,
                    const float *weight, const float *bias)
{
    NNPlanConv *all, p = { { 0 } };
    int ret = AVERROR(ENOMEM);

    strip_shape(ctx, &p.shape, whole, margin);
    if (!(p.q = make_conv(n, &p.shape, whole, margin)) ||
        (ret = fill_conv(&p, whole, weight, bias)) < 0 ||
        (ret = pack_conv(ctx, dnnl, &p, n->name)) < 0)
        goto fail;
    ret = AVERROR(ENOMEM);
    if (!(all = av_realloc_array(ctx->convs, ctx->nb_convs + 1, sizeof(*all))))
        goto fail;
    ctx->convs = all;
    all[ctx->nb_convs] = p;
    return ctx->nb_convs++;
fail:
    drop_conv(&p);
    return ret;
}

int ff_nn_plan_qconv(NNNetContext *ctx, NNDnnl *dnnl, int node, const NNNetConvShape *s,
                     const float *weight, const float *bias)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const int margin = margin_of(ctx, n->in[0]);
    int reps[2], conv, step;

    if (!eligible(ctx, n, s, margin))
        return AVERROR(ENOSYS);
    if ((conv = add_conv(ctx, dnnl, n, s, margin, weight, bias)) < 0)
        return conv;
    if ((reps[1] = need_bytes(ctx, node, n->in[0], margin)) < 0)
        return reps[1];
    reps[0] = ff_nn_plan_make(ctx, n->out[0], NN_BLOCK);
    step = ff_nn_plan_step(ctx, ff_nn_step_qconv, node, reps, 2, 1, NULL);
    if (step < 0)
        return step;
    ctx->steps[step].conv = conv;
    return 0;
}
