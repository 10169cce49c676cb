/*
 * keyframecrop: crop rectangle animated by keyframes
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

#include "libavutil/avutil.h"
#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/mathematics.h"
#include "libavutil/opt.h"
#include "libavutil/pixdesc.h"

#include "crop_frame.h"
#include "cudafilter.h"
#include "ffreel_compat.h"
#include "formats.h"
#include "keyframecrop.h"
#include "video.h"

/* a rotation below this is none, as its makers' sliders leave such rests */
#define NO_ROTATION 1e-6

#define OFFSET(x) offsetof(KeyframeCropContext, x)
#define STATIC  (AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM)
#define DYNAMIC (STATIC | AV_OPT_FLAG_RUNTIME_PARAM)

static const AVOption keyframecrop_options[] = {
    { "keys",   "keys: time x y width height [kind] ..., apart by '|'", OFFSET(keys), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = DYNAMIC },
    { "file",   "JSON file of keys",                             OFFSET(file),   AV_OPT_TYPE_STRING, { .str = NULL }, .flags = DYNAMIC },
    { "kind",   "interpolation, for keys that name none",        OFFSET(kind),   AV_OPT_TYPE_INT, { .i64 = KEY_LINEAR }, 0, KEY_KINDS - 1, DYNAMIC, .unit = "kind" },
        { "hold",       "the value stays until the next key",    0, AV_OPT_TYPE_CONST, { .i64 = KEY_HOLD },     .flags = DYNAMIC, .unit = "kind" },
        { "cut",        "as hold",                               0, AV_OPT_TYPE_CONST, { .i64 = KEY_HOLD },     .flags = DYNAMIC, .unit = "kind" },
        { "linear",     "straight line",                         0, AV_OPT_TYPE_CONST, { .i64 = KEY_LINEAR },   .flags = DYNAMIC, .unit = "kind" },
        { "ease",       "slow at both keys",                     0, AV_OPT_TYPE_CONST, { .i64 = KEY_EASE },     .flags = DYNAMIC, .unit = "kind" },
        { "smoothstep", "as ease",                               0, AV_OPT_TYPE_CONST, { .i64 = KEY_EASE },     .flags = DYNAMIC, .unit = "kind" },
        { "catmull",    "uniform Catmull-Rom spline",            0, AV_OPT_TYPE_CONST, { .i64 = KEY_CATMULL },  .flags = DYNAMIC, .unit = "kind" },
        { "monotone",   "smooth curve that never overshoots",    0, AV_OPT_TYPE_CONST, { .i64 = KEY_MONOTONE }, .flags = DYNAMIC, .unit = "kind" },
    { "log",    "interpolate sizes in log space",                OFFSET(log),    AV_OPT_TYPE_BOOL, { .i64 = 0 }, 0, 1, DYNAMIC },
    { "w",      "width of the output",                           OFFSET(w_expr), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "h",      "height of the output",                          OFFSET(h_expr), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "size",   "size of the output without w and h",            OFFSET(size),   AV_OPT_TYPE_INT, { .i64 = CROP_SIZE_KEYS }, 0, CROP_SIZES - 1, STATIC, .unit = "size" },
        { "keys",       "that of the largest key",               0, AV_OPT_TYPE_CONST, { .i64 = CROP_SIZE_KEYS }, .flags = STATIC, .unit = "size" },
        { "reel",       "4 times the smallest key, up to 2560x1440", 0, AV_OPT_TYPE_CONST, { .i64 = CROP_SIZE_REEL }, .flags = STATIC, .unit = "size" },
    { "aspect", "ratio that rectangles are narrowed to",         OFFSET(aspect), AV_OPT_TYPE_STRING, { .str = "off" }, .flags = STATIC },
    { "edge",   "what to do with a rectangle beyond the picture", OFFSET(edge),  AV_OPT_TYPE_INT, { .i64 = CROP_EDGE_SHIFT }, 0, CROP_EDGES - 1, DYNAMIC, .unit = "edge" },
        { "shift",      "move it inside",                        0, AV_OPT_TYPE_CONST, { .i64 = CROP_EDGE_SHIFT }, .flags = DYNAMIC, .unit = "edge" },
        { "clamp",      "cut it off at the edge",                0, AV_OPT_TYPE_CONST, { .i64 = CROP_EDGE_CLAMP }, .flags = DYNAMIC, .unit = "edge" },
        { "pad",        "fill with color",                       0, AV_OPT_TYPE_CONST, { .i64 = CROP_EDGE_PAD },   .flags = DYNAMIC, .unit = "edge" },
    { "color",  "color beyond the picture, for edge=pad and rotate", OFFSET(color), AV_OPT_TYPE_COLOR, { .str = "black" }, .flags = DYNAMIC },
    { "ref",    "size of the picture that the keys are for",     OFFSET(ref_w),  AV_OPT_TYPE_IMAGE_SIZE, { .str = NULL }, .flags = STATIC },
    { "rotate", "degrees counter-clockwise, for keys without rotation", OFFSET(rotate), AV_OPT_TYPE_DOUBLE, { .dbl = 0 }, -3600, 3600, DYNAMIC },
    { "kernel", "resampling kernel",                             OFFSET(kernel), AV_OPT_TYPE_INT, { .i64 = CROP_BICUBIC }, 0, CROP_KERNELS - 1, STATIC, .unit = "kernel" },
        { "bilinear",   "triangle",                              0, AV_OPT_TYPE_CONST, { .i64 = CROP_BILINEAR }, .flags = STATIC, .unit = "kernel" },
        { "bicubic",    "cubic, a = -0.5",                       0, AV_OPT_TYPE_CONST, { .i64 = CROP_BICUBIC },  .flags = STATIC, .unit = "kernel" },
        { "lanczos",    "windowed sinc of 3 lobes",              0, AV_OPT_TYPE_CONST, { .i64 = CROP_LANCZOS },  .flags = STATIC, .unit = "kernel" },
        { "area",       "mean over the footprint",               0, AV_OPT_TYPE_CONST, { .i64 = CROP_AREA },     .flags = STATIC, .unit = "kernel" },
    { "t0",     "time of the keys at timestamp 0",               OFFSET(t0),     AV_OPT_TYPE_DURATION, { .i64 = 0 }, -INT64_C(1000000000000000), INT64_C(1000000000000000), DYNAMIC },
    { NULL }
};

