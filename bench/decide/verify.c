// One closed-loop trial per side, then the comparison.
#include "decide/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Before anything is started; a server started by somebody else says itself whether it is a stub.
static enum sp_err refuse_stub(const struct sp_side *side, struct sp_error *error) {
  if (strcmp(side->path.path, "rpc") != 0 || side->server.stub == SP_STUB_NONE ||
      strcmp(side->rpc.address, "spawn") != 0)
    return SP_OK;
  return sp_fail(error, SP_ERR_USAGE,
                 "sides.%s.server.stub: a stub's answers are no predictions; verify without --stub",
                 side->name);
}

static enum sp_err run_side(const struct sp_verify_plan *plan, const struct sp_side *side,
                            struct sp_supervisor *supervisor, struct sp_verify_side *done,
                            struct sp_error *error) {
  char limit[32];
  snprintf(limit, sizeof limit, "%zu", plan->n_events);
  const struct sp_setting settings[] = {{"load.arrival", "closed", "verify"},
                                        {"load.limit", limit, "verify"},
                                        {"load.warmup", "0s", "verify"},
                                        {"load.duration", "1h", "verify"},
                                        {"load.drain", "20s", "verify"}};
  char *out_dir = sp_format("%s/%s", plan->out_dir, side->name);
  char *answers_file = sp_format("%s/answers", out_dir);
  struct sp_trial_plan trial = {.cli = plan->cli,
                                .scenario = plan->scenario,
                                .side = side,
                                .settings = settings,
                                .n_settings = sizeof settings / sizeof settings[0],
                                .out_dir = out_dir,
                                .answers_file = answers_file,
                                .argc = plan->argc,
                                .argv = plan->argv,
                                .is_quiet = plan->is_quiet};
  enum sp_err err = sp_trial_run(&trial, supervisor, &done->result, error);
  if (!err && done->result->complete) err = sp_answers_read(&done->answers, answers_file, error);
  remove(answers_file);
  free(answers_file);
  free(out_dir);
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
    struct sp_agreement a =
        sp_answers_compare(&v->sides[0].answers, &v->sides[i].answers, expect->abs, expect->rel);
    if (a.n_alike < v->n_alike) v->n_alike = a.n_alike;
    if (a.max_difference > v->max_difference) v->max_difference = a.max_difference;
  }
}

enum sp_err sp_verify_run(const struct sp_verify_plan *plan, struct sp_supervisor *supervisor,
                          struct sp_verify *v, struct sp_error *error) {
  enum sp_err err = SP_OK;
  v->n_events = plan->n_events;
  for (size_t i = 0; i < plan->n_sides && !err; i++) err = refuse_stub(plan->sides[i], error);
  for (size_t i = 0; i < plan->n_sides && !err; i++) {
    struct sp_verify_side *side = &v->sides[v->n_sides++];
    side->name = plan->sides[i]->name;
    err = run_side(plan, plan->sides[i], supervisor, side, error);
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
  }
}

int sp_verify_exit_code(const struct sp_verify *v) {
  int code = 0;
  for (size_t i = 0; i < v->n_sides; i++) {
    const struct sp_result *result = v->sides[i].result;
    if (!result->complete)
      return sp_exit_code(SP_ERR_INVALID); // how steadily it was driven is no matter here
    if (result->predictions.mismatched || sp_result_not_ok_share(result) > 0)
      code = sp_exit_code(SP_ERR_FAILED);
  }
  if (v->n_alike < v->n_events) code = sp_exit_code(SP_ERR_FAILED);
  return code || v->has_reference ? code : sp_exit_code(SP_ERR_INCONCLUSIVE);
}
