/*
 * Nets on the GPU: weights in the order of the kernels
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
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/intfloat.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_cuda_plan.h"

#define ALIGNMENT 256

nn_half ff_nn_half(float v)
{
    const uint32_t u = av_float2int(v), sign = u >> 16 & 0x8000;
    uint32_t a = u & 0x7FFFFFFF;

    if (a > 0x7F800000)
        return 0x7FFF;
    if (a >= 0x477FF000)
        return sign | 0x7C00;
    if (a < 0x38800000)         /* subnormal: the sum is rounded to a multiple of 2^-24 */
        return sign | (av_float2int(av_int2float(a) + 0.5f) - 0x3F000000);
    a += 0xFFF + (a >> 13 & 1);
    return sign | ((a - 0x38000000) >> 13);
}

/* @return zeroed memory at *offset of p->weights */
static void *append(NNCudaPlan *p, size_t size, size_t *offset)
{
    const size_t end = FFALIGN(p->weights_size, ALIGNMENT) + size;

    if (end > p->weights_alloc) {
        const size_t more = end + end / 2;
        uint8_t *mem = av_realloc(p->weights, more);
        if (!mem)
            return NULL;
        memset(mem + p->weights_alloc, 0, more - p->weights_alloc);
        p->weights       = mem;
        p->weights_alloc = more;
    }
    *offset = FFALIGN(p->weights_size, ALIGNMENT);
    p->weights_size = end;
    return p->weights + *offset;
}

/* so that act(v) = v >= 0 ? v : slope * v */
static float slope_of(const NNNode *n, int c)
{
    switch (n->act) {
    case NN_ACT_RELU:  return 0;
    case NN_ACT_LRELU: return n->alpha;
    case NN_ACT_PRELU: return n->slope[c];
    default:           return 1;
    }
}

static int pack_slopes(NNCudaPlan *p, NNCudaStep *s, const NNNode *n, int padded)
{
    float *slope = append(p, padded * sizeof(*slope), &s->slope);

    if (!slope)
        return AVERROR(ENOMEM);
    for (int c = 0; c < n->c; c++)
        slope[c] = slope_of(n, c);
    return 0;
}

int ff_nn_cuda_pack_slope(NNCudaPlan *p, NNCudaStep *s, const NNNode *n)
{
    return pack_slopes(p, s, n, FFALIGN(n->c, 8));
}

static int pack_bias(NNCudaPlan *p, NNCudaStep *s, const NNNode *n, int padded)
{
    float *bias = append(p, padded * sizeof(*bias), &s->bias);

    if (!bias)
        return AVERROR(ENOMEM);
    if (n->bias)
        memcpy(bias, n->bias, n->c * sizeof(*bias));
    return pack_slopes(p, s, n, padded);
}

/* weight of input channel k of the tensor, which with lo has those of the picture twice */
static nn_half weight_at(const NNNode *n, int in_c, int lo, int c, int k, int dx, int dy)
{
    if (c >= n->c || k >= in_c << lo)
        return 0;
    return ff_nn_half(n->weight[(((size_t)c * in_c + k % in_c) * 3 + dy) * 3 + dx]);
}

static int pack_conv3(NNCudaPlan *p, NNCudaStep *s, const NNNode *n, int in_c, int lo)
{
    const int pairs = (s->nt + 1) / 2;
    const size_t size = (size_t)s->groups * s->chunks * nn_conv3_weights(s->nt);
    nn_half *to = append(p, size, &s->weights);

    if (!to)
        return AVERROR(ENOMEM);
    for (int i = 0; i < s->groups * s->chunks * NN_TAPS * pairs; i++) {
        const int pair = i % pairs, tap = i / pairs % NN_TAPS, chunk = i / (pairs * NN_TAPS) % s->chunks;
        const int group = i / (pairs * NN_TAPS) / s->chunks;
        for (int lane = 0; lane < 32; lane++)
            for (int r = 0; r < 4; r++) {
                const int plane = 2 * pair + (r >> 1), k = NN_CHUNK * chunk + 8 * (r & 1) + 2 * (lane & 3);
                const int c = plane < s->nt ? 8 * (group * s->nt + plane) + lane / 4 : n->c;
                *to++ = weight_at(n, in_c, lo, c, k,     tap / 3, tap % 3);
                *to++ = weight_at(n, in_c, lo, c, k + 1, tap / 3, tap % 3);
            }
    }
    return 0;
}

static int pack_any(NNCudaPlan *p, NNCudaStep *s, const NNNode *n, int in_c)
{
    const size_t size = (size_t)n->c * (in_c / n->groups) * n->kernel * n->kernel * sizeof(float);
    float *to = append(p, size, &s->weights);

    if (!to)
        return AVERROR(ENOMEM);
    memcpy(to, n->weight, size);
    return 0;
}

int ff_nn_cuda_pack(NNCudaPlan *p, NNCudaStep *s, const NNNode *n, int in_c, int lo)
{
    const int fast = s->kernel != NN_CUDA_CONV_ANY;
    const int ret = fast ? pack_conv3(p, s, n, in_c, lo) : pack_any(p, s, n, in_c);

    return ret < 0 ? ret : pack_bias(p, s, n, fast ? 8 * s->nt * s->groups : FFALIGN(n->c, 8));
}
