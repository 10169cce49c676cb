/*
 * ffreel: does a frame of the filter graph depend on frames before it?
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

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libavfilter/avfilter.h"
#include "libavutil/avstring.h"
#include "libavutil/dict.h"
#include "libavutil/mem.h"

#include "driver.h"

/*
 * Only what is known is split. Memoryless: a frame out depends on the frame in,
 * its time and nothing else; one out for each one in, with its time. All others
 * run in one process; --filter NAME=BACK,AHEAD declares what is not known here.
 */
static const char *const memoryless[] = {
    "addroi", "alphaextract", "avgblur", "backgroundkey", "bbox", "bilateral", "bitplanenoise", "blockdetect",
    "blurdetect", "boxblur", "cas", "chromahold", "chromakey", "chromanr", "chromashift", "colorbalance",
    "colorchannelmixer", "colorcontrast", "colorcorrect", "colorhold", "colorize", "colorkey", "colorlevels",
    "colormatrix", "colorspace", "colorspace_cuda", "colortemperature", "convolution", "copy", "crop", "curves",
    "dblur", "dctdnoiz", "deband", "deblock", "deflate", "delogo", "despill", "dilation", "drawbox", "drawgrid",
    "drawtext", "edgedetect", "epx", "eq", "erosion", "esrgan", "exposure", "fade", "fftfilt", "field", "fillborders",
    "format", "gblur", "geq", "gradfun", "grayworld", "greyedge", "hflip", "highlight", "highlight_cuda", "histeq",
    "hqx", "hsvhold", "hsvkey", "hue", "huesaturation", "hwdownload", "hwmap", "hwupload", "hwupload_cuda", "hysteresis",
    "il", "inflate", "keyframecrop", "kirsch", "lenscorrection", "limiter", "lumakey", "lut", "lut1d", "lut3d", "lutrgb",
    "lutyuv", "monochrome", "morpho", "negate", "nlmeans", "noformat", "null", "oscilloscope", "overlay", "overlay_cuda",
    "pad", "pad_cuda", "perspective", "pixelize", "prewitt", "pseudocolor", "removegrain", "rgbashift", "roberts",
    "rotate", "scale", "scale_cuda", "scharr", "selectivecolor", "setdar", "setfield", "setparams", "setrange", "setsar",
    "shear", "shufflepixels", "shuffleplanes", "smartblur", "sobel", "split", "super2xsai", "swaprect", "swapuv",
    "tiltandshift", "tonemap", "transpose", "transpose_cuda", "unsharp", "v360", "vaguedenoiser", "varblur", "vflip",
    "vibrance", "vignette", "xbr", "yaepblur", "yolodetect", "zscale", "libplacebo", "premultiply", "unpremultiply",
    "alphamerge", "blend", "maskedmerge", "maskedclamp", "mergeplanes", "extractplanes", "bilateral_cuda", "chromakey_cuda", "sharpen_npp",
    "esrgan_cuda", NULL
};

/* why the best known of the others cannot be split */
static const struct { const char *name, *why; } ordered[] = {
    { "fps",          "doubles and drops frames in order" },
    { "framerate",    "mixes frames in order" },
    { "minterpolate", "makes frames between frames, in order" },
    { "framestep",    "counts frames" },
    { "select",       "drops frames, and may count them" },
    { "setpts",       "sets times anew; the plan is made from the old ones" },
    { "settb",        "sets the time base anew" },
    { "trim",         "cuts; cut the input before" },
    { "loop",         "repeats frames" },
    { "reverse",      "needs all frames at once" },
    { "tpad",         "adds frames" },
    { "hqdn3d",       "carries its state from frame to frame without end" },
    { "lagfun",       "carries its state from frame to frame without end" },
    { "deshake",      "carries its state from frame to frame without end" },
    { "vidstabtransform", "needs a first pass over the whole" },
    { "deflicker",    "compares with frames before, from the first on" },
    { "mpdecimate",   "drops frames by those before" },
    { "decimate",     "drops frames in order" },
    { "pullup",       "drops frames in order" },
    { "fieldmatch",   "carries its state from frame to frame" },
    { "telecine",     "adds frames in order" },
    { "tinterlace",   "joins frames in order" },
    { "interlace",    "joins frames in order" },
    { "separatefields", "makes two frames of one" },
    { "weave",        "makes one frame of two" },
    { "tblend",       "drops the first frame" },
    { "thumbnail",    "chooses among frames" },
    { "tile",         "joins frames in order" },
    { "zoompan",      "counts frames" },
    { "noise",        "draws random numbers in order" },
    { "random",       "draws random numbers in order" },
    { "sendcmd",      "changes filters for all frames that follow" },
    { "zmq",          "takes commands at any time" },
    { "movie",        "reads another file from its start" },
    { "owdenoise",    "is not known to treat frames alone" },
    { "palettegen",   "needs all frames at once" },
};

