/*
 * Nets: .pth and .pt files of PyTorch >= 1.6
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
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_pth.h"

/*
 * A ZIP archive: NAME/data.pkl describes the tensors, NAME/data/KEY are their
 * numbers. Several tensors may share one KEY, and lie in it with strides.
 */

/* keys under which trainers put the weights, in order of preference */
static const char *const wrappers[] = {
    "params_ema", "params", "state_dict", "model_state_dict", "model", "net_g", "netG", "generator", "net", "weights",
};

/* ---- tensors ------------------------------------------------------------------------- */

/* @return the numbers of a storage, checked for damage; NULL with a message */
static const NNZipEntry *storage_entry(NNPth *s, const NNPklValue *storage, const char *name)
{
    const NNPklValue *key = &s->pkl.values[storage->nb];
    char path[256];
    NNZipEntry *e;

    if (snprintf(path, sizeof(path), "%sdata/%.*s", s->root, FFMIN(key->nb, 64), key->s) >= sizeof(path) ||
        !(e = ff_nn_zip_find(&s->zip, path))) {
        av_log(s->log, AV_LOG_ERROR, "%s: the numbers of tensor '%s' are not in the archive\n", s->b->name, name);
        return NULL;
    }
    if (ff_nn_zip_check(&s->zip, e, s->log) < 0)
        return NULL;
    if (storage->i > e->size / ff_nn_type_size(storage->first)) {
        av_log(s->log, AV_LOG_ERROR, "%s: tensor '%s': its storage has %zu bytes, too few for %lld numbers\n",
               s->b->name, name, e->size, (long long)storage->i);
        return NULL;
    }
    return e;
}

/* tensors that are not stored row by row, one number after the other */
static int fill_strided(NNPth *s, NNParam *p, const int64_t *strides, const uint8_t *src, enum NNType type)
{
    int at[NN_MAX_DIMS] = { 0 };

    for (size_t i = 0; i < p->nb; i++) {
        int64_t off = 0;
        for (int d = 0; d < p->nb_dims; d++)
            off += at[d] * strides[d];
        if (!ff_nn_convert(p->data + i, src + off * ff_nn_type_size(type), 1, type)) {
            av_log(s->log, AV_LOG_ERROR, "%s: tensor '%s' has a value that is no finite fp32 number (element %zu): "
                   "broken weights\n", s->b->name, p->name, i);
            return AVERROR_INVALIDDATA;
        }
        for (int d = p->nb_dims - 1; d >= 0 && ++at[d] == p->dims[d]; d--)
            at[d] = 0;
    }
    return 0;
}

static int bad_tensor(NNPth *s, const char *name, const char *what)
{
    av_log(s->log, AV_LOG_ERROR, "%s: tensor '%s' %s\n", s->b->name, name, what);
    return AVERROR_INVALIDDATA;
}

int ff_nn_pth_tensor(NNPth *s, NNDict *d, const char *name, const NNPklValue *t)
{
    const NNPkl *pkl = &s->pkl;
    const NNPklValue *storage = &pkl->values[t->first];
    const NNPklValue *shape = &pkl->values[pkl->items[t->nb]], *st = &pkl->values[pkl->items[t->nb + 1]];
    int dims[NN_MAX_DIMS], contiguous = 1, ret;
    int64_t strides[NN_MAX_DIMS], nb = 1, last = t->i;
    const NNZipEntry *e;
    NNParam *p;

    if (storage->first == NN_PKL_INTEGERS)
        return bad_tensor(s, name, "is of integers: no weights of a net that is known here");
    if (shape->nb > NN_MAX_DIMS)
        return bad_tensor(s, name, "has more dimensions than any tensor of a net");
    for (int i = shape->nb - 1; i >= 0; i--) {
        const int64_t n = pkl->values[pkl->items[shape->first + i]].i;
        strides[i] = pkl->values[pkl->items[st->first + i]].i;
        if (n < 1 || n > NN_MAX_ELEMS || strides[i] < 0 || strides[i] > NN_MAX_TOTAL || nb * n > NN_MAX_ELEMS)
            return bad_tensor(s, name, "has an absurd shape or stride");
        contiguous &= n == 1 || strides[i] == nb;
        dims[i] = n;
        nb     *= n;
        last   += (n - 1) * strides[i];
    }
    /* nb: a tensor that repeats few numbers often could ask for any memory */
    if (t->i > storage->i || last >= storage->i || nb > storage->i)
        return bad_tensor(s, name, "reaches beyond its storage");
    if (!(e = storage_entry(s, storage, name)))
        return AVERROR_INVALIDDATA;
    if ((ret = ff_nn_dict_add(d, name, dims, shape->nb, &p, s->log)) < 0)
        return ret;
    if (contiguous)
        return ff_nn_fill(p, e->data + t->i * ff_nn_type_size(storage->first), storage->first, s->b->name, s->log);
    return fill_strided(s, p, strides, e->data + t->i * ff_nn_type_size(storage->first), storage->first);
}

/* ---- which dict ------------------------------------------------------------------------ */

