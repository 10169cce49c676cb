/*
 * Nets of any shape: table of operations, their evaluation
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
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_op.h"

/*
 * in: a letter for each input, capital if it may be absent: f F32, i I64, a any,
 * s as the first, t as the second; "+" = any number more of the last.
 * out: type of the outputs: f, i, 0 as the first input, 1 as the second, x infer's.
 */
typedef struct OpDef {
    const char *name, *in, *out;
    int (*infer)(const NNOpArgs *a);
    int (*eval)(const NNOpArgs *a);
    int flags;
} OpDef;

#define OWN_SIZE 1          ///< eval finds the sizes and allocates
#define NO_DATA  2          ///< eval needs the sizes of inputs only

#define FN(x) ff_nn_infer_##x, ff_nn_eval_##x

static const OpDef ops[NN_OP_NB] = {
    [NN_OP_CONV]               = { "Conv",                  "ffFF",  "f",  FN(conv) },
    [NN_OP_CONV_TRANSPOSE]     = { "ConvTranspose",         "ffF",   "f",  FN(conv_transpose) },
    [NN_OP_BATCH_NORM]         = { "BatchNormalization",    "fffff", "f",  FN(norm) },
    [NN_OP_MAX_POOL]           = { "MaxPool",               "f",     "f",  FN(pool) },
    [NN_OP_AVG_POOL]           = { "AveragePool",           "f",     "f",  FN(pool) },
    [NN_OP_GLOBAL_AVG_POOL]    = { "GlobalAveragePool",     "f",     "f",  FN(global_pool) },
    [NN_OP_RELU]               = { "Relu",                  "f",     "f",  FN(unary) },
    [NN_OP_LEAKY_RELU]         = { "LeakyRelu",             "f",     "f",  FN(unary) },
    [NN_OP_PRELU]              = { "PRelu",                 "ff",    "f",  FN(prelu) },
    [NN_OP_SIGMOID]            = { "Sigmoid",               "f",     "f",  FN(unary) },
    [NN_OP_SILU]               = { "Silu",                  "f",     "f",  FN(unary) },
    [NN_OP_HARD_SIGMOID]       = { "HardSigmoid",           "f",     "f",  FN(unary) },
    [NN_OP_HARD_SWISH]         = { "HardSwish",             "f",     "f",  FN(unary) },
    [NN_OP_TANH]               = { "Tanh",                  "f",     "f",  FN(unary) },
    [NN_OP_EXP]                = { "Exp",                   "f",     "f",  FN(unary) },
    [NN_OP_LOG]                = { "Log",                   "f",     "f",  FN(unary) },
    [NN_OP_SQRT]               = { "Sqrt",                  "f",     "f",  FN(unary) },
    [NN_OP_NEG]                = { "Neg",                   "a",     "0",  FN(unary) },
    [NN_OP_ABS]                = { "Abs",                   "a",     "0",  FN(unary) },
    [NN_OP_FLOOR]              = { "Floor",                 "f",     "f",  FN(unary) },
    [NN_OP_CEIL]               = { "Ceil",                  "f",     "f",  FN(unary) },
    [NN_OP_ROUND]              = { "Round",                 "f",     "f",  FN(unary) },
    [NN_OP_RECIPROCAL]         = { "Reciprocal",            "f",     "f",  FN(unary) },
    [NN_OP_NOT]                = { "Not",                   "i",     "i",  FN(unary) },
    [NN_OP_ERF]                = { "Erf",                   "f",     "f",  FN(unary) },
    [NN_OP_CLIP]               = { "Clip",                  "aSS",   "0",  FN(clip) },
    [NN_OP_ADD]                = { "Add",                   "as",    "0",  FN(binary) },
    [NN_OP_SUB]                = { "Sub",                   "as",    "0",  FN(binary) },
    [NN_OP_MUL]                = { "Mul",                   "as",    "0",  FN(binary) },
    [NN_OP_DIV]                = { "Div",                   "as",    "0",  FN(binary) },
    [NN_OP_POW]                = { "Pow",                   "aa",    "0",  FN(binary) },
    [NN_OP_MOD]                = { "Mod",                   "as",    "0",  FN(binary) },
    [NN_OP_MIN]                = { "Min",                   "aS+",   "0",  FN(binary) },
    [NN_OP_MAX]                = { "Max",                   "aS+",   "0",  FN(binary) },
    [NN_OP_EQUAL]              = { "Equal",                 "as",    "i",  FN(compare) },
    [NN_OP_LESS]               = { "Less",                  "as",    "i",  FN(compare) },
    [NN_OP_LESS_EQUAL]         = { "LessOrEqual",           "as",    "i",  FN(compare) },
    [NN_OP_GREATER]            = { "Greater",               "as",    "i",  FN(compare) },
    [NN_OP_GREATER_EQUAL]      = { "GreaterOrEqual",        "as",    "i",  FN(compare) },
    [NN_OP_AND]                = { "And",                   "ii",    "i",  FN(compare) },
    [NN_OP_OR]                 = { "Or",                    "ii",    "i",  FN(compare) },
    [NN_OP_WHERE]              = { "Where",                 "iat",   "1",  FN(where) },
    [NN_OP_CONCAT]             = { "Concat",                "aS+",   "0",  FN(concat) },
    [NN_OP_SPLIT]              = { "Split",                 "aI",    "0+", FN(split) },
    [NN_OP_SLICE]              = { "Slice",                 "aiiII", "0",  FN(slice) },
    [NN_OP_PAD]                = { "Pad",                   "aiSI",  "0",  FN(pad) },
    [NN_OP_TRANSPOSE]          = { "Transpose",             "a",     "0",  FN(transpose) },
    [NN_OP_RESHAPE]            = { "Reshape",               "ai",    "0",  FN(reshape) },
    [NN_OP_FLATTEN]            = { "Flatten",               "a",     "0",  FN(flatten) },
    [NN_OP_SQUEEZE]            = { "Squeeze",               "aI",    "0",  FN(squeeze) },
    [NN_OP_UNSQUEEZE]          = { "Unsqueeze",             "aI",    "0",  FN(unsqueeze) },
    [NN_OP_EXPAND]             = { "Expand",                "ai",    "0",  FN(expand) },
    [NN_OP_TILE]               = { "Tile",                  "ai",    "0",  FN(tile) },
    [NN_OP_GATHER]             = { "Gather",                "ai",    "0",  FN(gather) },
    [NN_OP_GATHER_ELEMENTS]    = { "GatherElements",        "ai",    "0",  FN(gather_elements) },
    [NN_OP_GATHER_ND]          = { "GatherND",              "ai",    "0",  FN(gather_nd) },
    [NN_OP_SCATTER_ND]         = { "ScatterND",             "ais",   "0",  FN(scatter_nd) },
    [NN_OP_SCATTER_ELEMENTS]   = { "ScatterElements",       "ais",   "0",  FN(scatter_elements) },
    [NN_OP_RESIZE]             = { "Resize",                "fFFI",  "f",  FN(resize) },
    [NN_OP_DEPTH_TO_SPACE]     = { "DepthToSpace",          "a",     "0",  FN(depth_to_space) },
    [NN_OP_SPACE_TO_DEPTH]     = { "SpaceToDepth",          "a",     "0",  FN(space_to_depth) },
    [NN_OP_MATMUL]             = { "MatMul",                "ff",    "f",  FN(matmul) },
    [NN_OP_GEMM]               = { "Gemm",                  "ffF",   "f",  FN(gemm) },
    [NN_OP_SOFTMAX]            = { "Softmax",               "f",     "f",  FN(softmax) },
    [NN_OP_REDUCE_MAX]         = { "ReduceMax",             "aI",    "0",  FN(reduce) },
    [NN_OP_REDUCE_MIN]         = { "ReduceMin",             "aI",    "0",  FN(reduce) },
    [NN_OP_REDUCE_SUM]         = { "ReduceSum",             "aI",    "0",  FN(reduce) },
    [NN_OP_REDUCE_MEAN]        = { "ReduceMean",            "aI",    "0",  FN(reduce) },
    [NN_OP_ARG_MAX]            = { "ArgMax",                "a",     "i",  FN(arg_max) },
    [NN_OP_TOP_K]              = { "TopK",                  "ai",    "0i", FN(top_k) },
    [NN_OP_NON_MAX_SUPPRESSION] = { "NonMaxSuppression",    "ffIFF", "i",  FN(nms), OWN_SIZE },
    [NN_OP_NON_ZERO]           = { "NonZero",               "a",     "i",  FN(non_zero), OWN_SIZE },
    [NN_OP_SHAPE]              = { "Shape",                 "a",     "i",  FN(shape), NO_DATA },
    [NN_OP_SIZE]               = { "Size",                  "a",     "i",  FN(size), NO_DATA },
    [NN_OP_RANGE]              = { "Range",                 "ass",   "0",  FN(range) },
    [NN_OP_CONSTANT]           = { "Constant" },            /* never a node: the loader makes values of them */
    [NN_OP_CONSTANT_OF_SHAPE]  = { "ConstantOfShape",       "ia",    "1",  FN(constant_of_shape) },
    [NN_OP_CAST]               = { "Cast",                  "a",     "x",  FN(cast) },
    [NN_OP_IDENTITY]           = { "Identity",              "a",     "0",  FN(identity) },
};

