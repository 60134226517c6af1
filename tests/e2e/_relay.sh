# For tests with a relay between two parts. Sourced after lib.sh, not run.
# shellcheck shell=bash
relay=""

leave_relay() {
  [ -z "$relay" ] || kill -KILL "$relay" 2>/dev/null || true
  leave
}
trap leave_relay EXIT

# start_relay TARGET: in the background; its commands go to descriptor 7; sets relay and relayed (its address).
start_relay() {
  mkfifo "$tmp/commands"
  : >"$tmp/relay.out"
  "$SERVEPATH" relay --target "$1" --parent $$ <"$tmp/commands" >"$tmp/relay.out" &
  relay=$!
  exec 7>"$tmp/commands"
  relay_lines 1
  relayed=$(json "$tmp/relay.out" 'r["address"]')
}

# relay_lines N: waits until it has printed as many.
relay_lines() {
  for _ in $(seq 400); do
    [ "$(wc -l <"$tmp/relay.out")" -ge "$1" ] && return
    kill -0 "$relay" 2>/dev/null || fail "the relay has ended"
    sleep 0.02
  done
  fail "the relay has not printed line $1"
}

# tell_relay COMMAND: and waits until it is done.
tell_relay() {
  local n
  n=$(($(wc -l <"$tmp/relay.out") + 1))
  echo "$1" >&7
  relay_lines "$n"
  sed -n "${n}p" "$tmp/relay.out" | grep -q '"ok":true' || fail "relay: $(sed -n "${n}p" "$tmp/relay.out")"
}
