#!/bin/sh
# build/ffreel-VERSION.tar.xz: what git tracks, and the patch sets.
set -eu

cd "$(dirname "$0")/.."
version=$(git describe --tags --always --dirty 2> /dev/null || date -u +%Y%m%d)
name=ffreel-$version
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/$name"
git ls-files -z | tar c --null -T - | tar x -C "$tmp/$name"
cp -r build/patchset "$tmp/$name/patchset"
tar cJf "build/$name.tar.xz" -C "$tmp" --owner=0 --group=0 --sort=name "$name"
ls -l "build/$name.tar.xz"
