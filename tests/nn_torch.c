/*
 * Engine torch and its library's loader, on a library without LibTorch (fake_torch.c)
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
#include <sys/stat.h>
#include <unistd.h>

#include "net_files.h"
#include "tap.h"

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavfilter/nn_torch.h"

/* ---- files ------------------------------------------------------------------------- */

/* looks like TorchScript; what it does the library decides by its name */
static const char *script(const char *name)
{
    Zip z = { .stream = 1 };
    char entry[64], file[64];
    const char *path;
    Bytes b;

    snprintf(file, sizeof(file), "%s.pt", name);
    snprintf(entry, sizeof(entry), "%s/data.pkl", name);
    zip_add(&z, entry, "\x80\2}.", 4);
    snprintf(entry, sizeof(entry), "%s/code/__torch__.py", name);
    zip_add(&z, entry, "class Net(Module):\n", 19);
    snprintf(entry, sizeof(entry), "%s/constants.pkl", name);
    zip_add(&z, entry, "\x80\2).", 4);
    b = zip_end(&z);
    path = net_file(file, &b);
    bytes_free(&b);
    return path;
}

static int build(const char *name, const char *flags)
{
    const char *top = getenv("FFREEL_TOP"), *cc = getenv("CC");
    char cmd[4096];

    snprintf(cmd, sizeof(cmd), "%s -shared -fPIC -O1 %s -I'%s/cuda' '%s/tests/fake_torch.c' -o '%s'",
             cc ? cc : "cc", flags, top ? top : ".", top ? top : ".", net_path(name));
    return !system(cmd);
}

static void use(const char *name)
{
    setenv("FFREEL_TORCH", net_path(name), 1);
}

/* ---- the library -------------------------------------------------------------------- */

static void lib_refused(const char *what, const char *word, const char *word2)
{
    const NNTorchLib *lib;
    int ret;

    nets_forget();
    ret = ff_nn_torch_lib(&lib, NULL);
    tap_ok(ret == AVERROR(ENOSYS) && !lib && nets_nb_errors == 1 && strstr(nets_last_error, word) &&
           strstr(nets_last_error, word2), "%s: %s", what, nets_last_error);
}

static void test_library(void)
{
    const NNTorchLib *lib, *again;
    Bytes b = { 0 };

    unsetenv("FFREEL_TORCH");
    lib_refused("no library", "libffreel_torch.so", "--with-libtorch");
    use("nowhere.so");
    lib_refused("FFREEL_TORCH names none", "nowhere.so cannot be read", "--with-libtorch");
    puts_(&b, "no library at all");
    net_file("text.so", &b);
    bytes_free(&b);
    use("text.so");
    lib_refused("not a library", "text.so cannot be loaded", "LibTorch must be");
    use("old.so");
    lib_refused("another interface", "has interface 99, this program needs", "same sources");
    use("missing.so");
    lib_refused("a function short", "has no function ffreel_torch_peak", "--with-libtorch");
    use("fake.so");
    nets_forget();
    tap_ok(!ff_nn_torch_lib(&lib, NULL) && !nets_nb_errors, "the right one is loaded after all that");
    use("nowhere.so");
    tap_ok(!ff_nn_torch_lib(&again, NULL) && again == lib, "and once only");
}

/* ---- files to graphs ------------------------------------------------------------------ */

static NNGraph *graph(const char *name, int align, int halo, int default_halo)
{
    NNGraph *g = NULL;
    int ret;

    nets_forget();
    ret = ff_nn_graph_load(&g, script(name), NULL);
    tap_ok(!ret && !nets_nb_errors && g->script && !g->nb_nodes && g->scale == 2 && g->align == align && g->halo == halo &&
           g->default_halo == default_halo && g->in_c == 3 && g->nb_weights == 27 && g->bytes == 48,
           "%s: x%d, align %d, halo %d, default %d, %lld bytes a pixel", name, g ? g->scale : 0, g ? g->align : 0,
           g ? g->halo : 0, g ? g->default_halo : 0, g ? (long long)g->bytes : 0);
    return g;
}

