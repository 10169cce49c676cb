/*
 * Engine onednn: parts shared by its two executors
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

#ifndef AVFILTER_NN_ONEDNN_H
#define AVFILTER_NN_ONEDNN_H

/**
 * @file
 * nn_onednn.c        opens graphs, keeps primitives and packed weights
 * nn_onednn_chain.c  chains of 3x3 convolutions (SRVGGNetCompact), in strips
 * nn_onednn_graph.c  any other graph, a whole tile at a time
 *
 * All that changes while running belongs to a slot, apart from the packed
 * weights, which are made once under a lock.
 */

#include "libavutil/thread.h"

#include "nn_dnnl.h"
#include "nn_engine.h"
#include "nn_strip.h"

/** A primitive and the shape it was made for. */
typedef struct NNPrim {
    NNConvShape shape;
    NNConv     *conv;
} NNPrim;

/** The packed weights that a node used last, and for which primitive. */
typedef struct NNLastUse {
    const NNConv *conv;
    const void   *packed;
} NNLastUse;

typedef struct NNSlot {
    NNDnnl    *dnnl;
    NNPrim    *prims;
    int        nb_prims;
    NNLastUse *last;            ///< by node
    uint8_t   *scratch;         ///< oneDNN's
    size_t     scratch_size;
    uint8_t   *buf;             ///< the executor's
    size_t     buf_size;
} NNSlot;

typedef struct NNChain NNChain;
typedef struct NNPlan  NNPlan;

struct NNEngineContext {
    const NNGraph    *g;
    const NNStripDSP *dsp;
    void             *log;
    enum NNPrecision  precision;
    int               type;         ///< NNType of activations
    size_t            l2;           ///< bytes of cache that a core has for itself
    NNPacked        **packed;       ///< by node
    float           **bias;         ///< by node: zeros where the node has none
    float           **slope;        ///< by node: of any activation
    AVMutex           lock;         ///< guards packed
    int               lock_made;
    NNSlot           *slots;
    int               nb_slots;
    NNChain          *chain;        ///< one of the two executors
    NNPlan           *plan;
};

/** Zeroed shape of node's convolution; h, w, pads and types are the caller's. */
NNConvShape ff_onednn_shape(const NNEngineContext *ctx, int node);
/** Whether oneDNN may apply the node's activation itself. */
int ff_onednn_post_act(const NNNode *n);
/** Run node's convolution, making the primitive at first use. */
int ff_onednn_conv(NNEngineContext *ctx, NNSlot *s, int node, const NNConvShape *shape,
                   const void *src, void *dst);
/** Make the slot's buffer at least so large; its content is lost. */
int ff_onednn_reserve(NNSlot *s, size_t size);

/** @return 0, AVERROR(ENOSYS) if the graph is no chain */
int    ff_onednn_chain_open(NNEngineContext *ctx);
int    ff_onednn_chain_run(NNEngineContext *ctx, NNSlot *s, const NNTile *t);
size_t ff_onednn_chain_scratch(const NNEngineContext *ctx, int w, int h);
void   ff_onednn_chain_close(NNEngineContext *ctx);

int    ff_onednn_graph_open(NNEngineContext *ctx);
int    ff_onednn_graph_run(NNEngineContext *ctx, NNSlot *s, const NNTile *t);
size_t ff_onednn_graph_scratch(const NNEngineContext *ctx, int w, int h);
void   ff_onednn_graph_close(NNEngineContext *ctx);

#endif /* AVFILTER_NN_ONEDNN_H */
