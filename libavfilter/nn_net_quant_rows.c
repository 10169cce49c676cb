/*
 * Engine onednn for nets of any shape: the vector loops of int8
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
#include "libavutil/common.h"
#include "libavutil/cpu.h"
#include "libavutil/macros.h"
#include "libavutil/mathematics.h"
#include "libavutil/thread.h"

#include "nn_net_quant.h"

#define PIECES 32
#define PIECE  0.3125f

static float silu_table[3][PIECES];     /* of 1, u, u * u */

/* through the three points of each piece where Chebyshev's polynomial is zero */
static void init_silu(void)
{
    for (int i = 0; i < PIECES - 1; i++) {
        double x[3], y[3], a, b;
        for (int k = 0; k < 3; k++) {
            x[k] = (i + 0.5 + 0.5 * cos(M_PI * (2 * k + 1) / 6)) * PIECE;
            y[k] = x[k] / (1 + exp(-x[k])) - 0.5 * x[k];
        }
        a = (y[1] - y[0]) / (x[1] - x[0]);
        b = ((y[2] - y[0]) / (x[2] - x[0]) - a) / (x[2] - x[1]);
        silu_table[0][i] = y[0] - a * x[0] + b * x[0] * x[1];
        silu_table[1][i] = a - b * (x[0] + x[1]);
        silu_table[2][i] = b;
    }
    silu_table[1][PIECES - 1] = 0.5f;
}

void ff_nn_quant_init(void)
{
    static AVOnce once = AV_ONCE_INIT;

    ff_thread_once(&once, init_silu);
}

#if ARCH_X86_64 && defined(__GNUC__)
#define AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))

int ff_nn_quant_cpu(void)
{
    return !!(av_get_cpu_flags() & AV_CPU_FLAG_AVX512);
}

/* minima and maxima lose what is not a number; 0 * x keeps it, and infinities */
AVX512 static av_always_inline void reduce(float *lo, float *hi, __m512 l, __m512 h, __m512 nil)
{
    *lo = _mm512_reduce_min_ps(l);
    *hi = _mm512_cmp_ps_mask(nil, nil, _CMP_UNORD_Q) ? INFINITY : _mm512_reduce_max_ps(h);
}

AVX512 void ff_nn_quant_range(float *lo, float *hi, const float *src, int64_t nb)
{
    const __m512 zero = _mm512_setzero_ps();
    __m512 a = _mm512_set1_ps(*lo), b = _mm512_set1_ps(*hi), a2 = a, b2 = b, n = zero, n2 = zero;
    int64_t i = 0;

    for (; i + 32 <= nb; i += 32) {
        const __m512 x = _mm512_loadu_ps(src + i), y = _mm512_loadu_ps(src + i + 16);
        a  = _mm512_min_ps(a, x);
        b  = _mm512_max_ps(b, x);
        a2 = _mm512_min_ps(a2, y);
        b2 = _mm512_max_ps(b2, y);
        n  = _mm512_fmadd_ps(x, zero, n);
        n2 = _mm512_fmadd_ps(y, zero, n2);
    }
    for (; i < nb; i += 16) {
        const __mmask16 m = nb - i >= 16 ? 0xffff : (1 << (nb - i)) - 1;
        const __m512 x = _mm512_maskz_loadu_ps(m, src + i);     /* 0 is always in the range */
        a = _mm512_min_ps(a, x);
        b = _mm512_max_ps(b, x);
        n = _mm512_fmadd_ps(x, zero, n);
    }
    reduce(lo, hi, _mm512_min_ps(a, a2), _mm512_max_ps(b, b2), _mm512_add_ps(n, n2));
}

/* up to 16 channels of a row of a block; one pixel's bytes are pitch from the next's. sum: by channel, grows */
AVX512 void ff_nn_quant_bytes(uint8_t *dst, int pitch, const float *src, int used, int nb, float inv, int zero,
                            int64_t *sum)
{
    const __m512 f = _mm512_set1_ps(inv), z = _mm512_set1_ps(zero);
    const __mmask16 m = (1 << used) - 1;
    __m512i all = _mm512_setzero_si512();
    int32_t row[NN_LANES];

    for (int x = 0; x < nb; x++) {
        __m512i q = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_loadu_ps(src + (int64_t)x * NN_LANES), f, z));
        q   = _mm512_max_epi32(q, _mm512_setzero_si512());
        all = _mm512_add_epi32(all, q);
        if (used == NN_LANES)
            _mm_storeu_si128((__m128i *)(dst + (int64_t)x * pitch), _mm512_cvtusepi32_epi8(q));
        else
            _mm512_mask_cvtusepi32_storeu_epi8(dst + (int64_t)x * pitch, m, q);
    }
    _mm512_storeu_si512(row, all);
    for (int k = 0; k < used; k++)
        sum[k] += row[k];
}

