/*
 * Nets of any shape: operations that only move values
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
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/macros.h"

#include "nn_op.h"

static void copy_values(NNTensor *dst, int64_t at, const NNTensor *src, int64_t from, int64_t nb)
{
    const int size = nn_value_size(dst->type);

    memcpy((uint8_t *)dst->data + at * size, (const uint8_t *)src->data + from * size, nb * size);
}

/* out, row after row, from src by steps; off is where its first value lies */
static void gather_rows(NNTensor *out, const NNTensor *src, int64_t off, const int64_t *step)
{
    int64_t stride[1][NN_NET_DIMS], index[NN_NET_DIMS] = { 0 }, at = 0;
    const int nb = out->nb_dims;
    const int64_t n = nb ? out->dims[nb - 1] : 1, s = nb ? step[nb - 1] : 1;

    if (!out->nb)
        return;
    memcpy(stride[0], step, nb * sizeof(*step));
    do {
        if (s == 1)
            copy_values(out, at, src, off, n);
        else if (out->type == NN_VAL_F32)
            for (int64_t i = 0; i < n; i++)
                ((float *)out->data)[at + i] = nn_f32(src)[off + i * s];
        else
            for (int64_t i = 0; i < n; i++)
                ((int64_t *)out->data)[at + i] = nn_i64(src)[off + i * s];
        at += n;
    } while (ff_nn_next_row(out->dims, nb, index, &off, stride, 1));
}

/* ---- concatenation, split ----------------------------------------------------------------- */

int ff_nn_infer_concat(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t dims[NN_NET_DIMS];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims);

    if (axis < 0)
        return axis;
    memcpy(dims, x->dims, sizeof(dims));
    for (int i = 1; i < a->n->nb_in; i++) {
        const NNTensor *t = a->in[i];
        int fits = t->nb_dims == x->nb_dims;
        for (int k = 0; k < x->nb_dims && fits; k++)
            fits = k == axis || t->dims[k] == x->dims[k];
        if (!fits)
            return ff_nn_op_broken(a, "joins tensors along axis %d whose other sizes differ (input %d)", axis, i);
        dims[axis] += t->dims[axis];        /* cannot overflow: a thousand inputs of at most 2^28 */
    }
    return ff_nn_op_out(a, 0, dims, x->nb_dims);
}

int ff_nn_eval_concat(const NNOpArgs *a)
{
    const int axis = ff_nn_op_axis(a, a->n->axis, a->in[0]->nb_dims);
    const int64_t outer = nn_span(a->in[0], 0, axis), row = nn_span(&a->out[0], axis, a->out[0].nb_dims);
    int64_t at = 0;

    for (int i = 0; i < a->n->nb_in; i++) {
        const int64_t n = nn_span(a->in[i], axis, a->in[i]->nb_dims);
        for (int64_t k = 0; k < outer; k++)
            copy_values(&a->out[0], k * row + at, a->in[i], k * n, n);
        at += n;
    }
    return 0;
}

int ff_nn_infer_split(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims), nb_out = a->n->nb_out;
    const int64_t *sizes = NULL;
    int64_t dims[NN_NET_DIMS], left;
    int nb = 0, ret;

    if (axis < 0)
        return axis;
    if (nn_op_in(a, 1)) {
        if ((nb = ff_nn_op_list(a, 1, &sizes, nb_out)) < 0)
            return nb == AVERROR(EAGAIN) ? 1 : nb;
        if (nb != nb_out)
            return ff_nn_op_broken(a, "has %d sizes for its %d parts", nb, nb_out);
    }
    memcpy(dims, x->dims, sizeof(dims));
    left = x->dims[axis];
    for (int i = 0; i < nb_out; i++) {
        /* without sizes all parts are alike, the last one perhaps smaller */
        const int64_t n = sizes ? sizes[i] : FFMIN((x->dims[axis] + nb_out - 1) / nb_out, left);
        if (n < 0 || n > left)
            return ff_nn_op_broken(a, "has a part of %"PRId64" where %"PRId64" are left", n, left);
        left      -= n;
        dims[axis] = n;
        if ((ret = ff_nn_op_out(a, i, dims, x->nb_dims)) < 0)
            return ret;
    }
    return left ? ff_nn_op_broken(a, "has parts that leave %"PRId64" over", left) : 0;
}

