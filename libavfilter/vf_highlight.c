/*
 * highlight: spotlight on a player, by keyframes or detections
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
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"

#include "ffreel_compat.h"
#include "formats.h"
#include "highlight.h"
#include "highlight_render.h"
#include "video.h"

typedef struct HighlightSWContext {
    HighlightContext h;         ///< first: the options are in it
    HighlightRender  render;
} HighlightSWContext;

static int query_formats(const AVFilterContext *ctx, AVFilterFormatsConfig **cfg_in,
                         AVFilterFormatsConfig **cfg_out)
{
    const AVPixFmtDescriptor *d = NULL;
    AVFilterFormats *formats = NULL;
    PxLayout layout;

    while ((d = av_pix_fmt_desc_next(d))) {
        const enum AVPixelFormat fmt = av_pix_fmt_desc_get_id(d);
        int ret;
        if (!ff_highlight_layout(&layout, fmt) && (ret = ff_add_format(&formats, fmt)) < 0)
            return ret;
    }
    return ff_set_common_formats2(ctx, cfg_in, cfg_out, formats);
}

static int config_input(AVFilterLink *inlink)
{
    HighlightSWContext *s = inlink->dst->priv;
    int ret = ff_highlight_config(inlink);

    return ret < 0 ? ret : ff_highlight_render_init(&s->render, inlink->format, ff_filter_get_nb_threads(inlink->dst));
}

static int filter_frame(AVFilterLink *inlink, AVFrame *in)
{
    AVFilterContext *ctx = inlink->dst;
    HighlightSWContext *s = ctx->priv;
    AVFilterLink *outlink = ctx->outputs[0];
    HighlightScene scene;
    AVFrame *out = in;
    int ret = 0;

    if (in->width != inlink->w || in->height != inlink->h || in->format != inlink->format) {
        av_log(ctx, AV_LOG_ERROR, "a frame of %dx%d %s came where %dx%d %s was agreed on\n", in->width, in->height,
               av_get_pix_fmt_name(in->format), inlink->w, inlink->h, av_get_pix_fmt_name(inlink->format));
        av_frame_free(&in);
        return AVERROR_INVALIDDATA;
    }
    scene = ff_highlight_at(inlink, in);
    if (ff_highlight_is_empty(&scene))
        return ff_filter_frame(outlink, in);
    if (!av_frame_is_writable(in)) {
        if (!(out = ff_get_video_buffer(outlink, outlink->w, outlink->h)))
            ret = AVERROR(ENOMEM);
        else
            ret = av_frame_copy_props(out, in);
    }
    if (ret >= 0)
        ret = ff_highlight_render(&s->render, ctx, out, in, &scene, s->h.dither);
    if (ret < 0)
        av_log(ctx, AV_LOG_ERROR, "cannot draw on a frame of %dx%d: %s\n", in->width, in->height, av_err2str(ret));
    if (out != in)
        av_frame_free(&in);
    if (ret >= 0)
        return ff_filter_frame(outlink, out);
    av_frame_free(&out);
    return ret;
}

static av_cold void uninit(AVFilterContext *ctx)
{
    HighlightSWContext *s = ctx->priv;

    ff_highlight_render_free(&s->render);
    ff_highlight_uninit(ctx);
}

static const AVFilterPad inputs[] = {
    {
        .name         = "default",
        .type         = AVMEDIA_TYPE_VIDEO,
        .config_props = config_input,
        .filter_frame = filter_frame,
    },
};

const FFREEL_FILTER ff_vf_highlight = {
    .FFREEL_PUB(name)        = "highlight",
    .FFREEL_PUB(description) = NULL_IF_CONFIG_SMALL("Spotlight a player by ellipses that follow keyframes or detections."),
    .FFREEL_PUB(priv_class)  = &ff_highlight_class,
    .FFREEL_PUB(flags)       = AVFILTER_FLAG_SLICE_THREADS | AVFILTER_FLAG_SUPPORT_TIMELINE_GENERIC,
    .priv_size       = sizeof(HighlightSWContext),
    .init            = ff_highlight_init,
    .uninit          = uninit,
    .process_command = ff_highlight_command,
    FILTER_INPUTS(inputs),
    FILTER_OUTPUTS(ff_video_default_filterpad),
    FILTER_QUERY_FUNC2(query_formats),
};
