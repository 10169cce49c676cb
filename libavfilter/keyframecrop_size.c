/*
 * Crop: the keys of the filter and the size of its output
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

#include "libavutil/avstring.h"
#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/eval.h"
#include "libavutil/imgutils.h"
#include "libavutil/parseutils.h"
#include "libavutil/pixdesc.h"

#include "cudafilter.h"
#include "filters.h"
#include "keyframecrop.h"

#define FAR      1e6            ///< pixels
#define MAX_SIZE 65536          ///< of the output
#define MAX_RATIO 1000          ///< of option aspect, and 1 / MAX_RATIO
#define LEAST    0.01           ///< pixels wide and high, so that ratios and logarithms stay in range

static const KeyVal values[KC_VALS] = {
    [KC_X]        = { "x", NULL,     -FAR, FAR, .follows = KC_W },
    [KC_Y]        = { "y", NULL,     -FAR, FAR, .follows = KC_H },
    [KC_W]        = { "w", "width",  LEAST, FAR, .positive = 1, .follows = -1 },
    [KC_H]        = { "h", "height", LEAST, FAR, .positive = 1, .follows = -1 },
    [KC_ROTATION] = { "rotation", "rotate", -3600, 3600, .follows = -1, .def = NAN },
};
const KeySpec ff_keyframecrop_spec = { values, KC_VALS, KC_ROTATION };

int ff_keyframecrop_aspect(AVFilterContext *ctx)
{
    KeyframeCropContext *s = ctx->priv;
    AVRational q;

    s->ratio = 0;
    if (!s->aspect || !*s->aspect || !strcmp(s->aspect, "off"))
        return 0;
    if (!strcmp(s->aspect, "out")) {
        s->ratio = -1;
        return 0;
    }
    if (av_parse_ratio(&q, s->aspect, 1 << 16, AV_LOG_MAX_OFFSET, ctx) < 0 || q.num <= 0 || q.den <= 0) {
        av_log(ctx, AV_LOG_ERROR, "aspect: '%s' is not a ratio like 9/16, nor 'out' or 'off'\n", s->aspect);
        return AVERROR(EINVAL);
    }
    s->ratio = av_q2d(q);
    if (s->ratio > MAX_RATIO || s->ratio < 1. / MAX_RATIO) {
        av_log(ctx, AV_LOG_ERROR, "aspect: '%s' is not within 1/%d..%d\n", s->aspect, MAX_RATIO, MAX_RATIO);
        return AVERROR(EINVAL);
    }
    return 0;
}

/* ---- keys -------------------------------------------------------------------- */

/* a key in pixels of the input */
static int check_key(AVFilterContext *ctx, const double *v, const char *where, int key)
{
    const AVFilterLink *in = ctx->inputs[0];

    if (v[KC_W] < LEAST || v[KC_H] < LEAST) {
        av_log(ctx, AV_LOG_ERROR, "%s: key %d: %gx%g in pixels of the input, %dx%d, is less than %g either way\n",
               where, key, v[KC_W], v[KC_H], in->w, in->h, LEAST);
        return AVERROR(EINVAL);
    }
    if (v[KC_W] > CROP_OVERSIZE * (double)in->w || v[KC_H] > CROP_OVERSIZE * (double)in->h) {
        av_log(ctx, AV_LOG_ERROR, "%s: key %d: %gx%g is more than %d times the picture, %dx%d\n",
               where, key, v[KC_W], v[KC_H], CROP_OVERSIZE, in->w, in->h);
        return AVERROR(EINVAL);
    }
    return 0;
}

/* from pixels of the reference to those of the input */
static int adapt(AVFilterContext *ctx, KeyTrack *k, const char *where)
{
    const KeyframeCropContext *s = ctx->priv;
    const AVFilterLink *in = ctx->inputs[0];
    const double sx = s->ref_w ? in->w / (double)s->ref_w : 1;
    const double sy = s->ref_h ? in->h / (double)s->ref_h : 1;

    int ret;

    for (int i = 0; i < k->nb; i++) {
        double *v = k->val + i * KC_VALS;
        v[KC_X] *= sx;
        v[KC_W] *= sx;
        v[KC_Y] *= sy;
        v[KC_H] *= sy;
        if ((ret = check_key(ctx, v, where, i + 1)) < 0)
            return ret;
    }
    return 0;
}

