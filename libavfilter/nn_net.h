/*
 * Nets of any shape: the graph of an ONNX file or of a detector's checkpoint
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


#ifndef AVFILTER_NN_NET_H
#define AVFILTER_NN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "libavutil/dict.h"
#include "nn.h"

/**
 * @file
 * NNGraph (nn.h) is a picture-to-picture net that works on tiles of any size.
 * NNNet is what the rest of the world exports: N-dimensional tensors, several
 * outputs, shapes computed by nodes. How one gets from a file to boxes:
 *
 *   file --nn_onnx*.c / nn_load_yolo.c--> NNNet as in the file (sizes may be open)
 *        --ff_nn_net_shape()--> NNNet of one input size: shape arithmetic folded away,
 *                               dead nodes dropped, batch norm and activations fused
 *        --nn_net_<engine>.c--> run
 *
 * An NNNet that is a fully convolutional picture-to-picture net becomes an NNGraph
 * by ff_nn_graph_from_net(), so that esrgan's engines and tiles take it.
 *
 * Where the size of a tensor is known only when the values are (NonMaxSuppression,
 * NonZero), its node and all that depend on it are NNNetNode.dynamic: every engine
 * hands them to ff_nn_op_eval(), the plain C evaluator, which also folds constants
 * and is the whole of the engine `ref`.
 */

#define NN_NET_DIMS 8

/** bool, int8..int64, uint8.. of files all become I64; half, bf16, double: F32. */
enum NNValueType { NN_VAL_F32, NN_VAL_I64 };

/** An N-dimensional array. */
typedef struct NNTensor {
    enum NNValueType type;
    int      nb_dims;               ///< 0 (a scalar) .. NN_NET_DIMS; -1: not even that is known
    int64_t  dims[NN_NET_DIMS];     ///< outermost first; >= 0 (empty tensors are legal); -1: not known
    int64_t  nb;                    ///< product of dims; -1 where one is not known
    void    *data;                  ///< nb values, row-major, float or int64_t; NULL: not known yet
} NNTensor;

/** ONNX's names, one each; nn_op*.c has a table with name and rules of each. */
enum NNNetOp {
    NN_OP_CONV, NN_OP_CONV_TRANSPOSE, NN_OP_BATCH_NORM, NN_OP_MAX_POOL, NN_OP_AVG_POOL, NN_OP_GLOBAL_AVG_POOL,
    NN_OP_RELU, NN_OP_LEAKY_RELU, NN_OP_PRELU, NN_OP_SIGMOID, NN_OP_SILU, NN_OP_HARD_SIGMOID, NN_OP_HARD_SWISH,
    NN_OP_TANH, NN_OP_EXP, NN_OP_LOG, NN_OP_SQRT, NN_OP_NEG, NN_OP_ABS, NN_OP_FLOOR, NN_OP_CEIL, NN_OP_ROUND,
    NN_OP_RECIPROCAL, NN_OP_NOT, NN_OP_ERF, NN_OP_CLIP,
    NN_OP_ADD, NN_OP_SUB, NN_OP_MUL, NN_OP_DIV, NN_OP_POW, NN_OP_MOD, NN_OP_MIN, NN_OP_MAX,
    NN_OP_EQUAL, NN_OP_LESS, NN_OP_LESS_EQUAL, NN_OP_GREATER, NN_OP_GREATER_EQUAL, NN_OP_AND, NN_OP_OR, NN_OP_WHERE,
    NN_OP_CONCAT, NN_OP_SPLIT, NN_OP_SLICE, NN_OP_PAD, NN_OP_TRANSPOSE, NN_OP_RESHAPE, NN_OP_FLATTEN, NN_OP_SQUEEZE,
    NN_OP_UNSQUEEZE, NN_OP_EXPAND, NN_OP_TILE, NN_OP_GATHER, NN_OP_GATHER_ELEMENTS, NN_OP_GATHER_ND, NN_OP_SCATTER_ND,
    NN_OP_SCATTER_ELEMENTS, NN_OP_RESIZE, NN_OP_DEPTH_TO_SPACE, NN_OP_SPACE_TO_DEPTH,
    NN_OP_MATMUL, NN_OP_GEMM, NN_OP_SOFTMAX, NN_OP_REDUCE_MAX, NN_OP_REDUCE_MIN, NN_OP_REDUCE_SUM, NN_OP_REDUCE_MEAN,
    NN_OP_ARG_MAX, NN_OP_TOP_K, NN_OP_NON_MAX_SUPPRESSION, NN_OP_NON_ZERO,
    NN_OP_SHAPE, NN_OP_SIZE, NN_OP_RANGE, NN_OP_CONSTANT, NN_OP_CONSTANT_OF_SHAPE, NN_OP_CAST, NN_OP_IDENTITY,
    NN_OP_NB
};

