/*
 * Engine onednn for nets of any shape: nodes that only move values
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

#include "nn_net_onednn.h"

static const NNTensor *tensor(const NNNetContext *ctx, int value)
{
    return &ctx->net->values[value].t;
}

/* ---- parts of channels, in blocks ----------------------------------------------------------- */

/* out (whole) = channels from c0 on of in, for d0 = 0; or in (whole) -> channels from d0 on of out */
static int channels(NNNetContext *ctx, int node, int out, int in, int c, int c0, int d0)
{
    const NNTensor *t = tensor(ctx, in / NN_NB_LAYOUTS);
    NNChanParams *p = av_mallocz(sizeof(*p));

    if (!p)
        return AVERROR(ENOMEM);
    *p = (NNChanParams){ .c = c, .c0 = c0, .d0 = d0, .hw = t->dims[2] * t->dims[3],
                         .last = d0 + c == tensor(ctx, out / NN_NB_LAYOUTS)->dims[1] };
    return ff_nn_plan_step(ctx, ff_nn_step_channels, node, (const int[]){ out, in }, 2, 1, p);
}

/* a value that is channels from c0 on of another */
static int cut(NNNetContext *ctx, int node, int out, int in, int c0)
{
    const int from = ff_nn_plan_need(ctx, in, NN_BLOCK);
    const NNTensor *t = tensor(ctx, out);
    const NNRep *r = &ctx->reps[FFMAX(from, 0)];
    const int type = ctx->want[out] ? ctx->type : NN_F32;

    if (from < 0)
        return from;
    /* whole blocks, or the last ones: then the channels behind are those that are not there */
    if (ctx->b && !(c0 % ctx->b) && r->type == type &&
        (!(t->dims[1] % ctx->b) || c0 + t->dims[1] == tensor(ctx, in)->dims[1]))
        return ff_nn_plan_alias(ctx, out, NN_BLOCK, from,
                                (int64_t)c0 * t->dims[2] * t->dims[3] * NN_TYPE_SIZE(type));
    return channels(ctx, node, ff_nn_plan_make(ctx, out, NN_BLOCK), from, t->dims[1], c0, 0);
}

/* ---- concatenation -------------------------------------------------------------------------- */

/*
 * Input k of a concatenation is at `at` there. If the memory it lies in belongs to
 * inputs of this concatenation alone, each at the place where it has to be, that
 * memory can be the concatenation's: then nothing is copied.
 */
static int fits_in(const NNNetContext *ctx, const NNNetNode *n, int k, const int64_t *at, int64_t *base)
{
    int64_t offset, covered = 0;
    const int root = ff_nn_plan_root(ctx, NN_REP(n->in[k], NN_BLOCK), &offset);

    *base = at[k] - offset;
    for (int i = 0; i < n->nb_in; i++) {
        const int rep = NN_REP(n->in[i], NN_BLOCK);
        if (ff_nn_plan_root(ctx, rep, &offset) != root)
            continue;
        if (at[i] - offset == *base)
            covered += ctx->reps[rep].size;
    }
    return covered == ctx->reps[root].size && ctx->reps[root].where == NN_AT_ARENA;
}

