#!/usr/bin/env python3
# needs: numpy cv2 onnxruntime
# pip: numpy opencv-python-headless==4.12.0.88 onnxruntime
# Writes tests/ref/yolo.txt: what yolox_nano finds on frames of real clips, by ONNX Runtime and the
# pre- and post-processing that YOLOX documents, for tests/yolo_peers.sh. Both sides are fed the same pictures:
# those that FFMPEG turns into RGB.
#   clip NAME N...            frame numbers
#   frame N xCRC              zlib's CRC of the RGB picture
#   X1 Y1 X2 Y2 CONF CLASS    a box, corners in tenths of a pixel, CONF in thousandths
# usage: FFMPEG=... SHARED=../shared python3 tests/peers/yolo.py > tests/ref/yolo.txt
import os, subprocess, sys, zlib
import cv2
import numpy as np
import onnxruntime

SHARED = os.environ.get('SHARED', '../shared')
FFMPEG = os.environ.get('FFMPEG', 'ffmpeg')
RGB = 'scale=flags=bitexact+accurate_rnd+full_chroma_int,format=rgb24'
CONF, IOU, FRAMES = 0.25, 0.7, 22

def ffmpeg(*args):
    return subprocess.run([FFMPEG, '-v', 'error', '-nostdin', *args], stdout=subprocess.PIPE, check=True).stdout

def clip_frames(path):
    """numbers of frames spread over the clip, and their pictures"""
    lines = ffmpeg('-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framecrc', '-').decode().splitlines()
    n = sum(not l.startswith('#') for l in lines)
    numbers = sorted({i * n // FRAMES for i in range(FRAMES)})
    select = '+'.join(f'eq(n,{i})' for i in numbers)
    raw = ffmpeg('-i', path, '-map', '0:v:0', '-vf', f"select='{select}',{RGB}", '-fps_mode', 'passthrough', '-f', 'image2pipe', '-c:v', 'ppm', '-')
    pictures = []
    while raw:
        magic, size, top, rest = raw.split(b'\n', 3)
        w, h = map(int, size.split())
        assert magic == b'P6' and top == b'255'
        pictures.append(np.frombuffer(rest[:w * h * 3], np.uint8).reshape(h, w, 3))
        raw = rest[w * h * 3:]
    assert len(pictures) == len(numbers), path
    return numbers, pictures

def letterbox(rgb, nh, nw):
    h, w = rgb.shape[:2]
    r = min(nh / h, nw / w)
    out = np.full((nh, nw, 3), 114, np.uint8)
    small = cv2.resize(rgb[:, :, ::-1], (int(w * r), int(h * r)), interpolation=cv2.INTER_LINEAR)
    out[:small.shape[0], :small.shape[1]] = small
    return np.ascontiguousarray(out.transpose(2, 0, 1)[None], np.float32), r

def decode(p, nh, nw):
    """raw 1 x A x 85 -> corners, scores"""
    cells, strides = [], []
    for s in (8, 16, 32):
        y, x = np.mgrid[:nh // s, :nw // s]
        cells.append(np.stack((x.ravel(), y.ravel()), 1))
        strides.append(np.full((x.size, 1), s))
    cells, strides = np.concatenate(cells), np.concatenate(strides)
    xy, wh = (p[0, :, :2] + cells) * strides, np.exp(p[0, :, 2:4]) * strides
    return np.concatenate((xy - wh / 2, xy + wh / 2), 1), p[0, :, 4:5] * p[0, :, 5:]

def area(b):
    return (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])

def nms(boxes, conf, cls):
    """greedy, class by class; indices by falling confidence"""
    order, keep = list(np.argsort(-conf, kind='stable')), []
    while order:
        i = order.pop(0)
        keep.append(i)
        rest = np.array(order, int)
        lo, hi = np.maximum(boxes[i, :2], boxes[rest, :2]), np.minimum(boxes[i, 2:], boxes[rest, 2:])
        both = np.prod(np.clip(hi - lo, 0, None), 1)
        over = both / (area(boxes[i]) + area(boxes[rest]) - both) > IOU
        order = [int(j) for j, o in zip(rest, over) if not (o and cls[j] == cls[i])]
    return keep

def detect(session, rgb):
    nh, nw = session.get_inputs()[0].shape[2:]
    x, r = letterbox(rgb, nh, nw)
    boxes, scores = decode(session.run(None, {session.get_inputs()[0].name: x})[0].astype(np.float64), nh, nw)
    cls, conf = scores.argmax(1), scores.max(1)
    some = conf > CONF
    boxes, cls, conf = boxes[some] / r, cls[some], conf[some]
    h, w = rgb.shape[:2]
    keep = nms(boxes, conf, cls)
    boxes = np.clip(boxes[keep], 0, [w, h, w, h])
    return [(*b, c, k) for b, c, k in zip(boxes, conf[keep], cls[keep]) if b[2] > b[0] and b[3] > b[1]]

session = onnxruntime.InferenceSession(f'{SHARED}/models/yolox_nano.onnx', providers=['CPUExecutionProvider'])
for name in sorted(os.listdir(f'{SHARED}/media/video')):
    numbers, pictures = clip_frames(f'{SHARED}/media/video/{name}')
    print('clip', name, *numbers)
    for n, rgb in zip(numbers, pictures):
        print('frame', n, f'x{zlib.crc32(rgb.tobytes()):08x}')
        for *b, c, k in detect(session, rgb):
            print(*(round(10 * v) for v in b), round(1000 * c), k)
