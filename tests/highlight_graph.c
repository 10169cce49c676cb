/*
 * highlight: the filter in a graph: frames, time, rules, commands, refusals
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
#include <stdlib.h>

#include "config.h"
#include "libavutil/common.h"
#include "libavutil/detection_bbox.h"

#include "libavfilter/highlight.h"
#include "graph.h"
#include "highlight_ref.h"
#include "tap.h"

#define W 320
#define H 240

static int open_graph(Graph *t, const char *opts)
{
    return open_filter(t, "highlight", W, H, AV_PIX_FMT_YUV420P, opts);
}

/* 30000/1001 frames a second; a flat picture of 100 */
static AVFrame *at(double seconds)
{
    return frame(W, H, AV_PIX_FMT_YUV420P, lrint(seconds * 30000 / 1001));
}

/* luma at (x, y) of what becomes of a frame at a time; -1: nothing came */
static int luma(Graph *t, double seconds, int x, int y)
{
    int err, v;
    AVFrame *f = through(t, at(seconds), &err);

    v = f ? f->data[0][y * f->linesize[0] + x] : -1;
    av_frame_free(&f);
    return v;
}

/* limited range: black is 16 */
static int dimmed(double by)
{
    return lrint(16 + 84 * (1 - by));
}

static void is(int got, int want, const char *what)
{
    tap_ok(abs(got - want) <= 0, "%s: %d (%d)", what, got, want);
}

static void test_nothing(void)
{
    Graph t;
    AVFrame *in, *keep, *out;
    int err;

    if (!tap_ok(open_graph(&t, "keys=0 100 120 20 20:effect=ring:stroke=0") >= 0, "a ring of no width: %s", message))
        return;
    in   = at(0);
    keep = av_frame_clone(in);
    out  = through(&t, in, &err);
    tap_ok(out && out->data[0] == keep->data[0], "a frame on which nothing is drawn passes by reference");
    av_frame_free(&out);
    av_frame_free(&keep);
    avfilter_graph_free(&t.g);
}

static void test_frames(void)
{
    Graph t;
    AVFrame *in, *keep, *out;
    const uint8_t *data;
    int err;

    if (!tap_ok(open_graph(&t, "regions='[{\"start_time\":1,\"end_time\":3,\"keyframes\":[{\"time\":1,\"x\":160,\"y\":120,\"radiusX\":30,"
                               "\"radiusY\":40}]}]':fade_in=0:fade_out=0:outside=0.5") >= 0, "a graph: %s", message))
        return;
    in   = at(0.5);
    data = in->data[0];
    keep = av_frame_clone(in);
    out  = through(&t, in, &err);
    tap_ok(out && out->data[0] == data, "outside of all regions a frame passes by reference, others hold it or not");
    av_frame_free(&out);
    av_frame_free(&keep);
    in   = at(1.5);
    data = in->data[0];
    out  = through(&t, in, &err);
    tap_ok(out && out->data[0] == data && out->data[0][0] == dimmed(0.5), "a frame that nobody else holds is drawn on in place");
    av_frame_free(&out);
    in   = at(2);
    keep = av_frame_clone(in);
    out  = through(&t, in, &err);
    tap_ok(out && out->data[0] != keep->data[0] && out->data[0][0] == dimmed(0.5) && keep->data[0][0] == 100,
           "of one that others hold a new one is made, and theirs stays");
    tap_ok(out && out->pts == keep->pts && out->duration == keep->duration && out->colorspace == keep->colorspace &&
           out->chroma_location == keep->chroma_location && !av_cmp_q(out->sample_aspect_ratio, keep->sample_aspect_ratio),
           "with pts, duration, tags and sample aspect ratio");
    tap_ok(out && out->data[0][120 * out->linesize[0] + 160] == 100, "the inside is as it was");
    av_frame_free(&out);
    av_frame_free(&keep);
    avfilter_graph_free(&t.g);
}

