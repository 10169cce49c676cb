/*
 * What differs between the FFmpeg versions that we build in (7.1, 8.1, 9.0)
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

#ifndef AVFILTER_FFREEL_COMPAT_H
#define AVFILTER_FFREEL_COMPAT_H

#include "libavfilter/version.h"
#include "filters.h"

/*
 * const FFREEL_FILTER ff_vf_x = {
 *     .FFREEL_PUB(name) = "x",        // .p.name since 8.0, .name before
 *     .priv_size        = sizeof(X),
 */
#if LIBAVFILTER_VERSION_MAJOR >= 11
#define FFREEL_FILTER FFFilter
#define FFREEL_PUB(field) p.field
#else
#define FFREEL_FILTER AVFilter
#define FFREEL_PUB(field) field
#endif

#endif /* AVFILTER_FFREEL_COMPAT_H */
