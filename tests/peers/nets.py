#!/usr/bin/env python3
# needs: torch numpy
# pip: torch numpy
# Writes tests/ref/nets.txt: what PyTorch makes of nets whose weights and input
# come from a seeded generator (the same in tests/nets.h), and, with SHARED set,
# of the real ones.
# usage: [SHARED=../shared] python3 tests/peers/nets.py > tests/ref/nets.txt
import json, math, os, struct, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

def stream(seed):
    s = seed
    while True:
        s ^= s << 13 & 0xffffffff
        s ^= s >> 17
        s ^= s << 5 & 0xffffffff
        yield s

def unit(r):
    return np.float32((next(r) >> 8) - (1 << 23)) / np.float32(1 << 23)

def fill(net, seed):
    r = stream(seed)
    with torch.no_grad():
        for name, p in net.state_dict().items():
            k = 0
            if p.dim() == 4:
                fan = p.shape[1] * p.shape[2] * p.shape[3]
                while 1 << (2 * k + 2) <= fan:
                    k += 1
            v = [unit(r) for _ in range(p.numel())]
            if p.dim() == 4:          v = [x * np.float32(2.0 ** -k) for x in v]
            elif name.endswith('bias'): v = [x / np.float32(16) for x in v]
            else:                     v = [np.float32(0.25) + np.float32(0.5) * x for x in v]
            p.copy_(torch.from_numpy(np.array(v, np.float32)).reshape(p.shape))
    return net.eval()

def picture(w, h, seed):
    r = stream(seed)
    a = np.array([next(r) >> 24 for _ in range(3 * w * h)], np.float32) / np.float32(255)
    return torch.from_numpy(a.reshape(1, 3, h, w))

class SRVGG(nn.Module):
    def __init__(self, f, n, scale):
        super().__init__()
        self.scale = scale
        body = [nn.Conv2d(3, f, 3, 1, 1), nn.PReLU(f)]
        for _ in range(n):
            body += [nn.Conv2d(f, f, 3, 1, 1), nn.PReLU(f)]
        body += [nn.Conv2d(f, 3 * scale * scale, 3, 1, 1)]
        self.body = nn.Sequential(*body)

    def forward(self, x):
        y = F.pixel_shuffle(self.body(x), self.scale)
        return y + F.interpolate(x, scale_factor=self.scale, mode='nearest')

class RDB(nn.Module):
    def __init__(self, f, g):
        super().__init__()
        for k in range(5):
            setattr(self, f'conv{k + 1}', nn.Conv2d(f + k * g, g if k < 4 else f, 3, 1, 1))

    def forward(self, x):
        all = [x]
        for k in range(4):
            all.append(F.leaky_relu(getattr(self, f'conv{k + 1}')(torch.cat(all, 1)), 0.2))
        return self.conv5(torch.cat(all, 1)) * 0.2 + x

class RRDB(nn.Module):
    def __init__(self, f, g):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = RDB(f, g), RDB(f, g), RDB(f, g)

    def forward(self, x):
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x

class RRDBNet(nn.Module):
    def __init__(self, f, g, blocks, in_c):
        super().__init__()
        self.shrink = {3: 1, 12: 2, 48: 4}[in_c]
        self.conv_first = nn.Conv2d(in_c, f, 3, 1, 1)
        self.body = nn.Sequential(*[RRDB(f, g) for _ in range(blocks)])
        self.conv_body = nn.Conv2d(f, f, 3, 1, 1)
        self.conv_up1 = nn.Conv2d(f, f, 3, 1, 1)
        self.conv_up2 = nn.Conv2d(f, f, 3, 1, 1)
        self.conv_hr = nn.Conv2d(f, f, 3, 1, 1)
        self.conv_last = nn.Conv2d(f, 3, 3, 1, 1)

    def forward(self, x):
        if self.shrink > 1:
            x = F.pixel_unshuffle(x, self.shrink)
        x = self.conv_first(x)
        x = x + self.conv_body(self.body(x))
        for up in self.conv_up1, self.conv_up2:
            x = F.leaky_relu(up(F.interpolate(x, scale_factor=2, mode='nearest')), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(x), 0.2))

def read_safetensors(path):
    data = open(path, 'rb').read()
    n = struct.unpack('<Q', data[:8])[0]
    types = {'F32': np.float32, 'F16': np.float16}
    out = {}
    for name, e in json.loads(data[8:8 + n]).items():
        if name == '__metadata__':
            continue
        a, b = e['data_offsets']
        v = np.frombuffer(data[8 + n + a:8 + n + b], types[e['dtype']]).astype(np.float32)
        out[name] = torch.from_numpy(v.reshape(e['shape']))
    return out

def emit(kind, args, net, w, h, seed):
    x = picture(w, h, seed)
    with torch.no_grad():
        y = net(x)
        exact = net.double()(x.double())
    y, err = y.flatten(), (y.double() - exact).abs().max().item()
    print(f'net {kind} {" ".join(map(str, args))} in {w} {h} {seed} out {y.numel()}')
    print(f'sum {y.double().sum().item():.9g}')
    v = [y[k * 7919 % y.numel()].item() for k in range(200)]
    for i in range(0, 200, 8):
        print('y ' + ' '.join(f'{a:.9g}' for a in v[i:i + 8]))
    print(f'{kind} {args}: range {y.min():.3f} .. {y.max():.3f}, fp32 against fp64 here {err:.2g}', file=sys.stderr)

torch.set_num_threads(1)
print('# PyTorch, fp32, on one thread; made by tests/peers/nets.py; samples k * 7919 mod the output size')
for scale, f, n in (1, 8, 2), (2, 12, 3), (3, 5, 1), (4, 16, 4):
    emit('srvgg', (40 + scale, f, n, scale), fill(SRVGG(f, n, scale), 40 + scale), 19, 13, 7 + scale)
for in_c, f, g, blocks in (3, 16, 8, 3), (12, 8, 4, 2), (48, 12, 5, 2):
    emit('rrdb', (50 + in_c, f, g, blocks, in_c), fill(RRDBNet(f, g, blocks, in_c), 50 + in_c), 20, 12, 17 + in_c)
shared = os.environ.get('SHARED', '../shared')
for name, n in ('realesr-general-x4v3', 32), ('realesr-general-wdn-x4v3', 32), ('realesr-animevideov3', 16):
    net = SRVGG(64, n, 4)
    net.load_state_dict(read_safetensors(f'{shared}/models/{name}.safetensors'))
    emit('file', (name,), net.eval(), 24, 18, 77)
