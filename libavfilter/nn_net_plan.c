/*
 * Engine onednn for nets of any shape: the plan
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

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_onednn.h"

#define ALIGN 64                /* a line of cache, a vector */

/* ---- steps ------------------------------------------------------------------------- */

int ff_nn_plan_step(NNNetContext *ctx, int (*run)(NNNetSlot *, const NNStep *), int node,
                    const int *reps, int nb_reps, int nb_out, void *p)
{
    NNStep *steps = av_realloc_array(ctx->steps, ctx->nb_steps + 1, sizeof(*steps));
    NNStep *st;

    if (!steps) {
        av_free(p);
        return AVERROR(ENOMEM);
    }
    ctx->steps = steps;
    st  = &steps[ctx->nb_steps];
    *st = (NNStep){ .run = run, .node = node, .nb_out = nb_out, .p = p, .conv = -1 };
    st->reps = av_memdup(reps, FFMAX(nb_reps, 1) * sizeof(*reps));
    if (!st->reps) {
        av_free(p);
        return AVERROR(ENOMEM);
    }
    st->nb_reps = nb_reps;
    return ctx->nb_steps++;
}

/* ---- where values lie ---------------------------------------------------------------- */

int ff_nn_plan_root(const NNNetContext *ctx, int rep, int64_t *offset)
{
    *offset = 0;
    while (ctx->reps[rep].parent >= 0) {
        *offset += ctx->reps[rep].offset;
        rep = ctx->reps[rep].parent;
    }
    return rep;
}

int ff_nn_plan_blocky(const NNNetContext *ctx, int value)
{
    const NNTensor *t = &ctx->net->values[value].t;

    return t->nb_dims == 4 && t->type == NN_VAL_F32 && t->nb > 0 && t->dims[0] == ctx->n &&
           t->dims[1] <= NN_MAX_C && t->dims[2] * t->dims[3] <= INT32_MAX / 64;
}

int ff_nn_plan_in_blocks(const NNNetContext *ctx, const NNNetNode *n)
{
    return ff_nn_plan_blocky(ctx, n->in[0]) && ff_nn_plan_blocky(ctx, n->out[0]) &&
           (ff_nn_plan_has(ctx, n->in[0], NN_BLOCK) || ctx->want[n->out[0]]);
}

/* one side of a change of layout */
static NNPackParams *pack_params(const NNTensor *t)
{
    NNPackParams *p = av_mallocz(sizeof(*p));

    if (!p)
        return NULL;
    p->c   = t->dims[1];
    p->h   = t->dims[2];
    p->w   = t->dims[3];
    p->ch  = t->dims[2] * t->dims[3];
    p->img = p->ch * t->dims[1];
    return p;
}

int ff_nn_plan_make(NNNetContext *ctx, int value, int layout)
{
    const NNTensor *t = &ctx->net->values[value].t;
    NNRep *r = &ctx->reps[NN_REP(value, layout)];

    if (layout == NN_BLOCK) {
        const int c = t->dims[1];
        r->type = ctx->want[value] ? ctx->type : NN_F32;
        r->b    = ctx->b ? ctx->b : c;
        r->nb   = (c + r->b - 1) / r->b;
        r->size = (int64_t)r->nb * r->b * t->dims[2] * t->dims[3] * NN_TYPE_SIZE(r->type);
    } else {
        r->size = t->nb * (t->type == NN_VAL_F32 ? 4 : 8);
    }
    r->made = 1;
    return NN_REP(value, layout);
}

int ff_nn_plan_alias(NNNetContext *ctx, int value, int layout, int rep, int64_t offset)
{
    NNRep *r = &ctx->reps[NN_REP(value, layout)];
    const int made = ctx->reps[rep].made;

    ff_nn_plan_make(ctx, value, layout);
    r->made   = made;
    r->parent = rep;
    r->offset = offset;
    return NN_REP(value, layout);
}

static int unpack(NNNetContext *ctx, int value)
{
    const int reps[2] = { NN_REP(value, NN_PLAIN), NN_REP(value, NN_BLOCK) };
    NNPackParams *p = pack_params(&ctx->net->values[value].t);
    int ret;

    if (!p)
        return AVERROR(ENOMEM);
    ctx->reps[reps[0]].parent = -1;     /* it was to be another value's plain array, which nobody made */
    ret = ff_nn_plan_step(ctx, ff_nn_step_unpack, -1, reps, 2, 1, p);
    return ret < 0 ? ret : ff_nn_plan_make(ctx, value, NN_PLAIN);
}

