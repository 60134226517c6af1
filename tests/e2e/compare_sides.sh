#!/usr/bin/env bash
# compare where sides have a model, a transport or a broker of their own: each is measured with its own, judged by its own expectations, and
# what differs is said.
. "$(dirname "$0")/lib.sh"
cd "$tmp"
export SERVEPATH_HOME=$SOURCE_DIR

closed=(--arrival closed --concurrency 4 --duration 1s --warmup 200ms --pairs 1 --history none)
# compared CODES OUT ARGUMENT...: of short trials in a closed loop, which no busy machine makes late; in a bad minute every try of a pair is
# invalid all the same, in three of them it is not the machine.
compared() {
  local want=$1 out=$2 code
  shift 2
  for _ in 1 2 3; do
    rm -rf "$out"
    code=0
    "$SERVEPATH" compare "$@" "${closed[@]}" --out "$out" >"$tmp/out" 2>"$tmp/err" || code=$?
    ! grep -q 'no event in the measured window' "$tmp/err" || continue # a standstill of a second
    [[ " $want " == *" $code "* ]] || fail "compare $*: exit $code, not one of $want: $(cat "$tmp/out" "$tmp/err")"
    pair=$(cd "$out/pairs" && printf '%s\n' [0-9]* | head -n 1)
    [ ! -d "$out/pairs/$pair" ] || return 0
  done
  fail "compare $*: no valid pair: $(cat "$tmp/err")"
}
says() {
  [ "$(json "$1" "$2")" = True ] || fail "$1: not so: $2: $(cut -c1-2000 "$1")"
}
# fact OUT SIDE EXPRESSION: of the side's trial.
fact() { json "$1/pairs/$pair/$2/result.json" "$3"; }

# A second version with the same bytes, and a third whose answers are others, each with its own expectations.
cp -r "$fixtures/fraud" fraud
cp -r fraud/models/fraud/1 fraud/models/fraud/2
mkdir -p other/fraud/3
"$PYTHON" - fraud/models/fraud/1/model.onnx other/fraud/3/model.onnx <<'PY'
import pathlib, sys
model = bytearray(pathlib.Path(sys.argv[1]).read_bytes())
weights = max(range(len(model) - 400), key=lambda i: len(set(model[i:i + 400])))
model[weights + 100] ^= 0x40  # somewhere among the weights
pathlib.Path(sys.argv[2]).write_bytes(model)
PY
sed '1s/"version":"1"/"version":"2"/' fraud/expected/fraud-1.jsonl >fraud/expected/fraud-2.jsonl
"$SERVEPATH" verify fraud --side third,path=embedded,model=other/fraud/3 --update >"$tmp/out" 2>"$tmp/err" ||
  fail "no expectations of version 3: $(cat "$tmp/out" "$tmp/err")"
[ -s fraud/expected/fraud-3.jsonl ] || fail "version 3 has no expectations of its own"

compared "0 1 2 4" models fraud --side first,path=embedded,model.version=1 --side second,path=rpc,model.version=2 \
  --side third,path=embedded,model=other/fraud/3
for side in first second third; do
  [ "$(fact models $side 'r["predictions"]["checked"] > 0 and r["predictions"]["mismatched"] == 0')" = True ] ||
    fail "$side is not right by its own expectations: $(fact models $side 'r["predictions"]')"
done
[ "$(fact models first 'r["model"]["version"]') $(fact models second 'r["model"]["version"]') $(fact models third 'r["model"]["version"]')" = "1 2 3" ] ||
  fail "the versions are not those asked for"
[ "$(fact models third 'r["predictions"]["source"]')" = self ] || fail "version 3 was checked against $(fact models third 'r["predictions"]["source"]')"
# The copies are compared with each other, the third with nobody.
says models/comparison.json 'r["predictions"]["differing"] == 0 and r["predictions"]["compared"] > 0'
says models/comparison.json 'any(line.startswith("models differ: first fraud 1, second fraud 2, third fraud 3; each one") and "not compared across sides" in line for line in r["remarks"])'
says models/comparison.json 'any(line.startswith("model.version: 1, 2, 3") for line in r["differences"])'

# No such version, no such folder: named with the side.
refused 3 'sides.embedded.model.version: .*no version 9; it holds' "$SERVEPATH" compare fraud --side embedded,model.version=9 --side rpc
refused 3 'sides.embedded.model.dir: cannot read nowhere' "$SERVEPATH" compare fraud --side embedded,model=nowhere --side rpc

# Without a broker and over the mock: counts and processors are compared, times are not.
ways=(fraud --side "direct,path=embedded,transport=direct" --side "kafka,path=embedded,transport=kafka")
refused 2 "mock broker's latency is an artefact" "$SERVEPATH" compare "${ways[@]}" --out refused
compared "0 2 4" ways "${ways[@]}" --metrics cpu_per_event
[ "$(fact ways direct 'r["transport"]') $(fact ways kafka 'r["transport"]') $(fact ways kafka 'r["broker"]["kind"]')" = "direct kafka mock" ] ||
  fail "not over what was asked for"
says ways/comparison.json 'r["complete"] and any(line == "transports differ: direct direct, kafka kafka; the ratios are of that too" for line in r["remarks"])'
says ways/comparison.json 'r["predictions"]["differing"] == 0 and r["predictions"]["compared"] > 0'
says ways/comparison.json 'any("mock broker: its latency is an artefact" in line for line in r["remarks"])'
says ways/comparison.json '[s["mock"] for s in r["sides"]] == [False, True]'

# Two brokers that run, named in YAML; a mock makes its topics when it starts.
start_broker() {
  "$SERVEPATH" broker --topic creditcard:3 --topic creditcard_score:3 --ready-file "$tmp/$1.ready" >/dev/null 2>&1 &
  brokers+=("$!")
  for _ in $(seq 400); do
    [ -s "$tmp/$1.ready" ] && break
    sleep 0.025
  done
  address=$(json "$tmp/$1.ready" 'r["address"]')
}
start_broker one
one=$address
start_broker two
two=$address
cat >brokers.yaml <<YAML
sides:
  a: {path: embedded, broker: "$one"}
  b: {path: embedded, broker: "$two"}
YAML
compared "0 2 4" brokers fraud --overlay brokers.yaml --side a --side b --reuse-topics --metrics cpu_per_event
[ "$(fact brokers a 'r["broker"]["address"]') $(fact brokers b 'r["broker"]["address"]')" = "$one $two" ] || fail "not the brokers asked for"
says brokers/comparison.json "any(line.startswith('brokers differ: a $one, b $two;') for line in r['remarks'])"

refused 64 'sides.a.broker: .*transport direct has no broker' "$SERVEPATH" compare fraud --side a,path=embedded,transport=direct,broker=mock --side rpc
refused 64 'sides.a.broker: "somewhere" is no broker' "$SERVEPATH" compare fraud --side a,path=embedded,broker=somewhere --side rpc

[ -z "$(ls "$XDG_RUNTIME_DIR/servepath" 2>/dev/null)" ] || fail "run folders are left: $(ls "$XDG_RUNTIME_DIR/servepath")"
