#!/bin/sh
# test: the yolodetect filter in the whole program, asan too
# Its nets are made by tests/yolo_net.c: they find squares of 24 x 24 pixels of the net's picture, red or blue.
set -u

n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}
is() { # GOT WANTED WHAT
    [ "$1" = "$2" ]
    ok $? "$3$([ "$1" = "$2" ] || echo "; got '$1', wanted '$2'")"
}
has() { # TEXT PATTERN WHAT
    echo "$1" | grep -q -- "$2"
    h=$?
    ok $h "$3$([ $h = 0 ] || echo "; got '$1'")"
}
ff() { "$FFMPEG" -hide_banner -nostdin -y "$@"; }

if ! ${CC:-cc} -std=c11 -O1 "$FFREEL_TOP/tests/yolo_net.c" -o "$TMP/net" -lm 2> "$TMP/err"; then
    ok 1 "tests/yolo_net.c compiles: $(head -n 1 "$TMP/err")"
    echo "done - $n tests, $failed failed"
    exit 1
fi
names="{0: 'red', 1: 'blue'}"
for l in v8 v8t v5 yolox e2e seg pose classify nan two gather; do
    "$TMP/net" $l 96 64 "$names" > "$TMP/$l.onnx"
done
"$TMP/net" v8 96 64 > "$TMP/plain.onnx"
cmp -s "$TMP/v8.onnx" "$FFREEL_TOP/fate/squares.onnx"
ok $? "fate/squares.onnx is what tests/yolo_net.c writes"
yd="yolodetect=model=$TMP/v8.onnx"

# a red square that walks to the right by 8 pixels a frame, a blue one that stands: scene W H FORMAT FRAMES SCALE
scene() {
    k=${5:-1}
    echo "color=black:s=$1x$2:r=10:d=$(awk "BEGIN { print $4 / 10 }"),format=$3[bg];\
color=red:s=$((24 * k))x$((24 * k)):r=10,format=$3[r];color=blue:s=$((24 * k))x$((24 * k)):r=10,format=$3[b];\
[bg][r]overlay=x=$((8 * k))*(n-1):y=$((8 * k)):shortest=1:format=auto[t];[t][b]overlay=x=$((64 * k)):y=$((40 * k)):shortest=1:format=auto"
}
# "x y w h label [id]; ..." of each frame, '-' for one that was not looked at
boxes() {
    ff -v error -filter_complex "$1,metadata=add:key=any:value=1,metadata=print:file=-:direct=1" -f null - 2>&1 | awk '
        function flush(   i, s) {
            if (!seen) return
            for (i = 0; i < nb; i++)
                s = s (i ? "; " : "") v[i, "x"] " " v[i, "y"] " " v[i, "w"] " " v[i, "h"] " " v[i, "label"] (((i, "id") in v) ? " #" v[i, "id"] : "")
            print looked ? (nb ? s : "none") : "-"
        }
        /^frame:/ { flush(); seen = 1; looked = nb = 0; delete v; next }
        /^lavfi.yolodetect.nb=/ { sub(/.*=/, ""); nb = $0 + 0; looked = 1; next }
        /^lavfi.yolodetect\./ { split($0, p, /[.=]/); v[p[3], p[4]] = p[5]; next }
        END { flush() }' | tr '\n' '|'
}
one="0 8 24 24 red; 64 40 24 24 blue|"
sorted() { # boxes of a frame in the order of their left edges
    echo "$1" | tr '|' '\n' | while read -r line; do
        [ -z "$line" ] || echo "$(echo "$line" | sed 's/; /;/g' | tr ';' '\n' | sort -n | tr '\n' ';' | sed 's/;$//; s/;/; /g')|"
    done | tr -d '\n'
}

# ---- layouts, formats, sizes -----------------------------------------------------------
for l in v8 v8t v5 yolox; do
    is "$(sorted "$(boxes "$(scene 96 64 gbrp 1),yolodetect=model=$TMP/$l.onnx")")" "$one" "head $l: a red and a blue square"
