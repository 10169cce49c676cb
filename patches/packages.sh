#!/bin/sh
# Sees to the Debian packages that a build needs: installs what is missing when
# it may (root, or sudo without a password), else prints the command to run.
# usage: packages.sh [--print]      --print: only name what is missing
set -eu

build="gcc make pkg-config nasm xz-utils curl ca-certificates git"
libs="libx264-dev libdnnl-dev libjansson-dev libfreetype-dev libharfbuzz-dev
      libfontconfig-dev librubberband-dev zlib1g-dev"
extra="clang fonts-dejavu-core"    # CUDA pixel kernels; captions of the demo

command -v dpkg-query > /dev/null || {
    echo "packages: not a Debian system: please see to these (Debian's names):" $build $libs $extra >&2
    exit 0
}
missing=
for p in $build $libs $extra; do
    dpkg-query -W -f '${Status}' "$p" 2> /dev/null | grep -q 'ok installed' && continue
    # virtual names: any provider will do
    case $p in
    pkg-config) command -v pkg-config > /dev/null && continue ;;
    esac
    missing="$missing $p"
done
[ -n "$missing" ] || exit 0
[ "${1:-}" != --print ] || { echo "$missing"; exit 0; }

cmd="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
    sudo="sudo"
else
    echo "packages: missing:$missing" >&2
    echo "packages: run this, then again what you ran: sudo $cmd" >&2
    exit 1
fi
echo "packages: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
{ $sudo apt-get update && $sudo $cmd; } > "$log" 2>&1 || {
    tail -n 5 "$log" >&2
    echo "packages: '$cmd' failed; the whole log: $log" >&2
    exit 1
}
rm -f "$log"
