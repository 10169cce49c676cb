#!/bin/sh
# Writes build/patchset/<version>/: a self-contained series for 'git am' on the
# pristine release: our sources as new files, then the hooks.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export GIT_AUTHOR_NAME=ffreel GIT_AUTHOR_EMAIL=ffreel@example.org GIT_CONFIG_NOSYSTEM=1 HOME="$tmp" \
       GIT_COMMITTER_NAME=ffreel GIT_COMMITTER_EMAIL=ffreel@example.org \
       GIT_AUTHOR_DATE='2026-11-20T00:00:00Z' GIT_COMMITTER_DATE='2026-11-20T00:00:00Z'

# new files only, so the series needs no tree to be made on
mkdir -p "$tmp/w/libavfilter" "$tmp/w/tests/fate" "$tmp/w/tests/ref/fate"
cd "$tmp/w"
git init -q .
git commit -q --allow-empty -m pristine
cp "$top"/libavfilter/* libavfilter/
cp "$top/cuda/torch_shim.h" libavfilter/torch_shim.h
cp "$top/models/builtin.safetensors" libavfilter/nn_builtin.safetensors
cp "$top"/fate/*.mak "$top"/fate/*.onnx tests/fate/
cp "$top"/fate/ref/* tests/ref/fate/
git add -A -f
git commit -q -m 'lavfi: add the ffreel filters

keyframecrop: crop by keyframes, sub-pixel, constant output size.
esrgan: Real-ESRGAN upscaling on the CPU.
yolodetect: detection and tracking by YOLO nets.'
for dir in "$here"/[0-9]*; do
    series=${dir##*/}
    out=$top/build/patchset/$series
    rm -rf "$out"
    mkdir -p "$out"
    git format-patch -q --zero-commit -N --full-index --binary --no-signature -o "$out" HEAD~
    cp "$dir"/0001-*.patch "$out/0002-lavfi-hook-in-the-ffreel-filters.patch"
    echo "build/patchset/$series: $(ls "$out" | wc -l) patches, $(du -ch "$out"/* | tail -n 1 | cut -f1)"
done
