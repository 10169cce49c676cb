/*
 * The scene's people: where they run, how their limbs move, how they are drawn
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

#ifndef FFREEL_TESTS_SCENE_PEOPLE_H
#define FFREEL_TESTS_SCENE_PEOPLE_H

#include "scene_world.h"

#define NB_PEOPLE 23            ///< 0 is followed by the keys, 22 the referee
#define NB_PARTS  20

typedef struct Kit { V3 shirt, shorts, socks, number; } Kit;

typedef struct Person {
    int kit, number;
    float bx, by;               ///< where this one keeps to
    float stride;               ///< phase of the run, turns
    float speed;
    V3 pos, dir;
    V3 skin, hair;
} Person;

/* a limb in the world; torso: three rods side by side, one surface */
typedef struct Part {
    V3 a, b;
    float ra, rb, depth;
    V3 col;
    int torso;
} Part;

static const V3 sun = { -0.48f, -0.46f, 0.747f };

static const Kit kits[3] = {
    { { 0.50f, 0.015f, 0.025f }, { 0.62f, 0.62f, 0.64f }, { 0.45f, 0.02f, 0.03f }, { 0.80f, 0.80f, 0.80f } },
    { { 0.66f, 0.68f, 0.72f }, { 0.012f, 0.02f, 0.09f }, { 0.6f, 0.62f, 0.66f }, { 0.01f, 0.02f, 0.12f } },
    { { 0.62f, 0.50f, 0.02f }, { 0.012f, 0.012f, 0.014f }, { 0.012f, 0.012f, 0.014f }, { 0.62f, 0.50f, 0.02f } },
};

/* the ball carrier's way: a long wave up and down the right half */
static V3 lead_pos(double t)
{
    return v3(79 + 13 * sint(t / 15 - 0.12), 18 + 5 * sint(t / 11 - 0.19), 0);
}

static V3 person_pos(const Person *p, int i, uint32_t seed, double t)
{
    V3 l = lead_pos(t);
    float k = hashf(i, seed + 1), m = hashf(i, seed + 2);

    if (!i)
        return l;
    if (i == 12)                                // the marker at the carrier's heels
        return v3(l.x + 1.9f + 0.7f * sint(t / 5), l.y + 1.3f + 0.8f * sint(t / 3.7 + 0.2), 0);
    return v3(p->bx + 0.45f * (l.x - 79) + (1 + 3 * k) * sint(t / (4 + 5 * m) + k),
              p->by + 0.3f * (l.y - 18) + (1 + 2 * m) * sint(t / (5 + 4 * k) + m), 0);
}

static void people_init(Person *p, uint32_t seed)
{
    for (int i = 0; i < NB_PEOPLE; i++) {
        int slot = i % 11, col = slot / 4, row = slot % 4;
        float dark = hashf(i, seed + 9);

        p[i].kit    = i == 22 ? 2 : i >= 11;
        p[i].number = !i ? 10 : i % 11 < 8 ? 2 + i % 11 : i % 11 == 8 ? 11 : i % 11 == 9 ? 19 : 14;
        p[i].bx     = 64 + 11 * col + (i >= 11 ? 5 : 0) + 4 * hashf(i, seed + 3);
        p[i].by     = 9 + 14 * row + (i >= 11 ? 8 : 0) + 5 * hashf(i, seed + 4);
        p[i].stride = hashf(i, seed + 6);
        p[i].skin   = v3(0.42f - 0.34f * dark, 0.25f - 0.21f * dark, 0.17f - 0.145f * dark);
        p[i].hair   = dark > 0.6f ? v3(0.008f, 0.007f, 0.006f) : dark > 0.25f ? v3(0.05f, 0.025f, 0.012f)
                                                               : v3(0.28f, 0.17f, 0.06f);
    }
}

static void people_move(Person *p, uint32_t seed, double t, double dt)
{
    for (int i = 0; i < NB_PEOPLE; i++) {
        V3 q = person_pos(p + i, i, seed, t), d = vsub(person_pos(p + i, i, seed, t + 0.05), q);

        p[i].pos     = q;
        p[i].speed   = 20 * sqrtf(vdot(d, d));
        p[i].dir     = vunit(p[i].speed < 0.6f && i ? vsub(lead_pos(t), q) : d);
        p[i].stride += dt * (0.35 + 0.19 * p[i].speed);     // turns: two steps
    }
}

