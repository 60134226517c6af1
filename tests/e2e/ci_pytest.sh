#!/usr/bin/env bash
# The pytest plugin, really installed and used: an application that is right passes, a wrong one fails and the report says why, a
# dead one is told from a wrong one, code of one's own finds its broker, and two such projects run beside each other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/_project.sh"
export SERVEPATH

"$PYTHON" -m pip install -q --disable-pip-version-check --no-index --no-deps --no-build-isolation --target "$tmp/site" \
  "$SOURCE_DIR/scripts/ci/pytest" >"$tmp/pip.log" 2>&1 || fail "the plugin cannot be installed: $(tail -3 "$tmp/pip.log")"

# project NAME: a folder with an application and its tests; the second scenario expects something else of one event.
project() {
  local folder=$tmp/$1
  somebodys_project "$folder"
  cat >"$folder/test_app.py" <<'PY'
import os

import pytest

BROKER = os.environ.get("KAFKA_BROKER", "mock")


def test_right(servepath):
    r = servepath.verify("fixtures/fraud", app="./my-app", limit=200, broker=BROKER, junit="out.xml")
    assert r.counts["ok"] == 200
    assert r.ok and not r.missing and not r.duplicated and not r.differing


def test_wrong(servepath):
    servepath.verify("fixtures/altered", app="./my-app", limit=200, broker=BROKER)


def test_dead(servepath):
    servepath.verify("fixtures/fraud", app="echo out of luck >&2; exit 7", limit=200, broker=BROKER)


def test_looked_at(servepath):
    r = servepath.verify("fixtures/altered", app="./my-app", limit=200, broker=BROKER, check=False)
    assert r.exit_code == 1 and r.counts["ok"] == 199 and [d["event"] for d in r.differing] == [2]


def test_around(servepath):
    with servepath.with_("fixtures/fraud", broker="mock", only="broker") as around:
        assert ":" in around.broker and around.input_topic and around.output_topic and around.server is None
    with pytest.raises(AssertionError, match="no-such"):
        with servepath.with_("fixtures/no-such"):
            pass
PY
}

# run NAME: its tests, whose report goes to NAME.out.
run() {
  cd "$tmp/$1" && PYTHONPATH=$tmp/site "$PYTHON" -m pytest -p no:cacheprovider -q >"$tmp/$1.out" 2>&1
}

project one
project two
run one &
first=$!
second_code=0 first_code=0
run two || second_code=$?
wait $first || first_code=$?

for name in one two; do
  says() { grep -qF -- "$1" "$tmp/$name.out" || fail "$name: no \"$1\" in: $(cat "$tmp/$name.out")"; }
  says "2 failed, 3 passed"
  says "servepath verify fixtures/altered: wrong or missing answers (exit 1)"
  says "predictions failed: event 2: score[0] differs by 0."
  says "the application or its broker did not work (exit 3)"
  says "exited with code 7 before it was ready: out of luck"
  ! grep -q '0\.98765' "$tmp/$name.out" || fail "$name: an expected value is shown: $(cat "$tmp/$name.out")"
  grep -q '<testsuites .* tests="5" failures="0" errors="0"' "$tmp/$name/out.xml" || fail "$name: $(cat "$tmp/$name/out.xml")"
done
[ "$first_code $second_code" = "1 1" ] || fail "pytest ended with $first_code and $second_code instead of 1"

# Where there is no program, the test says what to do.
code=0
(cd "$tmp/one" && PYTHONPATH=$tmp/site SERVEPATH=$tmp/none "$PYTHON" -m pytest -p no:cacheprovider -q -k right) >"$tmp/out" 2>&1 || code=$?
[ "$code" = 1 ] || fail "no program: pytest ended with $code: $(cat "$tmp/out")"
grep -q 'servepath is not found .*pytest --servepath' "$tmp/out" || fail "no program: not named in $(cat "$tmp/out")"
