/*
 * highlight: regions and keys from JSON or text
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

#include <math.h>
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "highlight_load.h"

#define FAR 1e6                 ///< pixels

static const KeyVal values[HL_VALS] = {
    [HL_X]       = { "x",  NULL, -FAR, FAR, .follows = -1 },
    [HL_Y]       = { "y",  NULL, -FAR, FAR, .follows = -1 },
    [HL_RX]      = { "rx", "radiusX,radius_x", 0, FAR, .follows = -1 },
    [HL_RY]      = { "ry", "radiusY,radius_y", 0, FAR, .follows = -1 },
    [HL_STROKE]  = { "strokeOpacity", "stroke_opacity,stroke", 0, 1, .follows = -1, .def = NAN },
    [HL_FILL]    = { "fillOpacity", "fill_opacity,fill", 0, 1, .follows = -1, .def = NAN },
    [HL_OPACITY] = { "opacity", NULL, 0, 1, .follows = -1, .def = NAN },
    [HL_COLOR]   = { "color", NULL, -1, 0xffffff, .follows = -1, .def = NAN, .step = 1, .color = 1 },
};
const KeySpec ff_highlight_spec = { values, HL_VALS, HL_STROKE };

static int alloc_regions(HighlightList *l, size_t nb)
{
    if (nb && !(l->region = av_calloc(nb, sizeof(*l->region))))
        return AVERROR(ENOMEM);
    l->nb = nb;
    for (int i = 0; i < l->nb; i++)
        l->region[i] = (HighlightRegion) { .number = i + 1, .start = -INFINITY, .end = INFINITY,
                                           .enabled = 1, .effect = HL_EFFECT_AUTO };
    return 0;
}

void ff_highlight_list_free(HighlightList *l)
{
    for (int i = 0; i < l->nb; i++)
        ff_keytrack_free(&l->region[i].track);
    av_freep(&l->region);
    l->nb = 0;
}

#if CONFIG_JANSSON

#include "keytrack_json.h"

static const char *const effect_names[] = {
    [HL_DARK_OVERLAY] = "dark_overlay", [HL_BRIGHTNESS] = "brightness_boost", [HL_RING] = "ring",
    [HL_GROUND] = "ground", [HL_SPOT] = "spot", [HL_DESATURATE] = "desaturate", [HL_BLUR] = "blur",
    [HL_ORIGINAL] = "original",
};
static const char *const shape_names[] = { [HL_BODY] = "body", [HL_AT_FEET] = "ground" };

/** An object while it is read. */
typedef struct Reader {
    const json_t *o;
    const char *where;          ///< before the name of a member in messages
    void *log;
} Reader;

static int bad(const Reader *r, const char *names, const char *what)
{
    av_log(r->log, AV_LOG_ERROR, "%s: \"%.*s\" is not %s\n", r->where, (int)strcspn(names, ","), names, what);
    return AVERROR_INVALIDDATA;
}

/* NULL is as good as nothing everywhere but in the colour of a key */
static const json_t *member(const Reader *r, const char *names)
{
    const json_t *j = ff_keytrack_json_member(r->o, names);

    return json_is_null(j) ? NULL : j;
}

static int read_bool(const Reader *r, const char *names, int *out)
{
    const json_t *j = member(r, names);

    if (json_is_boolean(j))
        *out = json_is_true(j);
    else if (json_is_integer(j) && (json_integer_value(j) & ~1) == 0)
        *out = json_integer_value(j);       // databases have no booleans
    else if (j)
        return bad(r, names, "true or false");
    return 0;
}

static int read_time(const Reader *r, const char *names, double *out)
{
    const json_t *j = member(r, names);

    if (j && isnan(*out = ff_keytrack_json_time(j)))
        return bad(r, names, "a number of seconds or text like \"1500ms\" or \"00:00:01.5\"");
    return 0;
}

static int read_size(const Reader *r, const char *names, double *out)
{
    const json_t *j = member(r, names);
    const double v = j ? json_number_value(j) : 0;

    if (j && !(json_is_number(j) && (v == 0 || (v >= 1 && v <= FAR))))
        return bad(r, names, "a number of pixels, 1 to 1e6 (0: the size of the input)");
    *out = v;
    return 0;
}

/* limits as the old pipeline has them, which took what is outside for the limit */
static int read_limited(const Reader *r, const char *names, double min, double max, double *out)
{
    const json_t *j = member(r, names);

    if (!j)
        return 0;
    if (!json_is_number(j))
        return bad(r, names, "a number");
    *out = FFMIN(FFMAX(json_number_value(j), min), max);
    if (*out != json_number_value(j))
        av_log(r->log, AV_LOG_WARNING, "%s: \"%.*s\" is %g, outside of %g..%g; %g is used. The options of the filter "
               "go further\n", r->where, (int)strcspn(names, ","), names, json_number_value(j), min, max, *out);
    return 0;
}