static Part limb(V3 a, V3 b, float ra, float rb, V3 col)
{
    return (Part){ .a = a, .b = b, .ra = ra, .rb = rb, .col = col };
}

static int leg(Part *o, const Person *p, V3 hip, double phase)
{
    const Kit *k = &kits[p->kit];
    float run = clampf(p->speed / 6, 0.12f, 1), thigh, knee;
    V3 kn, an, mid, up = v3(0, 0, 1);

    thigh = 0.125f * run * sint(phase) + 0.02f * run;               // turns
    knee  = 0.02f + run * (0.13f + 0.12f * sint(phase - 0.22f));
    kn    = vmad(vmad(hip, p->dir, 0.44f * sint(thigh)), up, -0.44f * cost(thigh));
    an    = vmad(vmad(kn, p->dir, 0.44f * sint(thigh - knee)), up, -0.44f * cost(thigh - knee));
    mid   = vmad(hip, vsub(kn, hip), 0.62f);
    o[0]  = limb(vmad(hip, vsub(kn, hip), 0.5f), kn, 0.078f, 0.062f, p->skin);
    o[1]  = limb(hip, mid, 0.12f, 0.105f, k->shorts);
    o[2]  = limb(kn, an, 0.064f, 0.045f, k->socks);
    o[3]  = limb(vmad(an, p->dir, -0.03f), vmad(vmad(an, p->dir, 0.17f), up, -0.04f), 0.052f, 0.04f,
                 v3(0.02f, 0.02f, 0.024f));
    return 4;
}

static int arm(Part *o, const Person *p, V3 sh, V3 out, double phase)
{
    float run = clampf(p->speed / 6, 0.15f, 1), a = 0.14f * run * sint(phase), b = a + 0.05f + 0.19f * run;
    V3 up = v3(0, 0, 1), el, ha;

    el   = vmad(vmad(vmad(sh, p->dir, 0.29f * sint(a)), up, -0.29f * cost(a)), out, 0.07f);
    ha   = vmad(vmad(vmad(el, p->dir, 0.26f * sint(b)), up, -0.26f * cost(b)), out, -0.03f);
    o[0] = limb(el, ha, 0.042f, 0.036f, p->skin);
    o[1] = limb(sh, vmad(sh, vsub(el, sh), 0.8f), 0.072f, 0.064f, kits[p->kit].shirt);
    return 2;
}

static int build_person(Part *o, const Person *p)
{
    V3 up = v3(0, 0, 1), side = v3(p->dir.y, -p->dir.x, 0), lean = vmul(p->dir, 0.028f * p->speed);
    float bob = 0.03f * clampf(p->speed / 5, 0, 1) * cost(2 * p->stride);
    V3 hip = vmad(p->pos, up, 0.90f + bob), chest = vadd(vmad(hip, up, 0.47f), lean);
    V3 head = vadd(vmad(chest, up, 0.28f), vmul(lean, 0.6f));
    int n = 0;

    for (int s = -1; s <= 1; s += 2) {
        n += leg(o + n, p, vmad(hip, side, 0.09f * s), p->stride + (s > 0 ? 0.5 : 0));
        n += arm(o + n, p, vmad(vmad(chest, side, 0.20f * s), up, 0.02f), vmul(side, s),
                 p->stride + (s > 0 ? 0 : 0.5));
    }
    o[n]   = limb(vmad(hip, up, 0.02f), vmad(chest, up, -0.03f), 0.115f, 0.135f, kits[p->kit].shirt);
    o[n++].torso = 1;
    o[n++] = limb(vmad(chest, up, 0.08f), vmad(head, up, -0.05f), 0.055f, 0.05f, p->skin);
    o[n++] = limb(head, vmad(head, up, -0.05f), 0.098f, 0.085f, p->skin);
    o[n++] = limb(vmad(vmad(head, up, 0.035f), p->dir, -0.03f), vmad(vmad(head, up, -0.01f), p->dir, -0.045f),
                  0.098f, 0.088f, p->hair);
    return n;
}

