/*
 * Resampling kernels and tables of weights for one axis of a plane
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

#include "libavutil/avutil.h"
#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mathematics.h"
#include "libavutil/mem.h"

#include "crop_px.h"
#include "crop_taps.h"

#define ONE    (1 << CROP_COEF_BITS)
#define PHASES (1 << CROP_PHASE_BITS)

static double bicubic(double x)
{
    const double a = -0.5;

    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double lanczos(double x)
{
    const double p = M_PI * x;

    if (x < 1e-9)
        return 1;
    return x < 3 ? 3 * sin(p) * sin(p / 3) / (p * p) : 0;
}

static double curve(enum CropKernelType type, double x)
{
    switch (type) {
    case CROP_BICUBIC: return bicubic(x);
    case CROP_LANCZOS: return lanczos(x);
    default:           return x < 1 ? 1 - x : 0;
    }
}

/* x >= 0, in units of the unwidened kernel */
static double lut_at(const CropKernel *k, double x)
{
    const double p = x * CROP_LUT_RES;
    const int    i = (int)p;

    if (i >= k->support * CROP_LUT_RES)
        return 0;
    return k->lut[i] + (k->lut[i + 1] - k->lut[i]) * (p - i);
}

/* Rounds the running sum and not each weight, so that the weights of a window
 * always sum to ONE: a flat picture stays flat. */
static void quantise(int16_t *coef, const double *w, int n)
{
    double sum = 0, run = 0, scale;
    int last = 0;

    for (int i = 0; i < n; i++)
        sum += w[i];
    scale = ONE / sum;
    for (int i = 0; i < n; i++) {
        int next;
        run    += w[i];
        next    = i == n - 1 ? ONE : lrint(run * scale);
        coef[i] = next - last;
        last    = next;
    }
}

/* weights of the window [pos, pos + n) about coordinate c */
static void window_curve(const CropKernel *k, double *w, int pos, int n,
                         double c, double inv_step)
{
    for (int i = 0; i < n; i++)
        w[i] = lut_at(k, fabs(pos + i - c) * inv_step);
}

static void window_area(double *w, int pos, int n, double c, double step)
{
    const double l = c + 0.5 - step / 2, r = c + 0.5 + step / 2;

    for (int i = 0; i < n; i++)
        w[i] = FFMAX(FFMIN(pos + i + 1, r) - FFMAX(pos + i, l), 0);
}

void ff_crop_kernel_init(CropKernel *k, enum CropKernelType type)
{
    const int support = type == CROP_LANCZOS ? 3 : type == CROP_BICUBIC ? 2 : 1;

    k->type    = type;
    k->support = support;
    for (int i = 0; i < support * CROP_LUT_RES + 2; i++)
        k->lut[i] = curve(type, (double)i / CROP_LUT_RES);
    for (int p = 0; p <= PHASES; p++) {
        double w[6];
        for (int i = 0; i < 2 * support; i++)
            w[i] = curve(type, fabs(i - (support - 1) - (double)p / PHASES));
        quantise(k->phase + p * 2 * support, w, 2 * support);
    }
}

/* c >= INT_MIN; a call to floor() is slow without SSE4.1 */
static int floor_int(double c)
{
    const int i = (int)c;
    return i - (i > c);
}

/* windows wholly outside may as well lie just outside */
static int clamp_pos(double c, int n, int size)
{
    return c < -n - 4 ? -n : c > size + 4 ? size : av_clip(floor_int(c), -n, size);
}

static int fill_phases(CropAxis *a, const CropKernel *k, double start,
                       double step, int size)
{
    const int n = a->n;
    const int64_t q0 = llrint(start * PHASES);

    for (int i = 0; i < a->nb; i++) {
        const double c   = av_clipd(start + i * step, -size - 2. * n, 2. * size + 2 * n);
        const int64_t q  = step == 1 ? q0 + (int64_t)i * PHASES : llrint(c * PHASES);
        const int first  = (int)(q >> CROP_PHASE_BITS) - (k->support - 1);
        const int16_t *w = k->phase + (q & (PHASES - 1)) * n;

        a->pos[i] = av_clip(first, -n, size);
        for (int j = 0; j < n; j++)
            a->coef[i * n + j] = w[j];
    }
    return 0;
}

