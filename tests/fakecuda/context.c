/*
 * A CUDA driver for tests: start, devices, contexts, streams, events
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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakecuda.h"

#define MAX_DEVICES 8
#define MAX_DEPTH  16
#define MAX_CALLS 128

/** Destroyed ones stay until the end, so that use after that is seen. */
struct CUctx_st {
    int device, alive;
    struct CUctx_st *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int initialised, contexts_left, handles_left, primary_refs[MAX_DEVICES];
static struct CUctx_st primary[MAX_DEVICES], *list;
static int pushed;
static struct { const char *name; int nb; } calls[MAX_CALLS];

static _Thread_local struct CUctx_st *stack[MAX_DEPTH];
static _Thread_local int depth;

/* ---- what is wrong, and what was done ------------------------------------------------ */

_Noreturn void fake_die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("fakecuda: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    fflush(NULL);
    abort();
}

static int count(const char *name)
{
    for (int i = 0; i < MAX_CALLS; i++) {
        if (!calls[i].name)
            calls[i].name = name;
        if (!strcmp(calls[i].name, name))
            return ++calls[i].nb;
    }
    fake_die("%s: more names of calls than there is room for", name);
}

int fake_call(const char *name)
{
    const char *fail = getenv("FAKECUDA_FAIL");
    const size_t len = strlen(name);
    int nb, at = 0, code = OUT_OF_MEMORY;

    pthread_mutex_lock(&lock);
    nb = count(name);
    pthread_mutex_unlock(&lock);
    if (!fail || strncmp(fail, name, len) || fail[len] != ':')
        return 0;
    sscanf(fail + len + 1, "%d:%d", &at, &code);
    return nb == at ? code : 0;
}

static void write_log(const char *path)
{
    FILE *f = fopen(path, "a");

    if (!f)
        fake_die("FAKECUDA_LOG: cannot write to %s", path);
    for (int i = 0; i < MAX_CALLS && calls[i].name; i++)
        fprintf(f, "%s%s=%d", i ? " " : "", calls[i].name, calls[i].nb);
    fputc('\n', f);
    fclose(f);
}

/* at the end of the program, or when the last user closes the library */
__attribute__((destructor)) static void at_end(void)
{
    size_t bytes;
    const int nb = fake_allocations_left(&bytes);

    if (getenv("FAKECUDA_LOG"))
        write_log(getenv("FAKECUDA_LOG"));
    if (nb)
        fake_die("%d allocations, %zu bytes, were not freed", nb, bytes);
    if (fake_modules_left())
        fake_die("%d modules were not unloaded", fake_modules_left());
    if (handles_left)
        fake_die("%d streams and events were not destroyed", handles_left);
    if (pushed)
        fake_die("%d contexts were pushed and not popped", pushed);
    if (contexts_left)
        fake_die("%d contexts were not destroyed", contexts_left);
    while (list) {
        struct CUctx_st *ctx = list;
        list = ctx->next;
        free(ctx);
    }
    fake_forget();
}

/* ---- devices ------------------------------------------------------------------------- */

static int nb_devices(void)
{
    const char *s = getenv("FAKECUDA_DEVICES");
    const int nb = s ? atoi(s) : 1;

    return nb < 0 ? 0 : nb > MAX_DEVICES ? MAX_DEVICES : nb;
}

static CUresult check_device(CUdevice dev)
{
    return !initialised ? NOT_INITIALIZED : dev < 0 || dev >= nb_devices() ? INVALID_DEVICE : CUDA_SUCCESS;
}

CUresult cuInit(unsigned int flags)
{
    const int err = fake_call("cuInit");

    if (err)
        return err;
    if (!nb_devices())
        return 100;     /* no device */
    initialised = 1;
    return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *v)
{
    *v = 12000;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *nb)
{
    *nb = nb_devices();
    return initialised ? CUDA_SUCCESS : NOT_INITIALIZED;
}

CUresult cuDeviceGet(CUdevice *dev, int nr)
{
    *dev = nr;
    return check_device(nr);
}

CUresult cuDeviceGetAttribute(int *v, CUdevice_attribute attr, CUdevice dev)
{
    switch ((int)attr) {
    case CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT:
    case CU_DEVICE_ATTRIBUTE_TEXTURE_PITCH_ALIGNMENT: *v = 512; break;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:      *v = 1;   break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *v = 7;  break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *v = 5;  break;
    case 81:    /* shared memory of a multiprocessor, of a block: as Turing's */
    case 97:                                          *v = FAKE_SHARED; break;
    default:                                          *v = 0;
    }
    return check_device(dev);
}

CUresult cuDeviceGetName(char *name, int len, CUdevice dev)
{
    snprintf(name, len, "%s", FAKE_NAME);
    return check_device(dev);
}

CUresult cuDeviceTotalMem_v2(size_t *size, CUdevice dev)
{
    *size = fake_memory();
    return check_device(dev);
}

CUresult cuDeviceComputeCapability(int *major, int *minor, CUdevice dev)
{
    *major = 7;
    *minor = 5;
    return check_device(dev);
}

/* ---- contexts ------------------------------------------------------------------------ */

CUcontext fake_context(const char *call)
{
    if (!depth)
        fake_die("%s: no context is current on this thread", call);
    if (!stack[depth - 1]->alive)
        fake_die("%s: the current context was destroyed", call);
    return stack[depth - 1];
}

static void push(CUcontext ctx)
{
    if (depth == MAX_DEPTH)
        fake_die("cuCtxPushCurrent: %d contexts are pushed on this thread", depth);
    stack[depth++] = ctx;
    pthread_mutex_lock(&lock);
    pushed++;
    pthread_mutex_unlock(&lock);
}

CUresult cuCtxPushCurrent_v2(CUcontext ctx)
{
    const int err = fake_call("cuCtxPushCurrent");

    if (err)
        return err;
    if (!ctx || !ctx->alive)
        fake_die("cuCtxPushCurrent: no context, or a destroyed one");
    push(ctx);
    return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext *ctx)
{
    fake_call("cuCtxPopCurrent");
    if (!depth)
        fake_die("cuCtxPopCurrent: nothing is pushed on this thread");
    depth--;
    if (ctx)
        *ctx = stack[depth];
    pthread_mutex_lock(&lock);
    pushed--;
    pthread_mutex_unlock(&lock);
    return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v2(CUcontext *ctx, unsigned int flags, CUdevice dev)
{
    int err = fake_call("cuCtxCreate");

    if (err || (err = check_device(dev)))
        return err;
    *ctx = calloc(1, sizeof(**ctx));
    pthread_mutex_lock(&lock);
    **ctx = (struct CUctx_st){ dev, 1, list };
    list  = *ctx;
    contexts_left++;
    pthread_mutex_unlock(&lock);
    push(*ctx);
    return CUDA_SUCCESS;
}

CUresult cuCtxDestroy_v2(CUcontext ctx)
{
    fake_call("cuCtxDestroy");
    if (!ctx || !ctx->alive)
        fake_die("cuCtxDestroy: no context, or a destroyed one");
    fake_context_gone(ctx);
    ctx->alive = 0;
    pthread_mutex_lock(&lock);
    contexts_left--;
    pthread_mutex_unlock(&lock);
    return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *ctx)
{
    *ctx = depth ? stack[depth - 1] : NULL;
    return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *dev)
{
    *dev = fake_context("cuCtxGetDevice")->device;
    return CUDA_SUCCESS;
}

CUresult cuCtxSetLimit(CUlimit limit, size_t value)
{
    fake_context("cuCtxSetLimit");
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *ctx, CUdevice dev)
{
    int err = fake_call("cuDevicePrimaryCtxRetain");

    if (err || (err = check_device(dev)))
        return err;
    pthread_mutex_lock(&lock);
    if (!primary_refs[dev]++)
        contexts_left++;
    primary[dev] = (struct CUctx_st){ dev, 1 };
    pthread_mutex_unlock(&lock);
    *ctx = &primary[dev];
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease(CUdevice dev)
{
    pthread_mutex_lock(&lock);
    if (check_device(dev) || !primary_refs[dev])
        fake_die("cuDevicePrimaryCtxRelease: was not retained");
    if (!--primary_refs[dev]) {
        fake_context_gone(&primary[dev]);
        primary[dev].alive = 0;
        contexts_left--;
    }
    pthread_mutex_unlock(&lock);
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxSetFlags(CUdevice dev, unsigned int flags)
{
    return check_device(dev);
}

CUresult cuDevicePrimaryCtxGetState(CUdevice dev, unsigned int *flags, int *active)
{
    *flags  = CU_CTX_SCHED_BLOCKING_SYNC;
    *active = primary_refs[dev] > 0;
    return check_device(dev);
}

CUresult cuDevicePrimaryCtxReset(CUdevice dev)
{
    return NOT_SUPPORTED;
}

/* ---- streams and events: all is done when a call returns ------------------------------ */

static CUresult handle_create(void **h, const char *call)
{
    const int err = fake_call(call);

    fake_context(call);
    if (err)
        return err;
    *h = calloc(1, sizeof(struct timespec));
    pthread_mutex_lock(&lock);
    handles_left++;
    pthread_mutex_unlock(&lock);
    return CUDA_SUCCESS;
}

static CUresult handle_destroy(void *h, const char *call)
{
    fake_call(call);
    fake_context(call);
    free(h);
    pthread_mutex_lock(&lock);
    handles_left--;
    pthread_mutex_unlock(&lock);
    return CUDA_SUCCESS;
}

static CUresult done(const char *call)
{
    fake_context(call);
    return fake_call(call);
}

CUresult cuStreamCreate(CUstream *s, unsigned int flags)       { return handle_create((void **)s, "cuStreamCreate"); }
CUresult cuStreamDestroy_v2(CUstream s)                        { return handle_destroy(s, "cuStreamDestroy"); }
CUresult cuStreamQuery(CUstream s)                             { return done("cuStreamQuery"); }
CUresult cuStreamSynchronize(CUstream s)                       { return done("cuStreamSynchronize"); }
CUresult cuStreamWaitEvent(CUstream s, CUevent e, unsigned f)  { return done("cuStreamWaitEvent"); }
CUresult cuEventCreate(CUevent *e, unsigned int flags)         { return handle_create((void **)e, "cuEventCreate"); }
CUresult cuEventDestroy_v2(CUevent e)                          { return handle_destroy(e, "cuEventDestroy"); }
CUresult cuEventSynchronize(CUevent e)                         { return done("cuEventSynchronize"); }
CUresult cuEventQuery(CUevent e)                               { return done("cuEventQuery"); }

CUresult cuEventRecord(CUevent e, CUstream s)
{
    clock_gettime(CLOCK_MONOTONIC, (struct timespec *)e);
    return done("cuEventRecord");
}

CUresult cuEventElapsedTime(float *ms, CUevent a, CUevent b)
{
    const struct timespec *from = (struct timespec *)a, *to = (struct timespec *)b;

    *ms = (to->tv_sec - from->tv_sec) * 1e3 + (to->tv_nsec - from->tv_nsec) * 1e-6;
    return done("cuEventElapsedTime");
}

CUresult cuStreamAddCallback(CUstream s, CUstreamCallback *fn, void *opaque, unsigned int flags)
{
    const CUresult err = done("cuStreamAddCallback");

    if (!err)
        fn(s, CUDA_SUCCESS, opaque);
    return err;
}

/* ---- names of errors ------------------------------------------------------------------- */

static const struct { int code; const char *name, *text; } errors[] = {
    { CUDA_SUCCESS,    "CUDA_SUCCESS",                 "no error" },
    { INVALID_VALUE,   "CUDA_ERROR_INVALID_VALUE",     "invalid argument" },
    { OUT_OF_MEMORY,   "CUDA_ERROR_OUT_OF_MEMORY",     "out of memory" },
    { NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED",   "initialization error" },
    { 100,             "CUDA_ERROR_NO_DEVICE",         "no CUDA-capable device is detected" },
    { INVALID_DEVICE,  "CUDA_ERROR_INVALID_DEVICE",    "invalid device ordinal" },
    { INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT",   "invalid device context" },
    { INVALID_PTX,     "CUDA_ERROR_INVALID_PTX",       "a PTX JIT compilation failed" },
    { 222,             "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain." },
    { INVALID_HANDLE,  "CUDA_ERROR_INVALID_HANDLE",    "invalid resource handle" },
    { NOT_FOUND,       "CUDA_ERROR_NOT_FOUND",         "named symbol not found" },
    { 700,             "CUDA_ERROR_ILLEGAL_ADDRESS",   "an illegal memory access was encountered" },
    { NOT_SUPPORTED,   "CUDA_ERROR_NOT_SUPPORTED",     "operation not supported" },
};

static CUresult error_text(int err, const char **out, int text)
{
    for (int i = 0; i < sizeof(errors) / sizeof(*errors); i++)
        if (errors[i].code == err) {
            *out = text ? errors[i].text : errors[i].name;
            return CUDA_SUCCESS;
        }
    *out = NULL;
    return INVALID_VALUE;
}

CUresult cuGetErrorName(CUresult err, const char **s)   { return error_text(err, s, 0); }
CUresult cuGetErrorString(CUresult err, const char **s) { return error_text(err, s, 1); }

/* ---- what FFmpeg's loader asks for and nothing here uses --------------------------------- */

#define NOT_HERE(name) CUresult name(void) { return NOT_SUPPORTED; }
NOT_HERE(cuLinkCreate)
NOT_HERE(cuLinkAddData)
NOT_HERE(cuLinkComplete)
NOT_HERE(cuLinkDestroy)
NOT_HERE(cuTexObjectCreate)
NOT_HERE(cuTexObjectDestroy)
NOT_HERE(cuGLGetDevices_v2)
NOT_HERE(cuGraphicsGLRegisterImage)
NOT_HERE(cuGraphicsUnregisterResource)
NOT_HERE(cuGraphicsMapResources)
NOT_HERE(cuGraphicsUnmapResources)
NOT_HERE(cuGraphicsSubResourceGetMappedArray)
NOT_HERE(cuGraphicsResourceGetMappedPointer_v2)
NOT_HERE(cuArrayCreate_v2)
NOT_HERE(cuArray3DCreate_v2)
NOT_HERE(cuArrayDestroy)
NOT_HERE(cuMemAllocManaged)
