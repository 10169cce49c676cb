/*
 * highlight: the formulas of a blurred plane
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

#ifndef AVFILTER_HIGHLIGHT_BLUR_PX_H
#define AVFILTER_HIGHLIGHT_BLUR_PX_H

/**
 * @file
 * Blur by a triangle in each direction, rows first:
 *
 *     m(x, y) = part(sum over |i| <= ry of (ry + 1 - |i|) p(x, y + i), ry + 1)
 *     q(x, y) = out(part(sum over |i| <= rx of (rx + 1 - |i|) m(x + i, y), rx + 1))
 *
 * with the nearest sample inside for samples outside of the plane. m has 16
 * bits. In C a triangle is two boxes one after the other; sums are whole
 * numbers, so that any order of adding gives the same.
 */

#include "px.h"

#define HL_BLUR_MAX 63          ///< radius: the sum of weights is then 64^2, and sums fit 28 bits

/** factor of hl_px_blur_part() for a sum of weights of n^2, n <= 64 */
PX_FN unsigned hl_px_blur_factor(int n)
{
    return ((1u << 31) + n * n / 2) / (n * n);
}

/** sum over n^2 as a mean with 16 bits. @param up  16 - depth of what was summed */
PX_FN int hl_px_blur_part(unsigned sum, unsigned factor, int up)
{
    const unsigned long long v = ((unsigned long long)sum * factor + (1u << (30 - up))) >> (31 - up);

    return v > 65535 ? 65535 : (int)v;
}

PX_FN int hl_px_blur_out(int v, int up, int max)
{
    return px_clip((v + (1 << up >> 1)) >> up, 0, max);
}

#endif /* AVFILTER_HIGHLIGHT_BLUR_PX_H */
