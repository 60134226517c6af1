#!/usr/bin/env bash
# A grid of comparisons with tiny trials: broken off by a signal and taken up again without measuring anything twice; a cell that
# cannot be judged is data; what cannot be is refused before anything starts.
. "$(dirname "$0")/lib.sh"

command=("$SERVEPATH" compare "$fixtures/fraud" --side embedded --side rpc --pairs 2 --warmup 200ms --duration 1s --deadline 1s
  --drain 2s --set expect.p99=10s)
grid=(--sweep 'rate=200/s..400/s:x2' --sweep 'rpc_delay=0ms,20ms')
first="$tmp/grid/cells/rate=200_s,rpc_delay=0ms"

"${command[@]}" --out "$tmp/grid" "${grid[@]}" >"$tmp/out" 2>"$tmp/err" &
run=$!
for _ in $(seq 1200); do
  [ -e "$tmp/grid/sweep.json" ] && [ "$(json "$tmp/grid/sweep.json" 'r["cells"][0]["state"]')" = "done" ] && break
  kill -0 "$run" 2>/dev/null || fail "the sweep ended: $(cat "$tmp/err")"
  sleep 0.1
done
# In the middle of the next cell's trials.
child_of "$run" driver >"$tmp/driver"
kill -TERM "$run"
code=0
wait "$run" || code=$?
[ "$code" = 143 ] || fail "a signal: exit $code: $(cat "$tmp/err")"
grep -q '^sweep: 4 cells, 4 to run, .* about ' "$tmp/err" || fail "no estimate: $(cat "$tmp/err")"
[ "$(json "$tmp/grid/sweep.json" '(r["complete"], [c["state"] for c in r["cells"]].count("done"))')" = "(False, 1)" ] ||
  fail "after the signal: $(cat "$tmp/grid/sweep.json")"
[ -s "$tmp/grid/report.html" ] || fail "a sweep that was broken off has no page"
measured=$(find "$first" -name result.json -exec stat -c '%n %y' {} + | sort)
[ -n "$measured" ] || fail "no trials in $first"

code=0
"${command[@]}" --out "$tmp/grid" "${grid[@]}" >"$tmp/out" 2>"$tmp/err" || code=$?
[ "$code" = 0 ] || [ "$code" = 4 ] || fail "resumed: exit $code: $(cat "$tmp/err")"
grep -q '^sweep: 4 cells, 3 to run' "$tmp/err" || fail "the first cell is run again: $(cat "$tmp/err")"
[ "$measured" = "$(find "$first" -name result.json -exec stat -c '%n %y' {} + | sort)" ] || fail "the first cell was measured again"
grep -q '^fraud: crossover map, 4 of 4 cells, against embedded' "$tmp/out" || fail "no map: $(cat "$tmp/out")"
grep -q 'Crossover map' "$tmp/grid/crossover.md" || fail "no Markdown"
grep -q '<title>servepath compare --sweep fraud' "$tmp/grid/report.html" || fail "no page of all cells"
"$PYTHON" - "$tmp/grid" <<'PY'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
sweep = json.loads((folder / "sweep.json").read_text())
assert sweep["complete"] and [axis["name"] for axis in sweep["axes"]] == ["rate", "rpc_delay"], sweep["axes"]
for cell in sweep["cells"]:
    assert cell["state"] == "done", cell
    comparison = json.loads((folder / cell["comparison"]).read_text())
    assert comparison["complete"] and [side["name"] for side in comparison["sides"]] == ["embedded", "rpc"]
    rate, delay = cell["values"]
    trials = [json.loads((folder / cell["comparison"]).parent.joinpath(trial["dir"], "result.json").read_text())
              for trial in comparison["trials"]]
    assert trials and all(f'{trial["load"]["rate_per_s"]:g}/s' == rate for trial in trials), cell["name"]
    for trial in trials:
        told = (trial["server"] or {}).get("emulated_delay_ns")
        assert told == (None if trial["side"] != "rpc" else 20_000_000 if delay == "20ms" else 0), (cell["name"], trial["side"], told)
    p50 = [metric for metric in cell["metrics"] if metric["name"] == "response_p50" and metric["side"] == "rpc"][0]
    # Where this machine let no pair be valid there is no ratio.
    assert delay == "0ms" or p50["ratio"] is None or p50["ratio"] > 3, p50
PY

# Other settings are no continuation.
refused 64 'holds cell .* of a sweep with other settings' "${command[@]}" --out "$tmp/grid" "${grid[@]}" --threads 2

refused 64 '--sweep: "rat" is no key of a scenario; did you mean rate' "${command[@]}" --out "$tmp/none" --sweep rat=1/s,2/s
refused 64 'cell rate=200: --rate: load.rate: "200" has no unit' "${command[@]}" --out "$tmp/none" --sweep rate=200
refused 64 '--sweep rate and --rate set the same key' "${command[@]}" --out "$tmp/none" --sweep rate=1/s,2/s --rate 5/s
[ ! -e "$tmp/none" ] || fail "a refused sweep leaves a folder"
echo ok
