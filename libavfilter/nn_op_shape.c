/*
 * Nets of any shape: operations that change or tell the shape
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

#include "nn_op.h"

/* ---- the same values in another shape ----------------------------------------------------- */

static int same_values(const NNOpArgs *a)
{
    memcpy(a->out[0].data, a->in[0]->data, a->out[0].nb * nn_value_size(a->out[0].type));
    return 0;
}

int ff_nn_infer_reshape(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t dims[NN_NET_DIMS], known = 1;
    const int64_t *v;
    int nb = ff_nn_op_list(a, 1, &v, NN_NET_DIMS), open = -1, ret;

    if (nb < 0)
        return nb == AVERROR(EAGAIN) ? 1 : nb;
    for (int k = 0; k < nb; k++) {
        dims[k] = v[k];
        if (!v[k] && !(a->n->flags & NN_NODE_ALLOWZERO)) {
            if (k >= x->nb_dims)
                return ff_nn_op_broken(a, "copies dimension %d of an input that has %d", k, x->nb_dims);
            dims[k] = x->dims[k];
        }
        if (dims[k] < -1 || dims[k] > NN_MAX_VALUES || (dims[k] == -1 && open >= 0))
            return ff_nn_op_broken(a, "has dimension %"PRId64, dims[k]);
        if (dims[k] == -1)
            open = k;
        else if ((known *= dims[k]) > NN_MAX_VALUES)
            return ff_nn_op_broken(a, "makes a tensor of absurd size");
    }
    if (open >= 0) {
        if (!known || x->nb % known)
            return ff_nn_op_broken(a, "puts %"PRId64" values into rows of %"PRId64, x->nb, known);
        dims[open] = x->nb / known;
    }
    if ((ret = ff_nn_op_out(a, 0, dims, nb)) < 0)
        return ret;
    return a->out[0].nb == x->nb ? 0 :
           ff_nn_op_broken(a, "makes %"PRId64" values from %"PRId64, a->out[0].nb, x->nb);
}

int ff_nn_eval_reshape(const NNOpArgs *a)
{
    return same_values(a);
}

int ff_nn_infer_flatten(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t axis = a->n->axis;

    if (axis < -x->nb_dims || axis > x->nb_dims)        /* rank itself is possible here */
        return ff_nn_op_broken(a, "flattens from axis %"PRId64" of %d", axis, x->nb_dims);
    axis += axis < 0 ? x->nb_dims : 0;
    return ff_nn_op_out(a, 0, (const int64_t[]){ nn_span(x, 0, axis), nn_span(x, axis, x->nb_dims) }, 2);
}

int ff_nn_eval_flatten(const NNOpArgs *a)
{
    return same_values(a);
}

int ff_nn_infer_squeeze(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int all = !nn_op_in(a, 1) && !a->n->nb_axes;
    int64_t dims[NN_NET_DIMS];
    unsigned mask;
    int nb = 0, ret = ff_nn_op_axes(a, 1, x->nb_dims, &mask);

    if (ret)
        return ret;
    for (int k = 0; k < x->nb_dims; k++) {
        if (mask & 1U << k && x->dims[k] != 1)
            return ff_nn_op_broken(a, "removes axis %d, which has %"PRId64" values", k, x->dims[k]);
        if (!(mask & 1U << k) && !(all && x->dims[k] == 1))
            dims[nb++] = x->dims[k];
    }
    return ff_nn_op_out(a, 0, dims, nb);
}

int ff_nn_eval_squeeze(const NNOpArgs *a)
{
    return same_values(a);
}

int ff_nn_infer_unsqueeze(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int64_t *axes;
    int64_t dims[NN_NET_DIMS];
    unsigned mask;
    int nb = a->n->nb_axes, from = 0, ret;

    if (nn_op_in(a, 1) && (nb = ff_nn_op_list(a, 1, &axes, NN_NET_DIMS)) < 0)
        return nb == AVERROR(EAGAIN) ? 1 : nb;
    if ((nb += x->nb_dims) > NN_NET_DIMS)
        return ff_nn_op_unsupported(a, "makes a tensor of %d dimensions; %d is the most", nb, NN_NET_DIMS);
    if ((ret = ff_nn_op_axes(a, 1, nb, &mask)))
        return ret;
    for (int k = 0; k < nb; k++)
        dims[k] = mask & 1U << k ? 1 : x->dims[from++];
    return ff_nn_op_out(a, 0, dims, nb);
}

