/*
 * yolodetect: letterbox, colour, resize, against the same in plain words
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

#include "libavutil/frame.h"
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"

#include "libavfilter/yolo_pic.h"
#include "tap.h"

static uint32_t seed = 1;

static uint32_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

/* ---- geometry ------------------------------------------------------------------ */

static void test_fit(void)
{
    /* sizes, then: left, top, width, height of the picture; pads of the way back */
    static const struct { int w, h, nw, nh, topleft, left, top, pw, ph, px, py; } c[] = {
        { 1920, 1080, 640, 640, 0,   0, 140, 640, 360,   0, 140 },
        { 1280,  720, 416, 416, 0,   0,  91, 416, 234,   0,  91 },
        {  810, 1080, 640, 640, 0,  80,   0, 480, 640,  80,   0 },
        {  333,  500, 640, 640, 0, 107,   0, 426, 640, 107,   0 },
        {  641,  640, 640, 640, 0,   0,   0, 640, 639,   0,   0 },  // 639.0016; half a row to spare: top = round(0.4)
        { 1000,  564, 640, 640, 0,   0, 139, 640, 361,   0, 139 },
        {    5,    2, 640, 640, 0,   0, 192, 640, 256,   0, 192 },
        {  100,   41,  50,  64, 0,   0,  22,  50,  20,   0,  22 },  // 20.5 goes to the even 20; (64 - 20.5) / 2 - 0.1 = 21.65
        {  100,   43,  50,  64, 0,   0,  21,  50,  22,   0,  21 },  // 21.5 to 22; 21.15
        {    1,    1,  64,  64, 0,   0,   0,  64,  64,   0,   0 },
        { 5000,    1,  64,  64, 0,   0,  31,  64,   1,   0,  32 },  // never less than a row
        { 1280,  720, 416, 416, 1,   0,   0, 416, 234,   0,   0 },
        { 1000,  564, 640, 640, 1,   0,   0, 640, 360,   0,   0 },  // cut off, not rounded
        {    1, 5000,  64,  64, 1,   0,   0,   1,  64,   0,   0 },
    };

    for (int i = 0; i < sizeof(c) / sizeof(*c); i++) {
        YoloGeometry g;
        ff_yolo_fit(&g, c[i].topleft ? YOLO_IN_BGR255 : YOLO_IN_RGB, 7, 9, c[i].w, c[i].h, c[i].nw, c[i].nh);
        tap_ok(g.left == c[i].left && g.top == c[i].top && g.pic_w == c[i].pw && g.pic_h == c[i].ph &&
               g.pad_x == c[i].px && g.pad_y == c[i].py, "%dx%d in %dx%d%s: %dx%d at %d,%d, pads %g,%g", c[i].w, c[i].h,
               c[i].nw, c[i].nh, c[i].topleft ? " top left" : "", g.pic_w, g.pic_h, g.left, g.top, g.pad_x, g.pad_y);
    }
}

static void test_unfit(void)
{
    double worst = 0;
    YoloGeometry g;
    YoloBox b = { .x1 = 0, .y1 = 140, .x2 = 640, .y2 = 500 };

    ff_yolo_fit(&g, YOLO_IN_RGB, 100, 50, 1920, 1080, 640, 640);
    ff_yolo_unfit(&g, &b);
    tap_ok(b.x1 == 100 && b.y1 == 50 && b.x2 == 2020 && b.y2 == 1130, "the letterbox's edges are those of the part of the frame");
    for (int i = 0; i < 2000; i++) {
        const int w = 1 + rnd() % 3000, h = 1 + rnd() % 3000, n = 32 * (1 + rnd() % 30);
        const double x = rnd() % w, y = rnd() % h;
        ff_yolo_fit(&g, i & 1 ? YOLO_IN_RGB : YOLO_IN_BGR255, 3, 4, w, h, n, 640);
        b.x1 = x * g.pic_w / w + g.left;
        b.y1 = y * g.pic_h / h + g.top;
        b.x2 = b.y2 = 0;
        ff_yolo_unfit(&g, &b);
        worst = fmax(worst, fmax(fabs(b.x1 - 3 - x), fabs(b.y1 - 4 - y)) * g.gain);
    }
    tap_ok(worst < 1.51, "there and back: off by at most %.2f pixels of the net (rounding of size and of pads)", worst);
}

