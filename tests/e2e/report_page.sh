#!/usr/bin/env bash
# servepath report --html in a real browser: trials, a gate with all of its trials and charts, three sides, a sweep's map, a history, in
# light and dark, at 1280 and 400 pixels, without a word on the console; nothing that a file says becomes markup; no request is made; a
# gate of 84 trials stays below 300 KiB; 40 trials take less than a second.
. "$(dirname "$0")/lib.sh"
work=$tmp/work && mkdir "$work" && cd "$work"
audit=$SOURCE_DIR/tests/e2e/_page_audit.js
browser=$(command -v chromium || command -v chromium-browser) || fail "no Chromium; run scripts/setup --test"

# browse PAGE WIDTH light|dark: the title that the page has in the end; its elements land in dom.
browse() {
  local scheme=1
  [ "$3" = light ] || scheme=0
  rm -rf "$tmp/profile"
  timeout 100 "$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$tmp/profile" --virtual-time-budget=4000 --no-first-run \
    --disable-background-networking --host-resolver-rules="MAP * ~NOTFOUND" --enable-logging=stderr --blink-settings=preferredColorScheme=$scheme \
    --window-size="$2,1000" --dump-dom "file://$1" >dom 2>browser.log || fail "Chromium ended with $?: $(tail -3 browser.log)"
  if grep CONSOLE browser.log >&2; then fail "$1 at $2 ($3) has something on the console"; fi
  sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' dom | head -1
}

# audited PAGE=CHARTS...: each drawn at both widths and in both schemes, with that many charts, and nothing that the audit finds. All stand
# in one page's frames: a start of the browser takes longer than they do, and no window of it is narrower than 500 pixels.
audited() {
  local one page width scheme told
  {
    echo '<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>silent</title><body>'
    echo '<script>const told = []; addEventListener("message", (event) => { told.push(event.data); document.title = told.join(" | "); });</script>'
    for one in "$@"; do
      page=${one%=*}
      # The policy would keep the audit out as well; that it keeps others out is looked at without it.
      sed '/http-equiv="Content-Security-Policy"/d' "$page.html" >"audited-$page.html"
      { echo "<script>" && cat "$audit" && echo "</script>"; } >>"audited-$page.html"
      for width in 1280 400; do echo "<iframe src=\"audited-$page.html\" style=\"border:0;width:${width}px;height:900px\"></iframe>"; done
    done
  } >frames.html
  for scheme in light dark; do
    told=" | $(browse "$work/frames.html" 1400 "$scheme") | "
    for one in "$@"; do
      for width in 1280 400; do
        [[ $told == *" | audited-${one%=*}.html fine at $width, $scheme, ${one#*=} charts | "* ]] || fail "${one%=*} at $width, $scheme: $told"
      done
    done
  done
}

# As it is, with its policy: drawn, the title its own, and no element that its data speak of.
untouched() {
  local title
  title=$(browse "$work/$1" 1280 light)
  [[ $title != ran && -n $title ]] || fail "$1: a planted script ran: $title"
  grep -q '<h2[^>]*>How to repeat it</h2>' dom || fail "$1 was not drawn"
  if grep -q '<img' dom; then fail "$1: an element of its data"; fi
  [ "$(grep -o '<script' dom | wc -l)" = 3 ] || fail "$1: $(grep -o '<script' dom | wc -l) scripts"
}

for side in embedded noop rpc; do
  "$SERVEPATH" run "$fixtures/fraud" --side "$side,path=$side" --rate 500/s --warmup 500ms --duration 1s --seed 1 --quiet --out "plain/$side" \
    >/dev/null 2>run.log || [ $? -le 4 ] # whatever it found: there is something to show
  grep -q '"complete": true' "plain/$side/result.json" || fail "$(cat run.log)"
done
"$SERVEPATH" report plain/embedded plain/noop --html plain.html >/dev/null 2>err || fail "$(cat err)"
[ "$(stat -c %s plain.html)" -lt $((300 * 1024)) ] || fail "two sides take $(stat -c %s plain.html) bytes"
if grep -oE '(src|href)="[^#"]' plain.html; then fail "the page names another file"; fi
untouched plain.html
"$SERVEPATH" report plain --html sides.html >/dev/null 2>err || fail "$(cat err)" # three of them

