/*
 * Engine onednn in int8: exact where bytes are exact, bounded against ref elsewhere
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

#include "nn_net_build.h"

#if CONFIG_LIBDNNL
#include "libavfilter/nn_net_onednn.h"
#include "libavfilter/nn_net_quant.h"

/* ---- exact ------------------------------------------------------------------------------------ */

/* whole numbers of which each output channel's largest is 127: bytes hold them exactly */
static void whole_conv(OnnxW *w, int ic, int oc, int kh, int kw, const char *attr)
{
    const int nb = ic * kh * kw;
    float *v = malloc((size_t)oc * nb * sizeof(*v));
    char shape[64], attrs[200];

    for (int i = 0; i < oc * nb; i++)
        v[i] = i % nb == i / nb % nb ? i & 1 ? -127 : 127 : (int)(nets_unit(&seed) * 100);
    snprintf(shape, sizeof(shape), "%d,%d,%d,%d", oc, ic, kh, kw);
    onnx_f32(w, "a.w", shape, v);
    snprintf(shape, sizeof(shape), "%d", oc);
    weights(w, "a.b", shape, 1);
    snprintf(attrs, sizeof(attrs), "kernel_shape=[%d,%d] %s", kh, kw, attr);
    onnx_node(w, "Conv", "x,a.w,a.b", "a", attrs);
    free(v);
}

/* whole numbers from lo to lo + 255, both among them, in every image: scale 1 */
static float *whole_input(int n, int64_t nb, int lo)
{
    float *v = malloc(n * nb * sizeof(*v));

    for (int64_t i = 0; i < n * nb; i++)
        v[i] = lo + (int)((nets_unit(&seed) * 0.5f + 0.5f) * 255);
    for (int i = 0; i < n; i++) {
        v[i * nb + 3]          = lo;
        v[i * nb + nb - 1 - i] = lo + 255;
    }
    return v;
}

/*
 * Sums of whole numbers below 2^24: fp32 has them, too, up to the bias, so any difference
 * is a wrong address, border, or zero point. Another convolution reads the same bytes with a
 * padding of its own, and a third one makes the output one that int8 is for.
 */
static void test_exact(void)
{
    static const struct {
        int ic, oc, kh, kw;
        const char *attr;
        int n, h, w, lo;
    } t[] = {
        { 32, 16, 3, 3, "pads=[1,1,1,1]", 1, 12, 11, 0 },
        { 32, 32, 3, 3, "pads=[1,1,1,1] strides=[2,2]", 2, 33, 30, -100 },
        { 33, 19, 3, 3, "pads=[1,1,1,1]", 1, 9, 14, -255 },
        { 40, 80, 1, 1, "", 3, 13, 13, -1 },
        { 64, 48, 1, 1, "strides=[2,2]", 1, 10, 11, -128 },
        { 36, 16, 3, 3, "pads=[2,2,2,2] dilations=[2,2]", 1, 12, 13, -77 },
        { 32, 20, 3, 3, "pads=[0,1,1,0]", 1, 12, 13, -30 },
        { 34, 33, 1, 7, "pads=[0,3,0,3]", 2, 6, 12, -30 },
        { 32, 16, 5, 3, "pads=[2,0,2,0] strides=[2,1]", 1, 15, 9, -200 },
        { 32, 64, 3, 3, "pads=[1,1,1,1]", 1, 157, 97, -64 },        /* several strips, the last one overlaps */
        { 32, 160, 1, 1, "", 1, 1, 1, 0 },
    };

    for (int i = 0; i < FF_ARRAY_ELEMS(t); i++)
        for (int other = 0; other < 2; other++) {
            OnnxW w = begin(t[i].ic);
            Nets ref, q;
            NNTensor want[8] = { { 0 } }, got[8] = { { 0 } };
            float *in = whole_input(t[i].n, (int64_t)t[i].ic * t[i].h * t[i].w, t[i].lo);
            double rms = 0, worst = 1e9;
            int ok;
            whole_conv(&w, t[i].ic, t[i].oc, t[i].kh, t[i].kw, t[i].attr);
            onnx_node(&w, "Relu", "a", "a1", "");
            conv(&w, "a1", "y", t[i].oc, 21, 1, 1, 1, 1, "", "");
            onnx_output(&w, "a1");
            onnx_output(&w, "y");
            if (other) {
                conv(&w, "x", "b", t[i].ic, 16, 7, 7, 1, 1, "pads=[3,3,3,3]", "Relu");
                conv(&w, "b", "z", 16, 5, 1, 1, 1, 1, "", "");
                onnx_output(&w, "b");
                onnx_output(&w, "z");
            }
            ref = (Nets){ finish(&w) };
            q   = (Nets){ ref.net };
            ok  = open_shape(&ref, t[i].n, t[i].ic, t[i].h, t[i].w, NN_PREC_AUTO, 1, 1) &&
                  open_shape(&q, t[i].n, t[i].ic, t[i].h, t[i].w, NN_PREC_INT8, 1, 1 + i % 2) &&
                  run(&ref, 0, in, want) >= 0 && run(&q, 0, in, got) >= 0 && run(&q, 0, in, got) >= 0;
            if (ok && other)
                differ(&want[2], &got[2], &rms);        /* weights of any size: bounded */
            if (ok)
                worst = FFMAX(differ(&want[0], &got[0], &(double){ 0 }), rms < 0.03 ? 0 : rms);
            tap_ok(ok && worst < 1e-3, "%d->%d %dx%d %s, %d x %dx%d from %d%s: exact (%.2g)", t[i].ic, t[i].oc,
                   t[i].kh, t[i].kw, t[i].attr, t[i].n, t[i].w, t[i].h, t[i].lo,
                   other ? ", another padding beside it" : "", worst);
            q.net = NULL;
            drop(&q);
            drop(&ref);
            free(in);
        }
}

