/*
 * Tensor cores, asynchronous copies and fp16 for kernels that run on the CPU
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

#ifndef FFREEL_TESTS_CUDA_HOST_MMA_H
#define FFREEL_TESTS_CUDA_HOST_MMA_H

/**
 * @file
 * Stands in for the second half of cuda/cuda_mma.h. The layout of fragments
 * over the lanes of a warp is that of PTX ISA, "Matrix Fragments for
 * mma.m16n8k16 with floating point type" and "ldmatrix"; so a kernel that puts a
 * value into another lane than a GPU would gives a wrong picture here, too.
 *
 * Copies to shared memory happen as late as they may: when NN_WAIT asks for
 * their group. What reads before that reads what was there before.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CUDA_HOST_THREADS 256
#define CUDA_HOST_COPIES (1 << 15)

#define CUDA_FN static inline
#define CUDA_REG(type, name, n) static _Thread_local type name[CUDA_HOST_THREADS][n]
#define CUDA_AT(t) (t)
#define CUDA_ALONE() do { if (threadIdx.x || threadIdx.y) return; } while (0)
#define CUDA_ROLLED

typedef unsigned char *nn_shared;

CUDA_FN nn_shared nn_shared_base(void)
{
    return cuda_host_dynamic;
}

/* ---- fp16 ----------------------------------------------------------------------- */

CUDA_FN float nn_zero(void)
{
    return 0;
}

CUDA_FN float nn_float(nn_half h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3FF;
    uint32_t u;
    float f;

    if (!e)
        f = (sign ? -1.f : 1.f) * m * 0x1p-24f;
    else {
        u = sign | (e == 31 ? 0x7F800000 : (e + 112) << 23) | m << 13;
        memcpy(&f, &u, sizeof(f));
    }
    return f;
}

/* to nearest, ties to even */
CUDA_FN nn_half nn_round(float f)
{
    uint32_t u, a, sign;

    memcpy(&u, &f, sizeof(u));
    sign = u >> 16 & 0x8000;
    a    = u & 0x7FFFFFFF;
    if (a > 0x7F800000)
        return 0x7FFF;
    if (a >= 0x477FF000)
        return sign | 0x7C00;
    if (a < 0x38800000) {       /* subnormal: the sum is rounded to a multiple of 2^-24 */
        float v;
        memcpy(&v, &a, sizeof(v));
        v += 0.5f;
        memcpy(&a, &v, sizeof(a));
        return sign | (a - 0x3F000000);
    }
    a += 0xFFF + (a >> 13 & 1);
    return sign | ((a - 0x38000000) >> 13);
}

/* ---- what a warp does as one -------------------------------------------------------- */

static inline int cuda_host_threads(void)
{
    return blockDim.x * blockDim.y;
}

/* r[t * stride + i]: register i of thread t */
static inline void cuda_host_ldmatrix(unsigned *r, int stride, const nn_shared *row)
{
    for (int t = 0; t < cuda_host_threads(); t++)
        for (int m = 0; m < 4; m++)
            memcpy(&r[t * stride + m], row[(t & ~31) + 8 * m + (t & 31) / 4] + 4 * (t & 3), 4);
}

/* nn_float() of all there are: a product takes 768 of them */
static float cuda_host_halves[65536];

__attribute__((constructor)) static void cuda_host_fill(void)
{
    for (int i = 0; i < 65536; i++)
        cuda_host_halves[i] = nn_float(i);
}

static inline void cuda_host_half2(float *v, unsigned word)
{
    v[0] = cuda_host_halves[word & 0xFFFF];
    v[1] = cuda_host_halves[word >> 16];
}

typedef float cuda_host_row __attribute__((vector_size(32), aligned(4), may_alias));

