// The pairs of one comparison, from the first trial to the page.
#include "decide/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/units.h"
#include "decide/agreement.h"
#include "decide/fairness.h"
#include "decide/forms.h"
#include "decide/history.h"
#include "decide/pairs_live.h"
#include "decide/runner.h"
#include "decide/window.h"
#include "os/files.h"
#include "trial/shared_broker.h"

#define UNANNOUNCED "judged before"

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
  bool was_complete;       // by an earlier call: nothing is new
  double before_s;         // that an earlier call took
  char *unannounced;       // what must be said of a look that an earlier call took; NULL: nothing
  struct sp_comparison *c; // the last that was judged; carries id, start and predictions on
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
  bool is_mock =
      scenario->stream.transport == SP_TRANSPORT_KAFKA && strcmp(scenario->stream.broker, "mock") == 0;
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
  char build[SP_DIGEST_TEXT_BYTES], recording[SP_DIGEST_TEXT_BYTES];
  enum sp_err err = sp_digest_file(sp_process_self(), build, error);
  if (!err) err = sp_digest_file(plan->scenario->recording, recording, error);
  if (err) return err;
  char *text = sp_format("%s\n%s\n%s", build, recording, plan->scenario->resolved_json);
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

// One trial that nobody looks at, for Java's compiler.
static enum sp_err warm_up(struct job *job, struct sp_error *error) {
  char duration[SP_UNITS_TEXT_BYTES];
  struct sp_setting *settings = sp_alloc((job->plan->n_settings + 2) * sizeof *settings);
  struct sp_runner runner = job->runner;
  struct sp_result *result = NULL;
  size_t n = job->plan->n_settings;
  if (n) memcpy(settings, job->plan->settings, n * sizeof *settings);
  sp_units_write_duration(job->plan->broker_warmup_ns, duration, sizeof duration);
  settings[n++] = (struct sp_setting){"load.duration", duration, "warm-up"};
  settings[n++] = (struct sp_setting){"load.warmup", "1s", "warm-up"};
  runner.settings = settings;
  runner.n_settings = n;
  runner.answers_dir = NULL;
  char *dir = sp_format("%s/warm-up", job->plan->dir);
  if (!job->plan->is_quiet) fprintf(stderr, "warming up Kafka for %s\n", duration);
  enum sp_err err =
      sp_runner_run(&runner, job->plan->reference_i, job->plan->scenario->load.seed, dir, &result, error);
  sp_result_free(result);
  sp_files_remove(dir);
  free(dir);
  free(settings);
  return err;
}

// Not before the first trial that has to be run.
static enum sp_err need_broker(struct job *job, struct sp_error *error) {
  if (job->has_broker || !sp_shared_broker_is_wanted(job->plan->scenario)) return SP_OK;
  job->has_broker = true;
  enum sp_err err = sp_shared_broker_start(&job->broker_plan, job->supervisor, &job->broker, error);
  job->runner.broker = &job->broker.broker;
  return err || !job->plan->broker_warmup_ns ? err : warm_up(job, error);
}

// --- Pair after pair ---

static enum sp_err run_trial(void *context, size_t side_i, uint64_t seed, const char *dir,
                             struct sp_result **result, struct sp_error *error) {
  struct job *job = context;
  struct sp_error why;
  enum sp_err err = need_broker(job, error);
  if (err || job->supervisor->signal) return err;
  err = sp_runner_run(&job->runner, side_i, seed, dir, result, &why);
  return err ? sp_fail(error, err, "side %s: %s", job->names[side_i], why.text) : SP_OK;
}

static void carry_on(const struct job *job, const struct sp_comparison *from, struct sp_comparison *to) {
  free(to->id);
  free(to->started_at);
  to->id = sp_copy_text(from->id);
  to->started_at = sp_copy_text(from->started_at);
  to->predictions = from->predictions;
  to->duration_s = job->before_s + (double)(sp_now_ns() - job->start_ns) * 1e-9;
}

static void note_command(const struct job *job, struct sp_comparison *c) {
  const struct sp_compare_plan *plan = job->plan;
  c->n_command = (size_t)plan->argc + 1;
  c->command = sp_alloc(c->n_command * sizeof *c->command);
  c->command[0] = sp_copy_text("servepath");
  for (int i = 0; i < plan->argc; i++) c->command[i + 1] = sp_copy_text(plan->argv[i]);
}

static void judge(struct job *job, double alpha) {
  const struct sp_compare_plan *plan = job->plan;
  const struct sp_judge_plan judge_plan = {.side_names = job->names,
                                           .n_sides = plan->n_sides,
                                           .reference_i = plan->reference_i,
                                           .family = plan->family,
                                           .n_family = plan->n_family,
                                           .alpha = alpha,
                                           .delta = plan->delta};
  struct sp_comparison *c = sp_comparison_new();
  carry_on(job, job->c, c);
  note_command(job, c);
  sp_judge(&judge_plan, job->pairs.trials, job->pairs.n_trials, c);
  sp_fairness_remark(plan->scenario, plan->sides, plan->n_sides, c);
  if (job->unannounced) sp_comparison_remark(c, "%s", job->unannounced);
  sp_comparison_free(job->c);
  job->c = c;
}

