/*
 * Frames through tiles, groups of tiles and the guard against NaN, with nets made here
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


#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/frame.h"
#include "libavutil/lfg.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"
#include "esrgan_run.h"
#include "tap.h"

/* ---- an engine: 3x3 mean with zeros outside of what it is given, then nearest ---------- */

struct NNEngineContext {
    int scale, align;
    enum NNPrecision precision;
    float poison;               ///< give NaN for output pixels whose mean is above this
    int   fail;                 ///< run() returns this
    int   runs, misaligned;
};

static int fake_open(NNEngineContext **c, const NNGraph *g, const NNConfig *cfg) { return AVERROR(ENOSYS); }
static void fake_close(NNEngineContext **c) { *c = NULL; }
static size_t fake_scratch(const NNEngineContext *c, int w, int h) { return 0; }
static enum NNPrecision fake_precision(const NNEngineContext *c) { return c->precision; }

static float mean(const NNTile *t, int c, int x, int y)
{
    float sum = 0;
    for (int j = y - 1; j <= y + 1; j++)
        for (int i = x - 1; i <= x + 1; i++)
            if (i >= 0 && j >= 0 && i < t->w && j < t->h)
                sum += t->in[c][j * t->in_stride + i];
    return sum / 9;
}

static int fake_run(NNEngineContext *e, int slot, const NNTile *t)
{
    int s = e->scale;

    e->runs++;
    e->misaligned += t->w % e->align || t->h % e->align || t->left % e->align || t->top % e->align ||
                     t->right % e->align || t->bottom % e->align;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < (t->h - t->top - t->bottom) * s; y++)
            for (int x = 0; x < (t->w - t->left - t->right) * s; x++) {
                float v = mean(t, c, t->left + x / s, t->top + y / s);
                t->out[c][y * t->out_stride + x] = v > e->poison ? NAN : v;
            }
    return e->fail;
}

static const NNEngine fake = { "fake", fake_open, fake_run, fake_close, fake_scratch, fake_precision };

static void serial(void *opaque, ESRGANJob *job, void *arg, int nb_jobs)
{
    for (int i = 0; i < nb_jobs; i++)
        job(arg, i, nb_jobs);
}

/* ---- a run with that engine ------------------------------------------------------------- */

typedef struct Setup {
    int w, h, ow, oh, nw, nh, scale, align, tile, threads, group;
    enum AVPixelFormat fmt;
    float strength;
    NNEngineContext first, second;
    int ret, redone, rows_kept;
} Setup;

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

/** Opened without an engine, then given ours: what a real graph would bring along is set by hand. */
static AVFrame *render(Setup *s, const AVFrame *in)
{
    ESRGANRunParams par = { .geo = { s->w, s->h, s->ow, s->oh, 0, 0, 1, 1, NN_KERNEL_LANCZOS },
                            .format = s->fmt, .nb_threads = s->threads, .execute = serial };
    ESRGANPlanParams pp = { .align = s->align, .halo = 1, .tile = s->tile, .nb_threads = s->threads };
    AVFrame *out = new_frame(s->fmt, s->ow, s->oh);
    ESRGANRun r;

    s->ret = ff_esrgan_run_open(&r, &par);
    ff_esrgan_pic_uninit(&r.pic);
    par.geo.nw    = s->nw ? s->nw : s->w;
    par.geo.nh    = s->nh ? s->nh : s->h;
    par.geo.scale = s->first.scale = s->second.scale = s->scale;
    par.geo.align = s->first.align = s->second.align = s->align;
    r.par.geo = par.geo;
    if (s->ret >= 0)
        s->ret = ff_esrgan_pic_init(&r.pic, &par.geo, s->fmt, s->threads, NULL);
    pp.w = r.pic.aw;
    pp.h = r.pic.ah;
    if (s->ret >= 0)
        s->ret = ff_esrgan_plan(&r.plan, &pp);
    if (s->group)
        r.plan.group = FFMIN(s->group, r.plan.rows);
    r.bad    = av_calloc(r.plan.cols * r.plan.rows, 1);
    r.runner = (NNRunner){ &fake, &s->first };
    r.safe   = (NNRunner){ &fake, &s->second };
    for (int i = 0; i < 2 && s->ret >= 0; i++)      /* twice: state must not carry over */
        s->ret = ff_esrgan_run_frame(&r, in, out, s->strength);
    s->redone    = r.redone;
    s->rows_kept = r.pic.net_rows;
    ff_esrgan_run_close(&r);
    return out;
}

static AVFrame *picture(enum AVPixelFormat fmt, int w, int h)
{
    AVFrame *f = new_frame(fmt, w, h);
    AVLFG rnd;

    av_lfg_init(&rnd, w * 1000 + h);
    for (int p = 0; p < 4 && f->buf[p]; p++)
        for (int i = 0; i < f->buf[p]->size; i++)
            f->buf[p]->data[i] = 60 + av_lfg_get(&rnd) % 100;
    return f;
}

