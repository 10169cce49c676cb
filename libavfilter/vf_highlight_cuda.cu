/*
 * highlight on CUDA frames: kernels
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

#include "highlight_kernel.h"
#include "px_cuda.h"

/* one load or store */
typedef struct __attribute__((aligned(16))) HlVector {
    unsigned int v[4];
} HlVector;

PX_FN int hl_sample(const HlVector *v, int i, int bytes)
{
    return bytes == 1 ? v->v[i >> 2] >> (8 * (i & 3)) & 255 : v->v[i >> 1] >> (16 * (i & 1)) & 65535;
}

PX_FN void hl_put(HlVector *v, int i, int bytes, unsigned int s)
{
    if (bytes == 1)
        v->v[i >> 2] |= s << (8 * (i & 3));
    else
        v->v[i >> 1] |= s << (16 * (i & 1));
}

PX_FN int hl_load(const unsigned char *row, int i, int bytes)
{
    return bytes == 1 ? row[i] : ((const unsigned short *)row)[i];
}

/* whether an ellipse may be seen in pixels [x, x + nb) of a row */
PX_FN int hl_near(const HlCudaDraw *p, int set, int x, int nb, int y)
{
    const HlPxDraw *d = (const HlPxDraw *)(p->mem + p->frame.draws);
    int i, near = 0;

    for (i = 0; i < p->frame.nb; i++) {
        const HlPxSet *s = &d[i].set[set];
        near |= y >= s->y0 && y < s->y1 && x + nb > s->x0 && x < s->x1;
    }
    return near;
}

/* s: a sample as it is stored; the bits below a shifted one stay */
PX_FN int hl_draw(const HlCudaDraw *p, const HlPxMix *m, int comp, int s, int q, int half)
{
    /* by masks, as an index that is known late, or a choice of addresses, would put o into memory */
    const int o = (m->o[0] & -(comp == 0)) | (m->o[1] & -(comp == 1)) | (m->o[2] & -(comp == 2)) | (m->o[3] & -(comp == 3));

    if (comp < 0)
        return s;
    return hl_px_value(s >> p->shift, q, m->k, m->w, o + half, (1 << p->depth) - 1) << p->shift |
           (s & ((1 << p->shift) - 1));
}

/* pixels [x, x + nb), each with a mix of its own */
PX_FN void hl_pixels(const HlCudaDraw *p, const HlCudaPlane *pl, int x, int nb, int y)
{
    const unsigned char *src = pl->src + pl->src_stride * y, *blurred = pl->q ? pl->q + pl->q_stride * y : 0;
    unsigned char *dst = pl->dst + pl->dst_stride * y;
    const int bytes = p->bytes, nc = pl->nc;
    int c;

    for (; nb-- > 0; x++) {
        const int half = hl_px_round(p->frame.dither, x, y);
        HlPxMix m;
        unsigned int luma = 0;
        hl_px_mix_at(&m, p->mem, &p->frame, pl->set, pl->look, x, y);
        if (m.w && !blurred)
            for (c = 0; c < nc; c++)
                luma += hl_load(src, x * nc + c, bytes) * p->luma[c];
        luma = (luma + HL_ONE / 2) >> 15;
        for (c = 0; c < nc; c++) {
            const int i = x * nc + c, q = !m.w ? 0 : blurred ? hl_load(blurred, i, bytes) : luma;
            const int v = hl_draw(p, &m, pl->comp[c], hl_load(src, i, bytes), q, half);
            if (bytes == 1)
                dst[i] = v;
            else
                ((unsigned short *)dst)[i] = v;
        }
    }
}

