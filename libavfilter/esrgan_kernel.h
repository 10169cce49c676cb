/*
 * Super-resolution on CUDA frames: what host and kernels agree on
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

#ifndef AVFILTER_ESRGAN_KERNEL_H
#define AVFILTER_ESRGAN_KERNEL_H

/**
 * @file
 * Parameters of the kernels in vf_esrgan_cuda.cu. Addresses are of the device.
 * Filters are those of nn_resample.h, first down columns, then along rows, in
 * fp32, as esrgan has them on the CPU.
 */

#include "px_cuda.h"

/** A component of a frame. */
typedef struct SrComp {
    unsigned char *data;        ///< its first sample
    long long stride;           ///< bytes
    int step;                   ///< samples from pixel to pixel
    int bytes, shift;           ///< of a sample; code = sample >> shift
    int w, h;
    int chroma;                 ///< takes the second pair of filters
    float lo, hi, max;          ///< codes that the net's result, that any result may have
} SrComp;

typedef struct SrAxis {
    const int   *pos;           ///< NULL: output i is input i
    const float *coef;          ///< [n_out][taps]
    int taps;
} SrAxis;

typedef struct SrFilters {
    SrAxis h[2], v[2];          ///< of luma (RGB, gray, alpha), of chroma
} SrFilters;

/** esrgan_in: frame -> fp32 RGB 0..1, padded by mirroring to aw x ah; a thread does a pixel. */
typedef struct SrIn {
    SrComp    comp[3];
    SrFilters f;
    float    *out[3];
    long long stride;           ///< floats
    int nb_color;               ///< 1 or 3
    int nw, nh, aw, ah;
    float m[3][4];              ///< rgb = m[0..2] * codes + m[3]
} SrIn;

/** esrgan_out: codes of the net's result and the input frame -> frame; a thread does a
 *  sample, blockIdx.z is the component. */
typedef struct SrOut {
    struct {
        SrComp src, dst;
        const float *net;       ///< NULL: the frame alone
        int fill;               ///< a sample of the pixel so far from this one is set to 255; 0: none
    } comp[4];
    SrFilters out, plain;
    long long stride;           ///< of net, floats
    float strength;             ///< 0: the frame alone .. 1: the net alone
} SrOut;

/** K(name, type of its params) for each, in the order of enum SrKernel */
#define ESRGAN_CUDA_KERNELS(K) \
    K(esrgan_in,  SrIn)        \
    K(esrgan_out, SrOut)

enum SrKernel { SR_IN, SR_OUT };

#endif /* AVFILTER_ESRGAN_KERNEL_H */
