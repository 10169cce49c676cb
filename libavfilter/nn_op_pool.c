/*
 * Nets of any shape: pooling
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

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_op.h"

int ff_nn_infer_pool(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    NNWindow w;
    const int ret = ff_nn_window(a, &w, a->n->kernel);

    return ret < 0 ? ret : ff_nn_op_out(a, 0, (const int64_t[]){ x->dims[0], x->dims[1], w.out[0], w.out[1] }, 4);
}

/* the positions of a window along one side that lie inside; all: with the padding, too */
typedef struct Span {
    int64_t from, to, all;      ///< from and to count kernel elements
} Span;

static Span span(const NNWindow *w, int d, int64_t in, int64_t out)
{
    const int64_t first = out * w->stride[d] - w->pad[d], dil = w->dilation[d];
    Span s;

    s.from = first < 0 ? FFMIN((-first + dil - 1) / dil, w->kernel[d]) : 0;
    s.to   = FFMIN(first >= in ? 0 : (in - first + dil - 1) / dil, w->kernel[d]);
    s.all  = FFMIN((in + w->pad[d + 2] - first + dil - 1) / dil, w->kernel[d]);
    return s;
}

static void max_row(float *o, const NNWindow *w, const float *in, int64_t in_w, int64_t y, Span sy, const Span *sx)
{
    for (int64_t x = 0; x < w->out[1]; x++) {
        float best = -INFINITY;
        for (int64_t ky = sy.from; ky < sy.to; ky++) {
            const float *row = in + (y * w->stride[0] - w->pad[0] + ky * w->dilation[0]) * in_w +
                               x * w->stride[1] - w->pad[1];
            for (int64_t kx = sx[x].from; kx < sx[x].to; kx++)
                best = FFMAX(best, row[kx * w->dilation[1]]);
        }
        o[x] = best;
    }
}

static void avg_row(float *o, const NNWindow *w, const float *in, int64_t in_w, int64_t y, Span sy, const Span *sx,
                    int count_pad)
{
    for (int64_t x = 0; x < w->out[1]; x++) {
        double sum = 0;
        for (int64_t ky = sy.from; ky < sy.to; ky++) {
            const float *row = in + (y * w->stride[0] - w->pad[0] + ky * w->dilation[0]) * in_w +
                               x * w->stride[1] - w->pad[1];
            for (int64_t kx = sx[x].from; kx < sx[x].to; kx++)
                sum += row[kx * w->dilation[1]];
        }
        o[x] = sum / (count_pad ? sy.all * sx[x].all : FFMAX((sy.to - sy.from) * (sx[x].to - sx[x].from), 1));
    }
}

int ff_nn_eval_pool(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int64_t plane = x->dims[2] * x->dims[3];
    float *o = a->out[0].data;
    NNWindow w;
    Span *sx;
    const int ret = ff_nn_window(a, &w, a->n->kernel);

    if (ret < 0 || !a->out[0].nb)
        return ret;
    sx = av_malloc_array(w.out[1], sizeof(*sx));
    if (!sx)
        return AVERROR(ENOMEM);
    for (int64_t i = 0; i < w.out[1]; i++)
        sx[i] = span(&w, 1, x->dims[3], i);
    for (int64_t c = 0; c < x->dims[0] * x->dims[1]; c++)
        for (int64_t y = 0; y < w.out[0]; y++, o += w.out[1]) {
            const Span sy = span(&w, 0, x->dims[2], y);
            if (a->n->op == NN_OP_MAX_POOL)
                max_row(o, &w, nn_f32(x) + c * plane, x->dims[3], y, sy, sx);
            else
                avg_row(o, &w, nn_f32(x) + c * plane, x->dims[3], y, sy, sx, a->n->count_pad);
        }
    av_free(sx);
    return 0;
}

int ff_nn_infer_global_pool(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    int64_t dims[NN_NET_DIMS] = { 0 };

    if (x->nb_dims < 3)
        return ff_nn_op_broken(a, "averages a tensor of %d dimensions", x->nb_dims);
    for (int i = 0; i < x->nb_dims; i++)
        dims[i] = i < 2 ? x->dims[i] : 1;
    return ff_nn_op_out(a, 0, dims, x->nb_dims);
}

int ff_nn_eval_global_pool(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0];
    const int64_t plane = nn_span(x, 2, x->nb_dims);

    for (int64_t c = 0; c < a->out[0].nb; c++) {
        double sum = 0;
        for (int64_t i = 0; i < plane; i++)
            sum += nn_f32(x)[c * plane + i];
        ((float *)a->out[0].data)[c] = sum / plane;
    }
    return 0;
}
