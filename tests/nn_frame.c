/*
 * Frames to RGB and back, all formats, against a double-precision reference
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


#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/frame.h"
#include "libavutil/imgutils.h"
#include "libavutil/intfloat.h"
#include "libavutil/lfg.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"
#include "esrgan_pic.h"
#include "tap.h"

#define MAXW 64
#define MAXH 48

/* ---- frames by libavutil's own reader and writer ---------------------------------- */

static AVFrame *new_frame(enum AVPixelFormat fmt, int w, int h)
{
    AVFrame *f = av_frame_alloc();

    f->format = fmt;
    f->width  = w;
    f->height = h;
    if (av_frame_get_buffer(f, 0) < 0)
        exit(1);
    for (int p = 0; p < 4 && f->buf[p]; p++)
        memset(f->buf[p]->data, 0, f->buf[p]->size);
    return f;
}

static double get(const AVFrame *f, int c, int x, int y)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    uint32_t v;

    av_read_image_line2(&v, (const uint8_t **)f->data, f->linesize, d, x, y, c, 1, 0, 4);
    return d->flags & AV_PIX_FMT_FLAG_FLOAT ? av_int2float(v) : v;
}

static void set(AVFrame *f, int c, int x, int y, double value)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    uint32_t v = d->flags & AV_PIX_FMT_FLAG_FLOAT ? av_float2int(value) : (uint32_t)value;

    av_write_image_line2(&v, f->data, f->linesize, d, x, y, c, 1, 4);
}

static int is_float(const AVPixFmtDescriptor *d) { return !!(d->flags & AV_PIX_FMT_FLAG_FLOAT); }
static int is_rgb  (const AVPixFmtDescriptor *d) { return !!(d->flags & AV_PIX_FMT_FLAG_RGB); }
static int has_alpha(const AVPixFmtDescriptor *d) { return !!(d->flags & AV_PIX_FMT_FLAG_ALPHA); }
static int colors(const AVPixFmtDescriptor *d) { return d->nb_components - has_alpha(d); }
static double top(const AVPixFmtDescriptor *d) { return is_float(d) ? 1 : (1 << d->comp[0].depth) - 1; }

static int log2_of(const AVPixFmtDescriptor *d, int c, int axis)
{
    int chroma = colors(d) == 3 && !is_rgb(d) && (c == 1 || c == 2);
    return !chroma ? 0 : axis ? d->log2_chroma_h : d->log2_chroma_w;
}

#define FOR_EACH(f, d, c, x, y)                                                          \
    for (int c = 0; c < d->nb_components; c++)                                           \
        for (int y = 0; y < AV_CEIL_RSHIFT(f->height, log2_of(d, c, 1)); y++)            \
            for (int x = 0; x < AV_CEIL_RSHIFT(f->width, log2_of(d, c, 0)); x++)

/* ---- the pictures' way through a net that does nothing ------------------------------ */

static int pass(const AVFrame *in, AVFrame *out, float strength)
{
    ESRGANGeometry g = { in->width, in->height, in->width, in->height, in->width, in->height, 1, 1 };
    ESRGANPic p = { 0 };
    int ret = ff_esrgan_pic_init(&p, &g, in->format, 1, NULL);

    if (ret >= 0 && (ret = ff_esrgan_pic_window(&p, in->height, NULL)) >= 0 &&
        (ret = ff_esrgan_pic_start(&p, in, NULL)) >= 0) {
        ff_esrgan_pic_in(&p, in, 0, 0, in->height);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < in->height; y++)
                memcpy(ff_esrgan_pic_net(&p, c, 0, y), p.rgb[c] + y * p.rgb_stride, in->width * sizeof(float));
        if (!ff_esrgan_pic_codes(&p, 0, 0, in->width, in->height))
            ret = -1;
        ff_esrgan_pic_out(&p, in, out, strength, 0, 0, in->height);
    }
    ff_esrgan_pic_uninit(&p);
    return ret;
}

/* ---- the same in double, from the standards' formulas ------------------------------- */

static double ref_rgb[3][MAXH][MAXW], ref_full[3][MAXH][MAXW];

