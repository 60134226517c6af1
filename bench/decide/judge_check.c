// Whether trials can be compared at all. Each refusal names the two folders and what differs.
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/judge_parts.h"
#include "report/rows.h"

static enum sp_err differ(const struct sp_judge_trial *a, const struct sp_judge_trial *b, const char *what,
                          const char *remedy, struct sp_error *error) {
  return sp_fail(error, SP_ERR_USAGE, "%s and %s cannot be compared: %s; %s", a->dir, b->dir, what, remedy);
}

// --- Each alone ---

static bool is_real(double value) {
  return isfinite(value) && value >= 0;
}

static const char *bad_latency(const struct sp_latency *latency) {
  static const char *const named[SP_PERCENTILES] = {"p50 is no time",   "p90 is no time",
                                                    "p95 is no time",   "p99 is no time",
                                                    "p99_9 is no time", "p99_99 is no time"};
  for (int i = 0; latency->present && i < SP_PERCENTILES; i++) {
    bool has_value =
        latency->state[i] == SP_PERCENTILE_RESOLVED || latency->state[i] == SP_PERCENTILE_EPISODIC;
    if (has_value && latency->percentile_ns[i] < 0) return named[i];
  }
  return NULL;
}

// What no trial that ran to its end has; NULL: nothing.
static const char *bad_figure(const struct sp_result *r) {
  int64_t n_answered = 0;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) {
    if (sp_outcome_is_answered((enum sp_outcome)i)) n_answered += r->outcomes[i];
  }
  if (n_answered > 0 && r->response.present && !is_real(r->response.mean_ns))
    return "the mean response is no number";
  if (!is_real(r->completion)) return "completion is no number";
  if (!is_real(r->achieved_per_s)) return "rate_per_s.achieved is no number";
  for (size_t i = 0; i < r->cpu_us_per_event.n; i++) {
    if (!is_real(r->cpu_us_per_event.items[i].value)) return "cpu_us_per_event is no number";
  }
  return bad_latency(&r->response);
}

static enum sp_err check_alone(const struct sp_judge_trial *trial, struct sp_error *error) {
  const struct sp_result *r = trial->result;
  struct sp_error books;
  if (!r->complete)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: incomplete (%s); measure it again, or remove the folder",
                   trial->dir, r->incomplete ? r->incomplete : "it was broken off");
  if (!sp_result_is_valid(r)) return SP_OK;
  if (r->intended <= 0)
    return sp_fail(error, SP_ERR_USAGE, "%s: no event in the measured window; use a longer --duration",
                   trial->dir);
  const char *bad = bad_figure(r);
  if (bad)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: damaged: %s; measure it again, or remove the folder",
                   trial->dir, bad);
  if (sp_result_check_books(r, &books))
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: damaged: %.400s; measure it again, or remove the folder",
                   trial->dir, books.text);
  return SP_OK;
}

// --- Two by two ---

static const char *text_of(const struct sp_facts *facts, const char *name, char *text, size_t n) {
  const struct sp_fact *fact = sp_facts_find(facts, name);
  if (!fact || fact->kind == SP_FACT_NULL) return "none";
  if (fact->text) return fact->text;
  snprintf(text, n, "%.12g", fact->kind == SP_FACT_REAL ? fact->real : (double)fact->count);
  return text;
}

// What all trials of a comparison share; a side's own settings (threads, batch...) are not among it.
static const struct {
  const char *title, *name;
  size_t facts;
  const char *remedy;
} shared[] = {
#define RECORDING(name)                                                                                      \
  { "recording." name, name, offsetof(struct sp_result, recording), "replay one recording on all sides" }
#define LOAD(name)                                                                                           \
  { "load." name, name, offsetof(struct sp_result, load), "use one schedule on all sides" }
    RECORDING("digest"),
    LOAD("arrival"),
    LOAD("rate_per_s"),
    LOAD("rate_to_per_s"),
    LOAD("steps"),
    LOAD("speed"),
    LOAD("burst_every_ns"),
    LOAD("burst_length_ns"),
    LOAD("limit"),
    LOAD("shard"),
    LOAD("only"),
    LOAD("warmup_ns"),
    LOAD("duration_ns"),
    LOAD("concurrency"),
    LOAD("wake_latency_ns"),
};

