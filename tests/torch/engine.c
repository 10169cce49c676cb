/*
 * Engine torch on LibTorch: against ref, and on nets that are odd or wrong
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

/* usage: engine FOLDER MODEL.safetensors: FOLDER has what nets.cpp wrote; FFREEL_TORCH names the library */

#include <pthread.h>
#include <unistd.h>

#include "nets.h"
#include "tap.h"

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavfilter/nn_torch.h"

static const char *folder;

static NNGraph *load(const char *name)
{
    char path[1024];
    NNGraph *g = NULL;
    int ret;

    snprintf(path, sizeof(path), "%s/%s.pt", folder, name);
    nets_forget();
    ret = ff_nn_graph_load(&g, path, NULL);
    if (ret < 0)
        ff_nn_graph_free(&g);
    return g;
}

/* ---- pictures ------------------------------------------------------------------------ */

static float *floats(size_t n)
{
    float *p = calloc(n, sizeof(*p));

    if (!p)
        abort();
    return p;
}

/* smooth, as pictures are: noise alone would flatter nobody */
static float *picture(int w, int h)
{
    float *p = floats((size_t)3 * w * h);
    uint32_t s = 9;

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                p[((size_t)c * h + y) * w + x] = av_clipf(0.5f + 0.4f * sinf(x * 0.11f + c) * cosf(y * 0.07f - c) +
                                                          0.05f * nets_unit(&s), 0, 1);
    return p;
}

static int run(const char *engine, const NNGraph *g, enum NNPrecision prec, int threads,
               const float *in, int w, int h, float *out)
{
    const NNConfig cfg = { .precision = prec, .nb_slots = threads };
    NNTile t = { .in_stride = w, .w = w, .h = h, .out_stride = (ptrdiff_t)w * g->scale };
    NNRunner r;
    int ret = ff_nn_runner_open(&r, engine, g, &cfg);

    for (int c = 0; c < 3; c++) {
        t.in[c]  = in + (size_t)c * w * h;
        t.out[c] = out + (size_t)c * w * h * g->scale * g->scale;
    }
    if (ret >= 0)
        ret = r.engine->run(r.ctx, 0, &t);
    ff_nn_runner_close(&r);
    return ret;
}

typedef struct Diff {
    double psnr;
    int    code;                ///< largest difference in 8-bit codes
} Diff;

static Diff compare(const float *a, const float *b, size_t n)
{
    double sum = 0;
    int code = 0;

    for (size_t i = 0; i < n; i++) {
        const double d = (double)a[i] - b[i];
        sum += d * d;
        code = FFMAX(code, abs((int)lrintf(av_clipf(a[i], 0, 1) * 255) - (int)lrintf(av_clipf(b[i], 0, 1) * 255)));
    }
    return (Diff){ sum > 0 ? 10 * log10(n / sum) : INFINITY, code };
}

/* ---- against ref ------------------------------------------------------------------------ */

static void against_ref(const NNGraph *script, const NNGraph *ref, int w, int h, enum NNPrecision prec, double least)
{
    const size_t n = (size_t)3 * w * h * ref->scale * ref->scale;
    float *in = picture(w, h), *a = floats(n), *b = floats(n);
    const int ret = run("torch", script, prec, 2, in, w, h, a);
    Diff d = { 0 };

    if (ret >= 0 && run("ref", ref, NN_PREC_FP32, 1, in, w, h, b) >= 0)
        d = compare(a, b, n);
    /* LibTorch 1.13 has no fp16 convolutions and PReLU on the CPU: said at opening */
    if (ret < 0 && prec != NN_PREC_FP32 && strstr(nets_last_error, "try precision=fp32"))
        tap_skip("%s: %s", ff_nn_precision_name(prec), nets_last_error);
    else
        tap_ok(ret >= 0 && d.psnr >= least, "%dx%d, %s: %.1f dB against ref, at most %d codes", w, h,
               ff_nn_precision_name(prec), d.psnr, d.code);
    free(in);
    free(a);
    free(b);
}

static void test_sizes(const NNGraph *script, const NNGraph *ref)
{
    static const int sizes[][2] = { { 1, 1 }, { 2, 1 }, { 1, 7 }, { 3, 3 }, { 37, 23 }, { 64, 48 }, { 205, 91 }, { 160, 120 } };

    for (int i = 0; i < FF_ARRAY_ELEMS(sizes); i++)
        against_ref(script, ref, sizes[i][0], sizes[i][1], NN_PREC_FP32, 90);
    against_ref(script, ref, 205, 91, NN_PREC_BF16, 45);
    against_ref(script, ref, 205, 91, NN_PREC_FP16, 55);
}

static void test_tiles(const NNGraph *g)
{
    enum { W = 150, H = 110 };
    const size_t n = (size_t)3 * W * H * 16;
    float *in = picture(W, H), *whole = floats(n), *tiles = floats(n);
    Diff d;

    tap_ok(!nets_run("torch", g, in, W, H, whole, 0, 0) && !nets_run("torch", g, in, W, H, tiles, 48, g->default_halo),
           "tiles run");
    d = compare(whole, tiles, n);
    tap_ok(d.psnr >= 110, "tiles of 48, halo %d: %.1f dB against one tile", g->default_halo, d.psnr);
    nets_run("torch", g, in, W, H, tiles, 48, 2);
    tap_ok(compare(whole, tiles, n).psnr < 90, "halo 2 is seen: %.1f dB", compare(whole, tiles, n).psnr);
    free(in);
    free(whole);
    free(tiles);
}

/* ---- the same again ---------------------------------------------------------------------- */

typedef struct Racer {
    const NNGraph *g;
    const float *in;
    float *out;
    int w, h, failed;
} Racer;

