/*
 * Runs a net over frames, with all threads
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


#include <stdatomic.h>
#include <string.h>

#include "config.h"
#if HAVE_UNISTD_H
#include <unistd.h>
#endif

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/time.h"
#include "esrgan_run.h"

/* about so much of the net's result is kept: 4 times 1080p passes whole, 2160p in parts */
#define RESULT_BUDGET ((size_t)512 << 20)
/* engine scratch of all threads: a quarter of the machine's memory, at most this */
#define SCRATCH_BUDGET ((size_t)2 << 30)

typedef struct FrameJob {
    ESRGANRun     *run;
    const AVFrame *in;
    AVFrame       *out;
    float          strength;
    int            y0, y1;      /* output rows */

    NNRunner      *runner;
    int            end;         /* tiles next .. end-1 are to do */
    int            only_bad;
    atomic_int     next, error;
} FrameJob;

/* ---- life -------------------------------------------------------------------- */

static size_t scratch_budget(void)
{
#if HAVE_UNISTD_H && defined(_SC_PHYS_PAGES)
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    if (pages > 0 && size > 0)
        return FFMIN(SCRATCH_BUDGET, (size_t)pages / 4 * size);
#endif
    return SCRATCH_BUDGET;
}

static size_t engine_scratch(const void *opaque, int w, int h)
{
    const NNRunner *r = opaque;
    return r->engine->scratch(r->ctx, w, h);
}

static int plan_tiles(ESRGANRun *r)
{
    const NNGraph *g = r->par.graph;
    ESRGANPlanParams pp = {
        .w              = r->pic.aw,
        .h              = r->pic.ah,
        .align          = g->align,
        .halo           = r->par.halo == ESRGAN_HALO_AUTO  ? g->default_halo :
                          r->par.halo == ESRGAN_HALO_EXACT ? g->halo : r->par.halo,
        .tile           = r->par.tile,
        .nb_threads     = r->runner.engine->own_threads ? 1 : r->par.nb_threads,
        .scratch_budget = scratch_budget(),
        .scratch        = engine_scratch,
        .opaque         = &r->runner,
        .row_bytes      = (size_t)r->pic.aw * g->scale * g->scale * 3 * sizeof(float),
        .result_budget  = RESULT_BUDGET,
    };
    int ret = ff_esrgan_plan(&r->plan, &pp);

    if (ret < 0)
        return ret;
    r->bad = av_calloc(r->plan.cols * r->plan.rows, 1);
    if (!r->bad)
        return AVERROR(ENOMEM);
    av_log(r->par.log, AV_LOG_VERBOSE, "net picture %dx%d in %d tiles of %dx%d, halo %d, %d rows of tiles at a time\n",
           r->par.geo.nw, r->par.geo.nh, r->plan.cols * r->plan.rows,
           r->plan.tile_w, r->plan.tile_h, r->plan.halo, r->plan.group);
    return 0;
}

int ff_esrgan_run_open(ESRGANRun *r, const ESRGANRunParams *par)
{
    NNConfig cfg = { par->precision, par->nb_threads, par->log, par->device, par->filter, par->kernels };
    int ret;

    memset(r, 0, sizeof(*r));
    r->par = *par;
    if (par->graph) {
        r->par.geo.scale = par->graph->scale;
        r->par.geo.align = par->graph->align;
    } else {
        r->par.geo.nw = r->par.geo.nh = 0;
        r->par.geo.scale = r->par.geo.align = 1;
    }
    ret = ff_esrgan_pic_init(&r->pic, &r->par.geo, par->format, par->nb_threads, par->log);
    if (ret < 0 || !par->graph)
        return ret;
    ret = ff_nn_runner_open(&r->runner, par->engine, par->graph, &cfg);
    return ret < 0 ? ret : plan_tiles(r);
}

void ff_esrgan_run_close(ESRGANRun *r)
{
    ff_nn_runner_close(&r->runner);
    ff_nn_runner_close(&r->safe);
    ff_esrgan_pic_uninit(&r->pic);
    av_freep(&r->bad);
}

/* ---- jobs -------------------------------------------------------------------- */

static void in_job(void *arg, int job, int nb_jobs)
{
    FrameJob *f = arg;
    ESRGANPic *pic = &f->run->pic;

    ff_esrgan_pic_in(pic, f->in, job, (int64_t)pic->ah * job / nb_jobs,
                     (int64_t)pic->ah * (job + 1) / nb_jobs);
}

static void out_job(void *arg, int job, int nb_jobs)
{
    FrameJob *f = arg;
    ESRGANPic *pic = &f->run->pic;
    int log2 = pic->fmt.desc->log2_chroma_h;
    int64_t n = AV_CEIL_RSHIFT(f->y1 - f->y0, log2);
    int a = f->y0 + ((n *  job      / nb_jobs) << log2);
    int b = f->y0 + ((n * (job + 1) / nb_jobs) << log2);

    ff_esrgan_pic_out(pic, f->in, f->out, f->strength, job, a, FFMIN(b, f->y1));
}

static int run_tile(FrameJob *f, int slot, int i)
{
    ESRGANRun *r = f->run;
    int s = r->pic.geo.scale, ret;
    ESRGANTile t;
    NNTile n;

    ff_esrgan_plan_tile(&r->plan, i, &t);
    n = (NNTile){
        .in_stride  = r->pic.rgb_stride,
        .w          = t.left + t.w + t.right,
        .h          = t.top + t.h + t.bottom,
        .left       = t.left,  .top    = t.top,
        .right      = t.right, .bottom = t.bottom,
        .out_stride = r->pic.net_stride,
    };
    for (int c = 0; c < 3; c++) {
        n.in[c]  = r->pic.rgb[c] + (t.y - t.top) * r->pic.rgb_stride + t.x - t.left;
        n.out[c] = ff_esrgan_pic_net(&r->pic, c, t.x * s, t.y * s);
    }
    ret = f->runner->engine->run(f->runner->ctx, slot, &n);
    if (ret >= 0)
        r->bad[i] = !ff_esrgan_pic_codes(&r->pic, t.x * s, t.y * s, t.w * s, t.h * s);
    return ret;
}

