#!/usr/bin/env bash
# servepath search: every trial in a folder of its own, resumed where it was broken off, nothing left behind by a signal. What the
# machine lets a trial find is no matter here: whether the bracket is right is tested on the virtual clock.
. "$(dirname "$0")/lib.sh"

# searched FOLDER OPTION...: a search of one rate; any verdict will do.
searched() {
  local folder=$1 code=0
  shift
  "$SERVEPATH" search "$fixtures/fraud" --side n,path=noop --probe 1s --from 2600/s --to 2600/s --warmup 200ms --history "$tmp/history" \
    --out "$tmp/$folder" "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
  [[ " 0 1 2 4 " == *" $code "* ]] || fail "$folder: exit $code: $(cat "$tmp/err")"
  [ "$(json "$tmp/$folder/search.json" 'r["exit_code"]')" = "$code" ] || fail "$folder: exit $code, another in the file"
}
# fits FOLDER: its search.json fits the schema, which names all of its fields, and each trial lies where it says.
fits() {
  "$PYTHON" - "$SOURCE_DIR/proto/search.schema.json" "$tmp/$1" <<'PY' || fail "$1: search.json does not fit"
import json, pathlib, sys
import jsonschema
schema, folder = json.load(open(sys.argv[1])), pathlib.Path(sys.argv[2])
def close(node):
    if isinstance(node, dict):
        if "properties" in node:
            node["additionalProperties"] = False
        for child in node.values():
            close(child)
close(schema)
found = json.loads((folder / "search.json").read_text())
jsonschema.Draft202012Validator(schema).validate(found)
for side in found["sides"]:
    for trial in side["trials"]:
        result = json.loads((folder / trial["dir"] / "result.json").read_text())
        assert result["load"]["rate_per_s"] == trial["rate_per_s"] and result["load"]["seed"] == trial["seed"], trial
        assert result["backlog_at_t1"] == trial["backlog_at_t1"], trial
    assert len({t["seed"] for t in side["trials"]}) == len(side["trials"])
PY
}
trials() { json "$tmp/$1/search.json" '[(t["dir"], t["seed"], t["verdict"]) for s in r["sides"] for t in s["trials"]]'; }

searched one --json --export-markdown "$tmp/one.md"
fits one
cmp -s "$tmp/out" "$tmp/one/search.json" || fail "--json differs from search.json"
cmp -s "$tmp/one.md" "$tmp/one/report.md" || fail "--export-markdown differs from report.md"
[ "$(json "$tmp/one/search.json" '"short probes" in r["sides"][0]["labels"]')" = True ] || fail "short probes are not labelled"
trials one >"$tmp/first"

# Nothing that lies there is repeated; of another scenario everything is.
started=$(stat -c %Y "$tmp"/one/probes/*/001-*/result.json)
searched one
fits one
trials one | cmp -s - "$tmp/first" || fail "resumed, it found something else: $(trials one)"
[ "$(json "$tmp/one/search.json" 'all(t["found"] for t in r["sides"][0]["trials"])')" = True ] || fail "trials were repeated"
[ "$(stat -c %Y "$tmp"/one/probes/*/001-*/result.json)" = "$started" ] || fail "a trial was written again"
searched one --threads 2
[ "$(json "$tmp/one/search.json" 'any(t["found"] for t in r["sides"][0]["trials"])')" = False ] || fail "trials of another scenario count"

# And of another program, whatever version it calls itself.
cp "$SERVEPATH" "$tmp/other"
printf x >>"$tmp/other"
searched one --threads 2
[ "$(json "$tmp/one/search.json" 'all(t["found"] for t in r["sides"][0]["trials"])')" = True ] || fail "trials were repeated"
SERVEPATH=$tmp/other searched one --threads 2
[ "$(json "$tmp/one/search.json" 'any(t["found"] for t in r["sides"][0]["trials"])')" = False ] || fail "trials of another program count"

# A signal during the second trial: the first stands, and the same command goes on behind it.
"$SERVEPATH" search "$fixtures/fraud" --side n,path=noop --probe 2s --from 1300/s --to 1300/s --warmup 200ms --history none --out "$tmp/cut" \
  >"$tmp/out" 2>"$tmp/err" &
supervisor=$!
for _ in $(seq 1200); do
  compgen -G "$tmp/cut/probes/n/002-*/result.json" >"$tmp/ignored" && break
  sleep 0.025
done
driver=$(child_of "$supervisor" driver)
kill -INT "$supervisor"
code=0
wait "$supervisor" || code=$?
[ "$code" = 130 ] || fail "a signal: exit $code"
gone "$driver"
fits cut
[ "$(json "$tmp/cut/search.json" '(r["complete"], r["incomplete"], len(r["sides"][0]["trials"]))')" = "(False, 'ended by signal 2', 1)" ] ||
  fail "after a signal: $(cat "$tmp/cut/search.json")"
grep -q 'INCOMPLETE' "$tmp/out" || fail "nothing says that it is incomplete: $(cat "$tmp/out")"
code=0
"$SERVEPATH" search "$fixtures/fraud" --side n,path=noop --probe 2s --from 1300/s --to 1300/s --warmup 200ms --history none --out "$tmp/cut" \
  --quiet >"$tmp/out" 2>"$tmp/err" || code=$?
[ "$(json "$tmp/cut/search.json" '(r["complete"], [t["found"] for t in r["sides"][0]["trials"]][:2])')" = "(True, [True, False])" ] ||
  fail "not gone on with: $(cat "$tmp/cut/search.json")"
