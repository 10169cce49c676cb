/*
 * highlight: one frame on the GPU
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

#include "libavutil/common.h"
#include "libavutil/macros.h"

#include "highlight_cuda.h"
#include "highlight_kernel.h"

extern const unsigned char ff_vf_highlight_cuda_ptx_data[];
extern const unsigned int  ff_vf_highlight_cuda_ptx_len;

#define NAME(name, type) #name,
static const char *const kernels[] = { HIGHLIGHT_CUDA_KERNELS(NAME) NULL };
static const CudaModule module = { ff_vf_highlight_cuda_ptx_data, &ff_vf_highlight_cuda_ptx_len, kernels };

int ff_highlight_cuda_init(HighlightCuda *c, AVFilterContext *ctx, AVBufferRef *device)
{
    return ff_cudafilter_open(&c->cuda, ctx, device, &module);
}

void ff_highlight_cuda_free(HighlightCuda *c)
{
    ff_cudafilter_buffer_free(c->cuda, &c->mem);
    ff_cudafilter_buffer_free(c->cuda, &c->mid);
    ff_cudafilter_buffer_free(c->cuda, &c->blurred);
    ff_cudafilter_close(&c->cuda);
}

static void get_plane(HlCudaPlane *h, const PxLayout *l, int p, AVFrame *out, const AVFrame *in)
{
    const PxLayoutPlane *lp = &l->plane[p];

    *h = (HlCudaPlane){
        .src = in->data[p],  .src_stride = in->linesize[p],
        .dst = out->data[p], .dst_stride = out->linesize[p],
        .w = lp->chroma ? AV_CEIL_RSHIFT(in->width,  l->desc->log2_chroma_w) : in->width,
        .h = lp->chroma ? AV_CEIL_RSHIFT(in->height, l->desc->log2_chroma_h) : in->height,
        .nc = lp->nc, .set = lp->chroma,
    };
    h->look = ff_highlight_components(h->comp, l, p);
}

static CudaGrid grid(int w, int h, int layers)
{
    return (CudaGrid){ .w = w, .h = h, .layers = layers, .block_w = 32, .block_h = 8 };
}

/* blurred planes one below the other; sets q of each */
static int blur(HighlightCuda *c, HlCudaDraw *d, const PxLayout *l, int radius)
{
    size_t size = 0, mid = 0;
    int ret;

    for (int p = 0; p < l->nb_planes; p++) {
        HlCudaPlane *pl = &d->plane[p];
        pl->q_stride = FFALIGN((size_t)pl->w * pl->nc * d->bytes, 256);
        size += pl->q_stride * pl->h;
        mid   = FFMAX(mid, FFALIGN((size_t)pl->w * pl->nc * 2, 256) * pl->h);
    }
    if ((ret = ff_cudafilter_reserve(c->cuda, &c->blurred, size)) < 0 ||
        (ret = ff_cudafilter_reserve(c->cuda, &c->mid, mid)) < 0)
        return ret;
    size = 0;
    for (int p = 0; p < l->nb_planes; p++) {
        HlCudaPlane *pl = &d->plane[p];
        const CudaGrid g = grid(pl->w * pl->nc, pl->h, 1);
        const HlCudaBlur b = {
            .src = pl->src, .src_stride = pl->src_stride,
            .mid = (unsigned short *)c->mid.data, .mid_stride = FFALIGN((size_t)pl->w * pl->nc * 2, 256),
            .dst = c->blurred.data + size, .dst_stride = pl->q_stride,
            .w = pl->w, .h = pl->h, .nc = pl->nc, .bytes = d->bytes, .depth = d->depth, .shift = d->shift,
            .rx = ff_highlight_radius(radius, pl->set ? l->desc->log2_chroma_w : 0),
            .ry = ff_highlight_radius(radius, pl->set ? l->desc->log2_chroma_h : 0),
        };
        pl->q = b.dst;
        size += pl->q_stride * pl->h;
        if ((ret = ff_cudafilter_launch(c->cuda, HL_CUDA_ROWS, &g, &b)) < 0 ||
            (ret = ff_cudafilter_launch(c->cuda, HL_CUDA_COLUMNS, &g, &b)) < 0)
            return ret;
    }
    return 0;
}

int ff_highlight_cuda(HighlightCuda *c, const HighlightTables *t, const HighlightScene *s, const PxLayout *l,
                      AVFrame *out, const AVFrame *in)
{
    HlCudaDraw d = { .frame = t->frame, .bytes = l->bytes, .depth = l->depth, .shift = l->shift };
    CudaGrid g;
    int w = 0, ret;

    if ((ret = ff_cudafilter_upload(c->cuda, &c->mem, t->mem, t->used)) < 0)
        return ret;
    d.mem = c->mem.data;
    for (int i = 0; i < 3; i++)
        d.luma[l->desc->comp[i].offset / l->bytes & 3] += t->frame.luma[i];
    for (int p = 0; p < l->nb_planes; p++) {
        get_plane(&d.plane[p], l, p, out, in);
        w = FFMAX(w, d.plane[p].w * d.plane[p].nc * l->bytes);
    }
    if (s->base == HL_BASE_BLUR && (ret = blur(c, &d, l, s->blur)) < 0)
        return ret;
    g = grid((w + HL_CUDA_BYTES - 1) / HL_CUDA_BYTES, in->height, l->nb_planes);
    return ff_cudafilter_launch(c->cuda, HL_CUDA_DRAW, &g, &d);
}
