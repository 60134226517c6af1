#!/usr/bin/env bash
# compare over a Kafka that it starts: one broker for all trials that need it, warmed up, topics of each trial's own, nothing left behind.
. "$(dirname "$0")/lib.sh"
cd "$tmp"
export SERVEPATH_HOME=$SOURCE_DIR
code=0
"$SERVEPATH" compare "$fixtures/fraud" --side "direct,path=embedded,transport=direct" --side embedded,broker=kafka --side rpc,broker=kafka --broker-warmup 1s --pairs 1 --arrival closed --concurrency 4 --duration 1s \
  --warmup 200ms --history none --out out >"$tmp/out.txt" 2>"$tmp/err" || code=$?
[[ $code = [24] ]] || fail "exit $code: $(cat "$tmp/err")"
grep -q 'warming up Kafka for 1s' "$tmp/err" || fail "not warmed up: $(cat "$tmp/err")"
[ ! -e out/warm-up ] || fail "the trial that warmed it up is left"
fact() { json "out/pairs/001/$1/result.json" "r['broker']['$2']"; }
if [ -d out/pairs/001 ]; then # else every try was invalid
  [ "$(json out/pairs/001/direct/result.json 'r["transport"], r["broker"]')" = "('direct', None)" ] || fail "the direct side has a broker"
  [ "$(fact embedded kind)" = kafka ] || fail "the broker is $(fact embedded kind)"
  [ "$(fact embedded address)" = "$(fact rpc address)" ] || fail "two brokers"
  [ "$(fact embedded input_topic)" != "$(fact rpc input_topic)" ] || fail "one topic for both"
  [ "$(json out/pairs/001/rpc/result.json 'r["cpu_us_per_event"]["broker"] > 0')" = True ] || fail "the broker's cost is not known"
fi
[ -z "$(ls "$XDG_RUNTIME_DIR/servepath" 2>/dev/null)" ] || fail "run folders are left: $(ls "$XDG_RUNTIME_DIR/servepath")"
