/*
 * Engine cuda against ref, its kernels run over their grids on the CPU
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

#include "cuda_host.h"
#include "cuda/nn.cu"
NN_CUDA_KERNELS(CUDA_HOST_FN)
static const CudaHostKernel kernels[] = { NN_CUDA_KERNELS(CUDA_HOST_ROW) };
#include "cuda_mock.h"

#include "nets.h"
#include "tap.h"

#include "libavfilter/nn_cuda.h"
#include "libavfilter/nn_cuda_plan.h"
#include "libavutil/macros.h"

/* no file: the kernels are those above */
char *ff_nn_cuda_find(int i, int capability, const char *folder, unsigned char **data, unsigned *size, int *err)
{
    *err  = 0;
    *size = 0;
    return i ? NULL : av_strdup("test");
}

/* ---- a run on memory that is NaN where nothing was written, results between guards ------------ */

#define EDGE 64                 ///< floats
static const float canary = -12345;

/* three planes of w x h with guards around each row */
typedef struct Planes {
    float *mem, *p[3];
    ptrdiff_t stride;
    int w, h;
} Planes;

static Planes planes(int w, int h)
{
    Planes o = { .stride = w + 2 * EDGE, .w = w, .h = h };
    const size_t nb = 3 * o.stride * (h + 2);

    o.mem = av_malloc_array(nb, sizeof(float));
    for (size_t i = 0; i < nb; i++)
        o.mem[i] = canary;
    for (int c = 0; c < 3; c++)
        o.p[c] = o.mem + (c * (h + 2) + 1) * o.stride + EDGE;
    return o;
}

static int planes_guarded(const Planes *o)
{
    for (int y = -1; y < 3 * (o->h + 2) - 1; y++)
        for (int x = -EDGE; x < o->w + EDGE; x++) {
            const int row = (y + 1) % (o->h + 2) - 1, inside = row >= 0 && row < o->h && x >= 0 && x < o->w;
            if (!inside && o->p[0][y * o->stride + x] != canary)
                return 0;
        }
    return 1;
}

/* the whole picture, or tiles with a halo */
static int run(NNCuda *n, const NNGraph *g, const Planes *in, Planes *out, int tile, int halo, int *flag)
{
    const int w = in->w, h = in->h, step = tile ? tile : FFMAX(w, h), s = g->scale;
    int ret = ff_nn_cuda_reserve(n, FFMIN(w, step + 2 * halo), FFMIN(h, step + 2 * halo));

    for (int y = 0; y < h && ret >= 0; y += step)
        for (int x = 0; x < w && ret >= 0; x += step) {
            const int x1 = FFMIN(x + step, w), y1 = FFMIN(y + step, h);
            NNCudaTile t = { .in_stride = in->stride, .out_stride = out->stride, .flag = flag, .mark = 7,
                             .left = FFMIN(x, halo), .top = FFMIN(y, halo),
                             .right = FFMIN(w - x1, halo), .bottom = FFMIN(h - y1, halo) };
            t.w = x1 - x + t.left + t.right;
            t.h = y1 - y + t.top + t.bottom;
            for (int c = 0; c < 3; c++) {
                t.in[c]  = in->p[c] + (y - t.top) * in->stride + x - t.left;
                t.out[c] = out->p[c] + y * s * out->stride + x * s;
            }
            ret = ff_nn_cuda_run(n, &t);
        }
    return ret;
}

/* PSNR with peak 1, and the largest difference in codes after rounding to 8 bits */
static double psnr(const Planes *a, const float *b, int *codes)
{
    double sum = 0;

    *codes = 0;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < a->h; y++)
            for (int x = 0; x < a->w; x++) {
                const double u = a->p[c][y * a->stride + x], v = b[((size_t)c * a->h + y) * a->w + x];
                sum += (u - v) * (u - v);
                if (!(fabs(u - v) < 1e6))
                    return -1;
                *codes = FFMAX(*codes, abs((int)lrint(av_clipd(u, 0, 1) * 255) - (int)lrint(av_clipd(v, 0, 1) * 255)));
            }
    return sum ? 10 * log10(3. * a->w * a->h / sum) : INFINITY;
}

static NNGraph *srvgg(int features, int layers, int scale)
{
    NNDict d = { 0 };
    NNGraph *g = NULL;

    nets_srvgg(&d, 1000 * features + 10 * layers + scale, features, layers, scale);
    ff_nn_graph_from_dict(&g, &d, "seeded", NULL);
    ff_nn_dict_free(&d);
    return g;
}

