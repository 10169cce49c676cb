/*
 * YOLO detection: boxes and lists of them
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

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "yolo.h"

float ff_yolo_iou(const YoloBox *a, const YoloBox *b)
{
    const float w = FFMIN(a->x2, b->x2) - FFMAX(a->x1, b->x1);
    const float h = FFMIN(a->y2, b->y2) - FFMAX(a->y1, b->y1);
    float both, all;

    if (!(w > 0 && h > 0))
        return 0;
    both = w * h;
    all  = (a->x2 - a->x1) * (a->y2 - a->y1) + (b->x2 - b->x1) * (b->y2 - b->y1) - both;
    return all > 0 ? both / all : 0;
}

int ff_yolo_add(YoloBoxes *list, const YoloBox *box)
{
    YoloBox *grown = av_fast_realloc(list->box, &list->size, (list->nb + 1) * sizeof(*grown));

    if (!grown)
        return AVERROR(ENOMEM);
    list->box = grown;
    list->box[list->nb++] = *box;
    return 0;
}

void ff_yolo_free(YoloBoxes *list)
{
    av_freep(&list->box);
    list->nb   = 0;
    list->size = 0;
}
