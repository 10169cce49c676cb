/*
 * Engine torch: TorchScript files by LibTorch
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

#include <stdio.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/thread.h"

#include "nn_engine.h"
#include "nn_torch.h"

/*
 * LibTorch has threads of its own, and cuts each operation among them. A net
 * therefore runs one tile at a time with all threads (NNEngine.own_threads): tiles
 * are as large as memory allows, mostly the whole picture, and no margin is
 * computed twice.
 */

struct NNEngineContext {
    const NNGraph    *g;
    const NNTorchLib *lib;
    FFreelTorch      *net;
    enum NNPrecision  precision;
    AVMutex           lock;
    int               has_lock;
    float            *in;           ///< a tile, plane after plane
    size_t            nb_in;        ///< floats that it has room for
    void             *log;
};

static void torch_close(NNEngineContext **ctx)
{
    NNEngineContext *e = *ctx;

    if (!e)
        return;
    if (e->net)
        e->lib->close(&e->net);
    if (e->has_lock)
        ff_mutex_destroy(&e->lock);
    av_freep(&e->in);
    av_freep(ctx);
}

/* LibTorch's name of a device; a number stands for that of CUDA, since a colon is hard to
 * write in a filtergraph */
static const char *device_of(const NNConfig *cfg, char buf[32])
{
    const char *d = cfg->device && *cfg->device ? cfg->device : "cpu";

    if (d[strspn(d, "0123456789")])
        return d;
    snprintf(buf, 32, "cuda:%s", d);
    return buf;
}

/* fp32 on the CPU, since nothing is known of the net; fp16 is what GPUs are made for */
static enum NNPrecision choose_precision(const NNConfig *cfg, const char *device)
{
    if (cfg->precision != NN_PREC_AUTO)
        return cfg->precision;
    return strcmp(device, "cpu") ? NN_PREC_FP16 : NN_PREC_FP32;
}

static int torch_type(enum NNPrecision p)
{
    return p == NN_PREC_FP16 ? FFREEL_TORCH_F16 : p == NN_PREC_BF16 ? FFREEL_TORCH_BF16 : FFREEL_TORCH_F32;
}

/* ---- running --------------------------------------------------------------------- */

static int reserve(NNEngineContext *e, const NNTile *t)
{
    const size_t nb = (size_t)3 * t->w * t->h;

    if (nb > e->nb_in) {
        av_freep(&e->in);
        e->nb_in = 0;
        if (!(e->in = av_malloc_array(nb, sizeof(*e->in))))
            return AVERROR(ENOMEM);
        e->nb_in = nb;
    }
    return 0;
}

static void pack(float *dst, const NNTile *t)
{
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < t->h; y++, dst += t->w)
            memcpy(dst, t->in[c] + y * t->in_stride, t->w * sizeof(*dst));
}

static void unpack(const NNTile *t, const FFreelTorchTensor *r, int scale)
{
    const int w = (t->w - t->left - t->right) * scale, h = (t->h - t->top - t->bottom) * scale;
    const int64_t step = r->strides[3];

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < h; y++) {
            const float *src = (const float *)r->data + c * r->strides[1] +
                               (y + (int64_t)t->top * scale) * r->strides[2] + (int64_t)t->left * scale * step;
            float *dst = t->out[c] + y * t->out_stride;
            if (step == 1)
                memcpy(dst, src, w * sizeof(*dst));
            else
                for (int x = 0; x < w; x++)
                    dst[x] = src[x * step];
        }
}

static int run_locked(NNEngineContext *e, const NNTile *t)
{
    const int s = e->g->scale;
    FFreelTorchTensor r;
    char why[NN_TORCH_ERR];
    int ret = reserve(e, t);

    if (ret < 0)
        return ret;
    pack(e->in, t);
    ret = ff_nn_torch_run(e->lib, e->net, e->in, t->w, t->h, &r, why);
    if (ret >= 0 && (r.dims[1] != e->g->out_c || r.dims[2] != (int64_t)t->h * s || r.dims[3] != (int64_t)t->w * s)) {
        snprintf(why, sizeof(why), "it makes %lldx%lld of %dx%d, and is x%d elsewhere",
                 (long long)r.dims[3], (long long)r.dims[2], t->w, t->h, s);
        ret = AVERROR_INVALIDDATA;
    }
    if (ret < 0) {
        av_log(e->log, AV_LOG_ERROR, "%s, %dx%d in %s: %s%s\n", e->g->script, t->w, t->h, ff_nn_precision_name(e->precision),
               why, ret == AVERROR(ENOMEM) ? "; a smaller tile needs less (tile=...)" : "");
        return ret;
    }
    unpack(t, &r, s);
    return 0;
}

