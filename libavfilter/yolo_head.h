/*
 * YOLO detection: what a net's outputs mean
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

#ifndef AVFILTER_YOLO_HEAD_H
#define AVFILTER_YOLO_HEAD_H

#include "nn_net.h"
#include "yolo.h"
#include "yolo_pic.h"

/**
 * @file
 * The layouts that detectors are exported with, told apart by the shape of the
 * output: A anchors, nc classes; all boxes in pixels of the net's picture.
 *
 *   v8     1 x (4 + nc) x A   centre, size, class scores; anchor-free (YOLOv8, 11, v5u)
 *   v8     1 x A x (4 + nc)   the same, transposed
 *   v5     1 x A x (5 + nc)   centre, size, objectness, class scores; 3 anchors a cell (YOLOv5, v7)
 *   yolox  1 x A x (5 + nc)   the same with one anchor a cell, in grid units: xy = (p + cell) * stride,
 *                             wh = exp(p) * stride. Exports that have done this themselves are known by
 *                             their values
 *   e2e    1 x N x 6          corners, score, class; no NMS is needed (YOLO26, YOLOv10, nms=True exports)
 */

enum YoloLayout { YOLO_HEAD_AUTO, YOLO_HEAD_V8, YOLO_HEAD_V5, YOLO_HEAD_YOLOX, YOLO_HEAD_E2E, YOLO_HEAD_NB };

#define YOLO_MAX_GRIDS 4
#define YOLO_MAX_CANDIDATES 30000

typedef struct YoloHead {
    enum YoloLayout layout;
    int   transposed;           ///< v8: anchors are the outer dimension
    int   nc;                   ///< classes; 0: not known (e2e)
    int   nb;                   ///< A; 0: not known (e2e)
    int   net_w, net_h;
    int   strides[YOLO_MAX_GRIDS], nb_grids;
} YoloHead;

/** "v8", ... */
const char *ff_yolo_head_name(enum YoloLayout l);

/** What the layout's nets expect as picture. */
enum YoloInput ff_yolo_head_input(const YoloHead *h);

/**
 * Find the layout of a shaped net.
 * @param wanted   YOLO_HEAD_AUTO, or what the user says; it still has to fit the shape
 * @param nb_names how many class names are known; 0: none
 * @return AVERROR_PATCHWELCOME with a message: another kind of net (segmentation, pose, ...)
 */
int ff_yolo_head_find(YoloHead *h, const NNNet *net, enum YoloLayout wanted, int nb_names, void *log);

/** The same from the outputs' shapes; file: for messages; task: of the net's metadata, may be NULL. */
int ff_yolo_head_shape(YoloHead *h, const NNTensor *const *outputs, int nb_outputs, const char *file, const char *task,
                       int net_w, int net_h, enum YoloLayout wanted, int nb_names, void *log);

/**
 * Append the detections with conf > thr (of each anchor its best class; of more than
 * YOLO_MAX_CANDIDATES the most certain), in pixels of the net's picture, not clipped.
 * @param keep  keep[cls] for cls < nb_keep: 1 = wanted; NULL: all are. Classes beyond are not wanted
 * @param bad   set to 1 if something was NaN or infinite; those detections are left out
 * @return 0; AVERROR_INVALIDDATA: the tensor is not of the shape that was agreed on
 */
int ff_yolo_decode(const YoloHead *h, const NNTensor *out, float thr, const uint8_t *keep, int nb_keep,
                   YoloBoxes *list, int *bad);

#endif /* AVFILTER_YOLO_HEAD_H */