AVFILTER_DEFINE_CLASS(keyframecrop);

static av_cold int init(AVFilterContext *ctx)
{
    KeyframeCropContext *s = ctx->priv;
    KeyTrack *k;
    int ret;

    if ((ret = ff_keyframecrop_aspect(ctx)) < 0)
        return ret;
    if (s->keys && s->file) {
        av_log(ctx, AV_LOG_ERROR, "keys and file are both given; give one of them\n");
        return AVERROR(EINVAL);
    }
    if (!s->keys && !s->file && !s->ratio) {
        av_log(ctx, AV_LOG_ERROR, "no keys: give keys='time x y w h|...' or file=keys.json, or aspect=9/16 "
               "for the largest crop of that ratio in the middle\n");
        return AVERROR(EINVAL);
    }
    if (!s->keys)
        return 0;
    /* only to say early what is wrong; the size of the input is not known yet */
    if (!(k = ff_keytrack_parse(&ff_keyframecrop_spec, s->keys, "keys", ctx, &ret)))
        return ret;
    ff_keytrack_free(&k);
    return 0;
}

static av_cold void uninit(AVFilterContext *ctx)
{
    KeyframeCropContext *s = ctx->priv;

    ff_keytrack_free(&s->track);
    ff_crop_render_free(&s->render);
    ff_crop_cuda_free(&s->cuda);
    ff_crop_tables_free(&s->tables);
}

static int query_formats(const AVFilterContext *ctx, AVFilterFormatsConfig **cfg_in,
                         AVFilterFormatsConfig **cfg_out)
{
    const AVPixFmtDescriptor *d = NULL;
    AVFilterFormats *formats = NULL;
    PxLayout layout;

    while ((d = av_pix_fmt_desc_next(d))) {
        const enum AVPixelFormat fmt = av_pix_fmt_desc_get_id(d);
        int ret;
        if ((fmt == AV_PIX_FMT_CUDA || !ff_px_layout(&layout, fmt)) && (ret = ff_add_format(&formats, fmt)) < 0)
            return ret;
    }
    return ff_set_common_formats2(ctx, cfg_in, cfg_out, formats);
}

/* Frames of another size need a pool of their own; else those that pass
 * untouched and those that are made must be of one. */
static int config_cuda(AVFilterLink *outlink, enum AVPixelFormat fmt)
{
    AVFilterContext *ctx = outlink->src;
    KeyframeCropContext *s = ctx->priv;
    AVFilterLink *in = ctx->inputs[0];
    AVBufferRef *device = ff_cudaframes_device(in);
    int ret;

    if (outlink->w == in->w && outlink->h == in->h)
        ret = ff_cudaframes_keep(outlink, in);
    else
        ret = ff_cudaframes_new(outlink, device, fmt);
    return ret < 0 ? ret : ff_crop_cuda_init(&s->cuda, ctx, device);
}

