// Digest of an event's tensors -> its number, in an open hash table.
#include "server/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "codec/codec.h"
#include "recording/recording.h"

struct slot {
  char digest[SP_DIGEST_TEXT_BYTES]; // "": free
  size_t event_i;
};

struct sp_events {
  struct sp_tensor_spec specs[SP_TENSORS_MAX]; // of input.tensors
  size_t n_specs;
  size_t n_events;
  size_t *firsts; // per event
  size_t n_slots; // a power of two, at least twice the events
  struct slot *slots;
};

static const struct sp_tensor *find_input(const struct sp_tensor *inputs, size_t n_inputs,
                                          const struct sp_tensor_spec *spec) {
  for (size_t i = 0; i < n_inputs; i++) {
    if (strcmp(inputs[i].spec.name, spec->name) == 0 && inputs[i].spec.dtype == spec->dtype)
      return &inputs[i];
  }
  return NULL;
}

// False: there is not each of the scenario's tensors.
static bool digest_row(const struct sp_events *events, const struct sp_tensor *inputs, size_t n_inputs,
                       size_t row, char digest[SP_DIGEST_TEXT_BYTES]) {
  // One digest of the tensors' digests: rows of several tensors do not lie side by side.
  char each[SP_TENSORS_MAX][SP_DIGEST_TEXT_BYTES];
  for (size_t i = 0; i < events->n_specs; i++) {
    const struct sp_tensor *input = find_input(inputs, n_inputs, &events->specs[i]);
    if (!input) return false;
    size_t n = input->row_elements * sp_dtype_bytes(input->spec.dtype);
    sp_digest_bytes(sp_bytes_of((const uint8_t *)input->data + row * n, n), each[i]);
  }
  if (events->n_specs == 1)
    memcpy(digest, each[0], SP_DIGEST_TEXT_BYTES);
  else
    sp_digest_bytes(sp_bytes_of(each, events->n_specs * SP_DIGEST_TEXT_BYTES), digest);
  return true;
}

static struct slot *slot_of(const struct sp_events *events, const char *digest) {
  // The last 15 of its hexadecimal digits are as good as any hash.
  size_t i = (size_t)strtoull(digest + strlen(digest) - 15, NULL, 16) & (events->n_slots - 1);
  while (events->slots[i].digest[0] && strcmp(events->slots[i].digest, digest) != 0) {
    i = (i + 1) & (events->n_slots - 1);
  }
  return &events->slots[i];
}

static void keep_event(struct sp_events *events, const struct sp_tensor *inputs, size_t i) {
  char digest[SP_DIGEST_TEXT_BYTES];
  bool has_all = digest_row(events, inputs, events->n_specs, 0, digest);
  SP_ASSERT(has_all);
  struct slot *slot = slot_of(events, digest);
  if (!slot->digest[0]) {
    strcpy(slot->digest, digest);
    slot->event_i = i;
  }
  events->firsts[i] = slot->event_i;
}

static void keep_events(struct sp_events *events, const struct sp_recording *recording,
                        const struct sp_decoder *decoder) {
  struct sp_tensor inputs[SP_TENSORS_MAX], *list[SP_TENSORS_MAX];
  for (size_t i = 0; i < events->n_specs; i++) {
    sp_tensor_init(&inputs[i], &events->specs[i], 1);
    list[i] = &inputs[i];
  }
  struct sp_scratch *scratch = sp_scratch_new();
  for (size_t i = 0; i < recording->n_events; i++) {
    struct sp_reason reason;
    events->firsts[i] = SP_EVENT_UNKNOWN;
    if (sp_decode(decoder, scratch, recording->events[i].value, list, 0, &reason) == SP_OUTCOME_NONE)
      keep_event(events, inputs, i);
  }
  sp_scratch_free(scratch);
  for (size_t i = 0; i < events->n_specs; i++) sp_tensor_done(&inputs[i]);
}

enum sp_err sp_events_new(const struct sp_scenario *scenario, struct sp_events **made,
                          struct sp_error *error) {
  struct sp_recording *recording = NULL;
  struct sp_decoder *decoder = NULL;
  enum sp_err err = sp_recording_load(scenario->recording, &recording, error);
  if (!err) err = sp_decoder_new(&scenario->input, &decoder, error);
  if (!err) {
    struct sp_events *events = *made = sp_alloc(sizeof *events);
    const struct sp_tensor_spec *specs = sp_decoder_tensors(decoder, &events->n_specs);
    memcpy(events->specs, specs, events->n_specs * sizeof *specs);
    events->n_events = recording->n_events;
    events->firsts = sp_alloc((events->n_events + 1) * sizeof *events->firsts);
    for (events->n_slots = 64; events->n_slots < 2 * events->n_events;) events->n_slots *= 2;
    events->slots = sp_alloc(events->n_slots * sizeof *events->slots);
    keep_events(events, recording, decoder);
  }
  sp_decoder_free(decoder);
  if (recording) sp_recording_free(recording);
  return err;
}

void sp_events_free(struct sp_events *events) {
  if (!events) return;
  free(events->firsts);
  free(events->slots);
  free(events);
}

size_t sp_events_count(const struct sp_events *events) {
  return events->n_events;
}

size_t sp_events_first(const struct sp_events *events, size_t i) {
  return events->firsts[i];
}

size_t sp_events_find(const struct sp_events *events, const struct sp_tensor *inputs, size_t n_inputs,
                      size_t row) {
  char digest[SP_DIGEST_TEXT_BYTES];
  if (!digest_row(events, inputs, n_inputs, row, digest)) return SP_EVENT_UNKNOWN;
  const struct slot *slot = slot_of(events, digest);
  return slot->digest[0] ? slot->event_i : SP_EVENT_UNKNOWN;
}
