#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Speed of a compact super-resolution net in PyTorch eager, on the CPU.

usage: torch_sr.py MODEL.safetensors WIDTHxHEIGHT THREADS SECONDS [fp32|bf16 ...]

The net as its authors run it: nn.Conv2d, nn.PReLU, nn.PixelShuffle, nearest
skip, under inference_mode. Prints one line of JSON for each precision, of the
same form as bench/nn.c: fps by wall clock, fps_cpu by the CPU time of the whole
process over its threads.
"""

import json
import os
import struct
import sys
import time

import torch
from torch import nn

TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read(path):
    """All tensors of a safetensors file in fp32."""
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<Q", data[:8])[0]
    body = bytearray(data[8 + size:])
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        a, b = entry["data_offsets"]
        flat = torch.frombuffer(body, dtype=TYPES[entry["dtype"]], offset=a,
                                count=(b - a) // TYPES[entry["dtype"]].itemsize)
        tensors[name] = flat.reshape(entry["shape"]).float()
    return tensors


class Compact(nn.Module):
    """SRVGGNetCompact of any features, depth and scale."""

    def __init__(self, tensors):
        super().__init__()
        last = max(int(k.split(".")[1]) for k in tensors)
        features = tensors["body.0.weight"].shape[0]
        out = tensors[f"body.{last}.weight"].shape[0]
        self.scale = int((out // 3) ** 0.5 + 0.5)
        body = []
        for i in range(0, last, 2):
            body += [nn.Conv2d(features if i else 3, features, 3, 1, 1), nn.PReLU(features)]
        body.append(nn.Conv2d(features, out, 3, 1, 1))
        self.body = nn.ModuleList(body)
        self.shuffle = nn.PixelShuffle(self.scale)
        self.load_state_dict(tensors)

    def forward(self, x):
        y = x
        for layer in self.body:
            y = layer(y)
        return self.shuffle(y) + nn.functional.interpolate(x, scale_factor=self.scale, mode="nearest")


def best(net, x, seconds, threads):
    """Least wall and CPU time of a frame, after one that does not count."""
    wall = cpu = float("inf")
    net(x)
    end = time.monotonic() + seconds
    while True:
        w, c = time.monotonic(), time.process_time()
        net(x)
        wall = min(wall, time.monotonic() - w)
        cpu = min(cpu, (time.process_time() - c) / threads)
        if time.monotonic() >= end:
            return wall, cpu


def main():
    path, size, threads, seconds = sys.argv[1:5]
    w, h = map(int, size.split("x"))
    torch.set_num_threads(int(threads))
    tensors = read(path)
    macs = sum(t.numel() for t in tensors.values() if t.dim() == 4)
    for precision in sys.argv[5:] or ["fp32", "bf16"]:
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        net = Compact(tensors).eval().to(dtype)
        x = torch.rand(1, 3, h, w, generator=torch.Generator().manual_seed(1)).to(dtype)
        with torch.inference_mode():
            wall, cpu = best(net, x, float(seconds), int(threads))
        print(json.dumps({"bench": "nn", "model": os.path.basename(path), "size": size,
                          "engine": "torch " + torch.__version__.split("+")[0], "precision": precision,
                          "threads": int(threads), "fps": round(1 / wall, 3),
                          "tflops": round(2e-12 * macs * w * h / wall, 4), "fps_cpu": round(1 / cpu, 3)}),
              flush=True)


if __name__ == "__main__":
    main()
