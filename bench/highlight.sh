#!/bin/sh
# bench: highlight: CPU time per frame beside a plain copy of the frame, and against
# the OpenCV renderer of the old pipeline.
# A row's ms: user+system time of ffmpeg at one thread over frames of one looped picture,
# less that of the same run with an empty filter; best of RUNS, all filters taking turns.
# The ellipse moves and is there in every frame. PYTHON=: one with numpy and cv2.
set -u

FRAMES=${FRAMES:-600} RUNS=${RUNS:-7}
tmp=${TMP:-/tmp}/bench-highlight
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cpu.inc"
json() { printf '%s\n' "$1" >> "${JSON:-/dev/null}"; }

# measure SIZE FORMAT: times the rows of $tmp/rows, "name|filter" a line, into $tmp/best
measure() {
    : > "$tmp/best"
    i=0
    while [ $i -lt "$RUNS" ]; do
        t=$(cpu "$1" "$2" null)
        echo "null|${t:-failed}" >> "$tmp/best"
        while IFS='|' read -r name filter; do
            t=$(cpu "$1" "$2" "$(printf %s "$filter" | tr '!' '|')")
            echo "$name|${t:-failed}" >> "$tmp/best"
        done < "$tmp/rows"
        i=$((i + 1))
    done
}
# cost NAME: its ms per frame; empty if it failed
cost() {
    awk -v t="$(best "$1" "$tmp/best")" -v base="$(best null "$tmp/best")" -v n="$FRAMES" \
        'BEGIN { if (t != "" && base != "") printf "%.4f", (t - base) / n }'
}
ms() { if [ -n "$1" ]; then printf %.3f "$1"; else printf failed; fi; }
per() { awk -v a="$1" -v b="$2" 'BEGIN { if (a != "" && b > 0) printf "%.2f", a / b; else printf "-" }'; }

# table SIZE FORMAT KEYS
table() {
    {
        echo "copy|copy"
        for effect in dark_overlay ring spot desaturate blur; do
            echo "$effect|highlight=effect=$effect:keys='$3'"
        done
    } > "$tmp/rows"
    measure "$1" "$2"
    copy=$(cost copy)
    while IFS='|' read -r name filter; do
        t=$(cost "$name")
        echo "| $1 | $2 | $name | $(ms "$t") | $(per "$t" "$copy") |"
        json "{\"bench\":\"highlight\",\"size\":\"$1\",\"format\":\"$2\",\"filter\":\"$name\",\"frames\":$FRAMES,\"ms_per_frame\":${t:-null},\"of_copy\":\"$(per "$t" "$copy")\"}"
    done < "$tmp/rows"
}

echo "$FRAMES frames at 1080 lines, $((FRAMES / 4)) at 2160; 1 thread, best of $RUNS; ms: user+system time per frame less that of an empty filter."
echo "copy: FFmpeg's filter of that name, a plain copy of the frame."
echo
echo "| size | format | filter | ms/frame | of a copy |"
echo "| --- | --- | --- | --- | --- |"
sec=$((FRAMES / 30))
hd="0 500.5 450.3 70 130!$sec 1400.2 620.7 90 160"
uhd="0 1001 900.6 140 260!$sec 2800.4 1241.4 180 320"
for format in yuv420p nv12; do
    table 1920x1080 $format "$hd"
done
FRAMES=$((FRAMES / 4))
for format in yuv420p10le p010le; do
    table 3840x2160 $format "$uhd"
done
FRAMES=$((FRAMES * 4))

# ---- against the old renderer: the same job, pixels first -------------------------------
python=${PYTHON:-${BUILD:-.}/peers/venv/bin/python}
echo
if ! "$python" -c 'import numpy, cv2' 2> /dev/null; then
    echo "OpenCV: $python has no numpy and cv2: make check-peers installs them, or set PYTHON"
    exit 0
fi
cat > "$tmp/job.json" << EOF
{"effect_type": "dark_overlay", "overlay_settings": {"fill_enabled": true},
 "highlight_regions": [{"start_time": 0, "end_time": 100000, "keyframes": [
  {"time": 0, "x": 500.5, "y": 450.3, "radiusX": 70.4, "radiusY": 130.6, "strokeOpacity": 0.85, "fillOpacity": 0.05, "color": "#FFEB3B"},
  {"time": $sec.5, "x": 1400.2, "y": 620.7, "radiusX": 90.4, "radiusY": 160.6, "strokeOpacity": 0.85, "fillOpacity": 0.05, "color": "#FFEB3B"}]}]}
EOF
frames=12
"$FFMPEG" -v error -nostdin -y -f lavfi -i "testsrc2=s=1920x1080:r=30,noise=alls=10:allf=t" -frames:v $frames -pix_fmt bgr24 -f rawvideo "$tmp/in.raw" &&
    "$FFMPEG" -v error -nostdin -y -f rawvideo -video_size 1920x1080 -pixel_format bgr24 -framerate 30 -i "$tmp/in.raw" \
        -vf "highlight=file=$tmp/job.json:rules=head" -pix_fmt bgr24 -f rawvideo "$tmp/ours.raw" ||
    { echo "OpenCV: not compared, highlight with rules=head failed"; exit 1; }
# "ms of the old code, ms of the tuned one, threads, version, greatest difference", or why not
peer=$("$python" "$here/peers/highlight_cv.py" "$tmp/job.json" 1920 1080 30 "$tmp/in.raw" "$tmp/ours.raw" 2> "$tmp/log") ||
    { echo "OpenCV: $(tail -n 1 "$tmp/log")"; exit 1; }
# shellcheck disable=SC2086
set -- $peer
{
    echo "head|highlight=file=$tmp/job.json:rules=head"
    echo "new|highlight=file=$tmp/job.json"
} > "$tmp/rows"
measure 1920x1080 bgr24
head=$(cost head) new=$(cost new)
measure 1920x1080 yuv420p
yuv=$(cost new)

echo "1080p, highlight in every frame, dark_overlay with ring and fill. OpenCV $4, $3 threads, by the clock, drawing only;"
echo "highlight: CPU time of one thread. Before that, $frames frames were compared: greatest difference $5."
echo
echo "| renderer | ms/frame | times highlight, same look | times highlight, yuv420p |"
echo "| --- | --- | --- | --- |"
row() { # NAME MS
    echo "| $1 | $(ms "$2") | $(per "$2" "$head") | $(per "$2" "$yuv") |"
    json "{\"bench\":\"highlight_cv\",\"renderer\":\"$1\",\"ms_per_frame\":${2:-null},\"ratio_head\":\"$(per "$2" "$head")\",\"ratio_yuv420p\":\"$(per "$2" "$yuv")\"}"
}
row "OpenCV and NumPy, as in the old pipeline" "$1"
row "OpenCV, tuned (table for the dim, the rest in the ellipse's box)" "$2"
row "highlight, bgr24, rules=head" "$head"
row "highlight, bgr24" "$new"
row "highlight, yuv420p" "$yuv"
