/*
 * Checkpoints of small YOLO detectors, for tests
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

#ifndef FFREEL_TESTS_YOLO_PT_H
#define FFREEL_TESTS_YOLO_PT_H

#include <math.h>

#include "libavutil/avstring.h"
#include "net_files.h"

/*
 * The pickles that torch.save writes of whole detectors, as far as a reader can tell:
 * an object is its class, no arguments, and a dict. Weights come from a formula
 * (tests/peers/yolo_pt.py has the same), half of the tensors in half precision.
 */
typedef struct PtWriter {
    Bytes  b;                   ///< the pickle
    Zip    zip;
    int    nb;                  ///< storages
    double gain;
    const char *spoil;          ///< what to do wrong, or NULL
} PtWriter;

#define PT_CONV   "ultralytics.nn.modules.conv"
#define PT_BLOCK  "ultralytics.nn.modules.block"
#define PT_TORCH  "torch.nn.modules."

static inline int pt_spoils(const PtWriter *w, const char *what)
{
    return w->spoil && !strcmp(w->spoil, what);
}

/* a.b; dst has PT_PATH bytes */
#define PT_PATH 160
static inline const char *pt_join(char *dst, const char *a, const char *b)
{
    av_strlcpy(dst, a, PT_PATH);
    av_strlcat(dst, ".", PT_PATH);
    av_strlcat(dst, b, PT_PATH);
    return dst;
}

static inline const char *pt_digit(int i)
{
    static char text[2][16];
    static int which;

    which ^= 1;
    snprintf(text[which], sizeof(text[which]), "%d", i);
    return text[which];
}

/* ---- numbers ------------------------------------------------------------------------- */

/* -128 .. 127, from the name and the place */
static inline int pt_number(const char *name, uint32_t i)
{
    uint32_t h = 2166136261u, x;

    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    x = h + i * 2654435761u;
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return (int)((x ^ x >> 16) >> 24) - 128;
}

static inline int pt_ends(const char *name, const char *end)
{
    const size_t n = strlen(name), e = strlen(end);

    return n >= e && !strcmp(name + n - e, end);
}

static inline float pt_value(const PtWriter *w, const char *name, int i, int fan)
{
    const double u = pt_number(name, i) / 128.;
    double amp = 1;

    if (pt_ends(name, "dfl.conv.weight"))
        return i;
    if (pt_ends(name, "bn.weight"))
        return 1 + u / 4;
    if (pt_ends(name, "bn.bias"))
        return u / 4;
    if (pt_ends(name, "running_mean"))
        return u / 8;
    if (pt_ends(name, "running_var"))
        return 1 + u / 2;
    if (pt_ends(name, "bias"))
        return u;
    while (amp * amp * fan > w->gain)
        amp /= 2;
    return u * amp;
}

/* of numbers that half precision has */
static inline int pt_half(float v)
{
    int e, sign = v < 0;
    const float m = frexpf(fabsf(v), &e);

    return v == 0 ? 0 : sign << 15 | (e + 14) << 10 | ((int)(m * 2048) & 1023);
}

static inline void pt_tensor(PtWriter *w, const char *name, const char *path, const int *dims, int nb_dims)
{
    const int half = !pt_spoils(w, "float") && (w->nb & 1);
    Bytes data = { 0 };
    char full[PT_PATH], key[16];
    int nb = 1;

    pt_join(full, path, name);
    for (int i = 0; i < nb_dims; i++)
        nb *= dims[i];
    for (int i = 0; i < nb; i++) {
        const float v = pt_value(w, full, i, nb / dims[0]);
        if (half)
            put16(&data, pt_half(v));
        else
            put(&data, &v, 4);
    }
    snprintf(key, sizeof(key), "%d", w->nb);
    snprintf(full, sizeof(full), "net/data/%d", w->nb++);
    zip_add(&w->zip, full, data.p, data.n);
    pkl_str(&w->b, name);
    pkl_tensor(&w->b, half ? "HalfStorage" : NULL, key, nb, 0, dims, NULL, nb_dims);
    bytes_free(&data);
}

