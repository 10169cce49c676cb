/*
 * YOLO detection: boxes, and what the parts of yolodetect share
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


#ifndef AVFILTER_YOLO_H
#define AVFILTER_YOLO_H

#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * One frame's way:
 *
 *   frame --yolo_pic--> letterboxed tensor --nn_net engine--> head tensors --yolo_head-->
 *   candidates --yolo_nms--> boxes in frame pixels --yolo_track--> boxes with ids
 *   --yolo_out--> side data, metadata, files
 *
 * Each step knows only its own input; vf_yolodetect.c is the glue.
 */

/** A detection. */
typedef struct YoloBox {
    float x1, y1, x2, y2;       ///< corners in pixels of the frame, clipped to it; x2 > x1, y2 > y1
    float conf;                 ///< 0..1
    int   cls;                  ///< class index >= 0
    int   id;                   ///< track id >= 1; 0: none
    int   state;                ///< YOLO_SEEN: from the net; YOLO_GUESS: filled in by the tracker (no
                                ///< detection this frame: interval, or a short loss)
} YoloBox;

enum { YOLO_SEEN, YOLO_GUESS };

/** Boxes of one frame, growable. */
typedef struct YoloBoxes {
    YoloBox *box;               ///< owned, av_realloc
    int      nb;
    unsigned size;              ///< bytes allocated
} YoloBoxes;

/** intersection over union of two boxes; 0 where both are empty */
float ff_yolo_iou(const YoloBox *a, const YoloBox *b);

/** Append a copy. @return 0 or AVERROR(ENOMEM) */
int  ff_yolo_add(YoloBoxes *list, const YoloBox *box);
void ff_yolo_free(YoloBoxes *list);

#endif /* AVFILTER_YOLO_H */
