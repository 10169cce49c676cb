/*
 * Nets for tests: seeded weights and pictures, one call to run them
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

#ifndef FFREEL_TESTS_NETS_H
#define FFREEL_TESTS_NETS_H

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavfilter/nn_engine.h"

/* ---- numbers, the same in peers/nets.py -------------------------------------- */

/** xorshift32; the state must not be 0 */
static inline uint32_t nets_rand(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

/** -1 .. 1 in steps of 2^-23, exact in fp32 */
static inline float nets_unit(uint32_t *s)
{
    return (float)((int)(nets_rand(s) >> 8) - (1 << 23)) / (1 << 23);
}

/* weights of +-2^-floor(log2(fan_in) / 2), biases of +-1/16, slopes of -0.25 .. 0.75 */
static inline void nets_fill(NNParam *p, uint32_t *s)
{
    int k = 0;

    if (p->nb_dims == 4)
        while (1 << (2 * k + 2) <= p->dims[1] * p->dims[2] * p->dims[3])
            k++;
    for (size_t i = 0; i < p->nb; i++)
        p->data[i] = p->nb_dims == 4                ? ldexpf(nets_unit(s), -k) :
                     strstr(p->name, ".bias")       ? nets_unit(s) / 16
                                                    : 0.25f + 0.5f * nets_unit(s);
}

static inline void nets_add(NNDict *d, uint32_t *s, int nb_dims, int c, int in_c, const char *fmt, ...)
{
    const int dims[4] = { c, in_c, 3, 3 };
    char name[NN_MAX_NAME];
    NNParam *p;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    if (ff_nn_dict_add(d, name, dims, nb_dims, &p, NULL) < 0)
        abort();
    nets_fill(p, s);
}

static inline void nets_conv(NNDict *d, uint32_t *s, int c, int in_c, const char *layer)
{
    nets_add(d, s, 4, c, in_c, "%s.weight", layer);
    nets_add(d, s, 1, c, 0,    "%s.bias",   layer);
}

/** SRVGGNetCompact with f features, n inner convolutions, x scale */
static inline void nets_srvgg(NNDict *d, uint32_t seed, int f, int n, int scale)
{
    char layer[32];

    for (int i = 0; i <= n + 1; i++) {
        snprintf(layer, sizeof(layer), "body.%d", 2 * i);
        nets_conv(d, &seed, i <= n ? f : 3 * scale * scale, i ? f : 3, layer);
        if (i <= n)
            nets_add(d, &seed, 1, f, 0, "body.%d.weight", 2 * i + 1);
    }
}

/* layer names of RRDBNet; style 0: basicsr, 1: first ESRGAN, 2: nn.Sequential */
static const char *const nets_rrdb_names[3][7] = {
    { "conv_first", "body.%d.rdb%d.conv%d",          "conv_body",      "conv_up1", "conv_up2", "conv_hr", "conv_last" },
    { "conv_first", "RRDB_trunk.%d.RDB%d.conv%d",    "trunk_conv",     "upconv1",  "upconv2",  "HRconv",  "conv_last" },
    { "model.0",    "model.1.sub.%d.RDB%d.conv%d.0", "model.1.sub.%d", "model.3",  "model.6",  "model.8", "model.10"  },
};

/** RRDBNet of f features, growth g; in_c 3, 12 (x2) or 48 (x1) */
static inline void nets_rrdb(NNDict *d, uint32_t seed, int f, int g, int blocks, int in_c, int style)
{
    const char *const *names = nets_rrdb_names[style];
    char layer[64];

    nets_conv(d, &seed, f, in_c, names[0]);
    for (int b = 0; b < blocks; b++)
        for (int r = 1; r <= 3; r++)
            for (int k = 1; k <= 5; k++) {
                snprintf(layer, sizeof(layer), names[1], b, r, k);
                nets_conv(d, &seed, k < 5 ? g : f, f + (k - 1) * g, layer);
            }
    snprintf(layer, sizeof(layer), names[2], blocks);
    nets_conv(d, &seed, f, f, layer);
    for (int i = 3; i < 6; i++)
        nets_conv(d, &seed, f, f, names[i]);
    nets_conv(d, &seed, 3, f, names[6]);
}

/** three planes of 8-bit codes / 255 */
static inline void nets_picture(float *p, int w, int h, uint32_t seed)
{
    for (int i = 0; i < 3 * w * h; i++)
        p[i] = (nets_rand(&seed) >> 24) / 255.0f;
}

/* ---- running ------------------------------------------------------------------- */

/**
 * Runs the whole picture, or with tile > 0 tiles of at most so many pixels a
 * side with the given halo. in and out are three planes one after the other.
 */
static inline int nets_run(const char *engine, const NNGraph *g, const float *in, int w, int h,
                           float *out, int tile, int halo)
{
    const NNConfig cfg = { .precision = NN_PREC_FP32, .nb_slots = 1 };
    const int s = g->scale, step = tile > 0 ? tile : w > h ? w : h;
    NNRunner r;
    int ret = ff_nn_runner_open(&r, engine, g, &cfg);

    for (int y = 0; y < h && ret >= 0; y += step)
        for (int x = 0; x < w && ret >= 0; x += step) {
            const int x1 = x + step < w ? x + step : w, y1 = y + step < h ? y + step : h;
            NNTile t = { .in_stride = w, .out_stride = w * s };
            t.left   = x < halo ? x : halo;
            t.top    = y < halo ? y : halo;
            t.right  = w - x1 < halo ? w - x1 : halo;
            t.bottom = h - y1 < halo ? h - y1 : halo;
            t.w      = x1 - x + t.left + t.right;
            t.h      = y1 - y + t.top + t.bottom;
            for (int c = 0; c < 3; c++) {
                t.in[c]  = in + (size_t)c * w * h + (size_t)(y - t.top) * w + x - t.left;
                t.out[c] = out + (size_t)c * w * h * s * s + (size_t)y * s * w * s + x * s;
            }
            ret = r.engine->run(r.ctx, 0, &t);
        }
    ff_nn_runner_close(&r);
    return ret;
}

/* ---- what av_log said ------------------------------------------------------------ */

static int  nets_nb_errors;         ///< messages of level error since the last nets_forget()
static int  nets_nb_loaded;         ///< messages "model loaded"
static char nets_last_error[1024];

static inline void nets_log(void *ctx, int level, const char *fmt, va_list ap)
{
    nets_nb_loaded += level == AV_LOG_VERBOSE && !strncmp(fmt, "model loaded", 12);
    if (level > AV_LOG_ERROR)
        return;
    nets_nb_errors++;
    vsnprintf(nets_last_error, sizeof(nets_last_error), fmt, ap);
    nets_last_error[strcspn(nets_last_error, "\n")] = 0;
}

static inline void nets_forget(void)
{
    nets_nb_errors = nets_nb_loaded = 0;
    nets_last_error[0] = 0;
}

#endif /* FFREEL_TESTS_NETS_H */
