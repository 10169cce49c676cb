/*
 * ffreel: detections from JSON lines
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

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/mem.h"
#include "libavfilter/yolo_track.h"

#include "track.h"

#define MAX_SIZE 65536
#define MAX_SPAN (48 * 3600.)   ///< seconds, of which each takes memory
#define FAR      1e6

/** A line while it is read. */
typedef struct Line {
    const char *file;
    int         number;
} Line;

static int wrong(const Line *l, const char *fmt, ...) av_printf_format(2, 3);
static int wrong(const Line *l, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return fail(FAIL_INPUT, "%s: line %d: %s", l->file, l->number, text);
}

static int get(const json_t *o, const char *name, double min, double max, double *out, const Line *l)
{
    const json_t *j = json_object_get(o, name);

    if (!json_is_number(j))
        return wrong(l, "\"%s\" is %s", name, j ? "not a number" : "missing");
    *out = json_number_value(j);
    if (!(*out >= min && *out <= max))
        return wrong(l, "\"%s\" is %g, outside of %g to %g", name, *out, min, max);
    return 0;
}

/* the same where it need not be there */
static int get_or(const json_t *o, const char *name, double min, double max, double def, double *out, const Line *l)
{
    const json_t *j = json_object_get(o, name);

    *out = def;
    return !j || json_is_null(j) ? 0 : get(o, name, min, max, out, l);
}

static int label_of(Detections *d, const json_t *o)
{
    const json_t *name = json_object_get(o, "label"), *number = json_object_get(o, "class");
    const char *text = json_string_value(name);
    char buf[32];

    if (!text) {
        snprintf(buf, sizeof(buf), "%lld", json_is_integer(number) ? (long long)json_integer_value(number) : 0LL);
        text = buf;
    }
    for (int i = 0; i < d->labels.nb; i++)
        if (!strcmp(d->labels.v[i], text))
            return i;
    list_add(&d->labels, text);
    return d->labels.nb - 1;
}

static void *grown(void *p, int nb, size_t size)
{
    return nb & (nb - 1) ? p : need(av_realloc_array(p, FFMAX(2 * (size_t)nb, 16), size));
}

static int read_box(Detections *d, const json_t *o, const Line *l)
{
    double x, y, id;
    DetBox b;
    int ret;

    if (!json_is_object(o))
        return wrong(l, "a box is not an object");
    if ((ret = get(o, "x", -FAR, FAR, &x, l)) || (ret = get(o, "y", -FAR, FAR, &y, l)) ||
        (ret = get(o, "w", 0, FAR, &b.w, l)) || (ret = get(o, "h", 0, FAR, &b.h, l)) ||
        (ret = get_or(o, "conf", 0, 1, 1, &b.conf, l)) || (ret = get_or(o, "id", 0, INT_MAX, 0, &id, l)))
        return ret;
    if (!(b.w > 0 && b.h > 0))
        return 0;
    if (d->nb_boxes == INT_MAX / 2)
        return wrong(l, "too many boxes");
    b.x     = x + b.w / 2;
    b.y     = y + b.h / 2;
    b.id    = id;
    b.label = label_of(d, o);
    b.guess = json_is_true(json_object_get(o, "guess"));
    d->box  = grown(d->box, d->nb_boxes, sizeof(*d->box));
    d->box[d->nb_boxes++] = b;
    d->frame[d->nb - 1].nb++;
    return 0;
}

static int read_frame(Detections *d, const json_t *o, const Line *l)
{
    const json_t *boxes = json_object_get(o, "boxes");
    double w, h;
    DetFrame f = { .first = d->nb_boxes };
    int ret;

    if (!json_is_object(o))
        return wrong(l, "not an object with \"t\", \"w\", \"h\", \"boxes\"");
    if ((ret = get(o, "t", -1e9, 1e9, &f.t, l)) || (ret = get(o, "w", 1, MAX_SIZE, &w, l)) ||
        (ret = get(o, "h", 1, MAX_SIZE, &h, l)) || (ret = get_or(o, "scene", 0, 1, -1, &f.scene, l)))
        return ret;
    if (!json_is_array(boxes))
        return wrong(l, "\"boxes\" is %s", boxes ? "not a list" : "missing");
    if (d->nb && !(f.t > d->frame[d->nb - 1].t))
        return wrong(l, "its time %g s is not after %g s, that of the line before", f.t, d->frame[d->nb - 1].t);
    if (d->nb && f.t - d->frame[0].t > MAX_SPAN)
        return wrong(l, "its time is %g s after that of the first line; two days are possible (do times jump?)",
                     f.t - d->frame[0].t);
    if (d->nb && (w != d->w || h != d->h))
        return wrong(l, "the picture is %gx%g, but %dx%d before: one file is of one size", w, h, d->w, d->h);
    d->w = w;
    d->h = h;
    d->frame = grown(d->frame, d->nb, sizeof(*d->frame));
    d->frame[d->nb++] = f;
    for (size_t i = 0; i < json_array_size(boxes); i++)
        if ((ret = read_box(d, json_array_get(boxes, i), l)))
            return ret;
    return 0;
}

