/*
 * Properties of enlarged frames, comparison of pictures, names of siblings
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


#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/detection_bbox.h"
#include "libavutil/dict.h"
#include "libavutil/frame.h"
#include "libavutil/mem.h"
#include "esrgan_props.h"
#include "tap.h"

static AVFrame *new_frame(enum AVPixelFormat fmt, int w, int h)
{
    AVFrame *f = av_frame_alloc();

    f->format = fmt;
    f->width  = w;
    f->height = h;
    if (av_frame_get_buffer(f, 0) < 0)
        exit(1);
    for (int p = 0; p < 4 && f->buf[p]; p++)
        memset(f->buf[p]->data, 0, f->buf[p]->size);
    return f;
}

static void test_boxes(void)
{
    static const int box[2][4] = { { 10, 20, 31, 41 }, { 0, 0, 100, 50 } };
    AVFrame *in = new_frame(AV_PIX_FMT_GRAY8, 100, 50), *out = new_frame(AV_PIX_FMT_GRAY8, 150, 200);
    AVDetectionBBoxHeader *h = av_detection_bbox_create_side_data(in, 2);
    const AVDetectionBBoxHeader *o;
    const AVFrameSideData *sd;
    int same = 1;

    strcpy(h->source, "a detector");
    for (int i = 0; i < 2; i++) {
        AVDetectionBBox *b = av_get_detection_bbox(h, i);
        b->x = box[i][0], b->y = box[i][1], b->w = box[i][2], b->h = box[i][3];
        strcpy(b->detect_label, i ? "ball" : "person");
    }
    tap_ok(ff_esrgan_copy_props(out, in) >= 0, "properties are copied");
    sd = av_frame_get_side_data(out, AV_FRAME_DATA_DETECTION_BBOXES);
    o = sd ? (const AVDetectionBBoxHeader *)sd->data : NULL;
    for (int i = 0; o && i < 2; i++) {
        const AVDetectionBBox *b = av_get_detection_bbox(o, i);
        int x1 = (box[i][0] + box[i][2]) * 3 / 2., y1 = (box[i][1] + box[i][3]) * 4;
        same &= b->x == box[i][0] * 3 / 2 && b->y == box[i][1] * 4 && FFABS(b->x + b->w - x1) <= 1 && b->y + b->h == y1;
        same &= !strcmp(b->detect_label, i ? "ball" : "person");
    }
    tap_ok(o && o->nb_bboxes == 2 && !strcmp(o->source, "a detector") && same, "detection boxes grow with the picture");
    tap_ok(av_get_detection_bbox(h, 0)->x == 10, "the input's boxes stay as they were");
    av_frame_free(&in);
    av_frame_free(&out);
}

static void test_side_data(void)
{
    AVFrame *in = new_frame(AV_PIX_FMT_GRAY8, 10, 10), *out = new_frame(AV_PIX_FMT_GRAY8, 20, 20);
    AVFrame *same = new_frame(AV_PIX_FMT_GRAY8, 10, 10);

    av_frame_new_side_data(in, AV_FRAME_DATA_REGIONS_OF_INTEREST, 32);
    av_frame_new_side_data(in, AV_FRAME_DATA_MOTION_VECTORS, 40);
    av_frame_new_side_data(in, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, 8);
    av_dict_set(&in->metadata, "key", "value", 0);
    in->pts = 77;
    in->duration = 3;
    in->colorspace = AVCOL_SPC_BT709;
    in->sample_aspect_ratio  = (AVRational){ 4, 3 };
    out->sample_aspect_ratio = (AVRational){ 2, 3 };
    ff_esrgan_copy_props(out, in);
    ff_esrgan_copy_props(same, in);
    tap_ok(!av_frame_get_side_data(out, AV_FRAME_DATA_REGIONS_OF_INTEREST) &&
           !av_frame_get_side_data(out, AV_FRAME_DATA_MOTION_VECTORS), "side data in pixels of the old size is left out");
    tap_ok(av_frame_get_side_data(out, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL) &&
           av_frame_get_side_data(same, AV_FRAME_DATA_REGIONS_OF_INTEREST), "other side data, and all at the same size, stays");
    tap_ok(out->pts == 77 && out->duration == 3 && out->colorspace == AVCOL_SPC_BT709 &&
           av_dict_get(out->metadata, "key", NULL, 0), "time, color and metadata stay");
    tap_ok(!av_cmp_q(out->sample_aspect_ratio, (AVRational){ 2, 3 }), "the aspect ratio is the caller's");
    av_frame_free(&in);
    av_frame_free(&out);
    av_frame_free(&same);
}

static void test_same_picture(enum AVPixelFormat fmt, int w, int h)
{
    AVFrame *a = new_frame(fmt, w, h), *b = new_frame(fmt, w, h);
    int missed = 0, wrong;

    /* what lies right of a row is no picture */
    for (int p = 0; p < 4 && b->data[p]; p++)
        b->data[p][b->linesize[p] - 1] = 99;
    wrong = !ff_esrgan_same_picture(a, b);
    for (int p = 0; p < 4 && b->data[p]; p++) {
        int row = p == 1 || p == 2 ? (h - 1) / 2 : h - 1;
        uint8_t *last = b->data[p] + row * b->linesize[p] + (p == 1 || p == 2 ? (w + 1) / 2 : w) - 1;
        *last ^= 1;
        missed += ff_esrgan_same_picture(a, b);
        *last ^= 1;
    }
    wrong += !ff_esrgan_same_picture(a, b);
    b->color_range = AVCOL_RANGE_JPEG;
    missed += ff_esrgan_same_picture(a, b);
    tap_ok(!missed && !wrong, "%dx%d: one bit in the last sample of a plane is seen, padding is not", w, h);
    av_frame_free(&a);
    av_frame_free(&b);
}

static void test_names(void)
{
    static const char *const names[][2] = {
        { "realesr-general-x4v3.pth", "realesr-general-wdn-x4v3.pth" },
        { "/a/general-x4v3/realesr-general-x4v3.safetensors", "/a/general-x4v3/realesr-general-wdn-x4v3.safetensors" },
        { "realesr-animevideov3.pth", NULL }, { "builtin", NULL }, { "/general-x4v3/x.pth", NULL },
        { "realesr-general-wdn-x4v3.pth", NULL },
    };
    int bad = 0;

    for (int i = 0; i < FF_ARRAY_ELEMS(names); i++) {
        char *s = ff_esrgan_wdn_name(names[i][0]);
        bad += !s != !names[i][1] || (s && strcmp(s, names[i][1]));
        av_free(s);
    }
    tap_ok(!bad, "the sibling is found by the official name alone");
}

int main(void)
{
    test_boxes();
    test_side_data();
    test_same_picture(AV_PIX_FMT_YUV420P, 33, 17);
    test_same_picture(AV_PIX_FMT_YUVA420P, 33, 17);
    test_same_picture(AV_PIX_FMT_YUV420P, 1, 1);
    test_names();
    return tap_done();
}
