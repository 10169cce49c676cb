/*
 * Crop: kernels against the C loops, byte for byte, without a GPU
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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_host.h"
#include "libavfilter/vf_keyframecrop_cuda.cu"

#include "libavutil/common.h"
#include "libavutil/error.h"
#include "libavutil/frame.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/pixdesc.h"

#include "libavfilter/crop_cuda.h"
#include "libavfilter/crop_geom.h"
#include "libavfilter/crop_render.h"
#include "libavfilter/crop_tables.h"
#include "tap.h"

CROP_CUDA_KERNELS(CUDA_HOST_FN)
static const CudaHostKernel kernels[] = { CROP_CUDA_KERNELS(CUDA_HOST_ROW) };
#include "cuda_mock.h"

/* in place of those of the library, as is all of cuda_mock.h */
const unsigned char ff_vf_keyframecrop_cuda_ptx_data[1] = { 0 };
const unsigned int  ff_vf_keyframecrop_cuda_ptx_len = 0;

/* pattern 0: noise over the whole range; 1: black and white; 2: waves */
static void paint(const Image *m, const PxLayout *l, int pattern)
{
    const int max = (1 << l->depth) - 1;

    for (int p = 0; p < l->nb_planes; p++)
        for (int y = 0; y < m->rows[p]; y++)
            for (int i = 0; i < m->bytes[p] / l->bytes; i++) {
                uint8_t *row = m->f->data[p] + y * m->f->linesize[p];
                const int v = pattern == 0 ? rnd() & max : pattern == 1 ? (((i >> 1) ^ y) & 1) * max
                            : (int)lrint((0.5 + 0.5 * sin(i * 0.21) * cos(y * 0.17)) * max);
                if (l->bytes == 1)
                    row[i] = v;
                else
                    ((uint16_t *)row)[i] = v << l->shift;
            }
}

/* ---- both ways ------------------------------------------------------------------------------ */

/* what slice threads do, in one go */
static void by_loops(const CropTables *t, AVFrame *out, const AVFrame *in)
{
    CropScratch scratch = { 0 };

    for (int p = 0; p < t->layout.nb_planes; p++) {
        CropPlane cp = ff_crop_tables_plane(t, p, out, in);
        const CropSet *s = &t->set[t->layout.plane[p].chroma];
        uint8_t *turned = NULL;
        if (t->turn) {
            const ptrdiff_t stride = ff_crop_turned_stride(t, p);
            turned = malloc(stride * s->rot_h);
            for (int c = 0; c < cp.nc; c++) {
                const CropPxPlane px = { cp.src + c * cp.bytes, cp.src_stride, cp.src_w, cp.src_h, cp.nc, cp.bytes,
                                         cp.depth, cp.shift, cp.pad[c] };
                ff_crop_rotate(&px, &s->rot, &t->kernel, turned + c * cp.bytes, stride, s->rot_w, 0, s->rot_h);
            }
            ff_crop_plane_turn(&cp, t, p, turned);
        }
        ff_crop_plane(&cp, &scratch, 0, cp.dst_h);
        free(turned);
    }
    ff_crop_scratch_free(&scratch);
}

typedef struct Case {
    const char *name;
    int w, h, ow, oh;
    CropRect r;
    double degrees;
    int crop[4];                ///< left, top, right, bottom of the frame
} Case;

