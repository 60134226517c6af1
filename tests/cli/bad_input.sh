#!/usr/bin/env bash
# Rubbish in: one line that names the thing, the place and the remedy; the promised exit code; nothing left behind.
set -euo pipefail
: "${SERVEPATH:?}" "${SOURCE_DIR:?}" "${PYTHON:?}"
tmp=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
export XDG_RUNTIME_DIR=$tmp/runtime
mkdir -m 700 "$XDG_RUNTIME_DIR"
fraud=$SOURCE_DIR/fixtures/fraud
n_failed=0

# refuse CODE PATTERN ARGUMENT...: servepath must exit with CODE and say one line that matches PATTERN.
refuse() {
  local code=$1 pattern=$2 told=0
  shift 2
  timeout 30 "$SERVEPATH" "$@" >"$tmp/out" 2>"$tmp/err" || told=$?
  if [ "$told" != "$code" ] || ! grep -qE -- "$pattern" "$tmp/err" || [ "$(wc -l <"$tmp/err")" -gt 1 ]; then
    echo "FAIL servepath $*: exit $told instead of $code, or not one line like /$pattern/:" >&2
    cat "$tmp/err" >&2
    n_failed=$((n_failed + 1))
  fi
}
short=(--warmup 0s --duration 1s --drain 12s --quiet --out "$tmp/trial")

# A copy of the case that can be broken: case NAME.
broken() {
  rm -rf "$tmp/case"
  cp -r "$fraud" "$tmp/case"
}

# --- command line and scenario ---
refuse 64 'unknown verb' runn
refuse 64 'SCENARIO' run
refuse 64 'rate' run "$fraud" --ratee 2000/s "${short[@]}"
refuse 64 '2000.*no unit' run "$fraud" --rate 2000 "${short[@]}"
refuse 64 'duration' run "$fraud" --quiet --out "$tmp/trial" --duration 10parsecs
refuse 64 'embeded' run "$fraud" --side embeded "${short[@]}"
refuse 64 'engine.*onnxruntime' run "$fraud" --side embedded --engine onnxrumtime "${short[@]}"
refuse 64 'path.*embedded' run "$fraud" --side x,path=embeded "${short[@]}"
refuse 64 'protocol.*tfs' run "$fraud" --side rpc --protocol tsf "${short[@]}"
refuse 64 'arrival' run "$fraud" --arrival poison "${short[@]}"
refuse 64 'load.ratee|ratee' run "$fraud" --set load.ratee=1 "${short[@]}"
refuse 64 'cpu|processor' run "$fraud" --cpus driver=4711 "${short[@]}"
refuse 64 'threads' run "$fraud" --threads 0 "${short[@]}"
refuse 64 'times' run "$SOURCE_DIR/fixtures/tweet" --arrival trace "${short[@]}"
refuse 64 'h ahead, and a run waits a day at most' run "$fraud" --broker mock --start-at 2199-01-01T00:00:00Z "${short[@]}"
refuse 64 'is no time' run "$fraud" --broker mock --start-at 9999999999 "${short[@]}"
refuse 3 'no/such' run "$tmp/no/such" "${short[@]}"
broken && echo 'recordin: x' >>"$tmp/case/scenario.yaml"
refuse 64 'scenario.yaml:[0-9]+.*recordin.*recording' run "$tmp/case" "${short[@]}"
broken && echo ': [' >>"$tmp/case/scenario.yaml"
refuse 64 'scenario.yaml:[0-9]+' run "$tmp/case" "${short[@]}"
broken && : >"$tmp/case/scenario.yaml"
refuse 64 'scenario.yaml' run "$tmp/case" "${short[@]}"

# --- recording ---
broken && rm "$tmp/case/fraud.sprec"
refuse 3 'fraud.sprec' run "$tmp/case" "${short[@]}"
broken && : >"$tmp/case/fraud.sprec"
refuse 3 'fraud.sprec' run "$tmp/case" "${short[@]}"
broken && truncate -s 100000 "$tmp/case/fraud.sprec"
refuse 3 'fraud.sprec.*event [0-9]+' run "$tmp/case" "${short[@]}"
broken && printf 'X' | dd of="$tmp/case/fraud.sprec" bs=1 seek=50000 conv=notrunc status=none
refuse 3 'fraud.sprec' run "$tmp/case" "${short[@]}"
broken && cp "$fraud/README.md" "$tmp/case/fraud.sprec"
refuse 3 'fraud.sprec' run "$tmp/case" "${short[@]}"