static enum sp_err check_shared(const struct sp_judge_trial *a, const struct sp_judge_trial *b,
                                struct sp_error *error) {
  for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
    char left[32], right[32], what[320];
    const char *x =
        text_of((const void *)((const char *)a->result + shared[i].facts), shared[i].name, left, sizeof left);
    const char *y = text_of((const void *)((const char *)b->result + shared[i].facts), shared[i].name, right,
                            sizeof right);
    if (strcmp(x, y) == 0) continue;
    snprintf(what, sizeof what, "%s %.120s and %.120s", shared[i].title, x, y);
    return differ(a, b, what, shared[i].remedy, error);
  }
  return SP_OK;
}

// How events travelled: of the trials of one side, and of all sides where those are builds of one deployment.
static enum sp_err check_way(const struct sp_judge_trial *a, const struct sp_judge_trial *b,
                             struct sp_error *error) {
  const char *one = a->result->transport, *other = b->result->transport;
  char what[160];
  if (one && other && strcmp(one, other) != 0) {
    snprintf(what, sizeof what, "transport %.40s and %.40s", one, other);
    return differ(a, b, what, "measure them over one transport, or give each a --side of its own", error);
  }
  one = sp_facts_text_of(&a->result->broker, "kind", "none");
  other = sp_facts_text_of(&b->result->broker, "kind", "none");
  if (strcmp(one, other) == 0) return SP_OK;
  snprintf(what, sizeof what, "broker.kind %.40s and %.40s", one, other);
  return differ(a, b, what, "measure them over one broker, or give each a --side of its own", error);
}

static json_t *resolved(const struct sp_result *r) {
  const struct sp_fact *fact = sp_facts_find(&r->scenario, "resolved");
  return fact && fact->kind == SP_FACT_JSON ? json_loads(fact->text, 0, NULL) : NULL;
}

// Tolerances and bounds that both know: what counts as a right answer, and as a kept promise.
static enum sp_err check_expect(const struct sp_judge_trial *a, const struct sp_judge_trial *b,
                                struct sp_error *error) {
  json_t *left = resolved(a->result), *right = resolved(b->result), *value;
  json_t *theirs = json_object_get(right, "expect");
  const char *key, *found = NULL;
  json_object_foreach(json_object_get(left, "expect"), key, value) {
    const json_t *other = json_object_get(theirs, key);
    if (!found && other && !json_equal(value, other)) found = key;
  }
  enum sp_err err = SP_OK;
  if (found) {
    char what[128];
    snprintf(what, sizeof what, "expect.%.80s differs", found);
    err = differ(a, b, what, "measure all sides by one scenario", error);
  }
  json_decref(left);
  json_decref(right);
  return err;
}

// A copy of a model under another name or number has expectations of its own.
static bool is_one_version(const struct sp_result *a, const struct sp_result *b) {
  char left[32], right[32];
  return strcmp(sp_facts_text_of(&a->model, "name", ""), sp_facts_text_of(&b->model, "name", "")) == 0 &&
         strcmp(text_of(&a->model, "version", left, sizeof left),
                text_of(&b->model, "version", right, sizeof right)) == 0;
}

