/*
 * Nets of any shape: several operations made one
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
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_edit.h"
#include "nn_op.h"

/*
 * A node is merged into the one before it where nothing else reads what lies between.
 * The earlier one takes over the output; the later is left without and is swept.
 */

/* the node whose output is input i of n and is read by n alone, or NULL */
static NNNetNode *before(const NNNet *net, const NNNetNode *n, int i, const int *uses)
{
    const int v = i < n->nb_in ? n->in[i] : -1;

    return v >= 0 && net->values[v].node >= 0 && uses[v] == 1 ? &net->nodes[net->values[v].node] : NULL;
}

/* first takes over the output of n, n that of first, which nobody reads any more */
static void take_over(NNNet *net, NNNetNode *first, NNNetNode *n)
{
    FFSWAP(int, first->out[0], n->out[0]);
    net->values[first->out[0]].node = first - net->nodes;
    net->values[n->out[0]].node     = n - net->nodes;
    n->nb_in = 0;
}

/* ---- batch norm -------------------------------------------------------------------------------- */

/* w' = w s, b' = (b - mean) s + shift with s = scale / sqrt(var + epsilon); @return 1 if all is finite */
static int fold_norm(float *w, float *b, const NNTensor *weight, const NNTensor *bias, const NNTensor *const *norm,
                     float epsilon)
{
    const int64_t c = weight->dims[0], n = weight->nb / FFMAX(c, 1);

    for (int64_t o = 0; o < c; o++) {
        const double s = nn_f32(norm[0])[o] / sqrt((double)nn_f32(norm[3])[o] + epsilon);
        b[o] = ((bias ? nn_f32(bias)[o] : 0) - (double)nn_f32(norm[2])[o]) * s + nn_f32(norm[1])[o];
        if (!isfinite(s) || !isfinite(b[o]))
            return 0;
        for (int64_t i = 0; i < n; i++)
            w[o * n + i] = nn_f32(weight)[o * n + i] * s;
    }
    return 1;
}

static int fuse_norm(NNNet *net, NNNetNode *n, const int *uses)
{
    NNNetNode *conv = before(net, n, 0, uses);
    const NNTensor *norm[4], *weight, *bias;
    int64_t dims[4];
    float *w, *b;
    int wi, bi;

    if (!conv || conv->op != NN_OP_CONV || conv->act)
        return 0;
    weight = ff_nn_net_const(net, conv, 1);
    bias   = ff_nn_net_const(net, conv, 2);
    for (int i = 0; i < 4; i++)
        if (!(norm[i] = ff_nn_net_const(net, n, i + 1)) || !weight || norm[i]->nb != weight->dims[0])
            return 0;
    if (conv->nb_in > 2 && conv->in[2] >= 0 && !bias)
        return 0;
    w = av_malloc_array(FFMAX(weight->nb, 1), sizeof(*w));
    b = av_malloc_array(FFMAX(weight->dims[0], 1), sizeof(*b));
    if (!w || !b || !fold_norm(w, b, weight, bias, norm, n->alpha)) {
        const int ret = w && b ? 0 : AVERROR(ENOMEM);
        av_free(w);
        av_free(b);
        return ret;
    }
    memcpy(dims, weight->dims, sizeof(dims));
    /* new values, since others may share the old weights */
    if ((wi = ff_nn_net_add_const(net, net->values[conv->in[1]].name, NN_VAL_F32, dims, 4, w)) < 0) {
        av_free(b);
        return wi;
    }
    if ((bi = ff_nn_net_add_const(net, net->values[n->in[2]].name, NN_VAL_F32, dims, 1, b)) < 0)
        return bi;
    if (ff_nn_node_grow(conv, 3) < 0)
        return AVERROR(ENOMEM);
    conv->in[1] = wi;
    conv->in[2] = bi;
    take_over(net, conv, n);
    return 0;
}

/* ---- x * sigmoid(x) ------------------------------------------------------------------------------ */

