/*
 * What a GPU is, what it copies, and how fast a chain of filters runs on its frames
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

/* gpubench facts                            exit status 77: there is no GPU that can be used
 * gpubench chain WxH FORMAT FRAMES FILTERS  device and host time per frame
 * Both print one line of name=value, apart by tabs.
 *
 * Links FFmpeg statically; of CUDA it needs the driver alone. */

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libavfilter/avfilter.h"
#include "libavfilter/buffersink.h"
#include "libavfilter/buffersrc.h"
#include "libavutil/error.h"
#include "libavutil/frame.h"
#include "libavutil/hwcontext.h"
#include "libavutil/hwcontext_cuda_internal.h"
#include "libavutil/imgutils.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"

#define NO_GPU 77
#define COPY   ((size_t)256 << 20)      ///< bytes; far beyond the caches of a chip
#define ROUNDS 5                        ///< of which the best counts
#define SOURCES 8                       ///< frames that take turns, for the same reason

/* ffnvcodec's loader has no timing */
typedef CUresult (*ElapsedFn)(float *ms, CUevent a, CUevent b);
typedef CUresult (*MemoryFn)(size_t *size, CUdevice dev);

static AVBufferRef *device;
static AVCUDADeviceContext *hw;
static CudaFunctions *cu;
static ElapsedFn elapsed;
static MemoryFn memory;             ///< NULL: the driver has none

static int no_gpu(const char *why)
{
    printf("no usable GPU: %s\n", why);
    return NO_GPU;
}

static int fail(const char *what, int err)
{
    printf("gpubench: %s: %s\n", what, av_err2str(err));
    return 1;
}

static int check(CUresult err, const char *what)
{
    const char *text = "?";

    if (err == CUDA_SUCCESS)
        return 0;
    cu->cuGetErrorString(err, &text);
    printf("gpubench: %s: %s\n", what, text);
    return -1;
}

/* @return 0 or the exit status */
static int open_device(void)
{
    void *lib = dlopen("libcuda.so.1", RTLD_NOW);

    if (!lib)
        return no_gpu("libcuda.so.1 is not found; install an NVIDIA driver");
    if (!(elapsed = (ElapsedFn)dlsym(lib, "cuEventElapsedTime")))
        return no_gpu("the driver has no cuEventElapsedTime");
    memory = (MemoryFn)dlsym(lib, "cuDeviceTotalMem_v2");
    if (av_hwdevice_ctx_create(&device, AV_HWDEVICE_TYPE_CUDA, NULL, NULL, 0) < 0)
        return no_gpu("the driver finds none that works (nvidia-smi says more)");
    hw = ((AVHWDeviceContext *)device->data)->hwctx;
    cu = hw->internal->cuda_dl;
    return check(cu->cuCtxPushCurrent(hw->cuda_ctx), "context") < 0;
}

