// The pairs of one comparison, from the first trial to the page.
#include "decide/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "decide/agreement.h"
#include "decide/earlier.h"
#include "decide/fairness.h"
#include "decide/forms.h"
#include "decide/history.h"
#include "decide/pairs_live.h"
#include "decide/runner.h"
#include "decide/window.h"
#include "os/files.h"
#include "trial/shared_broker.h"

struct job {
  const struct sp_compare_plan *plan;
  struct sp_supervisor *supervisor;
  struct sp_error *error; // of a callback that cannot return one
  enum sp_err err;
  const char *names[SP_COMPARISON_SIDES];
  char *answers_dir;
  struct sp_look looks[SP_LOOKS_MAX];
  size_t n_looks;
  struct sp_runner runner;
  struct sp_trial_plan broker_plan;
  struct sp_shared_broker broker;
  bool has_broker;
  struct sp_pairs pairs;
  struct sp_pairs_live live;
  int64_t start_ns;
  struct sp_comparison *earlier; // of an earlier call; NULL: none
  char *unannounced;             // what must be said of a look that it took; NULL: nothing
  struct sp_comparison *c;       // the last that was judged; carries id, start and predictions on
};

// --- What can be compared ---

static bool has_time(const struct sp_compare_plan *plan) {
  for (size_t i = 0; i < sp_n_metrics && !plan->family; i++) {
    if (sp_metrics[i].role == SP_METRIC_PRIMARY && sp_metrics[i].is_time) return true;
  }
  for (size_t i = 0; plan->family && i < plan->n_family; i++) {
    if (plan->family[i]->is_time) return true;
  }
  return false;
}

static bool has_response(const struct sp_compare_plan *plan) {
  for (size_t i = 0; plan->family && i < plan->n_family; i++) {
    if (strncmp(plan->family[i]->name, "response_", 9) == 0) return true;
  }
  return false;
}

enum sp_err sp_compare_check(const struct sp_compare_plan *plan, struct sp_error *error) {
  const struct sp_scenario *scenario = plan->scenario;
  bool is_mock = false;
  for (size_t i = 0; i < plan->n_sides; i++)
    is_mock |= strcmp(sp_scenario_way(scenario, plan->sides[i]), "mock") == 0;
  if (plan->n_sides < 2)
    return sp_fail(error, SP_ERR_USAGE,
                   "one side is no comparison; add another: --side NAME,path=embedded|rpc,KEY=VALUE");
  if (scenario->load.only != SP_ONLY_BOTH || scenario->load.shard)
    return sp_fail(
        error, SP_ERR_USAGE,
        "load.only and load.shard measure half a driver or a share of a load, which is no trial to compare; "
        "leave them out");
  if (is_mock && has_time(plan))
    return sp_fail(
        error, SP_ERR_INVALID,
        "the mock broker's latency is an artefact of its fetch timer: no verdict on time; --broker kafka, "
        "--transport direct, or --metrics cpu_per_event");
  if (scenario->load.arrival == SP_ARRIVAL_CLOSED && has_response(plan))
    return sp_fail(error, SP_ERR_INVALID,
                   "a closed loop has no response times to compare; --arrival poisson, or --metrics "
                   "cpu_per_event,achieved");
  return SP_OK;
}

// --- What the pairs have in common ---

// Digest of what makes two trials of a side the same experiment.
static enum sp_err make_key(const struct job *job, char key[SP_DIGEST_TEXT_BYTES], struct sp_error *error) {
  const struct sp_compare_plan *plan = job->plan;
  char *made_of;
  enum sp_err err = sp_earlier_made_of(plan->scenario, &made_of, error);
  if (err) return err;
  char *text = sp_format("%s%s", made_of, plan->scenario->resolved_json);
  free(made_of);
  for (size_t i = 0; i < plan->n_sides + plan->n_settings; i++) {
    bool is_side = i < plan->n_sides;
    const struct sp_setting *setting = is_side ? NULL : &plan->settings[i - plan->n_sides];
    char *longer = is_side ? sp_format("%s\n%s", text, job->names[i])
                           : sp_format("%s\n%s=%s", text, setting->key, setting->value);
    free(text);
    text = longer;
  }
  sp_digest_bytes(sp_bytes_of_text(text), key);
  free(text);
  return SP_OK;
}

// --- The broker of all trials ---

// Not before the first trial that has to be run.
static enum sp_err need_broker(struct job *job, size_t side_i, struct sp_error *error) {
  if (job->has_broker || !sp_shared_broker_is_wanted(job->plan->scenario, job->plan->sides[side_i]))
    return SP_OK;
  job->has_broker = true;
  job->broker_plan.side = job->plan->sides[side_i];
  enum sp_err err = sp_shared_broker_start(&job->broker_plan, job->supervisor, &job->broker, error);
  job->runner.broker = &job->broker.broker;
  if (err || !job->plan->broker_warmup_ns) return err;
  return sp_shared_broker_warm_up(&job->broker_plan, job->supervisor, &job->broker,
                                  job->plan->broker_warmup_ns, error);
}

