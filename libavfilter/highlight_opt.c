/*
 * highlight: options, and what is drawn when
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

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/opt.h"

#include "filters.h"
#include "highlight.h"

#define OFFSET(x) offsetof(HighlightContext, x)
#define STATIC  (AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM)
#define DYNAMIC (STATIC | AV_OPT_FLAG_RUNTIME_PARAM)

static const AVOption highlight_options[] = {
    { "keys",    "keys of one region: time x y rx ry [kind] ..., apart by '|'", OFFSET(keys), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = DYNAMIC },
    { "regions", "regions as JSON text",                         OFFSET(regions), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = DYNAMIC },
    { "file",    "JSON file of regions",                         OFFSET(file),    AV_OPT_TYPE_STRING, { .str = NULL }, .flags = DYNAMIC },
    { "follow",  "follow detections instead of keys: nearest, largest or a track id", OFFSET(follow), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = STATIC },
    { "effect",  "what is done to the picture",                  OFFSET(params.effect), AV_OPT_TYPE_INT, { .i64 = HL_EFFECT_AUTO }, HL_EFFECT_AUTO, HL_EFFECTS - 1, DYNAMIC, .unit = "effect" },
        { "auto",             "that of the region or the file, else dark_overlay", 0, AV_OPT_TYPE_CONST, { .i64 = HL_EFFECT_AUTO }, .flags = DYNAMIC, .unit = "effect" },
        { "dark_overlay",     "darker outside",                  0, AV_OPT_TYPE_CONST, { .i64 = HL_DARK_OVERLAY }, .flags = DYNAMIC, .unit = "effect" },
        { "brightness_boost", "brighter inside; with a color: tinted, with a ring", 0, AV_OPT_TYPE_CONST, { .i64 = HL_BRIGHTNESS }, .flags = DYNAMIC, .unit = "effect" },
        { "ring",             "a ring with a darker outline",    0, AV_OPT_TYPE_CONST, { .i64 = HL_RING },       .flags = DYNAMIC, .unit = "effect" },
        { "ground",           "an open ring on the ground at the feet", 0, AV_OPT_TYPE_CONST, { .i64 = HL_GROUND }, .flags = DYNAMIC, .unit = "effect" },
        { "spot",             "darker outside with a soft edge, no ring", 0, AV_OPT_TYPE_CONST, { .i64 = HL_SPOT }, .flags = DYNAMIC, .unit = "effect" },
        { "desaturate",       "less color outside",              0, AV_OPT_TYPE_CONST, { .i64 = HL_DESATURATE }, .flags = DYNAMIC, .unit = "effect" },
        { "blur",             "blurred outside",                 0, AV_OPT_TYPE_CONST, { .i64 = HL_BLUR },       .flags = DYNAMIC, .unit = "effect" },
        { "original",         "nothing",                         0, AV_OPT_TYPE_CONST, { .i64 = HL_ORIGINAL },   .flags = DYNAMIC, .unit = "effect" },
    { "shape",   "where the ellipse lies",                       OFFSET(params.shape), AV_OPT_TYPE_INT, { .i64 = HL_SHAPE_AUTO }, HL_SHAPE_AUTO, HL_AT_FEET, DYNAMIC, .unit = "shape" },
        { "auto",    "ground for effect=ground, else what the file says, else body", 0, AV_OPT_TYPE_CONST, { .i64 = HL_SHAPE_AUTO }, .flags = DYNAMIC, .unit = "shape" },
        { "body",    "about the body",                           0, AV_OPT_TYPE_CONST, { .i64 = HL_BODY },    .flags = DYNAMIC, .unit = "shape" },
        { "ground",  "on the ground at its feet, open at the top", 0, AV_OPT_TYPE_CONST, { .i64 = HL_AT_FEET }, .flags = DYNAMIC, .unit = "shape" },
    { "outside", "strength of the effect outside, -1: auto",     OFFSET(params.outside), AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 1, DYNAMIC },
    { "inside",  "strength of the effect inside, -1: auto",      OFFSET(params.inside),  AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 1, DYNAMIC },
    { "color",   "color of ring and tint: auto (that of the keys), none, or a color", OFFSET(color), AV_OPT_TYPE_STRING, { .str = "auto" }, .flags = DYNAMIC },
    { "stroke",  "width of the ring in pixels of a picture 1080 high, 0: none, -1: auto", OFFSET(params.stroke), AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 100, DYNAMIC },
    { "stroke_opacity", "opacity of the ring, -1: auto",         OFFSET(params.stroke_opacity), AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 1, DYNAMIC },
    { "feather", "width of the edge in pixels of a picture 1080 high, 0: hard, -1: auto", OFFSET(params.feather), AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 400, DYNAMIC },
    { "blur",    "radius of effect=blur in pixels of a picture 1080 high", OFFSET(params.blur), AV_OPT_TYPE_DOUBLE, { .dbl = 12 }, 1, 63, DYNAMIC },
    { "dither",  "ordered dither against banding",               OFFSET(dither), AV_OPT_TYPE_BOOL, { .i64 = 0 }, 0, 1, DYNAMIC },
    { "kind",    "interpolation, for keys that name none",       OFFSET(params.kind), AV_OPT_TYPE_INT, { .i64 = KEY_DEFAULT }, KEY_DEFAULT, KEY_KINDS - 1, DYNAMIC, .unit = "kind" },
        { "auto",       "monotone; linear and catmull under rules feb and head", 0, AV_OPT_TYPE_CONST, { .i64 = KEY_DEFAULT }, .flags = DYNAMIC, .unit = "kind" },
        { "hold",       "the value stays until the next key",    0, AV_OPT_TYPE_CONST, { .i64 = KEY_HOLD },     .flags = DYNAMIC, .unit = "kind" },
        { "cut",        "as hold",                               0, AV_OPT_TYPE_CONST, { .i64 = KEY_HOLD },     .flags = DYNAMIC, .unit = "kind" },
        { "linear",     "straight line",                         0, AV_OPT_TYPE_CONST, { .i64 = KEY_LINEAR },   .flags = DYNAMIC, .unit = "kind" },
        { "ease",       "slow at both keys",                     0, AV_OPT_TYPE_CONST, { .i64 = KEY_EASE },     .flags = DYNAMIC, .unit = "kind" },
        { "smoothstep", "as ease",                               0, AV_OPT_TYPE_CONST, { .i64 = KEY_EASE },     .flags = DYNAMIC, .unit = "kind" },
        { "catmull",    "uniform Catmull-Rom spline",            0, AV_OPT_TYPE_CONST, { .i64 = KEY_CATMULL },  .flags = DYNAMIC, .unit = "kind" },
        { "monotone",   "smooth curve that never overshoots",    0, AV_OPT_TYPE_CONST, { .i64 = KEY_MONOTONE }, .flags = DYNAMIC, .unit = "kind" },
    { "end",     "what a region does after its last key",        OFFSET(params.vanish), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, 1, DYNAMIC, .unit = "end" },
        { "auto",    "hold; vanish under rules=head",            0, AV_OPT_TYPE_CONST, { .i64 = -1 }, .flags = DYNAMIC, .unit = "end" },
        { "hold",    "stays as it is",                           0, AV_OPT_TYPE_CONST, { .i64 = 0 },  .flags = DYNAMIC, .unit = "end" },
        { "vanish",  "ends there",                               0, AV_OPT_TYPE_CONST, { .i64 = 1 },  .flags = DYNAMIC, .unit = "end" },
    { "fade_in",  "seconds from nothing to all at the start of a region", OFFSET(params.fade_in),  AV_OPT_TYPE_DOUBLE, { .dbl = 0.25 }, 0, 60, DYNAMIC },
    { "fade_out", "seconds from all to nothing at the end of a region",   OFFSET(params.fade_out), AV_OPT_TYPE_DOUBLE, { .dbl = 0.25 }, 0, 60, DYNAMIC },
    { "rules",   "whose look",                                   OFFSET(params.rules), AV_OPT_TYPE_INT, { .i64 = HL_RULES_NEW }, 0, HL_RULES_HEAD, STATIC, .unit = "rules" },
        { "new",     "this filter's",                            0, AV_OPT_TYPE_CONST, { .i64 = HL_RULES_NEW },  .flags = STATIC, .unit = "rules" },
        { "feb",     "the renderer of February 2026, hard edges", 0, AV_OPT_TYPE_CONST, { .i64 = HL_RULES_FEB },  .flags = STATIC, .unit = "rules" },
        { "head",    "the renderer of May 2026 and later, hard edges", 0, AV_OPT_TYPE_CONST, { .i64 = HL_RULES_HEAD }, .flags = STATIC, .unit = "rules" },
    { "ref",     "size of the picture that the keys are for, where they do not say", OFFSET(ref_w), AV_OPT_TYPE_IMAGE_SIZE, { .str = NULL }, .flags = STATIC },
    { "t0",      "time of the keys at timestamp 0",              OFFSET(t0), AV_OPT_TYPE_DURATION, { .i64 = 0 }, -INT64_C(1000000000000000), INT64_C(1000000000000000), DYNAMIC },
    { "grow",    "follow: radii, as a multiple of half the box",  OFFSET(grow), AV_OPT_TYPE_DOUBLE, { .dbl = 1.3 }, 0.1, 10, STATIC },
    { "hold",    "follow: seconds that a lost target is kept",    OFFSET(hold), AV_OPT_TYPE_DOUBLE, { .dbl = 0.5 }, 0, 60, STATIC },
    { "smooth",  "follow: steadiness, 0: none",                   OFFSET(smoothing), AV_OPT_TYPE_DOUBLE, { .dbl = 1 }, 0, 10, STATIC },
    { NULL }
};

const AVClass ff_highlight_class = {
    .class_name = "highlight",
    .item_name  = av_default_item_name,
    .option     = highlight_options,
    .version    = LIBAVUTIL_VERSION_INT,
    .category   = AV_CLASS_CATEGORY_FILTER,
};

/* ---- checks that need no input ------------------------------------------------------- */

