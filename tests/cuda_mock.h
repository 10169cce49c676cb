/*
 * A device for tests of kernels: memory of the host, frames between guard bytes
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

#ifndef FFREEL_TESTS_CUDA_MOCK_H
#define FFREEL_TESTS_CUDA_MOCK_H

/**
 * @file
 * Include after cuda_host.h and a table "kernels" of the kernels under test:
 * stands in for libavfilter/cudafilter.c.
 */

#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/frame.h"
#include "libavutil/macros.h"
#include "libavutil/pixdesc.h"

#include "libavfilter/cudafilter.h"
#include "libavfilter/px_format.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, size)   ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void)0)
#endif

/* ---- the device: memory of exactly the size asked for ------------------------------- */

static int launches[FF_ARRAY_ELEMS(kernels)];
static int dummy;

/* in place of those of the library, so that builds without CUDA run this too */
int ff_cudafilter_open(CudaFilter **cf, AVFilterContext *ctx, AVBufferRef *device, const CudaModule *module)
{
    for (int i = 0; i < FF_ARRAY_ELEMS(kernels); i++)
        if (strcmp(module->kernels[i], kernels[i].name))
            return AVERROR_BUG;
    *cf = (CudaFilter *)&dummy;
    return 0;
}

void ff_cudafilter_close(CudaFilter **cf)
{
    *cf = NULL;
}

int ff_cudafilter_reserve(CudaFilter *cf, CudaBuffer *b, size_t size)
{
    ff_cudafilter_buffer_free(cf, b);
    b->data = malloc(size);
    b->size = size;
    return b->data ? 0 : AVERROR(ENOMEM);
}

int ff_cudafilter_upload(CudaFilter *cf, CudaBuffer *b, const void *src, size_t size)
{
    const int ret = ff_cudafilter_reserve(cf, b, size);

    if (ret >= 0)
        memcpy(b->data, src, size);
    return ret;
}

void ff_cudafilter_buffer_free(CudaFilter *cf, CudaBuffer *b)
{
    free(b->data);
    *b = (CudaBuffer){ 0 };
}

int ff_cudafilter_launch(CudaFilter *cf, int kernel, const CudaGrid *g, const void *params)
{
    const CudaHostDim block = { g->block_w, g->block_h, 1 };
    const CudaHostDim grid  = { (g->w + block.x - 1) / block.x, (g->h + block.y - 1) / block.y, FFMAX(g->layers, 1) };

    launches[kernel]++;
    kernels[kernel].run(grid, block, g->shared, params);
    return 0;
}

/* what a driver puts into new memory; as fp16 or fp32 it is NaN, so that what is read unwritten shows */
#define FRESH 0x7F

static CudaDevice mock_device = { 75, 1, 65536, 65536, (size_t)1 << 30 };

int ff_cudafilter_describe(CudaDevice *d, AVFilterContext *ctx, AVBufferRef *dev)
{
    *d = mock_device;
    return 0;
}

int ff_cudafilter_wait(CudaFilter *cf)
{
    return 0;
}

int ff_cudafilter_try(CudaFilter *cf, CudaBuffer *b, size_t size)
{
    ff_cudafilter_buffer_free(cf, b);
    if (size > mock_device.memory_free)
        return AVERROR(ENOMEM);
    if (ff_cudafilter_reserve(cf, b, size) >= 0)
        memset(b->data, FRESH, size);
    return b->data ? 0 : AVERROR(ENOMEM);
}

int ff_cudafilter_download(CudaFilter *cf, void *dst, const uint8_t *src, size_t size)
{
    memcpy(dst, src, size);
    return 0;
}

void *ff_cudafilter_host_alloc(CudaFilter *cf, size_t size)
{
    return calloc(1, size);
}

void ff_cudafilter_host_free(CudaFilter *cf, void **p)
{
    free(*p);
    *p = NULL;
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
    return AVERROR_BUG;
}

int ff_cudafilter_elapsed(CudaFilter *cf, CudaClock *clock, int from, int to, double *ms)
{
    return AVERROR_BUG;
}

