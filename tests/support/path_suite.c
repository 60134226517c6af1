// The contract suite of paths.
#include "support/path_suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_REQUESTS       4
#define ANSWER_WITHIN_NS (30 * SP_NS_PER_S) // a bound for a broken path, not a measure

static const struct sp_clock real_clock = {NULL};

// What one request went through. Written by the thread that submits or reaps it.
struct slot {
  struct sp_request *request;
  size_t n_done;
  size_t row_seed; // of its first row
  int64_t submitted_ns;
};

struct bed {
  const struct path_subject *subject;
  struct sp_path *path;
  struct sp_path_env env;
  size_t n_done[16]; // by worker
};

double path_suite_input(size_t row_seed, size_t input_i, size_t element_i) {
  return (double)((row_seed * 7 + input_i * 3 + element_i) % 10);
}

static void write_element(struct sp_tensor *tensor, size_t at, double value) {
  switch (tensor->spec.dtype) {
  case SP_DTYPE_FLOAT32: ((float *)tensor->data)[at] = (float)value; break;
  case SP_DTYPE_FLOAT64: ((double *)tensor->data)[at] = value; break;
  case SP_DTYPE_INT32: ((int32_t *)tensor->data)[at] = (int32_t)value; break;
  case SP_DTYPE_INT64: ((int64_t *)tensor->data)[at] = (int64_t)value; break;
  default: ((uint8_t *)tensor->data)[at] = value != 0; break;
  }
}

static void check_rows(const struct bed *bed, const struct slot *slot) {
  const struct sp_request *request = slot->request;
  const struct sp_tensor *output = request->output;
  for (size_t row = 0; row < request->n_rows; row++) {
    for (size_t i = 0; i < output->row_elements; i++) {
      double expected = bed->subject->expected(slot->row_seed + row, i),
             given = sp_tensor_get(output, row, i);
      if (given != expected)
        fail_msg("row %zu of %zu, element %zu: %g, not %g", row, request->n_rows, i, given, expected);
    }
  }
}

// Rows must be read here: they belong to the next prediction once done has returned.
static void done(struct sp_request *request, void *context) {
  struct bed *bed = context;
  struct slot *slot = request->user;
  assert_ptr_equal(slot->request, request);
  slot->n_done++;
  bed->n_done[request->worker_i]++;
  if (request->outcome != SP_OUTCOME_NONE)
    fail_msg("outcome %s: %s", sp_outcome_name(request->outcome), request->text);
  assert_string_equal(request->text, "");
  assert_true(request->dispatched_ns >= slot->submitted_ns);
  assert_true(request->answered_ns >= request->dispatched_ns);
  assert_true(request->answered_ns <= sp_now_ns());
  assert_true(request->server_ns >= -1);
  check_rows(bed, slot);
}

static struct sp_path_env env_of(struct bed *bed, const struct path_subject *subject) {
  struct sp_path_env env = subject->env;
  env.clock = &real_clock;
  env.n_requests_per_worker = N_REQUESTS;
  env.done = done;
  env.context = bed;
  return env;
}

static void open_bed(struct bed *bed, const struct path_subject *subject) {
  *bed = (struct bed){.subject = subject};
  bed->env = env_of(bed, subject);
  struct sp_error error;
  if (sp_path_open(subject->name, &bed->env, &bed->path, &error)) fail_msg("%s", error.text);
}

static void new_slot(struct bed *bed, unsigned worker_i, struct slot *slot) {
  struct sp_error error;
  *slot = (struct slot){0};
  if (sp_request_new(bed->path, worker_i, &slot->request, &error)) fail_msg("%s", error.text);
  slot->request->user = slot;
  assert_int_equal(slot->request->worker_i, worker_i);
}

