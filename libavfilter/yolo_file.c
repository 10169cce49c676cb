/*
 * YOLO detection: boxes in a file
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
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/avutil.h"
#include "libavutil/bprint.h"
#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/file_open.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/thread.h"

#include "yolo_file.h"
#include "yolo_out.h"

/* what this process has written, by path */
typedef struct Written {
    struct Written *next;
    char   *path;
    enum YoloFormat format;
    int     busy;
    int64_t frames;             ///< numbers to go on from
    int64_t lines;              ///< written
    int64_t end;                ///< json: where its end begins
} Written;

static AVMutex lock = AV_MUTEX_INITIALIZER;
static Written *written;

struct YoloFile {
    FILE    *f;
    Written *w;
    int64_t  first;             ///< number of this filter's first frame
};

int ff_yolo_file_format(enum YoloFormat *format, const char *path, void *log)
{
    static const struct { const char *end; enum YoloFormat format; } ends[] = {
        { ".jsonl", YOLO_FILE_JSONL }, { ".ndjson", YOLO_FILE_JSONL }, { ".json", YOLO_FILE_JSON },
        { ".txt",   YOLO_FILE_MOT },
    };
    const char *dot = strrchr(path, '.');

    if (*format == YOLO_FILE_AUTO && !strcmp(path, "-"))
        *format = YOLO_FILE_JSONL;
    for (int i = 0; i < FF_ARRAY_ELEMS(ends) && dot && *format == YOLO_FILE_AUTO; i++)
        if (!av_strcasecmp(dot, ends[i].end))
            *format = ends[i].format;
    if (*format != YOLO_FILE_AUTO)
        return 0;
    av_log(log, AV_LOG_ERROR, "out: the end of '%s' says no format (.jsonl, .json, .txt): "
           "give format=jsonl, json or mot\n", path);
    return AVERROR(EINVAL);
}

/* ---- which files there are ------------------------------------------------------------ */

static Written *find(const char *path)
{
    Written *w = written;

    while (w && strcmp(w->path, path))
        w = w->next;
    return w;
}

static Written *add(const char *path)
{
    Written *w = av_mallocz(sizeof(*w));

    if (!w || !(w->path = av_strdup(path))) {
        av_free(w);
        return NULL;
    }
    w->next = written;
    return written = w;
}

static int take(Written **out, const char *path, enum YoloFormat format, void *log)
{
    Written *w;
    int ret = 0;

    ff_mutex_lock(&lock);
    if (!(w = find(path)) && !(w = add(path))) {
        ret = AVERROR(ENOMEM);
    } else if (w->busy) {
        av_log(log, AV_LOG_ERROR, "out: '%s' is being written by another yolodetect: "
               "give each a file of its own\n", path);
        ret = AVERROR(EBUSY);
    } else {
        if (w->format != format || !w->frames)      // begins anew
            *w = (Written) { .next = w->next, .path = w->path, .format = format };
        w->busy = 1;
        *out    = w;
    }
    ff_mutex_unlock(&lock);
    return ret;
}

static void release(Written *w)
{
    ff_mutex_lock(&lock);
    w->busy = 0;
    ff_mutex_unlock(&lock);
}

/* ---- writing ------------------------------------------------------------------------------ */

static int failed(const YoloFile *f, void *log)
{
    const int ret = errno ? AVERROR(errno) : AVERROR(EIO);

    av_log(log, AV_LOG_ERROR, "out: cannot write '%s': %s\n", f->w->path, av_err2str(ret));
    return ret;
}

/* takes the text */
static int put(YoloFile *f, AVBPrint *bp, void *log)
{
    int ret = 0;

    if (!av_bprint_is_complete(bp))
        ret = AVERROR(ENOMEM);
    errno = 0;
    if (ret >= 0 && (fwrite(bp->str, 1, bp->len, f->f) != bp->len || fflush(f->f)))
        ret = failed(f, log);
    av_bprint_finalize(bp, NULL);
    return ret;
}

static void text(AVBPrint *bp, const char *s)
{
    av_bprint_chars(bp, '"', 1);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            av_bprintf(bp, "\\%c", *s);
        else if ((uint8_t)*s < 32)
            av_bprintf(bp, "\\u%04x", (uint8_t)*s);
        else
            av_bprint_chars(bp, *s, 1);
    }
    av_bprint_chars(bp, '"', 1);
}

static void number(AVBPrint *bp, const char *before, double v, int decimals)
{
    char buf[32];

    av_bprintf(bp, "%s%s", before, ff_yolo_number(buf, v, decimals));
}

static void box_jsonl(AVBPrint *bp, const YoloBox *b, const char *label)
{
    number(bp, "{\"x\":",    b->x1, 2);
    number(bp, ",\"y\":",    b->y1, 2);
    number(bp, ",\"w\":",    b->x2 - b->x1, 2);
    number(bp, ",\"h\":",    b->y2 - b->y1, 2);
    number(bp, ",\"conf\":", b->conf, 4);
    av_bprintf(bp, ",\"label\":");
    text(bp, label);
    av_bprintf(bp, ",\"class\":%d,\"id\":%d,\"guess\":%s}", b->cls, b->id, b->state == YOLO_GUESS ? "true" : "false");
}

static void box_json(AVBPrint *bp, const YoloBox *b, const char *label)
{
    number(bp, "{\"bbox\":{\"x\":", (b->x1 + b->x2) / 2, 2);
    number(bp, ",\"y\":",           (b->y1 + b->y2) / 2, 2);
    number(bp, ",\"width\":",       b->x2 - b->x1, 2);
    number(bp, ",\"height\":",      b->y2 - b->y1, 2);
    number(bp, "},\"confidence\":", b->conf, 4);
    av_bprintf(bp, ",\"class_name\":");
    text(bp, label);
    av_bprintf(bp, ",\"class_id\":%d", b->cls);
    if (b->id > 0)
        av_bprintf(bp, ",\"track_id\":%d", b->id);
    av_bprintf(bp, "}");
}

