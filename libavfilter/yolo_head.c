/*
 * YOLO detection: what a net's outputs mean
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

#include <stdlib.h>
#include <string.h>

#include "libavutil/bprint.h"
#include "libavutil/common.h"
#include "libavutil/dict.h"
#include "libavutil/error.h"
#include "libavutil/log.h"

#include "yolo_head.h"

#define COCO_CLASSES 80
#define MAX_CLASSES  100000

const char *ff_yolo_head_name(enum YoloLayout l)
{
    static const char *const names[YOLO_HEAD_NB] = { "auto", "v8", "v5", "yolox", "e2e" };

    return l >= 0 && l < YOLO_HEAD_NB ? names[l] : "?";
}

enum YoloInput ff_yolo_head_input(const YoloHead *h)
{
    return h->layout == YOLO_HEAD_YOLOX ? YOLO_IN_BGR255 : YOLO_IN_RGB;
}

/* ---- shapes ------------------------------------------------------------------------ */

/* 1 x 84 x 8400, 1 x 32 x 160 x 160 */
static void list_shapes(AVBPrint *bp, const NNTensor *const *t, int nb)
{
    for (int i = 0; i < nb; i++) {
        if (i)
            av_bprintf(bp, ", ");
        for (int d = 0; d < t[i]->nb_dims; d++) {
            if (t[i]->dims[d] < 0)
                av_bprintf(bp, "%s?", d ? "x" : "");
            else
                av_bprintf(bp, "%s%"PRId64, d ? "x" : "", t[i]->dims[d]);
        }
        if (t[i]->nb_dims < 1)
            av_bprintf(bp, t[i]->nb_dims ? "?" : "scalar");
    }
}

static int refuse(const NNTensor *const *t, int nb, const char *file, const char *what, void *log)
{
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
    list_shapes(&bp, t, nb);
    av_log(log, AV_LOG_ERROR, "model '%s': its outputs (%s) are %s; yolodetect needs a detector that was "
           "exported with one output: 1x(4+classes)xN, 1xNx(5+classes) or 1xNx6\n", file ? file : "?", bp.str, what);
    return AVERROR_PATCHWELCOME;
}

/* how many anchors a net of so many cells has, for the usual sets of strides; 0 if none fits */
static int anchors_per_cell(YoloHead *h, int64_t n)
{
    static const struct { int first, nb; } sets[] = { { 8, 3 }, { 8, 4 }, { 4, 4 } };

    for (int i = 0; i < FF_ARRAY_ELEMS(sets); i++) {
        int64_t cells = 0;
        for (int g = 0; g < sets[i].nb; g++) {
            const int s = sets[i].first << g;
            h->strides[g] = s;
            cells += (int64_t)((h->net_w + s - 1) / s) * ((h->net_h + s - 1) / s);
        }
        h->nb_grids = sets[i].nb;
        if (n == cells || n == 3 * cells)
            return n / cells;
    }
    h->nb_grids = 0;
    return 0;
}

/* other nets of the same makers whose output has rows beyond the classes */
static const char *other_task(int channels, int nb_names)
{
    const int more = channels - 4 - nb_names;

    if (nb_names ? more == 32 : channels == 4 + COCO_CLASSES + 32)
        return "those of a segmentation model";
    if (nb_names ? more >= 2 && (more % 3 == 0 || more % 2 == 0) : channels == 4 + 1 + 17 * 3)
        return "those of a pose model";
    if (nb_names && more == 1)
        return "those of a model of rotated boxes (obb)";
    return NULL;
}

static enum YoloLayout guess(const YoloHead *h, int per_cell, int64_t a, int64_t b, int nb_names)
{
    if (!per_cell)
        return b == 6 ? YOLO_HEAD_E2E : YOLO_HEAD_AUTO;
    if (per_cell == 3)
        return YOLO_HEAD_V5;
    if (h->transposed && (nb_names ? b != 4 + nb_names : b != 4 + COCO_CLASSES))
        return YOLO_HEAD_YOLOX;
    return YOLO_HEAD_V8;
}

static const char *wrong_task(const char *task)
{
    static const char *const tasks[][2] = {
        { "segment",  "those of a segmentation model" }, { "pose", "those of a pose model" },
        { "classify", "those of a classification model" }, { "obb", "those of a model of rotated boxes (obb)" },
    };

    for (int i = 0; task && i < FF_ARRAY_ELEMS(tasks); i++)
        if (!strcmp(task, tasks[i][0]))
            return tasks[i][1];
    return task && strcmp(task, "detect") ? "those of a model of a task that is not known" : NULL;
}

