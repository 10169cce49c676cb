/*
 * Writes ONNX files, for tests
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


#ifndef FFREEL_TESTS_ONNX_WRITE_H
#define FFREEL_TESTS_ONNX_WRITE_H

#include "net_files.h"

/**
 * @file
 * A net of a few nodes in a few lines:
 *
 *     OnnxW w = onnx_begin(17);
 *     onnx_input(&w, "x", "1,3,-1,-1");
 *     onnx_f32(&w, "k", "8,3,3,3", weights);
 *     onnx_node(&w, "Conv", "x,k", "y", "pads=[1,1,1,1] group=1");
 *     onnx_output(&w, "y");
 *     Bytes file = onnx_end(&w);
 *
 * Shapes and names are lists with commas; an empty name is an absent input. Attributes are
 * 3 (int), 0.5 (float), [1,2], [1.0,2.0] or text, told apart by how they look.
 */

typedef struct OnnxW {
    Bytes graph, meta;
    int   opset;
} OnnxW;

/* ---- protocol buffers ---------------------------------------------------------------------- */

static inline void onnx_varint(Bytes *b, uint64_t v)
{
    for (; v > 127; v >>= 7)
        put8(b, v | 128);
    put8(b, v);
}

static inline void onnx_int(Bytes *b, int id, int64_t v)
{
    onnx_varint(b, id << 3);
    onnx_varint(b, v);
}

static inline void onnx_float(Bytes *b, int id, float v)
{
    onnx_varint(b, id << 3 | 5);
    put(b, &v, 4);
}

static inline void onnx_bytes(Bytes *b, int id, const void *p, size_t n)
{
    onnx_varint(b, id << 3 | 2);
    onnx_varint(b, n);
    put(b, p, n);
}

static inline void onnx_str(Bytes *b, int id, const char *s)
{
    onnx_bytes(b, id, s, strlen(s));
}

/* a message within a message; frees it */
static inline void onnx_sub(Bytes *b, int id, Bytes *sub)
{
    onnx_bytes(b, id, sub->p ? (void *)sub->p : (void *)"", sub->n);
    bytes_free(sub);
}

/* ---- graph ------------------------------------------------------------------------------------- */

static inline OnnxW onnx_begin(int opset)
{
    return (OnnxW){ .opset = opset };
}

/* dims of "1,3,-1": how many, and their product */
static inline int onnx_dims(const char *s, int64_t *dims, int64_t *nb)
{
    int n = 0;

    *nb = 1;
    while (*s && n < 16) {
        char *end;
        dims[n] = strtoll(s, &end, 10);
        *nb *= dims[n++];
        s = *end ? end + 1 : end;
    }
    return n;
}

/* FLOAT is 1, INT64 7; raw little-endian data */
static inline Bytes onnx_tensor(const char *name, int type, const char *shape, const void *data, size_t size)
{
    Bytes t = { 0 };
    int64_t dims[16], nb;
    const int n = onnx_dims(shape, dims, &nb);

    for (int i = 0; i < n; i++)
        onnx_int(&t, 1, dims[i]);
    onnx_int(&t, 2, type);
    onnx_str(&t, 8, name);
    onnx_bytes(&t, 9, data, nb * size);
    return t;
}

static inline void onnx_f32(OnnxW *w, const char *name, const char *shape, const float *data)
{
    Bytes t = onnx_tensor(name, 1, shape, data, sizeof(*data));

    onnx_sub(&w->graph, 5, &t);
}

static inline void onnx_i64(OnnxW *w, const char *name, const char *shape, const int64_t *data)
{
    Bytes t = onnx_tensor(name, 7, shape, data, sizeof(*data));

    onnx_sub(&w->graph, 5, &t);
}