done
is "$(boxes "$(scene 96 64 gbrp 1),yolodetect=model=$TMP/e2e.onnx")" "0 8 24 24 red|" "head e2e (knows red alone)"
for f in yuv420p nv12 yuv422p yuv444p yuvj420p p010le yuv420p10le yuv444p12le gbrp10le rgb24 bgr24 rgba bgra rgb0 yuva420p; do
    is "$(sorted "$(boxes "$(scene 96 64 yuv444p 1),scale=flags=accurate_rnd,format=$f,$yd")")" "$one" "$f"
done
is "$(boxes "color=black:s=96x64:d=0.1:r=10,format=gray,$yd")" "none|" "gray: nothing red or blue"
is "$(sorted "$(boxes "$(scene 96 64 yuv444p 1),scale=out_color_matrix=bt709:out_range=pc,format=yuv444p,$yd")")" "$one" "BT.709, full range"
is "$(sorted "$(boxes "$(scene 192 128 gbrp 1 2),$yd")")" "0 16 48 48 red; 128 80 48 48 blue|" "a frame twice the net's size"
is "$(boxes "color=black:s=96x96:d=0.1:r=10,format=gbrp,drawbox=36:48:36:36:red:fill,$yd")" "36 48 36 36 red|" "a letterboxed frame: bars left and right"
is "$(boxes "color=black:s=192x64:d=0.1:r=10,format=gbrp,drawbox=32:0:48:48:red:fill,$yd")" "32 0 48 48 red|" "bars above and below; a square at the frame's edge"
for s in 1x1 2x1 1x9 3x200; do
    is "$(boxes "color=red:s=64x256:d=0.2:r=10,format=rgb24,crop=${s%x*}:${s#*x},$yd" | tr -d '0-9 ' | sed 's/red//g; s/none//g; s/;//g')" "||" "frames of $s pass"
done

# ---- frames are untouched, in order, whatever the batch ----------------------------------
frames() { ff -v error -filter_complex "$1" -f framemd5 - 2>&1 | grep -v '^#'; }
frames "testsrc2=s=160x90:r=10:d=1.1,settb=1/1000,setpts=N*N*37+5" > "$TMP/f0"
frames "testsrc2=s=160x90:r=10:d=1.1,settb=1/1000,setpts=N*N*37+5,$yd:batch=4:interval=2" > "$TMP/f1"
cmp -s "$TMP/f0" "$TMP/f1"
ok $? "frames and their times pass untouched"
want=$(boxes "$(scene 96 64 gbrp 9),$yd:batch=1")
for count in 1 3 4 5 8 9; do
    got=$(boxes "$(scene 96 64 gbrp $count),$yd:batch=4")
    is "$got" "$(echo "$want" | tr '|' '\n' | head -n $count | tr '\n' '|')" "batch=4: $count frames as with batch=1"
done
is "$(boxes "$(scene 96 64 gbrp 9),$yd:batch=0")" "$want" "batch=0 too"
ff -v error -filter_complex_threads 3 -filter_complex "$(scene 96 64 gbrp 9),$yd:out=$TMP/t3.txt" -f null - 2> "$TMP/err"
ff -v error -filter_complex_threads 1 -filter_complex "$(scene 96 64 gbrp 9),$yd:out=$TMP/t1.txt" -f null - 2> "$TMP/err"
[ -s "$TMP/t1.txt" ] && cmp -s "$TMP/t1.txt" "$TMP/t3.txt"
ok $? "1 and 3 threads find the same"
is "$(frames "color=black:s=96x64:r=10:d=1,trim=end_frame=0,$yd:out=$TMP/empty.jsonl")" "" "no frames at all"

# ---- interval, timeline, commands ------------------------------------------------------------
pattern() { boxes "$1" | tr '|' '\n' | sed 's/^-$/./; s/^[0-9n].*/L/' | tr -d '\n'; }
is "$(pattern "$(scene 96 64 gbrp 8),$yd:interval=3")" "L..L..L." "interval=3 looks at each third frame"
is "$(pattern "$(scene 96 64 gbrp 8),$yd:interval=3:batch=2")" "L..L..L." "with batch=2 too"
is "$(pattern "$(scene 96 64 gbrp 8),$yd:enable='between(n,2,4)':batch=3")" "..LLL..." "enable is judged frame by frame"
is "$(pattern "$(scene 96 64 gbrp 9),$yd:interval=2:enable='gte(n,3)'")" "...L.L.L." "the first enabled frame is looked at"
count() { boxes "$1" | tr '|' '\n' | awk '{ print $0 == "none" ? 0 : gsub(/;/, ";") + 1 }' | tr -d '\n'; }
is "$(count "$(scene 96 64 gbrp 6),$yd:max_det=1")" 111111 "max_det=1"
is "$(count "$(scene 96 64 gbrp 6),sendcmd=c='0.3 yolodetect max_det 1',$yd:batch=4")" 222111 "a command takes effect at its frame, batch or not"
is "$(count "$(scene 96 64 gbrp 6),sendcmd=c='0.2 yolodetect conf 1',$yd:batch=4")" 220000 "command conf"
is "$(boxes "$(scene 96 64 gbrp 2),sendcmd=c='0.1 yolodetect classes blue',$yd:batch=4:classes=red")" "0 8 24 24 red|64 40 24 24 blue|" "command classes"
for b in 1 4; do        # track_hits: no box has an id, so conf decides
    is "$(count "$(scene 96 64 gbrp 6),sendcmd=c='0.2 yolodetect conf 1',$yd:batch=$b:track=byte:track_hits=9")" 220000 "command conf with a tracker, batch=$b"
done
has "$(ff -v error -filter_complex "$(scene 96 64 gbrp 2),sendcmd=c='0.1 yolodetect classes green',$yd" -f null - 2>&1)" "no class 'green'" "a command that is wrong is named"
has "$(ff -v verbose -filter_complex_threads 2 -filter_complex "color=s=1280x720:d=0.1:r=10,$yd:interval=1000" -f null - 2>&1 | grep 'at once')" "batch 1, 1 at once" \
    "by default no thousand frames wait for a second one"

# ---- ffreel: each frame alone where nothing follows it from frame to frame -------------------------
ff -v error -filter_complex "$(scene 96 64 gbrp 12)" -c:v ffv1 -g 3 "$TMP/in.nut" 2> "$TMP/err"
drawn="$yd,drawbox=box_source=side_data_detection_bboxes:color=white"
"$FFREEL" render -q -i "$TMP/in.nut" -j 2 --cuts 5,6,9 -- -vf "$drawn" -c:v ffv1 "$TMP/split.nut" 2> "$TMP/err"
ok $? "ffreel renders in segments $(head -n 1 "$TMP/err")"
is "$(ff -v error -i "$TMP/split.nut" -f framehash -)" "$(ff -v error -i "$TMP/in.nut" -vf "$drawn" -f framehash -)" "and finds the same in them"
has "$("$FFREEL" render --explain -i "$TMP/in.nut" -j 2 -- -vf "$yd:track=iou" -c:v ffv1 "$TMP/no.nut" 2>&1)" "not split: yolodetect: track=iou" "with a tracker not"

# ---- classes, tiles, region ---------------------------------------------------------------------
is "$(boxes "$(scene 96 64 gbrp 1),$yd:classes=blue")" "64 40 24 24 blue|" "classes=blue"
is "$(boxes "$(scene 96 64 gbrp 1),$yd:classes=0")" "0 8 24 24 red|" "classes=0"
is "$(boxes "$(scene 96 64 gbrp 1),yolodetect=model=$TMP/plain.onnx:classes=1")" "64 40 24 24 1|" "a model without names: numbers"
printf 'rot\r\nblau\n' > "$TMP/labels"
is "$(boxes "$(scene 96 64 gbrp 1),yolodetect=model=$TMP/plain.onnx:labels=$TMP/labels:classes=rot")" "0 8 24 24 rot|" "names from a file"
# squares of 24 pixels in a frame of twice the net's size are too small, but not in its quarters
small="color=black:s=192x128:d=0.1:r=10,format=gbrp,drawbox=16:16:24:24:red:fill,drawbox=152:88:24:24:blue:fill"
is "$(boxes "$small,$yd")" "none|" "small squares are not seen in the whole picture"
is "$(sorted "$(boxes "$small,$yd:tiles=2x2:overlap=0")")" "16 16 24 24 red; 152 88 24 24 blue|" "tiles=2x2 sees them"
is "$(boxes "color=black:s=192x128:d=0.1:r=10,format=gbrp,drawbox=64:32:48:48:red:fill,$yd:tiles=2x2:overlap=0")" "64 32 48 48 red|" "a large one, which tiles cut, is found once"
# with overlap=0.5 tiles of 128x86 begin at 0, 64 / 0, 42: 96x64 of the net are 4/3 smaller
is "$(boxes "color=black:s=192x64:d=0.1:r=10,format=gbrp,drawbox=80:8:24:24:red:fill,$yd:tiles=3x1:overlap=0.5:batch=1")" "80 8 24 24 red|" "overlapping tiles, both see it whole: once"
is "$(boxes "$small,$yd:roi=96|64|96|64")" "152 88 24 24 blue|" "roi: only there, coordinates of the frame"
is "$(boxes "$small,$yd:roi='0\:0\:96\:64'")" "16 16 24 24 red|" "roi with colons"

# ---- tracks ----------------------------------------------------------------------------------------
for t in iou byte; do
    got=$(boxes "$(scene 96 64 gbrp 9),$yd:track=$t:track_hits=1:classes=red")
    is "$got" "0 8 24 24 red #1|8 8 24 24 red #1|16 8 24 24 red #1|24 8 24 24 red #1|32 8 24 24 red #1|40 8 24 24 red #1|48 8 24 24 red #1|56 8 24 24 red #1|64 8 24 24 red #1|" "track=$t: one id all the way"
    got=$(count "$(scene 96 64 gbrp 9),$yd:track=$t:track_hits=1:interval=2:classes=blue")
    is "$got" 111111111 "track=$t:interval=2: the tracker fills in between"
done

# ---- what others make of it --------------------------------------------------------------------------
info=$(ff -v info -filter_complex "$(scene 96 64 gbrp 1),$yd:track=iou:track_hits=1,showinfo" -f null - 2>&1)
has "$info" "source: yolodetect" "side data: source"
has "$info" "region: (0, 8) -> (24, 32), label: red, confidence: 10000/10000" "side data: box, label, confidence"
md5() { ff -v error -filter_complex "$1" -frames:v 1 -f md5 - 2>&1; }
a=$(md5 "$(scene 96 64 rgb24 1),$yd:classes=red,drawbox=box_source=side_data_detection_bboxes:color=white:t=2")
b=$(md5 "$(scene 96 64 rgb24 1),drawbox=0:8:24:24:white:2")
is "$a" "$b" "drawbox draws the box"
a=$(ff -v warning -filter_complex "color=black:s=96x64:r=10:d=0.3,format=rgb24,$yd,drawbox=box_source=side_data_detection_bboxes" -f null - 2>&1 | grep -c 'No detection')
is "$a" 0 "drawbox does not complain of frames without boxes"
a=$(md5 "$(scene 96 64 yuv444p 4),$yd:classes=blue,highlight=follow=largest:fade_in=0")
b=$(md5 "$(scene 96 64 yuv444p 4),highlight=keys='0 76 52 15.6 15.6':fade_in=0")
is "$a" "$b" "highlight=follow=largest lights the box"
info=$(ff -v info -filter_complex "$(scene 96 64 yuv444p 1),$yd:classes=blue,keyframecrop=keys='0 48 32 48 32':w=96:h=64,showinfo" -f null - 2>&1)
has "$info" "region: (32, 16) -> (80, 64), label: blue" "keyframecrop takes the box along"

# ---- files --------------------------------------------------------------------------------------------
ff -v error -filter_complex "$(scene 96 64 gbrp 5),$yd:classes=red:interval=2:out=$TMP/a.jsonl" -f null - 2> "$TMP/err"
is "$(wc -l < "$TMP/a.jsonl")" 3 "JSON lines: one a frame that was looked at"
is "$(sed -n 2p "$TMP/a.jsonl")" '{"frame":2,"pts":2,"t":0.2,"w":96,"h":64,"boxes":[{"x":16,"y":8,"w":24,"h":24,"conf":1,"label":"red","class":0,"id":0,"guess":false}]}' "JSON lines: its fields"
ff -v error -filter_complex "$(scene 96 64 gbrp 2),$yd:classes=red:out=$TMP/a.json" -f null - 2> "$TMP/err"
is "$(tr -d '\n' < "$TMP/a.json")" '{"video_width":96,"video_height":64,"fps":10,"detections":[{"timestamp":0,"frame_number":0,"boxes":[{"bbox":{"x":12,"y":20,"width":24,"height":24},"confidence":1,"class_name":"red","class_id":0}]},{"timestamp":0.1,"frame_number":1,"boxes":[{"bbox":{"x":20,"y":20,"width":24,"height":24},"confidence":1,"class_name":"red","class_id":0}]}],"duration":0.2}' "one JSON document"
is "$(ff -v error -filter_complex "$(scene 96 64 gbrp 2),$yd:classes=red:out=-:format=mot" -f null /dev/null 2> /dev/null | tr '\n' ' ')" "1,-1,0,8,24,24,1,0,-1,-1 2,-1,8,8,24,24,1,0,-1,-1 " "MOT on standard output"
ff -v error -filter_complex "$(scene 96 64 gbrp 40),$yd:out=$TMP/half.json" -frames:v 3 -f null - 2> "$TMP/err"
tail -n 1 "$TMP/half.json" | grep -q '^\],"duration":[0-9.]*}$'
ok $? "a run that ends early leaves a whole document"
if [ -c /dev/full ]; then
    got=$(ff -v error -filter_complex "$(scene 96 64 gbrp 2),$yd:out=/dev/full:format=mot" -f null - 2>&1)
    rc=$?
    has "$got" "cannot write '/dev/full'" "a full disk is named"
    [ $rc != 0 ]
    ok $? "and fails the run"
fi
# no room for the end alone: the name of the class is as long as needed for that
last() { ff -v error -filter_complex "$(scene 96 64 gbrp 1),yolodetect=model=$TMP/plain.onnx:max_det=1:labels=$TMP/long:out=$TMP/last.json" -f null - 2>&1; }
printf 'x\nx\n' > "$TMP/long"
last
body=$(($(wc -c < "$TMP/last.json") - $(tail -n 1 "$TMP/last.json" | wc -c)))
awk -v n=$((1021 - body)) 'BEGIN { for (i = 0; i < n; i++) s = s "x"; print s; print s }' > "$TMP/long"
(ulimit -f 1; trap '' XFSZ; head -c 2000 /dev/zero > "$TMP/unit") 2> "$TMP/err"
got=$(ulimit -f $((1024 / $(wc -c < "$TMP/unit"))); trap '' XFSZ; last)
rc=$?
has "$got" "cannot write '$TMP/last.json'" "no room for the end of a JSON document"
[ $rc != 0 ] && [ "$(wc -c < "$TMP/last.json")" = 1024 ]
ok $? "fails the run, too"
# the input's size changes: ffmpeg builds the graph anew, the file goes on
ff -v error -filter_complex "$(scene 96 64 rgb24 3)" -c:v png "$TMP/p1.nut" 2> "$TMP/err"
ff -v error -filter_complex "$(scene 192 128 rgb24 2 2)" -c:v png "$TMP/p2.nut" 2> "$TMP/err"
printf "file '%s'\nfile '%s'\n" "$TMP/p1.nut" "$TMP/p2.nut" > "$TMP/list"
ff -v error -f concat -safe 0 -i "$TMP/list" -vf "$yd:batch=1:classes=red:out=$TMP/both.jsonl" -f null - 2> "$TMP/err"
is "$(sed 's/,"pts":[^w]*"w":/ /; s/,"h.*//; s/{"frame"://' "$TMP/both.jsonl" | tr '\n' ' ')" "0 96 1 96 2 96 3 192 4 192 " "the frame size changes in the middle: the file goes on"
ff -v error -f concat -safe 0 -i "$TMP/list" -vf "$yd:batch=1:out=$TMP/both.json" -f null - 2> "$TMP/err"
is "$(grep -c frame_number "$TMP/both.json") $(grep -c duration "$TMP/both.json")" "5 1" "so does a JSON document"
: > "$TMP/rc"
{ ff -v error -f concat -safe 0 -i "$TMP/list" -vf "$yd:batch=1:out=-:format=json" -f null /dev/null 2> "$TMP/err" || echo failed > "$TMP/rc"; } | cat > "$TMP/piped"
has "$(cat "$TMP/err")" "out: the frames' size changes" "but not on a pipe, where its end cannot be taken back"
is "$(cat "$TMP/rc") $(grep -c duration "$TMP/piped")" "failed 1" "and what is there is whole"

# ---- the log ---------------------------------------------------------------------------------------------
log=$(ff -v verbose -filter_complex "$(scene 96 64 gbrp 3),$yd,$yd:classes=red" -f null - 2>&1)
is "$(echo "$log" | grep -c 'model loaded')" 1 "the model is loaded once"
has "$log" "3 frames, 3 looked at, .* per frame looked at, of one thread: picture [0-9.]* ms, net [0-9.]* ms, boxes [0-9.]* ms" "times of each step at the end"
has "$log" "head v8 of 2 classes, net of 96x64" "what was found about the model"
got=$(ff -v warning -filter_complex "$(scene 96 64 gbrp 3),yolodetect=model=$TMP/nan.onnx:engine=ref" -f null - 2>&1)
is "$(echo "$got" | grep -c 'not finite')" 1 "NaN in the net's output is said once"
is "$(sorted "$(boxes "$(scene 96 64 gbrp 1),yolodetect=model=$TMP/nan.onnx")")" "$one" "and the rest is kept"
got=$(ff -v error -filter_complex "$(scene 96 64 gbrp 1),yolodetect=model=$TMP/gather.onnx" -f null - 2>&1 | grep yolodetect)
is "$(echo "$got" | sed 's/.*gather.onnx/gather.onnx/')" "gather.onnx: node 'picked' (Gather) reads or writes at 1 of 1" "a net that fails as it runs: one line, of it alone"
is "$(boxes "color=black:s=96x64:d=0.1:r=10,format=gbrp,yolodetect=model=$TMP/gather.onnx")" "none|" "the same net on a dark picture"

# ---- what is wrong ------------------------------------------------------------------------------------------
fails() { # OPTIONS PATTERN WHAT
    got=$(ff -v error -f lavfi -i color=black:s=96x64:r=10:d=0.2 -vf "yolodetect=$1" -f null - 2>&1)
    rc=$?
    [ $rc != 0 ] && [ $rc != 134 ] && [ $rc != 139 ] && echo "$got" | grep -q -- "$2"
    rc=$?
    ok $rc "$3$([ $rc = 0 ] || echo "; got '$got'")"
}
m=model=$TMP/v8.onnx
fails "conf=0.5" "model: none is given" "no model"
fails "model=$TMP/nowhere.onnx" "nowhere.onnx" "a model that is not there is named"
head -c 1000 "$TMP/v8.onnx" > "$TMP/cut.onnx"
fails "model=$TMP/cut.onnx" "cut.onnx" "a model that is cut off is named"
fails "model=$TMP/seg.onnx" "segmentation" "a segmentation model"
fails "model=$TMP/pose.onnx" "pose" "a pose model"
fails "model=$TMP/classify.onnx" "classification" "a classification model"
fails "model=$TMP/two.onnx" "2 pictures at once" "a model for two pictures at once"
fails "$m:head=v5" "not of the head" "a head that does not fit"
fails "$m:size=640" "96x64 alone" "a size that the model does not have"
fails "$m:size=huge" "size: 'huge'" "a size that is none"
fails "$m:classes=rde" "near it are: red" "a class that is not there: near names"
fails "$m:labels=$TMP/nowhere" "labels '.*nowhere'" "labels that are not there"
fails "$m:labels=coco" "names 80 classes, the model has 2" "labels of another number"
fails "model=$TMP/plain.onnx:classes=person" "names no classes" "names where there are none"
fails "$m:tiles=9x1" "tiles: '9x1'" "too many tiles"
fails "$m:roi=1|2|3" "roi: '1|2|3'" "a region of three numbers"
fails "$m:roi=90|0|20|20" "not inside of the frame of 96x64" "a region that sticks out"
fails "$m:device=cuda" "device: 'cuda'" "a device of another build"
fails "$m:engine=warp" "engine 'warp'" "an engine of another build"
fails "$m:out=$TMP/x.csv" "format=" "an ending that says no format"
fails "$m:out=$TMP/no/such.txt" "such.txt" "a folder that is not there"
fails "$m:track=byte:track_low=0.9" "track_low is 0.9" "track_low above track_high"

echo "done - $n tests, $failed failed"
[ $failed = 0 ]
