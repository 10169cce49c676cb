/*
 * ffreel: what a resumed run must find unchanged
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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libavutil/mem.h"

#include "driver.h"

static void put(json_t *j, const char *name, const char *value)
{
    json_object_set_new(j, name, need(json_string(value)));
}

static void put_list(json_t *j, const char *name, const StrList *l)
{
    char *s = list_shell(l);
    json_t *v = json_string(s);

    if (!v) {
        char hash[33];
        hash_text(s, hash);
        v = need(json_string(hash));
    }
    json_object_set_new(j, name, v);
    av_free(s);
}

static void put_file(json_t *j, const char *kind, const char *path)
{
    char hash[33], *name = strf("%s %s", kind, path);
    int64_t size;

    put(j, name, hash_file(path, hash, &size) < 0 ? "missing" : hash);
    av_free(name);
}

static void put_stat(json_t *j, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return;
    json_object_set_new(j, "input size", json_integer(st.st_size));
    json_object_set_new(j, "input time", json_integer(st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec));
}

json_t *fingerprint_make(const Plan *p, const Command *c, const FilterCheck *f)
{
    json_t *j = need(json_object());
    StrList one = { (char **)&p->vf, 1 };

    put_list(j, "-vf", &one);
    one.v = (char **)&p->input;
    put_list(j, "input", &one);
    one.v = (char **)&p->format;
    put_list(j, "format", &one);
    put_list(j, "global options", &p->global);
    put_list(j, "input options", &p->in);
    put_list(j, "output options", &p->out);
    put(j, "encoder", c->encoder);
    put_stat(j, p->input);
    put_file(j, "program", p->ffmpeg);
    for (int i = 0; i < f->files.nb; i++)
        put_file(j, "file", f->files.v[i]);
    return j;
}

/* size and time say quickly that the input is the same; the packets' hash says it surely */
static int same_packets(const char *dir)
{
    Plan p;
    int ret = plan_load(&p, dir);
    AVFormatContext *in = NULL;
    Picks picks = { .video = p.stream, .nb = 0 };
    Index x = { 0 };
    char *serial = NULL;

    if (!ret && !(ret = input_open(&in, p.input, NULL)))
        ret = p.stream < in->nb_streams ? index_read(&x, in, &picks, 1, &serial) : 1;
    ret = !ret && !strcmp(x.hash, p.x.hash);
    av_free(serial);
    index_free(&x);
    avformat_close_input(&in);
    plan_free(&p);
    return ret;
}

static char *text_of(json_t *v)
{
    return v ? need(json_dumps(v, JSON_ENCODE_ANY)) : need(strdup("nothing"));
}

int fingerprint_same(json_t *was, json_t *is, const char *dir)
{
    const char *name;
    json_t *v;
    int moved = 0;
    char *changed = NULL;

    json_object_foreach(was, name, v)
        if (!json_equal(v, json_object_get(is, name)) && !changed) {
            if (!strcmp(name, "input time")) {
                moved = 1;
                continue;
            }
            char *a = text_of(v), *b = text_of(json_object_get(is, name));
            changed = strf("%s was %.200s, is %.200s", name, a, b);
            free(a);
            free(b);
        }
    json_object_foreach(is, name, v)
        if (!json_object_get(was, name) && !changed)
            changed = strf("%s is new", name);
    if (!changed && moved && !same_packets(dir))
        changed = strf("the input's contents are other ones");
    if (changed) {
        const int ret = fail(FAIL_CONFIG, "%s was planned for something else: %s; go on with the old command, or 'ffreel clean %s' "
                             "and begin anew", dir, changed, dir);
        av_free(changed);
        return ret;
    }
    return 0;
}

int fingerprint_input(Plan *p)
{
    json_t *now = need(json_object());
    const char *name;
    json_t *v;
    int same, ret = 0;

    put_stat(now, p->input);
    same = json_equal(json_object_get(now, "input size"), json_object_get(p->fingerprint, "input size")) &&
           (json_equal(json_object_get(now, "input time"), json_object_get(p->fingerprint, "input time")) || same_packets(p->dir));
    json_decref(now);
    if (!same)
        return fail(FAIL_CONFIG, "%s: not the file any more that %s was planned for; restore it, or 'ffreel clean %s' and begin anew",
                    p->input, p->dir, p->dir);
    json_object_foreach(p->fingerprint, name, v) {
        char hash[33];
        int64_t size;
        const char *path = !strncmp(name, "file ", 5) ? name + 5 : !strncmp(name, "program ", 8) ? name + 8 : NULL;
        if (!path || ret)
            continue;
        if (hash_file(path, hash, &size) < 0 || strcmp(hash, json_string_value(v)))
            ret = fail(FAIL_CONFIG, "%s: not the file any more that %s was planned with; restore it, or 'ffreel clean %s' and begin anew",
                       path, p->dir, p->dir);
    }
    return ret;
}

int plan_take(Plan *p, int *lock)
{
    *lock = plan_lock(p->dir);
    if (*lock < 0)
        return FAIL_CONFIG;
    signals_catch();
    return fingerprint_input(p);
}
