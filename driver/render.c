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

#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libavcodec/avcodec.h"
#include "libavutil/avstring.h"
#include "libavutil/dict.h"
#include "libavutil/mem.h"

#include "driver.h"

// ---- where things are --------------------------------------------------------------

static char *absolute(const char *path)
{
    char cwd[PATH_MAX];

    if (*path == '/' || !getcwd(cwd, sizeof(cwd)))
        return need(av_strdup(path));
    return strf("%s/%s", cwd, path);
}

static int runnable(const char *path)
{
    return !access(path, X_OK);
}

/* beside this program, as it was called or as it lies, else on PATH */
static char *find_ffmpeg(const char *given)
{
    char self[PATH_MAX], *path = getenv("PATH"), *list, *save = NULL, *found = NULL;
    const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (given)
        return runnable(given) ? absolute(given) : NULL;
    if (n > 0) {
        self[n] = 0;
        if (strrchr(self, '/'))
            *strrchr(self, '/') = 0;
        found = strf("%s/ffmpeg", self);
        if (runnable(found))
            return found;
        av_freep(&found);
    }
    list = need(av_strdup(path ? path : ""));
    for (char *d = av_strtok(list, ":", &save); d && !found; d = av_strtok(NULL, ":", &save)) {
        found = strf("%s/ffmpeg", d);
        if (!runnable(found))
            av_freep(&found);
    }
    av_free(list);
    return found;
}

static int nb_cores(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : FFMAX(CPU_COUNT(&set), 1);
}

// ---- the plan ------------------------------------------------------------------------

static void segment_format(Plan *p, Command *c)
{
    const AVCodec *enc = avcodec_find_encoder_by_name(c->encoder);
    const AVCodecDescriptor *d = avcodec_descriptor_get_by_name(c->encoder);
    const enum AVCodecID id = enc ? enc->id : d ? d->id : AV_CODEC_ID_NONE;
    const char *f = NULL;

    /* both kinds tell a file that was cut short */
    switch (id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_MPEG4:  f = "mp4"; break;
    case AV_CODEC_ID_PRORES:
    case AV_CODEC_ID_DNXHD:  f = "mov"; break;
    case AV_CODEC_ID_FFV1:
    case AV_CODEC_ID_RAWVIDEO:
    case AV_CODEC_ID_HUFFYUV:
    case AV_CODEC_ID_FFVHUFF:
    case AV_CODEC_ID_UTVIDEO:
    case AV_CODEC_ID_MJPEG:  f = "nut"; break;
    default:
        if (!c->serial)
            c->serial = strf("%s: no container for its segments is proven", c->encoder);
    }
    p->seg_format = need(av_strdup(f ? f : "nut"));
}

/* closed groups of pictures and equal headers in all segments */
static void closed_encoder(Plan *p, const Command *c)
{
    const char *more = !strncmp(c->encoder, "libx264", 7) ? "stitchable=1:open-gop=0"
                     : !strcmp(c->encoder, "libx265") ? "open-gop=0:info=0" : NULL;

    list_add(&p->video, "-c:v");
    list_add(&p->video, c->encoder);
    list_cat(&p->video, &c->video);
    list_add(&p->video, "-flags:v");
    list_addf(&p->video, "%s+cgop", c->flags ? c->flags : "");
    if (more || c->enc_params) {
        list_addf(&p->video, "-%s-params", !strcmp(c->encoder, "libx265") ? "x265" : "x264");
        list_addf(&p->video, "%s%s%s", c->enc_params ? c->enc_params : "", c->enc_params && more ? ":" : "", more ? more : "");
    }
}

/* what the join would lose: it sees the segments' streams, not the source's */
static void video_tags(Plan *p, const Command *c, const AVStream *st)
{
    const AVDictionaryEntry *e = NULL;

    for (int i = 0; i < c->mux.nb; i++)
        if (!strcmp(c->mux.v[i], "-map_metadata"))
            return;
    while ((e = av_dict_iterate(st->metadata, e)))
        if (strcmp(e->key, "encoder") && strcmp(e->key, "DURATION") && av_strncasecmp(e->key, "_STATISTICS", 11) &&
            av_strncasecmp(e->key, "NUMBER_OF", 9) && av_strcasecmp(e->key, "BPS") && strcmp(e->key, "creation_time"))
            list_addf(&p->video_tags, "%s=%s", e->key, e->value);
    for (unsigned bit = 1; bit && bit <= (unsigned)st->disposition; bit <<= 1) {
        const char *name = st->disposition & bit ? av_disposition_to_string(bit) : NULL;
        char *was = p->disposition;
        if (!name)
            continue;
        p->disposition = strf("%s%s%s", was ? was : "", was ? "+" : "", name);
        av_free(was);
    }
}