static void test_rect(void)
{
    static const struct { int w, h, sw, sh, nw, nh; } c[] = {
        { 1920, 1080, 640, 640, 640, 384 }, { 1080, 1920, 640, 640, 384, 640 }, { 640, 640, 640, 640, 640, 640 },
        { 1280, 720, 416, 416, 416, 256 }, { 5000, 1, 640, 640, 640, 32 }, { 1920, 800, 1280, 1280, 1280, 544 },
    };

    for (int i = 0; i < sizeof(c) / sizeof(*c); i++) {
        int nw, nh;
        ff_yolo_rect(&nw, &nh, c[i].w, c[i].h, c[i].sw, c[i].sh, 32);
        tap_ok(nw == c[i].nw && nh == c[i].nh, "%dx%d at %d: a net of %dx%d", c[i].w, c[i].h, c[i].sw, nw, nh);
    }
}

/* ---- pixels ----------------------------------------------------------------------- */

static AVFrame *noise(enum AVPixelFormat fmt, int w, int h)
{
    AVFrame *f = av_frame_alloc();
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(fmt);

    f->format = fmt;
    f->width  = w;
    f->height = h;
    if (av_frame_get_buffer(f, 0) < 0)
        abort();
    for (int p = 0; p < 4 && f->buf[p]; p++)
        for (size_t i = 0; i < f->buf[p]->size; i++)
            f->buf[p]->data[i] = rnd() >> 8;
    /* samples of whole depth; what lies beside them stays noise */
    for (int c = 0; c < d->nb_components; c++) {
        const int chroma = (c == 1 || c == 2) && !(d->flags & AV_PIX_FMT_FLAG_RGB);
        const int cw = chroma ? AV_CEIL_RSHIFT(w, d->log2_chroma_w) : w, ch = chroma ? AV_CEIL_RSHIFT(h, d->log2_chroma_h) : h;
        uint16_t *line = av_malloc_array(cw, sizeof(*line));
        for (int y = 0; y < ch && d->comp[c].depth + d->comp[c].shift > 8; y++) {
            for (int x = 0; x < cw; x++)
                line[x] = (rnd() >> 8) & ((1 << d->comp[c].depth) - 1);
            for (int x = 0; x < cw; x++) {
                uint16_t *at = (uint16_t *)(f->data[d->comp[c].plane] + y * f->linesize[d->comp[c].plane] +
                                            x * d->comp[c].step + d->comp[c].offset);
                *at = line[x] << d->comp[c].shift;
            }
        }
        av_free(line);
    }
    return f;
}

/* 8-bit R, G, B of the whole frame, by the definition of the matrix */
static uint8_t *to_rgb(const AVFrame *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    const int depth = d->comp[0].depth, alpha = !!(d->flags & AV_PIX_FMT_FLAG_ALPHA), nb = d->nb_components - alpha;
    const int rgb = !!(d->flags & AV_PIX_FMT_FLAG_RGB), max = (1 << depth) - 1;
    const int full = rgb || nb == 1 || f->color_range == AVCOL_RANGE_JPEG;
    const double kr = f->colorspace == AVCOL_SPC_BT709 ? 0.2126 : 0.299, kb = f->colorspace == AVCOL_SPC_BT709 ? 0.0722 : 0.114;
    uint8_t *out = av_malloc(3 * f->width * f->height);
    uint16_t *line[3];

    for (int c = 0; c < 3; c++)
        line[c] = av_malloc_array(f->width, 2);
    for (int y = 0; y < f->height; y++) {
        for (int c = 0; c < nb; c++) {
            const int chroma = c && !rgb;
            av_read_image_line2(line[c], (const uint8_t **)f->data, f->linesize, d, 0, chroma ? y >> d->log2_chroma_h : y, c,
                                chroma ? AV_CEIL_RSHIFT(f->width, d->log2_chroma_w) : f->width, 0, 2);
        }
        for (int x = 0; x < f->width; x++) {
            double v[3];
            if (rgb) {
                for (int c = 0; c < 3; c++)
                    v[c] = line[c][x] / (double)max;
            } else {
                const double unit = 1 << (depth - 8), cx = x >> d->log2_chroma_w;
                const double l = full ? line[0][x] / (double)max : (line[0][x] / unit - 16) / 219;
                double cb = 0, cr = 0;
                if (nb == 3) {
                    cb = full ? (line[1][(int)cx] - 128 * unit) / max : (line[1][(int)cx] / unit - 128) / 224;
                    cr = full ? (line[2][(int)cx] - 128 * unit) / max : (line[2][(int)cx] / unit - 128) / 224;
                }
                v[0] = l + 2 * (1 - kr) * cr;
                v[2] = l + 2 * (1 - kb) * cb;
                v[1] = (l - kr * v[0] - kb * v[2]) / (1 - kr - kb);
            }
            for (int c = 0; c < 3; c++)
                out[3 * (y * f->width + x) + c] = lrint(fmin(fmax(v[c], 0), 1) * 255);
        }
    }
    for (int c = 0; c < 3; c++)
        av_free(line[c]);
    return out;
}

