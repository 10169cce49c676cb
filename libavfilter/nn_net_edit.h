/*
 * Nets of any shape: making and changing them
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

#ifndef AVFILTER_NN_NET_EDIT_H
#define AVFILTER_NN_NET_EDIT_H

#include "nn_net.h"

/**
 * @file
 * For what builds nets (loaders) or changes them (shapes, fusion). Functions return
 * an index, 0, or AVERROR(ENOMEM).
 */

/** @param file for messages; copied */
NNNet *ff_nn_net_alloc(const char *file);

/** Append a value whose size is not known. @param name shortened to fit, odd characters replaced */
int ff_nn_net_add_value(NNNet *net, const char *name, size_t len);

/** Append a constant. @param data nb values of type; taken over, freed on error, too */
int ff_nn_net_add_const(NNNet *net, const char *name, enum NNValueType type, const int64_t *dims, int nb_dims,
                        void *data);

/** Append a constant list of integers. */
int ff_nn_net_add_ints(NNNet *net, const char *name, const int64_t *v, int nb);

/** Append a node with room for inputs (all -1) and outputs; strides, dilations and group are 1. */
int ff_nn_net_add_node(NNNet *net, enum NNNetOp op, const char *name, size_t len, int nb_in, int nb_out);

/** Give a node room for nb inputs, new ones being -1. */
int ff_nn_node_grow(NNNetNode *n, int nb);

void ff_nn_node_free(NNNetNode *n);

/** Copy what can be printed of len bytes, the last characters if there are too many. */
void ff_nn_net_name(char dst[NN_MAX_NAME], const char *s, size_t len);

/** @return the constant that is input i of a node, or NULL */
const NNTensor *ff_nn_net_const(const NNNet *net, const NNNetNode *n, int i);

/** Number of readers of each value; net outputs count as one. @param uses nb_values, set here */
void ff_nn_net_uses(const NNNet *net, int *uses);

/** A copy that shares nothing. */
int ff_nn_net_copy(NNNet **dst, const NNNet *src);

/** Drop nodes and values on which no output depends; values are renumbered. */
int ff_nn_net_sweep(NNNet *net);

#endif /* AVFILTER_NN_NET_EDIT_H */
