/*
 * Benchmark: engines against oneDNN's bare convolutions
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

/*
 * usage: nn MODEL WIDTHxHEIGHT PRECISION THREADS SECONDS [ENGINE]
 *
 * Runs a net on a picture cut into one band a thread, through NNEngine.run(),
 * in turn with the bare convolutions of the same net: the same primitives in the
 * same layout, precision and number of threads, back to back, without
 * activations, halo, input or output; once over whole bands and once over strips
 * that stay in cache, of which the faster counts. Prints one line of JSON:
 * fps and tflops by wall clock, *_cpu by the busiest thread's CPU time, which
 * tells what a loaded machine would do if it were idle.
 */

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libavutil/common.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/time.h"
#include "libavfilter/nn_dnnl.h"
#include "libavfilter/nn_engine.h"

#define MAX_THREADS 64

typedef struct Job {
    const NNGraph *g;
    NNRunner       runner;
    NNTile         tile[MAX_THREADS];
    int            w, h, threads, type;
    int            strip;                       ///< rows of a bare strip, 0 = the whole band
    pthread_t      thread[MAX_THREADS];
    pthread_barrier_t start, stop;
    double         cpu[MAX_THREADS];            ///< seconds of the last run
    int            quit, failed;
    void         (*work)(struct Job *, int);
} Job;

typedef struct Time {
    double wall, cpu;
} Time;

static double now(void)
{
    return av_gettime_relative() / 1e6;
}

static double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void keep_best(Time *best, Time t)
{
    best->wall = FFMIN(best->wall, t.wall);
    best->cpu  = FFMIN(best->cpu,  t.cpu);
}

/* ---- threads ---------------------------------------------------------------------- */

typedef struct Arg {
    Job *job;
    int  i;
} Arg;

static void *thread_main(void *p)
{
    const Arg a = *(Arg *)p;

    for (;;) {
        double t;
        pthread_barrier_wait(&a.job->start);
        if (a.job->quit)
            return NULL;
        t = cpu_now();
        a.job->work(a.job, a.i);
        a.job->cpu[a.i] = cpu_now() - t;
        pthread_barrier_wait(&a.job->stop);
    }
}

/* seconds that all threads need */
static Time run_all(Job *j, void (*work)(Job *, int))
{
    const double start = now();
    Time t = { 0 };

    j->work = work;
    pthread_barrier_wait(&j->start);
    pthread_barrier_wait(&j->stop);
    t.wall = now() - start;
    for (int i = 0; i < j->threads; i++)
        t.cpu = FFMAX(t.cpu, j->cpu[i]);
    return t;
}

/* ---- the engine ------------------------------------------------------------------- */

static void work_engine(Job *j, int i)
{
    if (j->runner.engine->run(j->runner.ctx, i, &j->tile[i]) < 0)
        j->failed = 1;
}

/* one band a thread, with the halo that makes it exact */
static void cut(Job *j, float *in, float *out)
{
    const int w = j->w, h = j->h, s = j->g->scale, n = j->threads, halo = j->g->default_halo;

    for (int i = 0; i < n; i++) {
        const int y0 = h * i / n / j->g->align * j->g->align;
        const int y1 = i == n - 1 ? h : h * (i + 1) / n / j->g->align * j->g->align;
        NNTile t = { .in_stride = w, .out_stride = (ptrdiff_t)w * s, .w = w };
        t.top    = y0 < halo ? y0 : halo;
        t.bottom = h - y1 < halo ? h - y1 : halo;
        t.h      = y1 - y0 + t.top + t.bottom;
        for (int c = 0; c < 3; c++) {
            t.in[c]  = in  + ((size_t)c * h + y0 - t.top) * w;
            t.out[c] = out + ((size_t)c * h + y0) * s * w * s;
        }
        j->tile[i] = t;
    }
}

/* ---- bare convolutions ------------------------------------------------------------ */

typedef struct Bare {
    NNDnnl   *d;
    NNConv  **conv;             ///< by node
    const void **weights;
    NNPacked **packed;
    int      *runs;
    uint8_t  *src, *dst, *scratch;
    float    *bias;
    int       saved;
} Bare;

static Bare bare[MAX_THREADS];

