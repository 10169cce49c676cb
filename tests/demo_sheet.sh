# Part of demo.sh: the contact sheet. One row a moment: the input with the crop's
# box; the crop enlarged by bicubic and by us; the middle of both, pixel by pixel.

# sets $label to a drawtext filter's beginning, or leaves it empty and says why
find_font() {
    label=
    if ! "$FFMPEG" -hide_banner -filters 2> /dev/null | grep -q ' drawtext '; then
        say "note: no labels on the sheet, this ffmpeg has no drawtext"
        return
    fi
    for font in '' $(find /usr/share/fonts /usr/local/share/fonts -name '*.ttf' 2> /dev/null | grep -v '[ :,]' | sort | head -n 20); do
        try="drawtext=${font:+fontfile=$font:}fontsize=26:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=8:x=12:y=12:y_align=font"
        if "$FFMPEG" -nostdin -v quiet -f lavfi -i color=s=64x64:d=0.04 -vf "$try:text=a" -frames:v 1 -f null - 2> /dev/null; then
            label=$try
            return
        fi
    done
    say "note: no labels on the sheet, no font found (Debian: fonts-dejavu-core)"
}
text() { [ -z "$label" ] || printf ",%s:text='%s'" "$label" "$1"; }

sheet_row() { # NUMBER FRAME
    # seconds on the clip's clock and on the output's, a hair early: a seek gives the first frame not before it
    set -- "$1" $(sed -n "$(($2 + 1))p" "$work/want" | awk -F, -v s="$start" -v tb="$src_tb" '{ split(tb, q, "/"); t = $1 * q[1] / q[2]
        printf "%.6f %.6f %.2f", (t + s > 0.0002 ? t + s - 0.0002 : 0), (t > 0.0002 ? t - 0.0002 : 0), t + s }')
    "$FFMPEG" -nostdin -v error -ss "$2" -i "$IN" -vf "$tag_filter$crop_filter:t0=$2,metadata=print:file=-" \
        -map 0:V:0 -frames:v 1 -f null - > "$work/box" || return 1
    box=$(for i in x y w h; do sed -n "s/^lavfi.keyframecrop.$i=//p" "$work/box" | head -n 1; done | tr '\n' ' ')
    set -- "$1" "$2" "$3" "$4" $box
    [ $# = 8 ] || return 1
    high=720 wide=$((720 * W / H / 2 * 2))
    shape="scale=$wide:$high:flags=area,setsar=1"
    middle="crop=min(iw\,$wide):min(ih\,$high),pad=$wide:$high:-1:-1,setsar=1"
    "$FFMPEG" -nostdin -v error -y -ss "$2" -i "$IN" -seek_timestamp 1 -ss "$3" -i "$OUT" -filter_complex "
        [0:V:0]${tag_filter}split[i][c];
        [i]${colour_filter}format=gbrp,drawbox=$(printf '%.0f:%.0f:%.0f:%.0f' "$5" "$6" "$7" "$8"):yellow:$((src_h / 270 + 1)),scale=1280:720:force_original_aspect_ratio=decrease:flags=area,pad=1280:720:-1:-1,setsar=1$(text "input at $4 s, crop $(printf '%.0fx%.0f' "$7" "$8")")[a];
        [c]$crop_filter:t0=$2,scale=$W:$H:flags=bicubic+accurate_rnd+full_chroma_int,${colour_filter}format=gbrp,split[b][b2];
        [1:V:0]format=gbrp,split[o][o2];
        [b]$shape$(text bicubic)[b1];[o]$shape$(text ours)[o1];
        [b2]$middle$(text 'bicubic, pixel by pixel')[b3];[o2]$middle$(text 'ours, pixel by pixel')[o3];
        [a][b1][o1][b3][o3]hstack=5" -frames:v 1 -update 1 "$work/row$1.png"
}

contact_sheet() {
    SHEET=${SHEET:-$base.png}
    find_font
    for i in 1 2 3; do
        sheet_row $i $((src_frames * (2 * i - 1) / 6)) || die "making row $i of the contact sheet failed"
    done
    "$FFMPEG" -nostdin -v error -y -f png_pipe -i "$work/row1.png" -f png_pipe -i "$work/row2.png" -f png_pipe -i "$work/row3.png" \
        -filter_complex vstack=3,format=rgb24 -frames:v 1 -update 1 "$work/sheet.png" || die "making the contact sheet failed"
    cp "$work/sheet.png" "$SHEET.part" && mv "$SHEET.part" "$SHEET" || die "cannot write $SHEET"
}
