/*
 * Nets on the GPU: 3x3 convolution on tensor cores
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

#ifndef FFREEL_CUDA_NN_CONV3_H
#define FFREEL_CUDA_NN_CONV3_H

/**
 * @file
 * A matrix product of pixels (rows) and output channels (columns), summed over
 * input channels and taps. A warp does 2 rows of 32 pixels and all nt planes of
 * the group: 4 x nt products of 16 x 8 a tap. One shift to the right at a time
 * it reads the four rows of pixels that its three taps of that column need, so
 * each pixel comes from shared memory 3 * 2 times, not 9. Rows of a matrix are
 * 16 bytes side by side, so no two of them share a bank, whatever the shift.
 */

#include "cuda_mma.h"

#define BORDER_W (NN_TILE_W + 2)

/* where a block stands: tile and chunk, counted on without dividing */
typedef struct Conv3Place {
    int tile, chunk;
} Conv3Place;

CUDA_FN Conv3Place conv3_next(Conv3Place at, const NNConv3 p)
{
    if (++at.chunk == p.chunks) {
        at.chunk = 0;
        at.tile += p.blocks;
    }
    return at;
}

/* one chunk of a tile with a border of a pixel; what lies outside of the picture is zero */
CUDA_FN void conv3_fetch_pixels(nn_shared to, const NNConv3 p, Conv3Place at, int t, int nb_threads)
{
    const int tile_h = NN_WARP_H * nb_threads / 32, plane_size = (tile_h + 2) * BORDER_W;
    const int ty = at.tile / p.tiles_x, tx = at.tile - ty * p.tiles_x;

    for (int i = t; i < NN_CHUNK / 8 * plane_size; i += nb_threads) {
        const int second = i >= plane_size, k = second ? i - plane_size : i;
        const int row = k / BORDER_W, x = tx * NN_TILE_W - 1 + k - row * BORDER_W, y = ty * tile_h - 1 + row;
        const int plane = NN_CHUNK / 8 * at.chunk + second;
        const int inside = (unsigned)x < (unsigned)p.w && (unsigned)y < (unsigned)p.h && plane < p.src_planes;
        const long long from = inside ? plane * p.src_plane + (long long)((unsigned)(y * p.up) >> 16) * p.src_w +
                                        ((unsigned)(x * p.up) >> 16) : 0;

        nn_copy16(to + 16 * i, p.src + 8 * from, inside);
    }
}

/* nb chunks of the group's weights */
CUDA_FN void conv3_fetch_weights(nn_shared to, const NNConv3 p, int chunk, int nb, int nt, int t, int nb_threads)
{
    const int size = nn_conv3_weights(nt) / 16;
    const unsigned *from = p.weights + 4 * (long long)size * ((int)blockIdx.z * p.chunks + chunk);

    for (int i = t; i < nb * size; i += nb_threads)
        nn_copy16(to + 16 * i, from + 4 * i, 1);
}

/* address of the row of a matrix that thread t names: rows of pixels, shifted by a tap's column */
CUDA_FN nn_shared conv3_row(nn_shared pixels, int t, int nb_threads, int row, int x)
{
    const int lane = t & 31, tile_h = NN_WARP_H * nb_threads / 32;
    const int y = (t >> 5) * NN_WARP_H + row;

    return pixels + 16 * (((lane >> 4) * (tile_h + 2) + y) * BORDER_W + x + (lane & 15));
}

/* planes n of 8 output channels: what a lane has of 4 x 16 pixels, two channels each */
CUDA_FN void conv3_store(const NNConv3 p, const float *acc, int tile, int n, int nt, int t, int nb_threads)
{
    const int plane = (int)blockIdx.z * nt + n, q = 2 * (t & 3);
    const int ty = tile / p.tiles_x, tx = tile - ty * p.tiles_x;
    const int y0 = (ty * (nb_threads / 32) + (t >> 5)) * NN_WARP_H, x0 = tx * NN_TILE_W + ((t & 31) >> 2);
    float bias[2], slope[2];

    if (plane >= p.dst_planes)
        return;
    CUDA_UNROLL
    for (int i = 0; i < 2; i++) {
        bias[i]  = p.bias[8 * plane + q + i];
        slope[i] = p.slope[8 * plane + q + i];
    }
    CUDA_UNROLL
    for (int m = 0; m < 8; m++) {
        const int y = y0 + (m >> 2), x = x0 + 8 * (m & 3);
        const long long at = (long long)y * p.w + x;
        unsigned word = 0;

        if (y >= p.h || x >= p.w)
            continue;
        CUDA_UNROLL
        for (int i = 0; i < 2; i++) {
            float v = acc[((m >> 1) * nt + n) * 4 + 2 * (m & 1) + i] + bias[i];
            v = p.scale * (v >= 0 ? v : slope[i] * v);
            if (p.res)
                v += p.res_scale * nn_float(p.res[8 * (plane * p.res_plane + at) + q + i]);
            word |= (unsigned)nn_round(v) << (16 * i);
        }
        *(px_word *)(p.dst + 8 * (plane * p.dst_plane + at) + q) = word;
    }
}

