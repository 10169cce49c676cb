/*
 * Nets of any shape: sizes, folding, fusion, engine ref
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


#include "onnx_write.h"
#include "tap.h"

#include <unistd.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavfilter/nn_net.h"

static NNNet *load(Bytes f)
{
    NNBlob b = blob(&f, "f");
    NNNet *net = NULL;

    nets_forget();
    ff_nn_load_onnx(&net, &b, NULL);
    bytes_free(&f);
    return net;
}

static Bytes end(OnnxW *w, const char *out)
{
    onnx_output(w, out);
    return onnx_end(w);
}

static int count(const NNNet *net, enum NNNetOp op)
{
    int n = 0;

    for (int i = 0; i < net->nb_nodes; i++)
        n += net->nodes[i].op == op;
    return n;
}

/* ---- folding and fusion ------------------------------------------------------------------------ */

/* runs on a picture of 1, 2, 3, ..; @return outputs in *r's slot */
static int run(const NNNet *shaped, NNNetRunner *r, NNTensor *out)
{
    const NNConfig cfg = { .nb_slots = 1 };
    const NNTensor *t = &shaped->values[shaped->input].t;
    float *in = malloc(t->nb * sizeof(*in));
    int ret;

    for (int64_t i = 0; i < t->nb; i++)
        in[i] = i + 1;
    if ((ret = ff_nn_net_open(r, "ref", shaped, &cfg, 1)) >= 0)
        ret = r->engine->run(r->ctx, 0, in, out);
    free(in);
    return ret;
}

/* conv, batch norm, x * sigmoid(x); then conv, clip; their sum, relu */
static void test_fusion(void)
{
    OnnxW w = onnx_begin(13);
    NNNet *net, *s = NULL;
    NNNetRunner r = { 0 };
    NNTensor out[2];
    int ok = 0;

    onnx_input(&w, "x", "-1,1,-1,-1");
    onnx_f32(&w, "k", "1,1,1,1", (const float[]){ 2 });
    onnx_f32(&w, "scale", "1", (const float[]){ 3 });
    onnx_f32(&w, "shift", "1", (const float[]){ -20 });
    onnx_f32(&w, "mean", "1", (const float[]){ 1 });
    onnx_f32(&w, "var", "1", (const float[]){ 4 });
    onnx_f32(&w, "six", "", (const float[]){ 6 });
    onnx_node(&w, "Conv", "x,k", "c", "");
    onnx_node(&w, "BatchNormalization", "c,scale,shift,mean,var", "b", "epsilon=0.0");
    onnx_node(&w, "Sigmoid", "b", "g", "");
    onnx_node(&w, "Mul", "b,g", "m", "");
    onnx_node(&w, "Conv", "x,k", "d", "");
    onnx_node(&w, "Clip", "d,,six", "e", "");
    onnx_node(&w, "Add", "m,e", "a", "");
    onnx_node(&w, "Relu", "a", "y", "");
    net = load(end(&w, "y"));
    if (tap_ok(net && ff_nn_net_shape(&s, net, 2, 1, 1, 2, NULL) >= 0 && s->nb_nodes == 3 &&
               count(s, NN_OP_CONV) == 2 && s->nodes[2].op == NN_OP_ADD && s->nodes[2].act == NN_NACT_RELU &&
               s->macs == 4, "8 nodes fused to 3 %s", nets_last_error) && run(s, &r, out) >= 0) {
        for (int i = 0; i < 4; i++) {
            const double b = (2.0 * (i + 1) - 1) / 2 * 3 - 20, y = b / (1 + exp(-b)) + fmin(2 * (i + 1), 6);
            ok += fabs(((float *)out[0].data)[i] - fmax(y, 0)) < 1e-5;
        }
        tap_ok(ok == 4 && out[0].nb == 4, "the fused net computes the same (%d of 4)", ok);
    }
    ff_nn_net_close(&r);
    ff_nn_net_free(&s);
    ff_nn_net_free(&net);
}

/* what is read twice, or is an output, must stay */
static void test_no_fusion(void)
{
    OnnxW w = onnx_begin(13);
    NNNet *net, *s = NULL;
    NNNetRunner r = { 0 };
    NNTensor out[2];

    onnx_input(&w, "x", "1,1,1,2");
    onnx_f32(&w, "k", "1,1,1,1", (const float[]){ -1 });
    onnx_node(&w, "Conv", "x,k", "c", "");
    onnx_node(&w, "Relu", "c", "y", "");
    onnx_output(&w, "c");
    net = load(end(&w, "y"));
    tap_ok(net && ff_nn_net_shape(&s, net, 1, 1, 1, 2, NULL) >= 0 && s->nb_nodes == 2 && run(s, &r, out) >= 0 &&
           ((float *)out[0].data)[1] == -2 && ((float *)out[1].data)[1] == 0, "an activation of an output is not "
           "fused");
    ff_nn_net_close(&r);
    ff_nn_net_free(&s);
    ff_nn_net_free(&net);
}

