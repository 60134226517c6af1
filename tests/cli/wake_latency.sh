#!/usr/bin/env bash
# --wake-latency: in force while the trial runs and no longer, recorded with its load; where this user may not ask, one line says so.
. "$(dirname "$0")/lib.sh"
device=/dev/cpu_dma_latency
short=(--side "n,path=noop" --arrival closed --concurrency 1 --warmup 100ms --duration 1s --quiet)
# What all requests of the machine come to, in microseconds.
in_force() { od -An -t d4 -N 4 "$device" | tr -d ' '; }

if ! in_force >/dev/null 2>&1; then # a container, or no root
  code=0
  "$SERVEPATH" run "$SOURCE_DIR/fixtures/fraud" "${short[@]}" --wake-latency 7us --out "$tmp/refused" >"$tmp/out" 2>"$tmp/err" || code=$?
  [ "$code" = 3 ] || fail "exit $code instead of 3: $(cat "$tmp/err")"
  grep -q 'wake_latency: .*leave wake_latency out' "$tmp/err" || fail "$(cat "$tmp/err")"
  exit 0
fi
before=$(in_force)
"$SERVEPATH" run "$SOURCE_DIR/fixtures/fraud" "${short[@]}" --wake-latency 7us --out "$tmp/awake" >"$tmp/out" 2>"$tmp/err" &
trial=$!
lowest=$before
while kill -0 "$trial" 2>/dev/null; do
  now=$(in_force)
  [ "$now" -ge "$lowest" ] || lowest=$now
done
wait "$trial" || [ $? = 2 ] || fail "$(cat "$tmp/err")"
[ "$lowest" -le 7 ] || fail "at $before before, never below $lowest while the trial ran"
[ "$before" -le 7 ] || [ "$(in_force)" -gt 7 ] || fail "still $(in_force) after the trial"
"$PYTHON" -c 'import json, sys; assert json.load(open(sys.argv[1]))["load"]["wake_latency_ns"] == 7000' "$tmp/awake/result.json" ||
  fail "the load does not say it"
