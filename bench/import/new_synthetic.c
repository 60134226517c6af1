// Numbers by our own generator, as CSV rows or as tensor bytes.
#include "import/new_synthetic.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/printable.h"
#include "base/prng.h"
#include "base/units.h"
#include "import/csv_type.h"
#include "recording/recording.h"

#define CSV_ELEMENTS_MAX 256
#define TOTAL_BYTES_MAX  ((uint64_t)1 << 30)
#define RATE_GAP_NS      (SP_NS_PER_S / 1000)

static bool is_real(const struct sp_tensor_spec *spec) {
  return spec->dtype == SP_DTYPE_FLOAT32 || spec->dtype == SP_DTYPE_FLOAT64;
}

static int64_t limit_of(const struct sp_tensor_spec *spec, int64_t limit) {
  int64_t most = spec->dtype == SP_DTYPE_BOOL ? 1 : spec->dtype == SP_DTYPE_UINT8 ? UINT8_MAX : limit;
  return limit < most ? limit : most;
}

// ---- the plan

static void store_whole(const struct sp_tensor_spec *spec, void *data, size_t i, int64_t value) {
  switch (spec->dtype) {
  case SP_DTYPE_INT64: ((int64_t *)data)[i] = value; return;
  case SP_DTYPE_INT32: ((int32_t *)data)[i] = (int32_t)value; return;
  default: ((uint8_t *)data)[i] = (uint8_t)value; return; // uint8 and bool
  }
}

static enum sp_err try_limit(struct sp_engine *engine, const struct sp_model_io *io, int64_t limit,
                             struct sp_error *error) {
  struct sp_session *session = NULL;
  enum sp_err err = sp_session_new(engine, 1, &session, error);
  if (err) return err;
  struct sp_tensor *inputs = sp_session_inputs(session);
  for (size_t t = 0; t < io->n_inputs; t++) {
    if (is_real(&io->inputs[t])) continue; // zeros
    for (size_t i = 0; i < inputs[t].row_elements; i++)
      store_whole(&io->inputs[t], inputs[t].data, i, limit_of(&io->inputs[t], limit));
  }
  err = sp_session_run(session, 1, error);
  sp_session_free(session);
  return err;
}

static enum sp_err check_size(const struct sp_synthetic *plan, uint64_t n_events, struct sp_error *error) {
  uint64_t event_bytes = 0;
  for (size_t t = 0; t < plan->io->n_inputs; t++) {
    const struct sp_tensor_spec *spec = &plan->io->inputs[t];
    event_bytes += sp_tensor_row_elements(spec) * (plan->is_raw ? sp_dtype_bytes(spec->dtype) : 10);
  }
  if (event_bytes <= TOTAL_BYTES_MAX / n_events) return SP_OK;
  char size[SP_UNITS_TEXT_BYTES];
  return sp_fail(error, SP_ERR_USAGE,
                 "--synthetic %" PRIu64 ": events of %s each are more than 1 GiB; write --synthetic %" PRIu64
                 ", which a trial repeats",
                 n_events, sp_units_print_size(event_bytes, size, sizeof size),
                 TOTAL_BYTES_MAX / event_bytes ? TOTAL_BYTES_MAX / event_bytes : 1);
}

enum sp_err sp_synthetic_plan(struct sp_engine *engine, uint64_t n_events, struct sp_synthetic *plan,
                              struct sp_error *error) {
  static const int64_t limits[] = {999, 99, 9, 1, 0};
  *plan = (struct sp_synthetic){.io = sp_engine_io(engine)};
  for (size_t t = 0; t < plan->io->n_inputs; t++)
    plan->n_elements += sp_tensor_row_elements(&plan->io->inputs[t]);
  plan->is_raw = plan->n_elements > CSV_ELEMENTS_MAX;
  enum sp_err err = check_size(plan, n_events, error);
  if (err) return err;
  size_t i = 0;
  while ((err = try_limit(engine, plan->io, limits[i], error)) && ++i < sizeof limits / sizeof limits[0]) {
  }
  if (err) {
    struct sp_error inner = *error;
    return sp_fail(error, SP_ERR_USAGE,
                   "--synthetic: the model takes no row of zeros (%.600s); give rows with --from",
                   inner.text);
  }
  for (size_t t = 0; t < plan->io->n_inputs; t++)
    plan->whole_max[t] = limit_of(&plan->io->inputs[t], limits[i]);
  return SP_OK;
}

// ---- events

struct row {
  uint8_t *bytes;
  size_t n;
};

// Six digits: a value of data, not of a generator.
static double real_value(struct sp_prng *prng) {
  return round(sp_prng_normal(prng) * 1e6) / 1e6;
}

static void add_csv(struct row *row, const struct sp_tensor_spec *spec, int64_t max, struct sp_prng *prng) {
  char text[64];
  size_t n = is_real(spec) ? sp_double_text(real_value(prng), text)
                           : (size_t)sprintf(text, "%" PRIu64, sp_prng_below(prng, (uint64_t)max + 1));
  if (row->n > 0) row->bytes[row->n++] = ',';
  memcpy(row->bytes + row->n, text, n);
  row->n += n;
}

