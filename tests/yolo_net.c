/*
 * Writes detectors of red and blue squares as ONNX files, for tests/yolodetect.sh
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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * usage: yolo_net LAYOUT WIDTH HEIGHT [NAMES] > FILE.onnx
 *
 * A net that finds squares of 24 x 24 pixels, red (class 0) or blue (class 1), on dark ground,
 * whose corners lie on multiples of 8 pixels of its picture: what is inside of the square less the ring of 8 pixels
 * about it, then a sigmoid, so that a square has conf 1 and what is one cell off has 0. Boxes are constants. Anchors of strides 16 and 32 are there and find nothing.
 *
 * LAYOUT: v8, v8t (transposed), v5, yolox, e2e; others are no detectors or broken ones:
 * seg, pose, classify, nan, two (pictures at once), gather (fails where anything is bright). NAMES: the metadata of that name.
 */

typedef struct Buf {
    uint8_t *p;
    size_t n;
} Buf;

static void bytes(Buf *b, const void *p, size_t n)
{
    b->p = realloc(b->p, b->n + n);
    if (!b->p)
        abort();
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void varint(Buf *b, uint64_t v)
{
    do {
        const uint8_t c = (v & 127) | (v > 127 ? 128 : 0);
        bytes(b, &c, 1);
    } while (v >>= 7);
}

static void whole(Buf *b, int field, int64_t v)
{
    varint(b, field << 3);
    varint(b, v);
}

static void block(Buf *b, int field, const void *p, size_t n)
{
    varint(b, field << 3 | 2);
    varint(b, n);
    bytes(b, p, n);
}

static void text(Buf *b, int field, const char *s)
{
    block(b, field, s, strlen(s));
}

/* takes sub */
static void message(Buf *b, int field, Buf *sub)
{
    block(b, field, sub->p, sub->n);
    free(sub->p);
    *sub = (Buf) { 0 };
}

/* ---- parts of a graph ---------------------------------------------------------------- */

static Buf graph;

/* type 1: float, 7: int64 */
static void tensor(const char *name, int type, const void *data, int nb_dims, const int *dims)
{
    Buf t = { 0 };
    size_t n = type == 7 ? 8 : 4;

    for (int i = 0; i < nb_dims; i++) {
        whole(&t, 1, dims[i]);
        n *= dims[i];
    }
    whole(&t, 2, type);
    text(&t, 8, name);
    block(&t, 9, data, n);
    message(&graph, 5, &t);
}

static void value(int field, const char *name, int nb_dims, const int *dims)
{
    Buf shape = { 0 }, type = { 0 }, outer = { 0 }, v = { 0 };

    for (int i = 0; i < nb_dims; i++) {
        Buf dim = { 0 };
        whole(&dim, 1, dims[i]);
        message(&shape, 1, &dim);
    }
    whole(&type, 1, 1);
    message(&type, 2, &shape);
    message(&outer, 1, &type);
    text(&v, 1, name);
    message(&v, 2, &outer);
    message(&graph, field, &v);
}

typedef struct Attr {
    const char *name;
    int nb, v[4];               ///< nb 0: a whole number, else a list
} Attr;

static void node(const char *op, const char *in, const char *out, const Attr *a, int nb_attr)
{
    Buf n = { 0 };
    char copy[200];

    snprintf(copy, sizeof(copy), "%s", in);
    for (char *s = strtok(copy, " "); s; s = strtok(NULL, " "))
        text(&n, 1, s);
    text(&n, 2, out);
    text(&n, 3, out);
    text(&n, 4, op);
    for (int i = 0; i < nb_attr; i++) {
        Buf b = { 0 };
        text(&b, 1, a[i].name);
        if (!a[i].nb)
            whole(&b, 3, a[i].v[0]);
        for (int k = 0; k < a[i].nb; k++)
            whole(&b, 8, a[i].v[k]);
        whole(&b, 20, a[i].nb ? 7 : 2);
        message(&n, 5, &b);
    }
    message(&graph, 1, &n);
}

/* ---- the detector ------------------------------------------------------------------------ */

static int is(const char *layout, const char *s)
{
    return !strcmp(layout, s);
}

/* means of red and blue of blocks of 8 x 8; x = 3 x 3 of them less the ring about those; sigmoid(40 (x - 0.7)) */
static void convolutions(const char *layout, int classes)
{
    const int bgr = is(layout, "yolox");
    float mean[2 * 3 * 64] = { 0 }, ring[2 * 2 * 25] = { 0 };
    const float zero[2] = { 0 }, bias[2] = { -28, -28 };
    const int nan = is(layout, "nan");

    for (int c = 0; c < 2; c++)
        for (int i = 0; i < 64; i++)
            mean[(c * 3 + (c == bgr ? 0 : 2)) * 64 + i] = 1 / 64.f / (bgr ? 255 : 1);
    for (int c = 0; c < classes; c++)
        for (int i = 0; i < 25; i++) {
            const int x = i % 5, y = i / 5;
            ring[(c * 2 + c) * 25 + i] = x > 0 && x < 4 && y > 0 && y < 4 ? 40 / 9.f : -40 / 16.f;
        }
    tensor("w1", 1, mean, 4, (const int[4]) { 2, 3, 8, 8 });
    tensor("b1", 1, zero, 1, (const int[1]) { 2 });
    tensor("w2", 1, ring, 4, (const int[4]) { classes, 2, 5, 5 });
    tensor("b2", 1, bias, 1, &classes);
    node("Conv", "images w1 b1", "means", (const Attr[2]) { { "kernel_shape", 2, { 8, 8 } }, { "strides", 2, { 8, 8 } } }, 2);
    node("Conv", "means w2 b2", "sums", (const Attr[2]) { { "kernel_shape", 2, { 5, 5 } }, { "pads", 4, { 2, 2, 2, 2 } } }, 2);
    if (nan)                    // wherever there is no square
        node("Sqrt", "sums", "roots", NULL, 0);
    node("Sigmoid", nan ? "roots" : "sums", "scores", NULL, 0);
}

/* rows of the boxes of all anchors, in the words of the layout */
static void boxes(const char *layout, int w, int h, int nb_grids, int all)
{
    float *p = calloc(4 * all, sizeof(*p));
    int n = 0;

    for (int g = 0; g < nb_grids; g++) {
        const int s = 8 << g;
        for (int i = 0; i < (w / s) * (h / s); i++, n++) {
            const float cx = (i % (w / s) + 0.5f) * s, cy = (i / (w / s) + 0.5f) * s;
            const float centre[4] = { cx, cy, 24, 24 }, corners[4] = { cx - 12, cy - 12, cx + 12, cy + 12 };
            const float grid[4] = { 0.5, 0.5, logf(24.f / s), logf(24.f / s) };
            for (int k = 0; k < 4; k++)
                p[k * all + n] = (is(layout, "yolox") ? grid : is(layout, "e2e") ? corners : centre)[k];
        }
    }
    tensor("boxes", 1, p, 3, (const int[3]) { 1, 4, all });
    free(p);
}

static void constant(const char *name, float v, int rows, int n)
{
    float *p = malloc(sizeof(*p) * rows * n);

    for (int i = 0; i < rows * n; i++)
        p[i] = v;
    tensor(name, 1, p, 3, (const int[3]) { 1, rows, n });
    free(p);
}

/* the one and only row of boxes, by an index that the brightest value of the picture makes */
static void picked(void)
{
    const int64_t one = 1;
    const Attr all = { "keepdims", 0, { 0 } }, whole_number = { "to", 0, { 7 } }, first = { "axis", 0, { 0 } };

    tensor("single", 7, &one, 1, (const int[1]) { 1 });
    node("ReduceMax", "images", "most", &all, 1);
    node("Reshape", "most single", "list", NULL, 0);
    node("Cast", "list", "index", &whole_number, 1);
    node("Gather", "boxes index", "picked", &first, 1);
}

static void detector(const char *layout, int w, int h)
{
    const int e2e = is(layout, "e2e"), v5 = is(layout, "v5"), classes = e2e ? 1 : 2, fine = (w / 8) * (h / 8);
    const int cells = fine + fine / 4 + fine / 16, all = e2e ? fine : v5 ? 3 * cells : cells;
    const int objectness = v5 || is(layout, "yolox"), rows = 4 + classes + (objectness || e2e);
    const int last = !objectness && !e2e && !is(layout, "v8t");
    const int64_t flat[3] = { 1, classes, fine };
    const Attr axis1 = { "axis", 0, { 1 } }, axis2 = { "axis", 0, { 2 } }, perm = { "perm", 3, { 0, 2, 1 } };

    tensor("flat", 7, flat, 1, (const int[1]) { 3 });
    node("Reshape", "scores flat", "fine", NULL, 0);
    if (!e2e) {
        constant("none", 0, 2, all - fine);
        node("Concat", "fine none", "classes", &axis2, 1);
    } else {
        constant("zero", 0, 1, all);
    }
    /* v5 has three anchors a cell; the second and third thirds find nothing */
    boxes(layout, w, h, e2e ? 1 : 3, all);
    if (objectness)
        constant("one", 1, 1, all);
    if (is(layout, "gather"))
        picked();
    node("Concat", is(layout, "gather") ? "picked classes" : e2e ? "boxes fine zero" : objectness ? "boxes one classes" : "boxes classes", last ? "output0" : "rows", &axis1, 1);
    if (!last)
        node("Transpose", "rows", "output0", &perm, 1);
    value(12, "output0", 3, last ? (const int[3]) { 1, rows, all } : (const int[3]) { 1, all, rows });
}

int main(int argc, char **argv)
{
    const char *layout = argc > 1 ? argv[1] : "";
    const int w = argc > 2 ? atoi(argv[2]) : 0, h = argc > 3 ? atoi(argv[3]) : 0, n = is(layout, "two") ? 2 : 1;
    Buf model = { 0 }, opset = { 0 };

    if (w < 32 || h < 32 || w % 32 || h % 32) {
        fprintf(stderr, "usage: yolo_net LAYOUT WIDTH HEIGHT [NAMES] > FILE.onnx\n");
        return 1;
    }
    text(&graph, 2, "squares");
    value(11, "images", 4, (const int[4]) { n, 3, h, w });
    convolutions(layout, is(layout, "e2e") ? 1 : 2);
    if (is(layout, "classify")) {
        node("GlobalAveragePool", "scores", "pooled", NULL, 0);
        node("Flatten", "pooled", "output0", NULL, 0);
        value(12, "output0", 2, (const int[2]) { 1, 2 });
    } else {
        detector(layout, w, h);
    }
    if (is(layout, "seg")) {
        float *p = calloc(32 * 3, sizeof(*p));
        tensor("pw", 1, p, 4, (const int[4]) { 32, 3, 1, 1 });
        node("Conv", "images pw", "output1", (const Attr[2]) { { "kernel_shape", 2, { 1, 1 } }, { "strides", 2, { 4, 4 } } }, 2);
        value(12, "output1", 4, (const int[4]) { 1, 32, h / 4, w / 4 });
        free(p);
    }
    whole(&model, 1, 8);
    text(&model, 2, "ffreel tests");
    message(&model, 7, &graph);
    whole(&opset, 2, 13);
    message(&model, 8, &opset);
    for (int i = 0; i < 2; i++) {
        Buf m = { 0 };
        const char *v = i ? (is(layout, "pose") ? "pose" : NULL) : (argc > 4 ? argv[4] : NULL);
        if (!v)
            continue;
        text(&m, 1, i ? "task" : "names");
        text(&m, 2, v);
        message(&model, 14, &m);
    }
    if (fwrite(model.p, 1, model.n, stdout) != model.n || fflush(stdout))
        return 1;
    free(model.p);
    return 0;
}
