#!/usr/bin/env bash
# --app: applications that others wrote, good and bad. Each of these is a shell command around `servepath app`, told only by its
# environment where to read and write. What goes wrong with one is named, and everything has stopped when the run has ended.
. "$(dirname "$0")/lib.sh"
: "${KAFKA_BROKER:?a real Kafka}"
export SERVEPATH SERVEPATH_HOME=$SOURCE_DIR

# app ARGUMENT...: the command line of one that reads and writes as its environment says.
app() {
  # shellcheck disable=SC2016 # the application's shell expands it
  echo '"$SERVEPATH" app "$SERVEPATH_SCENARIO" --broker "$SERVEPATH_BROKER" --input-topic "$SERVEPATH_INPUT_TOPIC"' \
    '--output-topic "$SERVEPATH_OUTPUT_TOPIC" --member "$SERVEPATH_MEMBER"' "$@"
}
# shellcheck disable=SC2016
own_group='--group "$SERVEPATH_GROUP"'

# run NAME CODES [OPTION]...: 300 events; exits with one of CODES.
run() {
  local codes=$2 code=0
  out=$tmp/$1
  shift 2
  timeout 60 "$SERVEPATH" run "$fixtures/fraud" --side embedded --broker "$KAFKA_BROKER" --arrival constant --rate 300/s --warmup 0s \
    --duration 1s --drain 3s --quiet --set kafka.consumer.session.timeout.ms=500 --out "$out" "$@" >"$out.out" 2>"$out.err" || code=$?
  case " $codes " in *" $code "*) ;; *) fail "$out: exit $code, not one of $codes: $(cat "$out.err")" ;; esac
  [ "$code" = 3 ] || [ "$code" = 64 ] || books_sum "$out"
  # What such a command started carries our mark in its environment until it ends.
  for _ in $(seq 40); do
    left=$(grep -lz "^SERVEPATH_DIR=$XDG_RUNTIME_DIR" /proc/[0-9]*/environ 2>/dev/null | head -1) || true
    [ -z "$left" ] && return
    sleep 0.05
  done
  fail "$out: a process is left: $left $(tr '\0' ' ' <"${left%environ}cmdline")"
}
# says EXPRESSION: of the result.
says() { [ "$(json "$out/result.json" "$1")" = True ] || fail "$out: not $1: $(json "$out/result.json" 'r["counts"], r["errors"], r["delivery"]')"; }
# told PATTERN: by the run on stderr.
told() { grep -qE -- "$1" "$out.err" || fail "$out: /$1/ is missing in: $(cat "$out.err")"; }

# A good one: accounted for, and named. Ready by its line; and without one, by its group.
run good "0 1 2 4" --app "$(app --side embedded "$own_group")"
says 'r["counts"]["ok"] == 300'
says 'r["cpu_us_per_event"]["app"] > 1 and r["rss_bytes"]["app"] > 1e6'
says 'r["model"]["digest"] is None and r["model"]["given_digest"].startswith("xxh128:")' # it may answer with another
says 'r["model"]["library"].startswith("onnxruntime") and "servepath" in r["delivery"]["app"].lower()'
run silent "0 1 2 4" --app "$(app --side embedded "$own_group") >/dev/null"
says 'r["counts"]["ok"] == 300'
run two "0 1 2 4" --apps 2 --app "$(app --side embedded "$own_group")"
says 'r["counts"]["ok"] == 300 and r["delivery"]["apps"] == 2'

# One that has left its group and whose parent has ended is accounted for all the same.
run daemon "0 1 2 4" --app "(setsid $(app --side embedded "$own_group") >/dev/null &); exec sleep 100"
says 'r["counts"]["ok"] == 300 and r["cpu_us_per_event"]["app"] > 1 and r["rss_bytes"]["app"] > 1e7'

