/*
 * yolodetect: non-maximum suppression, tiles and their merging
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

#include "libavfilter/yolo_nms.h"
#include "libavfilter/yolo_tiles.h"
#include "tap.h"

static uint32_t seed = 1;

static float uniform(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (seed >> 8) / 16777216.f;
}

static YoloBox box(float x, float y, float w, float h, float conf, int cls)
{
    return (YoloBox) { .x1 = x, .y1 = y, .x2 = x + w, .y2 = y + h, .conf = conf, .cls = cls };
}

static void add(YoloBoxes *l, YoloBox b)
{
    if (ff_yolo_add(l, &b) < 0)
        abort();
}

/* the rule in plain words: strike out whatever overlaps the most certain one that is left */
static int plain(const YoloBoxes *in, YoloBox *out, float iou, int agnostic, int max)
{
    char *gone = calloc(in->nb, 1);
    int n = 0;

    while (n < max) {
        int best = -1;
        for (int i = 0; i < in->nb; i++)
            if (!gone[i] && (best < 0 || in->box[i].conf > in->box[best].conf))
                best = i;
        if (best < 0)
            break;
        out[n++] = in->box[best];
        gone[best] = 1;
        for (int i = 0; i < in->nb; i++)
            if ((agnostic || in->box[i].cls == in->box[best].cls) && ff_yolo_iou(&in->box[i], &in->box[best]) > iou)
                gone[i] = 1;
    }
    free(gone);
    return n;
}

static void test_iou(void)
{
    const YoloBox a = box(0, 0, 10, 10, 1, 0), b = box(5, 0, 10, 10, 1, 0), far = box(20, 0, 5, 5, 1, 0), none = box(3, 3, 0, 0, 1, 0);

    tap_ok(fabsf(ff_yolo_iou(&a, &b) - 1 / 3.f) < 1e-6 && ff_yolo_iou(&a, &a) == 1, "iou: a half over is a third, itself is 1");
    tap_ok(!ff_yolo_iou(&a, &far) && !ff_yolo_iou(&a, &none) && !ff_yolo_iou(&none, &none), "iou: apart or empty is 0");
}

static void test_random(void)
{
    int bad = 0, all = 0;

    for (int k = 0; k < 300; k++) {
        const int n = 1 + uniform() * 200, max = k % 5 ? 300 : 7;
        YoloBoxes l = { 0 };
        YoloBox *want = malloc(n * sizeof(*want));
        int nb;
        for (int i = 0; i < n; i++)     // confidences repeat themselves
            add(&l, box(uniform() * 100, uniform() * 100, 5 + uniform() * 60, 5 + uniform() * 60, (int)(uniform() * 50) / 50.f,
                        uniform() * 3));
        nb = plain(&l, want, 0.1f * (k % 11), k & 1, max);
        ff_yolo_nms(&l, 0.1f * (k % 11), k & 1, max);
        bad += nb != l.nb || memcmp(want, l.box, nb * sizeof(*want));
        all += nb;
        free(want);
        ff_yolo_free(&l);
    }
    tap_ok(!bad && all > 1000, "300 random lists: as the rule says, order of equals too (%d boxes, %d lists differ)", all, bad);
}

static void test_border(void)
{
    YoloBoxes l = { 0 };

    add(&l, box(0, 0, 10, 10, 0.9, 0));
    add(&l, box(0, 0, 10, 5, 0.8, 0));      // 0.5 exactly
    ff_yolo_nms(&l, 0.5, 0, 300);
    tap_ok(l.nb == 2, "an overlap of iou exactly is none");
    ff_yolo_nms(&l, 0.49, 0, 300);
    tap_ok(l.nb == 1, "a little more is one");
    l.nb = 0;
    ff_yolo_nms(&l, 0.5, 0, 300);
    tap_ok(!l.nb, "an empty list stays empty");
    ff_yolo_free(&l);
}

/* ---- tiles ------------------------------------------------------------------------------ */

