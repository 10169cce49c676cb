/*
 * highlight: what regions look like at a time
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
#include "libavutil/macros.h"

#include "highlight_look.h"

#define WHITE 0xffffff

/** A region, or what is followed, at one time. */
typedef struct Active {
    int    effect, shape;
    double v[HL_VALS];
    double fade;                ///< 0..1
} Active;

/* ---- values ------------------------------------------------------------------------- */

void ff_highlight_values(double v[HL_VALS], const HighlightRegion *r, double t, int kind, int w, int h)
{
    const double sx = r->ref_w > 0 ? w / r->ref_w : 1, sy = r->ref_h > 0 ? h / r->ref_h : 1;

    ff_keytrack_eval(r->track, t, kind, 0, v);
    v[HL_X]  *= sx;
    v[HL_RX] *= sx;
    v[HL_Y]  *= sy;
    v[HL_RY] *= sy;
    for (int i = HL_STROKE; i <= HL_OPACITY; i++)
        v[i] = isnan(v[i]) ? NAN : av_clipd(v[i], 0, 1);    // curves overshoot
}

void ff_highlight_to_ground(double v[HL_VALS])
{
    /* radii about a body are 1.3 times half of its box: this is the middle of its lower edge */
    v[HL_Y]  += v[HL_RY] / 1.3;
    v[HL_RX] *= 2 / 1.3;
    v[HL_RY] *= 0.3;
}

static int kind_of(const HighlightParams *p)
{
    return p->kind == KEY_DEFAULT ? KEY_MONOTONE : p->kind;
}

static double last_key(const KeyTrack *k)
{
    return k->time[k->nb - 1];
}

static double smooth(double u)
{
    u = av_clipd(u, 0, 1);
    return u * u * (3 - 2 * u);
}

/* a fade takes at most half of the region */
static double fade(double start, double end, double t, const HighlightParams *p)
{
    const double in = FFMIN(p->fade_in, (end - start) / 2), out = FFMIN(p->fade_out, (end - start) / 2);

    return (in > 0 ? smooth((t - start) / in) : 1) * (out > 0 ? smooth((end - t) / out) : 1);
}

/* ---- strengths ------------------------------------------------------------------------ */

/* the first that is there: not negative, not NAN */
static double pick(double a, double b, double c, double def)
{
    return a >= 0 ? a : b >= 0 ? b : c >= 0 ? c : def;
}

static enum HighlightBase base_of(const Active *a)
{
    switch (a->effect) {
    case HL_DARK_OVERLAY:
    case HL_SPOT:       return HL_BASE_DIM;
    case HL_DESATURATE: return HL_BASE_DESATURATE;
    case HL_BLUR:       return HL_BASE_BLUR;
    case HL_BRIGHTNESS: return a->v[HL_COLOR] >= 0 ? HL_BASE_NONE : HL_BASE_GAIN;
    }
    return HL_BASE_NONE;
}

/* ring and ground dim the outside, too, where asked to */
static enum HighlightBase base_for(const Active *a, const HighlightParams *p)
{
    const enum HighlightBase base = base_of(a);

    return base == HL_BASE_NONE && a->effect != HL_ORIGINAL && a->effect != HL_BRIGHTNESS && p->outside > 0
         ? HL_BASE_DIM : base;
}

static double strength(const Active *a, const HighlightList *list, const HighlightParams *p)
{
    const double key = a->v[HL_OPACITY], dim = list ? list->dim : NAN;

    switch (a->effect) {
    case HL_SPOT:       return pick(p->outside, dim, key, 0.5);
    case HL_DESATURATE: return pick(p->outside, key, NAN, 0.8);
    case HL_BLUR:       return pick(p->outside, key, NAN, 1);
    case HL_BRIGHTNESS: return 3 * pick(p->inside, key, NAN, 0.15);
    }
    return pick(p->outside, dim, key, 0.15);
}

static double fill(const Active *a, const HighlightList *list, const HighlightParams *p)
{
    const double key = a->v[HL_FILL];

    if (a->effect == HL_BRIGHTNESS)
        return pick(p->inside, a->v[HL_OPACITY], NAN, 0.15);
    if (list && !list->fill_enabled)
        return pick(p->inside, NAN, NAN, 0);
    return pick(p->inside, list && list->fill_enabled > 0 ? list->fill : NAN, key, a->effect == HL_GROUND ? 0.15 : 0);
}

/* ---- one ellipse ------------------------------------------------------------------------ */

static int has_ring(const Active *a, double color)
{
    if (a->effect == HL_SPOT || a->effect == HL_ORIGINAL || color == -1)
        return 0;
    return color >= 0 || a->effect == HL_RING || a->effect == HL_GROUND;
}

