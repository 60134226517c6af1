#!/usr/bin/env bash
# scripts/servers/pythie: the airline's trees behind pythie-serving say what the recording expects; its own error answers arrive
# with their text. Run by scripts/test --all.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/_servers.sh"
pythie=$SOURCE_DIR/scripts/servers/pythie
name=e2e-$$
export SERVEPATH
trap '"$pythie" stop --name "$name" 2>/dev/null || true; rm -rf "$tmp" "$SOURCE_DIR/.cache/run/pythie-$name"*.log' EXIT
airline=(--model "airline-gbm=$fixtures/airline/models/airline-gbm")
columns=(--overlay "$fixtures/airline/columns.yaml")

refused 3 'model fraud: .*holds .*Gemm.*; pythie-serving is given ensembles of trees' "$pythie" start --name "$name" \
  --model "fraud=$fixtures/fraud/models/fraud"
refused 64 'pythie speaks tfs, not tfs-rest' "$pythie" start --name "$name" "${airline[@]}" --protocol tfs-rest
refused 64 'gathers no requests' "$pythie" start --name "$name" "${airline[@]}" --max-batch 8

start() {
  "$pythie" start --name "$name" "${airline[@]}" >"$tmp/ready" || fail "pythie did not start"
  grpc=$(json "$tmp/ready" 'r["address"]') pid=$(json "$tmp/ready" 'r["pid"]')
  on_loopback "$pid" "${grpc#*:}"
}
stop() {
  "$pythie" stop --name "$name"
  gone "$pid"
  [ ! -e "$SOURCE_DIR/.cache/run/pythie-$name" ] || fail "stop left files"
}

start
verified tfs "$grpc" airline "${columns[@]}"
refused 3 'UNKNOWN: .*Unknown model: airline-gbm2\. This pythie-serving instance can only serve one of the following: airline-gbm' \
  "$SERVEPATH" verify "$fixtures/airline" "${columns[@]}" --side rpc --protocol tfs --server "$grpc" --limit 10 --quiet \
  --set model.name=airline-gbm2
stop

# Its own default: one call at a time, the others are turned away at once. What was answered is right.
PYTHIE_MAXIMUM_CONCURRENT_RPCS=1 start
code=0
"$SERVEPATH" run "$fixtures/airline" "${columns[@]}" --side rpc --transport direct --protocol tfs --server "$grpc" --arrival closed \
  --concurrency 64 --in-flight 64 --warmup 0s --duration 1s --quiet --out "$tmp/full" >"$tmp/out" 2>"$tmp/err" || code=$?
[ $code = 1 ] || fail "most calls turned away: exit $code: $(cat "$tmp/err")"
grep -qE 'rejected 8: Concurrent RPC limit exceeded' "$tmp/out" || fail "the reason is missing: $(cat "$tmp/out")"
books_sum "$tmp/full"
[ "$(json "$tmp/full/result.json" 'r["counts"]["ok"] > 0 and r["counts"]["rejected"] > 100 and r["counts"]["mismatch"] == 0')" = True ] ||
  fail "$(json "$tmp/full/result.json" 'r["counts"]')"
stop
