/*
 * ffreel track: paths and their limits, cuts, targets
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

#undef HAVE_AV_CONFIG_H
#include "../driver/util.c"
#define number read_number
#include "../driver/track_read.c"
#include "../driver/track_cut.c"
#include "../driver/track_target.c"
#include "../driver/track_path.c"
#include "../driver/track_plan.c"
#include "../driver/track_keys.c"

#include "libavutil/lfg.h"
#include "tap.h"

enum { W = 1920, H = 1080 };

void progress_clear(void)
{
}

void progress_event(const char *event, int index, const char *text)
{
}

static AVLFG lfg;

static double rnd(void)
{
    return av_lfg_get(&lfg) / 4294967296.0;
}

static const TrackOptions defaults = { .crop = 1, .aspect = 9 / 16., .zoom = 1, .dead = 0.2, .speed = 0.5, .accel = 1,
                                       .smooth = -1, .grow = 1.3, .scene = 0.4, .at = NAN, .tolerance = 2 };

/* ---- paths ----------------------------------------------------------------------- */

static void test_paths(void)
{
    enum { N = 500 };
    double v[N], in[N], dead[N], off = 0, most = 0, moved = 0;

    for (int i = 0; i < N; i++)
        v[i] = 3 + 0.7 * i;
    path_smooth(v, N, 12);
    for (int i = 0; i < N; i++)
        off = fmax(off, fabs(v[i] - 3 - 0.7 * i));
    tap_ok(off < 1e-9, "a straight line stays as it is when smoothed, up to its ends: %.1e off", off);

    for (int i = 0; i < N; i++) {
        v[i]    = in[i] = 100 + 8 * sin(i * 0.05) + 3 * rnd();
        dead[i] = 12;
    }
    path_rest(v, dead, N);
    for (int i = 1; i < N; i++)
        moved += fabs(v[i] - v[i - 1]);
    tap_ok(moved == 0, "what stays within the dead zone moves nothing");
    for (int i = 0; i < N; i++)
        v[i] = in[i] = 4 * i + 30 * sin(i * 0.1);
    path_rest(v, dead, N);
    for (int i = 0; i < N; i++)
        most = fmax(most, fabs(v[i] - in[i]));
    tap_ok(most <= 12 + 1e-9, "what leaves it is never further off than it is wide: %.3f of 12", most);
    most = 0;
    for (int i = 0; i < N; i++)
        v[i] = in[i] = 5 * i;
    path_rest(v, dead, N);
    for (int i = 50; i < N - 50; i++)
        most = fmax(most, fabs(v[i] - in[i]));
    tap_ok(most < 1e-9, "in a steady motion there is no lag");

    for (int i = 0; i < N; i++)
        v[i] = in[i] = i < 250 ? 0 : 300;
    path_limit(v, N, 2);
    for (most = off = 0, moved = 1; moved < N; moved++)
        most = fmax(most, fabs(v[(int)moved] - v[(int)moved - 1]));
    tap_ok(most <= 2 + 1e-9 && fabs(v[249] + v[250] - 300) < 4, "a step becomes a ramp of the given speed around it");
    path_mean(v, N, 51);
    for (int i = 1; i < N - 1; i++)
        off = fmax(off, fabs(v[i + 1] - 2 * v[i] + v[i - 1]));
    tap_ok(off <= 2 * 2 / 51. + 1e-9, "means of 51 bound the change of speed: %.4f of %.4f", off, 2 * 2 / 51.);
}

/* ---- scenes ------------------------------------------------------------------------ */

typedef double (*Way)(double t);

static double runner(double t)      // rest, run, turn, run back, rest
{
    if (t < 3)
        return 500;
    if (t < 5)
        return 500 + 400 * (t - 3);
    if (t < 6)
        return 1300 + 400 * (t - 5) * (1 - (t - 5));
    return t < 8 ? 1300 - 400 * (t - 6) : 500;
}

static double walker(double t)
{
    return 300 + 100 * t;
}

static double dancer(double t)
{
    return 900 + 40 * sin(2 * t);
}

static double jumper(double t)      // from one side to the other at once, as where an id is taken over
{
    return t < 5 ? 200 : 1700;
}

