#!/bin/sh
# The main job: a clip, cropped by keyframes and upscaled, as an MP4 that is then
# checked against its source, and a contact sheet. Variables: docs/demo.md, or --help.
set -u

here=$(cd "$(dirname "$0")" && pwd)
FFMPEG=${FFMPEG:-bin/ffmpeg} FFPROBE=${FFPROBE:-bin/ffprobe}
IN=${IN:-} KEYS=${KEYS:-} MODEL=${MODEL:-builtin} ENGINE=${ENGINE:-} START=${START:-} END=${END:-}
SIZE=${SIZE:-810x1440} OUT=${OUT:-out/demo/reel.mp4}
CROP_OPTS=${CROP_OPTS:-} ESRGAN_OPTS=${ESRGAN_OPTS:-} INCOLOR=${INCOLOR:-auto} SHEET=${SHEET:-}
X264=${X264:--preset medium -crf 18} FFARGS=${FFARGS:-} MARKS=${MARKS:-}
SCENE_SIZE=${SCENE_SIZE:-1920x1080} SCENE_FPS=${SCENE_FPS:-30} SCENE_SECONDS=${SCENE_SECONDS:-5} SEED=${SEED:-1}

die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}
say() { printf '%s\n' "$*"; }

case ${1:-} in
-h | --help)
    sed -n '/^## Variables/,/^## /p' "$here/../docs/demo.md" | sed '1d;$d'
    exit 0
    ;;
'') ;;
*) die "$1: takes no arguments, only variables (--help lists them)" ;;
esac

command -v "$FFMPEG" > /dev/null || die "FFMPEG=$FFMPEG: no such program; run make first"
command -v "$FFPROBE" > /dev/null || die "FFPROBE=$FFPROBE: no such program; run make first"

. "$here/demo_probe.sh"
. "$here/demo_sheet.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/demo.XXXXXX") || die "no temporary folder in ${TMPDIR:-/tmp}"
part=
trap 'rm -rf "$work"; [ -z "$part" ] || rm -f "$part"' EXIT
trap 'exit 130' INT TERM HUP

# ---- what is asked ---------------------------------------------------------------
W=${SIZE%x*} H=${SIZE#*x}
case $W$H in '' | *[!0-9]*) W=1 ;; esac
if [ "$W" -lt 16 ] || [ "$H" -lt 16 ] || [ $((W % 2 + H % 2)) != 0 ]; then
    die "SIZE=$SIZE: must be WIDTHxHEIGHT, even numbers from 16"
fi
case $OUT in *.mp4) ;; *) die "OUT=$OUT: must end in .mp4" ;; esac
[ "$MODEL" = builtin ] || [ -r "$MODEL" ] || die "MODEL=$MODEL: no such file (a weight file, or builtin)"
[ -z "$KEYS" ] || [ -r "$KEYS" ] || die "KEYS=$KEYS: no such file"
[ -z "$KEYS" ] || [ -n "$IN" ] || die "KEYS=$KEYS needs the clip it belongs to: IN=clip.mp4"
[ -z "$IN" ] || [ -r "$IN" ] || die "IN=$IN: no such file"
start=$(seconds "${START:-0}") || die "START=$START: not a time (seconds or hh:mm:ss)"
end=$(seconds "${END:-0}") || die "END=$END: not a time (seconds or hh:mm:ss)"
if [ -n "$END" ] && ! calc "exit !($end > $start)"; then
    die "END=$END is not after START=${START:-0}"
fi
mkdir -p "$(dirname "$OUT")" || die "OUT=$OUT: cannot make its folder"
base=${OUT%.mp4}

# ---- the clip ----------------------------------------------------------------------
make_scene() {
    scene=${SCENE:-$work/scene}
    if [ -z "${SCENE:-}" ]; then
        ${CC:-cc} -O3 -ffp-contract=off -o "$scene" "$here/scene.c" -lm ||
            die "cannot compile tests/scene.c with '${CC:-cc}'"
    fi
    say "generating a football scene: $SCENE_SIZE, $SCENE_FPS fps, $SCENE_SECONDS s, seed $SEED"
    {
        "$scene" --size "$SCENE_SIZE" --fps "$SCENE_FPS" --seconds "$SCENE_SECONDS" --seed "$SEED" \
            --stdout --out-prefix "$work/s" || : > "$work/scene.failed"
    } | "$FFMPEG" -nostdin -hide_banner -v error -y -i - -i "$work/s.wav" \
        -vf setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv \
        -c:v libx264 -preset veryfast -crf 16 -c:a aac -b:a 192k -movflags +faststart "$work/s.mp4" ||
        die "encoding the scene failed"
    [ ! -e "$work/scene.failed" ] || exit 1
    IN=$base.scene.mp4 KEYS=$base.scene.json
    mv "$work/s.mp4" "$IN" && mv "$work/s.keys.json" "$KEYS" || die "cannot write $IN"
}

