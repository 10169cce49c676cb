/*
 * highlight: the loops against the formulas, the formulas against geometry
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
#include <stdio.h>

#include "libavutil/mem.h"

#include "highlight_ref.h"
#include "tap.h"

/* ---- loops ------------------------------------------------------------------------- */

/* what ff_highlight_render() does, without a filter graph; strips: as slice threads do */
static void draw(AVFrame *out, const AVFrame *in, const HighlightScene *s, const HighlightTables *t, const PxLayout *l,
                 int strips)
{
    static HighlightRow state;
    HighlightBlurScratch scratch = { 0 };

    for (int p = 0; p < l->nb_planes; p++) {
        HighlightPlane h = {
            .src = in->data[p], .src_stride = in->linesize[p], .dst = out->data[p], .dst_stride = out->linesize[p],
            .nc = l->plane[p].nc, .bytes = l->bytes, .depth = l->depth, .shift = l->shift, .set = l->plane[p].chroma,
        };
        const int lx = h.set ? l->desc->log2_chroma_w : 0, ly = h.set ? l->desc->log2_chroma_h : 0;
        uint8_t *q;
        h.w    = AV_CEIL_RSHIFT(in->width, lx);
        h.h    = AV_CEIL_RSHIFT(in->height, ly);
        h.look = ff_highlight_components(h.comp, l, p);
        q      = av_malloc(h.w * h.nc * h.bytes * h.h);
        if (s->base == HL_BASE_BLUR) {
            HighlightBlur b = {
                .src = h.src, .src_stride = h.src_stride, .dst = q, .dst_stride = h.w * h.nc * h.bytes, .w = h.w, .h = h.h,
                .nc = h.nc, .bytes = h.bytes, .depth = h.depth, .shift = h.shift,
                .rx = ff_highlight_radius(s->blur, lx), .ry = ff_highlight_radius(s->blur, ly),
            };
            h.q = q;
            h.q_stride = b.dst_stride;
            for (int i = 0; i < strips; i++)
                ff_highlight_blur(&b, &scratch, h.h * i / strips, h.h * (i + 1) / strips);
        }
        for (int i = 0; i < strips; i++) {
            ff_highlight_row_reset(&state);
            for (int y = h.h * i / strips; y < h.h * (i + 1) / strips; y++)
                ff_highlight_row(&h, &t->frame, t->mem, &state, y, h.q ? h.q + y * h.q_stride : NULL);
        }
        av_free(q);
    }
    ff_highlight_blur_free(&scratch);
}

static void test_loops(enum AVPixelFormat fmt)
{
    static const int size[][2] = { { 97, 75 }, { 1, 1 }, { 2, 3 }, { 320, 40 }, { 31, 131 }, { 200, 120 } };
    HighlightTables t = { 0 };
    PxLayout l;
    int differ = 0, nb = 0;

    if (!tap_ok(!ff_highlight_layout(&l, fmt), "%s is known", av_get_pix_fmt_name(fmt)))
        return;
    for (int i = 0; i < 120; i++) {
        const int w = size[i % 6][0], h = size[i % 6][1];
        HighlightScene s = hl_scene(w, h);
        AVFrame *in = hl_frame(fmt, w, h, hl_rnd() % 5), *want, *out, *place;
        in->colorspace      = hl_rnd() & 1 ? AVCOL_SPC_BT709 : AVCOL_SPC_UNSPECIFIED;
        in->color_range     = hl_rnd() & 1 ? AVCOL_RANGE_JPEG : AVCOL_RANGE_UNSPECIFIED;
        in->chroma_location = hl_rnd() % 7;
        if (s.base == HL_BASE_DESATURATE && l.desc->flags & AV_PIX_FMT_FLAG_RGB)
            s.base = HL_BASE_BLUR;          // needs all planes at once: tests/highlight_graph.c
        want  = hl_copy(in);
        out   = hl_copy(in);
        place = hl_copy(in);
        ff_highlight_tables(&t, &s, i & 1, &l, in);
        hl_reference(want, in, &s, &t, &l);
        draw(out, in, &s, &t, &l, 1 + i % 3);
        draw(place, place, &s, &t, &l, 1);
        nb++;
        differ += !hl_same(want, out) || (s.base != HL_BASE_BLUR && !hl_same(want, place));
        if (differ == 1 && !hl_same(want, out))
            printf("# %s %dx%d case %d base %d draws %d old %d\n", l.desc->name, w, h, i, s.base, s.nb, s.draw[0].old);
        av_frame_free(&in);
        av_frame_free(&want);
        av_frame_free(&out);
        av_frame_free(&place);
    }
    tap_ok(!differ, "%s: %d scenes as the formulas say, nothing else written (%d differ)", l.desc->name, nb, differ);
    ff_highlight_tables_free(&t);
}

