/*
 * Filters on CUDA frames in an ffmpeg without kernels
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

/* this program's own copy takes the place of what the library has */
#include "libavfilter/cudafilter_stub.c"

#include "cuda_graph.h"

int main(void)
{
    Graph t;
    AVBufferRef *ref;
    const char *line;
    int ret;

    if (!open_device())
        return 0;
    ret = open_graph(&t, AV_PIX_FMT_NV12, 320, 240, "keys=0 0 0 100 100", 1);
    line = strstr(message, "this ffmpeg was built without CUDA kernels (clang or nvcc)");
    tap_ok(ret == AVERROR(ENOSYS) && line, "CUDA frames are refused: %.*s", line ? (int)strcspn(line, "\n") : 0, line ? line : "");
    message[0] = 0;
    tap_ok(ff_cudafilter_device(t.crop, NULL, &ref) == AVERROR(ENOSYS) && !ref && strstr(message, "built without"),
           "so is a device for software frames");
    close_graph(&t);
    av_buffer_unref(&device);
    return tap_done();
}
