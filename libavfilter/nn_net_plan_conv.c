/*
 * Engine onednn for nets of any shape: convolutions
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

/* what a convolution is, in the net's words */
typedef struct Conv {
    const NNNetNode *n;
    const NNTensor  *x, *w, *b, *y;
    const float     *slope;
    int ic, oc, groups;
    int depthwise;
} Conv;

static const NNTensor *constant(const NNNetContext *ctx, const NNNetNode *n, int k)
{
    const NNTensor *t;

    if (k >= n->nb_in || n->in[k] < 0)
        return NULL;
    t = &ctx->net->values[n->in[k]].t;
    return t->data && t->type == NN_VAL_F32 ? t : NULL;
}

static int describe(const NNNetContext *ctx, Conv *c, const NNNetNode *n)
{
    const NNTensor *slope = constant(ctx, n, 3);

    memset(c, 0, sizeof(*c));
    c->n = n;
    c->x = &ctx->net->values[n->in[0]].t;
    c->y = &ctx->net->values[n->out[0]].t;
    c->w = constant(ctx, n, 1);
    c->b = constant(ctx, n, 2);
    if (!c->w || c->w->nb_dims != 4 || (!c->b && n->nb_in > 2 && n->in[2] >= 0) ||
        !ff_nn_plan_blocky(ctx, n->in[0]) || !ff_nn_plan_blocky(ctx, n->out[0]))
        return AVERROR(ENOSYS);
    c->ic     = c->x->dims[1];
    c->oc     = c->y->dims[1];
    c->groups = n->group;
    c->depthwise = c->groups > 1 && c->groups == c->ic && c->groups == c->oc;
    if (c->groups < 1 || c->w->dims[0] != c->oc || c->w->dims[1] * c->groups != c->ic || c->oc % c->groups ||
        (c->b && c->b->nb != c->oc))
        return AVERROR(ENOSYS);
    if (n->act == NN_NACT_PRELU) {
        if (!slope || slope->nb != c->oc)
            return AVERROR(ENOSYS);
        c->slope = slope->data;
    }
    return 0;
}

static int act_of(enum NNNetAct act)
{
    switch (act) {
    case NN_NACT_RELU:
    case NN_NACT_LRELU:      return NN_CACT_RELU;
    case NN_NACT_SILU:       return NN_CACT_SILU;
    case NN_NACT_SIGMOID:    return NN_CACT_SIGMOID;
    case NN_NACT_CLIP:       return NN_CACT_CLIP;
    case NN_NACT_HARD_SWISH: return NN_CACT_HARD_SWISH;
    default:                 return NN_CACT_NONE;
    }
}

/* channels of a side as oneDNN is told */
static int padded(int c, int layout)
{
    return layout == NN_LAYOUT_BLOCK16 ? FFALIGN(c, 16) : layout == NN_LAYOUT_BLOCK8 ? FFALIGN(c, 8) : c;
}

static void fill_shape(NNNetConvShape *s, const Conv *c, int src_layout, int dst_layout)
{
    const NNNetNode *n = c->n;

    memset(s, 0, sizeof(*s));
    s->src_layout = src_layout;
    s->dst_layout = dst_layout;
    s->ic = padded(c->ic, src_layout);
    s->oc = padded(c->oc, dst_layout);
    s->groups = c->depthwise ? s->oc : c->groups;
    s->h  = c->x->dims[2];
    s->w  = c->x->dims[3];
    s->oh = c->y->dims[2];
    s->ow = c->y->dims[3];
    for (int i = 0; i < 2; i++) {
        s->kernel[i]   = c->w->dims[2 + i];
        s->stride[i]   = n->stride[i];
        s->dilation[i] = n->dilation[i];
        s->pad[i]      = n->pad[i];
        s->pad[2 + i]  = n->pad[2 + i];
    }
    s->act   = act_of(n->act);
    s->alpha = n->act == NN_NACT_LRELU || n->act == NN_NACT_CLIP ? n->act_alpha : 0;
    s->beta  = n->act == NN_NACT_CLIP ? n->act_beta : 0;
}

