# Shared by the tests of scripts/servers. Sourced after lib.sh, not run.
# shellcheck shell=bash
# shellcheck disable=SC2154 # of lib.sh

# on_loopback PID PORT...: that process listens on 127.0.0.1 at these ports, and nowhere else.
on_loopback() {
  local pid=$1 have want
  shift
  want=$(printf '127.0.0.1:%s\n' "$@" | sort)
  have=$(ss -Hltnp | grep "pid=$pid," | awk '{ sub(/^\[::ffff:127\.0\.0\.1\]/, "127.0.0.1", $4); print $4 }' | sort)
  [ "$have" = "$want" ] || fail "process $pid listens on ${have//$'\n'/ }, not on ${want//$'\n'/ }"
}

# verified PROTOCOL ADDRESS CASE [OPTION]...: 500 events, all as expected.
verified() {
  local protocol=$1 at=$2 case=$3 code=0
  shift 3
  "$SERVEPATH" verify "$fixtures/$case" --side rpc --protocol "$protocol" --server "$at" --limit 500 --deadline 10s --drain 20s \
    --quiet "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
  { [ $code = 0 ] && grep -q '500 of 500' "$tmp/out"; } || fail "$case over $protocol: exit $code: $(cat "$tmp/out" "$tmp/err")"
}
