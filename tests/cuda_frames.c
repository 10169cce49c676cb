/*
 * CUDA frames through filters: contexts, pools, crop marks, side data; on the fake driver
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
#include <stdlib.h>
#include <string.h>

#include "libavfilter/cudafilter.h"
#include "libavfilter/filters.h"
#include "libavutil/detection_bbox.h"
#include "cuda_graph.h"

/* a ramp, so that what comes out tells where it is from */
static AVFrame *frame(Graph *t, int w, int h, int64_t pts)
{
    AVFrame *sw = av_frame_alloc(), *f = av_frame_alloc();

    av_hwframe_get_buffer(t->frames, f, 0);
    sw->format = ((AVHWFramesContext *)t->frames->data)->sw_format;
    sw->width  = f->width;
    sw->height = f->height;
    av_frame_get_buffer(sw, 0);
    for (int p = 0; p < 3 && sw->data[p]; p++)
        for (int y = 0; y < (p ? (sw->height + 1) / 2 : sw->height); y++)
            for (int x = 0; x < sw->linesize[p]; x++)
                sw->data[p][y * sw->linesize[p] + x] = p ? 100 + x / 4 : x / 2 + y / 4;
    av_hwframe_transfer_data(f, sw, 0);
    av_frame_free(&sw);
    f->width  = w;
    f->height = h;
    f->pts    = pts;
    f->sample_aspect_ratio = (AVRational){ 4, 3 };
    f->colorspace  = AVCOL_SPC_BT709;
    f->color_range = AVCOL_RANGE_MPEG;
    f->chroma_location = AVCHROMA_LOC_LEFT;
    return f;
}

/* takes f; @return what comes out, or NULL */
static AVFrame *through(Graph *t, AVFrame *f, int *err)
{
    AVFrame *out = av_frame_alloc();

    *err = av_buffersrc_add_frame(t->src, f);
    if (*err >= 0)
        *err = av_buffersink_get_frame(t->sink, out);
    av_frame_free(&f);
    if (*err < 0)
        av_frame_free(&out);
    return out;
}

static AVFrame *download(const AVFrame *f)
{
    AVFrame *sw = av_frame_alloc();

    if (!f || av_hwframe_transfer_data(sw, f, 0) < 0)
        av_frame_free(&sw);
    return sw;
}

static AVHWFramesContext *context_of(const AVBufferRef *ref)
{
    return ref ? (AVHWFramesContext *)ref->data : NULL;
}

static void test_other_size(void)
{
    Graph t;
    int err;
    AVFrame *out;
    AVHWFramesContext *link;

    if (!tap_ok(open_graph(&t, AV_PIX_FMT_NV12, 320, 240, "keys=0 100 50 80 60:w=162:h=122:extra_hw_frames=3", 1) >= 0,
                "a graph on CUDA frames"))
        return;
    link = context_of(av_buffersink_get_hw_frames_ctx(t.sink));
    tap_ok(link && link->sw_format == AV_PIX_FMT_NV12 && link->width == 192 && link->height == 128 &&
           link->device_ref->data == device->data, "another size: a context of its own, whole 32s, on the same device");
    tap_ok(link && link->initial_pool_size == 3, "extra_hw_frames are there from the start");
    out = through(&t, frame(&t, 320, 240, 0), &err);
    if (tap_ok(out && out->width == 162 && out->height == 122 && context_of(out->hw_frames_ctx) == link,
               "a frame of the link's context and size")) {
        AVFrame *sw = download(out);
        /* the pixel in the middle of the output is the one in the middle of the rectangle */
        const double want = (100 + 40) / 2. + (50 + 30) / 4.;
        tap_ok(sw && fabs(sw->data[0][61 * sw->linesize[0] + 81] - want) < 2, "the part that was asked for");
        av_frame_free(&sw);
    }
    av_frame_free(&out);
    close_graph(&t);
}

