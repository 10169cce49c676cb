/*
 * Nets: architectures found from tensor names and shapes
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

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn.h"

typedef struct Build {
    NNGraph      *g;
    const NNDict *d;
    const char   *prefix;       ///< before every tensor name: "", "module."
    const char   *file;
    void         *log;
    uint8_t      *used;         ///< by tensor of the dict
} Build;

static const NNParam *find(const Build *b, const char *fmt, va_list ap)
{
    char name[NN_MAX_NAME];
    int n = snprintf(name, sizeof(name), "%s", b->prefix);

    if (vsnprintf(name + n, sizeof(name) - n, fmt, ap) >= sizeof(name) - n)
        return NULL;
    return ff_nn_dict_get(b->d, name);
}

/** @return the tensor, or NULL */
av_printf_format(2, 3)
static const NNParam *get(const Build *b, const char *fmt, ...)
{
    const NNParam *p;
    va_list ap;

    va_start(ap, fmt);
    p = find(b, fmt, ap);
    va_end(ap);
    return p;
}

static void shape_text(char *s, size_t size, const int *dims, int nb_dims)
{
    int n = snprintf(s, size, nb_dims ? "" : "a scalar");

    for (int i = 0; i < nb_dims && n < size; i++)
        n += snprintf(s + n, size - n, "%s%d", i ? "x" : "", dims[i]);
}

/* copies a tensor, which must be of exactly this shape */
static int take(Build *b, float **out, const char *layer, const char *what,
                const int *dims, int nb_dims)
{
    const NNParam *p = get(b, "%s.%s", layer, what);
    char is[64], must[64];

    shape_text(must, sizeof(must), dims, nb_dims);
    if (!p) {
        av_log(b->log, AV_LOG_ERROR, "%s: no tensor '%s%s.%s' (%s)\n", b->file, b->prefix, layer, what, must);
        return AVERROR_INVALIDDATA;
    }
    if (p->nb_dims != nb_dims || memcmp(p->dims, dims, nb_dims * sizeof(*dims))) {
        shape_text(is, sizeof(is), p->dims, p->nb_dims);
        av_log(b->log, AV_LOG_ERROR, "%s: tensor '%s' is %s; %s was expected\n", b->file, p->name, is, must);
        return AVERROR_INVALIDDATA;
    }
    *out = av_memdup(p->data, p->nb * sizeof(*p->data));
    if (!*out)
        return AVERROR(ENOMEM);
    b->used[p - b->d->params] = 1;
    return 0;
}

static int append(Build *b, enum NNOp op, int in0, int in1)
{
    int i = ff_nn_graph_append(b->g, op);
    NNNode *n;

    if (i < 0)
        return i;
    n = &b->g->nodes[i];
    n->in[0] = in0;
    n->in[1] = in1;
    n->nb_in = (in0 >= 0) + (in1 >= 0);
    return i;
}

static int resize(Build *b, enum NNOp op, int in, int factor)
{
    int i = append(b, op, in, -1);

    if (i >= 0)
        b->g->nodes[i].factor = factor;
    return i;
}

static int add(Build *b, int in0, float scale0, int in1)
{
    int i = append(b, NN_ADD, in0, in1);

    if (i >= 0) {
        b->g->nodes[i].scale[0] = scale0;
        b->g->nodes[i].scale[1] = 1;
    }
    return i;
}

/* 3x3 convolution with bias; the activation follows it. alpha: leaky ReLU, 1 = none */
static int conv(Build *b, int in, int in_c, int c, float alpha, const char *layer)
{
    const int dims[4] = { c, in_c, 3, 3 };
    int ret, i = append(b, NN_CONV, in, -1);
    NNNode *n;

    if (i < 0)
        return i;
    n = &b->g->nodes[i];
    n->c      = c;
    n->kernel = 3;
    n->stride = 1;
    n->groups = 1;
    n->act    = alpha == 1 ? NN_ACT_NONE : NN_ACT_LRELU;
    n->alpha  = alpha == 1 ? 0 : alpha;
    if ((ret = take(b, &n->weight, layer, "weight", dims, 4)) < 0 ||
        (ret = take(b, &n->bias,   layer, "bias",   dims, 1)) < 0)
        return ret;
    return i;
}

static int input(Build *b, int c)
{
    int i = append(b, NN_INPUT, -1, -1);

    if (i >= 0)
        b->g->nodes[i].c = c;
    return i;
}

/* ---- SRVGGNetCompact: body.0, body.1, ... ---------------------------------- */

/* the first layer: [features][3][3][3], then one slope a feature */
static int is_srvgg(const Build *b)
{
    const NNParam *w = get(b, "body.0.weight");

    return w && w->nb_dims == 4 && get(b, "body.0.bias") && get(b, "body.2.weight");
}

/* index of the last convolution: the last "body.N.weight" */
static int srvgg_last(const Build *b)
{
    int last = 0;

    while (get(b, "body.%d.weight", last + 2))
        last += 2;
    return last;
}

