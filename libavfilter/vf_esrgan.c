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


#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "libavutil/avstring.h"
#include "libavutil/common.h"
#include "libavutil/cpu.h"
#include "libavutil/dict.h"
#include "libavutil/imgutils.h"
#include "libavutil/internal.h"
#include "libavutil/mem.h"
#include "libavutil/opt.h"

#include "esrgan_props.h"
#include "esrgan_run.h"
#include "ffreel_compat.h"
#include "formats.h"
#include "scale_eval.h"
#include "video.h"

enum Prescale { PRESCALE_OFF, PRESCALE_AUTO, PRESCALE_NB };

typedef struct ESRGANContext {
    const AVClass *class;

    char  *model, *wdn, *engine, *device;
    int    precision;
    double scale;
    char  *w_expr, *h_expr;
    float  denoise, strength;
    int    tile, halo;
    int    dedup, skip, prescale, kernel;

    const NNGraph *graph;
    ESRGANRun      run;
    int            ready;           ///< run is open
    AVFrame       *last_in;         ///< dedup: the frame before and its result
    AVFrame       *last_out;
    int64_t        frames, repeated;
    int            warned_interlaced;
} ESRGANContext;

#define OFFSET(x) offsetof(ESRGANContext, x)
#define STATIC  (AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM)
#define DYNAMIC (STATIC | AV_OPT_FLAG_RUNTIME_PARAM)
#define NAMED(name, help, value, unit_) \
    { name, help, 0, AV_OPT_TYPE_CONST, { .i64 = value }, 0, 0, STATIC, .unit = unit_ }

static const AVOption esrgan_options[] = {
    { "model", "net: .safetensors, .pth, ncnn .param or TorchScript file, or builtin", OFFSET(model), AV_OPT_TYPE_STRING, { .str = "builtin" }, .flags = STATIC },
    { "wdn", "weak-denoise sibling of the model, for denoise < 1; found by its official name if not given", OFFSET(wdn), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "engine", "what runs the net: auto, ref, onednn, torch", OFFSET(engine), AV_OPT_TYPE_STRING, { .str = "auto" }, .flags = STATIC },
    { "device", "where engine torch runs: cpu, cuda, or the number of a CUDA device", OFFSET(device), AV_OPT_TYPE_STRING, { .str = "cpu" }, .flags = STATIC },
    { "precision", "arithmetic of the net", OFFSET(precision), AV_OPT_TYPE_INT, { .i64 = NN_PREC_AUTO }, 0, NN_PREC_NB - 1, STATIC, .unit = "precision" },
        NAMED("auto", "fastest that keeps the engine's error bound", NN_PREC_AUTO, "precision"),
        NAMED("fp32", "", NN_PREC_FP32, "precision"),
        NAMED("bf16", "", NN_PREC_BF16, "precision"),
        NAMED("fp16", "", NN_PREC_FP16, "precision"),
        NAMED("int8", "", NN_PREC_INT8, "precision"),
    { "scale", "output size over input size; 0 = the net's factor", OFFSET(scale), AV_OPT_TYPE_DOUBLE, { .dbl = 0 }, 0, 64, STATIC },
    { "w", "output width, expression as in the scale filter", OFFSET(w_expr), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "h", "output height, expression as in the scale filter", OFFSET(h_expr), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "denoise", "share of the model against its weak-denoise sibling", OFFSET(denoise), AV_OPT_TYPE_FLOAT, { .dbl = 1 }, 0, 1, STATIC },
    { "strength", "share of the net's result against plain resampling", OFFSET(strength), AV_OPT_TYPE_FLOAT, { .dbl = 1 }, 0, 1, DYNAMIC },
    { "tile", "tile size in input pixels; 0 = chosen by threads and memory", OFFSET(tile), AV_OPT_TYPE_INT, { .i64 = 0 }, 0, 16384, STATIC },
    { "halo", "input pixels around a tile", OFFSET(halo), AV_OPT_TYPE_INT, { .i64 = ESRGAN_HALO_AUTO }, ESRGAN_HALO_EXACT, 4096, STATIC, .unit = "halo" },
        NAMED("auto", "exact, except for RRDBNet, where that is impractical", ESRGAN_HALO_AUTO, "halo"),
        NAMED("exact", "the net's receptive radius: tiling changes nothing", ESRGAN_HALO_EXACT, "halo"),
    { "dedup", "reuse the result for a frame identical to the one before", OFFSET(dedup), AV_OPT_TYPE_BOOL, { .i64 = 1 }, 0, 1, STATIC },
    { "skip", "plain resampling where the output is not larger than the input", OFFSET(skip), AV_OPT_TYPE_BOOL, { .i64 = 1 }, 0, 1, STATIC },
    { "prescale", "shrink the input first where the net would overshoot the output", OFFSET(prescale), AV_OPT_TYPE_INT, { .i64 = PRESCALE_OFF }, 0, PRESCALE_NB - 1, STATIC, .unit = "prescale" },
        NAMED("off", "", PRESCALE_OFF, "prescale"),
        NAMED("auto", "where it saves a third or more of the work", PRESCALE_AUTO, "prescale"),
    { "kernel", "kernel of all resampling", OFFSET(kernel), AV_OPT_TYPE_INT, { .i64 = NN_KERNEL_LANCZOS }, 0, NN_KERNEL_NB - 1, STATIC, .unit = "kernel" },
        NAMED("lanczos", "", NN_KERNEL_LANCZOS, "kernel"),
        NAMED("bicubic", "", NN_KERNEL_BICUBIC, "kernel"),
        NAMED("bilinear", "", NN_KERNEL_BILINEAR, "kernel"),
        NAMED("area", "", NN_KERNEL_AREA, "kernel"),
    { NULL }
};

