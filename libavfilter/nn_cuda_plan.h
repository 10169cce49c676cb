/*
 * Nets on the GPU: a graph as steps, tensors and packed weights
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

#ifndef AVFILTER_NN_CUDA_PLAN_H
#define AVFILTER_NN_CUDA_PLAN_H

/**
 * @file
 * What of a graph becomes which kernel, where tensors lie, and weights in the
 * order in which kernels read them. Knows no device.
 *
 * Not every node is a step: concatenations are planes that lie one after the
 * other where that is possible, nearest upsampling is done by the convolution
 * that reads it, a sum by the convolution before it, and what a net ends with
 * (pixel shuffle, the enlarged picture added) by the step that hands out the result.
 */

#include <stddef.h>
#include <stdint.h>

#include "nn.h"
#include "nn_cuda_kernel.h"

/** Memory for one tensor, or for several that a concatenation joins. */
typedef struct NNCudaRoot {
    int    planes;
    int    num, den;            ///< width over the net's input width
    int    first, last;         ///< steps between which it holds something
    size_t offset;              ///< set by ff_nn_cuda_plan_size()
} NNCudaRoot;

/** The result of a node. */
typedef struct NNCudaTensor {
    int root;                   ///< -1: it is nowhere
    int plane;                  ///< the first of root's
    int planes, c;
    int up;                     ///< it is to be enlarged so much when read; 1: not
} NNCudaTensor;

typedef struct NNCudaStep {
    enum NNCudaKernel kernel;
    int node;                   ///< whose operation it is
    int src, dst, other;        ///< tensors; other: NNConv3.res, NNSum.b; -1: none
    size_t weights, bias, slope;///< offsets in NNCudaPlan.weights; slope of a sum: SIZE_MAX: none
    int nt, groups, chunks;     ///< NN_CUDA_CONV3
    int op, first, nb, pad;     ///< NN_CUDA_GATHER
    float scale[2];
} NNCudaStep;

typedef struct NNCudaPlan {
    const NNGraph *g;           ///< borrowed
    NNCudaTensor *tensors;      ///< one a node
    NNCudaRoot   *roots;
    NNCudaStep   *steps;        ///< the first is NN_CUDA_PUT, the last NN_CUDA_GET
    int nb_roots, nb_steps;
    int lo;                     ///< the picture comes with what its rounding leaves: NNPut.lo
    int shuffle;                ///< NN_CUDA_GET: factor; 1: none
    int skip;                   ///< factor by which the picture is added enlarged; 0: it is not
    uint8_t *weights;
    size_t   weights_size, weights_alloc;
} NNCudaPlan;

/**
 * @return 0; AVERROR(ENOSYS): such a net does not run here, which was logged at
 *         verbose level; AVERROR(ENOMEM)
 */
int  ff_nn_cuda_plan(NNCudaPlan *p, const NNGraph *g, void *log);
void ff_nn_cuda_plan_free(NNCudaPlan *p);

/** Place all tensors for a tile of w x h (nn_cuda_memory.c). @return bytes they need together */
size_t ff_nn_cuda_plan_size(NNCudaPlan *p, int w, int h);

/** to nearest, ties to even (nn_cuda_pack.c) */
nn_half ff_nn_half(float v);

/** append weights of a convolution, in the order of its kernel, to p->weights (nn_cuda_pack.c) */
int ff_nn_cuda_pack(NNCudaPlan *p, NNCudaStep *s, const NNNode *n, int in_c, int lo);
/** append slopes alone: of an activation */
int ff_nn_cuda_pack_slope(NNCudaPlan *p, NNCudaStep *s, const NNNode *n);

#endif /* AVFILTER_NN_CUDA_PLAN_H */
