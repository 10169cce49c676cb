/*
 * Resampling of a crop window: the passes, for one width of intermediate
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


/* Included by crop_resample.c with
 *   NARROW       1 or 0: which set of formulas
 *   MID          type between the passes; LANES of them are 64 bytes
 *   STEP         output samples that the last pass takes at a time
 *   NAME(x)      x with a suffix
 *   TAP(a, v, c) the formula of one tap
 *   MIDDLE(a)    after the columns; up is in scope
 *   STORE(d, i, a)  at the end; up, max, bytes and shift are in scope */

/* One vector's worth of n source columns -> one output column. in: rows of
 * LANES, stride apart. */
static av_always_inline void NAME(taps_col)(MID *restrict out, const MID *in, int stride,
                                            const int16_t *coef, const int n, const int add)
{
    for (int i = 0; i < LANES; i++) {
        int acc = add ? out[i] : 0;
        for (int k = 0; k < n; k++)
            acc = TAP(acc, in[k * stride + i], coef[k]);
        out[i] = acc;
    }
}

static av_always_inline void NAME(cols_n)(MID *block, const MID *cols, const CropAxis *a,
                                          int x0, int x1, const int nc, const int n)
{
    for (int x = x0; x < x1; x++) {
        const MID *in = cols + (a->pos[x] - a->lo) * nc * LANES;
        for (int c = 0; c < nc; c++, block += LANES)
            NAME(taps_col)(block, in + c * LANES, nc * LANES, a->coef + x * n, n, 0);
    }
}

/* any number of taps: eight at a time, then pairs */
static av_always_inline void NAME(cols_any)(MID *block, const MID *cols, const CropAxis *a,
                                            int x0, int x1, const int nc)
{
    const int n = a->n, st = nc * LANES;

    for (int x = x0; x < x1; x++) {
        const int16_t *w = a->coef + x * n;
        for (int c = 0; c < nc; c++, block += LANES) {
            const MID *in = cols + ((a->pos[x] - a->lo) * nc + c) * LANES;
            int k = 8;
            NAME(taps_col)(block, in, st, w, 8, 0);
            for (; k + 8 <= n; k += 8)
                NAME(taps_col)(block, in + k * st, st, w + k, 8, 1);
            for (; k < n; k += 2)
                NAME(taps_col)(block, in + k * st, st, w + k, 2, 1);
        }
    }
}

static av_always_inline void NAME(cols_taps)(MID *block, const MID *cols, const CropAxis *a,
                                             int x0, int x1, const int nc)
{
    switch (a->n) {
    case 1: NAME(cols_n)(block, cols, a, x0, x1, nc, 1); break;
    case 2: NAME(cols_n)(block, cols, a, x0, x1, nc, 2); break;
    case 4: NAME(cols_n)(block, cols, a, x0, x1, nc, 4); break;
    case 6: NAME(cols_n)(block, cols, a, x0, x1, nc, 6); break;
    default: NAME(cols_any)(block, cols, a, x0, x1, nc);
    }
}

/* output columns [x0, x1) of a transposed block; last: the rows are done */
PX_HOT static void NAME(cols_pass)(MID *block, const MID *cols, const CropAxis *a,
                                   int x0, int x1, int nc, int up, int last)
{
    if (nc == 1)
        NAME(cols_taps)(block, cols, a, x0, x1, 1);
    else
        NAME(cols_taps)(block, cols, a, x0, x1, nc);
    if (!NARROW && !last)
        for (int i = 0; i < (x1 - x0) * nc * LANES; i++)
            block[i] = MIDDLE(block[i]);
}

/* the same weights for all columns: a filter along the row, st samples a pixel */
static av_always_inline void NAME(line_n)(MID *restrict out, const MID *in, int st,
                                          const int16_t *coef, int nb, const int n,
                                          const int add)
{
    int16_t w[8];

    for (int k = 0; k < n; k++)
        w[k] = coef[k];
    for (int x = 0; x < nb; x += LANES) {
        for (int i = 0; i < LANES; i++) {
            int acc = add ? out[x + i] : 0;
            for (int k = 0; k < n; k++)
                acc = TAP(acc, in[k * st + x + i], w[k]);
            out[x + i] = acc;
        }
    }
}

PX_HOT static void NAME(line_pass)(MID *restrict out, const MID *in, int st,
                                   const int16_t *coef, int n, int nb, int up)
{
    switch (n) {
    case 1: NAME(line_n)(out, in, st, coef, nb, 1, 0); break;
    case 2: NAME(line_n)(out, in, st, coef, nb, 2, 0); break;
    case 4: NAME(line_n)(out, in, st, coef, nb, 4, 0); break;
    case 6: NAME(line_n)(out, in, st, coef, nb, 6, 0); break;
    default:
        NAME(line_n)(out, in, st, coef, nb, 2, 0);
        for (int k = 2; k < n; k += 2)
            NAME(line_n)(out, in + k * st, st, coef + k, nb, 2, 1);
    }
    for (int x = 0; x < nb; x += LANES)
        for (int i = 0; i < LANES; i++)
            out[x + i] = MIDDLE(out[x + i]);
}