AVFILTER_DEFINE_CLASS(esrgan);

/* ---- options and formats ------------------------------------------------------- */

static int find_sibling(AVFilterContext *ctx)
{
    ESRGANContext *s = ctx->priv;

    if (s->wdn) {
        if (s->denoise >= 1)
            av_log(ctx, AV_LOG_WARNING, "wdn has no effect with denoise=1\n");
        return 0;
    }
    if (s->denoise >= 1)
        return 0;
    s->wdn = ff_esrgan_wdn_name(s->model);
    if (s->wdn)
        return 0;
    av_log(ctx, AV_LOG_ERROR, "denoise=%g mixes model '%s' with its weak-denoise sibling, "
           "which is not known: give it by wdn=FILE\n", s->denoise, s->model);
    return AVERROR(EINVAL);
}

static av_cold int init(AVFilterContext *ctx)
{
    ESRGANContext *s = ctx->priv;

    if (s->scale && (s->w_expr || s->h_expr)) {
        av_log(ctx, AV_LOG_ERROR, "scale=%g and %s exclude each other: give one of them\n",
               s->scale, s->w_expr ? "w" : "h");
        return AVERROR(EINVAL);
    }
    if (!s->model || !*s->model) {
        av_log(ctx, AV_LOG_ERROR, "model is empty: give a file or builtin\n");
        return AVERROR(EINVAL);
    }
    return find_sibling(ctx);
}

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

static int open_model(AVFilterContext *ctx)
{
    ESRGANContext *s = ctx->priv;
    struct stat st;
    int ret;

    if (s->denoise < 1 && stat(s->wdn, &st) < 0) {
        ret = AVERROR(errno);
        av_log(ctx, AV_LOG_ERROR, "denoise=%g needs the weak-denoise net '%s': %s; give it by wdn=FILE\n",
               s->denoise, s->wdn, av_err2str(ret));
        return ret;
    }
    ret = ff_nn_model_ref(&s->graph, s->model, s->denoise < 1 ? s->wdn : NULL, s->denoise, ctx);
    if (ret >= 0 && (s->graph->in_c != 3 || s->graph->out_c != 3)) {
        av_log(ctx, AV_LOG_ERROR, "model '%s' has %d channels in, %d out; esrgan needs 3 and 3\n",
               s->model, s->graph->in_c, s->graph->out_c);
        ret = AVERROR_PATCHWELCOME;
    }
    return ret;
}

