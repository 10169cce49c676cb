/*
 * ffreel: plan, run, join, verify and clean in one go
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

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libavutil/mem.h"

#include "driver.h"

enum { FINISHED = -1 };         // an earlier run was, but for cleaning up

/* a plan for this very command that an earlier run left, or a new one */
static int plan_or_resume(Plan *p, const Options *o, int *lock)
{
    AVFormatContext *in = NULL;
    FilterCheck f = { 0 };
    Command c = { 0 };
    Picks picks;
    char *json = NULL;
    int ret = plan_begin(p, &c, &f, o, &in, &picks), there;

    if (ret)
        goto end;
    json  = strf("%s/plan.json", p->dir);
    there = !o->overwrite && !o->dry_run && !o->explain && !access(p->output, F_OK);
    if (there && access(json, F_OK)) {
        ret = fail(FAIL_USAGE, "%s exists; -y replaces it", c.output);
        goto end;
    }
    if (!o->dry_run && !o->explain) {
        if ((ret = make_dir(p->dir)))
            goto end;
        if ((*lock = plan_lock(p->dir)) < 0) {
            ret = FAIL_CONFIG;
            goto end;
        }
    }
    if (!access(json, F_OK)) {
        Plan old;
        ret = plan_load(&old, p->dir);
        if (!ret)
            ret = fingerprint_same(old.fingerprint, p->fingerprint, p->dir);
        if (!ret) {
            plan_free(p);
            *p = old;
            if (there && output_is_ours(p))
                ret = FINISHED;
            else if (there)
                ret = fail(FAIL_USAGE, "%s exists; -y replaces it", p->output);
            else
                say(0, "going on with %s", p->dir);
        } else {
            plan_free(&old);
        }
        goto end;
    }
    ret = plan_make(p, &c, o, in, &picks);
    if (!ret && *lock >= 0)
        ret = plan_save(p);
end:
    av_free(json);
    list_free(&f.files);
    av_free(f.serial);
    command_free(&c);
    avformat_close_input(&in);
    return ret;
}

/* wall times of the steps, and where each frame went */
static void report(Plan *p, const Options *o, int64_t began)
{
    json_t *r = need(json_pack("{s:s, s:b, s:s, s:i, s:i, s:O}", "event", "result", "split", p->split, "reason", p->reason,
                               "segments", p->nb_segs, "frames_indexed", p->x.nb, "times", p->times));
    json_t *list = need(json_array()), *j;
    int64_t encoded = 0, wasted = 0;
    char *s;

    for (int i = 0; i < p->nb_segs && p->split; i++) {
        if (!segment_done(p, i, &j))
            continue;
        encoded += json_integer_value(json_object_get(j, "frames"));
        wasted  += json_integer_value(json_object_get(j, "wasted_frames"));
        json_array_append_new(list, j);
    }
    json_object_set_new(r, "frames_encoded", json_integer(p->split ? encoded : p->one_to_one ? p->x.nb : -1));
    json_object_set_new(r, "frames_wasted", json_integer(wasted));
    json_object_set_new(r, "results", list);
    json_object_set_new(r, "total_ms", json_integer((now_us() - began) / 1000));
    if (o->report)
        write_json(o->report, r);
    if (o->progress == PROGRESS_JSON) {
        s = need(json_dumps(r, JSON_COMPACT));
        printf("%s\n", s);
        free(s);
    }
    json_decref(r);
}

int verb_render(Options *o)
{
    const int64_t began = now_us();
    int64_t cleaning;
    Plan p;
    char *part = NULL;
    int lock = -1, ret;

    signals_catch();
    ret = plan_or_resume(&p, o, &lock);
    if (ret == FINISHED) {
        say(0, "%s: complete already", p.output);
        ret = o->keep ? 0 : dir_remove(p.dir);
        goto end;
    }
    if (!ret && o->explain)
        show_plan(&p);
    if (!ret && o->dry_run)
        show_commands(&p);
    if (ret || o->dry_run || o->explain)
        goto end;
    if (p.split) {
        say(0, "%d segments for %d processes: %s", p.nb_segs, p.workers, p.reason);
        ret = pool_run(&p, o);
        if (!ret)
            ret = join_run(&p, &part);
    } else {
        say(0, "not split: %s", p.reason);
        ret = serial_run(&p, &part);
    }
    if (!ret)
        ret = output_finish(&p, part, o->verify_full);
    if (ret)
        goto end;
    cleaning = now_us();
    report(&p, o, began);
    if (!o->keep)
        ret = dir_remove(p.dir);
    json_object_set_new(p.times, "cleanup_ms", json_integer((now_us() - cleaning) / 1000));
    progress_clear();
    say(0, "%s: %d frames in %.1f s", p.output, p.x.nb, (now_us() - began) / 1e6);
end:
    if (ret == FAIL_STOPPED)
        fail(ret, "stopped; the same command goes on");
    else if (ret == FAIL_USAGE && lock >= 0)
        rmdir(p.dir);
    if (lock >= 0)
        close(lock);
    av_free(part);
    plan_free(&p);
    return ret;
}

int verb_plan(Options *o)
{
    Plan p;
    int lock = -1, ret;

    signals_catch();
    ret = FFMAX(plan_or_resume(&p, o, &lock), 0);
    if (!ret && (o->explain || o->dry_run)) {
        show_plan(&p);
        if (o->dry_run)
            show_commands(&p);
    } else if (!ret) {
        say(0, "%s: %d segment%s (%s)", p.dir, p.nb_segs, p.nb_segs == 1 ? "" : "s", p.reason);
    }
    if (lock >= 0)
        close(lock);
    plan_free(&p);
    return ret;
}
