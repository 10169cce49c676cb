#!/bin/sh
# bench: keyframecrop against crop,scale / zoompan / perspective: CPU time per frame
# at one thread, and PSNR of luma against double precision.
# Each row: user+system time of ffmpeg over FRAMES frames of one looped 1080p picture,
# less that of the same run without the filter; best of RUNS, the filters taking turns.
set -u

FRAMES=${FRAMES:-600} RUNS=${RUNS:-5}
tmp=${TMP:-/tmp}/bench-crop
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
${CC:-cc} -O2 "$here/crop_psnr.c" -o "$tmp/psnr" -lm || exit 1

. "$here/cpu.inc"

# psnr SIZE FILTER OW OH X Y W H C
psnr() {
    w=${1%x*} h=${1#*x}
    "$FFMPEG" -v error -y -f lavfi -i "mandelbrot=s=$1:start_scale=0.05:start_x=-0.7436:start_y=-0.1318,format=gray,noise=alls=12:all_seed=1,format=yuv420p" \
        -frames:v 1 -f rawvideo "$tmp/in.yuv" < /dev/null || return
    "$FFMPEG" -v error -y -f rawvideo -s "$1" -pix_fmt yuv420p -i "$tmp/in.yuv" -vf "$2" -frames:v 1 -f rawvideo \
        -pix_fmt yuv420p "$tmp/out.yuv" < /dev/null || return
    "$tmp/psnr" "$tmp/in.yuv" "$w" "$h" "$tmp/out.yuv" "$3" "$4" "$5" "$6" "$7" "$8" "$9"
}

# compare TITLE SIZE FORMAT: rows from $tmp/rows, "name|filter|PSNR" a line, ours first
compare() {
    base=
    : > "$tmp/best"
    i=0
    while [ $i -lt "$RUNS" ]; do
        t=$(cpu "$2" "$3" null)
        ! less "$t" "$base" || base=$t
        while IFS='|' read -r name filter quality; do
            t=$(cpu "$2" "$3" "$(printf %s "$filter" | tr '!' '|')")
            echo "$name|${t:-failed}" >> "$tmp/best"
        done < "$tmp/rows"
        i=$((i + 1))
    done
    while IFS='|' read -r name filter quality; do
        t=$(best "$name" "$tmp/best")
        if [ -z "$t" ]; then
            echo "| $1 | $3 | $name | failed | | |"
            continue
        fi
        awk -v title="$1" -v f="$3" -v name="$name" -v t="$t" -v base="$base" -v n="$FRAMES" -v q="$quality" \
            -v ours="$(cat "$tmp/ours" 2> /dev/null)" -v json="${JSON:-/dev/null}" -v keep="$tmp/ours" 'BEGIN {
            ms = (t - base) / n
            if (name == "keyframecrop") { ours = ms; print ms > keep }
            printf "| %s | %s | %s | %.3f | %.2f | %s |\n", title, f, name, ms, ms / ours, q == "" ? "-" : q
            printf "{\"bench\":\"crop\",\"case\":\"%s\",\"format\":\"%s\",\"filter\":\"%s\",\"ms_per_frame\":%.4f,\"ratio\":%.3f,\"psnr_y\":\"%s\"}\n",
                title, f, name, ms, ms / ours, q >> json
        }'
    done < "$tmp/rows"
}