/* a vector of samples from the one given on, far from all ellipses: one mix will do */
PX_FN void hl_vector(const HlCudaDraw *p, const HlCudaPlane *pl, int first, int y, const int bytes, const int nc)
{
    const HlVector in = *(const HlVector *)(pl->src + pl->src_stride * y + first * bytes);
    HlVector out = { { 0, 0, 0, 0 } }, q = out;
    HlPxMix m;
    int i;

    hl_px_mix_at(&m, p->mem, &p->frame, pl->set, pl->look, -1, y);
    if (m.w && pl->q)
        q = *(const HlVector *)(pl->q + pl->q_stride * y + first * bytes);
    CUDA_UNROLL
    for (i = 0; i < HL_CUDA_BYTES / bytes; i++) {
        const int c = i % nc, half = hl_px_round(p->frame.dither, first / nc + i / nc, y);
        int second = hl_sample(&q, i, bytes);
        if (nc == 4 && p->frame.luma[1]) {
            unsigned int luma = HL_ONE / 2;
            int j;
            CUDA_UNROLL
            for (j = 0; j < 4; j++)
                luma += hl_sample(&in, i - c + j, bytes) * p->luma[j];
            second = luma >> 15;
        }
        hl_put(&out, i, bytes, hl_draw(p, &m, pl->comp[c], hl_sample(&in, i, bytes), second, half));
    }
    *(HlVector *)(pl->dst + pl->dst_stride * y + first * bytes) = out;
}

PX_FN int hl_is_aligned(const HlCudaPlane *pl)
{
    return !(((unsigned long long)pl->src | (unsigned long long)pl->dst | pl->src_stride | pl->dst_stride) & 15);
}

CUDA_KERNEL highlight_draw(const HlCudaDraw p)
{
    const HlCudaPlane *pl = &p.plane[blockIdx.z];
    const int per = HL_CUDA_BYTES / p.bytes, total = pl->w * pl->nc;
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * per, y = blockIdx.y * blockDim.y + threadIdx.y;

    if (first >= total || y >= pl->h)
        return;
    if (first + per > total || !hl_is_aligned(pl) || hl_near(&p, pl->set, first / pl->nc, per / pl->nc, y))
        hl_pixels(&p, pl, first / pl->nc, (total - first < per ? total - first : per) / pl->nc, y);
    else if (p.bytes == 1 && pl->nc == 1)
        hl_vector(&p, pl, first, y, 1, 1);
    else if (p.bytes == 1 && pl->nc == 2)
        hl_vector(&p, pl, first, y, 1, 2);
    else if (p.bytes == 1)
        hl_vector(&p, pl, first, y, 1, 4);
    else if (pl->nc == 1)
        hl_vector(&p, pl, first, y, 2, 1);
    else if (pl->nc == 2)
        hl_vector(&p, pl, first, y, 2, 2);
    else
        hl_vector(&p, pl, first, y, 2, 4);
}

CUDA_KERNEL highlight_rows(const HlCudaBlur p)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    unsigned int sum = 0;
    int j;

    if (i >= p.w * p.nc || y >= p.h)
        return;
    for (j = -p.ry; j <= p.ry; j++)
        sum += (p.ry + 1 - (j < 0 ? -j : j)) *
               (hl_load(p.src + p.src_stride * px_clip(y + j, 0, p.h - 1), i, p.bytes) >> p.shift);
    ((unsigned short *)((unsigned char *)p.mid + p.mid_stride * y))[i] =
        hl_px_blur_part(sum, hl_px_blur_factor(p.ry + 1), 16 - p.depth);
}

CUDA_KERNEL highlight_columns(const HlCudaBlur p)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    const int x = i / p.nc, c = i % p.nc;
    const unsigned char *mid = (const unsigned char *)p.mid + p.mid_stride * y;
    unsigned char *dst = p.dst + p.dst_stride * y;
    unsigned int sum = 0;
    int j, v;

    if (i >= p.w * p.nc || y >= p.h)
        return;
    for (j = -p.rx; j <= p.rx; j++)
        sum += (p.rx + 1 - (j < 0 ? -j : j)) * hl_load(mid, px_clip(x + j, 0, p.w - 1) * p.nc + c, 2);
    v = hl_px_blur_out(hl_px_blur_part(sum, hl_px_blur_factor(p.rx + 1), 0), 16 - p.depth, (1 << p.depth) - 1);
    if (p.bytes == 1)
        dst[i] = v;
    else
        ((unsigned short *)dst)[i] = v;
}
