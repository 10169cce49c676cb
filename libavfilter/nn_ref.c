/*
 * Engine ref: nets in plain C, the oracle of the other engines
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

#include "config.h"
#include "libavutil/attributes.h"
#include "libavutil/avassert.h"
#include "libavutil/cpu.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_engine.h"

/*
 * Tensors are fp32 planes. A convolution sums in double, always in the order
 * input channel, row, column, and rounds to fp32 once. The product of two floats
 * is exact in double, so that it makes no difference whether the compiler
 * multiplies and adds in one instruction or two: results are the same bit for
 * bit on every CPU, with every vector width, thread count and tiling.
 */

#define EDGE_X   8              ///< zeros left of a plane; a kernel reaches 3 of them
#define EDGE_Y   3              ///< zero rows above and below
#define BLOCK_X 16              ///< widest step of the convolution, pixels

/* the planes of one node; those of a concatenation belong to its inputs */
typedef struct Tensor {
    float  *buf;                ///< owned; NULL for a concatenation
    float **plane;              ///< [c], each at pixel (0,0)
    int     c, w, h;
    ptrdiff_t stride;           ///< floats
} Tensor;

typedef struct NNEngineContext {
    const NNGraph *g;
    void *log;
    int  *last_use;             ///< by node: the last node that reads its planes
} NNEngineContext;

/* ---- convolution ----------------------------------------------------------- */

typedef float  f8  __attribute__((vector_size(32), aligned(4), may_alias));
typedef double d8  __attribute__((vector_size(64)));

/*
 * 4 output channels x 8 * nx pixels of one row. plane: input planes at the pixel
 * that the kernel's middle falls on; wt: [in_c][kernel][kernel][4].
 */
static av_always_inline void conv_block(float out[4][BLOCK_X], float *const *plane, ptrdiff_t off,
                                        ptrdiff_t stride, int in_c, int kernel,
                                        const double *wt, const double bias[4], const int nx)
{
    const int r = kernel / 2;
    d8 acc[4][2];

    for (int o = 0; o < 4; o++)
        for (int x = 0; x < nx; x++)
            acc[o][x] = (d8){ 0 } + bias[o];
    for (int c = 0; c < in_c; c++) {
        const float *row = plane[c] + off - r * stride - r;
        for (int ky = 0; ky < kernel; ky++, row += stride)
            for (int kx = 0; kx < kernel; kx++, wt += 4)
                for (int x = 0; x < nx; x++) {
                    const d8 v = __builtin_convertvector(*(const f8 *)(row + kx + 8 * x), d8);
                    for (int o = 0; o < 4; o++)
                        acc[o][x] += v * wt[o];
                }
    }
    for (int o = 0; o < 4; o++)
        for (int x = 0; x < nx; x++)
            *(f8 *)(out[o] + 8 * x) = __builtin_convertvector(acc[o][x], f8);
}

typedef void (*ConvBlock)(float out[4][BLOCK_X], float *const *plane, ptrdiff_t off, ptrdiff_t stride,
                          int in_c, int kernel, const double *wt, const double bias[4]);

#define CONV_ARGS out, plane, off, stride, in_c, kernel, wt, bias

static void conv_block_c(float out[4][BLOCK_X], float *const *plane, ptrdiff_t off, ptrdiff_t stride,
                         int in_c, int kernel, const double *wt, const double bias[4])
{
    conv_block(CONV_ARGS, 1);
}

#if ARCH_X86_64
__attribute__((target("avx2,fma")))
static void conv_block_fma(float out[4][BLOCK_X], float *const *plane, ptrdiff_t off, ptrdiff_t stride,
                           int in_c, int kernel, const double *wt, const double bias[4])
{
    conv_block(CONV_ARGS, 1);
}

__attribute__((target("avx512f")))
static void conv_block_avx512(float out[4][BLOCK_X], float *const *plane, ptrdiff_t off, ptrdiff_t stride,
                              int in_c, int kernel, const double *wt, const double bias[4])
{
    conv_block(CONV_ARGS, 2);
}
#endif

