/*
 * Nets of any shape: convolutions in plain C
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
#include <string.h>

#include "config.h"
#include "libavutil/attributes.h"
#include "libavutil/cpu.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_op.h"

/*
 * Sums are in double, in the order input channel, row, column, and rounded to fp32
 * once, as in engine ref of pictures: the product of two floats is exact in double, so
 * the result is the same bit for bit whatever the CPU's vector width.
 */

#define BLOCK_X 16              ///< widest step, pixels
#define MAX_SIDE  1024          ///< of kernel, stride, dilation
#define MAX_PAD  65536

/* ---- geometry ---------------------------------------------------------------------------- */

/* padding and output size along one side; k: size of the dilated kernel */
static int64_t slide(const NNOpArgs *a, NNWindow *w, int d, int64_t in, int64_t k)
{
    const NNNetNode *n = a->n;
    int64_t out, room;

    if (n->flags & (NN_NODE_SAME_UP | NN_NODE_SAME_LOW)) {
        const int64_t total = FFMAX(((in + w->stride[d] - 1) / w->stride[d] - 1) * w->stride[d] + k - in, 0);
        w->pad[d]     = n->flags & NN_NODE_SAME_UP ? total / 2 : (total + 1) / 2;
        w->pad[d + 2] = total - w->pad[d];
    }
    room = in + w->pad[d] + w->pad[d + 2] - k;
    if (room < 0)
        return ff_nn_op_broken(a, "has a kernel of %"PRId64" for an input of %"PRId64, k, in);
    out = room / w->stride[d] + 1;
    /* a last window that is cut off, unless it would begin in the padding */
    if (n->ceil_mode && room % w->stride[d] && out * w->stride[d] < in + w->pad[d])
        out++;
    return out;
}

int ff_nn_window(const NNOpArgs *a, NNWindow *w, const int kernel[2])
{
    const NNNetNode *n = a->n;
    const NNTensor *x = a->in[0];

    if (x->nb_dims != 4)
        return ff_nn_op_unsupported(a, "works on %d dimensions; 4 are supported (N, C, height, width)", x->nb_dims);
    for (int d = 0; d < 2; d++) {
        w->kernel[d]   = kernel[d];
        w->stride[d]   = n->stride[d];
        w->dilation[d] = n->dilation[d];
        if (kernel[d] < 1 || kernel[d] > MAX_SIDE || n->stride[d] < 1 || n->stride[d] > MAX_SIDE ||
            n->dilation[d] < 1 || n->dilation[d] > MAX_SIDE)
            return ff_nn_op_broken(a, "has a kernel, stride or dilation outside 1 to %d", MAX_SIDE);
    }
    for (int i = 0; i < 4; i++) {
        w->pad[i] = n->pad[i];
        if (n->pad[i] < 0 || n->pad[i] > MAX_PAD)
            return ff_nn_op_broken(a, "has a padding of %d; 0 to %d are supported", n->pad[i], MAX_PAD);
    }
    for (int d = 0; d < 2 && n->op != NN_OP_CONV_TRANSPOSE; d++) {
        w->out[d] = slide(a, w, d, x->dims[2 + d], (int64_t)(kernel[d] - 1) * w->dilation[d] + 1);
        if (w->out[d] < 0)
            return w->out[d];
    }
    return 0;
}