# 9:16 (or SIZE's shape), a slow drift through the middle of the picture
make_keys() {
    KEYS=$base.keys.json
    awk -v w="$src_w" -v h="$src_h" -v tw="$W" -v th="$H" -v d="$src_end" 'BEGIN {
        fit = h < w * th / tw ? h : w * th / tw         # the tallest crop of that shape
        ch = fit * 2 / 3
        if (ch < th / 4) ch = th / 4
        if (ch > fit) ch = fit
        cw = ch * tw / th
        dx = (w - cw) / 2 * 0.3; dy = (h - ch) / 2 * 0.15
        for (t = 0; t < d + 1; t++)
            printf "%s{\"time\": %d, \"x\": %.2f, \"y\": %.2f, \"width\": %.2f, \"height\": %.2f}",
                   t ? ",\n " : "[", t, (w - cw) / 2 + dx * sin(t * 0.6), (h - ch) / 2 + dy * sin(t * 0.4), cw, ch
        print "]"
    }' > "$work/keys.json" && mv "$work/keys.json" "$KEYS" || die "cannot write $KEYS"
    say "no KEYS: a centred crop with a slow drift, $KEYS"
}

if [ -z "$IN" ]; then
    make_scene
    MARKS=1
fi
probe_source
if [ -z "$KEYS" ]; then make_keys; fi
decide_colours

# The crop comes at its own resolution: enlarging is the net's work. Its shape is
# locked to the output's, so pixels end up square.
shape=$(calc "split(\"$src_sar\", q, \":\"); printf \"%d/%d\", $W * q[2], $H * q[1]")
crop_filter="keyframecrop=file=$(escape "$KEYS"):aspect=$shape${CROP_OPTS:+:$CROP_OPTS}"
net_filter="esrgan=model=$(escape "$MODEL"):w=$W:h=$H${ENGINE:+:engine=$ENGINE}${ESRGAN_OPTS:+:$ESRGAN_OPTS}"
filters="${trim_filter}${tag_filter}$crop_filter:t0=$start,$net_filter,setsar=1,${colour_filter}format=yuv420p"

# ---- the job ------------------------------------------------------------------------
part=$(dirname "$OUT")/.$(basename "$base").$$.part.mp4
say "$IN -> $OUT, ${W}x$H, model $MODEL"
began=$(date +%s)
# shellcheck disable=SC2086
FFREPORT="file=$(printf %s "$work" | sed "s/[\\\\':]/\\\\&/g; s/%/%%/g")/log:level=40" \
    "$FFMPEG" -nostdin -hide_banner -v quiet -stats -y \
    ${START:+-ss "$start"} ${END:+-t "$(calc "printf \"%.6f\", $end - $start + 1")"} -i "$IN" \
    -map 0:V:0 -map 0:a:0? -map_chapters -1 -vf "$filters" ${sound_filter:+-af "$sound_filter"} \
    -fps_mode passthrough -enc_time_base demux \
    -c:v libx264 $X264 -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv \
    -c:a aac -b:a 192k -movflags +faststart -movie_timescale "$movie_scale" $FFARGS "$part"
status=$?
cp "$work/log" "$base.log" 2> /dev/null
if [ $status != 0 ]; then
    die "$(why_failed "$work/log") (the whole log: $base.log)"
fi
say "rendered in $(($(date +%s) - began)) s"
grep -E '^\[(Parsed_)?esrgan.*(engine |net picture|frames, )' "$work/log" | sed 's/^\[[^]]*\] */  /' | tail -n 3

# ---- the proof ----------------------------------------------------------------------
verify "$part" || die "$OUT was not made: the checks above that are 'not ok' failed"
mv "$part" "$OUT" || die "cannot rename $part to $OUT"
part=
say "$OUT: $(wc -c < "$OUT" | tr -d ' ') bytes"
[ "$SHEET" != none ] || exit 0
contact_sheet
say "contact sheet:"
say "$SHEET"
