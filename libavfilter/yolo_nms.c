/*
 * YOLO detection: one box an object
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

#include <stdlib.h>

#include "libavutil/macros.h"

#include "yolo_nms.h"

/* the id of a box that has none yet is its place, so that qsort keeps the order of equals */
static int more_certain(const void *a, const void *b)
{
    const YoloBox *p = a, *q = b;
    const int c = FFDIFFSIGN(q->conf, p->conf);

    return c ? c : FFDIFFSIGN(p->id, q->id);
}

void ff_yolo_sort(YoloBoxes *list)
{
    for (int i = 0; i < list->nb; i++)
        list->box[i].id = i;
    if (list->nb > 1)
        qsort(list->box, list->nb, sizeof(*list->box), more_certain);
    for (int i = 0; i < list->nb; i++)
        list->box[i].id = 0;
}

void ff_yolo_nms(YoloBoxes *list, float iou, int agnostic, int max_det)
{
    int kept = 0;

    ff_yolo_sort(list);
    for (int i = 0; i < list->nb && kept < max_det; i++) {
        const YoloBox b = list->box[i];
        int k;
        for (k = 0; k < kept; k++)
            if ((agnostic || list->box[k].cls == b.cls) && ff_yolo_iou(&list->box[k], &b) > iou)
                break;
        if (k == kept)
            list->box[kept++] = b;
    }
    list->nb = FFMIN(list->nb, kept);
}