/* zeros for the channels that do not exist */
static float *pad_weights(const NNNetConvShape *s, const Conv *c)
{
    const int k = s->kernel[0] * s->kernel[1];
    const int icg = s->ic / s->groups, real = c->w->dims[1];
    const float *from = c->w->data;
    float *to = av_calloc((size_t)s->oc * icg, k * sizeof(*to));

    for (int o = 0; to && o < c->oc; o++)
        memcpy(to + (size_t)o * icg * k, from + (size_t)o * real * k, (size_t)real * k * sizeof(*to));
    return to;
}

/*
 * oneDNN's SILU takes 0.47 ns a value, as long as 80 multiply-adds: more than a third
 * of YOLOX-nano's time. Our own takes 0.21, even where the values come from the
 * third-level cache once more (yolov8n 640: 58 against 67 ms in all).
 */
static int own_act(const NNNetConvShape *s)
{
    if (s->dst != NN_F32 || !ff_nn_row_fast_sigmoid())
        return NN_NACT_NONE;
    return s->act == NN_CACT_SILU ? NN_NACT_SILU : s->act == NN_CACT_SIGMOID ? NN_NACT_SIGMOID : NN_NACT_NONE;
}

/* the convolution's weights as the primitive wants them. The primitive itself is only
 * tried here: slots make their own */
static int add_conv(NNNetContext *ctx, NNDnnl *dnnl, const Conv *c, const NNNetConvShape *s)
{
    const int act = own_act(s);
    NNNetConvShape bare = *s;
    NNPlanConv *all, *p;
    NNConv *conv = NULL;
    int ret;

    if (act != NN_NACT_NONE)
        bare.act = NN_CACT_NONE;
    s   = &bare;
    ret = ff_dnnl_netconv_create(&conv, dnnl, s, ctx->log);
    if (ret < 0)
        return ret;
    av_log(ctx->log, AV_LOG_DEBUG, "onednn: %d->%d/%d %dx%d k%d: %s (%s)\n", s->ic, s->oc, s->groups, s->w, s->h,
           s->kernel[0], ff_dnnl_conv_impl(conv), c->n->name);
    ret = AVERROR(ENOMEM);
    all = av_realloc_array(ctx->convs, ctx->nb_convs + 1, sizeof(*all));
    if (!all)
        goto end;
    ctx->convs = all;
    p  = &all[ctx->nb_convs++];
    *p = (NNPlanConv){ .shape = *s, .weight = pad_weights(s, c), .bias = av_calloc(s->oc, sizeof(*p->bias)),
                        .act = act };
    if (!p->weight || !p->bias)
        goto end;
    if (c->b)
        memcpy(p->bias, c->b->data, c->oc * sizeof(*p->bias));
    p->scratch = ff_dnnl_conv_scratch(conv);
    ret = ff_dnnl_pack(&p->data, &p->packed, dnnl, conv, p->weight);
    av_freep(&p->weight);
end:
    ff_dnnl_conv_free(&conv);
    return ret < 0 ? ret : ctx->nb_convs - 1;
}

static int add_slopes(NNNetContext *ctx, const Conv *c, int node, int rep)
{
    const NNRep *r = &ctx->reps[rep];
    const int nb = r->b ? r->b * r->nb : c->oc;
    NNSlopeParams *p = av_mallocz(sizeof(*p) + nb * sizeof(*p->slope));

    if (!p)
        return AVERROR(ENOMEM);
    p->hw    = c->y->dims[2] * c->y->dims[3];
    p->slope = (float *)(p + 1);
    memcpy(p->slope, c->slope, c->oc * sizeof(*p->slope));
    return ff_nn_plan_step(ctx, ff_nn_step_prelu, node, (const int[]){ rep }, 1, 1, p);
}

