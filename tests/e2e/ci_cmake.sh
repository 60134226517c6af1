#!/usr/bin/env bash
# The CMake package, really used by a project of its own: a right application passes, a wrong one fails with its reason in the
# test's output and in JUnit, missing arguments are named, and two such projects run beside each other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/_project.sh"
export SERVEPATH

# project NAME: a CMake project whose second test expects something else of one event.
project() {
  local folder=$tmp/$1
  somebodys_project "$folder"
  cat >"$folder/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.20)
project(mine NONE)
enable_testing()
find_package(servepath 1 REQUIRED)
servepath_add_replay_test(NAME right SCENARIO fixtures/fraud APP "\${CMAKE_SOURCE_DIR}/my-app" LIMIT 200
  BROKER ${KAFKA_BROKER:-mock} LABELS kafka TIMEOUT 60)
servepath_add_replay_test(NAME wrong SCENARIO fixtures/altered APP "true; ./my-app" LIMIT 200 SIDE embedded
  BROKER ${KAFKA_BROKER:-mock} LABELS kafka slow ARGUMENTS --set "expect.abs=1e-4")
CMAKE
}

# run NAME: configures it and runs its tests.
run() {
  cmake -G Ninja -S "$tmp/$1" -B "$tmp/$1/build" -Dservepath_DIR="$SOURCE_DIR/scripts/ci/cmake" >"$tmp/$1.cmake" 2>&1 || return 99
  ctest --test-dir "$tmp/$1/build" -L kafka --output-on-failure >"$tmp/$1.out" 2>&1
}

project one
project two
first_code=0 second_code=0
run one &
first=$!
run two || second_code=$?
wait $first || first_code=$?
for name in one two; do
  [ -s "$tmp/$name.out" ] || fail "$name was not configured: $(cat "$tmp/$name.cmake")"
  says() { grep -qE -- "$1" "$tmp/$name.out" || fail "$name: no /$1/ in: $(cat "$tmp/$name.out")"; }
  says '1/2 Test #1: right \.* +Passed'
  says '2/2 Test #2: wrong \.*\*\*\*Failed'
  says '^  event 2: score\[0\] differs by 0\.'
  [ "$(ctest --test-dir "$tmp/$name/build" -N -L slow | grep -c 'Test *#')" = 1 ] || fail "$name: not its labels"
  "$PYTHON" - "$tmp/$name/build/servepath" <<'PY' || fail "$name: not its JUnit"
import sys
import xml.etree.ElementTree as xml
for name, failures in ("right", "0"), ("wrong", "1"):
    suite, = xml.parse(f"{sys.argv[1]}/{name}.xml").getroot()
    assert suite.get("failures") == failures and suite.get("errors") == "0" and suite.get("tests") == "5", suite.attrib
text, = [f.text for f in suite.iter("failure")]
assert "event 2: score[0] differs by" in text and "0.98765" not in text, text
PY
done
[ "$first_code $second_code" = "8 8" ] || fail "ctest ended with $first_code and $second_code instead of 8"

# not_configured PATTERN LINE: a project with that line is not configured, for that reason.
not_configured() {
  mkdir -p "$tmp/bad"
  printf 'cmake_minimum_required(VERSION 3.20)\nproject(bad NONE)\nenable_testing()\nfind_package(servepath %s)\n%s\n' \
    "${3-REQUIRED}" "$2" >"$tmp/bad/CMakeLists.txt"
  ! cmake -G Ninja -S "$tmp/bad" -B "$tmp/bad/build" -Dservepath_DIR="$SOURCE_DIR/scripts/ci/cmake" >"$tmp/out" 2>&1 ||
    fail "configured: $2"
  tr -s '\n ' ' ' <"$tmp/out" | grep -qE -- "$1" || fail "no /$1/ in: $(cat "$tmp/out")"
}
not_configured 'servepath_add_replay_test\(t\): APP is missing; write' "servepath_add_replay_test(NAME t SCENARIO $fixtures/fraud)"
not_configured 'NAME is missing' "servepath_add_replay_test(SCENARIO $fixtures/fraud APP x)"
not_configured '"LIMITS;3" is unknown; the arguments are NAME' "servepath_add_replay_test(NAME t SCENARIO $fixtures/fraud APP x LIMITS 3)"
not_configured 'LIMIT "many" is no count' "servepath_add_replay_test(NAME t SCENARIO $fixtures/fraud APP x LIMIT many)"
not_configured 'SCENARIO .*/none does not exist' "servepath_add_replay_test(NAME t SCENARIO none APP x)"
not_configured 'compatible with requested version "2"' '' '2 REQUIRED'
rm -rf "$tmp/bad/build"
SERVEPATH=$tmp/none not_configured 'the program servepath is not there \(.*/none\); build it with scripts/build' ''
