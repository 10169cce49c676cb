/*
 * Crop on CUDA frames: the kernels
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

/* Sums are those of crop_px_sample() in its order, so the bytes are those of
 * the C loops. See px_cuda.h for what this text may use. */

#include "crop_kernel.h"
#include "px_cuda.h"

/* ---- what all share --------------------------------------------------------- */

/** one component of a plane */
PX_FN CropPxPlane component(const CropPxPlane *src, const int *pad, int c)
{
    CropPxPlane p = *src;

    p.data = (const unsigned char *)src->data + c * src->bytes;
    p.pad  = pad[c];
    return p;
}

PX_FN void store(unsigned char *row, int i, int v, int bytes, int shift)
{
    if (bytes == 1)
        row[i] = (unsigned char)v;
    else
        ((unsigned short *)row)[i] = (unsigned short)(v << shift);
}

PX_FN int tap(int acc, int v, int coef, const int narrow)
{
    return narrow ? crop_px_narrow_tap(acc, v, coef) : crop_px_wide_tap(acc, v, coef);
}

PX_FN int first_in(int v, const int narrow)
{
    return narrow ? crop_px_narrow_in(v) : v;
}

PX_FN int first_out(int acc, int up, const int narrow)
{
    return narrow ? acc : crop_px_wide_mid(acc, up);
}

PX_FN int last_out(int acc, int depth, const int narrow)
{
    return narrow ? crop_px_narrow_out(acc) : crop_px_wide_out(acc, 16 - depth, (1 << depth) - 1);
}

/* ---- pans --------------------------------------------------------------------- */

/* Samples s, s + 1, ... of a source row of nc components, of which s is the
 * first. Whole words where these lie inside of the row. */
PX_FN void pan_span(int *v, const CropCudaPlane *q, int s, int y, const int nb, const int nc, const int bytes)
{
    const int outside = y < 0 || y >= q->src.h;
    const unsigned char *row = (const unsigned char *)q->src.data + q->src.stride * px_clip(y, 0, q->src.h - 1);
    const int skip = (int)((unsigned long)(row + (long)s * bytes) & 3);
    const int words = (nb * bytes + 7) / 4;      // one more than the samples fill, as they may lie askew

    if ((q->pad[0] < 0 || !outside) && s * bytes >= skip &&
        s * bytes - skip + 4 * words <= q->src.w * nc * bytes) {
        const px_word *in = (const px_word *)(row + (long)s * bytes - skip);
        unsigned lo = in[0];
        CUDA_UNROLL
        for (int i = 0; i < words - 1; i++) {
            const unsigned hi = in[i + 1], w = px_word_at(lo, hi, skip);
            CUDA_UNROLL
            for (int j = 0; j < 4 / bytes; j++)
                if (i * 4 / bytes + j < nb)
                    v[i * 4 / bytes + j] = bytes == 1 ? w >> (8 * j) & 0xFF : (w >> (16 * j) & 0xFFFF) >> q->src.shift;
            lo = hi;
        }
        return;
    }
    CUDA_UNROLL
    for (int i = 0; i < nb; i++) {
        const CropPxPlane p = component(&q->src, q->pad, i % nc);
        v[i] = crop_px_load(&p, (s + i - i % nc) / nc, y);
    }
}

PX_FN void pan_store(const CropCudaPlane *q, int s, int y, const int *v, const int nc, const int bytes)
{
    unsigned char *row = q->dst + q->dst_stride * y;
    const int nb = q->dst_w * nc - s;
    px_word *out = (px_word *)(row + (long)s * bytes);

    if (nb < CROP_PAN_W || (unsigned long)out & 3) {
        CUDA_UNROLL
        for (int i = 0; i < CROP_PAN_W; i++)
            if (i < nb)
                store(row, s + i, v[i], bytes, q->src.shift);
    } else if (bytes == 1) {
        out[0] = (unsigned)v[0] | (unsigned)v[1] << 8 | (unsigned)v[2] << 16 | (unsigned)v[3] << 24;
    } else {
        out[0] = (unsigned)v[0] << q->src.shift | (unsigned)v[1] << (16 + q->src.shift);
        out[1] = (unsigned)v[2] << q->src.shift | (unsigned)v[3] << (16 + q->src.shift);
    }
}

