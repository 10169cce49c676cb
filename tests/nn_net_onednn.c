/*
 * Engine onednn against ref: convolutions, joins and cuts, pools, sizes
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

/* ---- convolutions --------------------------------------------------------------------------------- */

static void test_convs(void)
{
    static const struct {
        int ic, oc, kh, kw, s, g;
        const char *attr, *act;
        int n, h, w;
    } t[] = {
        {  3, 16, 3, 3, 2,  1, "pads=[1,1,1,1]", "SiLU", 1, 33, 29 },
        { 12, 24, 3, 3, 1,  1, "pads=[1,1,1,1]", "Relu", 2, 9, 17 },
        { 16, 32, 1, 1, 1,  1, "", "LeakyRelu", 1, 13, 7 },
        { 17, 19, 1, 1, 1,  1, "", "SiLU", 3, 5, 5 },
        { 20, 20, 3, 3, 1, 20, "pads=[1,1,1,1]", "HardSwish", 1, 14, 11 },
        { 32, 32, 5, 5, 2, 32, "pads=[2,2,2,2]", "SiLU", 2, 15, 16 },
        { 32, 64, 3, 3, 1,  2, "pads=[1,1,1,1]", "Sigmoid", 1, 8, 9 },
        { 12, 18, 3, 3, 1,  3, "pads=[1,1,1,1]", "SiLU", 2, 10, 6 },
        {  8, 16, 3, 3, 1,  8, "pads=[1,1,1,1]", "", 1, 10, 6 },
        { 16, 16, 3, 3, 1,  1, "pads=[2,2,2,2] dilations=[2,2]", "SiLU", 1, 12, 13 },
        { 16, 16, 3, 3, 2,  1, "pads=[0,1,1,0]", "Clip", 1, 12, 13 },
        { 16, 20, 1, 7, 1,  1, "pads=[0,3,0,3]", "PRelu", 2, 6, 12 },
        { 40,  3, 7, 1, 1,  1, "pads=[3,0,3,0]", "", 1, 9, 4 },
        { 16,  1, 1, 1, 1,  1, "", "", 1, 4, 100 },
        {  6,  4, 1, 1, 1,  1, "", "Sigmoid", 4, 3, 700 },
        { 64, 80, 3, 3, 1,  1, "pads=[1,1,1,1]", "SiLU", 1, 1, 1 },
    };

    for (int i = 0; i < FF_ARRAY_ELEMS(t); i++) {
        OnnxW w = begin(t[i].ic);
        char what[160];
        snprintf(what, sizeof(what), "conv %d->%d/%d %dx%d stride %d %s %s, %d x %dx%d", t[i].ic, t[i].oc, t[i].g,
                 t[i].kh, t[i].kw, t[i].s, t[i].attr, t[i].act, t[i].n, t[i].w, t[i].h);
        conv(&w, "x", "a", t[i].ic, t[i].oc, t[i].kh, t[i].kw, t[i].s, t[i].g, t[i].attr, t[i].act);
        conv(&w, "a", "y", t[i].oc, 21, 1, 1, 1, 1, "", "");    /* what lies beyond the channels must not matter */
        onnx_output(&w, "a");
        onnx_output(&w, "y");
        check(&w, what, t[i].n, t[i].ic, t[i].h, t[i].w, 1);
    }
}

/* ---- joins, cuts, pools, sizes ------------------------------------------------------------------------ */

