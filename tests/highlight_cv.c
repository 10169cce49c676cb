/*
 * highlight: ellipses, pixel by pixel those of OpenCV
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



#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/crc.h"

/* the file itself: sanitizers and guard bytes then see all of it */
#include "libavfilter/highlight_cv.c"
#include "tap.h"

#define MAX_SIDE 160

static uint8_t map[MAX_SIDE * MAX_SIDE];
static uint32_t state;

typedef struct Case {
    int w, h;
    HighlightCvEllipse e;
} Case;

/* xorshift, as in tests/peers/highlight_cv.py. @return 0..n */
static int upto(int n)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % ((unsigned)n + 1);
}

static Case random_case(void)
{
    static const int sizes[] = { 4, 16, 80, 80, 160, 480, 2000, 10000, 10000 };
    Case c = { .e = { .a1 = 360 } };
    int most, k;

    c.w = 1 + upto(159);
    c.h = 1 + upto(159);
    most = sizes[upto(8)];
    c.e.rx = upto(most);
    c.e.ry = upto(most);
    if ((k = upto(15)) < 2)
        *(k ? &c.e.rx : &c.e.ry) = 0;
    c.e.cx = upto(c.w - 1);
    c.e.cy = upto(c.h - 1);
    if (k & 4) {                /* its rim near the picture */
        c.e.cx -= c.e.rx * (upto(16) - 8) >> 3;
        c.e.cy -= c.e.ry * (upto(16) - 8) >> 3;
    }
    c.e.thickness = upto(28) - 8;
    if (c.e.thickness < 1)
        c.e.thickness = c.e.thickness & 1 ? -1 : 3;
    if (c.e.thickness > 0 && k & 8) {
        c.e.a0 = k == 15 ? upto(1440) - 720 : -30;
        c.e.a1 = k == 15 ? upto(1440) - 720 : 210;
    }
    return c;
}

static void draw(const Case *c)
{
    const HighlightCvMap m = { map, c->w, 0, 0, c->w, c->h, c->w, c->h };

    memset(map, 0, (size_t)c->w * c->h);
    if (ff_highlight_cv_ellipse(&m, &c->e, 1) < 0)
        memset(map, 2, (size_t)c->w * c->h);
}

/* @return the CRC so far of zlib's kind, which starts at 0 */
static uint32_t add_crc(uint32_t crc, const Case *c)
{
    return ~av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), ~crc, map, (size_t)c->w * c->h);
}

static int count(const Case *c)
{
    int n = 0;

    for (int i = 0; i < c->w * c->h; i++)
        n += map[i];
    return n;
}

/* ---- against the reference ----------------------------------------------------- */

/* One "row" line: its runs, and only these, are marked. */
static int same_row(const Case *c, const char *line)
{
    uint8_t want[MAX_SIDE] = { 0 };
    int y, x0, x1, len;

    if (sscanf(line, "row %d%n", &y, &len) != 1 || y < 0 || y >= c->h)
        return 0;
    for (line += len; sscanf(line, " %d-%d%n", &x0, &x1, &len) == 2; line += len) {
        if (x0 < 0 || x1 >= c->w || x0 > x1)
            return 0;
        memset(want + x0, 1, x1 - x0 + 1);
    }
    if (memcmp(want, map + y * c->w, c->w)) {
        printf("# row %d:", y);
        for (int x = 0; x < c->w; x++)
            putchar(" +-#"[want[x] + 2 * map[y * c->w + x]]);
        putchar('\n');
        return 0;
    }
    return 1;
}

static int same_batch(unsigned seed, int n, int pixels, uint32_t crc)
{
    uint32_t got = 0;
    int marked = 0;

    state = seed;
    for (int i = 0; i < n; i++) {
        const Case c = random_case();
        draw(&c);
        got = add_crc(got, &c);
        marked += count(&c);
    }
    if (got != crc || marked != pixels)
        printf("# batch %u: %d pixels, %d wanted\n", seed, marked, pixels);
    return got == crc && marked == pixels;
}

static void test_reference(void)
{
    FILE *f = fopen("tests/ref/highlight_cv.txt", "r");
    int cases = 0, bad = 0, rows = 0, bad_rows = 0, random = 0, bad_random = 0, unread = 0;
    char line[512];
    Case c = { 0 };

    if (!tap_ok(!!f, "tests/ref/highlight_cv.txt is there (make check-peers makes it)"))
        return;
    while (fgets(line, sizeof(line), f)) {
        HighlightCvEllipse *e = &c.e;
        unsigned crc, seed;
        int pixels, n;
        if (line[0] == '#')
            continue;
        if (!strncmp(line, "row ", 4)) {
            bad_rows += !same_row(&c, line);
            rows++;
        } else if (sscanf(line, "%*[caserow] %d %d %d %d %d %d %d %d %d %d x%8x", &c.w, &c.h, &e->cx, &e->cy,
                   &e->rx, &e->ry, &e->a0, &e->a1, &e->thickness, &pixels, &crc) == 11 &&
            c.w > 0 && c.w <= MAX_SIDE && c.h > 0 && c.h <= MAX_SIDE) {
            draw(&c);
            if (count(&c) != pixels || add_crc(0, &c) != crc) {
                printf("# %d of %d pixels: %s", count(&c), pixels, line);
                bad++;
            }
            cases++;
        } else if (sscanf(line, "batch %u %d %d x%8x", &seed, &n, &pixels, &crc) == 4) {
            bad_random += !same_batch(seed, n, pixels, crc);
            random += n;
        } else {
            printf("# %s", line);
            unread++;
        }
    }
    fclose(f);
    tap_ok(cases >= 370 && !bad, "%d ellipses are OpenCV's (%d differ)", cases, bad);
    tap_ok(rows >= 100 && !bad_rows, "%d rows are OpenCV's (%d differ)", rows, bad_rows);
    tap_ok(random >= 20000 && !bad_random, "%d random ellipses are OpenCV's (%d batches differ)", random, bad_random);
    tap_ok(!unread, "the reference has no other lines (%d)", unread);
}

