/*
 * A generated football scene for the demo and its tests: moving picture,
 * sound and crop keys, all from one seed
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

/* The picture is limited-range BT.709 4:2:0 with chroma sited left; Y4M has no
 * field for the matrix, so whoever encodes it must write the tags. At each whole
 * second (from 1 s) the first frame at or after it carries a white square in the
 * crop that the keys describe, and the sound a click at that frame's time. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "scene_people.h"

#define RATE      48000
#define KEY_STEP  0.5

typedef struct Scene {
    int w, h, num, den, seconds_milli;
    uint32_t seed;
    const char *prefix, *y4m;
    int64_t frames;
    uint16_t gamma[4096];       ///< linear -> BT.709 transfer, 255 * 64 = white
    int8_t grain[65536];        ///< sensor noise, in 1/16 code
    Camera cam;
    Canvas cv;
    World world;
    Person people[NB_PEOPLE];
} Scene;

typedef struct Rect { double x, y, w, h; } Rect;

static void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "scene: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    exit(1);
}

/* code value of linear x: the power 0.45 found by bisection of y^20 = x^9 */
static double oetf(double x)
{
    double lo = 0, hi = 1, x3 = x * x * x, x9 = x3 * x3 * x3;

    if (x < 0.018)
        return 4.5 * x;
    for (int i = 0; i < 40; i++) {
        double y = 0.5 * (lo + hi), y4 = y * y * y * y, y20 = y4 * y4 * y4 * y4 * y4;
        if (y20 <= x9)
            lo = y;
        else
            hi = y;
    }
    return 1.099 * lo - 0.099;
}

static Camera camera_of(const Scene *s, double t)
{
    V3 l = lead_pos(t - 0.35);
    V3 look = v3(0.85f * l.x + 11 + 0.05f * sint(t * 0.9), 23 + 0.5f * (l.y - 18) + 0.04f * sint(t * 1.1 + 0.3), 1);

    return camera_at(v3(62, -31, 20), look, s->w, s->h);
}

static Rect key_at(const Scene *s, int64_t k)
{
    double t = k * KEY_STEP;
    Camera c = camera_of(s, t);
    V3 p = lead_pos(t), d = vsub(lead_pos(t + 0.05), p);
    float sx, sy, px = project(&c, v3(p.x + 2.5f * d.x, p.y, 0.85f), &sx, &sy);
    Rect r = { .h = 0.203 * s->h + clampf(2.64f * px, 0, 0.5f * s->h) };

    r.w = r.h * 9 / 16;
    r.x = clampf(sx - 0.5 * r.w, 0, s->w - r.w);
    r.y = clampf(sy - 0.5 * r.h, 0, s->h - r.h);
    return r;
}

static Rect rect_at(const Scene *s, double t)
{
    int64_t k = t / KEY_STEP;
    double u = t / KEY_STEP - k;
    Rect a = key_at(s, k), b = key_at(s, k + 1);

    return (Rect){ a.x + (b.x - a.x) * u, a.y + (b.y - a.y) * u, a.w + (b.w - a.w) * u, a.h + (b.h - a.h) * u };
}

static double time_of(const Scene *s, int64_t n)
{
    return (double)n * s->den / s->num;
}

/* @return the whole second whose mark frame n carries, 0 = none */
static int64_t mark_of(const Scene *s, int64_t n)
{
    int64_t sec = n * s->den / s->num;          // last whole second at or before frame n

    return sec > 0 && (n - 1) * s->den < sec * s->num ? sec : 0;
}

static void draw_mark(Scene *s, int64_t n)
{
    Rect r = rect_at(s, time_of(s, n));
    int x0 = r.x + 0.05 * r.w, y0 = r.y + 0.03 * r.h, side = r.w * 0.14 + 1;

    for (int y = y0; y < y0 + side && y < s->h; y++)
        for (int x = x0; x < x0 + side && x < s->w; x++)
            for (int i = 0; i < 3; i++)
                s->cv.px[((size_t)y * s->w + x) * 3 + i] = 1;
}

