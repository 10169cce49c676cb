/*
 * ffreel: the streams that ffmpeg takes from the input
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

#include <stdlib.h>
#include <string.h>

#include "libavcodec/avcodec.h"
#include "libavutil/avstring.h"
#include "libavutil/mem.h"

#include "driver.h"

static int pick(Picks *p, const AVFormatContext *in, int i)
{
    if (p->nb == FF_ARRAY_ELEMS(p->p))
        return fail(FAIL_INPUT, "more than %d streams are mapped; map fewer", p->nb);
    p->p[p->nb++] = (Pick){ i, in->streams[i]->codecpar->codec_type };
    return 0;
}

static void unpick(Picks *p, int i)
{
    int nb = 0;

    for (int k = 0; k < p->nb; k++)
        if (p->p[k].index != i)
            p->p[nb++] = p->p[k];
    p->nb = nb;
}

/* "0", "0:v", "0:a:1?", "-0:s", "0:m:language:eng" */
static int map_one(Picks *p, Command *c, AVFormatContext *in, const char *map)
{
    const int minus = *map == '-';
    char *end, *spec;
    long file;
    int optional, hits = 0, ret = 0;

    if (*map == '[') {
        c->serial = c->serial ? c->serial : strf("-map %s: an output of a complex graph", map);
        return 0;
    }
    file = strtol(map + minus, &end, 10);
    if (end == map + minus || file || (*end && *end != ':' && *end != '?'))
        return fail(FAIL_USAGE, "-map %s: there is one input, number 0", map);
    spec     = need(av_strdup(end + (*end == ':')));
    optional = *spec && spec[strlen(spec) - 1] == '?';
    if (optional)
        spec[strlen(spec) - 1] = 0;
    for (int i = 0; i < in->nb_streams && !ret; i++) {
        const int type = in->streams[i]->codecpar->codec_type;
        const int match = avformat_match_stream_specifier(in, in->streams[i], spec);
        if (match < 0)
            ret = fail(FAIL_USAGE, "-map %s: not a stream specifier", map);
        if (match <= 0)
            continue;
        hits++;
        if (minus)
            unpick(p, i);
        else if (!(c->no_audio && type == AVMEDIA_TYPE_AUDIO) && !(c->no_subs && type == AVMEDIA_TYPE_SUBTITLE) &&
                 !(c->no_data && type == AVMEDIA_TYPE_DATA))
            ret = pick(p, in, i);
    }
    if (!ret && !hits && !optional && !minus)
        ret = fail(FAIL_INPUT, "-map %s: %s has no such stream; end it in '?' if it may be missing", map, c->input);
    av_free(spec);
    return ret;
}

/* the video stream that ffmpeg's own rule takes: most pixels, marked ones first */
static int best_video(const AVFormatContext *in)
{
    int64_t best = 0;
    int found = -1;

    for (int i = 0; i < in->nb_streams; i++) {
        const AVStream *st = in->streams[i];
        int64_t score;
        if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
            continue;
        score = st->codecpar->width * (int64_t)st->codecpar->height +
                100000000 * !!(st->event_flags & AVSTREAM_EVENT_FLAG_NEW_PACKETS) +
                5000000 * !!(st->disposition & AV_DISPOSITION_DEFAULT);
        if (st->disposition & AV_DISPOSITION_ATTACHED_PIC)
            score = 1;
        if (score > best) {
            best  = score;
            found = i;
        }
    }
    return found;
}

/* most channels, marked ones first */
static int best_audio(const AVFormatContext *in)
{
    int best = 0, found = -1;

    for (int i = 0; i < in->nb_streams; i++) {
        const AVStream *st = in->streams[i];
        int score;
        if (st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
            continue;
        score = st->codecpar->ch_layout.nb_channels +
                100000000 * !!(st->event_flags & AVSTREAM_EVENT_FLAG_NEW_PACKETS) +
                5000000 * !!(st->disposition & AV_DISPOSITION_DEFAULT);
        if (score > best) {
            best  = score;
            found = i;
        }
    }
    return found;
}

static int sub_kind(enum AVCodecID id)
{
    const AVCodecDescriptor *d = avcodec_descriptor_get(id);

    return d ? d->props & (AV_CODEC_PROP_TEXT_SUB | AV_CODEC_PROP_BITMAP_SUB) : 0;
}

/* the first that the format's subtitle encoder can take over */
static int best_subtitle(const Command *c, const AVFormatContext *in, const AVOutputFormat *of)
{
    const AVCodec *enc = avcodec_find_encoder(of->subtitle_codec);
    int chosen = 0;

    for (int i = 0; i < c->mux.nb; i++)
        chosen |= !strcmp(c->mux.v[i], "-scodec") || !strncmp(c->mux.v[i], "-c:s", 4) || !strcmp(c->mux.v[i], "-c");
    if (!enc && !chosen)
        return -1;
    for (int i = 0; i < in->nb_streams; i++) {
        const AVCodecParameters *par = in->streams[i]->codecpar;
        if (par->codec_type == AVMEDIA_TYPE_SUBTITLE && (chosen || (enc && sub_kind(par->codec_id) & sub_kind(enc->id))))
            return i;
    }
    return -1;
}

static int choose_as_ffmpeg(Picks *p, Command *c, AVFormatContext *in)
{
    const AVOutputFormat *of = av_guess_format(c->format, NULL, NULL);
    int i, ret = 0;

    if ((i = best_video(in)) >= 0)
        ret = pick(p, in, i);
    if (!ret && !c->no_audio && of->audio_codec != AV_CODEC_ID_NONE && (i = best_audio(in)) >= 0)
        ret = pick(p, in, i);
    if (!ret && !c->no_subs && (i = best_subtitle(c, in, of)) >= 0)
        ret = pick(p, in, i);
    return ret;
}

int picks_choose(Picks *p, Command *c, AVFormatContext *in)
{
    int ret = 0, videos = 0;

    *p = (Picks){ .video = -1 };
    for (int i = 0; i < c->maps.nb && !ret; i++)
        ret = map_one(p, c, in, c->maps.v[i]);
    if (!ret && !c->maps.nb)
        ret = choose_as_ffmpeg(p, c, in);
    if (ret)
        return ret;
    for (int i = 0; i < p->nb; i++) {
        if (p->p[i].type != AVMEDIA_TYPE_VIDEO)
            continue;
        if (p->video < 0)
            p->video = p->p[i].index;
        videos++;
    }
    if (p->video < 0 && c->serial)
        p->video = best_video(in);
    if (p->video < 0 || in->streams[p->video]->disposition & AV_DISPOSITION_ATTACHED_PIC)
        return fail(FAIL_INPUT, "%s: no video stream to render%s", c->input,
                    c->maps.nb ? "; see -map" : "; a cover picture is not one");
    if (videos > 1 && !c->serial)
        c->serial = strf("%d video streams are mapped: segments carry one", videos);
    return 0;
}
