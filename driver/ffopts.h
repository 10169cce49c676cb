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

#ifndef FFREEL_DRIVER_FFOPTS_H
#define FFREEL_DRIVER_FFOPTS_H

#include "driver.h"

enum Where {
    VIDEO   = 1,        ///< with the pixels
    MUX     = 2,        ///< with the final mux
    GLOBAL  = 4,
    DROP    = 8,        ///< the driver's business
    SERIAL  = 16,       ///< forbids to split
    FLAG    = 32,       ///< takes no value
    TIME    = 64,       ///< sets rate or time base
    RATE    = 128,      ///< rate control over the whole
    KEEP    = 256,      ///< with the final mux even if it names the video stream
};

/** Of ffmpeg's own options: a set of enum Where; -1: it is none of them.
 * @param is_no set to 1 for "noX" where X is a flag */
int own_option(const char *name, int *is_no);

/** Of an AVOption: VIDEO (the encoder's, or all encoders'), MUX (the muxer's, or another encoder's), or 0. */
int library_option(const Command *c, const AVCodec *enc, const AVOutputFormat *of, const char *name);

#endif /* FFREEL_DRIVER_FFOPTS_H */
