#!/usr/bin/env bash
# import, export and inspect as commands: files come back byte for byte, and what cannot be read is refused in one line.
set -euo pipefail
: "${SERVEPATH:?}" "${SOURCE_DIR:?}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
n_failed=0
fail() {
  echo "FAIL $*" >&2
  n_failed=$((n_failed + 1))
}
# ok ARGUMENT...: servepath exits with 0; stdout in out, stderr in err.
ok() {
  "$SERVEPATH" "$@" >out 2>err || fail "servepath $*: exit $?: $(cat err)"
}
# refuse CODE PATTERN ARGUMENT...: that exit code, one line that matches, no recording, nothing left behind.
refuse() {
  local code=$1 pattern=$2 told=0
  shift 2
  rm -f no.sprec
  "$SERVEPATH" "$@" >out 2>err </dev/null || told=$?
  [ "$told" = "$code" ] || fail "servepath $*: exit $told instead of $code: $(cat err)"
  grep -qE -- "$pattern" err || fail "servepath $*: not /$pattern/ but: $(cat err)"
  [ "$(wc -l <err)" = 1 ] || fail "servepath $*: more than one line: $(cat err)"
  [ ! -e no.sprec ] || fail "servepath $*: left a recording"
  if compgen -G '*.part' >/dev/null; then fail "servepath $*: left a temporary file"; fi
}
same() {
  cmp -s "$1" "$2" || fail "$1 and $2 differ: $3"
}

# --- byte for byte ---
printf 'id,t,text\n1,0.5,"a, ""b""\nc"\n2,0.5,NA\n3,1e+00,\n' >a.csv
printf '\xef\xbb\xbfid,"t ",x\r\n1,2,"0"\r\n2,3,\xff\xfe\r\n3,4,,,\r\n' >b.csv
printf '{"a":1.10,"b":"\\u00e9"}\n[18446744073709551616]\n' >c.jsonl
ok import a.csv -o a.sprec --time t --key id
grep -q 'next: servepath inspect a.sprec' err || fail "no next command"
ok export a.sprec --format csv -o a2.csv
same a.csv a2.csv "CSV with a quoted line end"
ok import b.csv -o b.sprec --time 2
ok export b.sprec --format csv
same b.csv out "CSV with mark, CR LF, bytes that are no text"
ok import c.jsonl -o c.sprec
ok export c.sprec --format jsonl
same c.jsonl out "JSON lines"
for name in a b c; do
  ok export $name.sprec --format kcat -o $name.kcat
  ok import $name.kcat --format kcat -o $name-2.sprec --name $name
  ok export $name-2.sprec --format kcat
  same $name.kcat out "kcat's envelope, twice"
done
for case in fraud airline tweet; do
  ok export "$SOURCE_DIR/fixtures/$case/$case.sprec" --format kcat -o $case.kcat
  ok import $case.kcat --format kcat -o $case.sprec --name $case
  ok export $case.sprec --format kcat
  same $case.kcat out "recording $case"
done
# A message as kcat 1.7 prints it: NUL, control bytes, no key, a tombstone, headers.
cat >k.kcat <<'END'
{"topic":"t","partition":1,"offset":7,"tstype":"create","ts":1600000000123,"broker":1,"headers":["h","v\u0000","n",null],"key":null,"payload":"a\u0001\u001F\"\\/\n"}
{"topic":"t","partition":0,"offset":0,"tstype":"create","ts":1600000000123,"broker":1,"key":"k","payload":null}
END
ok import k.kcat --format kcat -o k.sprec
ok export k.sprec --format kcat
grep -qF '"headers":["h","v\u0000","n",null],"key":null,"payload":"a\u0001\u001F\"\\/\n"}' out || fail "kcat: $(cat out)"
grep -qF '"ts":1600000000123,"key":"k","payload":null}' out || fail "kcat: $(cat out)"

# --- times, columns, pointers, order ---
printf 'k,when\na,2013-01-01T10:00:02Z\nb,2013-01-01T10:00:00Z\nc,2013-01-01T10:00:02Z\nd,2013-01-01T10:00:01.5Z\n' >d.csv
refuse 3 'd\.csv:3: event 1 lies 2 s before .*; add --sort' import d.csv -o no.sprec --time when --time-unit iso8601
ok import d.csv -o d.sprec --time when --time-unit iso8601 --sort --columns k
ok export d.sprec --format csv
[ "$(tr '\n' ' ' <out)" = "k b d a c " ] || fail "sorted: $(cat out)"
ok inspect d.sprec
grep -q '^starts  *2013-01-01T10:00:00Z$' out || fail "start: $(cat out)"
ok import d.csv -o d.sprec --time when --time-unit iso8601 --sort --limit 2 --columns k
ok export d.sprec --format csv
[ "$(tr '\n' ' ' <out)" = "k b d " ] || fail "the earliest two: $(cat out)"
ok import - --format jsonl --key /u/id --value /text --time /at --time-unit ms -o p.sprec <<'END'
{"u":{"id":7},"text":"one\ntwo","at":"10"}
{"u":{"id":"x"},"text":"\ud83d\ude00","at":12.5}
END
ok inspect p.sprec
grep -qF '+0ns [7] one\ntwo' out || fail "$(cat out)"
grep -qF '+2.5ms [x] 😀' out || fail "$(cat out)"
ok import a.csv -o e.sprec --rate 2/s --limit 2 --json
grep -qF '"events":2,' out || fail "$(cat out)"
grep -qF '"duration_ns":500000000,"times_are_real":false' out || fail "$(cat out)"
ok inspect e.sprec
grep -q 'made up' out || fail "$(cat out)"
printf 't,v\n1,a\nx,b\n\n2\n3,d\n' >s.csv
refuse 3 's\.csv:3: column t: "x" is not a time.*--skip-bad' import s.csv -o no.sprec --time t --columns v
ok import s.csv -o s.sprec --time t --columns v --skip-bad
grep -q '2 bad rows, the first line 3: column t' err || fail "$(cat err)"
grep -q '1 blank lines' err || fail "$(cat err)"