static ConvBlock conv_block_for_cpu(int *step)
{
#if ARCH_X86_64
    const int flags = av_get_cpu_flags();
#endif

    *step = 8;
#if ARCH_X86_64
    if (flags & AV_CPU_FLAG_AVX512) {
        *step = BLOCK_X;
        return conv_block_avx512;
    }
    if (flags & AV_CPU_FLAG_AVX2 && flags & AV_CPU_FLAG_FMA3)
        return conv_block_fma;
#endif
    return conv_block_c;
}

static av_always_inline float activate(const NNNode *n, int c, float v)
{
    switch (n->act) {
    case NN_ACT_RELU:  return v > 0 ? v : 0;
    case NN_ACT_LRELU: return v >= 0 ? v : n->alpha * v;
    case NN_ACT_PRELU: return v >= 0 ? v : n->slope[c] * v;
    default:           return v;
    }
}

/* the usual case: stride 1, no groups */
static int conv_dense(const NNNode *n, const Tensor *in, Tensor *out)
{
    const int k2 = n->kernel * n->kernel;
    float (*block)[BLOCK_X];
    double *wt;
    int step;
    ConvBlock f = conv_block_for_cpu(&step);

    wt    = av_malloc_array(4 * in->c, k2 * sizeof(*wt));
    block = av_malloc_array(4, sizeof(*block));
    if (!wt || !block) {
        av_free(wt);
        av_free(block);
        return AVERROR(ENOMEM);
    }
    for (int c = 0; c < n->c; c += 4) {
        const int nb = FFMIN(4, n->c - c);
        double bias[4] = { 0 };
        for (int o = 0; o < 4; o++) {
            for (int i = 0; i < in->c * k2; i++)
                wt[4 * i + o] = o < nb ? n->weight[(size_t)(c + o) * in->c * k2 + i] : 0;
            bias[o] = o < nb && n->bias ? n->bias[c + o] : 0;
        }
        for (int y = 0; y < out->h; y++)
            for (int x = 0; x < out->w; x += step) {
                const int nx = FFMIN(step, out->w - x);
                f(block, in->plane, y * in->stride + x, in->stride, in->c, n->kernel, wt, bias);
                for (int o = 0; o < nb; o++)
                    for (int i = 0; i < nx; i++)
                        out->plane[c + o][y * out->stride + x + i] = activate(n, c + o, block[o][i]);
            }
    }
    av_free(wt);
    av_free(block);
    return 0;
}

/* any stride and grouping; same order of summation */
static int conv_any(const NNNode *n, const Tensor *in, Tensor *out)
{
    const int k = n->kernel, gc = in->c / n->groups;

    for (int c = 0; c < n->c; c++) {
        float *const *plane = in->plane + c / (n->c / n->groups) * gc;
        for (int y = 0; y < out->h; y++)
            for (int x = 0; x < out->w; x++) {
                const float *wt = n->weight + (size_t)c * gc * k * k;
                double sum = n->bias ? n->bias[c] : 0;
                for (int i = 0; i < gc; i++) {
                    const float *row = plane[i] + (y * n->stride - k / 2) * in->stride + x * n->stride - k / 2;
                    for (int ky = 0; ky < k; ky++, row += in->stride)
                        for (int kx = 0; kx < k; kx++)
                            sum += (double)row[kx] * *wt++;
                }
                out->plane[c][y * out->stride + x] = activate(n, c, sum);
            }
    }
    return 0;
}

/* ---- other operations --------------------------------------------------------- */

static void elementwise(const NNNode *n, const Tensor *a, const Tensor *b, Tensor *out)
{
    for (int c = 0; c < out->c; c++)
        for (int y = 0; y < out->h; y++) {
            const float *pa = a->plane[c] + y * a->stride;
            const float *pb = b->plane[c] + y * b->stride;
            float *po = out->plane[c] + y * out->stride;
            for (int x = 0; x < out->w; x++)
                po[x] = n->op == NN_ADD ? (double)n->scale[0] * pa[x] + (double)n->scale[1] * pb[x]
                                        : activate(n, c, pa[x]);
        }
}