static void file_refused(const char *name, int want, const char *word)
{
    NNGraph *g = NULL;
    int ret;

    nets_forget();
    ret = ff_nn_graph_load(&g, script(name), NULL);
    tap_ok(ret == want && !g && nets_nb_errors == 1 && strstr(nets_last_error, word) && strstr(nets_last_error, name),
           "%s: %s", name, nets_last_error);
}

static void test_files(void)
{
    NNGraph *g = NULL, *h;
    const NNGraph *m;
    const char *mean;

    file_refused("broken",  AVERROR_INVALIDDATA,  "no LibTorch, a test: the file is broken");
    file_refused("throws",  AVERROR_PATCHWELCOME, "does not like this picture");
    file_refused("two",     AVERROR_PATCHWELCOME, "gives 2 tensors");
    file_refused("none",    AVERROR_PATCHWELCOME, "gives 0 tensors");
    file_refused("flat",    AVERROR_PATCHWELCOME, "it makes 1x3 of a picture of 1x3x");
    file_refused("integer", AVERROR_PATCHWELCOME, "gives integers");
    file_refused("valid",   AVERROR_PATCHWELCOME, "no whole multiple");
    file_refused("memory",  AVERROR(ENOMEM), "out of memory");

    g = graph("mean", 1, 1, 1);
    nets_forget();
    tap_ok(ff_nn_graph_mix(&h, g, g, 0.5, NULL) == AVERROR(EINVAL) && strstr(nets_last_error, "cannot be mixed"),
           "mixing: %s", nets_last_error);
    ff_nn_graph_free(&g);
    g = graph("even", 2, 2, 2);
    ff_nn_graph_free(&g);
    g = graph("wide", 1, NN_TORCH_ALL_HALO, NN_TORCH_HALO);
    ff_nn_graph_free(&g);

    nets_forget();
    mean = script("mean");      /* written once: its time is part of the cache's key */
    tap_ok(!ff_nn_model_ref(&m, mean, NULL, 1, NULL) && nets_nb_loaded == 1, "the cache loads it");
    ff_nn_model_unref(&m);
    nets_forget();
    tap_ok(!ff_nn_model_ref(&m, mean, NULL, 1, NULL) && !nets_nb_loaded, "once");
    ff_nn_model_unref(&m);
}

/* ---- the engine ------------------------------------------------------------------------ */

enum { W = 37, H = 23 };

/* what fake_torch.c's mean of 9 gives */
static float want_at(const float *in, int c, int y, int x)
{
    float sum = 0;

    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            if (y + i >= 0 && y + i < H && x + j >= 0 && x + j < W)
                sum += in[(c * H + y + i) * W + x + j];
    return sum / 9;
}

static int differs(const float *in, const float *out, float offset)
{
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 2 * H; y++)
            for (int x = 0; x < 2 * W; x++)
                if (out[(c * 2 * H + y) * 2 * W + x] != want_at(in, c, y / 2, x / 2) + offset)
                    return 1;
    return 0;
}

static int open_engine(NNRunner *r, const char *engine, const NNGraph *g, enum NNPrecision prec, const char *device)
{
    const NNConfig cfg = { .precision = prec, .nb_slots = 2, .device = device };

    nets_forget();
    return ff_nn_runner_open(r, engine, g, &cfg);
}

static void engine_refused(const char *what, const char *engine, const NNGraph *g, enum NNPrecision prec,
                           const char *device, int want, const char *word)
{
    NNRunner r;
    int ret = open_engine(&r, engine, g, prec, device);

    tap_ok(ret == want && nets_nb_errors == 1 && strstr(nets_last_error, word), "%s: %s", what, nets_last_error);
    ff_nn_runner_close(&r);
}

typedef struct Racer {
    const NNRunner *r;
    NNTile tile;
    int    slot, failed;
} Racer;

static void *race(void *arg)
{
    Racer *a = arg;

    for (int i = 0; i < 50; i++)
        a->failed += a->r->engine->run(a->r->ctx, a->slot, &a->tile) < 0;
    return NULL;
}

