/*
 * yolodetect: layouts of detectors' outputs, found and decoded
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

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"

#include "libavfilter/yolo_head.h"
#include "tap.h"

static char last[1000];         ///< error message

static void keep_error(void *log, int level, const char *fmt, va_list ap)
{
    if (level <= AV_LOG_ERROR)
        vsnprintf(last, sizeof(last), fmt, ap);
}

static NNTensor shape(int nb, int64_t a, int64_t b, int64_t c, int64_t d)
{
    NNTensor t = { .type = NN_VAL_F32, .nb_dims = nb, .dims = { a, b, c, d }, .nb = 1 };

    for (int i = 0; i < nb; i++)
        t.nb = t.nb < 0 || t.dims[i] < 0 ? -1 : t.nb * t.dims[i];
    return t;
}

static int find(YoloHead *h, const NNTensor *t, int nb, const char *task, int net, enum YoloLayout wanted, int names)
{
    const NNTensor *p[4];

    for (int i = 0; i < nb; i++)
        p[i] = &t[i];
    *last = 0;
    return ff_yolo_head_shape(h, p, nb, "x.onnx", task, net, net, wanted, names, NULL);
}

/* ---- layouts ------------------------------------------------------------------------ */

static void test_found(void)
{
    static const struct { int64_t a, b; int net, names; enum YoloLayout wanted, is; int nc, transposed; } c[] = {
        {    84,  8400,  640,  0, YOLO_HEAD_AUTO, YOLO_HEAD_V8,    80, 0 },
        {    84,  8400,  640, 80, YOLO_HEAD_AUTO, YOLO_HEAD_V8,    80, 0 },
        {  8400,    84,  640,  0, YOLO_HEAD_AUTO, YOLO_HEAD_V8,    80, 1 },
        {  8400,    85,  640,  0, YOLO_HEAD_AUTO, YOLO_HEAD_YOLOX, 80, 1 },
        {  3549,    85,  416, 80, YOLO_HEAD_AUTO, YOLO_HEAD_YOLOX, 80, 1 },
        { 25200,    85,  640,  0, YOLO_HEAD_AUTO, YOLO_HEAD_V5,    80, 1 },
        {   300,     6,  640, 80, YOLO_HEAD_AUTO, YOLO_HEAD_E2E,    0, 1 },
        {     5,  8400,  640,  1, YOLO_HEAD_AUTO, YOLO_HEAD_V8,     1, 0 },
        {     6,  8400,  640,  2, YOLO_HEAD_AUTO, YOLO_HEAD_V8,     2, 0 },
        {  8400,     6,  640,  2, YOLO_HEAD_AUTO, YOLO_HEAD_V8,     2, 1 },
        {  8400,     6,  640,  1, YOLO_HEAD_AUTO, YOLO_HEAD_YOLOX,  1, 1 },
        {  8400,    84,  640, 79, YOLO_HEAD_AUTO, YOLO_HEAD_YOLOX, 79, 1 },
        {    84, 34000, 1280,  0, YOLO_HEAD_AUTO, YOLO_HEAD_V8,    80, 0 },     // strides 8 to 64
        {    24, 34000,  640,  0, YOLO_HEAD_AUTO, YOLO_HEAD_V8,    20, 0 },     // strides 4 to 32
        {   116,  8400,  640,  0, YOLO_HEAD_V8,   YOLO_HEAD_V8,   112, 0 },     // the user knows better
        {  8400,    85,  640,  0, YOLO_HEAD_V8,   YOLO_HEAD_V8,    81, 1 },
        {  8400,    85,  640,  0, YOLO_HEAD_V5,   YOLO_HEAD_V5,    80, 1 },
        {     9,   123,  640,  0, YOLO_HEAD_V8,   YOLO_HEAD_V8,     5, 0 },     // cells that we do not know
        {    -1,     6,  640,  0, YOLO_HEAD_AUTO, YOLO_HEAD_E2E,    0, 0 },
        {    -1,    -1,  640,  0, YOLO_HEAD_E2E,  YOLO_HEAD_E2E,    0, 0 },
    };

    for (int i = 0; i < sizeof(c) / sizeof(*c); i++) {
        const NNTensor t = shape(3, 1, c[i].a, c[i].b, 0);
        YoloHead h;
        /* 34000 = 160^2 + 80^2 + 40^2 + 20^2 */
        int ret = find(&h, &t, 1, i & 1 ? "detect" : NULL, c[i].net, c[i].wanted, c[i].names);
        tap_ok(!ret && h.layout == c[i].is && h.nc == c[i].nc && h.transposed == c[i].transposed,
               "1x%dx%d at %d, %d names: %s, %d classes%s %s", (int)c[i].a, (int)c[i].b, c[i].net, c[i].names,
               ff_yolo_head_name(h.layout), h.nc, h.transposed ? ", anchors outside" : "", last);
    }
}

