/*
 * Nets of any shape: resizing, pixel shuffle
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

/* ---- resize: inputs x, roi (ignored: no mode that reads it is loaded), scales, sizes ---------- */

/* output sizes and, by axis, output over input */
static int find_scales(const NNOpArgs *a, int64_t *dims, float *scale)
{
    const NNTensor *x = a->in[0], *scales = nn_op_in(a, 2), *sizes = nn_op_in(a, 3);
    const int nb = x->nb_dims, by_scale = scales && scales->nb;
    const NNTensor *by = by_scale ? scales : sizes;

    if (!by || (by_scale && sizes && sizes->nb))
        return ff_nn_op_broken(a, "has %s scales and sizes", by ? "both" : "neither");
    if (by->nb != nb)
        return ff_nn_op_broken(a, "has %"PRId64" scales or sizes for %d axes", by->nb, nb);
    if (!by->data)
        return 1;
    for (int k = 0; k < nb; k++) {
        if (by_scale) {
            const float s = scale[k] = nn_f32(by)[k];
            if (!(s > 0 && s <= 1024))
                return ff_nn_op_broken(a, "scales axis %d by %g", k, s);
            dims[k] = floor((double)x->dims[k] * s);
        } else {
            dims[k] = nn_i64(by)[k];
            if (dims[k] < 0 || (dims[k] && !x->dims[k]) || dims[k] > NN_MAX_VALUES)
                return ff_nn_op_broken(a, "resizes axis %d from %"PRId64" to %"PRId64, k, x->dims[k], dims[k]);
            scale[k] = x->dims[k] ? (float)dims[k] / x->dims[k] : 1;
        }
    }
    return 0;
}

int ff_nn_infer_resize(const NNOpArgs *a)
{
    int64_t dims[NN_NET_DIMS];
    float scale[NN_NET_DIMS];
    const int ret = find_scales(a, dims, scale);

    return ret ? ret : ff_nn_op_out(a, 0, dims, a->in[0]->nb_dims);
}

/* the inputs of one output position along an axis */
typedef struct Taps {
    int64_t at[4];
    float   w[4];
} Taps;

static float source(enum NNResizeCoord coord, int64_t o, float scale, int64_t in, int64_t out)
{
    if (coord == NN_COORD_ASYMMETRIC)
        return o / scale;
    if (coord == NN_COORD_ALIGN_CORNERS)
        return out > 1 ? (float)o * (in - 1) / (out - 1) : 0;
    if (coord == NN_COORD_PYTORCH_HALF_PIXEL && out <= 1)
        return 0;
    return (o + 0.5f) / scale - 0.5f;
}

static int64_t nearest(enum NNResizeNearest how, float x, int64_t in)
{
    const float f = floorf(x);
    int64_t i;

    switch (how) {
    case NN_NEAREST_FLOOR:             i = f;                                 break;
    case NN_NEAREST_CEIL:              i = ceilf(x);                          break;
    case NN_NEAREST_ROUND_PREFER_CEIL: i = floorf(x + 0.5f);                  break;
    default:                           i = x - f == 0.5f ? f : roundf(x);
    }
    return FFMIN(FFMAX(i, 0), in - 1);
}

int64_t ff_nn_resize_nearest(const NNNetNode *n, int64_t o, float scale, int64_t in, int64_t out)
{
    return nearest(n->nearest, source(n->coord, o, scale, in, out), in);
}

static void cubic(Taps *t, float x, int64_t in, float ca, int exclude)
{
    const int64_t i = floorf(x);
    const float f = x - i;
    float sum = 0;

    t->w[0] = ((ca * (f + 1) - 5 * ca) * (f + 1) + 8 * ca) * (f + 1) - 4 * ca;
    t->w[1] = ((ca + 2) * f - (ca + 3)) * f * f + 1;
    t->w[2] = ((ca + 2) * (1 - f) - (ca + 3)) * (1 - f) * (1 - f) + 1;
    t->w[3] = ((ca * (2 - f) - 5 * ca) * (2 - f) + 8 * ca) * (2 - f) - 4 * ca;
    for (int k = 0; k < 4; k++) {
        const int64_t at = i - 1 + k;
        if (exclude && (at < 0 || at >= in))
            t->w[k] = 0;
        t->at[k] = FFMIN(FFMAX(at, 0), in - 1);
        sum += t->w[k];
    }
    for (int k = 0; k < 4 && exclude; k++)
        t->w[k] /= sum;
}

static Taps taps_at(const NNNetNode *n, int64_t o, float scale, int64_t in, int64_t out)
{
    const float x = source(n->coord, o, scale, in, out);
    Taps t = { { 0 } };

    if (n->mode == NN_RESIZE_NEAREST) {
        t.at[0] = nearest(n->nearest, x, in);
    } else if (n->mode == NN_RESIZE_CUBIC) {
        cubic(&t, x, in, n->alpha, n->flags & NN_NODE_EXCLUSIVE);
    } else {
        const float c = fminf(fmaxf(x, 0), in - 1);
        t.at[0] = c;
        t.at[1] = FFMIN(t.at[0] + 1, in - 1);
        t.w[1]  = c - t.at[0];
        t.w[0]  = 1 - t.w[1];
    }
    return t;
}

