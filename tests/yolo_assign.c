/*
 * The tracker's parts: assignment against brute force, the filter against algebra
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
#include <stdlib.h>
#include <string.h>

#include "libavutil/lfg.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "yolo_assign.h"
#include "yolo_kalman.h"
#include "tap.h"

static double rnd(AVLFG *g)
{
    return av_lfg_get(g) / 4294967296.0;
}

/* ---- assignment ---------------------------------------------------------------- */

static double value(const float *cost, int rows, int cols, double limit, const int *match, int *legal)
{
    double sum = 0;

    for (int r = 0; r < rows; r++) {
        for (int k = 0; k < r; k++)
            *legal &= match[r] < 0 || match[k] != match[r];
        *legal &= match[r] >= -1 && match[r] < cols && (match[r] < 0 || cost[r * cols + match[r]] <= limit);
        sum += match[r] < 0 ? limit : cost[r * cols + match[r]];
    }
    return sum;
}

/* every way there is */
static double brute(const float *cost, int r, int rows, int cols, double limit, unsigned used)
{
    double best;

    if (r == rows)
        return 0;
    best = limit + brute(cost, r + 1, rows, cols, limit, used);
    for (int c = 0; c < cols; c++) {
        if (!(used >> c & 1) && cost[r * cols + c] <= limit)
            best = fmin(best, cost[r * cols + c] + brute(cost, r + 1, rows, cols, limit, used | 1u << c));
    }
    return best;
}

static void test_small(AVLFG *g)
{
    static const double limits[] = { 0, 0.3, 1, 2 };
    int wrong = 0, illegal = 0, nb = 0, differ = 0;

    for (int i = 0; i < 4000; i++) {
        const int rows = av_lfg_get(g) % 7, cols = av_lfg_get(g) % 7, coarse = i % 3;
        const double limit = limits[i & 3];
        float cost[49];
        int match[7], again[7], legal = 1;
        for (int k = 0; k < rows * cols; k++)
            cost[k] = coarse ? (int)(rnd(g) * 4) / 3.f : rnd(g) * 1.5;      // many ties in the coarse ones
        if (ff_yolo_assign(cost, rows, cols, limit, match) < 0 || ff_yolo_assign(cost, rows, cols, limit, again) < 0)
            continue;
        nb++;
        wrong   += fabs(value(cost, rows, cols, limit, match, &legal) - brute(cost, 0, rows, cols, limit, 0)) > 1e-5;
        illegal += !legal;
        differ  += rows && memcmp(match, again, rows * sizeof(*match));
    }
    tap_ok(nb == 4000 && !wrong, "%d assignments of up to 6 x 6: %d are not the least of all ways", nb, wrong);
    tap_ok(!illegal, "none takes a column twice or a pair beyond the limit");
    tap_ok(!differ, "the same question has the same answer");
}

/* a hidden permutation under prices of rows and columns, which are the same for all of them */
static void test_large(AVLFG *g)
{
    enum { N = 300 };
    float *cost = av_malloc_array(N * N, sizeof(*cost));
    int perm[N], match[N], same = 0;

    for (int i = 0; i < N; i++)
        perm[i] = i;
    for (int i = N - 1; i > 0; i--) {
        const int k = av_lfg_get(g) % (i + 1);
        FFSWAP(int, perm[i], perm[k]);
    }
    for (int r = 0; r < N; r++)
        for (int c = 0; c < N; c++)
            cost[r * N + c] = (r % 17) / 64.f + (c % 13) / 64.f + (perm[r] == c ? 0 : 0.01f + rnd(g) / 2);
    ff_yolo_assign(cost, N, N, 10, match);
    for (int r = 0; r < N; r++)
        same += match[r] == perm[r];
    tap_ok(same == N, "300 x 300 with one best answer: %d of 300 rows right", same);
    av_free(cost);
}

/* ---- filter -------------------------------------------------------------------- */

/* the same step by matrices, as in a textbook */
static void textbook(double x[2], double P[2][2], double dt, double q, double z, double sz)
{
    const double p00 = P[0][0] + dt * (P[0][1] + P[1][0]) + dt * dt * P[1][1] + q * dt * dt * dt / 3;
    const double p01 = P[0][1] + dt * P[1][1] + q * dt * dt / 2, p11 = P[1][1] + q * dt;
    const double s = p00 + sz * sz, k0 = p00 / s, k1 = p01 / s, y = z - (x[0] + dt * x[1]);

    x[0] += dt * x[1] + k0 * y;
    x[1] += k1 * y;
    P[0][0] = (1 - k0) * p00;
    P[0][1] = P[1][0] = (1 - k0) * p01;
    P[1][1] = p11 - k1 * p01;
}

static void test_filter(AVLFG *g)
{
    double x[2] = { 5, 0 }, P[2][2] = { { 4, 0 }, { 0, 900 } }, worst = 0, error = 0;
    YoloAxis a, b, c;

    ff_yolo_axis_init(&a, 5, 2, 30);
    for (int i = 0; i < 500; i++) {
        const double dt = i % 5 ? 0.01 + rnd(g) * 0.1 : 0, z = 5 + 2 * i + rnd(g);
        ff_yolo_axis_predict(&a, dt, 7);
        ff_yolo_axis_update(&a, z, 1.5);
        textbook(x, P, dt, 7, z, 1.5);
        worst = fmax(worst, fabs(a.p - x[0]) + fabs(a.v - x[1]) + fabs(a.pp - P[0][0]) + fabs(a.pv - P[0][1]) +
                            fabs(a.vv - P[1][1]));
    }
    tap_ok(worst < 1e-6, "500 steps: at most %.1e from the matrix form", worst);

    b = c = a;
    ff_yolo_axis_predict(&b, 1.5, 7);
    for (int i = 0; i < 3; i++)
        ff_yolo_axis_predict(&c, 0.5, 7);
    tap_ok(fabs(b.p - c.p) + fabs(b.v - c.v) + fabs(b.pp - c.pp) + fabs(b.pv - c.pv) + fabs(b.vv - c.vv) < 1e-6,
           "a step of 1.5 s is three of 0.5 s");

    ff_yolo_axis_init(&a, 0, 2, 100);
    for (int i = 0; i <= 60; i++) {
        ff_yolo_axis_predict(&a, i ? 1 / 30. : 0, 50);
        ff_yolo_axis_update(&a, 120 * i / 30. + (rnd(g) - 0.5) * 4, 2);
        error = fabs(a.v - 120);
    }
    tap_ok(error < 10, "two seconds at 120 px/s with noise of 2 px: the speed is %.1f px/s off", error);
}

int main(void)
{
    AVLFG g;

    av_lfg_init(&g, 5);
    test_small(&g);
    test_large(&g);
    test_filter(&g);
    return tap_done();
}