# --- model ---
for side in embedded rpc; do
  broken && rm -r "$tmp/case/models/fraud/1"
  refuse 3 'models/fraud' run "$tmp/case" --side $side "${short[@]}"
  broken && : >"$tmp/case/models/fraud/1/model.onnx"
  refuse 3 'model.onnx' run "$tmp/case" --side $side "${short[@]}"
  broken && truncate -s 500 "$tmp/case/models/fraud/1/model.onnx" && rm -r "$tmp/case/expected"
  refuse 3 'model.onnx' run "$tmp/case" --side $side "${short[@]}"
  refuse 64 'score.*scor[^e]|scores' run "$fraud" --side $side --set output.tensor=scores "${short[@]}"
  broken && sed -i 's/name: transaction/name: transactoin/' "$tmp/case/scenario.yaml"
  refuse 64 'transactoin.*transaction' run "$tmp/case" --side $side "${short[@]}"
  broken && sed -i 's/dtype: float32/dtype: float64/' "$tmp/case/scenario.yaml"
  refuse 64 'transaction.*float' run "$tmp/case" --side $side "${short[@]}"
  broken && sed -i 's/Time, V1, V2, V3/V1, V2, V3/; s/shape: \[1, 30\]/shape: [1, 29]/' "$tmp/case/scenario.yaml"
  refuse 64 '29|30' run "$tmp/case" --side $side "${short[@]}"
done
broken && sed -i 's/xxh128:./xxh128:0/g' "$tmp/case/expected/fraud-1.jsonl"
refuse 3 'expected' run "$tmp/case" --side embedded "${short[@]}"
broken && truncate -s 20000 "$tmp/case/expected/fraud-1.jsonl"
refuse 3 'fraud-1.jsonl' run "$tmp/case" --side embedded "${short[@]}"
SERVEPATH_ONNXRUNTIME=$tmp/none.so refuse 3 'ONNX Runtime|onnxruntime' run "$fraud" --side embedded "${short[@]}"

# --- server ---
refuse 3 'cannot reach model server' run "$fraud" --side rpc --server 127.0.0.1:9 --connect-timeout 1s "${short[@]}"
refuse 64 'address|server' run "$fraud" --side rpc --server 'nonsense' --connect-timeout 1s "${short[@]}"
"$PYTHON" -c '
import http.server, sys
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
print(s.server_port, flush=True)
s.serve_forever()' >"$tmp/port" 2>/dev/null &
server=$!
until [ -s "$tmp/port" ]; do sleep 0.05; done
port=$(cat "$tmp/port")
refuse 3 'cannot reach model server|not.*gRPC' run "$fraud" --side rpc --server "127.0.0.1:$port" --connect-timeout 2s "${short[@]}"
refuse 3 'in use|taken|bind|listen' model-server --model "fraud=$fraud/models/fraud" --address "127.0.0.1:$port"
kill "$server" && server=""
refuse 3 'nosuch' model-server --model "fraud=$tmp/nosuch" --address 127.0.0.1:0
refuse 64 'stub' verify "$fraud" --stub fixed --side rpc --quiet --out "$tmp/verify"

# --- folders ---
touch "$tmp/file"
refuse 3 'file' run "$fraud" --warmup 0s --duration 1s --quiet --out "$tmp/file/trial"
mkdir "$tmp/full"
if mount -t tmpfs -o size=16k tmpfs "$tmp/full" 2>/dev/null; then
  head -c 12000 /dev/zero >"$tmp/full/ballast"
  refuse 3 'full' run "$fraud" --warmup 0s --duration 1s --quiet --out "$tmp/full/trial"
  umount "$tmp/full"
fi
refuse 3 'nothing|no result|result' report "$tmp/runtime"
mkdir "$tmp/half" && echo '{"schema":"servepath.result/1"' >"$tmp/half/result.json"
refuse 3 'half' report "$tmp/half"
refuse 3 'half' inspect "$tmp/half"

left=$(find "$XDG_RUNTIME_DIR" -mindepth 2 -name 'run-*' | wc -l)
[ "$left" = 0 ] || { echo "FAIL $left run folders are left" >&2 && n_failed=$((n_failed + 1)); }
[ "$n_failed" = 0 ]
