// Shards of one load become one result: what is counted is summed, what is distributed is pooled, what is judged is judged
// again on the whole.
#include "result/merge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "result/pool.h"

#define WINDOW_DIFFERENCE_MOST 0.01

struct merge {
  size_t n;
  const char *const *folders;
  struct sp_result **shards; // in the order of their numbers after check_set
  struct sp_pool pool;
};

// --- Are these the shards of one load? ---

// Written over a shard, the whole could not be merged again.
static enum sp_err check_out(const struct merge *m, const char *out_dir, struct sp_error *error) {
  struct stat out, in;
  if (stat(out_dir, &out) != 0) return SP_OK;
  for (size_t k = 0; k < m->n; k++) {
    if (stat(m->folders[k], &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
      return sp_fail(error, SP_ERR_USAGE, "--out %s is one of the shards; name another folder", out_dir);
  }
  return SP_OK;
}

static enum sp_err read_shard(const struct sp_result *r, const char *folder, unsigned *i, unsigned *n,
                              struct sp_error *error) {
  const char *text = sp_facts_text_of(&r->load, "shard", "");
  char end;
  if (sscanf(text, "%u/%u%c", i, n, &end) != 2 || *i < 1 || *i > *n) {
    return sp_fail(error, SP_ERR_USAGE,
                   "%s is no shard (its load has no I/N); merge takes what `run --shard I/N` wrote", folder);
  }
  return SP_OK;
}

// NULL: none. By the number of partitions each driver finds which events are its own.
static const char *differing_number(const struct sp_result *a, const struct sp_result *b) {
  static const char *const names[] = {"rate_per_s", "rate_to_per_s", "steps",          "speed",
                                      "seed",       "warmup_ns",     "burst_every_ns", "burst_length_ns",
                                      "limit",      "duration_ns",   "partitions"};
  size_t n = sizeof names / sizeof names[0];
  for (size_t i = 0; i < n; i++) {
    bool is_load = i + 1 < n;
    double x = sp_facts_number_of(is_load ? &a->load : &a->broker, names[i]);
    double y = sp_facts_number_of(is_load ? &b->load : &b->broker, names[i]);
    if (x != y && !(isnan(x) && isnan(y))) return names[i];
  }
  return NULL;
}

// Of what answered; where others did, or the applications are another shard's, of what there was to answer with.
static const char *model_of(const struct sp_result *r) {
  return sp_facts_text_of(&r->model, "digest", sp_facts_text_of(&r->model, "given_digest", ""));
}

// What must be one and the same in all of them.
static enum sp_err check_alike(const struct merge *m, size_t k, struct sp_error *error) {
  const struct sp_result *a = m->shards[0], *b = m->shards[k];
  const struct {
    const char *what;
    const struct sp_facts *a, *b;
    const char *name;
  } facts[] = {{"recording", &a->recording, &b->recording, "digest"},
               {"arrival", &a->load, &b->load, "arrival"},
               {"start", &a->load, &b->load, "start_at"},
               {"input topic", &a->broker, &b->broker, "input_topic"},
               {"delivery", &a->delivery, &b->delivery, "mode"},
               {"build", &a->build, &b->build, "version"}};
  const char *differing = strcmp(a->side, b->side)           ? "side"
                          : strcmp(model_of(a), model_of(b)) ? "model"
                          : a->closed_loop != b->closed_loop ? "arrival"
                                                             : NULL;
  for (size_t i = 0; i < sizeof facts / sizeof facts[0] && !differing; i++) {
    if (strcmp(sp_facts_text_of(facts[i].a, facts[i].name, ""),
               sp_facts_text_of(facts[i].b, facts[i].name, "")) != 0)
      differing = facts[i].what;
  }
  if (!differing) differing = differing_number(a, b);
  if (differing) {
    return sp_fail(error, SP_ERR_USAGE, "%s and %s are no shards of one load: their %s differs",
                   m->folders[0], m->folders[k], differing);
  }
  if (fabs(a->window_s - b->window_s) > WINDOW_DIFFERENCE_MOST * a->window_s) {
    return sp_fail(
        error, SP_ERR_USAGE,
        "the windows of %s (%.3f s) and %s (%.3f s) differ by over 1 %%; repeat the run with one --start-at "
        "for all shards",
        m->folders[0], a->window_s, m->folders[k], b->window_s);
  }
  return SP_OK;
}

// Every number from 1 to N once.
static enum sp_err check_set(const struct merge *m, struct sp_error *error) {
  unsigned n = 0;
  const char **seen = NULL;
  enum sp_err err = SP_OK;
  for (size_t k = 0; k < m->n && !err; k++) {
    unsigned number, of;
    err = read_shard(m->shards[k], m->folders[k], &number, &of, error);
    if (!err && k == 0) seen = sp_alloc((n = of) * sizeof *seen);
    if (!err && of != n) {
      err = sp_fail(error, SP_ERR_USAGE, "%s is one of %u shards, %s one of %u", m->folders[0], n,
                    m->folders[k], of);
    } else if (!err && seen[number - 1]) {
      err = sp_fail(error, SP_ERR_USAGE, "%s and %s are both shard %u of %u; name each once",
                    seen[number - 1], m->folders[k], number, n);
    }
    if (!err) seen[number - 1] = m->folders[k];
    if (!err && !m->shards[k]->complete) {
      err = sp_fail(error, SP_ERR_ENVIRONMENT, "%s is incomplete (%s); repeat the run", m->folders[k],
                    m->shards[k]->incomplete ? m->shards[k]->incomplete : "it was cut off");
    }
    if (!err) err = check_alike(m, k, error);
  }
  for (unsigned i = 0; i < n && !err; i++) {
    if (!seen[i])
      err = sp_fail(error, SP_ERR_USAGE, "shard %u of %u is missing; name its folder too", i + 1, n);
  }
  free(seen);
  return err;
}

// --- Sums ---

static void add_errors(struct sp_result *into, const struct sp_result *shard) {
  for (size_t i = 0; i < shard->n_errors; i++) {
    const struct sp_error_group *group = &shard->errors[i];
    size_t k = 0;
    while (k < into->n_errors &&
           !(into->errors[k].outcome == group->outcome && into->errors[k].code == group->code &&
             strcmp(into->errors[k].text, group->text) == 0))
      k++;
    if (k == into->n_errors && k < SP_RESULT_ERRORS) {
      into->errors[into->n_errors++] = *group;
      continue;
    }
    if (k == into->n_errors) k = SP_RESULT_ERRORS - 1; // too many kinds: the last one takes the rest
    into->errors[k].count += group->count;
    if (group->first_event < into->errors[k].first_event) into->errors[k].first_event = group->first_event;
  }
}

static void add_predictions(struct sp_result *into, const struct sp_result *shard) {
  into->predictions.checked += shard->predictions.checked;
  into->predictions.mismatched += shard->predictions.mismatched;
  double worst = shard->predictions.max_abs_error;
  if (!(into->predictions.max_abs_error >= worst) && !isnan(worst)) into->predictions.max_abs_error = worst;
  for (size_t i = 0; i < shard->predictions.n_examples; i++) {
    sp_result_example(into, shard->predictions.examples[i].event, shard->predictions.examples[i].text);
  }
}

static void add_checks(struct sp_result *into, const struct sp_result *shard) {
  const char *which = sp_facts_text_of(&shard->load, "shard", "");
  for (size_t i = 0; i < shard->n_checks; i++) {
    const struct sp_check *check = &shard->checks[i];
    char *name = sp_format("shard %s: %s", which, check->name);
    sp_result_check(into, name, check->value, check->limit, true, "", check->remedy);
    into->checks[into->n_checks - 1].met = check->met; // why, the shard's own reasons below say
    free(name);
  }
  for (size_t i = 0; i < shard->n_reasons; i++) {
    char *reason = sp_format("shard %s: %s", which, shard->reasons[i]);
    sp_result_invalid(into, reason);
    free(reason);
  }
}

static void add_amounts(struct sp_amounts *into, const struct sp_amounts *from) {
  for (size_t i = 0; i < from->n; i++) {
    double sum = sp_amounts_get(into, from->items[i].name);
    sp_amounts_set(into, from->items[i].name, (isnan(sum) ? 0 : sum) + from->items[i].value);
  }
}

// What each driver counted of the broker; the applications' counts are in one shard alone.
static void add_driver_counts(const struct merge *m, struct sp_result *r) {
  double acknowledged = 0, dropped = 0;
  for (size_t k = 0; k < m->n; k++) {
    acknowledged += sp_facts_number_of(&m->shards[k]->delivery, "driver_acknowledged");
    dropped += sp_facts_number_of(&m->shards[k]->broker, "dropped");
  }
  if (!isnan(acknowledged)) sp_facts_count(&r->delivery, "driver_acknowledged", (int64_t)acknowledged);
  if (!isnan(dropped)) sp_facts_count(&r->broker, "dropped", (int64_t)dropped);
}

static struct sp_timeline_row *row_of(struct sp_result *r, int64_t second) {
  for (size_t i = 0; i < r->n_timeline; i++) {
    if (r->timeline[i].figures.second == second) return &r->timeline[i];
  }
  sp_result_second(r, &(struct sp_second){.second = second, .p50_ns = -1, .p99_ns = -1, .max_ns = -1}, NULL);
  return &r->timeline[r->n_timeline - 1];
}

static void add_timeline(struct sp_result *into, const struct sp_result *shard) {
  for (size_t i = 0; i < shard->n_timeline; i++) {
    const struct sp_second *from = &shard->timeline[i].figures;
    struct sp_timeline_row *row = row_of(into, from->second);
    row->figures.n_sent += from->n_sent;
    row->figures.n_done += from->n_done;
    row->figures.n_not_ok += from->n_not_ok;
    row->figures.backlog += from->backlog;
    if (from->max_ns > row->figures.max_ns) row->figures.max_ns = from->max_ns;
    if (!shard->timeline[i].mark) continue;
    char *mark = row->mark ? sp_format("%s; %s", row->mark, shard->timeline[i].mark)
                           : sp_copy_text(shard->timeline[i].mark);
    free(row->mark);
    row->mark = mark;
  }
}

static void add_counts(struct sp_result *into, const struct sp_result *shard) {
  into->intended += shard->intended;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) into->outcomes[i] += shard->outcomes[i];
  for (int i = 0; i < SP_FLAG_COUNT; i++) into->flags[i] += shard->flags[i];
  if (shard->window_s > into->window_s) into->window_s = shard->window_s;
  if (shard->drain_s > into->drain_s) into->drain_s = shard->drain_s;
  if (shard->backlog_at_t1 >= 0)
    into->backlog_at_t1 = (into->backlog_at_t1 < 0 ? 0 : into->backlog_at_t1) + shard->backlog_at_t1;
  if (!isnan(shard->achieved_per_s))
    into->achieved_per_s = (isnan(into->achieved_per_s) ? 0 : into->achieved_per_s) + shard->achieved_per_s;
}

// --- Distributions ---

static void fill_latency(struct sp_latency *latency, const struct sp_pool *pool, enum sp_series series,
                         int64_t n_above) {
  const struct sp_histogram *h = &pool->totals[series];
  latency->present = true;
  latency->count = h->n + n_above;
  latency->mean_ns = sp_histogram_mean(h);
  latency->max_ns = h->n && n_above == 0 ? h->max_ns : -1;
  free(latency->hdr);
  latency->hdr = sp_histogram_encode(h);
  for (int i = 0; i < SP_PERCENTILES; i++) {
    latency->percentile_ns[i] = sp_pool_percentile(pool, series, i, n_above, &latency->state[i]);
  }
}

// A percentile is blurred by late sending where it would be of the whole, or was in any shard.
static void mark_driver_limited(const struct merge *m, struct sp_result *r) {
  for (int i = 0; i < SP_PERCENTILES; i++) {
    int64_t late_ns = sp_histogram_percentile(&m->pool.totals[SP_SERIES_LATENESS], sp_percentile_q[i], 0);
    int64_t value_ns = r->response.percentile_ns[i];
    bool is_limited = value_ns >= 0 && (double)late_ns > 0.1 * (double)value_ns;
    for (size_t k = 0; k < m->n; k++) is_limited |= m->shards[k]->response.driver_limited[i];
    r->response.driver_limited[i] = r->response_ok.driver_limited[i] = is_limited;
  }
}

static double n_responses(const struct sp_result *r) {
  int64_t n = 0;
  for (int i = SP_OUTCOME_NONE + 1; i < SP_OUTCOME_COUNT; i++)
    n += sp_outcome_is_no_answer((enum sp_outcome)i) ? 0 : r->outcomes[i];
  return (double)n;
}

// Means are of the events with a response, so these weigh them: a driver on another machine than the application's has no
// service times, but it has stages.
static void fill_stage(const struct merge *m, struct sp_result *r, enum sp_stage stage) {
  struct sp_stage_figures *figures = &r->stages[stage];
  enum sp_series series = SP_SERIES_STAGES + (enum sp_series)stage;
  double sum_ns = 0, n = 0;
  figures->present = false;
  for (size_t k = 0; k < m->n; k++) {
    const struct sp_stage_figures *of = &m->shards[k]->stages[stage];
    double weight = n_responses(m->shards[k]);
    figures->present |= of->present;
    if (!of->present || isnan(of->mean_ns)) continue;
    sum_ns += weight * of->mean_ns;
    n += weight;
  }
  enum sp_percentile_state state;
  figures->mean_ns = n > 0 ? sum_ns / n : NAN;
  figures->mean_above_p99_ns = NAN;
  figures->p50_ns = sp_pool_percentile(&m->pool, series, SP_P50, 0, &state);
  figures->p99_ns = sp_pool_percentile(&m->pool, series, SP_P99, 0, &state);
}

static void fill_distributions(const struct merge *m, struct sp_result *r) {
  int64_t n_unanswered = 0;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++)
    n_unanswered += sp_outcome_is_no_answer((enum sp_outcome)i) ? r->outcomes[i] : 0;
  if (!r->closed_loop) {
    fill_latency(&r->response, &m->pool, SP_SERIES_RESPONSE, n_unanswered);
    fill_latency(&r->response_ok, &m->pool, SP_SERIES_RESPONSE_OK, 0);
    fill_latency(&r->lateness, &m->pool, SP_SERIES_LATENESS, 0);
    mark_driver_limited(m, r);
  }
  fill_latency(&r->failure, &m->pool, SP_SERIES_FAILURE, 0);
  fill_latency(&r->service, &m->pool, SP_SERIES_SERVICE, 0);
  double explained_ns = 0;
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    fill_stage(m, r, (enum sp_stage)i);
    if (i < SP_STAGE_SUMMED && !isnan(r->stages[i].mean_ns)) explained_ns += r->stages[i].mean_ns;
  }
  r->residual_ns = r->closed_loop ? NAN : r->response.mean_ns - explained_ns;
}

