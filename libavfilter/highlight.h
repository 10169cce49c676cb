/*
 * highlight: what the filters on software and on CUDA frames have in common
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

#ifndef AVFILTER_HIGHLIGHT_H
#define AVFILTER_HIGHLIGHT_H

#include <stdint.h>

#include "avfilter.h"
#include "frame_clock.h"
#include "highlight_follow.h"
#include "highlight_look.h"

/** First in the context of either filter. */
typedef struct HighlightContext {
    const AVClass *class;

    /* options */
    char   *keys, *regions, *file;
    char   *color, *follow;
    HighlightParams params;
    double  grow, hold, smoothing;
    int     ref_w, ref_h;       ///< 0: keys are in pixels of the input
    int     dither;
    int64_t t0;                 ///< microseconds

    HighlightList     list;
    HighlightFollower follower;
    FrameClock        clock;
} HighlightContext;

extern const AVClass ff_highlight_class;
int  ff_highlight_init(AVFilterContext *ctx);
void ff_highlight_uninit(AVFilterContext *ctx);
/** Opens what the options name. To be called when the size of the input is known. */
int  ff_highlight_config(AVFilterLink *inlink);
int  ff_highlight_command(AVFilterContext *ctx, const char *cmd, const char *arg, char *res, int res_len, int flags);
/** @return the scene of a frame; advances what is followed */
HighlightScene ff_highlight_at(AVFilterLink *inlink, const AVFrame *frame);

#endif /* AVFILTER_HIGHLIGHT_H */
