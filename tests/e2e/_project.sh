# A project of somebody's own, for the tests of scripts/ci. Sourced after lib.sh, not run.
# shellcheck shell=bash
# shellcheck disable=SC2154 # of lib.sh

# somebodys_project FOLDER: an application and two scenarios, of which `altered` expects something else of one event.
somebodys_project() {
  mkdir -p "$1/fixtures"
  cp -r "$fixtures/fraud" "$1/fixtures/fraud"
  cp -r "$fixtures/fraud" "$1/fixtures/altered"
  sed -i '4s/"v":\[[^]]*\]/"v":[0.987654321]/' "$1"/fixtures/altered/expected/*.jsonl
  cat >"$1/my-app" <<'SH'
#!/bin/sh
exec "$SERVEPATH" app "$SERVEPATH_SCENARIO" --side embedded --transport kafka --broker "$SERVEPATH_BROKER" \
  --input-topic "$SERVEPATH_INPUT_TOPIC" --output-topic "$SERVEPATH_OUTPUT_TOPIC" --group "$SERVEPATH_GROUP"
SH
  chmod +x "$1/my-app"
}
