/*
 * Engine onednn for nets of any shape: steps on row-major arrays
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

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_onednn.h"
#include "nn_net_rows.h"

#define CHUNK  1024             /* values of a row at a time */
#define WORK  32768             /* values that are worth another thread */

static int threads_for(const NNNetSlot *s, int64_t values, int64_t parts)
{
    return av_clip64(FFMIN(values / WORK, parts), 1, s->ctx->threads);
}

static const NNNetNode *node_of(const NNNetSlot *s, const NNStep *st)
{
    return &s->ctx->net->nodes[st->node];
}

/* ---- broadcasting ------------------------------------------------------------------------ */

typedef struct Broad {
    const NNBroadParams *p;
    float *dst;
    const float *a, *b;
} Broad;

static void broad_row(const NNElemParams *e, float *dst, const float *a, int64_t sa, const float *b, int64_t sb, int64_t nb)
{
    for (int64_t x = 0; x < nb; x += CHUNK) {
        const int64_t n = FFMIN(CHUNK, nb - x);
        if (e->op == NN_ROW_NONE) {
            ff_nn_row_act(dst + x, a + x, n, e->act, e->alpha, e->beta);
            continue;
        }
        ff_nn_row_op(dst + x, a + x * sa, b + x * sb, sa != 0, sb != 0, n, e->op);
        ff_nn_row_act(dst + x, dst + x, n, e->act, e->alpha, e->beta);
    }
}

/* each thread takes a part of the outermost dimension */
static void broad(void *arg, int job, int nb_jobs)
{
    const Broad *t = arg;
    const NNBroadParams *p = t->p;
    const int last = p->nb_dims - 1;
    const int64_t from = p->dim[last] * job / nb_jobs, to = p->dim[last] * (job + 1) / nb_jobs;
    int64_t inner = 1, rows = 1;

    for (int i = 0; i < last; i++)
        inner *= p->dim[i];
    if (!last) {
        broad_row(&p->e, t->dst + from, t->a + from * p->a[0], p->a[0], t->b + from * p->b[0], p->b[0], to - from);
        return;
    }
    rows = inner / p->dim[0] * (to - from);
    for (int64_t r = 0; r < rows; r++) {
        int64_t rest = r + from * (inner / p->dim[0]), a = 0, b = 0;
        for (int i = 1; i <= last; i++) {
            a += rest % p->dim[i] * p->a[i];
            b += rest % p->dim[i] * p->b[i];
            rest /= p->dim[i];
        }
        broad_row(&p->e, t->dst + from * inner + r * p->dim[0], t->a + a, p->a[0], t->b + b, p->b[0], p->dim[0]);
    }
}

int ff_nn_step_broad(NNNetSlot *s, const NNStep *st)
{
    const NNBroadParams *p = st->p;
    Broad t = { p, (float *)ff_nn_view(s, st->reps[0]).data, (float *)ff_nn_view(s, st->reps[1]).data };
    int64_t all = 1;

    t.b = (float *)ff_nn_view(s, st->reps[st->nb_reps - 1]).data;
    for (int i = 0; i < p->nb_dims; i++)
        all *= p->dim[i];
    ff_dnnl_parallel(broad, &t, threads_for(s, all, p->dim[p->nb_dims - 1]));
    return 0;
}

/* ---- strided copies ------------------------------------------------------------------------ */

void ff_nn_stride_merge(NNStrideParams *p)
{
    int n = 0;

    for (int i = 0; i < p->nb_dims; i++) {
        if (p->dim[i] == 1)
            continue;
        if (n && p->in[i] == p->in[n - 1] * p->dim[n - 1] && p->out[i] == p->out[n - 1] * p->dim[n - 1]) {
            p->dim[n - 1] *= p->dim[i];
            continue;
        }
        p->dim[n] = p->dim[i];
        p->in[n]  = p->in[i];
        p->out[n] = p->out[i];
        n++;
    }
    if (!n) {
        p->dim[0] = p->in[0] = p->out[0] = 1;
        n = 1;
    }
    p->nb_dims = n;
}

