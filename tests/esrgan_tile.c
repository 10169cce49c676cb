/*
 * Tiling plans: cover, margins, budgets
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


#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/common.h"
#include "libavutil/lfg.h"
#include "esrgan_tile.h"
#include "tap.h"

static uint8_t covered[512 * 512];

static size_t scratch(const void *opaque, int w, int h)
{
    return (size_t)w * h * *(const int *)opaque;
}

/** @return NULL or what is wrong */
static const char *check(const ESRGANPlan *p, const ESRGANPlanParams *in)
{
    memset(covered, 0, sizeof(covered));
    for (int i = 0; i < p->cols * p->rows; i++) {
        ESRGANTile t;
        ff_esrgan_plan_tile(p, i, &t);
        if (t.w < 1 || t.h < 1 || t.x < 0 || t.y < 0 || t.x + t.w > in->w || t.y + t.h > in->h)
            return "a core lies outside";
        if ((t.x | t.y | t.w | t.h | t.left | t.top | t.right | t.bottom) & (in->align - 1))
            return "a tile is not aligned";
        if (t.left   != FFMIN(p->halo, t.x) || t.right  != FFMIN(p->halo, in->w - t.x - t.w) ||
            t.top    != FFMIN(p->halo, t.y) || t.bottom != FFMIN(p->halo, in->h - t.y - t.h))
            return "a margin is not the halo, cut at the picture's edge";
        if (i / p->cols * p->tile_h != t.y)
            return "a row of tiles starts elsewhere than rows before it say";
        for (int y = t.y; y < t.y + t.h; y++)
            for (int x = t.x; x < t.x + t.w; x++)
                if (covered[y * in->w + x]++)
                    return "a pixel is covered twice";
    }
    for (int i = 0; i < in->w * in->h; i++)
        if (!covered[i])
            return "a pixel is not covered";
    if (p->halo < FFMIN(in->halo, FFMAX(in->w, in->h)))
        return "the halo is smaller than asked";
    if (p->group < 1 || p->group > p->rows)
        return "a group has no or too many rows";
    return NULL;
}

static void test_fuzz(void)
{
    const char *wrong = NULL;
    AVLFG rnd;
    int t;

    av_lfg_init(&rnd, 7);
    for (t = 0; t < 3000 && !wrong; t++) {
        int align = 1 << av_lfg_get(&rnd) % 3, bytes = 1 + av_lfg_get(&rnd) % 5000;
        ESRGANPlanParams in = {
            .w          = (1 + av_lfg_get(&rnd) % (500 / align)) * align,
            .h          = (1 + av_lfg_get(&rnd) % (500 / align)) * align,
            .align      = align,
            .halo       = av_lfg_get(&rnd) % 60,
            .tile       = t % 3 ? 0 : 1 + av_lfg_get(&rnd) % 300,
            .nb_threads = 1 + av_lfg_get(&rnd) % 20,
            .scratch    = t % 2 ? scratch : NULL,
            .opaque     = &bytes,
            .scratch_budget = av_lfg_get(&rnd) % (1 << 28),
            .row_bytes  = 1 + av_lfg_get(&rnd) % 100000,
            .result_budget = t % 5 ? av_lfg_get(&rnd) % (1 << 24) : 0,
        };
        ESRGANPlan p;

        wrong = ff_esrgan_plan(&p, &in) < 0 ? "refused" : check(&p, &in);
        if (wrong)
            printf("# %dx%d align %d halo %d tile %d threads %d\n", in.w, in.h, align, in.halo, in.tile, in.nb_threads);
    }
    tap_ok(!wrong, "3000 random plans cover each pixel once, with right margins%s%s", wrong ? ": " : "", wrong ? wrong : "");
}

static void test_bands(void)
{
    ESRGANPlanParams in = { .w = 540, .h = 960, .align = 1, .halo = 34, .nb_threads = 2 };
    ESRGANPlan p;

    ff_esrgan_plan(&p, &in);
    tap_ok(p.cols == 1 && p.rows == 2 && p.tile_h == 480, "two threads: two bands of the whole width");
    in.nb_threads = 64;
    ff_esrgan_plan(&p, &in);
    tap_ok(p.cols == 1 && p.rows <= 960 / 34 + 1 && p.tile_h >= 34, "64 threads: %d bands, none thinner than its halo", p.rows);
    in = (ESRGANPlanParams){ .w = 1, .h = 1, .align = 1, .halo = 34, .nb_threads = 8 };
    ff_esrgan_plan(&p, &in);
    tap_ok(p.cols == 1 && p.rows == 1 && p.tile_w == 1 && p.tile_h == 1, "one pixel is one tile");
}

static void test_budget(void)
{
    int bytes = 8192;
    ESRGANPlanParams in = { .w = 1920, .h = 1080, .align = 1, .halo = 32, .nb_threads = 4, .scratch = scratch,
                            .opaque = &bytes, .scratch_budget = (size_t)1 << 30 };
    ESRGANPlan p;
    size_t need;

    ff_esrgan_plan(&p, &in);
    need = 4 * scratch(&bytes, FFMIN(1920, p.tile_w + 64), FFMIN(1080, p.tile_h + 64));
    tap_ok(need <= in.scratch_budget && need > in.scratch_budget / 4,
           "a hungry engine: %dx%d tiles use %zu of %zu MiB", p.tile_w, p.tile_h, need >> 20, in.scratch_budget >> 20);
    in.scratch_budget = 1;
    ff_esrgan_plan(&p, &in);
    tap_ok(p.tile_w >= 8 && p.tile_w <= 32 && p.tile_h >= 8 && p.tile_h <= 32,
           "an impossible budget: small tiles of %dx%d, not none", p.tile_w, p.tile_h);

    in = (ESRGANPlanParams){ .w = 1920, .h = 1080, .align = 1, .halo = 34, .nb_threads = 2,
                             .tile = 64, .row_bytes = 1920 * 16 * 12, .result_budget = 256 << 20 };
    ff_esrgan_plan(&p, &in);
    tap_ok(p.rows == 17 && p.group == 11 && (size_t)p.group * p.tile_h * in.row_bytes <= in.result_budget,
           "the result of 4 x 1080p is kept in parts: %d of %d rows of tiles", p.group, p.rows);
    in.tile = 0;
    ff_esrgan_plan(&p, &in);
    tap_ok(p.rows > 2 && p.group == 2 && (size_t)p.group * p.tile_h * in.row_bytes <= in.result_budget,
           "so it is without a tile size: %d bands of %d rows, %d at a time", p.rows, p.tile_h, p.group);
}

static void test_refused(void)
{
    static const ESRGANPlanParams bad[] = {
        { .w = 0,  .h = 10, .align = 1, .nb_threads = 1 },
        { .w = 10, .h = 11, .align = 2, .nb_threads = 1 },
        { .w = 10, .h = 10, .align = 0, .nb_threads = 1 },
        { .w = 10, .h = 10, .align = 1, .nb_threads = 0 },
        { .w = 10, .h = 10, .align = 1, .nb_threads = 1, .halo = -1 },
        { .w = 10, .h = 10, .align = 1, .nb_threads = 1, .tile = -1 },
    };
    ESRGANPlan p;
    int n = 0;

    for (int i = 0; i < FF_ARRAY_ELEMS(bad); i++)
        n += ff_esrgan_plan(&p, &bad[i]) < 0;
    tap_ok(n == FF_ARRAY_ELEMS(bad), "parameters that make no sense are refused");
}

int main(void)
{
    test_fuzz();
    test_bands();
    test_budget();
    test_refused();
    return tap_done();
}
