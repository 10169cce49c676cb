/*
 * Nets on a GPU: right against plain sums, how fast, whether memory stays
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

/* netbench parity NET WxH          tensor cores against the scalar kernels, and engine ref if that is not too long
 * netbench sizes NET NB MAX        the same for NB random sizes of up to MAX a side
 * netbench speed NET WxH SECONDS   after so many seconds of warming up
 * netbench memory NET FRAMES       free memory of the device before and after
 * NET: a file, builtin, or rrdb:FEATURES,GROWTH,BLOCKS of seeded weights
 * Prints lines of name=value, apart by tabs. Exit status: 0, 1 not right, 77 there is no GPU that can be used. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../nets.h"

#include "libavfilter/nn_cuda.h"
#include "libavutil/common.h"
#include "libavutil/hwcontext.h"
#include "libavutil/hwcontext_cuda_internal.h"
#include "libavutil/macros.h"
#include "libavutil/time.h"

#define NO_GPU 77
#define EDGE   32               ///< floats that guard a row, and rows that guard a plane's ends: 1
#define ROUNDS 5
#define REF_MACS 4e9            ///< what engine ref is asked for at most

static AVBufferRef *device;

static int fail(const char *what, int err)
{
    printf("netbench: %s: %s\n", what, av_err2str(err));
    return 1;
}

static int open_device(void)
{
    if (av_hwdevice_ctx_create(&device, AV_HWDEVICE_TYPE_CUDA, NULL, NULL, 0) >= 0)
        return 0;
    printf("no usable GPU: the driver finds none that works\n");
    return NO_GPU;
}

static NNGraph *load(const char *name)
{
    NNGraph *g = NULL;
    NNDict d = { 0 };
    int f, growth, blocks;

    if (sscanf(name, "rrdb:%d,%d,%d", &f, &growth, &blocks) == 3) {
        nets_rrdb(&d, 1, f, growth, blocks, 3, 0);
        ff_nn_graph_from_dict(&g, &d, name, NULL);
        ff_nn_dict_free(&d);
    } else {
        ff_nn_graph_load(&g, name, NULL);
    }
    return g;
}

/* ---- planes on the device, between guards ------------------------------------------------ */

static const float canary = -12345;

typedef struct Planes {
    CudaBuffer mem;
    float *host, *p[3];         ///< content, and where the planes begin on the device
    size_t nb;
    ptrdiff_t stride;
    int w, h;
} Planes;

static size_t planes_at(const Planes *p, int c, int x, int y)
{
    return ((size_t)c * (p->h + 2) + y + 1) * p->stride + EDGE + x;
}

