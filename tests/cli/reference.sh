#!/usr/bin/env bash
# docs/reference.md is what the tables make, and names every option that the --help of a verb prints, in that verb's section or among
# what all verbs with a scenario share.
. "$(dirname "$0")/lib.sh"

"$SERVEPATH" reference --markdown >page 2>err || fail "no page"
cmp page "$SOURCE_DIR/docs/reference.md" >out 2>&1 ||
  fail "docs/reference.md is not what the tables make; make it again with: build/servepath reference --markdown > docs/reference.md"

sed '/^## Options of single verbs$/,$d' page >shared
# stands FLAG FILE: in a cell of its own, with or without a value.
stands() { grep -qE "^\|.*\`$1( [^\`]*)?\` \|" "$2"; }

"$SERVEPATH" --help >verbs
mapfile -t verbs < <(sed -nE 's/^  [A-Z ].{8}([a-z-]+) .*/\1/p' verbs)
[ "${#verbs[@]}" -ge 18 ] || fail "verbs of --help: ${verbs[*]}"
n_flags=0
for verb in "${verbs[@]}"; do
  awk -v verb="### $verb" '/^##/ {here = $0 == verb} here' page >section
  [ -s section ] || fail "$verb has no section"
  "$SERVEPATH" "$verb" --help >out 2>err || fail "$verb --help"
  sed -nE 's/^  (-[a-zA-Z], )?(--[a-z-]+).*/\2/p' out | sort -u >flags
  [ -s flags ] || fail "no options in $verb --help"
  takes_scenario=$(grep -c '^Takes a scenario' section || true)
  while read -r flag; do
    n_flags=$((n_flags + 1))
    [ "$flag" = --help ] && continue
    stands "$flag" section && continue
    { [ "$takes_scenario" = 1 ] && stands "$flag" shared; } || fail "$verb $flag is not in the reference"
  done <flags
  # What texts mention (--arrival trace, --broker mock) is an option of some verb.
  grep -oE -- '--[a-z][a-z-]*[a-z]' out | sort -u >flags
  while read -r flag; do
    [ "$flag" = --help ] || stands "$flag" page || fail "$verb --help speaks of $flag, which is no option"
  done <flags
done
[ "$n_flags" -gt 600 ] || fail "only $n_flags options were looked for"
for flag in --sweep --calibrate --margin --by --hgrm --probe; do stands "$flag" page || fail "no $flag"; done