static int need_plain(NNNetContext *ctx, int value)
{
    const int rep = NN_REP(value, NN_PLAIN);
    const int parent = ctx->reps[rep].parent;
    int ret;

    if (ctx->reps[rep].made)
        return rep;
    if (ctx->reps[NN_REP(value, NN_BLOCK)].made)
        return unpack(ctx, value);
    if (parent < 0)
        return AVERROR_BUG;     /* read before any node made it: ff_nn_net_shape() lets none through */
    ret = need_plain(ctx, parent / NN_NB_LAYOUTS);
    if (ret < 0)
        return ret;
    ctx->reps[rep].made = 1;
    return rep;
}

int ff_nn_plan_need(NNNetContext *ctx, int value, int layout)
{
    const int reps[2] = { NN_REP(value, NN_BLOCK), NN_REP(value, NN_PLAIN) };
    NNPackParams *p;
    int ret;

    if (layout == NN_PLAIN)
        return need_plain(ctx, value);
    if (ctx->reps[reps[0]].made)
        return reps[0];
    if ((ret = need_plain(ctx, value)) < 0)
        return ret;
    if (!(p = pack_params(&ctx->net->values[value].t)))
        return AVERROR(ENOMEM);
    ret = ff_nn_plan_step(ctx, ff_nn_step_pack, -1, reps, 2, 1, p);
    return ret < 0 ? ret : ff_nn_plan_make(ctx, value, NN_BLOCK);
}

/* ---- which values are for convolutions ------------------------------------------------- */

/* what passes blocks on as it got them */
static int passes_blocks(const NNNetNode *n)
{
    switch (n->op) {
    case NN_OP_MAX_POOL: case NN_OP_AVG_POOL: case NN_OP_RESIZE: case NN_OP_CONCAT: case NN_OP_SPLIT: case NN_OP_SLICE:
    case NN_OP_ADD: case NN_OP_MUL: case NN_OP_SUB: case NN_OP_RELU: case NN_OP_LEAKY_RELU: case NN_OP_SIGMOID:
    case NN_OP_SILU: case NN_OP_CLIP: case NN_OP_HARD_SWISH: case NN_OP_IDENTITY:
        return 1;
    default:
        return 0;
    }
}

static void find_wants(NNNetContext *ctx)
{
    const NNNet *net = ctx->net;

    for (int i = net->nb_nodes - 1; i >= 0; i--) {
        const NNNetNode *n = &net->nodes[i];
        int want = 0;
        for (int k = 0; k < n->nb_in; k++)
            if (n->in[k] >= 0)
                ctx->use[n->in[k]]++;
        for (int k = 0; k < n->nb_out && passes_blocks(n); k++)
            want |= n->out[k] >= 0 && ctx->want[n->out[k]];
        if (n->op == NN_OP_CONV)
            ctx->want[n->in[0]] = 1;
        for (int k = 0; k < n->nb_in && want; k++)
            if (n->in[k] >= 0)
                ctx->want[n->in[k]] = 1;
    }
    for (int i = 0; i < net->nb_outputs; i++)
        ctx->use[net->outputs[i]]++;
}

/* ---- memory ------------------------------------------------------------------------------ */

static void extend(NNNetContext *ctx, int rep, int step)
{
    int64_t offset;
    NNRep *r = &ctx->reps[ff_nn_plan_root(ctx, rep, &offset)];

    r->first = FFMIN(r->first, step);
    r->last  = FFMAX(r->last, step);
}

static int larger_first(const void *a, const void *b)
{
    const NNRep *x = *(NNRep *const *)a, *y = *(NNRep *const *)b;

    return x->size != y->size ? x->size < y->size ? 1 : -1 : FFDIFFSIGN(x->first, y->first);
}

/* the lowest place where nothing else lies at the same time */
static void place(NNRep **reps, int i, int64_t size)
{
    NNRep *r = reps[i];
    int moved;

    r->pos = 0;
    do {
        moved = 0;
        for (int k = 0; k < i; k++) {
            const NNRep *o = reps[k];
            const int64_t end = o->pos + o->size;
            if (o->first <= r->last && r->first <= o->last && r->pos < end && o->pos < r->pos + size) {
                r->pos = end;
                moved  = 1;
            }
        }
    } while (moved);
}

