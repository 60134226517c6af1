// The search finds what queueing theory says of a server of fixed service time: Poisson arrivals, one worker, D = 1 ms, and p99
// of the response at most 10 D is a utilisation of 0.772 (stats/queueing.h). Each trial is the production pacer, worker, collector
// and meter on the virtual clock, judged as a live one.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decide/search_probe.h"
#include "stats/queueing.h"
#include "support/sim.h"

#define D_NS     SP_NS_PER_MS
#define BOUND_NS (10 * D_NS)

struct probe {
  struct sp_search_slo slo;
  struct sp_search_options options;
  int64_t backlog_at_t1; // as the driver reads it
};

struct run {
  struct probe *probe;
  struct sim *sim; // NULL: not made yet
};

static int64_t service_ns(void *context, uint64_t call) {
  (void)context;
  (void)call;
  return D_NS;
}

// The clock reaches the end of the window: what has been sent and not answered waits.
static size_t count_at_t1(void *context, struct sp_reply **replies, size_t n, size_t max) {
  (void)replies;
  (void)max;
  struct run *both = context;
  struct sim *sim = both->sim;
  if (!sim || sim->now_ns < sim->alarm_ns) return n;
  sim->alarm_ns = INT64_MAX;
  both->probe->backlog_at_t1 =
      sp_tally_get(&sim->tally.n_sent) - sp_tally_get(&sim->tally.n_done) - (int64_t)n;
  return n;
}

static struct sp_result *result_of(const struct sim *sim, int64_t backlog_at_t1) {
  struct sp_result *r = sp_result_new();
  r->complete = true;
  r->intended = sim_intended(sim);
  r->window_s = (double)(sim->schedule->t1_ns - sim->schedule->t0_ns) * 1e-9;
  r->backlog_at_t1 = backlog_at_t1;
  sp_result_from_meter(r, sim->meter);
  return r;
}

static enum sp_err run(void *context, double rate_per_s, uint64_t seed, struct sp_probe_outcome *outcome,
                       struct sp_error *error) {
  (void)error;
  struct probe *probe = context;
  struct run both = {probe, NULL};
  probe->backlog_at_t1 = 0; // where everything was answered before that
  int64_t duration_ns = sp_search_duration_ns(&probe->slo, &probe->options, rate_per_s);
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_POISSON, 0, 2 * SP_NS_PER_S, duration_ns),
                          .n_servers = 1,
                          .in_flight = 1,
                          .service_ns = service_ns,
                          .arriving = count_at_t1,
                          .context = &both};
  plan.load.rate = (struct sp_rate){(uint64_t)(rate_per_s * 1000 + 0.5), 1000 * (uint64_t)SP_NS_PER_S};
  plan.load.seed = seed;
  struct sim *sim = both.sim = sim_new(&plan);
  sim->alarm_ns = SIM_ORIGIN_NS + sim->schedule->t1_ns;
  sim_run(sim);
  sim_assert_books(sim);
  struct sp_result *r = result_of(sim, probe->backlog_at_t1);
  sp_search_judge(&probe->slo, r, outcome);
  sp_result_free(r);
  sim_free(sim);
  return SP_OK;
}

static struct sp_search search_from(double from_per_s, uint64_t seed, int64_t probe_ns) {
  static const struct sp_side side = {.name = (char *)"sim"};
  struct probe probe = {.options.probe_ns = probe_ns};
  struct sp_search_plan plan = {.from_per_s = from_per_s,
                                .least_per_s = 22,
                                .most_per_s = 1e6,
                                .precision = SP_SEARCH_PRECISION,
                                .first_seed = seed,
                                .most_trials = SP_SEARCH_TRIALS_MOST,
                                .probe = run,
                                .context = &probe};
  struct sp_search search = {0};
  struct sp_error error;
  sp_search_slo_of(&(struct sp_expect_conf){.p99_ns = BOUND_NS, .not_ok = -1}, &side, &probe.slo);
  assert_int_equal(sp_search_run(&plan, &search, &error), SP_OK);
  return search;
}

static void assert_found(const struct sp_search *search, double within) {
  double truth_per_s = sp_md1_utilisation(0.99, 10) * 1e9 / (double)D_NS;
  double found_per_s = sqrt(search->low_per_s * search->high_per_s);
  char text[SP_SEARCH_TEXT_BYTES];
  print_message("%s, theory %.0f/s\n", sp_search_text(search, text, sizeof text), truth_per_s);
  assert_int_equal(search->verdict, SP_SEARCH_BRACKET);
  assert_true(search->high_per_s <= search->low_per_s * (1 + SP_SEARCH_PRECISION));
  assert_true(fabs(found_per_s / truth_per_s - 1) <= within);
  assert_true(search->low_per_s < truth_per_s * (1 + within) &&
              search->high_per_s > truth_per_s * (1 - within));
}

// Trials as they are by default: at least 10 s and 20,000 events.
static void test_default_trials(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    struct sp_search search = search_from(500, 1000 * seed, 0);
    assert_found(&search, 0.05);
    sp_search_done(&search);
  }
}

// Ten times as long: the bracket closes in on the truth, which luck would not.
static void test_long_trials(void **state) {
  (void)state;
  struct sp_search search = search_from(500, 7, 260 * SP_NS_PER_S);
  assert_found(&search, 0.03);
  sp_search_done(&search);
}

// From far above: rates at which the queue only grows fail by their percentiles, and the search comes down.
static void test_from_above(void **state) {
  (void)state;
  struct sp_search search = search_from(6000, 11, 0);
  assert_int_equal(search.rates[0].verdict, SP_PROBE_FAILED);
  assert_int_equal(search.rates[1].phase, SP_SEARCH_HALVING);
  assert_found(&search, 0.05);
  sp_search_done(&search);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_default_trials),
      cmocka_unit_test(test_long_trials),
      cmocka_unit_test(test_from_above),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
