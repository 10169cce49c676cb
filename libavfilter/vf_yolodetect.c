/*
 * YOLO object detection and tracking
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

#include <inttypes.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/cpu.h"
#include "libavutil/imgutils.h"
#include "libavutil/internal.h"
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"
#include "libavutil/time.h"

#include "ffreel_compat.h"
#include "formats.h"
#include "video.h"
#include "yolo_opt.h"
#include "yolo_out.h"

/*
 * Frames wait in a queue until as many of them are to be looked at as are run
 * together; then the net sees those, and the whole queue goes on, in order. So the delay is
 * batch * interval frames at most, and a frame leaves at once when none before it waits.
 */

#define MAX_WAITING (INT64_C(512) << 20)    ///< bytes

static int query_formats(const AVFilterContext *ctx, AVFilterFormatsConfig **cfg_in, AVFilterFormatsConfig **cfg_out)
{
    const AVPixFmtDescriptor *d = NULL;
    AVFilterFormats *formats = NULL;
    int ret;

    while ((d = av_pix_fmt_desc_next(d))) {
        const enum AVPixelFormat fmt = av_pix_fmt_desc_get_id(d);
        if (ff_nn_format_supported(fmt) && (ret = ff_add_format(&formats, fmt)) < 0)
            return ret;
    }
    return ff_set_common_formats2(ctx, cfg_in, cfg_out, formats);
}

/* ---- configuration ---------------------------------------------------------------------- */

typedef struct Call {
    YoloJob *job;
    void    *arg;
} Call;

static int thread_job(AVFilterContext *ctx, void *arg, int i, int nb)
{
    const Call *c = arg;

    c->job(c->arg, i, nb);
    return 0;
}

static void execute(void *opaque, YoloJob *job, void *arg, int nb)
{
    Call c = { job, arg };

    ff_filter_execute(opaque, thread_job, &c, NULL, nb);
}

static void empty_queue(YoloContext *s)
{
    for (int i = 0; i < s->nb_queue; i++)
        av_frame_free(&s->queue[i].frame);
    s->nb_queue = s->nb_waiting = 0;
}

static void log_times(AVFilterContext *ctx)
{
    const YoloContext *s = ctx->priv;
    const YoloRun *r = &s->run;
    int64_t pic = 0, net = 0, decode = 0;
    const double n = FFMAX(r->frames, 1) * 1000.;

    for (int i = 0; i < r->nb_slots && r->slot; i++) {
        pic    += r->slot[i].us_pic;
        net    += r->slot[i].us_net;
        decode += r->slot[i].us_decode;
    }
    if (s->nb_frames)
        av_log(ctx, AV_LOG_VERBOSE, "%"PRId64" frames, %"PRId64" looked at, %"PRId64" runs of the net, %"PRId64" boxes; "
               "per frame looked at, of one thread: picture %.2f ms, net %.2f ms, boxes %.2f ms; tracker %.3f ms a frame\n",
               s->nb_frames, r->frames, r->runs, s->nb_boxes, pic / n, net / n, decode / n,
               s->us_track / (s->nb_frames * 1000.));
}

static int close_all(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;
    int ret;

    log_times(ctx);
    if (s->nb_queue)
        av_log(ctx, AV_LOG_VERBOSE, "%d frames that waited for others of their batch end here: ffmpeg closes the graph\n",
               s->nb_queue);
    empty_queue(s);
    for (int i = 0; i < s->max_queue && s->queue; i++)
        ff_yolo_free(&s->queue[i].boxes);
    av_freep(&s->queue);
    s->max_queue = 0;
    ff_yolo_run_close(&s->run);
    ff_yolo_track_close(&s->tracker);
    ff_yolo_labels_free(&s->labels);
    av_freep(&s->keep);
    ret = ff_yolo_file_close(&s->file, s->nb_frames, s->end, ctx);
    ff_nn_net_unref(&s->net);
    return ret;
}

