/*
 * The scene's place: camera, pitch with grass and lines, boards, crowd, goal
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

#ifndef FFREEL_TESTS_SCENE_WORLD_H
#define FFREEL_TESTS_SCENE_WORLD_H

#include "scene_draw.h"

/* metres: x along the touchline (0..105), y away from the camera (0..68), z up */
#define PITCH_X 105.0f
#define PITCH_Y  68.0f

typedef struct Camera {
    V3 pos, fwd, right, up;     ///< right is horizontal: no roll
    float f, cx, cy;            ///< focal length and centre in pixels
} Camera;

typedef struct World {
    uint32_t seed;
    int8_t *fine[8];            ///< blades: 1024 >> level, a square tile
    int8_t *coarse;             ///< patches of 256 x 256
    float stripe[1024];         ///< mowing, over 11 m
} World;

#define FINE   1024
#define FINE_X 0.016f           ///< metres a texel, along x
#define FINE_Y 0.048f           ///< along y: the camera sees it foreshortened
#define COARSE 256
#define COARSE_M 0.35f

static Camera camera_at(V3 pos, V3 look, int w, int h)
{
    Camera c = { .pos = pos, .f = 2.95f * h, .cx = 0.5f * w, .cy = 0.5f * h };

    c.fwd   = vunit(vsub(look, pos));
    c.right = vunit(v3(c.fwd.y, -c.fwd.x, 0));
    c.up    = vcross(c.right, c.fwd);
    return c;
}

/* @return pixels a metre at that point; sx, sy: where it is seen */
static inline float project(const Camera *c, V3 p, float *sx, float *sy)
{
    V3 q = vsub(p, c->pos);
    float k = c->f / fmaxf(vdot(q, c->fwd), 1);

    *sx = c->cx + k * vdot(q, c->right);
    *sy = c->cy - k * vdot(q, c->up);
    return k;
}

/* blades of many lengths and directions stamped over each other */
static void grow_grass(int8_t *t, uint32_t seed)
{
    int *a = calloc(sizeof(*a), FINE * FINE);

    if (!a)
        exit(1);
    for (uint32_t i = 0; i < 160000; i++) {
        uint32_t r = hash32(i ^ seed), s = hash32(r + 1);
        int x = (r & (FINE - 1)) << 8, y = (r >> 10 & (FINE - 1)) << 8;
        int dx = (int)(s & 511) - 256, len = 3 + (s >> 9 & 7);
        int light = (int)(s >> 16 & 127) - 60;
        for (int n = 0; n < len; n++, x += dx, y += 256)
            a[(y >> 8 & (FINE - 1)) * FINE + (x >> 8 & (FINE - 1))] += light - 4 * n;
    }
    for (int i = 0; i < FINE * FINE; i++)
        t[i] = clampf(a[i] * 0.5f + (hashf(i, seed) - 0.5f) * 50, -127, 127);
    free(a);
}

/* value noise of four octaves, tiling */
static void grow_patches(int8_t *t, uint32_t seed)
{
    for (int y = 0; y < COARSE; y++)
        for (int x = 0; x < COARSE; x++) {
            float v = 0, amp = 0.5f;
            for (int cell = 64; cell >= 4; cell /= 2, amp *= 0.7f) {
                int n = COARSE / cell, i = x / cell, j = y / cell;
                float u = (x % cell + 0.5f) / cell, w = (y % cell + 0.5f) / cell;
                float a = hashf(i + n * j, seed + cell), b = hashf((i + 1) % n + n * j, seed + cell);
                float c = hashf(i + n * ((j + 1) % n), seed + cell);
                float d = hashf((i + 1) % n + n * ((j + 1) % n), seed + cell);
                u = u * u * (3 - 2 * u);
                w = w * w * (3 - 2 * w);
                v += amp * ((a + (b - a) * u) * (1 - w) + (c + (d - c) * u) * w - 0.5f);
            }
            t[y * COARSE + x] = clampf(v * 150, -127, 127);
        }
}

