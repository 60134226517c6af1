#!/usr/bin/env bash
# compare for real: sides in pairs, what is written, what differs, broken off and gone on with, nothing left behind.
. "$(dirname "$0")/lib.sh"
cd "$tmp"

# compared CODES ARGUMENT...: of short trials in a closed loop, which no busy machine makes late. Others may still be invalid (2), and
# so few conclude nothing (4).
closed=(--arrival closed --concurrency 4 --duration 1s --warmup 200ms)
compared() {
  local code=0 want=$1
  shift
  "$SERVEPATH" compare "$@" "${closed[@]}" >"$tmp/out" 2>"$tmp/err" || code=$?
  [[ " $want " == *" $code "* ]] || fail "compare $*: exit $code, not one of $want: $(cat "$tmp/out" "$tmp/err")"
}
# says FILE EXPRESSION: of a comparison.json
says() {
  [ "$(json "$1" "$2")" = True ] || fail "$1: not so: $2: $(cut -c1-2000 "$1")"
}

# Three sides, rotated; a case with a model of our own and one whose weight was changed.
mkdir -p own/models/own/1
cp "$SOURCE_DIR/tests/contract/models/affine/1/model.onnx" own/models/own/1/
"$PYTHON" - own/models/own/1/model.onnx changed.onnx <<'PY'
import pathlib, struct, sys
model = pathlib.Path(sys.argv[1]).read_bytes()
weight = struct.pack("<3f", 1, 10, 100)
assert model.count(weight) == 1
pathlib.Path(sys.argv[2]).write_bytes(model.replace(weight, struct.pack("<3f", 1, 10, 101)))
PY
{ echo a,b,c && seq 50 | sed 's/.*/&,2,3/'; } >own/own.csv
cat >own/scenario.yaml <<'YAML'
version: 1
name: own
recording: own.sprec
model: {name: own, dir: models/own}
input: {header: [a, b, c], tensors: [{name: x, shape: [1, 3], columns: [a, b, c]}]}
output: {tensor: sum, as: array}
sides:
  embedded: {path: embedded}
  rpc: {path: rpc}
  again: {path: embedded, threads: 2}
  nothing: {path: noop}
YAML
"$SERVEPATH" import own/own.csv -o own/own.sprec >/dev/null 2>&1
# In a bad minute of the machine every try of a pair is invalid; in three of them it is not the machine.
for _ in 1 2 3; do
  rm -rf three results/history.jsonl
  compared "2 4" own --pairs 2 --out three
  pair=$(cd three/pairs && printf '%s\n' [0-9]* | head -n 1)
  [ ! -d "three/pairs/$pair" ] || break
done
[ "$(grep -c 'pair [12]/2' "$tmp/err")" -ge 2 ] || fail "not a line a pair: $(cat "$tmp/err")"
for file in comparison.json report.md report.html comparison.csv junit.xml; do
  [ -s "three/$file" ] || fail "no three/$file"
done
for side in embedded rpc again; do [ -s "three/pairs/$pair/$side/result.json" ] || fail "no trial of $side"; done
[ ! -e three/answers ] || fail "answers are left"
says three/comparison.json 'r["complete"] and [s["name"] for s in r["sides"]] == ["embedded", "rpc", "again"]'
says three/comparison.json 'r["predictions"]["differing"] == 0 and r["predictions"]["compared"] > 0'
says three/comparison.json "'pairs/$pair/rpc' in [t['dir'] for t in r['trials']]"
says three/comparison.json 'any("threads differ: embedded 1, rpc 1, again 2" in line for line in r["remarks"])'
[ "$(json "three/pairs/$pair/rpc/result.json" 'r["load"]["seed"]')" = "$(json "three/pairs/$pair/again/result.json" 'r["load"]["seed"]')" ] ||
  fail "a pair of two seeds"

# The same command has nothing left to run; another load is another comparison.
runs() { for f in "$1"/pairs/*/*/result.json; do json "$f" 'r["run_id"]'; done; }
before=$(runs three)
compared "2 4" own --pairs 2 --out three
[ "$before" = "$(runs three)" ] || fail "trials were run again"
[ "$(grep -c '"side":"rpc"' results/history.jsonl)" = 1 ] || fail "not one line of rpc: $(cat results/history.jsonl)"
says three/comparison.json 'r["predictions"]["compared"] > 0'
# One pair more, because of what was seen, is no look that was announced; that stays said.
compared "2 4" own --pairs 3 --out three
says three/comparison.json 'any(line.startswith("judged before at 2 pairs") for line in r["remarks"])'
compared "2 4" own --pairs 3 --out three
says three/comparison.json 'sum(line.startswith("judged before at 2 pairs") for line in r["remarks"]) == 1'
refused 64 'three holds trials of another scenario.*--out' "$SERVEPATH" compare own --pairs 2 "${closed[@]}" --threads 3 --out three

