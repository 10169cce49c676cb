/*
 * ffreel: where a shot of detections ends
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

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/mem.h"

#include "track.h"

#define CUT_GAP   0.5           ///< seconds between two frames that tell nothing of each other
#define CUT_SHARE 0.2           ///< of the boxes may be found again by chance

static int overlap(const DetBox *a, const DetBox *b)
{
    const double w = fmin(a->x + a->w / 2, b->x + b->w / 2) - fmax(a->x - a->w / 2, b->x - b->w / 2);
    const double h = fmin(a->y + a->h / 2, b->y + b->h / 2) - fmax(a->y - a->h / 2, b->y - b->h / 2);

    return w > 0 && h > 0 && w * h > 0.1 * fmin(a->w * a->h, b->w * b->h);
}

static int seen(const Detections *d, const DetFrame *f)
{
    int nb = 0;

    for (int i = f->first; i < f->first + f->nb; i++)
        nb += !d->box[i].guess;
    return nb;
}

/*
 * All boxes went and others came. A guess of the tracker is what it would have been
 * without a cut, and tells nothing. One box that becomes another is no cut: detectors
 * miss things.
 */
static int jumps(const Detections *d, const DetFrame *a, const DetFrame *b)
{
    const int na = seen(d, a), nb = seen(d, b);
    int same = 0, near = 0;

    if (b->t - a->t > CUT_GAP || !na || !nb || na + nb < 4)
        return 0;
    for (int i = a->first; i < a->first + a->nb; i++) {
        int id = 0, at = 0;
        for (int k = b->first; k < b->first + b->nb && !d->box[i].guess; k++) {
            if (d->box[k].guess)
                continue;
            id |= d->box[i].id && d->box[i].id == d->box[k].id;
            at |= d->box[i].label == d->box[k].label && overlap(&d->box[i], &d->box[k]);
        }
        same += id;
        near += at;
    }
    return same <= CUT_SHARE * FFMIN(na, nb) && near <= CUT_SHARE * FFMIN(na, nb);
}

static void find(Detections *d, double scene)
{
    int last = -1, scored = 0;          // last: the last frame with boxes of the net

    for (int i = 0; i < d->nb; i++)
        scored |= d->frame[i].scene >= 0;
    for (int i = 0; i < d->nb; i++) {
        DetFrame *f = &d->frame[i];
        if (scored)
            f->cut = i && f->scene >= scene;
        else
            f->cut = last >= 0 && jumps(d, &d->frame[last], f);
        if (seen(d, f))
            last = i;
    }
}

static int from_file(Detections *d, const char *path)
{
    char *text = read_text(path), *s = text;
    int ret = 0, line = 0, i = 0;
    double before = -INFINITY;

    if (!text)
        return fail(FAIL_IO, "%s: cannot be read: %s", path, strerror(errno));
    while (s && *s && !ret) {
        char *end = strchr(s, '\n'), *rest;
        double t;
        if (end)
            *end++ = 0;
        line++;
        s += strspn(s, " \t\r");
        if (*s && *s != '#') {
            t = strtod(s, &rest);
            rest += strspn(rest, " \t\r");
            if (rest == s || *rest || !isfinite(t))
                ret = fail(FAIL_INPUT, "%s: line %d: '%s' is not a time in seconds", path, line, s);
            else if (t <= before)
                ret = fail(FAIL_INPUT, "%s: line %d: %g s is not after the cut before, %g s", path, line, t, before);
            for (before = t; !ret && i < d->nb && d->frame[i].t < t - 1e-4;)
                i++;
            if (!ret && i && i < d->nb)         // the first frame at or after it; times are rounded in files
                d->frame[i].cut = 1;
        }
        s = end;
    }
    av_free(text);
    return ret;
}

int cuts_find(Detections *d, const TrackOptions *o)
{
    int nb = 0, ret = 0;

    if (!o->cuts)
        find(d, o->scene);
    else if (*o->cuts)
        ret = from_file(d, o->cuts);
    for (int i = 0; i < d->nb && !ret; i++) {
        if (d->frame[i].cut)
            say(1, "a shot begins at %g s", d->frame[i].t);
        nb += d->frame[i].cut;
    }
    if (!ret)
        say(1, "%d frames, %d boxes, %d cuts", d->nb, d->nb_boxes, nb);
    return ret;
}
