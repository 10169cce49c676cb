/*
 * Nets: TorchScript files, run by LibTorch
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

#ifndef AVFILTER_NN_TORCH_H
#define AVFILTER_NN_TORCH_H

#include "nn.h"
#include "torch_shim.h"

/**
 * @file
 * A TorchScript file is a program: no NNGraph can be made of it. It becomes one
 * without nodes (NNGraph.script) whose scale, alignment and halo are found by
 * running it, and which the engine `torch` alone takes.
 */

/** The functions of libffreel_torch.so. */
typedef struct NNTorchLib {
    int         (*abi)(void);
    const char *(*version)(void);
    int         (*nb_cuda)(void);
    int         (*open)(FFreelTorch **net, const FFreelTorchOptions *opt, char *err, size_t size);
    void        (*close)(FFreelTorch **net);
    int64_t     (*nb_params)(const FFreelTorch *net);
    int         (*run)(FFreelTorch *net, const FFreelTorchTensor *in, int nb_in, void *stream, char *err, size_t size);
    int         (*nb_results)(const FFreelTorch *net);
    int         (*result)(FFreelTorch *net, int i, int host, FFreelTorchTensor *t, char *err, size_t size);
    int64_t     (*peak)(const FFreelTorch *net);
} NNTorchLib;

/**
 * The library, loaded once per process and never dropped. It is looked for in
 * FFREEL_TORCH (the file; nowhere else then), beside the program, and in ../lib/ffreel
 * from there.
 * @return 0, or AVERROR(ENOSYS) with a message that says what to do
 */
int ff_nn_torch_lib(const NNTorchLib **lib, void *log);

/** AVERROR of a code of torch_shim.h */
int ff_nn_torch_error(int code);

#define NN_TORCH_ERR 512        ///< room for a message of the library

/** A picture as the library takes it: 1 x 3 x h x w, contiguous. */
FFreelTorchTensor ff_nn_torch_picture(float *data, int w, int h);

/**
 * Run a picture through a net and look at what comes out.
 * @param why NN_TORCH_ERR bytes: what is wrong, where the result is < 0
 * @param t   1 x C x H x W, fp32 in host memory; the net's until its next run
 */
int ff_nn_torch_run(const NNTorchLib *lib, FFreelTorch *net, float *data, int w, int h,
                    FFreelTorchTensor *t, char *why);

/**
 * A TorchScript file as a graph: scale, align, halo, memory, number of weights.
 * @return AVERROR_PATCHWELCOME with a message if it is not picture to picture
 */
int ff_nn_load_torchscript(NNGraph **g, const char *path, void *log);

/** Radii beyond are not measured. */
#define NN_TORCH_MAX_RADIUS 128
/** Default halo of nets whose radius is more than NN_TORCH_EXACT_HALO, or is not known. */
#define NN_TORCH_HALO       32
#define NN_TORCH_EXACT_HALO 40
/** NNGraph.halo of nets whose radius is not known: the whole picture */
#define NN_TORCH_ALL_HALO   16384

#endif /* AVFILTER_NN_TORCH_H */
