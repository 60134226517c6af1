// Comparisons made by hand.
#include "support/comparison_bed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct sp_compared *add_metric(struct sp_comparison *c, const char *name, size_t side_i,
                                      double reference, double side, double low, double high) {
  struct sp_compared *m = sp_comparison_metric(c);
  m->metric = sp_metric_find(name);
  SP_ASSERT(m->metric != NULL);
  m->side_i = side_i;
  m->n_pairs = 12;
  m->reference = reference;
  m->side = side;
  m->ratio = side / reference;
  m->low = low;
  m->high = high;
  m->level = 0.99;
  m->verdict = SP_VERDICT_EXPLORATORY;
  return m;
}

static struct sp_compared *add_primary(struct sp_comparison *c, const char *name, size_t side_i,
                                       double reference, double side, double low, double high,
                                       enum sp_verdict verdict) {
  struct sp_compared *m = add_metric(c, name, side_i, reference, side, low, high);
  m->is_primary = true;
  m->verdict = verdict;
  m->p = 0.0004;
  m->p_adjusted = 0.0012;
  m->smallest_detectable = 0.08;
  return m;
}

static struct sp_comparison *new_fraud(void) {
  struct sp_comparison *c = sp_comparison_new();
  char *command[] = {"servepath", "compare", "fixtures/fraud", "--set", "a=\"b c\""};
  c->complete = true;
  c->duration_s = 298;
  c->alpha = 0.01;
  c->delta = 0.05;
  c->n_pairs = 12;
  sp_facts_text(&c->scenario, "name", "fraud");
  sp_facts_text(&c->load, "arrival", "poisson");
  sp_facts_real(&c->load, "rate_per_s", 2000);
  sp_facts_text(&c->machine, "cpu", "AMD EPYC");
  sp_facts_count(&c->machine, "cpus", 2);
  sp_facts_text(&c->build, "version", "1a2b3c4");
  c->fingerprint = sp_copy_text("xxh128:00112233445566778899aabbccddeeff");
  c->n_command = sizeof command / sizeof command[0];
  c->command = sp_alloc(c->n_command * sizeof *c->command);
  for (size_t i = 0; i < c->n_command; i++) c->command[i] = sp_copy_text(command[i]);
  return c;
}

static struct sp_compared_side *add_side(struct sp_comparison *c, const char *name, const char *label) {
  struct sp_compared_side *side = sp_comparison_side(c, name, label);
  side->n_trials = 12;
  side->intended = 120000;
  side->outcomes[SP_OUTCOME_OK] = 120000;
  side->n_checked = 120000;
  side->max_abs_error = 2e-7;
  return side;
}

static void add_trials(struct sp_comparison *c) {
  for (size_t i = 0; i < 2 * c->n_sides; i++) {
    struct sp_compared_trial *trial = sp_comparison_trial(c);
    trial->pair_i = i / c->n_sides;
    trial->side_i = i % c->n_sides;
    trial->seed = 1 + trial->pair_i;
    trial->dir = sp_format("pairs/%03zu/%s", trial->pair_i, c->sides[trial->side_i].name);
    trial->run_id = sp_format("%032zx", i + 1);
    trial->is_valid = trial->is_counted = true;
  }
}

static void explain(struct sp_comparison *c) {
  struct sp_explained *e = sp_comparison_explained(c);
  const double reference_ns[] = {1e3, 100e3, 50e3, 9e3, 3e3, 5e3, 252e3},
               side_ns[] = {1e3, 100e3, 50e3, 9e3, 130e3, 14e3, 252e3};
  e->side_i = 1;
  for (int i = 0; i <= SP_STAGE_OUTBOUND; i++) {
    e->reference_ns[i] = reference_ns[i];
    e->side_ns[i] = side_ns[i];
    e->reference_slow_ns[i] = 4 * reference_ns[i];
    e->side_slow_ns[i] = 6 * side_ns[i];
  }
  e->side_ns[SP_STAGE_SERVER] = 34e3;
  e->side_ns[SP_STAGE_RPC_OTHER] = 96e3;
  e->reference_total_ns = 420e3;
  e->side_total_ns = 560e3;
  e->residual_ns = 4e3;
}