static int add_step(NNNetContext *ctx, NNDnnl *dnnl, const Conv *c, int node, const NNNetConvShape *s,
                    int src, int dst)
{
    const int conv = add_conv(ctx, dnnl, c, s);
    int reps[2], step;

    if (conv < 0)
        return conv;
    if ((reps[1] = ff_nn_plan_need(ctx, c->n->in[0], src)) < 0)
        return reps[1];
    reps[0] = ff_nn_plan_make(ctx, c->n->out[0], dst);
    step = ff_nn_plan_step(ctx, ff_nn_step_conv, node, reps, 2, 1, NULL);
    if (step < 0)
        return step;
    ctx->steps[step].conv = conv;
    return c->slope ? add_slopes(ctx, c, node, reps[0]) : 0;
}

static int in_blocks(NNNetContext *ctx, NNDnnl *dnnl, const Conv *c, int node)
{
    const int layout = ctx->b == 16 ? NN_LAYOUT_BLOCK16 : ctx->b ? NN_LAYOUT_BLOCK8 : NN_LAYOUT_NHWC;
    /* a picture as it comes: oneDNN has kernels for few channels in planes */
    const int planes = ctx->b && c->groups == 1 && c->ic < ctx->b && !ff_nn_plan_has(ctx, c->n->in[0], NN_BLOCK);
    NNNetConvShape s;
    int ret;

    if (c->groups > 1 && !c->depthwise && ctx->b && (c->ic / c->groups % ctx->b || c->oc / c->groups % ctx->b))
        return AVERROR(ENOSYS);
    for (int p = planes; p >= 0; p--) {
        fill_shape(&s, c, p ? NN_LAYOUT_NCHW : layout, layout);
        s.src = ctx->type;
        s.dst = ctx->want[c->n->out[0]] ? ctx->type : NN_F32;
        ret = add_step(ctx, dnnl, c, node, &s, p ? NN_PLAIN : NN_BLOCK, NN_BLOCK);
        if (ret != AVERROR(ENOSYS))
            return ret;
    }
    return ret;
}

static int small(NNNetContext *ctx, const Conv *c, int node)
{
    const NNNetNode *n = c->n;
    int reps[2];

    if (c->w->dims[2] * c->w->dims[3] != 1 || c->groups != 1 || c->oc > 4 || c->slope ||
        n->stride[0] != 1 || n->stride[1] != 1 || n->pad[0] | n->pad[1] | n->pad[2] | n->pad[3] ||
        ff_nn_plan_has(ctx, n->in[0], NN_BLOCK))
        return AVERROR(ENOSYS);
    if ((reps[1] = ff_nn_plan_need(ctx, n->in[0], NN_PLAIN)) < 0)
        return reps[1];
    reps[0] = ff_nn_plan_make(ctx, n->out[0], NN_PLAIN);
    return ff_nn_plan_step(ctx, ff_nn_step_small_conv, node, reps, 2, 1, NULL);
}

int ff_nn_plan_conv(NNNetContext *ctx, NNDnnl *dnnl, int node)
{
    NNNetConvShape s;
    Conv c;
    int ret = describe(ctx, &c, &ctx->net->nodes[node]);

    if (ret < 0 || (ret = small(ctx, &c, node)) != AVERROR(ENOSYS))
        return ret;
    if (ctx->precision == NN_PREC_INT8 && !c.slope) {
        fill_shape(&s, &c, NN_LAYOUT_NHWC, NN_LAYOUT_NHWC);
        ret = ff_nn_plan_qconv(ctx, dnnl, node, &s, c.w->data, c.b ? c.b->data : NULL);
        if (ret != AVERROR(ENOSYS))
            return ret;
    }
    if ((ret = in_blocks(ctx, dnnl, &c, node)) != AVERROR(ENOSYS))
        return ret;
    if (c.slope)
        return AVERROR(ENOSYS);
    /* odd groups: oneDNN unrolls them into a matrix product */
    fill_shape(&s, &c, NN_LAYOUT_NCHW, NN_LAYOUT_NCHW);
    return add_step(ctx, dnnl, &c, node, &s, NN_PLAIN, NN_PLAIN);
}
