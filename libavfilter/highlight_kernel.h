/*
 * highlight on CUDA frames: what the kernels take
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

#ifndef AVFILTER_HIGHLIGHT_KERNEL_H
#define AVFILTER_HIGHLIGHT_KERNEL_H

#include "highlight_blur_px.h"
#include "highlight_px.h"

/** Addresses are of the device. */
typedef struct HlCudaPlane {
    const unsigned char *src;
    unsigned char *dst;             ///< may be src
    const unsigned char *q;         ///< blurred plane, not shifted up; NULL: none
    long long src_stride, dst_stride, q_stride;
    int w, h;                       ///< pixels
    int nc, comp[4];                ///< samples a pixel: 1, 2 or 4; component of each or -1
    int set, look;
} HlCudaPlane;

/** highlight_draw: a thread does 16 bytes of a row; blockIdx.z is the plane. */
typedef struct HlCudaDraw {
    HlPxFrame frame;
    const unsigned char *mem;
    HlCudaPlane plane[4];
    int bytes, depth, shift;        ///< of a sample
    int luma[4];                    ///< weights of the samples of a pixel of packed RGB, or all 0: as HlPxFrame.luma
} HlCudaDraw;

/** highlight_rows (src -> mid), highlight_columns (mid -> dst): a thread does a sample. */
typedef struct HlCudaBlur {
    const unsigned char *src;
    unsigned short *mid;
    unsigned char *dst;
    long long src_stride, mid_stride, dst_stride;   ///< bytes
    int w, h, nc;
    int bytes, depth, shift;
    int rx, ry;
} HlCudaBlur;

#define HL_CUDA_BYTES 16            ///< of a row that a thread of highlight_draw does

/** K(name, type of its params) for each, in the order of enum HlCudaKernel */
#define HIGHLIGHT_CUDA_KERNELS(K)     \
    K(highlight_draw,    HlCudaDraw)  \
    K(highlight_rows,    HlCudaBlur)  \
    K(highlight_columns, HlCudaBlur)

enum HlCudaKernel { HL_CUDA_DRAW, HL_CUDA_ROWS, HL_CUDA_COLUMNS };

#endif /* AVFILTER_HIGHLIGHT_KERNEL_H */
