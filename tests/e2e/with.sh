#!/usr/bin/env bash
# servepath with: an environment that can be used, the command's own exit code, signals, terminal, and nothing left behind.
# shellcheck disable=SC2016 # the commands' own variables
. "$(dirname "$0")/lib.sh"
fraud=$fixtures/fraud
export SERVEPATH_HOME=$SOURCE_DIR

# told CODE COMMAND...: what `with` around it exits with.
told() {
  local code=0 wanted=$1
  shift
  timeout 60 "$SERVEPATH" with "$fraud" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
  [ "$code" = "$wanted" ] || fail "with $*: exit $code instead of $wanted: $(cat "$tmp/err")"
}
nothing_left() {
  local left
  left=$(find "$XDG_RUNTIME_DIR" -mindepth 2 -maxdepth 2 -name 'run-*' | wc -l)
  [ "$left" = 0 ] || fail "$left run folders are left"
}

# --- the command's exit code, arguments, output, and descriptors that it was given ---
told 7 -- sh -c 'echo "$1"; exit 7' _ 'two words'
[ "$(cat "$tmp/out")" = "two words" ] || fail "its output is $(cat "$tmp/out")"
told 143 --quiet -- sh -c 'kill -TERM $$'
[ ! -s "$tmp/err" ] || fail "--quiet says $(cat "$tmp/err")"
told 0 -- cat <(echo given)
[ "$(cat "$tmp/out")" = given ] || fail "a descriptor did not reach it"
told 127 -- no-such-command
grep -q 'cannot start no-such-command: .*not in PATH' "$tmp/err" || fail "$(cat "$tmp/err")"
told 64
told 64 --only nonsense -- true
for flag in --limit=3 --transport=direct --app=true --batch=2; do
  told 64 "$flag" -- true
  grep -q "^servepath with: ${flag%=*}: .* has no effect here" "$tmp/err" || fail "$(cat "$tmp/err")"
done
told 3 --broker kafka --set model.dir="$tmp/none" -- true
told 64 --server no-such-server -- true
told 0 --only broker -- sh -c 'test -n "$SERVEPATH_BROKER" && test -z "${SERVEPATH_SERVER-}"'
told 0 --only model-server -- sh -c 'test -n "$SERVEPATH_SERVER" && test -z "${SERVEPATH_BROKER-}"'
told 0 --server 127.0.0.1:1 --only model-server -- sh -c '[ "$SERVEPATH_SERVER" = 127.0.0.1:1 ]'
nothing_left

# --- really usable: a trial inside, on its topics and server; two such on one machine at the same time ---
cat >"$tmp/inside" <<'END'
[ "$SERVEPATH_INPUT_TOPIC $SERVEPATH_OUTPUT_TOPIC $SERVEPATH_MODEL_NAME" = "creditcard creditcard_score fraud" ] || exit 50
"$SERVEPATH" run "$SERVEPATH_SCENARIO" --side rpc --broker "$SERVEPATH_BROKER" --reuse-topics --server "$SERVEPATH_SERVER" \
  --rate 200/s --warmup 0s --duration 1s --drain 10s --set expect.p99=null --quiet --out "$1" >"$1.out" 2>&1
case $? in 0 | 2 | 4) ;; *) cat "$1.out" >&2 && exit 51 ;; esac # the driver may be disturbed here; the answers may not
END
usable() { # NAME
  [ "$(json "$tmp/$1/result.json" 'r["counts"]["ok"] == r["counts"]["intended"] > 100')" = True ] ||
    fail "$1: $(json "$tmp/$1/result.json" 'r["counts"]')"
}
"$SERVEPATH" with "$fraud" --quiet -- sh "$tmp/inside" "$tmp/mock-2" 2>"$tmp/err-2" &
second=$!
told 0 -- sh "$tmp/inside" "$tmp/mock"
wait "$second" || fail "its twin failed: $(cat "$tmp/err-2")"
usable mock
usable mock-2
told 0 --broker kafka -- sh "$tmp/inside" "$tmp/kafka"
usable kafka
nothing_left

