/*
 * Nets: checkpoints of YOLO detectors: modules
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
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/intfloat.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_edit.h"
#include "nn_yolo_pt.h"

#define MAX_REPEAT 64           ///< blocks in a row

/* for messages: what is too long is cut off */
static void below(char *path, const char *where, const char *name)
{
    av_strlcpy(path, where, YOLO_PT_NAME);
    av_strlcatf(path, YOLO_PT_NAME, ".%s", name);
}

/* ---- convolutions -------------------------------------------------------------------------- */

/* (a, b), integers from min to max */
static int pair(const YoloPt *y, int rec, const char *name, int min, int max, int *v, const char *where)
{
    const NNPkl *p = &y->pth.pkl;
    const int a = ff_yolo_pt_attr(y, rec, name);

    for (int i = 0; i < 2; i++) {
        const int is_tuple = a >= 0 && p->values[a].type == PKL_TUPLE;
        const NNPklValue *item = is_tuple ? ff_pkl_item(p, &p->values[a], i, PKL_INT) : NULL;
        if (!item)
            return ff_yolo_pt_broken(y, where, "its %s is no pair of integers", name);
        if (item->i < min || item->i > max)
            return ff_yolo_pt_refuse(y, where, "its %s is %lld", name, (long long)item->i);
        v[i] = item->i;
    }
    return 0;
}

/* one of the tensors of a module; NULL data if it is None */
static int part(YoloPt *y, int rec, const char *dict, const char *name, int nb_dims, NNParam *p, const char *where)
{
    const NNPkl *pkl = &y->pth.pkl;
    const int d = ff_yolo_pt_attr(y, rec, dict);
    const int v = d >= 0 && pkl->values[d].type == PKL_DICT ? ff_pkl_get(pkl, d, name) : -1;
    char path[YOLO_PT_NAME];

    below(path, where, name);
    *p = (NNParam){ 0 };
    if (v >= 0 && pkl->values[v].type == PKL_NONE)
        return 0;
    return ff_yolo_pt_tensor(y, v, nb_dims, p, path);
}

/* y = (x - mean) / sqrt(var + eps) * weight + bias, after a convolution: into its weights */
static int fold_norm(YoloPt *y, int rec, NNParam *w, float *bias, const char *where)
{
    static const char *const dicts[] = { "_parameters", "_parameters", "_buffers", "_buffers" };
    static const char *const names[] = { "weight", "bias", "running_mean", "running_var" };
    const int nb = w->dims[0], per = w->nb / nb, e = ff_yolo_pt_attr(y, rec, "eps");
    NNParam p[4] = { 0 };
    double eps = 0;
    int ret = 0;

    if (e >= 0 && y->pth.pkl.values[e].type == PKL_FLOAT)
        eps = av_int2double(y->pth.pkl.values[e].i);
    if (!ff_yolo_pt_is(y, rec, NN_PKL_TORCH, "BatchNorm2d"))
        ret = ff_yolo_pt_refuse(y, where, "is no BatchNorm2d");
    else if (!(eps > 0 && eps < 1))
        ret = ff_yolo_pt_broken(y, where, "its eps is no small number");
    for (int i = 0; i < 4 && ret >= 0; i++) {
        ret = part(y, rec, dicts[i], names[i], 1, &p[i], where);
        if (ret >= 0 && (!p[i].data || p[i].dims[0] != nb))
            ret = ff_yolo_pt_broken(y, where, "its %s is not of %d channels", names[i], nb);
    }
    for (int c = 0; c < nb && ret >= 0; c++) {
        const double scale = p[0].data[c] / sqrt(fmax(p[3].data[c], 0) + eps);
        for (int i = 0; i < per; i++)
            w->data[(size_t)c * per + i] *= scale;
        bias[c] = p[1].data[c] + (bias[c] - p[2].data[c]) * scale;
        if (!isfinite(bias[c]) || !isfinite(scale))
            ret = ff_yolo_pt_broken(y, where, "channel %d is not finite", c);
    }
    for (int i = 0; i < 4; i++)
        av_free(p[i].data);
    return ret;
}

