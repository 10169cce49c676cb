/*
 * ffreel: many segments on this machine
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

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libavutil/avstring.h"
#include "libavutil/mem.h"

#include "driver.h"

/** A place where one process runs. */
typedef struct Slot {
    Child       c;
    int         seg;                    ///< -1: free
    const char *gpu;
    int         lost;                   ///< its GPU is: nothing is given to it any more
    int64_t     stalled;                ///< us; when it was told to end for standing still
    int64_t     idle;                   ///< us; since when
    Stages      stages;
    const char *limit;
} Slot;

typedef struct Pool {
    Plan    *p;
    const Options *o;
    Slot    *slot;
    int      nb_slots, running;
    uint8_t *todo;                      ///< per segment: 1 = to be done
    uint8_t *tries;
    int     *order;                     ///< longest first
    int      left;
    int      ret;                       ///< why no more are started
    int      shortage_told;
    int64_t  bytes, frames;             ///< of finished segments, for the forecast
    int64_t  killed;
    int64_t  dispatch;                  ///< us that places stood idle while there was work
    double   frame_us;                  ///< of one process, mean
    StrList  gpus;
} Pool;

static int *sort_cut;

static int longer(const void *a, const void *b)
{
    const int i = *(const int *)a, k = *(const int *)b;
    const int x = sort_cut[i + 1] - sort_cut[i], y = sort_cut[k + 1] - sort_cut[k];

    return x != y ? (x < y) - (x > y) : (i > k) - (i < k);
}

static int next_segment(const Pool *q)
{
    for (int i = 0; i < q->p->nb_segs; i++)
        if (q->todo[q->order[i]])
            return q->order[i];
    return -1;
}

/* Free space: below the low-water mark nothing is started. What is to come is
 * forecast from what has been written, once more for the joined file. */
static int space_left(Pool *q)
{
    const int64_t room = free_bytes(q->p->dir);

    if (room < q->o->min_free) {
        q->ret = fail(FAIL_IO, "%s: %.0f MB free, less than %.0f (--min-free): make room, then the same command goes on",
                      q->p->dir, room / 1e6, q->o->min_free / 1e6);
        return 0;
    }
    if (q->frames && !q->shortage_told) {
        const double per = (double)q->bytes / q->frames;
        const double need_bytes = per * (q->p->x.nb - q->frames) + per * q->p->x.nb * 1.1;
        if (need_bytes > room) {
            q->shortage_told = 1;
            say(0, "%s: about %.0f MB will be needed, %.0f are free", q->p->dir, need_bytes / 1e6, room / 1e6);
        }
    }
    return 1;
}

static void start_some(Pool *q)
{
    for (int i = 0; i < q->nb_slots && !q->ret; i++) {
        Slot *s = &q->slot[i];
        const int seg = next_segment(q);
        if (s->seg >= 0 || s->lost || seg < 0)
            continue;
        if (!space_left(q))
            return;
        q->ret = segment_start(q->p, seg, s->gpu, &s->c);
        if (q->ret)
            return;
        q->dispatch += now_us() - s->idle;
        q->todo[seg] = 0;
        q->tries[seg]++;
        s->seg     = seg;
        s->stalled = 0;
        s->limit   = NULL;
        s->stages  = (Stages){ 0 };
        q->running++;
        progress_event("start", seg, s->gpu ? s->gpu : "");
    }
}

/* Bad input fails the same way again. A crash or a wrong result gets one more try, a
 * lost GPU's segment another GPU, a full disk one more once there is room. */
static void judge(Pool *q, Slot *s, int seg, int cause)
{
    int may = q->tries[seg] < 2;

    if (cause == FAIL_GPU) {
        int others = 0;
        for (int i = 0; i < q->nb_slots; i++)
            others += &q->slot[i] != s && !q->slot[i].lost;
        s->lost = s->gpu && others;
        may     = others || may;
    } else if (cause == FAIL_IO) {
        may = may && free_bytes(q->p->dir) >= FFMAX(q->o->min_free, 1e6);
    } else if (cause != FAIL_WRONG) {
        may = 0;
    }
    if (!may) {
        q->ret = q->ret ? q->ret : cause;
        return;
    }
    say(0, "segment %d: trying once more", seg);
    q->todo[seg] = 1;
}