// --- Pair after pair ---

static enum sp_err run_trial(void *context, size_t side_i, uint64_t seed, const char *dir,
                             struct sp_result **result, struct sp_error *error) {
  struct job *job = context;
  struct sp_error why;
  enum sp_err err = need_broker(job, side_i, error);
  if (err || job->supervisor->signal) return err;
  err = sp_runner_run(&job->runner, side_i, seed, dir, result, &why);
  return err ? sp_fail(error, err, "side %s: %s", job->names[side_i], why.text) : SP_OK;
}

// Predictions were compared when their pair was run, and are not kept.
static void carry_on(const struct job *job, const struct sp_comparison *from, struct sp_comparison *to) {
  double before_s = job->earlier ? job->earlier->duration_s : NAN;
  sp_earlier_carry_on(from, to);
  to->predictions = from->predictions;
  to->duration_s = (isnan(before_s) ? 0 : before_s) + (double)(sp_now_ns() - job->start_ns) * 1e-9;
}

// Of each side, whether its answers are those of another model than the reference's, by what their trials found.
static void find_other_models(const struct job *job, bool is_other[SP_COMPARISON_SIDES]) {
  const struct sp_compare_plan *plan = job->plan;
  const struct sp_result *results[SP_COMPARISON_SIDES] = {NULL};
  for (size_t i = 0; i < job->pairs.n_trials; i++) {
    const struct sp_judge_trial *trial = &job->pairs.trials[i];
    if (trial->result && trial->result->complete) results[trial->side_i] = trial->result;
  }
  for (size_t i = 0; i < plan->n_sides; i++)
    is_other[i] = !sp_is_one_model(plan->scenario, plan->sides[plan->reference_i], results[plan->reference_i],
                                   plan->sides[i], results[i]);
}

static void judge(struct job *job, double alpha) {
  const struct sp_compare_plan *plan = job->plan;
  bool is_other[SP_COMPARISON_SIDES];
  const struct sp_judge_plan judge_plan = {.side_names = job->names,
                                           .n_sides = plan->n_sides,
                                           .reference_i = plan->reference_i,
                                           .family = plan->family,
                                           .n_family = plan->n_family,
                                           .mean_of = plan->mean_of,
                                           .alpha = alpha,
                                           .delta = plan->delta};
  struct sp_comparison *c = sp_comparison_new();
  carry_on(job, job->c, c);
  sp_comparison_command(c, plan->argc, plan->argv);
  sp_judge(&judge_plan, job->pairs.trials, job->pairs.n_trials, c);
  find_other_models(job, is_other);
  sp_fairness_remark(plan->scenario, plan->sides, plan->n_sides, is_other, c);
  if (job->unannounced) sp_comparison_remark(c, "%s", job->unannounced);
  sp_comparison_free(job->c);
  job->c = c;
}

static double alpha_of_next_look(const struct job *job) {
  size_t i = 0;
  while (i + 1 < job->n_looks && job->pairs.n_pairs > job->looks[i].n_pairs) i++;
  return job->looks[i].alpha;
}

static void after_pair(void *context, const struct sp_pairs *pairs) {
  struct job *job = context;
  const struct sp_compare_plan *plan = job->plan;
  bool is_other[SP_COMPARISON_SIDES];
  const struct sp_agreement_plan agreement = {.sides = plan->sides,
                                              .n_sides = plan->n_sides,
                                              .reference_i = plan->reference_i,
                                              .dir = job->answers_dir,
                                              .abs = plan->scenario->expect.abs,
                                              .rel = plan->scenario->expect.rel,
                                              .is_other_model = is_other};
  if (pairs->was_last_found) return;
  find_other_models(job, is_other);
  sp_agreement_add(&agreement, job->c);
  judge(job, alpha_of_next_look(job));
  enum sp_err err =
      sp_forms_write_incomplete(job->c, "the comparison has not ended", sp_exit_code(SP_ERR_INCONCLUSIVE),
                                plan->dir, job->err ? NULL : job->error);
  if (!job->err) job->err = err;
  sp_pairs_live_show(&job->live, pairs, job->c, plan->n_pairs);
}

static bool is_enough(void *context, const struct sp_pairs *pairs, const struct sp_look *look) {
  struct job *job = context;
  (void)pairs;
  judge(job, look->alpha);
  return sp_judge_has_concluded(job->c);
}

static enum sp_err run_pairs(struct job *job, struct sp_error *error) {
  char key[SP_DIGEST_TEXT_BYTES];
  const struct sp_pairs_plan plan = {.dir = job->plan->dir,
                                     .names = job->names,
                                     .n_sides = job->plan->n_sides,
                                     .first_seed = job->plan->scenario->load.seed,
                                     .key = key,
                                     .family = job->plan->family,
                                     .n_family = job->plan->n_family,
                                     .looks = job->looks,
                                     .n_looks = job->n_looks,
                                     .run = run_trial,
                                     .enough = is_enough,
                                     .pair_done = after_pair,
                                     .context = job,
                                     .supervisor = job->supervisor};
  int claim = -1;
  enum sp_err err = make_key(job, key, error);
  if (!err) err = sp_files_claim(job->plan->dir, &claim, error);
  if (err) return err;
  err = sp_files_make_dirs(job->answers_dir, error);
  if (!err) err = sp_pairs_go(&plan, &job->pairs, error);
  sp_files_remove(job->answers_dir);
  sp_files_release(claim);
  return err ? err : job->err;
}