/** first chroma sample in luma samples, by H.273's picture of the six locations */
static double siting(int loc, int axis, int log2)
{
    static const double pos[AVCHROMA_LOC_NB][2] = {
        [AVCHROMA_LOC_LEFT]    = { 0, .5 }, [AVCHROMA_LOC_CENTER]     = { .5, .5 },
        [AVCHROMA_LOC_TOPLEFT] = { 0, 0 },  [AVCHROMA_LOC_TOP]        = { .5, 0 },
        [AVCHROMA_LOC_BOTTOMLEFT] = { 0, 1 }, [AVCHROMA_LOC_BOTTOM]   = { .5, 1 },
    };
    return pos[loc][axis] * ((1 << log2) - 1);
}

static double cubic(double x)
{
    x = fabs(x);
    return x < 1 ? 1.5 * x * x * x - 2.5 * x * x + 1 : x < 2 ? -.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
}

/** weights of samples 0..n-1 for a value at x; kernel stretched by widen */
static void weights(double *w, int n, double x, double widen)
{
    double sum = 0;
    memset(w, 0, n * sizeof(*w));
    for (int j = floor(x - 2 * widen); j <= ceil(x + 2 * widen); j++) {
        double v = cubic((j - x) / widen);
        w[av_clip(j, 0, n - 1)] += v;
        sum += v;
    }
    for (int j = 0; j < n; j++)
        w[j] /= sum;
}

static void ref_upsample(const AVFrame *f, int c)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    int lx = log2_of(d, c, 0), ly = log2_of(d, c, 1);
    int cw = AV_CEIL_RSHIFT(f->width, lx), ch = AV_CEIL_RSHIFT(f->height, ly);
    double wx[MAXW], wy[MAXH];

    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++) {
            double sum = 0;
            weights(wx, cw, (x - siting(f->chroma_location, 0, lx)) / (1 << lx), 1);
            weights(wy, ch, (y - siting(f->chroma_location, 1, ly)) / (1 << ly), 1);
            for (int j = 0; j < ch; j++)
                for (int i = 0; i < cw && wy[j]; i++)
                    if (wx[i])
                        sum += wy[j] * wx[i] * get(f, c, i, j);
            ref_full[c][y][x] = sum;
        }
}

static double ref_down(int c, const AVFrame *f, int x, int y)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    int lx = log2_of(d, c, 0), ly = log2_of(d, c, 1);
    double wx[MAXW], wy[MAXH], sum = 0;

    weights(wx, f->width,  (x << lx) + siting(f->chroma_location, 0, lx), 1 << lx);
    weights(wy, f->height, (y << ly) + siting(f->chroma_location, 1, ly), 1 << ly);
    for (int j = 0; j < f->height; j++)
        for (int i = 0; i < f->width && wy[j]; i++)
            sum += wy[j] * wx[i] * ref_full[c][j][i];
    return sum;
}

/** fills ref_full with the codes of the clipped RGB picture */
static void reference(const AVFrame *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    double unit = is_float(d) ? 1 / 255. : 1 << (d->comp[0].depth - 8);
    int limited = f->color_range == AVCOL_RANGE_MPEG;
    double ys = limited ? 219 * unit : top(d), yo = limited ? 16 * unit : 0;
    double cs = limited ? 224 * unit : top(d), co = 128 * unit;
    double kr = f->colorspace == AVCOL_SPC_BT709 ? .2126 : f->colorspace == AVCOL_SPC_BT2020_NCL ? .2627 : .299;
    double kb = f->colorspace == AVCOL_SPC_BT709 ? .0722 : f->colorspace == AVCOL_SPC_BT2020_NCL ? .0593 : .114;
    double kg = 1 - kr - kb;

    for (int c = 0; c < colors(d); c++)
        ref_upsample(f, c);
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++) {
            double v[3] = { 0 }, r, g, b;
            for (int c = 0; c < colors(d); c++)
                v[c] = ref_full[c][y][x];
            if (is_rgb(d)) {
                r = (v[0] - yo) / ys, g = (v[1] - yo) / ys, b = (v[2] - yo) / ys;
            } else {
                double l = (v[0] - yo) / ys, pb = 0, pr = 0;
                if (colors(d) == 3)
                    pb = (v[1] - co) / cs, pr = (v[2] - co) / cs;
                r = l + 2 * (1 - kr) * pr;
                b = l + 2 * (1 - kb) * pb;
                g = (l - kr * r - kb * b) / kg;
            }
            r = ref_rgb[0][y][x] = av_clipd(r, 0, 1);
            g = ref_rgb[1][y][x] = av_clipd(g, 0, 1);
            b = ref_rgb[2][y][x] = av_clipd(b, 0, 1);
            if (is_rgb(d)) {
                ref_full[0][y][x] = r * ys + yo, ref_full[1][y][x] = g * ys + yo, ref_full[2][y][x] = b * ys + yo;
            } else {
                double l = kr * r + kg * g + kb * b;
                ref_full[0][y][x] = l * ys + yo;
                ref_full[1][y][x] = (b - l) / (2 * (1 - kb)) * cs + co;
                ref_full[2][y][x] = (r - l) / (2 * (1 - kr)) * cs + co;
            }
        }
}