// Of one model the right answers are the same everywhere, whoever computed them.
static enum sp_err check_predictions(const struct sp_judge_trial *a, const struct sp_judge_trial *b,
                                     struct sp_error *error) {
  const char *x = a->result->predictions.source, *y = b->result->predictions.source;
  const char *left = sp_facts_text_of(&a->result->model, "digest", NULL);
  const char *right = sp_facts_text_of(&b->result->model, "digest", NULL);
  bool has_stub = sp_result_is_stub(a->result) || sp_result_is_stub(b->result);
  if (!x || !y || has_stub || !left || !right || strcmp(left, right) != 0) return SP_OK;
  if (!is_one_version(a->result, b->result)) return SP_OK;
  const char *one = sp_facts_text_of(&a->result->model, "expected_digest", NULL);
  const char *other = sp_facts_text_of(&b->result->model, "expected_digest", NULL);
  char what[320];
  if (strcmp(x, y) != 0)
    snprintf(what, sizeof what, "predictions were checked against %.80s and %.80s", x, y);
  else if (one && other && strcmp(one, other) != 0)
    snprintf(what, sizeof what, "predictions were checked against expectations %.80s and %.80s", one, other);
  else
    return SP_OK;
  return differ(a, b, what, "measure all sides with one expected/ file", error);
}

static enum sp_err check_machine(const struct sp_judge_trial *a, const struct sp_judge_trial *b,
                                 struct sp_error *error) {
  char *left = sp_machine_fingerprint(a->result), *right = sp_machine_fingerprint(b->result);
  enum sp_err err = SP_OK;
  if (left && right && strcmp(left, right) != 0) {
    char what[256];
    snprintf(what, sizeof what, "measured on two machines, %.100s and %.100s", left, right);
    err = differ(a, b, what, "measure both on one, or use --across-machines", error);
  }
  free(left);
  free(right);
  return err;
}

// Trials of one side are of one thing.
static enum sp_err check_side(const struct sp_judge_trial *a, const struct sp_judge_trial *b,
                              bool across_machines, struct sp_error *error) {
  char what[SP_REPORT_DIFFERENCE_BYTES];
  enum sp_err err = check_way(a, b, error);
  if (err) return err;
  if (!sp_report_difference(a->result, b->result, what, sizeof what)) return SP_OK;
  if (across_machines && strncmp(what, "machine.", 8) == 0) {
    char left[32], right[32];
    const char *x = text_of(&a->result->build, "version", left, sizeof left);
    const char *y = text_of(&b->result->build, "version", right, sizeof right);
    if (strcmp(x, y) == 0) return SP_OK;
    snprintf(what, sizeof what, "build.version %.80s and %.80s", x, y);
  }
  return differ(a, b, what, "give what is measured differently a --side of its own", error);
}

static double seed_of(const struct sp_judge_trial *trial) {
  double seed = sp_facts_number_of(&trial->result->load, "seed");
  return isnan(seed) ? (double)trial->seed : seed;
}

// One schedule within a pair: the seed, and what came of it.
static enum sp_err check_pair(const struct sp_judge_trial *a, const struct sp_judge_trial *b,
                              struct sp_error *error) {
  char what[128] = "";
  SP_ASSERT(a->result && b->result);
  if (seed_of(a) != seed_of(b))
    snprintf(what, sizeof what, "seeds %.0f and %.0f in one pair", seed_of(a), seed_of(b));
  else if (!a->result->closed_loop && !b->result->closed_loop && a->result->intended != b->result->intended)
    snprintf(what, sizeof what, "%lld and %lld events in schedules of one seed",
             (long long)a->result->intended, (long long)b->result->intended);
  return *what ? differ(a, b, what, "measure both by one schedule", error) : SP_OK;
}

// --- All ---

static enum sp_err check_two(const struct sp_judge_trial *a, const struct sp_judge_trial *b,
                             bool across_machines, struct sp_error *error) {
  enum sp_err err = check_shared(a, b, error);
  if (!err) err = check_expect(a, b, error);
  if (!err) err = check_predictions(a, b, error);
  if (!err && !across_machines) err = check_machine(a, b, error);
  return err;
}