const char *ff_nn_op_name(enum NNNetOp op)
{
    return (unsigned)op < NN_OP_NB ? ops[op].name : NULL;
}

/* ---- messages --------------------------------------------------------------------- */

static void complain(const NNOpArgs *a, const char *fmt, va_list ap)
{
    char text[300];

    vsnprintf(text, sizeof(text), fmt, ap);
    av_log(a->log, AV_LOG_ERROR, "%s: node '%s' (%s) %s\n", a->n->file ? a->n->file : "net", a->n->name,
           ff_nn_op_name(a->n->op), text);
}

int ff_nn_op_broken(const NNOpArgs *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    complain(a, fmt, ap);
    va_end(ap);
    return AVERROR_INVALIDDATA;
}

int ff_nn_op_unsupported(const NNOpArgs *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    complain(a, fmt, ap);
    va_end(ap);
    return AVERROR_PATCHWELCOME;
}

/* ---- outputs ------------------------------------------------------------------------ */

int ff_nn_op_out(const NNOpArgs *a, int i, const int64_t *dims, int nb_dims)
{
    NNTensor *t = &a->out[i];
    int64_t nb = 1, span = 1;           /* span: steps are products of some dimensions, also where one is 0 */

    if (nb_dims < 0 || nb_dims > NN_NET_DIMS)
        return ff_nn_op_unsupported(a, "makes a tensor of %d dimensions; %d is the most", nb_dims, NN_NET_DIMS);
    for (int k = 0; k < nb_dims; k++) {
        if (dims[k] < 0 || dims[k] > NN_MAX_VALUES || span * dims[k] > NN_MAX_VALUES)
            return ff_nn_op_broken(a, "makes a tensor of absurd size (dimension %d is %"PRId64"; at most %d values)",
                                   k, dims[k], NN_MAX_VALUES);
        t->dims[k] = dims[k];
        nb   *= dims[k];
        span *= FFMAX(dims[k], 1);
    }
    t->nb_dims = nb_dims;
    t->nb      = nb;
    return 0;
}