/** Activations that ff_nn_net_shape() fuses into the node before. */
enum NNNetAct {
    NN_NACT_NONE, NN_NACT_RELU, NN_NACT_LRELU /* alpha */, NN_NACT_SILU, NN_NACT_SIGMOID,
    NN_NACT_CLIP /* lo, hi */, NN_NACT_HARD_SWISH, NN_NACT_PRELU /* in[3]: the slopes, an F32 constant [c] */,
};

/**
 * One operation. Inputs and outputs are indices into NNNet.values; -1 marks an
 * optional one that is absent. Attributes not used by the op are 0.
 */
typedef struct NNNetNode {
    enum NNNetOp op;
    char     name[NN_MAX_NAME];     ///< for messages
    const char *file;               ///< for messages: the net's, borrowed from NNNet.file; NULL = none
    int     *in, nb_in;             ///< owned. CONV after fusion: x, weight, bias or -1, slopes or -1
    int     *out, nb_out;           ///< owned
    int      opset;                 ///< rules that changed with the operator set

    /* CONV, CONV_TRANSPOSE, pools: 2-D only (1-D is widened to it by the loader) */
    int      kernel[2], stride[2], dilation[2], pad[4]; ///< y, x; top, left, bottom, right (auto_pad resolved)
    int      group;
    int      ceil_mode, count_pad;  ///< pools
    /* the rest */
    int      axis, nb_axes;         ///< axis may be < 0 as in the file until shaped
    int64_t  axes[NN_NET_DIMS];     ///< TRANSPOSE: perm; REDUCE_*, SQUEEZE, UNSQUEEZE: axes where in[1] is absent;
                                    ///< SHAPE: start, end
    float    alpha, beta;           ///< LEAKY_RELU, HARD_SIGMOID, GEMM; CLIP: lo, hi where in[1], in[2] are absent;
                                    ///< BATCH_NORM: epsilon; RESIZE: cubic coefficient
    int      flags;                 ///< NN_NODE_* below
    int      mode, coord, nearest;  ///< RESIZE: enum NNResize*; DEPTH_TO_SPACE: mode 1 = CRD
    int      block;                 ///< DEPTH_TO_SPACE, SPACE_TO_DEPTH
    int      to;                    ///< CAST: ONNX's data type number
    enum NNNetAct act;              ///< CONV, ADD, ...: applied last; set by fusion only
    float    act_alpha, act_beta;   ///< LRELU: slope; CLIP: lo, hi

    int      dynamic;               ///< output sizes depend on values: evaluated by ff_nn_op_eval()
} NNNetNode;

#define NN_NODE_KEEPDIMS   1
#define NN_NODE_TRANS_A    2
#define NN_NODE_TRANS_B    4
#define NN_NODE_LARGEST    8
#define NN_NODE_SORTED    16
#define NN_NODE_ALLOWZERO 32
#define NN_NODE_EXCLUSIVE 64        ///< RESIZE: exclude_outside
#define NN_NODE_CENTER   128        ///< NON_MAX_SUPPRESSION: boxes are centre, width, height
#define NN_NODE_FMOD     256        ///< MOD: sign of the dividend
#define NN_NODE_SAME_UP  512        ///< CONV, pools: auto_pad, in a net that is not shaped; pad is 0
#define NN_NODE_SAME_LOW 1024

enum NNResizeMode    { NN_RESIZE_NEAREST, NN_RESIZE_LINEAR, NN_RESIZE_CUBIC };
enum NNResizeCoord   { NN_COORD_HALF_PIXEL, NN_COORD_ASYMMETRIC, NN_COORD_ALIGN_CORNERS, NN_COORD_PYTORCH_HALF_PIXEL };
enum NNResizeNearest { NN_NEAREST_ROUND_PREFER_FLOOR, NN_NEAREST_ROUND_PREFER_CEIL, NN_NEAREST_FLOOR, NN_NEAREST_CEIL };

/** A tensor between nodes. A constant has data. */
typedef struct NNNetValue {
    char     name[NN_MAX_NAME];
    NNTensor t;                     ///< t.data owned: initializers and folded constants
    int      node;                  ///< the node that makes it; -1: input or constant
} NNNetValue;

typedef struct NNNet {
    NNNetValue *values;
    NNNetNode  *nodes;              ///< in an order in which they can be run
    int         nb_values, nb_nodes;
    int         input;              ///< value: the picture, N x C x H x W, F32
    int        *outputs, nb_outputs;///< values
    int         shaped;             ///< made by ff_nn_net_shape(): all sizes known except of dynamic ones
    AVDictionary *meta;             ///< metadata_props of the file ("names", "stride", "task", ...), or what
                                    ///< a checkpoint says under the same names
    char       *file;               ///< for messages; owned; NULL = none
    char        arch[64];           ///< for people: "ONNX opset 17, pytorch 2.1, 233 nodes"
    int64_t     nb_weights;
    int64_t     macs;               ///< multiply-adds of one image; 0 until shaped
} NNNet;

