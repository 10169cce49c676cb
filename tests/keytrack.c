/*
 * Keyframes: kinds against their formulas, parsing, errors
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
#include <stdlib.h>
#include <string.h>

#include "libavutil/avutil.h"
#include "libavutil/error.h"
#include "libavutil/log.h"

#include "libavfilter/keytrack.h"
#include "config.h"
#include "tap.h"

static const KeyVal vals[] = {
    { "x", NULL,     -1e6, 1e6, .follows = 2 },
    { "y", NULL,     -1e6, 1e6, .follows = 3 },
    { "w", "width",  1e-3, 1e6, .positive = 1, .follows = -1 },
    { "h", "height", 1e-3, 1e6, .positive = 1, .follows = -1 },
    { "rotation", "rotate", -360, 360, .follows = -1, .def = NAN },
};
static const KeySpec spec = { vals, 5, 4 };

/* with all that a value can be */
static const KeyVal more_vals[] = {
    { "x", NULL,              -1e6, 1e6, .follows = -1 },
    { "r", "radius,radius_x",    0, 1e6, .follows = -1 },
    { "fill", "fillOpacity,fill_opacity", 0, 1, .follows = -1, .def = NAN },
    { "layer", NULL,             0, 9,   .follows = -1, .def = 2, .step = 1 },
    { "color", "colour",  -1, 0xffffff,  .follows = -1, .def = NAN, .step = 1, .color = 1 },
};
static const KeySpec more = { more_vals, 5, 2 };

static char message[4096];

static void keep_message(void *p, int level, const char *fmt, va_list ap)
{
    const size_t n = strlen(message);
    vsnprintf(message + n, sizeof(message) - n, fmt, ap);
}

static KeyTrack *parse_as(const KeySpec *s, const char *text, int *err)
{
    message[0] = 0;
    return ff_keytrack_parse(s, text, "keys", NULL, err);
}

static KeyTrack *parse(const char *text, int *err)
{
    return parse_as(&spec, text, err);
}

static double x_at(const KeyTrack *k, double t, enum KeyKind kind)
{
    double v[KEY_MAX_VALS];
    ff_keytrack_eval(k, t, kind, 0, v);
    return v[0];
}

static int near(double a, double b, double eps)
{
    return fabs(a - b) <= eps;
}

static void test_kinds(void)
{
    int err;
    KeyTrack *k = parse("1 10 0 5 5|2 30 0 5 5|4 20 0 5 5|5 100 0 5 5", &err);
    int exact = 1, held = 1;

    if (!tap_ok(!!k && k->nb == 4, "four keys are read"))
        return;
    for (int kind = 0; kind < KEY_KINDS; kind++) {
        for (int i = 0; i < 4; i++)
            exact &= x_at(k, k->time[i], kind) == k->val[i * 5];
        held &= x_at(k, -3, kind) == 10 && x_at(k, 0.999, kind) == 10 &&
                x_at(k, 5.001, kind) == 100 && x_at(k, 1e8, kind) == 100;
    }
    tap_ok(exact, "a key's time returns its value exactly, in all kinds");
    tap_ok(held, "values hold before the first and after the last key");
    tap_ok(x_at(k, 1.999, KEY_HOLD) == 10 && x_at(k, 3.9, KEY_HOLD) == 30, "hold stays until the next key");
    tap_ok(near(x_at(k, 1.25, KEY_LINEAR), 15, 1e-12) && near(x_at(k, 3.5, KEY_LINEAR), 22.5, 1e-12), "linear");
    /* 10 + 20 * 0.25^2 * 2.5 and 30 - 10 * 0.84375 */
    tap_ok(near(x_at(k, 1.25, KEY_EASE), 13.125, 1e-12) && near(x_at(k, 3.5, KEY_EASE), 21.5625, 1e-12), "ease");
    /* half way: (9 (v1 + v2) - v0 - v3) / 16; over 10,10,30,20 and 10,30,20,100 */
    tap_ok(near(x_at(k, 1.5, KEY_CATMULL), (-10 + 9 * 10 + 9 * 30 - 20) / 16., 1e-12), "catmull, first span, end doubled");
    tap_ok(near(x_at(k, 3, KEY_CATMULL), (-10 + 9 * 30 + 9 * 20 - 100) / 16., 1e-12), "catmull, middle span, uniform over unequal times");
    tap_ok(near(x_at(k, 2.5, KEY_CATMULL), 0.5 * (60 + 10 * .25 + (20 - 150 + 80 - 100) * .0625 + (90 - 10 - 60 + 100) * .015625), 1e-12),
           "catmull at a quarter");
    ff_keytrack_free(&k);
}

