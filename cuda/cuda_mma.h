/*
 * Kernels: tensor cores, asynchronous copies, fp16
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

#ifndef FFREEL_CUDA_MMA_H
#define FFREEL_CUDA_MMA_H

/**
 * @file
 * What a warp or a block does as one, for kernels in the manner of px_cuda.h. On
 * a CPU tests/cuda_host_mma.h stands in, with the same layout of fragments over
 * lanes, so that a wrong index there is a wrong picture.
 *
 * CUDA_REG(type, name, n)  registers of a thread that last from phase to phase;
 *                          in a phase: name[CUDA_AT(t)][i]
 * CUDA_KERNEL_OF(threads, name)  CUDA_KERNEL name, of so many threads a block at most
 * CUDA_ALONE()             first line of a kernel that is not all in phases
 *
 * Not in a phase (addresses are expressions of t, the thread):
 * NN_LDMATRIX(r, i, addr)  r[i..i+3] = four 8x8 matrices of 16-bit words, of which
 *                          lane 8 * m + k gives the address of row k of matrix m
 * NN_LOAD4(r, i, addr)     r[i..i+3] = 16 bytes of shared memory
 * NN_MMA(d, i, a, j, b, k) d[i..i+3] += a[j..j+3] * b[k..k+1]: m16n8k16, fp16, fp32 sums
 * NN_COMMIT()              ends a group of copies
 * NN_WAIT(n)               all but the last n (0 or 1) groups of this thread's have landed
 *
 * nn_copy16(to, from, inside)  in a phase: 16 bytes to shared memory, zeros if
 *                              not inside; there after NN_WAIT
 */

#include "px_cuda.h"
#include "nn_cuda_kernel.h"

#ifdef PX_CUDA_HOST
#include "cuda_host_mma.h"
#else

#ifdef __CUDACC__
#define CUDA_FN static __device__ __forceinline__
#else
#define CUDA_FN static __attribute__((device, always_inline)) inline
#endif
#define CUDA_REG(type, name, n) type name[1][n]
#define CUDA_AT(t) 0
#define CUDA_ALONE() ((void)0)
#define CUDA_ROLLED _Pragma("unroll 1")
#ifdef __CUDACC__
#define CUDA_KERNEL_OF(threads, name) extern "C" __global__ void __launch_bounds__(threads) name
#else
#define CUDA_KERNEL_OF(threads, name) \
    extern "C" __attribute__((global)) __attribute__((launch_bounds(threads))) void name
#endif

typedef unsigned nn_shared;         ///< address in shared memory

#ifdef __CUDACC__
extern __shared__ __align__(16) unsigned char nn_dynamic[];
#else
extern __attribute__((shared, aligned(16))) unsigned char nn_dynamic[];
#endif

CUDA_FN nn_shared nn_shared_base(void)
{
    unsigned a;

    asm("{ .reg .u64 t; cvta.to.shared.u64 t, %1; cvt.u32.u64 %0, t; }" : "=r"(a) : "l"(nn_dynamic));
    return a;
}

/* 0, but not so that a compiler makes a loop over it a memset, which is no code for registers */
CUDA_FN float nn_zero(void)
{
    float f;

    asm("mov.f32 %0, 0f00000000;" : "=f"(f));
    return f;
}

CUDA_FN float nn_float(nn_half h)
{
    float f;

    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
    return f;
}

CUDA_FN nn_half nn_round(float f)
{
    nn_half h;

    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
    return h;
}

CUDA_FN void nn_ldmatrix(unsigned *r, nn_shared at)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}

CUDA_FN void nn_load4(unsigned *r, nn_shared at)
{
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}

CUDA_FN void nn_mma(float *d, const unsigned *a, const unsigned *b)
{
#if NN_CUDA_ARCH >= 80
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    /* Turing has half of it: the same lanes hold the same values */
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(b[0]));
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[2]), "r"(a[3]), "r"(b[1]));
#endif
}

#define NN_THREAD ((int)threadIdx.x)
#define NN_LDMATRIX(r, i, addr)  do { const int t = NN_THREAD; nn_ldmatrix(&r[0][i], addr); } while (0)
#define NN_LOAD4(r, i, addr)     do { const int t = NN_THREAD; nn_load4(&r[0][i], addr); } while (0)
#define NN_MMA(d, i, a, j, b, k) nn_mma(&d[0][i], &a[0][j], &b[0][k])

CUDA_FN void nn_copy16(nn_shared to, const void *from, int inside)
{
#if NN_CUDA_ARCH >= 80
    asm volatile("{ .reg .u64 g; cvta.to.global.u64 g, %1; cp.async.cg.shared.global [%0], [g], 16, %2; }"
                 :: "r"(to), "l"(from), "r"(inside ? 16 : 0) : "memory");
#else
    unsigned v[4] = { 0, 0, 0, 0 };

    if (inside)
        asm volatile("{ .reg .u64 g; cvta.to.global.u64 g, %4; ld.global.v4.u32 {%0, %1, %2, %3}, [g]; }"
                     : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3]) : "l"(from));
    asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};"
                 :: "r"(to), "r"(v[0]), "r"(v[1]), "r"(v[2]), "r"(v[3]) : "memory");
#endif
}

#if NN_CUDA_ARCH >= 80
#define NN_COMMIT() asm volatile("cp.async.commit_group;" ::: "memory")
#define NN_WAIT(n)                                                                      \
    do {                                                                                \
        if (n)                                                                          \
            asm volatile("cp.async.wait_group 1;" ::: "memory");                        \
        else                                                                            \
            asm volatile("cp.async.wait_group 0;" ::: "memory");                        \
    } while (0)
#else
#define NN_COMMIT() ((void)0)
#define NN_WAIT(n)  ((void)(n))
#endif

#endif /* PX_CUDA_HOST */
#endif /* FFREEL_CUDA_MMA_H */
