# Part of demo.sh: what the source is, and whether the output is what it should be.

calc() { awk "BEGIN { $1 }"; }

# hh:mm:ss.s, mm:ss or seconds -> seconds
seconds() {
    printf '%s\n' "$1" | awk -F: '
        NF > 3 { exit 1 }
        { for (i = 1; i <= NF; i++) { if ($i !~ /^[0-9]+(\.[0-9]*)?$|^\.[0-9]+$/) exit 1; s = s * 60 + $i } printf "%.6f", s }'
}

# a value inside a filter's option inside a graph: two levels of quoting
escape() {
    printf %s "$1" | sed "s/[\\\\':]/\\\\&/g; s/[][\\\\',;]/\\\\&/g"
}

# the value of KEY in ffprobe's "key=value" lines
field() { sed -n "s/^$2=//p" "$1" | head -n 1; }

probe() { # FILE SPECIFIER ENTRIES
    "$FFPROBE" -v error -select_streams "$2" -show_entries "$3" -of default=nw=1 "$1"
}

known() {
    case $1 in '' | unknown | N/A | reserved | unspecified) return 1 ;; esac
}

# the frames of a stream in a range; read past the end, since pictures come out of
# their decoding order
frame_list() { # FILE STREAM FROM TO ENTRIES
    interval=$(calc "printf \"%s%%%s\", ($3 > 0 ? $3 + $file_start : \"\"), ($4 > 0 ? $4 + $file_start + 2 : \"\")")
    [ "$interval" = % ] && interval=
    "$FFPROBE" -v error -select_streams "$2" ${interval:+-read_intervals "$interval"} -show_entries "frame=$5" -of csv=p=0 "$1"
}

# "begin end" of the sound that a file really gives, in seconds of its clock
# (a seek goes by the picture and may land late in the sound: begin 2 s earlier)
sound_extent() { # FILE RATE FROM TO
    frame_list "$1" a:0 "$(calc "printf \"%.6f\", $3 - 2")" "$4" pts_time,nb_samples 2> /dev/null | awk -F, -v rate="$2" '
        $1 == "N/A" || $1 == "" { next }
        !n++ || $1 < a { a = $1 }
        $1 + $2 / rate > e { e = $1 + $2 / rate }
        END { if (n) printf "%.6f %.6f", a, e }'
}

