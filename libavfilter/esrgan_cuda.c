/*
 * Super-resolution on CUDA frames: one frame
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

#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "esrgan_cuda.h"
#include "esrgan_run.h"

#define FRAMES    8             ///< of the output that may be on their way
#define MIN_TILE 32             ///< input pixels; where not even that fits, memory is short

extern const unsigned char ff_vf_esrgan_cuda_ptx_data[];
extern const unsigned int  ff_vf_esrgan_cuda_ptx_len;

#define NAME(name, type) #name,
static const char *const kernels[] = { ESRGAN_CUDA_KERNELS(NAME) NULL };
static const CudaModule module = { ff_vf_esrgan_cuda_ptx_data, &ff_vf_esrgan_cuda_ptx_len, kernels };

/* ---- tiles and memory -------------------------------------------------------------- */

static size_t net_bytes(const void *opaque, int w, int h)
{
    return ff_nn_cuda_bytes((NNCuda *)opaque, w, h);
}

static int plan(ESRGANCuda *c, size_t budget, int tile)
{
    const NNGraph *g = c->par.graph;
    const ESRGANPlanParams pp = {
        .w = c->pic.aw, .h = c->pic.ah, .align = g->align, .tile = tile,
        .halo = c->par.halo == ESRGAN_HALO_AUTO  ? g->default_halo :
                c->par.halo == ESRGAN_HALO_EXACT ? g->halo : c->par.halo,
        .nb_threads = 1, .scratch_budget = FFMAX(budget, 1), .scratch = net_bytes, .opaque = c->net,
    };

    return ff_esrgan_plan(&c->plan, &pp);
}

/* the largest tile, margins and all */
static void tile_size(const ESRGANPlan *p, int *w, int *h)
{
    *w = FFMIN(p->w, p->tile_w + 2 * p->halo);
    *h = FFMIN(p->h, p->tile_h + 2 * p->halo);
}

static int no_memory(const ESRGANCuda *c)
{
    av_log(c->par.ctx, AV_LOG_ERROR, "the GPU has no memory for tiles of %dx%d: %s\n", c->plan.tile_w, c->plan.tile_h,
           c->par.tile ? "give a smaller tile=" : "end other programs on it");
    return AVERROR(ENOMEM);
}

/* tiles as large as memory allows; another program may take some of it meanwhile */
static int plan_tiles(ESRGANCuda *c, AVBufferRef *device)
{
    CudaDevice d;
    int w, h, ret = ff_cudafilter_describe(&d, c->par.ctx, device);
    /* some is left for frames that others hold, of up to 3 bytes a pixel */
    const size_t frames = FRAMES * (size_t)3 * c->par.geo.ow * c->par.geo.oh, usable = d.memory_free / 10 * 9;
    size_t budget = usable > frames ? usable - frames : 1;

    if (ret < 0)
        return ret;
    while ((ret = plan(c, budget, c->par.tile)) >= 0) {
        tile_size(&c->plan, &w, &h);
        ret = ff_nn_cuda_reserve(c->net, w, h);
        if (ret != AVERROR(ENOMEM))
            break;
        if (c->par.tile || FFMAX(c->plan.tile_w, c->plan.tile_h) <= MIN_TILE)
            return no_memory(c);
        budget = FFMIN(budget, net_bytes(c->net, w, h)) / 2;
    }
    if (ret >= 0)
        av_log(c->par.ctx, AV_LOG_VERBOSE, "engine cuda, fp16, for %s: net picture %dx%d in %d tiles of %dx%d, "
               "halo %d, %zu MiB for layers, kernels %s\n", c->par.graph->arch, c->par.geo.nw, c->par.geo.nh,
               c->plan.cols * c->plan.rows, c->plan.tile_w, c->plan.tile_h, c->plan.halo,
               net_bytes(c->net, w, h) >> 20, ff_nn_cuda_file(c->net));
    return ret;
}

