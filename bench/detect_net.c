/*
 * Benchmark: engines for nets of any shape
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
 * usage: detect_net MODEL WIDTHxHEIGHT PRECISION THREADS SLOTS SECONDS [ENGINE]
 *
 * Runs a net on SLOTS images at a time, THREADS threads each, for SECONDS, and prints
 * one line of JSON: ms of a run (median), CPU ms an image (least: what a loaded machine
 * disturbs least), images a second of all slots together.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libavutil/common.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/time.h"
#include "libavfilter/nn_net.h"

#define MAX_SLOTS 64
#define MAX_RUNS  100000

typedef struct Slot {
    NNNetRunner *r;
    const float *in;
    int      nr, failed, runs;
    double   seconds;
    double  *ms, cpu;           ///< of each run; least CPU time
    pthread_t thread;
} Slot;

static double cpu_now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

static void *work(void *arg)
{
    Slot *s = arg;
    /* threads of the run itself count too: then the whole process's time, if it is alone */
    const clockid_t clock = s->nr < 0 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID;
    const double end = av_gettime_relative() / 1e6 + s->seconds;
    NNTensor out[64];

    s->cpu = 1e9;
    do {
        const double cpu = cpu_now(clock);
        const int64_t t = av_gettime_relative();
        s->failed |= s->r->engine->run(s->r->ctx, FFMAX(s->nr, 0), s->in, out) < 0;
        s->ms[s->runs++] = (av_gettime_relative() - t) / 1e3;
        s->cpu = FFMIN(s->cpu, cpu_now(clock) - cpu);
    } while (av_gettime_relative() / 1e6 < end && s->runs < MAX_RUNS && !s->failed);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return FFDIFFSIGN(*(const double *)a, *(const double *)b);
}

static enum NNPrecision precision_of(const char *s)
{
    for (int p = 0; p < NN_PREC_NB; p++)
        if (!strcmp(s, ff_nn_precision_name(p)))
            return p;
    return NN_PREC_NB;
}

int main(int argc, char **argv)
{
    static Slot slots[MAX_SLOTS];
    NNNet *net = NULL, *shaped = NULL;
    NNNetRunner r;
    NNConfig cfg = { 0 };
    int w, h, threads, n, runs = 0, failed = 0;
    double start, seconds;
    float *in;

    if (argc < 7 || sscanf(argv[2], "%dx%d", &w, &h) != 2 || (size_t)w * h > 1 << 26) {
        fprintf(stderr, "usage: %s MODEL WIDTHxHEIGHT PRECISION THREADS SLOTS SECONDS [ENGINE]\n", argv[0]);
        return 2;
    }
    cfg.precision = precision_of(argv[3]);
    threads = FFMAX(atoi(argv[4]), 1);
    n = cfg.nb_slots = av_clip(atoi(argv[5]), 1, MAX_SLOTS);
    seconds = atof(argv[6]);
    in = av_calloc((size_t)3 * w * h, sizeof(*in));
    if (!in || ff_nn_net_load(&net, argv[1], NULL) < 0 || ff_nn_net_shape(&shaped, net, 1, 3, h, w, NULL) < 0 ||
        shaped->nb_outputs > 64 || ff_nn_net_open(&r, argc > 7 ? argv[7] : "onednn", shaped, &cfg, threads) < 0)
        return 1;
    for (int i = 0; i < 3 * w * h; i++)
        in[i] = (i * 7919LL + i / 97) % 256 / 255.0f;
    for (int i = 0; i < n; i++) {
        slots[i] = (Slot){ &r, in, n == 1 ? -1 : i, .ms = malloc(MAX_RUNS * sizeof(double)) };
        work(&slots[i]);                    /* once, to warm up */
        slots[i].runs = 0;
        slots[i].seconds = seconds;
    }
    start = av_gettime_relative() / 1e6;
    for (int i = 0; i < n; i++)
        if (pthread_create(&slots[i].thread, NULL, work, &slots[i]))
            return 1;
    for (int i = 0; i < n; i++) {
        pthread_join(slots[i].thread, NULL);
        runs   += slots[i].runs;
        failed |= slots[i].failed;
    }
    start = av_gettime_relative() / 1e6 - start;
    qsort(slots[0].ms, slots[0].runs, sizeof(double), compare);
    printf("{\"bench\":\"detect_net\",\"model\":\"%s\",\"size\":\"%dx%d\",\"engine\":\"%s\",\"precision\":\"%s\","
           "\"threads\":%d,\"slots\":%d,\"ms\":%.3f,\"cpu_ms\":%.3f,\"per_s\":%.3f,\"gmac\":%.3f}\n",
           argv[1], w, h, r.engine->name, ff_nn_precision_name(r.engine->precision(r.ctx)), threads, n,
           slots[0].ms[slots[0].runs / 2], slots[0].cpu, runs / start, shaped->macs * 1e-9);
    ff_nn_net_close(&r);
    ff_nn_net_free(&shaped);
    ff_nn_net_free(&net);
    for (int i = 0; i < n; i++)
        free(slots[i].ms);
    av_free(in);
    return failed;
}
