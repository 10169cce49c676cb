/*
 * highlight: ellipses with exactly the pixels of OpenCV's
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

#include "libavutil/error.h"
#include "libavutil/macros.h"

#include "highlight_cv.h"
#include "px.h"

#define ONE  65536              ///< a pixel
#define HALF (ONE / 2)

#define MAX_POINTS 80           ///< 360 / 5 + 1 at most, and one for an odd end

typedef struct Point {
    int64_t x, y;               ///< 1/65536 pixel; whole numbers are middles of pixels
} Point;

/* ---- pixels ------------------------------------------------------------------ */

static void mark(const HighlightCvMap *m, uint8_t bits, int64_t x, int64_t y)
{
    x -= m->x;
    y -= m->y;
    if (x >= 0 && y >= 0 && x < m->w && y < m->h)
        m->data[y * m->stride + x] |= bits;
}

PX_HOT static void or_bytes(uint8_t *p, ptrdiff_t n, uint8_t bits)
{
    for (ptrdiff_t i = 0; i < n; i++)
        p[i] |= bits;
}

/* pixels x0..x1 */
static void mark_run(const HighlightCvMap *m, uint8_t bits, int64_t y, int64_t x0, int64_t x1)
{
    y -= m->y;
    x0 = FFMAX(x0 - m->x, 0);
    x1 = FFMIN(x1 - m->x, m->w - 1);
    if (y >= 0 && y < m->h && x0 <= x1)
        or_bytes(m->data + y * m->stride + x0, x1 - x0 + 1, bits);
}

/* ---- lines ------------------------------------------------------------------- */

static int beyond(int64_t v, int64_t max)
{
    return v < 0 ? -1 : v > max;
}

/* p moved along the line to q until its y is at the border; in doubles, as in
 * OpenCV, and as the product may have more than 64 bits */
static void cut_y(Point *p, const Point *q, int64_t y)
{
    p->x += (int64_t)((double)(y - p->y) * (q->x - p->x) / (q->y - p->y));
    p->y  = y;
}

static void cut_x(Point *p, const Point *q, int64_t x)
{
    p->y += (int64_t)((double)(x - p->x) * (q->y - p->y) / (q->x - p->x));
    p->x  = x;
}

/* @return whether anything is left. Ends go to the border in the order of
 * OpenCV's, y of both first: the second cut sees what the first has rounded */
static int cut(const HighlightCvMap *m, Point *p, Point *q)
{
    const int64_t right = (int64_t)m->pic_w * ONE - 1, bottom = (int64_t)m->pic_h * ONE - 1;
    const int py = beyond(p->y, bottom), qy = beyond(q->y, bottom);
    const int px = beyond(p->x, right), qx = beyond(q->x, right);

    if ((py && py == qy) || (px && px == qx))
        return 0;
    if (py)
        cut_y(p, q, py < 0 ? 0 : bottom);
    if (qy)
        cut_y(q, p, qy < 0 ? 0 : bottom);
    if (beyond(p->x, right) && beyond(p->x, right) == beyond(q->x, right))
        return 0;
    if (beyond(p->x, right))
        cut_x(p, q, p->x < 0 ? 0 : right);
    if (beyond(q->x, right))
        cut_x(q, p, q->x < 0 ? 0 : right);
    return 1;
}

/* one pixel thick */
static void mark_line(const HighlightCvMap *m, uint8_t bits, Point p, Point q)
{
    int64_t dx, dy, slope;

    if (!cut(m, &p, &q))
        return;
    dx = q.x - p.x;
    dy = q.y - p.y;
    if (llabs(dx) > llabs(dy) ? dx < 0 : dy < 0) {
        FFSWAP(Point, p, q);
        dx = -dx;
        dy = -dy;
    }
    mark(m, bits, (q.x + HALF) >> 16, (q.y + HALF) >> 16);
    if (dx > llabs(dy)) {
        slope = dy * ONE / (dx | 1);
        for (int64_t i = 0; i <= dx >> 16; i++)
            mark(m, bits, ((p.x + HALF) >> 16) + i, (p.y + HALF + i * slope) >> 16);
    } else {
        slope = dx * ONE / (dy | 1);
        for (int64_t i = 0; i <= dy >> 16; i++)
            mark(m, bits, (p.x + HALF + i * slope) >> 16, ((p.y + HALF) >> 16) + i);
    }
}

/* ---- areas ------------------------------------------------------------------- */

/* One of the two sides on which a convex polygon goes down from its top. */
typedef struct Side {
    int     at, step;           ///< corner last reached; 1 or n - 1
    int     end;                ///< row of the corner ahead
    int64_t x, dx;              ///< at the current row, and per row
} Side;

/* Turns a side to its next edge that reaches below row y.
 * @param left  edges that neither side has used; below 0: there was none */
