/*
 * Resampling of a crop window: one plane, by strips of rows
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
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "crop_px.h"
#include "crop_resample.h"
#include "crop_tile.h"

#define VECTOR 64               ///< bytes of a block's row, of either MID
#define CHUNK  64               ///< output pixels that are transposed back at a time

#define NARROW 1
#define MID int16_t
#define LANES 32
#define STEP  64
#define NAME(x) x ## _narrow
#define TAP(a, v, c) crop_px_narrow_tap(a, v, c)
#define MIDDLE(a) (a)
#define STORE(d, i, a) ((d)[i] = crop_px_narrow_out(a))
#include "crop_pass_template.c"
#undef NARROW
#undef MID
#undef LANES
#undef STEP
#undef NAME
#undef TAP
#undef MIDDLE
#undef STORE

#define NARROW 0
#define MID int32_t
#define LANES 16
#define STEP  32
#define NAME(x) x ## _wide
#define TAP(a, v, c) crop_px_wide_tap(a, v, c)
#define MIDDLE(a) crop_px_wide_mid(a, up)
#define STORE(d, i, a)                                                           \
    do {                                                                         \
        if (bytes == 1)                                                          \
            (d)[i] = crop_px_wide_out(a, up, max);                               \
        else                                                                     \
            ((uint16_t *)(d))[i] = crop_px_wide_out(a, up, max) << shift;        \
    } while (0)
#include "crop_pass_template.c"

/** What the passes of one call have in common. */
typedef struct Pass {
    const CropPlane *p;
    CropScratch *s;
    int narrow, lanes;          ///< set of formulas; rows of a block
    int up, max;
    int nb;                     ///< samples of an output row
    int cap;                    ///< rows of the ring
    ptrdiff_t row_bytes;        ///< of the ring
    int base;                   ///< source row in slot 0 of the ring
} Pass;

static uint8_t *ring_row(const Pass *q, int row)
{
    return q->s->ring + (row - q->base) % q->cap * q->row_bytes;
}

/* the samples of a source row, which may lie outside of the plane */
static const uint8_t *source_row(const Pass *q, int row)
{
    const CropPlane *p = q->p;

    if (p->use_pad && (row < 0 || row >= p->src_h))
        return q->s->edge;
    return p->src + p->src_stride * av_clip(row, 0, p->src_h - 1);
}

static int sample(const CropPlane *p, const uint8_t *row, int i)
{
    return p->bytes == 1 ? row[i] : ((const uint16_t *)row)[i] >> p->shift;
}

/* ---- rows that are filtered along themselves ----------------------------- */

PX_HOT static void widen_u8(int16_t *restrict out, const uint8_t *in, int nb)
{
    for (int i = 0; i < nb; i++)
        out[i] = crop_px_narrow_in(in[i]);
}

PX_HOT static void widen_u16(int32_t *restrict out, const uint16_t *in, int nb, int shift)
{
    for (int i = 0; i < nb; i++)
        out[i] = in[i] >> shift;
}

static void put_sample(const Pass *q, void *line, ptrdiff_t i, int v)
{
    if (q->narrow)
        ((int16_t *)line)[i] = crop_px_narrow_in(v);
    else
        ((int32_t *)line)[i] = v;
}

/* value of the pixels left of 0 and right of src_w */
static int outside(const CropPlane *p, const uint8_t *row, int x, int c)
{
    return p->use_pad ? p->pad[c]
                      : sample(p, row, av_clip(x, 0, p->src_w - 1) * p->nc + c);
}

static void make_line(const Pass *q, const uint8_t *row)
{
    const CropPlane *p = q->p;
    const int lo = p->ax->lo, hi = p->ax->hi, nc = p->nc;
    const int a = av_clip(lo, 0, p->src_w), b = FFMAX(av_clip(hi, 0, p->src_w), a);
    const ptrdiff_t in = (ptrdiff_t)a * nc, out = (ptrdiff_t)(a - lo) * nc;
    void *line = q->s->line;

    for (int x = lo; x < FFMIN(a, hi); x++)
        for (int c = 0; c < nc; c++)
            put_sample(q, line, (ptrdiff_t)(x - lo) * nc + c, outside(p, row, x, c));
    if (q->narrow)
        widen_u8((int16_t *)line + out, row + in, (b - a) * nc);
    else if (p->bytes == 2)
        widen_u16((int32_t *)line + out, (const uint16_t *)row + in, (b - a) * nc, p->shift);
    else
        for (int i = 0; i < (b - a) * nc; i++)
            ((int32_t *)line)[out + i] = row[in + i];
    for (int x = FFMAX(b, lo); x < hi; x++)
        for (int c = 0; c < nc; c++)
            put_sample(q, line, (ptrdiff_t)(x - lo) * nc + c, outside(p, row, x, c));
}

static void load_line(const Pass *q, int row)
{
    const CropAxis *a = q->p->ax;
    uint8_t *out = ring_row(q, row);

    make_line(q, source_row(q, row));
    if (q->narrow)
        line_pass_narrow((int16_t *)out, (int16_t *)q->s->line, q->p->nc, a->coef, a->n, q->nb, q->up);
    else
        line_pass_wide((int32_t *)out, (int32_t *)q->s->line, q->p->nc, a->coef, a->n, q->nb, q->up);
}

