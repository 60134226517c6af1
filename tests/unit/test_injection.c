// One wrong thing among ten thousand events: it is found and named, the books still sum, and nothing else changes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/sim.h"

#define S          SP_NS_PER_S
#define MS         SP_NS_PER_MS
#define N_WARMUP   500
#define N_WINDOW   10000
#define N_RECORDED 1000
#define VICTIM     4321 // index in the schedule
#define OTHER      4330
#define DEADLINE   (100 * MS)

enum fault {
  NO_FAULT,
  LOSE_EVENT,
  LOSE_ANSWER,
  DOUBLE_ANSWER,
  DOUBLE_AND_ALTER, // the copy comes later and says something else
  ALTER_ANSWER,
  SWAP_IDS,
  PERTURB_SCORE,
  HOLD_ANSWER, // beyond its deadline
  BREAK_ANSWER,
  EMPTY_ANSWER,
  FAIL_EVENT,
  SHED_EVENT,
  ANSWER_BEYOND_SCHEDULE,
  ANSWER_HUGE_ID,
  ANSWER_UNSENT,
  ANSWER_SHED,
};

struct injection {
  const char *name;
  enum fault fault;
  enum sp_outcome outcome; // of the victim; 0: ok
  int flag;                // raised once; -1: none
  int n_moved;             // entries that differ between the response histograms
  int n_mismatched;        // answers that the checker refuses
  const char *error;       // text of the one error group
};

static const struct injection injections[] = {
    {"nothing", NO_FAULT, 0, -1, 0, 0, NULL},
    {"an event is lost on its way out", LOSE_EVENT, SP_OUTCOME_LOST, -1, 1, 0, NULL},
    {"an answer is lost on its way back", LOSE_ANSWER, SP_OUTCOME_LOST, -1, 1, 0, NULL},
    {"an answer comes twice", DOUBLE_ANSWER, 0, SP_FLAG_DUPLICATE, 0, 0, NULL},
    {"an answer comes again, and differs", DOUBLE_AND_ALTER, 0, SP_FLAG_DUPLICATE, 0, 1, NULL},
    {"an answer is altered", ALTER_ANSWER, SP_OUTCOME_MISMATCH, -1, 0, 1, NULL},
    {"two answers have changed their ids", SWAP_IDS, SP_OUTCOME_MISMATCH, -1, 4, 2, NULL},
    {"a score is off by a thousandth", PERTURB_SCORE, SP_OUTCOME_MISMATCH, -1, 0, 1, NULL},
    {"an answer comes after its deadline", HOLD_ANSWER, 0, SP_FLAG_LATE, 2, 0, NULL},
    {"an answer cannot be read", BREAK_ANSWER, SP_OUTCOME_MALFORMED, -1, 0, 0, ""},
    {"an answer is empty", EMPTY_ANSWER, SP_OUTCOME_MALFORMED, -1, 0, 0, ""},
    {"a call fails", FAIL_EVENT, SP_OUTCOME_ERROR, -1, 1, 0, "out of tea"},
    {"an event finds no room", SHED_EVENT, SP_OUTCOME_SHED, -1, 1, 0, NULL},
    {"an answer names an event beyond the schedule", ANSWER_BEYOND_SCHEDULE, 0, SP_FLAG_ALIEN, 0, 0, NULL},
    {"an answer names an event beyond all numbers", ANSWER_HUGE_ID, 0, SP_FLAG_ALIEN, 0, 0, NULL},
    {"an answer names an event not sent yet", ANSWER_UNSENT, 0, SP_FLAG_ALIEN, 0, 0, NULL},
    {"an answer names an event that was shed", ANSWER_SHED, SP_OUTCOME_SHED, SP_FLAG_ALIEN, 1, 0, NULL},
};

struct scene {
  struct sim *sim;
  enum fault fault;
  bool is_held; // `held` waits for its alarm, or for the other answer
  struct sp_reply *held;
};

// Delays of 1 to 4 ms that depend on the instant alone, so that a missing event does not shift those of the others.
static int64_t delay_of_instant(void *context, uint64_t call) {
  (void)call;
  const struct scene *scene = context;
  uint64_t hash = (uint64_t)(scene->sim->now_ns / MS) * UINT64_C(0x9e3779b97f4a7c15);
  return MS + (int64_t)((hash >> 32) % (3 * (uint64_t)MS));
}