static void test_monotone(void)
{
    /* SciPy 1.17.1 PchipInterpolator([0,1,3,4,6],[0,1,1.5,4,4]) at 0.5, 2, 3.25, 3.9, 5 */
    static const double at[]   = { 0.5, 2, 3.25, 3.9, 5 };
    static const double want[] = { 0.6026785714285714, 1.2321428571428572, 1.9609375, 3.9345, 4 };
    double prev = -1;
    int err, ok = 1, rising = 1;
    KeyTrack *k = parse("0 0 0 1 1|1 1 0 1 1|3 1.5 0 1 1|4 4 0 1 1|6 4 0 1 1", &err);

    if (!tap_ok(!!k, "keys for monotone"))
        return;
    for (int i = 0; i < 5; i++) {
        const double x = x_at(k, at[i], KEY_MONOTONE);
        if (!near(x, want[i], 1e-9)) {
            printf("# monotone at %g: %.16g, expected %.16g\n", at[i], x, want[i]);
            ok = 0;
        }
    }
    tap_ok(ok, "monotone equals PCHIP (SciPy) at five times");
    for (int i = 0; i <= 6000; i++) {
        const double x = x_at(k, i / 1000., KEY_MONOTONE);
        rising &= x >= prev && x >= 0 && x <= 4;
        prev = x;
    }
    tap_ok(rising, "monotone never falls nor overshoots on rising keys");
    ff_keytrack_free(&k);
}

static void test_overshoot(void)
{
    int err, inside = 1, over = 0;
    unsigned seed = 7;
    char text[4096] = "";
    KeyTrack *k;

    for (int i = 0; i < 60; i++) {
        seed = seed * 1664525 + 1013904223;
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d.%d %u 0 5 5|", i, seed >> 29, seed >> 22);
    }
    if (!tap_ok(!!(k = parse(text, &err)), "sixty keys at uneven times"))
        return;
    for (int i = 0; i + 1 < k->nb; i++)
        for (int j = 0; j <= 20; j++) {
            const double a = k->val[i * 5], b = k->val[i * 5 + 5];
            const double t = k->time[i] + (k->time[i + 1] - k->time[i]) * j / 20;
            const double m = x_at(k, t, KEY_MONOTONE), c = x_at(k, t, KEY_CATMULL);
            inside &= m >= fmin(a, b) && m <= fmax(a, b);
            over   |= c < fmin(a, b) - 1 || c > fmax(a, b) + 1;
        }
    tap_ok(inside, "monotone stays between neighbouring keys at random");
    tap_ok(over, "catmull does overshoot there, so the check means something");
    ff_keytrack_free(&k);
}

static void test_per_key(void)
{
    int err;
    KeyTrack *k = parse("0,0,0,5,5,hold; 1,10,0,5,5,ease\n2,20,0,5,5; 3 40 0 5 5 jump; 4 60 0 5 5 jump linear", &err);

    if (!tap_ok(!!k && k->nb == 5, "commas, blanks, ';' and new lines separate"))
        return;
    tap_ok(x_at(k, 0.9, KEY_LINEAR) == 0, "a key's own hold");
    tap_ok(near(x_at(k, 1.25, KEY_LINEAR), 11.5625, 1e-12), "a key's own ease");
    tap_ok(x_at(k, 2.9, KEY_LINEAR) == 20 && x_at(k, 3, KEY_LINEAR) == 40, "jump: the key before holds until it");
    tap_ok(x_at(k, 3.5, KEY_CATMULL) == 40, "jump after jump");
    ff_keytrack_free(&k);

    k = parse("0 0 0 5 5|1 10 0 5 5|2 500 0 5 5 jump|3 510 0 5 5", &err);
    tap_ok(k && near(x_at(k, 0.5, KEY_CATMULL), 5, 1e-12) && near(x_at(k, 2.5, KEY_CATMULL), 505, 1e-12),
           "catmull does not look across a jump");
    tap_ok(k && near(x_at(k, 0.5, KEY_MONOTONE), 5, 1e-12) && near(x_at(k, 2.5, KEY_MONOTONE), 505, 1e-12),
           "monotone does not look across a jump");
    if (k)
        ff_keytrack_free(&k);
}

