/*
 * The way of a picture through a net
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


#ifndef AVFILTER_ESRGAN_PIC_H
#define AVFILTER_ESRGAN_PIC_H

#include "nn_frame.h"
#include "nn_resample.h"

/**
 * @file
 * Buffers and resamplers between a frame, a net and a frame:
 *
 *   input planes --in--> RGB 0..1, net picture (nw x nh, padded to aw x ah)
 *     --net--> RGB, scale times as large --matrix--> codes, in place
 *     --out--> output planes
 *   input planes --plain--> output planes   (alpha; strength < 1; no net at all)
 *
 * Each arrow is one separable resampler per plane, which does all at once:
 * prescale, chroma siting, the step from the net's factor to the one asked for.
 * Of the net's result only a window of rows is kept; it slides down the picture.
 *
 * Functions that take y0, y1 work on these rows only and may run at the same
 * time on distinct rows, each with its own slot.
 */

typedef struct ESRGANGeometry {
    int iw, ih;                 ///< input frame
    int ow, oh;                 ///< output frame
    int nw, nh;                 ///< what the net sees; 0 = no net
    int scale, align;           ///< of the net
    enum NNKernel kernel;
} ESRGANGeometry;

/** horizontal and vertical filter, for luma (RGB, gray, alpha) and for chroma */
typedef struct ESRGANFilters {
    NNFilter h[2], v[2];
} ESRGANFilters;

typedef struct ESRGANPic {
    ESRGANGeometry geo;
    NNFormat       fmt;
    int            aw, ah;
    double         siting[2];       ///< for which the filters were made
    ESRGANFilters  in, out, plain;

    float         *rgb[3];          ///< net input, ah rows of rgb_stride
    ptrdiff_t      rgb_stride;

    float         *net[3];          ///< window of the net's result
    ptrdiff_t      net_stride;
    int            net_rows;        ///< rows that the window holds
    int            net_first;       ///< row of the result that lies first in it

    float        **scratch;         ///< a few rows for each slot
    int            row_len, nb_slots;
} ESRGANPic;

/**
 * @param nb_slots 0: no memory for pictures, only what ff_esrgan_pic_start() works out
 * @return 0 or AVERROR; free with ff_esrgan_pic_uninit() in any case
 */
int  ff_esrgan_pic_init(ESRGANPic *p, const ESRGANGeometry *geo,
                        enum AVPixelFormat fmt, int nb_slots, void *log);
void ff_esrgan_pic_uninit(ESRGANPic *p);

/** Make the window hold so many rows of the net's result, or all if that is less. */
int  ff_esrgan_pic_window(ESRGANPic *p, int rows, void *log);

/** Look at a new input frame's colour; start at the top of the picture. */
int  ff_esrgan_pic_start(ESRGANPic *p, const AVFrame *in, void *log);

/** Rows of the net's input, 0 .. ah. */
void ff_esrgan_pic_in(ESRGANPic *p, const AVFrame *in, int slot, int y0, int y1);

/** Sample (x, y) of plane c of the net's result; y in the window. */
float *ff_esrgan_pic_net(const ESRGANPic *p, int c, int x, int y);

/** Turn a rectangle of the net's result into codes. @return 0 if it holds NaN or infinity */
int  ff_esrgan_pic_codes(ESRGANPic *p, int x, int y, int w, int h);

/** How many output rows can be made when rows 0 .. done-1 of the result are there. */
int  ff_esrgan_pic_ready(const ESRGANPic *p, int done);

/** The result's first row that output rows from y on need. */
int  ff_esrgan_pic_needs(const ESRGANPic *p, int y);

/** Slide the window: rows before first are not needed any more, those before done stay. */
void ff_esrgan_pic_slide(ESRGANPic *p, int first, int done);

/**
 * Output rows y0 .. y1-1; y0 even in subsampled formats.
 * @param strength 0 (plain resampling alone) .. 1 (net alone)
 */
void ff_esrgan_pic_out(ESRGANPic *p, const AVFrame *in, AVFrame *out, float strength,
                       int slot, int y0, int y1);

#endif /* AVFILTER_ESRGAN_PIC_H */
