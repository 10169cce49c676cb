/*
 * Fuzzer of ONNX files: loading, sizes, folding, fusion, engine ref
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


/* fuzz: nn_proto.c nn_onnx.c nn_onnx_graph.c nn_onnx_tensor.c nn_onnx_attr.c nn_onnx_op.c nn_onnx_constant.c nn_net.c nn_net_shape.c nn_net_fuse.c nn_net_ref.c nn_op.c nn_op_math.c nn_op_conv.c nn_op_pool.c nn_op_move.c nn_op_shape.c nn_op_index.c nn_op_resize.c nn_op_reduce.c nn_op_select.c nn_graph_from_net.c nn_from_net_conv.c nn_from_net_size.c nn_graph.c nn_number.c */

#include <stdlib.h>

#include "libavutil/log.h"
#include "libavfilter/nn_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const char *ff_nn_precision_name(enum NNPrecision p)
{
    return "fp32";
}

/* what takes long is no fault: small nets are run */
static int is_small(const NNNet *net)
{
    int64_t nb = net->macs;

    for (int i = 0; i < net->nb_values; i++)
        nb += net->values[i].t.nb > 0 ? net->values[i].t.nb : 0;
    return nb < 1 << 18 && net->nb_outputs <= 16;
}

static void run(const NNNet *net)
{
    const NNConfig cfg = { .nb_slots = 1 };
    NNNetContext *ctx = NULL;
    NNTensor out[16];
    float *in;

    if (!is_small(net) || ff_nn_net_engine_ref.open(&ctx, net, &cfg, 1) < 0)
        return;
    in = calloc(net->values[net->input].t.nb, sizeof(*in));
    if (in)
        ff_nn_net_engine_ref.run(ctx, 0, in, out);
    ff_nn_net_engine_ref.close(&ctx);
    free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    NNBlob b = { .data = data, .size = size, .name = "f" };
    NNNet *net = NULL, *shaped = NULL;
    NNGraph *g = NULL;
    int64_t has[4];

    av_log_set_level(AV_LOG_QUIET);
    if (ff_nn_load_onnx(&net, &b, NULL) < 0)
        return 0;
    ff_nn_net_input(net, has);
    for (int i = 0; i < 4; i++)
        has[i] = has[i] < 1 || has[i] > 64 ? i < 1 ? 1 : i < 2 ? 3 : 8 : has[i];
    if (ff_nn_net_shape(&shaped, net, has[0], has[1], has[2], has[3], NULL) >= 0)
        run(shaped);
    ff_nn_graph_from_net(&g, net, "f", NULL);
    ff_nn_graph_free(&g);
    ff_nn_net_free(&shaped);
    ff_nn_net_free(&net);
    return 0;
}
