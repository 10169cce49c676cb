/*
 * ffreel: what the user sees while it runs
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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libavutil/avstring.h"

#include "driver.h"

#define NB_LINES 64     // of running processes; more are counted in the whole only

/** One process as last seen; index -1 is the only one, of a step that is not a segment. */
typedef struct Line {
    int         used, index;
    int64_t     frame, frames, started;
    const char *limit;
} Line;

static int kind, colour, drawn;         ///< drawn: lines of the block on the screen
static const char *task = "";
static int64_t total, done, began, done_at_start, last_drawn;
static Line lines[NB_LINES];
static double fps_smooth;
static int64_t fps_at, fps_frames;

void progress_init(int k)
{
    const char *term = getenv("TERM");

    kind = k;
    if (kind == PROGRESS_AUTO)
        kind = isatty(2) && term && strcmp(term, "dumb") ? PROGRESS_BLOCK : PROGRESS_PLAIN;
    colour = kind == PROGRESS_BLOCK && (!getenv("NO_COLOR") || !*getenv("NO_COLOR"));
}

void progress_begin(const char *what, int64_t frames, int64_t there)
{
    progress_clear();
    task  = what;
    total = frames;
    done  = done_at_start = there;
    began = last_drawn = now_us();
    fps_smooth = 0;
    fps_at = 0;
    memset(lines, 0, sizeof(lines));
    progress_event("begin", -1, what);
}

void progress_child(int index, const Child *c, int64_t frames, const char *limit)
{
    Line *l = NULL, *free_line = NULL;

    for (int i = 0; i < NB_LINES; i++) {
        if (lines[i].used && lines[i].index == index)
            l = &lines[i];
        else if (!lines[i].used && !free_line)
            free_line = &lines[i];
    }
    if (!l)
        l = free_line;
    if (!l)
        return;
    if (!c) {
        l->used = 0;
        return;
    }
    *l = (Line){ 1, index, c->frame, frames, c->first ? c->first : c->started, limit };
}

void progress_done(int64_t frames)
{
    done += frames;
}

static int64_t frames_now(void)
{
    int64_t n = done;

    for (int i = 0; i < NB_LINES; i++)
        if (lines[i].used)
            n += lines[i].frame;
    return FFMIN(n, total);
}

/* over about the last half minute */
static double fps_now(void)
{
    const int64_t now = now_us(), n = frames_now();

    if (!fps_at) {
        fps_at     = began;
        fps_frames = done_at_start;
    }
    if (now - fps_at > 1000000) {
        const double v = (n - fps_frames) * 1e6 / (now - fps_at);
        const double w = fps_smooth ? FFMIN(1, (now - fps_at) / 30e6) : 1;
        fps_smooth += w * (v - fps_smooth);
        fps_at      = now;
        fps_frames  = n;
    }
    return fps_smooth;
}

static const char *eta(char *buf, size_t size, double fps)
{
    const double s = fps > 0 ? (total - frames_now()) / fps : -1;

    if (s < 0)
        snprintf(buf, size, "-");
    else if (s < 3600)
        snprintf(buf, size, "%d:%02d", (int)s / 60, (int)s % 60);
    else
        snprintf(buf, size, "%d:%02d:%02d", (int)s / 3600, (int)s / 60 % 60, (int)s % 60);
    return buf;
}

static const char *limit_now(void)
{
    for (int i = 0; i < NB_LINES; i++)
        if (lines[i].used && lines[i].limit)
            return lines[i].limit;
    return "-";
}

void progress_clear(void)
{
    if (drawn)
        fprintf(stderr, "\r\033[%dA\033[J", drawn);
    drawn = 0;
}

static void bar(char *s, int width, double part)
{
    const int full = av_clip(part * width, 0, width);

    for (int i = 0; i < width; i++)
        s[i] = i < full ? '#' : '.';
    s[width] = 0;
}

