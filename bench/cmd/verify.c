// servepath verify: the predictions of every side against the expected ones, and against each other.
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/text_stream.h"
#include "base/units.h"
#include "cmd/out_dir.h"
#include "cmd/printed.h"
#include "cmd/verbs.h"
#include "decide/verify_cases.h"
#include "os/files.h"
#include "recording/expected.h"
#include "recording/recording.h"
#include "trial/relays.h"

static const struct sp_option options[] = {
    {"--junit", 0, "FILE", NULL, "JUnit XML of the verdict: a suite for each side"},
    {"--show-values", 0, NULL, NULL,
     "print keys, expected and given values; without it, only which event differs, and by how much"},
    {"--update", 0, NULL, NULL,
     "write expected/MODEL-VERSION.jsonl from the first side's answers, marked source: self"},
    {0}};
static const struct sp_cli_verb verb = {.name = "verify",
                                        .use = "SCENARIO [OPTIONS]",
                                        .about =
                                            "check every prediction of a scenario's sides, or of an "
                                            "application of yours (--app), against the expected ones, "
                                            "each event once; of load: only concurrency, limit and, with "
                                            "--app, drain matter",
                                        .takes = SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_EXPORT,
                                        .options = options,
                                        .next = "servepath run SCENARIO --side NAME"};
const struct sp_cli_verb *const sp_cmd_verify_verb = &verb;

struct job {
  struct sp_cli *cli;
  struct sp_scenario *scenario;
  struct sp_recording *recording;
  struct sp_supervisor supervisor;
  struct sp_verify verify;
  struct sp_bytes *keys; // of the recording's events; NULL: neither keys nor values are shown
  char *out_dir;
};

static bool is_wanted(const struct job *job, const struct sp_side *side) {
  for (size_t k = 0; k < job->cli->n_sides; k++) {
    if (strcmp(job->cli->sides[k].name, side->name) == 0) return true;
  }
  return job->cli->n_sides == 0 && strcmp(side->path.path, "noop") != 0;
}

// An application of the user's stands in for one side: whatever the side, it is the same application.
static bool is_of_app(const struct job *job) {
  for (size_t i = 0; i < job->cli->n_settings; i++) {
    if (strcmp(job->cli->settings[i].key, "sides.*.app") == 0) return true;
  }
  return false;
}

static enum sp_err choose_sides(struct job *job, struct sp_verify_plan *plan, struct sp_error *error) {
  struct sp_side *sides = job->scenario->sides.items;
  bool is_one = is_of_app(job);
  for (size_t i = 0; i < job->scenario->sides.n; i++) {
    if (!is_wanted(job, &sides[i]) || (is_one && job->cli->n_sides == 0 && plan->n_sides)) continue;
    if (strcmp(sides[i].path.path, "noop") == 0) continue;
    if (plan->n_sides == SP_VERIFY_SIDES_MAX)
      return sp_fail(error, SP_ERR_USAGE, "more than %d sides", SP_VERIFY_SIDES_MAX);
    plan->sides[plan->n_sides++] = &sides[i];
  }
  if (plan->n_sides > 1 && is_one)
    return sp_fail(error, SP_ERR_USAGE, "--app is one application; name one --side that it stands for");
  if (plan->n_sides) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "no side predicts anything; name one with --side NAME,path=embedded");
}

// Keys, and with them values, only where the user asked for them.
static struct sp_verify_show show_of(const struct job *job) {
  return (struct sp_verify_show){.scenario = job->scenario, .keys = job->keys};
}

static void print_line(FILE *to, const char *indent, const char *raw) {
  char *text = sp_printable_text(raw);
  fprintf(to, "%s%s\n", indent, text);
  free(text);
}

static void print_cases(FILE *to, const struct job *job, size_t side_i) {
  struct sp_suite suite;
  const struct sp_verify_show show = show_of(job);
  sp_verify_cases(&job->verify, side_i, &show, &suite);
  for (size_t i = 0; i < suite.n_cases; i++) {
    const struct sp_case *one = &suite.cases[i];
    if (one->state == SP_CASE_SKIPPED) continue; // the last line says it of all sides
    for (size_t k = 0; k < one->n_lines; k++) print_line(to, "  ", one->lines[k]);
  }
  sp_suite_done(&suite);
}

static void print_side(FILE *to, const struct job *job, size_t side_i) {
  const struct sp_verify_side *side = &job->verify.sides[side_i];
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
  print_cases(to, job, side_i);
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
  for (size_t i = 0; i < v->n_sides; i++) print_side(to, job, i);
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
  struct sp_text_stream markdown;
  FILE *to = sp_text_stream_open(&markdown);
  fprintf(to, "```\n");
  print_text(to, job);
  fprintf(to, "```\n");
  return sp_text_stream_close(&markdown);
}

// A result's examples and texts as the cases show them; what the cases say stands beside.
static json_t *side_json(const struct job *job, size_t side_i) {
  struct sp_result *r = job->verify.sides[side_i].result;
  const struct sp_verify_show show = show_of(job);
  char *result = sp_result_json(r), *findings = sp_verify_findings_json(&job->verify, side_i, &show);
  json_t *side = json_loads(result, 0, NULL), *cases = json_array();
  struct sp_suite suite;
  sp_verify_cases(&job->verify, side_i, &show, &suite);
  for (size_t i = 0; i < suite.n_cases; i++) {
    json_t *lines = json_array();
    for (size_t k = 0; k < suite.cases[i].n_lines; k++) {
      char *text = sp_printable_text(suite.cases[i].lines[k]);
      json_array_append_new(lines, json_string(text));
      free(text);
    }
    json_array_append_new(cases, json_pack("{ss ss so}", "name", suite.cases[i].name, "state",
                                           sp_case_state_name(suite.cases[i].state), "lines", lines));
  }
  json_object_set_new(side, "findings", json_loads(findings, 0, NULL));
  json_object_set_new(side, "cases", cases);
  sp_suite_done(&suite);
  free(result);
  free(findings);
  return side;
}