static struct sp_reply *copy_of(const struct scene *scene, const struct sp_reply *reply) {
  size_t n_bytes = sizeof *reply + scene->sim->stream.value_bound;
  struct sp_reply *copy = malloc(n_bytes);
  memcpy(copy, reply, sizeof *reply + reply->value_bytes);
  return copy;
}

static void say(struct sp_reply *reply, const char *value) {
  reply->value_bytes = strlen(value);
  memcpy(reply->value, value, reply->value_bytes);
}

static enum sim_way on_leaving(void *context, const struct sp_delivery *delivery) {
  const struct scene *scene = context;
  if (delivery->id != VICTIM) return SIM_PASS;
  if (scene->fault == LOSE_EVENT) return SIM_LOSE;
  return scene->fault == SHED_EVENT || scene->fault == ANSWER_SHED ? SIM_REFUSE : SIM_PASS;
}

static void on_predicted(void *context, struct sp_request *request, uint64_t call) {
  const struct scene *scene = context;
  if (call != VICTIM) return;
  if (scene->fault == PERTURB_SCORE) *(float *)request->output->data *= 1.001F;
  if (scene->fault != FAIL_EVENT) return;
  request->outcome = SP_OUTCOME_ERROR;
  request->code = 13;
  memcpy(request->text, "out of tea", sizeof "out of tea");
}

static void hold(struct scene *scene, const struct sp_reply *reply, int64_t until_ns) {
  scene->held = copy_of(scene, reply);
  scene->is_held = true;
  scene->sim->alarm_ns = until_ns;
}

static size_t give_held(struct scene *scene, struct sp_reply **replies, size_t n) {
  scene->is_held = false;
  if (scene->fault == DOUBLE_AND_ALTER) say(scene->held, "0.123");
  replies[n++] = scene->held;
  return n;
}

// A copy of the victim's answer under another id.
static size_t add_alien(struct scene *scene, struct sp_reply **replies, size_t n, uint64_t id) {
  scene->held = copy_of(scene, replies[0]);
  scene->held->id = id;
  replies[n++] = scene->held;
  return n;
}

static size_t meet_victim(struct scene *scene, struct sp_reply **replies) {
  struct sp_reply *reply = replies[0];
  switch (scene->fault) {
  case LOSE_ANSWER: return 0;
  case DOUBLE_ANSWER: replies[1] = reply; return 2;
  case DOUBLE_AND_ALTER: hold(scene, reply, scene->sim->now_ns + 50 * MS); return 1;
  case ALTER_ANSWER: say(reply, "0.123"); return 1;
  case SWAP_IDS: hold(scene, reply, INT64_MAX); return 0;
  case HOLD_ANSWER: hold(scene, reply, SIM_ORIGIN_NS + VICTIM * MS + DEADLINE + 1); return 0;
  case BREAK_ANSWER: say(reply, "{\"sco"); return 1;
  case EMPTY_ANSWER: say(reply, ""); return 1;
  case ANSWER_BEYOND_SCHEDULE: return add_alien(scene, replies, 1, N_WARMUP + N_WINDOW);
  case ANSWER_HUGE_ID: return add_alien(scene, replies, 1, UINT64_MAX);
  case ANSWER_UNSENT: return add_alien(scene, replies, 1, VICTIM + 2000);
  default: return 1;
  }
}

static size_t on_arriving(void *context, struct sp_reply **replies, size_t n, size_t max) {
  struct scene *scene = context;
  assert_true(n <= 1 && max >= 2); // the simulator collects each answer at its instant
  if (scene->is_held && scene->fault != SWAP_IDS && scene->sim->alarm_ns == INT64_MAX)
    return give_held(scene, replies, n);
  if (n == 0) return 0;
  if (replies[0]->id == VICTIM && !scene->held) return meet_victim(scene, replies);
  if (scene->fault == SWAP_IDS && replies[0]->id == OTHER) {
    replies[0]->id = VICTIM;
    scene->held->id = OTHER;
    return give_held(scene, replies, n);
  }
  if (scene->fault == ANSWER_SHED && replies[0]->id == OTHER) return add_alien(scene, replies, n, VICTIM);
  return n;
}

