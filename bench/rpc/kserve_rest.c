// The Open Inference Protocol, version 2, over REST: "/infer" with flat JSON data, health and metadata.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/kserve.h"
#include "rpc/rest.h"
#include "rpc/rest_scan.h"
#include "rpc/rest_write.h"

#define HTTP_NOT_IMPLEMENTED 501

// --- Requests ---

// "/v2/models/fraud/versions/1" and what follows. A version is any text here, so a label is one too.
static char *path_of(const struct sp_rpc_env *env, const char *rest) {
  char *name = sp_rest_escape(env->model_name), *path;
  char *label = env->version_label ? sp_rest_escape(env->version_label) : NULL;
  if (label)
    path = sp_format("/v2/models/%s/versions/%s%s", name, label, rest);
  else if (env->model_version)
    path = sp_format("/v2/models/%s/versions/%llu%s", name, (unsigned long long)env->model_version, rest);
  else
    path = sp_format("/v2/models/%s%s", name, rest);
  free(label);
  free(name);
  return path;
}

static char *predict_path(const struct sp_rpc_env *env) {
  return path_of(env, "/infer");
}

static size_t body_bound(const struct sp_tensor_spec *inputs, size_t n_inputs, const char *output,
                         size_t n_rows) {
  size_t n = 128 + 6 * strlen(output);
  for (size_t i = 0; i < n_inputs; i++) {
    n += 6 * strlen(inputs[i].name) + 128 + 21 * SP_TENSOR_RANK_MAX + sp_rest_rows_bound(&inputs[i], n_rows);
  }
  return n;
}

static uint8_t *put_input(uint8_t *to, const struct sp_tensor *input, size_t n_rows) {
  const struct sp_tensor_spec *spec = &input->spec;
  to = sp_rest_put_string(sp_rest_put(to, "{\"name\":"), spec->name);
  to = sp_rest_put_count(sp_rest_put(to, ",\"shape\":["), n_rows);
  for (uint32_t i = 1; i < spec->rank; i++) {
    *to++ = ',';
    to = sp_rest_put_count(to, (uint64_t)spec->shape[i]);
  }
  to = sp_rest_put(sp_rest_put(to, "],\"datatype\":\""), sp_kserve_datatype(spec->dtype));
  to = sp_rest_put_flat(sp_rest_put(to, "\",\"data\":["), input, n_rows);
  return sp_rest_put(to, "]}");
}

static size_t write_body(const struct sp_tensor *inputs, size_t n_inputs, const char *output, size_t n_rows,
                         uint8_t *body) {
  uint8_t *to = sp_rest_put(body, "{\"inputs\":[");
  for (size_t i = 0; i < n_inputs; i++) {
    if (i) *to++ = ',';
    to = put_input(to, &inputs[i], n_rows);
  }
  *to++ = ']';
  if (*output) {
    to = sp_rest_put_string(sp_rest_put(to, ",\"outputs\":[{\"name\":"), output);
    to = sp_rest_put(to, "}]");
  }
  *to++ = '}';
  return (size_t)(to - body);
}

// --- Replies: {"outputs": [{"name", "shape", "datatype", "data"}]} ---

struct reading {
  struct sp_tensor *output;
  size_t n_rows;
  bool has_outputs, is_found; // of the document
  // Of one output: its members come in any order, so its data waits until the rest is known.
  struct sp_bytes name, datatype;
  struct sp_rest_scan data;
  bool has_data, has_shape, is_shape_ours;
};

struct dims {
  const struct reading *reading;
  bool is_same;
  size_t n;
};

static bool shape_item(struct sp_rest_scan *scan, size_t i, void *context) {
  struct dims *dims = context;
  const struct sp_tensor_spec *spec = &dims->reading->output->spec;
  int64_t have = 0;
  if (!sp_rest_scan_element(scan, SP_DTYPE_INT64, &have, 0)) return false;
  int64_t wanted = i == 0 ? (int64_t)dims->reading->n_rows : i < spec->rank ? spec->shape[i] : -1;
  dims->is_same = dims->is_same && have == wanted;
  dims->n = i + 1;
  return true;
}

