/*
 * YOLO detection: names of classes
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

#include "libavutil/avstring.h"
#include "libavutil/bprint.h"
#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/file.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"

#include "yolo_labels.h"

#define MAX_LABELS 100000

static const char coco[] =
    "person\nbicycle\ncar\nmotorcycle\nairplane\nbus\ntrain\ntruck\nboat\ntraffic light\nfire hydrant\nstop sign\n"
    "parking meter\nbench\nbird\ncat\ndog\nhorse\nsheep\ncow\nelephant\nbear\nzebra\ngiraffe\nbackpack\numbrella\n"
    "handbag\ntie\nsuitcase\nfrisbee\nskis\nsnowboard\nsports ball\nkite\nbaseball bat\nbaseball glove\nskateboard\n"
    "surfboard\ntennis racket\nbottle\nwine glass\ncup\nfork\nknife\nspoon\nbowl\nbanana\napple\nsandwich\norange\n"
    "broccoli\ncarrot\nhot dog\npizza\ndonut\ncake\nchair\ncouch\npotted plant\nbed\ndining table\ntoilet\ntv\nlaptop\n"
    "mouse\nremote\nkeyboard\ncell phone\nmicrowave\noven\ntoaster\nsink\nrefrigerator\nbook\nclock\nvase\nscissors\n"
    "teddy bear\nhair drier\ntoothbrush\n";

void ff_yolo_labels_free(YoloLabels *l)
{
    for (int i = 0; i < l->nb; i++)
        av_free(l->name[i]);
    av_freep(&l->name);
    l->nb = 0;
}

/* files of boxes are JSON, which has no other */
static int is_utf8(const char *s)
{
    const uint8_t *p = s, *end = p + strlen(s);
    int32_t code;

    while (p < end)
        if (av_utf8_decode(&code, &p, end, AV_UTF8_FLAG_ACCEPT_NON_CHARACTERS) < 0)
            return 0;
    return 1;
}

/* takes name */
static int set(YoloLabels *l, int i, char *name)
{
    if (!is_utf8(name)) {
        av_free(name);
        return AVERROR_INVALIDDATA;
    }
    if (i >= l->nb) {
        char **p = av_realloc_array(l->name, i + 1, sizeof(*p));
        if (!p) {
            av_free(name);
            return AVERROR(ENOMEM);
        }
        l->name = p;
        memset(p + l->nb, 0, (i + 1 - l->nb) * sizeof(*p));
        l->nb = i + 1;
    }
    av_free(l->name[i]);
    l->name[i] = name;
    return 0;
}

/* ---- Python literals ---------------------------------------------------------------------- */

static const char *blanks(const char *s)
{
    return s + strspn(s, " \t\r\n");
}

/* the character of \x4a or \u00e9 as UTF-8 */
static const char *hex_escape(const char *s, int digits, AVBPrint *bp)
{
    char buf[9] = "", *end;
    uint32_t code;
    uint8_t tmp;

    av_strlcpy(buf, s, digits + 1);
    code = strtoul(buf, &end, 16);
    if (end != buf + digits || strlen(buf) != digits || !code || (code >= 0xd800 && code < 0xe000))
        return NULL;
    PUT_UTF8(code, tmp, av_bprint_chars(bp, tmp, 1);)
    return s + digits;
}

/* a quoted text at s; @return what follows it, NULL: it is none */
static const char *quoted(const char *s, AVBPrint *bp)
{
    const char q = *s;

    if (q != '\'' && q != '"')
        return NULL;
    for (s++; s && *s && *s != q; ) {
        if (*s != '\\') {
            av_bprint_chars(bp, *s++, 1);
            continue;
        }
        s++;
        switch (*s) {
        case 'x': s = hex_escape(s + 1, 2, bp); break;
        case 'u': s = hex_escape(s + 1, 4, bp); break;
        case 'n': case 't': case 'r':
            av_bprint_chars(bp, ' ', 1);
            s++;
            break;
        case 0: return NULL;
        default: av_bprint_chars(bp, *s++, 1);
        }
    }
    return s && *s ? s + 1 : NULL;
}

