/*
 * YOLO detection: Kalman filter of a box
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

#include "yolo_kalman.h"

/* What is taken as known of things that are filmed, in units of their size (the
 * geometric mean of width and height; of a running player about 1.1 m) */
#define NOISE       0.04        ///< standard deviation of a detection's middle
#define NOISE_SIZE  0.06        ///< of its width and height
#define SPEED       4.0         ///< of the speed of a thing just found, sizes a second
#define SPEED_SIZE  0.3         ///< of the speed at which its width and height change
#define ACCEL       1.0         ///< power of changes of speed, sizes^2/s^3
#define ACCEL_SIZE  0.05        ///< likewise of width and height
#define EDGE        1           ///< pixels from the edge of the picture that are at it

void ff_yolo_axis_init(YoloAxis *a, double p, double sp, double sv)
{
    *a = (YoloAxis) { .p = p, .pp = sp * sp, .vv = sv * sv };
}

void ff_yolo_axis_predict(YoloAxis *a, double dt, double q)
{
    a->p  += a->v * dt;
    a->pp += dt * (2 * a->pv + dt * (a->vv + q * dt / 3));
    a->pv += dt * (a->vv + q * dt / 2);
    a->vv += q * dt;
}

void ff_yolo_axis_update(YoloAxis *a, double z, double sz)
{
    const double s  = a->pp + sz * sz;
    const double kp = a->pp / s, kv = a->pv / s, e = z - a->p;

    a->p  += kp * e;
    a->v  += kv * e;
    a->vv -= kv * a->pv;
    a->pv -= kv * a->pp;
    a->pp -= kp * a->pp;
}

void ff_yolo_motion_init(YoloMotion *m, const YoloBox *b)
{
    const double w = b->x2 - b->x1, h = b->y2 - b->y1, s = sqrt(fmax(w, 1) * fmax(h, 1));

    ff_yolo_axis_init(&m->x, (b->x1 + b->x2) / 2, NOISE * s, SPEED * s);
    ff_yolo_axis_init(&m->y, (b->y1 + b->y2) / 2, NOISE * s, SPEED * s);
    ff_yolo_axis_init(&m->w, w, NOISE_SIZE * s, SPEED_SIZE * s);
    ff_yolo_axis_init(&m->h, h, NOISE_SIZE * s, SPEED_SIZE * s);
}

double ff_yolo_motion_size(const YoloMotion *m)
{
    return sqrt(fmax(m->w.p, 1) * fmax(m->h.p, 1));
}

void ff_yolo_motion_predict(YoloMotion *m, double dt)
{
    const double s = ff_yolo_motion_size(m), q = ACCEL * s * s, qs = ACCEL_SIZE * s * s;

    ff_yolo_axis_predict(&m->x, dt, q);
    ff_yolo_axis_predict(&m->y, dt, q);
    ff_yolo_axis_predict(&m->w, dt, qs);
    ff_yolo_axis_predict(&m->h, dt, qs);
}

/*
 * From lo to hi of 0 to end. Where the edge of the picture cuts a thing in two, what is
 * seen of it tells where its other side is, not how large it is.
 */
static void update_axis(YoloAxis *mid, YoloAxis *size, double lo, double hi, double end, double s)
{
    const int at_lo = lo <= EDGE, at_hi = hi >= end - EDGE;

    if (at_lo != at_hi && hi - lo < size->p) {
        ff_yolo_axis_update(mid, at_lo ? hi - size->p / 2 : lo + size->p / 2, NOISE * s);
        size->v = 0;
    } else {
        ff_yolo_axis_update(mid, (lo + hi) / 2, NOISE * s);
        ff_yolo_axis_update(size, hi - lo, NOISE_SIZE * s);
    }
}

void ff_yolo_motion_update(YoloMotion *m, const YoloBox *b, int w, int h)
{
    const double s = ff_yolo_motion_size(m);

    update_axis(&m->x, &m->w, b->x1, b->x2, w, s);
    update_axis(&m->y, &m->h, b->y1, b->y2, h, s);
}

void ff_yolo_motion_box(const YoloMotion *m, YoloBox *b)
{
    const double w = fmax(m->w.p, 1), h = fmax(m->h.p, 1);

    b->x1 = m->x.p - w / 2;
    b->y1 = m->y.p - h / 2;
    b->x2 = m->x.p + w / 2;
    b->y2 = m->y.p + h / 2;
}