static int output_size(AVFilterContext *ctx, AVFilterLink *inlink, AVFilterLink *outlink)
{
    ESRGANContext *s = ctx->priv;
    int w, h, ret;

    if (s->w_expr || s->h_expr) {
        ret = ff_scale_eval_dimensions(s, s->w_expr ? s->w_expr : "-2",
                                       s->h_expr ? s->h_expr : "-2", inlink, outlink, &w, &h);
        if (ret < 0)
            return ret;
#if LIBAVFILTER_VERSION_MAJOR >= 11
        ret = ff_scale_adjust_dimensions(inlink, &w, &h, 0, 1, 1);
#else
        ret = ff_scale_adjust_dimensions(inlink, &w, &h, 0, 1);
#endif
        if (ret < 0)
            return ret;
    } else {
        double scale = s->scale ? s->scale : s->graph->scale;
        w = FFMAX(1, lround(inlink->w * scale));
        h = FFMAX(1, lround(inlink->h * scale));
    }
    if (w < 1 || h < 1 || av_image_check_size2(w, h, INT64_MAX, outlink->format, 0, ctx) < 0) {
        av_log(ctx, AV_LOG_ERROR, "output size %dx%d is not possible; input is %dx%d\n",
               w, h, inlink->w, inlink->h);
        return AVERROR(EINVAL);
    }
    outlink->w = w;
    outlink->h = h;
    return 0;
}

/**
 * What becomes of a sample aspect ratio. With w and h it takes up a change of
 * the picture's aspect, as in the scale filter; a common factor leaves it alone,
 * also where rounding to whole pixels does not.
 */
static AVRational output_sar(const ESRGANContext *s, const AVFilterLink *in,
                             const AVFilterLink *out, AVRational sar)
{
    if ((s->w_expr || s->h_expr) && sar.num)
        av_reduce(&sar.num, &sar.den, (int64_t)sar.num * out->h * in->w,
                  (int64_t)sar.den * out->w * in->h, INT_MAX);
    return sar;
}

/** size of the picture that the net sees */
static void net_size(AVFilterContext *ctx, ESRGANGeometry *g)
{
    ESRGANContext *s = ctx->priv;
    int f = s->graph->scale;
    int w = FFMIN(g->iw, (g->ow + f - 1) / f), h = FFMIN(g->ih, (g->oh + f - 1) / f);

    g->nw = g->iw;
    g->nh = g->ih;
    if (s->prescale == PRESCALE_AUTO && 3 * (int64_t)w * h <= 2 * (int64_t)g->iw * g->ih) {
        g->nw = w;
        g->nh = h;
        av_log(ctx, AV_LOG_INFO, "prescale: %dx%d is shrunk to %dx%d, of which the net makes %dx%d\n",
               g->iw, g->ih, w, h, w * f, h * f);
    }
}

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

static void forget(ESRGANContext *s)
{
    av_frame_free(&s->last_in);
    av_frame_free(&s->last_out);
}

static void close_run(ESRGANContext *s)
{
    forget(s);
    if (s->ready)
        ff_esrgan_run_close(&s->run);
    s->ready = 0;
    ff_nn_model_unref(&s->graph);
}

