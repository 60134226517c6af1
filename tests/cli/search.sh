#!/usr/bin/env bash
# servepath search: what it refuses, in one line, before anything is started.
. "$(dirname "$0")/lib.sh"
refused() { # CODE PATTERN ARGUMENT...
  local code=0 want=$1 pattern=$2
  shift 2
  "$SERVEPATH" search "$SOURCE_DIR/fixtures/fraud" "$@" --out "$tmp/never" >out 2>err || code=$?
  [ "$code" -eq "$want" ] || fail "exit $code instead of $want: search $*"
  [ "$(wc -l <err)" -eq 1 ] || fail "not one line: search $*"
  grep -qE -- "$pattern" err || fail "no /$pattern/: search $*"
  [ ! -e "$tmp/never" ] || fail "a folder was made: search $*"
}

refused 64 'load.arrival: closed waits for answers.*--arrival poisson' --arrival closed
refused 64 'load.arrival: ramp offers more than one rate' --arrival ramp --rate-to 9000/s
refused 64 'load.arrival: burst offers more than one rate' --arrival burst --rate-to 9000/s
refused 64 'load.limit: 500 would cut trials short' --limit 500
refused 64 '--duration: .*--probe' --duration 5s
refused 64 '--from: "2000" has no unit; write 2000/s' --from 2000
refused 64 '--from: "0/s" is no rate' --from 0/s
refused 64 '--from 9000/s lies above the highest rate, 5000/s' --from 9000/s --to 5000/s
refused 64 '--from 5/s: a trial of 120 s is too short to judge p99 <= 10ms.*--from 22/s' --from 5/s
refused 64 '--precision: "90%" is out of' --precision 90%
refused 64 '--probe: "10ms" is out of 1s to 1h' --probe 10ms
refused 64 'no side|slow' --side slow
refused 64 '--pairs' --pairs 3
refused 2 "stream.broker: the mock's times.*--broker kafka, or --transport direct" --transport kafka --broker mock

"$SERVEPATH" search --help >out 2>err || fail "--help failed"
for flag in --from --to --precision --probe --history --side --json --export-markdown; do
  grep -q -- "$flag" out || fail "--help does not name $flag"
done
