/*
 * A CUDA driver for tests: the kernels of one vf_*_cuda.cu
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

/* compiled once for each line of modules.txt, with
 *   MODULE_CU       "libavfilter/vf_x_cuda.cu"
 *   MODULE_KERNELS  the list of its kernels in the header that it includes */

#include "fakecuda.h"
#include MODULE_CU

MODULE_KERNELS(CUDA_HOST_FN)

__attribute__((constructor)) static void register_kernels(void)
{
    static const CudaHostKernel kernels[] = { MODULE_KERNELS(CUDA_HOST_ROW) };

    fake_register(kernels, sizeof(kernels) / sizeof(*kernels));
}
