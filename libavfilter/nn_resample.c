/*
 * Separable polyphase resampler
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
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/mathematics.h"
#include "libavutil/mem.h"
#include "nn_resample.h"
#include "nn_simd.h"

#if defined(__GNUC__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAVE_VECTOR4 1
#endif
#endif
#ifndef HAVE_VECTOR4
#define HAVE_VECTOR4 0
#endif

/* a weight so small does not change a 16-bit code */
#define NEGLIGIBLE 1e-9

static double kernel_radius(enum NNKernel k, double widen)
{
    switch (k) {
    case NN_KERNEL_LANCZOS:  return 3 * widen;
    case NN_KERNEL_BICUBIC:  return 2 * widen;
    case NN_KERNEL_AREA:     return widen / 2 + 0.5;
    default:                 return widen;
    }
}

static double sinc(double x)
{
    return fabs(x) < 1e-12 ? 1 : sin(M_PI * x) / (M_PI * x);
}

/** weight of the input sample at distance d from the output sample */
static double kernel_weight(enum NNKernel k, double widen, double d)
{
    double x = fabs(d) / widen;

    switch (k) {
    case NN_KERNEL_LANCZOS:
        return x < 3 ? sinc(x) * sinc(x / 3) : 0;
    case NN_KERNEL_BICUBIC:
        if (x < 1)
            return (1.5 * x - 2.5) * x * x + 1;
        return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    case NN_KERNEL_AREA:    /* how much of [d-1/2, d+1/2] lies in [-widen/2, widen/2] */
        return av_clipd(widen / 2 + 0.5 - fabs(d), 0, FFMIN(1, widen));
    default:
        return x < 1 ? 1 - x : 0;
    }
}

/**
 * Weights of one output sample at x into w[0..], normalised, with what lies
 * outside of the picture added to the edge sample.
 * @return number of weights; *first = input sample of w[0]
 */
static int weights_at(double *w, int *first, enum NNKernel k, double widen,
                      double x, int n_in)
{
    double radius = kernel_radius(k, widen), sum = 0;
    int lo = av_clip(ceil (x - radius), 0, n_in - 1);
    int hi = av_clip(floor(x + radius), lo, n_in - 1);
    int n = hi - lo + 1, skip = 0;

    memset(w, 0, n * sizeof(*w));
    for (int j = ceil(x - radius); j <= floor(x + radius); j++) {
        double v = kernel_weight(k, widen, j - x);
        w[av_clip(j, lo, hi) - lo] += v;
        sum += v;
    }
    if (sum == 0)   /* x is far outside: the edge sample */
        w[x < 0 ? 0 : n - 1] = sum = 1;
    for (int j = 0; j < n; j++)
        w[j] /= sum;
    while (n > 1 && fabs(w[n - 1]) < NEGLIGIBLE)
        n--;
    while (skip < n - 1 && fabs(w[skip]) < NEGLIGIBLE)
        skip++;
    memmove(w, w + skip, (n - skip) * sizeof(*w));
    *first = lo + skip;
    return n - skip;
}

/** rounded weights must still sum to 1: the largest takes the difference */
static void store_weights(float *coef, const double *w, int n)
{
    double sum = 0;
    int max = 0;

    for (int j = 0; j < n; j++) {
        coef[j] = w[j];
        sum += coef[j];
        if (w[j] > w[max])
            max = j;
    }
    coef[max] += 1 - sum;
}

static void find_run(NNFilter *f)
{
    int mid = f->n_out / 2, a = mid, b = mid;
    int step = mid + 1 < f->n_out ? f->pos[mid + 1] - f->pos[mid] : 0;
    const float *c = f->coef + (size_t)mid * f->taps;

    if (step != 1 && step != 2 && step != 4)
        return;
    while (a > 0 && f->pos[a] - f->pos[a - 1] == step &&
           !memcmp(c, f->coef + (size_t)(a - 1) * f->taps, f->taps * sizeof(*c)))
        a--;
    while (b < f->n_out && f->pos[b] - f->pos[mid] == (b - mid) * step &&
           !memcmp(c, f->coef + (size_t)b * f->taps, f->taps * sizeof(*c)))
        b++;
    if (b - a < 64)
        return;
    f->step      = step;
    f->run_start = a;
    f->run_end   = b;
}

int ff_nn_filter_init(NNFilter *f, enum NNKernel kernel, int n_in, int n_out,
                      double ratio, double start)
{
    double widen = FFMAX(ratio, 1), *w;
    int max, taps = 1, next = n_in;

    ff_nn_filter_free(f);
    if (n_in < 1 || n_out < 1 || !(ratio > 0) || ratio > INT_MAX / 16)
        return AVERROR(EINVAL);
    max = FFMIN(n_in, 2 * kernel_radius(kernel, widen) + 2);
    w   = av_malloc_array(max, sizeof(*w));
    f->pos = av_malloc_array(n_out, sizeof(*f->pos));
    if (!w || !f->pos)
        goto nomem;
    /* where the first weights of a sample are nothing, the next may start before it */
    for (int i = n_out - 1; i >= 0; i--) {
        int first, n = weights_at(w, &first, kernel, widen, start + i * ratio, n_in);
        f->pos[i] = next = FFMIN(next, first);
        taps = FFMAX(taps, first + n - next);
    }
    if (taps > 1)   /* rows of four weights go through one vector */
        taps = FFMIN(FFALIGN(taps, 4), n_in);
    f->coef = av_calloc(n_out, taps * sizeof(*f->coef));
    if (!f->coef)
        goto nomem;
    f->identity = n_in == n_out && taps == 1;
    for (int i = 0; i < n_out; i++) {
        int first, n = weights_at(w, &first, kernel, widen, start + i * ratio, n_in);
        f->pos[i] = FFMIN(f->pos[i], n_in - taps);
        store_weights(f->coef + (size_t)i * taps + first - f->pos[i], w, n);
        f->identity &= first == i;
    }
    f->n_in  = n_in;
    f->n_out = n_out;
    f->taps  = taps;
    find_run(f);
    av_free(w);
    return 0;
nomem:
    av_free(w);
    ff_nn_filter_free(f);
    return AVERROR(ENOMEM);
}

