/*
 * The way of a picture through a net
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
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "esrgan_pic.h"
#include "nn_simd.h"

/* rows of scratch per slot: three colour rows, a vertical sum, two results */
enum { ROW_COLOR, ROW_SUM = 3, ROW_NET, ROW_PLAIN, NB_ROWS };

/* ---- resamplers -------------------------------------------------------------- */

/** one side of a resampler along one axis */
typedef struct Axis {
    int    full;    /* luma samples that span the picture */
    int    sub;     /* luma samples per sample */
    double siting;  /* first sample's centre in luma samples from luma's first */
} Axis;

static int axis_size(const Axis *a)
{
    return (a->full + a->sub - 1) / a->sub;
}

/** the kernel is for a change of size; where only chroma moves, Catmull-Rom */
static int axis_filter(NNFilter *f, enum NNKernel kernel, const Axis *src, const Axis *dst)
{
    double zoom  = (double)src->full / dst->full;
    double start = ((0.5 + dst->siting) * zoom - 0.5 - src->siting) / src->sub;

    return ff_nn_filter_init(f, zoom == 1 ? NN_KERNEL_BICUBIC : kernel,
                             axis_size(src), axis_size(dst), zoom * dst->sub / src->sub, start);
}

/**
 * @param src_sub, dst_sub whether chroma is subsampled on this side: frames, not
 *                         the net's picture
 */
static int make_filters(ESRGANPic *p, ESRGANFilters *f, const int src[2], int src_sub,
                        const int dst[2], int dst_sub)
{
    int log2[2] = { p->fmt.desc->log2_chroma_w, p->fmt.desc->log2_chroma_h };

    for (int chroma = 0; chroma < 2; chroma++)
        for (int axis = 0; axis < 2; axis++) {
            int sub = chroma ? 1 << log2[axis] : 1;
            double siting = chroma ? p->fmt.siting[axis] : 0;
            Axis s = { src[axis], src_sub ? sub : 1, src_sub ? siting : 0 };
            Axis d = { dst[axis], dst_sub ? sub : 1, dst_sub ? siting : 0 };
            int ret = axis_filter(axis ? &f->v[chroma] : &f->h[chroma], p->geo.kernel, &s, &d);
            if (ret < 0)
                return ret;
        }
    return 0;
}

static int make_all_filters(ESRGANPic *p)
{
    const ESRGANGeometry *g = &p->geo;
    const int in[2]  = { g->iw, g->ih }, out[2] = { g->ow, g->oh };
    const int net[2] = { g->nw, g->nh };
    const int big[2] = { g->nw * g->scale, g->nh * g->scale };
    int ret;

    p->siting[0] = -1;      /* in case of failure */
    if ((ret = make_filters(p, &p->plain, in, 1, out, 1)) < 0)
        return ret;
    if (g->nw && ((ret = make_filters(p, &p->in, in, 1, net, 0)) < 0 ||
                  (ret = make_filters(p, &p->out, big, 0, out, 1)) < 0))
        return ret;
    memcpy(p->siting, p->fmt.siting, sizeof(p->siting));
    return 0;
}

static void free_filters(ESRGANFilters *f)
{
    for (int i = 0; i < 2; i++) {
        ff_nn_filter_free(&f->h[i]);
        ff_nn_filter_free(&f->v[i]);
    }
}

/* ---- life -------------------------------------------------------------------- */

static void free_planes(float *plane[3])
{
    for (int c = 0; c < 3; c++)
        av_freep(&plane[c]);
}

/** one by one: a single block of three could pass what av_malloc() gives at most */
static int alloc_planes(float *plane[3], ptrdiff_t stride, int rows,
                        const char *what, const char *hint, void *log)
{
    for (int c = 0; c < 3; c++)
        if (!(plane[c] = av_malloc_array(rows, stride * sizeof(float)))) {
            free_planes(plane);
            av_log(log, AV_LOG_ERROR, "no memory for the net's %s, 3 planes of %.1f MB: %s\n",
                   what, stride * sizeof(float) * rows / 1e6, hint);
            return AVERROR(ENOMEM);
        }
    return 0;
}

int ff_esrgan_pic_init(ESRGANPic *p, const ESRGANGeometry *geo,
                       enum AVPixelFormat fmt, int nb_slots, void *log)
{
    int ret = ff_nn_format_init(&p->fmt, fmt);

