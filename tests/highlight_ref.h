/*
 * highlight: frames drawn pixel by pixel, as the formulas say
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

#ifndef FFREEL_TESTS_HIGHLIGHT_REF_H
#define FFREEL_TESTS_HIGHLIGHT_REF_H

#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/frame.h"
#include "libavutil/imgutils.h"
#include "libavutil/pixdesc.h"

#include "libavfilter/highlight_render.h"

static uint32_t hl_seed = 1;

static inline uint32_t hl_rnd(void)
{
    hl_seed = hl_seed * 1664525 + 1013904223;
    return hl_seed >> 8;
}

static inline double hl_uniform(double a, double b)
{
    return a + (b - a) * (hl_rnd() & 0xffff) / 65535.;
}

/** A frame whose padding is filled, too. what: 0 noise, 1 black, 2 the greatest code */
static inline AVFrame *hl_frame(enum AVPixelFormat fmt, int w, int h, int what)
{
    AVFrame *f = av_frame_alloc();
    PxLayout l;

    f->format = fmt;
    f->width  = w;
    f->height = h;
    if (av_frame_get_buffer(f, 64) < 0 || ff_px_layout(&l, fmt) < 0)
        abort();
    for (int b = 0; b < 8 && f->buf[b]; b++)
        memset(f->buf[b]->data, 0xa5, f->buf[b]->size);
    for (int p = 0; p < l.nb_planes; p++) {
        const int n = (l.plane[p].chroma ? AV_CEIL_RSHIFT(w, l.desc->log2_chroma_w) : w) * l.plane[p].nc;
        const int rows = l.plane[p].chroma ? AV_CEIL_RSHIFT(h, l.desc->log2_chroma_h) : h;
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < n; x++) {
                const int v = what == 1 ? 0 : what == 2 ? (1 << l.depth) - 1 : hl_rnd() & ((1 << l.depth) - 1);
                uint8_t *row = f->data[p] + y * f->linesize[p];
                if (l.bytes == 1)
                    row[x] = v;
                else
                    ((uint16_t *)row)[x] = v << l.shift | (hl_rnd() & ((1 << l.shift) - 1));
            }
    }
    return f;
}

static inline AVFrame *hl_copy(const AVFrame *f)
{
    AVFrame *c = hl_frame(f->format, f->width, f->height, 1);

    for (int b = 0; b < 8 && f->buf[b]; b++)
        memcpy(c->buf[b]->data, f->buf[b]->data, f->buf[b]->size);
    av_frame_copy_props(c, f);
    return c;
}

/** whether two frames are alike, with all that lies around the picture */
static inline int hl_same(const AVFrame *a, const AVFrame *b)
{
    for (int i = 0; i < 8 && a->buf[i]; i++)
        if (a->buf[i]->size != b->buf[i]->size || memcmp(a->buf[i]->data, b->buf[i]->data, a->buf[i]->size))
            return 0;
    return 1;
}

static inline int hl_get(const AVFrame *f, const PxLayout *l, int p, int x, int y)
{
    const uint8_t *row = f->data[p] + y * f->linesize[p];

    return l->bytes == 1 ? row[x] : ((const uint16_t *)row)[x] >> l->shift;
}

static inline void hl_set(AVFrame *f, const PxLayout *l, int p, int x, int y, int v)
{
    uint8_t *row = f->data[p] + y * f->linesize[p];

    if (l->bytes == 1)
        row[x] = v;
    else
        ((uint16_t *)row)[x] = v << l->shift | (((uint16_t *)row)[x] & ((1 << l->shift) - 1));
}

static inline int hl_triangle(const AVFrame *f, const PxLayout *l, int p, int x, int y, int c, int rx, int ry, int w, int h)
{
    const int nc = l->plane[p].nc, up = 16 - l->depth;
    unsigned sum = 0;

    for (int i = -rx; i <= rx; i++) {
        unsigned col = 0;
        for (int j = -ry; j <= ry; j++)
            col += (ry + 1 - abs(j)) * hl_get(f, l, p, av_clip(x + i, 0, w - 1) * nc + c, av_clip(y + j, 0, h - 1));
        sum += (rx + 1 - abs(i)) * hl_px_blur_part(col, hl_px_blur_factor(ry + 1), up);
    }
    return hl_px_blur_out(hl_px_blur_part(sum, hl_px_blur_factor(rx + 1), 0), up, (1 << l->depth) - 1);
}

