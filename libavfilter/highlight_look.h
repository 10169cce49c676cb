/*
 * highlight: what regions look like at a time
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

#ifndef AVFILTER_HIGHLIGHT_LOOK_H
#define AVFILTER_HIGHLIGHT_LOOK_H

#include "highlight_load.h"
#include "highlight_scene.h"

enum HighlightRules {
    HL_RULES_NEW,
    HL_RULES_FEB,       ///< the old renderer until April 2026
    HL_RULES_HEAD,      ///< and after
};

/** The options that looks depend on. "Auto" is what the file, the keys or the effect say. */
typedef struct HighlightParams {
    int    rules;               ///< enum HighlightRules
    int    effect, shape;       ///< AUTO, or for all regions
    int    kind;                ///< enum KeyKind for keys that name none; KEY_DEFAULT: that of the rules
    int    vanish;              ///< a region ends with its last key; -1: auto, which is no
    double outside, inside;     ///< strengths 0..1; -1: auto
    double color;               ///< as HL_COLOR; NAN: auto
    double stroke;              ///< width of the ring in pixels of a picture 1080 high; 0: none; -1: auto
    double stroke_opacity;      ///< 0..1; -1: auto
    double feather;             ///< width of the edge in such pixels; 0: hard; -1: auto
    double fade_in, fade_out;   ///< seconds
    double blur;                ///< radius in such pixels
} HighlightParams;

/**
 * @param t     seconds of the track's time
 * @param w, h  of the frame
 * @return what to draw at t; at most HL_DRAWS regions, the first ones
 */
HighlightScene ff_highlight_scene(const HighlightList *list, const HighlightParams *p, double t, int w, int h);

/** The same for one ellipse that is not from a list. @param visible  0..1 */
HighlightScene ff_highlight_scene_at(const HighlightParams *p, const double ellipse[4], double visible, int h);

/* highlight_old.c */
/** Keys that do not count under the old rules go, and values that keys leave open are set. Once. */
void           ff_highlight_old_prepare(HighlightList *list, const HighlightParams *p);
HighlightScene ff_highlight_old_scene(const HighlightList *list, const HighlightParams *p, double t, int w, int h);

/** Values of a region at t in pixels of a frame of w x h. */
void ff_highlight_values(double v[HL_VALS], const HighlightRegion *r, double t, int kind, int w, int h);

/** Moves an ellipse about a body to one on the ground at its feet. */
void ff_highlight_to_ground(double v[HL_VALS]);

/** @return whether nothing at all is to be done */
int ff_highlight_is_empty(const HighlightScene *s);

#endif /* AVFILTER_HIGHLIGHT_LOOK_H */
