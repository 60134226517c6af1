// The event that was sent -> its expected values.
#include "server/recorded.h"

#include <stdlib.h>
#include <string.h>

#include "recording/expected.h"
#include "server/events.h"

struct sp_recorded {
  struct sp_events *events;
  struct sp_expected *expected;
  size_t *answers; // per event that is the first with its tensors: the event whose values are the answer
};

static char *expected_path(const struct sp_scenario *scenario, uint64_t version) {
  const char *slash = strrchr(scenario->recording, '/');
  int n_folder = slash ? (int)(slash - scenario->recording) + 1 : 0;
  return sp_format("%.*sexpected/%s-%llu.jsonl", n_folder, scenario->recording, scenario->model.name,
                   (unsigned long long)version);
}

static enum sp_err load_expected(struct sp_recorded *recorded, const char *path, struct sp_error *error) {
  enum sp_err err = sp_expected_load(path, sp_events_count(recorded->events), &recorded->expected, error);
  if (!err && !recorded->expected) {
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "--stub recorded needs expected predictions, and %s does not exist; make it "
                  "with servepath verify --update, or name another with --expected",
                  path);
  }
  return err;
}

// Of events with the same tensors, only some may have expected values.
static void find_answers(struct sp_recorded *recorded) {
  size_t n = sp_events_count(recorded->events);
  recorded->answers = sp_alloc((n + 1) * sizeof *recorded->answers);
  for (size_t i = 0; i < n; i++) recorded->answers[i] = SP_EVENT_UNKNOWN;
  for (size_t i = n; i-- > 0;) {
    size_t first = sp_events_first(recorded->events, i);
    if (first != SP_EVENT_UNKNOWN && recorded->expected->known[i] == 1) recorded->answers[first] = i;
  }
}

enum sp_err sp_recorded_new(const struct sp_scenario *scenario, uint64_t version, const char *expected,
                            struct sp_recorded **made, struct sp_error *error) {
  struct sp_recorded *recorded = sp_alloc(sizeof *recorded);
  char *path = expected ? sp_copy_text(expected) : expected_path(scenario, version);
  enum sp_err err = sp_events_new(scenario, &recorded->events, error);
  if (!err) err = load_expected(recorded, path, error);
  if (!err) find_answers(recorded);
  free(path);
  if (err)
    sp_recorded_free(recorded);
  else
    *made = recorded;
  return err;
}

void sp_recorded_free(struct sp_recorded *recorded) {
  if (!recorded) return;
  if (recorded->expected) sp_expected_free(recorded->expected);
  sp_events_free(recorded->events);
  free(recorded->answers);
  free(recorded);
}

size_t sp_recorded_values(const struct sp_recorded *recorded) {
  return recorded->expected->n_values;
}

const double *sp_recorded_find(const struct sp_recorded *recorded, const struct sp_tensor *inputs,
                               size_t n_inputs, size_t row) {
  size_t first = sp_events_find(recorded->events, inputs, n_inputs, row);
  if (first == SP_EVENT_UNKNOWN || recorded->answers[first] == SP_EVENT_UNKNOWN) return NULL;
  return &recorded->expected->values[recorded->answers[first] * recorded->expected->n_values];
}
