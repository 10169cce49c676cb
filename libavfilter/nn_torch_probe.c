/*
 * Nets: what a TorchScript file does, found by running it
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

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/cpu.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_torch.h"

/*
 * Scale and alignment: the net is run on small pictures whose sides are odd
 * multiples of 1, 2, 4, ... until one comes out a whole number of times as large.
 *
 * Halo: a NaN spreads through everything that a sample takes part in, also where a
 * factor is 0 or an activation cuts off. So a strip with NaN in the middle shows
 * how far a pixel reaches, whatever the weights. Where an implementation computes
 * by blocks (Winograd) the NaN may spread further than it must: then the halo is
 * larger than need be. Dilated convolutions leave gaps; what seems to be the
 * radius counts only if nothing follows in as much again.
 */

#define MAX_ALIGN   64
#define MAX_SCALE   16
#define MIN_SIDE    17
#define STRIP_H     16
/* half a strip, beyond its middle */
static const int strips[] = { 2 * NN_TORCH_EXACT_HALO, 2 * NN_TORCH_MAX_RADIUS };
#define MAX_THREADS 8           ///< more would not be faster on pictures so small

typedef struct Probe {
    const NNTorchLib *lib;
    FFreelTorch *net;
    const char  *path;
    NNGraph     *g;
    char         why[NN_TORCH_ERR]; ///< of the last run that did not serve
    void        *log;
} Probe;

/* ---- one run --------------------------------------------------------------------- */

FFreelTorchTensor ff_nn_torch_picture(float *data, int w, int h)
{
    return (FFreelTorchTensor){
        .data = data, .type = FFREEL_TORCH_F32, .nb_dims = 4, .dims = { 1, 3, h, w },
        .strides = { (int64_t)3 * h * w, (int64_t)h * w, w, 1 },
    };
}

static void describe(char *s, size_t size, const FFreelTorchTensor *t)
{
    size_t n = 0;

    snprintf(s, size, t->nb_dims ? "" : "a number");
    for (int i = 0; i < t->nb_dims && n < size; i++)
        n += snprintf(s + n, size - n, "%s%lld", i ? "x" : "", (long long)t->dims[i]);
}

int ff_nn_torch_run(const NNTorchLib *lib, FFreelTorch *net, float *data, int w, int h,
                    FFreelTorchTensor *t, char *why)
{
    const FFreelTorchTensor in = ff_nn_torch_picture(data, w, h);
    char shape[128];
    int ret = lib->run(net, &in, 1, NULL, why, NN_TORCH_ERR);

    if (ret < 0)
        return ff_nn_torch_error(ret);
    if (lib->nb_results(net) != 1) {
        snprintf(why, NN_TORCH_ERR, "it gives %d tensors, not one picture", lib->nb_results(net));
        return AVERROR_PATCHWELCOME;
    }
    if ((ret = lib->result(net, 0, 1, t, why, NN_TORCH_ERR)) < 0)
        return ff_nn_torch_error(ret);
    describe(shape, sizeof(shape), t);
    if (t->type != FFREEL_TORCH_F32)
        snprintf(why, NN_TORCH_ERR, "it gives integers (%s), not a picture in 0 to 1", shape);
    else if (t->nb_dims != 4 || t->dims[0] != 1)
        snprintf(why, NN_TORCH_ERR, "it makes %s of a picture of 1x3x%dx%d", shape, h, w);
    else
        return 0;
    return AVERROR_PATCHWELCOME;
}

/* a picture of its own content, with NaN in nan columns from nan_x on; *t as ff_nn_torch_run */
static int probe_run(Probe *p, int w, int h, int nan_x, int nan, FFreelTorchTensor *t)
{
    float *data = av_malloc_array((size_t)w * h, 3 * sizeof(*data));
    uint32_t s = 1;
    int ret;

    if (!data) {
        snprintf(p->why, sizeof(p->why), "out of memory");
        return AVERROR(ENOMEM);
    }
    for (size_t i = 0; i < (size_t)3 * w * h; i++) {
        const int x = i % w;
        s = s * 1664525 + 1013904223;
        data[i] = x >= nan_x && x < nan_x + nan ? NAN : (s >> 8) / 16777216.f;
    }
    ret = ff_nn_torch_run(p->lib, p->net, data, w, h, t, p->why);
    p->g->bytes = FFMAX(p->g->bytes, p->lib->peak(p->net) / ((int64_t)w * h));
    av_free(data);
    return ret;
}

/* ---- scale ----------------------------------------------------------------------- */

/* @return the scale, or 0 with p->why */
static int scale_of(Probe *p, const FFreelTorchTensor *t, int w, int h)
{
    const int s = t->dims[3] / w;

    if (s >= 1 && s <= MAX_SCALE && t->dims[3] == (int64_t)w * s && t->dims[2] == (int64_t)h * s)
        return s;
    snprintf(p->why, sizeof(p->why), "it makes %lldx%lld of a picture of %dx%d, which is no whole multiple",
             (long long)t->dims[3], (long long)t->dims[2], w, h);
    return 0;
}

