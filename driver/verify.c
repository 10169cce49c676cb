/*
 * ffreel: is a file what was planned?
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
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libavutil/hash.h"
#include "libavutil/mem.h"

#include "driver.h"

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void hash_extradata(Scan *s, const AVCodecParameters *par)
{
    struct AVHashContext *h = NULL;

    if (av_hash_alloc(&h, "murmur3") < 0)
        need(NULL);
    av_hash_init(h);
    av_hash_update(h, par->extradata, par->extradata_size);
    av_hash_final_hex(h, (uint8_t *)s->extradata, sizeof(s->extradata));
    av_hash_freep(&h);
}

static void scan_video(Scan *s, const AVPacket *pkt, int64_t *last_dts, int list)
{
    if (!s->nb && !(pkt->flags & AV_PKT_FLAG_DISCARD))
        s->first_key = !!(pkt->flags & AV_PKT_FLAG_KEY);
    if (pkt->dts != AV_NOPTS_VALUE && *last_dts != AV_NOPTS_VALUE && pkt->dts <= *last_dts)
        s->dts_grow = 0;
    *last_dts = pkt->dts;
    if (pkt->flags & AV_PKT_FLAG_DISCARD)
        return;
    if (list) {
        if (!(s->nb & (s->nb - 1)))
            s->pts = need(av_realloc_array(s->pts, FFMAX(1024, 2 * s->nb), sizeof(*s->pts)));
        s->pts[s->nb] = pkt->pts;
    }
    s->nb++;
}

int scan_file(Scan *s, const char *path, int list)
{
    AVFormatContext *in = NULL;
    AVPacket *pkt;
    int64_t last_dts = AV_NOPTS_VALUE;
    int ret = avformat_open_input(&in, path, NULL, NULL), video, sound[64];

    *s = (Scan){ .dts_grow = 1 };
    if (ret >= 0)
        ret = avformat_find_stream_info(in, NULL);
    if (ret < 0 || (ret = video = av_find_best_stream(in, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0)) < 0) {
        avformat_close_input(&in);
        return ret;
    }
    for (int i = 0; i < FF_ARRAY_ELEMS(sound); i++)
        sound[i] = i < in->nb_streams && in->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO &&
                   s->nb_sounds < FF_ARRAY_ELEMS(s->sound) ? s->nb_sounds++ : -1;
    for (int i = 0; i < s->nb_sounds; i++)
        s->sound[i].start = INFINITY;
    s->tb = in->streams[video]->time_base;
    hash_extradata(s, in->streams[video]->codecpar);
    pkt = need(av_packet_alloc());
    while ((ret = av_read_frame(in, pkt)) >= 0) {
        const AVRational tb = in->streams[pkt->stream_index]->time_base;
        const int k = pkt->stream_index < FF_ARRAY_ELEMS(sound) ? sound[pkt->stream_index] : -1;
        if (pkt->stream_index == video) {
            scan_video(s, pkt, &last_dts, list);
        } else if (k >= 0 && pkt->pts != AV_NOPTS_VALUE) {
            s->sound[k].start = fmin(s->sound[k].start, pkt->pts * av_q2d(tb));
            s->sound[k].end   = fmax(s->sound[k].end, (pkt->pts + pkt->duration) * av_q2d(tb));
        }
        av_packet_unref(pkt);
    }
    av_packet_free(&pkt);
    avformat_close_input(&in);
    if (list)
        qsort(s->pts, s->nb, sizeof(*s->pts), by_value);
    return ret == AVERROR_EOF ? 0 : ret;
}

void scan_free(Scan *s)
{
    av_freep(&s->pts);
}

// ---- the result ------------------------------------------------------------------------

/* times from the first frame on, to a tick of the coarser clock */
static char *check_times(const Plan *p, const Scan *s)
{
    const AVRational coarse = av_cmp_q(s->tb, p->x.tb) > 0 ? s->tb : p->x.tb;

    for (int i = 0; i < p->x.nb; i++) {
        const double is = (s->pts[i] - s->pts[0]) * av_q2d(s->tb), was = (p->x.pts[i] - p->x.pts[0]) * av_q2d(p->x.tb);
        if (fabs(is - was) > av_q2d(coarse) + 1e-9)
            return strf("frame %d is at %.6f s after the first, not at %.6f s", i, is, was);
    }
    return NULL;
}

static int reshapes_sound(const Plan *p)
{
    for (int i = 0; i < p->mux.nb; i++)
        if (!strncmp(p->mux.v[i], "-af", 3) || !strncmp(p->mux.v[i], "-filter:a", 9))
            return 1;
    return 0;
}

/* each mapped sound is there, and as long as the source's to a packet */
static char *check_sound(const Plan *p, const Scan *s)
{
    int nb = 0;

    for (int i = 0; i < p->maps.nb; i++) {
        int index;
        if (sscanf(p->maps.v[i], "1:%d", &index) != 1)
            continue;
        for (int k = 0; k < p->x.nb_sounds; k++) {
            const SoundLength *was = &p->x.sound[k];
            double is;
            if (was->index != index)
                continue;
            if (nb >= s->nb_sounds)
                return strf("sound %d is missing", nb);
            is = s->sound[nb].end - s->sound[nb].start;
            /* a packet of AAC or Opus, or two of priming */
            if (!reshapes_sound(p) && fabs(is - (was->end - was->start)) > 2 * was->frame + 0.08)
                return strf("sound %d lasts %.3f s, the source's %.3f s", nb, is, was->end - was->start);
            nb++;
        }
    }
    return NULL;
}

