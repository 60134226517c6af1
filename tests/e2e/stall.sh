#!/usr/bin/env bash
# A model server stopped for S = 1.4 s in a window of 10 s at 1,000/s: the response percentiles must be those that the stall
# gives, S - (1 - q) x 10 s x (1 - rate/mu), with S and mu measured here; and with few calls in flight the service time hides
# what the response time does not.
. "$(dirname "$0")/lib.sh"

# trial FOLDER IN_FLIGHT: runs, stops the server for 1.4 s in the middle; prints S as measured, in s.
trial() {
  "$SERVEPATH" run "$fixtures/fraud" --side rpc --arrival constant --rate 1000/s --warmup 1s --duration 10s --drain 12s \
    --deadline 5s --in-flight "$2" --raw --quiet --out "$1" >"$tmp/out" 2>"$tmp/err" &
  local supervisor=$! server from
  server=$(child_of "$supervisor" model-server)
  child_of "$supervisor" driver >"$tmp/driver"
  sleep 5
  from=$(date +%s%N)
  kill -STOP "$server"
  sleep 1.4
  kill -CONT "$server"
  echo "$(($(date +%s%N) - from))" >"$1.stall_ns"
  wait "$supervisor" || true # a bound of the scenario is missed, and should be
  books_sum "$1"
}

# measured NAME IN_FLIGHT: a second stall that this machine adds by itself is not the one that is measured: the best of three counts.
measured() {
  for _ in 1 2 3; do
    trial "$tmp/$1" "$2"
    "$PYTHON" "$SOURCE_DIR/tests/e2e/_stall.py" "$tmp" "$1" && return 0
  done
  fail "$1: three times the percentiles were not those of the stall"
}

measured narrow 64
measured wide 4096
