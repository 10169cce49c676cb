#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measure a x4 net against bicubic on a folder of pictures.

Each picture is cut to a multiple of 4, reduced by 4 with antialiased bicubic
and enlarged again; the table gives PSNR and SSIM of the BT.601 luma without a
frame of 4 pixels, the way papers report Set5.

    eval.py builtin.safetensors --data ../shared/media/eval/Set5
"""

import argparse
import os
import pathlib

import numpy as np

import srnet


def ssim_y(a, b, border=srnet.SCALE):
    """Mean SSIM of the luma: 11x11 Gaussian of sigma 1.5, whole windows."""
    g = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5 ** 2))
    g /= g.sum()

    def blur(x):
        x = np.apply_along_axis(np.convolve, 0, x, g, "valid")
        return np.apply_along_axis(np.convolve, 1, x, g, "valid")

    a, b = (srnet.luma(x)[border:-border, border:-border] for x in (a, b))
    ma, mb = blur(a), blur(b)
    va, vb = blur(a * a) - ma * ma, blur(b * b) - mb * mb
    cov = blur(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    s = ((2 * ma * mb + c1) * (2 * cov + c2) /
         ((ma * ma + mb * mb + c1) * (va + vb + c2)))
    return s.mean()


def main():
    shared = pathlib.Path(os.environ.get("SHARED", "../shared"))
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("net", help="safetensors file")
    p.add_argument("--data", type=pathlib.Path,
                   default=shared / "media/eval/Set5",
                   help="folder of pictures (default: %(default)s)")
    p.add_argument("--out", type=pathlib.Path,
                   help="also write the enlarged pictures here")
    a = p.parse_args()

    params, metadata = srnet.load_safetensors(a.net)
    size = sum(t.numel() for layer in params for t in layer if t is not None)
    features, convs = params[0][0].shape[0], len(params)
    print(f"{a.net}: {features} features, {convs} convolutions, "
          f"{size} parameters")
    files = sorted(f for f in a.data.iterdir()
                   if f.suffix.lower() in (".png", ".bmp", ".jpg", ".jpeg"))
    if not files:
        p.error(f"no pictures in {a.data}")
    print(f"{'picture':<16} {'bicubic':>8} {'net':>8} {'gain':>6}   "
          f"{'bicubic':>7} {'net':>7}")
    rows = []
    for f in files:
        hr = srnet.modcrop(srnet.load_rgb(f))
        h, w = hr.shape[:2]
        lr = srnet.imresize(hr, h // srnet.SCALE, w // srnet.SCALE)
        sr = srnet.upscale(params, lr)
        bic = srnet.imresize(lr, h, w)
        rows.append((srnet.psnr_y(bic, hr), srnet.psnr_y(sr, hr),
                     ssim_y(bic, hr), ssim_y(sr, hr)))
        report(f.stem, rows[-1])
        if a.out:
            from PIL import Image
            a.out.mkdir(parents=True, exist_ok=True)
            Image.fromarray(sr).save(a.out / f"{f.stem}.png")
    report("mean", np.mean(rows, 0))


def report(name, row):
    bic, net, sbic, snet = row
    print(f"{name:<16} {bic:8.2f} {net:8.2f} {net - bic:+6.2f}   "
          f"{sbic:7.4f} {snet:7.4f}")


if __name__ == "__main__":
    main()
