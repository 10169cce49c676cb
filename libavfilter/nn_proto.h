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

#ifndef AVFILTER_NN_PROTO_H
#define AVFILTER_NN_PROTO_H

#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * A protocol buffer message is a row of fields, each with a number and one of four
 * kinds of content. Nothing is copied, nothing allocated, and nothing recurses: a
 * message inside a message is again an NNProto, which lies within its parent, and
 * whoever walks it decides how deep to go.
 */

/** What is left of a message. */
typedef struct NNProto {
    const uint8_t *p, *end;
} NNProto;

enum NNProtoWire { NN_PROTO_VARINT = 0, NN_PROTO_64 = 1, NN_PROTO_BYTES = 2, NN_PROTO_32 = 5 };

typedef struct NNProtoField {
    uint32_t         id;        ///< 1 ..
    enum NNProtoWire wire;
    uint64_t         v;         ///< VARINT, 64, 32
    NNProto          sub;       ///< BYTES: within the parent
} NNProtoField;

/** @return 1: a field; 0: the end; AVERROR_INVALIDDATA: cut off, or none (groups, too) */
int ff_proto_next(NNProto *m, NNProtoField *f);

/** The first field of a number and a kind of content. @return 1, 0: there is none, AVERROR_INVALIDDATA */
int ff_proto_find(NNProto m, uint32_t id, enum NNProtoWire wire, NNProtoField *f);

/** Take a varint of at most 10 bytes. @return 0 or AVERROR_INVALIDDATA */
int ff_proto_varint(NNProto *m, uint64_t *v);

static inline size_t nn_proto_left(const NNProto *m) { return m->end - m->p; }

/**
 * The next number of a repeated field, which may be packed: call with f as ff_proto_next()
 * gave it until it returns 0. elem is the kind of content of one number.
 * @return 1, 0 or AVERROR_INVALIDDATA
 */
int ff_proto_number(NNProtoField *f, enum NNProtoWire elem, uint64_t *v);

#endif /* AVFILTER_NN_PROTO_H */
