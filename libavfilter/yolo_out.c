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

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/detection_bbox.h"
#include "libavutil/dict.h"
#include "libavutil/error.h"

#include "yolo_out.h"

#define PREFIX "lavfi.yolodetect."

const char *ff_yolo_number(char buf[32], double v, int decimals)
{
    static const int scales[] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
    const int64_t scale = scales[av_clip(decimals, 0, 6)];
    const int64_t n = isfinite(v) ? llrint(av_clipd(v, -1e11, 1e11) * scale) : 0, a = FFABS(n);
    int len = snprintf(buf, 32, "%s%"PRId64, n < 0 ? "-" : "", a / scale);

    if (a % scale) {
        len += snprintf(buf + len, 32 - len, ".%0*"PRId64, decimals, a % scale);
        while (buf[len - 1] == '0')
            buf[--len] = 0;
    }
    return buf;
}

/* as much of a text as fits; a character of UTF-8 stays whole */
static void copy_label(char *dst, const char *src, size_t size)
{
    size_t n = strlen(src);

    if (n >= size) {
        n = size - 1;
        while (n && (src[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(dst, src, n);
    dst[n] = 0;
}

/* whole pixels, at least one, inside of the frame */
static void to_pixels(int *at, int *size, float from, float to, int all)
{
    *at   = av_clip(lrintf(from), 0, all - 1);
    *size = av_clip(lrintf(to) - *at, 1, all - *at);
}

static int put_metadata(AVDictionary **meta, int i, const char *key, const char *value)
{
    char name[64];

    snprintf(name, sizeof(name), PREFIX "%d.%s", i, key);
    return av_dict_set(meta, name, value, 0);
}

static int put_box_metadata(AVDictionary **meta, int i, const AVDetectionBBox *b, const char *label, const YoloBox *box)
{
    const struct { const char *key; int v; } whole[] = {
        { "x", b->x }, { "y", b->y }, { "w", b->w }, { "h", b->h }, { "id", box->id },
    };
    char buf[32];
    int ret = 0;

    for (int k = 0; k < FF_ARRAY_ELEMS(whole) && ret >= 0; k++)
        if (strcmp(whole[k].key, "id") || box->id > 0) {
            snprintf(buf, sizeof(buf), "%d", whole[k].v);
            ret = put_metadata(meta, i, whole[k].key, buf);
        }
    if (ret >= 0)
        ret = put_metadata(meta, i, "label", label);
    return ret < 0 ? ret : put_metadata(meta, i, "conf", ff_yolo_number(buf, box->conf, 4));
}

static void remove_old(AVFrame *frame)
{
    const AVDictionaryEntry *e;

    av_frame_remove_side_data(frame, AV_FRAME_DATA_DETECTION_BBOXES);
    while ((e = av_dict_get(frame->metadata, PREFIX, NULL, AV_DICT_IGNORE_SUFFIX))) {
        char key[128];
        snprintf(key, sizeof(key), "%s", e->key);
        if (strlen(e->key) >= sizeof(key))
            break;
        av_dict_set(&frame->metadata, key, NULL, 0);
    }
}

int ff_yolo_put(AVFrame *frame, const YoloBoxes *list, const YoloLabels *labels)
{
    AVDetectionBBoxHeader *h;
    char buf[16];
    int ret;

    remove_old(frame);
    if (!(h = av_detection_bbox_create_side_data(frame, list->nb)))
        return AVERROR(ENOMEM);
    snprintf(h->source, sizeof(h->source), "yolodetect");
    if ((ret = av_dict_set_int(&frame->metadata, PREFIX "nb", list->nb, 0)) < 0)
        return ret;
    for (int i = 0; i < list->nb; i++) {
        const YoloBox *box = &list->box[i];
        const char *label = ff_yolo_label(labels, box->cls, buf);
        AVDetectionBBox *b = av_get_detection_bbox(h, i);

        to_pixels(&b->x, &b->w, box->x1, box->x2, frame->width);
        to_pixels(&b->y, &b->h, box->y1, box->y2, frame->height);
        copy_label(b->detect_label, label, sizeof(b->detect_label));
        b->detect_confidence = av_make_q(lrintf(av_clipf(box->conf, 0, 1) * 10000), 10000);
        if (box->id > 0) {
            b->classify_count = 1;
            snprintf(b->classify_labels[0], sizeof(b->classify_labels[0]), "id:%d", box->id);
            b->classify_confidences[0] = av_make_q(1, 1);
        }
        if ((ret = put_box_metadata(&frame->metadata, i, b, label, box)) < 0)
            return ret;
    }
    return 0;
}
