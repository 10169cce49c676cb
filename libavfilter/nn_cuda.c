/*
 * Nets on the GPU: memory and launches
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
#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_cuda.h"
#include "nn_cuda_plan.h"

#define MAX_SIZE 32767          /* of a tensor's width and height: kernels divide by multiplying */

struct NNCuda {
    AVFilterContext *ctx;
    const NNGraph   *g;
    NNCudaPlan  plan;
    CudaDevice  dev;
    CudaModule  module;
    CudaFilter *cuda;
    char          *file;        ///< of the kernels
    unsigned char *image;       ///< its content
    unsigned       image_size;
    CudaBuffer  weights, arena;
    int         w, h;           ///< for which the arena is laid out
};

#define NAME(name, type) #name,
static const char *const kernels[] = { NN_CUDA_KERNELS(NAME) NULL };

/* ---- life ------------------------------------------------------------------------------ */

static void drop_file(NNCuda *n)
{
    ff_cudafilter_close(&n->cuda);
    av_freep(&n->image);
    av_freep(&n->file);
}

/* the best file of kernels that the driver takes */
static int load(NNCuda *n, AVBufferRef *device, const char *folder)
{
    const char *what;
    int i, ret;

    for (i = 0; (n->file = ff_nn_cuda_find(i, n->dev.capability, folder, &n->image, &n->image_size, &ret)); i++) {
        if (ret < 0) {
            av_log(n->ctx, AV_LOG_ERROR, "kernels %s cannot be read: %s: 'make kernels' builds them anew\n",
                   n->file, av_err2str(ret));
            return ret;
        }
        n->module = (CudaModule){ n->image, &n->image_size, kernels, n->file };
        ret = ff_cudafilter_open(&n->cuda, n->ctx, device, &n->module);
        if (ret != AVERROR(ENOSYS))
            return ret;
        drop_file(n);
    }
    if (ret < 0)
        return ret;
    what = i ? "that this driver takes" : "at all";
    if (folder && *folder)
        av_log(n->ctx, AV_LOG_ERROR, "%s: no kernels %s for compute capability %d.%d: 'make kernels' builds them\n",
               folder, what, n->dev.capability / 10, n->dev.capability % 10);
    else
        av_log(n->ctx, AV_LOG_ERROR, "no kernels %s for compute capability %d.%d in kernels or ../share/ffreel/kernels "
               "beside ffmpeg: name their folder by kernels=\n",
               what, n->dev.capability / 10, n->dev.capability % 10);
    return AVERROR(ENOENT);
}

int ff_nn_cuda_open(NNCuda **out, AVFilterContext *ctx, AVBufferRef *device, const NNGraph *g,
                    enum NNPrecision precision, const char *folder)
{
    NNCuda *n;
    int ret;

    *out = NULL;
    if (precision != NN_PREC_AUTO && precision != NN_PREC_FP16) {
        av_log(ctx, AV_LOG_VERBOSE, "engine cuda has fp16 only, not %s\n", ff_nn_precision_name(precision));
        return AVERROR(ENOSYS);
    }
    if (!(n = av_mallocz(sizeof(*n))))
        return AVERROR(ENOMEM);
    n->ctx = ctx;
    n->g   = g;
    if ((ret = ff_cudafilter_describe(&n->dev, ctx, device)) < 0)
        goto fail;
    if (n->dev.capability < 75) {
        av_log(ctx, AV_LOG_ERROR, "this GPU has compute capability %d.%d; nets need tensor cores, 7.5 (Turing, 2018) "
               "or more: use the filter for software frames\n", n->dev.capability / 10, n->dev.capability % 10);
        ret = AVERROR(ENOSYS);
        goto fail;
    }
    if ((ret = ff_nn_cuda_plan(&n->plan, g, ctx)) < 0 || (ret = load(n, device, folder)) < 0 ||
        (ret = ff_cudafilter_upload(n->cuda, &n->weights, n->plan.weights, n->plan.weights_size)) < 0)
        goto fail;
    av_freep(&n->plan.weights);
    *out = n;
    return 0;
fail:
    ff_nn_cuda_close(&n);
    return ret;
}

