/*
 * Geometry of a crop: from a rectangle to sample coordinates
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

#include "libavutil/avutil.h"
#include "libavutil/common.h"
#include "libavutil/mathematics.h"
#include "libavutil/pixfmt.h"

#include "crop_geom.h"

static void resize(CropRect *r, double w, double h)
{
    r->x += (r->w - w) / 2;
    r->y += (r->h - h) / 2;
    r->w  = w;
    r->h  = h;
}

void ff_crop_rect_lock(CropRect *r, double aspect)
{
    if (!(aspect > 0))
        return;
    if (r->w > r->h * aspect)
        resize(r, r->h * aspect, r->h);
    else
        resize(r, r->w, r->w / aspect);
}

static void at_least_a_pixel(CropRect *r)
{
    if (r->w < 1 || r->h < 1)
        resize(r, FFMAX(r->w, 1), FFMAX(r->h, 1));
}

/* no larger than w x h, in shape as far as a pixel either way leaves room */
static void shrink(CropRect *r, double w, double h)
{
    const double k = FFMIN3(1, w / r->w, h / r->h);

    if (k < 1)
        resize(r, FFMIN(r->w * k, w), FFMIN(r->h * k, h));
    at_least_a_pixel(r);
}

static void shift_inside(CropRect *r, int w, int h)
{
    shrink(r, w, h);
    r->x = av_clipd(r->x, 0, w - r->w);
    r->y = av_clipd(r->y, 0, h - r->h);
}

/* [*pos, *pos + *size) within [0, limit), at least one pixel of it */
static void cut(double *pos, double *size, int limit)
{
    const double a = av_clipd(*pos, 0, limit - 1);
    const double b = av_clipd(*pos + *size, a + 1, limit);

    *pos  = a;
    *size = b - a;
}

void ff_crop_rect_fit(CropRect *r, enum CropEdge edge, double aspect, int w, int h)
{
    /* also what a curve overshot to */
    at_least_a_pixel(r);
    shrink(r, CROP_OVERSIZE * (double)w, CROP_OVERSIZE * (double)h);
    if (edge == CROP_EDGE_SHIFT)
        shift_inside(r, w, h);
    if (edge == CROP_EDGE_CLAMP) {
        cut(&r->x, &r->w, w);
        cut(&r->y, &r->h, h);
        ff_crop_rect_lock(r, aspect);
        /* back to at most what was cut out, so still inside */
        at_least_a_pixel(r);
    }
}

CropRect ff_crop_rect_centred(double aspect, int w, int h)
{
    CropRect r = { 0, 0, w, h };

    ff_crop_rect_lock(&r, aspect);
    return r;
}

CropGrid ff_crop_chroma_grid(int log2_x, int log2_y, int loc)
{
    const double mid_x = (1 << log2_x) / 2., mid_y = (1 << log2_y) / 2.;
    CropGrid g = { log2_x, log2_y, 0.5, mid_y };

    if (loc == AVCHROMA_LOC_CENTER || loc == AVCHROMA_LOC_TOP || loc == AVCHROMA_LOC_BOTTOM)
        g.off_x = mid_x;
    if (loc == AVCHROMA_LOC_TOPLEFT || loc == AVCHROMA_LOC_TOP)
        g.off_y = 0.5;
    if (loc == AVCHROMA_LOC_BOTTOMLEFT || loc == AVCHROMA_LOC_BOTTOM)
        g.off_y = (1 << log2_y) - 0.5;
    return g;
}

CropMap ff_crop_map(double pos, double size, int out, int log2, double off)
{
    const double step = size / out;

    return (CropMap){ (pos + off * (step - 1)) / (1 << log2), step };
}

CropPxRot ff_crop_rotation(const CropGrid *g, double degrees, int w, int h, double x, double y)
{
    const double one = 4294967296.0, half = one / (2 << CROP_ROT_BITS);
    const double a = degrees * M_PI / 180, c = cos(a), s = sin(a);
    const double sx = 1 << g->log2_x, sy = 1 << g->log2_y;
    const double dx = x * sx + g->off_x - w / 2., dy = y * sy + g->off_y - h / 2.;
    const double u = (dx * c - dy * s + w / 2. - g->off_x) / sx;
    const double v = (dx * s + dy * c + h / 2. - g->off_y) / sy;

    return (CropPxRot){
        .u0 = llrint(u * one + half),    .v0 = llrint(v * one + half),
        .ux = llrint(c * one),           .vx = llrint(s * sx / sy * one),
        .uy = llrint(-s * sy / sx * one), .vy = llrint(c * one),
    };
}