static void bare_free(Job *j, Bare *b)
{
    for (int k = 0; b->conv && k < j->g->nb_nodes; k++) {
        ff_dnnl_conv_free(&b->conv[k]);
        ff_dnnl_packed_free(&b->packed[k]);
    }
    av_freep(&b->conv);
    av_freep(&b->weights);
    av_freep(&b->packed);
    av_freep(&b->runs);
    av_freep(&b->src);
    av_freep(&b->dst);
    av_freep(&b->scratch);
    av_freep(&b->bias);
    ff_dnnl_close(&b->d);
}

/* made by the thread that runs it, as oneDNN wants it */
static void work_bare_open(Job *j, int i)
{
    const NNGraph *g = j->g;
    Bare *b = &bare[i];
    size_t scratch = 64, size = 64;

    b->conv    = av_calloc(g->nb_nodes, sizeof(*b->conv));
    b->weights = av_calloc(g->nb_nodes, sizeof(*b->weights));
    b->packed  = av_calloc(g->nb_nodes, sizeof(*b->packed));
    b->runs    = av_calloc(g->nb_nodes, sizeof(*b->runs));
    b->bias    = av_calloc(NN_MAX_C, sizeof(*b->bias));
    b->saved   = ff_dnnl_enter();
    if (ff_dnnl_open(&b->d, NULL) < 0)
        exit(1);
    for (int k = 0; k < g->nb_nodes; k++) {
        const NNNode *n = &g->nodes[k], *in = &g->nodes[FFMAX(n->in[0], 0)];
        const int rows = j->h / j->threads * n->num / n->den, cols = j->w * n->num / n->den;
        const int first = in->op == NN_INPUT || in->op == NN_UNSHUFFLE;
        NNConvShape s;
        if (n->op != NN_CONV)
            continue;
        memset(&s, 0, sizeof(s));
        s.ic     = in->c;
        s.oc     = n->c;
        s.w      = cols;
        s.h      = j->strip ? j->strip + n->kernel - 1 : rows;
        s.pad_h  = j->strip ? 0 : n->kernel / 2;
        s.pad_w  = n->kernel / 2;
        s.kernel = n->kernel;
        s.stride = n->stride;
        s.groups = n->groups;
        s.src = s.dst = first ? NN_F32 : j->type;
        if (ff_dnnl_conv_create(&b->conv[k], b->d, &s, NULL) < 0 ||
            ff_dnnl_pack(&b->weights[k], &b->packed[k], b->d, b->conv[k], n->weight) < 0)
            exit(1);
        b->runs[k] = j->strip ? (rows + j->strip - 1) / j->strip : 1;
        scratch = FFMAX(scratch, ff_dnnl_conv_scratch(b->conv[k]));
        size    = FFMAX(size, (size_t)s.h * s.w * FFMAX(s.ic, s.oc) * NN_TYPE_SIZE(s.src));
    }
    b->scratch = av_mallocz(scratch);
    b->src     = av_mallocz(size);
    b->dst     = av_mallocz(size);
}

static void work_bare(Job *j, int i)
{
    Bare *b = &bare[i];

    for (int k = 0; k < j->g->nb_nodes; k++)
        for (int r = 0; b->conv[k] && r < b->runs[k]; r++) {
            if (ff_dnnl_conv_run(b->conv[k], b->d, b->src, b->weights[k], b->bias, b->dst, b->scratch) < 0)
                j->failed = 1;
            FFSWAP(uint8_t *, b->src, b->dst);
        }
}

static void work_bare_close(Job *j, int i)
{
    ff_dnnl_leave(bare[i].saved);
    bare_free(j, &bare[i]);
}

/* rows that a strip really has, over those of the band: what rounding up adds */
static double surplus(const Job *j)
{
    const int rows = j->h / j->threads;

    return j->strip ? (double)((rows + j->strip - 1) / j->strip * j->strip) / rows : 1;
}

static Time measure(Job *j, void (*work)(Job *, int), double seconds)
{
    const double end = now() + seconds;
    Time best = run_all(j, work);

    do
        keep_best(&best, run_all(j, work));
    while (now() < end);
    return best;
}

static Time measure_bare(Job *j, int strip, double seconds)
{
    Time t;

    j->strip = strip;
    run_all(j, work_bare_open);
    t = measure(j, work_bare, seconds);
    t.wall /= surplus(j);
    t.cpu  /= surplus(j);
    run_all(j, work_bare_close);
    return t;
}

