/*
 * highlight: one frame on the GPU
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

#ifndef AVFILTER_HIGHLIGHT_CUDA_H
#define AVFILTER_HIGHLIGHT_CUDA_H

#include "libavutil/buffer.h"
#include "libavutil/frame.h"

#include "avfilter.h"
#include "cudafilter.h"
#include "highlight_tab.h"

/** Zeroed before first use. */
typedef struct HighlightCuda {
    CudaFilter *cuda;
    CudaBuffer  mem;            ///< the block of highlight_px.h
    CudaBuffer  mid, blurred;   ///< of one plane, of all planes
} HighlightCuda;

int  ff_highlight_cuda_init(HighlightCuda *c, AVFilterContext *ctx, AVBufferRef *device);

/**
 * Queue the drawing of a frame.
 * @param t    tables of the scene for that frame
 * @param out  may be in
 * @return 0, or an error after a line of log
 */
int  ff_highlight_cuda(HighlightCuda *c, const HighlightTables *t, const HighlightScene *s, const PxLayout *l,
                       AVFrame *out, const AVFrame *in);
void ff_highlight_cuda_free(HighlightCuda *c);

#endif /* AVFILTER_HIGHLIGHT_CUDA_H */
