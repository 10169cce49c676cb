/*
 * Engine onednn for nets of any shape: parts shared by its files
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

#ifndef AVFILTER_NN_NET_ONEDNN_H
#define AVFILTER_NN_NET_ONEDNN_H

/**
 * @file
 * nn_net_onednn.c      opens a net, runs the steps of its plan
 * nn_net_plan.c        the plan: where values lie, who reads them until when
 * nn_net_plan_op.c     nodes -> steps
 * nn_net_plan_pic.c    pools and sizes -> steps
 * nn_net_plan_conv.c   convolutions -> steps
 * nn_net_plan_quant.c  convolutions in int8 -> steps
 * nn_net_plan_move.c   nodes that only move values -> steps, or nothing at all
 * nn_net_block.c       steps on blocks of channels
 * nn_net_plain.c       steps on row-major arrays
 * nn_net_quant.c       steps of int8
 * nn_net_rows.[ch]     the vector loops; nn_net_quant_rows.c, nn_net_quant.h: those of int8
 *
 * A value lies in memory row-major ("plain"), or, if it is N x C x H x W, in blocks of
 * channels, [C / b][H][W][b], as oneDNN's convolutions like it best: b = 16 or 8, or
 * b = C (that is NHWC) where AMX wants it. Channels beyond C are there, and finite.
 * Some values lie in both ways; a step converts where it is first needed.
 *
 * With blocks, cutting or joining channels costs nothing: the parts of a
 * concatenation are computed where it lies, if they are of whole blocks.
 *
 * Blocks hold fp32 or bf16; plain arrays fp32 or int64.
 *
 * int8: values stay fp32. A dense convolution reads a copy of its input in bytes, NHWC,
 * with the padding around it: byte = round(x / scale) + zero. Scale and zero come from
 * the range of the image at hand, so that nothing depends on what was run before. The
 * steps that compute a value note its range on the way; what has none is searched.
 * Rounded weights are off by a little, always to the same side: times the mean of their
 * input channel that is a shift of the whole output channel, which the bias takes back.
 */

#include "nn_dnnl.h"
#include "nn_net.h"
#include "nn_strip.h"

enum { NN_PLAIN, NN_BLOCK, NN_QUANT, NN_NB_LAYOUTS };

/** Where a value lies in one of the layouts. */
typedef struct NNRep {
    int     made;               ///< a step before writes it
    int     parent;             ///< it is a part of this rep; -1: it has memory of its own
    int64_t offset;             ///< bytes from the parent's start
    int     type;               ///< blocks: NNType
    int     b, nb;              ///< blocks: channels in one, blocks; bytes: channels, 1; plain: 0
    int64_t size;               ///< bytes of one image, plain: of all
    int     first, last;        ///< steps that use it, of the root
    int64_t pos;                ///< of the root, in the slot's arena
    int     where;              ///< of the root: NN_AT_*
} NNRep;

enum { NN_AT_ARENA, NN_AT_INPUT, NN_AT_CONST, NN_AT_DYNAMIC };

#define NN_REP(value, layout) ((value) * NN_NB_LAYOUTS + (layout))

typedef struct NNNetSlot NNNetSlot;
typedef struct NNStep    NNStep;

#define NN_MAX_THREADS 256
#define NN_MAX_MATS 64           ///< matrices of one product; more go to ff_nn_op_eval()

/** What a step works on at run time. */
typedef struct NNView {
    uint8_t *data;
    int64_t  img;               ///< bytes from image to image (blocks)
} NNView;

struct NNStep {
    int  (*run)(NNNetSlot *s, const NNStep *st);
    int    node;                ///< of the net; -1: a change of layout
    int   *reps, nb_reps;       ///< all that it touches: outputs first
    int    nb_out;
    void  *p;                   ///< what run() needs; owned
    int    conv;                ///< index into NNNetSlot.convs; -1: none
    int    track;               ///< it notes the range of its output in NNNetSlot.ranges
};

/** int8: what a run found in one image of a value. */
typedef struct NNRange {
    float lo, hi;               ///< of all its elements and 0
    float scale;                ///< of its NN_QUANT: element = (byte - zero) * scale
    int   zero;
} NNRange;

/** What a convolution in int8 needs beside NNPlanConv; arrays behind the struct. */
typedef struct NNQuantConv {
    int    x0, y0;              ///< column of its output, row of its input, where the picture begins
    int    oh, ow;              ///< of the picture; the shape is of a strip of it
    int64_t means;              ///< as in NNQuantParams
    int    act;                 ///< NNNetAct
    float  alpha, beta;
    float *scale, *sum, *bias;  ///< by output channel: weights' scale, sum of their bytes; bias
    float *lost;                ///< [shape.ic][shape.oc]: weights, less what their bytes say, over the kernel
} NNQuantConv;

/** One convolution of the plan; primitives belong to slots, weights to all. */
typedef struct NNPlanConv {
    NNNetConvShape shape;
    float    *weight;           ///< padded to blocks, until packed
    float    *bias;
    NNPacked *packed;
    const void *data;           ///< in packed
    size_t    scratch;
    int       act;              ///< NNNetAct that follows by our own loop
    NNQuantConv *q;             ///< int8; NULL: none
    size_t    extra;            ///< scratch for our own loops, behind oneDNN's
} NNPlanConv;

