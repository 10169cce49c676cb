/*
 * Nets on the CPU: what is done to tensors between convolutions
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

#include <string.h>

#include "libavutil/attributes.h"
#include "libavutil/cpu.h"
#include "libavutil/macros.h"

#include "nn_strip.h"

/*
 * Vectors of 16 floats in the compilers' own notation (gcc and clang): FFmpeg
 * builds without auto-vectorisation. The same text is compiled once for each
 * instruction set; on a smaller one the compiler splits the vectors.
 */
typedef float    vf __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t  vi __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t vu __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t vh __attribute__((vector_size(32), aligned(2), may_alias));
typedef float    v4 __attribute__((vector_size(16), aligned(4), may_alias));

#define INLINE static av_always_inline

/* ---- bodies --------------------------------------------------------------------- */

union bits { float f; uint32_t u; };

INLINE uint16_t to_bf16(float f)
{
    union bits b = { f };

    return (b.u + 0x7fff + (b.u >> 16 & 1)) >> 16;
}

INLINE float from_bf16(uint16_t h)
{
    union bits b = { .u = (uint32_t)h << 16 };

    return b.f;
}

/* hw: the CPU rounds itself (denormals become 0); clang checks operands even in
 * the variants in which hw is 0, so it always rounds by integers */
INLINE void store_bf16(uint16_t *dst, const vf *v, int hw)
{
    vu u = (vu)*v;
#if defined(__x86_64__) && !defined(__clang__)
    if (hw) {
        vh h;
        __asm__("vcvtneps2bf16 %1, %0" : "=v"(h) : "v"(*v));
        *(vh *)dst = h;
        return;
    }
#endif
    u = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    *(vh *)dst = __builtin_convertvector(u, vh);
}

INLINE void load_bf16(vf *v, const uint16_t *src)
{
    *v = (vf)(__builtin_convertvector(*(const vh *)src, vu) << 16);
}

INLINE void act(vf *x, const float *slope)
{
    const vi neg = *x < 0;
    const vf y   = *x * *(const vf *)slope;

    *x = (vf)((neg & (vi)y) | (~neg & (vi)*x));
}

INLINE float act1(float x, float slope)
{
    return x < 0 ? x * slope : x;
}

INLINE void act_f32(float *x, const float *slope, size_t nb, int c)
{
    for (size_t i = 0; i < nb; i++, x += c) {
        int k = 0;
        for (; k + 16 <= c; k += 16) {
            vf v = *(vf *)(x + k);
            act(&v, slope + k);
            *(vf *)(x + k) = v;
        }
        for (; k < c; k++)
            x[k] = act1(x[k], slope[k]);
    }
}

INLINE void act_bf16(uint16_t *x, const float *slope, size_t nb, int c, int hw)
{
    for (size_t i = 0; i < nb; i++, x += c) {
        int k = 0;
        for (; k + 16 <= c; k += 16) {
            vf v;
            load_bf16(&v, x + k);
            act(&v, slope + k);
            store_bf16(x + k, &v, hw);
        }
        for (; k < c; k++)
            x[k] = to_bf16(act1(from_bf16(x[k]), slope[k]));
    }
}

INLINE void act_narrow(uint16_t *dst, const float *src, const float *slope, size_t nb, int c, int hw)
{
    for (size_t i = 0; i < nb; i++, src += c, dst += c) {
        int k = 0;
        for (; k + 16 <= c; k += 16) {
            vf v = *(const vf *)(src + k);
            act(&v, slope + k);
            store_bf16(dst + k, &v, hw);
        }
        for (; k < c; k++)
            dst[k] = to_bf16(act1(src[k], slope[k]));
    }
}

INLINE void narrow(uint16_t *dst, const float *src, size_t nb, int hw)
{
    size_t i = 0;

    for (; i + 16 <= nb; i += 16) {
        vf v = *(const vf *)(src + i);
        store_bf16(dst + i, &v, hw);
    }
    for (; i < nb; i++)
        dst[i] = to_bf16(src[i]);
}

INLINE void widen(float *dst, const uint16_t *src, size_t nb)
{
    size_t i = 0;

    for (; i + 16 <= nb; i += 16) {
        vf v;
        load_bf16(&v, src + i);
        *(vf *)(dst + i) = v;
    }
    for (; i < nb; i++)
        dst[i] = from_bf16(src[i]);
}

INLINE void add(float *dst, const float *a, float sa, const float *b, float sb, size_t nb)
{
    size_t i = 0;

    for (; i + 16 <= nb; i += 16)
        *(vf *)(dst + i) = *(const vf *)(a + i) * sa + *(const vf *)(b + i) * sb;
    for (; i < nb; i++)
        dst[i] = a[i] * sa + b[i] * sb;
}

/* ---- one set for each instruction set --------------------------------------------- */