static int in_list(const char *const *l, const char *s)
{
    for (; *l; l++)
        if (!strcmp(*l, s))
            return 1;
    return 0;
}

static int option_int(const AVFilterParams *fp, const char *key, int def)
{
    const AVDictionaryEntry *e = av_dict_get(fp->opts, key, NULL, 0);

    return e ? atoi(e->value) : def;
}

/* @return 1 if the look is bounded; so many frames back and ahead */
static int bounded(const AVFilterParams *fp, int *back, int *ahead)
{
    const char *name = fp->filter_name;
    const char *mode;

    *back = *ahead = 0;
    if (!strcmp(name, "tmix")) {
        *back = option_int(fp, "frames", 3) - 1;
        return 1;
    }
    if (!strcmp(name, "atadenoise")) {
        *back = *ahead = option_int(fp, "s", 9) / 2 + 1;
        return 1;
    }
    if (strcmp(name, "yadif") && strcmp(name, "bwdif") && strcmp(name, "yadif_cuda") && strcmp(name, "bwdif_cuda"))
        return 0;
    mode = av_dict_get(fp->opts, "mode", NULL, 0) ? av_dict_get(fp->opts, "mode", NULL, 0)->value
         : !strncmp(name, "bwdif", 5) ? "send_field" : "send_frame";
    *back = *ahead = 2;
    return !strcmp(mode, "0") || !strcmp(mode, "send_frame") || !strcmp(mode, "2") || !strcmp(mode, "send_frame_nospatial");
}

/* a variable of an expression that counts frames, or remembers */
static const char *counting_word(const char *s)
{
    static const char *const words[] = { "n", "N", "FN", "frame_num", "prev_t", "prev_pts", "prev_n", "in", "out_time",
                                         "random", "randomi", "st", "ld", "on", NULL };

    while (*s) {
        size_t len;
        if (!isalpha((uint8_t)*s) && *s != '_') {
            /* a number such as 1e3 is not a word */
            if (isdigit((uint8_t)*s))
                while (isalnum((uint8_t)*s) || *s == '.')
                    s++;
            else
                s++;
            continue;
        }
        len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        for (int i = 0; words[i]; i++)
            if (strlen(words[i]) == len && !strncmp(words[i], s, len))
                return words[i];
        s += len;
    }
    return NULL;
}

static int expands_by_count(const char *text)
{
    return strstr(text, "%{n") || strstr(text, "%{frame_num") || strstr(text, "%{localtime") || strstr(text, "%{gmtime") ||
           strstr(text, "%{pict_type") || strstr(text, "%{eif") || strstr(text, "%{expr");
}

