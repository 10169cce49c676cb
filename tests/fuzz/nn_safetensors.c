/*
 * Fuzzer of .safetensors files
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

/* fuzz: nn_load_safetensors.c nn_number.c nn_graph.c nn_arch.c */

#include "libavutil/log.h"
#include "libavfilter/nn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    NNBlob b = { .data = data, .size = size, .name = "f" };
    NNDict d = { .name = "f" };
    NNGraph *g = NULL;

    av_log_set_level(AV_LOG_QUIET);
    if (ff_nn_load_safetensors(&d, &b, NULL) >= 0)
        ff_nn_graph_from_dict(&g, &d, "f", NULL);
    ff_nn_graph_free(&g);
    ff_nn_dict_free(&d);
    return 0;
}
