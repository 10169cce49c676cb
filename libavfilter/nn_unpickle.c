/*
 * Nets: a reader of pickles that knows tensors and nothing else
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

#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"

#include "nn_unpickle.h"

enum Global { G_DICT, G_TENSOR, G_PARAMETER, G_STORAGE };

static const struct Known {
    const char *module, *name;
    enum Global what;
    int type;                   ///< G_STORAGE: enum NNType or NN_PKL_INTEGERS
} known[] = {
    { "collections",  "OrderedDict",         G_DICT },
    { "torch._utils", "_rebuild_tensor_v2",  G_TENSOR },
    { "torch._utils", "_rebuild_parameter",  G_PARAMETER },
    { "torch", "FloatStorage",    G_STORAGE, NN_F32 },
    { "torch", "HalfStorage",     G_STORAGE, NN_F16 },
    { "torch", "BFloat16Storage", G_STORAGE, NN_BF16 },
    { "torch", "DoubleStorage",   G_STORAGE, NN_F64 },
    { "torch", "LongStorage",     G_STORAGE, NN_PKL_INTEGERS },
    { "torch", "IntStorage",      G_STORAGE, NN_PKL_INTEGERS },
    { "torch", "ShortStorage",    G_STORAGE, NN_PKL_INTEGERS },
    { "torch", "CharStorage",     G_STORAGE, NN_PKL_INTEGERS },
    { "torch", "ByteStorage",     G_STORAGE, NN_PKL_INTEGERS },
    { "torch", "BoolStorage",     G_STORAGE, NN_PKL_INTEGERS },
};

/* With records: what else is called in checkpoints, and makes nothing */
static const struct Inert {
    const char *module, *name;
} inert[] = {
    { "__builtin__", "set" },                   { "builtins", "set" },
    { "pathlib", "PosixPath" },                 { "pathlib", "WindowsPath" },
    { "pathlib", "PurePosixPath" },             { "pathlib._local", "PosixPath" },
    { "numpy.core.multiarray", "scalar" },      { "numpy._core.multiarray", "scalar" },
    { "numpy", "dtype" },                       { "_codecs", "encode" },
    { "torch", "device" },                      { "torch", "Size" },
};

/* ---- names and what they make --------------------------------------------------------- */

static int is(const char *text, const char *s, int len)
{
    return strlen(text) == len && !memcmp(text, s, len);
}

static int begins(const char *text, const char *s, int len)
{
    return len >= strlen(text) && !memcmp(text, s, strlen(text));
}

/* @return enum NNPklFamily of a class that is kept by name, or -1 */
static int family(const char *module, int module_len, const char *name, int name_len)
{
    if (begins("ultralytics.", module, module_len))
        return NN_PKL_YOLO;
    if (begins("torch.nn.modules.", module, module_len))
        return NN_PKL_TORCH;
    for (int i = 0; i < FF_ARRAY_ELEMS(inert); i++)
        if (is(inert[i].module, module, module_len) && is(inert[i].name, name, name_len))
            return NN_PKL_OTHER;
    return -1;
}

static int push_global(NNPkl *s, const char *module, int module_len, const char *name, int name_len)
{
    char text[128];
    int n;

    for (int i = 0; i < FF_ARRAY_ELEMS(known); i++)
        if (is(known[i].module, module, module_len) && is(known[i].name, name, name_len))
            return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_GLOBAL, .first = i });
    if (s->records && (n = family(module, module_len, name, name_len)) >= 0)
        return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_GLOBAL, .first = -1, .i = n, .s = name, .nb = name_len });
    n = snprintf(text, sizeof(text), "%.*s.%.*s", FFMIN(module_len, 60), module, FFMIN(name_len, 60), name);
    for (int i = 0; i < n; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            text[i] = '?';
    av_log(s->log, AV_LOG_ERROR, "%s: wants Python's '%s', which no file of weights needs: refused, nothing was executed; "
           "%s\n", s->file, text, s->records ? "where you trust it, export it: yolo export model=FILE format=onnx"
                                             : "save only the state_dict");
    return AVERROR_INVALIDDATA;
}

