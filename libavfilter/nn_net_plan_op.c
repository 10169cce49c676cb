/*
 * Engine onednn for nets of any shape: nodes -> steps
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
#include "nn_net_rows.h"

/*
 * Each plan_*() answers AVERROR(ENOSYS) before it has changed anything if the node
 * is not for it; ff_nn_op_eval() then takes it.
 */

static const NNTensor *tensor(const NNNetContext *ctx, int value)
{
    return &ctx->net->values[value].t;
}

static int known(const NNTensor *t)
{
    return t->nb_dims >= 0 && t->nb > 0;
}

static int same_dims(const NNTensor *a, const NNTensor *b)
{
    return a->nb_dims == b->nb_dims && !memcmp(a->dims, b->dims, a->nb_dims * sizeof(*a->dims));
}

static int axis_of(const NNNetNode *n, const NNTensor *t)
{
    return n->axis < 0 ? n->axis + t->nb_dims : n->axis;
}

/* dims before and after an axis */
static void around(const NNTensor *t, int axis, int64_t *outer, int64_t *inner)
{
    *outer = *inner = 1;
    for (int i = 0; i < axis; i++)
        *outer *= t->dims[i];
    for (int i = axis + 1; i < t->nb_dims; i++)
        *inner *= t->dims[i];
}

static int plain_step(NNNetContext *ctx, int (*run)(NNNetSlot *, const NNStep *), int node, int nb_in, void *p)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    int reps[3], ret;

    for (int i = 0; i < nb_in; i++)
        if ((reps[1 + i] = ret = ff_nn_plan_need(ctx, n->in[i], NN_PLAIN)) < 0) {
            av_free(p);
            return ret;
        }
    reps[0] = ff_nn_plan_make(ctx, n->out[0], NN_PLAIN);
    return ff_nn_plan_step(ctx, run, node, reps, 1 + nb_in, 1, p);
}

/* ---- element by element ------------------------------------------------------------------ */

static int act_of(const NNNetContext *ctx, const NNNetNode *n, float *alpha, float *beta)
{
    *alpha = n->alpha;
    *beta  = n->beta;
    switch (n->op) {
    case NN_OP_RELU:         return NN_NACT_RELU;
    case NN_OP_LEAKY_RELU:   return NN_NACT_LRELU;
    case NN_OP_SIGMOID:      return NN_NACT_SIGMOID;
    case NN_OP_SILU:         return NN_NACT_SILU;
    case NN_OP_CLIP:         return n->nb_in == 1 ? NN_NACT_CLIP : -1;
    case NN_OP_HARD_SWISH:   return NN_NACT_HARD_SWISH;
    case NN_OP_HARD_SIGMOID: return NN_RACT_HARD_SIGMOID;
    case NN_OP_EXP:          return NN_RACT_EXP;
    case NN_OP_NEG:          return NN_RACT_NEG;
    case NN_OP_ABS:          return NN_RACT_ABS;
    case NN_OP_SQRT:         return NN_RACT_SQRT;
    case NN_OP_RECIPROCAL:   return NN_RACT_RECIPROCAL;
    default:                 return -1;
    }
}

static int op_of(const NNNetNode *n)
{
    switch (n->op) {
    case NN_OP_ADD: return NN_ROW_ADD;
    case NN_OP_SUB: return NN_ROW_SUB;
    case NN_OP_MUL: return NN_ROW_MUL;
    case NN_OP_DIV: return NN_ROW_DIV;
    case NN_OP_MIN: return NN_ROW_MIN;
    case NN_OP_MAX: return NN_ROW_MAX;
    default:        return NN_ROW_NONE;
    }
}

static int block_elem(NNNetContext *ctx, int node, const NNElemParams *e, int nb_in)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    NNElemParams *p;
    int reps[3], ret;

    for (int i = 0; i < nb_in; i++)
        if ((reps[1 + i] = ret = ff_nn_plan_need(ctx, n->in[i], NN_BLOCK)) < 0)
            return ret;
    if (!(p = av_memdup(e, sizeof(*e))))
        return AVERROR(ENOMEM);
    reps[0] = ff_nn_plan_make(ctx, n->out[0], NN_BLOCK);
    p->nb   = ctx->reps[reps[0]].size / NN_TYPE_SIZE(ctx->reps[reps[0]].type);
    return ff_nn_plan_step(ctx, ff_nn_step_block_elem, node, reps, 1 + nb_in, 1, p);
}

/* strides of an operand in the dims of the result, innermost first; 0 where it is broadcast */
static void broad_strides(int64_t *stride, const NNTensor *t, const NNTensor *out)
{
    int64_t s = 1;

    for (int i = 0; i < out->nb_dims; i++) {
        const int64_t d = i < t->nb_dims ? t->dims[t->nb_dims - 1 - i] : 1;
        stride[i] = d == 1 ? 0 : s;
        s *= d;
    }
}