static void take_command(Plan *p, const Command *c, const Picks *picks)
{
    list_cat(&p->global, &c->global);
    list_cat(&p->in, &c->in);
    list_cat(&p->mux, &c->mux);
    list_cat(&p->out, &c->out);
    p->vf         = need(av_strdup(c->vf ? c->vf : "null"));
    p->format     = need(av_strdup(c->format));
    p->keeps_time = c->keeps_time && strncmp(c->encoder, "mpeg", 4) && strcmp(c->encoder, "copy");
    p->stream     = picks->video;
    closed_encoder(p, c);
    for (int i = 0; i < picks->nb; i++) {
        if (picks->p[i].index == picks->video)
            list_add(&p->maps, "0:v:0");
        else
            list_addf(&p->maps, "1:%d", picks->p[i].index);
    }
}

static char *realpath_of(const char *path)
{
    char *r = realpath(path, NULL), *copy;

    if (!r)
        return absolute(path);
    copy = need(av_strdup(r));
    free(r);
    return copy;
}

/* all that needs no reading of the whole input */
static int plan_begin(Plan *p, Command *c, FilterCheck *f, const Options *o, AVFormatContext **in, Picks *picks)
{
    char cwd[PATH_MAX];
    int ret = command_parse(c, o);

    *p = (Plan){ .times = need(json_object()), .damaged = o->damaged };
    if (ret)
        return ret;
    p->input  = realpath_of(c->input);
    p->output = absolute(c->output);
    p->dir    = o->dir ? absolute(o->dir) : strf("%s.ffreel", p->output);
    p->cwd    = need(av_strdup(getcwd(cwd, sizeof(cwd)) ? cwd : "/"));
    p->ffmpeg = find_ffmpeg(o->ffmpeg);
    if (!p->ffmpeg)
        return fail(FAIL_USAGE, o->ffmpeg ? "--ffmpeg %s: not a program that can be run"
                                          : "%s: not beside ffreel nor on PATH; name it with --ffmpeg", o->ffmpeg ? o->ffmpeg : "ffmpeg");
    if (!strcmp(p->input, p->output))
        return fail(FAIL_USAGE, "%s: input and output are one file", c->output);
    if ((ret = input_open(in, p->input, c->in_format)) || (ret = picks_choose(picks, c, *in)))
        return ret;
    if ((ret = filters_check(f, c->vf ? c->vf : "null", &o->declared)))
        return ret;
    p->one_to_one = !c->serial && !f->serial;
    p->back  = f->back;
    p->ahead = f->ahead;
    segment_format(p, c);
    take_command(p, c, picks);
    video_tags(p, c, (*in)->streams[picks->video]);
    p->fingerprint = fingerprint_make(p, c, f);
    if (!c->serial && f->serial) {
        c->serial = f->serial;
        f->serial = NULL;
    }
    return 0;
}

static void serial_plan(Plan *p, char *why)
{
    p->split   = 0;
    p->workers = 1;
    p->threads = 0;
    av_free(p->reason);
    p->reason  = why;
    av_free(p->cut);
    p->cut     = need(av_calloc(2, sizeof(*p->cut)));
    p->cut[1]  = p->x.nb;
    p->nb_segs = 1;
}

static int gpu_workers(const Options *o)
{
    int n = 1;

    if (!o->gpus)
        return 0;
    for (const char *g = o->gpus; *g; g++)
        n += *g == ',';
    return n * o->per_gpu;
}

