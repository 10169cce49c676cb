/*
 * The CUDA driver for tests: that it stops at what it is there to stop at
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

#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static void *lib;

/* results are ints, handles and addresses are words: enough for these calls */
static int call(const char *name, uintptr_t a, uintptr_t b, uintptr_t c)
{
    int (*fn)(uintptr_t, uintptr_t, uintptr_t) = (int (*)(uintptr_t, uintptr_t, uintptr_t))dlsym(lib, name);

    if (!fn) {
        fprintf(stderr, "no %s\n", name);
        _exit(3);
    }
    return fn(a, b, c);
}

static void *ctx;
static uint64_t mem;
static char host[4096];

static void start(void)
{
    call("cuInit", 0, 0, 0);
    call("cuCtxCreate_v2", (uintptr_t)&ctx, 0, 0);
    call("cuMemAlloc_v2", (uintptr_t)&mem, 1000, 0);
}

static void finish(void)
{
    call("cuMemFree_v2", mem, 0, 0);
    call("cuCtxPopCurrent_v2", 0, 0, 0);
    call("cuCtxDestroy_v2", (uintptr_t)ctx, 0, 0);
}

static void nothing(void)       { finish(); }
static void copies(void)        { call("cuMemcpyHtoD_v2", mem, (uintptr_t)host, 1000); finish(); }
static void beyond(void)        { call("cuMemcpyHtoD_v2", mem + 1, (uintptr_t)host, 1000); finish(); }
static void no_address(void)    { call("cuMemcpyDtoH_v2", (uintptr_t)host, (uintptr_t)host + 64, 10); finish(); }
static void writes_over(void)   { ((char *)(uintptr_t)mem)[1003] = 1; finish(); }
static void leaks(void)         { call("cuCtxPopCurrent_v2", 0, 0, 0); }
static void twice(void)         { call("cuMemFree_v2", mem, 0, 0); finish(); }
static void not_popped(void)    { call("cuCtxPushCurrent_v2", (uintptr_t)ctx, 0, 0); finish(); }
static void popped_twice(void)  { finish(); call("cuCtxPopCurrent_v2", 0, 0, 0); }
static void context_stays(void) { call("cuMemFree_v2", mem, 0, 0); call("cuCtxPopCurrent_v2", 0, 0, 0); }

static void no_context(void)
{
    call("cuCtxPopCurrent_v2", 0, 0, 0);
    call("cuMemFree_v2", mem, 0, 0);
}

static void freed(void)
{
    const uint64_t old = mem;

    call("cuMemFree_v2", mem, 0, 0);
    call("cuMemcpyHtoD_v2", old, (uintptr_t)host, 10);
}

static void other_context(void)
{
    void *second;

    call("cuCtxCreate_v2", (uintptr_t)&second, 0, 0);
    call("cuMemcpyHtoD_v2", mem, (uintptr_t)host, 10);
}

/* what it says goes to text; @return its status */
static int child(void (*what)(void), char *text, size_t size)
{
    int fd[2], status;
    pid_t pid;
    size_t at = 0;
    ssize_t n;

    if (pipe(fd) < 0 || (pid = fork()) < 0)
        return -1;
    if (!pid) {
        dup2(fd[1], 2);
        if (!(lib = dlopen("libcuda.so.1", RTLD_NOW)))
            _exit(2);
        start();
        what();
        exit(0);
    }
    close(fd[1]);
    while (at < size - 1 && (n = read(fd[0], text + at, size - 1 - at)) > 0)
        at += n;
    text[at] = 0;
    close(fd[0]);
    waitpid(pid, &status, 0);
    return status;
}

static void fine(void (*what)(void), const char *name)
{
    char text[512];
    const int status = child(what, text, sizeof(text));

    tap_ok(!status, "%s is fine%s%s", name, text[0] ? ": " : "", text);
}

static void stops(void (*what)(void), const char *says)
{
    char text[512];
    const int status = child(what, text, sizeof(text));

    text[strcspn(text, "\n")] = 0;
    tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, says), "%s", text);
}

int main(void)
{
    char name[100] = "";
    const char *dir = getenv("FAKECUDA");

    if (!dir || !*dir) {
        tap_skip("the CUDA driver for tests: this build has no CUDA kernels");
        printf("done - no tests\n");
        return 0;
    }
    fine(nothing, "allocate and free");
    fine(copies, "copy all of an allocation");
    stops(beyond, "beyond an allocation");
    stops(no_address, "no address of the device");
    stops(writes_over, "wrote beyond");
    stops(leaks, "not freed");
    stops(twice, "freed before");
    stops(not_popped, "not popped");
    stops(popped_twice, "nothing is pushed");
    stops(context_stays, "not destroyed");
    stops(no_context, "no context is current");
    stops(freed, "was freed");
    stops(other_context, "another context");
    if ((lib = dlopen("libcuda.so.1", RTLD_NOW))) {
        call("cuInit", 0, 0, 0);
        call("cuDeviceGetName", (uintptr_t)name, sizeof(name), 0);
    }
    tap_ok(strstr(name, "fake") && strstr(name, "CPU"), "nobody takes it for a GPU: '%s'", name);
    return tap_done();
}