int ff_nn_eval_split(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims);
    const int64_t outer = nn_span(x, 0, axis), row = nn_span(x, axis, x->nb_dims);
    int64_t at = 0;

    for (int i = 0; i < a->n->nb_out; i++) {
        const int64_t n = nn_span(&a->out[i], axis, x->nb_dims);
        for (int64_t k = 0; k < outer; k++)
            copy_values(&a->out[i], k * n, x, k * row + at, n);
        at += n;
    }
    return 0;
}

/* ---- slice ------------------------------------------------------------------------------------ */

typedef struct Cut {
    int64_t first[NN_NET_DIMS], step[NN_NET_DIMS], nb[NN_NET_DIMS];
} Cut;

/* one axis; negative indices count from the end, what is beyond is clipped */
static void cut_axis(Cut *c, int axis, int64_t dim, int64_t from, int64_t to, int64_t step)
{
    const int64_t lo = step > 0 ? 0 : -1, hi = step > 0 ? dim : dim - 1;
    int64_t n;

    /* a step that is longer than the tensor takes its first value only, however much longer */
    step = FFMIN(FFMAX(step, -(dim + 1)), dim + 1);
    from = from < 0 ? FFMAX(from, -dim - 1) + dim : from;
    to   = to   < 0 ? FFMAX(to,   -dim - 1) + dim : to;
    from = FFMIN(FFMAX(from, step > 0 ? 0 : -1), hi);
    to   = FFMIN(FFMAX(to, lo), hi);
    n    = step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step;
    c->first[axis] = from;
    c->step[axis]  = step;
    c->nb[axis]    = FFMAX(n, 0);
}

static int find_cut(const NNOpArgs *a, Cut *c)
{
    const NNTensor *x = a->in[0];
    const int64_t *v[5] = { 0 };
    int nb[5] = { 0 };
    unsigned seen = 0;

    for (int i = 1; i < 5; i++) {
        if (!nn_op_in(a, i))
            continue;
        nb[i] = ff_nn_op_list(a, i, &v[i], NN_NET_DIMS);
        if (nb[i] < 0)
            return nb[i] == AVERROR(EAGAIN) ? 1 : nb[i];
        if (nb[i] != nb[1])
            return ff_nn_op_broken(a, "has %d starts and %d values as input %d", nb[1], nb[i], i);
    }
    for (int k = 0; k < x->nb_dims; k++) {
        c->first[k] = 0;
        c->step[k]  = 1;
        c->nb[k]    = x->dims[k];
    }
    for (int k = 0; k < nb[1]; k++) {
        const int axis = ff_nn_op_axis(a, v[3] ? v[3][k] : k, x->nb_dims);
        const int64_t step = v[4] ? v[4][k] : 1;
        if (axis < 0)
            return axis;
        if (!step || seen & 1U << axis)
            return ff_nn_op_broken(a, step ? "cuts an axis twice" : "has step 0");
        seen |= 1U << axis;
        cut_axis(c, axis, x->dims[axis], v[1][k], v[2][k], step);
    }
    return 0;
}

int ff_nn_infer_slice(const NNOpArgs *a)
{
    Cut c;
    const int ret = find_cut(a, &c);

    return ret ? ret : ff_nn_op_out(a, 0, c.nb, a->in[0]->nb_dims);
}

int ff_nn_eval_slice(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t stride[NN_NET_DIMS], off = 0;
    Cut c;
    int ret = find_cut(a, &c);

    if (ret < 0 || !a->out[0].nb)
        return ret;
    nn_strides(x->dims, x->nb_dims, stride);
    for (int k = 0; k < x->nb_dims; k++) {
        off       += c.first[k] * stride[k];
        stride[k] *= c.step[k];
    }
    gather_rows(&a->out[0], x, off, stride);
    return 0;
}

/* ---- pad ------------------------------------------------------------------------------------------ */