static int world_init(World *w, uint32_t seed)
{
    w->seed   = seed;
    w->coarse = malloc(COARSE * COARSE);
    for (int l = 0; l < 8; l++)
        if (!(w->fine[l] = malloc((size_t)(FINE >> l) * (FINE >> l))))
            return 0;
    if (!w->coarse)
        return 0;
    grow_grass(w->fine[0], seed);
    grow_patches(w->coarse, seed + 77);
    for (int l = 1; l < 8; l++)
        for (int n = FINE >> l, y = 0; y < n; y++)
            for (int x = 0; x < n; x++) {
                const int8_t *s = w->fine[l - 1] + 4 * n * y + 2 * x;
                w->fine[l][y * n + x] = (s[0] + s[1] + s[2 * n] + s[2 * n + 1] + 2) >> 2;
            }
    for (int i = 0; i < 1024; i++) {            // two bands with soft seams
        float u = i * (11.0f / 1024), d = fminf(fminf(u, 11 - u), fabsf(u - 5.5f));
        w->stripe[i] = (u < 5.5f ? 1 : -1) * clampf(d / 0.12f, 0, 1);
    }
    return 1;
}

static inline float tap(const int8_t *t, int bits, float u, float v)
{
    int n = (1 << bits) - 1;
    float fu = floorf(u), fv = floorf(v), a = u - fu, b = v - fv;
    int x0 = (int)fu & n, x1 = (x0 + 1) & n, y0 = ((int)fv & n) << bits, y1 = (((int)fv + 1) & n) << bits;
    float p = t[y0 + x0] + (t[y0 + x1] - t[y0 + x0]) * a;
    float q = t[y1 + x0] + (t[y1 + x1] - t[y1 + x0]) * a;

    return p + (q - p) * b;
}

/* people on a slope behind the boards, seen out of focus */
static V3 crowd_at(const World *w, float x, float s, double t)
{
    float row = floorf(s / 0.85f), seat = floorf(x / 0.55f + 0.5f * row);
    uint32_t id = (uint32_t)(int)(row * 4096 + seat);
    float k = hashf(id, w->seed + 5), bob = 0.05f * sint(t * (0.8 + k) + k);
    float u = x / 0.55f + 0.5f * row - seat - 0.5f, v = s / 0.85f - row - 0.42f + bob;
    float head = clampf(1.6f - 9 * sqrtf(u * u + (v - 0.3f) * (v - 0.3f) * 2), 0, 1);
    float body = clampf(2.6f - 6 * sqrtf(u * u + (v + 0.1f) * (v + 0.1f) * 0.9f), 0, 1);
    V3 shirt = v3(0.03f + 0.3f * hashf(id, 11), 0.03f + 0.2f * hashf(id, 12), 0.04f + 0.28f * hashf(id, 13));
    V3 col = v3(0.02f, 0.021f, 0.026f);

    if (k < 0.12f)
        return v3(0.05f, 0.07f, 0.13f);         // an empty seat
    if (k > 0.55f)
        shirt = k > 0.8f ? v3(0.34f, 0.02f, 0.03f) : v3(0.4f, 0.4f, 0.42f);
    col = vadd(vmul(col, 1 - body), vmul(shirt, body * 0.8f));
    return vadd(vmul(col, 1 - head), vmul(v3(0.3f, 0.17f, 0.11f), head * 0.8f));
}

static V3 board_at(const World *w, float x, float z)
{
    static const V3 paint[5] = { { 0.02f, 0.06f, 0.3f }, { 0.5f, 0.5f, 0.5f }, { 0.45f, 0.03f, 0.03f },
                                 { 0.6f, 0.42f, 0.02f }, { 0.01f, 0.2f, 0.12f } };
    int panel = (int)floorf(x / 6 + 100), k = hash32(panel ^ w->seed) % 5;
    float u = x - 6 * (panel - 100.0f), cell = floorf((u - 0.9f) / 0.6f), e = (u - 0.9f) - 0.6f * cell;
    uint32_t glyph = hash32(panel * 16 + (int)cell);
    int on = 0, gx = e / 0.14f, gy = (z - 0.2f) / 0.12f;

    if (cell >= 0 && cell < 7 && gx < 3 && z > 0.2f && gy < 5)     // 3 x 5 block letters
        on = gx == 0 || (glyph >> (gy * 3 + gx) & 1);
    return on ? paint[k == 1 ? 0 : 1] : paint[k];
}

