/*
 * YOLO detection: a frame becomes the net's letterboxed picture
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
#include "libavutil/mem.h"

#include "nn_simd.h"
#include "yolo_pic.h"

/* ---- geometry ----------------------------------------------------------------- */

/* halves go to the even neighbour, as in Python and numpy */
static int round_even(double v)
{
    return lrint(v);        // in C's default rounding mode
}

void ff_yolo_fit(YoloGeometry *g, enum YoloInput input, int x, int y, int w, int h, int net_w, int net_h)
{
    const double r = FFMIN((double)net_h / h, (double)net_w / w);
    const int topleft = input == YOLO_IN_BGR255;

    *g = (YoloGeometry) { .x = x, .y = y, .w = w, .h = h, .net_w = net_w, .net_h = net_h, .gain = r };
    g->pic_w = av_clip(topleft ? (int)(w * r) : round_even(w * r), 1, net_w);
    g->pic_h = av_clip(topleft ? (int)(h * r) : round_even(h * r), 1, net_h);
    if (topleft)
        return;
    g->left  = FFMAX(round_even((net_w - g->pic_w) / 2. - 0.1), 0);
    g->top   = FFMAX(round_even((net_h - g->pic_h) / 2. - 0.1), 0);
    /* the way back has a rule of its own, which may differ from left and top by one */
    g->pad_x = round_even((net_w - w * r) / 2 - 0.1);
    g->pad_y = round_even((net_h - h * r) / 2 - 0.1);
}

void ff_yolo_unfit(const YoloGeometry *g, YoloBox *b)
{
    b->x1 = (b->x1 - g->pad_x) / g->gain + g->x;
    b->y1 = (b->y1 - g->pad_y) / g->gain + g->y;
    b->x2 = (b->x2 - g->pad_x) / g->gain + g->x;
    b->y2 = (b->y2 - g->pad_y) / g->gain + g->y;
}

void ff_yolo_rect(int *net_w, int *net_h, int w, int h, int size_w, int size_h, int stride)
{
    const double r = FFMIN((double)size_h / h, (double)size_w / w);
    const int pw = av_clip(round_even(w * r), 1, size_w), ph = av_clip(round_even(h * r), 1, size_h);

    *net_w = pw + (size_w - pw) % stride;
    *net_h = ph + (size_h - ph) % stride;
}

/* ---- tables ---------------------------------------------------------------------- */

/* which two of n samples make sample i of size, and the weight of the second */
static int tap(int i, int size, int n, int16_t *weight)
{
    /* in the precision of the resize that the nets know */
    const double scale = 1 / ((double)size / n);
    float f = (float)((i + 0.5) * scale - 0.5);
    int at = floorf(f);

    f -= at;
    if (at < 0 || at >= n - 1) {
        at = at < 0 ? 0 : n - 1;
        f  = 0;
    }
    *weight = lrintf(f * 2048);
    return at;
}

int ff_yolo_pic_init(YoloPic *p, enum AVPixelFormat fmt, const YoloGeometry *g, enum YoloInput input)
{
    int ret;

    memset(p, 0, sizeof(*p));
    if ((ret = ff_nn_format_init(&p->fmt, fmt)) < 0)
        return ret;
    p->g      = *g;
    p->input  = input;
    p->last_y = g->h - 1;
    for (int c = 0; c < p->fmt.nb_color; c++)
        if (!(p->at[c] = av_malloc_array(g->pic_w, 2 * sizeof(*p->at[c]))))
            goto fail;
    p->y0 = av_malloc_array(g->pic_h, sizeof(*p->y0));
    p->wx = av_malloc_array(g->pic_w, sizeof(*p->wx));
    p->wy = av_malloc_array(g->pic_h, sizeof(*p->wy));
    if (!p->y0 || !p->wx || !p->wy)
        goto fail;
    for (int i = 0; i < g->pic_w; i++) {
        const int x = g->x + tap(i, g->pic_w, g->w, &p->wx[i]), x2 = FFMIN(x + 1, g->x + g->w - 1);
        for (int c = 0; c < p->fmt.nb_color; c++) {
            const int shift = p->fmt.comp[c].chroma ? p->fmt.desc->log2_chroma_w : 0;
            p->at[c][i]            = (x  >> shift) * p->fmt.comp[c].step;
            p->at[c][i + g->pic_w] = (x2 >> shift) * p->fmt.comp[c].step;
        }
    }
    for (int i = 0; i < g->pic_h; i++)
        p->y0[i] = tap(i, g->pic_h, g->h, &p->wy[i]);
    return 0;
fail:
    ff_yolo_pic_free(p);
    return AVERROR(ENOMEM);
}

void ff_yolo_pic_free(YoloPic *p)
{
    for (int c = 0; c < 3; c++)
        av_freep(&p->at[c]);
    av_freep(&p->y0);
    av_freep(&p->wx);
    av_freep(&p->wy);
}

/* ---- rows ---------------------------------------------------------------------------- */

int ff_yolo_pic_color(NNFormat *fmt, const AVFrame *frame, void *log)
{
    int ret = ff_nn_format_color(fmt, frame, log);

    for (int i = 0; ret >= 0 && i < 3; i++)
        for (int j = 0; j < 4; j++)
            fmt->in[i][j] *= 255;
    return ret;
}

/* samples of a row: left and right of all pixels of the picture */
#define GATHER(name, type, expr)                                                        \
static void name(float *restrict out, const uint8_t *row, const int *at, int n, int shift) \
{                                                                                       \
    const type *src = (const type *)row;                                                \
                                                                                        \
    for (int i = 0; i < n; i++)                                                         \
        out[i] = expr;                                                                  \
}
GATHER(gather_u8,  uint8_t,  src[at[i]] >> shift)
GATHER(gather_u16, uint16_t, src[at[i]] >> shift)
GATHER(gather_f32, float,    src[at[i]])

