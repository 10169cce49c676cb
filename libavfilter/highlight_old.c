/*
 * highlight: the looks of the renderers before this filter
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

/*
 * Two sets of rules, kept for job files that expect their look. Both draw the
 * first region that is due and no other, at whole pixels with hard edges.
 *   feb   keys within the region, straight lines between, held at both ends;
 *         one opacity a key
 *   head  keys within 0.04 s of the region, Catmull-Rom, nothing after the last
 *         key, a ring in every look, the opacities of stroke and fill
 */

#define SLACK 0.04              ///< seconds, head

static int counts(const HighlightRegion *r, double t, const HighlightParams *p)
{
    const double slack = p->rules == HL_RULES_HEAD ? SLACK : 0;

    return t >= r->start - slack && t <= r->end + slack;
}

static int effect_of(const HighlightRegion *r, const HighlightList *list, const HighlightParams *p)
{
    return p->effect != HL_EFFECT_AUTO ? p->effect : r->effect != HL_EFFECT_AUTO ? r->effect : list->effect;
}

static int is_ground(const HighlightRegion *r, const HighlightList *list, const HighlightParams *p)
{
    return p->shape == HL_AT_FEET || effect_of(r, list, p) == HL_GROUND ||
           (p->shape == HL_SHAPE_AUTO && list->shape == HL_AT_FEET);
}

/* keys that do not count go; values that are open get what the old readers took */
static void prepare(KeyTrack *k, const HighlightRegion *r, const HighlightList *list, const HighlightParams *p)
{
    int nb = 0;

    for (int i = 0; i < k->nb; i++) {
        double *v = k->val + nb * HL_VALS;
        if (!counts(r, k->time[i], p))
            continue;
        memmove(v, k->val + i * HL_VALS, sizeof(*v) * HL_VALS);
        k->time[nb] = k->time[i];
        k->kind[nb] = k->kind[i];
        k->jump[nb] = k->jump[i];
        if (isnan(v[HL_STROKE]))
            v[HL_STROKE] = isnan(v[HL_OPACITY]) ? 0.85 : v[HL_OPACITY];
        if (isnan(v[HL_FILL]))
            v[HL_FILL] = !isnan(v[HL_OPACITY]) ? v[HL_OPACITY] : list->fill >= 0 ? list->fill
                       : is_ground(r, list, p) ? 0.15 : 0.05;
        if (isnan(v[HL_OPACITY]))
            v[HL_OPACITY] = 0.15;
        if (isnan(v[HL_COLOR]))
            v[HL_COLOR] = -1;
        nb++;
    }
    k->nb = nb;
}

void ff_highlight_old_prepare(HighlightList *list, const HighlightParams *p)
{
    for (int i = 0; i < list->nb; i++)
        if (list->region[i].track)
            prepare(list->region[i].track, &list->region[i], list, p);
}

/* the one that starts first of those that are due */
static const HighlightRegion *choose(const HighlightList *list, double t)
{
    const HighlightRegion *first = NULL;

    for (int i = 0; i < list->nb; i++) {
        const HighlightRegion *r = &list->region[i];
        if (r->enabled && t >= r->start && t <= r->end && (!first || r->start < first->start))
            first = r;
    }
    return first && first->track && first->track->nb ? first : NULL;
}

static int kind_of(const HighlightParams *p)
{
    return p->kind != KEY_DEFAULT ? p->kind : p->rules == HL_RULES_HEAD ? KEY_CATMULL : KEY_LINEAR;
}

static HighlightDraw ellipse(const double v[HL_VALS])
{
    return (HighlightDraw){ .x = trunc(v[HL_X]), .y = trunc(v[HL_Y]), .old = 1,
                            .rx = trunc(FFMAX(v[HL_RX], 0)), .ry = trunc(FFMAX(v[HL_RY], 0)) };
}

static HighlightScene feb(const double v[HL_VALS], int effect, double a, double color)
{
    HighlightScene s = { .nb = 1, .draw = { ellipse(v) } };
    HighlightDraw *d = &s.draw[0];

    d->hole = 1;
    if (effect == HL_BRIGHTNESS && color >= 0) {
        d->color  = color;
        d->fill   = a;
        d->stroke = 0.5;
        d->width  = 1;
    } else if (effect == HL_BRIGHTNESS) {
        s.base     = HL_BASE_GAIN;
        s.strength = 3 * a;
    } else if (effect != HL_ORIGINAL) {
        s.base     = HL_BASE_DIM;
        s.strength = a;
        s.truncate = 1;
    }
    return s;
}

static int off_screen(const HighlightDraw *d, int w, int h)
{
    return d->x + d->rx < 0 || d->x - d->rx > w || d->y + d->ry < 0 || d->y - d->ry > h;
}

static double exit_fade(const HighlightRegion *r, double t)
{
    const double e = FFMIN(0.25, (r->end - r->start) / 2);
    const double q = e > 0 && t > r->end - e ? av_clipd((r->end - t) / e, 0, 1) : 1;

    return q * q;
}

static HighlightScene head(double v[HL_VALS], const HighlightRegion *r, const HighlightList *list,
                           const HighlightParams *p, double fade, double color, int w, int h)
{
    const int effect = effect_of(r, list, p), ground = is_ground(r, list, p);
    const double width = p->stroke >= 0 ? p->stroke : list->stroke_width >= 0 ? list->stroke_width : 2;
    HighlightScene s = { .nb = 1 };
    HighlightDraw *d = &s.draw[0];

    if (ground)
        ff_highlight_to_ground(v);
    *d = ellipse(v);
    if (off_screen(d, w, h))
        return (HighlightScene){ 0 };
    d->hole    = 1;
    d->open    = ground;
    d->color   = color >= 0 ? color : 0xffffff;
    d->width   = FFMAX(2, lrint(width * h / 1080));
    d->outline_width = d->width + 2;
    d->outline = 0.5 * fade;
    d->stroke  = (p->stroke_opacity >= 0 ? p->stroke_opacity : v[HL_STROKE]) * fade;
    if (ground || list->fill_enabled > 0 || p->inside > 0)
        d->fill = (p->inside >= 0 ? p->inside : v[HL_FILL]) * fade;
    if (effect != HL_BRIGHTNESS && effect != HL_RING && effect != HL_GROUND) {
        s.base     = HL_BASE_DIM;
        s.strength = (p->outside >= 0 ? p->outside : list->dim >= 0 ? list->dim : 0.15) * fade;
        s.truncate = 1;
    }
    return s;
}

HighlightScene ff_highlight_old_scene(const HighlightList *list, const HighlightParams *p, double t, int w, int h)
{
    const HighlightRegion *r = choose(list, t);
    double v[HL_VALS], color;

    if (!r || (p->rules == HL_RULES_HEAD && t > r->track->time[r->track->nb - 1] && p->vanish))
        return (HighlightScene){ 0 };
    ff_highlight_values(v, r, t, kind_of(p), w, h);
    color = !isnan(p->color) ? p->color : !isnan(list->color) ? list->color : v[HL_COLOR];
    if (p->rules == HL_RULES_FEB)
        return feb(v, effect_of(r, list, p), p->outside >= 0 ? p->outside : v[HL_OPACITY], color);
    return head(v, r, list, p, exit_fade(r, t), color, w, h);
}
