// One closed-loop trial per side, then the comparison.
#include "decide/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/agreement.h"

// Before anything is started; a server started by somebody else says itself whether it is a stub.
static enum sp_err refuse_stub(const struct sp_side *side, struct sp_error *error) {
  if (strcmp(side->path.path, "rpc") != 0 || side->server.stub == SP_STUB_NONE ||
      strcmp(side->rpc.address, "spawn") != 0)
    return SP_OK;
  return sp_fail(error, SP_ERR_USAGE,
                 "sides.%s.server.stub: a stub's answers are no predictions; verify without --stub",
                 side->name);
}

#define AT_ONCE_MOST 50000 // what a client of Kafka holds without complaint

static void lay(struct sp_setting *settings, size_t *n, const char *key, const char *value) {
  settings[(*n)++] = (struct sp_setting){key, value, "verify"};
}

// Every event once, none planned: SETTINGS_MOST settings at most, whose texts are the caller's.
#define SETTINGS_MOST 6
static size_t lay_all(const struct sp_verify_plan *plan, const struct sp_side *side, char *limit,
                      char *at_once, char *silence, struct sp_setting *settings) {
  size_t n = 0, n_at_once = plan->n_events < AT_ONCE_MOST ? plan->n_events : AT_ONCE_MOST;
  int64_t drain_ns = plan->scenario->says_drain ? plan->scenario->load.drain_ns : SP_VERIFY_SILENCE_NS;
  int64_t least_ns = strcmp(side->path.path, "rpc") == 0 ? 2 * side->rpc.deadline_ns : 0; // as everywhere
  if (drain_ns < least_ns) drain_ns = least_ns;
  sprintf(limit, "%zu", plan->n_events);
  sprintf(at_once, "%zu", n_at_once);
  sprintf(silence, "%" PRId64 "ms", drain_ns / SP_NS_PER_MS);
  lay(settings, &n, "load.arrival", "closed");
  lay(settings, &n, "load.limit", limit);
  lay(settings, &n, "load.warmup", "0s");
  lay(settings, &n, "load.duration", "1h");
  lay(settings, &n, "load.drain", side->app.command ? silence : "20s");
  if (side->app.command) lay(settings, &n, "load.concurrency", at_once);
  return n;
}

static enum sp_err run_side(const struct sp_verify_plan *plan, const struct sp_side *side,
                            struct sp_supervisor *supervisor, struct sp_verify_side *done,
                            struct sp_error *error) {
  char limit[32], at_once[32], silence[32];
  struct sp_setting settings[SETTINGS_MOST];
  char *out_dir = sp_format("%s/%s", plan->out_dir, side->name);
  char *answers_file = sp_format("%s/answers", out_dir);
  struct sp_trial_plan trial = {.cli = plan->cli,
                                .scenario = plan->scenario,
                                .side = side,
                                .settings = settings,
                                .n_settings = lay_all(plan, side, limit, at_once, silence, settings),
                                .out_dir = out_dir,
                                .answers_file = answers_file,
                                .argc = plan->argc,
                                .argv = plan->argv,
                                .is_quiet = plan->is_quiet};
  int64_t start_ns = sp_now_ns();
  enum sp_err err = sp_trial_run(&trial, supervisor, &done->result, error);
  if (!err && done->result->complete) err = sp_answers_read(&done->answers, answers_file, error);
  done->duration_s = (double)(sp_now_ns() - start_ns) * 1e-9;
  remove(answers_file);
  free(answers_file);
  free(out_dir);
  return err;
}

// One that ended by itself with everything answered and nothing to complain about has done its work.
static bool has_died(const struct sp_result *result) {
  const char *ended = sp_facts_text_of(&result->delivery, "app_ended", NULL);
  if (!ended) return false;
  return !strstr(ended, " exited with code 0") || result->outcomes[SP_OUTCOME_LOST] > 0;
}

