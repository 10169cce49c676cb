/*
 * highlight: one frame, all planes, by slice threads
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

#ifndef AVFILTER_HIGHLIGHT_RENDER_H
#define AVFILTER_HIGHLIGHT_RENDER_H

#include "libavutil/frame.h"

#include "avfilter.h"
#include "highlight_blur.h"
#include "highlight_row.h"
#include "highlight_tab.h"

/** Buffers of one thread. */
typedef struct HighlightScratch {
    HighlightBlurScratch blur;
    HighlightRow row[4];        ///< by plane
    uint8_t *q;                 ///< a row of the second source
    unsigned q_size;
} HighlightScratch;

typedef struct HighlightRender {
    PxLayout          layout;
    HighlightTables   tables;
    HighlightScratch *scratch;  ///< one a thread
    int               nb_scratch;
    uint8_t          *blurred[4]; ///< a plane each
    unsigned          blurred_size[4];
} HighlightRender;

/** r is zeroed, or was initialised before. @return 0, AVERROR(ENOSYS) or AVERROR(ENOMEM) */
int  ff_highlight_render_init(HighlightRender *r, enum AVPixelFormat fmt, int nb_threads);

/**
 * @param out  may be in, if that is writable
 * @return 0 or AVERROR(ENOMEM)
 */
int  ff_highlight_render(HighlightRender *r, AVFilterContext *ctx, AVFrame *out, const AVFrame *in,
                         const HighlightScene *s, int dither);
void ff_highlight_render_free(HighlightRender *r);

#endif /* AVFILTER_HIGHLIGHT_RENDER_H */
