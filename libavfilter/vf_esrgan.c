/*
 * Super-resolution by Real-ESRGAN networks
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


#include "libavutil/common.h"
#include "libavutil/cpu.h"
#include "libavutil/dict.h"
#include "libavutil/internal.h"
#include "libavutil/pixdesc.h"

#include "esrgan.h"
#include "esrgan_props.h"
#include "esrgan_run.h"
#include "ffreel_compat.h"
#include "formats.h"
#include "video.h"

typedef struct ESRGANSoftContext {
    ESRGANContext  e;               ///< first: the options are in it
    ESRGANRun      run;
    int            ready;           ///< run is open
    AVFrame       *last_in;         ///< dedup: the frame before and its result
    AVFrame       *last_out;
    int64_t        frames, repeated;
} ESRGANSoftContext;

/* ---- formats ------------------------------------------------------- */

static int query_formats(const AVFilterContext *ctx, AVFilterFormatsConfig **cfg_in,
                         AVFilterFormatsConfig **cfg_out)
{
    const AVPixFmtDescriptor *d = NULL;
    AVFilterFormats *formats = NULL;
    int ret;

    while ((d = av_pix_fmt_desc_next(d))) {
        enum AVPixelFormat fmt = av_pix_fmt_desc_get_id(d);
        if (ff_nn_format_supported(fmt) && (ret = ff_add_format(&formats, fmt)) < 0)
            return ret;
    }
    return ff_set_common_formats2(ctx, cfg_in, cfg_out, formats);
}

/* ---- configuration --------------------------------------------------------------- */

static int run_threads(AVFilterContext *ctx, void *arg, int job, int nb_jobs)
{
    void **a = arg;
    ((ESRGANJob *)a[0])(a[1], job, nb_jobs);
    return 0;
}

static void execute(void *opaque, ESRGANJob *job, void *arg, int nb_jobs)
{
    void *a[2] = { job, arg };
    ff_filter_execute(opaque, run_threads, a, NULL, nb_jobs);
}

static void forget(ESRGANSoftContext *s)
{
    av_frame_free(&s->last_in);
    av_frame_free(&s->last_out);
}

static void close_run(ESRGANSoftContext *s)
{
    forget(s);
    if (s->ready)
        ff_esrgan_run_close(&s->run);
    s->ready = 0;
    ff_nn_model_unref(&s->e.graph);
}

static int config_output(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    AVFilterLink *inlink = ctx->inputs[0];
    ESRGANSoftContext *s = ctx->priv;
    ESRGANRunParams par = {
        .format     = inlink->format,
        .engine     = s->e.engine,
        .precision  = s->e.precision,
        .device     = s->e.device,
        .tile       = s->e.tile,
        .halo       = s->e.halo,
        .filter     = ctx,
        .kernels    = s->e.kernels,
        .nb_threads = FFMIN(ff_filter_get_nb_threads(ctx), av_cpu_count()),
        .execute    = execute,
        .opaque     = ctx,
        .log        = ctx,
    };
    int net, ret;

    close_run(s);
    if ((ret = ff_esrgan_config(inlink, outlink, &par.geo, &net)) < 0)
        return ret;
    par.graph = net ? s->e.graph : NULL;
    s->ready  = 1;
    return ff_esrgan_run_open(&s->run, &par);
}

/* ---- frames -------------------------------------------------------------------- */

/** the result of the frame before, with the properties of this one */
static AVFrame *repeat_frame(ESRGANSoftContext *s, const AVFrame *in)
{
    AVFrame *out;

    if (!s->last_out || !ff_esrgan_same_picture(in, s->last_in))
        return NULL;
    out = av_frame_clone(s->last_out);
    if (!out)
        return NULL;
    av_frame_side_data_free(&out->side_data, &out->nb_side_data);
    av_dict_free(&out->metadata);
    s->repeated++;
    return out;
}

static int make_frame(AVFilterLink *outlink, const AVFrame *in, AVFrame **out)
{
    ESRGANSoftContext *s = outlink->src->priv;

    if (s->e.dedup && (*out = repeat_frame(s, in)))
        return 0;
    *out = ff_get_video_buffer(outlink, outlink->w, outlink->h);
    if (!*out)
        return AVERROR(ENOMEM);
    return ff_esrgan_run_frame(&s->run, in, *out, s->run.par.graph ? s->e.strength : 0);
}

