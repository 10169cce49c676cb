/*
 * ffreel: which boxes are those of the target
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

#include "libavutil/bprint.h"
#include "libavutil/mem.h"

#include "track.h"

#define SHORT 0.3               ///< seconds; a piece below that is taken only where there is nothing else
#define NEAR  0.25              ///< seconds from the time of a point to a frame that still counts

/* The one that an editor would click: near the middle, and large */
static double prominence(const Detections *d, const DetBox *b)
{
    const double far = hypot(d->w, d->h) / 2, off = hypot(b->x - d->w / 2., b->y - d->h / 2.);

    return 0.6 * (1 - fmin(1, off / far)) + 0.4 * fmin(1, b->w * b->h / ((double)d->w * d->h)) + 1e-9 * b->conf;
}

static double score(const Detections *d, const DetBox *b, int target)
{
    return target == TARGET_LARGEST ? b->w * b->h : target == TARGET_LABEL ? b->conf : prominence(d, b);
}

/* ---- all pieces ------------------------------------------------------------------ */

typedef struct Pieces {
    Piece *p;
    int    nb;
} Pieces;

static void pieces_add(Pieces *l, int open, const Detections *d, int frame, const DetBox *b, int target)
{
    Piece *p = NULL;

    for (int i = l->nb - 1; i >= open && !p; i--)
        if (l->p[i].id == b->id && l->p[i].label == b->label)
            p = &l->p[i];
    if (!p) {
        if (!(l->nb & (l->nb - 1)))
            l->p = need(av_realloc_array(l->p, FFMAX(2 * l->nb, 16), sizeof(*l->p)));
        p  = &l->p[l->nb++];
        *p = (Piece) { .id = b->id, .label = b->label, .first = frame };
    }
    p->last   = frame;
    p->nb    += !b->guess;
    p->score += b->guess ? 0 : score(d, b, target);
}

/* what each id is in each shot */
static void pieces_find(Pieces *l, const Detections *d, int target)
{
    int open = 0;                       // the first piece of this shot

    for (int i = 0; i < d->nb; i++) {
        const DetFrame *f = &d->frame[i];
        if (f->cut)
            open = l->nb;
        for (int k = f->first; k < f->first + f->nb; k++)
            if (d->box[k].id)
                pieces_add(l, open, d, i, &d->box[k], target);
    }
}

static double length(const Detections *d, const Piece *p)
{
    return d->frame[p->last].t - d->frame[p->first].t;
}

static int by_score(const void *a, const void *b)
{
    const Piece *p = a, *q = b;

    return p->score != q->score ? FFDIFFSIGN(q->score, p->score) : p->first != q->first ? p->first - q->first
                                                                                        : p->id - q->id;
}

static int by_time(const void *a, const void *b)
{
    const Piece *p = a, *q = b;

    return p->first != q->first ? p->first - q->first : p->id - q->id;
}

/* ---- which of them ---------------------------------------------------------------- */

static int find_label(const Detections *d, const char *name)
{
    for (int i = 0; i < d->labels.nb; i++)
        if (!strcmp(d->labels.v[i], name))
            return i;
    return -1;
}