static int torch_run(NNEngineContext *e, int slot, const NNTile *t)
{
    int ret;

    ff_mutex_lock(&e->lock);
    ret = run_locked(e, t);
    ff_mutex_unlock(&e->lock);
    return ret;
}

/* ---- opening --------------------------------------------------------------------- */

/* one run on a small picture: what device, precision or layout cannot do shows now */
static int try_run(NNEngineContext *e, char *why)
{
    const int side = FFALIGN(16, e->g->align);
    float *data = av_calloc((size_t)3 * side, side * sizeof(*data));
    FFreelTorchTensor r;
    int ret = AVERROR(ENOMEM);

    snprintf(why, NN_TORCH_ERR, "out of memory");
    if (data)
        ret = ff_nn_torch_run(e->lib, e->net, data, side, side, &r, why);
    av_free(data);
    return ret;
}

/* pixel by pixel where the net does not mind */
static int open_net(NNEngineContext *e, FFreelTorchOptions *opt)
{
    char why[NN_TORCH_ERR];
    int ret = 0;

    for (opt->channels_last = 1; opt->channels_last >= 0; opt->channels_last--) {
        if ((ret = e->lib->open(&e->net, opt, why, sizeof(why))) < 0) {
            av_log(e->log, AV_LOG_ERROR, "%s: %s: %s\n", e->g->script, e->lib->version(), why);
            return ff_nn_torch_error(ret);
        }
        if ((ret = try_run(e, why)) >= 0) {
            av_log(e->log, AV_LOG_VERBOSE, "%s, %d threads, tensors %s\n", e->lib->version(), opt->threads,
                   opt->channels_last ? "pixel by pixel" : "plane by plane");
            return 0;
        }
        e->lib->close(&e->net);
    }
    av_log(e->log, AV_LOG_ERROR, "%s does not run in %s: %s%s\n", e->g->script, ff_nn_precision_name(e->precision), why,
           e->precision == NN_PREC_FP32 ? "" : "; try precision=fp32");
    return ret;
}

static int torch_open(NNEngineContext **ctx, const NNGraph *g, const NNConfig *cfg)
{
    char buf[32];
    FFreelTorchOptions opt = { .path = g->script, .device = device_of(cfg, buf), .threads = cfg->nb_slots };
    NNEngineContext *e;
    int ret;

    if (!g->script || cfg->precision == NN_PREC_INT8)
        return AVERROR(ENOSYS);
    e = *ctx = av_mallocz(sizeof(*e));
    if (!e)
        return AVERROR(ENOMEM);
    e->g         = g;
    e->log       = cfg->log;
    e->precision = choose_precision(cfg, opt.device);
    opt.type     = torch_type(e->precision);
    if ((ret = ff_nn_torch_lib(&e->lib, cfg->log)) < 0)
        goto fail;
    if ((ret = ff_mutex_init(&e->lock, NULL))) {
        ret = AVERROR(ret);
        goto fail;
    }
    e->has_lock = 1;
    if ((ret = open_net(e, &opt)) < 0)
        goto fail;
    return 0;
fail:
    torch_close(ctx);
    /* ENOSYS would be "not me", and ask for another engine, after the message was said */
    return ret == AVERROR(ENOSYS) ? AVERROR(ENODEV) : ret;
}

/* twice what LibTorch's allocator gave out: oneDNN's copies in its own layouts are not among that */
static size_t torch_scratch(const NNEngineContext *e, int w, int h)
{
    return 2 * (size_t)e->g->bytes * w * h;
}

static enum NNPrecision torch_precision(const NNEngineContext *e)
{
    return e->precision;
}

const NNEngine ff_nn_engine_torch = {
    .name        = "torch",
    .scripts     = 1,
    .own_threads = 1,
    .open        = torch_open,
    .run         = torch_run,
    .close       = torch_close,
    .scratch     = torch_scratch,
    .precision   = torch_precision,
};