static void fuse_gate(NNNet *net, NNNetNode *n, const int *uses)
{
    for (int i = 0; i < 2; i++) {
        const NNNetNode *gate = before(net, n, i, uses);
        if (!gate || gate->act || gate->nb_in < 1 || gate->in[0] != n->in[!i])
            continue;
        if (gate->op == NN_OP_SIGMOID)
            n->op = NN_OP_SILU;
        else if (gate->op == NN_OP_HARD_SIGMOID && fabsf(gate->alpha - 1 / 6.f) < 1e-6f && gate->beta == 0.5f)
            n->op = NN_OP_HARD_SWISH;
        else
            continue;
        n->in[0] = gate->in[0];
        n->nb_in = 1;
        return;
    }
}

/* ---- activations ----------------------------------------------------------------------------------- */

static enum NNNetAct act_of(const NNNetNode *n)
{
    switch (n->op) {
    case NN_OP_RELU:       return NN_NACT_RELU;
    case NN_OP_LEAKY_RELU: return NN_NACT_LRELU;
    case NN_OP_SILU:       return NN_NACT_SILU;
    case NN_OP_SIGMOID:    return NN_NACT_SIGMOID;
    case NN_OP_HARD_SWISH: return NN_NACT_HARD_SWISH;
    case NN_OP_PRELU:      return NN_NACT_PRELU;
    case NN_OP_CLIP:       return n->nb_in == 1 ? NN_NACT_CLIP : NN_NACT_NONE;
    default:               return NN_NACT_NONE;
    }
}

/* slopes as [c], one a channel; @return its value, -1: they are not of that kind, or AVERROR(ENOMEM) */
static int channel_slopes(NNNet *net, const NNNetNode *n, int64_t c)
{
    const NNTensor *t = ff_nn_net_const(net, n, 1);
    float *s;

    /* against N x C x H x W: [C,1,1] or [1,C,1,1]; or one for all */
    if (!t || (t->nb != 1 && (t->nb != c || t->nb_dims < 3 || t->dims[t->nb_dims - 3] != c)))
        return -1;
    s = av_malloc_array(FFMAX(c, 1), sizeof(*s));
    for (int64_t i = 0; i < c && s; i++)
        s[i] = nn_f32(t)[t->nb == 1 ? 0 : i];
    return ff_nn_net_add_const(net, net->values[n->in[1]].name, NN_VAL_F32, &c, 1, s);
}

static int fuse_act(NNNet *net, NNNetNode *n, const int *uses)
{
    NNNetNode *b = before(net, n, 0, uses);
    const enum NNNetAct act = act_of(n);
    const NNTensor *out = b ? &net->values[b->out[0]].t : NULL;
    int s;

    if (!act || !b || b->act || b->dynamic || (b->op != NN_OP_CONV && b->op != NN_OP_ADD) || out->type != NN_VAL_F32)
        return 0;
    if (act == NN_NACT_PRELU) {
        if (b->op != NN_OP_CONV || (s = channel_slopes(net, n, out->dims[1])) == -1)
            return 0;
        if (s < 0 || ff_nn_node_grow(b, 4) < 0)
            return AVERROR(ENOMEM);
        b->in[3] = s;
    }
    b->act       = act;
    b->act_alpha = n->alpha;
    b->act_beta  = n->beta;
    take_over(net, b, n);
    return 0;
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static int pass(NNNet *net, int which)
{
    int *uses = av_calloc(FFMAX(net->nb_values, 1), sizeof(*uses)), ret = 0;

    if (!uses)
        return AVERROR(ENOMEM);
    ff_nn_net_uses(net, uses);          /* of the values so far: new ones have one reader and are not asked about */
    for (int i = 0; i < net->nb_nodes && ret >= 0; i++) {
        NNNetNode *n = &net->nodes[i];
        if (n->dynamic || n->nb_in < 1)
            continue;
        if (which == 0 && n->op == NN_OP_BATCH_NORM)
            ret = fuse_norm(net, n, uses);
        if (which == 1 && n->op == NN_OP_MUL)
            fuse_gate(net, n, uses);
        if (which == 2)
            ret = fuse_act(net, n, uses);
    }
    av_free(uses);
    return ret < 0 ? ret : ff_nn_net_sweep(net);
}

int ff_nn_net_fuse(NNNet *net, void *log)
{
    int ret = 0;

    for (int i = 0; i < 3 && ret >= 0; i++)
        ret = pass(net, i);
    return ret;
}