/* checks weights and bias: [c0][c1][kernel][kernel] */
static int check_weights(const NNOpArgs *a, NNWindow *w, int64_t c0, int64_t c1, int64_t nb_bias)
{
    const NNTensor *wt = a->in[1], *bias = nn_op_in(a, 2), *slopes = nn_op_in(a, 3);
    int kernel[2];

    if (wt->nb_dims != 4)
        return ff_nn_op_unsupported(a,
                                    "has weights of %d dimensions; only two-dimensional convolutions are supported",
                                    wt->nb_dims);
    for (int d = 0; d < 2; d++) {
        kernel[d] = FFMIN(wt->dims[2 + d], MAX_SIDE + 1);
        if (a->n->kernel[d] && a->n->kernel[d] != kernel[d])
            return ff_nn_op_broken(a, "has a kernel_shape that is not that of its weights");
    }
    if (wt->dims[0] != c0 || wt->dims[1] != c1)
        return ff_nn_op_broken(a,
                               "has weights for %"PRId64"x%"PRId64" channels; its input and groups need %"PRId64"x%"PRId64,
                               wt->dims[0], wt->dims[1], c0, c1);
    if (bias && (bias->nb_dims != 1 || bias->nb != nb_bias))
        return ff_nn_op_broken(a, "has not one bias a channel");
    if ((a->n->act == NN_NACT_PRELU) != !!slopes || (slopes && slopes->nb != nb_bias))
        return ff_nn_op_broken(a, "has not one slope a channel");
    return ff_nn_window(a, w, kernel);
}

static int groups_fit(const NNOpArgs *a, int64_t in_c, int64_t out_c)
{
    const int g = a->n->group;

    if (g < 1 || in_c % g || out_c % g)
        return ff_nn_op_broken(a, "has %d groups of %"PRId64" and %"PRId64" channels", g, in_c, out_c);
    return 0;
}

static int conv_window(const NNOpArgs *a, NNWindow *w)
{
    const NNTensor *x = a->in[0], *wt = a->in[1];
    const int64_t c = wt->nb_dims ? wt->dims[0] : 0;
    int ret;

    if (x->nb_dims != 4)
        return ff_nn_window(a, w, a->n->kernel);        /* says so */
    if ((ret = groups_fit(a, x->dims[1], c)) < 0)
        return ret;
    return check_weights(a, w, c, x->dims[1] / a->n->group, c);
}

int ff_nn_infer_conv(const NNOpArgs *a)
{
    NNWindow w;
    const int ret = conv_window(a, &w);

    if (ret < 0)
        return ret;
    return ff_nn_op_out(a, 0, (const int64_t[]){ a->in[0]->dims[0], a->in[1]->dims[0], w.out[0], w.out[1] }, 4);
}

/* ---- convolution --------------------------------------------------------------------------- */

typedef float  f8  __attribute__((vector_size(32), aligned(4), may_alias));
typedef double d8  __attribute__((vector_size(64)));

/* nb output channels x 8 * nx pixels of a row; tap t multiplies in[off[t]], in[off[t] + 1], .. by wt[t][0 .. nb-1] */
static av_always_inline void conv_block(float out[4][BLOCK_X], const float *in, const ptrdiff_t *off, int nb_taps,
                                        const double *wt, const double bias[4], const int nb, const int nx)
{
    d8 acc[4][2];

    for (int o = 0; o < nb; o++)
        for (int x = 0; x < nx; x++)
            acc[o][x] = (d8){ 0 } + bias[o];
    for (int t = 0; t < nb_taps; t++, wt += nb)
        for (int x = 0; x < nx; x++) {
            const d8 v = __builtin_convertvector(*(const f8 *)(in + off[t] + 8 * x), d8);
            for (int o = 0; o < nb; o++)
                acc[o][x] += v * wt[o];
        }
    for (int o = 0; o < nb; o++)
        for (int x = 0; x < nx; x++)
            *(f8 *)(out[o] + 8 * x) = __builtin_convertvector(acc[o][x], f8);
}

typedef void (*ConvBlock)(float out[4][BLOCK_X], const float *in, const ptrdiff_t *off, int nb_taps,
                          const double *wt, const double bias[4]);

#define CONV_BLOCK(name, nb, nx)                                                                               \
static void name(float out[4][BLOCK_X], const float *in, const ptrdiff_t *off, int nb_taps, const double *wt, \
                 const double bias[4])                                                                        \
{                                                                                                             \
    conv_block(out, in, off, nb_taps, wt, bias, nb, nx);                                                      \
}

