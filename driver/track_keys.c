/*
 * ffreel: a path as few keys
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
#include <stdlib.h>
#include <string.h>

#include "libavutil/mem.h"

#include "track.h"

#define REST  0.5               ///< seconds without motion that are kept as such
#define STILL 0.005             ///< pixels that are no motion: what rounding makes equal

/* as keyframecrop and highlight have it, by position: no size in log space */
static const KeyVal values[4] = {
    { "a", NULL, -1e9, 1e9, .follows = -1 }, { "b", NULL, -1e9, 1e9, .follows = -1 },
    { "c", NULL, -1e9, 1e9, .follows = -1 }, { "d", NULL, -1e9, 1e9, .follows = -1 },
};
static const KeySpec spec = { values, 4, 4 };

/* as the file will have them */
static double rounded(double v, double unit)
{
    return rint(v * unit) / unit;
}

static void add(TrackKeys *k, const TrackKey *key)
{
    if (!(k->nb & (k->nb - 1)))
        k->key = need(av_realloc_array(k->key, FFMAX(2 * k->nb, 16), sizeof(*k->key)));
    k->key[k->nb++] = *key;
}

void keys_free(TrackKeys *k)
{
    av_freep(&k->key);
    k->nb = 0;
}

KeyTrack *keys_track(const TrackKeys *k)
{
    KeyTrack *t = need(ff_keytrack_alloc(&spec));

    for (int i = 0; i < k->nb; i++) {
        const TrackKey *y = &k->key[i];
        need(ff_keytrack_add(t, y->t, y->v, KEY_MONOTONE, y->cut, i + 1, "keys", NULL) < 0 ? NULL : t);
    }
    return t;
}

static TrackKey key_at(const Plan4 *p, int i)
{
    TrackKey k = { .t = rounded(p->t0 + i * p->step, 1e4) };

    for (int v = 0; v < 4; v++)
        k.v[v] = rounded(p->v[v][i], 100);
    return k;
}

/*
 * As Douglas and Peucker do it, but with the curve that the filters draw: between two
 * keys a key is set where the curve is off most, until it is off nowhere. A key changes
 * the curve in the spans beside it; so all spans are looked at again each time.
 */
static int refine(const Plan4 *p, uint8_t *is_key, double tolerance)
{
    TrackKeys k = { 0 };
    KeyTrack *t;
    double worst = tolerance, out[4];
    int at = -1, added = 0;

    for (int i = 0; i < p->nb; i++) {
        const TrackKey key = key_at(p, i);
        if (is_key[i])
            add(&k, &key);
    }
    t = keys_track(&k);
    for (int i = 1; i < p->nb; i++) {
        if (is_key[i]) {
            if (at >= 0)
                is_key[at] = added = 1;
            worst = tolerance;
            at    = -1;
            continue;
        }
        ff_keytrack_eval(t, p->t0 + i * p->step, KEY_MONOTONE, 0, out);
        for (int v = 0; v < 4; v++) {
            if (fabs(out[v] - p->v[v][i]) > worst) {
                worst = fabs(out[v] - p->v[v][i]);
                at    = i;
            }
        }
    }
    ff_keytrack_free(&t);
    keys_free(&k);
    return added;
}

/* Where nothing moves for a while there are keys at both ends, else the curve would creep
 * from one side of the tolerance to the other */
static void mark_rests(const Plan4 *p, uint8_t *is_key)
{
    const int least = ceil(REST / p->step);
    int start = 0;

    for (int i = 1; i <= p->nb; i++) {
        int still = i < p->nb;
        for (int v = 0; v < 4 && still; v++)
            still = fabs(p->v[v][i] - p->v[v][start]) < STILL;
        if (still)
            continue;
        if (i - 1 - start >= least)
            is_key[start] = is_key[i - 1] = 1;
        start = i;
    }
}

void keys_add(TrackKeys *k, const Plan4 *p, double tolerance, int cut)
{
    uint8_t *is_key = need(av_mallocz(p->nb));

    is_key[0] = is_key[p->nb - 1] = 1;
    mark_rests(p, is_key);
    while (refine(p, is_key, tolerance))
        ;
    for (int i = 0; i < p->nb; i++) {
        if (is_key[i]) {
            TrackKey key = key_at(p, i);
            key.cut = cut && !i;
            if (k->nb && key.t <= k->key[k->nb - 1].t)      // shots shorter than the rounding of times
                continue;
            add(k, &key);
        }
    }
    av_free(is_key);
}