static void test_time(void)
{
    Graph t;
    const char *region = "regions='[{\"start_time\":1.001,\"end_time\":3.003,\"keyframes\":[{\"time\":1.001,\"x\":160,\"y\":120,"
                         "\"radiusX\":30,\"radiusY\":40},{\"time\":2.002,\"x\":160,\"y\":120,\"radiusX\":30,\"radiusY\":40}]}]':outside=0.5:";
    char opts[600];

    snprintf(opts, sizeof(opts), "%sfade_in=0:fade_out=0", region);
    if (tap_ok(open_graph(&t, opts) >= 0, "regions have ends")) {
        is(luma(&t, 1.001 - 0.0334, 2, 2), 100, "the frame before the start");
        is(luma(&t, 1.001, 2, 2), dimmed(0.5), "the frame at the start, of 30000/1001 a second");
        is(luma(&t, 2.5, 2, 2), dimmed(0.5), "after the last key");
        is(luma(&t, 3.003, 2, 2), dimmed(0.5), "the frame at the end");
        is(luma(&t, 3.003 + 0.0334, 2, 2), 100, "the frame after it");
    }
    avfilter_graph_free(&t.g);
    snprintf(opts, sizeof(opts), "%sfade_in=0:fade_out=0:end=vanish", region);
    if (tap_ok(open_graph(&t, opts) >= 0, "end=vanish")) {
        is(luma(&t, 2.002, 2, 2), dimmed(0.5), "at the last key");
        is(luma(&t, 2.002 + 0.0334, 2, 2), 100, "after it");
    }
    avfilter_graph_free(&t.g);
    snprintf(opts, sizeof(opts), "%sfade_in=1.001:fade_out=0.5005:t0=0", region);
    if (tap_ok(open_graph(&t, opts) >= 0, "fades")) {
        is(luma(&t, 1.001, 2, 2), 100, "nothing at the start");
        is(luma(&t, 1.5015, 2, 2), dimmed(0.25), "half of the way in");
        is(luma(&t, 2.002, 2, 2), dimmed(0.5), "all of the way in");
        tap_ok(luma(&t, 2.75, 2, 2) > dimmed(0.5), "on the way out");
        is(luma(&t, 3.003, 2, 2), 100, "nothing at the end");
    }
    avfilter_graph_free(&t.g);
    snprintf(opts, sizeof(opts), "%sfade_in=9:fade_out=9", region);
    if (tap_ok(open_graph(&t, opts) >= 0, "long fades"))
        is(luma(&t, 2.002, 2, 2), dimmed(0.5), "each takes half of the region at most: all in its middle");
    avfilter_graph_free(&t.g);
    snprintf(opts, sizeof(opts), "%sfade_in=0:fade_out=0:t0=1.001", region);
    if (tap_ok(open_graph(&t, opts) >= 0, "t0"))
        is(luma(&t, 0, 2, 2), dimmed(0.5), "moves the regions");
    avfilter_graph_free(&t.g);
}

static void test_keys(void)
{
    Graph t;

    if (tap_ok(open_graph(&t, "keys=0 100 120 20 20|1.001 200 120 20 20 hold|2.002 100 120 20 20:outside=1:kind=linear:feather=1.5") >= 0, "keys as text")) {
        is(luma(&t, 0, 100, 120), 100, "the first key");
        is(luma(&t, 0, 200, 120), 16, "and not the second");
        is(luma(&t, 0.5005, 150, 120), 100, "half of the way");
        is(luma(&t, 1.9, 200, 120), 100, "held");
        is(luma(&t, 9, 100, 120), 100, "after the last key");
    }
    avfilter_graph_free(&t.g);
    if (tap_ok(open_graph(&t, "keys=0 50 60 10 10:outside=1:ref=160x120:feather=1.5") >= 0, "ref")) {
        is(luma(&t, 0, 100, 120), 100, "places are scaled");
        is(luma(&t, 0, 117, 120), 100, "and radii");
        is(luma(&t, 0, 123, 120), 16, "not more");
    }
    avfilter_graph_free(&t.g);
    if (tap_ok(open_graph(&t, "regions='[{\"videoWidth\":640,\"videoHeight\":240,\"keyframes\":[{\"time\":0,\"x\":200,\"y\":120,"
                              "\"radiusX\":40,\"radiusY\":20}]}]':outside=1:ref=10x10:feather=1.5") >= 0, "a file's own reference size")) {
        is(luma(&t, 0, 100, 120), 100, "wins over ref");
        is(luma(&t, 0, 100, 137), 100, "width and height apart");
        is(luma(&t, 0, 123, 120), 16, "not more");
    }
    avfilter_graph_free(&t.g);
}