CONV_BLOCK(conv4_c, 4, 1)
CONV_BLOCK(conv1_c, 1, 1)
#if ARCH_X86_64
__attribute__((target("avx2,fma"))) CONV_BLOCK(conv4_fma, 4, 1)
__attribute__((target("avx2,fma"))) CONV_BLOCK(conv1_fma, 1, 2)
__attribute__((target("avx512f")))  CONV_BLOCK(conv4_avx512, 4, 2)
__attribute__((target("avx512f")))  CONV_BLOCK(conv1_avx512, 1, 2)
#endif

static ConvBlock conv_for_cpu(int one, int *step)
{
#if ARCH_X86_64
    const int flags = av_get_cpu_flags();

    *step = BLOCK_X;
    if (flags & AV_CPU_FLAG_AVX512)
        return one ? conv1_avx512 : conv4_avx512;
    *step = one ? BLOCK_X : 8;
    if (flags & AV_CPU_FLAG_AVX2 && flags & AV_CPU_FLAG_FMA3)
        return one ? conv1_fma : conv4_fma;
#endif
    *step = 8;
    return one ? conv1_c : conv4_c;
}

/*
 * The input of one group with its padding. The columns of a row are sorted by their
 * remainder modulo the stride, so that neighbouring outputs read neighbours.
 */
typedef struct Padded {
    float   *buf;
    double  *wt;
    ptrdiff_t *off;             ///< by tap
    int64_t  rows, phase, row, plane; ///< phase, row, plane: floats from one to the next
    int64_t  w, h;              ///< of the output; all in one row where that is the same
    int      sy, sx, nb_taps;
} Padded;

static void padded_free(Padded *p)
{
    av_freep(&p->buf);
    av_freep(&p->wt);
    av_freep(&p->off);
}

static int padded_alloc(const NNOpArgs *a, Padded *p, const NNWindow *w, int64_t gc, int nb)
{
    const int kh = w->kernel[0], kw = w->kernel[1];
    int64_t t = 0;

    p->sy = w->stride[0];
    p->sx = w->stride[1];
    p->h  = w->out[0];
    p->w  = w->out[1];
    p->rows  = (p->h - 1) * p->sy + (int64_t)(kh - 1) * w->dilation[0] + 1;
    p->phase = FFALIGN(p->w, BLOCK_X) + (int64_t)(kw - 1) * w->dilation[1] / p->sx;
    if (kh * kw == 1 && p->sx * p->sy == 1 && !(w->pad[0] | w->pad[1] | w->pad[2] | w->pad[3])) {
        p->w   *= p->h;
        p->h    = p->rows = 1;
        p->phase = FFALIGN(p->w, BLOCK_X);
    }
    p->row   = p->phase * p->sx;
    if (p->row > NN_MAX_VALUES || p->rows > NN_MAX_VALUES || p->row * p->rows > NN_MAX_VALUES ||
        gc > INT64_C(4) * NN_MAX_VALUES / (p->row * p->rows) || gc * kh * kw > NN_MAX_ELEMS)
        return ff_nn_op_broken(a, "needs an absurd amount of memory for its padding");
    p->plane = p->row * p->rows;
    p->nb_taps = gc * kh * kw;
    p->buf   = av_calloc(FFMAX(gc * p->plane, 1), sizeof(*p->buf));
    p->wt    = av_malloc_array(nb, FFMAX(p->nb_taps, 1) * sizeof(*p->wt));
    p->off   = av_malloc_array(FFMAX(p->nb_taps, 1), sizeof(*p->off));
    if (!p->buf || !p->wt || !p->off)
        return AVERROR(ENOMEM);
    for (int64_t c = 0; c < gc; c++)
        for (int y = 0; y < kh; y++)
            for (int x = 0; x < kw; x++) {
                const int64_t col = (int64_t)x * w->dilation[1];
                p->off[t++] = c * p->plane + (int64_t)y * w->dilation[0] * p->row + col % p->sx * p->phase + col / p->sx;
            }
    return 0;
}