/* as many as there are threads, but of frames that wait no more than fit into MAX_WAITING */
static int default_batch(int threads, int interval, const AVFilterLink *in)
{
    const int bytes = av_image_get_buffer_size(in->format, in->w, in->h, 1);
    const int64_t frames = bytes > 0 ? MAX_WAITING / bytes : 1;

    return av_clip64((frames - 1) / interval + 1, 1, threads);
}

static int open_run(AVFilterContext *ctx, const AVFilterLink *inlink)
{
    YoloContext *s = ctx->priv;
    const int threads = FFMAX(FFMIN(ff_filter_get_nb_threads(ctx), av_cpu_count()), 1);
    YoloRunParams par = {
        .engine     = s->engine,
        .precision  = s->precision,
        .size_w     = s->size_w,
        .size_h     = s->size_h,
        .rect       = s->rect,
        .head       = s->head,
        .nx         = s->nx,
        .ny         = s->ny,
        .overlap    = s->overlap,
        .format     = inlink->format,
        .nb_threads = threads,
        .batch      = s->batch ? s->batch : default_batch(threads, s->interval, inlink),
        .execute    = execute,
        .opaque     = ctx,
        .log        = ctx,
    };
    int ret;

    if ((ret = ff_yolo_opt_region(ctx, &par.region, inlink->w, inlink->h)) < 0 ||
        (ret = ff_nn_net_ref(&s->net, s->model, ctx)) < 0 ||
        (ret = ff_yolo_opt_labels(ctx)) < 0)
        return ret;
    par.net      = s->net;
    par.nb_names = s->labels.nb;
    if ((ret = ff_yolo_run_open(&s->run, &par)) < 0 ||
        (ret = ff_yolo_opt_check_labels(ctx, s->run.head.nc)) < 0)
        return ret;
    return ff_yolo_opt_classes(ctx, s->classes, s->run.head.nc);
}

static int open_tracker(AVFilterContext *ctx, AVRational rate)
{
    YoloContext *s = ctx->priv;
    YoloTrackParams p = s->track;

    if (p.mode == YOLO_TRACK_NONE)
        return 0;
    p.high  = s->track_high;
    p.low   = p.mode == YOLO_TRACK_BYTE ? s->track_low : 0;
    p.match = s->track_match;
    if (p.fill < 0) {           // must last until the net looks again
        p.fill = 0.2;
        if (s->interval > 1)
            p.fill = FFMAX(p.fill, 1.5 * s->interval / (rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 25));
    }
    p.keep = FFMAX(p.keep, p.fill);
    return ff_yolo_track_open(&s->tracker, &p, ctx);
}

