/*
 * Crop: the integer path against double precision, and its own definition
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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/pixfmt.h"

#include "libavfilter/crop_geom.h"
#include "libavfilter/crop_px.h"
#include "libavfilter/crop_render.h"
#include "libavfilter/crop_resample.h"
#include "libavfilter/crop_taps.h"
#include "crop_plane.h"
#include "tap.h"

static const char *const kernel_names[] = { "bilinear", "bicubic", "lanczos", "area" };

static CropMap map(double pos, double size, int out)
{
    return ff_crop_map(pos, size, out, 0, 0.5);
}

static void test_quality(void)
{
    static const struct { const char *name; double x, w, y, h; int ow, oh; } geo[] = {
        { "pan",      13.37, 60,    7.71,   50,    60, 50 },
        { "enlarge", 20.3,   21.7, 15.9,    18.2,  87, 73 },
        { "shrink",   1.2,  110.5,  2.9,    80.1,  40, 29 },
        { "edges",  -20.4,  170.2, -9.3,   115.7, 131, 62 },
        { "mixed",   10.4,   30.2,  4.3,    85.7,  91, 31 },
    };
    static const struct { int depth, shift, nc; double least; } fmt[] = {
        { 8, 0, 1, 55 }, { 8, 0, 2, 55 }, { 10, 6, 2, 65 }, { 12, 0, 1, 70 }, { 16, 0, 1, 70 }, { 8, 0, 4, 55 },
    };

    for (int f = 0; f < sizeof(fmt) / sizeof(*fmt); f++) {
        Plane in = make(121, 93, fmt[f].nc, fmt[f].depth, fmt[f].shift);
        paint(&in);
        for (int k = 0; k < CROP_KERNELS; k++) {
            double worst = 999;
            int differ = 0, guard = 1;
            for (int g = 0; g < sizeof(geo) / sizeof(*geo); g++) {
                const int pads[2] = { -1, (1 << fmt[f].depth) / 5 };
                for (int p = 0; p < 2; p++) {
                    const Case c = { map(geo[g].x, geo[g].w, geo[g].ow), map(geo[g].y, geo[g].h, geo[g].oh), pads[p] };
                    Run *r = run(&in, &c, k, geo[g].ow, geo[g].oh, 1 + g % 3);
                    const double q = psnr(r, &in, &c, k);
                    differ += undefined(r, &in, c.pad);
                    guard  &= guarded(&r->out);
                    if (q < worst)
                        worst = q;
                    if (q < fmt[f].least)
                        printf("# %s %s pad %d: %.2f dB\n", kernel_names[k], geo[g].name, p, q);
                    finish(r);
                }
            }
            tap_ok(worst >= fmt[f].least, "%s, %d bits, %d samples a pixel: %.1f dB at worst (>= %g)",
                   kernel_names[k], fmt[f].depth, fmt[f].nc, worst, fmt[f].least);
            tap_ok(!differ && guard, "%s, %d bits, %d samples a pixel: as defined, nothing else written (%d differ)",
                   kernel_names[k], fmt[f].depth, fmt[f].nc, differ);
        }
        free(in.buf);
    }
}

static void test_identity(void)
{
    for (int depth = 8; depth <= 16; depth += 2)
        for (int k = 0; k < CROP_KERNELS; k++) {
            Plane in = make(67, 41, 1, depth, 0);
            int same = 1;
            paint(&in);
            for (int half = 0; half < 3; half++) {
                /* whole; moved by whole pixels; kept in x while y is resampled */
                const Case c = { map(half, 67 - half * 2, 67 - half * 2), map(half == 2 ? 0.5 : half, 37, 37), -1 };
                Run *r = run(&in, &c, k, 67 - half * 2, 37, 2);
                for (int y = 0; y < 37 && half < 2; y++)
                    for (int x = 0; x < r->out.w; x++)
                        same &= get(&r->out, x, y, 0) == get(&in, x + half, y + half, 0);
                same &= !undefined(r, &in, -1);
                finish(r);
            }
            tap_ok(same, "%s, %d bits: whole pixels are copied exactly", kernel_names[k], depth);
            free(in.buf);
        }
}

