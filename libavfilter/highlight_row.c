/*
 * highlight: one row of a plane
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

#include "libavutil/attributes.h"
#include "libavutil/common.h"
#include "libavutil/macros.h"

#include "highlight_row.h"

#define LONG_RUN 24             ///< pixels with the same factors that are worth a loop of their own

/* ---- the loops -------------------------------------------------------------------- */

/* p * k >> 8 of an 8-bit sample: one instruction (pmulhuw) */
static av_always_inline short part8(uint8_t p, uint16_t k)
{
    return (uint32_t)(uint16_t)(p << 8) * k >> 16;
}

/* hl_px_value() in 16 bits; the vectoriser takes this order of clipping */
static av_always_inline uint8_t clip8(short sum)
{
    short v = sum >> HL_O_BITS;

    v = v < 0 ? 0 : v;
    return v > 255 ? 255 : v;
}

/* dst may be src: no sample depends on another */
PX_HOT static void run8(uint8_t *dst, const uint8_t *src, int nb, const HighlightRun *r)
{
    int i = 0;

    for (; i + HL_RUN <= nb; i += HL_RUN)
#pragma GCC ivdep
        for (int j = 0; j < HL_RUN; j++)
            dst[i + j] = clip8(part8(src[i + j], r->k16[j]) + r->o16[j]);
#pragma GCC ivdep
    for (int j = 0; j < nb - i; j++)
        dst[i + j] = clip8(part8(src[i + j], r->k16[j]) + r->o16[j]);
}

PX_HOT static void run8q(uint8_t *dst, const uint8_t *src, const uint8_t *q, int nb, const HighlightRun *r)
{
    for (int i = 0; i < nb; i += HL_RUN)
#pragma GCC ivdep
        for (int j = 0; j < FFMIN(HL_RUN, nb - i); j++)
            dst[i + j] = clip8(part8(src[i + j], r->k16[j]) + part8(q[i + j], r->w16[j]) + r->o16[j]);
}

/* bits below a sample that is shifted up stay, so that what is drawn on does not differ from what is not */
PX_HOT static void run16(uint16_t *dst, const uint16_t *src, int nb, const HighlightRun *r, int shift, int max)
{
    const int below = (1 << shift) - 1;

    for (int i = 0; i < nb; i += HL_RUN)
#pragma GCC ivdep
        for (int j = 0; j < FFMIN(HL_RUN, nb - i); j++)
            dst[i + j] = hl_px_value(src[i + j] >> shift, 0, r->k[j], 0, r->o[j], max) << shift | (src[i + j] & below);
}

PX_HOT static void run16q(uint16_t *dst, const uint16_t *src, const uint16_t *q, int nb,
                          const HighlightRun *r, int shift, int max)
{
    const int below = (1 << shift) - 1;

    for (int i = 0; i < nb; i += HL_RUN)
#pragma GCC ivdep
        for (int j = 0; j < FFMIN(HL_RUN, nb - i); j++)
            dst[i + j] = hl_px_value(src[i + j] >> shift, q[i + j], r->k[j], r->w[j], r->o[j], max) << shift |
                         (src[i + j] & below);
}

static void run(const HighlightPlane *p, uint8_t *dst, const uint8_t *src, const uint8_t *q, int nb,
                const HighlightRun *r)
{
    const int max = (1 << p->depth) - 1;

    if (p->bytes == 1 && q)
        run8q(dst, src, q, nb, r);
    else if (p->bytes == 1)
        run8(dst, src, nb, r);
    else if (q)
        run16q((uint16_t *)dst, (const uint16_t *)src, (const uint16_t *)q, nb, r, p->shift, max);
    else
        run16((uint16_t *)dst, (const uint16_t *)src, nb, r, p->shift, max);
}

/* ---- pieces of a row ----------------------------------------------------------------- */

/** What the pieces of one row share. */
typedef struct Row {
    const HighlightPlane *plane;
    const HlPxFrame *p;
    const unsigned char *mem;
    const HlPxDraw *draw;
    const uint8_t *src, *q;
    uint8_t *dst;
    int y;
} Row;