static void test_refused(void)
{
    const NNTensor one = shape(3, 1, 84, 8400, 0);
    const struct { NNTensor t[3]; int nb; const char *task, *says; int names; enum YoloLayout wanted; } c[] = {
        { { shape(3, 1, 116, 8400, 0), shape(4, 1, 32, 160, 160) }, 2, NULL, "segmentation" },
        { { shape(3, 1, 116, 8400, 0) }, 1, "segment", "segmentation" },
        { { shape(3, 1, 116, 8400, 0) }, 1, NULL, "segmentation", 80 },
        { { shape(3, 1, 116, 8400, 0) }, 1, NULL, "segmentation", 0 },
        { { shape(3, 1, 56, 8400, 0) }, 1, "pose", "pose", 1 },
        { { shape(3, 1, 56, 8400, 0) }, 1, NULL, "pose", 1 },
        { { shape(3, 1, 56, 8400, 0) }, 1, NULL, "pose", 0 },
        { { shape(3, 1, 20, 8400, 0) }, 1, NULL, "rotated", 15 },
        { { shape(3, 1, 20, 8400, 0) }, 1, "obb", "rotated", 15 },
        { { shape(2, 1, 1000, 0, 0) }, 1, NULL, "classification" },
        { { shape(2, 1, 1000, 0, 0) }, 1, "classify", "classification" },
        { { shape(3, 1, 300, 4, 0), shape(3, 1, 300, 91, 0) }, 2, NULL, "several" },
        { { shape(4, 1, 255, 80, 80), shape(4, 1, 255, 40, 40), shape(4, 1, 255, 20, 20) }, 3, NULL, "several" },
        { { shape(4, 1, 3, 1280, 1280) }, 1, NULL, "no detector" },
        { { shape(3, 2, 84, 8400, 0) }, 1, NULL, "no detector" },
        { { shape(3, 1, 7, 123, 0) }, 1, NULL, "head=" },
        { { one }, 1, "depth", "task" },
        { { one }, 1, NULL, "not of head=e2e", 0, YOLO_HEAD_E2E },
        { { one }, 1, NULL, "asked for", 0, YOLO_HEAD_V5 },
        { { shape(3, 1, 25200, 85, 0) }, 1, NULL, "yolox", 0, YOLO_HEAD_YOLOX },
        { { shape(3, 1, 4, 8400, 0) }, 1, NULL, "size" },
        { { shape(3, 1, 300, 6, 0) }, 1, NULL, "size", 0, YOLO_HEAD_V8 },       // 300 anchors outside, 2 classes, fits
        { { shape(3, 1, -1, 6, 0) }, 1, NULL, "asked for", 0, YOLO_HEAD_V8 },
    };

    for (int i = 0; i < sizeof(c) / sizeof(*c); i++) {
        YoloHead h;
        int ret = find(&h, c[i].t, c[i].nb, c[i].task, 640, c[i].wanted, c[i].names);
        if (c[i].t[0].dims[1] == 300 && c[i].nb == 1) {
            tap_ok(!ret && h.nc == 2 && h.transposed, "300x6 with head=v8 is 2 classes, anchors outside");
            continue;
        }
        tap_ok(ret == AVERROR_PATCHWELCOME && strstr(last, c[i].says) && strchr(last, '\n') == last + strlen(last) - 1,
               "refused: %.*s", (int)strcspn(last, ";"), last);
    }
}

/* ---- values ------------------------------------------------------------------------------- */