static enum sp_err check_run_ids(const struct sp_judge_trial *trials, size_t n, struct sp_error *error) {
  for (size_t i = 0; i < n; i++) {
    const char *id = trials[i].result ? trials[i].result->run_id : NULL;
    for (size_t k = 0; id && k < i; k++) {
      const char *other = trials[k].result ? trials[k].result->run_id : NULL;
      if (!other || strcmp(id, other) != 0) continue;
      char what[128];
      snprintf(what, sizeof what, "both are run %.40s", id);
      return differ(&trials[k], &trials[i], what, "a copy is no second trial: remove one", error);
    }
  }
  return SP_OK;
}

static const struct sp_judge_trial *first_of(const struct sp_judge_trial *trials, size_t n, size_t side_i) {
  for (size_t i = 0; i < n; i++) {
    if (trials[i].side_i == side_i && trials[i].result && sp_judge_is_usable(&trials[i])) return &trials[i];
  }
  return NULL; // none is usable
}

static size_t count_of(const struct sp_judge_trial *trials, size_t n, size_t side_i) {
  size_t n_own = 0;
  for (size_t i = 0; i < n; i++) n_own += trials[i].side_i == side_i;
  return n_own;
}

// Trials that are all invalid are the judge's matter: they were measured.
static enum sp_err check_sides(const struct sp_judge_plan *plan, const struct sp_judge_trial *trials,
                               size_t n, struct sp_error *error) {
  if (n == 1)
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: one trial alone compares with nothing; measure more: servepath compare SCENARIO",
                   trials[0].dir);
  for (size_t s = 0; s < plan->n_sides; s++) {
    if (count_of(trials, n, s) > 0) continue;
    return sp_fail(error, SP_ERR_USAGE, "side %s has no trial; measure it: servepath compare SCENARIO",
                   plan->side_names[s]);
  }
  return SP_OK;
}

// Trials of a pair against the first of that pair.
static enum sp_err check_pairs(const struct sp_judge_trial *trials, size_t n, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < n && !err; i++) {
    for (size_t k = 0; k < i && !err; k++) {
      bool is_pair =
          trials[k].pair_i == trials[i].pair_i && trials[k].is_confirming == trials[i].is_confirming;
      if (!is_pair || !sp_judge_is_usable(&trials[k]) || !sp_judge_is_usable(&trials[i])) continue;
      err = check_pair(&trials[k], &trials[i], error);
    }
  }
  return err;
}

enum sp_err sp_judge_check(const struct sp_judge_plan *plan, const struct sp_judge_trial *trials, size_t n,
                           bool across_machines, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < n && !err; i++) {
    if (trials[i].result) err = check_alone(&trials[i], error);
  }
  if (!err) err = check_run_ids(trials, n, error);
  if (!err) err = check_sides(plan, trials, n, error);
  const struct sp_judge_trial *first = err ? NULL : first_of(trials, n, plan->reference_i);
  for (size_t i = 0; i < n && !err; i++) {
    if (!trials[i].result || !sp_judge_is_usable(&trials[i])) continue;
    const struct sp_judge_trial *own = first_of(trials, n, trials[i].side_i);
    if (first) err = check_two(first, &trials[i], across_machines, error);
    if (!err && first && plan->are_builds) err = check_way(first, &trials[i], error);
    if (!err && own) err = check_side(own, &trials[i], across_machines, error);
  }
  return err ? err : check_pairs(trials, n, error);
}

enum sp_err sp_judge_check_live(const struct sp_judge_plan *plan, const struct sp_judge_trial *trials,
                                size_t n, bool across_machines, struct sp_error *error) {
  struct sp_judge_trial *usable = sp_alloc((n + 1) * sizeof *usable);
  size_t n_usable = 0;
  for (size_t i = 0; i < n; i++) {
    if (sp_judge_is_usable(&trials[i])) usable[n_usable++] = trials[i];
  }
  bool is_enough = n_usable > 1;
  for (size_t s = 0; s < plan->n_sides; s++) is_enough &= count_of(usable, n_usable, s) > 0;
  enum sp_err err = is_enough ? sp_judge_check(plan, usable, n_usable, across_machines, error) : SP_OK;
  free(usable);
  return err;
}