#define KEY "\"keyframes\":[{\"time\":0,\"x\":%d,\"y\":120,\"radiusX\":20,\"radiusY\":20%s}]"

static void test_strength(void)
{
    static const struct { const char *settings, *key, *opts; double want; const char *what; } c[] = {
        { "", "", "",                                            0.15, "the default" },
        { "", ",\"opacity\":0.4", "",                            0.4,  "a key's opacity" },
        { ",\"overlay_settings\":{\"dim_strength\":0.3}", ",\"opacity\":0.4", "", 0.3, "the file's dim_strength wins over it" },
        { ",\"overlay_settings\":{\"dim_strength\":0.3}", ",\"opacity\":0.4", ":outside=0.6", 0.6, "the option wins over both" },
        { "", ",\"opacity\":0", "",                              0,    "an opacity of 0 is one" },
        { "", "", ":effect=spot",                                0.5,  "spot" },
        { ",\"effect_type\":\"spot\"", "", "",                   0.5,  "the file's effect" },
        { ",\"effect_type\":\"spot\"", "", ":effect=ring",       0,    "the option wins over it" },
        { "", "", ":effect=ring:outside=0.25",                   0.25, "a ring with a dark outside" },
        { "", "", ":effect=original:outside=0.25",               0,    "original" },
        { "", "", ":effect=desaturate",                          0,    "desaturate leaves luma" },
    };

    for (int i = 0; i < FF_ARRAY_ELEMS(c); i++) {
        char opts[800];
        Graph t;
        snprintf(opts, sizeof(opts), "regions='{\"regions\":[{" KEY "}]%s}'%s", 160, c[i].key, c[i].settings, c[i].opts);
        if (open_graph(&t, opts) < 0)
            tap_ok(0, "%s: %s", c[i].what, message);
        else
            is(luma(&t, 1, 2, 2), dimmed(c[i].want), c[i].what);
        avfilter_graph_free(&t.g);
    }
}

static void test_inside(void)
{
    static const struct { const char *key, *opts; int want; const char *what; } c[] = {
        { "", ":effect=brightness_boost", 16 + 84 * 1.45 + 0.5, "brighter by 3 times 0.15" },
        { ",\"opacity\":0.5", ":effect=brightness_boost", 16 + 84 * 2.5 + 0.5, "by a key's opacity" },
        { "", ":effect=brightness_boost:inside=1", 255, "to white" },
        { ",\"color\":\"#FFFFFF\"", ":effect=brightness_boost:inside=0.5", (100 + 235) / 2 + 1, "with a colour: tinted" },
        { ",\"color\":\"#FFFFFF\",\"fillOpacity\":0.5", "", (100 + 235) / 2 + 1, "a key's fillOpacity" },
        { ",\"color\":\"#FFFFFF\",\"fillOpacity\":0.5", ":inside=0", 100, "the option wins over it" },
        { ",\"color\":null,\"fillOpacity\":0.5", "", 100, "no colour, no tint" },
        { ",\"color\":\"#000000\"", ":effect=ring:inside=1", 16, "black" },
        { ",\"color\":\"#000000\"", ":effect=ring:inside=1:color=white", 235, "color wins over the keys'" },
        { ",\"color\":\"#000000\"", ":effect=spot:inside=1", 100, "spot has no tint" },
    };

    for (int i = 0; i < FF_ARRAY_ELEMS(c); i++) {
        char opts[800];
        Graph t;
        snprintf(opts, sizeof(opts), "regions='[{" KEY "}]'%s", 160, c[i].key, c[i].opts);
        if (open_graph(&t, opts) < 0)
            tap_ok(0, "%s: %s", c[i].what, message);
        else
            is(luma(&t, 1, 160, 120), c[i].want, c[i].what);
        avfilter_graph_free(&t.g);
    }
}

