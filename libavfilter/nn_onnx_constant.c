/*
 * Nets of any shape: constants of ONNX files
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

#include "libavutil/error.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_onnx.h"

/* a list, or one number, of an attribute */
static int numbers(OnnxNode *n, NNTensor *t)
{
    const int floats = ff_onnx_has(n, "value_floats") || ff_onnx_has(n, "value_float");
    const int one = ff_onnx_has(n, "value_float") || ff_onnx_has(n, "value_int");
    int nb = 1;

    t->type = floats ? NN_VAL_F32 : NN_VAL_I64;
    t->data = av_malloc_array(ONNX_MAX_EDGES, sizeof(int64_t));
    if (!t->data)
        return n->err = AVERROR(ENOMEM);
    if (one && floats)
        *(float *)t->data = ff_onnx_float(n, "value_float", 0);
    else if (one)
        *(int64_t *)t->data = ff_onnx_int(n, "value_int", 0, INT64_MIN, INT64_MAX);
    else
        nb = floats ? ff_onnx_floats(n, "value_floats", t->data, ONNX_MAX_EDGES)
                    : ff_onnx_ints(n, "value_ints", t->data, ONNX_MAX_EDGES);
    t->nb      = FFMAX(nb, 0);
    t->nb_dims = !one;
    t->dims[0] = t->nb;
    return n->err;
}

int ff_onnx_constant(OnnxNode *n, NNTensor *t)
{
    *t = (NNTensor){ 0 };
    if (n->nb_in || n->nb_out != 1)
        return ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has inputs, or not one output");
    if (ff_onnx_has(n, "value"))
        ff_onnx_attr_tensor(n, "value", t);
    else if (ff_onnx_has(n, "value_floats") || ff_onnx_has(n, "value_ints") || ff_onnx_has(n, "value_float") ||
             ff_onnx_has(n, "value_int"))
        numbers(n, t);
    if (ff_onnx_attrs_done(n) >= 0 && !t->data)
        ff_onnx_refuse(n, AVERROR_INVALIDDATA, "has no value");
    if (n->err >= 0)
        return INT_MAX;
    av_freep(&t->data);
    return n->err;
}
