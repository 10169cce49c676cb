/*
 * highlight: one row of a plane
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

#ifndef AVFILTER_HIGHLIGHT_ROW_H
#define AVFILTER_HIGHLIGHT_ROW_H

/**
 * @file
 * The C loops over the formulas of highlight_px.h. A row is cut where it
 * meets rims: between them factors and offsets are the same, and one vector
 * loop does all; along a rim they are made sample by sample for the same loop.
 */

#include <stddef.h>
#include <stdint.h>

#include "highlight_px.h"

#define HL_RUN 96               ///< samples with factors of their own; whole pixels of 1 to 4 samples

/** One plane. Borrows everything. */
typedef struct HighlightPlane {
    const uint8_t *src;
    uint8_t   *dst;             ///< may be src
    ptrdiff_t src_stride, dst_stride;
    int       w, h;             ///< pixels
    int       nc;               ///< samples a pixel
    int       comp[4];          ///< component of each sample, or -1: leave it alone
    int       bytes, depth, shift;
    int       set, look;        ///< indices as in highlight_px.h
    const uint8_t *q;           ///< second source, in samples like src but not shifted up; or NULL
    ptrdiff_t q_stride;
} HighlightPlane;

/** Factors and offsets of a run of samples. */
typedef struct HighlightRun {
    int     k[HL_RUN], w[HL_RUN], o[HL_RUN];       ///< of samples of more than 8 bits
    int16_t k16[HL_RUN], w16[HL_RUN], o16[HL_RUN]; ///< of 8-bit samples
    /* of a cached run */
    int       valid, phase;
    HlPxMix   mix;
} HighlightRun;

/** The factors at the rim of one ellipse with nothing else there, by index of its weights. */
typedef struct HighlightMemo {
    const HlPxDraw *draw;
    int     arc;                ///< for which they hold
    uint8_t have[HL_INDICES];
    HlPxMix mix[HL_INDICES];
} HighlightMemo;

/** Of one thread and one plane of one frame; ff_highlight_row_reset() before its first row. */
typedef struct HighlightRow {
    HighlightRun  flat[2];      ///< for what lies outside of all, and for the rest
    HighlightRun  rim;
    HighlightMemo memo;
} HighlightRow;

void ff_highlight_row_reset(HighlightRow *state);

/** @return whether the plane differs from the source anywhere: the effect changes it, or something is drawn */
int  ff_highlight_touches(const HlPxFrame *p, const unsigned char *mem, const HighlightPlane *plane);

/**
 * Row y of dst.
 * @param q  the row of the second source, or NULL where there is none
 */
void ff_highlight_row(const HighlightPlane *plane, const HlPxFrame *p, const unsigned char *mem,
                      HighlightRow *state, int y, const uint8_t *q);

#endif /* AVFILTER_HIGHLIGHT_ROW_H */
