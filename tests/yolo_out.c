/*
 * yolodetect: boxes on frames and in files
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

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/avutil.h"
#include "libavutil/detection_bbox.h"
#include "libavutil/error.h"
#include "libavutil/frame.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"

#include "libavfilter/yolo_file.h"
#include "libavfilter/yolo_out.h"
#include "tap.h"

static char last[1000], dir[900];

static void keep_error(void *log, int level, const char *fmt, va_list ap)
{
    vsnprintf(last, sizeof(last), fmt, ap);
}

static void test_number(void)
{
    static const struct { double v; int decimals; const char *text; } c[] = {
        { 0, 2, "0" }, { 1.5, 2, "1.5" }, { -1.25, 2, "-1.25" }, { 0.005, 2, "0" }, { 0.0051, 2, "0.01" }, { -0.004, 2, "0" },
        { 12345678.9, 1, "12345678.9" }, { 1. / 3, 6, "0.333333" }, { 0.1, 6, "0.1" }, { 100, 0, "100" }, { 99.999, 2, "100" },
        { NAN, 2, "0" }, { INFINITY, 2, "0" }, { DBL_MAX, 6, "100000000000" }, { -DBL_MAX, 6, "-100000000000" }, { 0.05, 2, "0.05" },
    };
    char buf[32];

    for (int i = 0; i < sizeof(c) / sizeof(*c); i++)
        tap_ok(!strcmp(ff_yolo_number(buf, c[i].v, c[i].decimals), c[i].text), "%g with %d decimals is %s", c[i].v, c[i].decimals, buf);
}

static const char *meta(const AVFrame *f, const char *key)
{
    const AVDictionaryEntry *e = av_dict_get(f->metadata, key, NULL, 0);
    return e ? e->value : "";
}

static void test_put(void)
{
    YoloBox b[3] = {
        { 10.4f, 20.6f, 30.4f, 40.6f, 0.87654f, 0, 12 }, { 0, 0, 100, 50, 1, 1, 0 }, { 99.9f, 49.9f, 100, 50, 0.25f, 7, 0 },
    };
    char longname[100];
    char *names[2] = { longname, "ball" };
    const YoloLabels labels = { names, 2 };
    const YoloBoxes three = { b, 3 }, none = { NULL, 0 };
    AVFrame *f = av_frame_alloc();
    const AVDetectionBBoxHeader *h;
    const AVDetectionBBox *d;
    int n = 0;

    memset(longname, 'x', sizeof(longname));
    memcpy(longname + 62, "\xc3\xa9", 3);           // its last character does not fit
    f->width  = 100;
    f->height = 50;
    av_detection_bbox_create_side_data(f, 5);       // another detector's
    av_dict_set(&f->metadata, "mine", "7", 0);
    tap_ok(!ff_yolo_put(f, &three, &labels), "three boxes on a frame");
    for (int i = 0; i < f->nb_side_data; i++)
        n += f->side_data[i]->type == AV_FRAME_DATA_DETECTION_BBOXES;
    h = (AVDetectionBBoxHeader *)av_frame_get_side_data(f, AV_FRAME_DATA_DETECTION_BBOXES)->data;
    tap_ok(n == 1 && h->nb_bboxes == 3 && !strcmp(h->source, "yolodetect"), "once, in the place of what was there; source yolodetect");
    d = av_get_detection_bbox(h, 0);
    tap_ok(d->x == 10 && d->y == 21 && d->w == 20 && d->h == 20 && av_q2d(d->detect_confidence) == 0.8765, "corners to the nearest pixel, confidence");
    tap_ok(strlen(d->detect_label) == 62 && d->classify_count == 1 && !strcmp(d->classify_labels[0], "id:12"),
           "a long name is cut before the character that does not fit; the id is in the only classify label");
    d = av_get_detection_bbox(h, 1);
    tap_ok(d->x == 0 && d->w == 100 && d->h == 50 && !d->classify_count && !strcmp(d->detect_label, "ball"), "the whole frame; no id");
    d = av_get_detection_bbox(h, 2);
    tap_ok(d->x == 99 && d->y == 49 && d->w == 1 && d->h == 1 && !strcmp(d->detect_label, "7"), "never less than a pixel, and inside; no name: the number");
    tap_ok(!strcmp(meta(f, "lavfi.yolodetect.nb"), "3") && !strcmp(meta(f, "lavfi.yolodetect.0.x"), "10") &&
           !strcmp(meta(f, "lavfi.yolodetect.0.h"), "20") && !strcmp(meta(f, "lavfi.yolodetect.0.id"), "12") &&
           !strcmp(meta(f, "lavfi.yolodetect.0.conf"), "0.8765") && !strcmp(meta(f, "lavfi.yolodetect.1.label"), "ball") &&
           !*meta(f, "lavfi.yolodetect.1.id") && !strcmp(meta(f, "mine"), "7"), "metadata; that of others stays");
    ff_yolo_put(f, &none, &labels);
    h = (AVDetectionBBoxHeader *)av_frame_get_side_data(f, AV_FRAME_DATA_DETECTION_BBOXES)->data;
    tap_ok(!h->nb_bboxes && !strcmp(meta(f, "lavfi.yolodetect.nb"), "0") && av_dict_count(f->metadata) == 2, "no boxes: an empty list, nothing old is left");
    av_frame_free(&f);
}

/* ---- files ----------------------------------------------------------------------------- */