static int build_srvgg(Build *b)
{
    const NNParam *first = get(b, "body.0.weight");
    const int last = srvgg_last(b), f = first->dims[0], in_c = first->dims[1];
    const NNParam *tail = get(b, "body.%d.weight", last);
    int ret, cur, skip, scale = 1;
    char layer[32];

    while (scale < 4 && in_c * scale * scale != tail->dims[0])
        scale++;
    if (in_c != 3 || in_c * scale * scale != tail->dims[0]) {
        av_log(b->log, AV_LOG_ERROR, "%s: a compact net from %d to %d channels; 3 to 3*s*s with s = 1 .. 4 are known\n",
               b->file, in_c, tail->dims[0]);
        return AVERROR_PATCHWELCOME;
    }
    if (!get(b, "body.1.weight")) {
        av_log(b->log, AV_LOG_ERROR, "%s: a compact net without PReLU slopes; which activation it uses the file does not say\n",
               b->file);
        return AVERROR_PATCHWELCOME;
    }

    cur = skip = input(b, in_c);
    for (int i = 0; i < last && cur >= 0; i += 2) {
        snprintf(layer, sizeof(layer), "body.%d", i);
        if ((cur = conv(b, cur, i ? f : in_c, f, 1, layer)) < 0)
            return cur;
        snprintf(layer, sizeof(layer), "body.%d", i + 1);
        b->g->nodes[cur].act = NN_ACT_PRELU;
        if ((ret = take(b, &b->g->nodes[cur].slope, layer, "weight", &f, 1)) < 0)
            return ret;
    }
    snprintf(layer, sizeof(layer), "body.%d", last);
    if (cur < 0 || (cur = conv(b, cur, f, in_c * scale * scale, 1, layer)) < 0)
        return cur;
    if (scale > 1 &&
        ((cur  = resize(b, NN_SHUFFLE,  cur,  scale)) < 0 ||
         (skip = resize(b, NN_UPSAMPLE, skip, scale)) < 0))
        return FFMIN(cur, skip);
    if ((cur = add(b, cur, 1, skip)) < 0)
        return cur;
    snprintf(b->g->arch, sizeof(b->g->arch), "SRVGGNetCompact %dx%d x%d", f, last / 2 - 1, scale);
    return 0;
}

/* ---- RRDBNet ---------------------------------------------------------------- */

enum { FIRST, RDB, BODY, UP, HR, LAST };

/* the three namings in use: basicsr's, the first ESRGAN's, and that of the nets
 * built as one nn.Sequential, where layers are counted */
static const char *const rrdb_names[][LAST + 1] = {
    { "conv_first", "body.%d.rdb%d.conv%d",       "conv_body",  "conv_up%d", "conv_hr",  "conv_last"  },
    { "conv_first", "RRDB_trunk.%d.RDB%d.conv%d", "trunk_conv", "upconv%d",  "HRconv",   "conv_last"  },
    { "model.0",    "model.1.sub.%d.RDB%d.conv%d.0", "model.1.sub.%d", "model.%d", "model.%d", "model.%d" },
};

typedef struct RRDB {
    int style;                  ///< index into rrdb_names
    int nb_blocks, nb_up;
    int f, growth;
} RRDB;

/* name of a part; i, j, k: block, RDB, convolution of an RDB, or i: the how-manieth upsampling */
static const char *rrdb_name(char s[64], const RRDB *r, int part, int i, int j, int k)
{
    if (r->style == 2) {
        if (part == BODY) i = r->nb_blocks;
        if (part == UP)   i = 3 * i;
        if (part == HR)   i = 3 * r->nb_up + 2;
        if (part == LAST) i = 3 * r->nb_up + 4;
    }
    snprintf(s, 64, rrdb_names[r->style][part], i, j, k);
    return s;
}

static int is_rrdb(const Build *b, RRDB *r)
{
    const NNParam *first, *c1;
    char s[64];

    for (r->style = 0; r->style < FF_ARRAY_ELEMS(rrdb_names); r->style++) {
        first = get(b, "%s.weight", rrdb_name(s, r, FIRST, 0, 0, 0));
        c1    = get(b, "%s.weight", rrdb_name(s, r, RDB, 0, 1, 1));
        if (!first || !c1 || first->nb_dims != 4 || c1->nb_dims != 4)
            continue;
        r->f      = first->dims[0];
        r->growth = c1->dims[0];
        r->nb_blocks = 1;
        while (get(b, "%s.weight", rrdb_name(s, r, RDB, r->nb_blocks, 1, 1)))
            r->nb_blocks++;
        r->nb_up = 0;
        if (r->style == 2)      /* "model.3" may be an upsampling or none: the last layer tells */
            while (r->nb_up < 4 && !get(b, "%s.weight", rrdb_name(s, r, LAST, 0, 0, 0)))
                r->nb_up++;
        else
            while (r->nb_up < 4 && get(b, "%s.weight", rrdb_name(s, r, UP, r->nb_up + 1, 0, 0)))
                r->nb_up++;
        return 1;
    }
    return 0;
}