/* options that hold expressions; elsewhere "n" is a name or a text */
static int is_expression(const char *filter, const char *key)
{
    static const char *const always[] = { "enable", NULL };
    static const struct { const char *filter; const char *const keys[24]; } some[] = {
        { "crop",      { "w", "h", "x", "y", "out_w", "out_h" } },
        { "scale",     { "w", "h", "width", "height" } },
        { "pad",       { "w", "h", "x", "y", "width", "height" } },
        { "overlay",   { "x", "y" } },
        { "overlay_cuda", { "x", "y" } },
        { "rotate",    { "a", "angle", "ow", "oh", "out_w", "out_h" } },
        { "hue",       { "h", "s", "H", "b" } },
        { "eq",        { "contrast", "brightness", "saturation", "gamma", "gamma_r", "gamma_g", "gamma_b", "gamma_weight" } },
        { "geq",       { "lum", "lum_expr", "cb", "cb_expr", "cr", "cr_expr", "alpha", "alpha_expr", "a", "r", "red_expr", "g",
                         "green_expr", "b", "blue_expr" } },
        { "drawtext",  { "x", "y", "alpha", "fontsize", "a" } },
        { "drawbox",   { "x", "y", "w", "h", "width", "height", "t", "thickness" } },
        { "perspective", { "x0", "y0", "x1", "y1", "x2", "y2", "x3", "y3" } },
        { "vignette",  { "angle", "a", "x0", "y0" } },
        { "blend",     { "all_expr", "c0_expr", "c1_expr", "c2_expr", "c3_expr" } },
        { "delogo",    { "x", "y", "w", "h" } },
        { "lenscorrection", { "cx" } },
    };

    if (in_list(always, key))
        return 1;
    for (int i = 0; i < FF_ARRAY_ELEMS(some); i++)
        if (!strcmp(some[i].filter, filter))
            return in_list(some[i].keys, key);
    return 0;
}

static char *judge_yolodetect(const char *key, const char *value)
{
    if (!strcmp(key, "track") && strcmp(value, "none") && strcmp(value, "0"))
        return strf("yolodetect: track=%s goes from frame to frame", value);
    if (!strcmp(key, "interval") && strcmp(value, "1"))
        return strf("yolodetect: interval=%s counts frames", value);
    return NULL;
}

/* one option: NULL, or why it ties frames together; new string */
static char *judge_option(const char *filter, const char *key, const char *value)
{
    const char *word;

    if (*key == '/')
        return strf("%s: %s takes its value from a file; write it in the command", filter, key + 1);
    if (is_expression(filter, key) && (word = counting_word(value)))
        return strf("%s: %s=%s: '%s' depends on the frames before; use t", filter, key, value, word);
    if (!strcmp(filter, "drawtext") && !strcmp(key, "text") && expands_by_count(value))
        return strf("drawtext: text counts frames or tells the clock; %%{pts} can be split");
    if (!strcmp(filter, "drawtext") && !strcmp(key, "reload"))
        return strf("drawtext: reload reads its file again and again");
    if (!strcmp(filter, "fade") && (!strcmp(key, "start_frame") || !strcmp(key, "s") || !strcmp(key, "nb_frames") || !strcmp(key, "n")))
        return strf("fade: %s counts frames; use st and d (seconds)", key);
    if (!strncmp(filter, "highlight", 9) && !strcmp(key, "follow"))
        return strf("%s: follow smooths from frame to frame", filter);
    if (!strcmp(filter, "yolodetect"))
        return judge_yolodetect(key, value);
    if (!strcmp(filter, "tonemap") && !strcmp(key, "peak_detect"))
        return strf("tonemap: peak_detect looks at frames before");
    return NULL;
}

/* a file that the filter writes: one for all frames */
static int is_result(const char *filter, const char *key)
{
    return !strcmp(filter, "yolodetect") && !strcmp(key, "out");
}