probe_source() {
    probe "$IN" V:0 stream=index,width,height,pix_fmt,time_base,sample_aspect_ratio,color_space,color_transfer,color_primaries,color_range:stream_side_data=rotation:format=format_name,start_time \
        > "$work/src" 2> "$work/err" || die "IN=$IN: cannot be read: $(head -n 1 "$work/err" | sed 's/^\[[^]]*\] *//')"
    src_w=$(field "$work/src" width) src_h=$(field "$work/src" height)
    [ -n "$src_w" ] || die "IN=$IN: there is no video in it"
    src_sar=$(field "$work/src" sample_aspect_ratio)
    case $src_sar in '' | N/A | 0:* | *:0) src_sar=1:1 ;; esac
    case $(field "$work/src" rotation) in
    90* | -90* | 270* | -270*)                                  # ffmpeg turns it upright
        src_w=$src_h src_h=$(field "$work/src" width)
        src_sar=${src_sar#*:}:${src_sar%:*}
        ;;
    esac
    case $(field "$work/src" format_name) in
    mpegts | mpeg | mpegvideo | h264 | hevc)
        [ -z "$START" ] || die "IN=$IN: has no index to find START=$START exactly; remux it: ffmpeg -i FILE -map 0 -c copy FILE.mkv"
        ;;
    esac
    src_tb=$(field "$work/src" time_base)
    file_start=$(field "$work/src" start_time)
    known "$file_start" || file_start=0
    # the output keeps the source's time base; its header counts in the same unit, so that no time is rounded
    movie_scale=$(calc "n = ${src_tb#*/}; while (n < 10000) n *= 2; printf \"%d\", n")
    frame_list "$IN" V:0 "$start" "$end" best_effort_timestamp,duration > "$work/all" 2> "$work/err" || die "IN=$IN: $(head -n 1 "$work/err")"
    awk -F, -v s="${START:+$start}" -v e="${END:+$end}" -v f="$file_start" -v tb="$src_tb" '
        BEGIN { split(tb, q, "/"); k = q[2] / q[1] }
        $1 != "N/A" { t = $1 / k - f; if ((s == "" || t >= s - 1e-7) && (e == "" || t < e - 1e-7)) print $1 "," $2 }
    ' "$work/all" | sort -t, -n -k1,1 > "$work/range"
    # ffmpeg moves times by a whole number of ticks, up to half a frame wrong at coarse
    # time bases: the range begins exactly at its first frame instead
    if [ -n "$START" ] && [ -s "$work/range" ]; then
        start=$(head -n 1 "$work/range" | awk -F, -v f="$file_start" -v tb="$src_tb" '{ split(tb, q, "/"); printf "%.6f", $1 * q[1] / q[2] - f }')
        calc "exit !($start - $(seconds "$START") > 0.0005)" && say "START=$START: the first frame from there is at $start s"
    fi
    awk -F, -v s="$start" -v f="$file_start" -v tb="$src_tb" '
        BEGIN { split(tb, q, "/"); off = int((s + f) * q[2] / q[1] + 0.5) } { print $1 - off "," $2 }' "$work/range" > "$work/want"
    src_frames=$(wc -l < "$work/want" | tr -d ' ')
    why=$(sed -n '1s/^\[[^]]*\] *//p' "$work/err")
    [ "$src_frames" -gt 0 ] || die "IN=$IN: no frame can be decoded between START=${START:-0} and END=${END:-its end}${why:+ ($why)}"
    [ -z "$why" ] || say "note: the source is damaged, what can be decoded is used ($why)"
    src_end=$(tail -n 1 "$work/want" | awk -F, -v s="$start" -v tb="$src_tb" '{ split(tb, q, "/"); printf "%.6f", s + $1 * q[1] / q[2] }')
    probe "$IN" a:0 stream=sample_rate > "$work/asrc" 2> /dev/null
    # ffmpeg's -t counts from the first frame it gets, not from START: it only bounds
    # the reading, the cut is made here
    trim_filter= sound_filter=
    if [ -n "$END" ]; then
        trim_filter="trim=end_pts=$(tail -n 1 "$work/want" | awk -F, '{ print $1 + 1 }'),"
        ! grep -q sample_rate "$work/asrc" || sound_filter="atrim=end=$(calc "printf \"%.6f\", $end - $start")"
    fi
}

# The output is tagged BT.709, limited range; that is only true if what lies
# outside is converted. An untagged source is taken as players take it.
decide_colours() {
    m=$(field "$work/src" color_space) t=$(field "$work/src" color_transfer)
    p=$(field "$work/src" color_primaries) r=$(field "$work/src" color_range)
    fmt=$(field "$work/src" pix_fmt)
    case $t in smpte2084 | arib-std-b67) die "IN=$IN: is HDR ($t); tone-map it to BT.709 first" ;; esac
    known "$r" || case $fmt in yuvj*) r=pc ;; *) r=tv ;; esac
    case $INCOLOR in
    auto)
        guess=
        if ! known "$m"; then
            if [ "$src_w" -ge 1280 ] || [ "$src_h" -ge 720 ]; then m=bt709; else m=smpte170m; fi
            guess="$guess matrix $m"
        fi
        if ! known "$p"; then
            p=bt709
            case $src_h in 480 | 486) p=smpte170m ;; 576) p=bt470bg ;; esac
            [ "$m" != bt709 ] || p=bt709
            guess="$guess primaries $p"
        fi
        if ! known "$t"; then
            t=bt709
            guess="$guess transfer $t"
        fi
        [ -z "$guess" ] || say "the source does not say its colours; taken for its size:$guess (INCOLOR= overrides)"
        ;;
    bt709) m=bt709 p=bt709 t=bt709 ;;
    bt601-525) m=smpte170m p=smpte170m t=smpte170m ;;
    bt601-625) m=bt470bg p=bt470bg t=smpte170m ;;
    *) die "INCOLOR=$INCOLOR: must be auto, bt709, bt601-525 or bt601-625" ;;
    esac
    tag_filter="setparams=colorspace=$m:color_primaries=$p:color_trc=$t:range=$r," colour_filter=
    case $fmt in
    gbr* | rgb* | bgr* | argb* | abgr* | 0rgb* | 0bgr* | pal8)
        tag_filter= colour_filter="scale=out_color_matrix=bt709:out_range=tv,"
        ;;
    gray*)  ;;
    *)
        if [ "$m/$p/$t/$r" != bt709/bt709/bt709/tv ]; then
            colour_filter="colorspace=ispace=$m:iprimaries=$p:itrc=$t:irange=$r:all=bt709:range=tv:format=yuv420p,"
            say "colours: $m/$p/$t/$r -> bt709/bt709/bt709/tv, converted after the net"
        fi
        ;;
    esac
}

