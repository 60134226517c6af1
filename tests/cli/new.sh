#!/usr/bin/env bash
# servepath new: a case from a CSV file and a model, or from a model alone; what was guessed is marked, and what is wrong is refused
# without leaving a folder.
. "$(dirname "$0")/lib.sh"
models=$SOURCE_DIR/tests/contract/models
servepath() { # CODE ARGUMENT...
  local code=0 want=$1
  shift
  "$SERVEPATH" "$@" >out 2>err </dev/null || code=$?
  [ "$code" -eq "$want" ] || fail "exit $code instead of $want: servepath $*"
}
expect() { grep -qF -- "$1" "$2" || fail "no \"$1\" in $2: $(cat "$2")"; }
# refuse CODE PATTERN ARGUMENT...: one line, and no folder.
refuse() {
  local code=$1 pattern=$2
  shift 2
  servepath "$code" new "$@"
  grep -qE -- "$pattern" err || fail "servepath new $*: not /$pattern/"
  [ "$(wc -l <err)" = 1 ] || fail "servepath new $*: more than one line"
  [ ! -e no ] || fail "servepath new $*: left a folder"
}

# --- the README's way: from a CSV file and a model to a comparison ---
cp "$models/affine/1/model.onnx" trips.onnx
cat >trips.csv <<'END'
pickup,zone,km,passengers,fare,note
2026-03-01T08:00:00Z,east,1.5,1,7.25,
2026-03-01T08:00:02Z,west,4,2,15.5,"two stops, one bag"
2026-03-01T08:00:03Z,east,0.8,1,5,
2026-03-01T08:00:03.500Z,north,NA,3,22,odometer broken
2026-03-01T08:00:07Z,west,12.25,1,31.75,
END
servepath 0 new trips --from trips.csv --model trips.onnx --key zone
expect 'next: servepath verify trips' err
expect 'recording: trips.sprec # guessed: time is column pickup: every value is an ISO 8601 time' trips/scenario.yaml
expect '{column: km, missing: 0}, # guessed: 0 for the 1 of 5 rows without a number' trips/scenario.yaml
servepath 0 inspect trips/trips.sprec
grep -q '^starts  *2026-03-01T08:00:00Z$' out || fail "the time"
expect '[east]' out
servepath 4 verify trips --quiet
expect 'next: servepath verify trips --update' err
servepath 0 verify trips --update --quiet
expect '{"i":0,"v":[736.5]}' trips/expected/trips-1.jsonl # 1.5 + 10 * 1 + 100 * 7.25
servepath 0 verify trips --quiet
for side in embedded rpc; do
  # Bounds of so short a trial may be unresolved, and a busy machine may disturb it: only its answers count here.
  code=0
  "$SERVEPATH" run trips --side $side --warmup 100ms --duration 1s --out results/trips/$side --quiet >out 2>err || code=$?
  [[ $code =~ ^(0|1|2|4)$ ]] || fail "run --side $side: exit $code"
  servepath 0 inspect --json results/trips/$side
  "$PYTHON" - <<'PY' || fail "run --side $side"
import json
counts = json.load(open("out"))["counts"]
assert counts["ok"] == counts["intended"] > 300, counts
PY
done
servepath 0 report results/trips
grep -q 'trips .* rpc' out || fail "report"
servepath 3 new trips --from trips.csv --model trips.onnx
expect 'trips is there already' err

# --- real data: the guess is right, answers are those of the fixture ---
rows() { # CASE: its first 500 events, below the names that its scenario gives them
  "$PYTHON" - "$SOURCE_DIR/fixtures/$1/scenario.yaml" <<'PY'
import re, sys
print(re.sub(r"\s", "", re.search(r"header: \[(.*?)\]", open(sys.argv[1]).read(), re.S)[1]))
PY
  "$SERVEPATH" export "$SOURCE_DIR/fixtures/$1/$1.sprec" --format csv --limit 500 2>err
}
rows fraud >fraud.csv
servepath 0 new fraud --from fraud.csv --model "$SOURCE_DIR/fixtures/fraud/models/fraud/1/model.onnx"
expect 'time is column Time: its name, and numbers that never fall: seconds' fraud/scenario.yaml
expect 'left out: Class (looks like what is predicted)' fraud/scenario.yaml
servepath 0 verify fraud --update --side embedded --quiet
"$PYTHON" - "$SOURCE_DIR/fixtures/fraud/expected/fraud-1.jsonl" <<'PY' || fail "the fixture's answers"
import json, sys
def read(path): return [json.loads(line)["v"][0] for line in list(open(path))[1:501]]
have, want = read("fraud/expected/fraud-1.jsonl"), read(sys.argv[1])
assert len(have) == len(want) == 500
assert all(abs(a - b) <= 1e-5 + 1e-4 * abs(b) for a, b in zip(have, want))
PY
# A whole version folder, SavedModel included; the header row may be missing.
tail -n +2 fraud.csv >plain.csv
servepath 0 new plain --from plain.csv --model "$SOURCE_DIR/fixtures/fraud/models/fraud/1" --out deep.plain
[ -e deep.plain/models/plain/1/saved_model.pb ] || fail "no SavedModel"
expect 'no header row, for the first row holds numbers' deep.plain/scenario.yaml
servepath 4 verify deep.plain --side embedded --quiet

