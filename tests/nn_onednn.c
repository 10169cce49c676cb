/*
 * Engine onednn against ref
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

#include <pthread.h>
#include <unistd.h>

#include "nets.h"
#include "tap.h"

#include "libavutil/common.h"
#include "libavfilter/nn_dnnl.h"

/* ---- engines ------------------------------------------------------------------------- */

typedef struct Pic {
    int    w, h;
    float *p;       ///< three planes
} Pic;

static Pic pic_new(int w, int h)
{
    Pic p = { w, h, calloc((size_t)3 * w * h, sizeof(float)) };
    if (!p.p)
        abort();
    return p;
}

static Pic noise(int w, int h)
{
    Pic p = pic_new(w, h);
    nets_picture(p.p, w, h, 77 + w * 31 + h);
    return p;
}

static NNTile tile_of(const NNGraph *g, Pic in, Pic out, int x0, int y0, int x1, int y1, int halo)
{
    const int s = g->scale;
    NNTile t = { .in_stride = in.w, .out_stride = out.w };

    t.left   = FFMIN(x0, halo);
    t.top    = FFMIN(y0, halo);
    t.right  = FFMIN(in.w - x1, halo);
    t.bottom = FFMIN(in.h - y1, halo);
    t.w      = x1 - x0 + t.left + t.right;
    t.h      = y1 - y0 + t.top + t.bottom;
    for (int c = 0; c < 3; c++) {
        t.in[c]  = in.p  + ((size_t)c * in.h + y0 - t.top) * in.w + x0 - t.left;
        t.out[c] = out.p + ((size_t)c * out.h + y0 * s) * out.w + x0 * s;
    }
    return t;
}

/* the whole picture, or tiles; tile must be a multiple of the net's align */
static int run(const char *engine, const NNGraph *g, enum NNPrecision prec, Pic in, Pic *out, int tile)
{
    const NNConfig cfg = { .precision = prec, .nb_slots = 1 };
    const int step = tile ? tile : FFMAX(in.w, in.h);
    NNRunner r;
    int ret = ff_nn_runner_open(&r, engine, g, &cfg);

    *out = pic_new(in.w * g->scale, in.h * g->scale);
    for (int y = 0; y < in.h && ret >= 0; y += step)
        for (int x = 0; x < in.w && ret >= 0; x += step) {
            const NNTile t = tile_of(g, in, *out, x, y, FFMIN(x + step, in.w), FFMIN(y + step, in.h), g->halo);
            ret = r.engine->run(r.ctx, 0, &t);
        }
    ff_nn_runner_close(&r);
    return ret;
}

/** PSNR over unclipped samples, peak 1; and the largest difference in 8-bit codes after clipping */
static double psnr(Pic a, Pic b, int *codes)
{
    const size_t n = (size_t)3 * a.w * a.h;
    double sum = 0;

    *codes = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)a.p[i] - b.p[i];
        const int code = lrintf(fminf(fmaxf(a.p[i], 0), 1) * 255) - lrintf(fminf(fmaxf(b.p[i], 0), 1) * 255);
        sum += isfinite(d) ? d * d : 1e9;
        *codes = FFMAX(*codes, abs(code));
    }
    return sum > 0 ? 10 * log10(n / sum) : 999;
}

/** Debian 12's oneDNN and one with other kernels must both pass, so floors, not values. */
static void against_ref(const NNGraph *g, const char *what, Pic in, double fp32_db, double bf16_db)
{
    const int bf16 = ff_dnnl_native_bf16();
    Pic ref, out;
    int codes;
    double db;

    if (!tap_ok(run("ref", g, NN_PREC_FP32, in, &ref, 0) >= 0, "%s %dx%d: ref", what, in.w, in.h))
        return;
    for (int p = NN_PREC_FP32; p <= NN_PREC_BF16; p++) {
        const double floor = p == NN_PREC_FP32 ? fp32_db : bf16_db;
        if (p == NN_PREC_BF16 && !bf16)
            continue;
        if (tap_ok(run("onednn", g, p, in, &out, 0) >= 0, "%s %dx%d: onednn %s", what, in.w, in.h,
                   ff_nn_precision_name(p))) {
            db = psnr(out, ref, &codes);
            tap_ok(db >= floor, "%s %dx%d %s: %.1f dB, %d codes (at least %.0f dB)", what, in.w, in.h,
                   ff_nn_precision_name(p), db, codes, floor);
        }
        free(out.p);
    }
    free(ref.p);
}

