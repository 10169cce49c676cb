/*
 * yolodetect: its options
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

#include <stdio.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/dict.h"
#include "libavutil/error.h"
#include "libavutil/mem.h"
#include "libavutil/opt.h"

#include "filters.h"
#include "yolo_opt.h"

#define OFFSET(x) offsetof(YoloContext, x)
#define STATIC  (AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM)
#define DYNAMIC (STATIC | AV_OPT_FLAG_RUNTIME_PARAM)
#define NAMED(name, help, value, unit_) \
    { name, help, 0, AV_OPT_TYPE_CONST, { .i64 = value }, 0, 0, STATIC, .unit = unit_ }

static const AVOption yolodetect_options[] = {
    { "model", "net: an .onnx file, or a YOLOv8/11 checkpoint .pt", OFFSET(model), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "engine", "what runs the net: auto, ref, onednn", OFFSET(engine), AV_OPT_TYPE_STRING, { .str = "auto" }, .flags = STATIC },
    { "precision", "arithmetic of the net", OFFSET(precision), AV_OPT_TYPE_INT, { .i64 = NN_PREC_AUTO }, 0, NN_PREC_NB - 1, STATIC, .unit = "precision" },
        NAMED("auto", "fastest that keeps the engine's error bound", NN_PREC_AUTO, "precision"),
        NAMED("fp32", "", NN_PREC_FP32, "precision"),
        NAMED("bf16", "", NN_PREC_BF16, "precision"),
        NAMED("fp16", "", NN_PREC_FP16, "precision"),
        NAMED("int8", "", NN_PREC_INT8, "precision"),
    { "device", "where the net runs: auto, cpu", OFFSET(device), AV_OPT_TYPE_STRING, { .str = "auto" }, .flags = STATIC },
    { "size", "size of the net's picture, N or WxH; 0 = the model's own, or 640", OFFSET(size), AV_OPT_TYPE_STRING, { .str = "0" }, .flags = STATIC },
    { "rect", "nets of open size: only as large as the picture needs", OFFSET(rect), AV_OPT_TYPE_BOOL, { .i64 = 1 }, 0, 1, STATIC },
    { "head", "layout of the model's output", OFFSET(head), AV_OPT_TYPE_INT, { .i64 = YOLO_HEAD_AUTO }, 0, YOLO_HEAD_NB - 1, STATIC, .unit = "head" },
        NAMED("auto", "found from its shape", YOLO_HEAD_AUTO, "head"),
        NAMED("v8", "4 + classes, no objectness: YOLOv8, 11, v5u", YOLO_HEAD_V8, "head"),
        NAMED("v5", "5 + classes, with objectness: YOLOv5, v7", YOLO_HEAD_V5, "head"),
        NAMED("yolox", "5 + classes in grid units: YOLOX", YOLO_HEAD_YOLOX, "head"),
        NAMED("e2e", "finished boxes: YOLO26, YOLOv10", YOLO_HEAD_E2E, "head"),
        NAMED("nms", "as e2e: exports with nms=True", YOLO_HEAD_E2E, "head"),
    { "conf", "least confidence of a detection", OFFSET(conf), AV_OPT_TYPE_FLOAT, { .dbl = 0.25 }, 0, 1, DYNAMIC },
    { "iou", "overlap from which on two boxes are one object", OFFSET(iou), AV_OPT_TYPE_FLOAT, { .dbl = 0.7 }, 0, 1, DYNAMIC },
    { "classes", "only these: names or numbers, apart by | or +", OFFSET(classes), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = DYNAMIC },
    { "labels", "names of the classes: a file with one a line, or coco", OFFSET(labels_from), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "agnostic", "boxes of different classes too are one object", OFFSET(agnostic), AV_OPT_TYPE_BOOL, { .i64 = 0 }, 0, 1, STATIC },
    { "max_det", "detections of a frame at most", OFFSET(max_det), AV_OPT_TYPE_INT, { .i64 = 300 }, 1, YOLO_MAX_CANDIDATES, DYNAMIC },
    { "interval", "look at every n-th frame", OFFSET(interval), AV_OPT_TYPE_INT, { .i64 = 1 }, 1, 1000, STATIC },
    { "batch", "frames that are run together; 0 = as many as threads, 1 = least delay", OFFSET(batch), AV_OPT_TYPE_INT, { .i64 = 0 }, 0, 256, STATIC },
    { "tiles", "run the picture in NxM overlapping parts too", OFFSET(tiles), AV_OPT_TYPE_STRING, { .str = "1x1" }, .flags = STATIC },
    { "overlap", "of neighbouring tiles, as a share of a tile", OFFSET(overlap), AV_OPT_TYPE_DOUBLE, { .dbl = 0.2 }, 0, 0.9, STATIC },
    { "roi", "look only there: x:y:w:h, in pixels", OFFSET(roi), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "track", "give detections the ids of tracks", OFFSET(track.mode), AV_OPT_TYPE_INT, { .i64 = YOLO_TRACK_NONE }, 0, YOLO_TRACK_BYTE, STATIC, .unit = "track" },
        NAMED("none", "", YOLO_TRACK_NONE, "track"),
        NAMED("iou", "by overlap with where they should be", YOLO_TRACK_IOU, "track"),
        NAMED("byte", "ByteTrack: weak detections go on with tracks", YOLO_TRACK_BYTE, "track"),
    { "track_high", "confidence from which on a detection starts a track", OFFSET(track_high), AV_OPT_TYPE_DOUBLE, { .dbl = 0.5 }, 0, 1, STATIC },
    { "track_low", "track=byte: confidence of the weakest detections that are looked at", OFFSET(track_low), AV_OPT_TYPE_DOUBLE, { .dbl = 0.1 }, 0, 1, STATIC },
    { "track_match", "least overlap of a detection with its track", OFFSET(track_match), AV_OPT_TYPE_DOUBLE, { .dbl = 0.2 }, 0, 1, STATIC },
    { "track_keep", "seconds for which a lost track may be found again", OFFSET(track.keep), AV_OPT_TYPE_DOUBLE, { .dbl = 1 }, 0, 3600, STATIC },
    { "track_fill", "seconds for which a track without a detection has a box; -1 = 0.2, more with interval", OFFSET(track.fill), AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 3600, STATIC },
    { "track_hits", "detections until a track has an id", OFFSET(track.min_hits), AV_OPT_TYPE_INT, { .i64 = 2 }, 1, 1000, STATIC },
    { "out", "write the boxes to a file; - = standard output", OFFSET(out), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "format", "of the file", OFFSET(format), AV_OPT_TYPE_INT, { .i64 = YOLO_FILE_AUTO }, 0, YOLO_FILE_NB - 1, STATIC, .unit = "format" },
        NAMED("auto", "by the end of its name", YOLO_FILE_AUTO, "format"),
        NAMED("jsonl", "a JSON object a frame and line", YOLO_FILE_JSONL, "format"),
        NAMED("json", "one JSON document, boxes by their centre", YOLO_FILE_JSON, "format"),
        NAMED("mot", "a line a box, as MOTChallenge", YOLO_FILE_MOT, "format"),
    { NULL }
};

const AVClass ff_yolodetect_class = {
    .class_name = "yolodetect",
    .item_name  = av_default_item_name,
    .option     = yolodetect_options,
    .version    = LIBAVUTIL_VERSION_INT,
    .category   = AV_CLASS_CATEGORY_FILTER,
};

/* ---- checks that need no input -------------------------------------------------------- */