static int leaves_alone(const HighlightPlane *p, const HlPxMix *m)
{
    int same = m->k == HL_K_ONE && !m->w;

    for (int c = 0; c < p->nc; c++)
        same &= p->comp[c] < 0 || !m->o[p->comp[c]];
    return same;
}

/* factors of pixel i of a run, which is pixel x of the row */
static av_always_inline void put(const Row *row, HighlightRun *r, int i, int x, const HlPxMix *m)
{
    const HighlightPlane *p = row->plane;
    const int half = hl_px_round(row->p->dither, x, row->y);

    for (int c = 0; c < p->nc; c++) {
        const int on = p->comp[c] >= 0, j = i * p->nc + c;
        const int k = on ? m->k : HL_K_ONE, w = on ? m->w : 0, o = on ? m->o[p->comp[c]] + half : 0;
        if (p->bytes == 1) {
            r->k16[j] = k;
            r->w16[j] = w;
            r->o16[j] = o;
        } else {
            r->k[j] = k;
            r->w[j] = w;
            r->o[j] = o;
        }
    }
}

static void put_pixels(const Row *row, const HighlightRun *r, int x, int nb)
{
    const HighlightPlane *p = row->plane;
    const ptrdiff_t at = (ptrdiff_t)x * p->nc * p->bytes;

    run(p, row->dst + at, row->src + at, row->q ? row->q + at : NULL, nb * p->nc, r);
}

static void copy_pixels(const Row *row, int a, int b)
{
    const ptrdiff_t pixel = row->plane->nc * row->plane->bytes;

    if (row->dst != row->src)
        memcpy(row->dst + a * pixel, row->src + a * pixel, (b - a) * pixel);
}

/* pixels [a, b), all with the same factors */
static void flat(const Row *row, HighlightRun *r, const HlPxMix *m, int a, int b)
{
    /* of a dither pattern, where it begins */
    const int phase = row->p->dither ? (row->y & 7) * 8 + (a & 7) : 0;

    if (leaves_alone(row->plane, m)) {
        copy_pixels(row, a, b);
        return;
    }
    if (!r->valid || r->phase != phase || memcmp(&r->mix, m, sizeof(*m))) {
        for (int i = 0; i < HL_RUN / row->plane->nc; i++)
            put(row, r, i, a + i, m);
        r->valid = 1;
        r->phase = phase;
        r->mix   = *m;
    }
    put_pixels(row, r, a, b - a);
}

/* indices of pixels [x, x + nb) of which all lie at the rim */
PX_HOT static void indices(int *restrict out, const unsigned char *mem, const HlPxDraw *d, const HlPxSet *s,
                           int x, int nb, int y)
{
    const int *ax = (const int *)(mem + s->ax) + x - s->x0, *gx = (const int *)(mem + s->gx) + x - s->x0;
    const int by = ((const int *)(mem + s->by))[y - s->y0], gy = ((const int *)(mem + s->gy))[y - s->y0];

    for (int i = 0; i < nb; i++)
        out[i] = hl_px_index(mem, d, ax[i] + by, FFMIN(gx[i] + gy, HL_F_ONE - 1));
}

/* the one ellipse whose rim is there, if all others are outside; or -1 */
static int lone_rim(const Row *row, const int *at)
{
    int lone = -1;

    for (int d = 0; d < row->p->nb; d++) {
        if (at[d] < 0 && lone >= 0)
            return -1;
        if (at[d] < 0)
            lone = d;
        else if (at[d] != row->draw[d].n - 1)
            return -1;
    }
    return lone;
}

static av_noinline void find_mix(const Row *row, HighlightMemo *memo, const int *at, int lone, int index)
{
    const HighlightPlane *p = row->plane;
    int here[HL_DRAWS];

    memcpy(here, at, sizeof(*at) * row->p->nb);
    here[lone] = index;
    hl_px_mix(&memo->mix[index], row->mem, row->p, p->set, p->look, here, row->y);
    memo->have[index] = 1;
}

