/*
 * Resampling of a crop window: from source rows to intermediates
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

#include "crop_pass.h"
#include "crop_px.h"
#include "crop_tile.h"

/* the samples of a source row, which may lie outside of the plane */
static const uint8_t *source_row(const CropPass *q, int row)
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

/* Whole vectors at a time, and the next row on its way meanwhile: reading the
 * source is what this waits for. ahead: from row to row, in bytes. */
PX_HOT static void widen_u8(int16_t *restrict out, const uint8_t *in, int nb, ptrdiff_t ahead)
{
    int i = 0;

    for (; i + 64 <= nb; i += 64) {
        PX_PREFETCH(in + i + ahead);
        for (int j = 0; j < 64; j++)
            out[i + j] = crop_px_narrow_in(in[i + j]);
    }
    for (; i < nb; i++)
        out[i] = crop_px_narrow_in(in[i]);
}

PX_HOT static void widen_u16(int32_t *restrict out, const uint16_t *in, int nb, ptrdiff_t ahead, int shift)
{
    int i = 0;

    for (; i + 32 <= nb; i += 32) {
        PX_PREFETCH((const uint8_t *)(in + i) + ahead);
        for (int j = 0; j < 32; j++)
            out[i + j] = in[i + j] >> shift;
    }
    for (; i < nb; i++)
        out[i] = in[i] >> shift;
}

static void put_sample(const CropPass *q, void *line, ptrdiff_t i, int v)
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

void ff_crop_load_line(const CropPass *q, int y, void *line)
{
    const CropPlane *p = q->p;
    const uint8_t *row = source_row(q, y);
    const int lo = p->ax->lo, hi = p->ax->hi, nc = p->nc;
    const int a = av_clip(lo, 0, p->src_w), b = FFMAX(av_clip(hi, 0, p->src_w), a);
    const ptrdiff_t in = (ptrdiff_t)a * nc, out = (ptrdiff_t)(a - lo) * nc;

    for (int x = lo; x < FFMIN(a, hi); x++)
        for (int c = 0; c < nc; c++)
            put_sample(q, line, (ptrdiff_t)(x - lo) * nc + c, outside(p, row, x, c));
    if (q->narrow)
        widen_u8((int16_t *)line + out, row + in, (b - a) * nc, p->src_stride);
    else if (p->bytes == 2)
        widen_u16((int32_t *)line + out, (const uint16_t *)row + in, (b - a) * nc,
                  p->src_stride, p->shift);
    else
        for (int i = 0; i < (b - a) * nc; i++)
            ((int32_t *)line)[out + i] = row[in + i];
    for (int x = FFMAX(b, lo); x < hi; x++)
        for (int c = 0; c < nc; c++)
            put_sample(q, line, (ptrdiff_t)(x - lo) * nc + c, outside(p, row, x, c));
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

static void fill_outside(const CropPass *q, void *cols, const uint8_t *const *rows, int x0, int x1)
{
    const CropPlane *p = q->p;

    for (int x = x0; x < x1; x++)
        for (int c = 0; c < p->nc; c++)
            for (int r = 0; r < q->lanes; r++)
                put_sample(q, cols, ((ptrdiff_t)(x - p->ax->lo) * p->nc + c) * q->lanes + r,
                           outside(p, rows[r], x, c));
}

void ff_crop_load_cols(const CropPass *q, int row, void *base)
{
    const CropPlane *p = q->p;
    const int lo = p->ax->lo, hi = p->ax->hi;
    const int a = av_clip(lo, 0, p->src_w), b = FFMAX(av_clip(hi, 0, p->src_w), a);
    const int nb = (b - a) * p->nc;
    uint8_t *cols = (uint8_t *)base + (ptrdiff_t)(a - lo) * p->nc * CROP_VECTOR;
    const uint8_t *rows[32], *in[32];

    for (int r = 0; r < q->lanes; r++) {
        rows[r] = source_row(q, row + r);
        in[r]   = rows[r] + (ptrdiff_t)a * p->nc * p->bytes;
    }
    fill_outside(q, base, rows, lo, FFMIN(a, hi));
    if (q->narrow)
        cols_from_u8((int16_t *)cols, in, nb);
    else if (p->bytes == 2)
        cols_from_u16((int32_t *)cols, (const uint16_t *const *)in, nb, p->shift);
    else
        cols_from_wide_u8((int32_t *)cols, in, nb);
    fill_outside(q, base, rows, FFMAX(b, lo), hi);
}

/* ---- transposition of intermediates ---------------------------------------- */

PX_HOT static void rows_narrow(int16_t *rows, ptrdiff_t stride, const int16_t *block, int nb)
{
    for (int x = 0; x < nb; x += 8)
        for (int r = 0; r < 32; r += 8)
            crop_tile_i16(rows + r * stride + x, stride, block + x * 32 + r, 32);
}

PX_HOT static void rows_wide(int32_t *rows, ptrdiff_t stride, const int32_t *block, int nb)
{
    for (int x = 0; x < nb; x += 4)
        for (int r = 0; r < 16; r += 4)
            crop_tile_i32(rows + r * stride + x, stride, block + x * 16 + r, 16);
}

PX_HOT static void cols_narrow(int16_t *block, const int16_t *rows, ptrdiff_t stride, int nb)
{
    for (int x = 0; x < nb; x += 8)
        for (int r = 0; r < 32; r += 8)
            crop_tile_i16(block + x * 32 + r, 32, rows + r * stride + x, stride);
}

PX_HOT static void cols_wide(int32_t *block, const int32_t *rows, ptrdiff_t stride, int nb)
{
    for (int x = 0; x < nb; x += 4)
        for (int r = 0; r < 16; r += 4)
            crop_tile_i32(block + x * 16 + r, 16, rows + r * stride + x, stride);
}

void ff_crop_to_rows(const CropPass *q, void *rows, ptrdiff_t stride, const void *block, int nb)
{
    if (q->narrow)
        rows_narrow(rows, stride / 2, block, nb);
    else
        rows_wide(rows, stride / 4, block, nb);
}

void ff_crop_to_cols(const CropPass *q, void *block, const void *rows, ptrdiff_t stride, int nb)
{
    if (q->narrow)
        cols_narrow(block, rows, stride / 2, nb);
    else
        cols_wide(block, rows, stride / 4, nb);
}
