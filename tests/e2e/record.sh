#!/usr/bin/env bash
# A live topic of the mock cluster recorded: what stands in the recording, its gaps in a replay, a signal that ends it, and
# what cannot be recorded.
. "$(dirname "$0")/lib.sh"
gcc -O1 -Wall -o "$tmp/produce" "$SOURCE_DIR/tests/e2e/_produce.c" -lrdkafka

"$SERVEPATH" broker --topic live:3 --topic quiet:1 --ready-file "$tmp/ready" >/dev/null &
broker=$!
trap 'kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
for _ in $(seq 400); do
  [ -s "$tmp/ready" ] && break
  sleep 0.025
done
address=$(json "$tmp/ready" 'r["address"]')

# ends CODE WORDS COMMAND...: the exit code, and one line of stderr that says WORDS.
ends() {
  local wanted=$1 words=$2 code=0
  shift 2
  timeout 60 "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
  [ "$code" = "$wanted" ] || fail "$*: exit $code, not $wanted: $(cat "$tmp/err")"
  [ -z "$words" ] || grep -q -- "$words" "$tmp/err" || fail "$*: \"$(cat "$tmp/err")\" does not say \"$words\""
}

# Rows of the fraud recording, in three partitions, at times that no even spacing has; partition 2 runs 3 s ahead in its
# log, so that only a sort brings it in place.
"$SERVEPATH" export "$fixtures/fraud/fraud.sprec" --format csv --limit 120 -o "$tmp/rows.csv" 2>/dev/null
"$PYTHON" - "$tmp/rows.csv" >"$tmp/lines" <<'END'
import sys
rows = [row for row in open(sys.argv[1]).read().splitlines() if not row.startswith("Time")]
start, at, lines = 1_700_000_000_000, 0, []
for i, row in enumerate(rows):
    at += (0, 1, 20, 2, 0, 7, 60)[i % 7] if i else 0
    lines.append((i % 3 != 2, f"{i % 3} {start + at} card-{i % 5} {row}"))
print("\n".join(line for _, line in sorted(lines, key=lambda line: line[0])))
END
"$tmp/produce" "$address" live <"$tmp/lines" || fail "cannot produce"

ends 0 "from 3 partitions" "$SERVEPATH" record live -b "$address" -o "$tmp/live.sprec" --from beginning --content-type text/csv
ends 0 "" "$SERVEPATH" record live -b "$address" -o "$tmp/hashed.sprec" --from beginning --hash-key --drop 1 --hash 30
PYTHONPATH=$SOURCE_DIR/tests/peers "$PYTHON" - "$tmp" <<'END' || fail "the recordings are not what was produced"
import sys
import xxhash
from _sprec import check, read
folder = sys.argv[1]
sent = sorted((int(at), partition, key, row) for partition, at, key, row in
              (line.split(" ", 3) for line in open(f"{folder}/lines").read().splitlines()))
header, events = read(f"{folder}/live.sprec")
check(header.times_are_real and header.start_unix_ns == sent[0][0] * 10**6, header)
check(len(events) == len(sent) == 120, len(events))
check([e.offset_ns for e in events] == [(at - sent[0][0]) * 10**6 for at, *_ in sent], "times")
key = lambda of: (of[0], of[1], of[2])
check(sorted(((e.offset_ns, e.key.decode(), e.value.decode()) for e in events), key=key) ==
      sorted((((at - sent[0][0]) * 10**6, k, row) for at, _, k, row in sent), key=key), "keys and values")
check(all([h.name for h in e.headers] == ["trace"] for e in events), "headers")
_, hashed = read(f"{folder}/hashed.sprec")
for e, h in zip(events, hashed):
    fields, kept = e.value.decode().split(","), h.value.decode().split(",")
    check(h.key.decode() == xxhash.xxh3_128_hexdigest(e.key), h.key)
    check(kept[0] == "" and kept[29] == xxhash.xxh3_128_hexdigest(fields[29].encode()), kept)
    check(kept[1:29] + kept[30:] == fields[1:29] + fields[30:], kept)
END

# The replay's plan has the recording's gaps, to the nanosecond.
# It may be invalid as a measurement (2) where the machine is busy: that is not asked here.
code=0
"$SERVEPATH" run "$fixtures/fraud" --set recording="$tmp/live.sprec" --side plain,path=noop --arrival trace --speed 1 \
  --warmup 0s --duration 2s --limit 120 --transport direct --raw --quiet --out "$tmp/replay" >"$tmp/out" 2>"$tmp/err" || code=$?
case $code in 0 | 2 | 4) ;; *) fail "replay: exit $code: $(cat "$tmp/err")" ;; esac
PYTHONPATH=$SOURCE_DIR/tests/peers "$PYTHON" - "$tmp" <<'END' || fail "the replay has other gaps than the recording"
import csv
import io
import sys
import zstandard
from _sprec import check, read
folder = sys.argv[1]
_, events = read(f"{folder}/live.sprec")
with open(f"{folder}/replay/events.csv.zst", "rb") as file:
    text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file))
    rows = sorted(csv.DictReader(text), key=lambda row: int(row["event"]))
planned = [int(row["intended_ns"]) for row in rows]
n = len(planned)
check(n >= 100, n)
check([at - planned[0] for at in planned] == [e.offset_ns for e in events[:n]], planned[:20])
END

# From the end, until a signal: what came meanwhile is whole.
"$SERVEPATH" record live -b "$address" -o "$tmp/tail.sprec" >/dev/null 2>"$tmp/tail.err" &
recorder=$!
for _ in $(seq 400); do
  grep -q listening "$tmp/tail.err" && break
  sleep 0.025
done
head -7 "$tmp/lines" | "$tmp/produce" "$address" live || fail "cannot produce"
sleep 1 # the mock hands new messages out when its fetches end
kill -INT "$recorder"
code=0
wait "$recorder" || code=$?
[ "$code" = 130 ] || fail "SIGINT: exit $code: $(cat "$tmp/tail.err")"
grep -q "ended by SIGINT" "$tmp/tail.err" || fail "SIGINT: $(cat "$tmp/tail.err")"
PYTHONPATH=$SOURCE_DIR/tests/peers "$PYTHON" -c 'import sys, _sprec; assert len(_sprec.read(sys.argv[1])[1]) == 7' \
  "$tmp/tail.sprec" || fail "the recording that SIGINT ended is not whole"

ends 3 "no message to record" "$SERVEPATH" record quiet -b "$address" -o "$tmp/none.sprec" --from beginning
[ ! -e "$tmp/none.sprec" ] || fail "an empty recording is left"
ends 3 "nowhere" "$SERVEPATH" record nowhere -b "$address" -o "$tmp/none.sprec"
ends 3 "127.0.0.1:1 " "$SERVEPATH" record live -b 127.0.0.1:1 -o "$tmp/none.sprec" --connect-timeout 500ms
ends 64 "which broker" "$SERVEPATH" record live -o "$tmp/none.sprec"
ends 64 "neither a JSON pointer" "$SERVEPATH" record live -b "$address" -o "$tmp/none.sprec" --drop name
ends 64 "is no place" "$SERVEPATH" record live -b "$address" -o "$tmp/none.sprec" --from yesterday
ends 64 "without anything to hash" env S=x "$SERVEPATH" record live -b "$address" -o "$tmp/none.sprec" --hash-secret "\$S"
ends 64 "no.such.property" "$SERVEPATH" record live -b "$address" -o "$tmp/none.sprec" -X no.such.property=1
[ -z "$(find "$tmp" -name '*.sort.*' -o -name '*.part*')" ] || fail "temporary files are left"
