#!/bin/sh
# Prints what a program needs to link a build's static libraries.
# usage: libs.sh BUILD
set -eu

build=${1:?usage: libs.sh BUILD}
archives=
for l in avfilter avformat avcodec swscale swresample postproc avutil; do
    [ ! -f "$build/lib$l/lib$l.a" ] || archives="$archives $build/lib$l/lib$l.a"
done
echo "-Wl,--start-group$archives -Wl,--end-group" \
    "$(sed -n 's/^EXTRALIBS-av[a-z]*=//p; s/^EXTRALIBS-sw[a-z]*=//p; s/^EXTRALIBS-postproc=//p; s/^EXTRALIBS=//p' \
        "$build/ffbuild/config.mak" | tr '\n' ' ') -lpthread -lm"
