/*
 * Nets: graph, weight-file loaders, cache
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

#ifndef AVFILTER_NN_H
#define AVFILTER_NN_H

/**
 * @file
 * How a net gets from a file to pixels:
 *
 *   file --nn_load_*.c--> NNDict --nn_arch.c--> NNGraph --nn_<engine>.c--> run
 *         (or, for ncnn, straight to an NNGraph; for ONNX by way of an NNNet, nn_net.h)
 *
 * A loader knows a container and nothing of nets; nn_arch.c knows nets and
 * nothing of files; an engine (nn_engine.h) knows graphs and tensors and
 * nothing of either, nor of frames.
 *
 * Every size, offset and shape from a file is checked before it is used. What
 * is wrong is said in one line that names the file, and the result is
 * AVERROR_INVALIDDATA (the file is broken or hostile) or AVERROR_PATCHWELCOME
 * (the file is sound, but the net is not one of ours).
 */

#include <stddef.h>
#include <stdint.h>

/* ---- tensors by name ---------------------------------------------------- */

#define NN_MAX_DIMS   4
#define NN_MAX_NAME 160

/** One named tensor of a weight file, converted to fp32. */
typedef struct NNParam {
    char   name[NN_MAX_NAME];   ///< as in the file: "body.0.weight"
    int    nb_dims;             ///< 0 .. NN_MAX_DIMS
    int    dims[NN_MAX_DIMS];   ///< outermost first; each >= 1
    size_t nb;                  ///< product of dims
    float *data;                ///< nb values, row-major, all finite; owned
} NNParam;

/** The tensors of one file ("state dict"), in file order. */
typedef struct NNDict {
    NNParam    *params;
    int         nb_params;
    size_t      nb;             ///< elements of all tensors together
    const char *name;           ///< the file's, for messages; NULL = none
} NNDict;

/* Limits on what a file may ask for; checked before memory is taken. RRDBNet's
 * largest tensor has 110,592 elements, all its 702 together 16.7 million. */
#define NN_MAX_ELEMS  (1 << 26)     ///< elements of one tensor
#define NN_MAX_TOTAL  (1 << 27)     ///< elements of one file
#define NN_MAX_PARAMS 8192          ///< tensors of one file
#define NN_MAX_NODES  16384         ///< nodes of a graph
#define NN_MAX_C      4096          ///< channels of a node

/**
 * Add a tensor; takes a copy of nothing: data is allocated here, zeroed, and
 * returned in the new NNParam for the loader to fill (*out is valid until the
 * next call).
 * @return 0, AVERROR(ENOMEM), AVERROR_INVALIDDATA (name too long, not of
 *         printable ASCII or twice, dimension < 1, a limit above exceeded)
 */
int ff_nn_dict_add(NNDict *d, const char *name, const int *dims, int nb_dims,
                   NNParam **out, void *log);
/** @return the tensor, or NULL */
const NNParam *ff_nn_dict_get(const NNDict *d, const char *name);
void ff_nn_dict_free(NNDict *d);

/* ---- graph --------------------------------------------------------------- */

enum NNOp {
    NN_INPUT,       ///< the picture: c channels
    NN_CONV,        ///< 2-D convolution, square odd kernel, zero padding kernel/2
    NN_ACT,         ///< activation alone (where it could not be fused)
    NN_ADD,         ///< scale[0] * in[0] + scale[1] * in[1], same shape
    NN_CONCAT,      ///< channels of in[0..nb_in-1] one after the other
    NN_UPSAMPLE,    ///< nearest neighbour, factor x factor
    NN_SHUFFLE,     ///< pixel shuffle: out[c][y*f+i][x*f+j] = in[c*f*f + i*f + j][y][x]
    NN_UNSHUFFLE,   ///< its inverse:   out[c*f*f + i*f + j][y][x] = in[c][y*f+i][x*f+j]
};

enum NNAct {
    NN_ACT_NONE,
    NN_ACT_RELU,
    NN_ACT_LRELU,   ///< x >= 0 ? x : alpha * x
    NN_ACT_PRELU,   ///< x >= 0 ? x : slope[c] * x; slopes may lie outside [0,1],
                    ///< so never max(x, slope * x)
};

#define NN_MAX_IN 8

/** One operation. Its output is a tensor of c channels. */
typedef struct NNNode {
    enum NNOp  op;
    int        in[NN_MAX_IN];   ///< indices of earlier nodes, each < own index
    int        nb_in;
    int        c;               ///< output channels
    int        num, den;        ///< output width over net input width = num/den

    /* NN_CONV */
    int        kernel;          ///< 1, 3, 5 or 7
    int        stride;          ///< 1 or 2
    int        groups;          ///< 1, or c for depthwise
    float     *weight;          ///< [c][in_c / groups][kernel][kernel], owned
    float     *bias;            ///< [c], owned; NULL = none

    /* NN_CONV and NN_ACT: applied last */
    enum NNAct act;
    float      alpha;           ///< NN_ACT_LRELU
    float     *slope;           ///< NN_ACT_PRELU: [c], owned

    float      scale[2];        ///< NN_ADD
    int        factor;          ///< NN_UPSAMPLE, NN_SHUFFLE, NN_UNSHUFFLE: 2..4
} NNNode;

