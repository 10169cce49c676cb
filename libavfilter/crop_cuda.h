/*
 * Crop: one CUDA frame from another
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

#ifndef AVFILTER_CROP_CUDA_H
#define AVFILTER_CROP_CUDA_H

#include "libavutil/frame.h"

#include "avfilter.h"
#include "crop_tables.h"
#include "cudafilter.h"

/** What is kept on the device. */
typedef struct CropCuda {
    CudaFilter *cuda;           ///< NULL: the frames are software frames
    CudaBuffer  tables;         ///< positions and weights of the frame at hand
    CudaBuffer  phases;         ///< weights by phase, for rotation
    CudaBuffer  turned;         ///< rotated part of all planes
    uint8_t    *host;           ///< what tables is filled from
    unsigned    host_size;
} CropCuda;

/** c is zeroed, or was initialised before. @param device  borrowed */
int ff_crop_cuda_init(CropCuda *c, AVFilterContext *ctx, AVBufferRef *device);

/**
 * Queue what makes out by the tables, which were built for these two frames:
 * the bytes of ff_crop_render().
 * @return 0 or an error, of which the reason was logged unless it is AVERROR(ENOMEM)
 */
int ff_crop_cuda(CropCuda *c, const CropTables *t, AVFrame *out, const AVFrame *in);
void ff_crop_cuda_free(CropCuda *c);

#endif /* AVFILTER_CROP_CUDA_H */
