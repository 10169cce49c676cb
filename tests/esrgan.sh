#!/bin/sh
# test: the esrgan filter in the whole program
set -u

n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}
is() { # GOT WANTED WHAT
    [ "$1" = "$2" ]
    ok $? "$3$([ "$1" = "$2" ] || echo "; got '$1', wanted '$2'")"
}
ff() { "$FFMPEG" -hide_banner -nostdin -y "$@"; }
src() { echo "testsrc2=s=$1:r=5:d=${2:-0.2}"; }

# raw frames of a graph: raw FILE FORMAT GRAPH
raw() { ff -v error -f lavfi -i "$3,format=$2" -f rawvideo "$1" 2> "$TMP/err" || { cat "$TMP/err"; rm -f "$1"; }; }
# largest difference of the bytes of two files of one size
max_diff() {
    [ -s "$1" ] && [ "$(wc -c < "$1")" = "$(wc -c < "$2")" ] || { echo sizes; return; }
    cmp -l "$1" "$2" | awk 'function o(s) { return int(s / 100) * 64 + int(s % 100 / 10) * 8 + s % 10 }
        { d = o($2) - o($3); if (d < 0) d = -d; if (d > m) m = d } END { print m + 0 }'
}
# PSNR of two branches of one graph, both 8-bit RGB: psnr SOURCE A B
psnr() {
    ff -v info -f lavfi -i "$1,split[a][b];[a]$2,scale,format=gbrp[x];[b]$3,scale,format=gbrp[y];[x][y]psnr" -f null - 2>&1 |
        sed -n 's/.*average:\([0-9.inf]*\) .*/\1/p'
}
at_least() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a == "inf" || a + 0 >= b) }'; }
# size and format of what a graph gives
shape() {
    ff -v error -f lavfi -i "$1" -frames:v 1 -c:v rawvideo -strict -2 "$TMP/shape.nut" 2> "$TMP/err" || { head -n 1 "$TMP/err"; return; }
    "$FFPROBE" -v error -show_entries stream=width,height,pix_fmt -of csv=p=0:s=, "$TMP/shape.nut"
}

# ---- formats -------------------------------------------------------------------
for f in yuv420p yuv422p yuv444p yuv411p yuv440p yuvj420p nv12 nv21 p010le p016le yuv420p10le yuv422p12le \
         yuv444p16le yuva420p yuva444p10le gray gray10le gray16le ya8 gbrp gbrap gbrp10le gbrp16le gbrapf32le \
         rgb24 bgra rgba64le rgb0; do
    out=$(ff -v error -noauto_conversion_filters -f lavfi -i "$(src 40x28),scale,format=$f,esrgan,metadata=print:file=-" \
              -c:v wrapped_avframe -f null - 2>&1)
    got=$(ff -v verbose -noauto_conversion_filters -f lavfi -i "$(src 40x28),scale,format=$f,esrgan" -frames:v 1 \
              -c:v wrapped_avframe -f null - 2>&1 | sed -n 's/.*Video: wrapped_avframe.*, \([a-z0-9]*\)\((.*)\)\{0,1\}, \([0-9]*x[0-9]*\).*/\1 \3/p' | tail -n 1)
    is "$got" "$f 160x112" "$f in, $f four times as large out${out:+ ($out)}"
done
for f in yuv420p yuv444p yuv422p12le yuvj420p gbrp16le rgb24 bgra yuv444p16le; do
    p=$(psnr "$(src 64x48),gblur=3,format=gbrp" "scale=flags=accurate_rnd+full_chroma_int,format=$f,esrgan" "esrgan")
    at_least "$p" 35
    ok $? "$f agrees with the same picture through RGB: $p dB"