static void broad_merge(NNBroadParams *p)
{
    int n = 0;

    for (int i = 0; i < p->nb_dims; i++) {
        if (p->dim[i] == 1)
            continue;
        if (n && p->a[i] == p->a[n - 1] * p->dim[n - 1] && p->b[i] == p->b[n - 1] * p->dim[n - 1]) {
            p->dim[n - 1] *= p->dim[i];
            continue;
        }
        p->dim[n] = p->dim[i];
        p->a[n]   = p->a[i];
        p->b[n]   = p->b[i];
        n++;
    }
    if (!n) {
        p->dim[0] = 1;
        p->a[0] = p->b[0] = 0;
        n = 1;
    }
    p->nb_dims = n;
}

static int plain_elem(NNNetContext *ctx, int node, const NNElemParams *e, int nb_in)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *out = tensor(ctx, n->out[0]);
    NNBroadParams *p = av_mallocz(sizeof(*p));

    if (!p)
        return AVERROR(ENOMEM);
    p->e       = *e;
    p->nb_dims = out->nb_dims;
    for (int i = 0; i < out->nb_dims; i++)
        p->dim[i] = out->dims[out->nb_dims - 1 - i];
    broad_strides(p->a, tensor(ctx, n->in[0]), out);
    broad_strides(p->b, tensor(ctx, n->in[nb_in - 1]), out);
    broad_merge(p);
    return plain_step(ctx, ff_nn_step_broad, node, nb_in, p);
}

static int plan_unary(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    NNElemParams e = { .op = NN_ROW_NONE };

    e.act = act_of(ctx, n, &e.alpha, &e.beta);
    if (e.act < 0 || n->act != NN_NACT_NONE || !same_dims(tensor(ctx, n->in[0]), tensor(ctx, n->out[0])))
        return AVERROR(ENOSYS);
    /* others could make infinities of the channels that do not exist */
    if (e.act < NN_RACT_EXP && ff_nn_plan_in_blocks(ctx, n))
        return block_elem(ctx, node, &e, 1);
    return plain_elem(ctx, node, &e, 1);
}

static int plan_binary(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    NNElemParams e = { .op = op_of(n), .act = n->act, .alpha = n->act_alpha, .beta = n->act_beta };
    int has;

    if (e.op == NN_ROW_NONE || n->nb_in != 2 || !ff_nn_row_knows(e.act) || n->act == NN_NACT_PRELU)
        return AVERROR(ENOSYS);
    has = ff_nn_plan_has(ctx, n->in[0], NN_BLOCK) + ff_nn_plan_has(ctx, n->in[1], NN_BLOCK);
    if ((n->op == NN_OP_ADD || n->op == NN_OP_SUB || n->op == NN_OP_MUL) &&
        (has == 2 || (has && ctx->want[n->out[0]])) && ff_nn_plan_blocky(ctx, n->out[0]) &&
        same_dims(tensor(ctx, n->in[0]), tensor(ctx, n->out[0])) &&
        same_dims(tensor(ctx, n->in[1]), tensor(ctx, n->out[0])))
        return block_elem(ctx, node, &e, 2);
    return plain_elem(ctx, node, &e, 2);
}

/* ---- along an axis ------------------------------------------------------------------------------ */

static int plan_softmax(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *t = tensor(ctx, n->in[0]);
    const int axis = axis_of(n, t);
    NNAxisParams *p;

    if (axis < 0 || axis >= t->nb_dims || n->act != NN_NACT_NONE)
        return AVERROR(ENOSYS);
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    around(t, axis, &p->outer, &p->inner);
    p->n = t->dims[axis];
    if (n->opset < 13) {                /* old rule: over all from the axis on */
        p->n    *= p->inner;
        p->inner = 1;
    }
    return plain_step(ctx, ff_nn_step_softmax, node, 1, p);
}

static int plan_reduce_max(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *t = tensor(ctx, n->in[0]);
    int64_t axis = n->axes[0];
    NNAxisParams *p;

    if (n->nb_in > 1 && n->in[1] >= 0) {
        const NNTensor *axes = tensor(ctx, n->in[1]);
        if (!axes->data || axes->nb != 1 || axes->type != NN_VAL_I64)
            return AVERROR(ENOSYS);
        axis = *(const int64_t *)axes->data;
    } else if (n->nb_axes != 1) {
        return AVERROR(ENOSYS);
    }
    axis += axis < 0 ? t->nb_dims : 0;
    if (axis < 0 || axis >= t->nb_dims || n->act != NN_NACT_NONE)
        return AVERROR(ENOSYS);
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    around(t, axis, &p->outer, &p->inner);
    p->n = t->dims[axis];
    return plain_step(ctx, ff_nn_step_reduce_max, node, 1, p);
}

/* ---- matrices ------------------------------------------------------------------------------------- */

