/*
 * Nets: the text of an ncnn .param file
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

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/log.h"

#include "nn_ncnn.h"

#define ARRAY_ID (-23300)       ///< "-23310=1,0.2" is the array of parameter 10

int ff_ncnn_fail(const NcnnParser *p, const NcnnLayer *l, const char *why, int err)
{
    av_log(p->log, AV_LOG_ERROR, "%s: layer '%s' of type '%s' %s\n", p->param->name, l->name, l->type, why);
    return err;
}

static int broken(const NcnnParser *p, const NcnnLayer *l, const char *why)
{
    return ff_ncnn_fail(p, l, why, AVERROR_INVALIDDATA);
}

static int unknown(const NcnnParser *p, const NcnnLayer *l, const char *why)
{
    return ff_ncnn_fail(p, l, why, AVERROR_PATCHWELCOME);
}

static int parse_id(NcnnParser *p, NcnnLayer *l, const char *text)
{
    char *end;
    long id = strtol(text, &end, 10);
    int nb;

    if (end == text || *end != '=')
        return broken(p, l, "has a parameter that is not id=value");
    text = end + 1;
    if (id > ARRAY_ID) {
        if (id < 0 || id >= NCNN_MAX_ID)
            return unknown(p, l, "has a parameter that is not known");
        l->v[id]   = strtod(text, &end);
        l->set[id] = 1;
        if (end == text || *end || !isfinite(l->v[id]) || fabs(l->v[id]) > 1e9)
            return broken(p, l, "has a parameter that is no number");
        return 0;
    }
    if (id <= ARRAY_ID - NCNN_MAX_ID)
        return unknown(p, l, "has a parameter that is not known");
    id = ARRAY_ID - id;
    nb = l->nb_array[id] = strtol(text, &end, 10);
    l->set[id] = 1;
    for (int i = 0; i < nb; i++) {
        double v;
        if (*end != ',')
            return broken(p, l, "has an array that is shorter than it says");
        text = end + 1;
        v    = strtod(text, &end);
        if (i < 2)
            l->array[id][i] = v;
        if (end == text || !isfinite(v))
            return broken(p, l, "has an array of what are no numbers");
    }
    return *end || nb < 0 ? broken(p, l, "has an array that is longer than it says") : 0;
}

static int find_blob(const NcnnParser *p, const char *name)
{
    int i = p->nb_blobs - 1;

    while (i >= 0 && strcmp(p->blobs[i].name, name))
        i--;
    return i;
}

static int add_blob(NcnnParser *p, const NcnnLayer *l, const char *name)
{
    if (p->nb_blobs >= p->max_blobs)
        return broken(p, l, "is one with more blobs than the header announces");
    if (strlen(name) >= NN_MAX_NAME || find_blob(p, name) >= 0)
        return broken(p, l, "writes a blob whose name is too long or taken");
    memcpy(p->blobs[p->nb_blobs].name, name, strlen(name) + 1);
    return p->nb_blobs++;
}

int ff_ncnn_parse_layer(NcnnParser *p, NcnnLayer *l, char *line)
{
    char *save = NULL, *type = av_strtok(line, " \t\r", &save), *name = av_strtok(NULL, " \t\r", &save);
    char *in = av_strtok(NULL, " \t\r", &save), *out = av_strtok(NULL, " \t\r", &save), *s;
    int ret;

    memset(l, 0, sizeof(*l));
    av_strlcpy(l->type, type ? type : "", sizeof(l->type));
    av_strlcpy(l->name, name ? name : "", sizeof(l->name));
    l->nb_in  = in  ? atoi(in)  : -1;
    l->nb_out = out ? atoi(out) : -1;
    if (l->nb_in < 0 || l->nb_out < 1 || l->nb_out > p->max_blobs)
        return broken(p, l, "does not say what it reads and writes");
    if (l->nb_in > NN_MAX_IN)
        return unknown(p, l, "has more inputs than can be");
    for (int i = 0; i < l->nb_in; i++) {
        if (!(s = av_strtok(NULL, " \t\r", &save)) || (l->in[i] = find_blob(p, s)) < 0)
            return broken(p, l, "reads what no layer before it writes");
        if (p->blobs[l->in[i]].used++)
            return broken(p, l, "reads what another has read, without a Split");
    }
    for (int i = 0; i < l->nb_out; i++)
        if (!(s = av_strtok(NULL, " \t\r", &save)) || (ret = add_blob(p, l, s)) < 0)
            return s ? ret : broken(p, l, "lacks the names of its outputs");
    while ((s = av_strtok(NULL, " \t\r", &save)))
        if ((ret = parse_id(p, l, s)) < 0)
            return ret;
    return 0;
}

double ff_ncnn_num(const NcnnLayer *l, int id, double def)
{
    return l->set[id] ? l->v[id] : def;
}