/* ---- geometry ------------------------------------------------------------------------- */

/* signed distance to an ellipse at the origin: the nearest of many points, refined */
static double true_distance(double x, double y, double a, double b)
{
    double best = 1e9, at = 0;

    for (int pass = 0; pass < 4; pass++) {
        const double step = 2 * M_PI / 400 / pow(100, pass), from = at;
        for (int i = -200; i <= 200; i++) {
            const double u = from + i * step, d = hypot(a * cos(u) - x, b * sin(u) - y);
            if (d < best) {
                best = d;
                at   = u;
            }
        }
    }
    return x * x / (a * a) + y * y / (b * b) < 1 ? -best : best;
}

static void test_distance(void)
{
    static const double shape[][2] = { { 65, 130 }, { 130, 65 }, { 40, 40 }, { 6, 6 }, { 3, 5 }, { 120, 18 }, { 400, 900 }, { 1.5, 2 } };
    PxLayout l;

    ff_highlight_layout(&l, AV_PIX_FMT_GRAY16);
    for (int i = 0; i < FF_ARRAY_ELEMS(shape); i++) {
        const double a = shape[i][0], b = shape[i][1], cx = a + 12.3, cy = b + 9.8;
        const int w = 2 * a + 26, h = 2 * b + 26;
        HighlightScene s = { .base = HL_BASE_DIM, .strength = 1, .nb = 1, .blur = 1,
                             .draw = { { .x = cx, .y = cy, .rx = a, .ry = b, .hole = 1, .feather = 8 } } };
        AVFrame f = { .format = AV_PIX_FMT_GRAY16, .width = w, .height = h };
        HighlightTables t = { 0 };
        const HlPxDraw *d;
        double worst = 0, sum = 0;
        int nb = 0;
        ff_highlight_tables(&t, &s, 0, &l, &f);
        d = (const HlPxDraw *)(t.mem + t.frame.draws);
        for (int y = 0; y < h; y += a > 200 ? 7 : 1)
            for (int x = 0; x < w; x += a > 200 ? 5 : 1) {
                const int k = hl_px_at(t.mem, &t.frame, d, 0, x, y);
                const double want = true_distance(x + 0.5 - cx, y + 0.5 - cy, a, b);
                const double got = (d->lo + (k + 0.5) * (1 << d->shift)) / (1 << HL_D_BITS);
                if (fabs(want) > 2 || fabs(want) > 0.8 * FFMIN(a, b))
                    continue;
                worst = fmax(worst, fabs(got - want));
                sum  += fabs(got - want);
                nb++;
            }
        /* first order: off by d^2 times the curvature */
        tap_ok(nb > 5 && worst < (FFMIN(a, b) < 10 || FFMAX(a, b) / FFMIN(a, b) > 4 ? 0.5 : 0.1),
               "ellipse %gx%g: distances within 2 px of the rim are off by %.3f px at worst, %.4f on average, of %d",
               a, b, worst, sum / nb, nb);
        ff_highlight_tables_free(&t);
    }
}