static const char *path(const char *name)
{
    static char p[1000];
    snprintf(p, sizeof(p), "%s/%s", dir, name);
    return p;
}

static const char *content(const char *name)
{
    static char buf[5000];
    FILE *f = fopen(path(name), "rb");
    size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

    if (f)
        fclose(f);
    buf[n] = 0;
    return buf;
}

static const YoloStamp at0 = { 0, 512, 1.5, 100, 50 }, at3 = { 3, AV_NOPTS_VALUE, 2, 100, 50 };

static int open_file(YoloFile **f, const char *name)
{
    enum YoloFormat format = YOLO_FILE_AUTO;
    int ret = ff_yolo_file_format(&format, name, NULL);

    return ret < 0 ? ret : ff_yolo_file_open(f, path(name), format, 100, 50, (AVRational) { 30000, 1001 }, NULL);
}

static void put_two(const char *name, const YoloBoxes *l, const YoloLabels *labels)
{
    YoloFile *f;

    if (open_file(&f, name) < 0 || ff_yolo_file_frame(f, &at0, l, labels, NULL) < 0 ||
        ff_yolo_file_frame(f, &at3, &(YoloBoxes) { 0 }, labels, NULL) < 0 || ff_yolo_file_close(&f, 5, 3.25, NULL) < 0)
        abort();
}