/* ---- files ---------------------------------------------------------------- */

/** ONNX; every length, index and shape checked. @return as ff_nn_load_* */
int  ff_nn_load_onnx(NNNet **net, const NNBlob *b, void *log);
/** An Ultralytics YOLOv8/11 detection checkpoint; AVERROR_PATCHWELCOME says how to export ONNX. */
int  ff_nn_load_yolo_pt(NNNet **net, const NNBlob *b, void *log);
/** Either, found from the content. */
int  ff_nn_net_load(NNNet **net, const char *path, void *log);
void ff_nn_net_free(NNNet **net);

/** As ff_nn_model_ref: one copy per process and file (path, size, mtime). */
int  ff_nn_net_ref(const NNNet **net, const char *path, void *log);
void ff_nn_net_unref(const NNNet **net);

/* ---- shapes, fusion ------------------------------------------------------- */

/**
 * Copy a net for one input size. The copy shares nothing with src.
 * @param n images a run; a net whose batch size is fixed to 1 refuses others with
 *          AVERROR(EINVAL) without a message (run it n times)
 * @param c,h,w channels and size; where the file fixes them they must agree, else
 *          a message with the file's size and AVERROR(EINVAL)
 */
int  ff_nn_net_shape(NNNet **dst, const NNNet *src, int n, int c, int h, int w, void *log);

/** What the file says of its input: each -1 where it is open. */
void ff_nn_net_input(const NNNet *net, int64_t nchw[4]);

/** Fuse CONV + BATCH_NORM, CONV/ADD + activation, SIGMOID + MUL -> SILU; part of ff_nn_net_shape(). */
int  ff_nn_net_fuse(NNNet *net, void *log);

/** A picture-to-picture net as esrgan's graph; AVERROR_PATCHWELCOME names node and op that do not fit. */
int  ff_nn_graph_from_net(NNGraph **g, const NNNet *net, const char *name, void *log);

/* ---- evaluation ------------------------------------------------------------ */

/**
 * Evaluate one node. Inputs have data (absent ones are NULL pointers); outputs are
 * allocated here (av_malloc; the caller frees out[i].data).
 * @return AVERROR_INVALIDDATA with a message that names the node: sizes do not fit
 */
int  ff_nn_op_eval(const NNNetNode *node, const NNTensor *const *in, NNTensor *out, void *log);

/** The same for sizes alone: fills type, nb_dims, dims, nb of out; data of inputs is used where the
 *  sizes depend on it, and if it is not there out becomes unknown and 1 is returned. */
int  ff_nn_op_infer(const NNNetNode *node, const NNTensor *const *in, NNTensor *out, void *log);

/** "Conv"; @return NULL if out of range */
const char *ff_nn_op_name(enum NNNetOp op);

/* ---- engines ---------------------------------------------------------------- */

#include "nn_engine.h"

typedef struct NNNetContext NNNetContext;

/** Runs shaped nets. run() of different slots may be under way at once. */
typedef struct NNNetEngine {
    const char *name;               ///< "ref", "onednn"
    /** @param threads that one run may use (cfg->nb_slots runs are under way at once)
     *  @return 0; AVERROR(ENOSYS) = not me; anything else is final */
    int  (*open)(NNNetContext **ctx, const NNNet *net, const NNConfig *cfg, int threads);
    /**
     * @param in  N x C x H x W, as the net's input
     * @param out nb_outputs tensors; their data belong to the slot and stay valid until
     *            its next run or close; always plain row-major fp32 or int64
     */
    int  (*run)(NNNetContext *ctx, int slot, const float *in, NNTensor *out);
    void (*close)(NNNetContext **ctx);
    enum NNPrecision (*precision)(const NNNetContext *ctx);
} NNNetEngine;

extern const NNNetEngine ff_nn_net_engine_ref;
extern const NNNetEngine ff_nn_net_engine_onednn;

typedef struct NNNetRunner {
    const NNNetEngine *engine;
    NNNetContext      *ctx;
} NNNetRunner;

/** As ff_nn_runner_open(): "auto" takes the first that takes the net, logged at verbose level. */
int  ff_nn_net_open(NNNetRunner *r, const char *engine, const NNNet *net, const NNConfig *cfg, int threads);
void ff_nn_net_close(NNNetRunner *r);

#endif /* AVFILTER_NN_NET_H */
