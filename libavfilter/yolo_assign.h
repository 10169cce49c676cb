/*
 * YOLO detection: optimal assignment
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

#ifndef AVFILTER_YOLO_ASSIGN_H
#define AVFILTER_YOLO_ASSIGN_H

/**
 * Pair rows with columns so that the sum of the pairs' costs, plus limit for each
 * row without a partner, is least. O(rows * pairs * cols): shortest augmenting paths
 * (Jonker and Volgenant 1987), each row with an imaginary column of its own that costs
 * limit. Of equally good answers always the same one.
 *
 * @param cost   rows * cols, row-major, finite, >= 0; more than limit: never a pair
 * @param limit  >= 0
 * @param match  out: for each row its column or -1
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_yolo_assign(const float *cost, int rows, int cols, double limit, int *match);

#endif /* AVFILTER_YOLO_ASSIGN_H */
