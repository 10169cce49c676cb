/*
 * Convolutions by oneDNN, versions 2.x and 3.x
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

#include "config.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#if ARCH_X86_64 && defined(__GNUC__)
#include <cpuid.h>
#endif

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"

#include "nn_dnnl_api.h"

/* ---- creation ----------------------------------------------------------------- */

/*
 * Two threads that create primitives at the same time get, once in a while, one
 * that computes nonsense for as long as it lives (oneDNN 2.6, bf16 mostly). One
 * lock for the whole process, since two filters create, too; creation is rare.
 */
AVMutex ff_dnnl_create_lock = AV_MUTEX_INITIALIZER;

/* ---- threads ------------------------------------------------------------------ */

/*
 * Debian's oneDNN runs on OpenMP. Its symbols are looked up at run time, so that
 * a oneDNN built on something else (sequential, TBB, a thread pool) links too;
 * a sequential one has no threads to forbid.
 */
int ff_dnnl_threads_reached(void)
{
    return dnnl_version()->cpu_runtime != DNNL_RUNTIME_OMP ||
           (dlsym(RTLD_DEFAULT, "omp_get_max_threads") &&
            dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
}

int ff_dnnl_enter(void)
{
    return ff_dnnl_enter_threads(1);
}

int ff_dnnl_enter_threads(int threads)
{
    int  (*get)(void) = (int  (*)(void))dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    void (*set)(int)  = (void (*)(int)) dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    int saved;

    if (!get || !set)
        return 0;
    saved = get();
    set(threads);
    return saved;
}

void ff_dnnl_leave(int saved)
{
    void (*set)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");

    if (set && saved > 0)
        set(saved);
}

/* ---- engine ------------------------------------------------------------------- */

int ff_dnnl_native_bf16(void)
{
    const unsigned isa = dnnl_get_effective_cpu_isa();

    return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

/*
 * Intel's cores with AMX have VDPBF16PS too, at a quarter of the rate of fp32's
 * multiply-adds (Emerald Rapids: 85 against 174 GFLOP/s a core). Where a hypervisor
 * hides AMX it is all that is left, and fp32 is twice as fast. They are the
 * processors with AVX512_FP16, which AMD's with fast VDPBF16PS have not.
 */
static int slow_bf16(void)
{
#if ARCH_X86_64 && defined(__GNUC__)
    unsigned a, b, c, d;
    const unsigned amx = dnnl_cpu_isa_avx512_core_amx;

    return (dnnl_get_effective_cpu_isa() & amx) != amx && __get_cpuid_count(7, 0, &a, &b, &c, &d) && d >> 23 & 1;
#else
    return 0;
#endif
}

int ff_dnnl_fast_bf16(void)
{
    return ff_dnnl_native_bf16() && !slow_bf16();
}

const char *ff_dnnl_version(void)
{
    static char s[32];
    const dnnl_version_t *v = dnnl_version();

    snprintf(s, sizeof(s), "%d.%d.%d", v->major, v->minor, v->patch);
    return s;
}

int ff_dnnl_open(NNDnnl **pd, void *log)
{
    NNDnnl *d = av_mallocz(sizeof(*d));

    *pd = d;
    if (!d)
        return AVERROR(ENOMEM);
    if (dnnl_engine_create(&d->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags) != dnnl_success) {
        av_log(log, AV_LOG_ERROR, "oneDNN %s offers no CPU engine\n", ff_dnnl_version());
        ff_dnnl_close(pd);
        return AVERROR_EXTERNAL;
    }
    return 0;
}

void ff_dnnl_close(NNDnnl **d)
{
    if (!*d)
        return;
    if ((*d)->stream)
        dnnl_stream_destroy((*d)->stream);
    if ((*d)->engine)
        dnnl_engine_destroy((*d)->engine);
    av_freep(d);
}

/* ---- convolution -------------------------------------------------------------- */

static const int arg_ids[NB_ARGS] = {
    DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD
};

/* in what shape and layout tensors are handed over; weights as oneDNN likes */
static dnnl_status_t conv_descs(NNConvDescs *d, const NNConvShape *s)
{
    const int type = s->src == NN_BF16 ? dnnl_bf16 : dnnl_f32;
    const int g = s->groups, k = s->kernel;
    const dnnl_dims_t src = { 1, s->ic, s->h, s->w };
    const dnnl_dims_t dst = { 1, s->oc, ff_dnnl_out_h(s), ff_dnnl_out_w(s) };
    const dnnl_dims_t bias = { s->oc };
    const dnnl_dims_t w1 = { s->oc, s->ic, k, k }, wg = { g, s->oc / g, s->ic / g, k, k };
    dnnl_status_t st;

    if ((st = desc_make(&d->md[SRC], 4, src, type, dnnl_nhwc)) != dnnl_success ||
        (st = desc_make(&d->md[WEIGHTS], 4 + (g > 1), g > 1 ? wg : w1, type, dnnl_format_tag_any)) != dnnl_success ||
        (st = desc_make(&d->md[BIAS], 1, bias, dnnl_f32, dnnl_a)) != dnnl_success)
        return st;
    return desc_make(&d->md[DST], 4, dst, s->dst == NN_BF16 ? dnnl_bf16 : dnnl_f32, dnnl_nhwc);
}

static dnnl_status_t conv_attr(dnnl_primitive_attr_t *attr, const NNConvDescs *d)
{
    dnnl_post_ops_t po = NULL;
    dnnl_status_t st;

    if ((st = dnnl_primitive_attr_create(attr)) != dnnl_success ||
        (st = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user)) != dnnl_success ||
        d->act == dnnl_alg_kind_undef)
        return st;
    if ((st = dnnl_post_ops_create(&po)) == dnnl_success &&
        (st = append_eltwise(po, d->act, d->alpha, d->beta)) == dnnl_success)
        st = dnnl_primitive_attr_set_post_ops(*attr, po);
    if (po)
        dnnl_post_ops_destroy(po);
    return st;
}

static dnnl_status_t conv_memories(NNConv *c, NNDnnl *d)
{
    static const int what[NB_ARGS] = {
        dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_weights_md,
        dnnl_query_dst_md, dnnl_query_scratchpad_md
    };
    dnnl_status_t st = dnnl_success;

    for (int i = 0; i < NB_ARGS && st == dnnl_success; i++) {
        DescRef md = dnnl_primitive_desc_query_md(c->pd, what[i], i == BIAS);
        if (i == WEIGHTS)
            c->weights = md;
        if (i == SCRATCH)
            c->scratch = dnnl_memory_desc_get_size(md);
        c->arg[i].arg = arg_ids[i];
        st = dnnl_memory_create(&c->arg[i].memory, md, d->engine, DNNL_MEMORY_NONE);
    }
    return st;
}

dnnl_status_t ff_dnnl_conv_make(NNConv *c, NNDnnl *dnnl, NNConvDescs *d)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t st;

    ff_mutex_lock(&ff_dnnl_create_lock);
    if ((st = conv_attr(&attr, d)) == dnnl_success &&
        (st = conv_desc(&c->pd, dnnl->engine, d->md, d->stride, d->dilate, d->pad, attr)) == dnnl_success &&
        (st = dnnl_primitive_create(&c->prim, c->pd)) == dnnl_success)
        st = conv_memories(c, dnnl);
    ff_mutex_unlock(&ff_dnnl_create_lock);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return st;
}

