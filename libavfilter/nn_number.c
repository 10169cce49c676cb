/*
 * Nets: number formats of weights
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

#include "libavutil/error.h"
#include "libavutil/intfloat.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/log.h"

#include "nn_load.h"

int ff_nn_type_size(enum NNType t)
{
    return t == NN_F64 ? 8 : t == NN_F32 ? 4 : 2;
}

static float half(unsigned h)
{
    const uint32_t sign = (h & 0x8000u) << 16, mant = h & 0x3ff;
    const int exp = h >> 10 & 31;

    if (!exp)                   /* zero and subnormals: mant * 2^-24 */
        return av_int2float(sign | av_float2int(mant * 0x1p-24f));
    return av_int2float(sign | (exp == 31 ? 0x7f800000u : (uint32_t)(exp + 112) << 23) | mant << 13);
}

static float number(const uint8_t *p, enum NNType t)
{
    switch (t) {
    case NN_F16:  return half(AV_RL16(p));
    case NN_BF16: return av_int2float((uint32_t)AV_RL16(p) << 16);
    case NN_F64:  return av_int2double(AV_RL64(p));
    default:      return av_int2float(AV_RL32(p));
    }
}

size_t ff_nn_convert(float *dst, const uint8_t *src, size_t n, enum NNType t)
{
    const int size = ff_nn_type_size(t);

    for (size_t i = 0; i < n; i++, src += size) {
        dst[i] = number(src, t);
        if (!isfinite(dst[i]))
            return i;
    }
    return n;
}

int ff_nn_fill(NNParam *p, const uint8_t *src, enum NNType t, const char *file, void *log)
{
    size_t i = ff_nn_convert(p->data, src, p->nb, t);

    if (i == p->nb)
        return 0;
    av_log(log, AV_LOG_ERROR, "%s: tensor '%s' has a value that is no finite fp32 number (element %zu): "
           "broken weights\n", file, p->name, i);
    return AVERROR_INVALIDDATA;
}
