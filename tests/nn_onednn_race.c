/*
 * Primitives made by several threads at once: the same bytes, every time
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

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "libavutil/log.h"
#include "nn_engine.h"
#include "tap.h"

/*
 * oneDNN 2.6 made wrong bf16 kernels in about one process of a hundred when two
 * slots created theirs at the same moment. Here every round opens the engine
 * anew, without oneDNN's own cache, and starts all slots together.
 */
#define SLOTS  3
#define ROUNDS 120
#define EDGE   37

typedef struct Slot {
    NNRunner *r;
    pthread_barrier_t *start;
    int nr, ret, w, h;
    float in[3][EDGE * EDGE];
    float out[3][16 * EDGE * EDGE];
} Slot;

static void *run(void *arg)
{
    Slot *s = arg;
    NNTile t = { .w = s->w, .h = s->h, .in_stride = EDGE, .out_stride = 4 * EDGE };

    for (int c = 0; c < 3; c++) {
        t.in[c]  = s->in[c];
        t.out[c] = s->out[c];
    }
    pthread_barrier_wait(s->start);
    s->ret = s->r->engine->run(s->r->ctx, s->nr, &t);
    return NULL;
}

static int round_of(const NNGraph *g, const NNConfig *cfg, Slot *slots)
{
    pthread_t threads[SLOTS];
    pthread_barrier_t start;
    NNRunner r = { 0 };
    int ret = ff_nn_runner_open(&r, "onednn", g, cfg);

    if (ret < 0)
        return ret;
    pthread_barrier_init(&start, NULL, SLOTS);
    for (int i = 0; i < SLOTS; i++) {
        slots[i].r = &r;
        slots[i].start = &start;
        pthread_create(&threads[i], NULL, run, &slots[i]);
    }
    for (int i = 0; i < SLOTS; i++) {
        pthread_join(threads[i], NULL);
        if (slots[i].ret < 0)
            ret = slots[i].ret;
    }
    pthread_barrier_destroy(&start);
    ff_nn_runner_close(&r);
    return ret;
}

int main(void)
{
#if CONFIG_LIBDNNL
    static Slot slots[SLOTS], first[SLOTS];
    const NNConfig cfg = { .precision = NN_PREC_AUTO, .nb_slots = SLOTS };
    const NNGraph *g = NULL;
    int wrong = 0, failed = 0;

    setenv("DNNL_PRIMITIVE_CACHE_CAPACITY", "0", 1);
    if (ff_nn_model_ref(&g, "builtin", NULL, 1, NULL) < 0) {
        tap_skip("onednn: this build cannot read the embedded net");
        puts("done - nothing to test");
        return 0;
    }
    for (int i = 0; i < SLOTS; i++) {
        slots[i].nr = i;
        slots[i].w = EDGE - 6 * i;
        slots[i].h = EDGE - 4 * i;
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < EDGE * EDGE; k++)
                slots[i].in[c][k] = (k * 2654435761u >> 24) / 255.0f;
    }
    for (int n = 0; n < ROUNDS && !failed; n++) {
        failed = round_of(g, &cfg, slots) < 0;
        if (!n)
            memcpy(first, slots, sizeof(first));
        for (int i = 0; i < SLOTS; i++)
            wrong += !!memcmp(first[i].out, slots[i].out, sizeof(slots[i].out));
    }
    tap_ok(!failed, "onednn: %d rounds of %d slots run", ROUNDS, SLOTS);
    tap_ok(!wrong, "onednn: kernels made by %d threads at once give the same bytes (%d differ)", SLOTS, wrong);
    ff_nn_model_unref(&g);
#else
    tap_skip("onednn: not in this build");
    puts("done - nothing to test");
    return 0;
#endif
    return tap_done();
}
