#!/bin/sh
# bench: the esrgan filter in the whole program, decode -> esrgan -> null
# Every frame differs (dedup=0), prescale only where a row says so. Rates are by
# the wall clock; "idle" is what the CPU time allows on all cores when nothing
# else runs. With a compiler and the build's archives the net alone and its bare
# convolutions (bench/nn.c) are timed in the same run.
set -u

cores=$(nproc)
model=$SHARED/models/realesr-general-x4v3.safetensors
few=${BENCH_FRAMES:-8} many=${BENCH_FRAMES_SMALL:-300}

json() { [ -z "${JSON:-}" ] || printf '%s\n' "$1" >> "$JSON"; }

# run FILE FRAMES CROP OPTIONS: sets fps, idle, frames, t_in, t_net, t_out, engine, prec
run() {
    "$FFMPEG" -hide_banner -nostdin -nostats -benchmark -v verbose -i "$1" -frames:v "$2" -an \
        -vf "${3:+$3,}esrgan=dedup=0:$4" -f null - > "$TMP/log" 2>&1 || { sed 's/^/# /' "$TMP/log" | tail -n 3 >&2; return 1; }
    eval "$(sed -n 's/.*\] \([0-9]*\) frames, .* in \([0-9.]*\) ms, net \([0-9.]*\) ms, out \([0-9.]*\) ms, .*/frames=\1 t_in=\2 t_net=\3 t_out=\4/p
        s/.*bench: utime=\([0-9.]*\)s.*rtime=\([0-9.]*\)s/utime=\1 rtime=\2/p
        s/.*engine \([a-z0-9]*\), \([a-z0-9]*\), for.*/engine=\1 prec=\2/p' "$TMP/log")"
    fps=$(awk -v n="$frames" -v t="$rtime" 'BEGIN { printf "%.2f", n / t }')
    idle=$(awk -v n="$frames" -v t="$utime" -v c="$cores" 'BEGIN { printf "%.2f", n * c / t }')
}
row() { # WHAT SIZE OUT FILE FRAMES CROP OPTIONS
    run "$4" "$5" "$6" "$7" || return
    echo "| $1 | $2 -> $3 | $engine $prec | $frames | $fps | $idle | $t_in | $t_net | $t_out |"
    json "{\"bench\":\"esrgan\",\"what\":\"$1\",\"in\":\"$2\",\"out\":\"$3\",\"engine\":\"$engine\",\"precision\":\"$prec\",\"frames\":$frames,\"cores\":$cores,\"fps\":$fps,\"fps_idle\":$idle,\"ms_in\":$t_in,\"ms_net\":$t_net,\"ms_out\":$t_out}"
}

# moving picture with noise: no frame is like another
synth() { # SIZE FRAMES FILE
    "$FFMPEG" -v error -nostdin -y -f lavfi -i "testsrc2=s=$1:r=30,noise=alls=6:allf=t" -frames:v "$2" \
        -c:v libx264 -preset veryfast -qp 18 -pix_fmt yuv420p "$3" 2> /dev/null ||
        "$FFMPEG" -v error -nostdin -y -f lavfi -i "testsrc2=s=$1:r=30,noise=alls=6:allf=t" -frames:v "$2" -c:v mpeg4 -q:v 2 "$3"
}
synth 640x480 "$many" "$TMP/small.mkv"
synth 540x960 "$few" "$TMP/large.mkv"
small=$SHARED/media/video/basketball-240p-2997.mp4 large=$SHARED/media/video/football-portrait-25.mp4

echo "| what | size | engine | frames | fps | fps, idle machine | in, ms | net, ms | out, ms |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
row "builtin, synthetic" 205x365 820x1460 "$TMP/small.mkv" "$many" crop=205:365:exact=1 model=builtin
[ ! -f "$small" ] || row "builtin, real clip" 205x365 820x1460 "$small" "$many" scale=-2:366,crop=205:365:exact=1 model=builtin
row "builtin, synthetic" 205x365 810x1440 "$TMP/small.mkv" "$many" crop=205:365:exact=1 model=builtin:w=810:h=1440
if [ -f "$model" ]; then
    row "general-x4v3, synthetic" 540x960 2160x3840 "$TMP/large.mkv" "$few" "" "model=$model"
    whole_idle=${idle:-0} whole=${fps:-0} prec_used=${prec:-bf16}
    [ ! -f "$large" ] || row "general-x4v3, real clip" 540x960 2160x3840 "$large" "$few" "" "model=$model"
    row "general-x4v3, synthetic" 540x960 810x1440 "$TMP/large.mkv" "$few" "" "model=$model:w=810:h=1440"
    row "general-x4v3, prescale=auto" 540x960 810x1440 "$TMP/large.mkv" "$few" "" "model=$model:w=810:h=1440:prescale=auto"
    row "general-x4v3, fp32" 540x960 2160x3840 "$TMP/large.mkv" 2 "" "model=$model:precision=fp32"