static int concat_blocks(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *t = tensor(ctx, n->out[0]);
    int64_t at[NN_MAX_MATS], base, offset;
    int ret, c = 0, has = 0, whole = n->nb_in <= NN_MAX_MATS;

    for (int i = 0; i < n->nb_in && whole; i++) {
        const NNTensor *in = tensor(ctx, n->in[i]);
        has  |= ff_nn_plan_has(ctx, n->in[i], NN_BLOCK);
        whole = ff_nn_plan_blocky(ctx, n->in[i]) && (!ctx->b || !(in->dims[1] % ctx->b)) &&
                (ctx->want[n->out[0]] || ff_nn_plan_has(ctx, n->in[i], NN_BLOCK));
    }
    if (!whole || !has || !ff_nn_plan_blocky(ctx, n->out[0]))
        return AVERROR(ENOSYS);
    for (int i = 0; i < n->nb_in; i++) {
        if ((ret = ff_nn_plan_need(ctx, n->in[i], NN_BLOCK)) < 0)
            return ret;
        at[i] = c * t->dims[2] * t->dims[3] * NN_TYPE_SIZE(ctx->want[n->out[0]] ? ctx->type : NN_F32);
        c += tensor(ctx, n->in[i])->dims[1];
    }
    ret = ff_nn_plan_make(ctx, n->out[0], NN_BLOCK);
    c = 0;
    for (int i = 0; i < n->nb_in; i++) {
        const int rep = NN_REP(n->in[i], NN_BLOCK), root = ff_nn_plan_root(ctx, rep, &offset);
        const int nb = tensor(ctx, n->in[i])->dims[1];
        if (root != ret && ctx->b && ctx->reps[rep].type == ctx->reps[ret].type && fits_in(ctx, n, i, at, &base)) {
            ctx->reps[root].parent = ret;
            ctx->reps[root].offset = base;
        } else if (root != ret || offset != at[i]) {
            const int err = channels(ctx, node, ret, rep, nb, 0, c);
            if (err < 0)
                return err;
        }
        c += nb;
    }
    return 0;
}

/* a value in blocks goes straight to its place in a plain concatenation; @return 0 if it cannot */
static int unpack_into(NNNetContext *ctx, int node, int value, int out, int64_t outer, int64_t row, int64_t pitch,
                       int64_t offset)
{
    const NNTensor *t;
    NNPackParams *p;
    int64_t skip;

    while (!ff_nn_plan_has(ctx, value, NN_PLAIN) && !ff_nn_plan_has(ctx, value, NN_BLOCK)) {
        const NNRep *r = &ctx->reps[NN_REP(value, NN_PLAIN)];
        if (r->parent < 0 || r->offset)
            return 0;
        value = r->parent / NN_NB_LAYOUTS;
    }
    t = tensor(ctx, value);
    skip = t->nb_dims == 4 ? t->dims[2] * t->dims[3] : 0;
    if (ff_nn_plan_has(ctx, value, NN_PLAIN) || t->nb != outer * row ||
        !((outer == t->dims[0] * t->dims[1] && row == skip) || (outer == t->dims[0] && row == skip * t->dims[1])))
        return 0;
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    *p = (NNPackParams){ t->dims[1], t->dims[2], t->dims[3], offset };
    p->ch  = row == skip ? pitch : skip;
    p->img = row == skip ? pitch * t->dims[1] : pitch;
    skip = ff_nn_plan_step(ctx, ff_nn_step_unpack, node, (const int[]){ out, NN_REP(value, NN_BLOCK) }, 2, 1, p);
    return skip < 0 ? skip : 1;
}

static int copy_into(NNNetContext *ctx, int node, int value, int out, int64_t outer, int64_t row, int64_t pitch,
                     int64_t offset)
{
    const int rep = ff_nn_plan_need(ctx, value, NN_PLAIN);
    NNStrideParams *p;
    int64_t at;
    int root;

    if (rep < 0)
        return rep;
    root = ff_nn_plan_root(ctx, rep, &at);
    /* in one piece: it can be computed there */
    if (outer == 1 && root != out && !at && ctx->reps[root].size == row * 4 &&
        ctx->reps[root].where == NN_AT_ARENA && !ctx->reps[root].b) {
        ctx->reps[root].parent = out;
        ctx->reps[root].offset = offset * 4;
        return 0;
    }
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    *p = (NNStrideParams){ .nb_dims = 2, .size = 4, .dim = { row, outer }, .in = { 1, row }, .out = { 1, pitch },
                           .out_offset = offset };
    ff_nn_stride_merge(p);
    return ff_nn_plan_step(ctx, ff_nn_step_strided, node, (const int[]){ out, rep }, 2, 1, p);
}

