/*
 * Engine onednn in int8: nothing but the image counts; what is refused; a real net
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
#include <sys/wait.h>
#include <unistd.h>

#include "nn_net_build.h"

#if CONFIG_LIBDNNL
#include "libavfilter/nn_net_quant.h"

/* ---- nothing but the image counts ------------------------------------------------------------------ */

enum { H = 40, W = 56, NB = 20 * 10 * 14, PIXELS = 3 * H * W };

static NNNet *small_net(void)
{
    OnnxW w = begin(3);

    conv(&w, "x", "a", 3, 32, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    conv(&w, "a", "b", 32, 48, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_node(&w, "MaxPool", "b", "p", "kernel_shape=[5,5] pads=[2,2,2,2] strides=[1,1]");
    onnx_node(&w, "Concat", "b,p", "c", "axis=1");
    conv(&w, "c", "d", 96, 32, 1, 1, 1, 1, "", "SiLU");
    conv(&w, "d", "y", 32, 20, 1, 1, 1, 1, "", "Sigmoid");
    onnx_output(&w, "y");
    return finish(&w);
}

typedef struct Job {
    Nets *t;
    int slot, ret;
    const float *in;
    float out[NB];
} Job;

static void *work(void *arg)
{
    Job *j = arg;
    NNTensor out[8];

    for (int i = 0; i < 50 && j->ret >= 0; i++)
        j->ret = run(j->t, j->slot, j->in, out);
    if (j->ret >= 0)
        memcpy(j->out, out[0].data, sizeof(j->out));
    return NULL;
}

/* images of very different ranges: alone, in a batch, in two slots at once, by two threads, after another */
static void test_pure(void)
{
    Nets one = { small_net() }, three = { one.net }, wide = { one.net }, slots = { one.net };
    float *in = noise(3 * PIXELS);
    static float alone[3][NB];
    static Job j[2];
    NNTensor out[8];
    pthread_t thread[2];
    int ok;

    for (int i = 0; i < PIXELS; i++) {
        in[PIXELS + i]     *= 20;
        in[2 * PIXELS + i] *= 0.01f;
    }
    ok = open_shape(&one, 1, 3, H, W, NN_PREC_INT8, 1, 1) && open_shape(&three, 3, 3, H, W, NN_PREC_INT8, 1, 1) &&
         open_shape(&wide, 1, 3, H, W, NN_PREC_INT8, 1, 2) && open_shape(&slots, 1, 3, H, W, NN_PREC_INT8, 2, 1);
    for (int i = 0; i < 3 && ok; i++) {
        ok = run(&one, 0, in + i * PIXELS, out) >= 0;
        memcpy(alone[i], out[0].data, sizeof(alone[i]));
    }
    if (tap_ok(ok && memcmp(alone[0], alone[1], sizeof(alone[0])) && memcmp(alone[0], alone[2], sizeof(alone[0])),
               "three images, one by one")) {
        ok = run(&one, 0, in, out) >= 0 && !memcmp(out[0].data, alone[0], sizeof(alone[0]));
        tap_ok(ok, "the first one again: the same bytes");
        ok = run(&three, 0, in, out) >= 0 && !memcmp(out[0].data, alone, sizeof(alone));
        tap_ok(ok, "all in one batch: the same bytes");
        ok = run(&wide, 0, in + PIXELS, out) >= 0 && !memcmp(out[0].data, alone[1], sizeof(alone[1]));
        tap_ok(ok, "by two threads: the same bytes");
        ok = 1;
        for (int i = 0; i < 2; i++) {
            j[i] = (Job){ &slots, i, 0, in + i * PIXELS };
            ok &= !pthread_create(&thread[i], NULL, work, &j[i]);
        }
        for (int i = 0; i < 2; i++) {
            pthread_join(thread[i], NULL);
            ok &= j[i].ret >= 0 && !memcmp(j[i].out, alone[i], sizeof(alone[i]));
        }
        tap_ok(ok, "in two slots at once: the same bytes");
    }
    three.net = wide.net = slots.net = NULL;
    drop(&slots);
    drop(&wide);
    drop(&three);
    drop(&one);
    free(in);
}

/* ---- what cannot be ------------------------------------------------------------------------------------- */

/* bytes have no NaN and no infinity: they must not become numbers */
static void test_not_finite(void)
{
    Nets t = { small_net() };
    float *in = noise(PIXELS);
    NNTensor out[8];
    int ok = open_shape(&t, 1, 3, H, W, NN_PREC_INT8, 1, 1), ret[3] = { 0 };

    for (int i = 0; i < 3 && ok; i++) {
        const float old = in[PIXELS / 2];
        in[PIXELS / 2] = i == 0 ? NAN : i == 1 ? INFINITY : old;
        ret[i] = run(&t, 0, in, out);
        in[PIXELS / 2] = old;
    }
    tap_ok(ok && ret[0] == AVERROR_EXTERNAL && ret[1] == AVERROR_EXTERNAL && ret[2] >= 0,
           "NaN and infinity are errors, and the next run is well");
    drop(&t);
    free(in);
}

/* black: a range of nothing */
static void test_zero(void)
{
    Nets ref = { small_net() }, q = { ref.net };
    float *in = calloc(PIXELS, sizeof(*in));
    NNTensor want[8] = { { 0 } }, got[8] = { { 0 } };
    double rms = 1e9;
    int ok = open_shape(&ref, 1, 3, H, W, NN_PREC_AUTO, 1, 1) && open_shape(&q, 1, 3, H, W, NN_PREC_INT8, 1, 1) &&
             run(&ref, 0, in, want) >= 0 && run(&q, 0, in, got) >= 0;

    if (ok)
        differ(&want[0], &got[0], &rms);
    tap_ok(ok && rms < 0.02, "a black picture: rms %.2g", rms);
    q.net = NULL;
    drop(&q);
    drop(&ref);
    free(in);
}

/* in a process of its own: oneDNN looks once what it may use */
static void test_refused(void)
{
    int status = -1;
    const pid_t pid = fork();

    if (!pid) {
        const NNConfig cfg = { .precision = NN_PREC_INT8, .nb_slots = 1 };
        Nets t = { small_net() };
        NNNetRunner r;
        setenv("DNNL_MAX_CPU_ISA", "AVX512_CORE", 1);
        av_log_set_level(AV_LOG_QUIET);
        _exit(ff_nn_net_shape(&t.shaped, t.net, 1, 3, H, W, NULL) < 0 ? 2 :
              ff_nn_net_open(&r, "onednn", t.shaped, &cfg, 1) == AVERROR(ENOSYS) ? 0 : 1);
    }
    tap_ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status),
           "without AVX512_VNNI int8 is refused");
}

