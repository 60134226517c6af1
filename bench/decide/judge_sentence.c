// The verdict in one sentence, the remarks beside it, and the exit code: "embedded faster at p50 (1.33 x), 3.2 x cheaper; p99
// inconclusive; both meet p99 <= 10ms".
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "decide/judge_parts.h"
#include "report/report.h"

struct sentence {
  char text[2048];
  size_t n;
};

static void say(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct sentence *s, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(s->text + s->n, sizeof s->text - s->n, format, args);
  va_end(args);
  s->n += (size_t)n;
  if (s->n >= sizeof s->text) s->n = sizeof s->text - 1;
}

static const char *part(const struct sentence *s) {
  return s->n ? "; " : "";
}

// --- Who is better at what ---

static bool is_of(const struct sp_compared *m, size_t side_i, enum sp_verdict verdict) {
  return m->is_primary && m->side_i == side_i && m->verdict == verdict;
}

static void say_better(struct sentence *s, const struct sp_compared *m, const char *word) {
  double times = m->ratio < 1 ? 1 / m->ratio : m->ratio;
  char ratio[32];
  snprintf(ratio, sizeof ratio, times < 100 ? "%.3g" : "%.0f", times);
  const char *title = sp_metric_short_title(m->metric);
  bool is_time = m->metric->is_time;
  if (isinf(times))
    say(s, "%s at %s (the other gives no answer)", word, title);
  else if (is_time)
    say(s, "%s at %s (%s x)", word, title, ratio);
  else if (strcmp(m->metric->name, "cpu_per_event") == 0)
    say(s, "%s x %s", ratio, word);
  else
    say(s, "%s %s (%s x)", word, title, ratio);
}

// "NAME faster at p50 (1.33 x), 3.2 x cheaper" of all that have this verdict; without the name where it is "".
static void say_all(struct sentence *s, const struct sp_comparison *c, size_t side_i, enum sp_verdict verdict,
                    const char *name, bool is_better) {
  bool is_first = true;
  for (size_t i = 0; i < c->n_metrics; i++) {
    const struct sp_compared *m = &c->metrics[i];
    if (!is_of(m, side_i, verdict)) continue;
    if (is_first)
      say(s, "%s%s%s", part(s), name, *name ? " " : "");
    else
      say(s, ", ");
    say_better(s, m, is_better ? m->metric->better : m->metric->worse);
    is_first = false;
  }
}

static void say_titles(struct sentence *s, const struct sp_comparison *c, size_t side_i,
                       enum sp_verdict verdict) {
  bool is_first = true;
  for (size_t i = 0; i < c->n_metrics; i++) {
    const struct sp_compared *m = &c->metrics[i];
    if (!is_of(m, side_i, verdict)) continue;
    say(s, "%s%s", is_first ? part(s) : ", ", sp_metric_short_title(m->metric));
    is_first = false;
  }
  if (is_first) return;
  if (verdict == SP_VERDICT_SAME)
    say(s, " no different within %.3g %%", 100 * c->delta);
  else
    say(s, verdict == SP_VERDICT_VOID ? " means nothing here" : " inconclusive");
}

static void say_rest(struct sentence *s, const struct sp_comparison *c, size_t side_i) {
  say_titles(s, c, side_i, SP_VERDICT_SAME);
  say_titles(s, c, side_i, SP_VERDICT_INCONCLUSIVE);
  say_titles(s, c, side_i, SP_VERDICT_VOID);
}

// Of two sides each by what it is better at; of more each against the reference.
static void say_side(struct sentence *s, const struct sp_comparison *c, size_t side_i) {
  const char *name = c->sides[side_i].name, *reference = c->sides[c->reference_i].name;
  if (c->n_sides == 2) {
    say_all(s, c, side_i, SP_VERDICT_WORSE, reference, true);
    say_all(s, c, side_i, SP_VERDICT_BETTER, name, true);
    say_rest(s, c, side_i);
    return;
  }
  struct sentence own = {.n = 0};
  say_all(&own, c, side_i, SP_VERDICT_BETTER, "", true);
  say_all(&own, c, side_i, SP_VERDICT_WORSE, "", false);
  say_rest(&own, c, side_i);
  say(s, "%s%s against %s: %s", part(s), name, reference, own.text);
}

// --- Bounds ---

const char *sp_judge_bound_name(const struct sp_bound *bound) {
  const char *name = strncmp(bound->name, "expect.", 7) == 0 ? bound->name + 7 : bound->name;
  if (strcmp(name, "not_ok") == 0) return "not ok";
  return strcmp(name, "p99_9") == 0 ? "p99.9" : name;
}

// "p99 <= 10ms", "not ok <= 0.1%"; in text.
static char *bound_text(const struct sp_bound *bound, char *text, size_t n) {
  char limit[SP_UNITS_TEXT_BYTES];
  snprintf(text, n, "%s <= %s", sp_judge_bound_name(bound),
           sp_report_bound_text(bound, bound->limit, limit, sizeof limit));
  return text;
}

static const struct sp_bound *same_bound(const struct sp_compared_side *side, const char *name) {
  for (size_t i = 0; i < side->n_bounds; i++) {
    if (strcmp(side->bounds[i].name, name) == 0) return &side->bounds[i];
  }
  return NULL;
}

static void say_names(struct sentence *s, const struct sp_comparison *c, const char *bound, enum sp_met met) {
  size_t n = 0;
  for (size_t i = 0; i < c->n_sides; i++) {
    const struct sp_bound *own = same_bound(&c->sides[i], bound);
    if (own && own->met == met) say(s, "%s%s", n++ ? ", " : "", c->sides[i].name);
  }
}

