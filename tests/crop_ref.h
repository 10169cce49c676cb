/*
 * A crop window in double precision, to compare the integer path with
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


#ifndef FFREEL_TESTS_CROP_REF_H
#define FFREEL_TESTS_CROP_REF_H

#include <math.h>
#include <stdlib.h>

/* Kernels written down again here, from their textbook forms, so that an error
 * in the filter's own is not repeated. x in samples. */
static double ref_kernel(int type, double x)
{
    x = fabs(x);
    if (type == 0)
        return x < 1 ? 1 - x : 0;
    if (type == 1) {    /* Mitchell-Netravali family, B = 0, C = 0.5 */
        const double C = 0.5;
        if (x < 1)
            return ((12 - 6 * C) * x * x * x + (-18 + 6 * C) * x * x + 6) / 6;
        return x < 2 ? (-6 * C * x * x * x + 30 * C * x * x - 48 * C * x + 24 * C) / 6 : 0;
    }
    if (x == 0)
        return 1;
    return x < 3 ? sin(M_PI * x) / (M_PI * x) * sin(M_PI * x / 3) / (M_PI * x / 3) : 0;
}

/* weight of source sample j for an output sample at c, unnormalised */
static double ref_weight(int type, int j, double c, double step)
{
    if (type == 3) {
        const double l = fmax(j - 0.5, c - step / 2), r = fmin(j + 0.5, c + step / 2);
        /* without zoom the mean over a footprint of one sample */
        return fmax(r - l, 0);
    }
    return ref_kernel(type, (j - c) / fmax(step, 1));
}

/* the row or column of weights over the samples [*lo, *lo + n) */
static double *ref_weights(int type, double c, double step, int *lo, int *n)
{
    const int reach = (int)ceil(3 * fmax(step, 1)) + 1;
    double sum = 0, *w;

    *lo = (int)floor(c) - reach;
    *n  = 2 * reach + 2;
    w   = malloc(*n * sizeof(*w));
    for (int i = 0; i < *n; i++)
        sum += w[i] = ref_weight(type, *lo + i, c, step);
    for (int i = 0; i < *n; i++)
        w[i] /= sum;
    return w;
}

typedef double (*RefLoad)(const void *opaque, int x, int y);

/* out[h * w], not rounded */
static double *ref_crop(RefLoad load, const void *opaque, int type, double x0, double sx, int w,
                        double y0, double sy, int h)
{
    double *out = malloc((size_t)w * h * sizeof(*out));

    for (int x = 0; x < w; x++) {
        int lx, nx;
        double *wx = ref_weights(type, x0 + x * sx, sx, &lx, &nx);
        for (int y = 0; y < h; y++) {
            int ly, ny;
            double *wy = ref_weights(type, y0 + y * sy, sy, &ly, &ny), acc = 0;
            for (int j = 0; j < ny; j++) {
                double row = 0;
                if (!wy[j])
                    continue;
                for (int i = 0; i < nx; i++)
                    if (wx[i])
                        row += wx[i] * load(opaque, lx + i, ly + j);
                acc += wy[j] * row;
            }
            free(wy);
            out[y * w + x] = acc;
        }
        free(wx);
    }
    return out;
}

#endif /* FFREEL_TESTS_CROP_REF_H */