int ff_nn_op_out_like(const NNOpArgs *a, int i, const NNTensor *t)
{
    return ff_nn_op_out(a, i, t->dims, t->nb_dims);
}

int ff_nn_op_alloc(const NNOpArgs *a, int i)
{
    a->out[i].data = av_malloc_array(FFMAX(a->out[i].nb, 1), nn_value_size(a->out[i].type));
    return a->out[i].data ? 0 : AVERROR(ENOMEM);
}

/* ---- inputs --------------------------------------------------------------------------- */

int ff_nn_op_axis(const NNOpArgs *a, int64_t axis, int rank)
{
    if (axis < -rank || axis >= rank)
        return ff_nn_op_broken(a, "works along axis %"PRId64" of %d", axis, rank);
    return axis < 0 ? axis + rank : axis;
}

int ff_nn_op_list(const NNOpArgs *a, int i, const int64_t **v, int max)
{
    const NNTensor *t = a->in[i];

    if (t->nb_dims > 1 || t->nb > max)
        return ff_nn_op_broken(a, "has as input %d no list of at most %d integers", i, max);
    *v = t->data;
    return t->data || !t->nb ? t->nb : AVERROR(EAGAIN);
}

int ff_nn_op_axes(const NNOpArgs *a, int i, int rank, unsigned *mask)
{
    const int64_t *axes = a->n->axes;
    int nb = a->n->nb_axes;

    *mask = 0;
    if (nn_op_in(a, i) && (nb = ff_nn_op_list(a, i, &axes, NN_NET_DIMS)) < 0)
        return nb == AVERROR(EAGAIN) ? 1 : nb;
    for (int k = 0; k < nb; k++) {
        const int axis = ff_nn_op_axis(a, axes[k], rank);
        if (axis < 0)
            return axis;
        if (*mask & 1U << axis)
            return ff_nn_op_broken(a, "names axis %d twice", axis);
        *mask |= 1U << axis;
    }
    return 0;
}