static void next_edge(Side *s, const Point *v, int n, int y, int *left)
{
    int from = s->at;

    while ((*left)-- > 0) {
        const int to  = (from + s->step) % n;
        const int row = (v[to].y + HALF) >> 16;
        if (row > y) {
            s->at  = to;
            s->end = row;
            s->x   = v[from].x;
            s->dx  = ((v[to].x - v[from].x) * 2 + (row - y)) / (2 * (row - y));
            return;
        }
        from = to;
    }
}

static void fill_convex(const HighlightCvMap *m, uint8_t bits, const Point *v, int n)
{
    Side side[2] = { { .step = 1 }, { .step = n - 1 } };
    int top = 0, bottom = 0, left = n, y, last;

    for (int i = 1; i < n; i++) {
        if (v[i].y < v[top].y)
            top = i;
        if (v[i].y > v[bottom].y)
            bottom = i;
    }
    side[0].at  = side[1].at  = top;
    side[0].end = side[1].end = y = (v[top].y + HALF) >> 16;
    last = FFMIN((v[bottom].y + HALF) >> 16, m->y + m->h - 1);

    while (y <= last) {
        int rows = 1;
        for (int i = 0; i < 2; i++)
            if (y >= side[i].end)
                next_edge(&side[i], v, n, y, &left);
        if (left < 0)
            break;
        if (y < m->y)           /* nothing to see up there */
            rows = FFMIN3(m->y, side[0].end, side[1].end) - y;
        else
            mark_run(m, bits, y, (FFMIN(side[0].x, side[1].x) + HALF) >> 16,
                                 (FFMAX(side[0].x, side[1].x) + HALF) >> 16);
        side[0].x += side[0].dx * rows;
        side[1].x += side[1].dx * rows;
        y += rows;
    }
}

static void mark_convex(const HighlightCvMap *m, uint8_t bits, const Point *v, int n)
{
    for (int i = 0; i < n; i++)
        mark_line(m, bits, v[i ? i - 1 : n - 1], v[i]);
    if (n > 2)
        fill_convex(m, bits, v, n);
}

/* a circle by halves of its eighths */
static void mark_disc(const HighlightCvMap *m, uint8_t bits, int64_t cx, int64_t cy, int radius)
{
    int x = radius, y = 0, err = 0;

    while (y <= x) {
        mark_run(m, bits, cy - y, cx - x, cx + x);
        mark_run(m, bits, cy + y, cx - x, cx + x);
        mark_run(m, bits, cy - x, cx - y, cx + y);
        mark_run(m, bits, cy + x, cx - y, cx + y);
        err += 2 * y++ + 1;
        if (err > 0)
            err -= 2 * x-- - 1;
    }
}

/* ---- strokes ----------------------------------------------------------------- */

static int misses(const HighlightCvMap *m, const Point *p, const Point *q, int reach)
{
    return FFMAX(p->x, q->x) < (int64_t)(m->x - reach) * ONE || FFMIN(p->x, q->x) > (int64_t)(m->x + m->w + reach) * ONE ||
           FFMAX(p->y, q->y) < (int64_t)(m->y - reach) * ONE || FFMIN(p->y, q->y) > (int64_t)(m->y + m->h + reach) * ONE;
}

/* the part of a thick stroke between two corners: a box, without its round ends */
static void mark_bar(const HighlightCvMap *m, uint8_t bits, Point p, Point q, int thickness)
{
    const int64_t dx = p.x - q.x, dy = q.y - p.y;
    const double half = (double)((thickness + (thickness & 1)) * HALF);
    double scale;
    int64_t x, y;

    if (!dx && !dy)
        return;
    scale = half / sqrt((double)(dx * dx + dy * dy) / ((double)ONE * ONE));
    x = llrint((double)dy / ONE * scale);
    y = llrint((double)dx / ONE * scale);
    mark_convex(m, bits, (const Point[]){ { p.x + x, p.y + y }, { p.x - x, p.y - y },
                                          { q.x - x, q.y - y }, { q.x + x, q.y + y } }, 4);
}

static void mark_stroke(const HighlightCvMap *m, uint8_t bits, const Point *v, int n, int thickness)
{
    for (int i = 0; i < n; i++) {
        const Point *p = &v[i ? i - 1 : 0], *q = &v[i];
        if (misses(m, p, q, thickness / 2 + 2))
            continue;
        if (thickness > 1) {
            mark_bar(m, bits, *p, *q, thickness);
            mark_disc(m, bits, (q->x + HALF) >> 16, (q->y + HALF) >> 16, (thickness + 1) / 2);
        } else if (i) {
            mark_line(m, bits, *p, *q);
        }
    }
}

/* ---- the polygon ------------------------------------------------------------- */