static float *values(NNTensor *t, int a, int b)
{
    *t = shape(3, 1, a, b, 0);
    return t->data = av_calloc((size_t)a * b, sizeof(float));
}

static int is_box(const YoloBox *b, float x1, float y1, float x2, float y2, float conf, int cls)
{
    return fabsf(b->x1 - x1) < 1e-3 && fabsf(b->y1 - y1) < 1e-3 && fabsf(b->x2 - x2) < 1e-3 && fabsf(b->y2 - y2) < 1e-3 &&
           fabsf(b->conf - conf) < 1e-6 && b->cls == cls && !b->id && b->state == YOLO_SEEN;
}

/* a net of 64 x 64: 64 + 16 + 4 = 84 anchors, 3 classes */
#define A 84
static void test_v8(int transposed)
{
    YoloHead h = { .layout = YOLO_HEAD_V8, .nc = 3, .nb = A, .transposed = transposed, .net_w = 64, .net_h = 64 };
    const uint8_t keep[2] = { 1, 0 };
    YoloBoxes l = { 0 };
    NNTensor t;
    float *p = transposed ? values(&t, A, 7) : values(&t, 7, A);
    int bad = 0, ret;
#define V(c, i) p[transposed ? (i) * 7 + (c) : (c) * A + (i)]

    V(0, 5) = 20; V(1, 5) = 30; V(2, 5) = 10; V(3, 5) = 4;
    V(4, 5) = 0.3; V(5, 5) = 0.9; V(6, 5) = 0.8;
    V(0, 83) = 60; V(1, 83) = 60; V(2, 83) = 20; V(3, 83) = 20; V(6, 83) = 0.5;
    V(0, 60) = 9; V(1, 60) = 9; V(2, 60) = 2; V(3, 60) = 2; V(4, 60) = 0.4;
    V(2, 7) = V(3, 7) = 1; V(4, 7) = 0.25;          // not above 0.25
    V(4, 8) = 0.7;                                  // of no size
    ret = ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad);
    tap_ok(!ret && l.nb == 3 && !bad && is_box(&l.box[0], 15, 28, 25, 32, 0.9, 1) &&
           is_box(&l.box[1], 8, 8, 10, 10, 0.4, 0) && is_box(&l.box[2], 50, 50, 70, 70, 0.5, 2), "v8%s: three boxes, the best class of each", transposed ? ", transposed" : "");
    ret = ff_yolo_decode(&h, &t, 0.25, keep, 2, &l, &bad);
    tap_ok(!ret && l.nb == 4 && l.box[3].cls == 0, "a list grows; only class 0 is kept, and a better class of another is not looked past");
    l.nb = 0;
    V(4, 20) = NAN; V(5, 20) = 0.6; V(2, 20) = V(3, 20) = 2;
    V(0, 30) = INFINITY; V(6, 30) = 0.6; V(2, 30) = V(3, 30) = 2;
    ret = ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad);
    tap_ok(!ret && bad && l.nb == 4 && l.box[1].conf > 0.59 && isfinite(l.box[1].x1), "NaN and infinity are seen and left out");
    t.nb--;
    tap_ok(ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad) == AVERROR_INVALIDDATA, "a tensor of another size is refused");
    t.nb++;
    t.dims[1]++;
    tap_ok(ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad) == AVERROR_INVALIDDATA, "and one of another shape");
    ff_yolo_free(&l);
    av_free(t.data);
#undef V
}