static void net_job(void *arg, int job, int nb_jobs)
{
    FrameJob *f = arg;
    int i, ret;

    while ((i = atomic_fetch_add(&f->next, 1)) < f->end) {
        if (f->only_bad && !f->run->bad[i])
            continue;
        if ((ret = run_tile(f, job, i)) < 0) {
            atomic_store(&f->error, ret);
            return;
        }
    }
}

/* ---- a frame ----------------------------------------------------------------- */

static void execute(FrameJob *f, ESRGANJob *job)
{
    f->run->par.execute(f->run->par.opaque, job, f, f->run->par.nb_threads);
}

static int run_tiles(FrameJob *f, NNRunner *runner, int first, int end, int only_bad)
{
    int bad = 0;

    f->runner   = runner;
    f->end      = end;
    f->only_bad = only_bad;
    atomic_store(&f->next, first);
    if (runner->engine->own_threads)
        net_job(f, 0, 1);
    else
        execute(f, net_job);
    if (atomic_load(&f->error) < 0) {
        av_log(f->run->par.log, AV_LOG_ERROR, "engine %s failed on a tile: %s\n",
               runner->engine->name, av_err2str(atomic_load(&f->error)));
        return atomic_load(&f->error);
    }
    for (int i = first; i < end; i++)
        bad += f->run->bad[i];
    return bad;
}

/** tiles first .. end-1, those with NaN or infinity once more in fp32 */
static int net_tiles(FrameJob *f, int first, int end)
{
    ESRGANRun *r = f->run;
    NNConfig cfg = { NN_PREC_FP32, r->par.nb_threads, r->par.log, r->par.device };
    enum NNPrecision prec = r->runner.engine->precision(r->runner.ctx);
    int ret = run_tiles(f, &r->runner, first, end, 0);

    if (ret <= 0)
        return ret;
    if (prec != NN_PREC_FP32) {
        av_log(r->par.log, AV_LOG_WARNING, "the net gives NaN or infinity in %s at pts %"PRId64
               ": %d of %d tiles are redone in fp32\n", ff_nn_precision_name(prec),
               f->in->pts, ret, end - first);
        r->redone += ret;
        if (!r->safe.engine && (ret = ff_nn_runner_open(&r->safe, "auto", r->par.graph, &cfg)) < 0)
            return ret;
        ret = run_tiles(f, &r->safe, first, end, 1);
        if (ret <= 0)
            return ret;
    }
    av_log(r->par.log, AV_LOG_ERROR, "the net gives NaN or infinity in fp32 at pts %"PRId64
           ": its weights are unfit for this picture\n", f->in->pts);
    return AVERROR_INVALIDDATA;
}

/** rows of the net's result that are there when the row of tiles before this is done */
static int result_rows(const ESRGANRun *r, int tile_row)
{
    return FFMIN(tile_row * r->plan.tile_h, r->plan.h) * r->pic.geo.scale;
}

/** rows that must be in memory at once, which the filters' lengths decide */
static int window_rows(const ESRGANRun *r)
{
    int first = 0, rows = 0;

    for (int row = 0; row < r->plan.rows; row += r->plan.group) {
        int done = result_rows(r, row + r->plan.group);
        rows  = FFMAX(rows, done - first);
        first = FFMIN(done, ff_esrgan_pic_needs(&r->pic, ff_esrgan_pic_ready(&r->pic, done)));
    }
    return rows;
}

static int64_t lap(int64_t *total, int64_t since)
{
    int64_t now = av_gettime_relative();
    *total += now - since;
    return now;
}

static int net_frame(FrameJob *f, int64_t now)
{
    ESRGANRun *r = f->run;
    int rows = window_rows(r), ret;

    if (rows > r->pic.net_rows && (ret = ff_esrgan_pic_window(&r->pic, rows, r->par.log)) < 0)
        return ret;
    execute(f, in_job);
    now = lap(&r->us_in, now);
    for (int row = 0; row < r->plan.rows; row += r->plan.group) {
        int end = FFMIN(row + r->plan.group, r->plan.rows), done = result_rows(r, end);

        if ((ret = net_tiles(f, row * r->plan.cols, end * r->plan.cols)) < 0)
            return ret;
        now = lap(&r->us_net, now);
        f->y1 = ff_esrgan_pic_ready(&r->pic, done);
        execute(f, out_job);
        ff_esrgan_pic_slide(&r->pic, ff_esrgan_pic_needs(&r->pic, f->y1), done);
        f->y0 = f->y1;
        now = lap(&r->us_out, now);
    }
    return 0;
}

int ff_esrgan_run_frame(ESRGANRun *r, const AVFrame *in, AVFrame *out, float strength)
{
    FrameJob f = { .run = r, .in = in, .out = out, .strength = strength };
    int64_t start = av_gettime_relative();
    int ret = ff_esrgan_pic_start(&r->pic, in, r->par.log);

    if (ret < 0)
        return ret;
    r->frames++;
    if (strength > 0)
        return net_frame(&f, start);
    f.y1 = r->pic.geo.oh;
    execute(&f, out_job);
    lap(&r->us_out, start);
    return 0;
}
