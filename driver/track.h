/*
 * ffreel: detections to keys (verb track)
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

#ifndef FFREEL_DRIVER_TRACK_H
#define FFREEL_DRIVER_TRACK_H

#include "libavfilter/keytrack.h"

#include "driver.h"

/*
 * How it is cut
 *
 *   track.c         the verb: its steps, one after the other
 *   track_args.c    its options
 *   track_read.c    JSON lines of yolodetect -> Detections; ids, where they have none
 *   track_cut.c     where one shot ends and the next begins
 *   track_target.c  which boxes are the target's
 *   track_path.c    arithmetic on a row of numbers: smoothing, dead zone, limits
 *   track_plan.c    boxes of the target -> where the window or the ellipse is, 50 times a second
 *   track_keys.c    that -> few keys within a tolerance
 *   track_write.c   keys -> JSON for keyframecrop and highlight
 *
 * Nothing but track_read.c and track_write.c touches a file. A detection is never
 * later than the frame it is of: all filters look as far ahead as back.
 */

enum { TARGET_AUTO, TARGET_ID, TARGET_POINT, TARGET_LARGEST, TARGET_LABEL };

typedef struct TrackOptions {
    const char *input, *output;         ///< "-": stdin, stdout
    int         crop, highlight;        ///< what is asked for
    int         target;                 ///< TARGET_*
    int         id;
    double      x, y, at;               ///< TARGET_POINT: pixels and seconds; at NAN: in the first frame that has boxes
    const char *label;
    double      aspect;                 ///< width / height of the window
    double      w, h;                   ///< its size in pixels; 0: from aspect and zoom
    double      zoom;                   ///< 1: the largest window of that shape
    double      margin;                 ///< > 0: so many times as high as the target, instead of zoom
    double      dead;                   ///< share of the window in which the target moves nothing
    double      speed, accel;           ///< limits, in widths of the picture per s and per s^2
    double      smooth;                 ///< seconds; < 0: as it is best for either
    double      grow;                   ///< ellipse: half the box times this
    double      tolerance;              ///< pixels that keys may be off the path
    const char *cuts;                   ///< a file; NULL: find them; "": none
    double      scene;                  ///< a "scene" of at least this is a cut
    int         overwrite;
} TrackOptions;

int track_options(TrackOptions *o, int argc, char **argv);  ///< -1: help was shown

// ---- track_read.c ----------------------------------------------------------------

typedef struct DetBox {
    double x, y, w, h;                  ///< middle and size, pixels
    double conf;
    int    id;                          ///< 0: none
    int    label;                       ///< index into Detections.labels
    int    guess;                       ///< by a tracker, not by the net
} DetBox;

typedef struct DetFrame {
    double t, scene;                    ///< seconds; scene score or -1
    int    first, nb;                   ///< its boxes
    int    cut;                         ///< a shot begins with it
} DetFrame;

typedef struct Detections {
    const char *name;                   ///< of the file, borrowed
    int        w, h;
    DetFrame  *frame;
    DetBox    *box;
    int        nb, nb_boxes;
    StrList    labels;
} Detections;

int  detections_read(Detections *d, const char *path);
/** Gives ids by libavfilter's tracker where no box has one. */
int  detections_identify(Detections *d);
void detections_free(Detections *d);

// ---- track_cut.c, track_target.c ---------------------------------------------------

/** Sets DetFrame.cut. */
int  cuts_find(Detections *d, const TrackOptions *o);

/** Boxes of one id in one shot. */
typedef struct Piece {
    int    id, label;
    int    first, last;                 ///< frames with a box
    int    nb;                          ///< boxes
    double score;                       ///< the more the better, over all of its boxes
    int    taken;
} Piece;

typedef struct Target {
    int   *box;                         ///< of each frame: index into Detections.box, -1: not seen
    Piece *piece;                       ///< those taken, in order of time
    int    nb;
    char  *what;                        ///< for people: "id 3 (person)"
} Target;

int  target_find(Target *t, const Detections *d, const TrackOptions *o);
void target_free(Target *t);

// ---- track_path.c ------------------------------------------------------------------

/* A path is nb values, equally far apart in time. */
void path_smooth(double *v, int nb, double sigma);  ///< sigma in steps; straight lines stay, up to both ends
/** as little motion as keeps v within dead[i] of what it was */
void path_rest(double *v, const double *dead, int nb);
/** Where v is nearly at rest (within slack times dead to each side, for `least` values) it becomes wholly so,
 * at the mean of `on`, what it follows, if that is within dead of all of it. */
void path_still(double *v, const double *on, const double *dead, int nb, double slack, int least);
void path_limit(double *v, int nb, double step);    ///< at most step from one value to the next, before and after alike
void path_mean(double *v, int nb, int width);       ///< means of width values (odd); the ends hold

// ---- track_plan.c, track_keys.c, track_write.c ---------------------------------------

#define PLAN_RATE 50.                   ///< values of a path per second

/** Values of a span of time: x, y, w, h of a window (its corner) or of an ellipse (middle, radii). */
typedef struct Plan4 {
    double  t0, step;                   ///< seconds
    int     nb;
    double *v[4];
} Plan4;

/** A key. */
typedef struct TrackKey {
    double t, v[4];
    int    cut;                         ///< the key before holds until this one
} TrackKey;

typedef struct TrackKeys {
    TrackKey *key;
    int       nb;
} TrackKeys;

/** The window in frames [a, b), one shot. */
void plan_window(Plan4 *p, const Detections *d, const Target *t, const TrackOptions *o, int a, int b);
/** The ellipse on the target in frames [a, b]. */
void plan_ellipse(Plan4 *p, const Detections *d, const Target *t, const TrackOptions *o, int a, int b);
void plan4_free(Plan4 *p);
/** Append keys; kind monotone between them stays within tolerance of the plan. */
void keys_add(TrackKeys *k, const Plan4 *p, double tolerance, int cut);
/** new: what the filters make of these keys */
KeyTrack *keys_track(const TrackKeys *k);
void keys_free(TrackKeys *k);

typedef struct Region {
    char     *label;
    TrackKeys keys;
} Region;

/** @param w,h size of the picture that the keys are for */
int write_crop(const char *path, const Detections *d, const Target *t, const TrackKeys *k);
int write_regions(const char *path, const Target *t, const Region *r, int nb, double w, double h);

int verb_track(int argc, char **argv);

#endif /* FFREEL_DRIVER_TRACK_H */
