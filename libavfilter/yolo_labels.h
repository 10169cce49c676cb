/*
 * YOLO detection: names of classes
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

#ifndef AVFILTER_YOLO_LABELS_H
#define AVFILTER_YOLO_LABELS_H

#include <stdint.h>

typedef struct YoloLabels {
    char **name;                ///< owned; name[cls] may be NULL: none
    int    nb;
} YoloLabels;

/**
 * Read names as exports carry them in their metadata: a Python literal,
 * {0: 'person', 1: "bicycle"} or ['person', 'bicycle'].
 * @return AVERROR_INVALIDDATA with a message
 */
int  ff_yolo_labels_parse(YoloLabels *l, const char *text, void *log);

/** Read a file, a name a line; "coco": the 80 names of the COCO data set. */
int  ff_yolo_labels_load(YoloLabels *l, const char *path, void *log);

void ff_yolo_labels_free(YoloLabels *l);

/** The name, or the number where there is none; valid until the next call with the same buf. */
const char *ff_yolo_label(const YoloLabels *l, int cls, char buf[16]);

/**
 * "person|sports ball|32" -> which classes are wanted; + separates too, where no name has one.
 * @param nc    classes of the net; 0: not known
 * @param keep  new, *nb_keep long; NULL: all are wanted (text NULL or empty)
 * @return AVERROR(EINVAL) with a message that lists names that are near
 */
int  ff_yolo_classes(uint8_t **keep, int *nb_keep, const char *text, const YoloLabels *l, int nc, void *log);

#endif /* AVFILTER_YOLO_LABELS_H */
