/*
 * A graph of one filter on CUDA frames, for tests on the fake driver
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

#ifndef FFREEL_TESTS_CUDA_GRAPH_H
#define FFREEL_TESTS_CUDA_GRAPH_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavfilter/avfilter.h"
#include "libavfilter/buffersink.h"
#include "libavfilter/buffersrc.h"
#include "libavutil/frame.h"
#include "libavutil/hwcontext.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "tap.h"

static char message[8192];

static void keep_message(void *p, int level, const char *fmt, va_list ap)
{
    const size_t n = strlen(message);
    if (level <= AV_LOG_VERBOSE)
        vsnprintf(message + n, sizeof(message) - n, fmt, ap);
}

static AVBufferRef *device;

typedef struct Graph {
    AVFilterGraph *g;
    AVFilterContext *src, *crop, *sink;
    AVBufferRef *frames;
} Graph;

static AVBufferRef *new_frames(enum AVPixelFormat fmt, int w, int h)
{
    AVBufferRef *ref = av_hwframe_ctx_alloc(device);
    AVHWFramesContext *f = (AVHWFramesContext *)ref->data;

    f->format    = AV_PIX_FMT_CUDA;
    f->sw_format = fmt;
    f->width     = w;
    f->height    = h;
    if (av_hwframe_ctx_init(ref) < 0)
        av_buffer_unref(&ref);
    return ref;
}

/* w x h of the link; the frames' context has a few more, as a decoder's has */
static int open_graph(Graph *t, enum AVPixelFormat fmt, int w, int h, const char *opts, int with_frames)
{
    AVBufferSrcParameters *par = av_buffersrc_parameters_alloc();
    int ret;

    message[0] = 0;
    t->g      = avfilter_graph_alloc();
    t->frames = new_frames(fmt, w + 8, h + 6);
    t->src    = avfilter_graph_alloc_filter(t->g, avfilter_get_by_name("buffer"), "in");
    par->format = AV_PIX_FMT_CUDA;
    par->width  = w;
    par->height = h;
    par->time_base = (AVRational){ 1, 25 };
    par->sample_aspect_ratio = (AVRational){ 4, 3 };
    par->color_space = AVCOL_SPC_BT709;
    par->color_range = AVCOL_RANGE_MPEG;
    if (with_frames)
        par->hw_frames_ctx = t->frames;
    if ((ret = av_buffersrc_parameters_set(t->src, par)) >= 0 && (ret = avfilter_init_dict(t->src, NULL)) >= 0 &&
        (ret = avfilter_graph_create_filter(&t->crop, avfilter_get_by_name("keyframecrop"), "crop", opts, NULL, t->g)) >= 0 &&
        (ret = avfilter_graph_create_filter(&t->sink, avfilter_get_by_name("buffersink"), "out", NULL, NULL, t->g)) >= 0 &&
        (ret = avfilter_link(t->src, 0, t->crop, 0)) >= 0 && (ret = avfilter_link(t->crop, 0, t->sink, 0)) >= 0)
        ret = avfilter_graph_config(t->g, NULL);
    av_free(par);
    return ret;
}

static void close_graph(Graph *t)
{
    avfilter_graph_free(&t->g);
    av_buffer_unref(&t->frames);
}

/* @return 0 where the build has no fake driver, and then this was said */
static int open_device(void)
{
    av_log_set_callback(keep_message);
    if (!getenv("FAKECUDA") || !*getenv("FAKECUDA")) {
        tap_skip("filters on CUDA frames: this build has no CUDA kernels, so no fake driver either");
        printf("done - no tests\n");
        return 0;
    }
    return tap_ok(av_hwdevice_ctx_create(&device, AV_HWDEVICE_TYPE_CUDA, NULL, NULL, 0) >= 0, "a device");
}

#endif /* FFREEL_TESTS_CUDA_GRAPH_H */