void ff_nn_cuda_close(NNCuda **out)
{
    NNCuda *n = *out;

    *out = NULL;
    if (!n)
        return;
    ff_cudafilter_buffer_free(n->cuda, &n->weights);
    ff_cudafilter_buffer_free(n->cuda, &n->arena);
    drop_file(n);
    ff_nn_cuda_plan_free(&n->plan);
    av_free(n);
}

CudaFilter *ff_nn_cuda_filter(NNCuda *n)
{
    return n->cuda;
}

const char *ff_nn_cuda_file(const NNCuda *n)
{
    return n->file;
}

static int too_large(const NNCuda *n, int w, int h)
{
    int most = 1;

    for (int i = 0; i < n->g->nb_nodes; i++)
        most = FFMAX(most, (n->g->nodes[i].num + n->g->nodes[i].den - 1) / n->g->nodes[i].den);
    return FFMAX(w, h) > MAX_SIZE / most;
}

size_t ff_nn_cuda_bytes(NNCuda *n, int w, int h)
{
    const size_t size = too_large(n, w, h) ? SIZE_MAX : ff_nn_cuda_plan_size(&n->plan, w, h);

    if (n->w)       /* the layout in use stays */
        ff_nn_cuda_plan_size(&n->plan, n->w, n->h);
    return size;
}

int ff_nn_cuda_reserve(NNCuda *n, int w, int h)
{
    if (too_large(n, w, h))
        return AVERROR(ENOMEM);
    n->w = w;
    n->h = h;
    return ff_cudafilter_try(n->cuda, &n->arena, ff_nn_cuda_plan_size(&n->plan, w, h));
}

/* ---- a tensor of the tile at hand --------------------------------------------------------- */

typedef struct View {
    nn_half *data;
    long long plane;            ///< pixels
    int w, h;                   ///< in memory
    int planes, c, up;
} View;

typedef struct Run {
    NNCuda *n;
    const NNCudaTile *t;
} Run;

static View view(const Run *r, int tensor)
{
    const NNCudaPlan *p = &r->n->plan;
    const NNCudaTensor *t = tensor >= 0 ? &p->tensors[tensor] : NULL;
    const NNCudaRoot *root = t ? &p->roots[t->root] : NULL;
    View v = { 0 };

    if (!t)
        return v;
    v.w      = r->t->w * root->num / root->den;
    v.h      = r->t->h * root->num / root->den;
    v.plane  = (long long)v.w * v.h;
    v.data   = (nn_half *)(r->n->arena.data + root->offset) + 8 * t->plane * v.plane;
    v.planes = t->planes;
    v.c      = t->c;
    v.up     = t->up;
    return v;
}

/* a thread a pixel */
static CudaGrid pixels(int w, int h, int layers)
{
    return (CudaGrid){ .w = w, .h = h, .layers = layers, .block_w = 32, .block_h = 8 };
}

/* ---- steps ------------------------------------------------------------------------------------- */

typedef struct Shape {
    int warps, resident, stages, shared;
    int per_sm;                 ///< blocks on a multiprocessor at a time
} Shape;

static int fill_shape(Shape *s, const CudaDevice *d, const NNCudaStep *step)
{
    s->shared = nn_conv3_shared(step->nt, s->warps, step->chunks, s->stages, s->resident);
    if (s->shared > d->shared)
        return 0;
    /* 64 channels take 220 to 240 registers a thread, 32 about 128, of 65536 */
    s->per_sm = FFMIN(d->shared_sm / (s->shared + 1024), (step->nt > 4 ? 8 : 16) / s->warps);
    s->per_sm = FFMAX(s->per_sm, 1);
    return 1;
}

/* FFREEL_CUDA_CONV=WARPS,RESIDENT,STAGES, for measuring */
static int forced_shape(Shape *s)
{
    const char *env = getenv("FFREEL_CUDA_CONV");

    return env && sscanf(env, "%d,%d,%d", &s->warps, &s->resident, &s->stages) == 3 &&
           (s->warps == 4 || s->warps == 8) && (s->stages == 2 || s->stages == 3);
}