/* ---- objects --------------------------------------------------------------------------- */

static inline void pt_begin(PtWriter *w, const char *module, const char *class)
{
    putf(&w->b, "c%s\n%s\n)\x81}(", module, class);
}

static inline void pt_end(PtWriter *w)
{
    puts_(&w->b, "ub");
}

/* pt_begin(... its name); the submodules follow; pt_close(); attributes may follow; pt_end() */
static inline void pt_open(PtWriter *w)
{
    pkl_str(&w->b, "_modules");
    puts_(&w->b, "ccollections\nOrderedDict\n)R(");
}

static inline void pt_close(PtWriter *w)
{
    puts_(&w->b, "u");
}

static inline void pt_int(PtWriter *w, const char *name, int v)
{
    pkl_str(&w->b, name);
    pkl_int(&w->b, v);
}

static inline void pt_bool(PtWriter *w, const char *name, int v)
{
    pkl_str(&w->b, name);
    put8(&w->b, v ? 0x88 : 0x89);
}

static inline void pt_pair(PtWriter *w, const char *name, int v)
{
    pkl_str(&w->b, name);
    pkl_int(&w->b, v);
    pkl_int(&w->b, v);
    put8(&w->b, 0x86);
}

static inline void pt_double(PtWriter *w, const char *name, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, 8);
    pkl_str(&w->b, name);
    put8(&w->b, 'G');
    for (int i = 7; i >= 0; i--)
        put8(&w->b, bits >> 8 * i);
}

static inline void pt_plain(PtWriter *w, const char *name, const char *module, const char *class)
{
    pkl_str(&w->b, name);
    pt_begin(w, module, class);
    pt_end(w);
}

/* ---- modules: each is written as the member `name` of the one around it ------------------- */

static inline void pt_conv2d(PtWriter *w, const char *name, const char *path, int in, int out, int k, int s, int group,
                             int bias)
{
    char full[PT_PATH];

    pt_join(full, path, name);
    pkl_str(&w->b, name);
    pt_begin(w, PT_TORCH "conv", "Conv2d");
    pkl_str(&w->b, "_parameters");
    puts_(&w->b, "}(");
    pt_tensor(w, "weight", full, (const int[]){ out, in / group, k, k }, 4);
    if (bias) {
        pt_tensor(w, "bias", full, (const int[]){ out }, 1);
    } else {
        pkl_str(&w->b, "bias");
        puts_(&w->b, "N");
    }
    pt_close(w);
    pt_pair(w, "kernel_size", pt_spoils(w, "kernel") ? k + 1 : k);
    pt_pair(w, "stride", s);
    pt_pair(w, "padding", k / 2);
    pt_pair(w, "dilation", 1);
    pt_int(w, "groups", group);
    pt_end(w);
}

static inline void pt_conv(PtWriter *w, const char *name, const char *path, int in, int out, int k, int s, int group,
                           int act)
{
    char full[PT_PATH], bn[PT_PATH];

    pt_join(full, path, name);
    pt_join(bn, full, "bn");
    pkl_str(&w->b, name);
    pt_begin(w, PT_CONV, group > 1 ? "DWConv" : "Conv");
    pt_open(w);
    pt_conv2d(w, "conv", full, in, out, k, s, group, pt_spoils(w, "fused"));
    pkl_str(&w->b, pt_spoils(w, "fused") ? "gone" : "bn");
    pt_begin(w, PT_TORCH "batchnorm", "BatchNorm2d");
    pkl_str(&w->b, "_parameters");
    puts_(&w->b, "}(");
    pt_tensor(w, "weight", bn, &out, 1);
    pt_tensor(w, "bias", bn, &out, 1);
    pt_close(w);
    pkl_str(&w->b, "_buffers");
    puts_(&w->b, "}(");
    pt_tensor(w, "running_mean", bn, &out, 1);
    pt_tensor(w, "running_var", bn, &out, 1);
    pt_close(w);
    pt_double(w, "eps", 1e-3);
    pt_end(w);
    if (act)
        pt_plain(w, "act", PT_TORCH "activation", pt_spoils(w, "act") ? "Hardtanh" : "SiLU");
    else
        pt_plain(w, "act", PT_TORCH "linear", "Identity");
    pt_close(w);
    pt_end(w);
}

