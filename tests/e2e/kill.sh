#!/usr/bin/env bash
# kill -9 of each process of a trial at a random instant: books sum, no process and no folder is left.
. "$(dirname "$0")/lib.sh"

# start FOLDER: a trial of the RPC side in the background; sets supervisor, driver, server.
start() {
  "$SERVEPATH" run "$fixtures/fraud" --side rpc --warmup 0s --duration 3s --drain 10s --quiet --out "$1" \
    >"$tmp/out" 2>"$tmp/err" &
  supervisor=$!
  server=$(child_of "$supervisor" model-server)
  driver=$(child_of "$supervisor" driver)
}

# Until the driver says in its memory that it sends: the run folder is there and a second of the timeline may not be.
sometime() { sleep "0.$((RANDOM % 9))$((RANDOM % 10))"; }

end_of() {
  code=0
  wait "$1" || code=$?
}

start "$tmp/driver"
sleep 1
sometime
kill -9 "$driver"
end_of "$supervisor"
[ "$code" = 2 ] || fail "driver killed: exit $code instead of 2: $(cat "$tmp/err")"
gone "$driver" "$server"
books_sum "$tmp/driver"
[ "$(json "$tmp/driver/result.json" 'r["complete"]')" = False ] || fail "driver killed: the result claims to be complete"
[ "$(json "$tmp/driver/result.json" 'r["counts"]["intended"] > 100')" = True ] || fail "driver killed: its books are lost"

start "$tmp/server"
sleep 1
sometime
kill -9 "$server"
end_of "$supervisor"
case $code in 1 | 2) ;; *) fail "server killed: exit $code instead of 1 (bound not_ok missed), or 2 (and the machine was busy): $(cat "$tmp/err")" ;; esac
gone "$driver" "$server"
books_sum "$tmp/server"
[ "$(json "$tmp/server/result.json" 'r["counts"]["unavailable"] > 0')" = True ] || fail "server killed: nobody was refused"
[ "$(json "$tmp/server/result.json" 'r["complete"]')" = True ] || fail "server killed: the trial should be whole"

start "$tmp/supervisor"
sometime
kill -9 "$supervisor"
end_of "$supervisor"
gone "$driver" "$server"
[ "$(json "$tmp/supervisor/result.json" 'r["complete"]')" = False ] || fail "supervisor killed: a complete result"
for _ in $(seq 400); do
  left=$(find "$XDG_RUNTIME_DIR" -mindepth 2 -maxdepth 2 -name 'run-*' | wc -l)
  [ "$left" != 0 ] || break
  sleep 0.025
done
[ "$left" = 0 ] || fail "supervisor killed: $left run folders are left"
code=0
"$SERVEPATH" run "$fixtures/fraud" --side noop,path=noop --warmup 0s --duration 1s --quiet --out "$tmp/after" \
  >"$tmp/out" 2>"$tmp/err" || code=$?
case $code in 0 | 2 | 4) ;; *) fail "the next run failed: exit $code: $(cat "$tmp/err")" ;; esac # a second resolves no p99
left=$(find "$XDG_RUNTIME_DIR" -mindepth 2 -maxdepth 2 -name 'run-*' | wc -l)
[ "$left" = 0 ] || fail "the next run left $left run folders"

start "$tmp/interrupted"
sleep 1
kill -INT "$supervisor"
end_of "$supervisor"
[ "$code" = 130 ] || fail "interrupted: exit $code instead of 130: $(cat "$tmp/err")"
gone "$driver" "$server"
books_sum "$tmp/interrupted"
[ "$(json "$tmp/interrupted/result.json" 'r["complete"]')" = False ] || fail "interrupted: a complete result"
