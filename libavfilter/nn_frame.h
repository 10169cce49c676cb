/*
 * Frames <-> planar fp32 RGB
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


#ifndef AVFILTER_NN_FRAME_H
#define AVFILTER_NN_FRAME_H

#include "libavutil/frame.h"
#include "libavutil/pixdesc.h"

/**
 * @file
 * What a software frame's samples mean: where each component lies in memory,
 * which matrix and range they have, where chroma is sited. All pixel work is on
 * rows of floats; a component's row is in its own codes (0..255 at 8 bit) until
 * ff_nn_to_rgb() and after ff_nn_from_rgb().
 *
 * Rules for what a frame does not say:
 *   range   YUV limited, yuvj and gray full, RGB full (as swscale does)
 *   matrix  BT.601 (SMPTE 170M), swscale's default, whatever the size
 *   siting  left, as H.264, HEVC and MPEG-2 define it; yuvj centre, as JPEG does
 */

enum NNSample { NN_SAMPLE_U8, NN_SAMPLE_U16, NN_SAMPLE_F32 };

typedef struct NNComp {
    int           plane;
    int           offset;       ///< bytes from the start of a row
    int           step;         ///< samples from pixel to pixel: 1 planar, 2 in NV12
    int           shift;        ///< code = sample >> shift
    int           chroma;       ///< has the size and place of chroma
    enum NNSample type;
    float         max;          ///< largest code; floats have none: FLT_MAX
    float         lo, hi;       ///< codes that a conversion from RGB can give
} NNComp;

typedef struct NNFormat {
    const AVPixFmtDescriptor *desc;
    int    nb_comps;            ///< colour components first, then alpha if there is
    int    nb_color;            ///< 1 or 3
    NNComp comp[4];             ///< R, G, B or Y, Cb, Cr

    /* set by ff_nn_format_color() */
    float  in[3][4];            ///< rgb[i] = in[i][0..2] * codes + in[i][3]
    float  out[3][4];           ///< code[i] = out[i][0..2] * rgb + out[i][3]
    double siting[2];           ///< x, y of the first chroma sample in luma samples
    int    matrix, range, loc;  ///< the enums used, after the rules above
} NNFormat;

/** @return 1 if frames of this format can be read and written */
int ff_nn_format_supported(enum AVPixelFormat fmt);

int ff_nn_format_init(NNFormat *f, enum AVPixelFormat fmt);

/**
 * Take matrix, range and siting from a frame of the format. Cheap.
 * @return AVERROR_PATCHWELCOME with a message for matrices that are none
 *         (YCgCo, ICtCp, constant luminance)
 */
int ff_nn_format_color(NNFormat *f, const AVFrame *frame, void *log);

/** Width (axis 0) or height (axis 1) of a component in a picture of size n. */
int ff_nn_comp_size(const NNFormat *f, int comp, int axis, int n);

/** First byte of row y of a component. */
const uint8_t *ff_nn_comp_row(const NNFormat *f, const AVFrame *frame, int comp, int y);

/** acc[x] += weight * codes of n samples at src */
void ff_nn_add_codes(const NNComp *c, float *acc, const uint8_t *src, float weight, int n);

/** Round codes to nearest, clip them to [lo, hi] and write n samples. */
void ff_nn_store_codes(const NNComp *c, uint8_t *dst, const float *codes,
                       float lo, float hi, int n);

/** code[0..nb_color-1] rows of n -> rgb, clipped to 0..1 (NaN gives 0) */
void ff_nn_to_rgb(const NNFormat *f, float *const rgb[3], const float *const code[3], int n);

/**
 * Clip three rows of RGB to 0..1 and turn them into codes, in place; with one
 * colour component rows 1 and 2 mean nothing afterwards.
 * @return 0 if a value was NaN or infinite
 */
int ff_nn_from_rgb(const NNFormat *f, float *const row[3], int n);

#endif /* AVFILTER_NN_FRAME_H */