/* ---- main --------------------------------------------------------------------------- */

static enum NNPrecision precision_of(const char *s)
{
    for (int p = 0; p < NN_PREC_NB; p++)
        if (!strcmp(s, ff_nn_precision_name(p)))
            return p;
    return NN_PREC_NB;
}

static void report(const Job *j, const char *model, Time t, Time bare)
{
    const double tflop = 2e-12 * j->g->macs * j->w * j->h;

    printf("{\"bench\":\"nn\",\"model\":\"%s\",\"arch\":\"%s\",\"size\":\"%dx%d\",\"engine\":\"%s\",\"precision\":\"%s\","
           "\"threads\":%d,\"fps\":%.3f,\"tflops\":%.4f,\"bare_fps\":%.3f,\"bare_tflops\":%.4f,\"of_bare\":%.4f,"
           "\"fps_cpu\":%.3f,\"tflops_cpu\":%.4f,\"bare_fps_cpu\":%.3f,\"of_bare_cpu\":%.4f}\n",
           model, j->g->arch, j->w, j->h, j->runner.engine->name,
           ff_nn_precision_name(j->runner.engine->precision(j->runner.ctx)), j->threads,
           1 / t.wall, tflop / t.wall, 1 / bare.wall, tflop / bare.wall, bare.wall / t.wall,
           1 / t.cpu, tflop / t.cpu, 1 / bare.cpu, bare.cpu / t.cpu);
}

int main(int argc, char **argv)
{
    static const int strips[] = { 0, 4, 8, 16 };
    static Job j;
    NNGraph *g = NULL;
    NNConfig cfg = { 0 };
    Arg args[MAX_THREADS];
    float *in, *out;
    double seconds;
    Time t, bare_t = { 1e9, 1e9 };

    if (argc < 6 || sscanf(argv[2], "%dx%d", &j.w, &j.h) != 2) {
        fprintf(stderr, "usage: %s MODEL WIDTHxHEIGHT PRECISION THREADS SECONDS [ENGINE]\n", argv[0]);
        return 2;
    }
    j.threads = cfg.nb_slots = av_clip(atoi(argv[4]), 1, MAX_THREADS);
    seconds   = atof(argv[5]);
    cfg.precision = precision_of(argv[3]);
    if (ff_nn_graph_load(&g, argv[1], NULL) < 0 ||
        ff_nn_runner_open(&j.runner, argc > 6 ? argv[6] : "onednn", g, &cfg) < 0)
        return 1;
    j.g    = g;
    j.type = j.runner.engine->precision(j.runner.ctx) == NN_PREC_BF16 ? NN_BF16 : NN_F32;
    in  = av_calloc((size_t)3 * j.w * j.h, sizeof(*in));
    out = av_calloc((size_t)3 * j.w * j.h * g->scale * g->scale, sizeof(*out));
    if (!in || !out)
        return 1;
    for (int i = 0; i < 3 * j.w * j.h; i++)
        in[i] = (i * 7919LL + i / 97) % 256 / 255.0f;
    cut(&j, in, out);
    pthread_barrier_init(&j.start, NULL, j.threads + 1);
    pthread_barrier_init(&j.stop, NULL, j.threads + 1);
    for (int i = 0; i < j.threads; i++) {
        args[i] = (Arg){ &j, i };
        if (pthread_create(&j.thread[i], NULL, thread_main, &args[i]))
            return 1;
    }

    /* the engine before and after: the load of the machine varies */
    t = measure(&j, work_engine, seconds);
    for (int i = 0; i < FF_ARRAY_ELEMS(strips); i++)
        keep_best(&bare_t, measure_bare(&j, strips[i], seconds / 4));
    keep_best(&t, measure(&j, work_engine, seconds));
    report(&j, argv[1], t, bare_t);

    j.quit = 1;
    pthread_barrier_wait(&j.start);
    for (int i = 0; i < j.threads; i++)
        pthread_join(j.thread[i], NULL);
    ff_nn_runner_close(&j.runner);
    ff_nn_graph_free(&g);
    av_free(in);
    av_free(out);
    return j.failed;
}
