/*
 * highlight: following boxes: steadiness, lag, identity, fades, garbage
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

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/detection_bbox.h"
#include "libavutil/frame.h"

#include "libavfilter/highlight_follow.h"
#include "tap.h"

typedef struct Box {
    double x, y, w, h;          ///< centre and size
    int    id;                  ///< -1: without
} Box;

static AVFrame *frame;

static AVDetectionBBox *bbox(int i)
{
    AVFrameSideData *sd = av_frame_get_side_data(frame, AV_FRAME_DATA_DETECTION_BBOXES);
    return av_get_detection_bbox((AVDetectionBBoxHeader *)sd->data, i);
}

static void put(const Box *box, int nb)
{
    av_frame_remove_side_data(frame, AV_FRAME_DATA_DETECTION_BBOXES);
    if (!av_detection_bbox_create_side_data(frame, nb))
        abort();
    for (int i = 0; i < nb; i++) {
        AVDetectionBBox *b = bbox(i);
        b->w = lrint(box[i].w);
        b->h = lrint(box[i].h);
        b->x = lrint(box[i].x - box[i].w / 2);
        b->y = lrint(box[i].y - box[i].h / 2);
        if (box[i].id >= 0) {
            b->classify_count = 2;
            strcpy(b->classify_labels[0], "person");
            snprintf(b->classify_labels[1], sizeof(b->classify_labels[1]), "id:%d", box[i].id);
        }
    }
}

static double follow(HighlightFollower *f, const Box *box, int nb, double t, double out[4])
{
    put(box, nb);
    return ff_highlight_follow(f, frame, t, out);
}

static HighlightFollower make(int64_t target)
{
    return (HighlightFollower) { .target = target, .grow = 1, .smooth = 1, .x0 = NAN, .y0 = NAN };
}

static double uniform(void)
{
    static unsigned seed = 1;
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) / 16777216.;
}

/* about normal, of deviation 1 */
static double noise(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform();
    return sum;
}

static int near(double a, double b, double eps)
{
    return fabs(a - b) <= eps;
}

/* ---- smoothing --------------------------------------------------------------- */

typedef struct Quality {
    double in, out;             ///< RMS of the error, pixels
    double step_in, step_out;   ///< RMS of the change of the error from frame to frame
    double lag;                 ///< mean error along the way, pixels
} Quality;

/* a box of 60x150 that is detected with an error of 3 pixels, at v pixels a second */
static Quality run(double smooth, double v, double fps, int value)
{
    HighlightFollower f = make(FOLLOW_LARGEST);
    const int nb = 4000, skip = 4 * fps;
    double last_in = 0, last_out = 0, out[4];
    Quality q = { 0 };

    f.smooth = smooth;
    for (int i = 0; i < nb; i++) {
        const double e[4] = { 3 * noise(), 3 * noise(), 3 * noise(), 3 * noise() };
        const double x = 500 + v * i / fps;
        const double want[4] = { x, 400, 30, 75 };
        const Box b = { x + e[0], 400 + e[1], 60 + 2 * e[2], 150 + 2 * e[3], -1 };
        double in, err;

        frame->width = 1000000;
        follow(&f, &b, 1, i / fps, out);
        in  = e[value];
        err = out[value] - want[value];
        if (i >= skip) {
            q.in       += in * in;
            q.out      += err * err;
            q.step_in  += (in - last_in) * (in - last_in);
            q.step_out += (err - last_out) * (err - last_out);
            q.lag      -= err;
        }
        last_in  = in;
        last_out = err;
    }
    frame->width = 1920;
    q.in       = sqrt(q.in / (nb - skip));
    q.out      = sqrt(q.out / (nb - skip));
    q.step_in  = sqrt(q.step_in / (nb - skip));
    q.step_out = sqrt(q.step_out / (nb - skip));
    q.lag     /= nb - skip;
    return q;
}

