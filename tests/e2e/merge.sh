#!/usr/bin/env bash
# The raw rows of one real run, split four ways, booked as four shards and merged: latency.hgrm is byte for byte that of all
# rows booked together, which is that of the run itself.
. "$(dirname "$0")/lib.sh"

status=0
"$SERVEPATH" run "$fixtures/fraud" --side embedded --rate 1000/s --warmup 1s --duration 6s --raw --quiet --out "$tmp/run" \
  >"$tmp/out" 2>"$tmp/err" || status=$?
case $status in 3 | 64 | 70) fail "the run ended with $status: $(cat "$tmp/err")" ;; esac
"$PYTHON" - "$tmp/run/events.csv.zst" "$tmp/events.csv" <<'PYTHON'
import sys, zstandard
with open(sys.argv[1], "rb") as packed, open(sys.argv[2], "wb") as plain:
    zstandard.ZstdDecompressor().copy_stream(packed, plain)
PYTHON
mkdir "$tmp/parts"
"$BUILD_DIR/test_merge" "$tmp/events.csv" "$tmp/parts" >"$tmp/out" 2>&1 || fail "$(cat "$tmp/out")"
cmp "$tmp/run/latency.hgrm" "$tmp/parts/merged/latency.hgrm" || fail "the merged parts have other percentiles than the run"