/* its size is that of what NMS inside of the net leaves; seen when it has run */
static int is_open(const NNTensor *t)
{
    return t->nb_dims < 0 || (t->nb_dims == 3 && (t->dims[1] < 0 || t->dims[2] < 0));
}

/* what is wrong with the outputs as a whole, or NULL */
static const char *wrong_outputs(const NNTensor *const *t, int nb, const char *task)
{
    const char *what = wrong_task(task);

    if (what)
        return what;
    for (int i = 0; i < nb; i++)
        if (nb > 1 && t[i]->nb_dims == 4 && t[i]->dims[1] == 32)
            return "those of a segmentation model";
    if (nb != 1)
        return "several: boxes and scores apart, or a head that is not finished";
    if (t[0]->nb_dims == 2 && t[0]->dims[0] == 1)
        return "those of a classification model";
    if (is_open(t[0]))
        return NULL;
    if (t[0]->nb_dims != 3 || (t[0]->dims[0] != 1 && t[0]->dims[0] != -1))
        return "of a shape that no detector has";
    return t[0]->type != NN_VAL_F32 ? "whole numbers" : NULL;
}

/* does the layout fit the shape? fills nb and nc */
static const char *settle(YoloHead *h, int per_cell, int64_t a, int64_t b)
{
    const int64_t channels = h->transposed ? b : a, n = h->transposed ? a : b;
    const int extra = h->layout == YOLO_HEAD_V8 ? 4 : 5;

    if (h->layout == YOLO_HEAD_E2E) {
        h->nb = h->nc = 0;
        return b == 6 ? NULL : "not of head=e2e";
    }
    if (h->layout != YOLO_HEAD_V8 && !h->transposed)
        return "not of the head that is asked for";
    if (h->layout == YOLO_HEAD_YOLOX && per_cell != 1)
        return "not of head=yolox: their number is not that of the cells";
    if (n < 1 || n > INT32_MAX / 8 || channels <= extra || channels - extra > MAX_CLASSES)
        return "of a size that no detector has";
    h->nb = n;
    h->nc = channels - extra;
    return NULL;
}

int ff_yolo_head_shape(YoloHead *h, const NNTensor *const *t, int nb_outputs, const char *file, const char *task,
                       int net_w, int net_h, enum YoloLayout wanted, int nb_names, void *log)
{
    const char *what = wrong_outputs(t, nb_outputs, task);
    int64_t a, b;
    int per_cell;

    *h = (YoloHead) { .net_w = net_w, .net_h = net_h };
    if (what)
        return refuse(t, nb_outputs, file, what, log);
    if (is_open(t[0])) {
        h->layout = YOLO_HEAD_E2E;
        return wanted == YOLO_HEAD_AUTO || wanted == YOLO_HEAD_E2E ? 0 :
               refuse(t, nb_outputs, file, "not of the head that is asked for", log);
    }
    a = t[0]->dims[1];
    b = t[0]->dims[2];
    per_cell = anchors_per_cell(h, a);
    h->transposed = per_cell != 0;
    if (!per_cell)
        per_cell = anchors_per_cell(h, b);
    if (!per_cell)              // cells that we do not know: there are more of them than channels
        h->transposed = a > b;
    h->layout = wanted != YOLO_HEAD_AUTO ? wanted : guess(h, per_cell, a, b, nb_names);
    if (h->layout == YOLO_HEAD_AUTO)
        return refuse(t, nb_outputs, file, "of a layout that is not known (head= says which it is)", log);
    if ((what = settle(h, per_cell, a, b)))
        return refuse(t, nb_outputs, file, what, log);
    if (wanted == YOLO_HEAD_AUTO && h->layout == YOLO_HEAD_V8 &&
        (what = other_task(h->nc + 4, nb_names)))
        return refuse(t, nb_outputs, file, what, log);
    return 0;
}

int ff_yolo_head_find(YoloHead *h, const NNNet *net, enum YoloLayout wanted, int nb_names, void *log)
{
    const AVDictionaryEntry *task = av_dict_get(net->meta, "task", NULL, 0);
    const NNTensor *in = &net->values[net->input].t;
    const NNTensor *t[8];
    const int nb = FFMIN(net->nb_outputs, FF_ARRAY_ELEMS(t));

    for (int i = 0; i < nb; i++)
        t[i] = &net->values[net->outputs[i]].t;
    return ff_yolo_head_shape(h, t, nb, net->file, task ? task->value : NULL, in->dims[3], in->dims[2], wanted,
                              nb_names, log);
}
