// Writes expected predictions that a model of ours made, marked `source: self`, never over a reference.
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recording/expected.h"

static enum sp_err fail_write(const char *path, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s); check the folder and its free space", path,
                 strerror(errno));
}

// SP_OK where there is no such file, or one that a model of ours made.
static enum sp_err may_replace(const char *path, struct sp_error *error) {
  FILE *file = fopen(path, "rbe");
  if (!file && errno == ENOENT) return SP_OK;
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot open %s (%s)", path, strerror(errno));
  char *line = NULL;
  size_t capacity = 0;
  ssize_t n = getline(&line, &capacity, file);
  fclose(file);
  json_t *header = n > 0 ? json_loadb(line, (size_t)n, 0, NULL) : NULL;
  const char *source = json_string_value(json_object_get(header, "source"));
  enum sp_err err = SP_OK;
  if (!source || strcmp(source, "self") != 0) {
    err = sp_fail(error, SP_ERR_USAGE,
                  "%s: its predictions come from \"%s\", not from this program, and are not replaced; "
                  "move the file away if they are wrong",
                  path, source ? source : "an unknown source");
  }
  json_decref(header);
  free(line);
  return err;
}

static char *header_text(const struct sp_expected *expected, const char *model, const char *version,
                         const char *recording) {
  json_t *digests = json_object();
  for (size_t i = 0; i < expected->n_digests; i++) {
    json_object_set_new(digests, expected->digests[i].file, json_string(expected->digests[i].digest));
  }
  json_t *header = json_pack("{ss ss ss ss ss so ss sI ss}", "schema", "servepath.expected/1", "model", model,
                             "version", version, "recording", recording, "recording_digest",
                             expected->recording_digest, "model_digests", digests, "tensor", expected->tensor,
                             "n", (json_int_t)expected->n_events, "source", "self");
  char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
  json_decref(header);
  return text;
}

// Nine digits where they give the value back, seventeen (which always do) otherwise. NaN and infinities have no form in
// JSON: null.
static void put_value(FILE *file, double value) {
  char text[32];
  if (!isfinite(value)) {
    fputs("null", file);
    return;
  }
  snprintf(text, sizeof text, "%.9g", value);
  if (strtod(text, NULL) != value) snprintf(text, sizeof text, "%.17g", value);
  fputs(text, file);
}

static void put_lines(FILE *file, const struct sp_expected *expected) {
  for (size_t i = 0; i < expected->n_events; i++) {
    if (expected->known[i] == 2) fprintf(file, "{\"i\":%zu,\"outcome\":\"malformed\"}\n", i);
    if (expected->known[i] != 1) continue;
    fprintf(file, "{\"i\":%zu,\"v\":[", i);
    for (size_t j = 0; j < expected->n_values; j++) {
      if (j > 0) fputc(',', file);
      put_value(file, expected->values[i * expected->n_values + j]);
    }
    fputs("]}\n", file);
  }
}

// The file takes its name when it is whole.
static enum sp_err write_file(const char *path, const char *header, const struct sp_expected *expected,
                              struct sp_error *error) {
  char *part_path = sp_format("%s.%ld.part", path, (long)getpid());
  FILE *file = fopen(part_path, "wbe");
  enum sp_err err = SP_OK;
  if (!file) {
    err = fail_write(path, error);
  } else {
    fprintf(file, "%s\n", header);
    put_lines(file, expected);
    int failed = ferror(file);
    failed |= fclose(file);
    if (failed || rename(part_path, path)) {
      err = fail_write(path, error);
      unlink(part_path);
    }
  }
  free(part_path);
  return err;
}

enum sp_err sp_expected_save(const char *path, const struct sp_expected *expected, const char *model,
                             const char *version, const char *recording, struct sp_error *error) {
  enum sp_err err = may_replace(path, error);
  if (err) return err;
  char *header = header_text(expected, model, version, recording);
  if (!header) {
    return sp_fail(error, SP_ERR_USAGE, "%s: the names of model, version and recording must be UTF-8", path);
  }
  err = write_file(path, header, expected, error);
  free(header);
  return err;
}
