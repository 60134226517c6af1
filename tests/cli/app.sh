#!/usr/bin/env bash
# servepath app as a command: its lines on stdout, its end by signal and with its parent, and what it refuses, how fast.
set -euo pipefail
: "${SERVEPATH:?}" "${SOURCE_DIR:?}" "${PYTHON:?}"
tmp=$(mktemp -d)
started=()
leave() {
  local pid
  for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$tmp"
}
trap leave EXIT
fraud=$SOURCE_DIR/fixtures/fraud
n_failed=0

fail() {
  echo "FAIL $*" >&2
  n_failed=$((n_failed + 1))
}

# refuse CODE SECONDS PATTERN ARGUMENT...: within that time it exits with CODE and says one line that matches PATTERN.
refuse() {
  local code=$1 seconds=$2 pattern=$3 told=0
  shift 3
  timeout "$seconds" "$SERVEPATH" app "$@" >"$tmp/out" 2>"$tmp/err" || told=$?
  if [ "$told" != "$code" ] || ! grep -qE -- "$pattern" "$tmp/err" || [ "$(wc -l <"$tmp/err")" != 1 ] || [ -s "$tmp/out" ]; then
    fail "$*: exit $told instead of $code, or not one line like /$pattern/: $(cat "$tmp/err" "$tmp/out")"
  fi
}

