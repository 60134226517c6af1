// The test's own half of both protocols, on jansson and written apart from bench/.
#include "support/rest_models.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/rpc.h"

static void refuse(struct http_exchange *exchange, int status, const char *text) {
  char *body = sp_format("{\"error\": \"%s\"}", text);
  http_answer(exchange, status, "", body);
  free(body);
}

static void answer(struct http_exchange *exchange, json_t *body) {
  char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
  http_answer(exchange, 200, "sp-server-ns: 1234\r\n", text);
  free(text);
  json_decref(body);
}

// Numbers of a value, however nested, in order.
static size_t numbers(json_t *value, double *to, size_t n) {
  size_t i;
  json_t *item;
  if (json_is_number(value)) {
    to[n] = json_number_value(value);
    return n + 1;
  }
  json_array_foreach(value, i, item) n = numbers(item, to, n);
  return n;
}

#define N_MAX 64
struct columns { // affine: a holds x
  double a[N_MAX], b[N_MAX];
  size_t n_rows;
};

static json_t *row_of(const struct columns *columns, size_t row, const char *output) {
  const double *a = &columns->a[3 * row];
  if (strcmp(output, "twice") == 0) return json_pack("[fff]", 2 * a[0], 2 * a[1], 2 * a[2]);
  if (strcmp(output, "sum") == 0) return json_pack("[f]", a[0] + 10 * a[1] + 100 * a[2]);
  a = &columns->a[2 * row];
  return json_pack("[ff]", a[0] + columns->b[2 * row], a[1] + columns->b[2 * row + 1]);
}

static json_t *column_of(const struct columns *columns, const char *output) {
  json_t *rows = json_array();
  for (size_t i = 0; i < columns->n_rows; i++) json_array_append_new(rows, row_of(columns, i, output));
  return rows;
}

// --- TensorFlow Serving ---

static json_t *signature_tensor(const char *dtype, const char *width) {
  return json_pack("{s:s, s:{s:[{s:s,s:s},{s:s,s:s}], s:b}, s:s}", "dtype", dtype, "tensor_shape", "dim",
                   "size", "-1", "name", "", "size", width, "name", "", "unknown_rank", 0, "name", "t:0");
}

static void tfs_metadata(struct http_exchange *exchange, bool is_two) {
  json_t *inputs = is_two ? json_pack("{s:o, s:o}", "a", signature_tensor("DT_INT64", "2"), "b",
                                      signature_tensor("DT_FLOAT", "2"))
                          : json_pack("{s:o}", "x", signature_tensor("DT_FLOAT", "3"));
  json_t *outputs = is_two ? json_pack("{s:o}", "total", signature_tensor("DT_FLOAT", "2"))
                           : json_pack("{s:o, s:o}", "twice", signature_tensor("DT_FLOAT", "3"), "sum",
                                       signature_tensor("DT_FLOAT", "1"));
  answer(exchange, json_pack("{s:{s:s}, s:{s:{s:{s:{s:o, s:o, s:s}}}}}", "model_spec", "name", "m",
                             "metadata", "signature_def", "signature_def", "serving_default", "inputs",
                             inputs, "outputs", outputs, "method_name", "tensorflow/serving/predict"));
}

static void tfs_predict(struct http_exchange *exchange, bool is_two) {
  json_t *body = json_loadb(exchange->body, exchange->n_body, JSON_REJECT_DUPLICATES, NULL);
  json_t *signature = json_object_get(body, "signature_name");
  struct columns columns = {0};
  size_t n;
  if (!json_is_string(signature) || strcmp(json_string_value(signature), "serving_default") != 0) {
    refuse(exchange, 400, "no such signature");
  } else if (is_two) {
    json_t *inputs = json_object_get(body, "inputs");
    n = numbers(json_object_get(inputs, "a"), columns.a, 0);
    columns.n_rows = n / 2;
    if (n == 0 || numbers(json_object_get(inputs, "b"), columns.b, 0) != n)
      refuse(exchange, 400, "two columns of one length are needed");
    else
      answer(exchange, json_pack("{s:o}", "outputs", column_of(&columns, "total")));
  } else {
    n = numbers(json_object_get(body, "instances"), columns.a, 0);
    columns.n_rows = n / 3;
    json_t *rows = json_array();
    for (size_t i = 0; i < columns.n_rows; i++) {
      json_array_append_new(rows, json_pack("{s:o, s:o}", "sum", row_of(&columns, i, "sum"), "twice",
                                            row_of(&columns, i, "twice")));
    }
    if (n == 0 || n % 3)
      refuse(exchange, 400, "instances of three numbers are needed");
    else
      answer(exchange, json_pack("{s:O}", "predictions", rows));
    json_decref(rows);
  }
  json_decref(body);
}

// "affine", "two/versions/1" and what follows; *rest is that.
static bool model_of(const char *at, bool *is_two, const char **rest) {
  *is_two = strncmp(at, "two", 3) == 0;
  if (!*is_two && strncmp(at, "affine", 6) != 0) return false;
  at += *is_two ? 3 : 6;
  if (strncmp(at, "/versions/1", 11) == 0) at += 11;
  if (strncmp(at, "/labels/stable", 14) == 0) at += 14;
  *rest = at;
  return true;
}

