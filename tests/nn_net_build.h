/*
 * Nets of any shape written by a test, and engine onednn against ref on them
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

#ifndef FFREEL_TESTS_NN_NET_BUILD_H
#define FFREEL_TESTS_NN_NET_BUILD_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "nets.h"
#include "onnx_write.h"
#include "tap.h"

#include "libavutil/common.h"
#include "libavfilter/nn_dnnl.h"
#include "libavfilter/nn_net.h"

/* ---- nets --------------------------------------------------------------------------------- */

static uint32_t seed = 20240607;

/* a constant of seeded values, scaled by 1 / sqrt(fan) */
static inline void weights(OnnxW *w, const char *name, const char *shape, int fan)
{
    int64_t dims[16], nb;
    float *v;

    onnx_dims(shape, dims, &nb);
    v = malloc(nb * sizeof(*v));
    for (int64_t i = 0; i < nb; i++)
        v[i] = nets_unit(&seed) * 1.7f / sqrtf(fan);
    onnx_f32(w, name, shape, v);
    free(v);
}

/* kernel, stride, groups; attr: pads and more. act: "", "Relu", "SiLU", ... */
static inline void conv(OnnxW *w, const char *in, const char *out, int ic, int oc, int kh, int kw, int s, int g,
                 const char *attr, const char *act)
{
    char wn[64], bn[64], shape[64], ins[200], attrs[200], mid[64], sig[64];

    snprintf(wn, sizeof(wn), "%s.w", out);
    snprintf(bn, sizeof(bn), "%s.b", out);
    snprintf(shape, sizeof(shape), "%d,%d,%d,%d", oc, ic / g, kh, kw);
    weights(w, wn, shape, ic / g * kh * kw);
    snprintf(shape, sizeof(shape), "%d", oc);
    weights(w, bn, shape, 16);
    snprintf(ins, sizeof(ins), "%s,%s,%s", in, wn, bn);
    snprintf(attrs, sizeof(attrs), "group=%d strides=[%d,%d] kernel_shape=[%d,%d] %s", g, s, s, kh, kw, attr);
    snprintf(mid, sizeof(mid), "%s.mid", out);
    snprintf(sig, sizeof(sig), "%s.sig", out);
    onnx_node(w, "Conv", ins, *act ? mid : out, attrs);
    if (!strcmp(act, "SiLU")) {
        onnx_node(w, "Sigmoid", mid, sig, "");
        snprintf(ins, sizeof(ins), "%s,%s", mid, sig);
        onnx_node(w, "Mul", ins, out, "");
    } else if (!strcmp(act, "PRelu")) {
        snprintf(shape, sizeof(shape), "%d,1,1", oc);
        snprintf(wn, sizeof(wn), "%s.slope", out);
        weights(w, wn, shape, 2);
        snprintf(ins, sizeof(ins), "%s,%s", mid, wn);
        onnx_node(w, "PRelu", ins, out, "");
    } else if (!strcmp(act, "Clip")) {
        onnx_f32(w, "lo", "", (float[]){ -0.2f });
        onnx_f32(w, "hi", "", (float[]){ 0.9f });
        snprintf(ins, sizeof(ins), "%s,lo,hi", mid);
        onnx_node(w, "Clip", ins, out, "");
    } else if (*act) {
        onnx_node(w, act, mid, out, strcmp(act, "LeakyRelu") ? "" : "alpha=0.1");
    }
}

static inline NNNet *finish(OnnxW *w)
{
    Bytes b = onnx_end(w);
    const NNBlob blob = { b.p, b.n, "test.onnx" };
    NNNet *net = NULL;

    if (ff_nn_load_onnx(&net, &blob, NULL) < 0)
        tap_ok(0, "the test's own net loads");
    bytes_free(&b);
    return net;
}

static inline OnnxW begin(int c)
{
    char shape[64];
    OnnxW w = onnx_begin(17);

    snprintf(shape, sizeof(shape), "-1,%d,-1,-1", c);
    onnx_input(&w, "x", shape);
    return w;
}

/* ---- comparing ---------------------------------------------------------------------------------- */

static inline float *noise(int64_t nb)
{
    float *v = malloc(nb * sizeof(*v));

    for (int64_t i = 0; i < nb; i++)
        v[i] = nets_unit(&seed);
    return v;
}

