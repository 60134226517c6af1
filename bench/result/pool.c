// Totals come from result.json, which has each whole histogram; stages and seconds from the interval log.
#include "result/pool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sp_pool_init(struct sp_pool *pool) {
  *pool = (struct sp_pool){.second_max = sp_alloc(SP_POOL_SECONDS * sizeof *pool->second_max)};
  for (int i = 0; i < SP_SERIES_COUNT; i++) sp_histogram_init(&pool->totals[i]);
  for (int i = 0; i < SP_POOL_SECONDS; i++) {
    for (int k = 0; k < SP_SERIES_COUNT; k++) pool->second_max[i][k] = -1;
  }
}

void sp_pool_done(struct sp_pool *pool) {
  for (int i = 0; i < SP_SERIES_COUNT; i++) sp_histogram_done(&pool->totals[i]);
  for (size_t i = 0; i < pool->n_seconds; i++) sp_histogram_done(&pool->seconds[i]);
  free(pool->seconds);
  free(pool->second_max);
}

static int series_of_tag(const char *tag) {
  if (!*tag) return SP_SERIES_RESPONSE;
  for (int i = SP_SERIES_RESPONSE + 1; i < SP_SERIES_COUNT; i++) {
    if (strcmp(tag, sp_series_name((enum sp_series)i)) == 0) return i;
  }
  return -1;
}

struct reading {
  struct sp_pool *pool;
  int64_t n_responses;
};

static struct sp_histogram *second_at(struct sp_pool *pool, size_t second) {
  while (pool->n_seconds <= second) {
    pool->seconds = sp_realloc(pool->seconds, (pool->n_seconds + 1) * sizeof *pool->seconds);
    sp_histogram_init(&pool->seconds[pool->n_seconds++]);
  }
  return &pool->seconds[second];
}

static void add_interval(void *context, const char *tag, double start_s, double length_s,
                         const struct sp_histogram *h) {
  (void)length_s;
  struct reading *reading = context;
  struct sp_pool *pool = reading->pool;
  int series = series_of_tag(tag);
  if (series < 0 || h->n == 0) return; // a later version's
  double from_s = start_s < 0 ? 0 : round(start_s);
  size_t second = from_s < SP_POOL_SECONDS - 1 ? (size_t)from_s : SP_POOL_SECONDS - 1;
  if (h->max_ns > pool->second_max[second][series]) pool->second_max[second][series] = h->max_ns;
  if (series >= SP_SERIES_STAGES) sp_histogram_add(&pool->totals[series], h);
  if (series != SP_SERIES_RESPONSE) return;
  reading->n_responses += h->n;
  sp_histogram_add(second_at(pool, second), h);
}

static enum sp_err add_total(struct sp_pool *pool, enum sp_series series, const struct sp_latency *latency,
                             int64_t *n, struct sp_error *error) {
  if (!latency->present || !latency->hdr) return SP_OK;
  struct sp_histogram h;
  sp_histogram_init(&h);
  enum sp_err err = sp_histogram_decode(latency->hdr, &h, error);
  if (!err) {
    // Exact where the result tells more than its slots do.
    if (h.n && latency->max_ns >= 0) h.max_ns = latency->max_ns;
    if (h.n && isfinite(latency->mean_ns)) h.sum_ns = latency->mean_ns * (double)h.n;
    sp_histogram_add(&pool->totals[series], &h);
    *n = h.n;
  }
  sp_histogram_done(&h);
  return err;
}

enum sp_err sp_pool_add(struct sp_pool *pool, const char *folder, const struct sp_result *shard,
                        struct sp_error *error) {
  int64_t n_responses = 0, ignored;
  struct sp_error why;
  enum sp_err err = add_total(pool, SP_SERIES_RESPONSE, &shard->response, &n_responses, &why);
  if (!err) err = add_total(pool, SP_SERIES_RESPONSE_OK, &shard->response_ok, &ignored, &why);
  if (!err) err = add_total(pool, SP_SERIES_FAILURE, &shard->failure, &ignored, &why);
  if (!err) err = add_total(pool, SP_SERIES_SERVICE, &shard->service, &ignored, &why);
  if (!err) err = add_total(pool, SP_SERIES_LATENESS, &shard->lateness, &ignored, &why);
  if (err) return sp_fail(error, err, "%s: %s", folder, why.text);
  char *log = sp_format("%s/latency.hlog", folder);
  struct reading reading = {.pool = pool};
  err = sp_hlog_read(log, add_interval, &reading, error);
  if (!err && shard->response.present && reading.n_responses != n_responses) {
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "%s holds %lld responses, result.json beside it %lld; the two are of different runs", log,
                  (long long)reading.n_responses, (long long)n_responses);
  }
  free(log);
  return err;
}

int64_t sp_pool_percentile(const struct sp_pool *pool, enum sp_series series, int i, int64_t n_above,
                           enum sp_percentile_state *state) {
  return sp_percentile_judge(&pool->totals[series], i, n_above, &pool->second_max[0][series], SP_SERIES_COUNT,
                             SP_POOL_SECONDS, state);
}
