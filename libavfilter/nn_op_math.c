/*
 * Nets of any shape: operations value by value
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

#include "libavutil/error.h"
#include "libavutil/macros.h"

#include "nn_op.h"

/* ---- one input ---------------------------------------------------------------------- */

static float clamp01(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static float unary(const NNNetNode *n, float v)
{
    switch (n->op) {
    case NN_OP_RELU:         return v < 0 ? 0 : v;
    case NN_OP_LEAKY_RELU:   return v < 0 ? n->alpha * v : v;
    case NN_OP_SIGMOID:      return 1 / (1 + expf(-v));
    case NN_OP_SILU:         return v / (1 + expf(-v));
    case NN_OP_HARD_SIGMOID: return clamp01(n->alpha * v + n->beta);
    case NN_OP_HARD_SWISH:   return v * clamp01(v / 6 + 0.5f);
    case NN_OP_TANH:         return tanhf(v);
    case NN_OP_EXP:          return expf(v);
    case NN_OP_LOG:          return logf(v);
    case NN_OP_SQRT:         return sqrtf(v);
    case NN_OP_NEG:          return -v;
    case NN_OP_ABS:          return fabsf(v);
    case NN_OP_FLOOR:        return floorf(v);
    case NN_OP_CEIL:         return ceilf(v);
    case NN_OP_ROUND:        return nearbyintf(v);      /* halves to even */
    case NN_OP_RECIPROCAL:   return 1 / v;
    default:                 return erff(v);            /* NN_OP_ERF */
    }
}

int ff_nn_infer_unary(const NNOpArgs *a)
{
    return ff_nn_op_out_like(a, 0, a->in[0]);
}

int ff_nn_eval_unary(const NNOpArgs *a)
{
    const NNTensor *in = a->in[0];

    if (in->type == NN_VAL_F32) {
        float *o = a->out[0].data;
        for (int64_t i = 0; i < in->nb; i++)
            o[i] = unary(a->n, nn_f32(in)[i]);
    } else {
        int64_t *o = a->out[0].data;
        for (int64_t i = 0; i < in->nb; i++) {
            const int64_t v = nn_i64(in)[i];
            o[i] = a->n->op == NN_OP_NOT ? !v : a->n->op == NN_OP_ABS && v >= 0 ? v : (int64_t)-(uint64_t)v;
        }
    }
    return 0;
}

void ff_nn_act_apply(const NNNetNode *n, const NNTensor *slopes, NNTensor *t)
{
    static const enum NNNetOp ops[] = {
        [NN_NACT_RELU] = NN_OP_RELU, [NN_NACT_LRELU] = NN_OP_LEAKY_RELU, [NN_NACT_SILU] = NN_OP_SILU,
        [NN_NACT_SIGMOID] = NN_OP_SIGMOID, [NN_NACT_HARD_SWISH] = NN_OP_HARD_SWISH,
    };
    float *v = t->data;

    if (n->act == NN_NACT_CLIP) {
        for (int64_t i = 0; i < t->nb; i++)
            v[i] = fminf(fmaxf(v[i], n->act_alpha), n->act_beta);
    } else if (n->act == NN_NACT_PRELU) {
        const int64_t plane = nn_span(t, 2, t->nb_dims), c = t->dims[1];
        for (int64_t k = 0; k < t->dims[0] * c; k++, v += plane)
            for (int64_t i = 0; i < plane; i++)
                v[i] = v[i] < 0 ? v[i] * nn_f32(slopes)[k % c] : v[i];
    } else {
        const NNNetNode act = { .op = ops[n->act], .alpha = n->act_alpha };
        for (int64_t i = 0; i < t->nb; i++)
            v[i] = unary(&act, v[i]);
    }
}

/* ---- two inputs and more ----------------------------------------------------------------- */

static void binary_f32(enum NNNetOp op, int fmod_, float *o, const float *x, int64_t sx, const float *y, int64_t sy,
                       int64_t n)
{
#define LOOP(expr) for (int64_t i = 0; i < n; i++) { const float p = x[i * sx], q = y[i * sy]; o[i] = expr; } break
    switch (op) {
    case NN_OP_ADD: LOOP(p + q);
    case NN_OP_SUB: LOOP(p - q);
    case NN_OP_MUL: LOOP(p * q);
    case NN_OP_DIV: LOOP(p / q);
    case NN_OP_POW: LOOP(q == 2 ? p * p : powf(p, q));
    case NN_OP_MIN: LOOP(p < q || p != p ? p : q);
    case NN_OP_MAX: LOOP(p > q || p != p ? p : q);
    default:        LOOP(fmod_ ? fmodf(p, q) : p - q * floorf(p / q));
    }
#undef LOOP
}

static int64_t int_pow(int64_t base, int64_t e)
{
    uint64_t r = 1, b = base;

    if (e < 0)
        return base == 1 ? 1 : base == -1 ? (e & 1 ? -1 : 1) : 0;
    for (; e; e >>= 1, b *= b)
        if (e & 1)
            r *= b;
    return r;
}

/* the caller has seen to it that no divisor is 0; what is too large wraps */
static int64_t int_binary(enum NNNetOp op, int fmod_, int64_t p, int64_t q)
{
    switch (op) {
    case NN_OP_ADD: return (uint64_t)p + q;
    case NN_OP_SUB: return (uint64_t)p - q;
    case NN_OP_MUL: return (uint64_t)p * q;
    case NN_OP_DIV: return q == -1 ? -(uint64_t)p : p / q;
    case NN_OP_POW: return int_pow(p, q);
    case NN_OP_MIN: return FFMIN(p, q);
    case NN_OP_MAX: return FFMAX(p, q);
    default:        /* NN_OP_MOD */
        if (q == -1)
            return 0;
        p %= q;
        return !fmod_ && p && (p < 0) != (q < 0) ? p + q : p;
    }
}

static int64_t compare(enum NNNetOp op, double p, double q)
{
    switch (op) {
    case NN_OP_EQUAL:      return p == q;
    case NN_OP_LESS:       return p < q;
    case NN_OP_LESS_EQUAL: return p <= q;
    case NN_OP_GREATER:    return p > q;
    default:               return p >= q;
    }
}

static int64_t int_compare(enum NNNetOp op, int64_t p, int64_t q)
{
    switch (op) {
    case NN_OP_EQUAL:      return p == q;
    case NN_OP_LESS:       return p < q;
    case NN_OP_LESS_EQUAL: return p <= q;
    case NN_OP_GREATER:    return p > q;
    case NN_OP_AND:        return p && q;
    case NN_OP_OR:         return p || q;
    default:               return p >= q;
    }
}

static int is_compare(enum NNNetOp op)
{
    return op >= NN_OP_EQUAL && op <= NN_OP_OR;
}

static void row(const NNOpArgs *a, NNTensor *out, int64_t at, const NNTensor *x, int64_t ox, int64_t sx,
                const NNTensor *y, int64_t oy, int64_t sy, int64_t n)
{
    const enum NNNetOp op = a->n->op;
    const int fmod_ = a->n->flags & NN_NODE_FMOD;
    int64_t *o = (int64_t *)out->data + at;

    if (x->type == NN_VAL_F32) {
        const float *p = nn_f32(x) + ox, *q = nn_f32(y) + oy;
        if (is_compare(op))
            for (int64_t i = 0; i < n; i++)
                o[i] = compare(op, p[i * sx], q[i * sy]);
        else
            binary_f32(op, fmod_, (float *)out->data + at, p, sx, q, sy, n);
    } else {
        const int64_t *p = nn_i64(x) + ox, *q = nn_i64(y) + oy;
        for (int64_t i = 0; i < n; i++)
            o[i] = is_compare(op) ? int_compare(op, p[i * sx], q[i * sy]) : int_binary(op, fmod_, p[i * sx], q[i * sy]);
    }
}

/* out = x op y, out being of the broadcast size */
static void walk(const NNOpArgs *a, NNTensor *out, const NNTensor *x, const NNTensor *y)
{
    int64_t stride[2][NN_NET_DIMS], index[NN_NET_DIMS] = { 0 }, off[2] = { 0 }, at = 0;
    const int nb = out->nb_dims;
    const int64_t n = nb ? out->dims[nb - 1] : 1;

    if (!out->nb)
        return;
    ff_nn_broadcast_strides(x, nb, stride[0]);
    ff_nn_broadcast_strides(y, nb, stride[1]);
    do {
        row(a, out, at, x, off[0], nb ? stride[0][nb - 1] : 0, y, off[1], nb ? stride[1][nb - 1] : 0, n);
        at += n;
    } while (ff_nn_next_row(out->dims, nb, index, off, stride, 2));
}

int ff_nn_infer_binary(const NNOpArgs *a)
{
    int64_t dims[NN_NET_DIMS];
    int nb = a->in[0]->nb_dims;

    memcpy(dims, a->in[0]->dims, sizeof(dims));
    for (int i = 1; i < a->n->nb_in; i++)
        if ((nb = ff_nn_broadcast(dims, dims, nb, a->in[i]->dims, a->in[i]->nb_dims)) < 0)
            return ff_nn_op_broken(a, "has inputs whose sizes do not go together");
    return ff_nn_op_out(a, 0, dims, nb);
}

/* exponents may be of the other type */
static int power_mixed(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *y = a->in[1];
    int64_t stride[2][NN_NET_DIMS], index[NN_NET_DIMS] = { 0 }, off[2] = { 0 }, at = 0;
    const int nb = a->out[0].nb_dims;
    const int64_t n = nb ? a->out[0].dims[nb - 1] : 1;

    if (x->type == NN_VAL_I64)
        return ff_nn_op_unsupported(a, "raises integers to a power with fractions, which is not supported");
    if (!a->out[0].nb)
        return 0;
    ff_nn_broadcast_strides(x, nb, stride[0]);
    ff_nn_broadcast_strides(y, nb, stride[1]);
    do {
        for (int64_t i = 0; i < n; i++)
            ((float *)a->out[0].data)[at++] = powf(nn_f32(x)[off[0] + i * (nb ? stride[0][nb - 1] : 0)],
                                                   nn_i64(y)[off[1] + i * (nb ? stride[1][nb - 1] : 0)]);
    } while (ff_nn_next_row(a->out[0].dims, nb, index, off, stride, 2));
    return 0;
}

int ff_nn_eval_binary(const NNOpArgs *a)
{
    NNTensor *out = &a->out[0];

    if (a->n->op == NN_OP_POW && a->in[0]->type != a->in[1]->type)
        return power_mixed(a);
    if ((a->n->op == NN_OP_DIV || a->n->op == NN_OP_MOD) && out->type == NN_VAL_I64)
        for (int64_t i = 0; i < a->in[1]->nb; i++)
            if (!nn_i64(a->in[1])[i])
                return ff_nn_op_broken(a, "divides an integer by 0");
    if (a->n->nb_in == 1) {
        memcpy(out->data, a->in[0]->data, out->nb * nn_value_size(out->type));
        return 0;
    }
    walk(a, out, a->in[0], a->in[1]);
    for (int i = 2; i < a->n->nb_in; i++)   /* in place: out already has the size of all */
        walk(a, out, out, a->in[i]);
    return 0;
}

int ff_nn_infer_compare(const NNOpArgs *a)
{
    return ff_nn_infer_binary(a);
}

int ff_nn_eval_compare(const NNOpArgs *a)
{
    walk(a, &a->out[0], a->in[0], a->in[1]);
    return 0;
}

int ff_nn_infer_prelu(const NNOpArgs *a)
{
    int64_t dims[NN_NET_DIMS];
    const NNTensor *x = a->in[0], *s = a->in[1];

    /* slopes are broadcast to x, never x to them */
    if (ff_nn_broadcast(dims, x->dims, x->nb_dims, s->dims, s->nb_dims) != x->nb_dims ||
        memcmp(dims, x->dims, x->nb_dims * sizeof(*dims)))
        return ff_nn_op_broken(a, "has slopes whose size does not go with that of its input");
    return ff_nn_op_out_like(a, 0, x);
}

int ff_nn_eval_prelu(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t stride[1][NN_NET_DIMS], index[NN_NET_DIMS] = { 0 }, off[1] = { 0 }, at = 0;
    const int nb = x->nb_dims;
    const int64_t n = nb ? x->dims[nb - 1] : 1;
    float *o = a->out[0].data;

    if (!x->nb)
        return 0;
    ff_nn_broadcast_strides(a->in[1], nb, stride[0]);
    do {
        for (int64_t i = 0; i < n; i++, at++) {
            const float v = nn_f32(x)[at];
            o[at] = v < 0 ? v * nn_f32(a->in[1])[off[0] + i * (nb ? stride[0][nb - 1] : 0)] : v;
        }
    } while (ff_nn_next_row(x->dims, nb, index, off, stride, 1));
    return 0;
}

/* ---- the rest ------------------------------------------------------------------------------ */

int ff_nn_infer_where(const NNOpArgs *a)
{
    return ff_nn_infer_binary(a);
}

int ff_nn_eval_where(const NNOpArgs *a)
{
    NNTensor *out = &a->out[0];
    int64_t stride[3][NN_NET_DIMS], index[NN_NET_DIMS] = { 0 }, off[3] = { 0 }, at = 0;
    const int nb = out->nb_dims, size = nn_value_size(out->type);
    const int64_t n = nb ? out->dims[nb - 1] : 1;

    if (!out->nb)
        return 0;
    for (int i = 0; i < 3; i++)
        ff_nn_broadcast_strides(a->in[i], nb, stride[i]);
    do {
        for (int64_t i = 0; i < n; i++, at++) {
            const int k = nn_i64(a->in[0])[off[0] + i * (nb ? stride[0][nb - 1] : 0)] ? 1 : 2;
            memcpy((uint8_t *)out->data + at * size,
                   (const uint8_t *)a->in[k]->data + (off[k] + i * (nb ? stride[k][nb - 1] : 0)) * size, size);
        }
    } while (ff_nn_next_row(out->dims, nb, index, off, stride, 3));
    return 0;
}

int ff_nn_infer_clip(const NNOpArgs *a)
{
    for (int i = 1; i < a->n->nb_in; i++)
        if (a->in[i] && a->in[i]->nb != 1)
            return ff_nn_op_broken(a, "has bounds that are no single numbers");
    return ff_nn_op_out_like(a, 0, a->in[0]);
}

int ff_nn_eval_clip(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *lo = nn_op_in(a, 1), *hi = nn_op_in(a, 2);

    if (x->type == NN_VAL_F32) {
        const float l = lo ? *nn_f32(lo) : a->n->alpha, h = hi ? *nn_f32(hi) : a->n->beta;
        for (int64_t i = 0; i < x->nb; i++) {
            const float v = nn_f32(x)[i];
            ((float *)a->out[0].data)[i] = v > h ? h : v < l ? FFMIN(l, h) : v;
        }
    } else {
        const int64_t l = lo ? *nn_i64(lo) : INT64_MIN, h = hi ? *nn_i64(hi) : INT64_MAX;
        for (int64_t i = 0; i < x->nb; i++)
            ((int64_t *)a->out[0].data)[i] = FFMIN(FFMAX(nn_i64(x)[i], l), h);
    }
    return 0;
}

int ff_nn_infer_cast(const NNOpArgs *a)
{
    const int to = a->n->to;

    if (to < 1 || to > 16 || to == 8 || to == 14 || to == 15)
        return ff_nn_op_unsupported(a, "makes values of type %d, which is not supported", to);
    a->out[0].type = to == 1 || to == 10 || to == 11 || to == 16 ? NN_VAL_F32 : NN_VAL_I64;
    return a->in[0]->nb < 0 ? 1 : ff_nn_op_out_like(a, 0, a->in[0]);
}

/* as the ONNX type that is kept as 64 bits would wrap */
static int64_t narrow(int64_t v, int to)
{
    switch (to) {
    case 2:  return (uint8_t)v;
    case 3:  return (int8_t)v;
    case 4:  return (uint16_t)v;
    case 5:  return (int16_t)v;
    case 6:  return (int32_t)v;
    case 9:  return !!v;
    case 12: return (uint32_t)v;
    default: return v;
    }
}

static int64_t float_to_int(float v, int to)
{
    if (to == 9)
        return v != 0;
    return v > -0x1p63f && v < 0x1p63f ? narrow(v, to) : INT64_MIN;
}

int ff_nn_eval_cast(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    NNTensor *out = &a->out[0];

    for (int64_t i = 0; i < x->nb; i++)
        if (out->type == NN_VAL_F32)
            ((float *)out->data)[i] = x->type == NN_VAL_F32 ? nn_f32(x)[i] : nn_i64(x)[i];
        else
            ((int64_t *)out->data)[i] = x->type == NN_VAL_F32 ? float_to_int(nn_f32(x)[i], a->n->to)
                                                              : narrow(nn_i64(x)[i], a->n->to);
    return 0;
}

int ff_nn_infer_norm(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];

    if (x->nb_dims < 2)
        return ff_nn_op_broken(a, "normalises a tensor without channels");
    for (int i = 1; i < 5; i++)
        if (a->in[i]->nb_dims != 1 || a->in[i]->nb != x->dims[1])
            return ff_nn_op_broken(a, "has as input %d not one number a channel", i);
    return ff_nn_op_out_like(a, 0, x);
}

int ff_nn_eval_norm(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int64_t plane = nn_span(x, 2, x->nb_dims), c = x->dims[1];
    const float *v = x->data;
    float *o = a->out[0].data;

    for (int64_t k = 0; k < x->dims[0] * c; k++)
        for (int64_t i = 0; i < plane; i++)
            *o++ = (*v++ - nn_f32(a->in[3])[k % c]) / sqrtf(nn_f32(a->in[4])[k % c] + a->n->alpha) *
                   nn_f32(a->in[1])[k % c] + nn_f32(a->in[2])[k % c];
    return 0;
}