/* an input or output; sizes < 0 are open, shape NULL: not said */
static inline void onnx_value(OnnxW *w, int id, const char *name, const char *shape)
{
    Bytes v = { 0 }, type = { 0 }, tensor = { 0 }, s = { 0 };
    int64_t dims[16], nb;
    const int n = shape ? onnx_dims(shape, dims, &nb) : 0;

    for (int i = 0; i < n; i++) {
        Bytes d = { 0 };
        if (dims[i] < 0)
            onnx_str(&d, 2, "open");
        else
            onnx_int(&d, 1, dims[i]);
        onnx_sub(&s, 1, &d);
    }
    onnx_int(&tensor, 1, 1);
    if (shape)
        onnx_sub(&tensor, 2, &s);
    onnx_sub(&type, 1, &tensor);
    onnx_str(&v, 1, name);
    onnx_sub(&v, 2, &type);
    onnx_sub(&w->graph, id, &v);
}

static inline void onnx_input(OnnxW *w, const char *name, const char *shape)
{
    onnx_value(w, 11, name, shape);
}

static inline void onnx_output(OnnxW *w, const char *name)
{
    onnx_value(w, 12, name, NULL);
}

static inline void onnx_attr_list(Bytes *a, const char *s)
{
    const int floats = !!strchr(s, '.');

    for (s++; *s && *s != ']';) {
        char *end;
        const double v = strtod(s, &end);
        if (floats)
            onnx_float(a, 7, v);
        else
            onnx_int(a, 8, strtoll(s, &end, 10));
        s = *end == ',' ? end + 1 : end;
    }
    onnx_int(a, 20, floats ? 6 : 7);
}

static inline void onnx_attr(Bytes *node, const char *name, const char *s)
{
    Bytes a = { 0 };

    onnx_str(&a, 1, name);
    if (*s == '[') {
        onnx_attr_list(&a, s);
    } else if ((*s < '0' || *s > '9') && *s != '-') {
        onnx_str(&a, 4, s);
        onnx_int(&a, 20, 3);
    } else if (strchr(s, '.')) {
        onnx_float(&a, 2, strtod(s, NULL));
        onnx_int(&a, 20, 1);
    } else {
        onnx_int(&a, 3, strtoll(s, NULL, 10));
        onnx_int(&a, 20, 2);
    }
    onnx_sub(node, 5, &a);
}

/* each of a list with commas */
static inline void onnx_names(Bytes *node, int id, const char *s)
{
    while (*s) {
        const size_t n = strcspn(s, ",");
        onnx_bytes(node, id, s, n);
        s += n + (s[n] == ',');
    }
}

/* the node as bytes, for what onnx_node() cannot say */
static inline Bytes onnx_node_bytes(const char *op, const char *in, const char *out, const char *attrs)
{
    Bytes n = { 0 };
    char text[1024], *save = NULL;

    onnx_names(&n, 1, in);
    onnx_names(&n, 2, out);
    onnx_str(&n, 3, out);               /* named as what it makes */
    onnx_str(&n, 4, op);
    snprintf(text, sizeof(text), "%s", attrs ? attrs : "");
    for (char *t = strtok_r(text, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(t, '=');
        *eq = 0;
        onnx_attr(&n, t, eq + 1);
    }
    return n;
}

static inline void onnx_node(OnnxW *w, const char *op, const char *in, const char *out, const char *attrs)
{
    Bytes n = onnx_node_bytes(op, in, out, attrs);

    onnx_sub(&w->graph, 1, &n);
}

static inline void onnx_meta(OnnxW *w, const char *key, const char *value)
{
    Bytes e = { 0 };

    onnx_str(&e, 1, key);
    onnx_str(&e, 2, value);
    onnx_sub(&w->meta, 14, &e);
}

/* the file; w is spent */
static inline Bytes onnx_end(OnnxW *w)
{
    Bytes m = { 0 }, o = { 0 };

    onnx_int(&m, 1, 8);
    onnx_str(&m, 2, "test");
    onnx_str(&w->graph, 2, "g");
    onnx_sub(&m, 7, &w->graph);
    onnx_str(&o, 1, "");
    onnx_int(&o, 2, w->opset);
    onnx_sub(&m, 8, &o);
    if (w->meta.n)
        put(&m, w->meta.p, w->meta.n);
    bytes_free(&w->meta);
    return m;
}

#endif /* FFREEL_TESTS_ONNX_WRITE_H */
