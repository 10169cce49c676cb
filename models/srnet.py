# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts shared by train.py and eval.py: resampling, PSNR, the net, the file.

Images are float arrays [height, width, 3] (RGB) with values 0..255 unless a
function says otherwise.
"""

import json
import struct

import numpy as np
import torch
import torch.nn.functional as F

SCALE = 4


def load_rgb(path):
    """One picture as a uint8 array [h, w, 3]; grey pictures become RGB."""
    from PIL import Image
    with Image.open(path) as im:
        return np.asarray(im.convert("RGB"))


def modcrop(img, scale=SCALE):
    """Cut right and bottom so that both sides are multiples of scale."""
    h, w = img.shape[:2]
    return img[:h - h % scale, :w - w % scale]


def cubic(x):
    """Keys' kernel with a = -0.5."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def taps(n_in, n_out):
    """Source indices and weights, each [n_out, support], for one axis.

    Reducing widens the kernel by the ratio (antialiasing) and the border is
    mirrored with the edge sample repeated, as MATLAB's imresize does both.
    """
    ratio = n_out / n_in
    stretch = min(ratio, 1.0)
    support = int(np.ceil(4 / stretch)) + 2
    centre = (np.arange(n_out) + 0.5) / ratio - 0.5
    first = np.floor(centre - 2 / stretch).astype(int)
    index = first[:, None] + np.arange(support)
    weight = stretch * cubic(stretch * (centre[:, None] - index))
    weight /= weight.sum(1, keepdims=True)
    index = np.mod(index, 2 * n_in)
    index = np.where(index < n_in, index, 2 * n_in - 1 - index)
    return index, weight


def imresize(img, height, width):
    """Bicubic resize with antialiasing, rounded to uint8."""
    out = img.astype(np.float64)
    index, weight = taps(img.shape[0], height)
    out = np.einsum("okwc,ok->owc", out[index], weight, optimize=True)
    index, weight = taps(img.shape[1], width)
    out = np.einsum("hokc,ok->hoc", out[:, index], weight, optimize=True)
    return np.clip(np.floor(out + 0.5), 0, 255).astype(np.uint8)


def luma(rgb):
    """BT.601 limited-range Y (16..235) of RGB 0..255, not rounded."""
    rgb = np.asarray(rgb, np.float64) / 255
    return 16 + rgb @ np.array([65.481, 128.553, 24.966])


def psnr_y(a, b, border=SCALE):
    """PSNR of the luma in dB, without a frame of `border` pixels."""
    d = (luma(a) - luma(b))[border:-border, border:-border]
    return 10 * np.log10(255 ** 2 / np.mean(d * d))


def forward(params, x):
    """Run SRVGGNetCompact. params: list of (weight, bias, slope or None).

    x: RGB [n, 3, h, w] in 0..1; returns [n, 3, 4h, 4w], not clamped.
    """
    y = x
    for weight, bias, slope in params:
        y = F.conv2d(y, weight, bias, padding=1)
        if slope is not None:
            y = F.prelu(y, slope.to(y.dtype))
    skip = F.interpolate(x, scale_factor=SCALE, mode="nearest")
    return F.pixel_shuffle(y.float(), SCALE) + skip


def upscale(params, img):
    """uint8 [h, w, 3] through the net to uint8 [4h, 4w, 3]."""
    x = torch.from_numpy(img.copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        y = forward(params, x)[0].clamp(0, 1)
    return (y * 255).round().byte().permute(1, 2, 0).numpy()


def save_safetensors(path, params, metadata):
    """Write the net as fp16 with the tensor names of the official nets."""
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for k, layer in enumerate(params):
        names = (f"body.{2 * k}.weight", f"body.{2 * k}.bias",
                 f"body.{2 * k + 1}.weight")
        for name, t in zip(names, layer):
            if t is None:
                continue
            blob = t.detach().numpy().astype("<f2").tobytes()
            header[name] = {"dtype": "F16", "shape": list(t.shape),
                            "data_offsets": [at, at + len(blob)]}
            at += len(blob)
            blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def load_safetensors(path):
    """Return (params for forward(), metadata) of an F16 or F32 file."""
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        data = f.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, e in header.items():
        a, b = e["data_offsets"]
        dtype = {"F16": "<f2", "F32": "<f4"}[e["dtype"]]
        array = np.frombuffer(data[a:b], dtype).astype(np.float32)
        tensors[name] = torch.from_numpy(array.reshape(e["shape"]))
    last = max(int(name.split(".")[1]) for name in tensors)
    params = [(tensors[f"body.{k}.weight"], tensors[f"body.{k}.bias"],
               tensors.get(f"body.{k + 1}.weight"))
              for k in range(0, last + 1, 2)]
    return params, metadata