#define TILE 16

/* one row, or where the source's neighbours are another dimension's (across), tiles of both */
#define STRIDED(type)                                                                              \
static void row_ ## type(type *dst, int64_t so, const type *src, int64_t si, int64_t nb)           \
{                                                                                                  \
    if (so == 1 && si == 1)                                                                        \
        memcpy(dst, src, nb * sizeof(*dst));                                                       \
    else                                                                                           \
        for (int64_t i = 0; i < nb; i++)                                                           \
            dst[i * so] = src[i * si];                                                             \
}                                                                                                  \
static void tiles_ ## type(type *dst, int64_t so, const type *src, int64_t si, int64_t nb,         \
                           int64_t across, int64_t across_out)                                     \
{                                                                                                  \
    for (int64_t j = 0; j < across; j += TILE)                                                     \
        for (int64_t i = 0; i < nb; i += TILE)                                                     \
            for (int64_t k = j; k < FFMIN(j + TILE, across); k++)                                  \
                row_ ## type(dst + k * across_out + i * so, so, src + i * si + k, si, FFMIN(TILE, nb - i)); \
}
STRIDED(uint32_t)
STRIDED(uint64_t)

typedef struct Strided {
    const NNStrideParams *p;
    uint8_t *dst;
    const uint8_t *src;
    int      across;            ///< dimension in which the source is contiguous; 0: the innermost, or none
} Strided;

static void strided(void *arg, int job, int nb_jobs)
{
    const Strided *t = arg;
    NNStrideParams p = *t->p;
    const int last = p.nb_dims - 1;
    const int64_t from = p.dim[last] * job / nb_jobs, to = p.dim[last] * (job + 1) / nb_jobs;
    int64_t outer = 1;

    p.dim[last]   = to - from;
    p.in_offset  += from * p.in[last];
    p.out_offset += from * p.out[last];
    for (int i = 1; i <= last; i++)
        outer *= i == t->across ? 1 : p.dim[i];
    for (int64_t r = 0; r < outer; r++) {
        int64_t rest = r, in = p.in_offset, out = p.out_offset;
        for (int i = 1; i <= last; i++) {
            if (i == t->across)
                continue;
            in  += rest % p.dim[i] * p.in[i];
            out += rest % p.dim[i] * p.out[i];
            rest /= p.dim[i];
        }
        if (t->across && p.size == 4)
            tiles_uint32_t((uint32_t *)t->dst + out, p.out[0], (const uint32_t *)t->src + in, p.in[0], p.dim[0],
                           p.dim[t->across], p.out[t->across]);
        else if (t->across)
            tiles_uint64_t((uint64_t *)t->dst + out, p.out[0], (const uint64_t *)t->src + in, p.in[0], p.dim[0],
                           p.dim[t->across], p.out[t->across]);
        else if (p.size == 4)
            row_uint32_t((uint32_t *)t->dst + out, p.out[0], (const uint32_t *)t->src + in, p.in[0], p.dim[0]);
        else
            row_uint64_t((uint64_t *)t->dst + out, p.out[0], (const uint64_t *)t->src + in, p.in[0], p.dim[0]);
    }
}

int ff_nn_step_strided(NNNetSlot *s, const NNStep *st)
{
    const NNStrideParams *p = st->p;
    Strided t = { p, ff_nn_view(s, st->reps[0]).data, ff_nn_view(s, st->reps[1]).data };
    int64_t all = 1;

    for (int i = 0; i < p->nb_dims; i++) {
        all *= p->dim[i];
        if (i && p->in[i] == 1 && p->in[0] != 1)
            t.across = i;
    }
    ff_dnnl_parallel(strided, &t, threads_for(s, all, p->dim[p->nb_dims - 1]));
    return 0;
}

/* ---- softmax, largest value ------------------------------------------------------------------ */

typedef struct Axis {
    const NNAxisParams *p;
    float *dst;
    const float *src;
    int64_t chunks;             ///< of the inner dimensions
} Axis;

