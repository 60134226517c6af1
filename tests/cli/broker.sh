#!/usr/bin/env bash
# servepath broker (the mock) and servepath topics as commands: the ready line, the ends, what is listed and refused, and that
# what the mock drops is said.
set -euo pipefail
: "${SERVEPATH:?}" "${PYTHON:?}"
tmp=$(mktemp -d)
broker=""
trap '[ -z "$broker" ] || kill -KILL "$broker" 2>/dev/null; rm -rf "$tmp"' EXIT
n_failed=0

fail() {
  echo "FAIL $*" >&2
  n_failed=$((n_failed + 1))
}

# refuse CODE PATTERN ARGUMENT...: servepath must exit with CODE and say one line that matches PATTERN.
refuse() {
  local code=$1 pattern=$2 told=0
  shift 2
  timeout 30 "$SERVEPATH" "$@" >"$tmp/out" 2>"$tmp/err" || told=$?
  if [ "$told" != "$code" ] || ! grep -qE -- "$pattern" "$tmp/err" || [ "$(wc -l <"$tmp/err")" != 1 ] || [ -s "$tmp/out" ]; then
    fail "$*: exit $told instead of $code, or not one line like /$pattern/: $(cat "$tmp/err")"
  fi
}

# start ARGUMENT...: in the background; waits for the ready line; sets broker and address.
start() {
  : >"$tmp/broker.out"
  "$SERVEPATH" broker "$@" >"$tmp/broker.out" 2>"$tmp/broker.err" &
  broker=$!
  until [ -s "$tmp/broker.out" ]; do
    kill -0 "$broker" 2>/dev/null || { cat "$tmp/broker.err" >&2; exit 1; }
    sleep 0.02
  done
  address=$(sed -nE '1s/^\{"ready":true,"part":"broker","kind":"mock","address":"([^"]+)"\}$/\1/p' "$tmp/broker.out")
  [[ $address =~ ^127\.0\.0\.1:[1-9][0-9]*$ ]] || fail "the ready line is $(cat "$tmp/broker.out")"
}

# ended_with CODE
ended_with() {
  local told=0
  wait "$broker" || told=$?
  broker=""
  [ "$told" = "$1" ] || fail "ended with $told instead of $1"
}

# --- topics of a broker ---
start --topic events:3 --topic answers:2 --ready-file "$tmp/ready"
cmp -s "$tmp/broker.out" "$tmp/ready" || fail "ready file"
told=$("$SERVEPATH" topics "$address" --json)
[ "$told" = '{"topics":[{"topic":"answers","partitions":2,"messages":0,"dropped":0},{"topic":"events","partitions":3,"messages":0,"dropped":0}]}' ] ||
  fail "listed $told"
"$SERVEPATH" topics "$address" | grep -qE '^events +3 +0 +0$' || fail "no table"
"$SERVEPATH" topics "$address" --create events:3 --create answers:2 --reuse >"$tmp/out" || fail "topics that are there"
[ ! -s "$tmp/out" ] || fail "said $(cat "$tmp/out")"
refuse 3 "topic events exists at broker $address already" topics "$address" --create events:3
refuse 3 "topic events at broker $address has 3 partitions, not 4" topics "$address" --create events:4 --reuse
refuse 3 "makes topics only when it starts; servepath broker --topic new:4$" topics "$address" --create new:4
refuse 3 "keeps its topics until it ends" topics "$address" --delete events
refuse 3 "cannot reach broker $address \(SSL|cannot reach broker $address \(Disconnected" topics "$address" --wait 5s -X security.protocol=ssl
refuse 64 "linger.sm: librdkafka has no such property; did you mean linger.ms\?" topics "$address" -X linger.sm=1
# shellcheck disable=SC2016 # names go to servepath as they are
refuse 64 'a secret is never written here; write "@FILE" or "\$NAME"' topics "$address" -X sasl.password=hush
! grep -q hush "$tmp/err" || fail "the secret was printed"
# shellcheck disable=SC2016
refuse 64 "the environment has no SP_NOT_SET" topics "$address" -X 'sasl.password=$SP_NOT_SET'
# shellcheck disable=SC2016
SP_PASSWORD=hush refuse 3 "cannot reach broker $address \(.*SASL" topics "$address" --wait 5s -X security.protocol=sasl_plaintext \
  -X sasl.mechanism=PLAIN -X sasl.username=me -X 'sasl.password=$SP_PASSWORD'

# 8 MiB to one partition, of which the mock keeps about 5: said on both outputs, once for people. A batch of Kafka's format 2
# by hand; its records stay closed, so that they need not be real ones.
"$PYTHON" - "$address" <<'END'
import socket, struct, sys
host, port = sys.argv[1].split(":")
records = b"\0" * (1 << 19)
batch = struct.pack(">qiibIhiqqqhii", 0, 49 + len(records), 0, 2, 0, 0, 0, 0, 0, -1, -1, -1, 1) + records
text = lambda s: struct.pack(">h", len(s)) + s
body = struct.pack(">hhi", -1, 1, 10000) + struct.pack(">i", 1) + text(b"events") + struct.pack(">iii", 1, 2, len(batch)) + batch
with socket.create_connection((host, int(port))) as s:
    for i in range(16):
        request = struct.pack(">hhi", 0, 3, i) + text(b"test") + body
        s.sendall(struct.pack(">i", len(request)) + request)
        answer = s.makefile("rb").read(4 + 4 + 4 + 2 + 6 + 4 + 4 + 2)
        assert answer[-2:] == b"\0\0", answer
