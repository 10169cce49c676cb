/*
 * Crop: a marker under a slow pan, through the whole program
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


/* A still picture with a soft marker in each plane, a window that pans over it,
 * and the marker's centre of mass in what comes out. Even motion has a second
 * difference of 0. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define W 640
#define H 640
#define OUT_W 256
#define OUT_H 256
#define FRAMES 320
#define LIMIT 0.02              /* px per frame and frame */

static const char *ffmpeg, *tmp;
static char source[1024];

static void marker(uint8_t *p, int w, int h, double cx, double cy, double sigma)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const double dx = x - cx, dy = y - cy;
            p[y * w + x] = lrint(30 + 200 * exp(-(dx * dx + dy * dy) / (2 * sigma * sigma)));
        }
}

static int write_source(void)
{
    uint8_t *p = malloc(W * H * 3 / 2);
    FILE *f;

    snprintf(source, sizeof(source), "%s/crop_motion.yuv", tmp);
    marker(p, W, H, 320.3, 320.6, 3);
    marker(p + W * H, W / 2, H / 2, 160.2, 160.4, 3);
    marker(p + W * H * 5 / 4, W / 2, H / 2, 160.4, 160.1, 3);
    if (!(f = fopen(source, "wb")))
        return 0;
    fwrite(p, 1, W * H * 3 / 2, f);
    free(p);
    return !fclose(f);
}

/* Centre of mass of what stands out of the ground, by the square of its height:
 * the marker's foot, where 8 bits have one or two steps left and round in
 * rings, then weighs nothing, and motion is all that is measured. */
static void centre(const uint8_t *p, int w, int h, double *cx, double *cy)
{
    double sx = 0, sy = 0, s = 0;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const double v = p[y * w + x] - 30, q = v * v;
            s  += q;
            sx += q * x;
            sy += q * y;
        }
    *cx = sx / s;
    *cy = sy / s;
}

static double second_difference(const double *p, int nb)
{
    double sum = 0;

    for (int i = 1; i + 1 < nb; i++)
        sum += fabs(p[i + 1] - 2 * p[i] + p[i - 1]);
    return sum / (nb - 2);
}

/** Mean second differences of luma and chroma along the pan; how far the
 *  marker went altogether, in luma pixels. */
typedef struct Motion {
    double luma, chroma, travel;
} Motion;

static int track(const char *filter, int vertical, double scale, Motion *m)
{
    static double at[3][FRAMES];
    uint8_t *p = malloc(OUT_W * OUT_H * 3 / 2);
    char cmd[4096];
    FILE *f;
    int n = 0;

    snprintf(cmd, sizeof(cmd), "'%s' -v error -f rawvideo -s %dx%d -r 30 -i '%s' -vf \"loop=-1:1,trim=end_frame=%d,%s\" "
             "-f rawvideo -pix_fmt yuv420p -", ffmpeg, W, H, source, FRAMES, filter);
    if (!(f = popen(cmd, "r"))) {
        free(p);
        return 0;
    }
    for (; n < FRAMES && fread(p, OUT_W * OUT_H * 3 / 2, 1, f) == 1; n++)
        for (int i = 0; i < 3; i++) {
            double x, y;
            centre(i ? p + OUT_W * OUT_H * (3 + i) / 4 : p, i ? OUT_W / 2 : OUT_W, i ? OUT_H / 2 : OUT_H, &x, &y);
            at[i][n] = (vertical ? y : x) * (i ? 2 : 1) / scale;
        }
    pclose(f);
    free(p);
    if (n < FRAMES)
        return 0;
    m->luma   = second_difference(at[0], n);
    m->chroma = fmax(second_difference(at[1], n), second_difference(at[2], n));
    m->travel = fabs(at[0][n - 1] - at[0][0]);
    return 1;
}

/* w x h window that moves past the marker, speed pixels a frame */
static void keys(char *out, size_t size, double speed, int vertical, double w, double h, const char *more)
{
    const double way = speed * (FRAMES - 1), t = (FRAMES - 1) / 30.;
    const double x = 320 - w / 2, y = 320 - h / 2, dx = vertical ? 0 : way / 2, dy = vertical ? way / 2 : 0;

    snprintf(out, size, "keyframecrop=keys='0 %.9f %.9f %g %g|%.9f %.9f %.9f %g %g':w=%d:h=%d%s", x - dx, y - dy, w, h,
             t, x + dx, y + dy, w, h, OUT_W, OUT_H, more);
}

static void pan(double speed, int vertical, double zoom, const char *more)
{
    char filter[1024];
    Motion m;

    keys(filter, sizeof(filter), speed, vertical, OUT_W / zoom, OUT_H / zoom, more);
    if (!tap_ok(track(filter, vertical, zoom, &m), "%d frames come out of %s", FRAMES, filter))
        return;
    tap_ok(m.luma <= LIMIT && m.chroma <= LIMIT && fabs(m.travel - speed * (FRAMES - 1)) < 0.05,
           "%.2f px a frame in %c, zoom %g%s: second difference %.4f luma, %.4f chroma px/frame^2 (<= %g)",
           speed, vertical ? 'y' : 'x', zoom, more, m.luma, m.chroma, LIMIT);
}

/* what the same pan does elsewhere; zoompan shows that the test can see a stutter */
static void peer(double speed)
{
    const double x0 = 192 - speed * (FRAMES - 1) / 2;
    char filter[1024];
    Motion m;

    snprintf(filter, sizeof(filter), "perspective=eval=frame:interpolation=cubic:x0='%g+%g*on':y0=192:x1='%g+%g*on':y1=192:"
             "x2='%g+%g*on':y2=448:x3='%g+%g*on':y3=448,scale=%d:%d", x0, speed, x0 + OUT_W, speed, x0, speed,
             x0 + OUT_W, speed, OUT_W, OUT_H);
    if (track(filter, 0, 1, &m))
        printf("# perspective (640x640, then scale): %.4f luma, %.4f chroma px/frame^2\n", m.luma, m.chroma);
    snprintf(filter, sizeof(filter), "zoompan=z=%g:x='%g+%g*on':y=192:d=1:s=%dx%d:fps=30,format=yuv420p", W / (double)OUT_W,
             x0, speed, OUT_W, OUT_H);
    if (!track(filter, 0, 1, &m)) {
        tap_skip("zoompan for comparison: this ffmpeg cannot run it");
        return;
    }
    tap_ok(m.luma > 5 * LIMIT, "zoompan at %.2f px a frame for comparison: %.4f luma, %.4f chroma px/frame^2, which this test "
           "would refuse", speed, m.luma, m.chroma);
}

int main(void)
{
    static const double speed[] = { 0.07, 0.3, 0.61 };

    ffmpeg = getenv("FFMPEG") ? getenv("FFMPEG") : "bin/ffmpeg";
    tmp    = getenv("TMP") ? getenv("TMP") : "/tmp";
    if (!tap_ok(write_source(), "a picture of a marker in %s", tmp))
        return tap_done();
    for (int i = 0; i < 3; i++)
        for (int vertical = 0; vertical < 2; vertical++)
            pan(speed[i], vertical, 1, "");
    pan(0.3, 0, 1, ":kernel=bilinear");
    pan(0.3, 1, 1, ":kernel=area");
    pan(0.3, 0, 2, "");
    pan(0.3, 1, 0.6, "");
    pan(0.3, 0, 1, ":rotate=0.001");
    peer(0.3);
    remove(source);
    return tap_done();
}