/* fill from planes of in_w x in_h; what lies outside is 0 already */
static void padded_fill(Padded *p, const NNWindow *w, const float *in, int64_t gc, int64_t in_h, int64_t in_w)
{
    if (p->rows == 1 && p->h == 1 && p->w == in_h * in_w && w->kernel[0] * w->kernel[1] == 1) {
        for (int64_t c = 0; c < gc; c++)
            memcpy(p->buf + c * p->plane, in + c * in_h * in_w, in_h * in_w * sizeof(*in));
        return;
    }
    for (int64_t c = 0; c < gc; c++)
        for (int64_t y = 0; y < in_h && y + w->pad[0] < p->rows; y++) {
            const float *src = in + (c * in_h + y) * in_w;
            float *dst = p->buf + c * p->plane + (y + w->pad[0]) * p->row;
            for (int64_t x = 0; x < in_w; x++) {
                const int64_t col = x + w->pad[1];
                if (col / p->sx < p->phase)
                    dst[col % p->sx * p->phase + col / p->sx] = src[x];
            }
        }
}

/* nb output channels from the one whose weights and bias are given */
static void convolve(Padded *p, const float *weight, const float *bias, int nb, int width, ConvBlock f, int step,
                     float *out)
{
    float block[4][BLOCK_X];
    double b[4] = { 0 };

    for (int o = 0; o < width; o++) {
        for (int t = 0; t < p->nb_taps; t++)
            p->wt[(int64_t)width * t + o] = o < nb ? weight[(int64_t)o * p->nb_taps + t] : 0;
        b[o] = o < nb && bias ? bias[o] : 0;
    }
    for (int64_t y = 0; y < p->h; y++)
        for (int64_t x = 0; x < p->w; x += step) {
            f(block, p->buf + y * p->sy * p->row + x, p->off, p->nb_taps, p->wt, b);
            for (int o = 0; o < nb; o++)
                memcpy(out + (o * p->h + y) * p->w + x, block[o], FFMIN(step, p->w - x) * sizeof(*out));
        }
}

int ff_nn_eval_conv(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *wt = a->in[1], *bias = nn_op_in(a, 2);
    const int groups = a->n->group;
    const int64_t gc = x->dims[1] / FFMAX(groups, 1), oc = wt->dims[0] / FFMAX(groups, 1);
    const int width = oc == 1 ? 1 : 4;
    float *out = a->out[0].data;
    Padded p = { 0 };
    NNWindow w;
    int step, ret = conv_window(a, &w);
    const ConvBlock f = conv_for_cpu(width == 1, &step);

    if (ret < 0 || !a->out[0].nb)
        return ret;
    ret = padded_alloc(a, &p, &w, gc, width);
    for (int64_t i = 0; i < x->dims[0] * groups && ret >= 0; i++) {
        const int64_t first = i % groups * oc;
        padded_fill(&p, &w, nn_f32(x) + i * gc * x->dims[2] * x->dims[3], gc, x->dims[2], x->dims[3]);
        for (int64_t o = 0; o < oc; o += width) {
            convolve(&p, nn_f32(wt) + (first + o) * p.nb_taps, bias ? nn_f32(bias) + first + o : NULL,
                     FFMIN(width, oc - o), width, f, step, out);
            out += FFMIN(width, oc - o) * w.out[0] * w.out[1];
        }
    }
    padded_free(&p);
    return ret;
}

/* ---- its transpose --------------------------------------------------------------------------- */

