/*
 * ffreel: packets of the input -> frames, and what forbids to split
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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libavcodec/avcodec.h"
#include "libavutil/hash.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/mem.h"

#include "driver.h"

#define MAGIC "FFREELX1"

int input_open(AVFormatContext **in, const char *path, const char *format)
{
    const AVInputFormat *f = NULL;
    struct stat st;
    int ret;

    if (stat(path, &st) < 0)
        return fail(FAIL_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(FAIL_INPUT, "%s: not a regular file: segments must seek; store it in a file first", path);
    if (format && !(f = av_find_input_format(format)))
        return fail(FAIL_USAGE, "-f %s before -i: no such input format in this build", format);
    ret = avformat_open_input(in, path, f, NULL);
    if (ret >= 0)
        ret = avformat_find_stream_info(*in, NULL);
    if (ret < 0) {
        avformat_close_input(in);
        return fail(FAIL_INPUT, "%s: cannot be opened as media: %s; try 'ffprobe' on it", path, av_err2str(ret));
    }
    return 0;
}

void index_free(Index *x)
{
    av_freep(&x->pts);
    av_freep(&x->key);
}

/** What the packets say, beyond the frames. */
typedef struct Audit {
    int     no_pts, hidden, first_is_key, nb_keys, unordered;
    int64_t last_dts, jump_at;
    int     truncated, ret;
} Audit;

typedef struct Frame {
    int64_t pts;
    int     key;
} Frame;

static int by_pts(const void *a, const void *b)
{
    const int64_t x = ((const Frame *)a)->pts, y = ((const Frame *)b)->pts;

    return (x > y) - (x < y);
}

static void sound_add(Index *x, const AVPacket *pkt, AVRational tb)
{
    const double t = pkt->pts * av_q2d(tb), d = pkt->duration * av_q2d(tb);
    SoundLength *s = NULL;

    if (pkt->pts == AV_NOPTS_VALUE)
        return;
    for (int i = 0; i < x->nb_sounds; i++)
        if (x->sound[i].index == pkt->stream_index)
            s = &x->sound[i];
    if (!s) {
        if (x->nb_sounds == FF_ARRAY_ELEMS(x->sound))
            return;
        s  = &x->sound[x->nb_sounds++];
        *s = (SoundLength){ pkt->stream_index, t, t, d };
    }
    s->start = FFMIN(s->start, t);
    s->end   = FFMAX(s->end, t + d);
    s->frame = FFMAX(s->frame, d);
}

/* ffmpeg's -dts_delta_threshold: beyond it a jump is taken out where -copyts is not set */
static void watch_dts(Audit *a, const AVPacket *pkt, AVRational tb, int nb)
{
    if (pkt->dts == AV_NOPTS_VALUE)
        return;
    if (a->last_dts != AV_NOPTS_VALUE && a->jump_at < 0 &&
        (pkt->dts < a->last_dts || (pkt->dts - a->last_dts) * av_q2d(tb) > 10))
        a->jump_at = nb;
    a->last_dts = pkt->dts;
}

static void frame_add(Frame **f, int *nb, Audit *a, const AVPacket *pkt)
{
    if (pkt->flags & AV_PKT_FLAG_DISCARD) {
        a->hidden++;
        return;
    }
    if (pkt->pts == AV_NOPTS_VALUE) {
        a->no_pts++;
        return;
    }
    if (!(*nb & (*nb - 1)))
        *f = need(av_realloc_array(*f, FFMAX(1024, 2 * (size_t)*nb), sizeof(**f)));
    (*f)[(*nb)++] = (Frame){ pkt->pts, !!(pkt->flags & AV_PKT_FLAG_KEY) };
}

static void read_packets(Index *x, Frame **f, Audit *a, AVFormatContext *in, int video)
{
    struct AVHashContext *h = NULL;
    AVPacket *pkt = need(av_packet_alloc());
    uint8_t head[24];

    if (av_hash_alloc(&h, "murmur3") < 0)
        need(NULL);
    av_hash_init(h);
    while ((a->ret = av_read_frame(in, pkt)) >= 0) {
        const AVRational tb = in->streams[pkt->stream_index]->time_base;
        AV_WL64(head,      pkt->pts);
        AV_WL64(head +  8, pkt->dts);
        AV_WL32(head + 16, pkt->stream_index);
        AV_WL32(head + 20, pkt->flags);
        av_hash_update(h, head, sizeof(head));
        av_hash_update(h, pkt->data, pkt->size);
        if (pkt->stream_index == video) {
            if (!x->nb && !a->hidden && !a->no_pts)
                a->first_is_key = !!(pkt->flags & AV_PKT_FLAG_KEY);
            a->truncated |= pkt->flags & AV_PKT_FLAG_CORRUPT;
            watch_dts(a, pkt, tb, x->nb);
            frame_add(f, &x->nb, a, pkt);
        } else if (in->streams[pkt->stream_index]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
            sound_add(x, pkt, tb);
        }
        av_packet_unref(pkt);
    }
    av_packet_free(&pkt);
    av_hash_final_hex(h, (uint8_t *)x->hash, sizeof(x->hash));
    av_hash_freep(&h);
}