# --- quick: 0.5 s on a quiet machine, three times that here, and Kafka not much later than it starts alone; the best of three ---
began=$(date +%s%N)
start_kafka alone
alone=$((($(date +%s%N) - began) / 1000000))
quick() { # LIMIT_MS OPTION...
  local limit=$1 best=999999 began took
  shift
  for _ in 1 2 3; do
    began=$(date +%s%N)
    told 0 "$@" -- date +%s%N
    took=$((($(cat "$tmp/out") - began) / 1000000))
    [ "$took" -ge "$best" ] || best=$took
    [ "$best" -gt "$limit" ] || return 0
  done
  fail "$*: the command started after $best ms, limit $limit"
}
quick 1500
quick $((1500 + 2 * alone)) --broker kafka

# --- signals: to `with` alone and to its group they reach the command once; its code counts ---
cat >"$tmp/waits" <<'END'
import os, signal, sys, time
n = 0
def count(*_):
    global n
    n += 1
signal.signal(signal.SIGINT, count)
signal.signal(signal.SIGTERM, count)
open(sys.argv[1], "w").write(str(os.getpid()))
while n == 0:
    time.sleep(0.02)
time.sleep(0.3)
sys.exit(40 + n)
END
begin() { # COMMAND...: in the background, in a group of its own; sets with, parts (its children: the one that sweeps after it is the fourth)
  rm -f "$tmp/pid"
  setsid "$SERVEPATH" with "$fraud" --quiet -- "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
  with=$!
  for _ in $(seq 400); do
    [ -s "$tmp/pid" ] && break
    sleep 0.025
  done
  [ -s "$tmp/pid" ] || fail "the command did not start: $(cat "$tmp/err")"
  parts=$(children "$with")
  [ "$(wc -w <<<"$parts")" = 4 ] || fail "not broker, server and command: $parts"
}
for way in "-INT -- -" "-INT " "-TERM "; do
  begin "$PYTHON" "$tmp/waits" "$tmp/pid"
  # shellcheck disable=SC2086
  kill ${way}"$with"
  code=0
  wait "$with" || code=$?
  [ "$code" = 41 ] || fail "kill ${way}PID: exit $code instead of 41: $(cat "$tmp/err")"
  # shellcheck disable=SC2086
  gone $parts
done
nothing_left

# --- killed: its children end with it, what they started too, and the folder goes ---
begin sh -c 'setsid sleep 1000 & echo $! >"$2"; echo $$ >"$1"; exec sleep 1000' _ "$tmp/pid" "$tmp/pid-2"
kill -KILL "$with"
wait "$with" 2>/dev/null || true
# shellcheck disable=SC2086
gone $parts "$(cat "$tmp/pid-2")"
for _ in $(seq 400); do
  [ -n "$(find "$XDG_RUNTIME_DIR" -mindepth 2 -maxdepth 2 -name 'run-*')" ] || break
  sleep 0.025
done
nothing_left
told 0 -- true
nothing_left

# --- a part that ends under the command is told ---
begin sh -c 'echo $$ >"$1"; exec sleep 1000' _ "$tmp/pid"
kill -KILL "$(child_of "$with" model-server)"
for _ in $(seq 400); do
  grep -q 'model server killed by signal 9' "$tmp/err" && break
  sleep 0.025
done
grep -q 'model server killed by signal 9' "$tmp/err" || fail "a server that ended is not told"
kill -TERM "$with"
wait "$with" || true

# --- a terminal: the command reads from it, and Ctrl-C reaches it once ---
"$PYTHON" "$SOURCE_DIR/tests/e2e/_pty.py" "$SERVEPATH" with "$fraud" --quiet -- "$PYTHON" -u -c '
import time
try:
    print("is", input("name? "))
    time.sleep(30)
except KeyboardInterrupt:
    time.sleep(0.3)
    print("interrupted")
    raise SystemExit(9)
' || fail "the terminal"
nothing_left
