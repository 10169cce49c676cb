#!/bin/sh
# bench: ffreel: how much N processes gain, what the driver costs, and that it stays small
#
# CASES: which of "waiting net serial many" (all); LONG: seconds of the slot-bound load in one process (120); RUNS: repeats of the
# net load, the variants taking turns (3); MANY: segments of the last case (3000).
set -u

CASES=${CASES:-waiting net serial many} LONG=${LONG:-120} RUNS=${RUNS:-3} MANY=${MANY:-3000}
FFREEL=$BUILD/ffreel
[ -x "$FFREEL" ] || { echo "ffreel is not built (it needs jansson)"; exit 0; }
tmp=${TMP:-/tmp}/bench-split
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
export XDG_CACHE_HOME="$tmp/cache"

ff() { "$FFMPEG" -nostdin -v error -y "$@"; }
now() { date +%s.%N; }
since() { echo "$1 $(now)" | awk '{ printf "%.3f", $2 - $1 }'; }
ms() { grep -o "\"$2\": *[0-9]*" "$1" | head -n 1 | grep -o '[0-9]*$'; }   # FILE KEY
json() { echo "$1" >> "${JSON:-/dev/null}"; }
# wall COMMAND...: its seconds in $t
wall() {
    from=$(now)
    "$@" > log 2>&1 || { echo "failed: $*"; cat log; exit 1; }
    t=$(since "$from")
}
same() { [ "$(ff -i "$1" -map 0:V -f md5 -)" = "$(ff -i "$2" -map 0:V -f md5 -)" ] || echo "$1 and $2 DIFFER"; }

# ---- a load that waits: the machine cannot limit it -----------------------------------
waiting() {
    # realtime lets 50 frames a second through each process
    ff -f lavfi -i "testsrc2=s=160x90:r=25:d=$((LONG * 2))" -c:v libx264 -preset ultrafast -g 25 wait.mp4
    wait_vf=realtime=speed=2
    echo "A filter that passes 50 frames a second, $((LONG * 50)) frames, FFV1; N processes of ffreel against one ffmpeg:"
    echo
    echo "| processes | seconds | times one | of N | plan, join, verify ms |"
    echo "| --- | --- | --- | --- | --- |"
    wall "$FFMPEG" -nostdin -v error -y -i wait.mp4 -vf $wait_vf -fps_mode passthrough -enc_time_base demux -c:v ffv1 one.nut
    one=$t
    echo "| ffmpeg | $one | 1 | | |"
    for n in 1 2 4 8; do
        rm -rf out.nut*
        wall "$FFREEL" render -q -i wait.mp4 -j $n --filter realtime=0,0 --report r.json -- -vf $wait_vf -c:v ffv1 out.nut
        same one.nut out.nut
        echo "$one $t $n $(ms r.json plan_ms) $(ms r.json concat_ms) $(ms r.json verify_ms)" |
            awk '{ printf "| %d | %.2f | %.2f | %.3f | %d |\n", $3, $2, $1 / $2, $1 / $2 / $3, $4 + $5 + $6 }'
        json "{\"bench\":\"split\",\"case\":\"waiting\",\"processes\":$n,\"seconds\":$t,\"one\":$one}"
    done
}

model=builtin name=builtin
[ ! -f "$SHARED/models/realesr-animevideov3.safetensors" ] ||
    { model=$SHARED/models/realesr-animevideov3.safetensors; name=animevideov3; }
net_input() {
    [ -f net.mp4 ] || ff -f lavfi -i "testsrc2=s=96x170:r=25:d=${NET_SECONDS:-12}" -c:v libx264 -preset ultrafast -g 25 net.mp4
}
net_vf="esrgan=model=$model:engine=onednn:precision=fp32"
enc="-c:v libx264 -preset veryfast -crf 20"
best() { awk -v v="$1" '$1 == v && (!b || $2 < b) { b = $2 } END { print b }' times; }

