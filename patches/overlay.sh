#!/bin/sh
# Lays our sources over an unpacked FFmpeg tree and sets the hooks.
# usage: overlay.sh link|copy TREE
# link: for our own builds, so that an edit here is an edit there.
# copy: for a tree that goes its own way (--into=DIR, make patchset).
set -eu

how=${1:?usage: overlay.sh link|copy TREE}
tree=${2:?}
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")

put() { # SOURCE DEST
    case $how in
    link) [ "$(readlink "$2" 2> /dev/null)" = "$1" ] || ln -sfn "$1" "$2" ;;
    copy) cmp -s "$1" "$2" || cp -f "$1" "$2" ;;
    *) echo "overlay.sh: '$how' is neither link nor copy" >&2; exit 1 ;;
    esac
}

"$here/hook.sh" "$tree"
for f in "$top"/libavfilter/*; do
    put "$f" "$tree/libavfilter/${f##*/}"
done
put "$top/cuda/torch_shim.h" "$tree/libavfilter/torch_shim.h"
put "$top/models/builtin.safetensors" "$tree/libavfilter/nn_builtin.safetensors"
for f in "$top"/fate/*.mak "$top"/fate/*.onnx; do
    put "$f" "$tree/tests/fate/${f##*/}"
done
for f in "$top"/fate/ref/*; do
    put "$f" "$tree/tests/ref/fate/${f##*/}"
done