/* attributes of the node; n comes and goes */
static int read_conv(YoloPt *y, int rec, NNNetNode *n, const char *where)
{
    int pad[2], ret;

    if (!ff_yolo_pt_is(y, rec, NN_PKL_TORCH, "Conv2d"))
        return ff_yolo_pt_refuse(y, where, "is no Conv2d");
    if ((ret = pair(y, rec, "kernel_size", 1, 31, n->kernel, where)) < 0 ||
        (ret = pair(y, rec, "stride", 1, 8, n->stride, where)) < 0 ||
        (ret = pair(y, rec, "padding", 0, 31, pad, where)) < 0 ||
        (ret = pair(y, rec, "dilation", 1, 8, n->dilation, where)) < 0 ||
        (ret = ff_yolo_pt_int(y, rec, "groups", 1, NN_MAX_C, 1, where)) < 0)
        return ret;
    n->group  = ret;
    n->pad[0] = n->pad[2] = pad[0];
    n->pad[1] = n->pad[3] = pad[1];
    return 0;
}

/* weights and bias; the bias is always there. @return AVERROR; both are the caller's */
static int read_weights(YoloPt *y, int rec, int bn, const NNNetNode *n, NNParam *w, NNParam *b, const char *where)
{
    char path[YOLO_PT_NAME];
    int ret;

    if ((ret = part(y, rec, "_parameters", "weight", 4, w, where)) < 0 ||
        (ret = part(y, rec, "_parameters", "bias", 1, b, where)) < 0)
        return ret;
    if (!w->data || w->dims[2] != n->kernel[0] || w->dims[3] != n->kernel[1] || w->dims[0] % n->group ||
        w->dims[0] > NN_MAX_C || (b->data && b->dims[0] != w->dims[0]))
        return ff_yolo_pt_broken(y, where, "its weights do not fit its kernel, groups or bias");
    if (!b->data && !(b->data = av_calloc(w->dims[0], sizeof(*b->data))))
        return AVERROR(ENOMEM);
    av_strlcpy(path, where, sizeof(path));
    av_strlcat(path, ".bn", sizeof(path));
    return bn < 0 ? 0 : fold_norm(y, bn, w, b->data, path);
}

int ff_yolo_pt_conv2d(YoloPt *y, int rec, int bn, int x, int *nb_out, const char *where)
{
    NNNetNode a = { 0 }, *n;
    NNParam w = { 0 }, b = { 0 };
    int64_t dims[4];
    int ret, cw, cb;

    if (x < 0)
        return x;
    if ((ret = read_conv(y, rec, &a, where)) < 0 || (ret = read_weights(y, rec, bn, &a, &w, &b, where)) < 0) {
        av_free(w.data);
        av_free(b.data);
        return ret;
    }
    for (int i = 0; i < 4; i++)
        dims[i] = w.dims[i];
    if (nb_out)
        *nb_out = w.dims[0];
    y->net->nb_weights += w.nb + w.dims[0];
    cw  = ff_nn_net_add_const(y->net, where, NN_VAL_F32, dims, 4, w.data);
    cb  = ff_nn_net_add_const(y->net, where, NN_VAL_F32, dims, 1, b.data);
    ret = YOLO_OP(y, NN_OP_CONV, where, x, cw, cb);
    if ((n = ff_yolo_pt_last(y, ret))) {
        memcpy(n->kernel,   a.kernel,   sizeof(a.kernel));
        memcpy(n->stride,   a.stride,   sizeof(a.stride));
        memcpy(n->dilation, a.dilation, sizeof(a.dilation));
        memcpy(n->pad,      a.pad,      sizeof(a.pad));
        n->group = a.group;
    }
    return ret;
}

static int activation(YoloPt *y, int rec, int x, const char *where)
{
    if (rec < 0 || ff_yolo_pt_is(y, rec, NN_PKL_TORCH, "Identity"))
        return x;
    if (ff_yolo_pt_is(y, rec, NN_PKL_TORCH, "SiLU"))
        return YOLO_OP(y, NN_OP_SILU, where, x);
    if (ff_yolo_pt_is(y, rec, NN_PKL_TORCH, "ReLU"))
        return YOLO_OP(y, NN_OP_RELU, where, x);
    return ff_yolo_pt_refuse(y, where, "an activation that is none of SiLU, ReLU, Identity");
}