static void submit(struct bed *bed, struct slot *slot, size_t n_rows, size_t row_seed) {
  struct sp_request *request = slot->request;
  slot->row_seed = row_seed;
  for (size_t k = 0; k < bed->env.n_inputs; k++) {
    struct sp_tensor *input = request->inputs[k];
    assert_true(input->capacity_rows >= n_rows);
    assert_string_equal(input->spec.name, bed->env.inputs[k].name);
    for (size_t at = 0; at < n_rows * input->row_elements; at++) {
      size_t row = at / input->row_elements;
      write_element(input, at, path_suite_input(row_seed + row, k, at % input->row_elements));
    }
  }
  request->n_rows = n_rows;
  slot->submitted_ns = sp_now_ns();
  sp_path_submit(bed->path, request);
}

// Until worker_i has had n completions in all.
static void complete(struct bed *bed, unsigned worker_i, size_t n) {
  int64_t deadline_ns = sp_now_ns() + ANSWER_WITHIN_NS;
  while (bed->n_done[worker_i] < n) {
    assert_true(sp_path_is_async(bed->path));
    assert_true(sp_now_ns() < deadline_ns);
    sp_path_reap(bed->path, worker_i, deadline_ns);
  }
  assert_int_equal(bed->n_done[worker_i], n);
}

static size_t rounds(const struct bed *bed, size_t n) {
  return bed->subject->is_slow ? n / 20 + 1 : n;
}

void path_suite_describes_its_output(void **subject) {
  struct bed bed;
  open_bed(&bed, *subject);
  const struct sp_tensor_spec *output = sp_path_output(bed.path);
  assert_int_equal(output->shape[0], 1);
  assert_true(output->rank > 0 && output->dtype != SP_DTYPE_NONE);
  if (bed.env.output) assert_string_equal(output->name, bed.env.output);
  assert_true(strlen(sp_path_library(bed.path)) > 0);
  sp_path_close(bed.path);
}

void path_suite_answers_every_batch_size(void **subject) {
  struct bed bed;
  struct slot slot;
  open_bed(&bed, *subject);
  new_slot(&bed, 0, &slot);
  for (size_t n = 1; n <= bed.env.max_rows; n++) {
    submit(&bed, &slot, n, n * 100);
    complete(&bed, 0, n);
    assert_int_equal(slot.n_done, n);
    assert_int_equal(slot.request->output->row_elements, sp_tensor_row_elements(sp_path_output(bed.path)));
  }
  sp_request_free(bed.path, slot.request);
  sp_path_close(bed.path);
}

void path_suite_uses_a_request_again(void **subject) {
  struct bed bed;
  struct slot slot;
  open_bed(&bed, *subject);
  new_slot(&bed, 0, &slot);
  for (size_t i = 1; i <= rounds(&bed, 200); i++) {
    submit(&bed, &slot, i % 3 == 0 ? bed.env.max_rows : 1, i);
    complete(&bed, 0, i);
  }
  sp_request_free(bed.path, slot.request);
  sp_path_close(bed.path);
}

void path_suite_answers_many_requests(void **subject) {
  struct bed bed;
  struct slot slots[N_REQUESTS];
  open_bed(&bed, *subject);
  for (size_t i = 0; i < N_REQUESTS; i++) new_slot(&bed, 0, &slots[i]);
  for (size_t round = 0; round < rounds(&bed, 50); round++) {
    for (size_t i = 0; i < N_REQUESTS; i++) submit(&bed, &slots[i], 1 + i % 2, round * 31 + i * 5);
    complete(&bed, 0, (round + 1) * N_REQUESTS);
    for (size_t i = 0; i < N_REQUESTS; i++) assert_int_equal(slots[i].n_done, round + 1);
  }
  for (size_t i = 0; i < N_REQUESTS; i++) sp_request_free(bed.path, slots[i].request);
  sp_path_close(bed.path);
}

struct worker {
  struct bed *bed;
  unsigned i;
  struct slot slot;
};

static void *work(void *argument) {
  struct worker *worker = argument;
  for (size_t n = 1; n <= rounds(worker->bed, 200); n++) {
    submit(worker->bed, &worker->slot, 1, worker->i * 1000 + n);
    complete(worker->bed, worker->i, n);
  }
  return NULL;
}

