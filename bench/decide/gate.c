// From a plan to judged trials: live pairs with fresh ones where they are needed, stored trials, or half of each.
#include "decide/gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "decide/forms.h"
#include "decide/gate_live.h"
#include "os/files.h"

#define WIDE_MARGIN 0.2

// --- Where the margins are from ---

static enum sp_err read_calibration(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                                    struct sp_error *error) {
  if (!plan->calibration_file) return SP_OK;
  return sp_calibration_read(plan->calibration_file, &job->calibration, error);
}

static void choose_named(const struct sp_gate_plan *plan, const struct sp_result *result,
                         struct sp_gate_job *job) {
  char why[256];
  job->has_calibration = sp_calibration_fits(&job->calibration, result, time(NULL), why, sizeof why);
  job->margins_text =
      job->has_calibration
          ? sp_format("margins calibrated by %s of %.10s", plan->calibration_file, job->calibration.at)
          : sp_format("margins %g %%: %s is refused, %s; measure anew: servepath gate SCENARIO "
                      "--calibrate",
                      100 * SP_GATE_MARGIN, plan->calibration_file, why);
}

// A file that nobody named is a convenience: where it does not hold, that is said, and the standard margin stands.
static void choose_found(const struct sp_result *result, struct sp_gate_job *job) {
  struct sp_error why_unread = {0};
  char why[256];
  char *path = sp_calibration_file(result);
  if (sp_calibration_read(path, &job->calibration, &why_unread))
    snprintf(why, sizeof why, "there is no calibration (%.150s)", path);
  else
    job->has_calibration = sp_calibration_fits(&job->calibration, result, time(NULL), why, sizeof why);
  job->margins_text = job->has_calibration
                          ? sp_format("margins calibrated by %s of %.10s", path, job->calibration.at)
                          : sp_format("margins %g %%: %s; measure: servepath gate SCENARIO --calibrate",
                                      100 * SP_GATE_MARGIN, why);
  free(path);
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
    choose_found(result, job);
}

static struct sp_gate_rules rules_of(const struct sp_gate_plan *plan, const struct sp_gate_job *job) {
  return (struct sp_gate_rules){.family = plan->family,
                                .n_family = plan->n_family,
                                .margin = plan->margin,
                                .calibration = job->has_calibration ? &job->calibration : NULL,
                                .is_across_machines = plan->is_across_machines};
}

// --- Judging what there is ---

static void note_command(const struct sp_gate_plan *plan, struct sp_comparison *c) {
  c->n_command = (size_t)plan->argc + 1;
  c->command = sp_alloc(c->n_command * sizeof *c->command);
  c->command[0] = sp_copy_text("servepath");
  for (int i = 0; i < plan->argc; i++) c->command[i + 1] = sp_copy_text(plan->argv[i]);
}