/* two lines: module, name */
static int op_global(NNPkl *s)
{
    const char *m = (const char *)s->p, *n = memchr(s->p, '\n', s->end - s->p), *e;

    e = n ? memchr(n + 1, '\n', (const char *)s->end - n - 1) : NULL;
    if (!e)
        return ff_pkl_broken(s, "cut off");
    s->p = (const uint8_t *)e + 1;
    return push_global(s, m, n - m, n + 1, e - n - 1);
}

static int op_stack_global(NNPkl *s)
{
    const NNPklValue *name = ff_pkl_top(s, 0, PKL_STR, "a name that is no string"), *module;

    if (!name || !(module = ff_pkl_top(s, 1, PKL_STR, "a module that is no string")))
        return AVERROR_INVALIDDATA;
    s->nb_stack -= 2;
    return push_global(s, module->s, module->nb, name->s, name->nb);
}

/* ('storage', torch.FloatStorage, key, device, elements) */
static int op_persid(NNPkl *s)
{
    const NNPklValue *t = ff_pkl_top(s, 0, PKL_TUPLE, "a persistent id that is no tuple"), *kind, *class, *key, *nb;
    NNPklValue v = { .type = PKL_STORAGE };

    if (!t)
        return AVERROR_INVALIDDATA;
    kind  = ff_pkl_item(s, t, 0, PKL_STR);
    class = ff_pkl_item(s, t, 1, PKL_GLOBAL);
    key   = ff_pkl_item(s, t, 2, PKL_STR);
    nb    = ff_pkl_item(s, t, 4, PKL_INT);
    if (!kind || kind->nb != 7 || memcmp(kind->s, "storage", 7) || !class || class->first < 0 ||
        known[class->first].what != G_STORAGE || !key || !nb || nb->i < 0)
        return ff_pkl_broken(s, "a persistent id that is no storage");
    v.first = known[class->first].type;
    v.nb    = key - s->values;
    v.i     = nb->i;
    s->nb_stack--;
    return ff_pkl_push_new(s, v);
}

/* (storage, offset, shape, strides, ...) */
static int rebuild_tensor(NNPkl *s, const NNPklValue *args)
{
    const NNPklValue *storage = ff_pkl_item(s, args, 0, PKL_STORAGE), *offset = ff_pkl_item(s, args, 1, PKL_INT);
    const NNPklValue *shape = ff_pkl_item(s, args, 2, PKL_TUPLE), *strides = ff_pkl_item(s, args, 3, PKL_TUPLE);
    NNPklValue v = { .type = PKL_TENSOR };
    int ret;

    if (!storage || !offset || !shape || !strides || offset->i < 0 || shape->nb != strides->nb)
        return ff_pkl_broken(s, "a tensor without proper storage, offset, shape and strides");
    for (int i = 0; i < shape->nb; i++)
        if (!ff_pkl_item(s, shape, i, PKL_INT) || !ff_pkl_item(s, strides, i, PKL_INT))
            return ff_pkl_broken(s, "a tensor whose shape or strides are no integers");
    v.first = storage - s->values;
    v.i     = offset->i;
    v.nb    = s->nb_items;
    for (int i = 2; i < 4; i++) {
        const int which = s->items[args->first + i];
        if ((ret = ff_pkl_grow(s, &s->items, &s->items_size, s->nb_items, sizeof(*s->items), PKL_MAX_VALUES)) < 0)
            return ret;
        s->items[s->nb_items++] = which;
    }
    return ff_pkl_push_new(s, v);
}

/* an object of a class that is only a name; made of nothing until its state comes */
static int push_record(NNPkl *s, int class)
{
    return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_RECORD, .first = class, .nb = -1 });
}

