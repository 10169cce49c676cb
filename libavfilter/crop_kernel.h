/*
 * Crop on CUDA frames: what host and kernels agree on
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

#ifndef AVFILTER_CROP_KERNEL_H
#define AVFILTER_CROP_KERNEL_H

/**
 * @file
 * A launch does all planes of a frame, blockIdx.z is the plane. Which kernel
 * is for the host to choose:
 *
 * crop_pan8, crop_pan16  no zoom: neighbouring samples read neighbouring samples
 *                        with the same weights, and no table is needed. A thread
 *                        goes down CROP_PAN_H rows of CROP_PAN_W samples
 * crop_zoom              tables; a block sums one direction into shared memory,
 *                        then the other from there
 * crop_any               tables; a thread does all taps of a sample. For windows
 *                        that the shared memory of crop_zoom does not hold
 * crop_turn              makes the rotated part that the others then read
 */

#include "crop_px.h"

/** K(name, type of its params) for each, in the order of enum CropCudaKernel */
#define CROP_CUDA_KERNELS(K)        \
    K(crop_pan8,  CropCudaParams)   \
    K(crop_pan16, CropCudaParams)   \
    K(crop_zoom,  CropCudaParams)   \
    K(crop_any,   CropCudaParams)   \
    K(crop_turn,  CropCudaTurn)

enum CropCudaKernel { CROP_PAN8, CROP_PAN16, CROP_ZOOM, CROP_ANY, CROP_TURN };

#define CROP_PAN_W     4        ///< samples that a thread does side by side
#define CROP_PAN_H     8        ///< rows that it goes down
#define CROP_PAN_TAPS  6

#define CROP_TILE_W   64        ///< samples that a block of crop_zoom does side by side, or a few less
#define CROP_TILE_H   16
#define CROP_TILE_MID 6144      ///< intermediates that its shared memory holds
#define CROP_BLOCK_W  64        ///< threads of its blocks: one a column of the tile
#define CROP_BLOCK_H   4

typedef struct CropCudaPlane {
    CropPxPlane src;            ///< component 0; its pad is not looked at
    unsigned char *dst;
    long dst_stride;
    int dst_w, dst_h;           ///< in pixels
    int pad[4];                 ///< as CropPxPlane.pad, by sample of the pixel
    int nx, ny, rows_first;     ///< as for crop_px_sample()
    const int   *pos_x, *pos_y; ///< [dst_w], [dst_h]; of the device
    const short *coef_x, *coef_y;
    /* pans */
    int x, y;                   ///< pixel of src that pixel (0, 0) begins at
    int pan_taps;               ///< 4 or CROP_PAN_TAPS
    short pan_x[CROP_PAN_TAPS], pan_y[CROP_PAN_TAPS]; ///< 0 beyond nx, ny
} CropCudaPlane;

typedef struct CropCudaParams {
    CropCudaPlane plane[4];
} CropCudaParams;

typedef struct CropCudaTurnPlane {
    CropPxPlane src;            ///< as above
    CropPxRot rot;
    unsigned char *dst;
    long dst_stride;
    int dst_w, dst_h;
    int pad[4];
} CropCudaTurnPlane;

typedef struct CropCudaTurn {
    CropCudaTurnPlane plane[4];
    const short *phase;         ///< weights by phase, n each; of the device
    int n;
} CropCudaTurn;

#endif /* AVFILTER_CROP_KERNEL_H */