/* no keys: the largest crop of the ratio, in the middle */
static KeyTrack *centred(AVFilterContext *ctx, int *err)
{
    const KeyframeCropContext *s = ctx->priv;
    const AVFilterLink *in = ctx->inputs[0];
    const double ratio = s->lock > 0 ? s->lock : s->ratio;
    KeyTrack *k = ff_keytrack_alloc(&ff_keyframecrop_spec);
    const CropRect r = ff_crop_rect_centred(ratio, in->w, in->h);
    const double v[KC_VALS] = { r.x, r.y, FFMAX(r.w, LEAST), FFMAX(r.h, LEAST), NAN };

    *err = k ? ff_keytrack_add(k, 0, v, KEY_DEFAULT, 0, 1, "aspect", ctx) : AVERROR(ENOMEM);
    if (*err < 0)
        ff_keytrack_free(&k);
    return k;
}

int ff_keyframecrop_load(AVFilterContext *ctx, const char *keys, const char *file)
{
    KeyframeCropContext *s = ctx->priv;
    const char *where = keys ? "keys" : file ? file : "aspect";
    KeyTrack *k;
    int ret;

    if (file && !*file) {
        av_log(ctx, AV_LOG_ERROR, "file: the name is empty; give a JSON file of keys\n");
        return AVERROR(EINVAL);
    }
    if (keys)
        k = ff_keytrack_parse(&ff_keyframecrop_spec, keys, where, ctx, &ret);
    else if (file)
        k = ff_keytrack_load(&ff_keyframecrop_spec, file, ctx, &ret);
    else
        k = centred(ctx, &ret);
    if (!k)
        return ret;
    /* what is centred is in pixels of the input already */
    if ((keys || file) && (ret = adapt(ctx, k, where)) < 0) {
        ff_keytrack_free(&k);
        return ret;
    }
    ff_keytrack_free(&s->track);
    s->track = k;
    return 0;
}

/* ---- size --------------------------------------------------------------------- */

static CropRect key_rect(const KeyframeCropContext *s, int i, double lock)
{
    const double *v = s->track->val + i * KC_VALS;
    CropRect r = { v[KC_X], v[KC_Y], v[KC_W], v[KC_H] };

    ff_crop_rect_lock(&r, lock);
    return r;
}

static CropRect largest_key(const KeyframeCropContext *s, double lock)
{
    CropRect best = key_rect(s, 0, lock);

    for (int i = 1; i < s->track->nb; i++) {
        const CropRect r = key_rect(s, i, lock);
        if (r.w * r.h > best.w * best.h)
            best = r;
    }
    return best;
}

/* down to whole chroma samples; an odd picture taken whole keeps its size */
static int round_size(AVFilterContext *ctx, const char *name, double v, int whole, int log2, int *out)
{
    const int mask = (1 << log2) - 1;
    int i;

    if (!(v < MAX_SIZE + 1)) {
        av_log(ctx, AV_LOG_ERROR, "%s: %g follows from the shape of the largest key, which is no size within 1..%d; "
               "give both w and h\n", name, v, MAX_SIZE);
        return AVERROR(EINVAL);
    }
    i    = (int)floor(v + 1e-6);
    *out = i == whole ? i : FFMAX(i & ~mask, mask + 1);
    return 0;
}

/* Four times the smallest width and height of the keys, narrowed to the ratio,
 * held within 2560 x 1440, even: what the pipeline before this filter made. */