static int lay_out(NNNetContext *ctx)
{
    const int nb = ctx->net->nb_values * NN_NB_LAYOUTS + ctx->net->nb_outputs;
    NNRep **reps = av_malloc_array(nb, sizeof(*reps));
    int n = 0;

    if (!reps)
        return AVERROR(ENOMEM);
    for (int i = 0; i < nb; i++)
        ctx->reps[i].first = INT32_MAX;
    for (int i = 0; i < ctx->nb_steps; i++)
        for (int k = 0; k < ctx->steps[i].nb_reps; k++)
            extend(ctx, ctx->steps[i].reps[k], i);
    for (int i = 0; i < ctx->net->nb_outputs; i++)
        extend(ctx, ctx->outs[i], ctx->nb_steps);
    for (int i = 0; i < nb; i++) {
        NNRep *r = &ctx->reps[i];
        if (r->where != NN_AT_ARENA || r->parent >= 0 || r->first == INT32_MAX)
            continue;
        r->size   = FFALIGN(r->size, ALIGN);     /* of an image, so that all begin aligned */
        reps[n++] = r;
    }
    qsort(reps, n, sizeof(*reps), larger_first);
    for (int i = 0; i < n; i++) {
        reps[i]->size *= reps[i]->b ? ctx->n : 1;
        place(reps, i, reps[i]->size);
        ctx->arena = FFMAX(ctx->arena, reps[i]->pos + reps[i]->size);
    }
    av_free(reps);
    return 0;
}

/* ---- plan ---------------------------------------------------------------------------------- */

/* a plain copy of all values */
static void copy_params(NNStrideParams *p, const NNTensor *t)
{
    p->nb_dims = 1;
    p->size    = t->type == NN_VAL_F32 ? 4 : 8;
    p->dim[0]  = t->nb;
    p->in[0]   = p->out[0] = 1;
}

/* what run() hands out must be the slot's own: an input or a constant is copied */
static int own_output(NNNetContext *ctx, int i)
{
    const int value = ctx->net->outputs[i], to = ctx->net->nb_values * NN_NB_LAYOUTS + i;
    const int rep = ff_nn_plan_need(ctx, value, NN_PLAIN);
    NNStrideParams *p;
    int64_t offset;
    int where;

    if (rep < 0)
        return rep;
    ctx->outs[i] = rep;
    where = ctx->reps[ff_nn_plan_root(ctx, rep, &offset)].where;
    if (where == NN_AT_ARENA || where == NN_AT_DYNAMIC)
        return 0;
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    copy_params(p, &ctx->net->values[value].t);
    ctx->reps[to] = (NNRep){ .parent = -1, .made = 1, .size = p->dim[0] * p->size };
    ctx->outs[i] = to;
    return ff_nn_plan_step(ctx, ff_nn_step_strided, -1, (const int[]){ to, rep }, 2, 1, p);
}

static void start(NNNetContext *ctx)
{
    const NNNet *net = ctx->net;

    for (int i = 0; i < net->nb_values; i++) {
        NNRep *r = &ctx->reps[NN_REP(i, NN_PLAIN)];
        for (int k = 0; k < NN_NB_LAYOUTS; k++)
            r[k].parent = -1;
        if (i == net->input || net->values[i].t.data) {
            ff_nn_plan_make(ctx, i, NN_PLAIN);
            r->where = i == net->input ? NN_AT_INPUT : NN_AT_CONST;
        }
    }
}

int ff_nn_plan(NNNetContext *ctx, NNDnnl *dnnl)
{
    const NNNet *net = ctx->net;
    int ret;

    ctx->reps = av_calloc(net->nb_values * NN_NB_LAYOUTS + net->nb_outputs, sizeof(*ctx->reps));
    ctx->outs = av_calloc(FFMAX(net->nb_outputs, 1), sizeof(*ctx->outs));
    ctx->use  = av_calloc(net->nb_values, sizeof(*ctx->use));
    ctx->want = av_calloc(net->nb_values, sizeof(*ctx->want));
    if (!ctx->reps || !ctx->outs || !ctx->use || !ctx->want)
        return AVERROR(ENOMEM);
    start(ctx);
    find_wants(ctx);
    for (int i = 0; i < net->nb_nodes; i++)
        if ((ret = ff_nn_plan_node(ctx, dnnl, i)) < 0)
            return ret;
    for (int i = 0; i < net->nb_outputs; i++)
        if ((ret = own_output(ctx, i)) < 0)
            return ret;
    return lay_out(ctx);
}

void ff_nn_plan_free(NNNetContext *ctx)
{
    for (int i = 0; i < ctx->nb_steps; i++) {
        av_free(ctx->steps[i].reps);
        av_free(ctx->steps[i].p);
    }
    for (int i = 0; i < ctx->nb_convs; i++) {
        ff_dnnl_packed_free(&ctx->convs[i].packed);
        av_free(ctx->convs[i].weight);
        av_free(ctx->convs[i].bias);
        av_free(ctx->convs[i].q);
    }
    av_freep(&ctx->steps);
    av_freep(&ctx->convs);
    av_freep(&ctx->reps);
    av_freep(&ctx->outs);
    av_freep(&ctx->use);
    av_freep(&ctx->want);
    av_freep(&ctx->times);
}
