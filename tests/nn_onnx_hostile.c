/*
 * ONNX files that are broken or mean harm
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

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavfilter/nn_net.h"

/* loads, shapes and runs what can be; @return 0 or AVERROR */
static int load(const Bytes *f)
{
    const NNConfig cfg = { .nb_slots = 1 };
    NNBlob b = blob(f, "f");
    NNNet *net = NULL, *shaped = NULL;
    NNNetRunner r = { 0 };
    NNTensor out[16];
    int64_t has[4];
    int ret;

    nets_forget();
    if ((ret = ff_nn_load_onnx(&net, &b, NULL)) < 0)
        return ret;
    ff_nn_net_input(net, has);
    for (int i = 0; i < 4; i++)     /* damage may have made the picture any size */
        has[i] = has[i] < 1 || has[i] > 16 ? i < 2 ? 3 : 8 : has[i];
    ret = ff_nn_net_shape(&shaped, net, has[0] > 4 ? 1 : has[0], has[1], has[2], has[3], NULL);
    ff_nn_net_free(&net);
    if (ret >= 0 && shaped->nb_outputs <= 16 && shaped->macs < 1 << 20 && (ret = ff_nn_net_open(&r, "ref", shaped,
                                                                                                &cfg, 1)) >= 0) {
        float *in = calloc(shaped->values[shaped->input].t.nb, sizeof(*in));
        ret = r.engine->run(r.ctx, 0, in, out);
        ff_nn_net_close(&r);
        free(in);
    }
    ff_nn_net_free(&shaped);
    return ret;
}

/* an error is one of the codes and one line; a wrong batch says nothing */
static int sound(int ret)
{
    if (ret == AVERROR(EINVAL))
        return nets_nb_errors <= 1;
    return ret < 0 ? (ret == AVERROR_INVALIDDATA || ret == AVERROR_PATCHWELCOME) &&
    nets_nb_errors == 1 : !nets_nb_errors;
}

/* a net with a bit of everything that has lengths and indices */
static Bytes sample(void)
{
    OnnxW w = onnx_begin(13);
    float k[4 * 3 * 9], slope[4] = { 0.25, 0.5, 0.75, 1 };

    for (int i = 0; i < 4 * 3 * 9; i++)
        k[i] = (i % 7 - 3) / 8.0f;
    onnx_input(&w, "x", "-1,3,-1,-1");
    onnx_f32(&w, "k", "4,3,3,3", k);
    onnx_f32(&w, "s", "4,1,1", slope);
    onnx_i64(&w, "two", "", (const int64_t[]){ 2 });
    onnx_i64(&w, "zero", "1", (const int64_t[]){ 0 });
    onnx_i64(&w, "tail", "2", (const int64_t[]){ 4, -1 });
    onnx_node(&w, "Conv", "x,k", "c", "pads=[1,1,1,1] strides=[1,1] group=1");
    onnx_node(&w, "PRelu", "c,s", "p", "");
    onnx_node(&w, "Shape", "p", "sh", "");
    onnx_node(&w, "Gather", "sh,zero", "n", "axis=0");
    onnx_node(&w, "Concat", "n,tail", "to", "axis=0");
    onnx_node(&w, "Reshape", "p,to", "r", "");
    onnx_node(&w, "Transpose", "r", "t", "perm=[0,2,1]");
    onnx_node(&w, "Split", "t", "t1,t2", "axis=2");
    onnx_node(&w, "Softmax", "t1", "y", "axis=-1");
    onnx_node(&w, "TopK", "t2,k3", "v,i", "");
    onnx_node(&w, "NonZero", "i", "z", "");
    onnx_i64(&w, "k3", "1", (const int64_t[]){ 1 });
    onnx_output(&w, "y");
    onnx_output(&w, "z");
    onnx_meta(&w, "names", "{0: 'a'}");
    return onnx_end(&w);
}