static int config_output(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    KeyframeCropContext *s = ctx->priv;
    AVFilterLink *in = ctx->inputs[0];
    const enum AVPixelFormat fmt = ff_cudaframes_format(in);
    int ret;

    ff_frame_clock_reset(&s->clock);
    if (in->format == AV_PIX_FMT_CUDA && !ff_cudaframes_device(in))
        return AVERROR(EINVAL);
    if ((ret = ff_crop_tables_init(&s->tables, fmt, s->kernel)) < 0) {
        av_log(ctx, AV_LOG_ERROR, "CUDA frames of %s are none that can be cropped: put scale_cuda=format=nv12 before\n",
               av_get_pix_fmt_name(fmt));
        return ret;
    }
    if ((s->keys || s->file) && (ret = ff_keyframecrop_load(ctx, s->keys, s->file)) < 0)
        return ret;
    if ((ret = ff_keyframecrop_size(outlink)) < 0)
        return ret;
    av_log(ctx, AV_LOG_VERBOSE, "%d keys, %dx%d -> %dx%d\n", s->track->nb, in->w, in->h, outlink->w, outlink->h);
    if (in->format == AV_PIX_FMT_CUDA)
        return config_cuda(outlink, fmt);
    return ff_crop_render_init(&s->render, ff_filter_get_nb_threads(ctx));
}

static int set_number(AVFrame *f, const char *key, double v)
{
    char text[32];

    /* no "-0.0000" */
    snprintf(text, sizeof(text), "%.4f", fabs(v) < 0.00005 ? 0. : v);
    return av_dict_set(&f->metadata, key, text, 0);
}

static int set_metadata(AVFrame *f, const CropRect *r, double degrees)
{
    int ret;

    if ((ret = set_number(f, "lavfi.keyframecrop.x", r->x)) < 0 ||
        (ret = set_number(f, "lavfi.keyframecrop.y", r->y)) < 0 ||
        (ret = set_number(f, "lavfi.keyframecrop.w", r->w)) < 0 ||
        (ret = set_number(f, "lavfi.keyframecrop.h", r->h)) < 0)
        return ret;
    return degrees ? set_number(f, "lavfi.keyframecrop.rotation", degrees) : 0;
}

/* The picture in a frame. Keys are for the whole link: a crop before us that only marked CUDA
 * frames is taken as scale_cuda takes it, as if its picture had been scaled to fill the frame. */
static CropArea picture(const AVFrame *f)
{
    const CropArea a = { f->crop_left, f->crop_top, f->width - (int)(f->crop_left + f->crop_right),
                         f->height - (int)(f->crop_top + f->crop_bottom) };

    return a.w > 0 && a.h > 0 ? a : (CropArea){ 0, 0, f->width, f->height };
}

static int is_whole(const CropRect *r, double degrees, const AVFrame *in, const AVFilterLink *out)
{
    const CropArea a = picture(in);

    return !r->x && !r->y && r->w == in->width && r->h == in->height && !degrees &&
           out->w == in->width && out->h == in->height && a.w == in->width && a.h == in->height;
}

static AVFrame *new_frame(AVFilterLink *link)
{
    return link->format == AV_PIX_FMT_CUDA ? ff_cudaframes_get(link) : ff_get_video_buffer(link, link->w, link->h);
}

static int make_frame(AVFilterContext *ctx, AVFrame *out, AVFrame *in, const CropRect *r, double degrees)
{
    KeyframeCropContext *s = ctx->priv;
    const CropArea a = picture(in);
    const double sx = a.w / (double)in->width, sy = a.h / (double)in->height;
    const CropRect rect = { r->x * sx, r->y * sy, r->w * sx, r->h * sy };
    int ret;

    if ((ret = av_frame_copy_props(out, in)) < 0)
        return ret;
    out->sample_aspect_ratio = ctx->outputs[0]->sample_aspect_ratio;
    out->crop_left = out->crop_top = out->crop_right = out->crop_bottom = 0;
    if ((ret = set_metadata(out, r, degrees)) < 0 ||
        (ret = ff_crop_side_data(out, &rect, degrees, &a, &s->told_side_data, ctx)) < 0 ||
        (ret = ff_crop_tables_build(&s->tables, out, in, &a, &rect, degrees, s->edge, s->color)) < 0)
        return ret;
    return s->cuda.cuda ? ff_crop_cuda(&s->cuda, &s->tables, out, in)
                        : ff_crop_render(&s->render, ctx, &s->tables, out, in);
}