static void ended(Pool *q, Slot *s)
{
    const int seg = s->seg, nb = q->p->cut[seg + 1] - q->p->cut[seg];
    int64_t busy;
    json_t *j = NULL;
    int ret;

    child_reap(&s->c);
    s->idle = now_us();
    busy = s->idle - s->c.started;
    s->seg = -1;
    q->running--;
    progress_child(seg, NULL, 0, NULL);
    if (s->stalled && !signals_pending()) {
        fail(FAIL_WRONG, "segment %d: stood still at frame %"PRId64" of %d and was ended", seg, s->c.frame, nb);
        s->c.status = s->c.status ? s->c.status : 9;
        ret = FAIL_WRONG;
    } else {
        ret = segment_finish(q->p, seg, &s->c, s->gpu, q->tries[seg]);
    }
    if (ret == FAIL_STOPPED) {
        q->ret = q->ret ? q->ret : ret;
    } else if (ret) {
        progress_event("failed", seg, "");
        judge(q, s, seg, ret);
    } else {
        q->left--;
        q->frames  += nb;
        q->frame_us = q->frame_us ? 0.7 * q->frame_us + 0.3 * busy / nb : (double)busy / nb;
        if (segment_done(q->p, seg, &j))
            q->bytes += json_integer_value(json_object_get(j, "bytes"));
        json_decref(j);
        progress_done(nb);
        progress_event("done", seg, "");
    }
}

static double stall_limit(const Pool *q)
{
    if (q->o->stall)
        return q->o->stall * 1e6;
    return FFMAX(60e6, 20 * q->frame_us);
}

static void watch(Pool *q, Slot *s)
{
    const int64_t still = now_us() - s->c.changed;

    child_read(&s->c);
    s->limit = stage_limit(&s->stages, s->c.pid);
    progress_child(s->seg, &s->c, q->p->cut[s->seg + 1] - q->p->cut[s->seg], s->limit);
    /* nothing is known of a first frame's cost: start-up may build or load much */
    if (!s->stalled && still > (s->c.first || q->o->stall ? 1 : 5) * stall_limit(q)) {
        s->stalled = now_us();
        child_signal(&s->c, SIGTERM);
    } else if (s->stalled && now_us() - s->stalled > 3000000) {
        child_signal(&s->c, SIGKILL);
    }
}

static void stop_all(Pool *q)
{
    const int again = q->killed && now_us() - q->killed > 3000000;

    if (q->killed && !again)
        return;
    if (!q->killed)
        q->killed = now_us();
    for (int i = 0; i < q->nb_slots; i++)
        if (q->slot[i].seg >= 0)
            child_signal(&q->slot[i].c, again ? SIGKILL : SIGTERM);
}

static void loop(Pool *q)
{
    struct pollfd *f = need(av_calloc(2 * q->nb_slots + 1, sizeof(*f)));

    while (q->left > 0 || q->running) {
        if (!q->ret && !signals_pending())
            start_some(q);
        if (!q->running)
            break;
        for (int i = 0; i < q->nb_slots; i++) {
            const int on = q->slot[i].seg >= 0;
            f[2 * i]     = (struct pollfd){ on ? q->slot[i].c.fd   : -1, POLLIN };
            f[2 * i + 1] = (struct pollfd){ on ? q->slot[i].c.pipe : -1, POLLIN };
        }
        f[2 * q->nb_slots] = (struct pollfd){ signals_fd, POLLIN };
        poll(f, 2 * q->nb_slots + 1, 250);
        for (int i = 0; i < q->nb_slots; i++) {
            Slot *s = &q->slot[i];
            if (s->seg < 0)
                continue;
            watch(q, s);
            if ((f[2 * i + 1].revents & POLLHUP) && s->c.pipe >= 0) {
                close(s->c.pipe);
                s->c.pipe = -1;
            }
            if (f[2 * i].revents)
                ended(q, s);
        }
        if (signals_pending())
            stop_all(q);
        progress_draw(0);
    }
    av_free(f);
}