static inline void pt_bottleneck(PtWriter *w, int number, const char *path, int c, int mid, int add)
{
    char name[16], full[PT_PATH];

    snprintf(name, sizeof(name), "%d", number);
    pt_join(full, path, pt_digit(number));
    pkl_str(&w->b, name);
    pt_begin(w, PT_BLOCK, "Bottleneck");
    pt_open(w);
    pt_conv(w, "cv1", full, c, mid, 3, 1, 1, 1);
    pt_conv(w, "cv2", full, mid, c, 3, 1, 1, 1);
    pt_close(w);
    pt_bool(w, "add", add);
    pt_end(w);
}

static inline void pt_list(PtWriter *w, const char *name, const char *class)
{
    pkl_str(&w->b, name);
    pt_begin(w, PT_TORCH "container", class);
    pt_open(w);
}

static inline void pt_list_end(PtWriter *w)
{
    pt_close(w);
    pt_end(w);
}

/* C3k: two bottlenecks */
static inline void pt_c3k(PtWriter *w, int number, const char *path, int c)
{
    char name[16], full[PT_PATH], m[PT_PATH];

    snprintf(name, sizeof(name), "%d", number);
    pt_join(full, path, pt_digit(number));
    pt_join(m, full, "m");
    pkl_str(&w->b, name);
    pt_begin(w, PT_BLOCK, "C3k");
    pt_open(w);
    pt_conv(w, "cv1", full, c, c / 2, 1, 1, 1, 1);
    pt_conv(w, "cv2", full, c, c / 2, 1, 1, 1, 1);
    pt_conv(w, "cv3", full, c, c, 1, 1, 1, 1);
    pt_list(w, "m", "Sequential");
    for (int i = 0; i < 2; i++)
        pt_bottleneck(w, i, m, c / 2, c / 2, 1);
    pt_list_end(w);
    pt_close(w);
    pt_end(w);
}

/* ---- layers ---------------------------------------------------------------------------------- */

/* the beginning of layer `number`, from the layers of a 0-ended list, or the one before; @return its path */
static inline const char *pt_layer(PtWriter *w, int number, const char *module, const char *class)
{
    static char path[64];
    char name[16];

    snprintf(name, sizeof(name), "%d", number);
    snprintf(path, sizeof(path), "model.%d", number);
    pkl_str(&w->b, name);
    pt_begin(w, module, class);
    pt_open(w);
    return path;
}

static inline void pt_layer_end(PtWriter *w, int a, int b)
{
    pt_close(w);
    if (b < 0) {
        pt_int(w, "f", a);
    } else {
        pkl_str(&w->b, "f");
        puts_(&w->b, "](");
        pkl_int(&w->b, a);
        pkl_int(&w->b, b);
        puts_(&w->b, "e");
    }
    pt_end(w);
}

static inline void pt_conv_layer(PtWriter *w, int number, int in, int out)
{
    char name[16];

    snprintf(name, sizeof(name), "%d", number);
    pt_conv(w, name, "model", in, out, 3, 2, 1, 1);
    /* a layer says where its input comes from: put it into the state just written */
    w->b.n -= 2;
    pt_int(w, "f", -1);
    pt_end(w);
}