/* 0.2 p + 0.8 Y far outside, by the weights of BT.601 as an RGB frame names no matrix */
static void test_rgb(void)
{
    Graph t;
    int err, bad = 0;

    if (tap_ok(open_filter(&t, "highlight", W, H, AV_PIX_FMT_RGB24, "keys=0 160 120 30 30:effect=desaturate") >= 0, "desaturate in RGB")) {
        AVFrame *f = frame(W, H, AV_PIX_FMT_RGB24, 0), *out;
        static const int rgb[3] = { 200, 40, 90 };
        const double y = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        f->colorspace = AVCOL_SPC_RGB;
        for (int i = 0; i < W * H; i++)
            for (int c = 0; c < 3; c++)
                f->data[0][i / W * f->linesize[0] + i % W * 3 + c] = rgb[c];
        out = through(&t, f, &err);
        for (int c = 0; out && c < 3; c++)
            bad |= fabs(out->data[0][c] - (0.2 * rgb[c] + 0.8 * y)) > 0.6 ||
                   out->data[0][120 * out->linesize[0] + 480 + c] != rgb[c];
        tap_ok(out && !bad, "mixes with luma outside, not inside: %d %d %d", out->data[0][0], out->data[0][1], out->data[0][2]);
        av_frame_free(&out);
    }
    avfilter_graph_free(&t.g);
}

static void test_several(void)
{
    char opts[1200];
    Graph t;

    snprintf(opts, sizeof(opts), "regions='[{\"end_time\":1.001," KEY "},{" KEY "},{\"enabled\":false," KEY "}]':outside=0.5:fade_out=0.4004",
             80, "", 200, "", 280, "");
    if (tap_ok(open_graph(&t, opts) >= 0, "three regions: %s", message)) {
        is(luma(&t, 0, 80, 120), 100, "the inside of the first");
        is(luma(&t, 0, 200, 120), 100, "the inside of the second");
        is(luma(&t, 0, 280, 120), dimmed(0.5), "one that is not enabled is not drawn");
        is(luma(&t, 0, 2, 2), dimmed(0.5), "the outside, once");
        is(luma(&t, 0.8008, 80, 120), dimmed(0.25), "one that fades closes");
        is(luma(&t, 0.8008, 2, 2), dimmed(0.5), "while the other keeps the outside dark");
        is(luma(&t, 2, 80, 120), dimmed(0.5), "and is gone");
        is(luma(&t, 2, 200, 120), 100, "the other stays");
    }
    avfilter_graph_free(&t.g);
    snprintf(opts, sizeof(opts), "regions='[{" KEY "},{" KEY "}]'", 80, ",\"opacity\":0.2", 200, ",\"opacity\":0.6");
    if (tap_ok(open_graph(&t, opts) >= 0, "two strengths: %s", message)) {
        is(luma(&t, 0, 2, 2), dimmed(0.6), "the stronger wins outside");
        is(luma(&t, 0, 80, 120), 100, "nothing changes inside");
    }
    avfilter_graph_free(&t.g);
    snprintf(opts, sizeof(opts), "regions='[{\"effect\":\"ring\"," KEY "},{" KEY "}]':outside=-1", 80, "", 200, "");
    if (tap_ok(open_graph(&t, opts) >= 0, "two effects: %s", message)) {
        is(luma(&t, 0, 80, 120), dimmed(0.15), "a ring alone makes no hole in the other's dark");
        is(luma(&t, 0, 200, 120), 100, "the other does");
    }
    avfilter_graph_free(&t.g);
}

