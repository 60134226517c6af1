// Digest of an event's tensors -> its expected values, in an open hash table.
#include "server/recorded.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "codec/codec.h"
#include "recording/expected.h"
#include "recording/recording.h"

struct slot {
  char digest[SP_DIGEST_TEXT_BYTES]; // "": free
  size_t event_i;
};

struct sp_recorded {
  struct sp_expected *expected;
  size_t n_slots; // a power of two, at least twice the events
  struct slot *slots;
};

static void digest_row(const struct sp_tensor *inputs, size_t n_inputs, size_t row,
                       char digest[SP_DIGEST_TEXT_BYTES]) {
  // One digest of the tensors' digests: rows of several tensors do not lie side by side.
  char each[SP_TENSORS_MAX][SP_DIGEST_TEXT_BYTES];
  for (size_t i = 0; i < n_inputs; i++) {
    size_t n = inputs[i].row_elements * sp_dtype_bytes(inputs[i].spec.dtype);
    sp_digest_bytes(sp_bytes_of((const uint8_t *)inputs[i].data + row * n, n), each[i]);
  }
  if (n_inputs == 1)
    memcpy(digest, each[0], SP_DIGEST_TEXT_BYTES);
  else
    sp_digest_bytes(sp_bytes_of(each, n_inputs * SP_DIGEST_TEXT_BYTES), digest);
}

static struct slot *slot_of(const struct sp_recorded *recorded, const char *digest) {
  // The last 15 of its hexadecimal digits are as good as any hash.
  size_t i = (size_t)strtoull(digest + strlen(digest) - 15, NULL, 16) & (recorded->n_slots - 1);
  while (recorded->slots[i].digest[0] && strcmp(recorded->slots[i].digest, digest) != 0) {
    i = (i + 1) & (recorded->n_slots - 1);
  }
  return &recorded->slots[i];
}

static void keep_events(struct sp_recorded *recorded, const struct sp_recording *recording,
                        const struct sp_decoder *decoder) {
  size_t n_inputs;
  const struct sp_tensor_spec *specs = sp_decoder_tensors(decoder, &n_inputs);
  struct sp_tensor inputs[SP_TENSORS_MAX], *list[SP_TENSORS_MAX];
  for (size_t i = 0; i < n_inputs; i++) {
    sp_tensor_init(&inputs[i], &specs[i], 1);
    list[i] = &inputs[i];
  }
  struct sp_scratch *scratch = sp_scratch_new();
  for (size_t i = 0; i < recording->n_events; i++) {
    struct sp_reason reason;
    if (recorded->expected->known[i] != 1) continue;
    if (sp_decode(decoder, scratch, recording->events[i].value, list, 0, &reason) != SP_OUTCOME_NONE)
      continue;
    char digest[SP_DIGEST_TEXT_BYTES];
    digest_row(inputs, n_inputs, 0, digest);
    struct slot *slot = slot_of(recorded, digest);
    strcpy(slot->digest, digest);
    slot->event_i = i;
  }
  sp_scratch_free(scratch);
  for (size_t i = 0; i < n_inputs; i++) sp_tensor_done(&inputs[i]);
}

static char *expected_path(const struct sp_scenario *scenario, uint64_t version) {
  const char *slash = strrchr(scenario->recording, '/');
  int n_folder = slash ? (int)(slash - scenario->recording) + 1 : 0;
  return sp_format("%.*sexpected/%s-%llu.jsonl", n_folder, scenario->recording, scenario->model.name,
                   (unsigned long long)version);
}

static enum sp_err load_expected(struct sp_recorded *recorded, const char *path, size_t n_events,
                                 struct sp_error *error) {
  enum sp_err err = sp_expected_load(path, n_events, &recorded->expected, error);
  if (!err && !recorded->expected) {
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "--stub recorded needs expected predictions, and %s does not exist; make it "
                  "with servepath verify --update, or name another with --expected",
                  path);
  }
  return err;
}

enum sp_err sp_recorded_new(const struct sp_scenario *scenario, uint64_t version, const char *expected,
                            struct sp_recorded **made, struct sp_error *error) {
  struct sp_recorded *recorded = sp_alloc(sizeof *recorded);
  struct sp_recording *recording = NULL;
  struct sp_decoder *decoder = NULL;
  char *path = expected ? sp_copy_text(expected) : expected_path(scenario, version);
  enum sp_err err = sp_recording_load(scenario->recording, &recording, error);
  if (!err) err = load_expected(recorded, path, recording->n_events, error);
  if (!err) err = sp_decoder_new(&scenario->input, &decoder, error);
  if (!err) {
    for (recorded->n_slots = 64; recorded->n_slots < 2 * recording->n_events;) recorded->n_slots *= 2;
    recorded->slots = sp_alloc(recorded->n_slots * sizeof *recorded->slots);
    keep_events(recorded, recording, decoder);
  }
  sp_decoder_free(decoder);
  if (recording) sp_recording_free(recording);
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
  free(recorded->slots);
  free(recorded);
}

size_t sp_recorded_values(const struct sp_recorded *recorded) {
  return recorded->expected->n_values;
}

const double *sp_recorded_find(const struct sp_recorded *recorded, const struct sp_tensor *inputs,
                               size_t n_inputs, size_t row) {
  char digest[SP_DIGEST_TEXT_BYTES];
  digest_row(inputs, n_inputs, row, digest);
  const struct slot *slot = slot_of(recorded, digest);
  if (!slot->digest[0]) return NULL;
  return &recorded->expected->values[slot->event_i * recorded->expected->n_values];
}