static void test_damage(void)
{
    Bytes f = sample();
    uint32_t s = 99;
    int bad = 0, refused = 0, nb = 0;

    tap_ok(!load(&f), "a sound file: %s", nets_last_error);
    for (size_t n = 0; n < f.n; n++) {  /* each in its own allocation, so that a sanitizer sees one byte too many */
        Bytes b = { malloc(n ? n : 1), n };
        int ret;
        memcpy(b.p, f.p, n);
        ret = load(&b);
        bad     += !sound(ret);
        refused += ret < 0;
        free(b.p);
    }
    /* cut off behind the graph it has lost its operator set or labels only */
    tap_ok(!bad && refused > f.n - 40, "cut off at each of %zu lengths: %d refused, %d of them not in one line", f.n,
           refused, bad);

    bad = refused = 0;
    for (size_t at = 0; at < f.n; at++) {
        static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
        const uint8_t was = f.p[at];
        for (int i = 0; i < 5 + 3; i++, nb++) {
            int ret;
            f.p[at] = i < 5 ? values[i] : was ^ 1 << nets_rand(&s) % 8;
            ret = load(&f);
            bad     += !sound(ret);
            refused += ret < 0;
        }
        f.p[at] = was;
    }
    tap_ok(!bad && refused, "%d single bytes changed: %d refused, %d not in one line", nb, refused, bad);
    bytes_free(&f);
}

static void refused(Bytes f, const char *what, const char *word)
{
    const int ret = load(&f);

    tap_ok(ret < 0 && sound(ret) && strstr(nets_last_error, word), "%s: %s", what, nets_last_error);
    bytes_free(&f);
}

static OnnxW begin(void)
{
    OnnxW w = onnx_begin(13);

    onnx_input(&w, "x", "1,3,8,8");
    return w;
}

static Bytes end(OnnxW *w, const char *out)
{
    onnx_output(w, out);
    return onnx_end(w);
}

static void test_graphs(void)
{
    const float one[16] = { 1 };
    OnnxW w = begin();

    onnx_node(&w, "Add", "x,b", "a", "");
    onnx_node(&w, "Relu", "a", "b", "");
    refused(end(&w, "b"), "nodes in a circle", "circle");
    w = begin();
    onnx_node(&w, "Relu", "nothing", "y", "");
    refused(end(&w, "y"), "an input that nothing makes", "'nothing', which nothing makes");
    w = begin();
    onnx_node(&w, "Relu", "x", "y", "");
    refused(end(&w, "z"), "an output that nothing makes", "nothing makes its output 'z'");
    w = begin();
    onnx_node(&w, "Relu", "x", "y", "");
    onnx_node(&w, "Abs", "x", "y", "");
    refused(end(&w, "y"), "a tensor made twice", "'y' is made twice");
    w = begin();
    onnx_f32(&w, "k", "1", one);
    onnx_f32(&w, "k", "1", one);
    onnx_node(&w, "Add", "x,k", "y", "");
    refused(end(&w, "y"), "weights twice", "'k' is made twice");
    w = begin();
    onnx_input(&w, "x2", "1,3,8,8");
    onnx_node(&w, "Add", "x,x2", "y", "");
    refused(end(&w, "y"), "two pictures", "two inputs");
    w = onnx_begin(13);
    onnx_node(&w, "Relu", "x", "y", "");
    refused(end(&w, "y"), "no input", "nothing makes");
    w = onnx_begin(13);
    onnx_input(&w, "x", "1,3,8");
    onnx_node(&w, "Relu", "x", "y", "");
    refused(end(&w, "y"), "a picture of 3 dimensions", "has 3 dimensions, not 4");
    w = begin();
    onnx_node(&w, "Relu", "x", "y", "");
    refused(onnx_end(&w), "no output", "has no output");
    w = begin();
    onnx_node(&w, "If", "x", "y", "");
    refused(end(&w, "y"), "a graph in the graph", "graph within the graph");
    w = onnx_begin(13);
    onnx_node(&w, "Relu", "a", "b", "");        /* sorted by us */
    onnx_node(&w, "Relu", "x", "a", "");
    onnx_input(&w, "x", "1,3,8,8");
    Bytes f = end(&w, "b");
    tap_ok(!load(&f), "nodes in the wrong order are sorted %s", nets_last_error);
    bytes_free(&f);
}

static Bytes with_tensor(Bytes *t)
{
    OnnxW w = begin();

    onnx_sub(&w.graph, 5, t);
    onnx_node(&w, "Add", "x,k", "y", "");
    return end(&w, "y");
}

