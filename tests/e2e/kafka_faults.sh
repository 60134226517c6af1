#!/usr/bin/env bash
# A real Kafka paused for 3 s, an application killed and another started in its place, the model server killed: books exact,
# nothing lost where nothing need be, nothing hangs, nothing left behind.
. "$(dirname "$0")/lib.sh"
start_kafka kafka

# trial FOLDER SIDE [OPTION]...: in the background; sets supervisor.
trial() {
  local folder=$1 side=$2
  shift 2
  timeout 120 "$SERVEPATH" run "$fixtures/fraud" --side "$side" --broker "$address" --arrival constant --rate 500/s --warmup 1s \
    --duration 8s --drain 30s --quiet --out "$folder" "$@" >"$folder.out" 2>"$folder.err" &
  timeout_pid=$!
  for _ in $(seq 200); do
    read -r supervisor _ <<<"$(children "$timeout_pid")"
    [ -n "${supervisor:-}" ] && break
    sleep 0.01
  done
  driver=$(child_of "$supervisor" driver)
}

# ended FOLDER WHAT: waits, and looks at the books.
ended() {
  code=0
  wait "$timeout_pid" || code=$?
  case $code in 0 | 1 | 2 | 4) ;; *) fail "$2: exit $code: $(cat "$1.err")" ;; esac
  gone "$driver"
  books_sum "$1"
  [ "$(json "$1/result.json" 'r["complete"]')" = True ] || fail "$2: incomplete"
  [ "$(counts "$1" mismatch)" = 0 ] || fail "$2: wrong answers"
}

trial "$tmp/paused" embedded
sleep 4
kill -STOP "$broker"
sleep 3
kill -CONT "$broker"
ended "$tmp/paused" "broker paused"
[ "$(counts "$tmp/paused" ok)" = 4000 ] || fail "broker paused: $(json "$tmp/paused/result.json" 'r["counts"]')"
[ "$(json "$tmp/paused/result.json" 'r["response_ns"]["p99"] > 1e9')" = True ] || fail "broker paused: the pause is not in the response time"

trial "$tmp/killed" embedded --apps 2 -X consumer:session.timeout.ms=3000
sleep 4
read -r app _ <<<"$(children_of "$supervisor" app 2)"
kill -9 "$app"
ended "$tmp/killed" "application killed"
[ "$(counts "$tmp/killed" lost)" = 0 ] || fail "application killed: $(counts "$tmp/killed" lost) lost though another took over"

trial "$tmp/server" rpc
sleep 4
kill -9 "$(child_of "$supervisor" model-server)"
ended "$tmp/server" "model server killed"
[ "$(counts "$tmp/server" unavailable)" -gt 500 ] || fail "model server killed: $(json "$tmp/server/result.json" 'r["counts"]')"
[ "$(counts "$tmp/server" lost)" = 0 ] || fail "model server killed: failed events arrived as lost"

left=$("$SERVEPATH" topics "$address" --json | grep -c 'sp-' || true)
[ "$left" = 0 ] || fail "$left topics are left: $("$SERVEPATH" topics "$address")"
