#!/bin/sh
# Gets one source tarball into the download cache and prints its path.
# usage: fetch.sh ffmpeg|nv-codec-headers VERSION CACHE_DIR
#
# Order: the cache; the upstream release address; the pool of the Debian mirror
# that this machine's apt uses. The file must have the SHA256 that sources.txt
# pins. A version that is not pinned is taken only from the mirror, by the
# SHA256 of Debian's signed source index (testing, unstable, stable).
# OFFLINE=1: the cache only.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=${1:?usage: fetch.sh NAME VERSION CACHE_DIR}
version=${2:?}
cache=${3:?}
file=${name}_$version.orig.tar.xz

say() { echo "fetch: $*" >&2; }
die() { say "$*"; exit 1; }

pinned() { awk -v n="$name" -v v="$version" '$1 == n && $2 == v { print $3 }' "$here/sources.txt"; }
upstream() { awk -v n="$name" -v v="$version" '$1 == n && $2 == v { print $4 }' "$here/sources.txt"; }

# the mirror of apt's own configuration; empty where there is no apt
mirror() {
    command -v apt-get > /dev/null || return 0
    apt-get indextargets --format '$(SITE)' 2> /dev/null | grep -v security | sort -u | head -n 1
}

download() { # URL FILE, resumable
    if command -v curl > /dev/null; then
        curl -fsSL --connect-timeout 10 --retry 2 -C - -o "$2" "$1" 2> /dev/null
    elif command -v wget > /dev/null; then
        wget -q --timeout=20 --tries=2 -c -O "$2" "$1"
    elif command -v /usr/lib/apt/apt-helper > /dev/null; then
        /usr/lib/apt/apt-helper download-file "$1" "$2" > /dev/null 2>&1
    else
        die "none of curl, wget, apt-helper is installed: apt-get install curl"
    fi
}

# a private apt state that knows the source indices of the newer suites; prints
# "URL SHA256" of the wanted tarball, if any of them names it
indexed() {
    site=$(mirror)
    [ -n "$site" ] || return 0
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$key" ] || { say "$key is missing: apt-get install debian-archive-keyring"; return 0; }
    state=$cache/apt
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    for suite in testing unstable stable; do
        echo "deb-src [signed-by=$key] $site $suite main"
    done > "$state/sources.list"
    set -- -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
           -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache" \
           -o Acquire::Languages=none
    apt-get "$@" update > "$state/log" 2>&1 || { say "apt-get update of the source indices failed: $(tail -n 1 "$state/log")"; return 0; }
    for suite in testing unstable stable; do
        apt-get "$@" source --print-uris "$name/$suite" 2> /dev/null || true
    done | awk -v f="$file" '$2 == f { gsub(/\047/, "", $1); sub(/^SHA256:/, "", $4); print $1, $4; exit }'
    # an older version that the index still lists beside a newer one
    [ -n "$(ls "$state"/lists/*Sources* 2> /dev/null)" ] || return 0
    /usr/lib/apt/apt-helper cat-file "$state"/lists/*Sources* 2> /dev/null |
        awk -v f="$file" -v s="$site/pool/main/$(echo "$name" | cut -c1)/$name/$file" \
            '$3 == f && length($1) == 64 { print s, $1; exit }'
}

good() { [ -f "$1" ] && [ "$(sha256sum < "$1" | cut -d' ' -f1)" = "$2" ]; }

mkdir -p "$cache" || die "cannot write to the cache folder $cache: choose another with --cache=DIR"
out=$cache/$file
sum=$(pinned)
if [ -n "$sum" ] && good "$out" "$sum"; then
    echo "$out"
    exit 0
fi
[ -z "${OFFLINE:-}" ] || die "$file is not in $cache with the right SHA256, and downloads are off (--offline)"
need=60000
have=$(df -Pk "$cache" | awk 'NR == 2 { print $4 }')
[ "$have" -ge "$need" ] || die "$cache has $have kB free, $need are needed"

urls=
if [ -n "$sum" ]; then
    site=$(mirror)
    urls="$(upstream) ${site:+$site/pool/main/$(echo "$name" | cut -c1)/$name/$file}"
fi
try() { # URL SUM
    say "getting $name $version from ${1%%/pool/*}"
    download "$1" "$out.part" || { say "not there or not reachable"; rm -f "$out.part"; return 1; }
    good "$out.part" "$2" || {
        say "wrong SHA256 of $1: expected $2, got $(sha256sum < "$out.part" | cut -d' ' -f1); file dropped"
        rm -f "$out.part"
        return 1
    }
    mv "$out.part" "$out"
    echo "$out"
}
for url in $urls; do
    try "$url" "$sum" && exit 0
done
say "asking Debian's signed source index for $file"
set -- $(indexed)
if [ $# -ge 2 ]; then
    [ -z "$sum" ] || [ "$2" = "$sum" ] || die "the signed index gives SHA256 $2 for $file, sources.txt pins $sum: not taken"
    if good "$out" "$2"; then
        echo "$out"
        exit 0
    fi
    try "$1" "$2" && exit 0
fi
die "could not get $name $version: no network? Put $file${sum:+ (SHA256 $sum)} into $cache, or name a source with --ffmpeg-source=DIR|TARBALL"