static void softmax_columns(const NNAxisParams *p, float *dst, const float *src, int64_t nb)
{
    float most[CHUNK], sum[CHUNK];

    memcpy(most, src, nb * sizeof(*most));
    memset(sum, 0, nb * sizeof(*sum));
    for (int64_t i = 1; i < p->n; i++)
        ff_nn_row_max(most, src + i * p->inner, nb);
    for (int64_t i = 0; i < p->n; i++) {
        ff_nn_row_exp_minus(dst + i * p->inner, src + i * p->inner, most, nb);
        ff_nn_row_add(sum, dst + i * p->inner, nb);
    }
    ff_nn_row_act(sum, sum, nb, NN_RACT_RECIPROCAL, 0, 0);
    for (int64_t i = 0; i < p->n; i++)
        ff_nn_row_times(dst + i * p->inner, sum, nb);
}

static void softmax(void *arg, int job, int nb_jobs)
{
    const Axis *t = arg;
    const NNAxisParams *p = t->p;
    const int64_t all = p->outer * t->chunks;

    for (int64_t k = all * job / nb_jobs; k < all * (job + 1) / nb_jobs; k++) {
        const int64_t x = k % t->chunks * CHUNK, at = k / t->chunks * p->n * p->inner + x;
        if (p->inner == 1)
            ff_nn_row_softmax(t->dst + at, t->src + at, p->n);
        else
            softmax_columns(p, t->dst + at, t->src + at, FFMIN(CHUNK, p->inner - x));
    }
}

static void reduce_max(void *arg, int job, int nb_jobs)
{
    const Axis *t = arg;
    const NNAxisParams *p = t->p;

    for (int64_t o = p->outer * job / nb_jobs; o < p->outer * (job + 1) / nb_jobs; o++) {
        const float *src = t->src + o * p->n * p->inner;
        float *dst = t->dst + o * p->inner;
        if (p->inner == 1) {
            *dst = ff_nn_row_largest(src, p->n);
            continue;
        }
        memcpy(dst, src, p->inner * sizeof(*dst));
        for (int64_t i = 1; i < p->n; i++)
            ff_nn_row_max(dst, src + i * p->inner, p->inner);
    }
}

static Axis axis(const NNNetSlot *s, const NNStep *st)
{
    const NNAxisParams *p = st->p;

    return (Axis){ p, (float *)ff_nn_view(s, st->reps[0]).data, (float *)ff_nn_view(s, st->reps[1]).data,
                   (p->inner + CHUNK - 1) / CHUNK };
}

int ff_nn_step_softmax(NNNetSlot *s, const NNStep *st)
{
    Axis t = axis(s, st);

    ff_dnnl_parallel(softmax, &t, threads_for(s, t.p->outer * t.p->n * t.p->inner, t.p->outer * t.chunks));
    return 0;
}

int ff_nn_step_reduce_max(NNNetSlot *s, const NNStep *st)
{
    Axis t = axis(s, st);

    ff_dnnl_parallel(reduce_max, &t, threads_for(s, t.p->outer * t.p->n * t.p->inner, t.p->outer));
    return 0;
}

/* ---- products ---------------------------------------------------------------------------------- */

int ff_nn_step_matmul(NNNetSlot *s, const NNStep *st)
{
    const NNMatParams *p = st->p;
    float *dst = (float *)ff_nn_view(s, st->reps[0]).data;
    const float *a = (float *)ff_nn_view(s, st->reps[1]).data, *b = (float *)ff_nn_view(s, st->reps[2]).data;
    int ret = 0;

    for (int i = 0; i < p->nb && ret >= 0; i++)
        ret = ff_dnnl_matmul(dst + (int64_t)i * p->m * p->n, a + p->a[i], b + p->b[i], p->m, p->n, p->k, p->ta, p->tb);
    if (ret < 0)
        av_log(s->ctx->log, AV_LOG_ERROR, "oneDNN failed in node '%s'\n", node_of(s, st)->name);
    return ret;
}