/* ---- a real one ------------------------------------------------------------------------------------------- */

static void test_real(void)
{
    const char *shared = getenv("SHARED");
    Nets ref = { 0 };
    NNTensor want[8] = { { 0 } };
    char path[1024];
    float *in = noise(3 * 416 * 416);

    snprintf(path, sizeof(path), "%s/models/yolox_nano.onnx", shared ? shared : "");
    if (!shared || access(path, R_OK)) {
        tap_skip("yolox_nano: no models/yolox_nano.onnx in the folder SHARED");
    } else if (tap_ok(ff_nn_net_load(&ref.net, path, NULL) >= 0 &&
                      open_shape(&ref, 1, 3, 416, 416, NN_PREC_AUTO, 1, 1), "yolox_nano: ref")) {
        for (int i = 0; i < 3 * 416 * 416; i++)
            in[i] = 127.5f + 127.5f * in[i];
        tap_ok(run(&ref, 0, in, want) >= 0, "yolox_nano: ref runs");
        against(ref.shaped, "yolox_nano", NN_PREC_INT8, 1, in, want, 1e9, 0.2);
    }
    drop(&ref);
    free(in);
}
#endif

/* ---- main ---------------------------------------------------------------------------------------------------- */

int main(void)
{
#if CONFIG_LIBDNNL
    av_log_set_level(AV_LOG_ERROR);
    test_refused();
    if (!ff_dnnl_native_int8() || !ff_nn_quant_cpu()) {
        tap_skip("int8: this CPU has no AVX512_VNNI, or DNNL_MAX_CPU_ISA hides it");
        return tap_done();
    }
    test_pure();
    av_log_set_level(AV_LOG_QUIET);
    test_not_finite();
    av_log_set_level(AV_LOG_ERROR);
    test_zero();
    test_real();
    return tap_done();
#else
    tap_skip("onednn: not in this build");
    puts("done - nothing to test");
    return 0;
#endif
}
