/*
 * Nets of any shape: sizes, constants folded
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
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_edit.h"
#include "nn_op.h"

/* what is computed here at most, so that a small file cannot ask for much: anchors of
 * yolov8 at 1280 are 67,200 values */
#define MAX_FOLD  (1 << 22)     ///< values of a node
#define MAX_FOLDS (1 << 24)     ///< of all nodes

typedef struct Shaper {
    NNNet *net;
    int   *alias;               ///< by value: the value that it is only another name of
    const NNTensor **in;
    NNTensor *out;
    int64_t folded;
    void  *log;
} Shaper;

/* ---- input --------------------------------------------------------------------------------- */

static int set_input(NNNet *net, int n, int c, int h, int w, void *log)
{
    const int64_t want[4] = { n, c, h, w };
    NNTensor *t = &net->values[net->input].t;
    int64_t has[4];

    ff_nn_net_input(net, has);
    if (has[0] > 0 && has[0] != n)
        return AVERROR(EINVAL);
    if ((has[1] > 0 && has[1] != c) || (has[2] > 0 && has[2] != h) || (has[3] > 0 && has[3] != w)) {
        av_log(log, AV_LOG_ERROR, "%s: made for pictures of %"PRId64" channels, %"PRId64"x%"PRId64" (-1: any), "
               "not for %d channels, %dx%d\n", net->file ? net->file : "net", has[1], has[3], has[2], c, w, h);
        return AVERROR(EINVAL);
    }
    if (n < 1 || c < 1 || h < 1 || w < 1 || (int64_t)n * c > NN_MAX_VALUES / h / w) {
        av_log(log, AV_LOG_ERROR, "%s: a picture of %d x %d x %d x %d is not possible\n",
               net->file ? net->file : "net", n, c, h, w);
        return AVERROR(EINVAL);
    }
    t->type    = NN_VAL_F32;
    t->nb_dims = 4;
    t->nb      = (int64_t)n * c * h * w;
    memcpy(t->dims, want, sizeof(want));
    return 0;
}

/* ---- a node's attributes, once sizes are known ------------------------------------------------ */

static int uses_axis(enum NNNetOp op)
{
    return op == NN_OP_CONCAT || op == NN_OP_SPLIT || op == NN_OP_GATHER || op == NN_OP_GATHER_ELEMENTS ||
           op == NN_OP_SCATTER_ELEMENTS || op == NN_OP_SOFTMAX || op == NN_OP_ARG_MAX || op == NN_OP_TOP_K ||
           op == NN_OP_FLATTEN;
}

static int uses_axes(enum NNNetOp op)
{
    return (op >= NN_OP_REDUCE_MAX && op <= NN_OP_REDUCE_MEAN) || op == NN_OP_SQUEEZE || op == NN_OP_UNSQUEEZE;
}

/* axes in ascending order in the node alone; rank: of what they count in */
static int settle_axes(Shaper *s, NNNetNode *n, int rank)
{
    const NNOpArgs a = { .n = n, .in = s->in, .out = s->out, .log = s->log };
    unsigned mask;
    int nb = 0, ret = ff_nn_op_axes(&a, 1, rank, &mask);

    if (ret)
        return FFMIN(ret, 0);
    if (!mask && n->op != NN_OP_UNSQUEEZE)
        for (int k = 0; k < rank; k++)
            if (n->op != NN_OP_SQUEEZE || s->in[0]->dims[k] == 1)
                mask |= 1U << k;
    for (int k = 0; k < rank; k++)
        if (mask & 1U << k)
            n->axes[nb++] = k;
    n->nb_axes = nb;
    n->nb_in   = 1;
    return 0;
}

/* bounds that are constants become numbers */
static void settle_clip(const NNNet *net, NNNetNode *n)
{
    const NNTensor *lo = ff_nn_net_const(net, n, 1), *hi = ff_nn_net_const(net, n, 2);

    if ((n->nb_in > 1 && n->in[1] >= 0 && !lo) || (n->nb_in > 2 && n->in[2] >= 0 && !hi))
        return;
    n->alpha = lo ? *nn_f32(lo) : n->alpha;
    n->beta  = hi ? *nn_f32(hi) : n->beta;
    n->nb_in = 1;
}