static void test_same_size(void)
{
    Graph t;
    int err;
    AVFrame *f, *out;
    AVHWFramesContext *in;
    const uint8_t *data;

    if (!tap_ok(open_graph(&t, AV_PIX_FMT_YUV420P, 320, 240, "keys=0 0 0 320 240 hold|1 -7 3 320 240 hold:edge=pad", 1) >= 0,
                "a graph that keeps the size"))
        return;
    in = context_of(t.frames);
    tap_ok(context_of(av_buffersink_get_hw_frames_ctx(t.sink)) == in, "the same size: the context of what comes in");
    f    = frame(&t, 320, 240, 0);
    data = f->data[0];
    out  = through(&t, f, &err);
    tap_ok(out && out->data[0] == data && context_of(out->hw_frames_ctx) == in, "a whole frame is handed on as it is");
    av_frame_free(&out);
    out = through(&t, frame(&t, 320, 240, 25), &err);
    tap_ok(out && context_of(out->hw_frames_ctx) == in && out->width == 320 && out->height == 240,
           "one that is made is of the same context, so that the next filter takes both");
    av_frame_free(&out);
    close_graph(&t);
}

/* on a link that keeps its size, a marked frame is what scale_cuda would make of it */
static void test_cropped(void)
{
    Graph t;
    int err;
    AVFrame *f, *out, *sw;
    AVDetectionBBoxHeader *h;

    if (!tap_ok(open_graph(&t, AV_PIX_FMT_NV12, 320, 240, "keys=0 0 0 320 240", 1) >= 0, "a graph for marked frames"))
        return;
    f = frame(&t, 320, 240, 0);
    f->crop_left   = 40;
    f->crop_top    = 30;
    f->crop_right  = 120;
    f->crop_bottom = 90;
    h = av_detection_bbox_create_side_data(f, 1);
    *av_get_detection_bbox(h, 0) = (AVDetectionBBox){ .x = 80, .y = 60, .w = 20, .h = 30 };
    out = through(&t, f, &err);
    if (tap_ok(!!out, "a frame with crop_* comes out")) {
        const AVFrameSideData *sd = av_frame_get_side_data(out, AV_FRAME_DATA_DETECTION_BBOXES);
        const AVDetectionBBox *b = sd ? av_get_detection_bbox((AVDetectionBBoxHeader *)sd->data, 0) : NULL;
        sw = download(out);
        tap_ok(!out->crop_left && !out->crop_top && !out->crop_right && !out->crop_bottom && out->width == 320,
               "crop_* are done and gone, the size is the link's");
        tap_ok(sw && abs(sw->data[0][0] - (40 / 2 + 30 / 4)) <= 1 &&
               fabs(sw->data[0][120 * sw->linesize[0] + 160] - ((40 + 80) / 2. + (30 + 60) / 4.)) < 2,
               "the marked part fills the frame");
        tap_ok(b && b->x == 80 && b->y == 60 && b->w == 40 && b->h == 60, "boxes are in pixels of the whole frame");
        av_frame_free(&sw);
    }
    av_frame_free(&out);
    out = through(&t, frame(&t, 320, 240, 1), &err);
    tap_ok(!!out, "the next one is not marked, and handed on");
    av_frame_free(&out);
    close_graph(&t);
}

static void test_refused(void)
{
    Graph t;

    tap_ok(open_graph(&t, AV_PIX_FMT_NV12, 320, 240, "keys=0 0 0 100 100", 0) < 0, "no frames context is an error");
    close_graph(&t);
    tap_ok(open_graph(&t, AV_PIX_FMT_NV12, 320, 240, "keys=0 0 0 100 100:w=100000", 1) < 0 && strstr(message, "w: "),
           "options are checked as on software frames");
    close_graph(&t);
}

/* in place, or not */
static void test_dest(void)
{
    Graph t;
    AVFrame *in, *held, *out;
    AVFilterLink *link;

    if (!tap_ok(open_graph(&t, AV_PIX_FMT_NV12, 320, 240, "keys=0 0 0 320 240", 1) >= 0, "a graph"))
        return;
    link = t.crop->outputs[0];
    in   = frame(&t, 320, 240, 7);
    tap_ok(ff_cudaframes_dest(link, in) == in, "a frame that nobody else holds is written in place");
    held = av_frame_clone(in);
    out  = ff_cudaframes_dest(link, in);
    tap_ok(out && out != in && out->pts == 7 && out->width == 320 && out->data[0] != in->data[0] &&
           out->hw_frames_ctx->data == in->hw_frames_ctx->data, "else a new one with its properties");
    av_frame_free(&out);
    av_frame_free(&held);
    av_frame_free(&in);
    tap_ok(ff_cudaframes_format(link) == AV_PIX_FMT_NV12, "the format of the samples");
    close_graph(&t);
}

