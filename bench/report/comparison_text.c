// A comparison on a terminal.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "report/compared.h"
#include "report/comparison.h"
#include "report/rows.h"

#define LABEL_LEAST   15
#define TRIALS_SHOWN  5
#define LABEL_COLUMNS 60

struct printer {
  FILE *to;
  size_t n_label; // columns
};

static void say(const struct printer *p, const char *label, const char *text) {
  char *clean_label = sp_printable(label, strlen(label), LABEL_COLUMNS), *clean = sp_printable_text(text);
  sp_print_wrapped(p->to, clean_label, p->n_label, clean);
  free(clean_label);
  free(clean);
}

static void say_and_free(const struct printer *p, const char *label, char *text) {
  say(p, label, text);
  free(text);
}

// What is not standard about a side stands in its label.
static void print_labels(const struct printer *p, const struct sp_comparison *c) {
  for (size_t i = 0; i < c->n_sides; i++) {
    const struct sp_compared_side *side = &c->sides[i];
    if (side->name && side->label && strcmp(side->name, side->label) != 0) say(p, side->name, side->label);
  }
}

static void print_tables(struct printer *p, const struct sp_comparison *c) {
  struct sp_compared_grids g;
  size_t decided[SP_GRID_COLUMNS] = {0}, others[SP_GRID_COLUMNS] = {0};
  sp_compared_grids(c, &g);
  bool is_alike = g.decided.n_columns == g.exploratory.n_columns && g.decided.n_rows > 1;
  sp_grid_widen(&g.decided, decided);
  if (is_alike) sp_grid_widen(&g.decided, others);
  sp_grid_widen(&g.exploratory, others);
  sp_grid_widen(&g.cost, others);
  sp_grid_widen(&g.bounds, others);
  if (decided[0] < others[0]) decided[0] = others[0];
  others[0] = decided[0];
  if (p->n_label < others[0] + SP_GRID_GAP) p->n_label = others[0] + SP_GRID_GAP;
  sp_grid_print(&g.decided, is_alike ? others : decided, true, p->to);
  sp_grid_print(&g.exploratory, others, !is_alike, p->to);
  sp_grid_print(&g.cost, others, !is_alike && g.exploratory.n_rows < 2, p->to);
  sp_grid_print(&g.bounds, others, !is_alike && g.exploratory.n_rows < 2 && g.cost.n_rows < 2, p->to);
  sp_compared_grids_done(&g);
}

static void say_reason(void *printer, const char *titles, const char *text) {
  say(printer, titles, text);
}

static void print_why(const struct printer *p, const struct sp_comparison *c) {
  for (size_t i = 0; i < c->n_explained; i++) {
    const struct sp_explained *e = &c->explained[i];
    for (int slow = 0; slow < 2; slow++) {
      char total[SP_COMPARED_BYTES];
      char *text = sp_compared_why(e, slow, total);
      if (!text) continue;
      const char *side = c->n_sides > 2 ? sp_compared_side_name(c, e->side_i) : "";
      char *label = sp_format("%s%s%s %s", side, *side ? " " : "", slow ? "slowest 1 %" : "why", total);
      say(p, label, text);
      free(label);
      free(text);
    }
  }
}

static void print_predictions(const struct printer *p, const struct sp_comparison *c) {
  say_and_free(p, "predictions", sp_compared_predictions(c));
  for (size_t i = 0; i < c->predictions.n_examples; i++) {
    const struct sp_prediction_example *example = &c->predictions.examples[i];
    say_and_free(p, "", sp_format("event %llu: %s", (unsigned long long)example->event, example->text));
  }
}

static void print_remarks(const struct printer *p, const struct sp_comparison *c) {
  const char *label = "remarks";
  for (size_t i = 0; i < c->n_remarks; i++) {
    if (!sp_compared_is_news(c, c->remarks[i])) continue;
    say(p, label, c->remarks[i]);
    label = "";
  }
}

// Trials that do not count, with the reason: the first ones.
static void print_left_out(const struct printer *p, const struct sp_comparison *c) {
  size_t n = 0;
  for (size_t i = 0; i < c->n_trials; i++) {
    const struct sp_compared_trial *trial = &c->trials[i];
    if (!trial->reason || n++ >= TRIALS_SHOWN) continue;
    say_and_free(p, "left out", sp_format("%s: %s", trial->dir ? trial->dir : "-", trial->reason));
  }
  if (n > TRIALS_SHOWN) say_and_free(p, "left out", sp_format("and %zu more", n - TRIALS_SHOWN));
}

static bool has_calibrated(const struct sp_comparison *c) {
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    if (c->gate.metrics[i].is_calibrated) return true;
  }
  return false;
}

void sp_comparison_print(const struct sp_comparison *c, FILE *to) {
  struct printer p = {to, LABEL_LEAST};
  char *heading = sp_compared_heading(c), *clean = sp_printable_text(heading);
  fprintf(to, "%s\n", clean);
  free(heading);
  free(clean);
  print_labels(&p, c);
  print_tables(&p, c);
  if (has_calibrated(c)) say(&p, "c", "limit calibrated on this machine");
  sp_compared_reasons(c, say_reason, &p);
  print_why(&p, c);
  print_predictions(&p, c);
  for (size_t i = 0; i < c->n_differences; i++) say(&p, i ? "" : "differences", c->differences[i]);
  print_remarks(&p, c);
  print_left_out(&p, c);
  char *conclusion = sp_compared_conclusion(c);
  p.n_label = strlen("VERDICT  ");
  say_and_free(&p, "VERDICT", conclusion);
}