/**
 * A net: nodes in an order in which they can be run; node 0 is NN_INPUT, the
 * last node is the output. Immutable once built; shared between filters.
 */
typedef struct NNGraph {
    NNNode *nodes;
    int     nb_nodes;
    int     in_c, out_c;        ///< 3 and 3 for super-resolution
    int     scale;              ///< output size over input size; >= 1
    int     align;              ///< input width and height must be multiples of it
                                ///< (1; 2 or 4 with pixel-unshuffle)
    int     halo;               ///< receptive radius in input pixels: with so many
                                ///< pixels around a tile its output is exact
    int     default_halo;       ///< the halo to use unless exactness is asked for:
                                ///< equal to halo except where that is impractical
                                ///< (RRDBNet; its builder sets it before finish).
                                ///< Both halos are multiples of align
    int64_t macs;               ///< multiply-adds per input pixel
    int64_t nb_weights;         ///< parameters
    char   *script;             ///< owned; a TorchScript file, for engines that run those: then there are no
                                ///< nodes, macs is 0, and the rest was found by running it (nn_torch.h)
    int64_t bytes;              ///< script: memory of a run, by input pixel
    char    arch[64];           ///< for people: "SRVGGNetCompact 64x32 x4"
} NNGraph;

/** Default halo of nets of dense blocks, whose exact one is beyond a tile's
 * size (RRDBNet with 23 blocks: 348); what it costs stands in docs/nets.md. */
#define NN_DENSE_HALO 24

/**
 * Find the architecture from tensor names and shapes and build the graph.
 * Knows SRVGGNetCompact (any features, depth, scale 1..4) and RRDBNet (any
 * features, growth and block count; x4, and x2 / x1 with pixel-unshuffle; old
 * and new tensor names). The dict is read only and may be freed afterwards.
 * @param name the file's name, for messages
 */
int ff_nn_graph_from_dict(NNGraph **g, const NNDict *d, const char *name, void *log);

/**
 * Validate a graph and derive num/den, scale, align, halo, macs, nb_weights
 * and in_c/out_c; every builder ends with it.
 */
int ff_nn_graph_finish(NNGraph *g, const char *name, void *log);

/** Append a zeroed node. @return its index or AVERROR(ENOMEM) */
int ff_nn_graph_append(NNGraph *g, enum NNOp op);

/**
 * out = (1 - t) * a + t * b over all weights, biases and slopes.
 * @param t 0..1
 * @return AVERROR(EINVAL) if the two are not of the same architecture
 */
int ff_nn_graph_mix(NNGraph **out, const NNGraph *a, const NNGraph *b, float t, void *log);

void ff_nn_graph_free(NNGraph **g);

/* ---- files --------------------------------------------------------------- */

/** A file mapped or read into memory. */
typedef struct NNBlob {
    const uint8_t *data;
    size_t         size;
    const char    *name;        ///< for messages
} NNBlob;

int ff_nn_load_safetensors(NNDict *d, const NNBlob *b, void *log); /* AVERROR(ENOSYS) without jansson */
int ff_nn_load_pth(NNDict *d, const NNBlob *b, void *log);
/** param: the .param text; bin: the .bin beside it */
int ff_nn_load_ncnn(NNGraph **g, const NNBlob *param, const NNBlob *bin, void *log);

/**
 * Load a net, whatever its format (found from the content, not the name).
 * @param path a .safetensors, .pth/.pt, .onnx or ncnn .param/.bin file (the other of
 *             the pair is expected beside it), a TorchScript file, or "builtin"
 */
int ff_nn_graph_load(NNGraph **g, const char *path, void *log);

/* ---- process-wide cache --------------------------------------------------- */

/**
 * As ff_nn_graph_load, but one copy per process and file: two filters, or the
 * two graphs that ffmpeg builds for each filtergraph, share it. The file's
 * size and mtime are part of the key. Logs "model loaded" at verbose level only
 * when the file really is read.
 * With wdn_path and 0 <= denoise < 1 the weights are denoise * path +
 * (1 - denoise) * wdn_path (networks of the same architecture; denoise 1, or
 * wdn_path NULL: path alone).
 * Thread safe. Give back with ff_nn_model_unref; the graph lives until then.
 */
int  ff_nn_model_ref(const NNGraph **g, const char *path, const char *wdn_path,
                     float denoise, void *log);
void ff_nn_model_unref(const NNGraph **g);

#endif /* AVFILTER_NN_H */