static enum sp_err take_side(const struct sp_verify_plan *plan, const struct sp_side *side,
                             struct sp_supervisor *supervisor, struct sp_verify *v, struct sp_error *error) {
  struct sp_verify_side *done = &v->sides[v->n_sides++];
  done->name = side->name;
  done->keeps_order = side->app.order == SP_ORDER_KEY;
  enum sp_err err = run_side(plan, side, supervisor, done, error);
  if (err)
    done->failure = sp_copy_text(error->text);
  else
    done->has_died = has_died(done->result);
  return err;
}

static int64_t n_right(const struct sp_verify_side *side, bool has_reference) {
  const int64_t *outcomes = side->result->outcomes;
  return has_reference ? outcomes[SP_OUTCOME_OK] : outcomes[SP_OUTCOME_OK] + outcomes[SP_OUTCOME_UNCHECKED];
}

// What every side got right alike is the least of what each got right and what each pair agrees on.
static void compare_sides(const struct sp_verify_plan *plan, struct sp_verify *v) {
  const struct sp_expect_conf *expect = &plan->scenario->expect;
  v->n_alike = v->n_events;
  for (size_t i = 0; i < v->n_sides; i++) {
    size_t right = (size_t)n_right(&v->sides[i], v->has_reference);
    if (right < v->n_alike) v->n_alike = right;
    if (i == 0 || !v->sides[0].answers.values || !v->sides[i].answers.values) continue;
    if (!sp_is_one_model(plan->scenario, plan->sides[0], v->sides[0].result, plan->sides[i],
                         v->sides[i].result))
      continue; // each is right by its own expectations
    struct sp_agreement a =
        sp_answers_compare(&v->sides[0].answers, &v->sides[i].answers, expect->abs, expect->rel);
    if (a.n_alike < v->n_alike) v->n_alike = a.n_alike;
    if (a.max_difference > v->max_difference) v->max_difference = a.max_difference;
    v->sides[i].n_disagreeing = a.n_compared - a.n_alike;
    v->sides[i].max_difference = a.max_difference;
  }
}

enum sp_err sp_verify_run(const struct sp_verify_plan *plan, struct sp_supervisor *supervisor,
                          struct sp_verify *v, struct sp_error *error) {
  enum sp_err err = SP_OK;
  v->n_events = plan->n_events;
  for (size_t i = 0; i < plan->n_sides && !err; i++) err = refuse_stub(plan->sides[i], error);
  for (size_t i = 0; i < plan->n_sides && !err; i++) {
    err = take_side(plan, plan->sides[i], supervisor, v, error);
    if (!err && supervisor->signal) break;
  }
  if (err || supervisor->signal) return err;
  v->has_reference = v->n_sides > 0 && v->sides[0].result->predictions.source != NULL;
  compare_sides(plan, v);
  return SP_OK;
}

void sp_verify_done(struct sp_verify *v) {
  for (size_t i = 0; i < v->n_sides; i++) {
    sp_result_free(v->sides[i].result);
    sp_answers_done(&v->sides[i].answers);
    free(v->sides[i].failure);
  }
}

int sp_verify_exit_code(const struct sp_verify *v) {
  int code = 0;
  for (size_t i = 0; i < v->n_sides; i++) {
    if (v->sides[i].has_died) return sp_exit_code(SP_ERR_ENVIRONMENT);
  }
  for (size_t i = 0; i < v->n_sides; i++) {
    const struct sp_result *result = v->sides[i].result;
    if (!result->complete || result->intended == 0)
      return sp_exit_code(SP_ERR_INVALID); // how steadily it was driven is no matter here
    bool is_answered_once = !result->flags[SP_FLAG_DUPLICATE] && !result->flags[SP_FLAG_ALIEN] &&
                            !(v->sides[i].keeps_order && result->flags[SP_FLAG_REORDERED]);
    if (result->predictions.mismatched || sp_result_not_ok_share(result) > 0 || !is_answered_once)
      code = sp_exit_code(SP_ERR_FAILED);
  }
  if (v->n_alike < v->n_events) code = sp_exit_code(SP_ERR_FAILED);
  return code || v->has_reference ? code : sp_exit_code(SP_ERR_INCONCLUSIVE);
}
