/*
 * Super-resolution by Real-ESRGAN networks on CUDA frames
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

#include <string.h>

#include "libavutil/common.h"
#include "libavutil/dict.h"
#include "libavutil/error.h"
#include "libavutil/mathematics.h"
#include "libavutil/pixdesc.h"

#include "cudafilter.h"
#include "esrgan.h"
#include "esrgan_cuda.h"
#include "esrgan_props.h"
#include "ffreel_compat.h"
#include "filters.h"
#include "video.h"

typedef struct ESRGANCUDAContext {
    ESRGANContext e;                ///< first: the options are in it
    ESRGANCuda    cuda;
    AVFrame      *last_in;          ///< dedup: the frame before and its result
    AVFrame      *last_out;
    int64_t       frames, repeated;
} ESRGANCUDAContext;

/* ---- configuration --------------------------------------------------------------- */

static av_cold int init(AVFilterContext *ctx)
{
    const ESRGANContext *s = ctx->priv;

    if (strcmp(s->engine, "auto") && strcmp(s->engine, "cuda")) {
        av_log(ctx, AV_LOG_ERROR, "engine '%s' does not take CUDA frames; engine=cuda does, others run in the "
               "filter esrgan, after hwdownload\n", s->engine);
        return AVERROR(EINVAL);
    }
    return ff_esrgan_init(ctx);
}

static void forget(ESRGANCUDAContext *s)
{
    av_frame_free(&s->last_in);
    av_frame_free(&s->last_out);
}

static void close_all(ESRGANCUDAContext *s)
{
    forget(s);
    ff_esrgan_cuda_close(&s->cuda);
    ff_nn_model_unref(&s->e.graph);
}

static int check_format(AVFilterContext *ctx, enum AVPixelFormat fmt)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(fmt);

    if (d && ff_nn_format_supported(fmt) && !(d->flags & AV_PIX_FMT_FLAG_FLOAT))
        return 0;
    av_log(ctx, AV_LOG_ERROR, "CUDA frames of format %s are not taken: put scale_cuda=format=nv12 before this filter\n",
           d ? d->name : "unknown");
    return AVERROR(ENOSYS);
}

static int config_output(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    AVFilterLink *inlink = ctx->inputs[0];
    ESRGANCUDAContext *s = ctx->priv;
    ESRGANCudaParams par = {
        .ctx = ctx, .device = ff_cudaframes_device(inlink), .format = ff_cudaframes_format(inlink),
        .precision = s->e.precision, .tile = s->e.tile, .halo = s->e.halo, .kernels = s->e.kernels,
    };
    int net, ret;

    close_all(s);
    if (!par.device)
        return AVERROR(EINVAL);
    if ((ret = check_format(ctx, par.format)) < 0 ||
        (ret = ff_esrgan_config(inlink, outlink, &par.geo, &net)) < 0 ||
        (ret = ff_cudaframes_new(outlink, par.device, par.format)) < 0)
        return ret;
    par.graph = net ? s->e.graph : NULL;
    return ff_esrgan_cuda_open(&s->cuda, &par);
}

/* ---- frames -------------------------------------------------------------------- */

/* the very frame before, once more: what fps, loop and tpad hand on; others are not compared, as that would
 * wait for the GPU with each of them */
static int is_repeated(const ESRGANCUDAContext *s, const AVFrame *in)
{
    return s->e.dedup && s->last_in && in->data[0] == s->last_in->data[0] && in->buf[0] && s->last_in->buf[0] &&
           in->buf[0]->data == s->last_in->buf[0]->data && in->colorspace == s->last_in->colorspace &&
           in->color_range == s->last_in->color_range && in->chroma_location == s->last_in->chroma_location;
}

static int make_frame(AVFilterLink *outlink, const AVFrame *in, AVFrame **out)
{
    ESRGANCUDAContext *s = outlink->src->priv;

    if (is_repeated(s, in)) {
        if (!(*out = av_frame_clone(s->last_out)))
            return AVERROR(ENOMEM);
        av_frame_side_data_free(&(*out)->side_data, &(*out)->nb_side_data);
        av_dict_free(&(*out)->metadata);
        s->repeated++;
        return 0;
    }
    if (!(*out = ff_cudaframes_get(outlink)))
        return AVERROR(ENOMEM);
    return ff_esrgan_cuda_frame(&s->cuda, *out, in, s->cuda.net ? s->e.strength : 0);
}

/* the frame is kept, so that nobody writes another picture into its memory meanwhile */
static int remember(ESRGANCUDAContext *s, const AVFrame *in, const AVFrame *out)
{
    forget(s);
    if (!s->e.dedup)
        return 0;
    s->last_in  = av_frame_clone(in);
    s->last_out = av_frame_clone(out);
    return s->last_in && s->last_out ? 0 : AVERROR(ENOMEM);
}

