/*
 * Keyframes: tracks and their text form
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


#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/parseutils.h"

#include "keytrack.h"

#define KEY_SEPARATORS "|;\n\r"
#define MAX_SECONDS    1e9

static const struct { const char *name; enum KeyKind kind; } kind_names[] = {
    { "hold",       KEY_HOLD     }, { "cut",      KEY_HOLD     },
    { "linear",     KEY_LINEAR   },
    { "ease",       KEY_EASE     }, { "smoothstep", KEY_EASE   },
    { "catmull",    KEY_CATMULL  },
    { "monotone",   KEY_MONOTONE },
};

static int is(const char *s, size_t len, const char *name)
{
    return name && strlen(name) == len && !memcmp(s, name, len);
}

/* is it the name of the value, or another name for it? */
static int names(const KeyVal *kv, const char *s, size_t len)
{
    const char *alias = kv->alias;

    if (is(s, len, kv->name))
        return 1;
    for (; alias && *alias; alias += *alias == ',') {
        const size_t n = strcspn(alias, ",");
        if (n == len && !memcmp(s, alias, len))
            return 1;
        alias += n;
    }
    return 0;
}

enum KeyKind ff_keytrack_kind(const char *name, size_t len)
{
    for (int i = 0; i < FF_ARRAY_ELEMS(kind_names); i++)
        if (is(name, len, kind_names[i].name))
            return kind_names[i].kind;
    return KEY_DEFAULT;
}

/* a plain decimal number, all len characters of it; NAN otherwise */
static double number(const char *s, size_t len)
{
    char buf[64], *end;
    double v;

    /* strtod would also take blanks, hexadecimal, inf and nan */
    if (!len || len >= sizeof(buf) || strspn(s, "0123456789+-.eE") < len)
        return NAN;
    memcpy(buf, s, len);
    buf[len] = 0;
    v = strtod(buf, &end);
    return *end || !isfinite(v) ? NAN : v;
}

/* [[hh:]mm:]ss[.f], with an optional sign in front */
static double clock_time(const char *s, size_t len)
{
    const int minus = *s == '-';
    double t = 0;
    int colons = 0;

    s += minus;
    len -= minus;
    for (;;) {
        const char *colon = memchr(s, ':', len);
        const size_t n = colon ? colon - s : len;
        const double v = n && *s >= '0' && *s <= '9' ? number(s, n) : NAN;

        if (isnan(v) || (colon && v != floor(v)) || (colons && v >= 60))
            return NAN;
        t = t * 60 + v;
        if (!colon)
            return minus ? -t : t;
        if (++colons > 2)
            return NAN;
        s   += n + 1;
        len -= n + 1;
    }
}

double ff_keytrack_time(const char *s, size_t len)
{
    double t;

    if (!len)
        return NAN;
    if (memchr(s, ':', len))
        t = clock_time(s, len);
    else if (len > 2 && !memcmp(s + len - 2, "ms", 2))
        t = number(s, len - 2) / 1000;
    else if (s[len - 1] == 's')
        t = number(s, len - 1);
    else
        t = number(s, len);
    return fabs(t) <= MAX_SECONDS ? t : NAN;
}

