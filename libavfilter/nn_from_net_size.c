/*
 * Nets: changes of size of nets of any shape for graphs
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

/* width and height of a node's output over its input, the same in both sizes of the net; 0: none */
static int size_factor(const FromNet *b, const NNNetNode *n)
{
    int f = 0;

    for (int i = 0; i < 2; i++) {
        const NNNet *net = i ? b->other : b->net;
        const NNTensor *x, *y;
        if (!net)
            continue;
        x = &net->values[net->nodes[n - b->net->nodes].in[0]].t;
        y = &net->values[net->nodes[n - b->net->nodes].out[0]].t;
        for (int d = 2; d < 4; d++) {
            if (!x->dims[d] || y->dims[d] % x->dims[d] || (f && y->dims[d] / x->dims[d] != f))
                return 0;
            f = y->dims[d] / x->dims[d];
        }
        if (x->dims[0] != y->dims[0] || x->dims[1] != y->dims[1])
            return 0;
    }
    return f;
}

int ff_from_net_upsample(FromNet *b, const NNNetNode *n)
{
    const int in = ff_from_net_plain(b, n, 0), f = size_factor(b, n);
    int i;

    if (in < 0)
        return in;
    if (n->mode != NN_RESIZE_NEAREST || f < 1 || f > 4)
        return ff_from_net_refuse(b, n, "resizes other than by repeating pixels 2, 3 or 4 times (mode nearest)");
    for (int o = 0; o < 8 * f; o++)
        if (ff_nn_resize_nearest(n, o, f, 8, 8 * f) != o / f)
            return ff_from_net_refuse(b, n, "repeats pixels unevenly (coordinate_transformation_mode, nearest_mode)");
    if (f == 1) {
        from_net_set(b, n, in);
        return 0;
    }
    if ((i = ff_from_net_append(b, NN_UPSAMPLE, &in, 1, from_net_tensor(b, n->in[0])->dims[1])) < 0)
        return i;
    b->g->nodes[i].factor = f;
    from_net_set(b, n, i);
    return i;
}

static int shuffle(FromNet *b, const NNNetNode *n, enum NNOp op, int in, int c, int f)
{
    int i;

    if (f < 2 || f > 4)
        return ff_from_net_refuse(b, n, "shuffles by %d; 2, 3, 4 are supported", f);
    if ((i = ff_from_net_append(b, op, &in, 1, op == NN_SHUFFLE ? c / (f * f) : c * f * f)) < 0)
        return i;
    b->g->nodes[i].factor = f;
    from_net_set(b, n, i);
    return i;
}

/* brings nb rows of size values from the order [k][c] into [c][k] */
static int permute(float *v, int nb, size_t size, int k)
{
    float *copy = v ? av_memdup(v, nb * size * sizeof(*v)) : NULL;

    if (v && !copy)
        return AVERROR(ENOMEM);
    for (int q = 0; q < nb && v; q++)
        memcpy(v + q * size, copy + (q % k * (nb / k) + q / k) * size, size * sizeof(*v));
    av_free(copy);
    return 0;
}

int ff_from_net_depth_to_space(FromNet *b, const NNNetNode *n)
{
    const int in = ff_from_net_plain(b, n, 0), c = from_net_tensor(b, n->in[0])->dims[1];
    NNNode *d;

    if (in < 0)
        return in;
    d = &b->g->nodes[in];
    if (n->mode != 1 && c != n->block * n->block) {     /* with one channel out both orders are the same */
        if (d->op != NN_CONV || d->groups != 1 || c % (n->block * n->block) || b->uses[n->in[0]] != 1)
            return ff_from_net_refuse(b, n, "is in the order DCR and does not follow a convolution; export with "
                                      "pixel_shuffle (CRD)");
        if (permute(d->weight, c, (size_t)b->g->nodes[d->in[0]].c * d->kernel * d->kernel, n->block * n->block) < 0 ||
            permute(d->bias, c, 1, n->block * n->block) < 0 || permute(d->slope, c, 1, n->block * n->block) < 0)
            return AVERROR(ENOMEM);
    }
    return shuffle(b, n, NN_SHUFFLE, in, c, n->block);
}

int ff_from_net_space_to_depth(FromNet *b, const NNNetNode *n)
{
    const int in = ff_from_net_plain(b, n, 0);
    int ret;

    if (in < 0 || (ret = shuffle(b, n, NN_UNSHUFFLE, in, from_net_tensor(b, n->in[0])->dims[1], n->block)) < 0)
        return in < 0 ? in : ret;
    b->image[n->out[0]].block = n->block;
    return 0;
}

int ff_from_net_spelled_out(FromNet *b, const NNNetNode *n, const NNNetNode *last)
{
    static const int64_t shuffled[6] = { 0, 1, 4, 2, 5, 3 }, unshuffled[6] = { 0, 1, 3, 5, 2, 4 };
    const NNTensor *mid = from_net_tensor(b, n->in[0]), *out = from_net_tensor(b, last->out[0]);
    const int up = !memcmp(n->axes, shuffled, sizeof(shuffled));
    const NNNetNode *first = &b->net->nodes[b->net->values[n->in[0]].node];
    const NNTensor *x = from_net_tensor(b, first->in[0]);
    const int64_t f = up ? mid->dims[2] : mid->dims[3];
    const int in = ff_from_net_plain(b, first, 0);

    if (in < 0)
        return in;
    if ((!up && memcmp(n->axes, unshuffled, sizeof(unshuffled))) || x->nb_dims != 4 || out->nb_dims != 4 ||
        mid->dims[up ? 3 : 5] != f || mid->dims[0] != x->dims[0] || out->dims[0] != x->dims[0] || f < 2 || f > 4 ||
        (up ? mid->dims[1] * f * f != x->dims[1] || mid->dims[4] != x->dims[2] || mid->dims[5] != x->dims[3] ||
              out->dims[1] != mid->dims[1] || out->dims[2] != x->dims[2] * f
            : mid->dims[1] != x->dims[1] || mid->dims[2] * f != x->dims[2] || mid->dims[4] * f != x->dims[3] ||
              out->dims[1] != x->dims[1] * f * f || out->dims[2] != mid->dims[2]))
        return ff_from_net_refuse(b, n, "is no pixel shuffle");
    return shuffle(b, last, up ? NN_SHUFFLE : NN_UNSHUFFLE, in, x->dims[1], f);
}
