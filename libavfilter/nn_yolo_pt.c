/*
 * Nets: checkpoints of YOLO detectors: members of records, nodes
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

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_net_edit.h"
#include "nn_yolo_pt.h"

#define OPSET 17

/* ---- messages ---------------------------------------------------------------------------- */

int ff_yolo_pt_refuse(const YoloPt *y, const char *where, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    av_log(y->log, AV_LOG_ERROR, "%s: %s: %s; of checkpoints, YOLOv5u, YOLOv8 and YOLO11 detectors are read; "
           "export this one: yolo export model=%s format=onnx\n", y->net->file, where, text, y->net->file);
    return AVERROR_PATCHWELCOME;
}

int ff_yolo_pt_broken(const YoloPt *y, const char *where, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    av_log(y->log, AV_LOG_ERROR, "%s: %s: %s: broken checkpoint\n", y->net->file, where, text);
    return AVERROR_INVALIDDATA;
}

/* ---- records ------------------------------------------------------------------------------- */

static int member(const NNPkl *p, int dict, const char *name)
{
    return dict >= 0 && p->values[dict].type == PKL_DICT ? ff_pkl_get(p, dict, name) : -1;
}

int ff_yolo_pt_attr(const YoloPt *y, int rec, const char *name)
{
    const NNPkl *p = &y->pth.pkl;

    return rec >= 0 && p->values[rec].type == PKL_RECORD ? member(p, p->values[rec].nb, name) : -1;
}

int ff_yolo_pt_sub(const YoloPt *y, int rec, const char *name)
{
    const NNPkl *p = &y->pth.pkl;
    const int sub = member(p, ff_yolo_pt_attr(y, rec, "_modules"), name);

    return sub >= 0 && p->values[sub].type == PKL_RECORD ? sub : -1;
}

int ff_yolo_pt_item(const YoloPt *y, int rec, int i)
{
    char name[16];

    snprintf(name, sizeof(name), "%d", i);
    return ff_yolo_pt_sub(y, rec, name);
}

int ff_yolo_pt_is(const YoloPt *y, int rec, enum NNPklFamily family, const char *name)
{
    const NNPkl *p = &y->pth.pkl;

    return rec >= 0 && p->values[rec].type == PKL_RECORD && p->values[p->values[rec].first].i == family &&
           ff_pkl_is(p, p->values[rec].first, name);
}

int ff_yolo_pt_int(const YoloPt *y, int rec, const char *name, int min, int max, int def, const char *where)
{
    const int a = ff_yolo_pt_attr(y, rec, name);
    const NNPklValue *v = a >= 0 ? &y->pth.pkl.values[a] : NULL;

    if (!v)
        return def;
    if (v->type != PKL_INT && v->type != PKL_BOOL)
        return ff_yolo_pt_broken(y, where, "its %s is no integer", name);
    if (v->i < min || v->i > max)
        return ff_yolo_pt_refuse(y, where, "its %s is %"PRId64, name, v->i);
    return v->i;
}

int ff_yolo_pt_tensor(YoloPt *y, int value, int nb_dims, NNParam *p, const char *where)
{
    NNPkl *pkl = &y->pth.pkl;
    int ret;

    *p = (NNParam){ 0 };
    if (value < 0 || pkl->values[value].type != PKL_TENSOR)
        return ff_yolo_pt_broken(y, where, "a tensor is missing");
    if ((ret = ff_nn_pth_tensor(&y->pth, &y->tensors, where, &pkl->values[value])) < 0)
        return ret;
    *p = y->tensors.params[y->tensors.nb_params - 1];
    y->tensors.params[y->tensors.nb_params - 1].data = NULL;
    if (p->nb_dims == nb_dims)
        return 0;
    av_freep(&p->data);
    return ff_yolo_pt_broken(y, where, "has %d dimensions instead of %d", p->nb_dims, nb_dims);
}

/* ---- nodes --------------------------------------------------------------------------------- */

NNNetNode *ff_yolo_pt_last(YoloPt *y, int value)
{
    return value < 0 ? NULL : &y->net->nodes[y->net->nb_nodes - 1];
}

static int op(YoloPt *y, enum NNNetOp op, const char *where, const int *in, int nb_in, int nb_out)
{
    int n, v;

    for (int i = 0; i < nb_in; i++)
        if (in[i] < -1)
            return in[i];
    if (y->net->nb_nodes >= NN_MAX_NODES)
        return ff_yolo_pt_broken(y, where, "more than %d operations", NN_MAX_NODES);
    if ((n = ff_nn_net_add_node(y->net, op, where, strlen(where), nb_in, nb_out)) < 0)
        return n;
    y->net->nodes[n].opset = OPSET;
    for (int i = 0; i < nb_in; i++)
        y->net->nodes[n].in[i] = in[i];
    for (int i = 0; i < nb_out; i++) {
        if ((v = ff_nn_net_add_value(y->net, where, strlen(where))) < 0)
            return v;
        y->net->nodes[n].out[i] = v;
        y->net->values[v].node  = n;
    }
    return y->net->nodes[n].out[0];
}

int ff_yolo_pt_op(YoloPt *y, enum NNNetOp o, const char *where, const int *in, int nb_in)
{
    return op(y, o, where, in, nb_in, 1);
}

int ff_yolo_pt_along(YoloPt *y, enum NNNetOp o, const char *where, int axis, const int *in, int nb_in)
{
    const int out = op(y, o, where, in, nb_in, 1);

    if (out >= 0)
        ff_yolo_pt_last(y, out)->axis = axis;
    return out;
}

int ff_yolo_pt_split(YoloPt *y, const char *where, int x, int axis, const int64_t *size, int nb, int *out)
{
    const int v = op(y, NN_OP_SPLIT, where, (const int[]){ x, ff_yolo_pt_ints(y, size, nb) }, 2, nb);
    NNNetNode *n = ff_yolo_pt_last(y, v);

    for (int i = 0; i < nb; i++)
        out[i] = n ? n->out[i] : v;
    if (n)
        n->axis = axis;
    return FFMIN(v, 0);
}

int ff_yolo_pt_reshape(YoloPt *y, const char *where, int x, const int64_t *dims, int nb)
{
    return YOLO_OP(y, NN_OP_RESHAPE, where, x, ff_yolo_pt_ints(y, dims, nb));
}

int ff_yolo_pt_transpose(YoloPt *y, const char *where, int x, const int64_t *perm, int nb)
{
    const int v = YOLO_OP(y, NN_OP_TRANSPOSE, where, x);
    NNNetNode *n = ff_yolo_pt_last(y, v);

    if (n) {
        n->nb_axes = nb;
        memcpy(n->axes, perm, nb * sizeof(*perm));
    }
    return v;
}

int ff_yolo_pt_ints(YoloPt *y, const int64_t *v, int nb)
{
    return ff_nn_net_add_ints(y->net, "", v, nb);
}

int ff_yolo_pt_float(YoloPt *y, float v)
{
    float *data = av_malloc(sizeof(*data));

    if (!data)
        return AVERROR(ENOMEM);
    *data = v;
    return ff_nn_net_add_const(y->net, "", NN_VAL_F32, NULL, 0, data);
}
