/*
 * Fuzzer of pickles, without the archive and its checksums around them
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

/* fuzz: nn_unpickle.c nn_pkl.c */

#include "libavutil/log.h"
#include "libavfilter/nn_unpickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    av_log_set_level(AV_LOG_QUIET);
    for (int records = 0; records < 2; records++) {
        NNPkl s;
        const int root = ff_nn_unpickle(&s, data, size, records, "f", NULL);
        if (root >= 0 && s.values[root].type == PKL_DICT)
            ff_pkl_get(&s, root, "params");
        if (root >= 0 && s.values[root].type == PKL_RECORD)
            ff_pkl_is(&s, s.values[root].first, "DetectionModel");
        ff_pkl_free(&s);
    }
    return 0;
}
