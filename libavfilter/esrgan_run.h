/*
 * Runs a net over frames, with all threads
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


#ifndef AVFILTER_ESRGAN_RUN_H
#define AVFILTER_ESRGAN_RUN_H

#include "esrgan_pic.h"
#include "esrgan_tile.h"
#include "nn_engine.h"

/**
 * @file
 * One frame: conversion to RGB, tiles through the engine, conversion back, each
 * step by all threads. A tile whose result holds NaN or infinity is redone in
 * fp32.
 */

/** Calls job(arg, 0 .. nb_jobs-1, nb_jobs), several at once; returns when all are done. */
typedef void ESRGANJob(void *arg, int job, int nb_jobs);
typedef void ESRGANExecute(void *opaque, ESRGANJob *job, void *arg, int nb_jobs);

typedef struct ESRGANRunParams {
    ESRGANGeometry geo;         ///< scale and align are taken from the graph
    enum AVPixelFormat format;
    const NNGraph *graph;       ///< borrowed; NULL = plain resampling only
    const char    *engine;      ///< borrowed: "auto", ...
    enum NNPrecision precision;
    const char    *device;      ///< borrowed: of the engine; NULL = its own
    int            tile;        ///< 0 = chosen
    int            halo;        ///< input pixels, or one of:
#define ESRGAN_HALO_AUTO  -1    ///< the graph's default_halo
#define ESRGAN_HALO_EXACT -2    ///< the graph's halo
    int            nb_threads;
    struct AVFilterContext *filter; ///< borrowed: as in NNConfig
    const char    *kernels;     ///< borrowed: as in NNConfig
    ESRGANExecute *execute;
    void          *opaque;      ///< of execute
    void          *log;
} ESRGANRunParams;

typedef struct ESRGANRun {
    ESRGANRunParams par;
    ESRGANPic   pic;
    ESRGANPlan  plan;
    NNRunner    runner;
    NNRunner    safe;           ///< fp32; opened when first needed
    uint8_t    *bad;            ///< per tile: its result is not finite
    int64_t     frames, redone; ///< frames run; tiles redone in fp32
    int64_t     us_in, us_net, us_out;
} ESRGANRun;

/** Open the engine and plan the tiles. Give back with ff_esrgan_run_close() in any case. */
int  ff_esrgan_run_open(ESRGANRun *r, const ESRGANRunParams *par);
void ff_esrgan_run_close(ESRGANRun *r);

/**
 * in -> out; both have the format and sizes that the run was opened for.
 * @param strength 0..1; 0 without a graph
 */
int  ff_esrgan_run_frame(ESRGANRun *r, const AVFrame *in, AVFrame *out, float strength);

#endif /* AVFILTER_ESRGAN_RUN_H */
