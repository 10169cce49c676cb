/*
 * Nets on the GPU: a graph as steps and tensors
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
#include <stdlib.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_cuda_plan.h"

typedef struct Build {
    NNCudaPlan    *p;
    const NNGraph *g;
    void *log;
    int  *uses;                 ///< by node: how many read it
    char *gone;                 ///< by node: done by another step, one of:
#define BY_TAIL 1               ///< the last, and its tensor is nowhere
#define BY_CONV 2
    int  *sum;                  ///< by convolution: the NN_ADD that it does, too; 0: none
} Build;

/* ---- which nodes are no steps ------------------------------------------------------ */

/* FFREEL_CUDA_SCALAR=1: none on tensor cores and nothing fused, to compare with */
static int is_conv3(const NNNode *n)
{
    return !getenv("FFREEL_CUDA_SCALAR") && n->op == NN_CONV && n->kernel == 3 && n->stride == 1 && n->groups == 1;
}

static int planes_of(int c)
{
    return (c + 7) / 8;
}

static void count_uses(Build *b)
{
    for (int i = 0; i < b->g->nb_nodes; i++)
        for (int j = 0; j < b->g->nodes[i].nb_in; j++)
            b->uses[b->g->nodes[i].in[j]]++;
}

/* whether all that read a node are such convolutions */
static int read_by_conv3(const Build *b, int node)
{
    for (int i = 0; i < b->g->nb_nodes; i++)
        for (int j = 0; j < b->g->nodes[i].nb_in && b->gone[i] != BY_TAIL; j++)
            if (b->g->nodes[i].in[j] == node && !is_conv3(&b->g->nodes[i]))
                return 0;
    return 1;
}

/* the picture, enlarged or not, that is added last; @return its factor or 0 */
static int skip_factor(const Build *b, int node)
{
    const NNNode *n = &b->g->nodes[node];

    if (!node)
        return 1;
    return n->op == NN_UPSAMPLE && !n->in[0] && b->uses[node] == 1 ? n->factor : 0;
}

/* what the last step does itself. @return the node that it reads */
static int find_tail(Build *b, float scale[2])
{
    const NNNode *nodes = b->g->nodes;
    int at = b->g->nb_nodes - 1;

    b->p->shuffle = scale[0] = scale[1] = 1;
    if (nodes[at].op == NN_ADD && nodes[at].act == NN_ACT_NONE)
        for (int i = 1; i >= 0; i--) {
            const int skip = nodes[at].in[i], main = nodes[at].in[!i];
            if (!main || !(b->p->skip = skip_factor(b, skip)))
                continue;
            scale[0] = nodes[at].scale[!i];
            scale[1] = nodes[at].scale[i];
            b->gone[at] = BY_TAIL;
            b->gone[skip] = skip ? BY_TAIL : 0;
            at = main;
            break;
        }
    if (nodes[at].op == NN_SHUFFLE && b->uses[at] <= 1) {
        b->p->shuffle = nodes[at].factor;
        b->gone[at] = BY_TAIL;
        at = nodes[at].in[0];
    }
    return at;
}

/* a sum whose one operand is a convolution that nothing else reads, its other one there before that */
static void find_sums(Build *b, int out)
{
    for (int i = 1; i < b->g->nb_nodes; i++) {
        const NNNode *n = &b->g->nodes[i];
        for (int j = 0; j < 2 && n->op == NN_ADD && n->act == NN_ACT_NONE && !b->gone[i]; j++) {
            const int conv = n->in[j], other = n->in[!j];
            if (is_conv3(&b->g->nodes[conv]) && b->uses[conv] == 1 && conv != out && other < conv &&
                b->gone[other] != BY_TAIL) {
                b->sum[conv] = i;
                b->gone[i] = BY_CONV;
            }
        }
    }
}