static void test_extremes(void)
{
    int wrapped = 0, flat = 1;

    for (int depth = 8; depth <= 16; depth += 4)
        for (int k = 0; k < CROP_KERNELS; k++) {
            Plane in = make(48, 40, 1, depth, 0);
            for (int pattern = 0; pattern < 4; pattern++) {
                for (int y = 0; y < in.h; y++)
                    for (int x = 0; x < in.w; x++)
                        set(&in, x, y, 0, (pattern == 0 ? (x & 1) == (y & 1) : pattern == 1 ? (x & 3) == 1 && (y & 3) == 1
                                         : pattern == 2 ? x % 6 > 2 : rnd() & 1) ? (1 << depth) - 1 : 0);
                for (int g = 0; g < 4; g++) {
                    const double step[] = { 1, 0.37, 1.9, 5.3 };
                    const Case c = { { 1.5 + g * 0.13, step[g] }, { 0.5, step[3 - g] }, -1 };
                    Run *r = run(&in, &c, k, 30, 30, 1);
                    Load l = { &in, 0, -1 };
                    double *ref = ref_crop(load_ref, &l, k, c.x.start, c.x.step, 30, c.y.start, c.y.step, 30);
                    for (int i = 0; i < 900; i++) {
                        const double max = (1 << depth) - 1, want = fmin(fmax(ref[i], 0), max);
                        wrapped += fabs(get(&r->out, i % 30, i / 30, 0) - want) > max / 100 + 1;
                    }
                    wrapped += undefined(r, &in, -1);
                    free(ref);
                    finish(r);
                }
            }
            for (int v = 0; v < 8; v++) {
                const int value = v == 7 ? (1 << depth) - 1 : v * ((1 << depth) / 7);
                for (int i = 0; i < in.w * in.h; i++)
                    set(&in, i % in.w, i / in.w, 0, value);
                for (int g = 0; g < 40; g++) {
                    const Case c = { { g * 0.173, 0.2 + g * 0.19 }, { g * 0.091, 0.3 + g * 0.11 }, -1 };
                    Run *r = run(&in, &c, k, 21, 17, 1);
                    for (int i = 0; i < 21 * 17; i++)
                        flat &= get(&r->out, i % 21, i / 21, 0) == value;
                    finish(r);
                }
            }
            free(in.buf);
        }
    tap_ok(!wrapped, "black and white patterns do not wrap round (%d wrong)", wrapped);
    tap_ok(flat, "a flat picture stays flat, at every zoom");
}

static void test_sizes(void)
{
    static const int size[][4] = { { 1, 1, 1, 1 }, { 1, 1, 7, 5 }, { 5, 3, 1, 1 }, { 2, 9, 33, 2 }, { 16, 16, 17, 15 },
                                   { 3, 2, 200, 3 }, { 31, 33, 32, 31 }, { 65, 1, 64, 64 }, { 300, 2, 3, 1 } };
    int bad = 0;

    for (int i = 0; i < sizeof(size) / sizeof(*size); i++)
        for (int k = 0; k < CROP_KERNELS; k++)
            for (int nc = 1; nc <= 3; nc++)
                for (int f = 0; f < 3; f++) {
                    const int *s = size[i];
                    Plane in = make(s[0], s[1], nc, f ? f == 1 ? 10 : 16 : 8, f == 1 ? 6 : 0);
                    const Case c = { map(0.2 * f, s[0], s[2]), map(-0.3, s[1], s[3]), nc == 2 ? 7 : -1 };
                    Run *r;
                    paint(&in);
                    r = run(&in, &c, k, s[2], s[3], s[3] > 10 ? 3 : 1);
                    bad += undefined(r, &in, c.pad) || !guarded(&r->out);
                    finish(r);
                    free(in.buf);
                }
    tap_ok(!bad, "1x1 and other odd sizes (%d wrong)", bad);
}

static void test_outside(void)
{
    Plane in = make(40, 30, 1, 8, 0);
    static const double at[][2] = { { -500, 3 }, { 900, 3 }, { 3, -700 }, { 3, 1e6 }, { -1e7, -1e7 }, { -45, 0 } };
    int bad = 0;

    paint(&in);
    for (int i = 0; i < 6; i++)
        for (int g = 0; g < 3; g++) {
            const Case c = { map(at[i][0], g == 1 ? 9 : 40, 20 << g), map(at[i][1], 30, 30), 77 };
            Run *r = run(&in, &c, CROP_BICUBIC, 20 << g, 30, 1);
            for (int p = 0; p < r->out.w * 30; p++)
                bad += get(&r->out, p % r->out.w, p / r->out.w, 0) != 77;
            finish(r);
        }
    tap_ok(!bad, "a window far outside is pad all over (%d samples are not)", bad);
    free(in.buf);
}

/* the wave at (x, y) in luma pixels */
static double wave(double x, double y)
{
    return 128 + 60 * sin(x * 0.11 + 0.3) * cos(y * 0.09) + 0.2 * x;
}

