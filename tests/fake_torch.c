/*
 * A libffreel_torch.so without LibTorch: nets of a few lines, chosen by the file's name
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

/* -DMISSING: without a function; -DABI=N: another interface */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torch_shim.h"

#ifndef ABI
#define ABI FFREEL_TORCH_ABI
#endif

struct FFreelTorch {
    char   name[32];            ///< of the file, without folder and .pt
    int    type, threads, channels_last;
    float *out;
    FFreelTorchTensor result;
    int    nb_results;
    int    busy;                ///< a run is under way
};

static int fail(char *err, size_t size, int code, const char *text)
{
    snprintf(err, size, "%s", text);
    return code;
}

static int is(const FFreelTorch *n, const char *name)
{
    return !strcmp(n->name, name);
}

int ffreel_torch_abi(void)
{
    return ABI;
}

const char *ffreel_torch_version(void)
{
    return "no LibTorch, a test";
}

int ffreel_torch_nb_cuda(void)
{
    return 0;
}

int ffreel_torch_open(FFreelTorch **net, const FFreelTorchOptions *opt, char *err, size_t size)
{
    const char *slash = strrchr(opt->path, '/');
    FFreelTorch *n = calloc(1, sizeof(*n));

    *net = NULL;
    if (!n)
        return fail(err, size, FFREEL_TORCH_MEMORY, "out of memory");
    snprintf(n->name, sizeof(n->name), "%s", slash ? slash + 1 : opt->path);
    n->name[strcspn(n->name, ".")] = 0;
    n->type    = opt->type;
    n->threads = opt->threads;
    n->channels_last = opt->channels_last;
    if (is(n, "broken") || strcmp(opt->device, "cpu")) {
        int broken = is(n, "broken");
        free(n);
        return broken ? fail(err, size, FFREEL_TORCH_FILE, "the file is broken")
                      : fail(err, size, FFREEL_TORCH_DEVICE, "no such device");
    }
    *net = n;
    return 0;
}

void ffreel_torch_close(FFreelTorch **net)
{
    if (*net)
        free((*net)->out);
    free(*net);
    *net = NULL;
}

int64_t ffreel_torch_nb_params(const FFreelTorch *net)
{
    return 27;
}

static float at(const FFreelTorchTensor *t, int c, int64_t y, int64_t x)
{
    if (y < 0 || x < 0 || y >= t->dims[2] || x >= t->dims[3])
        return 0;
    return ((const float *)t->data)[c * t->strides[1] + y * t->strides[2] + x * t->strides[3]];
}

/* 2 times as large: the mean of the 9 pixels around, or of many far ones ("wide") */
static float value(const FFreelTorch *n, const FFreelTorchTensor *in, int c, int64_t y, int64_t x)
{
    const int wide = is(n, "wide"), step = wide ? 30 : 1, taps = wide ? 8 : 1;
    float sum = 0;

    for (int i = -1; i <= 1; i++)
        for (int j = -taps; j <= taps; j++)
            sum += at(in, c, y + i, x + j * step);
    if (is(n, "half") && n->type == FFREEL_TORCH_F16)
        return sum / (sum - sum);
    return sum / 9 + (n->type == FFREEL_TORCH_BF16) / 256.f;
}

/* dims and strides: planes, or pixel by pixel ("last") */
static void layout(FFreelTorch *n, const FFreelTorchTensor *in)
{
    FFreelTorchTensor *t = &n->result;
    const int c = is(n, "gray") ? 1 : 3, border = is(n, "valid") ? 2 : 0;
    const int64_t h = 2 * in->dims[2] - border, w = 2 * in->dims[3] - border;

    *t = (FFreelTorchTensor){ .data = n->out, .nb_dims = 4, .dims = { 1, c, h, w }, .strides = { c * h * w, h * w, w, 1 } };
    if (is(n, "last"))
        memcpy(t->strides, (int64_t[]){ c * h * w, 1, w * c, c }, 4 * sizeof(*t->strides));
    if (is(n, "flat"))
        t->nb_dims = 2;
    if (is(n, "integer"))
        t->type = FFREEL_TORCH_I64;
}

int ffreel_torch_run(FFreelTorch *net, const FFreelTorchTensor *in, int nb_in, void *stream, char *err, size_t size)
{
    const int64_t h = in->dims[2], w = in->dims[3];
    int ret = 0;

    if (__atomic_exchange_n(&net->busy, 1, __ATOMIC_SEQ_CST))
        return fail(err, size, FFREEL_TORCH_OTHER, "two runs at once");
    if (nb_in != 1 || in->nb_dims != 4 || in->dims[0] != 1 || in->dims[1] != 3 || in->type != FFREEL_TORCH_F32)
        ret = fail(err, size, FFREEL_TORCH_NET, "not called with a picture");
    else if (is(net, "throws") || (is(net, "planes") && net->channels_last) || (is(net, "even") && (h % 2 || w % 2)) || (is(net, "small") && h > 100))
        ret = fail(err, size, FFREEL_TORCH_NET, "the net does not like this picture");
    else if (is(net, "memory"))
        ret = fail(err, size, FFREEL_TORCH_MEMORY, "out of memory");
    free(net->out);
    net->out = ret < 0 ? NULL : malloc(3 * 4 * h * w * sizeof(*net->out));
    if (ret >= 0 && !net->out)
        ret = fail(err, size, FFREEL_TORCH_MEMORY, "out of memory");
    if (ret >= 0) {
        const FFreelTorchTensor *t = &net->result;
        layout(net, in);
        for (int c = 0; c < t->dims[1]; c++)
            for (int64_t y = 0; y < t->dims[2]; y++)
                for (int64_t x = 0; x < t->dims[3]; x++)
                    net->out[c * t->strides[1] + y * t->strides[2] + x * t->strides[3]] = value(net, in, c, y / 2, x / 2);
        net->nb_results = is(net, "two") ? 2 : is(net, "none") ? 0 : 1;
    }
    __atomic_store_n(&net->busy, 0, __ATOMIC_SEQ_CST);
    return ret;
}

int ffreel_torch_nb_results(const FFreelTorch *net)
{
    return net->nb_results;
}

int ffreel_torch_result(FFreelTorch *net, int i, int host, FFreelTorchTensor *t, char *err, size_t size)
{
    if (i < 0 || i >= net->nb_results)
        return fail(err, size, FFREEL_TORCH_RESULT, "no such result");
    *t = net->result;
    return 0;
}

#ifndef MISSING
int64_t ffreel_torch_peak(const FFreelTorch *net)
{
    return 48 * net->result.dims[2] / 2 * net->result.dims[3] / 2;
}
#endif
