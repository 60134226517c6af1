#!/usr/bin/env bash
# The workflow for GitHub: linted, and each step run by hand. A base that is there is not built again; a commit is; the verdict
# is commented once, and where nobody may comment it is in the summary.
. "$(dirname "$0")/lib.sh"
step=$SOURCE_DIR/scripts/ci/github/step
"$(dirname "$PYTHON")/zizmor" --offline --no-progress --quiet --min-severity low "$SOURCE_DIR/scripts/ci/github/servepath.yml" >"$tmp/lint" 2>&1 ||
  fail "the workflow: $(cat "$tmp/lint")"
# The steps that it names are steps, and the scenario is one.
"$step" --help >"$tmp/help"
while read -r name; do
  grep -q "step $name" "$tmp/help" || fail "the workflow runs the step $name, which there is not"
done < <(sed -nE 's/.*ci\/github\/step ([a-z]+).*/\1/p' "$SOURCE_DIR/scripts/ci/github/servepath.yml")

# A project of its own with two commits, whose build is a copy of the program under test.
project=$tmp/project
mkdir -p "$project/scripts/ci/github" "$project/build"
cp "$step" "$project/scripts/ci/github"
cp "$SOURCE_DIR/scripts/lib.sh" "$project/scripts"
printf '#!/bin/sh\n' >"$project/scripts/setup"
cat >"$project/scripts/build" <<BUILD
#!/bin/sh
cd "\$(dirname "\$0")/.." && mkdir -p build && cp "$SERVEPATH" build/servepath
BUILD
chmod +x "$project/scripts/setup" "$project/scripts/build"
commit() { git -C "$project" -c user.name=me -c user.email=me@mine commit -q --allow-empty -m "$1"; }
git -C "$project" init -q
git -C "$project" add scripts
commit one
commit two
ln -s "$SOURCE_DIR/.cache" "$project/.cache"
step=$project/scripts/ci/github/step
export CI_DIR=$tmp/ci/built OUT=$tmp/out
mkdir "$tmp/ci"

code=0
"$step" gate "$SOURCE_DIR/fixtures/fraud" >"$tmp/none" 2>&1 || code=$?
[ $code = 3 ] || fail "a gate without anything built ended with $code: $(cat "$tmp/none")"
code=0
"$step" build no-such-commit >"$tmp/none" 2>&1 || code=$?
[ $code = 64 ] || fail "a build of no commit ended with $code: $(cat "$tmp/none")"
"$step" build HEAD~1 2>"$tmp/build" || fail "not built: $(cat "$tmp/build")"
[ "$(grep -c building "$tmp/build")" = 2 ] || fail "base and candidate were not built: $(cat "$tmp/build")"
"$step" build HEAD~1 2>"$tmp/build" || fail "what is built already: $(cat "$tmp/build")"
if grep -q building "$tmp/build"; then fail "it was built again: $(cat "$tmp/build")"; fi
commit three
"$step" build HEAD~1 2>"$tmp/build" || fail "after a commit: $(cat "$tmp/build")"
[ "$(grep -c building "$tmp/build")" = 2 ] || fail "other commits were not built: $(cat "$tmp/build")"

code=0
"$step" gate "$SOURCE_DIR/fixtures/fraud" --side embedded --rate 500/s --duration 1s --warmup 0s --pairs 2 --metrics cpu_per_event \
  --history none --quiet >"$tmp/gate" 2>&1 || code=$?
# 2: on a machine that is busy its trials are invalid.
[[ $code = [24] ]] || fail "a gate of two pairs ended with $code, not inconclusive: $(cat "$tmp/gate")"
for file in comparison.json report.md junit.xml report.html; do [ -s "$OUT/$file" ] || fail "no $file of the gate: $(cat "$tmp/gate")"; done

mkdir "$tmp/bin"
cat >"$tmp/bin/gh" <<GH
#!/bin/sh
echo "\$*" >>$tmp/gh.calls
for body; do :; done
cat "\$body" >$tmp/gh.body
GH
chmod +x "$tmp/bin/gh"
PATH=$tmp/bin:$PATH PULL_REQUEST=17 GITHUB_REPOSITORY=me/mine GITHUB_STEP_SUMMARY=$tmp/summary "$step" comment || fail "no comment"
grep -q '^pr comment 17 --repo me/mine --edit-last --create-if-none' "$tmp/gh.calls" || fail "gh was called so: $(cat "$tmp/gh.calls")"
grep -q 'INCONCLUSIVE' "$tmp/gh.body" || fail "the comment says: $(cat "$tmp/gh.body")"
cmp -s "$OUT/report.md" "$tmp/summary" || fail "the summary is not the report"
printf '#!/bin/sh\nexit 1\n' >"$tmp/bin/gh"
PATH=$tmp/bin:$PATH PULL_REQUEST=17 GITHUB_REPOSITORY=me/mine "$step" comment 2>"$tmp/said" || fail "a fork's comment ended the job"
grep -q "takes no comment" "$tmp/said" || fail "said: $(cat "$tmp/said")"
