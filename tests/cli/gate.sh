#!/usr/bin/env bash
# servepath gate over stored trials: the verdict where the truth is known, in both directions; what is refused or inconclusive, and why.
. "$(dirname "$0")/lib.sh"
export XDG_RUNTIME_DIR=$tmp/runtime
mkdir -m 700 "$XDG_RUNTIME_DIR"
# gate CODE ARGUMENT...: stdout in out, stderr in err.
gate() {
  local code=0 want=$1
  shift
  "$SERVEPATH" gate "$@" --out "$tmp/verdict" >out 2>err || code=$?
  [ "$code" -eq "$want" ] || fail "exit $code instead of $want: servepath gate $*"
}
expect() { tr '\n' ' ' <"$2" | tr -s ' ' | grep -qF -- "$1" || fail "no \"$1\" in $2"; }
# refused CODE TEXT ARGUMENT...: one line that says so, and no verdict.
refused() {
  local want=$1 text=$2
  shift 2
  rm -rf verdict
  gate "$want" "$@"
  expect "$text" err
  [ "$(wc -l <err)" = 1 ] || fail "not one line"
  { [ ! -s out ] && [ ! -e verdict/comparison.json ]; } || fail "a verdict all the same"
}
make() { "$PYTHON" "$SOURCE_DIR/tests/cli/_gate_trials.py" real "$@"; }
# change FILE CODE: Python over the parsed result `r`.
change() {
  "$PYTHON" -c 'import json,sys; r = json.load(open(sys.argv[1])); exec(sys.argv[2]); json.dump(r, open(sys.argv[1], "w"))' \
    "$1" "$2"
}

# Invalid, or without a resolved percentile: the trials that are made of it are neither.
code=0
"$SERVEPATH" run "$SOURCE_DIR/fixtures/fraud" --transport direct --duration 1s --warmup 200ms --out real --quiet >out 2>err || code=$?
case $code in 0 | 1 | 2 | 4) ;; *) fail "no trial to start from" ;; esac
make base 24 --tag base
make same 24 --tag candidate
make slow 24 --tag candidate --scale 1.2
make fast 24 --tag candidate --scale 0.8