static void test_old(void)
{
    Graph t;
    char opts[800];

    snprintf(opts, sizeof(opts), "regions='[{\"start_time\":0,\"end_time\":2," KEY "}]':rules=feb", 160, ",\"opacity\":0.5");
    if (tap_ok(open_graph(&t, opts) >= 0, "rules=feb: %s", message)) {
        is(luma(&t, 1, 2, 2), 58, "darker by the key's opacity");
        is(luma(&t, 1, 160, 120), 100, "not inside");
        is(luma(&t, 1.98, 2, 2), 58, "no fade");
    }
    avfilter_graph_free(&t.g);
    snprintf(opts, sizeof(opts), "regions='[{\"start_time\":0,\"end_time\":2,\"keyframes\":[{\"time\":0,\"x\":160,\"y\":120,\"radiusX\":20,\"radiusY\":20},"
             "{\"time\":1.9,\"x\":160,\"y\":120,\"radiusX\":20,\"radiusY\":20}]}]':rules=head");
    if (tap_ok(open_graph(&t, opts) >= 0, "rules=head: %s", message)) {
        tap_ok(abs(luma(&t, 1, 2, 2) - dimmed(0.15)) <= 1, "darker by 0.15");
        is(luma(&t, 1.97, 2, 2), 100, "nothing after the last key");
        tap_ok(luma(&t, 1.8, 2, 2) > dimmed(0.15) + 1, "a fade before the end");
        tap_ok(luma(&t, 1, 140, 120) > 180, "a white ring without a colour");
    }
    avfilter_graph_free(&t.g);
}

static void test_commands(void)
{
    Graph t;

    if (!tap_ok(open_graph(&t, "keys=0 100 120 20 20:outside=1:feather=1.5") >= 0, "a graph for commands"))
        return;
    is(luma(&t, 0, 200, 120), 16, "before");
    tap_ok(avfilter_graph_send_command(t.g, "filter", "keys", "0 200 120 20 20", NULL, 0, 0) >= 0, "command keys");
    is(luma(&t, 1, 200, 120), 100, "new keys");
    tap_ok(avfilter_graph_send_command(t.g, "filter", "keys", "0 200 120 -20 20", NULL, 0, 0) < 0, "wrong keys are refused");
    is(luma(&t, 1, 200, 120), 100, "and change nothing");
    tap_ok(avfilter_graph_send_command(t.g, "filter", "outside", "0.5", NULL, 0, 0) >= 0, "command outside");
    is(luma(&t, 1, 2, 2), dimmed(0.5), "is obeyed");
    tap_ok(avfilter_graph_send_command(t.g, "filter", "color", "nosuch", NULL, 0, 0) < 0, "a wrong colour is refused");
    tap_ok(avfilter_graph_send_command(t.g, "filter", "color", "black", NULL, 0, 0) >= 0 &&
           avfilter_graph_send_command(t.g, "filter", "inside", "1", NULL, 0, 0) >= 0, "command color");
    is(luma(&t, 1, 200, 120), 16, "is obeyed");
    tap_ok(avfilter_graph_send_command(t.g, "filter", "rules", "feb", NULL, 0, 0) < 0, "rules are no command");
    avfilter_graph_free(&t.g);
}

static AVFrame *detected(double seconds, int x, int y, int w, int h, const char *id)
{
    AVFrame *f = at(seconds);
    AVDetectionBBoxHeader *head = av_detection_bbox_create_side_data(f, 2);

    for (int i = 0; i < 2; i++) {
        AVDetectionBBox *b = av_get_detection_bbox(head, i);
        b->x = i ? 300 : x;
        b->y = i ? 10 : y;
        b->w = i ? 8 : w;
        b->h = i ? 8 : h;
        if (id) {
            b->classify_count = 1;
            snprintf(b->classify_labels[0], sizeof(b->classify_labels[0]), "id:%s", i ? "99" : id);
        }
    }
    return f;
}

