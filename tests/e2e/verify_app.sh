#!/usr/bin/env bash
# verify of applications that are not as they should be: each is found, named, ended and told by its exit code.
. "$(dirname "$0")/lib.sh"
broker=${KAFKA_BROKER:-mock}
export SERVEPATH
# app OPTION...: ours as somebody else's, in the group $GROUP or that of the run.
cat >"$tmp/app" <<'SH'
#!/bin/sh
exec "$SERVEPATH" app "$SERVEPATH_SCENARIO" --side embedded --transport kafka --broker "$SERVEPATH_BROKER" \
  --input-topic "$SERVEPATH_INPUT_TOPIC" --output-topic "$SERVEPATH_OUTPUT_TOPIC" --group "${GROUP-$SERVEPATH_GROUP}" "$@"
SH
chmod +x "$tmp/app"

# verified CODE APP OPTION...: of 200 events of the fraud case.
verified() {
  local code=0 want=$1 app=$2
  shift 2
  SECONDS=0
  "$SERVEPATH" verify "$fixtures/fraud" --side embedded --app "$app" --broker "$broker" --limit 200 --quiet --out "$tmp/result" --json \
    --junit "$tmp/out.xml" "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
  [ "$code" = "$want" ] || fail "$app: exit $code instead of $want: $(cut -c1-2000 "$tmp/out" "$tmp/err")"
  [ "$SECONDS" -le 20 ] || fail "$app: took $SECONDS s"
}
# says EXPRESSION: of the side, its counts, its cases' lines and its findings.
says() {
  "$PYTHON" - "$tmp/out" "$1" <<'PY' || fail "not so: $1: $(cut -c1-300 "$tmp/err")"
import json, sys
side, = json.load(open(sys.argv[1]))["sides"]
c, found = side["counts"], side["findings"]
lines = {case["name"]: "|".join(case["lines"]) for case in side["cases"]}
if not eval(sys.argv[2]):
    sys.exit(f"{c} {lines} {found}")
PY
}

# Right, although each event waits in one of three partitions.
verified 0 "$tmp/app"
says 'c["ok"] == 200 and not any(lines.values())'

# Two groups: every event is answered twice.
verified 1 "GROUP=\$SERVEPATH_GROUP-2 $tmp/app >&2 & $tmp/app" --set load.drain=10s
says 'c["ok"] == 200 and c["duplicate"] > 100 and len(found["duplicated"]) == 100 and "answers too many, to: " in lines["duplicates"]'

# Something that is no such answer.
verified 1 "$tmp/app --set output.as=probability"
says 'c["malformed"] == 200 and c["lost"] == 0 and "malformed (code 0) answer: " in lines["predictions"] and "answer: answer" not in lines["predictions"]'

# It is ready, and says nothing.
verified 1 "echo '{\"ready\":true}'; exec sleep 1000" --set load.drain=1s
says 'c["lost"] == 200 and found["n_missing"] == 200 and lines["answered"] == "200 of 200 events got no answer: 0-199"'

# A silence that is over before the first event is due is none: events are sent.
verified 1 "echo '{\"ready\":true}'; exec sleep 1000" --set load.drain=1ms
says 'c["lost"] > 0'

# It dies: before it is ready, and while events wait for it.
verified 3 'echo "no model here" >&2; exit 7'
grep -q 'application 1 exited with code 7 before it was ready: no model here' "$tmp/err" || fail "its last words: $(cat "$tmp/err")"
grep -q '<error message="application 1 exited with code 7 before it was ready: no model here"' "$tmp/out.xml" || fail "$(cat "$tmp/out.xml")"
verified 3 "echo '{\"ready\":true}'; sleep 0.5; echo 'out of luck' >&2; exit 8" --set load.drain=2s
says 'c["lost"] == 200 and lines["application"] == "app 1 exited with code 8: out of luck"'
grep -q '<error message="app 1 exited with code 8: out of luck"' "$tmp/out.xml" || fail "$(cat "$tmp/out.xml")"
verified 3 "echo '{\"ready\":true}'; sleep 0.5; kill -9 \$\$" --set load.drain=2s
says 'lines["application"] == "app 1 killed (SIGKILL)"'

# Nothing of all these is left.
for environment in /proc/[0-9]*/environ; do
  grep -qz "^XDG_RUNTIME_DIR=$tmp/runtime$" "$environment" 2>/dev/null || continue
  left=${environment%/environ}
  [ "${left#/proc/}" = $$ ] || ! grep -qz '^SERVEPATH_OWNER=' "$environment" 2>/dev/null ||
    fail "a process is left: $(tr '\0' ' ' <"$left/cmdline")"
done
