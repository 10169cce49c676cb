/*
 * Nets of any shape: matrices, sums
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
#include <math.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_op.h"

/* ---- matrices ------------------------------------------------------------------------------- */

/* out[m][n] = x[m][k] y[k][n], given the steps of x and y; sums in double, rounded once */
static void multiply(float *out, double *acc, const float *x, int64_t xm, int64_t xk, const float *y, int64_t yk,
                     int64_t yn, int64_t m, int64_t n, int64_t k)
{
    for (int64_t i = 0; i < m; i++, out += n) {
        memset(acc, 0, n * sizeof(*acc));
        for (int64_t j = 0; j < k; j++) {
            const double v = x[i * xm + j * xk];
            for (int64_t l = 0; l < n; l++)
                acc[l] += v * y[j * yk + l * yn];
        }
        for (int64_t l = 0; l < n; l++)
            out[l] = acc[l];
    }
}

/* a vector is a row on the left, a column on the right; that axis then goes away again */
static NNTensor as_matrix(const NNTensor *t, int left)
{
    NNTensor v = *t;

    if (t->nb_dims == 1) {
        v.dims[left ? 0 : 1] = 1;
        v.dims[left ? 1 : 0] = t->dims[0];
        v.nb_dims = 2;
    }
    return v;
}

/* sizes of the product, and of the batch of products */
static int matmul_dims(const NNOpArgs *a, NNTensor *x, NNTensor *y, int64_t *dims)
{
    int nb;

    if (!a->in[0]->nb_dims || !a->in[1]->nb_dims)
        return ff_nn_op_broken(a, "multiplies a single number");
    *x = as_matrix(a->in[0], 1);
    *y = as_matrix(a->in[1], 0);
    nb = ff_nn_broadcast(dims, x->dims, x->nb_dims - 2, y->dims, y->nb_dims - 2);
    if (nb < 0 || x->dims[x->nb_dims - 1] != y->dims[y->nb_dims - 2])
        return ff_nn_op_broken(a, "multiplies matrices whose sizes do not go together");
    dims[nb++] = x->dims[x->nb_dims - 2];
    dims[nb++] = y->dims[y->nb_dims - 1];
    return nb;
}

int ff_nn_infer_matmul(const NNOpArgs *a)
{
    NNTensor x, y;
    int64_t dims[NN_NET_DIMS + 2];
    int nb = matmul_dims(a, &x, &y, dims);

    if (nb < 0)
        return nb;
    if (a->in[1]->nb_dims == 1)
        nb--;
    if (a->in[0]->nb_dims == 1) {
        if (a->in[1]->nb_dims > 1)
            dims[nb - 2] = dims[nb - 1];
        nb--;
    }
    return ff_nn_op_out(a, 0, dims, nb);
}

int ff_nn_eval_matmul(const NNOpArgs *a)
{
    NNTensor x, y;
    int64_t dims[NN_NET_DIMS + 2], stride[2][NN_NET_DIMS], index[NN_NET_DIMS] = { 0 }, off[2] = { 0 };
    const int nb = matmul_dims(a, &x, &y, dims);
    const int64_t m = dims[nb - 2], n = dims[nb - 1], k = x.dims[x.nb_dims - 1];
    float *out = a->out[0].data;
    double *acc;

    if (!a->out[0].nb)
        return 0;
    if (!(acc = av_malloc_array(n, sizeof(*acc))))
        return AVERROR(ENOMEM);
    ff_nn_broadcast_strides(&x, nb, stride[0]);
    ff_nn_broadcast_strides(&y, nb, stride[1]);
    dims[nb - 2] = 1;                   /* as if each product were a row of one value */
    do {
        multiply(out, acc, nn_f32(&x) + off[0], k, 1, nn_f32(&y) + off[1], n, 1, m, n, k);
        out += m * n;
    } while (ff_nn_next_row(dims, nb, index, off, stride, 2));
    av_free(acc);
    return 0;
}