static av_always_inline const HlPxMix *remember(const Row *row, HighlightMemo *memo, const int *at, int lone, int index)
{
    if (!memo->have[index])
        find_mix(row, memo, at, lone, index);
    return &memo->mix[index];
}

static HighlightMemo *memo_for(const Row *row, HighlightRow *state, const HlPxDraw *d)
{
    const HlPxSet *s = &d->set[row->plane->set];
    const int arc = ((const int *)(row->mem + s->arc))[row->y - s->y0];
    HighlightMemo *memo = &state->memo;

    if (memo->draw != d || memo->arc != arc) {
        memset(memo->have, 0, sizeof(memo->have));
        memo->draw = d;
        memo->arc  = arc;
    }
    return memo;
}

/* pixels [a, b) at the rim of one ellipse */
static void rim_of_one(const Row *row, HighlightRow *state, const int *at, int lone, int a, int b)
{
    const HlPxDraw *d = &row->draw[lone];
    const int step = HL_RUN / row->plane->nc, comp = row->plane->comp[0], half = hl_px_round(0, 0, 0);
    /* what put() does, for most planes there are */
    const int simple = row->plane->nc == 1 && row->plane->bytes == 1 && comp >= 0 && !row->q && !row->p->dither;
    HighlightMemo *memo = memo_for(row, state, d);
    int index[HL_RUN];

    for (int x = a; x < b; x += step) {
        const int nb = FFMIN(step, b - x);
        if (d->map)
            for (int i = 0; i < nb; i++)
                index[i] = hl_px_at(row->mem, row->p, d, row->plane->set, x + i, row->y);
        else
            indices(index, row->mem, d, &d->set[row->plane->set], x, nb, row->y);
        if (simple)
            for (int i = 0; i < nb; i++) {
                const HlPxMix *m = remember(row, memo, at, lone, index[i]);
                state->rim.k16[i] = m->k;
                state->rim.o16[i] = m->o[comp] + half;
            }
        else
            for (int i = 0; i < nb; i++)
                put(row, &state->rim, i, x + i, remember(row, memo, at, lone, index[i]));
        put_pixels(row, &state->rim, x, nb);
    }
}

/* pixels [a, b) of an ellipse that is a map: long runs of one index are flat */
static void map_of_one(const Row *row, HighlightRow *state, const int *at, int lone, int a, int b)
{
    const HlPxDraw *d = &row->draw[lone];
    HighlightMemo *memo = memo_for(row, state, d);
    int done = a;

    for (int x = a, end; x < b; x = end) {
        const int index = hl_px_at(row->mem, row->p, d, row->plane->set, x, row->y);
        for (end = x + 1; end < b && hl_px_at(row->mem, row->p, d, row->plane->set, end, row->y) == index; end++)
            ;
        if (end - x < LONG_RUN)
            continue;
        rim_of_one(row, state, at, lone, done, x);
        flat(row, &state->flat[index != 0], remember(row, memo, at, lone, index), x, end);
        done = end;
    }
    rim_of_one(row, state, at, lone, done, b);
}

/* pixels [a, b), at the rims of the ellipses where at[] is -1 */
static void rims(const Row *row, HighlightRun *r, const int *at, int a, int b)
{
    const HighlightPlane *p = row->plane;
    const int step = HL_RUN / p->nc;

    for (int x = a; x < b; x += step) {
        const int nb = FFMIN(step, b - x);
        for (int i = 0; i < nb; i++) {
            int here[HL_DRAWS];
            HlPxMix m;
            for (int d = 0; d < row->p->nb; d++)
                here[d] = at[d] >= 0 ? at[d] : hl_px_at(row->mem, row->p, &row->draw[d], p->set, x + i, row->y);
            hl_px_mix(&m, row->mem, row->p, p->set, p->look, here, row->y);
            put(row, r, i, x + i, &m);
        }
        put_pixels(row, r, x, nb);
    }
}

/* ---- where to cut ----------------------------------------------------------------------- */

/** Columns [out0, out1) of an ellipse differ from outside, of these [in0, in1) are all inside. */
typedef struct Cut {
    int out0, out1, in0, in1;
} Cut;

