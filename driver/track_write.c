/*
 * ffreel: keys as JSON
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libavutil/bprint.h"
#include "libavutil/mem.h"

#include "track.h"

/* what is no file is written to; a rename would put a file in its place */
static int put_into(FILE *f, const char *name, const AVBPrint *b)
{
    const int ok  = f && fwrite(b->str, 1, b->len, f) == b->len && !fflush(f);
    const int ret = ok ? 0 : fail(FAIL_IO, "%s: cannot be written: %s", name, strerror(errno));

    if (f && f != stdout)
        fclose(f);
    return ret;
}

static int put(const char *path, AVBPrint *b)
{
    const int is_stdout = !strcmp(path, "-");
    struct stat st;
    char *real;
    int ret;

    if (!av_bprint_is_complete(b))
        need(NULL);
    if (is_stdout || (!stat(path, &st) && !S_ISREG(st.st_mode))) {
        ret = put_into(is_stdout ? stdout : fopen(path, "w"), is_stdout ? "stdout" : path, b);
    } else {
        real = realpath(path, NULL);        // a link stays one
        ret  = write_file(real ? real : path, b->str, b->len);
        free(real);
    }
    av_bprint_finalize(b, NULL);
    return ret;
}

/* text as JSON has it; labels are the net's and may be anything */
static void quoted(AVBPrint *b, const char *text)
{
    json_t *s   = json_string_nocheck(text);
    char *dump  = s ? json_dumps(s, JSON_ENCODE_ANY) : NULL;

    av_bprintf(b, "%s", dump ? dump : "\"\"");
    free(dump);
    json_decref(s);
}

int write_crop(const char *path, const Detections *d, const Target *t, const TrackKeys *k)
{
    AVBPrint b;

    av_bprint_init(&b, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&b, "{\"target\": ");
    quoted(&b, t->what);
    av_bprintf(&b, ", \"picture\": \"%dx%d\",\n \"keyframes\": [", d->w, d->h);
    for (int i = 0; i < k->nb; i++) {
        const TrackKey *y = &k->key[i];
        av_bprintf(&b, "%s\n  {\"time\": %.4f, \"x\": %.2f, \"y\": %.2f, \"width\": %.2f, \"height\": %.2f, %s"
                   "\"kind\": \"monotone\"}", i ? "," : "", y->t, y->v[0], y->v[1], y->v[2], y->v[3],
                   y->cut ? "\"cut\": true, " : "");
    }
    av_bprintf(&b, "\n ]}\n");
    return put(path, &b);
}

static void region(AVBPrint *b, const Region *r, double w, double h)
{
    const TrackKeys *k = &r->keys;

    av_bprintf(b, "{\"label\": ");
    quoted(b, r->label);
    av_bprintf(b, ", \"start_time\": %.4f, \"end_time\": %.4f, \"videoWidth\": %.2f, \"videoHeight\": %.2f,"
               "\n    \"keyframes\": [", k->key[0].t, k->key[k->nb - 1].t, w, h);
    for (int i = 0; i < k->nb; i++) {
        const TrackKey *y = &k->key[i];
        av_bprintf(b, "%s\n     {\"time\": %.4f, \"x\": %.2f, \"y\": %.2f, \"radiusX\": %.2f, \"radiusY\": %.2f, "
                   "\"kind\": \"monotone\"}", i ? "," : "", y->t, y->v[0], y->v[1], y->v[2], y->v[3]);
    }
    av_bprintf(b, "\n    ]}");
}

int write_regions(const char *path, const Target *t, const Region *r, int nb, double w, double h)
{
    AVBPrint b;

    av_bprint_init(&b, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&b, "{\"target\": ");
    quoted(&b, t->what);
    av_bprintf(&b, ",\n \"regions\": [");
    for (int i = 0; i < nb; i++) {
        av_bprintf(&b, "%s\n  ", i ? "," : "");
        region(&b, &r[i], w, h);
    }
    av_bprintf(&b, "\n ]}\n");
    return put(path, &b);
}