/* ---- tests ------------------------------------------------------------------------- */

static const enum AVColorSpace spaces[] = { AVCOL_SPC_SMPTE170M, AVCOL_SPC_BT709, AVCOL_SPC_BT2020_NCL };

static void fill(AVFrame *f, AVLFG *rnd)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);

    FOR_EACH(f, d, c, x, y)
        set(f, c, x, y, is_float(d) ? av_lfg_get(rnd) / 4294967296. : av_lfg_get(rnd) % (unsigned)(top(d) + 1));
}

/** codes of what RGB can hold end at these: the chroma filter's overshoot is cut off there */
static double legal(const AVFrame *f, int c, double v)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    double unit = is_float(d) ? 1 / 255. : 1 << (d->comp[0].depth - 8);
    int chroma = !is_rgb(d) && c > 0;

    if (f->color_range == AVCOL_RANGE_MPEG)
        return av_clipd(v, 16 * unit, (chroma ? 240 : 235) * unit);
    return av_clipd(v, chroma ? 128 * unit - top(d) / 2 : 0, top(d));
}

/** largest distance of out from the exact value (rounding to nearest leaves 0.5) */
static double distance(const AVFrame *in, const AVFrame *out)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(in->format);
    double max = 0;

    reference(in);
    FOR_EACH(in, d, c, x, y) {
        double want = c < colors(d) ? legal(in, c, ref_down(c, in, x, y)) : get(in, c, x, y);
        max = FFMAX(max, fabs(get(out, c, x, y) - want));
    }
    return max;
}

static void test_round_trip(enum AVPixelFormat fmt, AVLFG *rnd)
{
    static const int size[][2] = { { 37, 23 }, { 16, 8 }, { 1, 1 }, { 2, 3 }, { 5, 1 } };
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(fmt);
    int subsampled = d->log2_chroma_w || d->log2_chroma_h, n = 0, failed = 0;
    double worst = 0;

    for (int i = 0; i < 2 * FF_ARRAY_ELEMS(size); i++) {
        const int *s = size[i % FF_ARRAY_ELEMS(size)];
        for (int loc = AVCHROMA_LOC_LEFT; loc < AVCHROMA_LOC_NB; loc++) {
            AVFrame *in = new_frame(fmt, s[0], s[1]), *out = new_frame(fmt, s[0], s[1]);

            in->color_range     = i & 1 ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
            if (strstr(d->name, "yuvj"))
                in->color_range = AVCOL_RANGE_JPEG;
            in->colorspace      = is_rgb(d) ? AVCOL_SPC_RGB : spaces[(i + loc) % 3];
            in->chroma_location = loc;
            fill(in, rnd);
            failed |= pass(in, out, 1) < 0;
            worst = FFMAX(worst, distance(in, out));
            n++;
            av_frame_free(&in);
            av_frame_free(&out);
            if (!subsampled && n >= 4)
                break;
        }
    }
    tap_ok(!failed && worst < (is_float(d) ? 1e-5 : d->comp[0].depth > 12 ? 0.75 : 0.52),
           "%s: %d pictures through RGB, at most %.4f codes from exact (rounding alone: 0.5)", d->name, n, worst);
}

/** black, greys and white have no colour in any matrix: their codes come back as they are */
static void test_constants(void)
{
    const AVPixFmtDescriptor *d = NULL;
    int n = 0, bad = 0;

    while ((d = av_pix_fmt_desc_next(d))) {
        enum AVPixelFormat fmt = av_pix_fmt_desc_get_id(d);
        if (!ff_nn_format_supported(fmt) || is_float(d))
            continue;
        for (int k = 0; k < 18; k++) {
            static const double level[] = { 0, .5, 1 };
            int full = k / 3 % 2 || strstr(d->name, "yuvj");
            int unit = 1 << (d->comp[0].depth - 8);
            double code = full ? level[k % 3] * top(d) : unit * (16 + level[k % 3] * 219);
            AVFrame *in = new_frame(fmt, 9, 7), *out = new_frame(fmt, 9, 7);

            in->color_range = full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
            in->colorspace  = is_rgb(d) ? AVCOL_SPC_RGB : spaces[k / 6];
            FOR_EACH(in, d, c, x, y)
                set(in, c, x, y, is_rgb(d) || c == 0 || c >= colors(d) ? floor(code) : 128 * unit);
            bad += pass(in, out, 1) < 0;
            FOR_EACH(in, d, c, x, y)
                bad += get(in, c, x, y) != get(out, c, x, y);
            n++;
            av_frame_free(&in);
            av_frame_free(&out);
        }
    }
    tap_ok(n > 500 && !bad, "black, grey and white keep their codes in %d format, range and matrix cases", n);
}