/** keep this frame and its result for the next */
static int remember(ESRGANSoftContext *s, const AVFrame *in, const AVFrame *out)
{
    forget(s);
    s->last_in  = av_frame_clone(in);
    s->last_out = av_frame_clone(out);
    return s->last_in && s->last_out ? 0 : AVERROR(ENOMEM);
}

static int check_frame(AVFilterContext *ctx, const AVFilterLink *inlink, const AVFrame *in)
{
    if (in->width != inlink->w || in->height != inlink->h || in->format != inlink->format) {
        av_log(ctx, AV_LOG_ERROR, "frame at pts %"PRId64" is %dx%d %s in a link of %dx%d %s\n", in->pts,
               in->width, in->height, av_get_pix_fmt_name(in->format),
               inlink->w, inlink->h, av_get_pix_fmt_name(inlink->format));
        return AVERROR_INVALIDDATA;
    }
    ff_esrgan_warn_interlaced(ctx, in);
    return 0;
}

static int filter_frame(AVFilterLink *inlink, AVFrame *in)
{
    AVFilterContext *ctx = inlink->dst;
    AVFilterLink *outlink = ctx->outputs[0];
    ESRGANSoftContext *s = ctx->priv;
    AVFrame *out = NULL;
    int ret;

    if ((ret = check_frame(ctx, inlink, in)) < 0 ||
        (ret = make_frame(outlink, in, &out)) < 0)
        goto fail;
    out->sample_aspect_ratio = ff_esrgan_sar(&s->e, inlink, outlink, in->sample_aspect_ratio);
    if ((ret = ff_esrgan_copy_props(out, in)) < 0 ||
        (s->e.dedup && (ret = remember(s, in, out)) < 0))
        goto fail;
    if (!s->frames++)
        av_log(ctx, AV_LOG_VERBOSE, "color taken as matrix %s, range %s, chroma %s\n",
               av_color_space_name(s->run.pic.fmt.matrix), av_color_range_name(s->run.pic.fmt.range),
               av_chroma_location_name(s->run.pic.fmt.loc));
    av_frame_free(&in);
    return ff_filter_frame(outlink, out);
fail:
    av_frame_free(&in);
    av_frame_free(&out);
    return ret;
}

static int process_command(AVFilterContext *ctx, const char *cmd, const char *arg,
                           char *res, int res_len, int flags)
{
    forget(ctx->priv);      /* made with the old value */
    return ff_filter_process_command(ctx, cmd, arg, res, res_len, flags);
}

static void log_times(AVFilterContext *ctx)
{
    const ESRGANSoftContext *s = ctx->priv;
    const ESRGANRun *r = &s->run;
    double n = FFMAX(r->frames, 1) * 1000., sum = r->us_in + r->us_net + r->us_out;

    if (s->frames)
        av_log(ctx, AV_LOG_VERBOSE, "%"PRId64" frames, %"PRId64" repeated from the one before; "
               "per frame made: in %.2f ms, net %.2f ms, out %.2f ms, %.2f fps; %"PRId64" tiles redone in fp32\n",
               s->frames, s->repeated, r->us_in / n, r->us_net / n, r->us_out / n,
               sum ? r->frames * 1e6 / sum : 0, r->redone);
}

static av_cold void uninit(AVFilterContext *ctx)
{
    ESRGANSoftContext *s = ctx->priv;

    if (s->ready)
        log_times(ctx);
    close_run(s);
}

static const AVFilterPad esrgan_inputs[] = {
    {
        .name         = "default",
        .type         = AVMEDIA_TYPE_VIDEO,
        .filter_frame = filter_frame,
    },
};

static const AVFilterPad esrgan_outputs[] = {
    {
        .name         = "default",
        .type         = AVMEDIA_TYPE_VIDEO,
        .config_props = config_output,
    },
};

const FFREEL_FILTER ff_vf_esrgan = {
    .FFREEL_PUB(name)        = "esrgan",
    .FFREEL_PUB(description) = NULL_IF_CONFIG_SMALL("Enlarge video with Real-ESRGAN networks."),
    .FFREEL_PUB(priv_class)  = &ff_esrgan_class,
    .FFREEL_PUB(flags)       = AVFILTER_FLAG_SLICE_THREADS | AVFILTER_FLAG_HWDEVICE,
    .priv_size               = sizeof(ESRGANSoftContext),
    .init                    = ff_esrgan_init,
    .uninit                  = uninit,
    .process_command         = process_command,
    FILTER_INPUTS(esrgan_inputs),
    FILTER_OUTPUTS(esrgan_outputs),
    FILTER_QUERY_FUNC2(query_formats),
};