/* one colour is one byte, and that exactly: then only the weights are rounded, and the bias makes up for it */
static void test_constant(void)
{
    OnnxW w = begin(32);
    Nets ref, q;
    NNTensor want[8] = { { 0 } }, got[8] = { { 0 } };
    float in[32 * 5 * 7];
    double rms = 1e9;
    int ok;

    for (int i = 0; i < FF_ARRAY_ELEMS(in); i++)
        in[i] = 0.7f;
    conv(&w, "x", "a", 32, 64, 1, 1, 1, 1, "", "Relu");
    conv(&w, "a", "y", 64, 20, 1, 1, 1, 1, "", "");
    onnx_output(&w, "a");
    onnx_output(&w, "y");
    ref = (Nets){ finish(&w) };
    q   = (Nets){ ref.net };
    ok  = open_shape(&ref, 1, 32, 5, 7, NN_PREC_AUTO, 1, 1) && open_shape(&q, 1, 32, 5, 7, NN_PREC_INT8, 1, 1) &&
          run(&ref, 0, in, want) >= 0 && run(&q, 0, in, got) >= 0;
    if (ok)
        differ(&want[0], &got[0], &rms);
    tap_ok(ok && rms < 1e-5, "one colour: what rounded weights shift is taken back, rms %.2g", rms);
    q.net = NULL;
    drop(&q);
    drop(&ref);
}

static void test_silu(void)
{
    enum { NB = 16 * 5000 };
    static float x[NB];
    NNRangeJobs r;
    double worst = 0, lo = 0, hi = 0;

    ff_nn_quant_init();
    for (int i = 0; i < NB; i++)
        x[i] = (i - NB / 2) * (25.0f / NB);
    x[7] = 3e4f;
    x[8] = -3e4f;
    ff_nn_range_start(&r);
    ff_nn_range_silu(&r, 3, x, NB);
    for (int i = 0; i < NB; i++) {
        const float old = i == 7 ? 3e4f : i == 8 ? -3e4f : (i - NB / 2) * (25.0f / NB);
        const double y = old / (1 + exp(-old));
        worst = FFMAX(worst, fabs(x[i] - y) / FFMAX(1, fabs(y)));
        lo = FFMIN(lo, x[i]);
        hi = FFMAX(hi, x[i]);
    }
    tap_ok(worst < 7e-4 && r.lo[3] == (float)lo && r.hi[3] == (float)hi && !r.hi[0],
           "SILU: off by %.2g, its range exact", worst);
}

/* ---- bounded ------------------------------------------------------------------------------------ */

/* at least so much, or it was not int8 at all */
static void bounded(OnnxW *w, const char *what, int n, int c, int h, int wd, double least, double most)
{
    Nets ref = { finish(w) };
    float *in = noise((int64_t)n * c * h * wd);
    NNTensor want[8] = { { 0 } };

    if (tap_ok(open_shape(&ref, n, c, h, wd, NN_PREC_AUTO, 1, 1) && run(&ref, 0, in, want) >= 0, "%s: ref", what))
        for (int threads = 1; threads < 3; threads++) {
            const NNConfig cfg = { .precision = NN_PREC_INT8, .nb_slots = 1 };
            NNTensor out[8] = { { 0 } };
            NNNetRunner r;
            double worst = 0, rms = 0, one;
            int ret = ff_nn_net_open(&r, "onednn", ref.shaped, &cfg, threads);
            for (int i = 0; i < 2 && ret >= 0; i++)
                ret = r.engine->run(r.ctx, 0, in, out);
            for (int i = 0; i < ref.shaped->nb_outputs && ret >= 0; i++) {
                worst = FFMAX(worst, differ(&want[i], &out[i], &one));
                rms   = FFMAX(rms, one);
            }
            tap_ok(ret >= 0 && rms >= least && rms <= most, "%s, %d threads: differs by %.2g, rms %.2g", what, threads,
                   worst, rms);
            ff_nn_net_close(&r);
        }
    drop(&ref);
    free(in);
}

