/*
 * Frames <-> planar fp32 RGB
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


#include <float.h>
#include <math.h>
#include <string.h>

#include "config.h"
#include "libavutil/avassert.h"
#include "libavutil/common.h"
#include "libavutil/csp.h"
#include "libavutil/error.h"
#include "libavutil/intfloat.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/log.h"
#include "libavutil/pixdesc.h"
#include "nn_frame.h"
#include "nn_simd.h"
#include "px_format.h"

/* ---- formats --------------------------------------------------------------- */

/** two components in one machine word: not a thing of samples and steps */
static int shares_words(const AVPixFmtDescriptor *d)
{
    for (int i = 0; i < d->nb_components; i++)
        for (int j = 0; j < i; j++) {
            int bytes = d->comp[i].depth + d->comp[i].shift > 8 ? 2 : 1;
            if (d->comp[i].plane == d->comp[j].plane &&
                FFABS(d->comp[i].offset - d->comp[j].offset) < bytes)
                return 1;
        }
    return 0;
}

int ff_nn_format_supported(enum AVPixelFormat fmt)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(fmt);
    int is_float, bytes;

    if (!d || !d->nb_components || fmt == AV_PIX_FMT_UYYVYY411 ||
        d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                    AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_XYZ))
        return 0;
    is_float = !!(d->flags & AV_PIX_FMT_FLAG_FLOAT);
    bytes = is_float ? 4 : d->comp[0].depth + d->comp[0].shift > 8 ? 2 : 1;
    if (bytes > 1 && !(d->flags & AV_PIX_FMT_FLAG_BE) != !HAVE_BIGENDIAN)
        return 0;
    for (int i = 0; i < d->nb_components; i++) {
        const AVComponentDescriptor *c = &d->comp[i];
        if (c->depth != d->comp[0].depth || c->shift != d->comp[0].shift ||
            c->step % bytes || c->offset % bytes ||
            (is_float ? c->depth != 32 : c->depth < 8 || c->depth + c->shift > 16))
            return 0;
    }
    return !shares_words(d);
}

int ff_nn_format_init(NNFormat *f, enum AVPixelFormat fmt)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(fmt);

    memset(f, 0, sizeof(*f));
    if (!ff_nn_format_supported(fmt))
        return AVERROR(EINVAL);
    f->desc     = d;
    f->nb_comps = d->nb_components;
    f->nb_color = d->nb_components - !!(d->flags & AV_PIX_FMT_FLAG_ALPHA);
    for (int i = 0; i < f->nb_comps; i++) {
        const AVComponentDescriptor *s = &d->comp[i];
        NNComp *c = &f->comp[i];

        c->plane  = s->plane;
        c->offset = s->offset;
        c->shift  = s->shift;
        c->type   = d->flags & AV_PIX_FMT_FLAG_FLOAT ? NN_SAMPLE_F32 :
                    s->depth + s->shift > 8 ? NN_SAMPLE_U16 : NN_SAMPLE_U8;
        c->step   = s->step / (c->type == NN_SAMPLE_F32 ? 4 : c->type == NN_SAMPLE_U16 ? 2 : 1);
        c->chroma = f->nb_color == 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB) && (i == 1 || i == 2);
        c->max    = c->type == NN_SAMPLE_F32 ? FLT_MAX : (1 << s->depth) - 1;
    }
    return 0;
}

int ff_nn_comp_size(const NNFormat *f, int comp, int axis, int n)
{
    int log2 = axis ? f->desc->log2_chroma_h : f->desc->log2_chroma_w;
    return f->comp[comp].chroma ? AV_CEIL_RSHIFT(n, log2) : n;
}

const uint8_t *ff_nn_comp_row(const NNFormat *f, const AVFrame *frame, int comp, int y)
{
    const NNComp *c = &f->comp[comp];
    return frame->data[c->plane] + (ptrdiff_t)y * frame->linesize[c->plane] + c->offset;
}

/* ---- colour ------------------------------------------------------------------ */

/** code = scale * value + offset, for values 0..1 (colour differences -0.5..0.5) */
static void code_scale(const NNFormat *f, int comp, double *scale, double *offset)
{
    const NNComp *c = &f->comp[comp];
    int limited = f->range == AVCOL_RANGE_MPEG, depth = f->desc->comp[comp].depth;
    double unit = c->type == NN_SAMPLE_F32 ? 1 / 255. : 1 << (depth - 8);

    if (limited) {
        *scale  = unit * (c->chroma ? 224 : 219);
        *offset = unit * (c->chroma ? 128 :  16);
    } else {
        *scale  = c->type == NN_SAMPLE_F32 ? 1 : c->max;
        *offset = c->chroma ? unit * 128 : 0;
    }
}

static void identity_matrix(double yuv[3][3], double rgb[3][3])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            yuv[i][j] = rgb[i][j] = i == j;
}

