/*
 * Engines that run nets
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

#ifndef AVFILTER_NN_ENGINE_H
#define AVFILTER_NN_ENGINE_H

#include "nn.h"

/**
 * @file
 * An engine turns a tile of the input picture into a tile of the output
 * picture. It sees planar fp32 tensors, never frames: colour conversion, tiling
 * and resampling are the filter's. It treats the edge of the tile it is given as
 * the edge of the picture (zero padding), so the filter hands over a halo where
 * the picture goes on, and names that halo in NNTile.left, top,
 * right and bottom.
 *
 * Threads: an engine makes none. The filter's slice threads call run() at the
 * same time, each with its own slot; all scratch memory belongs to a slot. The
 * exception are engines over libraries that cut a picture among threads of their
 * own (own_threads).
 * The result does not depend on slot, thread count or tiling (the latter
 * within the bounded contract of docs/engines.md).
 */

enum NNPrecision {
    NN_PREC_AUTO,       ///< the fastest that keeps the bounded contract
    NN_PREC_FP32,
    NN_PREC_BF16,
    NN_PREC_FP16,
    NN_PREC_INT8,
    NN_PREC_NB
};

typedef struct NNConfig {
    enum NNPrecision precision;
    int   nb_slots;     ///< how many run() calls may be under way at once; >= 1
    void *log;          ///< AVClass context for av_log
    const char *device; ///< "cpu", "cuda", "1" (a CUDA device); NULL = the engine's own. Borrowed during open
    struct AVFilterContext *filter; ///< whose device engine cuda uses (-filter_hw_device); NULL: it says "not me"
    const char *kernels;            ///< folder of engine cuda's kernels, or NULL
} NNConfig;

/**
 * One run: in (w x h) -> out. Output sample (0,0) belongs to input pixel
 * (left, top); out is (w - left - right) * scale wide,
 * (h - top - bottom) * scale high. Layers need not compute what only the
 * margins depend on.
 */
typedef struct NNTile {
    const float *in[4];         ///< one plane a channel; values 0..1, not clipped here
    ptrdiff_t    in_stride;     ///< floats from row to row
    int          w, h;          ///< multiples of NNGraph.align
    int          left, top, right, bottom; ///< margins, input pixels, multiples of align
    float       *out[4];        ///< one plane a channel; not clipped by the engine
    ptrdiff_t    out_stride;    ///< floats from row to row
} NNTile;

typedef struct NNEngineContext NNEngineContext;

typedef struct NNEngine {
    const char *name;           ///< option value: "ref", "onednn"
    /**
     * Prepare a graph (borrowed; it outlives the context).
     * @return 0; AVERROR(ENOSYS) = "not me" (this build, CPU, graph or
     *         precision): the next engine is asked; anything else is final
     */
    int  (*open)(NNEngineContext **ctx, const NNGraph *g, const NNConfig *cfg);
    /** @return 0 or AVERROR; thread safe for distinct slots 0 .. nb_slots-1 */
    int  (*run)(NNEngineContext *ctx, int slot, const NNTile *t);
    void (*close)(NNEngineContext **ctx);
    /** bytes of scratch that one slot needs for a w x h tile, 0 = negligible;
     *  for the filter's choice of tile size */
    size_t (*scratch)(const NNEngineContext *ctx, int w, int h);
    /** what it really runs in, after NN_PREC_AUTO was resolved */
    enum NNPrecision (*precision)(const NNEngineContext *ctx);
    int scripts;                ///< runs NNGraph.script and nothing else; 0: runs nodes
    int own_threads;            ///< run() uses nb_slots threads itself: it is best called for one
                                ///< tile at a time, the largest possible, from one thread
} NNEngine;

extern const NNEngine ff_nn_engine_ref;
extern const NNEngine ff_nn_engine_onednn;
extern const NNEngine ff_nn_engine_torch;
extern const NNEngine ff_nn_engine_cuda;

/** An opened engine. */
typedef struct NNRunner {
    const NNEngine  *engine;
    NNEngineContext *ctx;
} NNRunner;

/**
 * Open the named engine, or with "auto" the first in the order of speed that
 * takes the graph; the choice is logged at verbose level.
 * @return AVERROR(ENOSYS) with a message if none does
 */
int  ff_nn_runner_open(NNRunner *r, const char *engine, const NNGraph *g, const NNConfig *cfg);
void ff_nn_runner_close(NNRunner *r);

/** "auto", "fp32", "bf16", "fp16", "int8" */
const char *ff_nn_precision_name(enum NNPrecision p);

#endif /* AVFILTER_NN_ENGINE_H */
