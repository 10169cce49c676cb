/*
 * Integer pixel math that C and CUDA share: the words it is written in
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

#ifndef AVFILTER_PX_H
#define AVFILTER_PX_H

/**
 * @file
 * The *_px.h headers hold formulas: integers in, integers out. They know no
 * frames, no floating point and no C library, so that the C filter and a CUDA
 * kernel compile the same text and give the same bytes.
 *
 * PX_FN   one formula: inlined everywhere
 * PX_HOT  a C loop over such formulas: vectorised, and compiled for several
 *         vector widths of which the loader picks one. FFmpeg itself builds
 *         without the vectoriser and for SSE2. Integer math makes the result
 *         the same in every width. Expands to nothing where the compiler or
 *         the C library lacks it.
 */

#ifdef __CUDACC__
#define PX_FN static __host__ __device__ __forceinline__
#elif defined(__CUDA__)
#define PX_FN static __attribute__((host, device, always_inline)) inline
#elif defined(__GNUC__)
#define PX_FN static inline __attribute__((always_inline))
#else
#define PX_FN static inline
#endif

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && \
    defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__)
#define PX_HOT __attribute__((optimize("O3", "tree-vectorize"), \
                              target_clones("arch=x86-64-v4", "avx2", "default")))
#elif defined(__GNUC__) && !defined(__clang__)
#define PX_HOT __attribute__((optimize("O3", "tree-vectorize")))
#else
#define PX_HOT
#endif

/** p will be read soon; may point anywhere */
#ifdef __GNUC__
#define PX_PREFETCH(p) __builtin_prefetch(p)
#else
#define PX_PREFETCH(p) ((void)0)
#endif

PX_FN int px_clip(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/** round(a * b / 2^15) of two 16-bit values; one instruction (pmulhrsw) where
 *  the vectoriser finds it */
PX_FN int px_mulr15(int a, int b)
{
    return (short)(((a * b >> 14) + 1) >> 1);
}

#endif /* AVFILTER_PX_H */
