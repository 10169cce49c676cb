/*
 * Crop: one CUDA frame from another
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

#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "crop_cuda.h"
#include "crop_kernel.h"

#define ALIGN 256               ///< of tables and planes on the device

extern const unsigned char ff_vf_keyframecrop_cuda_ptx_data[];
extern const unsigned int  ff_vf_keyframecrop_cuda_ptx_len;

#define NAME(name, params) #name,
static const char *const kernels[] = { CROP_CUDA_KERNELS(NAME) NULL };

static const CudaModule module = {
    ff_vf_keyframecrop_cuda_ptx_data, &ff_vf_keyframecrop_cuda_ptx_len, kernels
};

/* ---- tables ------------------------------------------------------------------ */

/** Where the tables of an axis are: in the host's buffer, or on the device. */
typedef struct AxisTables {
    int     *pos;
    int16_t *coef;
} AxisTables;

/* Lays out x and y of luma and chroma from base on, which may be NULL.
 * @return bytes in all */
static size_t lay_out(AxisTables at[2][2], const CropTables *t, uint8_t *base)
{
    uintptr_t p = (uintptr_t)base;

    for (int i = 0; i < 2; i++)
        for (int d = 0; d < 2; d++) {
            const CropAxis *a = d ? &t->set[i].y : &t->set[i].x;
            at[i][d].pos  = (int *)p;
            p += FFALIGN(a->nb * sizeof(*a->pos), ALIGN);
            at[i][d].coef = (int16_t *)p;
            p += FFALIGN((size_t)a->nb * a->n * sizeof(*a->coef), ALIGN);
        }
    return p - (uintptr_t)base;
}

/* @param at  receives where they are on the device */
static int upload(CropCuda *c, const CropTables *t, AxisTables at[2][2])
{
    const size_t size = lay_out(at, t, NULL);
    int ret;

    av_fast_malloc(&c->host, &c->host_size, size);
    if (!c->host)
        return AVERROR(ENOMEM);
    lay_out(at, t, c->host);
    for (int i = 0; i < 2; i++)
        for (int d = 0; d < 2; d++) {
            const CropAxis *a = d ? &t->set[i].y : &t->set[i].x;
            if (!a->nb)
                continue;
            memcpy(at[i][d].pos,  a->pos,  a->nb * sizeof(*a->pos));
            memcpy(at[i][d].coef, a->coef, (size_t)a->nb * a->n * sizeof(*a->coef));
        }
    if ((ret = ff_cudafilter_upload(c->cuda, &c->tables, c->host, size)) < 0)
        return ret;
    lay_out(at, t, c->tables.data);
    return 0;
}

/* ---- which kernel -------------------------------------------------------------- */

static int pans(const CropPlane *p)
{
    return p->ax->uniform && p->ay->uniform && p->ax->n <= CROP_PAN_TAPS && p->ay->n <= CROP_PAN_TAPS &&
           (p->nc == 1 || p->nc == 2 || (p->nc == 4 && p->bytes == 1));
}

/* the most source samples that step output samples in a row read */
static int extent(const CropAxis *a, int step)
{
    int most = 0;

    for (int i = 0; i < a->nb; i += step)
        most = FFMAX(most, a->pos[FFMIN(i + step, a->nb) - 1] + a->n - a->pos[i]);
    return most;
}

/* whether the intermediates of all tiles have room */
static int fits_tile(const CropPlane *p)
{
    if (ff_crop_rows_first(p->ax, p->ay))
        return extent(p->ax, CROP_TILE_W / p->nc) <= CROP_TILE_MID / CROP_TILE_H / p->nc;
    return extent(p->ay, CROP_TILE_H) <= CROP_TILE_MID / CROP_TILE_W;
}

static enum CropCudaKernel choose(const CropPlane *plane, int nb)
{
    enum CropCudaKernel k = plane->bytes == 1 ? CROP_PAN8 : CROP_PAN16;

    for (int p = 0; p < nb; p++)
        if (!pans(&plane[p]))
            k = FFMAX(k, CROP_ZOOM);
    for (int p = 0; p < nb && k == CROP_ZOOM; p++)
        if (!fits_tile(&plane[p]))
            k = CROP_ANY;
    return k;
}

/* threads for the largest plane */
static CudaGrid grid_for(enum CropCudaKernel k, const CropPlane *plane, int nb)
{
    CudaGrid g = { 0, 0, nb, 32, 8 };

    for (int p = 0; p < nb; p++) {
        const int w = plane[p].dst_w * plane[p].nc, h = plane[p].dst_h;
        if (k == CROP_ZOOM) {
            const int tile_w = CROP_TILE_W / plane[p].nc;
            g.w = FFMAX(g.w, ((plane[p].dst_w - 1) / tile_w + 1) * CROP_BLOCK_W);
            g.h = FFMAX(g.h, ((h - 1) / CROP_TILE_H + 1) * CROP_BLOCK_H);
        } else if (k == CROP_ANY) {
            g.w = FFMAX(g.w, w);
            g.h = FFMAX(g.h, h);
        } else {
            g.w = FFMAX(g.w, (w - 1) / CROP_PAN_W + 1);
            g.h = FFMAX(g.h, (h - 1) / CROP_PAN_H + 1);
        }
    }
    if (k == CROP_ZOOM) {
        g.block_w = CROP_BLOCK_W;
        g.block_h = CROP_BLOCK_H;
    }
    return g;
}

