/*
 * YOLO detection: frames through the net
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

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/dict.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/time.h"

#include "yolo_nms.h"
#include "yolo_run.h"

#define DEFAULT_SIZE 640
#define MAX_SIZE     16384

/* ---- sizes -------------------------------------------------------------------------- */

static const char *net_name(const NNNet *net)
{
    return net->file ? net->file : "?";
}

static int net_stride(const NNNet *net)
{
    const AVDictionaryEntry *e = av_dict_get(net->meta, "stride", NULL, 0);
    const int s = e ? atoi(e->value) : 0;

    return s >= 1 && s <= 256 ? s : 32;
}

/* one axis: the file's size, else the one asked for, in whole strides */
static int axis_size(int64_t file, int wanted, int stride)
{
    if (file > 0)
        return FFMIN(file, INT_MAX);
    return FFALIGN(wanted ? wanted : DEFAULT_SIZE, stride);
}

static void smallest_size(const YoloRun *r, int *w, int *h, int stride)
{
    int need_w = 0, need_h = 0;

    for (int i = 0; i < r->nb_tiles; i++) {
        int tw, th;
        ff_yolo_rect(&tw, &th, r->tile[i].w, r->tile[i].h, *w, *h, stride);
        need_w = FFMAX(need_w, tw);
        need_h = FFMAX(need_h, th);
    }
    *w = need_w;
    *h = need_h;
}

static int net_size(YoloRun *r, int *w, int *h)
{
    const YoloRunParams *p = &r->par;
    int stride = net_stride(p->net);
    int64_t in[4];

    ff_nn_net_input(p->net, in);
    if (in[0] > 1) {
        av_log(p->log, AV_LOG_ERROR, "model '%s' takes %"PRId64" pictures at once: "
               "export it for one, or for any number\n", net_name(p->net), in[0]);
        return AVERROR_PATCHWELCOME;
    }
    if (in[1] > 0 && in[1] != 3) {
        av_log(p->log, AV_LOG_ERROR, "the picture of model '%s' has %"PRId64" channels; yolodetect needs 3\n",
               net_name(p->net), in[1]);
        return AVERROR_PATCHWELCOME;
    }
    if ((in[3] > 0 && p->size_w && p->size_w != in[3]) || (in[2] > 0 && p->size_h && p->size_h != in[2])) {
        av_log(p->log, AV_LOG_ERROR, "size: model '%s' was exported for %"PRId64"x%"PRId64" alone, not for %dx%d: "
               "leave size out, or export it with a dynamic size\n", net_name(p->net), in[3], in[2], p->size_w, p->size_h);
        return AVERROR(EINVAL);
    }
    *w = axis_size(in[3], p->size_w, stride);
    *h = axis_size(in[2], p->size_h, stride);
    if (*w > MAX_SIZE || *h > MAX_SIZE) {
        av_log(p->log, AV_LOG_ERROR, "the net's picture would be %dx%d; %d is the most\n", *w, *h, MAX_SIZE);
        return AVERROR(EINVAL);
    }
    if (p->rect && in[2] <= 0 && in[3] <= 0)
        smallest_size(r, w, h, stride);
    return 0;
}

/* ---- opening ------------------------------------------------------------------------- */

static int open_pics(YoloRun *r, int w, int h)
{
    const enum YoloInput input = ff_yolo_head_input(&r->head);
    int ret = 0;

    for (int i = 0; i < r->nb_tiles && ret >= 0; i++) {
        const YoloTile *t = &r->tile[i];
        YoloGeometry g;
        ff_yolo_fit(&g, input, t->x, t->y, t->w, t->h, w, h);
        ret = ff_yolo_pic_init(&r->pic[i], r->par.format, &g, input);
    }
    return ret;
}

static int open_slots(YoloRun *r, int w, int h)
{
    size_t scratch = 0;

    r->batch    = r->par.batch ? r->par.batch : FFMAX(r->par.nb_threads, 1);
    r->nb_slots = av_clip(r->batch * r->nb_tiles, 1, FFMAX(r->par.nb_threads, 1));
    r->slot     = av_calloc(r->nb_slots, sizeof(*r->slot));
    r->part     = av_calloc(r->batch * r->nb_tiles, sizeof(*r->part));
    r->status   = av_calloc(r->batch * r->nb_tiles, sizeof(*r->status));
    if (!r->slot || !r->part || !r->status)
        return AVERROR(ENOMEM);
    for (int i = 0; i < r->nb_tiles; i++)
        scratch = FFMAX(scratch, ff_yolo_pic_scratch(&r->pic[i]));
    /* one picture on all threads is converted in strips, each with a scratch of its own */
    scratch = FFALIGN(scratch, 64);
    for (int i = 0; i < r->nb_slots; i++) {
        YoloSlot *s = &r->slot[i];
        s->tensor  = av_malloc_array((size_t)w * h, 3 * sizeof(*s->tensor));
        s->scratch = av_malloc_array(r->nb_slots == 1 ? FFMAX(r->par.nb_threads, 1) : 1, scratch);
        s->out     = av_calloc(r->net->nb_outputs, sizeof(*s->out));
        if (!s->tensor || !s->scratch || !s->out)
            return AVERROR(ENOMEM);
    }
    return 0;
}

