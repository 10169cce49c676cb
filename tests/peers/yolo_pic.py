#!/usr/bin/env python3
# needs: numpy cv2
# pip: numpy opencv-python-headless==4.12.0.88
# Writes tests/ref/yolo_pic.txt: samples of letterboxed noise as OpenCV's resize() makes it, for tests/yolo_pic.c.
#   case W H NET_W NET_H TOPLEFT SEED    R, G, B noise of the generator below, byte by byte
#   X Y R G B ...                        a row of samples
# usage: python3 tests/peers/yolo_pic.py > tests/ref/yolo_pic.txt
import cv2
import numpy as np

def stream(s):
    while True:
        s ^= s << 13 & 0xffffffff
        s ^= s >> 17
        s ^= s << 5 & 0xffffffff
        yield s

def letterbox(img, nw, nh, topleft):
    h, w = img.shape[:2]
    r = min(nh / h, nw / w)
    size = (int(w * r), int(h * r)) if topleft else (round(w * r), round(h * r))
    left, top = (0, 0) if topleft else (round((nw - size[0]) / 2 - 0.1), round((nh - size[1]) / 2 - 0.1))
    out = np.full((nh, nw, 3), 114, np.uint8)
    out[top:top + size[1], left:left + size[0]] = cv2.resize(img, size, interpolation=cv2.INTER_LINEAR)
    return out

CASES = [(40, 30, 64, 64, 0), (192, 108, 64, 64, 0), (128, 72, 64, 64, 0), (128, 128, 64, 64, 0), (301, 167, 96, 96, 1),
         (100, 41, 64, 64, 1), (33, 97, 320, 320, 0), (64, 64, 64, 64, 0), (7, 5, 96, 64, 1), (640, 360, 416, 416, 1)]
for i, (w, h, nw, nh, topleft) in enumerate(CASES):
    r = stream(i + 1)
    img = np.fromiter((next(r) >> 8 & 255 for _ in range(3 * w * h)), np.uint8).reshape(h, w, 3)
    out = letterbox(img, nw, nh, topleft)
    print('case', w, h, nw, nh, topleft, i + 1)
    for _ in range(8):
        row = []
        for _ in range(8):
            x, y = (next(r) >> 8) % nw, (next(r) >> 8) % nh
            row += [x, y, *out[y, x]]
        print(*row)
