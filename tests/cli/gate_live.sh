#!/usr/bin/env bash
# servepath gate with programs that stand in for servepath, so that the truth is known: a live failure is confirmed by fresh pairs, what was run
# is not run again, baselines are kept and used, margins are measured and found again.
. "$(dirname "$0")/lib.sh"
export XDG_RUNTIME_DIR=$tmp/runtime STAND_IN_TRIAL=$tmp/real STAND_IN_LOG=$tmp/log PYTHONDONTWRITEBYTECODE=1
mkdir -m 700 "$XDG_RUNTIME_DIR"
gate() { # CODE ARGUMENT...
  local code=0 want=$1
  shift
  "$SERVEPATH" gate "$SOURCE_DIR/fixtures/fraud" --transport direct --duration 1s --warmup 200ms --quiet "$@" >out 2>err || code=$?
  [ "$code" -eq "$want" ] || fail "exit $code instead of $want: servepath gate $*"
}
expect() { tr '\n' ' ' <"$2" | tr -s ' ' | grep -qF -- "$1" || fail "no \"$1\" in $2"; }
ids() { grep -rho '"run_id": *"[^"]*"' "$1" | sort; }
# on_page FILE N: the page holds N trials, each with its figures.
on_page() {
  "$PYTHON" - "$@" <<'PY' || fail "$1 has not the curves of $2 trials"
import json, re, sys
data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', open(sys.argv[1]).read(), re.S)[1])
assert len(data["trials"]) == int(sys.argv[2]), len(data["trials"])
assert all(data["views"][0]["sides"]) and all(t[0] is not None for t in data["views"][0]["trials"]), data["views"][0]["trials"]
PY
}
calls() { if [ -e log ]; then wc -l <log; else echo 0; fi; }

code=0
"$SERVEPATH" run "$SOURCE_DIR/fixtures/fraud" --transport direct --duration 1s --warmup 200ms --out real --quiet >out 2>err || code=$?
case $code in 0 | 1 | 2 | 4) ;; *) fail "no trial to start from" ;; esac
mkdir bin
cp "$SOURCE_DIR/tests/cli/_gate_trials.py" bin/
sed "1s|.*|#!$PYTHON|" "$SOURCE_DIR/tests/cli/_gate_stand_in.py" >bin/old
chmod +x bin/old
# program NAME NAME=VALUE: the same, but for that.
program() {
  printf '#!/bin/sh\nexec env %s "%s" "$@"\n' "$2" "$tmp/bin/old" >"bin/$1"
  chmod +x "bin/$1"
}
program slow STAND_IN_SCALE=1.2
program fast STAND_IN_SCALE=0.8
program wrong 'STAND_IN_SCALE=0.8 STAND_IN_FIELDS=predictions.mismatched=3'

# --- Pairs, run now ---
gate 0 --base-cmd bin/old --candidate-cmd bin/fast --out fast --history h.jsonl --tag branch=topic
expect 'VERDICT PASS' out
[ "$(calls)" = 24 ] || fail "$(calls) trials instead of 12 pairs"
{ [ -e fast/pairs/012/candidate/result.json ] && [ ! -e fast/fresh ]; } || fail "not 12 pairs and none to confirm"
grep -q '"tags":{"branch":"topic"}' h.jsonl || fail "no tag in the history"
# In turns, base and candidate; both by the same seeds.
[ "$(awk 'NR <= 4 {n = split($2, a, "/"); print a[n]}' log | tr '\n' ' ')" = "base candidate candidate base " ] || fail "not A B B A"
[ "$(cut -d' ' -f1 log | sort | uniq -c | awk '$1 != 2' | wc -l)" = 0 ] || fail "seeds without a partner"
# What lies there is not run again, and gives the same verdict; it is no second measurement in the history.
gate 0 --base-cmd bin/old --candidate-cmd bin/fast --out fast --history none
gate 0 --base-cmd bin/old --candidate-cmd bin/fast --out fast --history h.jsonl
[ "$(calls)" = 24 ] || fail "pairs were run again"
[ "$(wc -l <h.jsonl)" = 1 ] || fail "one measurement twice in the history"
gate 64 --base-cmd bin/old --candidate-cmd bin/slow --out fast --history none
expect 'another' err
rm log
gate 1 --base-cmd bin/old --candidate-cmd bin/slow --out slow --history none
expect 'VERDICT FAIL: response p50 is worse' out
expect '12 fresh pairs agree' out
{ [ "$(calls)" = 48 ] && [ -e slow/fresh/012/base/result.json ]; } || fail "no fresh pairs"
"$PYTHON" - <<'PY' || fail "seeds of fresh pairs"
lines = [line.split() for line in open("log")]
seeds = {kind: {int(seed) for seed, folder, _ in lines if f"/{kind}/" in folder} for kind in ("pairs", "fresh")}
assert not seeds["pairs"] & seeds["fresh"] and len(seeds["fresh"]) == 12, seeds
PY
# Two neighbouring pairs make one observation: looks, and what confirms, are at as many means.
rm log
gate 1 --base-cmd bin/old --candidate-cmd bin/slow --mean-of 2 --out means --history none
expect '24 fresh pairs agree' out
expect '24 pairs and 24 fresh ones in means of 2' out
[ "$(calls)" = 96 ] || fail "$(calls) trials instead of 24 pairs and 24 fresh ones"
gate 1 --base-cmd bin/old --candidate-cmd bin/slow --out means --history none
expect 'judged before at 24 pairs in means of 2, and again in means of 1' out
gate 4 --base-cmd bin/old --candidate-cmd bin/slow --pairs 3 --out few --history none
expect 'VERDICT INCONCLUSIVE' out
# One pair more, because of what was seen, is no look that was announced; that stays said.
for n in 4 5; do
  gate 4 --base-cmd bin/old --candidate-cmd bin/slow --pairs $n --out few --history none
  expect 'judged before at 3 pairs, and again with --pairs 4' out
