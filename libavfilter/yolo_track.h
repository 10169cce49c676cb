/*
 * YOLO detection: a tracker that gives boxes their ids
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


#ifndef AVFILTER_YOLO_TRACK_H
#define AVFILTER_YOLO_TRACK_H

#include "yolo.h"

/**
 * @file
 * Tracks by detection. iou: greedy matching of boxes to predictions by overlap. byte:
 * ByteTrack (Zhang et al., ECCV 2022, arXiv:2110.06864): a Kalman filter per track,
 * first the high, then the low detections are matched to predictions, optimally
 * (linear assignment on 1 - IoU).
 *
 * Times are seconds, not frame counts: variable frame rate and `interval` are the
 * ordinary case.
 */

enum YoloTrackMode { YOLO_TRACK_NONE, YOLO_TRACK_IOU, YOLO_TRACK_BYTE };

typedef struct YoloTrackParams {
    enum YoloTrackMode mode;
    float high;             ///< conf of detections that may start a track and are matched first; 0.5
    float low;              ///< conf below which detections are not looked at; 0.1
    float match;            ///< least IoU of a match in the first round; 0.2
    double keep;            ///< seconds a lost track waits to be found again; 1.0
    double fill;            ///< seconds for which a track without a detection still gives a (guessed) box; 0.2
    int   min_hits;         ///< detections until a track has an id that is shown; 2. 1: at once
} YoloTrackParams;

typedef struct YoloTracker YoloTracker;

/** @return 0, AVERROR(ENOMEM), AVERROR(EINVAL) (a parameter out of range, with a message) */
int  ff_yolo_track_open(YoloTracker **t, const YoloTrackParams *p, void *log);
/**
 * Advance to a frame.
 * @param now   seconds; going back, or forward by more than keep, forgets all tracks (ids go on)
 * @param w,h   frame size, for clipping
 * @param seen  1: boxes are this frame's detections, all of conf >= low; 0: the frame was not
 *              looked at (interval), boxes is empty
 * @param boxes in: detections; out: the boxes to report, sorted by id: matched ones (detection's
 *              corners, conf and class, id set), guessed ones (state YOLO_GUESS), and detections with
 *              conf >= high that have no id yet (id 0)
 */
int  ff_yolo_track(YoloTracker *t, double now, int w, int h, int seen, YoloBoxes *boxes);
/** A camera cut: forget all tracks; ids go on. */
void ff_yolo_track_cut(YoloTracker *t);
void ff_yolo_track_close(YoloTracker **t);

#endif /* AVFILTER_YOLO_TRACK_H */