/* ---- blocks of rows that are transposed ----------------------------------- */

PX_HOT static void cols_from_u8(int16_t *cols, const uint8_t *const *rows, int nb)
{
    /* the last tile overlaps the one before it */
    for (int i = 0; i < nb && nb >= 16; i += 16) {
        const int x = FFMIN(i, nb - 16);
        for (int r = 0; r < 32; r += 16)
            crop_tile_u8(cols + x * 32 + r, 32, rows + r, x, 7);
    }
    for (int x = 0; x < nb && nb < 16; x++)
        for (int r = 0; r < 32; r++)
            cols[x * 32 + r] = crop_px_narrow_in(rows[r][x]);
}

PX_HOT static void cols_from_u16(int32_t *cols, const uint16_t *const *rows, int nb, int shift)
{
    for (int i = 0; i < nb && nb >= 8; i += 8) {
        const int x = FFMIN(i, nb - 8);
        for (int r = 0; r < 16; r += 8)
            crop_tile_u16(cols + x * 16 + r, 16, rows + r, x, shift);
    }
    for (int x = 0; x < nb && nb < 8; x++)
        for (int r = 0; r < 16; r++)
            cols[x * 16 + r] = rows[r][x] >> shift;
}

static void cols_from_wide_u8(int32_t *cols, const uint8_t *const *rows, int nb)
{
    for (int x = 0; x < nb; x++)
        for (int r = 0; r < 16; r++)
            cols[x * 16 + r] = rows[r][x];
}

static void fill_outside(const Pass *q, const uint8_t *const *rows, int x0, int x1)
{
    const CropPlane *p = q->p;

    for (int x = x0; x < x1; x++)
        for (int c = 0; c < p->nc; c++)
            for (int r = 0; r < q->lanes; r++)
                put_sample(q, q->s->cols, ((ptrdiff_t)(x - p->ax->lo) * p->nc + c) * q->lanes + r,
                           outside(p, rows[r], x, c));
}

/* source columns [lo, hi) of the rows */
static void make_cols(const Pass *q, const uint8_t *const *row)
{
    const CropPlane *p = q->p;
    const int lo = p->ax->lo, hi = p->ax->hi;
    const int a = av_clip(lo, 0, p->src_w), b = FFMAX(av_clip(hi, 0, p->src_w), a);
    const int nb = (b - a) * p->nc;
    uint8_t *cols = q->s->cols + (ptrdiff_t)(a - lo) * p->nc * VECTOR;
    const uint8_t *in[32];

    for (int r = 0; r < q->lanes; r++)
        in[r] = row[r] + (ptrdiff_t)a * p->nc * p->bytes;
    fill_outside(q, row, lo, FFMIN(a, hi));
    if (q->narrow)
        cols_from_u8((int16_t *)cols, in, nb);
    else if (p->bytes == 2)
        cols_from_u16((int32_t *)cols, (const uint16_t *const *)in, nb, p->shift);
    else
        cols_from_wide_u8((int32_t *)cols, in, nb);
    fill_outside(q, row, FFMAX(b, lo), hi);
}

PX_HOT static void back_narrow(int16_t *ring, ptrdiff_t stride, const int16_t *block, int nb)
{
    for (int x = 0; x < nb; x += 8)
        for (int r = 0; r < 32; r += 8)
            crop_tile_i16(ring + r * stride + x, stride, block + x * 32 + r, 32);
}

PX_HOT static void back_wide(int32_t *ring, ptrdiff_t stride, const int32_t *block, int nb)
{
    for (int x = 0; x < nb; x += 4)
        for (int r = 0; r < 16; r += 4)
            crop_tile_i32(ring + r * stride + x, stride, block + x * 16 + r, 16);
}

static void load_block(const Pass *q, int row)
{
    const CropPlane *p = q->p;
    const uint8_t *in[32];
    uint8_t *ring = ring_row(q, row);   // cap is a multiple of the block's rows

    for (int r = 0; r < q->lanes; r++)
        in[r] = source_row(q, row + r);
    make_cols(q, in);
    for (int x = 0; x < p->dst_w; x += CHUNK) {
        const int end = FFMIN(x + CHUNK, p->dst_w), nb = (end - x) * p->nc;
        if (q->narrow) {
            cols_pass_narrow((int16_t *)q->s->block, (int16_t *)q->s->cols, p->ax, x, end, p->nc, q->up);
            back_narrow((int16_t *)ring + x * p->nc, q->row_bytes / 2, (int16_t *)q->s->block, nb);
        } else {
            cols_pass_wide((int32_t *)q->s->block, (int32_t *)q->s->cols, p->ax, x, end, p->nc, q->up);
            back_wide((int32_t *)ring + x * p->nc, q->row_bytes / 4, (int32_t *)q->s->block, nb);
        }
    }
}

/* ---- output ---------------------------------------------------------------- */