static int differ(const AVFrame *a, const AVFrame *b)
{
    int n = 0;
    for (int p = 0; p < 3 && a->data[p]; p++) {
        int sub = p && a->format == AV_PIX_FMT_YUV420P;
        for (int y = 0; y < AV_CEIL_RSHIFT(a->height, sub); y++)
            n += !!memcmp(a->data[p] + y * a->linesize[p], b->data[p] + y * b->linesize[p], AV_CEIL_RSHIFT(a->width, sub));
    }
    return n;
}

#define SETUP(...) { .scale = 2, .align = 1, .threads = 3, .fmt = AV_PIX_FMT_YUV420P, .strength = 1, \
                     .first = { .precision = NN_PREC_BF16, .poison = 9 }, .second = { .precision = NN_PREC_FP32, .poison = 9 }, __VA_ARGS__ }

/* ---- tests ------------------------------------------------------------------------------- */

static void test_tiling(enum AVPixelFormat fmt, const int *z)
{
    AVFrame *in = picture(fmt, z[0], z[1]), *whole;
    Setup a = SETUP(.w = z[0], .h = z[1], .ow = z[2], .oh = z[3], .nw = z[4], .nh = z[5], .align = z[6], .threads = 1, .fmt = fmt);
    int bad = 0, n = 0, kept = INT_MAX;

    whole = render(&a, in);
    bad += a.ret < 0 || a.first.runs != 2;
    for (int tile = 0; tile <= 24; tile += 8)
        for (int group = 0; group <= 2; group++) {
            Setup b = a;
            AVFrame *out;
            b.tile    = tile;
            b.group   = group;
            b.threads = 3;
            b.first.runs = 0;
            out  = render(&b, in);
            bad += b.ret < 0 || differ(whole, out) || b.first.misaligned || b.first.runs < 2;
            kept = FFMIN(kept, b.rows_kept);
            n++;
            av_frame_free(&out);
        }
    tap_ok(!bad, "%s %dx%d -> %dx%d, net sees %dx%d, align %d: %d tilings give the untiled picture%s",
           av_get_pix_fmt_name(fmt), z[0], z[1], z[2], z[3], z[4] ? z[4] : z[0], z[5] ? z[5] : z[1], z[6], n,
           kept < a.rows_kept ? ", with less of it in memory" : "");
    av_frame_free(&in);
    av_frame_free(&whole);
}

static void test_tiles(void)
{
    static const int size[][7] = {  /* w, h, ow, oh, nw, nh, align */
        { 61, 47, 122, 94, 0, 0, 1 }, { 61, 47, 91, 70, 0, 0, 1 }, { 61, 47, 317, 244, 0, 0, 1 },
        { 61, 47, 122, 94, 0, 0, 4 }, { 61, 47, 20, 16, 0, 0, 1 }, { 61, 47, 70, 54, 35, 27, 1 },
        { 61, 47, 70, 54, 35, 27, 2 }, { 1, 1, 2, 2, 0, 0, 1 }, { 1, 1, 2, 2, 0, 0, 4 }, { 3, 90, 7, 180, 0, 0, 2 },
    };
    /* from the net's twofold to 5/3, 3 and 9/5 times that: some weights are 0 there */
    static const int odd[][7] = {
        { 45, 90, 150, 300, 0, 0, 1 }, { 45, 90, 270, 540, 0, 0, 1 }, { 40, 95, 144, 342, 0, 0, 1 },
    };
    static const enum AVPixelFormat fmt[] = { AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_GRAY8, AV_PIX_FMT_GBRP };

    for (int i = 0; i < FF_ARRAY_ELEMS(size); i++)
        test_tiling(AV_PIX_FMT_YUV420P, size[i]);
    for (int i = 0; i < FF_ARRAY_ELEMS(odd); i++)
        for (int j = 0; j < FF_ARRAY_ELEMS(fmt); j++)
            test_tiling(fmt[j], odd[i]);
}

/** resamplers are made once, not for every frame; without a net too */
static void test_filters_kept(void)
{
    AVFrame *in = picture(AV_PIX_FMT_YUV420P, 60, 40), *out = new_frame(AV_PIX_FMT_YUV420P, 30, 20);
    ESRGANRunParams par = { .geo = { 60, 40, 30, 20, 0, 0, 1, 1, NN_KERNEL_LANCZOS },
                            .format = AV_PIX_FMT_YUV420P, .nb_threads = 1, .execute = serial };
    double left, again, top;
    ESRGANRun r;
    int ret = ff_esrgan_run_open(&r, &par);

    in->chroma_location = AVCHROMA_LOC_LEFT;
    if (ret >= 0)
        ret = ff_esrgan_run_frame(&r, in, out, 0);
    left = r.pic.siting[1];
    if (ret >= 0)   /* would be replaced if they were made anew */
        r.pic.plain.h[0].coef[0] += 1;
    again = ret < 0 ? 0 : r.pic.plain.h[0].coef[0];
    if (ret >= 0)
        ret = ff_esrgan_run_frame(&r, in, out, 0);
    tap_ok(ret >= 0 && r.pic.plain.h[0].coef[0] == again, "without a net too, filters are kept from frame to frame");
    in->chroma_location = AVCHROMA_LOC_TOPLEFT;
    if (ret >= 0)
        ret = ff_esrgan_run_frame(&r, in, out, 0);
    top = r.pic.siting[1];
    tap_ok(ret >= 0 && left != top && r.pic.plain.h[0].coef[0] != again, "they are made anew where chroma lies elsewhere");
    ff_esrgan_run_close(&r);
    av_frame_free(&in);
    av_frame_free(&out);
}