/* one axis of [outer][in][inner] -> [outer][out][inner] */
static int resize_axis(const NNNetNode *n, float *dst, const float *src, int64_t outer, int64_t in, int64_t out,
                       int64_t inner, float scale)
{
    const int nb = n->mode == NN_RESIZE_CUBIC ? 4 : 2;
    Taps *taps = av_malloc_array(FFMAX(out, 1), sizeof(*taps));

    if (!taps)
        return AVERROR(ENOMEM);
    for (int64_t o = 0; o < out; o++)
        taps[o] = taps_at(n, o, scale, in, out);
    for (int64_t k = 0; k < outer; k++, src += in * inner)
        for (int64_t o = 0; o < out; o++, dst += inner) {
            const Taps *t = &taps[o];
            if (n->mode == NN_RESIZE_NEAREST)
                memcpy(dst, src + t->at[0] * inner, inner * sizeof(*dst));
            else
                for (int64_t i = 0; i < inner; i++) {
                    float sum = 0;
                    for (int j = 0; j < nb; j++)
                        sum += t->w[j] * src[t->at[j] * inner + i];
                    dst[i] = sum;
                }
        }
    av_free(taps);
    return 0;
}

int ff_nn_eval_resize(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    NNTensor *out = &a->out[0];
    int64_t dims[NN_NET_DIMS], size = x->nb, most = x->nb;
    float scale[NN_NET_DIMS], *from, *to;
    int ret = find_scales(a, dims, scale);

    if (ret || !out->nb)
        return ret;
    /* axis by axis, innermost first; the largest in between may exceed both ends */
    for (int k = x->nb_dims - 1; k >= 0; k--) {
        size = size / x->dims[k] * dims[k];
        most = FFMAX(most, size);
    }
    if (most > 4 * (int64_t)NN_MAX_VALUES)
        return ff_nn_op_broken(a, "needs an absurd amount of memory in between");
    from = av_malloc_array(most, sizeof(*from));
    to   = av_malloc_array(most, sizeof(*to));
    if (!from || !to)
        ret = AVERROR(ENOMEM);
    else
        memcpy(from, x->data, x->nb * sizeof(*from));
    for (int k = x->nb_dims - 1; k >= 0 && ret >= 0; k--) {
        if (dims[k] == x->dims[k] && scale[k] == 1)
            continue;
        ret = resize_axis(a->n, to, from, nn_span(x, 0, k), x->dims[k], dims[k], nn_span(out, k + 1, x->nb_dims),
                          scale[k]);
        FFSWAP(float *, from, to);
    }
    if (ret >= 0)
        memcpy(out->data, from, out->nb * sizeof(*from));
    av_free(from);
    av_free(to);
    return ret;
}

/* ---- pixel shuffle ------------------------------------------------------------------------------ */

static int check_block(const NNOpArgs *a)
{
    const int b = a->n->block;

    if (a->in[0]->nb_dims != 4)
        return ff_nn_op_broken(a, "works on %d dimensions, not 4", a->in[0]->nb_dims);
    if (b < 1 || b > 64)
        return ff_nn_op_broken(a, "has blocks of %d; 1 to 64 are possible", b);
    return 0;
}

int ff_nn_infer_depth_to_space(const NNOpArgs *a)
{
    const int64_t *d = a->in[0]->dims;
    const int b = a->n->block, ret = check_block(a);

    if (ret < 0)
        return ret;
    if (d[1] % (b * b))
        return ff_nn_op_broken(a, "has %"PRId64" channels, no multiple of %d", d[1], b * b);
    return ff_nn_op_out(a, 0, (const int64_t[]){ d[0], d[1] / (b * b), d[2] * b, d[3] * b }, 4);
}

int ff_nn_infer_space_to_depth(const NNOpArgs *a)
{
    const int64_t *d = a->in[0]->dims;
    const int b = a->n->block, ret = check_block(a);

    if (ret < 0)
        return ret;
    if (d[2] % b || d[3] % b)
        return ff_nn_op_broken(a, "has an input of %"PRId64"x%"PRId64", no multiples of %d", d[3], d[2], b);
    return ff_nn_op_out(a, 0, (const int64_t[]){ d[0], d[1] * b * b, d[2] / b, d[3] / b }, 4);
}

/* between few = [n][c][h b][w b] and many = [n][c b b][h][w]; to_many tells which is written */
static void shuffle(const NNOpArgs *a, const NNTensor *few, const NNTensor *many, int to_many, int crd)
{
    const int b = a->n->block, size = nn_value_size(few->type);
    const int64_t c = few->dims[1], h = many->dims[2], w = many->dims[3];
    uint8_t *f = few->data, *m = many->data;

    for (int64_t i = 0; i < few->dims[0] * c; i++)
        for (int64_t y = 0; y < h * b; y++)
            for (int64_t x = 0; x < w * b; x++, f += size) {
                const int64_t k = y % b * b + x % b;
                const int64_t ch = crd ? i % c * b * b + k : k * c + i % c;
                uint8_t *p = m + (((i / c * c * b * b + ch) * h + y / b) * w + x / b) * size;
                memcpy(to_many ? p : f, to_many ? f : p, size);
            }
}

int ff_nn_eval_depth_to_space(const NNOpArgs *a)
{
    shuffle(a, &a->out[0], a->in[0], 0, a->n->mode == 1);
    return 0;
}

int ff_nn_eval_space_to_depth(const NNOpArgs *a)
{
    shuffle(a, a->in[0], &a->out[0], 1, 0);
    return 0;
}
