// Which event of a recording was sent, found by its tensors: whoever sends it, in any order, as often as wanted.
#ifndef SP_SERVER_EVENTS_H
#define SP_SERVER_EVENTS_H

#include "base/tensor.h"
#include "scenario/scenario.h"

#define SP_EVENT_UNKNOWN SIZE_MAX

struct sp_events;

// Decodes every event of the scenario's recording and keeps digest -> number. SP_ERR_ENVIRONMENT: no such recording. Blocks for
// the length of the recording.
enum sp_err sp_events_new(const struct sp_scenario *scenario, struct sp_events **events,
                          struct sp_error *error);
void sp_events_free(struct sp_events *events); // NULL is allowed
size_t sp_events_count(const struct sp_events *events);
// The first event with the same tensors as event i; SP_EVENT_UNKNOWN: it cannot be decoded.
size_t sp_events_first(const struct sp_events *events, size_t i);
// The event whose tensors are row `row` of inputs[0..n-1], in any order, found by name; the first of several that have the same.
// SP_EVENT_UNKNOWN: none. Any thread.
size_t sp_events_find(const struct sp_events *events, const struct sp_tensor *inputs, size_t n_inputs,
                      size_t row);

#endif
