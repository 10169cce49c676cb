/*
 * YOLO detection: optimal assignment
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

#include <math.h>
#include <stdint.h>

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "yolo_assign.h"

typedef struct Assign {
    const float *cost;
    int     rows, cols;
    double  limit;
    int    *match;              ///< of a row
    int    *row;                ///< of a column; -1: free
    int    *from;               ///< the row by which the shortest way comes to a column
    int    *done;               ///< columns whose distance is final, in the order in which they became so
    uint8_t *is_done;
    double *dist;               ///< length of the shortest way to a column
    double *u, *v;              ///< prices of rows and columns: cost - u - v >= 0, 0 for pairs
} Assign;

static int alloc(Assign *a)
{
    a->row     = av_malloc_array(FFMAX(a->cols, 1), sizeof(*a->row));
    a->from    = av_malloc_array(FFMAX(a->cols, 1), sizeof(*a->from));
    a->done    = av_malloc_array(FFMAX(a->cols, 1), sizeof(*a->done));
    a->is_done = av_malloc_array(FFMAX(a->cols, 1), sizeof(*a->is_done));
    a->dist    = av_malloc_array(FFMAX(a->cols, 1), sizeof(*a->dist));
    a->v       = av_calloc(FFMAX(a->cols, 1), sizeof(*a->v));
    a->u       = av_calloc(FFMAX(a->rows, 1), sizeof(*a->u));
    return a->row && a->from && a->done && a->is_done && a->dist && a->u && a->v ? 0 : AVERROR(ENOMEM);
}

/* make the ways through row i, which is `so_far` away, known to all columns; @return the nearest */
static int relax(Assign *a, int i, double so_far)
{
    const float *cost = a->cost + (size_t)i * a->cols;
    int best = -1;

    for (int c = 0; c < a->cols; c++) {
        if (a->is_done[c])
            continue;
        if (cost[c] <= a->limit) {
            const double d = so_far + cost[c] - a->u[i] - a->v[c];
            if (d < a->dist[c]) {
                a->dist[c] = d;
                a->from[c] = i;
            }
        }
        if (best < 0 || a->dist[c] < a->dist[best])
            best = c;
    }
    return best;
}

/* hand column c to the row that came to it, the column of that row to the one before, ... up to row s */
static void flip(Assign *a, int s, int c)
{
    for (;;) {
        const int i = a->from[c], old = a->match[i];

        a->row[c]   = i;
        a->match[i] = c;
        if (i == s)
            return;
        c = old;
    }
}

static void add_row(Assign *a, int s)
{
    double so_far = 0, end = INFINITY;  // end: the shortest way that ends with a row left alone
    int i = s, alone = s, c, nb_done = 0;

    for (c = 0; c < a->cols; c++) {
        a->dist[c]    = INFINITY;
        a->is_done[c] = 0;
    }
    for (;;) {
        if (so_far + a->limit - a->u[i] < end) {
            end   = so_far + a->limit - a->u[i];
            alone = i;
        }
        c = relax(a, i, so_far);
        if (c < 0 || a->dist[c] >= end)
            break;
        if (a->row[c] < 0) {
            end   = a->dist[c];
            alone = -1;
            break;
        }
        so_far = a->dist[c];
        a->is_done[c]      = 1;
        a->done[nb_done++] = c;
        i = a->row[c];
    }
    a->u[s] += end;
    for (int k = 0; k < nb_done; k++) {
        const int d = a->done[k];
        a->u[a->row[d]] += end - a->dist[d];
        a->v[d]         -= end - a->dist[d];
    }
    if (alone < 0) {
        flip(a, s, c);
    } else if (alone != s) {            // its column goes to the rows before it
        const int freed = a->match[alone];
        a->match[alone] = -1;
        flip(a, s, freed);
    }
}

int ff_yolo_assign(const float *cost, int rows, int cols, double limit, int *match)
{
    Assign a = { .cost = cost, .rows = rows, .cols = cols, .limit = limit, .match = match };
    const int ret = alloc(&a);

    for (int r = 0; r < rows; r++)
        match[r] = -1;
    if (ret >= 0) {
        for (int c = 0; c < cols; c++)
            a.row[c] = -1;
        for (int r = 0; r < rows; r++)
            add_row(&a, r);
    }
    av_free(a.row);
    av_free(a.from);
    av_free(a.done);
    av_free(a.is_done);
    av_free(a.dist);
    av_free(a.u);
    av_free(a.v);
    return ret;
}
