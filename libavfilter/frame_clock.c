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

#include "libavutil/avutil.h"
#include "libavutil/common.h"
#include "libavutil/mathematics.h"

#include "filters.h"
#include "frame_clock.h"

/* a / b of whole numbers is rounded once */
static double seconds(int64_t pts, AVRational tb, int64_t t0)
{
    const int64_t max = INT64_MAX / 4 / AV_TIME_BASE;

    if (FFABS(pts) < max / tb.num && FFABS(t0) < INT64_MAX / 4 / tb.den)
        return (pts * tb.num * AV_TIME_BASE + t0 * tb.den) / ((double)tb.den * AV_TIME_BASE);
    return pts * av_q2d(tb) + t0 / (double)AV_TIME_BASE;
}

void ff_frame_clock_reset(FrameClock *c)
{
    c->next_pts = AV_NOPTS_VALUE;
}

double ff_frame_clock_time(FrameClock *c, AVFilterLink *in, const AVFrame *f, int64_t t0)
{
    const FilterLink *l = ff_filter_link(in);
    int64_t pts = f->pts, duration = f->duration;

    if (pts == AV_NOPTS_VALUE) {
        pts = c->next_pts == AV_NOPTS_VALUE ? 0 : c->next_pts;
        if (!c->told++)
            av_log(in->dst, AV_LOG_WARNING, "frames without a timestamp are taken to follow one another\n");
    }
    if (duration <= 0 && l->frame_rate.num > 0 && l->frame_rate.den > 0)
        duration = av_rescale_q(1, av_inv_q(l->frame_rate), in->time_base);
    c->next_pts = av_sat_add64(pts, FFMAX(duration, 1));
    return seconds(pts, in->time_base, t0);
}