# await PATTERN FILE PID: until the file has such a line.
await() {
  until grep -qsE -- "$1" "$2"; do
    kill -0 "$3" 2>/dev/null || { cat "$tmp"/*.err >&2; exit 1; }
    sleep 0.02
  done
}

# --- refusals that need no broker ---
nobody=127.0.0.1:1
refuse 64 10 "needs a SCENARIO"
refuse 64 10 "needs the broker that it shall join: --broker HOST:PORT" "$fraud"
refuse 64 10 "needs the broker that it shall join" "$fraud" --transport direct
refuse 64 10 "--broker mock is started for a trial.*servepath broker" "$fraud" --broker mock
refuse 64 10 "--broker kafka is started for a trial.*scripts/kafka" "$fraud" --broker kafka
refuse 64 10 "is no broker" "$fraud" --broker nowhere
refuse 64 10 "no side|has no nosuch" "$fraud" --broker "$nobody" --side nosuch
refuse 64 10 "one --side at a time" "$fraud" --broker "$nobody" --side embedded --side rpc
refuse 64 10 "started, which only a trial does" "$fraud" --broker "$nobody" --side rpc
refuse 64 10 "asks no server; leave it out" "$fraud" --broker "$nobody" --side embedded --server-address "$nobody"
refuse 64 10 "is the input topic too" "$fraud" --broker "$nobody" --side embedded --input-topic a --output-topic a
refuse 64 10 "needs --member N" "$fraud" --broker "$nobody" --side embedded --delivery exactly-once
refuse 64 10 "--member: .*\"two\"" "$fraud" --broker "$nobody" --side embedded --member two
refuse 64 10 "--grace: .*\"5\" has no unit" "$fraud" --broker "$nobody" --side embedded --grace 5
refuse 64 10 "did you mean linger.ms" "$fraud" --broker "$nobody" --side embedded -X producer:linger.mss=1
refuse 64 10 "servepath sets this itself" "$fraud" --broker "$nobody" --side embedded -X consumer:group.id=x
refuse 3 10 "cannot reach broker 127.0.0.1:1 .*refused, tried for " "$fraud" --broker "$nobody" --side embedded --broker-timeout 1s
refuse 3 10 "models/none" "$fraud" --broker "$nobody" --side embedded --set "model.dir=$tmp/models/none"
refuse 3 15 "127.0.0.1:1" "$fraud" --broker "$nobody" --side rpc --server-address "$nobody" --connect-timeout 1s

# --- with one ---
"$SERVEPATH" broker --topic in:3 --topic out:3 --topic narrow:2 --parent $$ >"$tmp/broker.out" 2>"$tmp/broker.err" &
broker_pid=$!
started+=("$broker_pid")
await '"ready":true' "$tmp/broker.out" "$broker_pid"
address=$(sed -nE 's/.*"address":"([^"]+)".*/\1/p' "$tmp/broker.out")
on=("$fraud" --side embedded --broker "$address" --input-topic in --output-topic out)
refuse 3 15 "has no topic nosuch; create it with" "${on[@]}" --input-topic nosuch
refuse 3 15 "has no topic nosuch; create it with" "${on[@]}" --output-topic nosuch
refuse 3 15 "topic in has 3 partitions and narrow only 2" "${on[@]}" --output-topic narrow
refuse 3 15 "cannot reach broker $address" "${on[@]}" -X security.protocol=ssl --broker-timeout 3s

# start ARGUMENT...: in the background until it is ready; sets app.
start() {
  rm -f "$tmp/app.out"
  "$SERVEPATH" app "${on[@]}" --ready-file "$tmp/ready" "$@" >"$tmp/app.out" 2>"$tmp/app.err" &
  app=$!
  started+=("$app")
  await '"ready":true' "$tmp/app.out" "$app"
  cmp -s <(head -1 "$tmp/app.out") "$tmp/ready" || fail "ready file: $(cat "$tmp/ready")"
}
# ended_with CODE
ended_with() {
  local told=0
  wait "$app" || told=$?
  [ "$told" = "$1" ] || fail "ended with $told instead of $1: $(cat "$tmp/app.err")"
}

for signal in TERM INT; do
  start
  grep -qE '^\{"ready":true,"part":"app","partitions":\[0,1,2\],"library":"onnxruntime [0-9.]+"\}$' "$tmp/app.out" ||
    fail "the ready line is $(cat "$tmp/app.out")"
  kill "-$signal" "$app"
  ended_with 0
  [ ! -e "$tmp/ready" ] || fail "SIG$signal: the ready file is left"
  [ ! -s "$tmp/app.err" ] || fail "SIG$signal: said $(cat "$tmp/app.err")"
  "$PYTHON" - "$tmp/app.out" <<'END' || fail "SIG$signal: stdout is $(cat "$tmp/app.out")"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert lines[-1] == {"event": "end", "received": 0, "answered": 0, "acknowledged": 0, "refused": 0, "commits": 0, "aborts": 0,
                     "rebalances": 2, "dropped_at_rebalance": 0}, lines[-1]
assert lines[1:-1] == [{"event": "revoked", "partitions": [0, 1, 2]}], lines
END
done

# A broker that is gone is not waited for (grace 30 s): at the second signal it goes at once, with 143 where something was under way.
start --grace 30s
kill -STOP "$broker_pid"
kill -TERM "$app"
sleep 0.3
kill -TERM "$app" 2>/dev/null || true
told=0
begun=$SECONDS
wait "$app" || told=$?
case $told in 0 | 143) ;; *) fail "ended with $told instead of 0 or 143: $(cat "$tmp/app.err")" ;; esac
[ $((SECONDS - begun)) -le 5 ] || fail "it waited for a broker that is gone"
kill -CONT "$broker_pid"

# It ends with the parent that started it.
bash -c '"$0" app "$@" --parent $$ >"'"$tmp"'/child.out" 2>&1 & echo $! >"'"$tmp"'/child.pid"; until grep -q ready "'"$tmp"'/child.out"; do sleep 0.05; done' \
  "$SERVEPATH" "${on[@]}" --group another
child=$(cat "$tmp/child.pid")
for _ in $(seq 400); do
  if [ ! -e "/proc/$child" ] || grep -q '^State:.Z' "/proc/$child/status" 2>/dev/null; then break; fi
  sleep 0.025
done
[ ! -e "/proc/$child" ] || grep -q '^State:.Z' "/proc/$child/status" || fail "it outlives its parent"

[ "$n_failed" = 0 ] || exit 1