static NNGraph *seeded_srvgg(int f, int n, int scale)
{
    NNDict d = { 0 };
    NNGraph *g = NULL;

    nets_srvgg(&d, 1000 + f, f, n, scale);
    ff_nn_graph_from_dict(&g, &d, "seeded", NULL);
    ff_nn_dict_free(&d);
    return g;
}

static NNGraph *seeded_rrdb(int f, int growth, int blocks, int in_c)
{
    NNDict d = { 0 };
    NNGraph *g = NULL;

    nets_rrdb(&d, 2000 + f, f, growth, blocks, in_c, 0);
    ff_nn_graph_from_dict(&g, &d, "seeded", NULL);
    ff_nn_dict_free(&d);
    return g;
}

/* a node with seeded weights */
static int node(NNGraph *g, enum NNOp op, int in0, int in1, int c, int kernel, int stride, int groups, int act)
{
    static uint32_t seed = 4242;
    const int i = ff_nn_graph_append(g, op);
    NNNode *n = &g->nodes[i];

    n->in[0]  = in0;
    n->in[1]  = in1;
    n->nb_in  = op == NN_INPUT ? 0 : op == NN_ADD || op == NN_CONCAT ? 2 : 1;
    n->c      = c;
    n->kernel = kernel;
    n->stride = stride;
    n->groups = groups;
    n->factor = op == NN_CONV ? 0 : kernel;
    n->act    = act;
    n->alpha  = 0.1f;
    n->scale[0] = 0.5f;
    n->scale[1] = -2;
    if (op == NN_CONV) {
        const int fan = g->nodes[in0].c / groups * kernel * kernel;
        n->weight = av_malloc_array(c * fan, 4);
        for (int k = 0; k < c * fan; k++)
            n->weight[k] = nets_unit(&seed) / sqrtf(fan);
    }
    if (act == NN_ACT_PRELU) {
        n->slope = av_malloc_array(c, 4);
        for (int k = 0; k < c; k++)
            n->slope[k] = 1.4f * nets_unit(&seed);
    }
    return i;
}

/* all that the shipped nets have not: kernels 1, 5, 7, groups, stride, lone activations, no biases */
static NNGraph *odd_net(void)
{
    NNGraph *g = av_mallocz(sizeof(*g));
    int in = node(g, NN_INPUT, 0, 0, 3, 0, 0, 0, 0);
    int a  = node(g, NN_CONV, in, 0, 32, 7, 1, 1, NN_ACT_RELU);
    int b  = node(g, NN_CONV, a, 0, 32, 5, 1, 32, NN_ACT_NONE);
    int c  = node(g, NN_CONV, b, 0, 16, 1, 1, 2, NN_ACT_PRELU);
    int d  = node(g, NN_CONCAT, a, c, 48, 0, 0, 0, 0);
    int e  = node(g, NN_CONV, d, 0, 32, 3, 2, 1, NN_ACT_NONE);
    int h  = node(g, NN_ACT, e, 0, 32, 0, 0, 0, NN_ACT_PRELU);
    int i  = node(g, NN_UPSAMPLE, h, 0, 32, 2, 0, 0, 0);
    int j  = node(g, NN_ADD, i, b, 32, 0, 0, 0, 0);
    int k  = node(g, NN_CONV, j, 0, 12, 3, 1, 1, NN_ACT_LRELU);
    int l  = node(g, NN_SHUFFLE, k, 0, 3, 2, 0, 0, 0);

    node(g, NN_CONV, l, 0, 3, 3, 1, 1, NN_ACT_NONE);
    if (ff_nn_graph_finish(g, "odd net", NULL) < 0)
        ff_nn_graph_free(&g);
    return g;
}

static void test_sizes(void)
{
    static const int size[][2] = { { 1, 1 }, { 5, 3 }, { 2, 40 }, { 33, 61 }, { 100, 17 }, { 64, 80 } };
    static const int net[][3] = { { 64, 6, 4 }, { 24, 3, 2 }, { 32, 1, 1 }, { 17, 3, 3 } };

    for (int k = 0; k < FF_ARRAY_ELEMS(net); k++) {
        NNGraph *g = seeded_srvgg(net[k][0], net[k][1], net[k][2]);
        for (int i = 0; g && i < FF_ARRAY_ELEMS(size); i++) {
            Pic in = noise(size[i][0], size[i][1]);
            against_ref(g, g->arch, in, 100, 60);
            free(in.p);
        }
        ff_nn_graph_free(&g);
    }
}

