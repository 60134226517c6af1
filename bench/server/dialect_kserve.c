// KServe's ModelInfer.
#include "server/dialect.h"

static bool read(struct sp_bytes bytes, union sp_message *message, struct sp_asked *asked,
                 const char **reason) {
  if (!sp_kserve_read_request(bytes, &message->kserve, reason)) return false;
  *asked = (struct sp_asked){message->kserve.model, {0}, message->kserve.version};
  return true;
}

static size_t n_inputs(const union sp_message *message) {
  return message->kserve.n_tensors;
}

static int find_input(const union sp_message *message, const char *name) {
  const struct sp_kserve_tensor *tensor = sp_kserve_find(&message->kserve, name);
  return tensor ? (int)(tensor - message->kserve.tensors) : -1;
}

static size_t rows(const union sp_message *message, int i, const struct sp_tensor_spec *spec) {
  return sp_kserve_rows(&message->kserve.tensors[i], spec);
}

static bool read_values(const union sp_message *message, int i, size_t n_elements, void *to) {
  return sp_kserve_read_values(&message->kserve.tensors[i], n_elements, to);
}

static char *input_text(const union sp_message *message, int i, char *text, size_t n) {
  return sp_kserve_tensor_text(&message->kserve.tensors[i], text, n);
}

static size_t n_wanted(const union sp_message *message) {
  return message->kserve.n_outputs;
}

static struct sp_bytes wanted_name(const union sp_message *message, size_t i) {
  return message->kserve.outputs[i];
}

static size_t reply_bound(const union sp_message *message, const struct sp_tensor *outputs, size_t n_outputs,
                          size_t n_rows) {
  return sp_kserve_reply_bound(message->kserve.id, outputs, n_outputs, n_rows);
}

static size_t write_reply(const union sp_message *message, const struct sp_served *served,
                          const struct sp_tensor *outputs, const bool *wanted, size_t n_rows, uint8_t *to) {
  return sp_kserve_write_reply(served->name, served->version, message->kserve.id, outputs, wanted,
                               served->signature.n_outputs, n_rows, to);
}

const struct sp_dialect sp_dialect_kserve = {
    .outputs_field = "outputs",
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
