#!/bin/sh
# test: filters on CUDA frames, on the driver of tests/fakecuda: chains, devices, errors; kernels: compilers, freshness (asan)
set -u

n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}
is() { # GOT WANTED WHAT
    [ -n "$1" ] && [ "$1" = "$2" ]
    ok $? "$3"
    [ "$1" = "$2" ] || { echo "# got '$1', wanted '$2'"; sed 's/^/# /' "$tmp/err"; }
}
end() {
    echo "done - $n tests, $failed failed"
    [ "$failed" = 0 ]
    exit
}
tmp=${TMP:-/tmp}/cuda.$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
cd "$FFREEL_TOP" || exit 1
build=$(dirname "$FFMPEG")
[ -n "$FAKECUDA" ] || { echo "skip - filters on CUDA frames: this build has no CUDA kernels (./configure says why)"; end; }

src='testsrc2=s=320x240:r=10:d=1,format=nv12'
pan='keyframecrop=keys=0 10.3 20.7 160 120|1 60.1 31.9 160 120'
zoom='keyframecrop=keys=0 10.3 20.7 160 120|1 60.1 31.9 80 60:w=160:h=120'
turn='keyframecrop=keys=0 40 30 160 120 rotation=-5|1 60 50 160 120 rotation=30'
md5() { # OPTIONS...: of all frames
    "$FFMPEG" -v error -noauto_conversion_filters "$@" -pix_fmt nv12 -bitexact -f md5 - 2> "$tmp/err"
}
gpu() { # DEVICES OPTIONS...
    d=$1
    shift
    FAKECUDA_DEVICES=$d LD_LIBRARY_PATH=$FAKECUDA md5 "$@"
}

# ---- chains --------------------------------------------------------------------------------
want=$(md5 -lavfi "$src,$pan")
is "$(gpu 1 -lavfi "$src,hwupload_cuda,$pan,hwdownload,format=nv12")" "$want" "hwupload_cuda"
is "$(gpu 1 -init_hw_device cuda -lavfi "$src,hwupload,$pan,hwdownload,format=nv12")" "$want" "-init_hw_device cuda, hwupload"
is "$(gpu 1 -init_hw_device cuda=g -filter_hw_device g -f lavfi -i "$src" -vf "hwupload=extra_hw_frames=4,$pan:extra_hw_frames=3,hwdownload,format=nv12")" \
    "$want" "-filter_hw_device, hwupload, extra_hw_frames"
is "$(gpu 1 -init_hw_device cuda=g,primary_ctx=1 -lavfi "$src,hwupload,$pan,hwdownload,format=nv12")" "$want" "the primary context"
is "$(gpu 2 -init_hw_device cuda=a:0 -init_hw_device cuda=b:1 -filter_hw_device a -lavfi "$src,hwupload_cuda=device=1,$pan,hwdownload,format=nv12")" \
    "$want" "two devices, the frames on the second, -filter_hw_device the first"
is "$(gpu 2 -init_hw_device cuda=b:1 -init_hw_device cuda=a:0 -filter_hw_device b -lavfi "$src,hwupload_cuda=device=0,$pan,hwdownload,format=nv12")" \
    "$want" "two devices the other way round"
is "$(gpu 2 -lavfi "$src,split[a][b];[a]hwupload_cuda=device=0,$pan,hwdownload,format=nv12[x];[b]hwupload_cuda=device=1,$pan,hwdownload,format=nv12[y];[x][y]vstack")" \
    "$(md5 -lavfi "$src,$pan,split,vstack")" "one graph on two devices"

want=$(md5 -lavfi "$src,$zoom,$turn,$pan")
is "$(gpu 1 -lavfi "$src,hwupload_cuda,$zoom,$turn,$pan,hwdownload,format=nv12")" "$want" "three of them in a row"
echo "0.5 keyframecrop keys '0 50 50 100 75';" > "$tmp/commands"
cmd="sendcmd=f=$tmp/commands"
want=$(md5 -lavfi "$src,$cmd,$zoom")
is "$(gpu 1 -lavfi "$src,$cmd,hwupload_cuda,$zoom,hwdownload,format=nv12")" "$want" "command keys"

# the input changes its size: the graph is built again
for s in 320x240 160x120; do
    "$FFMPEG" -v error -y -f lavfi -i "testsrc2=s=$s:r=10:d=0.5" -c:v rawvideo -pix_fmt nv12 "$tmp/$s.nut"
    echo "file $tmp/$s.nut"
done > "$tmp/list"
want=$(md5 -f concat -safe 0 -i "$tmp/list" -vf "keyframecrop=keys=0 10 10 80 60:w=80:h=60")
is "$(gpu 1 -f concat -safe 0 -i "$tmp/list" -vf "hwupload_cuda,keyframecrop=keys=0 10 10 80 60:w=80:h=60,hwdownload,format=nv12")" \
    "$want" "an input that changes its size"

tags() { "$FFPROBE" -v error -f lavfi -of csv=p=0 -show_entries frame_tags "$1" 2> "$tmp/err"; }
is "$(LD_LIBRARY_PATH=$FAKECUDA tags "$src,hwupload_cuda,$turn,hwdownload,format=nv12")" "$(tags "$src,$turn")" "metadata"