static void test_objectness(void)
{
    YoloHead h = { .layout = YOLO_HEAD_V5, .nc = 2, .nb = 3 * A, .transposed = 1, .net_w = 64, .net_h = 64 };
    YoloBoxes l = { 0 };
    NNTensor t;
    float *p = values(&t, 3 * A, 7);
    int bad = 0, ret;

    memcpy(p + 7 * 4,   (float[7]) { 10, 12, 4, 6, 0.8, 0.2, 0.5 }, 28);
    memcpy(p + 7 * 200, (float[7]) { 10, 12, 4, 6, 0.4, 0.5, 0.5 }, 28);   // 0.2
    ret = ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad);
    tap_ok(!ret && l.nb == 1 && is_box(&l.box[0], 8, 9, 12, 15, 0.4, 1), "v5: objectness times class score");
    av_free(t.data);

    h = (YoloHead) { .layout = YOLO_HEAD_YOLOX, .nc = 2, .nb = A, .transposed = 1, .net_w = 64, .net_h = 64,
                     .strides = { 8, 16, 32 }, .nb_grids = 3 };
    p = values(&t, A, 7);
    memcpy(p + 7 * 10, (float[7]) { 0.5, 0.25, 0, 1, 0.9, 0, 1 }, 28);      // cell 2,1 of stride 8
    memcpy(p + 7 * 83, (float[7]) { -0.5, 1, 0, 0, 0.9, 1, 0 }, 28);        // cell 1,1 of stride 32
    l.nb = 0;
    ret = ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad);
    tap_ok(!ret && l.nb == 2 && is_box(&l.box[0], 16, 10 - 4 * M_E, 24, 10 + 4 * M_E, 0.9, 1) && is_box(&l.box[1], 0, 48, 32, 80, 0.9, 0),
           "yolox: cells, strides, exp");
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            p[7 * (y * 8 + x)] = x * 8 + 4;
    memcpy(p + 7 * 10, (float[7]) { 20, 10, 8, 6, 0.9, 0, 1 }, 28);
    l.nb = 0;
    ret = ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad);
    tap_ok(!ret && l.nb >= 1 && is_box(&l.box[0], 16, 7, 24, 13, 0.9, 1), "yolox, finished by the export itself: taken as it is");
    memcpy(p, (float[7]) { 0, 0, 1000, 0, 0.9, 0, 1 }, 28);
    for (int i = 1; i < A; i++)
        memset(p + 7 * i, 0, 28);
    l.nb = 0;
    ret = ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad);
    tap_ok(!ret && !l.nb && bad, "yolox: a size that overflows is left out");
    av_free(t.data);
    ff_yolo_free(&l);
}

static void test_e2e(void)
{
    YoloHead h = { .layout = YOLO_HEAD_E2E, .net_w = 64, .net_h = 64 };
    YoloBoxes l = { 0 };
    NNTensor t;
    float *p = values(&t, 3, 6);
    int bad = 0, ret;

    memcpy(p,      (float[6]) { 1, 2, 3, 5, 0.9, 7 }, 24);
    memcpy(p + 6,  (float[6]) { 1, 2, 3, 5, 0.9, -1 }, 24);
    memcpy(p + 12, (float[6]) { 1, 2, 3, 5, 0.9, 1e30 }, 24);
    ret = ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad);
    tap_ok(!ret && l.nb == 1 && is_box(&l.box[0], 1, 2, 3, 5, 0.9, 7), "e2e: corners; a class that is none is left out");
    t.dims[1] = t.nb = 0;
    l.nb = 0;
    tap_ok(!ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad) && !l.nb, "e2e: no detections at all");
    av_free(t.data);
    ff_yolo_free(&l);
}

static void test_cap(void)
{
    const int n = 40000;
    YoloHead h = { .layout = YOLO_HEAD_V8, .nc = 1, .nb = n };
    YoloBoxes l = { 0 };
    NNTensor t;
    float *p = values(&t, 5, n);
    int bad = 0, low = 0;

    for (int i = 0; i < n; i++) {
        p[2 * n + i] = p[3 * n + i] = 1;
        p[4 * n + i] = 0.3 + 0.6 * ((i * 7919) % n) / n;
    }
    ff_yolo_decode(&h, &t, 0.25, NULL, 0, &l, &bad);
    for (int i = 0; i < l.nb; i++)
        low += l.box[i].conf < 0.45 - 1e-4;
    tap_ok(l.nb == YOLO_MAX_CANDIDATES && !low, "of 40000 candidates the %d most certain are kept", l.nb);
    av_free(t.data);
    ff_yolo_free(&l);
}

int main(void)
{
    av_log_set_callback(keep_error);
    test_found();
    test_refused();
    test_v8(0);
    test_v8(1);
    test_objectness();
    test_e2e();
    test_cap();
    return tap_done();
}
