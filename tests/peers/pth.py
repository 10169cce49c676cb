#!/usr/bin/env python3
# needs: torch numpy
# pip: torch numpy
# Writes tests/ref/pth.txt: small files of torch.save, in base64, each with the
# sums of its tensors, for tests/nn_load.c.
# usage: python3 tests/peers/pth.py > tests/ref/pth.txt
import base64, io, sys
import torch

def emit(name, obj, tensors, **args):
    f = io.BytesIO()
    torch.save(obj, f, **args)
    text = base64.b64encode(f.getvalue()).decode()
    print(f'pth {name} {len(tensors)} {len(f.getvalue())}')
    for key, t in tensors.items():
        w = torch.arange(1, t.numel() + 1, dtype=torch.float64)
        print(f'tensor {key} {t.numel()} {(t.double().flatten() * w).sum().item():.9g}')
    for i in range(0, len(text), 100):
        print('base64 ' + text[i:i + 100])
    print('end')

torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.PReLU(2), torch.nn.Conv2d(2, 3, 3))
sd = net.state_dict()
print('# made by tests/peers/pth.py with PyTorch', torch.__version__.split('+')[0])
emit('params_ema', {'params': {k: 0 * v for k, v in sd.items()}, 'params_ema': sd}, sd)
emit('parameters', {k: torch.nn.Parameter(v) for k, v in sd.items()}, sd)

bf16 = {k: v.bfloat16() for k, v in sd.items()}
train = {'epoch': 3, 'lr': [0.1, {'a': (1, 2.5)}], 'count': 2 ** 40, 'best': None, 'amp': True, 'state_dict': bf16}
emit('checkpoint_bf16', train, bf16)

all = torch.cat([v.flatten() for v in sd.values()]).half()
pos, shared = 0, {}
for k, v in sd.items():
    shared[k] = all[pos:pos + v.numel()].view(v.shape)
    if v.dim() == 4:
        shared[k] = shared[k].permute(1, 0, 3, 2)
    pos += v.numel()
emit('shared_strided_half', shared, shared, pickle_protocol=4)
