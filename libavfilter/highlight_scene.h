/*
 * highlight: what is drawn on one frame
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

#ifndef AVFILTER_HIGHLIGHT_SCENE_H
#define AVFILTER_HIGHLIGHT_SCENE_H

/**
 * @file
 * Between time and pixels: the rules (highlight_look.c, highlight_old.c) turn
 * regions and a time into a scene, the tables (highlight_tab.c) turn a scene
 * into the numbers of highlight_px.h.
 */

#include "highlight_px.h"

enum HighlightBase {
    HL_BASE_NONE,
    HL_BASE_DIM,        ///< outside times 1 - strength
    HL_BASE_GAIN,       ///< inside times 1 + strength, at most 3.99
    HL_BASE_DESATURATE, ///< colour differences outside times 1 - strength
    HL_BASE_BLUR,       ///< outside mixed with a blurred picture by strength
};

/** One ellipse; lengths in luma pixels, opacities 0..1 with fades applied. */
typedef struct HighlightDraw {
    double x, y, rx, ry;        ///< pixel i covers [i, i + 1)
    double hole;                ///< as far as its inside is inside for the base
    double feather;             ///< from all inside to all outside; 0: a step
    double fill;                ///< of color, inside
    double stroke, width;       ///< of color, along the ellipse
    double outline, outline_width; ///< of 0.3 times the color, under the stroke
    int    color;               ///< 0xRRGGBB
    int    open;                ///< stroke and outline leave out the top 120 degrees
    int    old;                 ///< drawn as cv2.ellipse() does: lengths are whole numbers then
} HighlightDraw;

typedef struct HighlightScene {
    enum HighlightBase base;
    double strength;            ///< 0..1, of HL_BASE_GAIN more
    int    truncate;            ///< the base is rounded down
    int    blur;                ///< radius in luma pixels, >= 1
    int    nb;                  ///< 0 and base strength 0: nothing is drawn
    HighlightDraw draw[HL_DRAWS];
} HighlightScene;

#endif /* AVFILTER_HIGHLIGHT_SCENE_H */