/* who is there, the longest first */
static char *who(const Detections *d, Pieces *l)
{
    AVBPrint b;
    char *text;

    av_bprint_init(&b, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (l->nb)
        qsort(l->p, l->nb, sizeof(*l->p), by_score);
    for (int i = 0; i < FFMIN(l->nb, 12); i++)
        av_bprintf(&b, "%s%d (%s, %.1f s from %.1f s)", i ? ", " : "", l->p[i].id, d->labels.v[l->p[i].label],
                   length(d, &l->p[i]), d->frame[l->p[i].first].t);
    if (l->nb > 12)
        av_bprintf(&b, " and %d more", l->nb - 12);
    if (!l->nb)
        av_bprintf(&b, "none");
    av_bprint_finalize(&b, &text);
    return need(text);
}

static int none(const Detections *d, Pieces *l, const char *what)
{
    char *there = who(d, l);
    const int ret = fail(FAIL_INPUT, "%s: %s; ids there: %s", d->name, what, there);

    av_free(there);
    return ret;
}

/* the best first, each where none is yet; those too short only at the end and alone */
static void choose(Pieces *l, const Detections *d, int id, int label)
{
    int nb = 0;

    if (l->nb)
        qsort(l->p, l->nb, sizeof(*l->p), by_score);
    for (int i = 0; i < l->nb; i++) {
        Piece *p = &l->p[i];
        int free_there = (!id || p->id == id) && (label < 0 || p->label == label) && p->nb;
        if (!id && length(d, p) < SHORT && nb)
            free_there = 0;
        for (int k = 0; k < i && free_there; k++)
            free_there = !l->p[k].taken || l->p[k].last < p->first || l->p[k].first > p->last;
        p->taken = free_there;
        nb      += free_there;
    }
}

/* @return the id of the box at a point, 0: none */
static int at_point(const Detections *d, const TrackOptions *o, double *when)
{
    double best = INFINITY;
    int id = 0;

    *when = o->at;
    for (int i = 0; i < d->nb; i++) {
        const DetFrame *f = &d->frame[i];
        for (int k = f->first; k < f->first + f->nb; k++) {
            const DetBox *b = &d->box[k];
            const double dx = fabs(o->x - b->x) / (b->w / 2), dy = fabs(o->y - b->y) / (b->h / 2);
            const double off = fmax(dx, dy);            // <= 1: inside
            if (!b->id)
                continue;
            if (isnan(*when))
                *when = f->t;
            if (fabs(f->t - *when) > NEAR || off > 2)
                continue;
            if (off + fabs(f->t - *when) < best) {
                best = off + fabs(f->t - *when);
                id   = b->id;
            }
        }
    }
    return id;
}

static int pick(Target *t, Pieces *l, const Detections *d, const TrackOptions *o)
{
    int id = 0, label = -1, nb = 0;
    double when;
    char what[256];

    switch (o->target) {
    case TARGET_ID:
        id = o->id;
        snprintf(what, sizeof(what), "no box has id %d", id);
        break;
    case TARGET_POINT:
        id = at_point(d, o, &when);
        snprintf(what, sizeof(what), "no box with an id is at %g,%g at %g s", o->x, o->y, when);
        if (!id)
            return none(d, l, what);
        break;
    case TARGET_LABEL:
        label = find_label(d, o->label);
        snprintf(what, sizeof(what), "no box with an id is labelled '%s'", o->label);
        if (label < 0)
            return none(d, l, what);
        break;
    default:
        label = find_label(d, "person");
        snprintf(what, sizeof(what), "no %s has an id", label < 0 ? "box" : "person");
    }
    choose(l, d, id, label);
    for (int i = 0; i < l->nb; i++)
        nb += l->p[i].taken;
    if (!nb)
        return none(d, l, what);
    qsort(l->p, l->nb, sizeof(*l->p), by_time);
    for (int i = t->nb = 0; i < l->nb; i++)
        if (l->p[i].taken)
            l->p[t->nb++] = l->p[i];
    return 0;
}

static void describe(Target *t, const Detections *d)
{
    AVBPrint b;

    av_bprint_init(&b, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (int i = 0; i < t->nb && i < 20; i++)
        av_bprintf(&b, "%sid %d (%s) %.2f-%.2f s", i ? ", " : "", t->piece[i].id, d->labels.v[t->piece[i].label],
                   d->frame[t->piece[i].first].t, d->frame[t->piece[i].last].t);
    if (t->nb > 20)
        av_bprintf(&b, " and %d more", t->nb - 20);
    av_bprint_finalize(&b, &t->what);
    need(t->what);
}

int target_find(Target *t, const Detections *d, const TrackOptions *o)
{
    Pieces l = { 0 };
    int ret;

    *t = (Target) { .box = need(av_malloc_array(d->nb, sizeof(*t->box))) };
    pieces_find(&l, d, o->target);
    ret = pick(t, &l, d, o);
    t->piece = l.p;
    for (int i = 0; i < d->nb; i++)
        t->box[i] = -1;
    for (int i = 0; i < t->nb && !ret; i++) {
        const Piece *p = &t->piece[i];
        for (int k = p->first; k <= p->last; k++)
            for (int n = d->frame[k].first; n < d->frame[k].first + d->frame[k].nb; n++)
                if (d->box[n].id == p->id && d->box[n].label == p->label)
                    t->box[k] = n;
    }
    if (!ret) {
        describe(t, d);
        say(0, "target: %s", t->what);
    }
    return ret;
}

void target_free(Target *t)
{
    av_freep(&t->box);
    av_freep(&t->piece);
    av_freep(&t->what);
}
