#!/usr/bin/env bash
# `servepath app` by hand on a real Kafka: several in one group, killed, ended in order, fenced off, and a broker that goes and
# comes back. Counted by a consumer of its own (kafka_topic) that reads what is committed: every event is answered; at least
# once, an orderly end repeats none; exactly once, nothing does.
. "$(dirname "$0")/lib.sh"
: "${BUILD_DIR:?the build, for kafka_topic}"
cmake --build "$BUILD_DIR" --target kafka_topic >"$tmp/build.log" || fail "kafka_topic: $(tail -3 "$tmp/build.log")"
topic() { timeout 120 "$BUILD_DIR/kafka_topic" "$@"; }
n_events=12000
start_kafka kafka --keep

# A server that takes its time, so that there is a middle to do things in.
mkfifo "$tmp/line"
"$SERVEPATH" model-server --scenario "$fixtures/fraud" --stub recorded --delay 2ms --threads 1 --parent $$ >"$tmp/line" 2>"$tmp/server.err" &
brokers+=($!)
read -r line <"$tmp/line"
server=$(json <(echo "$line") 'r["address"]')

# start NAME [OPTION]...: an application; sets app. It has said that it is ready.
start() {
  local name=$1
  shift
  "$SERVEPATH" app "$fixtures/fraud" --side rpc --broker "$address" --server-address "$server" --in-flight 4 --input-topic "$source" \
    --output-topic "$sink" --group "$sink" -X consumer:session.timeout.ms=6000 "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" &
  app=$!
  brokers+=("$app")
  until grep -qs '"ready":true' "$tmp/$name.out"; do
    kill -0 "$app" 2>/dev/null || fail "$name did not start: $(cat "$tmp/$name.err")"
    sleep 0.05
  done
}
# ended PID CODE NAME
ended() {
  local code=0
  wait "$1" || code=$?
  [ "$code" = "$2" ] || fail "$3 ended with $code instead of $2: $(cat "$tmp/$3.err")"
}
# answered N: waits until the output has so many messages.
answered() { topic wait "$address" "$sink" "$1" 60 || fail "only so many answers: $(topic span "$address" "$sink" "$1")"; }
# all_there NAME: no event lacks an answer; sets n_answers.
all_there() {
  topic span "$address" "$sink" "$n_events" >"$tmp/span"
  [ "$(json "$tmp/span" 'r["distinct"]')" = "$n_events" ] || fail "$1: $(cat "$tmp/span")"
  n_answers=$(json "$tmp/span" 'r["n"]')
}
# topics NAME: a full topic to read, an empty one to write.
topics() {
  source=in-$1 sink=out-$1
  topic create "$address" "$source" 3
  topic create "$address" "$sink" 3
  topic fill "$address" "$source" "$fixtures/fraud/fraud.sprec" "$n_events"
}

# --- at least once: a second one comes, and goes in order ---
topics orderly
start first
first=$app
start second
second=$app
answered $((n_events / 3))
kill -TERM "$second"
ended "$second" 0 second
answered "$n_events"
all_there orderly
[ "$n_answers" = "$n_events" ] || fail "an orderly end repeated $((n_answers - n_events)) events"
kill -TERM "$first"
ended "$first" 0 first
"$PYTHON" - "$n_events" "$tmp/first.out" "$tmp/second.out" <<'END' || fail "what they said: $(cat "$tmp/first.out" "$tmp/second.out")"
import json, sys
lines = [[json.loads(l) for l in open(f)] for f in sys.argv[2:]]
ends = [l[-1] for l in lines]
assert all(l[0]["ready"] and l[0]["part"] == "app" and l[0]["library"] for l in lines)
assert lines[0][0]["partitions"] == [0, 1, 2]
assert all(e["event"] == "end" and e["answered"] == e["acknowledged"] > 0 and e["refused"] == e["aborts"] == 0 for e in ends)
assert sum(e["acknowledged"] for e in ends) == int(sys.argv[1])
told = [l for l in lines[0] if l.get("event") in ("assigned", "revoked") and l["partitions"]]
assert {"assigned", "revoked"} <= {l["event"] for l in told}, told
END
[ ! -s "$tmp/first.err" ] || fail "first said $(cat "$tmp/first.err")"

# --- at least once: the broker goes, and comes back as it was ---
topics restart
start patient
answered $((n_events / 4))
kill -TERM "$broker"
gone "$broker"
sleep 2
port=${address##*:}
"$SOURCE_DIR/scripts/kafka" run --dir "$tmp/kafka" --keep --port "$port" >"$tmp/kafka/ready" 2>>"$tmp/kafka/err" &
broker=$!
brokers+=("$broker")
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
  kill -0 "$broker" 2>/dev/null || fail "Kafka did not start again: $(cat "$tmp/kafka/err")"
  sleep 0.1
done
# A broker that has just come back may say for a moment that it leads nothing.
for _ in $(seq 20); do
  topic wait "$address" "$sink" "$n_events" 60 2>/dev/null && break
  sleep 0.5
done
answered "$n_events"
all_there "broker restarted"
kill -TERM "$app"
ended "$app" 0 patient

# --- exactly once: killed, and again in its place; another ended in order ---
topics once
exactly=(--delivery exactly-once --commit-interval 50ms)
start one "${exactly[@]}" --member 1
one=$app
start two "${exactly[@]}" --member 2
two=$app
answered $((n_events / 4))
kill -9 "$one"
wait "$one" 2>/dev/null || true
start again "${exactly[@]}" --member 1
one=$app
answered $((n_events / 2))
kill -TERM "$two"
ended "$two" 0 two
answered "$n_events"
all_there "exactly once"
[ "$n_answers" = "$n_events" ] || fail "exactly once: $((n_answers - n_events)) answers too many"

# --- of two with one number the older is fenced off ---
start other "${exactly[@]}" --member 1
topic fill "$address" "$source" "$fixtures/fraud/fraud.sprec" 300
ended "$one" 3 again
grep -qE '^servepath app: cannot .* broker .*fenced' "$tmp/again.err" || fail "fenced: $(cat "$tmp/again.err")"
[ "$(wc -l <"$tmp/again.err")" = 1 ] || fail "fenced: $(cat "$tmp/again.err")"
kill -TERM "$app"
ended "$app" 0 other

# --- the topic goes away under it ---
topics gone
start orphan
topic delete "$address" "$source"
ended "$app" 3 orphan
grep -qE '^servepath app: cannot read the input topic at broker .*Unknown topic' "$tmp/orphan.err" || fail "topic gone: $(cat "$tmp/orphan.err")"
tail -1 "$tmp/orphan.out" | grep -q '"event":"end"' || fail "topic gone: $(cat "$tmp/orphan.out")"
