/*
 * Nets of any shape: the best, the overlapping, the not zero
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

#include "libavutil/error.h"
#include "libavutil/intfloat.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_op.h"

/* a value made an integer of the same order (NaN above all), and where it stood */
typedef struct Ranked {
    int64_t key, at;
} Ranked;

static int64_t float_key(float v)
{
    const int32_t i = av_float2int(v);

    if (v == 0)
        return 0;                       /* -0, too: ties are by place */
    return v != v ? INT32_MAX : i < 0 ? -(int64_t)(i & 0x7fffffff) : i;
}

static int by_rank(const void *p, const void *q)
{
    const Ranked *a = p, *b = q;

    if (a->key != b->key)
        return a->key > b->key ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static int by_place(const void *p, const void *q)
{
    const Ranked *a = p, *b = q;

    return a->at < b->at ? -1 : a->at > b->at;
}

/* ---- the best k ------------------------------------------------------------------------------- */

int ff_nn_infer_top_k(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims);
    int64_t dims[NN_NET_DIMS];
    int ret;

    if (axis < 0)
        return axis;
    if (a->in[1]->nb != 1)
        return ff_nn_op_broken(a, "has a K that is no single number");
    if (!a->in[1]->data)
        return 1;
    memcpy(dims, x->dims, sizeof(dims));
    dims[axis] = *nn_i64(a->in[1]);
    if (dims[axis] < 0 || dims[axis] > x->dims[axis])
        return ff_nn_op_broken(a, "takes the first %"PRId64" of %"PRId64, dims[axis], x->dims[axis]);
    for (int i = 0; i < a->n->nb_out; i++)
        if ((ret = ff_nn_op_out(a, i, dims, x->nb_dims)) < 0)
            return ret;
    return 0;
}

int ff_nn_eval_top_k(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int axis = ff_nn_op_axis(a, a->n->axis, x->nb_dims), sign = a->n->flags & NN_NODE_LARGEST ? 1 : -1;
    const int64_t n = x->dims[axis], k = a->out[0].dims[axis], inner = nn_span(x, axis + 1, x->nb_dims);
    const int64_t outer = nn_span(x, 0, axis);
    Ranked *r;

    if (!a->out[0].nb)
        return 0;
    if (!(r = av_malloc_array(n, sizeof(*r))))
        return AVERROR(ENOMEM);
    for (int64_t o = 0; o < outer * inner; o++) {
        const int64_t at = o / inner * n * inner + o % inner, to = o / inner * k * inner + o % inner;
        for (int64_t i = 0; i < n; i++) {
            const int64_t key = x->type == NN_VAL_F32 ? float_key(nn_f32(x)[at + i * inner]) : nn_i64(x)[at + i * inner];
            r[i] = (Ranked){ sign > 0 ? key : ~key, i };        /* ~ turns the order round and cannot overflow */
        }
        qsort(r, n, sizeof(*r), by_rank);
        if (!(a->n->flags & NN_NODE_SORTED))
            qsort(r, k, sizeof(*r), by_place);
        for (int64_t i = 0; i < k; i++) {
            if (x->type == NN_VAL_F32)
                ((float *)a->out[0].data)[to + i * inner] = nn_f32(x)[at + r[i].at * inner];
            else
                ((int64_t *)a->out[0].data)[to + i * inner] = nn_i64(x)[at + r[i].at * inner];
            if (a->n->nb_out > 1)
                ((int64_t *)a->out[1].data)[to + i * inner] = r[i].at;
        }
    }
    av_free(r);
    return 0;
}

/* ---- what overlaps --------------------------------------------------------------------------------- */

static int nms_check(const NNOpArgs *a)
{
    const NNTensor *b = a->in[0], *s = a->in[1];

    if (b->nb_dims != 3 || s->nb_dims != 3 || b->dims[2] != 4 || b->dims[0] != s->dims[0] || b->dims[1] != s->dims[2])
        return ff_nn_op_broken(a, "has boxes and scores whose sizes do not go together");
    for (int i = 2; i < a->n->nb_in; i++)
        if (a->in[i] && a->in[i]->nb != 1)
            return ff_nn_op_broken(a, "has as input %d no single number", i);
    return 0;
}

int ff_nn_infer_nms(const NNOpArgs *a)
{
    const int ret = nms_check(a);

    /* so many rows of 3 as are found: */
    a->out[0].nb_dims = 2;
    a->out[0].dims[0] = -1;
    a->out[0].dims[1] = 3;
    return ret < 0 ? ret : 1;
}