/* C2f and C3k2: share of the output that a half has; blocks of a kind */
static inline void pt_c2f(PtWriter *w, int number, const char *class, int in, int out, int c, int nb, int add, int c3k)
{
    const char *path = pt_layer(w, number, PT_BLOCK, class);
    char m[PT_PATH];

    pt_join(m, path, "m");
    pt_conv(w, "cv1", path, in, 2 * c, 1, 1, 1, 1);
    pt_conv(w, "cv2", path, (2 + nb) * c, out, 1, 1, 1, 1);
    pt_list(w, "m", "ModuleList");
    for (int i = 0; i < nb; i++) {
        if (c3k)
            pt_c3k(w, i, m, c);
        else
            pt_bottleneck(w, i, m, c, !strcmp(class, "C3k2") ? c / 2 : c, add);
    }
    pt_list_end(w);
    pt_layer_end(w, -1, -1);
}

static inline void pt_sppf(PtWriter *w, int number, int c)
{
    const char *path = pt_layer(w, number, PT_BLOCK, "SPPF");

    pt_conv(w, "cv1", path, c, c / 2, 1, 1, 1, 1);
    pt_conv(w, "cv2", path, c * 2, c, 1, 1, 1, 1);
    pkl_str(&w->b, "m");
    pt_begin(w, PT_TORCH "pooling", "MaxPool2d");
    pt_int(w, "kernel_size", 5);
    pt_end(w);
    pt_layer_end(w, -1, -1);
}

static inline void pt_c2psa(PtWriter *w, int number, int c)
{
    const char *path = pt_layer(w, number, PT_BLOCK, "C2PSA");
    char block[PT_PATH], attn[PT_PATH], ffn[PT_PATH];
    const int h = c / 2;

    pt_join(block, path, "m.0");
    pt_join(attn, block, "attn");
    pt_join(ffn, block, "ffn");
    pt_conv(w, "cv1", path, c, c, 1, 1, 1, 1);
    pt_conv(w, "cv2", path, c, c, 1, 1, 1, 1);
    pt_list(w, "m", "Sequential");
    pkl_str(&w->b, "0");
    pt_begin(w, PT_BLOCK, "PSABlock");
    pt_open(w);
    pkl_str(&w->b, "attn");
    pt_begin(w, PT_BLOCK, "Attention");
    pt_open(w);
    pt_conv(w, "qkv", attn, h, h * 2, 1, 1, 1, 0);
    pt_conv(w, "proj", attn, h, h, 1, 1, 1, 0);
    pt_conv(w, "pe", attn, h, h, 3, 1, h, 0);
    pt_close(w);
    pt_int(w, "num_heads", h / 64);
    pt_int(w, "key_dim", 32);
    pt_int(w, "head_dim", 64);
    pt_end(w);
    pt_list(w, "ffn", "Sequential");
    pt_conv(w, "0", ffn, h, h * 2, 1, 1, 1, 1);
    pt_conv(w, "1", ffn, h * 2, h, 1, 1, 1, 0);
    pt_list_end(w);
    pt_close(w);
    pt_bool(w, "add", 1);
    pt_end(w);
    pt_list_end(w);
    pt_layer_end(w, -1, -1);
}

static inline void pt_upsample(PtWriter *w, int number)
{
    pt_layer(w, number, PT_TORCH "upsampling", "Upsample");
    pt_layer_end(w, -1, -1);
    w->b.n -= 2;
    pt_double(w, "scale_factor", pt_spoils(w, "scale") ? 3 : 2);
    pkl_str(&w->b, "mode");
    pkl_str(&w->b, "nearest");
    pt_end(w);
}

static inline void pt_concat(PtWriter *w, int number, int a, int b)
{
    pt_layer(w, number, PT_CONV, "Concat");
    pt_layer_end(w, a, b);
}

