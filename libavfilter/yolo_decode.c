/*
 * YOLO detection: a net's outputs become boxes
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
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"

#include "nn_simd.h"
#include "yolo_head.h"

/* what all layouts share */
typedef struct Decoder {
    const YoloHead *h;
    float thr;
    const uint8_t *keep;
    int nb_keep;
    YoloBoxes *list;
    int bad;
} Decoder;

/* takes corners; @return 0 or AVERROR(ENOMEM) */
static int found(Decoder *d, float x1, float y1, float x2, float y2, float conf, int cls)
{
    const YoloBox b = { .x1 = x1, .y1 = y1, .x2 = x2, .y2 = y2, .conf = FFMIN(conf, 1), .cls = cls };

    if (d->keep && (cls >= d->nb_keep || !d->keep[cls]))
        return 0;
    if (!isfinite(x1) || !isfinite(y1) || !isfinite(x2) || !isfinite(y2)) {
        d->bad = 1;
        return 0;
    }
    return b.x2 > b.x1 && b.y2 > b.y1 ? ff_yolo_add(d->list, &b) : 0;
}

static int found_centre(Decoder *d, const float xywh[4], float conf, int cls)
{
    const float w = xywh[2] / 2, h = xywh[3] / 2;

    return found(d, xywh[0] - w, xywh[1] - h, xywh[0] + w, xywh[1] + h, conf, cls);
}

/* ---- class scores one after another over anchors (v8) --------------------------------- */

#define BLOCK 512               // anchors whose best scores stay in the first-level cache

/* @return whether one of n scores was not a number; best and cls are brought up to date */
NN_SIMD
static int better(float *restrict best, int *restrict cls, const float *restrict score, int c, int n)
{
    int nan = 0;

    for (int i = 0; i < n; i++) {
        const float s = score[i];
        const int more = s > best[i];
        nan    |= s != s;
        best[i] = more ? s : best[i];
        cls[i]  = more ? c : cls[i];
    }
    return nan;
}

static int decode_v8(Decoder *d, const float *p)
{
    const int nb = d->h->nb, nc = d->h->nc;
    const size_t row = nb;
    float best[BLOCK];
    int cls[BLOCK], ret;

    for (int first = 0; first < nb; first += BLOCK) {
        const int n = FFMIN(BLOCK, nb - first);
        for (int i = 0; i < n; i++)
            best[i] = d->thr;
        memset(cls, -1, sizeof(cls));
        for (int c = 0; c < nc; c++)
            d->bad |= better(best, cls, p + (4 + c) * row + first, c, n);
        for (int i = 0; i < n; i++) {
            const float *q = p + first + i;
            if (cls[i] < 0)
                continue;
            if ((ret = found_centre(d, (const float[4]) { q[0], q[row], q[2 * row], q[3 * row] }, best[i], cls[i])) < 0)
                return ret;
        }
    }
    return 0;
}

/* ---- anchors one after another ---------------------------------------------------------- */

/* the first of the best scores; NaN is never the best, but is seen */
static int best_class(Decoder *d, const float *score, float *best)
{
    int cls = -1;

    *best = -INFINITY;
    for (int c = 0; c < d->h->nc; c++) {
        d->bad |= isnan(score[c]);
        if (score[c] > *best) {
            *best = score[c];
            cls   = c;
        }
    }
    return cls;
}

static int decode_v8_rows(Decoder *d, const float *p)
{
    const int step = 4 + d->h->nc;
    int ret = 0;

    for (int i = 0; i < d->h->nb && ret >= 0; i++, p += step) {
        float conf;
        const int cls = best_class(d, p + 4, &conf);
        if (cls >= 0 && conf > d->thr)
            ret = found_centre(d, p, conf, cls);
    }
    return ret;
}

/* one anchor with objectness */
static int with_objectness(Decoder *d, const float *p, const float xywh[4])
{
    float conf;
    int cls;

    d->bad |= isnan(p[4]);
    if (!(p[4] > d->thr))       // a class score is at most 1
        return 0;
    cls   = best_class(d, p + 5, &conf);
    conf *= p[4];
    return cls >= 0 && conf > d->thr ? found_centre(d, xywh, conf, cls) : 0;
}

