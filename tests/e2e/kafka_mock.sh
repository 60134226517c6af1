#!/usr/bin/env bash
# Trials over Kafka, on the mock broker: every path answers every event rightly, the books of driver, application and server
# agree, times are not claimed, what dies is named, and nothing is left behind.
. "$(dirname "$0")/lib.sh"

# holds FOLDER EXPRESSION: over its result `r`.
holds() {
  local about='(r["counts"], r["broker"], r["delivery"], r["validity"]["reasons"])'
  [ "$(json "$tmp/$1/result.json" "$2")" = True ] || fail "$1: not so: $2: $(json "$tmp/$1/result.json" "$about")"
}

# nothing_left WHAT: no run folder, and no process that carries this test's runtime folder.
nothing_left() {
  local environment left
  left=$(find "$XDG_RUNTIME_DIR" -mindepth 2 -maxdepth 2 -name 'run-*' | wc -l)
  [ "$left" = 0 ] || fail "$1: $left run folders are left"
  for environment in /proc/[0-9]*/environ; do
    grep -qz "^XDG_RUNTIME_DIR=$tmp/runtime$" "$environment" 2>/dev/null || continue
    left=${environment%/environ}
    [ "${left#/proc/}" != $$ ] && grep -qz '^SERVEPATH_OWNER=' "$environment" 2>/dev/null &&
      fail "$1: a process is left: $(tr '\0' ' ' <"$left/cmdline")"
  done
  return 0
}

# trial FOLDER ARGUMENT...: over the mock, without a bound on time. Noise of the machine may make it invalid (2), which is about
# the driver; everything else must hold.
trial() {
  local folder=$1 code=0
  shift
  "$SERVEPATH" run "$fixtures/fraud" -b mock --set expect.p99=null --quiet --out "$tmp/$folder" "$@" >"$tmp/out" 2>"$tmp/err" ||
    code=$?
  case $code in 0 | 2) ;; *) fail "$folder: exit $code: $(cat "$tmp/out" "$tmp/err")" ;; esac
  nothing_left "$folder"
  books_sum "$tmp/$folder"
}

# --- Every path ---
for path in embedded rpc noop; do
  trial $path --side "$([ $path = noop ] && echo n,path=noop || echo $path)" --rate 500/s --warmup 500ms --duration 1500ms \
    --export-json "$tmp/$path.json" --export-markdown "$tmp/$path.md"
  fine=$([ $path = noop ] && echo unchecked || echo ok)
  holds $path "r['complete'] and 600 < r['counts']['$fine'] == r['counts']['intended'] and not r['counts']['alien']"
  holds $path 'r["transport"] == "kafka" and r["broker"]["kind"] == "mock" and r["broker"]["input_topic"] == "sp-%s-creditcard" % r["run_id"][:8]'
  holds $path 'len({r["delivery"][n] for n in ("received", "answered", "acknowledged", "driver_acknowledged")}) == 1'
  holds $path 'r["delivery"]["refused"] == 0 and r["delivery"]["apps_counted"] == 1 and r["delivery"]["commits"] > 0'
  holds $path 'all(r["cpu_s"][n] > 0 for n in ("driver", "app", "broker")) and r["cpu_us_per_event"]["broker"] > 0'
  holds $path 'abs(r["cpu_us_per_event"]["total"] - r["cpu_us_per_event"]["app"] - r["cpu_us_per_event"].get("server", 0)) < 1e-6'
  holds $path 'r["stages_ns"]["inbound"]["mean"] > 0 and r["stages_ns"]["outbound"]["mean"] > 0 and abs(r["residual_ns"]) < 1000'
  [ "$(grep -c "^fraud  mock  [a-z]*  *[0-9]*  *-  *-  *- |" "$tmp/out")" = 1 ] || fail "$path: times of the mock in the table: $(cat "$tmp/out")"
  grep -q '^mock: .*its latency is an artefact' "$tmp/out" || fail "$path: nothing says what the mock is: $(cat "$tmp/out")"
  grep -q '^| fraud | mock | [a-z]* | [0-9,]* | - | - | - | - |' "$tmp/$path.md" || fail "$path: times of the mock in Markdown"
  [ "$(json "$tmp/$path.json" '{(x["via"], x["has_response"], x["response_ns"]["p50"]["trials"]) for x in r["rows"]} == {("mock", False, 0)}')" = True ] ||
    fail "$path: times of the mock in JSON"