/* parts of whole blocks, and odd ones; a part used twice, in two places, and both ways round */
static void test_concat(int n, int c, const char *what)
{
    OnnxW w = begin(3);
    char title[64];

    conv(&w, "x", "a", 3, 2 * c, 3, 3, 2, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_i64(&w, "half", "2", (int64_t[]){ c, c });
    onnx_node(&w, "Split", "a,half", "a0,a1", "axis=1");
    conv(&w, "a1", "b", c, c, 3, 3, 1, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_node(&w, "Add", "a1,b", "r", "");
    onnx_node(&w, "Concat", "a0,a1,r", "p", "axis=1");          /* as C2f */
    onnx_node(&w, "Concat", "r,a1,a1,a0", "q", "axis=1");       /* all of it elsewhere already, one twice */
    conv(&w, "p", "pp", 3 * c, 2 * c, 1, 1, 1, 1, "", "SiLU");
    conv(&w, "q", "qq", 4 * c, c, 1, 1, 1, 1, "", "Relu");
    onnx_node(&w, "Concat", "pp,qq", "s", "axis=1");
    onnx_node(&w, "Concat", "s,qq,a0", "t", "axis=1");          /* a concatenation in a concatenation */
    conv(&w, "t", "y", 5 * c, 20, 1, 1, 1, 1, "", "");
    onnx_i64(&w, "st", "1", (int64_t[]){ c / 2 });
    onnx_i64(&w, "en", "1", (int64_t[]){ -3 });
    onnx_i64(&w, "ax", "1", (int64_t[]){ 1 });
    onnx_node(&w, "Slice", "t,st,en,ax", "u", "");
    conv(&w, "u", "z", 5 * c - 3 - c / 2, 5, 3, 3, 1, 1, "pads=[1,1,1,1]", "");
    onnx_output(&w, "y");
    onnx_output(&w, "z");
    onnx_output(&w, "p");
    onnx_output(&w, "a1");
    snprintf(title, sizeof(title), "%s, batch %d", what, n);
    check(&w, title, n, 3, 18, 22, 1);
}

static void test_pools(void)
{
    OnnxW w = begin(8);

    conv(&w, "x", "a", 8, 24, 3, 3, 1, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_node(&w, "MaxPool", "a", "m", "kernel_shape=[5,5] pads=[2,2,2,2] strides=[1,1]");
    onnx_node(&w, "MaxPool", "m", "m2", "kernel_shape=[2,3] strides=[2,2] ceil_mode=1");
    onnx_node(&w, "AveragePool", "a", "v", "kernel_shape=[3,3] pads=[1,1,1,1] strides=[2,2] count_include_pad=1");
    onnx_node(&w, "AveragePool", "a", "v2", "kernel_shape=[3,2] pads=[1,0,0,1] strides=[2,1]");
    conv(&w, "m2", "y", 24, 16, 1, 1, 1, 1, "", "");
    conv(&w, "v", "z", 24, 16, 1, 1, 1, 1, "", "");
    conv(&w, "v2", "z2", 24, 16, 1, 1, 1, 1, "", "");
    onnx_output(&w, "y");
    onnx_output(&w, "z");
    onnx_output(&w, "z2");
    check(&w, "pools", 2, 8, 13, 18, 1);
}

static void test_resize(void)
{
    static const char *const attrs[] = {
        "mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor",
        "mode=nearest coordinate_transformation_mode=half_pixel nearest_mode=round_prefer_ceil",
        "mode=nearest coordinate_transformation_mode=align_corners nearest_mode=ceil",
        "mode=linear coordinate_transformation_mode=half_pixel",
    };

    for (int i = 0; i < FF_ARRAY_ELEMS(attrs); i++)
        for (int sizes = 0; sizes < 2; sizes++) {
            OnnxW w = begin(8);
            conv(&w, "x", "a", 8, 20, 1, 1, 1, 1, "", "SiLU");
            onnx_f32(&w, "scale", "4", (float[]){ 1, 1, 2, 1.5f });
            onnx_i64(&w, "size", "4", (int64_t[]){ 2, 20, 13, 27 });
            onnx_node(&w, "Resize", sizes ? "a,,,size" : "a,,scale", "r", attrs[i]);
            conv(&w, "r", "y", 20, 16, 3, 3, 1, 1, "pads=[1,1,1,1]", "");
            onnx_output(&w, "y");
            check(&w, attrs[i], 2, 8, 7, 10, 1);
        }
}

/* every second pixel four times, as YOLOX begins */
static void test_focus(void)
{
    static const char *const names[4] = { "s0", "s1", "s2", "s3" };
    OnnxW w = begin(3);

    onnx_i64(&w, "en", "2", (int64_t[]){ INT64_MAX, INT64_MAX });
    onnx_i64(&w, "ax", "2", (int64_t[]){ 2, -1 });
    onnx_i64(&w, "sp", "2", (int64_t[]){ 2, 2 });
    for (int i = 0; i < 4; i++) {
        char st[16], in[64];
        snprintf(st, sizeof(st), "st%d", i);
        onnx_i64(&w, st, "2", (int64_t[]){ i & 1, i >> 1 });
        snprintf(in, sizeof(in), "x,%s,en,ax,sp", st);
        onnx_node(&w, "Slice", in, names[i], "");
    }
    onnx_node(&w, "Concat", "s0,s1,s2,s3", "f", "axis=1");
    conv(&w, "f", "y", 12, 16, 3, 3, 1, 1, "pads=[1,1,1,1]", "SiLU");
    onnx_output(&w, "f");
    onnx_output(&w, "y");
    check(&w, "focus", 2, 3, 14, 22, 1);
}

/* ---- main ------------------------------------------------------------------------------------------ */

int main(void)
{
#if CONFIG_LIBDNNL
    av_log_set_level(AV_LOG_ERROR);
    test_convs();
    for (int n = 1; n <= 4; n += 1 + n) {
        test_concat(n, 16, "parts of whole blocks");
        test_concat(n, 32, "parts of two blocks");
        test_concat(n, 10, "odd parts");
    }
    test_pools();
    test_resize();
    test_focus();
    return tap_done();
#else
    tap_skip("onednn: not in this build");
    puts("done - nothing to test");
    return 0;
#endif
}
