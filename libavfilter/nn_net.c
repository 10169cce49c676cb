/*
 * Nets of any shape: making, copying, cleaning
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

#include <string.h>

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_edit.h"
#include "nn_op.h"

/* ---- making --------------------------------------------------------------------------------- */

NNNet *ff_nn_net_alloc(const char *file)
{
    NNNet *net = av_mallocz(sizeof(*net));

    if (net && file && !(net->file = av_strdup(file)))
        av_freep(&net);
    if (net)
        net->input = -1;
    return net;
}

void ff_nn_node_free(NNNetNode *n)
{
    av_freep(&n->in);
    av_freep(&n->out);
}

void ff_nn_net_free(NNNet **net)
{
    if (!*net)
        return;
    for (int i = 0; i < (*net)->nb_values; i++)
        av_freep(&(*net)->values[i].t.data);
    for (int i = 0; i < (*net)->nb_nodes; i++)
        ff_nn_node_free(&(*net)->nodes[i]);
    av_freep(&(*net)->values);
    av_freep(&(*net)->nodes);
    av_freep(&(*net)->outputs);
    av_freep(&(*net)->file);
    av_dict_free(&(*net)->meta);
    av_freep(net);
}

/* room doubles, so that a net of a thousand nodes is not copied as often */
static int make_room(void *array, int nb, size_t size)
{
    void *p;

    if (nb & (nb - 1))
        return 0;
    memcpy(&p, array, sizeof(p));
    p = av_realloc_array(p, nb ? 2 * nb : 1, size);
    if (!p)
        return AVERROR(ENOMEM);
    memcpy(array, &p, sizeof(p));
    return 0;
}

void ff_nn_net_name(char dst[NN_MAX_NAME], const char *s, size_t len)
{
    const size_t skip = len < NN_MAX_NAME ? 0 : len - (NN_MAX_NAME - 1);
    size_t i;

    for (i = 0; i < len - skip; i++)
        dst[i] = s[skip + i] > 0x20 && s[skip + i] < 0x7f ? s[skip + i] : '_';
    dst[i] = 0;
}

int ff_nn_net_add_value(NNNet *net, const char *name, size_t len)
{
    NNNetValue *v, value = { .node = -1 };
    int ret;

    ff_nn_net_name(value.name, name, len);      /* first: it may be that of another value */
    if ((ret = make_room(&net->values, net->nb_values, sizeof(*v))) < 0)
        return ret;
    v = &net->values[net->nb_values];
    *v = value;
    v->t.nb      = -1;
    v->t.nb_dims = -1;
    return net->nb_values++;
}

int ff_nn_net_add_const(NNNet *net, const char *name, enum NNValueType type, const int64_t *dims, int nb_dims,
                        void *data)
{
    const int i = data ? ff_nn_net_add_value(net, name, strlen(name)) : AVERROR(ENOMEM);
    NNTensor *t;

    if (i < 0) {
        av_free(data);
        return i;
    }
    t = &net->values[i].t;
    t->type    = type;
    t->data    = data;
    t->nb_dims = nb_dims;
    t->nb      = 1;
    for (int k = 0; k < nb_dims; k++)
        t->nb *= t->dims[k] = dims[k];
    return i;
}

int ff_nn_net_add_ints(NNNet *net, const char *name, const int64_t *v, int nb)
{
    int64_t *data = av_malloc_array(FFMAX(nb, 1), sizeof(*data));

    if (data && nb)
        memcpy(data, v, nb * sizeof(*data));
    return ff_nn_net_add_const(net, name, NN_VAL_I64, (const int64_t[]){ nb }, 1, data);
}

