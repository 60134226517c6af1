#!/usr/bin/env bash
# --server NAME: model servers that others wrote, good and bad. The scripts here are small ones around `servepath model-server`, in a
# folder of their own; the real ones are in scripts/servers and have tests of their own.
. "$(dirname "$0")/lib.sh"
export SERVEPATH SERVEPATH_HOME=$tmp/home
mkdir -p "$tmp/home/scripts/servers"
affine=$SOURCE_DIR/tests/contract/models/affine

# script NAME BODY: its body may use start, which becomes the server, and its ready line's fields.
script() {
  cat >"$tmp/home/scripts/servers/$1" <<END
#!/usr/bin/env bash
set -euo pipefail
[ "\$1" = run ] && [ "\$2" = --dir ] && [ "\$4" = --model ]
model=\$5
mkdir -p "\$3"
echo "\$@" >"$tmp/$1.arguments"
start() {
  "\$SERVEPATH" model-server --parent \$\$ "\$@" >"$tmp/$1.ready" &
  server=\$!
  trap 'kill \$server; wait \$server' TERM
  until [ -s "$tmp/$1.ready" ]; do sleep 0.02; done
  address=\$(sed -E 's/.*"address":"([^"]*)".*/\1/' "$tmp/$1.ready")
  echo "{\"ready\":true,\"part\":\"model server\",\"kind\":\"imitation\",\"version\":\"7.1\",\"address\":\"\$address\"}"
  wait \$server || true
}
$2
END
  chmod +x "$tmp/home/scripts/servers/$1"
}

# run NAME CODES [OPTION]...: 200 events a second through the server of that name.
run() {
  local name=$1 codes=$2 code=0
  out=$tmp/$name.out
  shift 2
  timeout 60 "$SERVEPATH" run "$fixtures/fraud" --side rpc --server "$name" --arrival constant --rate 200/s --warmup 0s --duration 1s \
    --drain 3s --deadline 1s --quiet --out "$out" "$@" >"$out.txt" 2>"$out.err" || code=$?
  case " $codes " in *" $code "*) ;; *) fail "$name: exit $code, not one of $codes: $(cat "$out.err")" ;; esac
  if [ "$code" -lt 3 ] || [ "$code" = 4 ]; then books_sum "$out"; fi
}
says() { [ "$(json "$out/result.json" "$1")" = True ] || fail "$out: not $1: $(json "$out/result.json" 'r["counts"], r["errors"], r["server"]')"; }
told() {
  grep -qE -- "$1" "$out.err" || fail "$out: /$1/ is missing in: $(cat "$out.err")"
  [ "$(wc -l <"$out.err")" = 1 ] || fail "$out: more than a line: $(cat "$out.err")"
}

# All processes of its group count: here a shell that waits, and the server.
# shellcheck disable=SC2016 # for the script to expand
script good 'start --model "$model"'
run good "0 2 4" --set sides.rpc.server.threads=2
says 'r["counts"]["ok"] == 200'
says 'r["server"]["kind"] == "imitation" and r["server"]["version"] == "7.1"'
says 'r["cpu_us_per_event"]["server"] > 1 and r["rss_bytes"]["server"] > 1e6'
"$SERVEPATH" report "$out" >"$tmp/report" 2>&1
grep -q "rpc, imitation" "$tmp/report" || fail "the report does not say what ran: $(cat "$tmp/report")"
grep -q -- "--protocol tfs --threads 2\$" "$tmp/good.arguments" || fail "good: started as $(cat "$tmp/good.arguments")"
run good 64 --stub fixed
told 'server.stub: is a key of our reference server, and good has none such'
run good 3 --protocol kserve-rest
told 'ready line has no "rest"'

# Not there; ends; refuses; is another protocol's; serves another model.
run goood 64
told '"goood" is none of scripts/servers; did you mean good'
script ends 'echo "ends: the model is of another year" >&2; exit 3'
run ends 3
told 'the model is of another year'
script picky 'echo "picky: speaks kserve, not tfs; write --protocol kserve" >&2; exit 64'
run picky 64
told 'speaks kserve, not tfs; write --protocol kserve'
# shellcheck disable=SC2016
script web '
"'"$PYTHON"'" -c "
import http.server, json
server = http.server.HTTPServer((\"127.0.0.1\", 0), http.server.BaseHTTPRequestHandler)
print(json.dumps({\"ready\": True, \"address\": \"127.0.0.1:%d\" % server.server_port}), flush=True)
server.serve_forever()" 2>/dev/null'
run web 3 --connect-timeout 2s
told '127.0.0.1:'
# shellcheck disable=SC2016
script other 'start --model "fraud='"$affine"'"'
run other 64
told "has no input transaction; it has x"

# python NAME PREDICT: a small server over HTTP in Python whose score for a row is that expression.
python() {
  script "$1" 'exec "'"$PYTHON"'" - <<"END_OF_SERVER"
import json, math, signal, sys
sys.path.insert(0, "'"$SOURCE_DIR"'/tests/peers")
from _rest_server import Model, serving
with serving(Model(lambda row: '"$2"')) as address:
    print(json.dumps({"ready": True, "address": address, "rest": address}), flush=True)
    signal.sigwait({signal.SIGTERM})
END_OF_SERVER'
}

# Answers that are no numbers, or of another shape; dies in the middle.
python nan 'math.nan'
run nan "1 2" --protocol kserve-rest
says 'r["counts"]["ok"] == 0 and r["counts"]["mismatch"] + r["counts"]["malformed"] == 200'
# It names itself; whether it is a stub, nobody knows.
says '"plain-python" in r["server"]["software"] and r["server"]["stub"] is None'
python shape '[0.5, 0.5]'
run shape "1 2" --protocol kserve-rest
says 'r["counts"]["malformed"] == 200 and r["errors"][0]["text"] != ""'
# shellcheck disable=SC2016
script dies '(sleep 2; kill -KILL $(cat "'"$tmp"'/pid")) & start --model "$model"'
# shellcheck disable=SC2016
sed -i 's#^  server=$!#&; echo $server >"'"$tmp"'/pid"#' "$tmp/home/scripts/servers/dies"
run dies "1 2" --duration 4s
says '0 < r["counts"]["ok"] < 800 and r["counts"]["unavailable"] > 0 and r["counts"]["lost"] == 0'
says 'any("model server" in mark for second in r["timeline"] for mark in second.get("marks", []))'

# One that is never ready: waiting for it ends with a signal, and so does it.
script never 'echo $$ >"'"$tmp"'/never.pid"; sleep 100'
"$SERVEPATH" run "$fixtures/fraud" --side rpc --server never --quiet --out "$tmp/never.out" >"$tmp/never.txt" 2>&1 &
run=$!
until [ -s "$tmp/never.pid" ]; do sleep 0.02; done
kill -TERM $run
code=0
wait $run || code=$?
[ "$code" = 143 ] || fail "never: exit $code instead of 143: $(cat "$tmp/never.txt")"
gone "$(cat "$tmp/never.pid")"