static int parse_color(AVFilterContext *ctx, const char *text)
{
    HighlightContext *s = ctx->priv;
    const int is_auto = !strcmp(text, "auto");
    const double color = is_auto ? NAN : ff_keytrack_color(text, strlen(text));

    if (!is_auto && isnan(color)) {
        av_log(ctx, AV_LOG_ERROR, "color: '%s' is neither auto, none, a name of a color nor #RRGGBB\n", text);
        return AVERROR(EINVAL);
    }
    s->params.color = color;
    return 0;
}

static int parse_follow(AVFilterContext *ctx)
{
    HighlightContext *s = ctx->priv;

    s->follower.target = ff_highlight_follow_parse(s->follow);
    if (s->follower.target == INT64_MIN) {
        av_log(ctx, AV_LOG_ERROR, "follow: '%s' is neither nearest, largest nor the number of a track\n", s->follow);
        return AVERROR(EINVAL);
    }
    if (s->params.rules != HL_RULES_NEW) {
        av_log(ctx, AV_LOG_ERROR, "follow needs rules=new: the old renderers knew no detections\n");
        return AVERROR(EINVAL);
    }
    s->follower.grow   = s->grow;
    s->follower.hold   = s->hold;
    s->follower.smooth = s->smoothing;
    s->follower.x0     = s->follower.y0 = NAN;
    return 0;
}