static const struct sp_result *any_result(const struct sp_gate_job *job) {
  for (size_t i = job->n_trials; i-- > 0;) {
    if (job->trials[i].result) return job->trials[i].result;
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
  if (job->comparison) { // the same gate, a pair later
    free(c->id);
    free(c->started_at);
    c->id = sp_copy_text(job->comparison->id);
    c->started_at = sp_copy_text(job->comparison->started_at);
  }
  if (any && !no_baseline) choose_margins(plan, any, job);
  struct sp_gate_rules rules = rules_of(plan, job);
  rules.no_baseline = no_baseline;
  note_command(plan, c);
  sp_gate_judge(&rules, job->trials, job->n_trials, alpha, c);
  if (job->margins_text) sp_comparison_remark(c, "%s", job->margins_text);
  remark_on_margins(c);
  sp_comparison_free(job->comparison);
  job->comparison = c;
}

// --- Stored trials ---

static enum sp_err check_machines(const struct sp_stored *base, const struct sp_stored *candidate,
                                  struct sp_error *error) {
  for (size_t i = 0; i < base->n + candidate->n; i++) {
    const struct sp_stored_trial *first = &base->trials[0];
    const struct sp_stored_trial *other = i < base->n ? &base->trials[i] : &candidate->trials[i - base->n];
    char *left = sp_machine_fingerprint(first->result), *right = sp_machine_fingerprint(other->result);
    bool differ = left && right && strcmp(left, right) != 0;
    if (differ)
      sp_fail(
          error, SP_ERR_USAGE,
          "%s and %s are of different machines (%.24s, %.24s), which differ by more than builds do; measure "
          "both on one, or say --across-machines",
          first->dir, other->dir, left, right);
    free(left);
    free(right);
    if (differ) return SP_ERR_USAGE;
  }
  return SP_OK;
}

// What a trial under way may come to is no reason to refuse: of trials that are run now only the usable ones are looked at, once each side
// has one and there are two. A lone side is checked against itself.
enum sp_err sp_gate_check(const struct sp_gate_plan *plan, const struct sp_gate_job *job, bool has_base,
                          struct sp_error *error) {
  const struct sp_judge_plan judge = {.side_names = has_base ? sp_gate_sides : sp_gate_sides + 1,
                                      .n_sides = has_base ? 2 : 1,
                                      .family = plan->family,
                                      .n_family = plan->n_family};
  struct sp_judge_trial *trials = sp_alloc((job->n_trials + 1) * sizeof *trials);
  size_t n = 0, n_of[2] = {0, 0};
  for (size_t i = 0; i < job->n_trials; i++) {
    const struct sp_judge_trial *trial = &job->trials[i];
    bool is_usable = trial->result && trial->result->complete && sp_result_is_valid(trial->result);
    if (plan->scenario && !is_usable) continue;
    trials[n++] = *trial;
    n_of[trial->side_i]++;
  }
  bool is_enough = has_base ? n_of[0] && n_of[1] : n > 1;
  enum sp_err err = SP_OK;
  if (!plan->scenario || is_enough) err = sp_judge_check(&judge, trials, n, plan->is_across_machines, error);
  free(trials);
  return err;
}

// A crash leaves no result: what both folders hold is then the trials that went well.
static void add_gaps(struct sp_gate_job *job) {
  size_t n_pairs = job->n_trials / 2;
  size_t n = sp_stored_gaps(&job->base, &job->candidate, SP_GATE_BASE, n_pairs, job->trials + job->n_trials);
  job->n_trials += n;
  job->n_trials += sp_stored_gaps(&job->candidate, &job->base, SP_GATE_CANDIDATE, n_pairs + n,
                                  job->trials + job->n_trials);
}

// job->base and ->candidate -> job->trials.
static void pair_up(struct sp_gate_job *job) {
  free(job->trials);
  size_t n_most = 2 * (job->base.n + job->candidate.n) + job->pairs.n_trials; // pairs, gaps and invalid ones
  job->trials = sp_alloc((n_most + 1) * sizeof *job->trials);
  job->n_trials = sp_stored_pair(&job->base, &job->candidate, SP_GATE_FRESH, job->trials);
  size_t n_pairs = job->n_trials / 2;
  if (job->pairs.n_trials == 0) add_gaps(job);       // live, the invalid ones are known
  for (size_t i = 0; i < job->pairs.n_trials; i++) { // invalid ones of a candidate that was run alone
    if (!job->pairs.trials[i].result) continue;
    struct sp_judge_trial *trial = &job->trials[job->n_trials++];
    *trial = job->pairs.trials[i];
    trial->side_i = SP_GATE_CANDIDATE;
    trial->pair_i += n_pairs;
  }
}

// Of so many pairs, looked at once.
static double alpha_of(const struct sp_gate_job *job) {
  struct sp_look looks[SP_LOOKS_MAX];
  size_t n = 0;
  for (size_t i = 0; i < job->n_trials; i++) {
    const struct sp_judge_trial *trial = &job->trials[i];
    n += trial->result && trial->side_i == 0 && !trial->is_confirming;
  }
  size_t n_looks = sp_judge_looks(n ? n : 1, looks);
  return looks[n_looks - 1].alpha;
}

enum sp_err sp_gate_judge_stored(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                                 struct sp_error *error) {
  enum sp_err err = plan->is_across_machines ? SP_OK : check_machines(&job->base, &job->candidate, error);
  if (err) return err;
  pair_up(job);
  err = sp_gate_check(plan, job, true, error);
  if (err) return err;
  sp_gate_judge_now(plan, NULL, alpha_of(job), job);
  if (sp_stored_is_one_after_other(&job->base, &job->candidate))
    sp_comparison_remark(job->comparison, "not interleaved: base and candidate were measured one after the "
                                          "other, so whatever changed on the machine between is part of the "
                                          "difference; --base-cmd measures both in turns");
  return SP_OK;
}

static enum sp_err fail_empty(const char *dir, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "%s: no " SP_RESULT_FILE
                 " here or in the folders below; measure first: servepath run SCENARIO "
                 "--out %s/001",
                 dir, dir);
}