int ff_nn_net_add_node(NNNet *net, enum NNNetOp op, const char *name, size_t len, int nb_in, int nb_out)
{
    NNNetNode *n;
    int ret = make_room(&net->nodes, net->nb_nodes, sizeof(*n));

    if (ret < 0)
        return ret;
    n = &net->nodes[net->nb_nodes];
    memset(n, 0, sizeof(*n));
    n->op    = op;
    n->file  = net->file;
    n->group = 1;
    n->stride[0] = n->stride[1] = n->dilation[0] = n->dilation[1] = 1;
    n->in  = av_malloc_array(FFMAX(nb_in, 1), sizeof(*n->in));
    n->out = av_malloc_array(FFMAX(nb_out, 1), sizeof(*n->out));
    if (!n->in || !n->out) {
        ff_nn_node_free(n);
        return AVERROR(ENOMEM);
    }
    memset(n->in,  0xff, nb_in  * sizeof(*n->in));
    memset(n->out, 0xff, nb_out * sizeof(*n->out));
    n->nb_in  = nb_in;
    n->nb_out = nb_out;
    ff_nn_net_name(n->name, name, len);
    return net->nb_nodes++;
}

int ff_nn_node_grow(NNNetNode *n, int nb)
{
    int *in;

    if (nb <= n->nb_in)
        return 0;
    in = av_realloc_array(n->in, nb, sizeof(*in));
    if (!in)
        return AVERROR(ENOMEM);
    n->in = in;
    while (n->nb_in < nb)
        n->in[n->nb_in++] = -1;
    return 0;
}

/* ---- asking ----------------------------------------------------------------------------------- */

const NNTensor *ff_nn_net_const(const NNNet *net, const NNNetNode *n, int i)
{
    const NNTensor *t = i < n->nb_in && n->in[i] >= 0 ? &net->values[n->in[i]].t : NULL;

    return t && t->data ? t : NULL;
}

void ff_nn_net_uses(const NNNet *net, int *uses)
{
    memset(uses, 0, net->nb_values * sizeof(*uses));
    for (int i = 0; i < net->nb_nodes; i++)
        for (int k = 0; k < net->nodes[i].nb_in; k++)
            if (net->nodes[i].in[k] >= 0)
                uses[net->nodes[i].in[k]]++;
    for (int i = 0; i < net->nb_outputs; i++)
        uses[net->outputs[i]]++;
}

void ff_nn_net_input(const NNNet *net, int64_t nchw[4])
{
    const NNTensor *t = &net->values[net->input].t;

    for (int i = 0; i < 4; i++)
        nchw[i] = t->nb_dims == 4 ? t->dims[i] : -1;
}

/* ---- copying ------------------------------------------------------------------------------------ */

static int copy_node(NNNetNode *d, const NNNetNode *s, const char *file)
{
    *d      = *s;
    d->file = file;
    d->in   = av_memdup(s->in,  FFMAX(s->nb_in,  1) * sizeof(*s->in));
    d->out  = av_memdup(s->out, FFMAX(s->nb_out, 1) * sizeof(*s->out));
    return d->in && d->out ? 0 : AVERROR(ENOMEM);
}

static int copy_value(NNNetValue *d, const NNNetValue *s)
{
    *d = *s;
    if (s->t.data)              /* NULL if there is no memory, so that nothing is freed twice */
        d->t.data = av_memdup(s->t.data, FFMAX(s->t.nb, 1) * nn_value_size(s->t.type));
    return s->t.data && !d->t.data ? AVERROR(ENOMEM) : 0;
}

static int round_room(int nb)
{
    int room = 1;

    while (room < nb)
        room *= 2;
    return room;
}

