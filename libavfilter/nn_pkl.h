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

#ifndef AVFILTER_NN_PKL_H
#define AVFILTER_NN_PKL_H

#include "nn_load.h"

/**
 * @file
 * What a pickle's stack machine (nn_unpickle.c) works on. Values refer to each
 * other by index, live in one array and are freed with it, so that neither depth
 * nor cycles can hurt. Functions that return int give 0 (or an index) or AVERROR,
 * after a message.
 */

enum NNPklType {
    PKL_NONE, PKL_BOOL, PKL_INT, PKL_FLOAT, PKL_STR, PKL_TUPLE, PKL_LIST,
    PKL_DICT, PKL_GLOBAL, PKL_STORAGE, PKL_TENSOR, PKL_RECORD,
};

typedef struct NNPklValue {
    enum NNPklType type;
    int     first, nb;          ///< tuple: nb items from items[first];
                                ///< dict: first pair or -1, last pair; str: nb = bytes;
                                ///< list: the same with records, its items being the pairs' values
                                ///< global: index into the table of known names; -1: the name of a
                                ///< class, nb bytes at s, that is never looked up
                                ///< record: first = its class (a global), nb = its state or -1
                                ///< storage: first = number type or -1, nb = key (a str)
                                ///< tensor: first = storage, nb = shape and strides (two tuples)
    int64_t i;                  ///< bool, int; float: its bits; storage: elements; tensor: offset in
                                ///< elements; global of first -1: enum NNPklFamily
    const char *s;              ///< str, global: not terminated
} NNPklValue;

/** Whose a class is that is kept by name. */
enum NNPklFamily { NN_PKL_TORCH, NN_PKL_YOLO, NN_PKL_OTHER };

/** A key of a dict and its value; next pair or -1. */
typedef struct NNPklPair {
    int key, value, next;
} NNPklPair;

typedef struct NNPkl {
    NNPklValue *values;
    int        *items;
    NNPklPair  *pairs;
    int        *stack, *marks, *memo;
    int         nb_values, nb_items, nb_pairs, nb_stack, nb_marks, nb_memo;
    unsigned    values_size, items_size, pairs_size, stack_size, marks_size, memo_size; ///< bytes allocated
    const uint8_t *p, *end;
    const char *file;
    void       *log;
    int         records;        ///< classes become names, their objects records, lists keep their items
} NNPkl;

/** number type of a storage that holds none of weights (integers) */
#define NN_PKL_INTEGERS (-1)

/** Say what is wrong. @return AVERROR_INVALIDDATA */
int ff_pkl_broken(const NNPkl *s, const char *what);

/** Make room for one more element in an array of nb. */
int ff_pkl_grow(const NNPkl *s, void *array, unsigned *bytes, int nb, size_t elem, int max);

#define PKL_MAX_VALUES (1 << 20)    ///< RRDBNet's pickle makes 13,985

/** Push a value by its index; an index < 0 is an error to pass on. */
int ff_pkl_push(NNPkl *s, int v);
/** Make a value and push it. */
int ff_pkl_push_new(NNPkl *s, NNPklValue v);

/** values above the last mark, or above the bottom */
int ff_pkl_above_mark(const NNPkl *s);
/** @return the value depth below the top, which must be of a certain type; or NULL */
NNPklValue *ff_pkl_top(NNPkl *s, int depth, enum NNPklType type, const char *what);

int ff_pkl_memo_put(NNPkl *s, unsigned index);
int ff_pkl_memo_get(NNPkl *s, unsigned index);

int ff_pkl_mark(NNPkl *s);
/** Take the last mark off. @return where its values begin in the stack */
int ff_pkl_pop_mark(NNPkl *s);

/* these work on the values from stack[from] upwards; from < 0 is an error to pass on */
/** They become a tuple. */
int ff_pkl_make_tuple(NNPkl *s, int from);
int ff_pkl_make_small_tuple(NNPkl *s, int nb);
/** Key, value, key, value go into the dict below. */
int ff_pkl_set_items(NNPkl *s, int from);
/** They go into the list below; without records they are forgotten. */
int ff_pkl_append_items(NNPkl *s, int from);

/** @return item i of a tuple if there is one of this type, or NULL */
const NNPklValue *ff_pkl_item(const NNPkl *s, const NNPklValue *tuple, int i, enum NNPklType type);

/** @return the value of a str key in a dict, or -1 */
int ff_pkl_get(const NNPkl *s, int dict, const char *key);

/** @return 1 if the value is a str or a global of this name */
int ff_pkl_is(const NNPkl *s, int value, const char *name);

void ff_pkl_free(NNPkl *s);

#endif /* AVFILTER_NN_PKL_H */