/* where each matrix of an operand begins, leading dims broadcast as in the result */
static void mat_offsets(int64_t *offset, const NNTensor *t, const NNTensor *out, int nb)
{
    const int64_t size = t->dims[t->nb_dims - 2] * t->dims[t->nb_dims - 1];

    for (int i = 0; i < nb; i++) {
        int64_t rest = i, stride = size;
        offset[i] = 0;
        for (int d = 2; d < out->nb_dims; d++) {
            const int64_t pos = rest % out->dims[out->nb_dims - 1 - d];
            const int64_t dim = d < t->nb_dims ? t->dims[t->nb_dims - 1 - d] : 1;
            rest /= out->dims[out->nb_dims - 1 - d];
            offset[i] += dim == 1 ? 0 : pos * stride;
            stride *= dim;
        }
    }
}

static int plan_matmul(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *a = tensor(ctx, n->in[0]), *b = tensor(ctx, n->in[1]), *out = tensor(ctx, n->out[0]);
    NNMatParams *p;
    int64_t nb;

    if (a->nb_dims < 2 || b->nb_dims < 2 || out->nb_dims < 2 || n->act != NN_NACT_NONE)
        return AVERROR(ENOSYS);
    nb = out->nb / (out->dims[out->nb_dims - 2] * out->dims[out->nb_dims - 1]);
    if (nb > NN_MAX_MATS || a->nb > INT32_MAX || b->nb > INT32_MAX || out->nb > INT32_MAX)
        return AVERROR(ENOSYS);
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    p->nb = nb;
    p->m  = out->dims[out->nb_dims - 2];
    p->n  = out->dims[out->nb_dims - 1];
    p->k  = a->dims[a->nb_dims - 1];
    mat_offsets(p->a, a, out, nb);
    mat_offsets(p->b, b, out, nb);
    return plain_step(ctx, ff_nn_step_matmul, node, 2, p);
}

/* ---- anything -------------------------------------------------------------------------------------- */

static int plan_eval(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    int *reps = av_malloc_array(n->nb_in + n->nb_out, sizeof(*reps));
    int nb = 0, nb_out, ret = 0;

    if (!reps)
        return AVERROR(ENOMEM);
    for (int i = 0; i < n->nb_out; i++)
        if (n->out[i] >= 0) {
            NNRep *r = &ctx->reps[reps[nb] = NN_REP(n->out[i], NN_PLAIN)];
            if (n->dynamic || tensor(ctx, n->out[i])->nb < 0)
                r->where = NN_AT_DYNAMIC;
            nb++;
        }
    nb_out = nb;
    for (int i = 0; i < n->nb_in && ret >= 0; i++)
        if (n->in[i] >= 0)
            reps[nb++] = ret = ff_nn_plan_need(ctx, n->in[i], NN_PLAIN);
    for (int i = 0; i < nb_out && ret >= 0; i++)
        ff_nn_plan_make(ctx, reps[i] / NN_NB_LAYOUTS, NN_PLAIN);
    if (ret >= 0)
        ret = ff_nn_plan_step(ctx, ff_nn_step_eval, node, reps, nb, nb_out, NULL);
    av_free(reps);
    return ret;
}

static int plan_fast(NNNetContext *ctx, NNDnnl *dnnl, int node)
{
    switch (ctx->net->nodes[node].op) {
    case NN_OP_CONV:       return ff_nn_plan_conv(ctx, dnnl, node);
    case NN_OP_MAX_POOL:
    case NN_OP_AVG_POOL:   return ff_nn_plan_pool(ctx, node);
    case NN_OP_RESIZE:     return ff_nn_plan_resize(ctx, node);
    case NN_OP_SOFTMAX:    return plan_softmax(ctx, node);
    case NN_OP_REDUCE_MAX: return plan_reduce_max(ctx, node);
    case NN_OP_MATMUL:     return plan_matmul(ctx, node);
    case NN_OP_ADD: case NN_OP_SUB: case NN_OP_MUL: case NN_OP_DIV: case NN_OP_MIN: case NN_OP_MAX:
        return plan_binary(ctx, node);
    case NN_OP_CONCAT: case NN_OP_SPLIT: case NN_OP_SLICE: case NN_OP_TRANSPOSE: case NN_OP_EXPAND: case NN_OP_RESHAPE:
    case NN_OP_FLATTEN: case NN_OP_SQUEEZE: case NN_OP_UNSQUEEZE: case NN_OP_IDENTITY:
        return ff_nn_plan_move(ctx, node);
    default:
        return plan_unary(ctx, node);
    }
}

int ff_nn_plan_node(NNNetContext *ctx, NNDnnl *dnnl, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    int fast = !n->dynamic && n->nb_in > 0, ret;

    for (int i = 0; i < n->nb_out && fast; i++)
        fast = n->out[i] >= 0 && known(tensor(ctx, n->out[i])) && tensor(ctx, n->out[i])->type == NN_VAL_F32;
    for (int i = 0; i < n->nb_in && fast; i++)
        fast = n->in[i] < 0 ? i > 0 : known(tensor(ctx, n->in[i])) || tensor(ctx, n->in[i])->data;
    if (fast && tensor(ctx, n->in[0])->type == NN_VAL_F32 &&
        (ret = plan_fast(ctx, dnnl, node)) != AVERROR(ENOSYS))
        return ret;
    return plan_eval(ctx, node);
}
