/*
 * Engine onednn for nets of any shape
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

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/time.h"

#include "nn_net_onednn.h"
#include "nn_net_quant.h"

/* ---- at run time ----------------------------------------------------------------------- */

NNView ff_nn_view(const NNNetSlot *s, int rep)
{
    const NNNetContext *ctx = s->ctx;
    int64_t offset;
    const int root = ff_nn_plan_root(ctx, rep, &offset);
    const NNRep *r = &ctx->reps[root];

    switch (r->where) {
    case NN_AT_INPUT: return (NNView){ (uint8_t *)s->in + offset };
    case NN_AT_CONST: return (NNView){ (uint8_t *)ctx->net->values[root / NN_NB_LAYOUTS].t.data + offset };
    case NN_AT_DYNAMIC: return (NNView){ (uint8_t *)s->dyn[root / NN_NB_LAYOUTS].data + offset };
    default: return (NNView){ s->arena + r->pos + offset, r->size / ctx->n };
    }
}

NNTensor ff_nn_tensor(const NNNetSlot *s, int value)
{
    NNTensor t = s->ctx->net->values[value].t;
    const int rep = NN_REP(value, NN_PLAIN);

    if (s->ctx->reps[rep].where == NN_AT_DYNAMIC)
        return s->dyn[value];
    t.data = ff_nn_view(s, rep).data;
    return t;
}

static int net_run(NNNetContext *ctx, int slot, const float *in, NNTensor *out)
{
    NNNetSlot *s = &ctx->slots[slot];
    const int saved = ff_dnnl_enter_threads(ctx->threads);
    int ret = 0;

    s->in = in;
    for (int i = 0; i < ctx->nb_steps && ret >= 0; i++) {
        const int64_t start = ctx->times ? av_gettime_relative() : 0;
        ret = ctx->steps[i].run(s, &ctx->steps[i]);
        if (ctx->times)
            ctx->times[i] = FFMIN(ctx->times[i], av_gettime_relative() - start);
    }
    ff_dnnl_leave(saved);
    for (int i = 0; i < ctx->net->nb_outputs && ret >= 0; i++) {
        const int value = ctx->net->outputs[i];
        out[i] = ff_nn_tensor(s, value);
        if (ctx->reps[NN_REP(value, NN_PLAIN)].where != NN_AT_DYNAMIC)
            out[i].data = ff_nn_view(s, ctx->outs[i]).data;
    }
    return FFMIN(ret, 0);
}

/* ---- opening ---------------------------------------------------------------------------- */

/*
 * "auto" is fp32: with bf16 confidences move by 0.01 in the mean and 0.17 at most
 * (YOLOX-nano), more than engines may differ. Who wants the speed asks for it.
 */
static int resolve_precision(NNNetContext *ctx, enum NNPrecision want)
{
    if (want == NN_PREC_AUTO)
        want = NN_PREC_FP32;
    if (want == NN_PREC_BF16 && !ff_dnnl_native_bf16()) {
        av_log(ctx->log, AV_LOG_VERBOSE, "onednn: this CPU has no bf16 arithmetic (AVX512_BF16 or AMX)\n");
        return AVERROR(ENOSYS);
    }
    if (want == NN_PREC_BF16 && !ff_dnnl_fast_bf16())
        av_log(ctx->log, AV_LOG_WARNING, "onednn: bf16 is slower than fp32 on this CPU (no AMX)\n");
    if (want == NN_PREC_INT8 && (!ff_dnnl_native_int8() || !ff_nn_quant_cpu())) {
        av_log(ctx->log, AV_LOG_ERROR, "onednn: precision int8 needs a CPU with AVX512_VNNI; take fp32\n");
        return AVERROR(ENOSYS);
    }
    if (want != NN_PREC_FP32 && want != NN_PREC_BF16 && want != NN_PREC_INT8) {
        av_log(ctx->log, AV_LOG_VERBOSE, "onednn: %s is not built; fp32, bf16 and int8 are\n",
               ff_nn_precision_name(want));
        return AVERROR(ENOSYS);
    }
    if (want == NN_PREC_INT8)
        ff_nn_quant_init();
    ctx->precision = want;
    ctx->type      = want == NN_PREC_BF16 ? NN_BF16 : NN_F32;
    return 0;
}