sec=$((FRAMES / 30))
echo "$FRAMES frames, 1 thread, best of $RUNS; ms: user+system time per frame less that of an empty filter."
echo "ratio: time of the row / time of keyframecrop. PSNR: luma, against the row's own cubic in double precision (-: not at 8 bits)."
echo
echo "| case | format | filter | ms/frame | ratio | PSNR Y dB |"
echo "| --- | --- | --- | --- | --- | --- |"
for fmt in yuv420p nv12 yuv420p10le; do
    q=0
    [ $fmt != yuv420p ] || q=1
    p() { [ $q = 0 ] || psnr "$@"; }

    # pan without zoom, between pixels. crop,scale copies when the size stays; two more
    # rows and columns make it resample as a move by part of a pixel would
    {
        echo "keyframecrop|keyframecrop=keys='0 100.3 20.7 540 960!$sec 1000 100.1 540 960'|$(p 1920x1080 "keyframecrop=keys='0 100.3 20.7 540 960'" 540 960 100.3 20.7 540 960 0.5)"
        echo "crop,scale|crop=542:962:'100+t*40':20,scale=540:960:flags=bicubic:param0=0:param1=0.5|$(p 1920x1080 "crop=542:962:100:20,scale=540:960:flags=bicubic:param0=0:param1=0.5" 540 960 100 20 542 962 0.5)"
    } > "$tmp/rows"
    compare "pan 540x960" 1920x1080 $fmt
    {
        echo "keyframecrop|keyframecrop=keys='0 100.3 20.7 205 365!$sec 1700 600.3 205 365':w=820:h=1460|$(p 1920x1080 "keyframecrop=keys='0 100.3 20.7 205 365':w=820:h=1460" 820 1460 100.3 20.7 205 365 0.5)"
        echo "crop,scale|crop=205:365:'100+t*80':20,scale=820:1460:flags=bicubic:param0=0:param1=0.5|$(p 1920x1080 "crop=206:366:100:20,scale=820:1460:flags=bicubic:param0=0:param1=0.5" 820 1460 100 20 206 366 0.5)"
    } > "$tmp/rows"
    compare "205x365 to 820x1460" 1920x1080 $fmt
    {
        echo "keyframecrop|keyframecrop=keys='0 100.3 0 1080 1080!$sec 700 0 1080 1080':w=540:h=540|$(p 1920x1080 "keyframecrop=keys='0 100.3 0 1080 1080':w=540:h=540" 540 540 100.3 0 1080 1080 0.5)"
        echo "crop,scale|crop=1080:1080:'100+t*30':0,scale=540:540:flags=bicubic:param0=0:param1=0.5|$(p 1920x1080 "crop=1080:1080:100:0,scale=540:540:flags=bicubic:param0=0:param1=0.5" 540 540 100 0 1080 1080 0.5)"
    } > "$tmp/rows"
    compare "1080x1080 to 540x540" 1920x1080 $fmt
    [ $fmt = yuv420p ] || continue

    # zoompan's window has the shape of its input; perspective's output has its size, and
    # its corners are middles of pixels: 0.5 - 205/820/2 further in our terms
    {
        echo "keyframecrop|keyframecrop=keys='0 100.3 20.7 216 384!$sec 600 1000 216 384':w=810:h=1440|"
        echo "zoompan|zoompan=z=5:x='100.3+on/2':y=20.7:d=1:s=810x1440:fps=30|$(psnr 1080x1920 "zoompan=z=5:x=100:y=20:d=1:s=810x1440" 810 1440 100 20 216 384 0.6)"
    } > "$tmp/rows"
    compare "216x384 to 810x1440, source 1080x1920" 1080x1920 $fmt
    {
        echo "keyframecrop|keyframecrop=keys='0 100.3 20.7 800 1422!$sec 200 300 800 1422':w=540:h=960|"
        echo "zoompan|zoompan=z=1.35:x='100.3+on/2':y=20.7:d=1:s=540x960:fps=30|$(psnr 1080x1920 "zoompan=z=1.35:x=100:y=20:d=1:s=540x960" 540 960 100 20 800 1422 0.6)"
    } > "$tmp/rows"
    compare "800x1422 to 540x960, source 1080x1920" 1080x1920 $fmt
    {
        echo "keyframecrop|keyframecrop=keys='0 100.3 20.7 205 365!$sec 600 1000 205 365':w=820:h=1460|$(psnr 820x1460 "keyframecrop=keys='0 100.675 21.075 205 365':w=820:h=1460" 820 1460 100.675 21.075 205 365 0.5)"
        echo "perspective|perspective=eval=frame:interpolation=cubic:x0='100.3+on/2':y0=20.7:x1='305.3+on/2':y1=20.7:x2='100.3+on/2':y2=385.7:x3='305.3+on/2':y3=385.7|$(psnr 820x1460 "perspective=interpolation=cubic:x0=100.3:y0=20.7:x1=305.3:y1=20.7:x2=100.3:y2=385.7:x3=305.3:y3=385.7" 820 1460 100.675 21.075 205 365 0.6)"
    } > "$tmp/rows"
    compare "205x365 to 820x1460, source 820x1460" 820x1460 $fmt
done