int ff_dnnl_conv_create(NNConv **pc, NNDnnl *dnnl, const NNConvShape *s, void *log)
{
    NNConvDescs d = {
        .stride = { s->stride, s->stride },
        .pad    = { { s->pad_h, s->pad_w }, { s->pad_h, s->pad_w } },
        .act    = s->act ? dnnl_eltwise_relu : dnnl_alg_kind_undef,
        .alpha  = s->alpha,
    };
    NNConv *c = av_mallocz(sizeof(*c));
    dnnl_status_t st;

    *pc = c;
    if (!c)
        return AVERROR(ENOMEM);
    c->oc     = s->oc;
    c->ic     = s->ic;
    c->groups = s->groups;
    c->kernel[0] = c->kernel[1] = s->kernel;
    st = conv_descs(&d, s);
    if (st == dnnl_success)
        st = ff_dnnl_conv_make(c, dnnl, &d);
    for (int i = 0; i < 4; i++)
        desc_free(&d.md[i]);
    if (st == dnnl_success)
        return 0;
    ff_dnnl_conv_free(pc);
    if (st == dnnl_out_of_memory)
        return AVERROR(ENOMEM);
    av_log(log, AV_LOG_ERROR, "oneDNN %s has no convolution %d->%d, kernel %d, stride %d, %d groups, "
           "of %dx%d pixels in %s (status %d)\n", ff_dnnl_version(), s->ic, s->oc, s->kernel, s->stride,
           s->groups, s->w, s->h, s->src == NN_BF16 ? "bf16" : "fp32", st);
    return st == dnnl_unimplemented ? AVERROR(ENOSYS) : AVERROR_EXTERNAL;
}

void ff_dnnl_conv_free(NNConv **c)
{
    if (!*c)
        return;
    for (int i = 0; i < NB_ARGS; i++)
        if ((*c)->arg[i].memory)
            dnnl_memory_destroy((*c)->arg[i].memory);
    if ((*c)->prim)
        dnnl_primitive_destroy((*c)->prim);
    if ((*c)->pd)
        dnnl_primitive_desc_destroy((*c)->pd);
    av_freep(c);
}