static void close_device(void)
{
    CUcontext dummy;

    cu->cuCtxPopCurrent(&dummy);
    av_buffer_unref(&device);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

/* ---- facts ------------------------------------------------------------------------- */

/* bytes read and written a second by a copy from device to device */
static double copy_rate(size_t size)
{
    CUdeviceptr a = 0, b = 0;
    CUevent from, to;
    float ms, best = 0;

    if (check(cu->cuMemAlloc(&a, size), "copy: memory") < 0)
        return 0;
    if (check(cu->cuMemAlloc(&b, size), "copy: memory") >= 0) {
        cu->cuEventCreate(&from, CU_EVENT_DEFAULT);
        cu->cuEventCreate(&to, CU_EVENT_DEFAULT);
        for (int i = 0; i < ROUNDS; i++) {
            cu->cuEventRecord(from, NULL);
            cu->cuMemcpyDtoDAsync(b, a, size, NULL);
            cu->cuEventRecord(to, NULL);
            if (check(cu->cuEventSynchronize(to), "copy") < 0 || elapsed(&ms, from, to) != CUDA_SUCCESS)
                break;
            if (!best || ms < best)
                best = ms;
        }
        cu->cuEventDestroy(from);
        cu->cuEventDestroy(to);
        cu->cuMemFree(b);
    }
    cu->cuMemFree(a);
    return best > 0 ? 2. * size / best * 1e3 : 0;
}

static int facts(void)
{
    char name[256] = "?";
    int major = 0, minor = 0, sms = 0, driver = 0, ret = open_device();
    const CUdevice dev = ret ? 0 : hw->internal->cuda_device;
    size_t size = 0;
    int fake;

    if (ret)
        return ret;
    cu->cuDeviceGetName(name, sizeof(name), dev);
    cu->cuDeviceComputeCapability(&major, &minor, dev);
    cu->cuDeviceGetAttribute(&sms, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, dev);
    cu->cuDriverGetVersion(&driver);
    if (memory)
        memory(&size, dev);
    /* the CPU need not copy that much to be known as one */
    fake = !!strstr(name, "fake");
    printf("device=%s\tcapability=%d.%d\tmultiprocessors=%d\tmemory_mib=%zu\tdriver_api=%d\tcopy_gb_s=%.1f\tfake=%d\n",
           name, major, minor, sms, size >> 20, driver, copy_rate(fake ? COPY / 64 : COPY) / 1e9, fake);
    close_device();
    return 0;
}

/* ---- chain --------------------------------------------------------------------------- */

typedef struct Chain {
    AVFilterGraph *g;
    AVFilterContext *src, *sink;
    AVBufferRef *frames;
    AVFrame *in[SOURCES];
    int64_t pts;
} Chain;

/* noise, so that nothing is compressed on the way */
static AVFrame *source(AVBufferRef *frames, unsigned seed)
{
    AVHWFramesContext *ctx = (AVHWFramesContext *)frames->data;
    AVFrame *sw = av_frame_alloc(), *f = av_frame_alloc();

    sw->format = ctx->sw_format;
    sw->width  = ctx->width;
    sw->height = ctx->height;
    if (av_frame_get_buffer(sw, 0) < 0 || av_hwframe_get_buffer(frames, f, 0) < 0)
        goto fail;
    for (int p = 0; p < AV_NUM_DATA_POINTERS && sw->buf[p]; p++)
        for (size_t i = 0; i < sw->buf[p]->size; i++)
            sw->buf[p]->data[i] = (seed = seed * 1664525 + 1013904223) >> 24;
    if (av_hwframe_transfer_data(f, sw, 0) < 0)
        goto fail;
    av_frame_free(&sw);
    return f;
fail:
    av_frame_free(&sw);
    av_frame_free(&f);
    return NULL;
}

static int link_filters(Chain *c, const char *filters)
{
    AVFilterInOut *in = avfilter_inout_alloc(), *out = avfilter_inout_alloc();
    int ret;

    out->name       = av_strdup("in");
    out->filter_ctx = c->src;
    in->name        = av_strdup("out");
    in->filter_ctx  = c->sink;
    ret = avfilter_graph_parse_ptr(c->g, filters, &in, &out, NULL);
    avfilter_inout_free(&in);
    avfilter_inout_free(&out);
    return ret < 0 ? ret : avfilter_graph_config(c->g, NULL);
}

static int open_chain(Chain *c, int w, int h, enum AVPixelFormat fmt, const char *filters)
{
    AVBufferSrcParameters *par = av_buffersrc_parameters_alloc();
    AVHWFramesContext *f;
    int ret;

    c->frames = av_hwframe_ctx_alloc(device);
    f = (AVHWFramesContext *)c->frames->data;
    f->format    = AV_PIX_FMT_CUDA;
    f->sw_format = fmt;
    f->width     = w;
    f->height    = h;
    if ((ret = av_hwframe_ctx_init(c->frames)) < 0)
        return ret;
    for (int i = 0; i < SOURCES; i++)
        if (!(c->in[i] = source(c->frames, i)))
            return AVERROR(ENOMEM);
    c->g = avfilter_graph_alloc();
    c->src = avfilter_graph_alloc_filter(c->g, avfilter_get_by_name("buffer"), "in");
    par->format = AV_PIX_FMT_CUDA;
    par->width  = w;
    par->height = h;
    par->time_base = (AVRational){ 1, 1000 };
    par->hw_frames_ctx = c->frames;
    if ((ret = av_buffersrc_parameters_set(c->src, par)) >= 0 && (ret = avfilter_init_dict(c->src, NULL)) >= 0 &&
        (ret = avfilter_graph_create_filter(&c->sink, avfilter_get_by_name("buffersink"), "out", NULL, NULL, c->g)) >= 0)
        ret = link_filters(c, filters);
    av_free(par);
    return ret;
}

static void close_chain(Chain *c)
{
    avfilter_graph_free(&c->g);
    for (int i = 0; i < SOURCES; i++)
        av_frame_free(&c->in[i]);
    av_buffer_unref(&c->frames);
}

static int run_frames(Chain *c, int nb)
{
    int ret = 0;

    for (int i = 0; i < nb && ret >= 0; i++) {
        AVFrame *f = av_frame_clone(c->in[i % SOURCES]), *out = av_frame_alloc();
        f->pts = c->pts++;
        if ((ret = av_buffersrc_add_frame(c->src, f)) >= 0)
            ret = av_buffersink_get_frame(c->sink, out);
        av_frame_free(&f);
        av_frame_free(&out);
    }
    return ret;
}

/* device: from the first to the last kernel; host: until all are queued */
static int time_frames(Chain *c, int nb, double *device_ms, double *host_ms)
{
    CUevent from, to;
    float ms = 0;
    double t;
    int ret;

    cu->cuEventCreate(&from, CU_EVENT_DEFAULT);
    cu->cuEventCreate(&to, CU_EVENT_DEFAULT);
    cu->cuEventRecord(from, hw->stream);
    t   = now();
    ret = run_frames(c, nb);
    *host_ms = (now() - t) * 1e3 / nb;
    cu->cuEventRecord(to, hw->stream);
    if (ret >= 0 && (check(cu->cuEventSynchronize(to), "chain") < 0 || elapsed(&ms, from, to) != CUDA_SUCCESS))
        ret = AVERROR_EXTERNAL;
    *device_ms = ms / nb;
    cu->cuEventDestroy(from);
    cu->cuEventDestroy(to);
    return ret;
}

static int chain(const char *size, const char *format, int nb, const char *filters)
{
    const enum AVPixelFormat fmt = av_get_pix_fmt(format);
    double best = 0, host = 0;
    Chain c = { 0 };
    int w, h, ret = open_device();

    if (ret)
        return ret;
    if (sscanf(size, "%dx%d", &w, &h) != 2 || fmt == AV_PIX_FMT_NONE || nb < 1)
        return fail("size, format or number of frames", AVERROR(EINVAL));
    ret = open_chain(&c, w, h, fmt, filters);
    /* kernels are compiled and pools filled before the clock starts */
    if (ret >= 0)
        ret = run_frames(&c, FFMIN(nb, 2 * SOURCES));
    for (int i = 0; i < ROUNDS && ret >= 0; i++) {
        double d, t;
        ret = time_frames(&c, nb, &d, &t);
        if (!best || d < best) {
            best = d;
            host = t;
        }
    }
    close_chain(&c);
    close_device();
    if (ret < 0)
        return fail(filters, ret);
    printf("device_ms=%.5f\thost_ms=%.5f\tframes=%d\n", best, host, nb);
    return 0;
}

int main(int argc, char **argv)
{
    av_log_set_level(AV_LOG_ERROR);
    if (argc == 2 && !strcmp(argv[1], "facts"))
        return facts();
    if (argc == 6 && !strcmp(argv[1], "chain"))
        return chain(argv[2], argv[3], atoi(argv[4]), argv[5]);
    fprintf(stderr, "usage: gpubench facts | gpubench chain WxH FORMAT FRAMES FILTERS\n");
    return 2;
}
