#!/usr/bin/env python3
# ONNX Runtime's CPU provider, for bench/detect_net.sh: the same figures as detect_net.c prints.
# needs: onnxruntime numpy
# usage: ort_run.py MODEL WIDTHxHEIGHT THREADS SESSIONS SECONDS
import json, sys, threading, time
import numpy as np
import onnxruntime as ort

model, size, threads, sessions, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
w, h = map(int, size.split('x'))
i = np.arange(3 * w * h, dtype=np.int64)
x = (((i * 7919 + i // 97) % 256) / np.float32(255)).astype(np.float32).reshape(1, 3, h, w)

def session():
    o = ort.SessionOptions()
    o.intra_op_num_threads = threads
    o.inter_op_num_threads = 1
    return ort.InferenceSession(model, o, providers=['CPUExecutionProvider'])

all = [session() for _ in range(sessions)]
name = all[0].get_inputs()[0].name
ms, cpu = [[] for _ in all], [[] for _ in all]
clock = time.process_time if sessions == 1 else time.thread_time

def work(k, end):
    while True:
        c, t = clock(), time.perf_counter()
        all[k].run(None, {name: x})
        ms[k].append((time.perf_counter() - t) * 1e3)
        cpu[k].append((clock() - c) * 1e3)
        if time.perf_counter() > end:
            return

for k in range(sessions):
    work(k, 0)
    ms[k].clear()
    cpu[k].clear()
start = time.perf_counter()
team = [threading.Thread(target=work, args=(k, start + seconds)) for k in range(sessions)]
for t in team: t.start()
for t in team: t.join()
took = time.perf_counter() - start
print(json.dumps({'bench': 'detect_net', 'model': model, 'size': size, 'engine': 'onnxruntime ' + ort.__version__,
                  'precision': 'fp32', 'threads': threads, 'slots': sessions, 'ms': round(sorted(ms[0])[len(ms[0]) // 2], 3),
                  'cpu_ms': round(min(cpu[0]), 3), 'per_s': round(sum(map(len, ms)) / took, 3)}, separators=(',', ':')))