static void reel_size(const KeyframeCropContext *s, int *w, int *h)
{
    double mw = INFINITY, mh = INFINITY, ratio = s->ratio, k;

    for (int i = 0; i < s->track->nb; i++) {
        mw = FFMIN(mw, s->track->val[i * KC_VALS + KC_W]);
        mh = FFMIN(mh, s->track->val[i * KC_VALS + KC_H]);
    }
    if (ratio <= 0)
        ratio = mw / mh;
    if (mw / mh > ratio)
        mw = mh * ratio;
    else
        mh = mw / ratio;
    k  = FFMIN3(2560 / (4 * mw), 1440 / (4 * mh), 1);
    *w = FFMAX((int)(4 * mw * k + 1e-6) & ~1, 2);
    *h = FFMAX((int)(4 * mh * k + 1e-6) & ~1, 2);
}

enum { V_IN_W, V_IW, V_IN_H, V_IH, V_KW, V_KH, V_OUT_W, V_OW, V_OUT_H, V_OH, V_A, V_SAR, V_HSUB, V_VSUB, V_NB };
static const char *const var_names[] = {
    "in_w", "iw", "in_h", "ih", "kw", "kh", "out_w", "ow", "out_h", "oh", "a", "sar", "hsub", "vsub", NULL
};

static int eval_size(AVFilterContext *ctx, const char *name, const char *expr, const double *vars, int *out)
{
    double v;
    int ret = av_expr_parse_and_eval(&v, expr, var_names, vars, NULL, NULL, NULL, NULL, NULL, AV_LOG_MAX_OFFSET, ctx);

    if (ret < 0) {
        av_log(ctx, AV_LOG_ERROR, "%s: '%s' is neither a number nor an expression of in_w, in_h, kw, kh, a, sar, hsub, "
               "vsub, and of out_h for w or out_w for h\n", name, expr);
        return ret;
    }
    if (!(v >= 1 && v <= MAX_SIZE)) {
        av_log(ctx, AV_LOG_ERROR, "%s: '%s' is %g, not a size within 1..%d\n", name, expr, v, MAX_SIZE);
        return AVERROR(EINVAL);
    }
    *out = lrint(v);
    return 0;
}

/* w and h as given; what is not given stays 0 */
static int explicit_size(AVFilterContext *ctx, CropRect key, const AVPixFmtDescriptor *d, int *w, int *h)
{
    const KeyframeCropContext *s = ctx->priv;
    const AVFilterLink *in = ctx->inputs[0];
    double v[V_NB] = {
        [V_IN_W] = in->w, [V_IW] = in->w, [V_IN_H] = in->h, [V_IH] = in->h,
        [V_KW] = key.w, [V_KH] = key.h, [V_A] = key.w / key.h,
        [V_OUT_W] = NAN, [V_OW] = NAN, [V_OUT_H] = NAN, [V_OH] = NAN,
        [V_SAR] = in->sample_aspect_ratio.num ? av_q2d(in->sample_aspect_ratio) : 1,
        [V_HSUB] = 1 << d->log2_chroma_w, [V_VSUB] = 1 << d->log2_chroma_h,
    };
    const int has_w = s->w_expr && *s->w_expr, has_h = s->h_expr && *s->h_expr;
    /* either may refer to the other */
    const int w_last = has_w && has_h && (strstr(s->w_expr, "oh") || strstr(s->w_expr, "out_h"));
    int ret;

    if (has_w && !w_last) {
        if ((ret = eval_size(ctx, "w", s->w_expr, v, w)) < 0)
            return ret;
        v[V_OUT_W] = v[V_OW] = *w;
    }
    if (has_h) {
        if ((ret = eval_size(ctx, "h", s->h_expr, v, h)) < 0)
            return ret;
        v[V_OUT_H] = v[V_OH] = *h;
    }
    if (w_last)
        return eval_size(ctx, "w", s->w_expr, v, w);
    return 0;
}

static int choose_size(AVFilterContext *ctx, CropRect key, const AVPixFmtDescriptor *d, int *w, int *h)
{
    const KeyframeCropContext *s = ctx->priv;
    const AVFilterLink *in = ctx->inputs[0];
    const double kw = *h ? *h * key.w / key.h + 0.5 : key.w;
    const double kh = *w ? *w * key.h / key.w + 0.5 : key.h;
    int ret = 0;

    if (!*w && !*h && s->size == CROP_SIZE_REEL) {
        reel_size(s, w, h);
        return 0;
    }
    if (!*w)
        ret = round_size(ctx, "w", kw, in->w, d->log2_chroma_w, w);
    if (!*h && ret >= 0)
        ret = round_size(ctx, "h", kh, in->h, d->log2_chroma_h, h);
    return ret;
}

