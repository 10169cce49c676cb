#!/bin/sh
# test: ffreel track: detections -> keys that keyframecrop and highlight take; its errors
set -u

n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}
work=$TMP/track
mkdir -p "$work"
cd "$work" || exit 1
track() { "$FFREEL" track -q "$@" 2> err; }
ff() { "$FFMPEG" -nostdin -v error -y "$@"; }
# within LIMIT of each other?
near() { awk -v a="$1" -v b="$2" -v l="$3" 'BEGIN { d = a - b; exit !(a != "" && d <= l && d >= -l) }'; }

# 10 s, 640x360 at 25 fps: id 5 stands at x 100 until 2 s, runs to 400 by 5 s, and is at 560 from 6 s on, behind a camera
# cut (all ids change); with noise, missed detections and another, who is far from the middle and small
scene() { # ID TO WHICH THE TARGET CHANGES AT 6 s
    awk -v after="$1" 'BEGIN {
        srand(4)
        for (i = 0; i < 250; i++) {
            t = i / 25
            x = t < 2 ? 100 : t < 5 ? 100 + 100 * (t - 2) : t < 6 ? 400 : 560
            cut = t >= 6 ? 100 : 0
            printf "{\"frame\":%d,\"pts\":%d,\"t\":%.6f,\"w\":640,\"h\":360,\"boxes\":[", i, i * 512, t
            if (rand() > .05 || i == 150 || i == 149)
                printf "{\"x\":%.2f,\"y\":%.2f,\"w\":40,\"h\":100,\"conf\":0.91,\"label\":\"person\",\"class\":0,\"id\":%d,\"guess\":false},",
                    x - 20 + 2 * rand() - 1, 150 + 2 * rand() - 1, cut ? after : 5
            printf "{\"x\":%d,\"y\":2,\"w\":10,\"h\":25,\"conf\":0.8,\"label\":\"person\",\"class\":0,\"id\":%d,\"guess\":false},", cut ? 5 : 620, cut + 6
            printf "{\"x\":%d,\"y\":300,\"w\":8,\"h\":8,\"conf\":0.7,\"label\":\"sports ball\",\"class\":32,\"id\":%d}]}\n", cut ? 5 : 300, cut + 8
        }
    }'
}
scene 105 > in.jsonl