static double alpha_of_next_look(const struct job *job) {
  size_t i = 0;
  while (i + 1 < job->n_looks && job->pairs.n_pairs > job->looks[i].n_pairs) i++;
  return job->looks[i].alpha;
}

static enum sp_err write_incomplete(struct job *job, const char *why, struct sp_error *error) {
  job->c->complete = false;
  free(job->c->incomplete);
  job->c->incomplete = sp_copy_text(why);
  sp_forms_relative(job->c, job->plan->dir);
  return sp_comparison_write(job->c, job->plan->dir, error);
}

static void after_pair(void *context, const struct sp_pairs *pairs) {
  struct job *job = context;
  const struct sp_compare_plan *plan = job->plan;
  const struct sp_agreement_plan agreement = {.sides = plan->sides,
                                              .n_sides = plan->n_sides,
                                              .reference_i = plan->reference_i,
                                              .dir = job->answers_dir,
                                              .abs = plan->scenario->expect.abs,
                                              .rel = plan->scenario->expect.rel};
  if (pairs->was_last_found) return;
  sp_agreement_add(&agreement, job->c);
  judge(job, alpha_of_next_look(job));
  enum sp_err err = write_incomplete(job, "the comparison has not ended", job->err ? NULL : job->error);
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

// Who looks, and goes on until the figures please, is wrong more often than any level says. The announced looks share one budget; one that
// is none of those of this call was taken beside it. Once said, it stays said.
static void note_look(struct job *job, const struct sp_comparison *earlier) {
  for (size_t i = 0; i < earlier->n_remarks; i++) {
    if (strncmp(earlier->remarks[i], UNANNOUNCED, sizeof UNANNOUNCED - 1) != 0) continue;
    job->unannounced = sp_copy_text(earlier->remarks[i]);
    return;
  }
  if (!earlier->complete || earlier->n_pairs == 0) return;
  for (size_t i = 0; i < job->n_looks; i++) {
    const struct sp_look *look = &job->looks[i];
    if (look->n_pairs == earlier->n_pairs && fabs(look->alpha - earlier->alpha) < 1e-9) return;
  }
  job->unannounced = sp_format(
      UNANNOUNCED " at %zu pairs, and again with --pairs %zu: the levels do not hold over looks that were "
                  "chosen by what was seen; measure anew into another --out, or go on in steps of 12, 18 "
                  "and 24 pairs",
      earlier->n_pairs, job->plan->n_pairs);
}

// Predictions were compared when their pair was run, and are not kept.
static void take_earlier(struct job *job) {
  struct sp_comparison *earlier = NULL;
  struct sp_error ignored; // none, or one of an earlier version: then there is nothing to go on with
  char *path = sp_format("%s/" SP_COMPARISON_FILE, job->plan->dir);
  struct stat facts;
  if (stat(path, &facts) == 0 && sp_comparison_read(path, &earlier, &ignored) == SP_OK) {
    carry_on(job, earlier, job->c);
    note_look(job, earlier);
    job->was_complete = earlier->complete;
    job->before_s = isnan(earlier->duration_s) ? 0 : earlier->duration_s;
  }
  sp_comparison_free(earlier);
  free(path);
}

static void start_job(struct job *job) {
  const struct sp_compare_plan *plan = job->plan;
  for (size_t i = 0; i < plan->n_sides; i++) job->names[i] = plan->sides[i]->name;
  job->n_looks = sp_judge_looks(plan->n_pairs, job->looks);
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
                                            .out_dir = plan->dir};
  take_earlier(job);
}

// What there is, with the reason why there is no more.
static enum sp_err end_early(struct job *job, const char *why, struct sp_error *error) {
  judge(job, alpha_of_next_look(job));
  return write_incomplete(job, why, error);
}

static enum sp_err check_trials(const struct job *job, struct sp_error *error) {
  const struct sp_judge_plan plan = {
      .side_names = job->names, .n_sides = job->plan->n_sides, .reference_i = job->plan->reference_i};
  return sp_judge_check(&plan, job->pairs.trials, job->pairs.n_trials, false, error);
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
  snprintf(why, sizeof why, "ended by signal %d", job->supervisor->signal);
  if (job->supervisor->signal) return end_early(job, why, error);
  enum sp_err err = check_trials(job, error);
  if (err) return err;
  judge(job, job->c->alpha > 0 ? job->c->alpha : job->looks[0].alpha);
  job->c->complete = true;
  err = sp_forms_write(job->c, job->plan->dir, error);
  bool is_news = !job->was_complete || job->pairs.n_found < job->pairs.n_pairs;
  return err || !is_news ? err : note_history(job, error);
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
    end_early(&job, error->text, &ignored);
  sp_shared_broker_stop(&job.broker_plan, supervisor, &job.broker);
  sp_pairs_done(&job.pairs);
  free(job.answers_dir);
  free(job.unannounced);
  if (!err)
    *c = job.c;
  else
    sp_comparison_free(job.c);
  return err;
}
