/*
 * highlight: the formulas of one sample
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

#ifndef AVFILTER_HIGHLIGHT_PX_H
#define AVFILTER_HIGHLIGHT_PX_H

/**
 * @file
 * A sample of the output is
 *
 *     p * k + q * w + o
 *
 * of the sample p of the input and of q, which is the same place of a blurred
 * picture or the luma of an RGB pixel. k, w and o are the same for all samples
 * far outside of all ellipses and deep inside of one; near a rim they follow
 * from the distance to it.
 *
 * Distance to the ellipse |P| = 1, with P = (X, Y) = ((x - cx) / rx, (y - cy) / ry):
 *
 *     d = (|P| - 1) |P| / |(X / rx, Y / ry)|
 *
 * (|P| - 1 over the length of its gradient: exact on the axes, and to first
 * order everywhere near the rim; negative inside). The squares are sums of a
 * term of the column and a term of the row, which the host tabulates:
 *
 *     f = |P|^2                          ax[x] + by[y]
 *     g = X^2 wx + Y^2 wy                gx[x] + gy[y], w = (rmin / r)^2
 *     d = t(f) * r(g)                    t = rmax |P| (|P| - 1),  r = rmin / rmax / sqrt(g)
 *
 * t and r are tables with linear steps between. The distance is an index into
 * the weights of the ellipse (HlPxWeights), made by the host as well: so any
 * profile of edge, ring and outline costs the same.
 *
 * Everything lies in one block of memory, by offsets, so that the host hands
 * the same block to C and to CUDA.
 */

#include "px.h"

#define HL_ONE       32768      ///< a weight of 1
#define HL_K_ONE     8192       ///< a factor of 1; factors are below 4
#define HL_O_BITS    5          ///< fraction of offsets and of sums
#define HL_F_BITS    26         ///< f and g at the outer end of the tables
#define HL_F_ONE     (1 << HL_F_BITS)
#define HL_TAB_BITS  10         ///< steps of t and r
#define HL_D_BITS    7          ///< fraction of d, in luma pixels
#define HL_R_BITS    11         ///< fraction of r; t and r stay within HL_T_MAX and HL_R_MAX, so that
#define HL_T_MAX     ((1 << 17) - 1)    ///< their product has 32 bits
#define HL_R_MAX     ((1 << 14) - 1)
#define HL_DRAWS     16         ///< ellipses at one time
#define HL_INDICES   1024       ///< weights of an ellipse, at most

/** What an ellipse does at one distance; all in [0, HL_ONE]. */
typedef struct HlPxWeights {
    unsigned short hole;        ///< as far as this is inside, for the effect on the picture
    unsigned short fill;        ///< opacity of its color
    unsigned short main, dark;  ///< share of its color and of the outline's on top of that
} HlPxWeights;

/** One ellipse on samples as many as pixels, or on subsampled chroma. Offsets are in bytes. */
typedef struct HlPxSet {
    int x0, y0, x1, y1;         ///< samples that may differ from outside, end excluded
    int mid;                    ///< column of least ax, from x0
    int ax, gx;                 ///< int [x1 - x0] each
    int by, gy;                 ///< int [y1 - y0] each
    int arc;                    ///< int [y1 - y0]: how much of the ring is drawn in the row
    int lut;                    ///< HlPxWeights [n]; the last one is outside
} HlPxSet;

typedef struct HlPxDraw {
    HlPxSet set[2];             ///< full size, subsampled
    int f_lo;                   ///< below this f the weights are the first ones
    int t, r;                   ///< int [(1 << HL_TAB_BITS) + 1] each
    int lo, shift, n;           ///< index = (d - lo) >> shift
    int map, map_stride;        ///< map: 0, or bytes by luma pixel that are indices, of the area of set[0]
    int main[4], dark[4];       ///< the colors by component, with HL_O_BITS
} HlPxDraw;

