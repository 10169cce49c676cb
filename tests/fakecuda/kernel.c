/*
 * A CUDA driver for tests: modules and launches
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

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakecuda.h"

#define MAX_KERNELS 256

struct CUmod_st {
    char *ptx;
};

struct CUfunc_st {
    const CudaHostKernel *kernel;
    unsigned max_shared;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct CUfunc_st known[MAX_KERNELS];
static int nb_known, modules_left;

void fake_register(const CudaHostKernel *kernels, int nb)
{
    if (nb_known + nb > MAX_KERNELS)
        fake_die("more kernels than there is room for");
    for (int i = 0; i < nb; i++)
        known[nb_known++].kernel = &kernels[i];
}

int fake_modules_left(void)
{
    return modules_left;
}

/* ---- modules --------------------------------------------------------------------------- */

CUresult cuModuleLoadData(CUmodule *mod, const void *image)
{
    const int err = fake_call("cuModuleLoadData");

    fake_context("cuModuleLoadData");
    if (err)
        return err;
    if (!memcmp(image, "\177ELF", 4) || !strstr(image, ".version") || !strstr(image, ".target"))
        return INVALID_PTX;
    *mod = calloc(1, sizeof(**mod));
    (*mod)->ptx = strdup(image);
    pthread_mutex_lock(&lock);
    modules_left++;
    pthread_mutex_unlock(&lock);
    return CUDA_SUCCESS;
}

CUresult cuModuleUnload(CUmodule mod)
{
    fake_call("cuModuleUnload");
    fake_context("cuModuleUnload");
    free(mod->ptx);
    free(mod);
    pthread_mutex_lock(&lock);
    modules_left--;
    pthread_mutex_unlock(&lock);
    return CUDA_SUCCESS;
}

/* @return bytes of the one parameter that the compiled kernel takes; -1: there is no such kernel */
static long ptx_params(const char *ptx, const char *name)
{
    char text[256];
    const char *p;
    long size;

    snprintf(text, sizeof(text), ".entry %s(", name);
    if (!(p = strstr(ptx, text)))
        return -1;
    snprintf(text, sizeof(text), "%s_param_0[", name);
    if (!(p = strstr(p, text)) || sscanf(p + strlen(text), "%ld", &size) != 1)
        return 0;
    return size;
}

CUresult cuModuleGetFunction(CUfunction *fn, CUmodule mod, const char *name)
{
    const int err = fake_call("cuModuleGetFunction");
    const long size = ptx_params(mod->ptx, name);

    fake_context("cuModuleGetFunction");
    if (err)
        return err;
    if (size < 0)
        return NOT_FOUND;
    for (int i = 0; i < nb_known; i++) {
        if (strcmp(known[i].kernel->name, name))
            continue;
        if (size != (long)known[i].kernel->size)
            fake_die("kernel %s: the compiled one takes %ld bytes of parameters, its text makes %zu of them here", name,
                     size, known[i].kernel->size);
        *fn = &known[i];
        return CUDA_SUCCESS;
    }
    fprintf(stderr, "fakecuda: kernel %s is none of tests/fakecuda/modules.txt\n", name);
    return NOT_FOUND;
}

CUresult cuFuncSetAttribute(CUfunction fn, int attribute, int value)
{
    const int err = fake_call("cuFuncSetAttribute");

    fake_context("cuFuncSetAttribute");
    if (err)
        return err;
    if (attribute != 8)         /* most dynamic shared memory */
        return NOT_SUPPORTED;
    if (value < 0 || value > FAKE_SHARED)
        return INVALID_VALUE;
    fn->max_shared = value;
    return CUDA_SUCCESS;
}

CUresult cuModuleGetGlobal(CUdeviceptr *p, size_t *size, CUmodule mod, const char *name)
{
    return NOT_FOUND;
}

/* ---- launches ---------------------------------------------------------------------------- */

CUresult cuLaunchKernel(CUfunction fn, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by,
                        unsigned int bz, unsigned int shared, CUstream stream, void **params, void **extra)
{
    const int err = fake_call("cuLaunchKernel");
    const char *name = fn->kernel->name;

    fake_context(name);
    fake_call(name);
    if (err)
        return err;
    if (!gx || !gy || !gz || !bx || !by || gx > 0x7FFFFFFF || gy > 65535 || gz > 65535 || bx > 1024 || by > 1024 ||
        bx * by > 1024)
        fake_die("kernel %s: a grid of %ux%ux%u blocks of %ux%u threads is beyond what a launch holds", name, gx, gy, gz, bx, by);
    if (bz != 1 || extra || !params)
        fake_die("kernel %s: launches here have flat blocks and an array of parameters", name);
    if (shared > (fn->max_shared ? fn->max_shared : 49152))
        return INVALID_VALUE;
    fake_check_params(name, params[0], fn->kernel->size);
    fn->kernel->run((CudaHostDim){ gx, gy, gz }, (CudaHostDim){ bx, by, 1 }, shared, params[0]);
    return CUDA_SUCCESS;
}