static void test_sizes(void)
{
    OnnxW w = onnx_begin(17);
    NNNet *net, *s = NULL;
    int64_t has[4];
    int ret;

    /* the grid of a detector, by shape arithmetic */
    onnx_input(&w, "x", "-1,3,-1,-1");
    onnx_i64(&w, "i0", "", (const int64_t[]){ 0 });
    onnx_i64(&w, "i1", "", (const int64_t[]){ 1 });
    onnx_i64(&w, "i2", "", (const int64_t[]){ 2 });
    onnx_i64(&w, "v1", "1", (const int64_t[]){ -1 });
    onnx_node(&w, "Shape", "x", "s", "");
    onnx_node(&w, "Gather", "s,i0", "n", "");
    onnx_node(&w, "Gather", "s,i2", "h", "");
    onnx_node(&w, "Range", "i0,h,i1", "r", "");
    onnx_node(&w, "Cast", "r", "f", "to=1");
    onnx_node(&w, "Unsqueeze", "f,v1", "u", "");
    onnx_node(&w, "Unsqueeze", "n,v0", "n1", "");
    onnx_i64(&w, "v0", "1", (const int64_t[]){ 0 });
    onnx_i64(&w, "c", "1", (const int64_t[]){ 3 });
    onnx_node(&w, "Unsqueeze", "h,v0", "h1", "");
    onnx_node(&w, "Concat", "n1,c,h1,v1", "to", "axis=0");
    onnx_node(&w, "Identity", "x", "id", "");
    onnx_node(&w, "Reshape", "id,to", "z", "");
    onnx_node(&w, "Add", "z,u", "y", "");
    onnx_meta(&w, "stride", "32");
    net = load(end(&w, "y"));
    ff_nn_net_input(net, has);
    tap_ok(has[0] == -1 && has[1] == 3 && has[2] == -1 && has[3] == -1 && av_dict_get(net->meta, "stride", NULL, 0) &&
           strstr(net->arch, "opset 17"), "open sizes, metadata: %s", net->arch);
    ret = ff_nn_net_shape(&s, net, 2, 3, 5, 7, NULL);
    tap_ok(ret >= 0 && s->nb_nodes == 2 && !s->nodes[0].dynamic && s->values[s->outputs[0]].t.dims[0] == 2 &&
           s->values[s->outputs[0]].t.dims[2] == 5 && s->nb_values <= 6, "19 nodes folded to 2 (%d), %d values %s",
           s ? s->nb_nodes : -1, s ? s->nb_values : -1, nets_last_error);
    ff_nn_net_free(&s);
    nets_forget();
    tap_ok(ff_nn_net_shape(&s, net, 1, 4, 5, 7, NULL) == AVERROR(EINVAL) && strstr(nets_last_error, "3 channels"),
           "channels: %s", nets_last_error);
    ff_nn_net_free(&net);

    w = onnx_begin(13);
    onnx_input(&w, "x", "1,3,8,8");
    onnx_node(&w, "Relu", "x", "y", "");
    net = load(end(&w, "y"));
    tap_ok(ff_nn_net_shape(&s, net, 4, 3, 8, 8, NULL) == AVERROR(EINVAL) && !nets_nb_errors,
           "a fixed batch is refused without a word");
    tap_ok(ff_nn_net_shape(&s, net, 1, 3, 8, 9, NULL) == AVERROR(EINVAL) && strstr(nets_last_error, "8x8"),
           "size: %s", nets_last_error);
    ff_nn_net_free(&net);

    w = onnx_begin(13);
    onnx_input(&w, "x", "-1,3,-1,-1");
    onnx_i64(&w, "to", "3", (const int64_t[]){ 1, 3, -1 });
    onnx_node(&w, "Reshape", "x,to", "y", "");
    net = load(end(&w, "y"));
    nets_forget();
    tap_ok(ff_nn_net_shape(&s, net, 2, 3, 8, 8, NULL) == AVERROR(EINVAL) && !nets_nb_errors,
           "a Reshape that mixes up images is refused");
    ff_nn_net_free(&net);
}