/* one of the two ways of a level: three convolutions */
static inline void pt_way(PtWriter *w, const char *path, int i, int c, int mid, int out, int depthwise)
{
    char name[16], full[PT_PATH], part[PT_PATH];

    snprintf(name, sizeof(name), "%d", i);
    pt_join(full, path, pt_digit(i));
    pt_list(w, name, "Sequential");
    for (int k = 0; k < 2; k++) {
        const int in = k ? mid : c;
        snprintf(name, sizeof(name), "%d", k);
        pt_join(part, full, pt_digit(k));
        if (depthwise) {
            pt_list(w, name, "Sequential");
            pt_conv(w, "0", part, in, in, 3, 1, in, 1);
            pt_conv(w, "1", part, in, mid, 1, 1, 1, 1);
            pt_list_end(w);
        } else {
            pt_conv(w, name, full, in, mid, 3, 1, 1, 1);
        }
    }
    pt_conv2d(w, "2", full, mid, out, 1, 1, 1, 1);
    pt_list_end(w);
}

/* two levels with a and b channels from layers la and lb */
static inline void pt_head(PtWriter *w, int number, int classes, int la, int a, int lb, int b, int depthwise)
{
    const char *path = pt_layer(w, number, "ultralytics.nn.modules.head", pt_spoils(w, "head") ? "Segment" : "Detect");
    char sub[PT_PATH];
    const float stride[2] = { 8, 16 };

    for (int k = 0; k < 2; k++) {
        pt_join(sub, path, k ? "cv3" : "cv2");
        pt_list(w, sub + strlen(path) + 1, "ModuleList");
        pt_way(w, sub, 0, a, k ? FFMAX(a, classes) : 64, k ? classes : 64, k && depthwise);
        pt_way(w, sub, 1, b, k ? FFMAX(a, classes) : 64, k ? classes : 64, k && depthwise);
        pt_list_end(w);
    }
    pkl_str(&w->b, "dfl");
    pt_begin(w, PT_BLOCK, "DFL");
    pt_open(w);
    pt_join(sub, path, "dfl");
    pt_conv2d(w, "conv", sub, 16, 1, 1, 1, 1, 0);
    pt_close(w);
    pt_end(w);
    if (pt_spoils(w, "end2end"))
        pt_plain(w, "one2one_cv2", PT_TORCH "container", "ModuleList");
    pt_layer_end(w, pt_spoils(w, "from") ? 99 : la, lb);
    w->b.n -= 2;
    pt_int(w, "nc", pt_spoils(w, "classes") ? classes + 1 : classes);
    pt_int(w, "reg_max", 16);
    pkl_str(&w->b, "stride");
    zip_add(&w->zip, "net/data/strides", stride, sizeof(stride));
    pkl_tensor(&w->b, NULL, "strides", 2, 0, (const int[]){ 2 }, NULL, 1);
    pt_end(w);
}

/* ---- files -------------------------------------------------------------------------------------- */

static inline PtWriter pt_file_begin(double gain, const char *spoil)
{
    PtWriter w = { .zip = { .stream = 1 }, .gain = gain, .spoil = spoil };

    put(&w.b, "\x80\x02}(", 4);
    pkl_str(&w.b, "date");
    pkl_str(&w.b, "2026-01-01");
    pkl_str(&w.b, "train_args");
    puts_(&w.b, "}(");
    pt_int(&w, "imgsz", 640);
    pkl_str(&w.b, "project");
    puts_(&w.b, "cpathlib\nPosixPath\n(");
    pkl_str(&w.b, "runs");
    puts_(&w.b, "tRu");
    pkl_str(&w.b, pt_spoils(&w, "ema") ? "model" : "ema");
    puts_(&w.b, "N");
    pkl_str(&w.b, pt_spoils(&w, "ema") ? "ema" : "model");
    pt_begin(&w, "ultralytics.nn.tasks", pt_spoils(&w, "model") ? "PoseModel" : "DetectionModel");
    pkl_str(&w.b, "_forward_hooks");
    puts_(&w.b, "ccollections\nOrderedDict\n)R");
    pt_open(&w);
    pt_list(&w, "model", "Sequential");
    return w;
}

