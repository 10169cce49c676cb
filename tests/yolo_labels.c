/*
 * yolodetect: names of classes
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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"

#include "libavfilter/yolo_labels.h"
#include "tap.h"

static char last[1000];

static void keep_error(void *log, int level, const char *fmt, va_list ap)
{
    vsnprintf(last, sizeof(last), fmt, ap);
}

static void test_parse(void)
{
    static const struct { const char *text, *joined; } good[] = {
        { "{0: 'person', 1: 'bicycle'}", "person/bicycle" },
        { " {0:\"person\",1:'it''s'} ", NULL },
        { "{0: \"it's\", 1: 'a \\'b\\' \\\\'}", "it's/a 'b' \\" },
        { "['ball', 'player',]", "ball/player" },
        { "{2: 'c', 0: 'a'}", "a//c" },
        { "{0: 'caf\\u00e9', 1: '\\xe9'}", "caf\xc3\xa9/\xc3\xa9" },
        { "{}", "" },
        { "{0: 'a', 1: }", NULL }, { "{0: 'a'", NULL }, { "{0: 'a' 1: 'b'}", NULL }, { "0: 'a'", NULL }, { "", NULL },
        { "{0: 'a'} x", NULL }, { "{-1: 'a'}", NULL }, { "{999999999999: 'a'}", NULL }, { "{100000: 'a'}", NULL },
        { "{0: 'a\\", NULL }, { "{0: '\\u12", NULL }, { "{0: '\\ud800x'", NULL }, { "{x: 'a'}", NULL }, { "{0: 5}", NULL }, { "['a'}", NULL },
        { "{0: a}", NULL }, { "[", NULL }, { "{", NULL }, { "{,}", NULL },
    };

    for (int i = 0; i < sizeof(good) / sizeof(*good); i++) {
        YoloLabels l;
        char joined[200] = "";
        int ret = ff_yolo_labels_parse(&l, good[i].text, NULL);
        for (int k = 0; k < l.nb; k++)
            snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", k ? "/" : "", l.name[k] ? l.name[k] : "");
        tap_ok(good[i].joined ? !ret && !strcmp(joined, good[i].joined) : ret == AVERROR_INVALIDDATA && !l.nb && !l.name,
               "%s: %s", good[i].text, ret ? "refused" : joined);
        ff_yolo_labels_free(&l);
    }
}

static int from_file(YoloLabels *l, const char *bytes, size_t n)
{
    const char *dir = getenv("TMP");
    char name[1000];
    FILE *f;

    snprintf(name, sizeof(name), "%s/labels.txt", dir ? dir : ".");
    f = fopen(name, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f))
        abort();
    return ff_yolo_labels_load(l, name, NULL);
}

static void test_files(void)
{
    YoloLabels l;
    char buf[16];

    tap_ok(!from_file(&l, "\xef\xbb\xbfperson\r\nball \r\n\r\n\n", 20) && l.nb == 2 && !strcmp(l.name[0], "person") && !strcmp(l.name[1], "ball"),
           "a file with a byte order mark, carriage returns and empty lines at its end");
    ff_yolo_labels_free(&l);
    tap_ok(!from_file(&l, "a\n\nc", 4) && l.nb == 3 && !strcmp(ff_yolo_label(&l, 1, buf), "1") && !strcmp(ff_yolo_label(&l, 2, buf), "c") &&
           !strcmp(ff_yolo_label(&l, 77, buf), "77"), "a class without a name is its number");
    ff_yolo_labels_free(&l);
    tap_ok(from_file(&l, "a\0b", 3) == AVERROR_INVALIDDATA && strstr(last, "labels.txt"), "a binary file is refused: %s", last);
    tap_ok(from_file(&l, "p\xe9l\xe9", 4) == AVERROR_INVALIDDATA && !l.nb && strstr(last, "UTF-8"), "so is one in Latin-1: %s", last);
    tap_ok(!from_file(&l, "p\xc3\xa9l\xc3\xa9", 6) && !strcmp(l.name[0], "p\xc3\xa9l\xc3\xa9"), "UTF-8 is read");
    ff_yolo_labels_free(&l);
    tap_ok(from_file(&l, "\n\n", 2) == AVERROR_INVALIDDATA, "so is one of empty lines");
    tap_ok(ff_yolo_labels_load(&l, "/nonexistent/x", NULL) < 0 && strstr(last, "/nonexistent/x"), "and one that is not there: %s", last);
    tap_ok(!ff_yolo_labels_load(&l, "coco", NULL) && l.nb == 80 && !strcmp(l.name[0], "person") && !strcmp(l.name[32], "sports ball") &&
           !strcmp(l.name[38], "tennis racket") && !strcmp(l.name[79], "toothbrush"), "coco: 80 names");
    ff_yolo_labels_free(&l);
}

static void test_classes(void)
{
    static const struct { const char *text; int nc, set[4], nb; const char *says; } c[] = {
        { "person|sports ball", 80, { 0, 32 }, 2 }, { "Person+32", 80, { 0, 32 }, 2 }, { " tennis racket | 5", 80, { 38, 5 }, 2 },
        { "79", 80, { 79 }, 1 }, { "80", 80, { 0 }, -1, "has 80" }, { "persn", 80, { 0 }, -1, "person" },
        { "ball", 80, { 0 }, -1, "sports ball" }, { "||", 80, { 0 }, -1, "names none" }, { "-1", 80, { 0 }, -1, "has 80" },
        { "person|", 80, { 0 }, 1 }, { "1x", 80, { 0 }, -1, "no class" }, { "90", 0, { 90 }, 1 }, { "", 80, { 0 }, 0 },
    };
    YoloLabels coco, none = { 0 };
    uint8_t *keep;
    int nb;

    ff_yolo_labels_load(&coco, "coco", NULL);
    for (int i = 0; i < sizeof(c) / sizeof(*c); i++) {
        int ret, sum = 0, ok = 1;
        *last = 0;
        ret = ff_yolo_classes(&keep, &nb, c[i].text, &coco, c[i].nc, NULL);
        for (int k = 0; k < nb && !ret; k++)
            sum += keep[k];
        for (int k = 0; k < c[i].nb; k++)
            ok &= c[i].set[k] < nb && keep[c[i].set[k]];
        tap_ok(c[i].nb < 0 ? ret == AVERROR(EINVAL) && !keep && strstr(last, c[i].says) : !ret && sum == c[i].nb && ok,
               "classes '%s': %s", c[i].text, ret ? last : "taken");
        av_free(keep);
    }
    tap_ok(ff_yolo_classes(&keep, &nb, "person", &none, 80, NULL) == AVERROR(EINVAL) && strstr(last, "labels=coco"),
           "a name where the model has none: %s", last);
    tap_ok(!ff_yolo_classes(&keep, &nb, NULL, &none, 80, NULL) && !keep, "no classes: all");
    ff_yolo_labels_free(&coco);
}

int main(void)
{
    av_log_set_callback(keep_error);
    test_parse();
    test_files();
    test_classes();
    return tap_done();
}