int ff_cudafilter_copy(CudaFilter *cf, AVFrame *dst, const AVFrame *src)
{
    return AVERROR_BUG;
}

int ff_cudafilter_device(AVFilterContext *ctx, const char *number, AVBufferRef **device)
{
    return AVERROR_BUG;
}

/* ---- frames between guard bytes --------------------------------------------------------- */

#define GUARD 64
#define FILL  0xA5

static unsigned seed = 1;

static inline unsigned rnd(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

typedef struct Image {
    AVFrame *f;
    int rows[4], bytes[4];      ///< of each plane; bytes of a row that count
} Image;

/* slip: planes begin that many samples past where they would be aligned */
static inline Image image(const PxLayout *l, int w, int h, int slip)
{
    Image m = { av_frame_alloc() };

    m.f->width  = w;
    m.f->height = h;
    m.f->chroma_location = AVCHROMA_LOC_LEFT;
    for (int p = 0; p < l->nb_planes; p++) {
        const int chroma = l->plane[p].chroma, nc = l->plane[p].nc;
        m.rows[p]  = chroma ? AV_CEIL_RSHIFT(h, l->desc->log2_chroma_h) : h;
        m.bytes[p] = (chroma ? AV_CEIL_RSHIFT(w, l->desc->log2_chroma_w) : w) * nc * l->bytes;
        m.f->linesize[p] = FFALIGN(m.bytes[p], 16) + 2 * GUARD;
        m.f->data[p] = malloc(m.f->linesize[p] * (m.rows[p] + 2));
        memset(m.f->data[p], FILL, m.f->linesize[p] * (m.rows[p] + 2));
        m.f->data[p] += m.f->linesize[p] + GUARD + slip * l->bytes;
    }
    return m;
}

static uint8_t *base(const Image *m, int p, int slip, const PxLayout *l)
{
    return m->f->data[p] - m->f->linesize[p] - GUARD - slip * l->bytes;
}

/* what is no sample must not be read either */
static inline void fence(const Image *m, const PxLayout *l)
{
    for (int p = 0; p < l->nb_planes; p++)
        for (int y = -1; y < m->rows[p]; y++)
            ASAN_POISON_MEMORY_REGION(m->f->data[p] + y * m->f->linesize[p] + m->bytes[p],
                                      m->f->linesize[p] - m->bytes[p]);
}

static inline void drop(Image *m, const PxLayout *l, int slip)
{
    for (int p = 0; p < l->nb_planes; p++) {
        ASAN_UNPOISON_MEMORY_REGION(base(m, p, slip, l), m->f->linesize[p] * (m->rows[p] + 2));
        free(base(m, p, slip, l));
        m->f->data[p] = NULL;
    }
    av_frame_free(&m->f);
}

static inline int guarded(const Image *m, const PxLayout *l, int slip)
{
    for (int p = 0; p < l->nb_planes; p++) {
        const uint8_t *b = base(m, p, slip, l);
        for (ptrdiff_t i = 0; i < (ptrdiff_t)m->f->linesize[p] * (m->rows[p] + 2); i++) {
            const ptrdiff_t at = i + (b - m->f->data[p]) + m->f->linesize[p];
            const ptrdiff_t y = at / m->f->linesize[p] - 1, x = at % m->f->linesize[p];
            if (at >= 0 && y >= 0 && y < m->rows[p] && x < m->bytes[p])
                continue;
            if (b[i] != FILL)
                return 0;
        }
    }
    return 1;
}

static inline int same(const Image *a, const Image *b, const PxLayout *l)
{
    for (int p = 0; p < l->nb_planes; p++)
        for (int y = 0; y < a->rows[p]; y++)
            if (memcmp(a->f->data[p] + y * a->f->linesize[p], b->f->data[p] + y * b->f->linesize[p], a->bytes[p]))
                return 0;
    return 1;
}

#endif /* FFREEL_TESTS_CUDA_MOCK_H */
