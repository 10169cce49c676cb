/*
 * Crop: options of the filter and what follows from them
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


#ifndef AVFILTER_KEYFRAMECROP_H
#define AVFILTER_KEYFRAMECROP_H

#include <stdint.h>

#include "avfilter.h"
#include "crop_cuda.h"
#include "crop_render.h"
#include "frame_clock.h"
#include "crop_tables.h"
#include "keytrack.h"

enum CropSize {
    CROP_SIZE_KEYS,     ///< that of the largest key
    CROP_SIZE_REEL,     ///< four times the smallest key, at most 2560 x 1440
    CROP_SIZES
};

/** Values of a key, in this order. */
enum { KC_X, KC_Y, KC_W, KC_H, KC_ROTATION, KC_VALS };

typedef struct KeyframeCropContext {
    const AVClass *class;

    /* options */
    char   *keys, *file;
    int     kind;               ///< enum KeyKind
    int     log;
    char   *w_expr, *h_expr;
    int     size;               ///< enum CropSize
    char   *aspect;
    int     edge;               ///< enum CropEdge
    uint8_t color[4];
    int     ref_w, ref_h;       ///< 0: keys are in pixels of the input
    double  rotate;
    int     kernel;             ///< enum CropKernelType
    int64_t t0;                 ///< microseconds

    double  ratio;              ///< of option aspect: 0 off, -1 that of the output
    double  lock;               ///< ratio that rectangles are held to, or 0
    double  trim_w, trim_h;     ///< share of a rectangle that the rounded size shows; see trim_rounding()
    int     stretches;          ///< keys of several shapes, and no ratio to hold them to
    KeyTrack *track;            ///< in pixels of the input; NAN: rotation as the option says
    CropTables tables;
    CropRender render;          ///< of software frames
    CropCuda cuda;              ///< of CUDA frames

    FrameClock clock;
    int     told_shape, told_fields;
    uint64_t told_side_data;
} KeyframeCropContext;

extern const KeySpec ff_keyframecrop_spec;

/** option aspect -> s->ratio; @return 0 or AVERROR(EINVAL) after a line of log */
int ff_keyframecrop_aspect(AVFilterContext *ctx);

/**
 * Make s->track from keys or file (the other is NULL), or from the aspect
 * where both are NULL. The old track stays when this fails.
 */
int ff_keyframecrop_load(AVFilterContext *ctx, const char *keys, const char *file);

/** Size and sample aspect ratio of the output link; s->lock. */
int ff_keyframecrop_size(AVFilterLink *outlink);

#endif /* AVFILTER_KEYFRAMECROP_H */