/* what a ray sees that flies over the far end of the grass */
static V3 backdrop(const World *w, const Camera *c, V3 d, double t)
{
    float k = (PITCH_Y + 5 - c->pos.y) / d.y, z = c->pos.z + k * d.z, m;

    if (z < 1)
        return board_at(w, c->pos.x + k * d.x, z);
    m = (1.2f + 0.55f * (c->pos.y - PITCH_Y - 8) - c->pos.z) / (d.z - 0.55f * d.y);
    return crowd_at(w, c->pos.x + m * d.x, 1.14f * (c->pos.y + m * d.y - PITCH_Y - 8) + 40, t);
}

/* With no roll a row of pixels is a straight, evenly spaced walk on the ground. */
static void draw_ground(Canvas *cv, const World *w, const Camera *c, double t)
{
    for (int y = 0; y < cv->h; y++) {
        V3 d0 = vmad(vmad(vmul(c->fwd, c->f), c->up, c->cy - y - 0.5f), c->right, 0.5f - c->cx);
        float k = d0.z < 0 ? -c->pos.z / d0.z : 1e4f, *p = cv->px + (size_t)y * cv->w * 3;
        float k2 = d0.z - c->up.z < 0 ? -c->pos.z / (d0.z - c->up.z) : k;
        float dx = k * c->right.x, dy = k * c->right.y, gx = c->pos.x + k * d0.x, gy = c->pos.y + k * d0.y;
        float step = fabsf(k - k2) * sqrtf(d0.x * d0.x + d0.y * d0.y), mix;
        float s = 0.6f * fmaxf(fmaxf(dx, fabsf(dy)) / FINE_X, step / FINE_Y);
        int lv = 0;

        for (; s >= 2 && lv < 6; lv++)
            s *= 0.5f;
        mix = clampf(s - 1, 0, 1);
        for (int x = 0; x < cv->w; x++, p += 3, gx += dx, gy += dy) {
            float u, v, a, b, g, h;
            if (gy > PITCH_Y + 5 || d0.z >= 0) {
                V3 q = backdrop(w, c, vmad(d0, c->right, x), t);
                p[0] = q.x; p[1] = q.y; p[2] = q.z;
                continue;
            }
            u = (gx + 200) * (1 / (FINE_X * (1 << lv)));
            v = (gy + 200) * (1 / (FINE_Y * (1 << lv)));
            a = tap(w->fine[lv], 10 - lv, u, v);
            b = tap(w->fine[lv + 1], 9 - lv, u * 0.5f, v * 0.5f);
            g = (a + (b - a) * mix) * (1.15f / 127);
            h = tap(w->coarse, 8, (gx + 200) * (1 / COARSE_M), (gy + 200) * (1 / COARSE_M)) * (1.0f / 127);
            a = w->stripe[(int)((gx + 220) * (1024 / 11.0f)) & 1023] * 0.085f
              + w->stripe[(int)((gy + 220) * (1024 / 11.0f)) & 1023] * 0.03f;
            b = fmaxf(1 + a + g * 0.8f + h * 0.28f, 0.15f);
            p[0] = 0.082f * b * (1 + 0.5f * h - 0.6f * a);
            p[1] = 0.190f * b;
            p[2] = 0.042f * b * (1 - 0.3f * h);
        }
    }
}

static void paint_line(Canvas *cv, const Camera *c, float x0, float y0, float x1, float y1)
{
    V3 e = vmul(vunit(v3(y0 - y1, x1 - x0, 0)), 0.06f), a = v3(x0, y0, 0), b = v3(x1, y1, 0);
    float da = vdot(vsub(a, c->pos), c->fwd) - 5, db = vdot(vsub(b, c->pos), c->fwd) - 5;
    float pt[4][2];

    if (da < 0 && db < 0)
        return;
    if (da < 0)                                 // cut where it passes the camera
        a = vmad(a, vsub(b, a), da / (da - db));
    if (db < 0)
        b = vmad(b, vsub(a, b), db / (db - da));
    project(c, vadd(a, e), &pt[0][0], &pt[0][1]);
    project(c, vadd(b, e), &pt[1][0], &pt[1][1]);
    project(c, vsub(b, e), &pt[2][0], &pt[2][1]);
    project(c, vsub(a, e), &pt[3][0], &pt[3][1]);
    paint_poly(cv, pt, 4, v3(0.74f, 0.77f, 0.70f), 0.9f);
}