static int concat(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *t = tensor(ctx, n->out[0]);
    const int axis = n->axis < 0 ? n->axis + t->nb_dims : n->axis;
    int64_t outer = 1, inner = 1, offset = 0;
    int ret, out;

    if (n->act != NN_NACT_NONE || axis < 0 || axis >= t->nb_dims)
        return AVERROR(ENOSYS);
    for (int i = 0; i < n->nb_in; i++)
        if (n->in[i] < 0 || tensor(ctx, n->in[i])->nb <= 0)
            return AVERROR(ENOSYS);
    if (axis == 1 && (ret = concat_blocks(ctx, node)) != AVERROR(ENOSYS))
        return ret;
    for (int i = 0; i < axis; i++)
        outer *= t->dims[i];
    for (int i = axis + 1; i < t->nb_dims; i++)
        inner *= t->dims[i];
    out = NN_REP(n->out[0], NN_PLAIN);
    for (int i = 0; i < n->nb_in; i++) {
        const int64_t row = tensor(ctx, n->in[i])->dims[axis] * inner;
        ret = unpack_into(ctx, node, n->in[i], out, outer, row, t->dims[axis] * inner, offset);
        if (!ret)
            ret = copy_into(ctx, node, n->in[i], out, outer, row, t->dims[axis] * inner, offset);
        if (ret < 0)
            return ret;
        offset += row;
    }
    ff_nn_plan_make(ctx, n->out[0], NN_PLAIN);
    return 0;
}

/* ---- parts, permutations ----------------------------------------------------------------------- */

/* out = in from `offset` on, with strides of out's dims in in (outermost first) */
static int strided(NNNetContext *ctx, int node, int value, const int64_t *stride, int64_t offset)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *t = tensor(ctx, value);
    const int rep = ff_nn_plan_need(ctx, n->in[0], NN_PLAIN);
    NNStrideParams *p;
    int64_t s = 1;

    if (rep < 0)
        return rep;
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    p->size      = 4;
    p->in_offset = offset;
    p->nb_dims   = t->nb_dims;
    for (int i = 0; i < t->nb_dims; i++) {
        const int k = t->nb_dims - 1 - i;
        p->dim[i] = t->dims[k];
        p->in[i]  = stride[k];
        p->out[i] = s;
        s *= t->dims[k];
    }
    ff_nn_stride_merge(p);
    if (p->nb_dims == 1 && p->in[0] == 1) {         /* in one piece */
        av_free(p);
        return ff_nn_plan_alias(ctx, value, NN_PLAIN, rep, offset * 4);
    }
    s = ff_nn_plan_make(ctx, value, NN_PLAIN);
    return ff_nn_plan_step(ctx, ff_nn_step_strided, node, (const int[]){ s, rep }, 2, 1, p);
}

static void strides_of(const NNTensor *t, int64_t *stride)
{
    int64_t s = 1;

    for (int i = t->nb_dims - 1; i >= 0; i--) {
        stride[i] = s;
        s *= t->dims[i];
    }
}

static int transpose(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *in = tensor(ctx, n->in[0]);
    int64_t stride[NN_NET_DIMS], moved[NN_NET_DIMS];

    strides_of(in, stride);
    for (int i = 0; i < in->nb_dims; i++) {
        const int64_t from = n->nb_axes ? n->axes[i] : in->nb_dims - 1 - i;
        if (from < 0 || from >= in->nb_dims)
            return AVERROR(ENOSYS);
        moved[i] = stride[from];
    }
    return strided(ctx, node, n->out[0], moved, 0);
}

static int expand(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *in = tensor(ctx, n->in[0]), *out = tensor(ctx, n->out[0]);
    int64_t stride[NN_NET_DIMS], moved[NN_NET_DIMS] = { 0 };

    strides_of(in, stride);
    for (int i = 1; i <= in->nb_dims; i++)
        if (in->dims[in->nb_dims - i] != 1)
            moved[out->nb_dims - i] = stride[in->nb_dims - i];
    return strided(ctx, node, n->out[0], moved, 0);
}

/* constant input k of a slice, or NULL */
static const int64_t *numbers(const NNNetContext *ctx, const NNNetNode *n, int k, int64_t *nb)
{
    const NNTensor *t;

    if (k >= n->nb_in || n->in[k] < 0)
        return NULL;
    t   = tensor(ctx, n->in[k]);
    *nb = t->nb;
    return t->type == NN_VAL_I64 ? t->data : NULL;
}

