/*
 * Vector loops of engine onednn
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

#include "config.h"
#include "tap.h"

#include "libavutil/common.h"
#include "libavutil/cpu.h"
#include "libavutil/log.h"
#include "libavfilter/nn_net_rows.h"

static double exact(int act, double x)
{
    return act == NN_RACT_EXP ? exp(x) : act == NN_NACT_SIGMOID ? 1 / (1 + exp(-x)) : x / (1 + exp(-x));
}

/* in place and not, all lengths of a last vector; relative error where the result is no denormal */
static void test_rows(const char *what)
{
    static const struct {
        int act;
        const char *name;
    } t[] = { { NN_NACT_SILU, "SiLU" }, { NN_NACT_SIGMOID, "sigmoid" }, { NN_RACT_EXP, "exp" } };
    enum { NB = 40000 };
    float *in = malloc(NB * sizeof(*in)), *out = malloc((NB + 1) * sizeof(*out));

    for (int k = 0; k < FF_ARRAY_ELEMS(t); k++) {
        double worst = 0;
        int same = 1;
        for (int i = 0; i < NB; i++)
            in[i] = (i - NB / 2) * (160.0f / NB);
        ff_nn_row_act(out, in, NB, t[k].act, 0, 0);
        for (int i = 0; i < NB; i++) {
            const double x = exact(t[k].act, in[i]);
            if (fabs(x) > 1e-30)
                worst = FFMAX(worst, fabs(out[i] - x) / fabs(x));
        }
        for (int nb = 1; nb < 150; nb++) {
            float copy[150], other[150];
            memcpy(copy, in, sizeof(copy));
            memset(other, 0, sizeof(other));
            ff_nn_row_act(copy, copy, nb, t[k].act, 0, 0);
            ff_nn_row_act(other, in, nb, t[k].act, 0, 0);
            for (int i = 0; i < nb; i++)
                same &= fabs(copy[i] - out[i]) <= 1e-5 * fabs(out[i]) && fabs(other[i] - out[i]) <= 1e-5 * fabs(out[i]);
            same &= !memcmp(copy + nb, in + nb, (150 - nb) * sizeof(*copy)) && !other[149];
        }
        tap_ok(worst <= 1e-5 && same, "%s, %s: within %.1g, all lengths", t[k].name, what, worst);
    }
    free(in);
    free(out);
}

/* a broken net must be seen: what is not a number stays so */
static void test_nan(const char *what)
{
    static const int act[] = { NN_NACT_SILU, NN_NACT_SIGMOID, NN_RACT_EXP };
    int kept = 1;

    for (int k = 0; k < FF_ARRAY_ELEMS(act); k++)
        for (int at = 0; at < 150; at++) {
            float in[150] = { 0 }, out[150];
            in[at] = NAN;
            ff_nn_row_act(out, in, 150, act[k], 0, 0);
            for (int i = 0; i < 150; i++)
                kept &= !!isnan(out[i]) == (i == at);
        }
    tap_ok(kept, "NaN stays NaN, %s", what);
}

int main(void)
{
#if CONFIG_LIBDNNL
    av_log_set_level(AV_LOG_ERROR);
    test_rows("as this CPU has it");
    test_nan("as this CPU has it");
    av_force_cpu_flags(0);
    test_rows("without AVX-512");
    test_nan("without AVX-512");
    return tap_done();
#else
    tap_skip("onednn: not in this build");
    puts("done - nothing to test");
    return 0;
#endif
}
