#!/usr/bin/env bash
# servepath model-server as a command: the ready line, the ready file, the end by signal and with its parent, refusals.
set -euo pipefail
: "${SERVEPATH:?}" "${SOURCE_DIR:?}"
tmp=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
fraud=$SOURCE_DIR/fixtures/fraud
n_failed=0

fail() {
  echo "FAIL $*" >&2
  n_failed=$((n_failed + 1))
}

# refuse CODE PATTERN ARGUMENT...: it must exit with CODE and say one line that matches PATTERN.
refuse() {
  local code=$1 pattern=$2 told=0
  shift 2
  timeout 30 "$SERVEPATH" model-server "$@" >"$tmp/out" 2>"$tmp/err" || told=$?
  if [ "$told" != "$code" ] || ! grep -qE -- "$pattern" "$tmp/err" || [ "$(wc -l <"$tmp/err")" != 1 ] || [ -s "$tmp/out" ]; then
    fail "$*: exit $told instead of $code, or not one line like /$pattern/: $(cat "$tmp/err")"
  fi
}

# verify_refused CODE PATTERN: verify through the running server, refused like that.
verify_refused() {
  local told=0
  "$SERVEPATH" verify "$fraud" --side rpc --server "$address" --quiet --out "$tmp/no" >"$tmp/out" 2>"$tmp/err" || told=$?
  if [ "$told" != "$1" ] || ! grep -qE -- "$2" "$tmp/err" || [ "$(wc -l <"$tmp/err")" != 1 ] || [ -s "$tmp/out" ]; then
    fail "verify: exit $told instead of $1, or not one line like /$2/: $(cat "$tmp/err")"
  fi
}

