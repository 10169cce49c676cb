/*
 * Nets of any shape: the graph of ONNX files
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
#include <limits.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_onnx.h"

#define MAX_NAMES (4 * NN_MAX_NODES)
#define SLOTS     (2 * MAX_NAMES)   ///< a power of two
#define MAX_SIDE  65536

/* fields of the messages */
enum { G_NODE = 1, G_INITIALIZER = 5, G_INPUT = 11, G_OUTPUT = 12, G_SPARSE = 15 };
enum { N_INPUT = 1, N_OUTPUT = 2, N_NAME = 3, N_OP = 4, N_ATTR = 5, N_DOMAIN = 7 };

enum { MADE_BY_NONE = -1, MADE_BY_INPUT = -2, MADE_BY_FILE = -3 };  /* or the index of a node */

/* a name in the file; its index is that of its value in the net */
typedef struct Name {
    OnnxStr s;
    int     maker;
} Name;

/* a node before it is decoded: its edges are indices of names, inputs first, -1: absent */
typedef struct RawNode {
    NNProto m;
    int     edge, nb_in, nb_out;
} RawNode;

typedef struct Graph {
    Onnx     *o;
    OnnxNode *n;                ///< the node at hand
    Name    *names;
    int     *slots;             ///< hash table of names: index + 1
    RawNode *raw;
    int     *edges;
    int     *order;
    int      nb_names, nb_raw, nb_edges;
    unsigned names_size, raw_size, edges_size;
} Graph;

static const char *shown(char buf[NN_MAX_NAME], OnnxStr s)
{
    ff_nn_net_name(buf, s.p, s.n);
    return buf;
}

/* ---- names --------------------------------------------------------------------------------- */

static int *slot_of(Graph *g, OnnxStr s)
{
    uint32_t h = 2166136261U;
    int i;

    for (size_t k = 0; k < s.n; k++)
        h = (h ^ (uint8_t)s.p[k]) * 16777619U;
    for (h ^= h >> 15; (i = g->slots[h & (SLOTS - 1)]); h++)
        if (g->names[i - 1].s.n == s.n && !memcmp(g->names[i - 1].s.p, s.p, s.n))
            break;
    return &g->slots[h & (SLOTS - 1)];
}

/* index of a name, which is new if need be; an empty one is always new */
static int name_index(Graph *g, OnnxStr s)
{
    int *slot = s.n ? slot_of(g, s) : NULL;
    Name *names;
    int ret;

    if (slot && *slot)
        return *slot - 1;
    if (g->nb_names >= MAX_NAMES)
        return ff_onnx_broken(g->o, "more than %d tensors", MAX_NAMES);
    names = av_fast_realloc(g->names, &g->names_size, (g->nb_names + 1) * sizeof(*names));
    if (!names)
        return AVERROR(ENOMEM);
    g->names = names;
    if ((ret = ff_nn_net_add_value(g->o->net, s.n ? s.p : "unnamed", s.n ? s.n : 7)) < 0)
        return ret;
    names[g->nb_names] = (Name){ .s = s, .maker = MADE_BY_NONE };
    if (slot)
        *slot = g->nb_names + 1;
    return g->nb_names++;
}

/* says who makes a tensor; there can be only one */
static int set_maker(Graph *g, int name, int maker)
{
    char buf[NN_MAX_NAME];

    if (g->names[name].maker != MADE_BY_NONE)
        return ff_onnx_broken(g->o, "tensor '%s' is made twice", shown(buf, g->names[name].s));
    g->names[name].maker = maker;
    return 0;
}

/* ---- what the graph is given ------------------------------------------------------------------ */

static int read_initializer(Graph *g, NNProto m)
{
    NNTensor t;
    OnnxStr s;
    int i, ret = ff_onnx_tensor(g->o, m, &t, &s);

    if (ret < 0)
        return ret;
    if (!s.n)
        i = ff_onnx_broken(g->o, "an initializer has no name");
    else if ((i = name_index(g, s)) >= 0 && (ret = set_maker(g, i, MADE_BY_FILE)) < 0)
        i = ret;
    if (i < 0)
        av_free(t.data);
    else
        g->o->net->values[i].t = t;
    return FFMIN(i, 0);
}

static int damaged(Graph *g)
{
    return ff_onnx_broken(g->o, "the type of its input is cut off or damaged");
}