static int alloc_pictures(ESRGANCuda *c)
{
    const int s = c->par.geo.scale;
    int ret;

    c->rgb_stride    = FFALIGN(c->pic.aw, 32);
    c->result_stride = FFALIGN(c->pic.aw * s, 32);
    if ((ret = ff_cudafilter_try(c->cuda, &c->rgb, 3 * sizeof(float) * c->rgb_stride * c->pic.ah)) >= 0)
        ret = ff_cudafilter_try(c->cuda, &c->result, 3 * sizeof(float) * c->result_stride * c->pic.ah * s);
    if (ret == AVERROR(ENOMEM))
        av_log(c->par.ctx, AV_LOG_ERROR, "the GPU has no memory for the net's result, %zu MB: end other programs "
               "on it, or give a smaller picture, e.g. by prescale=auto\n",
               3 * sizeof(float) * c->result_stride * c->pic.ah * s / 1000000);
    return ret;
}

/* ---- life ------------------------------------------------------------------------------ */

static int open_net(ESRGANCuda *c, AVBufferRef *device, const char *folder)
{
    int ret;

    if ((ret = ff_nn_cuda_open(&c->net, c->par.ctx, device, c->par.graph, c->par.precision, folder)) < 0) {
        if (ret == AVERROR(ENOSYS))
            av_log(c->par.ctx, AV_LOG_ERROR, "engine cuda cannot run %s in precision %s; try precision=auto, or the "
                   "filter esrgan on software frames\n", c->par.graph->arch, ff_nn_precision_name(c->par.precision));
        return ret;
    }
    if (!(c->flag = ff_cudafilter_host_alloc(c->cuda, sizeof(*c->flag))))
        return AVERROR(ENOMEM);
    if ((ret = alloc_pictures(c)) < 0)
        return ret;
    return plan_tiles(c, device);
}

int ff_esrgan_cuda_open(ESRGANCuda *c, const ESRGANCudaParams *par)
{
    int ret;

    memset(c, 0, sizeof(*c));
    c->par = *par;
    if (par->graph) {
        c->par.geo.scale = par->graph->scale;
        c->par.geo.align = par->graph->align;
    } else {
        c->par.geo.nw = c->par.geo.nh = 0;
        c->par.geo.scale = c->par.geo.align = 1;
    }
    c->siting[0] = -1;
    if ((ret = ff_esrgan_pic_init(&c->pic, &c->par.geo, par->format, 0, par->ctx)) < 0 ||
        (ret = ff_cudafilter_open(&c->cuda, par->ctx, par->device, &module)) < 0 ||
        (par->graph && (ret = open_net(c, par->device, par->kernels)) < 0))
        return ret;
    if (av_log_get_level() >= AV_LOG_VERBOSE)
        c->clock = ff_cudafilter_clock(c->cuda, ESRGAN_CUDA_STAGES + 1);
    return 0;
}

void ff_esrgan_cuda_close(ESRGANCuda *c)
{
    if (c->cuda)
        ff_cudafilter_wait(c->cuda);
    ff_nn_cuda_close(&c->net);
    ff_cudafilter_buffer_free(c->cuda, &c->rgb);
    ff_cudafilter_buffer_free(c->cuda, &c->result);
    ff_cudafilter_buffer_free(c->cuda, &c->tables);
    if (c->flag)
        ff_cudafilter_host_free(c->cuda, (void **)&c->flag);
    ff_cudafilter_clock_free(c->cuda, &c->clock);
    ff_cudafilter_close(&c->cuda);
    ff_esrgan_pic_uninit(&c->pic);
}

/* ---- tables ---------------------------------------------------------------------------- */

/* @return bytes that the filter takes in the tables; with mem it is copied there */
static size_t put_axis(SrAxis *a, const NNFilter *f, uint8_t *mem, const uint8_t *device, size_t at)
{
    const size_t pos = FFALIGN(f->n_out * sizeof(*f->pos), 16), coef = (size_t)f->n_out * f->taps * sizeof(*f->coef);

    *a = (SrAxis){ .taps = 1 };
    if (!f->n_out || f->identity)
        return 0;
    if (mem) {
        memcpy(mem + at, f->pos, f->n_out * sizeof(*f->pos));
        memcpy(mem + at + pos, f->coef, coef);
        *a = (SrAxis){ (const int *)(device + at), (const float *)(device + at + pos), f->taps };
    }
    return FFALIGN(pos + coef, 16);
}

static size_t put_filters(ESRGANCuda *c, uint8_t *mem)
{
    const ESRGANFilters *from[] = { &c->pic.in, &c->pic.out, &c->pic.plain };
    SrFilters *to[] = { &c->in, &c->out, &c->plain };
    size_t at = 0;

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            at += put_axis(&to[i]->h[k], &from[i]->h[k], mem, c->tables.data, at);
            at += put_axis(&to[i]->v[k], &from[i]->v[k], mem, c->tables.data, at);
        }
    return at;
}