/* a soft edge falls from the middle on and meets its profile on the axes, however wide it is for the ellipse */
static void test_wide_edges(void)
{
    static const double shape[][3] = {
        { 66, 130, 400 }, { 132, 260, 800 }, { 30, 60, 400 }, { 20, 40, 80 }, { 5, 10, 80 }, { 2, 2, 80 }, { 300, 12, 100 },
        { 1e6, 60, 40 }, { 1e6, 1e6, 400 },
    };
    PxLayout l;

    ff_highlight_layout(&l, AV_PIX_FMT_GRAY16);
    for (int i = 0; i < FF_ARRAY_ELEMS(shape); i++) {
        const double a = shape[i][0], b = shape[i][1], feather = shape[i][2];
        const HighlightScene s = { .base = HL_BASE_DIM, .strength = 1, .nb = 1, .blur = 1,
                                   .draw = { { .x = 0.5, .y = 0.5, .rx = a, .ry = b, .hole = 1, .feather = feather } } };
        AVFrame f = { .format = AV_PIX_FMT_GRAY16, .width = 1200, .height = 1200 };
        HighlightTables t = { 0 };
        const HlPxDraw *d;
        double worst = 0;
        int rise = 0;
        ff_highlight_tables(&t, &s, 0, &l, &f);
        d = (const HlPxDraw *)(t.mem + t.frame.draws);
        for (int down = 0; down < 2; down++)
            for (int x = 0, least = HL_ONE; x < 1200; x++) {
                const int k = hl_px_at(t.mem, &t.frame, d, 0, down ? 0 : x, down ? x : 0);
                const int hole = hl_px_weights(t.mem, d, 0, k).hole;
                const double dist = x - (down ? b : a), u = av_clipd(0.5 - dist / feather, 0, 1);
                rise  = FFMAX(rise, hole - least);
                least = FFMIN(least, hole);
                if (dist >= 0 && a <= 24 * b)
                    worst = fmax(worst, fabs(hole / (double)HL_ONE - u * u * (3 - 2 * u)));
            }
        tap_ok(rise < HL_ONE / 100 && worst < 0.02,
               "ellipse %gx%g, feather %g: falls all the way (but for %d/%d), outside off by %.4f at worst",
               a, b, feather, rise, HL_ONE, worst);
        ff_highlight_tables_free(&t);
    }
}

/* darkness of a white picture under full dim: weight of the hole, its middle and its size */
static void moments(const HighlightScene *s, enum AVPixelFormat fmt, int plane, int w, int h, int loc, double m[3])
{
    HighlightTables t = { 0 };
    PxLayout l;
    AVFrame *in = hl_frame(fmt, w, h, 2), *out;
    int pw, ph;

    ff_highlight_layout(&l, fmt);
    in->chroma_location = loc;
    in->color_range     = AVCOL_RANGE_JPEG;
    out = hl_copy(in);
    pw  = plane ? AV_CEIL_RSHIFT(w, l.desc->log2_chroma_w) : w;
    ph  = plane ? AV_CEIL_RSHIFT(h, l.desc->log2_chroma_h) : h;
    ff_highlight_tables(&t, s, 0, &l, in);
    draw(out, in, s, &t, &l, 1);
    m[0] = m[1] = m[2] = 0;
    for (int y = 0; y < ph; y++)
        for (int x = 0; x < pw; x++) {
            const double zero = plane ? 1 << (l.depth - 1) : 0;
            const double v = (hl_get(out, &l, plane, x, y) - zero) / ((1 << l.depth) - 1 - zero);
            m[0] += v;
            m[1] += v * x;
            m[2] += v * y;
        }
    m[1] /= m[0];
    m[2] /= m[0];
    av_frame_free(&in);
    av_frame_free(&out);
    ff_highlight_tables_free(&t);
}

static void test_moments(void)
{
    double worst = 0, area = 0, m[3];

    for (int i = 0; i < 40; i++) {
        const double x = 60 + i * 0.13, y = 50 + i * 0.07;
        const HighlightScene s = { .base = HL_BASE_DIM, .strength = 1, .nb = 1, .blur = 1,
                                   .draw = { { .x = x, .y = y, .rx = 30.3, .ry = 20.6, .hole = 1, .feather = 1.5 } } };
        moments(&s, AV_PIX_FMT_GRAY16, 0, 140, 110, 0, m);
        worst = fmax(worst, fmax(fabs(m[1] + 0.5 - x), fabs(m[2] + 0.5 - y)));
        area  = fmax(area, fabs(m[0] / (M_PI * 30.3 * 20.6) - 1));
    }
    tap_ok(worst < 0.01, "an ellipse lies where it should, moved in steps of 0.13 px: %.4f px off at worst", worst);
    tap_ok(area < 0.005, "and has its area: %.3f %% off at worst", area * 100);
}