int ff_nn_net_copy(NNNet **dst, const NNNet *src)
{
    NNNet *net = ff_nn_net_alloc(src->file);
    int ret = AVERROR(ENOMEM);

    *dst = NULL;
    if (!net)
        return ret;
    /* as much room as make_room() believes there is */
    net->values  = av_malloc_array(round_room(src->nb_values), sizeof(*net->values));
    net->nodes   = av_malloc_array(round_room(src->nb_nodes),  sizeof(*net->nodes));
    net->outputs = av_memdup(src->outputs, FFMAX(src->nb_outputs, 1) * sizeof(*net->outputs));
    if (!net->values || !net->nodes || !net->outputs || (ret = av_dict_copy(&net->meta, src->meta, 0)) < 0)
        goto fail;
    while (net->nb_values < src->nb_values) {
        const int i = net->nb_values++;
        if ((ret = copy_value(&net->values[i], &src->values[i])) < 0)
            goto fail;
    }
    while (net->nb_nodes < src->nb_nodes) {
        const int i = net->nb_nodes++;  /* what is half a copy is to be freed, too */
        if ((ret = copy_node(&net->nodes[i], &src->nodes[i], net->file)) < 0)
            goto fail;
    }
    net->nb_outputs = src->nb_outputs;
    net->input      = src->input;
    net->shaped     = src->shaped;
    net->nb_weights = src->nb_weights;
    net->macs       = src->macs;
    memcpy(net->arch, src->arch, sizeof(net->arch));
    *dst = net;
    return 0;
fail:
    ff_nn_net_free(&net);
    return ret;
}

/* ---- cleaning ------------------------------------------------------------------------------------- */

static void renumber(int *index, int nb, const int *map)
{
    for (int i = 0; i < nb; i++)
        if (index[i] >= 0)
            index[i] = map[index[i]];
}

/* marks what is needed: map of values becomes 1; nodes without need are freed */
static void sweep_nodes(NNNet *net, int *map, int *node_map)
{
    int nb = 0;

    for (int i = net->nb_nodes - 1; i >= 0; i--) {
        NNNetNode *n = &net->nodes[i];
        int needed = 0;
        for (int k = 0; k < n->nb_out; k++)
            needed |= n->out[k] >= 0 && map[n->out[k]] && net->values[n->out[k]].node == i;
        node_map[i] = needed;
        for (int k = 0; k < n->nb_in && needed; k++)
            if (n->in[k] >= 0)
                map[n->in[k]] = 1;
        for (int k = 0; k < n->nb_out && needed; k++)
            if (n->out[k] >= 0)
                map[n->out[k]] = 1;
    }
    for (int i = 0; i < net->nb_nodes; i++) {
        if (!node_map[i]) {
            ff_nn_node_free(&net->nodes[i]);
            node_map[i] = -1;
            continue;
        }
        net->nodes[nb] = net->nodes[i];
        node_map[i]    = nb++;
    }
    net->nb_nodes = nb;
}

int ff_nn_net_sweep(NNNet *net)
{
    int *map = av_calloc(net->nb_values, sizeof(*map)), nb = 0;
    int *node_map = av_malloc_array(FFMAX(net->nb_nodes, 1), sizeof(*node_map));
    NNNetValue *values;
    NNNetNode *nodes;

    if (!map || !node_map) {
        av_free(map);
        av_free(node_map);
        return AVERROR(ENOMEM);
    }
    map[net->input] = 1;
    for (int i = 0; i < net->nb_outputs; i++)
        map[net->outputs[i]] = 1;
    sweep_nodes(net, map, node_map);
    for (int i = 0; i < net->nb_values; i++) {
        NNNetValue *v = &net->values[i];
        if (!map[i]) {
            av_freep(&v->t.data);
            continue;
        }
        v->node = v->node < 0 ? -1 : node_map[v->node];
        map[i]  = nb;
        net->values[nb++] = *v;
    }
    net->nb_values = nb;
    for (int i = 0; i < net->nb_nodes; i++) {
        renumber(net->nodes[i].in,  net->nodes[i].nb_in,  map);
        renumber(net->nodes[i].out, net->nodes[i].nb_out, map);
    }
    renumber(net->outputs, net->nb_outputs, map);
    renumber(&net->input, 1, map);
    av_free(map);
    av_free(node_map);

    /* room as make_room() believes; to shrink cannot hurt when it fails */
    values = av_realloc_array(net->values, round_room(net->nb_values), sizeof(*values));
    nodes  = av_realloc_array(net->nodes,  round_room(net->nb_nodes),  sizeof(*nodes));
    net->values = values ? values : net->values;
    net->nodes  = nodes  ? nodes  : net->nodes;
    return 0;
}