/* again when chroma lies elsewhere than in the frame before */
static int make_tables(ESRGANCuda *c)
{
    uint8_t *mem;
    size_t size;
    int ret;

    if (!memcmp(c->siting, c->pic.siting, sizeof(c->siting)))
        return 0;
    size = put_filters(c, NULL);
    if (!(mem = av_mallocz(size + 1)))
        return AVERROR(ENOMEM);
    ret = ff_cudafilter_reserve(c->cuda, &c->tables, FFMAX(size, 1));
    if (ret >= 0) {
        put_filters(c, mem);
        ret = ff_cudafilter_upload(c->cuda, &c->tables, mem, size);
    }
    av_free(mem);
    if (ret >= 0)
        memcpy(c->siting, c->pic.siting, sizeof(c->siting));
    return ret;
}

/* ---- a frame ----------------------------------------------------------------------------- */

static SrComp component(const ESRGANCuda *c, const AVFrame *f, int comp, int w, int h)
{
    const NNFormat *fmt = &c->pic.fmt;
    const NNComp *n = &fmt->comp[comp];

    return (SrComp){
        .data = f->data[n->plane] + n->offset, .stride = f->linesize[n->plane],
        .step = n->step, .bytes = n->type == NN_SAMPLE_U8 ? 1 : 2, .shift = n->shift,
        .w = ff_nn_comp_size(fmt, comp, 0, w), .h = ff_nn_comp_size(fmt, comp, 1, h),
        .chroma = n->chroma, .lo = n->lo, .hi = n->hi, .max = n->max,
    };
}

static CudaGrid grid(int w, int h, int layers)
{
    return (CudaGrid){ .w = w, .h = h, .layers = layers, .block_w = 32, .block_h = 8 };
}

static int queue_in(ESRGANCuda *c, const AVFrame *in)
{
    const ESRGANGeometry *g = &c->par.geo;
    SrIn p = { .f = c->in, .stride = c->rgb_stride, .nb_color = c->pic.fmt.nb_color,
               .nw = g->nw, .nh = g->nh, .aw = c->pic.aw, .ah = c->pic.ah };
    const CudaGrid gr = grid(p.aw, p.ah, 1);

    for (int i = 0; i < 3; i++) {
        p.comp[i] = component(c, in, FFMIN(i, p.nb_color - 1), g->iw, g->ih);
        p.out[i]  = (float *)c->rgb.data + i * c->rgb_stride * c->pic.ah;
    }
    for (int i = 0; i < 3; i++)
        memcpy(p.m[i], c->pic.fmt.in[p.nb_color == 3 ? i : 0], sizeof(p.m[i]));
    return ff_cudafilter_launch(c->cuda, SR_IN, &gr, &p);
}

static int queue_tile(ESRGANCuda *c, int i)
{
    const int s = c->par.geo.scale;
    const ptrdiff_t in_plane = c->rgb_stride * c->pic.ah, out_plane = c->result_stride * c->pic.ah * s;
    ESRGANTile t;
    NNCudaTile n;

    ff_esrgan_plan_tile(&c->plan, i, &t);
    n = (NNCudaTile){
        .in_stride = c->rgb_stride, .w = t.left + t.w + t.right, .h = t.top + t.h + t.bottom,
        .left = t.left, .top = t.top, .right = t.right, .bottom = t.bottom,
        .out_stride = c->result_stride, .codes = 1, .flag = c->flag, .mark = c->frames,
    };
    for (int k = 0; k < 3; k++) {
        n.in[k]  = (float *)c->rgb.data + k * in_plane + (t.y - t.top) * c->rgb_stride + t.x - t.left;
        n.out[k] = (float *)c->result.data + k * out_plane + t.y * s * c->result_stride + t.x * s;
    }
    memcpy(n.m, c->pic.fmt.out, sizeof(n.m));
    return ff_nn_cuda_run(c->net, &n);
}

/* where the byte of packed RGB that no component has lies, as seen from component comp */
static int unused(const NNFormat *f, int comp)
{
    const NNComp *c = f->comp;
    const int last = FFMAX3(c[0].offset, c[1].offset, c[2].offset);

    if (!(f->desc->flags & AV_PIX_FMT_FLAG_RGB) || f->nb_comps != 3 || c[0].type != NN_SAMPLE_U8 || c[0].step != 4)
        return 0;
    return last == 2 ? c[comp].offset == 2 : -(c[comp].offset == 1);
}

