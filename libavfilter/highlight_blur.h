/*
 * highlight: a blurred plane
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

#ifndef AVFILTER_HIGHLIGHT_BLUR_H
#define AVFILTER_HIGHLIGHT_BLUR_H

#include <stddef.h>
#include <stdint.h>

#include "highlight_blur_px.h"

/** A plane of nc interleaved samples a pixel. */
typedef struct HighlightBlur {
    const uint8_t *src;
    uint8_t   *dst;             ///< not src; samples of as many bytes, not shifted up
    ptrdiff_t src_stride, dst_stride;
    int       w, h, nc;
    int       bytes, depth, shift;
    int       rx, ry;           ///< radii in pixels of the plane, 0..HL_BLUR_MAX
} HighlightBlur;

/** Buffers of one thread; zeroed before first use. */
typedef struct HighlightBlurScratch {
    uint32_t *mem;
    unsigned  size;
} HighlightBlurScratch;

/** Rows [y0, y1). @return 0 or AVERROR(ENOMEM) */
int  ff_highlight_blur(const HighlightBlur *b, HighlightBlurScratch *s, int y0, int y1);
void ff_highlight_blur_free(HighlightBlurScratch *s);

#endif /* AVFILTER_HIGHLIGHT_BLUR_H */