/** yuv = yuv[][] * rgb and back, from the luma weights (H.273, NCL systems) */
static void luma_matrix(double yuv[3][3], double rgb[3][3], const AVLumaCoefficients *l)
{
    double kr = av_q2d(l->cr), kg = av_q2d(l->cg), kb = av_q2d(l->cb);
    double k[3] = { kr, kg, kb };

    for (int j = 0; j < 3; j++) {
        yuv[0][j] = k[j];
        yuv[1][j] = ((j == 2) - k[j]) / (2 * (1 - kb));
        yuv[2][j] = ((j == 0) - k[j]) / (2 * (1 - kr));
        rgb[j][0] = 1;
    }
    rgb[0][1] = 0;
    rgb[0][2] = 2 * (1 - kr);
    rgb[1][1] = -2 * kb * (1 - kb) / kg;
    rgb[1][2] = -2 * kr * (1 - kr) / kg;
    rgb[2][1] = 2 * (1 - kb);
    rgb[2][2] = 0;
}

static int frame_matrix(NNFormat *f, const AVFrame *frame, void *log)
{
    switch (frame->colorspace) {
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT2020_NCL:
        f->matrix = frame->colorspace;
        return 0;
    case AVCOL_SPC_RGB:         /* means nothing in a YUV frame */
    case AVCOL_SPC_RESERVED:
    case AVCOL_SPC_UNSPECIFIED:
        f->matrix = AVCOL_SPC_SMPTE170M;
        return 0;
    default:
        av_log(log, AV_LOG_ERROR, "frames in color space %s cannot be turned into RGB by a matrix: "
               "convert them first, ycgco with the colorspace filter, others where zscale or libplacebo is built in\n",
               av_color_space_name(frame->colorspace) ? av_color_space_name(frame->colorspace) : "unknown");
        return AVERROR(EINVAL);
    }
}

static void frame_range_siting(NNFormat *f, const AVFrame *frame)
{
    int xpos = 0, ypos = 128;

    f->range = ff_px_is_full(f->desc, frame) ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    f->loc   = ff_px_location(f->desc, frame);
    av_chroma_location_enum_to_pos(&xpos, &ypos, f->loc);
    /* 128 = midway between the luma samples that share it, of which 4:1:1 has 4 */
    f->siting[0] = xpos / 256. * ((1 << f->desc->log2_chroma_w) - 1);
    f->siting[1] = ypos / 256. * ((1 << f->desc->log2_chroma_h) - 1);
}

int ff_nn_format_color(NNFormat *f, const AVFrame *frame, void *log)
{
    double yuv[3][3], rgb[3][3], scale, offset;
    int ret;

    frame_range_siting(f, frame);
    if (f->desc->flags & AV_PIX_FMT_FLAG_RGB) {
        f->matrix = AVCOL_SPC_RGB;
        identity_matrix(yuv, rgb);
    } else {
        if ((ret = frame_matrix(f, frame, log)) < 0)
            return ret;
        luma_matrix(yuv, rgb, av_csp_luma_coeffs_from_avcsp(f->matrix));
    }
    memset(f->in,  0, sizeof(f->in));
    memset(f->out, 0, sizeof(f->out));
    for (int i = 0; i < f->nb_color; i++) {
        NNComp *c = &f->comp[i];
        double lo = c->chroma ? -0.5 : 0;

        code_scale(f, i, &scale, &offset);
        for (int j = 0; j < 3; j++) {
            f->out[i][j]  = yuv[i][j] * scale;
            f->in[j][i]   = rgb[j][i] / scale;
            f->in[j][3]  -= rgb[j][i] * offset / scale;
        }
        f->out[i][3] = offset;
        c->lo = FFMAX(lo * scale + offset, 0);
        c->hi = FFMIN((lo + 1) * scale + offset, c->max);
    }
    for (int i = f->nb_color; i < f->nb_comps; i++) {
        f->comp[i].lo = 0;
        f->comp[i].hi = f->comp[i].type == NN_SAMPLE_F32 ? 1 : f->comp[i].max;
    }
    return 0;
}

/* ---- rows -------------------------------------------------------------------- */

#define ADD(name, type)                                                             \
NN_SIMD                                                                             \
static void name(float *restrict acc, const type *restrict src, float w, int n)    \
{                                                                                   \
    for (int i = 0; i < n; i++)                                                     \
        acc[i] += w * src[i];                                                       \
}                                                                                   \
NN_SIMD                                                                             \
static void name##_step(float *restrict acc, const type *restrict src, float w,    \
                        int n, int step)                                            \
{                                                                                   \
    for (int i = 0; i < n; i++)                                                     \
        acc[i] += w * src[i * step];                                                \
}
ADD(add_u8,  uint8_t)
ADD(add_u16, uint16_t)
ADD(add_f32, float)

NN_SIMD
static void add_u16_shift(float *restrict acc, const uint16_t *restrict src, float w,
                          int n, int step, int shift)
{
    if (step == 1)
        for (int i = 0; i < n; i++)
            acc[i] += w * (src[i] >> shift);
    else
        for (int i = 0; i < n; i++)
            acc[i] += w * (src[i * step] >> shift);
}

