/*
 * Filters on CUDA frames: what a device has, memory of the host, times
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

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/hwcontext.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "cudafilter_internal.h"

/* attributes, of devices and of kernels, that ffnvcodec's header does not name */
#define SHARED_PER_SM        81
#define SHARED_PER_BLOCK     97
#define KERNEL_MAX_SHARED     8

#define NOT_READY           600

/* ---- functions of the driver that ffnvcodec's loader leaves out -------------------------- */

static struct {
    CUresult (*get_info)(size_t *left, size_t *total);
    CUresult (*set_attribute)(CUfunction fn, int attribute, int value);
    CUresult (*alloc_host)(void **p, size_t size);
    CUresult (*free_host)(void *p);
    CUresult (*elapsed)(float *ms, CUevent from, CUevent to);
} more;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* the library is loaded already, and stays loaded as long as a device is open */
static void find(void)
{
    void *lib = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);

    if (!lib)
        return;
    *(void **)&more.get_info      = dlsym(lib, "cuMemGetInfo_v2");
    *(void **)&more.set_attribute = dlsym(lib, "cuFuncSetAttribute");
    *(void **)&more.alloc_host    = dlsym(lib, "cuMemAllocHost_v2");
    *(void **)&more.free_host     = dlsym(lib, "cuMemFreeHost");
    *(void **)&more.elapsed       = dlsym(lib, "cuEventElapsedTime");
}

static int need(void *ctx)
{
    pthread_once(&once, find);
    if (more.get_info && more.set_attribute && more.alloc_host && more.free_host)
        return 0;
    av_log(ctx, AV_LOG_ERROR, "CUDA: the driver lacks functions that every one since 2018 has: install a newer one\n");
    return AVERROR_EXTERNAL;
}

/* ---- the device ----------------------------------------------------------------------------- */

static int describe(CudaDevice *d, const CudaFilter *f)
{
    const struct { int attribute, *value; } ask[] = {
        { CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, &d->multiprocessors },
        { SHARED_PER_BLOCK, &d->shared }, { SHARED_PER_SM, &d->shared_sm },
    };
    const CUdevice dev = f->hw->internal->cuda_device;
    int major, minor, ret;
    size_t total;

    ret = ff_cf_check(f, f->cu->cuDeviceComputeCapability(&major, &minor, dev), "ask what the device is", "");
    for (int i = 0; i < FF_ARRAY_ELEMS(ask) && ret >= 0; i++)
        ret = ff_cf_check(f, f->cu->cuDeviceGetAttribute(ask[i].value, ask[i].attribute, dev), "ask what it has", "");
    if (ret < 0)
        return ret;
    d->capability = 10 * major + minor;
    return ff_cf_check(f, more.get_info(&d->memory_free, &total), "ask for free memory", "");
}

int ff_cudafilter_describe(CudaDevice *d, AVFilterContext *ctx, AVBufferRef *device)
{
    CudaFilter f = { .ctx = ctx, .hw = ((AVHWDeviceContext *)device->data)->hwctx };
    int ret = need(ctx);

    memset(d, 0, sizeof(*d));
    f.cu = f.hw->internal->cuda_dl;
    if (ret < 0 || (ret = ff_cf_push(&f)) < 0)
        return ret;
    return ff_cf_pop(&f, describe(d, &f));
}

int ff_cf_allow_shared(const CudaFilter *f, CUfunction kernel)
{
    int size, ret = need(f->ctx);

    if (ret < 0)
        return ret;
    ret = ff_cf_check(f, f->cu->cuDeviceGetAttribute(&size, SHARED_PER_BLOCK, f->hw->internal->cuda_device),
                      "ask for shared memory", "");
    return ret < 0 ? ret : ff_cf_check(f, more.set_attribute(kernel, KERNEL_MAX_SHARED, size), "set shared memory", "");
}

int ff_cudafilter_wait(CudaFilter *f)
{
    int ret = ff_cf_push(f);

    return ret < 0 ? ret : ff_cf_pop(f, ff_cf_check(f, f->cu->cuStreamSynchronize(f->hw->stream), "finish", ""));
}