static void resize(const NNNode *n, const Tensor *in, Tensor *out)
{
    const int f = n->factor;

    for (int c = 0; c < out->c; c++)
        for (int y = 0; y < out->h; y++) {
            float *po = out->plane[c] + y * out->stride;
            for (int x = 0; x < out->w; x++)
                switch (n->op) {
                case NN_UPSAMPLE:
                    po[x] = in->plane[c][y / f * in->stride + x / f];
                    break;
                case NN_SHUFFLE:
                    po[x] = in->plane[c * f * f + y % f * f + x % f][y / f * in->stride + x / f];
                    break;
                default:        /* NN_UNSHUFFLE */
                    po[x] = in->plane[c / (f * f)][(y * f + c / f % f) * in->stride + x * f + c % f];
                }
        }
}

/* ---- memory --------------------------------------------------------------------- */

static ptrdiff_t stride_for(int w)
{
    return EDGE_X + FFALIGN(w, BLOCK_X) + EDGE_X;
}

static size_t tensor_floats(int c, int w, int h)
{
    return c * stride_for(w) * (h + 2 * EDGE_Y);
}

static void tensor_free(Tensor *t)
{
    av_freep(&t->buf);
    av_freep(&t->plane);
}

/* planes of node n, surrounded by zeros; a concatenation lists its inputs' */
static int tensor_alloc(Tensor *t, const NNNode *n, const Tensor *all, int in_w, int in_h)
{
    t->c = n->c;
    t->w = in_w * n->num / n->den;
    t->h = in_h * n->num / n->den;
    t->stride = stride_for(t->w);
    t->plane  = av_malloc_array(n->c, sizeof(*t->plane));
    if (!t->plane)
        return AVERROR(ENOMEM);
    if (n->op == NN_CONCAT) {
        int c = 0;
        for (int j = 0; j < n->nb_in; j++)
            for (int i = 0; i < all[n->in[j]].c; i++)
                t->plane[c++] = all[n->in[j]].plane[i];
        return 0;
    }
    t->buf = av_calloc(tensor_floats(t->c, t->w, t->h), sizeof(*t->buf));
    if (!t->buf)
        return AVERROR(ENOMEM);
    for (int c = 0; c < t->c; c++)
        t->plane[c] = t->buf + tensor_floats(c, t->w, t->h) + EDGE_Y * t->stride + EDGE_X;
    return 0;
}

/* ---- engine ---------------------------------------------------------------------- */

static void ref_close(NNEngineContext **ctx)
{
    if (!*ctx)
        return;
    av_freep(&(*ctx)->last_use);
    av_freep(ctx);
}

static int ref_open(NNEngineContext **ctx, const NNGraph *g, const NNConfig *cfg)
{
    NNEngineContext *s;

    *ctx = NULL;
    if (cfg->precision != NN_PREC_AUTO && cfg->precision != NN_PREC_FP32) {
        av_log(cfg->log, AV_LOG_VERBOSE, "engine ref has fp32 only, not %s\n", ff_nn_precision_name(cfg->precision));
        return AVERROR(ENOSYS);
    }
    s = av_mallocz(sizeof(*s));
    if (!s)
        return AVERROR(ENOMEM);
    s->g        = g;
    s->log      = cfg->log;
    s->last_use = av_calloc(g->nb_nodes, sizeof(*s->last_use));
    if (!s->last_use) {
        ref_close(&s);
        return AVERROR(ENOMEM);
    }
    s->last_use[g->nb_nodes - 1] = g->nb_nodes;
    for (int i = g->nb_nodes - 1; i > 0; i--) {
        /* a concatenation keeps its inputs alive as long as it is read itself */
        const int use = g->nodes[i].op == NN_CONCAT ? s->last_use[i] : i;
        for (int j = 0; j < g->nodes[i].nb_in; j++)
            s->last_use[g->nodes[i].in[j]] = FFMAX(s->last_use[g->nodes[i].in[j]], use);
    }
    *ctx = s;
    return 0;
}