static void find_upsampling(Build *b, int out)
{
    for (int i = 1; i < b->g->nb_nodes; i++) {
        const NNNode *n = &b->g->nodes[i];
        if (n->op == NN_UPSAMPLE && n->in[0] && !b->gone[i] && i != out &&
            b->p->tensors[n->in[0]].up == 1 && read_by_conv3(b, i))
            b->p->tensors[i].up = n->factor;
    }
}

/* ---- where tensors lie ---------------------------------------------------------------- */

static int new_root(Build *b, int node, int planes)
{
    NNCudaRoot *r = &b->p->roots[b->p->nb_roots];
    NNCudaTensor *t = &b->p->tensors[node];

    *r = (NNCudaRoot){ planes, b->g->nodes[node].num, b->g->nodes[node].den, .first = INT32_MAX };
    t->root = b->p->nb_roots++;
    t->plane = 0;
    return t->root;
}

/* its inputs lie one after the other already, as those of a dense block do */
static int is_joined(const Build *b, const NNNode *n)
{
    const NNCudaTensor *t = b->p->tensors, *first = &t[n->in[0]];
    int plane = first->plane;

    for (int i = 0; i < n->nb_in; i++) {
        const NNCudaTensor *in = &t[n->in[i]];
        if (in->root < 0 || in->root != first->root || in->plane != plane || in->up != 1 ||
            (i < n->nb_in - 1 && in->c % 8))
            return 0;
        plane += in->planes;
    }
    return 1;
}

/* inputs that are nowhere yet are made where the concatenation has them; others are copied there */
static void join(Build *b, int node)
{
    const NNNode *n = &b->g->nodes[node];
    NNCudaTensor *t = b->p->tensors;
    int c = 0;

    if (t[node].root < 0 && is_joined(b, n)) {
        t[node].root  = t[n->in[0]].root;
        t[node].plane = t[n->in[0]].plane;
        return;
    }
    if (t[node].root < 0)
        new_root(b, node, t[node].planes);
    for (int i = 0; i < n->nb_in; i++) {
        NNCudaTensor *in = &t[n->in[i]];
        if (in->root < 0 && n->in[i] && in->up == 1 && !(c % 8) && (i == n->nb_in - 1 || !(in->c % 8))) {
            in->root  = t[node].root;
            in->plane = t[node].plane + c / 8;
        }
        c += in->c;
    }
}

static void place(Build *b)
{
    const NNGraph *g = b->g;
    NNCudaTensor *t = b->p->tensors;

    new_root(b, 0, 1);
    for (int c = NN_MAX_C; c > 0; ) {       /* the largest first: smaller ones are parts of them */
        int next = 0;
        for (int i = 1; i < g->nb_nodes; i++)
            if (g->nodes[i].op == NN_CONCAT && !b->gone[i]) {
                if (g->nodes[i].c == c)
                    join(b, i);
                else if (g->nodes[i].c < c)
                    next = FFMAX(next, g->nodes[i].c);
            }
        c = next;
    }
    for (int i = 1; i < g->nb_nodes; i++) {
        const NNNode *n = &g->nodes[i];
        if (t[i].up > 1) {
            t[i].root  = t[n->in[0]].root;
            t[i].plane = t[n->in[0]].plane;
        } else if (t[i].root < 0 && !b->sum[i] && b->gone[i] != BY_TAIL) {
            new_root(b, i, t[i].planes);
        }
    }
}

/* ---- steps ------------------------------------------------------------------------------ */

static void use(Build *b, int tensor)
{
    NNCudaRoot *r = tensor >= 0 ? &b->p->roots[b->p->tensors[tensor].root] : NULL;

    if (r) {
        r->first = FFMIN(r->first, b->p->nb_steps);
        r->last  = b->p->nb_steps;
    }
}

static int add_step(Build *b, const NNCudaStep *s)
{
    use(b, s->src);
    use(b, s->dst);
    use(b, s->other);
    b->p->steps[b->p->nb_steps++] = *s;
    return 0;
}

