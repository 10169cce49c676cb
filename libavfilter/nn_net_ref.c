/*
 * Engine ref for nets of any shape: plain C, the oracle
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
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_edit.h"
#include "nn_op.h"

/* what a run leaves: outputs stay until the next one */
typedef struct Slot {
    NNTensor *values;           ///< by value of the net; data owned, except of the input and of constants
    const NNTensor **in;        ///< of the node at hand
    NNTensor *out;
    float    *input;            ///< a copy, where the input is an output, too
} Slot;

typedef struct NNNetContext {
    const NNNet *net;
    void *log;
    int  *last_use;             ///< by value: the last node that reads it; nb_nodes: an output
    Slot *slots;
    int   nb_slots;
} NNNetContext;

static void forget(const NNNetContext *s, Slot *slot, int value)
{
    if (value != s->net->input && !s->net->values[value].t.data)
        av_freep(&slot->values[value].data);
    slot->values[value].data = NULL;
}

static void slot_clear(const NNNetContext *s, Slot *slot)
{
    for (int i = 0; i < s->net->nb_values && slot->values; i++)
        forget(s, slot, i);
    av_freep(&slot->input);
}

static void ref_close(NNNetContext **ctx)
{
    NNNetContext *s = *ctx;

    if (!s)
        return;
    for (int i = 0; i < s->nb_slots && s->slots; i++) {
        slot_clear(s, &s->slots[i]);
        av_freep(&s->slots[i].values);
        av_freep(&s->slots[i].in);
        av_freep(&s->slots[i].out);
    }
    av_freep(&s->slots);
    av_freep(&s->last_use);
    av_freep(ctx);
}

static int slot_alloc(const NNNetContext *s, Slot *slot)
{
    int in = 1, out = 1;

    for (int i = 0; i < s->net->nb_nodes; i++) {
        in  = FFMAX(in,  s->net->nodes[i].nb_in);
        out = FFMAX(out, s->net->nodes[i].nb_out);
    }
    slot->values = av_calloc(FFMAX(s->net->nb_values, 1), sizeof(*slot->values));
    slot->in     = av_malloc_array(in, sizeof(*slot->in));
    slot->out    = av_malloc_array(out, sizeof(*slot->out));
    return slot->values && slot->in && slot->out ? 0 : AVERROR(ENOMEM);
}

static int ref_open(NNNetContext **ctx, const NNNet *net, const NNConfig *cfg, int threads)
{
    NNNetContext *s;
    int ret = 0;

    *ctx = NULL;
    if (!net->shaped || (cfg->precision != NN_PREC_AUTO && cfg->precision != NN_PREC_FP32)) {
        av_log(cfg->log, AV_LOG_VERBOSE, "engine ref has fp32 only, not %s\n", ff_nn_precision_name(cfg->precision));
        return AVERROR(ENOSYS);
    }
    if (!(s = av_mallocz(sizeof(*s))))
        return AVERROR(ENOMEM);
    s->net      = net;
    s->log      = cfg->log;
    s->nb_slots = cfg->nb_slots;
    s->slots    = av_calloc(s->nb_slots, sizeof(*s->slots));
    s->last_use = av_calloc(FFMAX(net->nb_values, 1), sizeof(*s->last_use));
    if (!s->slots || !s->last_use)
        ret = AVERROR(ENOMEM);
    for (int i = 0; i < s->nb_slots && ret >= 0; i++)
        ret = slot_alloc(s, &s->slots[i]);
    if (ret < 0) {
        ref_close(&s);
        return ret;
    }
    for (int i = 0; i < net->nb_nodes; i++) {
        for (int k = 0; k < net->nodes[i].nb_out; k++)
            s->last_use[net->nodes[i].out[k]] = i;      /* one that nobody reads goes at once */
        for (int k = 0; k < net->nodes[i].nb_in; k++)
            if (net->nodes[i].in[k] >= 0)
                s->last_use[net->nodes[i].in[k]] = i;
    }
    for (int i = 0; i < net->nb_outputs; i++)
        s->last_use[net->outputs[i]] = net->nb_nodes;
    *ctx = s;
    return 0;
}

static int run_node(const NNNetContext *s, Slot *slot, int i)
{
    const NNNetNode *n = &s->net->nodes[i];
    int ret;

    for (int k = 0; k < n->nb_in; k++)
        slot->in[k] = n->in[k] >= 0 ? &slot->values[n->in[k]] : NULL;
    if ((ret = ff_nn_op_eval(n, slot->in, slot->out, s->log)) < 0)
        return ret;
    for (int k = 0; k < n->nb_out; k++)
        slot->values[n->out[k]] = slot->out[k];
    for (int k = 0; k < n->nb_in; k++)
        if (n->in[k] >= 0 && s->last_use[n->in[k]] == i)
            forget(s, slot, n->in[k]);
    for (int k = 0; k < n->nb_out; k++)
        if (s->last_use[n->out[k]] == i)
            forget(s, slot, n->out[k]);
    return 0;
}

static int ref_run(NNNetContext *s, int index, const float *in, NNTensor *out)
{
    const NNNet *net = s->net;
    Slot *slot = &s->slots[index];
    NNTensor *input = &slot->values[net->input];

    slot_clear(s, slot);
    for (int i = 0; i < net->nb_values; i++)
        slot->values[i] = net->values[i].t;
    input->data = (void *)in;
    for (int i = 0; i < net->nb_nodes; i++) {
        const int ret = run_node(s, slot, i);
        if (ret < 0)
            return ret;
    }
    for (int i = 0; i < net->nb_outputs; i++) {
        out[i] = slot->values[net->outputs[i]];
        if (net->outputs[i] != net->input)
            continue;
        if (!slot->input && !(slot->input = av_memdup(in, net->values[net->input].t.nb * sizeof(*in))))
            return AVERROR(ENOMEM);
        out[i].data = slot->input;
    }
    return 0;
}

static enum NNPrecision ref_precision(const NNNetContext *ctx)
{
    return NN_PREC_FP32;
}

const NNNetEngine ff_nn_net_engine_ref = {
    .name      = "ref",
    .open      = ref_open,
    .run       = ref_run,
    .close     = ref_close,
    .precision = ref_precision,
};
