/*
 * ffreel: one segment: run, prove, name
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libavutil/mem.h"

#include "driver.h"

int segment_done(const Plan *p, int i, json_t **result)
{
    char *file = seg_path(p, i, p->seg_format), *json = seg_path(p, i, "json"), *text = read_text(json);
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    const char *id = json_string_value(json_object_get(j, "plan"));
    struct stat st;
    const int done = id && !strcmp(id, p->id) && json_integer_value(json_object_get(j, "index")) == i &&
                     !stat(file, &st) && st.st_size == json_integer_value(json_object_get(j, "bytes"));

    if (done && result)
        *result = json_incref(j);
    json_decref(j);
    av_free(text);
    av_free(json);
    av_free(file);
    return done;
}

int segment_start(const Plan *p, int i, const char *gpu, Child *c)
{
    char name[16], *part = seg_path(p, i, "part"), *proof = seg_path(p, i, "frames"), *log, *file = seg_path(p, i, p->seg_format);
    char *json = seg_path(p, i, "json");
    StrList argv = { 0 };
    int fd, ret;

    snprintf(name, sizeof(name), "%05d", i);
    log = log_path(p, name);
    command_segment(&argv, p, i, part, proof);
    fd = log_open(log, &argv);
    if (fd < 0) {
        ret = errno == EWOULDBLOCK
            ? fail(FAIL_CONFIG, "segment %d: another process is rendering it; see 'ffreel status %s'", i, p->dir)
            : fail(FAIL_IO, "%s: %s", log, strerror(errno));
    } else {
        /* what lies there was made for nothing that counts now */
        unlink(json);
        unlink(file);
        unlink(part);
        unlink(proof);
        ret = child_start(c, &argv, p->cwd, fd, gpu);
        close(fd);      // the child has it, and the lock with it
    }
    list_free(&argv);
    av_free(part);
    av_free(proof);
    av_free(log);
    av_free(file);
    av_free(json);
    return ret;
}

/* Each encoded frame's time at the decoder, against the index; behind a filter that
 * makes new frames that time is not known, and its own tells its place in the segment.
 * @return NULL, or what differs */
char *proof_check(const Plan *p, int a, int b, int64_t origin, const char *path)
{
    FILE *f = fopen(path, "r");
    AVRational tbi, tb;
    int64_t in, out;
    char *wrong = NULL;
    int k = a;

    if (!f)
        return strf("%s is missing", path);
    while (!wrong && fscanf(f, "%"SCNd64" %d/%d %"SCNd64" %d/%d", &in, &tbi.num, &tbi.den, &out, &tb.num, &tb.den) == 6) {
        const int known = tbi.num > 0 && tbi.den > 0;
        if (!known) {
            in  = out;
            tbi = tb;
        }
        if (k < b && (tbi.num < 1 || tbi.den < 1 ||
                      av_compare_ts(in, tbi, plan_time(p, k) - (known ? 0 : origin), p->x.tb)))
            wrong = strf("frame %d %s %.6f s, not %.6f s", k, known ? "came from" : "is at", in * av_q2d(tbi),
                         (plan_time(p, k) - (known ? 0 : origin)) * av_q2d(p->x.tb));
        k++;
    }
    fclose(f);
    if (!wrong && k != b)
        wrong = strf("%d frames were encoded, %d were planned", k - a, b - a);
    return wrong;
}

/* the file itself: NULL, or what is wrong */
static char *check_file(const Plan *p, int i, const char *path, Scan *s)
{
    const int nb = p->cut[i + 1] - p->cut[i];
    const int ret = scan_file(s, path, 0);

    if (ret < 0)
        return strf("cannot be read: %s", av_err2str(ret));
    if (s->nb != nb)
        return strf("has %"PRId64" frames, not %d", s->nb, nb);
    if (!s->first_key)
        return strf("does not begin with a key frame");
    return NULL;
}

