// Pairs out of folders.
#include "decide/gate_stored.h"

#include <stdlib.h>
#include <string.h>

#include "decide/earlier.h"
#include "decide/gate_judge.h"

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

// A crash leaves no result: what both folders hold is then the trials that went well.
static void add_gaps(struct sp_gate_job *job) {
  size_t n_pairs = job->n_trials / 2;
  size_t n = sp_stored_gaps(&job->base, &job->candidate, SP_GATE_BASE, n_pairs, job->trials + job->n_trials);
  job->n_trials += n;
  job->n_trials += sp_stored_gaps(&job->candidate, &job->base, SP_GATE_CANDIDATE, n_pairs + n,
                                  job->trials + job->n_trials);
}

// job->base and ->candidate -> job->trials.
static void pair_up(const struct sp_gate_plan *plan, struct sp_gate_job *job) {
  free(job->trials);
  size_t n_most = 2 * (job->base.n + job->candidate.n) + job->pairs.n_trials; // pairs, gaps and invalid ones
  job->trials = sp_alloc((n_most + 1) * sizeof *job->trials);
  job->n_trials = sp_stored_pair(&job->base, &job->candidate, SP_GATE_FRESH * plan->mean_of, job->trials);
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
static double alpha_of(const struct sp_gate_plan *plan, const struct sp_gate_job *job) {
  struct sp_look looks[SP_LOOKS_MAX];
  size_t n = 0;
  for (size_t i = 0; i < job->n_trials; i++) {
    const struct sp_judge_trial *trial = &job->trials[i];
    n += trial->result && trial->side_i == 0 && !trial->is_confirming;
  }
  n -= n % plan->mean_of; // what fills no mean is not looked at
  size_t n_looks = sp_judge_looks(n ? n : 1, plan->mean_of, looks);
  return looks[n_looks - 1].alpha;
}

// The same trials, in other means: which of them is judged by was chosen by what was seen.
static void note_other_means(const struct sp_gate_plan *plan, struct sp_gate_job *job) {
  const struct sp_comparison *earlier = job->earlier;
  bool has_base = false, has_candidate = false;
  for (size_t i = 0; earlier && i < earlier->n_trials; i++) {
    const struct sp_compared_trial *trial = &earlier->trials[i];
    if (!trial->is_counted) continue;
    has_base |= sp_stored_has(&job->base, trial->run_id);
    has_candidate |= sp_stored_has(&job->candidate, trial->run_id);
  }
  if (has_base && has_candidate && earlier->mean_of != plan->mean_of && !job->unannounced)
    job->unannounced = sp_earlier_unannounced(earlier, NULL, 0, job->n_trials / 2, plan->mean_of);
}

enum sp_err sp_gate_judge_stored(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                                 struct sp_error *error) {
  enum sp_err err = plan->is_across_machines ? SP_OK : check_machines(&job->base, &job->candidate, error);
  if (err) return err;
  pair_up(plan, job);
  err = sp_gate_check(plan, job, true, error);
  if (err) return err;
  note_other_means(plan, job);
  sp_gate_judge_now(plan, NULL, alpha_of(plan, job), job);
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
  sp_gate_judge_now(plan, why, alpha_of(plan, job), job);
  free(why);
}

enum sp_err sp_gate_go_stored(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                              struct sp_error *error) {
  enum sp_err err = sp_stored_read(plan->base_dir, plan->side_name, &job->base, error);
  if (!err) err = sp_stored_read(plan->candidate_dir, plan->side_name, &job->candidate, error);
  if (err) return err;
  if (job->candidate.n == 0) return fail_empty(plan->candidate_dir, error);
  if (job->base.n) return sp_gate_judge_stored(plan, job, error);
  judge_candidate_alone(plan, job);
  return job->n_trials > 1 ? sp_gate_check(plan, job, false, error) : SP_OK;
}
