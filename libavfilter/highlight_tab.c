/*
 * highlight: from a scene to the tables of its pixels
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
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "crop_geom.h"
#include "highlight_cv.h"
#include "highlight_tab.h"

#define STEPS     (1 << HL_TAB_BITS)
#define MIN_RADIUS 0.5          ///< pixels; less cannot be seen
#define MAX_RATIO 24.           ///< of the axes, for which distances are right
#define FAR       1e9           ///< pixels: further than the greatest radius from any picture, and an int

/** What the tables of one ellipse are made from. */
typedef struct Profile {
    double rmin, rmax;
    double lo, hi;              ///< distances between which the weights change
    double fine;                ///< steps of distance per luma pixel: 1 << HL_D_BITS, or less where t would not fit
    double f_hi;                ///< f at the outer end
    double unit;                ///< steps of f per 1
    double wx, wy;
} Profile;

/** One of the two sizes of plane. */
typedef struct Plane {
    CropGrid grid;
    int w, h;
    double aa;                  ///< luma pixels that one sample stands for
} Plane;

static void *at(HighlightTables *t, size_t offset)
{
    return t->mem + offset;
}

/* @return the offset of size new bytes, or a negative error; moves mem */
static int reserve(HighlightTables *t, size_t size)
{
    const size_t offset = t->used, end = FFALIGN(offset + size, 16);
    uint8_t *mem;

    if (end > INT_MAX / 2)
        return AVERROR(ENOMEM);
    if (end > t->allocated) {
        const unsigned more = end + end / 2 + 4096;
        if (!(mem = av_realloc(t->mem, more)))
            return AVERROR(ENOMEM);
        t->mem       = mem;
        t->allocated = more;
    }
    t->used = end;
    return offset;
}

/* ---- profiles ------------------------------------------------------------------ */

static double clip01(double v)
{
    return av_clipd(v, 0, 1);
}

/* 1 deep inside, 0 far outside */
static double inside(const HighlightDraw *d, double dist, double aa)
{
    const double width = FFMAX(d->feather, 1.5 * aa), u = clip01(0.5 - dist / width);

    return d->feather ? u * u * (3 - 2 * u) : dist <= 0;
}

/* share of a sample at dist that a line of that width about the rim covers */
static double line(const HighlightDraw *d, double width, double dist, double aa)
{
    const double half = width / 2;

    if (!d->feather)
        return fabs(dist) <= half;
    return clip01(0.5 + (half - dist) / aa) - clip01(0.5 - (half + dist) / aa);
}

static int weight(double v)
{
    return lrint(clip01(v) * HL_ONE);
}

static void set_weights(HlPxWeights *w, const HighlightDraw *d, double in, double stroke, double outline)
{
    const double s = d->stroke * stroke, o = d->outline * outline;

    w->hole = weight(d->hole * in);
    w->fill = weight(d->fill * in);
    w->main = weight(s);
    w->dark = FFMIN(weight((1 - s) * o), HL_ONE - w->main);
}

static int add_profile(HighlightTables *t, HlPxDraw *p, const HighlightDraw *d, const Profile *profile,
                       const Plane *plane, int set)
{
    HlPxWeights *w;
    const int lut = reserve(t, sizeof(*w) * p->n);

    if (lut < 0)
        return lut;
    p->set[set].lut = lut;
    w = at(t, lut);
    for (int i = 0; i < p->n - 1; i++) {
        const double dist = (p->lo + (i + 0.5) * (1 << p->shift)) / profile->fine;
        set_weights(&w[i], d, inside(d, dist, plane->aa), line(d, d->width, dist, plane->aa),
                    line(d, d->outline_width, dist, plane->aa));
    }
    memset(&w[p->n - 1], 0, sizeof(*w));
    return 0;
}

/* of those that matter: at hi, and between lo and the rim, on the axis where they are largest */
static double greatest_t(const Profile *p)
{
    const double out = 1 + p->hi / p->rmin, in = FFMAX(1 + p->lo / p->rmin, 0.5);

    return p->rmax * FFMAX(out * (out - 1), in * (1 - in));
}

