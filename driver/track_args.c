/*
 * ffreel: options of the verb track
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

#include "track.h"

static const char usage[] =
"ffreel track makes keys for keyframecrop and highlight of what yolodetect found.\n"
"\n"
"  ffreel track [options] DETECTIONS.jsonl -o KEYS.json\n"
"\n"
"  --for WORD           crop, highlight, both (KEYS.crop.json, KEYS.highlight.json) [crop]\n"
"  --target WHAT        auto: the most prominent person; largest; id:N; X,Y or X,Y@SECONDS: who\n"
"                       is at a point; label:NAME, such as label:sports ball [auto]\n"
"  --aspect W:H         shape of the window [9:16]     --size WxH    its size in pixels, instead\n"
"  --zoom N             1: the largest such window [1] --margin F    F times as high as the target\n"
"  --dead-zone F        share of the window in which the target moves nothing [0.2]\n"
"  --max-speed F        widths of the picture a second [0.5]\n"
"  --max-accel F        widths a second, each second [1]\n"
"  --smooth SECONDS     [0.25; for highlight 0.1]      --grow F      ellipse: half the box times F [1.3]\n"
"  --tolerance PIXELS   that keys may be off the path [0.2 % of the picture's width]\n"
"  --cuts WORD          auto; none; a file with the time of each cut in seconds, one a line [auto]\n"
"  --scene F            auto: a frame whose \"scene\" is at least F begins a shot [0.4]\n"
"  -o FILE  -y replace it  -q quiet  -v verbose  -h this      '-' is stdin or stdout\n";

enum {
    OPT_FOR = 256, OPT_TARGET, OPT_ASPECT, OPT_SIZE, OPT_ZOOM, OPT_MARGIN, OPT_DEAD, OPT_SPEED, OPT_ACCEL, OPT_SMOOTH,
    OPT_GROW, OPT_TOLERANCE, OPT_CUTS, OPT_SCENE,
};

static const struct option longs[] = {
    { "output",    required_argument, NULL, 'o'           },
    { "yes",       no_argument,       NULL, 'y'           },
    { "quiet",     no_argument,       NULL, 'q'           },
    { "verbose",   no_argument,       NULL, 'v'           },
    { "help",      no_argument,       NULL, 'h'           },
    { "for",       required_argument, NULL, OPT_FOR       },
    { "target",    required_argument, NULL, OPT_TARGET    },
    { "aspect",    required_argument, NULL, OPT_ASPECT    },
    { "size",      required_argument, NULL, OPT_SIZE      },
    { "zoom",      required_argument, NULL, OPT_ZOOM      },
    { "margin",    required_argument, NULL, OPT_MARGIN    },
    { "dead-zone", required_argument, NULL, OPT_DEAD      },
    { "max-speed", required_argument, NULL, OPT_SPEED     },
    { "max-accel", required_argument, NULL, OPT_ACCEL     },
    { "smooth",    required_argument, NULL, OPT_SMOOTH    },
    { "grow",      required_argument, NULL, OPT_GROW      },
    { "tolerance", required_argument, NULL, OPT_TOLERANCE },
    { "cuts",      required_argument, NULL, OPT_CUTS      },
    { "scene",     required_argument, NULL, OPT_SCENE     },
    { NULL, 0, NULL, 0 }
};

static int number(double *to, const char *name, const char *text, double min, double max)
{
    char *end;
    const double v = strtod(text, &end);

    if (end == text || *end || !(v >= min && v <= max))
        return fail(FAIL_USAGE, "--%s %s: must be a number from %g to %g", name, text, min, max);
    *to = v;
    return 0;
}

static int two(double *a, double *b, const char *text, const char *separators)
{
    char *end;

    *a = strtod(text, &end);
    if (end == text || !*end || !strchr(separators, *end))
        return 0;
    text = end + 1;
    *b = strtod(text, &end);
    return end > text && !*end && isfinite(*a) && isfinite(*b);
}

static int seconds(double *t, const char *text)
{
    char *end;

    *t = strtod(text, &end);
    return end > text && !*end && isfinite(*t);
}

static int take_aspect(TrackOptions *o, const char *arg)
{
    double a, b = 1;

    if (two(&a, &b, arg, ":/") && a > 0 && b > 0 && a / b >= 1e-3 && a / b <= 1e3)
        o->aspect = a / b;
    else
        return number(&o->aspect, "aspect", arg, 1e-3, 1e3) ? FAIL_USAGE : 0;
    return 0;
}

static int take_target(TrackOptions *o, const char *arg)
{
    char *end, point[64];
    const char *at = strchr(arg, '@');

    if (!strcmp(arg, "auto") || !strcmp(arg, "largest")) {
        o->target = *arg == 'a' ? TARGET_AUTO : TARGET_LARGEST;
        return 0;
    }
    if (!strncmp(arg, "label:", 6) && arg[6]) {
        o->target = TARGET_LABEL;
        o->label  = arg + 6;
        return 0;
    }
    if (!strncmp(arg, "id:", 3)) {
        const long id = strtol(arg + 3, &end, 10);
        if (end > arg + 3 && !*end && id > 0 && id <= INT_MAX) {
            o->target = TARGET_ID;
            o->id     = id;
            return 0;
        }
    }
    snprintf(point, sizeof(point), "%.*s", at ? (int)(at - arg) : 63, arg);
    if (two(&o->x, &o->y, point, ",") && (!at || seconds(&o->at, at + 1))) {
        o->target = TARGET_POINT;
        return 0;
    }
    return fail(FAIL_USAGE, "--target %s: is none of auto, largest, id:N, X,Y, X,Y@SECONDS, label:NAME", arg);
}

static int take_for(TrackOptions *o, const char *arg)
{
    o->crop      = !strcmp(arg, "crop")      || !strcmp(arg, "both");
    o->highlight = !strcmp(arg, "highlight") || !strcmp(arg, "both");
    return o->crop || o->highlight ? 0 : fail(FAIL_USAGE, "--for %s: is none of crop, highlight, both", arg);
}

static int take(TrackOptions *o, int c, const char *arg)
{
    switch (c) {
    case 'o':           o->output = arg;   return 0;
    case 'y':           o->overwrite = 1;  return 0;
    case 'q':           say_level = -1;    return 0;
    case 'v':           say_level = 1;     return 0;
    case OPT_FOR:       return take_for(o, arg);
    case OPT_TARGET:    return take_target(o, arg);
    case OPT_ASPECT:    return take_aspect(o, arg);
    case OPT_SIZE:
        if (!two(&o->w, &o->h, arg, "x") || !(o->w >= 1 && o->h >= 1))
            return fail(FAIL_USAGE, "--size %s: is not like 540x960", arg);
        return 0;
    case OPT_ZOOM:      return number(&o->zoom,   "zoom",      arg, 1, 100);
    case OPT_MARGIN:    return number(&o->margin, "margin",    arg, 1, 100);
    case OPT_DEAD:      return number(&o->dead,   "dead-zone", arg, 0, 1);
    case OPT_SPEED:     return number(&o->speed,  "max-speed", arg, 0.001, 100);
    case OPT_ACCEL:     return number(&o->accel,  "max-accel", arg, 0.001, 1000);
    case OPT_SMOOTH:    return number(&o->smooth, "smooth",    arg, 0, 10);
    case OPT_GROW:      return number(&o->grow,   "grow",      arg, 0.1, 10);
    case OPT_TOLERANCE: return number(&o->tolerance, "tolerance", arg, 0.05, 1000);
    case OPT_SCENE:     return number(&o->scene,  "scene",     arg, 0, 1);
    case OPT_CUTS:
        o->cuts = !strcmp(arg, "auto") ? NULL : !strcmp(arg, "none") ? "" : arg;
        return 0;
    }
    return fail(FAIL_USAGE, "see ffreel track --help");
}

int track_options(TrackOptions *o, int argc, char **argv)
{
    int c, ret;

    *o = (TrackOptions) { .crop = 1, .aspect = 9 / 16., .zoom = 1, .dead = 0.2, .speed = 0.5, .accel = 1, .smooth = -1,
                          .grow = 1.3, .scene = 0.4, .at = NAN };
    while ((c = getopt_long(argc, argv, "o:yqvh", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return -1;
        }
        if ((ret = take(o, c, optarg)))
            return ret;
    }
    if (optind != argc - 1 || !o->output)
        return fail(FAIL_USAGE, "ffreel track [options] DETECTIONS.jsonl -o KEYS.json; see ffreel track --help");
    o->input = argv[optind];
    if (o->crop && o->highlight && !strcmp(o->output, "-"))
        return fail(FAIL_USAGE, "--for both writes two files: -o needs a name");
    return 0;
}