static char *as_json(const struct job *job) {
  const struct sp_verify *v = &job->verify;
  json_t *sides = json_array();
  for (size_t i = 0; i < v->n_sides; i++) json_array_append_new(sides, side_json(job, i));
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

static char *as_junit(const struct job *job) {
  struct sp_suite suites[SP_VERIFY_SIDES_MAX];
  const struct sp_verify_show show = show_of(job);
  char *name = sp_format("servepath verify %s", job->scenario->name);
  for (size_t i = 0; i < job->verify.n_sides; i++) sp_verify_cases(&job->verify, i, &show, &suites[i]);
  char *text = sp_junit(name, suites, job->verify.n_sides);
  for (size_t i = 0; i < job->verify.n_sides; i++) sp_suite_done(&suites[i]);
  free(name);
  return text;
}

static enum sp_err write_file(const char *path, char *(*text_of)(const struct job *job),
                              const struct job *job, struct sp_error *error) {
  return path ? sp_printed_export(path, text_of(job), error) : SP_OK;
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
  if (!err) err = write_file(job->cli->export_markdown, as_markdown, job, error);
  return err ? err : write_file(sp_cli_value(job->cli, "--junit"), as_junit, job, error);
}

static enum sp_err update(const struct job *job, struct sp_error *error) {
  const char *recording = strrchr(job->scenario->recording, '/');
  const struct sp_verify_side *side = &job->verify.sides[0];
  const struct sp_answers *answers = &side->answers;
  const struct sp_scenario own =
      sp_scenario_of_side(job->scenario, sp_scenario_side(job->scenario, side->name));
  uint64_t version;
  char *dir = NULL, version_text[32];
  if (!side->result->complete || !side->result->intended)
    return sp_fail(error, SP_ERR_INVALID, "%s: %s; what was expected before stays", side->name,
                   side->result->complete ? "no event was sent" : side->result->incomplete);
  if (!answers->values)
    return sp_fail(error, SP_ERR_USAGE, "the answers of %s carry no scores; nothing to expect", side->name);
  enum sp_err err = sp_model_version_dir(&own.model, &version, &dir, error);
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
  char *path = sp_format("%s/%s-%s.jsonl", folder, own.model.name, version_text);
  err = sp_files_make_dirs(folder, error);
  if (!err)
    err = sp_expected_save(path, &expected, own.model.name, version_text,
                           recording ? recording + 1 : job->scenario->recording, error);
  if (!err) fprintf(stderr, "wrote %s, marked source: self\n", path);
  free(folder);
  free(path);
  free(expected.known);
  sp_expected_digests_free(digests, n_digests);
  return err;
}

static void take_keys(struct job *job) {
  if (!sp_cli_value(job->cli, "--show-values")) return;
  job->keys = sp_alloc((job->recording->n_events + 1) * sizeof *job->keys);
  for (size_t i = 0; i < job->recording->n_events; i++) job->keys[i] = job->recording->events[i].key;
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
  if (!err) err = sp_trial_relay_check(plan.sides, plan.n_sides, error);
  if (!err) err = sp_verify_run(&plan, &job->supervisor, &job->verify, error);
  if (job->supervisor.signal) return err;
  if (err) { // the file says so too; the error is the one to tell
    struct sp_error ignored;
    if (job->verify.n_sides) write_file(sp_cli_value(job->cli, "--junit"), as_junit, job, &ignored);
    return err;
  }
  if (!job->keys) sp_verify_hide(&job->verify);
  err = print(job, error);
  if (!err && sp_cli_value(job->cli, "--update")) err = update(job, error);
  return err;
}

// After --update what the first side answered is what is expected: only events without an answer fail then, those that were
// never sent too.
static int code_after_update(const struct sp_verify *v) {
  int code = sp_verify_exit_code(v);
  if (code != sp_exit_code(SP_ERR_FAILED)) return code == sp_exit_code(SP_ERR_INCONCLUSIVE) ? 0 : code;
  const struct sp_result *r = v->sides[0].result;
  int64_t n_answered = r->outcomes[SP_OUTCOME_OK] + r->outcomes[SP_OUTCOME_UNCHECKED] +
                       r->outcomes[SP_OUTCOME_MISMATCH] + r->outcomes[SP_OUTCOME_FILTERED];
  return n_answered == (int64_t)v->n_events && v->n_sides == 1 ? 0 : code;
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
    job.out_dir =
        job.cli->out_dir ? sp_copy_text(job.cli->out_dir) : sp_out_dir_new(job.scenario->name, "verify");
    take_keys(&job);
    err = verify(&job, argc, argv, &error);
    sp_supervisor_done(&job.supervisor);
  }
  int code = exit_code(&job, err, &error);
  sp_verify_done(&job.verify);
  sp_recording_free(job.recording);
  sp_scenario_free(job.scenario);
  sp_cli_free(job.cli);
  free(job.out_dir);
  free(job.keys);
  return code;
}