/* convolution, norm, activation; @param nb_out may be NULL */
static int conv(YoloPt *y, int rec, int x, int *nb_out, const char *where)
{
    char path[YOLO_PT_NAME];

    if (x < 0)
        return x;
    if (!ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "Conv") && !ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "DWConv"))
        return ff_yolo_pt_refuse(y, where, "is no Conv");
    below(path, where, "conv");
    x = ff_yolo_pt_conv2d(y, ff_yolo_pt_sub(y, rec, "conv"), ff_yolo_pt_sub(y, rec, "bn"), x, nb_out, path);
    return activation(y, ff_yolo_pt_sub(y, rec, "act"), x, where);
}

static int conv_of(YoloPt *y, int rec, const char *name, int x, int *nb_out, const char *where)
{
    char path[YOLO_PT_NAME];

    below(path, where, name);
    return conv(y, ff_yolo_pt_sub(y, rec, name), x, nb_out, path);
}

int ff_yolo_pt_convs(YoloPt *y, int rec, int x, int depth, const char *where)
{
    char name[16], path[YOLO_PT_NAME];
    int i;

    if (ff_yolo_pt_is(y, rec, NN_PKL_TORCH, "Conv2d"))
        return ff_yolo_pt_conv2d(y, rec, -1, x, NULL, where);
    if (!ff_yolo_pt_is(y, rec, NN_PKL_TORCH, "Sequential"))
        return conv(y, rec, x, NULL, where);
    if (!depth)
        return ff_yolo_pt_refuse(y, where, "a sequence in a sequence in a sequence");
    for (i = 0; i < MAX_REPEAT && x >= 0 && ff_yolo_pt_item(y, rec, i) >= 0; i++) {
        snprintf(name, sizeof(name), "%d", i);
        below(path, where, name);
        x = ff_yolo_pt_convs(y, ff_yolo_pt_item(y, rec, i), x, depth - 1, path);
    }
    return i ? x : ff_yolo_pt_broken(y, where, "is empty");
}

/* ---- blocks -------------------------------------------------------------------------------- */

/* two convolutions, and the input added where it is said so */
static int bottleneck(YoloPt *y, int rec, int x, const char *where)
{
    int add, v;

    if (!ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "Bottleneck"))
        return ff_yolo_pt_refuse(y, where, "a block that is not known");
    if ((add = ff_yolo_pt_int(y, rec, "add", 0, 1, 0, where)) < 0)
        return add;
    v = conv_of(y, rec, "cv1", x, NULL, where);
    v = conv_of(y, rec, "cv2", v, NULL, where);
    return add ? YOLO_OP(y, NN_OP_ADD, where, x, v) : v;
}

/* one way through bottlenecks, one around them */
static int c3(YoloPt *y, int rec, int x, const char *where)
{
    const int m = ff_yolo_pt_sub(y, rec, "m");
    int v = conv_of(y, rec, "cv1", x, NULL, where), i;
    char path[YOLO_PT_NAME];

    for (i = 0; i < MAX_REPEAT && v >= 0 && ff_yolo_pt_item(y, m, i) >= 0; i++) {
        snprintf(path, sizeof(path), "%s.m.%d", where, i);
        v = bottleneck(y, ff_yolo_pt_item(y, m, i), v, path);
    }
    if (v < 0)
        return v;
    v = YOLO_ALONG(y, NN_OP_CONCAT, where, 1, v, conv_of(y, rec, "cv2", x, NULL, where));
    return conv_of(y, rec, "cv3", v, NULL, where);
}

/* one half passes on; the other goes through blocks, and what each gives is kept */
static int c2f(YoloPt *y, int rec, int x, const char *where)
{
    const int m = ff_yolo_pt_sub(y, rec, "m");
    int part[2 + MAX_REPEAT], nb, i;
    char path[YOLO_PT_NAME];

    x = conv_of(y, rec, "cv1", x, &nb, where);
    if (x < 0)
        return x;
    ff_yolo_pt_split(y, where, x, 1, (const int64_t[]){ nb / 2, nb - nb / 2 }, 2, part);
    for (i = 0; i < MAX_REPEAT && part[i + 1] >= 0 && ff_yolo_pt_item(y, m, i) >= 0; i++) {
        const int block = ff_yolo_pt_item(y, m, i);
        snprintf(path, sizeof(path), "%s.m.%d", where, i);
        part[i + 2] = ff_yolo_pt_is(y, block, NN_PKL_YOLO, "C3k") ? c3(y, block, part[i + 1], path)
                                                                  : bottleneck(y, block, part[i + 1], path);
    }
    if (part[i + 1] < 0)
        return part[i + 1];
    x = ff_yolo_pt_along(y, NN_OP_CONCAT, where, 1, part, i + 2);
    return conv_of(y, rec, "cv2", x, NULL, where);
}

