/*
 * ffreel: where to cut, and whether it pays. Arithmetic only
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

#include "libavutil/mem.h"

#include "driver.h"

int64_t plan_time(const Plan *p, int frame)
{
    return p->x.pts[frame] + av_rescale_q(-p->x.start, AV_TIME_BASE_Q, p->x.tb);
}

int64_t plan_middle(const Plan *p, int frame)
{
    const AVRational half = { p->x.tb.num, p->x.tb.den * 2 };

    if (frame <= 0)
        return av_rescale_q(plan_time(p, 0), p->x.tb, AV_TIME_BASE_Q) - 10000;
    if (frame >= p->x.nb)
        return av_rescale_q(plan_time(p, p->x.nb - 1), p->x.tb, AV_TIME_BASE_Q) + 1000000;
    /* up: trim rounds it to a tick again, and half a tick must go to the later frame */
    return av_rescale_q_rnd(plan_time(p, frame - 1) + plan_time(p, frame), half, AV_TIME_BASE_Q, AV_ROUND_UP);
}

int plan_seek(const Plan *p, int frame)
{
    int keys = 0;

    for (int i = frame; i > 0; i--)
        if (p->x.key[i] && ++keys == 2)
            return i;
    return 0;
}

static double length(const Index *x)
{
    return x->nb > 1 ? (x->pts[x->nb - 1] - x->pts[0]) * av_q2d(x->tb) * x->nb / (x->nb - 1) : 0;
}

static int nb_keys(const Index *x)
{
    int n = 0;

    for (int i = 0; i < x->nb; i++)
        n += x->key[i];
    return n;
}

/* A segment must outweigh its process' start, and the group of pictures that it
 * decodes for nothing. */
int plan_min_segment(const Index *x, const Speed *s)
{
    const double rate = x->nb / FFMAX(length(x), 1e-3);
    double min = FFMAX(10 * rate, 4.0 * x->nb / FFMAX(nb_keys(x), 1));

    if (s && s->fps1 > 0) {
        /* slow work needs no ten seconds of picture: 20 starts, or 5 s of work */
        min = FFMIN(min, FFMAX(20 * s->start, 5) * s->fps1);
        min = FFMAX(min, 20 * s->start * s->fpsn / FFMAX(s->workers, 1));
    }
    return FFMAX(ceil(min), 2);
}

/* the key frame near by, where there is one: decoding starts there, nothing is lost */
static int snap(const Index *x, int at, int reach)
{
    for (int d = 0; d <= reach; d++) {
        if (at - d > 0 && x->key[at - d])
            return at - d;
        if (at + d < x->nb && x->key[at + d])
            return at + d;
    }
    return at;
}

static void cut_alloc(Plan *p, int nb)
{
    av_free(p->cut);
    p->cut = need(av_calloc(nb + 1, sizeof(*p->cut)));
    p->nb_segs = nb;
    p->cut[nb] = p->x.nb;
}

static int cut_auto(Plan *p, const Speed *s)
{
    const int least = plan_min_segment(&p->x, s);
    const double most = 300;            // seconds: what a crash loses
    int nb = FFMAX(4 * p->workers, ceil(length(&p->x) / most)), step;

    nb = FFMIN(nb, p->x.nb / least);
    /* asked for, not measured: each process has a piece */
    if (!s)
        nb = FFMAX(nb, FFMIN(p->workers, p->x.nb / PLAN_SHORTEST));
    nb = FFMIN(nb, 1000);
    if (nb < 2) {
        cut_alloc(p, 1);
        return 0;
    }
    cut_alloc(p, nb);
    step = p->x.nb / nb;
    for (int i = 1; i < nb; i++)
        p->cut[i] = snap(&p->x, (int)((int64_t)p->x.nb * i / nb), step / 10);
    return 0;
}

static int cut_every(Plan *p, int step)
{
    cut_alloc(p, (p->x.nb + step - 1) / step);
    for (int i = 1; i < p->nb_segs; i++)
        p->cut[i] = i * step;
    return 0;
}

/* "5,17,18" */
static int cut_at(Plan *p, const char *list)
{
    int nb = 1, last = 0;

    for (const char *c = list; *c; c++)
        nb += *c == ',';
    cut_alloc(p, nb + 1);
    for (int i = 1; i <= nb; i++) {
        char *end;
        const long v = strtol(list, &end, 10);
        if (end == list || v <= last || v >= p->x.nb || (*end && *end != ','))
            return fail(FAIL_USAGE, "--cuts: cut %d must be a frame number from %d to %d, each greater than the one before",
                        i, last + 1, p->x.nb - 1);
        p->cut[i] = last = v;
        list = end + 1;
    }
    return 0;
}

/* "2.5" seconds, "100f" frames */
static int cut_spec(Plan *p, const char *spec)
{
    char *end;
    const double v = strtod(spec, &end);
    const double frames = !strcmp(end, "f") ? v : v * p->x.nb / FFMAX(length(&p->x), 1e-3);

    if (end == spec || (*end && strcmp(end, "f") && strcmp(end, "s")) || !(frames >= 1) || v > 1e9)
        return fail(FAIL_USAGE, "--segment %s: must be auto, seconds (2.5) or frames (100f), at least one frame", spec);
    return cut_every(p, FFMIN(frames, INT_MAX / 2));
}

int plan_cut(Plan *p, const char *spec, const char *cuts, const Speed *s)
{
    return cuts ? cut_at(p, cuts) : spec ? cut_spec(p, spec) : cut_auto(p, s);
}

/* segmenting costs a start and a wasted group of pictures each, and a tail in which
 * not all workers have work; joining reads and writes what is encoded */
void plan_forecast(const Plan *p, const Speed *s, double *one, double *many)
{
    const double k = FFMAX(p->nb_segs, 1), n = FFMAX(s->workers, 1);
    const double gop = (double)p->x.nb / FFMAX(nb_keys(&p->x), 1);
    const double decode = 20 * s->fps1;         // a wasted frame costs decoding alone

    *one  = s->start + p->x.nb / s->fps1;
    *many = s->start * ceil(k / n) + p->x.nb / s->fpsn + k * 1.5 * gop / (decode * n) +
            p->x.nb / k / (s->fpsn / n) / 2 + 0.2 + *one * 0.005;
}

void plan_free(Plan *p)
{
    char **const strings[] = { &p->dir, &p->reason, &p->cwd, &p->ffmpeg, &p->input, &p->output, &p->format, &p->vf,
                               &p->seg_format, &p->disposition };
    StrList *const lists[] = { &p->global, &p->in, &p->video, &p->mux, &p->out, &p->maps, &p->video_tags };

    for (int i = 0; i < FF_ARRAY_ELEMS(strings); i++)
        av_freep(strings[i]);
    for (int i = 0; i < FF_ARRAY_ELEMS(lists); i++)
        list_free(lists[i]);
    av_freep(&p->cut);
    index_free(&p->x);
    json_decref(p->fingerprint);
    json_decref(p->times);
}