static int has_tensors(const NNPkl *pkl, int dict)
{
    for (int i = pkl->values[dict].first; i >= 0; i = pkl->pairs[i].next)
        if (pkl->values[pkl->pairs[i].value].type == PKL_TENSOR)
            return 1;
    return 0;
}

/* the dict of tensors: the value itself, or a wrapper's; -1 = none */
static int find_dict(const NNPkl *pkl, int value, int depth)
{
    if (value < 0 || depth > 2 || pkl->values[value].type != PKL_DICT)
        return -1;
    if (has_tensors(pkl, value))
        return value;
    for (int i = 0; i < FF_ARRAY_ELEMS(wrappers); i++) {
        int found = find_dict(pkl, ff_pkl_get(pkl, value, wrappers[i]), depth + 1);
        if (found >= 0)
            return found;
    }
    return -1;
}

static int add_tensors(NNPth *s, NNDict *d, int dict)
{
    const NNPkl *pkl = &s->pkl;
    int ret;

    for (int i = pkl->values[dict].first; i >= 0; i = pkl->pairs[i].next) {
        const NNPklValue *k = &pkl->values[pkl->pairs[i].key], *v = &pkl->values[pkl->pairs[i].value];
        char name[NN_MAX_NAME + 1] = "";
        if (v->type != PKL_TENSOR)
            continue;
        if (k->type == PKL_STR && !memchr(k->s, 0, k->nb))
            av_strlcpy(name, k->s, FFMIN(k->nb + 1, sizeof(name)));
        if (!name[0] || k->nb >= NN_MAX_NAME)
            return bad_tensor(s, name, "has no usable name");
        for (const char *c = name; *c; c++)
            if (*c < 0x21 || *c > 0x7e)
                return bad_tensor(s, "?", "has a name that is not printable ASCII");
        if ((ret = ff_nn_pth_tensor(s, d, name, v)) < 0)
            return ret;
    }
    return 0;
}

/* ---- the archive -------------------------------------------------------------------------- */

/* finds NAME/data.pkl and with it s->root */
static NNZipEntry *find_pickle(NNPth *s)
{
    static const char file[] = "data.pkl";
    const int len = sizeof(file) - 1;
    NNZipEntry *found = NULL;
    char path[256];

    for (int i = 0; i < s->zip.nb_entries; i++) {
        NNZipEntry *e = &s->zip.entries[i];
        const int root = e->name_len - len;
        if (root < 0 || root >= sizeof(s->root) || memcmp(e->name + root, file, len) || (root && e->name[root - 1] != '/'))
            continue;
        if (found) {
            found = NULL;
            break;
        }
        found = e;
        av_strlcpy(s->root, e->name, root + 1);
    }
    snprintf(path, sizeof(path), "%sconstants.pkl", s->root);
    if (found && !ff_nn_zip_find(&s->zip, path))
        return found;
    av_log(s->log, AV_LOG_ERROR, found ? "%s: is a TorchScript program, not weights; save the state_dict instead\n"
                                       : "%s: is a ZIP archive, but not one of torch.save (one data.pkl)\n", s->b->name);
    return NULL;
}

static int check_byte_order(NNPth *s)
{
    const NNZipEntry *e;
    char path[256];

    snprintf(path, sizeof(path), "%sbyteorder", s->root);
    e = ff_nn_zip_find(&s->zip, path);
    if (!e || !e->data || (e->size == 6 && !memcmp(e->data, "little", 6)))
        return 0;
    av_log(s->log, AV_LOG_ERROR, "%s: was saved on a big-endian machine; load and save it again on another\n", s->b->name);
    return AVERROR_PATCHWELCOME;
}

int ff_nn_pth_open(NNPth *s, const NNBlob *b, int records, void *log)
{
    NNZipEntry *pickle;
    int ret;

    *s = (NNPth){ .b = b, .log = log };
    if ((ret = ff_nn_zip_open(&s->zip, b, log)) < 0)
        return ret;
    if (!(pickle = find_pickle(s)))
        return AVERROR_INVALIDDATA;
    if ((ret = check_byte_order(s)) < 0 || (ret = ff_nn_zip_check(&s->zip, pickle, log)) < 0)
        return ret;
    return ff_nn_unpickle(&s->pkl, pickle->data, pickle->size, records, b->name, log);
}

void ff_nn_pth_close(NNPth *s)
{
    ff_pkl_free(&s->pkl);
    ff_nn_zip_close(&s->zip);
}

int ff_nn_load_pth(NNDict *d, const NNBlob *b, void *log)
{
    NNPth s;
    int root = ff_nn_pth_open(&s, b, 0, log), ret = FFMIN(root, 0), dict;

    if (root >= 0) {
        dict = find_dict(&s.pkl, root, 0);
        if (dict >= 0) {
            ret = add_tensors(&s, d, dict);
        } else {
            av_log(log, AV_LOG_ERROR, "%s: no dict of tensors in it, plain or under params_ema, params, state_dict, "
                   "model\n", b->name);
            ret = AVERROR_PATCHWELCOME;
        }
    }
    ff_nn_pth_close(&s);
    return ret;
}
