/*
 * Kernels of nets: 3x3 convolution in every shape, against plain sums
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
#include <stdint.h>

#include "cuda_host.h"
#include "cuda/nn.cu"
#include "tap.h"

#include "libavfilter/nn_cuda_plan.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

NN_CUDA_KERNELS(CUDA_HOST_FN)
static const CudaHostKernel kernels[] = { NN_CUDA_KERNELS(CUDA_HOST_ROW) };

#define GUARD  64               ///< pixels of 8 channels before and after
#define CANARY 0x7F7F           ///< NaN

static uint32_t seed = 1;

static float unit(void)
{
    seed = seed * 1664525 + 1013904223;
    return (int)(seed >> 8) / (float)(1 << 23) - 1;
}

/* ---- tensors between guards ------------------------------------------------------------ */

typedef struct Tensor {
    nn_half *mem, *data;
    int c, w, h, planes;
    size_t nb;                  ///< halves of data
} Tensor;

static Tensor tensor(int c, int w, int h, int fill)
{
    Tensor t = { .c = c, .w = w, .h = h, .planes = (c + 7) / 8 };

    t.nb   = (size_t)t.planes * w * h * 8;
    t.mem  = av_malloc((t.nb + 16 * GUARD) * sizeof(*t.mem));
    t.data = t.mem + 8 * GUARD;
    for (size_t i = 0; i < t.nb + 16 * GUARD; i++)
        t.mem[i] = CANARY;
    for (size_t i = 0; i < t.nb && fill; i++) {
        const int ch = i / 8 / (w * h) * 8 + i % 8;
        t.data[i] = ch < c ? ff_nn_half(unit()) : 0;
    }
    return t;
}

static int guarded(const Tensor *t)
{
    for (int i = 0; i < 8 * GUARD; i++)
        if (t->mem[i] != CANARY || t->data[t->nb + i] != CANARY)
            return 0;
    return 1;
}

static float at(const Tensor *t, int c, int x, int y)
{
    return nn_float(t->data[(((size_t)(c / 8) * t->h + y) * t->w + x) * 8 + c % 8]);
}

/* ---- one convolution --------------------------------------------------------------------- */

typedef struct Case {
    int in_c, c, w, h, up, warps, resident, stages, blocks, res;
} Case;

static double expected(const Case *k, const NNNode *n, const Tensor *in, const Tensor *res, int c, int x, int y)
{
    double sum = n->bias[c];

    for (int i = 0; i < k->in_c; i++)
        for (int t = 0; t < 9; t++) {
            const int sx = x + t % 3 - 1, sy = y + t / 3 - 1;
            if (sx >= 0 && sy >= 0 && sx < k->w && sy < k->h)
                sum += (double)nn_float(ff_nn_half(n->weight[(c * k->in_c + i) * 9 + t])) *
                       at(in, i, sx / k->up, sy / k->up);
        }
    sum = sum >= 0 ? sum : n->slope[c] * sum;
    return k->res ? 0.2 * sum + 0.75 * at(res, c, x, y) : sum;
}

static void pack(NNCudaPlan *p, NNCudaStep *s, NNNode *n, const Case *k)
{
    static const int nts[] = { 1, 2, 3, 4, 6, 8 };
    const int planes = (k->c + 7) / 8;
    int i = 0;

    while (i < 5 && nts[i] < planes)
        i++;
    *n = (NNNode){ .op = NN_CONV, .c = k->c, .kernel = 3, .stride = 1, .groups = 1, .act = NN_ACT_PRELU };
    n->weight = av_malloc_array(k->c * k->in_c, 9 * sizeof(float));
    n->bias   = av_malloc_array(k->c, sizeof(float));
    n->slope  = av_malloc_array(k->c, sizeof(float));
    for (int j = 0; j < k->c * k->in_c * 9; j++)
        n->weight[j] = unit() / sqrt(9 * k->in_c);
    for (int j = 0; j < k->c; j++) {
        n->bias[j]  = unit();
        n->slope[j] = 1.5f * unit();        /* outside of [0, 1], too */
    }
    *s = (NNCudaStep){ .kernel = NN_CUDA_CONV3 + i, .nt = nts[i], .groups = (planes + nts[i] - 1) / nts[i],
                       .chunks = ((k->in_c + 7) / 8 + 1) / 2 };
    ff_nn_cuda_pack(p, s, n, k->in_c, 0);
}

