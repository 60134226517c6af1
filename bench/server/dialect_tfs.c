// TensorFlow Serving's Predict.
#include "server/dialect.h"

static bool read(struct sp_bytes bytes, union sp_message *message, struct sp_asked *asked,
                 const char **reason) {
  if (!sp_tfs_read_request(bytes, &message->tfs, reason)) return false;
  const struct sp_tfs_model_spec *spec = &message->tfs.spec;
  *reason = "there is one signature, " SP_TFS_SIGNATURE;
  if (spec->signature.n && !sp_bytes_equal(spec->signature, sp_bytes_of_text(SP_TFS_SIGNATURE))) return false;
  *asked = (struct sp_asked){spec->name, spec->label, spec->version};
  if (!spec->label.n) asked->label = (struct sp_bytes){0};
  return true;
}

static size_t n_inputs(const union sp_message *message) {
  return message->tfs.n_tensors;
}

static int find_input(const union sp_message *message, const char *name) {
  const struct sp_tfs_tensor *tensor = sp_tfs_find(&message->tfs, name);
  return tensor ? (int)(tensor - message->tfs.tensors) : -1;
}

static size_t rows(const union sp_message *message, int i, const struct sp_tensor_spec *spec) {
  return sp_tfs_rows(&message->tfs.tensors[i], spec);
}

static bool read_values(const union sp_message *message, int i, size_t n_elements, void *to) {
  return sp_tfs_read_values(&message->tfs.tensors[i], n_elements, to);
}

static char *input_text(const union sp_message *message, int i, char *text, size_t n) {
  return sp_tfs_tensor_text(&message->tfs.tensors[i], text, n);
}

static size_t n_wanted(const union sp_message *message) {
  return message->tfs.n_filters;
}

static struct sp_bytes wanted_name(const union sp_message *message, size_t i) {
  return message->tfs.filters[i];
}

static size_t reply_bound(const union sp_message *message, const struct sp_tensor *outputs, size_t n_outputs,
                          size_t n_rows) {
  (void)message;
  return sp_tfs_reply_bound(outputs, n_outputs, n_rows);
}

static size_t write_reply(const union sp_message *message, const struct sp_served *served,
                          const struct sp_tensor *outputs, const bool *wanted, size_t n_rows, uint8_t *to) {
  (void)message;
  return sp_tfs_write_reply(served->name, served->version, outputs, wanted, served->signature.n_outputs,
                            n_rows, to);
}

const struct sp_dialect sp_dialect_tfs = {
    .outputs_field = "output_filter",
    .read = read,
    .n_inputs = n_inputs,
    .find_input = find_input,
    .rows = rows,
    .read_values = read_values,
    .input_text = input_text,
    .n_wanted = n_wanted,
    .wanted = wanted_name,
    .reply_bound = reply_bound,
    .write_reply = write_reply,
};