static void test_graphs(void)
{
    NNGraph *g[] = { seeded_rrdb(32, 16, 2, 3), seeded_rrdb(64, 32, 1, 12), odd_net() };
    const char *const what[] = { "RRDBNet x4", "RRDBNet x2", "odd net" };

    for (int i = 0; i < FF_ARRAY_ELEMS(g); i++) {
        Pic in = noise(36, 50), tiny = noise(2, 4);
        if (tap_ok(!!g[i], "%s: graph", what[i])) {
            against_ref(g[i], what[i], in, 100, 50);
            against_ref(g[i], what[i], tiny, 100, 50);
        }
        free(in.p);
        free(tiny.p);
        ff_nn_graph_free(&g[i]);
    }
}

/* ---- what must not matter --------------------------------------------------------------- */

static void test_tiling(enum NNPrecision prec)
{
    NNGraph *g = seeded_srvgg(64, 10, 4);
    Pic in = noise(150, 139), whole, tiles;
    int codes;
    double db;

    if (tap_ok(g && run("onednn", g, prec, in, &whole, 0) >= 0 && run("onednn", g, prec, in, &tiles, 64) >= 0,
               "tiles of 64 pixels run in %s", ff_nn_precision_name(prec))) {
        db = psnr(tiles, whole, &codes);
        tap_ok(codes <= 1 && db > 90, "tile 64 against untiled, %s: %d codes, %.0f dB",
               ff_nn_precision_name(prec), codes, db);
    }
    free(in.p);
    free(whole.p);
    free(tiles.p);
    ff_nn_graph_free(&g);
}

#define NB_SLOTS 4

typedef struct Worker {
    const NNRunner *r;
    const NNGraph  *g;
    Pic  in, out;
    int  slot, failed;
} Worker;

/* every thread its own band, each several times */
static void *work(void *p)
{
    Worker *k = p;
    const int y0 = k->in.h * k->slot / NB_SLOTS, y1 = k->in.h * (k->slot + 1) / NB_SLOTS;
    const NNTile t = tile_of(k->g, k->in, k->out, 0, y0, k->in.w, y1, k->g->halo);

    for (int i = 0; i < 3; i++)
        if (k->r->engine->run(k->r->ctx, k->slot, &t) < 0)
            k->failed = 1;
    return NULL;
}

static void bands(const NNGraph *g, enum NNPrecision prec, Pic in, Pic out, int parallel, int *failed)
{
    const NNConfig cfg = { .precision = prec, .nb_slots = NB_SLOTS };
    Worker w[NB_SLOTS];
    pthread_t thread[NB_SLOTS];
    NNRunner r;

    if (ff_nn_runner_open(&r, "onednn", g, &cfg) < 0) {
        *failed = 1;
        return;
    }
    for (int i = 0; i < NB_SLOTS; i++) {
        w[i] = (Worker){ &r, g, in, out, i, 0 };
        if (!parallel)
            work(&w[i]);
        else if (pthread_create(&thread[i], NULL, work, &w[i]))
            abort();
    }
    for (int i = 0; i < NB_SLOTS; i++) {
        if (parallel)
            pthread_join(thread[i], NULL);
        *failed |= w[i].failed;
    }
    ff_nn_runner_close(&r);
}

static void test_slots(NNGraph *g, enum NNPrecision prec, const char *what)
{
    Pic in = noise(61, 122), a = pic_new(61 * 4, 122 * 4), b = pic_new(61 * 4, 122 * 4);
    int failed = 0;

    bands(g, prec, in, a, 0, &failed);
    bands(g, prec, in, b, 1, &failed);
    tap_ok(!failed && !memcmp(a.p, b.p, (size_t)3 * a.w * a.h * sizeof(float)),
           "%s in %s: %d threads give what one gives, bit for bit", what, ff_nn_precision_name(prec), NB_SLOTS);
    free(in.p);
    free(a.p);
    free(b.p);
}

/** every width is new, so that primitives of several shapes are made by all threads at once */
static void test_first_use(NNGraph *g, enum NNPrecision prec, int nb)
{
    double worst = 999;
    int failed = 0, bad = 0;

    for (int i = 0; i < nb; i++) {
        Pic in = noise(20 + i, 44), out = pic_new(in.w * g->scale, in.h * g->scale), ref;
        int codes;
        double db;

        bands(g, prec, in, out, 1, &failed);
        failed += run("ref", g, NN_PREC_FP32, in, &ref, 0) < 0;
        db    = psnr(out, ref, &codes);
        bad  += db < 50;
        worst = FFMIN(worst, db);
        free(in.p);
        free(out.p);
        free(ref.p);
    }
    tap_ok(!failed && !bad, "%s: primitives made by several threads at once: of %d pictures %d are wrong, worst %.1f dB",
           ff_nn_precision_name(prec), nb, bad, worst);
}