# --- refused ---
refuse 64 'which file' import
refuse 64 'unknown option --tme; did you mean --time' import a.csv -o no.sprec --tme t
refuse 64 '-o NAME.sprec' import a.csv
refuse 64 'one of: id, t, text|did you mean text' import a.csv -o no.sprec --key texd
refuse 64 '--no-header columns have numbers' import a.csv -o no.sprec --no-header --key id
refuse 64 'both input and output' import a.csv -o a.csv
refuse 64 '--rate: "5" has no unit' import a.csv -o no.sprec --rate 5
refuse 64 'exclude each other' import a.csv -o no.sprec --rate 5/s --time t
refuse 64 'csv, jsonl' import a.csv -o no.sprec --format xml
refuse 64 'not a JSON pointer; write /a' import c.jsonl -o no.sprec --key a
refuse 64 '--columns does not go' import c.jsonl -o no.sprec --columns a
refuse 64 'does not say what it is' import k.kcat -o no.sprec
refuse 64 'note is not UTF-8' import a.csv -o no.sprec --note "$(printf '\xff')"
refuse 3 'cannot open nothing.csv' import nothing.csv -o no.sprec
refuse 3 'cannot read \.' import . --format csv -o no.sprec
refuse 3 'no/such/no.sprec.*No such file' import a.csv -o no/such/no.sprec
: >empty.csv
refuse 3 'empty.csv is empty' import empty.csv -o no.sprec
refuse 3 'empty.csv holds no events' import empty.csv -o no.sprec --no-header
printf 'a,b\n1,2\n3,"4\n5,6\n' >open.csv
refuse 3 'open.csv:3: the file ends inside quotes' import open.csv -o no.sprec
printf '{"a":1}\n{"a":\x1b[31m}\n' >bad.jsonl
refuse 3 'bad.jsonl:2: not JSON from byte 5' import bad.jsonl -o no.sprec
refuse 3 'bad.jsonl:1: there is no /b' import bad.jsonl -o no.sprec --key /b
{ printf 'a\n"' && head -c 9000000 /dev/zero; } >long.csv
refuse 3 'long.csv:2: the row that starts here is longer than 8 MiB' import long.csv -o no.sprec
refuse 3 'not a recording' inspect a.csv
refuse 3 'not a recording' export a.csv --format csv
refuse 64 '--format csv, jsonl or kcat' export a.sprec
refuse 3 'event 0: a line end outside quotes.*kcat' export p.sprec --format csv -o no.sprec
tail -n 1 k.kcat >t.kcat
ok import t.kcat --format kcat -o t.sprec
refuse 3 'event 0: a tombstone' export t.sprec --format csv -o no.sprec
refuse 64 '0 to 20' inspect a.sprec --events 21
head -c 100 a.sprec >cut.sprec
refuse 3 'cut.sprec: .*truncated' inspect cut.sprec
refuse 3 'cut.sprec: .*truncated' export cut.sprec --format csv -o no.sprec
# A full disk, as a limit on the size of files.
head -c 3000000 /dev/urandom | od -An -tx1 | tr -d ' ' >random.csv
(
  trap '' XFSZ
  ulimit -f 100
  refuse 3 'no.sprec \(File too large\); free some space' import random.csv --no-header -o no.sprec
  [ "$n_failed" = 0 ]
) || n_failed=$((n_failed + 1))

# --- terminals and signals ---
printf 'v\n"\x1b[2J\x07\xc2\x9b"\n' >escape.csv
ok import escape.csv -o escape.sprec --name "$(printf 'n\033[31m')"
ok inspect escape.sprec
grep -qF '"\x1b[2J\x07\xc2\x9b"' out || fail "escapes: $(cat out)"
ok inspect escape.sprec --json
LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' out && fail "control bytes in JSON"
mkfifo pipe
"$SERVEPATH" import pipe --format csv -o no.sprec 2>err &
child=$!
exec 3>pipe
printf 'v\n1\n2\n' >&3
until compgen -G 'no.sprec.*.part' >/dev/null || ! kill -0 $child 2>/dev/null; do
  # The file appears with the first event; the pipe may be read a moment later.
  printf '3\n' >&3
done
kill -TERM $child
told=0
wait $child || told=$?
exec 3>&-
[ "$told" = 143 ] || fail "ended by SIGTERM: exit $told, $(cat err)"
grep -q 'SIGTERM' err || fail "$(cat err)"
compgen -G 'no.sprec*' >/dev/null && fail "SIGTERM left a file"

for verb in import export inspect; do
  ok $verb --help
  if [ ! -s out ] || [ -s err ]; then fail "$verb --help goes to stdout"; fi
done
[ "$n_failed" = 0 ] || exit 1
echo ok