static int run_node(const NNNode *n, Tensor *all, Tensor *out)
{
    const Tensor *in = &all[n->in[0]];

    switch (n->op) {
    case NN_CONV:
        return n->groups == 1 && n->stride == 1 ? conv_dense(n, in, out) : conv_any(n, in, out);
    case NN_ACT:
        elementwise(n, in, in, out);
        return 0;
    case NN_ADD:
        elementwise(n, in, &all[n->in[1]], out);
        return 0;
    case NN_CONCAT:
        return 0;
    case NN_UPSAMPLE:
    case NN_SHUFFLE:
    case NN_UNSHUFFLE:
        resize(n, in, out);
        return 0;
    default:
        return AVERROR_BUG;
    }
}

static int ref_run(NNEngineContext *s, int slot, const NNTile *t)
{
    const NNGraph *g = s->g;
    const NNNode *last = &g->nodes[g->nb_nodes - 1];
    Tensor *all;
    int ret = 0;

    if (t->w < 1 || t->h < 1 || t->w % g->align || t->h % g->align ||
        t->left % g->align || t->top % g->align ||
        t->left + t->right >= t->w || t->top + t->bottom >= t->h) {
        av_log(s->log, AV_LOG_ERROR, "engine ref: tile %dx%d with margins %d,%d,%d,%d does not fit align %d\n",
               t->w, t->h, t->left, t->top, t->right, t->bottom, g->align);
        return AVERROR(EINVAL);
    }
    all = av_calloc(g->nb_nodes, sizeof(*all));
    if (!all)
        return AVERROR(ENOMEM);
    for (int i = 0; i < g->nb_nodes; i++) {
        if ((ret = tensor_alloc(&all[i], &g->nodes[i], all, t->w, t->h)) < 0)
            break;
        if (i)
            ret = run_node(&g->nodes[i], all, &all[i]);
        else
            for (int c = 0; c < g->in_c; c++)
                for (int y = 0; y < t->h; y++)
                    memcpy(all[0].plane[c] + y * all[0].stride, t->in[c] + y * t->in_stride,
                           t->w * sizeof(float));
        if (ret < 0)
            break;
        for (int k = 0; k <= i; k++)
            if (s->last_use[k] == i)
                tensor_free(&all[k]);
    }
    for (int c = 0; c < g->out_c && ret >= 0; c++)
        for (int y = 0; y < (t->h - t->top - t->bottom) * last->num; y++)
            memcpy(t->out[c] + y * t->out_stride,
                   all[g->nb_nodes - 1].plane[c] + (y + t->top * last->num) * all[g->nb_nodes - 1].stride +
                   t->left * last->num, (t->w - t->left - t->right) * last->num * sizeof(float));
    for (int i = 0; i < g->nb_nodes; i++)
        tensor_free(&all[i]);
    av_free(all);
    return FFMIN(ret, 0);
}

static size_t node_bytes(const NNNode *n, int w, int h)
{
    if (n->op == NN_CONCAT)
        return 0;
    return tensor_floats(n->c, w * n->num / n->den, h * n->num / n->den) * sizeof(float);
}

/* most bytes alive at once, by the same plan that ref_run follows */
static size_t ref_scratch(const NNEngineContext *s, int w, int h)
{
    size_t live = 0, most = 0;

    for (int i = 0; i < s->g->nb_nodes; i++) {
        live += node_bytes(&s->g->nodes[i], w, h);
        most  = FFMAX(most, live);
        for (int k = 0; k <= i; k++)
            if (s->last_use[k] == i)
                live -= node_bytes(&s->g->nodes[k], w, h);
    }
    return most;
}

static enum NNPrecision ref_precision(const NNEngineContext *ctx)
{
    return NN_PREC_FP32;
}

const NNEngine ff_nn_engine_ref = {
    .name      = "ref",
    .open      = ref_open,
    .run       = ref_run,
    .close     = ref_close,
    .scratch   = ref_scratch,
    .precision = ref_precision,
};