/* one entry; @return what follows it, or NULL with *ret */
static const char *entry(YoloLabels *l, const char *s, int dict, int next, int *ret)
{
    AVBPrint bp;
    char *name;
    int cls = next;

    *ret = AVERROR_INVALIDDATA;
    if (dict) {
        char *end;
        long n = strtol(s, &end, 10);
        const char *colon = blanks(end);
        if (end == s || n < 0 || n >= MAX_LABELS || *colon != ':')
            return NULL;
        cls = n;
        s = blanks(colon + 1);
    }
    if (cls >= MAX_LABELS)
        return NULL;
    av_bprint_init(&bp, 0, 1000);
    s = quoted(s, &bp);
    if (!s || !av_bprint_is_complete(&bp)) {
        av_bprint_finalize(&bp, NULL);
        return NULL;
    }
    if ((*ret = av_bprint_finalize(&bp, &name)) < 0 || (*ret = set(l, cls, name)) < 0)
        return NULL;
    return blanks(s);
}

int ff_yolo_labels_parse(YoloLabels *l, const char *text, void *log)
{
    const char *s = blanks(text);
    const int dict = *s == '{';
    const char close = dict ? '}' : ']';
    int ret = AVERROR_INVALIDDATA;

    *l = (YoloLabels) { 0 };
    if (!dict && *s != '[')
        goto fail;
    s = blanks(s + 1);
    for (int i = 0; s && *s != close; i++) {
        if (i) {
            if (*s != ',')
                goto fail;
            s = blanks(s + 1);
            if (*s == close)
                break;
        }
        s = entry(l, s, dict, i, &ret);
    }
    if (s && !*blanks(s + 1))
        return 0;
fail:
    if (ret != AVERROR(ENOMEM))
        ret = AVERROR_INVALIDDATA;
    ff_yolo_labels_free(l);
    if (ret != AVERROR(ENOMEM))
        av_log(log, AV_LOG_ERROR, "the model's class names cannot be read, near '%.40s': "
               "give a file, labels=FILE\n", s && *s ? s : text);
    return ret;
}

/* ---- files --------------------------------------------------------------------------------- */

static int read_lines(YoloLabels *l, const char *s, const char *end)
{
    int ret;

    if (end - s >= 3 && !memcmp(s, "\xef\xbb\xbf", 3))
        s += 3;
    for (int i = 0; s < end; i++) {
        const char *nl = memchr(s, '\n', end - s), *stop = nl ? nl : end;
        char *name;
        int len = FFMIN(stop - s, 1000);

        while (len && (s[len - 1] == '\r' || s[len - 1] == ' ' || s[len - 1] == '\t'))
            len--;
        if (i >= MAX_LABELS || memchr(s, 0, len))
            return AVERROR_INVALIDDATA;
        if (!(name = av_strndup(s, len)))
            return AVERROR(ENOMEM);
        if ((ret = set(l, i, name)) < 0)
            return ret;
        s = nl ? nl + 1 : end;
    }
    while (l->nb && !*l->name[l->nb - 1])       // empty lines at the end
        av_freep(&l->name[--l->nb]);
    return l->nb ? 0 : AVERROR_INVALIDDATA;
}

int ff_yolo_labels_load(YoloLabels *l, const char *path, void *log)
{
    uint8_t *buf;
    size_t size;
    int ret;

    *l = (YoloLabels) { 0 };
    if (!strcmp(path, "coco"))
        return read_lines(l, coco, coco + sizeof(coco) - 1);
    ret = av_file_map(path, &buf, &size, 100, NULL);     // its own message is for nobody
    if (ret < 0) {
        av_log(log, AV_LOG_ERROR, "labels '%s': %s\n", path, av_err2str(ret));
        return ret;
    }
    ret = size ? read_lines(l, (const char *)buf, (const char *)buf + size) : AVERROR_INVALIDDATA;
    if (size)
        av_file_unmap(buf, size);
    if (ret < 0) {
        ff_yolo_labels_free(l);
        av_log(log, AV_LOG_ERROR, "labels '%s': %s\n", path, ret == AVERROR_INVALIDDATA ?
               "not a text in UTF-8 with the name of a class on each line" : av_err2str(ret));
    }
    return ret;
}

const char *ff_yolo_label(const YoloLabels *l, int cls, char buf[16])
{
    if (cls < l->nb && l->name[cls] && *l->name[cls])
        return l->name[cls];
    snprintf(buf, 16, "%d", cls);
    return buf;
}

