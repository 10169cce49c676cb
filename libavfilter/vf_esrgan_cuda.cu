/*
 * Super-resolution on CUDA frames: kernels
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

#include "esrgan_kernel.h"

PX_FN float sr_code(const SrComp *c, int x, int y)
{
    const unsigned char *row = c->data + y * c->stride;

    x *= c->step;
    return c->bytes == 1 ? row[x] : ((const unsigned short *)row)[x] >> c->shift;
}

PX_FN float sr_clip(float v, float lo, float hi)
{
    v = v > lo ? v : lo;        /* in this order NaN becomes lo */
    return v < hi ? v : hi;
}

/* a sample of the frame through both filters */
PX_FN float sr_frame_sample(const SrComp *c, const SrFilters *f, int x, int y)
{
    const SrAxis *h = &f->h[c->chroma], *v = &f->v[c->chroma];
    float sum = 0;

    for (int i = 0; i < h->taps; i++) {
        const int sx = h->pos ? h->pos[x] + i : x;
        float column = 0;
        for (int k = 0; k < v->taps; k++)
            column += (v->pos ? v->coef[y * v->taps + k] : 1) * sr_code(c, sx, v->pos ? v->pos[y] + k : y);
        sum += (h->pos ? h->coef[x * h->taps + i] : 1) * column;
    }
    return sum;
}

/* the same of a plane of the net's codes */
PX_FN float sr_net_sample(const float *net, long long stride, const SrAxis *h, const SrAxis *v, int x, int y)
{
    float sum = 0;

    for (int i = 0; i < h->taps; i++) {
        const float *at = net + (v->pos ? v->pos[y] : y) * stride + (h->pos ? h->pos[x] + i : x);
        float column = 0;
        for (int k = 0; k < v->taps; k++)
            column += (v->pos ? v->coef[y * v->taps + k] : 1) * at[k * stride];
        sum += (h->pos ? h->coef[x * h->taps + i] : 1) * column;
    }
    return sum;
}

/* sample of a mirror, the edge sample not repeated, in place of one outside */
PX_FN int sr_mirror(int i, int n)
{
    const int m = 2 * (n - 1) - i;

    return i < n ? i : m > 0 ? m : 0;
}

CUDA_KERNEL esrgan_in(const SrIn p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x), y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const int sx = sr_mirror(x, p.nw), sy = sr_mirror(y, p.nh);
    const long long at = y * p.stride + x;
    float c[3] = { 0, 0, 0 };

    if (x >= p.aw || y >= p.ah)
        return;
    c[0] = sr_frame_sample(&p.comp[0], &p.f, sx, sy);
    if (p.nb_color == 3) {
        c[1] = sr_frame_sample(&p.comp[1], &p.f, sx, sy);
        c[2] = sr_frame_sample(&p.comp[2], &p.f, sx, sy);
    }
    CUDA_UNROLL
    for (int i = 0; i < 3; i++)
        p.out[i][at] = sr_clip(p.m[i][0] * c[0] + p.m[i][1] * c[1] + p.m[i][2] * c[2] + p.m[i][3], 0, 1);
}

PX_FN void sr_store(const SrComp *c, int x, int y, float v, int fill)
{
    unsigned char *row = c->data + y * c->stride;
    const int code = (int)(v + 0.5f) << c->shift;

    x *= c->step;
    if (c->bytes == 1)
        row[x] = (unsigned char)code;
    else
        ((unsigned short *)row)[x] = (unsigned short)code;
    if (fill)                   /* packed RGB of 8 bits alone has such */
        row[x + fill] = 255;
}

CUDA_KERNEL esrgan_out(const SrOut p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x), y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const int i = (int)blockIdx.z;
    const SrComp *c = &p.comp[i].dst;
    const float *net = p.comp[i].net;
    float v = 0, plain;

    if (x >= c->w || y >= c->h)
        return;
    if (net)
        v = sr_clip(sr_net_sample(net, p.stride, &p.out.h[c->chroma], &p.out.v[c->chroma], x, y), c->lo, c->hi);
    if (!net || p.strength < 1) {
        plain = sr_frame_sample(&p.comp[i].src, &p.plain, x, y);
        v = sr_clip(net ? plain + p.strength * (v - plain) : plain, 0, c->max);
    }
    sr_store(c, x, y, v, p.comp[i].fill);
}
