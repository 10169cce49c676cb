#!/bin/sh
# Nets on this machine's GPU: parity, then net x size: fps, TFLOP/s, share of the 8192^3 product; JSON beside it.
# usage: bench/run BUILD gpu     (NETS_*: tests/gpu/nets). Where there is no GPU it says so.
set -u

cd "$FFREEL_TOP" || exit 1
tests/gpu/driver || exit 0
tests/gpu/bundle "$BUILD" "$TMP/bundle" >&2 || exit 1
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/usr/local/nvidia/lib64:$TMP/bundle/lib"
facts=$("$TMP/bundle/gpubench" facts) || { echo "$facts"; exit 0; }
echo "$facts" | tr '\t' ' '
FAKE=$(echo "$facts" | tr '\t' '\n' | sed -n 's/^fake=//p') MD=/dev/null JSON=$JSON sh "$TMP/bundle/nets" "$TMP/bundle"
