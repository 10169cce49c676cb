#!/usr/bin/env python3
# needs: numpy cv2
# pip: numpy opencv-python-headless==4.12.0.88
"""The two old looks of highlight, drawn with OpenCV, and their reference.

render(picture, t, job, rules, options) draws one frame as the old renderers did:
rules "feb" (one opacity, linear keys, the last one held) or "head" (ring, fill,
dim, spline, fade at the end). Run as a program it writes the reference of
tests/highlight_look.c: jobs, and frames drawn by them.

    case NAME W H BLOCK SEED FPS RULES OPTIONS    OPTIONS: of the filter, "-": none
    json TEXT
    frame N CHANGED xCRC                          CRC: zlib's, over B, G, R of all pixels
    colours BBGGRR ...                            numbered A, B, C ...
    KxRUNS                                        K equal rows; RUNS: colour and length
    pixels                                        or, where there are too many colours:
    HEX                                           a row

usage: python3 tests/peers/highlight_look.py > tests/ref/highlight_look.txt"""
import json, sys, zlib
import cv2
import numpy as np

# ---- which ellipse -----------------------------------------------------------------

def span(region):
    return (region.get('start_time', region.get('startTime')), region.get('end_time', region.get('endTime')))

def active_region(regions, t):
    for r in sorted(regions, key=lambda r: span(r)[0]):
        if span(r)[0] <= t <= span(r)[1]:
            return r

def value(key, name, rules):
    """of a key, with what stands in for missing ones"""
    if name in key:
        return key[name]
    if name == 'opacity':
        return 0.15
    # head: the older, single opacity stands for both of the newer ones
    if name == 'strokeOpacity':
        return key.get('opacity', 0.85)
    return key.get('opacity')   # of fillOpacity; None: the settings decide

def linear(a, b, u):
    return a + (b - a) * u

def spline(p, u):
    p0, p1, p2, p3 = p
    return 0.5 * (2 * p1 + (p2 - p0) * u + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u ** 2
                  + (3 * p1 - p0 - 3 * p2 + p3) * u ** 3)

def at(keys, t, names, rules):
    """values at t and the colour, or None: nothing to draw"""
    whole = lambda k: ({n: value(k, n, rules) for n in names}, k.get('color'))
    if t <= keys[0]['time']:
        return whole(keys[0])
    if t > keys[-1]['time']:
        return whole(keys[-1]) if rules == 'feb' else None
    i = max(i for i, k in enumerate(keys) if k['time'] <= t)
    if i == len(keys) - 1:
        return whole(keys[i])
    u = (t - keys[i]['time']) / (keys[i + 1]['time'] - keys[i]['time'])
    out = {}
    for n in names:
        p = [value(keys[min(max(i + d, 0), len(keys) - 1)], n, rules) for d in (-1, 0, 1, 2)]
        out[n] = None if None in p else linear(p[1], p[2], u) if rules == 'feb' else spline(p, u)
    return out, keys[i].get('color')

def ellipse(region, t, rules, w, h):
    start, end = span(region)
    slack = 0 if rules == 'feb' else 0.04
    keys = [k for k in region.get('keyframes', []) if start - slack <= k['time'] <= end + slack]
    if rules == 'head':
        keys.sort(key=lambda k: k['time'])
    if not keys:
        return None
    newer = ['opacity'] if rules == 'feb' else ['strokeOpacity', 'fillOpacity']
    found = at(keys, t, ['x', 'y', 'radiusX', 'radiusY'] + newer, rules)
    if not found:
        return None
    v, v['color'] = found
    sx = w / (region.get('videoWidth') or w)
    sy = h / (region.get('videoHeight') or h)
    for name, s in ('x', sx), ('radiusX', sx), ('y', sy), ('radiusY', sy):
        v[name] *= s
    return v

