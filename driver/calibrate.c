/*
 * ffreel: measures one ffmpeg process against several
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
#include <sys/stat.h>
#include <unistd.h>

#include "libavutil/mem.h"

#include "driver.h"

#define WINDOW   3000000        // us of steady work that a trial watches
#define PATIENCE 60000000       // us for the first frame

/** One trial: frames a second of n processes together, after their first frames. */
typedef struct Trial {
    double  fps, start;
    int64_t rss_kb;
} Trial;

/* enough is known: the window is over, or the whole job takes only seconds */
static int seen_enough(const Child *c, int n, int64_t frames, int64_t began)
{
    int64_t first = 0;
    double fps;

    for (int i = 0; i < n; i++) {
        if (!c[i].first && c[i].pid)
            return now_us() - began > PATIENCE;
        first = FFMAX(first, c[i].first);
    }
    if (now_us() - first > WINDOW)
        return 1;
    if (n > 1 || c[0].changed - first < 500000)
        return 0;
    fps = c[0].frame * 1e6 / (c[0].changed - first);
    return frames / fps < 20;
}

/* frames of c since its own first report, over the time that took; of one that was done
 * before a second report (or whose reports came all at once) all of them, the start with them */
static double rate_of(const Child *c, int64_t at_first)
{
    if (c->changed > c->first && c->frame > at_first)
        return (c->frame - at_first) * 1e6 / (c->changed - c->first);
    return c->first > c->started ? c->frame * 1e6 / (c->changed - c->started) : 0;
}

static int trial(Trial *t, const Plan *p, const char *log_name, int n, int threads, const char *gpus)
{
    const int64_t began = now_us();
    const int a = p->x.nb / 3;
    Child *c = need(av_calloc(n, sizeof(*c)));
    int64_t *at_first = need(av_calloc(n, sizeof(*at_first)));
    struct pollfd *f = need(av_calloc(n + 1, sizeof(*f)));
    char gpu[16] = "";
    StrList argv = { 0 };
    int running = 0, ret = 0, log, done = 0;

    *t = (Trial){ 0 };
    command_trial(&argv, p, a, p->x.nb, threads);
    log = log_open(log_name, &argv);
    if (log < 0)
        ret = fail(FAIL_IO, "%s: %s", log_name, strerror(errno));
    if (gpus)
        snprintf(gpu, sizeof(gpu), "%.*s", (int)strcspn(gpus, ","), gpus);
    for (int i = 0; i < n && !ret; i++) {
        ret = child_start(&c[i], &argv, p->cwd, log, *gpu ? gpu : NULL);
        running += !ret;
    }
    while (running && !ret && !done) {
        for (int i = 0; i < n; i++)
            f[i] = (struct pollfd){ c[i].pid ? c[i].fd : -1, POLLIN };
        f[n] = (struct pollfd){ signals_fd, POLLIN };
        poll(f, n + 1, 50);
        for (int i = 0; i < n; i++) {
            if (!c[i].pid)
                continue;
            child_read(&c[i]);
            if (c[i].first && !at_first[i])
                at_first[i] = c[i].frame;
            /* the first to finish ends a trial: less than n would run on */
            done |= f[i].revents != 0;
        }
        if (signals_pending())
            ret = FAIL_STOPPED;
        done |= seen_enough(c, n, p->x.nb, began);
    }
    for (int i = 0; i < n; i++) {
        if (!c[i].pid)
            continue;
        t->fps   += rate_of(&c[i], at_first[i]);
        t->start += (c[i].first ? c[i].first - c[i].started : PATIENCE) / 1e6 / n;
        child_signal(&c[i], SIGKILL);
        child_reap(&c[i]);
        t->rss_kb = FFMAX(t->rss_kb, c[i].maxrss_kb);
    }
    if (!ret && t->fps <= 0) {
        char *why = log_reason(log_name);
        ret = fail(FAIL_INPUT, "a trial of the command made no frames: %s (log: %s)", why, log_name);
        av_free(why);
    }
    if (log >= 0)
        close(log);
    list_free(&argv);
    av_free(f);
    av_free(at_first);
    av_free(c);
    return ret;
}

