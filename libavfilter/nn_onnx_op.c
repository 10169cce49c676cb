/*
 * Nets of any shape: operations of ONNX files
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

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_onnx.h"

/* ---- names --------------------------------------------------------------------------------- */

static const char *const advice = "export with operator set 12 to 17, simplified (onnxslim, onnxsim), "
                                  "without NMS in it (nms=False), in fp32";

/* @return enum NNNetOp or -1 */
static int op_of(OnnxStr s)
{
    if (onnx_is(s, "Upsample"))
        return NN_OP_RESIZE;
    if (onnx_is(s, "Dropout"))
        return NN_OP_IDENTITY;
    if (onnx_is(s, "Scatter"))
        return NN_OP_SCATTER_ELEMENTS;
    for (int i = 0; i < NN_OP_NB; i++)
        if (i != NN_OP_SILU && onnx_is(s, ff_nn_op_name(i)))   /* SILU is ours alone */
            return i;
    return -1;
}

static int unknown_op(OnnxNode *n)
{
    char domain[NN_MAX_NAME];

    if (onnx_is(n->op, "If") || onnx_is(n->op, "Loop") || onnx_is(n->op, "Scan"))
        return ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "runs a graph within the graph, which is not supported: %s",
                              advice);
    if (n->domain.n && !onnx_is(n->domain, "ai.onnx")) {
        ff_nn_net_name(domain, n->domain.p, n->domain.n);
        return ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "is an operation of the domain '%s', which is not supported: "
                              "%s", domain, advice);
    }
    return ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "is an operation that is not supported: %s", advice);
}

/* ---- attributes that become inputs -------------------------------------------------------------- */

/* puts value v into input i; makes room */
static int set_input(OnnxNode *n, NNNetNode *d, int i, int v)
{
    const int ret = v < 0 ? v : ff_nn_node_grow(d, i + 1);

    if (ret < 0)
        return n->err = n->err < 0 ? n->err : ret;
    d->in[i] = v;
    return 0;
}

/* a list of integers */
static void ints_to_input(OnnxNode *n, NNNetNode *d, const char *name, int i)
{
    int64_t v[ONNX_MAX_EDGES];
    const int nb = ff_onnx_ints(n, name, v, ONNX_MAX_EDGES);

    if (ff_onnx_has(n, name) && nb >= 0)
        set_input(n, d, i, ff_nn_net_add_ints(n->o->net, name, v, nb));
}

static void floats_to_input(OnnxNode *n, NNNetNode *d, const char *name, int i)
{
    float *v = av_malloc_array(NN_NET_DIMS, sizeof(*v));
    const int nb = v ? ff_onnx_floats(n, name, v, NN_NET_DIMS) : -1;

    if (nb < 0) {
        av_free(v);
        n->err = n->err < 0 ? n->err : AVERROR(ENOMEM);
        return;
    }
    set_input(n, d, i, ff_nn_net_add_const(n->o->net, name, NN_VAL_F32, (const int64_t[]){ nb }, 1, v));
}

static void scalar_to_input(OnnxNode *n, NNNetNode *d, const char *name, int i, float value)
{
    float *v = av_malloc(sizeof(*v));

    if (v)
        *v = value;
    set_input(n, d, i, ff_nn_net_add_const(n->o->net, name, NN_VAL_F32, NULL, 0, v));
}

/* ---- windows ---------------------------------------------------------------------------------------- */

static void two(OnnxNode *n, const char *name, int dst[2])
{
    int64_t v[4];
    const int nb = ff_onnx_ints(n, name, v, 4);

    if (nb > 0 && nb != 2)
        ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has %d numbers in '%s': only two-dimensional ones are supported",
                       nb, name);
    for (int i = 0; i < 2 && nb == 2; i++)
        dst[i] = FFMIN(FFMAX(v[i], -1), INT_MAX);       /* what is out of range is refused by its user */
}

static void window(OnnxNode *n, NNNetNode *d)
{
    static const char *const autos[] = { "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", NULL };
    const int how = ff_onnx_choice(n, "auto_pad", "NOTSET", autos);
    int64_t pad[8];
    const int nb = ff_onnx_ints(n, "pads", pad, 8);

    two(n, "kernel_shape", d->kernel);
    two(n, "strides", d->stride);
    two(n, "dilations", d->dilation);
    if (nb > 0 && nb != 4)
        ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has %d paddings: only two-dimensional ones are supported", nb);
    for (int i = 0; i < 4 && nb == 4 && !how; i++)
        d->pad[i] = FFMIN(FFMAX(pad[i], -1), INT_MAX);
    d->flags |= how == 2 ? NN_NODE_SAME_UP : how == 3 ? NN_NODE_SAME_LOW : 0;
    if (how > 1 && d->op == NN_OP_CONV_TRANSPOSE)
        ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has auto_pad, which is not supported here");
}

