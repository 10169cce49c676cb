#!/usr/bin/env python3
# needs: numpy cv2
# pip: numpy opencv-python-headless==4.12.0.88
# Writes tests/ref/highlight_cv.txt: the pixels of cv2.ellipse, for tests/highlight_cv.c.
#   case W H CX CY RX RY A0 A1 THICKNESS PIXELS xCRC   one ellipse in a W x H picture
#   rows ...                                           the same, and its rows follow
#   row Y FIRST-LAST...
#   batch SEED N PIXELS xCRC                           N ellipses by the generator below
# CRC: zlib's, over bytes of 0 and 1, row by row.
# usage: python3 tests/peers/highlight_cv.py > tests/ref/highlight_cv.txt
import sys, zlib
import cv2
import numpy as np

version = tuple(int(v) for v in cv2.__version__.split('.')[:2])
if not (4, 6) <= version <= (4, 12):
    sys.exit(f'OpenCV {cv2.__version__}: 4.6 to 4.12 are wanted, later ones draw strokes of thickness 1 by another rule')

def draw(w, h, cx, cy, rx, ry, a0, a1, t):
    m = np.zeros((h, w), np.uint8)
    cv2.ellipse(m, (cx, cy), (rx, ry), 0, a0, a1, 1, t)
    return m

def case(word, *e):
    m = draw(*e)
    print(word, *e, int(m.sum()), f'x{zlib.crc32(m.tobytes()):08x}')
    return m

def rows(*e):
    m = case('rows', *e)
    for y in np.flatnonzero(m.any(axis=1)):
        d = np.diff(np.concatenate(([0], m[y], [0])).astype(int))
        print('row', y, *(f'{a}-{b - 1}' for a, b in zip(np.flatnonzero(d > 0), np.flatnonzero(d < 0))))

def stream(seed):
    s = seed
    while True:
        s ^= s << 13 & 0xffffffff
        s ^= s >> 17
        s ^= s << 5 & 0xffffffff
        yield s

def random_ellipse(r):
    """the same in tests/highlight_cv.c, call by call"""
    upto = lambda n: next(r) % (n + 1)
    w, h = 1 + upto(159), 1 + upto(159)
    most = (4, 16, 80, 80, 160, 480, 2000, 10000, 10000)[upto(8)]
    rx, ry = upto(most), upto(most)
    k = upto(15)
    if k < 2:
        rx = 0 if k else rx
        ry = ry if k else 0
    cx, cy = upto(w - 1), upto(h - 1)
    if k & 4:                   # its rim near the picture
        cx -= rx * (upto(16) - 8) >> 3
        cy -= ry * (upto(16) - 8) >> 3
    t = upto(28) - 8
    if t < 1:
        t = -1 if t & 1 else 3
    a0, a1 = 0, 360
    if t > 0 and k & 8:
        a0, a1 = -30, 210
        if k == 15:
            a0, a1 = upto(1440) - 720, upto(1440) - 720
    return w, h, cx, cy, rx, ry, a0, a1, t

def batch(seed, n):
    r = stream(seed)
    crc = pixels = 0
    for _ in range(n):
        m = draw(*random_ellipse(r))
        crc = zlib.crc32(m.tobytes(), crc)
        pixels += int(m.sum())
    print('batch', seed, n, pixels, f'x{crc:08x}')

print('# cv2.ellipse of OpenCV 4.6 to 4.12; made by tests/peers/highlight_cv.py')
pens = [(0, 360, -1)] + [(0, 360, t) for t in range(1, 21)] + [(-30, 210, t) for t in (1, 2, 3, 4, 5, 8, 13, 20)]
for rx, ry in (0, 0), (0, 7), (5, 0), (1, 1), (2, 2), (3, 2), (9, 4), (14, 11), (15, 15), (31, 9), (20, 43):
    for pen in pens:
        case('case', 97, 103, 48, 51, rx, ry, *pen)
for cx, cy, rx, ry in ((-3, 20, 9, 12), (95, 50, 30, 18), (40, -9, 33, 10), (40, 78, 22, 12), (48, 40, 60, 55),
                       (400, 40, 350, 300), (48, 40, 10000, 10000), (-9950, 40, 10000, 60), (48, 6000, 70, 5960)):
    for pen in ((0, 360, -1), (0, 360, 1), (0, 360, 3), (0, 360, 5), (0, 360, 16), (-30, 210, 4)):
        case('case', 97, 80, cx, cy, rx, ry, *pen)
rows(64, 48, 30, 22, 17, 19, 0, 360, -1)
rows(64, 48, 30, 22, 17, 19, 0, 360, 1)
rows(64, 48, 30, 22, 17, 19, 0, 360, 4)
rows(64, 48, 30, 40, 26, 5, -30, 210, 2)
for k in range(24):
    batch(1001 + k, 1000)
