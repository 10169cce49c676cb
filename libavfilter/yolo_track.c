/*
 * YOLO detection: a tracker that gives boxes their ids
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

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "yolo_assign.h"
#include "yolo_kalman.h"
#include "yolo_track.h"

#define SLACK_MAX   0.75        ///< a box is widened by no more than this to be found where it may be

#define LOW_MATCH   0.5         ///< least IoU of a detection between low and high
#define LOST_COST   0.5         ///< what a match costs a track that was lost for `keep`
#define NEVER       4           ///< cost of a pair that is none
#define LIMIT       2           ///< more than all other costs
#define MAX_TRACKS  1024        ///< of more, none are started; and so many detections are looked at
#define TRIAL       2           ///< looks without a detection that end a track on trial
#define LEFT        0.3         ///< share of a box inside of the picture below which it has left

typedef struct Track {
    YoloMotion m;
    YoloBox  box;               ///< where it is, as predicted, then as corrected; id 0: on trial
    double   seen;              ///< seconds
    int      hits, misses;      ///< detections up to min_hits; looks since the last one
    int      det;               ///< index of this frame's detection or -1
    double   off[4];            ///< by what that detection moved x.p, x.v, y.p, y.v
} Track;

typedef struct Pair {
    float cost;
    int   row, col;
} Pair;

struct YoloTracker {
    YoloTrackParams p;
    Track   *track;             ///< in order of their start
    int      nb, next_id, running;
    int      w, h;              ///< of the frame
    double   now;
    YoloBoxes out;
    int     *rows, *cols, *match; ///< of one round: rows are tracks, columns detections
    float   *cost;
    Pair    *pair;
    unsigned cost_size, pair_size;
    uint8_t *taken;             ///< detections that have a track
    unsigned taken_size;
};

int ff_yolo_track_open(YoloTracker **pt, const YoloTrackParams *p, void *log)
{
    YoloTracker *t;

    *pt = NULL;
    if (!(p->low >= 0 && p->low <= p->high && p->high <= 1) || !(p->match >= 0 && p->match <= 1) ||
        !(p->keep > 0 && p->keep <= 3600) || !(p->fill >= 0 && p->fill <= p->keep) || p->min_hits < 1) {
        av_log(log, AV_LOG_ERROR, "tracker: low %g, high %g, match %g, keep %g, fill %g, min_hits %d do not fit: need "
               "0 <= low <= high <= 1, 0 <= match <= 1, 0 <= fill <= keep <= 3600, 0 < keep, 1 <= min_hits\n",
               p->low, p->high, p->match, p->keep, p->fill, p->min_hits);
        return AVERROR(EINVAL);
    }
    if (!(t = av_mallocz(sizeof(*t))))
        return AVERROR(ENOMEM);
    t->p       = *p;
    t->next_id = 1;
    t->track   = av_malloc_array(MAX_TRACKS, sizeof(*t->track));
    t->rows    = av_malloc_array(MAX_TRACKS, sizeof(*t->rows));
    t->cols    = av_malloc_array(MAX_TRACKS, sizeof(*t->cols));
    t->match   = av_malloc_array(MAX_TRACKS, sizeof(*t->match));
    if (!t->track || !t->rows || !t->cols || !t->match)
        ff_yolo_track_close(&t);
    *pt = t;
    return t ? 0 : AVERROR(ENOMEM);
}

void ff_yolo_track_close(YoloTracker **pt)
{
    YoloTracker *t = *pt;

    if (!t)
        return;
    ff_yolo_free(&t->out);
    av_free(t->track);
    av_free(t->rows);
    av_free(t->cols);
    av_free(t->match);
    av_free(t->cost);
    av_free(t->pair);
    av_free(t->taken);
    av_freep(pt);
}

void ff_yolo_track_cut(YoloTracker *t)
{
    t->nb = 0;
}

/* ---- one track ----------------------------------------------------------------- */

static void start(YoloTracker *t, const YoloBox *b, int det)
{
    Track *k = &t->track[t->nb++];

    *k = (Track) { .box = *b, .seen = t->now, .hits = 1, .det = det };
    ff_yolo_motion_init(&k->m, b);
    k->box.id = t->p.min_hits == 1 ? t->next_id++ : 0;
}

static void update(YoloTracker *t, Track *k, const YoloBox *b, int det)
{
    const double was[4] = { k->m.x.p, k->m.x.v, k->m.y.p, k->m.y.v };

    ff_yolo_motion_update(&k->m, b, t->w, t->h);
    ff_yolo_motion_box(&k->m, &k->box);
    k->off[0] = k->m.x.p - was[0];
    k->off[1] = k->m.x.v - was[1];
    k->off[2] = k->m.y.p - was[2];
    k->off[3] = k->m.y.v - was[3];
    k->box.conf = b->conf;
    k->seen     = t->now;
    k->det      = det;
    k->misses   = 0;
    if (k->hits < t->p.min_hits && ++k->hits == t->p.min_hits)
        k->box.id = t->next_id++;
}