static void paint_arc(Canvas *cv, const Camera *c, float x, float y, float r, double from, double to)
{
    for (int i = 0, n = 8 + r * 8; i < n; i++) {
        double a = from + (to - from) * i / n, b = from + (to - from) * (i + 1) / n;
        paint_line(cv, c, x + r * cost(a), y + r * sint(a), x + r * cost(b), y + r * sint(b));
    }
}

static void paint_lines(Canvas *cv, const Camera *c)
{
    const float X = PITCH_X, Y = PITCH_Y, m = Y / 2;

    paint_line(cv, c, 0, 0, X, 0);
    paint_line(cv, c, 0, Y, X, Y);
    paint_line(cv, c, X / 2, 0, X / 2, Y);
    paint_arc(cv, c, X / 2, m, 9.15f, 0, 1);
    for (int side = 0; side < 2; side++) {
        float g = side ? X : 0, d = side ? -1 : 1;
        static const float box[2][2] = { { 16.5f, 20.16f }, { 5.5f, 9.16f } };
        paint_line(cv, c, g, 0, g, Y);
        for (int i = 0; i < 2; i++) {
            float e = g + d * box[i][0], h = box[i][1];
            paint_line(cv, c, g, m - h, e, m - h);
            paint_line(cv, c, e, m - h, e, m + h);
            paint_line(cv, c, e, m + h, g, m + h);
        }
        paint_arc(cv, c, g + d * 11, m, 0.05f, 0, 1);
        paint_arc(cv, c, g + d * 11, m, 9.15f, side ? 0.3525 : -0.1475, side ? 0.6475 : 0.1475);
        paint_arc(cv, c, g, 0, 1, side ? 0.25 : 0, side ? 0.5 : 0.25);
    }
}

static void thin_rod(Canvas *cv, const Camera *c, V3 a, V3 b, float r, V3 col)
{
    Rod o;
    o.ra = r * project(c, a, &o.ax, &o.ay);
    o.rb = r * project(c, b, &o.bx, &o.by);
    draw_thin(cv, o, col, 1);
}

static void draw_goal(Canvas *cv, const Camera *c)
{
    const float y0 = PITCH_Y / 2 - 3.66f, y1 = y0 + 7.32f, g = PITCH_X, h = 2.44f;
    const V3 net = v3(0.5f, 0.5f, 0.5f), post = v3(0.8f, 0.8f, 0.8f);

    for (float y = y0; y <= y1; y += 0.305f) {
        thin_rod(cv, c, v3(g + 2, y, 0), v3(g + 1.6f, y, h), 0.004f, net);
        thin_rod(cv, c, v3(g + 1.6f, y, h), v3(g, y, h), 0.004f, net);
    }
    for (float z = 0; z < h; z += 0.3f) {
        thin_rod(cv, c, v3(g + 2 - z * 0.16f, y0, z), v3(g + 2 - z * 0.16f, y1, z), 0.004f, net);
        thin_rod(cv, c, v3(g, y0, z), v3(g + 2 - z * 0.16f, y0, z), 0.004f, net);
        thin_rod(cv, c, v3(g, y1, z), v3(g + 2 - z * 0.16f, y1, z), 0.004f, net);
    }
    thin_rod(cv, c, v3(g, y1, 0), v3(g, y1, h), 0.06f, post);
    thin_rod(cv, c, v3(g, y0, 0), v3(g, y0, h), 0.06f, post);
    thin_rod(cv, c, v3(g, y0, h), v3(g, y1, h), 0.06f, post);
}

#endif /* FFREEL_TESTS_SCENE_WORLD_H */
