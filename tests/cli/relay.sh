#!/usr/bin/env bash
# servepath relay as a command: the ready line, the ready file, commands and their answers, the end by signal and with its
# parent, refusals. What it does to connections: tests/contract/test_relay.c.
set -euo pipefail
: "${SERVEPATH:?}" "${PYTHON:?}"
tmp=$(mktemp -d)
relay=""
trap '[ -z "$relay" ] || kill -KILL "$relay" 2>/dev/null; rm -rf "$tmp"' EXIT
n_failed=0

fail() {
  echo "FAIL $*" >&2
  n_failed=$((n_failed + 1))
}

# refuse CODE PATTERN ARGUMENT...: it must exit with CODE and say one line that matches PATTERN.
refuse() {
  local code=$1 pattern=$2 told=0
  shift 2
  timeout 30 "$SERVEPATH" relay "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || told=$?
  if [ "$told" != "$code" ] || ! grep -qE -- "$pattern" "$tmp/err" || [ "$(wc -l <"$tmp/err")" != 1 ] || [ -s "$tmp/out" ]; then
    fail "$*: exit $told instead of $code, or not one line like /$pattern/: $(cat "$tmp/err")"
  fi
}

# lines N: waits until the relay has printed as many.
lines() {
  for _ in $(seq 400); do
    [ "$(wc -l <"$tmp/relay.out")" -ge "$1" ] && return
    kill -0 "$relay" 2>/dev/null || { cat "$tmp/relay.err" >&2; exit 1; }
    sleep 0.02
  done
  fail "no line $1 of the relay"
}

# start ARGUMENT...: in the background, commands on descriptor 7; sets relay and address.
start() {
  rm -f "$tmp/commands"
  mkfifo "$tmp/commands"
  : >"$tmp/relay.out"
  "$SERVEPATH" relay "$@" <"$tmp/commands" >"$tmp/relay.out" 2>"$tmp/relay.err" &
  relay=$!
  exec 7>"$tmp/commands"
  lines 1
  address=$(sed -nE 's/^\{"ready":true,"part":"relay","address":"([^"]+)"\}$/\1/p' "$tmp/relay.out")
  [ -n "$address" ] || fail "the ready line is $(cat "$tmp/relay.out")"
}

# told COMMAND ANSWER: the next line must be ANSWER (regular expression).
told() {
  local n
  n=$(($(wc -l <"$tmp/relay.out") + 1))
  echo "$1" >&7
  lines "$n"
  sed -n "${n}p" "$tmp/relay.out" | grep -qxE -- "$2" || fail "$1: $(sed -n "${n}p" "$tmp/relay.out")"
}

# ended_with CODE
ended_with() {
  local told=0
  wait "$relay" || told=$?
  relay=""
  exec 7>&-
  [ "$told" = "$1" ] || fail "ended with $told instead of $1"
}

# passes: an echo server behind the relay, asked through it.
passes() {
  "$PYTHON" - "$tmp/echo.sock" "$address" <<'END'
import os, socket, sys, threading
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
def echo():
    connection, _ = server.accept()
    connection.sendall(connection.recv(100))
threading.Thread(target=echo, daemon=True).start()
host, port = sys.argv[2].rsplit(":", 1)
with socket.create_connection((host, int(port)), timeout=30) as client:
    client.sendall(b"hello")
    answer = client.recv(100)
os.unlink(sys.argv[1])
assert answer == b"hello", answer
END
}

# --- serving ---
start --target "unix:$tmp/echo.sock" --ready-file "$tmp/ready"
[[ $address =~ ^127\.0\.0\.1:[1-9][0-9]*$ ]] || fail "address $address"
cmp -s "$tmp/relay.out" "$tmp/ready" || fail "ready file"
passes || fail "bytes do not pass"
told pause '\{"command":"pause","ok":true\}'
told 'delay 5ms' '\{"command":"delay 5ms","ok":true\}'
told 'pau"se' '\{"command":"pau\\"se","ok":false,"error":".*did you mean pause\?"\}'
told $'\xff' '\{"command":"\\\\xff","ok":false,"error":".*is no command.*"\}'
told resume '\{"command":"resume","ok":true\}'
told cut '\{"command":"cut","ok":true\}'
if passes 2>/dev/null; then fail "passes though cut"; fi
rm -f "$tmp/echo.sock"
told heal '\{"command":"heal","ok":true\}'
passes || fail "bytes do not pass after heal"
refuse 3 "cannot listen on $address \(Address already in use\); free it, or use port 0" --listen "$address" --target 127.0.0.1:1
exec 7>&- # the end of its commands is not its end
passes || fail "bytes do not pass after the last command"
exec 7>/dev/null
kill -TERM "$relay"
ended_with 0
[ ! -e "$tmp/ready" ] || fail "ready file is left"

start --target 127.0.0.1:1
kill -INT "$relay"
ended_with 130

# --- with its parent ---
# shellcheck disable=SC2016 # the inner shell's own
bash -c '"$1" relay --target 127.0.0.1:1 --parent $$ --ready-file "$2" >/dev/null & echo $!; until [ -s "$2" ]; do sleep 0.02; done' \
  relay "$SERVEPATH" "$tmp/ready" >"$tmp/pid" </dev/null
for _ in $(seq 400); do
  kill -0 "$(cat "$tmp/pid")" 2>/dev/null || break
  sleep 0.02
done
if kill -0 "$(cat "$tmp/pid")" 2>/dev/null; then fail "outlived its parent" && kill -KILL "$(cat "$tmp/pid")"; fi

# --- refusals ---
refuse 64 '--target is missing'
refuse 64 '"nowhere" is no address; write HOST:PORT or unix:PATH' --target nowhere
refuse 64 'did you mean --target' --targt 127.0.0.1:1
refuse 64 '--parent: ' --target 127.0.0.1:1 --parent x
refuse 3 'cannot listen on unix:/nonexistent/x ' --listen unix:/nonexistent/x --target 127.0.0.1:1

[ "$n_failed" = 0 ]
