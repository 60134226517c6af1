#!/usr/bin/env bash
# The Faust application of scripts/apps: fraud and airline answered as expected, alone, in batches and exactly once; killed and
# started again it misses nothing; ended in order it has committed, and said nothing but that it is ready.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/_foreign_case.sh"
: "${KAFKA_BROKER:?a real Kafka}" "${BUILD_DIR:?the build, for kafka_topic}"
cmake --build "$BUILD_DIR" --target kafka_topic >"$tmp/build.log" || fail "kafka_topic: $(tail -3 "$tmp/build.log")"
topic() { timeout 60 "$BUILD_DIR/kafka_topic" "$@"; }
faust=$SOURCE_DIR/scripts/apps/faust/run

case_through fraud faust fraud
case_through airline faust airline --batch 16
case_through once faust fraud --delivery exactly-once

# --- by hand: killed and again, then ended and again ---
source=faust-in-$$ sink=faust-out-$$ n_events=2000
topic create "$KAFKA_BROKER" "$source" 3
topic create "$KAFKA_BROKER" "$sink" 3
export SERVEPATH_BROKER=$KAFKA_BROKER SERVEPATH_INPUT_TOPIC=$source SERVEPATH_OUTPUT_TOPIC=$sink SERVEPATH_GROUP=$sink \
  SERVEPATH_SCENARIO=$fixtures/fraud/scenario.yaml SERVEPATH_MODEL=$fixtures/fraud/models/fraud/1 SERVEPATH_DIR=$tmp/private

# start NAME: sets app; it holds its partitions.
start() {
  "$faust" >"$tmp/$1.out" 2>"$tmp/$1.err" &
  app=$!
  brokers+=("$app")
  until [ -s "$tmp/$1.out" ]; do
    kill -0 "$app" 2>/dev/null || fail "$1 did not start: $(cat "$tmp/$1.err")"
    sleep 0.05
  done
}
# ended NAME: on SIGTERM, within 10 s, with exit code 0.
ended() {
  local code=0 from=$SECONDS
  kill -TERM "$app"
  wait "$app" || code=$?
  [ "$code" = 0 ] || fail "$1 ended with $code: $(cat "$tmp/$1.err")"
  [ $((SECONDS - from)) -le 10 ] || fail "$1 took $((SECONDS - from)) s to end"
  [ "$(wc -l <"$tmp/$1.out")" = 1 ] || fail "$1 said more than that it is ready: $(cat "$tmp/$1.out")"
  [ "$(json "$tmp/$1.out" 'r["ready"] and r["part"] == "app" and r["library"].startswith("faust-streaming 0.15.3")')" = True ] ||
    fail "$1 said $(cat "$tmp/$1.out")"
}
# answers FIELD: of those in the output topic.
answers() {
  topic span "$KAFKA_BROKER" "$sink" "$n_events" >"$tmp/span"
  json "$tmp/span" "r['$1']"
}

start killed
topic fill "$KAFKA_BROKER" "$source" "$fixtures/fraud/fraud.sprec" "$n_events"
topic wait "$KAFKA_BROKER" "$sink" 100 30 || fail "only so many answers before the kill: $(answers n)"
kill -9 "$app"
wait "$app" 2>/dev/null || true
start again
topic wait "$KAFKA_BROKER" "$sink" "$n_events" 30 || fail "only so many answers: $(answers n)"
# Some may stand there twice: the first's, not committed.
for _ in $(seq 100); do
  [ "$(answers distinct)" = "$n_events" ] && break
  sleep 0.1
done
[ "$(answers distinct)" = "$n_events" ] || fail "after a kill: $(cat "$tmp/span")"
ended again
n_before=$(answers n)
topic fill "$KAFKA_BROKER" "$source" "$fixtures/fraud/fraud.sprec" 100
start third
topic wait "$KAFKA_BROKER" "$sink" $((n_before + 100)) 30 || fail "ended in order, only so many answers: $(answers n)"
ended third
[ "$(answers n)" = $((n_before + 100)) ] || fail "ended in order, and yet $(($(answers n) - n_before - 100)) events were answered again"

# --- what it cannot do it says in its last line ---
faust_refuses() {
  local code=0
  "$faust" >"$tmp/refused.out" 2>"$tmp/refused.err" || code=$?
  [ "$code" = "$1" ] || fail "faust_refuses: exit $code instead of $1: $(cat "$tmp/refused.err")"
  tail -1 "$tmp/refused.err" | grep -q "$2" || fail "faust_refuses: /$2/ is missing in: $(cat "$tmp/refused.err")"
}
SERVEPATH_SCENARIO=$fixtures/tweet/scenario.yaml faust_refuses 64 'tweet/scenario.yaml: input: one tensor of CSV columns'
SERVEPATH_MODEL=$tmp faust_refuses 3 'cannot be loaded'
SERVEPATH_BROKER=127.0.0.1:9 faust_refuses 3 "no partitions of $source at broker 127.0.0.1:9"
topic delete "$KAFKA_BROKER" "$source"
topic delete "$KAFKA_BROKER" "$sink"

# --- where its broker is gone it ends all the same ---
start_kafka lonely
topic create "$address" "$source" 3
topic create "$address" "$sink" 3
SERVEPATH_BROKER=$address start alone
kill -9 "$broker"
wait "$broker" 2>/dev/null || true
code=0 from=$SECONDS
kill -TERM "$app"
wait "$app" || code=$?
case $code in 0 | 3) ;; *) fail "without its broker it ended with $code: $(tail -3 "$tmp/alone.err")" ;; esac
[ $((SECONDS - from)) -le 15 ] || fail "without its broker it took $((SECONDS - from)) s to end"
