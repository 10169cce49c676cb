/*
 * Slice threads whose jobs can fail
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

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "filters.h"
#include "slice_jobs.h"

int ff_slice_jobs(AVFilterContext *ctx, avfilter_action_func *fn, void *arg, int rows, int max)
{
    const int nb = FFMAX(1, FFMIN(max, rows / 16));
    int *ret = av_calloc(nb, sizeof(*ret)), err = 0;

    if (!ret)
        return AVERROR(ENOMEM);
    ff_filter_execute(ctx, fn, arg, ret, nb);
    for (int i = 0; i < nb && !err; i++)
        err = ret[i];
    av_free(ret);
    return err;
}
