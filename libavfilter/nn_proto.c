/*
 * Nets: protocol buffers, read field by field
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

#include "libavutil/error.h"
#include "libavutil/intreadwrite.h"

#include "nn_proto.h"

int ff_proto_varint(NNProto *m, uint64_t *v)
{
    uint64_t r = 0;

    for (int shift = 0; shift < 70 && m->p < m->end; shift += 7) {
        const uint8_t b = *m->p++;
        if (shift == 63 && b > 1)       /* beyond 64 bits */
            break;
        r |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *v = r;
            return 0;
        }
    }
    return AVERROR_INVALIDDATA;
}

/* a number or the span of bytes of a kind; @return 0 or AVERROR_INVALIDDATA */
static int content(NNProto *m, enum NNProtoWire wire, uint64_t *v, NNProto *sub)
{
    const size_t left = nn_proto_left(m);

    switch (wire) {
    case NN_PROTO_VARINT:
        return ff_proto_varint(m, v);
    case NN_PROTO_64:
        if (left < 8)
            return AVERROR_INVALIDDATA;
        *v = AV_RL64(m->p);
        m->p += 8;
        return 0;
    case NN_PROTO_32:
        if (left < 4)
            return AVERROR_INVALIDDATA;
        *v = AV_RL32(m->p);
        m->p += 4;
        return 0;
    case NN_PROTO_BYTES:
        if (!sub || ff_proto_varint(m, v) < 0 || *v > nn_proto_left(m))
            return AVERROR_INVALIDDATA;
        sub->p   = m->p;
        sub->end = m->p += *v;
        return 0;
    }
    return AVERROR_INVALIDDATA;
}

int ff_proto_next(NNProto *m, NNProtoField *f)
{
    uint64_t key;

    if (m->p >= m->end)
        return 0;
    if (ff_proto_varint(m, &key) < 0 || key >> 3 < 1 || key >> 3 > (1 << 29) - 1)
        return AVERROR_INVALIDDATA;
    f->id   = key >> 3;
    f->wire = key & 7;
    f->v    = 0;
    f->sub  = (NNProto){ 0 };
    return content(m, f->wire, &f->v, &f->sub) < 0 ? AVERROR_INVALIDDATA : 1;
}

int ff_proto_find(NNProto m, uint32_t id, enum NNProtoWire wire, NNProtoField *f)
{
    int ret;

    while ((ret = ff_proto_next(&m, f)) > 0)
        if (f->id == id && f->wire == wire)
            return 1;
    return ret;
}

int ff_proto_number(NNProtoField *f, enum NNProtoWire elem, uint64_t *v)
{
    if (f->wire == NN_PROTO_BYTES) {
        if (f->sub.p >= f->sub.end)
            return 0;
        return content(&f->sub, elem, v, NULL) < 0 ? AVERROR_INVALIDDATA : 1;
    }
    if (f->wire != elem)
        return AVERROR_INVALIDDATA;
    /* a single number: spent by turning it into an empty packed field */
    *v      = f->v;
    f->wire = NN_PROTO_BYTES;
    f->sub  = (NNProto){ 0 };
    return 1;
}
