/*
 * Engine onednn for nets of any shape: pools and sizes of pictures
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

/* ---- pools ------------------------------------------------------------------------------ */

int ff_nn_plan_pool(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *in = tensor(ctx, n->in[0]), *out = tensor(ctx, n->out[0]);
    NNPoolParams *p;
    int reps[2];

    if (n->nb_out != 1 || n->dilation[0] > 1 || n->dilation[1] > 1 || n->act != NN_NACT_NONE || !ff_nn_plan_in_blocks(ctx, n))
        return AVERROR(ENOSYS);
    if ((reps[1] = ff_nn_plan_need(ctx, n->in[0], NN_BLOCK)) < 0)
        return reps[1];
    if (!(p = av_mallocz(sizeof(*p))))
        return AVERROR(ENOMEM);
    *p = (NNPoolParams){ in->dims[2], in->dims[3], out->dims[2], out->dims[3] };
    reps[0] = ff_nn_plan_make(ctx, n->out[0], NN_BLOCK);
    return ff_nn_plan_step(ctx, ff_nn_step_pool, node, reps, 2, 1, p);
}

/* ---- sizes -------------------------------------------------------------------------------- */

/*
 * Which source pixel each pixel gets is the evaluator's to say: it resizes a picture
 * of the pixels' numbers, one channel of it.
 */
static int near_map(NNNetContext *ctx, const NNNetNode *n, int h, int w, NNTensor *map)
{
    const NNTensor *in[4] = { NULL };
    NNTensor copy[4], ramp = { NN_VAL_F32, 4, { 1, 1, h, w }, (int64_t)h * w };
    int64_t sizes[NN_NET_DIMS];
    int ret;

    for (int k = 1; k < FFMIN(n->nb_in, 4); k++) {
        if (n->in[k] < 0)
            continue;
        copy[k] = *tensor(ctx, n->in[k]);
        in[k]   = &copy[k];
        if (copy[k].type == NN_VAL_I64 && copy[k].nb == 4) {    /* sizes: of one channel */
            memcpy(sizes, copy[k].data, sizeof(*sizes) * 4);
            sizes[0] = sizes[1] = 1;
            copy[k].data = sizes;
        }
    }
    if (!(ramp.data = av_malloc_array(ramp.nb, sizeof(float))))
        return AVERROR(ENOMEM);
    for (int i = 0; i < ramp.nb; i++)
        ((float *)ramp.data)[i] = i;
    in[0] = &ramp;
    ret = ff_nn_op_eval(n, in, map, ctx->log);
    av_free(ramp.data);
    return ret;
}

/* rows and columns from a map of both; @return 0 if it is not of that kind */
static int near_split(NNNearParams *p, const NNTensor *map)
{
    const float *m = map->data;

    if (map->nb != (int64_t)p->oh * p->ow)
        return 0;
    for (int x = 0; x < p->ow; x++)
        p->x[x] = av_clip((int)m[x] % p->w, 0, p->w - 1);
    for (int y = 0; y < p->oh; y++)
        p->y[y] = av_clip((int)m[(int64_t)y * p->ow] / p->w, 0, p->h - 1);
    for (int y = 0; y < p->oh; y++)
        for (int x = 0; x < p->ow; x++)
            if (m[(int64_t)y * p->ow + x] != p->y[y] * p->w + p->x[x])
                return 0;
    return 1;
}

int ff_nn_plan_resize(NNNetContext *ctx, int node)
{
    const NNNetNode *n = &ctx->net->nodes[node];
    const NNTensor *in = tensor(ctx, n->in[0]), *out = tensor(ctx, n->out[0]);
    NNTensor map = { 0 };
    NNNearParams *p;
    int reps[2], ret, fits;

    if (n->mode != NN_RESIZE_NEAREST || n->nb_in > 4 || n->act != NN_NACT_NONE || !ff_nn_plan_in_blocks(ctx, n) ||
        in->dims[1] != out->dims[1] || in->dims[2] * in->dims[3] >= 1 << 24)
        return AVERROR(ENOSYS);
    for (int k = 1; k < n->nb_in; k++)
        if (n->in[k] >= 0 && !tensor(ctx, n->in[k])->data)
            return AVERROR(ENOSYS);
    p = av_mallocz(sizeof(*p) + (out->dims[2] + out->dims[3]) * sizeof(int));
    if (!p)
        return AVERROR(ENOMEM);
    *p = (NNNearParams){ out->dims[2], out->dims[3], in->dims[2], in->dims[3], (int *)(p + 1) };
    p->x = p->y + p->oh;
    ret  = near_map(ctx, n, p->h, p->w, &map);
    fits = ret >= 0 && near_split(p, &map);
    av_free(map.data);
    if (!fits) {
        av_free(p);
        return ret < 0 ? ret : AVERROR(ENOSYS);
    }
    if ((reps[1] = ff_nn_plan_need(ctx, n->in[0], NN_BLOCK)) < 0) {
        av_free(p);
        return reps[1];
    }
    reps[0] = ff_nn_plan_make(ctx, n->out[0], NN_BLOCK);
    return ff_nn_plan_step(ctx, ff_nn_step_nearest, node, reps, 2, 1, p);
}
