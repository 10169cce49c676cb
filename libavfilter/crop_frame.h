/*
 * Crop: side data of frames
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


#ifndef AVFILTER_CROP_FRAME_H
#define AVFILTER_CROP_FRAME_H

#include <stdint.h>

#include "libavutil/frame.h"

#include "crop_geom.h"

/**
 * Side data that depends on the size of the picture: boxes of detections go
 * through the crop, what is then outside is dropped; other kinds are removed.
 * @param r       the rectangle, in luma pixels of the picture
 * @param area    where in the source frame that is; boxes are in pixels of the frame
 * @param told    kinds that were logged already, a bit each
 * @return 0 or AVERROR(ENOMEM)
 */
int ff_crop_side_data(AVFrame *out, const CropRect *r, double degrees, const CropArea *area,
                      uint64_t *told, void *log);

#endif /* AVFILTER_CROP_FRAME_H */