/* one warp: d (16 x 8) += a (16 x 16) * b (16 x 8) */
static inline void cuda_host_mma_warp(float *d, int ds, const unsigned *a, int as, const unsigned *b, int bs)
{
    float ma[16][16], mb[16][8], md[16][8];

    for (int lane = 0; lane < 32; lane++) {
        const int g = lane >> 2, q = 2 * (lane & 3);
        for (int i = 0; i < 4; i++) {
            cuda_host_half2(&ma[g + 8 * (i & 1)][q + 8 * (i >> 1)], a[lane * as + i]);
            md[g + 8 * (i >> 1)][q + (i & 1)] = d[lane * ds + i];
        }
        for (int i = 0; i < 2; i++) {
            float v[2];
            cuda_host_half2(v, b[lane * bs + i]);
            mb[q + 8 * i][g]     = v[0];
            mb[q + 8 * i + 1][g] = v[1];
        }
    }
    for (int y = 0; y < 16; y++)
        for (int k = 0; k < 16; k++)
            *(cuda_host_row *)md[y] += ma[y][k] * *(cuda_host_row *)mb[k];
    for (int lane = 0; lane < 32; lane++)
        for (int i = 0; i < 4; i++)
            d[lane * ds + i] = md[(lane >> 2) + 8 * (i >> 1)][2 * (lane & 3) + (i & 1)];
}

static inline void cuda_host_mma(float *d, int ds, const unsigned *a, int as, const unsigned *b, int bs)
{
    for (int t = 0; t < cuda_host_threads(); t += 32)
        cuda_host_mma_warp(d + t * ds, ds, a + t * as, as, b + t * bs, bs);
}

#define CUDA_HOST_STRIDE(r) ((int)(sizeof(r[0]) / sizeof(r[0][0])))
#define NN_LDMATRIX(r, i, addr)                                                                     \
    do {                                                                                            \
        nn_shared row_[CUDA_HOST_THREADS];                                                          \
        for (int t = 0; t < cuda_host_threads(); t++)                                               \
            row_[t] = addr;                                                                         \
        cuda_host_ldmatrix(&r[0][i], CUDA_HOST_STRIDE(r), row_);                                    \
    } while (0)
#define NN_LOAD4(r, i, addr)                                                                        \
    do {                                                                                            \
        for (int t = 0; t < cuda_host_threads(); t++)                                               \
            memcpy(&r[t][i], addr, 16);                                                             \
    } while (0)
#define NN_MMA(d, i, a, j, b, k)                                                                    \
    cuda_host_mma(&d[0][i], CUDA_HOST_STRIDE(d), &a[0][j], CUDA_HOST_STRIDE(a), &b[0][k], CUDA_HOST_STRIDE(b))

/* ---- asynchronous copies -------------------------------------------------------------- */

/* a ring: first .. begun - 1 wait for their group to be asked for */
static _Thread_local struct {
    nn_shared to;
    const void *from;           ///< NULL: zeros
    int group;
} cuda_host_copy[CUDA_HOST_COPIES];
static _Thread_local unsigned cuda_host_first, cuda_host_begun;
static _Thread_local int cuda_host_group;

CUDA_FN void nn_copy16(nn_shared to, const void *from, int inside)
{
    unsigned i = cuda_host_begun++ % CUDA_HOST_COPIES;

    if (cuda_host_begun - cuda_host_first > CUDA_HOST_COPIES || (uintptr_t)from & 15 || (to - cuda_host_dynamic) & 15)
        abort();                /* a copy that a GPU would not take, either */
    cuda_host_copy[i].to    = to;
    cuda_host_copy[i].from  = inside ? from : NULL;
    cuda_host_copy[i].group = cuda_host_group;
}

static inline void cuda_host_wait(int left)
{
    for (; cuda_host_first != cuda_host_begun; cuda_host_first++) {
        const unsigned i = cuda_host_first % CUDA_HOST_COPIES;
        if (cuda_host_copy[i].group >= cuda_host_group - left)
            return;
        if (cuda_host_copy[i].from)
            memcpy(cuda_host_copy[i].to, cuda_host_copy[i].from, 16);
        else
            memset(cuda_host_copy[i].to, 0, 16);
    }
}

#define NN_COMMIT() ((void)cuda_host_group++)
#define NN_WAIT(n)  cuda_host_wait(n)

#endif /* FFREEL_TESTS_CUDA_HOST_MMA_H */
