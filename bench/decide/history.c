// A judged comparison -> lines of the history.
#include "decide/history.h"

#include <stdlib.h>
#include <string.h>

#include "os/files.h"
#include "stats/interval.h"

static bool counts(const struct sp_comparison *c, const struct sp_judge_trial *trial) {
  for (size_t i = 0; i < c->n_trials; i++) {
    const struct sp_compared_trial *compared = &c->trials[i];
    bool is_it = trial->result && trial->result->run_id && compared->run_id &&
                 strcmp(compared->run_id, trial->result->run_id) == 0;
    if (is_it) return compared->is_counted && !compared->is_confirming;
  }
  return false;
}

// The results of a side that count; results has room for all trials.
static size_t results_of(const struct sp_history_note *note, size_t side_i,
                         const struct sp_result **results) {
  size_t n = 0;
  for (size_t i = 0; i < note->n_trials; i++) {
    const struct sp_judge_trial *trial = &note->trials[i];
    if (trial->side_i == side_i && counts(note->comparison, trial)) results[n++] = trial->result;
  }
  return n;
}

static double median_of(const struct sp_metric *metric, const struct sp_result *const *results, size_t n) {
  double *values = sp_alloc((n + 1) * sizeof *values);
  size_t n_values = 0;
  for (size_t i = 0; i < n; i++) {
    enum sp_metric_state state;
    double value = sp_metric_value(metric, results[i], &state);
    bool has_one = state != SP_METRIC_ABSENT && state != SP_METRIC_UNRESOLVED && state != SP_METRIC_VOID;
    if (has_one) values[n_values++] = value;
  }
  double median = sp_median(values, n_values);
  free(values);
  return median;
}

static void copy_tags(const struct sp_facts *from, struct sp_facts *to) {
  for (size_t i = 0; i < from->n; i++)
    sp_facts_text(to, from->items[i].name, sp_facts_text_of(from, from->items[i].name, ""));
}

static void add_line(const struct sp_history_note *note, const struct sp_result *const *results, size_t n,
                     struct sp_history *history) {
  const struct sp_comparison *c = note->comparison;
  const struct sp_result *first = results[0];
  struct sp_history_line *line = sp_history_line(history);
  char digest[SP_DIGEST_TEXT_BYTES];
  sp_load_digest(&first->recording, &first->broker, &first->load, digest);
  line->at = sp_copy_text(c->started_at);
  line->id = sp_copy_text(c->id);
  line->verb = sp_copy_text(note->verb);
  line->case_name = sp_copy_text(sp_facts_text_of(&first->scenario, "name", "-"));
  line->side = sp_copy_text(first->side ? first->side : "-");
  line->fingerprint = sp_machine_fingerprint(first);
  line->load_digest = sp_copy_text(digest);
  line->build = sp_copy_text(sp_facts_text_of(&first->build, "version", NULL));
  if (c->gate.verdict != SP_GATE_NONE) line->verdict = sp_copy_text(sp_gate_verdict_name(c->gate.verdict));
  line->n_trials = (int64_t)n;
  copy_tags(&c->tags, &line->tags);
  for (size_t i = 0; i < sp_n_metrics; i++) {
    double median = median_of(&sp_metrics[i], results, n);
    if (median == median) sp_facts_real(&line->metrics, sp_metrics[i].name, median);
  }
}

enum sp_err sp_history_add(const char *file, const struct sp_history *history, struct sp_error *error) {
  if (!file) file = SP_HISTORY_FILE;
  if (history->n == 0 || strcmp(file, "none") == 0) return SP_OK;
  enum sp_err err = sp_files_make_parent(file, error);
  return err ? err : sp_history_append(file, history, error);
}

enum sp_err sp_history_note(const struct sp_history_note *note, struct sp_error *error) {
  const struct sp_comparison *c = note->comparison;
  struct sp_history history = {0};
  const struct sp_result **results = sp_alloc((note->n_trials + 1) * sizeof(struct sp_result *));
  size_t first = c->gate.verdict != SP_GATE_NONE && c->n_sides ? c->n_sides - 1 : 0;
  for (size_t i = first; i < c->n_sides; i++) {
    size_t n = results_of(note, i, results);
    if (n) add_line(note, results, n, &history);
  }
  free(results);
  enum sp_err err = sp_history_add(note->file, &history, error);
  sp_history_done(&history);
  return err;
}
