#!/bin/sh
# test: highlight from the command line: errors, time, chains, the cookbook's lines (asan)
set -u

n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}
is() { # GOT WANTED WHAT
    [ "$1" = "$2" ]
    ok $? "$3${1:+ ($(printf %.60s "$1"))}"
    [ "$1" = "$2" ] || echo "# got '$1', wanted '$2'"
}
tmp=${TMP:-/tmp}/highlight.$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT

src='testsrc2=s=320x240:r=10:d=2'
crc() { "$FFMPEG" -v error -noauto_conversion_filters "$@" -f framecrc -bitexact - 2> "$tmp/err"; }
# luma at X,Y of each frame
luma() { # X Y FFMPEG-OPTIONS
    at=$1:$2
    shift 2
    "$FFMPEG" -v error "$@" -f rawvideo -pix_fmt gray - < /dev/null 2> "$tmp/err" | od -An -v -tu1 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'
}
spot() { # X Y: filters that leave that luma sample
    printf 'extractplanes=y,crop=1:1:%s:%s:exact=1' "$1" "$2"
}

# ---- errors: one line, no output file ---------------------------------------------
fails() { # TEXT-THAT-MUST-SHOW OPTIONS
    rm -f "$tmp/out.nut"
    if "$FFMPEG" -v error -y -f lavfi -i "$src" -vf "highlight=$2" -c:v rawvideo "$tmp/out.nut" 2> "$tmp/err"; then
        ok 1 "'$2' is refused"
    else
        grep -q -- "$1" "$tmp/err" && [ ! -s "$tmp/out.nut" ]
        ok $? "'$2' is refused: $(grep -m1 highlight "$tmp/err" | sed 's/^\[[^]]*\] //')"
        is "$(grep -v 'Failed to configure' "$tmp/err" | grep -c 'Parsed_highlight')" 1 "in one line"
    fi
}
fails 'none of keys' 'effect=ring'
fails 'key 2: ry is -5' "keys='0 10 10 10 10|1 10 10 10 -5'"
fails "color: 'mauvish'" "keys='0 10 10 10 10':color=mauvish"
fails 'is a folder' "file=$tmp"
printf '[{"start_time":0,"end_time":1,"keyframes":[{"time":0,"x":1,"y":2,"radiusX":3}]}]' > "$tmp/broken.json"
fails 'region 1: key 1: .radiusY' "file=$tmp/broken.json"
printf '[{"start_time":0,' > "$tmp/broken.json"
fails 'broken.json:1' "file=$tmp/broken.json"

# ---- time: variable frame rate, seeking, copyts ---------------------------------------
printf '[{"start_time": 0.5, "end_time": 1.2, "keyframes": [{"time": 0.5, "x": 160, "y": 120, "radiusX": 40, "radiusY": 40}]}]' > "$tmp/r.json"
hl="highlight=file=$tmp/r.json:outside=1:fade_in=0:fade_out=0:feather=1.5"
black=$(luma 0 0 -f lavfi -i "color=gray:s=320x240:r=10:d=2,format=yuv420p" -vf "$hl,$(spot 2 2)" | tr ' ' '\n' | awk '{ if ($1 < 30) printf "%d ", NR - 1 }')
is "$black" "5 6 7 8 9 10 11 12 " "frames of 0.5 to 1.2 s are drawn on, both ends with them"
black=$(luma 0 0 -f lavfi -i "color=gray:s=320x240:r=10:d=2,format=yuv420p,settb=1/1000,setpts=N*N/100/TB" -vf "$hl,$(spot 2 2)" -fps_mode passthrough | tr ' ' '\n' | awk '{ if ($1 < 30) printf "%d ", NR - 1 }')
is "$black" "8 9 10 " "with a variable rate, by their times"
if "$FFMPEG" -v error -y -f lavfi -i "color=gray:s=320x240:r=10:d=3,format=yuv420p" -c:v mpeg4 -g 5 "$tmp/in.nut" 2> /dev/null; then
    black=$(luma 0 0 -ss 1 -copyts -i "$tmp/in.nut" -vf "$hl,$(spot 2 2)" -fps_mode passthrough | tr ' ' '\n' | awk '{ if ($1 < 30) printf "%d ", NR - 1 }')
    is "$black" "0 1 2 " "after -ss with -copyts"
    black=$(luma 0 0 -ss 1 -i "$tmp/in.nut" -vf "$hl:t0=1,$(spot 2 2)" -fps_mode passthrough | tr ' ' '\n' | awk '{ if ($1 < 30) printf "%d ", NR - 1 }')
    is "$black" "0 1 2 " "after -ss with t0"
