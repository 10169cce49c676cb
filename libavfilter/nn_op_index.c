/*
 * Nets of any shape: operations that read and write by index
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

/* an index into dim values, negative ones from the end */
static int64_t index_of(const NNOpArgs *a, int64_t i, int64_t dim)
{
    if (i < -dim || i >= dim)
        return ff_nn_op_broken(a, "reads or writes at %"PRId64" of %"PRId64, i, dim);
    return i < 0 ? i + dim : i;
}

/* ---- gather ------------------------------------------------------------------------------ */

int ff_nn_infer_gather(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *ix = a->in[1];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims);
    int64_t dims[2 * NN_NET_DIMS];
    int nb = 0;

    if (axis < 0)
        return axis;
    for (int k = 0; k < axis; k++)
        dims[nb++] = x->dims[k];
    for (int k = 0; k < ix->nb_dims; k++)
        dims[nb++] = ix->dims[k];
    for (int k = axis + 1; k < x->nb_dims; k++)
        dims[nb++] = x->dims[k];
    return ff_nn_op_out(a, 0, dims, nb);
}

int ff_nn_eval_gather(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *ix = a->in[1];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims);
    const int64_t outer = nn_span(x, 0, axis), inner = nn_span(x, axis + 1, x->nb_dims), dim = x->dims[axis];

    for (int64_t i = 0; i < ix->nb; i++) {
        const int64_t from = index_of(a, nn_i64(ix)[i], dim);
        if (from < 0)
            return from;
        for (int64_t k = 0; k < outer; k++)
            copy_values(&a->out[0], (k * ix->nb + i) * inner, x, (k * dim + from) * inner, inner);
    }
    return 0;
}

/* sizes of an index tensor must not be beyond those of data, except along the axis */
static int elements_fit(const NNOpArgs *a, const NNTensor *x, const NNTensor *ix)
{
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims);
    int fits = ix->nb_dims == x->nb_dims;

    if (axis < 0)
        return axis;
    for (int k = 0; k < x->nb_dims && fits; k++)
        fits = k == axis || ix->dims[k] <= x->dims[k];
    return fits ? axis : ff_nn_op_broken(a, "has indices whose size does not go with that of its data");
}

/* where in x the element lies that index number i stands for; moves pos on */
static int64_t element(const NNOpArgs *a, const NNTensor *x, const NNTensor *ix, int axis, const int64_t *stride,
                       int64_t i, int64_t *pos)
{
    const int64_t at = index_of(a, nn_i64(ix)[i], x->dims[axis]);
    int64_t off = at * stride[axis];

    if (at < 0)
        return at;
    for (int k = 0; k < x->nb_dims; k++)
        if (k != axis)
            off += pos[k] * stride[k];
    for (int k = x->nb_dims - 1; k >= 0 && ++pos[k] == ix->dims[k]; k--)
        pos[k] = 0;
    return off;
}

int ff_nn_infer_gather_elements(const NNOpArgs *a)
{
    const int axis = elements_fit(a, a->in[0], a->in[1]);

    return axis < 0 ? axis : ff_nn_op_out_like(a, 0, a->in[1]);
}

int ff_nn_eval_gather_elements(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *ix = a->in[1];
    const int axis = elements_fit(a, x, ix);
    int64_t stride[NN_NET_DIMS], pos[NN_NET_DIMS] = { 0 };

    nn_strides(x->dims, x->nb_dims, stride);
    for (int64_t i = 0; i < ix->nb; i++) {
        const int64_t off = element(a, x, ix, axis, stride, i, pos);
        if (off < 0)
            return off;
        copy_values(&a->out[0], i, x, off, 1);
    }
    return 0;
}

/* ---- by tuples of indices ------------------------------------------------------------------- */