static void test_siting(void)
{
    static const double off[][2] = { { 0.5, 1 }, { 0.5, 1 }, { 1, 1 }, { 0.5, 0.5 }, { 1, 0.5 }, { 0.5, 1.5 }, { 1, 1.5 } };
    const HighlightScene s = { .base = HL_BASE_DIM, .strength = 1, .nb = 1, .blur = 1,
                               .draw = { { .x = 61.3, .y = 52.9, .rx = 31, .ry = 23, .hole = 1, .feather = 6 } } };
    double worst = 0, m[3];

    for (int loc = 0; loc < 7; loc++) {
        moments(&s, AV_PIX_FMT_YUV420P16, 1, 130, 110, loc, m);
        worst = fmax(worst, fmax(fabs(m[1] * 2 + off[loc][0] - 61.3), fabs(m[2] * 2 + off[loc][1] - 52.9)));
    }
    tap_ok(worst < 0.02, "chroma: the ellipse is at the same place as on luma, seven sitings: %.4f luma pixels off at worst", worst);
}

/* ---- what must not happen ---------------------------------------------------------------- */

static void test_union(void)
{
    HighlightScene s = { .base = HL_BASE_DIM, .strength = 0.5, .nb = 2, .blur = 1, .draw = {
        { .x = 40, .y = 40, .rx = 20, .ry = 25, .hole = 1, .feather = 10 },
        { .x = 60, .y = 45, .rx = 22, .ry = 15, .hole = 1, .feather = 10 } } };
    HighlightScene one[2] = { s, s };
    HighlightTables t = { 0 };
    AVFrame *in = hl_frame(AV_PIX_FMT_GRAY8, 100, 80, 2), *both = hl_copy(in), *alone[2] = { hl_copy(in), hl_copy(in) };
    PxLayout l;
    int darker = 0, lighter = 0, dark = 255;

    ff_highlight_layout(&l, AV_PIX_FMT_GRAY8);
    one[0].nb = one[1].nb = 1;
    one[1].draw[0] = s.draw[1];
    ff_highlight_tables(&t, &s, 0, &l, in);
    draw(both, in, &s, &t, &l, 1);
    for (int i = 0; i < 2; i++) {
        ff_highlight_tables(&t, &one[i], 0, &l, in);
        draw(alone[i], in, &one[i], &t, &l, 1);
    }
    for (int y = 0; y < 80; y++)
        for (int x = 0; x < 100; x++) {
            const int v = hl_get(both, &l, 0, x, y), want = FFMAX(hl_get(alone[0], &l, 0, x, y), hl_get(alone[1], &l, 0, x, y));
            darker  += v < want;
            lighter += v > want;
            dark = FFMIN(dark, v);
        }
    tap_ok(!darker && !lighter && dark == 128, "two regions: the lighter of the two everywhere (%d darker, %d lighter, darkest %d)", darker, lighter, dark);
    ff_highlight_tables_free(&t);
    av_frame_free(&in);
    av_frame_free(&both);
    av_frame_free(&alone[0]);
    av_frame_free(&alone[1]);
}

