/*
 * Nets: a reader of pickles that knows tensors and nothing else
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

#ifndef AVFILTER_NN_UNPICKLE_H
#define AVFILTER_NN_UNPICKLE_H

#include "nn_pkl.h"

/**
 * @file
 * A pickle is a program for a stack machine that may name any function of any
 * Python module. This one runs the opcodes that torch.save writes, knows the few
 * names by which tensors are put together, and calls nothing: a tensor becomes a
 * description of itself. Any other name or opcode is refused, by name.
 *
 * Checkpoints of detectors are whole Python objects. With records, classes of
 * ultralytics and torch.nn are kept by name, and their objects become records of
 * class and state: what a dict can hold, and no more. A few further names that such
 * files call (sets, paths, numpy's numbers) make records of nothing. All else is
 * refused as without.
 */

/**
 * @param s    overwritten; free it with ff_pkl_free, also after an error
 * @param records 1: see above; 0: weights alone
 * @param file the file's name, for messages
 * @return the index of the pickled value, or AVERROR
 */
int ff_nn_unpickle(NNPkl *s, const uint8_t *data, size_t size, int records, const char *file, void *log);

#endif /* AVFILTER_NN_UNPICKLE_H */
