// A comparison for build servers: a suite a side, a case a metric that was decided on, and a case a bound.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/compared.h"
#include "report/comparison.h"
#include "report/rows.h"

static char *suite_name(const struct sp_comparison *c, const char *what) {
  return sp_format("%s.%s", sp_facts_text_of(&c->scenario, "name", "servepath"), what);
}

static enum sp_case_state state_of_gate(const struct sp_gate_figures *gate, enum sp_gate_verdict verdict) {
  if (verdict == SP_GATE_PASS) return SP_CASE_PASSED;
  bool fails = verdict == SP_GATE_FAIL || (verdict == SP_GATE_INCONCLUSIVE && gate->inconclusive_fails);
  return fails ? SP_CASE_FAILED : SP_CASE_SKIPPED;
}

static void add_gate_metric(struct sp_suite *suite, const struct sp_gate_figures *gate,
                            const struct sp_gate_metric *m) {
  char verdict[SP_COMPARED_BYTES], lower[SP_COMPARED_BYTES], upper[SP_COMPARED_BYTES],
      limit[SP_COMPARED_BYTES];
  sp_case_say(sp_suite_case(suite, m->metric->name), state_of_gate(gate, m->verdict),
              "%s: %s to %s times worse, limit %s%s%s", sp_compared_gate_verdict(m, verdict),
              sp_compared_times(m->lower, lower), sp_compared_times(m->upper, upper),
              sp_compared_times(1 + m->margin, limit), m->why ? ": " : "", m->why ? m->why : "");
}

// A side that is slower is what the comparison found out, not its failure.
static void add_metric(struct sp_suite *suite, const struct sp_comparison *c, const struct sp_compared *m) {
  char verdict[SP_COMPARED_BYTES], ratio[SP_COMPARED_BYTES], side[SP_METRIC_TEXT_BYTES],
      reference[SP_METRIC_TEXT_BYTES];
  bool is_open = m->verdict == SP_VERDICT_INCONCLUSIVE || m->verdict == SP_VERDICT_VOID;
  sp_case_say(sp_suite_case(suite, m->metric->name), is_open ? SP_CASE_SKIPPED : SP_CASE_PASSED,
              "%s: %s %s, %s %s; ratio %s%s%s", sp_compared_verdict(c, m, verdict),
              sp_compared_side_name(c, m->side_i), sp_metric_text(m->metric, m->side, side, sizeof side),
              sp_compared_side_name(c, c->reference_i),
              sp_metric_text(m->metric, m->reference, reference, sizeof reference),
              sp_compared_ratio(c, m, ratio), m->why ? "; " : "", m->why ? m->why : "");
}

static void add_bound(struct sp_suite *suite, const struct sp_compared_side *side,
                      const struct sp_bound *bound) {
  char value[SP_COMPARED_BYTES];
  char *title = sp_compared_bound_title(bound);
  enum sp_case_state state = bound->met == SP_MET_YES  ? SP_CASE_PASSED
                             : bound->met == SP_MET_NO ? SP_CASE_FAILED
                                                       : SP_CASE_SKIPPED;
  sp_case_say(sp_suite_case(suite, bound->name ? bound->name : "bound"), state, "%s: %s", title,
              sp_compared_bound_value(side, bound, value));
  free(title);
}

static void add_answers(struct sp_suite *suite, const struct sp_compared_side *side) {
  struct sp_case *one = sp_suite_case(suite, "predictions");
  if (side->n_mismatched)
    sp_case_say(one, SP_CASE_FAILED, "%lld of %lld answers were wrong", (long long)side->n_mismatched,
                (long long)side->n_checked);
  if (side->n_mismatched_left_out)
    sp_case_say(one, SP_CASE_FAILED, "answers that were wrong in trials that do not count: %lld",
                (long long)side->n_mismatched_left_out);
  if (one->n_lines == 0 && side->n_checked == 0)
    sp_case_say(one, SP_CASE_SKIPPED, "no answer was checked: there is nothing to compare with");
}

static void fill_side(struct sp_suite *suite, const struct sp_comparison *c, size_t side_i) {
  const struct sp_compared_side *side = &c->sides[side_i];
  suite->name = suite_name(c, sp_compared_side_name(c, side_i));
  for (size_t i = 0; i < c->gate.n_metrics && side_i != c->reference_i; i++)
    add_gate_metric(suite, &c->gate, &c->gate.metrics[i]);
  for (size_t i = 0; i < c->n_metrics && !sp_compared_is_gate(c); i++) {
    const struct sp_compared *m = &c->metrics[i];
    if (m->side_i == side_i && m->is_primary) add_metric(suite, c, m);
  }
  for (size_t i = 0; i < side->n_bounds; i++) add_bound(suite, side, &side->bounds[i]);
  add_answers(suite, side);
}

// What belongs to no side: whether there was a measurement at all, and whether the sides agree.
static void fill_whole(struct sp_suite *suite, const struct sp_comparison *c) {
  suite->name = suite_name(c, sp_compared_is_gate(c) ? "(gate)" : "(comparison)");
  suite->duration_s = c->duration_s > 0 ? c->duration_s : 0;
  struct sp_case *one = sp_suite_case(suite, "measurement");
  char *conclusion = sp_compared_conclusion(c);
  bool has_failed = !c->complete || (c->exit_code != 0 && c->exit_code != 1 && c->exit_code != 4);
  sp_case_say(one, has_failed ? SP_CASE_ERROR : SP_CASE_PASSED, "%s", conclusion);
  free(conclusion);
  if (c->predictions.compared <= 0) return;
  one = sp_suite_case(suite, "predictions across sides");
  for (size_t i = 0; i < c->predictions.n_examples; i++) {
    sp_case_say(one, SP_CASE_FAILED, "event %llu: %s", (unsigned long long)c->predictions.examples[i].event,
                c->predictions.examples[i].text);
  }
  if (c->predictions.differing)
    sp_case_say(one, SP_CASE_FAILED, "%lld of %lld differ", (long long)c->predictions.differing,
                (long long)c->predictions.compared);
}

char *sp_comparison_junit(const struct sp_comparison *c) {
  struct sp_suite suites[SP_COMPARISON_SIDES + 1] = {0};
  size_t n = 0;
  fill_whole(&suites[n++], c);
  for (size_t i = 0; i < c->n_sides; i++) {
    // What the base does wrong is no failure of the candidate.
    bool is_base = sp_compared_is_gate(c) && c->n_sides > 1 && i == c->reference_i;
    if (!is_base) fill_side(&suites[n++], c, i);
  }
  char *text = sp_junit(sp_compared_is_gate(c) ? "servepath gate" : "servepath compare", suites, n);
  for (size_t i = 0; i < n; i++) sp_suite_done(&suites[i]);
  return text;
}