/* linear light -> Y'CbCr 4:2:0, chroma at the left luma column of each pair */
static void put_frame(Scene *s, uint8_t *out, int *cb, int *cr, uint32_t noise)
{
    uint8_t *oy = out, *ou = out + (size_t)s->w * s->h, *ov = ou + (size_t)s->w * s->h / 4;

    for (int y = 0; y < s->h; y++) {
        const float *p = s->cv.px + (size_t)y * s->w * 3;
        const uint32_t g = hash32(noise + y);
        int *u = cb + (y & 1) * s->w, *v = cr + (y & 1) * s->w;
        for (int x = 0; x < s->w; x++, p += 3) {
            int r = s->gamma[(int)(clampf(p[0], 0, 1) * 4095)], gr = s->gamma[(int)(clampf(p[1], 0, 1) * 4095)];
            int b = s->gamma[(int)(clampf(p[2], 0, 1) * 4095)];
            int l = (2126 * r + 7152 * gr + 722 * b) / 10000;       // 0..16320
            int c = 16 * 1024 + (l * 219 * 16) / 255 + s->grain[(g + x) & 65535] * 64;
            *oy++ = clampf((c + 512) >> 10, 16, 235);
            u[x]  = (b - l) * 224 / 473;                            // 1.8556 * 255
            v[x]  = (r - l) * 224 / 402;                            // 1.5748 * 255
        }
        for (int x = 0; (y & 1) && x < s->w; x += 2) {
            int l = x ? x - 1 : 0, u2 = 0, v2 = 0;
            for (int k = 0; k <= s->w; k += s->w) {
                u2 += cb[k + l] + 2 * cb[k + x] + cb[k + x + 1];
                v2 += cr[k + l] + 2 * cr[k + x] + cr[k + x + 1];
            }
            *ou++ = clampf((u2 + 128 * 512 + 256) >> 9, 16, 240);
            *ov++ = clampf((v2 + 128 * 512 + 256) >> 9, 16, 240);
        }
    }
}

static FILE *open_out(const Scene *s, const char *ext, char *name, size_t size)
{
    FILE *f;

    if (snprintf(name, size, "%s%s", s->prefix, ext) >= (int)size)
        die("--out-prefix is longer than %d characters", (int)size - 8);
    if (!(f = fopen(name, "wb")))
        die("cannot write %s: %s", name, strerror(errno));
    return f;
}

static void close_out(FILE *f, const char *name)
{
    if (ferror(f) | fclose(f))
        die("writing %s failed: %s", name, strerror(errno));
}

static void write_keys(const Scene *s)
{
    char name[1024];
    FILE *f = open_out(s, ".keys.json", name, sizeof(name));
    int64_t last = time_of(s, s->frames) / KEY_STEP + 1;

    for (int64_t k = 0; k <= last; k++) {
        Rect r = key_at(s, k);
        fprintf(f, "%s{\"time\": %.1f, \"x\": %.3f, \"y\": %.3f, \"width\": %.3f, \"height\": %.3f}",
                k ? ",\n " : "[", k * KEY_STEP, r.x, r.y, r.w, r.h);
    }
    fprintf(f, "]\n");
    close_out(f, name);
}

static void put_le(FILE *f, uint32_t v, int bytes)
{
    for (; bytes; bytes--, v >>= 8)
        fputc(v & 255, f);
}

/* a murmuring crowd (noise through two low passes, swelling) and the clicks */
static void write_sound(const Scene *s)
{
    char name[1024];
    FILE *f = open_out(s, ".wav", name, sizeof(name));
    int64_t n = s->frames * RATE * s->den / s->num, mark = 0, next = 0;
    float lp[2][3] = { { 0 } };
    uint32_t rnd = s->seed * 2654435761U + 1;

    fwrite("RIFF", 4, 1, f); put_le(f, 36 + 4 * n, 4); fwrite("WAVEfmt ", 8, 1, f);
    put_le(f, 16, 4); put_le(f, 1, 2); put_le(f, 2, 2); put_le(f, RATE, 4);
    put_le(f, RATE * 4, 4); put_le(f, 4, 2); put_le(f, 16, 2);
    fwrite("data", 4, 1, f); put_le(f, 4 * n, 4);
    for (int64_t i = 0; i < n; i++) {
        double t = (double)i / RATE;
        float swell = 0.8f + 0.25f * sint(t / 3.1) + 0.15f * sint(t / 1.3 + 0.4), click = 0;
        while (next < s->frames && (!mark || i >= next * RATE * s->den / s->num + RATE / 100)) {
            do                                  // the click that is due next
                mark = mark_of(s, ++next);
            while (!mark && next < s->frames);
        }
        if (mark && next < s->frames) {
            int64_t at = i - (next * RATE * s->den + s->num / 2) / s->num;
            if (at >= 0 && at < RATE / 250)
                click = 0.8f * sint(at * 3000.0 / RATE) * (1 - at * 250.0f / RATE);
        }
        for (int c = 0; c < 2; c++) {
            float white;
            rnd = rnd * 1664525U + 1013904223U;
            white    = (int)(rnd >> 8 & 0xffff) / 32768.0f - 1;
            lp[c][0] += 0.20f * (white - lp[c][0]);
            lp[c][1] += 0.09f * (lp[c][0] - lp[c][1]);
            lp[c][2] += 0.01f * (lp[c][1] - lp[c][2]);
            put_le(f, (uint16_t)(int16_t)(32767 * clampf(0.5f * swell * (lp[c][1] - lp[c][2]) + click, -1, 1)), 2);
        }
    }
    close_out(f, name);
}