// --- From beginning to end ---

// Before minutes are spent on pairs that come to nothing.
static void warn_of_window(const struct sp_compare_plan *plan) {
  char *warning = sp_window_warning(plan->scenario, plan->family, plan->n_family);
  if (warning && !plan->is_quiet) fprintf(stderr, "warning: %s\n", warning);
  free(warning);
}

static void take_earlier(struct job *job) {
  job->earlier = sp_earlier_read(job->plan->dir);
  if (job->earlier) carry_on(job, job->earlier, job->c);
  job->unannounced =
      sp_earlier_unannounced(job->earlier, job->looks, job->n_looks, job->plan->n_pairs, job->plan->mean_of);
}

static void start_job(struct job *job) {
  const struct sp_compare_plan *plan = job->plan;
  for (size_t i = 0; i < plan->n_sides; i++) job->names[i] = plan->sides[i]->name;
  job->n_looks = sp_judge_looks(plan->n_pairs, plan->mean_of, job->looks);
  job->answers_dir = sp_format("%s/answers", plan->dir);
  job->start_ns = sp_now_ns();
  job->c = sp_comparison_new();
  sp_pairs_live_init(&job->live, plan->is_quiet);
  job->runner = (struct sp_runner){.cli = plan->cli,
                                   .scenario = plan->scenario,
                                   .sides = plan->sides,
                                   .settings = plan->settings,
                                   .n_settings = plan->n_settings,
                                   .answers_dir = job->answers_dir,
                                   .argc = plan->argc,
                                   .argv = plan->argv,
                                   .is_quiet = plan->is_quiet || !job->live.is_terminal,
                                   .supervisor = job->supervisor};
  job->broker_plan = (struct sp_trial_plan){.cli = plan->cli,
                                            .scenario = plan->scenario,
                                            .side = plan->sides[plan->reference_i],
                                            .settings = plan->settings,
                                            .n_settings = plan->n_settings,
                                            .out_dir = plan->dir,
                                            .argc = plan->argc,
                                            .argv = plan->argv,
                                            .is_quiet = plan->is_quiet};
  take_earlier(job);
}

// What there is, with the reason why there is no more.
static enum sp_err end_early(struct job *job, const char *why, int exit_code, struct sp_error *error) {
  judge(job, alpha_of_next_look(job));
  return sp_forms_write_incomplete(job->c, why, exit_code, job->plan->dir, error);
}

static enum sp_err check_trials(const struct job *job, struct sp_error *error) {
  const struct sp_judge_plan plan = {
      .side_names = job->names, .n_sides = job->plan->n_sides, .reference_i = job->plan->reference_i};
  return sp_judge_check_live(&plan, job->pairs.trials, job->pairs.n_trials, false, error);
}

static enum sp_err note_history(const struct job *job, struct sp_error *error) {
  const struct sp_history_note note = {.file = job->plan->history_file,
                                       .verb = "compare",
                                       .comparison = job->c,
                                       .trials = job->pairs.trials,
                                       .n_trials = job->pairs.n_trials};
  return note.file ? sp_history_note(&note, error) : SP_OK;
}

static enum sp_err finish(struct job *job, struct sp_error *error) {
  char why[64];
  int signal = job->supervisor->signal;
  snprintf(why, sizeof why, "ended by signal %d", signal);
  if (signal) return end_early(job, why, 128 + signal, error);
  enum sp_err err = check_trials(job, error);
  if (err) return err;
  judge(job, job->c->alpha > 0 ? job->c->alpha : job->looks[0].alpha);
  job->c->complete = true;
  err = sp_forms_write(job->c, job->plan->dir, error);
  return err || !sp_earlier_lacks(job->earlier, job->c) ? err : note_history(job, error);
}

enum sp_err sp_compare_run(const struct sp_compare_plan *plan, struct sp_supervisor *supervisor,
                           struct sp_comparison **c, struct sp_error *error) {
  struct job job = {.plan = plan, .supervisor = supervisor, .error = error};
  struct sp_error ignored; // the first error is the one to tell
  *c = NULL;
  start_job(&job);
  warn_of_window(plan);
  enum sp_err err = run_pairs(&job, error);
  if (!err)
    err = finish(&job, error);
  else if (job.pairs.n_trials)
    end_early(&job, error->text, sp_exit_code(err), &ignored);
  sp_shared_broker_stop(&job.broker_plan, supervisor, &job.broker);
  sp_pairs_done(&job.pairs);
  free(job.answers_dir);
  free(job.unannounced);
  sp_comparison_free(job.earlier);
  if (!err)
    *c = job.c;
  else
    sp_comparison_free(job.c);
  return err;
}