# --- what cannot be guessed: a list to choose from, and the place of it ---
rows airline >airline.csv
servepath 4 new airline --from airline.csv --model "$SOURCE_DIR/fixtures/airline/models/airline-gbm/1/model.onnx" \
  --target ArrDelay,IsArrDelayed,IsDepDelayed
line=$(grep -n '# choose: 10 of the ' airline/scenario.yaml | cut -d: -f1)
expect "choose: airline/scenario.yaml:$line says what" err
servepath 64 verify airline
expect "airline/scenario.yaml:$line:" err
expect 'choose those that the model was trained on' err
[ "$(head -n 1 airline/levels/UniqueCarrier.txt)" = 9E ] || fail "levels are not sorted"
# One keeps what the model takes, and it runs; an airline of the levels has the code of the fixture's file or not: not compared.
"$PYTHON" - <<'PY'
import re
keep = "Month DayofMonth DayOfWeek CRSDepTime CRSArrTime FlightNum UniqueCarrier Origin Dest Distance".split()
text = open("airline/scenario.yaml").read()
head, rest = text.split("columns: [", 1)
body, tail = rest.split("]", 1)
items = [re.search(r"^\s*\{?(?:column: )?(\w+)", part) for part in re.split(r",\s*(?=[\w{])(?![^{]*\})", re.sub("#.*", "", body))]
columns = []
for part, name in zip(re.split(r",\s*(?=[\w{])(?![^{]*\})", re.sub("#.*", "", body)), items):
    if name[1] in keep:
        columns.append(part.strip().rstrip(","))
assert len(columns) == 10, columns
open("airline/scenario.yaml", "w").write(head + "columns: [" + ", ".join(columns) + "]" + tail)
PY
servepath 4 verify airline --side embedded --quiet
expect '500 unchecked' out

# --- inputs by name; types ---
"$PYTHON" - <<'PY'
open("pairs.csv", "w").write("a1,a2,b1,b2\n" + "".join(f"{i},{i + 1},{i}.5,{i}.25\n" for i in range(3)))
open("parts.csv", "w").write("a1,a2,b1,b2\n" + "".join(f"{i}.5,{i + 1},{i}.5,{i}.25\n" for i in range(3)))
PY
servepath 0 new pairs --from pairs.csv --model "$models/two_inputs/1" --time none --target none
servepath 0 verify pairs --update --side embedded --quiet
expect '{"i":1,"v":[2.5,3.25]}' pairs/expected/pairs-1.jsonl
servepath 4 new parts --from parts.csv --model "$models/two_inputs/1" --time none --target none
expect 'do not fit the element types' parts/scenario.yaml
printf 'i2\n0.5\n2\n' >half.csv # as many as the model takes, and no index
servepath 4 new half --from half.csv --model "$models/gather/1"
expect 'do not fit the element types' half/scenario.yaml
servepath 1 verify half --side embedded --quiet
expect 'column i2: no int64' out
printf 'noise,i,id\n0.5,2,7\n1.5,0,7\n2.5,1,8\n' >named.csv
servepath 0 new named --from named.csv --model "$models/gather/1/model.onnx" --key id
expect '# guessed: the column of that name' named/scenario.yaml
servepath 0 verify named --update --quiet
expect '{"i":0,"v":[3.5]}' named/expected/named-1.jsonl
# Few values and a key's name; a time in milliseconds, a little out of order, is sorted.
"$PYTHON" - <<'PY'
rows = [(1700000000000 + 10 * i, f"card{i % 3}", i, 2 * i, 3 * i) for i in range(200)]
rows[50], rows[51] = rows[51], rows[50]
open("cards.csv", "w").write("at,card_id,x,y2,z\n" + "".join("%d,%s,%d,%d,%d\n" % row for row in rows))
PY
servepath 0 new cards --from cards.csv --model trips.onnx
expect 'every value is a Unix time; key is column card_id: its name, and only 3 values' cards/scenario.yaml
servepath 0 inspect cards/cards.sprec
expect '[card1]' out
expect '1.99s' out

# --- what stands in a file breaks nothing ---
"$PYTHON" - <<'PY'
names = ['a: b', 'c #d', '"quoted"', "it's", '\U0001F600', 'null', '~', '- x', '[y', '{z', 'tab\there', 'bell\x07', 'a: b', '',
         '*star', '&and', '!tag', '%p', '@at', '`tick', 'back\\slash', '\u202eturned', '1e3x', 'yes', 'two\nlines', 'caf\xe9']
quoted = ['"' + name.replace('"', '""') + '"' for name in names]
def row(i): return ",".join(str(i) for _ in names)
with open("names.csv", "wb") as file:
    file.write(b"\xef\xbb\xbf" + ",".join(quoted).encode() + b",bad\xff\xfe\r\n")
    for i in range(3):
        file.write((row(i) + ",\"l: #" + "xyz"[i] + "\"\r\n").encode())