/* residual dense block: five convolutions, each of all that came before */
static int build_rdb(Build *b, const RRDB *r, int in, int block, int rdb)
{
    int x[6] = { in }, cur = in;
    char s[64];

    for (int k = 1; k <= 5; k++) {
        if (k > 1) {
            if ((cur = append(b, NN_CONCAT, -1, -1)) < 0)
                return cur;
            b->g->nodes[cur].nb_in = k;
            memcpy(b->g->nodes[cur].in, x, k * sizeof(*x));
        }
        x[k] = cur = conv(b, cur, r->f + (k - 1) * r->growth, k < 5 ? r->growth : r->f, k < 5 ? 0.2f : 1,
                          rrdb_name(s, r, RDB, block, rdb, k));
        if (cur < 0)
            return cur;
    }
    return add(b, cur, 0.2f, in);
}

static int build_rrdb(Build *b, const RRDB *r)
{
    const int in_c = get(b, "%s.weight", rrdb_names[r->style][FIRST])->dims[1];
    const int shrink = in_c == 3 ? 1 : in_c == 12 ? 2 : in_c == 48 ? 4 : 0;
    const int scale = shrink ? (1 << r->nb_up) / shrink : 0;
    int cur, first;
    char s[64];

    if (!scale || r->nb_up > 3) {
        av_log(b->log, AV_LOG_ERROR, "%s: RRDBNet of %d input channels and %d upsamplings; "
               "3, 12 or 48 channels and a scale of 1 to 8 are known\n", b->file, in_c, r->nb_up);
        return AVERROR_PATCHWELCOME;
    }
    if ((cur = input(b, 3)) < 0 ||
        (shrink > 1 && (cur = resize(b, NN_UNSHUFFLE, cur, shrink)) < 0) ||
        (cur = first = conv(b, cur, in_c, r->f, 1, rrdb_name(s, r, FIRST, 0, 0, 0))) < 0)
        return cur;
    for (int i = 0; i < r->nb_blocks; i++) {
        int in = cur;
        for (int j = 1; j <= 3; j++)
            if ((cur = build_rdb(b, r, cur, i, j)) < 0)
                return cur;
        if ((cur = add(b, cur, 0.2f, in)) < 0)
            return cur;
    }
    if ((cur = conv(b, cur, r->f, r->f, 1, rrdb_name(s, r, BODY, 0, 0, 0))) < 0 ||
        (cur = add(b, cur, 1, first)) < 0)
        return cur;
    for (int i = 1; i <= r->nb_up; i++)
        if ((cur = resize(b, NN_UPSAMPLE, cur, 2)) < 0 ||
            (cur = conv(b, cur, r->f, r->f, 0.2f, rrdb_name(s, r, UP, i, 0, 0))) < 0)
            return cur;
    if ((cur = conv(b, cur, r->f, r->f, 0.2f, rrdb_name(s, r, HR, 0, 0, 0))) < 0 ||
        (cur = conv(b, cur, r->f, 3,    1,    rrdb_name(s, r, LAST, 0, 0, 0))) < 0)
        return cur;
    b->g->default_halo = NN_DENSE_HALO;
    snprintf(b->g->arch, sizeof(b->g->arch), "RRDBNet %d+%d, %d blocks x%d", r->f, r->growth, r->nb_blocks, scale);
    return 0;
}

/* ---- which one ---------------------------------------------------------------- */

static int build(Build *b)
{
    static const char *const prefixes[] = { "", "module.", "_orig_mod." };
    RRDB r;
    int ret;

    for (int i = 0; i < FF_ARRAY_ELEMS(prefixes); i++) {
        b->prefix = prefixes[i];
        if (is_rrdb(b, &r)) {
            ret = build_rrdb(b, &r);
            return FFMIN(ret, 0);
        }
        if (is_srvgg(b)) {
            ret = build_srvgg(b);
            return FFMIN(ret, 0);
        }
    }
    av_log(b->log, AV_LOG_ERROR, "%s: %d tensors (the first is '%s') that fit neither SRVGGNetCompact nor RRDBNet\n",
           b->file, b->d->nb_params, b->d->nb_params ? b->d->params[0].name : "");
    return AVERROR_PATCHWELCOME;
}

int ff_nn_graph_from_dict(NNGraph **g, const NNDict *d, const char *name, void *log)
{
    Build b = { .d = d, .file = name, .log = log };
    int ret = AVERROR(ENOMEM);

    *g = NULL;
    b.g    = av_mallocz(sizeof(*b.g));
    b.used = av_calloc(d->nb_params + 1, 1);
    if (!b.g || !b.used)
        goto end;
    if ((ret = build(&b)) < 0)
        goto end;
    for (int i = 0; i < d->nb_params; i++)
        if (!b.used[i]) {
            av_log(log, AV_LOG_ERROR, "%s: tensor '%s' has no place in %s: a variant that is not known\n",
                   name, d->params[i].name, b.g->arch);
            ret = AVERROR_PATCHWELCOME;
            goto end;
        }
    if ((ret = ff_nn_graph_finish(b.g, name, log)) < 0)
        goto end;
    *g  = b.g;
    b.g = NULL;
end:
    av_free(b.used);
    ff_nn_graph_free(&b.g);
    return ret;
}