static void fill_timeline(const struct merge *m, struct sp_result *r) {
  double warmup_s = sp_facts_number_of(&r->load, "warmup_ns") * 1e-9;
  for (size_t i = 0; i < r->n_timeline; i++) {
    struct sp_second *row = &r->timeline[i].figures;
    double from_s =
        round((double)row->second + (isnan(warmup_s) ? 0 : warmup_s)); // since the origin, as the log counts
    if (row->second < 0 || from_s >= (double)m->pool.n_seconds) continue;
    size_t second = (size_t)from_s;
    const struct sp_histogram *h = &m->pool.seconds[second];
    if (h->n == 0) continue;
    row->p50_ns = sp_histogram_percentile(h, 0.5, 0);
    row->p99_ns = sp_histogram_percentile(h, 0.99, 0);
  }
}

// --- CPU, bounds ---

// Application, server and broker serve all shards and are started by the first, which alone accounts for them.
static void fill_shared_cpu(const struct merge *m, struct sp_result *r) {
  static const char *const shared[] = {"app", "server", "broker", "relay"};
  for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
    double cpu_s = NAN, bytes = NAN;
    for (size_t k = 0; k < m->n; k++) {
      cpu_s = fmax(cpu_s, sp_amounts_get(&m->shards[k]->cpu_s, shared[i]));
      bytes = fmax(bytes, sp_amounts_get(&m->shards[k]->rss_bytes, shared[i]));
    }
    if (!isnan(cpu_s)) sp_amounts_set(&r->cpu_s, shared[i], cpu_s);
    if (!isnan(bytes)) sp_amounts_set(&r->rss_bytes, shared[i], bytes);
  }
}