def whole_numbers(*values):
    """Truncated. What lies so near to a whole number that the last bit of a double
    decides is no case to compare with."""
    for x in values:
        assert x == round(x) or abs(x - round(x)) > 1e-6, x
    return [int(x) for x in values]

# ---- feb ---------------------------------------------------------------------------

def colour(text):
    """B, G, R"""
    text = text.lstrip('#')
    return tuple(int(text[i:i + 2], 16) for i in (4, 2, 0))

def filled(picture, cx, cy, rx, ry):
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.ellipse(mask, (cx, cy), (rx, ry), 0, 0, 360, 255, -1)
    return mask[:, :, None] > 0

def render_feb(picture, t, region, effect, settings):
    h, w = picture.shape[:2]
    v = ellipse(region, t, 'feb', w, h)
    if not v or effect == 'original':
        return picture
    cx, cy, rx, ry = whole_numbers(v['x'], v['y'], v['radiusX'], v['radiusY'])
    inside, a = filled(picture, cx, cy, rx, ry), v['opacity']
    if effect == 'dark_overlay':
        return np.where(inside, picture, (picture * (1 - a)).astype(np.uint8))
    if v['color'] in (None, 'none'):
        return np.where(inside, np.clip(picture * (1 + 3 * a), 0, 255).astype(np.uint8), picture)
    c = colour(v['color'])
    flat = np.empty_like(picture)
    flat[:] = c
    picture = np.where(inside, cv2.addWeighted(flat, a, picture, 1 - a, 0), picture)
    ring = picture.copy()
    cv2.ellipse(ring, (cx, cy), (rx, ry), 0, 0, 360, c, 1)
    return cv2.addWeighted(ring, 0.5, picture, 0.5, 0)

# ---- head --------------------------------------------------------------------------

def fade(region, t):
    start, end = span(region)
    e = min(0.25, (end - start) / 2)
    return 1.0 if t <= end - e else min(max((end - t) / e, 0.0), 1.0) ** 2

def blend(picture, alpha, c, e, thickness):
    over = picture.copy()
    cv2.ellipse(over, *e, c, thickness)
    return cv2.addWeighted(over, alpha, picture, 1 - alpha, 0)

def render_head(picture, t, region, effect, s):
    h, w = picture.shape[:2]
    v = ellipse(region, t, 'head', w, h)
    if not v:
        return picture
    ground = s.get('highlight_shape') == 'ground'
    x, y, rx, ry = v['x'], v['y'], v['radiusX'], v['radiusY']
    if ground:
        y, rx, ry = y + ry / 1.3, rx * 2 / 1.3, ry * 0.3
    cx, cy, rx, ry = whole_numbers(x, y, rx, ry)
    if cx + rx < 0 or cx - rx > w or cy + ry < 0 or cy - ry > h:
        return picture
    text = s.get('highlight_color') or v['color'] or 'none'
    c = colour(text) if len(text.lstrip('#')) == 6 else (255, 255, 255)
    f = fade(region, t)
    whole = (cx, cy), (rx, ry), 0, 0, 360
    rim = (cx, cy), (rx, ry), 0, *((-30, 210) if ground else (0, 360))

    if effect == 'dark_overlay':
        dim = np.clip(picture * (1 - s.get('dim_strength', 0.15) * f), 0, 255).astype(np.uint8)
        picture = np.where(filled(picture, cx, cy, rx, ry), picture, dim)
    if ground or s.get('fill_enabled', False):
        alpha = v['fillOpacity']
        if alpha is None:
            alpha = s.get('fill_opacity', 0.15 if ground else 0.05)
        if alpha * f > 0:
            picture = blend(picture, min(max(alpha, 0), 1) * f, c, whole, -1)
    width = max(2, round(s.get('stroke_width', 2) * h / 1080))
    picture = blend(picture, 0.5 * f, tuple(int(0.3 * p) for p in c), rim, width + 2)
    return blend(picture, min(max(v['strokeOpacity'], 0), 1) * f, c, rim, width)

