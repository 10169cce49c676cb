/*
 * YOLO detection: frames through the net
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

#ifndef AVFILTER_YOLO_RUN_H
#define AVFILTER_YOLO_RUN_H

#include "nn_net.h"
#include "yolo_head.h"
#include "yolo_pic.h"
#include "yolo_tiles.h"

/**
 * @file
 * Pictures of a batch, and tiles of a picture, go through the net at the same time, each
 * on a thread of its own with a slot of the engine; a single one gets all threads.
 * The result does not depend on how many there are.
 */

/** Calls job(arg, i, nb) for i = 0 .. nb-1, in any order, and waits for all. */
typedef void YoloJob(void *arg, int i, int nb);
typedef void YoloExecute(void *opaque, YoloJob *job, void *arg, int nb);

typedef struct YoloRunParams {
    const NNNet *net;           ///< borrowed
    const char  *engine;
    enum NNPrecision precision;
    int   size_w, size_h;       ///< 0: the net's, or 640 where it is open
    int   rect;                 ///< open nets: no larger than the letterboxed picture needs
    enum YoloLayout head;
    int   nb_names;             ///< class names that are known
    YoloTile region;            ///< of the frame
    int   nx, ny;               ///< tiles
    double overlap;
    enum AVPixelFormat format;
    int   nb_threads;
    int   batch;                ///< frames that are run together; 0: as many as threads
    YoloExecute *execute;
    void *opaque, *log;
} YoloRunParams;

/** What is kept; may change between frames. */
typedef struct YoloLimits {
    float conf, iou;
    int   agnostic, max_det;
    const uint8_t *keep;        ///< classes; NULL: all
    int   nb_keep;
} YoloLimits;

typedef struct YoloSlot {
    float    *tensor;
    void     *scratch;
    NNTensor *out;
    int64_t   us_pic, us_net, us_decode;
} YoloSlot;

typedef struct YoloRun {
    YoloRunParams par;
    NNNet        *net;          ///< shaped
    NNNetRunner   runner;
    YoloHead      head;
    YoloTile      tile[YOLO_MAX_TILES];
    YoloPic       pic[YOLO_MAX_TILES];
    int           nb_tiles;
    YoloSlot     *slot;
    int           nb_slots, batch;
    YoloBoxes    *part;         ///< batch * nb_tiles
    int          *status;       ///< of each
    int           warned_nan;
    int64_t       frames, runs;
} YoloRun;

/** @return AVERROR with a message; the caller closes in any case */
int  ff_yolo_run_open(YoloRun *r, const YoloRunParams *par);
void ff_yolo_run_close(YoloRun *r);

/**
 * @param frames nb <= batch frames of the format
 * @param boxes  nb lists, overwritten: detections in frame pixels, clipped, by conf, falling
 */
int  ff_yolo_run(YoloRun *r, const AVFrame *const *frames, YoloBoxes *boxes, int nb, const YoloLimits *lim);

#endif /* AVFILTER_YOLO_RUN_H */