# A trial that cannot start ends it; the side is named.
code=0
"$SERVEPATH" compare own --side embedded --side missing,path=embedded,model_file=missing.onnx --pairs 1 --out missing --quiet \
  >"$tmp/out" 2>"$tmp/err" || code=$?
{ [ "$code" = 3 ] || [ "$code" = 64 ]; } || fail "exit $code: $(cat "$tmp/err")"
grep -q 'servepath compare: side missing: .*missing.onnx' "$tmp/err" || fail "$(cat "$tmp/err")"

# An open loop: response times are compared, as far as the machine lets them be measured.
code=0
"$SERVEPATH" compare own --side embedded --side rpc --pairs 1 --rate 300/s --duration 500ms --warmup 500ms --out open --quiet >"$tmp/out" 2>"$tmp/err" || code=$?
[[ $code = [24] ]] || fail "open loop: exit $code: $(cat "$tmp/err")"
says open/comparison.json 'any(m["name"] == "response_p50" for m in r["metrics"]) and r["complete"]'

# Over the mock broker processors and predictions can be compared. An application of somebody else's, with another model: what it
# answers otherwise is found, named, and the exit code.
cp -r own changed && mv changed.onnx changed/models/own/1/model.onnx
cat >app <<'SH'
#!/bin/sh
exec "$SERVEPATH" app changed --side embedded --transport kafka --broker "$SERVEPATH_BROKER" --group "$SERVEPATH_GROUP" \
  --input-topic "$SERVEPATH_INPUT_TOPIC" --output-topic "$SERVEPATH_OUTPUT_TOPIC"
SH
chmod +x app
export SERVEPATH
compared "1 2" own --history none --side embedded --side changed,path=embedded,app="$tmp/app" --broker mock --metrics cpu_per_event --pairs 1 --out compared --json
says compared/comparison.json 'r["predictions"]["differing"] == r["predictions"]["compared"] > 0'
says compared/comparison.json '"changed and embedded differ by 3" in r["predictions"]["examples"][0]["text"]'
says compared/comparison.json 'any("changed is an application of others" in line for line in r["remarks"])'
cmp -s "$tmp/out" compared/comparison.json || fail "--json is not what was written"

# A driver that is killed takes its trial with it, and the pair is run once more: that is no reason to refuse the rest.
"$SERVEPATH" compare own --side embedded --side rpc --pairs 1 "${closed[@]}" --duration 5s --history none --out killed \
  >"$tmp/killed.out" 2>"$tmp/killed.err" &
whole=$!
driver=$(child_of "$whole" driver)
sleep 1 # until it sends
kill -KILL "$driver"
code=0
wait "$whole" || code=$?
[[ $code = [24] ]] || fail "exit $code after a driver's death: $(cat "$tmp/killed.err")"
says killed/comparison.json 'r["complete"] and sum(side["incomplete"] for side in r["sides"]) == 1'

# Broken off by a signal in its second pair: what was measured stands there, nothing is left, and the same command goes on.
setsid "$SERVEPATH" compare own --side embedded --side rpc --pairs 2 "${closed[@]}" --out cut \
  >"$tmp/cut.out" 2>"$tmp/cut.err" &
whole=$!
for _ in $(seq 600); do
  [ -d cut/pairs/002 ] && [ -e cut/comparison.json ] && break
  [ -d "/proc/$whole" ] || break
  sleep 0.05
done
driver=$(child_of "$whole" driver)
refused 3 'cut is being written by another servepath' "$SERVEPATH" compare own --side embedded --side rpc --pairs 2 "${closed[@]}" --out cut
kill -INT "$whole"
code=0
wait "$whole" || code=$?
[ "$code" = 130 ] || fail "exit $code after SIGINT: $(cat "$tmp/cut.err")"
gone "$driver"
grep -q 'goes on' "$tmp/cut.err" || fail "no way on: $(cat "$tmp/cut.err")"
says cut/comparison.json 'not r["complete"] and "signal 2" in r["incomplete"] and len(r["trials"]) >= 2 and r["exit_code"] == 130'
[ ! -e cut/answers ] || fail "answers are left"
first=$(json cut/pairs/001/rpc/result.json 'r["run_id"]') || first="" # none where the first pair was left out
compared "2 4" own --side embedded --side rpc --pairs 2 --out cut
says cut/comparison.json 'r["complete"]'
[ -z "$first" ] || [ "$first" = "$(json cut/pairs/001/rpc/result.json 'r["run_id"]')" ] || fail "the first pair was run again"

# Nothing of all these is left.
[ -z "$(ls "$XDG_RUNTIME_DIR/servepath" 2>/dev/null)" ] || fail "run folders are left: $(ls "$XDG_RUNTIME_DIR/servepath")"
