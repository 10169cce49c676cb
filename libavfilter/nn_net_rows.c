/*
 * Vector loops over rows of floats
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

#include "config.h"
#if ARCH_X86_64 && defined(__GNUC__)
#include <immintrin.h>
#endif

#include "libavutil/attributes.h"
#include "libavutil/cpu.h"
#include "libavutil/macros.h"

#include "nn_net_rows.h"
#include "nn_simd.h"

/* as NN_SIMD, and a * b + c may be one operation: everything here is bounded, not exact */
#if defined(__GNUC__) && !defined(__clang__)
#define FAST __attribute__((optimize("fp-contract=fast", "no-math-errno"))) NN_SIMD
#else
#define FAST NN_SIMD
#endif

typedef union Bits {
    float    f;
    uint32_t u;
} Bits;

/* ---- exp, 1 / x ------------------------------------------------------------------- */

/* 2^t, |t| <= 126, to 3e-7: a power of two by its bits, the rest by a polynomial */
static av_always_inline float exp2_of(float t)
{
    Bits n, p;
    float f;

    n.f = t + 12582912.0f;              /* 1.5 * 2^23: the low bits are round(t) */
    f   = t - (n.f - 12582912.0f);
    p.f = 1 + f * (0.69314718f + f * (0.24022651f + f * (0.05550411f + f * (0.00961814f + f * 0.00133336f))));
    p.u += n.u << 23;
    return p.f;
}

/* NaN stays NaN: the filter must see it */
static av_always_inline float bound(float x)
{
    x = x > 126 ? 126 : x;
    return x < -126 ? -126 : x;
}

static av_always_inline float exp_of(float x)
{
    return exp2_of(bound(x * 1.44269504f));
}

/* by steps of Newton's: a division takes longer. 1 <= x < 2^127 */
static av_always_inline float reciprocal(float x)
{
    Bits r = { x };

    r.u = 0x7EF311C7u - r.u;
    r.f = r.f * (2 - x * r.f);
    r.f = r.f * (2 - x * r.f);
    return r.f * (2 - x * r.f);
}

static av_always_inline float sigmoid(float x)
{
    return reciprocal(1 + exp2_of(bound(x * -1.44269504f)));
}

/* ---- activations ------------------------------------------------------------------- */

/* in place it is a loop of its own: two pointers that are equal would end the vectors */
#define ROW_ACT(name, ...)                                                                 \
FAST static void act_ ## name(float *dst, const float *src, int64_t nb, float a, float b)  \
{                                                                                          \
    if (dst == src) {                                                                      \
        for (int64_t i = 0; i < nb; i++) {                                                 \
            const float x = dst[i];                                                        \
            dst[i] = __VA_ARGS__;                                                          \
        }                                                                                  \
    } else {                                                                               \
        for (int64_t i = 0; i < nb; i++) {                                                 \
            const float x = src[i];                                                        \
            dst[i] = __VA_ARGS__;                                                          \
        }                                                                                  \
    }                                                                                      \
}

ROW_ACT(none,         x)
ROW_ACT(relu,         x > 0 ? x : 0)
ROW_ACT(lrelu,        x < 0 ? x * a : x)
ROW_ACT(silu,         x * sigmoid(x))
ROW_ACT(sigmoid,      sigmoid(x))
ROW_ACT(clip,         x < a ? a : x > b ? b : x)
ROW_ACT(hard_swish,   x * FFMIN(FFMAX(x * (1 / 6.0f) + 0.5f, 0.0f), 1.0f))
ROW_ACT(hard_sigmoid, FFMIN(FFMAX(x * a + b, 0.0f), 1.0f))
ROW_ACT(exp,          exp_of(x))
ROW_ACT(neg,          -x)
ROW_ACT(abs,          x < 0 ? -x : x)
ROW_ACT(sqrt,         sqrtf(x))
ROW_ACT(reciprocal,   1 / x)

/*
 * What takes most of an activation's time, by AVX-512's own instructions for powers of
 * two and reciprocals: 0.21 ns a value where the loop above takes 0.35 and oneDNN 0.47.
 */
#if ARCH_X86_64 && defined(__GNUC__)
#define AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))

AVX512 static av_always_inline __m512 sigmoid512(__m512 x)
{
    /* in this order NaN stays NaN */
    const __m512 t = _mm512_min_ps(_mm512_set1_ps(126), _mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f)));
    const __m512 f = _mm512_reduce_ps(t, 0);    /* t - round(t) */
    __m512 p, r;

    p = _mm512_fmadd_ps(f, _mm512_set1_ps(0.00133336f), _mm512_set1_ps(0.00961814f));
    p = _mm512_fmadd_ps(f, p, _mm512_set1_ps(0.05550411f));
    p = _mm512_fmadd_ps(f, p, _mm512_set1_ps(0.24022651f));
    p = _mm512_fmadd_ps(f, p, _mm512_set1_ps(0.69314718f));
    p = _mm512_fmadd_ps(f, p, _mm512_set1_ps(1));
    p = _mm512_scalef_ps(p, _mm512_sub_ps(t, f));
    p = _mm512_add_ps(p, _mm512_set1_ps(1));
    r = _mm512_rcp14_ps(p);
    return _mm512_mul_ps(r, _mm512_fnmadd_ps(p, r, _mm512_set1_ps(2)));
}