static void log_choice(const YoloRun *r, int w, int h)
{
    const YoloGeometry *g = &r->pic[0].g;

    av_log(r->par.log, AV_LOG_VERBOSE, "head %s of %d classes, net of %dx%d, picture %dx%d at %d,%d, %d tiles; "
           "batch %d, %d at once on %d threads\n", ff_yolo_head_name(r->head.layout), r->head.nc, w, h,
           g->pic_w, g->pic_h, g->left, g->top, r->nb_tiles, r->batch, r->nb_slots, FFMAX(r->par.nb_threads, 1));
}

int ff_yolo_run_open(YoloRun *r, const YoloRunParams *par)
{
    const int threads = FFMAX(par->nb_threads, 1);
    NNConfig cfg = { .precision = par->precision, .log = par->log };
    int w, h, ret;

    memset(r, 0, sizeof(*r));
    r->par      = *par;
    r->nb_tiles = ff_yolo_tiles(r->tile, &par->region, par->nx, par->ny, par->overlap);
    if ((ret = net_size(r, &w, &h)) < 0 ||
        (ret = ff_nn_net_shape(&r->net, par->net, 1, 3, h, w, par->log)) < 0 ||
        (ret = ff_yolo_head_find(&r->head, r->net, par->head, par->nb_names, par->log)) < 0 ||
        (ret = open_pics(r, w, h)) < 0 ||
        (ret = open_slots(r, w, h)) < 0)
        return ret;
    cfg.nb_slots = r->nb_slots;
    if ((ret = ff_nn_net_open(&r->runner, par->engine, r->net, &cfg, threads / r->nb_slots)) < 0)
        return ret;
    log_choice(r, w, h);
    return 0;
}

void ff_yolo_run_close(YoloRun *r)
{
    ff_nn_net_close(&r->runner);
    for (int i = 0; i < r->nb_slots && r->slot; i++) {
        av_freep(&r->slot[i].tensor);
        av_freep(&r->slot[i].scratch);
        av_freep(&r->slot[i].out);
    }
    for (int i = 0; i < r->batch * r->nb_tiles && r->part; i++)
        ff_yolo_free(&r->part[i]);
    for (int i = 0; i < r->nb_tiles; i++)
        ff_yolo_pic_free(&r->pic[i]);
    av_freep(&r->slot);
    av_freep(&r->part);
    av_freep(&r->status);
    ff_nn_net_free(&r->net);
    r->nb_slots = r->batch = r->nb_tiles = 0;
}

/* ---- running --------------------------------------------------------------------------- */

typedef struct Batch {
    YoloRun *r;
    const AVFrame *const *frames;
    const NNFormat *fmt;        ///< of each frame
    const YoloLimits *lim;
    int nb;                     ///< parts: frames times tiles
    atomic_int next, bad, misfit;
} Batch;

typedef struct Strips {
    YoloRun *r;
    const AVFrame *frame;
    const NNFormat *fmt;
    int tile;
} Strips;

static void convert_strip(void *arg, int i, int nb)
{
    const Strips *s = arg;
    YoloRun *r = s->r;
    const YoloPic *p = &r->pic[s->tile];
    const int h = p->g.net_h;

    ff_yolo_pic_rows(p, s->fmt, s->frame, r->slot[0].tensor, h * i / nb, h * (i + 1) / nb,
                     (uint8_t *)r->slot[0].scratch + i * FFALIGN(ff_yolo_pic_scratch(p), 64));
}

static void convert(Batch *b, int slot, const AVFrame *frame, const NNFormat *fmt, int tile)
{
    YoloRun *r = b->r;
    const YoloSlot *own = &r->slot[slot];
    const int rows = r->pic[tile].g.net_h;
    Strips s = { r, frame, fmt, tile };

    if (r->nb_slots == 1 && r->par.nb_threads > 1)
        r->par.execute(r->par.opaque, convert_strip, &s, FFMIN(r->par.nb_threads, rows));
    else
        ff_yolo_pic_rows(&r->pic[tile], fmt, frame, own->tensor, 0, rows, own->scratch);
}