static void test_files(void)
{
    static const char jsonl[] =
        "{\"frame\":0,\"pts\":512,\"t\":1.5,\"w\":100,\"h\":50,\"boxes\":["
        "{\"x\":10.5,\"y\":20,\"w\":20,\"h\":10.25,\"conf\":0.5,\"label\":\"a \\\"b\\\" \\\\ \\u0007\",\"class\":0,\"id\":3,\"guess\":false},"
        "{\"x\":0,\"y\":0,\"w\":4,\"h\":2,\"conf\":0.25,\"label\":\"9\",\"class\":9,\"id\":0,\"guess\":true}]}\n"
        "{\"frame\":3,\"pts\":null,\"t\":2,\"w\":100,\"h\":50,\"boxes\":[]}\n";
    static const char head[] = "{\"video_width\":100,\"video_height\":50,\"fps\":29.97003,\"detections\":[";
#define DETECTION(n, m) "\n{\"timestamp\":1.5,\"frame_number\":" n ",\"boxes\":["  \
        "{\"bbox\":{\"x\":20.5,\"y\":25.12,\"width\":20,\"height\":10.25},\"confidence\":0.5,\"class_name\":\"a \\\"b\\\" \\\\ \\u0007\"," \
        "\"class_id\":0,\"track_id\":3}," \
        "{\"bbox\":{\"x\":2,\"y\":1,\"width\":4,\"height\":2},\"confidence\":0.25,\"class_name\":\"9\",\"class_id\":9}]},\n" \
        "{\"timestamp\":2,\"frame_number\":" m ",\"boxes\":[]}"
    static const char end[] = "\n],\"duration\":3.25}\n";
    static const char mot[] = "1,3,10.5,20,20,10.25,0.5,0,-1,-1\n1,-1,0,0,4,2,0.25,9,-1,-1\n";
    char *names[1] = { "a \"b\" \\ \a" }, want[3000];
    const YoloLabels labels = { names, 1 };
    YoloBox b[2] = { { 10.5, 20, 30.5, 30.25, 0.5, 0, 3 }, { 0, 0, 4, 2, 0.25, 9, 0, YOLO_GUESS } };
    const YoloBoxes l = { b, 2 };
    YoloFile *f, *g;
    int ret;

    put_two("a.jsonl", &l, &labels);
    tap_ok(!strcmp(content("a.jsonl"), jsonl), "JSON lines");
    put_two("a.json", &l, &labels);
    snprintf(want, sizeof(want), "%s%s%s", head, DETECTION("0", "3"), end);
    tap_ok(!strcmp(content("a.json"), want), "one JSON document, boxes by their centre");
    put_two("a.txt", &l, &labels);
    tap_ok(!strcmp(content("a.txt"), mot), "MOT: frames from 1, a frame without boxes has no line");

    put_two("a.json", &l, &labels);
    snprintf(want, sizeof(want), "%s%s,%s%s", head, DETECTION("0", "3"), DETECTION("5", "8"), end);
    tap_ok(!strcmp(content("a.json"), want), "a document that is opened again goes on before its end, frame numbers too");
    put_two("a.txt", &l, &labels);
    tap_ok(!strncmp(content("a.txt"), mot, sizeof(mot) - 1) && !strncmp(content("a.txt") + sizeof(mot) - 1, "6,3,", 4), "so does MOT");

    if (open_file(&f, "live.jsonl") < 0 || ff_yolo_file_frame(f, &at0, &l, &labels, NULL) < 0)
        abort();
    tap_ok(strchr(content("live.jsonl"), '\n') != NULL, "a line is in the file before the next comes");
    tap_ok(open_file(&g, "live.jsonl") == AVERROR(EBUSY) && !g && strstr(last, "live.jsonl"), "two cannot write one file: %s", last);
    ff_yolo_file_close(&f, 1, 1, NULL);
    if (open_file(&f, "none.json") < 0 || ff_yolo_file_close(&f, 0, 0, NULL) < 0)
        abort();
    snprintf(want, sizeof(want), "%s%s", head, "\n],\"duration\":0}\n");
    tap_ok(!strcmp(content("none.json"), want), "no frames: a document all the same");
    put_two("none.json", &l, &labels);
    snprintf(want, sizeof(want), "%s%s%s", head, DETECTION("0", "3"), end);
    tap_ok(!strcmp(content("none.json"), want), "and it begins anew");

    ret = open_file(&f, "no/such/folder.txt");
    tap_ok(ret == AVERROR(ENOENT) && strstr(last, "folder.txt"), "a folder that is not there: %s", last);
    ret = open_file(&f, "a.csv");
    tap_ok(ret == AVERROR(EINVAL) && strstr(last, "format="), "an ending that says nothing: %s", last);
    if (ff_yolo_file_open(&f, "/dev/full", YOLO_FILE_JSONL, 1, 1, (AVRational) { 0, 1 }, NULL) >= 0) {
        ret = ff_yolo_file_frame(f, &at0, &l, &labels, NULL);
        tap_ok(ret == AVERROR(ENOSPC) && strstr(last, "/dev/full"), "a full disk: %s", last);
        ff_yolo_file_close(&f, 1, 1, NULL);
    } else {
        tap_skip("a full disk: there is no /dev/full");
    }
}

int main(void)
{
    const char *tmp = getenv("TMP");

    snprintf(dir, sizeof(dir), "%s", tmp ? tmp : ".");
    av_log_set_callback(keep_error);
    test_number();
    test_put();
    test_files();
    if (setlocale(LC_ALL, "de_DE.UTF-8")) {
        char buf[32];
        tap_ok(!strcmp(ff_yolo_number(buf, 1.5, 2), "1.5"), "a point in a locale of commas");
    } else {
        tap_skip("numbers in a locale of commas: de_DE.UTF-8 is not installed");
    }
    return tap_done();
}
