/*
 * ffreel: boxes of the target -> paths
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
#include <string.h>

#include "libavutil/mem.h"

#include "track.h"

#define SMOOTH_CROP  0.25       ///< seconds
#define SMOOTH_LOOK  0.10       ///< of an ellipse, which must stay on the player
#define SMOOTH_ZOOM  1.0
#define DEAD_ZOOM    0.10       ///< of the logarithm of the size
#define SPEED_ZOOM   0.4        ///< a second
#define REST_SLACK   0.2        ///< of the dead zone: for noise that still pushes a window which stands at its rim
#define REST_LEAST   1.0        ///< seconds
#define GAP          1.0        ///< seconds without a box that are bridged straight; a longer gap waits first

void plan4_free(Plan4 *p)
{
    for (int i = 0; i < 4; i++)
        av_freep(&p->v[i]);
    p->nb = 0;
}

static void plan4_alloc(Plan4 *p, double t0, double t1)
{
    *p = (Plan4) { .t0 = t0, .nb = ceil((t1 - t0) * PLAN_RATE - 1e-9) + 1 };
    p->step = p->nb > 1 ? (t1 - t0) / (p->nb - 1) : 1 / PLAN_RATE;
    for (int i = 0; i < 4; i++)
        p->v[i] = need(av_calloc(p->nb, sizeof(*p->v[i])));
}

static double value(const DetBox *b, int v)
{
    return v == 0 ? b->x : v == 1 ? b->y : v == 2 ? b->w : b->h;
}

/*
 * The target's box at each step, straight between the frames that have it. Before the
 * first and after the last it holds; @return 0 if there is none at all.
 */
static int sample(Plan4 *p, const Detections *d, const Target *t, int a, int b)
{
    int before = -1, after = a;         // frames with a box around the step

    while (after < b && t->box[after] < 0)
        after++;
    if (after == b)
        return 0;
    for (int i = 0; i < p->nb; i++) {
        const double now = p->t0 + i * p->step;
        while (after < b && d->frame[after].t <= now + 1e-9) {
            before = after++;
            while (after < b && t->box[after] < 0)
                after++;
        }
        for (int v = 0; v < 4; v++) {
            const DetBox *l = &d->box[t->box[before < 0 ? after : before]];
            const DetBox *r = &d->box[t->box[after < b ? after : before]];
            double u = 0;
            if (l != r) {
                const double end = d->frame[after].t, start = fmax(d->frame[before].t, end - GAP);
                u = av_clipd((now - start) / (end - start), 0, 1);
            }
            p->v[v][i] = value(l, v) + (value(r, v) - value(l, v)) * u;
        }
    }
    return 1;
}

/* ---- window ---------------------------------------------------------------------- */

/* the largest window of the wanted shape */
static void largest(const Detections *d, const TrackOptions *o, double *w, double *h)
{
    *w = fmin(d->w, d->h * o->aspect);
    *h = *w / o->aspect;
}

/* height of the window at each step, from that of the target */
static void zoom_to(double *h, const Plan4 *p, const TrackOptions *o, double max)
{
    double *dead = need(av_malloc_array(p->nb, sizeof(*dead)));

    for (int i = 0; i < p->nb; i++) {
        h[i]    = log(fmax(p->v[3][i], 1) * o->margin);
        dead[i] = DEAD_ZOOM;
    }
    path_smooth(h, p->nb, SMOOTH_ZOOM / p->step);
    path_rest(h, dead, p->nb);
    path_limit(h, p->nb, SPEED_ZOOM * p->step);
    for (int i = 0; i < p->nb; i++)
        h[i] = av_clipd(exp(h[i]), fmin(16, max), max);
    av_free(dead);
}

/*
 * Along one axis: follow, rest, stay inside, keep the limits. A path whose speed is
 * at most s becomes one whose speed changes by at most 2 s in the width of a mean: so
 * wide it must be for the limit of acceleration. All values are means of values
 * inside the picture, and so are the sizes: what comes out is inside, too.
 */
