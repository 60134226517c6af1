#!/usr/bin/env bash
# doctor: a line for each finding, the same as JSON, exit 3 when something needed is missing.
set -euo pipefail
: "${SERVEPATH:?}" "${SOURCE_DIR:?}" "${PYTHON:?}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export SERVEPATH_ONNXRUNTIME=${SERVEPATH_ONNXRUNTIME:-$(ls "$SOURCE_DIR"/.cache/onnxruntime/*/libonnxruntime.so.*)}

"$SERVEPATH" doctor >out 2>err
[ ! -s err ]
for name in system processor memory cores placement onnxruntime openvino grpc 'open files' results clock 'timer slack' pacing \
  waking stolen 'other work'; do
  grep -qE "^(ok|warn) +$name +[^ ]" out || { echo "FAIL no line about $name" && cat out && exit 1; } >&2
done
tail -1 out | grep -q '^next: servepath '

"$SERVEPATH" doctor --json >out
"$PYTHON" - out <<'END'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["verdict"] in ("ok", "warn"), report
assert len({f["name"] for f in report["findings"]}) == len(report["findings"]) >= 14
for f in report["findings"]:
    assert f["state"] in ("ok", "warn") and f["text"], f
    assert (f["remedy"] is None) == (f["state"] == "ok"), f
END

told=0
SERVEPATH_ONNXRUNTIME=$tmp/gone.so "$SERVEPATH" doctor >out || told=$?
[ "$told" = 3 ]
grep -qE '^missing +onnxruntime .*scripts/setup' out
# The other engine may be missing.
SERVEPATH_OPENVINO=$tmp/gone.so "$SERVEPATH" doctor >out
grep -qE '^warn +openvino .*scripts/setup --openvino' out

told=0
"$SERVEPATH" doctor --jsn 2>err || told=$?
[ "$told" = 64 ]
grep -q 'did you mean --json' err