static void *race(void *arg)
{
    Racer *r = arg;

    for (int i = 0; i < 4; i++)
        r->failed += run("torch", r->g, NN_PREC_FP32, 1, r->in, r->w, r->h, r->out) < 0;
    return NULL;
}

static void test_repeat(const NNGraph *g)
{
    enum { W = 90, H = 60 };
    const size_t n = (size_t)3 * W * H * 16;
    float *in = picture(W, H), *a = floats(n), *b = floats(n), *c = floats(n);
    Racer r[2] = { { g, in, b, W, H }, { g, in, c, W, H } };
    pthread_t t[2];

    run("torch", g, NN_PREC_FP32, 1, in, W, H, a);
    run("torch", g, NN_PREC_FP32, 1, in, W, H, b);
    tap_ok(!memcmp(a, b, n * sizeof(*a)), "two runs give the same bits");
    run("torch", g, NN_PREC_FP32, 2, in, W, H, b);
    tap_ok(compare(a, b, n).psnr >= 110, "1 and 2 threads: %.1f dB", compare(a, b, n).psnr);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, race, &r[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    tap_ok(!r[0].failed && !r[1].failed && !memcmp(a, b, n * sizeof(*a)) && !memcmp(a, c, n * sizeof(*a)),
           "two engines at once give the same bits");
    free(in);
    free(a);
    free(b);
    free(c);
}

/* ---- odd and wrong nets -------------------------------------------------------------------- */

static void is_like(const char *name, int scale, int align, int halo)
{
    NNGraph *g = load(name);
    enum { W = 32, H = 24 };
    float *in = picture(W, H), *out = floats((size_t)3 * W * H * 16);

    if (tap_ok(g && g->scale == scale && g->align == align && (g->halo == halo), "%s: x%d, align %d, halo %d (%s)", name,
               g ? g->scale : 0, g ? g->align : 0, g ? g->halo : 0, nets_last_error))
        tap_ok(!run("torch", g, NN_PREC_AUTO, 2, in, W, H, out) &&
               ((strcmp(name, "same") && strcmp(name, "planes")) || !memcmp(in, out, (size_t)3 * W * H * sizeof(*in))), "%s runs", name);
    ff_nn_graph_free(&g);
    free(in);
    free(out);
}

static void is_refused(const char *name, const char *word)
{
    NNGraph *g = load(name);

    tap_ok(!g && nets_nb_errors == 1 && strstr(nets_last_error, word) && strstr(nets_last_error, name), "%s: %s", name,
           nets_last_error);
    ff_nn_graph_free(&g);
}

static void test_odd(void)
{
    is_like("last", 4, 1, 10);
    is_like("even", 2, 2, 2);
    is_like("wide", 1, 1, NN_TORCH_ALL_HALO);
    is_like("same", 1, 1, 0);
    is_like("planes", 1, 1, 0);
    is_like("list", 1, 1, 0);
    is_like("global", 1, 1, NN_TORCH_ALL_HALO);
    is_like("nonan",  1, 1, NN_TORCH_ALL_HALO);
    is_refused("two",     "gives 2 tensors");
    is_refused("number",  "Int where a tensor is needed");
    is_refused("integer", "gives integers");
    is_refused("flat",    "it makes 1x3 of");
    is_refused("valid",   "no whole multiple");
    is_refused("fixed",   "is invalid for input of size");
    is_refused("throws",  "this net takes");
    is_refused("empty",   "no method forward");
    is_refused("cut",     "broken ZIP");
    is_refused("damaged", "damaged");
}

static void test_late(void)
{
    NNGraph *g = load("small");
    float *in = picture(120, 120), *out = floats((size_t)3 * 120 * 120);

    if (tap_ok(!!g, "a net that fails on large pictures loads")) {
        tap_ok(run("torch", g, NN_PREC_AUTO, 2, in, 120, 120, out) == AVERROR_EXTERNAL &&
               strstr(nets_last_error, "too large a picture") && !strchr(nets_last_error, '\n'),
               "and fails then, in one line: %s", nets_last_error);
        tap_ok(!run("torch", g, NN_PREC_AUTO, 2, in, 50, 50, out), "another run is fine");
    }
    nets_forget();
    if (g) {
        const NNConfig cfg = { .nb_slots = 1, .device = "cuda" };
        const NNTorchLib *lib;
        NNRunner r;
        ff_nn_torch_lib(&lib, NULL);
        if (lib->nb_cuda())
            tap_skip("a CUDA device that is not there: there is one");
        else
            tap_ok(ff_nn_runner_open(&r, "torch", g, &cfg) == AVERROR(ENODEV) && nets_nb_errors == 1,
                   "no CUDA: %s", nets_last_error);
    }
    ff_nn_graph_free(&g);
    free(in);
    free(out);
}

int main(int argc, char **argv)
{
    NNGraph *script, *ref = NULL;

    if (argc != 3)
        return 1;
    folder = argv[1];
    av_log_set_level(AV_LOG_VERBOSE);
    av_log_set_callback(nets_log);
    script = load("srvgg");
    if (!tap_ok(script && !ff_nn_graph_load(&ref, argv[2], NULL), "models load: %s", nets_last_error))
        return tap_done();
    tap_ok(script->scale == ref->scale && script->align == 1 && script->halo == ref->halo &&
           script->nb_weights == ref->nb_weights, "found by running it: x%d, radius %d, %"PRId64" weights",
           script->scale, script->halo, script->nb_weights);
    test_sizes(script, ref);
    test_tiles(script);
    test_repeat(script);
    test_odd();
    test_late();
    ff_nn_graph_free(&script);
    ff_nn_graph_free(&ref);
    return tap_done();
}