static void test_log(void)
{
    double a[KEY_MAX_VALS], b[KEY_MAX_VALS];
    int err, fixed = 1, speed = 1, shape = 1;
    /* a zoom from 400x200 to 100x50 about (200, 100) */
    KeyTrack *k = parse("0 0 0 400 200|2 150 75 100 50", &err);

    if (!tap_ok(!!k, "keys of a zoom"))
        return;
    for (int kind = KEY_LINEAR; kind < KEY_KINDS; kind++)
        for (int i = 0; i < 20; i++) {
            ff_keytrack_eval(k, i / 10., kind, 1, a);
            ff_keytrack_eval(k, (i + 1) / 10., kind, 1, b);
            fixed &= near(a[0] + a[2] / 2, 200, 1e-9) && near(a[1] + a[3] / 2, 100, 1e-9);
            shape &= near(a[2], 2 * a[3], 1e-9);
            if (kind == KEY_LINEAR)
                speed &= near(b[2] / a[2], pow(0.25, 1 / 20.), 1e-12);
        }
    tap_ok(fixed, "log: the middle of a zoom stays, in all kinds");
    tap_ok(shape, "log: the shape stays");
    tap_ok(speed, "log: linear zooms by the same factor in each step");
    ff_keytrack_free(&k);
}

/* values that keys do not give, until the evaluation is told some */
static void test_missing(void)
{
    double a[KEY_MAX_VALS], b[KEY_MAX_VALS];
    int err;
    KeyTrack *k = parse("0 0 0 5 5|1 0 0 5 5 rotation=8", &err);

    if (!tap_ok(!!k, "a key without and a key with a rotation"))
        return;
    ff_keytrack_eval(k, 0, KEY_LINEAR, 0, a);
    tap_ok(isnan(a[4]), "what is missing is NAN");
    k->missing = 4;
    ff_keytrack_eval(k, 0, KEY_LINEAR, 0, a);
    ff_keytrack_eval(k, 0.5, KEY_LINEAR, 0, b);
    tap_ok(a[4] == 4 && b[4] == 6, "or as told, at the key and on the way: %g, %g", a[4], b[4]);
    ff_keytrack_free(&k);
}

static void test_aliases(void)
{
    static const char *const names[] = { "fill", "fillOpacity", "fill_opacity" };
    static const char *const wrong[] = { "fil", "fillOpacit", "fill_opacity,", "fillOpacity,fill_opacity", "Fill", "" };
    char text[100];
    int err, ok = 1;

    for (int i = 0; i < 3; i++) {
        KeyTrack *k;
        snprintf(text, sizeof(text), "0 1 2 %s=0.5", names[i]);
        k = parse_as(&more, text, &err);
        ok &= k && k->val[2] == 0.5 && k->val[3] == 2 && isnan(k->val[4]);
        ff_keytrack_free(&k);
    }
    tap_ok(ok, "a value by each of its names");
    for (int i = 0; i < 6; i++) {
        KeyTrack *k;
        snprintf(text, sizeof(text), "0 1 2 %s=0.5", wrong[i]);
        k = parse_as(&more, text, &err);
        ok &= !k && strstr(message, "key 1");
        ff_keytrack_free(&k);
    }
    tap_ok(ok, "and by nothing like them");
}

static void test_step(void)
{
    double v[KEY_MAX_VALS];
    int err, held = 1, moved = 1;
    KeyTrack *k = parse_as(&more, "0 0 1 layer=1 color=#ff0000|1 9 1 layer=7 color=none|2 20 1 layer=3 color=blue", &err);

    if (!tap_ok(!!k, "keys with steps"))
        return;
    for (int kind = KEY_LINEAR; kind < KEY_KINDS; kind++) {
        for (int i = -5; i < 30; i++) {
            const int at = i < 10 ? 0 : i < 20 ? 1 : 2;
            ff_keytrack_eval(k, i / 10., kind, 0, v);
            held &= v[3] == k->val[at * 5 + 3] && v[4] == k->val[at * 5 + 4];
        }
        moved &= x_at(k, 0.5, kind) > 1;
    }
    tap_ok(held && moved, "a step stays until the next key while the other values move, in all kinds");
    ff_keytrack_free(&k);
}

