#!/bin/sh
# Inserts the few lines that hook our sources into an unpacked FFmpeg tree.
# usage: hook.sh TREE
# Finds its places by anchor, so that it serves 7.1, 8.1 and 9.0 alike, and
# changes nothing in a tree that already has the hooks.
set -eu

tree=${1:?usage: hook.sh TREE}
cd "$tree"

die() { echo "hook.sh: $*" >&2; exit 1; }

# insert FILE MARK WHERE ANCHOR LINE: puts LINE before/after the first line
# that matches ANCHOR, unless MARK stands in the file already
insert() {
    [ -f "$1" ] || die "$tree/$1: no such file; is this an FFmpeg source tree?"
    grep -qF -- "$2" "$1" && return 0
    grep -q -- "$4" "$1" || die "$tree/$1: no line matches '$4': this FFmpeg version is not supported"
    ANCHOR=$4 LINE=$5 WHERE=$3 awk '
        !done && $0 ~ ENVIRON["ANCHOR"] {
            done = 1
            if (ENVIRON["WHERE"] == "before") print ENVIRON["LINE"]
            print
            if (ENVIRON["WHERE"] == "after") print ENVIRON["LINE"]
            next
        }
        { print }' "$1" > "$1.hook"
    cat "$1.hook" > "$1"    # keeps the mode
    rm -f "$1.hook"
}

insert configure '    jansson' before '^    jni$' '    jansson'
insert configure '    libdnnl' after '^    libaribb24$' '    libdnnl'
insert configure ffreel_deps.sh before '^drawtext_filter_deps=' '. "$(dirname "$0")/libavfilter/ffreel_deps.sh"'
insert configure ffreel_libs.sh before '^enabled jni  ' '. "$source_path/libavfilter/ffreel_libs.sh"'

type=$(sed -n 's/^extern const \(AVFilter\|FFFilter\) ff_vf_scale;/\1/p' libavfilter/allfilters.c)
[ -n "$type" ] || die "$tree/libavfilter/allfilters.c: ff_vf_scale is not declared as expected"
insert libavfilter/allfilters.c 'ff_vf_esrgan;' before 'ff_vf_estdif;' "extern const $type ff_vf_esrgan;"
insert libavfilter/allfilters.c ff_vf_esrgan_cuda before 'ff_vf_estdif;' "extern const $type ff_vf_esrgan_cuda;"
insert libavfilter/allfilters.c 'ff_vf_highlight;' before 'ff_vf_histeq;' "extern const $type ff_vf_highlight;"
insert libavfilter/allfilters.c ff_vf_highlight_cuda before 'ff_vf_histeq;' "extern const $type ff_vf_highlight_cuda;"
insert libavfilter/allfilters.c ff_vf_keyframecrop before 'ff_vf_kerndeint;' "extern const $type ff_vf_keyframecrop;"
insert libavfilter/allfilters.c ff_vf_yolodetect before 'ff_vf_zmq;' "extern const $type ff_vf_yolodetect;"
insert libavfilter/Makefile extra.mak before '^# Windows resource file' 'include $(SRC_PATH)/libavfilter/extra.mak'
insert tests/Makefile extra.mak after 'tests/fate/xvid.mak' 'include $(SRC_PATH)/tests/fate/extra.mak'
