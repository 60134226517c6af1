// A protocol as the server speaks it: how a request for a prediction is read, and its answer written. One file each.
#ifndef SP_SERVER_DIALECT_H
#define SP_SERVER_DIALECT_H

#include "rpc/kserve.h"
#include "rpc/tfs.h"
#include "server/models.h"

union sp_message { // a request as read; points into its bytes
  struct sp_tfs_predict tfs;
  struct sp_kserve_infer kserve;
};

struct sp_dialect {
  const char *outputs_field; // where a request names the outputs that it wants
  // False with a reason (static).
  bool (*read)(struct sp_bytes bytes, union sp_message *message, struct sp_asked *asked, const char **reason);
  size_t (*n_inputs)(const union sp_message *message);
  int (*find_input)(const union sp_message *message, const char *name); // its index; -1: it is not there
  // Rows of input i where its type and shape are those of `spec`; 0 otherwise.
  size_t (*rows)(const union sp_message *message, int i, const struct sp_tensor_spec *spec);
  // n_elements of input i; false where it does not hold as many.
  bool (*read_values)(const union sp_message *message, int i, size_t n_elements, void *to);
  char *(*input_text)(const union sp_message *message, int i, char *text, size_t n); // "float32 [1, 30]"
  size_t (*n_wanted)(const union sp_message *message); // outputs named; 0: all are wanted
  struct sp_bytes (*wanted)(const union sp_message *message, size_t i);
  // Bytes that an answer can need, and the answer: n_rows rows of outputs[i] where wanted[i].
  size_t (*reply_bound)(const union sp_message *message, const struct sp_tensor *outputs, size_t n_outputs,
                        size_t n_rows);
  size_t (*write_reply)(const union sp_message *message, const struct sp_served *served,
                        const struct sp_tensor *outputs, const bool *wanted, size_t n_rows, uint8_t *to);
};

extern const struct sp_dialect sp_dialect_tfs;
extern const struct sp_dialect sp_dialect_kserve;

#endif
