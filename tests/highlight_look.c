/*
 * highlight: the two old looks against frames drawn with OpenCV
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



#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/crc.h"

#include "tap.h"

#define MAX_FRAMES   16
#define MAX_SAMPLES  (64 * 1024)
#define MAX_COLOURS  94

static const char *ffmpeg, *tmp;

/** What tests/peers/highlight_look.py says about a job; the format is described there. */
typedef struct Frame {
    int      n;                 ///< from 0
    int      changed;           ///< pixels that differ from the source
    uint32_t crc;
    uint8_t *bgr;
} Frame;

typedef struct Case {
    char  name[32], rules[8], options[64], json[4096];
    int   w, h, block, seed, fps;
    Frame frame[MAX_FRAMES];
    int   nb;
} Case;

static void free_case(Case *c)
{
    for (int i = 0; i < c->nb; i++)
        free(c->frame[i].bgr);
    c->nb = 0;
}

/* ---- pictures ---------------------------------------------------------------------- */

/* Blocks of one colour, as in the Python script. */
static void paint(uint8_t *bgr, const Case *c)
{
    for (int i = 0; i < 3 * c->w * c->h; i++) {
        const int x = i / 3 % c->w / c->block, y = i / 3 / c->w / c->block;
        uint32_t n = (x * 73 + y * 151 + i % 3 * 199 + c->seed * 1009 + 1) * 2654435761U;
        int v;
        n = (n ^ n >> 15) * 2246822519U;
        v = n >> 24;
        bgr[i] = v < 24 ? 0 : v > 231 ? 255 : v;
    }
}

static uint32_t crc_of(const uint8_t *p, size_t size)
{
    return ~av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), UINT32_MAX, p, size);
}

/* ---- the reference -------------------------------------------------------------------- */

static char *next_line(FILE *f, char *line, int size)
{
    do {
        if (!fgets(line, size, f))
            return NULL;
    } while (line[0] == '#');
    line[strcspn(line, "\n")] = 0;
    return line;
}

static int hex_colour(const char *text, uint8_t bgr[3])
{
    unsigned v;
    int len = 0;

    if (strspn(text, "0123456789abcdef") < 6 || sscanf(text, "%6x%n", &v, &len) != 1 || len != 6)
        return 0;
    for (int i = 0; i < 3; i++)
        bgr[i] = v >> (16 - 8 * i);
    return 1;
}

