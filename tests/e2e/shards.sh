#!/usr/bin/env bash
# Four drivers, each with its share of partitions and schedule, beside each other on a real Kafka: merged, they have the counts
# of one driver that has it all.
. "$(dirname "$0")/lib.sh"
start_kafka kafka
"$SERVEPATH" topics "$address" --create in:4 --create out:4 >/dev/null

load=(--side "noop,path=noop" --broker "$address" --reuse-topics --set topics.input=in --set topics.output=out
  --set topics.partitions=4 --arrival poisson --rate 400/s --warmup 1s --duration 4s --seed 7 --quiet)
# ended WHAT CODE: a trial on a loaded machine may be invalid, and half a minute resolves no p99: both are no matter here.
ended() { case $2 in 0 | 1 | 2 | 4) ;; *) fail "$1: exit $2: $(cat "$tmp"/*.err)" ;; esac }

start=$(date -u -d '+6 seconds' +%Y-%m-%dT%H:%M:%SZ)
pids=()
for i in 1 2 3 4; do
  "$SERVEPATH" run "$fixtures/fraud" "${load[@]}" --shard "$i/4" --start-at "$start" --out "$tmp/shard$i" >"$tmp/out$i" 2>"$tmp/$i.err" &
  pids+=($!)
done
for i in 0 1 2 3; do
  code=0
  wait "${pids[$i]}" || code=$?
  ended "shard $((i + 1))" "$code"
  books_sum "$tmp/shard$((i + 1))"
done
code=0
"$SERVEPATH" merge "$tmp"/shard[3142] --out "$tmp/merged" >"$tmp/table" 2>"$tmp/merge.err" || code=$?
ended merge "$code"
books_sum "$tmp/merged"

code=0
"$SERVEPATH" run "$fixtures/fraud" "${load[@]}" --out "$tmp/one" >"$tmp/out" 2>"$tmp/one.err" || code=$?
ended "one driver" "$code"
for count in intended unchecked lost shed duplicate alien; do
  [ "$(counts "$tmp/merged" $count)" = "$(counts "$tmp/one" $count)" ] ||
    fail "$count: four drivers $(counts "$tmp/merged" $count), one $(counts "$tmp/one" $count)"
done
[ "$(counts "$tmp/one" unchecked)" -gt 1000 ] || fail "nothing was answered: $(json "$tmp/one/result.json" 'r["counts"]')"

code=0
"$SERVEPATH" merge "$tmp/shard1" "$tmp/shard2" "$tmp/shard4" --out "$tmp/part" >"$tmp/out" 2>"$tmp/err" || code=$?
{ [ "$code" = 64 ] && grep -q "shard 3 of 4 is missing" "$tmp/err"; } || fail "a missing shard: exit $code: $(cat "$tmp/err")"