static void gather(const NNComp *c, float *out, const uint8_t *row, const int *at, int n)
{
    if (c->type == NN_SAMPLE_U8)
        gather_u8(out, row, at, n, c->shift);
    else if (c->type == NN_SAMPLE_U16)
        gather_u16(out, row, at, n, c->shift);
    else
        gather_f32(out, row, at, n, 0);
}

static av_always_inline int to_byte(float v)
{
    v = v > 0 ? v : 0;          // in this order NaN becomes 0
    v = v < 255 ? v : 255;
    return (int)(v + 0.5f);
}

/* codes -> 8-bit RGB -> weighted sum of the left and right pixel, of 255 * 2048 */
NN_SIMD
static void blend_x(int *restrict sum, const float *restrict a, const float *restrict b, const float *restrict c,
                    const float m[4], const int16_t *restrict wx, int n)
{
    for (int i = 0; i < n; i++) {
        const int l = to_byte(m[0] * a[i]     + m[1] * b[i]     + m[2] * c[i]     + m[3]);
        const int r = to_byte(m[0] * a[i + n] + m[1] * b[i + n] + m[2] * c[i + n] + m[3]);
        sum[i] = l * (2048 - wx[i]) + r * wx[i];
    }
}

/* both rows have been cut to what 16 bits of a product take, as OpenCV's do */
NN_SIMD
static void blend_y(float *restrict dst, const int *restrict up, const int *restrict down, int w, float div, int n)
{
    for (int i = 0; i < n; i++) {
        const int v = ((((up[i] >> 4) * (2048 - w)) >> 16) + (((down[i] >> 4) * w) >> 16) + 2) >> 2;
        dst[i] = v / div;
    }
}

typedef struct Scratch {
    float *code[3];             ///< 2 * pic_w of each component
    int   *sum[2][3];           ///< of two rows, pic_w of R, G, B
    int    row[2];              ///< which they are; -1: none
} Scratch;

#define PADDED(n) FFALIGN(n, 16)

size_t ff_yolo_pic_scratch(const YoloPic *p)
{
    return (3 * PADDED(2 * p->g.pic_w) * sizeof(float)) + (6 * PADDED(p->g.pic_w) * sizeof(int));
}

static Scratch lay_out(const YoloPic *p, void *mem)
{
    Scratch s = { .row = { -1, -1 } };
    float *f = mem;
    int *i;

    for (int c = 0; c < 3; c++, f += PADDED(2 * p->g.pic_w))
        s.code[c] = f;
    i = (int *)f;
    for (int c = 0; c < 6; c++, i += PADDED(p->g.pic_w))
        s.sum[c / 3][c % 3] = i;
    return s;
}

static void make_row(const YoloPic *p, const NNFormat *fmt, const AVFrame *frame, int y, int *const sum[3], Scratch *s)
{
    const int gray = fmt->nb_color == 1, n = p->g.pic_w;
    const float one[4] = { fmt->in[0][0], 0, 0, fmt->in[0][3] };

    for (int c = 0; c < fmt->nb_color; c++) {
        const int cy = y >> (fmt->comp[c].chroma ? fmt->desc->log2_chroma_h : 0);
        gather(&fmt->comp[c], s->code[c], ff_nn_comp_row(fmt, frame, c, cy), p->at[c], 2 * n);
    }
    for (int i = 0; i < (gray ? 1 : 3); i++)
        blend_x(sum[i], s->code[0], s->code[gray ? 0 : 1], s->code[gray ? 0 : 2], gray ? one : fmt->in[i], p->wx, n);
}

/* @return which of the two kept rows has row y; keep: the other one that is needed, or -1 */
static int need_row(const YoloPic *p, const NNFormat *fmt, const AVFrame *frame, int y, int keep, Scratch *s)
{
    int i = s->row[0] == y ? 0 : s->row[1] == y ? 1 : -1;

    if (i < 0) {
        i = s->row[0] == keep;
        make_row(p, fmt, frame, p->g.y + y, s->sum[i], s);
        s->row[i] = y;
    }
    return i;
}

static void fill(float *dst, float v, int n)
{
    for (int i = 0; i < n; i++)
        dst[i] = v;
}

void ff_yolo_pic_rows(const YoloPic *p, const NNFormat *fmt, const AVFrame *frame,
                      float *tensor, int first, int end, void *scratch)
{
    const YoloGeometry *g = &p->g;
    const float div = p->input == YOLO_IN_RGB ? 255 : 1, pad = YOLO_GRAY / div;
    Scratch s = lay_out(p, scratch);

    for (int y = first; y < end; y++) {
        const int py = y - g->top, inside = py >= 0 && py < g->pic_h;
        int up = 0, down = 0;

        if (inside) {
            const int y0 = p->y0[py], y1 = FFMIN(y0 + 1, p->last_y);
            up   = need_row(p, fmt, frame, y0, y1, &s);
            down = p->wy[py] ? need_row(p, fmt, frame, y1, y0, &s) : up;
        }
        for (int c = 0; c < 3; c++) {
            float *dst = tensor + ((size_t)c * g->net_h + y) * g->net_w;
            const int from = fmt->nb_color == 1 ? 0 : p->input == YOLO_IN_RGB ? c : 2 - c;
            if (!inside) {
                fill(dst, pad, g->net_w);
                continue;
            }
            fill(dst, pad, g->left);
            blend_y(dst + g->left, s.sum[up][from], s.sum[down][from], p->wy[py], div, g->pic_w);
            fill(dst + g->left + g->pic_w, pad, g->net_w - g->left - g->pic_w);
        }
    }
}
