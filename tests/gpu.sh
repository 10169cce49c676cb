#!/bin/sh
# test: what is carried to a GPU machine: complete, and right as far as a CPU can tell
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
[ -n "$FAKECUDA" ] || { echo "skip - check-gpu: this build has no CUDA kernels (./configure says why)"; end; }
tmp=${TMP:-/tmp}/gpu.$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
cd "$FFREEL_TOP" || exit 1

tests/gpu/bundle "$(dirname "$FFMPEG")" "$tmp/carried" > "$tmp/log" 2>&1
ok $? "the bundle is packed"
sed 's/^/# /' "$tmp/log"
tar -C "$tmp" -czf "$tmp/carried.tar.gz" carried
size=$(wc -c < "$tmp/carried.tar.gz")
[ "$size" -lt $((64 * 1024 * 1024)) ]
ok $? "it is less than 64 MiB: $size bytes"
grep -q "$FFREEL_TOP" "$tmp/carried/cases" "$tmp/carried/run"
ok $(($? == 0)) "no path of this machine is in its cases"

mkdir "$tmp/empty"
cd "$tmp/empty" || exit 1
tar xzf "$tmp/carried.tar.gz"
bare() { # VARIABLES...: runs it as on a bare machine
    (cd carried && env -i PATH=/usr/bin:/bin OUT="$tmp/out" "$@" sh run) > "$tmp/log" 2>&1
}
if ldconfig -p 2> /dev/null | grep -q libcuda.so.1 || [ -e /usr/local/nvidia/lib64/libcuda.so.1 ]; then
    echo "skip - check-gpu without a GPU: this machine has a driver (make check-gpu)"
else
    bare
    rc=$?
    [ $rc = 77 ] && [ "$(wc -l < "$tmp/log")" = 1 ]
    ok $? "no driver: 77, and one line: $(head -n 1 "$tmp/log")"
fi
bare LD_LIBRARY_PATH="$FAKECUDA" FAKECUDA_DEVICES=0
rc=$?
[ $rc = 77 ] && [ "$(wc -l < "$tmp/log")" = 1 ]
ok $? "a driver without a GPU: 77, and one line: $(head -n 1 "$tmp/log")"

bare LD_LIBRARY_PATH="$FAKECUDA"
ok $? "all cases pass on the fake driver: $(grep '^correctness' "$tmp/log")"
grep -q 'as this is no GPU' "$tmp/out/gpu.md"
ok $? "a fake GPU is not timed"
grep -q '"check":"fate","passed":[1-9]' "$tmp/out/results.jsonl"
ok $? "results are lines of JSON"

# the times: only that the way to them works
grep '^#\|^pan 1080p\|^shrink by 6' carried/bench.txt > bench && mv bench carried/bench.txt
bare LD_LIBRARY_PATH="$FAKECUDA" BENCH_ANYWAY=1 FRAMES=1
ok $? "times, were it one: $(grep -m1 '^| pan' "$tmp/log")"

# it can fail
ref=$(ls carried/ref | head -n 1)
sed -i 's/0x[0-9a-f]\{8\}$/0x00000000/' "carried/ref/$ref"
bare LD_LIBRARY_PATH="$FAKECUDA"
rc=$?
[ $rc = 1 ] && grep -q '^not ok' "$tmp/log"
ok $? "a wrong picture is a failure: $(grep -m1 -o '^not ok: [^:]*' "$tmp/log" | sed 's/^not ok: //')"
rm carried/gpubench
bare LD_LIBRARY_PATH="$FAKECUDA"
rc=$?
[ $rc = 1 ] && grep -q 'gpubench is missing' "$tmp/log"
ok $? "a bundle that is not whole: $(head -n 1 "$tmp/log" | sed "s|$tmp||")"
end
