// Maps rows to events: what is common, and JSON documents. CSV columns are in columns.c.
#include "import/mapper.h"

#include <stdio.h>
#include <stdlib.h>

#include "import/columns.h"
#include "import/json.h"

struct sp_mapper {
  const struct sp_import_conf *conf;
  struct sp_columns *columns; // csv
  // JSON pointers; NULL: not taken
  const char *key, *time, *value;
  bool is_kcat;
  bool has_times;
  uint8_t *bytes; // unescaped texts of the row at hand: no longer than the row
  size_t capacity;
  struct sp_header_field *headers;
  size_t header_capacity;
};

static enum sp_err refuse_option(const char *option, const char *remedy, struct sp_error *error) {
  return sp_fail(error, SP_ERR_USAGE, "%s does not go with this --format; %s", option, remedy);
}

static enum sp_err check_options(const struct sp_import_conf *conf, struct sp_error *error) {
  bool is_csv = conf->format == SP_IMPORT_CSV;
  if (is_csv && conf->value) return refuse_option("--value", "choose --columns A,B", error);
  if (!is_csv && conf->columns) return refuse_option("--columns", "choose --value POINTER", error);
  if (conf->time && conf->rate.n > 0) {
    return sp_fail(error, SP_ERR_USAGE,
                   "--time and --rate exclude each other: times come from the rows, or are made up");
  }
  const struct {
    const char *option, *pointer;
  } pointers[] = {{"--key", conf->key}, {"--time", conf->time}, {"--value", conf->value}};
  for (size_t i = 0; i < 3 && !is_csv; i++) {
    if (!pointers[i].pointer || sp_span_is_pointer(pointers[i].pointer)) continue;
    return sp_fail(error, SP_ERR_USAGE, "%s %s is not a JSON pointer; write /%s", pointers[i].option,
                   pointers[i].pointer, pointers[i].pointer);
  }
  return SP_OK;
}

enum sp_err sp_mapper_new(const struct sp_import_conf *conf, struct sp_rows *rows, struct sp_mapper **out,
                          struct sp_error *error) {
  *out = NULL;
  enum sp_err err = check_options(conf, error);
  if (err) return err;
  struct sp_mapper *mapper = sp_alloc(sizeof *mapper);
  *mapper = (struct sp_mapper){.conf = conf, .key = conf->key, .time = conf->time, .value = conf->value};
  if (conf->format == SP_IMPORT_CSV) err = sp_columns_new(conf, rows, &mapper->columns, error);
  if (conf->format == SP_IMPORT_KCAT) {
    mapper->is_kcat = true;
    if (!mapper->key) mapper->key = "/key";
    if (!mapper->time && conf->rate.n == 0) mapper->time = "/ts";
    if (!mapper->value) mapper->value = "/payload";
  }
  mapper->has_times = mapper->time != NULL;
  if (err) {
    sp_mapper_free(mapper);
    return err;
  }
  *out = mapper;
  return SP_OK;
}

void sp_mapper_free(struct sp_mapper *mapper) {
  if (!mapper) return;
  sp_columns_free(mapper->columns);
  free(mapper->bytes);
  free(mapper->headers);
  free(mapper);
}

bool sp_mapper_has_times(const struct sp_mapper *mapper) {
  return mapper->has_times;
}

struct sp_bytes sp_mapper_header_row(const struct sp_mapper *mapper) {
  return mapper->columns ? sp_columns_header_row(mapper->columns) : (struct sp_bytes){0};
}

static bool fail(char *why, const char *what, const char *pointer) {
  snprintf(why, SP_MAPPER_WHY_BYTES, "%s %.100s", what, pointer);
  return false;
}

// What a value says: a string without quotes and escapes, NULL for null, any other as it stands. *at: free bytes.
static struct sp_bytes text_of(struct sp_span json, uint8_t **at) {
  if (json.kind == SP_SPAN_NULL) return (struct sp_bytes){0};
  if (json.kind != SP_SPAN_STRING) return json.bytes;
  struct sp_bytes text = sp_bytes_of(*at, sp_span_unescape(json, *at));
  *at += text.n;
  return text;
}

