#!/bin/sh
# test: the whole job (demo.sh) on a small scene and short ranges of real clips, its proofs and its refusals
set -u

top=${FFREEL_TOP:-$(cd "$(dirname "$0")/.." && pwd)}
FFMPEG=${FFMPEG:-$top/bin/ffmpeg} FFPROBE=${FFPROBE:-$top/bin/ffprobe} SHARED=${SHARED:-$top/../shared}
made=
[ -n "${TMP:-}" ] || { TMP=$(mktemp -d) && made=$TMP; }
trap '[ -z "$made" ] || rm -rf "$made"' EXIT
export FFMPEG FFPROBE
cd "$TMP" || exit 1

nb=0 bad=0
t() { # STATUS TEXT
    nb=$((nb + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else
        echo "not ok - $2"
        bad=$((bad + 1))
        [ ! -s log ] || tr '\r' '\n' < log | grep -v '^frame=' | tail -n 12 | sed 's/^/#   /'
    fi
}
ff() { "$FFMPEG" -nostdin -hide_banner -v error -y "$@"; }
# env VAR=VALUE...: the job, small and fast unless told otherwise
demo() {
    env SIZE=162x288 X264="-preset ultrafast -crf 18" SHEET=none OUT=o.mp4 "$@" sh "$top/tests/demo.sh" > log 2>&1
}
oks() { grep -c '^ok - ' log; }

# ---- the scene -----------------------------------------------------------------------
cc=${CC:-cc}
$cc -O2 -ffp-contract=off -o scene "$top/tests/scene.c" -lm && $cc -O0 -ffp-contract=off -o scene0 "$top/tests/scene.c" -lm
t $? "the scene generator compiles"
export SCENE="$TMP/scene"
./scene --size 320x180 --seconds 0.4 --seed 7 --out-prefix a && ./scene0 --size 320x180 --seconds 0.4 --seed 7 --out-prefix b &&
    cmp a.y4m b.y4m && cmp a.wav b.wav && cmp a.keys.json b.keys.json
t $? "one seed, the same bytes at -O2 and -O0"
./scene --size 320x180 --seconds 0.4 --seed 8 --out-prefix b && ! cmp -s a.y4m b.y4m && ! cmp -s a.wav b.wav
t $? "another seed, another scene"
for o in "--size 321x180" "--size 64x" "--fps 0" "--fps 30/0" "--seconds 0" "--seed -1" "--nonsense 1" "--size"; do
    # shellcheck disable=SC2086
    ./scene --out-prefix c $o > err 2>&1
    [ $? = 1 ] && [ "$(wc -l < err)" = 1 ] && grep -q -- "${o%% *}" err && [ ! -e c.y4m ]
    t $? "scene $o: refused in one line"
done

# ---- the whole job -------------------------------------------------------------------
demo SCENE_SIZE=640x360 SCENE_SECONDS=2.2 SHEET= OUT=full/reel.mp4
t $? "the job on a generated scene"
[ "$(oks)" = 13 ] && ! grep -q '^not ok' log
t $? "all 13 proofs, sound and picture marks among them ($(oks))"
[ "$(tail -n 1 log)" = full/reel.png ] && [ "$("$FFPROBE" -v error -show_entries stream=width,height -of csv=p=0 full/reel.png)" = 2896,2160 ]
t $? "the last line is the contact sheet's path ($(tail -n 1 log))"
head -c 64 full/reel.mp4 | grep -q ftyp && [ "$(tr -d '\0' < full/reel.mp4 | grep -abo -m 1 moov | head -n 1 | cut -d: -f1)" -lt 4096 ]
t $? "the index is in front of the media"
[ -z "$(find full -name '.*')" ]
t $? "no partial file is left"

# the proofs fail where they should
keep() { # a good output that a failing job must not touch
    rm -rf k
    mkdir k
    echo good > k/o.mp4
}
refused() { # STATUS TEXT...: the last job failed, and left the earlier output alone
    [ "$1" != 0 ] && [ "$(cat k/o.mp4)" = good ] && [ -z "$(find k -name '.*' -type f)" ]
    t $? "$2"
}
S=full/reel.scene
keep
demo IN=$S.mp4 KEYS=$S.json OUT=k/o.mp4 FFARGS="-vf:1 null -fps_mode cfr -r 15"
refused $? "a job that loses frames is caught, the earlier output stays"
grep -q '^not ok - .*frames' log && grep -q '^not ok - time of every frame' log
t $? "... by the frame count and the frame times"
ff -i $S.mp4 -itsoffset 0.08 -i $S.mp4 -map 0:v -map 1:a -c copy late.mp4
demo IN=late.mp4 KEYS=$S.json OUT=k/o.mp4 MARKS=1
refused $? "sound 80 ms late is caught"
grep -q '^not ok - flash and click' log
t $? "... by flash and click: $(sed -n 's/^not ok - flash and click coincide: //p' log)"
demo IN=$S.mp4 KEYS=$S.json OUT=k/o.mp4 FFARGS="-an"
refused $? "a job that loses the sound is caught"

# a range: the keys stay on the clip's clock, so the marks stay in the crop
demo IN=$S.mp4 KEYS=$S.json START=0.55 END=0:01.5 MARKS=1 SHEET=o.png
t $? "a range, START and END between frames"
grep -q '^ok - 28 frames' log && grep -q '^ok - flash and click coincide: 1 marks' log
t $? "... its frames, and the mark where the keys put it"
same() { # ROW: the sheet's bicubic and our panel show the same moment (dB)
    "$FFMPEG" -nostdin -hide_banner -i o.png -lavfi "crop=iw:720:0:720*$1,split[i][j];[i]crop=393:660:1286:50[a];[j]crop=393:660:1691:50[b];[a][b]psnr" -f null - 2>&1 | sed -n 's/.*average:\([0-9.]*\).*/\1/p'
}
rows="$(same 0) $(same 1) $(same 2)"
echo "$rows" | awk 'NF != 3 { exit 1 } { for (i = 1; i <= 3; i++) if ($i < 27) exit 1 }'
t $? "... bicubic and ours on the sheet are the same moment ($rows dB)"

# ---- colours: the tags are true ------------------------------------------------------
red() { # MATRIX-OF-CONVERSION TAGS...: a red clip
    m=$1
    shift
    ff -f lavfi -i color=0xC02020:s=320x240:r=10:d=0.3 -vf "scale=out_color_matrix=$m:out_range=tv,format=yuv420p" "$@" -c:v libx264 -qp 4 red.mp4
}
mean() { "$FFMPEG" -nostdin -v error -i o.mp4 -vf signalstats,metadata=print:file=- -frames:v 1 -f null - | awk -F= "/[YUV]AVG/ && n < 3 { printf \"%s%.0f\", s, \$2; s = \" \"; n++ }"; }
close3() { awk -v a="$1" -v b="$2" 'BEGIN { split(a, x); split(b, y); for (i = 1; i < 4; i++) { d = x[i] - y[i]; if (d > 2 || d < -2 || x[i] == "") exit 1 } }'; }
want="73 112 198"     # 192, 32, 32 in BT.709, limited range
red bt709 -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv
demo IN=red.mp4 && close3 "$(mean)" "$want"
t $? "a BT.709 source keeps its colour: $(mean), right is $want"
red smpte170m -colorspace smpte170m -color_primaries bt709 -color_trc bt709 -color_range tv
demo IN=red.mp4 && close3 "$(mean)" "$want"
t $? "a BT.601 matrix is converted: $(mean), right is $want"
red smpte170m
demo IN=red.mp4 && grep -q 'does not say its colours' log && close3 "$(mean)" "$want"
t $? "an untagged small source is taken as BT.601, aloud: $(mean)"
red bt709
demo IN=red.mp4 INCOLOR=bt709 && close3 "$(mean)" "$want"
t $? "INCOLOR=bt709 overrides: $(mean)"
ff -f lavfi -i color=0xC02020:s=320x240:r=10:d=0.3 -vf "scale=out_color_matrix=bt709:out_range=pc,format=yuvj420p" -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range pc -c:v libx264 -qp 4 red.mp4
demo IN=red.mp4 && close3 "$(mean)" "$want"
t $? "full range is converted: $(mean), right is $want"

# ---- refusals: one line, no output -----------------------------------------------------
no() { # TEXT WORD VARS...: refused with one line that names WORD
    text=$1 word=$2
    shift 2
    keep
    demo IN=$S.mp4 KEYS=$S.json OUT=k/o.mp4 "$@"
    refused $? "$text: refused"
    tr '\r' '\n' < log > lines
    [ "$(grep -c '^demo: ' lines)" = 1 ] && grep '^demo: ' lines | grep -q -- "$word" && [ "$(grep -v '^frame=' lines | tail -n 1 | cut -c 1-6)" = 'demo: ' ]
    t $? "$text: $(grep '^demo: ' lines | sed 's/ (the whole log.*//' | head -n 1)"
}
head -c 3000 /dev/urandom > noise.mp4
head -c 20000 $S.mp4 > cut.mp4
head -c 3000 /dev/urandom > noise.safetensors
echo '[{"time":0,"x":"left","width":100,"height":178}]' > bad.json
no "a missing clip" nowhere.mp4 IN=nowhere.mp4
no "a file that is no clip" noise.mp4 IN=noise.mp4
no "a clip cut short" cut.mp4 IN=cut.mp4
no "a sound file" a.wav IN=a.wav
no "a missing keys file" nowhere.json KEYS=nowhere.json
no "a keys file without sense" bad.json KEYS=bad.json
no "a missing model" nowhere.pth MODEL=nowhere.pth
no "a broken model" noise.safetensors MODEL=noise.safetensors
no "an unknown engine" sorcery ENGINE=sorcery
ff -i $S.mp4 -c copy c.ts
no "a range of a file without index" c.ts IN=c.ts START=0.5
no "an odd size" 161x288 SIZE=161x288
no "a size without sense" big SIZE=big
no "an end before the start" END=1 START=2 END=1
no "a time without sense" soon START=soon
no "a range after the end" START=50 START=50
no "an output that is no MP4" k/o.mkv OUT=k/o.mkv

# other containers: another time base, a clock that does not begin at 0, rounded times
demo IN=c.ts KEYS=$S.json MARKS=1
t $? "MPEG-TS, whole: $(sed -n 's/^ok - flash and click coincide: //p' log)"
ff -i $S.mp4 -c copy c.mkv
demo IN=c.mkv KEYS=$S.json START=0.55 END=1.5 MARKS=1
t $? "Matroska, a range: $(sed -n 's/^ok - flash and click coincide: //p' log)"

# ---- names with everything in them -----------------------------------------------------
odd="it's a [clip], 1:2 \\ 50%"
mkdir "$odd" && cp $S.mp4 "$odd/$odd.mp4" && cp $S.json "$odd/$odd.json"
demo IN="$odd/$odd.mp4" KEYS="$odd/$odd.json" OUT="$odd/o $odd.mp4" END=0.2 TMPDIR="$TMP/$odd" SHEET= && [ -s "$odd/o $odd.mp4" ] && [ "$(tail -n 1 log)" = "$odd/o $odd.png" ]
t $? "quotes, colons, commas, brackets, blanks and percent signs in names"

# ---- real clips --------------------------------------------------------------------------
V=$SHARED/media/video
clip() { # NAME FRAMES VARS...
    name=$1 n=$2
    shift 2
    if [ ! -r "$V/$name" ]; then
        echo "skip - $name: not in SHARED=$SHARED"
        return
    fi
    demo IN="$V/$name" "$@"
    t $? "$name $*"
    grep -q "^ok - $n frames" log && ! grep -q '^not ok' log
    t $? "... $n frames, $(oks) proofs"
}
echo '{"keyframes": [{"time":0,"x":800,"y":200,"width":90,"height":160},{"time":2,"x":900,"y":300,"width":90,"height":160}]}' > small.json
clip two-people-1080p-vfr.mp4 12 START=0.5 END=0.9 KEYS=small.json
clip basketball-240p-2997.mp4 15 START=1 END=1.5
clip phone-hevc-vfr-rotated.mp4 11 START=1 END=2 KEYS=small.json
clip phone-rotated-90.mov 3
clip nasa-audio-multistream.mp4 12 START=5.55 END=6.01

echo "done - $nb tests, $bad failed"
[ $bad = 0 ]
