/*
 * The resampler against a double-precision reference
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

#include "libavutil/common.h"
#include "libavutil/lfg.h"
#include "libavutil/mathematics.h"
#include "nn_resample.h"
#include "tap.h"

#define MAX 4096

static const char *const names[NN_KERNEL_NB] = { "lanczos", "bicubic", "bilinear", "area" };
static float  in[MAX], out[MAX], back[MAX];
static double ref[MAX];

/* ---- an own, slow statement of what is wanted ---------------------------------- */

static double k_lanczos(double x)
{
    x = fabs(x);
    if (x < 1e-9)
        return 1;
    return x < 3 ? 3 * sin(M_PI * x) * sin(M_PI * x / 3) / (M_PI * M_PI * x * x) : 0;
}

static double k_bicubic(double x)
{
    x = fabs(x);
    if (x <= 1)
        return 1.5 * x * x * x - 2.5 * x * x + 1;
    return x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
}

static double k_area(double d, double width)    /* overlap of a unit cell and a window */
{
    double lo = FFMAX(d - 0.5, -width / 2), hi = FFMIN(d + 0.5, width / 2);
    return FFMAX(hi - lo, 0);
}

static double weight(enum NNKernel k, double d, double widen)
{
    switch (k) {
    case NN_KERNEL_LANCZOS: return k_lanczos(d / widen);
    case NN_KERNEL_BICUBIC: return k_bicubic(d / widen);
    case NN_KERNEL_AREA:    return k_area(d, widen);
    default:                return FFMAX(1 - fabs(d / widen), 0);
    }
}

static void reference(enum NNKernel k, int n_in, int n_out, double ratio, double start)
{
    double widen = FFMAX(ratio, 1);

    for (int i = 0; i < n_out; i++) {
        double x = start + i * ratio, sum = 0, total = 0;
        for (int j = floor(x - 4 * widen) - 1; j <= ceil(x + 4 * widen) + 1; j++) {
            double w = weight(k, j - x, widen);
            sum   += w * in[av_clip(j, 0, n_in - 1)];
            total += w;
        }
        ref[i] = sum / total;
    }
}

/* ---- tests ----------------------------------------------------------------------- */

static double largest_error(int n)
{
    double max = 0;
    for (int i = 0; i < n; i++)
        max = FFMAX(max, fabs(out[i] - ref[i]));
    return max;
}

static void test_reference(enum NNKernel k)
{
    NNFilter f = { 0 };
    double worst = 0;
    int bad = 0;
    AVLFG rnd;

    av_lfg_init(&rnd, 1 + k);
    for (int t = 0; t < 400; t++) {
        int n_in = 1 + av_lfg_get(&rnd) % 300, n_out = 1 + av_lfg_get(&rnd) % 600;
        double ratio = t % 4 ? (double)n_in / n_out : 1 << t / 4 % 3;
        double start = t % 3 ? ratio / 2 - 0.5 : (av_lfg_get(&rnd) % 64) / 16. - 2;

        for (int i = 0; i < n_in; i++)
            in[i] = av_lfg_get(&rnd) % 256;
        bad += ff_nn_filter_init(&f, k, n_in, n_out, ratio, start) < 0;
        if (bad)
            break;
        ff_nn_filter_row(&f, out, in);
        reference(k, n_in, n_out, ratio, start);
        worst = FFMAX(worst, largest_error(n_out));
    }
    tap_ok(!bad && worst < 1e-3, "%s: 400 random filters within %.1e of 255 of the reference", names[k], worst);
    ff_nn_filter_free(&f);
}

/** users slide a window down the input: no output may need rows before those of an earlier one */
static void test_order(enum NNKernel k)
{
    static const int zoom[][2] = { { 3, 5 }, { 1, 3 }, { 2, 3 }, { 3, 7 }, { 5, 9 }, { 1, 5 }, { 1, 4 }, { 5, 3 }, { 3, 1 }, { 1, 1 } };
    NNFilter f = { 0 };
    double worst = 0;
    int back = 0, outside = 0, bad = 0, n = 0;

    for (int t = 0; t < FF_ARRAY_ELEMS(zoom); t++)
        for (int size = 1; size < 120 && !bad; size += 1 + size / 7) {
            int n_in = size * zoom[t][0], n_out = size * zoom[t][1];
            for (int shift = 0; shift <= 2; shift++, n++) {
                double ratio = (double)n_in / n_out, start = ratio / 2 - 0.5 + shift * ratio / 4;

                bad += ff_nn_filter_init(&f, k, n_in, n_out, ratio, start) < 0;
                for (int i = 0; i < n_out && !bad; i++) {
                    back    += i && f.pos[i] < f.pos[i - 1];
                    outside += f.pos[i] < 0 || f.pos[i] + f.taps > n_in;
                }
                for (int i = 0; i < n_in; i++)
                    in[i] = i * 7919 % 256;
                if (!bad)
                    ff_nn_filter_row(&f, out, in);
                reference(k, n_in, n_out, ratio, start);
                worst = FFMAX(worst, largest_error(n_out));
            }
        }
    tap_ok(!bad && !back && !outside && worst < 1e-3, "%s: in %d filters positions never decrease (%d do), "
           "all inside (%d not), within %.1e of the reference", names[k], n, back, outside, worst);
    ff_nn_filter_free(&f);
}