# --- The truth, in both directions ---
gate 0 --base base --candidate same --junit junit.xml --export-markdown gate.md --history h/history.jsonl
expect 'VERDICT PASS: nothing is worse' out
for file in comparison.json report.md comparison.csv junit.xml report.html; do [ -s verdict/$file ] || fail "no $file"; done
"$PYTHON" - <<'PY' || fail "comparison.json"
import json
c = json.load(open("verdict/comparison.json"))
assert c["exit_code"] == 0 and c["verdict"].startswith("nothing is worse"), c["verdict"]
assert c["gate"]["verdict"] == "pass" and len(c["gate"]["metrics"]) == 4, c["gate"]
assert sum(t["confirming"] if "confirming" in t else t["is_confirming"] for t in c["trials"]) == 24, c["trials"][0]
PY
grep -q '<testcase' junit.xml || fail "JUnit"
expect PASS gate.md
gate 1 --base base --candidate slow --history h/history.jsonl
expect 'VERDICT FAIL: response p50 is worse' out
expect '12 fresh pairs agree' out
gate 0 --base base --candidate fast --history h/history.jsonl
expect 'VERDICT PASS' out
gate 0 --base base --candidate slow --margin 50% --history h/history.jsonl
gate 1 --base base --candidate slow --metrics cpu_per_event --history h/history.jsonl
# 24 pairs are 12 means of two, and none are left to confirm with.
gate 4 --base base --candidate slow --mean-of 2 --history none
expect '24 pairs in means of 2' out
expect 'which 24 fresh pairs must confirm' out
expect 'judged before at 12 pairs in means of 1, and again in means of 2' out
# Slower for users, though CPU is all that the family asks for: still only CPU decides.
make latency 24 --tag candidate
for n in latency/*/result.json; do change "$n" 'r["response_ns"]["p50"] *= 2; r["response_ns"]["p99"] *= 2'; done
gate 0 --base base --candidate latency --metrics cpu_per_event --history none
gate 1 --base base --candidate latency --history none
# Fewer than 24 pairs leave none to confirm a failure: never a FAIL.
make base12 12 --tag base
make slow12 12 --tag candidate --scale 1.2
gate 4 --base base12 --candidate slow12 --history none
expect 'VERDICT INCONCLUSIVE' out
expect 'fresh pairs must confirm' out
gate 0 --base base12 --candidate slow12 --history none --inconclusive pass
grep -q 'failures="0"' verdict/junit.xml || fail "what is open failed: $(cat verdict/junit.xml)"
gate 1 --base base12 --candidate slow12 --history none --inconclusive fail --junit junit.xml
for file in junit.xml verdict/junit.xml; do
  grep -q '<failure message="inconclusive' $file || fail "what is open did not fail: $(cat $file)"
done
gate 4 --base base/001 --candidate same/001 --history none
expect 'VERDICT INCONCLUSIVE' out
gate 4 --base base --candidate same/001 --history none
# Noise of 20 % is no verdict at all.
make noisy 24 --tag noisy --noise 0.2
gate 4 --base base --candidate noisy --history none

# --- What lies elsewhere ---
# Trials of both sides are found from the folder of the verdict, and their curves are on its page.
for folders in "base fast" "$tmp/base ./fast/"; do
  read -r one other <<<"$folders"
  rm -rf far
  "$SERVEPATH" gate --base "$one" --candidate "$other" --out far/verdict --history none >out 2>err || fail "gate $folders"
  "$PYTHON" - <<'PY' || fail "trials of $folders"
import json, os, re
trials = json.load(open("far/verdict/comparison.json"))["trials"]
assert len(trials) == 48 and {t["dir"][:11] for t in trials} == {"../../base/", "../../fast/"}, trials[0]
assert all(os.path.exists(f"far/verdict/{t['dir']}/result.json") for t in trials), trials[0]
page = open("far/verdict/report.html").read()
data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])
assert len(data["trials"]) == 48 and all(data["views"][0]["sides"]), len(data["trials"])
PY
done
(cd far && "$SERVEPATH" report verdict >../out 2>../err) || fail "report of a stored gate"
expect 'medians of up to 48 trials' out

# --- The history ---
"$PYTHON" - <<'PY' || fail history
import json
lines = [json.loads(line) for line in open("h/history.jsonl")]
assert [line["verdict"] for line in lines] == ["pass", "fail", "pass", "pass", "fail"], lines
assert {(line["case"], line["side"], line["verb"]) for line in lines} == {("fraud", "embedded", "gate")}
assert len({line["load_digest"] for line in lines}) == 1 and len({line["id"] for line in lines}) == 5
assert lines[1]["metrics"]["response_p50"] > 1.1 * lines[0]["metrics"]["response_p50"]
PY

# --- Above all margins ---
make wrong 24 --tag candidate --scale 0.8
change wrong/007/result.json 'r["counts"]["ok"] -= 1; r["response_ok_ns"]["count"] -= 1; r["failure_ns"]["count"] = 1; r["counts"]["mismatch"] += 1; r["predictions"]["mismatched"] = 1'
gate 1 --base base --candidate wrong --history none
expect 'VERDICT FAIL: 1 of' out
expect 'predictions of the candidate are not what was expected' out
make late 24 --tag candidate
for n in late/*/result.json; do change "$n" 'r["bounds"][0].update(met=False, value=2e7)'; done
gate 1 --base base --candidate late --history none
expect 'VERDICT FAIL: the candidate misses its bound p99 <= 10ms: 20ms' out
gate 1 --base nowhere --candidate late --history none
gate 0 --base nowhere --candidate slow --history none
expect 'VERDICT NO-BASELINE: nowhere holds no trials' out
expect 'next: keep slow, and give it to the next gate as --base' err
# A variable that is not set is no base that is not there yet.
refused 64 '--base is empty' --base '' --candidate slow
# A verdict that nobody can read.
for json in --json ''; do
  code=0
  "$SERVEPATH" gate --base base --candidate same --history none --out "$tmp/verdict" $json >/dev/full 2>err || code=$?
  { [ "$code" = 3 ] && grep -q 'cannot write to stdout' err; } || fail "exit $code with a full stdout"
  "$SERVEPATH" gate --base base --candidate same --history none --out "$tmp/verdict" $json 2>err | true
  [ "${PIPESTATUS[0]}" = 0 ] || fail "a reader that went away: $(cat err)"
