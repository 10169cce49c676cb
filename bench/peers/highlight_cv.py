#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Speed of the old pipeline's renderer, OpenCV and NumPy on whole frames, and of
the same look drawn with OpenCV as fast as it goes.

usage: highlight_cv.py JOB.json WIDTH HEIGHT FPS IN.raw OURS.raw

Both files hold bgr24 frames. The frames that highlight made under rules=head must be
within one code of those drawn here. Then only the drawing is timed, frames in memory,
OpenCV's threads on; the best of seven passes. Prints: ms a frame, ms a frame tuned,
threads, OpenCV's version, the greatest difference.
"""

import json
import os
import sys
import time

import cv2
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "peers"))
import highlight_look as look


def render_tuned(picture, t, job):
    """look.render_head() for a body: a table for the dim, the rest in the box of the ellipse"""
    s = job["overlay_settings"]
    h, w = picture.shape[:2]
    region = look.active_region(job["highlight_regions"], t)
    v = look.ellipse(region, t, "head", w, h)
    f = look.fade(region, t)
    cx, cy, rx, ry = look.whole_numbers(v["x"], v["y"], v["radiusX"], v["radiusY"])
    c = look.colour(v["color"])
    width = max(2, round(s.get("stroke_width", 2) * h / 1080))
    x0, y0 = max(cx - rx - width - 2, 0), max(cy - ry - width - 2, 0)
    box = slice(y0, max(cy + ry + width + 3, 0)), slice(x0, max(cx + rx + width + 3, 0))
    whole = (cx - x0, cy - y0), (rx, ry), 0, 0, 360

    dim = np.clip(np.arange(256) * (1 - s.get("dim_strength", 0.15) * f), 0, 255).astype(np.uint8)
    out = cv2.LUT(picture, dim)
    inside = np.zeros(out[box].shape[:2], np.uint8)
    cv2.ellipse(inside, *whole, 255, -1)
    cv2.copyTo(picture[box], inside, out[box])
    part = out[box]
    if s.get("fill_enabled", False):
        part = look.blend(part, v["fillOpacity"] * f, c, whole, -1)
    part = look.blend(part, 0.5 * f, tuple(int(0.3 * p) for p in c), whole, width + 2)
    out[box] = look.blend(part, v["strokeOpacity"] * f, c, whole, width)
    return out


def pass_ms(draw, frames, times):
    start = time.perf_counter()
    for frame, t in zip(frames, times):
        draw(frame, t)
    return (time.perf_counter() - start) * 1000 / len(frames)


def main():
    path, w, h, fps = sys.argv[1], *(int(v) for v in sys.argv[2:5])
    with open(path) as f:
        job = json.load(f)
    frames, ours = (np.fromfile(p, np.uint8).reshape(-1, h, w, 3) for p in sys.argv[5:7])
    if frames.shape != ours.shape or not len(frames):
        sys.exit(f"{len(frames)} frames in, {len(ours)} out")
    times = [n / fps for n in range(len(frames))]
    old = lambda frame, t: look.render(frame, t, job, "head")
    tuned = lambda frame, t: render_tuned(frame, t, job)

    worst = 0
    for n, (frame, t) in enumerate(zip(frames, times)):
        want = old(frame, t)
        if np.array_equal(want, frame):
            sys.exit(f"frame {n}: nothing is drawn, there is nothing to compare")
        for name, got in ("highlight", ours[n]), ("the tuned renderer", tuned(frame, t)):
            d = int(cv2.absdiff(want, got).max())
            if d > 1:
                sys.exit(f"frame {n}: {name} is up to {d} codes away from the old look")
            worst = max(worst, d)
    passes = [(pass_ms(old, frames, times), pass_ms(tuned, frames, times)) for _ in range(7)]
    print(*(f"{min(p):.3f}" for p in zip(*passes)), cv2.getNumThreads(), cv2.__version__, worst)


if __name__ == "__main__":
    main()