fi

# ---- the result does not depend on threads, flags of the CPU, or a frame being shared -------
want=$(crc -filter_threads 1 -f lavfi -i "$src" -vf "format=yuv420p,highlight=keys='0 90 80 40 60|2 200 150 30 50':color=red:effect=blur")
for opt in '-filter_threads 2' '-filter_threads 7' '-cpuflags 0'; do
    # shellcheck disable=SC2086
    is "$(crc $opt -f lavfi -i "$src" -vf "format=yuv420p,highlight=keys='0 90 80 40 60|2 200 150 30 50':color=red:effect=blur" | md5sum)" \
        "$(echo "$want" | md5sum)" "the same bytes with $opt"
done
for perm in rw ro; do
    is "$(crc -f lavfi -i "$src" -vf "format=yuv420p,perms=$perm,highlight=keys='0 90 80 40 60|2 200 150 30 50':color=red:effect=blur" | md5sum)" \
        "$(echo "$want" | md5sum)" "the same bytes on frames that are $perm"
done
is "$(crc -f lavfi -i "$src" -vf "format=yuv420p,split[a][b];[b]nullsink;[a]highlight=keys='0 90 80 40 60|2 200 150 30 50':color=red:effect=blur" | md5sum)" \
    "$(echo "$want" | md5sum)" "and on frames that others hold"

# ---- boxes of another filter: follow needs them on the frames --------------------------------
"$FFMPEG" -v error -f lavfi -i "$src" -vf "highlight=follow=largest" -f null - 2> "$tmp/err"
ok $? "follow on frames without boxes: nothing is drawn, nothing fails"
is "$(crc -f lavfi -i "$src" -vf "format=yuv420p,highlight=follow=largest" | md5sum)" "$(crc -f lavfi -i "$src" -vf "format=yuv420p" | md5sum)" "and frames are the same"

# ---- captions of the old renderer: overlay with a fade (cookbook) ------------------------------
"$FFMPEG" -v error -y -f lavfi -i "color=white:s=320x240,format=rgba,colorchannelmixer=aa=0.5" -frames:v 1 "$tmp/text.png" 2> "$tmp/err"
got=$("$FFMPEG" -v error -f lavfi -i "color=black:s=320x240:r=20:d=2,format=yuv420p" -loop 1 -framerate 20 -t 1.5 -i "$tmp/text.png" \
    -filter_complex "[1]format=rgba,fade=out:st=1.25:d=0.25:alpha=1[t];[0][t]overlay=enable='gte(t,0.5)*lt(t,1.5)':eof_action=pass:format=auto,format=yuv420p,$(spot 5 5)" \
    -f rawvideo -pix_fmt gray - 2> "$tmp/err" < /dev/null | od -An -v -tu1 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//')
echo "$got" | awk '{
    bad = NF != 40
    for (i = 1; i <= NF; i++) {
        t = (i - 1) / 20
        a = t < 0.4999 || t > 1.4999 ? 0 : 0.5 * (1.5 - t < 0.25 ? (1.5 - t) / 0.25 : 1)
        d = $i - (16 + 219 * a)
        if (d < -8 || d > 8) bad = 1
    }
    exit bad }'
ok $? "a caption from 0.5 s until before 1.5 s that fades over the last quarter second"

echo "done - $n tests, $failed failed"
[ $failed = 0 ]