END
for _ in $(seq 500); do
  [ "$(wc -l <"$tmp/broker.out")" -ge 2 ] && break
  sleep 0.02
done
sleep 1.2 # one more look of the broker: it must say nothing new
[ "$(wc -l <"$tmp/broker.out")" = 2 ] || fail "said $(cat "$tmp/broker.out")"
sed -n 2p "$tmp/broker.out" | grep -qE '^\{"event":"dropped","topic":"events","partition":2,"messages":([5-9]|1[0-5])\}$' ||
  fail "said $(cat "$tmp/broker.out")"
if ! grep -qE 'dropped messages, [0-9]+ of topic events first.*use --broker kafka$' "$tmp/broker.err" || [ "$(wc -l <"$tmp/broker.err")" != 1 ]; then
  fail "said $(cat "$tmp/broker.err")"
fi
dropped=$(sed -nE '2s/.*"messages":([0-9]+)\}/\1/p' "$tmp/broker.out")
"$SERVEPATH" topics "$address" --json | grep -q "\"messages\":$((16 - dropped)),\"dropped\":$dropped" || fail "the list does not show it"
kill -TERM "$broker"
ended_with 0
[ ! -e "$tmp/ready" ] || fail "the ready file is left"

# --- ends ---
start
"$SERVEPATH" topics "$address" | grep -qx "no topics" || fail "topics out of nowhere"
kill -INT "$broker"
ended_with 0
[ ! -s "$tmp/broker.err" ] || fail "said $(cat "$tmp/broker.err")"

# With its parent: a shell that starts it and is killed.
# shellcheck disable=SC2016
bash -c '"$1" broker --parent $$ --ready-file "$2" >/dev/null & echo $! >"$3"; wait' - "$SERVEPATH" "$tmp/ready" "$tmp/pid" &
parent=$!
until [ -s "$tmp/ready" ]; do sleep 0.02; done
child=$(cat "$tmp/pid")
kill -KILL "$parent"
{ wait "$parent" || true; } 2>/dev/null
for _ in $(seq 500); do
  [ -e "/proc/$child" ] || break
  sleep 0.02
done
[ ! -e "/proc/$child" ] || { fail "it outlives its parent"; kill -KILL "$child"; }

# --- nobody there, and words that make no sense ---
refuse 3 "cannot reach broker 127.0.0.1:1 \(Connect to ipv4#127.0.0.1:1 failed: Connection refused, tried for .*start one with scripts/kafka start" \
  topics 127.0.0.1:1 --wait 300ms
refuse 3 "Failed to resolve .*look at the broker's name" topics nobody.invalid:9092 --wait 300ms
refuse 64 "no broker named" topics
for address in 127.0.0.1 127.0.0.1: :9092 127.0.0.1:99999 127.0.0.1:0 127.0.0.1:kafka 127.0.0.1:1,mock; do
  refuse 64 "is no address; write HOST:PORT" topics "$address" --wait 300ms
done
refuse 64 '"mock" is no address' record events -b mock -o "$tmp/x.sprec"
refuse 64 "is a folder; name the recording too" record events -b 127.0.0.1:1 -o "$tmp"
: >"$tmp/blank"
refuse 3 "blank has nothing in its first line" topics 127.0.0.1:1 -X "sasl.password=@$tmp/blank"
refuse 3 "blank has nothing in its first line" record events -b 127.0.0.1:1 -o "$tmp/x.sprec" --hash-key --hash-secret "@$tmp/blank"
refuse 64 "linger.ms: librdkafka refuses the value: .*range 0..900000$" run "$SOURCE_DIR/fixtures/fraud" --quiet \
  --out "$tmp/trial" --broker 127.0.0.1:1 -X linger.ms=-1
refuse 64 "a second broker" topics 127.0.0.1:1 127.0.0.1:2
refuse 64 "write NAME:PARTITIONS" broker --topic events
refuse 64 "write NAME:PARTITIONS" broker --topic events:0
refuse 64 "write NAME:PARTITIONS" broker --topic "of people:3"
refuse 64 "write NAME:PARTITIONS" topics 127.0.0.1:1 --create :3
refuse 64 "unknown option --topics; did you mean --topic\?" broker --topics events:3
refuse 3 "cannot create topic events with 3 partitions" broker --topic events:3 --topic events:3
"$SERVEPATH" broker --help | grep -q -- "--topic NAME:PARTITIONS" || fail "help of broker"
"$SERVEPATH" topics --help | grep -q -- "--create NAME:PARTITIONS" || fail "help of topics"

[ "$n_failed" -eq 0 ]