static void convolution(OnnxNode *n, NNNetNode *d)
{
    window(n, d);
    d->group = ff_onnx_int(n, "group", 1, 1, NN_MAX_ELEMS);
    if (d->op != NN_OP_CONV_TRANSPOSE)
        return;
    d->nb_axes = FFMAX(ff_onnx_ints(n, "output_padding", d->axes, 2), 0);
    if (ff_onnx_has(n, "output_shape"))
        ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has output_shape, which is not supported; export with pads");
}

static void pool(OnnxNode *n, NNNetNode *d)
{
    window(n, d);
    d->ceil_mode = ff_onnx_int(n, "ceil_mode", 0, 0, 1);
    if (d->op == NN_OP_AVG_POOL)
        d->count_pad = ff_onnx_int(n, "count_include_pad", 0, 0, 1);
    else
        ff_onnx_int(n, "storage_order", 0, 0, 0);
}

/* ---- the rest of those with much to say --------------------------------------------------------------- */

static void resize_modes(OnnxNode *n, NNNetNode *d)
{
    static const char *const modes[]   = { "nearest", "linear", "cubic", NULL };
    static const char *const coords[]  = { "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", NULL };
    static const char *const nearest[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL };
    static const char *const stretch[] = { "stretch", NULL };

    d->mode    = ff_onnx_choice(n, "mode", "nearest", modes);
    d->coord   = ff_onnx_choice(n, "coordinate_transformation_mode", "half_pixel", coords);
    d->nearest = ff_onnx_choice(n, "nearest_mode", "round_prefer_floor", nearest);
    d->alpha   = ff_onnx_float(n, "cubic_coeff_a", -0.75f);
    d->flags  |= ff_onnx_int(n, "exclude_outside", 0, 0, 1) ? NN_NODE_EXCLUSIVE : 0;
    ff_onnx_ignore(n, "extrapolation_value");   /* for a coordinate mode that is refused */
    ff_onnx_int(n, "antialias", 0, 0, 0);
    ff_onnx_choice(n, "keep_aspect_ratio_policy", "stretch", stretch);
}

static void resize(OnnxNode *n, NNNetNode *d)
{
    static const char *const modes[] = { "nearest", "linear", NULL };

    if (n->o->opset >= 11 && !onnx_is(n->op, "Upsample")) {
        resize_modes(n, d);
        return;
    }
    /* x, scales; or scales as an attribute */
    d->mode    = ff_onnx_choice(n, "mode", "nearest", modes);
    d->coord   = NN_COORD_ASYMMETRIC;
    d->nearest = NN_NEAREST_FLOOR;
    if (ff_onnx_has(n, "scales"))
        floats_to_input(n, d, "scales", 1);
    if (d->nb_in != 2)
        ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has no scales");
    else if (!set_input(n, d, 2, d->in[1]))
        d->in[1] = -1;
}

static void pad(OnnxNode *n, NNNetNode *d)
{
    static const char *const modes[] = { "constant", "reflect", "edge", NULL };

    d->mode = ff_onnx_choice(n, "mode", "constant", modes);
    if (n->o->opset >= 11)
        return;
    ints_to_input(n, d, "pads", 1);
    scalar_to_input(n, d, "value", 2, ff_onnx_float(n, "value", 0));
}

static void slice(OnnxNode *n, NNNetNode *d)
{
    if (n->o->opset >= 10)
        return;
    ints_to_input(n, d, "starts", 1);
    ints_to_input(n, d, "ends", 2);
    ints_to_input(n, d, "axes", 3);
}

static void split(OnnxNode *n, NNNetNode *d)
{
    d->axis = ff_onnx_int(n, "axis", 0, INT_MIN, INT_MAX);
    if (n->o->opset < 13)
        ints_to_input(n, d, "split", 1);
    if (n->o->opset >= 18 && ff_onnx_int(n, "num_outputs", d->nb_out, 1, INT_MAX) != d->nb_out)
        ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has another number of outputs than num_outputs says");
}

static void axes(OnnxNode *n, NNNetNode *d, int until)
{
    if (n->o->opset < until)
        d->nb_axes = FFMAX(ff_onnx_ints(n, "axes", d->axes, NN_NET_DIMS), 0);
}