static void run(const Case *k, const NNCudaPlan *plan, const NNCudaStep *s, const Tensor *in, const Tensor *res,
                Tensor *out)
{
    const int tile_h = NN_WARP_H * k->warps;
    NNConv3 p = {
        .src = in->data, .res = k->res ? res->data : NULL, .dst = out->data,
        .weights = (const unsigned *)(plan->weights + s->weights), .bias = (const float *)(plan->weights + s->bias),
        .slope = (const float *)(plan->weights + s->slope),
        .src_plane = in->w * in->h, .dst_plane = k->w * k->h, .res_plane = k->w * k->h, .w = k->w, .h = k->h,
        .src_w = in->w, .up = (65536 + k->up - 1) / k->up, .src_planes = in->planes, .dst_planes = out->planes,
        .chunks = s->chunks, .tiles_x = (k->w + NN_TILE_W - 1) / NN_TILE_W,
        .stages = k->stages, .resident = k->resident,
        .scale = k->res ? 0.2f : 1, .res_scale = 0.75f,
    };
    p.tiles  = p.tiles_x * ((k->h + tile_h - 1) / tile_h);
    p.blocks = FFMIN(k->blocks, p.tiles);
    kernels[s->kernel].run((CudaHostDim){ p.blocks, 1, s->groups }, (CudaHostDim){ 32 * k->warps, 1, 1 },
                           nn_conv3_shared(s->nt, k->warps, s->chunks, k->stages, k->resident), &p);
}

static void test(Case k)
{
    NNCudaPlan plan = { 0 };
    NNCudaStep s;
    NNNode n;
    Tensor in = tensor(k.in_c, (k.w + k.up - 1) / k.up, (k.h + k.up - 1) / k.up, 1);
    Tensor res = tensor(k.c, k.w, k.h, 1), out = tensor(k.c, k.w, k.h, 0);
    double worst = 0;
    int zeros = 1;

    pack(&plan, &s, &n, &k);
    run(&k, &plan, &s, &in, &res, &out);
    for (int y = 0; y < k.h; y++)
        for (int x = 0; x < k.w; x++)
            for (int c = 0; c < 8 * out.planes; c++) {
                const double v = at(&out, c, x, y);
                if (c >= k.c)
                    zeros &= v == 0;
                else {
                    const double want = expected(&k, &n, &in, &res, c, x, y);
                    /* rounding to fp16 once, and sums in fp32 */
                    const double d = fabs(v - want) / (fabs(want) * 0x1p-11 + 1e-5);
                    worst = d < worst ? worst : d;
                    if (isnan(v))
                        worst = INFINITY;
                }
            }
    tap_ok(worst <= 1.01 && zeros && guarded(&in) && guarded(&out) && guarded(&res),
           "%d -> %d channels, %dx%d, enlarged %d, %d warps, %s, %d stages, %d blocks%s: within %.2f of a rounding",
           k.in_c, k.c, k.w, k.h, k.up, k.warps, k.resident ? "resident" : "streamed", k.stages, k.blocks,
           k.res ? ", sum" : "", worst);
    av_free(in.mem);
    av_free(res.mem);
    av_free(out.mem);
    av_free(n.weight);
    av_free(n.bias);
    av_free(n.slope);
    av_free(plan.weights);
}

/* ---- fp16 ----------------------------------------------------------------------------------- */

static void test_half(void)
{
    int same = 1, round = 1;

    for (int i = 0; i < 65536; i++)
        if ((i & 0x7C00) != 0x7C00 || !(i & 0x3FF))
            same &= nn_round(nn_float(i)) == i && ff_nn_half(nn_float(i)) == i;
    tap_ok(same, "every fp16 to fp32 and back");
    /* halfway between neighbours: the even one; a little to either side: that one */
    for (int i = 0; i < 0x7BFF; i++) {
        const float mid = (nn_float(i) + nn_float(i + 1)) / 2;
        round &= nn_round(mid) == i + (i & 1) && nn_round(nextafterf(mid, 0)) == i &&
                 nn_round(nextafterf(mid, 1e9f)) == i + 1;
        round &= ff_nn_half(-mid) == nn_round(-mid) && ff_nn_half(nextafterf(mid, 1e9f)) == i + 1;
    }
    tap_ok(round && nn_round(65519.996f) == 0x7BFF && nn_round(65520) == 0x7C00 && nn_round(-INFINITY) == 0xFC00 &&
           (nn_round(NAN) & 0x7FFF) > 0x7C00, "rounding to nearest, ties to even, overflow, NaN");
}

int main(void)
{
    static const int channels[] = { 3, 8, 12, 16, 24, 32, 40, 48, 56, 64, 72, 128 };
    static const int sizes[][2] = { { 1, 1 }, { 1, 19 }, { 33, 1 }, { 31, 9 }, { 32, 8 }, { 34, 17 }, { 65, 5 } };

    test_half();
    for (int i = 0; i < FF_ARRAY_ELEMS(channels); i++)
        test((Case){ channels[i], channels[FF_ARRAY_ELEMS(channels) - 1 - i], 35, 11, 1, 4, i & 1, 2 + i % 2, 2,
                     i % 3 == 0 });
    for (int i = 0; i < FF_ARRAY_ELEMS(sizes); i++)
        for (int warps = 4; warps <= 8; warps += 4)
            test((Case){ 24, 16, sizes[i][0], sizes[i][1], 1, warps, warps == 8, 3, 1, 0 });
    for (int up = 2; up <= 4; up++)
        test((Case){ 32, 32, 37, 21, up, 4, 0, 2, 3, up == 3 });
    for (int shape = 0; shape < 8; shape++)
        test((Case){ 64, 64, 67, 20, 1, 4 << (shape & 1), shape >> 1 & 1, 2 + (shape >> 2), 2, 1 });
    return tap_done();
}
