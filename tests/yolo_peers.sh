#!/bin/sh
# test: yolodetect finds on real clips what ONNX Runtime and YOLOX's own pre- and post-processing find
# The reference, tests/ref/yolo.txt, is made by tests/peers/yolo.py.
set -u

n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}
end() { echo "done - $n tests, $failed failed"; [ $failed = 0 ] && [ $n -gt 0 ]; exit $?; }

ref=$FFREEL_TOP/tests/ref/yolo.txt
model=$SHARED/models/yolox_nano.onnx
if [ ! -f "$model" ] || [ ! -d "$SHARED/media/video" ]; then
    echo "skip - real clips: there is no $model, or no clips (SHARED=$SHARED)"
    echo "done -"
    exit 0
fi
rgb=scale=flags=bitexact+accurate_rnd+full_chroma_int,format=rgb24

# lines "frame N CRC" and "N x1 y1 x2 y2 conf class" of a clip, as the reference has them
ours() { # CLIP PRECISION NUMBER...
    clip=$1 precision=$2
    shift 2
    select=$(printf 'eq(n,%s)+' "$@")
    rm -f "$TMP/boxes.txt"
    "$FFMPEG" -v error -nostdin -y -i "$SHARED/media/video/$clip" -map 0:v:0 \
        -vf "select='${select%+}',$rgb,yolodetect=model='$model':labels=coco:precision=$precision:out=$TMP/boxes.txt" \
        -fps_mode passthrough -f framehash -hash crc32 "$TMP/hash" 2> "$TMP/err" || { cat "$TMP/err"; return 1; }
    { echo "$@"; grep -v '^#' "$TMP/hash" | sed 's/.*, */hash /'; cat "$TMP/boxes.txt"; } | awk -F '[ ,]' '
        NR == 1 { for (i = 1; i <= NF; i++) num[i] = $i; next }
        $1 == "hash" { print "frame", num[++h], "x" $2; next }
        { printf "%s %.2f %.2f %.2f %.2f %s %s\n", num[$1], $3, $4, $3 + $5, $4 + $6, $7, $8 }'
}

# both lists, each a file; prints "found of wanted, extra of ours" and fails under 99 %
compare='
    function min(a, b) { return a < b ? a : b }
    function max(a, b) { return a > b ? a : b }
    # is box i of list a in list b?
    function among(a, i, b, nb,   j, w, h, o) {
        for (j = 1; j <= nb; j++) {
            if (b[j, "n"] != a[i, "n"] || b[j, "k"] != a[i, "k"] || b[j, "c"] > a[i, "c"] + tol || b[j, "c"] < a[i, "c"] - tol)
                continue
            w = min(a[i, 3], b[j, 3]) - max(a[i, 1], b[j, 1]); h = min(a[i, 4], b[j, 4]) - max(a[i, 2], b[j, 2])
            if (w <= 0 || h <= 0)
                continue
            o = w * h / ((a[i, 3] - a[i, 1]) * (a[i, 4] - a[i, 2]) + (b[j, 3] - b[j, 1]) * (b[j, 4] - b[j, 2]) - w * h)
            if (o >= iou) {
                worst = max(worst, max(a[i, "c"] - b[j, "c"], b[j, "c"] - a[i, "c"]))
                least = min(least, o)
                return 1
            }
        }
        if (shown++ < 5)
            printf "    %s: %s %s %s %s %s class %s of frame %s\n", which, a[i, 1], a[i, 2], a[i, 3], a[i, 4], a[i, "c"], a[i, "k"], a[i, "n"]
        return 0
    }
    $1 == "clip" { next }
    $1 == "frame" { frame = $2; crc[FILENAME, $2] = $3; next }
    FILENAME == theirs { nr++; r[nr, "n"] = frame; for (i = 1; i <= 4; i++) r[nr, i] = $i / 10; r[nr, "c"] = $5 / 1000; r[nr, "k"] = $6; next }
    { no++; o[no, "n"] = $1; for (i = 1; i <= 4; i++) o[no, i] = $(i + 1); o[no, "c"] = $6; o[no, "k"] = $7 }
    END {
        least = 1
        for (i = 1; i <= nr; i++)
            if (r[i, "c"] >= 0.27) { wanted++; which = "missed"; found += among(r, i, o, no) }
        for (i = 1; i <= no; i++)
            if (o[i, "c"] >= 0.27) { have++; which = "extra"; true += among(o, i, r, nr) }
        print found + 0, wanted + 0, true + 0, have + 0, worst + 0, least
    }'

total='0 0 0 0 0 1'
sum() { echo "$total $*" | awk '{ print $1 + $7, $2 + $8, $3 + $9, $4 + $10, ($5 > $11 ? $5 : $11), ($6 < $12 ? $6 : $12) }'; }
grep '^clip ' "$ref" > "$TMP/clips"
while read -r _ clip numbers; do
    [ -f "$SHARED/media/video/$clip" ] || { echo "skip - $clip: not in $SHARED/media/video"; continue; }
    awk -v c="$clip" '$1 == "clip" { on = $2 == c } on' "$ref" > "$TMP/ref.txt"
    # shellcheck disable=SC2086
    if ! ours "$clip" fp32 $numbers > "$TMP/ours.txt"; then
        ok 1 "$clip: $(head -n 1 "$TMP/ours.txt")"
        continue
    fi
    grep '^frame' "$TMP/ref.txt" > "$TMP/a"
    grep '^frame' "$TMP/ours.txt" > "$TMP/b"
    cmp -s "$TMP/a" "$TMP/b"
    ok $? "$clip: both sides have the same $(grep -c . "$TMP/a") pictures"
    # boxes without objects to compare say nothing
    [ "$(grep -vc '^[cf]' "$TMP/ref.txt")" -gt 0 ] || continue
    awk -v theirs="$TMP/ref.txt" -v tol=0.01 -v iou=0.98 "$compare" "$TMP/ref.txt" "$TMP/ours.txt" > "$TMP/result"
    grep '^ ' "$TMP/result"
    # shellcheck disable=SC2046
    total=$(sum $(tail -n 1 "$TMP/result"))
    echo "    $clip: found, of; of ours in the reference, of; confidence off by; least IoU: $(tail -n 1 "$TMP/result")"
done < "$TMP/clips"
echo "$total" > "$TMP/total"
read -r found wanted true have worst least < "$TMP/total"
[ "$wanted" -ge 500 ]
ok $? "there are $wanted reference boxes, at least 500"
[ "$((100 * found))" -ge "$((99 * wanted))" ]
ok $? "$found of $wanted are found (IoU >= 0.98, confidence within 0.01; those found: IoU >= $least, confidence within $worst)"
[ "$((100 * true))" -ge "$((99 * have))" ] && [ "$have" -gt 0 ]
ok $? "$true of our $have are in the reference"
end
