// Running medians, and how long it will take.
#include "decide/pairs_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/terminal.h"

void sp_pairs_live_init(struct sp_pairs_live *live, bool is_quiet) {
  const char *term = getenv("TERM");
  bool can_redraw = sp_terminal_is(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
  *live = (struct sp_pairs_live){.is_quiet = is_quiet, .is_terminal = can_redraw, .start_ns = sp_now_ns()};
}

static void print_time_left(const struct sp_pairs_live *live, const struct sp_pairs *pairs, size_t n_most) {
  size_t n_run = pairs->n_pairs - pairs->n_found;
  if (n_run == 0 || pairs->n_pairs >= n_most) return;
  double each_s = (double)(sp_now_ns() - live->start_ns) * 1e-9 / (double)n_run;
  double left_s = each_s * (double)(n_most - pairs->n_pairs);
  if (left_s < 90)
    fprintf(stderr, ", %.0f s left", left_s);
  else
    fprintf(stderr, ", %.0f min left", left_s / 60);
}

static void print_ratio(const struct sp_compared *metric) {
  fprintf(stderr, " %s ", metric->metric->title);
  if (isnan(metric->ratio))
    fprintf(stderr, "-");
  else if (isinf(metric->ratio))
    fprintf(stderr, "no answer");
  else
    fprintf(stderr, "%.3g", metric->ratio);
}

// "rpc / embedded: response p50 1.33, response p99 1.38, cpu per event 3.2"
static void print_side(const struct sp_comparison *c, size_t side_i) {
  const char *separator = "";
  fprintf(stderr, "%s / %s:", c->sides[side_i].name, c->sides[c->reference_i].name);
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (!c->metrics[i].is_primary || c->metrics[i].side_i != side_i) continue;
    fprintf(stderr, "%s", separator);
    print_ratio(&c->metrics[i]);
    separator = ",";
  }
}

static void print_counts(const struct sp_pairs_live *live, const struct sp_pairs *pairs, size_t n_most) {
  fprintf(stderr, "pair %zu/%zu", pairs->n_pairs, n_most);
  if (pairs->n_redone) fprintf(stderr, ", %zu redone", pairs->n_redone);
  if (pairs->n_left_out) fprintf(stderr, ", %zu left out", pairs->n_left_out);
  print_time_left(live, pairs, n_most);
}

static void print_reason(const struct sp_pairs *pairs) {
  const struct sp_judge_trial *last = pairs->n_trials ? &pairs->trials[pairs->n_trials - 1] : NULL;
  if (!last || !last->result || sp_result_is_valid(last->result)) return;
  fprintf(stderr, "; invalid: %s", last->result->reasons[0]);
}

void sp_pairs_live_show(struct sp_pairs_live *live, const struct sp_pairs *pairs,
                        const struct sp_comparison *c, size_t n_most) {
  if (live->is_quiet) return;
  if (live->is_terminal && live->n_lines) fprintf(stderr, "\033[%zuA\r\033[J", live->n_lines);
  live->n_lines = 0;
  print_counts(live, pairs, n_most);
  print_reason(pairs);
  const char *separator = live->is_terminal ? "\n  " : "; ";
  for (size_t i = 0; i < c->n_sides && pairs->n_pairs; i++) {
    if (i == c->reference_i) continue;
    fputs(separator, stderr);
    print_side(c, i);
    live->n_lines++;
  }
  fputc('\n', stderr);
  live->n_lines++;
}
