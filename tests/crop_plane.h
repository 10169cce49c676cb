/*
 * Crop: planes to test on, one run of the loops, and what to hold it against
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

#ifndef FFREEL_TESTS_CROP_PLANE_H
#define FFREEL_TESTS_CROP_PLANE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/macros.h"

#include "libavfilter/crop_geom.h"
#include "libavfilter/crop_px.h"
#include "libavfilter/crop_resample.h"
#include "libavfilter/crop_taps.h"
#include "crop_ref.h"

#define GUARD 64

typedef struct Plane {
    int w, h, nc, bytes, depth, shift;
    ptrdiff_t stride;
    uint8_t *buf, *data;        ///< buf has GUARD bytes around each row's samples
} Plane;

static Plane make(int w, int h, int nc, int depth, int shift)
{
    Plane p = { w, h, nc, depth + shift > 8 ? 2 : 1, depth, shift };

    p.stride = w * nc * p.bytes + 2 * GUARD;
    p.buf    = malloc(p.stride * (h + 2));
    p.data   = p.buf + p.stride + GUARD;
    memset(p.buf, 0xA5, p.stride * (h + 2));
    return p;
}

static int get(const Plane *p, int x, int y, int c)
{
    const uint8_t *row = p->data + y * p->stride;
    return p->bytes == 1 ? row[x * p->nc + c] : ((const uint16_t *)row)[x * p->nc + c] >> p->shift;
}

static void set(Plane *p, int x, int y, int c, int v)
{
    uint8_t *row = p->data + y * p->stride;
    if (p->bytes == 1)
        row[x * p->nc + c] = v;
    else
        ((uint16_t *)row)[x * p->nc + c] = v << p->shift;
}

static unsigned seed = 1;

static unsigned rnd(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

/* waves, edges and noise, the whole range */
static void paint(Plane *p)
{
    const double max = (1 << p->depth) - 1;

    for (int y = 0; y < p->h; y++)
        for (int x = 0; x < p->w; x++)
            for (int c = 0; c < p->nc; c++) {
                double v = 0.5 + 0.3 * sin(x * 0.31 + c) * cos(y * 0.23) + ((x / 9 + y / 7) & 1) * 0.15 +
                           (rnd() % 1000 - 500) / 500. * 0.08;
                set(p, x, y, c, lrint(fmin(fmax(v, 0), 1) * max));
            }
}

/* everything but the samples still holds the guard value */
static int guarded(const Plane *p)
{
    for (ptrdiff_t i = 0; i < p->stride * (p->h + 2); i++) {
        const ptrdiff_t row = i / p->stride, at = i % p->stride;
        if (row >= 1 && row <= p->h && at >= GUARD && at < p->stride - GUARD)
            continue;
        if (p->buf[i] != 0xA5)
            return 0;
    }
    return 1;
}

typedef struct Load {
    const Plane *p;
    int c, pad;
} Load;

static double load_ref(const void *opaque, int x, int y)
{
    const Load *l = opaque;
    const Plane *p = l->p;

    if (l->pad >= 0 && (x < 0 || y < 0 || x >= p->w || y >= p->h))
        return l->pad;
    return get(p, x < 0 ? 0 : x >= p->w ? p->w - 1 : x, y < 0 ? 0 : y >= p->h ? p->h - 1 : y, l->c);
}

typedef struct Case {
    CropMap x, y;
    int pad;                    ///< value, or -1
} Case;

typedef struct Run {
    Plane out;
    CropAxis ax, ay;
    CropKernel k;
} Run;

static Run *run(const Plane *in, const Case *c, int type, int w, int h, int strips)
{
    Run *r = calloc(1, sizeof(*r));
    CropScratch s = { 0 };
    CropPlane p = { in->data, in->stride, in->w, in->h };

    r->out = make(w, h, in->nc, in->depth, in->shift);
    ff_crop_kernel_init(&r->k, type);
    ff_crop_axis_build(&r->ax, &r->k, c->x.start, c->x.step, w, in->w);
    ff_crop_axis_build(&r->ay, &r->k, c->y.start, c->y.step, h, in->h);
    p.dst = r->out.data;
    p.dst_stride = r->out.stride;
    p.dst_w = w;
    p.dst_h = h;
    p.nc = in->nc;
    p.bytes = in->bytes;
    p.depth = in->depth;
    p.shift = in->shift;
    p.use_pad = c->pad >= 0;
    for (int i = 0; i < 4; i++)
        p.pad[i] = FFMAX(c->pad, 0);
    p.ax = &r->ax;
    p.ay = &r->ay;
    for (int i = 0; i < strips; i++)
        ff_crop_plane(&p, &s, h * i / strips, h * (i + 1) / strips);
    ff_crop_scratch_free(&s);
    return r;
}

static void finish(Run *r)
{
    ff_crop_axis_free(&r->ax);
    ff_crop_axis_free(&r->ay);
    free(r->out.buf);
    free(r);
}

/* samples that differ from the definition in crop_px.h */
static int undefined(const Run *r, const Plane *in, int pad)
{
    int bad = 0;

    for (int c = 0; c < in->nc; c++) {
        CropPxPlane p = { in->data + c * in->bytes, in->stride, in->w, in->h, in->nc, in->bytes,
                          in->depth, in->shift, pad };
        for (int y = 0; y < r->out.h; y++)
            for (int x = 0; x < r->out.w; x++)
                bad += get(&r->out, x, y, c) !=
                       crop_px_sample(&p, r->ax.pos[x], r->ax.n, r->ax.coef + x * r->ax.n,
                                      r->ay.pos[y], r->ay.n, r->ay.coef + y * r->ay.n,
                                      ff_crop_rows_first(&r->ax, &r->ay));
    }
    return bad;
}

static double psnr(const Run *r, const Plane *in, const Case *c, int type)
{
    const double max = (1 << in->depth) - 1;
    double err = 0;
    int nb = 0;

    for (int comp = 0; comp < in->nc; comp++) {
        Load l = { in, comp, c->pad };
        double *ref = ref_crop(load_ref, &l, type, c->x.start, c->x.step, r->out.w,
                               c->y.start, c->y.step, r->out.h);
        for (int y = 0; y < r->out.h; y++)
            for (int x = 0; x < r->out.w; x++) {
                const double d = get(&r->out, x, y, comp) - fmin(fmax(ref[y * r->out.w + x], 0), max);
                err += d * d;
                nb++;
            }
        free(ref);
    }
    return 10 * log10(max * max * nb / err);
}

#endif /* FFREEL_TESTS_CROP_PLANE_H */
