#!/usr/bin/env bash
# The four verbs that decide, on the three cases, direct and over a real Kafka: each comes to an end of its own, with every answer
# checked and what it says in all its forms. What the machine lets a short trial find is no matter here.
. "$(dirname "$0")/lib.sh"
: "${KAFKA_BROKER:?a real Kafka}"
cd "$tmp"
short=(--rate 200/s --duration 2s --warmup 500ms --history none --quiet)

# decided FOLDER COMMAND...: any verdict will do, an error will not.
decided() {
  local folder=$1 code=0
  shift
  timeout 200 "$SERVEPATH" "$@" --out "$tmp/$folder" >"$tmp/out" 2>"$tmp/err" || code=$?
  [[ $code = [0124] ]] || fail "$folder: $*: exit $code: $(cat "$tmp/err")"
  [ -s "$tmp/out" ] || fail "$folder: says nothing"
  echo "$folder: exit $code: $(grep -E '^(VERDICT|[A-Z-]+:?) ' "$tmp/out" | tail -n 1)"
}
# checked FOLDER: every trial's answers were compared with what is expected, none differs, and none was lost.
checked() {
  "$PYTHON" - "$tmp/$1" <<'PY' || fail "$1: see above"
import json, pathlib, sys
found = [json.loads(f.read_text()) for f in pathlib.Path(sys.argv[1]).rglob("result.json")]
assert found, "no trial"
for r in found:
    told = r["side"], r["transport"], r["counts"], r["predictions"]
    assert r["predictions"]["checked"] > 0 and r["predictions"]["mismatched"] == 0 and r["counts"]["lost"] == 0, told
PY
}
# page FOLDER: from what lies there.
page() {
  "$SERVEPATH" report "$tmp/$1" --html "$tmp/page.html" --junit "$tmp/junit.xml" --csv "$tmp/table.csv" >"$tmp/out" 2>"$tmp/err" ||
    fail "report $1: $(cat "$tmp/err")"
  grep -q '</html>' "$tmp/page.html" || fail "report $1: no page"
  "$PYTHON" -c 'import sys, xml.etree.ElementTree as e; e.parse(sys.argv[1])' "$tmp/junit.xml" || fail "report $1: JUnit is not XML"
}

for via in direct kafka; do
  stream=()
  [ $via = direct ] || stream=(--broker "$KAFKA_BROKER")
  for case in fraud airline tweet; do
    at=$case-$via
    decided "compare-$at" compare "$fixtures/$case" --side embedded --side rpc --pairs 2 "${short[@]}" "${stream[@]}"
    decided "gate-$at" gate "$fixtures/$case" --side embedded --base-cmd "$SERVEPATH" --candidate-cmd "$SERVEPATH" --pairs 2 \
      "${short[@]}" "${stream[@]}"
    decided "search-$at" search "$fixtures/$case" --side embedded --from 400/s --to 400/s --probe 2s --warmup 500ms \
      --history none --quiet "${stream[@]}"
    for verb in compare gate search; do checked "$verb-$at"; done
    page "compare-$at"
  done
done
