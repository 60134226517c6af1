// Predict: find the version, read the tensors, infer or make an answer up, reply; late or failing where told.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/library.h"
#include "server/parts.h"

#define SPIN_NS (60 * SP_NS_PER_US) // before an instant: a sleeping thread may wake so much late

struct answer {
  int status; // gRPC; 0: `bytes`
  char text[256];
  struct sp_bytes bytes;
};

__attribute__((format(printf, 3, 4))) static bool refuse(struct answer *answer, int status,
                                                         const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(answer->text, sizeof answer->text, format, args);
  va_end(args);
  answer->status = status;
  return false;
}

// --- The request ---

static const struct sp_served *find_served(const struct sp_server *server,
                                           const struct sp_tfs_model_spec *spec, struct answer *answer) {
  char have[128];
  if (spec->label.n) {
    refuse(answer, SP_STATUS_INVALID_ARGUMENT, "version labels are not served; name a version number");
    return NULL;
  }
  if (spec->signature.n && !sp_bytes_equal(spec->signature, sp_bytes_of_text(SP_TFS_SIGNATURE))) {
    refuse(answer, SP_STATUS_INVALID_ARGUMENT, "there is one signature, " SP_TFS_SIGNATURE);
    return NULL;
  }
  bool has_name = false;
  const struct sp_served *served = NULL;
  if (spec->version >= 0) {
    served = sp_models_find(&server->models, (const char *)spec->name.data, spec->name.n,
                            (uint64_t)spec->version, &has_name);
  }
  if (!served) {
    refuse(answer, SP_STATUS_NOT_FOUND, "%s is not served; this server has %s",
           has_name ? "that version" : "that model", sp_models_text(&server->models, have, sizeof have));
  }
  return served;
}

// Fills the bench's inputs; the number of rows, 0 if refused.
static size_t read_inputs(const struct sp_tfs_predict *predict, const struct sp_served *served,
                          const struct sp_bench *bench, struct answer *answer) {
  const struct sp_tfs_signature *signature = &served->signature;
  char have[64], want[64];
  size_t n_rows = 0;
  for (size_t i = 0; i < signature->n_inputs; i++) {
    const struct sp_tensor_spec *spec = &signature->inputs[i];
    const struct sp_tfs_tensor *tensor = sp_tfs_find(predict, spec->name);
    if (!tensor) return refuse(answer, SP_STATUS_INVALID_ARGUMENT, "input %s is missing", spec->name);
    size_t n = sp_tfs_rows(tensor, spec);
    if (!n || (i && n != n_rows)) {
      return refuse(answer, SP_STATUS_INVALID_ARGUMENT, "input %s is %s, model %s takes %s", spec->name,
                    sp_tfs_tensor_text(tensor, have, sizeof have), served->name,
                    sp_tensor_spec_text(spec, want, sizeof want));
    }
    if (n > served->max_rows) {
      return refuse(answer, SP_STATUS_INVALID_ARGUMENT,
                    "%zu rows are more than are taken at once here, %zu (--max-batch, or the model)", n,
                    served->max_rows);
    }
    n_rows = n;
    if (!sp_tfs_read_values(tensor, n * bench->inputs[i].row_elements, bench->inputs[i].data)) {
      return refuse(answer, SP_STATUS_INVALID_ARGUMENT, "input %s does not hold as many values as its shape",
                    spec->name);
    }
  }
  if (predict->n_tensors > signature->n_inputs) {
    return refuse(answer, SP_STATUS_INVALID_ARGUMENT, "%zu inputs came, model %s takes %zu",
                  predict->n_tensors, served->name, signature->n_inputs);
  }
  return n_rows;
}

// Which outputs output_filter asks for: all where it is empty.
static bool choose_outputs(const struct sp_tfs_predict *predict, const struct sp_served *served, bool *wanted,
                           struct answer *answer) {
  for (size_t i = 0; i < served->signature.n_outputs; i++) wanted[i] = !predict->n_filters;
  for (size_t f = 0; f < predict->n_filters; f++) {
    size_t i = 0;
    while (i < served->signature.n_outputs &&
           !sp_bytes_equal(predict->filters[f], sp_bytes_of_text(served->signature.outputs[i].name))) {
      i++;
    }
    if (i == served->signature.n_outputs) {
      return refuse(answer, SP_STATUS_INVALID_ARGUMENT,
                    "output_filter names an output that model %s does not have", served->name);
    }
    wanted[i] = true;
  }
  return true;
}

// --- The prediction ---

static void put_all(struct sp_tensor *tensor, size_t n_rows, double value) {
  for (size_t i = 0; i < n_rows * tensor->row_elements; i++) {
    switch (tensor->spec.dtype) {
    case SP_DTYPE_FLOAT32: ((float *)tensor->data)[i] = (float)value; break;
    case SP_DTYPE_FLOAT64: ((double *)tensor->data)[i] = value; break;
    case SP_DTYPE_INT32: ((int32_t *)tensor->data)[i] = (int32_t)value; break;
    case SP_DTYPE_INT64: ((int64_t *)tensor->data)[i] = (int64_t)value; break;
    default: ((uint8_t *)tensor->data)[i] = (uint8_t)value; break;
    }
  }
}