static void settle(double *mid, double *size, double *on, double *dead, const Plan4 *p, const TrackOptions *o,
                   const Detections *d, double end)
{
    const double smooth = (o->smooth < 0 ? SMOOTH_CROP : o->smooth) / p->step;
    const int wide = lrint(2 * o->speed / o->accel / p->step), soft = lrint(smooth);

    path_smooth(mid, p->nb, smooth);
    for (int i = 0; i < p->nb; i++) {
        on[i]   = mid[i];
        dead[i] = o->dead / 2 * size[i];
    }
    path_rest(mid, dead, p->nb);
    path_still(mid, on, dead, p->nb, REST_SLACK, lrint(REST_LEAST / p->step));
    for (int i = 0; i < p->nb; i++)
        mid[i] = av_clipd(mid[i], size[i] / 2, fmax(end - size[i] / 2, size[i] / 2));
    path_limit(mid, p->nb, o->speed * d->w * p->step);
    path_mean(mid,  p->nb, wide | 1);
    path_mean(mid,  p->nb, soft | 1);
    path_mean(size, p->nb, wide | 1);
    path_mean(size, p->nb, soft | 1);
    for (int i = 0; i < p->nb; i++)
        mid[i] = av_clipd(mid[i], size[i] / 2, fmax(end - size[i] / 2, size[i] / 2));
}

void plan_window(Plan4 *p, const Detections *d, const Target *t, const TrackOptions *o, int a, int b)
{
    double *on, *dead, max_w, max_h, w = o->w, h = o->h;
    int found;

    /* between two frames: rounded times must not let the last window stay for the first frame after a cut */
    plan4_alloc(p, d->frame[a].cut ? (d->frame[a - 1].t + d->frame[a].t) / 2 : d->frame[a].t, d->frame[b - 1].t);
    on    = need(av_malloc_array(p->nb, sizeof(*on)));
    dead  = need(av_malloc_array(p->nb, sizeof(*dead)));
    found = sample(p, d, t, a, b);
    largest(d, o, &max_w, &max_h);
    if (!w) {
        w = max_w / o->zoom;
        h = max_h / o->zoom;
    }
    if (found && o->margin > 0 && !o->w)
        zoom_to(p->v[3], p, o, max_h);
    for (int i = 0; i < p->nb; i++) {
        if (!found) {
            p->v[0][i] = d->w / 2.;
            p->v[1][i] = d->h / 2.;
        }
        if (!found || !(o->margin > 0) || o->w)
            p->v[3][i] = h;
        p->v[2][i] = o->w ? w : p->v[3][i] * o->aspect;
    }
    settle(p->v[0], p->v[2], on, dead, p, o, d, d->w);
    settle(p->v[1], p->v[3], on, dead, p, o, d, d->h);
    for (int i = 0; i < p->nb; i++) {       // middle -> corner
        p->v[0][i] = fmax(p->v[0][i] - p->v[2][i] / 2, 0);
        p->v[1][i] = fmax(p->v[1][i] - p->v[3][i] / 2, 0);
    }
    av_free(on);
    av_free(dead);
}

/* ---- ellipse --------------------------------------------------------------------- */

void plan_ellipse(Plan4 *p, const Detections *d, const Target *t, const TrackOptions *o, int a, int b)
{
    const double smooth = o->smooth < 0 ? SMOOTH_LOOK : o->smooth;

    plan4_alloc(p, d->frame[a].t, d->frame[b].t);
    sample(p, d, t, a, b + 1);
    for (int v = 0; v < 4; v++)
        path_smooth(p->v[v], p->nb, (v < 2 ? smooth : 3 * smooth) / p->step);
    for (int i = 0; i < p->nb; i++) {
        p->v[2][i] = fmax(p->v[2][i] / 2 * o->grow, 0.5);
        p->v[3][i] = fmax(p->v[3][i] / 2 * o->grow, 0.5);
    }
}
