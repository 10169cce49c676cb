/*
 * keyframecrop in a graph: side data, tags, time, what comes in wrong
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "libavfilter/keyframecrop.h"
#include "libavutil/avutil.h"
#include "libavutil/detection_bbox.h"
#include "libavutil/opt.h"
#include "graph.h"
#include "tap.h"

static int open_graph(Graph *t, int w, int h, enum AVPixelFormat fmt, const char *opts)
{
    return open_filter(t, "keyframecrop", w, h, fmt, opts);
}

static double meta(const AVFrame *f, const char *key)
{
    const AVDictionaryEntry *e = f ? av_dict_get(f->metadata, key, NULL, 0) : NULL;
    double v = NAN;

    if (e)
        sscanf(e->value, "%lf", &v);
    return v;
}

static void test_frame(void)
{
    Graph t;
    int err;
    AVFrame *f, *out;
    AVDetectionBBoxHeader *h;

    if (!tap_ok(open_graph(&t, 320, 240, AV_PIX_FMT_YUV420P, "keys=0 100 50 80 60|1 110 50 80 60:w=160:h=120") >= 0, "a graph"))
        return;
    f = frame(320, 240, AV_PIX_FMT_YUV420P, 0);
    h = av_detection_bbox_create_side_data(f, 4);
    strcpy(h->source, "test");
    for (int i = 0; i < 4; i++) {
        static const int box[4][4] = { { 110, 60, 20, 10 }, { 90, 40, 30, 30 }, { 0, 0, 50, 50 }, { 170, 100, 100, 100 } };
        AVDetectionBBox *b = av_get_detection_bbox(h, i);
        b->x = box[i][0];
        b->y = box[i][1];
        b->w = box[i][2];
        b->h = box[i][3];
        snprintf(b->detect_label, sizeof(b->detect_label), "box%d", i);
    }
    av_frame_new_side_data(f, AV_FRAME_DATA_MOTION_VECTORS, 40);
    av_frame_new_side_data(f, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, 8);
    out = through(&t, f, &err);
    if (tap_ok(!!out, "a frame comes out")) {
        const AVFrameSideData *sd = av_frame_get_side_data(out, AV_FRAME_DATA_DETECTION_BBOXES);
        const AVDetectionBBoxHeader *o = sd ? (AVDetectionBBoxHeader *)sd->data : NULL;
        const AVDetectionBBox *b0 = o && o->nb_bboxes == 3 ? av_get_detection_bbox(o, 0) : NULL;
        const AVDetectionBBox *b1 = b0 ? av_get_detection_bbox(o, 1) : NULL, *b2 = b0 ? av_get_detection_bbox(o, 2) : NULL;

        tap_ok(out->width == 160 && out->height == 120 && out->pts == 0 && out->duration == 1, "size, pts, duration");
        tap_ok(out->colorspace == AVCOL_SPC_BT709 && out->color_range == AVCOL_RANGE_MPEG && out->color_primaries == AVCOL_PRI_BT709 &&
               out->color_trc == AVCOL_TRC_BT709 && out->chroma_location == AVCHROMA_LOC_TOPLEFT, "colour tags are kept");
        tap_ok(!av_cmp_q(out->sample_aspect_ratio, (AVRational){ 4, 3 }), "sample aspect ratio is kept");
        tap_ok(b0 && b0->x == 20 && b0->y == 20 && b0->w == 40 && b0->h == 20 && !strcmp(b0->detect_label, "box0"),
               "a box goes through the crop");
        tap_ok(b1 && b1->x == 0 && b1->y == 0 && b1->w == 40 && b1->h == 40, "a box is cut at the edge");
        tap_ok(b2 && b2->x == 140 && b2->y == 100 && b2->w == 20 && b2->h == 20 && !strcmp(b2->detect_label, "box3"),
               "a box outside is dropped, the next one stays");
        tap_ok(o && !strcmp(o->source, "test"), "the source of the boxes is kept");
        tap_ok(!av_frame_get_side_data(out, AV_FRAME_DATA_MOTION_VECTORS) && strstr(message, "Motion vectors"),
               "side data that does not fit goes, and the log says so");
        tap_ok(!!av_frame_get_side_data(out, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL), "other side data stays");
        tap_ok(meta(out, "lavfi.keyframecrop.x") == 100 && meta(out, "lavfi.keyframecrop.w") == 80, "metadata");
        tap_ok(out->data[0][5] == 100 && out->data[1][5] == 100, "a flat picture is the same");
    }
    av_frame_free(&out);
    out = through(&t, frame(320, 240, AV_PIX_FMT_YUV420P, AV_NOPTS_VALUE), &err);
    tap_ok(out && fabs(meta(out, "lavfi.keyframecrop.x") - 100 - 10 * 1001 / 30000.) < 1e-4 && strstr(message, "timestamp"),
           "a frame without pts follows the one before it, with a warning");
    av_frame_free(&out);
#if defined(ASSERT_LEVEL) && ASSERT_LEVEL > 0
    tap_skip("a frame of another size: libavfilter of this tree asserts before the filter sees it (--assert-level=%d)",
             ASSERT_LEVEL);
#else
    out = through(&t, frame(300, 240, AV_PIX_FMT_YUV420P, 5), &err);
    tap_ok(!out && err == AVERROR_INVALIDDATA, "a frame of another size is refused (%s)", av_err2str(err));
    av_frame_free(&out);
#endif
    avfilter_graph_free(&t.g);
}

static void test_exact_time(void)
{
    char keys[256] = "keys=0 0 0 100 100 hold|1.001 50 0 100 100 hold|100.1 100 0 100 100";
    Graph t;
    int err;
    AVFrame *out;

    if (open_graph(&t, 320, 240, AV_PIX_FMT_GRAY8, keys) >= 0) {
        out = through(&t, frame(320, 240, AV_PIX_FMT_GRAY8, 29), &err);
        tap_ok(meta(out, "lavfi.keyframecrop.x") == 0, "the frame before a key at 1.001 s, of 30000/1001 frames a second");
        av_frame_free(&out);
        out = through(&t, frame(320, 240, AV_PIX_FMT_GRAY8, 30), &err);
        tap_ok(meta(out, "lavfi.keyframecrop.x") == 50, "the frame at it");
        av_frame_free(&out);
        out = through(&t, frame(320, 240, AV_PIX_FMT_GRAY8, 3000), &err);
        tap_ok(meta(out, "lavfi.keyframecrop.x") == 100, "the frame at 100.1 s");
        av_frame_free(&out);
    }
    avfilter_graph_free(&t.g);
    strcat(keys, ":t0=99.099");
    if (tap_ok(open_graph(&t, 320, 240, AV_PIX_FMT_GRAY8, keys) >= 0, "t0")) {
        out = through(&t, frame(320, 240, AV_PIX_FMT_GRAY8, 29), &err);
        tap_ok(meta(out, "lavfi.keyframecrop.x") == 50, "the frame before a key, with t0");
        av_frame_free(&out);
        out = through(&t, frame(320, 240, AV_PIX_FMT_GRAY8, 30), &err);
        tap_ok(meta(out, "lavfi.keyframecrop.x") == 100, "the frame at it");
        av_frame_free(&out);
    }
    avfilter_graph_free(&t.g);
}

static void test_commands(void)
{
    Graph t;
    int err;
    AVFrame *out;

    if (!tap_ok(open_graph(&t, 320, 240, AV_PIX_FMT_NV12, "keys=0 10 10 100 100") >= 0, "a graph for commands"))
        return;
    tap_ok(avfilter_graph_send_command(t.g, "filter", "keys", "0 30 10 50 50", NULL, 0, 0) >= 0, "command keys");
    out = through(&t, frame(320, 240, AV_PIX_FMT_NV12, 0), &err);
    tap_ok(out && meta(out, "lavfi.keyframecrop.x") == 30 && out->width == 100, "new keys, the same size of output");
    av_frame_free(&out);
    tap_ok(avfilter_graph_send_command(t.g, "filter", "keys", "0 30 10 -50 50", NULL, 0, 0) < 0, "wrong keys are refused");
    out = through(&t, frame(320, 240, AV_PIX_FMT_NV12, 1), &err);
    tap_ok(out && meta(out, "lavfi.keyframecrop.x") == 30 && meta(out, "lavfi.keyframecrop.w") == 50, "and change nothing");
    av_frame_free(&out);
    tap_ok(avfilter_graph_send_command(t.g, "filter", "rotate", "5", NULL, 0, 0) >= 0, "command rotate");
    out = through(&t, frame(320, 240, AV_PIX_FMT_NV12, 2), &err);
    tap_ok(out && meta(out, "lavfi.keyframecrop.rotation") == 5, "is obeyed");
    av_frame_free(&out);
    tap_ok(avfilter_graph_send_command(t.g, "filter", "w", "50", NULL, 0, 0) < 0, "the size of the output is no command");
    avfilter_graph_free(&t.g);
}

static double rotation_at(Graph *t, int64_t pts)
{
    int err;
    AVFrame *out = through(t, frame(320, 240, AV_PIX_FMT_NV12, pts), &err);
    const double v = meta(out, "lavfi.keyframecrop.rotation");

    av_frame_free(&out);
    return v;
}

/* the command must not read the keys again: they may be gone, or others */
static void test_rotate_command(void)
{
    const char *dir = getenv("TMP") ? getenv("TMP") : "/tmp";
    char path[1024], opts[1100];
    Graph t;
    FILE *f;

    if (!CONFIG_JANSSON) {
        tap_skip("rotate with keys from JSON: this tree is configured without jansson (--enable-jansson)");
        return;
    }
    snprintf(path, sizeof(path), "%s/crop_graph.json", dir);
    if (!tap_ok(!!(f = fopen(path, "wb")), "%s can be written", path))
        return;
    fputs("[{\"time\":0,\"x\":0,\"y\":0,\"w\":100,\"h\":80},"
          "{\"time\":2,\"x\":0,\"y\":0,\"w\":100,\"h\":80,\"rotation\":7}]", f);
    fclose(f);
    snprintf(opts, sizeof(opts), "file=%s:kind=hold", path);
    tap_ok(open_graph(&t, 320, 240, AV_PIX_FMT_NV12, opts) >= 0, "keys from a file");
    remove(path);
    tap_ok(avfilter_graph_send_command(t.g, "filter", "rotate", "3", NULL, 0, 0) >= 0 && rotation_at(&t, 0) == 3,
           "rotate turns keys without a rotation of their own, with their file gone");
    tap_ok(avfilter_graph_send_command(t.g, "filter", "rotate", "4", NULL, 0, 0) >= 0 && rotation_at(&t, 1) == 4,
           "and again");
    tap_ok(rotation_at(&t, 100) == 7, "a key's own rotation stays");
    avfilter_graph_free(&t.g);
}

