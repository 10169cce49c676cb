/*
 * Nets on the GPU: what host and kernels agree on
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

#ifndef AVFILTER_NN_CUDA_KERNEL_H
#define AVFILTER_NN_CUDA_KERNEL_H

/**
 * @file
 * Parameters of the kernels in cuda/nn.cu, one struct each. Addresses are of
 * the device.
 *
 * A tensor is fp16, in planes of 8 channels: [channels / 8][height][width][8],
 * so that a pixel's 8 channels are the 16 bytes that ldmatrix and cp.async take
 * at a time, pixels that lie side by side lie side by side in memory, and a
 * concatenation is planes one after the other. Channels of the last plane that
 * the tensor does not have are zero. Plane sizes are counted in pixels of 16
 * bytes. Sums are fp32.
 */

#include "px.h"

typedef unsigned short nn_half;     ///< the bits of an fp16

/* ---- 3x3 convolution on tensor cores -------------------------------------------- */

#define NN_TILE_W     32            ///< pixels; a warp does two rows of it
#define NN_WARP_H      2
#define NN_TAPS        9
#define NN_CHUNK      16            ///< input channels that are in shared memory at a time
#define NN_MAX_NT      8            ///< planes of 8 output channels that a block does
#define NN_MAX_WARPS   8
#define NN_FRAGMENT  512            ///< bytes of the weights of a tap, a chunk and two planes

/**
 * dst = scale * act(conv(src) + bias) + res_scale * res, act(v) = v >= 0 ? v : slope * v.
 *
 * Blocks stay (there are .blocks of them) and take tiles in turn, of NN_TILE_W x
 * NN_WARP_H * warps pixels; blockIdx.z counts groups of nt planes of the output. A
 * tile goes chunk by chunk through a ring of .stages buffers, filled ahead
 * by asynchronous copies. Weights are in shared memory whole (resident) or come
 * with each chunk.
 *
 * Weights: [group][chunk][tap x][tap y][pair of planes][lane][4], each 32 bits,
 * as a lane of mma.m16n8k16 holds them: of plane 0 and of plane 1 input channels
 * 2 * (lane % 4) + {0, 1} and those + 8, of output channel lane / 4.
 */
typedef struct NNConv3 {
    const nn_half *src, *res;       ///< res may be NULL
    nn_half *dst;
    const unsigned *weights;
    const float *bias, *slope;      ///< [groups * nt * 8]
    long long src_plane, dst_plane, res_plane;
    int w, h;                       ///< of dst, and of src after its enlarging
    int src_w;                      ///< of src in memory
    int up;                         ///< src is enlarged by nearest neighbour: 65536 / factor, rounded up
    int src_planes, dst_planes;
    int chunks;
    int tiles_x, tiles;
    int blocks;                     ///< of the launch, in x
    int stages;                     ///< 2 or 3
    int resident;
    float scale, res_scale;
} NNConv3;

PX_FN int nn_conv3_weights(int nt)              ///< bytes for a chunk
{
    return NN_TAPS * ((nt + 1) / 2) * NN_FRAGMENT;
}

PX_FN int nn_conv3_pixels(int warps)            ///< bytes for a chunk of a tile with its border
{
    return NN_CHUNK / 8 * (NN_WARP_H * warps + 2) * (NN_TILE_W + 2) * 16;
}

PX_FN int nn_conv3_shared(int nt, int warps, int chunks, int stages, int resident)
{
    return stages * nn_conv3_pixels(warps) + (resident ? chunks : stages) * nn_conv3_weights(nt);
}

/* ---- the other kernels: a thread does a pixel of a plane -------------------------- */

/** Any convolution; also what nn_conv3 is compared with. blockIdx.z is the plane of dst. */
typedef struct NNConvAny {
    const nn_half *src;
    nn_half *dst;
    const float *weights;           ///< [c][in_c / groups][kernel][kernel]
    const float *bias, *slope;      ///< [c], rounded up to 8
    long long src_plane, dst_plane;
    int w, h;                       ///< of dst
    int src_w, src_h;
    int c, in_c, groups, kernel, stride;
} NNConvAny;

enum { NN_GATHER_COPY, NN_GATHER_UPSAMPLE, NN_GATHER_SHUFFLE, NN_GATHER_UNSHUFFLE };

/** Channels first .. first + nb - 1 of dst, which are 0 .. nb - 1 of what op makes of src. */
typedef struct NNGather {
    const nn_half *src;
    nn_half *dst;
    long long src_plane, dst_plane;
    int w, h;                       ///< of dst
    int src_w;
    int op, factor;
    int first, nb;
    int pad;                        ///< zeros follow up to the end of the last plane
} NNGather;

/** dst = act(scale[0] * a + scale[1] * b); dst may be a or b. blockIdx.z is the plane. */
typedef struct NNSum {
    const nn_half *a, *b;           ///< b may be NULL
    nn_half *dst;
    long long a_plane, b_plane, dst_plane;
    const float *slope;             ///< NULL: none
    int w, h;
    float scale[2];
} NNSum;

/**
 * fp32 planes -> a tensor of one plane: with lo, channels c .. 2c-1 are what
 * rounding to fp16 left of channels 0 .. c-1.
 */
typedef struct NNPut {
    const float *in[4];
    nn_half *dst;
    long long in_stride;            ///< floats
    int w, h, c, lo;
} NNPut;

/**
 * A tensor -> fp32 planes. On the way: pixel shuffle; an enlarged picture is
 * added; a matrix makes codes of values clipped to 0..1.
 */
typedef struct NNGet {
    const nn_half *src;
    const float *skip[4];           ///< NULL: none
    float *out[4];
    int *flag;                      ///< set to mark where a value is not finite; NULL: not looked for
    long long src_plane, skip_stride, out_stride;
    int src_w;
    int shuffle, skip_factor;       ///< >= 1
    int x, y;                       ///< of out's first sample in the net's result
    int w, h, c;                    ///< of out
    int mark, codes;
    float scale, skip_scale;
    float m[4][4];                  ///< code = m[0..2] * rgb + m[3]
} NNGet;

/** K(name, type of its params) for each, in the order of enum NNCudaKernel */
#define NN_CUDA_KERNELS(K)      \
    K(nn_conv3_8,  NNConv3)     \
    K(nn_conv3_16, NNConv3)     \
    K(nn_conv3_24, NNConv3)     \
    K(nn_conv3_32, NNConv3)     \
    K(nn_conv3_48, NNConv3)     \
    K(nn_conv3_64, NNConv3)     \
    K(nn_conv_any, NNConvAny)   \
    K(nn_gather,   NNGather)    \
    K(nn_sum,      NNSum)       \
    K(nn_put,      NNPut)       \
    K(nn_get,      NNGet)

enum NNCudaKernel {
    NN_CUDA_CONV3,                          ///< the first of them
    NN_CUDA_CONV_ANY = NN_CUDA_CONV3 + 6,
    NN_CUDA_GATHER, NN_CUDA_SUM, NN_CUDA_PUT, NN_CUDA_GET,
    NN_CUDA_NB
};

#endif /* AVFILTER_NN_CUDA_KERNEL_H */
