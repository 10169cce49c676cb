#!/bin/sh
# test: keyframecrop from the command line: errors, JSON keys, commands, time, threads
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
tmp=${TMP:-/tmp}/keyframecrop.$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT

src='testsrc2=s=320x240:r=10:d=2'
crc() { "$FFMPEG" -v error -noauto_conversion_filters "$@" -f framecrc -bitexact - 2> "$tmp/err"; }
# lavfi.keyframecrop.KEY of each frame
tags() { # KEY GRAPH
    "$FFPROBE" -v error -f lavfi -of csv=p=0 -show_entries "frame_tags=lavfi.keyframecrop.$1" "$2" | tr '\n' ' '
}

# ---- errors: one line, no output file ---------------------------------------------
fails() { # TEXT-THAT-MUST-SHOW OPTIONS
    rm -f "$tmp/out.nut"
    if "$FFMPEG" -v error -y -f lavfi -i "$src" -vf "keyframecrop=$2" -c:v rawvideo "$tmp/out.nut" 2> "$tmp/err"; then
        ok 1 "'$2' is refused"
    else
        grep -q -- "$1" "$tmp/err"
        ok $? "'$2' is refused: $(grep -m1 keyframecrop "$tmp/err" | sed 's/^\[[^]]*\] //')"
    fi
}
fails 'no keys' 'w=100:h=100'
fails 'key 2: w is -5' "keys='0 0 0 10 10|1 0 0 -5 10'"
fails 'key 3: its time' "keys='0 0 0 10 10|2 0 0 10 10|1 0 0 10 10'"
fails "key 1: 'wobble'" "keys='0 0 0 10 10 wobble'"
fails 'not a ratio' "keys='0 0 0 10 10':aspect=tall"
fails 'kind' "keys='0 0 0 10 10':kind=bouncy"
fails 'out of range' "keys='0 0 0 10 10':rotate=1e9"
fails 'file: the name is empty' "file="
fails 'aspect: .1e9. is not within' "aspect=1e9"
for w in abc '(1' nan oh; do
    fails "w: '$w' is neither" "keys='0 0 0 10 10':w=$w"
    is "$(grep -v 'Failed to configure' "$tmp/err" | grep -c 'Parsed_keyframecrop')" 1 "in one line"
done
fails 'key 1: w is 9.99989e-321' "keys='0 0 0 1e-320 40|1 0 0 1000 40':log=1:w=32:h=32"
fails 'w: 1e+06' "keys='0 0 0 100 0.01':h=100"
"$FFMPEG" -v error -max_alloc 4000000 -f lavfi -i "$src" -frames:v 1 -vf "keyframecrop=keys='0 0 0 320 240':w=4000:h=3000" -f null - 2> "$tmp/err"
[ $? != 0 ] && grep -q 'keyframecrop.*cannot make a frame of 4000x3000' "$tmp/err"
ok $? "a frame that memory does not hold is told by the filter"

# ---- sizes that are rounded, keys that stretch, fields --------------------------------
got=$(crc -f lavfi -i "$src" -vf "format=yuv420p,keyframecrop=keys='0 20 10 105 165'")
want=$(crc -f lavfi -i "$src" -vf "format=yuv420p,crop=104:164:20:10")
[ -n "$want" ] && [ "$got" = "$want" ]
ok $? "an odd key at whole pixels is cut to the even size, not resampled"
warns() { # TEXT FILTERS: how many lines have TEXT
    "$FFMPEG" -v warning -f lavfi -i "$src" -vf "$2" -f null - 2>&1 | grep -c "$1"
}
is "$(warns 'aspect=out' "keyframecrop=keys='0 0 0 80 80|1 0 0 160 80':w=100:h=100")" 1 "keys of several shapes are warned of, once"
is "$(warns 'aspect=out' "keyframecrop=keys='0 0 0 80 80|1 0 0 160 80':w=100:h=100:aspect=out")" 0 "not with aspect"
is "$(warns 'deinterlacer' "interlace,keyframecrop=keys='0 0 1 30 30'")" 1 "interlaced frames are warned of, once"

