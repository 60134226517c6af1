#!/usr/bin/env bash
# Feeds report and gate results, verdicts, histories and calibrations with one place changed: never a crash, a leak, a hang, a file that is not
# well-formed, or a verdict that one strange trial has turned round.
#
#   tests/fuzz/result.sh [SECONDS] [SEED]     60 s and 1 by default
#
# Takes $SERVEPATH, or builds one with the address sanitizer. What is found is kept in .cache/fuzz/result/found-*, and the exit code is 1.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60} seed=${2:-1}
if [ -z "${SERVEPATH:-}" ]; then
  scripts/build --sanitize address servepath
  SERVEPATH=$PWD/build-asan/servepath
fi
out=.cache/fuzz/result
mkdir -p "$out"
rm -rf "$out"/{real,base,same,slow,verdict,history.jsonl,calibration.json}
run() { # CODES COMMAND...
  local code=0 codes=$1
  shift
  "$@" >"$out/log" 2>&1 || code=$?
  [[ " $codes " == *" $code "* ]] || { cat "$out/log" >&2 && exit 1; }
}
run "0 1 2 4" "$SERVEPATH" run fixtures/fraud --transport direct --rate 500/s --duration 1s --warmup 200ms --quiet --out "$out/real"
for name in base same slow; do
  scale=1
  [ $name != slow ] || scale=1.2
  python3 tests/cli/_gate_trials.py "$out/real" "$out/$name" 12 --tag $name --scale $scale
done
run 0 "$SERVEPATH" gate --base "$out/base" --candidate "$out/same" --out "$out/verdict" --history "$out/history.jsonl"
python3 - "$out" <<'PY'
import json, sys
with open(sys.argv[1] + "/history.jsonl", encoding="utf-8") as file:
    line = json.loads(file.readline())
calibration = {"schema": "servepath.calibration/1", "pairs": 60, "blocks": 4, "pause_s": 60.0, "build": "x",
               "margins": {"response_p50": 0.3, "response_p99": 0.3, "cpu_per_event": 0.3}}
calibration.update({key: line[key] for key in ("at", "case", "side", "fingerprint", "load_digest")})
with open(sys.argv[1] + "/calibration.json", "w", encoding="utf-8") as file:
    json.dump(calibration, file)
PY
exec python3 tests/fuzz/_mutate.py "$SERVEPATH" "$out" "$seconds" "$seed"