int ff_nn_eval_unsqueeze(const NNOpArgs *a)
{
    return same_values(a);
}

int ff_nn_infer_identity(const NNOpArgs *a)
{
    return ff_nn_op_out_like(a, 0, a->in[0]);
}

int ff_nn_eval_identity(const NNOpArgs *a)
{
    return same_values(a);
}

/* ---- shapes as values -------------------------------------------------------------------------- */

/* node.axes: first dimension and the one after the last; without them all */
static void shape_range(const NNOpArgs *a, int64_t *from, int64_t *to)
{
    const int64_t nb = a->in[0]->nb_dims;
    int64_t v[2] = { 0, nb };

    for (int k = 0; k < 2 && a->n->nb_axes == 2; k++)
        v[k] = FFMIN(FFMAX(a->n->axes[k] < 0 ? FFMAX(a->n->axes[k], -nb) + nb : a->n->axes[k], 0), nb);
    *from = v[0];
    *to   = FFMAX(v[0], v[1]);
}

int ff_nn_infer_shape(const NNOpArgs *a)
{
    int64_t from, to;

    shape_range(a, &from, &to);
    return ff_nn_op_out(a, 0, (const int64_t[]){ to - from }, 1);
}

int ff_nn_eval_shape(const NNOpArgs *a)
{
    int64_t from, to;

    shape_range(a, &from, &to);
    memcpy(a->out[0].data, a->in[0]->dims + from, (to - from) * sizeof(int64_t));
    return 0;
}

int ff_nn_infer_size(const NNOpArgs *a)
{
    return ff_nn_op_out(a, 0, NULL, 0);
}

int ff_nn_eval_size(const NNOpArgs *a)
{
    *(int64_t *)a->out[0].data = a->in[0]->nb;
    return 0;
}

int ff_nn_infer_range(const NNOpArgs *a)
{
    double n;

    for (int i = 0; i < 3; i++)
        if (a->in[i]->nb != 1)
            return ff_nn_op_broken(a, "has as input %d no single number", i);
    if (!a->in[0]->data || !a->in[1]->data || !a->in[2]->data)
        return 1;
    if (a->in[0]->type == NN_VAL_F32)
        n = ceil(((double)*nn_f32(a->in[1]) - *nn_f32(a->in[0])) / *nn_f32(a->in[2]));
    else
        n = ceil(((double)*nn_i64(a->in[1]) - *nn_i64(a->in[0])) / *nn_i64(a->in[2]));
    if (!(n <= NN_MAX_VALUES))          /* step 0 or no number, too */
        return ff_nn_op_broken(a, "makes a range of %g values", n);
    return ff_nn_op_out(a, 0, (const int64_t[]){ n > 0 ? n : 0 }, 1);
}

int ff_nn_eval_range(const NNOpArgs *a)
{
    for (int64_t i = 0; i < a->out[0].nb; i++)
        if (a->out[0].type == NN_VAL_F32)
            ((float *)a->out[0].data)[i] = *nn_f32(a->in[0]) + i * *nn_f32(a->in[2]);
        else
            ((int64_t *)a->out[0].data)[i] = *nn_i64(a->in[0]) + (uint64_t)i * *nn_i64(a->in[2]);
    return 0;
}

/* the value is a second input, which the loader makes of the attribute */
int ff_nn_infer_constant_of_shape(const NNOpArgs *a)
{
    const int64_t *v;
    const int nb = ff_nn_op_list(a, 0, &v, NN_NET_DIMS);

    if (nb < 0)
        return nb == AVERROR(EAGAIN) ? 1 : nb;
    if (a->in[1]->nb != 1)
        return ff_nn_op_broken(a, "has a value that is no single number");
    return ff_nn_op_out(a, 0, v, nb);
}

int ff_nn_eval_constant_of_shape(const NNOpArgs *a)
{
    const NNTensor *v = a->in[1];
    const int size = nn_value_size(v->type);

    for (int64_t i = 0; i < a->out[0].nb; i++)
        memcpy((uint8_t *)a->out[0].data + i * size, v->data, size);
    return 0;
}
