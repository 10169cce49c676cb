/*
 * A CUDA driver for tests: memory and copies
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

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakecuda.h"

#define ALIGN 512           ///< of allocations
#define GUARD 512           ///< bytes before and after
#define FILL  0xCD          ///< new memory and guards; so what is not written shows

/** Freed ones stay in the list, without memory, so that their addresses are known. */
typedef struct Alloc {
    struct Alloc *next;
    uint8_t *block, *data;
    size_t size;
    CUcontext ctx;
    int live;
} Alloc;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Alloc *list;

static int holds(const Alloc *a, CUdeviceptr p)
{
    return p >= (CUdeviceptr)a->data && p < (CUdeviceptr)a->data + a->size;
}

/* the live one before a freed one that had the same address */
static Alloc *find(CUdeviceptr p)
{
    Alloc *freed = NULL;

    for (Alloc *a = list; a; a = a->next) {
        if (holds(a, p) && a->live)
            return a;
        if (holds(a, p) && !freed)
            freed = a;
    }
    return freed;
}

static void check_guards(const Alloc *a)
{
    for (int i = 0; i < GUARD; i++)
        if (a->data[-1 - i] != FILL || a->data[a->size + i] != FILL)
            fake_die("something wrote beyond an allocation of %zu bytes", a->size);
}

static void check_context(const char *call, const Alloc *a)
{
    if (a->ctx != fake_context(call))
        fake_die("%s: an address of another context than the current one", call);
}

void fake_check_range(const char *call, CUdeviceptr p, size_t size)
{
    Alloc *a;

    pthread_mutex_lock(&lock);
    a = find(p);
    if (!a)
        fake_die("%s: 0x%llx is no address of the device", call, p);
    if (!a->live)
        fake_die("%s: the memory was freed", call);
    if (size > (CUdeviceptr)a->data + a->size - p)
        fake_die("%s: %zu bytes reach beyond an allocation of %zu", call, size, a->size);
    check_context(call, a);
    pthread_mutex_unlock(&lock);
}

void fake_check_params(const char *kernel, const void *params, size_t size)
{
    for (size_t i = 0; i + sizeof(CUdeviceptr) <= size; i += sizeof(CUdeviceptr)) {
        CUdeviceptr p;
        const Alloc *a;
        memcpy(&p, (const uint8_t *)params + i, sizeof(p));
        pthread_mutex_lock(&lock);
        a = find(p);
        if (a && !a->live)
            fake_die("kernel %s: the word at %zu of its parameters is an address of freed memory", kernel, i);
        if (a)
            check_context(kernel, a);
        pthread_mutex_unlock(&lock);
    }
}

int fake_allocations_left(size_t *bytes)
{
    int nb = 0;

    *bytes = 0;
    for (const Alloc *a = list; a; a = a->next)
        if (a->live) {
            check_guards(a);
            *bytes += a->size;
            nb++;
        }
    return nb;
}

void fake_forget(void)
{
    while (list) {
        Alloc *a = list;
        list = a->next;
        free(a);
    }
}

void fake_context_gone(CUcontext ctx)
{
    for (const Alloc *a = list; a; a = a->next)
        if (a->live && a->ctx == ctx)
            fake_die("a context is destroyed that has memory, %zu bytes of it", a->size);
}

size_t fake_memory(void)
{
    const char *s = getenv("FAKECUDA_MEMORY");

    return s ? strtoull(s, NULL, 0) : FAKE_MEMORY;
}

/* ---- allocation ------------------------------------------------------------------------- */

CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t size)
{
    const int err = fake_call("cuMemAlloc");
    CUcontext ctx = fake_context("cuMemAlloc");
    size_t used;
    Alloc *a;

    if (err)
        return err;
    if (!size)
        return INVALID_VALUE;
    pthread_mutex_lock(&lock);
    fake_allocations_left(&used);
    pthread_mutex_unlock(&lock);
    if (size > fake_memory() || used > fake_memory() - size)
        return OUT_OF_MEMORY;
    if (!(a = calloc(1, sizeof(*a))) || !(a->block = malloc(size + 2 * GUARD + ALIGN))) {
        free(a);
        return OUT_OF_MEMORY;
    }
    memset(a->block, FILL, size + 2 * GUARD + ALIGN);
    a->data = (uint8_t *)(((uintptr_t)a->block + GUARD + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
    a->size = size;
    a->ctx  = ctx;
    a->live = 1;
    pthread_mutex_lock(&lock);
    a->next = list;
    list    = a;
    pthread_mutex_unlock(&lock);
    *p = (CUdeviceptr)a->data;
    return CUDA_SUCCESS;
}

CUresult cuMemGetInfo_v2(size_t *left, size_t *total)
{
    const int err = fake_call("cuMemGetInfo");
    size_t used;

    fake_context("cuMemGetInfo");
    pthread_mutex_lock(&lock);
    fake_allocations_left(&used);
    pthread_mutex_unlock(&lock);
    *total = fake_memory();
    *left  = used < *total ? *total - used : 0;
    return err;
}

CUresult cuMemAllocPitch_v2(CUdeviceptr *p, size_t *pitch, size_t width, size_t height, unsigned int element)
{
    *pitch = (width + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    return cuMemAlloc_v2(p, *pitch * height);
}

CUresult cuMemFree_v2(CUdeviceptr p)
{
    const int err = fake_call("cuMemFree");
    Alloc *a;

    if (err)
        return err;
    pthread_mutex_lock(&lock);
    a = find(p);
    if (!a || p != (CUdeviceptr)a->data || !a->live)
        fake_die("cuMemFree: 0x%llx is not what was allocated, or was freed before", p);
    check_context("cuMemFree", a);
    check_guards(a);
    memset(a->data, 0xDD, a->size);
    a->live = 0;
    free(a->block);
    pthread_mutex_unlock(&lock);
    return CUDA_SUCCESS;
}

/* memory of the host that kernels reach: guarded and counted as the device's is */
CUresult cuMemAllocHost_v2(void **p, size_t size)
{
    const int err = fake_call("cuMemAllocHost");

    return err ? err : cuMemAlloc_v2((CUdeviceptr *)p, size);
}

CUresult cuMemFreeHost(void *p)
{
    const int err = fake_call("cuMemFreeHost");

    return err ? err : cuMemFree_v2((CUdeviceptr)p);
}

/* ---- copies --------------------------------------------------------------------------------- */

static CUresult copy(const char *call, CUdeviceptr dst, int to_device, CUdeviceptr src, int from_device, size_t size)
{
    const int err = fake_call(call);

    fake_context(call);
    if (err)
        return err;
    if (to_device)
        fake_check_range(call, dst, size);
    if (from_device)
        fake_check_range(call, src, size);
    memmove((void *)dst, (const void *)src, size);
    return CUDA_SUCCESS;
}

static CUresult copy_2d(const char *call, const CUDA_MEMCPY2D *c)
{
    const int err = fake_call(call), to = c->dstMemoryType == CU_MEMORYTYPE_DEVICE, from = c->srcMemoryType == CU_MEMORYTYPE_DEVICE;
    const uint8_t *src = (from ? (const uint8_t *)c->srcDevice : c->srcHost) + c->srcY * c->srcPitch + c->srcXInBytes;
    uint8_t *dst = (to ? (uint8_t *)c->dstDevice : c->dstHost) + c->dstY * c->dstPitch + c->dstXInBytes;

    fake_context(call);
    if (err)
        return err;
    if (c->srcMemoryType == CU_MEMORYTYPE_ARRAY || c->dstMemoryType == CU_MEMORYTYPE_ARRAY)
        return NOT_SUPPORTED;
    if (!c->Height || !c->WidthInBytes)
        return CUDA_SUCCESS;
    if (c->WidthInBytes > c->srcPitch || c->WidthInBytes > c->dstPitch)
        return INVALID_VALUE;
    if (to)
        fake_check_range(call, (CUdeviceptr)dst, (c->Height - 1) * c->dstPitch + c->WidthInBytes);
    if (from)
        fake_check_range(call, (CUdeviceptr)src, (c->Height - 1) * c->srcPitch + c->WidthInBytes);
    for (size_t y = 0; y < c->Height; y++)
        memcpy(dst + y * c->dstPitch, src + y * c->srcPitch, c->WidthInBytes);
    return CUDA_SUCCESS;
}

#define PTR(p) ((CUdeviceptr)(p))
CUresult cuMemcpyHtoD_v2(CUdeviceptr d, const void *s, size_t n)                   { return copy("cuMemcpyHtoD", d, 1, PTR(s), 0, n); }
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr d, const void *s, size_t n, CUstream st) { return copy("cuMemcpyHtoDAsync", d, 1, PTR(s), 0, n); }
CUresult cuMemcpyDtoH_v2(void *d, CUdeviceptr s, size_t n)                         { return copy("cuMemcpyDtoH", PTR(d), 0, s, 1, n); }
CUresult cuMemcpyDtoHAsync_v2(void *d, CUdeviceptr s, size_t n, CUstream st)       { return copy("cuMemcpyDtoHAsync", PTR(d), 0, s, 1, n); }
CUresult cuMemcpyDtoD_v2(CUdeviceptr d, CUdeviceptr s, size_t n)                   { return copy("cuMemcpyDtoD", d, 1, s, 1, n); }
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr d, CUdeviceptr s, size_t n, CUstream st) { return copy("cuMemcpyDtoDAsync", d, 1, s, 1, n); }
CUresult cuMemcpy(CUdeviceptr d, CUdeviceptr s, size_t n)                          { return copy("cuMemcpy", d, 1, s, 1, n); }
CUresult cuMemcpyAsync(CUdeviceptr d, CUdeviceptr s, size_t n, CUstream st)        { return copy("cuMemcpyAsync", d, 1, s, 1, n); }
CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *c)                                     { return copy_2d("cuMemcpy2D", c); }
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *c, CUstream st)                   { return copy_2d("cuMemcpy2DAsync", c); }

CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char v, size_t n, CUstream st)
{
    const int err = fake_call("cuMemsetD8Async");

    fake_context("cuMemsetD8Async");
    if (err)
        return err;
    fake_check_range("cuMemsetD8Async", p, n);
    memset((void *)p, v, n);
    return CUDA_SUCCESS;
}
