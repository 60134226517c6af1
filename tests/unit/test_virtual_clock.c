// Honesty on the virtual clock: servers of which everything is known must be measured as what they are. The production pacer,
// worker, collector and meter run in tests/support/sim; the truth comes from the drawn delays or a closed form.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "support/sim.h"

#define S  SP_NS_PER_S
#define MS SP_NS_PER_MS
#define US SP_NS_PER_US

// `got` is `truth`, plus at most `more_ns`, within 0.1 %: what a histogram of three digits may add.
static void assert_near(int64_t got, double truth, double more_ns) {
  if ((double)got >= truth * 0.999 - more_ns && (double)got <= truth * 1.001 + more_ns) return;
  fail_msg("%lld ns instead of %.0f ns", (long long)got, truth);
}

static int64_t constant_ns(void *context, uint64_t call) {
  (void)call;
  return *(const int64_t *)context;
}

// --- Known distributions of delay through a server that never queues -----------------------------------------------------

#define N_DRAWN 100000

struct delays {
  int64_t (*draw)(struct sp_prng *prng);
  struct sp_prng prng;
  int64_t *drawn;
};

static int64_t draw_constant(struct sp_prng *prng) {
  (void)prng;
  return 5 * MS + 7;
}
static int64_t draw_exponential(struct sp_prng *prng) {
  return (int64_t)(sp_prng_exponential(prng) * 2e6);
}
static int64_t draw_uniform(struct sp_prng *prng) {
  return MS + (int64_t)sp_prng_below(prng, 9 * (uint64_t)MS);
}
static int64_t draw_bimodal(struct sp_prng *prng) {
  int64_t base_ns = sp_prng_below(prng, 100) == 0 ? 50 * MS : MS;
  return base_ns + (int64_t)sp_prng_below(prng, 10000);
}

static int64_t draw_and_keep(void *context, uint64_t call) {
  struct delays *delays = context;
  assert_in_range(call, 0, N_DRAWN - 1);
  return delays->drawn[call] = delays->draw(&delays->prng);
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void assert_same_histogram(const struct sp_histogram *a, const struct sp_histogram *b) {
  assert_int_equal(a->n, b->n);
  assert_memory_equal(a->counts, b->counts, SP_HISTOGRAM_SLOTS * sizeof *a->counts);
}

// Against the values that were drawn for the window's events, not against the distribution that they came from.
static void assert_distribution(struct sim *sim, int64_t *drawn, size_t n) {
  double sum = 0;
  qsort(drawn, n, sizeof *drawn, compare);
  for (size_t i = 0; i < n; i++) sum += (double)drawn[i];
  for (int i = SP_P50; i <= SP_P99_9; i++) {
    size_t rank = (size_t)ceil(nextafter(sp_percentile_q[i], 0) * (double)n);
    assert_near(sim_percentile(sim, SP_SERIES_RESPONSE, i), (double)drawn[rank - 1], 0);
    assert_near(sim_percentile(sim, SP_SERIES_SERVICE, i), (double)drawn[rank - 1], 0);
  }
  const struct sp_histogram *response = sp_meter_series(sim->meter, SP_SERIES_RESPONSE);
  assert_int_equal(response->n, n);
  assert_int_equal(response->min_ns, drawn[0]);
  assert_int_equal(response->max_ns, drawn[n - 1]);
  assert_true(fabs(sp_histogram_mean(response) * (double)n / sum - 1) < 1e-12);
  assert_same_histogram(response, sp_meter_series(sim->meter, SP_SERIES_RESPONSE_OK));
}

static void measure_delays(int64_t (*draw)(struct sp_prng *)) {
  struct delays delays = {.draw = draw, .drawn = malloc(N_DRAWN * sizeof(int64_t))};
  sp_prng_init(&delays.prng, 42, SP_PRNG_TEST);
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_POISSON, 3000, S, 8 * S),
                          .service_ns = draw_and_keep,
                          .context = &delays,
                          .reports_server_time = true};
  struct sim *sim = sim_of_plan(&plan);
  size_t n = sim->schedule->n_events - sim->schedule->n_warmup;
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_UNCHECKED), n);
  assert_distribution(sim, delays.drawn + sim->schedule->n_warmup, n);
  assert_int_equal(sp_meter_series(sim->meter, SP_SERIES_LATENESS)->max_ns, 0);
  assert_true(sp_meter_stage_mean(sim->meter, SP_STAGE_QUEUE) == 0);
  assert_true(sp_meter_stage_mean(sim->meter, SP_STAGE_RPC_OTHER) == 0);
  assert_true(fabs(sp_meter_residual_mean(sim->meter)) < 1e-3);
  sim_free(sim);
  free(delays.drawn);
}

