/*
 * ffreel: ffmpeg's options, and whom each belongs to
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

#include <string.h>

#include "libavcodec/avcodec.h"
#include "libavutil/opt.h"

#include "ffopts.h"

/*
 * ffmpeg's own options are in a table here; all others are AVOptions, and the
 * libraries tell what they belong to.
 */

static const struct { const char *name; int where; } options[] = {
    { "filter",            VIDEO },       { "vf",                VIDEO },
    { "codec",             VIDEO },       { "c",                 VIDEO },
    { "vcodec",            VIDEO },       { "pix_fmt",           VIDEO },
    { "s",                 VIDEO },       { "aspect",            VIDEO },
    { "q",                 VIDEO },       { "qscale",            VIDEO },
    { "profile",           VIDEO },       { "pre",               VIDEO },
    { "vpre",              VIDEO },       { "top",               VIDEO },
    { "sws_flags",         VIDEO },       { "rc_override",       VIDEO },
    { "intra_matrix",      VIDEO },       { "inter_matrix",      VIDEO },
    { "chroma_intra_matrix", VIDEO },     { "autoscale",         VIDEO | FLAG },
    { "bitexact",          VIDEO | MUX | FLAG },
    { "b",                 VIDEO | RATE }, { "maxrate",          VIDEO | RATE },
    { "minrate",           VIDEO | RATE }, { "bufsize",          VIDEO | RATE },
    { "pass",              VIDEO | RATE }, { "passlogfile",      VIDEO | RATE },
    { "force_key_frames",  VIDEO | SERIAL },
    { "r",                 VIDEO | SERIAL | TIME }, { "fps_mode", VIDEO | TIME },
    { "vsync",             VIDEO | TIME }, { "enc_time_base",    VIDEO | SERIAL | TIME },
    { "fpsmax",            VIDEO | SERIAL | TIME }, { "force_fps", VIDEO | SERIAL | TIME | FLAG },
    { "frames",            VIDEO | SERIAL }, { "vframes",        VIDEO | SERIAL },
    { "t",                 SERIAL },      { "to",                SERIAL },
    { "ss",                SERIAL },      { "fs",                SERIAL },
    { "shortest",          SERIAL | FLAG }, { "target",          SERIAL | TIME },
    { "filter_complex",    SERIAL },      { "lavfi",             SERIAL },
    { "filter_complex_script", SERIAL },  { "filter_script",     SERIAL },
    { "copyts",            SERIAL | FLAG }, { "start_at_zero",   SERIAL | FLAG },
    { "vstats",            SERIAL | FLAG }, { "vstats_file",     SERIAL },
    { "stats_enc_pre",     SERIAL },      { "stats_enc_post",    SERIAL },
    { "stats_mux_pre",     SERIAL },      { "copytb",            SERIAL },
    { "map_metadata",      MUX | KEEP },  { "map_chapters",      MUX },
    { "metadata",          MUX | KEEP },  { "disposition",       MUX | KEEP },
    { "program",           MUX },         { "stream_group",      MUX },
    { "f",                 DROP },        { "tag",               MUX | KEEP },
    { "vtag",              MUX },         { "atag",              MUX },
    { "bsf",               MUX | KEEP },  { "attach",            MUX },
    { "timestamp",         MUX },         { "timecode",          MUX },
    { "muxdelay",          MUX },         { "muxpreload",        MUX },
    { "streamid",          MUX },         { "max_muxing_queue_size", MUX },
    { "copyinkf",          MUX | FLAG },  { "copypriorss",       MUX },
    { "apad",              MUX },         { "af",                MUX },
    { "acodec",            MUX },         { "scodec",            MUX },
    { "dcodec",            MUX },         { "ar",                MUX },
    { "ac",                MUX },         { "aq",                MUX },
    { "ab",                MUX },         { "aframes",           MUX },
    { "apre",              MUX },         { "spre",              MUX },
    { "sample_fmt",        MUX },         { "channel_layout",    MUX },
    { "ch_layout",         MUX },         { "fix_sub_duration_heartbeat", MUX | FLAG },
    { "ignore_unknown",    MUX | FLAG },  { "copy_unknown",      MUX | FLAG },
    { "map",               DROP },        { "an",                DROP | FLAG },
    { "sn",                DROP | FLAG }, { "dn",                DROP | FLAG },
    { "vn",                DROP | FLAG }, { "y",                 DROP | FLAG },
    { "n",                 DROP | FLAG }, { "hide_banner",       DROP | FLAG },
    { "stdin",             DROP | FLAG }, { "stats",             DROP | FLAG },
    { "v",                 DROP },        { "loglevel",          DROP },
    { "progress",          DROP },        { "stats_period",      DROP },
    { "benchmark",         DROP | FLAG }, { "xerror",            DROP | FLAG },
    { "report",            DROP | FLAG }, { "abort_on",          DROP },
    { "max_alloc",         GLOBAL },      { "cpuflags",          GLOBAL },
    { "cpucount",          GLOBAL },      { "filter_threads",    GLOBAL },
    { "filter_complex_threads", GLOBAL }, { "init_hw_device",    GLOBAL },
    { "filter_hw_device",  GLOBAL },      { "vaapi_device",      GLOBAL },
    { "qsv_device",        GLOBAL },      { "auto_conversion_filters", GLOBAL | FLAG },
    { "max_error_rate",    GLOBAL },      { "debug_ts",          GLOBAL | FLAG },
};

int own_option(const char *name, int *is_no)
{
    *is_no = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass && strncmp(name, "no", 2))
            break;
        for (int i = 0; i < FF_ARRAY_ELEMS(options); i++) {
            if (strcmp(name + 2 * pass, options[i].name) || (pass && !(options[i].where & FLAG)))
                continue;
            *is_no = pass;
            return options[i].where;
        }
    }
    return -1;
}

static int takes(const AVClass *const *cls, const char *name)
{
    return *cls && av_opt_find((void *)cls, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ) != NULL;
}

int library_option(const Command *c, const AVCodec *enc, const AVOutputFormat *of, const char *name)
{
    const AVClass *codec = avcodec_get_class(), *format = avformat_get_class();
    const AVOption *o = av_opt_find(&codec, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ);
    int where = 0;

    if (enc && takes(&enc->priv_class, name))
        where |= VIDEO;
    if (o && (o->flags & AV_OPT_FLAG_ENCODING_PARAM)) {
        if (o->flags & AV_OPT_FLAG_VIDEO_PARAM || !(o->flags & (AV_OPT_FLAG_AUDIO_PARAM | AV_OPT_FLAG_SUBTITLE_PARAM)))
            where |= VIDEO;
        if (o->flags & AV_OPT_FLAG_AUDIO_PARAM)
            where |= MUX;
    }
    if (takes(&format, name) || (of && takes(&of->priv_class, name)))
        where |= MUX;
    /* another encoder's, as of the sound's */
    if (!where) {
        void *it = NULL;
        for (const AVCodec *k; (k = av_codec_iterate(&it)); )
            if (av_codec_is_encoder(k) && k->type != AVMEDIA_TYPE_VIDEO && takes(&k->priv_class, name))
                where |= MUX;
    }
    return where;
}