static void fill_cpu(const struct merge *m, struct sp_result *r) {
  double n_completed = 0, driver_s = 0, driver_bytes = 0;
  r->cpu_s.n = r->cpu_role_s.n = r->cpu_us_per_event.n = r->rss_bytes.n = 0;
  for (size_t k = 0; k < m->n; k++) {
    driver_s += fmax(0, sp_amounts_get(&m->shards[k]->cpu_s, "driver"));
    driver_bytes = fmax(driver_bytes, sp_amounts_get(&m->shards[k]->rss_bytes, "driver"));
    add_amounts(&r->cpu_role_s, &m->shards[k]->cpu_role_s);
    n_completed += n_responses(m->shards[k]);
  }
  sp_amounts_set(&r->cpu_s, "driver", driver_s);
  sp_amounts_set(&r->rss_bytes, "driver", driver_bytes);
  fill_shared_cpu(m, r);
  double app_s = sp_amounts_get(&r->cpu_s, "app"), server_s = sp_amounts_get(&r->cpu_s, "server");
  if (n_completed <= 0 || isnan(app_s)) return;
  sp_amounts_set(&r->cpu_us_per_event, "app", 1e6 * app_s / n_completed);
  if (!isnan(server_s)) sp_amounts_set(&r->cpu_us_per_event, "server", 1e6 * server_s / n_completed);
  if (isnan(server_s) && r->path && strcmp(r->path, "rpc") == 0)
    return; // somebody else's: what it used is not known
  sp_amounts_set(&r->cpu_us_per_event, "total",
                 1e6 * (app_s + (isnan(server_s) ? 0 : server_s)) / n_completed);
}

