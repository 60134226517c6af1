// Making, filling and freeing a comparison.
#include "result/comparison.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "result/custom.h"

const char *sp_verdict_name(enum sp_verdict verdict) {
  static const char *const names[SP_VERDICT_COUNT] = {
      [SP_VERDICT_INCONCLUSIVE] = "inconclusive",
      [SP_VERDICT_BETTER] = "better",
      [SP_VERDICT_WORSE] = "worse",
      [SP_VERDICT_SAME] = "same",
      [SP_VERDICT_EXPLORATORY] = "exploratory",
      [SP_VERDICT_VOID] = "void",
  };
  SP_ASSERT(verdict >= 0 && verdict < SP_VERDICT_COUNT);
  return names[verdict];
}

const char *sp_gate_verdict_name(enum sp_gate_verdict verdict) {
  static const char *const names[SP_GATE_VERDICT_COUNT] = {
      [SP_GATE_NONE] = "none",
      [SP_GATE_PASS] = "pass",
      [SP_GATE_FAIL] = "fail",
      [SP_GATE_INCONCLUSIVE] = "inconclusive",
      [SP_GATE_NO_BASELINE] = "no-baseline",
  };
  SP_ASSERT(verdict >= 0 && verdict < SP_GATE_VERDICT_COUNT);
  return names[verdict];
}

struct sp_comparison *sp_comparison_new(void) {
  struct sp_comparison *c = sp_alloc(sizeof *c);
  struct sp_result *r = sp_result_new(); // for its id and time
  c->id = r->run_id;
  c->started_at = r->started_at;
  r->run_id = r->started_at = NULL;
  c->mean_of = 1;
  sp_result_free(r);
  c->duration_s = c->alpha = c->delta = c->predictions.max_difference = NAN;
  for (size_t i = 0; i < SP_COMPARISON_SIDES; i++) c->sides[i].max_abs_error = NAN;
  return c;
}

void sp_comparison_command(struct sp_comparison *c, int argc, char **argv) {
  c->n_command = (size_t)argc + 1;
  c->command = sp_alloc(c->n_command * sizeof *c->command);
  c->command[0] = sp_copy_text("servepath");
  for (int i = 0; i < argc; i++) c->command[i + 1] = sp_copy_text(argv[i]);
}

static void free_texts(char **texts, size_t n) {
  for (size_t i = 0; i < n; i++) free(texts[i]);
  free(texts);
}

static void free_sides(struct sp_comparison *c) {
  for (size_t i = 0; i < c->n_sides; i++) {
    struct sp_compared_side *side = &c->sides[i];
    free(side->name);
    free(side->label);
    for (size_t k = 0; k < side->n_bounds; k++) free(side->bounds[k].name);
    free(side->bounds);
  }
}

static void free_lists(struct sp_comparison *c) {
  for (size_t i = 0; i < c->n_metrics; i++) free(c->metrics[i].why);
  free(c->metrics);
  free(c->explained);
  for (size_t i = 0; i < c->n_trials; i++) {
    free(c->trials[i].dir);
    free(c->trials[i].run_id);
    free(c->trials[i].reason);
  }
  free(c->trials);
  for (size_t i = 0; i < c->gate.n_metrics; i++) free(c->gate.metrics[i].why);
  free(c->gate.metrics);
  free_texts(c->command, c->n_command);
  free_texts(c->differences, c->n_differences);
  free_texts(c->remarks, c->n_remarks);
}

void sp_comparison_free(struct sp_comparison *c) {
  if (!c) return;
  char *texts[] = {c->incomplete, c->id, c->started_at, c->fingerprint, c->verdict};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) free(texts[i]);
  struct sp_facts *facts[] = {&c->tags,  &c->scenario, &c->load,     &c->machine,
                              &c->build, &c->broker,   &c->recording};
  for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) sp_facts_done(facts[i]);
  free_sides(c);
  free_lists(c);
  free(c);
}

// Room for one more item at the end of a list; returns it, zeroed.
static void *append(void *list, size_t *n, size_t item_bytes) {
  void **items = list;
  *items = sp_realloc(*items, (*n + 1) * item_bytes);
  return memset((char *)*items + (*n)++ * item_bytes, 0, item_bytes);
}

struct sp_compared_side *sp_comparison_side(struct sp_comparison *c, const char *name, const char *label) {
  SP_ASSERT(c->n_sides < SP_COMPARISON_SIDES);
  struct sp_compared_side *side = &c->sides[c->n_sides++];
  *side = (struct sp_compared_side){
      .name = sp_copy_text(name), .label = sp_copy_text(label ? label : name), .max_abs_error = NAN};
  return side;
}

void sp_comparison_bound(struct sp_compared_side *side, const char *name, double limit, double value,
                         enum sp_met met) {
  struct sp_bound *bound = append(&side->bounds, &side->n_bounds, sizeof *bound);
  *bound = (struct sp_bound){sp_copy_text(name), limit, value, met};
}

struct sp_compared *sp_comparison_metric(struct sp_comparison *c) {
  struct sp_compared *m = append(&c->metrics, &c->n_metrics, sizeof *m);
  m->side = m->reference = m->ratio = m->low = m->high = m->level = m->p = m->p_adjusted =
      m->smallest_detectable = NAN;
  return m;
}

struct sp_explained *sp_comparison_explained(struct sp_comparison *c) {
  struct sp_explained *e = append(&c->explained, &c->n_explained, sizeof *e);
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    e->reference_ns[i] = e->side_ns[i] = e->reference_slow_ns[i] = e->side_slow_ns[i] = NAN;
  }
  e->reference_total_ns = e->side_total_ns = e->residual_ns = NAN;
  return e;
}

struct sp_compared_trial *sp_comparison_trial(struct sp_comparison *c) {
  return append(&c->trials, &c->n_trials, sizeof *c->trials);
}

struct sp_gate_metric *sp_comparison_gate_metric(struct sp_comparison *c) {
  struct sp_gate_metric *m = append(&c->gate.metrics, &c->gate.n_metrics, sizeof *m);
  m->margin = m->upper = m->lower = m->fresh_lower = NAN;
  return m;
}

void sp_comparison_remark(struct sp_comparison *c, const char *format, ...) {
  char *text;
  va_list args;
  va_start(args, format);
  SP_ASSERT(vasprintf(&text, format, args) >= 0);
  va_end(args);
  *(char **)append(&c->remarks, &c->n_remarks, sizeof(char *)) = text;
}

void sp_comparison_difference(struct sp_comparison *c, const char *line) {
  *(char **)append(&c->differences, &c->n_differences, sizeof(char *)) = sp_copy_text(line);
}

const struct sp_compared *sp_comparison_find(const struct sp_comparison *c, size_t side_i,
                                             const char *metric_name) {
  for (size_t i = 0; i < c->n_metrics; i++) {
    const struct sp_compared *m = &c->metrics[i];
    if (m->side_i == side_i && m->metric && strcmp(m->metric->name, metric_name) == 0) return m;
  }
  return NULL;
}
