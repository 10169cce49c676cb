/*
 * Filters on CUDA frames: device, kernels, frames, launches
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

#ifndef AVFILTER_CUDAFILTER_H
#define AVFILTER_CUDAFILTER_H

/**
 * @file
 * What a filter needs in order to run its kernels on CUDA frames. No type of
 * CUDA shows here and callers need no #ifdef: where ffmpeg is built without
 * CUDA kernels, cudafilter_stub.c stands in, and ff_cudafilter_open() says so
 * in one line.
 *
 * config_props:
 *   const enum AVPixelFormat fmt = ff_cudaframes_format(inlink);    // of the samples
 *   ff_cudaframes_keep(outlink, inlink)                             // same size: or
 *   ff_cudaframes_new(outlink, ff_cudaframes_device(inlink), fmt)   // another size
 *   ff_cudafilter_open(&s->cuda, ctx, ff_cudaframes_device(inlink), &module)
 * filter_frame:
 *   out = ff_cudaframes_get(outlink)       // another frame, or, in place where that is safe,
 *   out = ff_cudaframes_dest(outlink, in)
 *   ff_cudafilter_upload(s->cuda, &s->table, host, size)            // only what changes with each frame
 *   ff_cudafilter_launch(s->cuda, KERNEL_X, &grid, &params)
 * uninit:
 *   ff_cudafilter_buffer_free(s->cuda, &s->table), ff_cudafilter_close(&s->cuda)
 *
 * The filter needs flags_internal = FF_FILTER_FLAG_HWFRAME_AWARE.
 *
 * Every call makes the device's context current and puts back what was. All
 * work goes to FFmpeg's stream of the device, in order, and only closing waits
 * for it: a frame may be handed on, and a buffer filled anew, while kernels that
 * read the old content are still queued. data[] of a CUDA frame and
 * CudaBuffer.data are addresses of the device: pass them on, never read them.
 *
 * What fails logs one line and returns AVERROR(ENOMEM) where memory of the
 * device is short, AVERROR(ENOSYS) from the stub, else AVERROR_EXTERNAL.
 */

#include <stddef.h>
#include <stdint.h>

#include "libavutil/buffer.h"
#include "libavutil/frame.h"
#include "libavutil/pixfmt.h"

#include "avfilter.h"

typedef struct CudaFilter CudaFilter;

/**
 * Embedded kernels: vf_x_cuda.cu becomes ff_vf_x_cuda_ptx_data and _len.
 * cudafilter_stub.c has a line for each, for builds without kernels.
 */
typedef struct CudaModule {
    const unsigned char *ptx;
    const unsigned      *len;
    const char *const   *kernels;   ///< extern "C" names, NULL at the end; a kernel is known by its index
    const char          *file;      ///< what ptx was read from, as it is; NULL: it is embedded
} CudaModule;

/** Memory of the device that grows; zeroed before first use. */
typedef struct CudaBuffer {
    uint8_t *data;
    size_t   size;                  ///< of what is allocated
} CudaBuffer;

/** Threads of a launch: w x h of each layer, rounded up to whole blocks, so a
 *  kernel checks against the size in its params. */
typedef struct CudaGrid {
    int w, h;
    int layers;                     ///< blockIdx.z: planes, say; 0 is taken as 1
    int block_w, block_h;           ///< block_w * block_h <= 1024
    int shared;                     ///< bytes of dynamic shared memory; at most CudaDevice.shared
} CudaGrid;

/** What a device has, for those who choose by it. */
typedef struct CudaDevice {
    int    capability;              ///< 10 * major + minor: 75, 80, 90
    int    multiprocessors;
    int    shared, shared_sm;       ///< bytes of shared memory that a block, a multiprocessor can have
    size_t memory_free;             ///< bytes, now
} CudaDevice;

/* ---- kernels (cudafilter.c, or cudafilter_stub.c) ------------------------------ */

/**
 * Load the kernels for a device.
 * @param cf      receives a new object, or NULL; one that is there is closed first
 * @param ctx     for log lines; borrowed until close
 * @param device  an AVHWDeviceContext of CUDA; takes a reference of its own
 * @param module  borrowed until close
 */
int ff_cudafilter_open(CudaFilter **cf, AVFilterContext *ctx, AVBufferRef *device,
                       const CudaModule *module);

/** Waits for what is queued. *cf may be NULL. */
void ff_cudafilter_close(CudaFilter **cf);

/** @param device  borrowed; before anything is opened on it */
int ff_cudafilter_describe(CudaDevice *d, AVFilterContext *ctx, AVBufferRef *device);