static int odd_sides(int align)
{
    return (MIN_SIDE + align - 1) / align | 1;
}

static int find_scale(Probe *p)
{
    NNGraph *g = p->g;
    FFreelTorchTensor t;
    int ret;

    for (g->align = 1; g->align <= MAX_ALIGN; g->align *= 2) {
        const int h = odd_sides(g->align) * g->align, w = h + 2 * g->align;
        ret = probe_run(p, w, h, 0, 0, &t);
        if (ret == AVERROR(ENOMEM)) {
            av_log(p->log, AV_LOG_ERROR, "%s: on %dx%d: %s\n", p->path, w, h, p->why);
            return ret;
        }
        if (ret < 0 || !(g->scale = scale_of(p, &t, w, h)))
            continue;
        g->in_c  = 3;
        g->out_c = FFMIN(t.dims[1], INT_MAX);
        return 0;
    }
    av_log(p->log, AV_LOG_ERROR, "%s: %s; esrgan needs a net that takes 1x3xHxW of any size in 0 to 1 and gives the same "
           "some times as large\n", p->path, p->why);
    return AVERROR_PATCHWELCOME;
}

/* ---- halo ------------------------------------------------------------------------ */

static int column_has_nan(const FFreelTorchTensor *t, int64_t x)
{
    const float *d = t->data;

    for (int64_t c = 0; c < t->dims[1]; c++)
        for (int64_t y = 0; y < t->dims[2]; y++)
            if (isnan(d[c * t->strides[1] + y * t->strides[2] + x * t->strides[3]]))
                return 1;
    return 0;
}

/* how far, in input pixels, NaN in columns m .. m + align - 1 has come; -1 = too far to tell, or nowhere */
static int nan_reach(const NNGraph *g, const FFreelTorchTensor *t, int m)
{
    int64_t lo = 0, hi = t->dims[3] - 1;
    int reach;

    while (lo <= hi && !column_has_nan(t, lo))
        lo++;
    while (hi >= lo && !column_has_nan(t, hi))
        hi--;
    if (lo > hi)
        return -1;
    reach = FFMAX3(0, m - (int)(lo / g->scale), (int)(hi / g->scale) - (m + g->align - 1));
    return 2 * reach <= m ? reach : -1;
}

/* @return the radius, -1 = not known */
static int find_radius(Probe *p)
{
    const NNGraph *g = p->g;
    const int h = FFALIGN(STRIP_H, g->align);

    for (int i = 0; i < FF_ARRAY_ELEMS(strips); i++) {
        const int m = FFALIGN(strips[i], g->align), w = 2 * m + g->align;
        FFreelTorchTensor t;
        int ret = probe_run(p, w, h, m, g->align, &t);
        if (ret < 0 || scale_of(p, &t, w, h) != g->scale) {
            av_log(p->log, AV_LOG_VERBOSE, "%s: radius not measured on %dx%d: %s\n", p->path, w, h, p->why);
            return -1;
        }
        if ((ret = nan_reach(g, &t, m)) >= 0)
            return ret;
    }
    return -1;
}

static void find_halo(Probe *p)
{
    NNGraph *g = p->g;
    const int radius = find_radius(p);

    g->halo = radius < 0 ? NN_TORCH_ALL_HALO : FFALIGN(radius, g->align);
    g->default_halo = g->halo <= NN_TORCH_EXACT_HALO ? g->halo : FFALIGN(NN_TORCH_HALO, g->align);
}

/* ---- the file -------------------------------------------------------------------- */

static int probe(Probe *p)
{
    FFreelTorchOptions opt = {
        .path = p->path, .device = "cpu", .type = FFREEL_TORCH_F32,
        .threads = av_clip(av_cpu_count(), 1, MAX_THREADS),
    };
    int ret = p->lib->open(&p->net, &opt, p->why, sizeof(p->why));

    if (ret < 0) {
        av_log(p->log, AV_LOG_ERROR, "%s: %s: %s\n", p->path, p->lib->version(), p->why);
        return ff_nn_torch_error(ret);
    }
    p->g->nb_weights = p->lib->nb_params(p->net);
    if ((ret = find_scale(p)) >= 0)
        find_halo(p);
    p->lib->close(&p->net);
    return ret;
}

int ff_nn_load_torchscript(NNGraph **out, const char *path, void *log)
{
    Probe p = { .path = path, .log = log };
    int ret = ff_nn_torch_lib(&p.lib, log);

    *out = NULL;
    if (ret < 0)
        return ret;
    p.g = av_mallocz(sizeof(*p.g));
    if (!p.g || !(p.g->script = av_strdup(path)))
        ret = AVERROR(ENOMEM);
    else
        ret = probe(&p);
    if (ret < 0) {
        ff_nn_graph_free(&p.g);
        return ret;
    }
    snprintf(p.g->arch, sizeof(p.g->arch), "TorchScript x%d", p.g->scale);
    *out = p.g;
    return 0;
}