av_cold int ff_highlight_init(AVFilterContext *ctx)
{
    HighlightContext *s = ctx->priv;
    const int given = !!s->keys + !!s->regions + !!s->file + !!s->follow;
    int ret;

    if (given != 1) {
        av_log(ctx, AV_LOG_ERROR, "%s keys, regions, file and follow: give one of them\n", given ? "more than one of" : "none of");
        return AVERROR(EINVAL);
    }
    if ((ret = parse_color(ctx, s->color)) < 0)
        return ret;
    if (s->follow)
        return parse_follow(ctx);
    if (s->file)
        return 0;
    /* only to say early what is wrong */
    if ((ret = ff_highlight_load(&s->list, s->keys, s->regions, NULL, ctx)) >= 0)
        ff_highlight_list_free(&s->list);
    return ret;
}

av_cold void ff_highlight_uninit(AVFilterContext *ctx)
{
    HighlightContext *s = ctx->priv;

    ff_highlight_list_free(&s->list);
}

/* ---- regions -------------------------------------------------------------------------- */

/* the old regions stay where this fails */
static int load(AVFilterContext *ctx, const char *keys, const char *regions, const char *file)
{
    HighlightContext *s = ctx->priv;
    HighlightList list;
    int ret = ff_highlight_load(&list, keys, regions, file, ctx);

    if (ret < 0)
        return ret;
    for (int i = 0; i < list.nb; i++)
        if (!(list.region[i].ref_w > 0)) {
            list.region[i].ref_w = s->ref_w;
            list.region[i].ref_h = s->ref_h;
        }
    if (s->params.rules != HL_RULES_NEW)
        ff_highlight_old_prepare(&list, &s->params);
    ff_highlight_list_free(&s->list);
    s->list = list;
    return 0;
}

