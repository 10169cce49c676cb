/*
 * Weight files: formats, number types, cache
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

#include "config.h"
#include "net_files.h"
#include "tap.h"

#include "libavutil/base64.h"
#include "libavutil/error.h"
#include "libavutil/intfloat.h"
#include "libavutil/thread.h"
#include "libavutil/time.h"
#include "libavfilter/nn_load.h"

#include <sys/stat.h>
#include <time.h>
#include <utime.h>

/* largest difference of two nets' weights; infinite if they differ in kind */
static double difference(const NNGraph *a, const NNGraph *b)
{
    double err = 0;

    if (!a || !b || a->nb_nodes != b->nb_nodes)
        return INFINITY;
    for (int i = 0; i < a->nb_nodes; i++) {
        const NNNode *p = &a->nodes[i], *q = &b->nodes[i];
        const size_t n = p->op == NN_CONV ? (size_t)p->c * a->nodes[p->in[0]].c * p->kernel * p->kernel : 0;
        if (p->op != q->op || p->c != q->c || p->act != q->act || !p->bias != !q->bias || p->factor != q->factor ||
            memcmp(p->in, q->in, p->nb_in * sizeof(int)))
            return INFINITY;
        for (size_t k = 0; k < n; k++)
            err = fmax(err, fabs(p->weight[k] - q->weight[k]));
        for (int k = 0; k < p->c; k++) {
            if (p->bias)
                err = fmax(err, fabs(p->bias[k] - q->bias[k]));
            if (p->slope)
                err = fmax(err, fabs(p->slope[k] - q->slope[k]));
        }
    }
    return err;
}

static NNGraph *load(const char *path)
{
    NNGraph *g = NULL;

    nets_forget();
    ff_nn_graph_load(&g, path, NULL);
    return g;
}

/* writes b under the name, loads it and compares it with ref */
static void test_file(const NNGraph *ref, const char *name, Bytes b, const char *what)
{
    NNGraph *g = load(net_file(name, &b));
    double err = difference(ref, g);

    tap_ok(err == 0, "%s: weights differ by %g %s", what, err, nets_last_error);
    ff_nn_graph_free(&g);
    bytes_free(&b);
}

static void test_formats(void)
{
    NNDict d = { 0 };
    NNGraph *ref = NULL, *g;
    Bytes param, bin;
    const char *path;

    nets_srvgg(&d, 5, 6, 2, 3);
    ff_nn_graph_from_dict(&ref, &d, "ref", NULL);
#if CONFIG_JANSSON
    test_file(ref, "a.safetensors", write_safetensors(&d),       "safetensors");
    test_file(ref, "a.weights", write_safetensors(&d),           "safetensors under another name");
#else
    tap_skip("safetensors: this build has no jansson");
#endif
    test_file(ref, "a.pth",  write_pth(&d, NULL, 0),             "pth: plain");
    test_file(ref, "a.pth",  write_pth(&d, "params", 0),         "pth: params");
    test_file(ref, "a.pth",  write_pth(&d, "params_ema", 1),     "pth: params_ema, ZIP64");
    test_file(ref, "a.pth",  write_pth(&d, "state_dict", 0),     "pth: state_dict");
    test_file(ref, "a.safetensors", write_pth(&d, "params", 0),  "pth named .safetensors");

    write_ncnn(&d, &param, &bin);
    path = net_file("a.param", &param);
    net_file("a.bin", &bin);
    g = load(path);
    tap_ok(difference(ref, g) == 0, "ncnn by .param: the same graph and weights %s", nets_last_error);
    ff_nn_graph_free(&g);
    g = load(net_path("a.bin"));
    tap_ok(difference(ref, g) == 0, "ncnn by .bin: the same graph and weights %s", nets_last_error);
    ff_nn_graph_free(&g);
    remove(net_path("a.bin"));
    g = load(net_path("a.param"));
    tap_ok(!g && nets_nb_errors == 1 && strstr(nets_last_error, "a.bin"), "ncnn without .bin: %s", nets_last_error);
    bytes_free(&param);
    bytes_free(&bin);
    ff_nn_dict_free(&d);
    ff_nn_graph_free(&ref);
}

