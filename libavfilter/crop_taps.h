/*
 * Resampling kernels and tables of weights for one axis of a plane
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


#ifndef AVFILTER_CROP_TAPS_H
#define AVFILTER_CROP_TAPS_H

/**
 * @file
 * Positions and weights are computed here, in double, once a frame, and
 * rounded once to integers; crop_px.h only multiplies and adds.
 *
 * Model of an axis: source sample j sits at coordinate j, output sample i
 * at start + i * step. step > 1 shrinks: the kernel is widened by step, so
 * that what the output cannot show is averaged and not aliased.
 */

#include <stdint.h>

#define CROP_PHASE_BITS 11      ///< positions inside a source sample, when not shrinking
#define CROP_LUT_RES  1024      ///< samples of the kernel curve per unit

enum CropKernelType {
    CROP_BILINEAR,  ///< triangle
    CROP_BICUBIC,   ///< Keys' cubic with a = -0.5: keeps straight ramps straight, so that a
                    ///< slow pan does not wobble (libswscale's default -0.6 does)
    CROP_LANCZOS,   ///< windowed sinc, three lobes
    CROP_AREA,      ///< exact mean over the footprint of the output sample
    CROP_KERNELS
};

/** A kernel ready for use; no pointers, may be copied. */
typedef struct CropKernel {
    enum CropKernelType type;
    int     support;                        ///< half width in source samples: 1, 2 or 3
    double  lut[3 * CROP_LUT_RES + 2];      ///< the curve over [0, support], then 0
    int16_t phase[((1 << CROP_PHASE_BITS) + 1) * 6]; ///< weights by phase, 2 * support each
} CropKernel;

void ff_crop_kernel_init(CropKernel *k, enum CropKernelType type);

/** Weights of all output samples of one axis. Zeroed before first use. */
typedef struct CropAxis {
    int      n;         ///< weights per output sample: 1 or even
    int      nb;        ///< output samples
    int      uniform;   ///< pos[i] == pos[0] + i, and all weights as of sample 0
    int      shrinks;   ///< the kernel is widened
    int      lo, hi;    ///< all taps lie in [lo, hi)
    int     *pos;       ///< [nb] first source sample; may lie outside of the plane
    int16_t *coef;      ///< [nb * n] weights; n of them sum to 1 << CROP_COEF_BITS
    unsigned pos_size, coef_size;
} CropAxis;

/**
 * Fill a for nb output samples over a plane of size source samples.
 * Windows that lie wholly outside are moved to just outside, where every
 * sample has the same value.
 * @param start  coordinate of output sample 0
 * @param step   > 0
 * @return 0, AVERROR(ENOMEM), or AVERROR(ERANGE) for a step that no count of taps holds
 */
int ff_crop_axis_build(CropAxis *a, const CropKernel *k, double start,
                       double step, int nb, int size);
void ff_crop_axis_free(CropAxis *a);

#endif /* AVFILTER_CROP_TAPS_H */