/* how far from the rim something changes, in the plane with the larger samples */
static void measure(Profile *p, const HighlightDraw *d, double aa)
{
    const double rx = FFMAX(d->rx, MIN_RADIUS), ry = FFMAX(d->ry, MIN_RADIUS);
    double reach = FFMAX(d->feather, 1.5 * aa) / 2;

    if (d->stroke > 0)
        reach = FFMAX(reach, (d->width + aa) / 2);
    if (d->outline > 0)
        reach = FFMAX(reach, (d->outline_width + aa) / 2);
    p->rmin = FFMIN(rx, ry);
    p->rmax = FFMIN(FFMAX(rx, ry), MAX_RATIO * p->rmin);  // only shares the bits between t and r
    p->hi   = reach;
    p->f_hi = (1 + p->hi / p->rmin) * (1 + p->hi / p->rmin);
    /* not into the first step of the tables, where 1 / sqrt(g) is no line */
    p->lo   = -FFMIN(reach, av_clipd(1 - sqrt(p->f_hi / STEPS), 0.1, 0.9) * p->rmin);
    p->fine = 1 << HL_D_BITS;
    while (greatest_t(p) * p->fine > HL_T_MAX)
        p->fine /= 2;
    p->unit = HL_F_ONE / p->f_hi;
    p->wx   = FFMAX(p->rmin / rx, 1 / MAX_RATIO);
    p->wy   = FFMAX(p->rmin / ry, 1 / MAX_RATIO);
    p->wx  *= p->wx;
    p->wy  *= p->wy;
}

static int add_distance(HighlightTables *t, HlPxDraw *d, const Profile *p)
{
    const int offset = reserve(t, sizeof(int) * (STEPS + 1) * 2);
    int *tt, *tr;

    if (offset < 0)
        return offset;
    d->t = offset;
    d->r = offset + sizeof(int) * (STEPS + 1);
    tt   = at(t, d->t);
    tr   = at(t, d->r);
    for (int i = 0; i <= STEPS; i++) {
        const double rho = sqrt(p->f_hi * i / STEPS);
        tt[i] = lrint(av_clipd(p->rmax * rho * (rho - 1) * p->fine, -HL_T_MAX, HL_T_MAX));
        tr[i] = lrint(FFMIN(p->rmin / p->rmax / FFMAX(rho, 1e-9) * (1 << HL_R_BITS), HL_R_MAX));
    }
    d->f_lo = FFMAX((1 + p->lo / p->rmin) * (1 + p->lo / p->rmin) * p->unit, HL_F_ONE / STEPS);
    d->lo   = floor(p->lo * p->fine);
    d->shift = 1;
    while ((int)ceil((p->hi - p->lo) * p->fine) >> d->shift > HL_INDICES - 3)
        d->shift++;
    d->n = ((int)ceil((p->hi - p->lo) * p->fine) >> d->shift) + 2;
    return 0;
}

/* ---- positions --------------------------------------------------------------------- */

/* samples [*a, *b) of size whose distance from c is less than reach; one where there is none */
static void extent(int *a, int *b, double c, double reach, int log2, double off, int size)
{
    const double s = 1 << log2;

    *a = av_clipd(floor((c - reach - off) / s), 0, size - 1);
    *b = av_clipd(ceil((c + reach - off) / s) + 1, *a + 1, size);
}

static void squares(int *f, int *g, int from, int nb, double c, double radius, double w, double unit,
                    int log2, double off)
{
    for (int i = 0; i < nb; i++) {
        const double u = ((double)(from + i) * (1 << log2) + off - c) / radius, v = u * u * unit;
        f[i] = v < HL_F_ONE ? lrint(v) : HL_F_ONE;
        g[i] = v * w < HL_F_ONE ? lrint(v * w) : HL_F_ONE;
    }
}

/* the ring leaves out the top 120 degrees: rows above half of the radius, with a soft end */
static void arc(int *rows, const HlPxSet *s, const HighlightDraw *d, const CropGrid *g)
{
    const double end = d->y - d->ry / 2, soft = FFMAX(1.5 * d->width, 2);

    for (int y = s->y0; y < s->y1; y++) {
        const double u = clip01(0.5 + (y * (1 << g->log2_y) + g->off_y - end) / soft);
        rows[y - s->y0] = d->open ? weight(u * u * (3 - 2 * u)) : HL_ONE;
    }
}