/* files that an option names count as part of the pixels */
static void take_files(FilterCheck *f, const char *value)
{
    struct stat st;
    const char *dot = strrchr(value, '.');

    if (stat(value, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    list_add(&f->files, value);
    /* an ncnn net is a pair of files */
    if (dot && !strcmp(dot, ".param")) {
        list_addf(&f->files, "%.*s.bin", (int)(dot - value), value);
        if (stat(f->files.v[f->files.nb - 1], &st) < 0)
            av_freep(&f->files.v[--f->files.nb]);
    }
}

/* the weak-denoise sibling that esrgan finds by itself */
static void take_sibling(FilterCheck *f, const char *model)
{
    const char *at = strstr(model, "general-x4v3");
    char *wdn = at ? strf("%.*sgeneral-wdn-x4v3%s", (int)(at - model), model, at + 12) : NULL;

    if (wdn)
        take_files(f, wdn);
    av_free(wdn);
}

static int declared(const StrList *l, const char *name, int *back, int *ahead)
{
    const size_t len = strlen(name);

    for (int i = 0; i < l->nb; i++)
        if (!strncmp(l->v[i], name, len) && l->v[i][len] == '=')
            return sscanf(l->v[i] + len + 1, "%d,%d", back, ahead) == 2 && *back >= 0 && *ahead >= 0 ? 1 : -1;
    return 0;
}

static int judge_filter(FilterCheck *f, const AVFilterParams *fp, const StrList *declarations)
{
    const char *name = fp->filter_name;
    const AVFilter *filter = avfilter_get_by_name(name);
    const AVDictionaryEntry *e = NULL;
    int back = 0, ahead = 0, said = declared(declarations, name, &back, &ahead);

    if (!filter)
        return fail(FAIL_USAGE, "-vf: this build has no filter '%s'; see 'ffmpeg -filters'", name);
    if (said < 0)
        return fail(FAIL_USAGE, "--filter %s=...: must be --filter %s=BACK,AHEAD in frames, as in %s=2,0", name, name, name);
    if (!said && !in_list(memoryless, name) && !bounded(fp, &back, &ahead)) {
        const char *why = "not known to treat each frame alone; if it does, say so: --filter NAME=0,0";
        for (int i = 0; i < FF_ARRAY_ELEMS(ordered); i++)
            if (!strcmp(ordered[i].name, name))
                why = ordered[i].why;
        if (!f->serial)
            f->serial = strf("%s: %s", name, why);
    }
    f->back  += back;
    f->ahead += ahead;
    while ((e = av_dict_iterate(fp->opts, e))) {
        const int result = is_result(name, e->key);
        char *why = result ? strf("%s: %s=%s is one file for all frames", name, e->key, e->value)
                  : said   ? NULL : judge_option(name, e->key, e->value);
        if (why && !f->serial)
            f->serial = why;
        else
            av_free(why);
        if (!result)
            take_files(f, e->value);
        if (!strcmp(name, "esrgan") && !strcmp(e->key, "model"))
            take_sibling(f, e->value);
    }
    return 0;
}

/* a trim is put before the graph and after it: both ends must be open and plain */
static char *judge_ends(const AVFilterGraphSegment *s)
{
    const AVFilterChain *first = s->chains[0], *last = s->chains[s->nb_chains - 1];
    const AVFilterParams *a = first->filters[0], *b = last->filters[last->nb_filters - 1];
    const AVFilter *f = avfilter_get_by_name(a->filter_name);

    if (a->nb_inputs || b->nb_outputs)
        return strf("the graph names its input or output ([in], [out]); begin and end it without a label");
    if (f && !avfilter_filter_pad_count(f, 0) && !(f->flags & AVFILTER_FLAG_DYNAMIC_INPUTS))
        return strf("the graph begins with a source");
    return NULL;
}

int filters_check(FilterCheck *f, const char *graph, const StrList *declarations)
{
    AVFilterGraph *g = need(avfilter_graph_alloc());
    AVFilterGraphSegment *s = NULL;
    int ret;

    *f = (FilterCheck){ 0 };
    ret = avfilter_graph_segment_parse(g, graph, 0, &s);
    if (ret < 0) {
        avfilter_graph_free(&g);
        return fail(FAIL_USAGE, "-vf %s: cannot be parsed: %s", graph, kept_message());
    }
    ret = 0;
    for (size_t i = 0; i < s->nb_chains && !ret; i++)
        for (size_t k = 0; k < s->chains[i]->nb_filters && !ret; k++)
            ret = judge_filter(f, s->chains[i]->filters[k], declarations);
    if (!ret && !f->serial)
        f->serial = judge_ends(s);
    avfilter_graph_segment_free(&s);
    avfilter_graph_free(&g);
    return ret;
}