done
holds rpc 'r["cpu_s"]["server"] > 0 and r["delivery"]["server_predictions"] == r["delivery"]["received"] and r["delivery"]["rpc_repeated"] == 0'

# What the server predicts past its deadline has no answer, but was asked for once.
trial overdue --side rpc,deadline=20ms,server.delay=60ms --rate 20/s --warmup 0s --duration 1s --set expect.not_ok=null
holds overdue 'r["counts"]["deadline"] > 5 and r["delivery"]["server_predictions"] > 5 and r["delivery"]["rpc_repeated"] == 0'

# A bound on time has no verdict on the mock.
code=0
"$SERVEPATH" run "$fixtures/fraud" -b mock --side embedded --set expect.p99=10s --rate 300/s --warmup 200ms --duration 1s \
  --quiet --out "$tmp/bound" >"$tmp/out" 2>"$tmp/err" || code=$?
[ "$code" = 2 ] || fail "a bound on time over the mock: exit $code instead of 2"
holds bound '[b["met"] for b in r["bounds"] if b["name"] == "expect.p99"] == [None]'
grep -q "bound expect.p99 is inconclusive: limit 10s, but the mock broker's latency" "$tmp/out" || fail "no word on the bound: $(cat "$tmp/out")"

# --- Two applications share the partitions; one is killed, the other takes over, nothing is lost ---
"$SERVEPATH" run "$fixtures/fraud" -b mock --side embedded --apps 2 --set expect.p99=null --set topics.partitions=4 --rate 300/s \
  -X consumer:session.timeout.ms=6000 --warmup 1s --duration 3s --drain 15s --quiet --out "$tmp/two" >"$tmp/out" 2>"$tmp/err" &
supervisor=$!
child_of "$supervisor" driver >"$tmp/driver"
read -r _ second <<<"$(children_of "$supervisor" app 2)"
sleep 2
kill -9 "$second"
wait "$supervisor" || true
nothing_left two
books_sum "$tmp/two"
holds two 'r["complete"] and r["counts"]["ok"] == r["counts"]["intended"] > 600'
holds two 'any("app 2 killed (SIGKILL)" in m for t in r["timeline"] for m in t["marks"])'
holds two 'any("app 1 assigned" in m for t in r["timeline"] for m in t["marks"])'
holds two 'r["delivery"]["apps"] == 2 and r["delivery"]["apps_counted"] == 1'

# More applications than partitions: said, not hidden.
trial idle --side n,path=noop --apps 2 --set topics.partitions=1 --rate 100/s --warmup 0s --duration 500ms
grep -q '2 applications share 1 partitions, so that some stay idle' "$tmp/err" || fail "idle applications go unnoticed: $(cat "$tmp/err")"

# --- The mock dropped what nobody had read yet: no loss of the system, so no valid trial ---
"$SERVEPATH" run "$fixtures/fraud" -b mock --side n,path=noop --set topics.partitions=1 --arrival constant --rate 8000/s --warmup 0s \
  --duration 4s --drain 2s --set expect.p99=null --quiet --out "$tmp/dropped" >"$tmp/out" 2>"$tmp/err" &
supervisor=$!
app=$(child_of "$supervisor" app)
child_of "$supervisor" driver >"$tmp/driver"
kill -STOP "$app"
sleep 4.5
kill -CONT "$app"
code=0
wait "$supervisor" || code=$?
[ "$code" = 2 ] || fail "dropped by the mock: exit $code instead of 2: $(cat "$tmp/out" "$tmp/err")"
books_sum "$tmp/dropped"
holds dropped '[c["met"] for c in r["validity"]["checks"] if c["name"] == "dropped_by_mock"] == [False] and r["counts"]["lost"] > 0'
nothing_left dropped