extern const unsigned char ff_vf_keyframecrop_cuda_ptx_data[];
extern const unsigned int  ff_vf_keyframecrop_cuda_ptx_len;

static void test_copy(void)
{
    static const char *const kernels[] = { "crop_any", NULL }, *const none[] = { "crop_all", NULL };
    CudaModule module = { ff_vf_keyframecrop_cuda_ptx_data, &ff_vf_keyframecrop_cuda_ptx_len, none };
    CudaFilter *cf = NULL;
    CudaBuffer b = { 0 };
    Graph t;

    if (!tap_ok(open_graph(&t, AV_PIX_FMT_YUV420P, 33, 21, "keys=0 0 0 33 21", 1) >= 0, "a graph of odd size"))
        return;
    tap_ok(ff_cudafilter_open(&cf, t.crop, device, &module) < 0 && !cf && strstr(message, "cannot find kernel crop_all"),
           "a kernel that the module lacks");
    module.kernels = kernels;
    if (tap_ok(ff_cudafilter_open(&cf, t.crop, device, &module) >= 0, "a module")) {
        AVFrame *a = frame(&t, 33, 21, 0), *copy = ff_cudaframes_get(t.crop->outputs[0]);
        const CudaGrid grid = { 1, 70000, 1, 1, 1 };
        int same = copy && ff_cudafilter_copy(cf, copy, a) >= 0;
        /* the fake's device memory can be read */
        for (int p = 0; p < 3 && same; p++)
            for (int y = 0; y < (p ? 11 : 21); y++)
                same &= !memcmp(a->data[p] + y * a->linesize[p], copy->data[p] + y * copy->linesize[p], p ? 17 : 33);
        tap_ok(same, "a copy has all samples, the last row and column of chroma too");
        tap_ok(ff_cudafilter_upload(cf, &b, "abc", 3) >= 0 && b.size >= 3 && !memcmp(b.data, "abc", 3), "a table");
        tap_ok(ff_cudafilter_reserve(cf, &b, 100000) >= 0 && b.size >= 100000, "that grows");
        tap_ok(ff_cudafilter_launch(cf, 0, &grid, NULL) == AVERROR_BUG, "a grid that is too high is refused");
        ff_cudafilter_buffer_free(cf, &b);
        av_frame_free(&copy);
        av_frame_free(&a);
    }
    ff_cudafilter_close(&cf);
    close_graph(&t);
}

static void test_device(void)
{
    Graph t;
    AVBufferRef *ref;

    if (!tap_ok(open_graph(&t, AV_PIX_FMT_NV12, 64, 48, "keys=0 0 0 64 48", 1) >= 0, "a graph"))
        return;
    tap_ok(ff_cudafilter_device(t.crop, NULL, &ref) >= 0 && ref, "a device where none is given");
    av_buffer_unref(&ref);
    t.crop->hw_device_ctx = av_buffer_ref(device);
    tap_ok(ff_cudafilter_device(t.crop, "", &ref) >= 0 && ref->data == device->data, "the one that ffmpeg gives to filters");
    av_buffer_unref(&ref);
    tap_ok(ff_cudafilter_device(t.crop, "0", &ref) >= 0 && ref->data != device->data, "device= comes first");
    av_buffer_unref(&ref);
    message[0] = 0;
    tap_ok(ff_cudafilter_device(t.crop, "5", &ref) < 0 && !ref && strstr(message, "GPU 5"), "a device that is not there");
    close_graph(&t);
}

int main(void)
{
    if (!open_device())
        return 0;
    test_other_size();
    test_same_size();
    test_cropped();
    test_refused();
    test_dest();
    test_copy();
    test_device();
    av_buffer_unref(&device);
    return tap_done();
}