static int decode_v5(Decoder *d, const float *p)
{
    int ret = 0;

    for (int i = 0; i < d->h->nb && ret >= 0; i++, p += 5 + d->h->nc)
        ret = with_objectness(d, p, p);
    return ret;
}

/*
 * In the last column of the finest grid finished boxes have centres near the right edge
 * of the picture, raw ones are a few cells off 0.
 */
static int is_finished(const YoloHead *h, const float *p)
{
    const int s = h->strides[0], cols = (h->net_w + s - 1) / s, rows = (h->net_h + s - 1) / s;
    double sum = 0;

    for (int y = 0; y < rows; y++)
        sum += p[((size_t)y * cols + cols - 1) * (5 + h->nc)];
    return sum > rows * (h->net_w / 2.);
}

static int decode_yolox(Decoder *d, const float *p)
{
    const YoloHead *h = d->h;
    const int finished = is_finished(h, p);
    int ret = 0;

    for (int g = 0; g < h->nb_grids; g++) {
        const int s = h->strides[g], cols = (h->net_w + s - 1) / s, rows = (h->net_h + s - 1) / s;
        for (int i = 0; i < rows * cols && ret >= 0; i++, p += 5 + h->nc) {
            float raw[4];
            if (!finished && p[4] > d->thr) {
                raw[0] = (p[0] + i % cols) * s;
                raw[1] = (p[1] + i / cols) * s;
                raw[2] = expf(p[2]) * s;
                raw[3] = expf(p[3]) * s;
            }
            ret = with_objectness(d, p, finished ? p : raw);
        }
    }
    return ret;
}

static int decode_e2e(Decoder *d, const float *p, int64_t nb)
{
    int ret = 0;

    for (int64_t i = 0; i < nb && ret >= 0; i++, p += 6) {
        d->bad |= isnan(p[4]) || isnan(p[5]);
        if (p[4] > d->thr && p[5] >= 0 && p[5] < 1e6f)
            ret = found(d, p[0], p[1], p[2], p[3], p[4], p[5]);
    }
    return ret;
}

/* ---- all layouts --------------------------------------------------------------------- */

static int more_certain(const void *a, const void *b)
{
    const YoloBox *p = a, *q = b;

    return FFDIFFSIGN(q->conf, p->conf);
}

static int check(const YoloHead *h, const NNTensor *t)
{
    const int wide = h->layout == YOLO_HEAD_V8 ? 4 + h->nc : h->layout == YOLO_HEAD_E2E ? 6 : 5 + h->nc;

    if (t->type != NN_VAL_F32 || t->nb_dims != 3 || t->dims[0] != 1 || t->dims[1] < 0 || (!t->data && t->nb) ||
        t->nb != t->dims[1] * t->dims[2] || t->dims[h->layout == YOLO_HEAD_V8 && !h->transposed ? 1 : 2] != wide)
        return AVERROR_INVALIDDATA;
    return h->layout != YOLO_HEAD_E2E && t->nb != (int64_t)wide * h->nb ? AVERROR_INVALIDDATA : 0;
}

int ff_yolo_decode(const YoloHead *h, const NNTensor *out, float thr, const uint8_t *keep, int nb_keep,
                   YoloBoxes *list, int *bad)
{
    Decoder d = { .h = h, .thr = thr, .keep = keep, .nb_keep = nb_keep, .list = list };
    const int before = list->nb;
    int ret = check(h, out);

    if (ret < 0)
        return ret;
    switch (h->layout) {
    case YOLO_HEAD_V8:    ret = h->transposed ? decode_v8_rows(&d, out->data) : decode_v8(&d, out->data); break;
    case YOLO_HEAD_V5:    ret = decode_v5(&d, out->data);                  break;
    case YOLO_HEAD_YOLOX: ret = decode_yolox(&d, out->data);               break;
    default:              ret = decode_e2e(&d, out->data, out->dims[1]);   break;
    }
    *bad |= d.bad;
    if (ret >= 0 && list->nb - before > YOLO_MAX_CANDIDATES) {
        qsort(list->box + before, list->nb - before, sizeof(*list->box), more_certain);
        list->nb = before + YOLO_MAX_CANDIDATES;
    }
    return ret;
}