# ---- crop --------------------------------------------------------------------------
track in.jsonl -o keys.json
ok $? "keys for keyframecrop"
crop_log() { # KEYS: "time x y w h" of each frame, as the filter used them
    ff -f lavfi -i testsrc2=s=640x360:r=25:d=10 -vf "keyframecrop=file=$1,metadata=print:file=log.txt" -f null - &&
        awk -F'[=: ]+' '/^frame/ { t = $NF } /keyframecrop/ { v[$1] = $2 } /keyframecrop.h/ {
            print t, v["lavfi.keyframecrop.x"], v["lavfi.keyframecrop.y"], v["lavfi.keyframecrop.w"], v["lavfi.keyframecrop.h"] }' log.txt
}
crop_log keys.json > used.txt
ok $? "keyframecrop takes them"
at() { awk -v t="$1" -v f="$2" '$1 >= t - 1e-6 { print $f; exit }' used.txt; }   # TIME FIELD
near "$(at 1 2)" 0 0.6 && near "$(at 1 4)" 202.5 2 && near "$(at 1 5)" 360 0.1
ok $? "9:16 of the whole height, at the left edge while the target is: x $(at 1 2), $(at 1 4)x$(at 1 5)"
near "$(at 3.5 2)" 148.75 25
ok $? "on the runner: x $(at 3.5 2) of 148.75 +- 25"
near "$(at 5.96 2)" 298.75 25 && near "$(at 6 2)" 437.5 1 && near "$(at 9.9 2)" 437.5 1
ok $? "a cut and no glide: x $(at 5.96 2) in the last frame before, $(at 6 2) in the first after"
awk 'NR > 2 && $1 < 6 { d = $2 - 2 * b + a; if (d < 0) d = -d; if (d > m) m = d } { a = b; b = $2 } END { print m; exit !(NR == 250 && m < 1.6) }' used.txt > second.txt
ok $? "no stutter: x changes by $(cat second.txt) px from frame to frame to frame at most (1 width/s^2 is 1.02)"
grep -c '"time"' keys.json > count.txt
[ "$(cat count.txt)" -le 25 ]
ok $? "few enough to edit: $(cat count.txt) keys of 250 frames"
track --cuts none in.jsonl -o glide.json && crop_log glide.json > used.txt
awk '$1 > 5.5 && $1 < 7 { d = $2 - b; if (d > m) m = d } { b = $2 } END { exit !(m < 0.5 * 640 / 25 * 1.1 && m > 2) }' used.txt
ok $? "--cuts none: a glide there, no faster than the limit"
printf '# by hand\n3.0\n6\n' > cuts.txt
track --cuts cuts.txt in.jsonl -o cut2.json && [ "$(grep -c '"cut": true' cut2.json)" = 2 ]
ok $? "--cuts FILE: two cuts"
sed 's/"boxes"/"scene":0.01,"boxes"/; s/"frame":200,\(.*\)"scene":0.01/"frame":200,\1"scene":0.9/' in.jsonl > scored.jsonl
track scored.jsonl -o scored.json && [ "$(grep -c '"cut": true' scored.json)" = 1 ] && grep '"cut": true' scored.json | grep -q '"time": 7.98'
ok $? "scene scores: a cut half a frame before the one that has the score"
track --size 320x180 --target id:5 in.jsonl -o size.json && crop_log size.json > used.txt && near "$(at 1 4)" 320 0.1 && near "$(at 1 5)" 180 0.1
ok $? "--size 320x180"
track --zoom 2 --aspect 1:1 in.jsonl -o zoom.json && crop_log zoom.json > used.txt && near "$(at 4 4)" 180 0.1 && near "$(at 4 3)" 110 20
ok $? "--zoom 2 --aspect 1:1: 180x180, up and down with the target, y $(at 4 3)"
track --margin 2 in.jsonl -o margin.json && crop_log margin.json > used.txt && near "$(at 4 5)" 200 20
ok $? "--margin 2: twice as high as the target, $(at 4 5)"
sed 's/"id":[0-9]*/"id":0/g' in.jsonl > noid.jsonl
track noid.jsonl -o noid.json && crop_log noid.json > used.txt && near "$(at 3.5 2)" 148.75 25 && near "$(at 6.08 2)" 437.5 2
ok $? "boxes without ids are tracked"
"$FFREEL" track -q - -o - < in.jsonl 2> err | cmp -s - keys.json
ok $? "from stdin to stdout the same"

# ---- highlight ----------------------------------------------------------------------
track --for highlight in.jsonl -o look.json
ok $? "keys for highlight"
luma() { # FILE X Y TIME
    ff -i "$1" -vf "trim=start=$4,crop=2:2:$2:$3,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-" -frames:v 1 -f null - |
        sed -n 's/.*YAVG=//p' | head -n 1
}
ff -f lavfi -i color=gray:s=640x360:r=25:d=10 -vf "format=yuv420p,highlight=file=look.json:outside=0.5:fade_in=0:fade_out=0" -c:v ffv1 lit.nut
ok $? "highlight takes them"
gray=$(luma lit.nut 100 200 1)
near "$gray" "$(luma lit.nut 250 200 3.5)" 1 && near "$gray" "$(luma lit.nut 560 200 8)" 1
ok $? "bright on the target at 1, 3.5 and 8 s"
near "$(luma lit.nut 560 200 3.5)" "$(luma lit.nut 100 200 3.5)" 1 && awk -v a="$gray" -v b="$(luma lit.nut 560 200 3.5)" 'BEGIN { exit !(b < a - 30) }'
ok $? "dark where it is not yet and no longer"
[ "$(grep -c start_time look.json)" = 2 ]
ok $? "a region for each shot"
track --for both in.jsonl -o both.json && [ -s both.crop.json ] && [ -s both.highlight.json ]
ok $? "--for both: two files"
ff -f lavfi -i color=gray:s=640x360:r=25:d=10 \
    -vf "format=yuv420p,keyframecrop=file=both.crop.json:w=404:h=720,highlight=file=both.highlight.json:outside=0.5:fade_in=0:fade_out=0" -c:v ffv1 lit2.nut