// Nothing of one worker's shows up at another's. (A failed assertion in a thread ends the program: a failure all the same.)
void path_suite_serves_workers_side_by_side(void **subject) {
  struct bed bed;
  struct worker workers[2];
  pthread_t threads[2];
  open_bed(&bed, *subject);
  assert_true(bed.env.n_workers >= 2);
  for (unsigned i = 0; i < 2; i++) {
    workers[i] = (struct worker){.bed = &bed, .i = i};
    new_slot(&bed, i, &workers[i].slot);
  }
  for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  for (int i = 0; i < 2; i++) assert_int_equal(workers[i].slot.n_done, rounds(&bed, 200));
  for (int i = 0; i < 2; i++) sp_request_free(bed.path, workers[i].slot.request);
  sp_path_close(bed.path);
}

// Paths without a model take any tensors.
static bool has_model(const struct path_subject *subject) {
  return strcmp(subject->name, "noop") != 0;
}

static void refused(const struct path_subject *subject, const struct sp_path_env *env, const char *said) {
  struct sp_path *path = NULL;
  struct sp_error error = {.code = SP_OK};
  assert_int_equal(sp_path_open(subject->name, env, &path, &error), SP_ERR_USAGE);
  assert_null(path);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say %s", error.text, said);
}

void path_suite_refuses_other_tensors(void **state) {
  const struct path_subject *subject = *state;
  if (!has_model(subject)) return;
  struct bed bed = {.subject = subject};
  struct sp_path_env env = env_of(&bed, subject);
  struct sp_tensor_spec inputs[SP_TENSORS_MAX];
  memcpy(inputs, env.inputs, env.n_inputs * sizeof *inputs);
  env.inputs = inputs;
  inputs[0].shape[inputs[0].rank - 1] += 1;
  refused(subject, &env, inputs[0].name);
  inputs[0] = subject->env.inputs[0];
  inputs[0].dtype = inputs[0].dtype == SP_DTYPE_INT32 ? SP_DTYPE_UINT8 : SP_DTYPE_INT32;
  refused(subject, &env, "int32");
  inputs[0] = subject->env.inputs[0];
  strcat(inputs[0].name, "_other");
  refused(subject, &env, inputs[0].name);
}

void path_suite_refuses_another_output(void **state) {
  const struct path_subject *subject = *state;
  if (!has_model(subject)) return;
  struct bed bed = {.subject = subject};
  struct sp_path_env env = env_of(&bed, subject);
  env.output = "no_such_output";
  refused(subject, &env, "no_such_output");
}

static void *wake(void *argument) {
  struct bed *bed = argument;
  sp_path_wake(bed->path, 0);
  return NULL;
}

void path_suite_waits_no_longer_than_asked(void **subject) {
  struct bed bed;
  open_bed(&bed, *subject);
  if (sp_path_is_async(bed.path)) {
    assert_int_equal(sp_path_reap(bed.path, 0, 0), 0);
    assert_int_equal(sp_path_reap(bed.path, 0, sp_now_ns() + SP_NS_PER_MS), 0);
    // Without the wake this would last until the test's time limit.
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake, &bed), 0);
    assert_int_equal(sp_path_reap(bed.path, 0, INT64_MAX), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
  } else {
    sp_path_wake(bed.path, 0);
  }
  sp_path_close(bed.path);
}

size_t path_suite_add(struct path_subject *subject, const char *name, struct CMUnitTest *tests) {
  const struct CMUnitTest suite[] = {PATH_SUITE(subject)};
  size_t n = sizeof suite / sizeof suite[0];
  SP_ASSERT(n <= PATH_SUITE_TESTS_MAX);
  for (size_t i = 0; i < n; i++) {
    tests[i] = suite[i];
    tests[i].name = sp_format("%s: %s", name, suite[i].name + strlen("path_suite_"));
  }
  return n;
}