/* ---- memory ---------------------------------------------------------------------------------- */

int ff_cudafilter_try(CudaFilter *f, CudaBuffer *b, size_t size)
{
    CUdeviceptr p = 0;
    CUresult err;
    int ret;

    ff_cudafilter_buffer_free(f, b);
    if ((ret = ff_cf_push(f)) < 0)
        return ret;
    err = f->cu->cuMemAlloc(&p, size);
    ret = err == (CUresult)CUDA_OUT_OF_MEMORY ? AVERROR(ENOMEM) : ff_cf_check(f, err, "allocate memory", "");
    if (ret >= 0)
        *b = (CudaBuffer){ (uint8_t *)p, size };
    return ff_cf_pop(f, ret);
}

int ff_cudafilter_download(CudaFilter *f, void *dst, const uint8_t *src, size_t size)
{
    int ret = ff_cf_push(f);

    if (ret < 0)
        return ret;
    ret = ff_cf_check(f, f->cu->cuMemcpyDtoHAsync(dst, (CUdeviceptr)src, size, f->hw->stream), "download a result", "");
    if (ret >= 0)
        ret = ff_cf_check(f, f->cu->cuStreamSynchronize(f->hw->stream), "finish", "");
    return ff_cf_pop(f, ret);
}

void *ff_cudafilter_host_alloc(CudaFilter *f, size_t size)
{
    void *p = NULL;

    if (need(f->ctx) < 0 || ff_cf_push(f) < 0)
        return NULL;
    if (ff_cf_pop(f, ff_cf_check(f, more.alloc_host(&p, size), "allocate memory of the host", "")) < 0)
        return NULL;
    memset(p, 0, size);
    return p;
}

void ff_cudafilter_host_free(CudaFilter *f, void **p)
{
    if (*p && ff_cf_push(f) >= 0)
        ff_cf_pop(f, ff_cf_check(f, more.free_host(*p), "free memory of the host", ""));
    *p = NULL;
}

/* ---- times ------------------------------------------------------------------------------------- */

struct CudaClock {
    int     nb;
    CUevent event[];
};

CudaClock *ff_cudafilter_clock(CudaFilter *f, int nb)
{
    CudaClock *c = av_mallocz(sizeof(*c) + nb * sizeof(*c->event));
    int ret = 0;

    pthread_once(&once, find);
    if (!c || !more.elapsed || ff_cf_push(f) < 0) {
        av_free(c);
        return NULL;
    }
    for (; c->nb < nb && ret >= 0; c->nb += ret >= 0)
        ret = ff_cf_check(f, f->cu->cuEventCreate(&c->event[c->nb], CU_EVENT_DEFAULT), "make an event", "");
    ff_cf_pop(f, ret);
    if (ret < 0)
        ff_cudafilter_clock_free(f, &c);
    return c;
}

void ff_cudafilter_clock_free(CudaFilter *f, CudaClock **clock)
{
    CudaClock *c = *clock;

    *clock = NULL;
    if (c && ff_cf_push(f) >= 0) {
        for (int i = 0; i < c->nb; i++)
            f->cu->cuEventDestroy(c->event[i]);
        ff_cf_pop(f, 0);
    }
    av_free(c);
}

int ff_cudafilter_mark(CudaFilter *f, CudaClock *c, int i)
{
    int ret = ff_cf_push(f);

    if (ret < 0)
        return ret;
    return ff_cf_pop(f, ff_cf_check(f, f->cu->cuEventRecord(c->event[i], f->hw->stream), "mark a time", ""));
}

int ff_cudafilter_elapsed(CudaFilter *f, CudaClock *c, int from, int to, double *ms)
{
    float t = 0;
    int err, ret = ff_cf_push(f);

    if (ret < 0)
        return ret;
    err = f->cu->cuEventQuery(c->event[to]);
    if (err != NOT_READY)
        ret = ff_cf_check(f, err ? err : more.elapsed(&t, c->event[from], c->event[to]), "measure a time", "");
    *ms = t;
    ret = ff_cf_pop(f, ret);
    return ret < 0 ? ret : err != NOT_READY;
}
