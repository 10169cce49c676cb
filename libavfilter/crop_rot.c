/*
 * Crop: rotation of a plane
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


#include "crop_render.h"

/* all taps inside: the sums of crop_px_sample() without its checks */
static av_always_inline int inside(const CropPxPlane *p, int x, int y, const int16_t *cx,
                                   const int16_t *cy, const int n)
{
    const int up = 16 - p->depth;
    int acc = 0;

    for (int j = 0; j < n; j++) {
        const uint8_t *row = (const uint8_t *)p->data + (y + j) * (ptrdiff_t)p->stride;
        int sum = 0;
        if (p->depth == 8) {
            for (int i = 0; i < n; i++)
                sum = crop_px_narrow_tap(sum, crop_px_narrow_in(row[(x + i) * p->step]), cx[i]);
            acc = crop_px_narrow_tap(acc, sum, cy[j]);
        } else {
            const uint16_t *row16 = (const uint16_t *)row;
            for (int i = 0; i < n; i++)
                sum = crop_px_wide_tap(sum, row16[(x + i) * p->step] >> p->shift, cx[i]);
            acc = crop_px_wide_tap(acc, crop_px_wide_mid(sum, up), cy[j]);
        }
    }
    return p->depth == 8 ? crop_px_narrow_out(acc)
                         : crop_px_wide_out(acc, up, (1 << p->depth) - 1);
}

static av_always_inline void rotate(const CropPxPlane *p, const CropPxRot *r, const int16_t *phase,
                                    uint8_t *dst, ptrdiff_t stride, int w, int y0, int y1,
                                    const int n)
{
    const int mask = (1 << CROP_ROT_BITS) - 1, down = 32 - CROP_ROT_BITS;

    for (int y = y0; y < y1; y++) {
        uint8_t *out = dst + y * stride;
        for (int x = 0; x < w; x++) {
            const int64_t u = (r->u0 + r->ux * x + r->uy * y) >> down;
            const int64_t v = (r->v0 + r->vx * x + r->vy * y) >> down;
            const int px = (int)(u >> CROP_ROT_BITS) - (n / 2 - 1);
            const int py = (int)(v >> CROP_ROT_BITS) - (n / 2 - 1);
            const int s  = px >= 0 && py >= 0 && px + n <= p->w && py + n <= p->h
                         ? inside(p, px, py, phase + (u & mask) * n, phase + (v & mask) * n, n)
                         : crop_px_rotated(p, r, x, y, phase, n);
            if (p->bytes == 1)
                out[x * p->step] = s;
            else
                ((uint16_t *)out)[x * p->step] = s << p->shift;
        }
    }
}

void ff_crop_rotate(const CropPxPlane *p, const CropPxRot *rot, const CropKernel *k,
                    uint8_t *dst, ptrdiff_t stride, int w, int y0, int y1)
{
    switch (k->support) {
    case 1:  rotate(p, rot, k->phase, dst, stride, w, y0, y1, 2); break;
    case 2:  rotate(p, rot, k->phase, dst, stride, w, y0, y1, 4); break;
    default: rotate(p, rot, k->phase, dst, stride, w, y0, y1, 6);
    }
}