/* whether all keys have the shape of the first */
static int one_shape(const KeyframeCropContext *s)
{
    const double a = s->track->val[KC_W] / s->track->val[KC_H];

    for (int i = 1; i < s->track->nb; i++) {
        const double *v = s->track->val + i * KC_VALS;
        if (fabs(v[KC_W] / v[KC_H] - a) > 1e-3 * a)
            return 0;
    }
    return 1;
}

/* Pixels of the output are as wide as those of the input, unless every
 * rectangle is squeezed alike by more than the rounding of the size. */
static AVRational output_sar(const KeyframeCropContext *s, CropRect key, AVRational in, int w, int h)
{
    const AVRational one = in.num && in.den ? in : (AVRational){ 1, 1 };
    const double a = key.w / key.h;
    AVRational q, out;

    if ((s->lock <= 0 && !one_shape(s)) || fabs(w - h * a) < 2 || fabs(h - w / a) < 2)
        return in;
    q = av_d2q(a * h / w, 1 << 12);
    /* a shape beyond what a rational holds comes as 1/0 or 0/1 */
    if (!q.num || !q.den)
        return in;
    av_reduce(&out.num, &out.den, (int64_t)q.num * one.num, (int64_t)q.den * one.den, INT_MAX);
    return out.num && out.den ? out : in;
}

/* Where the size was taken from the keys and rounded down to whole chroma samples,
 * rectangles lose the same at their right and bottom: 205x365 shown as 204x364
 * is cut there, and not resampled by 0.995. */
static void trim_rounding(KeyframeCropContext *s, CropRect key, int w, int h)
{
    s->trim_w = key.w > w ? w / key.w : 1;
    s->trim_h = key.h > h ? h / key.h : 1;
}

int ff_keyframecrop_size(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    KeyframeCropContext *s = ctx->priv;
    const AVFilterLink *in = ctx->inputs[0];
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(ff_cudaframes_format(in));
    CropRect key;
    int ret, given, w = 0, h = 0;

    s->lock = FFMAX(s->ratio, 0);
    s->trim_w = s->trim_h = 1;
    /* what an earlier configuration made up is none of the user's keys */
    if (!s->keys && !s->file)
        ff_keytrack_free(&s->track);
    key = s->track ? largest_key(s, s->lock) : (CropRect){ 0, 0, in->w, in->h };
    if ((ret = explicit_size(ctx, key, d, &w, &h)) < 0)
        return ret;
    if (!s->track) {
        if (s->ratio < 0 && (!w || !h)) {
            av_log(ctx, AV_LOG_ERROR, "aspect=out without keys needs w and h\n");
            return AVERROR(EINVAL);
        }
        if (s->ratio < 0)
            s->lock = (double)w / h;
        if ((ret = ff_keyframecrop_load(ctx, NULL, NULL)) < 0)
            return ret;
        key = largest_key(s, s->lock);
        if (!w && !h && s->size == CROP_SIZE_REEL) {
            w = s->lock < 1 ? 1080 : 1920;
            h = s->lock < 1 ? 1920 : 1080;
        }
    }
    given = w || h || s->size == CROP_SIZE_REEL;
    if ((ret = choose_size(ctx, key, d, &w, &h)) < 0 ||
        (ret = av_image_check_size(w, h, 0, ctx)) < 0)
        return ret;
    if (s->ratio < 0)
        s->lock = (double)w / h;
    key = largest_key(s, s->lock);
    if (!given)
        trim_rounding(s, key, w, h);
    s->stretches = s->lock <= 0 && !one_shape(s);
    outlink->w = w;
    outlink->h = h;
    outlink->sample_aspect_ratio = output_sar(s, key, in->sample_aspect_ratio, w, h);
    return 0;
}