/** All pixels of all planes, straight from the formulas. */
static inline void hl_reference(AVFrame *out, const AVFrame *in, const HighlightScene *s, const HighlightTables *t,
                                const PxLayout *l)
{
    const HlPxFrame *p = &t->frame;
    const HlPxDraw *d = (const HlPxDraw *)(t->mem + p->draws);

    for (int pl = 0; pl < l->nb_planes; pl++) {
        const int set = l->plane[pl].chroma, nc = l->plane[pl].nc;
        const int w = set ? AV_CEIL_RSHIFT(in->width,  l->desc->log2_chroma_w) : in->width;
        const int h = set ? AV_CEIL_RSHIFT(in->height, l->desc->log2_chroma_h) : in->height;
        const int rx = ff_highlight_radius(s->blur, set ? l->desc->log2_chroma_w : 0);
        const int ry = ff_highlight_radius(s->blur, set ? l->desc->log2_chroma_h : 0);
        int comp[4];
        const int look = ff_highlight_components(comp, l, pl);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                HlPxMix m;
                int at[HL_DRAWS];
                for (int i = 0; i < p->nb; i++)
                    at[i] = hl_px_at(t->mem, p, &d[i], set, x, y);
                hl_px_mix(&m, t->mem, p, set, look, at, y);
                for (int c = 0; c < nc; c++) {
                    const int v = hl_get(in, l, pl, x * nc + c, y);
                    int q = 0, r;
                    if (m.w && p->luma[1]) {
                        int rgb[3];
                        for (int k = 0; k < 3; k++) {
                            const AVComponentDescriptor *cd = &l->desc->comp[k];
                            rgb[k] = hl_get(in, l, cd->plane, (x * cd->step + cd->offset) / l->bytes, y);
                        }
                        q = hl_px_luma(p, rgb[0], rgb[1], rgb[2]);
                    } else if (m.w) {
                        q = hl_triangle(in, l, pl, x, y, c, rx, ry, w, h);
                    }
                    r = comp[c] < 0 ? v : hl_px_value(v, q, m.k, m.w, m.o[comp[c]] + hl_px_round(p->dither, x, y),
                                                      (1 << l->depth) - 1);
                    hl_set(out, l, pl, x * nc + c, y, r);
                }
            }
    }
}

/** Some scene that fits a frame of w x h, or does not quite. */
static inline HighlightScene hl_scene(int w, int h)
{
    HighlightScene s = { .base = hl_rnd() % 5, .strength = hl_uniform(0, 1), .blur = 1 + hl_rnd() % 9, .nb = hl_rnd() % 4 };
    const int old = !(hl_rnd() & 3);

    if (old)
        s.nb = FFMIN(s.nb, 1);
    s.truncate = old && hl_rnd() & 1;
    if (s.base == HL_BASE_GAIN)
        s.strength *= 3;
    for (int i = 0; i < s.nb; i++) {
        HighlightDraw *d = &s.draw[i];
        d->x  = hl_uniform(-0.2, 1.2) * w;
        d->y  = hl_uniform(-0.2, 1.2) * h;
        d->rx = hl_uniform(0, 1) * hl_uniform(0, 1) * w;
        d->ry = hl_uniform(0, 1) * hl_uniform(0, 1) * h;
        d->hole    = hl_rnd() & 3 ? 1 : hl_uniform(0, 1);
        d->feather = hl_rnd() & 3 ? hl_uniform(0.1, 20) : 0;
        d->fill    = hl_rnd() & 1 ? hl_uniform(0, 1) : 0;
        d->stroke  = hl_rnd() & 1 ? hl_uniform(0, 1) : 0;
        d->outline = hl_rnd() & 1 ? 0.5 : 0;
        d->width   = hl_uniform(1, 7);
        d->outline_width = d->width + 2;
        d->color   = hl_rnd() & 0xffffff;
        d->open    = hl_rnd() & 1;
        d->old     = old;
        if (old) {
            d->x  = (int)d->x;
            d->y  = (int)d->y;
            d->rx = (int)d->rx;
            d->ry = (int)d->ry;
            d->width = (int)d->width;
            d->outline_width = d->width + 2;
        }
    }
    return s;
}

static const enum AVPixelFormat hl_formats[] = {
    AV_PIX_FMT_GRAY8, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV410P, AV_PIX_FMT_NV12,
    AV_PIX_FMT_NV24, AV_PIX_FMT_YUVA420P, AV_PIX_FMT_GBRP, AV_PIX_FMT_RGB24, AV_PIX_FMT_BGRA, AV_PIX_FMT_RGB0,
    AV_PIX_FMT_YA8, AV_PIX_FMT_YUV420P10, AV_PIX_FMT_P010, AV_PIX_FMT_P016, AV_PIX_FMT_GRAY16, AV_PIX_FMT_YUV444P16,
    AV_PIX_FMT_GBRP12, AV_PIX_FMT_RGB48,
};

#endif /* FFREEL_TESTS_HIGHLIGHT_REF_H */
