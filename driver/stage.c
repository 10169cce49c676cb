/*
 * ffreel: which stage of an ffmpeg process limits
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

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"

/*
 * ffmpeg names its threads: dmx0:mov, dec0:0:h264, vf#0:0, enc0:0:libx264, mux0:mp4;
 * workers of a library keep the name of the thread that made them, or are av:h264:df3.
 */
static int stage_of(const char *comm)
{
    if (!strncmp(comm, "dmx", 3))
        return 0;
    if (!strncmp(comm, "dec", 3) || strstr(comm, ":df"))
        return 1;
    if (!strncmp(comm, "vf#", 3) || !strncmp(comm, "fc", 2) || !strncmp(comm, "av:", 3))
        return 2;
    if (!strncmp(comm, "enc", 3))
        return 3;
    return -1;
}

/* us of CPU so far, and the thread's name */
static int64_t thread_cpu(pid_t pid, const char *tid, char *comm, size_t size)
{
    char path[64], buf[512], *open, *close;
    unsigned long user, sys;
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/stat", (int)pid, tid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    n = fread(buf, 1, sizeof(buf) - 1, f);
    fclose(f);
    buf[n] = 0;
    open  = strchr(buf, '(');
    close = strrchr(buf, ')');
    if (!open || !close || sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        return 0;
    snprintf(comm, size, "%.*s", (int)(close - open - 1), open + 1);
    return (user + sys) * (1000000 / sysconf(_SC_CLK_TCK));
}

static void sample(int64_t cpu[4], pid_t pid)
{
    char path[64];
    struct dirent *e;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    d = opendir(path);
    while (d && (e = readdir(d))) {
        char comm[32] = "";
        const int64_t us = *e->d_name == '.' ? 0 : thread_cpu(pid, e->d_name, comm, sizeof(comm));
        const int stage = stage_of(comm);
        if (stage >= 0)
            cpu[stage] += us;
    }
    if (d)
        closedir(d);
}

const char *stage_limit(Stages *s, pid_t pid)
{
    static const char *const names[] = { "reading", "decoding", "filters", "encoding" };
    const int64_t now = now_us();
    int64_t cpu[4] = { 0 }, most = 0;

    /* every two seconds: it reads a file a thread */
    if (s->at && now - s->at < 2000000)
        return s->limit;
    sample(cpu, pid);
    if (s->at) {
        int best = 0;
        for (int i = 0; i < 4; i++)
            if (cpu[i] - s->cpu[i] > most)
                most = cpu[best = i] - s->cpu[i];
        /* no stage is at work half the time: it waits for a disk or a GPU */
        s->limit = most * 2 < now - s->at ? "waiting" : names[best];
    }
    memcpy(s->cpu, cpu, sizeof(cpu));
    s->at = now;
    return s->limit;
}
