/*
 * Filters on CUDA frames: context, module, buffers, launches
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

#include <stdio.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/hwcontext.h"
#include "libavutil/hwcontext_cuda_internal.h"
#include "libavutil/imgutils.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"

#include "cuda/load_helper.h"
#include "cudafilter.h"
#include "cudafilter_internal.h"

/* results that mean something to the user; ffnvcodec's header names few */
#define INVALID_IMAGE    200
#define NO_BINARY        209
#define INVALID_PTX      218
#define NO_JIT_COMPILER  221
#define UNSUPPORTED_PTX  222

#define MAX_GRID_H     65535
#define MAX_THREADS     1024

/* ---- errors ---------------------------------------------------------------------- */

static const char *advice(CUresult err)
{
    switch ((int)err) {
    case CUDA_OUT_OF_MEMORY:
        return "; the GPU's memory is full: hold fewer frames (-extra_hw_frames, queues), or end other programs on it";
    case NO_BINARY:
    case INVALID_PTX:
    case NO_JIT_COMPILER:
    case UNSUPPORTED_PTX:
        return "; the driver does not take these kernels: install a newer one";
    default:
        return "";
    }
}

int ff_cf_check(const CudaFilter *f, CUresult err, const char *what, const char *name)
{
    const char *id = NULL, *text = NULL;

    if (err == CUDA_SUCCESS)
        return 0;
    f->cu->cuGetErrorName(err, &id);
    f->cu->cuGetErrorString(err, &text);
    av_log(f->ctx, AV_LOG_ERROR, "CUDA: cannot %s%s: %s (%s)%s\n", what, name, text ? text : "unknown error",
           id ? id : "no name", advice(err));
    return err == (CUresult)CUDA_OUT_OF_MEMORY ? AVERROR(ENOMEM) : AVERROR_EXTERNAL;
}

int ff_cf_push(const CudaFilter *f)
{
    return ff_cf_check(f, f->cu->cuCtxPushCurrent(f->hw->cuda_ctx), "make the device's context current", "");
}

int ff_cf_pop(const CudaFilter *f, int err)
{
    CUcontext dummy;
    const int ret = ff_cf_check(f, f->cu->cuCtxPopCurrent(&dummy), "put the former context back", "");

    return err < 0 ? err : ret;
}

/* ---- kernels --------------------------------------------------------------------- */

/* the caller tries another file where the driver does not take this one */
static int load_file(CudaFilter *f)
{
    const CUresult err = f->cu->cuModuleLoadData(&f->loaded, f->module->ptx);

    switch ((int)err) {
    case INVALID_IMAGE:
    case NO_BINARY:
    case INVALID_PTX:
    case NO_JIT_COMPILER:
    case UNSUPPORTED_PTX:
        av_log(f->ctx, AV_LOG_VERBOSE, "CUDA: the driver does not take %s (error %d)\n", f->module->file, (int)err);
        return AVERROR(ENOSYS);
    default:
        return ff_cf_check(f, err, "load ", f->module->file);
    }
}

static int load(CudaFilter *f)
{
    const char *const *name = f->module->kernels;
    int ret, nb = 0;

    while (name[nb])
        nb++;
    if (!(f->kernels = av_calloc(nb, sizeof(*f->kernels))))
        return AVERROR(ENOMEM);
    /* says itself what is wrong */
    if ((ret = f->module->file ? load_file(f) : ff_cuda_load_module(f->ctx, f->hw, &f->loaded, f->module->ptx,
                                                                    *f->module->len)) < 0)
        return ret;
    for (int i = 0; i < nb; i++)
        if ((ret = ff_cf_check(f, f->cu->cuModuleGetFunction(&f->kernels[i], f->loaded, name[i]),
                               "find kernel ", name[i])) < 0 ||
            (f->module->file && (ret = ff_cf_allow_shared(f, f->kernels[i])) < 0))
            return ret;
    return 0;
}

int ff_cudafilter_open(CudaFilter **cf, AVFilterContext *ctx, AVBufferRef *device,
                       const CudaModule *module)
{
    CudaFilter *f;
    int ret;

    ff_cudafilter_close(cf);
    if (!(f = av_mallocz(sizeof(*f))))
        return AVERROR(ENOMEM);
    f->ctx    = ctx;
    f->module = module;
    if (!(f->device = av_buffer_ref(device))) {
        av_free(f);
        return AVERROR(ENOMEM);
    }
    f->hw = ((AVHWDeviceContext *)device->data)->hwctx;
    f->cu = f->hw->internal->cuda_dl;
    if ((ret = ff_cf_push(f)) >= 0)
        ret = ff_cf_pop(f, load(f));
    if (ret < 0) {
        ff_cudafilter_close(&f);
        return ret;
    }
    *cf = f;
    return 0;
}

void ff_cudafilter_close(CudaFilter **cf)
{
    CudaFilter *f = *cf;

    *cf = NULL;
    if (!f)
        return;
    if (f->loaded && ff_cf_push(f) >= 0) {
        /* kernels that are queued need the module; if one failed, that was said */
        f->cu->cuStreamSynchronize(f->hw->stream);
        ff_cf_pop(f, ff_cf_check(f, f->cu->cuModuleUnload(f->loaded), "unload the kernels", ""));
    }
    av_freep(&f->kernels);
    av_buffer_unref(&f->device);
    av_free(f);
}

/* ---- memory ---------------------------------------------------------------------- */