done

# --- What intervals of medians do not show ---
make lossy 24 --tag candidate # one trial of twelve loses nine events of ten
change lossy/004/result.json 'k = r["counts"]["ok"] * 9 // 10; r["counts"]["ok"] -= k; r["counts"]["lost"] += k; r["response_ok_ns"]["count"] -= k; r["predictions"]["checked"] -= k'
gate 4 --base base --candidate lossy --history none
expect 'few trials lost them, which no median shows' out
gate 0 --base lossy --candidate same --history none
make unchecked 24 --tag candidate 'predictions.source=null' 'predictions.checked=0'
make stub 24 --tag candidate 'predictions.source="stub"' 'predictions.checked=0'
for n in unchecked/*/result.json stub/*/result.json; do change "$n" 'r["counts"]["unchecked"] = r["counts"]["ok"]; r["counts"]["ok"] = 0'; done
gate 4 --base base --candidate unchecked --history none
expect "100% of the candidate's answers were not checked" out
gate 0 --base nowhere --candidate unchecked --history none
expect 'no answer was checked and no missed bound in 24 trials' out
gate 4 --base base --candidate stub --history none
expect 'the candidate answers from a stub server and the base does not' out
gate 4 --base stub --candidate slow --history none # and no FAIL either
make filters 24 --tag candidate # nothing is quicker than to answer nothing
change_all() { local n; for n in "$1"/*/result.json; do change "$n" "$2"; done; }
change_all filters 'k = r["counts"]["ok"] // 10; r["counts"]["ok"] -= k; r["counts"]["filtered"] += k; r["response_ok_ns"]["count"] -= k; r["predictions"]["checked"] -= k'
gate 4 --base base --candidate filters --history none
expect 'filters' out
expect 'they do not do the same work' out
make twice 24 --tag candidate 'counts.duplicate=500' 'counts.fallback=100'
gate 0 --base base --candidate twice --history none
expect 'candidate: 6000 answered twice or more' out
expect 'candidate: 1200 answered by the fallback' out
make crashed 24 --tag candidate
rm -r crashed/00[2468] crashed/01[02]
gate 2 --base base --candidate crashed --history none
expect 'all 6 invalid trials are of candidate' out
make short 12 --tag candidate # fewer were asked for: no gap
gate 0 --base base --candidate short --history none
make after 24 --tag candidate
for n in after/*/result.json; do change "$n" 'r["started_at"] = r["started_at"].replace("T10", "T12")'; done
gate 0 --base base --candidate after --history none
expect 'not interleaved' out

# --- Margins that were measured ---
"$PYTHON" - <<'PY'
import json
line = json.loads(open("h/history.jsonl").readline())
calibration = {"schema": "servepath.calibration/1", "at": line["at"], "pairs": 60, "blocks": 4, "pause_s": 60.0, "build": "x",
               "margins": {"response_p50": 0.4, "response_p99": 0.4, "cpu_per_event": 0.4}}
calibration.update({key: line[key] for key in ("case", "side", "fingerprint", "load_digest")})
for name, change in (("own", {}), ("other", {"fingerprint": "xxh128:0"}), ("old", {"at": "2020-01-01T00:00:00Z"}), ("ahead", {"at": "2999-01-01T00:00:00Z"}),
                     ("bad", {"margins": {"response_p50": -1.0}}), ("newer", {"schema": "servepath.calibration/2"}),
                     ("unknown", {"fingerprint": None})):
    json.dump({**calibration, **change}, open(name + ".json", "w"))
PY
gate 0 --base base --candidate slow --calibration own.json --history none
expect 'margins calibrated by own.json' out
expect 'response p99 is noisy here: its margin lets 40 % worse pass' out
gate 1 --base base --candidate slow --calibration other.json --history none
expect 'other.json is refused, measured on another machine' out
gate 1 --base base --candidate slow --calibration old.json --history none
expect 'old.json is refused, expired' out
gate 1 --base base --candidate slow --calibration ahead.json --history none
expect 'ahead.json is refused, measured in the future' out
refused 3 'margins.response_p50 is no share' --base base --candidate slow --calibration bad.json
refused 3 'unknown.json: fingerprint' --base base --candidate slow --calibration unknown.json
refused 3 'servepath.calibration/1' --base base --candidate slow --calibration newer.json
refused 3 'nothing.json' --base base --candidate slow --calibration nothing.json
# file_of CALIBRATION: where a gate looks by itself.
file_of() {
  "$PYTHON" -c 'import json, sys; c = json.load(open(sys.argv[1])); print("results/calibration-%s.%s-%.12s.json"
    % (c["case"], c["side"], c["fingerprint"].split(":")[1]))' "$1"
}
mkdir results
own=$(file_of own.json)
cp own.json "$own"
gate 0 --base base --candidate slow --history none
expect "margins calibrated by $own" out
gate 1 --base base --candidate slow --margin 5% --history none
# Margins of single pairs are none of means.
gate 4 --base base --candidate slow --mean-of 2 --calibration "$own" --history none
expect "$own is refused, for --mean-of 1, not 2; measure: servepath gate SCENARIO --calibrate --mean-of 2" out
# One that cannot be read is not told as none.
echo '{' >"$own"
gate 1 --base base --candidate slow --history none
expect "margins 5 %: $own:" out
cp own.json "$own"
# Another side has a file of its own.
make otherbase 24 --tag base 'side="other"'
make otherslow 24 --tag candidate --scale 1.2 'side="other"'
sed -E 's/"side": "[^"]*"/"side": "other"/' own.json >theirs.json
other=$(file_of theirs.json)
gate 1 --base otherbase --candidate otherslow --history none
expect "there is no calibration ($other)" out
cp theirs.json "$other"
gate 0 --base otherbase --candidate otherslow --history none
expect "margins calibrated by $other" out
gate 0 --base base --candidate slow --history none
expect "margins calibrated by $own" out
rm "$own" "$other"