/* ---- broadcasting ------------------------------------------------------------------------ */

int ff_nn_broadcast(int64_t *dims, const int64_t *a, int nb_a, const int64_t *b, int nb_b)
{
    const int nb = FFMAX(nb_a, nb_b);
    int64_t out[NN_NET_DIMS];

    for (int i = 0; i < nb; i++) {
        const int64_t da = i < nb - nb_a ? 1 : a[i - (nb - nb_a)];
        const int64_t db = i < nb - nb_b ? 1 : b[i - (nb - nb_b)];
        if (da != db && da != 1 && db != 1)
            return -1;
        out[i] = da == 1 ? db : da;
    }
    memcpy(dims, out, nb * sizeof(*dims));
    return nb;
}

void ff_nn_broadcast_strides(const NNTensor *t, int nb_dims, int64_t *stride)
{
    int64_t s[NN_NET_DIMS];
    const int lead = nb_dims - t->nb_dims;

    nn_strides(t->dims, t->nb_dims, s);
    for (int i = 0; i < nb_dims; i++)
        stride[i] = i < lead || t->dims[i - lead] == 1 ? 0 : s[i - lead];
}

int ff_nn_next_row(const int64_t *dims, int nb_dims, int64_t *index, int64_t *off,
                   const int64_t (*stride)[NN_NET_DIMS], int nb)
{
    for (int d = nb_dims - 2; d >= 0; d--) {
        for (int k = 0; k < nb; k++)
            off[k] += stride[k][d];
        if (++index[d] < dims[d])
            return 1;
        for (int k = 0; k < nb; k++)
            off[k] -= stride[k][d] * dims[d];
        index[d] = 0;
    }
    return 0;
}

/* ---- entries -------------------------------------------------------------------------------- */

static int fits(char want, enum NNValueType type, const NNTensor *const *in)
{
    switch (want) {
    case 'f': return type == NN_VAL_F32;
    case 'i': return type == NN_VAL_I64;
    case 's': return type == in[0]->type;
    case 't': return type == in[1]->type;
    default:  return 1;
    }
}