/** Waits until all that was queued on the device's stream is done. */
int ff_cudafilter_wait(CudaFilter *cf);

/** At least size bytes; what was in the buffer is lost when it grows. */
int ff_cudafilter_reserve(CudaFilter *cf, CudaBuffer *b, size_t size);

/** Fill b, which grows as needed. src may be reused at once. */
int ff_cudafilter_upload(CudaFilter *cf, CudaBuffer *b, const void *src, size_t size);

/** As ff_cudafilter_reserve(), but of exactly that size, and without a message where memory is short. */
int ff_cudafilter_try(CudaFilter *cf, CudaBuffer *b, size_t size);

/** Copy to memory of the host, when all that was queued is done. */
int ff_cudafilter_download(CudaFilter *cf, void *dst, const uint8_t *src, size_t size);

/**
 * Zeroed memory of the host that kernels may write to at the same address, so
 * that results can be looked at without waiting. NULL after a line of log.
 */
void *ff_cudafilter_host_alloc(CudaFilter *cf, size_t size);
void  ff_cudafilter_host_free(CudaFilter *cf, void **p);

/** cf may be NULL if b was never filled. */
void ff_cudafilter_buffer_free(CudaFilter *cf, CudaBuffer *b);

/**
 * Queue a kernel whose only parameter is a struct, passed by value.
 * @param kernel  index into module->kernels
 * @param params  that struct; at most 4096 bytes; may be reused at once
 */
int ff_cudafilter_launch(CudaFilter *cf, int kernel, const CudaGrid *grid, const void *params);

/** Marks in the stream, for times of the device. */
typedef struct CudaClock CudaClock;

/** @param nb  marks at most; NULL: no memory, or the driver has no such thing */
CudaClock *ff_cudafilter_clock(CudaFilter *cf, int nb);
void ff_cudafilter_clock_free(CudaFilter *cf, CudaClock **clock);

/** Queue mark i, 0 .. nb-1. */
int ff_cudafilter_mark(CudaFilter *cf, CudaClock *clock, int i);

/** @return 1 with the time between two marks, 0 if the second is not reached yet, or an error */
int ff_cudafilter_elapsed(CudaFilter *cf, CudaClock *clock, int from, int to, double *ms);

/** Copy the samples of src: same sw_format, frames at least as large as dst's width x height. */
int ff_cudafilter_copy(CudaFilter *cf, AVFrame *dst, const AVFrame *src);

/**
 * A device for a filter that has software frames: the option device= (a
 * number) if given, else ffmpeg's -filter_hw_device if that is CUDA, else the
 * first GPU. The filter has AVFILTER_FLAG_HWDEVICE. On CUDA frames it is
 * always the frames' device: ff_cudaframes_device().
 * @param number  NULL or "": none given
 * @param device  receives a new reference
 */
int ff_cudafilter_device(AVFilterContext *ctx, const char *number, AVBufferRef **device);

/* ---- frames (cudaframes.c, in every build) -------------------------------------- */

/** Format of the samples: that of the link, or of what its CUDA frames hold;
 *  AV_PIX_FMT_NONE for CUDA frames that come without a frames context. */
enum AVPixelFormat ff_cudaframes_format(const AVFilterLink *link);

/** @return borrowed device of a link's CUDA frames, or NULL after a line of log */
AVBufferRef *ff_cudaframes_device(AVFilterLink *link);

/** out hands on frames of in, or new ones from in's pool. hwdownload and others refuse a
 *  frame of another context than their link's, so this is a must where some frames pass untouched. */
int ff_cudaframes_keep(AVFilterLink *out, AVFilterLink *in);

/**
 * out gets a frames context of its own, for frames of out->w x out->h, such as
 * NVENC takes: whole 32s allocated either way, a pool that grows as frames are
 * held (extra_hw_frames of them at once).
 * @param device  borrowed
 */
int ff_cudaframes_new(AVFilterLink *out, AVBufferRef *device, enum AVPixelFormat fmt);

/** A frame of the link's context and size, without content; NULL: no memory, was logged. */
AVFrame *ff_cudaframes_get(AVFilterLink *link);

/**
 * Where to write what becomes of in, on a link that was set up by
 * ff_cudaframes_keep(): in itself where nobody else holds it, else a new frame
 * with its properties and without content (ff_cudafilter_copy(), or a kernel
 * that writes every sample). Frames that stay as they are: hand on in, do not call this.
 * @return in, or a new frame (in stays the caller's), or NULL: no memory
 */
AVFrame *ff_cudaframes_dest(AVFilterLink *out, AVFrame *in);

#endif /* AVFILTER_CUDAFILTER_H */
