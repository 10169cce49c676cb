/*
 * highlight: from a scene to the tables of its pixels
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

#ifndef AVFILTER_HIGHLIGHT_TAB_H
#define AVFILTER_HIGHLIGHT_TAB_H

#include <stddef.h>
#include <stdint.h>

#include "libavutil/frame.h"

#include "highlight_scene.h"
#include "px_format.h"

/** Zeroed before first use. */
typedef struct HighlightTables {
    uint8_t  *mem;              ///< the block of highlight_px.h
    unsigned  allocated;
    size_t    used;             ///< bytes of it
    HlPxFrame frame;
} HighlightTables;

/**
 * Positions, profiles and colours of a scene, computed in double and rounded
 * once; only + - * / and sqrt, so that machines agree.
 * @param f  size, matrix, range and siting of the frame that is drawn on
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_highlight_tables(HighlightTables *t, const HighlightScene *s, int dither,
                        const PxLayout *l, const AVFrame *f);
void ff_highlight_tables_free(HighlightTables *t);

/** @return 0, or AVERROR(ENOSYS) for a format of which a plane mixes luma and
 *  chroma or that ff_px_layout() does not know */
int ff_highlight_layout(PxLayout *l, enum AVPixelFormat fmt);

/** Which component is at each sample of plane p, -1 for alpha; @return 1 if they are colour differences */
int ff_highlight_components(int comp[4], const PxLayout *l, int p);

/** radius of the blur of a scene in samples of a plane along an axis */
int ff_highlight_radius(int luma, int log2);

#endif /* AVFILTER_HIGHLIGHT_TAB_H */
