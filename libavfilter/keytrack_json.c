/*
 * Keyframes from JSON
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


#include "config.h"

#include "libavutil/error.h"
#include "libavutil/log.h"

#include "keytrack.h"

#if CONFIG_JANSSON

#include <sys/stat.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/file_open.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/qsort.h"

#include "keytrack_json.h"

/* Whatever is in a file, it takes no more than 2 GB in memory: a value takes up to
 * 72 bytes there and 3 in the file, an object or a list 220. A key at each of 60
 * frames a second for two hours is less. */
#define MAX_FILE    (64 << 20)
#define MAX_OBJECTS 2000000

/** A key as read, before the keys are put in order. */
typedef struct JsonKey {
    int    number;              ///< in the file, from 1
    double time, val[KEY_MAX_VALS];
    int    kind, jump;
} JsonKey;

json_t *ff_keytrack_json_member(const json_t *o, const char *names)
{
    json_t *found = NULL;
    char name[64];

    for (; !found && *names; names += *names == ',') {
        const size_t len = strcspn(names, ",");
        av_strlcpy(name, names, FFMIN(len + 1, sizeof(name)));
        found = json_object_get(o, name);
        names += len;
    }
    return found;
}

double ff_keytrack_json_time(const json_t *j)
{
    return json_is_number(j) ? json_number_value(j)
         : json_is_string(j) ? ff_keytrack_time(json_string_value(j), json_string_length(j)) : NAN;
}

double ff_keytrack_json_color(const json_t *j)
{
    return json_is_null(j)   ? -1
         : json_is_string(j) ? ff_keytrack_color(json_string_value(j), json_string_length(j)) : NAN;
}

static int fail(void *log, const char *path, int key, const char *name, const char *what)
{
    av_log(log, AV_LOG_ERROR, "%s: key %d: \"%s\" %s\n", path, key, name, what);
    return AVERROR_INVALIDDATA;
}

static int read_time(const json_t *o, JsonKey *k, const char *path, void *log)
{
    const json_t *t = json_object_get(o, "time");

    k->time = ff_keytrack_json_time(t);
    if (!t)
        return fail(log, path, k->number, "time", "is missing");
    if (isnan(k->time))
        return fail(log, path, k->number, "time", "is neither a number of seconds nor text like "
                    "\"1500ms\" or \"00:00:01.5\"");
    return 0;
}

static int missing(const JsonKey *k, const KeyVal *kv, const char *path, void *log)
{
    char name[64];

    av_strlcpy(name, kv->alias ? kv->alias : kv->name, sizeof(name));
    name[strcspn(name, ",")] = 0;
    return fail(log, path, k->number, name, "is missing");
}

static int read_values(const json_t *o, JsonKey *k, const KeySpec *spec, const char *path, void *log)
{
    for (int v = 0; v < spec->nb_vals; v++) {
        const KeyVal *kv = &spec->vals[v];
        const json_t *j  = json_object_get(o, kv->name);

        if (!j && kv->alias)
            j = ff_keytrack_json_member(o, kv->alias);
        if (!j && v < spec->nb_required)
            return missing(k, kv, path, log);
        if (j && kv->color) {
            k->val[v] = ff_keytrack_json_color(j);
            if (isnan(k->val[v]))
                return fail(log, path, k->number, kv->name, "is not " KEYTRACK_JSON_COLOR);
        } else if (!j || (json_is_null(j) && v >= spec->nb_required)) {
            k->val[v] = kv->def;
        } else if (json_is_number(j)) {
            k->val[v] = json_number_value(j);
        } else {
            return fail(log, path, k->number, kv->name, "is not a number");
        }
    }
    return 0;
}

static int read_kind(const json_t *o, JsonKey *k, const char *path, void *log)
{
    const json_t *j = json_object_get(o, "kind");

    k->kind = KEY_DEFAULT;
    k->jump = json_is_true(json_object_get(o, "cut")) || json_is_true(json_object_get(o, "jump"));
    if (!j || json_is_null(j))
        return 0;
    if (json_is_string(j) && !strcmp(json_string_value(j), "jump")) {
        k->jump = 1;
        return 0;
    }
    if (json_is_string(j))
        k->kind = ff_keytrack_kind(json_string_value(j), json_string_length(j));
    return k->kind == KEY_DEFAULT ? fail(log, path, k->number, "kind", "is none of hold, cut, linear, ease, "
                                         "smoothstep, catmull, monotone, jump") : 0;
}

static int by_time(const JsonKey *a, const JsonKey *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return FFDIFFSIGN(a->number, b->number);
}

