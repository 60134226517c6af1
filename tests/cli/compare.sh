#!/usr/bin/env bash
# servepath compare: what is refused before anything is measured, each in one line that says what to do.
. "$(dirname "$0")/lib.sh"
refused() { # CODE TEXT ARGUMENT...
  local code=0 want=$1 text=$2
  shift 2
  "$SERVEPATH" compare "$SOURCE_DIR/fixtures/fraud" "$@" --out "$tmp/folder" >out 2>err || code=$?
  [ "$code" -eq "$want" ] || fail "exit $code instead of $want: compare $*"
  [ "$(wc -l <err)" = 1 ] || fail "not one line: compare $*"
  [ ! -s out ] || fail "something on stdout: compare $*"
  grep -qF -- "$text" err || fail "no \"$text\": compare $*"
  [ ! -e "$tmp/folder" ] || fail "a folder was made: compare $*"
}

refused 64 'add another: --side NAME,path=' --side embedded
refused 64 'stands here twice' --side embedded --side embedded
refused 64 'the scenario has no embeded; did you mean embedded' --side embeded --side rpc
refused 64 '--reference: rcp is none of the sides compared; did you mean rpc' --reference rcp
refused 64 'no metric response_p5; did you mean response_p50' --metrics response_p5
refused 64 '--metrics: response_p50 stands there twice' --metrics response_p50,response_p50
refused 64 '--delta: "5"' --delta 5
refused 64 '--pairs: must be at least 1' --pairs 0
refused 64 '--pairs: at most 1000' --pairs 1001
refused 64 '--pairs: 13 are no whole means of 6 (--mean-of); write for example 12' --pairs 13 --mean-of 6
refused 64 '--mean-of: ' --mean-of many
refused 64 '--inconclusive: "maybe" is neither pass nor fail' --inconclusive maybe
refused 64 '--broker-warmup: "20" has no unit' --broker-warmup 20
refused 64 'half a driver' --set load.only=send --broker 127.0.0.1:1 --reuse-topics
# What no number of pairs would settle is an invalid measurement from the start.
refused 2 'the mock broker' --broker mock
refused 2 'the mock broker' --broker mock --metrics cpu_per_event,service_p99
refused 2 'a closed loop has no response times' --arrival closed --metrics response_p50

# What two pairs leave open is 4, or what --inconclusive makes of it. Trials that lie there are not run again.
code=0
"$SERVEPATH" run "$SOURCE_DIR/fixtures/fraud" --transport direct --duration 1s --warmup 200ms --out real --quiet >out 2>err || code=$?
case $code in 0 | 1 | 2 | 4) ;; *) fail "no trial to start from" ;; esac
for side in embedded rpc; do
  "$PYTHON" "$SOURCE_DIR/tests/cli/_gate_trials.py" real "$side" 2 --tag "$side" "side=\"$side\""
  for pair in 001 002; do mkdir -p "open/pairs/$pair" && mv "$side/$pair" "open/pairs/$pair/$side"; done
done
compared() { # CODE ARGUMENT...
  local code=0 want=$1
  shift
  "$SERVEPATH" compare "$SOURCE_DIR/fixtures/fraud" --transport direct --duration 1s --warmup 200ms --pairs 2 --history none --quiet \
    --out open "$@" >out 2>err || code=$?
  [ "$code" -eq "$want" ] || fail "exit $code instead of $want: compare $*"
  grep -q inconclusive out || fail "something was concluded: compare $*"
}
compared 4
compared 0 --inconclusive pass
compared 1 --inconclusive fail