/* rods -> one shaded surface, lit by the sun and the sky, with folds of cloth */
static void draw_surface(Canvas *cv, const Camera *c, const World *w, const Rod *r, int n, V3 col, float fold)
{
    float lx = vdot(sun, c->right), ly = -vdot(sun, c->up), lz = -vdot(sun, c->fwd);
    int x0 = cv->w, x1 = 0, y0 = cv->h, y1 = 0, b[4];
    Rod mid = r[n / 2];
    float wide = fabsf(r[0].bx - mid.bx) + mid.rb + 0.3f;

    for (int i = 0; i < n; i++) {
        rod_box(r + i, cv, 0, b, b + 1, b + 2, b + 3);
        x0 = b[0] < x0 ? b[0] : x0; x1 = b[1] > x1 ? b[1] : x1;
        y0 = b[2] < y0 ? b[2] : y0; y1 = b[3] > y1 ? b[3] : y1;
    }
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            float d = 1e9f, h = 0, nx = 0, ny = 0, nz, a, l;
            for (int i = 0; i < n; i++) {
                float hi, u, v, di = rod_dist(r + i, x + 0.5f, y + 0.5f, &hi, &u, &v);
                if (di < d) {
                    d = di; h = hi; nx = u; ny = v;
                }
            }
            a = clampf(0.5f - d, 0, 1);
            if (a <= 0)
                continue;
            if (n > 1) {
                nx = (x + 0.5f - mid.ax - (mid.bx - mid.ax) * h) / wide;
                ny *= 0.5f;
            }
            nz = sqrtf(fmaxf(1 - nx * nx - ny * ny, 0));
            l  = 0.42f - 0.16f * ny + 0.78f * fmaxf(nx * lx + ny * ly + nz * lz, 0);
            l *= 1 + fold * tap(w->coarse, 8, h * 17 + mid.ra * 5 + fold * 300, 5 * nx + 40 + h * 3) / 127;
            blend(cv->px + ((size_t)y * cv->w + x) * 3, vmul(col, l), a);
        }
}

/* strokes of the digits on a grid 0..2 x 0..4, pairs of points */
static const char *const digits[10] = {
    "0103 0314 1423 2321 2110 1001", "1014 1403", "0314 1423 2322 2200 0020", "0414 1423 2312 1221 2110 1001",
    "1014 1401 0121", "2404 0402 0212 1221 2110 1000", "2414 1401 0110 1021 2112 1201", "0424 2410",
    "1223 2314 1403 0312 1221 2110 1001 0112", "1000 1023 2314 1403 0312 1223",
};

static void draw_number(Canvas *cv, const Camera *c, const Part *t, V3 side, V3 out, int number, float size, V3 col)
{
    V3 up = vunit(vsub(t->b, t->a)), at = vmad(vadd(t->a, vmul(vsub(t->b, t->a), 0.72f)), out, 0.14f);
    int two = number > 9;

    for (int i = two; i >= 0; i--) {
        int d = i ? number / 10 : number % 10;
        float shift = two ? (i ? -1.6f : 1.6f) : 0;
        for (const char *s = digits[d]; *s; s += s[4] ? 5 : 4) {
            float u[4];
            for (int k = 0; k < 4; k++)
                u[k] = (s[k] - '0' - (k & 1 ? 2 : 1)) * size;
            thin_rod(cv, c, vmad(vmad(at, side, u[0] + shift * size), up, u[1]),
                     vmad(vmad(at, side, u[2] + shift * size), up, u[3]), size * 0.36f, col);
        }
    }
}

static void draw_person(Canvas *cv, const Camera *c, const World *w, const Person *p, const Part *parts, int n)
{
    V3 right = v3(p->dir.y, -p->dir.x, 0), eye = vunit(vsub(c->pos, p->pos));
    float facing = vdot(p->dir, eye);
    const Kit *k = &kits[p->kit];

    for (int i = 0; i < n; i++) {
        const Part *o = parts + i;
        Rod r[3];
        int m = o->torso ? 3 : 1;
        for (int j = 0; j < m; j++) {
            V3 s = vmul(right, o->torso ? 0.085f * (j - 1) : 0), s2 = vmul(s, 1.25f);
            r[j].ra = o->ra * project(c, vadd(o->a, s), &r[j].ax, &r[j].ay);
            r[j].rb = o->rb * project(c, vadd(o->b, s2), &r[j].bx, &r[j].by);
        }
        draw_surface(cv, c, w, r, m, o->col, o->torso ? 0.35f : 0.12f);
        if (o->torso && facing < -0.12f)            // seen from behind
            draw_number(cv, c, o, right, vmul(p->dir, -1), p->number, 0.062f, k->number);
        else if (o->torso && facing > 0.12f)
            draw_number(cv, c, o, vmul(right, -1), p->dir, p->number, 0.036f, k->number);
    }
}