static void test_flat(enum NNKernel k)
{
    static const int size[][2] = { { 1, 1 }, { 1, 50 }, { 2, 7 }, { 540, 810 }, { 2160, 810 }, { 3000, 3 } };
    NNFilter f = { 0 };
    double worst = 0;

    for (int i = 0; i < MAX; i++)
        in[i] = 65535;
    for (int t = 0; t < FF_ARRAY_ELEMS(size); t++) {
        double ratio = (double)size[t][0] / size[t][1];
        if (ff_nn_filter_init(&f, k, size[t][0], size[t][1], ratio, ratio / 2 - 0.5) < 0)
            worst = 1e9;
        ff_nn_filter_row(&f, out, in);
        for (int i = 0; i < size[t][1]; i++)
            worst = FFMAX(worst, fabs(out[i] - 65535));
    }
    tap_ok(worst < 0.25, "%s: a flat 16-bit row stays flat within %.4f codes", names[k], worst);
    ff_nn_filter_free(&f);
}

static void test_identity(enum NNKernel k)
{
    NNFilter f = { 0 };
    int ret = ff_nn_filter_init(&f, k, 777, 777, 1, 0);

    for (int i = 0; i < 777; i++)
        in[i] = sin(i) * 1000;
    memset(out, 0, sizeof(out));
    ff_nn_filter_row(&f, out, in);
    tap_ok(ret >= 0 && f.identity && !memcmp(in, out, 777 * sizeof(*in)),
           "%s: same size and place is the identity, bit for bit", names[k]);
    ff_nn_filter_free(&f);
}

/** sample centres, not corners, decide: a ramp stays on its line, mirrored is mirrored */
static void test_phase(enum NNKernel k)
{
    static const double ratios[] = { 0.25, 1 / 1.5, 1 / 5.2, 0.5, 1, 1.5, 2, 2160 / 810. };
    NNFilter f = { 0 };
    double line[2] = { 0 }, sym = 0;     /* enlarging, shrinking */

    for (int t = 0; t < FF_ARRAY_ELEMS(ratios); t++) {
        int n_in = 400, n_out = lrint(n_in / ratios[t]), edge;
        double ratio = (double)n_in / n_out;

        if (ff_nn_filter_init(&f, k, n_in, n_out, ratio, ratio / 2 - 0.5) < 0)
            line[0] = 1e9;
        for (int i = 0; i < n_in; i++)
            in[i] = i;
        ff_nn_filter_row(&f, out, in);
        edge = ceil(4 * FFMAX(ratio, 1) / ratio);
        for (int i = edge; i < n_out - edge; i++)
            line[ratio > 1] = FFMAX(line[ratio > 1], fabs(out[i] - (ratio / 2 - 0.5 + i * ratio)));
        for (int i = 0; i < n_in; i++)
            in[i] = i * 7919 % 256;
        ff_nn_filter_row(&f, out, in);
        for (int i = 0; i < n_in / 2; i++)
            FFSWAP(float, in[i], in[n_in - 1 - i]);
        ff_nn_filter_row(&f, back, in);
        for (int i = 0; i < n_out; i++)
            sym = FFMAX(sym, fabs(out[i] - back[n_out - 1 - i]));
    }
    /* enlarging, all but Lanczos reproduce a ramp exactly; widened and sampled, none quite does */
    tap_ok(line[0] < (k == NN_KERNEL_LANCZOS ? 0.06 : 1e-3) && line[1] < 0.1,
           "%s: a ramp keeps its place within %.1e samples, shrinking %.1e", names[k], line[0], line[1]);
    tap_ok(sym < 1e-3, "%s: mirrored input gives mirrored output within %.1e of 255", names[k], sym);
    ff_nn_filter_free(&f);
}

/** the old pipeline's fault: 2160 -> 810 with a kernel that is not widened keeps 84.8 of 84.9 */
static void test_alias(enum NNKernel k, double limit)
{
    NNFilter f = { 0 };
    double before = 0, after = 0, ratio = 2160 / 810.;
    int ret = ff_nn_filter_init(&f, k, 2160, 810, ratio, ratio / 2 - 0.5);

    for (int i = 0; i < 2160; i++) {
        in[i] = 120 * sin(2 * M_PI * i / 3);
        before += in[i] * in[i] / 2160.;
    }
    ff_nn_filter_row(&f, out, in);
    for (int i = 0; i < 810; i++)
        after += out[i] * out[i] / 810.;
    tap_ok(ret >= 0 && sqrt(before) > 84 && sqrt(after) < limit,
           "%s: sine of period 3, 2160 -> 810: RMS %.1f becomes %.2f (limit %.1f)",
           names[k], sqrt(before), sqrt(after), limit);
    ff_nn_filter_free(&f);
}

static void test_refused(void)
{
    NNFilter f = { 0 };
    int n = 0;

    n += ff_nn_filter_init(&f, NN_KERNEL_AREA, 0, 5, 1, 0) < 0;
    n += ff_nn_filter_init(&f, NN_KERNEL_AREA, 5, 0, 1, 0) < 0;
    n += ff_nn_filter_init(&f, NN_KERNEL_AREA, 5, 5, 0, 0) < 0;
    n += ff_nn_filter_init(&f, NN_KERNEL_AREA, 5, 5, NAN, 0) < 0;
    tap_ok(n == 4 && !f.pos && !f.coef, "sizes and ratios that are none are refused");
}

int main(void)
{
    for (int k = 0; k < NN_KERNEL_NB; k++) {
        test_reference(k);
        test_order(k);
        test_flat(k);
        test_identity(k);
        test_phase(k);
    }
    test_alias(NN_KERNEL_AREA,    12);
    test_alias(NN_KERNEL_LANCZOS, 12);
    test_alias(NN_KERNEL_BICUBIC, 12);
    test_alias(NN_KERNEL_BILINEAR, 12);
    test_refused();
    return tap_done();
}