/* pads of axis k: before[k], after[k]; negative ones cut */
static int find_pads(const NNOpArgs *a, int64_t *before, int64_t *after)
{
    const NNTensor *x = a->in[0];
    const int64_t *v, *axes = NULL;
    int nb = ff_nn_op_list(a, 1, &v, 2 * NN_NET_DIMS), nb_axes = x->nb_dims;

    if (nb >= 0 && nn_op_in(a, 3) && (nb_axes = ff_nn_op_list(a, 3, &axes, NN_NET_DIMS)) < 0)
        nb = nb_axes;
    if (nb < 0)
        return nb == AVERROR(EAGAIN) ? 1 : nb;
    if (nb != 2 * nb_axes)
        return ff_nn_op_broken(a, "has %d paddings for %d axes", nb, nb_axes);
    memset(before, 0, NN_NET_DIMS * sizeof(*before));
    memset(after,  0, NN_NET_DIMS * sizeof(*after));
    for (int k = 0; k < nb_axes; k++) {
        const int axis = ff_nn_op_axis(a, axes ? axes[k] : k, x->nb_dims);
        const int64_t p = v[k], q = v[k + nb_axes];
        if (axis < 0)
            return axis;
        if (p < -NN_MAX_VALUES || p > NN_MAX_VALUES || q < -NN_MAX_VALUES || q > NN_MAX_VALUES ||
            x->dims[axis] + FFMIN(p, 0) + FFMIN(q, 0) < 0)
            return ff_nn_op_broken(a, "pads axis %d of %"PRId64" by %"PRId64" and %"PRId64, axis, x->dims[axis], p, q);
        before[axis] = p;
        after[axis]  = q;
    }
    return 0;
}

int ff_nn_infer_pad(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t dims[NN_NET_DIMS], before[NN_NET_DIMS], after[NN_NET_DIMS];
    const int ret = find_pads(a, before, after);

    if (ret)
        return ret;
    if (nn_op_in(a, 2) && a->in[2]->nb != 1)
        return ff_nn_op_broken(a, "pads with what is no single number");
    for (int k = 0; k < x->nb_dims; k++) {
        dims[k] = x->dims[k] + before[k] + after[k];
        if (a->n->mode == 1 && (before[k] >= x->dims[k] || after[k] >= x->dims[k]) && (before[k] > 0 || after[k] > 0))
            return ff_nn_op_broken(a, "reflects more than there is on axis %d", k);
        if (a->n->mode == 2 && !x->dims[k] && dims[k])
            return ff_nn_op_broken(a, "repeats the edge of an empty axis %d", k);
    }
    return ff_nn_op_out(a, 0, dims, x->nb_dims);
}

/* where position i of a padded axis comes from; -1: from nowhere. mode: constant, reflect, edge */
static int64_t pad_source(int mode, int64_t i, int64_t dim)
{
    if (i >= 0 && i < dim)
        return i;
    if (mode == 0)
        return -1;
    if (mode == 2)
        return i < 0 ? 0 : dim - 1;
    return i < 0 ? -i : 2 * (dim - 1) - i;
}

int ff_nn_eval_pad(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    NNTensor *out = &a->out[0];
    int64_t before[NN_NET_DIMS], after[NN_NET_DIMS], stride[NN_NET_DIMS], index[NN_NET_DIMS] = { 0 };
    const int64_t zero = 0;             /* of either type */
    const NNTensor fill = { .type = x->type, .nb = 1, .data = nn_op_in(a, 2) ? a->in[2]->data : (void *)&zero };
    int ret = find_pads(a, before, after), nb = x->nb_dims;

    nn_strides(x->dims, nb, stride);
    for (int64_t at = 0; at < out->nb && ret >= 0; at++) {
        int64_t off = 0;
        for (int k = 0; k < nb && off >= 0; k++) {
            const int64_t i = pad_source(a->n->mode, index[k] - before[k], x->dims[k]);
            off = i < 0 ? -1 : off + i * stride[k];
        }
        copy_values(out, at, off < 0 ? &fill : x, FFMAX(off, 0), 1);
        for (int k = nb - 1; k >= 0 && ++index[k] == out->dims[k]; k--)
            index[k] = 0;
    }
    return ret;
}