static struct sim *run_scene(struct scene *scene) {
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_CONSTANT, 1000, N_WARMUP * MS, N_WINDOW * MS),
                          .n_recorded = N_RECORDED,
                          .is_checked = true,
                          .deadline_ns = DEADLINE,
                          .service_ns = delay_of_instant,
                          .predicted = on_predicted,
                          .leaving = on_leaving,
                          .arriving = on_arriving,
                          .context = scene};
  scene->sim = sim_new(&plan);
  sim_run(scene->sim);
  sim_assert_books(scene->sim);
  free(scene->held);
  return scene->sim;
}

static void assert_outcomes(const struct sim *sim, const struct injection *injection) {
  int64_t expected[SP_OUTCOME_COUNT] = {0};
  int n_victims = injection->fault == SWAP_IDS ? 2 : 1;
  expected[SP_OUTCOME_OK] = N_WINDOW;
  if (injection->outcome) {
    expected[SP_OUTCOME_OK] -= n_victims;
    expected[injection->outcome] += n_victims;
  }
  for (int i = 1; i < SP_OUTCOME_COUNT; i++)
    assert_int_equal(sp_meter_count(sim->meter, (enum sp_outcome)i), expected[i]);
  for (int i = 0; i < SP_FLAG_COUNT; i++) {
    assert_int_equal(sp_meter_flag_count(sim->meter, (enum sp_flag)i), i == injection->flag);
  }
  for (size_t i = 0; i < sim->states.n; i++) {
    bool is_victim = injection->outcome && (i == VICTIM || (injection->fault == SWAP_IDS && i == OTHER));
    uint8_t is = !is_victim ? SP_OUTCOME_OK : (uint8_t)injection->outcome;
    if (is == SP_OUTCOME_LOST) is = SP_STATE_SENT; // nothing ever came
    assert_int_equal(sp_event_state(&sim->states, i), is);
  }
}

static void assert_named(const struct sim *sim, const struct injection *injection) {
  assert_int_equal(sim->checker.n_mismatched, injection->n_mismatched);
  assert_int_equal(sim->checker.n_examples, injection->n_mismatched);
  for (size_t i = 0; i < sim->checker.n_examples; i++) {
    const struct sp_check_example *example = &sim->checker.examples[i];
    assert_true(example->event == VICTIM % N_RECORDED || example->event == OTHER % N_RECORDED);
    assert_true(example->expected == sim_score(example->event));
    assert_true(fabs(example->got - example->expected) > 1e-6);
    assert_true(fabs(example->got - example->expected) <= sim->checker.max_abs_error);
  }
  size_t n_errors;
  const struct sp_error_group *errors = sp_meter_errors(sim->meter, &n_errors);
  assert_int_equal(n_errors, injection->error != NULL);
  if (!injection->error) return;
  assert_int_equal(errors[0].outcome, injection->outcome);
  assert_int_equal(errors[0].count, 1);
  assert_int_equal(errors[0].first_event, VICTIM);
  assert_non_null(strstr(errors[0].text, injection->error));
  assert_true(errors[0].text[0] != 0);
}

static void assert_times(const struct sim *sim, const struct sim *clean, const struct injection *injection) {
  const struct sp_histogram *a = sp_meter_series(sim->meter, SP_SERIES_RESPONSE);
  const struct sp_histogram *b = sp_meter_series(clean->meter, SP_SERIES_RESPONSE);
  int64_t n_moved = 0;
  for (size_t i = 0; i < SP_HISTOGRAM_SLOTS; i++) n_moved += llabs(a->counts[i] - b->counts[i]);
  // Two answers that have changed their ids may fall into slots that they share with others.
  if (injection->fault == SWAP_IDS)
    assert_true(n_moved <= injection->n_moved);
  else
    assert_int_equal(n_moved, injection->n_moved);
  if (injection->fault == HOLD_ANSWER) assert_int_equal(a->max_ns, DEADLINE + 1);
}

static void test_each_fault_is_found_and_named(void **state) {
  (void)state;
  struct scene clean_scene = {0};
  struct sim *clean = run_scene(&clean_scene);
  for (size_t i = 0; i < sizeof injections / sizeof *injections; i++) {
    print_message("  %s\n", injections[i].name);
    struct scene scene = {.fault = injections[i].fault};
    struct sim *sim = run_scene(&scene);
    assert_outcomes(sim, &injections[i]);
    assert_named(sim, &injections[i]);
    assert_times(sim, clean, &injections[i]);
    sim_free(sim);
  }
  sim_free(clean);
}

