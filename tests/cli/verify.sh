#!/usr/bin/env bash
# servepath verify on a user's own case: no expected predictions yet, --update writes them, a changed one is found.
. "$(dirname "$0")/lib.sh"
servepath() { # CODE ARGUMENT...
  local code=0 want=$1
  shift
  "$SERVEPATH" "$@" --quiet >out 2>err || code=$?
  [ "$code" -eq "$want" ] || fail "exit $code instead of $want: servepath $*"
}
expect() { grep -qF -- "$1" "$2" || fail "no \"$1\" in $2"; }

mkdir -p own/models/own/1
cp "$SOURCE_DIR/tests/contract/models/affine/1/model.onnx" own/models/own/1/
mkdir own/models/own/1/more && echo text >own/models/own/1/more/file && touch own/models/own/1/.hidden
printf 'a,b,c\n1,2,3\n4,5,NA\n' >own/own.csv
cat >own/scenario.yaml <<'YAML'
version: 1
name: own
recording: own.sprec
model: {name: own, dir: models/own}
input:
  header: [a, b, c]
  tensors: [{name: x, shape: [1, 3], columns: [a, b, {column: c, missing: 0}]}]
output: {tensor: sum, as: array}
sides: {embedded: {path: embedded}}
YAML
"$SERVEPATH" import own/own.csv -o own/own.sprec 2>err >out || fail import
servepath 4 verify own
expect '(no reference) on 2 of 2' out
# What it is at is said in its own words: it has no warm-up and no window.
code=0
"$SERVEPATH" verify own >out 2>err || code=$?
[ "$code" = 4 ] || fail "exit $code instead of 4 without --quiet"
{ grep -qE '^own embedded: [0-9]+ answered, [0-9]+ awaited, not ok 0$' err && ! grep -q warm-up err; } || fail "not what verify is at"
expect 'next: servepath verify own --update' err
servepath 0 verify own --update
expect '"recording":"own.sprec"' own/expected/own-1.jsonl
grep -qE '"model_digests":\{"model.onnx":"xxh128:[0-9a-f]{32}","more/file":"xxh128:[0-9a-f]{32}"\}' \
  own/expected/own-1.jsonl || fail "not the digests of every model file"
# sum = a + 10 b + 100 c, by hand
expect '{"i":0,"v":[321]}' own/expected/own-1.jsonl
expect '{"i":1,"v":[54]}' own/expected/own-1.jsonl
servepath 0 verify own --export-markdown verify.md
expect '= expected (source: self) on 2 of 2' out
expect '= expected (source: self) on 2 of 2' verify.md
sed -i 's/\[54\]/[54.1]/' own/expected/own-1.jsonl
servepath 1 verify own --json
"$PYTHON" - <<'PY' || fail "JSON"
import json
told = json.load(open("out"))
assert told["alike"] == 1 and told["exit_code"] == 1, told
PY
servepath 0 verify own --update
expect '{"i":1,"v":[54]}' own/expected/own-1.jsonl
# An event that is expected to be refused, and is, is right; one that is answered all the same is not.
sed -i 's/"i":1,"v":\[54\]/"i":1,"outcome":"malformed"/' own/expected/own-1.jsonl
servepath 1 verify own
sed -i 's/missing: 0/missing: malformed/' own/scenario.yaml
servepath 0 verify own --update
expect '2 ok, 0 unchecked' out
expect '{"i":1,"outcome":"malformed"}' own/expected/own-1.jsonl
# A transport that is not there is refused, not replaced by another; one that is gives the same answers.
servepath 64 run own --transport pigeon
expect '"pigeon" is unknown; one of: auto, direct, kafka' err
servepath 0 verify own -b mock
expect '2 ok, 0 unchecked' out

# --- What differs: by how much, and its value only where that is asked for; the same in JUnit, on direct sides too ---
sed -i '2s/"v":\[321\]/"v":[321.5]/' own/expected/own-1.jsonl
servepath 1 verify own --junit out.xml --export-markdown verify.md
for said in out verify.md out.xml; do
  expect 'event 0: sum[0] differs by 0.5' $said
  ! grep -q '321' $said || fail "a value is shown in $said"
done
"$PYTHON" - <<'PY' || fail "JUnit: $(cat out.xml)"
import xml.etree.ElementTree as xml
suite, = xml.parse("out.xml").getroot()
assert suite.get("name") == "own.embedded" and suite.get("failures") == "1" and suite.get("errors") == "0", suite.attrib
assert {case.get("name"): [c.tag for c in case] for case in suite} == {
    "predictions": ["failure"], "answered": [], "duplicates": [], "order": []}
PY
servepath 1 verify own --json
"$PYTHON" - <<'PY' || fail "JSON: $(cat out)"
import json
side, = json.load(open("out"))["sides"]
assert "321" not in json.dumps([side[k] for k in ("findings", "cases", "predictions", "errors")]) and side["counts"]["ok"] == 1
assert [(d["event"], d["kind"], d["difference"]) for d in side["findings"]["differing"]] == [(0, "value", 0.5)]
assert [c["state"] for c in side["cases"]] == ["failed", "passed", "passed", "passed"]
PY
servepath 1 verify own --show-values
expect 'event 0: sum[0]: 321 instead of 321.5, differs by 0.5' out
servepath 3 verify own --junit none/out.xml
expect 'none/out.xml' err
servepath 64 verify own --app './app' --side embedded --side other,path=embedded
expect '--app is one application; name one --side that it stands for' err
servepath 64 verify own --app './app' --transport direct
expect 'sides.embedded.app' err
servepath 3 verify own --app './none' -b mock --junit out.xml
expect 'application 1 exited with code 127 before it was ready' err
expect '<error message="application 1 exited with code 127 before it was ready' out.xml
