/*
 * Engine onednn
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
#include <unistd.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_onednn.h"

/* primitives that a slot keeps: a chain needs about a dozen for each tile width */
#define MAX_PRIMS 256

/* ---- primitives ------------------------------------------------------------------ */

int ff_onednn_post_act(const NNNode *n)
{
    return n->act == NN_ACT_RELU || n->act == NN_ACT_LRELU;
}

NNConvShape ff_onednn_shape(const NNEngineContext *ctx, int node)
{
    const NNNode *n = &ctx->g->nodes[node];
    NNConvShape s;

    memset(&s, 0, sizeof(s));   /* compared bytewise */
    s.ic     = ctx->g->nodes[n->in[0]].c;
    s.oc     = n->c;
    s.kernel = n->kernel;
    s.stride = n->stride;
    s.groups = n->groups;
    return s;
}

static void free_prims(NNSlot *s, int nb_nodes)
{
    for (int i = 0; i < s->nb_prims; i++)
        ff_dnnl_conv_free(&s->prims[i].conv);
    s->nb_prims = 0;
    memset(s->last, 0, nb_nodes * sizeof(*s->last));
}

static int make_prim(NNEngineContext *ctx, NNSlot *s, const NNConvShape *shape, NNConv **conv)
{
    int ret;

    if (s->nb_prims == MAX_PRIMS)
        free_prims(s, ctx->g->nb_nodes);
    ret = ff_dnnl_conv_create(conv, s->dnnl, shape, ctx->log);
    if (ret < 0)
        return ret;
    if (ff_dnnl_conv_scratch(*conv) > s->scratch_size) {
        av_free(s->scratch);
        s->scratch_size = 0;
        s->scratch      = av_mallocz(ff_dnnl_conv_scratch(*conv));
        if (!s->scratch) {
            ff_dnnl_conv_free(conv);
            return AVERROR(ENOMEM);
        }
        s->scratch_size = ff_dnnl_conv_scratch(*conv);
    }
    s->prims[s->nb_prims].shape = *shape;
    s->prims[s->nb_prims].conv  = *conv;
    s->nb_prims++;
    av_log(ctx->log, AV_LOG_DEBUG, "onednn: %d->%d %dx%d: %s\n", shape->ic, shape->oc,
           shape->w, shape->h, ff_dnnl_conv_impl(*conv));
    return 0;
}

static int find_prim(NNEngineContext *ctx, NNSlot *s, const NNConvShape *shape, NNConv **conv)
{
    for (int i = 0; i < s->nb_prims; i++)
        if (!memcmp(&s->prims[i].shape, shape, sizeof(*shape))) {
            *conv = s->prims[i].conv;
            return 0;
        }
    return make_prim(ctx, s, shape, conv);
}

int ff_onednn_conv(NNEngineContext *ctx, NNSlot *s, int node, const NNConvShape *shape,
                   const void *src, void *dst)
{
    NNLastUse *last = &s->last[node];
    NNConv *conv;
    int ret = find_prim(ctx, s, shape, &conv);

    if (ret < 0)
        return ret;
    if (last->conv != conv) {
        ff_mutex_lock(&ctx->lock);
        ret = ff_dnnl_pack(&last->packed, &ctx->packed[node], s->dnnl, conv, ctx->g->nodes[node].weight);
        ff_mutex_unlock(&ctx->lock);
        if (ret < 0)
            return ret;
        last->conv = conv;
    }
    ret = ff_dnnl_conv_run(conv, s->dnnl, src, last->packed, ctx->bias[node], dst, s->scratch);
    if (ret < 0)
        av_log(ctx->log, AV_LOG_ERROR, "oneDNN failed in operation %d of the net, %dx%d pixels\n",
               node, shape->w, shape->h);
    return ret;
}

int ff_onednn_reserve(NNSlot *s, size_t size)
{
    if (s->buf_size >= size)
        return 0;
    av_free(s->buf);
    s->buf_size = 0;
    s->buf      = av_malloc(size);
    if (!s->buf)
        return AVERROR(ENOMEM);
    s->buf_size = size;
    return 0;
}

/* ---- engine ---------------------------------------------------------------------- */

static void onednn_close(NNEngineContext **pctx)
{
    NNEngineContext *ctx = *pctx;

    if (!ctx)
        return;
    for (int i = 0; ctx->slots && i < ctx->nb_slots; i++) {
        NNSlot *s = &ctx->slots[i];
        if (s->prims && s->last)
            free_prims(s, ctx->g->nb_nodes);
        ff_dnnl_close(&s->dnnl);
        av_free(s->prims);
        av_free(s->last);
        av_free(s->scratch);
        av_free(s->buf);
    }
    for (int i = 0; i < ctx->g->nb_nodes; i++) {
        if (ctx->packed)
            ff_dnnl_packed_free(&ctx->packed[i]);
        if (ctx->bias)
            av_free(ctx->bias[i]);
        if (ctx->slope)
            av_free(ctx->slope[i]);
    }
    ff_onednn_chain_close(ctx);
    ff_onednn_graph_close(ctx);
    if (ctx->lock_made)
        ff_mutex_destroy(&ctx->lock);
    av_free(ctx->packed);
    av_free(ctx->bias);
    av_free(ctx->slope);
    av_free(ctx->slots);
    av_freep(pctx);
}

