/*
 * Graphs for tiles made of ONNX nets, against the same nets by architecture
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

/* ---- graphs for esrgan -------------------------------------------------------------------- */

enum { CRD, DCR, SPELLED };

/* SRVGGNetCompact as exporters write it; sizes: the skip is resized to sizes computed from the picture's */
static Bytes srvgg_onnx(const NNDict *d, int f, int n, int s, int order, int sizes)
{
    OnnxW w = onnx_begin(13);
    char in[16] = "x", a[32], b[32], shape[32], list[96], attrs[64];

    onnx_input(&w, "x", "1,3,-1,-1");
    for (int i = 0; i <= n + 1; i++) {
        const int c = i <= n ? f : 3 * s * s;
        const NNParam *k, *bias, *slope;
        snprintf(a, sizeof(a), "body.%d.weight", 2 * i);
        k = ff_nn_dict_get(d, a);
        snprintf(b, sizeof(b), "body.%d.bias", 2 * i);
        bias = ff_nn_dict_get(d, b);
        snprintf(shape, sizeof(shape), "%d,%d,3,3", c, k->dims[1]);
        if (i > n && order == DCR) {        /* the same net, its last channels in the other order */
            float *p = malloc(k->nb * sizeof(*p)), *q = malloc(c * sizeof(*q));
            const int row = k->nb / c;
            for (int o = 0; o < c; o++) {
                memcpy(p + (o % (s * s) * 3 + o / (s * s)) * row, k->data + o * row, row * sizeof(*p));
                q[o % (s * s) * 3 + o / (s * s)] = bias->data[o];
            }
            onnx_f32(&w, a, shape, p);
            snprintf(shape, sizeof(shape), "%d", c);
            onnx_f32(&w, b, shape, q);
            free(p);
            free(q);
        } else {
            onnx_f32(&w, a, shape, k->data);
            snprintf(shape, sizeof(shape), "%d", c);
            onnx_f32(&w, b, shape, bias->data);
        }
        snprintf(list, sizeof(list), "%s,%s,%s", in, a, b);
        snprintf(in, sizeof(in), "c%d", i);
        onnx_node(&w, "Conv", list, in, "pads=[1,1,1,1] kernel_shape=[3,3]");
        if (i > n)
            break;
        snprintf(a, sizeof(a), "body.%d.weight", 2 * i + 1);
        slope = ff_nn_dict_get(d, a);
        snprintf(shape, sizeof(shape), "%d,1,1", f);
        onnx_f32(&w, a, shape, slope->data);
        snprintf(list, sizeof(list), "%s,%s", in, a);
        snprintf(in, sizeof(in), "p%d", i);
        onnx_node(&w, "PRelu", list, in, "");
    }
    snprintf(attrs, sizeof(attrs), "blocksize=%d mode=%s", s, order == DCR ? "DCR" : "CRD");
    if (order == SPELLED) {
        onnx_node(&w, "Shape", "x", "sh", "");
        onnx_i64(&w, "r1", "4", (const int64_t[]){ 1, 3, s, s });
        onnx_i64(&w, "two", "1", (const int64_t[]){ 2 });
        onnx_i64(&w, "four", "1", (const int64_t[]){ 4 });
        onnx_node(&w, "Slice", "sh,two,four", "hw", "");
        onnx_node(&w, "Concat", "r1,hw", "to6", "axis=0");
        snprintf(list, sizeof(list), "%s,to6", in);
        onnx_node(&w, "Reshape", list, "r6", "");
        onnx_node(&w, "Transpose", "r6", "t6", "perm=[0,1,4,2,5,3]");
        onnx_i64(&w, "r2", "2", (const int64_t[]){ 1, 3 });
        onnx_i64(&w, "s", "1", (const int64_t[]){ s });
        onnx_node(&w, "Mul", "hw,s", "hws", "");
        onnx_node(&w, "Concat", "r2,hws", "to4", "axis=0");
        onnx_node(&w, "Reshape", "t6,to4", "up", "");
    } else {
        onnx_node(&w, "DepthToSpace", in, "up", attrs);
    }
    if (sizes) {
        onnx_node(&w, "Shape", "x", "shape", "");
        onnx_i64(&w, "z", "1", (const int64_t[]){ 0 });
        onnx_i64(&w, "m", "1", (const int64_t[]){ 2 });
        onnx_i64(&w, "e", "1", (const int64_t[]){ 4 });
        onnx_i64(&w, "f", "1", (const int64_t[]){ s });
        onnx_node(&w, "Slice", "shape,z,m", "nc", "");
        onnx_node(&w, "Slice", "shape,m,e", "size", "");
        onnx_node(&w, "Mul", "size,f", "large", "");
        onnx_node(&w, "Concat", "nc,large", "sizes", "axis=0");
        onnx_node(&w, "Resize", "x,,,sizes", "base", "mode=nearest coordinate_transformation_mode=asymmetric "
                  "nearest_mode=floor");
    } else {
        onnx_f32(&w, "scales", "4", (const float[]){ 1, 1, s, s });
        onnx_node(&w, "Resize", "x,,scales", "base", "mode=nearest coordinate_transformation_mode=asymmetric "
                  "nearest_mode=floor");
    }
    onnx_node(&w, "Add", "up,base", "sum", "");
    onnx_f32(&w, "lo", "", (const float[]){ 0 });
    onnx_f32(&w, "hi", "", (const float[]){ 1 });
    onnx_node(&w, "Clip", "sum,lo,hi", "y", "");
    return end(&w, "y");
}

