/*
 * highlight_cuda: the same on CUDA frames, with the same options and the same bytes
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

#include "libavutil/error.h"
#include "libavutil/pixdesc.h"

#include "cudafilter.h"
#include "ffreel_compat.h"
#include "filters.h"
#include "highlight.h"
#include "highlight_cuda.h"
#include "highlight_tab.h"
#include "video.h"

typedef struct HighlightCUDAContext {
    HighlightContext h;         ///< first: the options are in it
    HighlightCuda    cuda;
    HighlightTables  tables;
    PxLayout         layout;
} HighlightCUDAContext;

static int config_output(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    HighlightCUDAContext *s = ctx->priv;
    AVFilterLink *inlink = ctx->inputs[0];
    const enum AVPixelFormat fmt = ff_cudaframes_format(inlink);
    int ret;

    if (fmt == AV_PIX_FMT_NONE || ff_highlight_layout(&s->layout, fmt) < 0) {
        av_log(ctx, AV_LOG_ERROR, "CUDA frames of format %s cannot be drawn on: put scale_cuda=format=nv12 before this filter\n",
               av_get_pix_fmt_name(fmt) ? av_get_pix_fmt_name(fmt) : "unknown");
        return AVERROR(ENOSYS);
    }
    if ((ret = ff_cudaframes_keep(outlink, inlink)) < 0 ||
        (ret = ff_highlight_cuda_init(&s->cuda, ctx, ff_cudaframes_device(inlink))) < 0)
        return ret;
    return ff_highlight_config(inlink);
}

static void uninit(AVFilterContext *ctx)
{
    HighlightCUDAContext *s = ctx->priv;

    ff_highlight_cuda_free(&s->cuda);
    ff_highlight_tables_free(&s->tables);
    ff_highlight_uninit(ctx);
}

/* keys are in pixels of what is shown; a decoder may leave more around it */
static void shift(HighlightScene *scene, const AVFrame *in)
{
    for (int i = 0; i < scene->nb; i++) {
        scene->draw[i].x += in->crop_left;
        scene->draw[i].y += in->crop_top;
    }
}

static int filter_frame(AVFilterLink *inlink, AVFrame *in)
{
    AVFilterContext *ctx = inlink->dst;
    HighlightCUDAContext *s = ctx->priv;
    AVFilterLink *outlink = ctx->outputs[0];
    HighlightScene scene = ff_highlight_at(inlink, in);
    AVFrame *out;
    int ret;

    if (ff_highlight_is_empty(&scene))
        return ff_filter_frame(outlink, in);
    shift(&scene, in);
    out = ff_cudaframes_dest(outlink, in);
    ret = out ? ff_highlight_tables(&s->tables, &scene, s->h.dither, &s->layout, in) : AVERROR(ENOMEM);
    if (ret >= 0)
        ret = ff_highlight_cuda(&s->cuda, &s->tables, &scene, &s->layout, out, in);
    if (ret < 0)
        av_log(ctx, AV_LOG_ERROR, "cannot draw on a frame of %dx%d: %s\n", in->width, in->height, av_err2str(ret));
    if (out != in)
        av_frame_free(&in);
    if (ret >= 0)
        return ff_filter_frame(outlink, out);
    av_frame_free(&out);
    return ret;
}

static const AVFilterPad inputs[] = {
    {
        .name         = "default",
        .type         = AVMEDIA_TYPE_VIDEO,
        .filter_frame = filter_frame,
    },
};

static const AVFilterPad outputs[] = {
    {
        .name         = "default",
        .type         = AVMEDIA_TYPE_VIDEO,
        .config_props = config_output,
    },
};

const FFREEL_FILTER ff_vf_highlight_cuda = {
    .FFREEL_PUB(name)        = "highlight_cuda",
    .FFREEL_PUB(description) = NULL_IF_CONFIG_SMALL("Spotlight a player by ellipses that follow keyframes or detections, on CUDA frames."),
    .FFREEL_PUB(priv_class)  = &ff_highlight_class,
    .FFREEL_PUB(flags)       = AVFILTER_FLAG_HWDEVICE | AVFILTER_FLAG_SUPPORT_TIMELINE_GENERIC,
    .priv_size       = sizeof(HighlightCUDAContext),
    .init            = ff_highlight_init,
    .uninit          = uninit,
    .process_command = ff_highlight_command,
    FILTER_INPUTS(inputs),
    FILTER_OUTPUTS(outputs),
    FILTER_SINGLE_PIXFMT(AV_PIX_FMT_CUDA),
    .flags_internal  = FF_FILTER_FLAG_HWFRAME_AWARE,
};
