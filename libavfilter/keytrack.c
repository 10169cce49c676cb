/*
 * Keyframes: the values at a time
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

#include "libavutil/common.h"

#include "keytrack.h"

/** What the interpolation of one value between two keys needs. */
typedef struct Span {
    const KeyTrack *k;
    int    i;                   ///< from key i to key i + 1
    int    kind;
    int    def_kind;
    int    log;
    double u;
} Span;

static int kind_of(const KeyTrack *k, int i, int def)
{
    return k->kind[i] == KEY_DEFAULT ? def : k->kind[i];
}

static double key_value(const KeyTrack *k, int i, int v)
{
    const double x = k->val[i * k->spec->nb_vals + v];

    return isnan(x) ? k->missing : x;
}

/* whether value v moves between the keys i and i + 1 */
static int joined(const KeyTrack *k, int i, int v, int def)
{
    return i >= 0 && i + 1 < k->nb && kind_of(k, i, def) != KEY_HOLD && !k->jump[i + 1] &&
           !k->spec->vals[v].step && !isnan(key_value(k, i, v)) && !isnan(key_value(k, i + 1, v));
}

static double value(const Span *s, int i, int v)
{
    return key_value(s->k, i, v);
}

/* value v of key i in the space in which cubic kinds run: sizes in log space
 * there, and of a corner the middle that belongs to it */
static double cubic_value(const Span *s, int i, int v)
{
    const KeyVal *kv = &s->k->spec->vals[v];
    const double x = value(s, i, v);

    if (!s->log)
        return x;
    if (kv->positive)
        return log(x);
    return kv->follows >= 0 ? x + value(s, i, kv->follows) / 2 : x;
}

static double catmull(const Span *s, int v)
{
    const int i = s->i;
    const double u  = s->u;
    const double v1 = cubic_value(s, i, v), v2 = cubic_value(s, i + 1, v);
    const double v0 = joined(s->k, i - 1, v, s->def_kind) ? cubic_value(s, i - 1, v) : v1;
    const double v3 = joined(s->k, i + 1, v, s->def_kind) ? cubic_value(s, i + 2, v) : v2;

    return 0.5 * (2 * v1 + (v2 - v0) * u + (2 * v0 - 5 * v1 + 4 * v2 - v3) * u * u +
                  (3 * v1 - v0 - 3 * v2 + v3) * u * u * u);
}

static double slope(const Span *s, int i, int v)
{
    return (cubic_value(s, i + 1, v) - cubic_value(s, i, v)) / (s->k->time[i + 1] - s->k->time[i]);
}

/* Slope at an end of the curve, from the two nearest spans (three-point
 * formula, limited so that the curve stays monotone). */
static double end_slope(double d0, double h0, double d1, double h1)
{
    const double m = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);

    if (m * d0 <= 0)
        return 0;
    return d0 * d1 <= 0 && fabs(m) > 3 * fabs(d0) ? 3 * d0 : m;
}

/* slope of the curve at key i, of whose neighbours at least one is joined */
static double tangent(const Span *s, int i, int v)
{
    const KeyTrack *k = s->k;
    const double *t = k->time;
    const int before = joined(k, i - 1, v, s->def_kind), after = joined(k, i, v, s->def_kind);

    if (before && after) {
        const double h0 = t[i] - t[i - 1], h1 = t[i + 1] - t[i];
        const double d0 = slope(s, i - 1, v), d1 = slope(s, i, v);
        if (d0 * d1 <= 0)
            return 0;
        return 3 * (h0 + h1) / ((2 * h1 + h0) / d0 + (h1 + 2 * h0) / d1);
    }
    if (after) {
        const double d0 = slope(s, i, v);
        if (!joined(k, i + 1, v, s->def_kind))
            return d0;
        return end_slope(d0, t[i + 1] - t[i], slope(s, i + 1, v), t[i + 2] - t[i + 1]);
    } else {
        const double d0 = slope(s, i - 1, v);
        if (!joined(k, i - 2, v, s->def_kind))
            return d0;
        return end_slope(d0, t[i] - t[i - 1], slope(s, i - 2, v), t[i - 1] - t[i - 2]);
    }
}

static double monotone(const Span *s, int v)
{
    const int i = s->i;
    const double u  = s->u, h = s->k->time[i + 1] - s->k->time[i];
    const double v1 = cubic_value(s, i, v), v2 = cubic_value(s, i + 1, v);
    const double m1 = tangent(s, i, v) * h, m2 = tangent(s, i + 1, v) * h;
    const double r  = v1 + (v2 - v1) * u * u * (3 - 2 * u) +
                      u * (1 - u) * ((1 - u) * m1 - u * m2);

    /* the limits hold in exact arithmetic; keep rounding inside as well */
    return av_clipd(r, FFMIN(v1, v2), FFMAX(v1, v2));
}

static double along_cubic(const Span *s, int v, const double *out)
{
    const KeyVal *kv = &s->k->spec->vals[v];
    const double r = s->kind == KEY_CATMULL ? catmull(s, v) : monotone(s, v);

    if (!s->log)
        return r;
    if (kv->positive)
        return exp(r);
    return kv->follows >= 0 ? r - out[kv->follows] / 2 : r;
}

/* out: the sizes are there already, as corners depend on them */
static double along_line(const Span *s, int v, const double *out)
{
    const KeyVal *kv = &s->k->spec->vals[v];
    const double v1 = value(s, s->i, v), v2 = value(s, s->i + 1, v);
    double u = s->kind == KEY_EASE ? s->u * s->u * (3 - 2 * s->u) : s->u;

    if (s->log && kv->positive)
        return v1 * exp(log(v2 / v1) * u);
    if (s->log && kv->follows >= 0) {
        /* as far as the size has come: the fixed point of a zoom stays fixed */
        const double s1 = value(s, s->i, kv->follows), s2 = value(s, s->i + 1, kv->follows);
        if (s1 != s2)
            u = (out[kv->follows] - s1) / (s2 - s1);
    }
    return v1 + (v2 - v1) * u;
}

/* last key at or before t; t is not before the first */
static int find(const KeyTrack *k, double t)
{
    int lo = 0, hi = k->nb;

    while (hi - lo > 1) {
        const int mid = lo + (hi - lo) / 2;
        if (k->time[mid] <= t)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static void take(const KeyTrack *k, int i, double *out)
{
    for (int v = 0; v < k->spec->nb_vals; v++)
        out[v] = key_value(k, i, v);
}

void ff_keytrack_eval(const KeyTrack *k, double t, enum KeyKind kind, int log, double *out)
{
    const KeySpec *spec = k->spec;
    const int i = t < k->time[0] ? 0 : find(k, t);
    Span s = { .k = k, .i = i, .def_kind = kind, .log = log };

    take(k, i, out);
    if (t <= k->time[i] || i + 1 == k->nb)
        return;
    s.kind = kind_of(k, i, kind);
    s.u    = (t - k->time[i]) / (k->time[i + 1] - k->time[i]);
    for (int pass = 0; pass < 2; pass++)
        for (int v = 0; v < spec->nb_vals; v++)
            if (spec->vals[v].positive == !pass && joined(k, i, v, kind))
                out[v] = s.kind >= KEY_CATMULL ? along_cubic(&s, v, out) : along_line(&s, v, out);
}
