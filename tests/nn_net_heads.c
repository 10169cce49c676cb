/*
 * Engine onednn against ref: heads, attention, dynamic ends, a real net, slots
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

#include "nn_net_build.h"

/* ---- heads ------------------------------------------------------------------------------------------------ */

/* scores and boxes of one scale: 64 + 20 channels, distances by softmax over 16 bins */
static void head(OnnxW *w, int n, int anchors)
{
    char shape[64];

    conv(w, "x", "a", 16, 64, 3, 3, 1, 1, "pads=[1,1,1,1]", "SiLU");
    conv(w, "a", "box", 64, 64, 1, 1, 1, 1, "", "");
    conv(w, "a", "cls", 64, 20, 1, 1, 1, 1, "", "");
    conv(w, "x", "b", 16, 32, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    conv(w, "b", "box2", 32, 64, 1, 1, 1, 1, "", "");
    conv(w, "b", "cls2", 32, 20, 1, 1, 1, 1, "", "");
    onnx_node(w, "Concat", "box,cls", "c1", "axis=1");
    onnx_node(w, "Concat", "box2,cls2", "c2", "axis=1");
    onnx_i64(w, "flat", "3", (int64_t[]){ n, 84, -1 });
    onnx_node(w, "Reshape", "c1,flat", "f1", "");
    onnx_node(w, "Reshape", "c2,flat", "f2", "");
    onnx_node(w, "Concat", "f1,f2", "all", "axis=2");
    onnx_i64(w, "parts", "2", (int64_t[]){ 64, 20 });
    onnx_node(w, "Split", "all,parts", "dist,score", "axis=1");
    onnx_i64(w, "bins", "4", (int64_t[]){ n, 4, 16, anchors });
    onnx_node(w, "Reshape", "dist,bins", "d4", "");
    onnx_node(w, "Transpose", "d4", "dt", "perm=[0,2,1,3]");
    onnx_node(w, "Softmax", "dt", "ds", "axis=1");
    conv(w, "ds", "de", 16, 1, 1, 1, 1, 1, "", "");
    onnx_i64(w, "four", "3", (int64_t[]){ n, 4, anchors });
    onnx_node(w, "Reshape", "de,four", "ltrb", "");
    onnx_i64(w, "two", "2", (int64_t[]){ 2, 2 });
    onnx_node(w, "Split", "ltrb,two", "lt,rb", "axis=1");
    snprintf(shape, sizeof(shape), "1,2,%d", anchors);
    weights(w, "grid", shape, 1);
    onnx_node(w, "Sub", "grid,lt", "x1", "");
    onnx_node(w, "Add", "grid,rb", "x2", "");
    onnx_node(w, "Concat", "x1,x2", "xyxy", "axis=1");
    onnx_f32(w, "stride", "1,1,1", (float[]){ 8 });
    onnx_node(w, "Mul", "xyxy,stride", "px", "");
    onnx_node(w, "Sigmoid", "score", "prob", "");
}

static void test_head(int n)
{
    OnnxW w = begin(16);
    char what[64];

    head(&w, n, 9 * 13 + 5 * 7);
    onnx_node(&w, "Concat", "px,prob", "y", "axis=1");
    onnx_node(&w, "Transpose", "y", "yt", "perm=[0,2,1]");
    onnx_output(&w, "y");
    onnx_output(&w, "yt");
    snprintf(what, sizeof(what), "head, batch %d", n);
    check(&w, what, n, 16, 9, 13, 1);
}

/* sizes that only the values tell, and what follows them */
static void test_dynamic(void)
{
    OnnxW w = begin(16);

    head(&w, 1, 9 * 13 + 5 * 7);
    onnx_node(&w, "Transpose", "px", "boxes", "perm=[0,2,1]");
    onnx_i64(&w, "most", "1", (int64_t[]){ 5 });
    onnx_f32(&w, "iou", "1", (float[]){ 0.6f });
    onnx_f32(&w, "conf", "1", (float[]){ 0.4f });
    onnx_node(&w, "NonMaxSuppression", "boxes,prob,most,iou,conf", "sel", "");
    onnx_i64(&w, "col", "1", (int64_t[]){ 2 });
    onnx_node(&w, "Gather", "sel,col", "which", "axis=1");
    onnx_i64(&w, "minus", "1", (int64_t[]){ -1 });
    onnx_node(&w, "Reshape", "which,minus", "list", "");
    onnx_node(&w, "Gather", "boxes,list", "y", "axis=1");
    onnx_f32(&w, "half", "1", (float[]){ 0.5f });
    onnx_node(&w, "Mul", "y,half", "z", "");
    onnx_output(&w, "sel");
    onnx_output(&w, "z");
    check(&w, "NonMaxSuppression and after", 1, 16, 9, 13, 0);
}

static void test_top(void)
{
    OnnxW w = begin(16);

    head(&w, 1, 9 * 13 + 5 * 7);
    onnx_node(&w, "Transpose", "prob", "pt", "perm=[0,2,1]");
    onnx_node(&w, "ReduceMax", "pt", "most", "axes=[-1] keepdims=0");
    onnx_node(&w, "ReduceMax", "prob", "most2", "axes=[1] keepdims=1");
    onnx_i64(&w, "k", "1", (int64_t[]){ 10 });
    onnx_node(&w, "TopK", "most,k", "v,i", "axis=-1");
    onnx_output(&w, "v");
    onnx_output(&w, "i");
    onnx_output(&w, "most2");
    check(&w, "best ten", 1, 16, 9, 13, 0);
}

/* attention, odd broadcasts, an output that is an input, and one that is a constant */
static void test_rest(void)
{
    OnnxW w = begin(3);

    conv(&w, "x", "a", 3, 64, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_i64(&w, "qkv", "4", (int64_t[]){ 1, 2, 32, 30 });
    onnx_node(&w, "Reshape", "a,qkv", "r", "");
    onnx_i64(&w, "parts", "3", (int64_t[]){ 8, 8, 16 });
    onnx_node(&w, "Split", "r,parts", "q,k,v", "axis=2");
    onnx_node(&w, "Transpose", "q", "qt", "perm=[0,1,3,2]");
    onnx_node(&w, "MatMul", "qt,k", "m", "");
    onnx_f32(&w, "scale", "", (float[]){ 0.35f });
    onnx_node(&w, "Mul", "m,scale", "ms", "");
    onnx_node(&w, "Softmax", "ms", "s", "axis=-1");
    onnx_node(&w, "Transpose", "s", "st", "perm=[0,1,3,2]");
    onnx_node(&w, "MatMul", "v,st", "o", "");
    onnx_i64(&w, "pic", "4", (int64_t[]){ 1, 32, 5, 6 });
    onnx_node(&w, "Reshape", "o,pic", "op", "");
    conv(&w, "op", "pe", 32, 32, 3, 3, 1, 32, "pads=[1,1,1,1]", "");
    onnx_node(&w, "Add", "op,pe", "y", "");
    conv(&w, "y", "z", 32, 7, 1, 1, 1, 1, "", "");
    weights(&w, "col", "5,1", 1);
    weights(&w, "chan", "7,1,1", 1);
    onnx_node(&w, "Mul", "z,col", "zc", "");
    onnx_node(&w, "Div", "chan,zc", "zd", "");
    onnx_node(&w, "Max", "zd,z", "zm", "");
    onnx_node(&w, "Tanh", "zm", "zt", "");
    onnx_node(&w, "Exp", "z", "ze", "");
    onnx_node(&w, "Identity", "x", "same", "");
    onnx_node(&w, "Neg", "x", "neg", "");
    onnx_output(&w, "z");
    onnx_output(&w, "zt");
    onnx_output(&w, "ze");
    onnx_output(&w, "same");
    onnx_output(&w, "neg");
    check(&w, "attention and broadcasts", 1, 3, 10, 12, 0);
}

/* ---- slots ---------------------------------------------------------------------------------------------------- */

typedef struct Job {
    NNNetRunner *r;
    int slot, ret, rounds;
    const float *in;
    float *out;
} Job;

static void *work(void *arg)
{
    Job *j = arg;
    NNTensor out[8];

    for (int i = 0; i < j->rounds && j->ret >= 0; i++)
        j->ret = j->r->engine->run(j->r->ctx, j->slot, j->in, out);
    if (j->ret >= 0)
        memcpy(j->out, out[0].data, out[0].nb * sizeof(float));
    return NULL;
}

/* two slots at once give the bytes of one alone */
static void test_slots(enum NNPrecision prec)
{
    enum { H = 40, W = 56, NB = 20 * 10 * 14 };
    OnnxW w = begin(3);
    NNNet *net, *shaped = NULL;
    const NNConfig cfg = { .precision = prec, .nb_slots = 2 };
    static float out[4][NB];
    float *in[2] = { noise(3 * H * W), noise(3 * H * W) };
    NNNetRunner r = { 0 };
    pthread_t thread[2];
    Job j[4];
    int ok = 1;

    conv(&w, "x", "a", 3, 32, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    conv(&w, "a", "b", 32, 48, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_node(&w, "MaxPool", "b", "p", "kernel_shape=[5,5] pads=[2,2,2,2] strides=[1,1]");
    onnx_node(&w, "Concat", "b,p", "c", "axis=1");
    conv(&w, "c", "y", 96, 20, 1, 1, 1, 1, "", "Sigmoid");
    onnx_output(&w, "y");
    net = finish(&w);
    if (!tap_ok(net && ff_nn_net_shape(&shaped, net, 1, 3, H, W, NULL) >= 0 &&
                ff_nn_net_open(&r, "onednn", shaped, &cfg, 1) >= 0, "two slots open"))
        goto end;
    for (int i = 0; i < 4; i++)
        j[i] = (Job){ &r, i & 1, 0, i < 2 ? 1 : 100, in[i & 1], out[i] };
    work(&j[0]);
    work(&j[1]);
    for (int i = 0; i < 2; i++)
        ok &= !pthread_create(&thread[i], NULL, work, &j[2 + i]);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < 4; i++)
        ok &= j[i].ret >= 0;
    tap_ok(ok && !memcmp(out[0], out[2], sizeof(out[0])) && !memcmp(out[1], out[3], sizeof(out[0])) &&
           memcmp(out[0], out[1], sizeof(out[0])), "%s: two slots at once give the bytes of one alone",
           ff_nn_precision_name(prec));
end:
    ff_nn_net_close(&r);
    ff_nn_net_free(&shaped);
    ff_nn_net_free(&net);
    free(in[0]);
    free(in[1]);
}

/* ---- a real one -------------------------------------------------------------------------------------------------- */

static void test_real(void)
{
    const char *shared = getenv("SHARED");
    const NNConfig cfg = { .precision = NN_PREC_FP32, .nb_slots = 1 };
    NNNet *net = NULL, *shaped = NULL;
    NNNetRunner ref = { 0 };
    NNTensor want[8] = { { 0 } };
    char path[1024];
    float *in = noise(3 * 416 * 416);

    snprintf(path, sizeof(path), "%s/models/yolox_nano.onnx", shared ? shared : "");
    if (!shared || access(path, R_OK)) {
        tap_skip("yolox_nano: no models/yolox_nano.onnx in the folder SHARED");
    } else if (tap_ok(ff_nn_net_load(&net, path, NULL) >= 0 &&
                      ff_nn_net_shape(&shaped, net, 1, 3, 416, 416, NULL) >= 0 &&
                      ff_nn_net_open(&ref, "ref", shaped, &cfg, 1) >= 0, "yolox_nano: ref")) {
        for (int i = 0; i < 3 * 416 * 416; i++)
            in[i] = 127.5f + 127.5f * in[i];
        tap_ok(ref.engine->run(ref.ctx, 0, in, want) >= 0, "yolox_nano: ref runs");
        against(shaped, "yolox_nano", NN_PREC_FP32, 1, in, want, 1e-3, 1e-4);
        against(shaped, "yolox_nano", NN_PREC_FP32, 2, in, want, 1e-3, 1e-4);
        if (ff_dnnl_native_bf16())
            against(shaped, "yolox_nano", NN_PREC_BF16, 1, in, want, 1, 0.05);
    }
    ff_nn_net_close(&ref);
    ff_nn_net_free(&shaped);
    ff_nn_net_free(&net);
    free(in);
}

/* ---- main ------------------------------------------------------------------------------------------ */

int main(void)
{
#if CONFIG_LIBDNNL
    av_log_set_level(AV_LOG_ERROR);
    test_head(1);
    test_head(3);
    test_dynamic();
    test_top();
    test_rest();
    test_real();
    test_slots(NN_PREC_FP32);
    if (ff_dnnl_native_bf16())
        test_slots(NN_PREC_BF16);
    return tap_done();
#else
    tap_skip("onednn: not in this build");
    puts("done - nothing to test");
    return 0;
#endif
}
