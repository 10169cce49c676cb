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

#ifndef AVFILTER_YOLO_KALMAN_H
#define AVFILTER_YOLO_KALMAN_H

#include "yolo.h"

/**
 * @file
 * A coordinate and its speed, with their variances: constant speed that white noise
 * disturbs. Time is a difference in seconds, any >= 0, so that frames may come at any
 * rate, and one step of 2 s is the same as two of 1 s.
 * A box has four of these, which know nothing of each other.
 */

typedef struct YoloAxis {
    double p, v;                ///< place (pixels) and speed (pixels/s)
    double pp, pv, vv;          ///< their covariance
} YoloAxis;

/** @param sp,sv standard deviations of the place, which is p, and of the speed, which is taken as 0 */
void ff_yolo_axis_init(YoloAxis *a, double p, double sp, double sv);
/** @param q power of the disturbance, pixels^2/s^3: in a time t the speed strays by sqrt(q t) */
void ff_yolo_axis_predict(YoloAxis *a, double dt, double q);
/** @param z measured place, sz its standard deviation, > 0 */
void ff_yolo_axis_update(YoloAxis *a, double z, double sz);

/** A box that moves: its middle and its size, in pixels. */
typedef struct YoloMotion {
    YoloAxis x, y, w, h;
} YoloMotion;

void ff_yolo_motion_init(YoloMotion *m, const YoloBox *b);
void ff_yolo_motion_predict(YoloMotion *m, double dt);
/** @param w,h size of the picture: a box at its edge shows a part of a thing */
void ff_yolo_motion_update(YoloMotion *m, const YoloBox *b, int w, int h);
/** geometric mean of width and height, at least 1 */
double ff_yolo_motion_size(const YoloMotion *m);
/** the corners as they are now, not clipped; the rest of b stays */
void ff_yolo_motion_box(const YoloMotion *m, YoloBox *b);

#endif /* AVFILTER_YOLO_KALMAN_H */
