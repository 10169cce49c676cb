/*
 * ffreel: verbs
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
#include <string.h>

#include "track.h"

static const char usage[] =
"ffreel renders a long file as parallel, frame-exact segments, and joins them.\n"
"\n"
"  ffreel render -i IN [options] -- FFMPEG-OPTIONS OUT\n"
"  ffreel plan   -i IN [options] -- FFMPEG-OPTIONS OUT    only writes the plan directory\n"
"  ffreel run DIR                  renders its missing segments on this machine\n"
"  ffreel run-segment DIR NUMBER   renders one; for any scheduler\n"
"  ffreel join DIR                 segments -> OUT, verified\n"
"  ffreel verify DIR               checks segments and OUT\n"
"  ffreel status DIR               what is done (-v: each segment)\n"
"  ffreel clean DIR                removes the plan directory\n"
"  ffreel track IN.jsonl -o OUT    keys for crop and highlight from detections; has its own --help\n"
"\n"
"After '--' stands what would follow ffmpeg: \"-vf ... -c:v libx264 -crf 20 out.mp4\";\n"
"input options go before an -i there: \"-hwaccel cuda -i in.mp4 -vf ... out.mp4\".\n"
"\n"
"  -j N                processes [as cores and a measurement say]\n"
"  --segment LENGTH    auto, seconds (2.5) or frames (100f)\n"
"  --cuts LIST         frame numbers to cut at: 100,200\n"
"  --gpus LIST         GPUs to share out: 0,1        --per-gpu N   processes on each [1]\n"
"  --filter NAME=B,A   a filter ffreel does not know looks B frames back, A ahead\n"
"  --calibrate WORD    auto, off, force: measure one process against several\n"
"  --verify WORD       quick, full: also decode the result\n"
"  --dir DIR           plan directory [OUT.ffreel]   --keep        do not remove it\n"
"  --ffmpeg PATH       [beside ffreel, else on PATH]\n"
"  --explain           why it is split or not        --dry-run     print the commands\n"
"  --damaged           render what decodes of a damaged file, serially\n"
"  --min-free MB       stop below so much disk [200] --stall S     no frame for so long: failed\n"
"  --progress WORD     auto, block, plain, json, none\n"
"  --report FILE       times of all steps, as JSON\n"
"  -y replace OUT      -q quiet      -v verbose      -h this\n"
"\n"
"exit codes: 64 command line, 65 input, 70 wrong result or crash, 71 GPU, 74 disk,\n"
"75 stopped (the same command goes on), 78 changed since the plan, or in use\n";

static const struct {
    const char *name;
    int       (*run)(Options *o);
} verbs[] = {
    { "render",      verb_render      },
    { "plan",        verb_plan        },
    { "run",         verb_run         },
    { "run-segment", verb_run_segment },
    { "join",        verb_join        },
    { "verify",      verb_verify      },
    { "status",      verb_status      },
    { "clean",       verb_clean       },
};

int main(int argc, char **argv)
{
    Options o = { 0 };
    int ret = -1;

    keep_messages();
    if (argc < 2) {
        fputs(usage, stderr);
        return FAIL_USAGE;
    }
    if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        fputs(usage, stdout);
        return 0;
    }
    if (!strcmp(argv[1], "track"))
        return verb_track(argc - 1, argv + 1);
    if ((ret = options_parse(&o, argc - 1, argv + 1)))
        goto end;
    if (o.words.nb && !strcmp(o.words.v[0], "--help")) {
        fputs(usage, stdout);
        goto end;
    }
    ret = -1;
    for (int i = 0; i < FF_ARRAY_ELEMS(verbs); i++)
        if (!strcmp(argv[1], verbs[i].name))
            ret = verbs[i].run(&o);
    if (ret < 0)
        ret = fail(FAIL_USAGE, "'%s' is no verb of ffreel; see ffreel help", argv[1]);
end:
    progress_clear();
    list_free(&o.tail);
    list_free(&o.declared);
    list_free(&o.words);
    return ret;
}
