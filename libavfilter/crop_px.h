/*
 * Resampling of a crop window: the formulas of one sample
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


#ifndef AVFILTER_CROP_PX_H
#define AVFILTER_CROP_PX_H

/**
 * @file
 * An output sample is a weighted sum of nx columns of ny rows of the source,
 * columns first or rows first. Weights are integers made on the host (crop_taps.h), their
 * sum is exactly 1 << CROP_COEF_BITS in each direction, and a sample outside
 * of the plane is either the nearest one inside or the pad value.
 *
 * Two sets of formulas, chosen by crop_px_is_narrow():
 *
 * narrow: 8-bit samples and at most CROP_NARROW_TAPS taps. All in 16 bits:
 *   sample << 7  --one direction-->  sample * 64  --the other-->  sample * 32
 *   each product rounded to that grid. The sums of |weights| of our kernels
 *   stay under 1.6 in one direction, so nothing leaves 16 bits: at most
 *   1.3 * 16320 after the first, 1.8 * 8160 after the second.
 *
 * wide: anything else. Samples are brought to 16 bits between the two
 *   directions, sums are 32 bits and rounded once in each direction. At most
 *   1.8 * 2^30 after the second.
 *
 * Both return the sample itself where the weight of one tap is 1 << 14.
 */

#include "px.h"

#define CROP_COEF_BITS   14
#define CROP_NARROW_TAPS 32

PX_FN int crop_px_is_narrow(int depth, int nx, int ny)
{
    return depth == 8 && nx <= CROP_NARROW_TAPS && ny <= CROP_NARROW_TAPS;
}

PX_FN int crop_px_narrow_in(int p)
{
    return p << 7;
}

/** one tap, of columns as well as of rows */
PX_FN int crop_px_narrow_tap(int acc, int v, int coef)
{
    return (short)(acc + px_mulr15(v, coef));
}

PX_FN int crop_px_narrow_out(int acc)
{
    /* short all along: the vectoriser then stays in 16 bits */
    short v = (short)(acc + 16) >> 5;

    v = v < 0 ? 0 : v;
    return v > 255 ? 255 : v;
}

/** partial sums may wrap, the whole sum does not leave 32 bits; where vectors
 *  run on past the end of a row, anything may come: so unsigned to the end */
PX_FN int crop_px_wide_tap(int acc, int v, int coef)
{
    return (int)((unsigned)acc + (unsigned)v * (unsigned)coef);
}

/** sum over the first direction -> what the second takes; up = 16 - depth */
PX_FN int crop_px_wide_mid(int acc, int up)
{
    return (int)((unsigned)acc + (1u << (13 - up))) >> (14 - up);
}

PX_FN int crop_px_wide_out(int acc, int up, int max)
{
    return px_clip((int)((unsigned)acc + (1u << (13 + up))) >> (14 + up), 0, max);
}

/** A plane as the formulas see it; of interleaved samples, one component. */
typedef struct CropPxPlane {
    const void *data;   ///< first sample of the component
    long stride;        ///< from row to row, in bytes
    int  w, h;          ///< in samples
    int  step;          ///< from sample to sample of the component, in samples
    int  bytes;         ///< per sample: 1 or 2
    int  depth, shift;  ///< bits that count, and how far up they sit
    int  pad;           ///< value outside, or -1: the nearest sample inside
} CropPxPlane;

PX_FN int crop_px_load(const CropPxPlane *p, int x, int y)
{
    const unsigned char *row;

    if (p->pad >= 0 && (x < 0 || y < 0 || x >= p->w || y >= p->h))
        return p->pad;
    x   = px_clip(x, 0, p->w - 1) * p->step;
    row = (const unsigned char *)p->data + p->stride * px_clip(y, 0, p->h - 1);
    return p->bytes == 1 ? row[x] : ((const unsigned short *)row)[x] >> p->shift;
}

/**
 * The definition of one output sample, as a CUDA thread computes it. The C
 * loops of crop_resample.c do the same in another order, to the same bytes.
 * @param x, y        first column and row
 * @param rows_first  which direction is summed first
 * @return the sample, before it is shifted up
 */
PX_FN int crop_px_sample(const CropPxPlane *p, int x, int nx, const short *cx,
                         int y, int ny, const short *cy, int rows_first)
{
    const int narrow = crop_px_is_narrow(p->depth, nx, ny), up = 16 - p->depth;
    const int ni = rows_first ? ny : nx, nj = rows_first ? nx : ny;
    const short *ci = rows_first ? cy : cx, *cj = rows_first ? cx : cy;
    int acc = 0;

    for (int j = 0; j < nj; j++) {
        int first = 0;
        for (int i = 0; i < ni; i++) {
            const int v = rows_first ? crop_px_load(p, x + j, y + i) : crop_px_load(p, x + i, y + j);
            first = narrow ? crop_px_narrow_tap(first, crop_px_narrow_in(v), ci[i])
                           : crop_px_wide_tap(first, v, ci[i]);
        }
        acc = narrow ? crop_px_narrow_tap(acc, first, cj[j])
                     : crop_px_wide_tap(acc, crop_px_wide_mid(first, up), cj[j]);
    }
    return narrow ? crop_px_narrow_out(acc) : crop_px_wide_out(acc, up, (1 << p->depth) - 1);
}

/** Where a rotated plane is sampled: coordinates of the source, 32 bits of
 *  fraction; +0.5 / 2^CROP_ROT_BITS is already in u0 and v0. */
typedef struct CropPxRot {
    long long u0, v0;           ///< of sample (0, 0)
    long long ux, vx;           ///< from a sample to the next one
    long long uy, vy;           ///< from a row to the next one
} CropPxRot;

#define CROP_ROT_BITS 11        ///< phases of a sample, as in crop_taps.h

/** @param phase  weights by phase, n (even) each */
PX_FN int crop_px_rotated(const CropPxPlane *p, const CropPxRot *r, int x, int y,
                          const short *phase, int n)
{
    const long long u = (r->u0 + r->ux * x + r->uy * y) >> (32 - CROP_ROT_BITS);
    const long long v = (r->v0 + r->vx * x + r->vy * y) >> (32 - CROP_ROT_BITS);
    const int mask = (1 << CROP_ROT_BITS) - 1;

    return crop_px_sample(p, (int)(u >> CROP_ROT_BITS) - (n / 2 - 1), n, phase + (u & mask) * n,
                             (int)(v >> CROP_ROT_BITS) - (n / 2 - 1), n, phase + (v & mask) * n, 0);
}

#endif /* AVFILTER_CROP_PX_H */
