/*
 * ffreel: its own options
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

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

enum {
    OPT_DIR = 256, OPT_FFMPEG, OPT_SEGMENT, OPT_CUTS, OPT_GPUS, OPT_PER_GPU, OPT_CALIBRATE, OPT_VERIFY, OPT_KEEP,
    OPT_DRY_RUN, OPT_EXPLAIN, OPT_DAMAGED, OPT_PROGRESS, OPT_MIN_FREE, OPT_STALL, OPT_FILTER, OPT_REPORT,
};

static const struct option longs[] = {
    { "input",     required_argument, NULL, 'i'           },
    { "jobs",      required_argument, NULL, 'j'           },
    { "yes",       no_argument,       NULL, 'y'           },
    { "quiet",     no_argument,       NULL, 'q'           },
    { "verbose",   no_argument,       NULL, 'v'           },
    { "help",      no_argument,       NULL, 'h'           },
    { "dir",       required_argument, NULL, OPT_DIR       },
    { "ffmpeg",    required_argument, NULL, OPT_FFMPEG    },
    { "segment",   required_argument, NULL, OPT_SEGMENT   },
    { "cuts",      required_argument, NULL, OPT_CUTS      },
    { "gpus",      required_argument, NULL, OPT_GPUS      },
    { "per-gpu",   required_argument, NULL, OPT_PER_GPU   },
    { "calibrate", required_argument, NULL, OPT_CALIBRATE },
    { "verify",    required_argument, NULL, OPT_VERIFY    },
    { "keep",      no_argument,       NULL, OPT_KEEP      },
    { "dry-run",   no_argument,       NULL, OPT_DRY_RUN   },
    { "explain",   no_argument,       NULL, OPT_EXPLAIN   },
    { "damaged",   no_argument,       NULL, OPT_DAMAGED   },
    { "progress",  required_argument, NULL, OPT_PROGRESS  },
    { "min-free",  required_argument, NULL, OPT_MIN_FREE  },
    { "stall",     required_argument, NULL, OPT_STALL     },
    { "filter",    required_argument, NULL, OPT_FILTER    },
    { "report",    required_argument, NULL, OPT_REPORT    },
    { NULL, 0, NULL, 0 }
};

static int pick_word(int *to, const char *name, const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++) {
        if (!strcmp(word, words[i])) {
            *to = i;
            return 0;
        }
    }
    return fail(FAIL_USAGE, "--%s %s: not one of its words; see ffreel help", name, word);
}

static int number(double *to, const char *name, const char *text, double min, double max)
{
    char *end;
    const double v = strtod(text, &end);

    if (end == text || *end || !(v >= min && v <= max))
        return fail(FAIL_USAGE, "%s %s: must be a number from %g to %g", name, text, min, max);
    *to = v;
    return 0;
}

static int take(Options *o, int c, const char *arg)
{
    static const char *const calibrations[] = { "off", "auto", "force", NULL };
    static const char *const verifies[]     = { "quick", "full", NULL };
    static const char *const progresses[]   = { "auto", "block", "plain", "json", "none", NULL };
    double v;
    int ret;

    switch (c) {
    case 'i':           o->input   = arg; return 0;
    case 'y':           o->overwrite = 1; return 0;
    case 'q':           say_level  = -1;  return 0;
    case 'v':           say_level  = 1;   return 0;
    case OPT_DIR:       o->dir     = arg; return 0;
    case OPT_FFMPEG:    o->ffmpeg  = arg; return 0;
    case OPT_SEGMENT:   o->segment = strcmp(arg, "auto") ? arg : NULL; return 0;
    case OPT_CUTS:      o->cuts    = arg; return 0;
    case OPT_GPUS:      o->gpus    = arg; return 0;
    case OPT_REPORT:    o->report  = arg; return 0;
    case OPT_KEEP:      o->keep    = 1;   return 0;
    case OPT_DRY_RUN:   o->dry_run = 1;   return 0;
    case OPT_EXPLAIN:   o->explain = 1;   return 0;
    case OPT_DAMAGED:   o->damaged = 1;   return 0;
    case OPT_FILTER:    list_add(&o->declared, arg); return 0;
    case OPT_CALIBRATE: return pick_word(&o->calibrate,   "calibrate", arg, calibrations);
    case OPT_VERIFY:    return pick_word(&o->verify_full, "verify",    arg, verifies);
    case OPT_PROGRESS:  return pick_word(&o->progress,    "progress",  arg, progresses);
    case 'j':
        if (!(ret = number(&v, "-j", arg, 1, 512)))
            o->workers = v;
        return ret;
    case OPT_PER_GPU:
        if (!(ret = number(&v, "--per-gpu", arg, 1, 64)))
            o->per_gpu = v;
        return ret;
    case OPT_STALL:
        return number(&o->stall, "--stall", arg, 0.1, 1e6);
    case OPT_MIN_FREE:
        if (!(ret = number(&v, "--min-free", arg, 0, 1e9)))
            o->min_free = v * 1e6;
        return ret;
    }
    return fail(FAIL_USAGE, "see ffreel help");
}

int options_parse(Options *o, int argc, char **argv)
{
    int c, ret;

    *o = (Options){ .calibrate = 1, .min_free = 200e6, .per_gpu = 1 };
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--")) {
            for (int k = i + 1; k < argc; k++)
                list_add(&o->tail, argv[k]);
            argc = i;
        }
    }
    opterr = 1;
    while ((c = getopt_long(argc, argv, "i:j:yqvh", longs, NULL)) != -1) {
        if (c == 'h') {
            list_add(&o->words, "--help");
            return 0;
        }
        if ((ret = take(o, c, optarg)))
            return ret;
    }
    for (; optind < argc; optind++)
        list_add(&o->words, argv[optind]);
    progress_init(say_level < 0 ? PROGRESS_NONE : o->progress);
    return 0;
}
