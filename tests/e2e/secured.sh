#!/usr/bin/env bash
# A Kafka that wants TLS and a password: with them a trial passes, and the password stands nowhere; each mistake is one line
# within 15 s and exit 3. So is SCRAM at Kafka 4 by a librdkafka before 2.6.1, which cannot (a newer one must).
. "$(dirname "$0")/lib.sh"
start_kafka secured --sasl plain --tls
secured=$address
ca=$tmp/secured/ca.pem
printf alice-secret >"$tmp/password"
start_kafka plain
plain=$address
start_kafka scram --sasl scram
scram=$address

properties=(-X security.protocol=SASL_SSL -X "ssl.ca.location=$ca" -X sasl.mechanism=PLAIN -X sasl.username=alice)
trial() {
  local folder=$1
  shift
  timeout 60 "$SERVEPATH" run "$fixtures/fraud" --side embedded --rate 200/s --warmup 1s --duration 2s --quiet --out "$folder" "$@" \
    >"$folder.out" 2>"$folder.err"
}

code=0
trial "$tmp/ok" --broker "$secured" "${properties[@]}" -X "sasl.password=@$tmp/password" || code=$?
case $code in 0 | 2 | 4) ;; *) fail "TLS and a password: exit $code: $(cat "$tmp/ok.err")" ;; esac
[ "$(counts "$tmp/ok" ok)" = 400 ] || fail "TLS and a password: $(json "$tmp/ok/result.json" 'r["counts"]')"
! grep -rq alice-secret "$tmp/ok" "$tmp/ok.out" "$tmp/ok.err" || fail "the password is in the result"

# not_reached WHAT PATTERN OPTION...
not_reached() {
  local what=$1 pattern=$2 start_s=$SECONDS lines
  shift 2
  code=0
  trial "$tmp/refused" "$@" || code=$?
  [ "$code" = 3 ] || fail "$what: exit $code instead of 3: $(cat "$tmp/refused.err")"
  [ $((SECONDS - start_s)) -le 15 ] || fail "$what: took $((SECONDS - start_s)) s"
  lines=$(wc -l <"$tmp/refused.err")
  [ "$lines" = 1 ] || fail "$what: $lines lines instead of one: $(cat "$tmp/refused.err")"
  grep -qE "$pattern" "$tmp/refused.err" || fail "$what: the line does not say so: $(cat "$tmp/refused.err")"
  rm -rf "$tmp/refused"
}
printf wrong >"$tmp/wrong"
not_reached "wrong password" "[Aa]uthentication|password|credentials" --broker "$secured" "${properties[@]}" -X "sasl.password=@$tmp/wrong"
not_reached "plain against TLS" "TLS|SSL" --broker "$secured"
not_reached "TLS against plain" "TLS|SSL" --broker "$plain" -X security.protocol=SSL -X "ssl.ca.location=$ca"
not_reached "nobody there" "refused|reach" --broker 127.0.0.1:9

code=0 # an application makes no topics
timeout 30 "$SERVEPATH" app "$fixtures/fraud" --broker "$plain" --input-topic no-such --output-topic nor-such >"$tmp/out" 2>"$tmp/err" || code=$?
{ [ "$code" = 3 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q "topic no-such" "$tmp/err"; } ||
  fail "unknown topic: exit $code: $(cat "$tmp/err")"

by_scram=(--broker "$scram" -X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=SCRAM-SHA-256 -X sasl.username=alice
  -X "sasl.password=@$tmp/password")
code=0
trial "$tmp/by-scram" "${by_scram[@]}" || code=$?
if [ "$code" = 3 ]; then
  not_reached "SCRAM at Kafka 4" "2\.6\.1" "${by_scram[@]}"
else
  [ "$(counts "$tmp/by-scram" ok)" = 400 ] || fail "SCRAM: exit $code: $(cat "$tmp/by-scram.err")"
fi
