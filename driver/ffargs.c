/*
 * ffreel: the ffmpeg command, taken apart
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

#include <stdlib.h>
#include <string.h>

#include "libavcodec/avcodec.h"
#include "libavutil/avstring.h"
#include "libavutil/mem.h"

#include "ffopts.h"

/* of the input: those that shift, cut or repeat it */
static const char *const in_serial[] = {
    "ss", "sseof", "t", "to", "r", "framerate", "itsoffset", "itsscale", "isync", "stream_loop", "readrate", "re",
    "copyts", "start_at_zero", "discard", "an", "vn", "sn", "dn", "bitexact", "display_rotation", NULL
};
static const char *const in_flags[] = {
    "re", "accurate_seek", "autorotate", "find_stream_info", "copyts", "start_at_zero", "an", "vn", "sn", "dn",
    "bitexact", "display_hflip", "display_vflip", "fix_sub_duration", "seek_timestamp", NULL
};

static int in_list(const char *const *l, const char *s)
{
    for (; *l; l++)
        if (!strcmp(*l, s))
            return 1;
    return 0;
}

static void serial(Command *c, const char *why, const char *what)
{
    if (!c->serial)
        c->serial = strf("%s: %s", what, why);
}

/** One option as it stands in the command. */
typedef struct Arg {
    char *name, *spec;                  ///< "c:v:0": "c" and "v:0"
    const char *full, *value;           ///< value NULL: a flag
    char *loaded;                       ///< of "-/vf FILE"
    int   where;
} Arg;

static void arg_free(Arg *a)
{
    av_freep(&a->name);
    av_freep(&a->loaded);
}

/* splits the word at i and takes its value; moves i on */
static int arg_next(Arg *a, const StrList *l, int *i, int input)
{
    const char *word = l->v[*i] + 1;
    const int load = *word == '/';
    char *colon;
    int no, flag;

    *a = (Arg){ .full = word + load, .name = need(av_strdup(word + load)) };
    colon = strchr(a->name, ':');
    if (colon) {
        *colon  = 0;
        a->spec = colon + 1;
    }
    a->where = input ? 0 : own_option(a->name, &no);
    flag     = input ? in_list(in_flags, a->name + (!strncmp(a->name, "no", 2) ? 2 : 0)) || in_list(in_flags, a->name)
                     : a->where >= 0 && a->where & FLAG;
    (*i)++;
    if (flag)
        return 0;
    if (*i >= l->nb)
        return fail(FAIL_USAGE, "-%s at the end of the command lacks its value", a->full);
    a->value = l->v[(*i)++];
    if (load) {
        a->loaded = read_text(a->value);
        if (!a->loaded)
            return fail(FAIL_INPUT, "-/%s %s: cannot be read; name an existing file", a->full, a->value);
        a->loaded[strcspn(a->loaded, "\n")] = 0;
        a->value = a->loaded;
    }
    return 0;
}

static void add(StrList *l, const Arg *a, const char *spec)
{
    list_addf(l, "-%s%s", a->full, a->spec ? "" : spec);
    if (a->value)
        list_add(l, a->value);
}

static void set(char **to, const char *value)
{
    av_freep(to);
    *to = need(av_strdup(value));
}

static int is_video(const Arg *a)
{
    return !a->spec || *a->spec == 'v' || *a->spec == 'V';
}

static int take_global_or_input(Command *c, const Arg *a)
{
    int no;
    const int where = own_option(a->name, &no);

    if (!strcmp(a->name, "f")) {
        set(&c->in_format, a->value);
        return 0;
    }
    if (where >= 0 && where & GLOBAL) {
        add(&c->global, a, "");
        return 0;
    }
    if (where >= 0 && where & DROP && !in_list(in_flags, a->name))
        return 0;
    if (where == SERIAL && !in_list(in_serial, a->name))
        return fail(FAIL_USAGE, "-%s before -i: an output option; it belongs after the input", a->full);
    if (in_list(in_serial, a->name)) {
        char dash[64];
        snprintf(dash, sizeof(dash), "-%s", a->full);
        serial(c, "cuts, shifts or repeats the input", dash);
    }
    add(&c->in, a, "");
    return 0;
}

/* the encoder, the format and the filters: what all else is judged by */
static int take_first(Command *c, const Arg *a)
{
    if (!strcmp(a->name, "f"))
        set(&c->format, a->value);
    else if (!strcmp(a->name, "vcodec") || ((!strcmp(a->name, "c") || !strcmp(a->name, "codec")) && is_video(a)))
        set(&c->encoder, a->value);
    else if (!strcmp(a->name, "vf") || (!strcmp(a->name, "filter") && is_video(a)))
        set(&c->vf, a->value);
    else if (!strcmp(a->name, "map"))
        list_add(&c->maps, a->value);
    else if (!strcmp(a->name, "an") || !strcmp(a->name, "sn") || !strcmp(a->name, "dn"))
        *(*a->name == 'a' ? &c->no_audio : *a->name == 's' ? &c->no_subs : &c->no_data) = 1;
    else if (!strcmp(a->name, "vn"))
        return fail(FAIL_USAGE, "-vn: ffreel renders the video; use ffmpeg for sound alone");
    return 0;
}