struct NNNetContext {
    const NNNet      *net;
    const NNStripDSP *dsp;
    void             *log;
    enum NNPrecision  precision;
    int               type;     ///< NNType of blocks
    int               b;        ///< channels in a block; 0: all (NHWC)
    int               threads;
    int               n;        ///< images
    NNRep            *reps;     ///< by NN_REP; behind them one an output, for copies
    int              *outs;     ///< by output: the rep that run() hands out
    int              *use;      ///< by value: how many nodes and outputs read it
    uint8_t          *want;     ///< by value: it ends in a convolution, so blocks are right for it
    NNStep           *steps;
    int               nb_steps;
    NNPlanConv       *convs;
    int               nb_convs;
    int64_t           arena;    ///< bytes a slot needs
    size_t            scratch;  ///< bytes that oneDNN and steps need beside
    NNNetSlot        *slots;
    int               nb_slots;
    int64_t          *times;    ///< by step, us, the least: FFREEL_NET_TIMES, for one slot
};

struct NNNetSlot {
    const NNNetContext *ctx;
    NNDnnl      *dnnl;
    NNConv     **convs;
    uint8_t     *arena, *scratch;
    size_t       scratch_size;
    const float *in;
    NNTensor    *dyn;           ///< by value: those of sizes not known before
    NNRange     *ranges;        ///< by value and image; NULL unless int8
};

/* ---- nn_net_plan.c: used while the plan is made ---------------------------------- */

/** Fills ctx's plan. @return AVERROR(ENOSYS) if oneDNN has nothing for this net */
int  ff_nn_plan(NNNetContext *ctx, NNDnnl *dnnl);
void ff_nn_plan_free(NNNetContext *ctx);

/** Append a step; reps: nb_out outputs, then inputs; p is taken even on failure. */
int  ff_nn_plan_step(NNNetContext *ctx, int (*run)(NNNetSlot *, const NNStep *), int node,
                     const int *reps, int nb_reps, int nb_out, void *p);
/** Make sure that a value lies in a layout. @return its rep, AVERROR */
int  ff_nn_plan_need(NNNetContext *ctx, int value, int layout);
/** Declare that the steps to come write a value in a layout. @return its rep */
int  ff_nn_plan_make(NNNetContext *ctx, int value, int layout);
/** Value is a part of rep, or all of it; it need not be made yet. */
int  ff_nn_plan_alias(NNNetContext *ctx, int value, int layout, int rep, int64_t offset);
/** @return the rep with memory that this one is in; *offset: from there */
int  ff_nn_plan_root(const NNNetContext *ctx, int rep, int64_t *offset);
/** Whether a value can lie in blocks: N x C x H x W, fp32, not empty. */
int  ff_nn_plan_blocky(const NNNetContext *ctx, int value);
/** Whether a node of one input should work on blocks: they are there, or what comes after wants them. */
int  ff_nn_plan_in_blocks(const NNNetContext *ctx, const NNNetNode *n);
static inline int ff_nn_plan_has(const NNNetContext *ctx, int value, int layout)
{
    return ctx->reps[NN_REP(value, layout)].made;
}

/** nn_net_plan_op.c: any node */
int  ff_nn_plan_node(NNNetContext *ctx, NNDnnl *dnnl, int node);
/** nn_net_plan_move.c: concatenations, parts, permutations, other dims */
int  ff_nn_plan_move(NNNetContext *ctx, int node);
/** nn_net_plan_pic.c */
int  ff_nn_plan_pool(NNNetContext *ctx, int node);
int  ff_nn_plan_resize(NNNetContext *ctx, int node);
/** nn_net_plan_conv.c @return AVERROR(ENOSYS): not for oneDNN */
int  ff_nn_plan_conv(NNNetContext *ctx, NNDnnl *dnnl, int node);
/** nn_net_plan_quant.c; s: the node's convolution with its real channels
 *  @return AVERROR(ENOSYS): better in fp32 */
int  ff_nn_plan_qconv(NNNetContext *ctx, NNDnnl *dnnl, int node, const NNNetConvShape *s,
                      const float *weight, const float *bias);

/* ---- at run time ------------------------------------------------------------------- */

NNView ff_nn_view(const NNNetSlot *s, int rep);
/** A value as a plain tensor. */
NNTensor ff_nn_tensor(const NNNetSlot *s, int value);

/* ---- steps: nn_net_block.c, nn_net_plain.c; each with its parameters -------------------- */

/** NNPackParams: blocks -> a plain array with its own distances, and back */
typedef struct NNPackParams {
    int     c, h, w;
    int64_t offset, img, ch;    ///< plain side, in floats: start, image to image, channel to channel
} NNPackParams;
int ff_nn_step_unpack(NNNetSlot *s, const NNStep *st);
int ff_nn_step_pack(NNNetSlot *s, const NNStep *st);

