/*
 * ffreel: one ffmpeg process
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

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libavutil/avstring.h"
#include "libavutil/mem.h"

#include "driver.h"

int signals_fd = -1;
static int stop_signal;

int signals_catch(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signals_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals_fd;
}

int signals_pending(void)
{
    struct signalfd_siginfo s;

    while (signals_fd >= 0 && read(signals_fd, &s, sizeof(s)) == sizeof(s))
        stop_signal = s.ssi_signo;
    return stop_signal;
}

/* in the child, between fork and exec: nothing but system calls */
static void become(char *const *argv, const char *cwd, int log, int pipe, pid_t parent)
{
    sigset_t none;
    int null;

    setpgid(0, 0);      // ^C in the terminal is for the driver, which ends its children itself
    /* no orphans, however the driver ends; its last stroke cannot be missed */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    null = open("/dev/null", O_RDONLY);
    /* 3 may be one of ours: go by numbers out of the way */
    pipe = fcntl(pipe, F_DUPFD, 10);
    log  = fcntl(log,  F_DUPFD, 10);
    if (null < 0 || pipe < 0 || log < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 || dup2(pipe, 3) < 0)
        _exit(127);
    close(pipe);
    close(log);
    if (null > 3)
        close(null);
    if (cwd && chdir(cwd) < 0)
        _exit(127);
    execv(argv[0], argv);
    _exit(127);
}

int child_start(Child *c, const StrList *argv, const char *cwd, int log, const char *gpu)
{
    const pid_t self = getpid();
    int p[2];

    *c = (Child){ .fd = -1, .pipe = -1 };
    if (pipe2(p, O_CLOEXEC) < 0)
        return fail(FAIL_IO, "cannot make a pipe: %s; raise 'ulimit -n'", strerror(errno));
    if (gpu)
        setenv("CUDA_VISIBLE_DEVICES", gpu, 1);
    c->started = c->changed = now_us();
    c->pid = fork();
    if (!c->pid)
        become(argv->v, cwd, log, p[1], self);
    close(p[1]);
    if (c->pid < 0) {
        c->pid = 0;
        close(p[0]);
        return fail(FAIL_IO, "cannot start a process: %s; use fewer workers (-j)", strerror(errno));
    }
    c->pipe = p[0];
    fcntl(c->pipe, F_SETFL, O_NONBLOCK);
    c->fd = syscall(SYS_pidfd_open, c->pid, 0);
    if (c->fd < 0) {
        const int err = errno;
        child_signal(c, SIGKILL);
        child_reap(c);
        return fail(FAIL_IO, "pidfd_open: %s; Linux 5.3 is needed, and room under 'ulimit -n'", strerror(err));
    }
    return 0;
}

/* one "key=value" of -progress */
static void take_line(Child *c, const char *line)
{
    int64_t v;

    if (!strncmp(line, "frame=", 6) && (v = strtoll(line + 6, NULL, 10)) > c->frame) {
        c->frame   = v;
        c->changed = now_us();
        if (!c->first)
            c->first = c->changed;
    } else if (!strncmp(line, "total_size=", 11)) {
        c->bytes = strtoll(line + 11, NULL, 10);
    } else if (!strcmp(line, "progress=end")) {
        c->end = 1;
    }
}

void child_read(Child *c)
{
    char buf[1024];
    ssize_t n;

    while (c->pipe >= 0 && (n = read(c->pipe, buf, sizeof(buf))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (buf[i] == '\n') {
                c->line[c->len] = 0;
                take_line(c, c->line);
                c->len = 0;
            } else if (c->len < sizeof(c->line) - 1) {
                c->line[c->len++] = buf[i];
            }
        }
    }
}

