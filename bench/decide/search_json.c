// What proto/search.schema.json describes; the tests validate one against the other.
#include "decide/search_json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/version.h"
#include "result/fields.h"
#include "result/metric.h"

static json_t *count_or_null(int64_t n) {
  return n < 0 ? json_null() : json_integer((json_int_t)n);
}

static json_t *bounds_json(const struct sp_search_slo *slo) {
  json_t *bounds = json_array();
  for (int i = 0; i < SP_PERCENTILES; i++) {
    if (!slo->limit_ns[i]) continue;
    json_array_append_new(
        bounds, json_pack("{ss sI}", "name", sp_percentile_name[i], "limit", (json_int_t)slo->limit_ns[i]));
  }
  json_array_append_new(bounds, json_pack("{ss sf}", "name", "not_ok", "limit", slo->not_ok));
  return bounds;
}

static json_t *rate_json(const struct sp_search_rate *rate) {
  return json_pack("{sf ss ss? sI sI sI so}", "rate_per_s", rate->per_s, "phase",
                   sp_search_phase_name(rate->phase), "verdict",
                   rate->is_answered ? sp_probe_verdict_name(rate->verdict) : NULL, "passed",
                   (json_int_t)rate->n_passed, "failed", (json_int_t)rate->n_failed, "invalid",
                   (json_int_t)rate->n_invalid, "reason", sp_fields_text(rate->reason));
}

static json_t *trial_json(const struct sp_search_probed *p) {
  json_t *trial =
      json_pack("{so sf sI ss ss so sf sb sI sI}", "dir", sp_fields_text(p->dir), "rate_per_s", p->rate_per_s,
                "seed", (json_int_t)p->seed, "phase", sp_search_phase_name(p->phase), "verdict",
                sp_probe_verdict_name(p->outcome.verdict), "reason", sp_fields_text(p->outcome.reason),
                "duration_s", (double)p->duration_ns * 1e-9, "found", (int)p->was_found, "intended",
                (json_int_t)p->intended, "mismatched", (json_int_t)p->mismatched);
  json_object_set_new(trial, "p50_ns", count_or_null(p->p50_ns));
  json_object_set_new(trial, "p99_ns", count_or_null(p->p99_ns));
  json_object_set_new(trial, "backlog_at_t1", count_or_null(p->backlog_at_t1));
  json_object_set_new(trial, "achieved_per_s", sp_fields_real(p->achieved_per_s));
  json_object_set_new(trial, "not_ok", sp_fields_real(p->not_ok));
  json_object_set_new(trial, "cpu_us_per_event", sp_fields_real(p->cpu_us_per_event));
  return trial;
}

static json_t *labels_json(const struct sp_side_search *side) {
  json_t *labels = json_array();
  if (*side->co_located) json_array_append_new(labels, json_string("co-located"));
  if (side->is_stub) json_array_append_new(labels, json_string("stub"));
  if (side->is_emulated) json_array_append_new(labels, json_string("emulated"));
  if (side->is_short) json_array_append_new(labels, json_string("short probes"));
  if (side->is_capped) json_array_append_new(labels, json_string("capped probes"));
  return labels;
}

static json_t *side_json(const struct sp_side_search *side) {
  const struct sp_search *search = &side->search;
  char text[SP_SEARCH_TEXT_BYTES];
  bool has_high = !isinf(search->high_per_s);
  json_t *rates = json_array(), *trials = json_array();
  for (size_t i = 0; i < search->n_rates; i++) json_array_append_new(rates, rate_json(&search->rates[i]));
  for (size_t i = 0; i < side->n_probed; i++) json_array_append_new(trials, trial_json(&side->probed[i]));
  return json_pack("{so ss ss so so so so sI so so so sI so so so}", "side", sp_fields_text(side->side->name),
                   "path", side->side->path.path, "verdict", sp_search_verdict_name(search->verdict), "text",
                   sp_fields_text(sp_search_text(search, text, sizeof text)), "low_per_s",
                   search->low_per_s > 0 ? json_real(search->low_per_s) : json_null(), "high_per_s",
                   has_high ? json_real(search->high_per_s) : json_null(), "reason",
                   has_high ? sp_fields_text(search->reason) : json_null(), "stepped_down",
                   (json_int_t)search->n_stepped_down, "cpu_s_per_million",
                   sp_fields_real(side->cpu_s_per_million), "bounds", bounds_json(&side->slo), "labels",
                   labels_json(side), "backlog_ns", (json_int_t)side->slo.backlog_ns, "co_located",
                   *side->co_located ? sp_fields_text(side->co_located) : json_null(), "rates", rates,
                   "trials", trials);
}

static json_t *probe_json(const struct sp_search_options *options) {
  int64_t least_ns = options->probe_ns ? options->probe_ns : SP_SEARCH_PROBE_NS;
  bool is_short = least_ns < SP_SEARCH_PROBE_NS;
  return json_pack("{sf sI sf}", "least_s", (double)least_ns * 1e-9, "least_events",
                   (json_int_t)(is_short ? 0 : SP_SEARCH_PROBE_EVENTS), "longest_s",
                   fmax((double)SP_SEARCH_LONGEST_NS, (double)options->probe_ns) * 1e-9);
}

// Of the machine that the first trial ran on.
static json_t *fingerprint_json(const struct sp_searches *searches) {
  for (size_t i = 0; i < searches->n_sides; i++) {
    if (!searches->sides[i].first) continue;
    char *fingerprint = sp_machine_fingerprint(searches->sides[i].first);
    json_t *json = sp_fields_text(fingerprint);
    free(fingerprint);
    return json;
  }
  return json_null();
}

static json_t *tags_json(const struct sp_properties *tags) {
  json_t *json = json_object();
  for (size_t i = 0; i < tags->n; i++)
    json_object_set_new(json, tags->items[i].name, sp_fields_text(tags->items[i].value));
  return json;
}

char *sp_searches_json(const struct sp_searches_plan *plan, const struct sp_searches *searches) {
  json_t *sides = json_array(), *command = json_array();
  for (size_t i = 0; i < searches->n_sides; i++) json_array_append_new(sides, side_json(&searches->sides[i]));
  for (int i = 0; i < plan->argc; i++) json_array_append_new(command, sp_fields_text(plan->argv[i]));
  json_t *whole =
      json_pack("{ss sb so ss ss so s{so so} so so sf so so sI}", "schema", SP_SEARCH_SCHEMA, "complete",
                searches->incomplete == NULL, "incomplete",
                searches->incomplete ? sp_fields_text(searches->incomplete) : json_null(), "started_at",
                searches->started_at, "build", SP_VERSION, "command", command, "scenario", "name",
                sp_fields_text(plan->scenario->name), "digest", sp_fields_text(plan->scenario->digest),
                "tags", tags_json(&plan->cli->tags), "fingerprint", fingerprint_json(searches), "precision",
                plan->options.precision, "probe", probe_json(&plan->options), "sides", sides, "exit_code",
                (json_int_t)sp_searches_exit_code(searches));
  SP_ASSERT(whole != NULL);
  return sp_fields_print(whole, JSON_INDENT(1));
}

bool sp_searches_had_ended(const char *dir) {
  char *path = sp_format("%s/" SP_SEARCH_FILE, dir);
  json_t *whole = json_load_file(path, 0, NULL);
  bool had_ended = json_is_true(json_object_get(whole, "complete"));
  json_decref(whole);
  free(path);
  return had_ended;
}
