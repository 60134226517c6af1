// TensorFlow Serving's REST: ":predict" with instances (one input: a row each) or inputs (several: a column each), status and
// metadata of a model.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/rest.h"
#include "rpc/rest_scan.h"
#include "rpc/rest_write.h"

#define SIGNATURE "serving_default"

// --- Requests ---

// "/v1/models/fraud/versions/1" and what follows.
static char *path_of(const struct sp_rpc_env *env, const char *rest) {
  char *name = sp_rest_escape(env->model_name), *path;
  char *label = env->version_label ? sp_rest_escape(env->version_label) : NULL;
  if (label)
    path = sp_format("/v1/models/%s/labels/%s%s", name, label, rest);
  else if (env->model_version)
    path = sp_format("/v1/models/%s/versions/%llu%s", name, (unsigned long long)env->model_version, rest);
  else
    path = sp_format("/v1/models/%s%s", name, rest);
  free(label);
  free(name);
  return path;
}

static char *predict_path(const struct sp_rpc_env *env) {
  return path_of(env, ":predict");
}

static size_t body_bound(const struct sp_tensor_spec *inputs, size_t n_inputs, const char *output,
                         size_t n_rows) {
  (void)output;
  size_t n = 128;
  for (size_t i = 0; i < n_inputs; i++) {
    n += 6 * strlen(inputs[i].name) + 16 + sp_rest_rows_bound(&inputs[i], n_rows);
  }
  return n;
}

static uint8_t *put_rows(uint8_t *to, const struct sp_tensor *tensor, size_t n_rows) {
  *to++ = '[';
  for (size_t row = 0; row < n_rows; row++) {
    if (row) *to++ = ',';
    to = sp_rest_put_row(to, tensor, row);
  }
  *to++ = ']';
  return to;
}

static size_t write_body(const struct sp_tensor *inputs, size_t n_inputs, const char *output, size_t n_rows,
                         uint8_t *body) {
  (void)output; // the API has no filter: the reply holds every output
  uint8_t *to = sp_rest_put(body, "{\"signature_name\":\"" SIGNATURE "\",");
  if (n_inputs == 1) {
    to = put_rows(sp_rest_put(to, "\"instances\":"), &inputs[0], n_rows);
  } else {
    to = sp_rest_put(to, "\"inputs\":{");
    for (size_t i = 0; i < n_inputs; i++) {
      if (i) *to++ = ',';
      to = sp_rest_put_string(to, inputs[i].spec.name);
      *to++ = ':';
      to = put_rows(to, &inputs[i], n_rows);
    }
    *to++ = '}';
  }
  *to++ = '}';
  return (size_t)(to - body);
}

// --- Replies: {"predictions": [...]} by row, {"outputs": ...} by column; names only where there are several ---

struct reading {
  struct sp_tensor *output;
  size_t n_rows, row;
  bool has_values, has_output; // of the document; of the row or of the columns
};

static bool row_member(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  struct reading *reading = context;
  const struct sp_tensor_spec *spec = &reading->output->spec;
  if (!sp_rest_string_is(name, spec->name)) return sp_rest_scan_skip(scan);
  if (reading->has_output) return sp_rest_scan_fail(scan, "output %.40s twice", spec->name);
  reading->has_output = true;
  return sp_rest_scan_shaped(scan, spec->shape + 1, spec->rank - 1, spec->dtype, reading->output->data,
                             reading->row * reading->output->row_elements);
}

static bool row_item(struct sp_rest_scan *scan, size_t row, void *context) {
  struct reading *reading = context;
  struct sp_tensor *output = reading->output;
  if (row == reading->n_rows) return sp_rest_scan_fail(scan, "more than %zu predictions", reading->n_rows);
  reading->row = row;
  if (sp_rest_scan_peek(scan) != '{') {
    return sp_rest_scan_shaped(scan, output->spec.shape + 1, output->spec.rank - 1, output->spec.dtype,
                               output->data, row * output->row_elements);
  }
  reading->has_output = false;
  if (!sp_rest_scan_object(scan, row_member, reading)) return false;
  return reading->has_output || sp_rest_scan_fail(scan, "no output %.40s", output->spec.name);
}

static bool take_rows(struct sp_rest_scan *scan, struct reading *reading) {
  reading->row = SIZE_MAX; // so that the next is 0
  if (!sp_rest_scan_array(scan, row_item, reading)) return false;
  size_t n = reading->row + 1;
  return n == reading->n_rows ||
         sp_rest_scan_fail(scan, "%zu predictions where %zu must be", n, reading->n_rows);
}

static bool take_column(struct sp_rest_scan *scan, struct reading *reading) {
  const struct sp_tensor_spec *spec = &reading->output->spec;
  int64_t dims[SP_TENSOR_RANK_MAX];
  memcpy(dims, spec->shape, sizeof dims);
  dims[0] = (int64_t)reading->n_rows;
  return sp_rest_scan_shaped(scan, dims, spec->rank, spec->dtype, reading->output->data, 0);
}

