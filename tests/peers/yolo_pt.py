# Tiny detectors with weights from a formula, as PyTorch runs them in double precision:
# tests/yolo_pt.c writes the same nets as checkpoints and must get the same numbers.
# needs: torch numpy ultralytics
# pip: torch numpy ultralytics
#
# ultralytics is imported as it is installed; nothing of it is copied. It is AGPL-3.0.
import os

os.environ["YOLO_AUTOINSTALL"] = "false"
os.environ["YOLO_OFFLINE"] = "true"
import numpy as np
import torch
from ultralytics.nn.tasks import DetectionModel

GAIN = {"v8": 16, "v11": 10}   # so that what a picture shows comes through all layers
BOTH = {"nc": 3, "depth_multiple": 1.0, "width_multiple": 1.0}
NETS = {
    "v8": dict(BOTH, backbone=[
        [-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [16, 3, 2]], [-1, 1, "C2f", [16, True]],
        [-1, 1, "Conv", [16, 3, 2]], [-1, 2, "C2f", [16, True]], [-1, 1, "Conv", [32, 3, 2]],
        [-1, 1, "SPPF", [32, 5]]], head=[
        [-1, 1, "nn.Upsample", [None, 2, "nearest"]], [[-1, 4], 1, "Concat", [1]], [-1, 1, "C2f", [16]],
        [-1, 1, "Conv", [16, 3, 2]], [[-1, 6], 1, "Concat", [1]], [-1, 1, "C2f", [32]],
        [[9, 12], 1, "Detect", ["nc"]]]),
    "v11": dict(BOTH, backbone=[
        [-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [16, 3, 2]], [-1, 1, "C3k2", [32, False, 0.25]],
        [-1, 1, "Conv", [32, 3, 2]], [-1, 1, "C3k2", [32, True]], [-1, 1, "Conv", [128, 3, 2]],
        [-1, 1, "SPPF", [128, 5]], [-1, 1, "C2PSA", [128]]], head=[
        [-1, 1, "nn.Upsample", [None, 2, "nearest"]], [[-1, 4], 1, "Concat", [1]], [-1, 1, "C3k2", [32, False]],
        [-1, 1, "Conv", [32, 3, 2]], [[-1, 7], 1, "Concat", [1]], [-1, 1, "C3k2", [64, True]],
        [[10, 13], 1, "Detect", ["nc"]]]),
}


def numbers(name, n):
    """-1 to 127/128 in steps of 1/128, from the name and the place"""
    h = 2166136261
    for c in name.encode():
        h = ((h ^ c) * 16777619) & 0xFFFFFFFF
    x = (np.uint64(h) + np.arange(n, dtype=np.uint64) * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return ((x >> np.uint64(24)).astype(np.float64) - 128) / 128


def weights(name, shape, gain):
    u = numbers(name, int(np.prod(shape))).reshape(shape)
    if name.endswith("dfl.conv.weight"):
        return np.arange(16, dtype=np.float64).reshape(shape)
    if name.endswith("bn.weight"):
        return 1 + u / 4
    if name.endswith("bn.bias"):
        return u / 4
    if name.endswith("running_mean"):
        return u / 8
    if name.endswith("running_var"):
        return 1 + u / 2
    if name.endswith("bias"):
        return u
    amp = 1.0
    while amp * amp * np.prod(shape[1:]) > gain:
        amp /= 2
    return u * amp


def picture(h, w):
    c, y, x = np.mgrid[0:3, 0:h, 0:w]
    return ((7 * c + 3 * y + 5 * x + y * x % 11) % 32 / 32.0)[None]


for name, cfg in NETS.items():
    net = DetectionModel(cfg, ch=3, nc=3, verbose=False).eval().double()
    state = net.state_dict()
    for key, value in state.items():
        if "num_batches" not in key:
            value.copy_(torch.from_numpy(weights(key, tuple(value.shape), GAIN[name])))
    with torch.no_grad():
        out = net(torch.from_numpy(picture(64, 96)))
    out = (out[0] if isinstance(out, (tuple, list)) else out).numpy()[0]
    print(name, *out.shape)
    for row in out:
        print(" ".join("%.9g" % v for v in row))
