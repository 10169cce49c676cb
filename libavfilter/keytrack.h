/*
 * Keyframes: values over time, from text or a JSON file
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


#ifndef AVFILTER_KEYTRACK_H
#define AVFILTER_KEYTRACK_H

/**
 * @file
 * A track is a list of keys in rising time, each with the same values. The
 * user of a track says what the values are (KeySpec) and asks for them at a
 * time. This is the only interpolation of keyframes in the project.
 *
 * Before the first key its values hold, after the last key its values hold,
 * and at the time of a key its values are returned as they were given.
 *
 * Kinds, with u = (t - t1) / (t2 - t1) between the keys 1 and 2:
 *   hold      v1
 *   linear    v1 + (v2 - v1) * u
 *   ease      as linear with u * u * (3 - 2 * u) for u
 *   catmull   uniform Catmull-Rom over the keys 0, 1, 2, 3:
 *             0.5 * (2*v1 + (v2-v0)*u + (2*v0-5*v1+4*v2-v3)*u^2 + (3*v1-v0-3*v2+v3)*u^3)
 *   monotone  cubic Hermite with Fritsch-Carlson slopes (weighted harmonic
 *             mean of the neighbouring slopes, 0 at a turn): never overshoots
 * The kind of a key governs the way from this key to the next. "jump" on a key
 * makes the key before it hold until this one: a camera cut. Cubic kinds look
 * at the neighbours v0 and v3 but not across a hold or a jump, where v0 = v1
 * or v3 = v2.
 *
 * An optional value goes from key to key only where both have it, and is that of
 * the key at or before the time elsewhere.
 */

#include <stddef.h>
#include <stdint.h>

enum KeyKind {
    KEY_DEFAULT = -1,   ///< whatever the evaluation is told
    KEY_HOLD,
    KEY_LINEAR,
    KEY_EASE,
    KEY_CATMULL,
    KEY_MONOTONE,
    KEY_KINDS
};

#define KEY_MAX_VALS 16

/** One value of a key. */
typedef struct KeyVal {
    const char *name;
    const char *alias;          ///< other names for it, apart by commas; may be NULL
    double min, max;            ///< inclusive
    int    positive;            ///< must be > 0, whatever min is; may be taken in log space
    int    follows;             ///< in log space, a corner that goes with the size of this
                                ///< index, or -1
    double def;                 ///< of an optional value that a key does not give; NAN is allowed
    int    step;                ///< is not interpolated: that of the key at or before the time
    int    color;               ///< is given as a colour, see ff_keytrack_color(); optional values only
} KeyVal;

typedef struct KeySpec {
    const KeyVal *vals;
    int nb_vals;                ///< <= KEY_MAX_VALS
    int nb_required;            ///< the first so many must be given, the rest is optional
} KeySpec;

typedef struct KeyTrack {
    const KeySpec *spec;        ///< borrowed, outlives the track
    int      nb;
    double  *time;              ///< seconds, strictly rising
    double  *val;               ///< nb * spec->nb_vals
    int8_t  *kind;              ///< enum KeyKind
    uint8_t *jump;
    int      allocated;
    double   missing;           ///< what an evaluation takes for an optional value that is NAN
} KeyTrack;

/**
 * Keys as text: "time value value ... [kind] [jump] [name=value ...]" each;
 * fields apart by spaces or a comma, keys apart by '|', ';' or a new line.
 * Times: seconds, "1500ms", "1.5s", "mm:ss.f", "hh:mm:ss.f".
 * @param where  what to call the text in messages
 * @return a new track or NULL, with one line to log that names the key, and *err set
 */
KeyTrack *ff_keytrack_parse(const KeySpec *spec, const char *text,
                            const char *where, void *log, int *err);

/**
 * Keys from a JSON file: an array of objects or an object that has it under
 * "keyframes". Members: "time" (number of seconds, or text as above), the
 * values by name or alias (null: an optional one is not given, a colour is none),
 * "kind", "cut" or "jump" (true: as jump). Other members are ignored. Keys out
 * of order are sorted, with a warning.
 * Needs a build with jansson; without it the error says so.
 */
KeyTrack *ff_keytrack_load(const KeySpec *spec, const char *path, void *log, int *err);

/**
 * Append a key, for readers of other formats. Checks its values.
 * @param val     spec->nb_vals values
 * @param number  what messages call the key, from 1
 * @return 0, AVERROR(EINVAL) after one line to log, or AVERROR(ENOMEM)
 */
int ff_keytrack_add(KeyTrack *k, double time, const double *val, enum KeyKind kind,
                    int jump, int number, const char *where, void *log);
KeyTrack *ff_keytrack_alloc(const KeySpec *spec);
void ff_keytrack_free(KeyTrack **k);    ///< NULL is fine

/** @return 0, or AVERROR(EINVAL) after one line that names a key not after the one before it */
int ff_keytrack_check_order(const KeyTrack *k, const char *where, void *log);

/** @return seconds, or NAN if the len characters at s are not a time */
double ff_keytrack_time(const char *s, size_t len);

/**
 * A colour: "#RRGGBB", "0xRRGGBB", "RRGGBB", a name that ffmpeg knows, or "none".
 * @return 0xRRGGBB, -1 for none, or NAN if the len characters at s are neither
 */
double ff_keytrack_color(const char *s, size_t len);

/** @return the kind of that name, KEY_DEFAULT if there is none */
enum KeyKind ff_keytrack_kind(const char *name, size_t len);

/**
 * The values at time t. Finds the keys by bisection; allocates nothing, may
 * be called from several threads.
 * @param kind  for keys that have none of their own
 * @param log   positive values go in log space, and corners with them, so that
 *              a zoom has the same speed all along
 * @param out   spec->nb_vals values
 */
void ff_keytrack_eval(const KeyTrack *k, double t, enum KeyKind kind, int log, double *out);

#endif /* AVFILTER_KEYTRACK_H */
