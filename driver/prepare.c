/*
 * ffreel: from a command to a plan
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
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libavcodec/avcodec.h"
#include "libavutil/avstring.h"
#include "libavutil/dict.h"
#include "libavutil/mem.h"

#include "driver.h"

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

int plan_begin(Plan *p, Command *c, FilterCheck *f, const Options *o, AVFormatContext **in, Picks *picks)
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
        serial_plan(p, strf("%d frames are too few for two segments of %d", p->x.nb,
                             s.fps1 > 0 ? plan_min_segment(&p->x, &s) : PLAN_SHORTEST));
        return 0;
    }
    p->reason = s.fps1 > 0 ? strf("one process would take %.0f s (%.1f fps), %d together %.0f s (%.1f fps)", one, s.fps1, s.workers, many, s.fpsn)
                           : strf("as asked");
    return 0;
}

int plan_make(Plan *p, Command *c, const Options *o, AVFormatContext *in, const Picks *picks)
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