static void same_graph(const NNGraph *want, Bytes f, const char *what)
{
    const int w = 18, h = 14, nb = 3 * w * h * want->scale * want->scale;
    float *in = malloc(3 * w * h * sizeof(*in)), *a = calloc(nb, sizeof(*a)), *b = calloc(nb, sizeof(*b));
    const char *path = net_file("net.onnx", &f);
    NNGraph *g = NULL;

    nets_picture(in, w, h, 5);
    nets_forget();
    ff_nn_graph_load(&g, path, NULL);
    tap_ok(g && g->scale == want->scale && g->halo == want->halo && g->macs == want->macs &&
           g->nb_weights == want->nb_weights &&
           nets_run("ref", want, in, w, h, a, 0, 0) >= 0 && nets_run("ref", g, in, w, h, b, 0, 0) >= 0 &&
           !memcmp(a, b, nb * sizeof(*a)), "%s: the same picture, bit for bit (%s) %s", what, g ? g->arch : "-",
           nets_last_error);
    ff_nn_graph_free(&g);
    bytes_free(&f);
    free(in);
    free(a);
    free(b);
}

static void test_srvgg(void)
{
    for (int s = 2; s <= 4; s++) {
        NNDict d = { 0 };
        NNGraph *want = NULL;
        nets_srvgg(&d, 70 + s, 6, 3, s);
        ff_nn_graph_from_dict(&want, &d, "srvgg", NULL);
        same_graph(want, srvgg_onnx(&d, 6, 3, s, CRD, 0), "SRVGGNetCompact");
        same_graph(want, srvgg_onnx(&d, 6, 3, s, DCR, 1), "its channels in the order DCR, sizes computed");
        same_graph(want, srvgg_onnx(&d, 6, 3, s, SPELLED, 1), "pixel shuffle spelled out");
        ff_nn_graph_free(&want);
        ff_nn_dict_free(&d);
    }
}