/* what spoils a picture without being an error; said with the first such frame */
static void warn_once(AVFilterContext *ctx, const AVFrame *in)
{
    KeyframeCropContext *s = ctx->priv;

    if (s->stretches && !s->told_shape++)
        av_log(ctx, AV_LOG_WARNING, "the keys differ in shape, so the picture is stretched: aspect=out keeps proportions\n");
    if (in->flags & AV_FRAME_FLAG_INTERLACED && !s->told_fields++)
        av_log(ctx, AV_LOG_WARNING, "interlaced frames are sampled as progressive, which mixes their fields: "
               "put a deinterlacer such as bwdif before this filter\n");
}

static int filter_frame(AVFilterLink *inlink, AVFrame *in)
{
    AVFilterContext *ctx = inlink->dst;
    KeyframeCropContext *s = ctx->priv;
    AVFilterLink *outlink = ctx->outputs[0];
    double v[KC_VALS], degrees;
    AVFrame *out = NULL;
    CropRect r;
    int ret;

    if (in->width != inlink->w || in->height != inlink->h || in->format != inlink->format) {
        av_log(ctx, AV_LOG_ERROR, "a frame of %dx%d %s came where %dx%d %s was agreed on\n", in->width, in->height,
               av_get_pix_fmt_name(in->format), inlink->w, inlink->h, av_get_pix_fmt_name(inlink->format));
        ret = AVERROR_INVALIDDATA;
        goto end;
    }
    warn_once(ctx, in);
    /* keys without a rotation of their own take the option's, which commands change */
    s->track->missing = s->rotate;
    ff_keytrack_eval(s->track, ff_frame_clock_time(&s->clock, inlink, in, s->t0), s->kind, s->log, v);
    r = (CropRect){ v[KC_X], v[KC_Y], v[KC_W], v[KC_H] };
    ff_crop_rect_lock(&r, s->lock);
    r.w *= s->trim_w;
    r.h *= s->trim_h;
    ff_crop_rect_fit(&r, s->edge, s->lock * s->trim_w / s->trim_h, in->width, in->height);
    degrees = fabs(v[KC_ROTATION]) < NO_ROTATION ? 0 : v[KC_ROTATION];
    if (is_whole(&r, degrees, in, outlink)) {
        ret = set_metadata(in, &r, degrees);
        if (ret < 0)
            goto end;
        in->sample_aspect_ratio = outlink->sample_aspect_ratio;
        return ff_filter_frame(outlink, in);
    }
    if (!(out = new_frame(outlink)))
        ret = AVERROR(ENOMEM);
    else
        ret = make_frame(ctx, out, in, &r, degrees);
    /* what CUDA refuses was said */
    if (ret < 0 && outlink->format != AV_PIX_FMT_CUDA)
        av_log(ctx, AV_LOG_ERROR, "cannot make a frame of %dx%d from %gx%g at %g,%g of the picture: %s\n",
               outlink->w, outlink->h, r.w, r.h, r.x, r.y, av_err2str(ret));
end:
    av_frame_free(&in);
    if (ret >= 0)
        return ff_filter_frame(outlink, out);
    av_frame_free(&out);
    return ret;
}

/* Keys are read before the option is touched: what is wrong changes nothing.
 * The size of the output stays what it was. */
static int process_command(AVFilterContext *ctx, const char *cmd, const char *arg,
                           char *res, int res_len, int flags)
{
    KeyframeCropContext *s = ctx->priv;
    const int keys = !strcmp(cmd, "keys"), file = !strcmp(cmd, "file");
    int ret;

    if ((keys || file) && (ret = ff_keyframecrop_load(ctx, keys ? arg : NULL, file ? arg : NULL)) < 0)
        return ret;
    if ((ret = ff_filter_process_command(ctx, cmd, arg, res, res_len, flags)) < 0)
        return ret;
    if (keys)
        av_opt_set(s, "file", NULL, 0);
    if (file)
        av_opt_set(s, "keys", NULL, 0);
    return 0;
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

const FFREEL_FILTER ff_vf_keyframecrop = {
    .FFREEL_PUB(name)        = "keyframecrop",
    .FFREEL_PUB(description) = NULL_IF_CONFIG_SMALL("Crop by a rectangle that follows keyframes, at sub-pixel precision."),
    .FFREEL_PUB(priv_class)  = &keyframecrop_class,
    .FFREEL_PUB(flags)       = AVFILTER_FLAG_SLICE_THREADS,
    .priv_size       = sizeof(KeyframeCropContext),
    .flags_internal  = FF_FILTER_FLAG_HWFRAME_AWARE,
    .init            = init,
    .uninit          = uninit,
    FILTER_INPUTS(inputs),
    FILTER_OUTPUTS(outputs),
    FILTER_QUERY_FUNC2(query_formats),
    .process_command = process_command,
};