static void judge_candidate_alone(const struct sp_gate_plan *plan, struct sp_gate_job *job) {
  char *why = sp_format("%s holds no trials to compare with", plan->base_dir);
  job->trials = sp_alloc((job->candidate.n + 1) * sizeof *job->trials);
  for (size_t i = 0; i < job->candidate.n; i++) {
    const struct sp_stored_trial *from = &job->candidate.trials[i];
    job->trials[job->n_trials++] =
        (struct sp_judge_trial){.result = from->result, .dir = from->dir, .pair_i = i, .seed = from->seed};
  }
  sp_gate_judge_now(plan, why, alpha_of(job), job);
  free(why);
}

static enum sp_err go_stored(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                             struct sp_error *error) {
  enum sp_err err = sp_stored_read(plan->base_dir, plan->side_name, &job->base, error);
  if (!err) err = sp_stored_read(plan->candidate_dir, plan->side_name, &job->candidate, error);
  if (err) return err;
  if (job->candidate.n == 0) return fail_empty(plan->candidate_dir, error);
  if (job->base.n) return sp_gate_judge_stored(plan, job, error);
  judge_candidate_alone(plan, job);
  return job->n_trials > 1 ? sp_gate_check(plan, job, false, error) : SP_OK;
}

// --- From beginning to end ---

static void add_tags(const struct sp_cli *cli, struct sp_comparison *c) {
  for (size_t i = 0; cli && i < cli->tags.n; i++)
    sp_facts_text(&c->tags, cli->tags.items[i].name, cli->tags.items[i].value);
}

static enum sp_err save(const struct sp_gate_plan *plan, struct sp_gate_job *job, struct sp_error *error) {
  if (!plan->save_dir || !job->comparison->complete) return SP_OK;
  if (job->comparison->gate.verdict == SP_GATE_FAIL) return SP_OK; // nobody should be compared with it
  size_t side_i = job->comparison->n_sides - 1;
  return sp_stored_save(job->trials, job->n_trials, side_i, plan->save_dir, &job->n_saved, error);
}

enum sp_err sp_gate_go(const struct sp_gate_plan *plan, struct sp_supervisor *supervisor,
                       struct sp_gate_job *job, struct sp_error *error) {
  int64_t start_ns = sp_now_ns();
  int claim = -1;
  enum sp_err err = read_calibration(plan, job, error);
  if (!err && plan->scenario) err = sp_files_claim(plan->dir, &claim, error);
  if (!err)
    err = plan->scenario ? sp_gate_go_live(plan, supervisor, job, error) : go_stored(plan, job, error);
  sp_files_release(claim);
  if (err || !job->comparison) return err;
  struct sp_comparison *c = job->comparison;
  c->duration_s = (double)(sp_now_ns() - start_ns) * 1e-9;
  c->complete = !supervisor->signal;
  c->gate.inconclusive_fails = plan->inconclusive_fails;
  add_tags(plan->cli, c);
  if (supervisor->signal) {
    free(c->incomplete);
    c->incomplete = sp_format("ended by signal %d", supervisor->signal);
    return sp_comparison_write(c, plan->dir, error);
  }
  err = sp_files_make_dirs(plan->dir, error);
  if (!err) err = save(plan, job, error);
  return err ? err : sp_forms_write(c, plan->dir, error);
}

void sp_gate_job_done(struct sp_gate_job *job) {
  sp_comparison_free(job->comparison);
  free(job->trials);
  free(job->margins_text);
  sp_pairs_done(&job->pairs);
  sp_pairs_done(&job->fresh);
  sp_stored_done(&job->base);
  sp_stored_done(&job->candidate);
  sp_calibration_done(&job->calibration);
  *job = (struct sp_gate_job){0};
}