static size_t count_met(const struct sp_comparison *c, const char *bound, enum sp_met met) {
  size_t n = 0;
  for (size_t i = 0; i < c->n_sides; i++) {
    const struct sp_bound *own = same_bound(&c->sides[i], bound);
    n += own && own->met == met;
  }
  return n;
}

static void say_bound(struct sentence *s, const struct sp_comparison *c, const struct sp_bound *bound) {
  char text[128];
  size_t n_kept = count_met(c, bound->name, SP_MET_YES), n_missed = count_met(c, bound->name, SP_MET_NO);
  bound_text(bound, text, sizeof text);
  if (n_kept + n_missed == 0) return;
  say(s, "%s", part(s));
  if (n_kept == c->n_sides || n_missed == c->n_sides) {
    say(s, "%s %s %s", c->n_sides == 2 ? "both" : "all", n_kept ? "meet" : "miss", text);
    return;
  }
  if (n_missed) say_names(s, c, bound->name, SP_MET_NO);
  if (n_missed) say(s, " %s %s%s", n_missed > 1 ? "miss" : "misses", text, n_kept ? ", " : "");
  if (n_kept) say_names(s, c, bound->name, SP_MET_YES);
  if (n_kept) say(s, " %s %s", n_kept > 1 ? "meet" : "meets", n_missed ? "it" : text);
}

// Kept by all and of no latency: nobody asks.
static void say_bounds(struct sentence *s, const struct sp_comparison *c) {
  const struct sp_compared_side *reference = &c->sides[c->reference_i];
  for (size_t i = 0; i < reference->n_bounds; i++) {
    const struct sp_bound *bound = &reference->bounds[i];
    bool is_share = strcmp(bound->name, "expect.not_ok") == 0;
    if (!is_share || count_met(c, bound->name, SP_MET_NO) > 0) say_bound(s, c, bound);
  }
}

// --- All of it ---

// "12 of 240,000 predictions of rpc are not what was expected", or of sides that differ; "" where all are right. In text.
static char *mismatch_text(const struct sp_comparison *c, char *text, size_t n) {
  char count[SP_UNITS_TEXT_BYTES], all[SP_UNITS_TEXT_BYTES];
  const struct sp_compared_side *worst = NULL, *left_out = NULL;
  *text = '\0';
  for (size_t i = 0; i < c->n_sides; i++) {
    const struct sp_compared_side *side = &c->sides[i];
    if (side->n_mismatched > (worst ? worst->n_mismatched : 0)) worst = side;
    if (side->n_mismatched_left_out > (left_out ? left_out->n_mismatched_left_out : 0)) left_out = side;
  }
  if (worst)
    snprintf(text, n, "%s of %s predictions of %s are not what was expected",
             sp_units_print_count((uint64_t)worst->n_mismatched, count, sizeof count),
             sp_units_print_count((uint64_t)worst->n_checked, all, sizeof all), worst->name);
  else if (left_out)
    snprintf(text, n, "predictions of %s in trials that do not count are not what was expected: %s",
             left_out->name,
             sp_units_print_count((uint64_t)left_out->n_mismatched_left_out, count, sizeof count));
  else if (c->predictions.differing > 0)
    snprintf(text, n, "%s of %s predictions differ between the sides",
             sp_units_print_count((uint64_t)c->predictions.differing, count, sizeof count),
             sp_units_print_count((uint64_t)c->predictions.compared, all, sizeof all));
  return text;
}

char *sp_judge_sentence(const struct sp_judging *j) {
  const struct sp_comparison *c = j->c;
  struct sentence s = {.n = 0};
  char mismatch[256];
  if (*mismatch_text(c, mismatch, sizeof mismatch)) say(&s, "%s", mismatch);
  if (j->no_verdict[0]) say(&s, "%sno verdict: %s", part(&s), j->no_verdict);
  for (size_t i = 0; !j->no_verdict[0] && i < c->n_sides; i++) {
    if (i != c->reference_i) say_side(&s, c, i);
  }
  say_bounds(&s, c);
  return sp_copy_text(s.text);
}

static bool misses_a_bound(const struct sp_comparison *c) {
  for (size_t s = 0; s < c->n_sides; s++) {
    for (size_t i = 0; i < c->sides[s].n_bounds; i++) {
      if (c->sides[s].bounds[i].met == SP_MET_NO) return true;
    }
  }
  return false;
}

int sp_judge_exit_code(const struct sp_judging *j) {
  const struct sp_comparison *c = j->c;
  char mismatch[256];
  size_t n_void = 0, n_concluded = 0;
  for (size_t i = 0; i < c->n_metrics; i++) {
    const struct sp_compared *m = &c->metrics[i];
    if (!m->is_primary) continue;
    n_void += m->verdict == SP_VERDICT_VOID;
    n_concluded += m->verdict != SP_VERDICT_VOID && m->verdict != SP_VERDICT_INCONCLUSIVE;
  }
  if (j->no_verdict[0] || n_void) return sp_exit_code(SP_ERR_INVALID);
  if (*mismatch_text(c, mismatch, sizeof mismatch) || misses_a_bound(c)) return sp_exit_code(SP_ERR_FAILED);
  return n_concluded ? 0 : sp_exit_code(SP_ERR_INCONCLUSIVE);
}