static int gemm_dims(const NNOpArgs *a, int64_t *m, int64_t *n, int64_t *k)
{
    const NNTensor *x = a->in[0], *y = a->in[1], *c = nn_op_in(a, 2);
    const int ta = !!(a->n->flags & NN_NODE_TRANS_A), tb = !!(a->n->flags & NN_NODE_TRANS_B);
    int64_t dims[NN_NET_DIMS];

    if (x->nb_dims != 2 || y->nb_dims != 2 || x->dims[!ta] != y->dims[tb])
        return ff_nn_op_broken(a, "multiplies matrices whose sizes do not go together");
    *m = x->dims[ta];
    *k = x->dims[!ta];
    *n = y->dims[!tb];
    if (c && (ff_nn_broadcast(dims, (const int64_t[]){ *m, *n }, 2, c->dims, c->nb_dims) != 2 || dims[0] != *m ||
              dims[1] != *n))
        return ff_nn_op_broken(a, "adds a tensor whose size does not go with that of the product");
    return 0;
}

int ff_nn_infer_gemm(const NNOpArgs *a)
{
    int64_t m, n, k;
    const int ret = gemm_dims(a, &m, &n, &k);

    return ret < 0 ? ret : ff_nn_op_out(a, 0, (const int64_t[]){ m, n }, 2);
}

int ff_nn_eval_gemm(const NNOpArgs *a)
{
    const int ta = !!(a->n->flags & NN_NODE_TRANS_A), tb = !!(a->n->flags & NN_NODE_TRANS_B);
    const NNTensor *c = nn_op_in(a, 2);
    int64_t m, n, k, stride[NN_NET_DIMS] = { 0 };
    float *out = a->out[0].data;
    double *acc;
    const int ret = gemm_dims(a, &m, &n, &k);

    if (ret < 0 || !a->out[0].nb)
        return ret;
    if (!(acc = av_malloc_array(n, sizeof(*acc))))
        return AVERROR(ENOMEM);
    multiply(out, acc, nn_f32(a->in[0]), ta ? 1 : k, ta ? m : 1, nn_f32(a->in[1]), tb ? 1 : n, tb ? k : 1, m, n, k);
    av_free(acc);
    if (c)
        ff_nn_broadcast_strides(c, 2, stride);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++, out++)
            *out = a->n->alpha * *out + (c ? a->n->beta * nn_f32(c)[i * stride[0] + j * stride[1]] : 0);
    return 0;
}

/* ---- softmax ----------------------------------------------------------------------------------- */

/* [outer][n][inner], of which n is summed over; until opset 12 all from the axis on was one */
static int softmax_span(const NNOpArgs *a, int64_t *outer, int64_t *n, int64_t *inner)
{
    const NNTensor *x = a->in[0];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims);

    if (axis < 0)
        return axis;
    *outer = nn_span(x, 0, axis);
    *n     = nn_span(x, axis, a->n->opset < 13 ? x->nb_dims : axis + 1);
    *inner = a->n->opset < 13 ? 1 : nn_span(x, axis + 1, x->nb_dims);
    return 0;
}

int ff_nn_infer_softmax(const NNOpArgs *a)
{
    int64_t outer, n, inner;
    const int ret = softmax_span(a, &outer, &n, &inner);

    return ret < 0 ? ret : ff_nn_op_out_like(a, 0, a->in[0]);
}

int ff_nn_eval_softmax(const NNOpArgs *a)
{
    int64_t outer, n, inner;
    const int ret = softmax_span(a, &outer, &n, &inner);

    if (ret < 0 || !a->out[0].nb)
        return ret;
    for (int64_t k = 0; k < outer; k++)
        for (int64_t i = 0; i < inner; i++) {
            const float *v = nn_f32(a->in[0]) + k * n * inner + i;
            float *o = (float *)a->out[0].data + k * n * inner + i, most = v[0];
            double sum = 0;
            for (int64_t j = 1; j < n; j++)
                most = FFMAX(most, v[j * inner]);
            for (int64_t j = 0; j < n; j++)
                sum += o[j * inner] = expf(v[j * inner] - most);
            for (int64_t j = 0; j < n; j++)
                o[j * inner] /= sum;
        }
    return 0;
}

/* ---- reductions ------------------------------------------------------------------------------------ */

static int reduced(const NNOpArgs *a, unsigned *mask)
{
    const int ret = ff_nn_op_axes(a, 1, a->in[0]->nb_dims, mask);

    if (!*mask)
        *mask = (1U << a->in[0]->nb_dims) - 1;
    return ret;
}

static int out_without(const NNOpArgs *a, unsigned mask)
{
    const NNTensor *x = a->in[0];
    int64_t dims[NN_NET_DIMS];
    int nb = 0;

    for (int k = 0; k < x->nb_dims; k++)
        if (!(mask & 1U << k))
            dims[nb++] = x->dims[k];
        else if (a->n->flags & NN_NODE_KEEPDIMS)
            dims[nb++] = 1;
    return ff_nn_op_out(a, 0, dims, nb);
}

