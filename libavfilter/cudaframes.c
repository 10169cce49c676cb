/*
 * Filters on CUDA frames: frames contexts and frames
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

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/hwcontext.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/pixdesc.h"

#include "cudafilter.h"
#include "ffreel_compat.h"
#include "video.h"

/* width and height that are allocated, as FFmpeg's own scale_cuda has them */
#define FRAME_ALIGN 32

static AVHWFramesContext *frames_of(const AVFilterLink *link)
{
    const FilterLink *l = ff_filter_link((AVFilterLink *)link);

    return l->hw_frames_ctx ? (AVHWFramesContext *)l->hw_frames_ctx->data : NULL;
}

enum AVPixelFormat ff_cudaframes_format(const AVFilterLink *link)
{
    const AVHWFramesContext *f = frames_of(link);

    if (link->format != AV_PIX_FMT_CUDA)
        return link->format;
    return f ? f->sw_format : AV_PIX_FMT_NONE;
}

AVBufferRef *ff_cudaframes_device(AVFilterLink *link)
{
    AVHWFramesContext *f = frames_of(link);

    if (f && f->device_ctx->type == AV_HWDEVICE_TYPE_CUDA)
        return f->device_ref;
    av_log(link->dst, AV_LOG_ERROR, "CUDA frames come without the frames context that says what they hold; "
           "they must come from -hwaccel cuda -hwaccel_output_format cuda, hwupload, hwupload_cuda or a filter of these\n");
    return NULL;
}

static int set_frames(AVFilterLink *link, AVBufferRef *ref)
{
    FilterLink *l = ff_filter_link(link);

    av_buffer_unref(&l->hw_frames_ctx);
    l->hw_frames_ctx = ref;
    return ref ? 0 : AVERROR(ENOMEM);
}

int ff_cudaframes_keep(AVFilterLink *out, AVFilterLink *in)
{
    return set_frames(out, av_buffer_ref(ff_filter_link(in)->hw_frames_ctx));
}

int ff_cudaframes_new(AVFilterLink *out, AVBufferRef *device, enum AVPixelFormat fmt)
{
    AVBufferRef *ref = av_hwframe_ctx_alloc(device);
    AVHWFramesContext *f;
    int ret;

    if (!ref)
        return AVERROR(ENOMEM);
    f = (AVHWFramesContext *)ref->data;
    f->format    = AV_PIX_FMT_CUDA;
    f->sw_format = fmt;
    f->width     = FFALIGN(out->w, FRAME_ALIGN);
    f->height    = FFALIGN(out->h, FRAME_ALIGN);
    /* frames that are asked for are there from the start; more come as needed */
    f->initial_pool_size = FFMAX(out->src->extra_hw_frames, 0);
    if ((ret = av_hwframe_ctx_init(ref)) < 0) {
        av_log(out->src, AV_LOG_ERROR, "CUDA frames of %dx%d %s cannot be made: %s\n", out->w, out->h,
               av_get_pix_fmt_name(fmt), av_err2str(ret));
        av_buffer_unref(&ref);
        return ret;
    }
    return set_frames(out, ref);
}

AVFrame *ff_cudaframes_get(AVFilterLink *link)
{
    AVFrame *f = ff_get_video_buffer(link, link->w, link->h);

    if (!f) {
        av_log(link->src, AV_LOG_ERROR, "no memory for a CUDA frame of %dx%d: hold fewer frames "
               "(-extra_hw_frames, queues), or end other programs on the GPU\n", link->w, link->h);
        return NULL;
    }
    if (!f->data[0]) {
        av_log(link->src, AV_LOG_ERROR, "the decoder keeps its frames to itself, so none can be made like them: "
               "leave out -hwaccel_flags +unsafe_output\n");
        av_frame_free(&f);
        return NULL;
    }
    /* the context's is the size that is allocated */
    f->width  = link->w;
    f->height = link->h;
    return f;
}

AVFrame *ff_cudaframes_dest(AVFilterLink *out, AVFrame *in)
{
    AVFrame *f;

    if (av_frame_is_writable(in))
        return in;
    if (!(f = ff_cudaframes_get(out)))
        return NULL;
    if (av_frame_copy_props(f, in) < 0)
        av_frame_free(&f);
    return f;
}