static int config_output(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    AVFilterLink *inlink = ctx->inputs[0];
    ESRGANContext *s = ctx->priv;
    ESRGANRunParams par = {
        .geo        = { .iw = inlink->w, .ih = inlink->h, .kernel = s->kernel },
        .format     = inlink->format,
        .engine     = s->engine,
        .precision  = s->precision,
        .device     = s->device,
        .tile       = s->tile,
        .halo       = s->halo,
        .nb_threads = FFMIN(ff_filter_get_nb_threads(ctx), av_cpu_count()),
        .execute    = execute,
        .opaque     = ctx,
        .log        = ctx,
    };
    int ret;

    close_run(s);
    if ((ret = open_model(ctx)) < 0 || (ret = output_size(ctx, inlink, outlink)) < 0)
        return ret;
    outlink->sample_aspect_ratio = output_sar(s, inlink, outlink, inlink->sample_aspect_ratio);
    par.geo.ow = outlink->w;
    par.geo.oh = outlink->h;
    if (s->skip && outlink->w <= inlink->w && outlink->h <= inlink->h) {
        av_log(ctx, AV_LOG_INFO, "output %dx%d is not larger than input %dx%d: plain resampling, "
               "no net (skip=0 runs it)\n", outlink->w, outlink->h, inlink->w, inlink->h);
    } else {
        par.graph = s->graph;
        net_size(ctx, &par.geo);
    }
    s->ready = 1;
    return ff_esrgan_run_open(&s->run, &par);
}

/* ---- frames -------------------------------------------------------------------- */

/** the result of the frame before, with the properties of this one */
static AVFrame *repeat_frame(ESRGANContext *s, const AVFrame *in)
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
    ESRGANContext *s = outlink->src->priv;

    if (s->dedup && (*out = repeat_frame(s, in)))
        return 0;
    *out = ff_get_video_buffer(outlink, outlink->w, outlink->h);
    if (!*out)
        return AVERROR(ENOMEM);
    return ff_esrgan_run_frame(&s->run, in, *out, s->run.par.graph ? s->strength : 0);
}

/** keep this frame and its result for the next */
static int remember(ESRGANContext *s, const AVFrame *in, const AVFrame *out)
{
    forget(s);
    s->last_in  = av_frame_clone(in);
    s->last_out = av_frame_clone(out);
    return s->last_in && s->last_out ? 0 : AVERROR(ENOMEM);
}

static int check_frame(AVFilterContext *ctx, const AVFilterLink *inlink, const AVFrame *in)
{
    ESRGANContext *s = ctx->priv;

    if (in->width != inlink->w || in->height != inlink->h || in->format != inlink->format) {
        av_log(ctx, AV_LOG_ERROR, "frame at pts %"PRId64" is %dx%d %s in a link of %dx%d %s\n", in->pts,
               in->width, in->height, av_get_pix_fmt_name(in->format),
               inlink->w, inlink->h, av_get_pix_fmt_name(inlink->format));
        return AVERROR_INVALIDDATA;
    }
    if (in->flags & AV_FRAME_FLAG_INTERLACED && !s->warned_interlaced) {
        av_log(ctx, AV_LOG_WARNING, "frames are interlaced: the net blends their two fields; "
               "deinterlace first, e.g. with bwdif\n");
        s->warned_interlaced = 1;
    }
    return 0;
}

static int filter_frame(AVFilterLink *inlink, AVFrame *in)
{
    AVFilterContext *ctx = inlink->dst;
    AVFilterLink *outlink = ctx->outputs[0];
    ESRGANContext *s = ctx->priv;
    AVFrame *out = NULL;
    int ret;

    if ((ret = check_frame(ctx, inlink, in)) < 0 ||
        (ret = make_frame(outlink, in, &out)) < 0)
        goto fail;
    out->sample_aspect_ratio = output_sar(s, inlink, outlink, in->sample_aspect_ratio);
    if ((ret = ff_esrgan_copy_props(out, in)) < 0 ||
        (s->dedup && (ret = remember(s, in, out)) < 0))
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
    const ESRGANContext *s = ctx->priv;
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
    ESRGANContext *s = ctx->priv;

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
    .FFREEL_PUB(priv_class)  = &esrgan_class,
    .FFREEL_PUB(flags)       = AVFILTER_FLAG_SLICE_THREADS,
    .priv_size               = sizeof(ESRGANContext),
    .init                    = init,
    .uninit                  = uninit,
    .process_command         = process_command,
    FILTER_INPUTS(esrgan_inputs),
    FILTER_OUTPUTS(esrgan_outputs),
    FILTER_QUERY_FUNC2(query_formats),
};