static void test_constant_delays(void **state) {
  (void)state;
  measure_delays(draw_constant);
}
static void test_exponential_delays(void **state) {
  (void)state;
  measure_delays(draw_exponential);
}
static void test_uniform_delays(void **state) {
  (void)state;
  measure_delays(draw_uniform);
}
static void test_bimodal_delays(void **state) {
  (void)state;
  measure_delays(draw_bimodal);
}

// --- A server that stops for 1.4 s in a window of 10 s -------------------------------------------------------------------

#define STALL_NS (1400 * MS)
#define RATE     1000.0

static struct sim *run_stall(int64_t service_ns, struct sim_plan plan) {
  plan.load = sim_load(SP_ARRIVAL_CONSTANT, (uint64_t)RATE, S, 10 * S);
  plan.stall = (struct sim_span){4 * S, 4 * S + STALL_NS};
  plan.n_servers = 1;
  plan.service_ns = constant_ns;
  plan.context = &service_ns;
  return sim_of_plan(&plan);
}

// S - (1 - q) 10 s (1 - rate / service rate)
static double stall_percentile(double q, int64_t service_ns) {
  return (double)STALL_NS - (1 - q) * 1e10 * (1 - RATE * (double)service_ns / 1e9);
}

static void assert_stall_percentiles(const struct sim *sim, int64_t service_ns) {
  for (int i = SP_P90; i <= SP_P99_9; i++) {
    enum sp_percentile_state state;
    int64_t got_ns = sp_meter_percentile(sim->meter, SP_SERIES_RESPONSE, i, &state);
    if (i == SP_P99_9)
      got_ns = sp_histogram_percentile(sp_meter_series(sim->meter, SP_SERIES_RESPONSE), 0.999, 0);
    assert_near(got_ns, stall_percentile(sp_percentile_q[i], service_ns), (double)service_ns);
    assert_true((double)got_ns >=
                (double)STALL_NS - (1 - sp_percentile_q[i]) * 1e10); // were the queue to vanish at once
    // Two seconds hold all of it: printed, with the word.
    assert_int_equal(state, i == SP_P99_9 ? SP_PERCENTILE_UNRESOLVED : SP_PERCENTILE_EPISODIC);
  }
  assert_near(sim_percentile(sim, SP_SERIES_RESPONSE, SP_P50), (double)service_ns, 0);
}

static void check_stall(int64_t service_ns) {
  struct sim *wide = run_stall(service_ns, (struct sim_plan){.in_flight = 4096});
  assert_stall_percentiles(wide, service_ns);
  // All of the queue is in the server: service time sees it.
  assert_same_histogram(sp_meter_series(wide->meter, SP_SERIES_RESPONSE),
                        sp_meter_series(wide->meter, SP_SERIES_SERVICE));
  // 64 in flight: 64 calls see the stall, the others are made one by one as answers come and wait for the 63 before them.
  // p99 of service time lies among these, 1.3 s below what a user waits; response time stays as it is.
  struct sim *narrow = run_stall(service_ns, (struct sim_plan){.in_flight = 64});
  assert_stall_percentiles(narrow, service_ns);
  assert_same_histogram(sp_meter_series(narrow->meter, SP_SERIES_RESPONSE),
                        sp_meter_series(wide->meter, SP_SERIES_RESPONSE));
  assert_near(sim_percentile(narrow, SP_SERIES_SERVICE, SP_P99), 64.0 * (double)service_ns, 0);
  assert_near(sp_histogram_percentile(sp_meter_series(narrow->meter, SP_SERIES_SERVICE), 0.999, 0),
              stall_percentile(0.999, service_ns), (double)service_ns);
  assert_true(fabs(sp_meter_residual_mean(narrow->meter)) < 1e-3);
  sim_free(wide);
  sim_free(narrow);
}

static void test_stall_of_a_quick_server(void **state) {
  (void)state;
  check_stall(50 * US);
}
static void test_stall_of_a_slow_server(void **state) {
  (void)state;
  check_stall(S / 3000);
}