# the line of the log that names the cause: the filter's own, else the first error
why_failed() {
    [ -s "$1" ] || { echo "ffmpeg ended with status $status and left no log" && return; }
    { grep -E '^\[(Parsed_)?(keyframecrop|esrgan)[^]]*\]' "$1" | grep -v 'Failed to configure' | tail -n 1
      grep -E 'rror|nvalid|No such|not found|Unknown|annot|denied|No space' "$1"; } |
        sed 's/^\[\(Parsed_\)\{0,1\}\([a-z_]*[a-z]\)[^]]*\] */\2: /' | head -n 1
}

failed=0
check() { # CONDITION-STATUS TEXT
    if [ "$1" = 0 ]; then say "ok - $2"; else
        say "not ok - $2"
        failed=$((failed + 1))
    fi
}
near() { calc "d = ($1) - ($2); exit !(d <= $3 && d >= -($3))"; } # A B TOLERANCE

verify() { # FILE
    failed=0
    probe "$1" V:0 stream=codec_name,width,height,pix_fmt,sample_aspect_ratio,time_base,start_time,duration,color_space,color_transfer,color_primaries,color_range:stream_side_data=rotation > "$work/dst" 2> "$work/err"
    check $? "ffprobe reads it"
    [ "$(field "$work/dst" width)x$(field "$work/dst" height)" = "${W}x$H" ]
    check $? "size $(field "$work/dst" width)x$(field "$work/dst" height), asked ${W}x$H"
    case $(field "$work/dst" sample_aspect_ratio) in 1:1 | N/A) true ;; *) false ;; esac
    check $? "pixels are square ($(field "$work/dst" sample_aspect_ratio))"
    got=$(field "$work/dst" codec_name)/$(field "$work/dst" pix_fmt)
    [ "$got" = h264/yuv420p ]
    check $? "codec and format $got"
    got=$(for i in color_space color_primaries color_transfer color_range; do field "$work/dst" $i; done | tr '\n' ' ')
    [ "$got" = "bt709 bt709 bt709 tv " ]
    check $? "colour tags: ${got% }"
    [ -z "$(field "$work/dst" rotation)" ]
    check $? "no rotation is left to the player"

    "$FFPROBE" -v error -select_streams V:0 -show_entries frame=pts,duration -of csv=p=0 "$1" > "$work/got" 2> "$work/err"
    [ $? = 0 ] && [ ! -s "$work/err" ]
    check $? "decodes without an error $(head -n 1 "$work/err")"
    n=$(wc -l < "$work/got" | tr -d ' ')
    [ "$n" = "$src_frames" ]
    check $? "$n frames, the source range has $src_frames"
    # the times as fractions: cross multiplied, no rounding
    paste -d, "$work/want" "$work/got" | awk -F, -v a="$src_tb" -v b="$(field "$work/dst" time_base)" '
        BEGIN { split(a, p, "/"); split(b, q, "/"); s = p[1] * q[2]; o = q[1] * p[2] }
        $1 * s != $3 * o { bad++; if (bad == 1) printf "first at frame %d: %.6f s, not %.6f s; ", NR - 1, $3 * q[1] / q[2], $1 * p[1] / p[2] }
        END { printf "%d of %d differ", bad, NR; exit bad != 0 }' > "$work/times"
    check $? "time of every frame is the source's, exactly ($(cat "$work/times"))"

    set -- "$1" $(awk -F, -v a="$src_tb" 'BEGIN { split(a, p, "/") }
        NR == 1 { f = $1 } { l = $1; d = $2 } END { if (d !~ /^[0-9]+$/ || d == 0) d = NR > 1 ? (l - f) / (NR - 1) : 0
        k = p[1] / p[2]; printf "%.6f %.6f %.6f", f * k, (l - f + d) * k, (NR > 1 ? (l - f) / (NR - 1) * k : d * k) }' "$work/want")
    got=$(field "$work/dst" duration)
    near "${got:-0}" "$3" "0.5 * $4 + 0.001"
    check $? "picture lasts ${got:-?} s, the source range $3 s"
    verify_sound "$1" "$2" "$3" "$4"
    [ -z "$MARKS" ] || verify_marks "$1" "$4"
    [ $failed = 0 ]
}

