/*
 * Nets: a picture-to-picture net of any shape as a graph for tiles
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
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_from_net.h"

int ff_from_net_refuse(const FromNet *b, const NNNetNode *n, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    av_log(b->log, AV_LOG_ERROR, "%s: node '%s' (%s) %s; it is no net that this filter can run on tiles\n",
           b->file, n->name, ff_nn_op_name(n->op), text);
    return AVERROR_PATCHWELCOME;
}

/* ---- graph nodes ----------------------------------------------------------------------------- */

int ff_from_net_append(FromNet *b, enum NNOp op, const int *in, int nb_in, int c)
{
    const int i = ff_nn_graph_append(b->g, op);
    NNNode *n;

    if (i < 0)
        return i;
    n = &b->g->nodes[i];
    if (nb_in)
        memcpy(n->in, in, nb_in * sizeof(*in));
    n->nb_in = nb_in;
    n->c     = c;
    return i;
}

int ff_from_net_plain(FromNet *b, const NNNetNode *n, int k)
{
    const int v = n->in[k];
    const FromNetImage *im = &b->image[v];
    int i;

    if (im->node < 0)
        return ff_from_net_refuse(b, n, "reads what is no picture (input %d)", k);
    if (im->block > 1)
        return ff_from_net_refuse(b, n, "reads what SpaceToDepth made; only a convolution can");
    if (im->factor == 1)
        return im->node;
    i = ff_from_net_append(b, NN_ADD, (const int[]){ im->node, im->node }, 2, from_net_tensor(b, v)->dims[1]);
    if (i >= 0)
        b->g->nodes[i].scale[0] = im->factor;
    return i;
}

/* ---- sums, products --------------------------------------------------------------------------------- */

static int same_dims(const NNTensor *x, const NNTensor *y)
{
    return x->nb_dims == y->nb_dims && !memcmp(x->dims, y->dims, x->nb_dims * sizeof(*x->dims));
}

static int sum(FromNet *b, const NNNetNode *n)
{
    const FromNetImage *x = &b->image[n->in[0]], *y = &b->image[n->in[1]];
    int i, act, ret;

    if (x->node < 0 || y->node < 0 || x->block > 1 || y->block > 1 ||
        !same_dims(from_net_tensor(b, n->in[0]), from_net_tensor(b, n->in[1])))
        return ff_from_net_refuse(b, n, "is not the sum of two pictures of one size");
    i = ff_from_net_append(b, NN_ADD, (const int[]){ x->node, y->node }, 2, from_net_tensor(b, n->out[0])->dims[1]);
    if (i < 0)
        return i;
    b->g->nodes[i].scale[0] = x->factor;
    b->g->nodes[i].scale[1] = n->op == NN_OP_SUB ? -y->factor : y->factor;
    if (n->act && n->act != NN_NACT_CLIP) {
        if ((act = ff_from_net_append(b, NN_ACT, &i, 1, b->g->nodes[i].c)) < 0)
            return act;
        i = act;
    }
    if ((ret = ff_from_net_set_act(b, n, &b->g->nodes[i], n->act, n->act_alpha, n->act_beta, NULL)) < 0)
        return ret;
    from_net_set(b, n, i);
    return i;
}

/* a product with, or quotient by, one number: kept for whoever reads it */
static int product(FromNet *b, const NNNetNode *n)
{
    const int k = n->op == NN_OP_MUL && !ff_nn_net_const(b->net, n, 1);
    const NNTensor *t = ff_nn_net_const(b->net, n, !k);
    const FromNetImage *x = &b->image[n->in[k]];
    float f;

    if (!t || t->nb != 1 || x->node < 0 || !same_dims(from_net_tensor(b, n->in[k]), from_net_tensor(b, n->out[0])))
        return ff_from_net_refuse(b, n, "is not the product of a picture and one number");
    f = n->op == NN_OP_MUL ? *nn_f32(t) : 1 / *nn_f32(t);
    b->image[n->out[0]] = *x;
    b->image[n->out[0]].factor *= f;
    return 0;
}

static int concat(FromNet *b, const NNNetNode *n)
{
    int in[NN_MAX_IN] = { 0 }, nb = 0, c = 0;

    if (n->axis != 1)
        return ff_from_net_refuse(b, n, "joins along another axis than the channels");
    for (int k = 0; k < n->nb_in; k++) {
        if (nb == NN_MAX_IN) {          /* what is joined so far becomes the first of the next */
            if ((in[0] = ff_from_net_append(b, NN_CONCAT, in, nb, c)) < 0)
                return in[0];
            nb = 1;
        }
        if ((in[nb] = ff_from_net_plain(b, n, k)) < 0)
            return in[nb];
        nb++;
        c += from_net_tensor(b, n->in[k])->dims[1];
    }
    if (nb > 1 && (in[0] = ff_from_net_append(b, NN_CONCAT, in, nb, c)) < 0)
        return in[0];
    b->g->default_halo = NN_DENSE_HALO;
    from_net_set(b, n, in[0]);
    return 0;
}

/* ---- all ------------------------------------------------------------------------------------------------- */

static int reads(const NNNetNode *n, enum NNNetOp op, int value)
{
    return n->op == op && n->nb_in && n->in[0] == value;
}