static int read_lines(Detections *d, FILE *f)
{
    Line l = { d->name };
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    int ret = 0;

    while (!ret && (len = getline(&text, &size, f)) >= 0) {
        json_error_t e;
        json_t *o;
        l.number++;
        if (strspn(text, " \t\r\n") == len)
            continue;
        if ((o = json_loadb(text, len, 0, &e)))
            ret = read_frame(d, o, &l);
        else
            ret = wrong(&l, "not JSON: %s (column %d)", e.text, e.column);
        json_decref(o);
    }
    if (!ret && ferror(f))
        ret = fail(FAIL_IO, "%s: cannot be read: %s", d->name, strerror(errno));
    free(text);
    return ret;
}

int detections_read(Detections *d, const char *path)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
    int ret;

    *d = (Detections) { .name = strcmp(path, "-") ? path : "stdin" };
    if (!f)
        return fail(FAIL_IO, "%s: cannot be opened: %s", path, strerror(errno));
    ret = read_lines(d, f);
    if (f != stdin)
        fclose(f);
    if (!ret && !d->nb)
        ret = fail(FAIL_INPUT, "%s: has no line; wanted are JSON lines as yolodetect=out=%s writes", d->name, d->name);
    return ret;
}

void detections_free(Detections *d)
{
    av_freep(&d->frame);
    av_freep(&d->box);
    list_free(&d->labels);
}

/* ids for the boxes of frame i */
static int identify(Detections *d, YoloTracker *t, YoloBoxes *boxes, int i)
{
    const DetFrame *f = &d->frame[i];
    int ret;

    boxes->nb = 0;
    for (int k = f->first; k < f->first + f->nb; k++) {
        const DetBox *b = &d->box[k];
        const YoloBox y = { b->x - b->w / 2, b->y - b->h / 2, b->x + b->w / 2, b->y + b->h / 2, b->conf, b->label };
        if ((ret = ff_yolo_add(boxes, &y)) < 0)
            return ret;
    }
    if ((ret = ff_yolo_track(t, f->t, d->w, d->h, 1, boxes)) < 0)
        return ret;
    for (int k = f->first; k < f->first + f->nb; k++) {     // they come back with the very corners
        DetBox *b = &d->box[k];
        for (int n = 0; n < boxes->nb && !b->id; n++) {
            const YoloBox *y = &boxes->box[n];
            if (y->state == YOLO_SEEN && y->cls == b->label && y->x1 == (float)(b->x - b->w / 2) &&
                y->y1 == (float)(b->y - b->h / 2) && y->x2 == (float)(b->x + b->w / 2))
                b->id = y->id;
        }
    }
    return 0;
}

int detections_identify(Detections *d)
{
    static const YoloTrackParams params = { .mode = YOLO_TRACK_BYTE, .high = 0.4, .low = 0.1, .match = 0.2, .keep = 1,
                                            .min_hits = 2 };
    YoloBoxes boxes = { 0 };
    YoloTracker *t;
    int ret = 0;

    for (int i = 0; i < d->nb_boxes; i++)
        if (d->box[i].id)
            return 0;
    if (!d->nb_boxes)
        return 0;
    need(ff_yolo_track_open(&t, &params, NULL) < 0 ? NULL : t);
    for (int i = 0; i < d->nb && ret >= 0; i++)
        ret = identify(d, t, &boxes, i);
    ff_yolo_track_close(&t);
    ff_yolo_free(&boxes);
    if (ret < 0)
        need(NULL);
    say(1, "%s: no box has an id; they were tracked here", d->name);
    return 0;
}
