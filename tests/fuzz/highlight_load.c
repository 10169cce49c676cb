/*
 * Fuzzer of regions and keys, as JSON and as text
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

/* fuzz: highlight_load.c keytrack.c keytrack_text.c keytrack_json.c */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/log.h"
#include "libavutil/mem.h"

#include "libavfilter/highlight_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* keys are in order and in range, and so is what they give at any time but for the overshoot of catmull */
static void check(const HighlightRegion *r, int kind)
{
    const KeyTrack *k = r->track;
    double v[HL_VALS];

    if (r->end < r->start || !k || !k->nb)
        abort();
    for (int i = 0; i < k->nb; i++) {
        if (i && !(k->time[i] > k->time[i - 1]))
            abort();
        for (int half = 0; half < 2; half++) {
            const double next = k->time[i + 1 < k->nb ? i + 1 : i];
            ff_keytrack_eval(k, half ? k->time[i] + (next - k->time[i]) / 2 : k->time[i], kind, 0, v);
            for (int j = 0; j < HL_VALS; j++) {
                const KeyVal *kv = &ff_highlight_spec.vals[j];
                if (isnan(v[j]) ? j < ff_highlight_spec.nb_required : !isfinite(v[j]))
                    abort();
                if (kind != KEY_CATMULL && k->kind[i] != KEY_CATMULL && (v[j] < kv->min || v[j] > kv->max))
                    abort();
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = av_malloc(size + 1);
    HighlightList l;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    av_log_set_level(AV_LOG_QUIET);
    for (int json = 0; json < 2; json++) {
        if (ff_highlight_load(&l, json ? NULL : text, json ? text : NULL, NULL, NULL) < 0)
            continue;
        for (int i = 0; i < l.nb; i++)
            if (l.region[i].track)
                check(&l.region[i], size % KEY_KINDS);
        ff_highlight_list_free(&l);
    }
    av_free(text);
    return 0;
}