    if (ret < 0)
        return ret;
    p->geo       = *geo;
    p->aw        = (geo->nw + geo->align - 1) / geo->align * geo->align;
    p->ah        = (geo->nh + geo->align - 1) / geo->align * geo->align;
    p->siting[0] = p->siting[1] = -1;   /* made for the first frame */
    p->row_len   = FFALIGN(FFMAX3(geo->iw, geo->ow, p->aw * geo->scale), 16);
    if (!nb_slots)
        return 0;
    p->scratch   = av_calloc(nb_slots, sizeof(*p->scratch));
    if (!p->scratch)
        return AVERROR(ENOMEM);
    p->nb_slots = nb_slots;
    for (int i = 0; i < nb_slots; i++)
        if (!(p->scratch[i] = av_malloc_array(p->row_len, NB_ROWS * sizeof(float))))
            return AVERROR(ENOMEM);
    if (!geo->nw)
        return 0;
    p->rgb_stride = FFALIGN(p->aw, 16);
    return alloc_planes(p->rgb, p->rgb_stride, p->ah, "input",
                        "give a smaller picture, e.g. by prescale=auto", log);
}

void ff_esrgan_pic_uninit(ESRGANPic *p)
{
    free_filters(&p->in);
    free_filters(&p->out);
    free_filters(&p->plain);
    free_planes(p->rgb);
    free_planes(p->net);
    for (int i = 0; i < p->nb_slots; i++)
        av_freep(&p->scratch[i]);
    av_freep(&p->scratch);
    memset(p, 0, sizeof(*p));
}

int ff_esrgan_pic_window(ESRGANPic *p, int rows, void *log)
{
    int ret;

    free_planes(p->net);
    p->net_rows   = 0;
    p->net_stride = FFALIGN(p->aw * p->geo.scale, 16);
    rows = FFMIN(rows, p->ah * p->geo.scale);
    ret  = alloc_planes(p->net, p->net_stride, rows, "result",
                        "give a smaller tile= or fewer threads", log);
    if (ret >= 0)
        p->net_rows = rows;
    return ret;
}

int ff_esrgan_pic_start(ESRGANPic *p, const AVFrame *in, void *log)
{
    int ret = ff_nn_format_color(&p->fmt, in, log);

    if (ret < 0)
        return ret;
    p->net_first = 0;
    return memcmp(p->siting, p->fmt.siting, sizeof(p->siting)) ? make_all_filters(p) : 0;
}

/* ---- rows -------------------------------------------------------------------- */

static float *scratch_row(const ESRGANPic *p, int slot, int row)
{
    return p->scratch[slot] + (size_t)row * p->row_len;
}

/** row y of a frame's component through a pair of filters; the result is in buf or sum */
static const float *frame_row(const ESRGANPic *p, const ESRGANFilters *f, const AVFrame *in,
                              int comp, int y, float *sum, float *buf)
{
    const NNComp *c = &p->fmt.comp[comp];
    const NNFilter *v = &f->v[c->chroma], *h = &f->h[c->chroma];

    memset(sum, 0, h->n_in * sizeof(*sum));
    for (int k = 0; k < v->taps; k++) {
        float w = v->coef[y * (ptrdiff_t)v->taps + k];
        if (w)
            ff_nn_add_codes(c, sum, ff_nn_comp_row(&p->fmt, in, comp, v->pos[y] + k), w, h->n_in);
    }
    if (h->identity)
        return sum;
    ff_nn_filter_row(h, buf, sum);
    return buf;
}

/** the same from the net's result; may point into it */
static const float *net_row(const ESRGANPic *p, int comp, int y, float *sum, float *buf)
{
    int chroma = p->fmt.comp[comp].chroma;
    const NNFilter *v = &p->out.v[chroma], *h = &p->out.h[chroma];
    const float *row = sum;

    if (v->identity)
        row = ff_esrgan_pic_net(p, comp, 0, y);
    else
        ff_nn_filter_column(v, y, sum, ff_esrgan_pic_net(p, comp, 0, v->pos[y]),
                            p->net_stride, h->n_in);
    if (h->identity)
        return row;
    ff_nn_filter_row(h, buf, row);
    return buf;
}

/** sample of a mirror, the edge sample not repeated, in place of one outside */
static int mirror(int i, int n)
{
    return i < n ? i : FFMAX(2 * (n - 1) - i, 0);
}

