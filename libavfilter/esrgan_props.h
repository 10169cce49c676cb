/*
 * Properties of a frame whose size changes
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


#ifndef AVFILTER_ESRGAN_PROPS_H
#define AVFILTER_ESRGAN_PROPS_H

#include "libavutil/frame.h"

/**
 * Give out (of its own size, sample_aspect_ratio as wanted) all other properties
 * of in. Side data whose meaning depends on the size is left out, except
 * detection boxes, which are scaled.
 */
int ff_esrgan_copy_props(AVFrame *out, const AVFrame *in);

/** @return 1 if the two hold the same picture: same samples, same color properties */
int ff_esrgan_same_picture(const AVFrame *a, const AVFrame *b);

/**
 * The file name of the weak-denoise sibling: "general-x4v3" in the last part of
 * the path becomes "general-wdn-x4v3".
 * @return new string; NULL if the name is not of that kind or out of memory
 */
char *ff_esrgan_wdn_name(const char *model);

#endif /* AVFILTER_ESRGAN_PROPS_H */
