// Wiring, the loop over instants, and the closing of the books.
#include "support/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/cutoff.h"
#include "support/sim_server.h"

double sim_score(size_t i) {
  return (double)(i * 7919 % 10007) / 10007;
}

struct sp_load_conf sim_load(int arrival, uint64_t rate_per_s, int64_t warmup_ns, int64_t duration_ns) {
  return (struct sp_load_conf){.arrival = arrival,
                               .rate = {rate_per_s, (uint64_t)SP_NS_PER_S},
                               .warmup_ns = warmup_ns,
                               .duration_ns = duration_ns,
                               .drain_ns = 10 * SP_NS_PER_S,
                               .seed = 1};
}

// What the application is told of events and answers: one number in, one score out.
static struct sp_column_conf columns[] = {{.column = "x", .missing = "malformed", .unknown = "malformed"}};
static int64_t shape[] = {1, 1};
static struct sp_input_tensor_conf tensors[] = {
    {.name = "x", .dtype = "float32", .shape = {shape, 2}, .columns = {columns, 1}}};
static char *header[] = {"x"};
static const struct sp_input_conf input = {
    .format = SP_INPUT_CSV, .header = {header, 1}, .tensors = {tensors, 1}};
static const struct sp_output_conf output = {
    .format = SP_OUTPUT_JSON, .tensor = "score", .as = SP_OUTPUT_AS_PROBABILITY};

static bool stream_send(void *impl, const struct sp_delivery *delivery) {
  struct sim *sim = impl;
  enum sim_way way = sim->plan.leaving ? sim->plan.leaving(sim->plan.context, delivery) : SIM_PASS;
  if (way == SIM_PASS) return sp_stream_send(&sim->transport, delivery);
  return way == SIM_LOSE;
}
static size_t stream_receive(void *impl, struct sp_reply **replies, size_t max, int64_t deadline_ns) {
  struct sim *sim = impl;
  size_t n = sp_stream_receive(&sim->transport, replies, max, deadline_ns);
  return sim->plan.arriving ? sim->plan.arriving(sim->plan.context, replies, n, max) : n;
}
static size_t stream_take(void *impl, struct sp_delivery *deliveries, size_t max, int64_t deadline_ns) {
  return sp_stream_take(&((struct sim *)impl)->transport, deliveries, max, deadline_ns);
}
static struct sp_reply *stream_reply_claim(void *impl) {
  return sp_stream_reply_claim(&((struct sim *)impl)->transport);
}
static void stream_reply_commit(void *impl, struct sp_reply *reply) {
  sp_stream_reply_commit(&((struct sim *)impl)->transport, reply);
}
static void stream_close(void *impl) {
  sp_stream_close(&((struct sim *)impl)->transport);
}

static const struct sp_stream_ops stream_ops = {
    .name = "sim",
    .send = stream_send,
    .receive = stream_receive,
    .take = stream_take,
    .reply_claim = stream_reply_claim,
    .reply_commit = stream_reply_commit,
    .close = stream_close,
};

static void fill_standards(struct sim_plan *plan) {
  if (!plan->n_recorded) plan->n_recorded = 1000;
  if (!plan->fifo_events) plan->fifo_events = 65536;
  if (!plan->in_flight) plan->in_flight = 4096;
  if (!plan->threads) plan->threads = 1;
  if (!plan->batch) plan->batch = 1;
}

static void make_recording(struct sim *sim) {
  struct sp_recording *recording = &sim->recording;
  recording->n_events = sim->plan.n_recorded;
  recording->events = sp_alloc(recording->n_events * sizeof *recording->events);
  for (size_t i = 0; i < recording->n_events; i++) {
    struct sp_event *event = &recording->events[i];
    event->offset_ns = i * (uint64_t)SP_NS_PER_MS;
    event->value = sp_bytes_of_text(sp_format("%zu", i));
    if (sim->plan.n_keys) event->key = sp_bytes_of_text(sp_format("key %zu", i % sim->plan.n_keys));
  }
  sim->expected = (struct sp_expected){.n_events = recording->n_events, .n_values = 1};
  sim->expected.values = sp_alloc(recording->n_events * sizeof(double));
  sim->expected.known = sp_alloc(recording->n_events);
  for (size_t i = 0; i < recording->n_events; i++) {
    sim->expected.values[i] = sim_score(i);
    sim->expected.known[i] = 1;
  }
  sim->expect = (struct sp_expect_conf){.abs = 1e-6, .rel = 1e-6};
}

