/*
 * Nets: checkpoints of YOLO detectors: the file
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
#include <stdio.h>
#include <string.h>

#include "libavutil/bprint.h"
#include "libavutil/dict.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_edit.h"
#include "nn_yolo_pt.h"

#define MAX_LAYERS 128
#define MAX_FROM   8            ///< inputs of a layer
#define MAX_META   (64 << 10)   ///< bytes of the names of classes

/* ---- layers ---------------------------------------------------------------------------------- */

/* "f" of a layer: -1 is the layer before, else its number; one or a list. @return how many */
static int sources(const YoloPt *y, int rec, int number, int *from, const char *where)
{
    const NNPkl *p = &y->pth.pkl;
    const int f = ff_yolo_pt_attr(y, rec, "f");
    int nb = 0;

    if (f >= 0 && p->values[f].type == PKL_INT) {
        from[nb++] = FFMAX(FFMIN(p->values[f].i, INT_MAX), INT_MIN);
    } else if (f >= 0 && p->values[f].type == PKL_LIST) {
        for (int i = p->values[f].first; i >= 0 && nb < MAX_FROM; i = p->pairs[i].next) {
            const NNPklValue *v = &p->values[p->pairs[i].value];
            from[nb++] = v->type == PKL_INT ? FFMAX(FFMIN(v->i, INT_MAX), INT_MIN) : INT_MAX;
        }
    }
    if (!nb)
        return ff_yolo_pt_broken(y, where, "does not say where its input comes from");
    for (int i = 0; i < nb; i++) {
        from[i] += from[i] < 0 ? number : 0;
        if (from[i] < -!number || from[i] >= number)
            return ff_yolo_pt_broken(y, where, "takes its input from no layer before it");
    }
    return nb;
}

static int layers(YoloPt *y, int seq)
{
    int out[MAX_LAYERS], from[MAX_FROM], x[MAX_FROM], v = y->net->input;
    char where[YOLO_PT_NAME];

    for (int i = 0; i < MAX_LAYERS; i++) {
        const int rec = ff_yolo_pt_item(y, seq, i), next = ff_yolo_pt_item(y, seq, i + 1);
        int nb;
        snprintf(where, sizeof(where), "model.%d", i);
        if ((nb = sources(y, rec, i, from, where)) < 0)
            return nb;
        for (int k = 0; k < nb; k++)
            x[k] = from[k] < 0 ? y->net->input : out[from[k]];
        if (ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "Detect") && next < 0)
            return ff_yolo_pt_head(y, rec, x, nb, where);
        if (ff_yolo_pt_is(y, rec, NN_PKL_YOLO, "Concat"))
            v = ff_yolo_pt_int(y, rec, "d", 1, 1, 1, where) < 0 ? AVERROR_PATCHWELCOME
              : ff_yolo_pt_along(y, NN_OP_CONCAT, where, 1, x, nb);
        else
            v = ff_yolo_pt_layer(y, rec, x[0], where);
        if (v < 0)
            return v;
        out[i] = v;
        if (next < 0)
            break;
    }
    return ff_yolo_pt_refuse(y, where, "the last layer is no Detect");
}

/* ---- what is said about it -------------------------------------------------------------------- */

/* as Python writes a string */
static void quoted(AVBPrint *b, const NNPklValue *s)
{
    av_bprint_chars(b, '\'', 1);
    for (int i = 0; i < s->nb; i++) {
        if (s->s[i] == '\'' || s->s[i] == '\\')
            av_bprint_chars(b, '\\', 1);
        if ((uint8_t)s->s[i] >= 0x20)
            av_bprint_chars(b, s->s[i], 1);
    }
    av_bprint_chars(b, '\'', 1);
}

/* {0: 'person', ...} of a dict, or of a list */
static int read_names(YoloPt *y, int model)
{
    const NNPkl *p = &y->pth.pkl;
    const int v = ff_yolo_pt_attr(y, model, "names");
    AVBPrint b;
    char *text;
    int nb = 0, ret;

    if (v < 0 || (p->values[v].type != PKL_DICT && p->values[v].type != PKL_LIST))
        return 0;
    av_bprint_init(&b, 0, MAX_META);
    av_bprint_chars(&b, '{', 1);
    for (int i = p->values[v].first; i >= 0 && av_bprint_is_complete(&b); i = p->pairs[i].next) {
        const NNPklValue *key = p->pairs[i].key < 0 ? NULL : &p->values[p->pairs[i].key];
        const NNPklValue *name = &p->values[p->pairs[i].value];
        if (name->type == PKL_STR && (!key || key->type == PKL_INT)) {
            av_bprintf(&b, "%s%lld: ", nb ? ", " : "", key ? (long long)key->i : (long long)nb);
            quoted(&b, name);
            nb++;
        }
    }
    av_bprint_chars(&b, '}', 1);
    if (!av_bprint_is_complete(&b)) {
        av_bprint_finalize(&b, NULL);
        return ff_yolo_pt_broken(y, "names", "names of classes longer than %d bytes", MAX_META);
    }
    if ((ret = av_bprint_finalize(&b, &text)) < 0)
        return ret;
    return av_dict_set(&y->net->meta, "names", text, AV_DICT_DONT_STRDUP_VAL);
}