static void test_steady(void)
{
    static const char *const names[4] = { "x", "y", "rx", "ry" };
    Quality q, more;

    for (int i = 0; i < 4; i++) {
        q = run(1, 0, 30, i);
        tap_ok(q.out < 0.45 * q.in && q.step_out < 0.16 * q.step_in,
               "%s of a still target that is detected %.2f px off is %.2f px off, and moves %.2f px a frame, not %.2f",
               names[i], q.in, q.out, q.step_out, q.step_in);
    }
    more = run(4, 0, 30, 0);
    q    = run(1, 0, 30, 0);
    tap_ok(more.step_out < 0.6 * q.step_out, "smooth=4 is steadier: %.2f px a frame", more.step_out);
    q = run(0, 100, 30, 0);
    tap_ok(near(q.out, q.in, 0.3) && near(q.lag, 0, 0.05), "smooth=0 follows the box: %.2f px off, detected %.2f", q.out, q.in);
}

static void test_lag(void)
{
    /* half sizes 30 and 75: never more than 52.5 / (2 pi 0.8) */
    const double most = 52.5 / (2 * M_PI * 0.8);
    static const double speeds[] = { 30, 100, 300, 600, 1200 };

    for (int i = 0; i < sizeof(speeds) / sizeof(*speeds); i++)
        for (int fps = 25; fps <= 60; fps += 35) {
            const Quality q = run(1, speeds[i], fps, 0);
            tap_ok(q.lag > 0 && q.lag < most, "at %g px/s and %d fps it is %.1f px behind (< %.1f), moves off by %.2f px a frame (detected: %.2f)",
                   speeds[i], fps, q.lag, most, q.step_out, q.step_in);
        }
}

/* stands, then runs at once: how far behind, and for how long */
static void test_start(void)
{
    HighlightFollower f = make(FOLLOW_LARGEST);
    double worst = 0, worst_stop = 0, out[4];

    for (int i = 0; i < 240; i++) {
        const double x = 200 + 400 * (i < 60 ? 0 : i < 150 ? (i - 60) / 30. : 3);
        const Box b = { x, 400, 60, 150, -1 };
        double err;
        follow(&f, &b, 1, i / 30., out);
        err = fabs(x - out[0]);
        if (i < 150)
            worst = fmax(worst, err);
        else if (i > 150 + 15)
            worst_stop = fmax(worst_stop, err);
    }
    tap_ok(worst < 30, "from standing to 400 px/s at once: at most %.1f px behind, inside of the half width", worst);
    tap_ok(worst_stop < 3, "half a second after it stops: %.2f px off", worst_stop);
}

/* the same way seen at different and at changing frame rates */
static void test_vfr(void)
{
    double out[3][4], t, worst = 0;

    for (int round = 0; round < 3; round++) {
        HighlightFollower f = make(FOLLOW_LARGEST);
        for (t = 0; t < 4;) {
            const Box b = { 4000 + 1000 * sin(t), 4000 + 800 * cos(t), 600, 1500, -1 };
            frame->width = frame->height = 8000;
            follow(&f, &b, 1, t, out[round]);
            t += t > 3.5 ? 1 / 30. : round == 0 ? 1 / 30. : round == 1 ? 1 / 120. : uniform() / 15 + 1e-4;
        }
        /* at the same time at the end */
        {
            const Box b = { 4000 + 1000 * sin(4), 4000 + 800 * cos(4), 600, 1500, -1 };
            follow(&f, &b, 1, 4.03, out[round]);
        }
    }
    frame->width  = 1920;
    frame->height = 1080;
    for (int i = 0; i < 4; i++)
        worst = fmax(worst, fmax(fabs(out[1][i] - out[0][i]), fabs(out[2][i] - out[0][i])));
    tap_ok(worst < 6, "at 30, 120 and changing frame rates the same within %.2f px of a way of 1000", worst);
}

/* ---- targets ------------------------------------------------------------------ */