/* with the usual channel counts constant, slopes stay in registers */
#define VARIANT(sfx, attr, hw)                                                                          \
attr static void act_f32_##sfx(float *x, const float *slope, size_t nb, int c)                          \
{                                                                                                       \
    if (c == 64)      act_f32(x, slope, nb, 64);                                                        \
    else if (c == 32) act_f32(x, slope, nb, 32);                                                        \
    else              act_f32(x, slope, nb, c);                                                         \
}                                                                                                       \
attr static void act_bf16_##sfx(uint16_t *x, const float *slope, size_t nb, int c)                      \
{                                                                                                       \
    if (c == 64)      act_bf16(x, slope, nb, 64, hw);                                                   \
    else if (c == 32) act_bf16(x, slope, nb, 32, hw);                                                   \
    else              act_bf16(x, slope, nb, c, hw);                                                    \
}                                                                                                       \
attr static void act_narrow_##sfx(uint16_t *dst, const float *src, const float *slope, size_t nb, int c) \
{                                                                                                       \
    if (c == 64)      act_narrow(dst, src, slope, nb, 64, hw);                                          \
    else if (c == 32) act_narrow(dst, src, slope, nb, 32, hw);                                          \
    else              act_narrow(dst, src, slope, nb, c, hw);                                           \
}                                                                                                       \
attr static void narrow_##sfx(uint16_t *dst, const float *src, size_t nb) { narrow(dst, src, nb, hw); } \
attr static void widen_##sfx(float *dst, const uint16_t *src, size_t nb)  { widen(dst, src, nb); }      \
attr static void add_##sfx(float *dst, const float *a, float sa, const float *b, float sb, size_t nb)   \
{                                                                                                       \
    add(dst, a, sa, b, sb, nb);                                                                         \
}                                                                                                       \
static const NNStripDSP dsp_##sfx = {                                                                   \
    #sfx, act_f32_##sfx, act_bf16_##sfx, act_narrow_##sfx, narrow_##sfx, widen_##sfx, add_##sfx         \
};

VARIANT(c, , 0)
#if defined(__x86_64__)
#define TARGET(t) __attribute__((target(t)))
VARIANT(avx2,   TARGET("avx2"), 0)
VARIANT(avx512, TARGET("avx512f,avx512bw,avx512dq,avx512vl"), 0)
VARIANT(avx512_bf16, TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"), 1)
#endif

const NNStripDSP *ff_nn_strip_variant(int i)
{
#if defined(__x86_64__)
    const int flags  = av_get_cpu_flags();
    const int avx2   = flags & AV_CPU_FLAG_AVX2;
    const int avx512 = avx2 && flags & AV_CPU_FLAG_AVX512;
    /* libavutil has no flag for this one */
    const int bf16   = avx512 && __builtin_cpu_supports("avx512bf16");
    const NNStripDSP *const list[] = {
        &dsp_c, avx2 ? &dsp_avx2 : NULL, avx512 ? &dsp_avx512 : NULL, bf16 ? &dsp_avx512_bf16 : NULL
    };
#else
    const NNStripDSP *const list[] = { &dsp_c };
#endif
    return i >= 0 && i < FF_ARRAY_ELEMS(list) ? list[i] : NULL;
}

const NNStripDSP *ff_nn_strip_dsp(void)
{
    int i = 0;

    while (ff_nn_strip_variant(i + 1))
        i++;
    return ff_nn_strip_variant(i);
}

/* ---- in and out --------------------------------------------------------------------- */

void ff_nn_interleave(float *dst, const float *const *in, int c, int w)
{
    if (c == 3) {
        const float *a = in[0], *b = in[1], *d = in[2];
        for (int x = 0; x < w; x++, dst += 3) {
            dst[0] = a[x];
            dst[1] = b[x];
            dst[2] = d[x];
        }
        return;
    }
    for (int k = 0; k < c; k++)
        for (int x = 0; x < w; x++)
            dst[x * c + k] = in[k][x];
}

/* four samples at once */
static void shuffle4(float *out, const float *src, const float *skip, int nb_c, int w)
{
    for (int x = 0; x < w; x++) {
        v4 v = *(const v4 *)(src + (size_t)x * nb_c);
        if (skip)
            v += skip[x];
        *(v4 *)(out + 4 * x) = v;
    }
}

static void shuffle_any(float *out, const float *src, const float *skip, int nb_c, int f, int w)
{
    for (int x = 0; x < w; x++)
        for (int j = 0; j < f; j++)
            out[x * f + j] = src[(size_t)x * nb_c + j] + (skip ? skip[x] : 0);
}

void ff_nn_shuffle_row(float *const *out, ptrdiff_t out_stride, const float *src,
                       const float *const *skip, int c, int f, int w)
{
    for (int k = 0; k < c; k++) {
        const float *s = skip ? skip[k] : NULL;
        for (int i = 0; i < f; i++) {
            float *dst = out[k] + i * out_stride;
            const float *from = src + (k * f + i) * f;
            if (f == 4)
                shuffle4(dst, from, s, c * f * f, w);
            else
                shuffle_any(dst, from, s, c * f * f, f, w);
        }
    }
}
