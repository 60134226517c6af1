#!/usr/bin/env bash
# Model servers that others wrote, started by scripts/servers: the three cases with predictions as expected over gRPC and REST,
# their own errors as outcomes with their words, loopback only, starts that fail say why, and nothing is left behind.
#
#   servers.sh [NAME]...     default: triton mlserver
. "$(dirname "$0")/lib.sh"
servers=("${@:-triton}")
[ $# -gt 0 ] || servers=(triton mlserver)
scripts=$SOURCE_DIR/scripts/servers
name=e2e-$$
stop_all() {
  local server
  for server in "${servers[@]}"; do "$scripts/$server" stop --name "$name" || true; done
}
trap 'stop_all 2>/dev/null; rm -rf "$tmp"' EXIT
models=(--model "fraud=$fixtures/fraud/models/fraud" --model "airline-gbm=$fixtures/airline/models/airline-gbm"
  --model "tweet=$fixtures/tweet/models/tweet")

# field FILE NAME: of a ready line.
field() { json "$1" "r[\"$2\"]"; }

# processes DIR: what runs for the server with its files there.
processes() { grep -lszxF "SERVEPATH_SERVER_DIR=$1" /proc/[0-9]*/environ | cut -d/ -f3 || true; }

# listens_on_loopback DIR READY: the ports of the ready line and no others, and 127.0.0.1 alone.
listens_on_loopback() {
  local pid listening wanted
  listening=$(for pid in $(processes "$1"); do ss -ltnpH | grep -F "pid=$pid," || true; done | awk '{print $4}' |
    sed 's/^\[::ffff:127\.0\.0\.1\]/127.0.0.1/' | sort -u)
  wanted=$(printf '%s\n' "$(field "$2" address)" "$(field "$2" rest)" | sort -u)
  [ "$listening" = "$wanted" ] || fail "listens on $listening, ready line says $wanted"
}

# verified CASE ADDRESS PROTOCOL
verified() {
  "$SERVEPATH" verify "$fixtures/$1" --side rpc --server "$2" --protocol "$3" --limit 500 --json >"$tmp/verify.json" 2>"$tmp/err" ||
    fail "$1 over $3: exit $?: $(cat "$tmp/err")"
  [ "$(json "$tmp/verify.json" 'r["sides"][0]["counts"]["ok"]')" = 500 ] || fail "$1 over $3: not 500 ok: $(cat "$tmp/verify.json")"
}

# A model's refusal of single requests: words that are numbers far beyond the table of the tweet model.
cp -r "$fixtures/tweet" "$tmp/beyond"
{ seq -f 'zz%.0f' 60000 && cat "$fixtures/tweet/vocab.txt"; } >"$tmp/beyond/vocab.txt"
# A server's words are in the books; Triton calls it an error of its own (INTERNAL), the others one of the client's.
refuses_events() { # ADDRESS PROTOCOL
  local code=0
  "$SERVEPATH" verify "$tmp/beyond" --side rpc --server "$1" --protocol "$2" --limit 20 --json >"$tmp/verify.json" 2>"$tmp/err" || code=$?
  [ $code = 1 ] || fail "words beyond the model's table over $2: exit $code: $(cat "$tmp/err")"
  json "$tmp/verify.json" '"\n".join("%s %d %s" % (e["outcome"], e["count"], e["text"]) for e in r["sides"][0]["errors"])' >"$tmp/errors"
  grep -qE '^(rejected|error) 20 .*ONNXRuntimeError.*Gather' "$tmp/errors" || fail "the server's words over $2: $(cat "$tmp/errors")"
}

look_at() {
  local server=$1 ready=$tmp/$1 address rest dir=$SOURCE_DIR/.cache/run/$1-$name/run port
  address=$(field "$ready" address) rest=$(field "$ready" rest)
  [ "$(field "$ready" kind) $(field "$ready" part) $(field "$ready" backend)" = "$server model server python" ] || fail "$(cat "$ready")"
  [ "$(field "$ready" pid)" = "$(processes "$dir" | grep -xF "$(field "$ready" pid)")" ] || fail "$server: no process $(cat "$ready")"
  listens_on_loopback "$dir" "$ready"
  cmp <("$scripts/$server" status --name "$name") "$ready" || fail "$server: status is not the ready line"
  verified fraud "$address" kserve
  verified airline "$address" kserve
  verified tweet "$address" kserve
  verified fraud "$rest" kserve-rest
  refuses_events "$address" kserve
  refuses_events "$rest" kserve-rest
  refused 3 "$address.*nobody" "$SERVEPATH" verify "$fixtures/fraud" --side rpc --server "$address" --protocol kserve --set model.name=nobody
  "$scripts/$server" stop --name "$name" || fail "$server does not stop"
  [ -z "$(processes "$dir")" ] || fail "$server left $(processes "$dir")"
  [ ! -e "${dir%/run}" ] || fail "$server left $(find "${dir%/run}")"
  for port in "${address#*:}" "${rest#*:}"; do ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || fail "$server left port $port"; done
  ! compgen -G "/dev/shm/servepath_${server}_*" >/dev/null || grep -qlsF SERVEPATH_SERVER_DIR /proc/[0-9]*/environ ||
    fail "$server left $(compgen -G "/dev/shm/servepath_${server}_*")"
}

# All at once: each finds ports of its own.
for server in "${servers[@]}"; do "$scripts/$server" start --name "$name" "${models[@]}" >"$tmp/$server" & done
for server in "${servers[@]}"; do wait -n || fail "a server did not start"; done
for server in "${servers[@]}"; do look_at "$server"; done

# What cannot start says so in one line, and leaves nothing.
mkdir -p "$tmp/damaged/1" "$tmp/empty"
echo "no model" >"$tmp/damaged/1/model.onnx"
for server in "${servers[@]}"; do
  refused 64 "$server speaks kserve and kserve-rest, not tfs; write --protocol kserve" \
    "$scripts/$server" run --dir "$tmp/run" --protocol tfs "${models[@]}"
  refused 3 "no $tmp/empty/VERSION/model.onnx" "$scripts/$server" run --dir "$tmp/run" --model "x=$tmp/empty"
  refused 3 "^scripts/servers/$server: $server .*(Protobuf|protobuf|INVALID)" "$scripts/$server" run --dir "$tmp/run" --model "x=$tmp/damaged"
  [ ! -e "$tmp/run" ] || fail "$server left $(find "$tmp/run")"
done

# A parent that is killed takes the server with it.
server=${servers[0]}
"$BASH" -c "\"$scripts/$server\" run --dir \"$tmp/run\" ${models[0]} ${models[1]} >\"$tmp/child\"; true" &
parent=$!
until [ -s "$tmp/child" ]; do kill -0 $parent 2>/dev/null || fail "$server run ended: $(cat "$tmp/child")"; sleep 0.03; done
kill -9 $parent
wait $parent 2>/dev/null || true
for _ in $(seq 400); do [ -e "$tmp/run" ] && sleep 0.025; done
[ ! -e "$tmp/run" ] || fail "$server outlives its parent: $(find "$tmp/run")"
[ -z "$(processes "$tmp/run")" ] || fail "$server left $(processes "$tmp/run")"

# One of which all was killed does not stand in the way of the next of its name; of several of these one starts.
"$scripts/$server" start --name "$name-k" "${models[@]}" >"$tmp/child" || fail "$server does not start"
kill -9 "$(cat "$SOURCE_DIR/.cache/run/$server-$name-k/pid")" "$(field "$tmp/child" pid)"
started=0
for i in 1 2 3; do "$scripts/$server" start --name "$name-k" "${models[@]}" >"$tmp/child$i" 2>"$tmp/err$i" & done
for _ in 1 2 3; do ! wait -n || started=$((started + 1)); done
[ "$started" = 1 ] || fail "$started of three started: $(cat "$tmp"/err?)"
"$scripts/$server" stop --name "$name-k" || fail "$server does not stop"
[ -z "$(processes "$SOURCE_DIR/.cache/run/$server-$name-k/run")" ] || fail "$server left processes"

# One that does not get ready in time, and one that dies.
refused 3 "$server had model fraud not ready within 0 s" env SERVEPATH_SERVER_READY_S=0 "$scripts/$server" run --dir "$tmp/run" "${models[@]}"
[ ! -e "$tmp/run" ] || fail "$server left $(find "$tmp/run")"
rm -f "$tmp/child"
"$scripts/$server" run --dir "$tmp/run" "${models[@]}" >"$tmp/child" 2>"$tmp/err" &
child=$!
until [ -s "$tmp/child" ]; do kill -0 $child 2>/dev/null || fail "$server run ended: $(cat "$tmp/err")"; sleep 0.03; done
kill -9 "$(field "$tmp/child" pid)"
code=0
wait $child || code=$?
grep -q "^scripts/servers/$server: $server ended by itself (exit 137)" "$tmp/err" || fail "a killed $server: $(cat "$tmp/err")"
[ "$code" = 3 ] || fail "a killed $server: exit $code"
[ ! -e "$tmp/run" ] || fail "$server left $(find "$tmp/run")"
[ -z "$(processes "$tmp/run")" ] || fail "$server left $(processes "$tmp/run")"