# ---- keys from a file ---------------------------------------------------------------
keys='0 20 10 90 160|1 60.5 30 90 160|2 10 0 90 160'
want=$(crc -f lavfi -i "$src" -vf "format=yuv420p,keyframecrop=keys='$keys':w=180:h=320")
cat > "$tmp/keys.json" << 'END'
[{"time":0,"x":20,"y":10,"width":90,"height":160},
 {"time":"00:00:01","x":60.5,"y":30,"width":90,"height":160},
 {"time":"2000ms","x":10,"y":0,"width":90,"height":160}]
END
printf '{"id": 7, "keyframes": %s}' "$(cat "$tmp/keys.json")" > "$tmp/object.json"
if "$FFMPEG" -hide_banner -buildconf 2> /dev/null | grep -q enable-jansson; then
    for f in keys object; do
        got=$(crc -f lavfi -i "$src" -vf "format=yuv420p,keyframecrop=file=$tmp/$f.json:w=180:h=320")
        [ -n "$got" ] && [ "$got" = "$want" ]
        ok $? "$f.json renders what the same inline keys render"
    done
    fails 'missing.json' "file=$tmp/missing.json"
    fails 'is a folder' "file=$tmp"
    mkfifo "$tmp/pipe.json"
    fails 'is a device or pipe' "file=$tmp/pipe.json"
    { printf '\357\273\277'; cat "$tmp/keys.json"; } > "$tmp/bom.json"
    got=$(crc -f lavfi -i "$src" -vf "format=yuv420p,keyframecrop=file=$tmp/bom.json:w=180:h=320")
    [ -n "$got" ] && [ "$got" = "$want" ]
    ok $? "a byte order mark is skipped"
    printf '[{"time":0,"x":20,' > "$tmp/broken.json"
    fails 'broken.json:1:' "file=$tmp/broken.json"
else
    fails 'without jansson' "file=$tmp/keys.json"
    echo "skip - keys from JSON: this ffmpeg is built without jansson"
fi

# ---- the same picture, however it is made ------------------------------------------
for f in yuv420p yuv444p10le p010le; do
    graph="testsrc2=s=321x241:r=10:d=1,format=$f,keyframecrop=keys='0 20.3 10 90 160|1 60.5 30 120 140':w=133:h=187:rotate=3"
    a=$(crc -filter_threads 1 -f lavfi -i "$graph" -pix_fmt $f)
    b=$(crc -filter_threads 4 -f lavfi -i "$graph" -pix_fmt $f)
    c=$(crc -cpuflags 0 -filter_threads 1 -f lavfi -i "$graph" -pix_fmt $f)
    [ -n "$a" ] && [ "$a" = "$b" ] && [ "$a" = "$c" ]
    ok $? "$f: 1 thread, 4 threads and -cpuflags 0 agree"
done
a=$(crc -f lavfi -i "$src,format=yuv420p")
b=$(crc -f lavfi -i "$src,format=yuv420p,keyframecrop=keys='0 0 0 320 240'")
[ -n "$a" ] && [ "$a" = "$b" ]
ok $? "a crop of the whole picture is the picture"
a=$(crc -f lavfi -i "$src,format=nv12,crop=100:80:40:20")
b=$(crc -f lavfi -i "$src,format=nv12,keyframecrop=keys='0 40 20 100 80'")
[ -n "$a" ] && [ "$a" = "$b" ]
ok $? "a still crop at whole pixels is crop's"

