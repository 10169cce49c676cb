/*
 * Super-resolution: options, model, sizes
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

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/imgutils.h"
#include "libavutil/internal.h"
#include "libavutil/opt.h"

#include "esrgan.h"
#include "esrgan_props.h"
#include "esrgan_run.h"
#include "filters.h"
#include "scale_eval.h"

enum Prescale { PRESCALE_OFF, PRESCALE_AUTO, PRESCALE_NB };

#define OFFSET(x) offsetof(ESRGANContext, x)
#define STATIC  (AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM)
#define DYNAMIC (STATIC | AV_OPT_FLAG_RUNTIME_PARAM)
#define NAMED(name, help, value, unit_) \
    { name, help, 0, AV_OPT_TYPE_CONST, { .i64 = value }, 0, 0, STATIC, .unit = unit_ }

static const AVOption esrgan_options[] = {
    { "model", "net: .safetensors, .pth, ncnn .param or TorchScript file, or builtin", OFFSET(model), AV_OPT_TYPE_STRING, { .str = "builtin" }, .flags = STATIC },
    { "wdn", "weak-denoise sibling of the model, for denoise < 1; found by its official name if not given", OFFSET(wdn), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "engine", "what runs the net: auto, ref, onednn, torch, cuda", OFFSET(engine), AV_OPT_TYPE_STRING, { .str = "auto" }, .flags = STATIC },
    { "device", "where engine torch runs: cpu, cuda, or the number of a CUDA device; engine cuda: the number", OFFSET(device), AV_OPT_TYPE_STRING, { .str = "cpu" }, .flags = STATIC },
    { "kernels", "folder of the kernels for GPUs; found beside ffmpeg if not given", OFFSET(kernels), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
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

const AVClass ff_esrgan_class = {
    .class_name = "esrgan",
    .item_name  = av_default_item_name,
    .option     = esrgan_options,
    .version    = LIBAVUTIL_VERSION_INT,
    .category   = AV_CLASS_CATEGORY_FILTER,
};

/* ---- options ----------------------------------------------------------------- */

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

int ff_esrgan_init(AVFilterContext *ctx)
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

/* ---- configuration ---------------------------------------------------------- */

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

/* With w and h it takes up a change of the picture's aspect, as in the scale
 * filter; a common factor leaves it alone, also where rounding to whole pixels
 * does not. */
AVRational ff_esrgan_sar(const ESRGANContext *s, const AVFilterLink *in, const AVFilterLink *out, AVRational sar)
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

int ff_esrgan_config(AVFilterLink *inlink, AVFilterLink *outlink, ESRGANGeometry *g, int *net)
{
    AVFilterContext *ctx = outlink->src;
    ESRGANContext *s = ctx->priv;
    int ret;

    if ((ret = open_model(ctx)) < 0 || (ret = output_size(ctx, inlink, outlink)) < 0)
        return ret;
    outlink->sample_aspect_ratio = ff_esrgan_sar(s, inlink, outlink, inlink->sample_aspect_ratio);
    *g   = (ESRGANGeometry){ .iw = inlink->w, .ih = inlink->h, .ow = outlink->w, .oh = outlink->h, .kernel = s->kernel };
    *net = !s->skip || outlink->w > inlink->w || outlink->h > inlink->h;
    if (*net)
        net_size(ctx, g);
    else
        av_log(ctx, AV_LOG_INFO, "output %dx%d is not larger than input %dx%d: plain resampling, "
               "no net (skip=0 runs it)\n", outlink->w, outlink->h, inlink->w, inlink->h);
    return 0;
}

void ff_esrgan_warn_interlaced(AVFilterContext *ctx, const AVFrame *in)
{
    ESRGANContext *s = ctx->priv;

    if (in->flags & AV_FRAME_FLAG_INTERLACED && !s->warned_interlaced) {
        av_log(ctx, AV_LOG_WARNING, "frames are interlaced: the net blends their two fields; "
               "deinterlace first, e.g. with bwdif\n");
        s->warned_interlaced = 1;
    }
}