static int read_name(const Reader *r, const char *names, const char *const *known, int nb, int *out)
{
    const json_t *j = member(r, names);
    char all[160] = "one of";

    if (!j)
        return 0;
    for (int i = 0; i < nb; i++) {
        if (json_is_string(j) && !strcmp(json_string_value(j), known[i])) {
            *out = i;
            return 0;
        }
        av_strlcatf(all, sizeof(all), "%s %s", i ? "," : "", known[i]);
    }
    return bad(r, names, all);
}

static int read_effect(const Reader *r, int *out)
{
    return read_name(r, "effect_type,effectType,effect", effect_names, HL_EFFECTS, out);
}

static int read_overlay(HighlightList *l, const Reader *r)
{
    const json_t *color = member(r, "highlight_color,highlightColor");
    int ret;

    if ((ret = read_limited(r, "stroke_width,strokeWidth", 1, 6, &l->stroke_width)) < 0 ||
        (ret = read_limited(r, "dim_strength,dimStrength", 0, 0.4, &l->dim)) < 0 ||
        (ret = read_limited(r, "fill_opacity,fillOpacity", 0, 0.4, &l->fill)) < 0 ||
        (ret = read_bool(r, "fill_enabled,fillEnabled", &l->fill_enabled)) < 0 ||
        (ret = read_name(r, "highlight_shape,highlightShape", shape_names, FF_ARRAY_ELEMS(shape_names), &l->shape)) < 0)
        return ret;
    if (color && isnan(l->color = ff_keytrack_json_color(color)))
        return bad(r, "highlight_color", KEYTRACK_JSON_COLOR);
    return 0;
}

/* the settings of a whole file */
static int read_settings(HighlightList *l, const Reader *r)
{
    static const char names[] = "overlay_settings,overlaySettings";
    char where[1024];
    const Reader overlay = { member(r, names), where, r->log };
    const int ret = read_effect(r, &l->effect);

    if (ret < 0 || !overlay.o)
        return ret;
    if (!json_is_object(overlay.o))
        return bad(r, names, "an object");
    snprintf(where, sizeof(where), "%.900s: overlay_settings", r->where);
    return read_overlay(l, &overlay);
}

static int is_key(const json_t *o)
{
    return json_object_get(o, "time") && !json_object_get(o, "keyframes");
}

static int read_keys(HighlightRegion *g, const json_t *array, const Reader *r)
{
    int ret = 0;

    if (array && !json_is_array(array))
        return bad(r, "keyframes", "a list of keys");
    if (json_array_size(array))
        g->track = ff_keytrack_from_json(&ff_highlight_spec, array, r->where, r->log, &ret);
    return ret;
}

static int read_region(HighlightRegion *g, const Reader *r)
{
    int ret;

    if (!json_is_object(r->o) || is_key(r->o)) {
        av_log(r->log, AV_LOG_ERROR, "%s: is %s; a region is an object with \"keyframes\"\n", r->where,
               json_is_object(r->o) ? "a key" : "no object");
        return AVERROR_INVALIDDATA;
    }
    if ((ret = read_time(r, "start_time,startTime,start", &g->start)) < 0 ||
        (ret = read_time(r, "end_time,endTime,end", &g->end)) < 0 ||
        (ret = read_size(r, "video_width,videoWidth", &g->ref_w)) < 0 ||
        (ret = read_size(r, "video_height,videoHeight", &g->ref_h)) < 0 ||
        (ret = read_bool(r, "enabled", &g->enabled)) < 0 ||
        (ret = read_effect(r, &g->effect)) < 0)
        return ret;
    if (g->end < g->start) {
        av_log(r->log, AV_LOG_ERROR, "%s: it ends at %g s, before its start at %g s\n", r->where, g->end, g->start);
        return AVERROR_INVALIDDATA;
    }
    return read_keys(g, member(r, "keyframes"), r);
}

/* "FILE: region 2 (Number 7)", on one line: the number finds it in the file, the label in an editor */
static void region_name(char *buf, size_t size, const char *file, int number, const json_t *o)
{
    const json_t *j = ff_keytrack_json_member(o, "label,id");

    snprintf(buf, size, "%.900s: region %d", file, number);
    if (json_is_string(j) && json_string_length(j))
        av_strlcatf(buf, size, " (%.40s)", json_string_value(j));
    else if (json_is_integer(j))
        av_strlcatf(buf, size, " (%" JSON_INTEGER_FORMAT ")", json_integer_value(j));
    for (; *buf; buf++)
        if (*buf == '\n' || *buf == '\r')
            *buf = ' ';
}

