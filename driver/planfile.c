/*
 * ffreel: the plan directory: plan.json, index, lock
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
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "libavutil/avstring.h"
#include "libavutil/mem.h"

#include "driver.h"

#define VERSION 1

char *seg_path(const Plan *p, int i, const char *ext)
{
    return strf("%s/seg/%05d.%s", p->dir, i, ext);
}

char *log_path(const Plan *p, const char *name)
{
    return strf("%s/log/%s.log", p->dir, name);
}

/** One table for both directions. */
typedef struct Field {
    const char *name;
    char      **string;
    StrList    *list;
    int        *number;
} Field;

#define NB_FIELDS 30

static int fields(Plan *p, Field *f)
{
    const Field all[] = {
        { "reason", &p->reason },       { "cwd", &p->cwd },         { "ffmpeg", &p->ffmpeg },
        { "input", &p->input },         { "output", &p->output },   { "format", &p->format },
        { "filters", &p->vf },          { "segment_format", &p->seg_format }, { "disposition", &p->disposition },
        { "global_options", NULL, &p->global }, { "input_options", NULL, &p->in }, { "video_options", NULL, &p->video },
        { "mux_options", NULL, &p->mux }, { "output_options", NULL, &p->out }, { "maps", NULL, &p->maps },
        { "video_tags", NULL, &p->video_tags },
        { "split", NULL, NULL, &p->split }, { "stream", NULL, NULL, &p->stream }, { "back", NULL, NULL, &p->back },
        { "ahead", NULL, NULL, &p->ahead }, { "threads", NULL, NULL, &p->threads }, { "workers", NULL, NULL, &p->workers },
        { "keeps_time", NULL, NULL, &p->keeps_time }, { "one_to_one", NULL, NULL, &p->one_to_one },
        { "damaged", NULL, NULL, &p->damaged }, { "frames", NULL, NULL, &p->x.nb },
        { "tb_num", NULL, NULL, &p->x.tb.num }, { "tb_den", NULL, NULL, &p->x.tb.den },
    };

    memcpy(f, all, sizeof(all));
    return FF_ARRAY_ELEMS(all);
}

static json_t *sounds_to_json(const Index *x)
{
    json_t *a = need(json_array());

    for (int i = 0; i < x->nb_sounds; i++)
        json_array_append_new(a, need(json_pack("{s:i, s:f, s:f, s:f}", "stream", x->sound[i].index, "start", x->sound[i].start,
                                                "end", x->sound[i].end, "packet", x->sound[i].frame)));
    return a;
}

static json_t *to_json(Plan *p)
{
    Field f[NB_FIELDS];
    json_t *j = need(json_pack("{s:i, s:I, s:I, s:s}", "version", VERSION, "start_us", (json_int_t)p->x.start,
                               "file_start_us", (json_int_t)p->x.file_start, "input_hash", p->x.hash));
    json_t *cuts = need(json_array());
    const int nb = fields(p, f);

    for (int i = 0; i < nb; i++) {
        if (f[i].list)
            json_object_set_new(j, f[i].name, json_list(f[i].list));
        else if (f[i].number)
            json_object_set_new(j, f[i].name, json_integer(*f[i].number));
        else if (*f[i].string) {
            /* a list of one: it keeps bytes that are not UTF-8 */
            StrList one = { f[i].string, 1 };
            json_object_set_new(j, f[i].name, json_list(&one));
        }
    }
    for (int i = 0; i <= p->nb_segs; i++)
        json_array_append_new(cuts, json_integer(p->cut[i]));
    json_object_set_new(j, "cuts", cuts);
    json_object_set_new(j, "sound", sounds_to_json(&p->x));
    json_object_set(j, "fingerprint", p->fingerprint);
    json_object_set(j, "times", p->times);
    return j;
}