static void test_inside(void)
{
    static const enum AVPixelFormat fmt[] = { AV_PIX_FMT_YUV420P, AV_PIX_FMT_P010, AV_PIX_FMT_GBRP, AV_PIX_FMT_YUV444P16 };
    int changed = 0, wrong = 0;

    for (int i = 0; i < 16; i++) {
        const HighlightScene s = { .base = i & 1 ? HL_BASE_BLUR : HL_BASE_DIM, .strength = 0.7, .nb = 1, .blur = 5,
                                   .draw = { { .x = 50, .y = 40, .rx = 30, .ry = 25, .hole = 1, .feather = 6 } } };
        HighlightTables t = { 0 };
        AVFrame *in = hl_frame(fmt[i % 4], 100, 80, 0), *out = hl_copy(in);
        PxLayout l;
        ff_highlight_layout(&l, fmt[i % 4]);
        ff_highlight_tables(&t, &s, i / 4 & 1, &l, in);
        draw(out, in, &s, &t, &l, 1);
        for (int p = 0; p < l.nb_planes; p++) {
            const int sub = l.plane[p].chroma, nc = l.plane[p].nc;
            for (int y = 0; y < 80 >> sub; y++)
                for (int x = 0; x < (100 >> sub) * nc; x++) {
                    const double u = ((x / nc + 0.5) * (1 << sub) - 50) / 25, v = ((y + 0.5) * (1 << sub) - 40) / 20;
                    const int a = hl_get(in, &l, p, x, y), b = hl_get(out, &l, p, x, y), mid = 1 << (l.depth - 1);
                    changed += u * u + v * v < 0.9 && a != b;
                    /* far outside: 16 + (Y - 16) 0.3, 128 + (C - 128) 0.3 */
                    if (s.base == HL_BASE_DIM && u * u + v * v > 2.5) {
                        const double zero = l.desc->flags & AV_PIX_FMT_FLAG_RGB ? 0 : p ? mid : 16 << (l.depth - 8);
                        const double want = av_clipd(zero + (a - zero) * 0.3, 0, (1 << l.depth) - 1);
                        wrong += fabs(b - want) > 0.5 + (1 << (l.depth - 8)) * (i / 4 & 1 ? 1 : 0.05) + (i / 4 & 1);
                    }
                }
        }
        ff_highlight_tables_free(&t);
        av_frame_free(&in);
        av_frame_free(&out);
    }
    tap_ok(!changed, "nothing changes deep inside (%d samples did)", changed);
    tap_ok(!wrong, "outside is dimmed about black and neutral chroma (%d samples are off)", wrong);
}

/* a triangle in each direction, in double */
static double blurred(const AVFrame *f, const PxLayout *l, int r, int x, int y)
{
    double sum = 0;

    for (int j = -r; j <= r; j++)
        for (int i = -r; i <= r; i++)
            sum += (r + 1 - abs(i)) * (r + 1 - abs(j)) * (double)hl_get(f, l, 0, av_clip(x + i, 0, f->width - 1), av_clip(y + j, 0, f->height - 1));
    return sum / ((r + 1) * (r + 1)) / ((r + 1) * (r + 1));
}

static void test_blur(void)
{
    static const enum AVPixelFormat fmt[] = { AV_PIX_FMT_GRAY8, AV_PIX_FMT_GRAY10, AV_PIX_FMT_GRAY16 };

    for (int k = 0; k < 3; k++) {
        HighlightBlurScratch scratch = { 0 };
        double worst = 0, bias = 0;
        int flat = 1, nb = 0;
        PxLayout l;
        ff_px_layout(&l, fmt[k]);
        for (int r = 0; r <= HL_BLUR_MAX; r = r ? 2 * r + 1 : 1) {
            AVFrame *in = hl_frame(fmt[k], 70, 50, 0), *out = hl_frame(fmt[k], 70, 50, 1);
            const HighlightBlur b = { in->data[0], out->data[0], in->linesize[0], out->linesize[0], 70, 50, 1, l.bytes, l.depth, 0, r, r };
            ff_highlight_blur(&b, &scratch, 0, 50);
            for (int y = 0; y < 50; y += 7)
                for (int x = 0; x < 70; x += 9) {
                    const double d = hl_get(out, &l, 0, x, y) - blurred(in, &l, r, x, y);
                    worst = fmax(worst, fabs(d));
                    bias += d;
                    nb++;
                }
            for (int v = 0; v < 1 << l.depth; v += 1 + (1 << l.depth) / 97) {
                for (int i = 0; i < 3500; i++)
                    hl_set(in, &l, 0, i % 70, i / 70, v);
                ff_highlight_blur(&b, &scratch, 0, 50);
                flat &= hl_get(out, &l, 0, 0, 0) == v && hl_get(out, &l, 0, 35, 25) == v && hl_get(out, &l, 0, 69, 49) == v;
            }
            av_frame_free(&in);
            av_frame_free(&out);
        }
        tap_ok(worst < (l.depth < 16 ? 0.52 : 1.01) && fabs(bias / nb) < 0.06, "blur, %d bits: %.2f codes from double precision at worst, %.3f on average", l.depth, worst, bias / nb);
        tap_ok(flat, "blur, %d bits: a flat picture stays flat", l.depth);
        ff_highlight_blur_free(&scratch);
    }
}

