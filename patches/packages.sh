#!/bin/sh
# Sees to the Debian packages that a build needs: installs what is missing when
# it may (root, or sudo without a password), else prints the command to run.
# usage: packages.sh [--print]      --print: only name what is missing
set -eu

build="gcc make pkg-config nasm xz-utils curl ca-certificates git"
libs="libx264-dev libdnnl-dev libjansson-dev libfreetype-dev libharfbuzz-dev
      libfontconfig-dev librubberband-dev zlib1g-dev"
extra="clang fonts-dejavu-core x265"   # CUDA pixel kernels; captions of the demo; HEVC input of a test

command -v dpkg-query > /dev/null || {
    echo "packages: not a Debian system: please see to these (Debian's names):" $build $libs $extra >&2
    exit 0
}
lacking() {
    for p; do
        dpkg-query -W -f '${Status}' "$p" 2> /dev/null | grep -q 'ok installed' && continue
        # a compiler or make from elsewhere will do
        case $p in
        gcc | make | pkg-config | nasm | curl | git | clang) ! command -v "$p" > /dev/null || continue ;;
        esac
        printf ' %s' "$p"
    done
}
# shellcheck disable=SC2086
needed=$(lacking $build)
# shellcheck disable=SC2086
missing=$needed$(lacking $libs $extra)
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
    [ -n "$needed" ] && exit 1
    echo "packages: going on without them, with fewer features" >&2
    exit 0
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
