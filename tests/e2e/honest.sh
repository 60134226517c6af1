#!/usr/bin/env bash
# Figures that once could mislead: a rate that counted answers after its window, an overload that lost its result, keys of
# the server that had no effect, a bound that nobody judged and that passed, trials of different things in one row.
. "$(dirname "$0")/lib.sh"

# trial FOLDER CODES ARGUMENT...: exits with one of CODES.
trial() {
  local folder=$1 codes=$2 code=0
  shift 2
  "$SERVEPATH" run "$fixtures/fraud" "$@" --quiet --out "$tmp/$folder" >"$tmp/out" 2>"$tmp/err" || code=$?
  [[ " $codes " == *" $code "* ]] || fail "$folder: exit $code instead of $codes: $(cat "$tmp/err")"
  books_sum "$tmp/$folder"
}
# holds FOLDER EXPRESSION: over its result `r`.
holds() { [ "$(json "$tmp/$1/result.json" "$2")" = True ] || fail "$1: not so: $2"; }

# 64 calls of a second each, sent at once: 64/s.
trial limit "0 2" --side rpc --stub fixed --delay 1s --arrival closed --concurrency 64 --limit 64 --warmup 0s
holds limit '40 < r["rate_per_s"]["achieved"] <= 64'

# What comes in after a signal is no throughput: nothing was answered within 2 s.
"$SERVEPATH" run "$fixtures/fraud" --side rpc --stub fixed --delay 1900ms --in-flight 4096 --rate 500/s --warmup 0s \
  --duration 20s --quiet --out "$tmp/signal" >"$tmp/out" 2>"$tmp/err" &
supervisor=$!
child_of "$supervisor" driver >"$tmp/driver"
sleep 1
kill -INT "$supervisor"
wait "$supervisor" || true
holds signal 'r["counts"]["ok"] + r["counts"]["unchecked"] + r["counts"]["lost"] == r["counts"]["intended"] > 0'
holds signal 'r["rate_per_s"]["achieved"] < 0.5 * r["rate_per_s"]["offered"]'
holds signal 'r["incomplete"] == "ended by signal 2"'
"$SERVEPATH" report "$tmp/signal" >"$tmp/out" 2>"$tmp/err"
grep -q 'incomplete, left out: .*: ended by signal 2' "$tmp/out" || fail "another reason than the signal: $(cat "$tmp/out")"

# More rows shed than the raw writer's ring holds; a percentile among them, and a file that says so.
trial flood "1 2" --side embedded --fifo 2 --arrival constant --rate 400000/s --warmup 0s --duration 1s --raw
holds flood 'r["complete"] and r["counts"]["shed"] > 65536 and r["response_ns"]["state"]["p50"] == "no_answer"'
grep -q '^#\[Answered events only: ' "$tmp/flood/latency.hgrm" || fail "flood: latency.hgrm hides what was shed"

# A schedule that no pacer can keep: it is given up at the cut-off, and what was not sent makes the trial invalid.
trial hopeless 2 --side n,path=noop --arrival constant --rate 60000000/s --warmup 0s --duration 2s --drain 1s --deadline 100ms
holds hopeless '[c["met"] for c in r["validity"]["checks"] if c["name"] == "sent_share"] == [False]'

# Failures that cost nothing do not make the answers cheap.
trial cheap "1 2" --side rpc --stub fixed --fail UNAVAILABLE:90% --rate 500/s --warmup 0s --duration 2s
holds cheap 'abs(r["cpu_us_per_event"]["app"] * (r["counts"]["intended"] - r["counts"]["unavailable"]) - 1e6 * r["cpu_s"]["app"]) <= 0.1e6 * r["cpu_s"]["app"]'

# A p99 that two seconds cannot resolve is neither met nor missed.
trial short "2 4" --side embedded --rate 200/s --warmup 0s --duration 2s
holds short '[b["met"] for b in r["bounds"] if b["name"] == "expect.p99"] == [None]'

# Half seconds of warm-up: the window's first interval begins where the window does, no row of the timeline is longer than a second.
trial half "0 2 4" --side n,path=noop --arrival constant --rate 1000/s --warmup 1500ms --duration 2s
grep -q '^1\.500,1\.000,' "$tmp/half/latency.hlog" || fail "half: the log's intervals begin elsewhere"
holds half 'max(t["sent"] for t in r["timeline"]) <= 1100 and [t["t_s"] for t in r["timeline"]][:3] == [-2, -1, 0]'

# Every key of the server reaches it; a stub that answers what was recorded says that it is one.
trial small "1 2" --side rpc --stub fixed --batch 8 --rate 40000/s --warmup 0s --duration 1s --set sides.rpc.server.max_batch=1
holds small 'r["counts"]["error"] + r["counts"]["rejected"] > 0'
trial recorded "0 1 2 4" --side rpc --stub recorded --rate 300/s --warmup 0s --duration 1s
holds recorded 'r["counts"]["ok"] == r["counts"]["intended"] and r["predictions"]["source"] == "stub"'

# Same names, other things: rows apart, and no word of predictions where a stub answered.
trial real "0 1 2 4" --side rpc --rate 300/s --warmup 0s --duration 1s
trial threads "0 1 2 4" --side rpc --rate 300/s --warmup 0s --duration 1s --threads 2
"$SERVEPATH" report "$tmp/recorded" "$tmp/real" "$tmp/threads" >"$tmp/out" 2>"$tmp/err"
[ "$(grep -c '^fraud  direct  rpc  ' "$tmp/out")" = 3 ] || fail "three different things in one row: $(cat "$tmp/out")"
grep -q 'kept apart.*server.stub recorded and none' "$tmp/out" || fail "nothing says what sets the rows apart: $(cat "$tmp/out")"
"$SERVEPATH" report "$tmp/recorded" >"$tmp/out" 2>"$tmp/err"
! grep -q '^predictions' "$tmp/out" || fail "a stub's answers count as predictions: $(cat "$tmp/out")"

# Pacer and collector that spin on one processor wait for each other: no percentile of theirs is the application's.
trial spin "1 2 4" --side n,path=noop --wait spin --arrival constant --rate 500/s --warmup 0s --duration 1s
[ "$(json "$tmp/spin/result.json" 'r["machine"]["placement"] == "none" or "p50" in r["response_ns"]["driver_limited"]')" = True ] ||
  fail "spin: not marked driver-limited"