/* planes of a group: as few in vain as can be, and as many at a time */
static void choose_group(NNCudaStep *s, int planes)
{
    static const int nt[] = { 8, 6, 4, 3, 2, 1 };
    int best = 0;

    for (int i = 1; i < FF_ARRAY_ELEMS(nt); i++)
        if ((planes + nt[i] - 1) / nt[i] * nt[i] < (planes + nt[best] - 1) / nt[best] * nt[best] && planes <= nt[0])
            best = i;
    s->nt     = nt[best];
    s->groups = (planes + s->nt - 1) / s->nt;
    s->kernel = NN_CUDA_CONV3 + (int)FF_ARRAY_ELEMS(nt) - 1 - best;
}

static int add_conv(Build *b, int node)
{
    const NNNode *n = &b->g->nodes[node];
    const NNCudaTensor *in = &b->p->tensors[n->in[0]];
    const int lo = b->p->lo && !n->in[0], in_c = b->g->nodes[n->in[0]].c;
    NNCudaStep s = { .kernel = NN_CUDA_CONV_ANY, .node = node, .src = n->in[0], .dst = node, .other = -1,
                     .scale = { 1 } };
    int ret;

    if (is_conv3(n)) {
        choose_group(&s, planes_of(n->c));
        s.chunks = (in->planes + 1) / 2;
    }
    if (b->sum[node]) {
        const NNNode *sum = &b->g->nodes[b->sum[node]];
        const int j = sum->in[0] != node;
        s.dst      = b->sum[node];
        s.other    = sum->in[!j];
        s.scale[0] = sum->scale[j];
        s.scale[1] = sum->scale[!j];
    }
    if ((ret = ff_nn_cuda_pack(b->p, &s, n, in_c, lo)) < 0)
        return ret;
    return add_step(b, &s);
}

static int add_gather(Build *b, int node, int src, int op, int first)
{
    const NNCudaTensor *t = &b->p->tensors[node];
    const int nb = op == NN_GATHER_COPY ? b->p->tensors[src].c : t->c;
    const NNCudaStep s = { .kernel = NN_CUDA_GATHER, .node = node, .src = src, .dst = node, .other = -1,
                           .op = op, .first = first, .nb = nb, .pad = first + nb == t->c };

    return add_step(b, &s);
}

/* inputs that lie elsewhere are copied */
static int add_concat(Build *b, int node)
{
    const NNNode *n = &b->g->nodes[node];
    const NNCudaTensor *t = b->p->tensors;
    int ret = 0, c = 0;

    for (int i = 0; i < n->nb_in && ret >= 0; i++) {
        const NNCudaTensor *in = &t[n->in[i]];
        if (in->root != t[node].root || in->plane != t[node].plane + c / 8 || c % 8)
            ret = add_gather(b, node, n->in[i], NN_GATHER_COPY, c);
        c += in->c;
    }
    return ret;
}

static int add_sum(Build *b, int node)
{
    const NNNode *n = &b->g->nodes[node];
    NNCudaStep s = { .kernel = NN_CUDA_SUM, .node = node, .src = n->in[0], .dst = node, .other = -1, .slope = SIZE_MAX,
                     .scale = { 1 } };
    int ret;

    if (n->op == NN_ADD) {
        s.other = n->in[1];
        memcpy(s.scale, n->scale, sizeof(s.scale));
    } else if ((ret = ff_nn_cuda_pack_slope(b->p, &s, n)) < 0)
        return ret;
    return add_step(b, &s);
}

static int add_node(Build *b, int node)
{
    const NNNode *n = &b->g->nodes[node];

    if (b->gone[node] || b->p->tensors[node].up > 1)
        return 0;
    switch (n->op) {
    case NN_CONV:      return add_conv(b, node);
    case NN_ACT:
    case NN_ADD:       return add_sum(b, node);
    case NN_CONCAT:    return add_concat(b, node);
    case NN_UPSAMPLE:  return add_gather(b, node, n->in[0], NN_GATHER_UPSAMPLE, 0);
    case NN_SHUFFLE:   return add_gather(b, node, n->in[0], NN_GATHER_SHUFFLE, 0);
    case NN_UNSHUFFLE: return add_gather(b, node, n->in[0], NN_GATHER_UNSHUFFLE, 0);
    default:
        av_log(b->log, AV_LOG_VERBOSE, "engine cuda has nothing for node %d of the net\n", node);
        return AVERROR(ENOSYS);
    }
}

