# Shared by the tests of scripts/servers. Sourced after lib.sh, not run.
# shellcheck shell=bash
# shellcheck disable=SC2154 # of lib.sh

# refused CODE PATTERN COMMAND...: one line on stderr, that exit code.
refused() {
  local code=0 wanted=$1 pattern=$2
  shift 2
  "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
  [ "$code" = "$wanted" ] || fail "$*: exit $code instead of $wanted: $(cat "$tmp/err")"
  [ "$(wc -l <"$tmp/err")" = 1 ] || fail "$*: not one line: $(cat "$tmp/err")"
  grep -qE -- "$pattern" "$tmp/err" || fail "$*: $(cat "$tmp/err")"
}

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