crop_log both.crop.json > used.txt
x=$(awk '$1 >= 3.5 { print int((250 - $2) * 404 / $4 / 2) * 2; exit }' used.txt)
near "$gray" "$(luma lit2.nut "$x" 400 3.5)" 1 && awk -v a="$gray" -v b="$(luma lit2.nut $(((x + 200) % 400)) 400 3.5)" 'BEGIN { exit !(b < a - 30) }'
ok $? "the ellipse is on the target in the cropped and enlarged picture, too"

# ---- where they go ---------------------------------------------------------------------
mkfifo pipe
cat pipe > piped & reader=$!
track in.jsonl -o pipe
rc=$?
[ $rc = 0 ] && [ -p pipe ] && wait $reader && cmp -s piped keys.json
ok $? "a pipe stays one, and gets the keys"
kill $reader 2> /dev/null
cp keys.json real.json && ln -s real.json link.json
track -y --zoom 3 in.jsonl -o link.json && [ -L link.json ] && ! cmp -s real.json keys.json
ok $? "a link stays one; the file behind it is replaced"

# ---- errors -------------------------------------------------------------------------
refused() { # CODE WORDS WHAT ARGUMENTS...
    code=$1 words=$2 what=$3
    shift 3
    rm -f x.json
    track "$@" > out
    rc=$?
    [ $rc = "$code" ] && [ "$(wc -l < err)" = 1 ] && grep -q "$words" err && [ ! -e x.json ]
    ok $? "$what: $(cat err)"
}
sed '7s/"w"/w/' in.jsonl > bad.jsonl
refused 65 "bad.jsonl: line 7: not JSON" "a broken line" bad.jsonl -o x.json
head -c 5000 in.jsonl > cut.jsonl
refused 65 "cut.jsonl: line [0-9]*: not JSON" "a file cut short" cut.jsonl -o x.json
sed '9s/"t":[0-9.]*/"t":0.1/' in.jsonl > back.jsonl
refused 65 "line 9: its time" "time that goes back" back.jsonl -o x.json
sed '9s/"t":[0-9.]*/"t":1e9/' in.jsonl | head -n 9 > jump.jsonl
refused 65 "line 9: its time is 1e+09 s after that of the first line" "a time of 30 years later" jump.jsonl -o x.json
sed '9s/"w":640/"w":320/' in.jsonl > sizes.jsonl
refused 65 "line 9: the picture is 320x360, but 640x360" "two sizes" sizes.jsonl -o x.json
sed '3s/"conf":0.91/"conf":"high"/' in.jsonl > conf.jsonl
refused 65 'line 3: "conf" is not a number' "a value of another kind" conf.jsonl -o x.json
: > empty.jsonl
refused 65 "has no line" "an empty file" empty.jsonl -o x.json
refused 65 "no box has id 77; ids there: .*5 (person, 6.0 s from 0.0 s)" "an id that nobody has" --target id:77 in.jsonl -o x.json
sed 's/"person","class":0,"id":[0-9]*/"person","class":0,"id":0/g' in.jsonl > ball.jsonl
refused 65 "no person has an id; ids there: .*sports ball" "ids of the ball alone" ball.jsonl -o x.json
sed 's/"boxes":.*/"boxes":[]}/' in.jsonl > none.jsonl
refused 65 "no box has an id; ids there: none" "no boxes at all" none.jsonl -o x.json
head -n 1 in.jsonl > one.jsonl
refused 65 "never seen for 0.1 s" "a single frame for a highlight" --for both one.jsonl -o x.json
[ ! -e x.crop.json ]
ok $? "and no half of the two files"
refused 65 "labelled 'horse'; ids there" "a label that nothing has" --target label:horse in.jsonl -o x.json
refused 65 "no box with an id is at 500,20 at 3 s" "a point where nobody is" --target 500,20@3 in.jsonl -o x.json
refused 64 "none of auto, largest" "a target that is none" --target id:x in.jsonl -o x.json
refused 64 "larger than the picture" "a size that does not fit" --size 700x300 in.jsonl -o x.json
refused 64 "is there already; -y" "an output that is there" in.jsonl -o keys.json
refused 74 "nowhere.jsonl: cannot be opened" "an input that is not" nowhere.jsonl -o x.json
echo 1,5 > cuts.txt
refused 65 "cuts.txt: line 1: '1,5' is not a time" "cuts that are none" --cuts cuts.txt in.jsonl -o x.json
track -y in.jsonl -o keys.json
ok $? "-y replaces it"

echo "done - $n tests, $failed failed"
[ $failed = 0 ]
