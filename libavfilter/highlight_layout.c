/*
 * highlight: formats that can be drawn on
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
#include "libavutil/pixdesc.h"

#include "highlight_blur_px.h"
#include "highlight_tab.h"

static int is_alpha(const AVPixFmtDescriptor *d, int comp)
{
    return (d->flags & AV_PIX_FMT_FLAG_ALPHA) && comp == d->nb_components - 1;
}

int ff_highlight_components(int comp[4], const PxLayout *l, int p)
{
    int chroma = 0;

    for (int c = 0; c < 4; c++) {
        comp[c] = c < l->plane[p].nc ? l->plane[p].comp[c] : -1;
        if (comp[c] >= 0 && is_alpha(l->desc, comp[c]))
            comp[c] = -1;
        chroma |= comp[c] >= 0 && ff_px_is_chroma(l->desc, comp[c]);
    }
    return chroma;
}

int ff_highlight_layout(PxLayout *l, enum AVPixelFormat fmt)
{
    int ret = ff_px_layout(l, fmt);

    for (int p = 0; p < l->nb_planes && ret >= 0; p++) {
        int comp[4];
        const int chroma = ff_highlight_components(comp, l, p);
        for (int c = 0; c < 4; c++)
            if (comp[c] >= 0 && ff_px_is_chroma(l->desc, comp[c]) != chroma)
                ret = AVERROR(ENOSYS);
    }
    return ret;
}

int ff_highlight_radius(int luma, int log2)
{
    return FFMIN((luma + (1 << log2 >> 1)) >> log2, HL_BLUR_MAX);
}