static bool answer_recorded(const struct sp_served *served, const struct sp_bench *bench, size_t n_rows,
                            struct answer *answer) {
  struct sp_tensor *output = &bench->own_outputs[0];
  for (size_t row = 0; row < n_rows; row++) {
    const double *values = sp_recorded_find(served->recorded, bench->inputs, served->signature.n_inputs, row);
    if (!values) {
      return refuse(answer, SP_STATUS_NOT_FOUND, "no event of the recording has these tensors (row %zu)",
                    row);
    }
    float *to = (float *)output->data + row * output->row_elements;
    for (size_t i = 0; i < output->row_elements; i++) to[i] = (float)values[i];
  }
  return true;
}

static bool infer(const struct sp_server *server, const struct sp_served *served,
                  const struct sp_bench *bench, size_t n_rows, struct answer *answer) {
  switch (server->stub) {
  case SP_STUB_FIXED:
    for (size_t i = 0; i < served->signature.n_outputs; i++)
      put_all(&bench->own_outputs[i], n_rows, server->fixed_value);
    return true;
  case SP_STUB_ECHO: {
    const struct sp_tensor *input = &bench->inputs[0];
    memcpy(bench->own_outputs[0].data, input->data,
           n_rows * input->row_elements * sp_dtype_bytes(input->spec.dtype));
    return true;
  }
  case SP_STUB_RECORDED: return answer_recorded(served, bench, n_rows, answer);
  default: break;
  }
  struct sp_error error;
  if (sp_session_run(bench->session, n_rows, &error) == SP_OK) return true;
  return refuse(answer, SP_STATUS_INTERNAL, "%s", error.text);
}

static void predict(const struct sp_server *server, struct sp_worker *worker, struct sp_bytes request,
                    struct answer *answer) {
  struct sp_tfs_predict predict;
  const char *reason;
  if (!sp_tfs_read_request(request, &predict, &reason)) {
    refuse(answer, SP_STATUS_INVALID_ARGUMENT, "%s", reason);
    return;
  }
  const struct sp_served *served = find_served(server, &predict.spec, answer);
  bool wanted[SP_TENSORS_MAX];
  if (!served || !choose_outputs(&predict, served, wanted, answer)) return;
  const struct sp_bench *bench = &served->benches[worker->i];
  size_t n_rows = read_inputs(&predict, served, bench, answer);
  if (!n_rows || !infer(server, served, bench, n_rows, answer)) return;
  size_t n_outputs = served->signature.n_outputs,
         n_bound = sp_tfs_reply_bound(bench->outputs, n_outputs, n_rows);
  if (n_bound > worker->n_room) {
    worker->reply = sp_realloc(worker->reply, n_bound);
    worker->n_room = n_bound;
  }
  size_t n = sp_tfs_write_reply(served->name, served->version, bench->outputs, wanted, n_outputs, n_rows,
                                worker->reply);
  answer->bytes = sp_bytes_of(worker->reply, n);
}

// --- The call ---

static void answer_call(struct sp_server *server, struct sp_worker *worker, struct sp_incoming *call,
                        int fails_with) {
  struct answer answer = {0};
  if (fails_with)
    refuse(&answer, fails_with, "failing as told (--fail)");
  else
    predict(server, worker, sp_incoming_request(call), &answer);
  int64_t server_ns = answer.status ? sp_incoming_fail(call, answer.status, answer.text)
                                    : sp_incoming_reply(call, answer.bytes);
  if (server->delay_log) fprintf(server->delay_log, "%lld\n", (long long)server_ns);
}

struct delayed {
  struct sp_incoming *call;
  int fails_with;
};

void sp_predict_due(void *context, void *item) {
  struct sp_server *server = context;
  struct delayed *delayed = item;
  answer_call(server, &server->workers[server->n_threads], delayed->call, delayed->fails_with);
  free(delayed);
}

static void wait_until(int64_t due_ns) {
  int64_t sleep_ns = due_ns - SPIN_NS;
  struct timespec until = {sleep_ns / SP_NS_PER_S, sleep_ns % SP_NS_PER_S};
  if (sleep_ns > sp_now_ns()) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  while (sp_now_ns() < due_ns) {
  }
}

void sp_predict_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request) {
  (void)request; // sp_incoming_request gives it again when the answer is due
  struct sp_server *server = context;
  int fails_with = 0;
  int64_t delay_ns = 0;
  if (server->fail || server->delay) {
    uint64_t k = atomic_fetch_add_explicit(&server->n_calls, 1, memory_order_relaxed);
    if (server->fail) fails_with = sp_fail_plan_status(server->fail, k + 1);
    if (server->delay) delay_ns = sp_delay_ns(server->delay, k);
  }
  int64_t due_ns = sp_incoming_received_ns(call) + delay_ns;
  if (server->timer) {
    struct delayed *delayed = sp_alloc(sizeof *delayed);
    *delayed = (struct delayed){call, fails_with};
    sp_timer_add(server->timer, due_ns, delayed);
    return;
  }
  if (delay_ns) wait_until(due_ns);
  answer_call(server, &server->workers[thread_i], call, fails_with);
}
