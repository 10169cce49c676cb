/*
 * Nets: checkpoints of YOLO detectors: the head
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

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_edit.h"
#include "nn_yolo_pt.h"

#define BINS   16               ///< of a side's distance
#define LEVELS 8

typedef struct Head {
    YoloPt     *y;
    const char *where;
    int         classes, nb;
    float       stride[LEVELS];
} Head;

/* ---- where cells are ------------------------------------------------------------------------ */

/* 0.5, 1.5, ... as many as the dimension says: [n] */
static int middles(Head *h, int size)
{
    YoloPt *y = h->y;
    const int64_t zero = 0, one = 1;
    NNNetNode *n;
    int v = YOLO_OP(y, NN_OP_SQUEEZE, h->where, size);

    v = YOLO_OP(y, NN_OP_RANGE, h->where, ff_yolo_pt_ints(y, &zero, 1), v, ff_yolo_pt_ints(y, &one, 1));
    v = YOLO_OP(y, NN_OP_CAST, h->where, v);
    if ((n = ff_yolo_pt_last(y, v)))
        n->to = 1;              // ONNX's float
    return YOLO_OP(y, NN_OP_ADD, h->where, v, ff_yolo_pt_float(y, 0.5));
}

static int dimension(Head *h, int x, int which)
{
    const int v = YOLO_OP(h->y, NN_OP_SHAPE, h->where, x);
    NNNetNode *n = ff_yolo_pt_last(h->y, v);

    if (n) {
        n->nb_axes = 2;
        n->axes[0] = which;
        n->axes[1] = which + 1;
    }
    return v;
}

/* a value for each cell, row by row: [1, 1, cells] */
static int spread(Head *h, int v, int size)
{
    static const int64_t dims[3] = { 1, 1, -1 };

    return ff_yolo_pt_reshape(h->y, h->where, YOLO_OP(h->y, NN_OP_EXPAND, h->where, v, size), dims, 3);
}

/* middles of the cells in cells [1, 2, cells], and their size in pixels [1, 1, cells] */
static void grid(Head *h, int x, float stride, int *mid, int *step)
{
    YoloPt *y = h->y;
    const int rows = dimension(h, x, 2), cols = dimension(h, x, 3);
    const int size = YOLO_ALONG(y, NN_OP_CONCAT, h->where, 0, rows, cols);
    const int column = ff_yolo_pt_reshape(y, h->where, middles(h, rows), (const int64_t[]){ -1, 1 }, 2);

    *mid  = YOLO_ALONG(y, NN_OP_CONCAT, h->where, 1, spread(h, middles(h, cols), size), spread(h, column, size));
    *step = spread(h, ff_yolo_pt_float(y, stride), size);
}

/* ---- boxes ------------------------------------------------------------------------------------ */

/* [N, 4 * BINS, cells] -> [N, 4, cells]: a side's distance is the mean of its bins' numbers,
 * by their probabilities */
static int distances(Head *h, int rec, int x)
{
    YoloPt *y = h->y;
    static const int64_t turn[4] = { 0, 2, 1, 3 };
    const int dfl = ff_yolo_pt_sub(y, rec, "dfl");
    char path[YOLO_PT_NAME];
    int nb = 0;

    snprintf(path, sizeof(path), "%s.dfl.conv", h->where);
    x = ff_yolo_pt_reshape(y, path, x, (const int64_t[]){ 0, 4, BINS, -1 }, 4);
    x = ff_yolo_pt_transpose(y, path, x, turn, 4);
    x = YOLO_ALONG(y, NN_OP_SOFTMAX, path, 1, x);
    x = ff_yolo_pt_conv2d(y, ff_yolo_pt_sub(y, dfl, "conv"), -1, x, &nb, path);
    if (x >= 0 && nb != 1)
        return ff_yolo_pt_broken(y, path, "makes %d numbers of a side, not 1", nb);
    return ff_yolo_pt_reshape(y, path, x, (const int64_t[]){ 0, 4, -1 }, 3);
}

