/*
 * Loading of hostile weight files, for their tests
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

#ifndef FFREEL_TESTS_NET_HOSTILE_H
#define FFREEL_TESTS_NET_HOSTILE_H

#include "net_files.h"
#include "tap.h"

#include "libavutil/error.h"

enum Kind { SAFETENSORS, PTH, NCNN };

/* loads, and runs what could be loaded; @return 0 or AVERROR */
static inline int load(enum Kind kind, const Bytes *f, const Bytes *bin)
{
    NNDict d = { .name = "f" };
    NNGraph *g = NULL;
    NNBlob a = blob(f, "f"), b = bin ? blob(bin, "f.bin") : a;
    int ret;

    nets_forget();
    if (kind == NCNN) {
        ret = ff_nn_load_ncnn(&g, &a, &b, NULL);
    } else {
        ret = kind == PTH ? ff_nn_load_pth(&d, &a, NULL) : ff_nn_load_safetensors(&d, &a, NULL);
        if (ret >= 0)
            ret = ff_nn_graph_from_dict(&g, &d, "f", NULL);
        ff_nn_dict_free(&d);
    }
    if (ret >= 0 && g->in_c == 3 && g->out_c == 3 && g->scale <= 4 && g->align == 1) {
        float in[3 * 5 * 4] = { 0 }, *out = malloc(3 * 5 * 4 * 16 * sizeof(*out));
        ret = nets_run("ref", g, in, 5, 4, out, 0, 0);
        free(out);
    }
    ff_nn_graph_free(&g);
    return ret;
}

/* an error must be one of the two codes, and one line */
static inline int one_error(int ret)
{
    return (ret == AVERROR_INVALIDDATA || ret == AVERROR_PATCHWELCOME) && nets_nb_errors == 1;
}

static inline void refused(enum Kind kind, Bytes f, const Bytes *bin, const char *what, const char *word)
{
    int ret = load(kind, &f, bin);

    tap_ok(one_error(ret) && strstr(nets_last_error, word), "%s: %s", what, nets_last_error);
    bytes_free(&f);
}

static inline Bytes bytes_of(const char *s, size_t n)
{
    Bytes b = { 0 };

    put(&b, s, n);
    return b;
}

#endif /* FFREEL_TESTS_NET_HOSTILE_H */
