/*
 * Engine onednn: chains of 3x3 convolutions, in strips
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

#include <stdlib.h>
#include <string.h>

#include "libavutil/avassert.h"
#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_onednn.h"

/*
 * A frame's activations do not fit a cache, a few rows of them do. So all layers
 * walk down the tile together, each one row behind the one before: in a step
 * layer l computes rows up to pos - l, `rows` of them, from what layer l - 1
 * has just left in L2, and keeps its last two input rows for the next step.
 * Nothing is computed twice, and rows that only margins need are not computed.
 *
 *   step k, work buffer A:    step k, work buffer B:
 *   | kept from step k-1, 2 |  conv   | (2 rows left free)   |
 *   | from layer l-1        | ------> | from layer l         |  then A <-> B
 *
 * In work buffers new rows begin at row 2; kept rows are put right before.
 */

typedef struct Layer {
    int node;
    int post;               ///< oneDNN applies the activation, or there is none
} Layer;

struct NNChain {
    Layer *layers;
    int    nb;
    int    factor;          ///< of the pixel shuffle at the end, 1 = none
    int    skip;            ///< the input is added to the output
    int    max_c;           ///< channels between layers
    int    rows, sub;       ///< forced by the environment, 0 = as computed
    int    narrow;          ///< bf16: 1: fp32 sums are rounded once, after the activation
};

/* where a layer stands in the tile */
typedef struct LayerPos {
    int next, end;          ///< rows of its output: first not yet computed, end
    int nb_kept;            ///< input rows kept
} LayerPos;

typedef struct Run {
    NNEngineContext *ctx;
    const NNChain   *ch;
    NNSlot          *s;
    const NNTile    *t;
    LayerPos        *pos;
    int              rows, sub;
    uint8_t         *work[2];
    float           *tmp;           ///< sub rows, fp32
    uint8_t         *kept;          ///< 2 rows a layer
    size_t           kept_size;
} Run;

/* ---- which graphs ---------------------------------------------------------------- */

static int is_input(const NNGraph *g, int i, int factor)
{
    const NNNode *n = &g->nodes[i];

    return factor == 1 ? !i : n->op == NN_UPSAMPLE && !n->in[0] && n->factor == factor;
}

/* @return the node of the last convolution, or -1 */
static int find_tail(const NNGraph *g, NNChain *ch)
{
    int i = g->nb_nodes - 1;
    const NNNode *n = &g->nodes[i];

    ch->factor = 1;
    if (n->op == NN_ADD) {
        const int a = n->in[0], b = n->in[1];
        if (n->scale[0] != 1 || n->scale[1] != 1)
            return -1;
        ch->skip = 1;
        if (is_input(g, a, g->scale) || is_input(g, b, g->scale))
            i = is_input(g, b, g->scale) ? a : b;
        else
            return -1;
        n = &g->nodes[i];
    }
    if (n->op == NN_SHUFFLE) {
        ch->factor = n->factor;
        i = n->in[0];
    }
    return ch->factor == g->scale && g->nodes[i].op == NN_CONV && g->nodes[i].act == NN_ACT_NONE ? i : -1;
}

/* counts, and with layers fills, the convolutions back to the input */
static int walk_chain(const NNGraph *g, NNChain *ch, int last)
{
    int nb = 0;

    for (int i = last; i; i = g->nodes[i].in[0], nb++) {
        const NNNode *n = &g->nodes[i];
        if (n->op != NN_CONV || n->kernel != 3 || n->stride != 1 || n->groups != 1)
            return -1;
        if (ch->layers) {
            Layer *l = &ch->layers[ch->nb - 1 - nb];
            l->node = i;
            l->post = n->act == NN_ACT_NONE || ff_onednn_post_act(n);
        }
        if (i != last)
            ch->max_c = FFMAX(ch->max_c, n->c);
    }
    return nb;
}

static int env_int(const char *name, int max)
{
    const char *s = getenv(name);

    return s ? av_clip(atoi(s), 0, max) : 0;
}

int ff_onednn_chain_open(NNEngineContext *ctx)
{
    const NNGraph *g = ctx->g;
    NNChain *ch = av_mallocz(sizeof(*ch));
    int last;

    if (!ch)
        return AVERROR(ENOMEM);
    ctx->chain = ch;
    ch->max_c  = g->in_c;
    last = find_tail(g, ch);
    if (last < 0 || (ch->nb = walk_chain(g, ch, last)) < 1) {
        ff_onednn_chain_close(ctx);
        return AVERROR(ENOSYS);
    }
    ch->layers = av_calloc(ch->nb, sizeof(*ch->layers));
    if (!ch->layers)
        return AVERROR(ENOMEM);
    walk_chain(g, ch, last);
    ch->rows   = env_int("FFREEL_ONEDNN_ROWS", 1024);
    ch->sub    = env_int("FFREEL_ONEDNN_SUB", 1024);
    ch->narrow = env_int("FFREEL_ONEDNN_ROUND", 2) != 2;
    return 0;
}