static HighlightDraw draw(const Active *a, const HighlightList *list, const HighlightParams *p, double scale)
{
    const double color = a->v[HL_COLOR];
    const int colored = color >= 0 || (isnan(color) && (a->effect == HL_RING || a->effect == HL_GROUND));
    /* the old brush was one wider than it was told */
    const double width = pick(p->stroke, list ? list->stroke_width + 1 : NAN, NAN, 3) * scale;
    HighlightDraw d = {
        .feather = pick(p->feather, NAN, NAN, a->effect == HL_SPOT ? 80 : 3) * scale,
        .fill    = colored && a->effect != HL_SPOT ? fill(a, list, p) * a->fade : 0,
        .color   = color >= 0 ? color : WHITE,
        .open    = a->shape == HL_AT_FEET,
    };
    double v[HL_VALS];

    memcpy(v, a->v, sizeof(v));
    if (d.open)
        ff_highlight_to_ground(v);
    d.x  = v[HL_X];
    d.y  = v[HL_Y];
    d.rx = FFMAX(v[HL_RX], 0);
    d.ry = FFMAX(v[HL_RY], 0);
    if (has_ring(a, color) && width > 0) {
        d.width         = FFMAX(width, 1);
        d.outline_width = d.width + FFMAX(2 * scale, 1);
        d.stroke        = pick(p->stroke_opacity, v[HL_STROKE], NAN, 0.85) * a->fade;
        d.outline       = 0.5 * a->fade;
    }
    return d;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static HighlightScene compose(const Active *a, int nb, const HighlightList *list, const HighlightParams *p, int h)
{
    const double scale = h / 1080.;
    HighlightScene s = { .nb = nb, .blur = av_clip(lrint(p->blur * scale), 1, 63) };
    double fade_max = 0;

    /* the first region that changes the picture says how */
    for (int i = 0; i < nb && !s.base; i++)
        s.base = base_for(&a[i], p);
    for (int i = 0; i < nb; i++)
        if (base_for(&a[i], p) == s.base) {
            s.strength = FFMAX(s.strength, strength(&a[i], list, p) * a[i].fade);
            fade_max   = FFMAX(fade_max, a[i].fade);
        }
    for (int i = 0; i < nb; i++) {
        s.draw[i] = draw(&a[i], list, p, scale);
        if (base_for(&a[i], p) != s.base || !(fade_max > 0) || !(s.strength > 0))
            continue;
        /* where they overlap the strongest wins; one that fades closes its hole only
         * while another keeps the outside dark */
        s.draw[i].hole = s.base == HL_BASE_GAIN ? strength(&a[i], list, p) * a[i].fade / s.strength
                                                : a[i].fade / fade_max;
    }
    return s;
}

static int effect_of(const HighlightRegion *r, const HighlightList *list, const HighlightParams *p)
{
    return p->effect != HL_EFFECT_AUTO ? p->effect : r->effect != HL_EFFECT_AUTO ? r->effect
         : list->effect != HL_EFFECT_AUTO ? list->effect : HL_DARK_OVERLAY;
}

static int shape_of(int effect, int list, const HighlightParams *p)
{
    return p->shape != HL_SHAPE_AUTO ? p->shape : effect == HL_GROUND ? HL_AT_FEET
         : list != HL_SHAPE_AUTO ? list : HL_BODY;
}

HighlightScene ff_highlight_scene(const HighlightList *list, const HighlightParams *p, double t, int w, int h)
{
    Active a[HL_DRAWS];
    int nb = 0;

    if (p->rules != HL_RULES_NEW)
        return ff_highlight_old_scene(list, p, t, w, h);
    for (int i = 0; i < list->nb && nb < HL_DRAWS; i++) {
        const HighlightRegion *r = &list->region[i];
        double end;
        if (!r->enabled || !r->track || effect_of(r, list, p) == HL_ORIGINAL)
            continue;
        end = p->vanish > 0 ? FFMIN(r->end, last_key(r->track)) : r->end;
        if (t < r->start || t > end)
            continue;
        a[nb] = (Active){ .effect = effect_of(r, list, p), .fade = fade(r->start, end, t, p) };
        a[nb].shape = shape_of(a[nb].effect, list->shape, p);
        ff_highlight_values(a[nb].v, r, t, kind_of(p), w, h);
        if (!isnan(p->color) || !isnan(list->color))
            a[nb].v[HL_COLOR] = isnan(p->color) ? list->color : p->color;
        nb++;
    }
    return compose(a, nb, list, p, h);
}

HighlightScene ff_highlight_scene_at(const HighlightParams *p, const double ellipse[4], double visible, int h)
{
    const int effect = p->effect == HL_EFFECT_AUTO ? HL_DARK_OVERLAY : p->effect;
    const Active a = {
        .effect = effect, .shape = shape_of(effect, HL_SHAPE_AUTO, p), .fade = visible,
        .v = { ellipse[0], ellipse[1], ellipse[2], ellipse[3], NAN, NAN, NAN, p->color },
    };

    return compose(&a, visible > 0 && effect != HL_ORIGINAL, NULL, p, h);
}

int ff_highlight_is_empty(const HighlightScene *s)
{
    int empty = !s->nb || s->base == HL_BASE_NONE || !(s->strength > 0);

    for (int i = 0; i < s->nb; i++)
        empty &= !(s->draw[i].fill > 0) && !(s->draw[i].stroke > 0) && !(s->draw[i].outline > 0);
    return empty;
}
