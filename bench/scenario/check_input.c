// Checks of input: and output: that need no file: tensors that can exist, columns that the header has, one step a step.
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/tensor.h"
#include "scenario/check.h"

#define ROW_ELEMENTS_MAX (1 << 24)

struct tensor_place { // input.tensors[i]
  const struct sp_check_context *check;
  const struct sp_input_tensor_conf *conf;
  size_t i;
};

// The key's place, or its tensor's where it is missing.
static enum sp_err fail_tensor(const struct tensor_place *tensor, const char *key, const char *what) {
  char path[128];
  snprintf(path, sizeof path, "input.tensors.%zu.%s", tensor->i, key);
  return sp_check_fail(tensor->check, SP_ERR_USAGE, path, "%s", what);
}

static enum sp_err check_shape(const struct tensor_place *tensor) {
  const struct sp_counts *shape = &tensor->conf->shape;
  uint64_t n_elements = 1;
  if (shape->n == 0)
    return fail_tensor(tensor, "shape", "missing; write the shape of one event, as in [1, 30]");
  if (shape->n > SP_TENSOR_RANK_MAX) return fail_tensor(tensor, "shape", "has more than 8 dimensions");
  if (shape->items[0] != 1) return fail_tensor(tensor, "shape", "must start with 1: an event is one row");
  for (size_t i = 0; i < shape->n; i++) {
    if (shape->items[i] < 1) return fail_tensor(tensor, "shape", "must hold dimensions of at least 1");
    if (__builtin_mul_overflow(n_elements, (uint64_t)shape->items[i], &n_elements) ||
        n_elements > ROW_ELEMENTS_MAX)
      return fail_tensor(tensor, "shape", "is more than 16,777,216 elements an event");
  }
  return SP_OK;
}

static enum sp_err check_dtype(const struct tensor_place *tensor) {
  char what[256], suggestion[128];
  if (sp_dtype_of_name(tensor->conf->dtype) != SP_DTYPE_NONE) return SP_OK;
  snprintf(what, sizeof what, "\"%.40s\" is unknown; %s", tensor->conf->dtype,
           sp_words_suggest("float32 float64 int32 int64 uint8 bool", tensor->conf->dtype, suggestion,
                            sizeof suggestion));
  return fail_tensor(tensor, "dtype", what);
}

// Each column fills one element, but for one_hot, which fills as many as its file has lines.
static enum sp_err check_width(const struct tensor_place *tensor) {
  const struct sp_column_conf *columns = tensor->conf->columns.items;
  char what[256];
  size_t n = tensor->conf->columns.n;
  uint64_t n_elements = 1;
  for (size_t i = 0; i < tensor->conf->shape.n; i++) n_elements *= (uint64_t)tensor->conf->shape.items[i];
  for (size_t i = 0; i < n; i++) {
    if (columns[i].one_hot) return SP_OK;
  }
  if (n == n_elements) return SP_OK;
  snprintf(what, sizeof what,
           "%zu stand here, and the shape takes %llu; choose those that the model was trained on", n,
           (unsigned long long)n_elements);
  return fail_tensor(tensor, "columns", what);
}

static enum sp_err check_columns(const struct tensor_place *tensor, const struct sp_texts *header) {
  const struct sp_column_conf *columns = tensor->conf->columns.items;
  for (size_t i = 0; i < tensor->conf->columns.n; i++) {
    char key[64], what[512], suggestion[256];
    bool is_known = false;
    snprintf(key, sizeof key, "columns.%zu", i);
    if (!columns[i].column) return fail_tensor(tensor, key, "has no column; write {column: NAME, ...}");
    for (size_t j = 0; j < header->n && !is_known; j++)
      is_known = strcmp(header->items[j], columns[i].column) == 0;
    if (is_known) continue;
    snprintf(what, sizeof what, "column %.60s is not in input.header; %s", columns[i].column,
             sp_names_suggest(columns[i].column, (const char *const *)header->items, header->n, suggestion,
                              sizeof suggestion));
    return fail_tensor(tensor, key, what);
  }
  return SP_OK;
}

static enum sp_err check_steps(const struct tensor_place *tensor) {
  for (size_t i = 0; i < tensor->conf->steps.n; i++) {
    char key[128];
    snprintf(key, sizeof key, "input.tensors.%zu.steps.%zu", tensor->i, i);
    const struct sp_node *node = sp_check_find(tensor->check, key);
    if (node && node->kind == SP_NODE_MAPPING && node->n_entries != 1)
      return sp_check_fail(tensor->check, SP_ERR_USAGE, key,
                           "holds %zu steps; write each as an element of its own", node->n_entries);
  }
  return SP_OK;
}

static enum sp_err check_name(const struct tensor_place *tensor) {
  const struct sp_input_tensor_conf *all = tensor->check->scenario->input.tensors.items;
  const char *name = tensor->conf->name;
  if (!name || !name[0]) return fail_tensor(tensor, "name", "missing; write the name of the model's input");
  if (strlen(name) >= sizeof((struct sp_tensor_spec *)0)->name)
    return fail_tensor(tensor, "name", "is longer than 127 bytes");
  for (size_t i = 0; i < tensor->i; i++) {
    if (strcmp(all[i].name, name) == 0)
      return fail_tensor(tensor, "name", "is the name of another tensor too");
  }
  return SP_OK;
}

static enum sp_err check_tensor(const struct tensor_place *tensor, const struct sp_input_conf *input) {
  enum sp_err err = check_name(tensor);
  if (!err) err = check_dtype(tensor);
  if (!err) err = check_shape(tensor);
  if (!err && input->format == SP_INPUT_CSV) err = check_columns(tensor, &input->header);
  if (!err) err = check_steps(tensor);
  return err;
}

static enum sp_err check_output(const struct sp_check_context *check) {
  const struct sp_output_conf *output = &check->scenario->output;
  if (!output->tensor || !output->tensor[0])
    return sp_check_fail(check, SP_ERR_USAGE, "output.tensor",
                         "missing; name the model's output that is answered");
  if (output->as == SP_OUTPUT_AS_LABEL && output->labels.n != 2)
    return sp_check_fail(check, SP_ERR_USAGE, "output.labels",
                         "two are needed, below and from the threshold; write labels: [\"NO\", \"YES\"]");
  return SP_OK;
}

enum sp_err sp_check_input(const struct sp_check_context *check) {
  const struct sp_input_conf *input = &check->scenario->input;
  if (input->tensors.n == 0)
    return sp_check_fail(check, SP_ERR_USAGE, "input.tensors",
                         "missing; write one for each input of the model: {name: x, shape: [1, 30], ...}");
  if (input->tensors.n > SP_TENSORS_MAX)
    return sp_check_fail(check, SP_ERR_USAGE, "input.tensors", "are more than %d", SP_TENSORS_MAX);
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < input->tensors.n && !err; i++) {
    const struct tensor_place tensor = {check, (const struct sp_input_tensor_conf *)input->tensors.items + i,
                                        i};
    err = check_tensor(&tensor, input);
  }
  if (!err) err = check_output(check);
  // Last: it is what `servepath new` leaves to choose, when all else is right.
  for (size_t i = 0; i < input->tensors.n && !err && input->format == SP_INPUT_CSV; i++) {
    const struct tensor_place tensor = {check, (const struct sp_input_tensor_conf *)input->tensors.items + i,
                                        i};
    err = check_width(&tensor);
  }
  return err;
}
