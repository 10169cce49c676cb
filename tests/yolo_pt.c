/*
 * Checkpoints of YOLO detectors: against PyTorch, at any size; broken and hostile ones
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/dict.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "nn_net.h"
#include "nn_pth.h"
#include "nets.h"
#include "yolo_pt.h"
#include "tap.h"

/* ---- runs -------------------------------------------------------------------------------- */

static float *picture(int h, int w)
{
    float *p = malloc(3 * h * w * sizeof(*p));

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                p[(c * h + y) * w + x] = (7 * c + 3 * y + 5 * x + y * x % 11) % 32 / 32.f;
    return p;
}

/* @return the output's values, to be freed, and its sizes; NULL: an error */
static float *run(const NNNet *net, int h, int w, int64_t *dims)
{
    const NNConfig cfg = { .nb_slots = 1 };
    NNNetRunner r = { 0 };
    NNNet *shaped = NULL;
    NNTensor out = { 0 };
    float *in = picture(h, w), *copy = NULL;

    if (ff_nn_net_shape(&shaped, net, 1, 3, h, w, NULL) >= 0 && ff_nn_net_open(&r, "ref", shaped, &cfg, 1) >= 0 &&
        r.engine->run(r.ctx, 0, in, &out) >= 0) {
        copy = malloc(out.nb * sizeof(*copy));
        memcpy(copy, out.data, out.nb * sizeof(*copy));
        memcpy(dims, out.dims, 3 * sizeof(*dims));
    }
    ff_nn_net_close(&r);
    ff_nn_net_free(&shaped);
    free(in);
    return copy;
}

static NNNet *load_bytes(const Bytes *f)
{
    const NNBlob b = blob(f, "x.pt");
    NNNet *net = NULL;
    int ret;

    nets_forget();
    ret = ff_nn_load_yolo_pt(&net, &b, NULL);
    return ret < 0 ? NULL : net;
}

/* ---- against PyTorch ------------------------------------------------------------------------ */

/* "NAME ROWS COLUMNS", then the rows; to be freed */
static double *reference(const char *name, int *rows, int *cols)
{
    const char *top = getenv("FFREEL_TOP");
    char path[1024], word[64];
    double *v = NULL;
    FILE *f;

    snprintf(path, sizeof(path), "%s/tests/ref/yolo_pt.txt", top ? top : ".");
    if (!(f = fopen(path, "r")))
        return NULL;
    while (fscanf(f, "%63s %d %d", word, rows, cols) == 3) {
        v = malloc(*rows * *cols * sizeof(*v));
        for (int i = 0; i < *rows * *cols; i++)
            if (fscanf(f, "%lf", &v[i]) != 1)
                abort();
        if (!strcmp(word, name))
            break;
        free(v);
        v = NULL;
    }
    fclose(f);
    return v;
}

static void test_torch(const char *name, Bytes f, const char *arch)
{
    int rows = 0, cols = 0;
    double *ref = reference(name, &rows, &cols), box = 0, score = 0, spread = 0;
    NNNet *net = load_bytes(&f);
    int64_t dims[3] = { 0 };
    float *out = net ? run(net, 64, 96, dims) : NULL;

    if (tap_ok(ref && out && dims[1] == rows && dims[2] == cols, "%s: loads and runs: %s", name,
               net ? net->arch : nets_last_error)) {
        for (int i = 0; i < rows * cols; i++) {
            const double off = fabs(out[i] - ref[i]);
            if (i < 4 * cols)
                box = fmax(box, off);
            else
                score = fmax(score, off);
            if (i >= 4 * cols)
                spread = fmax(spread, fabs(ref[i] - ref[i - i % cols]));
        }
        tap_ok(box < 1e-3 && score < 5e-6 && spread > 0.3,
               "%s against PyTorch in double: boxes %.1e px, scores %.1e off; scores differ by %.2f", name, box, score,
               spread);
        tap_ok(!strncmp(net->arch, arch, strlen(arch)), "%s: called %s", name, net->arch);
    }
    free(ref);
    free(out);
    ff_nn_net_free(&net);
    bytes_free(&f);
}