void ff_nn_filter_free(NNFilter *f)
{
    av_freep(&f->pos);
    av_freep(&f->coef);
    memset(f, 0, sizeof(*f));
}

/** any positions and weights */
static void row_any(float *restrict dst, const float *restrict src,
                    const int *restrict pos, const float *restrict coef,
                    int taps, int n)
{
    for (int i = 0; i < n; i++, coef += taps) {
        float sum = 0;
        for (int k = 0; k < taps; k++)
            sum += coef[k] * src[pos[i] + k];
        dst[i] = sum;
    }
}

#if HAVE_VECTOR4
typedef float Vec4 __attribute__((vector_size(16), aligned(4), may_alias));

static av_always_inline Vec4 dot4(const float *c, const float *s, int taps)
{
    Vec4 sum = *(const Vec4 *)c * *(const Vec4 *)s;
    for (int k = 4; k < taps; k += 4)
        sum += *(const Vec4 *)(c + k) * *(const Vec4 *)(s + k);
    return sum;
}

/** taps a multiple of 4: four outputs at a time, whose four partial sums are added crosswise */
NN_SIMD
static int row_any4(float *restrict dst, const float *restrict src,
                    const int *restrict pos, const float *restrict coef,
                    int taps, int n)
{
    int i = 0;

    for (; i + 4 <= n; i += 4, coef += 4 * taps) {
        Vec4 a = dot4(coef,            src + pos[i],     taps);
        Vec4 b = dot4(coef +     taps, src + pos[i + 1], taps);
        Vec4 c = dot4(coef + 2 * taps, src + pos[i + 2], taps);
        Vec4 d = dot4(coef + 3 * taps, src + pos[i + 3], taps);
        Vec4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
        Vec4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
        *(Vec4 *)(dst + i) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
                             __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    }
    return i;
}
#endif

static void row_slow(float *restrict dst, const float *restrict src,
                     const int *pos, const float *coef, int taps, int n)
{
    int i = 0;
#if HAVE_VECTOR4
    if (taps % 4 == 0)
        i = row_any4(dst, src, pos, coef, taps, n);
#endif
    row_any(dst + i, src, pos + i, coef + (size_t)i * taps, taps, n - i);
}

#define BLOCK 64

/** the same weights for all, step input samples apart */
#define ROW_RUN(name, STEP)                                                     \
NN_SIMD                                                                         \
static void name(float *restrict dst, const float *restrict src,               \
                 const float *restrict coef, int taps, int n)                   \
{                                                                               \
    float acc[BLOCK];                                                           \
    for (int i = 0; i < n; i += BLOCK) {                                        \
        int m = n - i < BLOCK ? n - i : BLOCK;                                  \
        for (int j = 0; j < m; j++)                                             \
            acc[j] = coef[0] * src[(i + j) * STEP];                             \
        for (int k = 1; k < taps; k++)                                          \
            for (int j = 0; j < m; j++)                                         \
                acc[j] += coef[k] * src[(i + j) * STEP + k];                    \
        for (int j = 0; j < m; j++)                                             \
            dst[i + j] = acc[j];                                                \
    }                                                                           \
}
ROW_RUN(row_run1, 1)
ROW_RUN(row_run2, 2)
ROW_RUN(row_run4, 4)

NN_SIMD
static void add_rows4(float *restrict acc, const float *restrict s0, const float *restrict s1,
                      const float *restrict s2, const float *restrict s3,
                      const float *restrict w, int n)
{
    float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
    for (int i = 0; i < n; i++)
        acc[i] += w0 * s0[i] + w1 * s1[i] + (w2 * s2[i] + w3 * s3[i]);
}

NN_SIMD
static void add_row(float *restrict acc, const float *restrict src, float w, int n)
{
    for (int i = 0; i < n; i++)
        acc[i] += w * src[i];
}

void ff_nn_filter_column(const NNFilter *f, int i, float *dst, const float *src,
                         ptrdiff_t stride, int n)
{
    const float *w = f->coef + (size_t)i * f->taps;
    int k = 0;

    memset(dst, 0, n * sizeof(*dst));
    for (; k + 4 <= f->taps; k += 4, src += 4 * stride)
        add_rows4(dst, src, src + stride, src + 2 * stride, src + 3 * stride, w + k, n);
    for (; k < f->taps; k++, src += stride)
        add_row(dst, src, w[k], n);
}

void ff_nn_filter_row(const NNFilter *f, float *dst, const float *src)
{
    int a = f->run_start, b = f->run_end, t = f->taps;

    if (f->identity) {
        memcpy(dst, src, f->n_out * sizeof(*dst));
        return;
    }
    row_slow(dst, src, f->pos, f->coef, t, a);
    if (b > a) {
        const float *s = src + f->pos[a], *c = f->coef + (size_t)a * t;
        (f->step == 1 ? row_run1 : f->step == 2 ? row_run2 : row_run4)(dst + a, s, c, t, b - a);
    }
    row_slow(dst + b, src, f->pos + b, f->coef + (size_t)b * t, t, f->n_out - b);
}