/** The effect on the picture, of luma and RGB or of chroma. */
typedef struct HlPxLook {
    int k_in, k_out;            ///< factors inside and outside
    int w_out;                  ///< share of q outside; k is 1 less it then
    int bias;                   ///< added outside, with HL_O_BITS
    int zero[4];                ///< by component: the value that factors leave alone
} HlPxLook;

typedef struct HlPxFrame {
    int nb;                     ///< ellipses
    int draws;                  ///< offset of HlPxDraw [nb]
    int dither;                 ///< ordered dither instead of rounding
    int log2_x, log2_y;         ///< subsampling of chroma
    int luma[3];                ///< R, G, B weights of q, sum HL_ONE; all 0: q is a blurred picture
    HlPxLook look[2];           ///< luma, chroma
} HlPxFrame;

/** Factors and offsets of one pixel of a plane; o by component. */
typedef struct HlPxMix {
    int k, w, o[4];
} HlPxMix;

PX_FN int hl_px_step(const int *tab, int f)
{
    const int i = f >> (HL_F_BITS - HL_TAB_BITS);
    const int u = (f >> (HL_F_BITS - HL_TAB_BITS - 12)) & 4095;

    return tab[i] + ((tab[i + 1] - tab[i]) * u >> 12);
}

/** @param f, g  below HL_F_ONE, f >= f_lo */
PX_FN int hl_px_index(const unsigned char *m, const HlPxDraw *d, int f, int g)
{
    const int t = hl_px_step((const int *)(m + d->t), f);
    const int r = hl_px_step((const int *)(m + d->r), g);
    const int dist = t * r >> HL_R_BITS;

    return px_clip((dist - d->lo) >> d->shift, 0, d->n - 1);
}

/** Index of the weights at sample (x, y) of the set. */
PX_FN int hl_px_at(const unsigned char *m, const HlPxFrame *p, const HlPxDraw *d, int set, int x, int y)
{
    const HlPxSet *s = &d->set[set];
    int f, g;

    if (x < s->x0 || x >= s->x1 || y < s->y0 || y >= s->y1)
        return d->n - 1;
    if (d->map) {
        const HlPxSet *l = &d->set[0];
        x = set ? px_clip(x << p->log2_x, l->x0, l->x1 - 1) : x;
        y = set ? px_clip(y << p->log2_y, l->y0, l->y1 - 1) : y;
        return m[d->map + (y - l->y0) * d->map_stride + x - l->x0];
    }
    x -= s->x0;
    y -= s->y0;
    f = ((const int *)(m + s->ax))[x] + ((const int *)(m + s->by))[y];
    g = ((const int *)(m + s->gx))[x] + ((const int *)(m + s->gy))[y];
    if (f >= HL_F_ONE)
        return d->n - 1;
    return f < d->f_lo ? 0 : hl_px_index(m, d, f, g < HL_F_ONE ? g : HL_F_ONE - 1);
}

/** v * weight */
PX_FN int hl_px_part(int v, int weight)
{
    return (int)(((long long)v * weight + HL_ONE / 2) >> 15);
}

/** The effect alone. @param hole  how far inside, HL_ONE: all */
PX_FN void hl_px_base(HlPxMix *m, const HlPxLook *l, int hole)
{
    const int out = HL_ONE - hole;
    int rest, c;

    m->w = hl_px_part(l->w_out, out);
    m->k = l->w_out ? HL_K_ONE - m->w : l->k_in + hl_px_part(l->k_out - l->k_in, out);
    rest = HL_K_ONE - m->k - m->w;
    for (c = 0; c < 4; c++)
        m->o[c] = ((l->zero[c] * rest + 128) >> 8) + hl_px_part(l->bias, out);
}

/** A layer on top. @param a, b  share of main and of dark */
PX_FN void hl_px_over(HlPxMix *m, const HlPxDraw *d, int a, int b)
{
    const int keep = HL_ONE - a - b;
    int c;

    if (keep == HL_ONE)
        return;
    m->k = hl_px_part(m->k, keep);
    m->w = hl_px_part(m->w, keep);
    for (c = 0; c < 4; c++)
        m->o[c] = hl_px_part(m->o[c], keep) + hl_px_part(d->main[c], a) + hl_px_part(d->dark[c], b);
}