/* half-pixel centres, no filter, in double */
static double sample(const uint8_t *rgb, int stride, const YoloGeometry *g, int x, int y, int c)
{
    const double sx = fmin(fmax((x + 0.5) * g->w / g->pic_w - 0.5, 0), g->w - 1);
    const double sy = fmin(fmax((y + 0.5) * g->h / g->pic_h - 0.5, 0), g->h - 1);
    const int x0 = sx, y0 = sy, x1 = x0 + (x0 < g->w - 1), y1 = y0 + (y0 < g->h - 1);
#define AT(px, py) rgb[3 * ((g->y + py) * stride + g->x + px) + c]
    const double up = AT(x0, y0) + (sx - x0) * (AT(x1, y0) - AT(x0, y0));
    const double down = AT(x0, y1) + (sx - x0) * (AT(x1, y1) - AT(x0, y1));

    return up + (sy - y0) * (down - up);
}

/* @return the largest difference in codes; INFINITY: padding is wrong */
static double compare(const YoloPic *p, const float *t, const AVFrame *f)
{
    const YoloGeometry *g = &p->g;
    const double unit = p->input == YOLO_IN_RGB ? 255 : 1;
    uint8_t *rgb = to_rgb(f);
    double worst = 0;

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < g->net_h; y++)
            for (int x = 0; x < g->net_w; x++) {
                const double v = t[((size_t)c * g->net_h + y) * g->net_w + x] * unit;
                const int px = x - g->left, py = y - g->top;
                if (px < 0 || py < 0 || px >= g->pic_w || py >= g->pic_h)
                    worst = fabs(v - 114) < 1e-4 ? worst : INFINITY;
                else
                    worst = fmax(worst, fabs(v - sample(rgb, f->width, g, px, py, p->input == YOLO_IN_RGB ? c : 2 - c)));
            }
    av_free(rgb);
    return worst;
}

static float *run(const YoloPic *p, const AVFrame *f, int step)
{
    NNFormat fmt = p->fmt;
    float *t = av_malloc(3 * p->g.net_w * p->g.net_h * sizeof(float));
    void *scratch = av_malloc(ff_yolo_pic_scratch(p));

    memset(t, 0xff, 3 * p->g.net_w * p->g.net_h * sizeof(float));
    if (ff_yolo_pic_color(&fmt, f, NULL) < 0)
        abort();
    for (int y = 0; y < p->g.net_h; y += step)
        ff_yolo_pic_rows(p, &fmt, f, t, y, y + step < p->g.net_h ? y + step : p->g.net_h, scratch);
    av_free(scratch);
    return t;
}

static void test_format(const char *name, int w, int h, int nw, int nh, int csp, int range, double bound)
{
    const enum AVPixelFormat fmt = av_get_pix_fmt(name);
    AVFrame *f = noise(fmt, w, h);
    const int roi = w > 20 && h > 20;
    double worst[2] = { 0 };
    int same = 1;

    f->colorspace  = csp;
    f->color_range = range;
    for (int k = 0; k < 4; k++) {
        const enum YoloInput in = k & 1 ? YOLO_IN_BGR255 : YOLO_IN_RGB;
        YoloGeometry g;
        YoloPic p;
        float *t, *u;
        if (k < 2)
            ff_yolo_fit(&g, in, 0, 0, w, h, nw, nh);
        else if (roi)
            ff_yolo_fit(&g, in, 5, 3, w - 11, h - 7, nw, nh);
        else
            break;
        if (ff_yolo_pic_init(&p, fmt, &g, in) < 0)
            abort();
        t = run(&p, f, nh);
        u = run(&p, f, 7);
        worst[k / 2] = fmax(worst[k / 2], compare(&p, t, f));
        same &= !memcmp(t, u, 3 * nw * nh * sizeof(float));
        av_free(t);
        av_free(u);
        ff_yolo_pic_free(&p);
    }
    tap_ok(worst[0] <= bound && worst[1] <= bound && same,
           "%s %dx%d -> %dx%d%s: off by at most %.2f codes%s%s", name, w, h, nw, nh, csp == AVCOL_SPC_BT709 ? ", BT.709" : "",
           fmax(worst[0], worst[1]), roi ? ", a part of it too" : "", same ? "" : "; IN STRIPS IT DIFFERS");
    av_frame_free(&f);
}