/* length of the tuples; sets the values that each stands for */
static int tuples(const NNOpArgs *a, int64_t *inner)
{
    const NNTensor *x = a->in[0], *ix = a->in[1];
    const int64_t k = ix->nb_dims ? ix->dims[ix->nb_dims - 1] : 0;

    if (!ix->nb_dims || k < 1 || k > x->nb_dims)
        return ff_nn_op_broken(a, "has indices of %"PRId64" numbers for %d dimensions", k, x->nb_dims);
    *inner = nn_span(x, k, x->nb_dims);
    return k;
}

static int64_t tuple_offset(const NNOpArgs *a, const int64_t *v, int k)
{
    const NNTensor *x = a->in[0];
    int64_t off = 0;

    for (int d = 0; d < k; d++) {
        const int64_t i = index_of(a, v[d], x->dims[d]);
        if (i < 0)
            return i;
        off = off * x->dims[d] + i;
    }
    return off;
}

int ff_nn_infer_gather_nd(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *ix = a->in[1];
    int64_t dims[2 * NN_NET_DIMS], inner;
    const int k = tuples(a, &inner);
    int nb = 0;

    if (k < 0)
        return k;
    for (int d = 0; d < ix->nb_dims - 1; d++)
        dims[nb++] = ix->dims[d];
    for (int d = k; d < x->nb_dims; d++)
        dims[nb++] = x->dims[d];
    return ff_nn_op_out(a, 0, dims, nb);
}

int ff_nn_eval_gather_nd(const NNOpArgs *a)
{
    int64_t inner;
    const int k = tuples(a, &inner);

    for (int64_t i = 0; i < a->in[1]->nb / k; i++) {
        const int64_t off = tuple_offset(a, nn_i64(a->in[1]) + i * k, k);
        if (off < 0)
            return off;
        copy_values(&a->out[0], i * inner, a->in[0], off * inner, inner);
    }
    return 0;
}

int ff_nn_infer_scatter_nd(const NNOpArgs *a)
{
    int64_t inner;
    const int k = tuples(a, &inner);

    if (k < 0)
        return k;
    if (a->in[2]->nb != a->in[1]->nb / k * inner)
        return ff_nn_op_broken(a, "has %"PRId64" values for %"PRId64" places", a->in[2]->nb, a->in[1]->nb / k * inner);
    return ff_nn_op_out_like(a, 0, a->in[0]);
}

int ff_nn_eval_scatter_nd(const NNOpArgs *a)
{
    int64_t inner;
    const int k = tuples(a, &inner);

    copy_values(&a->out[0], 0, a->in[0], 0, a->in[0]->nb);
    for (int64_t i = 0; i < a->in[1]->nb / k; i++) {
        const int64_t off = tuple_offset(a, nn_i64(a->in[1]) + i * k, k);
        if (off < 0)
            return off;
        copy_values(&a->out[0], off * inner, a->in[2], i * inner, inner);
    }
    return 0;
}

int ff_nn_infer_scatter_elements(const NNOpArgs *a)
{
    const int axis = elements_fit(a, a->in[0], a->in[1]);

    if (axis < 0)
        return axis;
    if (a->in[2]->nb_dims != a->in[1]->nb_dims ||
        memcmp(a->in[2]->dims, a->in[1]->dims, a->in[1]->nb_dims * sizeof(*a->in[1]->dims)))
        return ff_nn_op_broken(a, "has not one value for each index");
    return ff_nn_op_out_like(a, 0, a->in[0]);
}

int ff_nn_eval_scatter_elements(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *ix = a->in[1];
    const int axis = elements_fit(a, x, ix);
    int64_t stride[NN_NET_DIMS], pos[NN_NET_DIMS] = { 0 };

    copy_values(&a->out[0], 0, x, 0, x->nb);
    nn_strides(x->dims, x->nb_dims, stride);
    for (int64_t i = 0; i < ix->nb; i++) {
        const int64_t off = element(a, x, ix, axis, stride, i, pos);
        if (off < 0)
            return off;
        copy_values(&a->out[0], off, a->in[2], i, 1);
    }
    return 0;
}
