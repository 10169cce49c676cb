/*
 * highlight: a blurred plane
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

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "highlight_blur.h"

/* Rows: with n = ry + 1, box[y] = p[y] + ... + p[y + n - 1] and
 * tri[y] = box[y - n + 1] + ... + box[y], both kept up by adding what comes and
 * taking away what goes. */

static const uint8_t *row(const HighlightBlur *b, int y)
{
    return b->src + av_clip(y, 0, b->h - 1) * b->src_stride;
}

PX_HOT static void add8(uint32_t *restrict sum, const uint8_t *in, const uint8_t *out, int nb)
{
    for (int i = 0; i < nb; i++)
        sum[i] += in[i] - out[i];
}

PX_HOT static void add16(uint32_t *restrict sum, const uint16_t *in, const uint16_t *out, int nb, int shift)
{
    for (int i = 0; i < nb; i++)
        sum[i] += (in[i] >> shift) - (out[i] >> shift);
}

PX_HOT static void add32(uint32_t *restrict sum, const uint32_t *in, const uint32_t *out, int nb)
{
    for (int i = 0; i < nb; i++)
        sum[i] += in[i] - out[i];
}

static void slide(const HighlightBlur *b, uint32_t *box, int y, int n)
{
    const uint8_t *in = row(b, y + n - 1), *out = row(b, y - 1);

    if (b->bytes == 1)
        add8(box, in, out, b->w * b->nc);
    else
        add16(box, (const uint16_t *)in, (const uint16_t *)out, b->w * b->nc, b->shift);
}

/* box[y] from nothing */
static void first_box(const HighlightBlur *b, uint32_t *box, int y, int n)
{
    memset(box, 0, sizeof(*box) * b->w * b->nc);
    for (int k = 0; k < n; k++) {
        const uint8_t *in = row(b, y + k);
        for (int i = 0; i < b->w * b->nc; i++)
            box[i] += b->bytes == 1 ? in[i] : ((const uint16_t *)in)[i] >> b->shift;
    }
}

/* ---- columns: boxes by doubling ------------------------------------------------------ */

PX_HOT static void widen(uint32_t *restrict out, const uint32_t *in, int nb, int by)
{
    for (int i = 0; i < nb; i++)
        out[i] = in[i] + in[i + by];
}

PX_HOT static void add_to(uint32_t *restrict sum, const uint32_t *in, int nb)
{
    for (int i = 0; i < nb; i++)
        sum[i] += in[i];
}

/* out[i] = in[i] + in[i + st] + ... of n terms; in holds nb + (n - 1) * st, and is lost */
static void box_row(uint32_t *out, uint32_t *in, uint32_t *tmp, int nb, int n, int st)
{
    int have = 0, len = nb + (n - 1) * st;

    /* in: sums of `size` terms; out: sums of the first `have` terms of what is wanted */
    for (int size = 1;; size *= 2) {
        if (n & size) {
            if (have)
                add_to(out, in + have * st, nb);
            else
                memcpy(out, in, nb * sizeof(*out));
            have += size;
        }
        if (have == n)
            return;
        len -= size * st;
        widen(tmp, in, len, size * st);
        FFSWAP(uint32_t *, in, tmp);
    }
}

PX_HOT static void means(uint32_t *restrict out, const uint32_t *sum, int nb, unsigned factor, int up)
{
    for (int i = 0; i < nb; i++)
        out[i] = hl_px_blur_part(sum[i], factor, up);
}

PX_HOT static void store8(uint8_t *restrict dst, const uint32_t *sum, int nb, unsigned factor)
{
    for (int i = 0; i < nb; i++)
        dst[i] = hl_px_blur_out(hl_px_blur_part(sum[i], factor, 0), 8, 255);
}

PX_HOT static void store16(uint16_t *restrict dst, const uint32_t *sum, int nb, unsigned factor, int up, int max)
{
    for (int i = 0; i < nb; i++)
        dst[i] = hl_px_blur_out(hl_px_blur_part(sum[i], factor, 0), up, max);
}

/* mid: room for rx pixels on either side */
static void columns(const HighlightBlur *b, uint32_t *mid, uint32_t *a, uint32_t *tmp, uint8_t *dst)
{
    const int n = b->rx + 1, nb = b->w * b->nc, pad = b->rx * b->nc, up = 16 - b->depth;

    for (int i = 0; i < pad; i++) {
        mid[i]            = mid[pad + i % b->nc];
        mid[pad + nb + i] = mid[pad + nb - b->nc + i % b->nc];
    }
    box_row(a, mid, tmp, nb + pad, n, b->nc);
    box_row(mid, a, tmp, nb, n, b->nc);
    if (b->bytes == 1)
        store8(dst, mid, nb, hl_px_blur_factor(n));
    else
        store16((uint16_t *)dst, mid, nb, hl_px_blur_factor(n), up, (1 << b->depth) - 1);
}

/* ---- a strip --------------------------------------------------------------------------- */

int ff_highlight_blur(const HighlightBlur *b, HighlightBlurScratch *s, int y0, int y1)
{
    const int n = b->ry + 1;
    const size_t nb = b->w * b->nc, line = FFALIGN(nb + 2 * b->rx * b->nc, 16);
    const unsigned factor = hl_px_blur_factor(n);
    uint32_t *ring, *tri, *mid, *a, *tmp, *box;

    av_fast_malloc(&s->mem, &s->size, line * (n + 5) * sizeof(*s->mem));
    if (!s->mem)
        return AVERROR(ENOMEM);
    tri  = s->mem;
    mid  = tri + line;
    a    = mid + line;
    tmp  = a + line;
    box  = tmp + line;
    ring = box + line;
    /* the boxes [y0 - n, y0 - 1] and their sum: the triangle of y0 - 1 */
    memset(tri, 0, nb * sizeof(*tri));
    first_box(b, box, y0 - n, n);
    for (int y = y0 - n; y < y0; y++) {
        if (y > y0 - n)
            slide(b, box, y, n);
        memcpy(ring + (y - y0 + n) * line, box, nb * sizeof(*box));
        add_to(tri, box, nb);
    }
    for (int y = y0; y < y1; y++) {
        uint32_t *old = ring + (y - y0) % n * line;
        slide(b, box, y, n);
        add32(tri, box, old, nb);
        memcpy(old, box, nb * sizeof(*box));
        means(mid + b->rx * b->nc, tri, nb, factor, 16 - b->depth);
        columns(b, mid, a, tmp, b->dst + y * b->dst_stride);
    }
    return 0;
}

void ff_highlight_blur_free(HighlightBlurScratch *s)
{
    av_freep(&s->mem);
    s->size = 0;
}