static int  logged;
static char last_line[200];

static void listen(void *ctx, int level, const char *fmt, va_list ap)
{
    logged += level <= AV_LOG_ERROR;
    vsnprintf(last_line, sizeof(last_line), fmt, ap);
}

/** the window over the result: planes of 400 x 300 floats are 480 KB, three of them 1.44 MB */
static void test_memory(void)
{
    AVFrame *in = picture(AV_PIX_FMT_GRAY8, 200, 150), *out;
    Setup fits = SETUP(.w = 200, .h = 150, .ow = 400, .oh = 300, .fmt = AV_PIX_FMT_GRAY8), not = fits;

    av_max_alloc(1000000);
    out = render(&fits, in);
    tap_ok(fits.ret >= 0, "three planes may be larger than one allocation can be");
    av_frame_free(&out);
    av_max_alloc(300000);
    av_log_set_callback(listen);
    out = render(&not, in);
    av_log_set_callback(av_log_default_callback);
    av_max_alloc(INT_MAX);
    tap_ok(not.ret == AVERROR(ENOMEM) && logged == 1 && strstr(last_line, "result") && strstr(last_line, "tile="),
           "where one plane is too large, the frame fails with one line: %.*s", (int)strcspn(last_line, "\n"), last_line);
    av_frame_free(&out);
    av_frame_free(&in);
}

static void test_strength(void)
{
    AVFrame *in = picture(AV_PIX_FMT_GRAY8, 40, 30), *o[3];
    int bad = 0;

    for (int i = 0; i < 3; i++) {
        Setup s = SETUP(.w = 40, .h = 30, .ow = 80, .oh = 60, .fmt = AV_PIX_FMT_GRAY8, .strength = i / 2.f);
        o[i] = render(&s, in);
        bad += s.ret < 0 || !s.first.runs != !i;
    }
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 80; x++) {
            int a = o[0]->data[0][y * o[0]->linesize[0] + x], b = o[2]->data[0][y * o[2]->linesize[0] + x];
            bad += FFABS(2 * o[1]->data[0][y * o[1]->linesize[0] + x] - a - b) > 2;
        }
    tap_ok(!bad && differ(o[0], o[2]), "strength 0.5 lies halfway between 0, which runs no net, and 1");
    for (int i = 0; i < 3; i++)
        av_frame_free(&o[i]);
    av_frame_free(&in);
}

static void test_nan(void)
{
    AVFrame *in = picture(AV_PIX_FMT_YUV420P, 64, 64), *good, *mended, *out;
    Setup clean = SETUP(.w = 64, .h = 64, .ow = 128, .oh = 128, .tile = 16);
    Setup nan = clean, fp32 = clean, both = clean, fail = clean;
    int level = av_log_get_level();

    /* a bright spot poisons the tile that holds it */
    for (int y = 35; y < 40; y++)
        memset(in->data[0] + y * in->linesize[0] + 51, 235, 5);
    good = render(&clean, in);

    av_log_set_level(AV_LOG_QUIET);
    nan.first.poison = 0.9;
    mended = render(&nan, in);
    tap_ok(nan.ret >= 0 && !differ(good, mended), "NaN in bf16: the picture is as if there had been none");
    tap_ok(nan.redone == 2 && nan.second.runs == 2, "NaN in bf16: of 16 tiles one is redone in fp32, in each of two frames (%d)", nan.redone);

    both.first.poison = both.second.poison = 0.9;
    out = render(&both, in);
    tap_ok(both.ret == AVERROR_INVALIDDATA, "NaN in fp32 too: the frame fails");
    av_frame_free(&out);

    fp32.first.poison = 0.9;
    fp32.first.precision = NN_PREC_FP32;
    out = render(&fp32, in);
    tap_ok(fp32.ret == AVERROR_INVALIDDATA && !fp32.second.runs, "NaN where fp32 was asked for: the frame fails at once");
    av_frame_free(&out);

    fail.first.fail = AVERROR(ENOMEM);
    out = render(&fail, in);
    tap_ok(fail.ret == AVERROR(ENOMEM), "an engine's error is the frame's error");
    av_log_set_level(level);
    av_frame_free(&out);
    av_frame_free(&good);
    av_frame_free(&mended);
    av_frame_free(&in);
}

int main(void)
{
    test_tiles();
    test_filters_kept();
    test_memory();
    test_strength();
    test_nan();
    return tap_done();
}
