#!/bin/sh
# Regenerates patches/<version>/0001-*.patch from hook.sh, or with --check compares.
# usage: patches.sh [--check]
# Needs the pristine tarballs; --check skips, saying so, a version whose tarball
# is not in the cache.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
cache=${CACHE:-$top/cache}
check=
[ "${1:-}" != --check ] || check=1
files="configure libavfilter/Makefile libavfilter/allfilters.c tests/Makefile"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# the hooks as one 'git am'-able patch, the same bytes on every machine
hooks() { # TARBALL DIR OUT
    mkdir -p "$2"
    set -- "$@" $(for f in $files; do echo "*/$f"; done)
    tarball=$1 dir=$2 out=$3
    shift 3
    tar xf "$tarball" -C "$dir" --strip-components=1 --wildcards --no-wildcards-match-slash "$@"
    (
        cd "$dir"
        export GIT_AUTHOR_DATE='2026-11-20T00:00:00Z' GIT_COMMITTER_DATE='2026-11-20T00:00:00Z' \
               GIT_AUTHOR_NAME=ffreel GIT_AUTHOR_EMAIL=ffreel@example.org \
               GIT_COMMITTER_NAME=ffreel GIT_COMMITTER_EMAIL=ffreel@example.org GIT_CONFIG_NOSYSTEM=1 HOME="$tmp"
        git init -q .
        git add -A
        git commit -q -m pristine
        "$here/hook.sh" "$PWD"
        git add -A
        git commit -q -m 'lavfi: hook in the ffreel filters

Registers keyframecrop, highlight, highlight_cuda, esrgan and yolodetect, their libraries and their FATE tests.
The sources themselves are new files.'
        git format-patch -q --zero-commit -N --full-index --no-signature --stdout HEAD~ > "$out"
    )
}

rc=0
for version in $(awk '$1 == "ffmpeg" { print $2 }' "$here/sources.txt"); do
    series=${version%.*}
    patch=$here/$series/0001-lavfi-hook-in-the-ffreel-filters.patch
    if [ -n "$check" ]; then
        tarball=$cache/ffmpeg_$version.orig.tar.xz
        [ -f "$tarball" ] || { echo "patches: $series not compared: its tarball is not in the cache (make check-versions gets it)"; continue; }
    else
        tarball=$("$here/fetch.sh" ffmpeg "$version" "$cache")
    fi
    hooks "$tarball" "$tmp/$series" "$tmp/$series.patch"
    n=$(grep -c '^[+-][^+-]' "$tmp/$series.patch" || true)
    [ "$n" -lt 15 ] || { echo "patches: $series has $n changed lines: hooks stay under 15" >&2; rc=1; }
    if [ -z "$check" ]; then
        mkdir -p "$here/$series"
        cp "$tmp/$series.patch" "$patch"
        echo "wrote patches/$series (on $version, $n lines)"
    elif cmp -s "$tmp/$series.patch" "$patch"; then
        echo "patches: $series is what hook.sh makes on $version"
    else
        echo "patches: patches/$series is not what hook.sh makes on $version: run patches/patches.sh" >&2
        rc=1
    fi
done
exit $rc