/* a convolution of a dict's layer; leaky: followed by LeakyRelu */
static void layer(OnnxW *w, const NNDict *d, const char *name, const char *in, const char *out, int leaky)
{
    char k[64], b[64], shape[32], list[512];
    const NNParam *weight, *bias;

    snprintf(k, sizeof(k), "%s.weight", name);
    snprintf(b, sizeof(b), "%s.bias", name);
    weight = ff_nn_dict_get(d, k);
    bias   = ff_nn_dict_get(d, b);
    snprintf(shape, sizeof(shape), "%d,%d,3,3", weight->dims[0], weight->dims[1]);
    onnx_f32(w, k, shape, weight->data);
    snprintf(shape, sizeof(shape), "%d", weight->dims[0]);
    onnx_f32(w, b, shape, bias->data);
    snprintf(list, sizeof(list), "%s,%s,%s", in, k, b);
    snprintf(shape, sizeof(shape), "%s%s", out, leaky ? "_" : "");
    onnx_node(w, "Conv", list, shape, "pads=[1,1,1,1]");
    if (leaky)
        onnx_node(w, "LeakyRelu", shape, out, "alpha=0.2");
}

/* RRDBNet of one block that shrinks the picture first, as PyTorch's exporter spells it out */
static Bytes rrdb_onnx(const NNDict *d)
{
    OnnxW w = onnx_begin(13);
    char name[64], in[32] = "f", out[32], cat[32], scaled[32], all[256];

    onnx_input(&w, "x", "1,3,32,48");           /* sizes are fixed in the file, the graph takes any */
    onnx_i64(&w, "six", "6", (const int64_t[]){ 1, 3, 16, 2, 24, 2 });
    onnx_i64(&w, "four", "4", (const int64_t[]){ 1, 12, 16, 24 });
    onnx_f32(&w, "fifth", "", (const float[]){ 0.2f });
    onnx_f32(&w, "scales", "4", (const float[]){ 1, 1, 2, 2 });
    onnx_node(&w, "Reshape", "x,six", "u6", "");
    onnx_node(&w, "Transpose", "u6", "t6", "perm=[0,1,3,5,2,4]");
    onnx_node(&w, "Reshape", "t6,four", "u", "");
    layer(&w, d, "conv_first", "u", "f", 0);
    for (int r = 1; r <= 3; r++) {
        snprintf(all, sizeof(all), "%s", in);
        for (int k = 1; k <= 5; k++) {
            snprintf(name, sizeof(name), "body.0.rdb%d.conv%d", r, k);
            snprintf(out, sizeof(out), "r%dk%d", r, k);
            snprintf(cat, sizeof(cat), "r%dcat%d", r, k);
            if (k > 1)
                onnx_node(&w, "Concat", all, cat, "axis=1");
            layer(&w, d, name, k > 1 ? cat : in, out, k < 5);
            snprintf(all + strlen(all), sizeof(all) - strlen(all), ",%s", out);
        }
        snprintf(name, sizeof(name), "%s,fifth", out);
        snprintf(scaled, sizeof(scaled), "r%dm", r);
        onnx_node(&w, "Mul", name, scaled, "");
        snprintf(name, sizeof(name), "%s,%s", scaled, in);
        snprintf(in, sizeof(in), "r%d", r);
        onnx_node(&w, "Add", name, in, "");
    }
    onnx_node(&w, "Mul", "r3,fifth", "bm", "");
    onnx_node(&w, "Add", "bm,f", "b", "");
    layer(&w, d, "conv_body", "b", "cb", 0);
    onnx_node(&w, "Add", "f,cb", "t", "");
    onnx_node(&w, "Resize", "t,,scales", "u1", "mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor");
    layer(&w, d, "conv_up1", "u1", "v1", 1);
    onnx_node(&w, "Resize", "v1,,scales", "u2", "mode=nearest");
    layer(&w, d, "conv_up2", "u2", "v2", 1);
    layer(&w, d, "conv_hr", "v2", "hr", 1);
    layer(&w, d, "conv_last", "hr", "y", 0);
    return end(&w, "y");
}

static void test_rrdb(void)
{
    NNDict d = { 0 };
    NNGraph *want = NULL;

    nets_rrdb(&d, 81, 8, 4, 1, 12, 0);
    ff_nn_graph_from_dict(&want, &d, "rrdb", NULL);
    same_graph(want, rrdb_onnx(&d), "RRDBNet");
    ff_nn_graph_free(&want);
    ff_nn_dict_free(&d);
}