static enum sp_met judge(const struct sp_result *r, int i, double limit_ns) {
  if (r->response.state[i] == SP_PERCENTILE_NO_ANSWER) return SP_MET_NO;
  if (r->response.state[i] != SP_PERCENTILE_RESOLVED) return SP_MET_UNKNOWN;
  if ((double)r->response.percentile_ns[i] <= limit_ns) return SP_MET_YES;
  return r->response.driver_limited[i] ? SP_MET_UNKNOWN : SP_MET_NO;
}

static void fill_bounds(const struct merge *m, struct sp_result *r) {
  const struct sp_result *first = m->shards[0];
  bool is_mock = strcmp(sp_facts_text_of(&first->broker, "kind", ""), "mock") == 0;
  for (size_t k = 0; k < first->n_bounds; k++) {
    const struct sp_bound *bound = &first->bounds[k];
    const char *name = strncmp(bound->name, "expect.", 7) == 0 ? bound->name + 7 : bound->name;
    if (strcmp(name, "not_ok") == 0) {
      double share = sp_result_not_ok_share(r);
      sp_result_bound(r, bound->name, bound->limit, share, share <= bound->limit ? SP_MET_YES : SP_MET_NO);
    }
    for (int i = 0; i < SP_PERCENTILES && r->response.present; i++) {
      if (strcmp(name, sp_percentile_name[i]) != 0) continue;
      int64_t value_ns = r->response.percentile_ns[i];
      sp_result_bound(r, bound->name, bound->limit, value_ns < 0 ? NAN : (double)value_ns,
                      is_mock ? SP_MET_UNKNOWN : judge(r, i, bound->limit)); // its latency means nothing
    }
  }
}

