// servepath verify: the predictions of every side against the expected ones, and against each other.
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
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
static const struct sp_cli_verb verb = {.name = "verify",
                                        .use = "SCENARIO [OPTIONS]",
                                        .about = "check every prediction of a scenario's sides against the "
                                                 "expected ones, each event once; of load: only "
                                                 "concurrency and limit matter",
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

static void print_side(FILE *to, const struct job *job, const struct sp_verify_side *side) {
  const struct sp_result *r = side->result;
  char texts[4][SP_UNITS_TEXT_BYTES];
  int64_t n_not_ok = 0;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) {
    bool is_fine = i == SP_OUTCOME_OK || i == SP_OUTCOME_UNCHECKED || i == SP_OUTCOME_FILTERED;
    n_not_ok += is_fine ? 0 : r->outcomes[i];
  }
  const int64_t counts[] = {r->outcomes[SP_OUTCOME_OK], r->outcomes[SP_OUTCOME_UNCHECKED], n_not_ok,
                            r->intended};
  for (size_t i = 0; i < 4; i++) sp_units_print_count((uint64_t)counts[i], texts[i], sizeof texts[i]);
  fprintf(to, "%-12s %-10s %s ok, %s unchecked, %s not ok of %s", job->scenario->name, side->name, texts[0],
          texts[1], texts[2], texts[3]);
  if (!isnan(r->predictions.max_abs_error)) fprintf(to, ", max error %.2g", r->predictions.max_abs_error);
  fprintf(to, "\n");
  for (size_t i = 0; i < r->predictions.n_examples; i++) {
    char *text = sp_printable_text(r->predictions.examples[i].text);
    fprintf(to, "  event %" PRIu64 ": %s\n", r->predictions.examples[i].event, text);
    free(text);
  }
  for (size_t i = 0; i < r->n_errors; i++) {
    char *text = sp_printable_text(r->errors[i].text);
    fprintf(to, "  %s (code %d) %s: %" PRId64 " times, first at event %" PRIu64 "\n",
            sp_outcome_name(r->errors[i].outcome), r->errors[i].code, text, r->errors[i].count,
            r->errors[i].first_event);
    free(text);
  }
  if (!r->complete) fprintf(to, "  incomplete: %s\n", r->incomplete);
}

// What the answers were compared with: a model's own earlier answers are no reference.
static const char *compared_with(const struct sp_verify *v) {
  if (!v->has_reference) return " (no reference)";
  return strcmp(v->sides[0].result->predictions.source, "self") == 0 ? " = expected (source: self)"
                                                                     : " = reference";
}

static void print_text(FILE *to, const struct job *job) {
  const struct sp_verify *v = &job->verify;
  char alike[SP_UNITS_TEXT_BYTES], events[SP_UNITS_TEXT_BYTES];
  for (size_t i = 0; i < v->n_sides; i++) print_side(to, job, &v->sides[i]);
  fprintf(to, "predictions  ");
  for (size_t i = 0; i < v->n_sides; i++) fprintf(to, "%s%s", i ? " = " : "", v->sides[i].name);
  fprintf(to, "%s on %s of %s", compared_with(v), sp_units_print_count(v->n_alike, alike, sizeof alike),
          sp_units_print_count(v->n_events, events, sizeof events));
  if (v->n_sides > 1) fprintf(to, ", sides differ by at most %.2g", v->max_difference);
  const struct sp_expect_conf *expect = &job->scenario->expect;
  fprintf(to, " (tolerance %.2g + %.2g of the value)", expect->abs, expect->rel);
  fprintf(to, "\n");
}

static char *as_markdown(const struct job *job) {
  char *text = NULL;
  size_t n = 0;
  FILE *memory = open_memstream(&text, &n);
  SP_ASSERT(memory != NULL);
  fprintf(memory, "```\n");
  print_text(memory, job);
  fprintf(memory, "```\n");
  SP_ASSERT(fclose(memory) == 0);
  return text;
}

static char *as_json(const struct job *job) {
  const struct sp_verify *v = &job->verify;
  json_t *sides = json_array();
  for (size_t i = 0; i < v->n_sides; i++) {
    char *side = sp_result_json(v->sides[i].result);
    json_array_append_new(sides, json_loads(side, 0, NULL));
    free(side);
  }
  json_t *whole = json_pack("{ss ss sI sI sb sf si so}", "schema", "servepath.verify/1", "scenario",
                            job->scenario->name, "events", (json_int_t)v->n_events, "alike",
                            (json_int_t)v->n_alike, "reference", (int)v->has_reference, "max_difference",
                            v->max_difference, "exit_code", sp_verify_exit_code(v), "sides", sides);
  char *text = json_dumps(whole, JSON_COMPACT);
  SP_ASSERT(text != NULL);
  json_decref(whole);
  char *line = sp_format("%s\n", text);
  free(text);
  return line;
}

