// A comparison for a pull request: the verdict first, the table, and the rest folded away.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/compared.h"
#include "report/comparison.h"
#include "report/escape.h"
#include "report/rows.h"

static void print_and_free(FILE *to, char *text) {
  sp_markdown_text(to, text);
  free(text);
}

// "- TITLE: TEXT"
static void item(FILE *to, const char *title, const char *text) {
  fputs("- ", to);
  sp_markdown_text(to, title);
  fputs(": ", to);
  sp_markdown_text(to, text);
  fputc('\n', to);
}

static void item_and_free(FILE *to, const char *title, char *text) {
  item(to, title, text);
  free(text);
}

static void open_details(FILE *to, const char *summary) {
  fprintf(to, "\n<details><summary>%s</summary>\n\n", summary);
}

static void close_details(FILE *to) {
  fputs("\n</details>\n", to);
}

static void print_table(FILE *to, const struct sp_grid *grid) {
  if (grid->n_rows > 1) fputc('\n', to); // a table starts after an empty line
  sp_grid_write_markdown(grid, to);
}

static void print_top(FILE *to, const struct sp_comparison *c) {
  fprintf(to, "## %s: servepath %s of ", sp_compared_marker(c), sp_compared_is_gate(c) ? "gate" : "compare");
  sp_markdown_text(to, sp_facts_text_of(&c->scenario, "name", "-"));
  fputs("\n\n", to);
  // Words of ours go before: a name that starts like a list or a heading must not become one.
  fputs("**Verdict:** ", to);
  sp_markdown_text(to, c->verdict ? c->verdict : c->incomplete ? c->incomplete : "nothing can be said");
  fputs("\n\n**What:** ", to);
  print_and_free(to, sp_compared_heading(c));
  fputc('\n', to);
}

static void note_reason(void *to, const char *titles, const char *text) {
  item(to, titles, text);
}

static void print_notes(FILE *to, const struct sp_comparison *c) {
  fputc('\n', to);
  sp_compared_reasons(c, note_reason, to);
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    if (!c->gate.metrics[i].is_calibrated) continue;
    fputs("- c: limit calibrated on this machine\n", to);
    break;
  }
  item_and_free(to, "predictions", sp_compared_predictions(c));
  for (size_t i = 0; i < c->predictions.n_examples; i++) {
    const struct sp_prediction_example *example = &c->predictions.examples[i];
    item_and_free(to, "differing",
                  sp_format("event %llu: %s", (unsigned long long)example->event, example->text));
  }
  for (size_t i = 0; i < c->n_remarks; i++) {
    if (sp_compared_is_news(c, c->remarks[i])) item(to, "remark", c->remarks[i]);
  }
}

static void print_why(FILE *to, const struct sp_comparison *c) {
  for (size_t i = 0; i < c->n_explained; i++) {
    for (int slow = 0; slow < 2; slow++) {
      char total[SP_COMPARED_BYTES];
      char *text = sp_compared_why(&c->explained[i], slow, total);
      if (!text) continue;
      item_and_free(to, slow ? "of the slowest 1 %" : "of all events",
                    sp_format("%s %s: %s", sp_compared_side_name(c, c->explained[i].side_i), total, text));
      free(text);
    }
  }
}

static void print_sides(FILE *to, const struct sp_comparison *c) {
  for (size_t i = 0; i < c->n_sides; i++) {
    const struct sp_compared_side *side = &c->sides[i];
    item_and_free(to, "side",
                  sp_format("%s (%s): %zu trials, %zu invalid, %zu incomplete", sp_compared_side_name(c, i),
                            side->label ? side->label : "-", side->n_trials, side->n_invalid,
                            side->n_incomplete));
  }
  for (size_t i = 0; i < c->n_differences; i++) item(to, "difference", c->differences[i]);
  for (size_t i = 0; i < c->n_trials; i++) {
    const struct sp_compared_trial *trial = &c->trials[i];
    if (trial->reason)
      item_and_free(to, "left out", sp_format("%s: %s", trial->dir ? trial->dir : "-", trial->reason));
  }
}

static void print_repeat(FILE *to, const struct sp_comparison *c) {
  fputs("- command: ", to);
  sp_markdown_command(to, c->command, c->n_command);
  fputc('\n', to);
  item(to, "comparison", c->id);
  if (c->started_at) item(to, "started", c->started_at);
  sp_markdown_facts(to, "recording", &c->recording);
  sp_markdown_facts(to, "build", &c->build);
  sp_markdown_facts(to, "machine", &c->machine);
  if (c->fingerprint) item(to, "fingerprint", c->fingerprint);
  sp_markdown_facts(to, "tags", &c->tags);
}

void sp_comparison_write_markdown(const struct sp_comparison *c, FILE *to) {
  struct sp_compared_grids g;
  sp_compared_grids(c, &g);
  print_top(to, c);
  print_table(to, &g.decided);
  print_table(to, &g.bounds);
  print_notes(to, c);
  if (c->n_explained || g.cost.n_rows > 1) {
    open_details(to, "Where the time goes, and what it costs");
    print_why(to, c);
    print_table(to, &g.cost);
    close_details(to);
  }
  if (g.exploratory.n_rows > 1) {
    open_details(to, "Other metrics: exploratory, without a verdict");
    print_table(to, &g.exploratory);
    close_details(to);
  }
  open_details(to, "Sides, and trials that were left out");
  print_sides(to, c);
  close_details(to);
  open_details(to, "How to repeat it");
  print_repeat(to, c);
  close_details(to);
  sp_compared_grids_done(&g);
}
