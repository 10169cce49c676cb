/*
 * Nets on the GPU: the kernels
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

#include "nn_conv3.h"
#include "nn_ops.h"

/* a kernel for each width of a group that pays, so that sums stay in registers */
#define CONV3(channels)                                                     \
CUDA_KERNEL_OF(32 * NN_MAX_WARPS, nn_conv3_ ## channels)(const NNConv3 p)   \
{                                                                           \
    conv3(p, channels / 8);                                                 \
}
CONV3(8)
CONV3(16)
CONV3(24)
CONV3(32)
CONV3(48)
CONV3(64)

CUDA_KERNEL nn_conv_any(const NNConvAny p)
{
    conv_any(p);
}

CUDA_KERNEL nn_gather(const NNGather p)
{
    gather(p);
}

CUDA_KERNEL nn_sum(const NNSum p)
{
    sum(p);
}

CUDA_KERNEL nn_put(const NNPut p)
{
    put(p);
}

CUDA_KERNEL nn_get(const NNGet p)
{
    get(p);
}