static void draw_block(void)
{
    struct winsize w = { 0 };
    const double fps = fps_now();
    const int64_t n = frames_now();
    char e[32], b[32], text[256];
    int rows, cols, shown = 0, running = 0;

    ioctl(2, TIOCGWINSZ, &w);
    rows = w.ws_row ? w.ws_row : 24;
    cols = FFMIN(w.ws_col ? w.ws_col : 80, sizeof(text) - 1);
    progress_clear();
    for (int i = 0; i < NB_LINES; i++)
        running += lines[i].used;
    for (int i = 0; i < NB_LINES; i++) {
        const Line *l = &lines[i];
        const double t = (now_us() - l->started) / 1e6;
        if (!l->used || l->index < 0 || shown >= rows - 3)
            continue;
        bar(b, 16, l->frames ? (double)l->frame / l->frames : 0);
        snprintf(text, sizeof(text), "  %05d [%s] %6"PRId64"/%"PRId64"  %6.1f fps  %s", l->index, b, l->frame, l->frames,
                 t > 0 ? l->frame / t : 0, l->limit ? l->limit : "");
        fprintf(stderr, "%.*s\n", cols - 1, text);
        shown++;
    }
    bar(b, 16, total ? (double)n / total : 0);
    snprintf(text, sizeof(text), "%-7s [%s] %3d%%  %"PRId64"/%"PRId64"  %.1f fps  %s left  limit: %s", task, b,
             total ? (int)(n * 100 / total) : 0, n, total, fps, eta(e, sizeof(e), fps), limit_now());
    fprintf(stderr, "%s%.*s%s\n", colour ? "\033[1m" : "", cols - 1, text, colour ? "\033[0m" : "");
    drawn = shown + 1;
    fflush(stderr);
}

void progress_event(const char *event, int index, const char *text)
{
    json_t *j;
    char *s;

    if (kind != PROGRESS_JSON)
        return;
    j = json_pack("{s:s, s:i, s:s}", "event", event, "segment", index, "text", text);
    if (!j)
        return;
    s = json_dumps(j, JSON_COMPACT);
    printf("%s\n", s);
    fflush(stdout);
    free(s);
    json_decref(j);
}

static void draw_json(void)
{
    const double fps = fps_now();
    const int64_t n = frames_now();
    json_t *j = need(json_pack("{s:s, s:s, s:I, s:I, s:f, s:f, s:s, s:[]}", "event", "progress", "step", task,
                               "frames", (json_int_t)n, "of", (json_int_t)total, "fps", fps,
                               "seconds_left", fps > 0 ? (total - n) / fps : -1.0, "limit", limit_now(), "running"));
    json_t *a = json_object_get(j, "running");
    char *s;

    for (int i = 0; i < NB_LINES; i++)
        if (lines[i].used && lines[i].index >= 0)
            json_array_append_new(a, json_pack("{s:i, s:I, s:I, s:s}", "segment", lines[i].index, "frame",
                                               (json_int_t)lines[i].frame, "of", (json_int_t)lines[i].frames, "limit",
                                               lines[i].limit ? lines[i].limit : ""));
    s = need(json_dumps(j, JSON_COMPACT));
    printf("%s\n", s);
    fflush(stdout);
    free(s);
    json_decref(j);
}

void progress_draw(int force)
{
    const int64_t now = now_us();
    const int64_t every = kind == PROGRESS_BLOCK ? 200000 : kind == PROGRESS_JSON ? 1000000 : 10000000;
    char e[32];

    if (kind == PROGRESS_NONE || (!force && now - last_drawn < every))
        return;
    last_drawn = now;
    if (kind == PROGRESS_BLOCK) {
        draw_block();
    } else if (kind == PROGRESS_JSON) {
        draw_json();
    } else if (!force) {
        const double fps = fps_now();
        fprintf(stderr, "%s: %"PRId64" of %"PRId64" frames, %.1f fps, %s left, limit: %s\n", task, frames_now(), total, fps,
                eta(e, sizeof(e), fps), limit_now());
    }
}
