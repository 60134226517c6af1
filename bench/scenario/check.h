// What the tables cannot say: ranges, keys that need each other, files that must exist. Each message names the place of the
// key in the file (or flag) it was written in, or of the nearest mapping around a missing one.
#ifndef SP_SCENARIO_CHECK_H
#define SP_SCENARIO_CHECK_H

#include "scenario/scenario.h"
#include "scenario/tree.h"

struct sp_check_context {
  const struct sp_node *root;
  const struct sp_scenario *scenario;
  struct sp_error *error;
  const char *const *measured; // names of the sides that will run; none: all may
  size_t n_measured;
};

// Before binding: `version` is there and known, so that a later language is not taken for mistakes.
enum sp_err sp_check_version(const struct sp_node *root, struct sp_error *error);
// After binding. SP_ERR_USAGE, or SP_ERR_ENVIRONMENT for files.
enum sp_err sp_check_scenario(const struct sp_check_context *check);

// --- For the files of this folder ---

// The value written at a dotted key ("input.tensors.0.name"); NULL if there is none.
const struct sp_node *sp_check_find(const struct sp_check_context *check, const char *key);
enum sp_err sp_check_fail(const struct sp_check_context *check, enum sp_err code, const char *key,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));
bool sp_check_is_measured(const struct sp_check_context *check, const char *side);
enum sp_err sp_check_input(const struct sp_check_context *check); // input: and output:
enum sp_err
sp_check_stream(const struct sp_check_context *check); // stream:, topics:, and what depends on them
enum sp_err sp_check_match(const struct sp_check_context *check,
                           const struct sp_side *side); // how answers find their events

#endif