/* 3 -> 12 channels by SpaceToDepth, a convolution, shuffled back, scaled by 0.5 and added to the picture */
static void test_unshuffle(void)
{
    float k[12 * 12], in[3 * 4 * 6], out[3 * 4 * 6];
    OnnxW w = onnx_begin(13);
    NNGraph *g = NULL;
    NNNet *net;
    int bad = 0;

    for (int i = 0; i < 144; i++)
        k[i] = i / 12 == i % 12;
    onnx_input(&w, "x", "1,3,-1,-1");
    onnx_f32(&w, "k", "12,12,1,1", k);
    onnx_f32(&w, "half", "", (const float[]){ 0.5 });
    onnx_node(&w, "SpaceToDepth", "x", "d", "blocksize=2");
    onnx_node(&w, "Conv", "d,k", "c", "");
    onnx_node(&w, "DepthToSpace", "c", "u", "blocksize=2");
    onnx_node(&w, "Mul", "half,u", "m", "");
    onnx_node(&w, "Add", "x,m", "y", "");
    net = load(end(&w, "y"));
    ff_nn_graph_from_net(&g, net, "f", NULL);
    nets_picture(in, 6, 4, 3);
    if (tap_ok(g && g->align == 2 && g->scale == 1 && nets_run("ref", g, in, 6, 4, out, 0, 0) >= 0,
               "pixels unshuffled and back %s", nets_last_error)) {
        for (int i = 0; i < FF_ARRAY_ELEMS(in); i++)
            bad += out[i] != in[i] * 1.5f;
        tap_ok(!bad, "an identity convolution between them changes nothing (%d)", bad);
    }
    ff_nn_graph_free(&g);
    ff_nn_net_free(&net);
}

static void refused(OnnxW *w, const char *out, const char *word)
{
    NNNet *net = load(end(w, out));
    NNGraph *g = NULL;
    int ret = net ? ff_nn_graph_from_net(&g, net, "f", NULL) : 0;

    tap_ok(ret == AVERROR_PATCHWELCOME && nets_nb_errors == 1 && strstr(nets_last_error, word), "as a graph: %s",
           nets_last_error);
    ff_nn_graph_free(&g);
    ff_nn_net_free(&net);
}

static OnnxW conv3(const char *attrs)
{
    OnnxW w = onnx_begin(13);
    float k[81] = { 1 };

    onnx_input(&w, "x", "1,3,-1,-1");
    onnx_f32(&w, "k", "3,3,3,3", k);
    onnx_f32(&w, "scales", "4", (const float[]){ 1, 1, 2, 2 });
    onnx_node(&w, "Conv", "x,k", "c", attrs);
    return w;
}

static void test_no_graph(void)
{
    static const struct { const char *op, *in, *attrs, *word; } cases[] = {
        { "Resize", "c,,scales", "mode=linear", "mode nearest" },
        { "Resize", "c,,scales", "mode=nearest nearest_mode=ceil", "unevenly" },
        { "Softmax", "c", "axis=1", "not supported" },
        { "MaxPool", "c", "kernel_shape=[2,2] strides=[2,2]", "not supported" },
        { "Mul", "c,c", "", "one number" },
        { "Concat", "c,c", "axis=2", "another axis" },
        { "Sigmoid", "c", "", "activation" },
    };
    OnnxW w;

    for (int i = 0; i < FF_ARRAY_ELEMS(cases); i++) {
        w = conv3("pads=[1,1,1,1]");
        onnx_node(&w, cases[i].op, cases[i].in, "y", cases[i].attrs);
        refused(&w, "y", cases[i].word);
    }
    w = conv3("");
    refused(&w, "c", "does not keep the size");
    w = conv3("pads=[2,2,2,2] dilations=[2,2]");
    refused(&w, "c", "square odd kernels");
}

int main(void)
{
    av_log_set_callback(nets_log);
    test_srvgg();
    test_rrdb();
    test_unshuffle();
    test_no_graph();
    return tap_done();
}