// What a closed loop makes of the same server, and why the result refuses it: one slow answer in 25,000.
static void test_closed_loop_hides_the_stall(void **state) {
  (void)state;
  int64_t service_ns = S / 3000;
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_CLOSED, 0, S, 10 * S),
                          .stall = {4 * S, 4 * S + STALL_NS},
                          .n_servers = 1,
                          .service_ns = constant_ns,
                          .context = &service_ns};
  plan.load.concurrency = 1;
  struct sim *sim = sim_of_plan(&plan);
  assert_near(sim_percentile(sim, SP_SERIES_SERVICE, SP_P99_9), (double)service_ns, 0);
  assert_near(sp_meter_series(sim->meter, SP_SERIES_SERVICE)->max_ns, (double)STALL_NS, (double)service_ns);
  sim_free(sim);
}

// Calls give up after 300 ms: those events rank above every answer, and their time to failure is kept apart.
static void test_deadlines_rank_above_answers(void **state) {
  (void)state;
  int64_t service_ns = 50 * US;
  struct sim *sim = run_stall(service_ns, (struct sim_plan){.call_deadline_ns = 300 * MS});
  int64_t n_expired = sp_meter_count(sim->meter, SP_OUTCOME_DEADLINE);
  assert_near(n_expired, (1.4 - 0.3) * RATE / (1 - RATE / 20000), 1);
  enum sp_percentile_state percentile_state;
  assert_int_equal(sp_meter_percentile(sim->meter, SP_SERIES_RESPONSE, SP_P90, &percentile_state), -1);
  assert_int_equal(percentile_state, SP_PERCENTILE_NO_ANSWER);
  assert_near(sim_percentile(sim, SP_SERIES_RESPONSE, SP_P50), (double)service_ns, 0);
  const struct sp_histogram *failure = sp_meter_series(sim->meter, SP_SERIES_FAILURE);
  assert_int_equal(failure->n, n_expired);
  assert_int_equal(failure->min_ns, 300 * MS);
  assert_int_equal(failure->max_ns, 300 * MS);
  assert_true(sp_meter_series(sim->meter, SP_SERIES_RESPONSE)->max_ns <= 300 * MS);
  size_t n;
  const struct sp_error_group *errors = sp_meter_errors(sim->meter, &n);
  assert_int_equal(n, 1);
  assert_int_equal(errors[0].outcome, SP_OUTCOME_DEADLINE);
  assert_int_equal(errors[0].code, 4);
  assert_int_equal(errors[0].count, n_expired);
  assert_int_equal(errors[0].first_event, 4000);
  sim_free(sim);
}

// The driver's own pause: counted in the response, and named as lateness.
static void test_pause_of_the_driver_is_lateness(void **state) {
  (void)state;
  int64_t service_ns = MS;
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_CONSTANT, (uint64_t)RATE, S, 10 * S),
                          .service_ns = constant_ns,
                          .context = &service_ns,
                          .pacer_pause = {4 * S, 4 * S + 200 * MS}};
  struct sim *sim = sim_of_plan(&plan);
  assert_near(sim_percentile(sim, SP_SERIES_LATENESS, SP_P99), 1e8, 0);
  assert_near(sim_percentile(sim, SP_SERIES_RESPONSE, SP_P99), 1e8 + 1e6, 0);
  assert_near(sim_percentile(sim, SP_SERIES_SERVICE, SP_P99), 1e6, 0);
  assert_int_equal(sp_tally_get(&sim->tally.n_window_late), 199);
  assert_true(fabs(sp_meter_stage_mean(sim->meter, SP_STAGE_LATENESS) - 20100e6 / 10000) < 1e-3);
  sim_free(sim);
}

// --- Queues in theory ----------------------------------------------------------------------------------------------------

static struct sim *run_queue(uint64_t rate_per_s, int64_t duration_ns, size_t n_servers, uint64_t in_flight,
                             int64_t *service_ns) {
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_POISSON, rate_per_s, 2 * S, duration_ns),
                          .n_servers = n_servers,
                          .in_flight = in_flight,
                          .service_ns = constant_ns,
                          .context = service_ns};
  plan.load.seed = 5;
  return sim_of_plan(&plan);
}

// D. Lindley (1952): each wait from the one before, in integers, from the schedule alone.
static double mean_wait_by_lindley(const struct sp_schedule *schedule, int64_t service_ns) {
  int64_t free_ns = 0;
  double sum_ns = 0;
  for (size_t i = 0; i < schedule->n_events; i++) {
    int64_t start_ns = schedule->intended_ns[i] > free_ns ? schedule->intended_ns[i] : free_ns;
    if (i >= schedule->n_warmup) sum_ns += (double)(start_ns - schedule->intended_ns[i]);
    free_ns = start_ns + service_ns;
  }
  return sum_ns / (double)(schedule->n_events - schedule->n_warmup);
}

