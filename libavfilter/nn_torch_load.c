/*
 * Nets: libffreel_torch.so, found and loaded
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

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/thread.h"

#include "nn_torch.h"

#ifdef __linux__
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_NAME "libffreel_torch.so"
#define HOW "; ./configure --with-libtorch=DIR builds it, FFREEL_TORCH=FILE names one (docs/engines.md)"

static AVMutex lock = AV_MUTEX_INITIALIZER;
static NNTorchLib lib;
static int loaded;

#define SYMBOL(member) { "ffreel_torch_" #member, offsetof(NNTorchLib, member) }
static const struct { const char *name; size_t offset; } symbols[] = {
    SYMBOL(abi), SYMBOL(version), SYMBOL(nb_cuda), SYMBOL(open), SYMBOL(close), SYMBOL(nb_params),
    SYMBOL(run), SYMBOL(nb_results), SYMBOL(result), SYMBOL(peak),
};

/* ---- where ---------------------------------------------------------------------- */

/* the folder of the running program */
static int program_folder(char path[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *slash;

    if (n <= 0)
        return 0;
    path[n] = 0;
    slash = strrchr(path, '/');
    if (!slash)
        return 0;
    *slash = 0;
    return 1;
}

/* @return the file to load, or NULL with a message */
static const char *find_file(char path[PATH_MAX], void *log)
{
    static const char *const places[] = { "%s/" FILE_NAME, "%s/../lib/ffreel/" FILE_NAME };
    const char *env = getenv("FFREEL_TORCH");
    char folder[PATH_MAX];

    if (env && *env) {
        if (!access(env, R_OK))
            return env;
        av_log(log, AV_LOG_ERROR, "FFREEL_TORCH=%s cannot be read%s\n", env, HOW);
        return NULL;
    }
    if (program_folder(folder))
        for (int i = 0; i < FF_ARRAY_ELEMS(places); i++)
            if (snprintf(path, PATH_MAX, places[i], folder) < PATH_MAX && !access(path, R_OK))
                return path;
    av_log(log, AV_LOG_ERROR, "TorchScript files are run by " FILE_NAME ", which is neither beside the program nor in "
           "../lib/ffreel from there" HOW "\n");
    return NULL;
}

/* ---- loading --------------------------------------------------------------------- */

static int bind(void *handle, const char *path, void *log)
{
    NNTorchLib l;

    for (int i = 0; i < FF_ARRAY_ELEMS(symbols); i++) {
        void *p = dlsym(handle, symbols[i].name);
        if (!p) {
            av_log(log, AV_LOG_ERROR, "%s has no function %s: not the library that is needed%s\n",
                   path, symbols[i].name, HOW);
            return AVERROR(ENOSYS);
        }
        memcpy((char *)&l + symbols[i].offset, &p, sizeof(p));
        if (!i && l.abi() != FFREEL_TORCH_ABI) {
            av_log(log, AV_LOG_ERROR, "%s has interface %d, this program needs %d: build both from the same sources\n",
                   path, l.abi(), FFREEL_TORCH_ABI);
            return AVERROR(ENOSYS);
        }
    }
    lib = l;
    return 0;
}

static int load(void *log)
{
    char buf[PATH_MAX];
    const char *path = find_file(buf, log);
    void *handle;
    int ret;

    if (!path)
        return AVERROR(ENOSYS);
    /* RTLD_LOCAL: what LibTorch brings along (OpenCV, another libavcodec) stays among itself */
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        av_log(log, AV_LOG_ERROR, "%s cannot be loaded: %s; LibTorch must be where it was when this was built, or on "
               "LD_LIBRARY_PATH\n", path, dlerror());
        return AVERROR(ENOSYS);
    }
    ret = bind(handle, path, log);
    if (ret < 0) {
        dlclose(handle);
        return ret;
    }
    av_log(log, AV_LOG_VERBOSE, "%s loaded: %s\n", path, lib.version());
    return 0;
}

int ff_nn_torch_lib(const NNTorchLib **out, void *log)
{
    int ret = 0;

    ff_mutex_lock(&lock);
    if (!loaded && (ret = load(log)) >= 0)
        loaded = 1;
    ff_mutex_unlock(&lock);
    *out = ret < 0 ? NULL : &lib;
    return ret;
}

#else
int ff_nn_torch_lib(const NNTorchLib **out, void *log)
{
    *out = NULL;
    av_log(log, AV_LOG_ERROR, "TorchScript files are run by LibTorch, which this build loads on Linux only\n");
    return AVERROR(ENOSYS);
}
#endif

int ff_nn_torch_error(int code)
{
    switch (code) {
    case FFREEL_TORCH_FILE:   return AVERROR_INVALIDDATA;
    case FFREEL_TORCH_MEMORY: return AVERROR(ENOMEM);
    case FFREEL_TORCH_DEVICE: return AVERROR(ENODEV);
    case FFREEL_TORCH_RESULT: return AVERROR_PATCHWELCOME;
    default:                  return code < 0 ? AVERROR_EXTERNAL : 0;
    }
}