/* does it pay? What the user fixed is not questioned. */
static int decide(Plan *p, const Options *o)
{
    const int asked = o->workers || o->segment || o->cuts;
    const int cores = nb_cores(), most = gpu_workers(o) ? gpu_workers(o) : cores;
    Speed s = { 0 };
    double one = 0, many = 0;
    int ret;

    p->split   = 1;
    p->workers = o->workers ? o->workers : most;
    p->threads = FFMAX(1, cores / p->workers);
    if (!asked && p->x.nb < 100) {
        serial_plan(p, strf("%d frames: one process is done sooner than several have started", p->x.nb));
        return 0;
    }
    if (!asked && most < 2) {
        serial_plan(p, strf("one core, one GPU at most: nothing to share out"));
        return 0;
    }
    if (!asked && o->calibrate) {
        if ((ret = calibrate(&s, p, o, most)))
            return ret;
        p->workers = s.workers;
        p->threads = FFMAX(1, cores / p->workers);
    }
    if ((ret = plan_cut(p, o->segment, o->cuts, s.fps1 > 0 ? &s : NULL)))
        return ret;
    if (s.fps1 > 0) {
        plan_forecast(p, &s, &one, &many);
        if (s.workers < 2) {
            serial_plan(p, strf("about %.0f s in one process (%.1f fps): too short to gain", one, s.fps1));
            return 0;
        }
        if (!(many < 0.85 * one)) {
            serial_plan(p, strf("one process would take %.0f s (%.1f fps), %d together %.0f s (%.1f fps): not 15 %% less", one, s.fps1,
                                s.workers, many, s.fpsn));
            return 0;
        }
    }
    if (p->nb_segs < 2) {
        serial_plan(p, strf("%d frames are too few for two segments of %d", p->x.nb, plan_min_segment(&p->x, &s)));
        return 0;
    }
    p->reason = s.fps1 > 0 ? strf("one process would take %.0f s (%.1f fps), %d together %.0f s (%.1f fps)", one, s.fps1, s.workers, many, s.fpsn)
                           : strf("as asked");
    return 0;
}

static int plan_make(Plan *p, Command *c, const Options *o, AVFormatContext *in, const Picks *picks)
{
    const int64_t began = now_us();
    int ret = index_read(&p->x, in, picks, o->damaged, &c->serial);

    if (!ret && !c->serial)
        ret = index_prove(&p->x, p->input, c->in_format, picks->video, &c->serial);
    if (ret)
        return ret;
    json_object_set_new(p->times, "index_ms", json_integer((now_us() - began) / 1000));
    if (c->serial) {
        serial_plan(p, c->serial);
        c->serial = NULL;
    } else {
        ret = decide(p, o);
    }
    json_object_set_new(p->times, "plan_ms", json_integer((now_us() - began) / 1000));
    return ret;
}

// ---- showing -----------------------------------------------------------------------

static void explain(const Plan *p)
{
    int keys = 0;

    for (int i = 0; i < p->x.nb; i++)
        keys += p->x.key[i];
    printf("%s: %d frames, %d key frames, time base %d/%d\n", p->input, p->x.nb, keys, p->x.tb.num, p->x.tb.den);
    if (!p->split) {
        printf("not split: %s\n", p->reason);
        return;
    }
    printf("split into %d segments for %d processes of %d threads: %s\n", p->nb_segs, p->workers, p->threads, p->reason);
    if (p->back || p->ahead)
        printf("the filters look %d frames back and %d ahead: each segment renders so many more\n", p->back, p->ahead);
    for (int i = 0; i < p->nb_segs && say_level > 0; i++)
        printf("  %05d  frames %d to %d, decoding from %d\n", i, p->cut[i], p->cut[i + 1] - 1,
               plan_seek(p, FFMAX(p->cut[i] - p->back, 0)));
}

static void print_command(const StrList *l)
{
    char *s = list_shell(l);

    printf("%s\n", s);
    av_free(s);
}

static void dry_run(const Plan *p)
{
    StrList l = { 0 };

    if (!p->split) {
        command_serial(&l, p, p->output, NULL);
        print_command(&l);
        list_free(&l);
        return;
    }
    for (int i = 0; i < p->nb_segs; i++) {
        char *out = seg_path(p, i, p->seg_format), *proof = seg_path(p, i, "frames");
        command_segment(&l, p, i, out, proof);
        print_command(&l);
        list_free(&l);
        av_free(out);
        av_free(proof);
    }
    {
        char *list = strf("%s/list.ffconcat", p->dir);
        command_join(&l, p, list, p->output);
        print_command(&l);
        list_free(&l);
        av_free(list);
    }
}

// ---- the verbs ---------------------------------------------------------------------

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
        explain(&p);
    if (!ret && o->dry_run)
        dry_run(&p);
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
        ret = verify_output(&p, part, o->verify_full);
    if (!ret && signals_pending())
        ret = FAIL_STOPPED;
    if (!ret)
        ret = output_name(&p, part);
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
        explain(&p);
        if (o->dry_run)
            dry_run(&p);
    } else if (!ret) {
        say(0, "%s: %d segment%s (%s)", p.dir, p.nb_segs, p.nb_segs == 1 ? "" : "s", p.reason);
    }
    if (lock >= 0)
        close(lock);
    plan_free(&p);
    return ret;
}
