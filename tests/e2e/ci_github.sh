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

export CI_DIR=$tmp/ci OUT=$tmp/out
code=0
"$step" gate "$SOURCE_DIR/fixtures/fraud" >"$tmp/none" 2>&1 || code=$?
[ $code = 3 ] || fail "a gate without anything built ended with $code: $(cat "$tmp/none")"
code=0
"$step" build no-such-commit >"$tmp/none" 2>&1 || code=$?
[ $code = 64 ] || fail "a build of no commit ended with $code: $(cat "$tmp/none")"

for name in base candidate; do
  mkdir -p "$CI_DIR/$name/build"
  ln -s "$SOURCE_DIR/.cache" "$CI_DIR/$name/.cache"
  cp "$SERVEPATH" "$CI_DIR/$name/build/servepath"
  git -c "safe.directory=$SOURCE_DIR" -C "$SOURCE_DIR" rev-parse HEAD >"$CI_DIR/$name/commit"
done
"$step" build HEAD 2>"$tmp/build" || fail "what is built already: $(cat "$tmp/build")"
if grep -q building "$tmp/build"; then fail "it was built again: $(cat "$tmp/build")"; fi

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