/* one target with noise, and one that is smaller; frames 25 to 60 a second if vfr */
static void make(Detections *d, Way way, double seconds, int vfr, double noise, double miss, double h)
{
    double t = 0;

    *d = (Detections) { .name = "scene", .w = W, .h = H };
    list_add(&d->labels, "person");
    for (; t < seconds; t += vfr ? 1 / 60. + rnd() * (1 / 25. - 1 / 60.) : 1 / 30.) {
        DetFrame f = { .t = t, .scene = -1, .first = d->nb_boxes };
        if (rnd() >= miss) {
            d->box = grown(d->box, d->nb_boxes, sizeof(*d->box));
            d->box[d->nb_boxes++] = (DetBox) { way(t) + noise * (rnd() + rnd() - 1), 600 + noise * (rnd() + rnd() - 1),
                                               0.4 * h, h, 0.9, 7 };
            f.nb++;
        }
        d->box = grown(d->box, d->nb_boxes, sizeof(*d->box));
        d->box[d->nb_boxes++] = (DetBox) { 1800 - 10 * t, 200, 30, 60, 0.8, 3 };
        f.nb++;
        d->frame = grown(d->frame, d->nb, sizeof(*d->frame));
        d->frame[d->nb++] = f;
    }
}

static KeyTrack *plan(const Detections *d, const TrackOptions *o, TrackKeys *k)
{
    Target t;

    *k = (TrackKeys) { 0 };
    if (target_find(&t, d, o))
        return NULL;
    for (int a = 0, b; a < d->nb; a = b) {
        Plan4 p;
        for (b = a + 1; b < d->nb && !d->frame[b].cut;)
            b++;
        plan_window(&p, d, &t, o, a, b);
        keys_add(k, &p, o->tolerance, d->frame[a].cut);
        plan4_free(&p);
    }
    target_free(&t);
    return keys_track(k);
}

/** What is seen of a motion. */
typedef struct Motion {
    double speed, accel;        ///< the most, widths of the picture a second (squared)
    double off;                 ///< from the way to the middle of the window
    double outside;             ///< of the window beyond the picture
    double still;               ///< pixels that it moves in total
} Motion;

static Motion measure(const KeyTrack *k, Way way, double from, double to)
{
    const double step = 1 / 60.;
    double v[3][4];
    Motion m = { 0 };

    for (double t = from; t + 2 * step <= to; t += step) {
        for (int i = 0; i < 3; i++)
            ff_keytrack_eval(k, t + i * step, KEY_MONOTONE, 0, v[i]);
        for (int c = 0; c < 2; c++) {
            m.speed = fmax(m.speed, fabs(v[1][c] - v[0][c]) / step / W);
            m.accel = fmax(m.accel, fabs(v[2][c] - 2 * v[1][c] + v[0][c]) / step / step / W);
            m.still += fabs(v[1][c] - v[0][c]);
        }
        m.off     = fmax(m.off, fabs(v[0][0] + v[0][2] / 2 - av_clipd(way(t), v[0][2] / 2, W - v[0][2] / 2)));
        m.outside = fmax(m.outside, fmax(fmax(-v[0][0], -v[0][1]), fmax(v[0][0] + v[0][2] - W, v[0][1] + v[0][3] - H)));
    }
    return m;
}

static void test_ways(void)
{
    static const struct { const char *name; Way way; double off, seconds; int vfr; double noise, miss; } ways[] = {
        { "runner",            runner, 130, 10, 0, 6, 0    },
        { "runner, 25-60 fps", runner, 130, 10, 1, 6, 0.1  },
        { "runner, one box in four", runner, 130, 10, 1, 6, 0.75 },
        { "walker",            walker,  65, 14, 0, 6, 0.05 },
        { "dancer",            dancer,  65, 10, 0, 4, 0.05 },
    };
    const double window = H * 9 / 16.;

    for (int i = 0; i < FF_ARRAY_ELEMS(ways); i++) {
        Detections d;
        TrackOptions o = defaults;
        TrackKeys k;
        KeyTrack *track;
        Motion m;
        o.target = TARGET_ID;
        o.id     = 7;
        make(&d, ways[i].way, ways[i].seconds, ways[i].vfr, ways[i].noise, ways[i].miss, 200);
        track = plan(&d, &o, &k);
        m     = measure(track, ways[i].way, 0, ways[i].seconds - 0.1);
        tap_ok(m.off <= ways[i].off && m.off < window / 2 - 40,
               "%s: %d keys, the target is %.0f px from the middle at most, of %.0f", ways[i].name, k.nb,
               m.off, ways[i].off);
        tap_ok(m.speed <= 0.5 * 1.1 && m.accel <= 1 * 1.5,
               "%s: %.3f widths a second at most, of 0.5; changes by %.2f a second, of 1", ways[i].name,
               m.speed, m.accel);
        tap_ok(m.outside <= 0.011 && k.nb < 40, "%s: inside of the picture (%.3f px), few keys", ways[i].name,
               m.outside);
        ff_keytrack_free(&track);
        keys_free(&k);
        detections_free(&d);
    }
}