static int take_output(Command *c, const Arg *a, const AVCodec *enc, const AVOutputFormat *of)
{
    int where = a->where;
    char dash[64];

    snprintf(dash, sizeof(dash), "-%s", a->full);
    if (where < 0)
        where = library_option(c, enc, of, a->name);
    if (!where)
        return fail(FAIL_USAGE, "-%s: neither ffmpeg nor the encoder %s nor the format %s has it", a->full,
                    c->encoder, c->format);
    if (where & GLOBAL) {
        add(&c->global, a, "");
        return 0;
    }
    if (!(where & DROP) || !strcmp(a->name, "map") || (strlen(a->name) == 2 && a->name[1] == 'n'))
        add(&c->out, a, "");
    if (where & DROP)
        return 0;
    if (where & TIME && !(a->value && (!strcmp(a->name, "fps_mode") || !strcmp(a->name, "vsync")) &&
                          (!strcmp(a->value, "passthrough") || !strcmp(a->value, "0")))) {
        c->keeps_time = 0;
        serial(c, "sets the times of frames anew, in order", dash);
    }
    if (where & TIME)
        return 0;
    if (a->spec && !strchr("vVasdt", *a->spec) && where & VIDEO) {
        serial(c, "a stream named by number or tag is not followed into segments", dash);
        return 0;
    }
    if (!is_video(a) && !(where & KEEP)) {
        if (where & SERIAL)
            serial(c, "looks at the whole output", dash);
        add(&c->mux, a, "");
        return 0;
    }
    if (where & SERIAL)
        serial(c, "looks at the whole output", dash);
    if (where & RATE && !(a->value && !strcmp(a->value, "0")))
        serial(c, "each segment would meet the rate by itself; use -crf or -q:v", dash);
    if (!strncmp(a->name, "map_", 4) && *a->value == '0') {
        /* in the join the source is input 1 */
        list_addf(&c->mux, "-%s", a->full);
        list_addf(&c->mux, "1%s", a->value + 1);
    } else if (where & KEEP || (!a->spec && where & MUX)) {
        add(&c->mux, a, where & VIDEO ? ":a" : "");
    }
    if (where & KEEP || !(where & VIDEO))
        return 0;
    if (!strcmp(a->name, "vf") || !strcmp(a->name, "filter") || !strcmp(a->name, "vcodec") ||
        !strcmp(a->name, "c") || !strcmp(a->name, "codec")) {
        /* "-c copy" is for the other streams as well */
        if (!a->spec && (*a->name == 'c' || !strcmp(a->name, "filter")) && strcmp(a->name, "vcodec")) {
            list_addf(&c->mux, "-%s", a->full);
            list_add(&c->mux, a->value);
        }
        return 0;
    }
    if (!strcmp(a->name, "flags"))
        set(&c->flags, a->value);
    else if (!strcmp(a->name, "x264-params") || !strcmp(a->name, "x265-params"))
        set(&c->enc_params, a->value);
    else
        add(&c->video, a, a->value ? ":v" : "");
    return 0;
}

static void guess_format(Command *c)
{
    const AVOutputFormat *of = av_guess_format(c->format, c->format ? NULL : c->output, NULL);

    if (of && !c->format)
        c->format = need(av_strdup(of->name));
    /* names of several: the first is the muxer's */
    if (c->format)
        c->format[strcspn(c->format, ",")] = 0;
}

/* encoders that a plan may split: constant quality, or no rate at all */
static void judge_encoder(Command *c, const AVCodec *enc)
{
    static const char *const free_of_rate[] = { "libx264", "libx264rgb", "libx265", "libsvtav1", "libaom-av1", "prores", "prores_ks",
                                         "prores_aw", "dnxhd", "mjpeg", NULL };
    static const char *const quality[] = { "-q:v", "-qscale:v", "-crf:v", "-qp:v", "-cq:v", "-global_quality:v",
                                           "-q", "-qscale", NULL };
    const AVCodecDescriptor *d = avcodec_descriptor_get(enc->id);
    int steady = in_list(free_of_rate, enc->name) || !(d && d->props & AV_CODEC_PROP_LOSSY);

    for (int i = 0; i < c->video.nb; i++)
        steady |= in_list(quality, c->video.v[i]) || !strncmp(c->video.v[i], "-qscale:v", 9);
    if (!steady)
        serial(c, "its default is a bit rate, which each segment would meet by itself; give -q:v, -crf or -qp", enc->name);
    if (c->enc_params && (strstr(c->enc_params, "bitrate=") || strstr(c->enc_params, "vbv") ||
                          strstr(c->enc_params, "pass=") || strstr(c->enc_params, "stats=")))
        serial(c, "each segment would meet the rate by itself; use crf", "the encoder's -params");
}

