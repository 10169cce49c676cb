/*
 * YOLO detection: a picture in overlapping tiles
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
#include <stdlib.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/mem.h"

#include "yolo_nms.h"
#include "yolo_tiles.h"

#define SAME   0.5f
#define INSIDE 0.6f
#define SEAM   0.01f            // of a tile's size: so near to its edge a box is cut

/* tile i of nb along an axis that begins at start */
static void part(int *at, int *size, int start, int all, int i, int nb, double overlap)
{
    *size = av_clip(ceil(all / (nb - (nb - 1) * overlap)), 1, all);
    *at   = start + (nb > 1 ? lrint(i * (double)(all - *size) / (nb - 1)) : 0);
}

int ff_yolo_tiles(YoloTile *tiles, const YoloTile *region, int nx, int ny, double overlap)
{
    int nb = 0;

    for (int j = 0; j < ny; j++)
        for (int i = 0; i < nx; i++, nb++) {
            part(&tiles[nb].x, &tiles[nb].w, region->x, region->w, i, nx, overlap);
            part(&tiles[nb].y, &tiles[nb].h, region->y, region->h, j, ny, overlap);
        }
    if (nb > 1)
        tiles[nb++] = *region;
    return nb;
}

typedef struct Candidate {
    YoloBox box;
    int tile, cut, place;
} Candidate;

/* does a seam cut it: an edge of the tile that is none of the region? */
static int is_cut(const YoloBox *b, const YoloTile *t, const YoloTile *all)
{
    const float mx = t->w * SEAM, my = t->h * SEAM;

    return (t->x > all->x                   && b->x1 < t->x + mx) ||
           (t->y > all->y                   && b->y1 < t->y + my) ||
           (t->x + t->w < all->x + all->w   && b->x2 > t->x + t->w - mx) ||
           (t->y + t->h < all->y + all->h   && b->y2 > t->y + t->h - my);
}

static int order(const void *a, const void *b)
{
    const Candidate *p = a, *q = b;
    int c = p->cut - q->cut;

    if (!c)
        c = FFDIFFSIGN(q->box.conf, p->box.conf);
    return c ? c : FFDIFFSIGN(p->place, q->place);
}

static float area(const YoloBox *b)
{
    return (b->x2 - b->x1) * (b->y2 - b->y1);
}

static int same(const Candidate *a, const Candidate *b, float iou)
{
    const float w = FFMIN(a->box.x2, b->box.x2) - FFMAX(a->box.x1, b->box.x1);
    const float h = FFMIN(a->box.y2, b->box.y2) - FFMAX(a->box.y1, b->box.y1);

    if (a->tile == b->tile)     // that tile's NMS let both stay
        return 0;
    if (ff_yolo_iou(&a->box, &b->box) > FFMIN(iou, SAME))
        return 1;
    return (a->cut || b->cut) && w > 0 && h > 0 && w * h > INSIDE * FFMIN(area(&a->box), area(&b->box));
}

int ff_yolo_tiles_merge(YoloBoxes *out, const YoloBoxes *lists, const YoloTile *tiles, int nb,
                        float iou, int agnostic, int max_det)
{
    Candidate *c;
    int nb_all = 0, n = 0, kept = 0, ret = 0;

    out->nb = 0;
    for (int i = 0; i < nb; i++)
        nb_all += lists[i].nb;
    if (!nb_all)
        return 0;
    if (!(c = av_malloc_array(nb_all, sizeof(*c))))
        return AVERROR(ENOMEM);
    for (int i = 0; i < nb; i++)
        for (int k = 0; k < lists[i].nb; k++, n++)
            c[n] = (Candidate) { lists[i].box[k], i, is_cut(&lists[i].box[k], &tiles[i], &tiles[nb - 1]), n };
    qsort(c, n, sizeof(*c), order);
    for (int i = 0; i < n && ret >= 0; i++) {
        int k;
        for (k = 0; k < kept; k++)
            if ((agnostic || c[k].box.cls == c[i].box.cls) && same(&c[k], &c[i], iou))
                break;
        if (k == kept)
            c[kept++] = c[i];
    }
    for (int i = 0; i < kept && ret >= 0; i++)
        ret = ff_yolo_add(out, &c[i].box);
    av_free(c);
    if (ret < 0)
        return ret;
    ff_yolo_sort(out);
    out->nb = FFMIN(out->nb, max_det);
    return 0;
}