/* the fewest pixels' worth of turns that multiprocessors take; of equals the first */
static Shape choose_shape(const CudaDevice *d, const NNCudaStep *step, int w, int h)
{
    static const Shape shapes[] = {
        { 8, 1, 3 }, { 8, 1, 2 }, { 8, 0, 3 }, { 8, 0, 2 }, { 4, 1, 3 }, { 4, 0, 3 }, { 4, 0, 2 },
    };
    Shape best = { 4, 0, 2 }, s;
    int64_t least = INT64_MAX;

    fill_shape(&best, d, step);
    if (forced_shape(&s) && fill_shape(&s, d, step))
        return s;
    for (int i = 0; i < FF_ARRAY_ELEMS(shapes); i++) {
        int64_t tiles, at_once, cost;
        s = shapes[i];
        if (!fill_shape(&s, d, step))
            continue;
        tiles   = (int64_t)((w + NN_TILE_W - 1) / NN_TILE_W) * ((h + NN_WARP_H * s.warps - 1) / (NN_WARP_H * s.warps));
        at_once = (int64_t)d->multiprocessors * s.per_sm;
        cost    = (tiles * step->groups + at_once - 1) / at_once * s.per_sm * s.warps;
        if (cost < least) {
            least = cost;
            best  = s;
        }
    }
    return best;
}

static int run_conv3(const Run *r, const NNCudaStep *s)
{
    const View src = view(r, s->src), dst = view(r, s->dst), res = view(r, s->other);
    const Shape shape = choose_shape(&r->n->dev, s, dst.w, dst.h);
    const uint8_t *weights = r->n->weights.data;
    NNConv3 p = {
        .src = src.data, .res = res.data, .dst = dst.data,
        .weights = (const unsigned *)(weights + s->weights),
        .bias = (const float *)(weights + s->bias), .slope = (const float *)(weights + s->slope),
        .src_plane = src.plane, .dst_plane = dst.plane, .res_plane = res.plane,
        .w = dst.w, .h = dst.h, .src_w = src.w, .up = (65536 + src.up - 1) / src.up,
        .src_planes = src.planes, .dst_planes = dst.planes, .chunks = s->chunks,
        .stages = shape.stages, .resident = shape.resident, .scale = s->scale[0], .res_scale = s->scale[1],
    };
    const int tile_h = NN_WARP_H * shape.warps;
    CudaGrid g;

    p.tiles_x = (p.w + NN_TILE_W - 1) / NN_TILE_W;
    p.tiles   = p.tiles_x * ((p.h + tile_h - 1) / tile_h);
    p.blocks  = av_clip(r->n->dev.multiprocessors * shape.per_sm / s->groups, 1, p.tiles);
    g = (CudaGrid){ .w = p.blocks * 32 * shape.warps, .h = 1, .layers = s->groups,
                    .block_w = 32 * shape.warps, .block_h = 1, .shared = shape.shared };
    return ff_cudafilter_launch(r->n->cuda, s->kernel, &g, &p);
}

static int run_conv_any(const Run *r, const NNCudaStep *s)
{
    const NNNode *n = &r->n->g->nodes[s->node];
    const View src = view(r, s->src), dst = view(r, s->dst);
    const uint8_t *weights = r->n->weights.data;
    const NNConvAny p = {
        .src = src.data, .dst = dst.data, .weights = (const float *)(weights + s->weights),
        .bias = (const float *)(weights + s->bias), .slope = (const float *)(weights + s->slope),
        .src_plane = src.plane, .dst_plane = dst.plane, .w = dst.w, .h = dst.h, .src_w = src.w, .src_h = src.h,
        .c = n->c, .in_c = src.c, .groups = n->groups, .kernel = n->kernel, .stride = n->stride,
    };
    const CudaGrid g = pixels(p.w, p.h, dst.planes);

    return ff_cudafilter_launch(r->n->cuda, NN_CUDA_CONV_ANY, &g, &p);
}

static int run_gather(const Run *r, const NNCudaStep *s)
{
    const View src = view(r, s->src), dst = view(r, s->dst);
    const NNGather p = {
        .src = src.data, .dst = dst.data, .src_plane = src.plane, .dst_plane = dst.plane,
        .w = dst.w, .h = dst.h, .src_w = src.w, .op = s->op, .factor = r->n->g->nodes[s->node].factor,
        .first = s->first, .nb = s->nb, .pad = s->pad,
    };
    const CudaGrid g = pixels(p.w, p.h, (s->first + s->nb + 7) / 8 - s->first / 8);

    return ff_cudafilter_launch(r->n->cuda, NN_CUDA_GATHER, &g, &p);
}