with open("wide.csv", "w") as file:
    file.write(",".join(f"column number {i}" for i in range(300)) + "\n" + ",".join("1" * 300) + "\n")
PY
servepath 4 new names --from names.csv --model trips.onnx --time none
servepath 64 verify names
expect 'names/scenario.yaml:' err
expect 'choose those' err
if LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' names/scenario.yaml; then fail "control bytes in YAML"; fi
printf 'x: 1,"#",{\n1,2,3\n' >odd.csv
servepath 0 new odd --from odd.csv --model trips.onnx --target none
servepath 0 verify odd --update --side embedded --quiet
expect '{"i":0,"v":[321]}' odd/expected/odd-1.jsonl
servepath 4 new wide --from wide.csv --model trips.onnx --target none
expect '# choose: 3 of the 300 here' wide/scenario.yaml
printf 'a,b,c\n1,2,3\n1,2\n' >short.csv
servepath 0 new short --from short.csv --model trips.onnx --target none
expect 'line 3 to begin with: their events are malformed' err
printf 'a,b,c\n1,nan,3\n1,2,3\n' >nan.csv
servepath 0 new nan --from nan.csv --model trips.onnx --target none
servepath 0 verify nan --update --side embedded --quiet
expect '{"i":0,"v":[301]}' nan/expected/nan-1.jsonl

# --- without data ---
servepath 0 new made --synthetic 200 --seed 7 --model trips.onnx
expect 'they show cost, not correctness of data' made/scenario.yaml
servepath 0 new again --synthetic 200 --seed 7 --model trips.onnx
servepath 0 new other --synthetic 200 --seed 8 --model trips.onnx
values() { "$SERVEPATH" export "$1/$1.sprec" --format csv 2>/dev/null; }
[ "$(values made)" = "$(values again)" ] || fail "one seed, other events"
[ "$(values made)" != "$(values other)" ] || fail "another seed, the same events"
servepath 0 inspect made/made.sprec
expect 'synthetic, servepath new --seed 7' out
servepath 4 verify made --side embedded --quiet
expect '200 unchecked' out
servepath 0 new table --synthetic 50 --model "$models/gather/1" # indexes of a table of three
servepath 4 verify table --side embedded --quiet
expect '50 unchecked' out

# --- refused ---
: >empty.csv
printf 'a,b,c\n' >header.csv
head -c 5000 /dev/urandom >random.csv
printf 'a\0b,c\n1,2\n' >zero.csv
printf 'a;b;c\n1;2;3\n' >semicolon.csv
printf 'a,b,c\n1,"2,3\n' >open.csv
printf '{"a":1}\n' >lines.jsonl
refuse 3 'empty.csv holds no events: it is empty' no --from empty.csv --model trips.onnx
refuse 3 'header.csv holds no events below its header' no --from header.csv --model trips.onnx
refuse 3 'random.csv:' no --from random.csv --model trips.onnx
refuse 3 'zero.csv:1: byte 2 is zero, so this is no text' no --from zero.csv --model trips.onnx
refuse 3 'semicolon.csv:1: the fields look parted by ";"' no --from semicolon.csv --model trips.onnx
refuse 3 'lines.jsonl:1: looks like JSON lines' no --from lines.jsonl --model trips.onnx
refuse 3 'open.csv:2: the file ends inside quotes' no --from open.csv --model trips.onnx
refuse 3 'cannot open nothing.csv' no --from nothing.csv --model trips.onnx
refuse 3 'cannot read nothing.onnx' no --from trips.csv --model nothing.onnx
refuse 3 'trips.csv.*ONNX Runtime' no --from trips.csv --model trips.csv
refuse 3 'holds no model.onnx, saved_model.pb or model.tflite' no --from trips.csv --model .
refuse 64 'unknown size after the batch' no --from trips.csv --model "$models/unknown_width/1"
refuse 64 'is no tensor of' no --from trips.csv --model "$models/strings/1/model.onnx"
refuse 3 'cannot make the folder no/such/place \(No such file' x --from trips.csv --model trips.onnx --out no/such/place
refuse 64 '--key zoe: there is no such column; did you mean zone' no --from trips.csv --model trips.onnx --key zoe
refuse 64 'either --from data.csv or --synthetic' no --model trips.onnx
refuse 64 'either --from data.csv or --synthetic' no --model trips.onnx --from trips.csv --synthetic 5
refuse 64 'say which model' no --from trips.csv
refuse 64 'must be letters, digits' a/b --from trips.csv --model trips.onnx
refuse 64 'are of rows' no --synthetic 5 --model trips.onnx --key a
refuse 64 'more than 1 GiB' no --synthetic 1000000000 --model trips.onnx
mkdir there && touch there/mine
servepath 3 new there --from trips.csv --model trips.onnx
[ "$(ls there)" = mine ] || fail "touched a folder that was there"
servepath 0 new --help
expect '--synthetic N' out
echo ok