static void test_meta(void)
{
    Bytes f = pt_v8(NULL);
    NNNet *net = load_bytes(&f);
    const AVDictionaryEntry *names, *stride, *task;

    if (tap_ok(!!net, "the v8 net loads")) {
        names  = av_dict_get(net->meta, "names", NULL, 0);
        stride = av_dict_get(net->meta, "stride", NULL, 0);
        task   = av_dict_get(net->meta, "task", NULL, 0);
        tap_ok(names && !strcmp(names->value, "{0: 'person', 1: 'it\\'s', 2: 'ball'}"), "names: %s",
               names ? names->value : "-");
        tap_ok(stride && !strcmp(stride->value, "16") && task && !strcmp(task->value, "detect"),
               "stride 16, task detect");
    }
    ff_nn_net_free(&net);
    bytes_free(&f);
}

/* as training leaves them: averaged weights; as export leaves them: norms in the weights */
static void test_variants(void)
{
    static const char *const variants[] = { "ema", "fused" };

    for (int i = 0; i < FF_ARRAY_ELEMS(variants); i++) {
        Bytes f = pt_v8(variants[i]);
        NNNet *net = load_bytes(&f);
        int64_t dims[3] = { 0 };
        float *out = net ? run(net, 32, 32, dims) : NULL;
        tap_ok(out && dims[1] == 7 && dims[2] == 20 && isfinite(out[0]), "%s: loads and runs%s", variants[i], nets_last_error);
        free(out);
        ff_nn_net_free(&net);
        bytes_free(&f);
    }
}

/* sizes are open: as many cells as there are */
static void test_sizes(void)
{
    static const int sizes[][2] = { { 32, 32 }, { 64, 64 }, { 48, 160 }, { 16, 16 } };
    Bytes f = pt_v11(NULL);
    NNNet *net = load_bytes(&f);
    int right = 0;

    for (int i = 0; net && i < FF_ARRAY_ELEMS(sizes); i++) {
        const int h = sizes[i][0], w = sizes[i][1];
        int64_t dims[3];
        float *out = run(net, h, w, dims);
        right += out && dims[1] == 7 && dims[2] == (h / 8) * (w / 8) + (h / 16) * (w / 16);
        free(out);
    }
    tap_ok(right == FF_ARRAY_ELEMS(sizes), "one file, %d sizes", right);
    ff_nn_net_free(&net);
    bytes_free(&f);
}

/* ---- what is refused -------------------------------------------------------------------------- */

static void test_refused(void)
{
    static const struct { const char *spoil, *word; int broken; } cases[] = {
        { "model", "'PoseModel'" }, { "head", "'Segment'" }, { "layer", "'C4'" }, { "end2end", "end-to-end" },
        { "act", "activation" }, { "scale", "enlarges" }, { "headless", "no Detect" },
        { "kernel", "do not fit", 1 }, { "channels", "model.9", 1 }, { "classes", "model.13", 1 },
        { "from", "no layer before", 1 }, { "system", "'os.system', which no file of weights needs", 1 },
        { "called", "calls the class 'attempt_load'", 1 },
    };

    for (int i = 0; i < FF_ARRAY_ELEMS(cases); i++) {
        Bytes f = pt_v8(cases[i].spoil);
        const NNBlob b = blob(&f, "x.pt");
        NNNet *net = NULL;
        int ret;
        nets_forget();
        ret = ff_nn_load_yolo_pt(&net, &b, NULL);
        tap_ok(ret == (cases[i].broken ? AVERROR_INVALIDDATA : AVERROR_PATCHWELCOME) && !net && nets_nb_errors == 1 &&
               strstr(nets_last_error, cases[i].word) &&
               (cases[i].broken || strstr(nets_last_error, "yolo export model=x.pt format=onnx")),
               "%s: %s", cases[i].spoil, nets_last_error);
        bytes_free(&f);
    }
}