static int from_json(Plan *p, json_t *j)
{
    Field f[NB_FIELDS];
    json_t *cuts = json_object_get(j, "cuts"), *e;
    const char *hash = json_string_value(json_object_get(j, "input_hash"));
    const int nb = fields(p, f);
    size_t i;

    if (json_integer_value(json_object_get(j, "version")) != VERSION)
        return 0;
    for (int k = 0; k < nb; k++) {
        e = json_object_get(j, f[k].name);
        if (f[k].list) {
            list_from_json(f[k].list, e);
        } else if (f[k].number) {
            if (!json_is_integer(e))
                return 0;
            *f[k].number = json_integer_value(e);
        } else {
            StrList one = { 0 };
            list_from_json(&one, e);
            if (one.nb)
                *f[k].string = need(av_strdup(one.v[0]));
            list_free(&one);
        }
    }
    p->x.start      = json_integer_value(json_object_get(j, "start_us"));
    p->x.file_start = json_integer_value(json_object_get(j, "file_start_us"));
    av_strlcpy(p->x.hash, hash ? hash : "", sizeof(p->x.hash));
    json_array_foreach(json_object_get(j, "sound"), i, e) {
        SoundLength *s = &p->x.sound[p->x.nb_sounds];
        if (p->x.nb_sounds < FF_ARRAY_ELEMS(p->x.sound) &&
            !json_unpack(e, "{s:i, s:F, s:F, s:F}", "stream", &s->index, "start", &s->start, "end", &s->end, "packet", &s->frame))
            p->x.nb_sounds++;
    }
    p->nb_segs = (int)json_array_size(cuts) - 1;
    if (p->nb_segs < 1 || p->x.nb < 1 || p->x.tb.num < 1 || p->x.tb.den < 1)
        return 0;
    p->cut = need(av_calloc(p->nb_segs + 1, sizeof(*p->cut)));
    json_array_foreach(cuts, i, e)
        p->cut[i] = json_integer_value(e);
    for (int k = 0; k < p->nb_segs; k++)
        if (p->cut[k] >= p->cut[k + 1])
            return 0;
    p->fingerprint = json_incref(json_object_get(j, "fingerprint"));
    p->times       = json_incref(json_object_get(j, "times"));
    return !p->cut[0] && p->cut[p->nb_segs] == p->x.nb && p->ffmpeg && p->input && p->output && p->format && p->vf &&
           p->seg_format && p->cwd && p->fingerprint && p->times;
}

int plan_save(Plan *p)
{
    char *path = strf("%s/plan.json", p->dir), *index = strf("%s/index", p->dir), *seg = strf("%s/seg", p->dir);
    char *log = strf("%s/log", p->dir), *text;
    json_t *j = to_json(p);
    int ret = make_dir(p->dir);

    if (!ret)
        ret = make_dir(seg);
    if (!ret)
        ret = make_dir(log);
    if (!ret)
        ret = index_save(&p->x, index);
    /* last: a plan.json stands for a whole plan */
    if (!ret)
        ret = write_json(path, j);
    text = need(json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS));
    hash_text(text, p->id);
    free(text);
    json_decref(j);
    av_free(path);
    av_free(index);
    av_free(seg);
    av_free(log);
    return ret;
}

int plan_load(Plan *p, const char *dir)
{
    char *path = strf("%s/plan.json", dir), *index = strf("%s/index", dir), *text;
    json_error_t e;
    json_t *j;
    int ret = 0;

    *p = (Plan){ .dir = need(av_strdup(dir)) };
    text = read_text(path);
    if (!text) {
        ret = fail(FAIL_CONFIG, "%s: no plan there (%s); make one with ffreel plan or render", dir, strerror(errno));
        goto end;
    }
    j = json_loads(text, 0, &e);
    av_free(text);
    if (!j || !from_json(p, j)) {
        ret = fail(FAIL_CONFIG, "%s: broken, or of another version of ffreel; remove it (ffreel clean %s) and plan again", path, dir);
    } else {
        char *norm = need(json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS));
        hash_text(norm, p->id);
        free(norm);
        ret = index_load(&p->x, index);
    }
    json_decref(j);
end:
    av_free(path);
    av_free(index);
    return ret;
}

int plan_lock(const char *dir)
{
    char *path = strf("%s/lock", dir);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0)
        fail(errno == ENOENT ? FAIL_CONFIG : FAIL_IO, "%s: %s", path, strerror(errno));
    else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        fail(FAIL_CONFIG, "%s: another ffreel is at work there; see 'ffreel status %s', or wait", dir, dir);
        close(fd);
        av_free(path);
        return -1;
    }
    av_free(path);
    return fd;
}
