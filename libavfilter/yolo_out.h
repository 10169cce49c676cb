/*
 * YOLO detection: boxes on a frame
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

#ifndef AVFILTER_YOLO_OUT_H
#define AVFILTER_YOLO_OUT_H

#include "libavutil/frame.h"

#include "yolo.h"
#include "yolo_labels.h"

/**
 * Put the boxes on a frame, in the place of any that it has: as side data
 * (AV_FRAME_DATA_DETECTION_BBOXES, also where there are none: the frame was looked at) and as
 * metadata: lavfi.yolodetect.nb, lavfi.yolodetect.N.{x,y,w,h,label,conf,id}, N from 0.
 * Corners are rounded to whole pixels. The track id is id:N in the only classify label.
 */
int ff_yolo_put(AVFrame *frame, const YoloBoxes *list, const YoloLabels *labels);

/** v with at most so many decimals (0..6), the same in every locale; not finite: 0. @return buf */
const char *ff_yolo_number(char buf[32], double v, int decimals);

#endif /* AVFILTER_YOLO_OUT_H */
