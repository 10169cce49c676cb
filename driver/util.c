/*
 * ffreel: strings, files, messages
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

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "libavutil/bprint.h"
#include "libavutil/hash.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"

#include "driver.h"

int say_level;

void *need(void *p)
{
    if (!p) {
        fprintf(stderr, "ffreel: no memory left; what is done stays, the same command goes on\n");
        exit(FAIL_IO);
    }
    return p;
}

static char *vstrf(const char *fmt, va_list ap)
{
    AVBPrint b;
    char *s = NULL;

    av_bprint_init(&b, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_vbprintf(&b, fmt, ap);
    if (!av_bprint_is_complete(&b))
        need(NULL);
    av_bprint_finalize(&b, &s);
    return need(s);
}

char *strf(const char *fmt, ...)
{
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = vstrf(fmt, ap);
    va_end(ap);
    return s;
}

int fail(int code, const char *fmt, ...)
{
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = vstrf(fmt, ap);
    va_end(ap);
    progress_clear();
    fprintf(stderr, "ffreel: %s\n", s);
    progress_event("error", -1, s);
    av_free(s);
    return code;
}

void say(int level, const char *fmt, ...)
{
    va_list ap;
    char *s;

    if (level > say_level)
        return;
    va_start(ap, fmt);
    s = vstrf(fmt, ap);
    va_end(ap);
    progress_clear();
    fprintf(stderr, "%s\n", s);
    av_free(s);
}

static char last_message[256];

static void keep_message(void *avcl, int level, const char *fmt, va_list ap)
{
    int prefix = 0;
    char line[256];

    if (level > AV_LOG_ERROR)
        return;
    av_log_format_line2(avcl, level, fmt, ap, line, sizeof(line), &prefix);
    line[strcspn(line, "\n")] = 0;
    memcpy(last_message, line, sizeof(line));
}

void keep_messages(void)
{
    av_log_set_callback(keep_message);
}

const char *kept_message(void)
{
    return last_message;
}

int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

// ---- lists ------------------------------------------------------------------------

static void list_take(StrList *l, char *s)
{
    l->v = need(av_realloc_array(l->v, l->nb + 2, sizeof(*l->v)));
    l->v[l->nb++] = s;
    l->v[l->nb] = NULL;
}

void list_add(StrList *l, const char *s)
{
    list_take(l, need(av_strdup(s)));
}

void list_addf(StrList *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    list_take(l, vstrf(fmt, ap));
    va_end(ap);
}

void list_cat(StrList *l, const StrList *more)
{
    for (int i = 0; i < more->nb; i++)
        list_add(l, more->v[i]);
}

void list_free(StrList *l)
{
    for (int i = 0; i < l->nb; i++)
        av_free(l->v[i]);
    av_freep(&l->v);
    l->nb = 0;
}

char *list_shell(const StrList *l)
{
    AVBPrint b;
    char *s = NULL;

    av_bprint_init(&b, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (int i = 0; i < l->nb; i++) {
        const char *w = l->v[i];
        const int plain = *w && strspn(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-+./:=,@%^") == strlen(w);
        av_bprintf(&b, "%s%s", i ? " " : "", plain ? w : "'");
        if (plain)
            continue;
        for (; *w; w++)
            av_bprintf(&b, *w == '\'' ? "'\\''" : "%c", *w);
        av_bprintf(&b, "'");
    }
    av_bprint_finalize(&b, &s);
    return need(s);
}

json_t *json_list(const StrList *l)
{
    json_t *j = need(json_array());

    for (int i = 0; i < l->nb; i++) {
        /* a path need not be UTF-8, JSON must: such bytes are kept in Latin-1's place, after a mark */
        json_t *s = json_string(l->v[i]);
        if (!s) {
            AVBPrint b;
            av_bprint_init(&b, 0, AV_BPRINT_SIZE_UNLIMITED);
            av_bprintf(&b, "\x01");
            for (const uint8_t *c = (const uint8_t *)l->v[i]; *c; c++)
                av_bprintf(&b, "%02x", *c);
            s = need(json_string(b.str));
            av_bprint_finalize(&b, NULL);
        }
        json_array_append_new(j, s);
    }
    return j;
}