int ff_highlight_config(AVFilterLink *inlink)
{
    AVFilterContext *ctx = inlink->dst;
    HighlightContext *s = ctx->priv;

    ff_frame_clock_reset(&s->clock);
    if (s->follow) {
        ff_highlight_follow_reset(&s->follower);
        return 0;
    }
    return load(ctx, s->keys, s->regions, s->file);
}

/* Regions are read before the option is touched: what is wrong changes nothing. */
int ff_highlight_command(AVFilterContext *ctx, const char *cmd, const char *arg, char *res, int res_len, int flags)
{
    static const char *const sources[] = { "keys", "regions", "file" };
    HighlightContext *s = ctx->priv;
    int which = -1, ret;

    if (!arg)
        arg = "";
    for (int i = 0; i < FF_ARRAY_ELEMS(sources); i++)
        if (!strcmp(cmd, sources[i]))
            which = i;
    if (which >= 0 && s->follow) {
        av_log(ctx, AV_LOG_ERROR, "%s: detections are followed, not keys\n", cmd);
        return AVERROR(EINVAL);
    }
    if (which >= 0 && (ret = load(ctx, which == 0 ? arg : NULL, which == 1 ? arg : NULL, which == 2 ? arg : NULL)) < 0)
        return ret;
    if (!strcmp(cmd, "color") && (ret = parse_color(ctx, arg)) < 0)
        return ret;
    if ((ret = ff_filter_process_command(ctx, cmd, arg, res, res_len, flags)) < 0)
        return ret;
    for (int i = 0; i < FF_ARRAY_ELEMS(sources) && which >= 0; i++)
        if (i != which)
            av_opt_set(s, sources[i], NULL, 0);
    return 0;
}

HighlightScene ff_highlight_at(AVFilterLink *inlink, const AVFrame *frame)
{
    AVFilterContext *ctx = inlink->dst;
    HighlightContext *s = ctx->priv;
    const double t = ff_frame_clock_time(&s->clock, inlink, frame, s->t0);
    /* of CUDA frames a part may be marked as all that there is to see */
    const int w = frame->width - (int)(frame->crop_left + frame->crop_right);
    const int h = frame->height - (int)(frame->crop_top + frame->crop_bottom);
    double at[4], visible;

    if (!s->follow)
        return ff_highlight_scene(&s->list, &s->params, t, w, h);
    s->follower.fade_in  = s->params.fade_in;      // commands may change them
    s->follower.fade_out = s->params.fade_out;
    visible = ff_highlight_follow(&s->follower, frame, t, at);
    return ff_highlight_scene_at(&s->params, at, visible, h);
}