static void shadow_person(Canvas *cv, const Camera *c, const Part *parts, int n)
{
    for (int i = 0; i < n; i++) {
        const Part *o = parts + i;
        V3 a = vmad(o->a, sun, -o->a.z / sun.z), b = vmad(o->b, sun, -o->b.z / sun.z);
        Rod r;
        float k = project(c, a, &r.ax, &r.ay);
        project(c, b, &r.bx, &r.by);
        r.ra = o->ra * k * (o->torso ? 1.2f : 0.75f);
        r.rb = o->rb * k * (o->torso ? 1.2f : 0.75f);
        draw_shadow(cv, r, 1.2f + 0.02f * k * (o->a.z + o->b.z), 0.68f);
    }
}

static void draw_ball(Canvas *cv, const Camera *c, V3 at, float roll)
{
    float sx, sy, r = 0.11f * project(c, at, &sx, &sy), q = cost(roll), s = sint(roll);
    int x0 = clampf(sx - r - 1, 0, cv->w), x1 = clampf(sx + r + 2, 0, cv->w);
    int y0 = clampf(sy - r - 1, 0, cv->h), y1 = clampf(sy + r + 2, 0, cv->h);

    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            float u = (x + 0.5f - sx) / r, v = (y + 0.5f - sy) / r, d = sqrtf(u * u + v * v);
            float z = sqrtf(fmaxf(1 - d * d, 0)), a = clampf(0.5f - (d - 1) * r, 0, 1), dark = 0;
            float e[3] = { fabsf(u * q + z * s), fabsf(v), fabsf(z * q - u * s) };
            for (int i = 0; i < 3; i++)             // six pairs of dark patches
                dark = fmaxf(dark, 0.851f * e[i] + 0.526f * e[(i + 1) % 3]);
            dark = clampf((dark - 0.93f) * 25, 0, 1);
            if (a > 0)
                blend(cv->px + ((size_t)y * cv->w + x) * 3,
                      vmul(v3(0.8f, 0.8f, 0.8f), (0.75f - 0.35f * v) * (1 - 0.93f * dark)), a);
        }
}

static int far_first(const void *a, const void *b)
{
    float d = ((const Part *)b)->depth - ((const Part *)a)->depth;
    return d > 0 ? 1 : d < 0 ? -1 : 0;
}

static void draw_people(Canvas *cv, const Camera *c, const World *w, const Person *p, double t)
{
    static Part parts[NB_PEOPLE][NB_PARTS];
    int n[NB_PEOPLE], order[NB_PEOPLE];
    V3 ball = vmad(p[0].pos, p[0].dir, 0.75f + 0.3f * sint(t * 1.3));

    ball.z = 0.11f + 0.05f * fabsf(sint(t * 1.3));
    memset(cv->shadow, 0, sizeof(float) * cv->w * cv->h);
    for (int i = 0; i < NB_PEOPLE; i++) {
        n[i] = build_person(parts[i], p + i);
        for (int j = 0; j < n[i]; j++)
            parts[i][j].depth = vdot(vsub(vmul(vadd(parts[i][j].a, parts[i][j].b), 0.5f), c->pos), c->fwd);
        qsort(parts[i], n[i], sizeof(parts[i][0]), far_first);
        shadow_person(cv, c, parts[i], n[i]);
    }
    {
        Part o = limb(ball, ball, 0.1f, 0.1f, ball);
        shadow_person(cv, c, &o, 1);
    }
    for (size_t i = 0; i < (size_t)cv->w * cv->h; i++)
        if (cv->shadow[i] > 0) {
            cv->px[3 * i]     *= 1 - cv->shadow[i];
            cv->px[3 * i + 1] *= 1 - cv->shadow[i] * 0.96f;
            cv->px[3 * i + 2] *= 1 - cv->shadow[i] * 0.85f;
        }
    for (int i = 0; i < NB_PEOPLE; i++) {           // insertion sort: far to near
        int j = i;
        for (; j > 0 && p[order[j - 1]].pos.y < p[i].pos.y; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    draw_goal(cv, c);
    for (int i = 0; i < NB_PEOPLE; i++) {
        const Person *q = p + order[i];
        int before = q == p && ball.y > q->pos.y;
        if (before)
            draw_ball(cv, c, ball, t * 1.1);
        draw_person(cv, c, w, q, parts[order[i]], n[order[i]]);
        if (q == p && !before)
            draw_ball(cv, c, ball, t * 1.1);
    }
}

#endif /* FFREEL_TESTS_SCENE_PEOPLE_H */