struct sp_comparison *comparison_bed_two(void) {
  struct sp_comparison *c = new_fraud();
  struct sp_compared_side *embedded = add_side(c, "embedded", NULL);
  struct sp_compared_side *rpc = add_side(c, "rpc", "rpc, delay 200µs emulated");
  sp_facts_text(&c->broker, "kind", "external");
  sp_facts_text(&c->broker, "version", "4.3.1");
  sp_amounts_set(&embedded->cpu_us_per_event, "app", 24);
  sp_amounts_set(&embedded->cpu_us_per_event, "total", 24);
  sp_amounts_set(&rpc->cpu_us_per_event, "app", 25);
  sp_amounts_set(&rpc->cpu_us_per_event, "server", 52);
  sp_amounts_set(&rpc->cpu_us_per_event, "total", 77);
  sp_amounts_set(&embedded->rss_bytes, "app", 33120256);
  sp_amounts_set(&rpc->rss_bytes, "app", 32120256);
  sp_amounts_set(&rpc->rss_bytes, "server", 42397696);
  sp_comparison_bound(embedded, "expect.p99", 10e6, 2.1e6, SP_MET_YES);
  sp_comparison_bound(embedded, "expect.not_ok", 0.001, 0, SP_MET_YES);
  sp_comparison_bound(rpc, "expect.p99", 10e6, 2.9e6, SP_MET_YES);
  sp_comparison_bound(rpc, "expect.not_ok", 0.001, 0, SP_MET_YES);
  add_primary(c, "response_p50", 1, 420e3, 560e3, 1.29, 1.38, SP_VERDICT_WORSE);
  struct sp_compared *p99 =
      add_primary(c, "response_p99", 1, 2.1e6, 2.9e6, 0.94, 1.90, SP_VERDICT_INCONCLUSIVE);
  p99->pairs_needed = 18;
  p99->why = sp_copy_text("the interval reaches from faster to slower");
  add_primary(c, "cpu_per_event", 1, 24, 77, 3.1, 3.3, SP_VERDICT_WORSE);
  add_metric(c, "served", 1, 1, 1, 1, 1);
  add_metric(c, "response_p90", 1, 900e3, 1.1e6, 1.1, 1.3);
  add_metric(c, "cpu_app", 1, 24, 25, 1.0, 1.1);
  explain(c);
  c->predictions.compared = 240000;
  c->predictions.max_difference = 2e-7;
  add_trials(c);
  rpc->n_trials = 13;
  rpc->n_invalid = 1;
  struct sp_compared_trial *invalid = sp_comparison_trial(c);
  invalid->side_i = 1;
  invalid->pair_i = 1;
  invalid->seed = 2;
  invalid->dir = sp_copy_text("invalid/001-1/rpc");
  invalid->reason = sp_copy_text("stolen CPU of 4%, limit 2%");
  sp_comparison_remark(c, "co-located: application and server shared a core");
  sp_comparison_difference(c, "path: embedded, rpc");
  c->verdict = sp_copy_text("embedded faster at p50, 3.2 × cheaper; both meet p99 ≤ 10ms");
  return c;
}

struct sp_comparison *comparison_bed_three(void) {
  struct sp_comparison *c = new_fraud();
  add_side(c, "embedded", NULL);
  add_side(c, "rpc", NULL);
  add_side(c, "triton", NULL);
  c->reference_i = 1;
  add_primary(c, "response_p50", 0, 560e3, 420e3, 0.7, 0.8, SP_VERDICT_BETTER);
  add_primary(c, "cpu_per_event", 0, 77, 24, 0.3, 0.32, SP_VERDICT_BETTER);
  add_primary(c, "response_p50", 2, 560e3, 565e3, 0.99, 1.02, SP_VERDICT_SAME);
  struct sp_compared *p99 = add_primary(c, "response_p99", 2, 2.9e6, INFINITY, 4, INFINITY, SP_VERDICT_WORSE);
  p99->level = 0.9375;
  c->verdict = sp_copy_text("embedded fastest");
  add_trials(c);
  return c;
}

