#!/usr/bin/env bash
# gate, its calibration and search over a Kafka that each starts: one broker for all trials, warmed up, accounted for as one of ours though other
# programs run the trials, and the same for a calibration as for the gate that is to use its margins.
. "$(dirname "$0")/lib.sh"
cd "$tmp"
export SERVEPATH_HOME=$SOURCE_DIR SERVEPATH STAND_IN_TRIAL=$tmp/real STAND_IN_LOG=$tmp/log PYTHONDONTWRITEBYTECODE=1
load=("$fixtures/fraud" --side embedded --broker kafka --rate 300/s --duration 1s --warmup 200ms)
# program NAME COMMAND: a program that runs servepath by that command, for no longer than a second: warming up is not what is tested.
mkdir bin
program() {
  printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
  chmod +x "bin/$1"
}
# shellcheck disable=SC2016 # theirs to expand
{
  program new 'exec "$SERVEPATH" "$@" --duration 1s'
  program old 'exec env -u SERVEPATH_SHARED_BROKER "$SERVEPATH" "$@" --duration 1s'
  program quick "case \"\$*\" in *warm-up*) exec $tmp/bin/new \"\$@\" ;; esac
[ -e real/result.json ] || $tmp/bin/new \"\$@\" --out real >/dev/null
exec $PYTHON $SOURCE_DIR/tests/cli/_gate_stand_in.py \"\$@\""
}
# gate CODES ARGUMENT...
gate() {
  local code=0 wanted=$1 history=(--history none)
  shift
  [[ " $* " != *" --calibrate "* ]] || history=() # adds no line
  "$SERVEPATH" gate "${load[@]}" "${history[@]}" "$@" >out 2>err || code=$?
  [[ " $wanted " = *" $code "* ]] || fail "exit $code instead of $wanted: $(cat err)"
}
# trials_of FOLDER EXPRESSION: of the result `r` of each trial, whatever became of it; the same text once.
trials_of() {
  "$PYTHON" -c 'import json, pathlib, sys
found = (json.loads(f.read_text()) for f in pathlib.Path(sys.argv[1]).rglob("result.json"))
print("\n".join(sorted({str(eval(sys.argv[2])) for r in found})))' "$1" "$2"
}
is_ours() { # FOLDER
  [ "$(trials_of "$1" 'r["broker"]["kind"], r["broker"]["version"] is not None, r["cpu_us_per_event"]["broker"] > 0, r["rss_bytes"]["broker"] > 0')" = \
    "('kafka', True, True, True)" ] || fail "$1: brokers are $(trials_of "$1" 'r["broker"], r["cpu_us_per_event"]')"
  [ "$(trials_of "$1" 'r["broker"]["address"]' | wc -l)" = 1 ] || fail "$1: more than one broker"
}
is_tidy() {
  [ ! -e "$1/warm-up" ] || fail "$1: the trial that warmed it up is left"
  [ -z "$(ls "$XDG_RUNTIME_DIR/servepath" 2>/dev/null)" ] || fail "$1: run folders are left: $(ls "$XDG_RUNTIME_DIR/servepath")"
}

# --- The margins: trials made of a real one over the broker that all share ---
gate 0 --calibrate --base-cmd bin/quick --pairs 60 --blocks 2 --pause 10ms --calibration margins.json --out aa
[ "$(grep -c 'warming up Kafka for 10s' err)" = 2 ] || fail "not warmed up by both copies: $(cat err)"
is_ours aa
is_tidy aa

# --- The gate ---
gate "2 4" --base-cmd bin/new --candidate-cmd "$tmp/bin/new" --calibration margins.json --pairs 1 --out self
[ "$(json self/comparison.json 'any("margins calibrated by margins.json" in x for x in r["remarks"])')" = True ] ||
  fail "the calibration is refused: $(json self/comparison.json 'r["remarks"]')"
is_ours self
is_tidy self

# --- Where one of the two cannot know whose Kafka it is, neither is told: what counts on one side counts on the other ---
gate "2 4" --base-cmd bin/old --candidate-cmd bin/new --pairs 1 --out uneven
grep -q "^bin/old takes this Kafka for somebody else's" err || fail "not said: $(cat err)"
[ "$(trials_of uneven 'r["broker"]["kind"], "broker" in r["cpu_us_per_event"]')" = "('external', False)" ] ||
  fail "uneven: brokers are $(trials_of uneven 'r["broker"], r["cpu_us_per_event"]')"

# --- The search: warmed up before its first trial, and not where nothing is left to run ---
search() {
  local code=0
  "$SERVEPATH" search "$fixtures/fraud" --side n,path=noop --broker kafka --probe 1s --from 2600/s --to 2600/s --warmup 200ms --set expect.p99=900ms \
    --history none --out found >out 2>err || code=$?
  [[ " 0 1 2 4 " = *" $code "* ]] || fail "search: exit $code: $(cat err)"
}
search
grep -q 'warming up Kafka for 20s' err || fail "search: not warmed up: $(cat err)"
is_ours found
is_tidy found
search
! grep -q 'warming up' err || fail "search: a broker for no trial: $(cat err)"