static bool output_member(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  struct reading *reading = context;
  if (sp_rest_string_is(name, "name")) return sp_rest_scan_string(scan, &reading->name);
  if (sp_rest_string_is(name, "datatype")) return sp_rest_scan_string(scan, &reading->datatype);
  if (sp_rest_string_is(name, "shape")) {
    struct dims dims = {reading, true, 0};
    if (!sp_rest_scan_array(scan, shape_item, &dims)) return false;
    reading->is_shape_ours = dims.is_same && dims.n == reading->output->spec.rank;
    return reading->has_shape = true;
  }
  if (sp_rest_string_is(name, "data")) {
    sp_rest_scan_peek(scan);
    reading->data = *scan;
    reading->has_data = true;
  }
  return sp_rest_scan_skip(scan);
}

static bool take_output(struct sp_rest_scan *scan, struct reading *reading) {
  const struct sp_tensor_spec *spec = &reading->output->spec;
  if (reading->is_found) return sp_rest_scan_fail(scan, "output %.40s twice", spec->name);
  reading->is_found = true;
  if (!reading->has_shape || !reading->is_shape_ours)
    return sp_rest_scan_fail(scan, "output %.40s is not of the shape that was asked for", spec->name);
  const char *datatype = sp_kserve_datatype(spec->dtype);
  if (!sp_rest_string_is(reading->datatype, datatype))
    return sp_rest_scan_fail(scan, "output %.40s is not %s", spec->name, datatype);
  if (!reading->has_data) return sp_rest_scan_fail(scan, "output %.40s has no data", spec->name);
  if (sp_rest_scan_flat(&reading->data, spec->dtype, reading->output->data,
                        reading->n_rows * reading->output->row_elements))
    return true;
  memcpy(scan->why, reading->data.why, sizeof scan->why);
  return false;
}

static bool output_item(struct sp_rest_scan *scan, size_t i, void *context) {
  (void)i;
  struct reading *reading = context;
  reading->name = reading->datatype = (struct sp_bytes){0};
  reading->has_data = reading->has_shape = false;
  if (!sp_rest_scan_object(scan, output_member, reading)) return false;
  return !sp_rest_string_is(reading->name, reading->output->spec.name) || take_output(scan, reading);
}

static bool document_member(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  struct reading *reading = context;
  if (!sp_rest_string_is(name, "outputs")) return sp_rest_scan_skip(scan);
  if (reading->has_outputs) return sp_rest_scan_fail(scan, "outputs twice");
  reading->has_outputs = true;
  return sp_rest_scan_array(scan, output_item, reading);
}

static bool read_reply(struct sp_bytes reply, struct sp_tensor *output, size_t n_rows, char *text,
                       size_t n_text) {
  struct reading reading = {.output = output, .n_rows = n_rows};
  struct sp_rest_scan scan;
  sp_rest_scan_begin(&scan, reply);
  bool is_read = sp_rest_scan_object(&scan, document_member, &reading) && sp_rest_scan_end(&scan);
  if (is_read && !reading.is_found) is_read = sp_rest_scan_fail(&scan, "no output %.40s", output->spec.name);
  if (!is_read) snprintf(text, n_text, "reply: %s", scan.why);
  return is_read;
}

// --- What the server says of the model, and the outputs of a reply: lists of {"name", "datatype", "shape"} ---