static int slice(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *in = tensor(ctx, n->in[0]), *out = tensor(ctx, n->out[0]);
    int64_t stride[NN_NET_DIMS], nb = 0, nb_axes = 0, nb_steps = 0, offset = 0, first = 0, others = 0;
    const int64_t *starts = numbers(ctx, n, 1, &nb);
    const int64_t *axes   = numbers(ctx, n, 3, &nb_axes), *steps = numbers(ctx, n, 4, &nb_steps);

    if (!starts || nb > in->nb_dims || (axes && nb_axes != nb) || (steps && nb_steps != nb) ||
        (!axes && n->nb_in > 3 && n->in[3] >= 0) || (!steps && n->nb_in > 4 && n->in[4] >= 0))
        return AVERROR(ENOSYS);
    strides_of(in, stride);
    for (int i = 0; i < nb; i++) {
        int64_t axis = axes ? axes[i] : i, step = steps ? steps[i] : 1, start = starts[i];
        axis += axis < 0 ? in->nb_dims : 0;
        if (axis < 0 || axis >= in->nb_dims)
            return AVERROR(ENOSYS);
        start  += start < 0 ? in->dims[axis] : 0;
        start   = av_clip64(start, 0, in->dims[axis] - (step < 0));
        offset += start * stride[axis];
        stride[axis] *= step;
        if (axis == 1 && step == 1)
            first = start;
        else
            others |= start || step != 1;
    }
    for (int i = 0; i < in->nb_dims; i++)
        others |= i != 1 && in->dims[i] != out->dims[i];
    if (!others && ff_nn_plan_has(ctx, n->in[0], NN_BLOCK) && ff_nn_plan_blocky(ctx, n->out[0]))
        return cut(ctx, node, n->out[0], n->in[0], first);
    return strided(ctx, node, n->out[0], stride, offset);
}

static int split(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *in = tensor(ctx, n->in[0]);
    const int axis = n->axis < 0 ? n->axis + in->nb_dims : n->axis;
    const int blocks = axis == 1 && ff_nn_plan_has(ctx, n->in[0], NN_BLOCK);
    int64_t stride[NN_NET_DIMS], first = 0;
    int ret;

    if (axis < 0 || axis >= in->nb_dims)
        return AVERROR(ENOSYS);
    strides_of(in, stride);
    for (int i = 0; i < n->nb_out; i++) {
        if (blocks && ff_nn_plan_blocky(ctx, n->out[i]))
            ret = cut(ctx, node, n->out[i], n->in[0], first);
        else
            ret = strided(ctx, node, n->out[i], stride, first * stride[axis]);
        if (ret < 0)
            return ret;
        first += tensor(ctx, n->out[i])->dims[axis];
    }
    return 0;
}

/* the same values under other dims */
static int rename_dims(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *in = tensor(ctx, n->in[0]), *out = tensor(ctx, n->out[0]);
    int ret;

    if (in->nb != out->nb)
        return AVERROR(ENOSYS);
    /* blocks are made plain only when somebody needs that */
    ret = ff_nn_plan_alias(ctx, n->out[0], NN_PLAIN, NN_REP(n->in[0], NN_PLAIN), 0);
    if (ret >= 0 && ff_nn_plan_has(ctx, n->in[0], NN_BLOCK) && ff_nn_plan_blocky(ctx, n->out[0]) &&
        !memcmp(in->dims, out->dims, sizeof(*in->dims) * 4) &&
        ctx->want[n->in[0]] == ctx->want[n->out[0]])
        ret = ff_nn_plan_alias(ctx, n->out[0], NN_BLOCK, NN_REP(n->in[0], NN_BLOCK), 0);
    return ret;
}

int ff_nn_plan_move(NNNetContext *ctx, int node)
{
    switch (ctx->net->nodes[node].op) {
    case NN_OP_CONCAT:    return concat(ctx, node);
    case NN_OP_SPLIT:     return split(ctx, node);
    case NN_OP_SLICE:     return slice(ctx, node);
    case NN_OP_TRANSPOSE: return transpose(ctx, node);
    case NN_OP_EXPAND:    return expand(ctx, node);
    default:              return rename_dims(ctx, node);
    }
}
