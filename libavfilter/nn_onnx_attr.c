/*
 * Nets of any shape: attributes of ONNX nodes
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

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/intfloat.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_onnx.h"

/* fields of AttributeProto */
enum { A_FLOAT = 2, A_INT = 3, A_STRING = 4, A_TENSOR = 5, A_FLOATS = 7, A_INTS = 8, A_TYPE = 20, A_REF = 21 };

int ff_onnx_broken(const Onnx *o, const char *fmt, ...)
{
    char text[500];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    av_log(o->log, AV_LOG_ERROR, "%s: %s\n", o->file, text);
    return AVERROR_INVALIDDATA;
}

int ff_onnx_refuse(OnnxNode *n, int err, const char *fmt, ...)
{
    char text[500], name[NN_MAX_NAME], op[NN_MAX_NAME];
    va_list ap;

    if (n->err < 0)
        return n->err;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    ff_nn_net_name(name, n->name.p, n->name.n);
    ff_nn_net_name(op, n->op.p, n->op.n);
    av_log(n->o->log, AV_LOG_ERROR, "%s: node '%s' (%s) %s\n", n->o->file, name, op, text);
    return n->err = err;
}

static int find(OnnxNode *n, const char *name)
{
    for (int i = 0; i < n->nb_attrs; i++)
        if (onnx_is(n->attr_name[i], name)) {
            n->used |= UINT32_C(1) << i;
            return i;
        }
    return -1;
}

/* the next field of an attribute that has a number; -1 after a message: damaged */
static int next_field(OnnxNode *n, const char *name, NNProto *m, int id, NNProtoField *f)
{
    int ret;

    while ((ret = ff_proto_next(m, f)) > 0) {
        if (f->id == A_REF)
            return ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has attribute '%s' from outside; inline the model's "
                                  "functions", name);
        if (f->id == id)
            return 1;
    }
    return ret < 0 ? ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has a damaged attribute '%s'", name) : 0;
}

/* the one field of a plain attribute; @return 1 if it is there */
static int plain(OnnxNode *n, const char *name, int id, enum NNProtoWire wire, NNProtoField *f)
{
    const int i = find(n, name);
    NNProto m;
    int ret;

    if (i < 0)
        return 0;
    m   = n->attr[i];
    ret = next_field(n, name, &m, id, f);
    if (ret > 0 && f->wire == wire)
        return 1;
    if (ret >= 0)
        ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has an attribute '%s' of another type than it should be", name);
    return 0;
}

int ff_onnx_has(OnnxNode *n, const char *name)
{
    return find(n, name) >= 0;
}

void ff_onnx_ignore(OnnxNode *n, const char *name)
{
    find(n, name);
}

/*
 * A plain number. Writers of proto3 leave out fields that are 0: then the attribute's type
 * tells that it is there. @return 1 if it is there
 */
static int number(OnnxNode *n, const char *name, int id, enum NNProtoWire wire, int type, uint64_t *v)
{
    const int i = find(n, name);
    NNProto m;
    NNProtoField f;
    int ret;

    if (i < 0)
        return 0;
    m   = n->attr[i];
    ret = next_field(n, name, &m, id, &f);
    if (!ret) {
        m   = n->attr[i];
        ret = next_field(n, name, &m, A_TYPE, &f);
        if (ret > 0 && f.wire == NN_PROTO_VARINT && f.v == type) {
            *v = 0;
            return 1;
        }
        ret = FFMIN(ret, 0);
    }
    if (ret > 0 && f.wire == wire) {
        *v = f.v;
        return 1;
    }
    ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has an attribute '%s' of another type than it should be", name);
    return 0;
}

int64_t ff_onnx_int(OnnxNode *n, const char *name, int64_t def, int64_t lo, int64_t hi)
{
    uint64_t v;

    if (!number(n, name, A_INT, NN_PROTO_VARINT, 2, &v))
        return def;
    if ((int64_t)v < lo || (int64_t)v > hi) {
        ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has %s=%"PRId64", which is not supported", name, (int64_t)v);
        return def;
    }
    return v;
}

float ff_onnx_float(OnnxNode *n, const char *name, float def)
{
    uint64_t v;

    return number(n, name, A_FLOAT, NN_PROTO_32, 1, &v) ? av_int2float(v) : def;
}

/* raw numbers of a list; bits of floats */
static int list(OnnxNode *n, const char *name, int id, enum NNProtoWire wire, uint64_t *v, int max)
{
    const int i = find(n, name);
    NNProto m;
    NNProtoField f;
    int nb = 0, ret;

    if (i < 0)
        return 0;
    m = n->attr[i];
    while ((ret = next_field(n, name, &m, id, &f)) > 0) {
        uint64_t x;
        while ((ret = ff_proto_number(&f, wire, &x)) > 0) {
            if (nb == max) {
                ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has more than %d numbers in attribute '%s'", max, name);
                return -1;
            }
            v[nb++] = x;
        }
        if (ret < 0) {
            ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has a damaged attribute '%s'", name);
            return -1;
        }
    }
    return ret < 0 ? -1 : nb;
}

int ff_onnx_ints(OnnxNode *n, const char *name, int64_t *v, int max)
{
    return list(n, name, A_INTS, NN_PROTO_VARINT, (uint64_t *)v, max);
}

int ff_onnx_floats(OnnxNode *n, const char *name, float *v, int max)
{
    uint64_t *bits = av_malloc_array(max, sizeof(*bits));
    int nb;

    if (!bits) {
        n->err = n->err < 0 ? n->err : AVERROR(ENOMEM);
        return -1;
    }
    nb = list(n, name, A_FLOATS, NN_PROTO_32, bits, max);
    for (int i = 0; i < nb; i++)
        v[i] = av_int2float(bits[i]);
    av_free(bits);
    return nb;
}

int ff_onnx_choice(OnnxNode *n, const char *name, const char *def, const char *const *names)
{
    OnnxStr s = { def, strlen(def) };
    char text[NN_MAX_NAME];
    NNProtoField f;

    if (plain(n, name, A_STRING, NN_PROTO_BYTES, &f))
        s = (OnnxStr){ (const char *)f.sub.p, nn_proto_left(&f.sub) };
    for (int i = 0; names[i]; i++)
        if (onnx_is(s, names[i]))
            return i;
    ff_nn_net_name(text, s.p, s.n);
    ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has %s='%s', which is not supported", name, text);
    return 0;
}

void ff_onnx_attr_tensor(OnnxNode *n, const char *name, NNTensor *t)
{
    NNProtoField f;
    int ret;

    *t = (NNTensor){ 0 };
    if (!plain(n, name, A_TENSOR, NN_PROTO_BYTES, &f) || n->err < 0)
        return;
    if ((ret = ff_onnx_tensor(n->o, f.sub, t, NULL)) < 0)
        n->err = ret;                   /* its message was given */
}

int ff_onnx_attrs_done(OnnxNode *n)
{
    char name[NN_MAX_NAME];

    for (int i = 0; i < n->nb_attrs && n->err >= 0; i++) {
        if (n->used & UINT32_C(1) << i)
            continue;
        ff_nn_net_name(name, n->attr_name[i].p, n->attr_name[i].n);
        ff_onnx_refuse(n, AVERROR_PATCHWELCOME, "has attribute '%s', which is not supported for this operation in "
                       "operator set %d",
                       name, n->o->opset);
    }
    return n->err;
}