static int verify_full(Plan *p, const char *path)
{
    char *log = log_path(p, "verify"), how[64];
    StrList argv = { 0 };
    Child c = { 0 };
    int fd, ret;
    static const char *const words[] = { "-nostdin", "-hide_banner", "-loglevel", "level+info", "-nostats", "-progress",
                                         "pipe:3", "-stats_period", "0.2", "-xerror", "-i" };

    list_add(&argv, p->ffmpeg);
    for (int i = 0; i < FF_ARRAY_ELEMS(words); i++)
        list_add(&argv, words[i]);
    list_add(&argv, path);
    list_add(&argv, "-map");
    list_add(&argv, "0:V:0");
    list_add(&argv, "-fps_mode");
    list_add(&argv, "passthrough");
    list_add(&argv, "-f");
    list_add(&argv, "null");
    list_add(&argv, "-");
    fd = log_open(log, &argv);
    if (fd < 0) {
        ret = fail(FAIL_IO, "%s: %s", log, strerror(errno));
    } else {
        progress_begin("verify", p->x.nb, 0);
        ret = child_run(&c, &argv, p->cwd, fd, "verify", p->x.nb);
        close(fd);
        if (!ret && c.status)
            ret = fail(FAIL_WRONG, "%s: does not decode: ffmpeg %s (log: %s)", path, child_how(&c, how, sizeof(how)), log);
        else if (!ret && p->one_to_one && c.frame != p->x.nb)
            ret = fail(FAIL_WRONG, "%s: decodes to %"PRId64" frames, not %d", path, c.frame, p->x.nb);
    }
    list_free(&argv);
    av_free(log);
    return ret;
}

static char *check_output(const Plan *p, const Scan *s)
{
    char *wrong = NULL;

    if (!s->nb)
        return strf("has no frames");
    if (!s->first_key)
        return strf("does not begin with a key frame");
    if (!s->dts_grow)
        return strf("decoding times do not grow");
    if (p->one_to_one && s->nb != p->x.nb)
        return strf("has %"PRId64" frames, the source %d", s->nb, p->x.nb);
    if (p->one_to_one && p->keeps_time)
        wrong = check_times(p, s);
    if (!wrong && p->one_to_one)
        wrong = check_sound(p, s);
    return wrong;
}

int verify_output(Plan *p, const char *path, int full)
{
    const int64_t began = now_us();
    Scan s;
    char *wrong = NULL;
    int ret = scan_file(&s, path, 1);

    if (ret < 0)
        wrong = strf("cannot be read: %s", av_err2str(ret));
    else
        wrong = check_output(p, &s);
    ret = wrong ? fail(FAIL_WRONG, "%s: %s; the segments are kept: 'ffreel status %s' lists them, 'ffreel join %s' joins them again",
                       path, wrong, p->dir, p->dir) : 0;
    if (!ret)
        json_object_set_new(p->times, "frames_out", json_integer(s.nb));
    scan_free(&s);
    av_free(wrong);
    if (!ret && full)
        ret = verify_full(p, path);
    json_object_set_new(p->times, "verify_ms", json_integer((now_us() - began) / 1000));
    return ret;
}

/* what is about to get the name is written down first: a run that dies right after the
 * rename is known to have been complete */
int output_name(Plan *p, const char *part)
{
    char *note = strf("%s/output.json", p->dir), hash[33];
    int64_t size;
    json_t *j;
    int ret = hash_file(part, hash, &size);

    if (ret < 0) {
        ret = fail(FAIL_IO, "%s: %s", part, av_err2str(ret));
    } else {
        j   = need(json_pack("{s:s, s:I, s:s}", "plan", p->id, "bytes", (json_int_t)size, "hash", hash));
        ret = write_json(note, j);
        json_decref(j);
    }
    if (!ret)
        ret = rename_safely(part, p->output);
    av_free(note);
    return ret;
}

int output_is_ours(const Plan *p)
{
    char *note = strf("%s/output.json", p->dir), *text = read_text(note), hash[33];
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    const char *id = json_string_value(json_object_get(j, "plan")), *was = json_string_value(json_object_get(j, "hash"));
    int64_t size;
    const int ours = id && was && !strcmp(id, p->id) && !hash_file(p->output, hash, &size) && !strcmp(hash, was);

    json_decref(j);
    av_free(text);
    av_free(note);
    return ours;
}

int output_finish(Plan *p, const char *part, int full)
{
    const int ret = verify_output(p, part, full);

    if (ret)
        return ret;
    return signals_pending() ? FAIL_STOPPED : output_name(p, part);
}

int verb_verify(Options *o)
{
    Plan p;
    int ret, bad = 0;

    if (o->words.nb != 1)
        return fail(FAIL_USAGE, "ffreel verify DIR [--verify full]");
    if ((ret = plan_load(&p, o->words.v[0])))
        goto end;
    signals_catch();
    for (int i = 0; i < p.nb_segs && p.split; i++) {
        char *file = seg_path(&p, i, p.seg_format), hash[33];
        json_t *j = NULL;
        int64_t size;
        if (!segment_done(&p, i, &j)) {
            bad++;
            fail(FAIL_WRONG, "segment %d: not there, or of another plan; 'ffreel run %s' makes it", i, p.dir);
        } else if (hash_file(file, hash, &size) < 0 || strcmp(hash, json_string_value(json_object_get(j, "hash")))) {
            bad++;
            fail(FAIL_WRONG, "segment %d: %s is not what was written; remove it, then 'ffreel run %s'", i, file, p.dir);
        }
        json_decref(j);
        av_free(file);
    }
    if (!access(p.output, F_OK)) {
        ret = verify_output(&p, p.output, o->verify_full);
        if (!ret)
            say(0, "%s: as planned", p.output);
    } else if (!bad) {
        say(0, "%d segments are as they were made; there is no %s yet", p.nb_segs, p.output);
    }
end:
    plan_free(&p);
    return ret ? ret : bad ? FAIL_WRONG : 0;
}
