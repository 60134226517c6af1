// Running medians, and how long it will take.
#include "decide/pairs_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text_stream.h"
#include "os/terminal.h"

void sp_pairs_live_init(struct sp_pairs_live *live, bool is_quiet) {
  const char *term = getenv("TERM");
  bool can_redraw = sp_terminal_is(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
  *live = (struct sp_pairs_live){.is_quiet = is_quiet, .is_terminal = can_redraw, .start_ns = sp_now_ns()};
}

static void print_time_left(FILE *to, const struct sp_pairs_live *live, const struct sp_pairs *pairs,
                            size_t n_most) {
  size_t n_run = pairs->n_pairs - pairs->n_found;
  if (n_run == 0 || pairs->n_pairs >= n_most) return;
  double each_s = (double)(sp_now_ns() - live->start_ns) * 1e-9 / (double)n_run;
  double left_s = each_s * (double)(n_most - pairs->n_pairs);
  if (left_s < 90)
    fprintf(to, ", %.0f s left", left_s);
  else
    fprintf(to, ", %.0f min left", left_s / 60);
}

static void print_ratio(FILE *to, const struct sp_compared *metric) {
  fprintf(to, " %s ", metric->metric->title);
  if (isnan(metric->ratio))
    fprintf(to, "-");
  else if (isinf(metric->ratio))
    fprintf(to, "no answer");
  else
    fprintf(to, "%.3g", metric->ratio);
}

// "rpc / embedded: response p50 1.33, response p99 1.38, cpu per event 3.2"
static void print_side(FILE *to, const struct sp_comparison *c, size_t side_i) {
  const char *separator = "";
  fprintf(to, "%s / %s:", c->sides[side_i].name, c->sides[c->reference_i].name);
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (!c->metrics[i].is_primary || c->metrics[i].side_i != side_i) continue;
    fprintf(to, "%s", separator);
    print_ratio(to, &c->metrics[i]);
    separator = ",";
  }
}

static void print_counts(FILE *to, const struct sp_pairs_live *live, const struct sp_pairs *pairs,
                         size_t n_most) {
  fprintf(to, "pair %zu/%zu", pairs->n_pairs, n_most);
  if (pairs->n_redone) fprintf(to, ", %zu redone", pairs->n_redone);
  if (pairs->n_left_out) fprintf(to, ", %zu left out", pairs->n_left_out);
  print_time_left(to, live, pairs, n_most);
}

static void print_reason(FILE *to, const struct sp_pairs *pairs) {
  const struct sp_judge_trial *last = pairs->n_trials ? &pairs->trials[pairs->n_trials - 1] : NULL;
  if (!last || !last->result || sp_result_is_valid(last->result)) return;
  fprintf(to, "; invalid: %s", last->result->reasons[0]);
}

// A line of the table, no wider than the terminal: one that wrapped would be drawn over in part.
static void print_line(struct sp_pairs_live *live, const char *text) {
  unsigned width = sp_terminal_width(STDERR_FILENO);
  fprintf(stderr, "%.*s\n", live->is_terminal && width > 1 ? (int)width - 1 : -1, text);
  live->n_lines++;
}

void sp_pairs_live_show(struct sp_pairs_live *live, const struct sp_pairs *pairs,
                        const struct sp_comparison *c, size_t n_most) {
  if (live->is_quiet) return;
  struct sp_text_stream stream;
  FILE *to = sp_text_stream_open(&stream);
  print_counts(to, live, pairs, n_most);
  print_reason(to, pairs);
  for (size_t i = 0; i < c->n_sides && pairs->n_pairs; i++) {
    if (i == c->reference_i) continue;
    fputs(live->is_terminal ? "\n  " : "; ", to);
    print_side(to, c, i);
  }
  char *text = sp_text_stream_close(&stream);
  if (live->is_terminal && live->n_lines) fprintf(stderr, "\033[%zuA\r\033[J", live->n_lines);
  live->n_lines = 0;
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;) print_line(live, line);
  free(text);
}