/* what config_props does when the input changes */
static void test_again(void)
{
    Graph t;
    AVFilterLink *out;

    if (!tap_ok(open_graph(&t, 320, 240, AV_PIX_FMT_YUV420P, "aspect=9/16") >= 0, "the largest crop of a ratio"))
        return;
    out = t.filter->outputs[0];
    t.filter->inputs[0]->w = 1280;
    t.filter->inputs[0]->h = 640;
    tap_ok(ff_keyframecrop_size(out) >= 0 && out->w == 360 && out->h == 640,
           "another input gets its own centred crop: %dx%d", out->w, out->h);
    avfilter_graph_free(&t.g);
}

static void size_is(const char *opts, int w, int h, AVRational sar)
{
    Graph t;
    const int ret = open_graph(&t, 1920, 1080, AV_PIX_FMT_YUV420P, opts);

    if (ret < 0) {
        tap_ok(0, "%s: %s", opts, message);
    } else {
        const AVRational q = av_buffersink_get_sample_aspect_ratio(t.sink);
        tap_ok(av_buffersink_get_w(t.sink) == w && av_buffersink_get_h(t.sink) == h && !av_cmp_q(q, sar),
               "%s: %dx%d sar %d:%d", opts, av_buffersink_get_w(t.sink), av_buffersink_get_h(t.sink), q.num, q.den);
    }
    avfilter_graph_free(&t.g);
}