/* TypeProto.tensor_type of the picture */
static int read_type(Graph *g, NNTensor *t, NNProto type)
{
    NNProtoField f, dim;
    NNProto shape;
    int nb = 0, ret;

    if ((ret = ff_proto_find(type, 1, NN_PROTO_VARINT, &f)) < 0)
        return damaged(g);
    if (!ret || (f.v != ONNX_FLOAT && f.v != ONNX_FLOAT16 && f.v != ONNX_BFLOAT16)) {
        ff_onnx_broken(g->o, "its input is of element type %"PRIu64", only floats are supported: export without "
                       "the conversion from bytes in it", ret ? f.v : 0);
        return AVERROR_PATCHWELCOME;
    }
    if ((ret = ff_proto_find(type, 2, NN_PROTO_BYTES, &f)) <= 0)
        return ret ? damaged(g) : 0;    /* no shape: any */
    shape = f.sub;
    while ((ret = ff_proto_next(&shape, &f)) > 0) {
        if (f.id != 1 || f.wire != NN_PROTO_BYTES)
            continue;
        if (nb < 4 && (ret = ff_proto_find(f.sub, 1, NN_PROTO_VARINT, &dim)) < 0)
            return damaged(g);
        if (nb < 4)             /* a name, or nothing, is an open size */
            t->dims[nb] = ret && (int64_t)dim.v > 0 ? FFMIN(dim.v, MAX_SIDE + 1) : -1;
        nb++;
    }
    if (ret < 0)
        return damaged(g);
    if (nb != 4) {
        ff_onnx_broken(g->o, "its input has %d dimensions, not 4: no net that takes pictures (N, C, height, width)",
                       nb);
        return AVERROR_PATCHWELCOME;
    }
    t->nb_dims = 4;
    t->nb      = 1;
    for (int i = 0; i < 4; i++) {
        if (t->dims[i] > MAX_SIDE)
            return ff_onnx_broken(g->o, "its input is larger than %d", MAX_SIDE);
        t->nb = t->dims[i] < 0 || t->nb < 0 ? -1 : t->nb * t->dims[i];
    }
    return 0;
}

static int read_input(Graph *g, NNProto m)
{
    NNNet *net = g->o->net;
    NNProtoField name, type, tensor;
    char a[NN_MAX_NAME], b[NN_MAX_NAME];
    int i, ret;

    if (ff_proto_find(m, 1, NN_PROTO_BYTES, &name) <= 0)
        return ff_onnx_broken(g->o, "an input has no name");
    if ((i = name_index(g, onnx_str(&name))) < 0)
        return i;
    if (g->names[i].maker == MADE_BY_FILE)
        return 0;               /* a default that a caller could replace; we do not */
    if ((ret = set_maker(g, i, MADE_BY_INPUT)) < 0)
        return ret;
    if (net->input >= 0) {
        ff_onnx_broken(g->o, "has two inputs, '%s' and '%s'; nets of one picture are supported",
                       shown(a, g->names[net->input].s), shown(b, g->names[i].s));
        return AVERROR_PATCHWELCOME;
    }
    net->input = i;
    net->values[i].t.type = NN_VAL_F32;
    if (ff_proto_find(m, 2, NN_PROTO_BYTES, &type) <= 0 || ff_proto_find(type.sub, 1, NN_PROTO_BYTES, &tensor) <= 0)
        return ff_onnx_broken(g->o, "its input '%s' is no tensor", shown(a, g->names[i].s));
    return read_type(g, &net->values[i].t, tensor.sub);
}

/* ---- nodes ------------------------------------------------------------------------------------------ */

