#!/usr/bin/env bash
# servepath report --html in a real browser: a trial, a comparison and a gate are drawn without a word on the console, in light and
# dark, at 1280 and 400 pixels; nothing that a file says becomes markup; no request is made; 40 trials take less than a second.
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

# audited PAGE CHARTS: drawn at both widths and in both schemes, with that many charts, and nothing that the audit finds.
audited() {
  local width scheme told
  # The policy would keep the audit out as well; that it keeps others out is looked at without it.
  sed '/http-equiv="Content-Security-Policy"/d' "$1" >audited.html
  { echo "<script>" && cat "$audit" && echo "</script>"; } >>audited.html
  for width in 1280 400; do
    # No window of Chromium is narrower than 500 pixels: a frame is.
    cat >frame.html <<FRAME
<!DOCTYPE html><meta name="color-scheme" content="light dark"><title>silent</title><body>
<script>addEventListener("message", (event) => { document.title = event.data; });</script>
<iframe src="audited.html" style="border:0;width:${width}px;height:900px"></iframe>
FRAME
    for scheme in light dark; do
      [ "$width/$scheme" != 1280/dark ] || continue
      told=$(browse "$work/frame.html" 1400 "$scheme")
      [[ $told == "FINE at $width, $scheme, $2 charts" ]] || fail "$1 at $width, $scheme: $told"
    done
  done
}

# As it is, with its policy: drawn, the title its own, and no element that its data speak of.
untouched() {
  local title
  title=$(browse "$work/$1" 1280 light)
  [[ $title != *FINE* && $title != ran && -n $title ]] || fail "$1: a planted script ran: $title"
  grep -q '<h2[^>]*>How to repeat it</h2>' dom || fail "$1 was not drawn"
  if grep -q '<img' dom; then fail "$1: an element of its data"; fi
  [ "$(grep -o '<script' dom | wc -l)" = 3 ] || fail "$1: $(grep -o '<script' dom | wc -l) scripts"
}

for side in embedded noop; do
  "$SERVEPATH" run "$fixtures/fraud" --side "$side,path=$side" --rate 500/s --warmup 500ms --duration 1s --seed 1 --quiet --out "plain/$side" \
    >/dev/null 2>run.log || [ $? -le 4 ] # whatever it found: there is something to show
  grep -q '"complete": true' "plain/$side/result.json" || fail "$(cat run.log)"
done
"$SERVEPATH" report plain --html plain.html >/dev/null 2>err || fail "$(cat err)"
[ "$(stat -c %s plain.html)" -lt $((300 * 1024)) ] || fail "two sides take $(stat -c %s plain.html) bytes"
if grep -oE '(src|href)="[^#"]' plain.html; then fail "the page names another file"; fi
untouched plain.html
audited plain.html 6

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
audited hostile.html 7
"$PYTHON" -c 'import csv, sys, xml.dom.minidom as x
rows = list(csv.reader(open("hostile.csv", newline=""))); assert len(rows) > 5 and len({len(r) for r in rows}) == 1, rows
assert x.parse("hostile.xml").getElementsByTagName("failure"), "no failure"' || fail "CSV or JUnit cannot be read"
grep -q '100 of .* got no answer' hgrm/*.hgrm || fail "the table of percentiles hides those without an answer"

# A comparison and a gate, without their trials.
mkdir made && "$BUILD_DIR/test_page" "$work/made"
mv made/*.html .
untouched gate.html
untouched hostile.html
audited gate.html 0

# 40 trials, in processor seconds; sanitizers take their own time.
for i in $(seq 40); do
  mkdir -p "many/$i"
  sed "s/\"run_id\": \"[0-9a-f]*\"/\"run_id\": \"$(printf '%032x' "$i")\"/" plain/embedded/result.json >"many/$i/result.json"
done
TIMEFORMAT='%U %S'
used=$({ time "$SERVEPATH" report many --html many.html >/dev/null 2>&1; } 2>&1)
grep -q '"trials":\[0,.*,39\]' many.html || fail "not 40 trials"
grep -q '^SP_SANITIZE:STRING=$' "$BUILD_DIR/CMakeCache.txt" || exit 0
awk -v used="$used" 'BEGIN { split(used, s, " "); exit s[1] + s[2] >= 1 }' || fail "40 trials took $used s"
