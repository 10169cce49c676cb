/*
 * YOLO detection: boxes in a file
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

#ifndef AVFILTER_YOLO_FILE_H
#define AVFILTER_YOLO_FILE_H

#include <stdint.h>

#include "libavutil/rational.h"

#include "yolo.h"
#include "yolo_labels.h"

/**
 * @file
 * jsonl  a JSON object a frame and line
 * json   one JSON document, as the pipeline of 2026 had it: boxes by their centre
 * mot    a line a box, as MOTChallenge has it
 *
 * ffmpeg builds a graph anew when its input changes: a file that this process has
 * already written goes on, frame numbers too. The file is whole after every frame but
 * for json's end, which comes when it is closed.
 */

enum YoloFormat { YOLO_FILE_AUTO, YOLO_FILE_JSONL, YOLO_FILE_JSON, YOLO_FILE_MOT, YOLO_FILE_NB };

typedef struct YoloFile YoloFile;

/** A frame's place in the stream. */
typedef struct YoloStamp {
    int64_t n;                  ///< frames before it in this filter
    int64_t pts;                ///< AV_NOPTS_VALUE: none
    double  t;                  ///< seconds
    int     w, h;
} YoloStamp;

/**
 * @param path   "-": standard output
 * @param format YOLO_FILE_AUTO: by the end of the name (.jsonl, .json, .txt); "-" is jsonl
 * @return AVERROR with a message
 */
int  ff_yolo_file_format(enum YoloFormat *format, const char *path, void *log);
int  ff_yolo_file_open(YoloFile **f, const char *path, enum YoloFormat format, int w, int h, AVRational fps, void *log);
/** A frame that was looked at, or filled in by the tracker. */
int  ff_yolo_file_frame(YoloFile *f, const YoloStamp *at, const YoloBoxes *list, const YoloLabels *labels, void *log);
/** Finish and close; f may be NULL inside. @param frames that the filter has seen @param end seconds of their end */
int  ff_yolo_file_close(YoloFile **f, int64_t frames, double end, void *log);

#endif /* AVFILTER_YOLO_FILE_H */