static NNGraph *rrdb(int features, int growth, int blocks, int in_c)
{
    NNDict d = { 0 };
    NNGraph *g = NULL;

    nets_rrdb(&d, 77 + features, features, growth, blocks, in_c, 0);
    ff_nn_graph_from_dict(&g, &d, "seeded", NULL);
    ff_nn_dict_free(&d);
    return g;
}

/* min: PSNR in dB that must be reached, measured less 3 */
static void test_net(NNGraph *g, int w, int h, int tile, double min, int max_codes, int seed)
{
    const int s = g->scale;
    Planes in = planes(w, h), out = planes(w * s, h * s);
    float *flat = av_malloc_array(3 * w * h, sizeof(float)), *want = av_malloc_array(3 * w * s, h * s * sizeof(float));
    int codes = -1, flag = 0, ret;
    double db = -1;
    NNCuda *n;

    nets_picture(flat, w, h, seed);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < h; y++)
            memcpy(in.p[c] + y * in.stride, flat + ((size_t)c * h + y) * w, w * sizeof(float));
    ret = ff_nn_cuda_open(&n, NULL, NULL, g, NN_PREC_AUTO, NULL);
    if (ret >= 0)
        ret = run(n, g, &in, &out, tile, g->halo, &flag);
    if (ret >= 0 && nets_run("ref", g, flat, w, h, want, 0, 0) >= 0)
        db = psnr(&out, want, &codes);
    tap_ok(ret >= 0 && db >= min && codes <= max_codes && planes_guarded(&out) && planes_guarded(&in) && !flag,
           "%s, %dx%d%s: %.1f dB, %d codes", g->arch, w, h, tile ? ", tiles" : "", db, codes);
    ff_nn_cuda_close(&n);
    av_free(in.mem);
    av_free(out.mem);
    av_free(flat);
    av_free(want);
}

/* bounds: measured, less 3 dB */
static void test_nets(void)
{
    static const int sizes[][2] = { { 1, 1 }, { 1, 23 }, { 31, 2 }, { 33, 18 }, { 48, 40 } };
    NNGraph *g;

    for (int scale = 1; scale <= 4; scale++) {
        g = srvgg(scale == 3 ? 24 : 64, 2, scale);
        test_net(g, 37, 19, 0, 77, 1, scale);
        ff_nn_graph_free(&g);
    }
    g = srvgg(32, 8, 4);
    for (int i = 0; i < FF_ARRAY_ELEMS(sizes); i++)
        test_net(g, sizes[i][0], sizes[i][1], 0, 96, 1, i);
    test_net(g, 48, 40, 16, 96, 1, 9);
    ff_nn_graph_free(&g);
    g = rrdb(32, 16, 2, 3);
    test_net(g, 25, 14, 0, 93, 1, 10);
    ff_nn_graph_free(&g);
    g = rrdb(64, 32, 1, 12);
    test_net(g, 22, 18, 0, 79, 1, 11);
    ff_nn_graph_free(&g);
    g = rrdb(24, 12, 1, 48);        /* 12 channels: no whole planes, so concatenations are copied */
    test_net(g, 24, 20, 0, 72, 1, 12);
    ff_nn_graph_free(&g);
}

/* every shape of block that a chip may get gives the same sums */
static void test_shapes(void)
{
    static const char *const shapes[] = { "4,0,2", "4,1,3", "8,0,3", "8,1,2", "8,1,3" };
    NNGraph *g = srvgg(48, 2, 2);

    mock_device = (CudaDevice){ 90, 132, 232448, 233472, (size_t)1 << 30 };
    test_net(g, 70, 35, 0, 77, 1, 3);
    for (int i = 0; i < FF_ARRAY_ELEMS(shapes); i++) {
        setenv("FFREEL_CUDA_CONV", shapes[i], 1);
        test_net(g, 41, 23, 0, 77, 1, i + 1);
    }
    unsetenv("FFREEL_CUDA_CONV");
    mock_device = (CudaDevice){ 75, 1, 65536, 65536, (size_t)1 << 30 };
    ff_nn_graph_free(&g);
}

/* ---- other nets: what a file may bring that the two families do not ---------------------------- */

static NNNode *node(NNGraph *g, enum NNOp op, int in0, int in1)
{
    const int i = ff_nn_graph_append(g, op);
    NNNode *n = &g->nodes[i];

    n->in[0] = in0;
    n->in[1] = in1;
    n->nb_in = (in0 >= 0) + (in1 >= 0);
    return n;
}