/* splits a node into its parts; nothing is interpreted */
static int split_node(Graph *g, NNProto m)
{
    OnnxNode *n = g->n;
    NNProtoField f, a;
    int ret;

    memset(n, 0, sizeof(*n));
    n->o = g->o;
    while ((ret = ff_proto_next(&m, &f)) > 0) {
        if (f.wire != NN_PROTO_BYTES)
            continue;
        if ((f.id == N_INPUT && n->nb_in == ONNX_MAX_EDGES) || (f.id == N_OUTPUT && n->nb_out == ONNX_MAX_EDGES) ||
            (f.id == N_ATTR && n->nb_attrs == ONNX_MAX_ATTRS))
            return ff_onnx_broken(g->o, "a node has more than %d inputs or outputs, or %d attributes",
                                  ONNX_MAX_EDGES, ONNX_MAX_ATTRS);
        switch (f.id) {
        case N_INPUT:  n->in[n->nb_in++]   = onnx_str(&f); break;
        case N_OUTPUT: n->out[n->nb_out++] = onnx_str(&f); break;
        case N_NAME:   n->name   = onnx_str(&f); break;
        case N_OP:     n->op     = onnx_str(&f); break;
        case N_DOMAIN: n->domain = onnx_str(&f); break;
        case N_ATTR:
            if (ff_proto_find(f.sub, 1, NN_PROTO_BYTES, &a) <= 0)
                return ff_onnx_broken(g->o, "a node has an attribute without a name");
            n->attr_name[n->nb_attrs] = onnx_str(&a);
            n->attr[n->nb_attrs++]    = f.sub;
        }
    }
    if (ret < 0)
        return ff_onnx_broken(g->o, "a node is cut off or damaged");
    while (n->nb_in && !n->in[n->nb_in - 1].n)
        n->nb_in--;
    while (n->nb_out && !n->out[n->nb_out - 1].n)
        n->nb_out--;
    if (!n->name.n && n->nb_out)
        n->name = n->out[0];    /* old exporters name tensors alone */
    return 0;
}

/* notes a node and its edges, for sorting */
static int note_node(Graph *g, NNProto m)
{
    OnnxNode *n = g->n;
    RawNode *raw;
    int *edges, ret = split_node(g, m);

    if (ret < 0)
        return ret;
    if (g->nb_raw >= NN_MAX_NODES)
        return ff_onnx_broken(g->o, "more than %d nodes", NN_MAX_NODES);
    if (g->nb_edges > 16 * MAX_NAMES)
        return ff_onnx_broken(g->o, "more than %d inputs and outputs of nodes", 16 * MAX_NAMES);
    raw   = av_fast_realloc(g->raw, &g->raw_size, (g->nb_raw + 1) * sizeof(*raw));
    if (raw)
        g->raw = raw;
    edges = av_fast_realloc(g->edges, &g->edges_size, (g->nb_edges + n->nb_in + n->nb_out + 1) * sizeof(*edges));
    if (edges)
        g->edges = edges;
    if (!raw || !edges)
        return AVERROR(ENOMEM);
    raw[g->nb_raw] = (RawNode){ .m = m, .edge = g->nb_edges, .nb_in = n->nb_in, .nb_out = n->nb_out };
    for (int i = 0; i < n->nb_in; i++) {
        const int v = n->in[i].n ? name_index(g, n->in[i]) : -1;
        if (v < 0 && n->in[i].n)
            return v;
        edges[g->nb_edges++] = v;
    }
    for (int i = 0; i < n->nb_out; i++) {
        const int v = name_index(g, n->out[i]);
        if (v < 0 || (ret = set_maker(g, v, g->nb_raw)) < 0)
            return v < 0 ? v : ret;
        edges[g->nb_edges++] = v;
    }
    g->nb_raw++;
    return 0;
}

/* the node that an unfinished one waits for, -1: none; next: the edge to look at */
static int awaited(Graph *g, int node, int *next, const uint8_t *done)
{
    const RawNode *r = &g->raw[node];
    char buf[NN_MAX_NAME];

    for (; *next < r->nb_in; (*next)++) {
        const int v = g->edges[r->edge + *next], maker = v < 0 ? MADE_BY_FILE : g->names[v].maker;
        if (maker == MADE_BY_NONE)
            return ff_onnx_broken(g->o, "a node reads tensor '%s', which nothing makes", shown(buf, g->names[v].s));
        if (maker >= 0 && !done[maker])
            return maker;
    }
    return -1;
}

/* puts nodes in an order in which each comes after those it reads; the file's own, where that is one */
static int sort_nodes(Graph *g)
{
    uint8_t *done = av_calloc(FFMAX(g->nb_raw, 1), 1), *open = av_calloc(FFMAX(g->nb_raw, 1), 1);
    int (*stack)[2] = av_malloc_array(FFMAX(g->nb_raw, 1), sizeof(*stack));
    int nb = 0, depth, ret = 0;

    g->order = av_malloc_array(FFMAX(g->nb_raw, 1), sizeof(*g->order));
    if (!done || !open || !stack || !g->order)
        ret = AVERROR(ENOMEM);
    for (int i = 0; i < g->nb_raw && ret >= 0; i++) {
        if (done[i])
            continue;
        stack[0][0] = i;
        stack[0][1] = 0;
        open[i] = 1;
        for (depth = 1; depth > 0 && ret >= 0;) {
            int *top = stack[depth - 1], next = awaited(g, top[0], &top[1], done);
            if (next == -1) {
                done[top[0]]   = 1;
                g->order[nb++] = top[0];
                depth--;
            } else if (next < 0) {
                ret = next;
            } else if (open[next]) {
                ret = ff_onnx_broken(g->o, "its nodes go in a circle");
            } else {
                open[next] = 1;
                stack[depth][0]   = next;
                stack[depth++][1] = 0;
            }
        }
    }
    av_free(done);
    av_free(open);
    av_free(stack);
    return ret;
}