/* ---- transpose, repetition ------------------------------------------------------------------------------ */

static int find_perm(const NNOpArgs *a, int *perm)
{
    const int nb = a->in[0]->nb_dims;
    unsigned seen = 0;

    if (a->n->nb_axes && a->n->nb_axes != nb)
        return ff_nn_op_broken(a, "puts %d axes in order, its input has %d", a->n->nb_axes, nb);
    for (int k = 0; k < nb; k++) {
        const int64_t p = a->n->nb_axes ? a->n->axes[k] : nb - 1 - k;
        if (p < 0 || p >= nb || seen & 1U << p)
            return ff_nn_op_broken(a, "has an order of axes that is none");
        seen   |= 1U << p;
        perm[k] = p;
    }
    return 0;
}

int ff_nn_infer_transpose(const NNOpArgs *a)
{
    int64_t dims[NN_NET_DIMS];
    int perm[NN_NET_DIMS], ret = find_perm(a, perm);

    for (int k = 0; k < a->in[0]->nb_dims && !ret; k++)
        dims[k] = a->in[0]->dims[perm[k]];
    return ret ? ret : ff_nn_op_out(a, 0, dims, a->in[0]->nb_dims);
}

int ff_nn_eval_transpose(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t stride[NN_NET_DIMS], step[NN_NET_DIMS];
    int perm[NN_NET_DIMS], ret = find_perm(a, perm);

    if (ret)
        return ret;
    nn_strides(x->dims, x->nb_dims, stride);
    for (int k = 0; k < x->nb_dims; k++)
        step[k] = stride[perm[k]];
    gather_rows(&a->out[0], x, 0, step);
    return 0;
}

int ff_nn_infer_expand(const NNOpArgs *a)
{
    const int64_t *v;
    int64_t dims[NN_NET_DIMS];
    int nb = ff_nn_op_list(a, 1, &v, NN_NET_DIMS);

    if (nb < 0)
        return nb == AVERROR(EAGAIN) ? 1 : nb;
    nb = ff_nn_broadcast(dims, a->in[0]->dims, a->in[0]->nb_dims, v, nb);
    if (nb < 0)
        return ff_nn_op_broken(a, "expands to a size that does not go with that of its input");
    return ff_nn_op_out(a, 0, dims, nb);
}

int ff_nn_eval_expand(const NNOpArgs *a)
{
    int64_t stride[NN_NET_DIMS];

    ff_nn_broadcast_strides(a->in[0], a->out[0].nb_dims, stride);
    gather_rows(&a->out[0], a->in[0], 0, stride);
    return 0;
}

int ff_nn_infer_tile(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int64_t *v;
    int64_t dims[NN_NET_DIMS];
    const int nb = ff_nn_op_list(a, 1, &v, NN_NET_DIMS);

    if (nb < 0)
        return nb == AVERROR(EAGAIN) ? 1 : nb;
    if (nb != x->nb_dims)
        return ff_nn_op_broken(a, "has %d repetitions for %d axes", nb, x->nb_dims);
    for (int k = 0; k < nb; k++) {
        if (v[k] < 0 || v[k] > NN_MAX_VALUES)
            return ff_nn_op_broken(a, "repeats %"PRId64" times", v[k]);
        dims[k] = x->dims[k] * v[k];
    }
    return ff_nn_op_out(a, 0, dims, nb);
}

int ff_nn_eval_tile(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    NNTensor *out = &a->out[0];
    int64_t stride[NN_NET_DIMS], index[NN_NET_DIMS] = { 0 };

    nn_strides(x->dims, x->nb_dims, stride);
    for (int64_t at = 0; at < out->nb; at++) {
        int64_t off = 0;
        for (int k = 0; k < x->nb_dims; k++)
            off += index[k] % x->dims[k] * stride[k];
        copy_values(out, at, x, off, 1);
        for (int k = x->nb_dims - 1; k >= 0 && ++index[k] == out->dims[k]; k--)
            index[k] = 0;
    }
    return 0;
}
