/*
 * Properties of a frame whose size changes
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


#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/common.h"
#include "libavutil/detection_bbox.h"
#include "libavutil/error.h"
#include "libavutil/imgutils.h"
#include "libavutil/mathematics.h"
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"
#include "esrgan_props.h"
#include "px_format.h"

/** boxes of in, scaled, become out's */
static int scale_boxes(AVFrame *out, const AVFrame *in)
{
    const AVFrameSideData *sd = av_frame_get_side_data(in, AV_FRAME_DATA_DETECTION_BBOXES);
    const AVDetectionBBoxHeader *src;
    AVDetectionBBoxHeader *dst;

    if (!sd)
        return 0;
    src = (const AVDetectionBBoxHeader *)sd->data;
    dst = av_detection_bbox_create_side_data(out, src->nb_bboxes);
    if (!dst)
        return AVERROR(ENOMEM);
    memcpy(dst->source, src->source, sizeof(dst->source));
    for (unsigned i = 0; i < src->nb_bboxes; i++) {
        const AVDetectionBBox *s = av_get_detection_bbox(src, i);
        AVDetectionBBox *d = av_get_detection_bbox(dst, i);
        int64_t x0 = av_rescale(s->x, out->width,  in->width);
        int64_t y0 = av_rescale(s->y, out->height, in->height);

        *d   = *s;
        d->x = x0;
        d->y = y0;
        d->w = av_rescale(s->x + (int64_t)s->w, out->width,  in->width)  - x0;
        d->h = av_rescale(s->y + (int64_t)s->h, out->height, in->height) - y0;
    }
    return 0;
}

static void drop_size_dependent(AVFrame *f)
{
    for (int i = f->nb_side_data - 1; i >= 0; i--) {
        if (ff_px_size_dependent(f->side_data[i]->type))
            av_frame_remove_side_data(f, f->side_data[i]->type);
        i = FFMIN(i, f->nb_side_data);
    }
}

int ff_esrgan_copy_props(AVFrame *out, const AVFrame *in)
{
    AVRational sar = out->sample_aspect_ratio;
    int ret = av_frame_copy_props(out, in);

    if (ret < 0)
        return ret;
    out->sample_aspect_ratio = sar;
    if (out->width == in->width && out->height == in->height)
        return 0;
    drop_size_dependent(out);
    return scale_boxes(out, in);
}

int ff_esrgan_same_picture(const AVFrame *a, const AVFrame *b)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(a->format);

    if (a->format != b->format || a->width != b->width || a->height != b->height ||
        a->colorspace != b->colorspace || a->color_range != b->color_range ||
        a->chroma_location != b->chroma_location)
        return 0;
    for (int p = 0; p < 4 && a->data[p]; p++) {
        int bytes = av_image_get_linesize(a->format, a->width, p);
        int rows  = p == 1 || p == 2 ? AV_CEIL_RSHIFT(a->height, d->log2_chroma_h) : a->height;

        if (bytes < 0)
            return 0;
        if (a->data[p] == b->data[p] && a->linesize[p] == b->linesize[p])
            continue;
        for (int y = 0; y < rows; y++)
            if (memcmp(a->data[p] + y * (ptrdiff_t)a->linesize[p],
                       b->data[p] + y * (ptrdiff_t)b->linesize[p], bytes))
                return 0;
    }
    return 1;
}

char *ff_esrgan_wdn_name(const char *model)
{
    static const char mark[] = "general-x4v3";
    const char *base = strrchr(model, '/'), *at;

    at = strstr(base ? base : model, mark);
    return at ? av_asprintf("%.*sgeneral-wdn-x4v3%s", (int)(at - model), model, at + strlen(mark))
              : NULL;
}
