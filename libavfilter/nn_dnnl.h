/*
 * Convolutions by oneDNN, versions 2.x and 3.x
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

#ifndef AVFILTER_NN_DNNL_H
#define AVFILTER_NN_DNNL_H

/**
 * @file
 * The only door to oneDNN: nn_dnnl.c and nn_dnnl_net.c alone include its headers,
 * whose C API differs between 2.x and 3.x.
 *
 * Tensors have no gaps (oneDNN 2.6 runs strided ones by its reference code, a
 * thousand times slower); NNConvShape's are NHWC. Everything here runs between
 * ff_dnnl_enter() and ff_dnnl_leave(), on the calling thread alone unless
 * ff_dnnl_enter_threads() allowed more.
 */

#include <stddef.h>
#include "nn.h"

enum NNType { NN_F32, NN_BF16, NN_U8 };
#define NN_TYPE_SIZE(t) ((t) == NN_F32 ? 4 : (t) == NN_BF16 ? 2 : 1)

/** What a convolution primitive is made for; compared bytewise, so zero it first. */
typedef struct NNConvShape {
    int ic, oc;
    int h, w;               ///< input rows (those of the padding not counted), columns
    int pad_h, pad_w;       ///< zero rows above and below, columns left and right
    int kernel, stride, groups;
    int src, dst;           ///< NNType; weights are of src's, bias and sums fp32
    int act;                ///< 1: x < 0 ? alpha * x : x follows
    float alpha;
} NNConvShape;

static inline int ff_dnnl_out_h(const NNConvShape *s)
{
    return (s->h + 2 * s->pad_h - s->kernel) / s->stride + 1;
}

static inline int ff_dnnl_out_w(const NNConvShape *s)
{
    return (s->w + 2 * s->pad_w - s->kernel) / s->stride + 1;
}

typedef struct NNDnnl     NNDnnl;       ///< engine and stream of one slot
typedef struct NNConv     NNConv;       ///< one primitive and its arguments, of one slot
typedef struct NNPacked   NNPacked;     ///< the weights of one layer in oneDNN's layouts, shared

/** @return 1 if the CPU multiplies bf16 natively (AVX512_BF16 or AMX) */
int ff_dnnl_native_bf16(void);
/** @return 1 if that is also faster than fp32: what "auto" should take */
int ff_dnnl_fast_bf16(void);
/** oneDNN's version, for people */
const char *ff_dnnl_version(void);

/* One thread: oneDNN's OpenMP takes its thread count from the calling thread. */
/** @return 0 where oneDNN runs on an OpenMP whose thread count cannot be set from here */
int  ff_dnnl_threads_reached(void);
int  ff_dnnl_enter(void);               ///< @return what ff_dnnl_leave() restores
void ff_dnnl_leave(int saved);
/** As ff_dnnl_enter() for so many threads, among them the calling one. */
int  ff_dnnl_enter_threads(int threads);
/** Call fn(arg, i, n) for i = 0 .. n-1, by oneDNN's threads where they can be had; n is how many
 *  ff_dnnl_enter_threads() allowed, at most max. */
void ff_dnnl_parallel(void (*fn)(void *arg, int i, int n), void *arg, int max);

int  ff_dnnl_open(NNDnnl **d, void *log);
void ff_dnnl_close(NNDnnl **d);

/**
 * Make a primitive. Slow (code is generated): keep it.
 * @return 0, AVERROR(ENOSYS) (oneDNN knows no such convolution), AVERROR_EXTERNAL
 */
int  ff_dnnl_conv_create(NNConv **c, NNDnnl *d, const NNConvShape *s, void *log);
void ff_dnnl_conv_free(NNConv **c);
/** scratch memory it needs */
size_t ff_dnnl_conv_scratch(const NNConv *c);
/** oneDNN's name of the kernel: "brgconv:avx512_core_amx" */
const char *ff_dnnl_conv_impl(const NNConv *c);

/**
 * Weights [oc][ic/groups][k][k] in the layout that this primitive wants. Kept
 * in *list, which callers of several threads must guard together; a packed
 * layout lives until ff_dnnl_packed_free().
 */
int  ff_dnnl_pack(const void **packed, NNPacked **list, NNDnnl *d, const NNConv *c,
                  const float *weight);
void ff_dnnl_packed_free(NNPacked **list);

/** dst = conv(src): bias holds oc values, always */
int  ff_dnnl_conv_run(NNConv *c, NNDnnl *d, const void *src, const void *packed,
                      const float *bias, void *dst, void *scratch);

/* ---- convolutions of nets of any shape: nn_dnnl_net.c ------------------------- */

enum NNBlockLayout { NN_LAYOUT_NCHW, NN_LAYOUT_NHWC, NN_LAYOUT_BLOCK8, NN_LAYOUT_BLOCK16 };

enum NNConvAct { NN_CACT_NONE, NN_CACT_RELU, NN_CACT_SILU, NN_CACT_SIGMOID, NN_CACT_CLIP, NN_CACT_HARD_SWISH };

/** One image; channels of blocked layouts are multiples of the block. */
typedef struct NNNetConvShape {
    int ic, oc, groups;
    int h, w, oh, ow;
    int kernel[2], stride[2], dilation[2];  ///< y, x; dilation 1 = dense
    int pad[4];                             ///< top, left, bottom, right
    int src_layout, dst_layout;             ///< NNBlockLayout
    int src, dst;                           ///< NNType; NN_U8: weights are signed bytes
    int act;                                ///< NNConvAct
    float alpha, beta;                      ///< RELU: slope below 0; CLIP: lo, hi
} NNNetConvShape;

/**
 * As ff_dnnl_conv_create(); the rest of ff_dnnl_conv_* and ff_dnnl_pack() take it too.
 * AVERROR(ENOSYS) also where oneDNN has nothing but its reference code, without a message.
 */
int  ff_dnnl_netconv_create(NNConv **c, NNDnnl *d, const NNNetConvShape *s, void *log);

/** channels that oneDNN's kernels of this CPU take at once in blocked layouts: 8 or 16;
 *  0: they want NHWC for this type */
int  ff_dnnl_block(int type);
/** @return 1 if oneDNN multiplies bytes by the CPU's own instructions (AVX512_VNNI, AMX) */
int  ff_dnnl_native_int8(void);

/** c = a * b of row-major m x k and k x n matrices; ta, tb: that one is transposed in memory */
int  ff_dnnl_matmul(float *c, const float *a, const float *b, int m, int n, int k, int ta, int tb);

#endif /* AVFILTER_NN_DNNL_H */