/* params_ema is preferred; a tensor may be a strided view into a shared storage */
static void test_pth_layout(void)
{
    const int dims[2] = { 2, 3 }, strides[2] = { 1, 2 };
    const float v[8] = { 9, 1, 2, 3, 4, 5, 6, 7 }, want[6] = { 1, 3, 5, 2, 4, 6 };
    NNDict d = { .name = "f" };
    Bytes p = { 0 }, f;
    NNBlob b;

    puts_(&p, "\x80\x02}(");
    pkl_str(&p, "params");
    puts_(&p, "}");
    pkl_str(&p, "old");
    pkl_tensor(&p, NULL, "0", 8, 0, dims, NULL, 2);
    puts_(&p, "s");
    pkl_str(&p, "params_ema");
    puts_(&p, "}");
    pkl_str(&p, "new");
    pkl_tensor(&p, NULL, "0", 8, 1, dims, strides, 2);
    puts_(&p, "su.");
    f = pth_from(&p, v, sizeof(v));
    b = blob(&f, "f");
    nets_forget();
    tap_ok(!ff_nn_load_pth(&d, &b, NULL) && d.nb_params == 1 && !strcmp(d.params[0].name, "new"),
           "pth: params_ema goes before params %s", nets_last_error);
    tap_ok(d.nb_params == 1 && d.params[0].nb == 6 && !memcmp(d.params[0].data, want, sizeof(want)),
           "pth: strides and offset are honoured");
    ff_nn_dict_free(&d);
    bytes_free(&p);
    bytes_free(&f);
}

/* tensors of a file that PyTorch wrote, against their sums in the table */
static void check_torch(const char *name, const NNDict *want, const double *sums, const Bytes *text, int size)
{
    Bytes f = { malloc(size), size };
    NNDict d = { .name = name };
    NNBlob b = blob(&f, name);
    int good = av_base64_decode(f.p, (char *)text->p, size) == size, ret;

    nets_forget();
    ret   = ff_nn_load_pth(&d, &b, NULL);
    good &= ret >= 0 && d.nb_params == want->nb_params;
    for (int i = 0; i < want->nb_params && good; i++) {
        const NNParam *p = ff_nn_dict_get(&d, want->params[i].name);
        double sum = 0;
        for (size_t k = 0; p && k < p->nb; k++)
            sum += p->data[k] * (k + 1.0);
        good &= p && p->nb == want->params[i].nb && fabs(sum - sums[i]) < 1e-5 * fmax(1, fabs(sums[i]));
    }
    tap_ok(good, "pth of PyTorch, %s: %d tensors %s", name, d.nb_params, nets_last_error);
    ff_nn_dict_free(&d);
    bytes_free(&f);
}

static void test_torch(void)
{
    FILE *f = fopen("tests/ref/pth.txt", "r");
    char line[256], name[64] = "", key[NN_MAX_NAME];
    double sums[16] = { 0 };
    NNDict want = { 0 };
    Bytes text = { 0 };
    NNParam *p;
    int size = 0, nb, nb_files = 0;

    while (f && fgets(line, sizeof(line), f)) {
        sscanf(line, "pth %63s %*d %d", name, &size);
        if (want.nb_params < 16 && sscanf(line, "tensor %150s %d %lf", key, &nb, &sums[want.nb_params]) == 3)
            ff_nn_dict_add(&want, key, &nb, 1, &p, NULL);
        if (sscanf(line, "base64 %149s", key) == 1)
            puts_(&text, key);
        if (!strncmp(line, "end", 3)) {
            check_torch(name, &want, sums, &text, size);
            ff_nn_dict_free(&want);
            bytes_free(&text);
            nb_files++;
        }
    }
    if (f)
        fclose(f);
    tap_ok(nb_files == 4, "%d files of PyTorch in tests/ref/pth.txt", nb_files);
}