static void test_follow(void)
{
    Graph t;
    AVFrame *f;
    int err;

    if (tap_ok(open_graph(&t, "follow=7:outside=1:feather=1.5:fade_in=0:fade_out=0:smooth=0:hold=0.2") >= 0, "follow a track: %s", message)) {
        f = through(&t, detected(0, 80, 60, 40, 80, "7"), &err);
        tap_ok(f && f->data[0][100 * f->linesize[0] + 100] == 100 && f->data[0][2] == 16, "an ellipse about the box");
        tap_ok(f && f->data[0][100 * f->linesize[0] + 124] == 100 && f->data[0][100 * f->linesize[0] + 128] == 16,
               "1.3 times half of it wide");
        av_frame_free(&f);
        f = through(&t, detected(0.1, 180, 60, 40, 80, "7"), &err);
        tap_ok(f && f->data[0][100 * f->linesize[0] + 200] == 100 && f->data[0][100 * f->linesize[0] + 100] == 16, "it follows");
        av_frame_free(&f);
        f = through(&t, at(0.2), &err);
        tap_ok(f && f->data[0][100 * f->linesize[0] + 200] == 100 && f->data[0][2] == 16, "a frame without boxes: it stays");
        av_frame_free(&f);
        is(luma(&t, 1, 2, 2), 100, "lost for long: nothing");
        f = through(&t, detected(1.1, 180, 60, 40, 80, "8"), &err);
        tap_ok(f && f->data[0][2] == 100, "another track is not followed");
        av_frame_free(&f);
    }
    avfilter_graph_free(&t.g);
    if (tap_ok(open_graph(&t, "follow=7:outside=1:feather=1.5:fade_in=0.4:fade_out=0:smooth=0:hold=0.1") >= 0, "follow with fades")) {
        f = through(&t, detected(0, 80, 60, 40, 80, "7"), &err);
        av_frame_free(&f);
        f = through(&t, detected(0.2, 80, 60, 40, 80, "7"), &err);
        tap_ok(f && abs(f->data[0][2] - dimmed(0.5)) <= 1, "fade_in is that of a target that is found");
        av_frame_free(&f);
        f = through(&t, detected(0.4, 80, 60, 40, 80, "7"), &err);
        av_frame_free(&f);
        tap_ok(avfilter_graph_send_command(t.g, "filter", "fade_out", "1", NULL, 0, 0) >= 0, "command fade_out");
        is(luma(&t, 1, 2, 2), dimmed(0.5), "is obeyed: half a second after the hold");
    }
    avfilter_graph_free(&t.g);
    if (tap_ok(open_graph(&t, "follow=largest:outside=1:feather=1.5:fade_in=0:fade_out=0:smooth=0") >= 0, "follow the largest")) {
        f = through(&t, detected(0, 80, 60, 40, 80, NULL), &err);
        tap_ok(f && f->data[0][100 * f->linesize[0] + 100] == 100 && f->data[0][14 * f->linesize[0] + 304] == 16, "the larger box, without ids");
        av_frame_free(&f);
    }
    avfilter_graph_free(&t.g);
}

