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

#ifndef AVFILTER_YOLO_TILES_H
#define AVFILTER_YOLO_TILES_H

#include "yolo.h"

/**
 * @file
 * A net sees a far player better when the picture goes in by parts. Tiles overlap, so
 * that one who stands at a seam is whole in one of them; the whole picture goes in
 * too, for those that are larger than a tile.
 */

typedef struct YoloTile {
    int x, y, w, h;             ///< in the frame
} YoloTile;

#define YOLO_MAX_TILES 65       // 8 x 8 and the whole

/**
 * @param tiles   room for YOLO_MAX_TILES: nx * ny tiles, then, if there is more than one, all of the region
 * @param overlap of neighbours, as a share of a tile
 * @return their number
 */
int ff_yolo_tiles(YoloTile *tiles, const YoloTile *region, int nx, int ny, double overlap);

/**
 * Merge the detections of tiles, each after its own NMS, in frame pixels.
 * Boxes of the same object from two tiles: the one that no seam cuts stays, else the more
 * certain one. Two boxes are the same where they overlap by more than min(iou, 0.5), or, one of
 * them being cut, where one lies in the other by more than 0.6.
 * The result is sorted by conf, falling; out is emptied before.
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_yolo_tiles_merge(YoloBoxes *out, const YoloBoxes *lists, const YoloTile *tiles, int nb,
                        float iou, int agnostic, int max_det);

#endif /* AVFILTER_YOLO_TILES_H */
