/*
 * highlight: ellipses with exactly the pixels of OpenCV's
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


#ifndef AVFILTER_HIGHLIGHT_CV_H
#define AVFILTER_HIGHLIGHT_CV_H

/**
 * @file
 * For the two old looks, which were drawn by cv2.ellipse(img, (cx, cy), (rx, ry),
 * 0, a0, a1, colour, thickness) with lineType 8 and shift 0. Its "ellipse" is a
 * polygon with a corner every 5 degrees (fewer where both radii are below 15),
 * stepped in 16-bit fixed point: no formula for a pixel gives the same set.
 *
 * The pixels depend on the size of the picture, not only on the ellipse: lines
 * are cut at its border before they are stepped. They do not depend on the
 * window. Equal to OpenCV 4.6 to 4.12; later ones (4.13, 4.14, 5.0) draw strokes
 * of thickness 1, and only these, by another rule. All on x86; tests/peers/.
 *
 * Cost: the rows and columns of the ellipse inside of the window, and for a
 * stroke a bar and a disc for each of up to 73 corners. On one core, radii 70
 * and 130: filled 9 us, a stroke of thickness 1, 3, 5: 5, 24, 19 us; radii 900
 * and 500 in 1920x1080: filled 44 us, thickness 5: 44 us.
 */

#include <stddef.h>
#include <stdint.h>

#define HL_CV_MAX_RADIUS    131071
#define HL_CV_MAX_THICKNESS 255

/** A window of a picture, a byte a pixel. Borrowed. */
typedef struct HighlightCvMap {
    uint8_t  *data;             ///< pixel (x, y) of the picture
    ptrdiff_t stride;
    int       x, y, w, h;       ///< the window; must lie within the picture
    int       pic_w, pic_h;
} HighlightCvMap;

typedef struct HighlightCvEllipse {
    int cx, cy;                 ///< may lie outside of the picture
    int rx, ry;                 ///< 0..HL_CV_MAX_RADIUS; both 0: one pixel, or one dot of the pen
    int a0, a1;                 ///< degrees, clockwise from +x: 0, 360 is all of it. Filled: not read
    int thickness;              ///< of the stroke, 0 (the same as 1)..HL_CV_MAX_THICKNESS; -1: filled
} HighlightCvEllipse;

/**
 * OR bits into the bytes of the ellipse's pixels.
 * @return 0, or AVERROR(EINVAL) for radii or thickness out of range (OpenCV refuses
 *         negative radii too); nothing is marked then
 */
int ff_highlight_cv_ellipse(const HighlightCvMap *m, const HighlightCvEllipse *e, uint8_t bits);

/** @return by how much the pixels may lie further from the centre than rx and ry say */
static inline int ff_highlight_cv_reach(int thickness)
{
    return thickness < 0 ? 0 : thickness / 2 + 1;
}

#endif /* AVFILTER_HIGHLIGHT_CV_H */