/* win: the last n rows of intermediates, the newest at the end. Loops have fixed
 * ends, so that clang unrolls them before it sees n. */
PX_FN void pan_push(int win[CROP_PAN_TAPS][CROP_PAN_W], const int *v, const CropCudaPlane *q,
                    const int n, const int nc, const int narrow)
{
    CUDA_UNROLL
    for (int i = 0; i < CROP_PAN_W; i++) {
        int acc = 0;
        CUDA_UNROLL
        for (int k = 0; k < CROP_PAN_TAPS; k++)
            if (k < n)
                acc = tap(acc, first_in(v[i + k * nc], narrow), q->pan_x[k], narrow);
        CUDA_UNROLL
        for (int k = 0; k < CROP_PAN_TAPS - 1; k++)
            win[k][i] = win[k + 1][i];
        win[CROP_PAN_TAPS - 1][i] = first_out(acc, 16 - q->src.depth, narrow);
    }
}

PX_FN void pan_sum(int *out, int win[CROP_PAN_TAPS][CROP_PAN_W], const CropCudaPlane *q,
                   const int n, const int narrow)
{
    CUDA_UNROLL
    for (int i = 0; i < CROP_PAN_W; i++) {
        int acc = 0;
        CUDA_UNROLL
        for (int k = 0; k < CROP_PAN_TAPS; k++)
            if (k >= CROP_PAN_TAPS - n)
                acc = tap(acc, win[k][i], q->pan_y[k - (CROP_PAN_TAPS - n)], narrow);
        out[i] = last_out(acc, q->src.depth, narrow);
    }
}

PX_FN void pan_taps(const CropCudaPlane *q, int s, int y, const int n, const int nc, const int bytes)
{
    const int left = q->dst_h - y < CROP_PAN_H ? q->dst_h - y : CROP_PAN_H, narrow = bytes == 1;
    int win[CROP_PAN_TAPS][CROP_PAN_W] = { { 0 } };

    for (int j = 1 - n; j < left; j++) {
        int v[CROP_PAN_W + (CROP_PAN_TAPS - 1) * 4], out[CROP_PAN_W];
        pan_span(v, q, q->x * nc + s, q->y + y + j + n - 1, CROP_PAN_W + (n - 1) * nc, nc, bytes);
        pan_push(win, v, q, n, nc, narrow);
        if (j < 0)
            continue;
        pan_sum(out, win, q, n, narrow);
        pan_store(q, s, y + j, out, nc, bytes);
    }
}

PX_FN void pan(const CropCudaPlane *q, const int nc, const int bytes)
{
    const int s = (int)(blockIdx.x * blockDim.x + threadIdx.x) * CROP_PAN_W;
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y) * CROP_PAN_H;

    if (s >= q->dst_w * nc || y >= q->dst_h)
        return;
    if (q->pan_taps == 4)
        pan_taps(q, s, y, 4, nc, bytes);
    else
        pan_taps(q, s, y, CROP_PAN_TAPS, nc, bytes);
}

CUDA_KERNEL crop_pan8(const CropCudaParams p)
{
    const CropCudaPlane *q = &p.plane[blockIdx.z];

    switch (q->src.step) {
    case 1: pan(q, 1, 1); break;
    case 2: pan(q, 2, 1); break;
    case 4: pan(q, 4, 1); break;
    }
}

CUDA_KERNEL crop_pan16(const CropCudaParams p)
{
    const CropCudaPlane *q = &p.plane[blockIdx.z];

    switch (q->src.step) {
    case 1: pan(q, 1, 2); break;
    case 2: pan(q, 2, 2); break;
    }
}

/* ---- zooms -------------------------------------------------------------------- */