static void reduce(OnnxNode *n, NNNetNode *d)
{
    axes(n, d, d->op == NN_OP_REDUCE_SUM ? 13 : 18);
    d->flags |= ff_onnx_int(n, "keepdims", 1, 0, 1) ? NN_NODE_KEEPDIMS : 0;
    if (!ff_onnx_int(n, "noop_with_empty_axes", 0, 0, 1))
        return;
    if (d->nb_in < 2 || d->in[1] < 0)
        d->op = NN_OP_IDENTITY;
    else if (!ff_nn_net_const(n->o->net, d, 1) || !ff_nn_net_const(n->o->net, d, 1)->nb)
        ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has noop_with_empty_axes and axes that are computed, which is not "
                       "supported");
}

static void clip(OnnxNode *n, NNNetNode *d)
{
    d->alpha = -INFINITY;
    d->beta  = INFINITY;
    if (n->o->opset >= 11)
        return;
    d->alpha = ff_onnx_float(n, "min", -FLT_MAX);
    d->beta  = ff_onnx_float(n, "max", FLT_MAX);
}

static void gemm(OnnxNode *n, NNNetNode *d)
{
    d->alpha  = ff_onnx_float(n, "alpha", 1);
    d->beta   = ff_onnx_float(n, "beta", 1);
    d->flags |= ff_onnx_int(n, "transA", 0, 0, 1) ? NN_NODE_TRANS_A : 0;
    d->flags |= ff_onnx_int(n, "transB", 0, 0, 1) ? NN_NODE_TRANS_B : 0;
}

static void top_k(OnnxNode *n, NNNetNode *d)
{
    int64_t k;

    d->axis   = ff_onnx_int(n, "axis", -1, INT_MIN, INT_MAX);
    d->flags |= ff_onnx_int(n, "largest", 1, 0, 1) ? NN_NODE_LARGEST : 0;
    d->flags |= ff_onnx_int(n, "sorted",  1, 0, 1) ? NN_NODE_SORTED  : 0;
    if (n->o->opset < 10 && ff_onnx_has(n, "k")) {
        k = ff_onnx_int(n, "k", 0, 0, INT64_MAX);
        set_input(n, d, 1, ff_nn_net_add_ints(n->o->net, "k", &k, 1));
    }
}

static void constant_of_shape(OnnxNode *n, NNNetNode *d)
{
    NNTensor t;

    ff_onnx_attr_tensor(n, "value", &t);
    if (n->err < 0)
        return;
    if (t.data)
        set_input(n, d, 1, ff_nn_net_add_const(n->o->net, "value", t.type, t.dims, t.nb_dims, t.data));
    else
        scalar_to_input(n, d, "value", 1, 0);
}

static void shape(OnnxNode *n, NNNetNode *d)
{
    if (n->o->opset < 15)
        return;
    d->axes[0] = ff_onnx_int(n, "start", 0, INT64_MIN, INT64_MAX);
    d->axes[1] = ff_onnx_int(n, "end", INT64_MAX, INT64_MIN, INT64_MAX);
    d->nb_axes = 2;
}

static void axis(OnnxNode *n, NNNetNode *d, int def)
{
    d->axis = ff_onnx_int(n, "axis", def, INT_MIN, INT_MAX);
}

static void scatter(OnnxNode *n, NNNetNode *d)
{
    static const char *const none[] = { "none", NULL };

    if (d->op == NN_OP_SCATTER_ELEMENTS)
        axis(n, d, 0);
    ff_onnx_choice(n, "reduction", "none", none);
}

static void identity(OnnxNode *n, NNNetNode *d)
{
    if (!onnx_is(n->op, "Dropout"))
        return;
    ff_onnx_ignore(n, "ratio");
    ff_onnx_ignore(n, "seed");
    if (d->nb_in > 2 && d->in[2] >= 0) {
        const NNTensor *t = ff_nn_net_const(n->o->net, d, 2);
        if (!t || t->type != NN_VAL_I64 || t->nb != 1 || *(int64_t *)t->data)
            ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "is in training mode; export the net for inference");
    }
    d->nb_in = FFMIN(d->nb_in, 1);              /* does nothing in inference */
}

