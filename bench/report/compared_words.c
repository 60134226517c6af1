// Words and cells of a comparison.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/compared.h"
#include "report/rows.h"

#define BOUND_PREFIX "expect."

bool sp_compared_is_gate(const struct sp_comparison *c) {
  return c->gate.verdict != SP_GATE_NONE;
}

double sp_compared_level_of(const struct sp_compared *m) {
  return m->level > 0 && isfinite(m->level) ? m->level : NAN;
}

double sp_compared_level(const struct sp_comparison *c) {
  for (size_t i = 0; i < c->n_metrics; i++) {
    double level = sp_compared_level_of(&c->metrics[i]);
    if (isfinite(level)) return level;
  }
  return NAN;
}

char *sp_compared_percent(double share, char *cell) {
  if (!isfinite(share)) return strcpy(cell, "-");
  snprintf(cell, SP_COMPARED_BYTES, "%.4g %%", share * 100);
  return cell;
}

char *sp_compared_times(double ratio, char *cell) {
  if (isnan(ratio)) return strcpy(cell, "-");
  if (isinf(ratio)) return strcpy(cell, "∞");
  if (fabs(ratio) < 0.0995)
    snprintf(cell, SP_COMPARED_BYTES, "%.2g", ratio);
  else
    snprintf(cell, SP_COMPARED_BYTES, "%.*f",
             fabs(ratio) < 9.995   ? 2
             : fabs(ratio) < 99.95 ? 1
                                   : 0,
             fmin(ratio, 1e15));
  return cell;
}

char *sp_compared_ratio(const struct sp_comparison *c, const struct sp_compared *m, char *cell) {
  char ratio[SP_COMPARED_BYTES], low[SP_COMPARED_BYTES], high[SP_COMPARED_BYTES], level[SP_COMPARED_BYTES];
  sp_compared_times(m->ratio, ratio);
  if (isnan(m->ratio) || (isnan(m->low) && isnan(m->high)) || m->level <= 0) return strcpy(cell, ratio);
  bool is_usual = isnan(m->level) || fabs(m->level - sp_compared_level(c)) < 1e-9;
  snprintf(cell, SP_COMPARED_BYTES, "%.20s [%.20s, %.20s]%s%.12s", ratio, sp_compared_times(m->low, low),
           sp_compared_times(m->high, high), is_usual ? "" : " at ",
           is_usual ? "" : sp_compared_percent(m->level, level));
  return cell;
}

static char *print_inconclusive(size_t n_needed, char *cell) {
  if (n_needed)
    snprintf(cell, SP_COMPARED_BYTES, "inconclusive (needs ~%zu pairs)", n_needed);
  else
    strcpy(cell, "inconclusive");
  return cell;
}

char *sp_compared_verdict(const struct sp_comparison *c, const struct sp_compared *m, char *cell) {
  char delta[SP_COMPARED_BYTES];
  switch (m->verdict) {
  case SP_VERDICT_BETTER: return strcpy(cell, m->metric->better);
  case SP_VERDICT_WORSE: return strcpy(cell, m->metric->worse);
  case SP_VERDICT_SAME:
    snprintf(cell, SP_COMPARED_BYTES, "no difference beyond %.16s", sp_compared_percent(c->delta, delta));
    return cell;
  case SP_VERDICT_INCONCLUSIVE: return print_inconclusive(m->pairs_needed, cell);
  case SP_VERDICT_EXPLORATORY: return strcpy(cell, "");
  case SP_VERDICT_VOID: return strcpy(cell, "void");
  case SP_VERDICT_COUNT: break;
  }
  sp_panic(__FILE__, __LINE__, "every verdict has a word");
}

const char *sp_compared_side_name(const struct sp_comparison *c, size_t side_i) {
  return side_i < c->n_sides && c->sides[side_i].name ? c->sides[side_i].name : "-";
}

const struct sp_gate_metric *sp_compared_gate_metric(const struct sp_comparison *c,
                                                     const struct sp_metric *metric) {
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    if (c->gate.metrics[i].metric == metric) return &c->gate.metrics[i];
  }
  return NULL;
}

char *sp_compared_gate_verdict(const struct sp_gate_metric *m, char *cell) {
  if (m->verdict == SP_GATE_INCONCLUSIVE) return print_inconclusive(m->pairs_needed, cell);
  return strcpy(cell, sp_gate_verdict_name(m->verdict));
}

char *sp_compared_bound_title(const struct sp_bound *bound) {
  char limit[SP_CELL_BYTES];
  const char *name = bound->name ? bound->name : "-";
  if (strncmp(name, BOUND_PREFIX, strlen(BOUND_PREFIX)) == 0) name += strlen(BOUND_PREFIX);
  return sp_format("%s ≤ %s", name, sp_report_bound_text(bound, bound->limit, limit, sizeof limit));
}

char *sp_compared_bound_value(const struct sp_compared_side *side, const struct sp_bound *bound, char *cell) {
  char value[SP_CELL_BYTES];
  const char *mark = bound->met == SP_MET_YES ? "✓" : bound->met == SP_MET_NO ? "✗" : "?";
  bool has_none = bound->met == SP_MET_NO && !isfinite(bound->value);
  bool is_artefact = side->is_mock && bound->met == SP_MET_UNKNOWN;
  snprintf(cell, SP_COMPARED_BYTES, "%s %.40s", mark,
           is_artefact ? "-"
           : has_none  ? "no answer"
                       : sp_report_bound_text(bound, bound->value, value, sizeof value));
  return cell;
}

const struct sp_bound *sp_compared_bound_of(const struct sp_compared_side *side, const char *name) {
  for (size_t i = 0; i < side->n_bounds; i++) {
    if (side->bounds[i].name && strcmp(side->bounds[i].name, name) == 0) return &side->bounds[i];
  }
  return NULL;
}