static void rows_out(const Pass *q, uint8_t *dst, const int16_t *coef, int nb)
{
    const CropPlane *p = q->p;

    if (q->narrow)
        rows_pass_narrow(dst, (const int16_t *const *)q->s->rows, coef, p->ay->n, nb,
                         q->up, 1, 0, q->max);
    else
        rows_pass_wide(dst, (const int32_t *const *)q->s->rows, coef, p->ay->n, nb,
                       q->up, p->bytes, p->shift, q->max);
}

/* whole vectors straight to dst, the rest over a buffer: what lies beyond the
 * last sample of a row is not ours */
static void write_row(const Pass *q, int y)
{
    const CropPlane *p = q->p;
    const int step = 2 * q->lanes, mid = VECTOR / q->lanes;
    const int whole = q->nb / step * step;
    const int16_t *coef = p->ay->coef + (ptrdiff_t)y * p->ay->n;
    uint8_t *dst = p->dst + y * p->dst_stride;

    for (int k = 0; k < p->ay->n; k++)
        q->s->rows[k] = ring_row(q, p->ay->pos[y] + k);
    rows_out(q, dst, coef, whole);
    if (whole < q->nb) {
        uint16_t rest[64];
        for (int k = 0; k < p->ay->n; k++)
            q->s->rows[k] = (const uint8_t *)q->s->rows[k] + whole * mid;
        rows_out(q, (uint8_t *)rest, coef, step);
        memcpy(dst + whole * p->bytes, rest, (q->nb - whole) * p->bytes);
    }
}

static int copies(const CropPlane *p)
{
    return p->ax->n == 1 && p->ax->uniform && p->ax->lo >= 0 && p->ax->hi <= p->src_w &&
           p->ay->n == 1 && p->ay->lo >= 0 && p->ay->hi <= p->src_h;
}

static void copy_rows(const CropPlane *p, int y0, int y1)
{
    const ptrdiff_t pixel = p->nc * p->bytes;

    for (int y = y0; y < y1; y++)
        memcpy(p->dst + y * p->dst_stride,
               p->src + p->ay->pos[y] * p->src_stride + p->ax->lo * pixel, p->dst_w * pixel);
}

static int alloc(Pass *q)
{
    const CropPlane *p = q->p;
    CropScratch *s = q->s;
    const size_t span = (size_t)(p->ax->hi - p->ax->lo) * p->nc;
    const size_t mid  = VECTOR / q->lanes;

    av_fast_mallocz(&s->ring, &s->ring_size, q->row_bytes * q->cap);
    av_fast_malloc(&s->rows, &s->rows_size, p->ay->n * sizeof(*s->rows));
    av_fast_malloc(&s->edge, &s->edge_size, (size_t)p->src_w * p->nc * p->bytes);
    if (p->ax->uniform) {
        /* the last vector reads up to n taps beyond its end */
        av_fast_mallocz(&s->line, &s->line_size, (span + 2 * VECTOR) * mid);
        return s->ring && s->rows && s->edge && s->line ? 0 : AVERROR(ENOMEM);
    }
    av_fast_malloc(&s->cols, &s->cols_size, span * VECTOR);
    av_fast_mallocz(&s->block, &s->block_size, CHUNK * 4 * VECTOR);
    return s->ring && s->rows && s->edge && s->cols && s->block ? 0 : AVERROR(ENOMEM);
}

static void fill_edge(const CropPlane *p, CropScratch *s)
{
    for (int x = 0; x < p->src_w * p->nc; x++)
        if (p->bytes == 1)
            s->edge[x] = p->pad[x % p->nc];
        else
            ((uint16_t *)s->edge)[x] = p->pad[x % p->nc] << p->shift;
}

int ff_crop_plane(const CropPlane *p, CropScratch *s, int y0, int y1)
{
    Pass q = { .p = p, .s = s };
    int next, ret;

    if (y0 >= y1)
        return 0;
    if (copies(p)) {
        copy_rows(p, y0, y1);
        return 0;
    }
    q.narrow    = crop_px_is_narrow(p->depth, p->ax->n, p->ay->n);
    q.lanes     = q.narrow ? 32 : 16;
    q.up        = 16 - p->depth;
    q.max       = (1 << p->depth) - 1;
    q.nb        = p->dst_w * p->nc;
    q.row_bytes = FFALIGN(q.nb, 2 * q.lanes) * (VECTOR / q.lanes) + VECTOR;
    q.cap       = FFALIGN(p->ay->n + q.lanes, q.lanes);
    q.base      = next = p->ay->pos[y0];
    if ((ret = alloc(&q)) < 0)
        return ret;
    if (p->use_pad)
        fill_edge(p, s);
    for (int y = y0; y < y1; y++) {
        while (next < p->ay->pos[y] + p->ay->n) {
            if (p->ax->uniform)
                load_line(&q, next++);
            else {
                load_block(&q, next);
                next += q.lanes;
            }
        }
        write_row(&q, y);
    }
    return 0;
}

void ff_crop_scratch_free(CropScratch *s)
{
    av_freep(&s->cols);
    av_freep(&s->block);
    av_freep(&s->ring);
    av_freep(&s->line);
    av_freep(&s->edge);
    av_freep(&s->rows);
}