/* seed 0: all guards, for a result */
static int planes_open(Planes *p, CudaFilter *cf, int w, int h, uint32_t seed)
{
    *p = (Planes){ .stride = w + 2 * EDGE, .w = w, .h = h };
    p->nb   = 3 * (size_t)p->stride * (h + 2);
    p->host = malloc(p->nb * sizeof(float));
    if (!p->host)
        return AVERROR(ENOMEM);
    for (size_t i = 0; i < p->nb; i++)
        p->host[i] = canary;
    for (int c = 0; c < 3 && seed; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                p->host[planes_at(p, c, x, y)] = (nets_rand(&seed) >> 24) / 255.0f;
    if (ff_cudafilter_upload(cf, &p->mem, p->host, p->nb * sizeof(float)) < 0)
        return AVERROR(ENOMEM);
    for (int c = 0; c < 3; c++)
        p->p[c] = (float *)p->mem.data + planes_at(p, c, 0, 0);
    return 0;
}

static void planes_close(Planes *p, CudaFilter *cf)
{
    ff_cudafilter_buffer_free(cf, &p->mem);
    free(p->host);
}

/* @return whether all guards are as they were */
static int planes_fetch(Planes *p, CudaFilter *cf)
{
    int good = ff_cudafilter_download(cf, p->host, p->mem.data, p->nb * sizeof(float)) >= 0;

    for (int y = -1; y < 3 * (p->h + 2) - 1 && good; y++)
        for (int x = -EDGE; x < p->w + EDGE; x++) {
            const int row = (y + 1) % (p->h + 2) - 1;
            if ((row < 0 || row >= p->h || x < 0 || x >= p->w) && p->host[planes_at(p, 0, x, y)] != canary)
                return 0;
        }
    return good;
}

/* ---- runs ---------------------------------------------------------------------------------- */

static NNCudaTile whole(const Planes *in, const Planes *out)
{
    NNCudaTile t = { .in_stride = in->stride, .out_stride = out->stride, .w = in->w, .h = in->h };

    for (int c = 0; c < 3; c++) {
        t.in[c]  = in->p[c];
        t.out[c] = out->p[c];
    }
    return t;
}

/* the picture of a seed through the net; out->host has the result. @return 0 or an error */
static int run_once(const NNGraph *g, int w, int h, uint32_t seed, int scalar, Planes *out)
{
    CudaFilter *cf;
    NNCudaTile t;
    NNCuda *n;
    Planes in;
    int ret;

    if (scalar)
        setenv("FFREEL_CUDA_SCALAR", "1", 1);
    ret = ff_nn_cuda_open(&n, NULL, device, g, NN_PREC_AUTO, NULL);
    unsetenv("FFREEL_CUDA_SCALAR");
    if (ret < 0)
        return ret;
    cf = ff_nn_cuda_filter(n);
    if ((ret = planes_open(&in, cf, w, h, seed)) >= 0 &&
        (ret = planes_open(out, cf, w * g->scale, h * g->scale, 0)) >= 0 && (ret = ff_nn_cuda_reserve(n, w, h)) >= 0) {
        t   = whole(&in, out);
        ret = ff_nn_cuda_run(n, &t);
        if (ret >= 0 && (!planes_fetch(out, cf) || !planes_fetch(&in, cf)))
            ret = AVERROR_BUG;      /* a guard was written to */
    }
    ff_cudafilter_buffer_free(cf, &out->mem);
    planes_close(&in, cf);
    ff_nn_cuda_close(&n);
    return ret;
}

typedef struct Difference {
    double db;
    int codes;
} Difference;

static Difference compare(const Planes *a, const Planes *b)
{
    Difference d = { 0 };
    double sum = 0;

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < a->h; y++)
            for (int x = 0; x < a->w; x++) {
                const double u = a->host[planes_at(a, c, x, y)], v = b->host[planes_at(b, c, x, y)];
                const int k = abs((int)lrint(av_clipd(u, 0, 1) * 255) - (int)lrint(av_clipd(v, 0, 1) * 255));
                sum += (u - v) * (u - v);
                d.codes = FFMAX(d.codes, k);
            }
    d.db = sum > 0 ? 10 * log10(3. * a->w * a->h / sum) : isnan(sum) ? -1 : 200;
    return d;
}

/* what engine ref makes of the same picture */
static int run_ref(const NNGraph *g, int w, int h, uint32_t seed, Planes *out)
{
    float *in = malloc(3 * sizeof(float) * w * h), *o = malloc(3 * sizeof(float) * w * h * g->scale * g->scale);
    int ret;

    *out = (Planes){ .stride = w * g->scale + 2 * EDGE, .w = w * g->scale, .h = h * g->scale };
    out->host = malloc(3 * (size_t)out->stride * (out->h + 2) * sizeof(float));
    for (int i = 0; i < 3 * w * h; i++)
        in[i] = (nets_rand(&seed) >> 24) / 255.0f;
    ret = nets_run("ref", g, in, w, h, o, 0, 0);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < out->h; y++)
            memcpy(out->host + planes_at(out, c, 0, y), o + ((size_t)c * out->h + y) * out->w, out->w * sizeof(float));
    free(in);
    free(o);
    return ret;
}

/* @return 0, or an error; scalar and ref may be NULL */
static int measure(const NNGraph *g, int w, int h, uint32_t seed, Difference *scalar, Difference *ref)
{
    Planes fast = { 0 }, slow = { 0 }, host = { 0 };
    int ret = run_once(g, w, h, seed, 0, &fast);

    if (ret >= 0 && scalar && (ret = run_once(g, w, h, seed, 1, &slow)) >= 0)
        *scalar = compare(&fast, &slow);
    if (ret >= 0 && ref && (ret = run_ref(g, w, h, seed, &host)) >= 0)
        *ref = compare(&fast, &host);
    free(fast.host);
    free(slow.host);
    free(host.host);
    return ret;
}