/* ---- which classes --------------------------------------------------------------------------- */

/* the number of changes of a character that make b of a; both are cut at 63 */
static int edits(const char *a, const char *b)
{
    int row[65], n = FFMIN(strlen(b), 63);

    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 0; a[i] && i < 63; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 1; j <= n; j++) {
            const int up = row[j], change = diagonal + (av_tolower(a[i]) != av_tolower(b[j - 1]));
            row[j]   = FFMIN(FFMIN(up, row[j - 1]) + 1, change);
            diagonal = up;
        }
    }
    return row[n];
}

/* the three that are nearest to what was asked for */
static void list_near(AVBPrint *bp, const YoloLabels *l, const char *name)
{
    int used[3] = { -1, -1, -1 };

    for (int k = 0; k < FFMIN(3, l->nb); k++) {
        int best = INT_MAX;
        for (int i = 0; i < l->nb; i++) {
            int e;
            if (!l->name[i] || i == used[0] || i == used[1])
                continue;
            e = edits(name, l->name[i]);
            if (av_stristr(l->name[i], name) || (*l->name[i] && av_stristr(name, l->name[i])))
                e = 0;
            if (e < best) {
                best    = e;
                used[k] = i;
            }
        }
        if (used[k] >= 0)
            av_bprintf(bp, "%s%s", k ? ", " : "", l->name[used[k]]);
    }
}

static int unknown(const YoloLabels *l, const char *name, int nc, void *log)
{
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
    list_near(&bp, l, name);
    if (l->nb)
        av_log(log, AV_LOG_ERROR, "classes: the model has no class '%s'; near it are: %s\n", name, bp.str);
    else
        av_log(log, AV_LOG_ERROR, "classes: '%s' is not a number, and the model names no classes: "
               "give numbers, or labels=FILE or labels=coco\n", name);
    return AVERROR(EINVAL);
}

static int find(const YoloLabels *l, const char *name, int nc, void *log)
{
    char *end;
    long n;

    for (int i = 0; i < l->nb; i++)
        if (l->name[i] && !av_strcasecmp(l->name[i], name))
            return i;
    n = strtol(name, &end, 10);
    if (*end || end == name)
        return unknown(l, name, nc, log);
    if (n < 0 || n >= (nc ? nc : MAX_LABELS)) {
        av_log(log, AV_LOG_ERROR, "classes: %ld is not a class; the model has %d, from 0 on\n",
               n, nc ? nc : MAX_LABELS);
        return AVERROR(EINVAL);
    }
    return n;
}

static int mark(uint8_t **keep, int *nb, int cls)
{
    if (cls >= *nb) {
        uint8_t *p = av_realloc(*keep, cls + 1);
        if (!p)
            return AVERROR(ENOMEM);
        memset(p + *nb, 0, cls + 1 - *nb);
        *keep = p;
        *nb   = cls + 1;
    }
    (*keep)[cls] = 1;
    return 0;
}

static char *trimmed(char *s)
{
    char *end;

    s  += strspn(s, " \t");
    end = s + strlen(s);
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = 0;
    return s;
}

int ff_yolo_classes(uint8_t **keep, int *nb_keep, const char *text, const YoloLabels *l, int nc, void *log)
{
    const char *separators = "|+";
    char *copy, *rest, *token;
    int ret = 0;

    *keep    = NULL;
    *nb_keep = 0;
    if (!text || !*text)
        return 0;
    for (int i = 0; i < l->nb; i++)
        if (l->name[i] && strchr(l->name[i], '+'))
            separators = "|";
    if (!(copy = av_strdup(text)))
        return AVERROR(ENOMEM);
    for (char *s = copy; ret >= 0 && (token = av_strtok(s, separators, &rest)); s = NULL) {
        const int cls = find(l, trimmed(token), nc, log);
        ret = cls < 0 ? cls : mark(keep, nb_keep, cls);
    }
    if (ret >= 0 && !*keep) {
        av_log(log, AV_LOG_ERROR, "classes: '%s' names none\n", text);
        ret = AVERROR(EINVAL);
    }
    if (ret < 0)
        av_freep(keep);
    av_free(copy);
    return FFMIN(ret, 0);
}