int ff_nn_infer_reduce(const NNOpArgs *a)
{
    unsigned mask;
    const int ret = reduced(a, &mask);

    return ret ? ret : out_without(a, mask);
}

/* values of kept axes are walked by one, of the others by an inner counter */
typedef struct Walk {
    int64_t dims[NN_NET_DIMS], step[NN_NET_DIMS], index[NN_NET_DIMS], off;
    int     nb;
} Walk;

static void walk_add(Walk *w, int64_t dim, int64_t step)
{
    w->dims[w->nb]   = dim;
    w->step[w->nb++] = step;
}

static void walk_next(Walk *w)
{
    for (int k = w->nb - 1; k >= 0; k--) {
        w->off += w->step[k];
        if (++w->index[k] < w->dims[k])
            return;
        w->off -= w->step[k] * w->dims[k];
        w->index[k] = 0;
    }
}

static float reduce_f32(enum NNNetOp op, const float *v, Walk *w, int64_t nb)
{
    double sum = 0, most = op == NN_OP_REDUCE_MAX ? -INFINITY : INFINITY;

    for (int64_t i = 0; i < nb; i++, walk_next(w)) {
        const double x = v[w->off];
        sum += x;
        most = op == NN_OP_REDUCE_MAX ? FFMAX(most, x) : FFMIN(most, x);
    }
    return op == NN_OP_REDUCE_SUM ? sum : op == NN_OP_REDUCE_MEAN ? sum / nb : most;
}

static int64_t reduce_i64(enum NNNetOp op, const int64_t *v, Walk *w, int64_t nb)
{
    int64_t most = op == NN_OP_REDUCE_MAX ? INT64_MIN : INT64_MAX;
    uint64_t sum = 0;

    for (int64_t i = 0; i < nb; i++, walk_next(w)) {
        const int64_t x = v[w->off];
        sum += x;
        most = op == NN_OP_REDUCE_MAX ? FFMAX(most, x) : FFMIN(most, x);
    }
    return op == NN_OP_REDUCE_SUM ? (int64_t)sum : op == NN_OP_REDUCE_MEAN ? (int64_t)sum / FFMAX(nb, 1) : most;
}

int ff_nn_eval_reduce(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    NNTensor *out = &a->out[0];
    int64_t stride[NN_NET_DIMS], nb = 1;
    Walk outer = { .off = 0 }, inner = { .off = 0 };
    unsigned mask;
    const int ret = reduced(a, &mask);

    if (ret)
        return ret;
    nn_strides(x->dims, x->nb_dims, stride);
    for (int k = 0; k < x->nb_dims; k++) {
        walk_add(mask & 1U << k ? &inner : &outer, x->dims[k], stride[k]);
        nb *= mask & 1U << k ? x->dims[k] : 1;
    }
    for (int64_t i = 0; i < out->nb; i++, walk_next(&outer)) {
        Walk w = inner;
        w.off = 0;
        if (x->type == NN_VAL_F32)
            ((float *)out->data)[i] = reduce_f32(a->n->op, nn_f32(x) + outer.off, &w, nb);
        else
            ((int64_t *)out->data)[i] = reduce_i64(a->n->op, nn_i64(x) + outer.off, &w, nb);
    }
    return 0;
}

int ff_nn_infer_arg_max(const NNOpArgs *a)
{
    const int axis = ff_nn_op_axis(a, a->n->axis, a->in[0]->nb_dims);

    if (axis < 0)
        return axis;
    if (!a->in[0]->dims[axis])
        return ff_nn_op_broken(a, "seeks the greatest of none");
    return out_without(a, 1U << axis);
}

int ff_nn_eval_arg_max(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims);
    const int64_t inner = nn_span(x, axis + 1, x->nb_dims), n = x->dims[axis];

    for (int64_t i = 0; i < a->out[0].nb; i++) {
        const int64_t at = i / inner * n * inner + i % inner;
        int64_t best = 0;
        for (int64_t k = 1; k < n; k++)
            if (x->type == NN_VAL_F32 ? nn_f32(x)[at + k * inner] > nn_f32(x)[at + best * inner]
                                      : nn_i64(x)[at + k * inner] > nn_i64(x)[at + best * inner])
                best = k;
        ((int64_t *)a->out[0].data)[i] = best;
    }
    return 0;
}