/** The layers of one ellipse. @param y  row of the set */
PX_FN void hl_px_layers(HlPxMix *mix, const unsigned char *m, const HlPxDraw *d, int set, HlPxWeights w, int y)
{
    const HlPxSet *s = &d->set[set];

    if (w.fill)
        hl_px_over(mix, d, w.fill, 0);
    if (w.main | w.dark) {
        const int arc = y >= s->y0 && y < s->y1 ? ((const int *)(m + s->arc))[y - s->y0] : 0;
        hl_px_over(mix, d, hl_px_part(w.main, arc), hl_px_part(w.dark, arc));
    }
}

PX_FN HlPxWeights hl_px_weights(const unsigned char *m, const HlPxDraw *d, int set, int at)
{
    return ((const HlPxWeights *)(m + d->set[set].lut))[at];
}

/**
 * All layers of a pixel.
 * @param look  0: luma or RGB, 1: chroma, whatever the set
 * @param at    index of the weights of each ellipse
 * @param y     row of the set
 */
PX_FN void hl_px_mix(HlPxMix *mix, const unsigned char *m, const HlPxFrame *p, int set, int look,
                     const int *at, int y)
{
    const HlPxDraw *d = (const HlPxDraw *)(m + p->draws);
    int hole = 0, i;

    for (i = 0; i < p->nb; i++) {
        const HlPxWeights w = hl_px_weights(m, &d[i], set, at[i]);
        hole = w.hole > hole ? w.hole : hole;
    }
    hl_px_base(mix, &p->look[look], hole);
    for (i = 0; i < p->nb; i++)
        hl_px_layers(mix, m, &d[i], set, hl_px_weights(m, &d[i], set, at[i]), y);
}

/** The same from the place alone, without an array: finds indices twice where there are several. */
PX_FN void hl_px_mix_at(HlPxMix *mix, const unsigned char *m, const HlPxFrame *p, int set, int look, int x, int y)
{
    const HlPxDraw *d = (const HlPxDraw *)(m + p->draws);
    HlPxWeights first = { 0, 0, 0, 0 };
    int hole = 0, i;

    for (i = 0; i < p->nb; i++) {
        const HlPxWeights w = hl_px_weights(m, &d[i], set, hl_px_at(m, p, &d[i], set, x, y));
        hole  = w.hole > hole ? w.hole : hole;
        first = i ? first : w;
    }
    hl_px_base(mix, &p->look[look], hole);
    for (i = 0; i < p->nb; i++)
        hl_px_layers(mix, m, &d[i], set, i ? hl_px_weights(m, &d[i], set, hl_px_at(m, p, &d[i], set, x, y)) : first, y);
}

/** What is added before the fraction is cut off: a half, or an ordered pattern of 8 x 8
 *  whose value at (x, y) interleaves the bits of x ^ y and y. */
PX_FN int hl_px_round(int dither, int x, int y)
{
    const int z = x ^ y;

    if (!dither)
        return 1 << (HL_O_BITS - 1);
    return (z & 1) << 4 | (y & 1) << 3 | (z & 2) << 1 | (y & 2) | (z & 4) >> 2;
}

PX_FN int hl_px_value(int p, int q, int k, int w, int o, int max)
{
    return px_clip(((p * k >> 8) + (q * w >> 8) + o) >> HL_O_BITS, 0, max);
}

/** luma of an RGB pixel, in its own codes */
PX_FN int hl_px_luma(const HlPxFrame *p, int r, int g, int b)
{
    return (int)(((unsigned)r * p->luma[0] + (unsigned)g * p->luma[1] + (unsigned)b * p->luma[2] + HL_ONE / 2) >> 15);
}

#endif /* AVFILTER_HIGHLIGHT_PX_H */