# The source's sound between START and END, at the same place beside the picture;
# both as decoded, since what files say of their lengths differs by format.
verify_sound() { # FILE PICTURE-START PICTURE-DURATION FRAME
    codec=$(probe "$1" a:0 stream=codec_name 2> /dev/null)
    rate=$(field "$work/asrc" sample_rate)
    if [ -z "$rate" ]; then
        [ -z "$codec" ]
        check $? "no sound, as the source"
        return
    fi
    # begin and end, on the output's clock, of what should be and of what is
    # shellcheck disable=SC2046
    set -- "$1" "$2" "$3" "$4" $(sound_extent "$IN" "$rate" "$start" "$end" | awk -v s="$start" -v e="$end" -v f="$file_start" '{
        a = $1 - f - s; b = $2 - f - s; if (a < 0) a = 0; if (e > 0 && b > e - s) b = e - s; if (b > a) printf "%.6f %.6f", a, b }')
    if [ $# = 4 ]; then
        say "ok - the range has no sound"
        return
    fi
    wa=$5 wb=$6
    read -r a b << EOT
$(file_start=0 && sound_extent "$1" "$rate" 0 0)
EOT
    [ "$codec" = codec_name=aac ] && near "${a:--1}" "$wa" "$4 + 1024 / $rate"
    check $? "sound begins at ${a:-?} s, in the source at $wa s (picture: $2 s)"
    near "${b:--1}" "$wb" "$4 + 1024 / $rate"
    check $? "sound ends at ${b:-?} s, in the source at $wb s (picture: $(calc "printf \"%.6f\", $2 + $3") s)"
}

# The scene's marks: a white square and a click, once a second.
verify_marks() { # FILE FRAME
    "$FFMPEG" -nostdin -v error -i "$1" -map 0:V:0 -vf "crop=iw*0.06:iw*0.06:iw*0.09:ih*0.03+iw*0.04,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-" -f null - |
        awk '/pts_time:/ { sub(/.*pts_time:/, ""); t = $1 } /YAVG=/ { sub(/.*=/, ""); if ($1 > 200) print t }' > "$work/flash"
    "$FFMPEG" -nostdin -v error -i "$1" -map 0:a:0 -af "aresample=48000,highpass=f=1500,asetnsamples=48,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.Peak_level:file=-" -f null - |
        awk '/pts_time:/ { sub(/.*pts_time:/, ""); t = $1 } /Peak_level=/ { sub(/.*=/, ""); if ($1 != "-inf" && $1 > -12 && t > last + 0.1) { print t; last = t } }' > "$work/click"
    result=$(paste "$work/flash" "$work/click" | awk -v f="$2" '
        NF != 2 { bad = 1 } NF == 2 { d = $2 - $1; if (d < 0 ? -d > m : d > m) m = d < 0 ? -d : d }
        END { printf "%d marks, at most %.1f ms apart, a frame is %.1f ms", NR, m * 1000, f * 1000; exit bad || !NR || m >= f }')
    check $? "flash and click coincide: $result"
}
