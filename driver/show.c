/*
 * ffreel: what --explain and --dry-run print
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

#include "libavutil/mem.h"

#include "driver.h"

void show_plan(const Plan *p)
{
    int keys = 0;

    for (int i = 0; i < p->x.nb; i++)
        keys += p->x.key[i];
    printf("%s: %d frames, %d key frames, time base %d/%d\n", p->input, p->x.nb, keys, p->x.tb.num, p->x.tb.den);
    if (!p->split) {
        printf("not split: %s\n", p->reason);
        return;
    }
    printf("split into %d segments for %d processes of %d threads: %s\n", p->nb_segs, p->workers, p->threads, p->reason);
    if (p->back || p->ahead)
        printf("the filters look %d frames back and %d ahead: each segment renders so many more\n", p->back, p->ahead);
    for (int i = 0; i < p->nb_segs && say_level > 0; i++)
        printf("  %05d  frames %d to %d, decoding from %d\n", i, p->cut[i], p->cut[i + 1] - 1,
               plan_seek(p, FFMAX(p->cut[i] - p->back, 0)));
}

static void print_command(const StrList *l)
{
    char *s = list_shell(l);

    printf("%s\n", s);
    av_free(s);
}

void show_commands(const Plan *p)
{
    StrList l = { 0 };

    if (!p->split) {
        command_serial(&l, p, p->output, NULL);
        print_command(&l);
        list_free(&l);
        return;
    }
    for (int i = 0; i < p->nb_segs; i++) {
        char *out = seg_path(p, i, p->seg_format), *proof = seg_path(p, i, "frames");
        command_segment(&l, p, i, out, proof);
        print_command(&l);
        list_free(&l);
        av_free(out);
        av_free(proof);
    }
    {
        char *list = strf("%s/list.ffconcat", p->dir);
        command_join(&l, p, list, p->output);
        print_command(&l);
        list_free(&l);
        av_free(list);
    }
}
