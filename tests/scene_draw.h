/*
 * The scene's pixels: a canvas in linear light, anti-aliased shapes, vectors
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

#ifndef FFREEL_TESTS_SCENE_DRAW_H
#define FFREEL_TESTS_SCENE_DRAW_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Of libm only sqrt and floor are used (exact by IEEE 754), so one seed gives
 * one picture on every machine that neither keeps extended precision nor
 * contracts a * b + c (gcc: -ffp-contract=off where the target has FMA). */

typedef struct V3 { float x, y, z; } V3;

static inline V3 v3(float x, float y, float z) { return (V3){ x, y, z }; }
static inline V3 vadd(V3 a, V3 b) { return v3(a.x + b.x, a.y + b.y, a.z + b.z); }
static inline V3 vsub(V3 a, V3 b) { return v3(a.x - b.x, a.y - b.y, a.z - b.z); }
static inline V3 vmul(V3 a, float k) { return v3(a.x * k, a.y * k, a.z * k); }
static inline V3 vmad(V3 a, V3 b, float k) { return vadd(a, vmul(b, k)); }
static inline float vdot(V3 a, V3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline V3 vcross(V3 a, V3 b)
{
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline V3 vunit(V3 a) { return vmul(a, 1.0f / sqrtf(vdot(a, a) + 1e-12f)); }
static inline float clampf(float x, float lo, float hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static inline uint32_t hash32(uint32_t x)
{
    x ^= x >> 16; x *= 0x7feb352dU;
    x ^= x >> 15; x *= 0x846ca68bU;
    return x ^ x >> 16;
}
static inline float hashf(uint32_t a, uint32_t b)
{
    return (hash32(a * 0x9e3779b9U ^ hash32(b)) >> 8) * (1.0f / (1 << 24));
}

/* sine of x turns, to 0.1 %: two parabolas, no libm */
static inline float sint(double x)
{
    float f = x - floor(x + 0.5), y = 8 * f - 16 * f * fabsf(f);
    return 0.225f * (y * fabsf(y) - y) + y;
}
static inline float cost(double x) { return sint(x + 0.25); }

typedef struct Canvas {
    int w, h;
    float *px;          ///< w * h * 3, linear light, 1 = diffuse white
    float *acc;         ///< (w + 2) * h, all zero between calls
    float *shadow;      ///< w * h, 0 = lit
} Canvas;

static int canvas_alloc(Canvas *c, int w, int h)
{
    c->w = w;
    c->h = h;
    c->px     = malloc(sizeof(float) * w * h * 3);
    c->acc    = calloc(sizeof(float), (size_t)(w + 2) * h);
    c->shadow = calloc(sizeof(float), (size_t)w * h);
    return c->px && c->acc && c->shadow;
}

static inline void blend(float *p, V3 col, float a)
{
    p[0] += (col.x - p[0]) * a;
    p[1] += (col.y - p[1]) * a;
    p[2] += (col.z - p[2]) * a;
}

/* one polygon edge into the signed-area accumulator: after a running sum along
 * the row each cell holds the exact area that the polygon covers of its pixel */
static void poly_edge(Canvas *c, const float *p, const float *q)
{
    float dir = 1, x, dxdy;

    if (p[1] > q[1]) {
        const float *s = p; p = q; q = s;
        dir = -1;
    }
    if (q[1] <= 0 || p[1] >= c->h || p[1] == q[1])
        return;
    dxdy = (q[0] - p[0]) / (q[1] - p[1]);
    x    = p[0] + (p[1] < 0 ? -p[1] * dxdy : 0);
    for (int y = p[1] < 0 ? 0 : (int)p[1]; y < c->h && y < q[1]; y++) {
        float *row = c->acc + (size_t)y * (c->w + 2);
        float dy = (y + 1 < q[1] ? y + 1 : q[1]) - (y > p[1] ? y : p[1]);
        float xn = x + dxdy * dy, d = dy * dir;
        float a  = clampf(x < xn ? x : xn, 0, c->w), b = clampf(x < xn ? xn : x, 0, c->w);
        int ai = a, bi = b;

        if (bi <= ai + (b == bi)) {         // within one pixel
            float m = 0.5f * (a + b) - ai;
            row[ai]     += d * (1 - m);
            row[ai + 1] += d * m;
        } else {
            float s = 1 / (b - a), rest = 0, first = 0.5f * s * (ai + 1 - a) * (ai + 1 - a);
            float before = first;
            row[ai] += d * first;
            for (int i = ai + 1; i < bi; i++) {
                float upto = s * (i + 0.5f - a);
                row[i] += d * (upto - before);
                before  = upto;
            }
            rest     = 1 - 0.5f * s * (b - bi) * (b - bi);
            row[bi] += d * (rest - before);
            row[bi + 1] += d * (1 - rest);
        }
        x = xn;
    }
}

/* paint on grass: the blades below still show in the brightness of the paint */
static void paint_poly(Canvas *c, const float (*pt)[2], int n, V3 col, float alpha)
{
    float x0 = c->w, x1 = 0, y0 = c->h, y1 = 0;

    for (int i = 0; i < n; i++) {
        poly_edge(c, pt[i], pt[(i + 1) % n]);
        x0 = fminf(x0, pt[i][0]); x1 = fmaxf(x1, pt[i][0]);
        y0 = fminf(y0, pt[i][1]); y1 = fmaxf(y1, pt[i][1]);
    }
    for (int y = fmaxf(y0, 0); y < c->h && y < y1; y++) {
        float *row = c->acc + (size_t)y * (c->w + 2), sum = 0;
        int xa = clampf(x0 - 1, 0, c->w), xb = clampf(x1 + 3, 0, c->w + 2);

        for (int x = xa; x < xb; x++) {
            sum += row[x];
            row[x] = 0;
            if (x < c->w && fabsf(sum) > 1e-4f) {
                float *p = c->px + ((size_t)y * c->w + x) * 3;
                blend(p, vmul(col, 0.55f + 2.2f * p[1]), alpha * fminf(fabsf(sum), 1));
            }
        }
    }
}

/* a rod with round ends of different radius, in pixels */
typedef struct Rod { float ax, ay, ra, bx, by, rb; } Rod;

/* @return distance from the rod's skin (negative inside); *h: 0 at a, 1 at b */
static inline float rod_dist(const Rod *r, float x, float y, float *h, float *nx, float *ny)
{
    float bx = r->bx - r->ax, by = r->by - r->ay, px = x - r->ax, py = y - r->ay;
    float t  = clampf((px * bx + py * by) / (bx * bx + by * by + 1e-6f), 0, 1);
    float rr = r->ra + (r->rb - r->ra) * t, d;

    px -= bx * t;
    py -= by * t;
    d   = sqrtf(px * px + py * py);
    *h  = t;
    *nx = px / (rr + 0.3f);
    *ny = py / (rr + 0.3f);
    return d - rr;
}

static inline void rod_box(const Rod *r, const Canvas *c, float grow, int *x0, int *x1, int *y0, int *y1)
{
    float m = fmaxf(r->ra, r->rb) + 1 + grow;

    *x0 = clampf(fminf(r->ax, r->bx) - m, 0, c->w);
    *x1 = clampf(fmaxf(r->ax, r->bx) + m + 1, 0, c->w);
    *y0 = clampf(fminf(r->ay, r->by) - m, 0, c->h);
    *y1 = clampf(fmaxf(r->ay, r->by) + m + 1, 0, c->h);
}

/* flat rod, alpha follows the width below one pixel (nets, digits, posts) */
static void draw_thin(Canvas *c, Rod r, V3 col, float alpha)
{
    int x0, x1, y0, y1;
    float h, nx, ny, w = fmaxf(r.ra, r.rb);

    if (w < 0.5f) {
        alpha *= 2 * w;
        r.ra = r.rb = 0.5f;
    }
    rod_box(&r, c, 0, &x0, &x1, &y0, &y1);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            float a = clampf(0.5f - rod_dist(&r, x + 0.5f, y + 0.5f, &h, &nx, &ny), 0, 1);
            if (a > 0)
                blend(c->px + ((size_t)y * c->w + x) * 3, col, a * alpha);
        }
}

/* shadows of several rods do not add up: the darkest counts */
static void draw_shadow(Canvas *c, Rod r, float soft, float depth)
{
    int x0, x1, y0, y1;
    float h, nx, ny;

    rod_box(&r, c, soft, &x0, &x1, &y0, &y1);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            float *s = c->shadow + (size_t)y * c->w + x;
            float a  = clampf(0.5f - rod_dist(&r, x + 0.5f, y + 0.5f, &h, &nx, &ny) / soft, 0, 1);
            *s = fmaxf(*s, a * a * (3 - 2 * a) * depth);
        }
}

#endif /* FFREEL_TESTS_SCENE_DRAW_H */