/* ---- OpenCV's ------------------------------------------------------------------------ */

/* a picture of one generator, then 64 samples of the result: x y r g b */
static double opencv_case(FILE *f, int w, int h, int nw, int nh, int topleft, unsigned start)
{
    const enum YoloInput in = topleft ? YOLO_IN_BGR255 : YOLO_IN_RGB;
    AVFrame *frame = noise(AV_PIX_FMT_RGB24, w, h);
    double worst = 0;
    YoloGeometry g;
    YoloPic p;
    float *t;

    seed = start;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < 3 * w; x++)
            frame->data[0][y * frame->linesize[0] + x] = rnd() >> 8;
    ff_yolo_fit(&g, in, 0, 0, w, h, nw, nh);
    if (ff_yolo_pic_init(&p, AV_PIX_FMT_RGB24, &g, in) < 0)
        abort();
    t = run(&p, frame, nh);
    for (int i = 0; i < 64; i++) {
        int x, y, v[3];
        if (fscanf(f, "%d %d %d %d %d", &x, &y, &v[0], &v[1], &v[2]) != 5 || x < 0 || y < 0 || x >= nw || y >= nh) {
            worst = INFINITY;
            break;
        }
        for (int c = 0; c < 3; c++)
            worst = fmax(worst, fabs(t[((topleft ? 2 - c : c) * nh + y) * nw + x] * (topleft ? 1 : 255) - v[c]));
    }
    av_free(t);
    ff_yolo_pic_free(&p);
    av_frame_free(&frame);
    return worst;
}

static void test_opencv(void)
{
    const char *top = getenv("FFREEL_TOP");
    char name[1000];
    int w, h, nw, nh, topleft;
    unsigned start;
    FILE *f;

    snprintf(name, sizeof(name), "%s/tests/ref/yolo_pic.txt", top ? top : ".");
    if (!tap_ok((f = fopen(name, "r")) != NULL, "%s is there", name))
        return;
    while (fscanf(f, " case %d %d %d %d %d %u", &w, &h, &nw, &nh, &topleft, &start) == 6) {
        const double worst = opencv_case(f, w, h, nw, nh, topleft, start);
        tap_ok(worst <= 1.001, "%dx%d -> %dx%d: off OpenCV's resize() by at most %.2f codes", w, h, nw, nh, worst);
    }
    tap_ok(feof(f), "all of the reference was read");
    fclose(f);
}

int main(void)
{
    static const char *const formats[] = {
        "yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv410p", "nv12", "nv21", "nv16", "p010le", "p016le",
        "yuv420p9le", "yuv420p10le", "yuv422p12le", "yuv444p14le", "yuv444p16le", "yuva420p", "yuva444p10le", "yuyv422", "uyvy422",
        "gray", "gray10le", "gray16le", "ya8", "gbrp", "gbrap", "gbrp10le", "gbrp16le", "rgb24", "bgr24", "rgba", "bgra",
        "argb", "abgr", "rgb0", "rgb48le", "rgba64le",
    };
    static const int sizes[][4] = {
        { 1, 1, 32, 32 }, { 2, 1, 32, 64 }, { 1, 7, 64, 32 }, { 3, 3, 32, 32 }, { 17, 200, 64, 64 }, { 33, 31, 32, 32 },
        { 64, 64, 32, 32 }, { 64, 64, 64, 64 }, { 301, 167, 96, 96 }, { 63, 35, 320, 192 },
    };

    test_fit();
    test_unfit();
    test_rect();
    for (int i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        test_format(formats[i], 67, 45, 96, 64, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED, 1.1);
        test_format(formats[i], 151, 93, 64, 64, AVCOL_SPC_BT709, AVCOL_RANGE_UNSPECIFIED, 1.1);
    }
    test_format("yuv420p", 64, 48, 64, 64, AVCOL_SPC_BT709, AVCOL_RANGE_JPEG, 1.1);
    test_format("yuv444p10le", 64, 48, 64, 64, AVCOL_SPC_SMPTE170M, AVCOL_RANGE_JPEG, 1.1);
    for (int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (int k = 0; k < 3; k++)
            test_format(((const char *[]) { "yuv420p", "rgb24", "p010le" })[k], sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3],
                        AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED, 1.1);
    test_opencv();
    return tap_done();
}