/* the measure must be able to fail: a key for each detection as it comes */
static void test_raw(void)
{
    TrackKeys k = { 0 };
    KeyTrack *track;
    Detections d;
    Motion m;

    make(&d, runner, 10, 0, 6, 0, 200);
    for (int i = 0; i < d.nb; i++) {
        const TrackKey key = { d.frame[i].t, { d.box[d.frame[i].first].x - 304, 0, 607.5, 1080 } };
        add(&k, &key);
    }
    track = keys_track(&k);
    m     = measure(track, runner, 0, 9.9);
    tap_ok(m.accel > 5,
           "keys that are the detections as they come would stutter: %.1f widths a second, each second", m.accel);
    ff_keytrack_free(&track);
    keys_free(&k);
    detections_free(&d);
}

static void test_rest(void)
{
    TrackKeys k;
    KeyTrack *track;
    Detections d;

    make(&d, runner, 12, 0, 6, 0.1, 200);
    track = plan(&d, &defaults, &k);
    tap_ok(measure(track, runner, 0, 1.5).still == 0 && measure(track, runner, 10, 11.9).still == 0,
           "a target that stands still moves the window not at all");
    ff_keytrack_free(&track);
    keys_free(&k);
    detections_free(&d);

    make(&d, dancer, 10, 0, 4, 0, 200);
    track = plan(&d, &defaults, &k);
    tap_ok(measure(track, dancer, 0, 9.9).still == 0 && k.nb <= 3,
           "nor does one that stays within the dead zone: %d keys", k.nb);
    ff_keytrack_free(&track);
    keys_free(&k);
    detections_free(&d);
}

static void test_limits(void)
{
    TrackOptions o = defaults;
    TrackKeys k;
    KeyTrack *track;
    Detections d;
    Motion m;

    make(&d, jumper, 10, 0, 4, 0, 200);
    o.speed = 0.25;
    o.accel = 0.5;
    track = plan(&d, &o, &k);
    m     = measure(track, jumper, 0, 9.9);
    tap_ok(m.speed <= 0.25 * 1.1 && m.speed > 0.2 && m.accel <= 0.5 * 1.5,
           "a target that jumps: a glide of %.3f widths a second, of 0.25; changes by %.2f, of 0.5", m.speed, m.accel);
    ff_keytrack_free(&track);
    keys_free(&k);
    detections_free(&d);
}

static void test_cut(void)
{
    double before[4], after[4], later[4];
    Detections d;
    TrackKeys k;
    KeyTrack *track;
    int at = -1, i;

    make(&d, jumper, 10, 1, 4, 0, 200);
    for (i = 0; i < d.nb && at < 0; i++)
        if (d.frame[i].t >= 5)
            at = i;
    d.frame[at].cut = 1;
    track = plan(&d, &defaults, &k);
    ff_keytrack_eval(track, d.frame[at - 1].t, KEY_MONOTONE, 0, before);
    ff_keytrack_eval(track, d.frame[at].t, KEY_MONOTONE, 0, after);
    ff_keytrack_eval(track, d.frame[at + 20].t, KEY_MONOTONE, 0, later);
    tap_ok(fabs(before[0] - 0) < 1 && fabs(after[0] - (W - 607.5)) < 1 && after[0] == later[0],
           "a cut: the window is on the left in the last frame before, on the right in the first after, and stays");
    for (i = 0; i < k.nb && !k.key[i].cut; i++)
        ;
    tap_ok(i < k.nb && k.key[i].t > d.frame[at - 1].t && k.key[i].t < d.frame[at].t,
           "its key lies between the two frames");
    ff_keytrack_free(&track);
    keys_free(&k);
    detections_free(&d);
}

static void test_cuts_found(void)
{
    Detections d;
    int nb = 0, at = -1;
    const TrackOptions o = { .scene = 0.4 };

    make(&d, walker, 10, 0, 4, 0, 200);
    for (int i = 150; i < d.nb; i++)
        for (int b = d.frame[i].first; b < d.frame[i].first + d.frame[i].nb; b++) {
            d.box[b].id += 20;
            d.box[b].x   = W - d.box[b].x;
        }
    cuts_find(&d, &o);
    for (int i = 0; i < d.nb; i++) {
        nb += d.frame[i].cut;
        at  = d.frame[i].cut ? i : at;
    }
    tap_ok(nb == 1 && at == 150, "all boxes and ids change at once: a cut, found in the frame");
    detections_free(&d);

    make(&d, walker, 10, 1, 4, 0.3, 200);
    cuts_find(&d, &o);
    for (int i = nb = 0; i < d.nb; i++)
        nb += d.frame[i].cut;
    tap_ok(!nb, "missed detections and variable times are no cuts");
    for (int i = 0; i < d.nb; i++)
        d.frame[i].scene = i == 99 ? 0.7 : 0.1;
    cuts_find(&d, &o);
    for (int i = nb = 0; i < d.nb; i++)
        nb += d.frame[i].cut;
    tap_ok(nb == 1 && d.frame[99].cut, "scene scores decide where there are any");
    detections_free(&d);
}