/* ranges of concatenations, parts, pools, sums, sizes, and of values that no step notes */
static void test_nets(void)
{
    static const char *const acts[] = { "SiLU", "Relu", "LeakyRelu", "HardSwish", "Sigmoid", "Clip", "" };
    OnnxW w = begin(3);

    conv(&w, "x", "a", 3, 64, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_i64(&w, "half", "2", (int64_t[]){ 32, 32 });
    onnx_node(&w, "Split", "a,half", "a0,a1", "axis=1");
    conv(&w, "a1", "b", 32, 32, 3, 3, 1, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_node(&w, "Add", "a1,b", "r", "");
    onnx_node(&w, "Add", "r,r", "r2", "");
    onnx_node(&w, "Add", "r2,r2", "r4", "");
    onnx_node(&w, "Concat", "r4,a0,a1", "p", "axis=1");
    conv(&w, "p", "q", 96, 40, 1, 1, 1, 1, "", "SiLU");
    onnx_node(&w, "MaxPool", "q", "m", "kernel_shape=[5,5] pads=[2,2,2,2] strides=[1,1]");
    onnx_node(&w, "Concat", "q,m", "qm", "axis=1");
    onnx_f32(&w, "scale", "4", (float[]){ 1, 1, 2, 2 });
    onnx_node(&w, "Resize", "qm,,scale", "u",
              "mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor");
    conv(&w, "u", "v", 80, 32, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_node(&w, "AveragePool", "v", "g", "kernel_shape=[3,3] pads=[1,1,1,1] strides=[2,2]");
    conv(&w, "g", "d", 32, 32, 3, 3, 1, 32, "pads=[1,1,1,1]", "SiLU");
    conv(&w, "d", "e", 32, 48, 1, 1, 1, 1, "", "PRelu");
    conv(&w, "e", "f", 48, 32, 1, 1, 1, 1, "", "SiLU");
    conv(&w, "f", "y", 32, 20, 1, 1, 1, 1, "", "");
    onnx_output(&w, "y");
    onnx_output(&w, "v");
    bounded(&w, "joins, cuts, pools, sizes", 2, 3, 36, 44, 1e-3, 0.02);
    for (int i = 0; i < FF_ARRAY_ELEMS(acts); i++) {
        w = begin(36);
        conv(&w, "x", "a", 36, 36, 3, 3, 1, 1, "pads=[1,1,1,1]", acts[i]);
        conv(&w, "a", "y", 36, 20, 1, 1, 1, 1, "", "");
        onnx_output(&w, "a");
        onnx_output(&w, "y");
        bounded(&w, *acts[i] ? acts[i] : "no activation", 1, 36, 18, 22, 1e-4, 0.015);
    }
}

/* the first one, the last ones, those of groups */
static void test_left_alone(void)
{
    OnnxW w = begin(3);

    conv(&w, "x", "a", 3, 32, 3, 3, 1, 1, "pads=[1,1,1,1]", "Relu");
    conv(&w, "a", "b", 32, 32, 3, 3, 1, 32, "pads=[1,1,1,1]", "Relu");
    conv(&w, "b", "c", 32, 64, 3, 3, 1, 2, "pads=[1,1,1,1]", "Relu");
    conv(&w, "c", "y", 64, 20, 1, 1, 1, 1, "", "Sigmoid");
    onnx_output(&w, "y");
    bounded(&w, "first, depthwise, grouped and last convolutions stay fp32", 1, 3, 12, 18, 0, 1e-5);
}
#endif

/* ---- main ---------------------------------------------------------------------------------------------------- */

int main(void)
{
#if CONFIG_LIBDNNL
    av_log_set_level(AV_LOG_ERROR);
    if (!ff_dnnl_native_int8() || !ff_nn_quant_cpu()) {
        tap_skip("int8: this CPU has no AVX512_VNNI, or DNNL_MAX_CPU_ISA hides it");
        puts("done - nothing to test");
        return 0;
    }
    test_exact();
    test_constant();
    test_silu();
    test_nets();
    test_left_alone();
    return tap_done();
#else
    tap_skip("onednn: not in this build");
    puts("done - nothing to test");
    return 0;
#endif
}