/* rows -> output samples [x, x + STEP); d holds at least STEP samples */
static av_always_inline void NAME(taps_row)(MID *restrict acc_out, const MID *const *rows, int x,
                                            const int16_t *coef, const int n, const int add)
{
    for (int i = 0; i < STEP; i++) {
        int acc = add ? acc_out[i] : 0;
        for (int k = 0; k < n; k++)
            acc = TAP(acc, rows[k][x + i], coef[k]);
        acc_out[i] = acc;
    }
}

static av_always_inline void NAME(rows_n)(uint8_t *restrict dst, const MID *const *rows,
                                          const int16_t *coef, const int n, int nb, int up,
                                          const int bytes, int shift, int max)
{
    const MID *r[8];
    int16_t w[8];

    for (int k = 0; k < n; k++) {
        r[k] = rows[k];
        w[k] = coef[k];
    }
    for (int x = 0; x < nb; x += STEP) {
        for (int i = 0; i < STEP; i++) {
            int acc = 0;
            for (int k = 0; k < n; k++)
                acc = TAP(acc, r[k][x + i], w[k]);
            if (bytes)
                STORE(dst, x + i, acc);
            else
                ((MID *)dst)[x + i] = MIDDLE(acc);
        }
    }
}

static av_always_inline void NAME(rows_any)(uint8_t *restrict dst, const MID *const *rows,
                                            const int16_t *coef, int n, int nb, int up,
                                            const int bytes, int shift, int max)
{
    for (int x = 0; x < nb; x += STEP) {
        MID acc[STEP];
        int k = 2;
        NAME(taps_row)(acc, rows, x, coef, 2, 0);
        for (; k + 4 <= n; k += 4)
            NAME(taps_row)(acc, rows + k, x, coef + k, 4, 1);
        for (; k < n; k += 2)
            NAME(taps_row)(acc, rows + k, x, coef + k, 2, 1);
        for (int i = 0; i < STEP; i++)
            if (bytes)
                STORE(dst, x + i, acc[i]);
            else
                ((MID *)dst)[x + i] = MIDDLE(acc[i]);
    }
}

static av_always_inline void NAME(rows_bytes)(uint8_t *dst, const MID *const *rows,
                                              const int16_t *coef, int n, int nb, int up,
                                              const int bytes, int shift, int max)
{
    switch (n) {
    case 1: NAME(rows_n)(dst, rows, coef, 1, nb, up, bytes, shift, max); break;
    case 2: NAME(rows_n)(dst, rows, coef, 2, nb, up, bytes, shift, max); break;
    case 4: NAME(rows_n)(dst, rows, coef, 4, nb, up, bytes, shift, max); break;
    case 6: NAME(rows_n)(dst, rows, coef, 6, nb, up, bytes, shift, max); break;
    case 8: NAME(rows_n)(dst, rows, coef, 8, nb, up, bytes, shift, max); break;
    default: NAME(rows_any)(dst, rows, coef, n, nb, up, bytes, shift, max);
    }
}

/* nb: a multiple of STEP; bytes: of the samples of dst, or 0 for intermediates */
PX_HOT static void NAME(rows_pass)(uint8_t *dst, const MID *const *rows, const int16_t *coef,
                                   int n, int nb, int up, int bytes, int shift, int max)
{
    if (!bytes)
        NAME(rows_bytes)(dst, rows, coef, n, nb, up, 0, shift, max);
    else if (NARROW || bytes == 1)
        NAME(rows_bytes)(dst, rows, coef, n, nb, up, 1, shift, max);
    else
        NAME(rows_bytes)(dst, rows, coef, n, nb, up, 2, shift, max);
}

static av_always_inline void NAME(store_bytes)(uint8_t *restrict dst, const MID *in, int nb, int up,
                                               const int bytes, int shift, int max)
{
    int x = 0;

    for (; x + STEP <= nb; x += STEP)
        for (int i = 0; i < STEP; i++)
            STORE(dst, x + i, in[x + i]);
    for (; x < nb; x++)
        STORE(dst, x, in[x]);
}

/* sums over both directions -> samples */
PX_HOT static void NAME(store)(uint8_t *dst, const MID *in, int nb, int up, int bytes,
                               int shift, int max)
{
    if (NARROW || bytes == 1)
        NAME(store_bytes)(dst, in, nb, up, 1, shift, max);
    else
        NAME(store_bytes)(dst, in, nb, up, 2, shift, max);
}
