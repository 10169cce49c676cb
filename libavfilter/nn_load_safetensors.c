/*
 * Nets: .safetensors files
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

#include <stdlib.h>
#include <string.h>
#if CONFIG_JANSSON
#include <jansson.h>
#endif

#include "libavutil/error.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_load.h"

/*
 * u64 length n, n bytes of JSON, data. An entry of the JSON object is
 *   "name": {"dtype": "F16", "shape": [64, 3, 3, 3], "data_offsets": [0, 3456]}
 * with offsets from the end of the JSON. The ranges must tile the data: none may
 * overlap and no byte may be left over, else the file is not what it claims.
 */

#if CONFIG_JANSSON

#define MAX_HEADER 100000000

typedef struct Entry {
    const char *name;
    json_t     *shape;
    size_t      start, end;     ///< in the data
    enum NNType type;
} Entry;

static int fail(const NNBlob *b, void *log, const char *name, const char *what)
{
    av_log(log, AV_LOG_ERROR, "%s: tensor '%.80s' %s\n", b->name, name, what);
    return AVERROR_INVALIDDATA;
}

static int parse_type(enum NNType *type, const char *name)
{
    static const char *const names[] = { [NN_F32] = "F32", [NN_F16] = "F16", [NN_BF16] = "BF16", [NN_F64] = "F64" };

    for (int i = 0; i < FF_ARRAY_ELEMS(names); i++)
        if (!strcmp(name, names[i])) {
            *type = i;
            return 0;
        }
    return -1;
}

static int parse_entry(Entry *e, const char *name, json_t *v, const NNBlob *b, size_t data_size, void *log)
{
    json_t *dtype = json_object_get(v, "dtype"), *off = json_object_get(v, "data_offsets");
    json_int_t start, end;

    e->name  = name;
    e->shape = json_object_get(v, "shape");
    if (!json_is_string(dtype) || !json_is_array(e->shape) || !json_is_array(off) || json_array_size(off) != 2 ||
        !json_is_integer(json_array_get(off, 0)) || !json_is_integer(json_array_get(off, 1)))
        return fail(b, log, name, "lacks a proper dtype, shape or data_offsets");
    if (parse_type(&e->type, json_string_value(dtype)) < 0) {
        av_log(log, AV_LOG_ERROR, "%s: tensor '%.80s' is of type '%.16s'; F32, F16, BF16 and F64 can be read\n",
               b->name, name, json_string_value(dtype));
        return AVERROR_PATCHWELCOME;
    }
    start = json_integer_value(json_array_get(off, 0));
    end   = json_integer_value(json_array_get(off, 1));
    if (start < 0 || end < start || end > data_size)
        return fail(b, log, name, "lies outside the file: truncated?");
    e->start = start;
    e->end   = end;
    return 0;
}

static int compare(const void *va, const void *vb)
{
    const Entry *a = va, *b = vb;

    return FFDIFFSIGN(a->start, b->start) ? FFDIFFSIGN(a->start, b->start) : FFDIFFSIGN(a->end, b->end);
}

static int add_entry(NNDict *d, const Entry *e, const NNBlob *b, const uint8_t *data, void *log)
{
    int dims[NN_MAX_DIMS] = { 0 }, ret;
    size_t nb_dims = json_array_size(e->shape), nb = 1;
    NNParam *p;

    if (nb_dims > NN_MAX_DIMS)
        return fail(b, log, e->name, "has more dimensions than any tensor of a net");
    for (int i = 0; i < nb_dims; i++) {
        json_t *v = json_array_get(e->shape, i);
        json_int_t n = json_is_integer(v) ? json_integer_value(v) : -1;
        if (n < 1 || n > NN_MAX_ELEMS || (nb *= n) > NN_MAX_ELEMS)
            return fail(b, log, e->name, "has an absurd shape");
        dims[i] = n;
    }
    /* the bytes are there, so that the shape cannot ask for more memory than twice them */
    if (nb * ff_nn_type_size(e->type) != e->end - e->start)
        return fail(b, log, e->name, "has a shape that does not fit its bytes");
    if ((ret = ff_nn_dict_add(d, e->name, dims, nb_dims, &p, log)) < 0)
        return ret;
    return ff_nn_fill(p, data + e->start, e->type, b->name, log);
}

static int load_entries(NNDict *d, json_t *root, const NNBlob *b, const uint8_t *data, size_t size, void *log)
{
    const size_t nb_max = json_object_size(root);
    Entry *entries;
    const char *name;
    json_t *v;
    size_t pos = 0;
    int nb = 0, ret = 0;

    if (nb_max > NN_MAX_PARAMS) {
        av_log(log, AV_LOG_ERROR, "%s: more than %d tensors\n", b->name, NN_MAX_PARAMS);
        return AVERROR_INVALIDDATA;
    }
    entries = av_calloc(nb_max + 1, sizeof(*entries));
    if (!entries)
        return AVERROR(ENOMEM);
    json_object_foreach(root, name, v)
        if (strcmp(name, "__metadata__") &&
            (ret = parse_entry(&entries[nb++], name, v, b, size, log)) < 0)
            goto end;
    qsort(entries, nb, sizeof(*entries), compare);
    for (int i = 0; i < nb; i++) {
        if (entries[i].start != pos) {
            ret = fail(b, log, entries[i].name, entries[i].start < pos ? "overlaps the one before it in the data"
                                                                       : "does not begin where the one before it ends");
            goto end;
        }
        pos = entries[i].end;
    }
    if (pos != size) {
        av_log(log, AV_LOG_ERROR, "%s: %zu bytes of data, of which the tensors take %zu\n", b->name, size, pos);
        ret = AVERROR_INVALIDDATA;
        goto end;
    }
    for (int i = 0; i < nb && ret >= 0; i++)
        ret = add_entry(d, &entries[i], b, data, log);
end:
    av_free(entries);
    return ret;
}

int ff_nn_load_safetensors(NNDict *d, const NNBlob *b, void *log)
{
    uint64_t n = b->size >= 8 ? AV_RL64(b->data) : 0;
    json_error_t err;
    json_t *root;
    int ret;

    if (b->size < 10 || n < 2 || n > MAX_HEADER || n > b->size - 8 || b->data[8] != '{') {
        av_log(log, AV_LOG_ERROR, "%s: no safetensors header of 2 to %d bytes, or cut off in it\n", b->name, MAX_HEADER);
        return AVERROR_INVALIDDATA;
    }
    root = json_loadb((const char *)b->data + 8, n, JSON_REJECT_DUPLICATES, &err);
    if (!root) {
        av_log(log, AV_LOG_ERROR, "%s: broken safetensors header at byte %d: %.100s\n", b->name, err.position, err.text);
        return AVERROR_INVALIDDATA;
    }
    ret = load_entries(d, root, b, b->data + 8 + n, b->size - 8 - n, log);
    json_decref(root);
    return ret;
}

#else

int ff_nn_load_safetensors(NNDict *d, const NNBlob *b, void *log)
{
    av_log(log, AV_LOG_ERROR, "%s: this build was made without jansson, which reading safetensors needs\n", b->name);
    return AVERROR(ENOSYS);
}

#endif
