/*
 * Nets on the GPU: files of kernels
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

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#if HAVE_UNISTD_H
#include <unistd.h>
#endif

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/file_open.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_cuda.h"

#define MAX_SIZE (64 << 20)

/* compiled for one kind of chip, then for those to come; a file runs on its own
 * capability and, within the same major one, on higher ones */
static const struct {
    const char *name;
    int from, to;
} files[] = {
    { "nn.sm_90.cubin",    90,  90 },
    { "nn.sm_89.cubin",    89,  89 },
    { "nn.sm_86.cubin",    86,  89 },
    { "nn.sm_80.cubin",    80,  89 },
    { "nn.sm_75.cubin",    75,  75 },
    { "nn.compute_80.ptx", 80, INT_MAX },
    { "nn.compute_75.ptx", 75, INT_MAX },
};

/* @return a folder, av_free(); NULL: there is none, or no memory */
static char *folder(int i, const char *kernels)
{
    char path[4096];
    ssize_t len = -1;

    if (kernels && *kernels)
        return i ? NULL : av_strdup(kernels);
#if HAVE_UNISTD_H
    len = readlink("/proc/self/exe", path, sizeof(path) - 1);
#endif
    if (len <= 0 || i > 1)
        return NULL;
    path[len] = 0;
    *strrchr(path, '/') = 0;
    return av_asprintf("%s/%s", path, i ? "../share/ffreel/kernels" : "kernels");
}

/* @return 1 read, 0 no such file, or an error */
static int read_file(const char *path, unsigned char **data, unsigned *size)
{
    FILE *f = avpriv_fopen_utf8(path, "rb");
    long len;
    int ret = 1;

    if (!f)
        return 0;
    fseek(f, 0, SEEK_END);
    len = ftell(f);
    rewind(f);
    if (len <= 0 || len > MAX_SIZE)
        ret = AVERROR_INVALIDDATA;
    else if (!(*data = av_mallocz(len + 1)))
        ret = AVERROR(ENOMEM);
    else if (fread(*data, 1, len, f) != len)
        ret = AVERROR(EIO);
    fclose(f);
    if (ret < 0)
        av_freep(data);
    *size = len;
    return ret;
}

char *ff_nn_cuda_find(int i, int capability, const char *kernels, unsigned char **data, unsigned *size, int *err)
{
    *err = 0;
    for (int k = 0; k < FF_ARRAY_ELEMS(files); k++) {
        char *dir, *path;
        if (capability < files[k].from || capability > files[k].to)
            continue;
        for (int d = 0; (dir = folder(d, kernels)); d++) {
            path = av_asprintf("%s/%s", dir, files[k].name);
            av_free(dir);
            *err = path ? read_file(path, data, size) : AVERROR(ENOMEM);
            if (*err < 0)
                return path;
            if (*err > 0 && !i--) {
                *err = 0;
                return path;
            }
            if (*err > 0)
                av_freep(data);
            av_free(path);
        }
    }
    *err = 0;
    return NULL;
}
