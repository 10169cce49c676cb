/*
 * Nets: process-wide cache of loaded models
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

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/thread.h"

#include "nn.h"
#include "nn_torch.h"

/*
 * ffmpeg frees a filtergraph before it builds its successor, so that a model
 * that is dropped with its last user would be read again at once: the last few
 * without a user are kept.
 */
#define NB_KEPT 3

typedef struct Model {
    struct Model *next;         ///< most recently used first
    NNGraph *g;
    int      refs;
    char    *path;
    int64_t  size, mtime;       ///< of the file; -1 = none (builtin, or a mix)
    struct Model *mixed[2];     ///< a mix: of these, to which it holds references
    float    denoise;
} Model;

static AVMutex lock = AV_MUTEX_INITIALIZER;
static Model *models;

static void file_id(const char *path, int64_t *size, int64_t *mtime)
{
    struct stat st;

    *size = *mtime = -1;
    if (strcmp(path, "builtin") && !stat(path, &st)) {
        *size  = st.st_size;
        *mtime = st.st_mtime;
    }
}

static void model_free(Model *m)
{
    for (int i = 0; i < 2; i++)
        if (m->mixed[i])
            m->mixed[i]->refs--;
    ff_nn_graph_free(&m->g);
    av_free(m->path);
    av_free(m);
}

/* drops unused models beyond the last few; a mix goes before what it is made of */
static void trim(int keep)
{
    Model **p = &models;

    while (*p) {
        Model *m = *p;
        if (m->refs || keep-- > 0) {
            p = &m->next;
            continue;
        }
        *p = m->next;
        model_free(m);
    }
}

static void push(Model *m)
{
    m->next = models;
    models  = m;
}

/* takes a match out of the list, for the caller to push to its front */
static Model *pull(const char *path, Model *a, Model *b, float denoise)
{
    int64_t size, mtime;

    if (path)
        file_id(path, &size, &mtime);
    for (Model **p = &models; *p; p = &(*p)->next) {
        Model *m = *p;
        if (path ? m->path && !strcmp(m->path, path) && m->size == size && m->mtime == mtime
                 : m->mixed[0] == a && m->mixed[1] == b && m->denoise == denoise && !m->path) {
            *p = m->next;
            return m;
        }
    }
    return NULL;
}

static void log_loaded(const char *path, const NNGraph *g, void *log)
{
    if (g->script)
        av_log(log, AV_LOG_VERBOSE, "model loaded: '%s', %s, %"PRId64" weights, %"PRId64" bytes an input pixel, align %d, "
               "radius measured: %d\n", path, g->arch, g->nb_weights, g->bytes, g->align,
               g->halo == NN_TORCH_ALL_HALO ? -1 : g->halo);
    else
        av_log(log, AV_LOG_VERBOSE, "model loaded: '%s', %s, %"PRId64" weights, %"PRId64" multiply-adds an input pixel, "
               "halo %d\n", path, g->arch, g->nb_weights, g->macs, g->halo);
}

/* one file; the list's lock is held */
static int ref_file(Model **out, const char *path, void *log)
{
    Model *m = pull(path, NULL, NULL, 0);
    int ret;

    if (!m) {
        m = av_mallocz(sizeof(*m));
        if (!m || !(m->path = av_strdup(path))) {
            av_free(m);
            return AVERROR(ENOMEM);
        }
        file_id(path, &m->size, &m->mtime);
        if ((ret = ff_nn_graph_load(&m->g, path, log)) < 0) {
            model_free(m);
            return ret;
        }
        log_loaded(path, m->g, log);
    }
    m->refs++;
    push(m);
    *out = m;
    return 0;
}

/* takes over the caller's references to a and b, also when it fails */
static int ref_mix(Model **out, Model *a, Model *b, float denoise, void *log)
{
    Model *m = pull(NULL, a, b, denoise);
    int ret = 0;

    if (m) {                    /* it holds references of its own */
        a->refs--;
        b->refs--;
    } else {
        m = av_mallocz(sizeof(*m));
        ret = m ? ff_nn_graph_mix(&m->g, b->g, a->g, denoise, log) : AVERROR(ENOMEM);
        if (ret < 0) {
            av_free(m);
            a->refs--;
            b->refs--;
            return ret;
        }
        m->size     = m->mtime = -1;
        m->mixed[0] = a;
        m->mixed[1] = b;
        m->denoise  = denoise;
    }
    m->refs++;
    push(m);
    *out = m;
    return 0;
}

int ff_nn_model_ref(const NNGraph **g, const char *path, const char *wdn_path,
                    float denoise, void *log)
{
    Model *m = NULL, *wdn = NULL;
    int ret;

    *g = NULL;
    if (!(denoise >= 0 && denoise <= 1)) {
        av_log(log, AV_LOG_ERROR, "denoise is %f; 0 to 1 is possible\n", denoise);
        return AVERROR(EINVAL);
    }
    ff_mutex_lock(&lock);
    ret = ref_file(&m, path, log);
    if (ret >= 0 && wdn_path && denoise < 1) {
        ret = ref_file(&wdn, wdn_path, log);
        if (ret < 0)
            m->refs--;
        else
            ret = ref_mix(&m, m, wdn, denoise, log);
    }
    if (ret >= 0)
        *g = m->g;
    trim(NB_KEPT);
    ff_mutex_unlock(&lock);
    return FFMIN(ret, 0);
}

void ff_nn_model_unref(const NNGraph **g)
{
    if (!*g)
        return;
    ff_mutex_lock(&lock);
    for (Model *m = models; m; m = m->next)
        if (m->g == *g)
            m->refs--;
    trim(NB_KEPT);
    ff_mutex_unlock(&lock);
    *g = NULL;
}