static void test_cover(void)
{
    int bad = 0;

    for (int k = 0; k < 2000; k++) {
        const YoloTile r = { uniform() * 50, uniform() * 50, 1 + uniform() * 2000, 1 + uniform() * 2000 };
        const int nx = 1 + uniform() * 8, ny = 1 + uniform() * 8;
        const double overlap = uniform() * 0.9;
        YoloTile t[YOLO_MAX_TILES];
        const int nb = ff_yolo_tiles(t, &r, nx, ny, overlap);
        int end = r.x;
        bad += nb != (nx * ny > 1 ? nx * ny + 1 : 1) || memcmp(&t[nb - 1], &r, sizeof(r));
        for (int i = 0; i < nb; i++)
            bad += t[i].x < r.x || t[i].y < r.y || t[i].x + t[i].w > r.x + r.w || t[i].y + t[i].h > r.y + r.h || t[i].w < 1 || t[i].h < 1;
        for (int i = 0; i < nx; i++) {
            bad += t[i].x > end;
            if (i)              // as much as was asked for, but for rounding
                bad += t[i - 1].x + t[i - 1].w - t[i].x < overlap * t[i].w - 1.5;
            end = t[i].x + t[i].w;
        }
        bad += end != r.x + r.w;
    }
    tap_ok(!bad, "2000 ways to cut: tiles lie inside, leave no gap, overlap as asked (%d do not)", bad);
}

static void test_merge(void)
{
    const YoloTile all = { 0, 0, 1000, 500 };
    YoloTile t[YOLO_MAX_TILES];
    YoloBoxes l[3] = { 0 }, out = { 0 };
    int nb = ff_yolo_tiles(t, &all, 2, 1, 0.2), ret;

    tap_ok(nb == 3 && t[0].w == 556 && t[1].x == 444, "2x1 tiles of 1000x500: 0-556, 444-1000 and the whole");
    add(&l[0], box(480, 100, 60, 100, 0.8, 0));     // whole in both tiles, a little apart
    add(&l[1], box(482, 101, 60, 100, 0.9, 0));
    add(&l[0], box(500, 300, 56, 100, 0.95, 0));    // cut by the first tile's seam: whole in the second, less certain
    add(&l[1], box(500, 300, 120, 100, 0.7, 0));
    add(&l[0], box(100, 50, 456, 400, 0.9, 1));     // larger than the overlap: halves, and the whole picture's
    add(&l[1], box(444, 50, 456, 400, 0.9, 1));
    add(&l[2], box(100, 50, 800, 400, 0.6, 1));
    add(&l[2], box(490, 110, 60, 100, 0.5, 2));     // of another class
    ret = ff_yolo_tiles_merge(&out, l, t, nb, 0.7, 0, 300);
    tap_ok(!ret && out.nb == 4, "four objects of eight boxes (is %d)", out.nb);
    tap_ok(out.nb == 4 && out.box[0].x1 == 482 && out.box[1].x2 == 620 && out.box[2].x2 == 900 && out.box[3].cls == 2,
           "the more certain of equals, the whole one of cut ones; by confidence");
    ff_yolo_tiles_merge(&out, l, t, nb, 0.7, 1, 2);
    tap_ok(out.nb == 2 && out.box[0].conf == 0.9f, "at most max_det");
    l[0].nb = l[1].nb = l[2].nb = 0;
    add(&l[0], box(100, 100, 60, 100, 0.8, 0));     // two who stand close, both seen by one tile
    add(&l[0], box(115, 100, 60, 100, 0.7, 0));
    add(&l[2], box(101, 100, 60, 100, 0.6, 0));
    ff_yolo_tiles_merge(&out, l, t, nb, 0.7, 0, 300);
    tap_ok(out.nb == 2, "two who overlap by 0.6, in one tile, stay two");
    l[0].nb = l[2].nb = 0;
    ff_yolo_tiles_merge(&out, l, t, nb, 0.7, 0, 300);
    tap_ok(!out.nb, "no boxes: none");
    for (int i = 0; i < 3; i++)
        ff_yolo_free(&l[i]);
    ff_yolo_free(&out);
}

int main(void)
{
    test_iou();
    test_random();
    test_border();
    test_cover();
    test_merge();
    return tap_done();
}