static int read_regions(HighlightList *l, const json_t *array, const Reader *root)
{
    int ret = alloc_regions(l, json_array_size(array));

    for (int i = 0; i < l->nb && ret >= 0; i++) {
        char where[1024];
        const Reader r = { json_array_get(array, i), where, root->log };
        region_name(where, sizeof(where), root->where, i + 1, r.o);
        ret = read_region(&l->region[i], &r);
    }
    return ret;
}

static int read_list(HighlightList *l, const Reader *r)
{
    int ret;

    if (!is_key(json_array_get(r->o, 0)))
        return read_regions(l, r->o, r);
    ret = alloc_regions(l, 1);
    return ret < 0 ? ret : read_keys(l->region, r->o, r);
}

static int read_object(HighlightList *l, const Reader *r)
{
    static const char *const names[] = { "regions", "highlight_regions", "highlightRegions", "highlights", "keyframes" };
    const char *found = NULL;
    int ret;

    for (int i = 0; i < FF_ARRAY_ELEMS(names); i++) {
        if (!member(r, names[i]))
            continue;
        if (found) {
            av_log(r->log, AV_LOG_ERROR, "%s: has both \"%s\" and \"%s\"; leave only what is to be drawn\n",
                   r->where, found, names[i]);
            return AVERROR_INVALIDDATA;
        }
        found = names[i];
    }
    if (!found) {
        av_log(r->log, AV_LOG_ERROR, "%s: neither a list of regions or keys nor an object that has one under "
               "\"regions\", \"highlight_regions\", \"highlightRegions\", \"highlights\" or \"keyframes\"\n", r->where);
        return AVERROR_INVALIDDATA;
    }
    if ((ret = read_settings(l, r)) < 0)
        return ret;
    if (!strcmp(found, "keyframes"))
        return (ret = alloc_regions(l, 1)) < 0 ? ret : read_region(l->region, r);
    if (!json_is_array(member(r, found)))
        return bad(r, found, "a list of regions");
    return read_regions(l, member(r, found), r);
}

static void overwrite_colors(HighlightList *l)
{
    for (int i = 0; i < l->nb && !isnan(l->color); i++) {
        KeyTrack *k = l->region[i].track;
        for (int j = 0; k && j < k->nb; j++)
            k->val[j * HL_VALS + HL_COLOR] = l->color;
    }
}

/* one line, however many there are: the old pipeline makes such regions by itself */
static void warn_empty(const HighlightList *l, const char *where, void *log)
{
    int empty = 0, first = 0;

    for (int i = l->nb - 1; i >= 0; i--)
        if (!l->region[i].track) {
            first = i + 1;
            empty++;
        }
    if (!l->nb)
        av_log(log, AV_LOG_WARNING, "%s: there is no region in it: nothing is drawn\n", where);
    else if (empty)
        av_log(log, AV_LOG_WARNING, "%s: %d of %d regions have no keys and draw nothing; the first is region %d\n",
               where, empty, l->nb, first);
}

static int load_json(HighlightList *l, const char *json, const char *path, void *log)
{
    const char *where = path ? path : "regions";
    int ret = 0;
    json_t *root = path ? ff_keytrack_json_file(path, "regions", log, &ret)
                        : ff_keytrack_json_text(json, where, log, &ret);
    const Reader r = { root, where, log };

    if (!root)
        return ret;
    ret = json_is_array(root) ? read_list(l, &r) : read_object(l, &r);
    json_decref(root);
    if (ret < 0)
        return ret;
    overwrite_colors(l);
    warn_empty(l, where, log);
    return 0;
}

#else

static int load_json(HighlightList *l, const char *json, const char *path, void *log)
{
    int ret;

    /* fails, and says why and what to do */
    ff_keytrack_load(&ff_highlight_spec, path ? path : "regions", log, &ret);
    return ret;
}

#endif

static int load_keys(HighlightList *l, const char *keys, void *log)
{
    int ret = alloc_regions(l, 1);

    if (ret >= 0)
        l->region->track = ff_keytrack_parse(&ff_highlight_spec, keys, "keys", log, &ret);
    return ret;
}

int ff_highlight_load(HighlightList *list, const char *keys, const char *json, const char *path, void *log)
{
    int ret;

    *list = (HighlightList) { .effect = HL_EFFECT_AUTO, .shape = HL_SHAPE_AUTO, .stroke_width = NAN, .dim = NAN,
                              .fill = NAN, .fill_enabled = -1, .color = NAN };
    ret = keys ? load_keys(list, keys, log) : load_json(list, json, path, log);
    if (ret < 0)
        ff_highlight_list_free(list);
    return ret;
}
