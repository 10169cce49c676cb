/*
 * Crop: side data of frames
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
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/detection_bbox.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mathematics.h"
#include "libavutil/mem.h"

#include "crop_frame.h"
#include "px_format.h"

static int floor_clip(double v, int max)
{
    return floor(av_clipd(v, 0, max));
}

/* corner (x, y) of the picture, in pixels of the output */
static void through(double *x, double *y, const AVFrame *out, const CropRect *r,
                    double degrees, int w, int h)
{
    const double a = degrees * M_PI / 180, c = cos(a), s = sin(a);
    const double dx = *x - w / 2., dy = *y - h / 2.;
    const double rx = degrees ? w / 2. + dx * c + dy * s : *x;
    const double ry = degrees ? h / 2. - dx * s + dy * c : *y;

    *x = (rx - r->x) * out->width / r->w;
    *y = (ry - r->y) * out->height / r->h;
}

/* @return whether something of the box is left */
static int move_box(AVDetectionBBox *b, const AVFrame *out, const CropRect *r,
                    double degrees, const CropArea *area)
{
    double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;

    for (int i = 0; i < 4; i++) {
        double x = b->x + (i & 1) * (double)b->w - area->x, y = b->y + (i >> 1) * (double)b->h - area->y;
        through(&x, &y, out, r, degrees, area->w, area->h);
        x0 = FFMIN(x0, x);
        y0 = FFMIN(y0, y);
        x1 = FFMAX(x1, x);
        y1 = FFMAX(y1, y);
    }
    b->x = floor_clip(x0 + 0.5, out->width);
    b->y = floor_clip(y0 + 0.5, out->height);
    b->w = floor_clip(x1 + 0.5, out->width)  - b->x;
    b->h = floor_clip(y1 + 0.5, out->height) - b->y;
    return b->w > 0 && b->h > 0;
}

static int move_boxes(AVFrame *out, const CropRect *r, double degrees, const CropArea *area)
{
    const AVFrameSideData *sd = av_frame_get_side_data(out, AV_FRAME_DATA_DETECTION_BBOXES);
    const AVDetectionBBoxHeader *in = (const AVDetectionBBoxHeader *)sd->data;
    AVDetectionBBoxHeader *moved;
    AVBufferRef *buf;
    size_t size;
    int nb = 0;

    if (!(moved = av_detection_bbox_alloc(in->nb_bboxes, &size)))
        return AVERROR(ENOMEM);
    memcpy(moved->source, in->source, sizeof(moved->source));
    for (unsigned i = 0; i < in->nb_bboxes; i++) {
        AVDetectionBBox *b = (AVDetectionBBox *)((uint8_t *)moved + moved->bboxes_offset +
                                                 nb * moved->bbox_size);
        *b  = *av_get_detection_bbox(in, i);
        nb += move_box(b, out, r, degrees, area);
    }
    moved->nb_bboxes = nb;
    av_frame_remove_side_data(out, AV_FRAME_DATA_DETECTION_BBOXES);
    if (!(buf = av_buffer_create((uint8_t *)moved, size, NULL, NULL, 0))) {
        av_free(moved);
        return AVERROR(ENOMEM);
    }
    if (!av_frame_new_side_data_from_buf(out, AV_FRAME_DATA_DETECTION_BBOXES, buf)) {
        av_buffer_unref(&buf);
        return AVERROR(ENOMEM);
    }
    return 0;
}

int ff_crop_side_data(AVFrame *out, const CropRect *r, double degrees, const CropArea *area,
                      uint64_t *told, void *log)
{
    for (int i = out->nb_side_data - 1; i >= 0; i--) {
        const enum AVFrameSideDataType type = out->side_data[i]->type;
        const uint64_t bit = 1ULL << (type & 63);

        if (type == AV_FRAME_DATA_DETECTION_BBOXES || !ff_px_size_dependent(type))
            continue;
        if (!(*told & bit))
            av_log(log, AV_LOG_VERBOSE, "side data '%s' does not fit the cropped picture and is removed\n",
                   av_frame_side_data_name(type));
        *told |= bit;
        av_frame_remove_side_data(out, type);
        i = FFMIN(i, out->nb_side_data);
    }
    if (av_frame_get_side_data(out, AV_FRAME_DATA_DETECTION_BBOXES))
        return move_boxes(out, r, degrees, area);
    return 0;
}