// --- The whole ---

// Facts that hold for all, from the shard that started the shared processes; everything counted starts from nothing.
static enum sp_err begin(const struct merge *m, struct sp_result **result, struct sp_error *error) {
  size_t first = 0;
  for (size_t k = 0; k < m->n; k++) {
    if (strncmp(sp_facts_text_of(&m->shards[k]->load, "shard", ""), "1/", 2) == 0) first = k;
  }
  enum sp_err err = sp_result_read(m->folders[first], result, error);
  if (err) return err;
  struct sp_result *r = *result, *empty = sp_result_new();
  for (size_t i = 0; i < r->n_checks; i++) {
    free(r->checks[i].name);
    free(r->checks[i].remedy);
  }
  for (size_t i = 0; i < r->n_reasons; i++) free(r->reasons[i]);
  for (size_t i = 0; i < r->n_bounds; i++) free(r->bounds[i].name);
  for (size_t i = 0; i < r->n_timeline; i++) free(r->timeline[i].mark);
  for (size_t i = 0; i < r->n_command; i++) free(r->command[i]);
  r->n_checks = r->n_reasons = r->n_bounds = r->n_timeline = r->n_command = 0;
  r->n_errors = r->predictions.n_examples = 0;
  r->intended = r->predictions.checked = r->predictions.mismatched = 0;
  r->predictions.max_abs_error = r->achieved_per_s = NAN;
  memcpy(r->outcomes, empty->outcomes, sizeof r->outcomes);
  memcpy(r->flags, empty->flags, sizeof r->flags);
  sp_result_free(empty);
  return SP_OK;
}