/* @return 1: the size of an input is not known */
static int check_inputs(const NNOpArgs *a, const OpDef *def)
{
    const NNNetNode *n = a->n;
    const char *want = def->in;
    int unknown = 0;

    for (int i = 0; i < n->nb_in || (*want && *want != '+'); i++) {
        const NNTensor *t = i < n->nb_in ? a->in[i] : NULL;
        char c;
        if (*want == '+')
            want--;
        if (!*want)
            return ff_nn_op_broken(a, "has %d inputs, more than it can have", n->nb_in);
        c = *want >= 'a' ? *want : *want - 'A' + 'a';
        if (!t && (c == *want || (want[1] == '+' && i < n->nb_in)))
            return ff_nn_op_broken(a, "lacks input %d", i);
        if (t && !fits(c, t->type, a->in))
            return ff_nn_op_broken(a, "has as input %d %s", i,
                                   t->type == NN_VAL_F32 ? "numbers with fractions where it needs integers"
                                                         : "integers where it needs numbers with fractions");
        unknown |= t && t->nb < 0;
        want++;
    }
    return unknown;
}

static void set_types(const NNOpArgs *a, const OpDef *def)
{
    const char *o = def->out;

    for (int i = 0; i < a->n->nb_out; i++) {
        memset(&a->out[i], 0, sizeof(a->out[i]));
        a->out[i].nb_dims = -1;
        a->out[i].nb      = -1;
        a->out[i].type    = *o == 'i' ? NN_VAL_I64 : *o == '0' ? a->in[0]->type : *o == '1' ? a->in[1]->type : NN_VAL_F32;
        if (o[1] && o[1] != '+')
            o++;
    }
}

static int infer(const NNOpArgs *a, const OpDef *def)
{
    int ret, unknown;

    if (!def->in)
        return ff_nn_op_broken(a, "is no operation that can be run");
    if (a->n->nb_out < 1 || (a->n->nb_out > strlen(def->out) && !strchr(def->out, '+')))
        return ff_nn_op_unsupported(a, "has %d outputs, which is not supported; export without the optional ones",
                                    a->n->nb_out);
    memset(a->out, 0, a->n->nb_out * sizeof(*a->out));
    if ((unknown = check_inputs(a, def)) < 0)
        return unknown;
    set_types(a, def);
    ret = def->infer == ff_nn_infer_cast ? def->infer(a) : unknown ? 1 : def->infer(a);
    if (ret > 0 && !unknown && def->infer != ff_nn_infer_cast && !(def->flags & OWN_SIZE))
        for (int i = 0; i < a->n->nb_out; i++)
            a->out[i].nb = a->out[i].nb_dims = -1;
    return ret;
}

int ff_nn_op_infer(const NNNetNode *node, const NNTensor *const *in, NNTensor *out, void *log)
{
    const NNOpArgs a = { .n = node, .in = in, .out = out, .log = log };

    return infer(&a, &ops[node->op]);
}

int ff_nn_op_eval(const NNNetNode *node, const NNTensor *const *in, NNTensor *out, void *log)
{
    const NNOpArgs a = { .n = node, .in = in, .out = out, .log = log };
    const OpDef *def = &ops[node->op];
    int ret = infer(&a, def);

    for (int i = 0; i < node->nb_in && ret >= 0; i++)
        if (in[i] && !in[i]->data && !(def->flags & NO_DATA))
            ret = ff_nn_op_broken(&a, "is to be run without the data of input %d", i);
    if (ret > 0 && !(def->flags & OWN_SIZE))
        ret = ff_nn_op_broken(&a, "has outputs whose size cannot be found");
    for (int i = 0; i < node->nb_out && ret >= 0 && !(def->flags & OWN_SIZE); i++)
        ret = ff_nn_op_alloc(&a, i);
    if (ret >= 0)
        ret = def->eval(&a);
    if (ret >= 0 && node->act)
        ff_nn_act_apply(node, node->op == NN_OP_CONV ? nn_op_in(&a, 3) : NULL, &out[0]);
    if (ret < 0)
        for (int i = 0; i < node->nb_out; i++)
            av_freep(&out[i].data);
    return FFMIN(ret, 0);
}