static void make_app(struct sim *sim) {
  const struct sim_plan *plan = &sim->plan;
  struct sp_error error;
  sim->app_conf = (struct sp_app_conf){.threads = plan->threads, .batch = plan->batch};
  struct sp_app_env env = {.clock = &sim->clock,
                           .conf = &sim->app_conf,
                           .input = plan->is_checked ? &input : NULL,
                           .output = plan->is_checked ? &output : NULL,
                           .path_ops = &sim_server_ops,
                           .in_flight = plan->in_flight,
                           .path_env = {.rpc = &sim->rpc}};
  if (sp_app_new(&env, &sim->app, &error) != SP_OK) fail_msg("%s", error.text);
  sim->direct = sp_direct_new(plan->fifo_events, sp_app_value_bound(sim->app), SP_WAIT_PARK, &sim->transport);
  sim->stream = (struct sp_stream){&stream_ops, sim, sim->transport.value_bound};
  sp_app_set_stream(sim->app, &sim->stream);
}

static void make_books(struct sim *sim) {
  sp_event_states_init(&sim->states, sim->schedule->n_events, !sim->schedule->intended_ns);
  sp_key_order_init(&sim->order, &sim->recording);
  sim->checker = (struct sp_checker){.encoder = sp_app_encoder(sim->app),
                                     .expected = sim->plan.is_checked ? &sim->expected : NULL,
                                     .conf = &sim->expect,
                                     .threshold = 0.5,
                                     .n_recorded = sim->recording.n_events};
  sim->meter = sp_meter_new();
  sp_meter_window(sim->meter, SIM_ORIGIN_NS + sim->schedule->t0_ns, SIM_ORIGIN_NS + sim->schedule->t1_ns);
}

static void wire(struct sim *sim) {
  struct sp_pacer *pacer = &sim->pacer;
  struct sp_collector *collector = &sim->collector;
  pacer->clock = collector->clock = &sim->clock;
  pacer->schedule = collector->schedule = sim->schedule;
  pacer->stream = collector->stream = &sim->stream;
  pacer->tally = collector->tally = &sim->tally;
  pacer->states = collector->states = &sim->states;
  pacer->done_gate = collector->done_gate = &sim->done_gate;
  pacer->origin_ns = collector->origin_ns = SIM_ORIGIN_NS;
  pacer->conf = &sim->plan.load;
  pacer->recording = &sim->recording;
  sp_pacer_init(pacer);
  collector->order = &sim->order;
  collector->checker = &sim->checker;
  collector->meter = sim->meter;
  collector->deadline_ns = sim->plan.deadline_ns;
}

struct sim *sim_new(const struct sim_plan *plan) {
  struct sim *sim = aligned_alloc(64, (sizeof *sim + 63) / 64 * 64);
  SP_ASSERT(sim);
  memset(sim, 0, sizeof *sim);
  sim->plan = *plan;
  fill_standards(&sim->plan);
  sim->now_ns = SIM_ORIGIN_NS;
  sim->clock.virtual_ns = &sim->now_ns;
  make_recording(sim);
  struct sp_error error;
  if (sp_schedule_new(&sim->plan.load, &sim->recording, &sim->schedule, &error) != SP_OK)
    fail_msg("%s", error.text);
  sim->free_at_ns = sp_alloc((plan->n_servers + 1) * sizeof *sim->free_at_ns);
  sim->heap = sp_alloc((sim->plan.in_flight + sim->plan.threads) * sizeof *sim->heap);
  make_app(sim);
  make_books(sim);
  wire(sim);
  sim->second = -(sim->schedule->t0_ns / SP_NS_PER_S);
  sim->next_flip_ns = SIM_ORIGIN_NS + sim->schedule->t0_ns + (sim->second + 1) * SP_NS_PER_S;
  sim->alarm_ns = INT64_MAX;
  return sim;
}

void sim_free(struct sim *sim) {
  sp_app_free(sim->app);
  sp_direct_free(sim->direct);
  sp_pacer_done(&sim->pacer);
  sp_meter_free(sim->meter);
  sp_key_order_done(&sim->order);
  sp_event_states_done(&sim->states);
  sp_schedule_free(sim->schedule);
  for (size_t i = 0; i < sim->recording.n_events; i++) {
    free((void *)(uintptr_t)sim->recording.events[i].value.data);
    free((void *)(uintptr_t)sim->recording.events[i].key.data);
  }
  free(sim->recording.events);
  free(sim->expected.values);
  free(sim->expected.known);
  free(sim->free_at_ns);
  free(sim->heap);
  free(sim);
}