# ---- time ---------------------------------------------------------------------------
k="keyframecrop=keys='0 0 0 100 80|2 200 0 100 80'"
is "$(tags x "$src,$k" | cut -d' ' -f1-4)" "0.0000 10.0000 20.0000 30.0000" "x moves with time"
is "$(tags x "$src,setpts=PTS+1/TB,$k" | cut -d' ' -f1-2)" "100.0000 110.0000" "timestamps count, not frames"
is "$(tags x "$src,$k:t0=0.5" | cut -d' ' -f1-2)" "50.0000 60.0000" "t0 is the time at timestamp 0"
is "$(tags x "$src,$k:t0=-0.5" | cut -d' ' -f1-7)" "0.0000 0.0000 0.0000 0.0000 0.0000 0.0000 10.0000" "a negative t0"
is "$(tags x "$src,select='gt(n,4)',$k" | cut -d' ' -f1)" "50.0000" "variable frame rate"
"$FFMPEG" -v error -y -f lavfi -i "$src" -c:v rawvideo "$tmp/in.nut"
at() { # FFMPEG-OPTIONS: x of the first frame
    "$FFMPEG" -v error -ss 1 "$@" -i "$tmp/in.nut" -vf "$k$t0,metadata=print:file=-:key=lavfi.keyframecrop.x" -frames:v 1 -f null - |
        sed -n 's/lavfi.keyframecrop.x=//p' | head -n 1
}
t0=
is "$(at)" "0.0000" "-ss restarts the clock of the keys"
t0=:t0=1
is "$(at)" "100.0000" "-ss with t0 keeps it"
t0=
is "$(at -copyts)" "100.0000" "-ss with -copyts keeps it"

# ---- how far a curve may swing ------------------------------------------------------
graph="keyframecrop=keys='0 0 0 .01 40|1 0 0 .01 40|1.5 0 0 20000 40|3 0 0 20000 40':kind=catmull:log=1:edge=pad:w=32:h=32"
is "$(tags w "$src,$graph" | tr ' ' '\n' | sort -n | tail -n 1)" "20480.0000" "a rectangle that overshoots ends at 64 pictures"

# ---- metadata and commands ------------------------------------------------------------
is "$(tags x "$src,keyframecrop=keys='0 -50 -50 100 80'" | cut -d' ' -f1)" "0.0000" "metadata is the rectangle that is used: shifted"
is "$(tags w "$src,keyframecrop=keys='0 -50 -50 100 80':edge=clamp" | cut -d' ' -f1)" "50.0000" "clamped"
is "$(tags x "$src,keyframecrop=keys='0 -50 -50 100 80':edge=pad" | cut -d' ' -f1)" "-50.0000" "padded"
echo "0.5 keyframecrop keys '0 7 0 50 40';" > "$tmp/commands"
is "$(tags x "$src,sendcmd=f=$tmp/commands,keyframecrop=keys='0 1 0 100 80'" | cut -d' ' -f5-6)" \
   "1.0000 7.0000" "sendcmd changes the keys"
is "$(tags x "$src,sendcmd=c='0.5 keyframecrop edge pad',keyframecrop=keys='0 -9 0 100 80'" | cut -d' ' -f5-6)" \
   "0.0000 -9.0000" "sendcmd changes the edge"
"$FFPROBE" -v error -f lavfi -of csv=p=0 -show_entries frame=width,height \
    "$src,sendcmd=f=$tmp/commands,keyframecrop=keys='0 1 0 100 80'" | sort -u > "$tmp/sizes"
is "$(cat "$tmp/sizes")" "100,80" "the size of the output stays"

# ---- a long track -----------------------------------------------------------------------
awk 'BEGIN {
    printf "keyframecrop=keys="
    for (i = 0; i < 10000; i++) printf "%d.%02d %d 0 100 80|", i / 100, i % 100, i % 7 * 30
    print ",metadata=print:file=-:key=lavfi.keyframecrop.x"
}' > "$tmp/long"
is "$("$FFMPEG" -v error -f lavfi -i "$src" -/vf "$tmp/long" -f null - | sed -n 's/lavfi.keyframecrop.x=//p' | sed -n '1,3p' | tr '\n' ' ')" \
   "0.0000 90.0000 180.0000 " "10000 inline keys, from a script of filters"

echo "done - $n tests, $failed failed"
[ "$failed" = 0 ]