static void test_sizes(void)
{
    const AVRational in = { 4, 3 };

    size_is("keys=0 0 0 540 960|1 9 0 540 960", 540, 960, in);
    size_is("keys=0 0 0 205 365", 204, 364, in);
    size_is("keys=0 0 0 100 100|1 0 0 300 200", 300, 200, in);
    size_is("keys=0 0 0 205 365:size=reel", 808, 1440, in);
    size_is("keys=0 0 0 205 365:size=reel:aspect=9/16", 810, 1440, in);
    size_is("keys=0 0 0 640 360:size=reel:aspect=16/9", 2560, 1440, in);
    size_is("keys=0 0 0 120 213:size=reel:aspect=9/16", 478, 852, in);
    size_is("keys=0 0 0 320 180|1 0 0 640 360:size=reel:aspect=16/9", 1280, 720, in);
    size_is("keys=0 0 0 540 960:w=270", 270, 480, in);
    size_is("keys=0 0 0 540 960:h=kh*1.5", 810, 1440, in);
    size_is("keys=0 0 0 540 960:w=oh*9/16:h=1440", 810, 1440, in);
    size_is("keys=0 0 0 540 960:w=kw:h=ow", 540, 540, (AVRational){ 3, 4 });
    size_is("keys=0 0 0 540 960:w=540:h=540:aspect=out", 540, 540, in);
    size_is("aspect=9/16", 606, 1080, in);
    size_is("aspect=9/16:size=reel", 1080, 1920, in);
    size_is("aspect=out:w=300:h=400", 300, 400, in);
    size_is("keys=0 0 0 270 480:ref=960x540", 540, 960, in);
    size_is("keys=0 0 0 1920 1080", 1920, 1080, in);
    /* a shape of 5e11, which no rational holds */
    size_is("keys=0 0 0 100000 0.01:w=1:h=50000", 1, 50000, in);
}

