/*
 * Nets of any shape: what the files of operations share
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

#ifndef AVFILTER_NN_OP_H
#define AVFILTER_NN_OP_H

#include "nn_net.h"

/**
 * @file
 * nn_op.c has the table of operations: what ONNX calls each, its inputs, and two
 * functions, both given NNOpArgs:
 *
 *   infer  sets the sizes of the outputs by ff_nn_op_out(); 1 = they depend on data
 *          that is not there
 *   eval   fills them: out[i].data is allocated and, for sizes that infer could
 *          give, of the right size
 *
 * Before either is called, number, presence and types of inputs are right as the
 * table says. Everything else about them (ranks, sizes, values of index tensors) is
 * checked by infer, or by eval where it needs values. Attributes come from a file,
 * too: the loader checks that they are ones that we know, infer that they fit.
 */

/** values of one tensor that is computed; a layer of yolov8x at 1280 has 2^25 */
#define NN_MAX_VALUES (1 << 28)

typedef struct NNOpArgs {
    const NNNetNode       *n;
    const NNTensor *const *in;      ///< n->nb_in; NULL: absent
    NNTensor              *out;     ///< n->nb_out
    void                  *log;
} NNOpArgs;

/** @return input i, or NULL if it is absent */
static inline const NNTensor *nn_op_in(const NNOpArgs *a, int i)
{
    return i < a->n->nb_in ? a->in[i] : NULL;
}

static inline const float   *nn_f32(const NNTensor *t) { return t->data; }
static inline const int64_t *nn_i64(const NNTensor *t) { return t->data; }

/** Bytes of a value. */
static inline int nn_value_size(enum NNValueType t) { return t == NN_VAL_F32 ? sizeof(float) : sizeof(int64_t); }

/** One line that names file, node and operation. @return AVERROR_INVALIDDATA */
int ff_nn_op_broken(const NNOpArgs *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The same for what is sound but not supported. @return AVERROR_PATCHWELCOME */
int ff_nn_op_unsupported(const NNOpArgs *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Set the size of an output; checks it. */
int ff_nn_op_out(const NNOpArgs *a, int i, const int64_t *dims, int nb_dims);
/** ... to that of a tensor. */
int ff_nn_op_out_like(const NNOpArgs *a, int i, const NNTensor *t);
/** Allocate the data of an output whose size was set. */
int ff_nn_op_alloc(const NNOpArgs *a, int i);

/** axis, -rank .. rank-1, to 0 .. rank-1, or AVERROR_INVALIDDATA with a message */
int ff_nn_op_axis(const NNOpArgs *a, int64_t axis, int rank);
/**
 * A set of axes as a bit mask: from input i (if it is there) or node.axes.
 * @return 1: the input has no data; *mask is 0 where neither is given
 */
int ff_nn_op_axes(const NNOpArgs *a, int i, int rank, unsigned *mask);
/**
 * An input that must be a list of at most max integers.
 * @return their number, AVERROR, or -1 - *no data* as AVERROR(EAGAIN)
 */
int ff_nn_op_list(const NNOpArgs *a, int i, const int64_t **v, int max);

/** Steps in values from one index to the next of each dimension, row-major. */
static inline void nn_strides(const int64_t *dims, int nb_dims, int64_t *stride)
{
    int64_t s = 1;

    for (int i = nb_dims - 1; i >= 0; i--) {
        stride[i] = s;
        s *= dims[i];
    }
}

/** Product of dims[from .. to-1]. */
static inline int64_t nn_span(const NNTensor *t, int from, int to)
{
    int64_t n = 1;

    for (int i = from; i < to; i++)
        n *= t->dims[i];
    return n;
}

/** dims of the result of broadcasting; @return rank or -1: do not fit */
int ff_nn_broadcast(int64_t *dims, const int64_t *a, int nb_a, const int64_t *b, int nb_b);

/** Steps of t for walking over dims (0 where it is broadcast). */
void ff_nn_broadcast_strides(const NNTensor *t, int nb_dims, int64_t *stride);

/**
 * Go to the next row of a walk over dims[0 .. nb-2], the last dimension being the
 * caller's: index[] counts, off[k] are moved by stride[k].
 * @return 0 at the end
 */
int ff_nn_next_row(const int64_t *dims, int nb_dims, int64_t *index, int64_t *off,
                   const int64_t (*stride)[NN_NET_DIMS], int nb);

/** Sliding windows: padding made explicit and output size, for CONV, CONV_TRANSPOSE and pools. */
typedef struct NNWindow {
    int     kernel[2], stride[2], dilation[2], pad[4];
    int64_t out[2];
} NNWindow;
/** @param kernel as in the node, or that of the weights */
int ff_nn_window(const NNOpArgs *a, NNWindow *w, const int kernel[2]);

/** The input position that position o of an axis repeats, for RESIZE of mode nearest. */
int64_t ff_nn_resize_nearest(const NNNetNode *n, int64_t o, float scale, int64_t in, int64_t out);

/** Apply node.act in place. @param slopes of PRELU, or NULL */
void ff_nn_act_apply(const NNNetNode *n, const NNTensor *slopes, NNTensor *t);

/** The tables' functions, by file. */
#define NN_OP_FN(name) int ff_nn_infer_##name(const NNOpArgs *a); int ff_nn_eval_##name(const NNOpArgs *a)
/* nn_op_math.c */
NN_OP_FN(unary);
NN_OP_FN(binary);
NN_OP_FN(compare);
NN_OP_FN(where);
NN_OP_FN(prelu);
NN_OP_FN(clip);
NN_OP_FN(cast);
NN_OP_FN(norm);
/* nn_op_conv.c, nn_op_pool.c */
NN_OP_FN(conv);
NN_OP_FN(conv_transpose);
NN_OP_FN(pool);
NN_OP_FN(global_pool);
/* nn_op_move.c */
NN_OP_FN(concat);
NN_OP_FN(split);
NN_OP_FN(slice);
NN_OP_FN(pad);
NN_OP_FN(transpose);
NN_OP_FN(expand);
NN_OP_FN(tile);
/* nn_op_shape.c */
NN_OP_FN(reshape);
NN_OP_FN(flatten);
NN_OP_FN(squeeze);
NN_OP_FN(unsqueeze);
NN_OP_FN(identity);
NN_OP_FN(shape);
NN_OP_FN(size);
NN_OP_FN(range);
NN_OP_FN(constant_of_shape);
/* nn_op_index.c */
NN_OP_FN(gather);
NN_OP_FN(gather_elements);
NN_OP_FN(gather_nd);
NN_OP_FN(scatter_nd);
NN_OP_FN(scatter_elements);
/* nn_op_resize.c */
NN_OP_FN(resize);
NN_OP_FN(depth_to_space);
NN_OP_FN(space_to_depth);
/* nn_op_reduce.c */
NN_OP_FN(matmul);
NN_OP_FN(gemm);
NN_OP_FN(softmax);
NN_OP_FN(reduce);
NN_OP_FN(arg_max);
/* nn_op_select.c */
NN_OP_FN(top_k);
NN_OP_FN(nms);
NN_OP_FN(non_zero);

#endif /* AVFILTER_NN_OP_H */