void ff_nn_add_codes(const NNComp *c, float *acc, const uint8_t *src, float w, int n)
{
    if (c->shift)
        add_u16_shift(acc, (const uint16_t *)src, w, n, c->step, c->shift);
    else if (c->type == NN_SAMPLE_U8)
        c->step == 1 ? add_u8(acc, src, w, n) : add_u8_step(acc, src, w, n, c->step);
    else if (c->type == NN_SAMPLE_U16)
        c->step == 1 ? add_u16(acc, (const uint16_t *)src, w, n)
                     : add_u16_step(acc, (const uint16_t *)src, w, n, c->step);
    else
        c->step == 1 ? add_f32(acc, (const float *)src, w, n)
                     : add_f32_step(acc, (const float *)src, w, n, c->step);
}

/* lo > 0 or = 0, so adding a half and cutting off rounds to nearest */
#define STORE(name, type, expr, args)                                               \
NN_SIMD                                                                             \
static void name(type *restrict dst, const float *restrict src, float lo, float hi, \
                 int n args)                                                        \
{                                                                                   \
    for (int i = 0; i < n; i++) {                                                   \
        float v = src[i];                                                           \
        v = v > lo ? v : lo;                                                        \
        v = v < hi ? v : hi;                                                        \
        expr;                                                                       \
    }                                                                               \
}
#define NOTHING
#define COMMA ,
STORE(store_u8,       uint8_t,  dst[i]        = (int)(v + 0.5f), NOTHING)
STORE(store_u8_step,  uint8_t,  dst[i * step] = (int)(v + 0.5f), COMMA int step)
STORE(store_u16,      uint16_t, dst[i]        = (int)(v + 0.5f) << shift, COMMA int shift)
STORE(store_u16_step, uint16_t, dst[i * step] = (int)(v + 0.5f) << shift, COMMA int step COMMA int shift)
STORE(store_f32_step, float,    dst[i * step] = v, COMMA int step)

void ff_nn_store_codes(const NNComp *c, uint8_t *dst, const float *codes,
                       float lo, float hi, int n)
{
    if (c->type == NN_SAMPLE_U8)
        c->step == 1 ? store_u8(dst, codes, lo, hi, n)
                     : store_u8_step(dst, codes, lo, hi, n, c->step);
    else if (c->type == NN_SAMPLE_F32)
        store_f32_step((float *)dst, codes, lo, hi, n, c->step);
    else if (c->step == 1)
        store_u16((uint16_t *)dst, codes, lo, hi, n, c->shift);
    else
        store_u16_step((uint16_t *)dst, codes, lo, hi, n, c->step, c->shift);
}

static av_always_inline float clip01(float v)
{
    v = v > 0 ? v : 0;      /* in this order NaN becomes 0 */
    return v < 1 ? v : 1;
}

NN_SIMD
static void to_rgb(float *restrict r, float *restrict g, float *restrict b,
                   const float *restrict x, const float *restrict y,
                   const float *restrict z, const float m[3][4], int n)
{
    for (int i = 0; i < n; i++) {
        float p = x[i], q = y[i], s = z[i];
        r[i] = clip01(m[0][0] * p + m[0][1] * q + m[0][2] * s + m[0][3]);
        g[i] = clip01(m[1][0] * p + m[1][1] * q + m[1][2] * s + m[1][3]);
        b[i] = clip01(m[2][0] * p + m[2][1] * q + m[2][2] * s + m[2][3]);
    }
}

NN_SIMD
static void gray_to_rgb(float *restrict r, float *restrict g, float *restrict b,
                        const float *restrict x, float m, float o, int n)
{
    for (int i = 0; i < n; i++)
        r[i] = g[i] = b[i] = clip01(m * x[i] + o);
}

void ff_nn_to_rgb(const NNFormat *f, float *const rgb[3], const float *const code[3], int n)
{
    if (f->nb_color == 1)
        gray_to_rgb(rgb[0], rgb[1], rgb[2], code[0], f->in[0][0], f->in[0][3], n);
    else
        to_rgb(rgb[0], rgb[1], rgb[2], code[0], code[1], code[2], f->in, n);
}

static av_always_inline int not_finite(float v)
{
    return (av_float2int(v) & 0x7f800000) == 0x7f800000;
}

NN_SIMD
static int from_rgb(float *restrict r, float *restrict g, float *restrict b,
                    const float m[3][4], int n)
{
    int bad = 0;
    for (int i = 0; i < n; i++) {
        float p = r[i], q = g[i], s = b[i];
        bad |= not_finite(p) | not_finite(q) | not_finite(s);
        p = clip01(p);
        q = clip01(q);
        s = clip01(s);
        r[i] = m[0][0] * p + m[0][1] * q + m[0][2] * s + m[0][3];
        g[i] = m[1][0] * p + m[1][1] * q + m[1][2] * s + m[1][3];
        b[i] = m[2][0] * p + m[2][1] * q + m[2][2] * s + m[2][3];
    }
    return !bad;
}

int ff_nn_from_rgb(const NNFormat *f, float *const row[3], int n)
{
    return from_rgb(row[0], row[1], row[2], f->out, n);
}