typedef struct Small {
    const NNNetNode *n;
    const float *src, *w, *bias;
    float  *dst;
    int     images, ic, oc;
    int64_t hw, chunks;
} Small;

static void small_conv(void *arg, int job, int nb_jobs)
{
    const Small *t = arg;
    const int64_t all = t->images * t->chunks;

    for (int64_t k = all * job / nb_jobs; k < all * (job + 1) / nb_jobs; k++) {
        const int64_t x = k % t->chunks * CHUNK, nb = FFMIN(CHUNK, t->hw - x);
        const float *src = t->src + k / t->chunks * t->ic * t->hw + x;
        for (int o = 0; o < t->oc; o++) {
            float *dst = t->dst + (k / t->chunks * t->oc + o) * t->hw + x;
            for (int64_t i = 0; i < nb; i++)
                dst[i] = t->bias ? t->bias[o] : 0;
            for (int c = 0; c < t->ic; c++)
                ff_nn_row_axpy(dst, src + c * t->hw, t->w[o * t->ic + c], nb);
            ff_nn_row_act(dst, dst, nb, t->n->act, t->n->act_alpha, t->n->act_beta);
        }
    }
}

int ff_nn_step_small_conv(NNNetSlot *s, const NNStep *st)
{
    const NNNetNode *n = node_of(s, st);
    const NNTensor *x = &s->ctx->net->values[n->in[0]].t, *y = &s->ctx->net->values[n->out[0]].t;
    Small t = { n, (float *)ff_nn_view(s, st->reps[1]).data, s->ctx->net->values[n->in[1]].t.data, NULL,
                (float *)ff_nn_view(s, st->reps[0]).data, x->dims[0], x->dims[1], y->dims[1], x->dims[2] * x->dims[3] };

    if (n->nb_in > 2 && n->in[2] >= 0)
        t.bias = s->ctx->net->values[n->in[2]].t.data;
    t.chunks = (t.hw + CHUNK - 1) / CHUNK;
    ff_dnnl_parallel(small_conv, &t, threads_for(s, x->nb, t.images * t.chunks));
    return 0;
}

/* ---- the evaluator --------------------------------------------------------------------------------- */

static int take(NNNetSlot *s, const NNStep *st, int value, NNTensor *out)
{
    const NNNet *net = s->ctx->net;
    const NNTensor *t = &net->values[value].t;

    if (s->ctx->reps[NN_REP(value, NN_PLAIN)].where == NN_AT_DYNAMIC) {
        av_free(s->dyn[value].data);
        s->dyn[value] = *out;
        out->data = NULL;
        return 0;
    }
    if (out->nb != t->nb || out->type != t->type) {
        av_log(s->ctx->log, AV_LOG_ERROR, "node '%s' made a result of another size than was to be expected\n",
               node_of(s, st)->name);
        return AVERROR_BUG;
    }
    memcpy(ff_nn_view(s, NN_REP(value, NN_PLAIN)).data, out->data, t->nb * (t->type == NN_VAL_F32 ? 4 : 8));
    return 0;
}

int ff_nn_step_eval(NNNetSlot *s, const NNStep *st)
{
    const NNNetNode *n = node_of(s, st);
    NNTensor *all = av_calloc(n->nb_in + n->nb_out, sizeof(*all)), *out = all + n->nb_in;
    const NNTensor **in = av_calloc(n->nb_in + 1, sizeof(*in));
    int ret = AVERROR(ENOMEM);

    if (!all || !in)
        goto end;
    for (int i = 0; i < n->nb_in; i++)
        if (n->in[i] >= 0) {
            all[i] = ff_nn_tensor(s, n->in[i]);
            in[i]  = &all[i];
        }
    ret = ff_nn_op_eval(n, in, out, s->ctx->log);
    for (int i = 0; i < n->nb_out && ret >= 0; i++)
        if (n->out[i] >= 0)
            ret = take(s, st, n->out[i], &out[i]);
    for (int i = 0; i < n->nb_out; i++)
        av_free(out[i].data);
end:
    av_free(all);
    av_free(in);
    return FFMIN(ret, 0);
}