static void test_numbers(void)
{
    static const struct { uint16_t h; float f; } halves[] = {
        { 0x0000, 0 }, { 0x0001, 0x1p-24f }, { 0x03ff, 0x3ffp-24f }, { 0x0400, 0x1p-14f }, { 0x3c00, 1 },
        { 0xbc01, -1 - 0x1p-10f }, { 0x7bff, 65504 }, { 0x8000, -0.0f }, { 0x8001, -0x1p-24f }, { 0x3555, 0.333251953125f },
    };
    const uint16_t bf = 0xc049;
    const double f64[2] = { 1.1, 1e39 };
    float both[2], v = 0;
    int good = 1;

    for (int i = 0; i < FF_ARRAY_ELEMS(halves); i++) {
        good &= ff_nn_convert(&v, (const uint8_t *)&halves[i].h, 1, NN_F16) == 1;
        good &= av_float2int(v) == av_float2int(halves[i].f);
    }
    tap_ok(good, "half precision: subnormals, signs, largest");
    good = 1;
    for (int h = 0; h < 65536; h++) {
        const uint16_t u = h;
        const int fine = ff_nn_convert(&v, (const uint8_t *)&u, 1, NN_F16) == 1;
        good &= fine == ((h >> 10 & 31) != 31);
    }
    tap_ok(good, "half precision: infinities and NaNs of all 65536 are refused");
    tap_ok(ff_nn_convert(&v, (const uint8_t *)&bf, 1, NN_BF16) == 1 && v == -3.140625f, "bfloat16");
    tap_ok(ff_nn_convert(&v, (const uint8_t *)f64, 1, NN_F64) == 1 && v == 1.1f, "double is rounded");
    tap_ok(ff_nn_convert(both, (const uint8_t *)f64, 2, NN_F64) == 1, "double beyond fp32 is refused");
}