/* FFREEL_NET_BLOCK: 0 (NHWC), 8 or 16, for measuring */
static int block_size(int type)
{
    const char *s = getenv("FFREEL_NET_BLOCK");

    return s && (!strcmp(s, "0") || !strcmp(s, "8") || !strcmp(s, "16")) ? atoi(s) : ff_dnnl_block(type);
}

static int open_slot(NNNetContext *ctx, NNNetSlot *s)
{
    int ret;

    s->ctx   = ctx;
    s->convs = av_calloc(FFMAX(ctx->nb_convs, 1), sizeof(*s->convs));
    s->dyn   = av_calloc(ctx->net->nb_values, sizeof(*s->dyn));
    s->arena   = av_mallocz(ctx->arena + 64);
    if (ctx->precision == NN_PREC_INT8 && !(s->ranges = av_calloc(ctx->net->nb_values, ctx->n * sizeof(*s->ranges))))
        return AVERROR(ENOMEM);
    s->scratch = av_mallocz(ctx->scratch + 64);
    if (!s->convs || !s->dyn || !s->arena || !s->scratch)
        return AVERROR(ENOMEM);
    if ((ret = ff_dnnl_open(&s->dnnl, ctx->log)) < 0)
        return ret;
    for (int i = 0; i < ctx->nb_convs; i++)
        if ((ret = ff_dnnl_netconv_create(&s->convs[i], s->dnnl, &ctx->convs[i].shape, ctx->log)) < 0)
            return ret;
    return 0;
}

static void close_slot(NNNetContext *ctx, NNNetSlot *s)
{
    for (int i = 0; s->convs && i < ctx->nb_convs; i++)
        ff_dnnl_conv_free(&s->convs[i]);
    for (int i = 0; s->dyn && i < ctx->net->nb_values; i++)
        av_free(s->dyn[i].data);
    ff_dnnl_close(&s->dnnl);
    av_free(s->convs);
    av_free(s->dyn);
    av_free(s->ranges);
    av_free(s->arena);
    av_free(s->scratch);
}

/* what steps need beside the arena */
static void size_scratch(NNNetContext *ctx)
{
    for (int i = 0; i < ctx->nb_convs; i++) {
        const NNNetConvShape *s = &ctx->convs[i].shape;
        const size_t half = s->src_layout == NN_LAYOUT_NCHW && s->src == NN_BF16 ? (size_t)2 * s->ic * s->h * s->w : 0;
        ctx->scratch = FFMAX(ctx->scratch, FFALIGN(ctx->convs[i].scratch, 64) + half + ctx->convs[i].extra);
    }
    for (int i = 0; i < ctx->nb_steps; i++)
        if (ctx->steps[i].run == ff_nn_step_quant)
            ctx->scratch = FFMAX(ctx->scratch, ff_nn_quant_scratch(ctx->steps[i].p, ctx->threads));
        else if (ctx->steps[i].run == ff_nn_step_pool)
            ctx->scratch = FFMAX(ctx->scratch, ctx->threads * ff_nn_pool_scratch(ctx->steps[i].p,
                                               ctx->reps[ctx->steps[i].reps[1]].b));
}

static void log_times(const NNNetContext *ctx)
{
    for (int i = 0; i < ctx->nb_steps; i++) {
        const NNStep *st = &ctx->steps[i];
        const NNNetNode *n = st->node >= 0 ? &ctx->net->nodes[st->node] : NULL;
        const char *how = st->run == ff_nn_step_eval ? "(evaluator)" : st->run == ff_nn_step_quant ? "(to bytes)" :
                          st->run == ff_nn_step_qconv ? "(int8)" : "";
        av_log(ctx->log, AV_LOG_INFO, "step %3d %6"PRId64" us %-10s %s %s\n", i, ctx->times[i],
               n ? ff_nn_op_name(n->op) : "layout", how, n ? n->name : "");
    }
}