static int settle_window(Shaper *s, NNNetNode *n)
{
    const NNOpArgs a = { .n = n, .in = s->in, .out = s->out, .log = s->log };
    NNWindow w;
    int ret;

    if (n->op == NN_OP_CONV || n->op == NN_OP_CONV_TRANSPOSE)
        for (int d = 0; d < 2; d++)
            n->kernel[d] = s->in[1]->dims[2 + d];
    if ((ret = ff_nn_window(&a, &w, n->kernel)) < 0)
        return ret;
    memcpy(n->pad, w.pad, sizeof(n->pad));
    n->flags &= ~(NN_NODE_SAME_UP | NN_NODE_SAME_LOW);
    return 0;
}

static int settle(Shaper *s, NNNetNode *n)
{
    const NNTensor *x = n->nb_in ? s->in[0] : NULL;

    if (!x || x->nb < 0)
        return 0;
    if (uses_axis(n->op) && n->axis < 0)
        n->axis += x->nb_dims;
    if (uses_axes(n->op))
        return settle_axes(s, n, n->op == NN_OP_UNSQUEEZE ? s->out[0].nb_dims : x->nb_dims);
    if (n->op == NN_OP_CLIP && x->type == NN_VAL_F32)
        settle_clip(s->net, n);
    if (n->op == NN_OP_CONV || n->op == NN_OP_CONV_TRANSPOSE || n->op == NN_OP_MAX_POOL || n->op == NN_OP_AVG_POOL)
        return settle_window(s, n);
    return 0;
}

/* ---- folding -------------------------------------------------------------------------------------- */

/* what is only another name of its input */
static int is_alias(const NNNetNode *n, const NNTensor *x)
{
    if (n->op == NN_OP_IDENTITY)
        return 1;
    if (n->op != NN_OP_CAST)
        return 0;
    return x->type == NN_VAL_F32 ? n->to == 1 || n->to == 10 || n->to == 11 || n->to == 16 : n->to == 7;
}

/* nodes that may take long: never computed here */
static int is_heavy(enum NNNetOp op)
{
    return op <= NN_OP_GLOBAL_AVG_POOL || op == NN_OP_MATMUL || op == NN_OP_GEMM || op == NN_OP_RESIZE ||
           op == NN_OP_NON_MAX_SUPPRESSION || op == NN_OP_TOP_K;
}

static int can_fold(Shaper *s, const NNNetNode *n, int unsized)
{
    int64_t nb = 0;

    if (is_heavy(n->op) || (unsized && n->op != NN_OP_NON_ZERO))
        return 0;
    for (int k = 0; k < n->nb_in; k++)
        if (s->in[k] && !s->in[k]->data && ((n->op != NN_OP_SHAPE && n->op != NN_OP_SIZE) || s->in[k]->nb < 0))
            return 0;
    for (int k = 0; k < n->nb_in; k++)          /* a reduction reads more than it makes */
        nb += s->in[k] && s->in[k]->data ? s->in[k]->nb : 0;
    for (int k = 0; k < n->nb_out; k++)
        nb += FFMAX(s->out[k].nb, 0);
    if (nb > MAX_FOLD || s->folded + nb > MAX_FOLDS)
        return 0;
    s->folded += nb;
    return 1;
}

static int shape_node(Shaper *s, int i)
{
    NNNet *net = s->net;
    NNNetNode *n = &net->nodes[i];
    int ret, folds;

    for (int k = 0; k < n->nb_in; k++) {
        if (n->in[k] >= 0)
            n->in[k] = s->alias[n->in[k]];
        s->in[k] = n->in[k] >= 0 ? &net->values[n->in[k]].t : NULL;
    }
    if ((ret = ff_nn_op_infer(n, s->in, s->out, s->log)) < 0)
        return ret;
    if (is_alias(n, s->in[0])) {
        s->alias[n->out[0]] = n->in[0];
        return 0;
    }
    folds = can_fold(s, n, ret);
    if (folds && (ret = ff_nn_op_eval(n, s->in, s->out, s->log)) < 0)
        return ret;
    n->dynamic = ret > 0 && !folds;
    for (int k = 0; k < n->nb_out; k++) {
        net->values[n->out[k]].t = s->out[k];
        if (folds)
            net->values[n->out[k]].node = -1;
    }
    return folds ? 0 : settle(s, n);
}

