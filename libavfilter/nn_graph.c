/*
 * Nets: tensors by name, graph
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

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/avassert.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mathematics.h"
#include "libavutil/mem.h"

#include "nn.h"

/* ---- dict ---------------------------------------------------------------- */

static int printable(const char *s)
{
    for (; *s; s++)
        if (*s < 0x21 || *s > 0x7e)
            return 0;
    return 1;
}

int ff_nn_dict_add(NNDict *d, const char *name, const int *dims, int nb_dims,
                   NNParam **out, void *log)
{
    const char *file = d->name ? d->name : "weights";
    NNParam *p;
    size_t nb = 1;

    *out = NULL;
    if (!name[0] || strlen(name) >= NN_MAX_NAME || !printable(name)) {
        av_log(log, AV_LOG_ERROR, "%s: tensor %d has no usable name (1 to %d printable ASCII characters)\n",
               file, d->nb_params, NN_MAX_NAME - 1);
        return AVERROR_INVALIDDATA;
    }
    if (d->nb_params >= NN_MAX_PARAMS) {
        av_log(log, AV_LOG_ERROR, "%s: more than %d tensors\n", file, NN_MAX_PARAMS);
        return AVERROR_INVALIDDATA;
    }
    if (nb_dims < 0 || nb_dims > NN_MAX_DIMS) {
        av_log(log, AV_LOG_ERROR, "%s: tensor '%s' has %d dimensions, more than %d\n",
               file, name, nb_dims, NN_MAX_DIMS);
        return AVERROR_INVALIDDATA;
    }
    for (int i = 0; i < nb_dims; i++) {
        if (dims[i] < 1 || dims[i] > NN_MAX_ELEMS || nb * dims[i] > NN_MAX_ELEMS) {
            av_log(log, AV_LOG_ERROR, "%s: tensor '%s' has an absurd shape (dimension %d is %d; at most %d elements)\n",
                   file, name, i, dims[i], NN_MAX_ELEMS);
            return AVERROR_INVALIDDATA;
        }
        nb *= dims[i];
    }
    if (nb > NN_MAX_TOTAL - d->nb) {
        av_log(log, AV_LOG_ERROR, "%s: more than %d weights, at tensor '%s'\n", file, NN_MAX_TOTAL, name);
        return AVERROR_INVALIDDATA;
    }
    if (ff_nn_dict_get(d, name)) {
        av_log(log, AV_LOG_ERROR, "%s: tensor '%s' stands in the file twice\n", file, name);
        return AVERROR_INVALIDDATA;
    }

    p = av_realloc_array(d->params, d->nb_params + 1, sizeof(*p));
    if (!p)
        return AVERROR(ENOMEM);
    d->params = p;
    p += d->nb_params;
    memset(p, 0, sizeof(*p));
    p->data = av_calloc(nb, sizeof(*p->data));
    if (!p->data)
        return AVERROR(ENOMEM);
    memcpy(p->name, name, strlen(name) + 1);
    for (int i = 0; i < nb_dims; i++)
        p->dims[i] = dims[i];
    p->nb_dims = nb_dims;
    p->nb      = nb;
    d->nb     += nb;
    d->nb_params++;
    *out = p;
    return 0;
}

const NNParam *ff_nn_dict_get(const NNDict *d, const char *name)
{
    for (int i = 0; i < d->nb_params; i++)
        if (!strcmp(d->params[i].name, name))
            return &d->params[i];
    return NULL;
}

void ff_nn_dict_free(NNDict *d)
{
    for (int i = 0; i < d->nb_params; i++)
        av_freep(&d->params[i].data);
    av_freep(&d->params);
    d->nb_params = 0;
    d->nb        = 0;
}

/* ---- graph --------------------------------------------------------------- */

int ff_nn_graph_append(NNGraph *g, enum NNOp op)
{
    NNNode *n;

    /* room doubles, so that a net of a thousand nodes is not copied as often */
    if (!(g->nb_nodes & (g->nb_nodes - 1))) {
        n = av_realloc_array(g->nodes, g->nb_nodes ? 2 * g->nb_nodes : 1, sizeof(*n));
        if (!n)
            return AVERROR(ENOMEM);
        g->nodes = n;
    }
    n = &g->nodes[g->nb_nodes];
    memset(n, 0, sizeof(*n));
    n->op = op;
    return g->nb_nodes++;
}