static void test_dither(void)
{
    const HighlightScene s = { .base = HL_BASE_DIM, .strength = 0.37, .blur = 1 };
    HighlightTables t = { 0 };
    PxLayout l;
    double worst = 0, plain = 0;

    ff_highlight_layout(&l, AV_PIX_FMT_GRAY8);
    for (int v = 0; v < 256; v++) {
        double mean[2];
        for (int on = 0; on < 2; on++) {
            AVFrame *in = hl_frame(AV_PIX_FMT_GRAY8, 64, 64, 1);
            for (int i = 0; i < 4096; i++)
                hl_set(in, &l, 0, i & 63, i >> 6, v);
            ff_highlight_tables(&t, &s, on, &l, in);
            draw(in, in, &s, &t, &l, 1);
            mean[on] = 0;
            for (int i = 0; i < 4096; i++)
                mean[on] += hl_get(in, &l, 0, i & 63, i >> 6) / 4096.;
            av_frame_free(&in);
        }
        plain = fmax(plain, fabs(mean[0] - v * 0.63));
        worst = fmax(worst, fabs(mean[1] - v * 0.63));
    }
    tap_ok(worst < 0.08 && plain > 0.4, "dither keeps the mean: %.3f codes off at worst, %.3f without", worst, plain);
    ff_highlight_tables_free(&t);
}

static void test_extremes(void)
{
    static const double at[][4] = { { 1e6, 1e6, 5, 5 }, { -1e6, 3, 1e6, 1e6 }, { 50, 40, 1e6, 1e6 }, { 50, 40, 0, 0 }, { 50, 40, 1e6, 0 },
                                    { 50, 40, 0, 1e6 }, { 50, 40, 2000, 1 }, { 99.99, 79.99, 0.2, 0.1 }, { -5, 40, 4, 4 }, { 50, 40, 60000, 60000 } };
    PxLayout l;
    int bad = 0;

    ff_highlight_layout(&l, AV_PIX_FMT_YUV420P);
    for (int i = 0; i < 3 * FF_ARRAY_ELEMS(at); i++) {
        const double *e = at[i / 3];
        const HighlightScene s = { .base = HL_BASE_DIM, .strength = 0.5, .nb = 1, .blur = 1, .draw = { {
            .x = e[0], .y = e[1], .rx = e[2], .ry = e[3], .hole = 1, .feather = i % 3 == 0 ? 0 : i % 3 == 1 ? 3 : 400, .stroke = 1,
            .width = 3, .outline = 0.5, .outline_width = 5, .color = 0xff0000 } } };
        HighlightTables t = { 0 };
        AVFrame *in = hl_frame(AV_PIX_FMT_YUV420P, 100, 80, 0), *want = hl_copy(in), *out = hl_copy(in);
        if (ff_highlight_tables(&t, &s, 0, &l, in) >= 0) {
            hl_reference(want, in, &s, &t, &l);
            draw(out, in, &s, &t, &l, 1);
            bad += !hl_same(want, out);
            /* a picture wholly inside of one far larger is not dimmed in its middle */
            if (i / 3 == 2 && i % 3 == 1)
                bad += hl_get(out, &l, 0, 50, 40) != hl_get(in, &l, 0, 50, 40);
            /* one that is elsewhere dims all */
            if (i / 3 == 0)
                bad += hl_get(out, &l, 0, 50, 40) != (hl_get(in, &l, 0, 50, 40) + 17) / 2;
        } else
            bad++;
        ff_highlight_tables_free(&t);
        av_frame_free(&in);
        av_frame_free(&want);
        av_frame_free(&out);
    }
    tap_ok(!bad, "far away, huge, a dot, a line, at the corner (%d wrong)", bad);
}

int main(void)
{
    for (int i = 0; i < FF_ARRAY_ELEMS(hl_formats); i++)
        test_loops(hl_formats[i]);
    test_distance();
    test_wide_edges();
    test_moments();
    test_siting();
    test_union();
    test_inside();
    test_blur();
    test_dither();
    test_extremes();
    return tap_done();
}