static bool column_member(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  struct reading *reading = context;
  if (!sp_rest_string_is(name, reading->output->spec.name)) return sp_rest_scan_skip(scan);
  if (reading->has_output) return sp_rest_scan_fail(scan, "output %.40s twice", reading->output->spec.name);
  reading->has_output = true;
  return take_column(scan, reading);
}

static bool document_member(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  struct reading *reading = context;
  bool is_rows = sp_rest_string_is(name, "predictions");
  if (!is_rows && !sp_rest_string_is(name, "outputs")) return sp_rest_scan_skip(scan);
  if (reading->has_values) return sp_rest_scan_fail(scan, "predictions twice");
  reading->has_values = true;
  if (is_rows) return take_rows(scan, reading);
  if (sp_rest_scan_peek(scan) != '{') return take_column(scan, reading);
  if (!sp_rest_scan_object(scan, column_member, reading)) return false;
  return reading->has_output || sp_rest_scan_fail(scan, "no output %.40s", reading->output->spec.name);
}

static bool read_reply(struct sp_bytes reply, struct sp_tensor *output, size_t n_rows, char *text,
                       size_t n_text) {
  struct reading reading = {.output = output, .n_rows = n_rows};
  struct sp_rest_scan scan;
  sp_rest_scan_begin(&scan, reply);
  bool is_read = sp_rest_scan_object(&scan, document_member, &reading) && sp_rest_scan_end(&scan);
  if (is_read && !reading.has_values) is_read = sp_rest_scan_fail(&scan, "neither predictions nor outputs");
  if (!is_read) snprintf(text, n_text, "reply: %s", scan.why);
  return is_read;
}

// --- The outputs of a reply to zeros: shapes as they stand there, float32 unless every number is whole ---

struct learning {
  struct sp_signature *signature;
  const char *name; // of an output that the server does not name
  bool has_values, is_column;
};

static bool learn_one(struct sp_rest_scan *scan, struct learning *learning, const char *name,
                      struct sp_bytes raw_name) {
  struct sp_signature *signature = learning->signature;
  if (signature->n_outputs == SP_TENSORS_MAX) return sp_rest_scan_fail(scan, "more outputs than can be held");
  struct sp_tensor_spec *spec = &signature->outputs[signature->n_outputs++];
  if (raw_name.data)
    snprintf(spec->name, sizeof spec->name, "%.*s", (int)raw_name.n, (const char *)raw_name.data);
  else
    snprintf(spec->name, sizeof spec->name, "%s", name);
  int64_t dims[SP_TENSOR_RANK_MAX];
  uint32_t n_dims;
  bool is_whole;
  if (!sp_rest_scan_shape(scan, dims, &n_dims, &is_whole)) return false;
  uint32_t n_front = learning->is_column ? 0 : 1; // a row lacks the batch dimension
  if (n_dims + n_front > SP_TENSOR_RANK_MAX || n_dims + n_front == 0)
    return sp_rest_scan_fail(scan, "an output of %u dimensions", n_dims);
  spec->dtype = is_whole ? SP_DTYPE_INT64 : SP_DTYPE_FLOAT32;
  spec->rank = n_dims + n_front;
  memcpy(spec->shape + n_front, dims, n_dims * sizeof *dims);
  if (learning->is_column && dims[0] != 1) return sp_rest_scan_fail(scan, "not one row for one");
  spec->shape[0] = 1;
  return true;
}

static bool learn_member(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  return learn_one(scan, context, "", name);
}

static bool learn_value(struct sp_rest_scan *scan, struct learning *learning) {
  if (sp_rest_scan_peek(scan) == '{') return sp_rest_scan_object(scan, learn_member, learning);
  const char *name = *learning->name ? learning->name : learning->is_column ? "outputs" : "predictions";
  return learn_one(scan, learning, name, (struct sp_bytes){0});
}

static bool learn_row(struct sp_rest_scan *scan, size_t row, void *context) {
  return row ? sp_rest_scan_fail(scan, "more than one prediction for one row") : learn_value(scan, context);
}

static bool learn_document(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  struct learning *learning = context;
  bool is_rows = sp_rest_string_is(name, "predictions");
  if (!is_rows && !sp_rest_string_is(name, "outputs")) return sp_rest_scan_skip(scan);
  if (learning->has_values) return sp_rest_scan_fail(scan, "predictions twice");
  learning->has_values = true;
  learning->is_column = !is_rows;
  return is_rows ? sp_rest_scan_array(scan, learn_row, learning) : learn_value(scan, learning);
}

