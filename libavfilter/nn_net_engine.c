/*
 * Engines that run nets of any shape: choice by name or speed
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

#include "config.h"
#include "libavutil/bprint.h"
#include "libavutil/error.h"
#include "libavutil/log.h"

#include "nn_net.h"

/* in the order in which "auto" asks them */
static const NNNetEngine *const engines[] = {
#if CONFIG_LIBDNNL
    &ff_nn_net_engine_onednn,
#endif
    &ff_nn_net_engine_ref,
    NULL
};

static void log_unknown(const char *engine, void *log)
{
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
    for (int i = 0; engines[i]; i++)
        av_bprintf(&bp, " %s", engines[i]->name);
    av_log(log, AV_LOG_ERROR, "engine '%s' is not in this build, which has: auto%s\n", engine, bp.str);
    av_bprint_finalize(&bp, NULL);
}

int ff_nn_net_open(NNNetRunner *r, const char *engine, const NNNet *net, const NNConfig *cfg, int threads)
{
    const int any = !strcmp(engine, "auto");
    int known = any;

    memset(r, 0, sizeof(*r));
    for (int i = 0; engines[i]; i++) {
        int ret;
        if (!any && strcmp(engine, engines[i]->name))
            continue;
        known = 1;
        ret = engines[i]->open(&r->ctx, net, cfg, threads);
        if (ret >= 0) {
            r->engine = engines[i];
            av_log(cfg->log, AV_LOG_VERBOSE, "engine %s, %s, for %s\n", r->engine->name,
                   ff_nn_precision_name(r->engine->precision(r->ctx)), net->arch);
            return 0;
        }
        r->ctx = NULL;
        if (ret != AVERROR(ENOSYS))
            return ret;
        av_log(cfg->log, AV_LOG_VERBOSE, "engine %s does not take %s in %s\n", engines[i]->name,
               net->arch, ff_nn_precision_name(cfg->precision));
    }
    if (!known) {
        log_unknown(engine, cfg->log);
        return AVERROR(EINVAL);
    }
    if (any)
        av_log(cfg->log, AV_LOG_ERROR, "no engine of this build runs %s in precision %s; try precision=auto\n",
               net->arch, ff_nn_precision_name(cfg->precision));
    else
        av_log(cfg->log, AV_LOG_ERROR, "engine %s cannot run %s in precision %s; try engine=auto or precision=auto\n",
               engine, net->arch, ff_nn_precision_name(cfg->precision));
    return AVERROR(ENOSYS);
}

void ff_nn_net_close(NNNetRunner *r)
{
    if (r->ctx)
        r->engine->close(&r->ctx);
    memset(r, 0, sizeof(*r));
}