static void test_tensors(void)
{
    const float v[4] = { 1, NAN, 1, 1 };
    Bytes t = { 0 }, e = { 0 };
    OnnxW w;

    t = onnx_tensor("k", 1, "1", v, 4);
    onnx_int(&t, 1, 1 << 30);
    refused(with_tensor(&t), "a huge dimension", "absurd shape");
    t = onnx_tensor("k", 1, "1", v, 4);
    onnx_int(&t, 1, -1);
    refused(with_tensor(&t), "a negative dimension", "absurd shape");
    t = (Bytes){ 0 };
    onnx_int(&t, 1, 60000000);          /* no data at all: must not take the memory first */
    onnx_int(&t, 2, 1);
    onnx_str(&t, 8, "k");
    refused(with_tensor(&t), "much of nothing", "fewer elements");
    t = onnx_tensor("k", 1, "2", v, 2);
    refused(with_tensor(&t), "half of the data", "has 4 bytes, its shape needs 8");
    t = onnx_tensor("k", 1, "2", v, 4);
    refused(with_tensor(&t), "NaN", "no number (element 1)");
    t = onnx_tensor("k", 8, "1", v, 4);
    refused(with_tensor(&t), "strings", "type 8");
    t = onnx_tensor("k", 1, "1", v, 4);
    onnx_int(&t, 14, 1);
    onnx_str(&e, 1, "location");
    onnx_str(&e, 2, "/etc/passwd");
    onnx_sub(&t, 13, &e);
    refused(with_tensor(&t), "weights in another file", "lies in another file");
    t = onnx_tensor("", 1, "1", v, 4);
    refused(with_tensor(&t), "no name", "no name");
    t = onnx_tensor("k", 1, "1,1,1,1,1,1,1,1,1", v, 4);
    refused(with_tensor(&t), "nine dimensions", "more than 8");

    /* no values, but dimensions whose product does not fit into 64 bits */
    t = (Bytes){ 0 };
    for (int i = 0; i < 4; i++)
        onnx_int(&t, 1, i ? 1 << 26 : 0);
    onnx_int(&t, 2, 1);
    onnx_str(&t, 8, "k");
    w = begin();
    onnx_sub(&w.graph, 5, &t);
    onnx_node(&w, "Transpose", "k", "y", "perm=[0,2,1,3]");
    refused(end(&w, "y"), "weights of 0 x 2^78", "absurd shape");
    w = begin();
    onnx_i64(&w, "big", "4", (const int64_t[]){ 0, 1 << 28, 1 << 28, 1 << 28 });
    onnx_node(&w, "ConstantOfShape", "big", "k", "");
    onnx_node(&w, "Transpose", "k", "y", "perm=[0,2,1,3]");
    refused(end(&w, "y"), "a constant of 0 x 2^84", "absurd size");

    /* sizes that grow from small files */
    w = begin();
    onnx_i64(&w, "big", "4", (const int64_t[]){ 1000000000, 1000000000, 1000000000, 1000000000 });
    onnx_node(&w, "Expand", "x,big", "y", "");
    refused(end(&w, "y"), "a picture expanded to 10^36 values", "do");
    w = begin();
    onnx_i64(&w, "big", "4", (const int64_t[]){ 1, 1, 1000000, 1000000 });
    onnx_node(&w, "Tile", "x,big", "y", "");
    refused(end(&w, "y"), "tiled to 10^14 values", "absurd size");
    w = begin();
    onnx_node(&w, "MaxPool", "x", "y", "kernel_shape=[2,2] pads=[60000,60000,60000,60000]");
    refused(end(&w, "y"), "padded to 10^10 values", "absurd size");
    w = begin();
    onnx_node(&w, "MaxPool", "x", "y", "kernel_shape=[9,9]");
    refused(end(&w, "y"), "a kernel larger than the picture", "kernel of 9 for an input of 8");
    w = begin();
    onnx_node(&w, "MaxPool", "x", "y", "kernel_shape=[2,2] strides=[0,1]");
    refused(end(&w, "y"), "stride 0", "outside 1 to");
}

int main(void)
{
    av_log_set_callback(nets_log);
    test_damage();
    test_graphs();
    test_tensors();
    return tap_done();
}
