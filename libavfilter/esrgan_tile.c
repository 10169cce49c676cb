/*
 * How a picture is cut into tiles for a net
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

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "esrgan_tile.h"

/* tiles are not made smaller than this, whatever the budget says */
#define MIN_TILE 16

static int align_up(int n, int align)
{
    return (n + align - 1) / align * align;
}

/** cut n into equal parts of at most size */
static int even_parts(int n, int size, int align)
{
    int parts = (n + size - 1) / size;
    return FFMIN(n, align_up((n + parts - 1) / parts, align));
}

static int over_budget(const ESRGANPlanParams *in, const ESRGANPlan *p)
{
    int w = FFMIN(in->w, p->tile_w + 2 * p->halo), h = FFMIN(in->h, p->tile_h + 2 * p->halo);

    return in->scratch && in->scratch_budget &&
           in->scratch(in->opaque, w, h) > in->scratch_budget / in->nb_threads;
}

static void choose_tile(ESRGANPlan *p, const ESRGANPlanParams *in)
{
    int band = FFMAX3(MIN_TILE, p->halo, (in->h + in->nb_threads - 1) / in->nb_threads);

    if (in->result_budget && in->row_bytes) {   /* one round of bands fits */
        size_t fit = in->result_budget / in->row_bytes / in->nb_threads;
        band = FFMIN(band, FFMAX3(MIN_TILE, 2 * p->halo, FFMIN(fit, INT_MAX)));
    }
    p->tile_w = in->w;
    p->tile_h = even_parts(in->h, band, in->align);
    while (over_budget(in, p) && FFMAX(p->tile_w, p->tile_h) >= 2 * MIN_TILE) {
        int *side = p->tile_h >= p->tile_w ? &p->tile_h : &p->tile_w;
        *side = align_up((*side + 1) / 2, in->align);
    }
    p->tile_w = even_parts(in->w, p->tile_w, in->align);
    p->tile_h = even_parts(in->h, p->tile_h, in->align);
}

int ff_esrgan_plan(ESRGANPlan *p, const ESRGANPlanParams *in)
{
    int a = in->align, group;

    if (a < 1 || in->w < 1 || in->h < 1 || in->w % a || in->h % a ||
        in->halo < 0 || in->tile < 0 || in->nb_threads < 1)
        return AVERROR(EINVAL);
    *p = (ESRGANPlan){ .w = in->w, .h = in->h, .align = a };
    p->halo = align_up(FFMIN(in->halo, FFMAX(in->w, in->h)), a);
    if (in->tile) {
        p->tile_w = FFMIN(in->w, align_up(FFMIN(in->tile, in->w), a));
        p->tile_h = FFMIN(in->h, align_up(FFMIN(in->tile, in->h), a));
    } else {
        choose_tile(p, in);
    }
    p->cols = (in->w + p->tile_w - 1) / p->tile_w;
    p->rows = (in->h + p->tile_h - 1) / p->tile_h;

    p->group = p->rows;
    if (in->result_budget && in->row_bytes) {
        /* whole rounds of threads, so that none waits at the end of a group */
        int round = (in->nb_threads + p->cols - 1) / p->cols;
        group = in->result_budget / in->row_bytes / p->tile_h;
        group = group > round ? group / round * round : round;
        p->group = av_clip(group, 1, p->rows);
    }
    return 0;
}

void ff_esrgan_plan_tile(const ESRGANPlan *p, int i, ESRGANTile *t)
{
    t->x = i % p->cols * p->tile_w;
    t->y = i / p->cols * p->tile_h;
    t->w = FFMIN(p->tile_w, p->w - t->x);
    t->h = FFMIN(p->tile_h, p->h - t->y);
    t->left   = FFMIN(p->halo, t->x);
    t->top    = FFMIN(p->halo, t->y);
    t->right  = FFMIN(p->halo, p->w - t->x - t->w);
    t->bottom = FFMIN(p->halo, p->h - t->y - t->h);
}
