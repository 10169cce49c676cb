/*
 * Kernels between convolutions, against their definition
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

#include "nets.h"
#include "tap.h"

#include "libavutil/macros.h"
#include "libavfilter/nn_strip.h"

static uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    return u;
}

static float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

/* nearest even, from the definition: the nearer neighbour, the even one of two */
static uint16_t round_bf16(float f)
{
    const uint32_t lo = bits_of(f) & 0xffff0000, rest = bits_of(f) & 0xffff;
    const int up = rest > 0x8000 || (rest == 0x8000 && (lo >> 16 & 1));

    return (lo >> 16) + up;
}

static void test_kernels(const NNStripDSP *dsp)
{
    enum { N = 37 };
    static const int cs[] = { 64, 32, 48, 24, 3, 17 };
    int bad = 0;
    uint32_t seed = 5;

    for (int k = 0; k < FF_ARRAY_ELEMS(cs); k++) {
        const int c = cs[k], nb = N * c;
        float *x = malloc(nb * 4), *y = malloc(nb * 4), *slope = malloc(c * 4);
        uint16_t *h = malloc(nb * 2), *b = malloc(nb * 2);
        for (int i = 0; i < c; i++)
            slope[i] = 1.5f * nets_unit(&seed);     /* outside [0,1] too */
        for (int i = 0; i < nb; i++) {
            x[i] = 8 * nets_unit(&seed);
            if (i % 5 == 0)                         /* halfway between two bf16 values */
                x[i] = float_of((bits_of(x[i]) & 0xffff0000) | 0x8000);
            h[i] = round_bf16(x[i]);
        }
        x[7] = 0.0f;
        memcpy(y, x, nb * 4);
        dsp->act_f32(y, slope, N, c);
        for (int i = 0; i < nb; i++)
            bad += y[i] != (x[i] < 0 ? x[i] * slope[i % c] : x[i]);
        dsp->act_narrow(b, x, slope, N, c);
        for (int i = 0; i < nb; i++)
            bad += b[i] != round_bf16(x[i] < 0 ? x[i] * slope[i % c] : x[i]);
        memcpy(b, h, nb * 2);
        dsp->act_bf16(b, slope, N, c);
        for (int i = 0; i < nb; i++) {
            const float v = float_of((uint32_t)h[i] << 16);
            bad += b[i] != round_bf16(v < 0 ? v * slope[i % c] : v);
        }
        dsp->narrow(b, x, nb);
        dsp->widen(y, b, nb);
        for (int i = 0; i < nb; i++)
            bad += b[i] != round_bf16(x[i]) || bits_of(y[i]) != (uint32_t)b[i] << 16;
        dsp->add(y, x, 0.2f, x, -1, nb);
        for (int i = 0; i < nb; i++)
            bad += fabsf(y[i] + 0.8f * x[i]) > 1e-5f;
        free(x); free(y); free(slope); free(h); free(b);
    }
    tap_ok(!bad, "strip kernels, %s: %d values differ", dsp->name, bad);
}

static void test_nan(const NNStripDSP *dsp)
{
    float x[32], slope[32];
    uint16_t b[32];
    int bad = 0;

    for (int i = 0; i < 32; i++) {
        x[i] = i % 2 ? -NAN : NAN;
        slope[i] = 0.5f;
    }
    dsp->act_narrow(b, x, slope, 1, 32);
    dsp->act_bf16(b, slope, 1, 32);
    for (int i = 0; i < 32; i++)
        bad += !isnan(float_of((uint32_t)b[i] << 16));
    dsp->act_f32(x, slope, 1, 32);
    for (int i = 0; i < 32; i++)
        bad += !isnan(x[i]);
    tap_ok(!bad, "NaN stays NaN, %s", dsp->name);
}

static void test_shuffle(int f)
{
    enum { W = 11 };
    float src[W * 48], in[3][W], out[3][4][4 * W + 1];
    float *const po[3] = { out[0][0], out[1][0], out[2][0] };
    const float *const pi[3] = { in[0], in[1], in[2] };
    uint32_t seed = 9;
    int bad = 0;

    for (int i = 0; i < W * 3 * f * f; i++)
        src[i] = nets_unit(&seed);
    for (int i = 0; i < 3 * W; i++)
        in[i / W][i % W] = nets_unit(&seed);
    ff_nn_shuffle_row(po, 4 * W + 1, src, pi, 3, f, W);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < f; i++)
            for (int x = 0; x < W * f; x++)
                bad += out[c][i][x] != src[x / f * 3 * f * f + c * f * f + i * f + x % f] + in[c][x / f];
    tap_ok(!bad, "pixel shuffle by %d with skip", f);
}

int main(void)
{
    const NNStripDSP *dsp;

    for (int i = 0; (dsp = ff_nn_strip_variant(i)); i++) {
        test_kernels(dsp);
        test_nan(dsp);
    }
    for (int f = 2; f <= 4; f++)
        test_shuffle(f);
    return tap_done();
}