// M/D/1 at a load of 0.7: Pollaczek and Khinchine give the mean wait rho D / (2 (1 - rho)); p99 of the response is about
// 7.6 D.
static void test_one_server_queue(void **state) {
  (void)state;
  int64_t service_ns = MS;
  struct sim *sim = run_queue(700, 300 * S, 1, 1, &service_ns);
  double wait_ns = sp_meter_stage_mean(sim->meter, SP_STAGE_QUEUE), theory_ns = 0.7 * 1e6 / (2 * 0.3);
  assert_true(fabs(wait_ns / theory_ns - 1) < 0.02);
  assert_true(fabs(wait_ns / mean_wait_by_lindley(sim->schedule, service_ns) - 1) < 1e-9);
  assert_true(fabs((double)sim_percentile(sim, SP_SERIES_RESPONSE, SP_P99) / 7.6e6 - 1) < 0.05);
  sim_free(sim);
}

// The same queue inside the server instead of in front of it: the user waits as long, the service time takes it over.
static void test_queue_before_or_inside_the_server(void **state) {
  (void)state;
  int64_t service_ns = MS;
  struct sim *before = run_queue(700, 30 * S, 1, 1, &service_ns);
  struct sim *inside = run_queue(700, 30 * S, 1, 4096, &service_ns);
  assert_same_histogram(sp_meter_series(before->meter, SP_SERIES_RESPONSE),
                        sp_meter_series(inside->meter, SP_SERIES_RESPONSE));
  assert_near(sim_percentile(before, SP_SERIES_SERVICE, SP_P99_9), (double)service_ns, 0);
  assert_true(sp_meter_stage_mean(inside->meter, SP_STAGE_QUEUE) == 0);
  double wait_ns = sp_meter_stage_mean(before->meter, SP_STAGE_QUEUE);
  assert_true(fabs(sp_meter_stage_mean(inside->meter, SP_STAGE_PREDICT) - 1e6 - wait_ns) < 1e-3);
  sim_free(before);
  sim_free(inside);
}

// M/D/2 at the same load: the FIFO is shared by all workers, so p99 is 4.2 D and not the 7.6 D of a queue each.
static void test_two_servers_share_one_queue(void **state) {
  (void)state;
  int64_t service_ns = MS;
  struct sim *sim = run_queue(1400, 60 * S, 2, 2, &service_ns);
  assert_true(fabs((double)sim_percentile(sim, SP_SERIES_RESPONSE, SP_P99) / 4.2e6 - 1) < 0.05);
  sim_free(sim);
}

// Two workers with a request each are the same queue as one worker with two.
static void test_workers_share_one_queue(void **state) {
  (void)state;
  int64_t service_ns = MS;
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_POISSON, 1400, S, 5 * S),
                          .n_servers = 2,
                          .in_flight = 2,
                          .service_ns = constant_ns,
                          .context = &service_ns};
  struct sim *one = sim_of_plan(&plan);
  plan.threads = 2;
  struct sim *two = sim_of_plan(&plan);
  assert_same_histogram(sp_meter_series(one->meter, SP_SERIES_RESPONSE),
                        sp_meter_series(two->meter, SP_SERIES_RESPONSE));
  sim_free(one);
  sim_free(two);
}

// --- Books ---------------------------------------------------------------------------------------------------------------

// The FIFO is full after 256 events more than are in flight; the rest of the stall is shed at its instant, without waiting.
static void test_full_queue_sheds_and_never_blocks(void **state) {
  (void)state;
  struct sim *sim = run_stall(50 * US, (struct sim_plan){.fifo_events = 256, .in_flight = 64});
  int64_t n_in_stall = STALL_NS / MS + 1; // the one at its last instant finds the queue still full
  assert_int_equal(sp_tally_get(&sim->tally.n_window_shed), n_in_stall - 256 - 64);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_SHED), n_in_stall - 256 - 64);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_UNCHECKED), 10000 - (n_in_stall - 256 - 64));
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_LOST), 0);
  assert_int_equal(sp_meter_series(sim->meter, SP_SERIES_LATENESS)->max_ns, 0);
  assert_int_equal(sp_meter_series(sim->meter, SP_SERIES_LATENESS)->n,
                   sp_tally_get(&sim->tally.n_window_sent));
  enum sp_percentile_state percentile_state;
  assert_int_equal(sp_meter_percentile(sim->meter, SP_SERIES_RESPONSE, SP_P90, &percentile_state), -1);
  assert_int_equal(percentile_state, SP_PERCENTILE_NO_ANSWER);
  sim_free(sim);
}