/* class, arguments -> object */
static int op_newobj(NNPkl *s)
{
    const NNPklValue *class;

    if (!ff_pkl_top(s, 0, PKL_TUPLE, "an object without arguments") ||
        !(class = ff_pkl_top(s, 1, PKL_GLOBAL, "an object of what is no class")))
        return AVERROR_INVALIDDATA;
    if (class->first >= 0)
        return ff_pkl_broken(s, "an object of what is no class");
    s->nb_stack -= 2;
    return push_record(s, class - s->values);
}

/* calls of the known names; the result replaces both */
static int op_reduce(NNPkl *s)
{
    const NNPklValue *args = ff_pkl_top(s, 0, PKL_TUPLE, "a call without arguments"), *f;
    int arg;

    if (!args || !(f = ff_pkl_top(s, 1, PKL_GLOBAL, "a call of what is no name")))
        return AVERROR_INVALIDDATA;
    if (f->first < 0 && f->i != NN_PKL_OTHER) {
        av_log(s->log, AV_LOG_ERROR, "%s: broken pickle: calls the class '%.*s'\n", s->file, FFMIN(f->nb, 60), f->s);
        return AVERROR_INVALIDDATA;
    }
    s->nb_stack -= 2;
    if (f->first < 0)
        return push_record(s, f - s->values);
    switch (known[f->first].what) {
    case G_DICT:
        if (args->nb)
            return ff_pkl_broken(s, "a dict made from arguments");
        return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_DICT, .first = -1 });
    case G_TENSOR:
        return rebuild_tensor(s, args);
    case G_PARAMETER:
        arg = args->nb ? s->items[args->first] : -1;
        if (arg < 0 || s->values[arg].type != PKL_TENSOR)
            return ff_pkl_broken(s, "a parameter that is no tensor");
        return ff_pkl_push(s, arg);
    default:
        return ff_pkl_broken(s, "a call of a type");
    }
}

/* the state of a record; an OrderedDict's attributes (the state_dict's versions) are of no use here */
static int op_build(NNPkl *s)
{
    NNPklValue *v = ff_pkl_above_mark(s) < 2 ? NULL : &s->values[s->stack[s->nb_stack - 2]];

    if (v && v->type == PKL_RECORD) {
        v->nb = s->stack[--s->nb_stack];
        return 0;
    }
    if (ff_pkl_above_mark(s) < 2 || s->values[s->stack[s->nb_stack - 2]].type != PKL_DICT)
        return ff_pkl_broken(s, "sets the state of what is no dict");
    s->nb_stack--;
    return 0;
}

/* ---- the machine ------------------------------------------------------------------------- */

/* the n bytes of an argument, or NULL */
static const uint8_t *take(NNPkl *s, uint64_t n)
{
    const uint8_t *p = s->p;

    if (n > s->end - p) {
        ff_pkl_broken(s, "cut off");
        return NULL;
    }
    s->p += n;
    return p;
}

static int push_int(NNPkl *s, int64_t i)
{
    return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_INT, .i = i });
}

static int push_str(NNPkl *s, uint32_t n)
{
    const uint8_t *p = take(s, n);

    return p ? ff_pkl_push_new(s, (NNPklValue){ .type = PKL_STR, .s = (const char *)p, .nb = n }) : AVERROR_INVALIDDATA;
}

/* LONG1: n bytes, two's complement */
static int push_long(NNPkl *s, int n)
{
    const uint8_t *p = take(s, n);
    uint64_t v = 0;

    if (!p || n > 8)
        return p ? ff_pkl_broken(s, "an integer of more than 64 bits") : AVERROR_INVALIDDATA;
    for (int i = n - 1; i >= 0; i--)
        v = v << 8 | p[i];
    if (n && n < 8 && p[n - 1] & 0x80)
        v |= ~UINT64_C(0) << 8 * n;
    return push_int(s, v);
}

/* argument bytes of each opcode known; the others have none */
static int arg_size(int op)
{
    switch (op) {
    case 0x80: case 'K': case 'q': case 'h': case 0x8a: case 0x8c: case 'U': return 1;
    case 'M':                                                                return 2;
    case 'J': case 'X': case 'r': case 'j': case 'T':                        return 4;
    case 'G': case 0x95:                                                     return 8;
    }
    return 0;
}