static void test_ids(void)
{
    static const Box two[2] = { { 300, 400, 60, 150, 7 }, { 900, 500, 60, 150, 12 } };
    HighlightFollower f = make(12);
    double out[4];

    tap_ok(follow(&f, two, 2, 0, out) == 1 && out[0] == 900 && out[1] == 500 && out[2] == 30 && out[3] == 75,
           "the box of the id: centre and half sizes");
    f = make(12);
    f.grow = 1.3;
    tap_ok(follow(&f, two, 2, 0, out) == 1 && near(out[2], 39, 1e-9) && near(out[3], 97.5, 1e-9), "grow");
    f = make(1);
    tap_ok(follow(&f, two, 2, 0, out) == 0, "no box of that id: nothing");

    f = make(12);
    put(two, 2);
    bbox(0)->classify_count = 1;                /* id in a slot that is not used */
    strcpy(bbox(0)->classify_labels[1], "id:12");
    bbox(1)->classify_count = 4;
    strcpy(bbox(1)->classify_labels[3], "id:12");
    tap_ok(ff_highlight_follow(&f, frame, 0, out) == 1 && out[0] == 900, "only the last used label counts");
}

static void test_bad_ids(void)
{
    static const char *const labels[] = { "id:", "id:x", "id:12x", "id: 12", "id:-12", "12", "Id:12", "id:12 ",
                                          "id:99999999999999999999999999", "" };
    static const Box one = { 300, 400, 60, 150, 12 };
    double out[4];
    int ok = 1;

    for (int i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
        HighlightFollower f = make(12);
        put(&one, 1);
        strcpy(bbox(0)->classify_labels[1], labels[i]);
        ok &= ff_highlight_follow(&f, frame, 0, out) == 0;
    }
    for (int i = 0; i < 3; i++) {
        static const uint32_t counts[] = { 0, 5, UINT32_MAX };
        HighlightFollower f = make(12);
        put(&one, 1);
        bbox(0)->classify_count = counts[i];
        ok &= ff_highlight_follow(&f, frame, 0, out) == 0;
    }
    tap_ok(ok, "labels that are no id and counts out of range are no target");
    {
        HighlightFollower f = make(0);
        put(&one, 1);
        memset(bbox(0)->classify_labels[1], '0', AV_DETECTION_BBOX_LABEL_NAME_MAX_SIZE);
        memcpy(bbox(0)->classify_labels[1], "id:", 3);
        strcpy(bbox(0)->classify_labels[2], "7");
        tap_ok(ff_highlight_follow(&f, frame, 0, out) == 1, "a label without an end is not read beyond its place");
    }
}