static void test_slots(const NNGraph *g, const float *in)
{
    static float out[2][12 * H * W];
    Racer racers[2];
    pthread_t t[2];
    NNRunner r;

    if (!tap_ok(!open_engine(&r, "torch", g, NN_PREC_FP32, NULL), "torch opens"))
        return;
    for (int i = 0; i < 2; i++) {
        racers[i] = (Racer){ .r = &r, .slot = i, .tile = { .in_stride = W, .w = W, .h = H, .out_stride = 2 * W } };
        for (int c = 0; c < 3; c++) {
            racers[i].tile.in[c]  = in + c * H * W;
            racers[i].tile.out[c] = out[i] + c * 4 * H * W;
        }
        pthread_create(&t[i], NULL, race, &racers[i]);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    tap_ok(!racers[0].failed && !racers[1].failed && !differs(in, out[0], 0) && !differs(in, out[1], 0),
           "two slots at once: the net sees one run at a time");
    ff_nn_runner_close(&r);
}

static void test_precision(const NNGraph *g, const float *in)
{
    float out[12 * H * W];
    NNRunner r;

    for (int p = NN_PREC_AUTO; p <= NN_PREC_BF16; p++) {
        NNTile t = { .in_stride = W, .w = W, .h = H, .out_stride = 2 * W };
        for (int c = 0; c < 3; c++) {
            t.in[c]  = in + c * H * W;
            t.out[c] = out + c * 4 * H * W;
        }
        if (tap_ok(!open_engine(&r, "auto", g, p, "cpu") && r.engine == &ff_nn_engine_torch,
                   "auto, %s: engine torch", ff_nn_precision_name(p)))
            tap_ok(!r.engine->run(r.ctx, 0, &t) && !differs(in, out, p == NN_PREC_BF16 ? 1 / 256.f : 0) &&
                   r.engine->precision(r.ctx) == (p == NN_PREC_BF16 ? p : NN_PREC_FP32), "and the library is asked for that");
        ff_nn_runner_close(&r);
    }
}

static void test_engine(void)
{
    static float in[3 * H * W], out[12 * H * W];
    NNGraph *g = NULL, *last = NULL, *gray = NULL, *small = NULL, *net = NULL;
    NNDict d = { 0 };
    NNRunner r;

    nets_picture(in, W, H, 5);
    if (!tap_ok(!ff_nn_graph_load(&g, script("mean"), NULL) && !ff_nn_graph_load(&last, script("last"), NULL) &&
                !ff_nn_graph_load(&gray, script("gray"), NULL) && !ff_nn_graph_load(&small, script("small"), NULL),
                "nets load"))
        return;
    tap_ok(gray->out_c == 1, "one channel out is seen");
    nets_srvgg(&d, 1, 8, 1, 2);
    ff_nn_graph_from_dict(&net, &d, "srvgg", NULL);
    ff_nn_dict_free(&d);

    engine_refused("ref", "ref", g, NN_PREC_AUTO, NULL, AVERROR(ENOSYS), "engine=torch");
    engine_refused("int8", "auto", g, NN_PREC_INT8, NULL, AVERROR(ENOSYS), "fp32, bf16 or fp16");
    engine_refused("weights", "torch", net, NN_PREC_AUTO, NULL, AVERROR(ENOSYS), "TorchScript files alone");
    engine_refused("no such engine", "tensorflow", g, NN_PREC_AUTO, NULL, AVERROR(EINVAL), "torch");
    engine_refused("no such device", "auto", g, NN_PREC_AUTO, "cuda:7", AVERROR(ENODEV), "no such device");

    tap_ok(!nets_run("torch", g, in, W, H, out, 0, 0) && !differs(in, out, 0), "a whole picture");
    memset(out, 0, sizeof(out));
    tap_ok(!nets_run("torch", g, in, W, H, out, 10, g->halo) && !differs(in, out, 0), "tiles of 10 with the measured halo");
    memset(out, 0, sizeof(out));
    tap_ok(!nets_run("torch", g, in, W, H, out, 10, 0) && differs(in, out, 0), "halo 0 is seen");
    memset(out, 0, sizeof(out));
    tap_ok(!nets_run("torch", last, in, W, H, out, 10, 1) && !differs(in, out, 0), "results pixel by pixel");
    test_precision(g, in);
    test_slots(g, in);

    if (tap_ok(!open_engine(&r, "auto", small, NN_PREC_AUTO, NULL), "a net that will fail on a large picture opens")) {
        float *big = calloc(3 * 120 * 120 * 5, sizeof(*big));
        NNTile t = { .in = { big, big, big }, .in_stride = 120, .w = 120, .h = 120, .out_stride = 240 };
        for (int c = 0; c < 3; c++)
            t.out[c] = big + 3 * 120 * 120 * (1 + c);
        nets_forget();
        tap_ok(r.engine->run(r.ctx, 0, &t) == AVERROR_EXTERNAL && strstr(nets_last_error, "does not like this picture"),
               "and fails then: %s", nets_last_error);
        free(big);
    }
    ff_nn_runner_close(&r);
    ff_nn_graph_free(&g);
    ff_nn_graph_free(&last);
    ff_nn_graph_free(&gray);
    ff_nn_graph_free(&small);
    ff_nn_graph_free(&net);
}

/* ---- the filter ---------------------------------------------------------------------- */

/* @return whether ffmpeg's exit status is as wanted and its log has the word so often */
static void filter(const char *graph, int fails, const char *word, int times, const char *what)
{
    const char *ffmpeg = getenv("FFMPEG");
    char cmd[8192], line[2048], said[2048] = "";
    int nb = 0, ret;
    FILE *f;

    snprintf(cmd, sizeof(cmd), "cd '%s' && '%s' -hide_banner -nostdin -v verbose -f lavfi -i testsrc2=s=50x38:r=5:d=0.4 "
             "-vf '%s' -f null - 2>&1", net_path("."), ffmpeg, graph);
    if (!(f = popen(cmd, "r")))
        abort();
    while (fgets(line, sizeof(line), f))
        if (strstr(line, word)) {
            nb++;
            snprintf(said, sizeof(said), "%.*s", (int)strcspn(line, "\n"), line);
        }
    ret = pclose(f);
    tap_ok(!ret == !fails && nb == times, "%s: %d times '%s'%s, status %d", what, nb, word, said, ret);
}

static void test_filter(void)
{
    if (!getenv("FFMPEG")) {
        tap_skip("the filter: FFMPEG does not name a program");
        return;
    }
    use("fake.so");
    script("mean");
    script("half");
    script("planes");
    script("gray");
    script("small");
    filter("format=yuv420p,esrgan=model=mean.pt,esrgan=model=mean.pt:tile=32", 0, "model loaded", 1,
           "two filters, one model");
    filter("esrgan=model=mean.pt", 0, "in 1 tiles of 50x38, halo 1", 1, "the whole picture at once");
    filter("esrgan=model=mean.pt", 0, "tensors pixel by pixel", 1, "layout");
    filter("esrgan=model=planes.pt", 0, "tensors plane by plane", 1, "a net that insists on planes");
    filter("esrgan=model=mean.pt:tile=16", 0, "in 12 tiles of 16x16, halo 1", 1, "tiles");
    filter("esrgan=model=half.pt:precision=fp16", 0, "are redone in fp32", 2, "what is not finite in fp16");
    filter("esrgan=model=gray.pt", 1, "3 channels in, 1 out", 1, "one channel");
    filter("esrgan=model=mean.pt:engine=ref", 1, "engine=torch alone", 1, "another engine");
    filter("esrgan=model=mean.pt:device=3", 1, "no such device", 1, "a device that is not there");
    filter("esrgan=model=mean.pt:denoise=0.5:wdn=mean.pt", 1, "cannot be mixed", 1, "denoise");
    filter("scale=100:120,esrgan=model=small.pt", 1, "does not like this picture", 1, "a net that fails later");
    filter("scale=100:120,esrgan=model=small.pt:tile=64", 0, "model loaded", 1, "and does not on tiles");
    unsetenv("FFREEL_TORCH");
    filter("esrgan=model=mean.pt", 1, "--with-libtorch", 1, "no library");
}

int main(void)
{
    av_log_set_level(AV_LOG_VERBOSE);
    av_log_set_callback(nets_log);
    if (!build("fake.so", "") || !build("old.so", "-DABI=99") || !build("missing.so", "-DMISSING")) {
        tap_ok(0, "the library for tests compiles");
        return tap_done();
    }
    test_library();
    test_files();
    test_engine();
    test_filter();
    return tap_done();
}