static int run_op(NNPkl *s, int op)
{
    const uint8_t *a = take(s, arg_size(op));

    if (!a)
        return AVERROR_INVALIDDATA;
    switch (op) {
    case 0x80: return a[0] > 5 ? ff_pkl_broken(s, "a version that is not known") : 0;                  /* PROTO */
    case 0x95: return AV_RL64(a) > s->end - s->p ? ff_pkl_broken(s, "cut off") : 0;                    /* FRAME */
    case '(':  return ff_pkl_mark(s);
    case 'N':  return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_NONE });
    case 0x88: case 0x89: return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_BOOL, .i = op == 0x88 });
    case 'J':  return push_int(s, (int32_t)AV_RL32(a));                                         /* BININT */
    case 'K':  return push_int(s, a[0]);
    case 'M':  return push_int(s, AV_RL16(a));
    case 0x8a: return push_long(s, a[0]);
    case 'G':  return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_FLOAT, .i = AV_RB64(a) });   /* BINFLOAT */
    case 'X': case 'T':   return push_str(s, AV_RL32(a));                                       /* BINUNICODE */
    case 0x8c: case 'U':  return push_str(s, a[0]);
    case '}':  return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_DICT, .first = -1 });
    case ']':  return ff_pkl_push_new(s, (NNPklValue){ .type = PKL_LIST, .first = -1 });
    case ')':  return ff_pkl_make_tuple(s, s->nb_stack);
    case 't':  return ff_pkl_make_tuple(s, ff_pkl_pop_mark(s));
    case 0x85: case 0x86: case 0x87: return ff_pkl_make_small_tuple(s, op - 0x84);
    case 'q':  return ff_pkl_memo_put(s, a[0]);                                                        /* BINPUT */
    case 'r':  return ff_pkl_memo_put(s, AV_RL32(a));
    case 0x94: return ff_pkl_memo_put(s, s->nb_memo);                                                  /* MEMOIZE */
    case 'h':  return ff_pkl_memo_get(s, a[0]);                                                        /* BINGET */
    case 'j':  return ff_pkl_memo_get(s, AV_RL32(a));
    case 's':  return ff_pkl_above_mark(s) < 3 ? ff_pkl_broken(s, "sets an item of too few values") : ff_pkl_set_items(s, s->nb_stack - 2);
    case 'u':  return ff_pkl_set_items(s, ff_pkl_pop_mark(s));
    case 'a':  return ff_pkl_above_mark(s) < 2 ? ff_pkl_broken(s, "appends nothing") : ff_pkl_append_items(s, s->nb_stack - 1);
    case 'e':  return ff_pkl_append_items(s, ff_pkl_pop_mark(s));
    case 'c':  return op_global(s);
    case 0x93: return op_stack_global(s);
    case 'R':  return op_reduce(s);
    case 'b':  return op_build(s);
    case 'Q':  return op_persid(s);
    case 0x81:
        if (s->records)
            return op_newobj(s);
    }
    av_log(s->log, AV_LOG_ERROR, "%s: pickle opcode 0x%02x is none that torch.save writes for weights: refused\n",
           s->file, op);
    return AVERROR_INVALIDDATA;
}

int ff_nn_unpickle(NNPkl *s, const uint8_t *data, size_t size, int records, const char *file, void *log)
{
    int ret = 0;

    memset(s, 0, sizeof(*s));
    s->p       = data;
    s->end     = data + size;
    s->file    = file;
    s->log     = log;
    s->records = records;
    while (s->p < s->end && ret >= 0) {
        const int op = *s->p++;
        if (op == '.')
            return s->nb_marks || s->nb_stack != 1 || s->p != s->end ? ff_pkl_broken(s, "ends with more or less than one value")
                                                                     : s->stack[0];
        ret = run_op(s, op);
    }
    return ret < 0 ? ret : ff_pkl_broken(s, "cut off");
}
