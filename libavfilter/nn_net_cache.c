/*
 * Nets of any shape: files, process-wide cache
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

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/mem.h"
#include "libavutil/thread.h"

#include "nn_load.h"
#include "nn_net.h"

/* ---- files ---------------------------------------------------------------------------------- */

int ff_nn_net_load(NNNet **net, const char *path, void *log)
{
    uint8_t *data = NULL;
    const char *what;
    NNBlob b;
    int ret;

    *net = NULL;
    if ((ret = ff_nn_read_file(&b, &data, path, log)) < 0)
        return ret;
    what = ff_nn_what_instead(&b);
    if (!memcmp(data, "PK\3\4", 4)) {
        ret = ff_nn_load_yolo_pt(net, &b, log);
    } else if (!what && ff_nn_is_onnx(&b)) {
        ret = ff_nn_load_onnx(net, &b, log);
    } else {
        av_log(log, AV_LOG_ERROR, "model '%s' %s\n", path, what ? what :
               "is neither an ONNX file nor a YOLO checkpoint (.pt); detectors of other formats must be exported to ONNX");
        ret = AVERROR_INVALIDDATA;
    }
    av_free(data);
    return ret;
}

/* ---- cache ----------------------------------------------------------------------------------- */

#define NB_KEPT 2               ///< without a user: ffmpeg frees a filtergraph before it builds its successor

typedef struct Entry {
    struct Entry *next;         ///< most recently used first
    NNNet  *net;
    char   *path;
    int64_t size, mtime;
    int     refs;
} Entry;

static AVMutex lock = AV_MUTEX_INITIALIZER;
static Entry *entries;

static void entry_free(Entry *e)
{
    ff_nn_net_free(&e->net);
    av_free(e->path);
    av_free(e);
}

static void trim(int keep)
{
    for (Entry **p = &entries; *p;) {
        Entry *e = *p;
        if (e->refs || keep-- > 0) {
            p = &e->next;
            continue;
        }
        *p = e->next;
        entry_free(e);
    }
}

/* takes a match out of the list */
static Entry *pull(const char *path, int64_t size, int64_t mtime)
{
    for (Entry **p = &entries; *p; p = &(*p)->next) {
        Entry *e = *p;
        if (!strcmp(e->path, path) && e->size == size && e->mtime == mtime) {
            *p = e->next;
            return e;
        }
    }
    return NULL;
}

static int load(Entry **out, const char *path, int64_t size, int64_t mtime, void *log)
{
    Entry *e = av_mallocz(sizeof(*e));
    int ret = AVERROR(ENOMEM);

    if (!e || !(e->path = av_strdup(path)) || (ret = ff_nn_net_load(&e->net, path, log)) < 0) {
        if (e)
            entry_free(e);
        return ret;
    }
    e->size  = size;
    e->mtime = mtime;
    av_log(log, AV_LOG_VERBOSE, "model loaded: '%s', %s, %"PRId64" weights\n", path, e->net->arch, e->net->nb_weights);
    *out = e;
    return 0;
}

int ff_nn_net_ref(const NNNet **net, const char *path, void *log)
{
    struct stat st = { 0 };
    Entry *e;
    int ret = 0;

    *net = NULL;
    if (stat(path, &st) < 0)
        st.st_size = -1;        /* loading says what is wrong */
    ff_mutex_lock(&lock);
    if (!(e = pull(path, st.st_size, st.st_mtime)))
        ret = load(&e, path, st.st_size, st.st_mtime, log);
    if (ret >= 0) {
        e->refs++;
        e->next = entries;
        entries = e;
        *net    = e->net;
    }
    trim(NB_KEPT);
    ff_mutex_unlock(&lock);
    return ret;
}

void ff_nn_net_unref(const NNNet **net)
{
    if (!*net)
        return;
    ff_mutex_lock(&lock);
    for (Entry *e = entries; e; e = e->next)
        if (e->net == *net)
            e->refs--;
    trim(NB_KEPT);
    ff_mutex_unlock(&lock);
    *net = NULL;
}