void ff_esrgan_pic_in(ESRGANPic *p, const AVFrame *in, int slot, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        const float *code[3];
        float *rgb[3];

        for (int c = 0; c < p->fmt.nb_color; c++)
            code[c] = frame_row(p, &p->in, in, c, mirror(y, p->geo.nh),
                                scratch_row(p, slot, ROW_COLOR + c),
                                scratch_row(p, slot, ROW_SUM + c));
        for (int c = 0; c < 3; c++)
            rgb[c] = p->rgb[c] + y * p->rgb_stride;
        ff_nn_to_rgb(&p->fmt, rgb, code, p->geo.nw);
        for (int c = 0; c < 3; c++)
            for (int x = p->geo.nw; x < p->aw; x++)
                rgb[c][x] = rgb[c][mirror(x, p->geo.nw)];
    }
}

float *ff_esrgan_pic_net(const ESRGANPic *p, int c, int x, int y)
{
    return p->net[c] + (y - p->net_first) * p->net_stride + x;
}

int ff_esrgan_pic_codes(ESRGANPic *p, int x, int y, int w, int h)
{
    int good = 1;

    for (int j = y; j < y + h; j++) {
        float *row[3];
        for (int c = 0; c < 3; c++)
            row[c] = ff_esrgan_pic_net(p, c, x, j);
        good &= ff_nn_from_rgb(&p->fmt, row, w);
    }
    return good;
}

int ff_esrgan_pic_ready(const ESRGANPic *p, int done)
{
    int log2 = p->fmt.desc->log2_chroma_h, y = p->geo.oh;

    if (done >= p->geo.nh * p->geo.scale)
        return y;
    for (int chroma = 0; chroma < 2; chroma++) {
        const NNFilter *v = &p->out.v[chroma];
        int n = v->n_out;
        while (n > 0 && v->pos[n - 1] + v->taps > done)
            n--;
        y = FFMIN(y, chroma ? n << log2 : n);
    }
    return y >> log2 << log2;
}

int ff_esrgan_pic_needs(const ESRGANPic *p, int y)
{
    int row = p->geo.nh * p->geo.scale;

    if (y >= p->geo.oh)
        return row;
    row = FFMIN(row, p->out.v[0].pos[y]);
    return FFMIN(row, p->out.v[1].pos[y >> p->fmt.desc->log2_chroma_h]);
}

void ff_esrgan_pic_slide(ESRGANPic *p, int first, int done)
{
    first = FFMIN(first, done);
    if (first <= p->net_first)
        return;
    for (int c = 0; c < 3; c++)
        memmove(p->net[c], ff_esrgan_pic_net(p, c, 0, first),
                (done - first) * p->net_stride * sizeof(float));
    p->net_first = first;
}

/** buf = plain + strength * (net - plain), net clipped to what RGB can give */
NN_SIMD
static void blend(float *restrict buf, const float *restrict net, const float *restrict plain,
                  float strength, float lo, float hi, int n)
{
    for (int i = 0; i < n; i++) {
        float v = net[i];
        v = v > lo ? v : lo;
        v = v < hi ? v : hi;
        buf[i] = plain[i] + strength * (v - plain[i]);
    }
}

static void out_row(ESRGANPic *p, const AVFrame *in, uint8_t *dst, int comp,
                    float strength, int slot, int y)
{
    const NNComp *c = &p->fmt.comp[comp];
    float *mix = scratch_row(p, slot, ROW_COLOR + 2);
    const float *net = NULL, *plain;
    int n = p->plain.h[c->chroma].n_out;

    if (strength > 0 && comp < p->fmt.nb_color) {
        net = net_row(p, comp, y, scratch_row(p, slot, ROW_SUM), scratch_row(p, slot, ROW_NET));
        if (strength >= 1) {
            ff_nn_store_codes(c, dst, net, c->lo, c->hi, n);
            return;
        }
    }
    plain = frame_row(p, &p->plain, in, comp, y,
                      scratch_row(p, slot, ROW_COLOR), scratch_row(p, slot, ROW_PLAIN));
    if (net) {
        blend(mix, net, plain, strength, c->lo, c->hi, n);
        plain = mix;
    }
    ff_nn_store_codes(c, dst, plain, c->type == NN_SAMPLE_F32 ? -c->max : 0, c->max, n);
}

void ff_esrgan_pic_out(ESRGANPic *p, const AVFrame *in, AVFrame *out, float strength,
                       int slot, int y0, int y1)
{
    for (int comp = 0; comp < p->fmt.nb_comps; comp++) {
        int a = ff_nn_comp_size(&p->fmt, comp, 1, y0), b = ff_nn_comp_size(&p->fmt, comp, 1, y1);

        for (int y = a; y < b; y++)
            out_row(p, in, (uint8_t *)ff_nn_comp_row(&p->fmt, out, comp, y), comp,
                    strength, slot, y);
    }
}