/* acc += one chunk of a tile times its weights */
#define CONV3_MULTIPLY(acc, pixels, weights, nb_threads, nt)                                                        \
    CUDA_ROLLED                                                                                                     \
    for (int dx = 0; dx < 3; dx++) {                                                                                \
        CUDA_UNROLL                                                                                                 \
        for (int r = 0; r < NN_WARP_H + 2; r++) {                                                                   \
            NN_LDMATRIX(a, 8 * r,     conv3_row(pixels, t, nb_threads, r, dx));                                     \
            NN_LDMATRIX(a, 8 * r + 4, conv3_row(pixels, t, nb_threads, r, dx + 16));                                \
        }                                                                                                           \
        CUDA_UNROLL                                                                                                 \
        for (int i = 0; i < 3 * ((nt + 1) / 2); i++) {                                                              \
            const int dy = i / ((nt + 1) / 2), n = 2 * (i % ((nt + 1) / 2));                                        \
            NN_LOAD4(b, 0, weights + (dx * 3 * ((nt + 1) / 2) + i) * NN_FRAGMENT + 16 * (t & 31));                  \
            CUDA_UNROLL                                                                                             \
            for (int m = 0; m < 4; m++) {                                                                           \
                NN_MMA(acc, (m * nt + n) * 4, a, 8 * (dy + m / 2) + 4 * (m & 1), b, 0);                             \
                if (n + 1 < nt)                                                                                     \
                    NN_MMA(acc, (m * nt + n + 1) * 4, a, 8 * (dy + m / 2) + 4 * (m & 1), b, 2);                     \
            }                                                                                                       \
        }                                                                                                           \
    }

CUDA_FN void conv3(const NNConv3 p, const int nt)
{
    CUDA_REG(float, acc, 4 * NN_MAX_NT * 4);
    CUDA_REG(unsigned, a, 8 * (NN_WARP_H + 2));
    CUDA_REG(unsigned, b, 4);
    const int nb_threads = (int)blockDim.x, pixel_size = nn_conv3_pixels(nb_threads / 32);
    const int weight_size = nn_conv3_weights(nt);
    const nn_shared weights = nn_shared_base();
    const nn_shared pixels = weights + (p.resident ? p.chunks : p.stages) * weight_size;
    Conv3Place at = { (int)blockIdx.x, 0 }, ahead = at;
    int slot = 0, fill = 0;

    CUDA_ALONE();
    if (p.resident)
        CUDA_THREADS(t)
            conv3_fetch_weights(weights, p, 0, p.chunks, nt, t, nb_threads);
    for (int i = 1; at.tile < p.tiles; i++) {
        /* before the first product, all buffers but one are filled; then one in each turn */
        const int first = i < p.stages;

        if (!first) {
            NN_WAIT(p.stages - 2);
            CUDA_SYNC();
        }
        if (ahead.tile < p.tiles) {
            CUDA_THREADS(t) {
                conv3_fetch_pixels(pixels + fill * pixel_size, p, ahead, t, nb_threads);
                if (!p.resident)
                    conv3_fetch_weights(weights + fill * weight_size, p, ahead.chunk, 1, nt, t, nb_threads);
            }
            ahead = conv3_next(ahead, p);
            fill  = fill + 1 == p.stages ? 0 : fill + 1;
        }
        NN_COMMIT();
        if (first)
            continue;
        if (!at.chunk)
            CUDA_THREADS(t)
                CUDA_UNROLL
                for (int k = 0; k < 4 * 4 * nt; k++)
                    acc[CUDA_AT(t)][k] = nn_zero();
        CONV3_MULTIPLY(acc, pixels + slot * pixel_size,
                       weights + (p.resident ? at.chunk : slot) * weight_size, nb_threads, nt)
        if (at.chunk == p.chunks - 1)
            CUDA_THREADS(t)
                CUDA_UNROLL
                for (int n = 0; n < nt; n++)
                    conv3_store(p, acc[CUDA_AT(t)], at.tile, n, nt, t, nb_threads);
        at   = conv3_next(at, p);
        slot = slot + 1 == p.stages ? 0 : slot + 1;
    }
}

#undef BORDER_W

#endif /* FFREEL_CUDA_NN_CONV3_H */
