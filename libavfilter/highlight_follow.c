/*
 * highlight: an ellipse that follows the boxes of a detector
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
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/detection_bbox.h"
#include "libavutil/macros.h"
#include "libavutil/mathematics.h"

#include "highlight_follow.h"

/*
 * Smoothing is the one-euro filter (G. Casiez, N. Roussel, D. Vogel: 1 Euro
 * Filter, CHI 2012), of the centre and of the half sizes, each by itself:
 *   speed += a(1 Hz) * ((x - x') / dt - speed)         x': the box before
 *   fc     = cutoff + slope / size * |speed|
 *   value += a(fc / smooth) * (x - value)
 *   a(f)   = dt / (dt + 1 / (2 pi f))
 * so that a still target is steady and a fast one is not left behind: at a
 * constant speed v the lag is v / (2 pi fc), less than smooth * size / (2 pi slope)
 * for any v. size: the mean of the half sizes, so that all of it scales with the
 * picture.
 */
static const struct { double cutoff, slope; } tune[4] = {
    { 0.6, 0.8 }, { 0.6, 0.8 },         // centre; Hz, half sizes
    { 0.3, 0.4 }, { 0.3, 0.4 },         // half sizes: arms and legs are noise
};
#define SPEED_CUTOFF 1.0                ///< Hz

/* The target of nearest and largest is looked for where its boxes would overlap,
 * in a reach that grows while there is none, about where it was heading. */
#define REACH  4.0                      ///< box sizes a second
#define AHEAD  0.2                      ///< seconds that a speed is trusted for

#define MAX_GAP 1e6                     ///< seconds; keeps products finite

void ff_highlight_follow_reset(HighlightFollower *f)
{
    f->found = 0;
    f->last_seen = f->last_t = f->visible = 0;
}

/* a number >= 0 and nothing else in the len characters at s before a 0, or -1 */
static int64_t parse_id(const char *s, size_t len)
{
    int64_t id = 0;
    size_t i;

    for (i = 0; i < len && s[i]; i++) {
        const int digit = s[i] - '0';
        if (digit < 0 || digit > 9 || id > (INT64_MAX - digit) / 10)
            return -1;
        id = id * 10 + digit;
    }
    return i ? id : -1;
}

int64_t ff_highlight_follow_parse(const char *text)
{
    int64_t id;

    if (!strcmp(text, "nearest"))
        return FOLLOW_NEAREST;
    if (!strcmp(text, "largest"))
        return FOLLOW_LARGEST;
    id = parse_id(text, strlen(text));
    return id < 0 ? INT64_MIN : id;
}

static int64_t track_id(const AVDetectionBBox *b)
{
    const char *label;

    if (b->classify_count < 1 || b->classify_count > AV_NUM_DETECTION_BBOX_CLASSIFY)
        return -1;
    label = b->classify_labels[b->classify_count - 1];
    return memcmp(label, "id:", 3) ? -1 : parse_id(label + 3, AV_DETECTION_BBOX_LABEL_NAME_MAX_SIZE - 3);
}

/* boxes of the frame, or NULL if there are none or the header is not to be trusted */
static const AVDetectionBBoxHeader *boxes(const AVFrame *frame)
{
    const AVFrameSideData *sd = av_frame_get_side_data(frame, AV_FRAME_DATA_DETECTION_BBOXES);
    const AVDetectionBBoxHeader *h;

    if (!sd || sd->size < sizeof(*h))
        return NULL;
    h = (const AVDetectionBBoxHeader *)sd->data;
    if (h->bboxes_offset > sd->size || h->bboxes_offset % _Alignof(AVDetectionBBox) ||
        h->bbox_size < sizeof(AVDetectionBBox) || h->bbox_size % _Alignof(AVDetectionBBox) ||
        h->nb_bboxes > (sd->size - h->bboxes_offset) / h->bbox_size)
        return NULL;
    return h;
}

/* centre and half sizes; 0 if there is nothing of it in the picture */
static int measure(const AVDetectionBBox *b, const AVFrame *frame, double box[4])
{
    if (b->w <= 0 || b->h <= 0 || b->x >= frame->width || b->y >= frame->height ||
        (int64_t)b->x + b->w <= 0 || (int64_t)b->y + b->h <= 0)
        return 0;
    box[2] = b->w / 2.;
    box[3] = b->h / 2.;
    box[0] = b->x + box[2];
    box[1] = b->y + box[3];
    return 1;
}

static double square(double x, double y)
{
    return x * x + y * y;
}