void list_from_json(StrList *l, json_t *j)
{
    size_t i;
    json_t *e;

    json_array_foreach(j, i, e) {
        const char *s = json_string_value(e);
        if (s && *s == 1) {
            char *raw = need(av_mallocz(strlen(s) / 2 + 1));
            for (int k = 0; sscanf(s + 1 + 2 * k, "%2hhx", (uint8_t *)raw + k) == 1; k++)
                ;
            list_take(l, raw);
        } else if (s) {
            list_add(l, s);
        }
    }
}

// ---- hashes and files ----------------------------------------------------------------

static void hash_end(struct AVHashContext *h, char *hash)
{
    av_hash_final_hex(h, (uint8_t *)hash, 33);
    av_hash_freep(&h);
}

int hash_file(const char *path, char *hash, int64_t *size)
{
    struct AVHashContext *h = NULL;
    uint8_t *buf;
    ssize_t n;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return AVERROR(errno);
    buf = need(av_malloc(1 << 20));
    if (av_hash_alloc(&h, "murmur3") < 0)
        need(NULL);
    av_hash_init(h);
    *size = 0;
    while ((n = read(fd, buf, 1 << 20)) > 0) {
        av_hash_update(h, buf, n);
        *size += n;
    }
    hash_end(h, hash);
    av_free(buf);
    close(fd);
    return n < 0 ? AVERROR(errno) : 0;
}

void hash_text(const char *text, char *hash)
{
    struct AVHashContext *h = NULL;

    if (av_hash_alloc(&h, "murmur3") < 0)
        need(NULL);
    av_hash_init(h);
    av_hash_update(h, (const uint8_t *)text, strlen(text));
    hash_end(h, hash);
}

char *read_text(const char *path)
{
    struct stat st;
    char *s;
    ssize_t n, len = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0 || st.st_size > INT_MAX - 1) {
        close(fd);
        return NULL;
    }
    s = need(av_mallocz(st.st_size + 1));
    while (len < st.st_size && (n = read(fd, s + len, st.st_size - len)) > 0)
        len += n;
    close(fd);
    return s;
}

/* a rename is on disk once its folder is */
static int sync_folder_of(const char *path)
{
    char *dir = need(av_strdup(path)), *slash = strrchr(dir, '/');
    int fd, ret = 0;

    if (slash)
        slash[slash == dir] = 0;
    fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        /* some file systems cannot sync a folder, and say so by EINVAL */
        if (fsync(fd) < 0 && errno != EINVAL)
            ret = -errno;
        close(fd);
    }
    av_free(dir);
    return ret;
}

int rename_safely(const char *from, const char *to)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC), err = 0;

    if (fd < 0 || fsync(fd) < 0)
        err = errno;
    if (fd >= 0)
        close(fd);
    if (!err && rename(from, to) < 0)
        err = errno;
    if (!err)
        err = -sync_folder_of(to);
    if (err)
        return fail(FAIL_IO, "cannot rename %s to %s: %s", from, to, strerror(err));
    return 0;
}

int write_file(const char *path, const void *data, size_t size)
{
    char *part = strf("%s.part", path);
    const int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    size_t done = 0;
    int ret = 0, err = 0;

    if (fd < 0)
        err = errno;
    while (!err && done < size) {
        const ssize_t n = write(fd, (const char *)data + done, size - done);
        if (n < 0 && errno != EINTR)
            err = errno;
        else if (n > 0)
            done += n;
    }
    if (fd >= 0 && close(fd) < 0 && !err)
        err = errno;
    if (err) {
        ret = fail(FAIL_IO, "cannot write %s: %s; make room or choose another folder", path, strerror(err));
        unlink(part);
    } else {
        ret = rename_safely(part, path);
    }
    av_free(part);
    return ret;
}

int write_json(const char *path, json_t *j)
{
    char *s = need(json_dumps(j, JSON_INDENT(1)));
    const int ret = write_file(path, s, strlen(s));

    free(s);
    return ret;
}

int make_dir(const char *path)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return fail(FAIL_IO, "cannot make the folder %s: %s", path, strerror(errno));
    return 0;
}

int64_t free_bytes(const char *path)
{
    struct statvfs v;

    return statvfs(path, &v) < 0 ? INT64_MAX : (int64_t)v.f_bavail * v.f_frsize;
}
