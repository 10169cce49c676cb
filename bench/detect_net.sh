#!/bin/sh
# Detection nets on the CPU: engine onednn in fp32, bf16 and int8, and ONNX Runtime, in turn.
# Environment: BUILD (a built tree with config.mk), SHARED (its models/ hold yolox_nano.onnx),
# MORE (other ONNX files as "file:WIDTHxHEIGHT ..."), JSON (lines of JSON are appended),
# ROUNDS (5; the median of each figure counts), SECONDS_EACH (2), CORES (nproc),
# PYTHON (a python3 with onnxruntime and numpy; without one those rows are missing, said so).
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:?a built tree, e.g. BUILD=build/release}
json=${JSON:-/dev/null}
tmp=${TMP:-${TMPDIR:-/tmp}}/detect_net.$$
seconds=${SECONDS_EACH:-2}
rounds=${ROUNDS:-5}
cores=${CORES:-$(nproc)}
models=${SHARED:-$top/../shared}/models
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT

# ---- the program, linked against the build ------------------------------------
tree=$top/$(sed -n 's/^FFTREE *= *//p' "$build/config.mk" 2> /dev/null)
[ -d "$tree/libavutil" ] || tree=${FFTREE:?where the FFmpeg sources of BUILD are}
# shellcheck disable=SC2046,SC2086
$(sed -n 's/^CC=//p' "$build/ffbuild/config.mak") -std=c17 -O2 -D_GNU_SOURCE -DHAVE_AV_CONFIG_H -I"$build" -I"$tree" \
    -I"$tree/libavfilter" -I"$top/libavfilter" "$top/bench/detect_net.c" -o "$tmp/net" \
    $("$top/patches/libs.sh" "$build") || exit 1

# ---- rows ---------------------------------------------------------------------
python=${PYTHON:-python3}
ort=yes
"$python" -c 'import onnxruntime, numpy' 2> /dev/null || ort=

field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^,\"}]*\).*/\1/p"; }
# median FILE FIELD: of its lines
median() { field "$2" < "$1" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
engines="fp32 bf16 int8${ort:+ ort}"
once() { # ENGINE FILE SIZE THREADS SLOTS
    if [ "$1" = ort ]; then
        "$python" "$top/bench/peers/ort_run.py" "$2" "$3" "$4" "$5" "$seconds"
    else
        "$tmp/net" "$2" "$3" "$1" "$4" "$5" "$seconds"
    fi
}
ratio() { [ -z "$2" ] || [ -z "$1" ] || awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
bench() { # FILE SIZE
    [ -f "$1" ] || { echo "| $(basename "$1") | $2 | skipped: no such file (set SHARED) | | | | | | |"; return; }
    for form in "1 1" "$cores 1" "1 $cores"; do
        threads=${form% *} slots=${form#* }
        [ "$form" != "$cores 1" ] || [ "$cores" -gt 1 ] || continue
        rm -f "$tmp"/*.jsonl
        for _ in $(seq "$rounds"); do
            for e in $engines; do
                once $e "$1" "$2" "$threads" "$slots" >> "$tmp/$e.jsonl" 2>> "$tmp/log"
            done
        done
        base= cpu=
        if [ -n "$ort" ]; then
            base=$(median "$tmp/ort.jsonl" per_s)
            cpu=$(median "$tmp/ort.jsonl" cpu_ms)
        fi
        for e in $engines; do
            [ -s "$tmp/$e.jsonl" ] || { case $e in bf16|int8) continue ;; esac; echo "| $(basename "$1") | $2 | $e failed: $(tail -n 1 "$tmp/log") | | | | | | |"; continue; }
            cat "$tmp/$e.jsonl" >> "$json"
            echo "| $(basename "$1" .onnx) | $2 | $(field engine < "$tmp/$e.jsonl" | head -n 1) | $(field precision < "$tmp/$e.jsonl" | head -n 1) |" \
                "$slots x $threads | $(median "$tmp/$e.jsonl" ms) | $(median "$tmp/$e.jsonl" per_s) | $(ratio "$(median "$tmp/$e.jsonl" per_s)" "$base") |" \
                "$(median "$tmp/$e.jsonl" cpu_ms) | $(ratio "$cpu" "$(median "$tmp/$e.jsonl" cpu_ms)") |"
        done
    done
}

echo "Medians of $rounds rounds in turn, $seconds s each. images x threads: so many at a time, so many threads each."
echo "CPU ms: of the run that needed least, which other load on the machine disturbs least; with 1 x n of all threads, spinning included."
[ -n "$ort" ] || echo "ONNX Runtime rows are missing: '$python' has no onnxruntime (set PYTHON)."
echo
echo "| net | input | engine | precision | images x threads | ms | images/s | against ORT | CPU ms | against ORT |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
bench "$models/yolox_nano.onnx" 416x416
for m in ${MORE:-}; do
    bench "${m%:*}" "${m##*:}"
done