/* of what is no convolution */
static void channels(NNGraph *g)
{
    for (int i = 1; i < g->nb_nodes; i++) {
        NNNode *n = &g->nodes[i];
        const int c = g->nodes[n->in[0]].c, f = n->factor * n->factor;
        if (n->op == NN_CONCAT)
            n->c = c + g->nodes[n->in[1]].c;
        else if (n->op != NN_CONV)
            n->c = n->op == NN_SHUFFLE ? c / f : n->op == NN_UNSHUFFLE ? c * f : c;
    }
}

static void conv(NNGraph *g, int in, int c, int kernel, int stride, int groups, enum NNAct act)
{
    static uint32_t s = 5;
    NNNode *n = node(g, NN_CONV, in, -1);
    int per_group;

    channels(g);
    per_group = g->nodes[in].c / groups;
    n->c = c;
    n->kernel = kernel;
    n->stride = stride;
    n->groups = groups;
    n->act    = act;
    n->alpha  = 0.1f;
    n->weight = av_malloc_array(c * per_group, kernel * kernel * sizeof(float));
    for (int i = 0; i < c * per_group * kernel * kernel; i++)
        n->weight[i] = nets_unit(&s) / sqrtf(per_group * kernel * kernel);
    if (act != NN_ACT_RELU) {
        n->bias = av_malloc_array(c, sizeof(float));
        for (int i = 0; i < c; i++)
            n->bias[i] = nets_unit(&s) / 8;
    }
}

/* a net of everything: 5x5, 1x1, depthwise, stride 2, an activation alone, sums and concatenations that
 * cannot be fused, shuffles both ways, upsampling that more than a convolution reads */
static NNGraph *mixed(void)
{
    NNGraph *g = av_mallocz(sizeof(*g));

    node(g, NN_INPUT, -1, -1)->c = 3;                       /* 0 */
    conv(g, 0, 20, 5, 1, 1, NN_ACT_RELU);                   /* 1 */
    conv(g, 1, 20, 3, 1, 20, NN_ACT_LRELU);                 /* 2: depthwise */
    node(g, NN_ADD, 1, 2)->scale[0] = 0.5f;                 /* 3 */
    g->nodes[3].scale[1] = -1.5f;
    node(g, NN_CONCAT, 1, 3);                               /* 4: 40 channels, the second 20 begin within a plane */
    conv(g, 4, 12, 1, 1, 1, NN_ACT_NONE);                   /* 5 */
    node(g, NN_ACT, 5, -1)->act = NN_ACT_LRELU;             /* 6 */
    g->nodes[6].alpha = -0.3f;
    conv(g, 6, 16, 3, 2, 1, NN_ACT_RELU);                   /* 7: half the size */
    node(g, NN_UPSAMPLE, 7, -1)->factor = 2;                /* 8 */
    node(g, NN_SHUFFLE, 7, -1)->factor = 2;                 /* 9: 4 channels */
    node(g, NN_CONCAT, 8, 9);                               /* 10 */
    conv(g, 10, 32, 3, 1, 1, NN_ACT_LRELU);                 /* 11 */
    node(g, NN_UNSHUFFLE, 11, -1)->factor = 2;              /* 12: 128 channels */
    conv(g, 12, 48, 3, 1, 1, NN_ACT_LRELU);                 /* 13 */
    node(g, NN_ADD, 13, 13)->scale[0] = 0.75f;              /* 14 */
    g->nodes[14].scale[1] = 0.25f;
    node(g, NN_SHUFFLE, 14, -1)->factor = 4;                /* 15: 3 channels, twice the picture */
    snprintf(g->arch, sizeof(g->arch), "a net of everything");
    channels(g);
    if (ff_nn_graph_finish(g, "mixed", NULL) < 0)
        ff_nn_graph_free(&g);
    return g;
}

static int count(const NNGraph *g, enum NNCudaKernel first, enum NNCudaKernel last, int *sums, size_t *bytes)
{
    NNCudaPlan p;
    int nb = 0;

    *sums = 0;
    if (ff_nn_cuda_plan(&p, g, NULL) < 0)
        return -1;
    for (int i = 0; i < p.nb_steps; i++) {
        nb += p.steps[i].kernel >= first && p.steps[i].kernel <= last;
        *sums += p.steps[i].kernel < NN_CUDA_CONV_ANY && p.steps[i].other >= 0;
    }
    *bytes = ff_nn_cuda_plan_size(&p, 64, 64);
    ff_nn_cuda_plan_free(&p);
    return nb;
}

