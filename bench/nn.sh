#!/bin/sh
# Nets on the CPU: engine onednn, the same net's bare convolutions in oneDNN, and
# PyTorch eager, by model, size and precision.
# Environment: BUILD (a built tree with config.mk), SHARED (its models/ hold the
# official nets), JSON (lines of JSON are appended), THREADS (2), SECONDS_EACH (4),
# PYTHON (a python3 with torch; without one those rows are missing, said so).
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:?a built tree, e.g. BUILD=build/release}
json=${JSON:-/dev/null}
tmp=${TMP:-${TMPDIR:-/tmp}}/nn.$$
threads=${THREADS:-2}
seconds=${SECONDS_EACH:-4}
models=${SHARED:-$top/../shared}/models
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT

# ---- the program, linked against the build ------------------------------------
tree=$top/$(sed -n 's/^FFTREE *= *//p' "$build/config.mk" 2> /dev/null)
[ -d "$tree/libavutil" ] || tree=${FFTREE:?where the FFmpeg sources of BUILD are}
mak=$build/ffbuild/config.mak
libs=$(sed -n 's/^EXTRALIBS-av[a-z]*=//p; s/^EXTRALIBS-sw[a-z]*=//p; s/^EXTRALIBS-postproc=//p; s/^EXTRALIBS=//p' "$mak" | tr '\n' ' ')
archives=
for l in avfilter avformat avcodec swscale swresample postproc avutil; do
    [ ! -f "$build/lib$l/lib$l.a" ] || archives="$archives $build/lib$l/lib$l.a"
done
# shellcheck disable=SC2046,SC2086
$(sed -n 's/^CC=//p' "$mak") -std=c17 -O2 -D_GNU_SOURCE -DHAVE_AV_CONFIG_H -I"$build" -I"$tree" \
    -I"$tree/libavfilter" -I"$top/libavfilter" "$top/bench/nn.c" -o "$tmp/nn" \
    -Wl,--start-group $archives -Wl,--end-group $libs -lpthread -lm || exit 1

# ---- rows ---------------------------------------------------------------------
python=${PYTHON:-python3}
torch=yes
"$python" -c 'import torch' 2> /dev/null || torch=

field() { printf '%s\n' "$1" | sed -n "s/.*\"$2\": *\"\{0,1\}\([^,\"}]*\).*/\1/p"; }
percent() { [ -z "$1" ] || awk "BEGIN { printf \"%.0f %%\", 100 * $1 }"; }
row() { # JSON NAME
    printf '%s\n' "$1" >> "$json"
    printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$2" "$(field "$1" size)" "$(field "$1" engine)" \
        "$(field "$1" precision)" "$(field "$1" fps)" "$(field "$1" tflops)" "$(field "$1" bare_fps)" \
        "$(percent "$(field "$1" of_bare)")" "$(field "$1" fps_cpu)"
}
bench() { # NAME FILE SIZE
    [ "$2" = builtin ] || [ -f "$2" ] || { echo "| $1 | $3 | skipped: no $(basename "$2") (set SHARED) | | | | | | |"; return; }
    for p in bf16 fp32; do
        line=$("$tmp/nn" "$2" "$3" $p "$threads" "$seconds") && row "$line" "$1"
    done
    [ -n "$torch" ] || return 0
    file=$2
    [ "$file" != builtin ] || file=$top/models/builtin.safetensors
    "$python" "$top/bench/peers/torch_sr.py" "$file" "$3" "$threads" "$seconds" fp32 bf16 > "$tmp/torch"
    while read -r line; do row "$line" "$1"; done < "$tmp/torch"
}

echo "$threads threads; bare: the net's convolutions alone, same layout, precision and threads;"
echo "fps (CPU): by CPU time, what a loaded machine would do if it were idle."
[ -n "$torch" ] || echo "PyTorch rows are missing: '$python' has no torch (set PYTHON)."
echo
echo "| net | input | engine | precision | fps | TFLOP/s | bare fps | of bare | fps (CPU) |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
bench general-x4v3 "$models/realesr-general-x4v3.safetensors" 540x960
bench general-x4v3 "$models/realesr-general-x4v3.safetensors" 205x365
bench animevideov3 "$models/realesr-animevideov3.safetensors" 540x960
bench builtin builtin 205x365