static int slots_make(Pool *q)
{
    char *list = need(av_strdup(q->o->gpus ? q->o->gpus : "")), *save = NULL;

    for (char *g = av_strtok(list, ",", &save); g; g = av_strtok(NULL, ",", &save))
        list_add(&q->gpus, g);
    av_free(list);
    if (q->o->gpus && !q->gpus.nb)
        return fail(FAIL_USAGE, "--gpus %s: must be numbers such as 0,1", q->o->gpus);
    q->nb_slots = q->o->workers ? q->o->workers : q->gpus.nb ? q->gpus.nb * q->o->per_gpu : q->p->workers;
    q->slot = need(av_calloc(q->nb_slots, sizeof(*q->slot)));
    for (int i = 0; i < q->nb_slots; i++) {
        q->slot[i].seg = -1;
        q->slot[i].idle = now_us();
        q->slot[i].gpu = q->gpus.nb ? q->gpus.v[i % q->gpus.nb] : NULL;
    }
    return 0;
}

int pool_run(Plan *p, const Options *o)
{
    const int64_t began = now_us();
    Pool q = { .p = p, .o = o };
    int ret = slots_make(&q), done = 0;

    if (ret)
        return ret;
    q.todo  = need(av_calloc(p->nb_segs, 1));
    q.tries = need(av_calloc(p->nb_segs, 1));
    q.order = need(av_calloc(p->nb_segs, sizeof(*q.order)));
    for (int i = 0; i < p->nb_segs; i++) {
        q.order[i] = i;
        q.todo[i]  = !segment_done(p, i, NULL);
        q.left    += q.todo[i];
        done      += q.todo[i] ? 0 : p->cut[i + 1] - p->cut[i];
    }
    sort_cut = p->cut;
    qsort(q.order, p->nb_segs, sizeof(*q.order), longer);
    if (done)
        say(0, "%d of %d segments are there already", p->nb_segs - q.left, p->nb_segs);
    progress_begin("render", p->x.nb, done);
    loop(&q);
    progress_draw(1);
    if (signals_pending())
        q.ret = FAIL_STOPPED;
    json_object_set_new(p->times, "render_ms", json_integer((now_us() - began) / 1000));
    json_object_set_new(p->times, "dispatch_ms", json_integer(q.dispatch / 1000));
    json_object_set_new(p->times, "workers", json_integer(q.nb_slots));
    list_free(&q.gpus);
    av_free(q.slot);
    av_free(q.todo);
    av_free(q.tries);
    av_free(q.order);
    return q.ret ? q.ret : q.left ? FAIL_WRONG : 0;
}

int verb_run(Options *o)
{
    Plan p;
    char *part = NULL;
    int lock = -1, ret;

    if (o->words.nb != 1)
        return fail(FAIL_USAGE, "ffreel run DIR");
    if ((ret = plan_load(&p, o->words.v[0])) || (ret = plan_take(&p, &lock)))
        goto end;
    if (p.split) {
        ret = pool_run(&p, o);
        if (!ret)
            say(0, "%d segments are there; 'ffreel join %s' makes %s", p.nb_segs, p.dir, p.output);
    } else {
        ret = serial_run(&p, &part);
        if (!ret)
            ret = output_finish(&p, part, o->verify_full);
    }
end:
    if (ret == FAIL_STOPPED)
        fail(ret, "stopped; the same command goes on");
    if (lock >= 0)
        close(lock);
    av_free(part);
    plan_free(&p);
    return ret;
}