static void test_plans(void)
{
    const size_t plane = 64 * 64 * 16;
    NNGraph *g = srvgg(64, 6, 4);
    size_t bytes;
    int nb, sums;

    nb = count(g, NN_CUDA_CONV_ANY, NN_CUDA_SUM, &sums, &bytes);
    tap_ok(!nb && bytes <= (8 + 8 + 1) * plane, "%s: convolutions only, two tensors at a time (%zu bytes)",
           g->arch, bytes);
    ff_nn_graph_free(&g);
    g = rrdb(64, 32, 3, 3);
    nb = count(g, NN_CUDA_CONV_ANY, NN_CUDA_GATHER, &sums, &bytes);
    tap_ok(!nb && sums == 3 * 3 + 1, "%s: nothing is copied, upsampled or concatenated; %d sums by convolutions",
           g->arch, sums);
    nb = count(g, NN_CUDA_SUM, NN_CUDA_SUM, &sums, &bytes);
    tap_ok(nb == 3, "%s: %d sums of blocks alone", g->arch, nb);
    ff_nn_graph_free(&g);
}

/* ---- what does not go ---------------------------------------------------------------------------- */

static void test_limits(void)
{
    NNGraph *g = srvgg(16, 1, 2);
    Planes in = planes(20, 10), out = planes(40, 20);
    NNCudaTile t = { .in_stride = in.stride, .out_stride = out.stride, .w = 20, .h = 10, .mark = 3 };
    int flag = 0, ret;
    NNCuda *n;

    for (int c = 0; c < 3; c++) {
        t.in[c]  = in.p[c];
        t.out[c] = out.p[c];
        for (int i = 0; i < 200; i++)
            in.p[c][i / 20 * in.stride + i % 20] = 0.5f;
    }
    in.p[1][4 * in.stride + 7] = NAN;
    t.flag = &flag;
    ff_nn_cuda_open(&n, NULL, NULL, g, NN_PREC_FP16, NULL);
    ret = ff_nn_cuda_reserve(n, 20, 10);
    tap_ok(ret >= 0 && ff_nn_cuda_run(n, &t) >= 0 && flag == 3, "a result that is not finite leaves the mark");
    t.w = 21;
    tap_ok(ff_nn_cuda_run(n, &t) == AVERROR(EINVAL), "a tile larger than what was reserved");
    tap_ok(ff_nn_cuda_reserve(n, 16384, 16) == AVERROR(ENOMEM) && ff_nn_cuda_bytes(n, 16384, 16) == SIZE_MAX,
           "a tensor of more than 32767 pixels");
    mock_device.memory_free = 1 << 20;
    tap_ok(ff_nn_cuda_reserve(n, 1000, 1000) == AVERROR(ENOMEM), "more memory than there is");
    mock_device.memory_free = 1 << 30;
    ff_nn_cuda_close(&n);
    tap_ok(ff_nn_cuda_open(&n, NULL, NULL, g, NN_PREC_FP32, NULL) == AVERROR(ENOSYS) && !n, "no fp32");
    mock_device.capability = 61;
    tap_ok(ff_nn_cuda_open(&n, NULL, NULL, g, NN_PREC_AUTO, NULL) == AVERROR(ENOSYS) && !n, "no tensor cores");
    mock_device.capability = 75;
    g->nodes[1].weight[0] = 70000;
    tap_ok(ff_nn_cuda_open(&n, NULL, NULL, g, NN_PREC_AUTO, NULL) == AVERROR(ENOSYS) && !n, "a weight beyond fp16");
    ff_nn_graph_free(&g);
    av_free(in.mem);
    av_free(out.mem);
}

/* ---- official weights, photographs' sizes cut short ------------------------------------------------ */

static void test_official(const char *name, double min, int max_codes)
{
    const char *dir = getenv("SHARED");
    char path[1024];
    NNGraph *g = NULL;

    snprintf(path, sizeof(path), "%s/models/%s", dir ? dir : "../shared", name);
    if (ff_nn_graph_load(&g, path, NULL) < 0) {
        tap_skip("%s: not there (SHARED)", name);
        return;
    }
    test_net(g, 40, 25, 0, min, max_codes, 1);
    ff_nn_graph_free(&g);
}

int main(void)
{
    NNGraph *g;

    av_log_set_level(getenv("V") ? AV_LOG_VERBOSE : AV_LOG_QUIET);
    test_plans();
    test_nets();
    test_shapes();
    g = mixed();
    if (tap_ok(!!g, "a net of everything is valid")) {
        test_net(g, 26, 14, 0, 60, 1, 4);
        test_net(g, 2, 2, 0, 60, 1, 5);
        ff_nn_graph_free(&g);
    }
    test_limits();
    test_official("realesr-general-x4v3.safetensors", 50, 2);
    test_official("realesr-animevideov3.safetensors", 50, 2);
    return tap_done();
}