/* means of growing squares: maxima of maxima */
static int sppf(YoloPt *y, int rec, int x, const char *where)
{
    const int m = ff_yolo_pt_sub(y, rec, "m"), nb = ff_yolo_pt_int(y, rec, "n", 1, 8, 3, where);
    const int k = nb < 0 ? nb : ff_yolo_pt_int(y, m, "kernel_size", 1, 31, 5, where);
    const int add = k < 0 ? k : ff_yolo_pt_int(y, rec, "add", 0, 1, 0, where);
    int part[9], v;

    if (add < 0)
        return add;
    if (!ff_yolo_pt_is(y, m, NN_PKL_TORCH, "MaxPool2d") || !(k & 1))
        return ff_yolo_pt_refuse(y, where, "its pooling is not known");
    part[0] = conv_of(y, rec, "cv1", x, NULL, where);
    for (int i = 0; i < nb; i++) {
        NNNetNode *n;
        part[i + 1] = YOLO_OP(y, NN_OP_MAX_POOL, where, part[i]);
        if ((n = ff_yolo_pt_last(y, part[i + 1]))) {
            n->kernel[0] = n->kernel[1] = k;
            for (int p = 0; p < 4; p++)
                n->pad[p] = k / 2;
        }
    }
    v = conv_of(y, rec, "cv2", ff_yolo_pt_along(y, NN_OP_CONCAT, where, 1, part, nb + 1), NULL, where);
    return add ? YOLO_OP(y, NN_OP_ADD, where, x, v) : v;
}

/* ---- attention ----------------------------------------------------------------------------- */

/* each place looks at all others: softmax(q k / sqrt(size of k)) v, plus a depthwise convolution of v */
static int attention(YoloPt *y, int rec, int x, const char *where)
{
    static const int64_t turn[4] = { 0, 1, 3, 2 };
    static const char *const names[] = { "num_heads", "key_dim", "head_dim" };
    int size[3], v[3], shape, w, pe, heads, key, head;

    if (x < 0)
        return x;
    if (!ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "Attention"))
        return ff_yolo_pt_refuse(y, where, "an attention that is not known");
    for (int i = 0; i < 3; i++) {
        size[i] = ff_yolo_pt_int(y, rec, names[i], 1, 1024, -1, where);
        if (size[i] < 0)
            return size[i] == -1 ? ff_yolo_pt_broken(y, where, "its %s is missing", names[i]) : size[i];
    }
    heads = size[0];
    key   = size[1];
    head  = size[2];
    shape = YOLO_OP(y, NN_OP_SHAPE, where, x);
    w     = conv_of(y, rec, "qkv", x, NULL, where);
    w     = ff_yolo_pt_reshape(y, where, w, (const int64_t[]){ 0, heads, 2 * key + head, -1 }, 4);
    ff_yolo_pt_split(y, where, w, 2, (const int64_t[]){ key, key, head }, 3, v);
    w     = YOLO_OP(y, NN_OP_MATMUL, where, ff_yolo_pt_transpose(y, where, v[0], turn, 4), v[1]);
    w     = YOLO_OP(y, NN_OP_MUL, where, w, ff_yolo_pt_float(y, 1 / sqrt(key)));
    w     = YOLO_ALONG(y, NN_OP_SOFTMAX, where, -1, w);
    w     = YOLO_OP(y, NN_OP_MATMUL, where, v[2], ff_yolo_pt_transpose(y, where, w, turn, 4));
    w     = YOLO_OP(y, NN_OP_RESHAPE, where, w, shape);
    pe    = conv_of(y, rec, "pe", YOLO_OP(y, NN_OP_RESHAPE, where, v[2], shape), NULL, where);
    return conv_of(y, rec, "proj", YOLO_OP(y, NN_OP_ADD, where, w, pe), NULL, where);
}