static const Case cases[] = {
    { "copy",           97, 75, 52, 40, { 20, 10, 52, 40 } },
    { "odd copy",       97, 75, 51, 39, { 21, 11, 51, 39 } },
    { "whole",          97, 75, 97, 75, { 0, 0, 97, 75 } },
    { "pan",           131, 90, 66, 44, { 20.3, 10.7, 66, 44 } },
    { "pan in y",      131, 90, 66, 44, { 20, 10.7, 66, 44 } },
    { "pan at edges",   97, 75, 97, 75, { -1.3, 2.6, 97, 75 } },
    { "pan far out",    40, 30, 64, 50, { -30.5, 20.25, 64, 50 } },
    { "beyond",         40, 30, 32, 32, { -500, 3, 32, 32 } },
    { "enlarge",        97, 75, 130, 88, { 10.3, 20.7, 41, 30 } },
    { "enlarge much",   33, 31, 200, 180, { 5.1, 6.2, 4.7, 4.1 } },
    { "shrink",        121, 93, 40, 29, { 1.2, 2.9, 110.5, 80.1 } },
    { "shrink in y",   121, 93, 66, 29, { 20, 2.9, 66, 80.1 } },
    { "shrink in x",   121, 93, 29, 66, { 2.9, 20, 80.1, 66 } },
    { "shrink by 4",   301, 201, 70, 50, { 3.3, 2.2, 290, 195 } },
    { "shrink by 12",  400, 300, 33, 25, { 0, 0, 400, 300 } },
    { "a pixel",       300, 200, 1, 1, { 3, 4, 290, 190 } },
    { "from a pixel",    1, 1, 7, 5, { 0, 0, 1, 1 } },
    { "one to one",      1, 1, 1, 1, { 0, 0, 1, 1 } },
    { "wide and low",  300, 2, 64, 3, { 10.5, 0, 200, 2 } },
    { "narrow",          2, 90, 3, 64, { 0, 10.5, 2, 40 } },
    { "tall window",    60, 50, 40, 30, { -70, -60, 200, 180 } },
    { "turn",           97, 75, 52, 40, { 20.3, 10.7, 52, 40 }, 7.3 },
    { "turn, enlarge",  97, 75, 90, 70, { 20.3, 10.7, 50, 40 }, -33 },
    { "turn by 90",     97, 75, 52, 40, { 20, 10, 52, 40 }, 90 },
    { "turn, shrink",  161, 121, 40, 30, { -20, -10, 190, 140 }, 181 },
    { "cropped",        98, 76, 52, 40, { 5.5, 6.5, 52, 40 }, 0, { 12, 8, 4, 6 } },
    { "cropped oddly",  98, 76, 52, 40, { 0, 0, 98, 76 }, 0, { 13, 7, 3, 5 } },
    { "cropped, turn",  98, 76, 60, 50, { 10, 5, 60, 50 }, 12, { 9, 16, 10, 3 } },
    { "cropped to one", 98, 76, 30, 20, { 0, 0, 98, 76 }, 0, { 97, 75, 0, 0 } },
};

/* @return 0: as the loops, all else untouched */
static int differs(CropCuda *cuda, const PxLayout *l, enum AVPixelFormat fmt, const Case *c, int kernel, int edge,
                   int pattern, int slip)
{
    const int *cr = c->crop;
    const CropArea a = { cr[0], cr[1], c->w - cr[0] - cr[2], c->h - cr[1] - cr[3] };
    const double sx = a.w / (double)c->w, sy = a.h / (double)c->h;
    const CropRect r = { c->r.x * sx, c->r.y * sy, c->r.w * sx, c->r.h * sy };
    const uint8_t color[4] = { 200, 100, 30, 255 };
    Image in = image(l, c->w, c->h, slip), want = image(l, c->ow, c->oh, 0), got = image(l, c->ow, c->oh, slip);
    CropTables t = { 0 };
    int bad;

    paint(&in, l, pattern);
    fence(&in, l);
    bad = ff_crop_tables_init(&t, fmt, kernel) < 0 ||
          ff_crop_tables_build(&t, got.f, in.f, &a, &r, c->degrees, edge, color) < 0;
    if (!bad) {
        by_loops(&t, want.f, in.f);
        bad = ff_crop_cuda(cuda, &t, got.f, in.f) < 0 || !same(&want, &got, l) || !guarded(&got, l, slip);
    }
    /* weights of another resampling kernel must not stay */
    ff_crop_cuda_free(cuda);
    ff_crop_cuda_init(cuda, NULL, NULL);
    ff_crop_tables_free(&t);
    drop(&in, l, slip);
    drop(&want, l, 0);
    drop(&got, l, slip);
    return bad;
}