static struct sp_gate_metric *add_gate(struct sp_comparison *c, const char *name, double lower, double upper,
                                       enum sp_gate_verdict verdict) {
  struct sp_gate_metric *m = sp_comparison_gate_metric(c);
  m->metric = sp_metric_find(name);
  m->margin = 0.05;
  m->lower = lower;
  m->upper = upper;
  m->verdict = verdict;
  return m;
}

struct sp_comparison *comparison_bed_gate(void) {
  struct sp_comparison *c = new_fraud();
  add_side(c, "base", NULL);
  struct sp_compared_side *candidate = add_side(c, "candidate", NULL);
  sp_comparison_bound(candidate, "expect.p99", 10e6, 2.9e6, SP_MET_YES);
  add_primary(c, "response_p50", 1, 420e3, 460e3, 1.08, 1.11, SP_VERDICT_WORSE);
  add_primary(c, "response_p99", 1, 2.1e6, 2.9e6, 0.94, 1.90, SP_VERDICT_INCONCLUSIVE);
  add_primary(c, "cpu_per_event", 1, 24, 24.1, 0.99, 1.01, SP_VERDICT_SAME);
  add_metric(c, "served", 1, 1, 1, 1, 1);
  struct sp_gate_metric *p50 = add_gate(c, "response_p50", 1.075, 1.11, SP_GATE_FAIL);
  p50->fresh_lower = 1.08;
  p50->why = sp_copy_text("12 fresh pairs agree");
  struct sp_gate_metric *p99 = add_gate(c, "response_p99", 0.93, 1.9, SP_GATE_INCONCLUSIVE);
  p99->pairs_needed = 18;
  add_gate(c, "cpu_per_event", 0.99, 1.01, SP_GATE_PASS)->is_calibrated = true;
  add_gate(c, "served", 1, 1.0002, SP_GATE_PASS)->margin = 0.001;
  c->gate.verdict = SP_GATE_FAIL;
  c->gate.n_fresh = 12;
  c->exit_code = 1;
  c->verdict = sp_copy_text("response p50 is at least 7.5 % slower");
  add_trials(c);
  return c;
}

static void poison(char **text) {
  free(*text);
  *text = sp_copy_text(COMPARISON_BED_HOSTILE);
}

struct sp_comparison *comparison_bed_hostile(void) {
  struct sp_comparison *c = comparison_bed_two();
  struct sp_facts *facts[] = {&c->scenario, &c->load, &c->build, &c->broker, &c->machine};
  const char *names[] = {"name", "arrival", "version", "version", "cpu"};
  for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
    sp_facts_text(facts[i], names[i], COMPARISON_BED_HOSTILE);
  }
  for (size_t i = 0; i < c->n_sides; i++) {
    poison(&c->sides[i].label);
    for (size_t k = 0; k < c->sides[i].n_bounds; k++) poison(&c->sides[i].bounds[k].name);
  }
  free(c->sides[1].name);
  c->sides[1].name = sp_copy_text("r" COMPARISON_BED_HOSTILE); // two sides have two names
  poison(&c->sides[0].name);
  for (size_t i = 0; i < c->n_metrics; i++) poison(&c->metrics[i].why);
  for (size_t i = 0; i < c->n_trials; i++) {
    poison(&c->trials[i].dir);
    poison(&c->trials[i].reason);
  }
  for (size_t i = 0; i < c->n_command; i++) poison(&c->command[i]);
  poison(&c->differences[0]);
  poison(&c->remarks[0]);
  free(c->verdict);
  c->verdict = sp_copy_text(&COMPARISON_BED_HOSTILE[1]); // another one, so that no form leaves the others out
  poison(&c->fingerprint);
  c->predictions.differing = 1;
  c->predictions.n_examples = 1;
  snprintf(c->predictions.examples[0].text, sizeof c->predictions.examples[0].text, "%s",
           COMPARISON_BED_HOSTILE);
  return c;
}
