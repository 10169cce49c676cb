/*
 * ffreel: looking at a plan directory, and removing it
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
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "libavutil/mem.h"

#include "driver.h"

static int locked(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const int is = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;

    if (fd >= 0)
        close(fd);
    return is;
}

/* done, running, failed (a log without a result) or waiting */
static const char *state_of(const Plan *p, int i)
{
    char name[16], *log;
    const char *state = "waiting";

    snprintf(name, sizeof(name), "%05d", i);
    log = log_path(p, name);
    if (segment_done(p, i, NULL))
        state = "done";
    else if (locked(log))
        state = "running";
    else if (!access(log, F_OK))
        state = "ended without a result";
    av_free(log);
    return state;
}

int verb_status(Options *o)
{
    Plan p;
    char *lock = NULL;
    int ret, done = 0, frames = 0;

    if (o->words.nb != 1)
        return fail(FAIL_USAGE, "ffreel status DIR");
    if ((ret = plan_load(&p, o->words.v[0])))
        goto end;
    lock = strf("%s/lock", p.dir);
    printf("%s -> %s\n", p.input, p.output);
    printf("%s: %s\n", p.split ? "split" : "not split", p.reason);
    for (int i = 0; i < p.nb_segs && p.split; i++) {
        const char *s = state_of(&p, i);
        const int nb = p.cut[i + 1] - p.cut[i];
        done   += *s == 'd';
        frames += *s == 'd' ? nb : 0;
        if (say_level > 0 || (*s != 'd' && *s != 'w'))
            printf("  %05d  %7d frames  %s\n", i, nb, s);
    }
    if (p.split)
        printf("%d of %d segments, %d of %d frames\n", done, p.nb_segs, frames, p.x.nb);
    printf("%s\n", locked(lock) ? "ffreel is at work there" : !access(p.output, F_OK) ? "the output is there" : "nothing is at work there");
end:
    av_free(lock);
    plan_free(&p);
    return ret;
}

static int keep_plan;

/* plan.json and output.json go last: a removal that is cut short can be told from a run */
static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    const char *name = path + f->base;

    if (keep_plan && (!f->level || (f->level == 1 && (!strcmp(name, "plan.json") || !strcmp(name, "output.json") ||
                                                      !strcmp(name, "index")))))
        return 0;
    return remove(path);
}

int dir_remove(const char *dir)
{
    int ret;        // no links are followed, and no more than 8 folders are open

    keep_plan = 1;
    ret = nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    keep_plan = 0;
    if (!ret)
        ret = nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (ret)
        return fail(FAIL_IO, "%s: cannot be removed whole: %s", dir, strerror(errno));
    return 0;
}

int verb_clean(Options *o)
{
    char *json, *lock_name;
    int lock, ret;

    if (o->words.nb != 1)
        return fail(FAIL_USAGE, "ffreel clean DIR");
    json      = strf("%s/plan.json", o->words.v[0]);
    lock_name = strf("%s/lock", o->words.v[0]);
    if (access(json, F_OK) && access(lock_name, F_OK)) {
        ret = fail(FAIL_USAGE, "%s: not a plan directory (no plan.json): nothing was removed", o->words.v[0]);
    } else if ((lock = plan_lock(o->words.v[0])) < 0) {
        ret = FAIL_CONFIG;
    } else {
        ret = dir_remove(o->words.v[0]);
        close(lock);
    }
    av_free(json);
    av_free(lock_name);
    return ret;
}