# ---- a load that computes: Real-ESRGAN ---------------------------------------------------
net() {
    net_input
    : > times
    i=0
    while [ $i -lt "$RUNS" ]; do
        # shellcheck disable=SC2086
        for v in one-thread default split2; do
            rm -rf out.mp4*
            case $v in
            one-thread) wall "$FFMPEG" -nostdin -v error -y -threads 1 -filter_threads 1 -i net.mp4 -vf "$net_vf" $enc -threads 1 one.mp4 ;;
            default)    wall "$FFMPEG" -nostdin -v error -y -i net.mp4 -vf "$net_vf" $enc default.mp4 ;;
            split2)     wall "$FFREEL" render -q -i net.mp4 -j 2 --report r.json -- -vf "$net_vf" $enc out.mp4
                        cp r.json net.json ;;
            esac
            echo "$v $t" >> times
        done
        i=$((i + 1))
    done
    a=$(best one-thread) b=$(best default) c=$(best split2)
    echo
    echo "esrgan $name, fp32, 96x170 to x4, $((${NET_SECONDS:-12} * 25)) frames, x264; best of $RUNS, on $(nproc) cores:"
    echo
    echo "| run | seconds | against one thread | against the best unsplit |"
    echo "| --- | --- | --- | --- |"
    echo "$a $b $c" | awk '{
        best = $1 < $2 ? $1 : $2
        printf "| one ffmpeg, one thread | %.2f | 1 | %.2f |\n", $1, best / $1
        printf "| one ffmpeg, threads as it likes | %.2f | %.2f | %.2f |\n", $2, $1 / $2, best / $2
        printf "| ffreel -j 2, a core each | %.2f | %.2f | %.2f |\n", $3, $1 / $3, best / $3 }'
    echo
    echo "$(ms net.json total_ms) $(ms net.json plan_ms) $(ms net.json dispatch_ms) $(ms net.json concat_ms) $(ms net.json verify_ms)" |
        awk '{ if (!$4) { print "It was NOT SPLIT."; exit }
              printf "Of its %d ms: plan %d, places idle %d, join %d, verify %d: %.1f %% not rendering.\n", $1, $2, $3, $4, $5, 100 * ($2 + $3 / 2 + $4 + $5) / $1 }'
    json "{\"bench\":\"split\",\"case\":\"esrgan $name\",\"one_thread\":$a,\"unsplit\":$b,\"split2\":$c}"
}

# ---- not split: what the driver costs over ffmpeg alone --------------------------------------
serial() {
    net_input
    : > times
    i=0
    while [ $i -lt "$RUNS" ]; do
        rm -rf out.mp4*
        # shellcheck disable=SC2086
        wall "$FFMPEG" -nostdin -v error -y -i net.mp4 -vf "$net_vf" -fps_mode passthrough $enc default.mp4
        echo "ffmpeg $t" >> times
        # setpts with N forbids to split; all frames keep their times
        # shellcheck disable=SC2086
        wall "$FFREEL" render -q -i net.mp4 -- -vf "$net_vf,setpts=PTS+0*N" $enc out.mp4
        echo "ffreel $t" >> times
        i=$((i + 1))
    done
    echo
    echo "$(best ffmpeg) $(best ffreel)" | awk '{ printf "Not split: ffmpeg alone %.2f s, ffreel %.2f s: %.1f %% more.\n", $1, $2, 100 * ($2 / $1 - 1) }'
    json "{\"bench\":\"split\",\"case\":\"serial\",\"ffmpeg\":$(best ffmpeg),\"ffreel\":$(best ffreel)}"
}

# ---- many segments, few descriptors -----------------------------------------------------------
many() {
    echo
    echo "Segments of one frame, 'ulimit -n 64', two processes:"
    echo
    echo "| segments | seconds | largest memory of the driver kB | frames alike |"
    echo "| --- | --- | --- | --- |"
    for n in $((MANY / 10)) "$MANY"; do
        rm -rf out.nut*
        ff -f lavfi -i testsrc2=s=64x48:r=25 -frames:v "$n" -c:v libx264 -preset ultrafast -g 5 tiny.mp4
        ff -i tiny.mp4 -vf hflip -fps_mode passthrough -enc_time_base demux -c:v ffv1 tiny.nut
        from=$(now)
        (ulimit -n 64; exec "$FFREEL" render -q -i tiny.mp4 -j 2 --segment 1f -- -vf hflip -c:v ffv1 out.nut) > log 2>&1 &
        pid=$!
        kb=0
        while kill -0 $pid 2> /dev/null; do
            k=$(awk '/^VmHWM/ { print $2 }' /proc/$pid/status 2> /dev/null)
            [ "${k:-0}" -le $kb ] || kb=$k
            sleep 0.2
        done
        wait $pid || { echo "failed: $(cat log)"; exit 1; }
        t=$(since "$from")
        alike=$([ "$(ff -i tiny.nut -f md5 -)" = "$(ff -i out.nut -f md5 -)" ] && echo yes || echo NO)
        echo "| $n | $t | $kb | $alike |"
        json "{\"bench\":\"split\",\"case\":\"many\",\"segments\":$n,\"seconds\":$t,\"driver_kb\":$kb}"
    done
}

for case in $CASES; do "$case"; done
