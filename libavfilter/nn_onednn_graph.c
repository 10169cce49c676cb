/*
 * Engine onednn: any graph, a whole tile at a time
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

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_onednn.h"

/*
 * Every node's output is an NHWC tensor in a buffer that is used again once the
 * last reader has run. In bf16, what is added up (the trunk of a residual net)
 * stays fp32, so that rounding does not pile up over hundreds of additions; the
 * first convolution reads the picture in fp32 too.
 */

typedef struct NodePlan {
    int    type;            ///< NNType of its output
    int    buf;             ///< index of its buffer, -1 = none (the input)
    int    last_use;        ///< last node that reads it
    int    narrow;          ///< a convolution whose input must be rounded to bf16 first
} NodePlan;

struct NNPlan {
    NodePlan *nodes;
    double   *bufs;         ///< bytes per input pixel of each buffer
    int       nb_bufs;
    double    tmp;          ///< the same of one for conversions
};

typedef struct Run {
    NNEngineContext *ctx;
    const NNPlan    *plan;
    NNSlot          *s;
    const NNTile    *t;
    uint8_t        **base;          ///< of each buffer
    uint8_t         *tmp;
} Run;

/* ---- plan ------------------------------------------------------------------------ */

static int first_conv(const NNGraph *g, int i)
{
    const NNNode *in = &g->nodes[g->nodes[i].in[0]];

    return in->op == NN_INPUT || (in->op == NN_UNSHUFFLE && !in->in[0]);
}

/* node i is read, if at all, only by additions */
static int only_added(const NNGraph *g, int i)
{
    for (int j = i + 1; j < g->nb_nodes; j++)
        for (int k = 0; k < g->nodes[j].nb_in; k++)
            if (g->nodes[j].in[k] == i && g->nodes[j].op != NN_ADD)
                return 0;
    return 1;
}

static int choose_type(const NNEngineContext *ctx, const NNPlan *p, int i)
{
    const NNGraph *g = ctx->g;
    const NNNode *n = &g->nodes[i];

    if (ctx->type == NN_F32 || i == g->nb_nodes - 1)
        return NN_F32;
    switch (n->op) {
    case NN_INPUT:
    case NN_ADD:
        return NN_F32;
    case NN_CONV:
        return first_conv(g, i) || only_added(g, i) ? NN_F32 : NN_BF16;
    case NN_CONCAT:
        return NN_BF16;
    default:
        return p->nodes[n->in[0]].type;
    }
}

static double bytes_per_pixel(const NNGraph *g, int i, int type)
{
    const NNNode *n = &g->nodes[i];

    return (double)n->c * NN_TYPE_SIZE(type) * n->num * n->num / ((double)n->den * n->den);
}

/* the smallest free buffer that is large enough, else the largest free, else a new one */
static int choose_buf(NNPlan *p, const uint8_t *taken, double need)
{
    int best = -1;

    for (int i = 0; i < p->nb_bufs; i++) {
        if (taken[i])
            continue;
        if (best < 0 || (p->bufs[i] >= need ? p->bufs[best] < need || p->bufs[i] < p->bufs[best]
                                            : p->bufs[i] > p->bufs[best]))
            best = i;
    }
    if (best < 0) {
        best = p->nb_bufs++;
        p->bufs[best] = 0;
    }
    p->bufs[best] = FFMAX(p->bufs[best], need);
    return best;
}

static void plan_node(const NNEngineContext *ctx, NNPlan *p, uint8_t *taken, int i)
{
    const NNGraph *g = ctx->g;
    const NNNode *n = &g->nodes[i];
    NodePlan *np = &p->nodes[i];

    np->type = choose_type(ctx, p, i);
    np->buf  = choose_buf(p, taken, bytes_per_pixel(g, i, np->type));
    taken[np->buf] = 1;
    if (n->op == NN_CONV) {
        const int in_type = p->nodes[n->in[0]].type;
        np->narrow = ctx->type == NN_BF16 && in_type == NN_F32 && !first_conv(g, i);
        if (np->narrow)
            p->tmp = FFMAX(p->tmp, bytes_per_pixel(g, n->in[0], NN_BF16));
    }
    for (int k = 0; k < n->nb_in; k++) {
        const NodePlan *in = &p->nodes[n->in[k]];
        if (in->last_use == i)
            taken[in->buf] = 0;
    }
}