# Every text that a result holds, and its folder, are hostile; some events got no answer; one trial is invalid.
planted="planted </script><script>document.title='ran'<!--"
mkdir -p "hostile/$(tr / _ <<<"$planted")"
"$PYTHON" - "plain/embedded/result.json" "hostile/$(tr / _ <<<"$planted")" hostile/invalid <<'PYTHON'
import json, os, sys, uuid
source, folder, other = sys.argv[1:]
evil = "</script><script>document.title='ran'</script><!--<img src=x onerror=\"document.title='ran'\">'\"&\u2028\u2029\u202e"
r = json.load(open(source))
r["validity"] = {"verdict": "valid", "reasons": [], "checks": r["validity"]["checks"]}
r["run_id"] = uuid.uuid4().hex
r["side"] = r["server"] = evil
r["server"] = {"kind": evil, "software": evil}
r["tags"] = {evil: evil, "branch": evil}
r["scenario"]["name"] = r["recording"]["source"] = r["build"]["version"] = evil
r["command"] = ["run", evil, "it's"]
r["counts"]["ok"] -= 100
r["counts"]["deadline"] = 100
r["response_ns"]["count"] += 100
r["errors"] = [{"outcome": "deadline", "code": 4, "text": evil[:100], "count": 100, "first_event": 7}]
r["predictions"]["examples"] = [{"event": 9, "text": evil[:150]}]
r["timeline"][1]["marks"] = [evil]
r["timeline"][1]["not_ok"] = 100
r["bounds"] = [{"name": evil, "limit": 1.0, "value": 2.0, "met": False}]
json.dump(r, open(folder + "/result.json", "w"), ensure_ascii=False)
r["run_id"] = uuid.uuid4().hex
r["validity"] = {"verdict": "invalid", "reasons": [evil], "checks": [{"name": evil, "value": 1.0, "limit": 0.5, "met": False, "remedy": evil}]}
os.makedirs(other)
json.dump(r, open(other + "/result.json", "w"))
PYTHON
"$SERVEPATH" report hostile --by branch --html hostile.html --csv hostile.csv --junit hostile.xml --hgrm hgrm >/dev/null 2>err || fail "$(cat err)"
untouched hostile.html
grep -q 'no answer' dom || fail "events without an answer are not told"
grep -q '<tr class="struck">' dom || fail "the invalid trial is not struck through"
"$PYTHON" -c 'import csv, sys, xml.dom.minidom as x
rows = list(csv.reader(open("hostile.csv", newline=""))); assert len(rows) > 5 and len({len(r) for r in rows}) == 1, rows
assert x.parse("hostile.xml").getElementsByTagName("failure"), "no failure"' || fail "CSV or JUnit cannot be read"
grep -q '100 of .* got no answer' hgrm/*.hgrm || fail "the table of percentiles hides those without an answer"

# A gate of two programs that are one, whatever it says: its own page, with trials and charts.
printf '#!/bin/sh\nexec "%s" "$@"\n' "$SERVEPATH" >base && chmod +x base
"$SERVEPATH" gate "$fixtures/fraud" --transport direct --duration 1s --warmup 200ms --pairs 2 --history none --base-cmd ./base --quiet \
  --out gate >/dev/null 2>err || [ $? -le 4 ]
cp gate/report.html gated.html || fail "$(cat err)"
untouched gated.html
grep -q '<h2[^>]*>Gate: ' dom || fail "the gate's verdict is not drawn"

# The same with 42 pairs, 18 of them fresh, each trial of as many seconds as such a page shows one by one.
"$PYTHON" - gate many_pairs <<'PYTHON'
import copy, json, os, random, sys
source, folder = sys.argv[1:]
random.seed(1)
comparison = json.load(open(source + "/comparison.json"))
first = [next(trial for trial in comparison["trials"] if trial["side"] == side) for side in ("base", "candidate")]
read = [json.load(open(f"{source}/{trial['dir']}/result.json")) for trial in first]
comparison["trials"] = []
for pair in range(42):
    for trial, result in zip(copy.deepcopy(first), copy.deepcopy(read)):
        is_fresh = pair >= 24
        trial["dir"] = f"{'fresh' if is_fresh else 'pairs'}/{1 + pair - 24 * is_fresh:03d}/{trial['side']}"
        trial["run_id"] = result["run_id"] = f"{len(comparison['trials']):032x}"
        trial.update(pair=pair, seed=2000 + pair, valid=True, counted=True, confirming=is_fresh, reason=None)
        result["timeline"] = [dict(result["timeline"][0], t_s=t, sent=random.randint(1900, 2100), done=random.randint(1900, 2100), not_ok=0, marks=[],
            p50_ns=random.randint(10**5, 10**6), p99_ns=random.randint(10**6, 10**7), max_ns=random.randint(10**7, 10**8),
            backlog=random.randint(0, 99)) for t in range(-1, 9)]
        result["validity"].update(verdict="valid", reasons=[])
        result["window_s"] = 9
        comparison["trials"].append(trial)
        os.makedirs(f"{folder}/{trial['dir']}")
        json.dump(result, open(f"{folder}/{trial['dir']}/result.json", "w"))
json.dump(comparison, open(folder + "/comparison.json", "w"))
PYTHON
"$SERVEPATH" report many_pairs --html pairs.html >/dev/null 2>err || fail "$(cat err)"
untouched pairs.html
grep -q '84 trials, all count' dom || fail "not 84 trials that count: $(grep -o '[0-9]* trials, [^<]*' dom | head -1)"
[ "$(stat -c %s pairs.html)" -le $((300 * 1024)) ] || fail "a gate of 84 trials takes $(stat -c %s pairs.html) bytes"

# A sweep of three sides, whose first cell says what the second denies: a crossing.
"$SERVEPATH" compare "$fixtures/fraud" --side embedded --side rpc --side noop,path=noop --pairs 1 --warmup 200ms --duration 1s --sweep rate=200/s,400/s \
  --sweep batch=8 --quiet --out grid >/dev/null 2>err || [ $? -le 4 ]
[ -s grid/sweep.json ] || fail "$(cat err)"
"$PYTHON" - grid/sweep.json <<'PYTHON'
import json, sys
sweep = json.load(open(sys.argv[1]))
for cell, ratio, verdict in zip(sweep["cells"], (1.25, 0.8), ("worse", "better")):
    cell["state"] = "done"
    cell["sides"] = [{"name": side, "meets_bounds": True} for side in sweep["sides"]]
    cell["metrics"] = [{"name": "response_p50", "side": side, "ratio": ratio, "low": 0.9 * ratio, "high": 1.1 * ratio, "level": 0.99, "verdict": verdict}
                       for side in sweep["sides"][1:]]
json.dump(sweep, open(sys.argv[1], "w"))
PYTHON
"$SERVEPATH" report grid --html sweep.html >/dev/null 2>err || fail "$(cat err)"
untouched sweep.html
grep -q 'response p50, batch=8: embedded wins at rate=200/s, rpc at rate=400/s; about equal at 28[0-9]' dom || fail "no crossing: $(grep -o '<h3>Where one.*' dom)"
grep -q 'response p50: which side wins; across: rate, down: batch' dom || fail "no map"

# Forty runs, the later twenty slower by a fifth: table, page and the change between them.
"$PYTHON" >history.jsonl - <<'PYTHON'
import json
for i in range(40):
    metrics = {"response_p50": (400e3 if i < 20 else 480e3) * (1 + 0.01 * (i * 7 % 5 - 2)), "cpu_per_event": 20 + i * 7 % 5}
    print(json.dumps({"schema": "servepath.history/1", "at": f"2026-{1 + i // 20:02d}-{1 + i % 20:02d}T00:00:00Z", "id": f"{i:032x}", "verb": "gate",
        "case": "fraud", "side": "candidate", "build": f"b{i}", "verdict": "pass" if i != 20 else "fail", "tags": {}, "metrics": metrics, "trials": 12}))
PYTHON
"$SERVEPATH" report --history history.jsonl --html history.html >out 2>err || fail "$(cat err)"
grep -q 'change at run 21 of 2026-02-01T00:00:00Z, build b20: 400µs to 480µs' out || fail "no change in the table: $(cat out)"
[ "$(grep -c 'change at run' out)" = 1 ] || fail "other changes: $(cat out)"
title=$(browse "$work/history.html" 1280 light)
grep -q 'Changed at run 21: 400 µs to 480 µs' dom || fail "no change on the page: $title"

# Comparisons without their trials.
mkdir made && "$BUILD_DIR/test_page" "$work/made"
mv made/three.html bare.html
mv made/gate.html fails.html
mv made/hostile.html planted.html
untouched planted.html
audited gated=6 sides=6 hostile=7 pairs=6 sweep=6 history=1 bare=0 fails=0

# 40 trials, in processor seconds; sanitizers take their own time.
for i in $(seq 40); do
  mkdir -p "many/$i"
  sed "s/\"run_id\": \"[0-9a-f]*\"/\"run_id\": \"$(printf '%032x' "$i")\"/" plain/embedded/result.json >"many/$i/result.json"
done
TIMEFORMAT='%U %S'
used=$({ time "$SERVEPATH" report many --html many.html >/dev/null 2>&1; } 2>&1)
grep -q '"trials":\[\[0,0,.*,\[39,0,' many.html || fail "not 40 trials"
grep -q '^SP_SANITIZE:STRING=$' "$BUILD_DIR/CMakeCache.txt" || exit 0
awk -v used="$used" 'BEGIN { split(used, s, " "); exit s[1] + s[2] >= 1 }' || fail "40 trials took $used s"