/** strength 0 at the same size does not touch a sample */
static void test_plain(AVLFG *rnd)
{
    const AVPixFmtDescriptor *d = NULL;
    int n = 0, bad = 0;

    while ((d = av_pix_fmt_desc_next(d))) {
        enum AVPixelFormat fmt = av_pix_fmt_desc_get_id(d);
        if (!ff_nn_format_supported(fmt))
            continue;
        AVFrame *in = new_frame(fmt, 19, 11), *out = new_frame(fmt, 19, 11);
        fill(in, rnd);
        bad += pass(in, out, 0) < 0;
        FOR_EACH(in, d, c, x, y)
            bad += get(in, c, x, y) != get(out, c, x, y);
        n++;
        av_frame_free(&in);
        av_frame_free(&out);
    }
    tap_ok(n > 100 && !bad, "plain resampling to the same size is a copy in %d formats", n);
}

/** red rises by one code per chroma sample: where between them does a luma sample read it? */
static void test_siting(enum AVPixelFormat fmt, enum AVChromaLocation loc, double x0, double y0, int sub_x, int sub_y)
{
    AVFrame *f = new_frame(fmt, MAXW, MAXH);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(fmt);
    ESRGANGeometry g = { MAXW, MAXH, MAXW, MAXH, MAXW, MAXH, 1, 1 };
    ESRGANPic p = { 0 };
    double worst = 0;
    int ret;

    f->chroma_location = loc;
    f->colorspace      = AVCOL_SPC_BT709;
    f->color_range     = AVCOL_RANGE_MPEG;
    FOR_EACH(f, d, c, x, y)
        set(f, c, x, y, c == 0 ? 126 : c == 1 ? 128 : 100 + x + y);
    ret = ff_esrgan_pic_init(&p, &g, fmt, 1, NULL);
    if (ret >= 0 && (ret = ff_esrgan_pic_start(&p, f, NULL)) >= 0) {
        ff_esrgan_pic_in(&p, f, 0, 0, MAXH);
        for (int y = 10; y < MAXH - 10; y++)
            for (int x = 10; x < MAXW - 10; x++) {
                double want = 100 + (x - x0) / sub_x + (y - y0) / sub_y;
                double r = p.rgb[0][y * p.rgb_stride + x];
                double cr = (r - 110 / 219.) / (2 * (1 - .2126)) * 224 + 128;
                worst = FFMAX(worst, fabs(cr - want));
            }
    }
    tap_ok(ret >= 0 && worst < 0.01, "%s, chroma %s: a ramp is read where it lies, within %.4f codes",
           d->name, loc ? av_chroma_location_name(loc) : "unspecified (= left)", worst);
    ff_esrgan_pic_uninit(&p);
    av_frame_free(&f);
}

