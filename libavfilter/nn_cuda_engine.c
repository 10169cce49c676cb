/*
 * Engine cuda: tiles of the host by way of the GPU
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

#include <pthread.h>
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/buffer.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_cuda.h"

/*
 * One tile is on the GPU at a time, whatever the number of slots: up, through
 * the net, down. For whole pictures on the GPU there is esrgan_cuda.
 */
typedef struct NNEngineContext {
    const NNGraph  *g;
    void           *log;
    AVBufferRef    *device;
    NNCuda         *net;
    pthread_mutex_t lock;
    int             w, h;       /* the largest tile so far */
    CudaBuffer      in, out;
    float          *host;
} NNEngineContext;

static void cuda_close(NNEngineContext **ctx)
{
    NNEngineContext *s = *ctx;

    *ctx = NULL;
    if (!s)
        return;
    if (s->net) {
        ff_cudafilter_buffer_free(ff_nn_cuda_filter(s->net), &s->in);
        ff_cudafilter_buffer_free(ff_nn_cuda_filter(s->net), &s->out);
    }
    ff_nn_cuda_close(&s->net);
    av_buffer_unref(&s->device);
    pthread_mutex_destroy(&s->lock);
    av_free(s->host);
    av_free(s);
}

static int cuda_open(NNEngineContext **ctx, const NNGraph *g, const NNConfig *cfg)
{
    const char *number = cfg->device && av_isdigit(*cfg->device) ? cfg->device : NULL;
    NNEngineContext *s;
    int ret;

    *ctx = NULL;
    if (!cfg->filter)
        return AVERROR(ENOSYS);
    if (cfg->precision != NN_PREC_AUTO && cfg->precision != NN_PREC_FP16) {
        av_log(cfg->log, AV_LOG_VERBOSE, "engine cuda has fp16 only, not %s\n", ff_nn_precision_name(cfg->precision));
        return AVERROR(ENOSYS);
    }
    if (!(s = av_mallocz(sizeof(*s))))
        return AVERROR(ENOMEM);
    s->g   = g;
    s->log = cfg->log;
    pthread_mutex_init(&s->lock, NULL);
    if ((ret = ff_cudafilter_device(cfg->filter, number, &s->device)) < 0 ||
        (ret = ff_nn_cuda_open(&s->net, cfg->filter, s->device, g, cfg->precision, cfg->kernels)) < 0) {
        cuda_close(&s);
        return ret;
    }
    *ctx = s;
    return 0;
}

/* memory for a tile and its result, here and there */
static int grow(NNEngineContext *s, int w, int h)
{
    CudaFilter *cf = ff_nn_cuda_filter(s->net);
    const size_t in = (size_t)s->g->in_c * FFMAX(w, s->w) * FFMAX(h, s->h);
    const size_t out = in / s->g->in_c * s->g->out_c * s->g->scale * s->g->scale;
    int ret;

    if (w <= s->w && h <= s->h)
        return 0;
    w = FFMAX(w, s->w);
    h = FFMAX(h, s->h);
    s->w = s->h = 0;
    av_freep(&s->host);
    if (!(s->host = av_malloc_array(FFMAX(in, out), sizeof(*s->host))))
        return AVERROR(ENOMEM);
    if ((ret = ff_cudafilter_try(cf, &s->in, in * sizeof(float))) >= 0 &&
        (ret = ff_cudafilter_try(cf, &s->out, out * sizeof(float))) >= 0)
        ret = ff_nn_cuda_reserve(s->net, w, h);
    if (ret == AVERROR(ENOMEM))
        av_log(s->log, AV_LOG_ERROR, "the GPU has no memory for tiles of %dx%d: give a smaller tile=\n", w, h);
    if (ret >= 0) {
        s->w = w;
        s->h = h;
    }
    return ret;
}

static int run(NNEngineContext *s, const NNTile *t)
{
    CudaFilter *cf = ff_nn_cuda_filter(s->net);
    const int w = (t->w - t->left - t->right) * s->g->scale, h = (t->h - t->top - t->bottom) * s->g->scale;
    NNCudaTile n = { .in_stride = t->w, .w = t->w, .h = t->h, .left = t->left, .top = t->top,
                     .right = t->right, .bottom = t->bottom, .out_stride = w };
    int ret = grow(s, t->w, t->h);

    if (ret < 0)
        return ret;
    for (int c = 0; c < s->g->in_c; c++) {
        n.in[c] = (float *)s->in.data + (size_t)c * t->w * t->h;
        for (int y = 0; y < t->h; y++)
            memcpy(s->host + ((size_t)c * t->h + y) * t->w, t->in[c] + y * t->in_stride, t->w * sizeof(float));
    }
    for (int c = 0; c < s->g->out_c; c++)
        n.out[c] = (float *)s->out.data + (size_t)c * w * h;
    if ((ret = ff_cudafilter_upload(cf, &s->in, s->host, (size_t)s->g->in_c * t->w * t->h * sizeof(float))) < 0 ||
        (ret = ff_nn_cuda_run(s->net, &n)) < 0 ||
        (ret = ff_cudafilter_download(cf, s->host, s->out.data, (size_t)s->g->out_c * w * h * sizeof(float))) < 0)
        return ret;
    for (int c = 0; c < s->g->out_c; c++)
        for (int y = 0; y < h; y++)
            memcpy(t->out[c] + y * t->out_stride, s->host + ((size_t)c * h + y) * w, w * sizeof(float));
    return 0;
}

static int cuda_run(NNEngineContext *s, int slot, const NNTile *t)
{
    int ret;

    pthread_mutex_lock(&s->lock);
    ret = run(s, t);
    pthread_mutex_unlock(&s->lock);
    return ret;
}

/* none of the host's to speak of */
static size_t cuda_scratch(const NNEngineContext *s, int w, int h)
{
    return 0;
}

static enum NNPrecision cuda_precision(const NNEngineContext *s)
{
    return NN_PREC_FP16;
}

const NNEngine ff_nn_engine_cuda = {
    .name      = "cuda",
    .open      = cuda_open,
    .run       = cuda_run,
    .close     = cuda_close,
    .scratch   = cuda_scratch,
    .precision = cuda_precision,
    .own_threads = 1,
};
