#!/usr/bin/env python3
# needs: onnx onnxruntime numpy
# pip: onnx onnxruntime numpy
# Writes tests/ref/nn_onnx.txt: what ONNX Runtime makes of every case of tests/nn_onnx.c that is not
# refused there, and, with SHARED set, of yolox_nano on a picture made by a formula.
# usage: [SHARED=../shared] python3 tests/peers/nn_onnx.py > tests/ref/nn_onnx.txt
import os, re, sys
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime as ort

top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ort.set_default_logger_severity(4)
BOOL = {'And', 'Or', 'Not', 'Where'}       # whose integer inputs, or the first, are truths

def session(model):
    o = ort.SessionOptions()
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    o.intra_op_num_threads = 1
    return ort.InferenceSession(model, o, providers=['CPUExecutionProvider'])

def tensor(text):
    if ':' not in text:
        return None
    shape, values = text.split(':')
    ints = shape.startswith('i')
    dims = [int(d) for d in shape.lstrip('i').split(',') if d]
    v = [int(x) if ints else float(x) for x in values.split()]
    return np.array(v, np.int64 if ints else np.float32).reshape(dims)

def attribute(text):
    name, v = text.split('=', 1)
    if v.startswith('['):
        v = [float(x) if '.' in v else int(x) for x in v[1:-1].split(',')]
    elif re.match(r'-?\d', v):
        v = float(v) if '.' in v else int(v)
    return helper.make_attribute(name, v)

def run(opset, op, attrs, ins):
    ins = [t.astype(bool) if t is not None and op in BOOL and (op != 'Where' or k == 0) else t for k, t in enumerate(ins)]
    names = [chr(97 + k) if t is not None else '' for k, t in enumerate(ins)]
    outs = ['p', 'q'] if op in ('TopK', 'Split') else ['p']
    node = helper.make_node(op, names, outs)
    node.attribute.extend(attribute(a) for a in attrs.split())
    graph = helper.make_graph([node], 'g', [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(t.dtype), t.shape)
                                            for n, t in zip(names, ins) if t is not None],
                              [helper.make_empty_tensor_value_info(o) for o in outs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=8)
    return session(model.SerializeToString()).run(None, {n: t for n, t in zip(names, ins) if t is not None})

def cases():
    text = open(f'{top}/nn_onnx.c').read()
    text = text[text.index('cases[] = {'):text.index('tensors as text')]
    text = re.sub(r'"\n\s*"', '', text)         # a string may go on in the next line
    found = re.findall(r'\{ (\d+),\s+"(\w+)",\s+"([^"]*)",\s+"([^"]*)",\s+"([^"]*)" \}', text)
    if len(found) != len(re.findall(r'^    \{ \d', text, re.M)):
        sys.exit('tests/nn_onnx.c has cases that are not understood here')
    for opset, op, attrs, ins, want in found:
        yield int(opset), op, attrs, ins, want

def show(t):
    t = np.asarray(t)
    ints = 'i' if t.dtype.kind in 'iub' else ''
    v = [str(int(x)) if ints else f'{float(x):.6g}' for x in t.flatten()]
    return f'{ints}{",".join(map(str, t.shape))}:{" ".join(v)}'

print('# ONNX Runtime, fp32, on one thread, unoptimised; made by tests/peers/nn_onnx.py')
for opset, op, attrs, ins, want in cases():
    if want.startswith('!'):
        continue
    try:
        got = run(opset, op, attrs, [tensor(t) for t in ins.split('|')])
    except Exception as e:
        print(f'{op} {opset} {attrs}: ONNX Runtime: {str(e)[:150]}', file=sys.stderr)
        print(f'case {op} {opset} {attrs} is not run by ONNX Runtime')
        continue
    for g, w in zip(got, want.split('|')):
        w = tensor(w)
        if g.shape != w.shape or not np.allclose(g.astype(np.float64), w, 1e-5, 1e-6):
            sys.exit(f'{op} {opset} {attrs}: tests/nn_onnx.c has {want}, ONNX Runtime {show(g)}')
    print(f'case {op} {opset} {attrs} {"|".join(show(g) for g in got)}')

shared = os.environ.get('SHARED', '../shared')
c, y, x = np.meshgrid(np.arange(3), np.arange(416), np.arange(416), indexing='ij')
picture = ((x * (c + 1) // 2 + y * 3 // (c + 2) + (x // 32 ^ y // 32) * 40) % 256).astype(np.float32)[None]
s = session(f'{shared}/models/yolox_nano.onnx')
out = s.run(None, {s.get_inputs()[0].name: picture})[0]
v = out.flatten().astype(np.float64)
print(f'net yolox_nano 416 {" ".join(map(str, out.shape))}')
print(f'max {v.max():.9g} mean {v.mean():.9g} norm {np.sqrt((v * v).sum()):.9g}')
for i in range(0, 24, 8):
    print('y ' + ' '.join(f'{v[k * 7919 % v.size]:.9g}' for k in range(i, i + 8)))