static int grow(const CudaFilter *f, CudaBuffer *b, size_t size)
{
    char text[64];
    CUdeviceptr p;
    int ret;

    if (size <= b->size)
        return 0;
    /* cuMemFree waits for kernels that may still read it */
    if (b->data && (ret = ff_cf_check(f, f->cu->cuMemFree((CUdeviceptr)b->data), "free a buffer", "")) < 0)
        return ret;
    *b   = (CudaBuffer){ 0 };
    size = FFALIGN(size + size / 2, 4096);
    snprintf(text, sizeof(text), "%zu bytes", size);
    if ((ret = ff_cf_check(f, f->cu->cuMemAlloc(&p, size), "allocate ", text)) < 0)
        return ret;
    b->data = (uint8_t *)p;
    b->size = size;
    return 0;
}

int ff_cudafilter_reserve(CudaFilter *f, CudaBuffer *b, size_t size)
{
    int ret = ff_cf_push(f);

    return ret < 0 ? ret : ff_cf_pop(f, grow(f, b, size));
}

int ff_cudafilter_upload(CudaFilter *f, CudaBuffer *b, const void *src, size_t size)
{
    int ret = ff_cf_push(f);

    if (ret < 0)
        return ret;
    ret = grow(f, b, size);
    /* pageable memory: the driver has its own copy when this returns */
    if (ret >= 0 && size)
        ret = ff_cf_check(f, f->cu->cuMemcpyHtoDAsync((CUdeviceptr)b->data, src, size, f->hw->stream),
                          "upload a table", "");
    return ff_cf_pop(f, ret);
}

void ff_cudafilter_buffer_free(CudaFilter *f, CudaBuffer *b)
{
    if (b->data && ff_cf_push(f) >= 0)
        ff_cf_pop(f, ff_cf_check(f, f->cu->cuMemFree((CUdeviceptr)b->data), "free a buffer", ""));
    *b = (CudaBuffer){ 0 };
}

/* ---- work ------------------------------------------------------------------------ */

int ff_cudafilter_launch(CudaFilter *f, int kernel, const CudaGrid *g, const void *params)
{
    const int bw = g->block_w, bh = g->block_h, layers = FFMAX(g->layers, 1);
    void *args[] = { (void *)params };
    CUresult err;
    int ret;

    if (g->w <= 0 || g->h <= 0)
        return 0;
    if (bw <= 0 || bh <= 0 || bw > MAX_THREADS / bh || (g->h - 1) / bh + 1 > MAX_GRID_H || layers > MAX_GRID_H) {
        av_log(f->ctx, AV_LOG_ERROR, "CUDA: kernel %s: %dx%d threads in blocks of %dx%d are beyond what a launch holds\n",
               f->module->kernels[kernel], g->w, g->h, bw, bh);
        return AVERROR_BUG;
    }
    if ((ret = ff_cf_push(f)) < 0)
        return ret;
    err = f->cu->cuLaunchKernel(f->kernels[kernel], (g->w - 1) / bw + 1, (g->h - 1) / bh + 1, layers,
                                bw, bh, 1, g->shared, f->hw->stream, args, NULL);
    return ff_cf_pop(f, ff_cf_check(f, err, "run kernel ", f->module->kernels[kernel]));
}

static int copy_planes(const CudaFilter *f, AVFrame *dst, const AVFrame *src)
{
    const enum AVPixelFormat fmt = ((AVHWFramesContext *)dst->hw_frames_ctx->data)->sw_format;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(fmt);
    int ret = 0;

    for (int p = 0; p < av_pix_fmt_count_planes(fmt) && ret >= 0; p++) {
        const int chroma = p == 1 || p == 2;
        const CUDA_MEMCPY2D copy = {
            .srcMemoryType = CU_MEMORYTYPE_DEVICE, .srcDevice = (CUdeviceptr)src->data[p], .srcPitch = src->linesize[p],
            .dstMemoryType = CU_MEMORYTYPE_DEVICE, .dstDevice = (CUdeviceptr)dst->data[p], .dstPitch = dst->linesize[p],
            .WidthInBytes  = av_image_get_linesize(fmt, dst->width, p),
            .Height        = chroma ? AV_CEIL_RSHIFT(dst->height, d->log2_chroma_h) : dst->height,
        };
        ret = ff_cf_check(f, f->cu->cuMemcpy2DAsync(&copy, f->hw->stream), "copy a frame", "");
    }
    return ret;
}

int ff_cudafilter_copy(CudaFilter *f, AVFrame *dst, const AVFrame *src)
{
    int ret = ff_cf_push(f);

    return ret < 0 ? ret : ff_cf_pop(f, copy_planes(f, dst, src));
}

/* ---- device ---------------------------------------------------------------------- */

int ff_cudafilter_device(AVFilterContext *ctx, const char *number, AVBufferRef **device)
{
    const int given = number && *number;
    int ret;

    *device = NULL;
    if (!given && ctx->hw_device_ctx &&
        ((AVHWDeviceContext *)ctx->hw_device_ctx->data)->type == AV_HWDEVICE_TYPE_CUDA)
        return (*device = av_buffer_ref(ctx->hw_device_ctx)) ? 0 : AVERROR(ENOMEM);
    if ((ret = av_hwdevice_ctx_create(device, AV_HWDEVICE_TYPE_CUDA, given ? number : NULL, NULL, 0)) < 0)
        av_log(ctx, AV_LOG_ERROR, "CUDA: GPU %s cannot be used: install an NVIDIA driver, or name another one by device=\n",
               given ? number : "0");
    return ret;
}