static bool read_outputs(struct sp_bytes reply, const char *output, struct sp_signature *signature,
                         char *text, size_t n_text) {
  struct learning learning = {.signature = signature, .name = output};
  struct sp_rest_scan scan;
  sp_rest_scan_begin(&scan, reply);
  bool is_read = sp_rest_scan_object(&scan, learn_document, &learning) && sp_rest_scan_end(&scan);
  if (is_read && !signature->n_outputs) is_read = sp_rest_scan_fail(&scan, "no predictions");
  if (!is_read) snprintf(text, n_text, "%s", scan.why);
  return is_read;
}

// --- What the server says of the model ---

static enum sp_dtype dtype_of(const char *name) {
  static const struct {
    const char *name;
    enum sp_dtype dtype;
  } known[] = {{"DT_FLOAT", SP_DTYPE_FLOAT32}, {"DT_DOUBLE", SP_DTYPE_FLOAT64}, {"DT_INT32", SP_DTYPE_INT32},
               {"DT_INT64", SP_DTYPE_INT64},   {"DT_UINT8", SP_DTYPE_UINT8},    {"DT_BOOL", SP_DTYPE_BOOL}};
  for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++) {
    if (strcmp(known[i].name, name) == 0) return known[i].dtype;
  }
  return SP_DTYPE_NONE;
}

// Numbers come as texts here: {"dim": [{"size": "-1"}, {"size": "30"}]}.
static bool read_tensor(const char *name, json_t *info, struct sp_tensor_spec *spec) {
  json_t *shape = json_object_get(info, "tensor_shape"), *dims = json_object_get(shape, "dim");
  *spec = (struct sp_tensor_spec){.dtype = dtype_of(json_string_value(json_object_get(info, "dtype")))};
  if (strlen(name) >= sizeof spec->name || json_array_size(dims) > SP_TENSOR_RANK_MAX) return false;
  strcpy(spec->name, name);
  if (json_is_true(json_object_get(shape, "unknown_rank"))) return true;
  for (size_t i = 0; i < json_array_size(dims); i++) {
    json_t *size = json_object_get(json_array_get(dims, i), "size");
    const char *text = json_string_value(size);
    spec->shape[spec->rank++] = text ? strtoll(text, NULL, 10) : json_integer_value(size);
  }
  return true;
}

static bool read_tensors(json_t *list, struct sp_tensor_spec *specs, size_t *n_specs) {
  const char *name;
  json_t *info;
  json_object_foreach(list, name, info) {
    if (*n_specs == SP_TENSORS_MAX || !read_tensor(name, info, &specs[(*n_specs)++])) return false;
  }
  return *n_specs > 0;
}

static bool read_signature(const struct sp_rest_answer *answer, struct sp_signature *signature) {
  json_t *root = json_loadb((const char *)answer->body, answer->n_body, 0, NULL);
  json_t *at = json_object_get(json_object_get(root, "metadata"), "signature_def");
  at = json_object_get(json_object_get(at, "signature_def"), SIGNATURE);
  bool is_read = read_tensors(json_object_get(at, "inputs"), signature->inputs, &signature->n_inputs) &&
                 read_tensors(json_object_get(at, "outputs"), signature->outputs, &signature->n_outputs);
  json_decref(root);
  return is_read;
}

// Of an answer to the question for a model's status: whether it names a version, and one that is AVAILABLE.
static void read_status(const struct sp_rest_answer *answer, bool *is_status, bool *is_available) {
  json_t *root = json_loadb((const char *)answer->body, answer->n_body, 0, NULL), *version;
  json_t *versions = json_object_get(root, "model_version_status");
  size_t i;
  *is_status = json_array_size(versions) > 0;
  *is_available = false;
  json_array_foreach(versions, i, version) {
    const char *state = json_string_value(json_object_get(version, "state"));
    *is_available = *is_available || (state && strcmp(state, "AVAILABLE") == 0);
  }
  json_decref(root);
}

static enum sp_err describe(struct sp_rpc_env *env, const struct sp_rest_link *link,
                            struct sp_rpc_server_facts *server, struct sp_signature *signature,
                            bool *is_described, struct sp_error *error) {
  struct sp_rest_answer answer;
  char *path = path_of(env, "");
  enum sp_err err = sp_rest_reach(link, path, &answer, error);
  free(path);
  if (err) return err;
  *server = answer.server;
  bool is_status, is_available;
  read_status(&answer, &is_status, &is_available);
  free(answer.body);
  if (is_status && !is_available) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "model server %s: model %s is not available yet; wait until it is loaded", env->address,
                   env->model_name);
  }
  path = path_of(env, "/metadata");
  sp_rest_ask(link, path, (struct sp_bytes){0}, env->conf->connect_timeout_ns, &answer);
  free(path);
  *is_described = answer.status == 200 && read_signature(&answer, signature);
  free(answer.body);
  return SP_OK;
}

const struct sp_rest_protocol sp_rest_tfs = {
    .name = "tfs-rest",
    .describe = describe,
    .predict_path = predict_path,
    .body_bound = body_bound,
    .write_body = write_body,
    .read_reply = read_reply,
    .read_outputs = read_outputs,
};
