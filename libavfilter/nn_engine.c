/*
 * Engines that run nets: choice by name or speed
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

#include "nn_engine.h"

/* in the order in which "auto" asks them */
static const NNEngine *const engines[] = {
#if CONFIG_LIBDNNL
    &ff_nn_engine_onednn,
#endif
    &ff_nn_engine_ref,
    &ff_nn_engine_torch,
    &ff_nn_engine_cuda,     /* so "auto" takes it for what no other has: fp16 */
    NULL
};

const char *ff_nn_precision_name(enum NNPrecision p)
{
    static const char *const names[NN_PREC_NB] = {
        [NN_PREC_AUTO] = "auto", [NN_PREC_FP32] = "fp32", [NN_PREC_BF16] = "bf16",
        [NN_PREC_FP16] = "fp16", [NN_PREC_INT8] = "int8",
    };
    return (unsigned)p < NN_PREC_NB ? names[p] : "unknown";
}

static void log_unknown(const char *engine, void *log)
{
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
    for (int i = 0; engines[i]; i++)
        av_bprintf(&bp, " %s", engines[i]->name);
    av_log(log, AV_LOG_ERROR, "engine '%s' is not in this build, which has: auto%s\n", engine, bp.str);
    av_bprint_finalize(&bp, NULL);
}

/* what the user is to do where no engine was found */
static int not_taken(const char *engine, const NNGraph *g, const NNConfig *cfg)
{
    const char *prec = ff_nn_precision_name(cfg->precision);

    if (g->script)
        av_log(cfg->log, AV_LOG_ERROR, "'%s' is a TorchScript file: engine=torch alone runs those, in fp32, bf16 or fp16 "
               "(engine=%s:precision=%s was asked for)\n", g->script, engine, prec);
    else if (!strcmp(engine, ff_nn_engine_torch.name))
        av_log(cfg->log, AV_LOG_ERROR, "engine torch runs TorchScript files alone, not %s; try engine=auto\n", g->arch);
    else if (!strcmp(engine, "auto"))
        av_log(cfg->log, AV_LOG_ERROR, "no engine of this build runs %s in precision %s; try precision=auto\n", g->arch, prec);
    else
        av_log(cfg->log, AV_LOG_ERROR, "engine %s cannot run %s in precision %s; try engine=auto or precision=auto\n",
               engine, g->arch, prec);
    return AVERROR(ENOSYS);
}

int ff_nn_runner_open(NNRunner *r, const char *engine, const NNGraph *g, const NNConfig *cfg)
{
    const int any = !strcmp(engine, "auto");
    int known = any;

    memset(r, 0, sizeof(*r));
    for (int i = 0; engines[i]; i++) {
        int ret;
        if (!any && strcmp(engine, engines[i]->name))
            continue;
        known = 1;
        ret = engines[i]->scripts == !!g->script ? engines[i]->open(&r->ctx, g, cfg) : AVERROR(ENOSYS);
        if (ret >= 0) {
            r->engine = engines[i];
            av_log(cfg->log, AV_LOG_VERBOSE, "engine %s, %s, for %s\n", r->engine->name,
                   ff_nn_precision_name(r->engine->precision(r->ctx)), g->arch);
            return 0;
        }
        r->ctx = NULL;
        if (ret != AVERROR(ENOSYS))
            return ret;
        av_log(cfg->log, AV_LOG_VERBOSE, "engine %s does not take %s in %s\n", engines[i]->name,
               g->arch, ff_nn_precision_name(cfg->precision));
    }
    if (!known) {
        log_unknown(engine, cfg->log);
        return AVERROR(EINVAL);
    }
    return not_taken(engine, g, cfg);
}

void ff_nn_runner_close(NNRunner *r)
{
    if (r->ctx)
        r->engine->close(&r->ctx);
    memset(r, 0, sizeof(*r));
}