/* left, top, right, bottom of a cell's middle -> middle and size in pixels */
static int boxes(Head *h, int x, int mid, int step)
{
    YoloPt *y = h->y;
    int side[2], a, b, c;

    ff_yolo_pt_split(y, h->where, x, 1, (const int64_t[]){ 2, 2 }, 2, side);
    a = YOLO_OP(y, NN_OP_SUB, h->where, mid, side[0]);
    b = YOLO_OP(y, NN_OP_ADD, h->where, mid, side[1]);
    c = YOLO_OP(y, NN_OP_MUL, h->where, YOLO_OP(y, NN_OP_ADD, h->where, a, b), ff_yolo_pt_float(y, 0.5));
    b = YOLO_OP(y, NN_OP_SUB, h->where, b, a);
    return YOLO_OP(y, NN_OP_MUL, h->where, YOLO_ALONG(y, NN_OP_CONCAT, h->where, 1, c, b), step);
}

/* one level's numbers: [N, 4 * BINS + classes, cells] */
static int level(Head *h, int rec, int x, int i)
{
    static const char *const lists[] = { "cv2", "cv3" };
    char path[YOLO_PT_NAME];
    int v[2];

    for (int k = 0; k < 2; k++) {
        const int m = ff_yolo_pt_item(h->y, ff_yolo_pt_sub(h->y, rec, lists[k]), i);
        snprintf(path, sizeof(path), "%s.%s.%d", h->where, lists[k], i);
        if ((v[k] = ff_yolo_pt_convs(h->y, m, x, 2, path)) < 0)
            return v[k];
    }
    return ff_yolo_pt_reshape(h->y, h->where, ff_yolo_pt_along(h->y, NN_OP_CONCAT, h->where, 1, v, 2),
                              (const int64_t[]){ 0, 4 * BINS + h->classes, -1 }, 3);
}

static int read_head(Head *h, int rec)
{
    YoloPt *y = h->y;
    const int bins = ff_yolo_pt_int(y, rec, "reg_max", BINS, BINS, BINS, h->where);
    NNParam p;
    char path[YOLO_PT_NAME];
    int ret;

    if (bins < 0)
        return bins;
    if (ff_yolo_pt_sub(y, rec, "one2one_cv2") >= 0)
        return ff_yolo_pt_refuse(y, h->where, "is an end-to-end head");
    h->classes = ff_yolo_pt_int(y, rec, "nc", 1, NN_MAX_C - 4 * BINS, -1, h->where);
    if (h->classes < 0)
        return h->classes == -1 ? ff_yolo_pt_broken(y, h->where, "has no number of classes") : h->classes;
    snprintf(path, sizeof(path), "%s.stride", h->where);
    if ((ret = ff_yolo_pt_tensor(y, ff_yolo_pt_attr(y, rec, "stride"), 1, &p, path)) < 0)
        return ret;
    if (p.dims[0] != h->nb)
        ret = ff_yolo_pt_broken(y, h->where, "has %d strides for %d inputs", p.dims[0], h->nb);
    for (int i = 0; i < h->nb && ret >= 0; i++) {
        h->stride[i] = p.data[i];
        if (!(p.data[i] >= 1 && p.data[i] <= 256 && p.data[i] == (int)p.data[i]))
            ret = ff_yolo_pt_broken(y, h->where, "has a stride of %g", p.data[i]);
    }
    av_free(p.data);
    return ret;
}

int ff_yolo_pt_head(YoloPt *y, int rec, const int *x, int nb, const char *where)
{
    Head h = { .y = y, .where = where, .nb = nb };
    int all[LEVELS], mid[LEVELS], step[LEVELS], part[2], v, m, s, ret;

    if (nb < 1 || nb > LEVELS)
        return ff_yolo_pt_broken(y, where, "has %d inputs", nb);
    if ((ret = read_head(&h, rec)) < 0)
        return ret;
    for (int i = 0; i < nb; i++) {
        if ((all[i] = level(&h, rec, x[i], i)) < 0)
            return all[i];
        grid(&h, x[i], h.stride[i], &mid[i], &step[i]);
    }
    v = ff_yolo_pt_along(y, NN_OP_CONCAT, where, 2, all, nb);
    m = ff_yolo_pt_along(y, NN_OP_CONCAT, where, 2, mid, nb);
    s = ff_yolo_pt_along(y, NN_OP_CONCAT, where, 2, step, nb);
    ff_yolo_pt_split(y, where, v, 1, (const int64_t[]){ 4 * BINS, h.classes }, 2, part);
    v = boxes(&h, distances(&h, rec, part[0]), m, s);
    return YOLO_ALONG(y, NN_OP_CONCAT, where, 1, v, YOLO_OP(y, NN_OP_SIGMOID, where, part[1]));
}
