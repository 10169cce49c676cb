/*
 * Keyframes from a JSON file
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
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "libavutil/file_open.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/qsort.h"

/** A key as read, before the keys are put in order. */
typedef struct JsonKey {
    int    number;              ///< in the file, from 1
    double time, val[KEY_MAX_VALS];
    int    kind, jump;
} JsonKey;

static int fail(void *log, const char *path, int key, const char *name, const char *what)
{
    av_log(log, AV_LOG_ERROR, "%s: key %d: \"%s\" %s\n", path, key, name, what);
    return AVERROR_INVALIDDATA;
}

static int read_time(const json_t *o, JsonKey *k, const char *path, void *log)
{
    const json_t *t = json_object_get(o, "time");

    k->time = json_is_number(t) ? json_number_value(t)
            : json_is_string(t) ? ff_keytrack_time(json_string_value(t), json_string_length(t)) : NAN;
    if (!t)
        return fail(log, path, k->number, "time", "is missing");
    if (isnan(k->time))
        return fail(log, path, k->number, "time", "is neither a number of seconds nor text like "
                    "\"1500ms\" or \"00:00:01.5\"");
    return 0;
}

static int read_values(const json_t *o, JsonKey *k, const KeySpec *spec, const char *path, void *log)
{
    for (int v = 0; v < spec->nb_vals; v++) {
        const KeyVal *kv = &spec->vals[v];
        const json_t *j  = json_object_get(o, kv->name);

        if (!j && kv->alias)
            j = json_object_get(o, kv->alias);
        if (!j && v < spec->nb_required)
            return fail(log, path, k->number, kv->alias ? kv->alias : kv->name, "is missing");
        if (j && !json_is_number(j))
            return fail(log, path, k->number, kv->name, "is not a number");
        k->val[v] = j ? json_number_value(j) : kv->def;
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

static json_t *read_file(const char *path, void *log, int *err)
{
    static const uint8_t bom[3] = { 0xef, 0xbb, 0xbf };  // Windows editors write it
    uint8_t head[3];
    struct stat st;
    FILE *f = NULL;
    json_error_t e;
    json_t *root;

    /* a pipe without a writer would hang in open() */
    if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
        av_log(log, AV_LOG_ERROR, "%s: is %s, not a file of keys\n", path, S_ISDIR(st.st_mode) ? "a folder" : "a device or pipe");
        *err = AVERROR(EINVAL);
        return NULL;
    }
    if (!(f = avpriv_fopen_utf8(path, "rb"))) {
        *err = AVERROR(errno);
        av_log(log, AV_LOG_ERROR, "%s: cannot open the file of keys: %s\n", path, av_err2str(*err));
        return NULL;
    }
    if (fread(head, 1, 3, f) != 3 || memcmp(head, bom, 3))
        rewind(f);
    if (!(root = json_loadf(f, 0, &e)) && ferror(f)) {
        av_log(log, AV_LOG_ERROR, "%s: the file of keys cannot be read\n", path);
        *err = AVERROR(EIO);
    } else if (!root) {
        av_log(log, AV_LOG_ERROR, "%s:%d:%d: not JSON: %s\n", path, e.line, e.column, e.text);
        *err = AVERROR_INVALIDDATA;
    }
    fclose(f);
    return root;
}

KeyTrack *ff_keytrack_load(const KeySpec *spec, const char *path, void *log, int *err)
{
    json_t *root = read_file(path, log, err);
    const json_t *array = json_is_object(root) ? json_object_get(root, "keyframes") : root;
    KeyTrack *k;

    if (!root)
        return NULL;
    k = ff_keytrack_alloc(spec);
    if (!json_is_array(array)) {
        av_log(log, AV_LOG_ERROR, "%s: neither a list of keys nor an object with such a list under "
               "\"keyframes\"\n", path);
        *err = AVERROR_INVALIDDATA;
    } else {
        *err = k ? read_array(k, array, path, log) : AVERROR(ENOMEM);
    }
    json_decref(root);
    if (*err < 0)
        ff_keytrack_free(&k);
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
