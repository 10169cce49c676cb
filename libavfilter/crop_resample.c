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
#include "libavutil/intmath.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "crop_pass.h"
#include "crop_px.h"

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

/* ---- the passes, by width of intermediate ----------------------------------- */

static void cols_pass(const CropPass *q, int x0, int x1, int last)
{
    const CropAxis *a = q->p->ax;

    if (q->narrow)
        cols_pass_narrow((int16_t *)q->s->block, (const int16_t *)q->s->cols, a, x0, x1, q->p->nc, q->up, last);
    else
        cols_pass_wide((int32_t *)q->s->block, (const int32_t *)q->s->cols, a, x0, x1, q->p->nc, q->up, last);
}

static void line_pass(const CropPass *q, void *out)
{
    const CropAxis *a = q->p->ax;

    if (q->narrow)
        line_pass_narrow(out, (const int16_t *)q->s->line, q->p->nc, a->coef, a->n, q->nb, q->up);
    else
        line_pass_wide(out, (const int32_t *)q->s->line, q->p->nc, a->coef, a->n, q->nb, q->up);
}

/* bytes: of the samples of dst, or 0 for intermediates */
static void rows_pass(const CropPass *q, void *dst, const int16_t *coef, int nb, int bytes)
{
    const CropPlane *p = q->p;

    if (q->narrow)
        rows_pass_narrow(dst, (const int16_t *const *)q->s->rows, coef, p->ay->n, nb, q->up, bytes, 0, q->max);
    else
        rows_pass_wide(dst, (const int32_t *const *)q->s->rows, coef, p->ay->n, nb, q->up, bytes, p->shift, q->max);
}

static void store(const CropPass *q, uint8_t *dst, const void *in, int nb)
{
    const CropPlane *p = q->p;

    if (q->narrow)
        store_narrow(dst, in, nb, q->up, p->bytes, 0, q->max);
    else
        store_wide(dst, in, nb, q->up, p->bytes, p->shift, q->max);
}

/* ---- the ring ---------------------------------------------------------------- */

static uint8_t *ring_row(const CropPass *q, int row)
{
    return q->s->ring + ((row - q->base) & (q->cap - 1)) * q->row_bytes;
}

static const int16_t *point_rows(const CropPass *q, int y)
{
    const CropAxis *a = q->p->ay;

    for (int k = 0; k < a->n; k++)
        q->s->rows[k] = ring_row(q, a->pos[y] + k);
    return a->coef + (ptrdiff_t)y * a->n;
}

/* ---- columns first -------------------------------------------------------------- */

static void load_block(const CropPass *q, int row)
{
    const CropPlane *p = q->p;
    const int mid = CROP_VECTOR / q->lanes;
    uint8_t *ring = ring_row(q, row);   // the ring holds whole blocks

    ff_crop_load_cols(q, row, q->s->cols);
    for (int x = 0; x < p->dst_w; x += CROP_CHUNK) {
        const int end = FFMIN(x + CROP_CHUNK, p->dst_w);
        cols_pass(q, x, end, 0);
        ff_crop_to_rows(q, ring + x * p->nc * mid, q->row_bytes, q->s->block, (end - x) * p->nc);
    }
}

static void shift_rows(const CropPass *q, int samples)
{
    for (int k = 0; k < q->p->ay->n; k++)
        q->s->rows[k] = (const uint8_t *)q->s->rows[k] + samples * (CROP_VECTOR / q->lanes);
}

/* Whole vectors; the last one overlaps the one before it, as what lies beyond
 * the end of a row is not ours. A row shorter than a vector goes over a buffer. */
static void write_row(const CropPass *q, int y)
{
    const CropPlane *p = q->p;
    const int step = 2 * q->lanes, whole = q->nb / step * step;
    const int16_t *coef = point_rows(q, y);
    uint8_t *dst = p->dst + y * p->dst_stride;

    rows_pass(q, dst, coef, whole, p->bytes);
    if (whole && whole < q->nb) {
        shift_rows(q, q->nb - step);
        rows_pass(q, dst + (q->nb - step) * p->bytes, coef, step, p->bytes);
    } else if (!whole) {
        uint16_t rest[64];
        rows_pass(q, rest, coef, step, p->bytes);
        memcpy(dst, rest, q->nb * p->bytes);
    }
}

static void columns_first(const CropPass *q, int y0, int y1)
{
    const CropPlane *p = q->p;
    int next = q->base;

    for (int y = y0; y < y1; y++) {
        while (next < p->ay->pos[y] + p->ay->n) {
            if (p->ax->uniform) {
                ff_crop_load_line(q, next, q->s->line);
                line_pass(q, ring_row(q, next++));
            } else {
                load_block(q, next);
                next += q->lanes;
            }
        }
        write_row(q, y);
    }
}