static bool read_tensors(json_t *list, struct sp_tensor_spec *specs, size_t *n_specs) {
  json_t *item;
  size_t i;
  json_array_foreach(list, i, item) {
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *datatype = json_string_value(json_object_get(item, "datatype"));
    json_t *shape = json_object_get(item, "shape");
    if (*n_specs == SP_TENSORS_MAX || !name || strlen(name) >= sizeof specs->name ||
        json_array_size(shape) > SP_TENSOR_RANK_MAX)
      return false;
    struct sp_tensor_spec *spec = &specs[(*n_specs)++];
    *spec = (struct sp_tensor_spec){.dtype = sp_kserve_dtype_of(sp_bytes_of_text(datatype ? datatype : "")),
                                    .rank = (uint32_t)json_array_size(shape)};
    strcpy(spec->name, name);
    for (uint32_t j = 0; j < spec->rank; j++) spec->shape[j] = json_integer_value(json_array_get(shape, j));
  }
  return *n_specs > 0;
}

static bool read_outputs(struct sp_bytes reply, const char *output, struct sp_signature *signature,
                         char *text, size_t n_text) {
  (void)output; // every output has its name here
  json_t *root = json_loadb((const char *)reply.data, reply.n, 0, NULL);
  bool is_read = read_tensors(json_object_get(root, "outputs"), signature->outputs, &signature->n_outputs);
  json_decref(root);
  if (!is_read) snprintf(text, n_text, "no outputs with name, datatype and shape");
  return is_read;
}

static bool read_signature(const struct sp_rest_answer *answer, struct sp_signature *signature) {
  json_t *root = json_loadb((const char *)answer->body, answer->n_body, 0, NULL);
  bool is_read = read_tensors(json_object_get(root, "inputs"), signature->inputs, &signature->n_inputs) &&
                 read_tensors(json_object_get(root, "outputs"), signature->outputs, &signature->n_outputs);
  json_decref(root);
  return is_read;
}

// Of the server's own metadata: "mlserver 1.7.1".
static void read_software(const struct sp_rest_answer *answer, struct sp_rpc_server_facts *server) {
  json_t *root = json_loadb((const char *)answer->body, answer->n_body, 0, NULL);
  const char *name = json_string_value(json_object_get(root, "name"));
  const char *version = json_string_value(json_object_get(root, "version"));
  if (name && !*server->software) {
    char *text = sp_format("%s%s%s", name, version ? " " : "", version ? version : "");
    sp_rest_error_text(sp_bytes_of_text(text), server->software, sizeof server->software);
    free(text);
  }
  json_decref(root);
}

static void ask_model(const struct sp_rpc_env *env, const struct sp_rest_link *link,
                      struct sp_rest_answer *answer) {
  char *path = path_of(env, "");
  sp_rest_ask(link, path, (struct sp_bytes){0}, env->conf->connect_timeout_ns, answer);
  free(path);
}

static enum sp_err describe(struct sp_rpc_env *env, const struct sp_rest_link *link,
                            struct sp_rpc_server_facts *server, struct sp_signature *signature,
                            bool *is_described, struct sp_error *error) {
  struct sp_rest_answer answer;
  // A server without health checks answers 404, which is an answer.
  enum sp_err err = sp_rest_reach(link, "/v2/health/ready", &answer, error);
  if (err) return err;
  *server = answer.server;
  free(answer.body);
  sp_rest_ask(link, "/v2", (struct sp_bytes){0}, env->conf->connect_timeout_ns, &answer);
  if (answer.status == 200) read_software(&answer, server);
  free(answer.body);
  ask_model(env, link, &answer);
  if (answer.status == HTTP_NOT_IMPLEMENTED && env->model_version && !env->version_label) {
    // KServe's own server knows no versions: it serves one, and refuses any path that names it.
    env->model_version = 0;
    free(answer.body);
    ask_model(env, link, &answer);
  }
  *is_described = answer.status == 200 && read_signature(&answer, signature);
  free(answer.body);
  return SP_OK;
}

const struct sp_rest_protocol sp_rest_kserve = {
    .name = "kserve-rest",
    .describe = describe,
    .predict_path = predict_path,
    .body_bound = body_bound,
    .write_body = write_body,
    .read_reply = read_reply,
    .read_outputs = read_outputs,
};
