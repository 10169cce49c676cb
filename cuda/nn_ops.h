/*
 * Nets on the GPU: what is no 3x3 convolution
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

#ifndef FFREEL_CUDA_NN_OPS_H
#define FFREEL_CUDA_NN_OPS_H

/**
 * @file
 * A thread does one pixel, of one plane of 8 channels or of the picture.
 */

#include "cuda_mma.h"

/* 16 bytes that are read or written at once */
typedef struct __attribute__((aligned(16))) NNVec {
    nn_half v[8];
} NNVec;

CUDA_FN int nn_x(void)
{
    return (int)(blockIdx.x * blockDim.x + threadIdx.x);
}

CUDA_FN int nn_y(void)
{
    return (int)(blockIdx.y * blockDim.y + threadIdx.y);
}

CUDA_FN const nn_half *nn_at(const nn_half *p, long long plane_size, int c, int stride, int x, int y)
{
    return p + 8 * ((c >> 3) * plane_size + (long long)y * stride + x) + (c & 7);
}

CUDA_FN float nn_act(float v, float slope)
{
    return v >= 0 ? v : slope * v;
}

/* ---- convolution ------------------------------------------------------------------ */

/* channel c of pixel (x, y) of dst, before the activation */
CUDA_FN float conv_any_sum(const NNConvAny p, int c, int x, int y)
{
    const int per_group = p.in_c / p.groups, first = c / (p.c / p.groups) * per_group, r = p.kernel / 2;
    const float *w = p.weights + (long long)c * per_group * p.kernel * p.kernel;
    float sum = p.bias[c];

    for (int i = first; i < first + per_group; i++)
        for (int ky = -r; ky <= r; ky++)
            for (int kx = -r; kx <= r; kx++, w++) {
                const int sx = x * p.stride + kx, sy = y * p.stride + ky;
                if ((unsigned)sx < (unsigned)p.src_w && (unsigned)sy < (unsigned)p.src_h)
                    sum += *w * nn_float(*nn_at(p.src, p.src_plane, i, p.src_w, sx, sy));
            }
    return sum;
}

CUDA_FN void conv_any(const NNConvAny p)
{
    const int x = nn_x(), y = nn_y(), c0 = 8 * (int)blockIdx.z;
    NNVec out = { { 0 } };

    if (x >= p.w || y >= p.h)
        return;
    for (int i = 0; i < 8; i++)
        if (c0 + i < p.c)
            out.v[i] = nn_round(nn_act(conv_any_sum(p, c0 + i, x, y), p.slope[c0 + i]));
    *(NNVec *)nn_at(p.dst, p.dst_plane, c0, p.w, x, y) = out;
}

/* ---- moving ------------------------------------------------------------------------- */

/* channel c of what op makes of src, at (x, y) of dst */
CUDA_FN nn_half gather_from(const NNGather p, int c, int x, int y)
{
    const int f = p.factor;

    switch (p.op) {
    case NN_GATHER_UPSAMPLE:
        return *nn_at(p.src, p.src_plane, c, p.src_w, x / f, y / f);
    case NN_GATHER_SHUFFLE:
        return *nn_at(p.src, p.src_plane, c * f * f + y % f * f + x % f, p.src_w, x / f, y / f);
    case NN_GATHER_UNSHUFFLE:
        return *nn_at(p.src, p.src_plane, c / (f * f), p.src_w, x * f + c % f, y * f + c / f % f);
    default:
        return *nn_at(p.src, p.src_plane, c, p.src_w, x, y);
    }
}

/* blockIdx.z counts planes of dst from that of its first channel on */
CUDA_FN void gather(const NNGather p)
{
    const int x = nn_x(), y = nn_y(), c0 = 8 * ((int)blockIdx.z + p.first / 8), end = p.first + p.nb;

    if (x >= p.w || y >= p.h)
        return;
    for (int c = c0; c < c0 + 8; c++) {
        nn_half *to = (nn_half *)nn_at(p.dst, p.dst_plane, c, p.w, x, y);
        if (c >= p.first && c < end)
            *to = gather_from(p, c - p.first, x, y);
        else if (c >= end && p.pad)
            *to = 0;
    }
}

/* ---- arithmetic ----------------------------------------------------------------------- */

CUDA_FN void sum(const NNSum p)
{
    const int x = nn_x(), y = nn_y(), c0 = 8 * (int)blockIdx.z;
    NNVec a, b = { { 0 } }, out;

    if (x >= p.w || y >= p.h)
        return;
    a = *(const NNVec *)nn_at(p.a, p.a_plane, c0, p.w, x, y);
    if (p.b)
        b = *(const NNVec *)nn_at(p.b, p.b_plane, c0, p.w, x, y);
    CUDA_UNROLL
    for (int i = 0; i < 8; i++) {
        float v = p.scale[0] * nn_float(a.v[i]);
        if (p.b)
            v += p.scale[1] * nn_float(b.v[i]);
        out.v[i] = nn_round(p.slope ? nn_act(v, p.slope[c0 + i]) : v);
    }
    *(NNVec *)nn_at(p.dst, p.dst_plane, c0, p.w, x, y) = out;
}

/* ---- the picture, in and out ------------------------------------------------------------ */

CUDA_FN void put(const NNPut p)
{
    const int x = nn_x(), y = nn_y();
    NNVec out = { { 0 } };

    if (x >= p.w || y >= p.h)
        return;
    CUDA_UNROLL
    for (int c = 0; c < 4; c++)
        if (c < p.c) {
            const float v = p.in[c][y * p.in_stride + x];
            out.v[c] = nn_round(v);
            if (p.lo)
                out.v[p.c + c] = nn_round(v - nn_float(out.v[c]));
        }
    *(NNVec *)nn_at(p.dst, 0, 0, p.w, x, y) = out;
}

CUDA_FN int nn_finite(float v)
{
    return v - v == 0;
}

CUDA_FN float nn_clip(float v)
{
    v = v > 0 ? v : 0;              /* in this order NaN becomes 0 */
    return v < 1 ? v : 1;
}

CUDA_FN void get(const NNGet p)
{
    const int x = nn_x(), y = nn_y(), f = p.shuffle;
    const int rx = x + p.x, ry = y + p.y, sx = rx / f, sy = ry / f, first = ry % f * f + rx % f;
    float v[4] = { 0, 0, 0, 0 };
    int good = 1;

    if (x >= p.w || y >= p.h)
        return;
    CUDA_UNROLL
    for (int c = 0; c < 4; c++)
        if (c < p.c) {
            v[c] = p.scale * nn_float(*nn_at(p.src, p.src_plane, c * f * f + first, p.src_w, sx, sy));
            if (p.skip[0])
                v[c] += p.skip_scale * p.skip[c][ry / p.skip_factor * p.skip_stride + rx / p.skip_factor];
            good &= nn_finite(v[c]);
            if (p.codes)
                v[c] = nn_clip(v[c]);
        }
    if (!good && p.flag)
        *p.flag = p.mark;
    CUDA_UNROLL
    for (int c = 0; c < 4; c++)
        if (c < p.c)
            p.out[c][y * p.out_stride + x] =
                p.codes ? p.m[c][0] * v[0] + p.m[c][1] * v[1] + p.m[c][2] * v[2] + p.m[c][3] : v[c];
}

#endif /* FFREEL_CUDA_NN_OPS_H */