static int parse_tail(Command *c, const StrList *tail, int from)
{
    const AVOutputFormat *of;
    const AVCodec *enc;
    int ret = 0;
    Arg a;

    for (int i = from; i < tail->nb; ) {
        if (tail->v[i][0] != '-' || !tail->v[i][1]) {
            if (c->output)
                return fail(FAIL_USAGE, "two outputs, '%s' and '%s': ffreel makes one; an option may lack its value",
                            c->output, tail->v[i]);
            set(&c->output, tail->v[i++]);
            continue;
        }
        if (!(ret = arg_next(&a, tail, &i, 0)))
            ret = take_first(c, &a);
        arg_free(&a);
        if (ret)
            return ret;
    }
    if (!c->output)
        return fail(FAIL_USAGE, "no output after '--': end the command with the file to make");
    guess_format(c);
    of = c->format ? av_guess_format(c->format, NULL, NULL) : NULL;
    if (!of)
        return fail(FAIL_USAGE, "%s: no format of that name; give -f, or a known ending such as .mp4", c->output);
    if (!c->encoder) {
        const enum AVCodecID id = av_guess_codec(of, NULL, c->output, NULL, AVMEDIA_TYPE_VIDEO);
        enc = avcodec_find_encoder(id);
        if (!enc)
            return fail(FAIL_USAGE, "%s: this build has no video encoder for %s; give -c:v", c->output, c->format);
        set(&c->encoder, enc->name);
    }
    enc = avcodec_find_encoder_by_name(c->encoder);
    if (!enc && avcodec_descriptor_get_by_name(c->encoder))
        enc = avcodec_find_encoder(avcodec_descriptor_get_by_name(c->encoder)->id);
    if (!strcmp(c->encoder, "copy"))
        serial(c, "copying is not worth a split", "-c:v copy");
    else if (!enc || enc->type != AVMEDIA_TYPE_VIDEO)
        return fail(FAIL_USAGE, "-c:v %s: no such video encoder in this build; see 'ffmpeg -encoders'", c->encoder);
    for (int i = from; i < tail->nb; ) {
        if (tail->v[i][0] != '-' || !tail->v[i][1]) {
            i++;
            continue;
        }
        if (!(ret = arg_next(&a, tail, &i, 0)))
            ret = take_output(c, &a, enc, of);
        arg_free(&a);
        if (ret)
            return ret;
    }
    if (enc && strcmp(c->encoder, "copy"))
        judge_encoder(c, enc);
    return 0;
}

int command_parse(Command *c, const Options *o)
{
    int from = 0, ret = 0;

    *c = (Command){ .keeps_time = 1 };
    for (int i = 0; i < o->tail.nb; i++)
        if (!strcmp(o->tail.v[i], "-i"))
            from = i;
    if (from && (!o->tail.v[from + 1] || o->input))
        return fail(FAIL_USAGE, o->input ? "two inputs: one as -i before '--', one after it" : "-i lacks its file");
    for (int i = 0; i < from; ) {
        Arg a;
        if (o->tail.v[i][0] != '-')
            return fail(FAIL_USAGE, "'%s' before -i is no option", o->tail.v[i]);
        if (!strcmp(o->tail.v[i], "-i"))
            return fail(FAIL_USAGE, "several inputs: ffreel renders one; use ffmpeg, or the movie filter");
        if (!(ret = arg_next(&a, &o->tail, &i, 1)))
            ret = take_global_or_input(c, &a);
        arg_free(&a);
        if (ret)
            return ret;
    }
    if (!from && o->tail.nb && !strcmp(o->tail.v[0], "-i") && o->tail.nb > 1) {
        set(&c->input, o->tail.v[1]);
        from = 2;
    } else if (from) {
        set(&c->input, o->tail.v[from + 1]);
        from += 2;
    } else if (o->input) {
        set(&c->input, o->input);
    } else {
        return fail(FAIL_USAGE, "no input: ffreel render -i in.mp4 -- ... out.mp4");
    }
    return parse_tail(c, &o->tail, from);
}

void command_free(Command *c)
{
    list_free(&c->global);
    list_free(&c->in);
    list_free(&c->video);
    list_free(&c->mux);
    list_free(&c->out);
    list_free(&c->maps);
    av_freep(&c->input);
    av_freep(&c->output);
    av_freep(&c->in_format);
    av_freep(&c->format);
    av_freep(&c->vf);
    av_freep(&c->encoder);
    av_freep(&c->flags);
    av_freep(&c->enc_params);
    av_freep(&c->serial);
}