static int run_sum(const Run *r, const NNCudaStep *s)
{
    const View a = view(r, s->src), b = view(r, s->other), dst = view(r, s->dst);
    const NNSum p = {
        .a = a.data, .b = b.data, .dst = dst.data, .a_plane = a.plane, .b_plane = b.plane, .dst_plane = dst.plane,
        .slope = s->slope == SIZE_MAX ? NULL : (const float *)(r->n->weights.data + s->slope),
        .w = dst.w, .h = dst.h, .scale = { s->scale[0], s->scale[1] },
    };
    const CudaGrid g = pixels(p.w, p.h, dst.planes);

    return ff_cudafilter_launch(r->n->cuda, NN_CUDA_SUM, &g, &p);
}

static int run_put(const Run *r, const NNCudaStep *s)
{
    const View dst = view(r, s->dst);
    NNPut p = { .dst = dst.data, .in_stride = r->t->in_stride, .w = dst.w, .h = dst.h,
                .c = r->n->g->in_c, .lo = r->n->plan.lo };
    const CudaGrid g = pixels(p.w, p.h, 1);

    memcpy(p.in, r->t->in, sizeof(p.in));
    return ff_cudafilter_launch(r->n->cuda, NN_CUDA_PUT, &g, &p);
}

static int run_get(const Run *r, const NNCudaStep *s)
{
    const NNCudaTile *t = r->t;
    const NNGraph *g = r->n->g;
    const View src = view(r, s->src);
    NNGet p = {
        .src = src.data, .flag = t->flag,
        .src_plane = src.plane, .skip_stride = t->in_stride, .out_stride = t->out_stride,
        .src_w = src.w, .shuffle = r->n->plan.shuffle, .skip_factor = FFMAX(r->n->plan.skip, 1),
        .x = t->left * g->scale, .y = t->top * g->scale,
        .w = (t->w - t->left - t->right) * g->scale, .h = (t->h - t->top - t->bottom) * g->scale, .c = g->out_c,
        .mark = t->mark, .codes = t->codes, .scale = s->scale[0], .skip_scale = s->scale[1],
    };
    const CudaGrid grid = pixels(p.w, p.h, 1);

    if (r->n->plan.skip)
        memcpy(p.skip, t->in, sizeof(p.skip));
    memcpy(p.out, t->out, sizeof(p.out));
    memcpy(p.m, t->m, sizeof(t->m));
    return ff_cudafilter_launch(r->n->cuda, NN_CUDA_GET, &grid, &p);
}

static int run_step(const Run *r, const NNCudaStep *s)
{
    switch (s->kernel) {
    case NN_CUDA_CONV_ANY: return run_conv_any(r, s);
    case NN_CUDA_GATHER:   return run_gather(r, s);
    case NN_CUDA_SUM:      return run_sum(r, s);
    case NN_CUDA_PUT:      return run_put(r, s);
    case NN_CUDA_GET:      return run_get(r, s);
    default:               return run_conv3(r, s);
    }
}

int ff_nn_cuda_run(NNCuda *n, const NNCudaTile *t)
{
    const Run r = { n, t };
    int ret = 0;

    if (t->w < 1 || t->h < 1 || t->w > n->w || t->h > n->h || t->w % n->g->align || t->h % n->g->align ||
        t->left + t->right >= t->w || t->top + t->bottom >= t->h) {
        av_log(n->ctx, AV_LOG_ERROR, "engine cuda: tile %dx%d with margins %d,%d,%d,%d is none of at most %dx%d, "
               "align %d\n", t->w, t->h, t->left, t->top, t->right, t->bottom, n->w, n->h, n->g->align);
        return AVERROR(EINVAL);
    }
    for (int i = 0; i < n->plan.nb_steps && ret >= 0; i++)
        ret = run_step(&r, &n->plan.steps[i]);
    return ret;
}
