#!/usr/bin/env bash
# servepath report: medians and ranges of valid trials alone, what was left out named, foreign files refused, nothing that
# a file says can drive a terminal or break the Markdown.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$BUILD_DIR/test_result" "$work/made" >/dev/null 2>&1

fail() { echo "$*" >&2 && cat out err >&2 && exit 1; }
report() { "$SERVEPATH" report "$@" >out 2>err; }
expect() { grep -qE -- "$1" "${2:-out}" || fail "no /$1/ in ${2:-out}"; }
refused() { # CODE TEXT ARGUMENT...
  local code=0 want=$1 text=$2
  shift 2
  report "$@" || code=$?
  [ "$code" -eq "$want" ] || fail "exit $code instead of $want: report $*"
  [ "$(wc -l <err)" -eq 1 ] || fail "not one line"
  expect "$text" err
}

# make FOLDER STATEMENT: a valid trial of 6 s, changed by the statement (r is the result).
make() {
  "$PYTHON" - "$work/made/a/b/full/result.json" "$@" <<'END'
import json, os, sys, uuid
base, folder, statement = sys.argv[1:]
r = json.load(open(base))
r["run_id"] = uuid.uuid4().hex
r["validity"] = {"verdict": "valid", "reasons": [], "checks": []}
for name in ("p50", "p90", "p99"):
    r["response_ns"][name], r["response_ns"]["state"][name] = 9000, "resolved"
r["bounds"], r["errors"] = [], []
r["machine"].update(placement="driver=0,app=1,server=1", co_located=True, co_located_roles="application and server",
                    governor="", hypervisor="")
r["validity"]["checks"] = [
    {"name": "poll_gap_ns", "value": 79540.0, "limit": 1e7, "met": True, "remedy": None},
    {"name": "late_share", "value": 0.002, "limit": 0.01, "met": True, "remedy": None},
]
exec(statement)
os.makedirs(folder, exist_ok=True)
json.dump(r, open(os.path.join(folder, "result.json"), "w"))
END
}
make runs/one/1 'r["response_ns"]["p99"] = 31000'
make runs/one/2 'r["response_ns"]["p99"] = 29000'
make runs/one/3 'r["response_ns"]["p99"] = 90000'
make runs/4 'r["response_ns"]["p99"] = 1; r["validity"]["reasons"] = ["clock stepped by 3 s"]'
make runs/5 'r["complete"] = False; r["incomplete"] = "ended by signal 2"'
make runs/6 'r["side"] = "embedded"; r["response_ns"]["state"]["p99"] = "no_answer"; r["response_ns"]["p99"] = None
r["response_ns"]["state"]["p90"] = "episodic"; r["response_ns"]["driver_limited"] = ["p50"]'
cp -r runs/one/1 runs/one/7 # the same run twice

report runs
expect '^case +via +side +rate/s +p50 +p90 +p99 \| svc p99'
expect '^fraud +direct +embedded +501 +9µs d +9µs e +no answer \|.*yes$'
expect '^fraud +direct +rpc +501 +9µs +9µs +31µs \|.*\| +6\.2 \+ \? \|.* 3 of 5$'
expect '29–90µs'
expect 'medians of up to 3 trials'
expect 'invalid, left out: runs/4: clock stepped by 3 s'
expect 'incomplete, left out: runs/5: ended by signal 2'
expect '^e episodic: '
expect '^co-located: application and server shared a core \(placement driver=0,app=1,server=1\)$'
expect '^d driver-limited: '
expect '^next: servepath report runs --html report.html' err
[ "$(awk '{ if (length > 112) n++ } END { print n + 0 }' <(head -5 out))" -eq 0 ] || fail "wider than 112 columns"

# Why a bound is open: its percentile is episodic, or the driver's lateness may have made the value.
make open/1 'r["bounds"] = [{"name": "expect.p90", "limit": 5000, "value": 9000, "met": None}]; r["response_ns"]["state"]["p90"] = "episodic"'
make open/2 'r["bounds"] = [{"name": "expect.p90", "limit": 5000, "value": 9000, "met": None}]; r["response_ns"]["driver_limited"] = ["p90"]'
make open/3 'r["bounds"] = [{"name": "expect.p90", "limit": 5000, "value": 9000, "met": None}]; r["response_ns"]["state"]["p90"] = "unresolved"'
report open
expect 'bound expect.p90 is inconclusive: .*the percentile is not resolved; use a longer --duration \(open/3\)'
expect 'bound expect.p90 is inconclusive: .*few seconds hold all that is slower; use a longer --duration, or a quieter machine \(open/1\)'
expect 'bound expect.p90 is inconclusive: .*the driver was late, which may have caused it; use a lower --rate.* \(open/2\)'

report runs --json --export-json report.json --export-markdown report.md
cmp out report.json
"$PYTHON" - <<'END'
import json
rows = {row["side"]: row for row in json.load(open("report.json"))["rows"]}
assert rows["rpc"]["response_ns"]["p99"]["median"] == 31000, rows["rpc"]
assert (rows["rpc"]["response_ns"]["p99"]["min"], rows["rpc"]["response_ns"]["p99"]["max"]) == (29000, 90000)
assert rows["rpc"]["valid"] == 3 and len(rows["rpc"]["trials"]) == 5
assert rows["embedded"]["response_ns"]["p99"]["no_answer"] is True
END
expect '^\| fraud \| direct \| rpc \|.* 31µs \(29–90µs\) \|' report.md
expect '^## How to repeat' report.md

expect '^\| fraud \| direct \| rpc \| poll\\_gap\\_ns \| 79\.5µs \| 10ms \|' report.md
expect '\| late\\_share \| 0\.2% \| 1% \|' report.md
if grep -qE 'governor|hypervisor' report.md; then fail "an empty fact is shown"; fi

# Nothing complete: a note, no row.
report runs/5
expect 'incomplete, left out: runs/5: ended by signal 2'
if grep -q '^fraud' out; then fail "a row without a complete trial"; fi

# No valid trial: figures of the invalid ones, marked.
report runs/4
expect ' no$'
expect 'no valid trial'

# What happened to a part meanwhile is told beside the figures that it explains.
make killed/1 'r["timeline"][0]["marks"] = ["app 1 killed (SIGKILL)"]'
report killed
expect '^fraud direct .*at -?[0-9]+ s: app 1 killed \(SIGKILL\) \(killed/1\)$'

# Whatever a file says stays text.
make evil/1 'r["scenario"]["name"] = "a\x1b[31m|b<script>`\u202e\u009b"; r["side"] = "x\ny"; r["validity"]["reasons"] = ["\x1b]0;t\x07"]'
report evil --export-markdown evil.md
if LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' out evil.md; then fail "a control character was printed"; fi
if grep -q '<script>' evil.md; then fail "HTML came through"; fi
expect 'a\\\\x1b\\\[31m\\\|b&lt;script' evil.md

mkdir empty && refused 3 'no result.json here' empty
refused 3 'cannot read /nowhere' /nowhere
mkdir half && head -c 700 runs/one/1/result.json >half/result.json && refused 3 'half/result.json:.*not a whole result' half
mkdir foreign && echo '{"schema": "other/1"}' >foreign/result.json && refused 3 'schema "other/1" is not' foreign
mkdir -p binary && head -c 4096 /dev/urandom >binary/result.json && refused 3 'binary/result.json' binary
refused 3 'nowhere/report.md' runs --export-markdown /nowhere/report.md
refused 64 'no folder named'
refused 64 '--jason' runs --jason
report --help && expect '--export-markdown'