static int fill_windows(CropAxis *a, const CropKernel *k, double start,
                        double step, int size)
{
    /* from the middle of the window to its first sample, rounded down */
    const double half = k->type == CROP_AREA ? step / 2 - 0.5 : k->support * step - 1;
    const double inv = 1 / step;
    double *w = av_malloc_array(a->n, sizeof(*w));

    if (!w)
        return AVERROR(ENOMEM);
    for (int i = 0; i < a->nb; i++) {
        const double c = start + i * step;
        const int pos  = clamp_pos(c - half, a->n, size);

        /* a moved window sees one value only: any weights will do */
        if (pos == -a->n || pos == size) {
            for (int j = 0; j < a->n; j++)
                a->coef[i * a->n + j] = j ? 0 : ONE;
        } else {
            if (k->type == CROP_AREA)
                window_area(w, pos, a->n, c, step);
            else
                window_curve(k, w, pos, a->n, c, inv);
            quantise(a->coef + i * a->n, w, a->n);
        }
        a->pos[i] = pos;
    }
    av_free(w);
    return 0;
}

static int alloc(CropAxis *a)
{
    av_fast_malloc(&a->pos,  &a->pos_size,  a->nb * sizeof(*a->pos));
    av_fast_malloc(&a->coef, &a->coef_size, (size_t)a->nb * a->n * sizeof(*a->coef));
    return a->pos && a->coef ? 0 : AVERROR(ENOMEM);
}

/* step 1 at a whole offset: nothing to weigh */
static int build_copy(CropAxis *a, double start, int size)
{
    const int64_t first = llrint(start);
    int ret;

    a->n = 1;
    if ((ret = alloc(a)) < 0)
        return ret;
    for (int i = 0; i < a->nb; i++) {
        a->pos[i]  = av_clip64(first + i, -1, size);
        a->coef[i] = ONE;
    }
    a->uniform = a->pos[a->nb - 1] - a->pos[0] == a->nb - 1;
    return 0;
}

static int build_taps(CropAxis *a, const CropKernel *k, double start,
                      double step, int size)
{
    const int area = k->type == CROP_AREA && step != 1;
    int ret;

    if (!(step < INT_MAX / 16))
        return AVERROR(ERANGE);
    if (step <= 1 && !area)
        a->n = 2 * k->support;
    else if (k->type == CROP_AREA)
        a->n = FFALIGN((int)ceil(step) + 1, 2);
    else
        a->n = FFALIGN((int)ceil(2 * k->support * step), 2);
    if ((ret = alloc(a)) < 0)
        return ret;
    if (step <= 1 && !area)
        ret = fill_phases(a, k, start, step, size);
    else
        ret = fill_windows(a, k, start, step, size);
    a->shrinks = step > 1;
    a->uniform = step == 1 && a->pos[a->nb - 1] - a->pos[0] == a->nb - 1;
    return ret;
}

int ff_crop_axis_build(CropAxis *a, const CropKernel *k, double start,
                       double step, int nb, int size)
{
    const double phases = start * PHASES;
    int ret;

    a->nb = nb;
    a->shrinks = 0;
    /* far below what one phase can tell over the whole axis */
    if (fabs(step - 1) * nb * PHASES < 0.25)
        step = 1;
    start = av_clipd(start, INT_MIN / 4, INT_MAX / 4);
    if (step == 1 && !(llrint(phases) & (PHASES - 1)))
        ret = build_copy(a, start, size);
    else
        ret = build_taps(a, k, start, step, size);
    if (ret < 0)
        return ret;
    a->lo = a->pos[0];
    a->hi = a->pos[nb - 1] + a->n;
    return 0;
}

void ff_crop_axis_free(CropAxis *a)
{
    av_freep(&a->pos);
    av_freep(&a->coef);
    a->pos_size = a->coef_size = 0;
}