/* first of [a, b) at which ax is below (or no more below) limit; ax falls (rises) there */
static int search(const int *ax, int a, int b, int limit, int below)
{
    while (a < b) {
        const int mid = a + (b - a) / 2;
        if ((ax[mid] < limit) == below)
            b = mid;
        else
            a = mid + 1;
    }
    return a;
}

static Cut cut(const Row *row, const HlPxDraw *d)
{
    const HlPxSet *s = &d->set[row->plane->set];
    const int *ax, *by, nb = s->x1 - s->x0;
    Cut c = { 0 };
    int f;

    if (row->y < s->y0 || row->y >= s->y1)
        return c;
    if (d->map)
        return (Cut){ s->x0, s->x1, s->x0, s->x0 };
    ax  = (const int *)(row->mem + s->ax);
    by  = (const int *)(row->mem + s->by);
    f   = by[row->y - s->y0];
    c.out0 = s->x0 + search(ax, 0, s->mid, HL_F_ONE - f, 1);
    c.out1 = s->x0 + search(ax, s->mid, nb, HL_F_ONE - f, 0);
    c.in0  = s->x0 + search(ax, 0, s->mid, d->f_lo - f, 1);
    c.in1  = s->x0 + search(ax, s->mid, nb, d->f_lo - f, 0);
    return c;
}

static int add_place(int *place, int nb, int x)
{
    int i = nb;

    while (i && place[i - 1] > x) {
        place[i] = place[i - 1];
        i--;
    }
    place[i] = x;
    return nb + 1;
}

void ff_highlight_row_reset(HighlightRow *state)
{
    state->flat[0].valid = state->flat[1].valid = 0;
    state->memo.draw = NULL;
}

int ff_highlight_touches(const HlPxFrame *p, const unsigned char *mem, const HighlightPlane *plane)
{
    const HlPxLook *l = &p->look[plane->look];

    return p->nb || l->k_in != HL_K_ONE || l->k_out != HL_K_ONE || l->w_out;
}

void ff_highlight_row(const HighlightPlane *plane, const HlPxFrame *p, const unsigned char *mem,
                      HighlightRow *state, int y, const uint8_t *q)
{
    const Row row = {
        .plane = plane, .p = p, .mem = mem, .draw = (const HlPxDraw *)(mem + p->draws), .y = y, .q = q,
        .src = plane->src + y * plane->src_stride, .dst = plane->dst + y * plane->dst_stride,
    };
    Cut c[HL_DRAWS];
    int place[4 * HL_DRAWS + 2] = { 0, plane->w }, nb = 2;

    for (int d = 0; d < p->nb; d++) {
        c[d] = cut(&row, &row.draw[d]);
        if (c[d].out0 >= c[d].out1)
            continue;
        nb = add_place(place, nb, c[d].out0);
        nb = add_place(place, nb, c[d].out1);
        nb = add_place(place, nb, c[d].in0);
        nb = add_place(place, nb, c[d].in1);
    }
    for (int i = 0; i + 1 < nb; i++) {
        const int a = place[i], b = place[i + 1];
        int at[HL_DRAWS], is_rim = 0, outside = 1;
        HlPxMix m;
        if (a >= b)
            continue;
        for (int d = 0; d < p->nb; d++) {
            at[d] = a < c[d].out0 || a >= c[d].out1 ? row.draw[d].n - 1 : a >= c[d].in0 && a < c[d].in1 ? 0 : -1;
            is_rim  |= at[d] < 0;
            outside &= at[d] == row.draw[d].n - 1;
        }
        if (is_rim) {
            const int lone = lone_rim(&row, at);
            if (lone >= 0 && row.draw[lone].map)
                map_of_one(&row, state, at, lone, a, b);
            else if (lone >= 0)
                rim_of_one(&row, state, at, lone, a, b);
            else
                rims(&row, &state->rim, at, a, b);
        } else {
            hl_px_mix(&m, mem, p, plane->set, plane->look, at, y);
            flat(&row, &state->flat[!outside], &m, a, b);
        }
    }
}
