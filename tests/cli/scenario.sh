#!/usr/bin/env bash
# Scenarios on the real command line: exit codes, one line on stderr that names the place, help and reference pages.
set -euo pipefail
: "${SERVEPATH:?}" "${SOURCE_DIR:?}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
fraud=$SOURCE_DIR/fixtures/fraud
n_failed=0

# refuse CODE MESSAGE ARGUMENT...: exits with CODE, says exactly that one line on stderr and nothing on stdout.
refuse() {
  local code=$1 message=$2 told=0
  shift 2
  timeout 20 "$SERVEPATH" "$@" >out 2>err || told=$?
  if [ "$told" != "$code" ] || [ "$(cat err)" != "servepath $message" ] || [ -s out ]; then
    echo "FAIL servepath $*: exit $told, wanted $code and: servepath $message" >&2
    cat err >&2
    n_failed=$((n_failed + 1))
  fi
}

refuse 64 'run: needs a SCENARIO: a folder or a YAML file, as in servepath run fixtures/fraud' run
refuse 64 'run: unknown option --ratee; did you mean --rate?' run "$fraud" --ratee 5/s
refuse 64 'run: --rate needs a value; write --rate RATE' run "$fraud" --rate
refuse 64 'run: --rate: load.rate: "2000" has no unit; write 2000/s' run "$fraud" --rate 2000
refuse 64 'run: --set: rate: unknown key; did you mean load.rate?' run "$fraud" --set rate=5/s
refuse 64 'run: --side: the scenario has no rcp; did you mean rpc? (a new side names its path: rcp,path=rpc)' \
  run "$fraud" --side rcp
refuse 64 'verify: --threads: sides.embedded.threads: must be 1 to 1024' verify "$fraud" --threads 0
refuse 3 'run: cannot read gone (No such file or directory); name a folder that holds scenario.yaml, or a YAML file' \
  run gone

# The message names the file as it was named, with line and column.
mkdir -p case/models/m/1
touch case/x.sprec
cat >case/scenario.yaml <<'END'
version: 1
name: case
recording: x.sprec
model: {name: m, dir: models/m}
input: {header: [A], tensors: [{name: x, shape: [1, 1], columns: [A]}]}
output: {tensor: y}
load: {rate: 2000}
sides: {embedded: {}}
END
refuse 64 'run: case/scenario.yaml:7:14: load.rate: "2000" has no unit; write 2000/s' run case
refuse 64 'run: case/scenario.yaml:7:14: load.rate: "2000" has no unit; write 2000/s' run case/scenario.yaml
(cd case && refuse 64 'run: ./scenario.yaml:7:14: load.rate: "2000" has no unit; write 2000/s' run .)
echo 'load: {rate: 5/s, ratee: 1}' >over.yaml
refuse 64 'run: over.yaml:1:19: load: unknown key ratee; did you mean rate?' run case --overlay over.yaml
rm case/x.sprec
refuse 3 'run: case/scenario.yaml:3:12: recording: cannot read case/x.sprec (No such file or directory); name a recording; servepath import makes one' \
  run case --rate 5/s
# Whatever a file holds, a terminal is not driven by it.
printf 'version: "1\\e[31m"\n' >case/scenario.yaml
refuse 64 'run: case/scenario.yaml:1:10: version: this servepath reads version 1 of the language, not 1?[31m' run case

# Pages.
for page in --schema --markdown --help-text; do
  "$SERVEPATH" reference "$page" >out 2>err
  if [ ! -s out ] || [ -s err ]; then echo "FAIL reference $page" >&2 && n_failed=$((n_failed + 1)); fi
done
refuse 64 'reference: unknown option --schemas; did you mean --schema?' reference --schemas
"$SERVEPATH" run --help >out 2>err
for flag in --rate --threads --server --side --out --set --overlay --delay; do
  grep -q -- "^  .*$flag " out || { echo "FAIL run --help lacks $flag" >&2 && n_failed=$((n_failed + 1)); }
done

exit $((n_failed > 0))