static int add_positions(HighlightTables *t, HlPxSet *s, const HighlightDraw *d, const Profile *p,
                         const Plane *plane)
{
    const double rx = FFMAX(d->rx, MIN_RADIUS), ry = FFMAX(d->ry, MIN_RADIUS), reach = sqrt(p->f_hi);
    const CropGrid *g = &plane->grid;
    int w, h, offset;

    extent(&s->x0, &s->x1, d->x, rx * reach, g->log2_x, g->off_x, plane->w);
    extent(&s->y0, &s->y1, d->y, ry * reach, g->log2_y, g->off_y, plane->h);
    w = s->x1 - s->x0;
    h = s->y1 - s->y0;
    if ((offset = reserve(t, sizeof(int) * (2 * (size_t)w + 3 * (size_t)h))) < 0)
        return offset;
    s->mid = av_clipd(floor((d->x - g->off_x) / (1 << g->log2_x) + 0.5), s->x0, s->x1 - 1) - s->x0;
    s->ax  = offset;
    s->gx  = s->ax + sizeof(int) * w;
    s->by  = s->gx + sizeof(int) * w;
    s->gy  = s->by + sizeof(int) * h;
    s->arc = s->gy + sizeof(int) * h;
    squares(at(t, s->ax), at(t, s->gx), s->x0, w, d->x, rx, p->wx, p->unit, g->log2_x, g->off_x);
    squares(at(t, s->by), at(t, s->gy), s->y0, h, d->y, ry, p->wy, p->unit, g->log2_y, g->off_y);
    arc(at(t, s->arc), s, d, g);
    return 0;
}

/* ---- ellipses as OpenCV draws them --------------------------------------------------- */

enum { CV_INSIDE = 1, CV_OUTLINE = 2, CV_STROKE = 4, CV_STATES = 8 };

static int add_states(HighlightTables *t, HlPxDraw *p, const HighlightDraw *d)
{
    HlPxWeights *w;
    const int lut = reserve(t, sizeof(*w) * (CV_STATES + 1));

    if (lut < 0)
        return lut;
    p->n = CV_STATES + 1;
    p->set[0].lut = p->set[1].lut = lut;
    w = at(t, lut);
    for (int i = 0; i < CV_STATES; i++)
        set_weights(&w[i], d, !!(i & CV_INSIDE), !!(i & CV_STROKE), !!(i & CV_OUTLINE));
    memset(&w[CV_STATES], 0, sizeof(*w));
    return 0;
}

static void mark(const HighlightCvMap *map, const HighlightDraw *d, int thickness, int state)
{
    const HighlightCvEllipse e = {
        .cx = av_clipd(d->x, -FAR, FAR), .cy = av_clipd(d->y, -FAR, FAR), .rx = FFMIN(d->rx, HL_CV_MAX_RADIUS), .ry = FFMIN(d->ry, HL_CV_MAX_RADIUS),
        .a0 = d->open ? -30 : 0, .a1 = d->open ? 210 : 360,
        .thickness = thickness < 0 ? -1 : FFMIN(thickness, HL_CV_MAX_THICKNESS),
    };

    ff_highlight_cv_ellipse(map, &e, state);
}

static int add_map(HighlightTables *t, HlPxDraw *p, const HighlightDraw *d, const Plane *planes)
{
    const double reach = ff_highlight_cv_reach(FFMAX(d->width, d->outline_width)) + 1;
    const HlPxSet *s = &p->set[0];
    HighlightCvMap map;
    size_t size;
    int offset;

    for (int i = 0; i < 2; i++) {
        const CropGrid *g = &planes[i].grid;
        HlPxSet *set = &p->set[i];
        extent(&set->x0, &set->x1, d->x, d->rx + reach, g->log2_x, 0, planes[i].w);
        extent(&set->y0, &set->y1, d->y, d->ry + reach, g->log2_y, 0, planes[i].h);
        if ((offset = reserve(t, sizeof(int) * (set->y1 - set->y0))) < 0)
            return offset;
        set->arc = offset;
        for (int y = 0; y < set->y1 - set->y0; y++)
            ((int *)at(t, offset))[y] = HL_ONE;
    }
    p->map_stride = s->x1 - s->x0;
    size = p->map_stride * (size_t)(s->y1 - s->y0);
    if ((offset = reserve(t, size)) < 0)
        return offset;
    p->map = offset;
    memset(at(t, offset), 0, size);
    map = (HighlightCvMap){ at(t, offset), p->map_stride, s->x0, s->y0, s->x1 - s->x0, s->y1 - s->y0, planes[0].w, planes[0].h };
    mark(&map, d, -1, CV_INSIDE);
    if (d->outline > 0)
        mark(&map, d, d->outline_width, CV_OUTLINE);
    if (d->stroke > 0)
        mark(&map, d, d->width, CV_STROKE);
    return add_states(t, p, d);
}

/* ---- one frame ------------------------------------------------------------------------- */

