#!/bin/sh
# bench: yolodetect: what a frame costs by interval and by batch, and where the time goes
#
# CPU time (user + system) of ffmpeg over FRAMES (200) frames of one looped picture, less that of the
# same run without the filter, best of RUNS (3), the rows taking turns; seconds by the clock beside it.
# MODEL (yolox_nano of SHARED/models), SIZE of the picture (1920x1080), BATCHES, INTERVALS.
set -u

FRAMES=${FRAMES:-200} RUNS=${RUNS:-3} SIZE=${SIZE:-1920x1080}
INTERVALS=${INTERVALS:-1 2 3 5} BATCHES=${BATCHES:-1 2 4}
MODEL=${MODEL:-$SHARED/models/yolox_nano.onnx}
[ -f "$MODEL" ] || { echo "yolodetect: no net at $MODEL (MODEL=FILE.onnx names one)"; exit 0; }
tmp=${TMP:-/tmp}/bench-yolo
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
threads=$(nproc)
. "$(dirname "$0")/cpu.inc"

# one FILTER: "CPU-ms wall-ms" of the run; its messages in $tmp/log
one() {
    "$FFMPEG" -v verbose -hide_banner -nostats -benchmark -threads 1 -filter_threads "$threads" \
        -f lavfi -i "testsrc2=s=$SIZE:r=30,format=yuv420p,trim=end_frame=1,loop=-1:1,trim=end_frame=$FRAMES" \
        -vf "$1" -f null - > "$tmp/log" 2>&1 < /dev/null
    sed -n 's/^bench: utime=\([0-9.]*\)s stime=\([0-9.]*\)s rtime=\([0-9.]*\)s.*/\1 \2 \3/p' "$tmp/log" |
        awk '{ print ($1 + $2) * 1000, $3 * 1000 }'
}
row() { # NAME FILTER: keeps its best
    set -- "$1" "$2" "$(one "$2")"
    echo "$1|${3:-failed}" >> "$tmp/best"
    sed -n 's/.*of one thread: \(.*\); tracker \(.*\) a frame.*/\1, tracker \2/p' "$tmp/log" > "$tmp/stages-$1"
}
f="yolodetect=model=$MODEL:track=byte"
i=0
while [ $i -lt "$RUNS" ]; do
    row none null
    for n in $INTERVALS; do row "interval-$n" "$f:interval=$n"; done
    for n in $BATCHES; do row "batch-$n" "$f:batch=$n"; done
    i=$((i + 1))
done
# least "CPU wall" of a name, each by itself
least() {
    awk -F'[| ]' -v n="$1" '$1 == n && $2 != "failed" { if (c == "" || $2 < c) c = $2; if (w == "" || $3 < w) w = $3 }
        END { print (c == "" ? "failed" : c), w }' "$tmp/best"
}
base=$(least none)
echo "$(basename "$MODEL"), $SIZE, $FRAMES frames, $threads threads, best of $RUNS; CPU time less that of an empty filter:"
echo
echo "| interval | batch | CPU ms/frame | by the clock ms/frame | per frame looked at, one thread |"
echo "| --- | --- | --- | --- | --- |"
show() { # NAME INTERVAL BATCH
    echo "$base $(least "$1")" | awk -v i="$2" -v b="$3" -v n="$FRAMES" -v s="$(cat "$tmp/stages-$1")" -v json="${JSON:-/dev/null}" '{
        if ($3 == "failed") { printf "| %s | %s | failed | | |\n", i, b; exit }
        printf "| %s | %s | %.2f | %.2f | %s |\n", i, b, ($3 - $1) / n, ($4 - $2) / n, s
        printf "{\"bench\":\"yolodetect\",\"interval\":%d,\"batch\":\"%s\",\"cpu_ms\":%.3f,\"wall_ms\":%.3f,\"stages\":\"%s\"}\n",
            i, b, ($3 - $1) / n, ($4 - $2) / n, s >> json }'
}
for n in $INTERVALS; do show "interval-$n" "$n" auto; done
for n in $BATCHES; do show "batch-$n" 1 "$n"; done