/* @return the share of it that is inside */
static double clip(YoloBox *b, int w, int h)
{
    const double whole = (b->x2 - b->x1) * (double)(b->y2 - b->y1);

    b->x1 = FFMAX(b->x1, 0);
    b->y1 = FFMAX(b->y1, 0);
    b->x2 = FFMIN(b->x2, w);
    b->y2 = FFMIN(b->y2, h);
    return b->x2 > b->x1 && b->y2 > b->y1 ? (b->x2 - b->x1) * (double)(b->y2 - b->y1) / whole : 0;
}

/* ---- who is who ---------------------------------------------------------------- */

static YoloBox widened(const YoloBox *b, double x, double y)
{
    return (YoloBox) { .x1 = b->x1 - x, .y1 = b->y1 - y, .x2 = b->x2 + x, .y2 = b->y2 + y };
}

/*
 * A track whose place is not sure (just found, or unseen for a while) is looked for
 * around it: both boxes are widened by what its place may be off. A lost track pays
 * for that, else it would take the detection of the one that hides it.
 */
static float cost_of(const YoloTracker *t, const Track *k, const YoloBox *b, double min_iou)
{
    const double max = SLACK_MAX * ff_yolo_motion_size(&k->m);
    double x = 0, y = 0, iou;
    YoloBox kb = k->box, db;

    if (kb.cls != b->cls || clip(&kb, t->w, t->h) < LEFT)
        return NEVER;
    if (t->p.mode == YOLO_TRACK_BYTE) {
        x = fmin(2 * sqrt(fmax(k->m.x.pp, 0)), max);
        y = fmin(2 * sqrt(fmax(k->m.y.pp, 0)), max);
    }
    kb  = widened(&kb, x, y);
    db  = widened(b, x, y);
    iou = ff_yolo_iou(&kb, &db);
    if (!(iou > 0 && iou >= min_iou))
        return NEVER;
    return 1 - iou + (k->misses ? LOST_COST * fmin((t->now - k->seen) / t->p.keep, 1) : 0);
}

static int by_cost(const void *a, const void *b)
{
    const Pair *p = a, *q = b;

    return p->cost != q->cost ? FFDIFFSIGN(p->cost, q->cost) : p->row != q->row ? p->row - q->row : p->col - q->col;
}

/* the cheapest pair, then the cheapest of the rest, and so on */
static int assign_greedy(YoloTracker *t, int rows, int cols)
{
    Pair *pair = av_fast_realloc(t->pair, &t->pair_size, (size_t)rows * cols * sizeof(*pair));
    int nb = 0;

    if (!pair)
        return AVERROR(ENOMEM);
    t->pair = pair;
    for (int r = 0; r < rows; r++) {
        t->match[r] = -1;
        for (int c = 0; c < cols; c++)
            if (t->cost[(size_t)r * cols + c] <= LIMIT)
                pair[nb++] = (Pair) { t->cost[(size_t)r * cols + c], r, c };
    }
    qsort(pair, nb, sizeof(*pair), by_cost);
    for (int i = 0; i < nb; i++) {
        if (t->match[pair[i].row] < 0 && !t->taken[t->cols[pair[i].col]]) {
            t->match[pair[i].row] = pair[i].col;
            t->taken[t->cols[pair[i].col]] = 1;
        }
    }
    return 0;
}

/* tracks without a detection (those with an id, or those on trial) x detections of conf lo <= c < hi */
static int round_of(YoloTracker *t, const YoloBoxes *b, int with_id, float lo, float hi, double min_iou)
{
    int rows = 0, cols = 0, ret;
    float *cost;

    for (int i = 0; i < t->nb; i++)
        if (t->track[i].det < 0 && !!t->track[i].box.id == with_id)
            t->rows[rows++] = i;
    for (int i = 0; i < b->nb && cols < MAX_TRACKS; i++)
        if (!t->taken[i] && b->box[i].conf >= lo && b->box[i].conf < hi)
            t->cols[cols++] = i;
    if (!rows || !cols)
        return 0;
    if (!(cost = av_fast_realloc(t->cost, &t->cost_size, (size_t)rows * cols * sizeof(*cost))))
        return AVERROR(ENOMEM);
    t->cost = cost;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            *cost++ = cost_of(t, &t->track[t->rows[r]], &b->box[t->cols[c]], min_iou);
    ret = t->p.mode == YOLO_TRACK_BYTE ? ff_yolo_assign(t->cost, rows, cols, LIMIT, t->match)
                                       : assign_greedy(t, rows, cols);
    for (int r = 0; r < rows && ret >= 0; r++) {
        if (t->match[r] >= 0) {
            const int det = t->cols[t->match[r]];
            t->taken[det] = 1;
            update(t, &t->track[t->rows[r]], &b->box[det], det);
        }
    }
    return ret;
}

static int by_value(const void *a, const void *b)
{
    return FFDIFFSIGN(*(const double *)a, *(const double *)b);
}

/*
 * What tracks with a detection were off by, in the median, is what the camera did
 * that was not foreseen. A hidden track goes along.
 */
