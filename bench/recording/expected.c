// Reads expected predictions, a JSON document per line.
#include "recording/expected.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA         "servepath.expected/1"
#define LINE_MAX_BYTES ((size_t)16 << 20)

struct loading {
  const char *path;
  unsigned long line_number;
  struct sp_expected *expected;
  struct sp_error *error;
};

static enum sp_err refuse(const struct loading *loading, const char *what) {
  return sp_fail(loading->error, SP_ERR_ENVIRONMENT,
                 "%s:%lu: %s; make the file again with servepath verify --update", loading->path,
                 loading->line_number, what);
}

static enum sp_err parse_line(const struct loading *loading, const char *line, size_t n, json_t **document) {
  json_error_t where;
  *document = json_loadb(line, n, JSON_REJECT_DUPLICATES, &where);
  if (!*document) {
    return sp_fail(loading->error, SP_ERR_ENVIRONMENT,
                   "%s:%lu:%d: not JSON (%s); make the file again with servepath "
                   "verify --update",
                   loading->path, loading->line_number, where.column, where.text);
  }
  return json_is_object(*document) ? SP_OK : refuse(loading, "a JSON object is needed");
}

static enum sp_err read_digests(const struct loading *loading, const json_t *digests) {
  struct sp_expected *expected = loading->expected;
  if (!json_is_object(digests) || json_object_size(digests) == 0) {
    return refuse(loading, "model_digests must name the model's files and their digests");
  }
  expected->digests = sp_alloc(json_object_size(digests) * sizeof *expected->digests);
  const char *file;
  json_t *digest;
  json_object_foreach((json_t *)(uintptr_t)digests, file, digest) {
    if (!json_is_string(digest)) return refuse(loading, "model_digests: a digest must be text");
    expected->digests[expected->n_digests].file = sp_copy_text(file);
    expected->digests[expected->n_digests++].digest = sp_copy_text(json_string_value(digest));
  }
  return SP_OK;
}

static enum sp_err read_header(const struct loading *loading, const json_t *header) {
  const char *schema = json_string_value(json_object_get(header, "schema"));
  const char *source = json_string_value(json_object_get(header, "source"));
  const char *tensor = json_string_value(json_object_get(header, "tensor"));
  const char *digest = json_string_value(json_object_get(header, "recording_digest"));
  const json_t *n = json_object_get(header, "n");
  if (!schema || strcmp(schema, SCHEMA) != 0)
    return refuse(loading, "the first line must have \"schema\":\"" SCHEMA "\"");
  if (!source || !tensor || !digest)
    return refuse(loading, "source, tensor and recording_digest must be texts");
  struct sp_expected *expected = loading->expected;
  if (!json_is_integer(n) || json_integer_value(n) < 0 ||
      (uint64_t)json_integer_value(n) > expected->n_events) {
    return sp_fail(loading->error, SP_ERR_ENVIRONMENT,
                   "%s:%lu: n must be a number of events of the recording, which holds "
                   "%zu; it is for another recording, or make it again with servepath verify --update",
                   loading->path, loading->line_number, expected->n_events);
  }
  expected->source = sp_copy_text(source);
  expected->tensor = sp_copy_text(tensor);
  expected->recording_digest = sp_copy_text(digest);
  return read_digests(loading, json_object_get(header, "model_digests"));
}

static enum sp_err set_width(const struct loading *loading, size_t n_values) {
  struct sp_expected *expected = loading->expected;
  if (n_values == 0) return refuse(loading, "v is empty");
  if (expected->n_values == 0) {
    size_t limit = SIZE_MAX / 2 / sizeof(double) / n_values;
    if (expected->n_events <= limit) expected->values = calloc(expected->n_events * n_values, sizeof(double));
    if (!expected->values) return refuse(loading, "that many values for each event do not fit in memory");
    expected->n_values = n_values;
  }
  return n_values == expected->n_values ? SP_OK
                                        : refuse(loading, "v has another length than the lines before");
}

static enum sp_err read_values(const struct loading *loading, const json_t *v, size_t event_i) {
  struct sp_expected *expected = loading->expected;
  enum sp_err err = set_width(loading, json_array_size(v));
  if (err) return err;
  double *values = expected->values + event_i * expected->n_values;
  for (size_t i = 0; i < expected->n_values; i++) {
    const json_t *value = json_array_get(v, i);
    if (!json_is_number(value) && !json_is_null(value))
      return refuse(loading, "v must hold numbers, or null for NaN");
    values[i] = json_is_null(value) ? (double)NAN : json_number_value(value);
  }
  return SP_OK;
}

