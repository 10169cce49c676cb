/*
 * Scenes of things that cross, for tests of trackers
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

#ifndef FFREEL_TESTS_YOLO_SCENE_H
#define FFREEL_TESTS_YOLO_SCENE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/lfg.h"
#include "libavutil/macros.h"
#include "yolo.h"

/*
 * A field that is filmed from the side, 1280x720, for 20 s: players run across it,
 * nearly straight, each in its depth. Who is nearer hides who is farther: a player
 * of whom more than 55 % is covered is not detected for up to half a second, one who is
 * covered by 30 % only with low confidence. Detections jitter, are missed, and
 * some are of nothing.
 */
enum { SCENE_W = 1280, SCENE_H = 720, SCENE_THINGS = 24, SCENE_FRAMES = 1400, SCENE_WHO = 512 };

typedef struct SceneKind {
    const char *name;
    int    vfr;                 ///< frames come 1/60 to 1/15 s apart, not each 1/30 s
    int    interval;            ///< every so many frames are looked at
    double pan;                 ///< the camera swings by so many pixels to each side
    double miss;                ///< share of detections that are missed
    int    classes;             ///< things are of so many classes
} SceneKind;

typedef struct SceneThing {
    double t0, x0, speed, y, h, wobble, phase;
    int    cls;
    double hidden;              ///< since when
} SceneThing;

/** What is true of a thing in a frame. */
typedef struct SceneTruth {
    YoloBox box;
    int     who;                ///< its number; a new one each time that it comes into the picture
    int     there;              ///< enough of it is in the picture
    double  covered;            ///< share of it that nearer ones cover
    int     hidden;             ///< so much that it is not counted
} SceneTruth;

typedef struct Scene {
    SceneKind  kind;
    AVLFG      g;
    SceneThing thing[SCENE_THINGS];
    int        crossing[SCENE_THINGS][SCENE_THINGS];
    int        nb_crossings, nb_who, frame;
    double     t;
    SceneTruth truth[SCENE_THINGS];
} Scene;

static double scene_rnd(Scene *s)
{
    return av_lfg_get(&s->g) / 4294967296.0;
}

static double scene_normal(Scene *s)
{
    return sqrt(-2 * log(1 - scene_rnd(s))) * cos(2 * M_PI * scene_rnd(s));
}

static void scene_open(Scene *s, const SceneKind *kind, unsigned seed)
{
    memset(s, 0, sizeof(*s));
    s->kind = *kind;
    av_lfg_init(&s->g, seed);
    for (int i = 0; i < SCENE_THINGS; i++) {
        SceneThing *o = &s->thing[i];
        const int right = i & 1;
        o->y      = 180 + 500 * scene_rnd(s);       // of the feet
        o->h      = 45 + 0.15 * o->y;
        o->speed  = (right ? -1 : 1) * (70 + 180 * scene_rnd(s));
        o->x0     = right ? SCENE_W + 40 : -40;
        o->t0     = -3 + 20 * scene_rnd(s);
        o->wobble = 0.1 * o->h * scene_rnd(s);
        o->phase  = 6 * scene_rnd(s);
        o->cls    = i % FFMAX(kind->classes, 1);
        o->hidden = -1;
    }
}

static YoloBox scene_box(const Scene *s, const SceneThing *o)
{
    const double t = s->t - o->t0, pan = s->kind.pan * sin(1.3 * s->t) * (1 - cos(0.4 * s->t)) / 2;
    const double x = o->x0 + o->speed * t + o->wobble * sin(2 * t + o->phase) - pan;
    const double y = o->y + 0.5 * o->wobble * sin(3 * t + o->phase), w = 0.42 * o->h;

    return (YoloBox) { .x1 = x - w / 2, .y1 = y - o->h, .x2 = x + w / 2, .y2 = y, .conf = 1, .cls = o->cls };
}

static int scene_clip(YoloBox *b)
{
    b->x1 = FFMAX(b->x1, 0);
    b->y1 = FFMAX(b->y1, 0);
    b->x2 = FFMIN(b->x2, SCENE_W);
    b->y2 = FFMIN(b->y2, SCENE_H);
    return b->x2 - b->x1 > 1 && b->y2 - b->y1 > 1;
}