/* ---- launches -------------------------------------------------------------------- */

static CropPxPlane source(const CropPlane *p)
{
    return (CropPxPlane){ p->src, p->src_stride, p->src_w, p->src_h, p->nc, p->bytes, p->depth, p->shift, -1 };
}

static void fill_plane(CropCudaPlane *q, const CropPlane *p, const AxisTables *x, const AxisTables *y)
{
    q->src = source(p);
    q->dst = p->dst;
    q->dst_stride = p->dst_stride;
    q->dst_w = p->dst_w;
    q->dst_h = p->dst_h;
    for (int c = 0; c < 4; c++)
        q->pad[c] = p->use_pad ? p->pad[c] : -1;
    q->nx = p->ax->n;
    q->ny = p->ay->n;
    q->rows_first = ff_crop_rows_first(p->ax, p->ay);
    q->pos_x  = x->pos;
    q->pos_y  = y->pos;
    q->coef_x = x->coef;
    q->coef_y = y->coef;
    q->x = p->ax->pos[0];
    q->y = p->ay->pos[0];
    q->pan_taps = FFMAX(q->nx, q->ny) <= 4 ? 4 : CROP_PAN_TAPS;
    for (int i = 0; i < CROP_PAN_TAPS; i++) {
        q->pan_x[i] = i < q->nx ? p->ax->coef[i] : 0;
        q->pan_y[i] = i < q->ny ? p->ay->coef[i] : 0;
    }
}

static int crop(CropCuda *c, const CropTables *t, const CropPlane *plane)
{
    const int nb = t->layout.nb_planes;
    const enum CropCudaKernel k = choose(plane, nb);
    const CudaGrid g = grid_for(k, plane, nb);
    AxisTables at[2][2] = { { { NULL } } };
    CropCudaParams params = { 0 };
    int ret;

    if (k >= CROP_ZOOM && (ret = upload(c, t, at)) < 0)
        return ret;
    for (int p = 0; p < nb; p++) {
        const AxisTables *xy = at[t->layout.plane[p].chroma];
        fill_plane(&params.plane[p], &plane[p], &xy[0], &xy[1]);
    }
    return ff_cudafilter_launch(c->cuda, k, &g, &params);
}

/* the rotated part, from which plane[] is made to read */
static int turn(CropCuda *c, const CropTables *t, CropPlane *plane)
{
    const int n = 2 * t->kernel.support, nb = t->layout.nb_planes;
    CropCudaTurn params = { .n = n };
    CudaGrid g = { .layers = nb, .block_w = 32, .block_h = 8 };
    size_t at[4], size = 0;
    int ret;

    for (int p = 0; p < nb; p++) {
        at[p] = size;
        size += FFALIGN(ff_crop_turned_stride(t, p) * (size_t)t->set[t->layout.plane[p].chroma].rot_h, ALIGN);
    }
    if ((ret = ff_cudafilter_reserve(c->cuda, &c->turned, size)) < 0)
        return ret;
    if (!c->phases.data &&
        (ret = ff_cudafilter_upload(c->cuda, &c->phases, t->kernel.phase, sizeof(t->kernel.phase))) < 0)
        return ret;
    params.phase = (const short *)c->phases.data;
    for (int p = 0; p < nb; p++) {
        const CropSet *s = &t->set[t->layout.plane[p].chroma];
        CropCudaTurnPlane *q = &params.plane[p];
        q->src = source(&plane[p]);
        q->rot = s->rot;
        q->dst = c->turned.data + at[p];
        q->dst_stride = ff_crop_turned_stride(t, p);
        q->dst_w = s->rot_w;
        q->dst_h = s->rot_h;
        for (int i = 0; i < 4; i++)
            q->pad[i] = plane[p].pad[i];
        ff_crop_plane_turn(&plane[p], t, p, q->dst);
        g.w = FFMAX(g.w, q->dst_w * plane[p].nc);
        g.h = FFMAX(g.h, q->dst_h);
    }
    return ff_cudafilter_launch(c->cuda, CROP_TURN, &g, &params);
}

int ff_crop_cuda(CropCuda *c, const CropTables *t, AVFrame *out, const AVFrame *in)
{
    CropPlane plane[4];
    int ret;

    for (int p = 0; p < t->layout.nb_planes; p++)
        plane[p] = ff_crop_tables_plane(t, p, out, in);
    if (t->turn && (ret = turn(c, t, plane)) < 0)
        return ret;
    return crop(c, t, plane);
}

int ff_crop_cuda_init(CropCuda *c, AVFilterContext *ctx, AVBufferRef *device)
{
    ff_crop_cuda_free(c);
    return ff_cudafilter_open(&c->cuda, ctx, device, &module);
}

void ff_crop_cuda_free(CropCuda *c)
{
    ff_cudafilter_buffer_free(c->cuda, &c->tables);
    ff_cudafilter_buffer_free(c->cuda, &c->phases);
    ff_cudafilter_buffer_free(c->cuda, &c->turned);
    ff_cudafilter_close(&c->cuda);
    av_freep(&c->host);
    c->host_size = 0;
}