// An answer exactly at its deadline is in time.
static void test_deadline_itself_is_in_time(void **state) {
  (void)state;
  struct scene scene = {.fault = NO_FAULT};
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_CONSTANT, 1000, 0, S),
                          .deadline_ns = 4 * MS,
                          .service_ns = delay_of_instant,
                          .context = &scene};
  scene.sim = sim_new(&plan);
  sim_run(scene.sim);
  int64_t max_ns = sp_meter_series(scene.sim->meter, SP_SERIES_RESPONSE)->max_ns;
  assert_int_equal(sp_meter_flag_count(scene.sim->meter, SP_FLAG_LATE), 0);
  sim_free(scene.sim);
  plan.deadline_ns = max_ns;
  scene.sim = sim_new(&plan);
  sim_run(scene.sim);
  assert_int_equal(sp_meter_flag_count(scene.sim->meter, SP_FLAG_LATE), 0);
  sim_free(scene.sim);
  plan.deadline_ns = max_ns - 1;
  scene.sim = sim_new(&plan);
  sim_run(scene.sim);
  assert_true(sp_meter_flag_count(scene.sim->meter, SP_FLAG_LATE) >= 1);
  sim_free(scene.sim);
}

static void perturb_all(void *context, struct sp_request *request, uint64_t call) {
  (void)call;
  *(float *)request->output->data += *(const float *)context;
}
static int64_t one_ms(void *context, uint64_t call) {
  (void)context;
  (void)call;
  return MS;
}

// Perturbed weights: every score off by more than the tolerance is a mismatch, by less is not.
static void test_perturbed_model_fails_the_check(void **state) {
  (void)state;
  float by = 1e-4F;
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_CONSTANT, 1000, 0, S),
                          .is_checked = true,
                          .service_ns = one_ms,
                          .predicted = perturb_all,
                          .context = &by};
  struct sim *sim = sim_of_plan(&plan);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_MISMATCH), 1000);
  assert_int_equal(sim->checker.n_examples, SP_CHECK_EXAMPLES);
  assert_true(fabs(sim->checker.max_abs_error - 1e-4) < 1e-6);
  sim_free(sim);
  by = 5e-7F;
  sim = sim_of_plan(&plan);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_OK), 1000);
  sim_free(sim);
}

// Rows of a batch that do not decode are answered by themselves; the others keep their own predictions.
static void test_malformed_event_in_a_batch(void **state) {
  (void)state;
  float by = 0;
  struct sim_plan plan = {.load = sim_load(SP_ARRIVAL_BURST, 100, 0, S),
                          .n_recorded = 100,
                          .is_checked = true,
                          .batch = 8,
                          .in_flight = 1,
                          .service_ns = one_ms,
                          .predicted = perturb_all,
                          .context = &by};
  plan.load.rate_to = (struct sp_rate){20000, (uint64_t)S};
  plan.load.burst_every_ns = S / 10;
  plan.load.burst_length_ns = S / 100;
  struct sim *sim = sim_new(&plan);
  memcpy((void *)(uintptr_t)sim->recording.events[77].value.data, "x!", 2);
  sim_run(sim);
  sim_assert_books(sim);
  int64_t n_malformed = 0;
  for (size_t i = 0; i < sim->schedule->n_events; i++) n_malformed += i % 100 == 77;
  assert_true(sim->n_calls < sim->schedule->n_events / 4); // batches were taken
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_MALFORMED), n_malformed);
  assert_int_equal(sp_meter_count(sim->meter, SP_OUTCOME_OK), (int64_t)sim->schedule->n_events - n_malformed);
  size_t n_errors;
  const struct sp_error_group *errors = sp_meter_errors(sim->meter, &n_errors);
  assert_int_equal(n_errors, 1);
  assert_int_equal(errors[0].count, n_malformed);
  assert_int_equal(errors[0].first_event, 77);
  assert_non_null(strstr(errors[0].text, "x"));
  sim_free(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_fault_is_found_and_named),
      cmocka_unit_test(test_deadline_itself_is_in_time),
      cmocka_unit_test(test_perturbed_model_fails_the_check),
      cmocka_unit_test(test_malformed_event_in_a_batch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