void ff_nn_graph_free(NNGraph **g)
{
    if (!*g)
        return;
    for (int i = 0; i < (*g)->nb_nodes; i++) {
        av_freep(&(*g)->nodes[i].weight);
        av_freep(&(*g)->nodes[i].bias);
        av_freep(&(*g)->nodes[i].slope);
    }
    av_freep(&(*g)->nodes);
    av_freep(&(*g)->script);
    av_freep(g);
}

static size_t nb_weight(const NNGraph *g, const NNNode *n)
{
    return n->op == NN_CONV ? (size_t)n->c * (g->nodes[n->in[0]].c / n->groups) * n->kernel * n->kernel : 0;
}

/* what is wrong with node i, or NULL; derives c and num/den */
static const char *check_node(NNGraph *g, int i)
{
    NNNode *n = &g->nodes[i];
    const NNNode *in = n->nb_in > 0 ? &g->nodes[n->in[0]] : NULL;
    const int f = n->factor;
    int64_t num, den, c, d;

    if (n->nb_in != (n->op == NN_INPUT ? 0 : n->op == NN_ADD ? 2 : n->op == NN_CONCAT ? n->nb_in : 1) ||
        n->nb_in < (n->op != NN_INPUT) || n->nb_in > NN_MAX_IN)
        return "wrong number of inputs";
    for (int j = 0; j < n->nb_in; j++)
        if (n->in[j] < 0 || n->in[j] >= i)
            return "input is not an earlier node";
    if ((n->op == NN_INPUT) != !i)
        return "the input must be the first node and the only one of its kind";
    if ((n->op == NN_UPSAMPLE || n->op == NN_SHUFFLE || n->op == NN_UNSHUFFLE) && (f < 2 || f > 4))
        return "factor is not 2, 3 or 4";

    c   = in ? in->c : n->c;
    num = in ? in->num : 1;
    den = in ? in->den : 1;
    switch (n->op) {
    case NN_INPUT:
        break;
    case NN_CONV:
        if (n->kernel < 1 || n->kernel > 7 || !(n->kernel & 1))
            return "kernel is not 1, 3, 5 or 7";
        if (n->stride < 1 || n->stride > 2)
            return "stride is not 1 or 2";
        if (n->groups < 1 || in->c % n->groups || n->c % n->groups)
            return "groups do not divide the channels";
        if (!n->weight)
            return "no weights";
        c    = n->c;
        den *= n->stride;
        break;
    case NN_ACT:
        if (n->act == NN_ACT_NONE)
            return "no activation named";
        break;
    case NN_ADD:
        if (g->nodes[n->in[1]].c != c)
            return "addition of different channel counts";
        if (!isfinite(n->scale[0]) || !isfinite(n->scale[1]))
            return "scale is not finite";
        break;
    case NN_CONCAT:
        for (int j = 1; j < n->nb_in; j++)
            c += g->nodes[n->in[j]].c;
        break;
    case NN_UPSAMPLE:
        num *= f;
        break;
    case NN_SHUFFLE:
        if (c % (f * f))
            return "channels are no multiple of the square of the factor";
        c   /= f * f;
        num *= f;
        break;
    case NN_UNSHUFFLE:
        c   *= f * f;
        den *= f;
        break;
    default:
        return "unknown operation";
    }
    if (n->act < NN_ACT_NONE || n->act > NN_ACT_PRELU || (n->act == NN_ACT_PRELU && !n->slope) ||
        (n->act == NN_ACT_LRELU && !isfinite(n->alpha)) ||
        (n->act && n->op != NN_CONV && n->op != NN_ACT))
        return "broken activation";
    for (int j = 1; j < n->nb_in; j++)
        if (g->nodes[n->in[j]].num != in->num || g->nodes[n->in[j]].den != in->den)
            return "inputs of different size";
    if (c < 1 || c > NN_MAX_C)
        return "channel count out of range";
    d      = av_gcd(num, den);
    n->c   = c;
    n->num = num / d;
    n->den = den / d;
    if (n->num > 16 || n->den > 64)
        return "size out of range";
    return NULL;
}