/* letters first, then what else there is but digits */
static int colour_number(char name)
{
    static const char names[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    const char *p = name ? strchr(names, name) : NULL;

    return p ? p - names : MAX_COLOURS;
}

/* @return the rows that a line "KxRUNS" gives; 0: it is wrong */
static int read_runs(const char *line, uint8_t *bgr, int w, int rows_left,
                     const uint8_t colours[][3], int nb_colours)
{
    int rows, len, x = 0;

    if (sscanf(line, "%dx%n", &rows, &len) != 1 || line[len - 1] != 'x' || rows < 1 || rows > rows_left)
        return 0;
    for (line += len; *line; line += len) {
        const int k = colour_number(*line++);
        int run;
        if (sscanf(line, "%d%n", &run, &len) != 1 || run < 1 || run > w - x || k >= nb_colours)
            return 0;
        for (; run; run--)
            memcpy(bgr + 3 * x++, colours[k], 3);
    }
    if (x != w)
        return 0;
    for (int i = 1; i < rows; i++)
        memcpy(bgr + 3 * w * i, bgr, 3 * w);
    return rows;
}

static int read_pixels(FILE *f, const Case *c, uint8_t *bgr)
{
    char line[4096];

    for (int y = 0; y < c->h; y++) {
        if (!next_line(f, line, sizeof(line)) || strlen(line) != 6 * c->w)
            return 0;
        for (int x = 0; x < c->w; x++)
            if (!hex_colour(line + 6 * x, bgr + 3 * (y * c->w + x)))
                return 0;
    }
    return 1;
}

static int read_rows(FILE *f, const Case *c, uint8_t *bgr)
{
    uint8_t colours[MAX_COLOURS][3];
    char line[4096], *p;
    int nb = 0, rows;

    if (!next_line(f, line, sizeof(line)))
        return 0;
    if (!strcmp(line, "pixels"))
        return read_pixels(f, c, bgr);
    if (strncmp(line, "colours", 7))
        return 0;
    for (p = line + 7; *p == ' ' && nb < MAX_COLOURS; p += 7)
        if (!hex_colour(p + 1, colours[nb++]))
            return 0;
    for (int y = 0; y < c->h; y += rows) {
        if (!next_line(f, line, sizeof(line)) ||
            !(rows = read_runs(line, bgr + 3 * c->w * y, c->w, c->h - y, colours, nb)))
            return 0;
    }
    return !*p;
}

/* A picture read right has the CRC that was written, and as many pixels that differ
 * from the source: then both sides mean the same source as well. */
static int verify(const Case *c, const Frame *fr)
{
    static uint8_t source[MAX_SAMPLES];
    int changed = 0;

    paint(source, c);
    for (int i = 0; i < c->w * c->h; i++)
        changed += !!memcmp(source + 3 * i, fr->bgr + 3 * i, 3);
    return changed == fr->changed && crc_of(fr->bgr, 3 * c->w * c->h) == fr->crc;
}

/**
 * @param line  the "case" line; at return the one after the case, or ""
 * @return whether the case could be read
 */
static int read_case(FILE *f, Case *c, char *line, int size)
{
    const char *head = "json ";

    if (sscanf(line, "case %31s %d %d %d %d %d %7s %63s", c->name, &c->w, &c->h, &c->block, &c->seed,
               &c->fps, c->rules, c->options) != 8 || c->w < 1 || c->h < 1 || c->block < 1 ||
        c->fps < 1 || c->w > MAX_SAMPLES / 3 / c->h || !next_line(f, line, size) || strncmp(line, head, 5) ||
        strlen(line + 5) >= sizeof(c->json))
        return 0;
    strcpy(c->json, line + 5);
    while (next_line(f, line, size) && !strncmp(line, "frame ", 6)) {
        Frame *fr = &c->frame[c->nb];
        if (c->nb == MAX_FRAMES || sscanf(line, "frame %d %d x%8"SCNx32, &fr->n, &fr->changed, &fr->crc) != 3 ||
            fr->n < 0 || !(fr->bgr = malloc(3 * c->w * c->h)))
            return 0;
        c->nb++;
        if (!read_rows(f, c, fr->bgr) || !verify(c, fr))
            return 0;
    }
    if (feof(f))
        line[0] = 0;
    return c->nb > 0;
}

/* ---- the reader itself ----------------------------------------------------------------- */

static int readable(const char *text, Case *c)
{
    FILE *f = fmemopen((char *)text, strlen(text), "r");
    char line[4096];
    int good;

    memset(c, 0, sizeof(*c));
    good = f && next_line(f, line, sizeof(line)) && read_case(f, c, line, sizeof(line)) && !*line;
    if (f)
        fclose(f);
    return good;
}

/* A case of one frame of 4x2 pixels, written here as the script writes it. */
static void compose(char *text, size_t size, const char *first, uint32_t crc, const char *rows)
{
    snprintf(text, size, "%s\njson []\nframe 3 8 x%08"PRIx32"\n%s\n", first, crc, rows);
}

static void test_reader(void)
{
    static const uint8_t want[24] = { 0x01, 0x02, 0xfe, 0x01, 0x02, 0xfe, 0x01, 0x02, 0xfe, 0xab, 0x10, 0x77,
                                      0x01, 0x02, 0xfe, 0x01, 0x02, 0xfe, 0x01, 0x02, 0xfe, 0xab, 0x10, 0x77 };
    static const char *const good = "case a 4 2 1 9 8 feb -";
    static const char *const wrong[][2] = {
        { "a short row",           "colours 0102fe ab1077\n2xA3" },
        { "a long row",            "colours 0102fe ab1077\n2xA3B2" },
        { "too many rows",         "colours 0102fe ab1077\n3xA3B1" },
        { "too few rows",          "colours 0102fe ab1077\n1xA3B1" },
        { "a colour not there",    "colours 0102fe ab1077\n2xA3C1" },
        { "half a colour",         "colours 0102fe ab107\n2xA3B1" },
        { "no colours",            "2xA3B1" },
        { "one value wrong",       "colours 0102ff ab1077\n2xA3B1" },
        { "a row of pixels short", "pixels\n0102fe0102fe0102feab1077\n0102fe0102fe0102fe" },
        { "a frame too many",      "colours 0102fe ab1077\n2xA3B1\nframe 4" },
        { "more than the frame",   "colours 0102fe ab1077\n2xA3B1\n1xA3B1" },
    };
    const uint32_t crc = crc_of(want, sizeof(want));
    char text[1024];
    Case c;
    int ok;

    compose(text, sizeof(text), good, crc, "colours 0102fe ab1077\n2xA3B1");
    ok = readable(text, &c) && c.nb == 1 && c.frame[0].n == 3 && !memcmp(c.frame[0].bgr, want, sizeof(want));
    free_case(&c);
    compose(text, sizeof(text), good, crc, "pixels\n0102fe0102fe0102feab1077\n0102fe0102fe0102feab1077");
    ok &= readable(text, &c) && !memcmp(c.frame[0].bgr, want, sizeof(want));
    free_case(&c);
    tap_ok(ok, "reader: runs and pixels");
    for (int i = 0; i < FF_ARRAY_ELEMS(wrong); i++) {
        compose(text, sizeof(text), good, crc, wrong[i][1]);
        tap_ok(!readable(text, &c), "reader: %s is refused", wrong[i][0]);
        free_case(&c);
    }
    compose(text, sizeof(text), "case a 4 2 1 9 8 feb", crc, "colours 0102fe ab1077\n2xA3B1");
    ok = !readable(text, &c);
    free_case(&c);
    compose(text, sizeof(text), "case a 4 2 0 9 8 feb -", crc, "colours 0102fe ab1077\n2xA3B1");
    ok &= !readable(text, &c);
    free_case(&c);
    tap_ok(ok, "reader: a bad first line is refused");
}

/* ---- the filter -------------------------------------------------------------------------- */

static const char *const formats[] = { "bgr24", "rgb24", "gbrp" };

/* @return whether the file was written */
static int spill(const char *name, const uint8_t *data, size_t size, int times)
{
    char path[1024];
    FILE *f;
    int good = 1;

    snprintf(path, sizeof(path), "%s/%s", tmp, name);
    if (!(f = fopen(path, "wb")))
        return 0;
    for (int i = 0; i < times; i++)
        good &= fwrite(data, 1, size, f) == size;
    return !fclose(f) && good;
}

/* the filter in all formats, by one run of ffmpeg */
static int run_filter(const Case *c, int frames)
{
    static uint8_t source[MAX_SAMPLES];
    char cmd[4096];
    int len;

    paint(source, c);
    if (!spill("in.raw", source, 3 * c->w * c->h, frames) || !spill("case.json", (const uint8_t *)c->json, strlen(c->json), 1))
        return 0;
    len = snprintf(cmd, sizeof(cmd), "cd '%s' && '%s' -v error -nostdin -y -f rawvideo -pixel_format bgr24 "
                   "-video_size %dx%d -framerate %d -i in.raw", tmp, ffmpeg, c->w, c->h, c->fps);
    for (int i = 0; i < FF_ARRAY_ELEMS(formats); i++)
        len += snprintf(cmd + len, sizeof(cmd) - len, " -vf 'format=%s,highlight=file=case.json:rules=%s%s%s,format=bgr24' "
                        "-f rawvideo %s.raw", formats[i], c->rules, strcmp(c->options, "-") ? ":" : "",
                        strcmp(c->options, "-") ? c->options : "", formats[i]);
    return !system(cmd);
}

/* @return samples more than one code apart */
static int apart(const Case *c, const Frame *fr, const uint8_t *got, const char *where)
{
    int nb = 0;

    for (int i = 0; i < 3 * c->w * c->h; i++) {
        if (abs(got[i] - fr->bgr[i]) <= 1)
            continue;
        if (!nb++ && where)
            printf("# %s, %s, frame %d: %c of (%d, %d) is %d, OpenCV's %d\n", c->name, where, fr->n,
                   "BGR"[i % 3], i / 3 % c->w, i / 3 / c->w, got[i], fr->bgr[i]);
    }
    if (nb && where)
        printf("# %d samples of this frame\n", nb);
    return nb;
}

static int compare_format(const Case *c, const char *format)
{
    static uint8_t got[MAX_SAMPLES];
    const size_t size = 3 * c->w * c->h;
    char path[1024];
    FILE *f;
    int bad = 0;

    snprintf(path, sizeof(path), "%s/%s.raw", tmp, format);
    if (!(f = fopen(path, "rb")))
        return 1;
    for (int i = 0; i < c->nb; i++) {
        if (fseek(f, c->frame[i].n * (long)size, SEEK_SET) || fread(got, 1, size, f) != size) {
            printf("# %s, %s: frame %d is missing\n", c->name, format, c->frame[i].n);
            bad++;
        } else {
            bad += !!apart(c, &c->frame[i], got, format);
        }
    }
    fclose(f);
    return bad;
}

static void test_case(const Case *c)
{
    int last = 0, bad = 0;

    for (int i = 0; i < c->nb; i++)
        last = FFMAX(last, c->frame[i].n);
    if (!run_filter(c, last + 1)) {
        tap_ok(0, "%s: the filter fails", c->name);
        return;
    }
    for (int i = 0; i < FF_ARRAY_ELEMS(formats); i++)
        bad += compare_format(c, formats[i]);
    tap_ok(!bad, "%s (%s): every pixel of %d frames in 3 formats within 1 of OpenCV's", c->name, c->rules, c->nb);
}

/* @return frames that the source, unchanged, would pass for though it should not */
static int blind(const Case *c)
{
    static uint8_t source[MAX_SAMPLES];
    int nb = 0;

    paint(source, c);
    for (int i = 0; i < c->nb; i++)
        nb += c->frame[i].changed && !apart(c, &c->frame[i], source, NULL);
    return nb;
}

static int filter_there(void)
{
    char cmd[1024];

    snprintf(cmd, sizeof(cmd), "'%s' -v quiet -h filter=highlight | grep -q '^Filter highlight'", ffmpeg);
    return tap_ok(!system(cmd), "ffmpeg has the filter highlight");
}

int main(void)
{
    FILE *f = fopen("tests/ref/highlight_look.txt", "r");
    char line[4096];
    int cases = 0, frames = 0, unread = 0, unseen = 0, there;
    Case c;

    ffmpeg = getenv("FFMPEG") ? getenv("FFMPEG") : "bin/ffmpeg";
    tmp    = getenv("TMP") ? getenv("TMP") : "/tmp";
    test_reader();
    there = filter_there();
    if (tap_ok(!!f, "tests/ref/highlight_look.txt is there (make check-peers makes it)")) {
        for (char *more = next_line(f, line, sizeof(line)); more && *more && !unread; ) {
            memset(&c, 0, sizeof(c));
            if (read_case(f, &c, line, sizeof(line))) {
                cases++;
                frames += c.nb;
                unseen += blind(&c);
                if (there)
                    test_case(&c);
            } else {
                printf("# %s: %s\n", c.name, line);
                unread++;
            }
            free_case(&c);
        }
        fclose(f);
    }
    tap_ok(cases >= 70 && frames >= 105 && !unread, "%d cases with %d frames are read", cases, frames);
    tap_ok(!unseen, "a filter that does nothing would be found out (%d frames would not)", unseen);
    return tap_done();
}
