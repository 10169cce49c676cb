/*
 * ffreel: plan -> ffmpeg command lines
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
#include <string.h>

#include "libavutil/bprint.h"
#include "libavutil/mathematics.h"
#include "libavutil/mem.h"

#include "driver.h"

/* exact, without an exponent, as ffmpeg's options take it */
static char *seconds(int64_t us)
{
    const int64_t abs = us < 0 ? -us : us;

    return strf("%s%"PRId64".%06d", us < 0 ? "-" : "", abs / 1000000, (int)(abs % 1000000));
}

static void add_seconds(StrList *l, int64_t us)
{
    char *s = seconds(us);

    list_add(l, s);
    av_free(s);
}

static int has(const StrList *l, const char *option)
{
    const size_t len = strlen(option);

    for (int i = 0; i < l->nb; i++)
        if (!strncmp(l->v[i], option, len) && (!l->v[i][len] || l->v[i][len] == ':'))
            return 1;
    return 0;
}

static void begin(StrList *l, const Plan *p)
{
    static const char *const fixed[] = { "-nostdin", "-hide_banner", "-y", "-loglevel", "level+info", "-nostats",
                                         "-progress", "pipe:3", "-stats_period", "0.2" };

    list_add(l, p->ffmpeg);
    for (int i = 0; i < FF_ARRAY_ELEMS(fixed); i++)
        list_add(l, fixed[i]);
    if (!p->damaged) {
        list_add(l, "-xerror");
        list_add(l, "-abort_on");
        list_add(l, "empty_output");
    }
    list_cat(l, &p->global);
}

/* the part of the command that makes frames [a, b), with their original times */
static void source(StrList *l, const Plan *p, int a, int threads)
{
    const int from = plan_seek(p, FFMAX(a - p->back, 0));

    if (threads && !has(&p->global, "-filter_threads")) {
        list_add(l, "-filter_threads");
        list_addf(l, "%d", threads);
    }
    list_add(l, "-copyts");
    list_cat(l, &p->in);
    if (threads && !has(&p->in, "-threads")) {
        list_add(l, "-threads");
        list_addf(l, "%d", threads);
    }
    /* with -copyts alone no time is touched; this takes off what an unsplit run takes off */
    list_add(l, "-itsoffset");
    add_seconds(l, -p->x.start);
    if (from) {
        /* the trims are exact; ffmpeg's own would compare with its rounded seek point */
        list_add(l, "-noaccurate_seek");
        list_add(l, "-ss");
        add_seconds(l, av_rescale_q(p->x.pts[from], p->x.tb, AV_TIME_BASE_Q) - p->x.file_start + 1000);
    }
    list_add(l, "-i");
    list_add(l, p->input);
    list_add(l, "-map");
    list_addf(l, "0:%d", p->stream);
    list_add(l, "-map_metadata");
    list_add(l, "-1");
    list_add(l, "-map_chapters");
    list_add(l, "-1");
}

/* the source's by number: "demux" is not known behind filters that make new frames */
static void time_base(StrList *l, const Plan *p)
{
    list_add(l, "-enc_time_base");
    list_addf(l, "%d/%d", p->x.tb.num, p->x.tb.den);
}

static void picture(StrList *l, const Plan *p, int a, int b, int threads)
{
    const int look = p->back || p->ahead;
    char *from = seconds(plan_middle(p, FFMAX(a - p->back, 0))), *to = seconds(plan_middle(p, FFMIN(b + p->ahead, p->x.nb)));
    char *first = seconds(plan_middle(p, a)), *end = seconds(plan_middle(p, b));

    list_add(l, "-vf");
    if (look)
        list_addf(l, "trim=start=%s:end=%s,%s,trim=start=%s:end=%s,setpts=PTS-STARTPTS", from, to, p->vf, first, end);
    else
        list_addf(l, "trim=start=%s:end=%s,%s,setpts=PTS-STARTPTS", first, end, p->vf);
    list_add(l, "-fps_mode");
    list_add(l, "passthrough");
    time_base(l, p);
    list_cat(l, &p->video);
    if (threads && !has(&p->video, "-threads")) {
        list_add(l, "-threads:v");
        list_addf(l, "%d", threads);
    }
    av_free(from);
    av_free(to);
    av_free(first);
    av_free(end);
}

/* Times stay whole ticks of the stream; and where these are as long as frames, there
 * is room between two for decoding times. */
static void timescale(StrList *l, const Plan *p, const char *format)
{
    int64_t grain = p->x.tb.den;

    if (has(&p->mux, "-video_track_timescale") || (strcmp(format, "mp4") && strcmp(format, "mov")))
        return;
    list_add(l, "-video_track_timescale");
    while (grain < 10000)
        grain *= 2;
    list_addf(l, "%"PRId64, grain);
}

