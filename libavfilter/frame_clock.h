/*
 * The time of a frame for filters with keyframes
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

#ifndef AVFILTER_FRAME_CLOCK_H
#define AVFILTER_FRAME_CLOCK_H

#include "libavutil/frame.h"

#include "avfilter.h"

typedef struct FrameClock {
    int64_t next_pts;           ///< for a frame without one
    int     told;
} FrameClock;

void ff_frame_clock_reset(FrameClock *c);

/**
 * pts * time base + t0, rounded once: a key at 1.001 s meets the frame at
 * 30 * 1001/30000 s. A frame without a timestamp comes when the one before it
 * has ended; a warning says so once.
 * @param t0  microseconds
 * @return seconds
 */
double ff_frame_clock_time(FrameClock *c, AVFilterLink *in, const AVFrame *f, int64_t t0);

#endif /* AVFILTER_FRAME_CLOCK_H */