static void tfs(struct http_exchange *exchange, const char *model, const struct rest_models *models) {
  bool is_two;
  const char *rest;
  if (!model_of(model, &is_two, &rest)) {
    refuse(exchange, 404, "Could not find any versions of that model");
  } else if (strcmp(rest, ":predict") == 0 && strcmp(exchange->method, "POST") == 0) {
    tfs_predict(exchange, is_two);
  } else if (models && models->tells_nothing) {
    http_answer(exchange, 404, "", "<html>Not Found</html>");
  } else if (*rest == '\0') {
    answer(exchange,
           json_pack("{s:[{s:s, s:s}]}", "model_version_status", "version", "1", "state", "AVAILABLE"));
  } else if (strcmp(rest, "/metadata") == 0) {
    tfs_metadata(exchange, is_two);
  } else {
    refuse(exchange, 400, "Malformed request");
  }
}

// --- Open Inference Protocol ---

static json_t *tensor_info(const char *name, const char *datatype, int width) {
  return json_pack("{s:s, s:s, s:[i,i]}", "name", name, "datatype", datatype, "shape", -1, width);
}

static void kserve_metadata(struct http_exchange *exchange, bool is_two) {
  json_t *inputs = is_two ? json_pack("[o,o]", tensor_info("a", "INT64", 2), tensor_info("b", "FP32", 2))
                          : json_pack("[o]", tensor_info("x", "FP32", 3));
  json_t *outputs = is_two
                        ? json_pack("[o]", tensor_info("total", "FP32", 2))
                        : json_pack("[o,o]", tensor_info("twice", "FP32", 3), tensor_info("sum", "FP32", 1));
  answer(exchange, json_pack("{s:s, s:[s], s:s, s:o, s:o}", "name", "m", "versions", "1", "platform", "test",
                             "inputs", inputs, "outputs", outputs));
}

static size_t input_of(json_t *body, const char *name, int width, double *to) {
  size_t i;
  json_t *input;
  json_array_foreach(json_object_get(body, "inputs"), i, input) {
    if (strcmp(json_string_value(json_object_get(input, "name")), name) != 0) continue;
    json_t *shape = json_object_get(input, "shape");
    size_t n = numbers(json_object_get(input, "data"), to, 0);
    bool is_right = json_array_size(shape) == 2 && json_integer_value(json_array_get(shape, 1)) == width &&
                    (size_t)(json_integer_value(json_array_get(shape, 0)) * width) == n;
    return is_right ? n : 0;
  }
  return 0;
}

static json_t *flat(const struct columns *columns, const char *output, int width) {
  double values[N_MAX];
  json_t *rows = column_of(columns, output), *data = json_array();
  size_t n = numbers(rows, values, 0);
  for (size_t i = 0; i < n; i++) json_array_append_new(data, json_real(values[i]));
  json_decref(rows);
  // The shape behind the data: members of an object have no order.
  return json_pack("{s:o, s:s, s:[i,i], s:s}", "data", data, "name", output, "shape", (int)columns->n_rows,
                   width, "datatype", "FP32");
}

static void kserve_infer(struct http_exchange *exchange, bool is_two) {
  json_t *body = json_loadb(exchange->body, exchange->n_body, JSON_REJECT_DUPLICATES, NULL);
  struct columns columns = {0};
  size_t n = is_two ? input_of(body, "a", 2, columns.a) : input_of(body, "x", 3, columns.a);
  bool is_right = n > 0 && (!is_two || input_of(body, "b", 2, columns.b) == n);
  columns.n_rows = n / (is_two ? 2 : 3);
  json_decref(body);
  if (!is_right)
    refuse(exchange, 400, "unexpected shape for input");
  else if (is_two)
    answer(exchange, json_pack("{s:s, s:[o]}", "model_name", "two", "outputs", flat(&columns, "total", 2)));
  else
    answer(exchange, json_pack("{s:s, s:[o,o]}", "model_name", "affine", "outputs", flat(&columns, "sum", 1),
                               flat(&columns, "twice", 3)));
}

static void kserve(struct http_exchange *exchange, const char *path, const struct rest_models *models) {
  bool is_two, tells = !models || !models->tells_nothing;
  const char *rest;
  if (tells && strcmp(path, "/health/ready") == 0) {
    http_answer(exchange, 200, "sp-stub: fixed\r\n", "");
  } else if (tells && !*path) {
    answer(exchange, json_pack("{s:s, s:s}", "name", "test", "version", "1.0"));
  } else if (strncmp(path, "/models/", 8) == 0 && model_of(path + 8, &is_two, &rest) &&
             (tells || strcmp(rest, "/infer") == 0)) {
    if (strcmp(rest, "/infer") == 0)
      kserve_infer(exchange, is_two);
    else
      kserve_metadata(exchange, is_two);
  } else {
    refuse(exchange, 404, "Model is not found");
  }
}

void rest_models_answer(struct http_exchange *exchange, void *context) {
  if (strncmp(exchange->path, "/v1/models/", 11) == 0)
    tfs(exchange, exchange->path + 11, context);
  else if (strncmp(exchange->path, "/v2", 3) == 0)
    kserve(exchange, exchange->path + 3, context);
  else
    refuse(exchange, 404, "no such page");
}