/* two opposite corners in any order, or centre and size -> y0, x0, y1, x1 */
static void box_corners(float *o, const float *b, int center)
{
    if (center) {
        o[0] = b[1] - b[3] / 2;
        o[1] = b[0] - b[2] / 2;
        o[2] = b[1] + b[3] / 2;
        o[3] = b[0] + b[2] / 2;
    } else {
        o[0] = FFMIN(b[0], b[2]);
        o[1] = FFMIN(b[1], b[3]);
        o[2] = FFMAX(b[0], b[2]);
        o[3] = FFMAX(b[1], b[3]);
    }
}

static int overlap(const float *p, const float *q, int center, float threshold)
{
    float a[4], b[4], h, w, common, all;

    box_corners(a, p, center);
    box_corners(b, q, center);
    h = FFMIN(a[2], b[2]) - FFMAX(a[0], b[0]);
    w = FFMIN(a[3], b[3]) - FFMAX(a[1], b[1]);
    if (h <= 0 || w <= 0)
        return 0;
    common = h * w;
    all    = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common;
    return all > 0 && common / all > threshold;
}

/* one class of one image; appends to out (its dims[0] counts) */
static int nms_class(const NNOpArgs *a, int64_t image, int64_t class, Ranked *r, int64_t most, float threshold)
{
    const NNTensor *boxes = a->in[0], *scores = a->in[1], *least = nn_op_in(a, 4);
    const int64_t n = boxes->dims[1];
    const float *b = nn_f32(boxes) + image * n * 4, *s = nn_f32(scores) + (image * scores->dims[1] + class) * n;
    const int center = a->n->flags & NN_NODE_CENTER;
    NNTensor *out = &a->out[0];
    int64_t nb = 0, kept = 0;

    for (int64_t i = 0; i < n; i++)
        if (!least || s[i] > *nn_f32(least))
            r[nb++] = (Ranked){ float_key(s[i]), i };
    qsort(r, nb, sizeof(*r), by_rank);
    for (int64_t i = 0; i < nb && kept < most; i++) {
        int64_t k = 0;
        int64_t *row;
        while (k < kept && !overlap(b + 4 * r[i].at, b + 4 * r[k].at, center, threshold))
            k++;
        if (k < kept)
            continue;
        row = av_realloc_array(out->data, (out->dims[0] | 255) + 1, 3 * sizeof(*row));
        if (!row)
            return AVERROR(ENOMEM);
        out->data = row;
        row += 3 * out->dims[0]++;
        row[0] = image;
        row[1] = class;
        row[2] = r[i].at;
        r[kept++] = r[i];               /* what is kept replaces what is done */
    }
    return 0;
}

int ff_nn_eval_nms(const NNOpArgs *a)
{
    const NNTensor *scores = a->in[1];
    const int64_t most = nn_op_in(a, 2) ? *nn_i64(a->in[2]) : 0;
    const float threshold = nn_op_in(a, 3) ? *nn_f32(a->in[3]) : 0;
    NNTensor *out = &a->out[0];
    Ranked *r = av_malloc_array(FFMAX(a->in[0]->dims[1], 1), sizeof(*r));
    int ret = r && (out->data = av_malloc(256 * 3 * sizeof(int64_t))) ? 0 : AVERROR(ENOMEM);

    out->dims[0] = 0;
    for (int64_t i = 0; i < scores->dims[0] && ret >= 0; i++)
        for (int64_t c = 0; c < scores->dims[1] && ret >= 0; c++)
            ret = nms_class(a, i, c, r, most, threshold);
    out->nb = 3 * out->dims[0];
    av_free(r);
    return ret;
}

/* ---- where it is not zero ------------------------------------------------------------------------------ */

int ff_nn_infer_non_zero(const NNOpArgs *a)
{
    a->out[0].nb_dims = 2;
    a->out[0].dims[0] = a->in[0]->nb_dims;
    a->out[0].dims[1] = -1;
    return 1;
}

static int not_zero(const NNTensor *x, int64_t i)
{
    return x->type == NN_VAL_F32 ? nn_f32(x)[i] != 0 : nn_i64(x)[i] != 0;
}

int ff_nn_eval_non_zero(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t nb = 0, k = 0, *o;
    int ret;

    for (int64_t i = 0; i < x->nb; i++)
        nb += not_zero(x, i);
    if ((ret = ff_nn_op_out(a, 0, (const int64_t[]){ x->nb_dims, nb }, 2)) < 0 || (ret = ff_nn_op_alloc(a, 0)) < 0)
        return ret;
    o = a->out[0].data;
    for (int64_t i = 0; i < x->nb; i++) {
        int64_t at = i;
        if (!not_zero(x, i))
            continue;
        for (int d = x->nb_dims - 1; d >= 0; d--) {
            o[d * nb + k] = at % x->dims[d];
            at /= x->dims[d];
        }
        k++;
    }
    return 0;
}