/* what ffmpeg takes off all times of this file (see correct_input_start_times there):
 * of MPEG-TS and such, the start of the streams that are used */
static int64_t start_of(const AVFormatContext *in, const Picks *p)
{
    int64_t start = INT64_MAX;

    if (in->start_time == AV_NOPTS_VALUE)
        return 0;
    if (!(in->iformat->flags & AVFMT_TS_DISCONT))
        return in->start_time;
    for (int i = 0; i < p->nb; i++) {
        const AVStream *st = in->streams[p->p[i].index];
        if (st->start_time != AV_NOPTS_VALUE)
            start = FFMIN(start, av_rescale_q(st->start_time, st->time_base, AV_TIME_BASE_Q));
    }
    return start == INT64_MAX ? in->start_time : start;
}

/* the first reason not to split, or NULL */
static char *audit(const Index *x, const Audit *a, const AVStream *st, int discont)
{
    const int order = st->codecpar->field_order;
    int keys = 0, same = -1;

    for (int i = 0; i < x->nb; i++) {
        keys += x->key[i];
        if (i && same < 0 && x->pts[i] == x->pts[i - 1])
            same = i;
    }
    if (a->no_pts)
        return strf("%d packets carry no time: their order is not known before decoding", a->no_pts);
    if (same >= 0)
        return strf("the frames %d and %d have one time", same - 1, same);
    if (order != AV_FIELD_UNKNOWN && order != AV_FIELD_PROGRESSIVE)
        return strf("field coding: packets need not be frames");
    if (!a->first_is_key)
        return strf("the file does not begin with a key frame");
    if (a->jump_at >= 0 && discont)
        return strf("times jump at frame %"PRId64", which ffmpeg takes out in one run only", a->jump_at);
    if (keys < 2)
        return strf("%d key frame in the file: no segment can start decoding elsewhere", keys);
    for (int i = 1; i < x->nb; i++)
        if (av_compare_ts(x->pts[i] - x->pts[i - 1], x->tb, 4, AV_TIME_BASE_Q) < 0)
            return strf("the frames %d and %d are less than 4 us apart", i - 1, i);
    return NULL;
}

int index_read(Index *x, AVFormatContext *in, const Picks *p, int damaged, char **serial)
{
    const AVStream *st = in->streams[p->video];
    Audit a = { .last_dts = AV_NOPTS_VALUE, .jump_at = -1 };
    Frame *f = NULL;
    int lost;

    *x = (Index){ .tb = st->time_base };
    read_packets(x, &f, &a, in, p->video);
    x->start      = start_of(in, p);
    x->file_start = in->start_time == AV_NOPTS_VALUE ? 0 : in->start_time;
    if (!x->nb) {
        av_free(f);
        return fail(FAIL_INPUT, "%s: no frames in the video stream (%d packets are hidden by an edit list)", in->url, a.hidden);
    }
    qsort(f, x->nb, sizeof(*f), by_pts);
    x->pts = need(av_malloc_array(x->nb, sizeof(*x->pts)));
    x->key = need(av_malloc(x->nb));
    for (int i = 0; i < x->nb; i++) {
        x->pts[i] = f[i].pts;
        x->key[i] = f[i].key;
    }
    av_free(f);
    /* a container that knows its length tells of packets that the file lacks */
    lost = a.ret != AVERROR_EOF || a.truncated ||
           (st->nb_frames > 0 && st->nb_frames > x->nb + a.hidden + a.no_pts);
    if (lost && !damaged)
        return fail(FAIL_INPUT, "%s: damaged or incomplete: it ends after frame %d (%.3f s); get the whole file, or --damaged "
                    "renders serially what can be decoded", in->url, x->nb, (x->pts[x->nb - 1] * av_q2d(x->tb)));
    if (!*serial)
        *serial = lost ? strf("the file is damaged: what decodes is known only in one run")
                       : audit(x, &a, st, in->iformat->flags & AVFMT_TS_DISCONT);
    return 0;
}

