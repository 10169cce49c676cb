/*
 * oneDNN for nets of any shape: convolutions in blocked layouts, matrices, its threads
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

#include <dlfcn.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"

#include "nn_dnnl_api.h"

/* ---- convolutions --------------------------------------------------------------- */

static int tag_of(int layout)
{
    static const dnnl_format_tag_t tags[] = {
        [NN_LAYOUT_NCHW]   = dnnl_nchw,   [NN_LAYOUT_NHWC]    = dnnl_nhwc,
        [NN_LAYOUT_BLOCK8] = dnnl_nChw8c, [NN_LAYOUT_BLOCK16] = dnnl_nChw16c,
    };
    return tags[layout];
}

static int type_of(int type)
{
    return type == NN_BF16 ? dnnl_bf16 : type == NN_U8 ? dnnl_u8 : dnnl_f32;
}

static dnnl_status_t make_descs(NNConvDescs *d, const NNNetConvShape *s)
{
    const int g = s->groups, kh = s->kernel[0], kw = s->kernel[1];
    const dnnl_dims_t src = { 1, s->ic, s->h, s->w }, dst = { 1, s->oc, s->oh, s->ow };
    const dnnl_dims_t bias = { s->oc };
    const int weights = s->src == NN_U8 ? dnnl_s8 : type_of(s->src);
    const dnnl_dims_t w1 = { s->oc, s->ic, kh, kw }, wg = { g, s->oc / g, s->ic / g, kh, kw };
    dnnl_status_t st;

    if ((st = desc_make(&d->md[SRC], 4, src, type_of(s->src), tag_of(s->src_layout))) != dnnl_success ||
        (st = desc_make(&d->md[WEIGHTS], 4 + (g > 1), g > 1 ? wg : w1, weights,
                        dnnl_format_tag_any)) != dnnl_success ||
        (st = desc_make(&d->md[BIAS], 1, bias, dnnl_f32, dnnl_a)) != dnnl_success)
        return st;
    return desc_make(&d->md[DST], 4, dst, type_of(s->dst), tag_of(s->dst_layout));
}

static void make_act(NNConvDescs *d, const NNNetConvShape *s)
{
    static const dnnl_alg_kind_t algs[] = {
        [NN_CACT_NONE]       = dnnl_alg_kind_undef,   [NN_CACT_RELU] = dnnl_eltwise_relu,
        [NN_CACT_SILU]       = dnnl_eltwise_swish,    [NN_CACT_SIGMOID] = dnnl_eltwise_logistic,
        [NN_CACT_CLIP]       = dnnl_eltwise_clip,     [NN_CACT_HARD_SWISH] = dnnl_eltwise_hardswish,
    };
    d->act   = algs[s->act];
    d->alpha = s->act == NN_CACT_SILU ? 1 : s->alpha;
    d->beta  = s->beta;
#if DNNL_VERSION_MAJOR >= 3
    if (s->act == NN_CACT_HARD_SWISH) {     /* x * clip(alpha * x + beta, 0, 1); fixed in 2.x */
        d->alpha = 1 / 6.0f;
        d->beta  = 0.5f;
    }
#endif
}

int ff_dnnl_netconv_create(NNConv **pc, NNDnnl *dnnl, const NNNetConvShape *s, void *log)
{
    NNConvDescs d = { 0 };
    NNConv *c = av_mallocz(sizeof(*c));
    dnnl_status_t st;

    *pc = c;
    if (!c)
        return AVERROR(ENOMEM);
    c->oc     = s->oc;
    c->ic     = s->ic;
    c->groups = s->groups;
    for (int i = 0; i < 2; i++) {
        c->kernel[i] = s->kernel[i];
        d.stride[i]  = s->stride[i];
        d.dilate[i]  = s->dilation[i] - 1;
        d.pad[0][i]  = s->pad[i];
        d.pad[1][i]  = s->pad[2 + i];
    }
    make_act(&d, s);
    st = make_descs(&d, s);
    if (st == dnnl_success)
        st = ff_dnnl_conv_make(c, dnnl, &d);
    for (int i = 0; i < 4; i++)
        desc_free(&d.md[i]);
    if (st == dnnl_success && strncmp(ff_dnnl_conv_impl(c), "ref", 3))
        return 0;
    ff_dnnl_conv_free(pc);
    if (st == dnnl_success || st == dnnl_unimplemented)
        return AVERROR(ENOSYS);
    av_log(log, AV_LOG_ERROR, "oneDNN %s: convolution %d->%d, kernel %dx%d, of %dx%d pixels in %s failed "
           "(status %d)\n", ff_dnnl_version(), s->ic, s->oc, s->kernel[1], s->kernel[0], s->w, s->h,
           s->src == NN_BF16 ? "bf16" : s->src == NN_U8 ? "int8" : "fp32", st);
    return st == dnnl_out_of_memory ? AVERROR(ENOMEM) : AVERROR_EXTERNAL;
}

int ff_dnnl_block(int type)
{
    const unsigned isa = dnnl_get_effective_cpu_isa();
    const unsigned amx = dnnl_cpu_isa_avx512_core_amx, avx512 = dnnl_cpu_isa_avx512_core;

    if (type == NN_BF16 && (isa & amx) == amx)
        return 0;
    return (isa & avx512) == avx512 ? 16 : isa & dnnl_cpu_isa_sse41 ? 8 : 0;
}

int ff_dnnl_native_int8(void)
{
    const unsigned isa = dnnl_get_effective_cpu_isa(), vnni = dnnl_cpu_isa_avx512_core_vnni;

    return (isa & vnni) == vnni;
}

/* ---- matrices ------------------------------------------------------------------- */

int ff_dnnl_matmul(float *c, const float *a, const float *b, int m, int n, int k, int ta, int tb)
{
    return dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n)
           == dnnl_success ? 0 : AVERROR_EXTERNAL;
}

/* ---- threads -------------------------------------------------------------------- */

/* what compilers make of "omp parallel": libgomp and LLVM's libomp have it */
typedef void (*Parallel)(void (*)(void *), void *, unsigned, unsigned);

static struct {
    Parallel parallel;
    int    (*max)(void), (*thread)(void), (*size)(void);
} omp;

static void look_up(void)
{
    if (dnnl_version()->cpu_runtime != DNNL_RUNTIME_OMP)
        return;
    omp.max      = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    omp.thread   = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_thread_num");
    omp.size     = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_num_threads");
    omp.parallel = (Parallel)dlsym(RTLD_DEFAULT, "GOMP_parallel");
}

typedef struct Team {
    void (*fn)(void *arg, int i, int n);
    void  *arg;
    int    n;
} Team;

static void team_main(void *p)
{
    const Team *t = p;

    /* OpenMP may give fewer threads than were asked for */
    for (int i = omp.thread(), step = omp.size(); i < t->n; i += step)
        t->fn(t->arg, i, t->n);
}

void ff_dnnl_parallel(void (*fn)(void *arg, int i, int n), void *arg, int max)
{
    static AVOnce once = AV_ONCE_INIT;
    Team t = { fn, arg, 1 };

    if (max > 1) {
        ff_thread_once(&once, look_up);
        if (omp.parallel && omp.max && omp.thread && omp.size)
            t.n = av_clip(omp.max(), 1, max);
    }
    if (t.n > 1)
        omp.parallel(team_main, &t, t.n, 0);
    else
        fn(arg, 0, 1);
}