/* the whole filter, by three slice threads, in place and not, against the formulas */
static void test_formulas(void)
{
    static const char *const effect[] = { "dark_overlay", "desaturate", "blur", "brightness_boost:color=none", "ground" };

    for (int i = 0; i < FF_ARRAY_ELEMS(hl_formats); i++) {
        int bad = 0;
        for (int e = 0; e < FF_ARRAY_ELEMS(effect); e++) {
            char opts[300];
            Graph t;
            snprintf(opts, sizeof(opts), "keys=0 60 50 30 20 color=orange fill=0.3|1 90 40 20 30 color=lime:dither=%d:effect=%s", e & 1, effect[e]);
            if (open_filter(&t, "highlight", 161, 97, hl_formats[i], opts) < 0) {
                bad = 1;
                printf("# %s\n", message);
            }
            for (int k = 0; k < 4 && !bad; k++) {
                HighlightContext *s = t.filter->priv;
                HighlightTables tables = { 0 };
                AVFrame *in = hl_frame(hl_formats[i], 161, 97, 0), *want, *keep = NULL, *out;
                HighlightScene scene = ff_highlight_scene(&s->list, &s->params, k * 10 * 1001 / 30000., 161, 97);
                PxLayout l;
                int err;
                ff_highlight_layout(&l, hl_formats[i]);
                in->pts         = k * 10;
                in->colorspace  = l.desc->flags & AV_PIX_FMT_FLAG_RGB ? AVCOL_SPC_RGB : AVCOL_SPC_BT709;
                in->color_range = AVCOL_RANGE_MPEG;
                in->chroma_location = AVCHROMA_LOC_LEFT;
                want = hl_copy(in);
                ff_highlight_tables(&tables, &scene, e & 1, &l, in);
                hl_reference(want, in, &scene, &tables, &l);
                if (k & 1)
                    keep = av_frame_clone(in);
                out = through(&t, in, &err);
                for (int p = 0; out && p < l.nb_planes; p++) {
                    const int sub = l.plane[p].chroma;
                    const int w = (sub ? AV_CEIL_RSHIFT(161, l.desc->log2_chroma_w) : 161) * l.plane[p].nc * l.bytes;
                    for (int y = 0; y < (sub ? AV_CEIL_RSHIFT(97, l.desc->log2_chroma_h) : 97); y++)
                        bad |= memcmp(out->data[p] + y * out->linesize[p], want->data[p] + y * want->linesize[p], w);
                }
                bad |= !out;
                if (bad)
                    printf("# %s, %s, frame %d\n", l.desc->name, effect[e], k);
                av_frame_free(&out);
                av_frame_free(&keep);
                av_frame_free(&want);
                ff_highlight_tables_free(&tables);
            }
            avfilter_graph_free(&t.g);
        }
        tap_ok(!bad, "%s: frames as the formulas say", av_get_pix_fmt_name(hl_formats[i]));
    }
}

static void refused(const char *opts, const char *says)
{
    Graph t;
    const int ret = open_graph(&t, opts);
    const char *line = strstr(message, says);

    tap_ok(ret < 0 && line, "'%s' is refused: %.*s", opts, line ? (int)strcspn(line, "\n") : (int)strlen(message), line ? line : message);
    avfilter_graph_free(&t.g);
}

static void test_refusals(void)
{
    refused("", "none of keys, regions, file and follow");
    refused("keys=0 1 1 1 1:follow=3", "more than one of");
    refused("keys=0 1 1 1", "key 1");
    refused("keys=0 1 1 -1 1", "key 1: rx is -1");
    refused("keys=0 1 1 1 1|0 1 1 1 1", "key 2");
    refused("keys=0 1 1 1 1 color=nosuch", "color");
    refused("keys=0 1 1 1 1:color=nosuch", "color: 'nosuch'");
    refused("keys=0 1 1 1 1:effect=nosuch", "effect");
    refused("follow=ball", "follow: 'ball'");
    refused("follow=largest:rules=feb", "follow needs rules=new");
    refused("file=/nonexistent/r.json", "/nonexistent/r.json");
    refused("regions='[{\"keyframes\":[{\"time\":0,\"x\":1,\"y\":1,\"radiusX\":1,\"radiusY\":-1}]}]'", "region 1");
    refused("regions='[{\"keyframes\":[{\"time\":0,\"x\":1,\"y\":1,\"radiusX\":1,\"radiusY\":1,\"color\":\"#12\"}]}]'", "color");
    refused("regions='[{\"start_time\":3,\"end_time\":2,\"keyframes\":[{\"time\":0,\"x\":1,\"y\":1,\"radiusX\":1,\"radiusY\":1}]}]'", "region 1");
    refused("regions='nonsense'", "JSON");
}

int main(void)
{
    av_log_set_callback(keep_message);
    test_frames();
    test_nothing();
    test_time();
    test_keys();
    test_strength();
    test_inside();
    test_rgb();
    test_several();
    test_old();
    test_commands();
    test_follow();
    test_formulas();
    test_refusals();
    return tap_done();
}