static json_t *result_json(const Plan *p, int i, const Child *c, const Scan *s, const char *gpu, int attempt)
{
    const int a = p->cut[i], from = plan_seek(p, FFMAX(a - p->back, 0));
    char host[64] = "";

    gethostname(host, sizeof(host) - 1);
    return need(json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:i, s:s, s:s, s:I, s:I, s:I, s:I}",
                          "plan", p->id, "index", i, "first", a, "frames", p->cut[i + 1] - a,
                          "wasted_frames", a - from, "pre_roll", FFMIN(p->back, a),
                          "extradata", s->extradata, "attempt", attempt, "gpu", gpu ? gpu : "", "host", host,
                          "open_ms", (json_int_t)(c->first ? (c->first - c->started) / 1000 : 0),
                          "wall_ms", (json_int_t)((now_us() - c->started) / 1000),
                          "cpu_ms", (json_int_t)(c->cpu_us / 1000), "maxrss_kb", (json_int_t)c->maxrss_kb));
}

static int store(const Plan *p, int i, const char *part, json_t *j)
{
    char hash[33], *file = seg_path(p, i, p->seg_format), *json = seg_path(p, i, "json"), *proof = seg_path(p, i, "frames");
    int64_t size;
    int ret = hash_file(part, hash, &size);

    if (ret < 0) {
        ret = fail(FAIL_IO, "%s: %s", part, av_err2str(ret));
    } else {
        json_object_set_new(j, "bytes", json_integer(size));
        json_object_set_new(j, "hash", json_string(hash));
        ret = rename_safely(part, file);
        if (!ret)
            ret = write_json(json, j);
    }
    if (!ret)
        unlink(proof);
    av_free(file);
    av_free(json);
    av_free(proof);
    return ret;
}

static int ended_badly(const Plan *p, int i, const Child *c, const char *log)
{
    char how[64], *why = log_reason(log);
    const int cause = child_cause(c, log);

    fail(cause, "segment %d: ffmpeg %s: %s (log: %s)", i, child_how(c, how, sizeof(how)), why, log);
    av_free(why);
    return cause;
}

int segment_finish(const Plan *p, int i, Child *c, const char *gpu, int attempt)
{
    char name[16], *part = seg_path(p, i, "part"), *proof = seg_path(p, i, "frames"), *log, *wrong = NULL;
    Scan s = { 0 };
    int ret = 0;

    snprintf(name, sizeof(name), "%05d", i);
    log = log_path(p, name);
    if (c->status) {
        ret = signals_pending() ? FAIL_STOPPED : ended_badly(p, i, c, log);
        unlink(part);
        unlink(proof);
    } else if ((wrong = !c->end ? strf("ffmpeg told no end") : proof_check(p, p->cut[i], p->cut[i + 1], plan_time(p, p->cut[i]), proof)) ||
               (wrong = check_file(p, i, part, &s))) {
        ret = fail(FAIL_WRONG, "segment %d: %s; kept: %s, %s; log: %s", i, wrong, part, proof, log);
    } else {
        json_t *j = result_json(p, i, c, &s, gpu, attempt);
        ret = store(p, i, part, j);
        json_decref(j);
    }
    scan_free(&s);
    av_free(wrong);
    av_free(part);
    av_free(proof);
    av_free(log);
    return ret;
}

/* one attempt: whoever runs it (a scheduler) decides about others, by the exit code */
int verb_run_segment(Options *o)
{
    Plan p;
    Child c;
    char *end;
    int ret, i;

    if (o->words.nb != 2)
        return fail(FAIL_USAGE, "ffreel run-segment DIR NUMBER");
    i = strtol(o->words.v[1], &end, 10);
    if ((ret = plan_load(&p, o->words.v[0])))
        goto end;
    if (*end || !p.split || i < 0 || i >= p.nb_segs) {
        ret = p.split ? fail(FAIL_USAGE, "%s: no segment '%s'; there are 0 to %d", p.dir, o->words.v[1], p.nb_segs - 1)
                      : fail(FAIL_USAGE, "%s is not split (%s); use ffreel run", p.dir, p.reason);
        goto end;
    }
    if (segment_done(&p, i, NULL)) {
        say(0, "segment %d is there", i);
        goto end;
    }
    if ((ret = fingerprint_input(&p)))
        goto end;
    signals_catch();
    progress_begin("segment", p.cut[i + 1] - p.cut[i], 0);
    ret = segment_start(&p, i, o->gpus, &c);
    if (!ret) {
        child_watch(&c, NULL, 0);
        ret = segment_finish(&p, i, &c, o->gpus, 1);
    }
end:
    plan_free(&p);
    return ret;
}