/* ---- a plan --------------------------------------------------------------------------------- */

/* fp16 ends at 65504 */
static int fits(const NNGraph *g, void *log)
{
    for (int i = 1; i < g->nb_nodes; i++) {
        const NNNode *n = &g->nodes[i];
        const size_t nb = n->op != NN_CONV ? 0 :
                          (size_t)n->c * (g->nodes[n->in[0]].c / n->groups) * n->kernel * n->kernel;
        for (size_t k = 0; k < nb; k++)
            if (!(fabsf(n->weight[k]) < 65504)) {
                av_log(log, AV_LOG_VERBOSE, "engine cuda: layer %d has a weight of %g, beyond fp16\n", i, n->weight[k]);
                return 0;
            }
    }
    return g->in_c <= 4 && g->out_c <= 4;
}

static int make(Build *b)
{
    NNCudaPlan *p = b->p;
    NNCudaStep get = { .kernel = NN_CUDA_GET, .dst = -1, .other = -1 };
    int ret = 0;

    count_uses(b);
    get.src = find_tail(b, get.scale);
    find_sums(b, get.src);
    find_upsampling(b, get.src);
    p->lo = get.src && read_by_conv3(b, 0);
    for (int i = 0; i < b->g->nb_nodes; i++) {
        p->tensors[i].c      = b->g->nodes[i].c << (p->lo && !i);
        p->tensors[i].planes = planes_of(p->tensors[i].c);
    }
    place(b);
    add_step(b, &(NNCudaStep){ .kernel = NN_CUDA_PUT, .src = -1, .dst = 0, .other = -1 });
    for (int i = 1; i < b->g->nb_nodes && ret >= 0; i++)
        ret = add_node(b, i);
    return ret < 0 ? ret : add_step(b, &get);
}

int ff_nn_cuda_plan(NNCudaPlan *p, const NNGraph *g, void *log)
{
    Build b = { .p = p, .g = g, .log = log };
    int steps = 2, ret = AVERROR(ENOMEM);

    memset(p, 0, sizeof(*p));
    p->g = g;
    if (g->script || !fits(g, log))
        return AVERROR(ENOSYS);
    for (int i = 0; i < g->nb_nodes; i++)
        steps += FFMAX(g->nodes[i].nb_in, 1);
    p->tensors = av_calloc(g->nb_nodes, sizeof(*p->tensors));
    p->roots   = av_calloc(g->nb_nodes, sizeof(*p->roots));
    p->steps   = av_calloc(steps, sizeof(*p->steps));
    b.uses     = av_calloc(g->nb_nodes, sizeof(*b.uses));
    b.sum      = av_calloc(g->nb_nodes, sizeof(*b.sum));
    b.gone     = av_calloc(g->nb_nodes, 1);
    if (p->tensors && p->roots && p->steps && b.uses && b.sum && b.gone) {
        for (int i = 0; i < g->nb_nodes; i++)
            p->tensors[i] = (NNCudaTensor){ .root = -1, .up = 1 };
        ret = make(&b);
    }
    av_free(b.uses);
    av_free(b.sum);
    av_free(b.gone);
    if (ret < 0)
        ff_nn_cuda_plan_free(p);
    return ret;
}

void ff_nn_cuda_plan_free(NNCudaPlan *p)
{
    av_freep(&p->tensors);
    av_freep(&p->roots);
    av_freep(&p->steps);
    av_freep(&p->weights);
    memset(p, 0, sizeof(*p));
}