static int check_frame(AVFilterContext *ctx, const AVFilterLink *inlink, const AVFrame *in)
{
    if (in->width < inlink->w || in->height < inlink->h || in->format != AV_PIX_FMT_CUDA) {
        av_log(ctx, AV_LOG_ERROR, "frame at pts %"PRId64" is %dx%d %s in a link of %dx%d CUDA frames\n", in->pts,
               in->width, in->height, av_get_pix_fmt_name(in->format), inlink->w, inlink->h);
        return AVERROR_INVALIDDATA;
    }
    ff_esrgan_warn_interlaced(ctx, in);
    return 0;
}

/* what is to be cut off from CUDA frames is a property of theirs, and grows with them */
static int copy_props(AVFrame *out, const AVFrame *in, const AVFilterLink *inlink)
{
    int ret = ff_esrgan_copy_props(out, in);

    out->crop_left   = av_rescale(in->crop_left,   out->width,  inlink->w);
    out->crop_right  = av_rescale(in->crop_right,  out->width,  inlink->w);
    out->crop_top    = av_rescale(in->crop_top,    out->height, inlink->h);
    out->crop_bottom = av_rescale(in->crop_bottom, out->height, inlink->h);
    return ret;
}

static int filter_frame(AVFilterLink *inlink, AVFrame *in)
{
    AVFilterContext *ctx = inlink->dst;
    AVFilterLink *outlink = ctx->outputs[0];
    ESRGANCUDAContext *s = ctx->priv;
    AVFrame *out = NULL;
    int ret;

    if ((ret = check_frame(ctx, inlink, in)) < 0 ||
        (ret = make_frame(outlink, in, &out)) < 0)
        goto fail;
    out->sample_aspect_ratio = ff_esrgan_sar(&s->e, inlink, outlink, in->sample_aspect_ratio);
    if ((ret = copy_props(out, in, inlink)) < 0 ||
        (ret = remember(s, in, out)) < 0)
        goto fail;
    if (!s->frames++)
        av_log(ctx, AV_LOG_VERBOSE, "color taken as matrix %s, range %s, chroma %s\n",
               av_color_space_name(s->cuda.pic.fmt.matrix), av_color_range_name(s->cuda.pic.fmt.range),
               av_chroma_location_name(s->cuda.pic.fmt.loc));
    av_frame_free(&in);
    return ff_filter_frame(outlink, out);
fail:
    av_frame_free(&in);
    av_frame_free(&out);
    return ret;
}

/* the last frames, too, are looked at for what is not finite */
static int request_frame(AVFilterLink *outlink)
{
    ESRGANCUDAContext *s = outlink->src->priv;
    int ret = ff_request_frame(outlink->src->inputs[0]), err;

    if (ret == AVERROR_EOF && (err = ff_esrgan_cuda_finish(&s->cuda)) < 0)
        return err;
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
    const ESRGANCUDAContext *s = ctx->priv;
    const ESRGANCuda *c = &s->cuda;
    const double n = FFMAX(c->timed, 1);
    double ms[ESRGAN_CUDA_STAGES], sum = 0;

    for (int i = 0; i < ESRGAN_CUDA_STAGES; i++)
        sum += ms[i] = c->ms[i] / n;
    if (s->frames)
        av_log(ctx, AV_LOG_VERBOSE, "%"PRId64" frames, %"PRId64" repeated from the one before; on the GPU, of %d "
               "measured: in %.3f ms, net %.3f ms, out %.3f ms, %.2f fps\n", s->frames, s->repeated, c->timed,
               ms[ESRGAN_CUDA_IN], ms[ESRGAN_CUDA_NET], ms[ESRGAN_CUDA_OUT], sum ? 1000 / sum : 0);
}

static av_cold void uninit(AVFilterContext *ctx)
{
    log_times(ctx);
    close_all(ctx->priv);
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
        .name          = "default",
        .type          = AVMEDIA_TYPE_VIDEO,
        .config_props  = config_output,
        .request_frame = request_frame,
    },
};

const FFREEL_FILTER ff_vf_esrgan_cuda = {
    .FFREEL_PUB(name)        = "esrgan_cuda",
    .FFREEL_PUB(description) = NULL_IF_CONFIG_SMALL("Enlarge video with Real-ESRGAN networks, on CUDA frames."),
    .FFREEL_PUB(priv_class)  = &ff_esrgan_class,
    .FFREEL_PUB(flags)       = AVFILTER_FLAG_HWDEVICE,
    .priv_size       = sizeof(ESRGANCUDAContext),
    .init            = init,
    .uninit          = uninit,
    .process_command = process_command,
    FILTER_INPUTS(inputs),
    FILTER_OUTPUTS(outputs),
    FILTER_SINGLE_PIXFMT(AV_PIX_FMT_CUDA),
    .flags_internal  = FF_FILTER_FLAG_HWFRAME_AWARE,
};
