/*
 * Crop: how the planes of a pixel format are laid out, and frames of it
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
#include "libavutil/csp.h"
#include "libavutil/detection_bbox.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mathematics.h"
#include "libavutil/mem.h"
#include "libavutil/version.h"

#include "config.h"
#include "crop_frame.h"

#define REFUSED (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_PAL | \
                 AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_XYZ)

static int is_chroma(const AVPixFmtDescriptor *d, int comp)
{
    return (comp == 1 || comp == 2) && d->nb_components >= 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB);
}

/* component c into its plane; 0 if it does not fit what the loops can do */
static int place(CropLayout *l, int c)
{
    const AVComponentDescriptor *cd = &l->desc->comp[c];
    CropLayoutPlane *p = &l->plane[cd->plane];
    const int nc = cd->step / l->bytes, at = cd->offset / l->bytes;
    const int chroma = is_chroma(l->desc, c) && (l->desc->log2_chroma_w || l->desc->log2_chroma_h);

    if (cd->depth != l->depth || cd->shift != l->shift || cd->step % l->bytes ||
        cd->offset % l->bytes || nc < 1 || nc > 4 || at >= nc)
        return 0;
    if (p->nc && (p->nc != nc || p->chroma != chroma || p->comp[at] >= 0))
        return 0;
    if (!p->nc) {
        p->nc     = nc;
        p->chroma = chroma;
        for (int i = 0; i < 4; i++)
            p->comp[i] = -1;
    }
    p->comp[at]  = c;
    l->nb_planes = FFMAX(l->nb_planes, cd->plane + 1);
    return 1;
}

int ff_crop_layout(CropLayout *l, enum AVPixelFormat fmt)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(fmt);

    memset(l, 0, sizeof(*l));
    if (!d || !d->nb_components || (d->flags & REFUSED))
        return AVERROR(ENOSYS);
    l->desc  = d;
    l->depth = d->comp[0].depth;
    l->shift = d->comp[0].shift;
    l->bytes = l->depth + l->shift > 8 ? 2 : 1;
    if (l->depth < 8 || l->depth > 16 || l->depth + l->shift > 8 * l->bytes)
        return AVERROR(ENOSYS);
    /* the byte order of 8-bit formats is nothing, whatever their flags */
    if (l->bytes == 2 && !(d->flags & AV_PIX_FMT_FLAG_BE) != !HAVE_BIGENDIAN)
        return AVERROR(ENOSYS);
    for (int c = 0; c < d->nb_components; c++)
        if (!place(l, c))
            return AVERROR(ENOSYS);
    return 0;
}

/* ---- colour ----------------------------------------------------------------- */

static const AVLumaCoefficients *coefficients(const AVFrame *f)
{
    const AVLumaCoefficients *k = av_csp_luma_coeffs_from_avcsp(f->colorspace);

    return k ? k : av_csp_luma_coeffs_from_avcsp(AVCOL_SPC_SMPTE170M);
}

static int is_full(const AVPixFmtDescriptor *d, const AVFrame *f)
{
    return f->color_range == AVCOL_RANGE_JPEG || !strncmp(d->name, "yuvj", 4);
}

void ff_crop_colour(uint16_t out[4], const uint8_t rgba[4], const CropLayout *l,
                    const AVFrame *frame)
{
    const AVPixFmtDescriptor *d = l->desc;
    const double max = (1 << l->depth) - 1, unit = 1 << (l->depth - 8);
    const double r = rgba[0] / 255., g = rgba[1] / 255., b = rgba[2] / 255.;
    const int full = is_full(d, frame), gray = d->nb_components < 3;
    double v[4] = { r, g, b, rgba[3] / 255. };

    if (!(d->flags & AV_PIX_FMT_FLAG_RGB)) {
        const AVLumaCoefficients *k = coefficients(frame);
        const double kr = av_q2d(k->cr), kg = av_q2d(k->cg), kb = av_q2d(k->cb);
        const double y = kr * r + kg * g + kb * b;
        const double cb = (b - y) / (2 * (1 - kb)), cr = (r - y) / (2 * (1 - kr));
        v[0] = full ? y : (16 + 219 * y) * unit / max;
        v[1] = ((full ? max : 224 * unit) * cb + 128 * unit) / max;
        v[2] = ((full ? max : 224 * unit) * cr + 128 * unit) / max;
        if (gray)
            v[1] = v[3];
    }
    for (int c = 0; c < 4; c++)
        out[c] = av_clip(lrint(v[c] * max), 0, max);
}

/* ---- side data --------------------------------------------------------------- */

static int floor_clip(double v, int max)
{
    return floor(av_clipd(v, 0, max));
}

/* corner (x, y) of the source, in pixels of the output */
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
                    double degrees, int w, int h)
{
    double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;

    for (int i = 0; i < 4; i++) {
        double x = b->x + (i & 1) * (double)b->w, y = b->y + (i >> 1) * (double)b->h;
        through(&x, &y, out, r, degrees, w, h);
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

static int move_boxes(AVFrame *out, const CropRect *r, double degrees, int w, int h)
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
        nb += move_box(b, out, r, degrees, w, h);
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

static int depends_on_size(enum AVFrameSideDataType type)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(59, 52, 100)
    const AVSideDataDescriptor *d = av_frame_side_data_desc(type);

    return d && (d->props & AV_SIDE_DATA_PROP_SIZE_DEPENDENT);
#else
    /* 7.1 does not say: the kinds that later versions mark */
    return type == AV_FRAME_DATA_PANSCAN || type == AV_FRAME_DATA_MOTION_VECTORS ||
           type == AV_FRAME_DATA_REGIONS_OF_INTEREST || type == AV_FRAME_DATA_SPHERICAL ||
           type == AV_FRAME_DATA_VIDEO_HINT || type == AV_FRAME_DATA_LCEVC ||
           type == AV_FRAME_DATA_DETECTION_BBOXES;
#endif
}

int ff_crop_side_data(AVFrame *out, const CropRect *r, double degrees, int w, int h,
                      uint64_t *told, void *log)
{
    for (int i = out->nb_side_data - 1; i >= 0; i--) {
        const enum AVFrameSideDataType type = out->side_data[i]->type;
        const uint64_t bit = 1ULL << (type & 63);

        if (type == AV_FRAME_DATA_DETECTION_BBOXES || !depends_on_size(type))
            continue;
        if (!(*told & bit))
            av_log(log, AV_LOG_VERBOSE, "side data '%s' does not fit the cropped picture and is removed\n",
                   av_frame_side_data_name(type));
        *told |= bit;
        av_frame_remove_side_data(out, type);
        i = FFMIN(i, out->nb_side_data);
    }
    if (av_frame_get_side_data(out, AV_FRAME_DATA_DETECTION_BBOXES))
        return move_boxes(out, r, degrees, w, h);
    return 0;
}