# start ARGUMENT...: in the background; waits for the ready line; sets server and address.
start() {
  : >"$tmp/server.out"
  "$SERVEPATH" model-server "$@" >"$tmp/server.out" 2>"$tmp/server.err" &
  server=$!
  until [ -s "$tmp/server.out" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$tmp/server.err" >&2; exit 1; }
    sleep 0.02
  done
  address=$(sed -nE 's/^\{"ready":true,"part":"model-server","address":"([^"]+)"\}$/\1/p' "$tmp/server.out")
  [ -n "$address" ] || fail "the ready line is $(cat "$tmp/server.out")"
}

# ended_with CODE
ended_with() {
  local told=0
  wait "$server" || told=$?
  server=""
  [ "$told" = "$1" ] || fail "ended with $told instead of $1"
}

# --- serving ---
start --model "fraud=$fraud/models/fraud" --ready-file "$tmp/ready"
[[ $address =~ ^127\.0\.0\.1:[1-9][0-9]*$ ]] || fail "address $address"
cmp -s "$tmp/server.out" "$tmp/ready" || fail "ready file"
refuse 3 "cannot listen on $address \(Address already in use\)" --model "fraud=$fraud/models/fraud" --address "$address"
timeout 60 "$SERVEPATH" verify "$fraud" --side rpc --server "$address" --quiet --out "$tmp/verify" >"$tmp/verify.out" ||
  fail "verify through it: $(cat "$tmp/verify.out")"
# It says what it loaded; what the side says about a spawned server does not hold for it.
told() { # EXPRESSION over the result r in $tmp/$1
  "$PYTHON" -c 'import json, sys; r = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
    "$tmp/$1/result.json" "$2" || fail "$1: not $2: $(grep -A9 '"server"' "$tmp/$1/result.json")"
}
told verify/rpc 'r["server"]["software"].startswith("servepath ") and r["server"]["stub"] == "none"'
told verify/rpc 'r["server"]["model_digest"] == r["model"]["digest"] and r["model"]["digest"].startswith("xxh128:")'
told verify/rpc 'r["predictions"]["source"] == "reference" and "threads" not in r["server"]'
kill -TERM "$server"
ended_with 0
[ ! -e "$tmp/ready" ] || fail "the ready file is left"
[ ! -s "$tmp/server.err" ] || fail "said $(cat "$tmp/server.err")"
[ "$(wc -l <"$tmp/server.out")" = 2 ] || fail "not two lines on stdout"
# At its end it says how often it was asked: by verify, once for each event and batch of events.
n=$(sed -nE '2s/^\{"event":"end","predictions":([0-9]+),"requests":[0-9]+\}$/\1/p' "$tmp/server.out")
[ "${n:-0}" -gt 0 ] || fail "the last line is $(tail -n 1 "$tmp/server.out")"

# --- a version that comes while it serves, and a label ---
mkdir "$tmp/live"
cp -r "$fraud/models/fraud/1" "$tmp/live/1"
start --model "fraud=$tmp/live" --reload 20ms --label canary=2
cp -r "$fraud/models/fraud/1" "$tmp/live/2"
until grep -q 'model fraud version 2 is served' "$tmp/server.err"; do
  kill -0 "$server" || exit 1
  sleep 0.02
done
rm -rf "$tmp/live/1"
until grep -q 'model fraud version 1 is gone' "$tmp/server.err"; do
  kill -0 "$server" || exit 1
  sleep 0.02
done
kill -TERM "$server"
ended_with 0

# A model of the same tensors, but not the same: nothing is compared, let alone measured.
mkdir -p "$tmp/other/1"
cp "$fraud/models/fraud/1/model.onnx" "$tmp/other/1/"
printf '\062\005other' >>"$tmp/other/1/model.onnx" # a doc_string
start --model "fraud=$tmp/other"
verify_refused 3 'loaded another model file \(xxh128:[0-9a-f]{32}\) than .* holds \(xxh128:[0-9a-f]{32}\)'
kill -TERM "$server"
ended_with 0

# A stub that somebody started is no reference: run says so, verify refuses it.
start --scenario "$fraud" --stub recorded --address "unix:$tmp/s.sock"
[ "$address" = "unix:$tmp/s.sock" ] || fail "address $address"
verify_refused 64 "$address is a stub \(recorded\)"
code=0
"$SERVEPATH" run "$fraud" --side rpc --server "$address" --quiet --out "$tmp/stub" --rate 200/s --warmup 0s --duration 1s \
  >"$tmp/out" 2>"$tmp/err" || code=$?
[ -s "$tmp/stub/latency.hgrm" ] || fail "run against a stub: exit $code, $(cat "$tmp/err")" # whatever its bounds say
told stub 'r["predictions"]["source"] == "stub" and r["predictions"]["checked"] > 0 and r["predictions"]["mismatched"] == 0'
told stub 'r["server"]["stub"] == "recorded" and r["model"]["digest"] is None and r["server"]["model_digest"] is None'
kill -INT "$server"
ended_with 130
[ ! -e "$tmp/s.sock" ] || fail "the socket is left"

# Failures and delays of given events: those of the recording, whichever call asks for them.
code=0
timeout 60 "$SERVEPATH" run "$fraud" --side rpc --stub recorded --fail 'UNAVAILABLE:at_event=17,90' --delay 'at_event=40:300ms' --quiet \
  --out "$tmp/events" --raw --arrival constant --rate 200/s --warmup 0s --duration 1s >"$tmp/out" 2>"$tmp/err" || code=$?
[ -s "$tmp/events/events.csv.zst" ] || fail "events that fail: exit $code, $(cat "$tmp/err")"
told events 'r["counts"]["unavailable"] == 2 and r["counts"]["ok"] == r["counts"]["intended"] - 2'
told events '[(e["code"], e["count"], e["first_event"]) for e in r["errors"]] == [(14, 2, 17)]'
[ "$(zstdcat "$tmp/events/events.csv.zst" | sed -nE 's/^([0-9]+),unavailable,.*/\1/p' | tr '\n' ' ')" = "17 90 " ] || fail "other events fail"
[ "$(zstdcat "$tmp/events/events.csv.zst" | awk -F, '$1 == 40 { print ($10 - $3 >= 300000000) }')" = 1 ] || fail "event 40 is not late"

# A server that was killed leaves its socket file; the next one takes the path.
start --model stub --stub echo --input 'x:float32:[1,3]' --address "unix:$tmp/s.sock"
kill -KILL "$server"
ended_with 137 2>/dev/null
start --model stub --stub fixed --input 'x:float32:[1,3]' --output 'y:z:int64:[1,2]' --address "unix:$tmp/s.sock"

# --- KServe, TLS, a token, gathered requests: what a side says reaches the server that a trial spawns ---
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
  -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
echo 'a secret' >"$tmp/token"
secured=(--server-tls-cert "$tmp/cert.pem" --server-tls-key "$tmp/key.pem" --server-token "@$tmp/token")
served() { # ARGUMENT...: verify through a spawned server over KServe, TLS and with the token
  timeout 60 "$SERVEPATH" verify "$fraud" --side rpc --protocol kserve "${secured[@]}" --rpc-tls --rpc-ca "$tmp/cert.pem" \
    --server-batch-delay 200us --server-max-batch 4 --quiet --out "$tmp/secure" "$@"
}
served --rpc-token "@$tmp/token" >"$tmp/out" 2>"$tmp/err" || fail "KServe over TLS with a token: $(cat "$tmp/err")"
code=0
served >"$tmp/out" 2>"$tmp/err" || code=$?
if [ "$code" = 0 ] || ! grep -q 'UNAUTHENTICATED' "$tmp/err"; then fail "without the token: exit $code, $(cat "$tmp/err")"; fi
! grep -rq 'a secret' "$tmp/secure" || fail "the token stands in a result"

# --- with its parent ---
bash -c '"$SERVEPATH" model-server --model stub --stub echo --input "x:float32:[1,3]" --parent $$ >"$1" & echo $! >"$2"
         until [ -s "$1" ]; do sleep 0.02; done' _ "$tmp/child.out" "$tmp/child.pid"
child=$(cat "$tmp/child.pid")
for _ in $(seq 500); do
  kill -0 "$child" 2>/dev/null || break
  sleep 0.02
done
! kill -0 "$child" 2>/dev/null || { fail "it outlives its parent" && kill "$child"; }
kill -TERM "$server"
ended_with 0

# --- refusals ---
model=(--model "fraud=$fraud/models/fraud")
refuse 64 'nothing to serve; give --model'
refuse 64 'did you mean --model' --modle x
refuse 64 'is no option' "$fraud"
refuse 64 'fraud=DIR' --model fraud
refuse 64 'given twice' "${model[@]}" "${model[@]}"
refuse 64 '--threads: .*many' "${model[@]}" --threads many
refuse 64 'threads: 0' "${model[@]}" --threads 0
refuse 64 'max_batch' "${model[@]}" --max-batch 0
refuse 64 'batch_delay: .*no unit' "${model[@]}" --batch-delay 500
refuse 64 'with max_batch 1 there is nothing to gather' "${model[@]}" --batch-delay 1ms --max-batch 1
refuse 64 'takes one row at a time' --model "single=$SOURCE_DIR/tests/contract/models/single_row" --batch-delay 1ms
refuse 64 'write serial:5ms' "${model[@]}" --batch-delay 1ms --delay 5ms
refuse 64 'tls_key' "${model[@]}" --tls-cert "$tmp/cert.pem"
refuse 3 'nosuch.pem' "${model[@]}" --tls-cert "$tmp/nosuch.pem" --tls-key "$tmp/key.pem"
refuse 3 'nosuch' "${model[@]}" --token "@$tmp/nosuch"
refuse 64 'a secret is never written here' "${model[@]}" --token secret
refuse 64 'reload: .*no unit' "${model[@]}" --reload 1
refuse 64 'labels: stable: "one" is no version; write --label stable=3' "${model[@]}" --label stable=one
refuse 64 '--label stable: write NAME=VERSION' "${model[@]}" --label stable
refuse 64 'engine.*onnxruntime' "${model[@]}" --engine onnx
refuse 64 '--stub: .*"fix".*fixed' "${model[@]}" --stub fix
refuse 64 'delay: 5: .*no unit' "${model[@]}" --delay 5
refuse 64 'fail: at_event and every_event need --scenario' "${model[@]}" --fail UNAVAILABLE:at_event=17
refuse 64 'delay: at_event and every_event need --scenario' "${model[@]}" --delay at_event=17:5ms
refuse 64 'the recording has no event 10000; it has 10000, from 0' --scenario "$fraud" --fail UNAVAILABLE:at_event=10000
refuse 64 'leave --batch-delay or at_event out' --scenario "$fraud" --delay 'serial:1ms;at_event=1:5ms' --batch-delay 1ms
refuse 64 'delay: normal:5ms' "${model[@]}" --delay normal:5ms
refuse 64 'fail: .*UNAVAILABLE' "${model[@]}" --fail GONE:1%
refuse 64 '--grace.*no unit' "${model[@]}" --grace 5
refuse 64 'stub recorded needs --scenario' "${model[@]}" --stub recorded
refuse 64 'input x:float33' --model stub --stub echo --input 'x:float33:[1,3]'
refuse 64 'write the shape as' --model stub --stub echo --input 'x:float32:[1,0]'
refuse 64 'write the shape as' --model stub --stub echo --input 'x:float32:[]'
refuse 64 'write the shape as' --model stub --stub echo --input 'x:float32:[1,2'
refuse 64 'a stub needs to know its tensors' --model stub --stub echo
refuse 64 'nonsense.*HOST:PORT' "${model[@]}" --address nonsense
refuse 3 'cannot read model folder .*nosuch' --model "fraud=$tmp/nosuch"
refuse 3 'holds no version' --model "fraud=$tmp"
refuse 3 'nosuch.*delays' "${model[@]}" --delay "file:$tmp/nosuch/delays"
refuse 3 'nosuch' "${model[@]}" --delay-log "$tmp/nosuch/log"
refuse 3 'nosuch' "${model[@]}" --ready-file "$tmp/nosuch/ready"
refuse 3 'nosuch.jsonl does not exist' --scenario "$fraud" --stub recorded --expected "$tmp/nosuch.jsonl"
refuse 3 'nosuch' --scenario "$tmp/nosuch"

"$SERVEPATH" model-server --help >"$tmp/help"
grep -q -- '--batch-delay TIME .*(default 0us)' "$tmp/help" || fail "--help"

[ "$n_failed" = 0 ] || exit 1