static int queue_out(ESRGANCuda *c, AVFrame *out, const AVFrame *in, float strength)
{
    const ESRGANGeometry *g = &c->par.geo;
    const int nb = c->pic.fmt.nb_comps;
    const ptrdiff_t plane = c->result_stride * c->pic.ah * g->scale;
    SrOut p = { .out = c->out, .plain = c->plain, .stride = c->result_stride, .strength = strength };
    const CudaGrid gr = grid(g->ow, g->oh, nb);

    for (int i = 0; i < nb; i++) {
        p.comp[i].src  = component(c, in,  i, g->iw, g->ih);
        p.comp[i].dst  = component(c, out, i, g->ow, g->oh);
        p.comp[i].fill = unused(&c->pic.fmt, i);
        if (strength > 0 && i < c->pic.fmt.nb_color)
            p.comp[i].net = (const float *)c->result.data + i * plane;
    }
    return ff_cudafilter_launch(c->cuda, SR_OUT, &gr, &p);
}

/* ---- times and what went wrong ------------------------------------------------------------- */

/* takes the times of a frame before, if it is done */
static void collect(ESRGANCuda *c)
{
    double ms[ESRGAN_CUDA_STAGES];

    if (!c->timing || ff_cudafilter_elapsed(c->cuda, c->clock, 0, ESRGAN_CUDA_STAGES, &ms[0]) <= 0)
        return;
    c->timing = 0;
    for (int i = 0; i < ESRGAN_CUDA_STAGES; i++)
        if (ff_cudafilter_elapsed(c->cuda, c->clock, i, i + 1, &ms[i]) <= 0)
            return;
    c->timed++;
    for (int i = 0; i < ESRGAN_CUDA_STAGES; i++)
        c->ms[i] += ms[i];
}

/* @return 1 if this frame is to be measured: those before are done with the marks */
static int starts_timing(ESRGANCuda *c)
{
    if (!c->clock)
        return 0;
    collect(c);
    return c->timing ? 0 : (c->timing = 1);
}

static int mark(ESRGANCuda *c, int timed, int i, int ret)
{
    return timed && ret >= 0 ? ff_cudafilter_mark(c->cuda, c->clock, i) : ret;
}

/* kernels write the number of a frame that is not finite; nobody waits for it */
static int check(const ESRGANCuda *c)
{
    const int bad = c->flag ? *(volatile int *)c->flag : 0;

    if (!bad)
        return 0;
    av_log(c->par.ctx, AV_LOG_ERROR, "frame %d: the net gives NaN or infinity in fp16: run it in fp32, with the filter "
           "esrgan on software frames (hwdownload, esrgan=precision=fp32)\n", bad - 1);
    return AVERROR_INVALIDDATA;
}

static int queue_net(ESRGANCuda *c, const AVFrame *in, int timed)
{
    int ret = mark(c, timed, ESRGAN_CUDA_NET, queue_in(c, in));

    for (int i = 0; i < c->plan.cols * c->plan.rows && ret >= 0; i++)
        ret = queue_tile(c, i);
    return mark(c, timed, ESRGAN_CUDA_OUT, ret);
}

int ff_esrgan_cuda_frame(ESRGANCuda *c, AVFrame *out, const AVFrame *in, float strength)
{
    int timed, ret = check(c);

    if (ret < 0 || (ret = ff_esrgan_pic_start(&c->pic, in, c->par.ctx)) < 0 || (ret = make_tables(c)) < 0)
        return ret;
    c->frames++;
    timed = strength > 0 && starts_timing(c);
    ret   = mark(c, timed, ESRGAN_CUDA_IN, 0);
    if (strength > 0 && ret >= 0)
        ret = queue_net(c, in, timed);
    if (ret >= 0)
        ret = queue_out(c, out, in, strength);
    return mark(c, timed, ESRGAN_CUDA_STAGES, ret);
}

int ff_esrgan_cuda_finish(ESRGANCuda *c)
{
    int ret = c->cuda ? ff_cudafilter_wait(c->cuda) : 0;

    if (ret < 0)
        return ret;
    collect(c);
    return check(c);
}
