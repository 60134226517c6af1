# Shared by the end-to-end tests. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail
: "${SERVEPATH:?the binary under test}" "${SOURCE_DIR:?the repository}" "${PYTHON:?Python of the test environment}"
tmp=$(mktemp -d)
brokers=()
# Whatever a test started by itself ends with it.
leave() {
  local pid
  for pid in "${brokers[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${brokers[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$tmp"
}
trap leave EXIT
# Run folders of this test alone, so that it can run beside its twin.
export XDG_RUNTIME_DIR=$tmp/runtime
mkdir -p -m 700 "$XDG_RUNTIME_DIR"
fixtures=$SOURCE_DIR/fixtures

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# refused CODE PATTERN COMMAND...: one line on stderr, that exit code.
refused() {
  local code=0 wanted=$1 pattern=$2
  shift 2
  "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
  [ "$code" = "$wanted" ] || fail "$*: exit $code instead of $wanted: $(cat "$tmp/err")"
  [ "$(wc -l <"$tmp/err")" = 1 ] || fail "$*: not one line: $(cat "$tmp/err")"
  grep -qE -- "$pattern" "$tmp/err" || fail "$*: $(cat "$tmp/err")"
}

# children PID: its direct children.
children() { cat "/proc/$1/task/$1/children" 2>/dev/null || true; }

# child_of PID VERB: waits for the child of PID that runs that verb of servepath, prints its pid.
child_of() {
  local pid verb=$2
  for _ in $(seq 400); do
    for pid in $(children "$1"); do
      [ "$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | sed -n 2p)" = "$verb" ] && echo "$pid" && return 0
    done
    sleep 0.025
  done
  fail "process $1 got no child $verb"
}

# json FILE EXPRESSION: a Python expression over the parsed file `r`.
json() {
  "$PYTHON" -c 'import json,sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}

# books_sum FOLDER: the exclusive outcomes sum to intended.
books_sum() {
  local told
  told=$(json "$1/result.json" 'sum(r["counts"][o] for o in ("ok", "unchecked", "mismatch", "malformed", "filtered",
    "deadline", "unavailable", "rejected", "error", "lost", "shed")) == r["counts"]["intended"]')
  [ "$told" = True ] || fail "$1: outcomes do not sum to intended: $(json "$1/result.json" 'r["counts"]')"
}

# gone PID...: waits until none of them runs any more.
gone() {
  local pid
  for pid in "$@"; do
    for _ in $(seq 400); do
      [ -e "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null || continue 2
      sleep 0.025
    done
    fail "process $pid is left: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
  done
}

# start_kafka NAME [OPTION]...: a real Kafka of this test's own; sets address and broker (its process).
start_kafka() {
  local name=$1
  shift
  mkdir -p "$tmp/$name"
  "$SOURCE_DIR/scripts/kafka" run --dir "$tmp/$name" "$@" >"$tmp/$name/ready" 2>"$tmp/$name/err" &
  broker=$!
  brokers+=("$broker")
  for _ in $(seq 800); do
    [ -s "$tmp/$name/ready" ] && break
    kill -0 "$broker" 2>/dev/null || fail "Kafka did not start: $(cat "$tmp/$name"/*.log "$tmp/$name/err" | tail -3)"
    sleep 0.05
  done
  address=$(json "$tmp/$name/ready" 'r["address"]')
}

# children_of PID VERB N: waits until PID has N children that run that verb; prints their pids in the order of their start.
children_of() {
  local pid found verb=$2 n=$3
  for _ in $(seq 800); do
    found=()
    for pid in $(children "$1"); do
      [ "$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | sed -n 2p)" = "$verb" ] && found+=("$pid")
    done
    [ "${#found[@]}" -ge "$n" ] && echo "${found[@]}" && return 0
    sleep 0.025
  done
  fail "process $1 got no $n children $verb"
}

# counts FOLDER NAME: one of the counts of a result.
counts() { json "$1/result.json" "r['counts']['$2']"; }
