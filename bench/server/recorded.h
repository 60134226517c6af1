// The expected predictions of a recording, found by the tensors that were sent: any client gets them, in any order.
#ifndef SP_SERVER_RECORDED_H
#define SP_SERVER_RECORDED_H

#include "base/tensor.h"
#include "scenario/scenario.h"

struct sp_recorded;

// Decodes every event of the scenario's recording and keeps digest -> values. `expected` NULL: the file beside the
// recording. SP_ERR_ENVIRONMENT: recording or expectations missing. Blocks for the length of the recording.
enum sp_err sp_recorded_new(const struct sp_scenario *scenario, uint64_t version, const char *expected,
                            struct sp_recorded **recorded, struct sp_error *error);
void sp_recorded_free(struct sp_recorded *recorded);           // NULL is allowed
size_t sp_recorded_values(const struct sp_recorded *recorded); // per event
// The values for row `row` of inputs[0..n-1] (order of input.tensors); NULL if no event has these tensors. Any thread.
const double *sp_recorded_find(const struct sp_recorded *recorded, const struct sp_tensor *inputs,
                               size_t n_inputs, size_t row);

#endif
