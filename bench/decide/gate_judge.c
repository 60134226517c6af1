#include "decide/gate_judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "decide/earlier.h"

#define WIDE_MARGIN 0.2

// --- Where the margins are from ---

// From malloc.
static char *remedy_of(const struct sp_gate_plan *plan) {
  return plan->mean_of > 1
             ? sp_format("; measure: servepath gate SCENARIO --calibrate --mean-of %zu", plan->mean_of)
             : sp_copy_text("; measure: servepath gate SCENARIO --calibrate");
}

static void choose_named(const struct sp_gate_plan *plan, const struct sp_result *result,
                         struct sp_gate_job *job) {
  char why[256], *remedy = remedy_of(plan);
  job->has_calibration =
      sp_calibration_fits(&job->calibration, result, plan->mean_of, time(NULL), why, sizeof why);
  job->margins_text =
      job->has_calibration
          ? sp_format("margins calibrated by %s of %.10s", plan->calibration_file, job->calibration.at)
          : sp_format("margins %g %%: %s is refused, %s%s", 100 * SP_GATE_MARGIN, plan->calibration_file, why,
                      remedy);
  free(remedy);
}

// Why the file that nobody named does not hold, and what to do; NULL: it does. From malloc.
static char *why_not_found(const struct sp_gate_plan *plan, const char *path, const struct sp_result *result,
                           struct sp_gate_job *job) {
  struct sp_error error = {0};
  char why[256], *remedy = remedy_of(plan), *text = NULL;
  if (access(path, F_OK) != 0)
    text = sp_format("there is no calibration (%s)%s", path, remedy);
  else if (sp_calibration_read(path, &job->calibration, &error))
    text = sp_copy_text(error.text);
  else if (!sp_calibration_fits(&job->calibration, result, plan->mean_of, time(NULL), why, sizeof why))
    text = sp_format("%s is refused, %s%s", path, why, remedy);
  job->has_calibration = !text;
  free(remedy);
  return text;
}

// It is a convenience: where it does not hold, that is said, and the standard margin stands.
static void choose_found(const struct sp_gate_plan *plan, const struct sp_result *result,
                         struct sp_gate_job *job) {
  char *path = sp_calibration_file(result, plan->mean_of), *why = why_not_found(plan, path, result, job);
  job->margins_text = why ? sp_format("margins %g %%: %s", 100 * SP_GATE_MARGIN, why)
                          : sp_format("margins calibrated by %s of %.10s", path, job->calibration.at);
  free(path);
  free(why);
}

// Sets has_calibration and margins_text by the first result there is; later calls do nothing.
static void choose_margins(const struct sp_gate_plan *plan, const struct sp_result *result,
                           struct sp_gate_job *job) {
  if (job->margins_text) return;
  if (!isnan(plan->margin))
    job->margins_text = sp_format("margin %g %%, as asked for", 100 * plan->margin);
  else if (plan->calibration_file)
    choose_named(plan, result, job);
  else
    choose_found(plan, result, job);
}

static struct sp_gate_rules rules_of(const struct sp_gate_plan *plan, const struct sp_gate_job *job) {
  return (struct sp_gate_rules){.family = plan->family,
                                .n_family = plan->n_family,
                                .mean_of = plan->mean_of,
                                .margin = plan->margin,
                                .calibration = job->has_calibration ? &job->calibration : NULL,
                                .is_across_machines = plan->is_across_machines};
}

// --- Judging what there is ---

// One that was broken off knows neither machine nor load.
static const struct sp_result *any_result(const struct sp_gate_job *job) {
  for (size_t i = job->n_trials; i-- > 0;) {
    const struct sp_result *result = job->trials[i].result;
    if (result && result->complete) return result;
  }
  return NULL;
}

// A PASS with margins of a noisy machine is easily read as more than it says.
static void remark_on_margins(struct sp_comparison *c) {
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    const struct sp_gate_metric *m = &c->gate.metrics[i];
    if (m->is_calibrated && m->margin > WIDE_MARGIN)
      sp_comparison_remark(c, "%s is noisy here: its margin lets %.3g %% worse pass", m->metric->title,
                           100 * m->margin);
  }
}

void sp_gate_judge_now(const struct sp_gate_plan *plan, const char *no_baseline, double alpha,
                       struct sp_gate_job *job) {
  struct sp_comparison *c = sp_comparison_new();
  const struct sp_result *any = any_result(job);
  if (job->comparison || job->goes_on) // the same gate, a pair later
    sp_earlier_carry_on(job->comparison ? job->comparison : job->earlier, c);
  if (any && !no_baseline) choose_margins(plan, any, job);
  struct sp_gate_rules rules = rules_of(plan, job);
  rules.no_baseline = no_baseline;
  sp_comparison_command(c, plan->argc, plan->argv);
  sp_gate_judge(&rules, job->trials, job->n_trials, alpha, c);
  if (job->margins_text) sp_comparison_remark(c, "%s", job->margins_text);
  if (job->unannounced) sp_comparison_remark(c, "%s", job->unannounced);
  remark_on_margins(c);
  sp_comparison_free(job->comparison);
  job->comparison = c;
}

enum sp_err sp_gate_check(const struct sp_gate_plan *plan, const struct sp_gate_job *job, bool has_base,
                          struct sp_error *error) {
  const struct sp_judge_plan judge = {.side_names = has_base ? sp_gate_sides : sp_gate_sides + 1,
                                      .n_sides = has_base ? 2 : 1,
                                      .are_builds = true,
                                      .family = plan->family,
                                      .n_family = plan->n_family};
  return (plan->scenario ? sp_judge_check_live : sp_judge_check)(&judge, job->trials, job->n_trials,
                                                                 plan->is_across_machines, error);
}
