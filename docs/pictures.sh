#!/bin/sh
# Makes the contact sheets docs/highlight-*.jpg from a generated football scene.
# usage: FFMPEG=bin/ffmpeg docs/pictures.sh      (make docs-pictures)
# OUT=DIR: not docs/. LIMIT=BYTES: of each sheet, 150000.
set -u

FFMPEG=${FFMPEG:-bin/ffmpeg}
top=$(cd "$(dirname "$0")/.." && pwd)
OUT=${OUT:-$top/docs} LIMIT=${LIMIT:-150000}
die() { printf 'pictures: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "$*"; }
command -v "$FFMPEG" > /dev/null || die "FFMPEG=$FFMPEG: no such program; run make first"

work=$(mktemp -d "${TMPDIR:-/tmp}/pictures.XXXXXX") || die "no temporary folder in ${TMPDIR:-/tmp}"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

. "$top/tests/demo_sheet.sh"    # for find_font
find_font
[ -n "$label" ] || die "sheets without labels say nothing: install a font (Debian: fonts-dejavu-core)"
label=$(printf %s "$label" | sed 's/fontsize=26/fontsize=15/; s/boxborderw=8/boxborderw=4/; s/x=12:y=12/x=6:y=6/')

tags=setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv
${CC:-cc} -O3 -ffp-contract=off -o "$work/scene" "$top/tests/scene.c" -lm || die "cannot compile tests/scene.c with '${CC:-cc}'"
"$work/scene" --size 1920x1080 --fps 30 --seconds 1 --seed 1 --stdout --out-prefix "$work/s" |
    "$FFMPEG" -nostdin -v error -y -i - -vf 'select=eq(n\,12),setpts=0' -frames:v 1 -c:v rawvideo "$work/scene.nut" ||
    die "generating the scene failed"

# cell WINDOW FILTER LABEL: the next cell, WINDOW = w:h:x:y of the picture, as 400x300.
# Enlarged, it shows pixels
cell() {
    cells=$((cells + 1))
    flags=area
    [ "${1%%:*}" -ge 400 ] || flags=neighbor
    "$FFMPEG" -nostdin -v error -y -i "$work/scene.nut" -vf "$tags,$2,scale=out_color_matrix=bt601:out_range=pc,format=gbrp,crop=$1:exact=1,scale=400:300:flags=$flags,setsar=1,$label:text='$3'" \
        -frames:v 1 -update 1 "$(printf '%s/cell%02d.png' "$work" $cells)" || die "$3 ($2) failed"
}
# sheet NAME: the cells so far, four in a row, as good as LIMIT allows
sheet() {
    for q in 2 3 4 5 6 7 8 10 12; do
        "$FFMPEG" -nostdin -v error -y -i "$work/cell%02d.png" -vf "tile=4x$((cells / 4)),format=yuvj420p" -frames:v 1 -q:v $q \
            -update 1 "$work/sheet.jpg" || die "the sheet $1 failed"
        [ "$(wc -c < "$work/sheet.jpg")" -gt "$LIMIT" ] || break
    done
    [ "$(wc -c < "$work/sheet.jpg")" -le "$LIMIT" ] || die "$1 does not fit into $LIMIT bytes"
    cp "$work/sheet.jpg" "$OUT/.$1.part" && mv "$OUT/.$1.part" "$OUT/$1" || die "cannot write $OUT/$1"
    say "$OUT/$1: $(wc -c < "$OUT/$1" | tr -d ' ') bytes"
    rm -f "$work"/cell*.png
    cells=0
}
cells=0

# ---- the effects, about one player ---------------------------------------------------
near=480:360:854:512
hl="highlight=keys='0 1096 686 56 92 color=#FFEB3B':effect"
old="highlight=regions='[{\"start_time\"\:0,\"end_time\"\:9,\"keyframes\"\:[{\"time\"\:1,\"x\"\:1096,\"y\"\:686,\"radiusX\"\:56,\"radiusY\"\:92,\"opacity\"\:0.4,\"strokeOpacity\"\:0.85,\"fillOpacity\"\:0.05,\"color\"\:\"#FFEB3B\"}]}]':effect"
cell $near null 'input'
cell $near "$hl=dark_overlay" 'dark_overlay'
cell $near "$hl=dark_overlay:outside=0.6:stroke=5" 'dark_overlay outside=0.6 stroke=5'
cell $near "$hl=spot:outside=0.6" 'spot outside=0.6'
cell $near "$hl=ring" 'ring'
cell $near "$hl=ground" 'ground'
cell $near "$hl=brightness_boost" 'brightness_boost, yellow'
cell $near "$hl=brightness_boost:color=none" 'brightness_boost color=none'
cell $near "$hl=desaturate" 'desaturate'
cell $near "$hl=blur" 'blur'
cell $near "$old=dark_overlay:rules=feb" 'rules=feb, dark_overlay'
cell $near "$old=dark_overlay:rules=head" 'rules=head, dark_overlay'
sheet highlight-effects.jpg

# ---- edges, borders, sizes -------------------------------------------------------------
rim=64:48:1112:592
hl="highlight=outside=0.6:effect"
at="keys='0 1096.4 686.3 56.2 92.4 color=#FFEB3B'"
cell $rim "$hl=dark_overlay:$at:feather=0" 'dark_overlay feather=0'
cell $rim "$hl=dark_overlay:$at" 'dark_overlay'
cell $rim "$hl=dark_overlay:$at:feather=12" 'dark_overlay feather=12'
cell $rim "$old=dark_overlay:rules=head" 'rules=head'
cell $near "$hl=spot:$at:feather=0" 'spot feather=0'
cell $near "$hl=spot:$at:feather=60" 'spot feather=60'
cell 480:360:0:0 "$hl=dark_overlay:keys='0 0 40 130 110 color=#FF9800':stroke=6" 'at a corner'
cell 480:360:1440:720 "$hl=dark_overlay:keys='0 1940 900 200 120 color=#FF9800':stroke=6" 'middle outside of the picture'
cell 64:48:1064:662 "$hl=dark_overlay:keys='0 1096.5 686.5 4 6 color=#00FFFF'" 'radii 4, 6'
cell 64:48:1064:662 "$hl=dark_overlay:keys='0 1096.5 686.5 0 0 color=#00FFFF'" 'radii 0, 0'
cell 1440:1080:480:0 "$hl=dark_overlay:keys='0 1096 686 900 560 color=#00FFFF':stroke=6" 'radii 900, 560'
cell 1440:1080:480:0 "$hl=spot:keys='0 1096 686 4000 700':feather=200" 'radii 4000, 700, spot feather=200'
sheet highlight-edges.jpg