static void colours(HlPxDraw *p, int rgb, const PxLayout *l, const AVFrame *f)
{
    uint8_t main[4] = { rgb >> 16, rgb >> 8, rgb, 255 }, dark[4];
    uint16_t c[4];

    for (int i = 0; i < 4; i++)
        dark[i] = main[i] * 3 / 10;
    ff_px_colour(c, main, l, f);
    for (int i = 0; i < 4; i++)
        p->main[i] = c[i] << HL_O_BITS;
    ff_px_colour(c, dark, l, f);
    for (int i = 0; i < 4; i++)
        p->dark[i] = c[i] << HL_O_BITS;
}

static int add_draw(HighlightTables *t, int i, const HighlightDraw *d, const Plane *planes,
                    const PxLayout *l, const AVFrame *f)
{
    HlPxDraw p = { 0 };
    Profile profile;
    int ret;

    colours(&p, d->color, l, f);
    if (d->old) {
        ret = add_map(t, &p, d, planes);
    } else {
        measure(&profile, d, planes[1].aa);
        ret = add_distance(t, &p, &profile);
        for (int set = 0; set < 2 && ret >= 0; set++)
            if ((ret = add_positions(t, &p.set[set], d, &profile, &planes[set])) >= 0)
                ret = add_profile(t, &p, d, &profile, &planes[set], set);
    }
    ((HlPxDraw *)at(t, t->frame.draws))[i] = p;
    return ret;
}

static int factor(double v)
{
    return lrint(FFMIN(v, 3.99) * HL_K_ONE);
}

static void looks(HlPxFrame *p, const HighlightScene *s, const PxLayout *l, const AVFrame *f)
{
    const uint8_t black[4] = { 0, 0, 0, 255 };
    const int rgb = !!(l->desc->flags & AV_PIX_FMT_FLAG_RGB);
    uint16_t zero[4];

    ff_px_colour(zero, black, l, f);
    for (int i = 0; i < 2; i++) {
        HlPxLook *k = &p->look[i];
        k->k_in = k->k_out = HL_K_ONE;
        for (int c = 0; c < 4; c++)
            k->zero[c] = zero[c];
        if (s->base == HL_BASE_DIM)
            k->k_out = factor(1 - s->strength);
        if (s->base == HL_BASE_GAIN)
            k->k_in = factor(1 + s->strength);
        if (s->base == HL_BASE_DESATURATE && i)
            k->k_out = factor(1 - s->strength);
        if (s->base == HL_BASE_BLUR || (s->base == HL_BASE_DESATURATE && rgb))
            k->w_out = factor(s->strength);
        if (s->truncate)
            k->bias = -(1 << (HL_O_BITS - 1));
    }
    if (s->base == HL_BASE_DESATURATE && rgb) {
        const AVLumaCoefficients *k = ff_px_coefficients(f);
        p->luma[0] = lrint(av_q2d(k->cr) * HL_ONE);
        p->luma[2] = lrint(av_q2d(k->cb) * HL_ONE);
        p->luma[1] = HL_ONE - p->luma[0] - p->luma[2];
    }
}

int ff_highlight_tables(HighlightTables *t, const HighlightScene *s, int dither,
                        const PxLayout *l, const AVFrame *f)
{
    const int lx = l->desc->log2_chroma_w, ly = l->desc->log2_chroma_h;
    const Plane planes[2] = {
        { { 0, 0, 0.5, 0.5 }, f->width, f->height, 1 },
        { ff_crop_chroma_grid(lx, ly, ff_px_location(l->desc, f)),
          AV_CEIL_RSHIFT(f->width, lx), AV_CEIL_RSHIFT(f->height, ly), ((1 << lx) + (1 << ly)) / 2. },
    };
    int ret;

    t->frame = (HlPxFrame){ .nb = s->nb, .dither = dither, .log2_x = lx, .log2_y = ly };
    looks(&t->frame, s, l, f);
    t->used = 16;               /* offset 0 is none */
    if ((ret = reserve(t, sizeof(HlPxDraw) * FFMAX(s->nb, 1))) < 0)
        return ret;
    t->frame.draws = ret;
    for (int i = 0; i < s->nb; i++)
        if ((ret = add_draw(t, i, &s->draw[i], planes, l, f)) < 0)
            return ret;
    return 0;
}

void ff_highlight_tables_free(HighlightTables *t)
{
    av_freep(&t->mem);
    t->allocated = t->used = 0;
}