static int within(const Difference *d)
{
    return d->db >= 50 && d->codes <= 2;
}

static int parity(const NNGraph *g, int w, int h)
{
    const int with_ref = (double)g->macs * w * h <= REF_MACS;
    Difference scalar, ref;
    int ret = measure(g, w, h, 1, &scalar, with_ref ? &ref : NULL);

    if (ret < 0)
        return fail("parity", ret);
    printf("net=%s\tsize=%dx%d\tscalar_db=%.1f\tscalar_codes=%d", g->arch, w, h, scalar.db, scalar.codes);
    if (with_ref)
        printf("\tref_db=%.1f\tref_codes=%d", ref.db, ref.codes);
    printf("\n");
    return !within(&scalar) || (with_ref && !within(&ref));
}

static int sizes(const NNGraph *g, int nb, int max)
{
    Difference d, worst = { 200, 0 };
    uint32_t seed = 20261126;
    int bad = 0;

    for (int i = 0; i < nb; i++) {
        /* every tenth is one pixel wide or high */
        const int w = (i % 20 == 3 ? 1 : 1 + nets_rand(&seed) % max) * g->align;
        const int h = (i % 20 == 13 ? 1 : 1 + nets_rand(&seed) % max) * g->align;
        const int ret = measure(g, w, h, i + 1, &d, NULL);
        if (ret < 0 || !within(&d)) {
            printf("netbench: %dx%d: %s, %.1f dB, %d codes\n", w, h, ret < 0 ? av_err2str(ret) : "differs",
                   d.db, d.codes);
            bad++;
        }
        worst.db    = FFMIN(worst.db, d.db);
        worst.codes = FFMAX(worst.codes, d.codes);
    }
    printf("net=%s\tsizes=%d\tbad=%d\tworst_db=%.1f\tworst_codes=%d\n", g->arch, nb, bad, worst.db, worst.codes);
    return !!bad;
}

/* ---- times ----------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

/* ms of a frame: median of rounds */
static int time_frames(NNCuda *n, const NNCudaTile *t, double seconds, double *ms)
{
    CudaFilter *cf = ff_nn_cuda_filter(n);
    CudaClock *clock = ff_cudafilter_clock(cf, 2);
    const int64_t end = av_gettime_relative() + seconds * 1e6;
    double round[ROUNDS];
    int nb = 1, ret = clock ? 0 : AVERROR_EXTERNAL;

    do {        /* frames of about a second */
        const int64_t from = av_gettime_relative();
        for (int i = 0; i < nb && ret >= 0; i++)
            ret = ff_nn_cuda_run(n, t);
        if (ret >= 0)
            ret = ff_cudafilter_wait(cf);
        nb = av_clip(nb * 1e6 * seconds / 10 / FFMAX(av_gettime_relative() - from, 1), 1, 10 * nb);
    } while (ret >= 0 && av_gettime_relative() < end);
    for (int r = 0; r < ROUNDS && ret >= 0; r++) {
        ff_cudafilter_mark(cf, clock, 0);
        for (int i = 0; i < nb && ret >= 0; i++)
            ret = ff_nn_cuda_run(n, t);
        ff_cudafilter_mark(cf, clock, 1);
        if (ret >= 0 && (ret = ff_cudafilter_wait(cf)) >= 0)
            ret = ff_cudafilter_elapsed(cf, clock, 0, 1, &round[r]);
    }
    qsort(round, ROUNDS, sizeof(*round), by_value);
    *ms = round[ROUNDS / 2] / nb;
    ff_cudafilter_clock_free(cf, &clock);
    return ret;
}

