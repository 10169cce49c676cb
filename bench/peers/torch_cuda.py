#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Speed of PyTorch on a GPU: the product that is the yardstick, and compact nets.

usage: torch_cuda.py gemm | torch_cuda.py eager|compile MODEL.safetensors WIDTHxHEIGHT

fp16, channels_last, under inference_mode, random data, 3 s of warming up, the
median of 5 rounds by events of the device. Prints one line of name=value.
"""

import statistics
import sys
import time

import torch

from torch_sr import Compact, read


def median_ms(run, warm=3.0):
    end = time.monotonic() + warm
    nb = 0
    start = time.monotonic()
    while time.monotonic() < end:
        run()
        torch.cuda.synchronize()
        nb += 1
    nb = max(1, int(nb / (time.monotonic() - start)))
    times = []
    for _ in range(5):
        a, b = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        a.record()
        for _ in range(nb):
            run()
        b.record()
        torch.cuda.synchronize()
        times.append(a.elapsed_time(b) / nb)
    return statistics.median(times)


def gemm():
    n = 8192
    a, b = (torch.rand(n, n, device="cuda", dtype=torch.float16) - 0.5 for _ in range(2))
    ms = median_ms(lambda: a @ b)
    print(f"size={n}\tms={ms:.4f}\ttflops={2e-9 * n ** 3 / ms:.1f}")


def net(mode, path, size):
    w, h = map(int, size.split("x"))
    tensors = read(path)
    macs = sum(t.numel() for t in tensors.values() if t.dim() == 4)
    model = Compact(tensors).eval().cuda().half().to(memory_format=torch.channels_last)
    x = torch.rand(1, 3, h, w, device="cuda").half().to(memory_format=torch.channels_last)
    with torch.inference_mode():
        run = torch.compile(model, mode="max-autotune") if mode == "compile" else model
        run(x)
        ms = median_ms(lambda: run(x))
    print(f"engine=torch {torch.__version__} {mode}\tnet={path.rsplit('/', 1)[-1]}\tsize={size}\t"
          f"ms={ms:.4f}\tfps={1000 / ms:.2f}\ttflops={2e-9 * macs * w * h / ms:.2f}")


if __name__ == "__main__":
    if sys.argv[1] == "gemm":
        gemm()
    else:
        net(*sys.argv[1:4])