static void net_close(NNNetContext **pctx)
{
    NNNetContext *ctx = *pctx;

    if (!ctx)
        return;
    if (ctx->times)
        log_times(ctx);
    for (int i = 0; ctx->slots && i < ctx->nb_slots; i++)
        close_slot(ctx, &ctx->slots[i]);
    av_free(ctx->slots);
    ff_nn_plan_free(ctx);
    av_freep(pctx);
}

/* nobody should think that it is int8 that he sees */
static void warn_no_int8(const NNNetContext *ctx)
{
    int nb = 0;

    for (int i = 0; i < ctx->nb_convs; i++)
        nb += !!ctx->convs[i].q;
    if (!nb && ctx->precision == NN_PREC_INT8)
        av_log(ctx->log, AV_LOG_WARNING, "onednn: this net has no convolution for int8, all of it runs in fp32\n");
}

static int make_plan(NNNetContext *ctx)
{
    NNDnnl *dnnl = NULL;
    int ret = ff_dnnl_open(&dnnl, ctx->log);

    if (ret >= 0)
        ret = ff_nn_plan(ctx, dnnl);
    ff_dnnl_close(&dnnl);
    if (ret >= 0) {
        size_scratch(ctx);
        warn_no_int8(ctx);
    }
    return ret;
}

static int open_all(NNNetContext *ctx, int nb_slots)
{
    int ret = make_plan(ctx);

    if (ret < 0)
        return ret;
    ctx->slots = av_calloc(nb_slots, sizeof(*ctx->slots));
    if (getenv("FFREEL_NET_TIMES"))
        ctx->times = av_calloc(FFMAX(ctx->nb_steps, 1), sizeof(*ctx->times));
    if (!ctx->slots)
        return AVERROR(ENOMEM);
    for (int i = 0; ctx->times && i < ctx->nb_steps; i++)
        ctx->times[i] = INT64_MAX;
    ctx->nb_slots = nb_slots;
    for (int i = 0; i < nb_slots && ret >= 0; i++)
        ret = open_slot(ctx, &ctx->slots[i]);
    return ret;
}

static int net_open(NNNetContext **pctx, const NNNet *net, const NNConfig *cfg, int threads)
{
    NNNetContext *ctx = av_mallocz(sizeof(*ctx));
    int ret, saved;

    *pctx = ctx;
    if (!ctx)
        return AVERROR(ENOMEM);
    ctx->net = net;
    ctx->log = cfg->log;
    ctx->dsp = ff_nn_strip_dsp();
    ctx->n   = FFMAX(net->values[net->input].t.dims[0], 1);
    if ((ret = resolve_precision(ctx, cfg->precision)) >= 0) {
        ctx->b       = ctx->precision == NN_PREC_INT8 ? NN_LANES : block_size(ctx->type);
        ctx->threads = ff_dnnl_threads_reached() ? av_clip(threads, 1, NN_MAX_THREADS) : 1;
        /* oneDNN plans for as many threads as there are now */
        saved = ff_dnnl_enter_threads(ctx->threads);
        ret   = open_all(ctx, FFMAX(cfg->nb_slots, 1));
        ff_dnnl_leave(saved);
    }
    if (ret < 0) {
        net_close(pctx);
        return ret;
    }
    av_log(ctx->log, AV_LOG_VERBOSE, "onednn: version %s, %s, %d steps for %d nodes, %d convolutions in %s, "
           "%.1f MB a slot\n", ff_dnnl_version(), ff_nn_precision_name(ctx->precision), ctx->nb_steps, net->nb_nodes,
           ctx->nb_convs, ctx->b ? "blocks of channels" : "NHWC", (ctx->arena + ctx->scratch) * 1e-6);
    return 0;
}

static enum NNPrecision net_precision(const NNNetContext *ctx)
{
    return ctx->precision;
}

const NNNetEngine ff_nn_net_engine_onednn = {
    .name      = "onednn",
    .open      = net_open,
    .run       = net_run,
    .close     = net_close,
    .precision = net_precision,
};
