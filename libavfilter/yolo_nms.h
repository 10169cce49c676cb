/*
 * YOLO detection: one box an object
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

#ifndef AVFILTER_YOLO_NMS_H
#define AVFILTER_YOLO_NMS_H

#include "yolo.h"

/**
 * Non-maximum suppression: from the most certain on, a box stays if it overlaps no
 * box that stays (of its class, unless agnostic) by more than iou.
 * The list is sorted by conf, falling; equals keep their order.
 * @param max_det  at most so many stay
 */
void ff_yolo_nms(YoloBoxes *list, float iou, int agnostic, int max_det);

/** Sort by conf, falling; equals keep their order. */
void ff_yolo_sort(YoloBoxes *list);

#endif /* AVFILTER_YOLO_NMS_H */