static void test_rules(void)
{
    AVFrame *f = new_frame(AV_PIX_FMT_YUV420P, 16, 16);
    NNFormat n;
    int ret, level = av_log_get_level();

    ff_nn_format_init(&n, f->format);
    ff_nn_format_color(&n, f, NULL);
    tap_ok(n.matrix == AVCOL_SPC_SMPTE170M && n.range == AVCOL_RANGE_MPEG && n.loc == AVCHROMA_LOC_LEFT,
           "a frame that says nothing is BT.601, limited, left");
    f->color_range = AVCOL_RANGE_JPEG;
    f->colorspace  = AVCOL_SPC_BT709;
    ff_nn_format_color(&n, f, NULL);
    tap_ok(n.matrix == AVCOL_SPC_BT709 && n.range == AVCOL_RANGE_JPEG, "what a frame says is taken");
    f->colorspace = AVCOL_SPC_YCGCO;
    av_log_set_level(AV_LOG_QUIET);
    ret = ff_nn_format_color(&n, f, NULL);
    av_log_set_level(level);
    tap_ok(ret == AVERROR(EINVAL), "YCgCo is refused");
    av_frame_free(&f);

    f = new_frame(AV_PIX_FMT_YUVJ420P, 16, 16);
    ff_nn_format_init(&n, f->format);
    ff_nn_format_color(&n, f, NULL);
    tap_ok(n.range == AVCOL_RANGE_JPEG && n.loc == AVCHROMA_LOC_CENTER, "yuvj is full range, centred");
    av_frame_free(&f);
    tap_ok(!ff_nn_format_supported(AV_PIX_FMT_PAL8) && !ff_nn_format_supported(AV_PIX_FMT_MONOWHITE) &&
           !ff_nn_format_supported(AV_PIX_FMT_CUDA) && !ff_nn_format_supported(AV_PIX_FMT_RGB565) &&
           !ff_nn_format_supported(AV_PIX_FMT_X2RGB10) && !ff_nn_format_supported(AV_PIX_FMT_NONE) &&
           !ff_nn_format_supported(AV_PIX_FMT_BAYER_RGGB8) && !ff_nn_format_supported(AV_PIX_FMT_XYZ12LE),
           "palettes, bits, words with several components, Bayer, XYZ and hardware are not taken");
}

int main(void)
{
    static const enum AVPixelFormat needed[] = {
        AV_PIX_FMT_GRAY8, AV_PIX_FMT_GRAY10, AV_PIX_FMT_GRAY16, AV_PIX_FMT_YA8, AV_PIX_FMT_NV12, AV_PIX_FMT_NV21,
        AV_PIX_FMT_NV16, AV_PIX_FMT_NV24, AV_PIX_FMT_P010, AV_PIX_FMT_P016, AV_PIX_FMT_P210, AV_PIX_FMT_YUV420P,
        AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV411P, AV_PIX_FMT_YUV440P, AV_PIX_FMT_YUV410P,
        AV_PIX_FMT_YUVA420P, AV_PIX_FMT_YUVA444P16, AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV422P12, AV_PIX_FMT_YUV444P16,
        AV_PIX_FMT_GBRP, AV_PIX_FMT_GBRAP, AV_PIX_FMT_GBRP10, AV_PIX_FMT_GBRAP12, AV_PIX_FMT_GBRP16,
        AV_PIX_FMT_GBRPF32, AV_PIX_FMT_RGB24, AV_PIX_FMT_BGR24, AV_PIX_FMT_RGBA, AV_PIX_FMT_BGRA, AV_PIX_FMT_RGB48,
        AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUYV422,
    };
    const AVPixFmtDescriptor *d = NULL;
    int missing = 0;
    AVLFG rnd;

    av_lfg_init(&rnd, 42);
    for (int i = 0; i < FF_ARRAY_ELEMS(needed); i++)
        missing += !ff_nn_format_supported(needed[i]);
    tap_ok(!missing, "%d formats that must be taken are", (int)FF_ARRAY_ELEMS(needed));
    while ((d = av_pix_fmt_desc_next(d)))
        if (ff_nn_format_supported(av_pix_fmt_desc_get_id(d)))
            test_round_trip(av_pix_fmt_desc_get_id(d), &rnd);
    test_constants();
    test_plain(&rnd);
    test_siting(AV_PIX_FMT_YUV420P, AVCHROMA_LOC_UNSPECIFIED, 0,  .5, 2, 2);
    test_siting(AV_PIX_FMT_YUV420P, AVCHROMA_LOC_LEFT,        0,  .5, 2, 2);
    test_siting(AV_PIX_FMT_YUV420P, AVCHROMA_LOC_CENTER,     .5,  .5, 2, 2);
    test_siting(AV_PIX_FMT_NV12,    AVCHROMA_LOC_TOPLEFT,     0,   0, 2, 2);
    test_siting(AV_PIX_FMT_YUV420P, AVCHROMA_LOC_BOTTOM,     .5,   1, 2, 2);
    test_siting(AV_PIX_FMT_YUV422P, AVCHROMA_LOC_LEFT,        0,   0, 2, 1);
    test_siting(AV_PIX_FMT_YUV411P, AVCHROMA_LOC_LEFT,        0,   0, 4, 1);
    test_siting(AV_PIX_FMT_YUV440P, AVCHROMA_LOC_CENTER,      0,  .5, 1, 2);
    test_rules();
    return tap_done();
}
