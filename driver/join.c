/*
 * ffreel: segments -> the result
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libavutil/avstring.h"
#include "libavutil/mem.h"

#include "driver.h"

/* every segment is there, is what was written, and fits the first */
static int check_segments(const Plan *p)
{
    char extradata[33] = "";
    int ret = 0;

    for (int i = 0; i < p->nb_segs && !ret; i++) {
        char *file = seg_path(p, i, p->seg_format), hash[33];
        const char *x;
        json_t *j = NULL;
        int64_t size;
        if (!segment_done(p, i, &j)) {
            ret = fail(FAIL_WRONG, "segment %d: missing, short, or of another plan; 'ffreel run %s' makes it", i, p->dir);
        } else if (hash_file(file, hash, &size) < 0) {
            ret = fail(FAIL_IO, "%s: cannot be read", file);
        } else if (strcmp(hash, json_string_value(json_object_get(j, "hash")))) {
            ret = fail(FAIL_WRONG, "segment %d: %s is not what was written; remove it, then 'ffreel run %s'", i, file, p->dir);
        } else {
            x = json_string_value(json_object_get(j, "extradata"));
            if (!i)
                av_strlcpy(extradata, x, sizeof(extradata));
            else if (strcmp(x, extradata))
                ret = fail(FAIL_WRONG, "segment %d: its codec headers are not those of segment 0, a player would break there; "
                           "was it made by another build or GPU? remove it, then 'ffreel run %s'", i, p->dir);
        }
        json_decref(j);
        av_free(file);
    }
    return ret;
}

/* beside the output: a rename does not cross file systems */
static char *part_of(const char *output)
{
    const char *slash = strrchr(output, '/');
    const int dir = slash ? slash + 1 - output : 0;

    return strf("%.*s.%s.ffreel-part", dir, output, output + dir);
}

static int report(const Child *c, const char *what, const char *log)
{
    char how[64], *why = log_reason(log);
    const int cause = child_cause(c, log);

    fail(cause, "%s: ffmpeg %s: %s (log: %s)", what, child_how(c, how, sizeof(how)), why, log);
    av_free(why);
    return cause;
}

/* runs one command that writes the output's part */
static int make_output(Plan *p, const StrList *argv, const char *name, const char *part, int64_t frames, Child *c)
{
    char *log = log_path(p, name);
    const int fd = log_open(log, argv);
    int ret;

    if (fd < 0) {
        ret = fail(errno == EWOULDBLOCK ? FAIL_CONFIG : FAIL_IO, "%s: %s", log,
                   errno == EWOULDBLOCK ? "another process is writing the output" : strerror(errno));
    } else {
        unlink(part);
        progress_begin(name, frames, 0);
        ret = child_run(c, argv, p->cwd, fd, name, frames);
        close(fd);
        if (!ret && (c->status || (!c->end && !p->damaged)))
            ret = report(c, name, log);
        if (ret)
            unlink(part);
    }
    av_free(log);
    return ret;
}

/* The concat demuxer takes its list's name for a URL: '#', '?' and '%' in a folder's
 * name mean something there. By its open folder the list has a plain name. */
static char *plain_name(const Plan *p, const char *list, int *dir)
{
    int fd;

    *dir = -1;
    if (!strpbrk(p->dir, "#?%"))
        return strf("%s", list);
    fd   = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *dir = fd < 0 ? -1 : fcntl(fd, F_DUPFD, 10);        // handed on to ffmpeg
    if (fd >= 0)
        close(fd);
    return *dir < 0 ? strf("%s", list) : strf("/proc/self/fd/%d/list.ffconcat", *dir);
}

int join_run(Plan *p, char **part)
{
    const int64_t began = now_us();
    int dir;
    char *list = strf("%s/list.ffconcat", p->dir), *text = concat_list(p);
    StrList argv = { 0 };
    Child c = { 0 };
    int ret = check_segments(p);

    *part = part_of(p->output);
    if (!ret)
        ret = write_file(list, text, strlen(text));
    if (!ret) {
        char *name = plain_name(p, list, &dir);
        command_join(&argv, p, name, *part);
        ret = make_output(p, &argv, "join", *part, p->x.nb, &c);
        list_free(&argv);
        av_free(name);
        if (dir >= 0)
            close(dir);
    }
    json_object_set_new(p->times, "concat_ms", json_integer((now_us() - began) / 1000));
    av_free(list);
    av_free(text);
    return ret;
}

int serial_run(Plan *p, char **part)
{
    const int64_t began = now_us();
    char *proof = strf("%s/serial.frames", p->dir), *log = log_path(p, "serial");
    StrList argv = { 0 };
    Child c = { 0 };
    char *wrong;
    int ret;

    *part = part_of(p->output);
    command_serial(&argv, p, *part, p->one_to_one ? proof : NULL);
    ret = make_output(p, &argv, "serial", *part, p->x.nb, &c);
    wrong = !ret && p->one_to_one ? proof_check(p, 0, p->x.nb, 0, proof) : NULL;
    if (wrong)
        ret = fail(FAIL_WRONG, "%s (log: %s)", wrong, log);
    av_free(wrong);
    list_free(&argv);
    json_object_set_new(p->times, "render_ms", json_integer((now_us() - began) / 1000));
    json_object_set_new(p->times, "open_ms", json_integer(c.first ? (c.first - c.started) / 1000 : 0));
    json_object_set_new(p->times, "cpu_ms", json_integer(c.cpu_us / 1000));
    av_free(proof);
    av_free(log);
    return ret;
}

int verb_join(Options *o)
{
    Plan p;
    char *part = NULL;
    int lock = -1, ret;

    if (o->words.nb != 1)
        return fail(FAIL_USAGE, "ffreel join DIR");
    if ((ret = plan_load(&p, o->words.v[0])))
        goto end;
    if (!p.split) {
        ret = fail(FAIL_USAGE, "%s is not split (%s): there is nothing to join; 'ffreel run %s'", p.dir, p.reason, p.dir);
        goto end;
    }
    if (!o->overwrite && !access(p.output, F_OK)) {
        ret = fail(FAIL_USAGE, "%s exists; -y replaces it", p.output);
        goto end;
    }
    if ((ret = plan_take(&p, &lock)))
        goto end;
    ret = join_run(&p, &part);
    if (!ret)
        ret = output_finish(&p, part, o->verify_full);
    if (!ret)
        say(0, "%s", p.output);
end:
    if (ret == FAIL_STOPPED)
        fail(ret, "stopped; the same command goes on");
    if (lock >= 0)
        close(lock);
    av_free(part);
    plan_free(&p);
    return ret;
}