static void scene_init(Scene *s)
{
    for (int i = 0; i < 4096; i++)
        s->gamma[i] = oetf((i + 0.5) / 4096) * 16320 + 0.5;
    for (int i = 0; i < 65536; i++)             // triangular, +-1.3 codes
        s->grain[i] = (hashf(i, s->seed + 21) + hashf(i, s->seed + 22) - 1) * 21;
    if (!canvas_alloc(&s->cv, s->w, s->h) || !world_init(&s->world, s->seed))
        die("not enough memory for --size %dx%d", s->w, s->h);
    people_init(s->people, s->seed);
}

static void write_picture(Scene *s)
{
    char name[1024] = "standard output";
    FILE *f = stdout;
    size_t size = (size_t)s->w * s->h * 3 / 2;
    uint8_t *out = malloc(size);
    int *chroma = malloc(sizeof(int) * s->w * 4);

    if (!out || !chroma)
        die("not enough memory for --size %dx%d", s->w, s->h);
    if (!s->y4m)
        f = open_out(s, ".y4m", name, sizeof(name));
    fprintf(f, "YUV4MPEG2 W%d H%d F%d:%d Ip A1:1 C420mpeg2 XCOLORRANGE=LIMITED\n", s->w, s->h, s->num, s->den);
    for (int64_t n = 0; n < s->frames; n++) {
        double t = time_of(s, n);

        s->cam = camera_of(s, t);
        people_move(s->people, s->seed, t, n ? time_of(s, 1) : 0);
        draw_ground(&s->cv, &s->world, &s->cam, t);
        paint_lines(&s->cv, &s->cam);
        draw_people(&s->cv, &s->cam, &s->world, s->people, t);
        if (mark_of(s, n))
            draw_mark(s, n);
        put_frame(s, out, chroma, chroma + 2 * s->w, s->seed + n * 7919);
        if (fputs("FRAME\n", f) < 0 || fwrite(out, size, 1, f) != 1)
            die("writing %s failed: %s", name, strerror(errno));
    }
    close_out(f, name);
    free(out);
    free(chroma);
}

static void usage(FILE *f)
{
    fprintf(f, "usage: scene [--size WxH] [--fps N[/D]] [--seconds S] [--seed N] [--stdout] --out-prefix P\n"
               "A generated football scene: P.y4m (yuv420p, BT.709, limited range), P.wav (48 kHz stereo)\n"
               "and P.keys.json (9:16 crop keys that follow one player).\n"
               "  --size WxH      even, 128x72 to 7680x4320 (1920x1080)\n"
               "  --fps N[/D]     1 to 240 (30)\n"
               "  --seconds S     0.1 to 600 (5)\n"
               "  --seed N        0 to 4294967295 (1)\n"
               "  --stdout        write the Y4M to standard output instead of P.y4m\n");
}

static void parse(Scene *s, int argc, char **argv)
{
    double seconds;

    for (int i = 1; i < argc; i++) {
        const char *o = argv[i], *v = argv[i + 1];
        char end = 0;
        int bad = 0;

        if (!strcmp(o, "--help") || !strcmp(o, "-h")) {
            usage(stdout);
            exit(0);
        }
        if (!strcmp(o, "--stdout")) {
            s->y4m = "-";
            continue;
        }
        if (!v)
            die("%s: unknown option or no value (see --help)", o);
        if (!strcmp(o, "--size"))
            bad = sscanf(v, "%dx%d%c", &s->w, &s->h, &end) != 2 || s->w < 128 || s->h < 72 ||
                  s->w > 7680 || s->h > 4320 || s->w % 2 || s->h % 2;
        else if (!strcmp(o, "--fps")) {
            s->den = 1;
            bad = (sscanf(v, "%d/%d%c", &s->num, &s->den, &end) != 2 && sscanf(v, "%d%c", &s->num, &end) != 1) ||
                  s->den < 1 || s->den > 100000 || s->num < s->den || s->num / 240.0 > s->den;
        } else if (!strcmp(o, "--seconds")) {
            bad = sscanf(v, "%lf%c", &seconds, &end) != 1 || !(seconds >= 0.1 && seconds <= 600);
            s->seconds_milli = bad ? 0 : seconds * 1000 + 0.5;
        } else if (!strcmp(o, "--seed"))
            bad = sscanf(v, "%u%c", &s->seed, &end) != 1 || *v == '-';
        else if (!strcmp(o, "--out-prefix"))
            s->prefix = v;
        else
            die("unknown option %s (see --help)", o);
        if (bad)
            die("%s %s: out of range or not understood (see --help)", o, v);
        i++;
    }
    if (!s->prefix)
        die("--out-prefix is missing (see --help)");
}

int main(int argc, char **argv)
{
    static Scene s = { .w = 1920, .h = 1080, .num = 30, .den = 1, .seconds_milli = 5000, .seed = 1 };

    parse(&s, argc, argv);
    s.frames = ((int64_t)s.seconds_milli * s.num + 500 * s.den) / (1000LL * s.den);
    if (s.frames < 1)
        s.frames = 1;
    scene_init(&s);
    write_keys(&s);
    write_sound(&s);
    write_picture(&s);
    return 0;
}
