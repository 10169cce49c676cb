#!/bin/sh
# test: esrgan_cuda and esrgan=engine=cuda on the fake driver: memory, files of kernels, what fails and how it says so
set -u

n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}
end() {
    echo "done - $n tests, $failed failed"
    [ "$failed" = 0 ]
    exit
}
[ -n "$FAKECUDA" ] || { echo "skip - esrgan_cuda: this build has no CUDA kernels (./configure says why)"; end; }
export LD_LIBRARY_PATH="$FAKECUDA"
log=$TMP/log
src="testsrc2=s=34x26:r=5:d=0.4,scale,format=yuv420p"
up="$src,hwupload_cuda"
down="hwdownload,format=yuv420p"
run() { # FILTERS [OUTPUT ARGUMENTS...]: logs
    graph=$1
    shift
    "$FFMPEG" -nostdin -hide_banner -nostats -v verbose -lavfi "$graph" -f null "$@" - > "$log" 2>&1
}
crc() { "$FFMPEG" -nostdin -v error -lavfi "$1" -f framecrc - 2> "$log" | grep -v '^#'; }
says() { grep -q "$1" "$log"; }
fails() { # WHAT TEXT FILTERS: ends with an error and that text, and nothing is left behind
    if run "$3"; then rc=1; else rc=0; fi
    says "$2" && ! says '^fakecuda:' || rc=1
    ok $rc "$1: $(grep -m1 -- "$2" "$log" | sed 's/^\[[^]]*\] //' | cut -c1-160)"
}

# ---- the same bytes, time after time, however it is run -----------------------------------------
crc "$up,esrgan_cuda=dedup=0,$down" > "$TMP/a"
crc "$up,esrgan_cuda=dedup=0,$down" > "$TMP/b"
[ -s "$TMP/a" ] && cmp -s "$TMP/a" "$TMP/b"
ok $? "the same bytes twice"
crc "$up,esrgan_cuda=tile=16,$down" > "$TMP/b"
cmp -s "$TMP/a" "$TMP/b"
ok $? "the same bytes in tiles"
run "$up,esrgan_cuda,$down"
says 'engine cuda, fp16, for SRVGG.* in 1 tiles .* kernels .*nn.compute_75.ptx' && says 'does not take .*nn.sm_75.cubin'
ok $? "says what it runs: $(grep -m1 'engine cuda' "$log" | sed 's/^\[[^]]*\] //' | cut -c1-120)"
says 'on the GPU, of [12] measured: in [0-9.]* ms, net [0-9.]* ms, out [0-9.]* ms'
ok $? "and what took how long"
run "$up,split[a][b];[a]esrgan_cuda=strength=0.5,$down[x];[b]esrgan_cuda,$down[y];[x][y]hstack"
rc=$?
[ $rc = 0 ] && [ "$(grep -c 'model loaded' "$log")" = 1 ] && ! says '^fakecuda:'
ok $? "twice in a graph: the model is loaded once"

# ---- frames that repeat, and those that are cropped ------------------------------------------------
run "$up,loop=3:1:1,esrgan_cuda,$down"
says ' 5 frames, 3 repeated'
ok $? "the very same frame again is not made again: $(grep -m1 -o '[0-9]* frames, [0-9]* repeated' "$log")"
crc "$up,esrgan_cuda,$down,crop=96:64:24:32" > "$TMP/a"
crc "$up,crop=24:16:6:8,esrgan_cuda,$down,crop=96:64:24:32" > "$TMP/b"
[ -s "$TMP/a" ] && cmp -s "$TMP/a" "$TMP/b"
ok $? "cropped CUDA frames: all of them, what is cut off grows with them"

# ---- memory ------------------------------------------------------------------------------------------
big="testsrc2=s=96x64:r=5:d=0.2,scale,format=yuv420p,hwupload_cuda"
crc "$big,esrgan_cuda,$down" > "$TMP/a"
tiles=0
for m in 6500000 6000000 5500000 5000000 4500000 4000000; do    # the first that is too little for all at once
    FAKECUDA_MEMORY=$m run "$big,esrgan_cuda,$down"
    tiles=$(sed -n 's/.* in \([0-9]*\) tiles of.*/\1/p' "$log" | head -n 1)
    [ "${tiles:-1}" -gt 1 ] && break