static int add_node(Graph *g, const RawNode *r)
{
    NNNet *net = g->o->net;
    const int *edge = g->edges + r->edge;
    NNTensor t;
    int i, ret = split_node(g, r->m);

    if (ret < 0)
        return ret;
    if ((i = ff_onnx_node(g->n, edge, &t)) < 0)
        return i;
    if (i == INT_MAX) {
        net->values[edge[r->nb_in]].t = t;
        return 0;
    }
    for (int k = 0; k < r->nb_out; k++) {
        net->nodes[i].out[k] = edge[r->nb_in + k];
        net->values[edge[r->nb_in + k]].node = i;
    }
    return 0;
}

static int read_output(Graph *g, NNProto m)
{
    NNNet *net = g->o->net;
    NNProtoField f;
    char buf[NN_MAX_NAME];
    int *slot, *out;

    if (ff_proto_find(m, 1, NN_PROTO_BYTES, &f) <= 0)
        return ff_onnx_broken(g->o, "an output has no name");
    slot = slot_of(g, onnx_str(&f));
    if (!*slot || g->names[*slot - 1].maker == MADE_BY_NONE)
        return ff_onnx_broken(g->o, "nothing makes its output '%s'", shown(buf, onnx_str(&f)));
    if (net->nb_outputs >= ONNX_MAX_EDGES)
        return ff_onnx_broken(g->o, "more than %d outputs", ONNX_MAX_EDGES);
    out = av_realloc_array(net->outputs, net->nb_outputs + 1, sizeof(*out));
    if (!out)
        return AVERROR(ENOMEM);
    net->outputs = out;
    out[net->nb_outputs++] = *slot - 1;
    return 0;
}

/* calls for each submessage of a kind */
static int each(Graph *g, NNProto m, int id, int (*f)(Graph *g, NNProto m))
{
    NNProtoField field;
    int ret;

    while ((ret = ff_proto_next(&m, &field)) > 0)
        if (field.id == id && field.wire == NN_PROTO_BYTES && (ret = f(g, field.sub)) < 0)
            return ret;
    return ret < 0 ? ff_onnx_broken(g->o, "the graph is cut off or damaged") : 0;
}

static int refuse_sparse(Graph *g, NNProto m)
{
    ff_onnx_broken(g->o, "has sparse weights, which are not supported");
    return AVERROR_PATCHWELCOME;
}

static int read_graph(Graph *g, NNProto m)
{
    int ret;

    if ((ret = each(g, m, G_SPARSE, refuse_sparse)) < 0 || (ret = each(g, m, G_INITIALIZER, read_initializer)) < 0 ||
        (ret = each(g, m, G_INPUT, read_input)) < 0 || (ret = each(g, m, G_NODE, note_node)) < 0 ||
        (ret = sort_nodes(g)) < 0)
        return ret;
    if (g->o->net->input < 0)
        return ff_onnx_broken(g->o, "has no input");
    for (int i = 0; i < g->nb_raw; i++)
        if ((ret = add_node(g, &g->raw[g->order[i]])) < 0)
            return ret;
    if ((ret = each(g, m, G_OUTPUT, read_output)) < 0)
        return ret;
    return g->o->net->nb_outputs ? 0 : ff_onnx_broken(g->o, "has no output");
}

int ff_onnx_graph(Onnx *o, NNProto m)
{
    Graph g = { .o = o };
    int ret = AVERROR(ENOMEM);

    g.n     = av_malloc(sizeof(*g.n));
    g.slots = av_calloc(SLOTS, sizeof(*g.slots));
    if (g.n && g.slots)
        ret = read_graph(&g, m);
    av_free(g.n);
    av_free(g.slots);
    av_free(g.names);
    av_free(g.raw);
    av_free(g.edges);
    av_free(g.order);
    return ret;
}