done
gate 1 --base-cmd bin/old --candidate-cmd bin/wrong --out wrong --history none
expect 'VERDICT FAIL: 36 of' out
[ "$(find wrong -name result.json | wc -l)" = 24 ] || fail "went on after wrong predictions"
gate 3 --base-cmd bin/none --out none --history none
expect 'bin/none' err

# Ended by a signal before the look: what would pass so far decides nothing, and the forms of the call before are gone.
printf '#!/bin/sh\ncase " $* " in *" --seed 12 "*) exec sleep 60 ;; esac\nexec "%s" "$@"\n' "$tmp/bin/fast" >bin/stuck
chmod +x bin/stuck
gate 0 --base-cmd bin/old --candidate-cmd bin/stuck --pairs 11 --out stuck --history none
[ -s stuck/report.html ] || fail "no page"
"$SERVEPATH" gate "$SOURCE_DIR/fixtures/fraud" --transport direct --duration 1s --warmup 200ms --quiet --base-cmd bin/old --candidate-cmd bin/stuck \
  --pairs 12 --out stuck --history none >out 2>err &
pid=$!
for _ in $(seq 400); do
  [ ! -d stuck/pairs/012 ] || break
  sleep 0.025
done
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code = 143 ] || fail "exit $code after a signal"
expect 'VERDICT INCOMPLETE: ended by signal 15 after 11 pairs' out
"$PYTHON" - <<'PY' || fail "after a signal"
import json
c = json.load(open("stuck/comparison.json"))
assert not c["complete"] and c["gate"]["verdict"] == "inconclusive" and c["exit_code"] == 143, c["verdict"]
assert all(t["dir"].startswith("pairs/") for t in c["trials"]), c["trials"][0]
PY
for file in report.md report.html comparison.csv junit.xml; do [ ! -e stuck/$file ] || fail "an old $file is left"; done