/* what engines read of a shaped net is settled */
static void test_settled(void)
{
    OnnxW w = onnx_begin(13);
    NNNet *net, *s = NULL;

    onnx_input(&w, "x", "1,1,4,4");
    onnx_f32(&w, "k", "1,1,3,3", (const float[9]){ 1 });
    onnx_f32(&w, "lo", "", (const float[]){ -1 });
    onnx_i64(&w, "v", "2", (const int64_t[]){ -1, 1 });
    onnx_node(&w, "Conv", "x,k", "c", "auto_pad=SAME_UPPER strides=[2,2]");
    onnx_node(&w, "Softmax", "c", "s", "axis=-1");
    onnx_node(&w, "Clip", "s,lo", "l", "");
    onnx_node(&w, "ReduceSum", "l,v", "y", "");
    net = load(end(&w, "y"));
    tap_ok(net && ff_nn_net_shape(&s, net, 1, 1, 4, 4, NULL) >= 0 && s->nb_nodes == 4 && s->nodes[0].kernel[1] == 3 &&
           s->nodes[0].pad[0] == 0 && s->nodes[0].pad[2] == 1 && !s->nodes[0].flags && s->nodes[1].axis == 3 &&
           s->nodes[2].nb_in == 1 && s->nodes[2].alpha == -1 && s->nodes[3].nb_in == 1 && s->nodes[3].nb_axes == 2 &&
           s->nodes[3].axes[0] == 1 && s->nodes[3].axes[1] == 3, "axes, bounds, kernels and paddings are settled %s", nets_last_error);
    ff_nn_net_free(&s);
    ff_nn_net_free(&net);
}

/* sizes that depend on values; an input and a constant as outputs; two slots */
static void test_dynamic(void)
{
    const NNConfig cfg = { .nb_slots = 2 };
    const float a[4] = { 0, 1, 0, 2 }, b[4] = { 0, 0, 0, 3 };
    OnnxW w = onnx_begin(13);
    NNNet *net, *s = NULL;
    NNNetRunner r = { 0 };
    NNTensor oa[4], ob[4];
    int ok;

    onnx_input(&w, "x", "1,1,2,2");
    onnx_i64(&w, "one", "1", (const int64_t[]){ 1 });
    onnx_node(&w, "NonZero", "x", "z", "");
    onnx_node(&w, "Transpose", "z", "t", "");
    onnx_node(&w, "GatherND", "x,t", "v", "");
    onnx_node(&w, "Neg", "v", "y", "");
    onnx_node(&w, "Add", "one,one", "two", "");
    onnx_output(&w, "x");
    onnx_output(&w, "two");
    onnx_output(&w, "y");
    net = load(end(&w, "z"));
    ok = net && ff_nn_net_shape(&s, net, 1, 1, 2, 2, NULL) >= 0 && s->nb_nodes == 4;
    for (int i = 0; ok && i < 4; i++)
        ok = s->nodes[i].dynamic;
    tap_ok(ok, "what depends on values is marked, the rest folded %s", nets_last_error);
    ok = ok && ff_nn_net_open(&r, "auto", s, &cfg, 1) >= 0 && r.engine->run(r.ctx, 0, a, oa) >= 0 &&
    r.engine->run(r.ctx, 1, b, ob) >= 0;
    tap_ok(ok && ((float *)oa[0].data)[3] == 2 && *(int64_t *)oa[1].data == 2 && oa[2].nb == 2 &&
           ((float *)oa[2].data)[1] == -2 &&
           oa[3].dims[1] == 2 && ob[2].nb == 1 && *(float *)ob[2].data == -3, "outputs: picture, constant, as many "
           "as there are; two slots");
    ff_nn_net_close(&r);
    nets_forget();
    if (s) {
        tap_ok(ff_nn_net_open(&r, "nil", s, &cfg, 1) == AVERROR(EINVAL) && nets_nb_errors == 1, "unknown engine: %s",
               nets_last_error);
        nets_forget();
        tap_ok(ff_nn_net_open(&r, "ref", s, &(NNConfig){ .precision = NN_PREC_INT8, .nb_slots = 1 },
                              1) == AVERROR(ENOSYS) &&
               nets_nb_errors == 1, "precision: %s", nets_last_error);
    }
    ff_nn_net_free(&s);
    ff_nn_net_free(&net);
}

