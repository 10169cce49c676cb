/*
 * A filter between a source and a sink, fed by hand
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

#ifndef FFREEL_TESTS_GRAPH_H
#define FFREEL_TESTS_GRAPH_H

#include <stdio.h>
#include <string.h>

#include "libavfilter/avfilter.h"
#include "libavfilter/buffersink.h"
#include "libavfilter/buffersrc.h"
#include "libavutil/error.h"
#include "libavutil/frame.h"
#include "libavutil/log.h"
#include "libavutil/pixdesc.h"

/** what the library logged since the graph was opened */
static char message[4096];

static inline void keep_message(void *p, int level, const char *fmt, va_list ap)
{
    const size_t n = strlen(message);
    if (level <= AV_LOG_VERBOSE)
        vsnprintf(message + n, sizeof(message) - n, fmt, ap);
}

typedef struct Graph {
    AVFilterGraph *g;
    AVFilterContext *src, *filter, *sink;
} Graph;

/** A source of frames, the filter under test (called "filter"), a sink; the log goes to message. */
static inline int open_filter(Graph *t, const char *name, int w, int h, enum AVPixelFormat fmt, const char *opts)
{
    char args[256];
    int ret;

    message[0] = 0;
    t->g = avfilter_graph_alloc();
    t->g->nb_threads = 3;
    avfilter_graph_set_auto_convert(t->g, AVFILTER_AUTO_CONVERT_NONE);
    snprintf(args, sizeof(args), "width=%d:height=%d:pix_fmt=%s:time_base=1001/30000:sar=4/3:colorspace=bt709:range=tv",
             w, h, av_get_pix_fmt_name(fmt));
    if ((ret = avfilter_graph_create_filter(&t->src,  avfilter_get_by_name("buffer"), "in", args, NULL, t->g)) < 0 ||
        (ret = avfilter_graph_create_filter(&t->filter, avfilter_get_by_name(name), "filter", opts, NULL, t->g)) < 0 ||
        (ret = avfilter_graph_create_filter(&t->sink, avfilter_get_by_name("buffersink"), "out", NULL, NULL, t->g)) < 0 ||
        (ret = avfilter_link(t->src, 0, t->filter, 0)) < 0 || (ret = avfilter_link(t->filter, 0, t->sink, 0)) < 0)
        return ret;
    return avfilter_graph_config(t->g, NULL);
}

static inline AVFrame *frame(int w, int h, enum AVPixelFormat fmt, int64_t pts)
{
    AVFrame *f = av_frame_alloc();

    f->width  = w;
    f->height = h;
    f->format = fmt;
    f->pts    = pts;
    f->duration = pts == AV_NOPTS_VALUE ? 0 : 1;
    f->sample_aspect_ratio = (AVRational){ 4, 3 };
    f->colorspace  = AVCOL_SPC_BT709;
    f->color_range = AVCOL_RANGE_MPEG;
    f->color_primaries = AVCOL_PRI_BT709;
    f->color_trc = AVCOL_TRC_BT709;
    f->chroma_location = AVCHROMA_LOC_TOPLEFT;
    av_frame_get_buffer(f, 0);
    for (int p = 0; p < 4 && f->buf[p]; p++)
        memset(f->buf[p]->data, 100, f->buf[p]->size);
    return f;
}

/* takes f; @return what comes out, or NULL */
static inline AVFrame *through(Graph *t, AVFrame *f, int *err)
{
    AVFrame *out = av_frame_alloc();

    *err = av_buffersrc_add_frame(t->src, f);
    if (*err >= 0)
        *err = av_buffersink_get_frame(t->sink, out);
    av_frame_free(&f);
    if (*err < 0)
        av_frame_free(&out);
    return out;
}

#endif /* FFREEL_TESTS_GRAPH_H */
