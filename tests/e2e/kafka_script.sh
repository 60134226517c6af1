#!/usr/bin/env bash
# scripts/kafka: two brokers beside each other, each with topics of its own; a start that fails says why; nothing is left behind,
# however a broker ends.
. "$(dirname "$0")/lib.sh"
kafka=$SOURCE_DIR/scripts/kafka
export SERVEPATH
one=e2e-$$-one two=e2e-$$-two
stop_both() {
  "$kafka" stop --name "$one" || true
  "$kafka" stop --name "$two" || true
}
trap 'stop_both 2>/dev/null; rm -rf "$tmp"' EXIT

# ready FILE: prints address and pid of a ready line, and looks at the line.
ready() {
  "$PYTHON" - "$1" <<'END'
import json, sys
line, = open(sys.argv[1]).read().splitlines()
r = json.loads(line)
assert (r["ready"], r["part"], r["kind"]) == (True, "broker", "kafka") and r["version"], r
host, port = r["address"].split(":")
assert host == "127.0.0.1" and 1024 <= int(port) < 32768, r
print(r["address"], r["pid"])
END
}

# Both at once.
"$kafka" start --name "$one" >"$tmp/one" &
starting=$!
"$kafka" start --name "$two" >"$tmp/two" || fail "the second did not start"
wait "$starting" || fail "the first did not start"
read -r address_one pid_one <<<"$(ready "$tmp/one")"
read -r address_two pid_two <<<"$(ready "$tmp/two")"
[ "$address_one" != "$address_two" ] || fail "two brokers on one address"
"$kafka" status --name "$one" | cmp - "$tmp/one" || fail "status is not the ready line"
refused 3 "runs already.*scripts/kafka stop" "$kafka" start --name "$one"
refused 64 "--port 40000" "$kafka" start --name other --port 40000
refused 64 "unknown option --tsl" "$kafka" start --name other --tsl
refused 3 "port ${address_one#*:} is taken" "$kafka" run --dir "$tmp/taken" --port "${address_one#*:}"

# What is made in one is not in the other.
"$SERVEPATH" topics "$address_one" --create alpha:3 >/dev/null || fail "no topic could be made"
# Kafka names a partition before it leads it.
for _ in $(seq 40); do
  "$kafka" topics --name "$one" >"$tmp/topics" 2>&1 && break
  sleep 0.025
done
grep -q '^alpha  *3 ' "$tmp/topics" || fail "topics does not list alpha: $(cat "$tmp/topics")"
"$kafka" topics --name "$two" >"$tmp/topics"
! grep -q alpha "$tmp/topics" || fail "the other broker has alpha too"

"$kafka" stop --name "$one" || fail "stop failed"
gone "$pid_one"
refused 3 "$one is not running" "$kafka" status --name "$one"
refused 3 "$one is not running" "$kafka" stop --name "$one"
[ ! -e "$SOURCE_DIR/.cache/run/kafka-$one" ] || fail "stop left $(find "$SOURCE_DIR/.cache/run/kafka-$one")"

# Killed, it still leaves no data; what its start left can be stopped.
kill -9 "$pid_two"
gone "$pid_two"
for _ in $(seq 200); do
  [ ! -e "$SOURCE_DIR/.cache/run/kafka-$two/broker" ] && break
  sleep 0.025
done
[ ! -e "$SOURCE_DIR/.cache/run/kafka-$two/broker" ] || fail "a killed broker left its data"
"$kafka" stop --name "$two" || fail "the rest of a killed broker cannot be stopped"
[ ! -e "$SOURCE_DIR/.cache/run/kafka-$two" ] || fail "stop left the state of a killed broker"

# In the foreground: the process is the broker, and ends with its parent.
bash -c '"$0" run --dir "$1/child" >"$1/ready" & wait' "$kafka" "$tmp" &
parent=$!
for _ in $(seq 1200); do
  [ -s "$tmp/ready" ] && break
  [ -e "/proc/$parent" ] || break
  sleep 0.025
done
read -r _ pid_child <<<"$(ready "$tmp/ready")"
read -r child _ <<<"$(children "$parent")"
[ "$child" = "$pid_child" ] || fail "the process $child is not the broker $pid_child"
kill -9 "$parent"
gone "$pid_child"
for _ in $(seq 200); do
  [ ! -e "$tmp/child" ] && break
  sleep 0.025
done
[ ! -e "$tmp/child" ] || fail "run left $(find "$tmp/child" | head -3)"