static inline Bytes pt_file_end(PtWriter *w)
{
    pt_list_end(w);
    pt_close(w);
    pkl_str(&w->b, "names");
    puts_(&w->b, "}(");
    pkl_int(&w->b, 0), pkl_str(&w->b, "person");
    pkl_int(&w->b, 1), pkl_str(&w->b, "it's");
    pkl_int(&w->b, 2), pkl_str(&w->b, "ball");
    puts_(&w->b, "u");
    pt_end(w);
    if (pt_spoils(w, "system")) {
        pkl_str(&w->b, "x");
        puts_(&w->b, "cos\nsystem\n(");
        pkl_str(&w->b, "ls");
        puts_(&w->b, "tR");
    } else if (pt_spoils(w, "called")) {
        pkl_str(&w->b, "x");
        puts_(&w->b, "cultralytics.nn.tasks\nattempt_load\n)R");
    } else if (pt_spoils(w, "self")) {
        pkl_str(&w->b, "x");
        puts_(&w->b, "cultralytics.nn.tasks\nDetectionModel\n)\x81q\x07h\x07" "b");
    }
    puts_(&w->b, "u.");
    zip_add(&w->zip, "net/data.pkl", w->b.p, w->b.n);
    zip_add(&w->zip, "net/version", "3\n", 2);
    bytes_free(&w->b);
    return zip_end(&w->zip);
}

/* YOLOv8's layers, two levels, 3 classes */
static inline Bytes pt_v8(const char *spoil)
{
    PtWriter w = pt_file_begin(16, spoil);

    pt_conv_layer(&w, 0, 3, 8);
    pt_conv_layer(&w, 1, 8, 16);
    pt_c2f(&w, 2, pt_spoils(&w, "layer") ? "C4" : "C2f", 16, 16, 8, 1, 1, 0);
    pt_conv_layer(&w, 3, 16, 16);
    pt_c2f(&w, 4, "C2f", 16, 16, 8, 2, 1, 0);
    pt_conv_layer(&w, 5, 16, 32);
    pt_sppf(&w, 6, 32);
    pt_upsample(&w, 7);
    pt_concat(&w, 8, -1, 4);
    pt_c2f(&w, 9, "C2f", pt_spoils(&w, "channels") ? 40 : 48, 16, 8, 1, 0, 0);
    pt_conv_layer(&w, 10, 16, 16);
    pt_concat(&w, 11, -1, 6);
    pt_c2f(&w, 12, "C2f", 48, 32, 16, 1, 0, 0);
    if (!pt_spoils(&w, "headless"))
        pt_head(&w, 13, 3, 9, 16, 12, 32, 0);
    return pt_file_end(&w);
}

/* YOLO11's */
static inline Bytes pt_v11(const char *spoil)
{
    PtWriter w = pt_file_begin(10, spoil);

    pt_conv_layer(&w, 0, 3, 8);
    pt_conv_layer(&w, 1, 8, 16);
    pt_c2f(&w, 2, "C3k2", 16, 32, 8, 1, 1, 0);
    pt_conv_layer(&w, 3, 32, 32);
    pt_c2f(&w, 4, "C3k2", 32, 32, 16, 1, 1, 1);
    pt_conv_layer(&w, 5, 32, 128);
    pt_sppf(&w, 6, 128);
    pt_c2psa(&w, 7, 128);
    pt_upsample(&w, 8);
    pt_concat(&w, 9, -1, 4);
    pt_c2f(&w, 10, "C3k2", 160, 32, 16, 1, 1, 0);
    pt_conv_layer(&w, 11, 32, 32);
    pt_concat(&w, 12, -1, 7);
    pt_c2f(&w, 13, "C3k2", 160, 64, 32, 1, 1, 1);
    pt_head(&w, 14, 3, 10, 32, 13, 64, 1);
    return pt_file_end(&w);
}

#endif /* FFREEL_TESTS_YOLO_PT_H */
