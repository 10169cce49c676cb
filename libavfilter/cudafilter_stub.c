/*
 * Filters on CUDA frames: where ffmpeg is built without CUDA kernels
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

#include "libavutil/error.h"
#include "libavutil/log.h"

#include "cudafilter.h"

/* what filters name; never read */
#define NO_KERNELS(name)                                   \
    extern const unsigned char ff_ ## name ## _ptx_data[]; \
    extern const unsigned int  ff_ ## name ## _ptx_len;    \
    const unsigned char ff_ ## name ## _ptx_data[1] = { 0 }; \
    const unsigned int  ff_ ## name ## _ptx_len = 0;

NO_KERNELS(vf_keyframecrop_cuda)

int ff_cudafilter_open(CudaFilter **cf, AVFilterContext *ctx, AVBufferRef *device,
                       const CudaModule *module)
{
    *cf = NULL;
    av_log(ctx, AV_LOG_ERROR, "this ffmpeg was built without CUDA kernels (clang or nvcc): "
           "put hwdownload before this filter, or build with them\n");
    return AVERROR(ENOSYS);
}

int ff_cudafilter_device(AVFilterContext *ctx, const char *number, AVBufferRef **device)
{
    CudaFilter *cf;

    *device = NULL;
    return ff_cudafilter_open(&cf, ctx, NULL, NULL);
}

/* nothing below is reached, as nothing can be opened */

void ff_cudafilter_close(CudaFilter **cf)
{
}

int ff_cudafilter_reserve(CudaFilter *cf, CudaBuffer *b, size_t size)
{
    return AVERROR(ENOSYS);
}

int ff_cudafilter_upload(CudaFilter *cf, CudaBuffer *b, const void *src, size_t size)
{
    return AVERROR(ENOSYS);
}

void ff_cudafilter_buffer_free(CudaFilter *cf, CudaBuffer *b)
{
}

int ff_cudafilter_launch(CudaFilter *cf, int kernel, const CudaGrid *grid, const void *params)
{
    return AVERROR(ENOSYS);
}

int ff_cudafilter_copy(CudaFilter *cf, AVFrame *dst, const AVFrame *src)
{
    return AVERROR(ENOSYS);
}

int ff_cudafilter_describe(CudaDevice *d, AVFilterContext *ctx, AVBufferRef *device)
{
    return AVERROR(ENOSYS);
}

int ff_cudafilter_wait(CudaFilter *cf)
{
    return AVERROR(ENOSYS);
}

int ff_cudafilter_try(CudaFilter *cf, CudaBuffer *b, size_t size)
{
    return AVERROR(ENOSYS);
}

int ff_cudafilter_download(CudaFilter *cf, void *dst, const uint8_t *src, size_t size)
{
    return AVERROR(ENOSYS);
}

void *ff_cudafilter_host_alloc(CudaFilter *cf, size_t size)
{
    return NULL;
}

void ff_cudafilter_host_free(CudaFilter *cf, void **p)
{
}

CudaClock *ff_cudafilter_clock(CudaFilter *cf, int nb)
{
    return NULL;
}

void ff_cudafilter_clock_free(CudaFilter *cf, CudaClock **clock)
{
}

int ff_cudafilter_mark(CudaFilter *cf, CudaClock *clock, int i)
{
    return AVERROR(ENOSYS);
}

int ff_cudafilter_elapsed(CudaFilter *cf, CudaClock *clock, int from, int to, double *ms)
{
    return AVERROR(ENOSYS);
}