static void test_cache(void)
{
    OnnxW w = onnx_begin(13);
    Bytes f, other = { 0 };
    const char *path, *text;
    const NNNet *a = NULL, *b = NULL;

    onnx_input(&w, "x", "1,3,-1,-1");
    onnx_node(&w, "Relu", "x", "y", "");
    f    = end(&w, "y");
    path = net_file("cached.onnx", &f);
    nets_forget();
    tap_ok(!ff_nn_net_ref(&a, path, NULL) && !ff_nn_net_ref(&b, path, NULL) && a == b && nets_nb_loaded == 1,
           "loaded once, shared");
    ff_nn_net_unref(&a);
    ff_nn_net_unref(&b);
    tap_ok(!ff_nn_net_ref(&a, path, NULL) && nets_nb_loaded == 1 && !b, "kept without a user");
    ff_nn_net_unref(&a);
    nets_forget();
    tap_ok(ff_nn_net_ref(&a, "/nonexistent.onnx", NULL) < 0 && nets_nb_errors == 1, "missing: %s", nets_last_error);
    puts_(&other, "<!DOCTYPE html> this is no model at all");
    text = net_file("page.onnx", &other);
    nets_forget();
    tap_ok(ff_nn_net_ref(&a, text, NULL) == AVERROR_INVALIDDATA && nets_nb_errors == 1 && strstr(nets_last_error,
                                                                                                 "web page"),
           "a web page: %s", nets_last_error);
    bytes_free(&f);
    bytes_free(&other);
}

/* ---- a real detector against ONNX Runtime ---------------------------------------------------------- */

/* the picture of tests/peers/nn_onnx.py: three planes of 0 .. 255 */
static float *formula(int side)
{
    float *p = malloc(3 * side * side * sizeof(*p)), *q = p;

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++)
                *q++ = (x * (c + 1) / 2 + y * 3 / (c + 2) + (x / 32 ^ y / 32) * 40) % 256;
    return p;
}

/* max, mean, norm and 24 samples of the file's table */
static int read_table(const char *path, double stat[3], double y[24])
{
    FILE *f = fopen(path, "r");
    char line[1024];
    int n = 0;

    while (f && fgets(line, sizeof(line), f)) {
        char *s = line + 1;
        if (sscanf(line, "max %lf mean %lf norm %lf", &stat[0], &stat[1], &stat[2]) == 3 || strncmp(line, "y ", 2))
            continue;
        for (int k = 0; k < 8 && n < 24; k++)
            y[n++] = strtod(s, &s);
    }
    if (f)
        fclose(f);
    return n == 24;
}

static void test_yolox(void)
{
    const char *dir = getenv("SHARED");
    const NNConfig cfg = { .nb_slots = 1 };
    char path[1024];
    double want[3], y[24], sum = 0, squares = 0, most = -1, worst = 0;
    NNNetRunner r = { 0 };
    NNNet *net = NULL, *s = NULL;
    float *in = NULL;
    NNTensor out;

    snprintf(path, sizeof(path), "%s/models/yolox_nano.onnx", dir ? dir : "../shared");
    if (access(path, R_OK)) {
        tap_skip("yolox_nano against ONNX Runtime: '%s' is not there (set SHARED)", path);
        return;
    }
    nets_forget();
    if (tap_ok(read_table("tests/ref/nn_onnx.txt", want, y) && ff_nn_net_load(&net, path, NULL) >= 0 &&
               ff_nn_net_shape(&s, net, 1, 3, 416, 416, NULL) >= 0 && ff_nn_net_open(&r, "ref", s, &cfg, 1) >= 0 &&
               r.engine->run(r.ctx, 0, in = formula(416), &out) >= 0 && out.nb == 3549 * 85, "yolox_nano runs %s",
               nets_last_error)) {
        const float *v = out.data;
        for (int64_t i = 0; i < out.nb; i++) {
            sum     += v[i];
            squares += (double)v[i] * v[i];
            most     = fmax(most, v[i]);
        }
        for (int i = 0; i < 24; i++)
            worst = fmax(worst,
                         fabs(v[(int64_t)i * 7919 % out.nb] - y[i]) / (fabs(y[i]) + 1e-4));     /* smaller scores are none */
        tap_ok(worst < 1e-3 && fabs(most / want[0] - 1) < 1e-4 && fabs(sum / out.nb / want[1] - 1) < 1e-4 &&
               fabs(sqrt(squares) / want[2] - 1) < 1e-5, "yolox_nano against ONNX Runtime: samples within %.2g "
               "relative, max %g "
               "(%g), mean %g (%g), norm %g (%g)", worst, most, want[0], sum / out.nb, want[1], sqrt(squares), want[2]);
    }
    ff_nn_net_close(&r);
    ff_nn_net_free(&s);
    ff_nn_net_free(&net);
    free(in);
}

int main(void)
{
    av_log_set_level(AV_LOG_VERBOSE);
    av_log_set_callback(nets_log);
    test_fusion();
    test_no_fusion();
    test_sizes();
    test_settled();
    test_dynamic();
    test_cache();
    test_yolox();
    return tap_done();
}
