#!/usr/bin/env bash
# A relay in front of the model server that pauses, delays, resets and cuts, and a server that is started again, each in the middle
# of a run: the books are exact, what failed has a name, what was only late is answered, and the run ends.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/_relay.sh"

# start_server ADDRESS: in the background; sets server and address.
start_server() {
  : >"$tmp/server.out"
  "$SERVEPATH" model-server --scenario "$fixtures/fraud" --address "$1" --parent $$ >"$tmp/server.out" 2>"$tmp/server.err" &
  server=$!
  brokers=("$server") # ended when this test leaves
  for _ in $(seq 400); do
    [ -s "$tmp/server.out" ] && break
    kill -0 "$server" 2>/dev/null || fail "the model server has not started: $(cat "$tmp/server.err")"
    sleep 0.02
  done
  address=$(json "$tmp/server.out" 'r["address"]')
}

# begin NAME [OPTION]...: a run through the relay; returns when it has written what it measured in its first second.
begin() {
  out=$tmp/$1
  shift
  timeout 60 "$SERVEPATH" run "$fixtures/fraud" --side rpc --server "$relayed" --arrival constant --rate 300/s --warmup 0s \
    --duration 4s --drain 8s --deadline 3s --quiet --out "$out" "$@" >"$tmp/run.out" 2>"$tmp/run.err" &
  run=$!
  for _ in $(seq 800); do
    grep -qs '^Tag=' "$out/latency.hlog" && break
    kill -0 "$run" 2>/dev/null || fail "$out has not begun: $(cat "$tmp/run.err")"
    sleep 0.02
  done
}

# end: waits for the run; its books must sum to the 1,200 events planned, and each failure must be named.
end() {
  local code=0
  wait "$run" || code=$?
  # A bound of the scenario is missed or not decided, or the driver was disturbed: none of this test's business.
  case $code in 0 | 1 | 2 | 4) ;; *) fail "$out: exit $code: $(cat "$tmp/run.err")" ;; esac
  books_sum "$out"
  [ "$(counts "$out" intended)" = 1200 ] || fail "$out: $(counts "$out" intended) intended"
  [ "$(json "$out/result.json" 'all(e["text"] and e["count"] > 0 for e in r["errors"])')" = True ] || fail "$out: a failure without a name"
  [ "$(json "$out/result.json" 'sum(e["count"] for e in r["errors"]) >= sum(r["counts"][o] for o in
    ("unavailable", "deadline", "rejected", "error"))')" = True ] || fail "$out: failures are missing from its errors"
}

# says EXPRESSION: of the result, which must be true.
says() {
  [ "$(json "$out/result.json" "$1")" = True ] || fail "$out: not $1: $(json "$out/result.json" 'r["counts"], r["errors"], r["response_ns"]')"
}

start_server 127.0.0.1:0
start_relay "$address"

# A pause is waited for: all are answered, those of the pause late.
begin pause
tell_relay pause
sleep 1
tell_relay resume
end
says 'r["counts"]["ok"] == 1200'
says 'r["response_ns"]["max"] >= 0.9e9'
says 'r["response_ns"]["p50"] < 0.9e9'

# A delay each way is in every response from then on.
tell_relay 'delay 20ms'
begin delay
end
says 'r["counts"]["ok"] == 1200'
says 'r["response_ns"]["p50"] >= 40e6'
tell_relay 'delay 0ms'

# Connections that are reset take the calls under way along, and nobody else.
tell_relay 'delay 20ms' # so that some are under way
begin reset
tell_relay reset
end
tell_relay 'delay 0ms'
says '0 < r["counts"]["unavailable"] < 600'
says 'r["counts"]["ok"] + r["counts"]["unavailable"] == 1200'

# Cut for a second: calls fail at once and are named; after heal they are answered again.
begin cut
tell_relay cut
sleep 1
tell_relay heal
end
says 'r["counts"]["unavailable"] + r["counts"]["deadline"] > 0'
says 'r["counts"]["ok"] > 400 and r["counts"]["lost"] == 0 and r["counts"]["shed"] == 0'
says 'r["timeline"][-1]["done"] > 0 or r["timeline"][-2]["done"] > 0'

# The server goes, and comes back at the same address.
begin restart
kill -TERM "$server"
wait "$server" || fail "the server did not end well: $?"
start_server "$address"
end
says 'r["counts"]["ok"] > 400 and r["counts"]["lost"] == 0 and r["counts"]["shed"] == 0'
says 'r["counts"]["mismatch"] == 0 and r["counts"]["malformed"] == 0 and r["counts"]["duplicate"] == 0'

# And killed, without a word.
begin killed
kill -KILL "$server"
wait "$server" 2>/dev/null || true
start_server "$address"
end
says 'r["counts"]["ok"] > 400 and r["counts"]["lost"] == 0 and r["counts"]["shed"] == 0'
says 'r["counts"]["mismatch"] == 0 and r["counts"]["malformed"] == 0 and r["counts"]["duplicate"] == 0'
