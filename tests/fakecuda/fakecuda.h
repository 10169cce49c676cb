/*
 * A CUDA driver for tests, on the CPU: what its files share
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

#ifndef FFREEL_TESTS_FAKECUDA_H
#define FFREEL_TESTS_FAKECUDA_H

/**
 * @file
 * A libcuda.so.1 with as much of the driver API as FFmpeg and our filters use.
 * "Device" memory is memory of the host, kernels run through cuda_host.h at
 * once. What a real driver would take silently, or answer with garbage, ends
 * the program here with one line that begins "fakecuda:": no current context,
 * unbalanced pushes and pops, addresses outside of what is allocated, freed or
 * of another context, bytes written beyond an allocation, launches beyond the
 * limits, anything not given back at the end.
 *
 * Environment:
 *   FAKECUDA_DEVICES=N        devices; 1
 *   FAKECUDA_FAIL=cuX:N[:C]   the Nth call of cuX fails with code C (2: out of memory)
 *   FAKECUDA_MEMORY=BYTES     of the device; 1 GiB
 *   FAKECUDA_LOG=FILE         a line is added for each process: what was called how often
 */

#define __CUDA_API_VERSION_INTERNAL     /* names as the library exports them */
#include <stddef.h>
#include <stdint.h>
#include <ffnvcodec/dynlink_cuda.h>

#include "cuda_host.h"

#define FAKE_NAME "ffreel fake CUDA device (CPU)"
#define FAKE_MEMORY ((size_t)1 << 30)   ///< in all; FAKECUDA_MEMORY: another
#define FAKE_SHARED 65536               ///< bytes of shared memory a block; 48 KiB without asking

/* results that ffnvcodec's header does not name */
enum {
    INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_DEVICE = 101, INVALID_CONTEXT = 201,
    INVALID_PTX = 218, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_SUPPORTED = 801,
};

/** says what is wrong and ends the program */
_Noreturn void fake_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** counts a call, and takes it down for FAKECUDA_LOG. @return the error that it is to fail with, or 0 */
int fake_call(const char *name);

/* ---- contexts (context.c) --------------------------------------------------------- */

/** ends the program if no context is current on this thread */
CUcontext fake_context(const char *call);

/* ---- memory (memory.c) -------------------------------------------------------------- */

/** ends the program unless [p, p + size) lies in one live allocation of the current context */
void fake_check_range(const char *call, CUdeviceptr p, size_t size);

/** the same for every word of a kernel's parameters that looks like an address of ours */
void fake_check_params(const char *kernel, const void *params, size_t size);
int fake_allocations_left(size_t *bytes);
size_t fake_memory(void);               ///< that the device has
void fake_forget(void);                 ///< what is kept of freed memory
void fake_context_gone(CUcontext ctx);  ///< ends the program if it still has memory

/* ---- kernels (kernel.c) --------------------------------------------------------------- */

/** called by each compiled module (module.c) before main */
void fake_register(const CudaHostKernel *kernels, int nb);
int fake_modules_left(void);

#endif /* FFREEL_TESTS_FAKECUDA_H */