static void test_format(CropCuda *cuda, const char *name)
{
    const enum AVPixelFormat fmt = av_get_pix_fmt(name);
    PxLayout l;
    int bad = 0, nb = 0;

    if (fmt == AV_PIX_FMT_NONE) {
        tap_skip("%s: this FFmpeg does not have it", name);
        return;
    }
    if (!tap_ok(ff_px_layout(&l, fmt) >= 0, "%s is a format of ours", name))
        return;
    for (int i = 0; i < FF_ARRAY_ELEMS(cases); i++)
        for (int k = 0; k < CROP_KERNELS; k++)
            for (int edge = 0; edge < 2; edge++) {
                const int wrong = differs(cuda, &l, fmt, &cases[i], k, edge ? CROP_EDGE_PAD : CROP_EDGE_SHIFT,
                                          (i + k) % 3, (i + edge) & 3);
                if (wrong && bad < 5)
                    printf("# %s, %s, resampling kernel %d, edge %d\n", name, cases[i].name, k, edge);
                bad += wrong;
                nb++;
            }
    tap_ok(!bad, "%s: kernels give the bytes of the loops (%d of %d cases differ)", name, bad, nb);
}

static void crop_part(Image *out, const Image *in, enum AVPixelFormat fmt, const CropArea *a, const CropRect *r)
{
    const uint8_t color[4] = { 0 };
    CropTables t = { 0 };

    if (ff_crop_tables_init(&t, fmt, CROP_BICUBIC) >= 0 &&
        ff_crop_tables_build(&t, out->f, in->f, a, r, 0, CROP_EDGE_SHIFT, color) >= 0)
        by_loops(&t, out->f, in->f);
    ff_crop_tables_free(&t);
}

/* A window well inside of a part is the same window of the whole, wherever the
 * part begins: between chroma samples too. */
static void test_part(const char *name)
{
    static const int from[][2] = { { 0, 0 }, { 12, 8 }, { 13, 8 }, { 12, 9 }, { 13, 7 } };
    const enum AVPixelFormat fmt = av_get_pix_fmt(name);
    PxLayout l;
    Image in;
    int bad = 0;

    ff_px_layout(&l, fmt);
    in = image(&l, 120, 90, 0);
    paint(&in, &l, 2);
    for (int i = 0; i < FF_ARRAY_ELEMS(from); i++)
        for (int zoom = 0; zoom < 2; zoom++) {
            const CropArea whole = { 0, 0, 120, 90 }, part = { from[i][0], from[i][1], 96, 72 };
            const CropRect r = { 16.5, 12.25, 48 >> zoom, 36 >> zoom };
            const CropRect moved = { r.x + part.x, r.y + part.y, r.w, r.h };
            Image a = image(&l, 48, 36, 0), b = image(&l, 48, 36, 0);
            crop_part(&a, &in, fmt, &whole, &moved);
            crop_part(&b, &in, fmt, &part, &r);
            bad += !same(&a, &b, &l);
            drop(&a, &l, 0);
            drop(&b, &l, 0);
        }
    tap_ok(!bad, "%s: a part of a frame is sited as the frame is (%d differ)", name, bad);
    drop(&in, &l, 0);
}

int main(void)
{
    static const char *const formats[] = {
        "nv12", "yuv420p", "yuv444p", "p010le", "p016le", "yuv444p16le", "bgr0", "rgba", "nv16", "p210le", "p216le",
        "yuv422p", "yuv420p10le", "yuv444p10msble", "p012le", "p212le", "yuva420p", "gray", "rgb24", "gbrp12le",
    };
    CropCuda cuda = { 0 };

    if (!tap_ok(ff_crop_cuda_init(&cuda, NULL, NULL) >= 0, "host and kernels name the kernels in one order"))
        return tap_done();
    for (int i = 0; i < FF_ARRAY_ELEMS(formats); i++)
        test_format(&cuda, formats[i]);
    test_part("nv12");
    test_part("yuv422p");
    test_part("p010le");
    test_part("yuv444p");
    ff_crop_cuda_free(&cuda);
    for (int i = 0; i < FF_ARRAY_ELEMS(kernels); i++)
        tap_ok(launches[i] > 0, "%s was among them, %d times", kernels[i].name, launches[i]);
    return tap_done();
}