static void test_rotation(void)
{
    static const double angle[] = { 0.3, 7, 20, -33.3, 90, 180, 271 };
    const CropGrid grid[] = { { 0, 0, 0.5, 0.5 }, { 1, 1, 0.5, 1 }, { 1, 0, 0.5, 0.5 }, { 1, 1, 1, 1 } };
    const int W = 160, H = 120;

    for (int k = CROP_BILINEAR; k <= CROP_LANCZOS; k++) {
        CropKernel kernel;
        double worst = 0;
        int differ = 0;
        ff_crop_kernel_init(&kernel, k);
        for (int g = 0; g < 4; g++)
            for (int depth = 8; depth <= 16; depth += 8) {
                const int sx = 1 << grid[g].log2_x, sy = 1 << grid[g].log2_y;
                Plane in = make(W / sx, H / sy, 1, depth, 0);
                for (int i = 0; i < in.w * in.h; i++)
                    set(&in, i % in.w, i / in.w, 0, lrint((1 << (depth - 8)) *
                        wave(i % in.w * sx + grid[g].off_x, i / in.w * sy + grid[g].off_y)));
                for (int a = 0; a < 7; a++) {
                    const CropPxRot rot = ff_crop_rotation(&grid[g], angle[a], W, H, 0.25, 0);
                    const CropPxPlane p = { in.data, in.stride, in.w, in.h, 1, in.bytes, depth, 0, 16 };
                    const double t = angle[a] * M_PI / 180;
                    Plane out = make(in.w, in.h, 1, depth, 0);
                    ff_crop_rotate(&p, &rot, &kernel, out.data, out.stride, out.w, 0, out.h);
                    for (int i = 0; i < in.w * in.h; i++) {
                        /* where this sample's content was: clockwise back, y down */
                        const double dx = (i % in.w + 0.25) * sx + grid[g].off_x - W / 2;
                        const double dy = i / in.w * sy + grid[g].off_y - H / 2;
                        const double x = W / 2 + dx * cos(t) - dy * sin(t), y = H / 2 + dx * sin(t) + dy * cos(t);
                        const int got = get(&out, i % in.w, i / in.w, 0);
                        differ += got != crop_px_rotated(&p, &rot, i % in.w, i / in.w, kernel.phase, 2 * kernel.support);
                        if (x > 12 && y > 12 && x < W - 12 && y < H - 12)
                            worst = fmax(worst, fabs(got / (double)(1 << (depth - 8)) - wave(x, y)));
                        if (x < -12 || y < -12 || x > W + 12 || y > H + 12)
                            differ += got != 16;
                    }
                    differ += !guarded(&out);
                    free(out.buf);
                }
                free(in.buf);
            }
        tap_ok(worst < 1.5, "rotation, %s: %.2f codes from the turned wave at worst, luma and chroma", kernel_names[k], worst);
        tap_ok(!differ, "rotation, %s: as defined, pad outside (%d differ)", kernel_names[k], differ);
    }
}

/* A ramp over luma pixels, sampled by the siting: crop and zoom must give the
 * ramp at the places where the output's chroma samples are. */
static void test_siting(void)
{
    static const int loc[] = { AVCHROMA_LOC_UNSPECIFIED, AVCHROMA_LOC_LEFT, AVCHROMA_LOC_CENTER, AVCHROMA_LOC_TOPLEFT,
                               AVCHROMA_LOC_TOP, AVCHROMA_LOC_BOTTOMLEFT, AVCHROMA_LOC_BOTTOM };
    static const double want[][2] = { { 0.5, 1 }, { 0.5, 1 }, { 1, 1 }, { 0.5, 0.5 }, { 1, 0.5 }, { 0.5, 1.5 }, { 1, 1.5 } };
    double worst = 0;

    for (int i = 0; i < 7; i++) {
        const CropGrid g = ff_crop_chroma_grid(1, 1, loc[i]);
        Plane in = make(100, 80, 1, 16, 0);
        const double x = 31.3, w = 57.1, y = 22.9, h = 44.4;
        const int ow = 90, oh = 60;
        const Case c = { ff_crop_map(x, w, ow, 1, g.off_x), ff_crop_map(y, h, oh, 1, g.off_y), -1 };
        Run *r;
        for (int p = 0; p < 8000; p++)
            set(&in, p % 100, p / 100, 0, lrint(100 * (p % 100 * 2 + want[i][0]) + 150 * (p / 100 * 2 + want[i][1])));
        r = run(&in, &c, CROP_BICUBIC, ow / 2, oh / 2, 1);
        for (int p = 0; p < ow / 2 * oh / 2; p++) {
            const double lx = x + (p % (ow / 2) * 2 + want[i][0]) * w / ow;
            const double ly = y + (p / (ow / 2) * 2 + want[i][1]) * h / oh;
            worst = fmax(worst, fabs(get(&r->out, p % (ow / 2), p / (ow / 2), 0) - (100 * lx + 150 * ly)));
        }
        finish(r);
        free(in.buf);
    }
    /* 100 codes are one luma pixel */
    tap_ok(worst < 2, "chroma siting: %.4f luma pixels off at worst, seven sitings", worst / 100);
}

