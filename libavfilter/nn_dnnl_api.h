/*
 * oneDNN's headers, versions 2.x and 3.x, for nn_dnnl*.c
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

#ifndef AVFILTER_NN_DNNL_API_H
#define AVFILTER_NN_DNNL_API_H

/**
 * @file
 * Private to nn_dnnl.c and nn_dnnl_net.c, which are the door to oneDNN: what differs
 * between its versions, and the structs that both files fill.
 */

#include <dnnl.h>

#include "libavutil/thread.h"

#include "nn_dnnl.h"

struct NNDnnl {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

/* ---- what differs between 2.x and 3.x --------------------------------------- */

#if DNNL_VERSION_MAJOR >= 3
/* descriptors are handles */
typedef dnnl_memory_desc_t       Desc;
typedef const_dnnl_memory_desc_t DescRef;
#define REF(d) (d)

static inline dnnl_status_t desc_make(Desc *d, int nd, const dnnl_dims_t dims, int type, int tag)
{
    return dnnl_memory_desc_create_with_tag(d, nd, dims, type, tag);
}

static inline dnnl_status_t desc_copy(Desc *d, DescRef s)
{
    return dnnl_memory_desc_clone(d, s);
}

static inline void desc_free(Desc *d)
{
    if (*d)
        dnnl_memory_desc_destroy(*d);
    *d = NULL;
}

static inline dnnl_status_t append_eltwise(dnnl_post_ops_t po, dnnl_alg_kind_t alg, float alpha, float beta)
{
    return dnnl_post_ops_append_eltwise(po, alg, alpha, beta);
}

static inline dnnl_status_t conv_desc(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, Desc md[4],
                                      const dnnl_dims_t stride, const dnnl_dims_t dilate, const dnnl_dims_t pad[2],
                                      const_dnnl_primitive_attr_t attr)
{
    return dnnl_convolution_forward_primitive_desc_create(pd, engine, dnnl_forward_inference,
        dnnl_convolution_direct, md[0], md[1], md[2], md[3], stride, dilate, pad[0], pad[1], attr);
}
#else
/* descriptors are structs */
typedef dnnl_memory_desc_t        Desc;
typedef const dnnl_memory_desc_t *DescRef;
#define REF(d) (&(d))

static inline dnnl_status_t desc_make(Desc *d, int nd, const dnnl_dims_t dims, int type, int tag)
{
    return dnnl_memory_desc_init_by_tag(d, nd, dims, type, tag);
}

static inline dnnl_status_t desc_copy(Desc *d, DescRef s)
{
    *d = *s;
    return dnnl_success;
}

static inline void desc_free(Desc *d)
{
}

static inline dnnl_status_t append_eltwise(dnnl_post_ops_t po, dnnl_alg_kind_t alg, float alpha, float beta)
{
    return dnnl_post_ops_append_eltwise(po, 1, alg, alpha, beta);
}

static inline dnnl_status_t conv_desc(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, Desc md[4],
                                      const dnnl_dims_t stride, const dnnl_dims_t dilate, const dnnl_dims_t pad[2],
                                      const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t cd;
    dnnl_status_t st = dnnl_dilated_convolution_forward_desc_init(&cd, dnnl_forward_inference,
        dnnl_convolution_direct, &md[0], &md[1], &md[2], &md[3], stride, dilate, pad[0], pad[1]);

    return st != dnnl_success ? st : dnnl_primitive_desc_create(pd, &cd, attr, engine, NULL);
}
#endif

/* ---- convolutions ------------------------------------------------------------- */

enum { SRC, WEIGHTS, BIAS, DST, SCRATCH, NB_ARGS };

struct NNConv {
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t      prim;
    dnnl_exec_arg_t       arg[NB_ARGS];
    DescRef               weights;      ///< belongs to pd
    size_t                scratch;
    int                   oc, ic, groups, kernel[2];
};

/** How a convolution's tensors lie and what follows it. */
typedef struct NNConvDescs {
    Desc md[4];                         ///< SRC .. DST
    dnnl_dims_t stride, dilate, pad[2]; ///< dilate: 0 = dense
    dnnl_alg_kind_t act;                ///< undef: none
    float alpha, beta;
} NNConvDescs;

/** Make the primitive and its memories; c->oc .. kernel and d->md are the caller's. */
dnnl_status_t ff_dnnl_conv_make(NNConv *c, NNDnnl *dnnl, NNConvDescs *d);

/** Held while anything is created: see nn_dnnl.c. */
extern AVMutex ff_dnnl_create_lock;

#endif /* AVFILTER_NN_DNNL_API_H */