int ff_onednn_graph_open(NNEngineContext *ctx)
{
    const NNGraph *g = ctx->g;
    NNPlan *p = av_mallocz(sizeof(*p));
    uint8_t *taken = av_calloc(g->nb_nodes, 1);
    int ret = AVERROR(ENOMEM);

    ctx->plan = p;
    if (!p || !taken)
        goto end;
    p->nodes = av_calloc(g->nb_nodes, sizeof(*p->nodes));
    p->bufs  = av_calloc(g->nb_nodes, sizeof(*p->bufs));
    if (!p->nodes || !p->bufs)
        goto end;
    for (int i = 0; i < g->nb_nodes; i++)
        for (int k = 0; k < g->nodes[i].nb_in; k++)
            p->nodes[g->nodes[i].in[k]].last_use = i;
    for (int i = 0; i < g->nb_nodes; i++)
        plan_node(ctx, p, taken, i);
    ret = 0;
end:
    av_free(taken);
    return ret;
}

void ff_onednn_graph_close(NNEngineContext *ctx)
{
    if (ctx->plan) {
        av_free(ctx->plan->nodes);
        av_free(ctx->plan->bufs);
    }
    av_freep(&ctx->plan);
}

static size_t buf_bytes(double per_pixel, int w, int h)
{
    return FFALIGN((size_t)(per_pixel * w * h + 0.5) + 64, 4096);
}

static size_t layout(Run *r, const NNPlan *p, int w, int h, uint8_t *base)
{
    size_t pos = FFALIGN(p->nb_bufs * sizeof(*r->base), 64);

    if (base)
        r->base = (uint8_t **)base;
    for (int i = 0; i < p->nb_bufs; i++) {
        if (base)
            r->base[i] = base + pos;
        pos += buf_bytes(p->bufs[i], w, h);
    }
    if (base)
        r->tmp = base + pos;
    return pos + buf_bytes(p->tmp, w, h);
}

size_t ff_onednn_graph_scratch(const NNEngineContext *ctx, int w, int h)
{
    Run r;

    return layout(&r, ctx->plan, w, h, NULL);
}

/* ---- operations ------------------------------------------------------------------ */

/** A tensor: where, of what type, how large. */
typedef struct View {
    uint8_t *data;
    int      type, c, w, h;
    size_t   px;            ///< bytes a pixel
} View;

static View view(const Run *r, int i)
{
    const NNNode *n = &r->ctx->g->nodes[i];
    const NodePlan *np = &r->plan->nodes[i];

    return (View){ r->base[np->buf], np->type, n->c, r->t->w * n->num / n->den, r->t->h * n->num / n->den,
                   (size_t)n->c * NN_TYPE_SIZE(np->type) };
}

static void run_input(const Run *r, View out)
{
    const NNTile *t = r->t;

    for (int y = 0; y < out.h; y++) {
        const float *in[4];
        for (int k = 0; k < out.c; k++)
            in[k] = t->in[k] + y * t->in_stride;
        ff_nn_interleave((float *)(out.data + y * out.px * out.w), in, out.c, out.w);
    }
}

static void run_act(const Run *r, View v, int node)
{
    const NNStripDSP *dsp = r->ctx->dsp;

    if (v.type == NN_F32)
        dsp->act_f32((float *)v.data, r->ctx->slope[node], (size_t)v.w * v.h, v.c);
    else
        dsp->act_bf16((uint16_t *)v.data, r->ctx->slope[node], (size_t)v.w * v.h, v.c);
}

static int run_conv(Run *r, int i, View out)
{
    const NNNode *n = &r->ctx->g->nodes[i];
    const int post = ff_onednn_post_act(n);
    const View in = view(r, n->in[0]);
    NNConvShape s = ff_onednn_shape(r->ctx, i);
    const uint8_t *src = in.data;
    int ret;

    if (r->plan->nodes[i].narrow) {
        r->ctx->dsp->narrow((uint16_t *)r->tmp, (const float *)in.data, (size_t)in.c * in.w * in.h);
        src = r->tmp;
    }
    s.h     = in.h;
    s.w     = in.w;
    s.pad_h = s.pad_w = n->kernel / 2;
    s.src   = r->plan->nodes[i].narrow ? NN_BF16 : in.type;
    s.dst   = out.type;
    s.act   = post;
    s.alpha = post ? r->ctx->slope[i][0] : 0;
    ret = ff_onednn_conv(r->ctx, r->s, i, &s, src, out.data);
    if (ret >= 0 && n->act && !post)
        run_act(r, out, i);
    return ret;
}

static void convert(const Run *r, void *dst, int dtype, const void *src, int stype, size_t nb)
{
    if (dtype == stype)
        memcpy(dst, src, nb * NN_TYPE_SIZE(stype));
    else if (dtype == NN_BF16)
        r->ctx->dsp->narrow(dst, src, nb);
    else
        r->ctx->dsp->widen(dst, src, nb);
}