static void test_rect(void)
{
    CropRect r = { -10, 5, 100, 50 };
    ff_crop_rect_fit(&r, CROP_EDGE_SHIFT, 0, 640, 360);
    tap_ok(r.x == 0 && r.y == 5 && r.w == 100 && r.h == 50, "shift keeps the size");
    r = (CropRect){ 600, 350, 100, 50 };
    ff_crop_rect_fit(&r, CROP_EDGE_SHIFT, 0, 640, 360);
    tap_ok(r.x == 540 && r.y == 310 && r.w == 100 && r.h == 50, "shift at the far edges");
    r = (CropRect){ -100, -100, 1280, 1440 };
    ff_crop_rect_fit(&r, CROP_EDGE_SHIFT, 0, 640, 360);
    tap_ok(fabs(r.w - 320) < 1e-9 && fabs(r.h - 360) < 1e-9 && r.x >= 0 && r.x + r.w <= 640 && fabs(r.y) < 1e-9,
           "shift makes smaller what is larger than the picture, in shape");
    r = (CropRect){ -10, 5, 100, 50 };
    ff_crop_rect_fit(&r, CROP_EDGE_CLAMP, 0, 640, 360);
    tap_ok(r.x == 0 && r.w == 90 && r.h == 50, "clamp cuts");
    r = (CropRect){ -10, 5, 100, 50 };
    ff_crop_rect_fit(&r, CROP_EDGE_CLAMP, 2, 640, 360);
    tap_ok(r.w == 90 && r.h == 45 && r.y == 7.5, "clamp with a ratio stays in shape");
    r = (CropRect){ 900, 900, 10, 10 };
    ff_crop_rect_fit(&r, CROP_EDGE_CLAMP, 0, 640, 360);
    tap_ok(r.x == 639 && r.y == 359 && r.w == 1 && r.h == 1, "clamp of what lies outside leaves the nearest pixel");
    r = (CropRect){ -10, 5, 100, 50 };
    ff_crop_rect_fit(&r, CROP_EDGE_PAD, 0, 640, 360);
    tap_ok(r.x == -10 && r.w == 100, "pad leaves it");
    r = (CropRect){ 5, 5, -3, 0.2 };
    ff_crop_rect_fit(&r, CROP_EDGE_SHIFT, 0, 640, 360);
    tap_ok(r.w == 1 && r.h == 1, "at least one pixel");
    for (int edge = 0; edge < CROP_EDGES; edge++) {
        const double size[][2] = { { 1e30, 30 }, { 30, 1e300 }, { 2000, 1 }, { 1e-300, 1e300 }, { 40, 1 } };
        int ok = 1;
        for (int i = 0; i < 5; i++)
            for (int a = 0; a < 3; a++) {
                r = (CropRect){ 600 - size[i][0] / 2, 350, size[i][0], size[i][1] };
                ff_crop_rect_fit(&r, edge, a * 7.5, 640, 360);
                ok &= r.w >= 1 && r.h >= 1 && r.w <= 64 * 640 && r.h <= 64 * 360;
                ok &= edge == CROP_EDGE_PAD || (r.x >= 0 && r.y >= 0 && r.x + r.w <= 640 && r.y + r.h <= 360);
            }
        tap_ok(ok, "edge %d: from one pixel to 64 pictures, whatever a curve or a ratio gives", edge);
    }
    r = ff_crop_rect_centred(9 / 16., 1920, 1080);
    tap_ok(r.h == 1080 && r.w == 607.5 && r.x == 656.25 && r.y == 0, "centred 9:16");
}

/* lanes past the end of a row hold anything: their sums wrap, which UBSan
 * (make check-asan) must find defined; whatever comes out stays in range */
static void test_garbage(void)
{
    int ok = 1;

    for (int depth = 9; depth <= 16; depth++)
        for (int i = 0; i < 64; i++) {
            const int max = (1 << depth) - 1;
            const int v = crop_px_wide_out(INT_MAX - (int)(rnd() & 63), 16 - depth, max);
            ok &= v >= 0 && v <= max;
            ok &= crop_px_wide_mid(INT_MAX - (int)(rnd() & 15), 16 - depth) < 0;
        }
    tap_ok(ok, "sums of garbage wrap, and are clipped");
}

int main(void)
{
    test_rect();
    test_garbage();
    test_siting();
    test_identity();
    test_sizes();
    test_outside();
    test_extremes();
    test_rotation();
    test_quality();
    return tap_done();
}