static void follow_camera(YoloTracker *t)
{
    double off[MAX_TRACKS], median[4];
    int nb;

    for (int v = 0; v < 4; v++) {
        nb = 0;
        for (int i = 0; i < t->nb; i++)
            if (t->track[i].det >= 0 && t->track[i].box.id)
                off[nb++] = t->track[i].off[v];
        if (nb < 3)
            return;
        qsort(off, nb, sizeof(*off), by_value);
        median[v] = (off[(nb - 1) / 2] + off[nb / 2]) / 2;
    }
    for (int i = 0; i < t->nb; i++) {
        Track *k = &t->track[i];
        if (k->det < 0) {
            k->m.x.p += median[0];
            k->m.x.v += median[1];
            k->m.y.p += median[2];
            k->m.y.v += median[3];
            ff_yolo_motion_box(&k->m, &k->box);
        }
    }
}

static int look(YoloTracker *t, const YoloBoxes *b)
{
    const float high = t->p.high;
    uint8_t *taken = av_fast_realloc(t->taken, &t->taken_size, FFMAX(b->nb, 1));
    int ret;

    if (!taken)
        return AVERROR(ENOMEM);
    t->taken = taken;
    memset(taken, 0, b->nb);
    if ((ret = round_of(t, b, 1, high, INFINITY, t->p.match)) < 0 ||
        (ret = round_of(t, b, 1, t->p.low, high, FFMAX(t->p.match, LOW_MATCH))) < 0 ||
        (ret = round_of(t, b, 0, high, INFINITY, t->p.match)) < 0)
        return ret;
    if (t->p.mode == YOLO_TRACK_BYTE)
        follow_camera(t);
    for (int i = 0; i < t->nb; i++)
        t->track[i].misses += t->track[i].det < 0;
    for (int i = 0; i < b->nb && t->nb < MAX_TRACKS; i++) {
        if (!taken[i] && b->box[i].conf >= high) {
            taken[i] = 1;
            start(t, &b->box[i], i);
        }
    }
    return 0;
}

/* ---- frames ---------------------------------------------------------------------- */

static void drop_lost(YoloTracker *t)
{
    int nb = 0;

    for (int i = 0; i < t->nb; i++) {
        const Track *k = &t->track[i];
        YoloBox b = k->box;
        const int here = clip(&b, t->w, t->h) >= LEFT;
        if (t->now - k->seen <= t->p.keep && !(k->misses && !here) && (b.id || k->misses < TRIAL))
            t->track[nb++] = *k;
    }
    t->nb = nb;
}

static int by_id(const void *a, const void *b)
{
    const YoloBox *p = a, *q = b;

    return p->id   != q->id   ? FFDIFFSIGN(p->id, q->id)     :
           p->conf != q->conf ? FFDIFFSIGN(q->conf, p->conf) :
           p->x1   != q->x1   ? FFDIFFSIGN(p->x1, q->x1)     : FFDIFFSIGN(p->y1, q->y1);
}

static int report(YoloTracker *t, YoloBoxes *boxes)
{
    int ret = 0;

    t->out.nb = 0;
    for (int i = 0; i < t->nb && ret >= 0; i++) {
        const Track *k = &t->track[i];
        YoloBox b = k->box;
        if (!b.id)
            continue;
        if (k->det >= 0) {
            b = boxes->box[k->det];
            b.id    = k->box.id;
            b.state = YOLO_SEEN;
        } else {
            b.state = YOLO_GUESS;
            if (t->now - k->seen > t->p.fill || !clip(&b, t->w, t->h))
                continue;
        }
        ret = ff_yolo_add(&t->out, &b);
    }
    for (int i = 0; i < t->nb; i++)         // those on trial are shown without an id, too
        if (t->track[i].det >= 0 && !t->track[i].box.id)
            t->taken[t->track[i].det] = 0;
    for (int i = 0; i < boxes->nb && ret >= 0; i++) {
        YoloBox b = boxes->box[i];
        b.id = 0;
        if (b.conf >= t->p.high && !t->taken[i])
            ret = ff_yolo_add(&t->out, &b);
    }
    if (t->out.nb)
        qsort(t->out.box, t->out.nb, sizeof(*t->out.box), by_id);
    FFSWAP(YoloBoxes, t->out, *boxes);
    return ret;
}

int ff_yolo_track(YoloTracker *t, double now, int w, int h, int seen, YoloBoxes *boxes)
{
    const double dt = t->running ? now - t->now : 0;
    int ret;

    if (!isfinite(now))
        return AVERROR(EINVAL);
    if (t->p.mode == YOLO_TRACK_NONE)
        return 0;
    if (dt < 0 || dt > t->p.keep)
        t->nb = 0;
    t->w       = w;
    t->h       = h;
    t->now     = now;
    t->running = 1;
    if (!seen)
        boxes->nb = 0;
    for (int i = 0; i < t->nb; i++) {
        ff_yolo_motion_predict(&t->track[i].m, dt);
        ff_yolo_motion_box(&t->track[i].m, &t->track[i].box);
        t->track[i].det = -1;
    }
    if (seen && (ret = look(t, boxes)) < 0)
        return ret;
    drop_lost(t);
    return report(t, boxes);
}
