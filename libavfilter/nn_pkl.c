/*
 * Nets: values of a pickle
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

#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_pkl.h"

#define MAX_MARKS  1000

int ff_pkl_broken(const NNPkl *s, const char *what)
{
    av_log(s->log, AV_LOG_ERROR, "%s: broken pickle: %s\n", s->file, what);
    return AVERROR_INVALIDDATA;
}

/* ---- stack, memo, values ---------------------------------------------------------- */

int ff_pkl_grow(const NNPkl *s, void *array, unsigned *bytes, int nb, size_t elem, int max)
{
    void **p = array, *q;

    if (nb >= max)
        return ff_pkl_broken(s, "more values than a file of weights has");
    q = av_fast_realloc(*p, bytes, (nb + 1) * elem);
    if (!q)
        return AVERROR(ENOMEM);
    *p = q;
    return 0;
}

int ff_pkl_push(NNPkl *s, int v)
{
    int ret;

    if (v < 0 || (ret = ff_pkl_grow(s, &s->stack, &s->stack_size, s->nb_stack, sizeof(*s->stack), PKL_MAX_VALUES)) < 0)
        return v < 0 ? v : ret;
    s->stack[s->nb_stack++] = v;
    return 0;
}

/* a new value; @return its index */
static int new_value(NNPkl *s, NNPklValue v)
{
    int ret = ff_pkl_grow(s, &s->values, &s->values_size, s->nb_values, sizeof(*s->values), PKL_MAX_VALUES);

    if (ret < 0)
        return ret;
    s->values[s->nb_values] = v;
    return s->nb_values++;
}

int ff_pkl_push_new(NNPkl *s, NNPklValue v)
{
    return ff_pkl_push(s, new_value(s, v));
}

int ff_pkl_above_mark(const NNPkl *s)
{
    return s->nb_stack - (s->nb_marks ? s->marks[s->nb_marks - 1] : 0);
}

NNPklValue *ff_pkl_top(NNPkl *s, int depth, enum NNPklType type, const char *what)
{
    int i = s->nb_stack - 1 - depth;

    if (depth >= ff_pkl_above_mark(s) || s->values[s->stack[i]].type != type) {
        ff_pkl_broken(s, what);
        return NULL;
    }
    return &s->values[s->stack[i]];
}

int ff_pkl_memo_put(NNPkl *s, unsigned index)
{
    int ret;

    if (ff_pkl_above_mark(s) < 1)
        return ff_pkl_broken(s, "remembers a value of an empty stack");
    /* torch counts upwards, so that an index beyond the values made is no memo's */
    if (index > s->nb_values)
        return ff_pkl_broken(s, "absurd memo index");
    while (s->nb_memo <= index) {
        if ((ret = ff_pkl_grow(s, &s->memo, &s->memo_size, s->nb_memo, sizeof(*s->memo), PKL_MAX_VALUES)) < 0)
            return ret;
        s->memo[s->nb_memo++] = -1;
    }
    s->memo[index] = s->stack[s->nb_stack - 1];
    return 0;
}

int ff_pkl_memo_get(NNPkl *s, unsigned index)
{
    if (index >= s->nb_memo || s->memo[index] < 0)
        return ff_pkl_broken(s, "recalls what was not remembered");
    return ff_pkl_push(s, s->memo[index]);
}

int ff_pkl_mark(NNPkl *s)
{
    int ret = ff_pkl_grow(s, &s->marks, &s->marks_size, s->nb_marks, sizeof(*s->marks), MAX_MARKS);

    if (ret >= 0)
        s->marks[s->nb_marks++] = s->nb_stack;
    return ret;
}

int ff_pkl_pop_mark(NNPkl *s)
{
    if (!s->nb_marks)
        return ff_pkl_broken(s, "ends a group that was not begun");
    return s->marks[--s->nb_marks];
}

/* ---- containers --------------------------------------------------------------------- */

int ff_pkl_make_tuple(NNPkl *s, int from)
{
    NNPklValue v = { .type = PKL_TUPLE, .first = s->nb_items };
    int ret;

    if (from < 0)
        return from;
    for (int i = from; i < s->nb_stack; i++) {
        if ((ret = ff_pkl_grow(s, &s->items, &s->items_size, s->nb_items, sizeof(*s->items), PKL_MAX_VALUES)) < 0)
            return ret;
        s->items[s->nb_items++] = s->stack[i];
        v.nb++;
    }
    s->nb_stack = from;
    return ff_pkl_push_new(s, v);
}

int ff_pkl_make_small_tuple(NNPkl *s, int nb)
{
    if (ff_pkl_above_mark(s) < nb)
        return ff_pkl_broken(s, "makes a tuple of too few values");
    return ff_pkl_make_tuple(s, s->nb_stack - nb);
}

static int add_pair(NNPkl *s, NNPklValue *d, int key, int value)
{
    const int ret = ff_pkl_grow(s, &s->pairs, &s->pairs_size, s->nb_pairs, sizeof(*s->pairs), PKL_MAX_VALUES);

    if (ret < 0)
        return ret;
    s->pairs[s->nb_pairs] = (NNPklPair){ key, value, -1 };
    if (d->first < 0)
        d->first = s->nb_pairs;
    else
        s->pairs[d->nb].next = s->nb_pairs;
    d->nb = s->nb_pairs++;
    return 0;
}

int ff_pkl_set_items(NNPkl *s, int from)
{
    NNPklValue *d;
    int ret;

    if (from < 0)
        return from;
    if (from < 1 || (s->nb_stack - from) % 2 || s->values[s->stack[from - 1]].type != PKL_DICT)
        return ff_pkl_broken(s, "sets items of what is no dict");
    d = &s->values[s->stack[from - 1]];
    for (int i = from; i < s->nb_stack; i += 2)
        if ((ret = add_pair(s, d, s->stack[i], s->stack[i + 1])) < 0)
            return ret;
    s->nb_stack = from;
    return 0;
}

int ff_pkl_append_items(NNPkl *s, int from)
{
    int ret;

    if (from < 0)
        return from;
    if (from < 1 || s->values[s->stack[from - 1]].type != PKL_LIST)
        return ff_pkl_broken(s, "appends to what is no list");
    for (int i = from; i < s->nb_stack && s->records; i++)
        if ((ret = add_pair(s, &s->values[s->stack[from - 1]], -1, s->stack[i])) < 0)
            return ret;
    s->nb_stack = from;
    return 0;
}

const NNPklValue *ff_pkl_item(const NNPkl *s, const NNPklValue *tuple, int i, enum NNPklType type)
{
    const NNPklValue *v = i < tuple->nb ? &s->values[s->items[tuple->first + i]] : NULL;

    return v && v->type == type ? v : NULL;
}

int ff_pkl_is(const NNPkl *s, int value, const char *name)
{
    const NNPklValue *v = &s->values[value];

    return (v->type == PKL_STR || (v->type == PKL_GLOBAL && v->first < 0)) && v->nb == strlen(name) &&
           !memcmp(v->s, name, v->nb);
}

int ff_pkl_get(const NNPkl *s, int dict, const char *key)
{
    for (int i = s->values[dict].first; i >= 0; i = s->pairs[i].next)
        if (s->values[s->pairs[i].key].type == PKL_STR && ff_pkl_is(s, s->pairs[i].key, key))
            return s->pairs[i].value;
    return -1;
}

void ff_pkl_free(NNPkl *s)
{
    av_freep(&s->values);
    av_freep(&s->items);
    av_freep(&s->pairs);
    av_freep(&s->stack);
    av_freep(&s->marks);
    av_freep(&s->memo);
}