/* ---- rows first ------------------------------------------------------------------ */

/* output rows [y, end) of the sums in s->line */
static void write_block(const CropPass *q, int y, int end)
{
    const CropPlane *p = q->p;
    const ptrdiff_t stride = CROP_CHUNK * 4 * (CROP_VECTOR / q->lanes);

    ff_crop_to_cols(q, q->s->cols, q->s->line, q->row_bytes, q->span);
    for (int x = 0; x < p->dst_w; x += CROP_CHUNK) {
        const int x1 = FFMIN(x + CROP_CHUNK, p->dst_w), nb = (x1 - x) * p->nc;
        cols_pass(q, x, x1, 1);
        ff_crop_to_rows(q, q->s->turn, stride, q->s->block, nb);
        for (int r = y; r < end; r++)
            store(q, p->dst + r * p->dst_stride + (ptrdiff_t)x * p->nc * p->bytes,
                  q->s->turn + (r - y) * stride, nb);
    }
}

static void rows_first(const CropPass *q, int y0, int y1)
{
    const CropPlane *p = q->p;
    const int whole = FFALIGN(q->span, 2 * q->lanes);
    int next = q->base;

    for (int y = y0; y < y1; y += q->lanes) {
        const int end = FFMIN(y + q->lanes, y1);
        for (int r = y; r < end; r++) {
            for (; next < p->ay->pos[r] + p->ay->n; next++)
                ff_crop_load_line(q, next, ring_row(q, next));
            rows_pass(q, q->s->line + (r - y) * q->row_bytes, point_rows(q, r), whole, 0);
        }
        write_block(q, y, end);
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

static int alloc(CropPass *q, int rows_are_first)
{
    const CropPlane *p = q->p;
    CropScratch *s = q->s;
    const size_t mid = CROP_VECTOR / q->lanes;

    av_fast_mallocz(&s->ring, &s->ring_size, q->row_bytes * q->cap);
    av_fast_malloc(&s->rows, &s->rows_size, p->ay->n * sizeof(*s->rows));
    av_fast_malloc(&s->edge, &s->edge_size, (size_t)p->src_w * p->nc * p->bytes);
    if (!s->ring || !s->rows || !s->edge)
        return AVERROR(ENOMEM);
    /* one line, of which the last vector reads up to n taps beyond the end; or a block of lines */
    av_fast_mallocz(&s->line, &s->line_size, rows_are_first ? q->row_bytes * q->lanes
                                                            : (q->span + 4 * CROP_VECTOR) * mid);
    if (p->ax->uniform)
        return s->line ? 0 : AVERROR(ENOMEM);
    av_fast_malloc(&s->cols, &s->cols_size, (q->span + 8) * (size_t)CROP_VECTOR);
    av_fast_mallocz(&s->block, &s->block_size, CROP_CHUNK * 4 * CROP_VECTOR);
    av_fast_malloc(&s->turn, &s->turn_size, CROP_CHUNK * 4 * CROP_VECTOR);
    return s->line && s->cols && s->block && s->turn ? 0 : AVERROR(ENOMEM);
}

static void fill_edge(const CropPlane *p, CropScratch *s)
{
    for (int x = 0; x < p->src_w * p->nc; x++)
        if (p->bytes == 1)
            s->edge[x] = p->pad[x % p->nc];
        else
            ((uint16_t *)s->edge)[x] = p->pad[x % p->nc] << p->shift;
}

int ff_crop_rows_first(const CropAxis *ax, const CropAxis *ay)
{
    return ay->shrinks && !ax->uniform;
}

int ff_crop_plane(const CropPlane *p, CropScratch *s, int y0, int y1)
{
    const int order = ff_crop_rows_first(p->ax, p->ay);
    CropPass q = { .p = p, .s = s };
    int ret;

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
    q.span      = (p->ax->hi - p->ax->lo) * p->nc;
    q.row_bytes = (FFALIGN(order ? q.span : q.nb, 2 * q.lanes) + q.lanes) * (CROP_VECTOR / q.lanes);
    q.cap       = 2 << av_log2(p->ay->n + q.lanes);
    q.base      = p->ay->pos[y0];
    if ((ret = alloc(&q, order)) < 0)
        return ret;
    if (p->use_pad)
        fill_edge(p, s);
    if (order)
        rows_first(&q, y0, y1);
    else
        columns_first(&q, y0, y1);
    return 0;
}

void ff_crop_scratch_free(CropScratch *s)
{
    av_freep(&s->cols);
    av_freep(&s->block);
    av_freep(&s->turn);
    av_freep(&s->ring);
    av_freep(&s->line);
    av_freep(&s->edge);
    av_freep(&s->rows);
}
