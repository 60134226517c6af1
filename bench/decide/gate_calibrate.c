// A/A pairs, and margins from them.
#include "decide/gate_calibrate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/gate_verdict.h"
#include "os/files.h"

#define SEED 1

struct job {
  const struct sp_calibrate_plan *plan;
  struct sp_supervisor *supervisor;
  struct sp_gate_programs programs;
  struct sp_pairs pairs;
  char *key;
};

static enum sp_err run_trial(void *context, size_t side_i, uint64_t seed, const char *dir,
                             struct sp_result **result, struct sp_error *error) {
  struct job *job = context;
  return sp_gate_programs_run(&job->programs, side_i, seed, dir, result, error);
}

static void after_pair(void *context, const struct sp_pairs *pairs) {
  const struct job *job = context;
  if (!job->plan->is_quiet && !pairs->was_last_found)
    fprintf(stderr, "calibration: pair %zu/%zu\n", pairs->n_pairs, job->plan->n_pairs);
}

static enum sp_err run_block(struct job *job, size_t block_i, struct sp_error *error) {
  const struct sp_calibrate_plan *plan = job->plan;
  size_t n_means = plan->n_pairs / plan->mean_of;
  const struct sp_look look = {n_means * (block_i + 1) / plan->n_blocks * plan->mean_of,
                               SP_GATE_CALIBRATION_LOOK.alpha};
  const struct sp_pairs_plan pairs = {.dir = plan->dir,
                                      .names = sp_gate_sides,
                                      .n_sides = 2,
                                      .first_seed = plan->scenario->load.seed,
                                      .key = job->key,
                                      .family = plan->family,
                                      .n_family = plan->n_family,
                                      .looks = &look,
                                      .n_looks = 1,
                                      .run = run_trial,
                                      .pair_done = after_pair,
                                      .context = job,
                                      .supervisor = job->supervisor};
  return sp_pairs_go(&pairs, &job->pairs, error);
}

static void pause_between(struct job *job) {
  int64_t until_ns = sp_now_ns() + job->plan->pause_ns;
  if (!job->plan->is_quiet) fprintf(stderr, "pause before the next block\n");
  while (!job->supervisor->signal && sp_now_ns() < until_ns)
    sp_supervisor_wait(job->supervisor, NULL, 0, until_ns);
}

static enum sp_err run_blocks(struct job *job, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < job->plan->n_blocks && !err && !job->supervisor->signal; i++) {
    if (i > 0 && !job->pairs.was_last_found) pause_between(job);
    err = run_block(job, i, error);
  }
  if (err || job->supervisor->signal || job->pairs.n_pairs >= job->plan->n_pairs) return err;
  return sp_fail(
      error, SP_ERR_INVALID,
      "%zu of %zu pairs stayed invalid; see the reasons in %s/invalid and repeat when the machine is "
      "quieter",
      job->pairs.n_left_out, job->pairs.n_started, job->plan->dir);
}

static double margin_of(const struct job *job, const struct sp_metric *metric) {
  size_t most = job->pairs.n_pairs;
  double *worse = sp_alloc((most + 1) * sizeof *worse);
  struct sp_prng prng;
  sp_prng_init(&prng, SEED, SP_PRNG_DECIDE);
  size_t n = sp_judge_log_ratios(job->pairs.trials, job->pairs.n_trials, SP_GATE_CANDIDATE, SP_GATE_BASE,
                                 metric, true, false, worse, most);
  double margin = sp_gate_calibrate(worse, n, &SP_GATE_CALIBRATION_LOOK, job->plan->mean_of, &prng);
  free(worse);
  return margin;
}

static const struct sp_result *last_result(const struct sp_pairs *pairs) {
  const struct sp_judge_trial *trial = NULL;
  for (size_t i = pairs->n_started; i-- > 0 && !trial;) trial = sp_pairs_find(pairs, SP_GATE_CANDIDATE, i);
  return trial ? trial->result : NULL;
}

static enum sp_err conclude(const struct job *job, struct sp_calibration *calibration, char **file,
                            struct sp_error *error) {
  const struct sp_result *last = last_result(&job->pairs);
  SP_ASSERT(last != NULL);
  sp_calibration_of(last, calibration);
  calibration->n_pairs = (int64_t)job->pairs.n_pairs;
  calibration->n_blocks = (int64_t)job->plan->n_blocks;
  calibration->mean_of = (int64_t)job->plan->mean_of;
  calibration->pause_s = (double)job->plan->pause_ns * 1e-9;
  size_t n = job->plan->family ? job->plan->n_family : sp_n_metrics;
  for (size_t i = 0; i < n; i++) {
    const struct sp_metric *metric = job->plan->family ? job->plan->family[i] : &sp_metrics[i];
    double margin = metric->role == SP_METRIC_GUARD ? NAN : margin_of(job, metric);
    if (!isnan(margin)) sp_facts_real(&calibration->margins, metric->name, margin);
  }
  *file = job->plan->file ? sp_copy_text(job->plan->file) : sp_calibration_file(last, job->plan->mean_of);
  return sp_calibration_write(calibration, *file, error);
}

static enum sp_err prepare(struct job *job, struct sp_error *error) {
  const struct sp_calibrate_plan *plan = job->plan;
  char *copies = sp_format("%s/programs", plan->dir), *commands[2] = {NULL, NULL};
  enum sp_err err = SP_OK;
  for (int i = 0; i < 2 && !err; i++)
    err = sp_gate_program_copy(plan->base_cmd, copies, sp_gate_sides[i], &commands[i], error);
  if (!err) {
    const struct sp_trial_plan like = {.cli = plan->cli,
                                       .scenario = plan->scenario,
                                       .side = plan->side,
                                       .out_dir = plan->dir,
                                       .is_quiet = plan->is_quiet};
    sp_gate_programs_init(&job->programs, commands[0], commands[1], false, &like, job->supervisor);
    char *key =
        sp_gate_programs_key(&job->programs, plan->scenario); // how far apart they lie cannot be added later
    job->key = sp_format("%sblocks %zu pause %lld\n", key, plan->n_blocks, (long long)plan->pause_ns);
    free(key);
  }
  for (int i = 0; i < 2; i++) free(commands[i]);
  free(copies);
  return err;
}

enum sp_err sp_gate_calibrate_go(const struct sp_calibrate_plan *plan, struct sp_supervisor *supervisor,
                                 struct sp_calibration *calibration, char **file, struct sp_error *error) {
  struct job job = {.plan = plan, .supervisor = supervisor};
  *file = NULL;
  int claim;
  enum sp_err err = sp_files_claim(plan->dir, &claim, error);
  if (!err) err = prepare(&job, error);
  if (!err) err = run_blocks(&job, error);
  if (!err && !supervisor->signal) err = conclude(&job, calibration, file, error);
  sp_pairs_done(&job.pairs);
  sp_gate_programs_done(&job.programs);
  free(job.key);
  sp_files_release(claim);
  return err;
}
