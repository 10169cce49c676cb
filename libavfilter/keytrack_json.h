/*
 * Keyframes: from JSON that others read
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

#ifndef AVFILTER_KEYTRACK_JSON_H
#define AVFILTER_KEYTRACK_JSON_H

/**
 * @file
 * For readers of files that have keys in them; only in a build with jansson.
 * keytrack.h does without its types.
 */

#include <jansson.h>

#include "keytrack.h"

/**
 * The JSON in a file, after a byte order mark or none.
 * @param what  what the file holds, for messages: "keys"
 * @return a new reference, or NULL after one line to log, with *err set
 */
json_t *ff_keytrack_json_file(const char *path, const char *what, void *log, int *err);

/**
 * The same from text.
 * @param where  what messages call it
 */
json_t *ff_keytrack_json_text(const char *text, const char *where, void *log, int *err);

/**
 * Keys as ff_keytrack_load() reads them.
 * @param array  a JSON array, borrowed
 * @param where  what messages put before "key N"
 * @return a new track or NULL, with one line to log that names the key, and *err set
 */
KeyTrack *ff_keytrack_from_json(const KeySpec *spec, const json_t *array, const char *where, void *log, int *err);

/** @return the member of the first of these names (apart by commas) that o has, borrowed, or NULL */
json_t *ff_keytrack_json_member(const json_t *o, const char *names);

/** @return seconds, from a number or text; NAN if j is neither */
double ff_keytrack_json_time(const json_t *j);

/** @return as ff_keytrack_color(), and -1 for null; NAN if j is none of these */
double ff_keytrack_json_color(const json_t *j);

#define KEYTRACK_JSON_COLOR "a colour (\"#RRGGBB\", a name such as \"yellow\", \"none\" or null)"

#endif /* AVFILTER_KEYTRACK_JSON_H */