/* n whole numbers apart by one of the separators, and nothing else */
static int whole_numbers(const char *s, const char *separators, int *v, int n)
{
    for (int i = 0; i < n; i++) {
        char *end;
        long x = strtol(s, &end, 10);
        if (end == s || x < 0 || x > 1000000)
            return 0;
        v[i] = x;
        if (i < n - 1 && !(*end && strchr(separators, *end)))
            return 0;
        s = i < n - 1 ? end + 1 : end;
    }
    return !*s;
}

static int parse_size(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;
    int v[2];

    if (whole_numbers(s->size, "", v, 1))
        v[1] = v[0];
    else if (!whole_numbers(s->size, "xX", v, 2) || !v[0] || !v[1])
        v[0] = -1;
    if (v[0] < 0 || v[0] > 16384 || v[1] > 16384) {
        av_log(ctx, AV_LOG_ERROR, "size: '%s' is neither 0, a number of pixels nor WIDTHxHEIGHT, up to 16384\n",
               s->size);
        return AVERROR(EINVAL);
    }
    s->size_w = v[0];
    s->size_h = v[1];
    return 0;
}

static int parse_tiles(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;
    int v[2];

    if (!whole_numbers(s->tiles, "xX", v, 2) || v[0] < 1 || v[1] < 1 || v[0] > 8 || v[1] > 8) {
        av_log(ctx, AV_LOG_ERROR, "tiles: '%s' is not COLUMNSxROWS, each of 1 to 8\n", s->tiles);
        return AVERROR(EINVAL);
    }
    s->nx = v[0];
    s->ny = v[1];
    return 0;
}

