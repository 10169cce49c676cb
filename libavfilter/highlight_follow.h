/*
 * highlight: an ellipse that follows the boxes of a detector
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

#ifndef AVFILTER_HIGHLIGHT_FOLLOW_H
#define AVFILTER_HIGHLIGHT_FOLLOW_H

/**
 * @file
 * Takes one box a frame from AV_FRAME_DATA_DETECTION_BBOXES, smooths it, and
 * bridges the frames without one.
 *
 * Once nearest or largest has a target it keeps it: of the boxes within reach of
 * where it should be by now (they would overlap; the reach grows by 4 box sizes a
 * second without a detection) the nearest is the target. Only when hold and fade_out
 * are over is another one taken, wherever it is.
 */

#include <stdint.h>

#include "libavutil/frame.h"

enum HighlightFollow {
    FOLLOW_NEAREST = -2,    ///< to begin with, the box nearest to the start point; after a loss, to where it was
    FOLLOW_LARGEST = -1,    ///< to begin with and after a loss, the box of largest area
    /* >= 0: the box with this track id, "id:N" in its last used classify label */
};

typedef struct HighlightFollower {
    /* set by the user */
    int64_t target;         ///< enum HighlightFollow or a track id
    double  grow;           ///< radii: this times half the box
    double  hold;           ///< seconds that a lost target is kept where it was
    double  fade_in;        ///< seconds from nothing to all when a target is found; 0: at once
    double  fade_out;       ///< seconds to fade out after hold; 0: at once
    double  smooth;         ///< 0: follow the box exactly; 1: the default amount; more: steadier, and later
    double  x0, y0;         ///< start point of nearest in pixels; NAN: the middle of the picture

    /* private; 0 to begin with */
    int     found;          ///< there was a box
    double  last_seen;      ///< time of the last box
    double  last_t;         ///< time of the last frame
    double  visible;        ///< in the last frame
    double  box[4];         ///< the last box: centre and half sizes
    double  value[4];       ///< the same, smoothed
    double  speed[4];       ///< of the box, smoothed; pixels a second
} HighlightFollower;

/**
 * Advance to a frame. Times that go back (a seek, a loop) start anew; with a NAN
 * no time has passed. Boxes without a size and beside the picture are ignored.
 * @param t    seconds
 * @param out  centre x, y and radii rx, ry in pixels
 * @return how visible it is, 0..1; at 0 out is not set
 */
double ff_highlight_follow(HighlightFollower *f, const AVFrame *frame, double t, double out[4]);

/** Forget all but the settings. */
void ff_highlight_follow_reset(HighlightFollower *f);

/** @return nearest, largest or a track id >= 0; INT64_MIN where the text is neither */
int64_t ff_highlight_follow_parse(const char *text);

#endif /* AVFILTER_HIGHLIGHT_FOLLOW_H */