static int read_meta(YoloPt *y, int model, int seq)
{
    int ret, head = -1, max = 32, stride;
    NNParam p;

    for (int i = 0; i < MAX_LAYERS && ff_yolo_pt_item(y, seq, i) >= 0; i++)
        head = ff_yolo_pt_item(y, seq, i);
    if ((ret = read_names(y, model)) < 0)
        return ret;
    stride = ff_yolo_pt_attr(y, head, "stride");
    if ((ret = ff_yolo_pt_tensor(y, stride, 1, &p, "stride")) < 0)
        return ret;
    for (int i = 0; i < p.dims[0]; i++)
        max = i ? FFMAX(max, p.data[i]) : p.data[i];
    av_free(p.data);
    if ((ret = av_dict_set_int(&y->net->meta, "stride", max, 0)) < 0 ||
        (ret = av_dict_set(&y->net->meta, "task", "detect", 0)) < 0)
        return ret;
    snprintf(y->net->arch, sizeof(y->net->arch), "%s checkpoint, %d nodes",
             y->v11 ? "YOLO11" : y->v5 ? "YOLOv5u" : "YOLOv8", y->net->nb_nodes);
    return max;
}

/* ---- the model ---------------------------------------------------------------------------------- */

/* the model: of a training the mean of its last states (ema), if it is there */
static int find_model(const YoloPt *y, int root)
{
    static const char *const names[] = { "ema", "model" };
    const NNPkl *p = &y->pth.pkl;

    if (p->values[root].type == PKL_RECORD)
        return root;
    for (int i = 0; i < FF_ARRAY_ELEMS(names) && p->values[root].type == PKL_DICT; i++) {
        const int v = ff_pkl_get(p, root, names[i]);
        if (v >= 0 && p->values[v].type == PKL_RECORD)
            return v;
    }
    return ff_yolo_pt_refuse(y, "its pickle", "there is no model in it, only data");
}

static int add_input(YoloPt *y)
{
    const int v = ff_nn_net_add_value(y->net, "images", 6);

    if (v >= 0) {
        y->net->input = v;
        y->net->values[v].t = (NNTensor){ .type = NN_VAL_F32, .nb_dims = 4, .dims = { -1, 3, -1, -1 }, .nb = -1 };
    }
    return v;
}

static int add_output(YoloPt *y, int v)
{
    if (!(y->net->outputs = av_malloc(sizeof(*y->net->outputs))))
        return AVERROR(ENOMEM);
    y->net->outputs[0] = v;
    y->net->nb_outputs = 1;
    snprintf(y->net->values[v].name, sizeof(y->net->values[v].name), "output0");
    return 0;
}

static int build(YoloPt *y, int root)
{
    const int model = find_model(y, root);
    const NNPkl *p = &y->pth.pkl;
    NNNet *test = NULL;
    int seq, ret;

    if (model < 0)
        return model;
    if (!ff_yolo_pt_is(y, model, NN_PKL_YOLO, "DetectionModel")) {
        const NNPklValue *class = &p->values[p->values[model].first];
        return ff_yolo_pt_refuse(y, "its model", "is a '%.*s'", FFMIN(class->nb, 40), class->s);
    }
    seq = ff_yolo_pt_sub(y, model, "model");
    if ((ret = add_input(y)) < 0 || (ret = layers(y, seq)) < 0 || (ret = add_output(y, ret)) < 0 ||
        (ret = read_meta(y, model, seq)) < 0)
        return ret;
    /* every size is checked here, not when the first picture comes */
    ret = ff_nn_net_shape(&test, y->net, 1, 3, 2 * ret, 2 * ret, y->log);
    ff_nn_net_free(&test);
    return ret;
}

int ff_nn_load_yolo_pt(NNNet **net, const NNBlob *b, void *log)
{
    YoloPt y = { .tensors = { .name = b->name }, .log = log };
    int ret = AVERROR(ENOMEM);

    *net = NULL;
    if ((y.net = ff_nn_net_alloc(b->name)) && (ret = ff_nn_pth_open(&y.pth, b, 1, log)) >= 0)
        ret = build(&y, ret);
    if (y.net)
        ff_nn_pth_close(&y.pth);
    ff_nn_dict_free(&y.tensors);
    if (ret < 0)
        ff_nn_net_free(&y.net);
    *net = y.net;
    return FFMIN(ret, 0);
}