static int parse_roi(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;

    if (!s->roi || whole_numbers(s->roi, ":|,x+ ", s->roi_xywh, 4))
        return 0;
    av_log(ctx, AV_LOG_ERROR, "roi: '%s' is not x:y:w:h, four whole numbers of pixels (in a filtergraph apart by | "
           "or with the colons escaped)\n", s->roi);
    return AVERROR(EINVAL);
}

static int check_track(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;

    if (s->track.mode == YOLO_TRACK_BYTE && s->track_low > s->track_high) {
        av_log(ctx, AV_LOG_ERROR, "track_low is %g, above track_high, %g\n", s->track_low, s->track_high);
        return AVERROR(EINVAL);
    }
    return 0;
}

av_cold int ff_yolo_opt_init(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;
    int ret;

    if (!s->model || !*s->model) {
        av_log(ctx, AV_LOG_ERROR, "model: none is given: model=FILE.onnx "
               "(docs/filters.md says which nets there are, and their licences)\n");
        return AVERROR(EINVAL);
    }
    if (strcmp(s->device, "auto") && strcmp(s->device, "cpu")) {
        av_log(ctx, AV_LOG_ERROR, "device: '%s' is not possible; in this build yolodetect runs on the CPU: "
               "auto or cpu\n", s->device);
        return AVERROR(EINVAL);
    }
    s->out_format = s->format;
    if ((ret = parse_size(ctx)) < 0 || (ret = parse_tiles(ctx)) < 0 || (ret = parse_roi(ctx)) < 0 ||
        (ret = check_track(ctx)) < 0)
        return ret;
    return s->out ? ff_yolo_file_format(&s->out_format, s->out, ctx) : 0;
}

/* ---- what needs the input or the model --------------------------------------------------- */

int ff_yolo_opt_region(AVFilterContext *ctx, YoloTile *region, int w, int h)
{
    const YoloContext *s = ctx->priv;
    const int *r = s->roi_xywh;

    *region = (YoloTile) { r[0], r[1], r[2] ? r[2] : w - r[0], r[3] ? r[3] : h - r[1] };
    if (region->w > 0 && region->h > 0 && region->x + region->w <= w && region->y + region->h <= h)
        return 0;
    av_log(ctx, AV_LOG_ERROR, "roi: '%s' is not inside of the frame of %dx%d\n", s->roi, w, h);
    return AVERROR(EINVAL);
}

int ff_yolo_opt_labels(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;
    const AVDictionaryEntry *names = av_dict_get(s->net->meta, "names", NULL, 0);

    if (s->labels_from && *s->labels_from)
        return ff_yolo_labels_load(&s->labels, s->labels_from, ctx);
    if (names)
        return ff_yolo_labels_parse(&s->labels, names->value, ctx);
    av_log(ctx, AV_LOG_INFO, "the model names no classes, so they are numbers "
           "(names: labels=FILE, or labels=coco for those of the COCO data set)\n");
    return 0;
}

int ff_yolo_opt_check_labels(AVFilterContext *ctx, int nc)
{
    const YoloContext *s = ctx->priv;

    if (!nc || !s->labels.nb || nc == s->labels.nb)
        return 0;
    if (s->labels_from && *s->labels_from) {
        av_log(ctx, AV_LOG_ERROR, "labels: '%s' names %d classes, the model has %d\n",
               s->labels_from, s->labels.nb, nc);
        return AVERROR(EINVAL);
    }
    av_log(ctx, AV_LOG_WARNING, "the model names %d classes and has %d\n", s->labels.nb, nc);
    return 0;
}

int ff_yolo_opt_classes(AVFilterContext *ctx, const char *text, int nc)
{
    YoloContext *s = ctx->priv;
    uint8_t *keep;
    int nb, ret = ff_yolo_classes(&keep, &nb, text, &s->labels, nc, ctx);

    if (ret < 0)
        return ret;
    av_free(s->keep);
    s->keep    = keep;
    s->nb_keep = nb;
    return 0;
}