/*
 * The receptive radius: which input pixels one aligned block of output depends
 * on, found by walking back the interval that each node must provide. Width
 * stands for height too: all operations are square. A node of which nothing is
 * needed is left in *unused.
 */
static int receptive_radius(const NNGraph *g, int *unused)
{
    const int64_t base = INT64_C(1) << 40;
    const NNNode *last = &g->nodes[g->nb_nodes - 1];
    const int64_t a = base / g->align * g->align;
    int64_t (*need)[2] = av_malloc_array(g->nb_nodes, sizeof(*need));
    int64_t r;

    *unused = -1;
    if (!need)
        return AVERROR(ENOMEM);
    for (int i = 0; i < g->nb_nodes; i++) {
        need[i][0] = INT64_MAX;
        need[i][1] = INT64_MIN;
    }
    need[g->nb_nodes - 1][0] = a * last->num / last->den;
    need[g->nb_nodes - 1][1] = (a + g->align) * last->num / last->den - 1;
    for (int i = g->nb_nodes - 1; i > 0; i--) {
        const NNNode *n = &g->nodes[i];
        int64_t lo = need[i][0], hi = need[i][1];
        if (lo > hi) {
            *unused = i;
            break;
        }
        if (n->op == NN_CONV) {
            lo = lo * n->stride - n->kernel / 2;
            hi = hi * n->stride + n->kernel / 2;
        } else if (n->op == NN_UPSAMPLE || n->op == NN_SHUFFLE) {
            lo /= n->factor;    /* positive: base is far from 0 */
            hi /= n->factor;
        } else if (n->op == NN_UNSHUFFLE) {
            lo *= n->factor;
            hi  = hi * n->factor + n->factor - 1;
        }
        for (int j = 0; j < n->nb_in; j++) {
            need[n->in[j]][0] = FFMIN(need[n->in[j]][0], lo);
            need[n->in[j]][1] = FFMAX(need[n->in[j]][1], hi);
        }
    }
    if (*unused < 0 && need[0][0] > need[0][1])
        *unused = 0;
    r = *unused < 0 ? FFMAX(a - need[0][0], need[0][1] - (a + g->align - 1)) : 0;
    av_free(need);
    return (int)FFMIN(FFMAX(r, 0), 1 << 20);
}

static int round_up(int v, int align)
{
    return (v + align - 1) / align * align;
}

int ff_nn_graph_finish(NNGraph *g, const char *name, void *log)
{
    const NNNode *last;
    double macs = 0;
    int r, unused;

    if (g->nb_nodes < 2 || g->nb_nodes > NN_MAX_NODES) {
        av_log(log, AV_LOG_ERROR, "%s: a net of %d operations; 1 to %d are possible\n",
               name, FFMAX(g->nb_nodes - 1, 0), NN_MAX_NODES - 1);
        return AVERROR_INVALIDDATA;
    }
    g->align      = 1;
    g->nb_weights = 0;
    for (int i = 0; i < g->nb_nodes; i++) {
        const char *err = check_node(g, i);
        const NNNode *n = &g->nodes[i];
        if (err) {
            av_log(log, AV_LOG_ERROR, "%s: operation %d of the net: %s\n", name, i, err);
            return AVERROR_INVALIDDATA;
        }
        g->align = g->align / av_gcd(g->align, n->den) * n->den;
        if (g->align > 64) {
            av_log(log, AV_LOG_ERROR, "%s: the net needs input sizes that are multiples of %d; 64 is the most\n",
                   name, g->align);
            return AVERROR_PATCHWELCOME;
        }
        macs          += nb_weight(g, n) * ((double)n->num * n->num) / ((double)n->den * n->den);
        g->nb_weights += nb_weight(g, n) + (n->bias ? n->c : 0) + (n->slope ? n->c : 0);
    }
    last = &g->nodes[g->nb_nodes - 1];
    if (last->den != 1 || g->nodes[0].c > 4 || last->c > 4) {
        av_log(log, AV_LOG_ERROR, "%s: %d channels in, %d out at %d/%d of the size: not a super-resolution net\n",
               name, g->nodes[0].c, last->c, last->num, last->den);
        return AVERROR_PATCHWELCOME;
    }
    g->in_c  = g->nodes[0].c;
    g->out_c = last->c;
    g->scale = last->num;
    g->macs  = llrint(macs);
    r = receptive_radius(g, &unused);
    if (r < 0)
        return r;
    if (unused >= 0) {
        av_log(log, AV_LOG_ERROR, "%s: nothing uses operation %d of the net\n", name, unused);
        return AVERROR_INVALIDDATA;
    }
    g->halo = round_up(r, g->align);
    if (g->default_halo <= 0 || g->default_halo > g->halo)
        g->default_halo = g->halo;
    g->default_halo = round_up(g->default_halo, g->align);
    return 0;
}