/* one block of nb pixels of a strip: sums of bytes -> values */
AVX512 void ff_nn_quant_sums(float *dst, const float *src, int pitch, const NNFactors *f, int nb)
{
    const __m512 z = _mm512_loadu_ps(f->zero), m = _mm512_loadu_ps(f->mul), a = _mm512_loadu_ps(f->bias);

    for (int i = 0; i < nb; i++) {
        const __m512 x = _mm512_sub_ps(_mm512_loadu_ps(src + (int64_t)i * pitch), z);
        _mm512_storeu_ps(dst + (int64_t)i * NN_LANES, _mm512_fmadd_ps(x, m, a));
    }
}

/*
 * The same, SILU, and the range: x * sigmoid(x) = x / 2 + g(|x|), g by parabolas over pieces
 * of 5/16, the last one a line: within 7e-4. A byte's step is more, and this takes half the
 * time of the exact one. src and dst may be the same.
 */
AVX512 void ff_nn_quant_silu(float *dst, const float *src, int pitch, const NNFactors *f, int nb,
                              float *lo, float *hi)
{
    const __m512 z = _mm512_loadu_ps(f->zero), m = _mm512_loadu_ps(f->mul), a = _mm512_loadu_ps(f->bias);
    const __m512 per = _mm512_set1_ps(1 / PIECE), last = _mm512_set1_ps(PIECES - 0.5f);
    const __m512 zero = _mm512_setzero_ps(), half = _mm512_set1_ps(0.5f);
    __m512 c[3][2], l = _mm512_set1_ps(*lo), h = _mm512_set1_ps(*hi), nil = zero;

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++)
            c[i][k] = _mm512_loadu_ps(silu_table[i] + 16 * k);
    for (int i = 0; i < nb; i++) {
        const __m512 x = _mm512_fmadd_ps(_mm512_sub_ps(_mm512_loadu_ps(src + (int64_t)i * pitch), z), m, a);
        const __m512 u = _mm512_abs_ps(x);
        const __m512i n = _mm512_cvttps_epi32(_mm512_min_ps(_mm512_mul_ps(u, per), last));
        __m512 y = _mm512_permutex2var_ps(c[2][0], n, c[2][1]);
        y = _mm512_fmadd_ps(y, u, _mm512_permutex2var_ps(c[1][0], n, c[1][1]));
        y = _mm512_fmadd_ps(y, u, _mm512_permutex2var_ps(c[0][0], n, c[0][1]));
        y = _mm512_fmadd_ps(x, half, y);
        l = _mm512_min_ps(l, y);
        h = _mm512_max_ps(h, y);
        nil = _mm512_fmadd_ps(y, zero, nil);
        _mm512_storeu_ps(dst + (int64_t)i * NN_LANES, y);
    }
    reduce(lo, hi, l, h, nil);
}
#else
/* never run: ff_nn_quant_cpu() says no. They are what the vectors above do */
int ff_nn_quant_cpu(void)
{
    return 0;
}

void ff_nn_quant_range(float *lo, float *hi, const float *src, int64_t nb)
{
    for (int64_t i = 0; i < nb; i++) {
        *lo = FFMIN(*lo, src[i]);
        *hi = isfinite(src[i]) ? FFMAX(*hi, src[i]) : INFINITY;
    }
}

void ff_nn_quant_bytes(uint8_t *dst, int pitch, const float *src, int used, int nb, float inv, int zero, int64_t *sum)
{
    for (int x = 0; x < nb; x++)
        for (int k = 0; k < used; k++)
            sum[k] += dst[(int64_t)x * pitch + k] = av_clip_uint8(lrintf(src[(int64_t)x * NN_LANES + k] * inv + zero));
}

void ff_nn_quant_sums(float *dst, const float *src, int pitch, const NNFactors *f, int nb)
{
    for (int x = 0; x < nb; x++)
        for (int k = 0; k < NN_LANES; k++)
            dst[(int64_t)x * NN_LANES + k] = (src[(int64_t)x * pitch + k] - f->zero[k]) * f->mul[k] + f->bias[k];
}

void ff_nn_quant_silu(float *dst, const float *src, int pitch, const NNFactors *f, int nb,
                       float *lo, float *hi)
{
    for (int64_t i = 0; i < (int64_t)nb * NN_LANES; i++) {
        const int k = i % NN_LANES;
        const float x = (src[i / NN_LANES * pitch + k] - f->zero[k]) * f->mul[k] + f->bias[k], u = fabsf(x);
        const int n = u < (PIECES - 1) * PIECE ? (int)(u / PIECE) : PIECES - 1;      /* of NaN, too */
        dst[i] = 0.5f * x + silu_table[0][n] + u * (silu_table[1][n] + u * silu_table[2][n]);
        *lo = FFMIN(*lo, dst[i]);
        *hi = isfinite(dst[i]) ? FFMAX(*hi, dst[i]) : INFINITY;
    }
}
#endif
