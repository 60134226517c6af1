#include "support/trials.h"

#include <math.h>
#include <stdlib.h>

static void fill_latency(struct sp_latency *latency, double p50_ns, double p99_ns) {
  latency->present = true;
  latency->count = SP_TRIALS_EVENTS;
  latency->mean_ns = p50_ns * 1.1;
  latency->max_ns = (int64_t)(3 * p99_ns);
  for (int i = 0; i < SP_PERCENTILES; i++) {
    bool is_resolved = i <= SP_P99;
    latency->state[i] = is_resolved ? SP_PERCENTILE_RESOLVED : SP_PERCENTILE_UNRESOLVED;
    latency->percentile_ns[i] = is_resolved ? (int64_t)llround(i == SP_P50 ? p50_ns : p99_ns) : -1;
  }
}

// Everything that is not named below takes no time; half of predict is the server's.
static void fill_stages(struct sp_result *r, double mean_ns) {
  const double shares[SP_STAGE_COUNT] = {
      [SP_STAGE_QUEUE] = 0.2,    [SP_STAGE_DECODE] = 0.1, [SP_STAGE_PREDICT] = 0.6,
      [SP_STAGE_OUTBOUND] = 0.1, [SP_STAGE_SERVER] = 0.3, [SP_STAGE_RPC_OTHER] = 0.3};
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    if (i == SP_STAGE_TRANSIT) continue;
    r->stages[i] = (struct sp_stage_figures){
        .present = true, .mean_ns = shares[i] * mean_ns, .mean_above_p99_ns = 3 * shares[i] * mean_ns};
  }
  r->residual_ns = 0;
}

static void fill_facts(struct sp_result *r, uint64_t seed) {
  sp_facts_text(&r->scenario, "name", "made-up");
  sp_facts_json(
      &r->scenario, "resolved",
      "{\"expect\":{\"abs\":1e-05,\"p99\":\"10ms\"},\"sides\":{\"a\":{\"path\":\"embedded\",\"threads\":1},"
      "\"b\":{\"path\":\"rpc\",\"threads\":1},\"c\":{\"path\":\"rpc\",\"threads\":2}}}");
  sp_facts_text(&r->recording, "digest", "xxh128:recording");
  sp_facts_text(&r->model, "digest", "xxh128:model");
  sp_facts_text(&r->load, "arrival", "poisson");
  sp_facts_real(&r->load, "rate_per_s", 1000);
  sp_facts_count(&r->load, "seed", (int64_t)seed);
  sp_facts_count(&r->load, "duration_ns", 10000000000);
  sp_facts_text(&r->machine, "fingerprint", "xxh128:machine");
  sp_facts_text(&r->build, "version", "1.0");
}

struct sp_result *sp_trials_add(struct sp_trials *trials, const struct sp_trials_side *side, size_t side_i,
                                size_t pair_i) {
  struct sp_result *r = sp_result_new();
  trials->items = sp_realloc(trials->items, (trials->n + 1) * sizeof *trials->items);
  size_t number = ++trials->n;
  trials->items[number - 1] = (struct sp_judge_trial){
      .result = r,
      .dir = sp_format("pairs/%03zu-%zu/%s", pair_i, number, side->name),
      .side_i = side_i,
      .pair_i = pair_i,
      .seed = 1 + pair_i,
  };
  r->complete = true;
  r->side = sp_copy_text(side->name);
  r->path = sp_copy_text(side_i ? "rpc" : "embedded");
  r->transport = sp_copy_text("direct");
  fill_facts(r, 1 + pair_i);
  r->window_s = 10;
  r->intended = r->outcomes[SP_OUTCOME_OK] = SP_TRIALS_EVENTS;
  r->offered_per_s = r->achieved_per_s = 1000;
  r->completion = 1;
  fill_latency(&r->response, side->p50_ns, side->p99_ns);
  fill_stages(r, r->response.mean_ns);
  sp_amounts_set(&r->cpu_us_per_event, "app", side->cpu_us);
  sp_amounts_set(&r->cpu_us_per_event, "total", side->cpu_us);
  sp_amounts_set(&r->rss_bytes, "app", 5e7);
  r->predictions.checked = SP_TRIALS_EVENTS;
  r->predictions.source = sp_copy_text("reference");
  r->predictions.max_abs_error = 1e-7;
  sp_result_bound(r, "expect.p99", 1e7, side->p99_ns, side->p99_ns <= 1e7 ? SP_MET_YES : SP_MET_NO);
  return r;
}

static double scatter(double value, double noise, struct sp_prng *prng) {
  return value * exp(noise * sp_prng_normal(prng));
}

void sp_trials_pairs(struct sp_trials *trials, const struct sp_trials_side *sides, size_t n_sides,
                     size_t n_pairs, struct sp_prng *prng) {
  for (size_t p = 0; p < n_pairs; p++) {
    for (size_t s = 0; s < n_sides; s++) {
      struct sp_trials_side drawn = sides[s];
      drawn.p50_ns = scatter(drawn.p50_ns, drawn.p50_noise, prng);
      drawn.p99_ns = scatter(drawn.p99_ns, drawn.p99_noise, prng);
      drawn.cpu_us = scatter(drawn.cpu_us, drawn.cpu_noise, prng);
      sp_trials_add(trials, &drawn, s, p);
    }
  }
}

struct sp_result *sp_trials_result(const struct sp_trials *trials, size_t i) {
  SP_ASSERT(i < trials->n);
  return (struct sp_result *)(uintptr_t)trials->items[i].result;
}

void sp_trials_done(struct sp_trials *trials) {
  for (size_t i = 0; i < trials->n; i++) {
    sp_result_free(sp_trials_result(trials, i));
    free((void *)(uintptr_t)trials->items[i].dir);
  }
  free(trials->items);
  *trials = (struct sp_trials){0};
}
