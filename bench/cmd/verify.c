// servepath verify: the predictions of every side against the expected ones, and against each other.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cmd/verbs.h"
#include "decide/verify.h"
#include "os/files.h"
#include "recording/expected.h"
#include "recording/recording.h"

static const struct sp_option options[] = {
    {"--update", 0, NULL, NULL,
     "write expected/MODEL-VERSION.jsonl from the first side's answers, marked source: self"},
    {0}};
static const struct sp_cli_verb verb = {
    .name = "verify",
    .use = "SCENARIO [OPTIONS]",
    .about = "check every prediction of a scenario's sides against the expected ones",
    .takes = SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_EXPORT,
    .options = options,
    .next = "servepath run SCENARIO --side NAME"};

struct job {
  struct sp_cli *cli;
  struct sp_scenario *scenario;
  struct sp_recording *recording;
  struct sp_supervisor supervisor;
  struct sp_verify verify;
  char *out_dir;
};

static enum sp_err choose_sides(struct job *job, struct sp_verify_plan *plan, struct sp_error *error) {
  struct sp_side *sides = job->scenario->sides.items;
  for (size_t i = 0; i < job->scenario->sides.n; i++) {
    bool is_wanted = job->cli->n_sides == 0;
    for (size_t k = 0; k < job->cli->n_sides; k++)
      is_wanted |= strcmp(job->cli->sides[k].name, sides[i].name) == 0;
    if (!is_wanted || strcmp(sides[i].path.path, "noop") == 0) continue;
    if (plan->n_sides == SP_VERIFY_SIDES_MAX)
      return sp_fail(error, SP_ERR_USAGE, "more than %d sides", SP_VERIFY_SIDES_MAX);
    plan->sides[plan->n_sides++] = &sides[i];
  }
  if (plan->n_sides) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "no side predicts anything; name one with --side NAME,path=embedded");
}

static void print_side(const struct job *job, const struct sp_verify_side *side) {
  const struct sp_result *r = side->result;
  int64_t n_not_ok = 0;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) {
    bool is_fine = i == SP_OUTCOME_OK || i == SP_OUTCOME_UNCHECKED || i == SP_OUTCOME_FILTERED;
    n_not_ok += is_fine ? 0 : r->outcomes[i];
  }
  printf("%-12s %-10s %" PRId64 " ok, %" PRId64 " unchecked, %" PRId64 " not ok of %" PRId64,
         job->scenario->name, side->name, r->outcomes[SP_OUTCOME_OK], r->outcomes[SP_OUTCOME_UNCHECKED],
         n_not_ok, r->intended);
  if (!isnan(r->predictions.max_abs_error)) printf(", max error %.2g", r->predictions.max_abs_error);
  printf("\n");
  for (size_t i = 0; i < r->predictions.n_examples; i++) {
    printf("  event %" PRIu64 ": %s\n", r->predictions.examples[i].event, r->predictions.examples[i].text);
  }
  for (size_t i = 0; i < r->n_errors; i++) {
    printf("  %s (code %d) %s: %" PRId64 " times, first at event %" PRIu64 "\n",
           sp_outcome_name(r->errors[i].outcome), r->errors[i].code, r->errors[i].text, r->errors[i].count,
           r->errors[i].first_event);
  }
  if (!r->complete) printf("  incomplete: %s\n", r->incomplete);
}

static void print_text(const struct job *job) {
  const struct sp_verify *v = &job->verify;
  for (size_t i = 0; i < v->n_sides; i++) print_side(job, &v->sides[i]);
  printf("predictions  ");
  for (size_t i = 0; i < v->n_sides; i++) printf("%s%s", i ? " = " : "", v->sides[i].name);
  printf("%s on %zu of %zu", v->has_reference ? " = reference" : " (no reference)", v->n_alike, v->n_events);
  if (v->n_sides > 1) printf(", sides differ by at most %.2g", v->max_difference);
  printf("\n");
}

static char *as_json(const struct job *job) {
  const struct sp_verify *v = &job->verify;
  char *text = sp_format(
      "{\"schema\":\"servepath.verify/1\",\"scenario\":\"%s\",\"events\":%zu,\"alike\":%zu,\"reference\":%s,"
      "\"max_difference\":%.9g,\"exit_code\":%d,\"sides\":[",
      job->scenario->name, v->n_events, v->n_alike, v->has_reference ? "true" : "false", v->max_difference,
      sp_verify_exit_code(v));
  for (size_t i = 0; i < v->n_sides; i++) {
    char *side = sp_result_json(v->sides[i].result);
    char *longer = sp_format("%s%s%s", text, i ? "," : "", side);
    free(side);
    free(text);
    text = longer;
  }
  char *whole = sp_format("%s]}\n", text);
  free(text);
  return whole;
}

