/*
 * Nets of any shape: tensors of ONNX files
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
#include <math.h>
#include <stdio.h>

#include "libavutil/error.h"
#include "libavutil/intfloat.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_load.h"
#include "nn_onnx.h"

/* fields of TensorProto */
enum {
    T_DIMS = 1, T_TYPE = 2, T_FLOAT = 4, T_INT32 = 5, T_STRING = 6, T_INT64 = 7, T_NAME = 8, T_RAW = 9, T_DOUBLE = 10,
    T_UINT64 = 11, T_EXTERNAL = 13, T_LOCATION = 14,
};

typedef struct Raw {
    int64_t  dims[NN_NET_DIMS];
    int      nb_dims, external, has_raw;
    uint64_t type;
    OnnxStr  name;
    NNProto  raw;
    int64_t  nb;
} Raw;

/* bytes of an element in raw_data, and the field that holds elements otherwise; 0: not supported */
static int element_size(uint64_t type, int *field)
{
    switch (type) {
    case ONNX_FLOAT:    *field = T_FLOAT;  return 4;
    case ONNX_DOUBLE:   *field = T_DOUBLE; return 8;
    case ONNX_INT64:    *field = T_INT64;  return 8;
    case ONNX_UINT64:   *field = T_UINT64; return 8;
    case ONNX_UINT32:   *field = T_UINT64; return 4;
    case ONNX_INT32:    *field = T_INT32;  return 4;
    case ONNX_INT8:
    case ONNX_UINT8:
    case ONNX_BOOL:     *field = T_INT32;  return 1;
    case ONNX_INT16:
    case ONNX_UINT16:
    case ONNX_FLOAT16:
    case ONNX_BFLOAT16: *field = T_INT32;  return 2;
    default:            return 0;
    }
}

static int is_float(uint64_t type)
{
    return type == ONNX_FLOAT || type == ONNX_FLOAT16 || type == ONNX_BFLOAT16 || type == ONNX_DOUBLE;
}

static int read_header(Onnx *o, NNProto m, Raw *r)
{
    NNProtoField f;
    uint64_t v;
    int ret;

    while ((ret = ff_proto_next(&m, &f)) > 0) {
        if (f.id == T_NAME && f.wire == NN_PROTO_BYTES)
            r->name = (OnnxStr){ (const char *)f.sub.p, nn_proto_left(&f.sub) };
        if (f.id == T_TYPE && f.wire == NN_PROTO_VARINT)
            r->type = f.v;
        if (f.id == T_EXTERNAL || (f.id == T_LOCATION && f.v))
            r->external = 1;
        if (f.id == T_RAW && f.wire == NN_PROTO_BYTES) {
            r->raw     = f.sub;
            r->has_raw = 1;
        }
        if (f.id != T_DIMS)
            continue;
        while ((ret = ff_proto_number(&f, NN_PROTO_VARINT, &v)) > 0) {
            if (r->nb_dims == NN_NET_DIMS)
                return ff_onnx_broken(o, "a tensor has more than %d dimensions", NN_NET_DIMS);
            r->dims[r->nb_dims++] = v;
        }
        if (ret < 0)
            break;
    }
    return ret < 0 ? ff_onnx_broken(o, "a tensor is cut off or damaged") : 0;
}

static float float_element(const uint8_t *p, uint64_t type)
{
    float v;

    switch (type) {
    case ONNX_FLOAT16:  ff_nn_convert(&v, p, 1, NN_F16);  return v;
    case ONNX_BFLOAT16: ff_nn_convert(&v, p, 1, NN_BF16); return v;
    case ONNX_DOUBLE:   ff_nn_convert(&v, p, 1, NN_F64);  return v;
    default:            return av_int2float(AV_RL32(p));
    }
}

static int64_t int_element(const uint8_t *p, uint64_t type)
{
    switch (type) {
    case ONNX_INT8:   return (int8_t)*p;
    case ONNX_UINT8:  return *p;
    case ONNX_BOOL:   return !!*p;
    case ONNX_INT16:  return (int16_t)AV_RL16(p);
    case ONNX_UINT16: return AV_RL16(p);
    case ONNX_INT32:  return (int32_t)AV_RL32(p);
    case ONNX_UINT32: return AV_RL32(p);
    default:          return AV_RL64(p);
    }
}

static void set_element(NNTensor *t, int64_t i, const uint8_t *p, uint64_t type)
{
    if (t->type == NN_VAL_F32)
        ((float *)t->data)[i] = float_element(p, type);
    else
        ((int64_t *)t->data)[i] = int_element(p, type);
}