done
[ "${tiles:-0}" -gt 1 ]
ok $? "little memory, $m bytes: $(grep -m1 -o 'in [0-9]* tiles of [0-9x]*' "$log")"
FAKECUDA_MEMORY=$m crc "$big,esrgan_cuda,$down" > "$TMP/b"
[ -s "$TMP/b" ] && cmp -s "$TMP/a" "$TMP/b"
ok $? "and the same bytes"
FAKECUDA_MEMORY=2300000 fails "a tile that is too large" 'no memory for tiles of .* give a smaller tile=' "$big,esrgan_cuda=tile=96,$down"
FAKECUDA_MEMORY=500000 fails "too little" 'no memory' "$big,esrgan_cuda,$down"

# ---- kernels ------------------------------------------------------------------------------------------
mkdir "$TMP/none"
fails "no kernels" 'none: no kernels at all for compute capability 7.5' "$up,esrgan_cuda=kernels=$TMP/none,$down"
mkdir "$TMP/broken"
echo "this is no kernel" > "$TMP/broken/nn.compute_75.ptx"
fails "broken kernels" 'no kernels that this driver takes' "$up,esrgan_cuda=kernels=$TMP/broken,$down"
: > "$TMP/broken/nn.compute_75.ptx"
fails "empty kernels" 'nn.compute_75.ptx cannot be read' "$up,esrgan_cuda=kernels=$TMP/broken,$down"

# ---- what fp16 does not hold ---------------------------------------------------------------------------------
# weights of 9088 in the middle of the embedded net: sums pass 65504
cp "$FFREEL_TOP/models/builtin.safetensors" "$TMP/loud.safetensors"
awk 'BEGIN { while (i++ < 4000) printf "p" }' | dd of="$TMP/loud.safetensors" bs=1 seek=90000 conv=notrunc 2> /dev/null
fails "a net that leaves fp16" 'frame [01]: the net gives NaN or infinity in fp16' "$up,esrgan_cuda=model=$TMP/loud.safetensors,$down"
run "$src,esrgan=engine=cuda:model=$TMP/loud.safetensors"
rc=$?
[ $rc = 0 ] && says 'NaN or infinity in fp16 .* redone in fp32'
ok $? "on software frames it is redone in fp32: $(grep -m1 -o 'the net gives NaN.*' "$log" | cut -c1-100)"

# ---- options and formats ----------------------------------------------------------------------------------
fails "an engine of the CPU" "engine 'onednn' does not take CUDA frames" "$up,esrgan_cuda=engine=onednn,$down"
fails "a precision that it has not" 'cannot run .* in precision fp32' "$up,esrgan_cuda=precision=fp32,$down"
run "$up,esrgan_cuda=precision=fp16,$down"
ok $? "precision=fp16"
run "$src,esrgan=engine=cuda"
ok $? "software frames by way of the GPU: $(grep -m1 -o 'engine cuda, fp16, for [A-Za-z]*' "$log")"
run "$src,esrgan=precision=fp16"
ok $? "software frames, precision=fp16: $(grep -m1 -o 'engine cuda, fp16, for [A-Za-z]*' "$log")"
FAKECUDA_DEVICES=0 fails "no GPU" 'GPU 0 cannot be used' "$src,esrgan=engine=cuda"

# ---- what a driver may refuse, each once: an error, and all is given back ------------------------------------
for call in cuModuleLoadData:1:2 cuModuleLoadData:3:2 cuModuleGetFunction:4:500 cuFuncSetAttribute:1:1 cuMemAllocHost:1:2 \
            cuMemcpyHtoDAsync:2:700 cuLaunchKernel:1:700 cuLaunchKernel:5:700 cuMemGetInfo:1:700; do
    FAKECUDA_FAIL=$call fails "$call" 'CUDA: cannot\|failed -> CUDA_ERROR' "$up,esrgan_cuda,$down"
done
end