size_t ff_dnnl_conv_scratch(const NNConv *c)
{
    return c->scratch;
}

const char *ff_dnnl_conv_impl(const NNConv *c)
{
    const char *s = "unknown";

    dnnl_primitive_desc_query(c->pd, dnnl_query_impl_info_str, 0, &s);
    return s;
}

int ff_dnnl_conv_run(NNConv *c, NNDnnl *d, const void *src, const void *packed,
                     const float *bias, void *dst, void *scratch)
{
    void *const data[NB_ARGS] = { (void *)src, (void *)packed, (void *)bias, dst, scratch };

    for (int i = 0; i < NB_ARGS; i++)
        if (dnnl_memory_set_data_handle(c->arg[i].memory, data[i]) != dnnl_success)
            return AVERROR_EXTERNAL;
    if (dnnl_primitive_execute(c->prim, d->stream, NB_ARGS, c->arg) != dnnl_success)
        return AVERROR_EXTERNAL;
    return dnnl_stream_wait(d->stream) == dnnl_success ? 0 : AVERROR_EXTERNAL;
}

/* ---- weights ------------------------------------------------------------------ */

struct NNPacked {
    NNPacked *next;
    Desc      desc;
    uint8_t  *data;
};

/* oneDNN's own reorder: it also rounds to bf16 */
static dnnl_status_t reorder(NNDnnl *d, DescRef from, const float *src, DescRef to, void *dst)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t prim = NULL;
    dnnl_exec_arg_t arg[2] = { { DNNL_ARG_FROM }, { DNNL_ARG_TO } };
    dnnl_status_t st;

    ff_mutex_lock(&ff_dnnl_create_lock);
    if ((st = dnnl_reorder_primitive_desc_create(&pd, from, d->engine, to, d->engine, NULL)) == dnnl_success &&
        (st = dnnl_primitive_create(&prim, pd)) == dnnl_success &&
        (st = dnnl_memory_create(&arg[0].memory, from, d->engine, (void *)src)) == dnnl_success &&
        (st = dnnl_memory_create(&arg[1].memory, to, d->engine, dst)) == dnnl_success &&
        (st = dnnl_primitive_execute(prim, d->stream, 2, arg)) == dnnl_success)
        st = dnnl_stream_wait(d->stream);
    ff_mutex_unlock(&ff_dnnl_create_lock);
    for (int i = 0; i < 2; i++)
        if (arg[i].memory)
            dnnl_memory_destroy(arg[i].memory);
    if (prim)
        dnnl_primitive_destroy(prim);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return st;
}

static dnnl_status_t pack(NNPacked *p, NNDnnl *d, const NNConv *c, const float *weight)
{
    const int g = c->groups, kh = c->kernel[0], kw = c->kernel[1];
    const dnnl_dims_t w1 = { c->oc, c->ic, kh, kw }, wg = { g, c->oc / g, c->ic / g, kh, kw };
    Desc plain = { 0 };
    dnnl_status_t st;

    if ((st = desc_copy(&p->desc, c->weights)) != dnnl_success ||
        (st = desc_make(&plain, 4 + (g > 1), g > 1 ? wg : w1, dnnl_f32,
                        g > 1 ? dnnl_goihw : dnnl_oihw)) != dnnl_success)
        return st;
    p->data = av_mallocz(dnnl_memory_desc_get_size(c->weights) + 64);
    st = p->data ? reorder(d, REF(plain), weight, c->weights, p->data) : dnnl_out_of_memory;
    desc_free(&plain);
    return st;
}

int ff_dnnl_pack(const void **packed, NNPacked **list, NNDnnl *d, const NNConv *c,
                 const float *weight)
{
    NNPacked *p;
    dnnl_status_t st;

    for (p = *list; p; p = p->next)
        if (dnnl_memory_desc_equal(REF(p->desc), c->weights)) {
            *packed = p->data;
            return 0;
        }
    p = av_mallocz(sizeof(*p));
    if (!p)
        return AVERROR(ENOMEM);
    st = pack(p, d, c, weight);
    if (st != dnnl_success) {
        ff_dnnl_packed_free(&p);
        return st == dnnl_out_of_memory ? AVERROR(ENOMEM) : AVERROR_EXTERNAL;
    }
    p->next = *list;
    *list   = p;
    *packed = p->data;
    return 0;
}

void ff_dnnl_packed_free(NNPacked **list)
{
    while (*list) {
        NNPacked *p = *list;
        *list = p->next;
        desc_free(&p->desc);
        av_free(p->data);
        av_free(p);
    }
}
