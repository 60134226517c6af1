#!/usr/bin/env bash
# The README's example of one's own data and model runs as it stands there, but for shorter trials.
set -euo pipefail
: "${SERVEPATH:?}" "${SOURCE_DIR:?}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() {
  echo "readme.sh: $*" >&2
  exit 1
}

mkdir "$tmp/build"
ln -s "$SOURCE_DIR/tests" "$SOURCE_DIR/fixtures" "$tmp"
# Notes each verb and its exit code, and lets the example go on.
cat >"$tmp/build/servepath" <<END
#!/usr/bin/env bash
code=0
[ "\$1" != run ] || set -- "\$@" --warmup 500ms --duration 1s
"$SERVEPATH" "\$@" || code=\$?
echo "\$1 \$code" >>"$tmp/codes"
END
chmod +x "$tmp/build/servepath"
awk '/^## /{here = /^## Your own data and model/} here && /^```sh/{inside = 1; next} /^```/{if (inside) exit} inside' "$SOURCE_DIR/README.md" >"$tmp/example.sh"
[ "$(wc -l <"$tmp/example.sh")" -gt 10 ] || fail "the README has no such example"
(cd "$tmp" && bash -euo pipefail example.sh >out 2>err) || fail "it failed: $(cat "$tmp/err")"
told=$(tr '\n' ' ' <"$tmp/codes")
# So short a trial on a busy machine may be invalid (2) or resolve no p99 (4): no matter here.
[[ $told =~ ^"new 0 inspect 0 verify 4 verify 0 verify 0 run "[024]" run "[024]" report 0 "$ ]] || fail "exit codes: $told: $(cat "$tmp/err")"
[ -s "$tmp/results/trips.md" ] || fail "no report"
grep -q trips "$tmp/results/trips.md" || fail "the report is about something else"