# ---- what goes wrong: one line that says it, nothing left behind ---------------------------------
# the driver says so, and ends ffmpeg by a signal, where a context, an allocation or a module is left
failed_clean() { # STATUS
    [ "$1" != 0 ] && [ "$1" != 134 ] && [ "$1" != 139 ] && ! grep -q fakecuda: "$tmp/err"
}
refused() { # FAIL TEXT CHAIN WHAT
    FAKECUDA_FAIL=$1 gpu 1 -lavfi "$src,hwupload_cuda,$3,hwdownload,format=nv12" > /dev/null
    rc=$?
    failed_clean $rc && [ "$(grep -c "$2" "$tmp/err")" = 1 ]
    r=$?
    ok $r "$4: $(grep -m1 "$2" "$tmp/err" | sed 's/^\[[^]]*\] //')"
    [ $r = 0 ] || { echo "# status $rc"; sed 's/^/# /' "$tmp/err"; }
}
# the kernels are loaded twice, as every graph is built twice
refused cuModuleLoadData:1:222 'cuModuleLoadData' "$pan" "a driver that does not take the kernels"
refused cuModuleGetFunction:3:500 'CUDA: cannot find kernel crop_zoom' "$pan" "a module without a kernel"
refused cuLaunchKernel:2:700 'CUDA: cannot run kernel crop_pan8: an illegal' "$pan" "a launch that fails"
refused cuMemcpyHtoDAsync:2:700 'CUDA: cannot upload a table: an illegal' "$zoom" "an upload that fails"
refused cuMemAlloc:2 'no memory for a CUDA frame' "$pan" "no memory for what comes out"
refused cuMemAlloc:3 'CUDA: cannot allocate [0-9]* bytes: out of memory' "$zoom" "no memory for a table"

# one after the other, every allocation and every change of context of a whole run
sweep() { # CALL CHAIN WHAT
    i=1 bad=0
    while :; do
        FAKECUDA_FAIL=$1:$i gpu 1 -lavfi "testsrc2=s=320x240:r=10:d=0.3,format=nv12,hwupload_cuda,$2,hwdownload,format=nv12" > /dev/null
        rc=$?
        [ $rc != 0 ] || break
        failed_clean $rc || { bad=$((bad + 1)); echo "# $1:$i ends with $rc"; sed 's/^/# /' "$tmp/err"; }
        i=$((i + 1))
        [ $i -lt 60 ] || { bad=$((bad + 1)); break; }
    done
    [ $i -gt 3 ] && [ $bad = 0 ]
    ok $? "$3: $((i - 1)) failures, none leaves anything behind"
}
sweep cuMemAlloc "$zoom,$turn" "memory that runs out"
sweep cuModuleGetFunction "$zoom" "kernels that are not found"

no_gpu=$(FAKECUDA_DEVICES=0 LD_LIBRARY_PATH=$FAKECUDA "$FFMPEG" -v error -lavfi "$src,hwupload_cuda,$pan,hwdownload,format=nv12" -f null - 2>&1)
ok $(($? == 0)) "no GPU: $(echo "$no_gpu" | head -n 1)"

# ---- kernels -----------------------------------------------------------------------------------------
make_q() { make -q -C "$build" "libavfilter/$1.ptx" > "$tmp/err" 2>&1; }
for cu in libavfilter/vf_*_cuda.cu; do
    k=$(basename "$cu" .cu)
    make -C "$build" "libavfilter/$k.ptx" > "$tmp/err" 2>&1 && make_q "$k"
    ok $? "$k is up to date"
    # all that it includes, from file to file
    headers=$(cc -MM -DPX_CUDA_HOST -x c "$cu" | tr -d '\\' | tr ' ' '\n' | grep '\.h$')
    for h in $headers; do
        touch -r "$h" "$tmp/stamp"
        touch "$h"
        make_q "$k"
        rc=$?
        touch -r "$tmp/stamp" "$h"
        ok $((rc != 1)) "$k is made again after a change of $(basename "$h")"
    done
    h=libavfilter/px.h
    touch "$h"
    make -C "$build" "libavfilter/$k.ptx" > "$tmp/err" 2>&1
    [ -n "$(find "$build/libavfilter/$k.ptx" -newer "$h")" ]
    ok $? "$k was made again"

    sizes() { grep -o "[a-z0-9_]*_param_0\[[0-9]*\]" "$1" | sort -u; }
    if command -v nvcc > /dev/null; then
        nvcc -ptx -O2 -std=c++11 -gencode arch=compute_75,code=sm_75 "$cu" -o "$tmp/$k.ptx" > "$tmp/err" 2>&1
        ok $? "$k compiles with nvcc"
        [ -s "$tmp/err" ] && sed 's/^/# /' "$tmp/err"
        is "$(sizes "$tmp/$k.ptx")" "$(sizes "$build/libavfilter/$k.ptx")" "$k: nvcc and FFmpeg's compiler lay out the parameters alike"
    else
        echo "skip - $k with nvcc: it is not installed (CUDA toolkit)"
    fi
    grep -q '\.local' "$build/libavfilter/$k.ptx"
    ok $(($? == 0)) "$k keeps its arrays in registers"
done
end