/* Sines of 0..90 degrees times 2^30: of 7 decimals in single precision, as OpenCV
 * has them. Not libm's: a last digit moves a corner, and with it a pixel. */
static const int32_t sines[91] = {
             0,   18739372,   37473052,   56195352,   74900472,   93582720,  112236624,
     130856168,  149435984,  167970272,  186453328,  204879600,  223243488,  241539408,
     259761664,  277904800,  295963392,  313931712,  331804480,  349576192,  367241280,
     384794592,  402230784,  419544320,  436730112,  453782944,  470697376,  487468576,
     504091296,  520560352,  536870912,  553017920,  568996544,  584801664,  600428800,
     615872960,  631129664,  646193920,  661061504,  675727616,  690187904,  704438016,
     718473536,  732290176,  745883776,  759250176,  772385216,  785285056,  797945664,
     810363264,  822533888,  834454144,  846120128,  857528320,  868675392,  879557760,
     890172352,  900515712,  910584704,  920376384,  929887680,  939115776,  948057792,
     956710976,  965072704,  973140608,  980912000,  988384640,  995556160, 1002424320,
    1008987264, 1015242880, 1021189120, 1026824448, 1032146880, 1037154944, 1041847104,
    1046221952, 1050278016, 1054014208, 1057429312, 1060522240, 1063292288, 1065738368,
    1067859776, 1069655936, 1071126272, 1072270272, 1073087680, 1073578304, 1073741824,
};

/* @param degrees  0..450 */
static int64_t sine(int degrees)
{
    const int d = degrees % 180;
    const int32_t s = sines[d > 90 ? 180 - d : d];

    return degrees % 360 >= 180 ? -s : s;
}

/* where centre + radius * sine / 2^30 falls in 1/65536 pixel. The product is exact;
 * it is rounded to a double, and the sum again, as in OpenCV */
static int64_t place(int centre, int radius, int64_t sine)
{
    return llrint((double)((int64_t)centre * ONE) + (double)(radius * (int64_t)ONE * sine) / (1 << 30));
}

/* @return the number of corners; of equal ones in a row, one is left */
static int corners(Point *v, const HighlightCvEllipse *e, int a0, int a1)
{
    const int size = FFMAX(e->rx, e->ry);
    const int step = size < 3 ? 90 : size < 10 ? 30 : size < 15 ? 18 : 5;
    int n = 0;

    for (int i = a0; i < a1 + step; i += step) {
        const int a = (FFMIN(i, a1) + 360) % 360;
        const Point p = { place(e->cx, e->rx, sine(a + 90)), place(e->cy, e->ry, sine(a)) };
        if (!n || p.x != v[n - 1].x || p.y != v[n - 1].y)
            v[n++] = p;
    }
    if (n > 1)
        return n;
    /* a line from the centre to itself */
    v[0] = v[1] = (Point){ (int64_t)e->cx * ONE, (int64_t)e->cy * ONE };
    return 2;
}

/* into a1 <= 360 and a0 > -360: with other steps the corners would fall elsewhere */
static void normalise(int64_t *a0, int64_t *a1)
{
    const int64_t up = *a0 < 0 ? (359 - *a0) / 360 * 360 : 0;
    const int64_t down = *a1 + up > 360 ? (*a1 + up - 1) / 360 * 360 : 0;

    *a0 += up - down;
    *a1 += up - down;
    if (*a1 - *a0 > 360) {
        *a0 = 0;
        *a1 = 360;
    }
}

int ff_highlight_cv_ellipse(const HighlightCvMap *m, const HighlightCvEllipse *e, uint8_t bits)
{
    const int fill = e->thickness < 0, reach = ff_highlight_cv_reach(e->thickness);
    int64_t a0 = fill ? 0   : FFMIN(e->a0, e->a1);
    int64_t a1 = fill ? 360 : FFMAX(e->a0, e->a1);
    Point v[MAX_POINTS];
    int n;

    if (e->rx < 0 || e->ry < 0 || e->rx > HL_CV_MAX_RADIUS || e->ry > HL_CV_MAX_RADIUS ||
        e->thickness < -1 || e->thickness > HL_CV_MAX_THICKNESS)
        return AVERROR(EINVAL);
    /* this also keeps all that follows far from overflow */
    if ((int64_t)e->cx + e->rx + reach < m->x || (int64_t)e->cx - e->rx - reach >= m->x + m->w ||
        (int64_t)e->cy + e->ry + reach < m->y || (int64_t)e->cy - e->ry - reach >= m->y + m->h)
        return 0;

    normalise(&a0, &a1);
    n = corners(v, e, a0, a1);
    if (fill)
        mark_convex(m, bits, v, n);
    else
        mark_stroke(m, bits, v, n, e->thickness);
    return 0;
}