static enum sp_err write_file(const char *path, char *(*text_of)(const struct job *job),
                              const struct job *job, struct sp_error *error) {
  if (!path) return SP_OK;
  char *text = text_of(job);
  enum sp_err err = sp_files_write(path, sp_bytes_of_text(text), error);
  free(text);
  return err;
}

static enum sp_err print(const struct job *job, struct sp_error *error) {
  if (job->cli->json) {
    char *json = as_json(job);
    fputs(json, stdout);
    free(json);
  } else {
    print_text(stdout, job);
  }
  enum sp_err err = write_file(job->cli->export_json, as_json, job, error);
  return err ? err : write_file(job->cli->export_markdown, as_markdown, job, error);
}

static enum sp_err update(const struct job *job, struct sp_error *error) {
  const char *recording = strrchr(job->scenario->recording, '/');
  const struct sp_verify_side *side = &job->verify.sides[0];
  const struct sp_answers *answers = &side->answers;
  uint64_t version;
  char *dir = NULL, version_text[32];
  if (!answers->values)
    return sp_fail(error, SP_ERR_USAGE, "the answers of %s carry no scores; nothing to expect", side->name);
  enum sp_err err = sp_model_version_dir(&job->scenario->model, &version, &dir, error);
  struct sp_expected_digest *digests = NULL;
  size_t n_digests = 0;
  if (!err) err = sp_expected_digests(dir, &digests, &n_digests, error);
  free(dir);
  if (err) return err;
  struct sp_expected expected = {.source = "self",
                                 .tensor = job->scenario->output.tensor,
                                 .recording_digest = job->recording->digest,
                                 .n_events = answers->n_events,
                                 .n_values = answers->n_values,
                                 .values = answers->values,
                                 .known = sp_alloc(answers->n_events),
                                 .n_digests = n_digests,
                                 .digests = digests};
  memcpy(expected.known, answers->answered, answers->n_events);
  snprintf(version_text, sizeof version_text, "%" PRIu64, version);
  char *folder = sp_format("%s/expected", job->scenario->folder);
  char *path = sp_format("%s/%s-%s.jsonl", folder, job->scenario->model.name, version_text);
  err = sp_files_make_dirs(folder, error);
  if (!err)
    err = sp_expected_save(path, &expected, job->scenario->model.name, version_text,
                           recording ? recording + 1 : job->scenario->recording, error);
  if (!err) fprintf(stderr, "wrote %s, marked source: self\n", path);
  free(folder);
  free(path);
  free(expected.known);
  sp_expected_digests_free(digests, n_digests);
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

// After --update what the first side answered is what is expected: only events without an answer fail then.
static int code_after_update(const struct sp_verify *v) {
  int code = sp_verify_exit_code(v);
  if (code != sp_exit_code(SP_ERR_FAILED)) return code == sp_exit_code(SP_ERR_INCONCLUSIVE) ? 0 : code;
  const struct sp_result *r = v->sides[0].result;
  int64_t n_answered = r->outcomes[SP_OUTCOME_OK] + r->outcomes[SP_OUTCOME_UNCHECKED] +
                       r->outcomes[SP_OUTCOME_MISMATCH] + r->outcomes[SP_OUTCOME_FILTERED];
  return n_answered == r->intended && v->n_sides == 1 ? 0 : code;
}

static int exit_code(const struct job *job, enum sp_err err, const struct sp_error *error) {
  if (job->supervisor.signal) return 128 + job->supervisor.signal;
  if (err) return sp_cli_report(&verb, error);
  bool is_updated = sp_cli_value(job->cli, "--update") != NULL;
  int code = is_updated ? code_after_update(&job->verify) : sp_verify_exit_code(&job->verify);
  if (code == sp_exit_code(SP_ERR_INCONCLUSIVE))
    fprintf(stderr, "next: servepath verify %s --update\n", job->cli->scenario);
  else if (code)
    fprintf(stderr, "next: servepath report %s\n", job->out_dir);
  else
    fprintf(stderr, "next: servepath run %s\n", job->cli->scenario);
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
