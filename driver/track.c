/*
 * ffreel: verb track
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
#include <string.h>
#include <sys/stat.h>

#include "libavutil/mem.h"

#include "track.h"

#define REGION_GAP 0.5          ///< seconds unseen after which an ellipse goes and comes again
#define REGION_MIN 0.1          ///< seconds; what is shorter would only flash

/* ---- crop ------------------------------------------------------------------------ */

static void make_crop(TrackKeys *k, const Detections *d, const Target *t, const TrackOptions *o)
{
    for (int a = 0, b; a < d->nb; a = b) {
        Plan4 p;
        for (b = a + 1; b < d->nb && !d->frame[b].cut;)
            b++;
        plan_window(&p, d, t, o, a, b);
        keys_add(k, &p, o->tolerance, d->frame[a].cut);
        plan4_free(&p);
    }
}

/* ---- highlight --------------------------------------------------------------------- */

typedef struct Regions {
    Region *r;
    int     nb;
    double  w, h;               ///< of the picture that they are in
} Regions;

static void regions_free(Regions *l)
{
    for (int i = 0; i < l->nb; i++) {
        keys_free(&l->r[i].keys);
        av_free(l->r[i].label);
    }
    av_freep(&l->r);
}

/* into the picture that the crop makes of it, scaled to the size of the window at the start */
static void into_window(Plan4 *p, const KeyTrack *window, const Regions *l)
{
    double win[4];

    for (int i = 0; i < p->nb; i++) {
        ff_keytrack_eval(window, p->t0 + i * p->step, KEY_MONOTONE, 0, win);
        p->v[0][i] = (p->v[0][i] - win[0]) * l->w / win[2];
        p->v[1][i] = (p->v[1][i] - win[1]) * l->h / win[3];
        p->v[2][i] *= l->w / win[2];
        p->v[3][i] *= l->h / win[3];
    }
}

static void region_add(Regions *l, const Detections *d, const Target *t, const TrackOptions *o, const KeyTrack *window,
                       const Piece *piece, int a, int b)
{
    Plan4 p;
    Region *r;

    if (d->frame[b].t - d->frame[a].t < REGION_MIN)
        return;
    if (!(l->nb & (l->nb - 1)))
        l->r = need(av_realloc_array(l->r, FFMAX(2 * l->nb, 16), sizeof(*l->r)));
    r  = &l->r[l->nb++];
    *r = (Region) { .label = strf("%s %d", d->labels.v[piece->label], piece->id) };
    plan_ellipse(&p, d, t, o, a, b);
    if (window)
        into_window(&p, window, l);
    keys_add(&r->keys, &p, o->tolerance, 0);
    plan4_free(&p);
}

static void make_regions(Regions *l, const Detections *d, const Target *t, const TrackOptions *o,
                         const KeyTrack *window)
{
    for (int i = 0; i < t->nb; i++) {
        const Piece *p = &t->piece[i];
        int start = p->first, last = p->first;
        for (int k = p->first; k <= p->last; k++) {
            if (t->box[k] < 0)
                continue;
            if (d->frame[k].t - d->frame[last].t > REGION_GAP) {
                region_add(l, d, t, o, window, p, start, last);
                start = k;
            }
            last = k;
        }
        region_add(l, d, t, o, window, p, start, last);
    }
}

/* ---- the verb ---------------------------------------------------------------------- */

/* KEYS.json -> KEYS.crop.json where two files are asked for; the caller frees */
static char *output_of(const TrackOptions *o, const char *kind)
{
    const char *dot = strrchr(o->output, '.'), *slash = strrchr(o->output, '/');

    if (!o->crop || !o->highlight)
        return strf("%s", o->output);
    if (!dot || (slash && dot < slash))
        return strf("%s.%s.json", o->output, kind);
    return strf("%.*s.%s%s", (int)(dot - o->output), o->output, kind, dot);
}

static int may_write(const TrackOptions *o, const char *path)
{
    struct stat st;

    if (o->overwrite || !strcmp(path, "-") || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    return fail(FAIL_USAGE, "%s is there already; -y replaces it", path);
}

static int check_size(TrackOptions *o, const Detections *d)
{
    if (o->w > d->w || o->h > d->h)
        return fail(FAIL_USAGE, "--size %gx%g is larger than the picture, %dx%d", o->w, o->h, d->w, d->h);
    if (!o->tolerance)
        o->tolerance = fmax(0.002 * d->w, 0.05);
    return 0;
}

static int write_all(const TrackOptions *o, const Detections *d, const Target *t)
{
    char *crop = output_of(o, "crop"), *look = output_of(o, "highlight");
    TrackKeys k = { 0 };
    Regions l = { .w = d->w, .h = d->h };
    KeyTrack *window = NULL;
    int ret = 0;

    if (o->crop)
        ret = may_write(o, crop);
    if (o->highlight && !ret)
        ret = may_write(o, look);
    if (o->crop && !ret) {
        make_crop(&k, d, t, o);
        if (o->highlight)
            window = keys_track(&k);
    }
    if (o->highlight && !ret) {
        if (o->crop) {
            l.w = k.key[0].v[2];
            l.h = k.key[0].v[3];
        }
        make_regions(&l, d, t, o, window);
        if (!l.nb)
            ret = fail(FAIL_INPUT, "%s: the target is never seen for %g s on end", d->name, REGION_MIN);
    }
    if (o->crop && !ret && !(ret = write_crop(crop, d, t, &k)))
        say(0, "%s: %d keys", crop, k.nb);
    if (o->highlight && !ret && !(ret = write_regions(look, t, l.r, l.nb, l.w, l.h)))
        say(0, "%s: %d regions", look, l.nb);
    ff_keytrack_free(&window);
    regions_free(&l);
    keys_free(&k);
    av_free(crop);
    av_free(look);
    return ret;
}

int verb_track(int argc, char **argv)
{
    TrackOptions o;
    Detections d = { 0 };
    Target t = { 0 };
    int ret = track_options(&o, argc, argv);

    if (ret)
        return ret < 0 ? 0 : ret;
    if (!(ret = detections_read(&d, o.input)) && !(ret = check_size(&o, &d)) && !(ret = detections_identify(&d)) &&
        !(ret = cuts_find(&d, &o)) && !(ret = target_find(&t, &d, &o)))
        ret = write_all(&o, &d, &t);
    target_free(&t);
    detections_free(&d);
    return ret;
}