static double nearing(double t)
{
    return 960 + 0 * t;
}

static void test_zoom(void)
{
    TrackOptions o = defaults;
    TrackKeys k;
    KeyTrack *track;
    Detections d;
    double v[4], shape = 0, off = 0;
    Motion m;

    make(&d, nearing, 10, 0, 2, 0.05, 100);
    for (int i = 0; i < d.nb; i++)
        for (int b = d.frame[i].first; b < d.frame[i].first + d.frame[i].nb; b++) {
            if (d.box[b].id == 7) {
                d.box[b].h = 100 + 10 * d.frame[i].t;
                d.box[b].w = 0.4 * d.box[b].h;
            }
        }
    o.margin = 3;
    track = plan(&d, &o, &k);
    for (double t = 0; t < 9.9; t += 0.1) {
        ff_keytrack_eval(track, t, KEY_MONOTONE, 0, v);
        shape = fmax(shape, fabs(v[2] / v[3] - 9 / 16.));
        off   = fmax(off, fabs(log(v[3] / (3 * (100 + 10 * t)))));
    }
    m = measure(track, nearing, 0, 9.9);
    tap_ok(shape < 1e-3 && off < 0.2 && m.outside < 0.011,
           "margin 3: height within %.0f %% of three targets, shape 9:16, inside", 100 * off);
    ff_keytrack_free(&track);
    keys_free(&k);

    o        = defaults;
    o.zoom   = 2;
    o.aspect = 16 / 9.;
    track = plan(&d, &o, &k);
    ff_keytrack_eval(track, 5, KEY_MONOTONE, 0, v);
    tap_ok(v[2] == 960 && v[3] == 540, "zoom 2, 16:9: 960x540");
    ff_keytrack_free(&track);
    keys_free(&k);
    detections_free(&d);
}

/* ---- targets -------------------------------------------------------------------------- */

static int target_id(const Detections *d, const TrackOptions *o)
{
    Target t;
    const int ret = target_find(&t, d, o), id = ret ? -ret : t.piece[0].id;

    target_free(&t);
    return id;
}

static void test_targets(void)
{
    TrackOptions o = defaults;
    Detections d;

    make(&d, walker, 10, 0, 4, 0, 200);
    list_add(&d.labels, "ball");
    for (int i = 0; i < d.nb_boxes; i++)
        d.box[i].label = d.box[i].id == 3;
    tap_ok(target_id(&d, &o) == 7, "auto: the person");
    o.target = TARGET_LARGEST;
    tap_ok(target_id(&d, &o) == 7, "largest");
    o.target = TARGET_LABEL;
    o.label  = "ball";
    tap_ok(target_id(&d, &o) == 3, "label:ball");
    o.label  = "cow";
    tap_ok(target_id(&d, &o) == -FAIL_INPUT, "label:cow: there is none");
    o.target = TARGET_ID;
    o.id     = 3;
    tap_ok(target_id(&d, &o) == 3, "id:3");
    o.id     = 4;
    tap_ok(target_id(&d, &o) == -FAIL_INPUT, "id:4: there is none");
    o.target = TARGET_POINT;
    o.x      = 1750;
    o.y      = 200;
    o.at     = 5;
    tap_ok(target_id(&d, &o) == 3, "1750,200@5: who is there then");
    o.x      = 310;
    o.y      = 620;
    tap_ok(target_id(&d, &o) == -FAIL_INPUT, "310,620@5: nobody is there then");
    o.at     = NAN;
    tap_ok(target_id(&d, &o) == 7, "310,620: who is there in the beginning");
    detections_free(&d);

    make(&d, walker, 10, 0, 4, 0, 200);         // the rule: nearer to the middle wins over a little larger
    for (int i = 0; i < d.nb_boxes; i++)
        d.box[i].x = d.box[i].id == 7 ? 100 : 960, d.box[i].y = 540;
    o = defaults;
    tap_ok(target_id(&d, &o) == 3, "auto: the middle counts more than size");
    for (int i = 0; i < d.nb_boxes; i++)
        d.box[i].id = 0;
    detections_identify(&d);
    tap_ok(target_id(&d, &o) > 0, "boxes without ids are tracked here");
    detections_free(&d);
}

int main(void)
{
    av_lfg_init(&lfg, 11);
    say_level = -1;
    test_paths();
    test_ways();
    test_raw();
    test_rest();
    test_limits();
    test_cut();
    test_cuts_found();
    test_zoom();
    test_targets();
    return tap_done();
}