/* ---- interpolation of weights --------------------------------------------- */

static int same_node(const NNGraph *ga, const NNNode *a, const NNGraph *gb, const NNNode *b)
{
    return a->op == b->op && a->nb_in == b->nb_in && !memcmp(a->in, b->in, a->nb_in * sizeof(*a->in)) &&
           a->c == b->c && a->kernel == b->kernel && a->stride == b->stride && a->groups == b->groups &&
           a->act == b->act && a->alpha == b->alpha && a->factor == b->factor &&
           a->scale[0] == b->scale[0] && a->scale[1] == b->scale[1] &&
           !a->bias == !b->bias && !a->slope == !b->slope && nb_weight(ga, a) == nb_weight(gb, b);
}

/* *out = (1 - t) * a + t * b; both ends exact */
static int mix(float **out, const float *a, const float *b, size_t nb, float t)
{
    *out = NULL;
    if (!a)
        return 0;
    *out = av_malloc_array(nb, sizeof(**out));
    if (!*out)
        return AVERROR(ENOMEM);
    for (size_t i = 0; i < nb; i++)
        (*out)[i] = (1.0 - t) * a[i] + (double)t * b[i];
    return 0;
}

int ff_nn_graph_mix(NNGraph **out, const NNGraph *a, const NNGraph *b, float t, void *log)
{
    NNGraph *g;
    int same = a->nb_nodes == b->nb_nodes;

    *out = NULL;
    if (a->script || b->script) {
        av_log(log, AV_LOG_ERROR, "a TorchScript file cannot be mixed with another net; denoise must be 1\n");
        return AVERROR(EINVAL);
    }
    for (int i = 0; i < a->nb_nodes && same; i++)
        same = same_node(a, &a->nodes[i], b, &b->nodes[i]);
    if (!same || !(t >= 0 && t <= 1)) {
        if (same)
            av_log(log, AV_LOG_ERROR, "nets can be mixed in shares of 0 to 1, not %f\n", t);
        else
            av_log(log, AV_LOG_ERROR, "only nets of one architecture can be mixed; these are %s and %s\n",
                   a->arch, b->arch);
        return AVERROR(EINVAL);
    }
    g = av_mallocz(sizeof(*g));
    if (!g)
        return AVERROR(ENOMEM);
    *g = *a;
    g->nodes = av_memdup(a->nodes, a->nb_nodes * sizeof(*a->nodes));
    if (!g->nodes) {
        av_free(g);
        return AVERROR(ENOMEM);
    }
    for (int i = 0; i < g->nb_nodes; i++)
        g->nodes[i].weight = g->nodes[i].bias = g->nodes[i].slope = NULL;
    for (int i = 0; i < g->nb_nodes; i++) {
        const NNNode *na = &a->nodes[i], *nb = &b->nodes[i];
        int ret;
        if ((ret = mix(&g->nodes[i].weight, na->weight, nb->weight, nb_weight(a, na), t)) < 0 ||
            (ret = mix(&g->nodes[i].bias,   na->bias,   nb->bias,   na->c, t)) < 0 ||
            (ret = mix(&g->nodes[i].slope,  na->slope,  nb->slope,  na->c, t)) < 0) {
            ff_nn_graph_free(&g);
            return ret;
        }
    }
    *out = g;
    return 0;
}
