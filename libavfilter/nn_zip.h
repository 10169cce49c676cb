/*
 * Nets: ZIP archives as torch.save writes them
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

#ifndef AVFILTER_NN_ZIP_H
#define AVFILTER_NN_ZIP_H

#include "nn.h"

/** A file of an archive. Points into the archive. */
typedef struct NNZipEntry {
    const char    *name;        ///< not terminated
    int            name_len;
    const uint8_t *data;        ///< NULL if compressed or encrypted
    size_t         size;
    uint32_t       crc;
    int            checked;     ///< found undamaged
} NNZipEntry;

typedef struct NNZip {
    NNZipEntry *entries;
    int         nb_entries;
    const char *file;           ///< for messages
} NNZip;

/**
 * Read the directory of an archive, which is borrowed. Understands ZIP64 and
 * archives written as a stream (sizes come from the directory); refuses split
 * ones.
 */
int ff_nn_zip_open(NNZip *z, const NNBlob *b, void *log);

/** @return the entry of this name, or NULL */
NNZipEntry *ff_nn_zip_find(const NNZip *z, const char *name);

/** To be called before data is used.
 *  @return AVERROR_INVALIDDATA with a message if it is damaged or not stored plainly */
int ff_nn_zip_check(const NNZip *z, NNZipEntry *e, void *log);

void ff_nn_zip_close(NNZip *z);

#endif /* AVFILTER_NN_ZIP_H */