/** what a block does: pixels [x0, x1) of rows [y0, y1), and what they read */
typedef struct CropTile {
    const CropCudaPlane *q;
    int x0, x1, y0, y1;
    int col0, row0;             ///< first column and row read
    int cols, rows;
    int inside;                 ///< all of that lies in the plane
} CropTile;

PX_FN int zoom_load(const CropTile *t, const CropPxPlane *p, int x, int y)
{
    const unsigned char *row;

    if (!t->inside)
        return crop_px_load(p, x, y);
    row = (const unsigned char *)p->data + p->stride * y;
    return p->bytes == 1 ? row[x * p->step] : ((const unsigned short *)row)[x * p->step] >> p->shift;
}

/* columns first: rows x CROP_TILE_W intermediates */
PX_FN void zoom_columns(const CropTile *t, int *mid, int s, int r0, const int narrow)
{
    const CropCudaPlane *q = t->q;
    const int nc = q->src.step, x = t->x0 + s / nc, up = 16 - q->src.depth;
    CropPxPlane p;

    if (x >= t->x1)
        return;
    p = component(&q->src, q->pad, s % nc);
    for (int r = r0; r < t->rows; r += CROP_BLOCK_H) {
        int acc = 0;
        for (int i = 0; i < q->nx; i++)
            acc = tap(acc, first_in(zoom_load(t, &p, q->pos_x[x] + i, t->row0 + r), narrow),
                      q->coef_x[x * q->nx + i], narrow);
        mid[r * CROP_TILE_W + s] = first_out(acc, up, narrow);
    }
}

PX_FN void zoom_columns_rows(const CropTile *t, const int *mid, int s, int r0, const int narrow)
{
    const CropCudaPlane *q = t->q;

    if (t->x0 + s / q->src.step >= t->x1)
        return;
    for (int y = t->y0 + r0; y < t->y1; y += CROP_BLOCK_H) {
        const int *in = mid + (q->pos_y[y] - t->row0) * CROP_TILE_W + s;
        int acc = 0;
        for (int j = 0; j < q->ny; j++)
            acc = tap(acc, in[j * CROP_TILE_W], q->coef_y[y * q->ny + j], narrow);
        store(q->dst + q->dst_stride * y, t->x0 * q->src.step + s, last_out(acc, q->src.depth, narrow),
              q->src.bytes, q->src.shift);
    }
}

/* rows first: CROP_TILE_H x cols * nc intermediates */
PX_FN void zoom_rows(const CropTile *t, int *mid, int thread, const int narrow)
{
    const CropCudaPlane *q = t->q;
    const int nc = q->src.step, nb = t->cols * nc, up = 16 - q->src.depth;

    for (int s = thread; s < nb; s += CROP_BLOCK_W * CROP_BLOCK_H) {
        const CropPxPlane p = component(&q->src, q->pad, s % nc);
        for (int y = t->y0; y < t->y1; y++) {
            int acc = 0;
            for (int j = 0; j < q->ny; j++)
                acc = tap(acc, first_in(zoom_load(t, &p, t->col0 + s / nc, q->pos_y[y] + j), narrow),
                          q->coef_y[y * q->ny + j], narrow);
            mid[(y - t->y0) * nb + s] = first_out(acc, up, narrow);
        }
    }
}

PX_FN void zoom_rows_columns(const CropTile *t, const int *mid, int s, int r0, const int narrow)
{
    const CropCudaPlane *q = t->q;
    const int nc = q->src.step, x = t->x0 + s / nc;

    if (x >= t->x1)
        return;
    for (int y = t->y0 + r0; y < t->y1; y += CROP_BLOCK_H) {
        const int *in = mid + ((y - t->y0) * t->cols + q->pos_x[x] - t->col0) * nc + s % nc;
        int acc = 0;
        for (int i = 0; i < q->nx; i++)
            acc = tap(acc, in[i * nc], q->coef_x[x * q->nx + i], narrow);
        store(q->dst + q->dst_stride * y, t->x0 * nc + s, last_out(acc, q->src.depth, narrow),
              q->src.bytes, q->src.shift);
    }
}