static void attributes(OnnxNode *n, NNNetNode *d)
{
    static const char *const shuffles[] = { "DCR", "CRD", NULL };
    const int opset = n->o->opset;

    switch (d->op) {
    case NN_OP_CONV:
    case NN_OP_CONV_TRANSPOSE:      convolution(n, d);                                              break;
    case NN_OP_MAX_POOL:
    case NN_OP_AVG_POOL:            pool(n, d);                                                     break;
    case NN_OP_BATCH_NORM:
        d->alpha = ff_onnx_float(n, "epsilon", 1e-5f);
        ff_onnx_ignore(n, "momentum");
        ff_onnx_int(n, "training_mode", 0, 0, 0);
        break;
    case NN_OP_LEAKY_RELU:          d->alpha = ff_onnx_float(n, "alpha", 0.01f);                    break;
    case NN_OP_HARD_SIGMOID:
        d->alpha = ff_onnx_float(n, "alpha", 0.2f);
        d->beta  = ff_onnx_float(n, "beta", 0.5f);
        break;
    case NN_OP_CLIP:                clip(n, d);                                                     break;
    case NN_OP_MOD:                 d->flags |= ff_onnx_int(n, "fmod", 0, 0, 1) ? NN_NODE_FMOD : 0; break;
    case NN_OP_CONCAT:              axis(n, d, 1);                                                  break;
    case NN_OP_SPLIT:               split(n, d);                                                    break;
    case NN_OP_SLICE:               slice(n, d);                                                    break;
    case NN_OP_PAD:                 pad(n, d);                                                      break;
    case NN_OP_TRANSPOSE:           d->nb_axes = FFMAX(ff_onnx_ints(n, "perm", d->axes, NN_NET_DIMS), 0); break;
    case NN_OP_RESHAPE:             d->flags |= ff_onnx_int(n, "allowzero", 0, 0, 1) ? NN_NODE_ALLOWZERO : 0; break;
    case NN_OP_FLATTEN:             axis(n, d, 1);                                                  break;
    case NN_OP_SQUEEZE:
    case NN_OP_UNSQUEEZE:           axes(n, d, 13);                                                 break;
    case NN_OP_GATHER:
    case NN_OP_GATHER_ELEMENTS:     axis(n, d, 0);                                                  break;
    case NN_OP_GATHER_ND:           ff_onnx_int(n, "batch_dims", 0, 0, 0);                          break;
    case NN_OP_SCATTER_ND:
    case NN_OP_SCATTER_ELEMENTS:    scatter(n, d);                                                  break;
    case NN_OP_RESIZE:              resize(n, d);                                                   break;
    case NN_OP_DEPTH_TO_SPACE:
    case NN_OP_SPACE_TO_DEPTH:
        if (d->op == NN_OP_DEPTH_TO_SPACE)
            d->mode = ff_onnx_choice(n, "mode", "DCR", shuffles);
        d->block = ff_onnx_int(n, "blocksize", 0, 1, 64);
        break;
    case NN_OP_GEMM:                gemm(n, d);                                                     break;
    case NN_OP_SOFTMAX:             axis(n, d, opset < 13 ? 1 : -1);                                break;
    case NN_OP_REDUCE_MAX:
    case NN_OP_REDUCE_MIN:
    case NN_OP_REDUCE_SUM:
    case NN_OP_REDUCE_MEAN:         reduce(n, d);                                                   break;
    case NN_OP_ARG_MAX:
        axis(n, d, 0);
        d->flags |= ff_onnx_int(n, "keepdims", 1, 0, 1) ? NN_NODE_KEEPDIMS : 0;
        ff_onnx_int(n, "select_last_index", 0, 0, 0);
        break;
    case NN_OP_TOP_K:               top_k(n, d);                                                    break;
    case NN_OP_NON_MAX_SUPPRESSION:
        d->flags |= ff_onnx_int(n, "center_point_box", 0, 0, 1) ? NN_NODE_CENTER : 0;
        break;
    case NN_OP_SHAPE:               shape(n, d);                                                    break;
    case NN_OP_CONSTANT_OF_SHAPE:   constant_of_shape(n, d);                                        break;
    case NN_OP_CAST:
        d->to = ff_onnx_int(n, "to", 0, 1, ONNX_BFLOAT16);
        ff_onnx_ignore(n, "saturate");          /* of 8-bit floats alone */
        ff_onnx_ignore(n, "round_mode");
        break;
    case NN_OP_IDENTITY:            identity(n, d);                                                 break;
    default:                        break;
    }
}

/* ---- a node ----------------------------------------------------------------------------------------------- */

int ff_onnx_node(OnnxNode *n, const int *in, NNTensor *t)
{
    const int op = n->domain.n && !onnx_is(n->domain, "ai.onnx") ? -1 : op_of(n->op);
    NNNet *net = n->o->net;
    NNNetNode *d;
    int i;

    if (op < 0)
        return unknown_op(n);
    if (op == NN_OP_CONSTANT)
        return ff_onnx_constant(n, t);
    if (n->nb_out < 1)
        return ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has no output");
    if ((i = ff_nn_net_add_node(net, op, n->name.p, n->name.n, n->nb_in, n->nb_out)) < 0)
        return n->err = i;
    d = &net->nodes[i];         /* stays where it is: only values are added below */
    if (n->nb_in)
        memcpy(d->in, in, n->nb_in * sizeof(*in));
    d->opset = n->o->opset;
    attributes(n, d);
    return ff_onnx_attrs_done(n) < 0 ? n->err : i;
}