AVX512 static av_always_inline void sigmoids512(float *dst, const float *src, int64_t nb, int silu)
{
    int64_t i = 0;

    for (; i + 64 <= nb; i += 64)
        for (int k = 0; k < 64; k += 16) {
            const __m512 x = _mm512_loadu_ps(src + i + k), y = sigmoid512(x);
            _mm512_storeu_ps(dst + i + k, silu ? _mm512_mul_ps(x, y) : y);
        }
    for (; i < nb; i += 16) {
        const __mmask16 m = nb - i >= 16 ? 0xffff : (1 << (nb - i)) - 1;
        const __m512 x = _mm512_maskz_loadu_ps(m, src + i), y = sigmoid512(x);
        _mm512_mask_storeu_ps(dst + i, m, silu ? _mm512_mul_ps(x, y) : y);
    }
}

AVX512 static void act_silu512(float *dst, const float *src, int64_t nb, float a, float b)
{
    sigmoids512(dst, src, nb, 1);
}

AVX512 static void act_sigmoid512(float *dst, const float *src, int64_t nb, float a, float b)
{
    sigmoids512(dst, src, nb, 0);
}

static int avx512(void)
{
    return av_get_cpu_flags() & AV_CPU_FLAG_AVX512;
}
#else
#define act_silu512    act_silu
#define act_sigmoid512 act_sigmoid
#define avx512() 0
#endif

typedef void (*RowAct)(float *, const float *, int64_t, float, float);

static RowAct row_act(int act)
{
    switch (act) {
    case NN_NACT_NONE:         return act_none;
    case NN_NACT_RELU:         return act_relu;
    case NN_NACT_LRELU:        return act_lrelu;
    case NN_NACT_SILU:         return avx512() ? act_silu512 : act_silu;
    case NN_NACT_SIGMOID:      return avx512() ? act_sigmoid512 : act_sigmoid;
    case NN_NACT_CLIP:         return act_clip;
    case NN_NACT_HARD_SWISH:   return act_hard_swish;
    case NN_RACT_HARD_SIGMOID: return act_hard_sigmoid;
    case NN_RACT_EXP:          return act_exp;
    case NN_RACT_NEG:          return act_neg;
    case NN_RACT_ABS:          return act_abs;
    case NN_RACT_SQRT:         return act_sqrt;
    case NN_RACT_RECIPROCAL:   return act_reciprocal;
    }
    return NULL;
}

int ff_nn_row_fast_sigmoid(void)
{
    return !!avx512();
}

int ff_nn_row_knows(int act)
{
    return !!row_act(act);
}

void ff_nn_row_act(float *dst, const float *src, int64_t nb, int act, float alpha, float beta)
{
    if (act != NN_NACT_NONE || dst != src)
        row_act(act)(dst, src, nb, alpha, beta);
}

/* ---- two operands ------------------------------------------------------------------ */

#define ROW_OP(name, expr)                                                                 \
FAST static void op_ ## name(float *dst, const float *a, const float *b, int sa, int sb, int64_t nb) \
{                                                                                          \
    if (sa && sb) {                                                                        \
        for (int64_t i = 0; i < nb; i++) {                                                 \
            const float x = a[i], y = b[i];                                                \
            dst[i] = expr;                                                                 \
        }                                                                                  \
    } else if (sa) {                                                                       \
        const float y = b[0];                                                              \
        for (int64_t i = 0; i < nb; i++) {                                                 \
            const float x = a[i];                                                          \
            dst[i] = expr;                                                                 \
        }                                                                                  \
    } else if (sb) {                                                                       \
        const float x = a[0];                                                              \
        for (int64_t i = 0; i < nb; i++) {                                                 \
            const float y = b[i];                                                          \
            dst[i] = expr;                                                                 \
        }                                                                                  \
    } else {                                                                               \
        const float x = a[0], y = b[0], z = expr;                                          \
        for (int64_t i = 0; i < nb; i++)                                                   \
            dst[i] = z;                                                                    \
    }                                                                                      \
}

ROW_OP(add, x + y)
ROW_OP(sub, x - y)
ROW_OP(mul, x * y)
ROW_OP(div, x / y)
ROW_OP(min, x < y ? x : y)
ROW_OP(max, x > y ? x : y)

void ff_nn_row_op(float *dst, const float *a, const float *b, int sa, int sb, int64_t nb, int op)
{
    static void (*const ops[])(float *, const float *, const float *, int, int, int64_t) = {
        [NN_ROW_ADD] = op_add, [NN_ROW_SUB] = op_sub, [NN_ROW_MUL] = op_mul,
        [NN_ROW_DIV] = op_div, [NN_ROW_MIN] = op_min, [NN_ROW_MAX] = op_max,
    };
    ops[op](dst, a, b, sa, sb, nb);
}

