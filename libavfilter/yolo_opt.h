/*
 * yolodetect: its context and options
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

#ifndef AVFILTER_YOLO_OPT_H
#define AVFILTER_YOLO_OPT_H

#include "libavutil/log.h"

#include "avfilter.h"
#include "frame_clock.h"
#include "yolo_file.h"
#include "yolo_labels.h"
#include "yolo_run.h"
#include "yolo_track.h"

/** How far a frame in the queue is. */
enum YoloStage {
    YOLO_PASS,                  ///< not to be looked at (enable), or between two that are and without a tracker
    YOLO_FILL,                  ///< the tracker's, from the frames before
    YOLO_LOOK,                  ///< waits for the net
    YOLO_LOOKED,
};

typedef struct YoloEntry {
    struct AVFrame *frame;
    enum YoloStage  stage;
    YoloStamp       at;
    YoloBoxes       boxes;
    float           conf;       ///< as it was set when the frame came
} YoloEntry;

typedef struct YoloContext {
    const AVClass *class;

    /* options */
    char  *model, *engine, *size, *classes, *labels_from, *tiles, *roi, *out, *device;
    int    precision, rect, agnostic, max_det, interval, batch, head, format;
    float  conf, iou;
    double overlap;
    YoloTrackParams track;
    double track_high, track_low, track_match;

    /* what they say, checked by init */
    int    size_w, size_h, nx, ny;
    int    roi_xywh[4];         ///< w, h 0: to the edge
    enum YoloFormat out_format;

    /* opened by config_props */
    const NNNet *net;
    YoloLabels   labels;
    uint8_t     *keep;
    int          nb_keep;
    YoloRun      run;
    YoloTracker *tracker;
    YoloFile    *file;
    FrameClock   clock;

    YoloEntry   *queue;         ///< a ring would not pay: it is emptied as a whole
    int          nb_queue, max_queue, nb_waiting;
    int64_t      nb_frames;
    int64_t      since;         ///< frames since the last one that was looked at; -1: none was
    double       end;           ///< seconds of the end of the last frame
    int64_t      us_track, nb_boxes;
} YoloContext;

extern const AVClass ff_yolodetect_class;

/** Check the options, without a model. */
int ff_yolo_opt_init(AVFilterContext *ctx);

/** The region that roi names in a frame of w x h. @return AVERROR(EINVAL) with a message */
int ff_yolo_opt_region(AVFilterContext *ctx, YoloTile *region, int w, int h);

/** Names of classes from the option or the model, and which are wanted; nc: the net's classes, 0: not known. */
int ff_yolo_opt_labels(AVFilterContext *ctx);
int ff_yolo_opt_classes(AVFilterContext *ctx, const char *text, int nc);
/** Do names and net agree about the number of classes? */
int ff_yolo_opt_check_labels(AVFilterContext *ctx, int nc);

#endif /* AVFILTER_YOLO_OPT_H */