/* node.axes: rows and columns that are added below and on the right (output_padding) */
static int transpose_window(const NNOpArgs *a, NNWindow *w)
{
    const NNTensor *x = a->in[0], *wt = a->in[1];
    int ret;

    if (x->nb_dims != 4 || wt->nb_dims != 4)
        return ff_nn_op_unsupported(a, "is not two-dimensional");
    if ((ret = groups_fit(a, x->dims[1], x->dims[1])) < 0 || wt->dims[1] > NN_MAX_ELEMS ||
        (ret = check_weights(a, w, x->dims[1], wt->dims[1], wt->dims[1] * a->n->group)) < 0)
        return ret < 0 ? ret : ff_nn_op_broken(a, "has an absurd number of channels");
    for (int d = 0; d < 2; d++) {
        const int64_t more = a->n->nb_axes == 2 ? a->n->axes[d] : 0;
        if (more < 0 || more > MAX_PAD)
            return ff_nn_op_broken(a, "has an output_padding of %"PRId64, more);
        w->out[d] = (x->dims[2 + d] - 1) * w->stride[d] + (int64_t)(w->kernel[d] - 1) * w->dilation[d] + 1 + more -
                    w->pad[d] - w->pad[d + 2];
        if (w->out[d] < 0)
            return ff_nn_op_broken(a, "pads away more than there is");
    }
    return 0;
}

int ff_nn_infer_conv_transpose(const NNOpArgs *a)
{
    NNWindow w;
    const int ret = transpose_window(a, &w);

    if (ret < 0)
        return ret;
    return ff_nn_op_out(a, 0, (const int64_t[]){ a->in[0]->dims[0], a->in[1]->dims[1] * a->n->group, w.out[0],
                                                 w.out[1] }, 4);
}

/* add what one input plane gives to an output plane */
static void spread(double *acc, const NNWindow *w, const float *in, int64_t in_h, int64_t in_w, const float *wt)
{
    for (int ky = 0; ky < w->kernel[0]; ky++)
        for (int kx = 0; kx < w->kernel[1]; kx++, wt++)
            for (int64_t y = 0; y < in_h; y++) {
                const int64_t oy = y * w->stride[0] + (int64_t)ky * w->dilation[0] - w->pad[0];
                if (oy < 0 || oy >= w->out[0])
                    continue;
                for (int64_t x = 0; x < in_w; x++) {
                    const int64_t ox = x * w->stride[1] + (int64_t)kx * w->dilation[1] - w->pad[1];
                    if (ox >= 0 && ox < w->out[1])
                        acc[oy * w->out[1] + ox] += (double)in[y * in_w + x] * *wt;
                }
            }
}

int ff_nn_eval_conv_transpose(const NNOpArgs *a)
{
    const NNTensor *x = a->in[0], *wt = a->in[1], *bias = nn_op_in(a, 2);
    const int64_t in_plane = x->dims[2] * x->dims[3], oc = wt->dims[1], gc = x->dims[1] / a->n->group;
    float *out = a->out[0].data;
    NNWindow w;
    int64_t plane;
    double *acc;
    int ret = transpose_window(a, &w);

    if (ret < 0 || !a->out[0].nb)
        return ret;
    plane = w.out[0] * w.out[1];
    acc   = av_malloc_array(plane, sizeof(*acc));
    if (!acc)
        return AVERROR(ENOMEM);
    for (int64_t i = 0; i < x->dims[0] * a->n->group; i++)
        for (int64_t o = 0; o < oc; o++) {
            for (int64_t k = 0; k < plane; k++)
                acc[k] = bias ? nn_f32(bias)[i % a->n->group * oc + o] : 0;
            for (int64_t c = 0; c < gc; c++)
                spread(acc, &w, nn_f32(x) + (i * gc + c) * in_plane, x->dims[2], x->dims[3],
                       nn_f32(wt) + ((i % a->n->group * gc + c) * oc + o) * w.kernel[0] * w.kernel[1]);
            for (int64_t k = 0; k < plane; k++)
                *out++ = acc[k];
        }
    av_free(acc);
    return 0;
}
