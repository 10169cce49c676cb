/*
 * highlight: regions of time and their keys
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

#ifndef AVFILTER_HIGHLIGHT_LOAD_H
#define AVFILTER_HIGHLIGHT_LOAD_H

/**
 * @file
 * What to highlight when: regions of time, each with a track of keys.
 */

#include "keytrack.h"

/**
 * Values of a key, in this order. x, y: centre; rx, ry: semi-axes; pixels. In
 * keys radii are >= 0, but what catmull makes of them may be less, and of
 * opacities less than 0 or more than 1.
 */
enum {
    HL_X, HL_Y, HL_RX, HL_RY,
    HL_STROKE,      ///< opacity of the ring, 0..1; NAN: not given
    HL_FILL,        ///< opacity of the colour inside, 0..1; NAN: not given
    HL_OPACITY,     ///< strength of the effect, 0..1; NAN: not given
    HL_COLOR,       ///< 0xRRGGBB, or -1: none; NAN: not given. Not interpolated
    HL_VALS
};

enum HighlightEffect {
    HL_EFFECT_AUTO = -1,
    HL_DARK_OVERLAY,    ///< dim outside
    HL_BRIGHTNESS,      ///< brighter inside; with a colour: tint and outline
    HL_RING,            ///< stroke with a darker outline
    HL_GROUND,          ///< ellipse at the feet, open arc
    HL_SPOT,            ///< dim outside, soft, no ring
    HL_DESATURATE,      ///< less colour outside
    HL_BLUR,            ///< blurred outside
    HL_ORIGINAL,        ///< nothing
    HL_EFFECTS
};

enum HighlightShape {
    HL_SHAPE_AUTO = -1,
    HL_BODY,
    HL_AT_FEET,         ///< "ground"
};

typedef struct HighlightRegion {
    int       number;           ///< in the list it came from, from 1
    double    start, end;       ///< seconds of the track's time, both inclusive; -INFINITY, INFINITY: open
    int       enabled;
    double    ref_w, ref_h;     ///< size of the picture that the keys are for, 0: that of the input
    int       effect;           ///< enum HighlightEffect; AUTO: that of the filter
    KeyTrack *track;            ///< at least one key, or NULL: draws nothing
} HighlightRegion;

/**
 * A whole list, with the settings that a file may carry for all its regions. The
 * numbers are within the limits of the old pipeline.
 */
typedef struct HighlightList {
    HighlightRegion *region;
    int    nb;
    int    effect;              ///< enum HighlightEffect; AUTO: not given
    int    shape;               ///< enum HighlightShape; AUTO: not given
    double stroke_width;        ///< pixels of a picture 1080 high; NAN: not given
    double dim;                 ///< dim_strength; NAN: not given
    double fill;                ///< fill_opacity; NAN: not given
    int    fill_enabled;        ///< -1: not given
    double color;               ///< as HL_COLOR; where given, all keys have it already
} HighlightList;

extern const KeySpec ff_highlight_spec;

/**
 * Regions from JSON, or one region from the text form of keys.
 * Exactly one of keys, json and path is not NULL.
 * @param keys  text for ff_keytrack_parse(): one region without limits of time
 * @param json  JSON text
 * @param path  JSON file
 * @param list  whatever it was, filled in; freed already when this fails
 * @return 0 or a negative error after one line to log that names the region and the key
 */
int  ff_highlight_load(HighlightList *list, const char *keys, const char *json,
                       const char *path, void *log);
void ff_highlight_list_free(HighlightList *list);

#endif /* AVFILTER_HIGHLIGHT_LOAD_H */
