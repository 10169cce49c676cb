/*
 * Nets of any shape: ONNX files
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

#include <limits.h>
#include <stdio.h>

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_onnx.h"

#define MIN_OPSET  9
#define MAX_OPSET 25
#define MAX_META  256

/* fields of ModelProto */
enum { M_PRODUCER = 2, M_VERSION = 3, M_GRAPH = 7, M_OPSET = 8, M_META = 14 };

static char *copy_str(OnnxStr s)
{
    return av_strndup(s.p, s.n);
}

static int read_meta(Onnx *o, NNProto m)
{
    NNProtoField key, value;
    char *k, *v;
    int ret;

    if (ff_proto_find(m, 1, NN_PROTO_BYTES, &key) <= 0 || av_dict_count(o->net->meta) >= MAX_META)
        return 0;               /* for people and labels; nothing hangs on it */
    k = copy_str(onnx_str(&key));
    v = ff_proto_find(m, 2, NN_PROTO_BYTES, &value) > 0 ? copy_str(onnx_str(&value)) : av_strdup("");
    if (!k || !v) {
        av_free(k);
        av_free(v);
        return AVERROR(ENOMEM);
    }
    ret = av_dict_set(&o->net->meta, k, v, AV_DICT_DONT_STRDUP_KEY | AV_DICT_DONT_STRDUP_VAL);
    return FFMIN(ret, 0);
}

static int read_opset(Onnx *o, NNProto m)
{
    NNProtoField f;
    OnnxStr domain = { "", 0 };

    if (ff_proto_find(m, 1, NN_PROTO_BYTES, &f) > 0)
        domain = onnx_str(&f);
    if (domain.n && !onnx_is(domain, "ai.onnx"))
        return 0;               /* a node that is of it is refused by name */
    if (ff_proto_find(m, 2, NN_PROTO_VARINT, &f) > 0)
        o->opset = FFMIN(f.v, INT_MAX);
    return 0;
}

/* calls for each submessage of a kind */
static int each(Onnx *o, NNProto m, int id, int (*f)(Onnx *o, NNProto m))
{
    NNProtoField field;
    int ret;

    while ((ret = ff_proto_next(&m, &field)) > 0)
        if (field.id == id && field.wire == NN_PROTO_BYTES && (ret = f(o, field.sub)) < 0)
            return ret;
    return ret;
}

static int read_model(Onnx *o, NNProto m)
{
    NNProtoField graph = { 0 }, f;
    char producer[21] = "", version[13] = "";
    NNProto rest = m;
    int nb = 0, ret;

    while ((ret = ff_proto_next(&rest, &f)) > 0)
        if (f.id == M_GRAPH && f.wire == NN_PROTO_BYTES) {
            graph = f;
            nb++;
        } else if ((f.id == M_PRODUCER || f.id == M_VERSION) && f.wire == NN_PROTO_BYTES) {
            char buf[NN_MAX_NAME];
            ff_nn_net_name(buf, (const char *)f.sub.p, nn_proto_left(&f.sub));
            av_strlcpy(f.id == M_PRODUCER ? producer : version, buf,
                       f.id == M_PRODUCER ? sizeof(producer) : sizeof(version));
        }
    if (ret < 0)
        return ff_onnx_broken(o, "the file is cut off, damaged, or no ONNX");
    if (nb != 1)
        return ff_onnx_broken(o, "has %s graph", nb ? "more than one" : "no");
    if ((ret = each(o, m, M_OPSET, read_opset)) < 0 || (ret = each(o, m, M_META, read_meta)) < 0)
        return ret;
    if (o->opset < MIN_OPSET || o->opset > MAX_OPSET) {
        ff_onnx_broken(o, "is of operator set %d; %d to %d are supported: export with another (12 to 17 are safe)",
                       o->opset, MIN_OPSET, MAX_OPSET);
        return AVERROR_PATCHWELCOME;
    }
    if ((ret = ff_onnx_graph(o, graph.sub)) < 0)
        return ret;
    snprintf(o->net->arch, sizeof(o->net->arch), "ONNX opset %d, %s%s%s%s%d nodes", o->opset, producer,
             version[0] ? " " : "", version, producer[0] || version[0] ? ", " : "", o->net->nb_nodes);
    o->net->nb_weights = o->total;
    return 0;
}

int ff_nn_load_onnx(NNNet **net, const NNBlob *b, void *log)
{
    Onnx o = { .file = b->name ? b->name : "model", .log = log };
    int ret = AVERROR(ENOMEM);

    *net = NULL;
    if ((o.net = ff_nn_net_alloc(o.file)))
        ret = read_model(&o, (NNProto){ b->data, b->data + b->size });
    if (ret >= 0)
        FFSWAP(NNNet *, *net, o.net);
    ff_nn_net_free(&o.net);
    return FFMIN(ret, 0);
}