# --- No baseline yet, then one ---
gate 0 --candidate-cmd bin/old --base kept --save-baseline kept --out first --history none
expect 'VERDICT NO-BASELINE: kept holds no trials' out
[ "$(find kept -name result.json | wc -l)" = 12 ] || fail "not 12 trials kept"
gate 0 --candidate-cmd bin/fast --base kept --out second --history none
expect 'VERDICT PASS' out
expect 'not interleaved' out
on_page second/report.html 24 # of the base too, which lies elsewhere
# Called again, a gate keeps nothing twice, and what it kept is no base of its own.
n=$(calls)
gate 0 --candidate-cmd bin/old --base kept --save-baseline kept --out first --history none
expect "VERDICT NO-BASELINE: kept holds no trials but this gate's own" out
{ [ "$(find kept -name result.json | wc -l)" = 12 ] && [ "$(calls)" = "$n" ]; } || fail "kept twice, or run again"
# What another one keeps takes the place of it, unless that is inconclusive: each seed is there once.
before=$(ids kept)
gate 4 --candidate-cmd bin/slow --base kept --save-baseline kept --out third --history none
expect 'kept nothing new in kept (inconclusive)' err
[ "$(ids kept)" = "$before" ] || fail "an inconclusive candidate became the base"
gate 0 --candidate-cmd bin/old --base kept --save-baseline kept --out again --history none
{ [ "$(ids kept)" != "$before" ] && [ "$(find kept -name result.json | wc -l)" = 12 ]; } || fail "the base is not of the last gate"
gate 0 --candidate-cmd bin/fast --base kept --out again2 --history none
# A base of 12 leaves none to confirm a failure; one of 24 does.
gate 0 --candidate-cmd bin/old --save-baseline more --pairs 24 --out fourth --history none
expect 'VERDICT NO-BASELINE: no base was named' out
gate 1 --candidate-cmd bin/slow --base more --save-baseline kept --out fifth --history none
expect 'kept nothing new in kept (fail)' err
[ "$(find kept -name result.json | wc -l)" = 12 ] || fail "what failed was kept"
# The folder of a gate is a baseline too: that of its candidate, fresh pairs too, by whose seeds a failure is confirmed.
gate 0 --candidate-cmd bin/fast --base fast --out seventh --history none
program slower STAND_IN_SCALE=1.5
rm log
gate 1 --candidate-cmd bin/slower --base slow --out slower --history none
expect '12 fresh pairs agree' out
[ "$(cut -d' ' -f1 log | tr '\n' ' ')" = "$(seq -s' ' 1 12) $(seq -s' ' 1001 1012) " ] || fail "not by the seeds of the base"
# Of 24 that were measured in one row, 12 have no partner there: nothing is missing.
"$SERVEPATH" gate --base slow --candidate more --out seeds --history none >out 2>err || fail "seeds that nobody asked for"
expect 'VERDICT PASS' out

# --- Margins, measured ---
rm log
gate 0 --base-cmd bin/old --calibrate --pairs 60 --blocks 2 --pause 0s --out aa
[ "$(grep -c 'the blocks are not separated' err)" = 1 ] || fail "blocks without a pause between them"
file=$(echo results/calibration-fraud.*-*.json)
{ [ "$(calls)" = 120 ] && [ -s "$file" ]; } || fail "no calibration of 60 pairs"
[ "$(cut -d' ' -f3 log | sort -u | wc -l)" = 2 ] || fail "not two copies"
"$PYTHON" - "$file" <<'PY' || fail margins
import json, sys
c = json.load(open(sys.argv[1]))
assert c["schema"] == "servepath.calibration/1" and c["pairs"] == 60 and c["blocks"] == 2, c
# 1 % of noise on each side: 1.4 % in a ratio, and about 1.5 % at the end of a median's interval over 12 pairs.
for name in ("response_p50", "response_p99", "cpu_per_event"):
    assert 0.008 < c["margins"][name] < 0.04, c
assert "served" not in c["margins"], c
PY
"$SERVEPATH" report aa >out 2>err || fail "no report of a calibration"
expect 'medians of up to 120 trials' out
gate 0 --base-cmd bin/old --candidate-cmd bin/fast --out eighth --history none
expect "margins calibrated by $file" out
# In the forms that were asked for; what is measured in two blocks cannot become three.
again=(--base-cmd bin/old --calibrate --pairs 60 --pause 0s --out aa)
gate 0 "${again[@]}" --blocks 2 --json --export-json aa.json --export-markdown aa.md
{ cmp -s out "$file" && cmp -s aa.json "$file"; } || fail "--json is not what was written"
grep -q '^| response p50 | [0-9.]* % |$' aa.md || fail "no table: $(cat aa.md)"
gate 64 "${again[@]}" --blocks 3
expect 'or (--calibrate) blocks' err
gate 64 "${again[@]}" --blocks 2 --history h.jsonl
expect '--calibrate and --history exclude each other' err
code=0
"$SERVEPATH" gate "$SOURCE_DIR/fixtures/fraud" --transport direct --duration 1s --warmup 200ms --quiet "${again[@]}" --blocks 2 >/dev/full 2>err || code=$?
{ [ "$code" = 3 ] && grep -q 'cannot write to stdout' err; } || fail "exit $code with a full stdout"
gate 64 --base-cmd "env A=1 bin/old" --calibrate --out bb
expect 'no file that could be copied' err
