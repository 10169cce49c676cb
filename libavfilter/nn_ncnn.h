/*
 * Nets: the text of an ncnn .param file
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

#ifndef AVFILTER_NN_NCNN_H
#define AVFILTER_NN_NCNN_H

#include "nn.h"

/**
 * @file
 * The text is parsed line by line (nn_ncnn.c) and each layer turned at once into
 * nodes and weights (nn_load_ncnn.c): a reader of a blob needs its writer's node.
 */

#define NCNN_MAX_ID 32          ///< parameters of a layer

/* an edge of the net: what a layer wrote */
typedef struct NcnnBlob {
    char  name[NN_MAX_NAME];
    int   node;
    float factor;               ///< its values are factor * those of the node
    int   shared;               ///< one of several outputs of a Split
    int   used;                 ///< ncnn lets one layer read a blob
} NcnnBlob;

typedef struct NcnnLayer {
    char   type[32], name[NN_MAX_NAME];
    int    nb_in, in[NN_MAX_IN]; ///< blobs
    int    nb_out;
    double v[NCNN_MAX_ID];
    char   set[NCNN_MAX_ID];
    int    nb_array[NCNN_MAX_ID];
    double array[NCNN_MAX_ID][2];    ///< the first two elements
} NcnnLayer;

typedef struct NcnnParser {
    NNGraph *g;
    NcnnBlob *blobs;
    int      nb_blobs, max_blobs;
    const NNBlob *param, *bin;
    size_t   pos;               ///< in bin
    int      nb_convs, max_c;
    void    *log;
} NcnnParser;

/** Parse one line. Its output blobs are the parser's last l->nb_out. */
int ff_ncnn_parse_layer(NcnnParser *p, NcnnLayer *l, char *line);

/** Say why a layer is refused. @return err */
int ff_ncnn_fail(const NcnnParser *p, const NcnnLayer *l, const char *why, int err);

/** @return parameter id of the layer, def if the line does not name it */
double ff_ncnn_num(const NcnnLayer *l, int id, double def);

#endif /* AVFILTER_NN_NCNN_H */
