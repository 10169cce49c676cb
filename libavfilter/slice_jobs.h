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

#ifndef AVFILTER_SLICE_JOBS_H
#define AVFILTER_SLICE_JOBS_H

#include "avfilter.h"

/**
 * Run fn in jobs of at least 16 rows.
 * @param max  jobs at most: one for each set of scratch buffers
 * @return 0, the first error of the jobs, or AVERROR(ENOMEM)
 */
int ff_slice_jobs(AVFilterContext *ctx, avfilter_action_func *fn, void *arg, int rows, int max);

#endif /* AVFILTER_SLICE_JOBS_H */