# --- Somebody else's broker: topics are used only where that is asked for, and stay ---
mkfifo "$tmp/line"
"$SERVEPATH" broker --topic in:4 --topic out:4 --parent $$ >"$tmp/line" 2>"$tmp/broker.err" &
broker=$!
brokers+=("$broker")
read -r line <"$tmp/line"
echo "$line" >"$tmp/ready"
address=$(json "$tmp/ready" 'r["address"]')
on_topics=(-b "$address" --set topics.input=in --set topics.output=out --set topics.partitions=4 --set expect.p99=null)

# Four shards are one load: each has its own events, together they are all.
start_at=$(($(date +%s) + 8))
whole=(--side embedded --rate 400/s --warmup 500ms --duration 1500ms --drain 8s)
for i in 1 2 3 4; do
  "$SERVEPATH" run "$fixtures/fraud" "${on_topics[@]}" --reuse-topics "${whole[@]}" --shard $i/4 --start-at $start_at --quiet \
    --out "$tmp/shard$i" >"$tmp/out$i" 2>"$tmp/err$i" &
  shards[i]=$!
done
for i in 1 2 3 4; do wait "${shards[i]}" || true; done
"$SERVEPATH" run "$fixtures/fraud" "${whole[@]}" --set expect.p99=null --transport direct --quiet --out "$tmp/one" >"$tmp/out" 2>"$tmp/err" || true
for i in 1 2 3 4; do
  [ -e "$tmp/shard$i/result.json" ] || fail "shard $i: $(cat "$tmp/err$i")"
  books_sum "$tmp/shard$i"
  holds shard$i "r['complete'] and r['counts']['ok'] == r['counts']['intended'] > 50 and r['load']['shard'] == '$i/4' and r['counts']['alien'] == 0"
  holds shard$i "r['broker']['kind'] == 'mock' and r['delivery']['apps'] == $((i == 1))"
done
code=0
"$SERVEPATH" merge "$tmp"/shard? --out "$tmp/merged" >"$tmp/out" 2>"$tmp/err" || code=$?
case $code in 0 | 2) ;; *) fail "merge: exit $code: $(cat "$tmp/err")" ;; esac
[ "$(json "$tmp/merged/result.json" 'r["counts"]["intended"]')" = "$(json "$tmp/one/result.json" 'r["counts"]["intended"]')" ] ||
  fail "four shards are not the whole: $(json "$tmp/merged/result.json" 'r["counts"]')"
[ "$(json "$tmp/merged/result.json" 'r["counts"]["ok"] == r["counts"]["intended"]')" = True ] || fail "merged: not all are ok"

# Costs are of all drivers together, and so are confirmations.
holds shard1 'r["cpu_s"]["app"] > 0 and r["cpu_us_per_event"] == {}'
holds merged 'r["cpu_us_per_event"]["app"] > 0 and r["delivery"]["driver_acknowledged"] == r["delivery"]["received"]'

# What is in a topic already is not answered again, at this trial's cost.
"$SERVEPATH" run "$fixtures/fraud" "${on_topics[@]}" --reuse-topics --side n,path=noop --rate 400/s --warmup 200ms --duration 1s \
  --quiet --out "$tmp/again" >"$tmp/out" 2>"$tmp/err" || true
holds again 'r["complete"] and r["delivery"]["received"] == r["delivery"]["driver_acknowledged"] and r["cpu_us_per_event"]["app"] > 0'

# What others of the group answer is no cost of ours.
mkfifo "$tmp/other.line"
"$SERVEPATH" app "$fixtures/fraud" --side n,path=noop --broker "$address" --input-topic in --output-topic out --group shared \
  --set topics.partitions=4 --parent $$ -X consumer:auto.offset.reset=latest >"$tmp/other.line" 2>"$tmp/app.err" &