static bool map_time(const struct sp_mapper *mapper, struct sp_span document, int64_t *time_ns, uint8_t **at,
                     char *why) {
  struct sp_span found;
  // Ours, exact, beside kcat's milliseconds.
  if (mapper->is_kcat && !mapper->conf->time && sp_span_find(document, "/ts_ns", &found)) {
    return sp_when_parse(text_of(found, at), SP_WHEN_NS, time_ns) || fail(why, "not a time:", "/ts_ns");
  }
  if (!sp_span_find(document, mapper->time, &found)) return fail(why, "there is no", mapper->time);
  if (found.kind != SP_SPAN_STRING && found.kind != SP_SPAN_NUMBER)
    return fail(why, "not a time:", mapper->time);
  bool is_ts = mapper->is_kcat && !mapper->conf->time;
  enum sp_when_unit unit = is_ts ? SP_WHEN_MS : mapper->conf->time_unit;
  if (!sp_when_parse(text_of(found, at), unit, time_ns))
    return fail(why, "not a time in the unit of --time-unit:", mapper->time);
  if (is_ts && *time_ns < 0)
    return fail(why, "the message has no timestamp; take --rate 1000/s instead of", mapper->time);
  return true;
}

// kcat writes headers as one array: name, value, name, value.
static bool map_headers(struct sp_mapper *mapper, struct sp_span document, struct sp_event *event,
                        uint8_t **at, char *why) {
  struct sp_span list, name, value;
  if (!sp_span_find(document, "/headers", &list) || list.kind == SP_SPAN_NULL) return true;
  struct sp_span_walk walk = sp_span_walk_of(list);
  size_t n = 0;
  while (sp_span_walk_next(&walk, NULL, &name)) {
    if (walk.is_object || name.kind != SP_SPAN_STRING || !sp_span_walk_next(&walk, NULL, &value)) {
      return fail(why, "not a list of names and values:", "/headers");
    }
    if (n == mapper->header_capacity) {
      mapper->header_capacity = n ? 2 * n : 16;
      mapper->headers = sp_realloc(mapper->headers, mapper->header_capacity * sizeof *mapper->headers);
    }
    struct sp_bytes text = text_of(name, at);
    if (memchr(text.data, 0, text.n)) return fail(why, "a name holds a NUL byte:", "/headers");
    *(*at)++ = '\0';
    mapper->headers[n++] = (struct sp_header_field){(const char *)text.data, text_of(value, at)};
  }
  event->headers = mapper->headers;
  event->n_headers = n;
  return true;
}

static bool map_json(struct sp_mapper *mapper, struct sp_row row, struct sp_event *event, int64_t *time_ns,
                     char *why) {
  struct sp_span document, found;
  size_t error_at;
  if (!sp_span_read(row.bytes, &document, &error_at)) {
    snprintf(why, SP_MAPPER_WHY_BYTES, "not JSON from byte %zu of the line on", error_at);
    return false;
  }
  // Every text lies in the row once and loses its two quotes; /ts_ns and a header's NUL fit into that.
  if (row.bytes.n > mapper->capacity) {
    mapper->capacity = row.bytes.n + row.bytes.n / 4;
    mapper->bytes = sp_realloc(mapper->bytes, mapper->capacity * 4);
  }
  uint8_t *at = mapper->bytes;
  if (mapper->key) {
    if (sp_span_find(document, mapper->key, &found)) {
      event->key = text_of(found, &at);
    } else if (mapper->conf->key) {
      return fail(why, "there is no", mapper->key);
    }
  }
  event->value = row.bytes;
  if (mapper->value) {
    if (!sp_span_find(document, mapper->value, &found)) return fail(why, "there is no", mapper->value);
    event->value = text_of(found, &at);
  }
  if (mapper->time && !map_time(mapper, document, time_ns, &at, why)) return false;
  return !mapper->is_kcat || map_headers(mapper, document, event, &at, why);
}

bool sp_mapper_map(struct sp_mapper *mapper, struct sp_row row, struct sp_event *event, int64_t *time_ns,
                   char why[SP_MAPPER_WHY_BYTES]) {
  *event = (struct sp_event){0};
  if (mapper->columns) return sp_columns_map(mapper->columns, row, event, time_ns, why);
  return map_json(mapper, row, event, time_ns, why);
}