# A program whose path has blanks needs no quotes, be it a script without a first line that says so.
mkdir "$tmp/my apps"
app --side embedded "$own_group" >"$tmp/my apps/the app (1)"
chmod +x "$tmp/my apps/the app (1)"
run blanks "0 1 2 4" --app "$tmp/my apps/the app (1)"
says 'r["counts"]["ok"] == 300'

# Not there, not ready.
run unknown 64 --app strems
told '"strems" is none of scripts/apps; did you mean streams'
run ends 3 --app 'echo no model here >&2; exit 5'
told 'application 1 exited with code 5 before it was ready: no model here'
run nocommand 3 --app './not-there --now'
told 'application 1 exited with code 127 before it was ready: .*not-there'
run notime 64 --app true --app-ready soon
told 'app_ready: must be auto, line, or a duration'

# Writes nothing; garbage; everything twice; dies in the middle.
run nothing "1 2" --app 'sleep 100' --app-ready 200ms --drain 1s
says 'r["counts"]["lost"] == 300'
run garbage "1 2" --app "$(app --side noop,path=noop "$own_group")"
says 'r["counts"]["malformed"] == 300 and r["errors"][0]["text"] != ""'
# shellcheck disable=SC2016
run twice "0 1 2 4" --app "$(app --side embedded --group '"$SERVEPATH_GROUP-a"') & $(app --side embedded "$own_group"); wait"
says 'r["counts"]["ok"] == 300 and r["counts"]["duplicate"] > 0'
run dies "1 2" --app "timeout -s KILL 2 $(app --side embedded "$own_group")" --duration 3s --drain 1s
says '0 < r["counts"]["ok"] < 900 and r["counts"]["lost"] > 0'
says 'any("app 1" in mark for second in r["timeline"] for mark in second.get("marks", []))'

# Floods stdout, and says "end" and "assigned" in lines of its own; stops itself.
run floods "0 1 2 4" --app "(while echo '{\"event\":\"end\",\"received\":7}'; do :; done) & $(app --side embedded "$own_group" '>&2'); wait"
says 'r["counts"]["ok"] == 300 and not r["delivery"].get("received")'
# The shell ends at once when told to; what it started has its time to commit.
run commits "0 1 2 4" --app "sh -c 'trap \"sleep 0.5; echo >$tmp/committed; exit\" TERM; while :; do sleep 0.05; done' & $(app --side embedded "$own_group"); wait"
says 'r["counts"]["ok"] == 300'
[ -e "$tmp/committed" ] || fail "what a command's shell had started was killed at once"
began=$SECONDS
run sleeps "1 2" --app "echo '{\"ready\":true}'; kill -STOP \$\$"
[ $((SECONDS - began)) -lt 10 ] || fail "a command that had stopped itself took $((SECONDS - began)) s to end"

# One that does not end when told to ends at once with the second signal to the run.
"$SERVEPATH" run "$fixtures/fraud" --side embedded --broker "$KAFKA_BROKER" --quiet --out "$tmp/now" --app-ready 20s \
  --app "trap '' TERM; echo >$tmp/waits; while :; do sleep 0.1; done" >"$tmp/now.out" 2>"$tmp/now.err" &
now=$!
until [ -e "$tmp/waits" ]; do kill -0 $now || fail "it ended: $(cat "$tmp/now.err")"; sleep 0.05; done
kill -TERM $now
sleep 0.3
kill -TERM $now
began=$SECONDS code=0
wait $now || code=$?
[ "$code" = 143 ] || fail "ended by two signals: exit $code: $(cat "$tmp/now.err")"
[ $((SECONDS - began)) -lt 8 ] || fail "the second signal took $((SECONDS - began)) s"

# Does not end when told to.
run stays "0 1 2 4" --app "trap '' TERM; $(app --side embedded "$own_group") & while :; do sleep 1; done"
says 'r["counts"]["ok"] == 300'
told 'application 1 did not end within 10 s of SIGTERM and was killed'
