/*
 * Nets: what the files that make graphs of nets share
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

#ifndef AVFILTER_NN_FROM_NET_H
#define AVFILTER_NN_FROM_NET_H

#include "nn_net_edit.h"
#include "nn_op.h"

/**
 * @file
 * A net of any shape that makes a picture of a picture becomes a graph for tiles:
 *
 *   nn_graph_from_net.c  sizes, order, sums, what is known at all
 *   nn_from_net_conv.c   convolutions and activations
 *   nn_from_net_size.c   what changes the size: resizing, pixel shuffles
 *
 * A function for a node gives 0, or AVERROR after a message.
 */

/** What a value of the net is in the graph. */
typedef struct FromNetImage {
    int   node;                 ///< -1: nothing (a constant, or inside a pattern)
    float factor;               ///< the value is the node times this
    int   block;                ///< > 1: its channels are in the order [block * block][c], the graph's [c][block * block]
} FromNetImage;

typedef struct FromNet {
    const NNNet *net;           ///< shaped
    const NNNet *other;         ///< the same for another size, or NULL where the file has but one
    NNGraph     *g;
    FromNetImage *image;         ///< by value
    int         *uses;          ///< by value
    const char  *file;
    void        *log;
} FromNet;

static inline const NNTensor *from_net_tensor(const FromNet *b, int value)
{
    return &b->net->values[value].t;
}

/** The output of n is a node of the graph as it is. */
static inline void from_net_set(FromNet *b, const NNNetNode *n, int node)
{
    b->image[n->out[0]] = (FromNetImage){ .node = node, .factor = 1 };
}

/** @return AVERROR_PATCHWELCOME */
int ff_from_net_refuse(const FromNet *b, const NNNetNode *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Append a node that reads others as they are. @return its index */
int ff_from_net_append(FromNet *b, enum NNOp op, const int *in, int nb_in, int c);
/** A node that holds input k of n as it is: a factor is multiplied in by an addition of its own. */
int ff_from_net_plain(FromNet *b, const NNNetNode *n, int k);

/** The activation of a net's node into a graph's; a clip at the end is left to the filter. */
int ff_from_net_set_act(FromNet *b, const NNNetNode *n, NNNode *d, enum NNNetAct act, float alpha, float beta,
                        const float *slopes);
int ff_from_net_act(FromNet *b, const NNNetNode *n);
int ff_from_net_clip(FromNet *b, const NNNetNode *n);
int ff_from_net_conv(FromNet *b, const NNNetNode *n);

int ff_from_net_upsample(FromNet *b, const NNNetNode *n);
int ff_from_net_depth_to_space(FromNet *b, const NNNetNode *n);
int ff_from_net_space_to_depth(FromNet *b, const NNNetNode *n);
/** Reshape, Transpose, Reshape: pixel (un)shuffle as PyTorch writes it out; n is the transpose. */
int ff_from_net_spelled_out(FromNet *b, const NNNetNode *n, const NNNetNode *last);

#endif /* AVFILTER_NN_FROM_NET_H */