/* ---- sums, maxima, softmax ----------------------------------------------------------- */

FAST void ff_nn_row_max(float *restrict dst, const float *restrict src, int64_t nb)
{
    for (int64_t i = 0; i < nb; i++)
        dst[i] = dst[i] < src[i] ? src[i] : dst[i];
}

FAST void ff_nn_row_add(float *restrict dst, const float *restrict src, int64_t nb)
{
    for (int64_t i = 0; i < nb; i++)
        dst[i] += src[i];
}

FAST void ff_nn_row_axpy(float *restrict dst, const float *restrict src, float f, int64_t nb)
{
    for (int64_t i = 0; i < nb; i++)
        dst[i] += f * src[i];
}

FAST void ff_nn_row_times(float *restrict dst, const float *restrict src, int64_t nb)
{
    for (int64_t i = 0; i < nb; i++)
        dst[i] *= src[i];
}

FAST void ff_nn_row_scale(float *dst, float f, int64_t nb)
{
    for (int64_t i = 0; i < nb; i++)
        dst[i] *= f;
}

static av_always_inline void fold(float *restrict dst, const float *restrict src, int b, int nb, int sum)
{
    for (int k = 0; k < b; k++)
        dst[k] = src[k];
    for (int i = 1; i < nb; i++)
        for (int k = 0; k < b; k++) {
            const float x = src[(int64_t)i * b + k];
            dst[k] = sum ? dst[k] + x : dst[k] < x ? x : dst[k];
        }
}

FAST void ff_nn_row_fold(float *restrict dst, const float *restrict src, int b, int nb, int sum)
{
    if (b == 16 && !sum)
        fold(dst, src, 16, nb, 0);
    else
        fold(dst, src, b, nb, sum);
}

FAST void ff_nn_row_exp_minus(float *dst, const float *src, const float *m, int64_t nb)
{
    for (int64_t i = 0; i < nb; i++)
        dst[i] = exp_of(src[i] - m[i]);
}

/* 16 partial results: a vector, in an order that is the same on every CPU */
FAST static void sixteen(float *restrict acc, const float *restrict src, int64_t nb, int sum)
{
    if (sum) {
        for (int64_t i = 0; i < nb; i++)
            for (int k = 0; k < 16; k++)
                acc[k] += src[16 * i + k];
    } else {
        for (int64_t i = 0; i < nb; i++)
            for (int k = 0; k < 16; k++)
                acc[k] = acc[k] < src[16 * i + k] ? src[16 * i + k] : acc[k];
    }
}

float ff_nn_row_largest(const float *src, int64_t nb)
{
    float acc[16], m = src[0];

    if (nb >= 16) {
        for (int k = 0; k < 16; k++)
            acc[k] = src[k];
        sixteen(acc, src + 16, nb / 16 - 1, 0);
        for (int k = 0; k < 16; k++)
            m = FFMAX(m, acc[k]);
    }
    for (int64_t i = nb / 16 * 16; i < nb; i++)
        m = FFMAX(m, src[i]);
    return m;
}

FAST static void exp_shift(float *dst, const float *src, float m, int64_t nb)
{
    for (int64_t i = 0; i < nb; i++)
        dst[i] = exp_of(src[i] - m);
}

void ff_nn_row_softmax(float *dst, const float *src, int64_t nb)
{
    float acc[16] = { 0 }, sum = 0;

    exp_shift(dst, src, ff_nn_row_largest(src, nb), nb);
    sixteen(acc, dst, nb / 16, 1);
    for (int k = 0; k < 16; k++)
        sum += acc[k];
    for (int64_t i = nb / 16 * 16; i < nb; i++)
        sum += dst[i];
    ff_nn_row_scale(dst, 1 / sum, nb);
}

/* ---- blocks of channels -------------------------------------------------------------- */

/* 16 pixels at a time: what is read and what is written stays in the first-level cache */
FAST void ff_nn_row_unblock(float *restrict dst, int64_t dst_stride, const float *restrict src,
                            int b, int used, int nb)
{
    int x = 0;

    for (; x + 16 <= nb; x += 16)
        for (int c = 0; c < used; c++)
            for (int k = 0; k < 16; k++)
                dst[c * dst_stride + x + k] = src[(int64_t)(x + k) * b + c];
    for (int c = 0; c < used; c++)
        for (int k = x; k < nb; k++)
            dst[c * dst_stride + k] = src[(int64_t)k * b + c];
}

FAST void ff_nn_row_block(float *restrict dst, const float *restrict src, int64_t src_stride,
                          int b, int used, int nb)
{
    for (int x = 0; x < nb; x++) {
        for (int c = 0; c < used; c++)
            dst[(int64_t)x * b + c] = src[c * src_stride + x];
        for (int c = used; c < b; c++)
            dst[(int64_t)x * b + c] = 0;
    }
}
