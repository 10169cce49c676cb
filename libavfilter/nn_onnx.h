/*
 * Nets of any shape: ONNX files
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

#ifndef AVFILTER_NN_ONNX_H
#define AVFILTER_NN_ONNX_H

#include "nn_net_edit.h"
#include "nn_proto.h"

/**
 * @file
 * What the files of the ONNX loader share:
 *
 *   nn_onnx.c         the model: versions, metadata
 *   nn_onnx_graph.c   its graph: names, order of nodes, inputs, outputs
 *   nn_onnx_tensor.c  initializers and constants
 *   nn_onnx_attr.c    attributes of a node, by name
 *   nn_onnx_op.c      a node of ONNX becomes an NNNetNode; nn_onnx_constant.c: or a value
 *
 * What operator sets did by attributes and do by inputs now (starts of a Slice, axes
 * of a Squeeze, sizes of a Split ...) becomes constant inputs here, so that nothing
 * later knows the old forms. What is not known is refused by name, here.
 */

/** ONNX's numbers of element types. */
enum OnnxType {
    ONNX_FLOAT = 1, ONNX_UINT8, ONNX_INT8, ONNX_UINT16, ONNX_INT16, ONNX_INT32, ONNX_INT64, ONNX_STRING, ONNX_BOOL,
    ONNX_FLOAT16, ONNX_DOUBLE, ONNX_UINT32, ONNX_UINT64, ONNX_COMPLEX64, ONNX_COMPLEX128, ONNX_BFLOAT16,
};

#define ONNX_MAX_ATTRS   32     ///< of a node
#define ONNX_MAX_EDGES 1024     ///< inputs, or outputs, of a node

/** Characters in the file, not terminated. */
typedef struct OnnxStr {
    const char *p;
    size_t      n;
} OnnxStr;

/** The load of one file. */
typedef struct Onnx {
    const char *file;
    void       *log;
    NNNet      *net;
    int         opset;
    int64_t     total;          ///< elements of all tensors so far
} Onnx;

/** A node of the file. */
typedef struct OnnxNode {
    Onnx     *o;
    OnnxStr   name, op, domain;
    OnnxStr   in[ONNX_MAX_EDGES], out[ONNX_MAX_EDGES];
    int       nb_in, nb_out;    ///< without empty ones at the end
    OnnxStr   attr_name[ONNX_MAX_ATTRS];
    NNProto   attr[ONNX_MAX_ATTRS];
    int       nb_attrs;
    uint32_t  used;             ///< attributes that were asked for
    int       err;              ///< first error of the functions below; they log it
} OnnxNode;

static inline int onnx_is(OnnxStr s, const char *text)
{
    size_t n = 0;

    while (n < s.n && text[n] && text[n] == s.p[n])
        n++;
    return n == s.n && !text[n];
}

/** The bytes of a field as characters. */
static inline OnnxStr onnx_str(const NNProtoField *f)
{
    return (OnnxStr){ (const char *)f->sub.p, nn_proto_left(&f->sub) };
}

/** Fill o->net from a GraphProto. */
int ff_onnx_graph(Onnx *o, NNProto m);

/** One line: file and what is wrong. @return AVERROR_INVALIDDATA */
int ff_onnx_broken(const Onnx *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** One line: file, node, what is not supported. Sets and returns n->err unless it is set. */
int ff_onnx_refuse(OnnxNode *n, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** Decode a TensorProto. @param t data owned by the caller @param name may be NULL */
int ff_onnx_tensor(Onnx *o, NNProto m, NNTensor *t, OnnxStr *name);

/* Attributes. Each marks the attribute as known; absent ones give def. Errors are kept in n->err. */
int      ff_onnx_has(OnnxNode *n, const char *name);
/** Known, of no effect here. */
void     ff_onnx_ignore(OnnxNode *n, const char *name);
int64_t  ff_onnx_int(OnnxNode *n, const char *name, int64_t def, int64_t lo, int64_t hi);
float    ff_onnx_float(OnnxNode *n, const char *name, float def);
/** @return how many there are; 0 if absent; -1 after an error */
int      ff_onnx_ints(OnnxNode *n, const char *name, int64_t *v, int max);
int      ff_onnx_floats(OnnxNode *n, const char *name, float *v, int max);
/** @param names possible values, NULL-ended @return index of the value; 0 after an error */
int      ff_onnx_choice(OnnxNode *n, const char *name, const char *def, const char *const *names);
/** @param t filled; data owned by the caller; NULL: absent */
void     ff_onnx_attr_tensor(OnnxNode *n, const char *name, NNTensor *t);
/** Refuse an attribute that nothing has asked for. @return n->err */
int      ff_onnx_attrs_done(OnnxNode *n);

/**
 * Decode op and attributes. @param in values of n->in, -1: absent
 * @return index of the new node in net, AVERROR, or, for Constant, INT_MAX: *t is the value
 */
int ff_onnx_node(OnnxNode *n, const int *in, NNTensor *t);

/** The value of a node Constant. @return INT_MAX or n->err */
int ff_onnx_constant(OnnxNode *n, NNTensor *t);

#endif /* AVFILTER_NN_ONNX_H */
