/*
 * Vector code from plain C loops
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


#ifndef AVFILTER_NN_SIMD_H
#define AVFILTER_NN_SIMD_H

#include "config.h"

/**
 * @file
 * FFmpeg is built for plain x86-64 and, by gcc, without the loop vectoriser. A
 * function marked NN_SIMD is compiled once for each of these instruction sets
 * with the vectoriser on; the one that fits is bound when the program is loaded.
 * Loops in it must be plain: restrict pointers, no calls, no early exit.
 */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && \
    ARCH_X86_64 && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__)
/* choosing at load time needs glibc; not with ASan, whose calls in the chooser
 * come before its start */
#define NN_SIMD __attribute__((optimize("O3", "tree-vectorize", "no-trapping-math"), \
                               target_clones("avx512f", "avx2", "default")))
#elif defined(__GNUC__) && !defined(__clang__)
#define NN_SIMD __attribute__((optimize("O3", "tree-vectorize", "no-trapping-math")))
#else
#define NN_SIMD
#endif

#endif /* AVFILTER_NN_SIMD_H */
