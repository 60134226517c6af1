// Reading, checking and answering a request.
#include "server/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rpc/library.h"

bool sp_request_refuse(struct sp_request *request, int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(request->text, sizeof request->text, format, args);
  va_end(args);
  request->status = status;
  return false;
}

// --- What is asked ---

// Which outputs are asked for: all where none is named.
static bool choose_outputs(struct sp_request *request) {
  const struct sp_dialect *dialect = request->dialect;
  const struct sp_signature *signature = &request->served->signature;
  size_t n_wanted = dialect->n_wanted(&request->message);
  for (size_t i = 0; i < signature->n_outputs; i++) request->wanted[i] = !n_wanted;
  for (size_t w = 0; w < n_wanted; w++) {
    struct sp_bytes name = dialect->wanted(&request->message, w);
    size_t i = 0;
    while (i < signature->n_outputs && !sp_bytes_equal(name, sp_bytes_of_text(signature->outputs[i].name)))
      i++;
    if (i == signature->n_outputs) {
      return sp_request_refuse(request, SP_STATUS_INVALID_ARGUMENT,
                               "%s names an output that model %s does not have", dialect->outputs_field,
                               request->served->name);
    }
    request->wanted[i] = true;
  }
  return true;
}

// The rows of one input; 0: refused.
static size_t rows_of(struct sp_request *request, const struct sp_tensor_spec *spec) {
  char have[64], want[64];
  const struct sp_dialect *dialect = request->dialect;
  int i = dialect->find_input(&request->message, spec->name);
  if (i < 0) return sp_request_refuse(request, SP_STATUS_INVALID_ARGUMENT, "input %s is missing", spec->name);
  size_t n = dialect->rows(&request->message, i, spec);
  if (!n || (request->n_rows && n != request->n_rows)) {
    return sp_request_refuse(request, SP_STATUS_INVALID_ARGUMENT, "input %s is %s, model %s takes %s",
                             spec->name, dialect->input_text(&request->message, i, have, sizeof have),
                             request->served->name, sp_tensor_spec_text(spec, want, sizeof want));
  }
  if (n > request->served->max_rows) {
    return sp_request_refuse(request, SP_STATUS_INVALID_ARGUMENT,
                             "%zu rows are more than are taken at once here, %zu (--max-batch, or the model)",
                             n, request->served->max_rows);
  }
  return n;
}

static bool count_rows(struct sp_request *request) {
  const struct sp_signature *signature = &request->served->signature;
  request->n_rows = 0;
  for (size_t i = 0; i < signature->n_inputs; i++) {
    size_t n = rows_of(request, &signature->inputs[i]);
    if (!n) return false;
    request->n_rows = n;
  }
  size_t n_inputs = request->dialect->n_inputs(&request->message);
  if (n_inputs <= signature->n_inputs) return true;
  return sp_request_refuse(request, SP_STATUS_INVALID_ARGUMENT, "%zu inputs came, model %s takes %zu",
                           n_inputs, request->served->name, signature->n_inputs);
}

void sp_request_read(struct sp_request *request, const struct sp_models *models) {
  struct sp_asked asked;
  const char *reason;
  request->status = 0;
  request->served = NULL;
  if (!request->dialect->read(sp_incoming_request(request->call), &request->message, &asked, &reason)) {
    sp_request_refuse(request, SP_STATUS_INVALID_ARGUMENT, "%s", reason);
    return;
  }
  request->served = sp_models_find(models, &asked, request->text, sizeof request->text);
  if (!request->served)
    request->status = SP_STATUS_NOT_FOUND;
  else if (choose_outputs(request))
    count_rows(request);
}

bool sp_request_put(struct sp_request *request, const struct sp_bench *bench, size_t first_row) {
  const struct sp_signature *signature = &request->served->signature;
  request->first_row = first_row;
  for (size_t i = 0; i < signature->n_inputs; i++) {
    const struct sp_tensor *input = &bench->inputs[i];
    size_t row_bytes = input->row_elements * sp_dtype_bytes(input->spec.dtype);
    int of = request->dialect->find_input(&request->message, signature->inputs[i].name);
    if (!request->dialect->read_values(&request->message, of, request->n_rows * input->row_elements,
                                       (uint8_t *)input->data + first_row * row_bytes)) {
      return sp_request_refuse(request, SP_STATUS_INVALID_ARGUMENT,
                               "input %s does not hold as many values as its shape",
                               signature->inputs[i].name);
    }
  }
  return true;
}

// --- The answer ---

int64_t sp_request_answer(struct sp_request *request, const struct sp_bench *bench,
                          struct sp_reply_room *room) {
  if (request->status) return sp_incoming_fail(request->call, request->status, request->text);
  size_t n_outputs = request->served->signature.n_outputs;
  const struct sp_tensor *outputs = bench->outputs;
  struct sp_tensor own[SP_TENSORS_MAX]; // the same, from its first row on
  for (size_t i = 0; request->first_row && i < n_outputs; i++) {
    own[i] = bench->outputs[i];
    own[i].data =
        (uint8_t *)own[i].data + request->first_row * own[i].row_elements * sp_dtype_bytes(own[i].spec.dtype);
    outputs = own;
  }
  size_t n_bound = request->dialect->reply_bound(&request->message, outputs, n_outputs, request->n_rows);
  if (n_bound > room->n) {
    room->bytes = sp_realloc(room->bytes, n_bound);
    room->n = n_bound;
  }
  size_t n = request->dialect->write_reply(&request->message, request->served, outputs, request->wanted,
                                           request->n_rows, room->bytes);
  return sp_incoming_reply(request->call, sp_bytes_of(room->bytes, n));
}