// A server that never comes back: what was taken is lost, the rest shed, and the end does not wait longer than the drain.
static void test_dead_server_loses_what_it_holds(void **state) {
  (void)state;
  int64_t service_ns = 50 * US;
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_CONSTANT, (uint64_t)RATE, S, 10 * S),
                          .stall = {4 * S, 1000 * S},
                          .n_servers = 1,
                          .in_flight = 64,
                          .fifo_events = 256,
                          .service_ns = constant_ns,
                          .context = &service_ns};
  struct sim *sim = sim_of_plan(&plan);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_UNCHECKED), 3000);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_LOST), 320);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_SHED), 10000 - 3000 - 320);
  assert_int_equal(sim->now_ns, SIM_ORIGIN_NS + 21 * S);
  sim_free(sim);
}

static void test_closed_loop_keeps_its_concurrency(void **state) {
  (void)state;
  int64_t service_ns = MS;
  struct sim_plan plan = {
      .load = sim_load(SP_ARRIVAL_CLOSED, 0, S / 2, S), .service_ns = constant_ns, .context = &service_ns};
  plan.load.concurrency = 16;
  struct sim *sim = sim_of_plan(&plan);
  assert_int_equal(sim->most_under_way, 16);
  assert_int_equal(sp_tally_get(&sim->tally.n_warmup), 16 * 500); // by Little's law, 16 every ms
  assert_int_equal(sp_tally_get(&sim->tally.n_window_sent), 16 * 1000);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_UNCHECKED), 16 * 1000);
  assert_int_equal(sp_meter_answered_in_window(sim->meter), 16 * 1000);
  assert_int_equal(sp_tally_get(&sim->tally.n_done), 16 * 1500);
  sim_free(sim);
}

static void test_closed_loop_at_random_delays(void **state) {
  (void)state;
  struct delays delays = {.draw = draw_exponential, .drawn = malloc(N_DRAWN * sizeof(int64_t))};
  sp_prng_init(&delays.prng, 1, SP_PRNG_TEST);
  struct sim_plan plan = {
      .load = sim_load(SP_ARRIVAL_CLOSED, 0, S / 2, 4 * S), .service_ns = draw_and_keep, .context = &delays};
  plan.load.concurrency = 16;
  struct sim *sim = sim_of_plan(&plan);
  assert_int_equal(sim->most_under_way, 16);
  int64_t n_warmup = sp_tally_get(&sim->tally.n_warmup);
  assert_true(n_warmup > 0 &&
              sp_tally_get(&sim->tally.n_sent) == n_warmup + sp_tally_get(&sim->tally.n_window_sent));
  assert_distribution(sim, delays.drawn + n_warmup, (size_t)sp_tally_get(&sim->tally.n_window_sent));
  sim_free(sim);
  free(delays.drawn);
}

// A closed loop plans nothing, so it has nothing to shed: a full FIFO makes it wait.
static void test_closed_loop_never_sheds(void **state) {
  (void)state;
  int64_t service_ns = MS;
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_CLOSED, 0, 0, S / 2),
                          .fifo_events = 4,
                          .in_flight = 2,
                          .n_servers = 1,
                          .service_ns = constant_ns,
                          .context = &service_ns};
  plan.load.concurrency = 16;
  struct sim *sim = sim_of_plan(&plan);
  assert_int_equal(sp_tally_get(&sim->tally.n_shed), 0);
  assert_int_equal(sim->most_under_way, 6);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_UNCHECKED),
                   500 + 5); // one a ms, and those under way at the end
  sim_free(sim);
}

static int64_t slow_start(void *context, uint64_t call) {
  (void)context;
  return call < 2000 ? 50 * MS : MS;
}
static void fail_at_start(void *context, struct sp_request *request, uint64_t call) {
  (void)context;
  if (call < 2000 && call % 3 == 0) request->outcome = SP_OUTCOME_UNAVAILABLE;
}
static size_t double_at_start(void *context, struct sp_reply **replies, size_t n, size_t max) {
  (void)context;
  if (n == 1 && max > 1 && replies[0]->id < 2000) replies[n++] = replies[0];
  return n;
}