void child_reap(Child *c)
{
    struct rusage r = { 0 };

    child_read(c);
    while (wait4(c->pid, &c->status, 0, &r) < 0 && errno == EINTR)
        ;
    c->cpu_us    = (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * INT64_C(1000000) + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
    c->maxrss_kb = r.ru_maxrss;
    if (c->fd >= 0)
        close(c->fd);
    if (c->pipe >= 0)
        close(c->pipe);
    c->fd = c->pipe = -1;
    c->pid = 0;
}

void child_signal(const Child *c, int sig)
{
    if (c->pid > 0 && killpg(c->pid, sig) < 0)
        kill(c->pid, sig);      // it has not come to setpgid yet
}

void child_watch(Child *c, const char *what, int64_t frames)
{
    Stages stages = { 0 };
    int64_t killed = 0;

    while (1) {
        struct pollfd f[3] = { { c->fd, POLLIN }, { c->pipe, POLLIN }, { signals_fd, POLLIN } };
        poll(f, 3, 200);
        child_read(c);
        if (f[1].revents & POLLHUP && !(f[1].revents & POLLIN)) {
            close(c->pipe);
            c->pipe = -1;
        }
        if (f[0].revents)
            break;
        if (signals_pending() && !killed) {
            child_signal(c, SIGTERM);
            killed = now_us();
        } else if (killed && now_us() - killed > 3000000) {
            child_signal(c, SIGKILL);
        }
        if (what) {
            progress_child(-1, c, frames, stage_limit(&stages, c->pid));
            progress_draw(0);
        }
    }
    child_reap(c);
}

int child_run(Child *c, const StrList *argv, const char *cwd, int log, const char *what, int64_t frames)
{
    const int ret = child_start(c, argv, cwd, log, NULL);

    if (!ret)
        child_watch(c, what, frames);
    return ret ? ret : signals_pending() ? FAIL_STOPPED : 0;
}

// ---- logs ----------------------------------------------------------------------------

int log_open(const char *path, const StrList *argv)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    char *s;

    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        errno = EWOULDBLOCK;
        return -1;
    }
    s = list_shell(argv);
    dprintf(fd, "$ %s\n", s);
    av_free(s);
    return fd;
}

/* the last attempt's lines begin at the last "$ " */
char *log_reason(const char *path)
{
    char *text = read_text(path), *last = NULL, *why = NULL;

    if (!text)
        return strf("no log");
    for (char *l = text, *next; l; l = next) {
        next = strchr(l, '\n');
        if (next)
            *next++ = 0;
        if (!strncmp(l, "$ ", 2))
            last = NULL;
        /* the first error is the cause, what follows is its consequence; a decoder's
         * complaints about pictures before the first shown one are no errors */
        if (!last && (strstr(l, "[error]") || strstr(l, "[fatal]")) && !strstr(l, "mmco") && !strstr(l, "co located POCs"))
            last = l;
    }
    if (last) {
        char *tag = strstr(last, "[error] ");
        if (!tag)
            tag = strstr(last, "[fatal] ");
        why = strf("%s", tag ? tag + 8 : last);
    }
    av_free(text);
    return why ? why : strf("its log says nothing");
}

static int log_has(const char *path, const char *a, const char *b)
{
    char *text = read_text(path), *last = text;
    int hit;

    for (char *l = text; l && (l = strstr(l, "\n$ ")); l++)
        last = l;
    hit = text && (strstr(last, a) || (b && strstr(last, b)));
    av_free(text);
    return hit;
}

/* ffmpeg's main returns its AVERROR: the shell sees 256 - errno */
int child_cause(const Child *c, const char *log)
{
    const int code = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1;

    if (code < 0)
        return FAIL_WRONG;
    if (log_has(log, "CUDA_ERROR", "No decoder surfaces left") || log_has(log, "out of GPU memory", "cuCtx"))
        return FAIL_GPU;
    if (code == 256 - ENOSPC || code == 256 - EDQUOT || code == 256 - EIO || code == 256 - EROFS || code == 256 - ENOMEM ||
        log_has(log, "No space left on device", "Input/output error"))
        return FAIL_IO;
    if (code == 255 || code == 127)
        return FAIL_WRONG;
    return FAIL_INPUT;
}

const char *child_how(const Child *c, char *buf, size_t size)
{
    if (WIFSIGNALED(c->status))
        snprintf(buf, size, "was killed by signal %d (%s)", WTERMSIG(c->status), strsignal(WTERMSIG(c->status)));
    else if (WEXITSTATUS(c->status) == 127)
        snprintf(buf, size, "could not be started");
    else
        snprintf(buf, size, "ended with status %d", WEXITSTATUS(c->status));
    return buf;
}