/* both inputs may be of either type; a row of each is widened where needed */
static int run_add(Run *r, const NNNode *n, View out)
{
    const View a = view(r, n->in[0]), b = view(r, n->in[1]);
    const size_t nb = (size_t)out.w * out.c;
    float *row = NULL;

    if (a.type != NN_F32 || b.type != NN_F32) {
        row = av_malloc_array(nb, 2 * sizeof(*row));
        if (!row)
            return AVERROR(ENOMEM);
    }
    for (int y = 0; y < out.h; y++) {
        const void *pa = a.data + y * a.w * a.px, *pb = b.data + y * b.w * b.px;
        if (a.type != NN_F32) {
            r->ctx->dsp->widen(row, pa, nb);
            pa = row;
        }
        if (b.type != NN_F32) {
            r->ctx->dsp->widen(row + nb, pb, nb);
            pb = row + nb;
        }
        r->ctx->dsp->add((float *)out.data + y * nb, pa, n->scale[0], pb, n->scale[1], nb);
    }
    av_free(row);
    return 0;
}

static void run_concat(const Run *r, const NNNode *n, View out)
{
    uint8_t *dst = out.data;

    for (int k = 0; k < n->nb_in; k++) {
        const View in = view(r, n->in[k]);
        for (size_t i = 0; i < (size_t)out.w * out.h; i++)
            convert(r, dst + i * out.px, out.type, in.data + i * in.px, in.type, in.c);
        dst += in.c * NN_TYPE_SIZE(out.type);
    }
}

static void run_upsample(const Run *r, const NNNode *n, View out)
{
    const View in = view(r, n->in[0]);

    for (int y = 0; y < out.h; y++) {
        uint8_t *dst = out.data + (size_t)y * out.w * out.px;
        const uint8_t *src = in.data + (size_t)(y / n->factor) * in.w * in.px;
        if (y % n->factor)
            memcpy(dst, dst - out.w * out.px, out.w * out.px);
        else
            for (int x = 0; x < out.w; x++)
                memcpy(dst + x * out.px, src + x / n->factor * in.px, in.px);
    }
}

/* small: pixels of c * f * f channels at (x, y); large: of c channels at (x * f + j, y * f + i) */
static void shuffle(View small, View large, int f, int un)
{
    const size_t e = NN_TYPE_SIZE(small.type);

    for (int y = 0; y < large.h; y++)
        for (int x = 0; x < large.w; x++) {
            uint8_t *l = large.data + ((size_t)y * large.w + x) * large.px;
            uint8_t *s = small.data + ((size_t)(y / f) * small.w + x / f) * small.px +
                         e * (y % f * f + x % f);
            for (int c = 0; c < large.c; c++, l += e, s += e * f * f)
                memcpy(un ? s : l, un ? l : s, e);
        }
}

static void write_output(const Run *r, View v)
{
    const NNTile *t = r->t;
    const int f = r->ctx->g->scale;
    const int w = (t->w - t->left - t->right) * f, h = (t->h - t->top - t->bottom) * f;

    for (int y = 0; y < h; y++) {
        const float *src = (const float *)v.data + ((size_t)(y + t->top * f) * v.w + t->left * f) * v.c;
        for (int c = 0; c < v.c; c++)
            for (int x = 0; x < w; x++)
                t->out[c][y * t->out_stride + x] = src[(size_t)x * v.c + c];
    }
}

static int run_node(Run *r, int i)
{
    const NNNode *n = &r->ctx->g->nodes[i];
    const View out = view(r, i);

    switch (n->op) {
    case NN_INPUT:
        run_input(r, out);
        return 0;
    case NN_CONV:
        return run_conv(r, i, out);
    case NN_ACT: {
        const View in = view(r, n->in[0]);
        convert(r, out.data, out.type, in.data, in.type, (size_t)in.c * in.w * in.h);
        run_act(r, out, i);
        return 0;
    }
    case NN_ADD:
        return run_add(r, n, out);
    case NN_CONCAT:
        run_concat(r, n, out);
        return 0;
    case NN_UPSAMPLE:
        run_upsample(r, n, out);
        return 0;
    case NN_SHUFFLE:
        shuffle(view(r, n->in[0]), out, n->factor, 0);
        return 0;
    case NN_UNSHUFFLE:
        shuffle(out, view(r, n->in[0]), n->factor, 1);
        return 0;
    default:
        return AVERROR_BUG;
    }
}

int ff_onednn_graph_run(NNEngineContext *ctx, NNSlot *s, const NNTile *t)
{
    Run r = { ctx, ctx->plan, s, t };
    int ret = ff_onednn_reserve(s, layout(&r, ctx->plan, t->w, t->h, NULL));

    if (ret < 0)
        return ret;
    layout(&r, ctx->plan, t->w, t->h, s->buf);
    for (int i = 0; i < ctx->g->nb_nodes; i++)
        if ((ret = run_node(&r, i)) < 0)
            return ret;
    write_output(&r, view(&r, ctx->g->nb_nodes - 1));
    return 0;
}