void ff_onednn_chain_close(NNEngineContext *ctx)
{
    if (ctx->chain)
        av_free(ctx->chain->layers);
    av_freep(&ctx->chain);
}

/* ---- memory ---------------------------------------------------------------------- */

/* bytes of a row between layers: any of them, the input included */
static size_t row_size(const NNEngineContext *ctx, int w)
{
    const size_t c = FFMAX((size_t)ctx->chain->max_c * NN_TYPE_SIZE(ctx->type),
                           (size_t)ctx->g->in_c * NN_TYPE_SIZE(NN_F32));
    return c * w;
}

static size_t tmp_row_size(const NNEngineContext *ctx, int w)
{
    const NNChain *ch = ctx->chain;
    const int out = ctx->g->out_c * ch->factor * ch->factor;

    return sizeof(float) * FFMAX(ch->max_c, out) * w;
}

/*
 * Three parts of about a third of L2 each: the two work buffers, and tmp. rows is
 * a multiple of sub, for calls of one height, and sub a power of two (see piece());
 * at least 2, as AMX kernels of oneDNN copy all input rows of a call.
 */
static void choose_rows(const NNEngineContext *ctx, int w, int *rows, int *sub)
{
    const NNChain *ch = ctx->chain;
    const size_t third = ctx->l2 / 10 * 3, nb_tmp = third / tmp_row_size(ctx, w);
    const int nb = av_clip64(third / row_size(ctx, w), 4, 32);

    *sub = 2;
    while (*sub < 8 && 2 * *sub <= nb_tmp)
        *sub *= 2;
    if (ch->sub)
        *sub = ch->sub;
    *rows = ch->rows ? ch->rows : FFMAX(nb / *sub, 1) * *sub;
    *sub  = FFMIN(*sub, *rows);
}

/* rows in work buffers: 2 kept, the new ones, a zero row below the picture */
#define WORK_ROWS(rows) ((rows) + 3)

static size_t layout(Run *r, const NNEngineContext *ctx, int w, uint8_t *base)
{
    const size_t work = FFALIGN(row_size(ctx, w) * WORK_ROWS(r->rows), 4096) + 64;
    const size_t tmp  = FFALIGN(tmp_row_size(ctx, w) * r->sub, 64);
    const size_t pos  = FFALIGN(ctx->chain->nb * sizeof(*r->pos), 64);
    const size_t kept = FFALIGN(row_size(ctx, w) * 2, 64);

    if (base) {
        r->pos     = (LayerPos *)base;
        r->work[0] = base + pos;
        r->work[1] = base + pos + work;
        r->tmp     = (float *)(base + pos + 2 * work);
        r->kept    = base + pos + 2 * work + tmp;
    }
    r->kept_size = kept;
    return pos + 2 * work + tmp + kept * ctx->chain->nb;
}

size_t ff_onednn_chain_scratch(const NNEngineContext *ctx, int w, int h)
{
    Run r;

    choose_rows(ctx, w, &r.rows, &r.sub);
    return layout(&r, ctx, w, NULL);
}

/* ---- one layer ------------------------------------------------------------------- */

static void convert_input(const Run *r, float *dst, int from, int to)
{
    const NNTile *t = r->t;
    const int c = r->ctx->g->in_c;

    for (int y = from; y < to; y++, dst += (size_t)c * t->w) {
        const float *in[4];
        if (y < 0 || y >= t->h) {
            memset(dst, 0, sizeof(*dst) * c * t->w);
            continue;
        }
        for (int k = 0; k < c; k++)
            in[k] = t->in[k] + y * t->in_stride;
        ff_nn_interleave(dst, in, c, t->w);
    }
}

/* the last layer's rows, still in tmp, become pixels */
static void write_output(const Run *r, int y, int nb)
{
    const NNTile *t = r->t;
    const int c = r->ctx->g->out_c, f = r->ch->factor;
    const int w = t->w - t->left - t->right;
    const size_t nb_c = (size_t)c * f * f;

    for (int i = 0; i < nb; i++, y++) {
        const float *src = r->tmp + (i * (size_t)t->w + t->left) * nb_c, *skip[4];
        float *out[4];
        for (int k = 0; k < c; k++) {
            out[k]  = t->out[k] + (ptrdiff_t)(y - t->top) * f * t->out_stride;
            skip[k] = t->in[k] + y * t->in_stride + t->left;
        }
        ff_nn_shuffle_row(out, t->out_stride, src, r->ch->skip ? skip : NULL, c, f, w);
    }
}