static int64_t under_way(const struct sim *sim) {
  return sp_tally_get(&sim->tally.n_sent) - sp_tally_get(&sim->tally.n_done);
}

static int64_t next_send_ns(const struct sim *sim) {
  const struct sim_span *pause = &sim->plan.pacer_pause;
  bool is_paused =
      sim->next_send_ns >= SIM_ORIGIN_NS + pause->from_ns && sim->next_send_ns < SIM_ORIGIN_NS + pause->to_ns;
  return is_paused ? SIM_ORIGIN_NS + pause->to_ns : sim->next_send_ns;
}

static bool step_pacer(struct sim *sim) {
  if (next_send_ns(sim) > sim->now_ns) return false;
  size_t before = sim->pacer.next_event;
  sim->next_send_ns = sp_pacer_step(&sim->pacer);
  if (under_way(sim) > sim->most_under_way) sim->most_under_way = under_way(sim);
  return sim->pacer.next_event != before;
}

static bool step_workers(struct sim *sim) {
  bool moved = false;
  for (unsigned i = 0; i < sim->plan.threads; i++) moved |= sp_app_worker_step(sim->app, i, 0) > 0;
  return moved;
}

static bool step_server(struct sim *sim) {
  return sim_server_next_ns(sim) <= sim->now_ns &&
         sp_app_reap_step(sim->app, sim_server_next_worker(sim), 0) > 0;
}

// Everything that can happen at this instant; answers are collected one by one, as they come.
static void settle(struct sim *sim) {
  bool moved = true;
  while (moved) {
    moved = step_server(sim);
    moved |= sp_collector_step(&sim->collector, 0) > 0;
    if (moved) continue;
    moved = step_pacer(sim);
    moved |= step_workers(sim);
  }
}

static void flip(struct sim *sim) {
  struct sp_second row;
  sp_meter_flip(sim->meter, NULL, 0, 1, sim->second, sp_tally_get(&sim->tally.n_sent), &row);
  sim->n_timeline_sent += row.n_sent;
  sim->n_timeline_done += row.n_done;
  sim->second++;
  sim->next_flip_ns += SP_NS_PER_S;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns) {
  return a_ns < b_ns ? a_ns : b_ns;
}

void sim_run(struct sim *sim) {
  int64_t cutoff_ns = SIM_ORIGIN_NS + sim->schedule->t1_ns + sim->plan.load.drain_ns;
  sim->next_send_ns = SIM_ORIGIN_NS;
  for (;;) {
    settle(sim);
    if (sim->next_send_ns == INT64_MAX && (under_way(sim) == 0 || sim->now_ns >= cutoff_ns)) break;
    int64_t next_ns = earlier(sim_server_next_ns(sim), sim->next_send_ns ? next_send_ns(sim) : INT64_MAX);
    next_ns = earlier(earlier(next_ns, sim->alarm_ns), earlier(sim->next_flip_ns, cutoff_ns));
    SP_ASSERT(next_ns > sim->now_ns);
    sim->now_ns = next_ns;
    if (sim->now_ns == sim->alarm_ns) sim->alarm_ns = INT64_MAX;
    if (sim->now_ns == sim->next_flip_ns) flip(sim);
  }
  flip(sim);
  sp_cutoff_book(&sim->pacer, sim->meter, NULL);
  sp_meter_set_lateness(sim->meter, &sim->pacer.lateness);
}

struct sim *sim_of_plan(const struct sim_plan *plan) {
  struct sim *sim = sim_new(plan);
  sim_run(sim);
  sim_assert_books(sim);
  return sim;
}

int64_t sim_intended(const struct sim *sim) {
  return sp_tally_get(&sim->tally.n_window_sent) + sp_tally_get(&sim->tally.n_window_shed);
}

int64_t sim_percentile(const struct sim *sim, enum sp_series series, int i) {
  enum sp_percentile_state state;
  return sp_meter_percentile(sim->meter, series, i, &state);
}

void sim_assert_books(const struct sim *sim) {
  struct sp_error error = {.text = ""};
  int64_t planned = (int64_t)(sim->schedule->n_events - sim->schedule->n_warmup);
  if (sp_meter_check_books(sim->meter, sim_intended(sim), &error) != SP_OK) fail_msg("%s", error.text);
  if (sim->schedule->intended_ns) assert_int_equal(sim_intended(sim), planned);
}