fi

# ---- against the bare convolutions, same threads, same run ----------------------------
build=${BUILD:-}
if [ -f "$model" ] && [ -f "$build/libavfilter/libavfilter.a" ] && [ -f "$FFREEL_TOP/bench/nn.c" ]; then
    tree=$(sed -n 's/^SRC_PATH=//p' "$build/ffbuild/config.mak")
    case $tree in /*) ;; *) tree=$build/$tree ;; esac
    libs=$(sed -n 's/^EXTRALIBS-av[a-z]*=//p; s/^EXTRALIBS-sw[a-z]*=//p; s/^EXTRALIBS=//p' "$build/ffbuild/config.mak" | tr '\n' ' ')
    # shellcheck disable=SC2046,SC2086
    if $(sed -n 's/^CC=//p' "$build/ffbuild/config.mak") -std=c17 -O2 -w -D_GNU_SOURCE -DHAVE_AV_CONFIG_H -I"$build" -I"$tree" \
        -I"$tree/libavfilter" -I"$FFREEL_TOP/libavfilter" "$FFREEL_TOP/bench/nn.c" -o "$TMP/nn" -Wl,--start-group \
        $(ls "$build"/libav*/libav*.a "$build"/libsw*/libsw*.a) -Wl,--end-group $libs -lpthread -lm 2> "$TMP/log"; then
        line=$("$TMP/nn" "$model" 540x960 "$prec_used" "$cores" "${BENCH_SECONDS:-10}" 2> "$TMP/log" | tail -n 1)
        json "$line"
        value() { echo "$line" | sed -n "s/.*\"$1\":\"\{0,1\}\([0-9.]*\).*/\1/p"; }
        bare=$(value bare_fps) bare_cpu=$(value bare_fps_cpu)
        [ -n "$bare" ] || echo "$line" >&2
        echo
        echo "general-x4v3 at 540x960, $prec_used, $cores threads: bare convolutions ${bare:-?} fps (idle machine ${bare_cpu:-?}), the whole filter" \
             "$whole ($whole_idle): $(awk -v a="$whole_idle" -v b="${bare_cpu:-0}" 'BEGIN { printf b ? "%.0f %%" : "?", 100 * a / b }')"
        json "{\"bench\":\"esrgan_ratio\",\"fps\":$whole,\"fps_idle\":$whole_idle,\"bare_fps\":${bare:-0},\"bare_fps_idle\":${bare_cpu:-0}}"
    else
        sed 's/^/# /' "$TMP/log" | head -n 5 >&2
    fi
fi

# ---- prescale: what it costs in quality ------------------------------------------------
# likeness of two branches of one clip: like FILE SOURCE A B -> "PSNR SSIM"
like() {
    for m in psnr ssim; do
        "$FFMPEG" -hide_banner -nostdin -nostats -v info -i "$1" -frames:v 4 -an -filter_complex \
            "$2[a][b];[a]$3[x];[b]$4[y];[x][y]$m" -f null - 2>&1 |
            sed -n 's/.*PSNR.*average:\([0-9.]*\).*/\1/p; s/.*SSIM.*All:\([0-9.]*\).*/\1/p'
    done | tr '\n' ' '
}
if [ -f "$model" ] && [ -f "$large" ]; then
    sr=esrgan=dedup=0:model=$model
    echo
    echo "| prescale | compared with | PSNR, dB | SSIM |"
    echo "| --- | --- | --- | --- |"
    for v in "auto, 540x960 -> 810x1440|prescale=off|split|$sr:w=810:h=1440:prescale=auto|$sr:w=810:h=1440" \
             "off, 360x640 -> 540x960|the original 540x960|split|scale=360:640:flags=area,$sr:w=540:h=960|null" \
             "auto, 360x640 -> 540x960|the original 540x960|split|scale=360:640:flags=area,$sr:w=540:h=960:prescale=auto|null" \
             "(no net: strength=0)|the original 540x960|split|scale=360:640:flags=area,$sr:w=540:h=960:strength=0|null"; do
        old=$IFS; IFS='|'
        # shellcheck disable=SC2086
        set -- $v
        IFS=$old
        # shellcheck disable=SC2046
        set -- "$1" "$2" $(like "$large" "$3" "$4" "$5")
        echo "| $1 | $2 | ${3:-?} | ${4:-?} |"
        json "{\"bench\":\"esrgan_prescale\",\"what\":\"$1\",\"against\":\"$2\",\"psnr\":${3:-null},\"ssim\":${4:-null}}"
    done
fi
