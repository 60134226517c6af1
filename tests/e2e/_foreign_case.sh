# Cases through an application of scripts/apps. Sourced after lib.sh, not run.
# shellcheck shell=bash disable=SC2154 # tmp and fixtures are those of lib.sh
export SERVEPATH_HOME=$SOURCE_DIR

# case_through NAME APP CASE [OPTION]...: 500 events of CASE through APP, all answered as expected.
case_through() {
  local code=0 out=$tmp/$1 app=$2 case=$3
  shift 3
  timeout 60 "$SERVEPATH" run "$fixtures/$case" --side embedded --broker "$KAFKA_BROKER" --app "$app" --arrival constant --rate 250/s \
    --warmup 0s --duration 2s --quiet --out "$out" "$@" >"$out.out" 2>"$out.err" || code=$?
  # A rate, a percentile and a noisy machine are not what is asked here; answers are.
  case $code in 0 | 1 | 2 | 4) ;; *) fail "$out: exit $code: $(cat "$out.err")" ;; esac
  books_sum "$out"
  [ "$(json "$out/result.json" '[r["counts"][n] for n in ("intended", "ok", "duplicate")] == [500, 500, 0]')" = True ] ||
    fail "$out: $(json "$out/result.json" 'r["counts"], r["errors"]') $(cat "$out.err")"
}
