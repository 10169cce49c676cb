/*
 * Nets: archives of torch.save
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

#ifndef AVFILTER_NN_PTH_H
#define AVFILTER_NN_PTH_H

#include "nn_unpickle.h"
#include "nn_zip.h"

typedef struct NNPth {
    NNPkl  pkl;
    NNZip  zip;
    char   root[128];           ///< NAME/ of the archive
    const NNBlob *b;
    void  *log;
} NNPth;

/**
 * Open an archive and read its pickle.
 * @param s       overwritten; close it, also after an error
 * @param b       borrowed until then
 * @param records as for ff_nn_unpickle()
 * @return the index of the pickled value, or AVERROR after a message
 */
int  ff_nn_pth_open(NNPth *s, const NNBlob *b, int records, void *log);

/** Append a PKL_TENSOR, all of it checked. */
int  ff_nn_pth_tensor(NNPth *s, NNDict *d, const char *name, const NNPklValue *t);

void ff_nn_pth_close(NNPth *s);

#endif /* AVFILTER_NN_PTH_H */