static int speed(const NNGraph *g, int w, int h, double seconds)
{
    Planes in = { { 0 } }, out = { { 0 } };
    const int64_t start = av_gettime_relative();
    double ms = 0, first = 0;
    NNCudaTile t;
    NNCuda *n;
    int ret = ff_nn_cuda_open(&n, NULL, device, g, NN_PREC_AUTO, NULL);

    if (ret < 0)
        return fail("speed", ret);
    if ((ret = planes_open(&in, ff_nn_cuda_filter(n), w, h, 1)) >= 0 &&
        (ret = planes_open(&out, ff_nn_cuda_filter(n), w * g->scale, h * g->scale, 0)) >= 0 &&
        (ret = ff_nn_cuda_reserve(n, w, h)) >= 0) {
        t = whole(&in, &out);
        if ((ret = ff_nn_cuda_run(n, &t)) >= 0 && (ret = ff_cudafilter_wait(ff_nn_cuda_filter(n))) >= 0) {
            first = (av_gettime_relative() - start) / 1e3;
            ret   = time_frames(n, &t, seconds, &ms);
        }
    }
    if (ret >= 0)
        printf("net=%s\tsize=%dx%d\tms=%.4f\tfps=%.2f\ttflops=%.2f\tfirst_ms=%.0f\tlayers_mib=%zu\tkernels=%s\n",
               g->arch, w, h, ms, 1000 / ms, 2e-9 * g->macs * w * h / ms, first, ff_nn_cuda_bytes(n, w, h) >> 20, ff_nn_cuda_file(n));
    planes_close(&in, ff_nn_cuda_filter(n));
    planes_close(&out, ff_nn_cuda_filter(n));
    ff_nn_cuda_close(&n);
    return ret < 0 ? fail("speed", ret) : 0;
}

static int memory(const NNGraph *g, int frames)
{
    CudaDevice before, after;
    Planes in = { { 0 } }, out = { { 0 } };
    NNCudaTile t;
    NNCuda *n;
    int ret = ff_nn_cuda_open(&n, NULL, device, g, NN_PREC_AUTO, NULL);

    if (ret < 0)
        return fail("memory", ret);
    if ((ret = planes_open(&in, ff_nn_cuda_filter(n), 64, 36, 1)) >= 0 &&
        (ret = planes_open(&out, ff_nn_cuda_filter(n), 64 * g->scale, 36 * g->scale, 0)) >= 0)
        ret = ff_nn_cuda_reserve(n, 64, 36);
    t = whole(&in, &out);
    for (int i = 0; i < frames && ret >= 0; i++) {
        ret = ff_nn_cuda_run(n, &t);
        if (ret >= 0 && (!i || i == frames - 1) && (ret = ff_cudafilter_wait(ff_nn_cuda_filter(n))) >= 0)
            ret = ff_cudafilter_describe(i ? &after : &before, NULL, device);
    }
    planes_close(&in, ff_nn_cuda_filter(n));
    planes_close(&out, ff_nn_cuda_filter(n));
    ff_nn_cuda_close(&n);
    if (ret < 0)
        return fail("memory", ret);
    printf("net=%s\tframes=%d\tfree_before=%zu\tfree_after=%zu\n", g->arch, frames,
           before.memory_free, after.memory_free);
    return after.memory_free < before.memory_free;
}

int main(int argc, char **argv)
{
    int w = 0, h = 0, ret;
    NNGraph *g;

    av_log_set_level(AV_LOG_ERROR);
    if (argc < 4 || (argc > 4 && strcmp(argv[1], "sizes") && strcmp(argv[1], "speed"))) {
        fprintf(stderr, "usage: netbench parity NET WxH | sizes NET NB MAX | speed NET WxH SECONDS | "
                        "memory NET FRAMES\n");
        return 2;
    }
    if ((ret = open_device()))
        return ret;
    if (!(g = load(argv[2])))
        return fail(argv[2], AVERROR_INVALIDDATA);
    sscanf(argv[3], "%dx%d", &w, &h);
    if (!strcmp(argv[1], "parity") && h)
        ret = parity(g, w, h);
    else if (!strcmp(argv[1], "sizes") && argc == 5)
        ret = sizes(g, atoi(argv[3]), FFMAX(atoi(argv[4]), 1));
    else if (!strcmp(argv[1], "speed") && argc == 5 && h)
        ret = speed(g, w, h, atof(argv[4]));
    else
        ret = memory(g, FFMAX(w, 2));
    ff_nn_graph_free(&g);
    av_buffer_unref(&device);
    return ret;
}