// ---- remembered results ------------------------------------------------------------------

/* what the speed depends on; the caller frees */
static char *cache_path(const Plan *p, int workers, const char *gpus)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const char *program = "";
    const char *name;
    json_t *v;
    char *dir = base ? strf("%s/ffreel", base) : strf("%s/.cache/ffreel", home ? home : "/tmp"), *text, *path, hash[33];
    char *video = list_shell(&p->video), *in = list_shell(&p->in);

    json_object_foreach(p->fingerprint, name, v)
        if (!strncmp(name, "program ", 8))
            program = json_string_value(v);
    text = strf("%s|%s|%s|%s|%d|%ld|%s|%s", p->vf, video, in, program, workers, sysconf(_SC_NPROCESSORS_ONLN), gpus ? gpus : "",
                p->input);
    hash_text(text, hash);
    path = strf("%s/speed-%s.json", dir, hash);
    /* a cache that cannot be made is none */
    *strrchr(dir, '/') = 0;
    mkdir(dir, 0777);
    dir[strlen(dir)] = '/';
    mkdir(dir, 0777);
    av_free(dir);
    av_free(text);
    av_free(video);
    av_free(in);
    return path;
}

static int cached(Speed *s, const char *path)
{
    char *text = read_text(path);
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    const int ok = j && !json_unpack(j, "{s:F, s:F, s:F, s:i}", "fps_one", &s->fps1, "fps_all", &s->fpsn, "start_s", &s->start,
                                     "workers", &s->workers) && s->fps1 > 0 && s->fpsn > 0 && s->workers > 0;

    json_decref(j);
    av_free(text);
    return ok;
}

static void remember(const Speed *s, const char *path)
{
    json_t *j = need(json_pack("{s:f, s:f, s:f, s:i}", "fps_one", s->fps1, "fps_all", s->fpsn, "start_s", s->start,
                               "workers", s->workers));

    json_dump_file(j, path, JSON_INDENT(1));
    json_decref(j);
}

static int64_t available_kb(void)
{
    char *at;
    char buf[4096] = "";
    FILE *f = fopen("/proc/meminfo", "r");
    int64_t kb = INT64_MAX;

    if (f) {
        if (fread(buf, 1, sizeof(buf) - 1, f) > 0 && (at = strstr(buf, "MemAvailable:")))
            kb = strtoll(at + 13, NULL, 10);
        fclose(f);
    }
    return kb;
}

int calibrate(Speed *s, const Plan *p, const Options *o, int workers)
{
    char *path = cache_path(p, workers, o->gpus), *log = strf("%s.log", path);
    Trial one, all;
    int ret = 0;

    *s = (Speed){ 0 };
    if (o->calibrate == 1 && cached(s, path))
        goto end;
    say(0, "measuring one process, then %d", workers);
    unlink(log);
    if ((ret = trial(&one, p, log, 1, 0, o->gpus)))
        goto end;
    *s = (Speed){ .fps1 = one.fps, .fpsn = one.fps, .start = one.start, .workers = 1 };
    /* a job of seconds: nothing can be won */
    if (p->x.nb / one.fps < 20 && o->calibrate < 2)
        goto end;
    workers = FFMIN(workers, FFMAX(1, (int)FFMIN(available_kb() / 5 * 4 / FFMAX(one.rss_kb, 1), 512)));
    if (workers < 2)
        goto end;
    if ((ret = trial(&all, p, log, workers, FFMAX(1, (int)(sysconf(_SC_NPROCESSORS_ONLN) / workers)), o->gpus)))
        goto end;
    s->fpsn    = all.fps;
    s->workers = workers;
    remember(s, path);
end:
    av_free(path);
    av_free(log);
    return ret;
}