/* keys 0, 1 and 3 have a fill, 2 has none */
static void test_gaps(void)
{
    int err, ok = 1;
    KeyTrack *k = parse_as(&more, "0 0 1 fill=0.2|1 0 1 fill=0.6|2 0 1|3 0 1 fill=1|4 0 1 fill=0.8", &err);

    if (!tap_ok(!!k, "keys of which one does not give a value"))
        return;
    for (int kind = KEY_LINEAR; kind < KEY_KINDS; kind++) {
        double v[5][KEY_MAX_VALS];
        for (int i = 0; i < 5; i++)
            ff_keytrack_eval(k, i + 0.5, kind, 0, v[i]);
        /* as between two keys: no end of it bends the curve */
        ok &= near(v[0][2], 0.4, 1e-12) && v[1][2] == 0.6 && isnan(v[2][2]) && near(v[3][2], 0.9, 1e-12) && v[4][2] == 0.8;
    }
    tap_ok(ok, "it is that of the key before, next to the gap, and moves elsewhere, in all kinds");
    ff_keytrack_free(&k);
}

static void test_colors(void)
{
    static const struct { const char *text; double want; } good[] = {
        { "#ff8000", 0xff8000 }, { "FF8000", 0xff8000 }, { "0xFf8000", 0xff8000 }, { "#000000", 0 }, { "ffffff", 0xffffff },
        { "red", 0xff0000 }, { "Yellow", 0xffff00 }, { "LightGoldenRodYellow", 0xfafad2 }, { "none", -1 }, { "None", -1 },
    };
    static const char *const wrong[] = { "", "#", "#fff", "#ff80001", "ff800", "#ff8000ff", "red@0.5", "random", "bikeshed",
                                         "nonee", "re", "redd", "0x", "#gg0000", "# f8000", "-f8000", "1" };
    int ok = 1;

    for (int i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (ff_keytrack_color(good[i].text, strlen(good[i].text)) != good[i].want) {
            printf("# %s\n", good[i].text);
            ok = 0;
        }
    tap_ok(ok, "colours by number and by name");
    ok = 1;
    for (int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (!isnan(ff_keytrack_color(wrong[i], strlen(wrong[i])))) {
            printf("# '%s' is taken for a colour\n", wrong[i]);
            ok = 0;
        }
    tap_ok(ok && ff_keytrack_color("redder", 3) == 0xff0000, "what is no colour is refused");
}

static void test_times(void)
{
    static const struct { const char *text; double want; } good[] = {
        { "1.5", 1.5 }, { "1500ms", 1.5 }, { "1.5s", 1.5 }, { "00:01:02.5", 62.5 }, { "01:02.5", 62.5 },
        { "1.001", 1.001 }, { "-2", -2 }, { "-00:00:02", -2 }, { "100:00:00", 360000 }, { "1e1", 10 },
    };
    static const char *const wrong[] = { "", "x", "1.5x", "1:60", "1:2:3:4", "nan", "inf", "0x10", "1:", ":1", "1.5:2", "1e400", "ms", "--1", "1:-2" };
    int ok = 1;

    for (int i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (ff_keytrack_time(good[i].text, strlen(good[i].text)) != good[i].want) {
            printf("# %s\n", good[i].text);
            ok = 0;
        }
    tap_ok(ok, "times in seconds, ms and hh:mm:ss");
    ok = 1;
    for (int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (!isnan(ff_keytrack_time(wrong[i], strlen(wrong[i])))) {
            printf("# '%s' is taken for a time\n", wrong[i]);
            ok = 0;
        }
    tap_ok(ok, "what is no time is refused");
}

static void refuse_as(const KeySpec *s, const char *text, const char *says)
{
    int err = 0;
    KeyTrack *k = parse_as(s, text, &err);

    tap_ok(!k && err == AVERROR(EINVAL) && strstr(message, says), "'%s' is refused: %.*s", text,
           (int)strcspn(message, "\n"), message);
    ff_keytrack_free(&k);
}

static void refuse(const char *text, const char *says)
{
    refuse_as(&spec, text, says);
}

static void test_errors(void)
{
    refuse("", "no key");
    refuse(" | ; ", "no key");
    refuse("0 1 2 3", "key 1");
    refuse("0 1 2 3 4|1 1 2 x 4", "key 2");
    refuse("0 1 2 3 4|1 1 2 0 4", "key 2: w");
    refuse("0 1 2 3 4|1 1 2 3 -4", "key 2: h");
    refuse("0 1 2 nan 4", "key 1");
    refuse("0 1 2 inf 4", "key 1");
    refuse("0 1e300 2 3 4", "key 1: x");
    refuse("0 1 2 3 1e7", "key 1: h");
    refuse("0 1 2 3 4|1 1 2 1e-9 4", "key 2: w is 1e-09, outside of 0.001");
    refuse("0 1,,2 3 4", "key 1");
    refuse("0 1 2 3 4 bounce", "bounce");
    refuse("0 1 2 3 4 spin=3", "spin");
    refuse("0 1 2 3 4 rotation=x", "rotation");
    refuse("0 1 2 3 4 rotation=999", "key 1: rotation");
    refuse("0 1 2 3 4|2 1 2 3 4|1 1 2 3 4", "key 3");
    refuse("0 1 2 3 4|2 1 2 3 4|2 1 2 3 4", "key 3");
    refuse("1e99 1 2 3 4", "key 1");
    refuse_as(&more, "0 1 -2", "key 1: r is -2");
    refuse_as(&more, "0 1 2|1 1 2 color=rod", "key 2: 'color=rod' is not name=colour");
    refuse_as(&more, "0 1 2 color=", "key 1: 'color='");
    refuse_as(&more, "0 1 2 fill=red", "key 1: 'fill=red' is not name=number");
    refuse_as(&more, "0 1 2 radius=3", "'radius' is not the name");
}

static void test_many(void)
{
    const int nb = 10000;
    char *text = malloc(nb * 32), *p = text;
    int err, ok = 1;
    KeyTrack *k;

    for (int i = 0; i < nb; i++)
        p += sprintf(p, "%d.5,%d,0,5,5|", i, i * 3 % 1000);
    k = parse(text, &err);
    free(text);
    if (!tap_ok(k && k->nb == nb, "%d keys are read", nb))
        return;
    for (int i = 0; i + 1 < nb; i++) {
        const double a = i * 3 % 1000, b = (i + 1) * 3 % 1000;
        ok &= x_at(k, i + 0.5, KEY_LINEAR) == a && near(x_at(k, i + 0.75, KEY_LINEAR), a + (b - a) / 4, 1e-9);
    }
    tap_ok(ok, "each of %d keys is found", nb);
    ff_keytrack_free(&k);
}

#if CONFIG_JANSSON
static KeyTrack *load_as(const KeySpec *s, const char *json, int *err)
{
    const char *dir = getenv("TMP") ? getenv("TMP") : "/tmp";
    char path[1024];
    KeyTrack *k;
    FILE *f;

    snprintf(path, sizeof(path), "%s/keytrack-test-%d.json", dir, (int)(strlen(json) * 7919 % 100003));
    if (!(f = fopen(path, "wb")))
        return NULL;
    fputs(json, f);
    fclose(f);
    message[0] = 0;
    k = ff_keytrack_load(s, path, NULL, err);
    remove(path);
    return k;
}

static KeyTrack *load(const char *json, int *err)
{
    return load_as(&spec, json, err);
}

static void refuse_json_as(const KeySpec *s, const char *json, const char *says)
{
    int err = 0;
    KeyTrack *k = load_as(s, json, &err);

    tap_ok(!k && err == AVERROR_INVALIDDATA && strstr(message, says), "JSON %s is refused (%s)", json, says);
    ff_keytrack_free(&k);
}

static void refuse_json(const char *json, const char *says)
{
    refuse_json_as(&spec, json, says);
}

static void test_json_values(void)
{
    int err;
    KeyTrack *k = load_as(&more, "[{\"time\":0,\"x\":1,\"radius_x\":2,\"fill_opacity\":0.5,\"color\":\"#FFEB3B\"},"
                                 "{\"time\":1,\"x\":1,\"r\":3,\"radius\":9,\"fill\":null,\"layer\":4,\"colour\":null},"
                                 "{\"time\":2,\"x\":1,\"radius\":4,\"color\":\"none\"}]", &err);

    tap_ok(k && k->val[1] == 2 && k->val[6] == 3 && k->val[11] == 4, "JSON: a value by each of its names, name first");
    tap_ok(k && k->val[2] == 0.5 && isnan(k->val[7]) && isnan(k->val[12]) && k->val[8] == 4 && k->val[13] == 2,
           "JSON: null and nothing are not given");
    tap_ok(k && k->val[4] == 0xffeb3b && k->val[9] == -1 && k->val[14] == -1, "JSON: colours, \"none\", null");
    ff_keytrack_free(&k);
    k = load_as(&more, "\xef\xbb\xbf[{\"time\":0,\"x\":1,\"r\":2}]", &err);
    tap_ok(k && isnan(k->val[4]), "JSON: after a byte order mark; no colour is not given");
    ff_keytrack_free(&k);
    refuse_json_as(&more, "[{\"time\":0,\"x\":1}]", "key 1: \"radius\" is missing");
    refuse_json_as(&more, "[{\"time\":0,\"x\":1,\"r\":null}]", "key 1: \"r\" is not a number");
    refuse_json_as(&more, "[{\"time\":0,\"x\":1,\"r\":2,\"color\":\"redd\"}]", "key 1: \"color\" is not a colour (");
    refuse_json_as(&more, "[{\"time\":0,\"x\":1,\"r\":2,\"color\":16711680}]", "key 1: \"color\" is not a colour (");
    refuse_json_as(&more, "[{\"time\":0,\"x\":1,\"r\":2,\"fill\":\"0.5\"}]", "key 1: \"fill\" is not a number");
}

static void test_json(void)
{
    int err;
    KeyTrack *k = load("[{\"time\":0,\"x\":400,\"y\":0,\"width\":540,\"height\":960},"
                       "{\"time\":\"1500ms\",\"x\":500.5,\"y\":1,\"width\":540,\"height\":960,\"id\":\"a\",\"kind\":\"hold\"},"
                       "{\"time\":\"00:00:02.5\",\"x\":7,\"y\":1,\"w\":10,\"h\":20,\"rotation\":3,\"cut\":true}]", &err);

    tap_ok(k && k->nb == 3 && k->time[1] == 1.5 && k->time[2] == 2.5 && k->val[0] == 400 && k->val[5] == 500.5 &&
           k->val[2] == 540 && k->val[13] == 20 && k->val[14] == 3 && isnan(k->val[4]), "the old pipeline's form");
    tap_ok(k && k->kind[0] == KEY_DEFAULT && k->kind[1] == KEY_HOLD && k->jump[2] && !k->jump[1], "kind and cut");
    ff_keytrack_free(&k);
    k = load("{\"fps\":30,\"keyframes\":[{\"time\":2,\"x\":1,\"y\":0,\"width\":5,\"height\":9},"
             "{\"time\":1,\"x\":0,\"y\":0,\"width\":5,\"height\":9}]}", &err);
    tap_ok(k && k->nb == 2 && k->time[0] == 1 && strstr(message, "order"), "under keyframes; sorted, with a warning");
    ff_keytrack_free(&k);
    refuse_json("[]", "empty");
    refuse_json("{\"a\":1}", "keyframes");
    refuse_json("[1]", "key 1");
    refuse_json("[{\"time\":0,\"x\":1,\"y\":2,\"width\":3}]", "height");
    refuse_json("[{\"time\":0,\"x\":\"1\",\"y\":2,\"width\":3,\"height\":4}]", "key 1: \"x\"");
    refuse_json("[{\"x\":1,\"y\":2,\"width\":3,\"height\":4}]", "time");
    refuse_json("[{\"time\":\"soon\",\"x\":1,\"y\":2,\"width\":3,\"height\":4}]", "time");
    refuse_json("[{\"time\":0,\"x\":1,\"y\":2,\"width\":3,\"height\":4,\"kind\":\"warp\"}]", "kind");
    refuse_json("[{\"time\":0,\"x\":1,\"y\":2,\"width\":3,\"height\":4},{\"time\":0,\"x\":1,\"y\":2,\"width\":3,\"height\":4}]", "keys 1 and 2");
    refuse_json("[{\"time\":0,", "not JSON");
    k = load("[{\"time\":5,\"x\":1,\"y\":2,\"width\":3,\"height\":4},{\"time\":0,\"x\":1,\"y\":2,\"width\":-3,\"height\":4}]", &err);
    tap_ok(!k && err < 0 && strstr(message, "key 2: w"), "a bad value is named by its place in the file");
    ff_keytrack_free(&k);
    message[0] = 0;
    k = ff_keytrack_load(&spec, "/nonexistent/keys.json", NULL, &err);
    tap_ok(!k && err == AVERROR(ENOENT) && strstr(message, "/nonexistent/keys.json"), "a missing file is named");
    ff_keytrack_free(&k);
    test_json_values();
}
#else
static void test_json(void)
{
    tap_skip("JSON keys: this tree is configured without jansson (--enable-jansson)");
}
#endif

int main(void)
{
    av_log_set_callback(keep_message);
    test_kinds();
    test_monotone();
    test_overshoot();
    test_per_key();
    test_log();
    test_missing();
    test_aliases();
    test_step();
    test_gaps();
    test_colors();
    test_times();
    test_errors();
    test_many();
    test_json();
    return tap_done();
}
