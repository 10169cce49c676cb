/*
 * Nets: checkpoints of YOLO detectors
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

#ifndef AVFILTER_NN_YOLO_PT_H
#define AVFILTER_NN_YOLO_PT_H

#include <stdint.h>

#include "nn_net.h"
#include "nn_pth.h"

/**
 * @file
 * A checkpoint is a tree of records (nn_unpickle.h), one for each module, with the
 * names of the classes. How it becomes a net:
 *
 *   nn_load_yolo.c    the file: which record is the model, its layers one after the
 *                     other, what is said about it
 *   nn_yolo_block.c   the modules: convolutions and what is made of them
 *   nn_yolo_head.c    the last layer: boxes and scores of all cells
 *   nn_yolo_pt.c      what all three use: members of records, nodes
 *
 * A value is an index into the net's values, as everywhere. What is negative there
 * is an error, which all functions pass on, so that no step need be checked. The
 * arithmetic is that of an ONNX export of the same model.
 */

typedef struct YoloPt {
    NNPth   pth;
    NNDict  tensors;            ///< those used so far; their numbers have gone into the net
    NNNet  *net;
    void   *log;
    int     v11, v5;            ///< layers that tell the generations apart were seen
} YoloPt;

/* ---- records. rec: an index of a value; where: its path, for messages ------------------ */

/** @return the member of this name of a record's state, or -1 */
int ff_yolo_pt_attr(const YoloPt *y, int rec, const char *name);
/** @return the submodule of this name, a record, or -1 */
int ff_yolo_pt_sub(const YoloPt *y, int rec, const char *name);
/** @return the submodule number i */
int ff_yolo_pt_item(const YoloPt *y, int rec, int i);
/** @return 1 if its class has this name and is one of ultralytics or torch.nn */
int ff_yolo_pt_is(const YoloPt *y, int rec, enum NNPklFamily family, const char *name);
/** @return an integer (or boolean) from min to max; def if there is none; AVERROR after a message */
int ff_yolo_pt_int(const YoloPt *y, int rec, const char *name, int min, int max, int def, const char *where);

/**
 * The numbers of a tensor (a value) of nb_dims dimensions.
 * @param p out: dims are set; data are the caller's to free
 */
int ff_yolo_pt_tensor(YoloPt *y, int value, int nb_dims, NNParam *p, const char *where);

/** "FILE: WHERE: ...; export it ..." @return AVERROR_PATCHWELCOME */
int ff_yolo_pt_refuse(const YoloPt *y, const char *where, const char *fmt, ...) av_printf_format(3, 4);
/** the same for what is broken. @return AVERROR_INVALIDDATA */
int ff_yolo_pt_broken(const YoloPt *y, const char *where, const char *fmt, ...) av_printf_format(3, 4);

/* ---- nodes ----------------------------------------------------------------------------- */

/** @param in nb_in values; -1: absent. @return its (first) output */
int ff_yolo_pt_op(YoloPt *y, enum NNNetOp op, const char *where, const int *in, int nb_in);
#define YOLO_OP(y, op, where, ...) \
    ff_yolo_pt_op(y, op, where, (const int[]){ __VA_ARGS__ }, FF_ARRAY_ELEMS(((const int[]){ __VA_ARGS__ })))
/** The node that was made last; NULL if that failed. */
NNNetNode *ff_yolo_pt_last(YoloPt *y, int value);

/** An operation along an axis. */
int ff_yolo_pt_along(YoloPt *y, enum NNNetOp op, const char *where, int axis, const int *in, int nb_in);
#define YOLO_ALONG(y, op, where, axis, ...) \
    ff_yolo_pt_along(y, op, where, axis, (const int[]){ __VA_ARGS__ }, FF_ARRAY_ELEMS(((const int[]){ __VA_ARGS__ })))

/** Parts of the given sizes, in out. @return 0 or AVERROR, out then has it, too */
int ff_yolo_pt_split(YoloPt *y, const char *where, int x, int axis, const int64_t *size, int nb, int *out);
int ff_yolo_pt_reshape(YoloPt *y, const char *where, int x, const int64_t *dims, int nb);
int ff_yolo_pt_transpose(YoloPt *y, const char *where, int x, const int64_t *perm, int nb);
/** A list of integers, and one number. */
int ff_yolo_pt_ints(YoloPt *y, const int64_t *v, int nb);
int ff_yolo_pt_float(YoloPt *y, float v);

/* ---- modules ----------------------------------------------------------------------------- */

#define YOLO_PT_NAME 128                ///< of a path

/** A plain convolution (Conv2d), with a BatchNorm2d folded in where bn >= 0. @param nb_out channels out, may be NULL */
int ff_yolo_pt_conv2d(YoloPt *y, int rec, int bn, int x, int *nb_out, const char *where);
/** Conv, Conv2d or a sequence of them. */
int ff_yolo_pt_convs(YoloPt *y, int rec, int x, int depth, const char *where);
/** A layer with one input. */
int ff_yolo_pt_layer(YoloPt *y, int rec, int x, const char *where);
/** The head. @param x,nb its inputs. @return the net's output */
int ff_yolo_pt_head(YoloPt *y, int rec, const int *x, int nb, const char *where);

#endif /* AVFILTER_NN_YOLO_PT_H */