/* ---- sums ---------------------------------------------------------------------------------------------- */

static double node_macs(const NNNet *net, const NNNetNode *n)
{
    const NNTensor *out = &net->values[n->out[0]].t, *x = n->nb_in ? &net->values[n->in[0]].t : NULL;

    if (n->dynamic || n->nb_in < 2 || n->in[1] < 0)
        return 0;
    switch (n->op) {
    case NN_OP_CONV:
        return (double)out->nb * n->kernel[0] * n->kernel[1] * (x->dims[1] / n->group);
    case NN_OP_CONV_TRANSPOSE:
        return (double)x->nb * n->kernel[0] * n->kernel[1] * net->values[n->in[1]].t.dims[1];
    case NN_OP_MATMUL:
        return (double)out->nb * x->dims[x->nb_dims - 1];
    case NN_OP_GEMM:
        return (double)out->nb * x->dims[n->flags & NN_NODE_TRANS_A ? 0 : 1];
    default:
        return 0;
    }
}

static void sum_up(NNNet *net, int images)
{
    double macs = 0;

    net->nb_weights = 0;
    for (int i = 0; i < net->nb_values; i++)
        if (net->values[i].t.data && net->values[i].t.type == NN_VAL_F32)
            net->nb_weights += net->values[i].t.nb;
    for (int i = 0; i < net->nb_nodes; i++)
        macs += node_macs(net, &net->nodes[i]);
    net->macs = FFMIN(macs / images, 0x1p62);
}

/* a net that has its batch size written into a Reshape would mix up images */
static int keeps_batch(const NNNet *net, int n)
{
    for (int i = 0; i < net->nb_outputs && n > 1; i++) {
        const NNTensor *t = &net->values[net->outputs[i]].t;
        if (t->nb >= 0 && (!t->nb_dims || t->dims[0] != n))
            return 0;
    }
    return 1;
}

static int shape_all(Shaper *s)
{
    NNNet *net = s->net;
    int in = 1, out = 1;

    for (int i = 0; i < net->nb_nodes; i++) {
        in  = FFMAX(in,  net->nodes[i].nb_in);
        out = FFMAX(out, net->nodes[i].nb_out);
    }
    s->in    = av_malloc_array(in, sizeof(*s->in));
    s->out   = av_malloc_array(out, sizeof(*s->out));
    s->alias = av_malloc_array(FFMAX(net->nb_values, 1), sizeof(*s->alias));
    if (!s->in || !s->out || !s->alias)
        return AVERROR(ENOMEM);
    for (int i = 0; i < net->nb_values; i++)
        s->alias[i] = i;
    for (int i = 0; i < net->nb_nodes; i++) {
        const int ret = shape_node(s, i);
        if (ret < 0)
            return ret;
    }
    for (int i = 0; i < net->nb_outputs; i++)
        net->outputs[i] = s->alias[net->outputs[i]];
    return 0;
}

int ff_nn_net_shape(NNNet **dst, const NNNet *src, int n, int c, int h, int w, void *log)
{
    Shaper s = { .log = log };
    int ret;

    *dst = NULL;
    if ((ret = ff_nn_net_copy(&s.net, src)) < 0 ||
        (ret = set_input(s.net, n, c, h, w, log)) < 0 ||
        (ret = shape_all(&s)) < 0 ||
        (ret = ff_nn_net_sweep(s.net)) < 0 ||
        (ret = ff_nn_net_fuse(s.net, log)) < 0)
        goto end;
    if (!keeps_batch(s.net, n)) {
        ret = AVERROR(EINVAL);
        goto end;
    }
    sum_up(s.net, n);
    s.net->shaped = 1;
    FFSWAP(NNNet *, *dst, s.net);
end:
    ff_nn_net_free(&s.net);
    av_free(s.in);
    av_free(s.out);
    av_free(s.alias);
    return FFMIN(ret, 0);
}