static void test_parse(void)
{
    static const char *const wrong[] = { "", "-1", "-2", "x", "id:3", "3x", " 3", "3.0", "9223372036854775808", "Nearest", "largest " };
    int ok = 1;

    for (int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (ff_highlight_follow_parse(wrong[i]) != INT64_MIN) {
            printf("# '%s' is taken for a target\n", wrong[i]);
            ok = 0;
        }
    tap_ok(ok && ff_highlight_follow_parse("nearest") == FOLLOW_NEAREST && ff_highlight_follow_parse("largest") == FOLLOW_LARGEST &&
           ff_highlight_follow_parse("0") == 0 && ff_highlight_follow_parse("12") == 12 &&
           ff_highlight_follow_parse("9223372036854775807") == INT64_MAX, "targets as text");
}

static void test_nearest(void)
{
    static const Box three[3] = { { 300, 400, 60, 150, -1 }, { 900, 500, 60, 150, -1 }, { 1700, 300, 90, 200, -1 } };
    HighlightFollower f = make(FOLLOW_NEAREST);
    double out[4];

    tap_ok(follow(&f, three, 3, 0, out) == 1 && out[0] == 900, "nearest: to the middle of the picture to begin with");
    f = make(FOLLOW_NEAREST);
    f.x0 = 1500;
    f.y0 = 100;
    tap_ok(follow(&f, three, 3, 0, out) == 1 && out[0] == 1700, "nearest: to the start point if there is one");
    /* gone, and later there is one near to where it was, one near to the start point */
    f.x0 = 0;
    follow(&f, NULL, 0, 0.1, out);
    follow(&f, NULL, 0, 5, out);
    tap_ok(follow(&f, three + 1, 2, 6, out) == 1 && out[0] == 1700, "nearest: after a loss, to where it was");
    tap_ok(follow(&f, three, 3, 0, out) == 1 && out[0] == 300, "a time that goes back starts anew, at the start point");
}

/* two runners that pass each other: at the meeting point the other one is nearer to where ours was */
static void test_crossing(void)
{
    static const int64_t targets[2] = { FOLLOW_NEAREST, FOLLOW_LARGEST };

    for (int k = 0; k < 2; k++) {
        HighlightFollower f = make(targets[k]);
        double out[4] = { 0 };
        f.x0 = 200;
        f.y0 = 400;
        for (int i = 0; i <= 90; i++) {
            const Box two[2] = { { 1500 - 13 * i + 2 * noise(), 405 + 2 * noise(), 58, 148, -1 },
                                 { 200 + 12 * i + 2 * noise(), 400 + 2 * noise(), 60, 150, -1 } };
            follow(&f, two, 2, i / 30., out);
        }
        tap_ok(near(out[0], 200 + 12 * 90, 25), "%s keeps its runner when two cross (at %.0f; the other at 330)",
               k ? "largest" : "nearest", out[0]);
    }
}

static void test_largest(void)
{
    HighlightFollower f = make(FOLLOW_LARGEST);
    double out[4];
    int switches = 0;
    Box one;

    /* areas that differ by their noise alone */
    for (int i = 0; i < 900; i++) {
        const Box two[2] = { { 500 + 2 * noise(), 400, 60 + 3 * noise(), 150, -1 }, { 1200 + 2 * noise(), 400, 60 + 3 * noise(), 150, -1 } };
        static double last;
        follow(&f, two, 2, i / 30., out);
        switches += i && fabs(out[0] - last) > 50;
        last = out[0];
    }
    tap_ok(!switches, "largest: no change between two of the same size in 30 s (%d)", switches);
    f.hold = 0.5;
    one = (Box) { out[0] < 800 ? 1200 : 500, 400, 60, 150, -1 };
    f.fade_in = f.fade_out = 0;
    tap_ok(follow(&f, &one, 1, 30.2, out) == 1 && fabs(out[0] - one.x) > 600, "a missed detection is bridged, not taken for a change");
    tap_ok(follow(&f, &one, 1, 30.6, out) == 1 && out[0] == one.x, "after the hold the other one is taken");
    f = make(FOLLOW_LARGEST);
    {
        static const Box three[3] = { { 300, 400, 60, 150, -1 }, { 900, 500, 70, 150, -1 }, { 1700, 300, 69, 150, -1 } };
        tap_ok(follow(&f, three, 3, 0, out) == 1 && out[0] == 900, "largest: the largest to begin with");
    }
}

/* ---- hold and fade --------------------------------------------------------------- */

static void test_fades(void)
{
    static const Box one = { 300, 400, 60, 150, -1 };
    HighlightFollower f = make(FOLLOW_LARGEST);
    double out[4];

    f.hold = 0.4;
    f.fade_in = f.fade_out = 0.2;
    tap_ok(follow(&f, NULL, 0, 0, out) == 0, "nothing before there is a target");
    tap_ok(follow(&f, &one, 1, 1, out) == 0 && near(follow(&f, &one, 1, 1.05, out), 0.25, 1e-9) &&
           near(follow(&f, &one, 1, 1.13, out), 0.65, 1e-9) && follow(&f, &one, 1, 1.5, out) == 1, "fades in by time");
    tap_ok(follow(&f, NULL, 0, 1.6, out) == 1 && follow(&f, NULL, 0, 1.85, out) == 1 && out[0] == 300, "is held where it was");
    tap_ok(near(follow(&f, NULL, 0, 1.95, out), 0.75, 1e-9) && near(follow(&f, NULL, 0, 2.0, out), 0.5, 1e-9) && out[0] == 300,
           "then fades out, from the end of the hold, not from the first frame after it");
    tap_ok(near(follow(&f, &one, 1, 2.02, out), 0.6, 1e-9), "is found while it fades: fades in from there");
    follow(&f, &one, 1, 3, out);
    tap_ok(follow(&f, NULL, 0, 3.61, out) == 0, "one long frame: gone");
    {
        static const Box far = { 1500, 800, 60, 150, -1 };
        double a = follow(&f, &far, 1, 4, out), b = follow(&f, &far, 1, 4.1, out);
        tap_ok(a == 0 && near(b, 0.5, 1e-9) && out[0] == 1500, "found elsewhere: fades in there, without a way from here to there");
    }
    f = make(FOLLOW_LARGEST);
    tap_ok(follow(&f, &one, 1, 0, out) == 1 && follow(&f, NULL, 0, 1 / 30., out) == 0 && follow(&f, &one, 1, 0.1, out) == 1,
           "hold=0, fade=0: there and gone at once");
    f.hold = 1;
    tap_ok(follow(&f, NULL, 0, 1.1, out) == 1 && follow(&f, NULL, 0, 1.2, out) == 0, "hold alone");
    ff_highlight_follow_reset(&f);
    tap_ok(!f.found && f.hold == 1 && follow(&f, NULL, 0, 1.2, out) == 0, "a reset forgets the target and keeps the settings");
}

/* ---- garbage ------------------------------------------------------------------- */

static int sane(double visible, const double out[4])
{
    if (!(visible >= 0 && visible <= 1))
        return 0;
    for (int i = 0; i < 4 && visible > 0; i++)
        if (isnan(out[i]) || (i >= 2 && out[i] < 0))
            return 0;
    return 1;
}

static void test_garbage(void)
{
    static const int odd[] = { INT_MIN, INT_MIN + 1, -100000, -151, -1, 0, 1, 150, 1919, 1920, INT_MAX / 2, INT_MAX - 1, INT_MAX };
    static const Box two[2] = { { 300, 400, 60, 150, 3 }, { 900, 500, 60, 150, -1 } };
    static const int bad[][4] = { { 10, 10, 0, 50 }, { 10, 10, 50, 0 }, { 10, 10, -50, 50 }, { 10, 10, INT_MIN, INT_MIN },
                                  { 1920, 10, 50, 50 }, { 10, 1080, 50, 50 }, { -50, 10, 50, 50 }, { 10, -50, 50, 50 },
                                  { INT_MAX, INT_MAX, INT_MAX, INT_MAX } };
    double out[4];
    int ok = 1;

    for (int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        HighlightFollower f = make(FOLLOW_NEAREST);
        put(two, 2);
        for (int j = 0; j < 2; j++) {
            bbox(j)->x = bad[i][0];
            bbox(j)->y = bad[i][1];
            bbox(j)->w = bad[i][2];
            bbox(j)->h = bad[i][3];
        }
        ok &= ff_highlight_follow(&f, frame, 0, out) == 0;
    }
    tap_ok(ok, "boxes without a size and beside the picture are no target");
    ok = 1;
    for (int k = -2; k < 4; k++) {
        HighlightFollower f = make(k);
        f.hold = k & 1;
        f.fade_in = f.fade_out = 0.3;
        for (int i = 0; i < 20000; i++) {
            put(two, 2);
            for (int j = 0; j < 2; j++) {
                int *const v[4] = { &bbox(j)->x, &bbox(j)->y, &bbox(j)->w, &bbox(j)->h };
                for (int n = 0; n < 4; n++)
                    if (uniform() < 0.3)
                        *v[n] = odd[(int)(uniform() * sizeof(odd) / sizeof(*odd))];
            }
            ok &= sane(ff_highlight_follow(&f, frame, i / 100. + (i % 7 ? 0 : 0.01), out), out);
        }
    }
    tap_ok(ok, "any boxes: never a NAN, never a negative radius");
}

static void test_settings(void)
{
    static const double odd[] = { NAN, INFINITY, -INFINITY, -1, 0, 1e-320, 1e-300, 1, 1e300 };
    static const double times[] = { 0, 0, 1e-320, 1e-300, 0.04, NAN, 0.04, INFINITY, 0.08, 1e300, -1e300, -INFINITY, 0, 1e9, 1e9 };
    const int nb = sizeof(odd) / sizeof(*odd);
    static const Box two[2] = { { 300, 400, 60, 150, 3 }, { 901, 503, 62, 151, -1 } };
    double out[4];
    int ok = 1;

    for (int i = 0; i < nb * nb * 7; i++)
        for (int k = -2; k < 4; k += 5 - 4 * (k < -1)) {
            HighlightFollower f = make(k);
            double *const set[7] = { &f.grow, &f.hold, &f.fade_in, &f.fade_out, &f.smooth, &f.x0, &f.y0 };
            *set[i % 7] = odd[i / 7 % nb];
            *set[(i + 1 + i / 63) % 7] = odd[i / 63];
            for (int j = 0; j < sizeof(times) / sizeof(*times); j++)
                ok &= sane(follow(&f, two + j % 2, 1 + (j % 3 == 0 && !(j % 2)), times[j], out), out);
        }
    tap_ok(ok, "any settings and times: never a NAN");
}

static void test_times(void)
{
    HighlightFollower f = make(FOLLOW_LARGEST);
    double out[4];
    int ok = 1;

    for (int i = 0; i < 5; i++) {
        const Box b = { 300 + 20 * i, 400, 60, 150, -1 };
        ok &= follow(&f, &b, 1, i == 3 ? NAN : i * 0.04, out) == 1 && near(out[0], b.x, 45) && (!i || out[0] < b.x);
    }
    tap_ok(ok, "a frame without a time neither loses the target nor ends the smoothing (at %g of 380)", out[0]);
    for (int i = 0; i < 3; i++) {
        const Box b = { 400 + 20 * i, 400, 60, 150, -1 };
        ok &= follow(&f, &b, 1, (i + 1) * 1e307, out) == 1 && near(out[0], b.x, 1);
    }
    tap_ok(ok, "nor does a leap to the end of time");
}

static void test_headers(void)
{
    static const Box one = { 300, 400, 60, 150, -1 };
    static const struct { size_t offset, size; uint32_t nb; } bad[] = {
        { SIZE_MAX, sizeof(AVDetectionBBox), 1 }, { 1 << 20, sizeof(AVDetectionBBox), 1 },
        { sizeof(AVDetectionBBoxHeader), 0, 1 }, { sizeof(AVDetectionBBoxHeader), 16, 1 },
        { sizeof(AVDetectionBBoxHeader), SIZE_MAX & ~7, 1 }, { sizeof(AVDetectionBBoxHeader), sizeof(AVDetectionBBox), UINT32_MAX },
        { sizeof(AVDetectionBBoxHeader), sizeof(AVDetectionBBox), 2 }, { sizeof(AVDetectionBBoxHeader), sizeof(AVDetectionBBox), 0 },
        { sizeof(AVDetectionBBoxHeader) + 1, sizeof(AVDetectionBBox), 1 },
    };
    HighlightFollower f;
    double out[4];
    int ok = 1;

    for (int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AVDetectionBBoxHeader *h;
        put(&one, 1);
        h = (AVDetectionBBoxHeader *)av_frame_get_side_data(frame, AV_FRAME_DATA_DETECTION_BBOXES)->data;
        h->bboxes_offset = bad[i].offset;
        h->bbox_size     = bad[i].size;
        h->nb_bboxes     = bad[i].nb;
        f = make(FOLLOW_LARGEST);
        ok &= ff_highlight_follow(&f, frame, 0, out) == 0;
    }
    av_frame_remove_side_data(frame, AV_FRAME_DATA_DETECTION_BBOXES);
    av_frame_new_side_data(frame, AV_FRAME_DATA_DETECTION_BBOXES, 8);
    f = make(FOLLOW_LARGEST);
    ok &= ff_highlight_follow(&f, frame, 0, out) == 0;
    av_frame_remove_side_data(frame, AV_FRAME_DATA_DETECTION_BBOXES);
    ok &= ff_highlight_follow(&f, frame, 0, out) == 0;
    tap_ok(ok, "side data that is cut off, empty, missing or wrong about its sizes is no target");
}

int main(void)
{
    if (!(frame = av_frame_alloc()))
        return 1;
    frame->width  = 1920;
    frame->height = 1080;
    test_steady();
    test_lag();
    test_start();
    test_vfr();
    test_ids();
    test_bad_ids();
    test_parse();
    test_nearest();
    test_crossing();
    test_largest();
    test_fades();
    test_garbage();
    test_settings();
    test_times();
    test_headers();
    av_frame_free(&frame);
    return tap_done();
}
