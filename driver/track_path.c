/*
 * ffreel: arithmetic on paths
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

static double *copy_of(const double *v, int nb)
{
    double *c = need(av_malloc_array(FFMAX(nb, 1), sizeof(*c)));

    memcpy(c, v, nb * sizeof(*c));
    return c;
}

/* In each place the straight line that fits best, by Gaussian weights: a mean would
 * drag the ends of a motion towards its middle. */
void path_smooth(double *v, int nb, double sigma)
{
    const int reach = ceil(3 * sigma);
    double *in, *weight;

    if (!(sigma > 0) || nb < 3)
        return;
    in     = copy_of(v, nb);
    weight = need(av_malloc_array(reach + 1, sizeof(*weight)));
    for (int i = 0; i <= reach; i++)
        weight[i] = exp(-0.5 * i * i / (sigma * sigma));
    for (int i = 0; i < nb; i++) {
        double s0 = 0, s1 = 0, s2 = 0, y0 = 0, y1 = 0, den;
        for (int k = FFMAX(i - reach, 0); k <= FFMIN(i + reach, nb - 1); k++) {
            const double x = k - i, w = weight[abs(k - i)];
            s0 += w;
            s1 += w * x;
            s2 += w * x * x;
            y0 += w * in[k];
            y1 += w * x * in[k];
        }
        den  = s0 * s2 - s1 * s1;
        v[i] = den > 1e-12 * s0 * s2 ? (y0 * s2 - y1 * s1) / den : y0 / s0;
    }
    av_free(weight);
    av_free(in);
}

/* Where to stand in the beginning (dir 1) or at the end (-1): in the mean of what can be seen
 * from one place; if that is all there is, so that all is within reach */
static double stand(const double *v, const double *dead, int nb, int dir)
{
    double lo = -INFINITY, hi = INFINITY, sum = 0;      // places from which all so far is within reach
    int seen = 0;

    for (int i = dir > 0 ? 0 : nb - 1; i >= 0 && i < nb; i += dir) {
        lo = fmax(lo, v[i] - dead[i]);
        hi = fmin(hi, v[i] + dead[i]);
        if (lo > hi)
            break;
        sum += v[i];
        seen++;
    }
    return seen == nb ? av_clipd(sum / seen, lo, hi) : sum / seen;
}

/* Forth, a path that is dragged trails by the dead zone; back, it leads by it. The
 * mean of both does neither, and is within reach, too. */
void path_rest(double *v, const double *dead, int nb)
{
    double *in = copy_of(v, nb), c;

    if (nb) {
        c = stand(in, dead, nb, 1);
        for (int i = 0; i < nb; i++)
            v[i] = c = av_clipd(c, in[i] - dead[i], in[i] + dead[i]);
        c = stand(in, dead, nb, -1);
        for (int i = nb - 1; i >= 0; i--) {
            c    = av_clipd(c, in[i] - dead[i], in[i] + dead[i]);
            v[i] = (v[i] + c) / 2;
        }
    }
    av_free(in);
}

void path_still(double *v, const double *on, const double *dead, int nb, double slack, int least)
{
    for (int i = 0, k; i < nb; i = k) {
        double min = v[i], max = v[i], lo = -INFINITY, hi = INFINITY, sum = 0;
        for (k = i; k < nb && fmax(max, v[k]) - fmin(min, v[k]) <= 2 * slack * dead[i]; k++) {
            min  = fmin(min, v[k]);
            max  = fmax(max, v[k]);
            lo   = fmax(lo, on[k] - dead[k]);
            hi   = fmin(hi, on[k] + dead[k]);
            sum += on[k];
        }
        if (k - i < least || lo > hi) {
            k = i + 1;
            continue;
        }
        sum = av_clipd(sum / (k - i), lo, hi);
        for (int n = i; n < k; n++)
            v[n] = sum;
    }
}

void path_limit(double *v, int nb, double step)
{
    double *in = copy_of(v, nb), c;

    for (int i = 1; i < nb; i++)
        v[i] = av_clipd(v[i], v[i - 1] - step, v[i - 1] + step);
    c = nb ? in[nb - 1] : 0;
    for (int i = nb - 1; i >= 0; i--) {
        c    = av_clipd(in[i], c - step, c + step);
        v[i] = (v[i] + c) / 2;
    }
    av_free(in);
}

void path_mean(double *v, int nb, int width)
{
    const int half = width / 2;
    double *sum, base;

    if (half < 1 || nb < 2)
        return;
    sum = need(av_malloc_array(nb + 2 * (size_t)half + 1, sizeof(*sum)));
    sum[0] = 0;
    for (int i = 0; i < nb + 2 * half; i++)     // from the first value, so that nothing is lost to rounding
        sum[i + 1] = sum[i] + v[av_clip(i - half, 0, nb - 1)] - v[0];
    base = v[0];
    for (int i = 0; i < nb; i++)
        v[i] = base + (sum[i + 2 * half + 1] - sum[i]) / (2 * half + 1);
    av_free(sum);
}