/* six hexadecimal digits; NAN otherwise */
static double hex_color(const char *s, size_t len)
{
    int v = 0;

    if (len != 6)
        return NAN;
    for (int i = 0; i < 6; i++) {
        const int c = av_tolower(s[i]);
        if (!av_isxdigit(c))
            return NAN;
        v = v << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return v;
}

double ff_keytrack_color(const char *s, size_t len)
{
    const uint8_t *rgb;
    const char *name;

    if (len == 4 && !av_strncasecmp(s, "none", 4))
        return -1;
    if (len && *s == '#')
        return hex_color(s + 1, len - 1);
    if (len > 2 && !memcmp(s, "0x", 2))
        return hex_color(s + 2, len - 2);
    /* not av_parse_color(): it logs a line of its own, and knows "random" */
    for (int i = 0; (name = av_get_known_color_name(i, &rgb)); i++)
        if (strlen(name) == len && !av_strncasecmp(s, name, len))
            return rgb[0] << 16 | rgb[1] << 8 | rgb[2];
    return hex_color(s, len);
}

KeyTrack *ff_keytrack_alloc(const KeySpec *spec)
{
    KeyTrack *k = av_mallocz(sizeof(*k));

    if (k) {
        k->spec    = spec;
        k->missing = NAN;
    }
    return k;
}

void ff_keytrack_free(KeyTrack **k)
{
    if (!*k)
        return;
    av_freep(&(*k)->time);
    av_freep(&(*k)->val);
    av_freep(&(*k)->kind);
    av_freep(&(*k)->jump);
    av_freep(k);
}

static int grow(KeyTrack *k)
{
    const int nb = FFMAX(16, k->allocated * 2), nv = k->spec->nb_vals;
    int ret;

    if (nb < k->allocated)
        return AVERROR(ENOMEM);
    if ((ret = av_reallocp_array(&k->time, nb, sizeof(*k->time))) < 0 ||
        (ret = av_reallocp_array(&k->val,  nb, sizeof(*k->val) * nv)) < 0 ||
        (ret = av_reallocp_array(&k->kind, nb, sizeof(*k->kind))) < 0 ||
        (ret = av_reallocp_array(&k->jump, nb, sizeof(*k->jump))) < 0)
        return ret;
    k->allocated = nb;
    return 0;
}

static int check_value(const KeyVal *kv, double v, const char *where, int key, void *log)
{
    if (kv->positive && !(v > 0)) {
        av_log(log, AV_LOG_ERROR, "%s: key %d: %s is %g, it must be more than 0\n", where, key, kv->name, v);
        return AVERROR(EINVAL);
    }
    if (!(v >= kv->min && v <= kv->max)) {
        av_log(log, AV_LOG_ERROR, "%s: key %d: %s is %g, outside of %g..%g\n", where, key, kv->name, v,
               kv->min, kv->max);
        return AVERROR(EINVAL);
    }
    return 0;
}

int ff_keytrack_add(KeyTrack *k, double time, const double *val, enum KeyKind kind,
                    int jump, int number, const char *where, void *log)
{
    const KeySpec *spec = k->spec;
    int ret;

    if (!(fabs(time) <= MAX_SECONDS)) {
        av_log(log, AV_LOG_ERROR, "%s: key %d: the time is not a number of seconds within +-%g\n",
               where, number, MAX_SECONDS);
        return AVERROR(EINVAL);
    }
    for (int v = 0; v < spec->nb_vals; v++)
        if ((v < spec->nb_required || !isnan(val[v])) &&
            (ret = check_value(&spec->vals[v], val[v], where, number, log)) < 0)
            return ret;
    if (k->nb == k->allocated && (ret = grow(k)) < 0)
        return ret;
    k->time[k->nb] = time;
    memcpy(k->val + k->nb * spec->nb_vals, val, sizeof(*val) * spec->nb_vals);
    k->kind[k->nb] = kind;
    k->jump[k->nb] = jump;
    k->nb++;
    return 0;
}

int ff_keytrack_check_order(const KeyTrack *k, const char *where, void *log)
{
    for (int i = 1; i < k->nb; i++) {
        if (k->time[i] == k->time[i - 1])
            av_log(log, AV_LOG_ERROR, "%s: key %d: a second key at %g s; for a sudden change give one key "
                   "there, with 'jump'\n", where, i + 1, k->time[i]);
        else if (!(k->time[i] > k->time[i - 1]))
            av_log(log, AV_LOG_ERROR, "%s: key %d: its time %g s is before that of key %d, %g s; keys go in "
                   "order of time\n", where, i + 1, k->time[i], i, k->time[i - 1]);
        else
            continue;
        return AVERROR(EINVAL);
    }
    return 0;
}

/* ---- text ------------------------------------------------------------------ */

/** One key of a text while it is read. */
typedef struct Reader {
    const KeySpec *spec;
    const char *where;
    void *log;
    int key;                    ///< number for messages, from 1
    double time, val[KEY_MAX_VALS];
    int kind, jump, nb_fields;
} Reader;

static int bad(const Reader *r, const char *s, size_t len, const char *what)
{
    av_log(r->log, AV_LOG_ERROR, "%s: key %d: '%.*s' is not %s\n", r->where, r->key, (int)FFMIN(len, 40), s, what);
    return AVERROR(EINVAL);
}

/* after the required values: a kind, "jump", or name=value */
static int read_extra(Reader *r, const char *s, size_t len)
{
    const KeySpec *spec = r->spec;
    const char *eq = memchr(s, '=', len);
    const size_t name = eq ? eq - s : len;

    if (!eq && is(s, len, "jump")) {
        r->jump = 1;
        return 0;
    }
    if (!eq) {
        r->kind = ff_keytrack_kind(s, len);
        return r->kind == KEY_DEFAULT ? bad(r, s, len, "a kind (hold, cut, linear, ease, smoothstep, catmull, "
                                            "monotone), 'jump' or name=value") : 0;
    }
    for (int v = spec->nb_required; v < spec->nb_vals; v++)
        if (names(&spec->vals[v], s, name)) {
            const size_t n = len - name - 1;
            r->val[v] = spec->vals[v].color ? ff_keytrack_color(eq + 1, n) : number(eq + 1, n);
            return !isnan(r->val[v]) ? 0
                 : bad(r, s, len, spec->vals[v].color ? "name=colour (#RRGGBB, a name such as yellow, none)"
                                                      : "name=number");
        }
    return bad(r, s, name, "the name of a value");
}

static int read_field(Reader *r, const char *s, size_t len)
{
    const int v = r->nb_fields++ - 1;

    if (v < 0) {
        r->time = ff_keytrack_time(s, len);
        return isnan(r->time) ? bad(r, s, len, "a time (1.5, 1500ms or 00:00:01.5)") : 0;
    }
    if (v >= r->spec->nb_required)
        return read_extra(r, s, len);
    r->val[v] = number(s, len);
    if (isnan(r->val[v])) {
        av_log(r->log, AV_LOG_ERROR, "%s: key %d: %s is '%.*s', which is not a number\n", r->where, r->key,
               r->spec->vals[v].name, (int)FFMIN(len, 40), s);
        return AVERROR(EINVAL);
    }
    return 0;
}

static int read_key(Reader *r, const char *s, const char *end)
{
    static const char blanks[] = " \t";
    int ret;

    r->time = NAN;
    r->kind = KEY_DEFAULT;
    r->jump = r->nb_fields = 0;
    for (int v = 0; v < r->spec->nb_vals; v++)
        r->val[v] = r->spec->vals[v].def;
    for (;;) {
        size_t len;
        s  += FFMIN(strspn(s, blanks), end - s);
        len = FFMIN(strcspn(s, " \t,"), end - s);
        if (!len && s == end && r->nb_fields > r->spec->nb_required)
            return 0;
        if (!len) {
            av_log(r->log, AV_LOG_ERROR, "%s: key %d: %s after %d fields; a key is time, then %d values\n",
                   r->where, r->key, s == end ? "it ends" : "an empty field", r->nb_fields, r->spec->nb_required);
            return AVERROR(EINVAL);
        }
        if ((ret = read_field(r, s, len)) < 0)
            return ret;
        s += len;
        s += FFMIN(strspn(s, blanks), end - s);
        if (s < end && *s == ',')
            s++;
    }
}

static int parse(KeyTrack *k, Reader *r, const char *s)
{
    int ret;

    for (;;) {
        s += strspn(s, KEY_SEPARATORS " \t");
        if (!*s)
            break;
        r->key = k->nb + 1;
        if ((ret = read_key(r, s, s + strcspn(s, KEY_SEPARATORS))) < 0 ||
            (ret = ff_keytrack_add(k, r->time, r->val, r->kind, r->jump, r->key,
                                   r->where, r->log)) < 0)
            return ret;
        s += strcspn(s, KEY_SEPARATORS);
    }
    if (!k->nb) {
        av_log(r->log, AV_LOG_ERROR, "%s: there is no key in it\n", r->where);
        return AVERROR(EINVAL);
    }
    return ff_keytrack_check_order(k, r->where, r->log);
}

KeyTrack *ff_keytrack_parse(const KeySpec *spec, const char *text,
                            const char *where, void *log, int *err)
{
    Reader r = { .spec = spec, .where = where, .log = log };
    KeyTrack *k = ff_keytrack_alloc(spec);

    *err = k ? parse(k, &r, text) : AVERROR(ENOMEM);
    if (*err < 0)
        ff_keytrack_free(&k);
    return k;
}