/** @return 0: the block lies beyond the plane */
PX_FN int zoom_tile(CropTile *t, const CropCudaPlane *q, int bx, int by)
{
    const int w = CROP_TILE_W / q->src.step;

    t->q  = q;
    t->x0 = bx * w;
    t->y0 = by * CROP_TILE_H;
    if (t->x0 >= q->dst_w || t->y0 >= q->dst_h)
        return 0;
    t->x1   = t->x0 + w < q->dst_w ? t->x0 + w : q->dst_w;
    t->y1   = t->y0 + CROP_TILE_H < q->dst_h ? t->y0 + CROP_TILE_H : q->dst_h;
    t->col0 = q->pos_x[t->x0];
    t->row0 = q->pos_y[t->y0];
    t->cols = q->pos_x[t->x1 - 1] + q->nx - t->col0;
    t->rows = q->pos_y[t->y1 - 1] + q->ny - t->row0;
    t->inside = t->col0 >= 0 && t->col0 + t->cols <= q->src.w && t->row0 >= 0 && t->row0 + t->rows <= q->src.h;
    return 1;
}

PX_FN void zoom_first(const CropTile *t, int *mid, int thread, const int narrow)
{
    const int s = thread % CROP_BLOCK_W, r0 = thread / CROP_BLOCK_W;

    if (t->q->rows_first)
        zoom_rows(t, mid, thread, narrow);
    else
        zoom_columns(t, mid, s, r0, narrow);
}

PX_FN void zoom_last(const CropTile *t, const int *mid, int thread, const int narrow)
{
    const int s = thread % CROP_BLOCK_W, r0 = thread / CROP_BLOCK_W;

    if (t->q->rows_first)
        zoom_rows_columns(t, mid, s, r0, narrow);
    else
        zoom_columns_rows(t, mid, s, r0, narrow);
}

CUDA_KERNEL crop_zoom(const CropCudaParams p)
{
    CUDA_SHARED int mid[CROP_TILE_MID];
    const CropCudaPlane *q = &p.plane[blockIdx.z];
    const int narrow = crop_px_is_narrow(q->src.depth, q->nx, q->ny);
    CropTile t;

    if (!zoom_tile(&t, q, blockIdx.x, blockIdx.y))
        return;
    CUDA_THREADS(thread) {
        if (narrow)
            zoom_first(&t, mid, thread, 1);
        else
            zoom_first(&t, mid, thread, 0);
    }
    CUDA_SYNC();
    CUDA_THREADS(thread) {
        if (narrow)
            zoom_last(&t, mid, thread, 1);
        else
            zoom_last(&t, mid, thread, 0);
    }
}

/* ---- anything ------------------------------------------------------------------- */

CUDA_KERNEL crop_any(const CropCudaParams p)
{
    const CropCudaPlane *q = &p.plane[blockIdx.z];
    const int s = (int)(blockIdx.x * blockDim.x + threadIdx.x), nc = q->src.step, x = s / nc;
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    CropPxPlane c;

    if (x >= q->dst_w || y >= q->dst_h)
        return;
    c = component(&q->src, q->pad, s % nc);
    store(q->dst + q->dst_stride * y, s,
          crop_px_sample(&c, q->pos_x[x], q->nx, q->coef_x + x * q->nx,
                         q->pos_y[y], q->ny, q->coef_y + y * q->ny, q->rows_first),
          c.bytes, c.shift);
}

/* ---- rotation --------------------------------------------------------------------- */

CUDA_KERNEL crop_turn(const CropCudaTurn p)
{
    const CropCudaTurnPlane *q = &p.plane[blockIdx.z];
    const int s = (int)(blockIdx.x * blockDim.x + threadIdx.x), nc = q->src.step, x = s / nc;
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    CropPxPlane c;

    if (x >= q->dst_w || y >= q->dst_h)
        return;
    c = component(&q->src, q->pad, s % nc);
    store(q->dst + q->dst_stride * y, s, crop_px_rotated(&c, &q->rot, x, y, p.phase, p.n), c.bytes, c.shift);
}