static void prove(StrList *l, const char *proof)
{
    list_add(l, "-stats_enc_pre:v");
    list_add(l, proof);
    list_add(l, "-stats_enc_pre_fmt:v");
    list_add(l, "{ptsi} {tbi} {pts} {tb}");
}

void command_segment(StrList *l, const Plan *p, int i, const char *out, const char *proof)
{
    const int a = p->cut[i], b = p->cut[i + 1];

    begin(l, p);
    source(l, p, a, p->threads);
    picture(l, p, a, b, p->threads);
    prove(l, proof);
    timescale(l, p, p->seg_format);
    list_add(l, "-f");
    list_add(l, p->seg_format);
    list_add(l, out);
}

void command_trial(StrList *l, const Plan *p, int a, int b, int threads)
{
    begin(l, p);
    source(l, p, a, threads);
    picture(l, p, a, b, threads);
    list_add(l, "-f");
    list_add(l, "null");
    list_add(l, "-");
}

/* The DTS of a segment's first packets are counted back from its first frame: after
 * a cut in a file of variable rate they can lie before the last ones of the segment
 * before. They are moved up by ticks; packets never get later than their frame. */
static void add_dts_filter(StrList *l, const StrList *mux)
{
    const char *own = NULL;

    for (int i = 0; i + 1 < mux->nb; i++)
        if (!strcmp(mux->v[i], "-bsf:v") || !strcmp(mux->v[i], "-bsf:v:0") || !strcmp(mux->v[i], "-bsf"))
            own = mux->v[i + 1];
    list_add(l, "-bsf:v:0");
    list_addf(l, "setts=pts=PTS:dts=if(eq(N\\,0)\\,DTS\\,max(DTS\\,PREV_OUTDTS+1))%s%s", own ? "," : "", own ? own : "");
}

void command_join(StrList *l, const Plan *p, const char *list, const char *out)
{
    begin(l, p);
    list_add(l, "-copyts");
    list_add(l, "-itsoffset");
    add_seconds(l, av_rescale_q(plan_time(p, 0), p->x.tb, AV_TIME_BASE_Q));
    list_add(l, "-f");
    list_add(l, "concat");
    list_add(l, "-safe");
    list_add(l, "1");
    list_add(l, "-i");
    list_add(l, list);
    list_cat(l, &p->in);
    list_add(l, "-itsoffset");
    add_seconds(l, -p->x.start);
    list_add(l, "-i");
    list_add(l, p->input);
    for (int i = 0; i < p->maps.nb; i++) {
        list_add(l, "-map");
        list_add(l, p->maps.v[i]);
    }
    if (!has(&p->mux, "-map_metadata")) {
        list_add(l, "-map_metadata");
        list_add(l, "1");
    }
    if (!has(&p->mux, "-map_chapters")) {
        list_add(l, "-map_chapters");
        list_add(l, "1");
    }
    for (int i = 0; i < p->video_tags.nb; i++) {
        list_add(l, "-metadata:s:v:0");
        list_add(l, p->video_tags.v[i]);
    }
    if (p->disposition) {
        list_add(l, "-disposition:v:0");
        list_add(l, p->disposition);
    }
    list_cat(l, &p->mux);
    list_add(l, "-c:v");
    list_add(l, "copy");
    add_dts_filter(l, &p->mux);
    timescale(l, p, p->format);
    list_add(l, "-f");
    list_add(l, p->format);
    list_add(l, out);
}

void command_serial(StrList *l, const Plan *p, const char *out, const char *proof)
{
    begin(l, p);
    list_cat(l, &p->in);
    list_add(l, "-i");
    list_add(l, p->input);
    list_cat(l, &p->out);
    if (p->keeps_time) {
        list_add(l, "-fps_mode");
        list_add(l, "passthrough");
        time_base(l, p);
        timescale(l, p, p->format);
    }
    if (proof)
        prove(l, proof);
    list_add(l, "-f");
    list_add(l, p->format);
    list_add(l, out);
}

/* a segment lasts until the next one's first frame; rounded from the times
 * themselves, so that nothing adds up */
char *concat_list(const Plan *p)
{
    AVBPrint b;
    char *s = NULL;

    av_bprint_init(&b, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&b, "ffconcat version 1.0\n");
    for (int i = 0; i < p->nb_segs; i++) {
        av_bprintf(&b, "file seg/%05d.%s\n", i, p->seg_format);
        if (i + 1 < p->nb_segs) {
            const int64_t t0 = av_rescale_q(p->x.pts[p->cut[i]] - p->x.pts[0], p->x.tb, AV_TIME_BASE_Q);
            const int64_t t1 = av_rescale_q(p->x.pts[p->cut[i + 1]] - p->x.pts[0], p->x.tb, AV_TIME_BASE_Q);
            char *d = seconds(t1 - t0);
            av_bprintf(&b, "duration %s\n", d);
            av_free(d);
        }
    }
    if (!av_bprint_is_complete(&b))
        need(NULL);
    av_bprint_finalize(&b, &s);
    return need(s);
}