# ---- one frame ---------------------------------------------------------------------

def render(picture, t, job, rules, options={}):
    """job: a list of regions, or the object of an export. options: of the filter,
    they rule over those of the job"""
    if isinstance(job, list):
        job = {'highlight_regions': job}
    settings = dict(job.get('overlay_settings') or {})
    if 'shape' in options:
        settings['highlight_shape'] = options['shape']
    effect = options.get('effect', job.get('effect_type')) or 'dark_overlay'
    if rules == 'head' and effect == 'original':
        effect = 'dark_overlay'     # that is how exports were started
    region = active_region(job['highlight_regions'], t)
    if not region:
        return picture
    return (render_feb if rules == 'feb' else render_head)(picture, t, region, effect, settings)

# ---- pictures and how they are written ------------------------------------------------

def picture(w, h, block, seed):
    """blocks of one colour; the same in tests/highlight_look.c"""
    x, y, c = (a.astype(np.uint32) for a in np.meshgrid(np.arange(w), np.arange(h), np.arange(3), indexing='xy'))
    n = (x // block) * 73 + (y // block) * 151 + c * 199 + seed * 1009 + 1
    n = n * np.uint32(2654435761)
    n = (n ^ (n >> np.uint32(15))) * np.uint32(2246822519)
    v = (n >> np.uint32(24)).astype(np.int32)
    return np.where(v < 24, 0, np.where(v > 231, 255, v)).astype(np.uint8)

NAMES = [chr(i) for i in range(33, 127) if not chr(i).isdigit()]
NAMES.sort(key=lambda c: (not c.isalpha(), c))

def print_frame(n, pic, source):
    print('frame', n, int((pic != source).any(axis=2).sum()), f'x{zlib.crc32(pic.tobytes()):08x}')
    rows = [[bytes(p).hex() for p in row] for row in pic]
    colours = sorted({p for row in rows for p in row})
    if len(colours) > len(NAMES):
        print('pixels')
        for row in rows:
            print(''.join(row))
        return
    print('colours', *colours)
    name = dict(zip(colours, NAMES))
    texts = []
    for row in rows:
        runs = []
        for p in row:
            if runs and runs[-1][0] == p:
                runs[-1][1] += 1
            else:
                runs.append([p, 1])
        texts.append(''.join(f'{name[p]}{k}' for p, k in runs))
    while texts:
        k = next((i for i, text in enumerate(texts) if text != texts[0]), len(texts))
        print(f'{k}x{texts[0]}')
        texts = texts[k:]

def case(name, size, rules, job, frames, options='', block=17, fps=8):
    case.seed += 1
    w, h = size
    print('case', name, w, h, block, case.seed, fps, rules, options or '-')
    print('json', json.dumps(job, separators=(',', ':')))
    source = picture(w, h, block, case.seed)
    given = dict(o.split('=') for o in options.split(':')) if options else {}
    for n in frames:
        print_frame(n, render(source.copy(), n / fps, job, rules, given), source)

case.seed = 0

# ---- the cases -----------------------------------------------------------------------

def region(start, end, *keys, **more):
    return dict(start_time=start, end_time=end, keyframes=list(keys), **more)

def key(time, x, y, rx, ry, **more):
    return dict(time=time, x=x, y=y, radiusX=rx, radiusY=ry, **more)

def export(regions, effect=None, **settings):
    job = dict(highlight_regions=regions)
    if effect:
        job['effect_type'] = effect
    if settings:
        job['overlay_settings'] = settings
    return job

PALETTE = ('#FFFFFF', '#00FFFF', '#FFEB3B', '#FF88CC', '#FF9800')
A, B, TALL = (44, 36), (47, 39), (30, 540)

def cases_feb():
    moving = (key(0.3, 12.3, 15.6, 8.4, 11.7, opacity=0.15), key(0.85, 30.7, 20.2, 12.6, 9.3, opacity=0.6))
    # outside of the region; held; between; held; the last frame of the region; after it
    case('feb-dim', A, 'feb', [region(0.25, 1.25, *moving)], (1, 2, 4, 6, 8, 10, 11))
    case('feb-dim-noise', (24, 20), 'feb', [region(0, 1, key(0.5, 11.2, 9.4, 6.6, 7.2, opacity=0.35))], (0,), block=1)
    case('feb-one-key', B, 'feb', [region(0, 1, key(0.5, 20.5, 18.5, 13.2, 9.9))], (0, 8))
    for a in (0, 0.4, 1):
        case(f'feb-dim-{a}', B, 'feb', [region(0, 1, key(0.1, 23.4, 17.2, 11.1, 15.3, opacity=a))], (3,), 'effect=dark_overlay')
    for i, c in enumerate(PALETTE):
        case(f'feb-tint-{c[1:]}', B if i & 1 else A, 'feb',
             export([region(0, 1, key(0.1, 21.4, 19.2, 14.1 - i, 10.3 + i, opacity=0.15 + i * 0.12, color=c))], 'brightness_boost'), (2,))
    case('feb-tint-noise', (24, 20), 'feb', export([region(0, 1, key(0.1, 12.7, 10.1, 7.3, 8.8, opacity=0.4, color='#FF9800'))], 'brightness_boost'), (1,), block=1)
    for i, c in enumerate((None, 'none')):
        case(f'feb-boost-{c}', A, 'feb', export([region(0, 1, key(0.1, 21.4, 19.2, 12.1, 13.3, opacity=0.15 + i * 0.3, color=c))], 'brightness_boost'), (2,))
    case('feb-colours', A, 'feb', [region(0, 2, key(0.2, 15.4, 15.3, 9.2, 9.9, opacity=0.3, color='#00FFFF'), key(0.8, 25.8, 20.9, 9.2, 9.9, opacity=0.5, color='#FF88CC'),
                                          key(1.4, 20.1, 17.7, 12.2, 7.9, opacity=0.2, color=None))], (0, 4, 8, 14), 'effect=brightness_boost')
    case('feb-original', A, 'feb', export([region(0, 1, key(0.1, 21, 19, 12, 13, opacity=0.5, color='#FF9800'))], 'original'), (2,))
    one, two = key(0.4, 12, 12, 7, 9, opacity=0.3), key(0.4, 31, 22, 9, 7, opacity=0.5)
    case('feb-two', A, 'feb', [region(0.25, 1.5, two), region(0, 0.75, one)], (1, 3, 6, 7, 13))
    case('feb-keys-of-region', A, 'feb', [region(0.5, 1.5, key(0.2, 5, 5, 3, 3, opacity=0.9), key(0.75, 14.4, 14.8, 9.3, 8.6, opacity=0.2),
                                                 key(1.25, 29.9, 20.3, 9.3, 12.2, opacity=0.4), key(1.75, 40, 30, 3, 3, opacity=0.9))], (4, 8, 12))
    case('feb-scaled', B, 'feb', [region(0, 1, key(0, 900.3, 700.7, 300.1, 411.9, opacity=0.3), videoWidth=1920, videoHeight=1440)], (0,))
    for i, (x, y, rx, ry) in enumerate(((-3.7, 12.2, 9.5, 14.5), (43.9, 35.2, 18.3, 12.1), (20, -30, 9, 9), (-40, -40, 30, 30),
                                        (20, 18, 0, 0), (20, 18, 0.9, 7.2), (21, 17, 2, 2), (22, 18, 9000, 9000), (22, 300, 400, 290))):
        case(f'feb-edge-{i}', A, 'feb', [region(0, 1, key(0.1, x, y, rx, ry, opacity=0.4, color='#FFEB3B'))], (1,),
             'effect=dark_overlay' if i & 1 else 'effect=brightness_boost', block=23)
    case('feb-camel', A, 'feb', [dict(startTime=0, endTime=1, keyframes=[key(0.1, 20, 18, 11, 11, opacity=0.3)])], (3,))
    case('feb-nothing', A, 'feb', [region(0, 1), region(2, 3, key(2.5, 20, 18, 9, 9))], (3, 12))

def cases_head():
    full = lambda t, x, y, rx, ry, **more: key(t, x, y, rx, ry, **{**dict(strokeOpacity=0.85, fillOpacity=0.05), **more})
    path = (full(0.1, 12.3, 14.6, 7.4, 9.7, color='#00FFFF'), full(0.5, 17.7, 20.2, 9.6, 8.3, strokeOpacity=0.6, fillOpacity=0.3, color='#FF9800'),
            full(1.2, 30.8, 15.3, 11.2, 10.9, strokeOpacity=1, color='#FF88CC'), full(1.6, 27.4, 19.1, 8.6, 12.8, color='#FFFFFF'))
    # before the first key, in all three spans, at the last key's side, beyond it
    case('head-spline', A, 'head', export([region(0, 4, *path)], 'dark_overlay', fill_enabled=True), (0, 2, 6, 8, 11, 12, 13))
    case('head-unsorted', A, 'head', export([region(0, 4, path[2], path[0], path[3], path[1])], fill_enabled=True), (7,))
    case('head-one-key', B, 'head', [region(0, 4, full(1, 22.2, 19.5, 12.2, 9.9, color='#FFEB3B'))], (0, 8, 9))
    case('head-slack', A, 'head', [region(0.5, 2, full(0.47, 14.4, 15.2, 8.3, 9.1, color='#00FFFF'), full(2.03, 30.2, 21.7, 8.3, 9.1, color='#00FFFF'),
                                          full(2.05, 5, 5, 2, 2), full(0.45, 5, 5, 2, 2))], (4, 9, 13))
    for i, c in enumerate(PALETTE + ('none',)):
        case(f'head-{c.strip("#")}', B if i & 1 else A, 'head',
             export([region(0, 2, full(1, 22.4, 18.2, 14.1 - i, 10.3 + i, strokeOpacity=1 - i * 0.19, fillOpacity=0.1 + i * 0.08, color=c))], 'dark_overlay',
                    fill_enabled=i != 1, dim_strength=(0.15, 0.4, 0, 0.25, 0.3, 0.2)[i], stroke_width=1 + i), (2,))
    case('head-noise', (24, 20), 'head', export([region(0, 2, full(1, 11.6, 9.7, 6.4, 5.5, color='#FF9800'))], 'dark_overlay', fill_enabled=True), (2,), block=1)
    case('head-ground-noise', (26, 20), 'head', export([region(0, 2, full(1, 12.6, 6.7, 6.4, 9.5, color='#00FFFF', fillOpacity=0.3))], 'dark_overlay', highlight_shape='ground'), (2,), block=1)
    case('head-fade-noise', (40, 32), 'head', export([region(0, 1, full(1, 19.6, 15.7, 12.4, 10.5, color='#FF88CC', strokeOpacity=0.5, fillOpacity=0.4))],
                                                     fill_enabled=True, dim_strength=0.4), (13,), block=1, fps=16)
    case('head-boost', A, 'head', export([region(0, 2, full(1, 21.4, 19.2, 12.1, 13.3, color='#FF9800'))], 'brightness_boost', fill_enabled=True), (2,))
    case('head-original', A, 'head', export([region(0, 2, full(1, 21.4, 19.2, 12.1, 13.3, color='#FF9800'))], 'original'), (2,))
    case('head-old-opacity', A, 'head', export([region(0, 2, key(1, 21.4, 19.2, 12.1, 13.3, opacity=0.4, color='#FF9800'))], fill_enabled=True), (2,))
    case('head-defaults', A, 'head', export([region(0, 2, key(1, 21.4, 19.2, 12.1, 13.3, color='#FF88CC'))], fill_enabled=True, fill_opacity=0.35), (2,))
    case('head-color-of-all', A, 'head', export([region(0, 2, full(1, 21.4, 19.2, 12.1, 13.3, color='#FF88CC'))], highlight_color='#00FFFF'), (2,))
    # the fade: of 0.25 s, of half of a short region, over at its last frame
    case('head-fade', A, 'head', export([region(0, 1, full(0.1, 12.4, 15.2, 9.1, 8.3, color='#FFFFFF'), full(1, 28.7, 19.6, 9.1, 11.3, color='#FFFFFF'))],
                                        fill_enabled=True, dim_strength=0.4), (12, 13, 14, 15, 16), fps=16)
    case('head-fade-short', A, 'head', [region(0.25, 0.5, full(0.5, 22.4, 18.2, 12.1, 8.3, color='#00FFFF'))], (4, 6, 7, 8), fps=16)
    for i, fill in enumerate((None, 0, 0.4)):
        k = full(1, 22.4, 12.2, 9.3 + i, 14.5 + 2 * i, color=PALETTE[i])
        if fill is None:
            del k['fillOpacity']
        else:
            k['fillOpacity'] = fill
        case(f'head-ground-{fill}', A, 'head', export([region(0, 2, k)], ('dark_overlay', 'brightness_boost', None)[i]), (2,), 'shape=ground')
    case('head-ground-fade', B, 'head', export([region(0, 1, full(1, 22.4, 13.2, 10.1, 17.7, fillOpacity=0.25, color='#FFEB3B'))], highlight_shape='ground', stroke_width=6), (13,), fps=16)
    for i, (x, y, rx, ry) in enumerate(((-3.7, 12.2, 9.5, 14.5), (43.9, 35.2, 18.3, 12.1), (20, -30, 9, 9), (-40, 18, 30, 30), (60, 18, 12, 9), (20, 50, 12, 9),
                                        (20, 18, 0, 0), (20, 18, 0.9, 7.2), (21, 17, 2, 2), (22, 18, 9000, 9000), (22, 300, 400, 290))):
        case(f'head-edge-{i}', A, 'head', export([region(0, 2, full(1, x, y, rx, ry, color='#FFEB3B'))], fill_enabled=True), (1,), block=23)
    case('head-scaled', B, 'head', export([region(0, 2, full(0.2, 900.3, 700.7, 300.1, 411.9, color='#00FFFF'), full(1.1, 1200.3, 640.7, 390.3, 361.4, color='#00FFFF'),
                                                  videoWidth=1920, videoHeight=1440)], fill_enabled=True), (5,))
    case('head-two', A, 'head', [region(0.25, 1.5, full(1.5, 31, 22, 9, 7, color='#FF9800')), region(0, 0.75, full(0.75, 12, 12, 7, 9, color='#00FFFF'))], (1, 4, 6, 7))
    # width: 6 * 540 / 1080 = 3; 2.5 to even is 2; 1.5 would be 2 as well, and the least is 2
    for s in (6, 5, 3, 1):
        case(f'head-width-{s}', TALL, 'head', export([region(0, 2, full(1, 14.4, 270.2, 9.1, 13.3, color='#FF88CC'))], stroke_width=s), (0,), block=90)
    case('head-nothing', A, 'head', [region(0, 1), region(2, 3, key(2.5, 20, 18, 9, 9))], (3,))

if __name__ == '__main__':
    version = tuple(int(v) for v in cv2.__version__.split('.')[:2])
    if not (4, 6) <= version <= (4, 12):
        sys.exit(f'OpenCV {cv2.__version__}: 4.6 to 4.12 are wanted, later ones draw strokes of thickness 1 by another rule')
    print('# the looks of the old renderers; made by tests/peers/highlight_look.py')
    cases_feb()
    cases_head()