// Slow, failing, doubled and out of order in the warm-up; perfect in the window.
static void test_warmup_stays_out_of_the_figures(void **state) {
  (void)state;
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_CONSTANT, 1000, 2 * S, 2 * S),
                          .service_ns = slow_start,
                          .predicted = fail_at_start,
                          .arriving = double_at_start,
                          .n_keys = 1,
                          .threads = 2};
  struct sim *sim = sim_of_plan(&plan);
  size_t n_errors;
  sp_meter_errors(sim->meter, &n_errors);
  assert_int_equal(n_errors, 0);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_UNCHECKED), 2000);
  assert_int_equal(sp_meter_series(sim->meter, SP_SERIES_RESPONSE)->n, 2000);
  assert_int_equal(sp_meter_series(sim->meter, SP_SERIES_RESPONSE)->max_ns, MS);
  assert_int_equal(sp_meter_series(sim->meter, SP_SERIES_LATENESS)->n, 2000);
  assert_int_equal(sp_meter_flag_count(sim->meter, SP_FLAG_DUPLICATE), 0);
  assert_int_equal(sp_tally_get(&sim->tally.n_not_ok), 0);
  assert_int_equal(sp_tally_get(&sim->tally.n_done), 4000);
  assert_int_equal(sim->n_timeline_sent, 4000); // the timeline shows the warm-up too
  assert_int_equal(sim->n_timeline_done, 4000);
  sim_free(sim);
}

// --- Order within a key --------------------------------------------------------------------------------------------------

struct watched_order {
  struct delays delays; // first
  uint64_t latest[7];
  int64_t n_broken;
};

static int64_t draw_for_order(void *context, uint64_t call) {
  return draw_and_keep(&((struct watched_order *)context)->delays, call);
}
static size_t watch_order(void *context, struct sp_reply **replies, size_t n, size_t max) {
  struct watched_order *watched = context;
  (void)max;
  for (size_t i = 0; i < n; i++) {
    uint64_t id = replies[i]->id, *latest = &watched->latest[id % 1000 % 7];
    watched->n_broken += id < *latest;
    if (id > *latest) *latest = id;
  }
  return n;
}

static struct watched_order run_order(size_t n_servers, int64_t *n_flagged) {
  struct watched_order watched = {
      .delays = {.draw = draw_uniform, .drawn = malloc(N_DRAWN * sizeof(int64_t))}};
  sp_prng_init(&watched.delays.prng, 3, SP_PRNG_TEST);
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_POISSON, 150, 0, 20 * S),
                          .n_keys = 7,
                          .n_servers = n_servers,
                          .service_ns = draw_for_order,
                          .arriving = watch_order,
                          .context = &watched};
  plan.load.rate.n *= n_servers ? 1 : 10;
  struct sim *sim = sim_of_plan(&plan);
  *n_flagged = sp_meter_flag_count(sim->meter, SP_FLAG_REORDERED);
  sim_free(sim);
  free(watched.delays.drawn);
  return watched;
}

static void test_broken_order_within_a_key_is_flagged(void **state) {
  (void)state;
  int64_t n_flagged;
  struct watched_order watched = run_order(0, &n_flagged);
  assert_true(n_flagged > 1000);
  assert_int_equal(n_flagged, watched.n_broken);
  run_order(1, &n_flagged);
  assert_int_equal(n_flagged, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_constant_delays),
      cmocka_unit_test(test_exponential_delays),
      cmocka_unit_test(test_uniform_delays),
      cmocka_unit_test(test_bimodal_delays),
      cmocka_unit_test(test_stall_of_a_quick_server),
      cmocka_unit_test(test_stall_of_a_slow_server),
      cmocka_unit_test(test_closed_loop_hides_the_stall),
      cmocka_unit_test(test_deadlines_rank_above_answers),
      cmocka_unit_test(test_pause_of_the_driver_is_lateness),
      cmocka_unit_test(test_one_server_queue),
      cmocka_unit_test(test_queue_before_or_inside_the_server),
      cmocka_unit_test(test_two_servers_share_one_queue),
      cmocka_unit_test(test_workers_share_one_queue),
      cmocka_unit_test(test_full_queue_sheds_and_never_blocks),
      cmocka_unit_test(test_dead_server_loses_what_it_holds),
      cmocka_unit_test(test_closed_loop_keeps_its_concurrency),
      cmocka_unit_test(test_closed_loop_at_random_delays),
      cmocka_unit_test(test_closed_loop_never_sheds),
      cmocka_unit_test(test_warmup_stays_out_of_the_figures),
      cmocka_unit_test(test_broken_order_within_a_key_is_flagged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
