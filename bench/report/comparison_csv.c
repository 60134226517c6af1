// A comparison as comma-separated values (RFC 4180): a line a metric and side.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "report/compared.h"
#include "report/comparison.h"
#include "report/escape.h"

#define END "\r\n"

// ",1.25": the fewest digits that give it back; empty where there is none.
static void print_number(FILE *to, double value) {
  char text[SP_DOUBLE_TEXT_BYTES] = "";
  fputc(',', to);
  if (isfinite(value))
    fprintf(to, "%.*s", (int)sp_double_text(value, text), text);
  else if (isinf(value))
    fputs("inf", to);
}

static void print_gate(FILE *to, const struct sp_gate_metric *m) {
  print_number(to, m ? m->margin : NAN);
  print_number(to, m ? m->lower : NAN);
  print_number(to, m ? m->upper : NAN);
  print_number(to, m ? m->fresh_lower : NAN);
  fprintf(to, ",%s", m ? sp_gate_verdict_name(m->verdict) : "");
}

static void print_metric(FILE *to, const struct sp_comparison *c, const struct sp_compared *m) {
  const struct sp_gate_metric *gate = sp_compared_gate_metric(c, m->metric);
  fprintf(to, "%s,%s,", m->metric->name, m->metric->unit);
  sp_csv_text(to, sp_compared_side_name(c, m->side_i));
  fputc(',', to);
  sp_csv_text(to, sp_compared_side_name(c, c->reference_i));
  const double figures[] = {m->side, m->reference,  m->ratio,
                            m->low,  m->high,       sp_compared_level_of(m),
                            m->p,    m->p_adjusted, m->smallest_detectable};
  for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) print_number(to, figures[i]);
  fprintf(to, ",%zu,%s,%s,%zu,", m->n_pairs, m->is_primary ? "yes" : "no", sp_verdict_name(m->verdict),
          m->pairs_needed);
  sp_csv_text(to, m->why);
  print_gate(to, gate);
  fprintf(to, ",%zu" END, c->mean_of);
}

void sp_comparison_write_csv(const struct sp_comparison *c, FILE *to) {
  fputs("metric,unit,side,reference,side_value,reference_value,ratio,low,high,level,p,p_adjusted,"
        "smallest_detectable,pairs,primary,verdict,pairs_needed,why,gate_margin,gate_lower,gate_upper,"
        "gate_fresh_lower,gate_verdict,mean_of" END,
        to);
  for (size_t i = 0; i < c->n_metrics; i++) print_metric(to, c, &c->metrics[i]);
}
