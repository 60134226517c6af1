#!/usr/bin/env bash
# servepath gate with real trials: a program against itself never fails, however busy the machine is; a signal ends it with what was measured,
# and nothing is left behind.
. "$(dirname "$0")/lib.sh"
cd "$tmp"
for name in old new; do
  printf '#!/bin/sh\nexec "%s" "$@"\n' "$SERVEPATH" >$name
  chmod +x $name
done
gate() { # CODES ARGUMENT...
  local code=0 wanted=$1
  shift
  "$SERVEPATH" gate "$fixtures/fraud" --transport direct --duration 1s --warmup 200ms --history history.jsonl --base-cmd ./old "$@" >out 2>err || code=$?
  [[ " $wanted " = *" $code "* ]] || fail "exit $code instead of $wanted: $(cat err)"
}

# Few pairs: inconclusive; on a machine that is too busy to measure, invalid (2).
gate "2 4" --candidate-cmd ./new --pairs 2 --out self
[ "$(json self/comparison.json 'r["complete"] and r["gate"]["verdict"] == "inconclusive"')" = True ] || fail "not inconclusive"
[ "$(json self/comparison.json 'r["predictions"]["differing"] if r["predictions"] else 0')" = 0 ] || fail "predictions differ"
grep -q '^pair 1/2' err || [ "$(json self/comparison.json 'r["pairs"]')" = 0 ] || fail "no line a pair"
[ -s self/report.html ] || fail "no page"

# A driver that is killed takes its trial with it: that pair is run once more.
"$SERVEPATH" gate "$fixtures/fraud" --transport direct --duration 5s --warmup 200ms --history none --base-cmd ./old --pairs 1 --out killed >out 2>err &
pid=$!
child=$(child_of $pid run)
driver=$(child_of "$child" driver)
sleep 1 # until it sends
kill -KILL "$driver"
code=0
wait $pid || code=$?
[[ $code = [24] ]] || fail "exit $code after a driver's death: $(cat err)"
[ "$(json killed/comparison.json 'r["complete"] and sum(side["incomplete"] for side in r["sides"])')" = 1 ] || fail "not one trial broken off"

# Ended by a signal: what was measured stands there, marked so; the trial under way is taken along.
"$SERVEPATH" gate "$fixtures/fraud" --transport direct --duration 30s --warmup 200ms --history none --base-cmd ./old --out ended >out 2>err &
pid=$!
child=$(child_of $pid run)
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code = 143 ] || fail "exit $code after SIGTERM: $(cat err)"
gone "$child"
[ ! -e ended/comparison.json ] || [ "$(json ended/comparison.json 'r["complete"]')" = False ] || fail "complete after a signal"