/* @return how many of the net's nodes it took, less one; or AVERROR */
static int build_node(FromNet *b, const NNNetNode *n)
{
    const int left = b->net->nb_nodes - (n - b->net->nodes) - 1;
    int ret;

    if (n->dynamic)
        return ff_from_net_refuse(b, n, "has a size that depends on the picture's values");
    switch (n->op) {
    case NN_OP_CONV:           ret = ff_from_net_conv(b, n);    break;
    case NN_OP_ADD:
    case NN_OP_SUB:            ret = sum(b, n);            break;
    case NN_OP_MUL:
    case NN_OP_DIV:            ret = product(b, n);        break;
    case NN_OP_CONCAT:         ret = concat(b, n);         break;
    case NN_OP_RELU:
    case NN_OP_LEAKY_RELU:
    case NN_OP_PRELU:          ret = ff_from_net_act(b, n);     break;
    case NN_OP_CLIP:           ret = ff_from_net_clip(b, n);           break;
    case NN_OP_RESIZE:         ret = ff_from_net_upsample(b, n);       break;
    case NN_OP_DEPTH_TO_SPACE: ret = ff_from_net_depth_to_space(b, n); break;
    case NN_OP_SPACE_TO_DEPTH: ret = ff_from_net_space_to_depth(b, n); break;
    case NN_OP_RESHAPE:
        if (left < 2 || !reads(n + 1, NN_OP_TRANSPOSE, n->out[0]) || n[1].nb_axes != 6 || b->uses[n->out[0]] != 1 ||
            !reads(n + 2, NN_OP_RESHAPE, n[1].out[0]) || b->uses[n[1].out[0]] != 1)
            return ff_from_net_refuse(b, n, "does not begin a pixel shuffle (Reshape, Transpose, Reshape)");
        ret = ff_from_net_spelled_out(b, n + 1, n + 2);
        return ret < 0 ? ret : 2;
    default:
        return ff_from_net_refuse(b, n, "is an operation that is not supported");
    }
    return FFMIN(ret, 0);
}

static int build(FromNet *b)
{
    const NNNet *net = b->net;
    const int last = net->outputs[0];
    int i, ret;

    for (i = 0; i < net->nb_values; i++)
        b->image[i] = (FromNetImage){ .node = -1, .factor = 1 };
    if ((i = ff_from_net_append(b, NN_INPUT, NULL, 0, from_net_tensor(b, net->input)->dims[1])) < 0)
        return i;
    b->image[net->input].node = i;
    for (i = 0; i < net->nb_nodes; i++) {
        if ((ret = build_node(b, &net->nodes[i])) < 0)
            return ret;
        i += ret;
    }
    /* a factor that is left becomes a node; nothing but a picture can be the output */
    ret = ff_from_net_plain(b, &(NNNetNode){ .op = NN_OP_IDENTITY, .name = "output", .in = (int[]){ last } }, 0);
    return FFMIN(ret, 0);
}

/* shaped for two sizes, or for the file's own; both multiples of 16, so that pixels can be unshuffled */
static int shape_twice(FromNet *b, NNNet *shaped[2], const NNNet *net)
{
    static const int sizes[2][2] = { { 32, 48 }, { 80, 64 } };
    int64_t has[4];
    int ret;

    ff_nn_net_input(net, has);
    for (int i = 0; i < 2; i++)
        if ((ret = ff_nn_net_shape(&shaped[i], net, 1, has[1] > 0 ? FFMIN(has[1], NN_MAX_C) : 3,
                                   has[2] > 0 ? has[2] : sizes[i][0], has[3] > 0 ? has[3] : sizes[i][1], b->log)) < 0)
            return ret;
    b->net = shaped[0];
    if (shaped[1]->nb_nodes == shaped[0]->nb_nodes && !memcmp(shaped[0]->outputs, shaped[1]->outputs, sizeof(int)))
        b->other = shaped[1];
    if (!b->other || b->net->nb_outputs != 1 || !b->net->nb_nodes ||
        from_net_tensor(b, b->net->outputs[0])->nb_dims != 4) {
        av_log(b->log, AV_LOG_ERROR, "model '%s' with its %d output(s) does not make one picture of one picture: no super-resolution net\n",
               b->file, b->net->nb_outputs);
        return AVERROR_PATCHWELCOME;
    }
    return 0;
}

int ff_nn_graph_from_net(NNGraph **g, const NNNet *net, const char *name, void *log)
{
    FromNet b = { .file = name, .log = log };
    NNNet *shaped[2] = { NULL };
    int ret, convs = 0;

    *g = NULL;
    if ((ret = shape_twice(&b, shaped, net)) < 0)
        goto end;
    b.g     = av_mallocz(sizeof(*b.g));
    b.image = av_malloc_array(b.net->nb_values, sizeof(*b.image));
    b.uses  = av_malloc_array(b.net->nb_values, sizeof(*b.uses));
    if (!b.g || !b.image || !b.uses) {
        ret = AVERROR(ENOMEM);
        goto end;
    }
    ff_nn_net_uses(b.net, b.uses);
    if ((ret = build(&b)) < 0 || (ret = ff_nn_graph_finish(b.g, name, log)) < 0)
        goto end;
    for (int i = 0; i < b.g->nb_nodes; i++)
        convs += b.g->nodes[i].op == NN_CONV;
    snprintf(b.g->arch, sizeof(b.g->arch), "ONNX, %d convolutions, x%d", convs, b.g->scale);
    FFSWAP(NNGraph *, *g, b.g);
end:
    ff_nn_graph_free(&b.g);
    ff_nn_net_free(&shaped[0]);
    ff_nn_net_free(&shaped[1]);
    av_free(b.image);
    av_free(b.uses);
    return FFMIN(ret, 0);
}