static void test_still_strict(void)
{
    Bytes f = pt_v8(NULL);
    const NNBlob b = blob(&f, "x.pt");
    NNDict d = { .name = "x.pt" };
    int ret;

    nets_forget();
    ret = ff_nn_load_pth(&d, &b, NULL);
    tap_ok(ret == AVERROR_INVALIDDATA && nets_nb_errors == 1 && strstr(nets_last_error, "refused"),
           "where only weights are read: %s", nets_last_error);
    ff_nn_dict_free(&d);
    bytes_free(&f);
}

/* cycles and depth cost nothing: nothing but the known members is walked */
static void test_shapes_of_pickles(void)
{
    Bytes f = pt_v8("self"), p = { 0 };
    NNNet *net = load_bytes(&f);
    NNPkl s;
    int root;

    tap_ok(!!net, "an object that is its own state does no harm");
    ff_nn_net_free(&net);
    bytes_free(&f);

    puts_(&p, "\x80\x02");
    for (int i = 0; i < 200000; i++)
        puts_(&p, "cultralytics.x\nY\n)\x81");
    for (int i = 1; i < 200000; i++)
        puts_(&p, "b");
    puts_(&p, ".");
    root = ff_nn_unpickle(&s, p.p, p.n, 1, "deep", NULL);
    tap_ok(root >= 0 && s.values[root].type == PKL_RECORD, "200000 objects in each other");
    ff_pkl_free(&s);
    bytes_free(&p);

    puts_(&p, "\x80\x02]q\x01h\x01" "ah\x01h\x01" "a.");
    root = ff_nn_unpickle(&s, p.p, p.n, 1, "loop", NULL);
    tap_ok(root < 0, "a list in itself, and too much on the stack: refused");
    ff_pkl_free(&s);
    bytes_free(&p);
}

/* bytes changed behind the checksums */
static void test_damage(void)
{
    Bytes f = pt_v8("float");
    uint32_t seed = 7;
    int bad = 0, failed = 0, at = -1, len = 0;

    for (size_t i = 0; i + 16 < f.n && at < 0; i++)         // the pickle is the last but one of the archive
        if (!memcmp(f.p + i, "net/data.pklFB\4\0ZZZZ", 20))
            at = i + 20;
    while (at + len + 4 < f.n && memcmp(f.p + at + len, "PK\7\10", 4))
        len++;
    for (int n = 0; n < 1500; n++) {
        Bytes m = { 0 };
        NNNet *net;
        put(&m, f.p, f.n);
        for (int k = 0; k <= n % 2; k++)
            m.p[at + nets_rand(&seed) % len] = n % 3 ? nets_rand(&seed) >> 24 :
                "(tRQus}.)ebqhrjJK\x81\x85\x94\x93"[(nets_rand(&seed) >> 8) % 21];
        {
            const uint32_t crc = crc32_of(m.p + at, len);
            uint8_t *dir = NULL;
            memcpy(m.p + at + len + 4, &crc, 4);
            for (size_t i = at + len; i + 4 < m.n; i++)
                if (!memcmp(m.p + i, "PK\1\2", 4) && !memcmp(m.p + i + 46, "net/data.pkl", 12))
                    dir = m.p + i;
            if (dir)
                memcpy(dir + 16, &crc, 4);
        }
        net     = load_bytes(&m);
        bad    += net ? nets_nb_errors > 0 : nets_nb_errors != 1;
        failed += !net;
        ff_nn_net_free(&net);
        bytes_free(&m);
    }
    tap_ok(!bad && failed > 500, "1500 pickles changed: %d refused, %d of them not in one line", failed, bad);
    bytes_free(&f);
}

int main(void)
{
    av_log_set_callback(nets_log);
    test_torch("v8", pt_v8(NULL), "YOLOv8");
    test_torch("v11", pt_v11(NULL), "YOLO11");
    test_meta();
    test_variants();
    test_sizes();
    test_refused();
    test_still_strict();
    test_shapes_of_pickles();
    test_damage();
    return tap_done();
}