/** Channels from c0 on of in[1] to channels from d0 on of in[0] */
typedef struct NNChanParams {
    int c, c0, d0;
    int hw;
    int last;                   ///< no channels of in[0] follow
} NNChanParams;
int ff_nn_step_channels(NNNetSlot *s, const NNStep *st);

/** Pools over blocks; the node has all that is not here */
typedef struct NNPoolParams {
    int h, w, oh, ow;
} NNPoolParams;
/** bytes that one thread needs */
size_t ff_nn_pool_scratch(const NNPoolParams *p, int b);
int ff_nn_step_pool(NNNetSlot *s, const NNStep *st);

/** Nearest neighbour by tables of source rows and columns */
typedef struct NNNearParams {
    int oh, ow, h, w;
    int *y, *x;                 ///< oh, ow entries, behind the struct
} NNNearParams;
int ff_nn_step_nearest(NNNetSlot *s, const NNStep *st);

/** out = act(op(a, b)) or act(a), over blocks of one shape */
typedef struct NNElemParams {
    int   op;                   ///< NNRowOp; NN_ROW_NONE: b is absent
    int   act;                  ///< NNNetAct
    float alpha, beta;
    int64_t nb;                 ///< values of an image
} NNElemParams;
/** PReLU in place: slopes by channel, padded, behind the struct */
typedef struct NNSlopeParams {
    int    hw;
    float *slope;
} NNSlopeParams;
int ff_nn_step_prelu(NNNetSlot *s, const NNStep *st);
int ff_nn_step_block_elem(NNNetSlot *s, const NNStep *st);

int ff_nn_step_conv(NNNetSlot *s, const NNStep *st);

#define NN_MAX_RANGES 16         ///< values whose ranges make up another's; with more it is searched

/** blocks of fp32 -> bytes; the range of from[] is that of the value, nb_from 0: search it */
typedef struct NNQuantParams {
    int c;                      ///< bytes of a pixel
    int64_t means;              ///< behind them, bytes from the start: c floats, byte - zero in the mean
    int h, w, margin;           ///< without the margin; pixels on each side
    int nb_from, from[NN_MAX_RANGES];
} NNQuantParams;
int ff_nn_step_quant(NNNetSlot *s, const NNStep *st);
/** bytes that all threads need together */
size_t ff_nn_quant_scratch(const NNQuantParams *p, int threads);
int ff_nn_step_qconv(NNNetSlot *s, const NNStep *st);

/** Ranges that threads find at the same time. */
typedef struct NNRangeJobs {
    float lo[NN_MAX_THREADS], hi[NN_MAX_THREADS];
} NNRangeJobs;
void ff_nn_range_start(NNRangeJobs *r);
/** Extend job's range by nb values. */
void ff_nn_range_add(NNRangeJobs *r, int job, const float *src, int64_t nb);
/** Note it as that of a step's output, image n. */
void ff_nn_range_note(NNNetSlot *s, const NNStep *st, int n, const NNRangeJobs *r);
/** SILU in place, within 7e-4, and its range; nb: a multiple of 16 */
void ff_nn_range_silu(NNRangeJobs *r, int job, float *x, int64_t nb);

/** out = act(op(a, b)) over plain arrays, any broadcasting: dims innermost first, strides in values */
typedef struct NNBroadParams {
    NNElemParams e;
    int     nb_dims;
    int64_t dim[NN_NET_DIMS], a[NN_NET_DIMS], b[NN_NET_DIMS];
} NNBroadParams;
int ff_nn_step_broad(NNNetSlot *s, const NNStep *st);

/** out[o] = in[offset + o . strides]: slices, transpositions, expansions, parts of a concatenation */
typedef struct NNStrideParams {
    int     nb_dims;            ///< innermost first
    int     size;               ///< bytes of a value
    int64_t dim[NN_NET_DIMS], in[NN_NET_DIMS], out[NN_NET_DIMS];
    int64_t in_offset, out_offset;
} NNStrideParams;
/** Drop dimensions of one, merge those that follow each other on both sides. */
void ff_nn_stride_merge(NNStrideParams *p);
int ff_nn_step_strided(NNNetSlot *s, const NNStep *st);

/** Over the middle of outer x n x inner: softmax, largest value */
typedef struct NNAxisParams {
    int64_t outer, n, inner;
} NNAxisParams;
int ff_nn_step_softmax(NNNetSlot *s, const NNStep *st);
int ff_nn_step_reduce_max(NNNetSlot *s, const NNStep *st);

typedef struct NNMatParams {
    int     m, n, k, ta, tb;
    int     nb;                 ///< matrices
    int64_t a[NN_MAX_MATS], b[NN_MAX_MATS];
} NNMatParams;
int ff_nn_step_matmul(NNNetSlot *s, const NNStep *st);

/** 1x1, few outputs, on plain arrays; the node has weights and bias */
int ff_nn_step_small_conv(NNNetSlot *s, const NNStep *st);

/** ff_nn_op_eval() */
int ff_nn_step_eval(NNNetSlot *s, const NNStep *st);

#endif /* AVFILTER_NN_NET_ONEDNN_H */