/* what people hand over by mistake */
static void test_wrong_files(void)
{
    static const struct { const char *name, *content, *word; } cases[] = {
        { "a.pth", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "LFS" },
        { "b.pth", "<!DOCTYPE html><html><body>Not found</body></html>", "web page" },
        { "c.pth", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.____", "1.6" },
        { "d.pth", "some text that is no net at all", "none of" },
        { "e.onnx", "\x08\x08\x12\x07pytorch and more", "ONNX" },
        { "f.safetensors", "tooshort", "bytes" },
        { "g.safetensors", "\xff\xff\xff\xff\x01\x01\x01\x01{\"a\":{}}", "cut off" },
    };
    NNGraph *g;

    for (int i = 0; i < FF_ARRAY_ELEMS(cases); i++) {
        Bytes b = { 0 };
        puts_(&b, cases[i].content);
        g = load(net_file(cases[i].name, &b));
        tap_ok(!g && nets_nb_errors == 1 && strstr(nets_last_error, cases[i].word), "refused: %s", nets_last_error);
        bytes_free(&b);
    }
    g = load(net_path("does-not-exist.pth"));
    tap_ok(!g && nets_nb_errors == 1, "refused: %s", nets_last_error);
    g = load(net_path(""));
    tap_ok(!g && nets_nb_errors == 1, "refused: %s", nets_last_error);
}

static void test_cache(void)
{
    NNDict d = { 0 }, d2 = { 0 };
    NNGraph *plain = NULL, *other = NULL;
    const NNGraph *a, *b, *m, *m2;
    char path[1024], wdn[1024];
    struct utimbuf later = { time(NULL) + 100, time(NULL) + 100 };
    Bytes f1, f2;

    nets_srvgg(&d,  5, 6, 2, 2);
    nets_srvgg(&d2, 6, 6, 2, 2);
    f1 = write_pth(&d, NULL, 0);
    f2 = write_pth(&d2, NULL, 0);
    snprintf(path, sizeof(path), "%s", net_file("cache.pth", &f1));
    snprintf(wdn,  sizeof(wdn),  "%s", net_file("wdn.pth", &f2));
    ff_nn_graph_load(&plain, path, NULL);
    ff_nn_graph_load(&other, wdn, NULL);

    nets_forget();
    tap_ok(!ff_nn_model_ref(&a, path, NULL, 1, NULL) && !ff_nn_model_ref(&b, path, wdn, 1, NULL) && a == b &&
           nets_nb_loaded == 1, "cache: two users, one copy, one 'model loaded'");
    ff_nn_model_unref(&a);
    ff_nn_model_unref(&b);
    tap_ok(!a && !ff_nn_model_ref(&a, path, NULL, 1, NULL) && nets_nb_loaded == 1,
           "cache: given back and taken again, it is not read again");

    tap_ok(!ff_nn_model_ref(&m, path, wdn, 0.25f, NULL) && !ff_nn_model_ref(&m2, path, wdn, 0.25f, NULL) && m == m2 &&
           nets_nb_loaded == 2, "cache: a mix is shared, too; each file is read once");
    tap_ok(fabs(m->nodes[1].bias[0] - (0.25 * plain->nodes[1].bias[0] + 0.75 * other->nodes[1].bias[0])) < 1e-7,
           "cache: denoise=0.25 is a quarter of the model and three of wdn");
    ff_nn_model_unref(&m2);
    ff_nn_model_unref(&a);
    tap_ok(m->nodes[1].weight[0] != 0 && difference(m, m) == 0, "cache: a mix outlives its parts' users");
    ff_nn_model_unref(&m);
    tap_ok(!ff_nn_model_ref(&m, path, wdn, 0, NULL) && difference(m, other) == 0, "cache: denoise=0 is wdn");
    ff_nn_model_unref(&m);
    nets_forget();
    tap_ok(ff_nn_model_ref(&m, path, wdn, 2, NULL) == AVERROR(EINVAL) && !m && nets_nb_errors == 1, "cache: %s", nets_last_error);

    tap_ok(!ff_nn_model_ref(&a, path, NULL, 1, NULL), "cache: taken");
    net_file("cache.pth", &f2);
    utime(path, &later);
    tap_ok(!ff_nn_model_ref(&b, path, NULL, 1, NULL) && a != b && difference(b, other) == 0 && difference(a, plain) == 0,
           "cache: a file that changed is read again, old users keep theirs");
    ff_nn_model_unref(&a);
    ff_nn_model_unref(&b);
    for (int i = 0; i < 8; i++) {       /* more than are kept */
        ff_nn_model_ref(&m, path, wdn, i / 8.0f, NULL);
        ff_nn_model_unref(&m);
    }
    nets_forget();
    tap_ok(ff_nn_model_ref(&m, net_path("none"), NULL, 1, NULL) < 0 && !m && nets_nb_errors == 1, "cache: %s", nets_last_error);

    ff_nn_dict_free(&d);
    ff_nn_dict_free(&d2);
    ff_nn_graph_free(&plain);
    ff_nn_graph_free(&other);
    bytes_free(&f1);
    bytes_free(&f2);
}

#if HAVE_PTHREADS
static void *use_model(void *path)
{
    for (int i = 0; i < 200; i++) {
        const NNGraph *g;
        if (ff_nn_model_ref(&g, path, path, i % 3 / 2.0f, NULL) < 0 || g->nodes[1].weight[0] == 0)
            return path;
        ff_nn_model_unref(&g);
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t t[4];
    NNDict d = { 0 };
    int failed = 0;
    char path[1024];
    Bytes f;

    nets_srvgg(&d, 5, 6, 2, 2);
    f = write_pth(&d, NULL, 0);
    snprintf(path, sizeof(path), "%s", net_file("threads.pth", &f));
    nets_forget();
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, use_model, path);
    for (int i = 0; i < 4; i++) {
        void *r;
        pthread_join(t[i], &r);
        failed += !!r;
    }
    tap_ok(!failed && nets_nb_loaded == 1, "cache: 4 threads x 200 uses, read %d time", nets_nb_loaded);
    ff_nn_dict_free(&d);
    bytes_free(&f);
}
#else
static void test_threads(void)
{
    tap_skip("cache in threads: this build has none");
}
#endif

static void test_real(void)
{
    const char *dir = getenv("SHARED");
    char path[3][1024];
    NNGraph *a, *b;
    int64_t t;

    a = load("builtin");
    if (!CONFIG_JANSSON)
        tap_ok(!a && strstr(nets_last_error, "jansson"), "builtin without jansson: %s", nets_last_error);
    else
        tap_ok(a && a->in_c == 3 && a->nb_weights <= 100000, "builtin: %s", a ? a->arch : nets_last_error);
    ff_nn_graph_free(&a);

    for (int i = 0; i < 3; i++)
        snprintf(path[i], sizeof(path[i]), "%s/models/realesr-general-x4v3.%s", dir ? dir : "../shared",
                 (const char *[]){ "safetensors", "param", "bin" }[i]);
    a = load(path[0]);
    if (!a) {
        tap_skip("real weights: '%s' is not there (set SHARED)", path[0]);
        return;
    }
    for (int i = 1; i < 3; i++) {
        t = av_gettime_relative();
        b = load(path[i]);
        t = av_gettime_relative() - t;
        tap_ok(difference(a, b) == 0 && b->halo == 34, "ncnn .%s (%s): the weights of the .safetensors, in %.1f ms",
               i == 1 ? "param" : "bin", b ? b->arch : nets_last_error, t / 1000.0);
        ff_nn_graph_free(&b);
    }
    ff_nn_graph_free(&a);
}

int main(void)
{
    av_log_set_callback(nets_log);
    test_formats();
    test_pth_layout();
    test_torch();
    test_numbers();
    test_wrong_files();
    test_cache();
    test_threads();
    test_real();
    return tap_done();
}