/* any activation as one slope a channel, biases without holes */
static int prepare_node(NNEngineContext *ctx, int i)
{
    const NNNode *n = &ctx->g->nodes[i];

    if (n->op != NN_CONV && n->op != NN_ACT)
        return 0;
    ctx->bias[i]  = av_calloc(FFALIGN(n->c, 16), sizeof(**ctx->bias));
    ctx->slope[i] = av_calloc(FFALIGN(n->c, 16), sizeof(**ctx->slope));
    if (!ctx->bias[i] || !ctx->slope[i])
        return AVERROR(ENOMEM);
    if (n->bias)
        memcpy(ctx->bias[i], n->bias, n->c * sizeof(*n->bias));
    for (int c = 0; c < n->c; c++)
        ctx->slope[i][c] = n->act == NN_ACT_PRELU ? n->slope[c] :
                           n->act == NN_ACT_LRELU ? n->alpha :
                           n->act == NN_ACT_RELU  ? 0 : 1;
    return 0;
}

/* what is run, or AVERROR(ENOSYS) */
static int resolve_precision(NNEngineContext *ctx, enum NNPrecision want)
{
    const int bf16 = ff_dnnl_native_bf16();

    if (want == NN_PREC_AUTO)
        want = ff_dnnl_fast_bf16() ? NN_PREC_BF16 : NN_PREC_FP32;
    if (want == NN_PREC_BF16 && !bf16) {
        av_log(ctx->log, AV_LOG_VERBOSE, "onednn: this CPU has no bf16 arithmetic (AVX512_BF16 or AMX)\n");
        return AVERROR(ENOSYS);
    }
    if (want != NN_PREC_FP32 && want != NN_PREC_BF16) {
        av_log(ctx->log, AV_LOG_VERBOSE, "onednn: %s is not built; fp32 and bf16 are\n",
               ff_nn_precision_name(want));
        return AVERROR(ENOSYS);
    }
    ctx->precision = want;
    ctx->type      = want == NN_PREC_BF16 ? NN_BF16 : NN_F32;
    return 0;
}

static size_t cache_size(void)
{
    long size = 0;

#ifdef _SC_LEVEL2_CACHE_SIZE
    size = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return size > 0 ? av_clip64(size, 256 << 10, 4 << 20) : 1 << 20;
}

static int open_slots(NNEngineContext *ctx, int nb)
{
    int ret;

    ctx->slots = av_calloc(nb, sizeof(*ctx->slots));
    if (!ctx->slots)
        return AVERROR(ENOMEM);
    ctx->nb_slots = nb;
    for (int i = 0; i < nb; i++) {
        NNSlot *s = &ctx->slots[i];
        s->prims = av_calloc(MAX_PRIMS, sizeof(*s->prims));
        s->last  = av_calloc(ctx->g->nb_nodes, sizeof(*s->last));
        if (!s->prims || !s->last)
            return AVERROR(ENOMEM);
        if ((ret = ff_dnnl_open(&s->dnnl, ctx->log)) < 0)
            return ret;
    }
    return 0;
}

static int onednn_open(NNEngineContext **pctx, const NNGraph *g, const NNConfig *cfg)
{
    NNEngineContext *ctx = av_mallocz(sizeof(*ctx));
    int ret;

    *pctx = ctx;
    if (!ctx)
        return AVERROR(ENOMEM);
    ctx->g      = g;
    ctx->log    = cfg->log;
    ctx->dsp    = ff_nn_strip_dsp();
    ctx->l2     = cache_size();
    ctx->packed = av_calloc(g->nb_nodes, sizeof(*ctx->packed));
    ctx->bias   = av_calloc(g->nb_nodes, sizeof(*ctx->bias));
    ctx->slope  = av_calloc(g->nb_nodes, sizeof(*ctx->slope));
    ret = AVERROR(ENOMEM);
    if (!ctx->packed || !ctx->bias || !ctx->slope)
        goto fail;
    if ((ret = resolve_precision(ctx, cfg->precision)) < 0)
        goto fail;
    if ((ret = ff_mutex_init(&ctx->lock, NULL))) {
        ret = AVERROR(ret);
        goto fail;
    }
    ctx->lock_made = 1;
    for (int i = 0; i < g->nb_nodes; i++)
        if ((ret = prepare_node(ctx, i)) < 0)
            goto fail;
    ret = ff_onednn_chain_open(ctx);
    if (ret == AVERROR(ENOSYS))
        ret = ff_onednn_graph_open(ctx);
    if (ret < 0 || (ret = open_slots(ctx, cfg->nb_slots)) < 0)
        goto fail;
    av_log(ctx->log, AV_LOG_VERBOSE, "onednn: version %s, %s, %s\n", ff_dnnl_version(),
           ff_nn_precision_name(ctx->precision), ctx->chain ? "in strips" : "whole tiles");
    if (!ff_dnnl_threads_reached())
        av_log(ctx->log, AV_LOG_WARNING, "onednn: OpenMP's thread count cannot be set from here "
               "(libgomp linked statically?): set OMP_NUM_THREADS=1, or threads fight\n");
    return 0;
fail:
    onednn_close(pctx);
    return ret;
}

static int onednn_run(NNEngineContext *ctx, int slot, const NNTile *t)
{
    NNSlot *s = &ctx->slots[slot];
    int saved = ff_dnnl_enter();
    int ret = ctx->chain ? ff_onednn_chain_run(ctx, s, t) : ff_onednn_graph_run(ctx, s, t);

    ff_dnnl_leave(saved);
    return ret;
}

static size_t onednn_scratch(const NNEngineContext *ctx, int w, int h)
{
    return ctx->chain ? ff_onednn_chain_scratch(ctx, w, h) : ff_onednn_graph_scratch(ctx, w, h);
}

static enum NNPrecision onednn_precision(const NNEngineContext *ctx)
{
    return ctx->precision;
}

const NNEngine ff_nn_engine_onednn = {
    .name      = "onednn",
    .open      = onednn_open,
    .run       = onednn_run,
    .close     = onednn_close,
    .scratch   = onednn_scratch,
    .precision = onednn_precision,
};