static int decode(Batch *b, int slot, YoloBoxes *list, int tile)
{
    YoloRun *r = b->r;
    const YoloLimits *lim = b->lim;
    int bad = 0, ret;

    list->nb = 0;
    ret = ff_yolo_decode(&r->head, &r->slot[slot].out[0], lim->conf, lim->keep, lim->nb_keep, list, &bad);
    if (bad)
        atomic_store(&b->bad, 1);
    if (ret == AVERROR_INVALIDDATA)
        atomic_store(&b->misfit, 1);
    if (ret < 0)
        return ret;
    for (int i = 0; i < list->nb; i++)
        ff_yolo_unfit(&r->pic[tile].g, &list->box[i]);
    if (r->head.layout == YOLO_HEAD_E2E) {          // has done its own
        ff_yolo_sort(list);
        list->nb = FFMIN(list->nb, lim->max_det);
    } else {
        ff_yolo_nms(list, lim->iou, lim->agnostic, lim->max_det);
    }
    return 0;
}

static int run_part(Batch *b, int slot, int i)
{
    YoloRun *r = b->r;
    YoloSlot *s = &r->slot[slot];
    const int frame = i / r->nb_tiles, tile = i % r->nb_tiles;
    int64_t t0 = av_gettime_relative(), t1, t2;
    int ret;

    convert(b, slot, b->frames[frame], &b->fmt[frame], tile);
    t1  = av_gettime_relative();
    ret = r->runner.engine->run(r->runner.ctx, slot, s->tensor, s->out);
    t2  = av_gettime_relative();
    if (ret >= 0)
        ret = decode(b, slot, &r->part[i], tile);
    s->us_pic    += t1 - t0;
    s->us_net    += t2 - t1;
    s->us_decode += av_gettime_relative() - t2;
    return ret;
}

/* takes parts while there are any: they may last differently long */
static void run_parts(void *arg, int slot, int nb)
{
    Batch *b = arg;
    int i;

    while ((i = atomic_fetch_add(&b->next, 1)) < b->nb)
        b->r->status[i] = run_part(b, slot, i);
}

static void clip(YoloBoxes *list, int w, int h)
{
    int n = 0;

    for (int i = 0; i < list->nb; i++) {
        YoloBox b = list->box[i];
        b.x1 = av_clipf(b.x1, 0, w);
        b.y1 = av_clipf(b.y1, 0, h);
        b.x2 = av_clipf(b.x2, 0, w);
        b.y2 = av_clipf(b.y2, 0, h);
        if (b.x2 > b.x1 && b.y2 > b.y1)
            list->box[n++] = b;
    }
    list->nb = n;
}

static int collect(YoloRun *r, YoloBoxes *out, YoloBoxes *parts, const YoloLimits *lim, const AVFrame *frame)
{
    int ret = 0;

    if (r->nb_tiles == 1)
        FFSWAP(YoloBoxes, *out, *parts);
    else
        ret = ff_yolo_tiles_merge(out, parts, r->tile, r->nb_tiles, lim->iou, lim->agnostic, lim->max_det);
    clip(out, frame->width, frame->height);
    return ret;
}

int ff_yolo_run(YoloRun *r, const AVFrame *const *frames, YoloBoxes *boxes, int nb, const YoloLimits *lim)
{
    NNFormat *fmt = av_malloc_array(nb, sizeof(*fmt));
    Batch b = { .r = r, .frames = frames, .fmt = fmt, .lim = lim, .nb = nb * r->nb_tiles };
    int ret = fmt ? 0 : AVERROR(ENOMEM);

    for (int i = 0; i < nb && ret >= 0; i++) {
        fmt[i] = r->pic[0].fmt;
        ret = ff_yolo_pic_color(&fmt[i], frames[i], r->par.log);
    }
    if (ret >= 0) {
        if (r->nb_slots > 1)
            r->par.execute(r->par.opaque, run_parts, &b, FFMIN(r->nb_slots, b.nb));
        else
            run_parts(&b, 0, 1);
    }
    for (int i = 0; i < b.nb && ret >= 0; i++)
        ret = r->status[i];
    for (int i = 0; i < nb && ret >= 0; i++)
        ret = collect(r, &boxes[i], &r->part[i * r->nb_tiles], lim, frames[i]);
    if (atomic_load(&b.misfit))
        av_log(r->par.log, AV_LOG_ERROR, "the net's output is not of the shape of head %s: head= says which it is\n",
               ff_yolo_head_name(r->head.layout));
    if (atomic_load(&b.bad) && !r->warned_nan++)
        av_log(r->par.log, AV_LOG_WARNING, "the net gives numbers that are not finite: those detections are left out "
               "(precision=fp32 may mend it)\n");
    r->frames += nb;
    r->runs   += b.nb;
    av_free(fmt);
    return ret;
}
