/*
 * Pixel formats of the exact filters: planes, colour, siting, side data
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
#include "libavutil/error.h"
#include "libavutil/rational.h"
#include "libavutil/version.h"

#include "config.h"
#include "px_format.h"

#define REFUSED (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_PAL | \
                 AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_XYZ)

int ff_px_is_chroma(const AVPixFmtDescriptor *d, int comp)
{
    return (comp == 1 || comp == 2) && d->nb_components >= 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB);
}

/* component c into its plane; 0 if it does not fit what the loops can do */
static int place(PxLayout *l, int c)
{
    const AVComponentDescriptor *cd = &l->desc->comp[c];
    PxLayoutPlane *p = &l->plane[cd->plane];
    const int nc = cd->step / l->bytes, at = cd->offset / l->bytes;
    const int chroma = ff_px_is_chroma(l->desc, c) && (l->desc->log2_chroma_w || l->desc->log2_chroma_h);

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

int ff_px_layout(PxLayout *l, enum AVPixelFormat fmt)
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

const AVLumaCoefficients *ff_px_coefficients(const AVFrame *f)
{
    /* the entry of RGB has weights that are none */
    const AVLumaCoefficients *k = f->colorspace == AVCOL_SPC_RGB ? NULL : av_csp_luma_coeffs_from_avcsp(f->colorspace);

    return k ? k : av_csp_luma_coeffs_from_avcsp(AVCOL_SPC_SMPTE170M);
}

static int is_yuvj(const AVPixFmtDescriptor *d)
{
    return !strncmp(d->name, "yuvj", 4);
}

int ff_px_is_full(const AVPixFmtDescriptor *d, const AVFrame *f)
{
    if (is_yuvj(d) || f->color_range != AVCOL_RANGE_UNSPECIFIED)
        return is_yuvj(d) || f->color_range == AVCOL_RANGE_JPEG;
    return d->nb_components < 3 || (d->flags & AV_PIX_FMT_FLAG_RGB);
}

enum AVChromaLocation ff_px_location(const AVPixFmtDescriptor *d, const AVFrame *f)
{
    if (f->chroma_location != AVCHROMA_LOC_UNSPECIFIED)
        return f->chroma_location;
    return is_yuvj(d) ? AVCHROMA_LOC_CENTER : AVCHROMA_LOC_LEFT;
}

void ff_px_colour(uint16_t out[4], const uint8_t rgba[4], const PxLayout *l,
                    const AVFrame *frame)
{
    const AVPixFmtDescriptor *d = l->desc;
    const double max = (1 << l->depth) - 1, unit = 1 << (l->depth - 8);
    const double r = rgba[0] / 255., g = rgba[1] / 255., b = rgba[2] / 255.;
    const int full = ff_px_is_full(d, frame), gray = d->nb_components < 3;
    double v[4] = { r, g, b, rgba[3] / 255. };

    if (!(d->flags & AV_PIX_FMT_FLAG_RGB)) {
        const AVLumaCoefficients *k = ff_px_coefficients(frame);
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

int ff_px_size_dependent(enum AVFrameSideDataType type)
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
