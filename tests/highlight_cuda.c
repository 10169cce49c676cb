/*
 * highlight: kernels run on the CPU against the formulas
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

#include "cuda_host.h"
#include "libavfilter/vf_highlight_cuda.cu"

HIGHLIGHT_CUDA_KERNELS(CUDA_HOST_FN)
static const CudaHostKernel kernels[] = { HIGHLIGHT_CUDA_KERNELS(CUDA_HOST_ROW) };
#include "cuda_mock.h"

#include "libavfilter/highlight_cuda.h"
#include "highlight_ref.h"
#include "tap.h"

const unsigned char ff_vf_highlight_cuda_ptx_data[1] = { 0 };
const unsigned int  ff_vf_highlight_cuda_ptx_len = 0;

static void fill(const Image *m, const AVFrame *from)
{
    for (int p = 0; p < 4 && from->data[p]; p++)
        for (int y = 0; y < m->rows[p]; y++)
            memcpy(m->f->data[p] + y * m->f->linesize[p], from->data[p] + y * from->linesize[p], m->bytes[p]);
    m->f->format          = from->format;
    m->f->colorspace      = from->colorspace;
    m->f->color_range     = from->color_range;
    m->f->chroma_location = from->chroma_location;
}

static int equals(const Image *m, const AVFrame *f)
{
    for (int p = 0; p < 4 && f->data[p]; p++)
        for (int y = 0; y < m->rows[p]; y++)
            if (memcmp(m->f->data[p] + y * m->f->linesize[p], f->data[p] + y * f->linesize[p], m->bytes[p]))
                return 0;
    return 1;
}

/* slip: planes begin that many samples past where they would be aligned; in place or not */
static int differs(HighlightCuda *cuda, const PxLayout *l, enum AVPixelFormat fmt, int w, int h, int slip, int place)
{
    const HighlightScene s = hl_scene(w, h);
    AVFrame *src = hl_frame(fmt, w, h, hl_rnd() % 5), *want;
    Image in = image(l, w, h, slip), out = image(l, w, h, place ? slip : slip / 2);
    AVFrame *to = place ? in.f : out.f;
    HighlightTables t = { 0 };
    int bad;

    src->colorspace      = l->desc->flags & AV_PIX_FMT_FLAG_RGB ? AVCOL_SPC_RGB : AVCOL_SPC_BT709;
    src->color_range     = hl_rnd() & 1 ? AVCOL_RANGE_JPEG : AVCOL_RANGE_UNSPECIFIED;
    src->chroma_location = hl_rnd() % 7;
    want = hl_copy(src);
    fill(&in, src);
    fence(&in, l);
    fence(&out, l);
    bad = ff_highlight_tables(&t, &s, hl_rnd() & 1, l, src) < 0;
    if (!bad) {
        hl_reference(want, src, &s, &t, l);
        bad = ff_highlight_cuda(cuda, &t, &s, l, to, in.f) < 0 || !equals(place ? &in : &out, want) ||
              (!place && !equals(&in, src));
    }
    for (int p = 0; p < l->nb_planes; p++) {
        ASAN_UNPOISON_MEMORY_REGION(base(&in, p, slip, l), in.f->linesize[p] * (in.rows[p] + 2));
        ASAN_UNPOISON_MEMORY_REGION(base(&out, p, place ? slip : slip / 2, l), out.f->linesize[p] * (out.rows[p] + 2));
    }
    bad |= !guarded(&in, l, slip) || !guarded(&out, l, place ? slip : slip / 2);
    if (bad)
        printf("# %s %dx%d slip %d place %d base %d draws %d old %d\n", l->desc->name, w, h, slip, place, s.base, s.nb, s.draw[0].old);
    ff_highlight_tables_free(&t);
    drop(&in, l, slip);
    drop(&out, l, place ? slip : slip / 2);
    av_frame_free(&src);
    av_frame_free(&want);
    return bad;
}

static void test_format(HighlightCuda *cuda, const char *name)
{
    static const int size[][2] = { { 97, 75 }, { 1, 1 }, { 2, 3 }, { 320, 40 }, { 31, 131 }, { 208, 120 }, { 64, 64 } };
    const enum AVPixelFormat fmt = av_get_pix_fmt(name);
    PxLayout l;
    int bad = 0, nb = 0;

    if (fmt == AV_PIX_FMT_NONE) {
        tap_skip("%s: this FFmpeg does not have it", name);
        return;
    }
    if (!tap_ok(ff_highlight_layout(&l, fmt) >= 0, "%s is a format of ours", name))
        return;
    for (int i = 0; i < 84 && bad < 5; i++, nb++)
        bad += differs(cuda, &l, fmt, size[i % 7][0], size[i % 7][1], i % 5 == 4 ? 3 : 0, i & 1);
    tap_ok(!bad, "%s: kernels give what the formulas say, and write nothing else (%d of %d scenes differ)", name, bad, nb);
}

int main(void)
{
    static const char *const formats[] = {
        "nv12", "yuv420p", "yuv444p", "p010le", "p016le", "yuv444p16le", "bgr0", "rgb0", "rgba", "bgra", "nv16", "p210le",
        "p216le", "yuv422p", "yuv420p10le", "yuv444p10msble", "p012le", "p212le", "yuva420p", "gray",
    };
    HighlightCuda cuda = { 0 };

    if (!tap_ok(ff_highlight_cuda_init(&cuda, NULL, NULL) >= 0, "host and kernels name the kernels in one order"))
        return tap_done();
    for (int i = 0; i < FF_ARRAY_ELEMS(formats); i++)
        test_format(&cuda, formats[i]);
    ff_highlight_cuda_free(&cuda);
    for (int i = 0; i < FF_ARRAY_ELEMS(kernels); i++)
        tap_ok(launches[i] > 0, "%s was among them, %d times", kernels[i].name, launches[i]);
    return tap_done();
}