static void test_refusals(void)
{
    NNGraph *g = seeded_srvgg(16, 1, 1);

    for (int p = NN_PREC_FP16; p <= NN_PREC_INT8; p++) {
        const NNConfig cfg = { .precision = p, .nb_slots = 1 };
        NNEngineContext *ctx = NULL;
        tap_ok(ff_nn_engine_onednn.open(&ctx, g, &cfg) == AVERROR(ENOSYS) && !ctx,
               "%s is left to another engine", ff_nn_precision_name(p));
    }
    ff_nn_graph_free(&g);
}

/* ---- the nets that people use, on photographs ---------------------------------------------- */

static const char *shared(const char *file)
{
    static char path[1024];
    const char *dir = getenv("SHARED");

    snprintf(path, sizeof(path), "%s/%s", dir ? dir : "../shared", file);
    return path;
}

/* one of Set5, cut to w x h from its middle; the net sees it as it would a frame */
static Pic photo(int i, int w, int h)
{
    Pic p = { 0 };
    char cmd[2048], file[64];
    const char *ffmpeg = getenv("FFMPEG");
    uint8_t *raw = malloc(3 * w * h);
    FILE *f;

    snprintf(file, sizeof(file), "media/eval/Set5/img_%03d.png", i);
    snprintf(cmd, sizeof(cmd), "'%s' -v error -i '%s' -vf crop=%d:%d,format=rgb24 -f rawvideo -",
             ffmpeg ? ffmpeg : "ffmpeg", shared(file), w, h);
    f = raw && !access(shared(file), R_OK) ? popen(cmd, "r") : NULL;
    if (f && fread(raw, 3 * w * h, 1, f) == 1) {
        p = pic_new(w, h);
        for (int k = 0; k < 3 * w * h; k++)
            p.p[k % 3 * w * h + k / 3] = raw[k] / 255.0f;
    }
    if (f)
        pclose(f);
    free(raw);
    return p;
}

static void test_real(const char *name, const char *path, double bf16_db)
{
    NNGraph *g = NULL;

    if (strcmp(path, "builtin") && access(path, R_OK)) {
        tap_skip("%s: no '%s' (set SHARED)", name, path);
        return;
    }
    if (!tap_ok(ff_nn_graph_load(&g, path, NULL) >= 0, "%s: loads", name))
        return;
    for (int i = 1; i <= 5; i += 2) {
        char what[80];
        Pic in = photo(i, 88, 72);
        snprintf(what, sizeof(what), "%s, photograph %d,", name, i);
        if (in.p)
            against_ref(g, what, in, 70, bf16_db);
        else
            tap_skip("%s: no Set5 (set SHARED) or no ffmpeg (set FFMPEG)", what);
        free(in.p);
    }
    ff_nn_graph_free(&g);
}

int main(void)
{
    const int bf16 = ff_dnnl_native_bf16();
    NNGraph *chain = seeded_srvgg(64, 5, 4), *rrdb = seeded_rrdb(32, 16, 1, 3), *small = seeded_srvgg(32, 2, 4);
    char path[1100];

    setvbuf(stdout, NULL, _IOLBF, 0);
    av_log_set_level(AV_LOG_ERROR);
    printf("# oneDNN %s\n", ff_dnnl_version());
    if (!bf16)
        tap_skip("bf16: this CPU has neither AVX512_BF16 nor AMX");
    test_sizes();
    test_graphs();
    for (int p = NN_PREC_FP32; p <= (bf16 ? NN_PREC_BF16 : NN_PREC_FP32); p++) {
        test_tiling(p);
        test_slots(chain, p, "strips");
        test_slots(rrdb, p, "whole tiles");
        test_first_use(small, p, 60);
    }
    test_refusals();
    snprintf(path, sizeof(path), "%s", shared("models/realesr-general-x4v3.safetensors"));
    test_real("general-x4v3", path, 50);
    snprintf(path, sizeof(path), "%s", shared("models/realesr-animevideov3.safetensors"));
    test_real("animevideov3", path, 50);
    test_real("builtin", "builtin", 50);
    ff_nn_graph_free(&chain);
    ff_nn_graph_free(&rrdb);
    ff_nn_graph_free(&small);
    return tap_done();
}