static int add_all(KeyTrack *k, JsonKey *keys, int nb, const char *path, void *log)
{
    int sorted = 1, ret;

    for (int i = 1; i < nb; i++)
        sorted &= keys[i - 1].time <= keys[i].time;
    if (!sorted) {
        av_log(log, AV_LOG_WARNING, "%s: the keys are not in order of time; they are used in that order\n", path);
        AV_QSORT(keys, nb, JsonKey, by_time);
    }
    for (int i = 0; i < nb; i++) {
        if (i && keys[i].time == keys[i - 1].time) {
            av_log(log, AV_LOG_ERROR, "%s: keys %d and %d are both at %g s; for a sudden change give one key "
                   "there, with \"cut\": true\n", path, keys[i - 1].number, keys[i].number, keys[i].time);
            return AVERROR_INVALIDDATA;
        }
        ret = ff_keytrack_add(k, keys[i].time, keys[i].val, keys[i].kind, keys[i].jump,
                              keys[i].number, path, log);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int read_array(KeyTrack *k, const json_t *array, const char *path, void *log)
{
    const size_t nb = json_array_size(array);
    JsonKey *keys;
    int ret = 0;

    if (!nb) {
        av_log(log, AV_LOG_ERROR, "%s: the list of keys is empty\n", path);
        return AVERROR_INVALIDDATA;
    }
    if (!(keys = av_calloc(nb, sizeof(*keys))))
        return AVERROR(ENOMEM);
    for (size_t i = 0; i < nb && ret >= 0; i++) {
        const json_t *o = json_array_get(array, i);
        keys[i].number = i + 1;
        if (!json_is_object(o)) {
            av_log(log, AV_LOG_ERROR, "%s: key %d: it is not an object\n", path, keys[i].number);
            ret = AVERROR_INVALIDDATA;
        } else if ((ret = read_time(o, &keys[i], path, log)) >= 0 &&
                   (ret = read_values(o, &keys[i], k->spec, path, log)) >= 0)
            ret = read_kind(o, &keys[i], path, log);
    }
    if (ret >= 0)
        ret = add_all(k, keys, nb, path, log);
    av_free(keys);
    return ret;
}

KeyTrack *ff_keytrack_from_json(const KeySpec *spec, const json_t *array, const char *where, void *log, int *err)
{
    KeyTrack *k = ff_keytrack_alloc(spec);

    *err = k ? read_array(k, array, where, log) : AVERROR(ENOMEM);
    if (*err < 0)
        ff_keytrack_free(&k);
    return k;
}

static json_t *parse(const char *text, size_t len, const char *where, void *log, int *err)
{
    static const char bom[] = "\xef\xbb\xbf";         // Windows editors write it
    const size_t skip = len >= 3 && !memcmp(text, bom, 3) ? 3 : 0;
    json_t *root = NULL;
    json_error_t e;
    int nb = 0;

    for (size_t i = 0; i < len; i++)
        nb += text[i] == '{' || text[i] == '[';
    if (nb > MAX_OBJECTS)
        av_log(log, AV_LOG_ERROR, "%s: has %d objects and lists, more than %d\n", where, nb, MAX_OBJECTS);
    else if (!(root = json_loadb(text + skip, len - skip, 0, &e)))
        av_log(log, AV_LOG_ERROR, "%s:%d:%d: not JSON: %s\n", where, e.line, e.column, e.text);
    if (!root)
        *err = AVERROR_INVALIDDATA;
    return root;
}

json_t *ff_keytrack_json_text(const char *text, const char *where, void *log, int *err)
{
    return parse(text, strlen(text), where, log, err);
}

/* what: as for ff_keytrack_json_file() */
static FILE *open_file(const char *path, const char *what, void *log, int *err)
{
    struct stat st;
    FILE *f = NULL;

    /* a pipe without a writer would hang in open() */
    if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
        av_log(log, AV_LOG_ERROR, "%s: is %s, not a file of %s\n", path,
               S_ISDIR(st.st_mode) ? "a folder" : "a device or pipe", what);
        *err = AVERROR(EINVAL);
    } else if (!(f = avpriv_fopen_utf8(path, "rb"))) {
        *err = AVERROR(errno);
        av_log(log, AV_LOG_ERROR, "%s: cannot open the file of %s: %s\n", path, what, av_err2str(*err));
    }
    return f;
}

/* all of the file, to be freed by av_free() */
static char *read_file(FILE *f, size_t *len, const char *path, const char *what, void *log, int *err)
{
    const long size = fseek(f, 0, SEEK_END) ? -1 : ftell(f);
    char *text = NULL;

    rewind(f);
    if (size < 0 || size > MAX_FILE) {      // < 0: more than a long can tell
        av_log(log, AV_LOG_ERROR, "%s: a file of %s has at most %d MB, this one is larger\n", path, what, MAX_FILE >> 20);
        *err = AVERROR(EINVAL);
    } else if (!(text = av_malloc(size + 1))) {
        *err = AVERROR(ENOMEM);
    } else {
        *len = fread(text, 1, size, f);
        if (ferror(f)) {
            av_log(log, AV_LOG_ERROR, "%s: the file of %s cannot be read\n", path, what);
            *err = AVERROR(EIO);
            av_freep(&text);
        }
    }
    return text;
}

json_t *ff_keytrack_json_file(const char *path, const char *what, void *log, int *err)
{
    FILE *f = open_file(path, what, log, err);
    json_t *root = NULL;
    size_t len = 0;
    char *text;

    if (!f)
        return NULL;
    if ((text = read_file(f, &len, path, what, log, err)))
        root = parse(text, len, path, log, err);
    av_free(text);
    fclose(f);
    return root;
}

KeyTrack *ff_keytrack_load(const KeySpec *spec, const char *path, void *log, int *err)
{
    json_t *root = ff_keytrack_json_file(path, "keys", log, err);
    const json_t *array = json_is_object(root) ? json_object_get(root, "keyframes") : root;
    KeyTrack *k = NULL;

    if (!root)
        return NULL;
    if (!json_is_array(array)) {
        av_log(log, AV_LOG_ERROR, "%s: neither a list of keys nor an object with such a list under "
               "\"keyframes\"\n", path);
        *err = AVERROR_INVALIDDATA;
    } else {
        k = ff_keytrack_from_json(spec, array, path, log, err);
    }
    json_decref(root);
    return k;
}

#else

KeyTrack *ff_keytrack_load(const KeySpec *spec, const char *path, void *log, int *err)
{
    av_log(log, AV_LOG_ERROR, "%s: this ffmpeg was built without jansson and cannot read JSON; give the keys "
           "in the option, or configure with --enable-jansson\n", path);
    *err = AVERROR(ENOSYS);
    return NULL;
}

#endif