/* ---- windows ------------------------------------------------------------------- */

/* A window shows its part of the picture; other bits and all around it stay. */
static int window_shows(const Case *c, int x, int y, int w, int h)
{
    static uint8_t part[(MAX_SIDE + 2) * (MAX_SIDE + 9)];
    const int stride = MAX_SIDE + 9;
    const HighlightCvMap m = { part + stride + 4, stride, x, y, w, h, c->w, c->h };
    int good = 1;

    memset(part, 0x50, sizeof(part));
    ff_highlight_cv_ellipse(&m, &c->e, 0x81);
    for (int j = -1; j <= MAX_SIDE; j++)
        for (int i = -4; i < MAX_SIDE + 5; i++) {
            const int in = i >= 0 && i < w && j >= 0 && j < h;
            const int want = in && map[(y + j) * c->w + x + i] ? 0xd1 : 0x50;
            good &= m.data[j * stride + i] == want;
        }
    return good;
}

static void test_windows(void)
{
    int bad = 0, far = 0;

    state = 77;
    for (int i = 0; i < 3000; i++) {
        const Case c = random_case();
        const int x = upto(c.w - 1), y = upto(c.h - 1);
        const int reach = ff_highlight_cv_reach(c.e.thickness);
        draw(&c);
        bad += !window_shows(&c, x, y, 1 + upto(c.w - x - 1), 1 + upto(c.h - y - 1));
        for (int p = 0; p < c.w * c.h; p++)
            far += map[p] && (abs(p % c.w - c.e.cx) > c.e.rx + reach || abs(p / c.w - c.e.cy) > c.e.ry + reach);
    }
    tap_ok(!bad, "a window shows its part of the picture, and nothing else is written (%d wrong)", bad);
    tap_ok(!far, "no pixel lies further out than ff_highlight_cv_reach() says (%d do)", far);
}

/* ---- extremes -------------------------------------------------------------------- */

static void test_extremes(void)
{
    static const HighlightCvEllipse refused[] = {
        { 5, 5, -1, 4, 0, 360, 3 }, { 5, 5, 4, -1, 0, 360, -1 }, { 5, 5, HL_CV_MAX_RADIUS + 1, 4, 0, 360, -1 },
        { 5, 5, 4, INT32_MAX, 0, 360, 1 }, { 5, 5, INT32_MIN, 4, 0, 360, 1 },
        { 5, 5, 4, 4, 0, 360, -2 }, { 5, 5, 4, 4, 0, 360, HL_CV_MAX_THICKNESS + 1 },
    };
    static const int far[] = { INT32_MIN, INT32_MIN + 1, -200000, 200000, INT32_MAX - 1, INT32_MAX };
    const int max = HL_CV_MAX_RADIUS;
    Case c = { 64, 48 };
    int good = 1, none = 1;

    for (int i = 0; i < FF_ARRAY_ELEMS(refused); i++) {
        const HighlightCvMap m = { map, 64, 0, 0, 64, 48, 64, 48 };
        memset(map, 0, 64 * 48);
        good &= ff_highlight_cv_ellipse(&m, &refused[i], 1) == AVERROR(EINVAL) && !count(&c);
    }
    tap_ok(good, "radii and thickness out of range are refused, nothing is marked");

    for (int i = 0; i < FF_ARRAY_ELEMS(far); i++)
        for (int axis = 0; axis < 2; axis++) {
            c.e = (HighlightCvEllipse){ axis ? far[i] : 5, axis ? 5 : far[i], 300, 300, 0, 360, i & 1 ? -1 : 20 };
            draw(&c);
            none &= !count(&c);
        }
    tap_ok(none, "a centre as far away as an int goes marks nothing");

    c.e = (HighlightCvEllipse){ 30, 20, max, max, 0, 360, -1 };
    draw(&c);
    good = count(&c) == 64 * 48;
    c.e = (HighlightCvEllipse){ -max + 40, 20, max, max, INT32_MIN, INT32_MAX, 1 };
    draw(&c);
    tap_ok(good && count(&c) >= 48 && count(&c) < 96, "the greatest radii: filled covers all, the rim is a line");
}

int main(void)
{
    test_reference();
    test_windows();
    test_extremes();
    return tap_done();
}
