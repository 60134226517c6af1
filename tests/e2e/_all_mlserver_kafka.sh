#!/usr/bin/env bash
# MLServer reading Kafka by itself (scripts/apps/mlserver-kafka): fraud and airline answered as expected where its two ends are
# translated; as it is shipped it answers none of our events, and says why; what it cannot do is refused in one line.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/_foreign_case.sh"
: "${KAFKA_BROKER:?a real Kafka}"
mlserver=$SOURCE_DIR/scripts/apps/mlserver-kafka/run

case_through fraud mlserver-kafka fraud
case_through airline mlserver-kafka airline
case_through batched mlserver-kafka fraud --batch 16

# --- no group, nothing committed ---
# unable NAME PATTERN OPTION...: refused before anything was sent.
unable() {
  local code=0 out=$tmp/$1 pattern=$2
  shift 2
  timeout 60 "$SERVEPATH" run "$fixtures/fraud" --side embedded --broker "$KAFKA_BROKER" --app mlserver-kafka --rate 100/s \
    --duration 1s --quiet --out "$out" "$@" >"$out.out" 2>"$out.err" || code=$?
  [ "$code" = 3 ] || fail "$out: exit $code: $(cat "$out.err")"
  grep -q "$pattern" "$out.err" || fail "$out: /$pattern/ is missing in: $(cat "$out.err")"
}
unable two 'MLServer has no consumer group' --apps 2
unable once 'it cannot do exactly-once' --delivery exactly-once

# --- as shipped ---
code=0
timeout 60 "$SERVEPATH" run "$fixtures/fraud" --side embedded --broker "$KAFKA_BROKER" --app "$mlserver --as-shipped" --arrival constant \
  --rate 100/s --warmup 0s --duration 1s --drain 1s --quiet --out "$tmp/shipped" >"$tmp/shipped.out" 2>"$tmp/shipped.err" || code=$?
case $code in 1 | 2) ;; *) fail "as shipped: exit $code: $(cat "$tmp/shipped.err")" ;; esac
[ "$(counts "$tmp/shipped" lost)" = 100 ] || fail "as shipped: $(json "$tmp/shipped/result.json" 'r["counts"]')"

source=mlserver-in-$$ sink=mlserver-out-$$
"$SERVEPATH" topics "$KAFKA_BROKER" --create "$source:3" --create "$sink:3" >/dev/null
export SERVEPATH_BROKER=$KAFKA_BROKER SERVEPATH_INPUT_TOPIC=$source SERVEPATH_OUTPUT_TOPIC=$sink SERVEPATH_MODEL_NAME=fraud \
  SERVEPATH_SCENARIO=$fixtures/fraud/scenario.yaml SERVEPATH_MODEL=$fixtures/fraud/models/fraud/1 SERVEPATH_DIR=$tmp/private
"$mlserver" --as-shipped >"$tmp/v2.out" 2>"$tmp/v2.err" &
app=$!
brokers+=("$app")
until [ -s "$tmp/v2.out" ]; do
  kill -0 "$app" 2>/dev/null || fail "did not start: $(cat "$tmp/v2.err")"
  sleep 0.05
done
timeout 60 "$SOURCE_DIR/.cache/servers/mlserver/venv/bin/python" "$(dirname "$0")/_v2_messages.py" "$KAFKA_BROKER" "$source" "$sink" \
  >"$tmp/answers" || fail "no answers: $(cat "$tmp/v2.err")"
# Only what is V2 JSON, names its model, and has headers of text; a key of its own making where there was none; our headers gone.
[ "$(json "$tmp/answers" '(len(r) == 2 and sorted(len(a["key"]) for a in r) == [4, 36] and
  not any("trace" in a["headers"] for a in r) and all(a["value"]["outputs"][0]["name"] == "score" for a in r))')" = True ] ||
  fail "answers: $(cat "$tmp/answers")"
for pattern in "ERROR 500 - unexpected content after document" "ERROR 422 - .*Expected 'mlserver-model' header" \
  "ERROR 500 - 'utf-8' codec can't decode byte 0xc8"; do
  grep -q "$pattern" "$tmp/v2.err" || fail "/$pattern/ is missing in: $(cat "$tmp/v2.err")"
done
kill -TERM "$app"
code=0
wait "$app" || code=$?
[ "$code" = 0 ] || fail "ended with $code: $(cat "$tmp/v2.err")"
[ "$(wc -l <"$tmp/v2.out")" = 1 ] || fail "said more than that it is ready: $(cat "$tmp/v2.out")"
"$SERVEPATH" topics "$KAFKA_BROKER" --delete "$source" --delete "$sink" >/dev/null