static int psa_block(YoloPt *y, int rec, int x, const char *where)
{
    const int add = ff_yolo_pt_int(y, rec, "add", 0, 1, 1, where);
    char path[YOLO_PT_NAME];
    int v;

    if (add < 0)
        return add;
    if (!ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "PSABlock"))
        return ff_yolo_pt_refuse(y, where, "a block that is not known");
    below(path, where, "attn");
    v = attention(y, ff_yolo_pt_sub(y, rec, "attn"), x, path);
    x = add ? YOLO_OP(y, NN_OP_ADD, where, x, v) : v;
    below(path, where, "ffn");
    v = ff_yolo_pt_convs(y, ff_yolo_pt_sub(y, rec, "ffn"), x, 1, path);
    return add ? YOLO_OP(y, NN_OP_ADD, where, x, v) : v;
}

static int c2psa(YoloPt *y, int rec, int x, const char *where)
{
    const int m = ff_yolo_pt_sub(y, rec, "m");
    char path[YOLO_PT_NAME];
    int part[2], nb;

    x = conv_of(y, rec, "cv1", x, &nb, where);
    if (x < 0)
        return x;
    ff_yolo_pt_split(y, where, x, 1, (const int64_t[]){ nb / 2, nb - nb / 2 }, 2, part);
    for (int i = 0; i < MAX_REPEAT && part[1] >= 0 && ff_yolo_pt_item(y, m, i) >= 0; i++) {
        snprintf(path, sizeof(path), "%s.m.%d", where, i);
        part[1] = psa_block(y, ff_yolo_pt_item(y, m, i), part[1], path);
    }
    return conv_of(y, rec, "cv2", ff_yolo_pt_along(y, NN_OP_CONCAT, where, 1, part, 2), NULL, where);
}

/* ---- layers -------------------------------------------------------------------------------- */

/* each sample twice, in both directions */
static int upsample(YoloPt *y, int rec, int x, const char *where)
{
    const NNPkl *p = &y->pth.pkl;
    const int mode = ff_yolo_pt_attr(y, rec, "mode"), scale = ff_yolo_pt_attr(y, rec, "scale_factor");
    float *scales = av_malloc_array(4, sizeof(*scales));
    NNNetNode *n;
    int v, c;

    if (!scales)
        return AVERROR(ENOMEM);
    if (mode < 0 || !ff_pkl_is(p, mode, "nearest") || scale < 0 ||
        !((p->values[scale].type == PKL_FLOAT && av_int2double(p->values[scale].i) == 2) ||
          (p->values[scale].type == PKL_INT && p->values[scale].i == 2))) {
        av_free(scales);
        return ff_yolo_pt_refuse(y, where, "enlarges otherwise than to nearest samples, twice");
    }
    scales[0] = scales[1] = 1;
    scales[2] = scales[3] = 2;
    c = ff_nn_net_add_const(y->net, where, NN_VAL_F32, (const int64_t[]){ 4 }, 1, scales);
    if (c < 0)
        return c;
    v = YOLO_OP(y, NN_OP_RESIZE, where, x, -1, c);
    if ((n = ff_yolo_pt_last(y, v))) {
        n->mode    = NN_RESIZE_NEAREST;
        n->coord   = NN_COORD_ASYMMETRIC;
        n->nearest = NN_NEAREST_FLOOR;
    }
    return v;
}

int ff_yolo_pt_layer(YoloPt *y, int rec, int x, const char *where)
{
    const NNPkl *p = &y->pth.pkl;
    const NNPklValue *class;

    if (ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "Conv") || ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "DWConv"))
        return conv(y, rec, x, NULL, where);
    if (ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "C2f"))
        return c2f(y, rec, x, where);
    if (ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "C3k2")) {
        y->v11 = 1;
        return c2f(y, rec, x, where);
    }
    if (ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "C3")) {
        y->v5 = 1;
        return c3(y, rec, x, where);
    }
    if (ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "SPPF"))
        return sppf(y, rec, x, where);
    if (ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "C2PSA"))
        return c2psa(y, rec, x, where);
    if (ff_yolo_pt_is(y, rec, NN_PKL_TORCH, "Upsample"))
        return upsample(y, rec, x, where);
    if (rec < 0 || p->values[rec].type != PKL_RECORD)
        return ff_yolo_pt_broken(y, where, "is missing");
    class = &p->values[p->values[rec].first];
    return ff_yolo_pt_refuse(y, where, "is a layer '%.*s'", FFMIN(class->nb, 40), class->s);
}
