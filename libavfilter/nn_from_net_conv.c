/*
 * Nets: convolutions of nets of any shape for graphs
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

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_from_net.h"

/* ---- activations -------------------------------------------------------------------------------- */

static int is_output(const FromNet *b, const NNNetNode *n)
{
    return b->net->outputs[0] == n->out[0];
}

int ff_from_net_set_act(FromNet *b, const NNNetNode *n, NNNode *d, enum NNNetAct act, float alpha, float beta,
                        const float *slopes)
{
    d->alpha = alpha;
    switch (act) {
    case NN_NACT_NONE:  return 0;
    case NN_NACT_RELU:  d->act = NN_ACT_RELU;  return 0;
    case NN_NACT_LRELU: d->act = NN_ACT_LRELU; return 0;
    case NN_NACT_PRELU:
        d->act   = NN_ACT_PRELU;
        d->slope = av_memdup(slopes, d->c * sizeof(*slopes));
        return d->slope ? 0 : AVERROR(ENOMEM);
    case NN_NACT_CLIP:
        if (is_output(b, n) && alpha <= 0 && beta >= 1)
            return 0;
        return ff_from_net_refuse(b, n, "clips to %g .. %g other than 0 .. 1 at the end", alpha, beta);
    default:
        return ff_from_net_refuse(b, n, "has an activation that is not supported (Relu, LeakyRelu, PRelu are)");
    }
}

int ff_from_net_act(FromNet *b, const NNNetNode *n)
{
    const int in = ff_from_net_plain(b, n, 0), c = from_net_tensor(b, n->in[0])->dims[1];
    const NNTensor *t = n->op == NN_OP_PRELU ? ff_nn_net_const(b->net, n, 1) : NULL;
    float *slopes = NULL;
    int i, ret;

    if (in < 0)
        return in;
    if (n->op == NN_OP_PRELU) {
        if (!t || (t->nb != 1 && (t->nb != c || t->nb_dims < 3 || t->dims[t->nb_dims - 3] != c)))
            return ff_from_net_refuse(b, n, "has not one slope a channel");
        if (!(slopes = av_malloc_array(c, sizeof(*slopes))))
            return AVERROR(ENOMEM);
        for (i = 0; i < c; i++)
            slopes[i] = nn_f32(t)[t->nb == 1 ? 0 : i];
    }
    if ((i = ff_from_net_append(b, NN_ACT, &in, 1, c)) >= 0) {
        ret = ff_from_net_set_act(b, n, &b->g->nodes[i],
                                  n->op == NN_OP_RELU ? NN_NACT_RELU : n->op == NN_OP_PRELU ? NN_NACT_PRELU : NN_NACT_LRELU,
                      n->alpha, 0, slopes);
        i = ret < 0 ? ret : i;
    }
    av_free(slopes);
    if (i >= 0)
        from_net_set(b, n, i);
    return i;
}

/* a clip of its own: only at the end */
int ff_from_net_clip(FromNet *b, const NNNetNode *n)
{
    const int in = ff_from_net_plain(b, n, 0);

    if (in < 0)
        return in;
    if (!is_output(b, n) || n->nb_in != 1 || n->alpha > 0 || n->beta < 1)
        return ff_from_net_refuse(b, n, "clips other than to 0 .. 1 at the end");
    from_net_set(b, n, in);
    return 0;
}

/* ---- convolution ----------------------------------------------------------------------------------- */

/* weights, with input channels brought from the order [k][c] into [c][k] where block > 1 */
static float *conv_weights(const NNTensor *w, int block)
{
    float *d = av_malloc_array(w->nb, sizeof(*d));
    const int64_t in_c = w->dims[1], area = w->dims[2] * w->dims[3], k = block * block, c = in_c / FFMAX(k, 1);

    for (int64_t i = 0; i < w->nb / area && d; i++) {
        const int64_t o = i / in_c, q = i % in_c;
        const int64_t from = block > 1 ? q % k * c + q / k : q;
        memcpy(d + i * area, nn_f32(w) + (o * in_c + from) * area, area * sizeof(*d));
    }
    return d;
}

int ff_from_net_conv(FromNet *b, const NNNetNode *n)
{
    const NNTensor *w = ff_nn_net_const(b->net, n, 1), *bias = ff_nn_net_const(b->net, n, 2);
    const NNTensor *slopes = ff_nn_net_const(b->net, n, 3);
    const int k = n->kernel[0], block = b->image[n->in[0]].block;
    const int in = block > 1 ? b->image[n->in[0]].node : ff_from_net_plain(b, n, 0);
    NNNode *d;
    int i, ret;

    if (in < 0)
        return in;
    if (!w || (n->nb_in > 2 && n->in[2] >= 0 && !bias))
        return ff_from_net_refuse(b, n, "has weights that are computed");
    if (n->kernel[1] != k || !(k & 1) || k > 7 || n->stride[0] != n->stride[1] || n->stride[0] > 2 ||
        n->dilation[0] != 1 || n->dilation[1] != 1)
        return ff_from_net_refuse(b, n, "is %dx%d, stride %d: square odd kernels up to 7, stride 1 or 2 are supported",
                                  n->kernel[0], n->kernel[1], n->stride[0]);
    for (i = 0; i < 4; i++)
        if (n->pad[i] != k / 2)
            return ff_from_net_refuse(b, n, "does not keep the size of the picture");
    if (block > 1 && (n->group != 1 || b->image[n->in[0]].factor != 1))
        return ff_from_net_refuse(b, n, "has groups, or a factor, after SpaceToDepth");
    if ((i = ff_from_net_append(b, NN_CONV, &in, 1, w->dims[0])) < 0)
        return i;
    d = &b->g->nodes[i];
    d->kernel = k;
    d->stride = n->stride[0];
    d->groups = n->group;
    d->weight = conv_weights(w, block);
    d->bias   = bias ? av_memdup(bias->data, d->c * sizeof(*d->bias)) : NULL;
    if (!d->weight || (bias && !d->bias))
        return AVERROR(ENOMEM);
    if ((ret = ff_from_net_set_act(b, n, d, n->act, n->act_alpha, n->act_beta, slopes ? slopes->data : NULL)) < 0)
        return ret;
    from_net_set(b, n, i);
    return i;
}