/* largest difference over max(1, |x|); rms of the difference over that of x */
static inline double differ(const NNTensor *a, const NNTensor *b, double *rms)
{
    double worst = 0, d2 = 0, x2 = 1e-30;

    *rms = 1e9;
    if (a->nb != b->nb || a->type != b->type || a->nb_dims != b->nb_dims ||
        memcmp(a->dims, b->dims, a->nb_dims * sizeof(*a->dims)))
        return 1e9;
    for (int64_t i = 0; i < a->nb; i++) {
        const double x = a->type == NN_VAL_F32 ? ((float *)a->data)[i] : ((int64_t *)a->data)[i];
        const double y = b->type == NN_VAL_F32 ? ((float *)b->data)[i] : ((int64_t *)b->data)[i];
        const double d = isfinite(y) ? fabs(x - y) : 1e9;
        worst = FFMAX(worst, d / FFMAX(1, fabs(x)));
        d2 += d * d;
        x2 += x * x;
    }
    *rms = sqrt(d2 / x2);
    return worst;
}

/* one precision and layout against ref's outputs; rms < 0: bf16 is not asked for */
static inline void against(const NNNet *net, const char *what, enum NNPrecision prec, int threads, const float *in,
                    const NNTensor *want, double limit, double rms_limit)
{
    const NNConfig cfg = { .precision = prec, .nb_slots = 1 };
    NNTensor out[8] = { { 0 } };
    NNNetRunner r;
    double worst = 0, rms = 0;
    int ret = ff_nn_net_open(&r, "onednn", net, &cfg, threads);

    /* twice: nothing may depend on what the memory held */
    for (int i = 0; i < 2 && ret >= 0; i++)
        ret = r.engine->run(r.ctx, 0, in, out);
    for (int i = 0; i < net->nb_outputs && ret >= 0; i++) {
        double one;
        worst = FFMAX(worst, differ(&want[i], &out[i], &one));
        rms   = FFMAX(rms, one);
    }
    tap_ok(ret >= 0 && worst <= limit && rms <= rms_limit, "%s, %s, %d threads, blocks %s: differs by %.2g, rms %.2g",
           what, ff_nn_precision_name(prec), threads, getenv("FFREEL_NET_BLOCK") ? getenv("FFREEL_NET_BLOCK") : "auto",
           worst, rms);
    ff_nn_net_close(&r);
}

/** ref, then onednn in every layout; bf16 where its rounding cannot change an order */
static inline void check(OnnxW *w, const char *what, int n, int c, int h, int wd, int bf16)
{
    static const char *const blocks[] = { NULL, "0", "8" };
    NNNet *net = finish(w), *shaped = NULL;
    const NNConfig cfg = { .precision = NN_PREC_FP32, .nb_slots = 1 };
    float *in = noise((int64_t)n * c * h * wd);
    NNTensor want[8] = { { 0 } };
    NNNetRunner ref = { 0 };

    if (tap_ok(net && ff_nn_net_shape(&shaped, net, n, c, h, wd, NULL) >= 0 && shaped->nb_outputs <= 8 &&
               ff_nn_net_open(&ref, "ref", shaped, &cfg, 1) >= 0 && ref.engine->run(ref.ctx, 0, in, want) >= 0,
               "%s: ref", what)) {
        for (int i = 0; i < FF_ARRAY_ELEMS(blocks); i++) {
            if (blocks[i])
                setenv("FFREEL_NET_BLOCK", blocks[i], 1);
            against(shaped, what, NN_PREC_FP32, i == 1 ? 2 : 1, in, want, 1e-4, 1e-5);
            if (bf16 && i < 2 && ff_dnnl_native_bf16())
                against(shaped, what, NN_PREC_BF16, 1, in, want, 1, 0.03);
        }
        unsetenv("FFREEL_NET_BLOCK");
        against(shaped, what, NN_PREC_FP32, 2, in, want, 1e-4, 1e-5);
    }
    ff_nn_net_close(&ref);
    ff_nn_net_free(&shaped);
    ff_nn_net_free(&net);
    free(in);
}

/* ---- a net and one engine ------------------------------------------------------------------ */

typedef struct Nets {
    NNNet *net, *shaped;
    NNNetRunner r;
} Nets;

static inline void drop(Nets *t)
{
    ff_nn_net_close(&t->r);
    ff_nn_net_free(&t->shaped);
    ff_nn_net_free(&t->net);
}

/** AUTO: engine ref; else onednn */
static inline int open_shape(Nets *t, int n, int c, int h, int w, enum NNPrecision prec, int slots, int threads)
{
    const NNConfig cfg = { .precision = prec, .nb_slots = slots };

    return t->net && ff_nn_net_shape(&t->shaped, t->net, n, c, h, w, NULL) >= 0 &&
           ff_nn_net_open(&t->r, prec == NN_PREC_AUTO ? "ref" : "onednn", t->shaped, &cfg, threads) >= 0;
}

static inline int run(Nets *t, int slot, const float *in, NNTensor *out)
{
    return t->r.engine->run(t->r.ctx, slot, in, out);
}

#endif /* FFREEL_TESTS_NN_NET_BUILD_H */
