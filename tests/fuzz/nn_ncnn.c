/*
 * Fuzzer of ncnn pairs: text, a zero byte, weights
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

/* fuzz: nn_load_ncnn.c nn_ncnn.c nn_number.c nn_graph.c */

#include <string.h>

#include "libavutil/log.h"
#include "libavfilter/nn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    const size_t text = zero ? zero - data : size;
    NNBlob param = { .data = data, .size = text, .name = "f.param" };
    NNBlob bin = { .data = zero ? zero + 1 : data + size, .size = zero ? size - text - 1 : 0, .name = "f.bin" };
    NNGraph *g = NULL;

    av_log_set_level(AV_LOG_QUIET);
    ff_nn_load_ncnn(&g, &param, &bin, NULL);
    ff_nn_graph_free(&g);
    return 0;
}