static void refused(const char *opts, const char *says)
{
    Graph t;
    const int ret = open_graph(&t, 320, 240, AV_PIX_FMT_YUV420P, opts);
    const char *line = strstr(message, says);

    tap_ok(ret < 0 && line, "'%s' is refused: %.*s", opts, line ? (int)strcspn(line, "\n") : 0, line ? line : "");
    avfilter_graph_free(&t.g);
}

static void test_refusals(void)
{
    refused("", "no keys");
    refused("keys=0 0 0 10:w=5", "key 1");
    refused("keys=0 0 0 10 10:file=x.json", "both");
    refused("file=/nonexistent/k.json", "/nonexistent/k.json");
    refused("keys=0 0 0 10 10:aspect=wide", "aspect");
    refused("keys=0 0 0 10 10:w=0", "w:");
    refused("keys=0 0 0 10 10:h=nosuch", "h:");
    refused("keys=0 0 0 10 10:w=1e9", "w:");
    refused("aspect=out", "needs w and h");
    refused("keys=0 0 0 10 10|1 0 0 90000 10", "key 2");
    refused("keys=0 0 0 10 10|1 0 0 1e-9 10", "key 2: w is 1e-09, outside of 0.01");
    refused("keys=0 0 0 1e-320 40|1 0 0 1000 40:log=1:w=32:h=32", "key 1: w");
    refused("keys=0 0 0 10 0.02:ref=10x10000", "key 1: 320x0.00048");
    refused("keys=0 0 0 100 0.01:h=100", "w: 1e+06");
    refused("keys=0 0 0 0.01 100:w=100", "h: 1e+06");
}

int main(void)
{
    av_log_set_callback(keep_message);
    test_frame();
    test_exact_time();
    test_commands();
    test_rotate_command();
    test_again();
    test_sizes();
    test_refusals();
    return tap_done();
}
