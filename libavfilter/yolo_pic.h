/*
 * YOLO detection: a frame becomes the net's letterboxed picture
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

#ifndef AVFILTER_YOLO_PIC_H
#define AVFILTER_YOLO_PIC_H

#include "libavutil/frame.h"

#include "nn_frame.h"
#include "yolo.h"

/**
 * @file
 * The part of a frame that a net shall see is shrunk or enlarged to fit the net's
 * size, its aspect kept, the rest is gray (114). Colour conversion happens on the
 * way, of no more samples than are needed: there is no RGB copy of the frame.
 *
 * The result is what RGB at 8 bits, resized as OpenCV's resize() does with
 * INTER_LINEAR, gives: four pixels of the source a pixel (it does not average when
 * it shrinks: the nets were trained so), weights of 11 bits. Chroma is not
 * interpolated: a pixel has the sample of its block, as when a decoder's frame is
 * handed to OpenCV.
 */

/** What a net wants its picture to be. */
enum YoloInput {
    YOLO_IN_RGB,            ///< R, G, B of 0..1, centred (Ultralytics)
    YOLO_IN_BGR255,         ///< B, G, R of 0..255, at the top left (YOLOX)
};

#define YOLO_GRAY 114

/** Where a picture lies in the tensor, and how to get back. */
typedef struct YoloGeometry {
    int x, y, w, h;         ///< the part of the frame
    int net_w, net_h;
    int left, top;          ///< first pixel of the picture in the tensor
    int pic_w, pic_h;       ///< its size there, >= 1
    double gain, pad_x, pad_y; ///< frame = (tensor - pad) / gain + (x, y)
} YoloGeometry;

/** Fit w x h at (x, y) into net_w x net_h; all sizes >= 1. */
void ff_yolo_fit(YoloGeometry *g, enum YoloInput input, int x, int y, int w, int h, int net_w, int net_h);

/** Corners in tensor pixels -> frame pixels, not clipped. */
void ff_yolo_unfit(const YoloGeometry *g, YoloBox *b);

/** Multiples of stride that hold w x h scaled to fit size_w x size_h: padding without need is saved. */
void ff_yolo_rect(int *net_w, int *net_h, int w, int h, int size_w, int size_h, int stride);

/** Tables of one geometry; read only once made, so that threads share them. */
typedef struct YoloPic {
    NNFormat     fmt;
    YoloGeometry g;
    enum YoloInput input;
    int         *at[3];     ///< for each component: 2 * pic_w places in a row, in samples: left ones, right ones
    int         *y0;        ///< upper row of each row of the picture; the lower one is the next, if there is
    int16_t     *wx, *wy;   ///< weights of the right and lower pixel, of 2048
    int          last_y;    ///< of the part, from its top
} YoloPic;

/** @param fmt pixel format that ff_nn_format_supported() takes */
int  ff_yolo_pic_init(YoloPic *p, enum AVPixelFormat fmt, const YoloGeometry *g, enum YoloInput input);
void ff_yolo_pic_free(YoloPic *p);

/** Take matrix and range from the frame. @return AVERROR with a message if its matrix is none */
int  ff_yolo_pic_color(NNFormat *fmt, const AVFrame *frame, void *log);

/** bytes that a thread needs for ff_yolo_pic_rows() */
size_t ff_yolo_pic_scratch(const YoloPic *p);

/**
 * Fill rows first .. end-1 of the tensor.
 * @param fmt     p->fmt after ff_yolo_pic_color() of this frame
 * @param tensor  3 x net_h x net_w
 * @param scratch of this thread, aligned to 64 bytes
 */
void ff_yolo_pic_rows(const YoloPic *p, const NNFormat *fmt, const AVFrame *frame,
                      float *tensor, int first, int end, void *scratch);

#endif /* AVFILTER_YOLO_PIC_H */