/* nb output rows of layer l, the first of which is y */
static int conv_rows(const Run *r, int l, int y, int nb, const uint8_t *src, uint8_t *dst)
{
    const NNEngineContext *ctx = r->ctx;
    const int last = l == r->ch->nb - 1, node = r->ch->layers[l].node;
    const int post = r->ch->layers[l].post;
    const size_t nb_px = (size_t)nb * r->t->w;
    const float *slope = ctx->slope[node];
    NNConvShape s = ff_onednn_shape(ctx, node);
    int ret, direct;

    s.h     = nb + 2;
    s.w     = r->t->w;
    s.pad_w = 1;
    s.src   = l ? ctx->type : NN_F32;
    /* straight to where the next layer reads, or by way of tmp */
    direct  = !last && s.src == ctx->type && (ctx->type == NN_F32 || post || !r->ch->narrow);
    s.dst   = direct ? ctx->type : NN_F32;
    if (direct && post && ctx->g->nodes[node].act) {
        s.act   = 1;
        s.alpha = slope[0];
    }
    ret = ff_onednn_conv(r->ctx, r->s, node, &s, src, direct ? dst : (uint8_t *)r->tmp);
    if (ret < 0)
        return ret;
    if (last)
        write_output(r, y, nb);
    else if (!direct)
        ctx->dsp->act_narrow((uint16_t *)dst, r->tmp, slope, nb_px, s.oc);
    else if (!post && ctx->type == NN_F32)
        ctx->dsp->act_f32((float *)dst, slope, nb_px, s.oc);
    else if (!post)
        ctx->dsp->act_bf16((uint16_t *)dst, slope, nb_px, s.oc);
    return 0;
}

/* few heights, so that few primitives are made: sub, and powers of two below */
static int piece(int nb, int sub)
{
    int h = 1;

    if (nb >= sub)
        return sub;
    while (2 * h <= nb)
        h *= 2;
    return h;
}

static int step_layer(Run *r, int l, int nb_new, int end)
{
    LayerPos *p = &r->pos[l];
    const NNNode *n = &r->ctx->g->nodes[r->ch->layers[l].node];
    const size_t in_row  = (size_t)r->t->w * r->ctx->g->nodes[n->in[0]].c * NN_TYPE_SIZE(l ? r->ctx->type : NN_F32);
    const size_t out_row = (size_t)r->t->w * n->c * NN_TYPE_SIZE(r->ctx->type);
    uint8_t *kept = r->kept + l * r->kept_size;
    uint8_t *in = r->work[0], *out = r->work[1] + 2 * out_row;
    const int nb_out = FFMAX(end - p->next, 0);
    int nb_in = p->nb_kept + nb_new;

    if (!nb_out && !nb_new)
        return 0;
    if (l) {
        in += (2 - p->nb_kept) * in_row;
        memcpy(in, kept, p->nb_kept * in_row);
        if (nb_out && end == r->t->h)
            memset(in + nb_in++ * in_row, 0, in_row);
    } else {
        nb_in = nb_out + 2;
        convert_input(r, (float *)in, p->next - 1, end + 1);
    }
    av_assert1(nb_in <= WORK_ROWS(r->rows) && (!nb_out || nb_in >= nb_out + 2));

    for (int i = 0, h; i < nb_out; i += h) {
        int ret;
        h   = piece(nb_out - i, r->sub);
        ret = conv_rows(r, l, p->next + i, h, in + i * in_row, out + i * out_row);
        if (ret < 0)
            return ret;
    }
    p->next   += nb_out;
    p->nb_kept = 0;
    if (l && p->next < p->end) {
        p->nb_kept = nb_in - nb_out;
        av_assert1(p->nb_kept <= 2);
        memcpy(kept, in + nb_out * in_row, p->nb_kept * in_row);
    }
    return 0;
}

/* ---- a tile ---------------------------------------------------------------------- */

/* which rows of each layer the output needs */
static void start(Run *r)
{
    const NNTile *t = r->t;

    for (int l = r->ch->nb - 1, more = 0; l >= 0; l--, more++) {
        r->pos[l].next = FFMAX(t->top - more, 0);
        r->pos[l].end  = FFMIN(t->h - t->bottom + more, t->h);
        /* above the picture: one row of zeros */
        r->pos[l].nb_kept = l && !r->pos[l].next;
        if (r->pos[l].nb_kept)
            memset(r->kept + l * r->kept_size, 0, r->kept_size);
    }
}

int ff_onednn_chain_run(NNEngineContext *ctx, NNSlot *s, const NNTile *t)
{
    const NNChain *ch = ctx->chain;
    Run r = { ctx, ch, s, t };
    int ret;

    choose_rows(ctx, t->w, &r.rows, &r.sub);
    ret = ff_onednn_reserve(s, layout(&r, ctx, t->w, NULL));
    if (ret < 0)
        return ret;
    layout(&r, ctx, t->w, s->buf);
    start(&r);
    for (int pos = r.pos[0].next + r.rows; r.pos[ch->nb - 1].next < r.pos[ch->nb - 1].end; pos += r.rows) {
        int nb_new = 0;
        for (int l = 0; l < ch->nb; l++) {
            const int before = r.pos[l].next;
            ret = step_layer(&r, l, nb_new, FFMIN(r.pos[l].end, pos - l));
            if (ret < 0)
                return ret;
            nb_new = r.pos[l].next - before;
            FFSWAP(uint8_t *, r.work[0], r.work[1]);
        }
    }
    return 0;
}