done
for f in nv12:yuv420p nv16:yuv422p nv24:yuv444p p010le:yuv420p10le yuyv422:yuv422p ayuv64le:yuva444p16le; do
    a=${f%:*} b=${f#*:}
    raw "$TMP/a" "$b" "$(src 48x32),format=$b,scale,format=$a,esrgan,scale"
    raw "$TMP/b" "$b" "$(src 48x32),format=$b,esrgan"
    is "$(max_diff "$TMP/a" "$TMP/b")" 0 "$a gives the samples that $b gives"
done
p=$(psnr "$(src 64x48),gblur=3,format=gbrp" \
         "scale=out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int,format=yuv444p,esrgan" "esrgan")
at_least "$p" 35
ok $? "BT.709 frames are taken as such: $p dB"
raw "$TMP/a" gray "$(src 40x28),format=yuva420p,geq=lum=lum(X\,Y):cb=cb(X\,Y):cr=cr(X\,Y):a=X*6,esrgan,alphaextract"
raw "$TMP/b" gray "$(src 40x28),format=yuva420p,geq=lum=lum(X\,Y):cb=cb(X\,Y):cr=cr(X\,Y):a=X*6,alphaextract,esrgan=strength=0"
is "$(max_diff "$TMP/a" "$TMP/b")" 0 "alpha is resampled, not put through the net"

# ---- sizes ---------------------------------------------------------------------
for s in 1.5:56,35 2:74,46 3:111,69 4:148,92 5.2:192,120; do
    is "$(shape "$(src 37x23),format=yuv444p,esrgan=scale=${s%:*}")" "${s#*:},yuv444p" "37x23, scale=${s%:*}"
done
is "$(shape "$(src 205x365),esrgan=w=810:h=1440:strength=0")" "810,1440,yuv420p" "w=810:h=1440"
is "$(shape "$(src 64x46),esrgan=w=iw*2:strength=0")" "128,92,yuv420p" "w=iw*2: the height follows"
is "$(shape "$(src 63x47),esrgan=h=100:strength=0")" "134,100,yuv420p" "h=100: the width follows, even"
is "$(shape "$(src 64x46),esrgan=w=-1:h=69:strength=0")" "96,69,yuv420p" "w=-1:h=69 as in scale"
for s in 1x1 2x1 1x5 3x3 17x2 5x33; do
    w=${s%x*} h=${s#*x}
    is "$(shape "$(src 64x64),format=yuv420p,crop=$w:$h:exact=1,esrgan")" "$((w * 4)),$((h * 4)),yuv420p" "$s becomes four times as large"
done

# ---- the same picture whichever way it is cut ---------------------------------------
g="$(src 150x110),format=yuv420p"
raw "$TMP/whole" yuv420p "$g,esrgan=tile=4096"
raw "$TMP/tiles" yuv420p "$g,esrgan=tile=64"
d=$(max_diff "$TMP/whole" "$TMP/tiles")
[ "$d" -le 1 ] 2> /dev/null
ok $? "tile=64 against one tile: at most 1 code (is $d)"
raw "$TMP/ref" yuv420p "$g,esrgan=tile=4096:engine=ref"
raw "$TMP/ref64" yuv420p "$g,esrgan=tile=64:engine=ref:halo=exact"
d=$(max_diff "$TMP/ref" "$TMP/ref64")
[ "$d" -le 1 ] 2> /dev/null
ok $? "engine=ref, tile=64:halo=exact against one tile: at most 1 code (is $d)"
raw "$TMP/none" yuv420p "$g,esrgan=tile=16:halo=0"
d=$(max_diff "$TMP/whole" "$TMP/none")
[ "$d" -gt 1 ] 2> /dev/null
ok $? "halo=0 is seen (differs by up to $d), so the comparisons above mean something"
for t in 1 4; do
    ff -v error -filter_complex_threads $t -filter_complex "$g,esrgan=engine=ref" -f rawvideo "$TMP/t$t" 2> "$TMP/err"
done
is "$(max_diff "$TMP/t1" "$TMP/t4")" 0 "1 and 4 threads give the same bytes"
ff -v error -filter_complex "$(src 64x48 1),esrgan" -f rawvideo "$TMP/r1" 2> "$TMP/err"
ff -v error -filter_complex "$(src 64x48 1),esrgan" -f rawvideo "$TMP/r2" 2> "$TMP/err"
is "$(max_diff "$TMP/r1" "$TMP/r2")" 0 "two runs give the same bytes"

raw "$TMP/f1" yuv420p "$(src 64x48 1),format=yuv420p,vflip,esrgan"
raw "$TMP/f2" yuv420p "$(src 64x48 1),format=yuv420p,vflip,hflip,hflip,esrgan"
is "$(max_diff "$TMP/f1" "$TMP/f2")" 0 "frames stored upside down (vflip) are read as any other"

# ---- strength, skip, prescale, dedup ------------------------------------------------
p=$(psnr "$(src 64x48),gblur=1.5,format=gbrp" "esrgan=scale=3:strength=0" "scale=iw*3:ih*3:flags=lanczos+accurate_rnd")
at_least "$p" 45
ok $? "strength=0 is plain resampling: $p dB against scale's lanczos"
raw "$TMP/s0" yuv420p "$g,esrgan=strength=0"
raw "$TMP/s5" yuv420p "$g,esrgan=strength=0.5"
a=$(max_diff "$TMP/whole" "$TMP/s0") b=$(max_diff "$TMP/whole" "$TMP/s5")
awk -v a="$a" -v b="$b" 'BEGIN { exit !(a > 4 && b >= a / 2 - 1 && b <= a / 2 + 1) }'
ok $? "strength=0.5 is halfway: differs from 1 by up to $b, strength=0 by $a"
raw "$TMP/cmd" yuv420p "$(src 64x48 0.6),format=yuv420p,sendcmd=c='0.3 esrgan strength 0',esrgan"
raw "$TMP/cmd1" yuv420p "$(src 64x48 0.6),format=yuv420p,esrgan"
raw "$TMP/cmd0" yuv420p "$(src 64x48 0.6),format=yuv420p,esrgan=strength=0"
size=$((256 * 192 * 3 / 2))
{ head -c $((2 * size)) "$TMP/cmd1"; tail -c $size "$TMP/cmd0"; } > "$TMP/want"
is "$(max_diff "$TMP/cmd" "$TMP/want")" 0 "command strength 0 takes effect at its frame"

log() { ff -v verbose -f lavfi -i "$1" -f null - 2>&1; }
is "$(log "$(src 64x48 1),esrgan=w=48:h=32" | grep -c 'plain resampling')" 1 "output not larger: plain resampling, said once"
is "$(log "$(src 64x48 1),esrgan=w=48:h=32" | grep -c 'engine ')" 0 "output not larger: no engine is opened"
log "$(src 64x48),esrgan=w=48:h=32:skip=0" | grep -q 'engine .* for'
ok $? "skip=0 runs the net all the same"
raw "$TMP/id" yuv420p "$g,esrgan=scale=1"
raw "$TMP/id0" yuv420p "$g"
is "$(max_diff "$TMP/id" "$TMP/id0")" 0 "scale=1 gives the input back"
log "$(src 160x120),esrgan=scale=1.5:prescale=auto" | grep -q 'prescale: 160x120 is shrunk to 60x45'
ok $? "prescale=auto: 160x120 to 240x180 goes through the net as 60x45"
is "$(log "$(src 160x120),esrgan=scale=3.9:prescale=auto" | grep -c prescale:)" 0 "prescale=auto leaves a target near the net's size alone"
is "$(shape "$(src 161x121),format=yuv444p,esrgan=scale=1.5:prescale=auto")" "242,182,yuv444p" "prescale=auto keeps the output size"
p=$(psnr "$(src 160x120),gblur=4,format=gbrp" "esrgan=scale=1.5:prescale=auto" "esrgan=scale=1.5")
at_least "$p" 32
ok $? "prescale=auto shows the same picture at the same place: $p dB"
is "$(log "$(src 64x48 0.2),loop=9:1,esrgan" | sed -n 's/.*\] \([0-9]* frames, [0-9]* repeated\).*/\1/p')" "10 frames, 9 repeated" "a still is enlarged once"
is "$(log "$(src 64x48 0.2),loop=9:1,esrgan=dedup=0" | sed -n 's/.*\] \([0-9]* frames, [0-9]* repeated\).*/\1/p')" "10 frames, 0 repeated" "dedup=0 enlarges it ten times"
is "$(log "$(src 64x48 2),esrgan" | sed -n 's/.*\] \([0-9]* frames, [0-9]* repeated\).*/\1/p')" "10 frames, 0 repeated" "frames that differ are none"
raw "$TMP/d1" yuv420p "$(src 64x48 1),fps=10,esrgan"
raw "$TMP/d0" yuv420p "$(src 64x48 1),fps=10,esrgan=dedup=0"
is "$(max_diff "$TMP/d1" "$TMP/d0")" 0 "dedup changes no picture"

# ---- properties -----------------------------------------------------------------------
entries='frame=pts,duration,color_range,color_space,color_primaries,color_transfer,chroma_location,sample_aspect_ratio:frame_tags'
probe() { "$FFPROBE" -v error -f lavfi -i "$1" -show_entries "$entries" -of compact 2>&1; }
g="$(src 64x48 1.2),settb=1/1000,setpts=N*N*37+5,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709:chroma_location=topleft,setsar=12/11,metadata=add:key=mine:value=7"
probe "$g" > "$TMP/p0"
probe "$g,esrgan" > "$TMP/p1"
[ -s "$TMP/p0" ] && cmp -s "$TMP/p0" "$TMP/p1"
ok $? "variable frame times, durations, color tags, aspect and metadata go through ($(wc -l < "$TMP/p1") frames)"
probe "$g,loop=3:1:2,esrgan" | grep -c tag:mine=7 > "$TMP/p2"
probe "$g,loop=3:1:2" | cut -d'|' -f2-4 > "$TMP/p3"
probe "$g,loop=3:1:2,esrgan" | cut -d'|' -f2-4 | cmp -s - "$TMP/p3"
ok $? "repeated frames keep their own times"
sar() { probe "$1" | sed -n 's/.*sample_aspect_ratio=\([0-9:]*\).*/\1/p' | head -n 1; }
is "$(sar "$(src 205x365),setsar=1,esrgan=scale=1.5:strength=0")" 1:1 "a factor leaves the aspect ratio alone"
is "$(sar "$(src 64x48),setsar=1,esrgan=w=128:h=48:strength=0")" 1:2 "w and h change it as scale does"
is "$(sar "$(src 64x48),setsar=4/3,esrgan=w=128:h=96:strength=0")" 4:3 "w and h in proportion do not"
log "$(src 32x32),esrgan" | grep -q 'color taken as matrix smpte170m, range tv, chroma left'
ok $? "what is assumed of a frame that says nothing is in the log"
is "$(log "$(src 32x32 1),setfield=tff,esrgan" | grep -c 'frames are interlaced')" 1 "interlaced frames: one warning"

# ---- the model -------------------------------------------------------------------------
count=$(log "$(src 32x24),split[a][b];[a]esrgan[x];[b]esrgan[y];[x][y]hstack" | grep -c 'model loaded')
is "$count" 1 "two filters in a graph load the model once"
is "$(shape "$(src 8x6),esrgan,esrgan")" "128,96,yuv420p" "the filter twice in a row"
log "$(src 32x24),esrgan=engine=ref:precision=fp32" | grep -q 'engine ref, fp32'
ok $? "engine and precision are obeyed"
model=$SHARED/models/realesr-general-x4v3.safetensors
if [ -f "$model" ]; then
    m="engine=ref:model=$model" g="$(src 24x20),format=yuv420p"
    raw "$TMP/m1" yuv420p "$g,esrgan=$m"
    raw "$TMP/mw" yuv420p "$g,esrgan=engine=ref:model=$SHARED/models/realesr-general-wdn-x4v3.safetensors"
    raw "$TMP/d1" yuv420p "$g,esrgan=$m:denoise=1"
    raw "$TMP/d0" yuv420p "$g,esrgan=$m:denoise=0"
    raw "$TMP/dh" yuv420p "$g,esrgan=$m:denoise=0.5"
    is "$(max_diff "$TMP/d1" "$TMP/m1")" 0 "denoise=1 is the model alone"
    is "$(max_diff "$TMP/d0" "$TMP/mw")" 0 "denoise=0 is the weak-denoise net alone, found by its name"
    a=$(max_diff "$TMP/dh" "$TMP/m1") b=$(max_diff "$TMP/dh" "$TMP/mw")
    [ "$a" -gt 0 ] && [ "$b" -gt 0 ]
    ok $? "denoise=0.5 is neither (differs by up to $a and $b)"
else
    echo "skip - denoise: the official nets are not there (SHARED/models)"
fi

# ---- errors: one line of ours, and the run fails ----------------------------------------------
# what the libraries add on their own: the pad, the option and the expression concerned
ours() { grep 'esrgan.*@' "$TMP/err" | grep -v 'Failed to configure\|Error setting option\|Eval @'; }
wrong() { # OPTIONS PATTERN WHAT
    ff -v error -f lavfi -i "$(src 32x24),esrgan=$1" -f null - > "$TMP/err" 2>&1
    rc=$?
    lines=$(ours | wc -l)
    [ $rc != 0 ] && [ "$lines" = 1 ] && grep -q "$2" "$TMP/err"
    ok $? "$3: $(ours | sed 's/^[^]]*\] //' | head -n 3 | tr '\n' ' ')"
}
: > "$TMP/empty.safetensors"
echo "this is not a net, and it is long enough to be looked at as one" > "$TMP/text.safetensors"
printf '\377\377\377\377\377\377\377\177{}' > "$TMP/huge.safetensors"
wrong "model=$TMP/missing.safetensors" missing.safetensors "a file that is not there"
wrong "model=$TMP/empty.safetensors" empty.safetensors "an empty file"
wrong "model=$TMP/text.safetensors" text.safetensors "a text file"
wrong "model=$TMP/huge.safetensors" huge.safetensors "a header of 2^63 bytes"
wrong "model=$TMP" "$TMP" "a folder"
wrong "engine=warp" "warp" "an unknown engine"
wrong "precision=int8:engine=ref" "int8" "a precision that the engine does not have"
wrong "scale=2:w=64" "scale=2 and w" "scale together with w"
wrong "w=abc" "abc" "a width that is no expression"
wrong "w=64:h=-3000000*1000" "" "an impossible height"
wrong "scale=64:w=" "" "scale together with an empty w"
wrong "denoise=0.5" "wdn=FILE" "denoise without a sibling"
wrong "denoise=0.5:model=$TMP/realesr-general-x4v3.pth" "realesr-general-wdn-x4v3.pth" "denoise with a sibling that is not there"
wrong "strength=2" "strength" "a strength of 2"
wrong "tile=-5" "tile" "a negative tile"
for c in 1 4; do    # an ncnn pair: one convolution of 3x3, c channels to c, all weights 0
    printf '7767517\n2 2\nInput in 0 1 data 0=8 1=8 2=%d\nConvolution c1 1 1 data out 0=%d 1=3 4=1 5=0 6=%d\n' \
        $c $c $((c * c * 9)) > "$TMP/c$c.param"
    head -c $((4 + 36 * c * c)) /dev/zero > "$TMP/c$c.bin"
    wrong "model=$TMP/c$c.param" "c$c.param' has $c channels in, $c out; esrgan needs 3 and 3" "a net of $c channels"
done
wrong "model=" "model is empty" "an empty model name"
if [ -f "$model" ]; then
    head -c 100000 "$model" > "$TMP/cut.safetensors"
    wrong "model=$TMP/cut.safetensors" cut.safetensors "a file that ends early"
fi
ff -v error -f lavfi -i "$(src 32x24)" -vf format=yuv444p,setparams=colorspace=ycgco,esrgan -f null - > "$TMP/err" 2>&1
rc=$?
[ $rc != 0 ] && [ "$(grep -c 'esrgan.*ycgco' "$TMP/err")" = 1 ]
ok $? "a color space without a matrix"

echo "done - $n tests, $failed failed"
[ $failed = 0 ]