/* squared distance from where the target should be by now; INFINITY out of reach */
static double off_course(const HighlightFollower *f, const double box[4], double gap)
{
    const double ahead = FFMIN(gap, AHEAD), reach = 1 + REACH * gap;
    const double dx = box[0] - f->box[0] - f->speed[0] * ahead;
    const double dy = box[1] - f->box[1] - f->speed[1] * ahead;

    if (fabs(dx) > reach * (box[2] + f->box[2]) || fabs(dy) > reach * (box[3] + f->box[3]))
        return INFINITY;
    return square(dx, dy);
}

/* the less the better, INFINITY: not this one. gap < 0: there is no target yet */
static double cost(const HighlightFollower *f, const AVDetectionBBox *b, const double box[4],
                   const AVFrame *frame, double gap)
{
    if (f->target >= 0)
        return track_id(b) == f->target ? 0 : INFINITY;
    if (gap >= 0)
        return off_course(f, box, gap);
    if (f->target == FOLLOW_LARGEST)
        return -box[2] * box[3];
    if (f->found)
        return square(box[0] - f->box[0], box[1] - f->box[1]);
    return square(box[0] - (isfinite(f->x0) ? f->x0 : frame->width  / 2.),
                  box[1] - (isfinite(f->y0) ? f->y0 : frame->height / 2.));
}

static int choose(const HighlightFollower *f, const AVFrame *frame, double gap, double best_box[4])
{
    const AVDetectionBBoxHeader *h = boxes(frame);
    double best = INFINITY;

    for (unsigned i = 0; h && i < h->nb_bboxes; i++) {
        const AVDetectionBBox *b = av_get_detection_bbox(h, i);
        double box[4], c;
        if (measure(b, frame, box) && (c = cost(f, b, box, frame, gap)) < best) {
            best = c;
            memcpy(best_box, box, sizeof(box));
        }
    }
    return best < INFINITY;
}

static void smooth(HighlightFollower *f, const double box[4], double dt)
{
    const double size = (box[2] + box[3]) / 2;

    for (int i = 0; i < 4; i++) {
        double fc, tau, a;

        f->speed[i] += (box[i] - f->box[i] - f->speed[i] * dt) / (dt + 1 / (2 * M_PI * SPEED_CUTOFF));
        fc  = tune[i].cutoff + tune[i].slope / size * fabs(f->speed[i]);
        tau = f->smooth / (2 * M_PI * fc);
        a   = tau > 0 ? dt / (dt + tau) : 1;
        f->value[i] = f->value[i] * (1 - a) + box[i] * a;
    }
}

/* gap < 0: a new target */
static void see(HighlightFollower *f, const double box[4], double t, double gap)
{
    if (gap >= 0) {
        smooth(f, box, gap);
    } else {
        memcpy(f->value, box, sizeof(f->value));
        memset(f->speed, 0, sizeof(f->speed));
    }
    memcpy(f->box, box, sizeof(f->box));
    f->found     = 1;
    f->last_seen = t;
}

/* how visible it is after dt seconds more */
static double fade(const HighlightFollower *f, int hit, double dt, double gap)
{
    const double hold = FFMAX(f->hold, 0);
    double v;

    if (gap < 0)
        return hit && !(f->fade_in > 0);
    if (hit || gap <= hold)
        v = f->fade_in > 0 ? f->visible + dt / f->fade_in : 1;
    else
        v = f->fade_out > 0 ? f->visible - FFMIN(dt, gap - hold) / f->fade_out : 0;
    return FFMIN(FFMAX(v, 0), 1);
}

double ff_highlight_follow(HighlightFollower *f, const AVFrame *frame, double t, double out[4])
{
    double box[4], gap;
    int hit;

    if (!isfinite(t))
        t = f->last_t;
    if (t < f->last_t)
        ff_highlight_follow_reset(f);
    gap = FFMIN(t - f->last_seen, MAX_GAP);
    if (!f->found || (f->last_seen < f->last_t && gap > FFMAX(f->hold, 0) + FFMAX(f->fade_out, 0)))
        gap = -1;
    hit = choose(f, frame, gap, box);
    f->visible = fade(f, hit, t - f->last_t, gap);
    f->last_t  = t;
    if (hit)
        see(f, box, t, gap);
    if (!(f->visible > 0))
        return 0;
    for (int i = 0; i < 4; i++)
        out[i] = i < 2 ? f->value[i] : f->value[i] * FFMAX(f->grow, 0);
    return f->visible;
}