# --- What cannot be compared ---
make few 4 --tag base
make schema 4 --tag candidate 'schema="servepath.result/2"'
refused 3 'schema/001/result.json' --base few --candidate schema
make recording 4 --tag candidate 'recording.digest="xxh128:0"'
refused 64 'recording.digest' --base few --candidate recording
make rate 4 --tag candidate 'load.rate_per_s=1000.0'
refused 64 'load.rate_per_s 2000 and 1000' --base few --candidate rate
make transport 4 --tag candidate 'transport="kafka"'
refused 64 'transport direct and kafka' --base few --candidate transport
make seeds 4 --tag candidate --seed 101
refused 64 'seeds 1 and 101 in one pair' --base few --candidate seeds
make self 4 --tag candidate 'predictions.source="self"'
refused 64 'predictions were checked against' --base few --candidate self
make half 4 --tag candidate
change half/003/result.json 'r["complete"] = False; r["incomplete"] = "ended by SIGKILL"'
refused 3 'half/003: incomplete (ended by SIGKILL)' --base few --candidate half
make cut 4 --tag candidate
head -c 5000 cut/003/result.json >cut/short && mv cut/short cut/003/result.json
refused 3 'cut/003/result.json' --base few --candidate cut
make twin 4 --tag candidate
cp -r twin/003 twin/005
refused 64 'twin/003 and twin/005 hold one trial' --base few --candidate twin
refused 64 'both are run' --base few --candidate few
make nan 4 --tag candidate
sed -i 's/"mean": [0-9.]*/"mean": NaN/' nan/004/result.json
refused 3 'nan/004/result.json' --base few --candidate nan
make null 4 --tag candidate 'response_ns.mean=null'
refused 3 'the mean response is no number' --base few --candidate null
make empty 4 --tag candidate
for n in empty/*/result.json; do change "$n" 'r["counts"] = {name: 0 for name in r["counts"]}'; done
refused 64 'no event in the measured window' --base few --candidate empty
make log 4 --tag candidate
head -c -100 log/004/latency.hlog >log/short && mv log/short log/004/latency.hlog
refused 3 'log/004/latency.hlog' --base few --candidate log
make lines 4 --tag candidate
sed -i '/^[0-9]/d' lines/004/latency.hlog # cut off between two lines
refused 3 'holds 0 of the' --base few --candidate lines
make mock 24 --tag candidate 'broker={"kind": "mock", "version": "2.0.2"}' 'transport="kafka"'
make mockbase 24 --tag base 'broker={"kind": "mock", "version": "2.0.2"}' 'transport="kafka"'
gate 2 --base mockbase --candidate mock --history none
expect 'VERDICT INCONCLUSIVE' out
gate 0 --base mockbase --candidate mock --metrics cpu_per_event --history none
make invalid 4 --tag candidate
for n in invalid/00[1-3]/result.json; do change "$n" 'r["validity"]["verdict"] = "invalid"; r["validity"]["reasons"] = ["late"]'; done
gate 2 --base few --candidate invalid --history none
expect 'VERDICT INCONCLUSIVE' out
make elsewhere 24 --tag candidate --scale 1.2 'machine.cpu="another"' 'machine.fingerprint="xxh128:1"'
refused 64 '--across-machines' --base base --candidate elsewhere
gate 1 --base base --candidate elsewhere --across-machines --history none
expect 'ACROSS MACHINES' out
mkdir mixed && cp -r base/001 mixed/a && cp -r same/001 mixed/b
change mixed/b/result.json 'r["side"] = "rpc"'
refused 64 'name one with --side' --base mixed --candidate same
gate 4 --base mixed --candidate same --side embedded --history none
mkdir nothing
refused 3 'no result.json here' --base few --candidate nothing

# --- The command line ---
refused 64 'leave one of them out' "$SOURCE_DIR/fixtures/fraud" --base base --candidate same
refused 64 'exclude each other' --base base --candidate same --save-baseline kept
refused 64 'did you mean response_p99' --base base --candidate same --metrics response_p9
refused 64 '--margin' --base base --candidate same --margin 0
refused 64 '--inconclusive' --base base --candidate same --inconclusive maybe
refused 64 'did you mean --across-machines' --base base --candidate same --across-machine
refused 64 'needs a base' --candidate same
refused 64 '--pairs' "$SOURCE_DIR/fixtures/fraud" --pairs 25
refused 64 '--pairs: at most 48, of which looks at 24, 36 and 48' "$SOURCE_DIR/fixtures/fraud" --mean-of 2 --pairs 50
refused 64 '--pairs: 25 are no whole means of 2' "$SOURCE_DIR/fixtures/fraud" --mean-of 2 --pairs 25
refused 64 '--mean-of: 0 is not 1 to 32' "$SOURCE_DIR/fixtures/fraud" --mean-of 0
refused 64 'a calibration for such means needs 360' "$SOURCE_DIR/fixtures/fraud" --calibrate --mean-of 6 --pairs 60
refused 64 '--pairs' "$SOURCE_DIR/fixtures/fraud" --calibrate --pairs 20
refused 64 '--blocks' "$SOURCE_DIR/fixtures/fraud" --blocks 2
refused 64 '--blocks: 2 to 60' "$SOURCE_DIR/fixtures/fraud" --calibrate --blocks 1
refused 2 'mock broker' "$SOURCE_DIR/fixtures/fraud" --transport kafka --broker mock
"$SERVEPATH" gate --help >out 2>err || fail help
expect '--candidate-cmd CMD' out