static enum sp_err print(const struct job *job, struct sp_error *error) {
  char *json = as_json(job);
  enum sp_err err = SP_OK;
  if (job->cli->json)
    fputs(json, stdout);
  else
    print_text(job);
  if (job->cli->export_json) err = sp_files_write(job->cli->export_json, sp_bytes_of_text(json), error);
  free(json);
  return err;
}

static enum sp_err update(const struct job *job, struct sp_error *error) {
  const struct sp_verify_side *side = &job->verify.sides[0];
  const struct sp_answers *answers = &side->answers;
  uint64_t version;
  char *dir = NULL, version_text[32], digest[SP_DIGEST_TEXT_BYTES];
  if (!answers->values)
    return sp_fail(error, SP_ERR_USAGE, "the answers of %s carry no scores; nothing to expect", side->name);
  enum sp_err err = sp_model_version_dir(&job->scenario->model, &version, &dir, error);
  char *model = sp_format("%s/model.onnx", dir ? dir : "");
  free(dir);
  if (!err) err = sp_digest_file(model, digest, error);
  free(model);
  if (err) return err;
  struct sp_expected expected = {.source = "self",
                                 .tensor = job->scenario->output.tensor,
                                 .recording_digest = job->recording->digest,
                                 .n_events = answers->n_events,
                                 .n_values = answers->n_values,
                                 .values = answers->values,
                                 .known = sp_alloc(answers->n_events)};
  for (size_t i = 0; i < answers->n_events; i++)
    expected.known[i] = (unsigned char)!isnan(answers->values[i * answers->n_values]);
  expected.n_digests = 1;
  expected.digests = sp_alloc(sizeof *expected.digests);
  expected.digests[0].file = "model.onnx";
  expected.digests[0].digest = digest;
  snprintf(version_text, sizeof version_text, "%" PRIu64, version);
  char *path =
      sp_format("%s/expected/%s-%s.jsonl", job->scenario->folder, job->scenario->model.name, version_text);
  err = sp_expected_save(path, &expected, job->scenario->model.name, version_text, job->scenario->recording,
                         error);
  if (!err) fprintf(stderr, "wrote %s, marked source: self\n", path);
  free(path);
  free(expected.known);
  free(expected.digests);
  return err;
}

static enum sp_err verify(struct job *job, int argc, char **argv, struct sp_error *error) {
  uint64_t limit = job->scenario->load.limit;
  size_t n = job->recording->n_events;
  struct sp_verify_plan plan = {.cli = job->cli,
                                .scenario = job->scenario,
                                .n_events = limit && limit < n ? (size_t)limit : n,
                                .out_dir = job->out_dir,
                                .argc = argc,
                                .argv = argv,
                                .is_quiet = job->cli->quiet};
  enum sp_err err = choose_sides(job, &plan, error);
  if (!err) err = sp_verify_run(&plan, &job->supervisor, &job->verify, error);
  if (err || job->supervisor.signal) return err;
  err = print(job, error);
  if (!err && sp_cli_value(job->cli, "--update")) err = update(job, error);
  return err;
}

static int exit_code(const struct job *job, enum sp_err err, const struct sp_error *error) {
  if (job->supervisor.signal) return 128 + job->supervisor.signal;
  if (err) return sp_cli_report(&verb, error);
  int code = sp_verify_exit_code(&job->verify);
  const char *next = code ? "servepath inspect" : "servepath run";
  fprintf(stderr, "next: %s %s\n", next, code ? job->out_dir : job->cli->scenario);
  return code;
}

int sp_cmd_verify(int argc, char **argv) {
  struct sp_error error;
  struct job job = {0};
  enum sp_err err = sp_cli_parse(&verb, argc, argv, &job.cli, &error);
  if (!err && job.cli->help) return sp_cli_help(stdout, &verb);
  if (!err) err = sp_cli_load(job.cli, &job.scenario, &error);
  if (!err) err = sp_recording_load(job.scenario->recording, &job.recording, &error);
  if (!err) err = sp_supervisor_init(&job.supervisor, &error);
  if (!err) {
    job.out_dir = job.cli->out_dir ? sp_copy_text(job.cli->out_dir)
                                   : sp_format("results/%s-verify", job.scenario->name);
    err = verify(&job, argc, argv, &error);
    sp_supervisor_done(&job.supervisor);
  }
  int code = exit_code(&job, err, &error);
  sp_verify_done(&job.verify);
  sp_recording_free(job.recording);
  sp_scenario_free(job.scenario);
  sp_cli_free(job.cli);
  free(job.out_dir);
  return code;
}