static enum sp_err read_event(const struct loading *loading, const json_t *event) {
  struct sp_expected *expected = loading->expected;
  const json_t *i = json_object_get(event, "i"), *v = json_object_get(event, "v");
  const char *outcome = json_string_value(json_object_get(event, "outcome"));
  if (!json_is_integer(i) || json_integer_value(i) < 0 ||
      (uint64_t)json_integer_value(i) >= expected->n_events) {
    return sp_fail(loading->error, SP_ERR_ENVIRONMENT,
                   "%s:%lu: i must be the index of an event, and the recording holds %zu; "
                   "it is for another recording, or make it again with servepath verify --update",
                   loading->path, loading->line_number, expected->n_events);
  }
  size_t event_i = (size_t)json_integer_value(i);
  if (expected->known[event_i]) return refuse(loading, "a second line for one event");
  if (outcome && !v) {
    if (strcmp(outcome, "malformed") != 0)
      return refuse(loading, "the only outcome that can be expected is \"malformed\"");
    expected->known[event_i] = 2;
    return SP_OK;
  }
  if (!json_is_array(v) || outcome) return refuse(loading, "either v, an array, or outcome is needed");
  expected->known[event_i] = 1;
  return read_values(loading, v, event_i);
}

static enum sp_err read_lines(struct loading *loading, FILE *file) {
  char *line = NULL;
  size_t capacity = 0;
  enum sp_err err = SP_OK;
  for (ssize_t n; !err && (n = getline(&line, &capacity, file)) >= 0;) {
    loading->line_number++;
    // The last line must end too: a file cut inside a number would read as another number.
    if (line[n - 1] != '\n') err = refuse(loading, "truncated: the last line has no end");
    if (!err && (size_t)n > LINE_MAX_BYTES) err = refuse(loading, "a line longer than 16 MiB");
    json_t *document = NULL;
    if (!err) err = parse_line(loading, line, (size_t)n, &document);
    if (!err)
      err = loading->line_number == 1 ? read_header(loading, document) : read_event(loading, document);
    json_decref(document);
  }
  free(line);
  if (!err && ferror(file)) {
    err = sp_fail(loading->error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", loading->path, strerror(errno));
  }
  if (!err && loading->line_number == 0) {
    loading->line_number = 1;
    err = refuse(loading, "the file is empty");
  }
  return err;
}

enum sp_err sp_expected_load(const char *path, size_t n_events, struct sp_expected **out,
                             struct sp_error *error) {
  *out = NULL;
  FILE *file = fopen(path, "rbe");
  if (!file && errno == ENOENT) return SP_OK;
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot open %s (%s)", path, strerror(errno));
  struct sp_expected *expected = sp_alloc(sizeof *expected);
  expected->n_events = n_events;
  expected->known = sp_alloc(n_events);
  struct loading loading = {.path = path, .expected = expected, .error = error};
  enum sp_err err = read_lines(&loading, file);
  fclose(file);
  if (err) {
    sp_expected_free(expected);
    return err;
  }
  *out = expected;
  return SP_OK;
}

void sp_expected_free(struct sp_expected *expected) {
  if (!expected) return;
  sp_expected_digests_free(expected->digests, expected->n_digests);
  free(expected->source);
  free(expected->tensor);
  free(expected->recording_digest);
  free(expected->values);
  free(expected->known);
  free(expected);
}

enum sp_err sp_expected_holds_for(const struct sp_expected *expected, const char *recording_digest,
                                  const char *model_file, const char *model_digest, struct sp_error *error) {
  if (strcmp(expected->recording_digest, recording_digest) != 0) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "the expected predictions are for recording %s, but this one is %s; "
                   "compute them again, or write new ones with servepath verify --update",
                   expected->recording_digest, recording_digest);
  }
  for (size_t i = 0; i < expected->n_digests; i++) {
    if (strcmp(expected->digests[i].file, model_file) != 0) continue;
    if (strcmp(expected->digests[i].digest, model_digest) == 0) return SP_OK;
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "the expected predictions are for %s %s, but this model's is %s; "
                   "compute them again, or write new ones with servepath verify --update",
                   model_file, expected->digests[i].digest, model_digest);
  }
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "the expected predictions do not list the model file %s (%s), so they do not hold "
                 "for it; compute them again, or write new ones with servepath verify --update",
                 model_file, model_digest);
}
