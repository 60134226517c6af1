#!/usr/bin/env bash
# One of two applications is killed (-9) in the middle of a trial over a real Kafka, for both ways of delivery. Nothing is lost
# in either; at-least-once may answer an event twice, exactly-once never does. What a transaction does not undo is the call to
# the model server: it is repeated, and the result says how often.
. "$(dirname "$0")/lib.sh"
start_kafka kafka

# trial FOLDER DELIVERY: runs it and kills one application in the middle.
trial() {
  local supervisor apps
  "$SERVEPATH" run "$fixtures/fraud" --side rpc --broker "$address" --apps 2 --delivery "$2" -X consumer:session.timeout.ms=3000 \
    --arrival constant --rate 500/s --warmup 1s --duration 8s --drain 30s --quiet --out "$1" >"$1.out" 2>"$1.err" &
  supervisor=$!
  child_of "$supervisor" driver >"$tmp/driver"
  read -r -a apps <<<"$(children_of "$supervisor" app 2)"
  sleep 5
  kill -9 "${apps[1]}"
  code=0
  wait "$supervisor" || code=$?
  case $code in 0 | 1 | 2 | 4) ;; *) fail "$2: exit $code: $(cat "$1.err")" ;; esac
  books_sum "$1"
  [ "$(counts "$1" lost)" = 0 ] || fail "$2: $(counts "$1" lost) events were lost"
  [ "$(counts "$1" mismatch)" = 0 ] || fail "$2: wrong answers"
  [ "$(json "$1/result.json" 'any("app" in (m or "") and "SIGKILL" in m for s in r["timeline"] for m in [s["marks"] and str(s["marks"])])')" = True ] ||
    fail "$2: the timeline does not show the death of the application"
}

trial "$tmp/at-least-once" at-least-once
trial "$tmp/exactly-once" exactly-once
[ "$(counts "$tmp/exactly-once" duplicate)" = 0 ] || fail "exactly-once: $(counts "$tmp/exactly-once" duplicate) duplicates"
# What waits for the next commit (two intervals of 100 ms at 500/s) is no sign of a warm-up that was too short.
[ "$(json "$tmp/exactly-once/result.json" '[c["limit"] for c in r["validity"]["checks"] if c["name"] == "backlog_at_t0"]')" = "[105.0]" ] ||
  fail "exactly-once: $(json "$tmp/exactly-once/result.json" '[c for c in r["validity"]["checks"] if c["name"] == "backlog_at_t0"]')"
repeated=$(json "$tmp/exactly-once/result.json" 'r["delivery"]["rpc_repeated"]')
[ "$repeated" -ge 1 ] || fail "exactly-once: no call was repeated ($repeated), though an application died with work in hand"
echo "at-least-once: $(counts "$tmp/at-least-once" duplicate) duplicates, $(json "$tmp/at-least-once/result.json" 'r["delivery"]["rpc_repeated"]') calls repeated; exactly-once: 0 duplicates, $repeated calls repeated"
