/*
 * PSNR of a cropped and resampled plane against double precision
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


/* usage: crop_psnr IN W H OUT OW OH X Y CW CH C
 * IN, OUT: raw planes of 8 bits, the first of each file is read. The window
 * (X, Y, CW, CH) of IN is resampled to OW x OH with the cubic (0, C), widened
 * when shrinking, the nearest pixel outside; OUT is compared with that. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static double cubic(double x, double c)
{
    x = fabs(x);
    if (x < 1)
        return ((12 - 6 * c) * x * x * x + (6 * c - 18) * x * x + 6) / 6;
    return x < 2 ? c * (((5 - x) * x - 8) * x + 4) : 0;
}

/* n weights for output sample i, from source sample *lo on */
static double *weights(double start, double step, int i, double c, int *lo, int *n)
{
    const double at = start + i * step, wide = fmax(step, 1);
    double sum = 0, *w;

    *lo = (int)floor(at - 2 * wide);
    *n  = (int)ceil(4 * wide) + 2;
    w   = malloc(*n * sizeof(*w));
    for (int j = 0; j < *n; j++)
        sum += w[j] = cubic((*lo + j - at) / wide, c);
    for (int j = 0; j < *n; j++)
        w[j] /= sum;
    return w;
}

static int clip(int v, int max)
{
    return v < 0 ? 0 : v > max ? max : v;
}

static uint8_t *read_plane(const char *path, int w, int h)
{
    uint8_t *p = malloc((size_t)w * h);
    FILE *f = fopen(path, "rb");

    if (!f || !p || fread(p, (size_t)w * h, 1, f) != 1) {
        fprintf(stderr, "crop_psnr: %s: no plane of %dx%d\n", path, w, h);
        exit(1);
    }
    fclose(f);
    return p;
}

int main(int argc, char **argv)
{
    int w, h, ow, oh;
    double x, y, cw, ch, c, err = 0;
    uint8_t *in, *out;
    double *mid;

    if (argc != 12) {
        fprintf(stderr, "usage: crop_psnr IN W H OUT OW OH X Y CW CH C\n");
        return 1;
    }
    w  = atoi(argv[2]); h  = atoi(argv[3]);
    ow = atoi(argv[5]); oh = atoi(argv[6]);
    x  = atof(argv[7]); y  = atof(argv[8]);
    cw = atof(argv[9]); ch = atof(argv[10]);
    c  = atof(argv[11]);
    in  = read_plane(argv[1], w, h);
    out = read_plane(argv[4], ow, oh);
    mid = malloc(sizeof(*mid) * ow * h);
    for (int i = 0; i < ow; i++) {
        int lo, n;
        double *k = weights(x + cw / ow / 2 - 0.5, cw / ow, i, c, &lo, &n);
        for (int r = 0; r < h; r++) {
            double acc = 0;
            for (int j = 0; j < n; j++)
                acc += k[j] * in[r * w + clip(lo + j, w - 1)];
            mid[r * ow + i] = acc;
        }
        free(k);
    }
    for (int i = 0; i < oh; i++) {
        int lo, n;
        double *k = weights(y + ch / oh / 2 - 0.5, ch / oh, i, c, &lo, &n);
        for (int r = 0; r < ow; r++) {
            double acc = 0, d;
            for (int j = 0; j < n; j++)
                acc += k[j] * mid[clip(lo + j, h - 1) * ow + r];
            d    = out[i * ow + r] - fmin(fmax(acc, 0), 255);
            err += d * d;
        }
        free(k);
    }
    printf("%.2f\n", 10 * log10(255. * 255 * ow * oh / fmax(err, 1e-9)));
    return 0;
}
