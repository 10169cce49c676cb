#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Train the embedded x4 net on one CPU core.

    OMP_NUM_THREADS=1 train.py --data ../shared/media/train \\
        --out builtin.safetensors --budget-minutes 95

Data: every photo of the folder at three sizes; its low-resolution twin is made
once by antialiased bicubic reduction and rounded to 8 bits. Every 24th photo is
never trained on; the exported net is the one best on those.

Net: SRVGGNetCompact. While training, each 3x3 kernel is the product of a wide
3x3 and a 1x1 kernel (plus the identity in the inner layers), multiplied out
before every step, which costs nothing beside the convolutions and trains to a
better net. The product, an ordinary net, is what is exported.

Schedule: Charbonnier loss in bfloat16 first, squared error in float32 for the
last part; learning rate warm-up, then cosine to zero; an exponential average
of the weights is what gets measured and written. Progress follows the CPU time
of this process, so that a busy or stopped machine still anneals fully, and it
hurries if the wall clock would run out first.
"""

import argparse
import math
import os
import pathlib
import time

import numpy as np
import torch
from torch import nn

import srnet
from srnet import SCALE


# --- data ------------------------------------------------------------------

class Pair:
    """A photo at one size, HR and LR as uint8 arrays [h, w, 3]."""

    def __init__(self, hr, weight, patch=0):
        self.weight = weight
        grow = [(0, max(0, SCALE * patch - n)) for n in hr.shape[:2]]
        hr = np.pad(hr, grow + [(0, 0)], "symmetric")
        self.hr = srnet.modcrop(hr)
        h, w = self.hr.shape[:2]
        self.lr = srnet.imresize(self.hr, h // SCALE, w // SCALE)


def load_data(folder, sizes, patch, every):
    """Return (training pairs, validation pairs) of a folder of photos.

    The split goes by the sorted file names and so never changes. Reduced
    copies matter twice: they are free of the JPEG blocks of the original, and
    sharper per pixel, so a photo weighs the same at every size. Photos smaller
    than a patch are mirrored outwards.
    """
    files = sorted(f for f in folder.iterdir()
                   if f.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp"))
    if not files:
        raise SystemExit(f"train.py: no photos in {folder}")
    train, valid = [], []
    for i, f in enumerate(files):
        photo = srnet.load_rgb(f)
        h, w = photo.shape[:2]
        held_out = i % every == every - 1
        for s in sizes:
            hr = photo
            if s != 1:
                hr = srnet.imresize(photo, round(h * s), round(w * s))
            if held_out:
                valid.append(Pair(hr, h * w))
            else:
                train.append(Pair(hr, h * w, patch))
    return train, valid


def dihedral(img, k):
    """One of the eight symmetries of the square, k = 0..7."""
    img = np.rot90(img, k & 3)
    return img[:, ::-1] if k & 4 else img


def draw_batch(pairs, chance, batch, patch, rng):
    """Random patches as tensors LR [n,3,p,p] and HR [n,3,4p,4p] in 0..1."""
    lr = np.empty((batch, patch, patch, 3), np.uint8)
    hr = np.empty((batch, SCALE * patch, SCALE * patch, 3), np.uint8)
    for i, k in enumerate(rng.choice(len(pairs), batch, p=chance)):
        p = pairs[k]
        y = rng.integers(p.lr.shape[0] - patch + 1)
        x = rng.integers(p.lr.shape[1] - patch + 1)
        way = int(rng.integers(8))
        lr[i] = dihedral(p.lr[y:y + patch, x:x + patch], way)
        y, x, n = SCALE * y, SCALE * x, SCALE * patch
        hr[i] = dihedral(p.hr[y:y + n, x:x + n], way)
    return [torch.from_numpy(t).permute(0, 3, 1, 2).float() / 255
            for t in (lr, hr)]


# --- net -------------------------------------------------------------------

class WideConv(nn.Module):
    """A 3x3 convolution kept as narrow(wide(x)); kernel() multiplies it out."""

    def __init__(self, inputs, outputs, wide, gain=1.0, identity=False):
        super().__init__()
        self.shape = outputs, inputs, 3, 3
        self.bias = nn.Parameter(torch.zeros(outputs))
        std = gain / math.sqrt(9 * inputs)
        if not wide:
            w = std * torch.randn(outputs, inputs * 9)
            self.wide, self.narrow = nn.Parameter(w), None
        else:
            w = torch.randn(wide, inputs * 9) / math.sqrt(9 * inputs)
            self.wide = nn.Parameter(w)
            w = torch.randn(outputs, wide) * gain / math.sqrt(wide)
            self.narrow = nn.Parameter(w)
        eye = torch.zeros(self.shape)
        if identity:
            eye[:, :, 1, 1] = torch.eye(outputs)
        self.register_buffer("identity", eye)

    def kernel(self):
        w = self.wide if self.narrow is None else self.narrow @ self.wide
        return w.view(self.shape) + self.identity


class TrainNet(nn.Module):
    """SRVGGNetCompact under training; params() is the plain net."""

    def __init__(self, features, convs, wide):
        super().__init__()
        self.convs = nn.ModuleList(
            [WideConv(3, features, wide)] +
            [WideConv(features, features, wide, 0.5, True)
             for _ in range(convs)] +
            [WideConv(features, 3 * SCALE ** 2, wide, 0.1)])
        self.slopes = nn.ParameterList(
            [nn.Parameter(torch.full((features,), 0.2))
             for _ in range(convs + 1)])

    def params(self):
        return [(c.kernel(), c.bias, s)
                for c, s in zip(self.convs, list(self.slopes) + [None])]


def plain_copy(params):
    return [tuple(None if t is None else t.detach().clone() for t in layer)
            for layer in params]


def blend(average, params, keep):
    """average = keep * average + (1 - keep) * params, in place."""
    for old, new in zip(average, params):
        for a, b in zip(old, new):
            if a is not None:
                a.lerp_(b.detach(), 1 - keep)


# --- loss and measure ------------------------------------------------------

LUMA = torch.tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1) / 219


def loss_of(sr, hr, squared, rgb_share):
    """Error of the luma plus a share of the error of R, G and B."""
    d = sr - hr
    y = (d * LUMA).sum(1)
    if squared:
        return 25 * ((y * y).mean() + rgb_share * (d * d).mean())
    eps = 1e-6
    return ((y * y + eps).sqrt().mean() +
            rgb_share * (d * d + eps).sqrt().mean())


def validate(params, pairs):
    """Mean PSNR-Y in dB, as rounded to fp16 on export."""
    half = [tuple(None if t is None else t.half().float() for t in layer)
            for layer in params]
    return np.mean([srnet.psnr_y(srnet.upscale(half, p.lr), p.hr)
                    for p in pairs])


# --- schedule --------------------------------------------------------------

class Progress:
    """Runs from 0 to 1 with CPU time, faster if wall time would not do."""

    def __init__(self, cpu, wall):
        self.cpu_end, self.wall_end = cpu, time.time() + wall
        self.value, self.rate = 0.0, 1.0
        self.used = 0.0
        self.at = time.process_time(), time.time()

    def step(self):
        cpu, wall = time.process_time(), time.time()
        dcpu, dwall = cpu - self.at[0], max(wall - self.at[1], 1e-6)
        self.at = cpu, wall
        keep = math.exp(-dwall / 600)
        self.rate = keep * self.rate + (1 - keep) * min(1, dcpu / dwall)
        self.used += dcpu
        left = min(self.cpu_end - self.used,
                   self.rate * (self.wall_end - wall))
        share = dcpu / left if left > dcpu else 1.0
        self.value += (1 - self.value) * share
        return self.value

    def done(self):
        return self.value >= 1


def learning_rate(progress, peak, iteration, warmup=300):
    if iteration < warmup:
        return peak * (iteration + 1) / warmup
    return peak * (0.5 + 0.5 * math.cos(math.pi * progress))


# --- main ------------------------------------------------------------------

def arguments():
    shared = pathlib.Path(os.environ.get("SHARED", "../shared"))
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = p.add_argument
    add("--data", type=pathlib.Path, default=shared / "media/train",
        help="folder of training photos (default: %(default)s)")
    add("--out", type=pathlib.Path, default="builtin.safetensors",
        help="file of the best net so far (default: %(default)s)")
    add("--features", type=int, default=32)
    add("--convs", type=int, default=8, help="inner convolutions")
    add("--wide", type=int, default=128, help="0: train plain kernels")
    add("--patch", type=int, default=40, help="LR pixels")
    add("--batch", type=int, default=16)
    add("--sizes", type=float, nargs="+", default=[1, 0.8, 0.6])
    add("--hold-out", type=int, default=24, help="every Nth photo validates")
    add("--rate", type=float, default=1e-3, help="peak learning rate")
    add("--squared-share", type=float, default=0.3,
        help="last part of the run with squared error in float32")
    add("--rgb-share", type=float, default=0.25)
    add("--average", type=float, default=0.999, help="of the weights")
    add("--budget-minutes", type=float, default=95, help="CPU time")
    add("--wall-minutes", type=float, default=0,
        help="never longer than this (0: twice the budget)")
    add("--check-minutes", type=float, default=3,
        help="CPU time between validations")
    add("--threads", type=int, default=1)
    add("--seed", type=int, default=1)
    add("--date", default=time.strftime("%Y-%m-%d"))
    return p.parse_args()


def metadata(a, steps, psnr):
    return {
        "arch": "SRVGGNetCompact", "scale": str(SCALE),
        "num_feat": str(a.features), "num_conv": str(a.convs),
        "act_type": "prelu", "color": "RGB 0..1",
        "license": "CC0-1.0", "author": "the ffreel authors",
        "trained_on": "T91 and BSD200 photos, antialiased bicubic x1/4",
        "steps": str(steps), "validation_psnr_y": f"{psnr:.3f}",
        "date": a.date,
    }


def main():
    a = arguments()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)

    train, valid = load_data(a.data, a.sizes, a.patch, a.hold_out)
    chance = np.array([p.weight for p in train], float)
    chance /= chance.sum()
    bicubic = np.mean([srnet.psnr_y(srnet.imresize(p.lr, *p.hr.shape[:2]),
                                    p.hr) for p in valid])
    net = TrainNet(a.features, a.convs, a.wide)
    average = plain_copy(net.params())
    size = sum(t.numel() for layer in average for t in layer if t is not None)
    print(f"{len(train)} training and {len(valid)} validation pictures, "
          f"{size} parameters, bicubic {bicubic:.3f} dB", flush=True)
    print(" ".join(f"{k}={v}" for k, v in sorted(vars(a).items())
                   if k not in ("data", "out")), flush=True)

    adam = torch.optim.Adam(net.parameters(), betas=(0.9, 0.99))
    progress = Progress(60 * a.budget_minutes,
                        60 * (a.wall_minutes or 2 * a.budget_minutes))
    best, check, step, total, since = -math.inf, 0.0, 0, 0.0, 0
    while not progress.done():
        squared = progress.value >= 1 - a.squared_share
        for group in adam.param_groups:
            group["lr"] = learning_rate(progress.value, a.rate, step)
        lr, hr = draw_batch(train, chance, a.batch, a.patch, rng)
        params = net.params()
        with torch.autocast("cpu", torch.bfloat16, enabled=not squared):
            sr = srnet.forward(params, lr)
        loss = loss_of(sr, hr, squared, a.rgb_share)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        step += 1
        blend(average, net.params(), min(a.average, step / (step + 10)))
        total, since = total + loss.item(), since + 1
        progress.step()

        if progress.used >= check or progress.done():
            check = progress.used + 60 * a.check_minutes
            psnr = validate(average, valid)
            mark = ""
            if psnr > best:
                best, mark = psnr, " *"
                part = a.out.with_suffix(".part")
                srnet.save_safetensors(part, average,
                                       metadata(a, step, psnr))
                part.replace(a.out)
            print(f"{time.strftime('%H:%M:%S')} step {step:6d} "
                  f"cpu {progress.used / 60:6.2f} min "
                  f"done {progress.value:.3f} "
                  f"rate {adam.param_groups[0]['lr']:.2e} "
                  f"{'square' if squared else 'charb'} {total / since:.5f} "
                  f"valid {psnr:.3f} dB{mark}", flush=True)
            total, since = 0.0, 0
    print(f"best {best:.3f} dB, bicubic {bicubic:.3f} dB, {step} steps",
          flush=True)


if __name__ == "__main__":
    main()
