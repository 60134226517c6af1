#!/usr/bin/env bash
# The Kafka Streams application of scripts/apps/streams between real topics: every answer is the model's, alone and in batches; what
# it cannot do it refuses; what it cannot read it says; on SIGTERM it ends having committed. Its own JUnit tests, twice at once.
. "$(dirname "$0")/lib.sh"
: "${KAFKA_BROKER:?a real Kafka}"
export SERVEPATH_HOME=$SOURCE_DIR
app=$SOURCE_DIR/scripts/apps/streams
"$app/prepare" >"$tmp/prepare" 2>&1 || fail "$(tail -1 "$tmp/prepare")"
[ -z "$("$app/prepare" 2>&1)" ] || fail "prepare has something to do the second time"

# --- its own tests, with servepath as their fixture, beside each other ---
for twin in 1 2; do
  timeout 90 "$app/test" --broker "$KAFKA_BROKER" >"$tmp/junit-$twin" 2>&1 &
  tests[twin]=$!
done

# --- 500 events of each case ---
# answers NAME SCENARIO SIDE
answers() {
  timeout 60 "$SERVEPATH" verify "$fixtures/$2" --side "embedded,app=streams,$3" --broker "$KAFKA_BROKER" --limit 500 --json --out "$tmp/$1" \
    >"$tmp/$1.json" 2>"$tmp/$1.err" || fail "$1: exit $?: $(cat "$tmp/$1.err")"
  [ "$(json "$tmp/$1.json" 'r["sides"][0]["counts"]["ok"]')" = 500 ] || fail "$1: $(json "$tmp/$1.json" 'r["sides"][0]["counts"]')"
}
answers fraud fraud threads=2
answers airline airline batch=16

for twin in 1 2; do
  wait "${tests[$twin]}" || fail "JUnit: $(grep -A3 '✘\|=>' "$tmp/junit-$twin" || tail -5 "$tmp/junit-$twin")"
  grep -q ' 0 tests failed ' "$tmp/junit-$twin" || fail "JUnit: $(cat "$tmp/junit-$twin")"
done

# --- by hand ---
# settings CASE MODEL GROUP: its environment.
settings() {
  export SERVEPATH_BROKER=$KAFKA_BROKER SERVEPATH_INPUT_TOPIC=streams-$$-in SERVEPATH_OUTPUT_TOPIC=streams-$$-out SERVEPATH_GROUP=$3 \
    SERVEPATH_CASE=$1 SERVEPATH_SCENARIO=$fixtures/$1/scenario.yaml SERVEPATH_MODEL=$fixtures/$1/models/$2/1 SERVEPATH_DIR=$tmp/$3
  mkdir -p "$SERVEPATH_DIR"
}
# refuse PATTERN NAME=VALUE...: exit 64, and one line
refuse() {
  local pattern=$1 code=0
  shift
  env "$@" timeout 20 "$app/run" >"$tmp/out" 2>"$tmp/err" || code=$?
  { [ $code = 64 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -qE "$pattern" "$tmp/err"; } ||
    fail "$*: exit $code, no line like /$pattern/: $(cat "$tmp/err" "$tmp/out")"
}
settings fraud fraud refused
refuse 'SERVEPATH_CASE: "tweet" is unknown; airline and fraud' SERVEPATH_CASE=tweet
refuse 'SERVEPATH_SERVER: .* path: embedded' SERVEPATH_SERVER=127.0.0.1:1

# What is no event is answered as such, and the others as ever; after its end another goes on behind it.
: "${BUILD_DIR:?the build, for kafka_topic}"
cmake --build "$BUILD_DIR" --target kafka_topic >"$tmp/build.log" || fail "kafka_topic: $(tail -3 "$tmp/build.log")"
topic() { timeout 60 "$BUILD_DIR/kafka_topic" "$@"; }
topic create "$KAFKA_BROKER" "$SERVEPATH_INPUT_TOPIC" 3
topic create "$KAFKA_BROKER" "$SERVEPATH_OUTPUT_TOPIC" 3
# life N: starts it, waits until there are N answers in all, ends it.
life() {
  "$app/run" >"$tmp/out" 2>"$tmp/err" &
  local pid=$! code=0 since
  brokers+=("$pid")
  topic wait "$KAFKA_BROKER" "$SERVEPATH_OUTPUT_TOPIC" "$1" 30 || fail "only so many answers; it said $(cat "$tmp/err")"
  kill -TERM $pid
  since=$SECONDS
  wait $pid || code=$?
  { [ $code = 0 ] && [ $((SECONDS - since)) -le 10 ]; } || fail "ended with $code after $((SECONDS - since)) s: $(cat "$tmp/err")"
  [ "$(cat "$tmp/out")" = "$(grep '^{"ready":true,"part":"app","library":"kafka-streams' "$tmp/out")" ] || fail "on stdout: $(cat "$tmp/out")"
}
settings airline airline-gbm mixed
export SERVEPATH_BATCH=8
topic fill "$KAFKA_BROKER" "$SERVEPATH_INPUT_TOPIC" "$fixtures/fraud/fraud.sprec" 100
life 100
topic fill "$KAFKA_BROKER" "$SERVEPATH_INPUT_TOPIC" "$fixtures/airline/airline.sprec" 100
life 200
topic span "$KAFKA_BROKER" "$SERVEPATH_OUTPUT_TOPIC" 200 >"$tmp/span"
[ "$(json "$tmp/span" 'r["n"]')" = 200 ] || fail "what was committed was answered again: $(cat "$tmp/span")"
topic delete "$KAFKA_BROKER" "$SERVEPATH_INPUT_TOPIC"
topic delete "$KAFKA_BROKER" "$SERVEPATH_OUTPUT_TOPIC"