static void add_raw(struct row *row, const struct sp_tensor_spec *spec, int64_t max, struct sp_prng *prng) {
  union {
    float real32;
    double real64;
    int64_t whole;
    uint8_t bytes[8];
  } element = {.whole = 0};
  if (spec->dtype == SP_DTYPE_FLOAT32)
    element.real32 = (float)real_value(prng);
  else if (spec->dtype == SP_DTYPE_FLOAT64)
    element.real64 = real_value(prng);
  else
    store_whole(spec, element.bytes, 0, (int64_t)sp_prng_below(prng, (uint64_t)max + 1));
  size_t n = sp_dtype_bytes(spec->dtype);
  memcpy(row->bytes + row->n, element.bytes, n);
  row->n += n;
}

static void make_row(const struct sp_synthetic *plan, struct sp_prng *prng, struct row *row) {
  row->n = 0;
  for (size_t t = 0; t < plan->io->n_inputs; t++) {
    const struct sp_tensor_spec *spec = &plan->io->inputs[t];
    size_t n = sp_tensor_row_elements(spec);
    for (size_t i = 0; i < n; i++) (plan->is_raw ? add_raw : add_csv)(row, spec, plan->whole_max[t], prng);
  }
}

static char *note_of(const struct sp_synthetic *plan) {
  char *note =
      sp_copy_text("Made from the model's inputs alone: it shows cost, and says nothing about data.");
  for (size_t t = 0; t < plan->io->n_inputs; t++) {
    const struct sp_tensor_spec *spec = &plan->io->inputs[t];
    char whole[64], *name = sp_printable_text(spec->name);
    snprintf(whole, sizeof whole, "uniform from 0 to %" PRId64, plan->whole_max[t]);
    char *longer = sp_format("%s %s: %s, %s.", note, name, sp_dtype_name(spec->dtype),
                             is_real(spec) ? "normal with mean 0 and deviation 1" : whole);
    free(name);
    free(note);
    note = longer;
  }
  return note;
}

// input_0 of an input of several elements; the input's name of one alone.
static char *column_name(const struct sp_tensor_spec *spec, size_t i) {
  return sp_tensor_row_elements(spec) == 1 ? sp_copy_text(spec->name) : sp_format("%s_%zu", spec->name, i);
}

enum sp_err sp_synthetic_write(const struct sp_synthetic *plan, const struct sp_new_conf *conf,
                               const char *path, struct sp_error *error) {
  char *source = sp_format("synthetic, servepath new --seed %" PRIu64, conf->seed), *note = note_of(plan);
  const struct sp_recording_header header = {
      .name = (char *)(uintptr_t)conf->name, // only read
      .source = source,
      .licence = "",
      .note = note,
      .content_type = plan->is_raw ? "application/octet-stream" : "text/csv",
  };
  struct sp_recording_writer *writer = NULL;
  enum sp_err err = sp_recording_writer_new(path, &header, &writer, error);
  struct row row = {.bytes = sp_alloc(plan->n_elements * (SP_DOUBLE_TEXT_BYTES + 1))};
  struct sp_prng prng;
  sp_prng_init(&prng, conf->seed, SP_PRNG_DATA);
  for (uint64_t i = 0; i < conf->n_synthetic && !err; i++) {
    make_row(plan, &prng, &row);
    const struct sp_event event = {.offset_ns = i * (uint64_t)RATE_GAP_NS,
                                   .value = sp_bytes_of(row.bytes, row.n)};
    err = sp_recording_writer_add(writer, &event, error);
    if (!err && conf->stop && *conf->stop) err = sp_fail(error, SP_ERR_ENVIRONMENT, "interrupted");
  }
  if (!err)
    err = sp_recording_writer_finish(writer, error);
  else
    sp_recording_writer_abandon(writer);
  free(row.bytes);
  free(source);
  free(note);
  return err;
}

// ---- the scenario

static void put_names(struct sp_new_yaml *yaml, const struct sp_model_io *io, size_t from, size_t to) {
  for (size_t t = from; t < to; t++) {
    size_t n = sp_tensor_row_elements(&io->inputs[t]);
    for (size_t i = 0; i < n; i++) {
      char *name = column_name(&io->inputs[t], i), *text = sp_new_yaml_text(name);
      sp_new_yaml_item(yaml, text, t + 1 == to && i + 1 == n);
      free(name);
      free(text);
    }
  }
  sp_new_yaml_end(yaml, "");
}

void sp_synthetic_yaml(const struct sp_synthetic *plan, struct sp_new_yaml *yaml) {
  const struct sp_model_io *io = plan->io;
  sp_new_yaml_put(yaml, "input:");
  sp_new_yaml_end(yaml, "");
  sp_new_yaml_put(yaml, "  format: %s", plan->is_raw ? "raw" : "csv");
  sp_new_yaml_end(yaml, "");
  if (!plan->is_raw) {
    sp_new_yaml_put(yaml, "  header: [");
    sp_new_yaml_end(yaml, "");
    put_names(yaml, io, 0, io->n_inputs);
  }
  sp_new_yaml_put(yaml, "  tensors:");
  sp_new_yaml_end(yaml, "");
  for (size_t t = 0; t < io->n_inputs; t++) {
    sp_new_yaml_tensor(yaml, &io->inputs[t]);
    if (plan->is_raw) continue;
    sp_new_yaml_put(yaml, "      columns: [");
    sp_new_yaml_end(yaml, "");
    put_names(yaml, io, t, t + 1);
  }
}