static int config_input(AVFilterLink *inlink)
{
    AVFilterContext *ctx = inlink->dst;
    const AVRational rate = ff_filter_link(inlink)->frame_rate;
    YoloContext *s = ctx->priv;
    int ret;

    if ((ret = close_all(ctx)) < 0 || (ret = open_run(ctx, inlink)) < 0 || (ret = open_tracker(ctx, rate)) < 0)
        return ret;
    s->max_queue = s->run.batch * s->interval;
    s->queue     = av_calloc(s->max_queue, sizeof(*s->queue));
    if (!s->queue)
        return AVERROR(ENOMEM);
    ff_frame_clock_reset(&s->clock);
    s->since     = -1;
    s->nb_frames = s->us_track = s->nb_boxes = 0;
    s->end       = 0;
    return s->out ? ff_yolo_file_open(&s->file, s->out, s->out_format, inlink->w, inlink->h, rate, ctx) : 0;
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* the net, for all frames that wait for it */
static int look(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;
    /* weak detections are for the tracker; those that it does not take are dropped below */
    const float conf = s->track.mode == YOLO_TRACK_BYTE ? FFMIN(s->conf, s->track_low) : s->conf;
    const YoloLimits lim = { conf, s->iou, s->agnostic, s->max_det, s->keep, s->nb_keep };
    const AVFrame **frames;
    YoloBoxes *boxes;
    int n = 0, ret;

    if (!s->nb_waiting)
        return 0;
    frames = av_malloc_array(s->nb_waiting, sizeof(*frames));
    boxes  = av_calloc(s->nb_waiting, sizeof(*boxes));
    if (!frames || !boxes) {
        av_free(frames);
        av_free(boxes);
        return AVERROR(ENOMEM);
    }
    for (int i = 0; i < s->nb_queue; i++)
        if (s->queue[i].stage == YOLO_LOOK)
            frames[n++] = s->queue[i].frame;
    ret = ff_yolo_run(&s->run, frames, boxes, n, &lim);
    n = 0;
    for (int i = 0; i < s->nb_queue; i++)
        if (s->queue[i].stage == YOLO_LOOK) {
            FFSWAP(YoloBoxes, s->queue[i].boxes, boxes[n]);
            ff_yolo_free(&boxes[n++]);
            if (ret >= 0)
                s->queue[i].stage = YOLO_LOOKED;
        }
    if (ret >= 0)
        s->nb_waiting = 0;
    av_free(frames);
    av_free(boxes);
    return ret;
}

static int track(YoloContext *s, YoloEntry *e)
{
    const int64_t t0 = av_gettime_relative();
    YoloBoxes *list = &e->boxes;
    int n = 0, ret;

    if (!s->tracker)
        return 0;
    if (e->stage == YOLO_FILL)
        list->nb = 0;
    ret = ff_yolo_track(s->tracker, e->at.t, e->at.w, e->at.h, e->stage == YOLO_LOOKED, list);
    for (int i = 0; i < list->nb; i++)
        if (list->box[i].id > 0 || list->box[i].conf > e->conf)
            list->box[n++] = list->box[i];
    list->nb = n;
    s->us_track += av_gettime_relative() - t0;
    return ret;
}

/* takes the frame */
static int send(AVFilterContext *ctx, YoloEntry *e)
{
    YoloContext *s = ctx->priv;
    AVFrame *frame = e->frame;
    int ret = 0;

    e->frame = NULL;
    if (e->stage != YOLO_PASS) {
        if ((ret = track(s, e)) >= 0)
            ret = ff_yolo_put(frame, &e->boxes, &s->labels);
        if (ret >= 0 && s->file)
            ret = ff_yolo_file_frame(s->file, &e->at, &e->boxes, &s->labels, ctx);
        s->nb_boxes += e->boxes.nb;
    }
    if (ret >= 0)
        return ff_filter_frame(ctx->outputs[0], frame);
    av_frame_free(&frame);
    return ret;
}

static int send_all(AVFilterContext *ctx)
{
    YoloContext *s = ctx->priv;
    int ret = look(ctx);

    for (int i = 0; i < s->nb_queue && ret >= 0; i++)
        ret = send(ctx, &s->queue[i]);
    empty_queue(s);
    return ret;
}

static enum YoloStage stage_of(YoloContext *s, int disabled)
{
    if (disabled) {
        s->since = -1;
        return YOLO_PASS;
    }
    s->since = s->since < 0 ? 0 : (s->since + 1) % s->interval;
    return !s->since ? YOLO_LOOK : s->tracker ? YOLO_FILL : YOLO_PASS;
}

/* takes the frame */
static int enqueue(AVFilterContext *ctx, AVFrame *frame)
{
    AVFilterLink *inlink = ctx->inputs[0];
    YoloContext *s = ctx->priv;
    YoloEntry *e = &s->queue[s->nb_queue];

    if (frame->width != inlink->w || frame->height != inlink->h || frame->format != inlink->format) {
        av_log(ctx, AV_LOG_ERROR, "a frame of %dx%d %s came where %dx%d %s was agreed on\n",
               frame->width, frame->height, av_get_pix_fmt_name(frame->format), inlink->w, inlink->h, av_get_pix_fmt_name(inlink->format));
        av_frame_free(&frame);
        return AVERROR_INVALIDDATA;
    }
    e->frame = frame;
    e->stage = stage_of(s, ctx->is_disabled);
    e->conf  = s->conf;
    e->at    = (YoloStamp) {
        .n   = s->nb_frames++,
        .pts = frame->pts,
        .t   = ff_frame_clock_time(&s->clock, inlink, frame, 0),
        .w   = frame->width,
        .h   = frame->height,
    };
    e->boxes.nb = 0;
    s->end = s->clock.next_pts * av_q2d(inlink->time_base);
    s->nb_queue++;
    s->nb_waiting += e->stage == YOLO_LOOK;
    return 0;
}

static int is_due(const YoloContext *s)
{
    return s->nb_queue && (!s->nb_waiting || s->nb_waiting >= s->run.batch || s->nb_queue >= s->max_queue);
}

static int activate(AVFilterContext *ctx)
{
    AVFilterLink *inlink = ctx->inputs[0], *outlink = ctx->outputs[0];
    YoloContext *s = ctx->priv;
    AVFrame *frame;
    int64_t pts;
    int status, ret = 0;

    FF_FILTER_FORWARD_STATUS_BACK(outlink, inlink);

    while (!is_due(s) && (ret = ff_inlink_consume_frame(inlink, &frame)) > 0)
        ret = enqueue(ctx, frame);
    if (ret < 0)
        return ret;
    if (is_due(s)) {
        ret = send_all(ctx);
        if (ret >= 0 && ff_inlink_queued_frames(inlink))
            ff_filter_set_ready(ctx, 100);
        return ret;
    }
    if (ff_inlink_acknowledge_status(inlink, &status, &pts)) {
        ret = send_all(ctx);
        if (ret >= 0)           // here, where an error still ends the run
            ret = ff_yolo_file_close(&s->file, s->nb_frames, s->end, ctx);
        ff_outlink_set_status(outlink, ret < 0 ? ret : status, pts);
        return ret;
    }
    FF_FILTER_FORWARD_WANTED(outlink, inlink);
    return FFERROR_NOT_READY;
}

/* frames that wait came before the command: they go through the net as things were */
static int process_command(AVFilterContext *ctx, const char *cmd, const char *arg, char *res, int res_len, int flags)
{
    YoloContext *s = ctx->priv;
    int ret = s->queue ? look(ctx) : 0;

    if (ret >= 0 && !strcmp(cmd, "classes"))
        ret = ff_yolo_opt_classes(ctx, arg, s->run.head.nc);
    return ret < 0 ? ret : ff_filter_process_command(ctx, cmd, arg, res, res_len, flags);
}

static av_cold void uninit(AVFilterContext *ctx)
{
    close_all(ctx);
}

static const AVFilterPad inputs[] = {
    {
        .name         = "default",
        .type         = AVMEDIA_TYPE_VIDEO,
        .config_props = config_input,
    },
};

const FFREEL_FILTER ff_vf_yolodetect = {
    .FFREEL_PUB(name)        = "yolodetect",
    .FFREEL_PUB(description) = NULL_IF_CONFIG_SMALL("Find and track objects with YOLO networks."),
    .FFREEL_PUB(priv_class)  = &ff_yolodetect_class,
    .FFREEL_PUB(flags)       = AVFILTER_FLAG_SLICE_THREADS | AVFILTER_FLAG_SUPPORT_TIMELINE_INTERNAL |
                               AVFILTER_FLAG_METADATA_ONLY,
    .priv_size       = sizeof(YoloContext),
    .init            = ff_yolo_opt_init,
    .uninit          = uninit,
    .activate        = activate,
    .process_command = process_command,
    FILTER_INPUTS(inputs),
    FILTER_OUTPUTS(ff_video_default_filterpad),
    FILTER_QUERY_FUNC2(query_formats),
};