app=$!
brokers+=("$app")
exec 7<"$tmp/other.line"
read -r line <&7
"$SERVEPATH" run "$fixtures/fraud" "${on_topics[@]}" --reuse-topics --side n,path=noop --group shared --rate 400/s --warmup 1s --duration 1s \
  -X consumer:auto.offset.reset=latest --quiet --out "$tmp/shared" >"$tmp/out" 2>"$tmp/err" || true
kill "$app"
exec 7<&-
holds shared 'r["complete"] and r["delivery"]["others_answered"] and r["cpu_us_per_event"] == {} and r["counts"]["lost"] == 0'

# A driver in two halves: what one sends, an application started by hand answers, and the other collects.
run_id=00112233445566778899aabbccddeeff
half=("${on_topics[@]}" --reuse-topics --side embedded --rate 400/s --warmup 0s --duration 3s --limit 400 --run-id "$run_id")
mkfifo "$tmp/app.line"
"$SERVEPATH" app "$fixtures/fraud" --side embedded --broker "$address" --input-topic in --output-topic out --set topics.partitions=4 \
  --group by-hand --parent $$ -X consumer:auto.offset.reset=latest >"$tmp/app.line" 2>"$tmp/app.err" &
app=$!
brokers+=("$app")
exec 8<"$tmp/app.line"
read -r line <&8
"$SERVEPATH" run "$fixtures/fraud" "${half[@]}" --set load.duration=20s --only collect --quiet --out "$tmp/collect" >"$tmp/out" 2>"$tmp/err" &
collector=$!
child_of "$collector" driver >"$tmp/driver"
for _ in $(seq 400); do # until it reads from what is the end now: its thread runs
  grep -qs sp-collector /proc/"$(cat "$tmp/driver")"/task/*/comm && break
  sleep 0.05
done
"$SERVEPATH" run "$fixtures/fraud" "${half[@]}" --only send --quiet --out "$tmp/send" >"$tmp/out2" 2>"$tmp/err2" || true
code=0
wait "$collector" || code=$?
case $code in 0 | 2) ;; *) fail "collect: exit $code: $(cat "$tmp/out" "$tmp/err")" ;; esac
holds send 'r["complete"] and r["counts"]["unchecked"] == r["counts"]["intended"] == 400 == r["delivery"]["driver_acknowledged"]'
holds send 'r["response_ns"] is None and r["rate_per_s"]["achieved"] is None and r["rate_per_s"]["offered"] > 0 and r["load"]["only"] == "send"'
holds collect 'r["complete"] and r["counts"]["ok"] == r["counts"]["intended"] == 400 and r["response_ns"] is None'
grep -q 'half a driver' "$tmp/out" || fail "nothing says that this is half a driver: $(cat "$tmp/out")"
kill "$app"
wait "$app" || true

# Topics of others are not touched without leave, and are there afterwards.
code=0
"$SERVEPATH" topics "$address" --json >"$tmp/topics"
[ "$(json "$tmp/topics" 'sorted(t["topic"] for t in r["topics"])')" = "['in', 'out']" ] || fail "topics changed: $(cat "$tmp/topics")"
kill "$broker"
wait "$broker" || true

# --- What cannot be reached is named, soon ---
code=0
start=$SECONDS
"$SERVEPATH" run "$fixtures/fraud" -b "$address" --side embedded --quiet --out "$tmp/nobody" >"$tmp/out" 2>"$tmp/err" || code=$?
[ "$code" = 3 ] || fail "no broker: exit $code instead of 3: $(cat "$tmp/err")"
[ $((SECONDS - start)) -le 20 ] || fail "no broker: said after $((SECONDS - start)) s"
[ "$(wc -l <"$tmp/err")" = 1 ] || fail "no broker: more than a line: $(cat "$tmp/err")"
grep -q "servepath run: .*$address" "$tmp/err" || fail "no broker: $(cat "$tmp/err")"
nothing_left nobody