static double scene_area(const YoloBox *b)
{
    return (b->x2 - b->x1) * (double)(b->y2 - b->y1);
}

static double scene_cover(const YoloBox *a, const YoloBox *by)
{
    const double w = FFMIN(a->x2, by->x2) - FFMAX(a->x1, by->x1), h = FFMIN(a->y2, by->y2) - FFMAX(a->y1, by->y1);

    return w > 0 && h > 0 ? w * h / scene_area(a) : 0;
}

/* where all things are, who covers whom, which crossings begin */
static void scene_look(Scene *s)
{
    for (int i = 0; i < SCENE_THINGS; i++) {
        SceneTruth *t = &s->truth[i];
        const int was = t->there;
        double whole;
        t->box   = scene_box(s, &s->thing[i]);
        whole    = scene_area(&t->box);
        t->there = s->t >= s->thing[i].t0 && scene_clip(&t->box) && scene_area(&t->box) > 0.3 * whole;
        t->covered = 0;
        if (t->there && !was)
            t->who = s->nb_who++ % SCENE_WHO;
    }
    for (int i = 0; i < SCENE_THINGS; i++) {
        SceneTruth *t = &s->truth[i];
        for (int k = 0; k < SCENE_THINGS; k++) {
            const SceneTruth *n = &s->truth[k];
            const int over = i != k && t->there && n->there && ff_yolo_iou(&t->box, &n->box) > 0.2;
            if (i < k && over && !s->crossing[i][k])
                s->nb_crossings++;
            if (over || !t->there || !n->there || ff_yolo_iou(&t->box, &n->box) == 0)
                s->crossing[i][k] = over;
            if (i != k && t->there && n->there && s->thing[k].y > s->thing[i].y)
                t->covered = FFMAX(t->covered, scene_cover(&t->box, &n->box));
        }
        if (t->covered <= 0.55)
            s->thing[i].hidden = -1;
        else if (s->thing[i].hidden < 0)
            s->thing[i].hidden = s->t;
        t->hidden = t->covered > 0.55;
    }
}

static int scene_detect(Scene *s, YoloBoxes *found)
{
    int ret = 0;

    for (int i = 0; i < SCENE_THINGS && ret >= 0; i++) {
        const SceneTruth *t = &s->truth[i];
        const double w = t->box.x2 - t->box.x1, h = t->box.y2 - t->box.y1;
        YoloBox b = t->box;
        const double dx = 0.02 * h * scene_normal(s), dy = 0.02 * h * scene_normal(s);
        const double dw = 0.03 * w * scene_normal(s), dh = 0.03 * h * scene_normal(s);
        const int missed = scene_rnd(s) < s->kind.miss;
        if (!t->there || missed || (t->hidden && s->t - s->thing[i].hidden <= 0.5))
            continue;
        b.x1 += dx - dw / 2;
        b.x2 += dx + dw / 2;
        b.y1 += dy - dh / 2;
        b.y2 += dy + dh / 2;
        b.conf = t->covered > 0.3 ? 0.12 + 0.36 * scene_rnd(s) : 0.55 + 0.4 * scene_rnd(s);
        if (scene_clip(&b))
            ret = ff_yolo_add(found, &b);
    }
    if (ret >= 0 && scene_rnd(s) < 0.1) {           // of nothing
        const double x = SCENE_W * scene_rnd(s), y = SCENE_H * scene_rnd(s), h = 40 + 100 * scene_rnd(s);
        YoloBox b = { x, y, x + 0.42 * h, y + h, 0.2 + 0.5 * scene_rnd(s), 0 };
        if (scene_clip(&b))
            ret = ff_yolo_add(found, &b);
    }
    return ret;
}

/** The next frame: s->t, s->truth. @return 1 if it was looked at: then found has detections; 0; or AVERROR */
static int scene_next(Scene *s, YoloBoxes *found)
{
    int ret = 0;

    found->nb = 0;
    if (s->frame)
        s->t += s->kind.vfr ? 1 / 60. + scene_rnd(s) * (1 / 15. - 1 / 60.) : 1 / 30.;
    scene_look(s);
    if (s->frame++ % s->kind.interval)
        return 0;
    ret = scene_detect(s, found);
    return ret < 0 ? ret : 1;
}

#endif /* FFREEL_TESTS_YOLO_SCENE_H */