static void box_mot(AVBPrint *bp, const YoloBox *b, int64_t n)
{
    av_bprintf(bp, "%"PRId64",%d", n + 1, b->id > 0 ? b->id : -1);
    number(bp, ",", b->x1, 2);
    number(bp, ",", b->y1, 2);
    number(bp, ",", b->x2 - b->x1, 2);
    number(bp, ",", b->y2 - b->y1, 2);
    number(bp, ",", b->conf, 4);
    av_bprintf(bp, ",%d,-1,-1\n", b->cls);
}

static void frame_jsonl(AVBPrint *bp, const YoloStamp *at, int64_t n)
{
    av_bprintf(bp, "{\"frame\":%"PRId64",\"pts\":", n);
    if (at->pts == AV_NOPTS_VALUE)
        av_bprintf(bp, "null");
    else
        av_bprintf(bp, "%"PRId64, at->pts);
    number(bp, ",\"t\":", at->t, 6);
    av_bprintf(bp, ",\"w\":%d,\"h\":%d,\"boxes\":[", at->w, at->h);
}

static void frame_json(AVBPrint *bp, const YoloFile *f, const YoloStamp *at, int64_t n)
{
    number(bp, f->w->lines ? ",\n{\"timestamp\":" : "\n{\"timestamp\":", at->t, 6);
    av_bprintf(bp, ",\"frame_number\":%"PRId64",\"boxes\":[", n);
}

int ff_yolo_file_frame(YoloFile *f, const YoloStamp *at, const YoloBoxes *list, const YoloLabels *labels, void *log)
{
    const int64_t n = f->first + at->n;
    const enum YoloFormat format = f->w->format;
    AVBPrint bp;
    char buf[16];

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (format == YOLO_FILE_JSONL)
        frame_jsonl(&bp, at, n);
    else if (format == YOLO_FILE_JSON)
        frame_json(&bp, f, at, n);
    for (int i = 0; i < list->nb; i++) {
        const YoloBox *b = &list->box[i];
        const char *label = ff_yolo_label(labels, b->cls, buf);
        if (format != YOLO_FILE_MOT && i)
            av_bprintf(&bp, ",");
        if (format == YOLO_FILE_JSONL)
            box_jsonl(&bp, b, label);
        else if (format == YOLO_FILE_JSON)
            box_json(&bp, b, label);
        else
            box_mot(&bp, b, n);
    }
    if (format != YOLO_FILE_MOT)
        av_bprintf(&bp, format == YOLO_FILE_JSON ? "]}" : "]}\n");
    f->w->lines++;
    return put(f, &bp, log);
}

/* ---- beginning and end ------------------------------------------------------------------------ */

static int begin(YoloFile *f, int w, int h, AVRational fps, void *log)
{
    AVBPrint bp;

    if (f->w->format != YOLO_FILE_JSON)
        return 0;
    if (f->first && !f->w->end) {
        av_log(log, AV_LOG_ERROR, "out: the frames' size changes, and the JSON document on '%s' has its end already, "
               "which cannot be taken back there: give a file, or format=jsonl\n", f->w->path);
        return AVERROR(EINVAL);
    }
    if (f->first)               // over the end that was written
        return fseek(f->f, f->w->end, SEEK_SET) ? failed(f, log) : 0;
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&bp, "{\"video_width\":%d,\"video_height\":%d", w, h);
    if (fps.num > 0 && fps.den > 0)
        number(&bp, ",\"fps\":", av_q2d(fps), 6);
    av_bprintf(&bp, ",\"detections\":[");
    return put(f, &bp, log);
}

int ff_yolo_file_open(YoloFile **out, const char *path, enum YoloFormat format, int w, int h, AVRational fps, void *log)
{
    const int is_stdout = !strcmp(path, "-");
    YoloFile *f = av_mallocz(sizeof(*f));
    const char *mode;
    int ret;

    *out = NULL;
    if (!f)
        return AVERROR(ENOMEM);
    if ((ret = take(&f->w, path, format, log)) < 0) {
        av_free(f);
        return ret;
    }
    f->first = f->w->frames;
    mode  = !f->first ? "wb" : format == YOLO_FILE_JSON ? "r+b" : "ab";
    errno = 0;
    f->f  = is_stdout ? stdout : avpriv_fopen_utf8(path, mode);
    ret   = f->f ? begin(f, w, h, fps, log) : failed(f, log);
    if (ret < 0) {
        if (f->f && !is_stdout)
            fclose(f->f);
        release(f->w);
        av_free(f);
        return ret;
    }
    *out = f;
    return 0;
}

int ff_yolo_file_close(YoloFile **file, int64_t frames, double end, void *log)
{
    YoloFile *f = *file;
    int ret = 0;

    if (!f)
        return 0;
    if (f->w->format == YOLO_FILE_JSON) {
        AVBPrint bp;
        f->w->end = FFMAX(ftell(f->f), 0);
        av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
        number(&bp, "\n],\"duration\":", end, 6);
        av_bprintf(&bp, "}\n");
        ret = put(f, &bp, log);
    }
    errno = 0;
    if (f->f == stdout ? fflush(f->f) : fclose(f->f))
        ret = ret < 0 ? ret : failed(f, log);
    f->w->frames = f->first + frames;
    release(f->w);
    av_freep(file);
    return ret;
}