/* elements in a repeated field of numbers; @return how many there were, or AVERROR */
static int64_t read_typed(NNTensor *t, NNProto m, uint64_t type, int field)
{
    const enum NNProtoWire wire = field == T_FLOAT ? NN_PROTO_32 : field == T_DOUBLE ? NN_PROTO_64 : NN_PROTO_VARINT;
    NNProtoField f;
    int64_t nb = 0;
    uint8_t bytes[8];
    uint64_t v;
    int ret;

    while ((ret = ff_proto_next(&m, &f)) > 0) {
        if (f.id != field)
            continue;
        while ((ret = ff_proto_number(&f, wire, &v)) > 0) {
            if (nb == t->nb)
                return nb + 1;
            AV_WL64(bytes, v);          /* the low bytes are the element */
            set_element(t, nb++, bytes, type);
        }
        if (ret < 0)
            break;
    }
    return ret < 0 ? ret : nb;
}

/* product of dims within limits, also where one of them is 0: steps are products of some */
static int check_dims(Onnx *o, Raw *r, const char *name)
{
    int64_t span = 1;

    r->nb = 1;
    for (int i = 0; i < r->nb_dims; i++) {
        if (r->dims[i] < 0 || r->dims[i] > NN_MAX_ELEMS || span * r->dims[i] > NN_MAX_ELEMS)
            return ff_onnx_broken(o, "tensor '%s' has an absurd shape (dimension %d is %"PRId64"; at most %d elements)",
                                  name, i, r->dims[i], NN_MAX_ELEMS);
        r->nb *= r->dims[i];
        span  *= FFMAX(r->dims[i], 1);
    }
    if ((o->total += r->nb) > NN_MAX_TOTAL)
        return ff_onnx_broken(o, "more than %d weights, at tensor '%s'", NN_MAX_TOTAL, name);
    return 0;
}

static int read_data(Onnx *o, NNProto m, const Raw *r, NNTensor *t, const char *name)
{
    int field, size = element_size(r->type, &field);
    int64_t nb;

    if (r->has_raw) {
        if (nn_proto_left(&r->raw) != r->nb * size)
            return ff_onnx_broken(o, "tensor '%s' has %zu bytes, its shape needs %"PRId64, name,
                                  nn_proto_left(&r->raw), r->nb * size);
        for (int64_t i = 0; i < r->nb; i++)
            set_element(t, i, r->raw.p + i * size, r->type);
    } else {
        nb = read_typed(t, m, r->type, field);
        if (nb < 0)
            return ff_onnx_broken(o, "tensor '%s' has damaged numbers", name);
        if (nb != r->nb)
            return ff_onnx_broken(o, "tensor '%s' has %s elements than its %"PRId64, name,
                                  nb < r->nb ? "fewer" : "more", r->nb);
    }
    for (int64_t i = 0; i < r->nb && t->type == NN_VAL_F32; i++)
        if (isnan(((float *)t->data)[i]))
            return ff_onnx_broken(o, "tensor '%s' has a value that is no number (element %"PRId64"): broken weights",
                                  name, i);
    return 0;
}

int ff_onnx_tensor(Onnx *o, NNProto m, NNTensor *t, OnnxStr *str)
{
    Raw r = { .nb_dims = 0 };
    char name[NN_MAX_NAME];
    int field, ret = read_header(o, m, &r);

    *t = (NNTensor){ 0 };
    if (ret < 0)
        return ret;
    if (str)
        *str = r.name;
    ff_nn_net_name(name, r.name.p, r.name.n);
    if (r.external) {
        ff_onnx_broken(o, "tensor '%s' lies in another file; save the model with its weights inside (onnx.save without "
                       "save_as_external_data)", name);
        return AVERROR_PATCHWELCOME;
    }
    if (!element_size(r.type, &field)) {
        ff_onnx_broken(o, "tensor '%s' has elements of type %"PRIu64", which is not supported (strings, "
                       "complex numbers, 8-bit floats, 4-bit integers)", name, r.type);
        return AVERROR_PATCHWELCOME;
    }
    if ((ret = check_dims(o, &r, name)) < 0)
        return ret;
    if (r.nb > nn_proto_left(&m))       /* before memory is taken: each element has at least a byte */
        return ff_onnx_broken(o, "tensor '%s' has fewer elements than its %"PRId64, name, r.nb);
    t->type    = is_float(r.type) ? NN_VAL_F32 : NN_VAL_I64;
    t->nb_dims = r.nb_dims;
    t->nb      = r.nb;
    for (int i = 0; i < r.nb_dims; i++)
        t->dims[i] = r.dims[i];
    t->data = av_malloc_array(FFMAX(r.nb, 1), t->type == NN_VAL_F32 ? sizeof(float) : sizeof(int64_t));
    if (!t->data)
        return AVERROR(ENOMEM);
    if ((ret = read_data(o, m, &r, t, name)) < 0)
        av_freep(&t->data);
    return ret;
}