// ---- decoding the first frames -------------------------------------------------------

enum { PROOF = 48 };    // frames; a reordering decoder holds at most 16

/* pts of the first frames into list; @return how many, or AVERROR */
static int first_frames(AVFormatContext *in, AVCodecContext *dec, int stream, int64_t *list)
{
    AVPacket *pkt = need(av_packet_alloc());
    AVFrame *frame = need(av_frame_alloc());
    int nb = 0, ret = 0, ended = 0;

    while (nb < PROOF && !ended) {
        ret = av_read_frame(in, pkt);
        if (ret >= 0 && pkt->stream_index != stream) {
            av_packet_unref(pkt);
            continue;
        }
        ended = ret < 0;
        ret = avcodec_send_packet(dec, ended ? NULL : pkt);
        av_packet_unref(pkt);
        while (ret >= 0 && nb < PROOF && (ret = avcodec_receive_frame(dec, frame)) >= 0)
            list[nb++] = frame->best_effort_timestamp;
        if (ret == AVERROR(EAGAIN) || ret == AVERROR_EOF)
            ret = 0;
        if (ret < 0)
            break;
    }
    av_frame_free(&frame);
    av_packet_free(&pkt);
    return ret < 0 ? ret : nb;
}

int index_prove(const Index *x, const char *input, const char *format, int stream, char **serial)
{
    int64_t list[PROOF];
    AVFormatContext *in = NULL;
    AVCodecContext *dec = NULL;
    const AVCodec *codec;
    int ret = input_open(&in, input, format), nb;

    if (ret)
        return ret;
    codec = avcodec_find_decoder(in->streams[stream]->codecpar->codec_id);
    if (!codec) {
        ret = fail(FAIL_INPUT, "%s: this build has no decoder for its video (%s)", input,
                   avcodec_get_name(in->streams[stream]->codecpar->codec_id));
        avformat_close_input(&in);
        return ret;
    }
    dec = need(avcodec_alloc_context3(codec));
    dec->thread_count = 1;
    dec->pkt_timebase = in->streams[stream]->time_base;
    if (avcodec_parameters_to_context(dec, in->streams[stream]->codecpar) < 0 || avcodec_open2(dec, codec, NULL) < 0)
        nb = AVERROR_UNKNOWN;
    else
        nb = first_frames(in, dec, stream, list);
    avcodec_free_context(&dec);
    avformat_close_input(&in);
    if (nb < 0) {
        *serial = strf("the first frames do not decode without error");
    } else if (nb < FFMIN(PROOF, x->nb)) {
        *serial = strf("the first %d packets give only %d frames", FFMIN(PROOF, x->nb), nb);
    } else {
        for (int i = 0; i < nb && !*serial; i++)
            if (i >= x->nb || list[i] != x->pts[i])
                *serial = strf("frame %d does not decode with its packet's time", i);
    }
    return 0;
}

// ---- on disk -----------------------------------------------------------------------------

int index_save(const Index *x, const char *path)
{
    const size_t size = 8 + 9 * (size_t)x->nb;
    uint8_t *b = need(av_malloc(size));
    int ret;

    memcpy(b, MAGIC, 8);
    for (int i = 0; i < x->nb; i++) {
        AV_WL64(b + 8 + 9 * (size_t)i, x->pts[i]);
        b[16 + 9 * (size_t)i] = x->key[i];
    }
    ret = write_file(path, b, size);
    av_free(b);
    return ret;
}

int index_load(Index *x, const char *path)
{
    char *raw = read_text(path);
    const uint8_t *b = (const uint8_t *)raw;
    struct stat st;

    if (!raw || stat(path, &st) < 0 || st.st_size != 8 + 9 * (int64_t)x->nb || memcmp(b, MAGIC, 8)) {
        av_free(raw);
        return fail(FAIL_CONFIG, "%s: missing or broken; remove the plan and plan again", path);
    }
    x->pts = need(av_malloc_array(x->nb, sizeof(*x->pts)));
    x->key = need(av_malloc(x->nb));
    for (int i = 0; i < x->nb; i++) {
        x->pts[i] = AV_RL64(b + 8 + 9 * (size_t)i);
        x->key[i] = b[16 + 9 * (size_t)i];
    }
    av_free(raw);
    return 0;
}