static int by_second(const void *a, const void *b) {
  const struct sp_timeline_row *x = a, *y = b;
  return (x->figures.second > y->figures.second) - (x->figures.second < y->figures.second);
}

static enum sp_err add_all(struct merge *m, struct sp_result *r, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t k = 0; k < m->n && !err; k++) {
    add_counts(r, m->shards[k]);
    add_errors(r, m->shards[k]);
    add_predictions(r, m->shards[k]);
    add_checks(r, m->shards[k]);
    add_timeline(r, m->shards[k]);
    err = sp_pool_add(&m->pool, m->folders[k], m->shards[k], error);
  }
  if (err) return err;
  if (r->n_timeline) qsort(r->timeline, r->n_timeline, sizeof *r->timeline, by_second);
  int64_t n_answered = 0;
  for (int i = SP_OUTCOME_NONE + 1; i < SP_OUTCOME_COUNT; i++)
    n_answered += sp_outcome_is_no_answer((enum sp_outcome)i) ? 0 : r->outcomes[i];
  r->completion = r->intended ? (double)n_answered / (double)r->intended : NAN;
  r->offered_per_s = r->closed_loop || r->window_s <= 0 ? NAN : (double)r->intended / r->window_s;
  fill_distributions(m, r);
  fill_timeline(m, r);
  fill_cpu(m, r);
  add_driver_counts(m, r);
  fill_bounds(m, r);
  char *shard = sp_format("all of %zu", m->n);
  sp_facts_text(&r->load, "shard", shard);
  free(shard);
  return sp_result_check_books(r, error);
}

static enum sp_err write_all(const struct merge *m, const struct sp_result *r, const char *out_dir,
                             struct sp_error *error) {
  enum sp_series series = r->closed_loop ? SP_SERIES_SERVICE : SP_SERIES_RESPONSE;
  int64_t n_above = r->closed_loop ? 0 : r->response.count - m->pool.totals[series].n;
  enum sp_err err = sp_result_write_distribution(&m->pool.totals[series], n_above, out_dir, error);
  return err ? err : sp_result_write(r, out_dir, error);
}

enum sp_err sp_result_merge(const char *const *folders, size_t n, const char *out_dir, int argc, char **argv,
                            struct sp_result **merged, struct sp_error *error) {
  SP_ASSERT(n > 0);
  struct merge m = {.n = n, .folders = folders, .shards = sp_alloc(n * sizeof(struct sp_result *))};
  struct sp_result *r = NULL;
  sp_pool_init(&m.pool);
  enum sp_err err = check_out(&m, out_dir, error);
  for (size_t k = 0; k < n && !err; k++) err = sp_result_read(folders[k], &m.shards[k], error);
  if (!err) err = check_set(&m, error);
  if (!err) err = begin(&m, &r, error);
  if (!err) {
    sp_result_command(r, argc, argv);
    err = add_all(&m, r, error);
  }
  if (!err) err = write_all(&m, r, out_dir, error);
  for (size_t k = 0; k < n; k++) sp_result_free(m.shards[k]);
  free(m.shards);
  sp_pool_done(&m.pool);
  if (err)
    sp_result_free(r);
  else
    *merged = r;
  return err;
}
