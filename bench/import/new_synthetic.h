// Inside import/: events made from a model's inputs alone. They show cost, and nothing of the data.
#ifndef SP_IMPORT_NEW_SYNTHETIC_H
#define SP_IMPORT_NEW_SYNTHETIC_H

#include "import/new.h"
#include "import/new_yaml.h"

// What the numbers are: reals normal around 0, whole numbers from 0 to whole_max.
struct sp_synthetic {
  const struct sp_model_io *io;
  int64_t whole_max[SP_TENSORS_MAX];
  size_t n_elements; // of a row, of all inputs
  bool is_raw;       // too many for columns: the tensors' bytes
};

// Tries the model with ever smaller whole numbers until it takes them, since they may be indexes of a table. SP_ERR_USAGE: it takes
// none, or the events would be too large.
enum sp_err sp_synthetic_plan(struct sp_engine *engine, uint64_t n_events, struct sp_synthetic *plan,
                              struct sp_error *error);
// The recording: the same bytes for the same model, count and seed on every machine.
enum sp_err sp_synthetic_write(const struct sp_synthetic *plan, const struct sp_new_conf *conf,
                               const char *path, struct sp_error *error);
// input: of the scenario.
void sp_synthetic_yaml(const struct sp_synthetic *plan, struct sp_new_yaml *yaml);

#endif
